/* SPDX-License-Identifier: MIT */
/*
 * rps.c - steering by hash, and the backlogs behind it
 *
 * rps_steer() runs on the core that received the batch, process_backlog() by NAPI on the core that
 * was chosen; what is behind /sys/class/net in rps_config.c. Owns the backlogs: a ring for each
 * pair of cores, and how many wait for each.
 */
#include "rps.h"

#include "kernel/mem.h"
#include "kernel/path.h"
#include "kernel/shell.h"
#include "kernel/spsc.h"
#include "parse.h"
#include "receive.h"
#include "xmit.h"

#include <string.h>

/* what waits for one core */
struct backlog {
	struct napi napi;
	struct spsc *from[MAX_CPUS]; /* NULL: itself */
	unsigned next;               /* core whose ring has its turn first */
	/* by the cores that send */
	_Alignas(CACHE_LINE) _Atomic int32_t waiting; /* packets, in all rings */
	_Atomic bool awake;       /* it is scheduled, or its interrupt is on its way: "masked" */
	_Atomic uint64_t dropped; /* found it full */
};

static struct backlog *backlog[MAX_CPUS];
unsigned netdev_max_backlog = 1000;

/* --- which core --- */

/*
 * hash_input() - what RSS hashes of @key, into in[]; returns its length, 0: no IP, so it has no
 * hash. UDP's ports are left out where @rss says so; NULL: nowhere.
 */
static unsigned hash_input(const struct flow_key *key, const struct netdev_rss *rss,
			   uint8_t in[TOEPLITZ_INPUT])
{
	bool six = key->flags & KEY_LONG;
	bool udp = !rss || (six ? rss->udp6_ports : rss->udp4_ports);
	unsigned n = six ? sizeof(key->ip6) : sizeof(key->ip4);

	if (!six && key->dl_type != be16(ETH_P_IP))
		return 0;
	memcpy(in, &key->ip4, n); /* or ip6, which stands in the same place */
	/* fragments go by their addresses, so that all of a packet meet on one core */
	if (key->flags & (KEY_FRAG_FIRST | KEY_FRAG_LATER) ||
	    !(key->nw_proto == PROTO_TCP || (key->nw_proto == PROTO_UDP && udp)))
		return n;
	memcpy(in + n, &key->tp_src, 4); /* and tp_dst behind it */
	return n + 4;
}

bool rps_rss_hash(const struct port *port, const struct pkt *p, const struct netdev_rss *rss,
		  uint32_t *hash)
{
	uint8_t in[TOEPLITZ_INPUT];
	struct flow_key key;
	unsigned n;

	if (parse_peek(p, port->id, &key) != PARSE_OK)
		return false;
	n = hash_input(&key, rss, in);
	*hash = toeplitz_hash(&port->rps->toeplitz, in, n);
	return n;
}

/* rps_flow_hash() - false if @p is of no flow: it stays where it is. */
bool rps_flow_hash(const struct port *port, const struct pkt *p, uint32_t *hash)
{
	*hash = p->hash;
	return p->flags & PKT_HASH || rps_rss_hash(port, p, NULL, hash);
}

static unsigned core_of(struct rps_queue *q, uint32_t hash)
{
	struct rps_flow *flow;

	if (!q->nflows)
		return q->cpu[(uint64_t)hash * q->ncpus >> 32];
	flow = &q->flow[hash & (q->nflows - 1)];
	flow->packets++;
	return flow->cpu;
}

bool rps_peek(struct port *port, unsigned queue, const struct pkt *p, uint32_t *hash, unsigned *cpu)
{
	struct rps_queue *q = &port->rps->queue[queue];

	if (!q->mask || !rps_flow_hash(port, p, hash))
		return false;
	*cpu = q->nflows ? q->flow[*hash & (q->nflows - 1)].cpu
			 : q->cpu[(uint64_t)*hash * q->ncpus >> 32];
	return true;
}

/* --- into a backlog --- */

/* enqueue_to_backlog() - false, and @p dropped, if the backlog of core @to is full. */
static bool enqueue_to_backlog(struct port *port, struct pkt *p, unsigned to, unsigned before)
{
	struct backlog *b = backlog[to];
	/* signed: what another core has pushed may have been taken before it was counted */
	int32_t waiting = atomic_load_explicit(&b->waiting, memory_order_relaxed) + (int32_t)before;

	p->in_port = port->id;
	if (waiting < (int32_t)netdev_max_backlog && spsc_push(b->from[this_cpu()->id], p))
		return true;
	atomic_fetch_add_explicit(&b->dropped, 1, memory_order_relaxed);
	port_here(port)->dropped_in[DROP_BACKLOG_FULL]++;
	pkt_drop(p, DROP_BACKLOG_FULL);
	return false;
}

/* wake_backlog() - @n packets have come for core @to: one interrupt, unless it is at it anyhow. */
static void wake_backlog(unsigned to, unsigned n)
{
	struct backlog *b = backlog[to];

	atomic_fetch_add_explicit(&b->waiting, n, memory_order_relaxed);
	/* seq_cst, as in backlog_unmask(): either it sees our packets, or we see that it sleeps */
	if (!atomic_exchange(&b->awake, true))
		raise_softirq_on(cpus[to], SOFTIRQ_BACKLOG);
}

unsigned rps_steer(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	struct rps_queue *q = &port->rps->queue[queue];
	unsigned me = this_cpu()->id, sent[MAX_CPUS] = { 0 }, kept = 0;

	if (!q->mask)
		return n;
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = pkts[i];
		uint32_t hash;
		unsigned to = rps_flow_hash(port, p, &hash) ? core_of(q, hash) : me;

		if (to == me)
			pkts[kept++] = p;
		else
			sent[to] += enqueue_to_backlog(port, p, to, sent[to]);
	}
	cpu_for_each(to) {
		port_here(port)->steered_out += sent[to];
		if (sent[to])
			wake_backlog(to, sent[to]);
	}
	this_cpu()->processed -= n - kept; /* who takes them out of a backlog has processed them */
	return kept;
}

