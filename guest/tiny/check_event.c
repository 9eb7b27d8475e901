/* SPDX-License-Identifier: MIT */
/*
 * check_event.c - interrupts and NMIs in states where they have to wait: shadows, handlers,
 * halts, a line that stays up
 */
#include "apic.h"
#include "check.h"
#include "clock.h"
#include "code.h"
#include "console.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

enum { SPIN = 20000, LINE_MS = 10000, LEVELS = 3 };

static volatile unsigned lows, highs, nmi_count;
static volatile uint64_t low_rip;
static char order[8];
static volatile unsigned events;

static void note(char what)
{
	if (events < sizeof(order) - 1)
		order[events] = what;
	events++;
}

static void on_low(void *arg)
{
	(void)arg;
	low_rip = interrupted->rip;
	lows++;
	note('l');
}

static void on_high(void *arg)
{
	(void)arg;
	highs++;
	note('h');
}

static void self_ipi(unsigned vector)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | vector);
}

static void self_nmi(void)
{
	apic_send(apic_id(), ICR_ASSERT | ICR_NMI);
}

static void spin(void)
{
	for (unsigned i = 0; i < SPIN; i++)
		barrier();
	cpuid(0);
}

static void fresh(void)
{
	irq_disable();
	lows = highs = nmi_count = events = 0;
	low_rip = 0;
	memset(order, 0, sizeof(order));
	nmi_hook = NULL;
	irq_handler_set(VECTOR_CHECK_LOW, on_low, NULL);
	irq_handler_set(VECTOR_CHECK_HIGH, on_high, NULL);
}

/* --- shadows --- */

struct shadow {
	const char *name;
	uint8_t n, bytes[12], at; /* where the interrupt has to come */
};

/* one interrupt waits, IF is set by the code: where does it come? */
static const char *shadow(const struct shadow *s)
{
	struct trap_frame f = code_registers();
	uint64_t at;

	fresh();
	self_ipi(VECTOR_CHECK_LOW);
	f.rcx = SELECTOR_DATA;
	f.rdx = NOBODYS_PORT;
	f.rbx = (uintptr_t)ioremap(IOAPIC_BASE, PAGE_SIZE);
	f.rax = (uint64_t)f.rsp;
	code_run(s->bytes, s->n, false, &f);
	irq_disable();
	at = low_rip - code_at(s->n, false);
	if (lows != 1 || at != s->at)
		return seen("%s: came %u times, at byte %ld", s->name, lows, at);
	return NULL;
}

