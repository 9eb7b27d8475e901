/* SPDX-License-Identifier: MIT */
/*
 * switch.S - stack_switch(save, to): leave this stack, go on with another
 *
 * rdi: where to keep our stack pointer, rsi: the stack pointer to go on with. What a C function must preserve is kept
 * on the stack that is left; all else the caller has saved [System V ABI 3.2.1].
 */
	.text
	.globl	stack_switch
stack_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
