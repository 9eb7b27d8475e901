/* SPDX-License-Identifier: MIT */
/*
 * trap.c - descriptor tables, exceptions, the last words of a machine that stops
 *
 * An exception is always a bug of ours (guests run under nested paging and exit instead): it
 * prints what happened in words, registers and a back trace, and stops the machine with a failing
 * status. Owns GDT, TSS and IDT.
 */
#include "trap.h"

#include "apic.h"
#include "bits.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "mem.h"
#include "power.h"
#include "x86.h"

#include <stdio.h>
#include <string.h>

enum {
	SEL_CODE = 0x08,
	SEL_DATA = 0x10,
	SEL_TSS = 0x18,
	IST_FAULT = 1,
	BACKTRACE_MAX = 24,
	BACKTRACE_WORDS = 512
};

struct gate { /* [SDM 3A 6.14.1] */
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type; /* 0x8e: present, interrupt gate */
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
};

struct tss { /* [SDM 3A 8.7] */
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __attribute__((packed));

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

_Static_assert(sizeof(struct gate) == 16, "an IDT entry in long mode");
_Static_assert(sizeof(struct tss) == 104, "a TSS in long mode");

extern char _start_text[], _end_text[], vector_stubs[], _start_hot[], _end_hot[];
extern const uint64_t ksym_count;
extern const uint32_t ksym_addr[], ksym_name[];
extern const char ksym_text[];

enum { STUB_SIZE = 16 };

static struct gate idt[VECTORS];
static uint64_t gdt[MAX_CPUS][5];
static struct tss tss[MAX_CPUS];
static _Atomic uint32_t dying; /* 1 + id of the core that reports */

static const char *const exception_name[VECTOR_FIRST] = {
	[0] = "divide error",
	[1] = "debug",
	[2] = "NMI",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range",
	[6] = "invalid opcode",
	[7] = "device not available",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment missing",
	[12] = "stack segment",
	[13] = "general protection",
	[14] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD error",
};

void trap_init(void)
{
	for (unsigned i = 0; i < VECTORS; i++) {
		uint64_t at = (uint64_t)vector_stubs + i * STUB_SIZE;
		/* these three come when the stack itself is the trouble, or at any moment */
		bool own_stack = i == VECTOR_NMI || i == VECTOR_DOUBLE_FAULT ||
				 i == VECTOR_PAGE_FAULT;

		idt[i] = (struct gate){
			.offset_low = at,
			.offset_mid = at >> 16,
			.offset_high = at >> 32,
			.selector = SEL_CODE,
			.type = 0x8e,
			.ist = own_stack ? IST_FAULT : 0,
		};
	}
}

void trap_init_cpu(struct cpu *c)
{
	uint64_t base = (uint64_t)&tss[c->id];
	struct table_pointer g = { sizeof(gdt[0]) - 1, (uint64_t)gdt[c->id] };
	struct table_pointer i = { sizeof(idt) - 1, (uint64_t)idt };

	tss[c->id].ist[IST_FAULT - 1] = (uint64_t)c->ist_top;
	tss[c->id].iomap = sizeof(struct tss);
	gdt[c->id][1] = 0x00af9b000000ffff; /* code, 64 bit */
	gdt[c->id][2] = 0x00cf93000000ffff; /* data */
	gdt[c->id][3] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
			(base >> 24 & 0xff) << 56;
	gdt[c->id][4] = base >> 32;
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(g), "m"(i), "r"(SEL_TSS));
	__asm__ volatile(
		"mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %1, %%fs; mov %1, %%gs" ::"r"(
			SEL_DATA),
		"r"(0));
	wrmsr(MSR_GS_BASE, (uint64_t)c);
}

