/* SPDX-License-Identifier: MIT */
/* ip_neigh.c - `ip neigh`: neighbours as iproute2 shows and sets them. Control context. */
#include "ip_words.h"

#include "neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_row(struct shell *sh, const struct neigh_row *r)
{
	bool known = r->state != NUD_INCOMPLETE && r->state != NUD_FAILED;
	char addr[IP_STR], mac[MAC_STR];

	inet_str(&r->addr, addr);
	mac_str(r->mac, mac);
	shell_printf(sh, "%s dev %s %s%s%s%s%s\n", addr, r->port->name, known ? "lladdr " : "",
		     known ? mac : "", known ? " " : "", r->router ? "router " : "",
		     nud_name[r->state]);
}

/* All rows, or an error that has been told; the caller frees them. */
static int all_rows(struct shell *sh, struct neigh_row **rows)
{
	*rows = malloc(NEIGH_MAX * sizeof(**rows));
	if (!*rows)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump");
	return neigh_rows(*rows, NEIGH_MAX);
}

static int neigh_show(struct shell *sh, int i, const struct ip_options *o)
{
	struct port *port = NULL;
	struct neigh_row *rows;
	int n, err = 0;

	if (word_is(sh->nwords, sh->word, i, "dev")) {
		err = ip_read_dev(sh, i + 1, &port);
		i += 2;
	}
	if (err)
		return err;
	if (i < sh->nwords)
		return shell_expected(sh, i,
				      port ? "the end of the line"
				      : word_is(sh->nwords, sh->word, i - 1, "show")
					      ? "dev PORT"
					      : "show, add, replace, del, flush or dev PORT");
	n = all_rows(sh, &rows);
	for (int k = 0; k < n; k++)
		if ((!port || rows[k].port == port) && ip_shown(o, &rows[k].addr))
			print_row(sh, &rows[k]);
	free(rows);
	return n < 0 ? n : 0;
}

/* ADDRESS [lladdr MAC] dev PORT, in any order behind the address */
static int neigh_change(struct shell *sh, int i, bool add)
{
	struct inet_addr a;
	struct port *port = NULL;
	uint8_t mac[6];
	bool has_mac = false;
	int at = i, err = ip_read_addr(sh, i++, &a);

	for (; !err && i < sh->nwords; i += 2) {
		if (word_is(sh->nwords, sh->word, i, "dev")) {
			err = ip_read_dev(sh, i + 1, &port);
		} else if (add && word_is(sh->nwords, sh->word, i, "lladdr")) {
			has_mac = i + 1 < sh->nwords && mac_read(sh->word[i + 1].s, mac);
			if (!has_mac || mac[0] & 1)
				err = shell_expected(sh, i + 1, "a MAC address of one station");
		} else {
			err = shell_expected(sh, i, add ? "lladdr MAC or dev PORT" : "dev PORT");
		}
	}
	if (err)
		return err;
	if (!port || has_mac != add)
		return shell_expected(sh, sh->nwords, port ? "lladdr MAC" : "dev PORT");
	err = add ? neigh_set(port, &a, mac) : neigh_del(port, &a);
	if (err == -ENOSPC)
		return shell_error(sh, at, err, "too many neighbours");
	return err ? shell_error(sh, at, err, "%s knows no such neighbour", port->name) : 0;
}

static int neigh_flush_words(struct shell *sh, int i)
{
	struct port *port = NULL;
	int err = 0;

	if (word_is(sh->nwords, sh->word, i, "dev"))
		err = ip_read_dev(sh, ++i, &port);
	else if (!word_is(sh->nwords, sh->word, i, "all"))
		err = shell_expected(sh, i, "dev PORT or all");
	if (!err && i + 1 < sh->nwords)
		err = shell_expected(sh, i + 1, "the end of the line");
	if (!err)
		neigh_flush(port, false);
	return err;
}

int ip_neigh(struct shell *sh, int i, const struct ip_options *o)
{
	if (word_is(sh->nwords, sh->word, i, "add") || word_is(sh->nwords, sh->word, i, "replace"))
		return neigh_change(sh, i + 1, true);
	if (word_is(sh->nwords, sh->word, i, "del"))
		return neigh_change(sh, i + 1, false);
	if (word_is(sh->nwords, sh->word, i, "flush"))
		return neigh_flush_words(sh, i + 1);
	if (word_is(sh->nwords, sh->word, i, "show"))
		i++;
	return neigh_show(sh, i, o);
}

static void print_config(struct shell *sh)
{
	char addr[IP_STR], mac[MAC_STR];
	struct neigh_row *rows;
	int n = all_rows(sh, &rows);

	for (int k = 0; k < n; k++) {
		if (rows[k].state != NUD_PERMANENT)
			continue;
		inet_str(&rows[k].addr, addr);
		mac_str(rows[k].mac, mac);
		shell_printf(sh, "ip neigh add %s lladdr %s dev %s\n", addr, mac,
			     rows[k].port->name);
	}
	free(rows);
}

CONFIG_SOURCE(config_neighs, .order = 44, .print = print_config);
