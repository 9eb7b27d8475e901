/* SPDX-License-Identifier: MIT */
/* ip_link.c - `ip link`: ports as iproute2 shows and sets them. Control context. */
#include "ip_words.h"

#include "kernel/shell.h"
#include "drivers/netdev.h"
#include "net/addr.h"
#include "net/ovs/vswitch.h"
#include "net/sched/qdisc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FLAGS_STR = 80 };

static void flags_str(const struct port *p, char text[FLAGS_STR])
{
	snprintf(text, FLAGS_STR, "%sBROADCAST,MULTICAST%s%s%s%s",
		 p->up && !p->ready ? "NO-CARRIER," : "",
		 p->allmulti || p->groups_overflow ? ",ALLMULTI" : "", p->promisc ? ",PROMISC" : "",
		 p->up ? ",UP" : "", p->up && p->ready ? ",LOWER_UP" : "");
}

static int digits(uint64_t v)
{
	return v < 10 ? 1 : 1 + digits(v / 10);
}

/* Columns as wide as their heads or their numbers, whichever is wider. */
static void print_table(struct shell *sh, const char *mouth, const char *const head[6],
			const uint64_t v[6])
{
	static const int least[6] = { 10, 7, 6, 7, 7, 7 };
	int width[6];

	for (unsigned i = 0; i < 6; i++)
		width[i] = MAX(least[i], digits(v[i]));
	shell_printf(sh, "    %s:%*s", mouth, width[0] - 3, head[0]);
	for (unsigned i = 1; i < 6; i++)
		shell_printf(sh, " %*s", width[i], head[i]);
	shell_printf(sh, "\n    %*lu", width[0], (unsigned long)v[0]);
	for (unsigned i = 1; i < 6; i++)
		shell_printf(sh, " %*lu", width[i], (unsigned long)v[i]);
	shell_printf(sh, "\n");
}

static void print_stats(struct shell *sh, struct port *p)
{
	static const char *const rx[6] = { "bytes",   "packets", "errors",
					   "dropped", "missed",  "mcast" };
	static const char *const tx[6] = { "bytes",   "packets", "errors",
					   "dropped", "carrier", "collsns" };
	struct port_cpu t = port_total(p);

	print_table(sh, "RX", rx,
		    (uint64_t[]){ t.in_bytes, t.in, port_rx_errors(p), port_drops(t.dropped_in),
				  port_stat(p, "rx_missed_errors"), port_stat(p, "rx_multicast") });
	print_table(sh, "TX", tx,
		    (uint64_t[]){ t.out_bytes, t.out, port_stat(p, "tx_errors"),
				  port_drops(t.dropped_out), port_stat(p, "tx_carrier_errors"),
				  port_stat(p, "collisions") });
}

void ip_port_head(struct shell *sh, const struct port *p, bool with_mode, enum ip_family family)
{
	bool in_switch = p->sw && !p->internal;
	const char *state = p->ready ? "UP" : "DOWN";
	char mac[MAC_STR], flags[FLAGS_STR];

	flags_str(p, flags);
	mac_str(p->mac, mac);
	shell_printf(sh, "%u: %s: <%s> mtu %u ", p->id, p->name, flags, p->mtu);
	if (family == IP_V6) {
		shell_printf(sh, "state %s qlen 1000\n", state);
		return;
	}
	shell_printf(sh, "qdisc %s %s%s%sstate %s %sgroup default qlen 1000\n", qdisc_name(p),
		     in_switch ? "master " : "", in_switch ? p->sw->name : "", in_switch ? " " : "",
		     state, with_mode ? "mode DEFAULT " : "");
	if (family == IP_BOTH)
		shell_printf(sh, "    link/ether %s brd ff:ff:ff:ff:ff:ff\n", mac);
}

static void print_port(struct shell *sh, struct port *p, bool stats)
{
	ip_port_head(sh, p, true, IP_BOTH);
	if (stats)
		print_stats(sh, p);
}

/* ip [-s] link [show [[dev] PORT]]; @i is the word behind link */
static int link_show(struct shell *sh, int i, bool stats)
{
	struct port *match[PORT_MAX];
	int n;

	if (word_is(sh->nwords, sh->word, i, "show"))
		i++;
	n = ip_read_devs(sh, i, match);
	for (int k = 0; k < n; k++)
		print_port(sh, match[k], stats);
	return n < 0 ? n : 0;
}

/* one setting of `ip link set`, at word @i: its name, and how many words it takes */
struct setting {
	const char *name;
	int words;
	int (*apply)(struct shell *sh, int i, struct port *p);
};

static int set_up(struct shell *sh, int i, struct port *p)
{
	int err;

	/* no failure of this line: else a glob that takes it in would hold down all the others */
	if (p->held && sh->file) {
		shell_printf(sh,
			     "%s stays down: an earlier line that names it or its switch failed\n",
			     p->name);
		return 0;
	}
	p->held = false;
	err = port_set_up(p, true);
	return err ? shell_error(sh, i, err, "%s does not come up: %s", p->name, strerror(-err))
		   : 0;
}

