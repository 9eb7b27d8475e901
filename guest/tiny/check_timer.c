/* SPDX-License-Identifier: MIT */
/*
 * check_timer.c - the local APIC's timer: in all modes, divided, masked, changed while it runs
 *
 * It counts nanoseconds, in Weir and in QEMU. Nothing comes too early; how late it
 * comes is the host's business.
 */
#include "apic.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "trap.h"

enum { WAIT_MS = 10000, TICK_NS = 1000000, TICKS = 10, BACK_MS = 20, SLACK_US = 100 };

static volatile unsigned low;

static void on_low(void *arg)
{
	(void)arg;
	low++;
}

/* fired() - how often the timer's vector comes within @ms */
static unsigned fired(unsigned ms)
{
	uint64_t end = clock_in_ms(ms);

	while (!clock_passed(end))
		cpu_pause();
	return low;
}

static void timer_mode(uint32_t mode)
{
	low = 0;
	apic_write(APIC_LVT_TIMER, mode | VECTOR_CHECK_LOW);
}

/* wait_fired() - till it has come @times, but not for ever; returns how often it came */
static unsigned wait_fired(unsigned times)
{
	uint64_t end = clock_in_ms(WAIT_MS);

	while (low < times && !clock_passed(end))
		cpu_pause();
	return low;
}

static const char *check_counting_timer(void)
{
	uint64_t start, us;
	unsigned n;

	timer_mode(LVT_ONE_SHOT);
	start = rdtsc();
	apic_write(APIC_TIMER_INITIAL, TICK_NS);
	if (!wait_fired(1))
		return seen("one-shot never fired");
	if (clock_us(rdtsc() - start) < TICK_NS / 1000 - SLACK_US)
		return seen("one-shot fired after %lu us", clock_us(rdtsc() - start));
	if (fired(5) != 1 || apic_read(APIC_TIMER_CURRENT))
		return seen("one-shot fired %u times, count %x", low,
			    apic_read(APIC_TIMER_CURRENT));

	timer_mode(LVT_PERIODIC);
	start = rdtsc();
	apic_write(APIC_TIMER_INITIAL, TICK_NS);
	n = wait_fired(TICKS);
	us = clock_us(rdtsc() - start);
	apic_write(APIC_TIMER_INITIAL, 0);
	if (n < TICKS || n > (us + SLACK_US) * 1000 / TICK_NS)
		return seen("periodic: %u in %lu us", n, us);
	n = low;
	return fired(5) == n ? NULL : seen("periodic fired after it was stopped");
}

static const char *check_deadline(void)
{
	uint64_t deadline;

	timer_mode(LVT_TSC_DEADLINE);
	deadline = clock_in_ms(1);
	wrmsr(MSR_TSC_DEADLINE, deadline);
	if (rdmsr(MSR_TSC_DEADLINE) != deadline && !low)
		return seen("deadline reads %lx", rdmsr(MSR_TSC_DEADLINE));
	if (!wait_fired(1))
		return seen("deadline never fired");
	if (rdtsc() < deadline || rdmsr(MSR_TSC_DEADLINE))
		return seen("deadline %lx fired at %lx and reads %lx", deadline, rdtsc(),
			    rdmsr(MSR_TSC_DEADLINE));
	if (fired(5) != 1)
		return seen("deadline fired %u times", low);
	low = 0;
	wrmsr(MSR_TSC_DEADLINE, 1);
	if (!wait_fired(1))
		return seen("a deadline in the past never fired");
	low = 0;
	deadline = clock_in_ms(BACK_MS);
	wrmsr(MSR_TSC_DEADLINE, deadline);
	wrmsr(MSR_TSC_DEADLINE, 0);
	if (clock_passed(deadline)) /* this core was away for long: nothing can be said */
		return NULL;
	return fired(BACK_MS + 5) ? seen("a deadline that was taken back fired") : NULL;
}

/* --- divided, masked, changed --- */

