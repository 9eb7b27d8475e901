/* SPDX-License-Identifier: MIT */
/*
 * ethtool_rings.c - ethtool -g, -G, -l, -L and the private flags: rings, queue pairs, and
 * what interrupts for them
 *
 * Control context, core 0. Owns nothing; the device says what it has, and
 * changes while frames flow.
 */
#include "ethtool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* what the ops say when they cannot; @i is the word that asked for it */
static int refused(struct shell *sh, int i, struct netdev *dev, int err)
{
	if (err == -ENOSPC)
		return shell_error(sh, i, err, "%s: not so many interrupts are left", dev->name);
	if (err == -ENOMEM)
		return shell_error(sh, i, err, "%s: no memory for such rings", dev->name);
	return err ? shell_error(sh, i, err, "%s did not take it: %s", dev->name, strerror(-err))
		   : 0;
}

/* --- rings --- */

static int show_ring(struct shell *sh, struct netdev *dev, int i)
{
	(void)i;
	shell_printf(sh, "Ring parameters for %s:\n", dev->name);
	for (unsigned now = 0; now < 2; now++) {
		shell_printf(sh, now ? "Current hardware settings:\n" : "Pre-set maximums:\n");
		shell_printf(sh, "RX:\t\t%u\n", now ? dev->rx_ring_size : dev->ring_max);
		shell_printf(sh, "RX Mini:\tn/a\n");
		shell_printf(sh, "RX Jumbo:\tn/a\n");
		shell_printf(sh, "TX:\t\t%u\n", now ? dev->tx_ring_size : dev->ring_max);
	}
	shell_printf(sh, "RX Buf Len:\t\t%u\n", PKT_BUF_SIZE);
	shell_printf(sh, "CQE Size:\t\tn/a\n");
	shell_printf(sh, "TX Push:\toff\n");
	shell_printf(sh, "TCP data split:\tn/a\n");
	return 0;
}

/* word @i as a ring's length; a power of two, so that an index becomes a slot by its low bits */
static int ring_word(struct shell *sh, struct netdev *dev, int i, unsigned *size)
{
	unsigned long n = i < sh->nwords ? strtoul(sh->word[i].s, NULL, 10) : 0;
	char what[64];

	if (n >= dev->ring_min && n <= dev->ring_max && !(n & (n - 1)) &&
	    !sh->word[i].s[strspn(sh->word[i].s, "0123456789")]) {
		*size = n;
		return 0;
	}
	snprintf(what, sizeof(what), "a power of two from %u to %u", dev->ring_min, dev->ring_max);
	return shell_expected(sh, i, what);
}

static int set_ring(struct shell *sh, struct netdev *dev, int i)
{
	unsigned rx = dev->rx_ring_size, tx = dev->tx_ring_size;
	int first = i;

	do {
		bool is_rx = word_is(sh->nwords, sh->word, i, "rx");

		if (!is_rx && !word_is(sh->nwords, sh->word, i, "tx"))
			return shell_expected(sh, i, "rx or tx");
		if (ring_word(sh, dev, i + 1, is_rx ? &rx : &tx))
			return -EINVAL;
		i += 2;
	} while (i < sh->nwords);
	return refused(sh, first, dev, dev->ethtool->set_ringparam(dev, rx, tx));
}

static void complete_ring(int n, const struct word *w, int i, void (*add)(void *to, const char *s),
			  void *to)
{
	(void)w;
	if ((n - i) % 2)
		return;
	add(to, "rx");
	add(to, "tx");
}

/* --- queue pairs --- */

static int show_channels(struct shell *sh, struct netdev *dev, int i)
{
	const char *other = dev->max_queues > 1 ? "1" : "n/a"; /* a vector for link and errors */

	(void)i;
	shell_printf(sh, "Channel parameters for %s:\n", dev->name);
	for (unsigned now = 0; now < 2; now++) {
		shell_printf(sh, now ? "Current hardware settings:\n" : "Pre-set maximums:\n");
		shell_printf(sh, "RX:\t\tn/a\n");
		shell_printf(sh, "TX:\t\tn/a\n");
		shell_printf(sh, "Other:\t\t%s\n", other);
		shell_printf(sh, "Combined:\t%u\n", now ? dev->nqueues : dev->max_queues);
	}
	return 0;
}

static int set_channels(struct shell *sh, struct netdev *dev, int i)
{
	unsigned long n;

	if (!word_is(sh->nwords, sh->word, i, "combined"))
		return shell_expected(sh, i, "combined");
	if (shell_uint(sh, i + 1, 1, dev->max_queues, &n))
		return -EINVAL;
	if (i + 2 < sh->nwords)
		return shell_expected(sh, i + 2, "the end of the line");
	for (unsigned k = 0; dev->rss.table_set && k < RSS_TABLE; k++)
		if (dev->rss.table[k] >= n)
			return shell_error(sh, i + 1, -EINVAL,
					   "the indirection table sends flows to queue %u: "
					   "ethtool -X %s default",
					   dev->rss.table[k], dev->name);
	return refused(sh, i + 1, dev, dev->ethtool->set_channels(dev, n));
}

