/* SPDX-License-Identifier: MIT */
/*
 * head.S - from a loader to C at -2 GiB
 *
 * Two doors. A loader of Linux kernels takes the bzImage and enters at offset 0x200 in 64-bit mode with rsi at the zero
 * page [Linux boot protocol, 64-bit]: that is how Weir starts a guest. QEMU's -kernel takes the ELF file and enters at
 * pvh_start in 32-bit mode with ebx at struct hvm_start_info [Xen PVH]. Behind them the way is one: page tables of our
 * own, which the assembler has filled in already, the jump to -2 GiB, a cleared .bss, main(door, information).
 */

#define KERNEL_BASE	0xffffffff80000000
#define PHYSICAL(x)	((x) - KERNEL_BASE)
#define LOAD		0x100000
#define CR0_PE_PG	0x80000001
#define CR4_PAE		0x00000020
#define MSR_EFER	0xc0000080
#define EFER_LME	0x00000100
#define PTE_P_RW	0x003
#define PTE_P_RW_PS	0x083

/* --- the bzImage's header: a boot sector that boots nothing and one sector of set-up [Linux boot protocol] --- */

	.section .setup, ""
setup:
	.org	0x1f1
	.byte	1			/* setup_sects */
	.word	0			/* root_flags */
	.long	_syssize		/* of what is behind these two sectors, in units of 16 bytes */
	.word	0			/* ram_size */
	.word	0xffff			/* vid_mode: as it is */
	.word	0			/* root_dev */
	.word	0xaa55			/* boot_flag */
	.byte	0xeb, real_mode - 1f	/* jump */
1:	.ascii	"HdrS"
	.word	0x020f			/* version 2.15 */
	.long	0			/* realmode_swtch */
	.word	0			/* start_sys_seg */
	.word	version - setup - 0x200	/* kernel_version */
	.byte	0			/* type_of_loader: the loader's */
	.byte	1			/* loadflags: LOADED_HIGH */
	.word	0			/* setup_move_size */
	.long	LOAD			/* code32_start */
	.long	0, 0			/* ramdisk_image, ramdisk_size: the loader's */
	.long	0			/* bootsect_kludge */
	.word	0			/* heap_end_ptr */
	.byte	0, 0			/* ext_loader_ver, ext_loader_type */
	.long	0			/* cmd_line_ptr: the loader's */
	.long	0x7fffffff		/* initrd_addr_max */
	.long	LOAD			/* kernel_alignment */
	.byte	0			/* relocatable_kernel: no */
	.byte	20			/* min_alignment, as a power of two */
	.word	1			/* xloadflags: XLF_KERNEL_64 */
	.long	511			/* cmdline_size */
	.long	0			/* hardware_subarch */
	.quad	0			/* hardware_subarch_data */
	.long	0, 0			/* payload_offset, payload_length: nothing is packed */
	.quad	0			/* setup_data */
	.quad	LOAD			/* pref_address */
	.long	_init_size		/* memory wanted from there on */
	.long	0			/* handover_offset: no EFI */
	.long	0			/* kernel_info_offset */
real_mode:
	.byte	0xfa, 0xf4, 0xeb, 0xfd	/* cli; 1: hlt; jmp 1b: there is no 16-bit entry */
version:
	.asciz	"tiny"
	.org	0x400

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	PHYSICAL(pvh_start)

/* --- the first door: 32-bit, paging off --- */

	.section .head, "ax"
	.code32
	.globl	pvh_start
pvh_start:
	cli
	cld
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PE_PG, %eax
	movl	%eax, %cr0
	lgdt	PHYSICAL(head_gdtr)
	ljmp	$0x10, $PHYSICAL(pvh_long)

	.code64
pvh_long:
	movl	%ebx, %esi
	movl	$1, %edi		/* DOOR_PVH */
	jmp	both

/* --- the second door: 64-bit, an identity map of 4 GiB --- */

	.org	0x200
linux_start:
	cli
	cld
	movl	$0, %edi		/* DOOR_LINUX */
	movl	$PHYSICAL(pml4), %eax
	movq	%rax, %cr3
both:
	movabsq	$high, %rax
	jmp	*%rax
high:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movq	$stack_top, %rsp
	xorl	%ebp, %ebp
	movq	$0, pml4		/* the way here is not needed any more: NULL faults from now on */
	movq	%cr3, %rax
	movq	%rax, %cr3
	movl	%edi, %ebx
	xorl	%eax, %eax
	movq	$_loaded_end, %rdi
	movq	$_bss_end, %rcx
	subq	%rdi, %rcx
	shrq	$3, %rcx
	rep stosq
	movl	%ebx, %edi
	call	main
1:	cli
	hlt
	jmp	1b

	.balign	8
head_gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 0x10: code, 64 bit, as Linux's loaders have it */
	.quad	0x00cf93000000ffff	/* 0x18: data */
head_gdtr:
	.word	. - head_gdt - 1
	.long	PHYSICAL(head_gdt)

/* --- page tables: the first GiB at -2 GiB, and as itself until high; 1 GiB for devices behind it (paging.c) --- */

	.data
	.balign	4096
	.globl	pml4, pdpt_identity, pdpt
pml4:
	.quad	PHYSICAL(pdpt_identity) + PTE_P_RW
	.fill	510, 8, 0
	.quad	PHYSICAL(pdpt) + PTE_P_RW
pdpt_identity:
	.quad	PHYSICAL(pd_ram) + PTE_P_RW
	.fill	511, 8, 0
pdpt:
	.fill	510, 8, 0
	.quad	PHYSICAL(pd_ram) + PTE_P_RW
	.quad	PHYSICAL(pd_devices) + PTE_P_RW
pd_ram:
	.set	page, 0
	.rept	512
	.quad	page + PTE_P_RW_PS
	.set	page, page + 0x200000
	.endr
	.globl	pd_devices
pd_devices:
	.fill	512, 8, 0

	.bss
	.balign	16
	.skip	16 * 1024
stack_top:
