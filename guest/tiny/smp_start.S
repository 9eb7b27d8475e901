/* SPDX-License-Identifier: MIT */
/*
 * smp_start.S - where another CPU begins: real mode, at SMP_AT, to which smp.c copies this; then C on a stack of its own
 *
 * The page tables are those of the CPU that booted, with the first GiB at 0 as well while somebody starts.
 */
#include "smp.h"

#define KERNEL_BASE	0xffffffff80000000
#define PHYSICAL(x)	((x) - KERNEL_BASE)
#define AT(x)		((x) - smp_begin + SMP_AT)
#define CR0_PE		0x00000001
#define CR0_PE_PG_NE_ET	0x80000031
#define CR4_PAE		0x00000020
#define MSR_EFER	0xc0000080
#define EFER_LME	0x00000100

	.text
	.globl	smp_begin, smp_end
	.code16
smp_begin:
	cli
	xorl	%eax, %eax
	movl	%eax, %ds
	lgdtl	AT(gdtr)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$0x20, $AT(protected)

	.code32
protected:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_PE_PG_NE_ET, %eax
	movl	%eax, %cr0
	ljmp	$0x10, $AT(long)

	.code64
long:
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx		/* its APIC ID */
	movl	%ebx, %edi
	incl	%ebx
	imulq	$SMP_STACK, %rbx
	leaq	smp_stacks(%rbx), %rsp
	xorl	%ebp, %ebp
	movq	$smp_main, %rax
	call	*%rax
1:	cli
	hlt
	jmp	1b

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x18: data */
	.quad	0x00cf9b000000ffff	/* 0x20: 32-bit code */
gdtr:
	.word	. - gdt - 1
	.long	AT(gdt)
smp_end:
