/* SPDX-License-Identifier: MIT */
/*
 * vmx_enter.S - into the guest and out again [SDM 3C 26, 27]
 *
 * int vmx_enter(uint64_t gpr[16], bool launched)
 *
 * Called with interrupts off and the VMCS current. Offsets into gpr are those of enum gpr (vcpu.h). The hardware switches
 * RSP, RIP, RFLAGS, segments and control registers by the VMCS; the other general registers are ours to switch. Returns
 * 0 after a VM exit, 1 if VMLAUNCH or VMRESUME itself failed; with interrupts off, as a VM exit leaves them.
 */
#define HOST_RSP 0x6c14

	.text
	.globl vmx_enter
	.type vmx_enter, @function
vmx_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi		/* gpr */

	mov $HOST_RSP, %eax
	vmwrite %rsp, %rax
	test %sil, %sil		/* launched? no load below touches the flags */
	mov  0*8(%rdi), %rax
	mov  1*8(%rdi), %rcx
	mov  2*8(%rdi), %rdx
	mov  3*8(%rdi), %rbx
	mov  5*8(%rdi), %rbp
	mov  6*8(%rdi), %rsi
	mov  8*8(%rdi), %r8
	mov  9*8(%rdi), %r9
	mov 10*8(%rdi), %r10
	mov 11*8(%rdi), %r11
	mov 12*8(%rdi), %r12
	mov 13*8(%rdi), %r13
	mov 14*8(%rdi), %r14
	mov 15*8(%rdi), %r15
	mov  7*8(%rdi), %rdi
	jnz 1f
	vmlaunch
	jmp 2f
1:	vmresume
2:	mov $1, %eax		/* still here: it failed */
	add $8, %rsp
	jmp 3f

	.globl vmx_exit		/* HOST_RIP */
vmx_exit:
	push %rdi
	mov 8(%rsp), %rdi	/* gpr */
	mov %rax,  0*8(%rdi)
	mov %rcx,  1*8(%rdi)
	mov %rdx,  2*8(%rdi)
	mov %rbx,  3*8(%rdi)
	mov %rbp,  5*8(%rdi)
	mov %rsi,  6*8(%rdi)
	pop 7*8(%rdi)		/* rdi */
	mov %r8,   8*8(%rdi)
	mov %r9,   9*8(%rdi)
	mov %r10, 10*8(%rdi)
	mov %r11, 11*8(%rdi)
	mov %r12, 12*8(%rdi)
	mov %r13, 13*8(%rdi)
	mov %r14, 14*8(%rdi)
	mov %r15, 15*8(%rdi)
	add $8, %rsp
	xor %eax, %eax

3:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size vmx_enter, . - vmx_enter
