/* SPDX-License-Identifier: MIT */
/*
 * ethtool.c - the shell's ethtool: which option is it, and for which NIC
 *
 * Control context, core 0. Owns nothing; what the options do stands in ethtool_*.c, each
 * beside its ETHTOOL_OPTION.
 */
#include "ethtool.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

static const struct ethtool_option *option_of(const char *word)
{
	set_for_each(o, ethtool_options)
		if (!strcmp(o->option, word) || !strcmp(o->longer, word))
			return o;
	return NULL;
}

/*
 * letter() - where an option stands in the list: -c in front of -C, those
 * without a letter behind all.
 */
static int letter(const struct ethtool_option *o)
{
	int c = o->option[1];

	return c == '-' ? INT_MAX : 2 * tolower(c) + !!isupper(c);
}

static bool before(const struct ethtool_option *a, const struct ethtool_option *b)
{
	return letter(a) != letter(b) ? letter(a) < letter(b) : strcmp(a->longer, b->longer) < 0;
}

/* option_behind() - the next of the list; NULL begins it, and ends it. */
static const struct ethtool_option *option_behind(const struct ethtool_option *o)
{
	const struct ethtool_option *next = NULL;

	set_for_each(each, ethtool_options)
		if ((!o || before(o, each)) && (!next || before(each, next)))
			next = each;
	return next;
}

static int list_options(struct shell *sh)
{
	shell_printf(
		sh,
		"        ethtool DEV\n                its link: speed, duplex, what it can do\n");
	for (const struct ethtool_option *o = NULL; (o = option_behind(o));)
		shell_printf(sh, "        ethtool %s%s%s DEV%s%s\n                %s\n",
			     o->option[1] == '-' ? "" : o->option, o->option[1] == '-' ? "" : "|",
			     o->longer, o->more ? " " : "", o->more ? o->more : "", o->help);
	return 0;
}

static int run_ethtool(struct shell *sh, int n, const struct word *w)
{
	int at = n > 1 && w[1].s[0] == '-' ? 2 : 1;
	const struct ethtool_option *o = at == 2 ? option_of(w[1].s) : NULL;
	struct netdev *dev = n > at ? netdev_by_name(w[at].s) : NULL;

	if (word_is(n, w, 1, "-h"))
		return n == 2 ? list_options(sh) : shell_expected(sh, 2, "the end of the line");
	if (at == 2 && !o)
		return shell_expected(sh, 1, "an option (ethtool -h lists them) or a NIC's name");
	if (!dev)
		return shell_expected(sh, at, "a NIC's name");
	if (n > at + 1 && (!o || !o->more))
		return shell_expected(sh, at + 1, "the end of the line");
	return o ? o->run(sh, dev, at + 1) : ethtool_show_settings(sh, dev);
}

static void complete_ethtool(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to)
{
	const struct ethtool_option *o = n > 1 ? option_of(w[1].s) : NULL;

	if (n == 1) {
		add(to, "-h");
		set_for_each(each, ethtool_options)
			add(to, each->option);
	}
	if (n == 1 || (n == 2 && o))
		netdev_for_each(i)
			add(to, netdevs[i]->name);
	if (n > 2 && o && o->complete)
		o->complete(n, w, 3, add, to);
}

SHELL_COMMAND(cmd_ethtool, .name = "ethtool", .usage = "[OPTION] DEV [WORD...] | -h",
	      .help = "a NIC's settings and statistics, as ethtool -h lists them",
	      .run = run_ethtool, .complete = complete_ethtool);
