/* SPDX-License-Identifier: MIT */
/*
 * explain_in.c - `explain`, from the wire to the handler: NIC, queue, GRO, RPS, taps, filter.
 * Control context, cores parked.
 */
#include "explain.h"

#include "kernel/policy.h"
#include "drivers/netdev.h"
#include "net/gro.h"
#include "net/rps.h"
#include "net/taps.h"
#include "net/tc_filter.h"
#include "net/xmit.h"

#include <stdio.h>
#include <string.h>

/* --- the device --- */

/* refused() - why the chip would not take a frame to @dst; NULL: it would. */
static const char *refused(const struct netdev *dev, const uint8_t *dst)
{
	static const uint8_t all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (dev->promisc || !memcmp(dst, dev->mac, ETH_ALEN) || !memcmp(dst, all, ETH_ALEN))
		return NULL;
	if (!(dst[0] & 1))
		return "another station's address, and not promiscuous";
	return dev->ops->takes_group(dev, dst) ? NULL : "a group that it does not listen to";
}

/*
 * hash_of() - by the chip's rules; where it tells us, @p brings it along from
 * now on. False: it has none.
 */
static bool hash_of(struct port *port, struct pkt *p, uint32_t *hash)
{
	struct netdev *dev = port->priv;
	bool tells = dev->features & NETDEV_RX_HASH;
	bool has = (dev->nqueues > 1 || tells) && rps_hash(port, p, &dev->rss, hash);

	if (has && tells) {
		p->hash = *hash;
		p->flags |= PKT_HASH;
	}
	return has;
}

/*
 * explain_nic() - would the chip take it, and which queue? Returns the queue, -1 if it would not.
 */
static int explain_nic(struct shell *sh, struct port *port, struct pkt *p)
{
	struct netdev *dev = port->priv;
	uint32_t hash;
	unsigned q = 0;

	explain_stage(sh, "NIC");
	if (!port->ready) {
		shell_printf(sh, "not received: it is %s\n", port->up ? "without a link" : "down");
		return -1;
	}
	if (p->frame_len > netdev_frame_max(dev)) {
		shell_printf(sh, "not received: %u bytes are more than MTU %u takes\n",
			     (unsigned)p->frame_len, dev->mtu);
		return -1;
	}
	if (refused(dev, p->data)) {
		shell_printf(sh, "not received: %s\n", refused(dev, p->data));
		return -1;
	}
	if (hash_of(port, p, &hash) && dev->nqueues > 1) {
		q = dev->rss.table[hash % RSS_TABLE];
		shell_printf(sh, "RSS hash 0x%08x, entry %u of the table: queue %u", (unsigned)hash,
			     (unsigned)(hash % RSS_TABLE), q);
	} else {
		shell_printf(sh, "%s: queue 0",
			     dev->nqueues > 1 ? "no sound IP header, so no hash" : "one queue");
	}
	shell_printf(sh, ", core %u\n", dev->queue[q].cpu);
	return q;
}

/* --- how its queue learns of it --- */

static const char *const learns[POLICY_N] = {
	[POLICY_IRQ] = "an interrupt, and the handler takes it",
	[POLICY_NAPI] = "an interrupt, then polls until one finds nothing",
	[POLICY_DEFER] = "an interrupt, unless a timer still looks",
	[POLICY_SUSPEND] = "an interrupt, unless the polls before found some",
	[POLICY_KICK] = "a kick, which is an exit",
	[POLICY_BUSYLOOP] = "a kick, unless the worker still looks",
	[POLICY_POLL] = "none tells: each turn of the core loop looks",
	[POLICY_ADAPTIVE] = "a kick, unless the worker looks when the guest has run",
};

static void explain_throttle(struct shell *sh, struct netdev *dev, unsigned queue)
{
	const struct napi_policy *p = &dev->queue[queue].policy;
	unsigned usecs = dev->ethtool->get_coalesce ? dev->ethtool->get_coalesce(dev) : 0;

	if (p->storm.until)
		shell_printf(sh, "; masked, in a storm of interrupts");
	else if (p->now == POLICY_POLL)
		return;
	else if (p->moderated)
		shell_printf(sh, "; adaptive-rx on");
	else if (usecs)
		shell_printf(sh, "; rx-usecs %u", usecs);
}

