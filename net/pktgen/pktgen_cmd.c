/* SPDX-License-Identifier: MIT */
/*
 * pktgen_cmd.c - `pktgen`: make one, start, stop, wait, and the result as Linux's pktgen prints it
 *
 * In the control context. A line's settings (pktgen_conf.h) are all taken, or none
 * if one of them is wrong.
 */
#include "pktgen_conf.h"

#include "kernel/control.h"
#include "kernel/time.h"
#include "kernel/words.h"

#include <errno.h>

typedef unsigned long ul;

enum { LINK_WAIT_MS = 2000, WAIT_S = 60, LOOK_MS = 1 };

/* --- making and changing one --- */

static int configure(struct shell *sh, struct port *port)
{
	struct pktgen *g = pktgen_of(port);
	struct pktgen_conf c = g ? g->conf : pktgen_default(port);
	int err;

	if (g && g->running)
		return shell_error(sh, 1, -EBUSY, "%s is sending; stop it first", port->name);
	err = pktgen_conf_read(sh, 2, port, &c);
	if (err)
		return err;
	if (!g)
		g = pktgen_create(port);
	if (!g)
		return shell_error(sh, 1, -ENOMEM, "no memory for a generator");
	g->conf = c;
	return 0;
}

static void config(struct shell *sh)
{
	port_for_each(i)
		if (pktgen_of(ports[i]))
			pktgen_conf_print(sh, pktgen_of(ports[i]));
}

CONFIG_SOURCE(config_pktgen, .order = 45, .print = config);

/* --- start, stop, wait, show --- */

/*
 * the generators of the port at word 2, or all; returns how many, or a
 * negative errno, having said why
 */
static int chosen(struct shell *sh, struct pktgen **out)
{
	struct port *match[PORT_MAX];
	int n = sh->nwords > 2 ? port_words(sh, 2, match) : (int)port_match("*", match), found = 0;

	if (n > 0 && sh->nwords > 3)
		return shell_expected(sh, 3, "the end of the line");
	for (int i = 0; i < n; i++)
		if (pktgen_of(match[i]))
			out[found++] = pktgen_of(match[i]);
	if (n >= 0 && !found)
		return shell_error(sh, 2, -ENODEV, "no generator there; 'pktgen PORT' makes one");
	return n < 0 ? n : found;
}

/* auto-negotiation takes half a second; who starts a generator does not want to see that dropped */
static int await_link(struct shell *sh, const struct port *port)
{
	for (unsigned ms = 0; ms < LINK_WAIT_MS && port->up && !port->ready; ms += LOOK_MS)
		msleep(LOOK_MS);
	return port->ready ? 0
			   : shell_error(sh, 1, -ENETDOWN, "%s %s", port->name,
					 port->up ? "has no link" : "is down");
}

static int start(struct shell *sh, struct pktgen **g, int n)
{
	int err = 0;

	for (int i = 0; i < n && !err; i++)
		err = await_link(sh, g[i]->port);
	for (int i = 0; i < n && !err; i++)
		pktgen_start(g[i]);
	return err;
}

static int stop(struct shell *sh, struct pktgen **g, int n)
{
	(void)sh;
	for (int i = 0; i < n; i++)
		pktgen_stop(g[i]);
	return 0;
}

static int wait_for(struct shell *sh, struct pktgen **g, int n)
{
	for (int i = 0; i < n; i++) {
		const struct pktgen_conf *c = &g[i]->conf;

		if (g[i]->running && !c->traffic.count && !c->traffic.time_us)
			return shell_error(sh, 1, -EINVAL, "%s has neither count nor time: no end",
					   g[i]->port->name);
		for (unsigned ms = 0;
		     g[i]->running && ms < WAIT_S * 1000 + c->traffic.time_us / 1000; ms += LOOK_MS)
			if (!msleep_interruptible(LOOK_MS))
				return -EINTR;
		if (g[i]->running)
			return shell_error(sh, 1, -ETIME, "%s is still sending after %u s",
					   g[i]->port->name, WAIT_S);
	}
	return 0;
}

