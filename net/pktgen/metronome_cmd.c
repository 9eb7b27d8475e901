/* SPDX-License-Identifier: MIT */
/*
 * metronome_cmd.c - `metronome`: the frame of a generator, sent by a clock that is no
 * core's. Control context.
 */
#include "kernel/control.h"
#include "kernel/pkt.h"
#include "kernel/shell.h"
#include "drivers/metronome.h"
#include "pktgen.h"
#include "pktgen_frame.h"

#include <errno.h>
#include <string.h>

typedef unsigned long ul;

enum { LOOK_MS = 1, WAIT_S = 60 };

/*
 * metronome start PORT NS: what PORT's generator sends, so often as it would, each NS nanoseconds
 */
static int start(struct shell *sh)
{
	struct port *port = sh->nwords > 2 ? port_by_name(sh->word[2].s) : NULL;
	struct pktgen *g = port ? pktgen_of(port) : NULL;
	struct pkt *p;
	ul period;
	int err;

	if (!g || g->running || !g->conf.traffic.count || g->conf.traffic.flows > 1 || g->conf.v6)
		return shell_expected(
			sh, 2,
			"a port whose generator has a count and one flow of IPv4, and rests");
	err = shell_uint(sh, 3, 100, 1000000000, &period);
	if (err)
		return err;
	if (sh->nwords > 4)
		return shell_expected(sh, 4, "the end of the line");
	p = pktgen_sample(g);
	if (!p)
		return shell_error(sh, 1, -ENOMEM, "no packet to build it in");
	memset(p->data + g->head_len - 2, 0,
	       2); /* no UDP checksum: what it covers changes [RFC 768] */
	err = metronome_start(p->data, p->len, g->head_len, g->conf.traffic.count, period);
	pkt_free(p);
	return err ? shell_error(sh, 1, err,
				 err == -ENODEV ? "there is no such device" : "it is beating")
		   : 0;
}

static int wait_for(struct shell *sh, const struct metronome_run *r)
{
	for (unsigned ms = 0; r->running && ms < WAIT_S * 1000; ms += LOOK_MS)
		if (!msleep_interruptible(LOOK_MS))
			return -EINTR;
	return r->running ? shell_error(sh, 1, -ETIME, "still beating after %u s", WAIT_S) : 0;
}

static int show(struct shell *sh, const struct metronome_run *r)
{
	shell_printf(sh, "sent %lu of %lu, a period of %lu ns, in %lu ns; ran dry %lu times\n",
		     (ul)r->sent, (ul)r->count, (ul)r->period,
		     (ul)(r->running ? 0 : tsc_to_ns(r->stopped - r->began)), (ul)r->dry);
	return 0;
}

static int metronome(struct shell *sh, int n, const struct word *w)
{
	const struct metronome_run *r = metronome_last();
	bool known = word_is(n, w, 1, "start") || word_is(n, w, 1, "wait") ||
		     word_is(n, w, 1, "show");

	if (!known || (n > 2 && !word_is(n, w, 1, "start")))
		return shell_expected(sh, known ? 2 : 1,
				      known ? "the end of the line" : "start, wait or show");
	if (!r)
		return shell_error(sh, 0, -ENODEV,
				   "there is no virtio network device to beat with");
	if (word_is(n, w, 1, "start"))
		return start(sh);
	return word_is(n, w, 1, "wait") ? wait_for(sh, r) : show(sh, r);
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (n == 1) {
		add(to, "start");
		add(to, "wait");
		add(to, "show");
	} else if (n == 2 && word_is(n, w, 1, "start")) {
		port_for_each(i)
			add(to, ports[i]->name);
	}
}

SHELL_COMMAND(
	cmd_metronome, .name = "metronome", .usage = "start PORT NS | wait | show",
	.help = "a generator's frame each NS nanoseconds, by a device that costs no core anything",
	.run = metronome, .complete = complete);
