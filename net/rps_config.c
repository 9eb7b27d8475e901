/* SPDX-License-Identifier: MIT */
/*
 * rps_config.c - /sys/class/net/PORT/queues/rx-N/rps_cpus, rps_flow_cnt and rps_flows
 *
 * Control context. Whatever changes, changes with the cores parked and the backlogs and rings
 * empty, so no packet is overtaken by a later one of its flow.
 */
#include "rps.h"

#include "kernel/park.h"
#include "kernel/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what a path names --- */

/* a queue of a port, as "nic0/rx-0" says */
struct named {
	struct port *port;
	unsigned queue;
};

static int find(struct shell *sh, const char *star, struct named *what)
{
	char name[PORT_NAME + 1];
	const char *slash = strchr(star, '/');
	unsigned queue;

	snprintf(name, sizeof(name), "%.*s", (int)(slash - star), star);
	what->port = port_by_name(name);
	if (!what->port)
		return shell_error(sh, sh->nwords - 1, -ENOENT, "no port %s", name);
	for (queue = 0; queue < port_queues(what->port); queue++) {
		snprintf(name, sizeof(name), "rx-%u", queue);
		if (!strcmp(slash + 1, name)) {
			what->queue = queue;
			return 0;
		}
	}
	return shell_error(sh, sh->nwords - 1, -ENOENT, "%s has no queue %s, but rx-0 to rx-%u",
			   what->port->name, slash + 1, queue - 1);
}

static void queue_names(const char *star, void (*add)(void *to, const char *s), void *to)
{
	struct port *port = port_by_name(star);
	char name[16];

	for (unsigned q = 0; port && q < port_queues(port); q++) {
		snprintf(name, sizeof(name), "rx-%u", q);
		add(to, name);
	}
}

static struct rps_queue *queue_of(const struct named *what)
{
	static struct rps_queue off; /* as long as the port has none: nobody writes it */

	return what->port->rps ? &what->port->rps->queue[what->queue] : &off;
}

/* --- changing --- */

/*
 * key_of() - the NIC's, so that what it has hashed and what is hashed here go the same way;
 * guests' ports have none.
 */
static const uint8_t *key_of(struct port *port)
{
	return port->ops->rss_key ? port->ops->rss_key(port) : toeplitz_symmetric_key;
}

void rps_key_changed(struct port *port)
{
	if (!port->rps)
		return;
	cores_park();
	rps_settle();
	toeplitz_init(&port->rps->toeplitz, key_of(port));
	cores_resume();
}

/* rps_get() - the port's own, made at the first change. NULL: no memory. */
static struct rps *rps_get(struct port *port)
{
	if (!port->rps) {
		struct rps *rps = calloc(1, sizeof(*rps));

		if (!rps)
			return NULL;
		toeplitz_init(&rps->toeplitz, key_of(port));
		port->rps = rps;
	}
	return port->rps;
}

bool rps_hash(struct port *port, const struct pkt *p, const struct netdev_rss *rss, uint32_t *hash)
{
	return rps_get(port) && rps_rss_hash(port, p, rss, hash);
}

/* fill_flows() - the table begins as it would be without one. */
static void fill_flows(struct rps_queue *q)
{
	for (unsigned flow = 0; flow < q->nflows; flow++)
		q->flow[flow].cpu = q->ncpus ? q->cpu[flow % q->ncpus] : 0;
}

static void set_mask(struct port *port, struct rps_queue *q, uint32_t mask)
{
	uint32_t any = 0;

	cores_park();
	rps_settle();
	q->mask = mask;
	q->ncpus = 0;
	cpu_for_each(i)
		if (mask & BIT(i))
			q->cpu[q->ncpus++] = i;
	fill_flows(q);
	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++)
		any |= port->rps->queue[i].mask;
	port_set_extra(port, PORT_RPS, any ? PORT_RPS : 0, 0);
	cores_resume();
}

/* set_flows() - a table of @n entries; 0: none. 0 or -ENOMEM. */
static int set_flows(struct rps_queue *q, unsigned n)
{
	struct rps_flow *flow = n ? calloc(n, sizeof(*flow)) : NULL, *old = q->flow;

	if (n && !flow)
		return -ENOMEM;
	cores_park();
	rps_settle();
	q->nflows = n;
	q->flow = flow;
	fill_flows(q);
	cores_resume();
	free(old);
	return 0;
}

void rps_clear(struct port *port)
{
	for (unsigned i = 0; port->rps && i < NETDEV_MAX_QUEUES; i++) {
		set_flows(&port->rps->queue[i], 0);
		set_mask(port, &port->rps->queue[i], 0);
	}
}

void rps_set_flow(struct port *port, unsigned queue, unsigned flow, unsigned cpu)
{
	cores_park();
	rps_settle();
	port->rps->queue[queue].flow[flow].cpu = cpu;
	cores_resume();
}

/* --- the files --- */

static int show_cpus(struct shell *sh, const char *star)
{
	struct named what;
	int err = find(sh, star, &what);

	if (!err)
		shell_printf(sh, "%x\n", (unsigned)queue_of(&what)->mask);
	return err;
}

