/* SPDX-License-Identifier: MIT */
/*
 * gbe_trace.c - every access to a NIC's registers, by name, value and bits: `trace nic0 regs`
 *
 * gbe_trace_access() is called on any core, in hard interrupts too, while a trace is on; the command runs in the control
 * context and switches it with the cores parked. Owns the records.
 *
 * Off it costs the path of a packet nothing: its three writes, tail and mask and unmask, are gbe_poke(), which asks
 * nothing. On, the queue's NAPI ops are replaced by ones that record, and the transmit ring's short cut is closed.
 *
 * The first accesses are kept and what finds no room is counted: who wants to see a reset does not want to lose it to
 * the traffic behind it. One like the one before, as in a wait for a bit, is counted with that.
 */
#include "gbe.h"

#include "kernel/napi_layers.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "gbe_names.h"

#include <errno.h>
#include <stdlib.h>

enum { RECORDS = 4096, BITS_TEXT = 128, NAME_TEXT = 24 };

struct access {
	uint64_t tsc;
	uint32_t off, value;
	_Atomic uint32_t again; /* so often more, one behind the other */
	uint8_t cpu;
	bool write;
	_Atomic bool done; /* all of it is written */
};

struct gbe_trace {
	_Atomic uint32_t n; /* accesses so far; those beyond RECORDS are lost */
	bool on;
	struct access access[RECORDS];
};

static struct gbe_trace *trace_of[NETDEV_MAX]; /* by netdevs[]; NULL: never switched on */

/* --- recording --- */

static bool is_again(struct gbe_trace *t, uint32_t n, uint32_t off, uint32_t v, bool write)
{
	struct access *last = &t->access[n - 1];

	if (!n || n > RECORDS || !atomic_load_explicit(&last->done, memory_order_acquire))
		return false;
	return last->off == off && last->value == v && last->write == write;
}

void gbe_trace_access(const struct gbe *gbe, uint32_t off, uint32_t v, bool write)
{
	struct gbe_trace *t = gbe->tracing;
	uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
	struct access *a;

	if (is_again(t, n, off, v, write)) {
		atomic_fetch_add_explicit(&t->access[n - 1].again, 1, memory_order_relaxed);
		return;
	}
	n = atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
	if (n >= RECORDS)
		return;
	a = &t->access[n];
	a->tsc = rdtsc();
	a->off = off;
	a->value = v;
	a->write = write;
	a->cpu = this_cpu()->id;
	/* release: pairs with the acquires in is_again() and show() */
	atomic_store_explicit(&a->done, true, memory_order_release);
}

/* --- the queues' ops while it is on: what the scheme's do, recorded --- */

static void write_cause(struct napi *napi, bool mask)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	struct gbe *gbe = queue->dev->priv;
	uint32_t reg = mask ? gbe->scheme->mask_reg : gbe->scheme->unmask_reg;

	if (reg)
		gbe_write(gbe, reg, gbe->scheme->queue_cause << queue->index);
}

static void traced_mask(struct napi *napi)
{
	write_cause(napi, true);
}

static void traced_unmask(struct napi *napi)
{
	write_cause(napi, false);
}

static bool work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	const struct gbe *gbe = queue->dev->priv;

	return gbe->scheme->queue_ops->work_pending(napi);
}

static const struct napi_ops traced_ops = {
	.irq_mask = traced_mask,
	.irq_unmask = traced_unmask,
	.work_pending = work_pending,
};

const struct napi_ops *gbe_queue_ops(const struct gbe *gbe)
{
	return gbe->tracing ? &traced_ops : gbe->scheme->queue_ops;
}

/* --- the command --- */

static void use(struct gbe *gbe, struct gbe_trace *t)
{
	cores_park();
	gbe->tracing = t;
	for (unsigned q = 0; q < gbe->dev.max_queues; q++) {
		napi_set_own(&gbe->dev.queue[q].napi, gbe_queue_ops(gbe), NULL);
		gbe->tx[q]->quick = gbe->tx[q]->fill; /* the next batch asks whether it is traced */
	}
	cores_resume();
}

static int switch_on(struct shell *sh, struct gbe *gbe, struct gbe_trace **t)
{
	struct gbe_trace *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return shell_error(sh, 1, -ENOMEM, "no memory for %d records", RECORDS);
	fresh->on = true;
	use(gbe, fresh);
	free(*t); /* the one before, which nobody uses any more */
	*t = fresh;
	return 0;
}

static void switch_off(struct gbe *gbe, struct gbe_trace *t)
{
	use(gbe, NULL);
	if (t)
		t->on = false;
}

static uint32_t kept(const struct gbe_trace *t)
{
	return t ? MIN(atomic_load(&t->n), (uint32_t)RECORDS) : 0;
}

static void show_state(struct shell *sh, const struct gbe *gbe, const struct gbe_trace *t)
{
	uint32_t n = kept(t);

	shell_printf(sh, "register trace of %s is %s; %u accesses of at most %d, %u lost\n",
		     gbe->dev.name, t && t->on ? "on" : "off", n, RECORDS,
		     t ? atomic_load(&t->n) - n : 0);
}

/* the last of the accesses from @i on, before @end, that are the same to one register of an array after the other */
static uint32_t last_alike(const struct gbe *gbe, const struct gbe_trace *t, uint32_t i,
			   uint32_t end)
{
	const struct access *a = &t->access[i];

	while (i + 1 < end && a[1].done && a[1].value == a->value && a[1].write == a->write &&
	       gbe_reg_follows(gbe, a->off, a[1].off)) {
		a++;
		i++;
	}
	return i;
}

/* accesses @first to @last as one line */
static void show_line(struct shell *sh, const struct gbe *gbe, const struct access *first,
		      const struct access *last, uint64_t now_tsc, uint64_t now_ns)
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
	uint32_t end = kept(t);

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
	struct gbe *gbe = dev->priv;
	struct gbe_trace **t = NULL;
	unsigned long max = RECORDS;

	netdev_for_each(i)
		if (netdevs[i] == dev)
			t = &trace_of[i];
	if (!word_is(n, w, 2, "regs"))
		return shell_expected(sh, 2, "regs");
	if (n > 4 + is_show)
		return shell_expected(sh, 4 + is_show, "the end of the line");
	if (n == 5 && shell_uint(sh, 4, 1, RECORDS, &max))
		return -EINVAL;
	if (n == 3)
		show_state(sh, gbe, *t);
	else if (is_show)
		show(sh, gbe, *t, max);
	else if (word_is(n, w, 3, "on"))
		return switch_on(sh, gbe, t);
	else if (word_is(n, w, 3, "off"))
		switch_off(gbe, *t);
	else
		return shell_expected(sh, 3, "on, off or show");
	return 0;
}

static bool takes(int n, const struct word *w)
{
	return n > 1 && netdev_by_name(w[1].s);
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

TRACE_COMMAND(trace_regs, .takes = takes, .run = run, .complete = complete);
