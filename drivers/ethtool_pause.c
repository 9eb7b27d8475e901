/* SPDX-License-Identifier: MIT */
/*
 * ethtool_pause.c - ethtool -a and -A: flow control by pause frames
 *
 * Control context, core 0. Owns nothing; asks the device through struct ethtool_ops.
 */
#include "ethtool.h"

#include "kernel/park.h"

#include <errno.h>

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static int show_pause(struct shell *sh, struct netdev *dev, int at)
{
	struct ethtool_pause p, in_force;

	(void)at;
	dev->ethtool->get_pause(dev, &p, &in_force);
	shell_printf(sh, "Pause parameters for %s:\n", dev->name);
	shell_printf(sh, "Autonegotiate:\t%s\n", on_off(p.autoneg));
	shell_printf(sh, "RX:\t\t%s\n", on_off(p.rx));
	shell_printf(sh, "TX:\t\t%s\n", on_off(p.tx));
	if (p.autoneg) {
		shell_printf(sh, "RX negotiated: %s\n", on_off(in_force.rx));
		shell_printf(sh, "TX negotiated: %s\n", on_off(in_force.tx));
	}
	shell_printf(sh, "\n");
	return 0;
}

/* the member of @p that word @i names; NULL if it names none */
static bool *member(struct shell *sh, int i, struct ethtool_pause *p)
{
	if (word_is(sh->nwords, sh->word, i, "autoneg"))
		return &p->autoneg;
	if (word_is(sh->nwords, sh->word, i, "rx"))
		return &p->rx;
	return word_is(sh->nwords, sh->word, i, "tx") ? &p->tx : NULL;
}

static int set_pause(struct shell *sh, struct netdev *dev, int at)
{
	struct ethtool_pause p, in_force;
	int err;

	dev->ethtool->get_pause(dev, &p, &in_force);
	for (int i = at; i == at || i < sh->nwords; i += 2) {
		bool *m = member(sh, i, &p), off = word_is(sh->nwords, sh->word, i + 1, "off");

		if (!m)
			return shell_expected(sh, i, "autoneg, rx or tx");
		if (!off && !word_is(sh->nwords, sh->word, i + 1, "on"))
			return shell_expected(sh, i + 1, "on or off");
		*m = !off;
	}
	cores_park();
	err = dev->ethtool->set_pause(dev, &p);
	cores_resume();
	return err ? shell_error(sh, at - 1, err, "%s: the PHY does not answer", dev->name) : 0;
}

static void complete_pause(int n, const struct word *w, int i, void (*add)(void *to, const char *s),
			   void *to)
{
	static const char *const words[] = { "autoneg", "rx", "tx", "on", "off" };
	bool value = (n - i) % 2;

	(void)w;
	for (unsigned k = value ? 3 : 0; k < (value ? 5 : 3); k++)
		add(to, words[k]);
}

ETHTOOL_OPTION(option_show_pause, .option = "-a", .longer = "--show-pause",
	       .help = "whether it obeys (rx) and sends (tx) pause frames", .run = show_pause);
ETHTOOL_OPTION(option_pause, .option = "-A", .longer = "--pause",
	       .more = "autoneg|rx|tx on|off [autoneg|rx|tx on|off]...",
	       .help = "agree with the other end on pause frames, or not; obey and send them",
	       .run = set_pause, .complete = complete_pause);

static void print_config(struct shell *sh)
{
	netdev_for_each(i) {
		struct ethtool_pause p, in_force;

		netdevs[i]->ethtool->get_pause(netdevs[i], &p, &in_force);
		if (p.autoneg || p.rx || p.tx)
			shell_printf(sh, "ethtool -A %s autoneg %s rx %s tx %s\n", netdevs[i]->name,
				     on_off(p.autoneg), on_off(p.rx), on_off(p.tx));
	}
}

CONFIG_SOURCE(pause_config, .order = 20, .print = print_config);
