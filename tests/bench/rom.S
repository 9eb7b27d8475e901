/* SPDX-License-Identifier: MIT */
/*
 * rom.S - 64 KiB of ROM in place of a BIOS that execute a number of instructions known beforehand, then halt
 *
 * test_counter assembles it with LOOPS, MMIO, PORTS, IRETS, BYTES, VMRUNS and GUEST, and computes what the counter must
 * say. The comments on the right are what each part adds: PROLOGUE instructions up to `from`, then the rest, then the HLT.
 */
#define LINEAR(label) 0xf0000 + label - start

/* SVM: the VMCB and the area for the host's state are RAM, which is zero; offsets in the VMCB [APM2 B] */
#define EFER		0xc0000080
#define EFER_SVME	0x1000
#define VM_HSAVE_PA	0xc0010117
#define HSAVE		0x10000
#define VMCB		0x11000
#define INTERCEPTS	VMCB + 0x010	/* second word */
#define ASID		VMCB + 0x058
#define SEGMENTS	VMCB + 0x400	/* ES, CS, SS, DS: selector, attributes, limit, base */
#define GUEST_EFER	VMCB + 0x4d0
#define GUEST_CR0	VMCB + 0x558
#define GUEST_DR7	VMCB + 0x560
#define GUEST_RFLAGS	VMCB + 0x570
#define GUEST_RIP	VMCB + 0x578
#define GUEST_RSP	VMCB + 0x5d8

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

	movl	$EFER, %ecx		/* 4: SVM on */
	rdmsr
	orl	$EFER_SVME, %eax
	wrmsr
	movl	$VM_HSAVE_PA, %ecx	/* 4 */
	movl	$HSAVE, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$3, INTERCEPTS		/* 2: VMRUN, as it must be, and VMMCALL */
	movl	$1, ASID
	movl	$0x0c930010, SEGMENTS	/* 8: flat, 32 bits */
	movl	$-1, SEGMENTS + 4
	movl	$0x0c9b0008, SEGMENTS + 0x10
	movl	$-1, SEGMENTS + 0x14
	movl	$0x0c930010, SEGMENTS + 0x20
	movl	$-1, SEGMENTS + 0x24
	movl	$0x0c930010, SEGMENTS + 0x30
	movl	$-1, SEGMENTS + 0x34
	movl	$EFER_SVME, GUEST_EFER	/* 4 */
	movl	$0x11, GUEST_CR0
	movl	$0x400, GUEST_DR7
	movl	$2, GUEST_RFLAGS
	movl	$VMRUNS, %ebp		/* 1 + 7 * VMRUNS */
6:	movl	$LINEAR(guest), GUEST_RIP
	movl	$0x8000, GUEST_RSP
	movl	$VMCB, %eax
	vmrun
	vmsave
	decl	%ebp
	jnz	6b

7:	hlt				/* 1 */
	jmp	7b

guest:	movl	$GUEST, %ecx		/* VMRUNS * (2 + 3 * GUEST), in the guest */
8:	pushl	%eax			/* loads and stores that are not the machine's own */
	decl	%ecx
	jnz	8b
	vmmcall

	.balign 8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word	23
	.long	LINEAR(gdt)

	.org	0xfff0
	.code16
	ljmpw	$0xf000, $start - start
	.org	0xffff
	.byte	0