static int store_cpus(struct shell *sh, const char *star, const struct word *value)
{
	unsigned long mask = strtoul(value->s, NULL, 16);
	struct named what;
	int err = find(sh, star, &what);

	if (err)
		return err;
	if (!*value->s || value->s[strspn(value->s, "0123456789abcdefABCDEF")] || mask >> ncpus) {
		char want[64];

		snprintf(want, sizeof(want), "a mask of cores in hex, at most %x, 0 for none",
			 (1u << ncpus) - 1);
		return shell_expected(sh, 1, want);
	}
	if (!rps_get(what.port))
		return shell_error(sh, 1, -ENOMEM, "no memory to steer by");
	set_mask(what.port, queue_of(&what), mask);
	return 0;
}

static int show_flow_cnt(struct shell *sh, const char *star)
{
	struct named what;
	int err = find(sh, star, &what);

	if (!err)
		shell_printf(sh, "%u\n", (unsigned)queue_of(&what)->nflows);
	return err;
}

static int store_flow_cnt(struct shell *sh, const char *star, const struct word *value)
{
	unsigned long n;
	struct named what;
	int err = find(sh, star, &what);

	(void)value;
	if (err)
		return err;
	if (shell_uint(sh, 1, 0, RPS_FLOWS_MAX, &n))
		return -EINVAL;
	while (n & (n - 1)) /* as Linux does: up to a power of two */
		n += n & -n;
	if (!rps_get(what.port) || set_flows(queue_of(&what), n))
		return shell_error(sh, 1, -ENOMEM, "no memory for %lu flows", n);
	return 0;
}

/* a line an entry that has seen packets, or that somebody moved */
static int show_flows(struct shell *sh, const char *star)
{
	struct named what;
	const struct rps_queue *q;
	int err = find(sh, star, &what);

	if (err)
		return err;
	q = queue_of(&what);
	shell_printf(sh, "flow cpu    packets\n");
	for (unsigned i = 0; i < q->nflows; i++)
		if (q->flow[i].packets || (q->ncpus && q->flow[i].cpu != q->cpu[i % q->ncpus]))
			shell_printf(sh, "%4u %3u %10lu\n", i, q->flow[i].cpu,
				     (unsigned long)q->flow[i].packets);
	return 0;
}

/* "5:2": entry 5 leads to core 2 from now on */
static int store_flow(struct shell *sh, const char *star, const struct word *value)
{
	struct named what;
	char *end, *last;
	unsigned long flow = strtoul(value->s, &end, 10),
		      cpu = strtoul(end + (*end == ':'), &last, 10);
	int err = find(sh, star, &what);

	if (err)
		return err;
	if (!queue_of(&what)->nflows)
		return shell_error(sh, 1, -EINVAL,
				   "this queue has no such table: rps_flow_cnt makes one");
	if (end == value->s || *end != ':' || last == end + 1 || *last ||
	    flow >= queue_of(&what)->nflows || cpu >= ncpus)
		return shell_expected(sh, 1, "ENTRY:CORE, an entry of the table and a core");
	rps_set_flow(what.port, what.queue, flow, cpu);
	return 0;
}

PROC_FILE(sys_rps_cpus, .path = "/sys/class/net/*/queues/*/rps_cpus",
	  .help = "cores that packets of this queue are spread over, as a mask in hex",
	  .show = show_cpus, .store = store_cpus, .stars = port_names, .second_stars = queue_names);
PROC_FILE(sys_rps_flow_cnt, .path = "/sys/class/net/*/queues/*/rps_flow_cnt",
	  .help = "entries of the table from flows to cores; 0: by hash alone",
	  .show = show_flow_cnt, .store = store_flow_cnt, .stars = port_names,
	  .second_stars = queue_names);
PROC_FILE(sys_rps_flows, .path = "/sys/class/net/*/queues/*/rps_flows",
	  .help = "that table: entry, core, packets; ENTRY:CORE moves one", .show = show_flows,
	  .store = store_flow, .stars = port_names, .second_stars = queue_names);

static void print_queue(struct shell *sh, const struct port *port, unsigned i)
{
	const struct rps_queue *q = &port->rps->queue[i];

	if (q->nflows)
		shell_printf(sh, "echo %u > /sys/class/net/%s/queues/rx-%u/rps_flow_cnt\n",
			     (unsigned)q->nflows, port->name, i);
	if (q->mask)
		shell_printf(sh, "echo %x > /sys/class/net/%s/queues/rx-%u/rps_cpus\n",
			     (unsigned)q->mask, port->name, i);
	for (unsigned flow = 0; q->ncpus && flow < q->nflows; flow++)
		if (q->flow[flow].cpu != q->cpu[flow % q->ncpus])
			shell_printf(sh, "echo %u:%u > /sys/class/net/%s/queues/rx-%u/rps_flows\n",
				     flow, q->flow[flow].cpu, port->name, i);
}

static void print_config(struct shell *sh)
{
	port_for_each(i)
		for (unsigned q = 0; ports[i]->rps && q < NETDEV_MAX_QUEUES; q++)
			print_queue(sh, ports[i], q);
}

CONFIG_SOURCE(rps_config, .order = 35, .print = print_config);