const char *ksym_lookup(uint64_t addr, uint64_t *offset)
{
	uint64_t lo = 0, hi = ksym_count;

	while (lo < hi) { /* the first symbol past addr */
		uint64_t mid = (lo + hi) / 2;

		if (ksym_addr[mid] <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || lo == ksym_count) /* the last symbol marks the end of text */
		return NULL;
	*offset = addr - ksym_addr[lo - 1];
	return &ksym_text[ksym_name[lo - 1]];
}

/*
 * print_address() - @behind: a return address, whose CALL may be the last
 * instruction of its function.
 */
static void print_address(uint64_t addr, const char *mark, unsigned behind)
{
	uint64_t offset;
	const char *name = ksym_lookup(addr - behind, &offset);

	if (name)
		kprintf("  [%#lx] %s%s+%#lx\n", (unsigned long)addr, mark, name,
			(unsigned long)offset + behind);
	else
		kprintf("  [%#lx] not in text\n", (unsigned long)addr);
}

/* on_a_stack() - a pointer that has gone astray must not fault again. */
static bool on_a_stack(uint64_t at)
{
	return !(at & 7) && paging_is_mapped(at);
}

/* in_hot_code() - may @addr be a return address into a function without a frame pointer? */
static bool in_hot_code(uint64_t addr)
{
	const uint8_t *p = (const uint8_t *)addr;

	if (addr < (uint64_t)_start_hot + 7 || addr >= (uint64_t)_end_hot)
		return false;
	/* a CALL ends there: e8 rel32, or ff /2 with what addressing takes */
	return p[-5] == 0xe8 || (p[-2] == 0xff && (p[-1] & 0x38) == 0x10) ||
	       (p[-3] == 0xff && (p[-2] & 0x38) == 0x10) ||
	       (p[-7] == 0xff && (p[-6] & 0x38) == 0x10);
}

/*
 * backtrace() - where @rip was called from, with symbols, to the console. Bounded. Frames are
 * followed by @rbp; the hot path is built without frame pointers (Makefile: HOT), so every word
 * from @rsp on that is an address behind a CALL in there is shown too, marked as a guess.
 */
static void backtrace(uint64_t rip, unsigned rip_behind, uint64_t rsp, uint64_t rbp)
{
	unsigned printed = 0;

	kprintf("back trace:\n");
	print_address(rip, "", rip_behind);
	if ((rip < (uint64_t)_start_text || rip >= (uint64_t)_end_text) && on_a_stack(rsp))
		print_address(*(const uint64_t *)rsp, "", 1); /* a call went astray: who made it */
	if (paging_is_guard(rsp)) /* the stack ran over: its live part begins behind the guard */
		rsp = ROUND_UP(rsp, (uint64_t)PAGE_SIZE);
	for (unsigned i = 0; i < BACKTRACE_WORDS && printed < BACKTRACE_MAX && on_a_stack(rsp);
	     i++, rsp += 8) {
		uint64_t value = *(const uint64_t *)rsp;

		if (rsp == rbp + 8) { /* the return address of a frame that has a pointer */
			if (!value)
				return; /* the first frame of this stack */
			print_address(value, "", 1);
			rbp = *(const uint64_t *)rbp;
		} else if (in_hot_code(value)) {
			print_address(value, "? ", 1);
		} else {
			continue;
		}
		printed++;
	}
}

/*
 * die_begin() - one core reports, the others stand still; a second fault
 * while reporting ends at once.
 */
static void die_begin(void)
{
	uint32_t none = 0, me = this_cpu()->id + 1;

	irq_disable();
	if (!atomic_compare_exchange_strong(&dying, &none, me)) {
		if (none == me)
			power_off(POWER_FAILED);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	for (unsigned i = 0; i < MAX_CPUS && cpus[i];
	     i++) /* one that has not started must not wake now */
		if (cpus[i] != this_cpu() && atomic_load(&cpus[i]->online))
			apic_nmi(cpus[i]->apic_id);
	console_panic();
}

static void describe_page_fault(const struct trap_frame *f)
{
	uint64_t va = read_cr2();
	const char *what = f->error & BIT(4)   ? "execution of"
			   : f->error & BIT(1) ? "write to"
					       : "read of";

	if (va < PAGE_SIZE)
		kprintf("NULL pointer: %s address %#lx\n", what, (unsigned long)va);
	else if (paging_is_guard(va))
		kprintf("kernel stack overflow: %s guard page at %#lx\n", what, (unsigned long)va);
	else if (f->error & BIT(4))
		kprintf("jump into data: %s %#lx, which is not executable\n", what,
			(unsigned long)va);
	else if (f->error & BIT(0))
		kprintf("write to read-only memory: %s %#lx\n", what, (unsigned long)va);
	else
		kprintf("no such memory: %s %#lx\n", what, (unsigned long)va);
}

static void print_registers(const struct trap_frame *f)
{
#define R(n) (unsigned long)f->n
	kprintf("rip %016lx rsp %016lx rflags %08lx error %lx\n", R(rip), R(rsp), R(rflags),
		R(error));
	kprintf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", R(rax), R(rbx), R(rcx), R(rdx));
	kprintf("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", R(rsi), R(rdi), R(rbp), R(r8));
	kprintf("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", R(r9), R(r10), R(r11), R(r12));
	kprintf("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx\n", R(r13), R(r14), R(r15),
		(unsigned long)read_cr2());
#undef R
}

void exception_dispatch(struct trap_frame *f)
{
	if (f->vector == VECTOR_NMI && atomic_load(&dying) &&
	    atomic_load(&dying) != this_cpu()->id + 1)
		for (;;) /* another core reports: stand still */
			__asm__ volatile("cli; hlt");
	die_begin();
	kprintf("\nException %lu (%s) on core %u\n", (unsigned long)f->vector,
		exception_name[f->vector] ? exception_name[f->vector] : "reserved", this_cpu()->id);
	if (f->vector == VECTOR_PAGE_FAULT)
		describe_page_fault(f);
	print_registers(f);
	backtrace(f->rip, 0, f->rsp, f->rbp);
	power_off(POWER_FAILED);
}

void panic(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	die_begin();
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	kprintf("\nPanic on core %u: %s\n", this_cpu()->id, line);
	backtrace((uint64_t)__builtin_return_address(0), 1,
		  (uint64_t)__builtin_frame_address(0) + 16,
		  *(uint64_t *)__builtin_frame_address(0));
	power_off(POWER_FAILED);
}
