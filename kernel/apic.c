/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APIC of the core that calls; nothing here is shared but the choice of mode
 */
#include "apic.h"

#include "acpi.h"
#include "bits.h"
#include "irq.h"
#include "mem.h"
#include "trap.h"
#include "x86.h"

/*
 * registers by their xAPIC offset; the x2APIC MSR is 0x800 + offset / 16 [SDM 3A 11.4.1, 11.12.1]
 */
#define APIC_ID            0x020
#define APIC_TPR           0x080
#define APIC_SVR           0x0f0
#define SVR_ENABLE         BIT(8)
#define APIC_ICR           0x300 /* x2APIC: one 64-bit register, destination in 63:32 */
#define APIC_ICR_HIGH      0x310 /* xAPIC: destination in 31:24 */
#define ICR_NMI            (4 << 8)
#define ICR_INIT           (5 << 8)
#define ICR_STARTUP        (6 << 8)
#define ICR_PENDING        BIT(12)
#define ICR_ASSERT         BIT(14)
#define APIC_LVT_TIMER     0x320
#define TIMER_TSC_DEADLINE (UINT32_C(2) << 17)
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define LVT_MASKED         BIT(16)
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0
#define DIVIDE_BY_1        0x0b

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

enum { ICR_WAIT_MAX = 100000 };

bool apic_x2, apic_tsc_deadline;
volatile uint32_t *xapic;

static uint32_t apic_read(uint32_t reg)
{
	return apic_x2 ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : xapic[reg / 4];
}

static void apic_write(uint32_t reg, uint32_t v)
{
	if (apic_x2)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		xapic[reg / 4] = v;
}

void apic_init(void)
{
	struct cpuid c = cpuid(1);

	apic_x2 = c.ecx & CPUID1_ECX_X2APIC;
	apic_tsc_deadline = c.ecx & CPUID1_ECX_TSC_DEADLINE;
	if (!apic_x2)
		xapic = mmio_map(acpi.lapic, PAGE_SIZE);
	/* the 8259s would deliver through LINT0: everything comes by the IOAPIC or as a message */
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

void apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (apic_x2) /* xAPIC first, then x2APIC: no other order is legal [SDM 3A 11.12.5] */
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
}

uint32_t apic_id(void)
{
	return apic_x2 ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

static void icr_write(uint32_t dest, uint32_t low)
{
	uint64_t flags;

	/*
	 * what we stored for the other core must be visible before it is woken; WRMSR does not
	 * order it [SDM 3A 11.12.3]
	 */
	__asm__ volatile("mfence; lfence" ::: "memory");
	if (apic_x2) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)dest << 32 | low);
		return;
	}
	flags = irq_save(); /* two halves: an interrupt that sends one of its own must not come
			       between */
	for (int i = 0; xapic[APIC_ICR / 4] & ICR_PENDING && i < ICR_WAIT_MAX; i++)
		cpu_pause();
	xapic[APIC_ICR_HIGH / 4] = dest << 24;
	xapic[APIC_ICR / 4] = low;
	irq_restore(flags);
}

void apic_ipi(uint32_t dest, uint8_t vector)
{
	icr_write(dest, ICR_ASSERT | vector);
}

void apic_nmi(uint32_t dest)
{
	icr_write(dest, ICR_ASSERT | ICR_NMI);
}

void apic_init_ipi(uint32_t dest)
{
	icr_write(dest, ICR_ASSERT | ICR_INIT);
}

void apic_startup_ipi(uint32_t dest, uint8_t page)
{
	icr_write(dest, ICR_ASSERT | ICR_STARTUP | page);
}

void apic_timer_count(uint32_t count)
{
	apic_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_left(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_mode(void)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (apic_tsc_deadline ? TIMER_TSC_DEADLINE : 0));
	__asm__ volatile(
		"mfence" ::
			: "memory"); /* the mode before the first deadline [SDM 3A 11.5.4.1] */
}
