/* SPDX-License-Identifier: MIT */
/*
 * ethtool_rings.c - ethtool -g and -l: sizes of the rings, and how many queue pairs
 *
 * Control context, core 0. Owns nothing; the device says what it has.
 */
#include "ethtool.h"

static int show_ring(struct shell *sh, struct netdev *dev, int at)
{
	(void)at;
	shell_printf(sh, "Ring parameters for %s:\n", dev->name);
	for (unsigned i = 0; i < 2; i++) {
		shell_printf(sh, i ? "Current hardware settings:\n" : "Pre-set maximums:\n");
		shell_printf(sh, "RX:\t\t%u\n", dev->rx_ring_size);
		shell_printf(sh, "RX Mini:\tn/a\n");
		shell_printf(sh, "RX Jumbo:\tn/a\n");
		shell_printf(sh, "TX:\t\t%u\n", dev->tx_ring_size);
	}
	shell_printf(sh, "RX Buf Len:\t\t%u\n", PKT_BUF_SIZE);
	shell_printf(sh, "CQE Size:\t\tn/a\n");
	shell_printf(sh, "TX Push:\toff\n");
	shell_printf(sh, "TCP data split:\tn/a\n");
	return 0;
}

static int show_channels(struct shell *sh, struct netdev *dev, int at)
{
	(void)at;
	shell_printf(sh, "Channel parameters for %s:\n", dev->name);
	for (unsigned i = 0; i < 2; i++) {
		shell_printf(sh, i ? "Current hardware settings:\n" : "Pre-set maximums:\n");
		shell_printf(sh, "RX:\t\tn/a\n");
		shell_printf(sh, "TX:\t\tn/a\n");
		shell_printf(sh, "Other:\t\t1\n");
		shell_printf(sh, "Combined:\t%u\n", i ? dev->nqueues : dev->max_queues);
	}
	return 0;
}

ETHTOOL_OPTION(option_show_ring, .option = "-g", .longer = "--show-ring",
	       .help = "descriptors of its rings", .run = show_ring);
ETHTOOL_OPTION(option_show_channels, .option = "-l", .longer = "--show-channels",
	       .help = "its queue pairs", .run = show_channels);
