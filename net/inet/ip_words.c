/* SPDX-License-Identifier: MIT */
/*
 * ip_words.c - what the words of `ip` have in common: options, addresses, prefixes,
 * devices. Control context.
 */
#include "ip_words.h"

#include "kernel/words.h"

#include <stdio.h>
#include <string.h>

int ip_read_addr(struct shell *sh, int i, struct inet_addr *a)
{
	if (i >= sh->nwords || !inet_read(sh->word[i].s, a))
		return shell_expected(sh, i, "an IP address");
	return 0;
}

int ip_read_dev(struct shell *sh, int i, struct port **port)
{
	struct port *match[PORT_MAX];
	int n = port_words(sh, i, match);

	if (n < 0)
		return n;
	if (n > 1)
		return shell_expected(sh, i, "one port");
	*port = match[0];
	return 0;
}

int ip_read_its_dev(struct shell *sh, int i, struct port **port)
{
	int err;

	if (!word_is(sh->nwords, sh->word, i, "dev"))
		return shell_expected(sh, i, "dev");
	err = ip_read_dev(sh, i + 1, port);
	if (err)
		return err;
	return i + 2 < sh->nwords ? shell_expected(sh, i + 2, "the end of the line") : 0;
}

int ip_read_devs(struct shell *sh, int i, struct port *ports[PORT_MAX])
{
	int n;

	if (word_is(sh->nwords, sh->word, i, "dev"))
		i++;
	if (i >= sh->nwords)
		return port_match("*", ports);
	n = port_words(sh, i, ports);
	if (n > 0 && i + 1 < sh->nwords)
		return shell_expected(sh, i + 1, "the end of the line");
	return n;
}

/* the length behind the slash, of 128 bits */
static int read_length(struct shell *sh, int i, const char *slash, bool v4, unsigned *len)
{
	unsigned long v;

	if (!words_number(slash + 1, &v) || v > (v4 ? 32 : 128))
		return shell_expected_at(sh, sh->word[i].col + (slash + 1 - sh->word[i].s),
					 v4 ? "a prefix length from 0 to 32"
					    : "a prefix length from 0 to 128",
					 slash[1] ? slash + 1 : NULL);
	*len = v + (v4 ? INET_V4_BITS : 0);
	return 0;
}

int ip_read_prefix(struct shell *sh, int i, const struct ip_options *o, bool any_ok,
		   struct inet_addr *a, unsigned *len)
{
	static const uint8_t none[4];
	const char *what = any_ok ? "an address with a prefix length, or default"
				  : "an address with a prefix length";
	char text[IP_STR];
	const char *slash, *word;
	size_t n;

	if (i >= sh->nwords)
		return shell_expected(sh, i, what);
	word = sh->word[i].s;
	if (any_ok && !strcmp(word, "default")) {
		*a = o->family == IP_V6 ? inet_any : inet_v4(none);
		*len = o->family == IP_V6 ? 0 : INET_V4_BITS;
		return 0;
	}
	slash = strchr(word, '/');
	n = slash ? (size_t)(slash - word) : strlen(word);
	if (n >= sizeof(text))
		return shell_expected(sh, i, what);
	memcpy(text, word, n);
	text[n] = 0;
	if (!inet_read(text, a) || !ip_shown(o, a))
		return shell_expected(sh, i, what);
	*len = 128;
	return slash ? read_length(sh, i, slash, inet_is_v4(a), len) : 0;
}

void ip_prefix_str(const struct inet_addr *a, unsigned len, bool brief, char buf[PREFIX_STR])
{
	int n = inet_str(a, buf);

	if (!brief || len != 128)
		snprintf(buf + n, PREFIX_STR - n, "/%u", inet_is_v4(a) ? len - INET_V4_BITS : len);
}

/* the objects of `ip`, by any beginning of their names that says which */
static const struct object {
	const char *name;
	size_t least; /* letters */
	int (*run)(struct shell *sh, int i, const struct ip_options *o);
} objects[] = {
	{ "link", 1, ip_link },       { "address", 1, ip_addr },   { "route", 1, ip_route },
	{ "neighbour", 1, ip_neigh }, { "maddress", 2, ip_maddr },
};