/* explain_queue() - @dev is the NIC, or NULL: a guest sent it. */
static void explain_queue(struct shell *sh, const struct port *port, struct netdev *dev,
			  unsigned queue)
{
	struct policy_queue *q;
	enum policy now;
	char name[PORT_NAME + 8];

	snprintf(name, sizeof(name), dev ? "%s/%u" : "%s/tx", port->name, queue);
	q = policy_by_name(name);
	if (!q)
		return; /* an internal port's packets come from Weir itself */
	now = q->ops->now ? q->ops->now(q) : q->policy;
	explain_stage(sh, dev ? "queue" : "ring");
	shell_printf(sh, "%s is %s", name, policy_name[q->policy]);
	if (now != q->policy)
		shell_printf(sh, ", just now %s", policy_name[now]);
	shell_printf(sh, ": %s", learns[now]);
	if (dev)
		explain_throttle(sh, dev, queue);
	shell_printf(sh, "\n");
}

/* --- on the core that received it --- */

/* explain_gro() - it goes on, now or later, whatever GRO says */
static void explain_gro(struct shell *sh, struct port *port, unsigned queue, struct pkt *p)
{
	static const char *const fate[] = {
		[GRO_FOREIGN] = "no TCP, nor UDP where that is merged: goes on",
		[GRO_UNSOUND] = "no payload, or a length or checksum is wrong: goes on",
		[GRO_FINAL] = "its flags end a flow: goes on",
		[GRO_HELD] = "held, as the first of its flow",
		[GRO_MERGED] = "hangs on to those that are held of its flow",
		[GRO_MERGED_LAST] = "hangs on to those that are held of its flow, as the last",
	};
	unsigned held;
	enum gro_fate what;

	explain_stage(sh, "GRO");
	if (!(port->rx_extra & PORT_GRO)) {
		shell_printf(sh, "off\n");
		return;
	}
	what = gro_peek(port, queue, p, &held);
	if (held && what < GRO_MERGED)
		shell_printf(sh, "does not continue the %u held of its flow, which go on; ", held);
	shell_printf(sh, "%s", fate[what]);
	if (what >= GRO_MERGED)
		shell_printf(sh, ", %u with it", held + 1);
	shell_printf(sh, "\n");
}

/* explain_rps() - the core that has it afterwards, -1 if none does; @cpu received it. */
static int explain_rps(struct shell *sh, struct port *port, unsigned queue, const struct pkt *p,
		       unsigned cpu)
{
	uint32_t hash;
	unsigned to, waiting;

	explain_stage(sh, "RPS");
	if (!(port->rx_extra & PORT_RPS)) {
		shell_printf(sh, "off: it stays on its core\n");
		return cpu;
	}
	if (!rps_peek(port, queue, p, &hash, &to)) {
		shell_printf(sh, "queue %u is not steered, or the frame has no hash\n", queue);
		return cpu;
	}
	waiting = rps_backlog(to);
	shell_printf(sh, "hash 0x%08x: core %u", (unsigned)hash, to);
	if (to == cpu)
		shell_printf(sh, ", where it is\n");
	else if (waiting < netdev_max_backlog)
		shell_printf(sh, ", in whose backlog %u of %u wait\n", waiting, netdev_max_backlog);
	else {
		shell_printf(sh, ": ");
		explain_drop(sh, DROP_BACKLOG_FULL);
		return -1;
	}
	return to;
}

/* explain_filter() - returns whether it goes on */
static bool explain_filter(struct shell *sh, const struct port *port, const struct pkt *p)
{
	explain_stage(sh, "tc ingress");
	if (!(port->rx_extra & PORT_FILTER)) {
		shell_printf(sh, "no filters\n");
		return true;
	}
	for (const struct tc_filter *f = tc_filter_first(port); f; f = f->next) {
		if (!bpf_run(f->prog, p, port->id))
			continue;
		shell_printf(sh, "filter pref %u handle %u wants it: %s\n", f->pref,
			     (unsigned)f->handle,
			     f->action == TC_ACT_SHOT ? "drop (filter)" : "go on");
		return f->action != TC_ACT_SHOT;
	}
	shell_printf(sh, "no filter wants it: go on\n");
	return true;
}

int explain_in(struct shell *sh, struct port *port, struct pkt *p)
{
	struct netdev *dev = port->ops->rss_key ? port->priv : NULL;
	int queue = dev ? explain_nic(sh, port, p) : 0, cpu;

	if (queue < 0)
		return -1;
	explain_queue(sh, port, dev, queue);
	cpu = dev ? dev->queue[queue].cpu : xmit_sender(port, this_cpu()->id);
	if (dev)
		explain_gro(sh, port, queue, p);
	cpu = explain_rps(sh, port, queue, p, cpu);
	if (cpu < 0)
		return -1;
	explain_taps(sh, port, p, TAP_IN);
	return explain_filter(sh, port, p) ? cpu : -1;
}
