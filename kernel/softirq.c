/* SPDX-License-Identifier: MIT */
/*
 * softirq.c - softirqs, the poll list, and the one place where a queue goes back to interrupts
 *
 * softirq_run() is called by the core loop of every core, interrupts on. napi_irq() is called by
 * hard interrupts. All state is the core's own (struct cpu: softirq_pending, poll_head, poll_last)
 * except remote_pending, which other cores set. net_rx_action() owns the budget and the time, a
 * poll owns its weight; the core loop owns the share.
 */
#include "softirq.h"

#include "apic.h"
#include "console.h"
#include "irq.h"
#include "netif_rx.h"
#include "shell.h"
#include "time.h"
#include "trace.h"
#include "trap.h"

#include <stddef.h>

enum { MAX_SOFTIRQ_RESTART = 10, MAX_SOFTIRQ_TIME_US = 2000 };

const char *const softirq_name[SOFTIRQ_N] = {
	"PARK", "CALL", "TIMER", "NET_TX", "BACKLOG", "NET_RX", "VHOST", "KICK", "SELFTEST",
};

unsigned netdev_budget = 300, netdev_budget_usecs = 2000, dev_weight = NAPI_POLL_MAX;

void (*softirq_vec[SOFTIRQ_N])(void);

/* --- while records are kept: each action once more, that also says how long it took --- */

static void (*action_of[SOFTIRQ_N])(void);

static void recorded(enum softirq nr)
{
	uint64_t begin = rdtsc();

	action_of[nr]();
	trace_record_span(TRACE_SOFTIRQ, begin, rdtsc(), nr, 0);
}