static const struct object *object_at(int n, const struct word *w, int i)
{
	for (unsigned k = 0; i < n && k < ARRAY_SIZE(objects); k++) {
		size_t len = strlen(w[i].s);

		if (len >= objects[k].least && !strncmp(objects[k].name, w[i].s, len))
			return &objects[k];
	}
	return NULL;
}

static int ip(struct shell *sh, int n, const struct word *w)
{
	struct ip_options o = { 0 };
	const struct object *object;
	int i = 1;

	for (; i < n && w[i].s[0] == '-'; i++) {
		if (!strcmp(w[i].s, "-s"))
			o.stats = true;
		else if (!strcmp(w[i].s, "-4") || !strcmp(w[i].s, "-6"))
			o.family = w[i].s[1] == '4' ? IP_V4 : IP_V6;
		else
			return shell_expected(sh, i,
					      "-s, -4, -6, or link, addr, route, neigh or maddr");
	}
	object = object_at(n, w, i);
	if (!object)
		return shell_expected(sh, i, "link, addr, route, neigh or maddr");
	return object->run(sh, i + 1, &o);
}

#define OBJECTS  "link addr route neigh maddr"
#define SETTINGS "up down mtu promisc allmulticast address"

static const struct words_next behind_a_word[] = {
	{ "ip", "-s -4 -6 " OBJECTS },
	{ "-s", OBJECTS },
	{ "-4", OBJECTS },
	{ "-6", OBJECTS },
	{ "link", "show set" },
	{ "addr", "show add del" },
	{ "maddr", "show add del" },
	{ "route", "show add del get" },
	{ "neigh", "show add replace del flush" },
	{ "flush", "dev all" },
	{ "up", SETTINGS },
	{ "down", SETTINGS },
	{ "promisc", "on off" },
	{ "allmulticast", "on off" },
};

/* behind a word and its value */
static const struct words_next behind_a_value[] = {
	{ "set", SETTINGS },     { "mtu", SETTINGS },          { "address", SETTINGS },
	{ "promisc", SETTINGS }, { "allmulticast", SETTINGS }, { "via", "dev src metric" },
	{ "src", "dev metric" }, { "lladdr", "dev" },
};

static const char *behind_added(const char *object)
{
	if (!strcmp(object, "route"))
		return "via dev src metric";
	return !strcmp(object, "neigh") ? "lladdr dev" : "dev";
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	const char *last = w[n - 1].s, *before = n > 1 ? w[n - 2].s : "";

	if (!strcmp(last, "dev") || !strcmp(last, "set") || !strcmp(last, "show"))
		port_offer(add, to);
	else if (n > 3 &&
		 (!strcmp(before, "add") || !strcmp(before, "del") || !strcmp(before, "replace")))
		words_offer(behind_added(w[n - 3].s), add, to);
	else if (!words_offer_next(behind_a_word, ARRAY_SIZE(behind_a_word), last, add, to))
		words_offer_next(behind_a_value, ARRAY_SIZE(behind_a_value), before, add, to);
}

SHELL_COMMAND(
	cmd_ip, .name = "ip",
	.usage = "[-s] link [show [PORT]] | link set PORT up|down|mtu N|promisc on|off|"
		 "allmulticast on|off|address MAC | "
		 "[-4|-6] addr [show [dev PORT]] | addr add|del ADDRESS/LENGTH dev PORT | "
		 "[-4|-6] route [show] | route add [unreachable|blackhole] PREFIX|default [via "
		 "ADDRESS] "
		 "[dev PORT] [src ADDRESS] [metric N] | route del PREFIX ... | route get ADDRESS | "
		 "[-4|-6] neigh [show [dev PORT]] | neigh add|replace|del ADDRESS [lladdr MAC] dev "
		 "PORT | "
		 "neigh flush dev PORT|all | maddr [show [dev PORT]] | maddr add|del MAC dev PORT",
	.help = "ports, addresses, routes, neighbours, groups", .run = ip, .complete = complete);
