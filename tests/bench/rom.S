/* SPDX-License-Identifier: MIT */
/*
 * rom.S - 64 KiB of ROM in place of a BIOS that execute a number of instructions known beforehand, then halt
 *
 * test_counter assembles it with LOOPS, MMIO, PORTS, IRETS and BYTES, and computes what the counter must say. The
 * comments on the right are what each part adds: PROLOGUE instructions up to `from`, then the rest, then the HLT.
 */
#define LINEAR(label) 0xf0000 + label - start

	.code16
	.org	0
start:
	cli				/* after the jump at the end of the ROM: 1 + 1 */
	lgdtl	%cs:gdtr - start	/* 1 */
	movl	%cr0, %eax		/* 3 into protected mode */
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $LINEAR(protected) /* 1 */
	.code32
protected:
	movl	$0x10, %eax		/* 5 */
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$0x8000, %esp
	.globl	from
from:
	movl	$LOOPS, %ecx		/* 1 + 4 * LOOPS; a store and a load each */
1:	pushl	%eax
	popl	%edx
	decl	%ecx
	jnz	1b

	movl	$MMIO, %ecx		/* 1 + 4 * MMIO: the local APIC's version read, its TPR written */
2:	movl	0xfee00030, %eax
	movl	%edx, 0xfee00080
	decl	%ecx
	jnz	2b

	movl	$PORTS, %ecx		/* 1 + 3 * PORTS */
3:	outb	%al, $0x80
	decl	%ecx
	jnz	3b

	movl	$IRETS, %ecx		/* 1 + 6 * IRETS */
4:	pushfl
	pushl	$8
	pushl	$LINEAR(5f)
	iretl
5:	decl	%ecx
	jnz	4b

	movl	$0x9000, %edi		/* 5, the string instruction once: the other BYTES - 1 are `rep` */
	movl	$0xc000, %esi
	movl	$BYTES, %ecx
	cld
	rep movsb

6:	hlt				/* 1 */
	jmp	6b

	.balign 8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word	23
	.long	LINEAR(gdt)

	.org	0xfff0
	.code16
	ljmpw	$0xf000, $start - start
	.org	0xffff
	.byte	0
