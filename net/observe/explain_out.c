/* SPDX-License-Identifier: MIT */
/*
 * explain_out.c - `explain`, from the verdict to the device: link, length, who sends, queueing
 * discipline, taps; and those that look on, which both ways have
 *
 * Control context, cores parked. What is behind the port it knows itself: ops->explain.
 */
#include "explain.h"

#include "drivers/netdev.h"
#include "net/sched/qdisc.h"
#include "net/taps.h"
#include "net/xmit.h"

void explain_stage(struct shell *sh, const char *name)
{
	shell_printf(sh, "%-12s ", name);
}

void explain_drop(struct shell *sh, enum drop_reason why)
{
	shell_printf(sh, "drop (%s): %s\n", drop_text[why].name, drop_text[why].text);
}

void explain_taps(struct shell *sh, const struct port *port, const struct pkt *p, unsigned where)
{
	struct taps_count n = taps_count(port, p, where);

	if (!n.all && !n.own)
		return;
	explain_stage(sh, where == TAP_OUT ? "taps out" : "taps");
	shell_printf(sh, "%u of all ports, %u of %s; %u of them want it\n", n.all, n.own,
		     port->name, n.want);
}

/* explain_qdisc() - returns whether it goes on */
static bool explain_qdisc(struct shell *sh, const struct port *out, const struct pkt *p)
{
	const struct qdisc *q = out->qdisc;

	if (!(out->tx_extra & PORT_QDISC))
		return true;
	explain_stage(sh, "qdisc");
	if (!q->o.kind->waiting && q->packets >= q->o.limit) {
		explain_drop(sh, DROP_QDISC_FULL);
		return false;
	}
	shell_printf(sh, "%s%s, %u of %u wait", q->o.kind->name, q->o.rate ? " in tbf" : "",
		     (unsigned)q->packets, q->o.limit);
	if (q->o.kind->waiting)
		shell_printf(sh, ", %u of its flow%s", q->o.kind->waiting(q, p),
			     q->packets < q->o.limit ? "" : "; the longest loses one for it");
	shell_printf(sh, "\n");
	return true;
}

void explain_out(struct shell *sh, struct port *port, const struct pkt *p, uint32_t len,
		 unsigned cpu)
{
	unsigned sender = xmit_sender(port, cpu);

	explain_stage(sh, "out");
	shell_printf(sh, "%s: ", port->name);
	if (!port->ready || sender == MAX_CPUS) {
		shell_printf(sh, "drop (tx_down): it is %s\n",
			     port->up ? "without a link" : "down");
		return;
	}
	if (len > ETH_HLEN + VLAN_HLEN + (uint32_t)port->mtu) {
		shell_printf(sh, "drop (tx_too_long): %u bytes, MTU %u\n", (unsigned)len,
			     port->mtu);
		return;
	}
	shell_printf(sh, "queue %d, %s core %u\n", port->txq_of_cpu[sender],
		     sender == cpu ? "from" : "handed over to", sender);
	if (!explain_qdisc(sh, port, p))
		return;
	explain_taps(sh, port, p, TAP_OUT);
	if (port->internal) {
		explain_stage(sh, "handler");
		shell_printf(sh, "Weir's own protocols\n");
	}
	if (port->ops->explain)
		port->ops->explain(port, p, sh);
}
