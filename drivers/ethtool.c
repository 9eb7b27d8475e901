/* SPDX-License-Identifier: MIT */
/*
 * ethtool.c - the shell's ethtool: Linux's options, argument order and output (ethtool 6.1, igb)
 *
 * Control context, core 0. Owns nothing; asks the device through struct ethtool_ops.
 */
#include "netdev.h"

#include "kernel/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATS_MAX = 160 };

static int show_settings(struct shell *sh, struct netdev *dev)
{
	static const char modes[] = "10baseT/Half 10baseT/Full\n"
				    "\t                        100baseT/Half 100baseT/Full\n"
				    "\t                        1000baseT/Full\n";

	shell_printf(sh, "Settings for %s:\n", dev->name);
	shell_printf(sh, "\tSupported ports: [ TP ]\n");
	shell_printf(sh, "\tSupported link modes:   %s", modes);
	shell_printf(sh, "\tSupported pause frame use: No\n");
	shell_printf(sh, "\tSupports auto-negotiation: Yes\n");
	shell_printf(sh, "\tSupported FEC modes: Not reported\n");
	shell_printf(sh, "\tAdvertised link modes:  %s", modes);
	shell_printf(sh, "\tAdvertised pause frame use: No\n");
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

static int show_driver(struct shell *sh, struct netdev *dev)
{
	shell_printf(sh, "driver: %s\n", dev->ethtool->driver);
	shell_printf(sh, "version: %s\n", dev->ethtool->version);
	shell_printf(sh, "firmware-version: \n");
	shell_printf(sh, "expansion-rom-version: \n");
	shell_printf(sh, "bus-info: %s\n", dev->bus_info);
	shell_printf(sh, "supports-statistics: yes\n");
	shell_printf(sh, "supports-test: no\n");
	shell_printf(sh, "supports-eeprom-access: no\n");
	shell_printf(sh, "supports-register-dump: no\n");
	shell_printf(sh, "supports-priv-flags: no\n");
	return 0;
}

static int show_stats(struct shell *sh, struct netdev *dev)
{
	struct ethtool_stat *s = calloc(STATS_MAX, sizeof(*s));
	unsigned n;

	if (!s)
		return shell_error(sh, 0, -ENOMEM, "no memory for the statistics");
	n = dev->ethtool->get_stats(dev, s, STATS_MAX);
	shell_printf(sh, "NIC statistics:\n");
	for (unsigned i = 0; i < n && i < STATS_MAX; i++)
		shell_printf(sh, "     %s: %lu\n", s[i].name, (unsigned long)s[i].value);
	free(s);
	return 0;
}

static int show_coalesce(struct shell *sh, struct netdev *dev)
{
	/* Linux's rows; what the device does not have is n/a. "" is the empty line between groups */
	static const char *const rows[] = {
		"stats-block-usecs:\t",
		"sample-interval:\t",
		"pkt-rate-low:\t\t",
		"pkt-rate-high:\t\t",
		"",
		"rx-usecs:\t",
		"rx-frames:\t",
		"rx-usecs-irq:\t",
		"rx-frames-irq:\t",
		"",
		"tx-usecs:\t",
		"tx-frames:\t",
		"tx-usecs-irq:\t",
		"tx-frames-irq:\t",
		"",
		"rx-usecs-low:\t\t",
		"rx-frame-low:\t\t",
		"tx-usecs-low:\t\t",
		"tx-frame-low:\t\t",
		"",
		"rx-usecs-high:\t\t",
		"rx-frame-high:\t\t",
		"tx-usecs-high:\t\t",
		"tx-frame-high:\t\t",
		"",
	};

	shell_printf(sh, "Coalesce parameters for %s:\n", dev->name);
	shell_printf(sh, "Adaptive RX: n/a  TX: n/a\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strncmp(rows[i], "rx-usecs:", 9) == 0)
			shell_printf(sh, "%s%u\n", rows[i], dev->ethtool->get_coalesce(dev));
		else
			shell_printf(sh, "%s%s\n", rows[i], *rows[i] ? "n/a" : "");
	}
	shell_printf(sh, "CQE mode RX: n/a  TX: n/a\n\n");
	return 0;
}

static int show_ring(struct shell *sh, struct netdev *dev)
{
	shell_printf(sh, "Ring parameters for %s:\n", dev->name);
	for (unsigned i = 0; i < 2; i++) {
		shell_printf(sh, i ? "Current hardware settings:\n" : "Pre-set maximums:\n");
		shell_printf(sh, "RX:\t\t%u\n", dev->ring_size);
		shell_printf(sh, "RX Mini:\tn/a\n");
		shell_printf(sh, "RX Jumbo:\tn/a\n");
		shell_printf(sh, "TX:\t\t%u\n", dev->ring_size);
	}
	shell_printf(sh, "RX Buf Len:\t\t%u\n", PKT_BUF_SIZE);
	shell_printf(sh, "CQE Size:\t\tn/a\n");
	shell_printf(sh, "TX Push:\toff\n");
	shell_printf(sh, "TCP data split:\tn/a\n");
	return 0;
}

static int show_channels(struct shell *sh, struct netdev *dev)
{
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

static int restart_link(struct shell *sh, struct netdev *dev)
{
	int err = dev->ethtool->nway_reset(dev);

	if (err == -ENETDOWN)
		return shell_error(sh, 2, err, "%s is down", dev->name);
	return err ? shell_error(sh, 2, err, "%s: the PHY does not answer", dev->name) : 0;
}

static int set_coalesce(struct shell *sh, int n, struct netdev *dev)
{
	unsigned long usecs;

	if (n < 4 || strcmp(sh->word[3].s, "rx-usecs"))
		return shell_expected(sh, 3, "rx-usecs");
	if (n > 5)
		return shell_expected(sh, 5, "the end of the line");
	if (shell_uint(sh, 4, 0, UINT16_MAX, &usecs))
		return -EINVAL;
	if (dev->ethtool->set_coalesce(dev, usecs))
		return shell_expected(sh, 4,
				      "fewer microseconds, the device cannot wait that long");
	return 0;
}

static const struct {
	const char *option, *longer;
	int (*run)(struct shell *sh, struct netdev *dev);
} options[] = {
	{ "-S", "--statistics", show_stats },       { "-i", "--driver", show_driver },
	{ "-c", "--show-coalesce", show_coalesce }, { "-g", "--show-ring", show_ring },
	{ "-l", "--show-channels", show_channels }, { "-r", "--negotiate", restart_link },
};

static int run_ethtool(struct shell *sh, int n, const struct word *w)
{
	bool set = word_is(n, w, 1, "-C") || word_is(n, w, 1, "--coalesce");
	int at = n > 1 && w[1].s[0] == '-' ? 2 : 1;
	struct netdev *dev = n > at ? netdev_by_name(w[at].s) : NULL;
	size_t i = 0;

	while (at == 2 && !set && i < ARRAY_SIZE(options) && !word_is(n, w, 1, options[i].option) &&
	       !word_is(n, w, 1, options[i].longer))
		i++;
	if (i == ARRAY_SIZE(options))
		return shell_expected(sh, 1, "-S, -i, -c, -C, -g, -l, -r or a NIC's name");
	if (!dev)
		return shell_expected(sh, at, "a NIC's name");
	if (set)
		return set_coalesce(sh, n, dev);
	if (n > at + 1)
		return shell_expected(sh, at + 1, "the end of the line");
	return at == 1 ? show_settings(sh, dev) : options[i].run(sh, dev);
}

static void complete_ethtool(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to)
{
	if (n == 1) {
		add(to, "-C");
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			add(to, options[i].option);
	}
	if (n == 1 || (n == 2 && w[1].s[0] == '-'))
		netdev_for_each(i)
			add(to, netdevs[i]->name);
	if (n == 3 && word_is(n, w, 1, "-C"))
		add(to, "rx-usecs");
}

SHELL_COMMAND(cmd_ethtool, .name = "ethtool",
	      .usage = "[-S|-i|-c|-g|-l|-r] DEV | -C DEV rx-usecs N",
	      .help = "a NIC's settings, statistics and interrupt throttle", .run = run_ethtool,
	      .complete = complete_ethtool);

static void print_config(struct shell *sh)
{
	netdev_for_each(i) {
		unsigned usecs = netdevs[i]->ethtool->get_coalesce(netdevs[i]);

		if (usecs)
			shell_printf(sh, "ethtool -C %s rx-usecs %u\n", netdevs[i]->name, usecs);
	}
}

CONFIG_SOURCE(ethtool_config, .order = 20, .print = print_config);