static void print_result(struct shell *sh, const struct pktgen *g)
{
	uint64_t us = tsc_to_ns(g->stopped - g->traffic.began) / 1000,
		 busy = tsc_to_ns(g->busy) / 1000;
	uint64_t pps = us ? g->sofar * 1000000 / us : 0, bps = us ? g->bytes * 8000000 / us : 0;

	shell_printf(sh, "Result: OK: %lu(c%lu+d%lu) usec, %lu (%lubyte,0frags)\n", (ul)us,
		     (ul)busy, (ul)(us - MIN(busy, us)), (ul)g->sofar,
		     (ul)(g->sofar ? g->bytes / g->sofar : 0));
	shell_printf(sh, "  %lupps %luMb/sec (%lubps) errors: %lu\n", (ul)pps, (ul)bps / 1000000,
		     (ul)bps, (ul)g->errors);
}

static int show(struct shell *sh, struct pktgen **g, int n)
{
	for (int i = 0; i < n; i++) {
		const struct pktgen_conf *c = &g[i]->conf;

		pktgen_conf_print(sh, g[i]);
		shell_printf(sh, "Params: count %lu  min_pkt_size: %u  max_pkt_size: %u\n",
			     (ul)c->traffic.count,
			     c->traffic.imix ? TRAFFIC_SIZE_MIN : c->traffic.size_min,
			     c->traffic.imix ? TRAFFIC_SIZE_MAX : c->traffic.size_max);
		shell_printf(sh, "     flows: %lu flowlen: %lu\n", (ul)c->traffic.flows,
			     (ul)c->traffic.flowlen);
		shell_printf(sh, "Current:\n     pkts-sofar: %lu  errors: %lu  nobufs: %lu\n",
			     (ul)g[i]->sofar, (ul)g[i]->errors, (ul)g[i]->nobufs);
		if (g[i]->running)
			shell_printf(sh, "Result: Running\n");
		else if (!g[i]->stopped)
			shell_printf(sh, "Result: Idle\n");
		else
			print_result(sh, g[i]);
	}
	return 0;
}

static const struct verb {
	const char *name;
	int (*run)(struct shell *sh, struct pktgen **g, int n);
} verbs[] = { { "start", start }, { "stop", stop }, { "wait", wait_for }, { "show", show } };

static int pktgen(struct shell *sh, int n, const struct word *w)
{
	struct pktgen *g[PORT_MAX];
	struct port *port;
	int found;

	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (word_is(n, w, 1, verbs[i].name)) {
			found = chosen(sh, g);
			return found < 0 ? found : verbs[i].run(sh, g, found);
		}
	port = n > 1 ? port_by_name(w[1].s) : NULL;
	if (!port)
		return shell_expected(sh, 1, "start, stop, wait, show or a port");
	return configure(sh, port);
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const struct words_next values[] = { { "arrivals", "even poisson" },
						    { "flow_order", "seq random" },
						    { "size", "imix" } };
	bool verb = n > 1 && !port_by_name(w[1].s);

	if (n == 1)
		for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
			add(to, verbs[i].name);
	if (n == 1 || (n == 2 && verb) || word_is(n, w, n - 1, "dst_mac") ||
	    word_is(n, w, n - 1, "src_mac"))
		port_for_each(i)
			add(to, ports[i]->name);
	if (n < 2 || verb)
		return;
	if (n % 2 == 0)
		pktgen_conf_words(add, to);
	else
		words_offer_next(values, ARRAY_SIZE(values), w[n - 1].s, add, to);
}

SHELL_COMMAND(
	cmd_pktgen, .name = "pktgen",
	.usage = "PORT [reset] [count N] [time MS] [ratep PPS | rate BITS | delay NS] [burst N] "
		 "[arrivals even|poisson] [on MS off MS] [size N|MIN-MAX|imix] [flows N] "
		 "[flowlen N] [flow_order seq|random] [seed N] [stream N] [core N] [to ADDRESS] "
		 "[src_min ADDRESS] [src_max ADDRESS] [dst_mac MAC|PORT] [src_mac MAC|PORT] "
		 "[udp_src N] [udp_dst N] [vlan_id N] | start|stop|wait|show [PORT]",
	.help = "numbered packets of Weir's own by a port, at a rate", .run = pktgen,
	.complete = complete);
