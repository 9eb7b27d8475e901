/* SPDX-License-Identifier: MIT */
/*
 * power.c - the ways a machine can end, tried in the order of how much they say
 */
#include "power.h"

#include "acpi.h"
#include "console.h"
#include "irq.h"
#include "shell.h"
#include "x86.h"

#define DEBUG_EXIT_PORT \
	0xf4              /* QEMU -device isa-debug-exit,iobase=0xf4: exit code (value << 1) | 1 */
#define BOCHS_PORT 0x8900 /* Bochs ends when it reads "Shutdown" here */
#define RESET_PORT 0xcf9  /* reset control register of PIIX and ICH */
#define DELAY_PORT 0x80   /* diagnostic codes: an access takes a microsecond or more */
#define SLP_EN     BIT(13)

enum { END_DELAYS = 1000 };

/*
 * let_it_end() - QEMU ends a moment after it was told to, and by then takes the status
 * of what it was told last.
 */
static void let_it_end(void)
{
	for (int i = 0; i < END_DELAYS; i++)
		(void)inb(DELAY_PORT);
}

void power_off(enum power_status status)
{
	irq_disable();
	console_flush_now();
	outb(DEBUG_EXIT_PORT, status);
	let_it_end();
	for (const char *s = "Shutdown"; *s; s++)
		outb(BOCHS_PORT, *s);
	if (acpi.pm1a_cnt)
		outw(acpi.pm1a_cnt, acpi.s5_slp_typ << 10 | SLP_EN);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void power_reset(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt;

	irq_disable();
	console_flush_now();
	outb(RESET_PORT, 0x06);
	__asm__ volatile("lidt %0; int3" ::"m"(no_idt));
	for (;;)
		__asm__ volatile("cli; hlt");
}

static int run_poweroff(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	shell_printf(sh, "Weir stops.\n");
	power_off(POWER_OK);
}

static int run_reboot(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	power_reset();
}

SHELL_COMMAND(cmd_poweroff, .name = "poweroff", .usage = "",
	      .help = "stop the machine; the way out", .run = run_poweroff);
SHELL_COMMAND(cmd_reboot, .name = "reboot", .usage = "", .help = "start the machine again",
	      .run = run_reboot);
