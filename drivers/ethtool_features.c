/* SPDX-License-Identifier: MIT */
/*
 * ethtool_features.c - ethtool -k and -K: what a NIC does with a frame beside carrying it
 *
 * Control context, core 0. Owns the operator's wishes, dev->wanted_features. Linux's list as far as
 * a row means something here; [fixed] is what cannot be switched.
 *
 * One thing is not as in Linux: what is told of received frames is off at first and comes on when
 * the room above needs it, since forwarding needs none of it and a frame of which nothing is told
 * costs less. Where it is on though the operator did not ask, the line says [requested off].
 */
#include "ethtool.h"

#include <errno.h>
#include <string.h>

#define TSO (NETDEV_TSO4 | NETDEV_TSO6)

enum row_flags {
	ALWAYS = BIT(0), /* on whatever features say */
	GROUP = BIT(1),  /* parts follow, which say what is fixed */
	PART = BIT(2),
};

static const struct row {
	const char *name;   /* as -k prints it */
	const char *kernel; /* as the kernel calls it, which -K prints; NULL: the same */
	const char *brief;  /* -K takes all three; NULL: none */
	uint32_t bits;      /* enum netdev_feature, on if one of them is; 0: a thing Weir has not */
	uint32_t flags;
} rows[] = {
	{ "rx-checksumming", "rx-checksum", "rx", NETDEV_RX_CSUM, 0 },
	{ "tx-checksumming", NULL, "tx", NETDEV_TX_CSUM, GROUP },
	{ "tx-checksum-ipv4", NULL, NULL, NETDEV_TX_CSUM, PART },
	{ "tx-checksum-ip-generic", NULL, NULL, 0, PART },
	{ "tx-checksum-ipv6", NULL, NULL, NETDEV_TX_CSUM, PART },
	{ "tx-checksum-fcoe-crc", NULL, NULL, 0, PART },
	{ "tx-checksum-sctp", NULL, NULL, 0, PART },
	{ "scatter-gather", NULL, "sg", 0, GROUP | ALWAYS },
	{ "tx-scatter-gather", NULL, NULL, 0, PART | ALWAYS },
	{ "tx-scatter-gather-fraglist", NULL, NULL, 0, PART | ALWAYS },
	{ "tcp-segmentation-offload", NULL, "tso", TSO, GROUP },
	{ "tx-tcp-segmentation", NULL, NULL, NETDEV_TSO4, PART },
	{ "tx-tcp-ecn-segmentation", NULL, NULL, 0, PART },
	{ "tx-tcp-mangleid-segmentation", NULL, NULL, 0, PART },
	{ "tx-tcp6-segmentation", NULL, NULL, NETDEV_TSO6, PART },
	{ "generic-segmentation-offload", "tx-generic-segmentation", "gso", NETDEV_GSO, 0 },
	{ "generic-receive-offload", "rx-gro", "gro", NETDEV_GRO, 0 },
	{ "large-receive-offload", "rx-lro", "lro", 0, 0 },
	{ "rx-vlan-offload", "rx-vlan-hw-parse", "rxvlan", NETDEV_RX_VLAN, 0 },
	{ "tx-vlan-offload", "tx-vlan-hw-insert", "txvlan", NETDEV_TX_VLAN, 0 },
	{ "ntuple-filters", "rx-ntuple-filter", "ntuple", 0, 0 },
	{ "receive-hashing", "rx-hashing", "rxhash", NETDEV_RX_HASH, 0 },
	{ "highdma", NULL, NULL, 0, ALWAYS },
	{ "rx-vlan-filter", NULL, NULL, 0, 0 },
	{ "vlan-challenged", NULL, NULL, 0, 0 },
	{ "tx-udp-segmentation", NULL, NULL, NETDEV_UDP_L4, 0 },
	{ "rx-udp-gro-forwarding", NULL, NULL, NETDEV_GRO_UDP, 0 },
};

static bool is_called(const struct row *row, const char *name)
{
	return !strcmp(row->name, name) || (row->brief && !strcmp(row->brief, name)) ||
	       (row->kernel && !strcmp(row->kernel, name));
}

static const struct row *row_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is_called(&rows[i], name))
			return &rows[i];
	return NULL;
}

static bool is_on(const struct row *row, uint32_t features)
{
	return row->flags & ALWAYS || features & row->bits;
}

