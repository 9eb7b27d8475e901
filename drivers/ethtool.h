/* SPDX-License-Identifier: MIT */
/*
 * ethtool.h - options of the shell's ethtool, for each file that has some
 *
 * Linux's letters, argument order and output (ethtool 6.1). An option is one ETHTOOL_OPTION beside
 * what it does; ethtool.c finds it by its letter, hands it the NIC, and lists all of them for -h.
 * Control context, core 0.
 */
#pragma once

#include "kernel/shell.h"
#include "netdev.h"

struct ethtool_option {
	const char *option, *longer; /* "-C", "--coalesce" */
	const char *more; /* what follows the NIC's name: "rx-usecs N"; NULL: nothing may */
	const char *help;
	/* word @i is the first behind the NIC's name; 0 or a negative errno, having said why */
	int (*run)(struct shell *sh, struct netdev *dev, int i);
	/* completions for the word behind words[0..n-1], word @i as above. May be NULL */
	void (*complete)(int n, const struct word *w, int i, void (*add)(void *to, const char *s),
			 void *to);
};

SET_DECLARE(const struct ethtool_option, ethtool_options);
#define ETHTOOL_OPTION(id, ...) \
	static const struct ethtool_option id SET_ENTRY(ethtool_options) = { __VA_ARGS__ }

/* ethtool_show_settings() - `ethtool DEV`: link modes, speed, link. */
int ethtool_show_settings(struct shell *sh, struct netdev *dev);

/* ethtool_need_rss() - 0, or -EOPNOTSUPP having said that the NIC has one queue; @i as for run. */
int ethtool_need_rss(struct shell *sh, int i, const struct netdev *dev);
/*
 * ethtool_set_rss() - have the device spread as @want says, which word @i
 * asked for; what run returns.
 */
int ethtool_set_rss(struct shell *sh, int i, struct netdev *dev, const struct netdev_rss *want);
