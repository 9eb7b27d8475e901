/* SPDX-License-Identifier: MIT */
/*
 * igb_stats.c - statistics of the 82576, under the names that Linux's igb gives them, and its ethtool ops
 *
 * Called in the control context and by the watchdog, both on core 0, so the sums need no lock. The chip's registers
 * are cleared by reading and stop at their maximum, hence the watchdog.
 */
#include "igb.h"

#include <errno.h>
#include <stdio.h>

/* summed in igb->stat[], same index */
static const struct {
	const char *name;
	uint32_t reg;
	bool wide; /* 64 bits: the upper half behind, which clears both */
} regs[] = {
	{ "rx_packets", IGB_GPRC, false },
	{ "tx_packets", IGB_GPTC, false },
	{ "rx_bytes", IGB_GORCL, true },
	{ "tx_bytes", IGB_GOTCL, true },
	{ "rx_broadcast", IGB_BPRC, false },
	{ "tx_broadcast", IGB_BPTC, false },
	{ "rx_multicast", IGB_MPRC, false },
	{ "tx_multicast", IGB_MPTC, false },
	{ "collisions", IGB_COLC, false },
	{ "rx_crc_errors", IGB_CRCERRS, false },
	{ "rx_no_buffer_count", IGB_RNBC, false },
	{ "rx_missed_errors", IGB_MPC, false },
	{ "tx_aborted_errors", IGB_ECOL, false },
	{ "tx_carrier_errors", IGB_TNCRS, false },
	{ "tx_window_errors", IGB_LATECOL, false },
	{ "tx_deferred_ok", IGB_DC, false },
	{ "tx_single_coll_ok", IGB_SCC, false },
	{ "tx_multi_coll_ok", IGB_MCC, false },
	{ "rx_long_length_errors", IGB_ROC, false },
	{ "rx_short_length_errors", IGB_RUC, false },
	{ "rx_align_errors", IGB_ALGNERRC, false },
	{ "rx_length_errors", IGB_RLEC, false },
	{ "rx_flow_control_xon", IGB_XONRXC, false },
	{ "rx_flow_control_xoff", IGB_XOFFRXC, false },
	{ "tx_flow_control_xon", IGB_XONTXC, false },
	{ "tx_flow_control_xoff", IGB_XOFFTXC, false },
	{ "rx_fragments", IGB_RFC, false },
	{ "rx_jabbers", IGB_RJC, false },
	{ "rx_phy_errors", IGB_RXERRC, false },
};

_Static_assert(ARRAY_SIZE(regs) <= IGB_NSTATS, "igb.h has room for all");

void igb_stats_update(struct igb *igb)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		uint64_t v = igb_read(igb, regs[i].reg);

		if (regs[i].wide)
			v |= (uint64_t)igb_read(igb, regs[i].reg + 4) << 32;
		igb->stat[i] += v;
	}
	for (unsigned q = 0; q < igb->dev.nqueues; q++)
		igb->queue_drops[q] += igb_read(igb, IGB_RQDPC(q));
}

/* where ethtool -S's answer grows; names that are made up live in @text */
struct stats_out {
	struct ethtool_stat *s;
	unsigned n, max;
};

static void put(struct stats_out *out, const char *name, uint64_t value)
{
	if (out->n < out->max)
		snprintf(out->s[out->n].name, sizeof(out->s[out->n].name), "%s", name);
	if (out->n < out->max)
		out->s[out->n].value = value;
	out->n++;
}

static void put_queue(struct stats_out *out, const char *dir, unsigned q, const char *what,
		      uint64_t value)
{
	char name[ETHTOOL_STAT_NAME];

	snprintf(name, sizeof(name), "%s_queue_%u_%s", dir, q, what);
	put(out, name, value);
}

static unsigned get_stats(struct netdev *dev, struct ethtool_stat *s, unsigned max)
{
	struct igb *igb = dev->priv;
	struct stats_out out = { .s = s, .max = max };
	uint64_t timeouts = 0, lost = 0;

	if (dev->up)
		igb_stats_update(igb);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		put(&out, regs[i].name, igb->stat[i]);
	for (unsigned q = 0; q < dev->max_queues; q++) {
		timeouts += igb->tx[q]->timeouts;
		lost += igb->tx[q]->lost;
	}
	put(&out, "tx_timeout_count", timeouts);
	put(&out, "tx_dma_out_of_sync", igb->events.dma_out_of_sync);
	put(&out, "tx_errors", lost);
	/* one event may stand for many frames: the chip's register for it counts nothing on the models we know */
	put(&out, "rx_over_errors", igb->events.rx_overruns);
	put(&out, "rx_fifo_errors", igb->events.rx_overruns);
	put(&out, "link_changes", igb->events.link_changes);
	for (unsigned q = 0; q < dev->nqueues; q++) {
		const struct netdev_queue *queue = &dev->queue[q];

		put_queue(&out, "tx", q, "packets", queue->tx_packets);
		put_queue(&out, "tx", q, "bytes", queue->tx_bytes);
		put_queue(&out, "tx", q, "busy", queue->tx_busy);
	}
	for (unsigned q = 0; q < dev->nqueues; q++) {
		const struct netdev_queue *queue = &dev->queue[q];

		put_queue(&out, "rx", q, "packets", queue->rx_packets);
		put_queue(&out, "rx", q, "bytes", queue->rx_bytes);
		put_queue(&out, "rx", q, "drops", queue->rx_dropped + igb->queue_drops[q]);
		put_queue(&out, "rx", q, "csum_err", queue->rx_csum_errors);
		put_queue(&out, "rx", q, "alloc_failed", queue->rx_alloc_failed);
	}
	for (unsigned q = 0; q < dev->nqueues;
	     q++) /* tail writes of both rings; Linux does not count them */
		put_queue(&out, "rxtx", q, "doorbells", dev->queue[q].doorbells);
	return out.n;
}

static unsigned get_coalesce(struct netdev *dev)
{
	struct igb *igb = dev->priv;

	return igb->rx_usecs;
}

static int set_coalesce(struct netdev *dev, unsigned usecs)
{
	struct igb *igb = dev->priv;

	if (usecs > IGB_USECS_MAX)
		return -EINVAL;
	igb->rx_usecs = usecs;
	if (dev->up)
		igb_throttle(igb);
	return 0;
}

static int nway_reset(struct netdev *dev)
{
	return dev->up ? igb_link_restart(dev->priv) : -ENETDOWN;
}

const struct ethtool_ops igb_ethtool_ops = {
	.driver = "igb",
	.version = "weir",
	.get_stats = get_stats,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.nway_reset = nway_reset,
};
