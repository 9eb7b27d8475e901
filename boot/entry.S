/* SPDX-License-Identifier: MIT */
/*
 * entry.S - from the loader to C in 64-bit mode, on the boot core
 *
 * Three doors: QEMU's -kernel enters at pvh_start (the PVH note names it; ebx: struct hvm_start_info), GRUB at
 * multiboot2_start (eax: magic, ebx: information), both in 32-bit protected mode. BOOTX64.EFI enters at efi_start (our own
 * note names it; rdi: struct efi_handover) in 64-bit mode and on the firmware's page tables, which lie in memory that is
 * free from now on: it leaves both, down to 32 bits. Behind the doors the way is one: an identity map of the first 4 GiB
 * in 2 MiB pages, good enough until paging_init() makes the real one, then long mode, then boot_main(door, info).
 */

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define PVH_MAGIC		0x50564821 /* our own mark: PVH hands over none in a register */
#define EFI_MAGIC		0x20494645 /* another one */
#define CR0_PE_PG		0x80000001
#define CR0_PG			0x80000000
#define CR0_EM			0x00000004
#define CR4_PAE			0x00000020
#define MSR_EFER		0xc0000080
#define EFER_LME		0x00000100
#define PTE_P_RW		0x003
#define PTE_P_RW_PS		0x083

	.section .multiboot2, "a"
	.balign 8
header:	.long	MULTIBOOT2_HEADER_MAGIC, 0, header_end - header
	.long	-(MULTIBOOT2_HEADER_MAGIC + 0 + (header_end - header))
	.balign 8
	.word	3, 0			/* tag: entry address */
	.long	12, multiboot2_start
	.balign 8
	.word	6, 0			/* tag: modules start on a page */
	.long	8
	.balign 8
	.word	0, 0			/* tag: end */
	.long	8
header_end:

	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	pvh_start

	.section .note.efi, "a", @note
	.balign 4
	.long	5, 4, 1			/* HANDOVER_NOTE, boot/efi/handover.h */
	.asciz	"Weir"
	.balign 4
	.long	efi_start

	.section .boot, "ax"
	.globl	pvh_start, multiboot2_start, efi_start
	.code64
efi_start:
	cli
	movl	%edi, %ebx
	lgdt	boot_gdtr
	pushq	$0x18
	pushq	$compatibility
	lretq
	.code32
compatibility:
	movl	$0x10, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	xorl	%eax, %eax		/* whatever the firmware had on: 5-level paging, PCID, ... */
	movl	%eax, %cr4
	movl	$EFI_MAGIC, %eax
	jmp	multiboot2_start

pvh_start:
	movl	$PVH_MAGIC, %eax
multiboot2_start:
	cli
	cld
	movl	%eax, %esi
	movl	%ebx, %ebp
	movl	$boot_stack_top, %esp

	/* four page directories of 2 MiB pages */
	movl	$boot_pd, %edi
	movl	$PTE_P_RW_PS, %eax
	movl	$4 * 512, %ecx
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b
	movl	$boot_pd + PTE_P_RW, %eax
	movl	$boot_pdpt, %edi
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	loop	2b
	movl	$boot_pdpt + PTE_P_RW, boot_pml4

	movl	$boot_pml4, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~CR0_EM, %eax
	orl	$CR0_PE_PG, %eax
	movl	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$8, $long_mode

	.code64
long_mode:
	movl	$0x10, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	%esi, %edi		/* which door */
	movl	%ebp, %esi		/* what the loader left */
	movl	$boot_stack_top, %esp
	xorl	%ebp, %ebp		/* the back trace ends here */
	call	boot_main
3:	cli
	hlt
	jmp	3b

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: code, 64 bit */
	.quad	0x00cf93000000ffff	/* 0x10: data */
	.quad	0x00cf9b000000ffff	/* 0x18: code, 32 bit */
boot_gdtr:
	.word	. - boot_gdt - 1
	.long	boot_gdt, 0

	.bss
	.balign	4096
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
	.globl	boot_stack_guard, boot_stack_top
boot_stack_guard:			/* paging_init() takes this page away */
	.skip	4096
	.skip	32 * 1024
boot_stack_top:
