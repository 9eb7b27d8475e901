/* SPDX-License-Identifier: MIT */
/* entry.c - see entry.h. Pure: it fills a structure, which vm.c hands to the back end. */
#include "entry.h"

#include "kernel/bits.h"
#include "kernel/x86.h"

enum { /* types of a segment [SDM 3A 3.4.5.1, 3.5], accessed */
       TYPE_DATA = 0x3,
       TYPE_CODE = 0xb,
       TYPE_LDT = 0x2,
       TYPE_TSS_BUSY = 0xb,
};

enum { REAL_LIMIT = 0xffff, TSS_LIMIT = 0x67 };

static const struct vcpu_segment flat_data = {
	.selector = ENTRY_DS,
	.attr = TYPE_DATA | SEG_S | SEG_P | SEG_DB | SEG_G,
	.limit = UINT32_MAX,
};

/* flat() - all of memory through every segment; code as @width says: SEG_L or SEG_DB. */
static void flat(struct vcpu_sregs *s, uint16_t width)
{
	for (unsigned i = 0; i < SEGMENT_N; i++)
		s->seg[i] = flat_data;
	s->seg[SEGMENT_CS].selector = ENTRY_CS;
	s->seg[SEGMENT_CS].attr = TYPE_CODE | SEG_S | SEG_P | SEG_G | width;
	s->ldtr = (struct vcpu_segment){ .attr = TYPE_LDT | SEG_P };
	s->tr = (struct vcpu_segment){ .attr = TYPE_TSS_BUSY | SEG_P, .limit = TSS_LIMIT };
}

void entry_long(struct vcpu_entry *e, uint64_t rip, uint64_t rsi, uint64_t cr3, uint64_t gdt_base,
		uint32_t gdt_limit)
{
	*e = (struct vcpu_entry){
		.sregs = {
			.gdt = { gdt_base, gdt_limit },
			.cr0 = CR0_PE | CR0_ET | CR0_PG,
			.cr3 = cr3,
			.cr4 = CR4_PAE,
			.efer = EFER_LME | EFER_LMA,
		},
		.gpr = { [GPR_RSI] = rsi },
		.rip = rip,
	};
	flat(&e->sregs, SEG_L);
}

void entry_protected(struct vcpu_entry *e, uint32_t eip, uint32_t ebx)
{
	*e = (struct vcpu_entry){
		.sregs = { .cr0 = CR0_PE | CR0_ET },
		.gpr = { [GPR_RBX] = ebx },
		.rip = eip,
	};
	flat(&e->sregs, SEG_DB);
}

void entry_real(struct vcpu_entry *e, uint8_t page)
{
	struct vcpu_sregs *s = &e->sregs;

	*e = (struct vcpu_entry){
		.sregs = {
			.gdt = { 0, REAL_LIMIT },
			.idt = { 0, REAL_LIMIT },
			.ldtr = { 0, TYPE_LDT | SEG_P, REAL_LIMIT, 0 },
			.tr = { 0, TYPE_TSS_BUSY | SEG_P, REAL_LIMIT, 0 },
			.cr0 = CR0_CD | CR0_NW | CR0_ET,
		},
	};
	for (unsigned i = 0; i < SEGMENT_N; i++)
		s->seg[i] = (struct vcpu_segment){ 0, TYPE_DATA | SEG_S | SEG_P, REAL_LIMIT, 0 };
	s->seg[SEGMENT_CS] = (struct vcpu_segment){ page << 8, TYPE_CODE | SEG_S | SEG_P,
						    REAL_LIMIT, (uint64_t)page << 12 };
}
