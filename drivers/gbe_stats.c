/* SPDX-License-Identifier: MIT */
/*
 * gbe_stats.c - statistics, under the names that Linux's igb gives them, and the
 * ethtool ops of the family
 *
 * Called in the control context and by the watchdog, both on core 0, so the sums need no lock. The
 * chip's registers are cleared by reading and stop at their maximum, hence the watchdog.
 */
#include "gbe.h"

#include <errno.h>
#include <stdio.h>

/* summed in gbe->stat[], same index */
static const struct {
	const char *name;
	uint32_t reg;
	bool wide; /* 64 bits: the upper half behind, which clears both */
} regs[] = {
	{ "rx_packets", GBE_GPRC, false },
	{ "tx_packets", GBE_GPTC, false },
	{ "rx_bytes", GBE_GORCL, true },
	{ "tx_bytes", GBE_GOTCL, true },
	{ "rx_broadcast", GBE_BPRC, false },
	{ "tx_broadcast", GBE_BPTC, false },
	{ "rx_multicast", GBE_MPRC, false },
	{ "tx_multicast", GBE_MPTC, false },
	{ "collisions", GBE_COLC, false },
	{ "rx_crc_errors", GBE_CRCERRS, false },
	{ "rx_no_buffer_count", GBE_RNBC, false },
	{ "rx_missed_errors", GBE_MPC, false },
	{ "tx_aborted_errors", GBE_ECOL, false },
	{ "tx_carrier_errors", GBE_TNCRS, false },
	{ "tx_window_errors", GBE_LATECOL, false },
	{ "tx_deferred_ok", GBE_DC, false },
	{ "tx_single_coll_ok", GBE_SCC, false },
	{ "tx_multi_coll_ok", GBE_MCC, false },
	{ "rx_long_length_errors", GBE_ROC, false },
	{ "rx_short_length_errors", GBE_RUC, false },
	{ "rx_align_errors", GBE_ALGNERRC, false },
	{ "rx_length_errors", GBE_RLEC, false },
	{ "rx_flow_control_xon", GBE_XONRXC, false },
	{ "rx_flow_control_xoff", GBE_XOFFRXC, false },
	{ "tx_flow_control_xon", GBE_XONTXC, false },
	{ "tx_flow_control_xoff", GBE_XOFFTXC, false },
	{ "rx_fragments", GBE_RFC, false },
	{ "rx_jabbers", GBE_RJC, false },
	{ "rx_phy_errors", GBE_RXERRC, false },
	{ "tx_tcp_seg_good", GBE_TSCTC, false },
	{ "tx_tcp_seg_failed", GBE_TSCTFC, false },
};

/* which Linux tells under a second name as well, or as a sum */
static const struct {
	const char *name;
	uint32_t of[3];
} sums[] = {
	{ "multicast", { GBE_MPRC } },
	{ "tx_abort_late_coll", { GBE_LATECOL } },
	{ "rx_long_byte_count", { GBE_GORCL } },
	{ "rx_frame_errors", { GBE_ALGNERRC } },
	{ "rx_errors", { GBE_CRCERRS, GBE_ALGNERRC, GBE_RLEC } },
};

_Static_assert(ARRAY_SIZE(regs) <= GBE_NSTATS, "gbe.h has room for all");

void gbe_stats_update(struct gbe *gbe)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		uint64_t v = gbe_read(gbe, regs[i].reg);

		if (regs[i].wide)
			v |= (uint64_t)gbe_read(gbe, regs[i].reg + 4) << 32;
		gbe->stat[i] += v;
	}
	for (unsigned q = 0; gbe->chip->counts_drops && q < gbe->dev.nqueues; q++)
		gbe->queue_drops[q] += gbe_read(gbe, gbe_rx_reg(gbe, q, GBE_RING_DROPS));
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

static uint64_t sum_of(const struct gbe *gbe, const uint32_t of[3])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		for (unsigned k = 0; k < 3; k++)
			sum += of[k] == regs[i].reg ? gbe->stat[i] : 0;
	return sum;
}

unsigned gbe_get_stats(struct netdev *dev, struct ethtool_stat *s, unsigned max)
{
	struct gbe *gbe = dev->priv;
	struct stats_out out = { .s = s, .max = max };
	uint64_t timeouts = 0, lost = 0;

	if (dev->up)
		gbe_stats_update(gbe);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		put(&out, regs[i].name, gbe->stat[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		put(&out, sums[i].name, sum_of(gbe, sums[i].of));
	for (unsigned q = 0; q < dev->max_queues; q++) {
		timeouts += gbe->tx[q]->timeouts;
		lost += gbe->tx[q]->lost;
	}
	put(&out, "tx_timeout_count", timeouts);
	put(&out, "tx_dma_out_of_sync", gbe->events.dma_out_of_sync);
	put(&out, "tx_errors", lost);
	/*
	 * one event may stand for many frames: the chip's register for it counts
	 * nothing on the models we know
	 */
	put(&out, "rx_over_errors", gbe->events.rx_overruns);
	put(&out, "rx_fifo_errors", gbe->events.rx_overruns);
	put(&out, "link_changes", gbe->events.link_changes);
	for (unsigned q = 0; q < dev->nqueues; q++) {
		const struct netdev_queue *queue = &dev->queue[q];

		put_queue(&out, "tx", q, "packets", queue->tx_packets);
		put_queue(&out, "tx", q, "bytes", queue->tx_bytes);
		put_queue(&out, "tx", q, "restart", queue->tx_restarts);
		/* Weir's own: packets that found the ring full */
		put_queue(&out, "tx", q, "busy", queue->tx_busy);
	}
	for (unsigned q = 0; q < dev->nqueues; q++) {
		const struct netdev_queue *queue = &dev->queue[q];

		put_queue(&out, "rx", q, "packets", queue->napi.packets);
		put_queue(&out, "rx", q, "bytes", queue->rx_bytes);
		put_queue(&out, "rx", q, "drops", queue->rx_dropped + gbe->queue_drops[q]);
		put_queue(&out, "rx", q, "csum_err", queue->rx_csum_errors);
		put_queue(&out, "rx", q, "alloc_failed", queue->rx_alloc_failed);
	}
	/* tail writes of both rings; Linux does not count them */
	for (unsigned q = 0; q < dev->nqueues; q++)
		put_queue(&out, "rxtx", q, "doorbells", dev->queue[q].doorbells);
	return out.n;
}

int gbe_nway_reset(struct netdev *dev)
{
	return dev->up ? gbe_link_restart(dev->priv) : -ENETDOWN;
}
