/* SPDX-License-Identifier: MIT */
/*
 * check_irq.c - interrupts come once, when they may, and in order; so do NMIs
 */
#include "apic.h"
#include "check.h"
#include "cpu.h"
#include "trap.h"

enum { SPIN = 20000 };

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

CHECK(irq_check, .name = "irq", .help = "a self IPI: IF, sti's shadow, priorities, CR8, hlt",
      .run = check_irq);
CHECK(nmi_check, .name = "nmi", .help = "an NMI comes, a second one not before IRET",
      .run = check_nmi);
