/* SPDX-License-Identifier: MIT */
/*
 * vlapic_timer.c - the timer of a vCPU's local APIC, on a kernel timer of its core [SDM 3A 11.5.4]
 *
 * The guest's timer counts nanoseconds, divided as the guest says; what the machine's own timer
 * counts is nothing to it. Its registers are written by exits of the vCPU, and it fires in
 * SOFTIRQ_TIMER, both on the vCPU's core.
 *
 * timer_start is where a count begins. In periodic mode it moves on by whole periods as they pass,
 * so that the grid on which the interrupts come is never shifted by how late they were noticed.
 */
#include "vlapic_parts.h"

#include "vcpu.h"

/*
 * A guest may ask for a tick a nanosecond. It gets each one that is this far from the last,
 * and the core stays ours.
 */
enum { TICK_MIN_NS = 100 * 1000 };

static unsigned mode(const struct vlapic *l)
{
	return FIELD_GET(TIMER_MODE, l->lvt_timer);
}

/* guest_ticks_ns() - the three bits of the divisor: 0 is 2, 1 is 4 ... 6 is 128, 7 is 1 */
static uint64_t guest_ticks_ns(const struct vlapic *l, uint32_t ticks)
{
	unsigned code = FIELD_GET(DIVIDE_HIGH, l->timer_divide) << 2 |
			FIELD_GET(DIVIDE_LOW, l->timer_divide);

	return (uint64_t)ticks << ((code + 1) % 8);
}

/* tsc_from_ns() - split, so that the longest count neither overflows nor loses its nanoseconds. */
static uint64_t tsc_from_ns(uint64_t ns)
{
	return tsc_from_us(ns / 1000) + tsc_from_us(ns % 1000) / 1000;
}

/*
 * span_tsc() - from timer_start to the next interrupt: the count, or as many periods
 * as TICK_MIN_NS asks for.
 */
static uint64_t span_tsc(const struct vlapic *l)
{
	uint64_t ns = guest_ticks_ns(l, l->timer_initial);

	if (mode(l) == TIMER_PERIODIC && ns < TICK_MIN_NS)
		ns *= (TICK_MIN_NS + ns - 1) / ns;
	return tsc_from_ns(ns);
}

static void next_period(struct vlapic *l)
{
	uint64_t span = span_tsc(l);

	/* periods that passed unnoticed are one interrupt: IRR would not hold more */
	l->timer_start += (rdtsc() - l->timer_start) / span * span;
	timer_arm_at(&l->timer, l->timer_start + span);
}

static void fire(struct vlapic *l)
{
	if (mode(l) == TIMER_PERIODIC)
		next_period(l);
	l->tsc_deadline = 0;
	l->timer_fired++;
	vlapic_local(l, l->lvt_timer);
}

static void timer_fn(struct timer *t)
{
	fire(container_of(t, struct vlapic, timer));
}

/* vlapic_timer_deadline() - hot: an idle Linux comes by twice, to be woken and because it was. */
void vlapic_timer_deadline(struct vlapic *l, uint64_t guest_tsc)
{
	uint64_t now, guest_now, left;

	if (mode(l) != TIMER_TSC_DEADLINE)
		return;
	l->tsc_deadline = guest_tsc;
	if (!guest_tsc) {
		timer_cancel(&l->timer);
		return;
	}
	now = rdtsc();
	guest_now = now + l->vcpu->tsc_offset;
	if (guest_tsc <= guest_now) {
		timer_cancel(&l->timer);
		fire(l);
		return;
	}
	left = guest_tsc - guest_now;
	timer_arm_at(&l->timer, now + MIN(left, UINT64_MAX - now));
}

/*
 * A change of mode disarms [SDM 3A 11.5.4.1]; a mask does not, a masked timer
 * counts and stays silent.
 */
void vlapic_timer_lvt(struct vlapic *l, uint32_t lvt)
{
	if ((lvt ^ l->lvt_timer) & TIMER_MODE) {
		timer_cancel(&l->timer);
		l->timer_initial = 0;
		l->tsc_deadline = 0;
	}
	l->lvt_timer = lvt;
}

void vlapic_timer_initial(struct vlapic *l, uint32_t ticks)
{
	if (mode(l) != TIMER_ONE_SHOT && mode(l) != TIMER_PERIODIC)
		return;
	l->timer_initial = ticks;
	if (!ticks) {
		timer_cancel(&l->timer);
		return;
	}
	l->timer_start = rdtsc();
	timer_arm_at(&l->timer, l->timer_start + span_tsc(l));
}

uint32_t vlapic_timer_current(const struct vlapic *l)
{
	uint64_t passed;

	if (!l->timer.armed || mode(l) == TIMER_TSC_DEADLINE)
		return 0;
	passed = tsc_to_ns(rdtsc() - l->timer_start) / guest_ticks_ns(l, 1);
	if (mode(l) == TIMER_PERIODIC)
		return l->timer_initial - passed % l->timer_initial;
	return passed < l->timer_initial ? l->timer_initial - passed : 0;
}

/* A divisor that changes under a running count: what is left of it goes on at the new rate. */
void vlapic_timer_divide(struct vlapic *l, uint32_t dcr)
{
	uint32_t left = vlapic_timer_current(l);

	l->timer_divide = dcr;
	if (!left)
		return;
	l->timer_start = rdtsc() - tsc_from_ns(guest_ticks_ns(l, l->timer_initial - left));
	timer_arm_at(&l->timer, l->timer_start + span_tsc(l));
}

void vlapic_timer_init(struct vlapic *l)
{
	l->timer.fn = timer_fn;
}
