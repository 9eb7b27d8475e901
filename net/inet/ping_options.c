/* SPDX-License-Identifier: MIT */
/*
 * ping_options.c - the words behind `ping`, iputils' in any order. Control context. Owns nothing.
 */
#include "ping_options.h"

#include "ip_words.h"

#include <stdio.h>
#include <string.h>

enum {
	SIZE_MAX_ICMP = 65507, /* with its header and IPv4's it is as long as a packet can be */
	COUNT_UNLESS_SAID = 4,
};

/* "0.2", seconds, as milliseconds */
static bool read_ms(const char *s, unsigned long *ms)
{
	unsigned long unit = 1000;
	const char *begin = s;

	for (*ms = 0; *s >= '0' && *s <= '9' && *ms < 1000000; s++)
		*ms = *ms * 10 + (*s - '0') * unit;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++)
			*ms += (*s - '0') * (unit /= 10);
	}
	return s > begin && !*s;
}

static int read_option(struct shell *sh, int *i, struct ping_options *o)
{
	const char *w = sh->word[*i].s;
	int at = ++*i; /* of its value */

	if (!strcmp(w, "-c"))
		return shell_uint(sh, at, 1, 1000000, &o->count);
	if (!strcmp(w, "-s"))
		return shell_uint(sh, at, 0, SIZE_MAX_ICMP, &o->size);
	if (!strcmp(w, "-t"))
		return shell_uint(sh, at, 1, 255, &o->ttl);
	if (!strcmp(w, "-I"))
		return ip_read_dev(sh, at, &o->port);
	if (!strcmp(w, "-i") || !strcmp(w, "-W")) {
		if (at < sh->nwords &&
		    read_ms(sh->word[at].s, w[1] == 'i' ? &o->interval_ms : &o->wait_ms))
			return 0;
		return shell_expected(sh, at, "seconds, like 0.2");
	}
	if (!strcmp(w, "-M")) {
		o->df = word_is(sh->nwords, sh->word, at, "do");
		return o->df || word_is(sh->nwords, sh->word, at, "dont")
			       ? 0
			       : shell_expected(sh, at, "do or dont");
	}
	return shell_expected(sh, at - 1, "-c, -s, -i, -t, -W, -M, -I or an address");
}

/* ADDRESS, or ADDRESS%PORT for a link-local one */
static int read_target(struct shell *sh, int i, struct ping_options *o)
{
	const char *word = i < sh->nwords ? sh->word[i].s : "", *percent = strchr(word, '%');
	size_t n = percent ? (size_t)(percent - word) : strlen(word);
	char text[IP_STR];

	snprintf(text, sizeof(text), "%.*s", (int)n, word);
	if (n >= sizeof(text) || !inet_read(text, &o->dst))
		return shell_expected(sh, i, "an IP address");
	o->name = word;
	if (percent && !(o->port = port_by_name(percent + 1)))
		return shell_expected(sh, i, "ADDRESS%PORT");
	return 0;
}

int ping_read_line(struct shell *sh, struct ping_options *o)
{
	int err = 0;

	*o = (struct ping_options){
		.count = COUNT_UNLESS_SAID, .size = 56, .interval_ms = 1000, .wait_ms = 1000
	};
	for (int i = 1; i < sh->nwords && !err; i++) {
		if (sh->word[i].s[0] == '-')
			err = read_option(sh, &i, o);
		else if (!o->name)
			err = read_target(sh, i, o);
		else
			err = shell_expected(sh, i, "the end of the line");
	}
	return err || o->name ? err : shell_expected(sh, sh->nwords, "an IP address");
}
