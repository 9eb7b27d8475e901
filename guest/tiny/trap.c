/* SPDX-License-Identifier: MIT */
/*
 * trap.c - GDT, IDT, and where all exceptions and interrupts arrive [SDM 3A 6]
 *
 * An exception inside try() ends the try; any other is the end of this guest, with a report.
 * Interrupts go to their handler. Owns both tables.
 */
#include "trap.h"

#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "smp.h"
#include "stamp.h"

#define GATE_PRESENT  BIT(15)
#define GATE_IRQ      (UINT64_C(14) << 8) /* 64-bit interrupt gate: IF is cleared */
#define GATE_USER     BITS(14, 13)        /* INT n from ring 3 too */
#define TSS_AVAILABLE (UINT64_C(0x89) << 40)

enum { USER_STACK = 4096 };

struct gate {
	uint16_t offset_low, selector, type, offset_middle;
	uint32_t offset_high, reserved;
};

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct tss { /* [SDM 3A 7.7] */
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t reserved2, ist[7], reserved3;
	uint16_t reserved4, io_map;
} __attribute__((packed));

struct irq_handler {
	void (*fn)(void *arg);
	void *arg;
};

extern const char vector_stubs[][16], try_out[];
void trap_entry(struct trap_frame *f);

static uint64_t gdt[] = {
	[SELECTOR_CODE / 8] = 0x00af9b000000ffff, /* 64-bit code */
	[SELECTOR_DATA / 8] = 0x00cf93000000ffff,
	[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff,
	[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff,
	[SELECTOR_ABSENT / 8] = 0x00cf13000000ffff,
	[SELECTOR_TSS / 8 + 1] = 0, /* and the one before it: load_tss() */
};
static struct tss tss;
static uint8_t ring0_stack[USER_STACK] __attribute__((aligned(16))); /* of what comes in ring 3 */
static struct gate idt[256];
static struct irq_handler handler[256];

uint64_t try_stack; /* of the innermost try(); 0: none */
volatile uint64_t nmis, stray_irqs;
void (*volatile nmi_hook)(void);
struct caught caught;
bool (*volatile trap_hook)(struct trap_frame *f);
const struct trap_frame *volatile interrupted;

void irq_handler_set(unsigned vector, void (*fn)(void *arg), void *arg)
{
	handler[vector] = (struct irq_handler){ .fn = fn, .arg = arg };
}

struct msr {
	uint32_t index;
	uint64_t value;
};

static void op_rdmsr(void *arg)
{
	struct msr *m = arg;

	m->value = rdmsr(m->index);
}

static void op_wrmsr(void *arg)
{
	const struct msr *m = arg;

	wrmsr(m->index, m->value);
}

unsigned try_rdmsr(uint32_t index, uint64_t *value)
{
	struct msr m = { .index = index };
	unsigned vector = try(op_rdmsr, &m);

	*value = m.value;
	return vector;
}

unsigned try_wrmsr(uint32_t index, uint64_t value)
{
	return try(op_wrmsr, &(struct msr){ index, value });
}

static void nmi(const struct trap_frame *f)
{
	struct ap *a = smp_current(f->rsp);

	if (a) {
		a->nmis++;
		return;
	}
	nmis++;
	if (nmi_hook)
		nmi_hook();
}

static void exception(struct trap_frame *f)
{
	struct ap *a = smp_current(f->rsp);

	if (a)
		smp_fault(a, f);
	if (trap_hook && trap_hook(f))
		return;
	if (try_stack) {
		caught = (struct caught){ .frame = *f, .cr2 = read_cr2() };
		f->cs = SELECTOR_CODE; /* it may have left with others */
		f->ss = SELECTOR_DATA;
		f->rflags = RFLAGS_FIXED | (f->rflags & RFLAGS_IF);
		f->rax = f->vector;
		f->rsp = try_stack;
		f->rip = (uintptr_t)try_out;
		return;
	}
	say("\nFAIL exception %lu error %lx rip %lx rsp %lx cr2 %lx rax %lx rdi %lx\n", f->vector,
	    f->error, f->rip, f->rsp, read_cr2(), f->rax, f->rdi);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void interrupt(const struct trap_frame *f)
{
	unsigned vector = f->vector;

	interrupted = f;
	if (vector == VECTOR_SPURIOUS)
		return; /* takes no EOI [SDM 3A 11.9] */
	if (stamps)
		stamp_irq(vector);
	if (handler[vector].fn)
		handler[vector].fn(handler[vector].arg);
	else
		stray_irqs++;
	apic_eoi();
}

void trap_entry(struct trap_frame *f)
{
	if (f->vector == EXCEPTION_NMI)
		nmi(f);
	else if (f->vector < 32)
		exception(f);
	else
		interrupt(f);
}

void trap_gate(unsigned vector, bool present)
{
	if (present)
		idt[vector].type |= GATE_PRESENT;
	else
		idt[vector].type &= ~GATE_PRESENT;
}

/* Where the CPU finds a stack when ring 3 is left. */
static void load_tss(void)
{
	uint64_t base = (uintptr_t)&tss;

	tss.rsp[0] = (uintptr_t)ring0_stack + sizeof(ring0_stack);
	tss.io_map = sizeof(tss);
	gdt[SELECTOR_TSS / 8] = TSS_AVAILABLE | (sizeof(tss) - 1) | (base & BITS(23, 0)) << 16 |
				FIELD_GET(BITS(31, 24), base) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(SELECTOR_TSS));
}

void trap_load(void)
{
	struct table_register gdtr = { sizeof(gdt) - 1, (uintptr_t)gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	/* the same selectors as the loader's, so those in use stay right */
	__asm__ volatile("lgdt %0; lidt %1" ::"m"(gdtr), "m"(idtr));
}

void trap_init(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t stub = (uintptr_t)vector_stubs[i];

		idt[i] = (struct gate){
			.offset_low = stub,
			.offset_middle = stub >> 16,
			.offset_high = stub >> 32,
			.selector = SELECTOR_CODE,
			.type = GATE_PRESENT | GATE_IRQ | GATE_USER,
		};
	}
	trap_load();
	load_tss();
}
