/* SPDX-License-Identifier: MIT */
/*
 * park.c - hold every other core between two of its softirqs
 *
 * park_seq is odd while the cores are to stand still. Only the control context changes it. A parked
 * core has its interrupts off, so the one that parked it may touch the core's own lists
 * (napi_disable, napi_enable).
 */
#include "park.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "softirq.h"
#include "time.h"

static _Atomic uint32_t park_seq;
static unsigned depth; /* control context only */

static void wait_parked(struct cpu *c, uint32_t seq)
{
	uint64_t end = rdtsc() + tsc_from_us(CORE_PATIENCE_S * UINT64_C(1000000));

	/* acquire: pairs with the release in stand_still; what that core wrote is seen */
	while (atomic_load_explicit(&c->parked, memory_order_acquire) != seq) {
		if (rdtsc() > end)
			panic("core %u did not park within %d seconds", c->id, CORE_PATIENCE_S);
		cpu_pause();
	}
}

void cores_park(void)
{
	uint32_t seq;

	if (depth++)
		return;
	seq = atomic_fetch_add(&park_seq, 1) + 1;
	cpu_for_each(i)
		if (cpus[i] != this_cpu())
			raise_softirq_on(cpus[i], SOFTIRQ_PARK);
	cpu_for_each(i)
		if (cpus[i] != this_cpu())
			wait_parked(cpus[i], seq);
}

void cores_resume(void)
{
	ASSERT(depth > 0);
	if (--depth == 0)
		atomic_fetch_add(&park_seq, 1); /* seq_cst: pairs with the load in stand_still */
}

bool cores_parked(void)
{
	return depth > 0;
}

/* stand_still() - SOFTIRQ_PARK: between two softirqs a core holds no packet and polls nothing. */
static void stand_still(void)
{
	struct cpu *c = this_cpu();
	uint32_t seq = atomic_load_explicit(&park_seq, memory_order_relaxed);

	if (!(seq & 1)) /* over already */
		return;
	irq_disable();
	atomic_store_explicit(&c->parked, seq, memory_order_release);
	while (atomic_load(&park_seq) == seq)
		cpu_pause();
	irq_enable();
}

void park_init(void)
{
	open_softirq(SOFTIRQ_PARK, stand_still);
}
