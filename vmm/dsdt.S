/* SPDX-License-Identifier: MIT */
/* dsdt.S - the DSDT as iasl made it of dsdt.asl, for vacpi.c */
	.section .rodata.dsdt, "a"
	.balign 4
	.globl dsdt_begin
dsdt_begin:
	.incbin "build/dsdt.aml"
	.globl dsdt_end
dsdt_end:
	.section .note.GNU-stack, "", @progbits