static const char *check_shadow(int n, char **word)
{
	static const struct shadow cases[] = {
		{ "sti; nop; nop", 3, { 0xfb, 0x90, 0x90 }, 2 },
		{ "sti; cpuid; nop", 4, { 0xfb, 0x0f, 0xa2, 0x90 }, 3 },
		{ "sti; in; nop", 3, { 0xfb, 0xec, 0x90 }, 2 },
		{ "sti; mov (rbx), eax; nop", 4, { 0xfb, 0x8b, 0x03, 0x90 }, 3 },
		{ "sti; hlt; nop", 3, { 0xfb, 0xf4, 0x90 }, 2 },
		{ "sti; nop; mov ss; nop; nop", 6, { 0xfb, 0x90, 0x8e, 0xd1, 0x90, 0x90 }, 2 },
		{ "pushf; or; popf; nop",
		  11,
		  { 0x9c, 0x48, 0x81, 0x0c, 0x24, 0x00, 0x02, 0x00, 0x00, 0x9d, 0x90 },
		  10 },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	for (unsigned i = 0; i < ARRAY_SIZE(cases) && !wrong; i++)
		wrong = shadow(&cases[i]);
	return wrong;
}

/* --- one within another --- */

static volatile uint32_t ppr_in_low, isr_in_low;
static volatile unsigned highs_in_low;

/* in the handler of the lower one: the higher comes in between, another lower one does not */
static void on_low_open(void *arg)
{
	on_low(arg);
	if (lows > 1)
		return;
	ppr_in_low = apic_read(APIC_PPR);
	isr_in_low = apic_read(APIC_ISR + VECTOR_CHECK_LOW / 32 * 16);
	self_ipi(VECTOR_CHECK_LOW);
	self_ipi(VECTOR_CHECK_HIGH);
	irq_enable();
	spin();
	irq_disable();
	highs_in_low = highs;
	note('.');
}

static const char *check_irq_nested(int n, char **word)
{
	(void)n;
	(void)word;
	fresh();
	irq_handler_set(VECTOR_CHECK_LOW, on_low_open, NULL);
	self_ipi(VECTOR_CHECK_LOW);
	irq_enable();
	spin();
	if (strcmp(order, "lh.l"))
		return seen("the order was %s, not lh.l", order);
	if (ppr_in_low != ROUND_DOWN(VECTOR_CHECK_LOW, 16) ||
	    !(isr_in_low & BIT(VECTOR_CHECK_LOW % 32)))
		return seen("in the handler PPR %x ISR %x", ppr_in_low, isr_in_low);
	if (apic_read(APIC_PPR) || apic_read(APIC_ISR + VECTOR_CHECK_LOW / 32 * 16))
		return seen("behind it PPR %x", apic_read(APIC_PPR));
	return NULL;
}

/* --- NMI --- */

static void on_nmi(void)
{
	nmi_count++;
	note('n');
	if (nmi_count > 1)
		return;
	self_nmi(); /* both wait until IRET */
	self_ipi(VECTOR_CHECK_LOW);
	spin();
	note('.');
}

/*
 * an NMI and an interrupt wait for the end of an NMI handler: both come, once, and not before that
 */
static const char *check_nmi_irq(int n, char **word)
{
	(void)n;
	(void)word;
	fresh();
	nmi_hook = on_nmi;
	irq_enable();
	self_nmi();
	spin();
	nmi_hook = NULL;
	if (strcmp(order, "n.nl") && strcmp(order, "n.ln"))
		return seen("the order was %s, not n.nl", order);
	return NULL;
}

static void on_nmi_in_halt(void)
{
	nmi_count++;
	apic_write(APIC_TIMER_INITIAL, 0);
}

/* It ends a halt with interrupts off; a masked interrupt does not, it stays what it was. */
static const char *check_nmi_hlt(int n, char **word)
{
	(void)n;
	(void)word;
	fresh();
	nmi_hook = on_nmi_in_halt;
	self_ipi(VECTOR_CHECK_LOW);
	self_nmi();
	for (unsigned i = 0; i < SPIN && !nmi_count; i++)
		cpu_pause();
	if (nmi_count != 1 || lows)
		return seen("%u NMIs, %u interrupts with IF=0", nmi_count, lows);
	irq_enable();
	spin();
	nmi_hook = NULL;
	return lows == 1 ? NULL : seen("the interrupt came %u times behind it", lows);
}

/* --- a line --- */

static volatile unsigned levels;

static void on_level(void *arg)
{
	(void)arg;
	if (++levels == LEVELS)
		console_line_up(false); /* else it stays up, and behind EOI it comes again */
}

static const char *check_level(int n, char **word)
{
	const char *wrong = NULL;
	uint64_t end = clock_in_ms(LINE_MS);

	(void)n;
	(void)word;
	fresh();
	levels = 0;
	irq_handler_set(VECTOR_CHECK_HIGH, on_level, NULL);
	ioapic_route_level(CONSOLE_PIN, VECTOR_CHECK_HIGH);
	console_line_up(true);
	irq_enable();
	while (levels < LEVELS && !clock_passed(end))
		cpu_pause();
	spin();
	if (levels != LEVELS)
		wrong = seen("a line that stays up: %u interrupts, not %u", levels, LEVELS);
	irq_disable();
	console_line_up(false);
	console_start();
	return wrong;
}

CHECK(shadow_check, .name = "shadow", .help = "behind STI, MOV SS, POPF: where an interrupt comes",
      .run = check_shadow);
CHECK(irq_nested_check, .name = "irq-nested", .help = "a higher interrupt in a lower one's handler",
      .run = check_irq_nested);
CHECK(nmi_irq_check, .name = "nmi-irq", .help = "an NMI and an interrupt wait for an IRET",
      .run = check_nmi_irq);
CHECK(nmi_hlt_check, .name = "nmi-off", .help = "an NMI comes with interrupts off, beside one",
      .run = check_nmi_hlt);
CHECK(level_check, .name = "level", .help = "a level-triggered line that stays up, and EOI",
      .run = check_level);