static void complete_channels(int n, const struct word *w, int i,
			      void (*add)(void *to, const char *s), void *to)
{
	(void)w;
	if (n == i)
		add(to, "combined");
}

/* --- private flags --- */

static int show_flags(struct shell *sh, struct netdev *dev, int i)
{
	const char *const *name = dev->priv_flags;
	int width = 0;

	(void)i;
	if (!name)
		return shell_error(sh, i - 1, -EOPNOTSUPP, "%s has no private flags", dev->name);
	for (unsigned k = 0; name[k]; k++)
		width = MAX(width, (int)strlen(name[k]));
	shell_printf(sh, "Private flags for %s:\n", dev->name);
	for (unsigned k = 0; name[k]; k++)
		shell_printf(sh, "%-*s: %s\n", width, name[k],
			     dev->ethtool->get_priv_flags(dev) & BIT(k) ? "on" : "off");
	return 0;
}

/* a flag's bit, 0 if @word is none */
static uint32_t flag_of(const struct netdev *dev, const char *word)
{
	for (unsigned k = 0; dev->priv_flags[k]; k++)
		if (!strcmp(dev->priv_flags[k], word))
			return BIT(k);
	return 0;
}

static int set_flags(struct shell *sh, struct netdev *dev, int i)
{
	int first = i;
	uint32_t flags;

	if (!dev->priv_flags)
		return shell_error(sh, i - 1, -EOPNOTSUPP, "%s has no private flags", dev->name);
	flags = dev->ethtool->get_priv_flags(dev);
	do {
		uint32_t bit = i < sh->nwords ? flag_of(dev, sh->word[i].s) : 0;
		bool on = word_is(sh->nwords, sh->word, i + 1, "on");

		if (!bit)
			return shell_expected(sh, i, "a flag, see --show-priv-flags");
		if (!on && !word_is(sh->nwords, sh->word, i + 1, "off"))
			return shell_expected(sh, i + 1, "on or off");
		flags = on ? flags | bit : flags & ~bit;
		i += 2;
	} while (i < sh->nwords);
	return refused(sh, first, dev, dev->ethtool->set_priv_flags(dev, flags));
}

static void complete_flags(int n, const struct word *w, int i, void (*add)(void *to, const char *s),
			   void *to)
{
	struct netdev *dev = netdev_by_name(w[i - 1].s);

	for (unsigned k = 0; (n - i) % 2 == 0 && dev && dev->priv_flags && dev->priv_flags[k]; k++)
		add(to, dev->priv_flags[k]);
	if ((n - i) % 2) {
		add(to, "on");
		add(to, "off");
	}
}

ETHTOOL_OPTION(option_show_ring, .option = "-g", .longer = "--show-ring",
	       .help = "descriptors of each of its rings", .run = show_ring);
ETHTOOL_OPTION(option_set_ring, .option = "-G", .longer = "--set-ring", .more = "[rx N] [tx N]",
	       .help = "give each ring so many descriptors, while frames flow", .run = set_ring,
	       .complete = complete_ring);
ETHTOOL_OPTION(option_show_channels, .option = "-l", .longer = "--show-channels",
	       .help = "how many queue pairs it has", .run = show_channels);
ETHTOOL_OPTION(option_set_channels, .option = "-L", .longer = "--set-channels",
	       .more = "combined N", .help = "have so many queue pairs, while frames flow",
	       .run = set_channels, .complete = complete_channels);
ETHTOOL_OPTION(option_show_flags, .option = "--show-priv-flags", .longer = "--show-priv-flags",
	       .help = "which interrupts it may not use", .run = show_flags);
ETHTOOL_OPTION(option_set_flags, .option = "--set-priv-flags", .longer = "--set-priv-flags",
	       .more = "FLAG on|off ...",
	       .help = "interrupt without MSI-X, without MSI: by the next best", .run = set_flags,
	       .complete = complete_flags);

/* --- show config: the flags first, as they say how many queues there may be --- */

static void print_flags(struct shell *sh, struct netdev *dev)
{
	uint32_t flags = dev->priv_flags ? dev->ethtool->get_priv_flags(dev) : 0;

	if (!flags)
		return;
	shell_printf(sh, "ethtool --set-priv-flags %s", dev->name);
	for (unsigned k = 0; dev->priv_flags[k]; k++)
		if (flags & BIT(k))
			shell_printf(sh, " %s on", dev->priv_flags[k]);
	shell_printf(sh, "\n");
}

static void print_config(struct shell *sh)
{
	netdev_for_each(i) {
		struct netdev *dev = netdevs[i];

		print_flags(sh, dev);
		if (dev->nqueues != MIN(ncpus, dev->max_queues))
			shell_printf(sh, "ethtool -L %s combined %u\n", dev->name, dev->nqueues);
		if (dev->rx_ring_size != NETDEV_RING || dev->tx_ring_size != NETDEV_RING)
			shell_printf(sh, "ethtool -G %s rx %u tx %u\n", dev->name,
				     dev->rx_ring_size, dev->tx_ring_size);
	}
}

CONFIG_SOURCE(rings_config, .order = 20, .print = print_config);
