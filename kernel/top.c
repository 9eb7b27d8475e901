/* SPDX-License-Identifier: MIT */
/*
 * top.c - `top [PAGE] [SECONDS [TIMES]]`, and its first page: what each core and each
 * guest has spent its time on
 *
 * Control context. As Linux's top in batch mode: lines of cores, then those that run on them.
 * Shares are in thousandths, written as per cents. Other rooms have pages of their own.
 */
#include "top.h"

#include "control.h"
#include "time.h"
#include "usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ul;

enum { TIMES_MAX = 1000, SECONDS_MAX = 3600 };

unsigned top_share(uint64_t part, uint64_t whole)
{
	return whole ? MIN((part * 1000 + whole / 2) / whole, (uint64_t)1000) : 0;
}

void top_head(struct shell *sh, uint64_t tsc)
{
	uint64_t up = time_ns() / 1000000000;

	shell_printf(sh, "top - up %lu:%02lu:%02lu, %u cores, %lu ms", (ul)up / 3600,
		     (ul)up / 60 % 60, (ul)up % 60, ncpus, (ul)tsc_to_ns(tsc) / 1000000);
}

/* --- the page of cores and guests --- */

/*
 * next_share() - of @part, which begins where @edge is; moved on. Shares cut so add up,
 * whatever each is rounded by.
 */
static unsigned next_share(uint64_t *edge, uint64_t part, uint64_t whole)
{
	unsigned from = top_share(*edge, whole);

	*edge += part;
	return top_share(*edge, whole) - from;
}

static void print_core(struct shell *sh, unsigned i, const struct core_usage *u, uint64_t whole)
{
	uint64_t edge = 0;
	unsigned sy = next_share(&edge, u->control, whole), gu = next_share(&edge, u->guest, whole),
		 id = next_share(&edge, u->idle, whole), hi = next_share(&edge, u->irq, whole),
		 si = 1000 - sy - gu - id - hi;

	shell_printf(
		sh,
		"%%Cpu%-2u: %3u.%u busy, %3u.%u sy, %3u.%u gu, %3u.%u id, %3u.%u hi, %3u.%u si\n",
		i, (1000 - id) / 10, (1000 - id) % 10, sy / 10, sy % 10, gu / 10, gu % 10, id / 10,
		id % 10, hi / 10, hi % 10, si / 10, si % 10);
}

static void print_guest(struct shell *sh, const struct guest_usage *g, uint64_t whole)
{
	unsigned cpu = top_share(g->tsc, whole);

	shell_printf(sh, "%-16s %4u %4u %4u.%u %10lu\n", g->name, g->vcpu, g->cpu, cpu / 10,
		     cpu % 10, (ul)g->exits);
}

static void *take_usage(void)
{
	struct usage *u = malloc(sizeof(*u));

	if (u)
		usage_take(u);
	return u;
}

static void print_usage(struct shell *sh, const void *from, const void *to)
{
	struct usage u = *(const struct usage *)to;

	usage_since(&u, from);
	top_head(sh, u.tsc);
	shell_printf(sh, "\n");
	cpu_for_each(i)
		print_core(sh, i, &u.core[i], u.tsc);
	if (!u.nguests)
		return;
	shell_printf(sh, "\n%-16s %4s %4s %6s %10s\n", "GUEST", "VCPU", "CORE", "%CPU", "EXITS");
	for (unsigned i = 0; i < u.nguests; i++)
		print_guest(sh, &u.guest[i], u.tsc);
}

TOP_PAGE(page_usage, .name = "", .take = take_usage, .print = print_usage,
	 .watch = usage_time_irqs);

/* --- the command --- */

/*
 * watch() - @times times: what happened in so many seconds. 0, or a
 * negative errno: said, or -EINTR.
 */
static int watch(struct shell *sh, const struct top_page *page, unsigned seconds, unsigned times)
{
	void *from = page->take();

	for (unsigned i = 0; i < times && from; i++) {
		void *to;

		if (!msleep_interruptible(seconds * 1000)) {
			free(from);
			return -EINTR;
		}
		to = page->take();
		if (to) {
			shell_printf(sh, i ? "\n" : "");
			page->print(sh, from, to);
		}
		free(from);
		from = to;
	}
	if (!from)
		return shell_error(sh, 0, -ENOMEM, "no memory for what is counted");
	free(from);
	return 0;
}

/* page_at() - the page that word @i names; NULL if it names none. */
static const struct top_page *page_at(struct shell *sh, int i)
{
	const char *name = i < sh->nwords ? sh->word[i].s : "";

	set_for_each(page, top_pages)
		if (!strcmp(page->name, name))
			return page;
	return NULL;
}

static int run_top(struct shell *sh, int n, const struct word *w)
{
	const struct top_page *page = page_at(sh, 1);
	unsigned long seconds = 1, times = 1;
	int at = 1, err;

	(void)w;
	if (page && n > 1)
		at++;
	else
		page = &page_usage;
	if (n > at && shell_uint(sh, at, 1, SECONDS_MAX, &seconds))
		return -EINVAL;
	if (n > at + 1 && shell_uint(sh, at + 1, 1, TIMES_MAX, &times))
		return -EINVAL;
	if (n > at + 2)
		return shell_expected(sh, at + 2, "the end of the line");
	if (page->watch)
		page->watch(true);
	err = watch(sh, page, seconds, times);
	if (page->watch)
		page->watch(false);
	return err;
}

static void complete_top(int n, const struct word *w, void (*add)(void *to, const char *s),
			 void *to)
{
	(void)w;
	set_for_each(page, top_pages)
		if (n == 1 && *page->name)
			add(to, page->name);
}

SHELL_COMMAND(cmd_top, .name = "top", .usage = "[drops] [SECONDS [TIMES]]",
	      .help = "how busy each core is, with what, and how much of it each guest has had; "
		      "drops: why packets go nowhere, and the knob for it",
	      .run = run_top, .complete = complete_top);
