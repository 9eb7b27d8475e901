/* SPDX-License-Identifier: MIT */
/*
 * ethtool_coalesce.c - ethtool -c and -C: how long an interrupt may wait;
 * /sys/class/net/NIC/throttle: how long it does
 *
 * Control context, core 0. Owns nothing; asks the device through struct ethtool_ops.
 */
#include "ethtool.h"

#include <errno.h>
#include <string.h>

static int show_coalesce(struct shell *sh, struct netdev *dev, int at)
{
	/*
	 * Linux's rows; what the device does not have is n/a. "" is the empty line between groups
	 */
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

	(void)at;
	shell_printf(sh, "Coalesce parameters for %s:\n", dev->name);
	shell_printf(sh, "Adaptive RX: %s  TX: n/a\n", dev->adaptive_rx ? "on" : "off");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strncmp(rows[i], "rx-usecs:", 9) == 0)
			shell_printf(sh, "%s%u\n", rows[i], dev->ethtool->get_coalesce(dev));
		else
			shell_printf(sh, "%s%s\n", rows[i], *rows[i] ? "n/a" : "");
	}
	shell_printf(sh, "CQE mode RX: n/a  TX: n/a\n\n");
	return 0;
}

/* what a line asks for; words that were not there are left alone */
struct coalesce {
	int usecs_word; /* 0: not asked for */
	unsigned long usecs;
	bool set_adaptive, adaptive;
};

/* parse_one() - word @i and its value. */
static int parse_one(struct shell *sh, int i, struct coalesce *c)
{
	if (word_is(sh->nwords, sh->word, i, "rx-usecs")) {
		c->usecs_word = i + 1;
		return shell_uint(sh, i + 1, 0, UINT16_MAX, &c->usecs);
	}
	if (!word_is(sh->nwords, sh->word, i, "adaptive-rx"))
		return shell_expected(sh, i, "rx-usecs or adaptive-rx");
	c->set_adaptive = true;
	c->adaptive = word_is(sh->nwords, sh->word, i + 1, "on");
	if (!c->adaptive && !word_is(sh->nwords, sh->word, i + 1, "off"))
		return shell_expected(sh, i + 1, "on or off");
	return 0;
}

static int set_coalesce(struct shell *sh, struct netdev *dev, int i)
{
	struct coalesce c = { 0 };

	do {
		if (parse_one(sh, i, &c))
			return -EINVAL;
		i += 2;
	} while (i < sh->nwords);
	if (c.usecs_word && dev->ethtool->set_coalesce(dev, c.usecs))
		return shell_expected(sh, c.usecs_word,
				      "fewer microseconds, the device cannot wait that long");
	if (c.set_adaptive)
		dev->ethtool->set_adaptive(dev, c.adaptive);
	return 0;
}

static void complete_coalesce(int n, const struct word *w, int i,
			      void (*add)(void *to, const char *s), void *to)
{
	if (n >= i && (n - i) % 2 == 0) {
		add(to, "rx-usecs");
		add(to, "adaptive-rx");
	} else if (word_is(n, w, n - 1, "adaptive-rx")) {
		add(to, "on");
		add(to, "off");
	}
}

ETHTOOL_OPTION(option_show, .option = "-c", .longer = "--show-coalesce",
	       .help = "how long its interrupts wait for more packets", .run = show_coalesce);
ETHTOOL_OPTION(option_set, .option = "-C", .longer = "--coalesce",
	       .more = "[rx-usecs N] [adaptive-rx on|off]",
	       .help = "interrupts wait so many microseconds, or as long as DIM finds best",
	       .run = set_coalesce, .complete = complete_coalesce);

/* --- Weir's own: what a device makes of it --- */

static void show_time(struct shell *sh, const char *what, uint64_t ps)
{
	unsigned long ns = ps / 1000;

	shell_printf(sh, "%s: %lu.%03lu us\n", what, ns / 1000, ns % 1000);
}

static void show_real(struct shell *sh, const struct ethtool_throttle *t)
{
	uint64_t floor_ps = t->floor_ns * UINT64_C(1000);

	show_time(sh, "real", t->ignored ? 0 : MAX(t->count * (uint64_t)t->unit_ps, floor_ps));
}

/* show_chosen() - what each queue waits for now, the register's count and all being its own. */
static void show_chosen(struct shell *sh, const struct netdev *dev)
{
	for (unsigned q = 0; q < dev->nqueues; q++)
		shell_printf(sh, "queue %u: %u us, by adaptive-rx\n", q,
			     dim_usecs(&dev->queue[q].policy.dim));
}

static int show_throttle(struct shell *sh, const char *star)
{
	struct netdev *dev = netdev_by_name(star);
	struct ethtool_throttle t;

	if (!dev)
		return shell_error(sh, sh->nwords - 1, -ENOENT, "no NIC %s", star);
	dev->ethtool->get_throttle(dev, &t);
	shell_printf(sh, "asked: %u us\n", dev->ethtool->get_coalesce(dev));
	if (dev->adaptive_rx)
		show_chosen(sh, dev);
	else
		shell_printf(sh, "register: %u\n", t.count);
	show_time(sh, "unit by the datasheet", t.nominal_ps);
	if (!t.measured)
		shell_printf(sh, "unit: not measured\n");
	else if (t.ignored)
		shell_printf(sh, "unit: none, interrupts do not wait\n");
	else
		show_time(sh, "unit", t.unit_ps);
	show_time(sh, "shortest", t.floor_ns * UINT64_C(1000));
	if (!dev->adaptive_rx)
		show_real(sh, &t);
	return 0;
}

static void add_names(void (*add)(void *to, const char *s), void *to)
{
	netdev_for_each(i)
		add(to, netdevs[i]->name);
}

PROC_FILE(sys_throttle, .path = "/sys/class/net/*/throttle",
	  .help = "how long interrupts wait: asked for, as the register has it, as measured when "
		  "it came up",
	  .show = show_throttle, .stars = add_names);

static void print_config(struct shell *sh)
{
	netdev_for_each(i) {
		unsigned usecs = netdevs[i]->ethtool->get_coalesce(netdevs[i]);

		if (usecs)
			shell_printf(sh, "ethtool -C %s rx-usecs %u\n", netdevs[i]->name, usecs);
		if (netdevs[i]->adaptive_rx)
			shell_printf(sh, "ethtool -C %s adaptive-rx on\n", netdevs[i]->name);
	}
}

CONFIG_SOURCE(coalesce_config, .order = 20, .print = print_config);
