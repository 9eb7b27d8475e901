/* SPDX-License-Identifier: MIT */
/*
 * trace_one_cmd.c - `trace one`: waits for a frame, lets it go its way for
 * a while, and has it shown
 *
 * Control context. Whatever happens, everything is put back as it was.
 */
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/park.h"
#include "kernel/time.h"
#include "kernel/words.h"
#include "drivers/netdev.h"
#include "trace_one.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATIENCE_S = 10, /* for a frame, unless told otherwise */
	LOOK_MS = 5,
	QUIET_MS = 50,     /* without another point: it has arrived */
	JOURNEY_MS = 1000, /* at most */
};

/* wait_for_it() - NULL: none came in time, or Ctrl-C. */
static struct trace_one *wait_for_it(struct shell *sh, unsigned long seconds, struct path_row *row)
{
	uint64_t end = rdtsc() + tsc_from_us(seconds * 1000000);

	struct trace_one *one;

	while (!(one = trace_one_caught(row)) && rdtsc() < end) {
		if (!sh->file && console_interrupted())
			break;
		msleep(LOOK_MS);
	}
	return one;
}

static unsigned points(const struct path_stamp *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PATH_N; i++)
		n += s->tsc[i] != 0;
	return n;
}

/*
 * follow() - until it has not got any further for a while; its points are in one->stamp,
 * the last that there were.
 */
static void follow(struct trace_one *one, struct path_row row)
{
	unsigned n = 0, quiet = 0;

	for (unsigned ms = 0; ms < JOURNEY_MS && quiet < QUIET_MS; ms += LOOK_MS) {
		struct path_stamp s;
		unsigned now;

		if (!path_read(row, &s))
			return;
		one->stamp = s;
		now = points(&s);
		quiet = now == n ? quiet + LOOK_MS : 0;
		n = now;
		msleep(LOOK_MS);
	}
}

/*
 * is_its() - are these the descriptors that sent it? Its buffer may be back in a ring
 * with another frame by now.
 */
static bool is_its(const struct trace_one *one, const struct netdev *dev, unsigned q)
{
	if (!one->ntx)
		return one->stamp.tsc[PATH_XMIT];
	return one->tx == dev && one->txq == q && one->tx_later[0].slot == one->tx_desc[0].slot;
}

/*
 * look_again() - what has become of its descriptors; another core may have sent it. Cores parked.
 */
static void look_again(struct trace_one *one)
{
	netdev_for_each(i)
		for (unsigned q = 0; q < netdevs[i]->nqueues && netdevs[i]->up; q++) {
			unsigned n = netdevs[i]->look->tx(netdevs[i], q, one->pkt, one->tx_later,
							  TRACE_ONE_TX);

			if (!n || !is_its(one, netdevs[i], q))
				continue;
			one->tx = netdevs[i];
			one->txq = q;
			one->ntx_later = n;
			return;
		}
}

static int collect(struct trace_one *one)
{
	unsigned max = TRACE_RING * ncpus;

	one->event = malloc(max * sizeof(*one->event));
	if (!one->event)
		return -ENOMEM;
	one->events = trace_collect(one->event, max);
	cores_park();
	look_again(one);
	cores_resume();
	return 0;
}

static int show_next(struct shell *sh, struct port *port, int queue, unsigned long seconds)
{
	bool recorded = trace_on & TRACE_RECORD;
	int err = trace_one_arm(port, queue);
	struct trace_one *one = NULL;
	struct path_row row;

	if (!err) {
		shell_printf(sh, "waiting for a frame by %s, %lu s at most\n",
			     port ? port->name : "any port", seconds);
		one = wait_for_it(sh, seconds, &row);
	}
	if (one) {
		follow(one, row);
		err = collect(one);
	}
	trace_one_disarm(recorded);
	if (err)
		return shell_error(sh, 0, err, "no memory for records");
	if (!one)
		return shell_error(sh, 0, -ETIMEDOUT, "no frame came in by %s in %lu s",
				   port ? port->name : "any port", seconds);
	trace_one_show(sh, one);
	free(one->event);
	return 0;
}

/* read_port() - "nic0", "nic0/1", of word @i; *@queue stays as it is if there is none. */
static int read_port(struct shell *sh, int i, struct port **port, int *queue)
{
	char name[PORT_NAME];
	const char *s = sh->word[i].s, *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	unsigned long nr;

	if (n >= sizeof(name))
		return shell_expected(sh, i, "a port, or a queue such as nic0/1");
	memcpy(name, s, n);
	name[n] = 0;
	*port = port_by_name(name);
	if (!*port || (slash && !words_number(slash + 1, &nr)))
		return shell_expected(sh, i, "a port, or a queue such as nic0/1");
	if (slash && nr >= ((*port)->ops->queues ? (*port)->ops->queues(*port) : 1))
		return shell_error(sh, i, -EINVAL, "%s has no queue %lu", name, nr);
	if (slash)
		*queue = nr;
	return 0;
}

/* trace one [PORT[/QUEUE]] [--timeout SECONDS] */
static int run(struct shell *sh, int n, const struct word *w)
{
	unsigned long seconds = PATIENCE_S;
	struct port *port = NULL;
	int i = 2, queue = -1;

	if (i < n && *w[i].s != '-' && read_port(sh, i++, &port, &queue))
		return -EINVAL;
	if (word_is(n, w, i, "--timeout")) {
		if (shell_uint(sh, i + 1, 1, 3600, &seconds))
			return -EINVAL;
		i += 2;
	}
	if (i < n)
		return shell_expected(sh, i, "--timeout SECONDS, or the end of the line");
	return show_next(sh, port, queue, seconds);
}

static bool takes(int n, const struct word *w)
{
	return word_is(n, w, 1, "one");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (n == 1)
		add(to, "one");
	if (n < 2 || !takes(n, w))
		return;
	add(to, "--timeout");
	port_for_each(i)
		if (n == 2)
			add(to, ports[i]->name);
}

TRACE_COMMAND(trace_one, .what = "one", .takes = takes, .run = run, .complete = complete);