/* what stands behind on or off */
static const char *remark(const struct netdev *dev, const struct row *row)
{
	uint32_t can = row->bits & dev->hw_features;
	bool on = is_on(row, dev->features);

	if (row->flags & GROUP)
		return "";
	if (!can)
		return " [fixed]";
	if (on == !!(dev->wanted_features & can))
		return "";
	return on ? " [requested off]" : " [requested on]";
}

static void show_row(struct shell *sh, const struct netdev *dev, const struct row *row)
{
	shell_printf(sh, "%s%s: %s%s\n", row->flags & PART ? "\t" : "", row->name,
		     is_on(row, dev->features) ? "on" : "off", remark(dev, row));
}

static int show_features(struct shell *sh, struct netdev *dev, int at)
{
	(void)at;
	shell_printf(sh, "Features for %s:\n", dev->name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		show_row(sh, dev, &rows[i]);
	return 0;
}

/* if something came out other than was asked for, all that happened, as Linux's ethtool tells it */
static void tell_changes(struct shell *sh, const struct netdev *dev, uint32_t before,
			 uint32_t asked)
{
	uint32_t refused = asked & (dev->features ^ dev->wanted_features);
	uint32_t changed = dev->features ^ before;

	if (!refused && !(changed & ~asked))
		return;
	shell_printf(sh, "Actual changes:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		bool on = is_on(row, dev->features);

		if (row->flags & GROUP || !(row->bits & (refused | changed)))
			continue;
		shell_printf(sh, "%s: %s%s\n", row->kernel ? row->kernel : row->name,
			     on ? "on" : "off",
			     row->bits & refused    ? on ? " [requested off]" : " [requested on]"
			     : !(row->bits & asked) ? " [not requested]"
						    : "");
	}
}

/* one NAME on|off at word @i, into @on and @off */
static int read_wish(struct shell *sh, const struct netdev *dev, int i, uint32_t *on, uint32_t *off)
{
	const struct row *row = i < sh->nwords ? row_of(sh->word[i].s) : NULL;
	bool is_off = word_is(sh->nwords, sh->word, i + 1, "off");

	if (!row)
		return shell_expected(sh, i, "a feature, as ethtool -k names it");
	if (!is_off && !word_is(sh->nwords, sh->word, i + 1, "on"))
		return shell_expected(sh, i + 1, "on or off");
	if (!(row->bits & dev->hw_features) && is_on(row, dev->features) == is_off)
		return shell_error(sh, i, -EOPNOTSUPP, "%s of %s is fixed", row->name, dev->name);
	*(is_off ? off : on) |= row->bits & dev->hw_features;
	*(is_off ? on : off) &= ~row->bits;
	return 0;
}

static int set_features(struct shell *sh, struct netdev *dev, int at)
{
	uint32_t on = 0, off = 0, before = dev->features;

	for (int i = at; i == at || i < sh->nwords; i += 2) {
		int err = read_wish(sh, dev, i, &on, &off);

		if (err)
			return err;
	}
	dev->wanted_features = (dev->wanted_features | on) & ~off;
	netdev_update_features(dev);
	tell_changes(sh, dev, before, on | off);
	return 0;
}

static void complete_features(int n, const struct word *w, int i,
			      void (*add)(void *to, const char *s), void *to)
{
	(void)w;
	if ((n - i) % 2) {
		add(to, "on");
		add(to, "off");
		return;
	}
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		if (rows[r].bits)
			add(to, rows[r].brief ? rows[r].brief : rows[r].name);
}

ETHTOOL_OPTION(option_show_features, .option = "-k", .longer = "--show-features",
	       .help = "which offloads it has, and uses", .run = show_features);
ETHTOOL_OPTION(option_features, .option = "-K", .longer = "--features",
	       .more = "FEATURE on|off [FEATURE on|off]...", .help = "use an offload, or do not",
	       .run = set_features, .complete = complete_features);

/* each bit by the first row that stands for it alone */
static void print_wishes(struct shell *sh, const struct netdev *dev)
{
	uint32_t left = dev->wanted_features ^ dev->default_features;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t bit = rows[i].bits;

		if (!(left & bit) || bit & (bit - 1))
			continue;
		left &= ~bit;
		shell_printf(sh, "ethtool -K %s %s %s\n", dev->name,
			     rows[i].brief ? rows[i].brief : rows[i].name,
			     dev->wanted_features & bit ? "on" : "off");
	}
}

static void print_config(struct shell *sh)
{
	netdev_for_each(i)
		print_wishes(sh, netdevs[i]);
}

CONFIG_SOURCE(features_config, .order = 20, .print = print_config);
