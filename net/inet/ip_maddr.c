/* SPDX-License-Identifier: MIT */
/*
 * ip_maddr.c - `ip maddr`: groups by their Ethernet addresses, as iproute2 shows and
 * sets them. Control context.
 */
#include "ip_words.h"

#include "maddr.h"

#include <errno.h>

static void print_port(struct shell *sh, const struct port *port)
{
	const struct maddrs *m = port->groups;
	char mac[MAC_STR];

	shell_printf(sh, "%u:\t%s\n", port->id, port->name);
	for (unsigned i = 0; m && i < m->n; i++) {
		mac_str(m->entry[i].mac, mac);
		shell_printf(sh, "\tlink  %s", mac);
		if (m->entry[i].users > 1)
			shell_printf(sh, " users %u", m->entry[i].users);
		shell_printf(sh, m->entry[i].fixed ? " static\n" : "\n");
	}
}

static int maddr_show(struct shell *sh, int i)
{
	struct port *match[PORT_MAX];
	int n = ip_read_devs(sh, i, match);

	for (int k = 0; k < n; k++)
		print_port(sh, match[k]);
	return n < 0 ? n : 0;
}

/* ADDRESS dev PORT, from word @i on */
static int maddr_change(struct shell *sh, int i, bool add)
{
	uint8_t mac[ETH_ALEN];
	struct port *port;
	int err;

	if (i >= sh->nwords || !mac_read(sh->word[i].s, mac) || !(mac[0] & 1))
		return shell_expected(sh, i, "the MAC address of a group");
	err = ip_read_its_dev(sh, i + 1, &port);
	if (err)
		return err;
	err = add ? maddr_add(port, mac) : maddr_del(port, mac);
	if (err == -EEXIST)
		return shell_error(sh, i, err, "%s has that group already", port->name);
	if (err == -ENOENT)
		return shell_error(sh, i, err, "%s was not given that group", port->name);
	if (err == -ENOSPC)
		return shell_error(sh, i, err, "no more than %u groups", MADDRS_FIXED);
	return err ? shell_error(sh, i, err, "no memory for it") : 0;
}

int ip_maddr(struct shell *sh, int i, const struct ip_options *o)
{
	(void)o;
	if (word_is(sh->nwords, sh->word, i, "add") || word_is(sh->nwords, sh->word, i, "del"))
		return maddr_change(sh, i + 1, sh->word[i].s[0] == 'a');
	if (word_is(sh->nwords, sh->word, i, "show"))
		i++;
	return maddr_show(sh, i);
}

static void print_config(struct shell *sh)
{
	char mac[MAC_STR];

	port_for_each(i) {
		const struct maddrs *m = ports[i]->groups;

		for (unsigned k = 0; m && k < m->n; k++) {
			if (!m->entry[k].fixed)
				continue;
			mac_str(m->entry[k].mac, mac);
			shell_printf(sh, "ip maddr add %s dev %s\n", mac, ports[i]->name);
		}
	}
}

CONFIG_SOURCE(config_maddr, .order = 34, .print = print_config);
