/* SPDX-License-Identifier: MIT */
/*
 * check_irq.c - interrupts come once, when they may, and in order; so do NMIs; the local APIC's timer keeps time
 */
#include "apic.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "trap.h"

enum { SPIN = 20000, WAIT_MS = 500, TICK_NS = 1000000, TICKS = 10, BACK_MS = 20, SLACK_US = 100 };

static volatile unsigned low, high, low_when_high;

static void on_low(void *arg)
{
	(void)arg;
	low++;
}

static void on_high(void *arg)
{
	(void)arg;
	low_when_high = low;
	high++;
}

static void self_ipi(unsigned vector)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | vector);
}

static void spin(void)
{
	for (unsigned i = 0; i < SPIN; i++)
		barrier();
	cpuid(0); /* an exit: the chance to do it wrong */
}

/* not while interrupts are off, nor in the shadow of sti; then exactly once */
static const char *one_waits_for_sti(void)
{
	irq_disable();
	self_ipi(VECTOR_CHECK_LOW);
	spin();
	if (low)
		return seen("came with IF=0");
	__asm__ volatile("sti; cli" ::: "memory");
	if (low)
		return seen("came in the shadow of sti");
	spin();
	irq_enable();
	__asm__ volatile("nop; nop");
	if (low != 1)
		return seen("came %u times after sti", low);
	spin();
	return low == 1 ? NULL : seen("came again");
}

static const char *of_two_the_higher_comes_first(void)
{
	irq_disable();
	self_ipi(VECTOR_CHECK_LOW);
	self_ipi(VECTOR_CHECK_HIGH);
	irq_enable();
	spin();
	if (low == 1 && high == 1 && !low_when_high)
		return NULL;
	return seen("low %u high %u, low first: %u", low, high, low_when_high);
}

/* class 4 of it, but not the one of class 5 */
static const char *the_task_priority_holds_back(void)
{
	write_cr8(4);
	self_ipi(VECTOR_CHECK_LOW);
	self_ipi(VECTOR_CHECK_HIGH);
	spin();
	if (low || high != 1) {
		write_cr8(0);
		return seen("with CR8 = 4 came low %u high %u", low, high);
	}
	write_cr8(0);
	spin();
	return low == 1 ? NULL : seen("with CR8 = 0 again came %u", low);
}

static const char *one_ends_a_halt(void)
{
	irq_disable();
	self_ipi(VECTOR_CHECK_LOW);
	cpu_halt();
	return low == 1 ? NULL : seen("hlt ended without it");
}

static const char *check_irq(int n, char **word)
{
	static const char *(*const part[])(void) = {
		one_waits_for_sti,
		of_two_the_higher_comes_first,
		the_task_priority_holds_back,
		one_ends_a_halt,
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	irq_handler_set(VECTOR_CHECK_LOW, on_low, NULL);
	irq_handler_set(VECTOR_CHECK_HIGH, on_high, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(part) && !wrong; i++) {
		low = high = low_when_high = 0;
		wrong = part[i]();
	}
	return wrong;
}

/* --- NMI --- */

static volatile unsigned nmi_depth, nmi_nested;

/* in the first one: send a second, which has to wait for our IRET */
static void on_nmi(void)
{
	if (nmi_depth++)
		nmi_nested++;
	if (nmis == 1) {
		apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
		spin();
	}
	nmi_depth--;
}

static const char *check_nmi(int n, char **word)
{
	(void)n;
	(void)word;
	irq_disable();
	nmis = 0;
	nmi_nested = 0;
	nmi_hook = on_nmi;
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
	spin();
	nmi_hook = NULL;
	irq_enable();
	if (nmis != 2 || nmi_nested)
		return seen("%lu NMIs of 2, %u inside another", nmis, nmi_nested);
	return NULL;
}

/* --- timer --- */

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

static const char *check_timer(int n, char **word)
{
	const char *wrong;

	(void)n;
	(void)word;
	irq_handler_set(VECTOR_CHECK_LOW, on_low, NULL);
	wrong = check_counting_timer();
	if (!wrong && apic_has_deadline())
		wrong = check_deadline();
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_TIMER);
	return wrong;
}

CHECK(irq_check, .name = "irq", .help = "a self IPI: IF, sti's shadow, priorities, CR8, hlt",
      .run = check_irq);
CHECK(nmi_check, .name = "nmi", .help = "an NMI comes, a second one not before IRET",
      .run = check_nmi);
CHECK(timer_check, .name = "timer", .help = "one-shot, periodic, TSC-deadline", .run = check_timer);
