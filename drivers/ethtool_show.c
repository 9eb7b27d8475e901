/* SPDX-License-Identifier: MIT */
/*
 * ethtool_show.c - ethtool's settings, -i, -S and -r: what a NIC is, what it has counted, its link
 *
 * Control context, core 0. Owns nothing; asks the device through struct ethtool_ops.
 */
#include "ethtool.h"

#include <errno.h>
#include <stdlib.h>

enum { STATS_MAX = 160 };

static const char *advertised_pause(struct netdev *dev)
{
	struct ethtool_pause p, in_force;

	dev->ethtool->get_pause(dev, &p, &in_force);
	if (!p.autoneg || !(p.rx || p.tx))
		return "No";
	if (p.rx)
		return p.tx ? "Symmetric" : "Symmetric Receive-only";
	return "Transmit-only";
}

int ethtool_show_settings(struct shell *sh, struct netdev *dev)
{
	static const char modes[] = "10baseT/Half 10baseT/Full\n"
				    "\t                        100baseT/Half 100baseT/Full\n"
				    "\t                        1000baseT/Full\n";

	shell_printf(sh, "Settings for %s:\n", dev->name);
	shell_printf(sh, "\tSupported ports: [ TP ]\n");
	shell_printf(sh, "\tSupported link modes:   %s", modes);
	shell_printf(sh, "\tSupported pause frame use: Symmetric Receive-only\n");
	shell_printf(sh, "\tSupports auto-negotiation: Yes\n");
	shell_printf(sh, "\tSupported FEC modes: Not reported\n");
	shell_printf(sh, "\tAdvertised link modes:  %s", modes);
	shell_printf(sh, "\tAdvertised pause frame use: %s\n", advertised_pause(dev));
	shell_printf(sh, "\tAdvertised auto-negotiation: Yes\n");
	shell_printf(sh, "\tAdvertised FEC modes: Not reported\n");
	if (dev->link)
		shell_printf(sh, "\tSpeed: %uMb/s\n\tDuplex: %s\n", dev->speed,
			     dev->full_duplex ? "Full" : "Half");
	else
		shell_printf(sh, "\tSpeed: Unknown!\n\tDuplex: Unknown! (255)\n");
	shell_printf(sh, "\tAuto-negotiation: on\n");
	shell_printf(sh, "\tPort: Twisted Pair\n");
	shell_printf(sh, "\tPHYAD: 1\n");
	shell_printf(sh, "\tTransceiver: internal\n");
	shell_printf(sh, "\tMDI-X: Unknown\n");
	shell_printf(sh, "\tLink detected: %s\n", dev->link ? "yes" : "no");
	return 0;
}

static int show_driver(struct shell *sh, struct netdev *dev, int i)
{
	(void)i;
	shell_printf(sh, "driver: %s\n", dev->driver);
	shell_printf(sh, "version: weir\n");
	shell_printf(sh, "firmware-version: \n");
	shell_printf(sh, "expansion-rom-version: \n");
	shell_printf(sh, "bus-info: %s\n", dev->bus_info);
	shell_printf(sh, "supports-statistics: yes\n");
	shell_printf(sh, "supports-test: no\n");
	shell_printf(sh, "supports-eeprom-access: no\n");
	shell_printf(sh, "supports-register-dump: no\n");
	shell_printf(sh, "supports-priv-flags: %s\n", dev->priv_flags ? "yes" : "no");
	return 0;
}

static int show_stats(struct shell *sh, struct netdev *dev, int i)
{
	struct ethtool_stat *s = calloc(STATS_MAX, sizeof(*s));
	unsigned n;

	(void)i;
	if (!s)
		return shell_error(sh, 0, -ENOMEM, "no memory for the statistics");
	n = dev->ethtool->get_stats(dev, s, STATS_MAX);
	shell_printf(sh, "NIC statistics:\n");
	for (unsigned k = 0; k < n && k < STATS_MAX; k++)
		shell_printf(sh, "     %s: %lu\n", s[k].name, (unsigned long)s[k].value);
	free(s);
	return 0;
}

static int restart_link(struct shell *sh, struct netdev *dev, int i)
{
	int err = dev->ethtool->nway_reset(dev);

	(void)i;
	if (err == -ENETDOWN)
		return shell_error(sh, 2, err, "%s is down", dev->name);
	return err ? shell_error(sh, 2, err, "%s: the PHY does not answer", dev->name) : 0;
}

ETHTOOL_OPTION(option_driver, .option = "-i", .longer = "--driver",
	       .help = "its driver, and where it is on the bus", .run = show_driver);
ETHTOOL_OPTION(option_stats, .option = "-S", .longer = "--statistics",
	       .help = "what it has counted", .run = show_stats);
ETHTOOL_OPTION(option_negotiate, .option = "-r", .longer = "--negotiate",
	       .help = "negotiate the link anew", .run = restart_link);