static int set_down(struct shell *sh, int i, struct port *p)
{
	(void)sh;
	(void)i;
	return port_set_up(p, false);
}

static int set_mtu(struct shell *sh, int i, struct port *p)
{
	unsigned long mtu;
	int err = shell_uint(sh, i + 1, NETDEV_MIN_MTU, NETDEV_MAX_MTU, &mtu);

	if (err)
		return err;
	err = port_set_mtu(p, mtu);
	return err ? shell_error(sh, i, err, "%s does not take that MTU", p->name) : 0;
}

/* on_off() - word @i, behind a setting's name, for @set. */
static int on_off(struct shell *sh, int i, struct port *p, int (*set)(struct port *port, bool on))
{
	bool on = word_is(sh->nwords, sh->word, i, "on");

	if (!on && !word_is(sh->nwords, sh->word, i, "off"))
		return shell_expected(sh, i, "on or off");
	return set(p, on);
}

static int set_promisc(struct shell *sh, int i, struct port *p)
{
	return on_off(sh, i + 1, p, port_set_promisc);
}

static int set_allmulti(struct shell *sh, int i, struct port *p)
{
	return on_off(sh, i + 1, p, port_set_allmulti);
}

static int set_address(struct shell *sh, int i, struct port *p)
{
	uint8_t mac[6];
	int err;

	if (i + 1 >= sh->nwords || !mac_read(sh->word[i + 1].s, mac) || mac[0] & 1)
		return shell_expected(sh, i + 1, "a MAC address of one station");
	err = port_set_mac(p, mac);
	if (!err)
		inet_mac_changed(p);
	return err ? shell_error(sh, i, err, "%s does not take that address", p->name) : 0;
}

static const struct setting settings[] = {
	{ "up", 1, set_up },
	{ "down", 1, set_down },
	{ "mtu", 2, set_mtu },
	{ "promisc", 2, set_promisc },
	{ "allmulticast", 2, set_allmulti },
	{ "address", 2, set_address },
};

static const struct setting *setting_at(struct shell *sh, int i)
{
	for (unsigned k = 0; k < ARRAY_SIZE(settings); k++)
		if (word_is(sh->nwords, sh->word, i, settings[k].name))
			return &settings[k];
	return NULL;
}

static int link_set(struct shell *sh, int i)
{
	struct port *match[PORT_MAX];
	int n, err;

	if (word_is(sh->nwords, sh->word, i, "dev"))
		i++;
	n = port_words(sh, i++, match);
	if (n < 0)
		return n;
	do {
		const struct setting *s = setting_at(sh, i);

		if (!s)
			return shell_expected(sh, i,
					      "up, down, mtu, promisc, allmulticast or address");
		for (int k = 0; k < n; k++) {
			err = s->apply(sh, i, match[k]);
			if (err)
				return err;
		}
		i += s->words;
	} while (i < sh->nwords);
	return 0;
}

int ip_link(struct shell *sh, int i, const struct ip_options *o)
{
	if (word_is(sh->nwords, sh->word, i, "set"))
		return link_set(sh, i + 1);
	return link_show(sh, i, o->stats);
}

/* the settings of all ports that are @internal, or of all that are not */
static void print_settings(struct shell *sh, bool internal)
{
	char mac[MAC_STR];

	port_for_each(i) {
		struct port *p = ports[i];

		if (p->internal != internal)
			continue;
		if (p->mtu != ETH_DATA_LEN)
			shell_printf(sh, "ip link set %s mtu %u\n", p->name, p->mtu);
		if (p->promisc)
			shell_printf(sh, "ip link set %s promisc on\n", p->name);
		if (p->allmulti)
			shell_printf(sh, "ip link set %s allmulticast on\n", p->name);
		if (memcmp(p->mac, p->perm_mac, sizeof(p->mac))) {
			mac_str(p->mac, mac);
			shell_printf(sh, "ip link set %s address %s\n", p->name, mac);
		}
	}
}

static void print_config(struct shell *sh)
{
	print_settings(sh, false);
}

/* they are there as soon as their switches are */
static void print_config_internal(struct shell *sh)
{
	print_settings(sh, true);
}

static void print_config_up(struct shell *sh)
{
	port_for_each(i)
		if (ports[i]->up)
			shell_printf(sh, "ip link set %s up\n", ports[i]->name);
}

CONFIG_SOURCE(config_ports, .order = 30, .print = print_config);
CONFIG_SOURCE(config_ports_internal, .order = 32, .print = print_config_internal);
CONFIG_SOURCE(config_ports_up, .order = 41, .print = print_config_up);
