/* SPDX-License-Identifier: MIT */
/*
 * check_modes.c - real mode, 16-bit and 32-bit protected mode, with and without paging,
 * compatibility mode (modes.S)
 *
 * In each: CPUID, RDMSR, ports, strings, a device's memory, INT n, and an interrupt. A hypervisor
 * reads instructions and addresses otherwise in every one of them.
 */
#include "modes.h"

#include "apic.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "lib.h"
#include "paging.h"
#include "trap.h"

#define PDE_PS    BIT(7)
#define GATE_32   UINT64_C(0x8e00) /* present, 32-bit interrupt gate */
#define LARGE_32  UINT64_C(0x400000)
#define CODE_32   0x20
#define WEIR_LAST 0x72727272 /* "r" four times: the port keeps one byte */

_Static_assert(sizeof(struct mode_result) == RESULT_SIZE, "as modes.S has it");

/* low() - the copy of what modes.S calls @symbol */
static void *low(const uint8_t *symbol)
{
	return virtual(MODES_AT + (symbol - modes_begin));
}

static uint32_t low_address(const uint8_t *symbol)
{
	return MODES_AT + (symbol - modes_begin);
}

static void set_gate(unsigned vector, const uint8_t *code32, const uint8_t *code16)
{
	uint64_t *idt = virtual(MODES_IDT);
	uint32_t *ivt = virtual(0), at = low_address(code32);

	idt[vector] = (at & BITS(15, 0)) | CODE_32 << 16 | GATE_32 << 32 |
		      (at & BITS(31, 16)) << 32;
	ivt[vector] = low_address(code16);
}

/* the first GiB as it is, and the last, where the devices are */
static void set_page_directory(void)
{
	uint32_t *pd = virtual(MODES_PD);

	for (uint64_t i = 0; i < 1024; i++)
		pd[i] = i * LARGE_32 | PDE_PS | PTE_P | PTE_RW;
}

/* --- compatibility mode uses the IDT of long mode --- */

static void on_irq(void *arg)
{
	(void)arg;
	(*(volatile uint32_t *)low(modes_irqs))++;
}

static void on_int(void *arg)
{
	(void)arg;
	(*(volatile uint32_t *)low(modes_ints))++;
}

/*
 * trip() - down to real mode and up again; only @mode does something. Interrupts off, and no
 * other can come meanwhile.
 */
static const struct mode_result *trip(unsigned mode)
{
	void (*go)(void) = (void (*)(void))(uintptr_t)low_address(modes_trip);
	const struct mode_result *results = low(modes_results);

	memcpy(virtual(MODES_AT), modes_begin, modes_end - modes_begin);
	*(uint32_t *)low(modes_which) = BIT(mode);
	*(uint32_t *)low(modes_apic) = x2apic;
	set_page_directory();
	set_gate(MODES_INT, modes_int32, modes_int16);
	set_gate(MODES_VECTOR, modes_irq32, modes_irq16);
	irq_handler_set(MODES_INT, on_int, NULL);
	irq_handler_set(MODES_VECTOR, on_irq, NULL);
	irq_disable();
	apic_write(APIC_TPR, ROUND_DOWN(MODES_VECTOR, 16) - 16);
	identity_map(true);
	go();
	identity_map(false);
	apic_write(APIC_TPR, 0);
	irq_enable();
	return &results[mode];
}

static const char *check_mode(unsigned mode)
{
	const struct mode_result *r = trip(mode);

	if (r->times != 1)
		return seen("it did not come to its end");
	if (r->kvm != cpuid(CPUID_KVM).ebx || r->msr != (uint32_t)rdmsr(MSR_APIC_BASE))
		return seen("cpuid ebx %x, rdmsr eax %x", r->kvm, r->msr);
	if (r->port != 0x50 + mode || r->string != WEIR_LAST)
		return seen("in %x, ins %x", r->port, r->string);
	if (r->select != 0x80 + mode || r->ored != (r->select | 0x0a))
		return seen("device %x, after or %x", r->select, r->ored);
	if (r->ints != 1 || r->irqs != 1)
		return seen("%u INTs, %u interrupts", r->ints, r->irqs);
	return NULL;
}

#define MODE_CHECK(mode, id, text, about) CALL_CHECK(id, text, about, check_mode(mode))

MODE_CHECK(MODE_COMPAT, compat, "mode-compat",
	   "32-bit code in long mode: what it leaves to others");
MODE_CHECK(MODE_PAGED, paged, "mode-paged", "the same in protected mode with two levels of tables");
MODE_CHECK(MODE_32, protected, "mode-protected", "the same in protected mode without paging");
MODE_CHECK(MODE_16, protected16, "mode-protected-16", "the same in 16-bit protected mode");
MODE_CHECK(MODE_REAL, real, "mode-real", "the same in real mode");
