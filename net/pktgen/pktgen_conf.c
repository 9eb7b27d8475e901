/* SPDX-License-Identifier: MIT */
/*
 * pktgen_conf.c - a generator's settings: read from a line, and written as one
 *
 * Called by pktgen_cmd.c in the control context. Owns nothing.
 */
#include "pktgen_conf.h"

#include "kernel/words.h"
#include "net/addr.h"
#include "net/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

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

static uint64_t numeric_of(const struct pktgen_conf *c, const struct numeric *n)
{
	return *numeric_in((struct pktgen_conf *)c, n);
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

/*
 * said_before() - the address of the other kind that stands in front of word @i on the
 * same line; NULL: none does.
 */
static const char *said_before(const struct shell *sh, int i, bool v6)
{
	for (int k = 2; k + 1 < i; k++) {
		const char *name = sh->word[k].s, *s = sh->word[k + 1].s;

		if ((!strcmp(name, "to") || !strcmp(name, "dst") || !strcmp(name, "src_min")) &&
		    !strchr(s, ':') == v6)
			return s;
	}
	return NULL;
}

/*
 * both addresses change their kind together: the other one becomes its default,
 * unless it was said just before
 */
static int set_address(struct shell *sh, int i, struct pktgen_conf *c, uint8_t *at, uint8_t *other)
{
	static const uint8_t benchmark[16] = { 0x20, 0x01, 0x00, 0x02 }; /* [RFC 5180 8] */
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	bool v6 = strchr(s, ':');
	char what[80];

	if (said_before(sh, i, v6)) {
		snprintf(what, sizeof(what), "an address of the same kind as %s",
			 said_before(sh, i, v6));
		return shell_expected(sh, i, what);
	}
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

int pktgen_conf_read(struct shell *sh, int i, const struct port *port, struct pktgen_conf *c)
{
	int err = 0;

	while (i < sh->nwords && !err) {
		if (word_is(sh->nwords, sh->word, i, "reset")) {
			*c = pktgen_default(port);
			i++;
			continue;
		}
		err = set_one(sh, i, c);
		i += 2;
	}
	return err ? err : check(sh, c);
}

void pktgen_conf_words(void (*add)(void *to, const char *s), void *to)
{
	for (unsigned i = 0; i < ARRAY_SIZE(numerics); i++)
		add(to, numerics[i].name);
	for (unsigned i = 0; i < ARRAY_SIZE(settings); i++)
		add(to, settings[i].name);
	add(to, "reset");
}

/* --- and back --- */

static void print_numbers(struct shell *sh, const struct pktgen_conf *c,
			  const struct pktgen_conf *usual)
{
	for (unsigned i = 0; i < ARRAY_SIZE(numerics); i++) {
		const struct numeric *n = &numerics[i];

		if (numeric_of(c, n) != numeric_of(usual, n))
			shell_printf(sh, " %s %lu", n->name, (ul)(numeric_of(c, n) / n->unit));
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

void pktgen_conf_print(struct shell *sh, const struct pktgen *g)
{
	const struct pktgen_conf usual = pktgen_default(g->port), *c = &g->conf;

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
