/* SPDX-License-Identifier: MIT */
/*
 * vectors.S - 256 entry points, and the two ways in: exceptions keep every register, interrupts those that C clobbers
 *
 * An exception's stub pushes its number; those for which the CPU pushes no error code get a 0 first, so that one frame
 * layout serves all (struct trap_frame). Interrupts come often and call straight into irq_dispatch(), the number in
 * the register of its argument.
 */
	.text

	.macro	stub n
	.balign	16
	.if	\n < 32
	.if	!(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	pushq	$0
	.endif
	pushq	$\n
	jmp	exception_entry
	.else
	pushq	%rdi
	movl	$\n, %edi
	jmp	irq_entry
	.endif
	.endm

	.balign	16
	.globl	vector_stubs
vector_stubs:
	.altmacro
	.set	n, 0
	.rept	256
	stub	%n
	.set	n, n + 1
	.endr

irq_entry:			/* %rdi is saved and the vector; with the CPU's five words that aligns the stack */
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	cld
	call	irq_dispatch
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rdi
	iretq

exception_entry:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$-16, %rsp
	cld
	call	exception_dispatch		/* returns only for a fault that is expected */
	movq	%rbx, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

/* void trap_call(uint8_t vector): what the CPU pushes, on an aligned stack as it has it, then the stub [SDM 3A 6.14.2] */
	.globl	trap_call
	.type	trap_call, @function
trap_call:
	movzbl	%dil, %eax
	shll	$4, %eax	/* stubs stand 16 bytes apart */
	addq	$vector_stubs, %rax
	movq	%rsp, %rdx
	andq	$-16, %rsp
	movl	%ss, %ecx
	pushq	%rcx
	pushq	%rdx		/* back here, behind the CALL, when IRET takes it */
	pushfq
	movl	%cs, %ecx
	pushq	%rcx
	call	*%rax
	ret
	.size	trap_call, . - trap_call
