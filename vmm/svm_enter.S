/* SPDX-License-Identifier: MIT */
/*
 * svm_enter.S - into the guest and out again [APM2 15.5]
 *
 * void svm_vmrun(struct vmcb *guest, struct vmcb *host, uint64_t gpr[16])
 *
 * Called with GIF clear. Offsets into gpr are those of enum gpr (vcpu.h). The hardware switches RAX, RSP, RIP, RFLAGS and the
 * control registers by the VMCB; VMLOAD and VMSAVE do FS, GS, TR, LDTR and the MSRs of system calls; the other general
 * registers are ours to switch. Returns with GIF clear, as #VMEXIT leaves it.
 */
	.text
	.globl svm_vmrun
	.type svm_vmrun, @function
svm_vmrun:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdx		/* gpr */
	push %rsi		/* host */

	mov %rdi, %rax		/* VMRUN and its kin take the VMCB's address in RAX */
	mov  1*8(%rdx), %rcx
	mov  3*8(%rdx), %rbx
	mov  5*8(%rdx), %rbp
	mov  6*8(%rdx), %rsi
	mov  7*8(%rdx), %rdi
	mov  8*8(%rdx), %r8
	mov  9*8(%rdx), %r9
	mov 10*8(%rdx), %r10
	mov 11*8(%rdx), %r11
	mov 12*8(%rdx), %r12
	mov 13*8(%rdx), %r13
	mov 14*8(%rdx), %r14
	mov 15*8(%rdx), %r15
	mov  2*8(%rdx), %rdx

	vmload %rax
	vmrun %rax
	vmsave %rax

	push %rdx
	mov 16(%rsp), %rdx	/* gpr */
	mov %rcx,  1*8(%rdx)
	mov %rbx,  3*8(%rdx)
	mov %rbp,  5*8(%rdx)
	mov %rsi,  6*8(%rdx)
	mov %rdi,  7*8(%rdx)
	mov %r8,   8*8(%rdx)
	mov %r9,   9*8(%rdx)
	mov %r10, 10*8(%rdx)
	mov %r11, 11*8(%rdx)
	mov %r12, 12*8(%rdx)
	mov %r13, 13*8(%rdx)
	mov %r14, 14*8(%rdx)
	mov %r15, 15*8(%rdx)
	pop 2*8(%rdx)		/* rdx */

	pop %rax		/* host: GS first of all, it is this_cpu() */
	vmload %rax
	pop %rdx
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.size svm_vmrun, . - svm_vmrun
