/* SPDX-License-Identifier: MIT */
/*
 * gbe_trace_cmd.c - `trace nic0 regs`: each access to a NIC's registers by name, value
 * and bits. Control context.
 */
#include "kernel/shell.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "gbe_names.h"
#include "gbe_trace.h"

#include <errno.h>
#include <stdlib.h>

enum { BITS_TEXT = 128, NAME_TEXT = 24 };

static struct gbe_trace *trace_of[NETDEV_MAX]; /* by netdevs[]; NULL: never switched on */

static int switch_on(struct shell *sh, struct gbe *gbe, struct gbe_trace **t)
{
	struct gbe_trace *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return shell_error(sh, 1, -ENOMEM, "no memory for %d records", GBE_TRACE_RECORDS);
	gbe_trace_use(gbe, fresh);
	free(*t); /* the one before, which nobody uses any more */
	*t = fresh;
	return 0;
}

static void show_state(struct shell *sh, const struct gbe *gbe, const struct gbe_trace *t)
{
	uint32_t n = gbe_trace_kept(t);

	shell_printf(sh, "register trace of %s is %s; %u accesses of at most %d, %u lost\n",
		     gbe->dev.name, gbe->tracing ? "on" : "off", n, GBE_TRACE_RECORDS,
		     t ? atomic_load(&t->n) - n : 0);
}

/*
 * the last of the accesses from @i on, before @end, that are the same to one register of
 * an array after the other
 */
static uint32_t last_alike(const struct gbe *gbe, const struct gbe_trace *t, uint32_t i,
			   uint32_t end)
{
	const struct gbe_access *a = &t->access[i];

	while (i + 1 < end && a[1].done && a[1].value == a->value && a[1].write == a->write &&
	       gbe_reg_follows(gbe, a->off, a[1].off)) {
		a++;
		i++;
	}
	return i;
}

/* accesses @first to @last as one line */
static void show_line(struct shell *sh, const struct gbe *gbe, const struct gbe_access *first,
		      const struct gbe_access *last, uint64_t now_tsc, uint64_t now_ns)
{
	unsigned long ns = now_ns - tsc_to_ns(now_tsc - first->tsc);
	char name[NAME_TEXT], to[NAME_TEXT] = "", bits[BITS_TEXT];

	gbe_reg_name(gbe, first->off, name, sizeof(name));
	if (last != first)
		gbe_reg_name(gbe, last->off, to, sizeof(to));
	gbe_reg_bits(gbe, first->off, first->value, bits, sizeof(bits));
	shell_printf(sh, "%9lu.%03lu  cpu%-2u  %s%s%s 0x%05x %c 0x%08x%s", ns / 1000, ns % 1000,
		     first->cpu, name, *to ? " to " : "", to, first->off, first->write ? 'W' : 'R',
		     first->value, bits);
	if (first->again && last == first)
		shell_printf(sh, ", %u times", first->again + 1);
	shell_printf(sh, "\n");
}

static void show(struct shell *sh, const struct gbe *gbe, const struct gbe_trace *t, unsigned max)
{
	uint64_t now_tsc = rdtsc(), now_ns = time_ns();
	uint32_t end = gbe_trace_kept(t);

	for (uint32_t i = end > max ? end - max : 0; i < end; i++) {
		uint32_t first = i;

		if (!atomic_load_explicit(&t->access[i].done, memory_order_acquire))
			continue;
		i = last_alike(gbe, t, i, end);
		show_line(sh, gbe, &t->access[first], &t->access[i], now_tsc, now_ns);
	}
	show_state(sh, gbe, t);
}

/* trace NIC regs [on|off|show [N]] */
static int run(struct shell *sh, int n, const struct word *w)
{
	bool is_show = word_is(n, w, 3, "show");
	struct netdev *dev = netdev_by_name(w[1].s);
	struct gbe_trace **t = NULL;
	unsigned long max = GBE_TRACE_RECORDS;
	struct gbe *gbe;

	if (!dev)
		return shell_expected(sh, 1, "a NIC's name");
	gbe = dev->priv;
	netdev_for_each(i)
		if (netdevs[i] == dev)
			t = &trace_of[i];
	if (!word_is(n, w, 2, "regs"))
		return shell_expected(sh, 2, "regs");
	if (n > 4 + is_show)
		return shell_expected(sh, 4 + is_show, "the end of the line");
	if (n == 5 && shell_uint(sh, 4, 1, GBE_TRACE_RECORDS, &max))
		return -EINVAL;
	if (n == 3)
		show_state(sh, gbe, *t);
	else if (is_show)
		show(sh, gbe, *t, max);
	else if (word_is(n, w, 3, "on"))
		return switch_on(sh, gbe, t);
	else if (word_is(n, w, 3, "off"))
		gbe_trace_use(gbe, NULL);
	else
		return shell_expected(sh, 3, "on, off or show");
	return 0;
}

static bool takes(int n, const struct word *w)
{
	return (n > 1 && netdev_by_name(w[1].s)) || word_is(n, w, 2, "regs");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const char *const verbs[] = { "on", "off", "show" };

	if (n == 1)
		netdev_for_each(i)
			add(to, netdevs[i]->name);
	if (n == 2 && takes(n, w))
		add(to, "regs");
	for (size_t i = 0; n == 3 && word_is(n, w, 2, "regs") && i < ARRAY_SIZE(verbs); i++)
		add(to, verbs[i]);
}

TRACE_COMMAND(trace_regs, .what = "a NIC's name", .takes = takes, .run = run, .complete = complete);
