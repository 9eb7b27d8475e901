/* SPDX-License-Identifier: MIT */
/*
 * pktgen_cmd.c - `pktgen`: settings, start, stop, wait, and the result as Linux's pktgen prints it
 *
 * In the control context. A line's settings are all taken, or none if one of them is wrong.
 */
#include "pktgen.h"

#include "kernel/control.h"
#include "kernel/shell.h"
#include "kernel/words.h"
#include "addr.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

enum { LINK_WAIT_MS = 2000, WAIT_S = 60, LOOK_MS = 1 };

/* --- settings that are numbers --- */

#define MEMBER(name) offsetof(struct pktgen_conf, name)

static const struct numeric {
	const char *name;
	uint32_t at;   /* in struct pktgen_conf */
	uint32_t unit; /* what one of the operator's is there */
	ul lo, hi;     /* the operator's */
} numerics[] = {
	{ "count", MEMBER(traffic.count), 1, 0, UINT32_MAX },
	{ "time", MEMBER(traffic.time_us), 1000, 0, 3600000 },
	{ "ratep", MEMBER(traffic.ratep), 1, 0, 100000000 },
	{ "delay", MEMBER(traffic.delay), 1, 0, 1000000000 },
	{ "burst", MEMBER(traffic.burst), 1, 1, PORT_BATCH },
	{ "on", MEMBER(traffic.on_us), 1000, 0, 60000 },
	{ "off", MEMBER(traffic.off_us), 1000, 0, 60000 },
	{ "flows", MEMBER(traffic.flows), 1, 1, STREAM_FLOWS },
	{ "flowlen", MEMBER(traffic.flowlen), 1, 1, UINT32_MAX },
	{ "udp_src", MEMBER(udp_src), 1, 0, UINT16_MAX },
	{ "udp_dst", MEMBER(udp_dst), 1, 0, UINT16_MAX },
	{ "vlan_id", MEMBER(vlan_id), 1, 0, 4094 },
	{ "seed", MEMBER(traffic.seed), 1, 0, UINT32_MAX },
	{ "stream", MEMBER(stream), 1, 0, STREAMS - 1 },
	{ "core", MEMBER(core), 1, 0, MAX_CPUS - 1 },
};

static uint64_t *numeric_in(struct pktgen_conf *c, const struct numeric *n)
{
	return (uint64_t *)((uint8_t *)c + n->at);
}

static int set_numeric(struct shell *sh, int i, const struct numeric *n, struct pktgen_conf *c)
{
	ul v;
	int err = shell_uint(sh, i, n->lo, n->hi, &v);

	if (err)
		return err;
	if (n->at == MEMBER(traffic.ratep) || n->at == MEMBER(traffic.delay))
		c->traffic.ratep = c->traffic.delay = c->traffic.rate = 0; /* the last one counts */
	*numeric_in(c, n) = v * n->unit;
	return 0;
}

/* --- settings that are not --- */

static int set_rate(struct shell *sh, int i, struct pktgen_conf *c)
{
	static const char what[] = "bits a second with k, M or G behind it, such as 300M";
	const char *units = "kMG", *unit;
	ul v, scale = 1000;
	char digits[12];
	size_t n;

	n = i < sh->nwords ? strlen(sh->word[i].s) : 0;
	if (n < 2 || n > sizeof(digits) || !(unit = strchr(units, sh->word[i].s[n - 1])))
		return shell_expected(sh, i, what);
	snprintf(digits, n, "%s", sh->word[i].s);
	for (; unit > units; unit--)
		scale *= 1000;
	if (!words_number(digits, &v) || !v || v > 1000000)
		return shell_expected(sh, i, what);
	c->traffic.rate = v * scale;
	c->traffic.ratep = c->traffic.delay = 0;
	return 0;
}

/* "60" or "60-1514" */
static bool read_range(const char *s, ul *lo, ul *hi)
{
	const char *dash = strchr(s, '-');
	char first[8];

	if (!dash)
		return words_number(s, lo) && words_number(s, hi);
	if (dash - s >= (long)sizeof(first))
		return false;
	snprintf(first, dash - s + 1, "%s", s);
	return words_number(first, lo) && words_number(dash + 1, hi) && *lo <= *hi;
}

static int set_size(struct shell *sh, int i, struct pktgen_conf *c)
{
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	ul lo = TRAFFIC_SIZE_MIN, hi = lo;

	c->traffic.imix = !strcmp(s, "imix");
	if (!c->traffic.imix &&
	    (!read_range(s, &lo, &hi) || lo < TRAFFIC_SIZE_MIN || hi > TRAFFIC_SIZE_MAX))
		return shell_expected(sh, i, "bytes without FCS, 60 to 1514: N, MIN-MAX or imix");
	c->traffic.size_min = lo;
	c->traffic.size_max = hi;
	return 0;
}

