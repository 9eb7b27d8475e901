/* SPDX-License-Identifier: MIT */
/*
 * ethtool_nfc.c - ethtool -n and -N: what of a frame is hashed, by kind of traffic
 *
 * Control context, core 0. Owns nothing; dev->rss is what the device has, and its ops
 * change it while frames flow.
 */
#include "ethtool.h"

#include <errno.h>
#include <string.h>

struct traffic {
	const char *word, *text;
	bool udp, ip6; /* udp: its ports may be hashed or not */
	bool ports;    /* else: are they? */
};

/* what these chips do [82576 7.1.1.7] [82574 7.1.8]: TCP's ports always, of others but UDP never */
static const struct traffic traffic[] = {
	{ .word = "tcp4", .text = "TCP over IPV4 flows", .ports = true },
	{ .word = "udp4", .text = "UDP over IPV4 flows", .udp = true },
	{ .word = "sctp4", .text = "SCTP over IPV4 flows" },
	{ .word = "ah4", .text = "IPSEC AH/ESP over IPV4 flows" },
	{ .word = "esp4", .text = "IPSEC AH/ESP over IPV4 flows" },
	{ .word = "tcp6", .text = "TCP over IPV6 flows", .ports = true, .ip6 = true },
	{ .word = "udp6", .text = "UDP over IPV6 flows", .udp = true, .ip6 = true },
	{ .word = "sctp6", .text = "SCTP over IPV6 flows", .ip6 = true },
	{ .word = "ah6", .text = "IPSEC AH/ESP over IPV6 flows", .ip6 = true },
	{ .word = "esp6", .text = "IPSEC AH/ESP over IPV6 flows", .ip6 = true },
};

static const struct traffic *traffic_word(struct shell *sh, int i)
{
	for (size_t k = 0; k < ARRAY_SIZE(traffic); k++)
		if (word_is(sh->nwords, sh->word, i, traffic[k].word))
			return &traffic[k];
	shell_expected(sh, i, "tcp4, udp4, sctp4, ah4, esp4, tcp6, udp6, sctp6, ah6 or esp6");
	return NULL;
}

static bool hashes_ports(const struct netdev *dev, const struct traffic *t)
{
	return t->udp ? (t->ip6 ? dev->rss.udp6_ports : dev->rss.udp4_ports) : t->ports;
}

/* word @i must be rx-flow-hash, the next one say which traffic */
static const struct traffic *flow_hash_of(struct shell *sh, int i)
{
	if (word_is(sh->nwords, sh->word, i, "rx-flow-hash"))
		return traffic_word(sh, i + 1);
	shell_expected(sh, i, "rx-flow-hash");
	return NULL;
}

static int show_fields(struct shell *sh, struct netdev *dev, int i)
{
	int err = i < sh->nwords ? ethtool_need_rss(sh, i, dev) : 0;
	const struct traffic *t;

	if (err)
		return err;
	if (i == sh->nwords) {
		shell_printf(sh, "%u RX rings available\nTotal 0 rules\n\n", dev->nqueues);
		return 0;
	}
	t = flow_hash_of(sh, i);
	if (!t)
		return -EINVAL;
	if (i + 2 < sh->nwords)
		return shell_expected(sh, i + 2, "the end of the line");
	shell_printf(sh, "%s use these fields for computing Hash flow key:\nIP SA\nIP DA\n%s\n",
		     t->text,
		     hashes_ports(dev, t) ? "L4 bytes 0 & 1 [TCP/UDP src port]\n"
					    "L4 bytes 2 & 3 [TCP/UDP dst port]\n"
					  : "");
	return 0;
}

static int set_fields(struct shell *sh, struct netdev *dev, int i)
{
	struct netdev_rss want = dev->rss;
	int err = ethtool_need_rss(sh, i, dev);
	const struct traffic *t = err ? NULL : flow_hash_of(sh, i);
	bool ports = word_is(sh->nwords, sh->word, i + 2, "sdfn");

	if (!t)
		return err ? err : -EINVAL;
	if (!ports && !word_is(sh->nwords, sh->word, i + 2, "sd"))
		return shell_expected(sh, i + 2, "sd or sdfn");
	if (i + 3 < sh->nwords)
		return shell_expected(sh, i + 3, "the end of the line");
	if (ports == hashes_ports(dev, t))
		return 0;
	if (!t->udp || !dev->rss_udp_ports)
		return shell_error(sh, i + 2, -EOPNOTSUPP, "%s hashes %s as it does, unchangeably",
				   dev->name, t->word);
	*(t->ip6 ? &want.udp6_ports : &want.udp4_ports) = ports;
	return ethtool_set_rss(sh, i + 1, dev, &want);
}

static void complete_fields(int n, const struct word *w, int i,
			    void (*add)(void *to, const char *s), void *to)
{
	if (n == i)
		add(to, "rx-flow-hash");
	for (size_t k = 0; n == i + 1 && k < ARRAY_SIZE(traffic); k++)
		add(to, traffic[k].word);
	if (n == i + 2 && (!strcmp(w[1].s, "-N") || !strcmp(w[1].s, "--config-ntuple"))) {
		add(to, "sd");
		add(to, "sdfn");
	}
}

ETHTOOL_OPTION(option_show_fields, .option = "-n", .longer = "--show-ntuple",
	       .more = "[rx-flow-hash TRAFFIC]",
	       .help = "which fields of udp4, tcp6 ... are hashed", .run = show_fields,
	       .complete = complete_fields);
ETHTOOL_OPTION(option_set_fields, .option = "-N", .longer = "--config-ntuple",
	       .more = "rx-flow-hash udp4|udp6 sd|sdfn",
	       .help = "hash UDP by addresses alone, or ports as well; while frames flow",
	       .run = set_fields, .complete = complete_fields);

static void print_fields(struct shell *sh, const struct netdev *dev)
{
	for (size_t k = 0; dev->rss_udp_ports && k < ARRAY_SIZE(traffic); k++)
		if (traffic[k].udp && !hashes_ports(dev, &traffic[k]))
			shell_printf(sh, "ethtool -N %s rx-flow-hash %s sd\n", dev->name,
				     traffic[k].word);
}

static void print_config(struct shell *sh)
{
	netdev_for_each(i)
		print_fields(sh, netdevs[i]);
}

CONFIG_SOURCE(nfc_config, .order = 21, .print = print_config);
