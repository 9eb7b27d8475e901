/* SPDX-License-Identifier: MIT */
/*
 * vectors.S - 256 entry points that all end in trap_entry(), and try(): call something that may fault
 */
	.text

	.macro	stub n
	.balign	16
	.if	!(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	pushq	$0			/* where the CPU pushes no error code */
	.endif
	pushq	$\n
	jmp	enter
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

/* the order is struct trap_frame's, from its end */
enter:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	cld
	call	trap_entry
leave:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

	.globl	trap_leave
trap_leave:
	movq	%rdi, %rsp
	jmp	leave

/*
 * unsigned try(void (*op)(void *), void *arg)
 *
 * The stack is remembered while op runs. An exception comes back to try_out with that stack and its vector in eax
 * (trap.c); whatever op had pushed is forgotten.
 */
	.globl	try, try_out
try:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	try_stack
	movq	%rsp, try_stack
	movq	$256, caught + 15 * 8	/* NOTHING_CAUGHT */
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	xorl	%eax, %eax
try_out:
	popq	try_stack
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