static int set_arrivals(struct shell *sh, int i, struct pktgen_conf *c)
{
	c->traffic.poisson = word_is(sh->nwords, sh->word, i, "poisson");
	if (!c->traffic.poisson && !word_is(sh->nwords, sh->word, i, "even"))
		return shell_expected(sh, i, "even or poisson");
	return 0;
}

static int set_flow_order(struct shell *sh, int i, struct pktgen_conf *c)
{
	c->traffic.random_flows = word_is(sh->nwords, sh->word, i, "random");
	if (!c->traffic.random_flows && !word_is(sh->nwords, sh->word, i, "seq"))
		return shell_expected(sh, i, "seq or random");
	return 0;
}

/* both addresses change their kind together: the other one becomes its default */
static int set_address(struct shell *sh, int i, struct pktgen_conf *c, uint8_t *at, uint8_t *other)
{
	static const uint8_t benchmark[16] = { 0x20, 0x01, 0x00, 0x02 }; /* [RFC 5180 8] */
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	bool v6 = strchr(s, ':');

	if (!(v6 ? ip6_read(s, at) : ip4_read(s, at)))
		return shell_expected(sh, i, "an IPv4 or IPv6 address");
	if (v6 && !c->v6) {
		memcpy(other, benchmark, 16);
		other[15] = other == c->src ? 1 : 2;
	} else if (!v6 && c->v6) {
		memcpy(other,
		       other == c->src ? (uint8_t[]){ 198, 18, 0, 1 }
				       : (uint8_t[]){ 198, 19, 0, 1 },
		       4);
	}
	c->v6 = v6;
	return 0;
}

static int set_dst(struct shell *sh, int i, struct pktgen_conf *c)
{
	return set_address(sh, i, c, c->dst, c->src);
}

static int set_src_min(struct shell *sh, int i, struct pktgen_conf *c)
{
	c->src_span = 1;
	return set_address(sh, i, c, c->src, c->dst);
}

static int set_src_max(struct shell *sh, int i, struct pktgen_conf *c)
{
	uint8_t max[16];
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	unsigned at = c->v6 ? 12 : 0; /* the last 32 bits count */
	uint32_t span;

	if (!(c->v6 ? ip6_read(s, max) : ip4_read(s, max)) || memcmp(max, c->src, at))
		return shell_expected(sh, i, "an address like src_min, which stands before it");
	span = be32(load32(max + at)) - be32(load32(c->src + at));
	if (span >= STREAM_FLOWS)
		return shell_expected(sh, i, "an address from src_min to 4095 above it");
	c->src_span = span + 1;
	return 0;
}

/* an address, or a port whose address it is */
static int set_mac(struct shell *sh, int i, uint8_t mac[6])
{
	struct port *port = i < sh->nwords ? port_by_name(sh->word[i].s) : NULL;

	if (port)
		memcpy(mac, port->mac, 6);
	else if (i >= sh->nwords || !mac_read(sh->word[i].s, mac))
		return shell_expected(sh, i, "a MAC address or a port that has it");
	return 0;
}

static int set_dst_mac(struct shell *sh, int i, struct pktgen_conf *c)
{
	return set_mac(sh, i, c->dst_mac);
}

static int set_src_mac(struct shell *sh, int i, struct pktgen_conf *c)
{
	return set_mac(sh, i, c->src_mac);
}

static const struct setting {
	const char *name;
	int (*apply)(struct shell *sh, int i, struct pktgen_conf *c);
} settings[] = {
	{ "rate", set_rate },
	{ "size", set_size },
	{ "pkt_size", set_size },
	{ "arrivals", set_arrivals },
	{ "flow_order", set_flow_order },
	{ "to", set_dst },
	{ "dst", set_dst },
	{ "src_min", set_src_min },
	{ "src_max", set_src_max },
	{ "dst_mac", set_dst_mac },
	{ "src_mac", set_src_mac },
};

/* --- a line of settings --- */

/* the setting at word @i, and the word behind it */
static int set_one(struct shell *sh, int i, struct pktgen_conf *c)
{
	const char *name = sh->word[i].s;

	for (unsigned k = 0; k < ARRAY_SIZE(numerics); k++)
		if (!strcmp(name, numerics[k].name))
			return set_numeric(sh, i + 1, &numerics[k], c);
	for (unsigned k = 0; k < ARRAY_SIZE(settings); k++)
		if (!strcmp(name, settings[k].name))
			return settings[k].apply(sh, i + 1, c);
	return shell_expected(sh, i, "a setting ('help pktgen' lists them)");
}

/* is it possible, all together? */
static int check(struct shell *sh, const struct pktgen_conf *c)
{
	if (c->core >= ncpus)
		return shell_error(sh, 1, -EINVAL, "there is no core %lu", (ul)c->core);
	if (c->traffic.off_us && !c->traffic.on_us)
		return shell_error(sh, 1, -EINVAL, "off without on: it would never send");
	if (!c->traffic.imix && c->traffic.size_min < pktgen_min_size(c))
		return shell_error(sh, 1, -EINVAL, "%u bytes is the least with these headers",
				   pktgen_min_size(c));
	return 0;
}

