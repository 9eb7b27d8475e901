/* SPDX-License-Identifier: MIT */
/*
 * clock.c - how fast the TSC runs, and how to sleep without missing anything
 */
#include "clock.h"

#include "apic.h"
#include "cpu.h"
#include "lib.h"
#include "napi.h"

enum { CALIBRATE_NS = 10000000, CALIBRATE_LOOKS = 10000000, READ_TRIES = 1000 };

uint64_t tsc_khz;
static volatile struct pvclock pvclock __attribute__((aligned(64)));

bool clock_has_kvm(void)
{
	struct cpuid c = cpuid(CPUID_KVM);
	uint32_t name[3] = { c.ebx, c.ecx, c.edx };

	return cpuid(1).ecx & CPUID1_ECX_HYPERVISOR && !memcmp(name, "KVMKVMKVM\0\0\0", 12) &&
	       cpuid(CPUID_KVM_FEATURES).eax & KVM_FEATURE_CLOCK;
}

bool pvclock_read(struct pvclock *c)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t version = pvclock.version;

		rmb(); /* the version before the rest, and again behind it */
		*c = pvclock;
		rmb();
		if (!(version & 1) && version == pvclock.version)
			return true;
		cpu_pause();
	}
	return false;
}

/* mul and shift turn ticks into ns: ns = (ticks << shift) * mul >> 32 */
static uint64_t khz_of(const struct pvclock *c)
{
	uint64_t khz = (UINT64_C(1000000) << 32) / c->mul;

	return c->shift < 0 ? khz << -c->shift : khz >> c->shift;
}

static uint64_t calibrate(void)
{
	uint64_t start;

	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	start = rdtsc();
	for (int i = 0; i < CALIBRATE_LOOKS; i++)
		if (apic_read(APIC_TIMER_CURRENT) <= UINT32_MAX - CALIBRATE_NS)
			break;
	return (rdtsc() - start) / (CALIBRATE_NS / 1000000);
}

uint64_t clock_in_ms(uint64_t ms)
{
	return rdtsc() + ms * tsc_khz;
}

bool clock_passed(uint64_t tsc)
{
	return rdtsc() >= tsc;
}

uint64_t clock_us(uint64_t ticks)
{
	return ticks * 1000 / tsc_khz;
}

void clock_pause_us(uint64_t us)
{
	uint64_t end = rdtsc() + us * tsc_khz / 1000;

	while (!clock_passed(end))
		cpu_pause();
}

void idle_until(uint64_t until, bool (*more)(void))
{
	uint64_t now;

	if (net_rx_action())
		return; /* a poll may have brought what the caller waits for: let it look */
	/*
	 * interrupts off, look, and sti;hlt in one breath: what comes between the look and
	 * the sleep ends the sleep
	 */
	irq_disable();
	now = rdtsc();
	if (napi_pending() || (more && more()) || (until && now >= until)) {
		irq_enable();
		return;
	}
	if (until) /* at most a second: whoever waits longer comes again */
		apic_wake(MIN((until - now) * 1000 / tsc_khz, UINT64_C(1000000)) * 1000);
	cpu_halt();
}

void clock_init(void)
{
	struct pvclock c;

	if (clock_has_kvm()) {
		wrmsr(MSR_KVM_SYSTEM_TIME, physical(&pvclock) | KVM_SYSTEM_TIME_ENABLE);
		if (pvclock_read(&c) && c.mul)
			tsc_khz = khz_of(&c);
	}
	if (!tsc_khz)
		tsc_khz = calibrate();
}
