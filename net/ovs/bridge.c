/* SPDX-License-Identifier: MIT */
/* bridge.c - `bridge fdb`: the MAC table. Control context. */
#include "fdb.h"

#include "kernel/shell.h"
#include "net/addr.h"
#include "vswitch.h"

#include <errno.h>
#include <stdlib.h>

static void print_row(struct shell *sh, const struct fdb_row *r)
{
	char mac[MAC_STR];

	mac_str(r->mac, mac);
	shell_printf(sh, "%s dev %s ", mac, ports[r->port]->name);
	if (r->vid)
		shell_printf(sh, "vlan %u ", r->vid);
	shell_printf(sh, "used %u master %s\n", (unsigned)r->age,
		     switches[r->sw] ? switches[r->sw]->name : "-");
}

static int fdb_show(struct shell *sh, unsigned sw)
{
	unsigned max = fdb_rows(sw, NULL, 0) + 64, n; /* some may be learnt in between */
	struct fdb_row *rows = malloc(max * sizeof(*rows));

	if (!rows)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump of %u addresses", max);
	n = fdb_rows(sw, rows, max);
	for (unsigned i = 0; i < MIN(n, max); i++)
		print_row(sh, &rows[i]);
	free(rows);
	return 0;
}

/* bridge fdb [show|flush] [br BR] */
static int bridge(struct shell *sh, int n, const struct word *w)
{
	unsigned sw = FDB_ANY;
	bool flush = word_is(n, w, 2, "flush");
	int i = flush || word_is(n, w, 2, "show") ? 3 : 2;

	if (!word_is(n, w, 1, "fdb"))
		return shell_expected(sh, 1, "fdb");
	if (word_is(n, w, i, "br")) {
		struct vswitch *s = switch_word(sh, i + 1);

		if (!s)
			return -EINVAL;
		sw = s->id;
		i += 2;
	}
	if (i < n)
		return shell_expected(sh, i,
				      i == 2   ? "show, flush or br"
				      : i == 3 ? "br"
					       : "the end of the line");
	if (!flush)
		return fdb_show(sh, sw);
	fdb_flush(sw, FDB_ANY);
	return 0;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (n == 1) {
		add(to, "fdb");
	} else if (n == 2) {
		add(to, "show");
		add(to, "flush");
	} else if (word_is(n, w, n - 1, "br")) {
		switch_for_each(i)
			add(to, switches[i]->name);
	} else if (n == 3) {
		add(to, "br");
	}
}

SHELL_COMMAND(cmd_bridge, .name = "bridge", .usage = "fdb [show | flush] [br BR]",
	      .help = "MAC addresses that switches have learnt", .run = bridge,
	      .complete = complete);
