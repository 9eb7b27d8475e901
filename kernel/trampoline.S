/* SPDX-License-Identifier: MIT */
/*
 * trampoline.S - where the other cores begin: 16-bit code, copied to one page below 1 MiB
 *
 * STARTUP sets cs to the page and ip to 0. The core goes to 32-bit protected mode for the length of a jump, takes the
 * kernel's page tables, which reach above 4 GiB only in long mode, and calls smp_entry() on the stack laid out for it.
 * Addresses are relative to the copy, at TRAMPOLINE.
 */

#define TRAMPOLINE 0x8000
#define AT(label)  (TRAMPOLINE + (label) - trampoline)

	.text
	.globl	trampoline, trampoline_end, trampoline_cr3, trampoline_stack
	.balign	16
	.code16
trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AT(gdtr)
	movl	$0x20, %eax			/* CR4.PAE */
	movl	%eax, %cr4
	movl	AT(trampoline_cr3), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER: LME and NXE, the tables use NX */
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	$0x80010011, %eax		/* CR0: PG, WP, ET, PE */
	movl	%eax, %cr0
	ljmpl	$8, $AT(in_long_mode)

	.code64
in_long_mode:
	movl	$0x10, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movq	AT(trampoline_stack), %rsp
	xorl	%ebp, %ebp
	movq	$smp_entry, %rax
	call	*%rax

	.balign	8
gdt:	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
gdtr:	.word	. - gdt - 1
	.long	AT(gdt)
	.balign	8
trampoline_cr3:
	.quad	0
trampoline_stack:
	.quad	0
trampoline_end:
