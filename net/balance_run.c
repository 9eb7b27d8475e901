/* SPDX-License-Identifier: MIT */
/*
 * balance_run.c - the balancer at work: it looks, moves, looks again; and
 * `balance`, which tells of it
 *
 * A timer on core 0 asks for a turn in the control context, between two commands; there the cores
 * stand still while they are looked at, so that counts are exact and a core asleep has said how
 * long. Owns what it saw last, the move that it has made and not judged yet, and the list of moves.
 */
#include "balance.h"

#include "kernel/control.h"
#include "kernel/irq.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "rps.h"

#include <errno.h>
#include <string.h>

enum { HISTORY = 16 };

enum outcome { WAITING, KEPT, TAKEN_BACK };

static const char *const outcome_name[] = { "to be judged", "kept", "taken back" };

struct record {
	struct balance_move move;
	uint64_t ns; /* since boot */
	struct balance_core before[MAX_CPUS], after[MAX_CPUS];
	enum outcome outcome;
};

static bool on;
static unsigned interval_ms = 1000, hot_percent = 80, gap_percent = 20, hold_seconds = 60;

static struct balance_unit unit[BALANCE_UNITS];
static unsigned nunits, uncounted; /* units that found no place in unit[] */
static struct balance_core core[MAX_CPUS];
static struct record history[HISTORY];
static unsigned nmoves; /* ever; the newest is history[(nmoves - 1) % HISTORY] */
static uint64_t looked, idle_before[MAX_CPUS];
static uint64_t queue_before[NETDEV_MAX][NETDEV_MAX_QUEUES]; /* NAPI's packets at the last look */

static struct timer timer;
static struct control_work turn;

/* --- looking --- */

static void add_unit(struct port *port, unsigned queue, unsigned flow, unsigned cpu,
		     uint32_t allowed, uint64_t packets)
{
	if (nunits == BALANCE_UNITS) {
		uncounted++;
		return;
	}
	unit[nunits++] = (struct balance_unit){ port, queue, flow, cpu, allowed, packets };
	core[cpu].packets += packets;
}

static void look_at_flows(struct port *port, unsigned queue)
{
	struct rps_queue *q = &port->rps->queue[queue];

	for (unsigned i = 0; i < q->nflows; i++) {
		struct rps_flow *flow = &q->flow[i];
		uint64_t packets = flow->packets - flow->seen;

		flow->seen = flow->packets;
		if (packets && q->mask)
			add_unit(port, queue, i, flow->cpu, q->mask, packets);
	}
}

static void look_at_nic(unsigned d)
{
	struct netdev *dev = netdevs[d];

	for (unsigned q = 0; q < dev->nqueues; q++) {
		uint64_t packets = dev->queue[q].napi.packets - queue_before[d][q];

		queue_before[d][q] = dev->queue[q].napi.packets;
		if (dev->up && packets)
			add_unit(dev->upper, q, BALANCE_QUEUE, dev->queue[q].cpu, BIT(ncpus) - 1,
				 packets);
	}
}

static void look_at_cores(void)
{
	uint64_t now = rdtsc(), passed = MAX(now - looked, 1ul);

	cpu_for_each(i) {
		uint64_t idle = cpus[i]->idle_tsc - idle_before[i];

		idle_before[i] = cpus[i]->idle_tsc;
		core[i] = (struct balance_core){ .busy = idle < passed
								 ? (passed - idle) * 1000 / passed
								 : 0 };
	}
	looked = now;
}

/*
 * look() - what each core and unit did since the last time. A parked core has woken: its
 * idle time is up to date.
 */
static void look(void)
{
	cores_park();
	look_at_cores();
	nunits = uncounted = 0;
	port_for_each(i)
		for (unsigned q = 0; ports[i]->rps && q < NETDEV_MAX_QUEUES; q++)
			look_at_flows(ports[i], q);
	netdev_for_each(d)
		look_at_nic(d);
	cores_resume();
}

/* --- moving --- */

static int move_to(const struct balance_unit *u, unsigned cpu)
{
	struct netdev *dev;

	if (u->flow != BALANCE_QUEUE) {
		if (u->flow >= u->port->rps->queue[u->queue].nflows)
			return -ENOENT; /* the table has been made anew */
		rps_set_flow(u->port, u->queue, u->flow, cpu);
		return 0;
	}
	dev = u->port->priv;
	return irq_set_affinity_of(dev->queue[u->queue].name, cpu);
}

static bool same(const struct balance_unit *a, const struct balance_unit *b)
{
	return a->port == b->port && a->queue == b->queue && a->flow == b->flow;
}

/* on_hold() - it was moved in vain not long ago. */
static bool on_hold(const struct balance_unit *u)
{
	for (unsigned i = 0; i < MIN(nmoves, (unsigned)HISTORY); i++)
		if (history[i].outcome == TAKEN_BACK && same(&history[i].move.unit, u) &&
		    time_ns() - history[i].ns < hold_seconds * UINT64_C(1000000000))
			return true;
	return false;
}

static void forget_those_on_hold(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < nunits; i++)
		if (!on_hold(&unit[i]))
			unit[kept++] = unit[i];
	nunits = kept;
}

static void judge(struct record *r)
{
	memcpy(r->after, core, sizeof(core));
	r->outcome = KEPT;
	if (balance_helped(&r->move, r->before, r->after))
		return;
	r->outcome = TAKEN_BACK;
	move_to(&r->move.unit, r->move.unit.cpu);
}

static void propose(void)
{
	struct record *r = &history[nmoves % HISTORY];
	struct balance_limits limits = { hot_percent * 10, gap_percent * 10 };
	struct balance_move move;

	forget_those_on_hold();
	if (!balance_propose(core, unit, nunits, limits, &move) || move_to(&move.unit, move.to))
		return;
	*r = (struct record){ .move = move, .ns = time_ns() };
	memcpy(r->before, core, sizeof(core));
	nmoves++;
}

/* one turn: either judge the last move, or make another one */
static void balance(struct control_work *w)
{
	struct record *last = nmoves ? &history[(nmoves - 1) % HISTORY] : NULL;

	(void)w;
	if (!on)
		return;
	look();
	if (last && last->outcome == WAITING)
		judge(last);
	else
		propose();
}

static void tick(struct timer *t)
{
	if (!on)
		return;
	control_defer(&turn);
	timer_arm(t, (uint64_t)interval_ms * 1000);
}

/* --- the command --- */

static void print_unit(struct shell *sh, const struct balance_unit *u)
{
	if (u->flow == BALANCE_QUEUE)
		shell_printf(sh, "%s rx-%u", u->port->name, u->queue);
	else
		shell_printf(sh, "%s rx-%u flow %u", u->port->name, u->queue, u->flow);
}

static void print_busy(struct shell *sh, unsigned permille)
{
	shell_printf(sh, "%u.%u %%", permille / 10, permille % 10);
}

static void print_record(struct shell *sh, const struct record *r)
{
	const struct balance_move *m = &r->move;

	shell_printf(sh, "%6lu.%03lu s  ", (unsigned long)(r->ns / 1000000000),
		     (unsigned long)(r->ns / 1000000 % 1000));
	print_unit(sh, &m->unit);
	shell_printf(sh, ": core %u (", m->unit.cpu);
	print_busy(sh, r->before[m->unit.cpu].busy);
	shell_printf(sh, ") to %u (", m->to);
	print_busy(sh, r->before[m->to].busy);
	shell_printf(sh, "), a share of ");
	print_busy(sh, m->share);
	if (r->outcome != WAITING) {
		shell_printf(sh, "; then ");
		print_busy(sh, r->after[m->unit.cpu].busy);
		shell_printf(sh, " and ");
		print_busy(sh, r->after[m->to].busy);
	}
	shell_printf(sh, ": %s\n", outcome_name[r->outcome]);
}

static void show(struct shell *sh)
{
	shell_printf(sh,
		     "balance is %s; a core is hot from %u %% on, and moves want a gap of %u %%\n",
		     on ? "on" : "off", hot_percent, gap_percent);
	if (on && looked)
		cpu_for_each(i) {
			shell_printf(sh, "cpu%-2u ", i);
			print_busy(sh, core[i].busy);
			shell_printf(sh, ", %lu packets\n", (unsigned long)core[i].packets);
		}
	if (uncounted)
		shell_printf(sh, "%u flows too many to look at\n", uncounted);
	for (unsigned i = nmoves > HISTORY ? nmoves - HISTORY : 0; i < nmoves; i++)
		print_record(sh, &history[i % HISTORY]);
}

static void switch_on(void)
{
	on = true;
	nmoves = 0;
	look(); /* what was before does not count */
	timer_arm(&timer, (uint64_t)interval_ms * 1000);
}

static int run_balance(struct shell *sh, int n, const struct word *w)
{
	bool turn_on = word_is(n, w, 1, "on");

	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	if (n == 2 && !turn_on && !word_is(n, w, 1, "off") && !word_is(n, w, 1, "show"))
		return shell_expected(sh, 1, "on, off or show");
	if (n == 1 || word_is(n, w, 1, "show"))
		show(sh);
	else if (turn_on && !on)
		switch_on();
	else
		on = turn_on;
	return 0;
}

static void complete_balance(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to)
{
	static const char *const verbs[] = { "on", "off", "show" };

	(void)w;
	for (unsigned i = 0; n == 1 && i < ARRAY_SIZE(verbs); i++)
		add(to, verbs[i]);
}

SHELL_COMMAND(
	cmd_balance, .name = "balance", .usage = "[on|off|show]",
	.help = "move load off a hot core: how busy they are, what was moved, whether it helped",
	.run = run_balance, .complete = complete_balance);

static void print_config(struct shell *sh)
{
	if (on)
		shell_printf(sh, "balance on\n");
}

CONFIG_SOURCE(balance_config, .order = 95, .print = print_config);

void balance_init(void)
{
	timer.fn = tick;
	turn.fn = balance;
}

SYSCTL(sysctl_interval, "net.balance.interval_ms", &interval_ms, 10, 3600000,
       "milliseconds between two looks of the balancer");
SYSCTL(sysctl_hot, "net.balance.hot_percent", &hot_percent, 0, 100,
       "busy share from which the balancer takes load off a core");
SYSCTL(sysctl_gap, "net.balance.gap_percent", &gap_percent, 1, 100,
       "how much less busy the core must be that gets it");
SYSCTL(sysctl_hold, "net.balance.hold_seconds", &hold_seconds, 0, 86400,
       "seconds that what was moved in vain stays where it is");
