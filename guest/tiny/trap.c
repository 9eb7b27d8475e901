/* SPDX-License-Identifier: MIT */
/*
 * trap.c - GDT, IDT, and where all exceptions and interrupts arrive [SDM 3A 6]
 *
 * An exception inside try() ends the try; any other is the end of this guest, with a report. Interrupts go to their
 * handler. Owns both tables.
 */
#include "trap.h"

#include "apic.h"
#include "console.h"
#include "cpu.h"

#define CODE_SELECTOR 0x10
#define GATE_PRESENT  BIT(15)
#define GATE_IRQ      (UINT64_C(14) << 8) /* 64-bit interrupt gate: IF is cleared */

struct gate {
	uint16_t offset_low, selector, type, offset_middle;
	uint32_t offset_high, reserved;
};

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct irq_handler {
	void (*fn)(void *arg);
	void *arg;
};

extern const char vector_stubs[][16], try_out[];
void trap_entry(struct trap_frame *f);

static uint64_t gdt[] = {
	[CODE_SELECTOR / 8] = 0x00af9b000000ffff, /* 64-bit code */
	[CODE_SELECTOR / 8 + 1] = 0x00cf93000000ffff,
};
static struct gate idt[256];
static struct irq_handler handler[256];

uint64_t try_stack; /* of the innermost try(); 0: none */
volatile uint64_t nmis, stray_irqs;
void (*volatile nmi_hook)(void);

void irq_handler_set(unsigned vector, void (*fn)(void *arg), void *arg)
{
	handler[vector] = (struct irq_handler){ .fn = fn, .arg = arg };
}

static void nmi(void)
{
	nmis++;
	if (nmi_hook)
		nmi_hook();
}

static void exception(struct trap_frame *f)
{
	if (try_stack) {
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

static void interrupt(unsigned vector)
{
	if (vector == VECTOR_SPURIOUS)
		return; /* takes no EOI [SDM 3A 11.9] */
	if (handler[vector].fn)
		handler[vector].fn(handler[vector].arg);
	else
		stray_irqs++;
	apic_eoi();
}

void trap_entry(struct trap_frame *f)
{
	if (f->vector == EXCEPTION_NMI)
		nmi();
	else if (f->vector < 32)
		exception(f);
	else
		interrupt(f->vector);
}

void trap_init(void)
{
	struct table_register gdtr = { sizeof(gdt) - 1, (uintptr_t)gdt };
	struct table_register idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned i = 0; i < 256; i++) {
		uint64_t stub = (uintptr_t)vector_stubs[i];

		idt[i] = (struct gate){
			.offset_low = stub,
			.offset_middle = stub >> 16,
			.offset_high = stub >> 32,
			.selector = CODE_SELECTOR,
			.type = GATE_PRESENT | GATE_IRQ,
		};
	}
	/* the same selectors as the loader's, so those in use stay right */
	__asm__ volatile("lgdt %0; lidt %1" ::"m"(gdtr), "m"(idtr));
}