#define RECORDED(nr)                    \
	static void recorded_##nr(void) \
	{                               \
		recorded(SOFTIRQ_##nr); \
	}
RECORDED(PARK)
RECORDED(CALL)
RECORDED(TIMER)
RECORDED(NET_TX)
RECORDED(BACKLOG)
RECORDED(NET_RX)
RECORDED(VHOST)

/* but for those with nothing to do */
static void (*const recorded_of[SOFTIRQ_N])(void) = {
	[SOFTIRQ_PARK] = recorded_PARK,       [SOFTIRQ_CALL] = recorded_CALL,
	[SOFTIRQ_TIMER] = recorded_TIMER,     [SOFTIRQ_NET_TX] = recorded_NET_TX,
	[SOFTIRQ_BACKLOG] = recorded_BACKLOG, [SOFTIRQ_NET_RX] = recorded_NET_RX,
	[SOFTIRQ_VHOST] = recorded_VHOST,
};

static void softirq_watch(bool on)
{
	for (unsigned nr = 0; nr < SOFTIRQ_N; nr++)
		if (action_of[nr])
			softirq_vec[nr] = on && recorded_of[nr] ? recorded_of[nr] : action_of[nr];
}

TRACE_WATCHER(softirq_watch);

void open_softirq(enum softirq nr, void (*action)(void))
{
	softirq_vec[nr] = action_of[nr] = action;
}

void raise_softirq(enum softirq nr)
{
	softirq_set(BIT(nr));
}

void raise_softirq_on(struct cpu *c, enum softirq nr)
{
	if (c == this_cpu()) {
		raise_softirq(nr);
		return;
	}
	/*
	 * release: pairs with the acquire in softirq_round. Whoever sets the first bit sends the
	 * interrupt; seq_cst: unless the core is idle and says that it looks (idle.c)
	 */
	if (!atomic_fetch_or(&c->remote_pending, BIT(nr)) && !atomic_load(&c->idle_polls))
		apic_ipi(c->apic_id, VECTOR_IPI);
}

bool softirq_run_again(struct cpu *c)
{
	uint64_t end = rdtsc() + tsc_from_us(MAX_SOFTIRQ_TIME_US);

	for (unsigned round = 1; softirq_pending(); round++) {
		if (round == MAX_SOFTIRQ_RESTART || (round > 1 && rdtsc() >= end))
			return true;
		softirq_round(c);
	}
	return false;
}

/* --- NAPI --- */

static void poll_list_add(struct cpu *c, struct napi *napi)
{
	napi->next = NULL;
	if (unlikely(c->poll_head))
		c->poll_last->next = napi;
	else
		c->poll_head = napi;
	c->poll_last = napi;
}

/* napi_put_on_list() - IDLE becomes SCHEDULED; interrupts are off, or we are the interrupt. */
static inline void napi_put_on_list(struct cpu *c, struct napi *napi)
{
	napi->state = NAPI_SCHEDULED;
	poll_list_add(c, napi);
	softirq_set(BIT(SOFTIRQ_NET_RX));
}

/*
 * irq_otherwise() - it was not idle. Returns false if its handler is through:
 * there is nothing to mask.
 */
static __attribute__((noinline)) bool irq_otherwise(struct napi *napi)
{
	if (napi->state == NAPI_DIRECT) {
		netif_rx_irq(napi->rx);
		return false;
	}
	if (napi->state == NAPI_SCHEDULED)
		napi->irqs_while_scheduled++;
	else
		napi->irqs_while_disabled++;
	return true;
}

void napi_irq(struct napi *napi)
{
	struct cpu *c = this_cpu();

	if (unlikely(napi->cpu != c->id)) { /* moved while this was on its way */
		napi->irqs_stray++;
		return;
	}
	napi->irqs++;
	if (likely(napi->state == NAPI_IDLE))
		napi_put_on_list(c, napi);
	else if (!irq_otherwise(napi))
		return;
	/* last, which saves registers: interrupts are off, so nobody polls before it is masked */
	napi->ops->irq_mask(napi);
}

void napi_schedule(struct napi *napi)
{
	uint64_t flags = irq_save();

	if (napi->state == NAPI_IDLE) {
		napi->ops->irq_mask(napi);
		napi_put_on_list(this_cpu(), napi);
	}
	irq_restore(flags);
}

/*
 * napi_complete() - the queue looked empty: go back to interrupts. The order is the contract
 * (tests/unit/ test_wakeup.c walks every interleaving, and finds a lost packet in each other
 * order):
 *   1. IDLE first, so that an interrupt right after the unmask may schedule again;
 *   2. unmask: what comes from now on interrupts;
 *   3. look again: what came between the poll's last look and the unmask may never interrupt.
 */
static inline void napi_complete(struct napi *napi)
{
	napi->completes++;
	napi->state = NAPI_IDLE;
	napi->ops->irq_unmask(napi);
	if (napi->ops->work_pending(napi)) {
		napi->rechecks++;
		napi_schedule(napi);
	}
}

/* napi_list() - SCHEDULED, and on no list: onto the poll list, behind the others. Interrupts on. */
static void napi_list(struct cpu *c, struct napi *napi)
{
	napi->waits = NAPI_AGAIN;
	irq_disable();
	poll_list_add(c, napi);
	irq_enable();
}

/* from the core loop, between two of its turns */
static void turn_comes(struct turn_work *w)
{
	napi_list(this_cpu(), container_of(w, struct napi, turn));
	raise_softirq(SOFTIRQ_NET_RX);
}

/* in a softirq; for a queue that went another way meanwhile there is nothing to do */
static void timer_comes(struct timer *t)
{
	struct napi *napi = container_of(t, struct napi, timer);
	bool turn = napi->waits == NAPI_TURN;

	if (turn && rdtsc() < napi->turn_by) {
		timer_arm_at(t, napi->turn_by);
		return;
	}
	if (!turn && napi->waits != NAPI_LATER)
		return;
	napi->timer_polls++;
	napi->timer_behind += turn;
	napi->timed_out = turn;
	turn_remove(this_cpu(), &napi->turn);
	turn_comes(&napi->turn);
}

void napi_poll_at(struct napi *napi, uint64_t deadline)
{
	timer_arm_at(&napi->timer, deadline);
}

/*
 * It stays armed over the turns: one that runs too early arms itself again,
 * and most turns arm nothing.
 */
void napi_turn_by(struct napi *napi, uint64_t deadline)
{
	napi->turn_by = deadline;
	if (!napi->timer.armed)
		timer_arm_at(&napi->timer, deadline);
}

/* after_poll() - @taken of @napi: what comes next is the queue's policy. */
static void after_poll(struct cpu *c, struct napi *napi, unsigned taken)
{
	enum napi_next next = taken < dev_weight ? NAPI_COMPLETE : NAPI_AGAIN;

	if (napi->after)
		next = napi->after(napi, taken, dev_weight);
	napi->waits = next;
	napi->timed_out = false;
	if (next == NAPI_COMPLETE)
		napi_complete(napi);
	else if (next == NAPI_AGAIN)
		napi_list(c, napi);
	else if (next == NAPI_TURN)
		turn_add(c, &napi->turn);
}

static __attribute__((noinline)) unsigned poll_recorded(struct napi *napi)
{
	uint64_t begin = rdtsc();
	unsigned taken = napi->poll(napi, dev_weight);

	trace_record_span(TRACE_POLL, begin, rdtsc(), napi->id, taken);
	return taken;
}

/* poll_one() - one turn of one queue, which is on no list; returns what it took. */
static inline unsigned poll_one(struct napi *napi)
{
	unsigned taken = trace_recording() ? poll_recorded(napi) : napi->poll(napi, dev_weight);

	this_cpu_var(processed) += taken;
	napi->packets += taken;
	napi->polls_took[taken]++;
	return taken;
}

/*
 * poll_list_pop() - the first of the list, or NULL; interrupts off meanwhile,
 * since they append to it.
 */
static inline struct napi *poll_list_pop(void)
{
	struct napi *napi;

	irq_disable();
	napi = this_cpu_var(poll_head);
	if (likely(napi))
		this_cpu_var(poll_head) = napi->next;
	irq_enable();
	return napi;
}

/*
 * poll_rest() - other queues wait, or the first, @napi, of which @taken was all, has more or a
 * policy of its own: go round the list until budget or time is used up.
 */
static __attribute__((noinline)) void poll_rest(struct cpu *c, struct napi *napi, unsigned taken)
{
	uint64_t end = rdtsc() + tsc_from_us(netdev_budget_usecs);
	unsigned budget = netdev_budget;

	for (;;) {
		after_poll(c, napi, taken);
		budget = taken < budget ? budget - taken : 0;
		if (!c->poll_head)
			return; /* an interrupt that adds to it now raises NET_RX itself */
		if (!budget || rdtsc() >= end || c->remote_pending & BIT(SOFTIRQ_PARK)) {
			c->time_squeeze++;
			softirq_set(BIT(SOFTIRQ_NET_RX));
			return;
		}
		napi = poll_list_pop();
		taken = poll_one(napi);
	}
}

static void net_rx_action(void)
{
	struct napi *napi = poll_list_pop();
	unsigned taken;

	if (!napi)
		return;
	taken = poll_one(napi);
	/*
	 * most rounds have one queue, and find it empty; who is put on the list
	 * from here on raises NET_RX
	 */
	if (likely(taken < dev_weight && !napi->after && !this_cpu_var(poll_head)))
		napi_complete(napi);
	else
		poll_rest(this_cpu(), napi, taken);
}

void napi_enable(struct napi *napi)
{
	static uint32_t ids;
	struct cpu *c = cpus[napi->cpu];
	uint64_t flags = irq_save();

	if (!napi->id)
		napi->id = ++ids;
	napi->turn.fn = turn_comes;
	napi->timer.fn = timer_comes;
	napi->waits = NAPI_AGAIN;
	napi->timed_out = false;
	if (unlikely(napi->rx)) {
		netif_rx_enable(napi->rx);
		irq_restore(flags);
		return;
	}
	/* one poll by itself: it sees what came before, and unmasks when it completes */
	napi->state = NAPI_SCHEDULED;
	poll_list_add(c, napi);
	irq_restore(flags);
	raise_softirq_on(c, SOFTIRQ_NET_RX);
}

static void poll_list_remove(struct cpu *c, struct napi *napi)
{
	struct napi **p = &c->poll_head, *before = NULL;

	while (*p && *p != napi) {
		before = *p;
		p = &before->next;
	}
	if (!*p)
		return;
	*p = napi->next;
	if (c->poll_last == napi)
		c->poll_last = before;
}

void napi_disable(struct napi *napi)
{
	struct cpu *c = cpus[napi->cpu];
	uint64_t flags = irq_save();

	napi->ops->irq_mask(napi);
	napi->state = NAPI_DISABLED;
	turn_remove(c, &napi->turn);
	timer_cancel_on(c, &napi->timer);
	poll_list_remove(c, napi);
	irq_restore(flags);
}

void softirq_init(void)
{
	open_softirq(SOFTIRQ_NET_RX, net_rx_action);
}

static unsigned (*backlog_len)(unsigned cpu);
static uint64_t (*backlog_dropped)(unsigned cpu);

void softnet_backlog(unsigned (*len)(unsigned cpu), uint64_t (*dropped)(unsigned cpu))
{
	backlog_len = len;
	backlog_dropped = dropped;
}

/* --- /proc/softirqs, /proc/net/softnet_stat, the knobs --- */

static int show_softirqs(struct shell *sh, const char *star)
{
	(void)star;
	shell_printf(sh, "%20s", "");
	cpu_for_each(i)
		shell_printf(sh, "CPU%-8u", i);
	shell_printf(sh, "\n");
	for (unsigned nr = 0; nr < SOFTIRQ_N; nr++) {
		shell_printf(sh, "%12s:", softirq_name[nr]);
		cpu_for_each(i)
			shell_printf(sh, " %10lu", (unsigned long)cpus[i]->softirq_count[nr]);
		shell_printf(sh, "\n");
	}
	return 0;
}

/*
 * A line a core, in hex, as Linux 6.1 has it: processed, RPS's packets by the core that they were
 * given to; dropped, which are those that found this core's backlog full, or from it a ring between
 * cores; time_squeeze; five that are always 0; cpu_collision, which is too; received_rps;
 * flow_limit_count, of which there is none; packets that wait in the backlog; the core.
 */
static int show_softnet_stat(struct shell *sh, const char *star)
{
	(void)star;
	cpu_for_each(i) {
		const struct cpu *c = cpus[i];
		uint64_t dropped = c->drop[DROP_XCORE_FULL] + c->drop[DROP_IRQ_BACKLOG] +
				   (backlog_dropped ? backlog_dropped(i) : 0);

		shell_printf(sh,
			     "%08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x\n",
			     (unsigned)c->processed, (unsigned)dropped, (unsigned)c->time_squeeze,
			     0, 0, 0, 0, 0, 0, (unsigned)c->received_rps, 0,
			     backlog_len ? backlog_len(i) : 0, i);
	}
	return 0;
}

PROC_FILE(proc_softirqs, .path = "/proc/softirqs", .help = "softirqs run, by core",
	  .show = show_softirqs);
PROC_FILE(proc_softnet, .path = "/proc/net/softnet_stat",
	  .help = "a line a core, hex: processed, dropped, time_squeeze, ...",
	  .show = show_softnet_stat);

SYSCTL(sysctl_budget, "net.core.netdev_budget", &netdev_budget, 1, 100000,
       "packets a round of net_rx_action may take");
SYSCTL(sysctl_budget_usecs, "net.core.netdev_budget_usecs", &netdev_budget_usecs, 1, 100000,
       "microseconds a round of net_rx_action may take");
SYSCTL(sysctl_weight, "net.core.dev_weight", &dev_weight, 1, NAPI_POLL_MAX,
       "packets one poll may take");