static int configure(struct shell *sh, struct port *port)
{
	struct pktgen *g = pktgen_of(port);
	struct pktgen_conf c = g ? g->conf : pktgen_default(port);
	int err = 0;

	if (g && g->running)
		return shell_error(sh, 1, -EBUSY, "%s is sending; stop it first", port->name);
	for (int i = 2; i < sh->nwords && !err;) {
		if (word_is(sh->nwords, sh->word, i, "reset")) {
			c = pktgen_default(port);
			i++;
			continue;
		}
		err = set_one(sh, i, &c);
		i += 2;
	}
	if (!err)
		err = check(sh, &c);
	if (err)
		return err;
	if (!g)
		g = pktgen_create(port);
	if (!g)
		return shell_error(sh, 1, -ENOMEM, "no memory for a generator");
	g->conf = c;
	return 0;
}

/* --- settings as a line, for `show config` and `pktgen show` --- */

static void print_numbers(struct shell *sh, struct pktgen_conf *c, struct pktgen_conf *usual)
{
	for (unsigned i = 0; i < ARRAY_SIZE(numerics); i++) {
		const struct numeric *n = &numerics[i];

		if (*numeric_in(c, n) != *numeric_in(usual, n))
			shell_printf(sh, " %s %lu", n->name, (ul)(*numeric_in(c, n) / n->unit));
	}
}

static void print_rate(struct shell *sh, uint64_t rate)
{
	const char *unit = "kMG";

	for (rate /= 1000; rate % 1000 == 0 && unit[1]; rate /= 1000)
		unit++;
	shell_printf(sh, " rate %lu%c", (ul)rate, *unit);
}

static void print_ip(struct shell *sh, const char *name, const uint8_t *ip, bool v6, uint32_t up)
{
	char text[IP_STR];
	uint8_t a[16];
	unsigned at = v6 ? 12 : 0;
	uint32_t low;

	memcpy(a, ip, sizeof(a));
	low = be32(be32(load32(a + at)) + up);
	memcpy(a + at, &low, sizeof(low));
	if (v6)
		ip6_str(a, text);
	else
		ip4_str(load32(a), text);
	shell_printf(sh, " %s %s", name, text);
}

static void print_mac(struct shell *sh, const char *name, const uint8_t *mac, const uint8_t *usual)
{
	char text[MAC_STR];

	if (!memcmp(mac, usual, 6))
		return;
	mac_str(mac, text);
	shell_printf(sh, " %s %s", name, text);
}

static void print_settings(struct shell *sh, struct pktgen *g)
{
	struct pktgen_conf usual = pktgen_default(g->port), *c = &g->conf;

	shell_printf(sh, "pktgen %s", g->port->name);
	print_numbers(sh, c, &usual);
	if (c->traffic.rate)
		print_rate(sh, c->traffic.rate);
	if (c->traffic.imix)
		shell_printf(sh, " size imix");
	else if (c->traffic.size_min != c->traffic.size_max)
		shell_printf(sh, " size %u-%u", c->traffic.size_min, c->traffic.size_max);
	else if (c->traffic.size_min != usual.traffic.size_min)
		shell_printf(sh, " size %u", c->traffic.size_min);
	if (c->traffic.poisson)
		shell_printf(sh, " arrivals poisson");
	if (c->traffic.random_flows)
		shell_printf(sh, " flow_order random");
	if (c->v6 || memcmp(c->dst, usual.dst, 4))
		print_ip(sh, "dst", c->dst, c->v6, 0);
	if (c->v6 || memcmp(c->src, usual.src, 4) || c->src_span > 1)
		print_ip(sh, "src_min", c->src, c->v6, 0);
	if (c->src_span > 1)
		print_ip(sh, "src_max", c->src, c->v6, c->src_span - 1);
	print_mac(sh, "dst_mac", c->dst_mac, usual.dst_mac);
	print_mac(sh, "src_mac", c->src_mac, usual.src_mac);
	shell_printf(sh, "\n");
}

static void config(struct shell *sh)
{
	port_for_each(i)
		if (pktgen_of(ports[i]))
			print_settings(sh, pktgen_of(ports[i]));
}

CONFIG_SOURCE(config_pktgen, .order = 45, .print = config);

/* --- start, stop, wait, show --- */

/* the generators of the port at word 2, or all; returns how many, or a negative errno, having said why */
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
			msleep(LOOK_MS);
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

		print_settings(sh, g[i]);
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
	bool verb = n > 1 && !port_by_name(w[1].s);

	if (n == 1)
		for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
			add(to, verbs[i].name);
	if (n == 1 || (n == 2 && verb) || word_is(n, w, n - 1, "dst_mac"))
		port_for_each(i)
			add(to, ports[i]->name);
	if (n < 2 || verb || n % 2)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(numerics); i++)
		add(to, numerics[i].name);
	for (unsigned i = 0; i < ARRAY_SIZE(settings); i++)
		add(to, settings[i].name);
	add(to, "reset");
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
