/* SPDX-License-Identifier: MIT */
/*
 * modes.S - from long mode down to real mode and up again, doing the same in each mode (modes.h)
 *
 * Called by check_modes.c with the first GiB mapped at 0 as well, interrupts off. It never runs where it was linked, but
 * at MODES_AT: every address is AT() something. What a mode does is written once, as a macro: the assembler makes 16-bit
 * or 32-bit code of it, each with the prefixes that this takes.
 */
#include "modes.h"

#define AT(x)		((x) - modes_begin + MODES_AT)
#define RESULT(n, at)	(AT(modes_results) + (n) * RESULT_SIZE + (at))

#define CR0_PE		0x00000001
#define CR0_PG		0x80000000
#define CR4_PSE		0x00000010
#define CR4_PAE		0x00000020
#define MSR_APIC_BASE	0x0000001b
#define MSR_EFER	0xc0000080
#define EFER_LME	0x00000100
#define MSR_X2APIC_EOI	0x0000080b
#define MSR_X2APIC_ICR	0x00000830
#define APIC		0xfee00000
#define APIC_EOI	0x0b0
#define APIC_ICR	0x300
#define ICR_SELF	0x00044000
#define IOAPIC		0xfec00000
#define UART_SCRATCH	0x3ff
#define CPUID_KVM	0x40000000
#define LOOKS		1000000

#define CODE_64		0x10
#define DATA		0x18
#define CODE_32		0x20
#define CODE_16		0x28

	.text

/* --- what is done in each mode --- */

	.macro	exercise mode
	testl	$1 << \mode, AT(modes_which)
	jz	9f
	movl	$CPUID_KVM, %eax
	cpuid
	movl	%ebx, RESULT(\mode, RESULT_KVM)
	movl	$MSR_APIC_BASE, %ecx
	rdmsr
	movl	%eax, RESULT(\mode, RESULT_MSR)

	movw	$UART_SCRATCH, %dx
	movb	$0x50 + \mode, %al
	outb	%al, %dx
	xorl	%eax, %eax
	inb	%dx, %al
	movl	%eax, RESULT(\mode, RESULT_PORT)

	movl	$IOAPIC, %ebx		/* in real mode too: DS has kept its limit */
	movl	$0x80 + \mode, %eax
	movl	%eax, (%ebx)
	movzbl	(%ebx), %eax
	movl	%eax, RESULT(\mode, RESULT_SELECT)
	movl	$4, %ecx
	orl	$0x0a, -16(%ebx, %ecx, 4)
	xorl	%eax, %eax
	movb	(%ebx), %al
	movl	%eax, RESULT(\mode, RESULT_OR)

	cld
	movw	$UART_SCRATCH, %dx
	movl	$AT(modes_bytes), %esi
	movl	$4, %ecx
	rep outsb
	movl	$RESULT(\mode, RESULT_STRING), %edi
	movl	$4, %ecx
	rep insb

	int	$MODES_INT
	movl	AT(modes_ints), %eax
	movl	%eax, RESULT(\mode, RESULT_INTS)

	testl	$-1, AT(modes_apic)	/* an interrupt to itself, and a halt that it may end */
	jnz	1f
	movl	$APIC + APIC_ICR, %ebx
	movl	$ICR_SELF + MODES_VECTOR, (%ebx)
	jmp	2f
1:	movl	$MSR_X2APIC_ICR, %ecx
	movl	$ICR_SELF + MODES_VECTOR, %eax
	xorl	%edx, %edx
	wrmsr
2:	sti
	movl	$LOOKS, %ecx
3:	testl	$-1, AT(modes_irqs)
	jnz	4f
	pause
	decl	%ecx
	jnz	3b
4:	cli
	movl	AT(modes_irqs), %eax
	movl	%eax, RESULT(\mode, RESULT_IRQS)
	xorl	%eax, %eax
	movl	%eax, AT(modes_ints)
	movl	%eax, AT(modes_irqs)
	incl	RESULT(\mode, RESULT_TIMES)
9:
	.endm

	/* end of an interrupt; all registers are kept */
	.macro	end_of_interrupt
	pushl	%eax
	pushl	%ecx
	pushl	%edx
	incl	AT(modes_irqs)
	testl	$-1, AT(modes_apic)
	jnz	1f
	movl	$APIC + APIC_EOI, %eax
	movl	$0, (%eax)
	jmp	2f
