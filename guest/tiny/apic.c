/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APIC and the IOAPIC, set up once and used by everybody
 */
#include "apic.h"

#include "cpu.h"
#include "trap.h"

#define PIC_MASK(n)     ((n) ? 0xa1 : 0x21) /* ports of the two 8259s */
#define IOAPIC_SELECT   0x00
#define IOAPIC_WINDOW   0x10
#define IOAPIC_VERSION  1
#define VERSION_PINS    BITS(23, 16) /* - 1 */
#define IOAPIC_ENTRY(n) (0x10 + 2 * (n))
#define ENTRY_LOW       BIT(13) /* active low */
#define ENTRY_LEVEL     BIT(15)
#define ENTRY_MASKED    BIT(16)
#define ENTRY_DEST(id)  ((uint32_t)(id) << 24) /* of the upper half */

bool x2apic;
volatile uint8_t *xapic;
static volatile uint8_t *ioapic;

uint32_t apic_read(unsigned reg)
{
	return x2apic ? rdmsr(MSR_X2APIC + reg / 16) : readl(xapic + reg);
}

void apic_write(unsigned reg, uint32_t v)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		writel(xapic + reg, v);
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return x2apic ? id : id >> 24;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_send(uint32_t dest, uint32_t command)
{
	if (x2apic) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)dest << 32 | command);
	} else {
		apic_write(APIC_ICR_HIGH, dest << 24);
		apic_write(APIC_ICR, command);
	}
}

bool apic_has_deadline(void)
{
	return cpuid(1).ecx & CPUID1_ECX_TSC_DEADLINE;
}

void apic_wake(uint32_t ns)
{
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, MAX(ns, 1U));
}

static void wake(void *arg)
{
	(void)arg; /* to have come out of hlt is all that was wanted */
}

static uint32_t ioapic_read(unsigned reg)
{
	writel(ioapic + IOAPIC_SELECT, reg);
	return readl(ioapic + IOAPIC_WINDOW);
}

static void ioapic_write(unsigned reg, uint32_t v)
{
	writel(ioapic + IOAPIC_SELECT, reg);
	writel(ioapic + IOAPIC_WINDOW, v);
}

void ioapic_route(unsigned pin, unsigned vector, bool level)
{
	ioapic_write(IOAPIC_ENTRY(pin) + 1, ENTRY_DEST(apic_id()));
	ioapic_write(IOAPIC_ENTRY(pin), vector | (level ? ENTRY_LEVEL | ENTRY_LOW : 0));
}

void ioapic_route_level(unsigned pin, unsigned vector)
{
	ioapic_write(IOAPIC_ENTRY(pin) + 1, ENTRY_DEST(apic_id()));
	ioapic_write(IOAPIC_ENTRY(pin), vector | ENTRY_LEVEL);
}

void apic_setup(void)
{
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED); /* the 8259s */
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_TIMER);
}

void apic_start(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base | (x2apic ? APIC_BASE_X2APIC : 0));
	apic_setup();
}

void apic_init(bool may_x2apic)
{
	/*
	 * the 8259s of a PC, where the firmware's clock may be knocking: quiet, while the local
	 * APIC still listens to them
	 */
	outb(PIC_MASK(0), 0xff);
	outb(PIC_MASK(1), 0xff);
	xapic = ioremap(APIC_BASE, PAGE_SIZE);
	ioapic = ioremap(IOAPIC_BASE, PAGE_SIZE);
	x2apic = may_x2apic && cpuid(1).ecx & CPUID1_ECX_X2APIC;
	apic_start();
	irq_handler_set(VECTOR_TIMER, wake, NULL);
	for (unsigned i = 0; i <= FIELD_GET(VERSION_PINS, ioapic_read(IOAPIC_VERSION)); i++)
		ioapic_write(IOAPIC_ENTRY(i), ENTRY_MASKED);
}
