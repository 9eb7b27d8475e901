/* SPDX-License-Identifier: MIT */
/*
 * top.c - `top [SECONDS [TIMES]]`: what each core and each guest has spent its time on
 *
 * Control context. As Linux's top in batch mode: lines of cores, then those that run on them. Shares are in thousandths,
 * written as per cents.
 */
#include "control.h"
#include "shell.h"
#include "time.h"
#include "usage.h"

#include <errno.h>
#include <stdlib.h>

typedef unsigned long ul;

enum { TIMES_MAX = 1000, SECONDS_MAX = 3600 };

/* share() - of @whole, in thousandths, rounded. */
static unsigned share(uint64_t part, uint64_t whole)
{
	return whole ? MIN((part * 1000 + whole / 2) / whole, (uint64_t)1000) : 0;
}

static void print_core(struct shell *sh, unsigned i, const struct core_usage *u, uint64_t whole)
{
	unsigned sy = share(u->control, whole), gu = share(u->guest, whole),
		 id = share(u->idle, whole), hi = share(u->irq, whole);
	unsigned known = sy + gu + id + hi, si = known < 1000 ? 1000 - known : 0;

	shell_printf(
		sh,
		"%%Cpu%-2u: %3u.%u busy, %3u.%u sy, %3u.%u gu, %3u.%u id, %3u.%u hi, %3u.%u si\n",
		i, (1000 - id) / 10, (1000 - id) % 10, sy / 10, sy % 10, gu / 10, gu % 10, id / 10,
		id % 10, hi / 10, hi % 10, si / 10, si % 10);
}

static void print_guest(struct shell *sh, const struct guest_usage *g, uint64_t whole)
{
	unsigned cpu = share(g->tsc, whole);

	shell_printf(sh, "%-16s %4u %4u %4u.%u %10lu\n", g->name, g->vcpu, g->cpu, cpu / 10,
		     cpu % 10, (ul)g->exits);
}

static void print(struct shell *sh, const struct usage *u)
{
	uint64_t up = time_ns() / 1000000000;

	shell_printf(sh, "top - up %lu:%02lu:%02lu, %u cores, %lu ms\n", (ul)up / 3600,
		     (ul)up / 60 % 60, (ul)up % 60, ncpus, (ul)tsc_to_ns(u->tsc) / 1000000);
	cpu_for_each(i)
		print_core(sh, i, &u->core[i], u->tsc);
	if (!u->nguests)
		return;
	shell_printf(sh, "\n%-16s %4s %4s %6s %10s\n", "GUEST", "VCPU", "CORE", "%CPU", "EXITS");
	for (unsigned i = 0; i < u->nguests; i++)
		print_guest(sh, &u->guest[i], u->tsc);
}

/* watch() - @times times: what happened in so many seconds. The two are too large for the stack together with the rest. */
static void watch(struct shell *sh, struct usage u[2], unsigned seconds, unsigned times)
{
	usage_time_irqs(true);
	usage_take(&u[0]);
	for (unsigned i = 0; i < times; i++) {
		struct usage next;

		msleep(seconds * 1000);
		usage_take(&next);
		u[1] = next;
		usage_since(&u[1], &u[0]);
		if (i)
			shell_printf(sh, "\n");
		print(sh, &u[1]);
		u[0] = next;
	}
	usage_time_irqs(false);
}

static int run_top(struct shell *sh, int n, const struct word *w)
{
	unsigned long seconds = 1, times = 1;
	struct usage *u;

	(void)w;
	if (n > 1 && shell_uint(sh, 1, 1, SECONDS_MAX, &seconds))
		return -EINVAL;
	if (n > 2 && shell_uint(sh, 2, 1, TIMES_MAX, &times))
		return -EINVAL;
	if (n > 3)
		return shell_expected(sh, 3, "the end of the line");
	u = calloc(2, sizeof(*u));
	if (!u)
		return shell_error(sh, 0, -ENOMEM, "no memory for what the cores have done");
	watch(sh, u, seconds, times);
	free(u);
	return 0;
}

SHELL_COMMAND(cmd_top, .name = "top", .usage = "[SECONDS [TIMES]]",
	      .help = "how busy each core is, with what, and how much of it each guest has had",
	      .run = run_top);