/* --- out of it --- */

/*
 * deliver() - what came by rings goes on as if it had just been received,
 * port by port in its order.
 */
static void deliver(struct pkt **pkts, unsigned n)
{
	for (unsigned i = 0, k; i < n; i = k) {
		struct port *port = ports[pkts[i]->in_port];

		for (k = i + 1; k < n && pkts[k]->in_port == pkts[i]->in_port; k++)
			path_mark(pkts[k], PATH_RECEIVE);
		path_mark(pkts[i], PATH_RECEIVE);
		port_here(port)->steered_in += k - i;
		receive_core(port, pkts + i, k - i);
	}
}

static unsigned take_from(struct backlog *b, unsigned from, unsigned max)
{
	struct pkt *pkts[PORT_BATCH];
	unsigned n = b->from[from] ? spsc_pop(b->from[from], (void **)pkts, max) : 0;

	if (!n)
		return 0;
	atomic_fetch_sub_explicit(&b->waiting, n, memory_order_relaxed);
	deliver(pkts, n);
	return n;
}

/* process_backlog() - the poll: a turn round the rings of all cores. */
static unsigned process_backlog(struct napi *napi, unsigned budget)
{
	struct backlog *b = container_of(napi, struct backlog, napi);
	unsigned taken = 0;

	for (unsigned i = 0; i < ncpus && taken < budget; i++)
		taken += take_from(b, (b->next + i) % ncpus, budget - taken);
	b->next = (b->next + 1) % ncpus;
	return taken;
}

static void backlog_mask(struct napi *napi)
{
	atomic_store(&container_of(napi, struct backlog, napi)->awake, true);
}

static void backlog_unmask(struct napi *napi)
{
	atomic_store(&container_of(napi, struct backlog, napi)->awake, false);
}

static bool backlog_pending(struct napi *napi)
{
	struct backlog *b = container_of(napi, struct backlog, napi);

	cpu_for_each(from)
		if (b->from[from] && spsc_count(b->from[from]))
			return true;
	return false;
}

static const struct napi_ops backlog_ops = {
	.irq_mask = backlog_mask,
	.irq_unmask = backlog_unmask,
	.work_pending = backlog_pending,
};

/* the interrupt of a backlog, on the core whose it is */
static void rps_trigger_softirq(void)
{
	this_cpu()->received_rps++;
	/*
	 * not napi_irq(): interrupts are on in a softirq, and one of them may
	 * be adding to the poll list
	 */
	napi_schedule(&backlog[this_cpu()->id]->napi);
}

void rps_settle(void)
{
	xmit_settle();
	cpu_for_each(to)
		cpu_for_each(from)
			while (take_from(backlog[to], from, PORT_BATCH))
				;
	xmit_settle();
}

/* --- the audit --- */

static void backlog_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct backlog *b = arg;

	cpu_for_each(from) {
		struct spsc *r = b->from[from];

		for (uint32_t i = 0, n = r ? spsc_count(r) : 0; i < n; i++)
			tally(t, r->slot[(r->tail + i) & r->mask]);
	}
}

struct waiting {
	const struct port *port;
	unsigned n;
};

static void count_waiting(void *t, struct pkt *p)
{
	struct waiting *w = t;

	w->n += p->in_port == w->port->id;
}

unsigned rps_waiting(const struct port *port)
{
	struct waiting w = { .port = port };

	cpu_for_each(to)
		backlog_walk(backlog[to], count_waiting, &w);
	return w.n;
}

/* --- set-up --- */

static struct backlog *backlog_create(unsigned cpu)
{
	struct backlog *b = mem_zalloc(sizeof(*b), CACHE_LINE, "backlogs");
	struct pkt_holder *holder = mem_zalloc(sizeof(*holder), CACHE_LINE, "backlogs");

	cpu_for_each(from) {
		if (from == cpu)
			continue;
		b->from[from] = mem_alloc(sizeof(struct spsc), CACHE_LINE, "backlogs");
		spsc_init(b->from[from],
			  mem_alloc(RPS_BACKLOG_MAX * sizeof(void *), CACHE_LINE, "backlogs"),
			  RPS_BACKLOG_MAX);
	}
	b->napi = (struct napi){
		.ops = &backlog_ops,
		.poll = process_backlog,
		.cpu = cpu,
		.name = "backlog",
	};
	*holder = (struct pkt_holder){ .name = "backlogs", .walk = backlog_walk, .arg = b };
	pkt_holder_add(holder);
	return b;
}

/* what was taken before it was counted makes it less than nothing for a moment */
unsigned rps_backlog(unsigned cpu)
{
	return MAX(atomic_load_explicit(&backlog[cpu]->waiting, memory_order_relaxed), 0);
}

static uint64_t backlog_dropped(unsigned cpu)
{
	return atomic_load_explicit(&backlog[cpu]->dropped, memory_order_relaxed);
}

void rps_init(void)
{
	cpu_for_each(i)
		backlog[i] = backlog_create(i);
	open_softirq(SOFTIRQ_BACKLOG, rps_trigger_softirq);
	softnet_backlog(rps_backlog, backlog_dropped);
	cpu_for_each(i)
		napi_enable(&backlog[i]->napi);
}

SYSCTL(sysctl_backlog, "net.core.netdev_max_backlog", &netdev_max_backlog, 1, RPS_BACKLOG_MAX,
       "packets that may wait in a core's backlog");