1:	movl	$MSR_X2APIC_EOI, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
2:	popl	%edx
	popl	%ecx
	popl	%eax
	.endm

	.macro	set_cr reg, on, off
	movl	%\reg, %eax
	orl	$\on, %eax
	andl	$~(\off), %eax
	movl	%eax, %\reg
	.endm

/* --- down --- */

	.globl	modes_begin, modes_end, modes_trip, modes_which, modes_results, modes_apic
	.globl	modes_ints, modes_irqs, modes_int16, modes_irq16, modes_int32, modes_irq32
	.balign	16
modes_begin:
	.code64
modes_trip:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	sgdt	AT(saved_gdtr)
	sidt	AT(saved_idtr)
	movq	%rsp, AT(saved_rsp)
	movq	%cr3, %rax
	movq	%rax, AT(saved_cr3)
	movq	%cr4, %rax
	movl	%eax, AT(saved_cr4)
	movq	%cr0, %rax
	movl	%eax, AT(saved_cr0)
	lgdt	AT(gdtr)
	ljmp	*AT(to_compat)

	.code32
compat:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$MODES_STACK, %esp
	exercise MODE_COMPAT

	set_cr	cr0, 0, CR0_PG		/* and long mode is left */
	movl	$MSR_EFER, %ecx
	rdmsr
	andl	$~EFER_LME, %eax
	wrmsr
	lidt	AT(idtr32)

	movl	$MODES_PD, %eax
	movl	%eax, %cr3
	set_cr	cr4, CR4_PSE, CR4_PAE
	set_cr	cr0, CR0_PG, 0
	exercise MODE_PAGED
	set_cr	cr0, 0, CR0_PG
	exercise MODE_32
	ljmp	$CODE_16, $AT(protected16)

	.code16
protected16:
	exercise MODE_16
	set_cr	cr0, 0, CR0_PE
	ljmp	$0, $AT(real)
real:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	lidt	AT(idtr16)
	exercise MODE_REAL

/* --- and up again --- */

	set_cr	cr0, CR0_PE, 0
	ljmpl	$CODE_32, $AT(protected32)

	.code32
protected32:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	AT(saved_cr4), %eax
	movl	%eax, %cr4
	movl	AT(saved_cr3), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	AT(saved_cr0), %eax
	movl	%eax, %cr0
	ljmp	$CODE_64, $AT(long)

	.code64
long:
	movq	AT(saved_cr3), %rax
	movq	%rax, %cr3
	movq	AT(saved_rsp), %rsp
	lgdt	AT(saved_gdtr)
	lidt	AT(saved_idtr)
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* --- interrupts: those of 32-bit and 16-bit protected mode come by the same gates --- */

	.code32
modes_int32:
	incl	AT(modes_ints)
	iretl
modes_irq32:
	end_of_interrupt
	iretl

	.code16
modes_int16:
	incl	AT(modes_ints)
	iret
modes_irq16:
	end_of_interrupt
	iret

/* --- data --- */

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* CODE_64 */
	.quad	0x00cf93000000ffff	/* DATA */
	.quad	0x00cf9b000000ffff	/* CODE_32 */
	.quad	0x008f9b000000ffff	/* CODE_16 */
gdtr:
	.word	. - gdt - 1
	.quad	AT(gdt)
idtr32:
	.word	256 * 8 - 1
	.long	MODES_IDT
idtr16:
	.word	256 * 4 - 1
	.long	0
to_compat:
	.long	AT(compat)
	.word	CODE_32
modes_bytes:
	.ascii	"weir"
	.balign	8
saved_rsp:
	.quad	0
saved_cr3:
	.quad	0
saved_cr4:
	.long	0
saved_cr0:
	.long	0
saved_gdtr:
	.skip	10
	.balign	8
saved_idtr:
	.skip	10
	.balign	4
modes_ints:
	.long	0
modes_irqs:
	.long	0
modes_apic:
	.long	0
modes_which:
	.long	0
modes_results:
	.skip	MODES * RESULT_SIZE
modes_end:
	.code64