/* the code of a divisor: three bits, of which the third stands in bit 3 [SDM 3A 11.5.4] */
static const char *divided(void)
{
	for (unsigned code = 0; code < 8; code++) {
		unsigned by = 1 << (code + 1) % 8;
		uint64_t start, us;

		timer_mode(LVT_ONE_SHOT);
		apic_write(APIC_TIMER_DIVIDE, (code & 3) | (code & 4) << 1);
		start = rdtsc();
		apic_write(APIC_TIMER_INITIAL, TICK_NS / by);
		if (!wait_fired(1))
			return seen("divided by %u it never fired", by);
		us = clock_us(rdtsc() - start);
		if (us < TICK_NS / 1000 - SLACK_US)
			return seen("divided by %u it fired after %lu us", by, us);
	}
	return NULL;
}

static const char *masked(void)
{
	uint32_t left;

	timer_mode(LVT_ONE_SHOT | LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	left = apic_read(APIC_TIMER_CURRENT);
	if (fired(2) || !left || apic_read(APIC_TIMER_CURRENT) >= left)
		return seen("masked it fired %u times, counted %x to %x", low, left,
			    apic_read(APIC_TIMER_CURRENT));
	timer_mode(LVT_ONE_SHOT | LVT_MASKED);
	apic_write(APIC_TIMER_INITIAL, TICK_NS);
	if (fired(5))
		return seen("masked it fired %u times", low);
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_CHECK_LOW);
	return fired(2) ? seen("it fired for a time when it was masked") : NULL;
}

/* from counting to deadlines and back: each change ends what ran */
static const char *changed(void)
{
	uint64_t due;

	timer_mode(LVT_ONE_SHOT);
	due = clock_in_ms(BACK_MS);
	apic_write(APIC_TIMER_INITIAL, BACK_MS * TICK_NS);
	timer_mode(LVT_TSC_DEADLINE);
	if (!clock_passed(due) && fired(BACK_MS + 5)) /* unless this core was away for long */
		return seen("a count fired as a deadline");
	apic_write(APIC_TIMER_INITIAL, TICK_NS);
	if (fired(3) || apic_read(APIC_TIMER_CURRENT))
		return seen("with deadlines a count ran");
	timer_mode(LVT_ONE_SHOT);
	wrmsr(MSR_TSC_DEADLINE, clock_in_ms(1));
	if (fired(3) || rdmsr(MSR_TSC_DEADLINE))
		return seen("with counts a deadline fired or is kept");
	return NULL;
}

static void fresh(void)
{
	low = 0;
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	irq_handler_set(VECTOR_CHECK_LOW, on_low, NULL);
}

static const char *timer(const char *(*const part[])(void), unsigned parts)
{
	const char *wrong = check_parts(part, parts, fresh);

	fresh();
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_TIMER);
	return wrong;
}

static const char *check_timer(int n, char **word)
{
	static const char *(*const part[])(void) = { check_counting_timer };

	(void)n;
	(void)word;
	return timer(part, ARRAY_SIZE(part));
}

static const char *check_timer_deadline(int n, char **word)
{
	static const char *(*const part[])(void) = { check_deadline, changed };

	(void)n;
	(void)word;
	if (!apic_has_deadline())
		return lacks("no TSC-deadline timer");
	return timer(part, ARRAY_SIZE(part));
}

static const char *check_timer_divide(int n, char **word)
{
	static const char *(*const part[])(void) = { divided, masked };

	(void)n;
	(void)word;
	return timer(part, ARRAY_SIZE(part));
}

CHECK(timer_check, .name = "timer", .help = "the APIC's timer: one-shot and periodic",
      .run = check_timer);
CHECK(timer_deadline_check, .name = "timer-deadline",
      .help = "TSC deadlines, and from them to counts and back", .run = check_timer_deadline);
CHECK(timer_divide_check, .name = "timer-divide", .help = "all divisors, and masked",
      .run = check_timer_divide);
