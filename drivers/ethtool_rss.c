/* SPDX-License-Identifier: MIT */
/*
 * ethtool_rss.c - ethtool -x and -X: which queue a hash goes to, and the hash's key
 *
 * Control context, core 0. Owns nothing; dev->rss is what the device has, and its ops
 * change it while frames flow.
 */
#include "ethtool.h"

#include "kernel/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ROW = 8 }; /* entries of the table a line */

/* a chip with one queue has nothing to spread over */
int ethtool_need_rss(struct shell *sh, int i, const struct netdev *dev)
{
	return dev->max_queues > 1 ? 0
				   : shell_error(sh, i - 1, -EOPNOTSUPP,
						 "%s has one queue, nothing is spread", dev->name);
}

int ethtool_set_rss(struct shell *sh, int i, struct netdev *dev, const struct netdev_rss *want)
{
	bool new_key = memcmp(want->key, dev->rss.key, sizeof(want->key));
	int err = dev->ethtool->set_rss(dev, want);

	if (err)
		return shell_error(sh, i, err, "%s did not take it", dev->name);
	if (new_key && dev->rss_key_changed)
		dev->rss_key_changed(dev);
	return 0;
}

static void print_key(struct shell *sh, const uint8_t *key)
{
	for (unsigned i = 0; i < TOEPLITZ_KEY; i++)
		shell_printf(sh, "%02x%s", key[i], i + 1 < TOEPLITZ_KEY ? ":" : "\n");
}

static int show_table(struct shell *sh, struct netdev *dev, int i)
{
	int err = ethtool_need_rss(sh, i, dev);

	if (err)
		return err;
	shell_printf(sh, "RX flow hash indirection table for %s with %u RX ring(s):\n", dev->name,
		     dev->nqueues);
	for (unsigned k = 0; k < RSS_TABLE; k++) {
		if (k % ROW == 0)
			shell_printf(sh, "%5u: ", k);
		shell_printf(sh, " %5u%s", dev->rss.table[k], k % ROW == ROW - 1 ? "\n" : "");
	}
	shell_printf(sh, "RSS hash key:\n");
	print_key(sh, dev->rss.key);
	shell_printf(sh, "RSS hash function:\n    toeplitz: on\n    xor: off\n    crc32: off\n");
	return 0;
}

/* "equal N": the first N queues in turn */
static int take_equal(struct shell *sh, int *i, const struct netdev *dev, struct netdev_rss *want)
{
	unsigned long n;

	if (shell_uint(sh, *i + 1, 1, dev->nqueues, &n))
		return -EINVAL;
	for (unsigned k = 0; k < RSS_TABLE; k++)
		want->table[k] = k % n;
	want->table_set = true;
	*i += 2;
	return 0;
}

/* "weight W0 W1 ...": to each queue a part of the table as its weight is of all */
static int take_weights(struct shell *sh, int *i, const struct netdev *dev, struct netdev_rss *want)
{
	unsigned long weight[NETDEV_MAX_QUEUES], sum = 0, before = 0, more;
	unsigned n = 0, k = 0;

	for (++*i; n < dev->nqueues && *i < sh->nwords && strspn(sh->word[*i].s, "0123456789");
	     ++*i, n++) {
		if (shell_uint(sh, *i, 0, RSS_TABLE, &weight[n]))
			return -EINVAL;
		sum += weight[n];
	}
	if (n == dev->nqueues && *i < sh->nwords && words_number(sh->word[*i].s, &more))
		return shell_error(sh, *i, -EINVAL, "%s has %u queues", dev->name, dev->nqueues);
	if (!n)
		return shell_expected(sh, *i, "a weight for each queue");
	if (!sum || sum > RSS_TABLE)
		return shell_error(sh, *i - 1, -EINVAL, "the weights make %lu, not 1 to %u", sum,
				   RSS_TABLE);
	for (unsigned q = 0; q < n; q++) {
		before += weight[q];
		for (; k * sum < RSS_TABLE * before; k++)
			want->table[k] = q;
	}
	want->table_set = true;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "hkey 6d:5a:...": all bytes of it */
static int take_key(struct shell *sh, int *i, struct netdev_rss *want)
{
	const char *s = *i + 1 < sh->nwords ? sh->word[*i + 1].s : "";
	char what[64];

	for (unsigned k = 0; k < TOEPLITZ_KEY; k++, s += *s == ':') {
		int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);
		char end = k + 1 < TOEPLITZ_KEY ? ':' : '\0';

		if (low < 0 || s[2] != end) {
			snprintf(what, sizeof(what), "%u bytes in hex with a colon between each",
				 TOEPLITZ_KEY);
			return shell_expected(sh, *i + 1, what);
		}
		want->key[k] = high << 4 | low;
		s += 2;
	}
	*i += 2;
	return 0;
}

static int take_default(int *i, struct netdev *dev, struct netdev_rss *want)
{
	for (unsigned k = 0; k < RSS_TABLE; k++)
		want->table[k] = k % dev->nqueues;
	want->table_set = false;
	++*i;
	return 0;
}

static int set_table(struct shell *sh, struct netdev *dev, int i)
{
	struct netdev_rss want = dev->rss;
	int first = i, err = ethtool_need_rss(sh, i, dev);

	do {
		if (err)
			return err;
		if (word_is(sh->nwords, sh->word, i, "equal"))
			err = take_equal(sh, &i, dev, &want);
		else if (word_is(sh->nwords, sh->word, i, "weight"))
			err = take_weights(sh, &i, dev, &want);
		else if (word_is(sh->nwords, sh->word, i, "hkey"))
			err = take_key(sh, &i, &want);
		else if (word_is(sh->nwords, sh->word, i, "default"))
			err = take_default(&i, dev, &want);
		else
			return shell_expected(sh, i, "equal, weight, hkey or default");
	} while (!err && i < sh->nwords);
	return err ? err : ethtool_set_rss(sh, first, dev, &want);
}

static void complete_table(int n, const struct word *w, int i, void (*add)(void *to, const char *s),
			   void *to)
{
	(void)w;
	if (n != i)
		return;
	add(to, "equal");
	add(to, "weight");
	add(to, "hkey");
	add(to, "default");
}

ETHTOOL_OPTION(option_show_table, .option = "-x", .longer = "--show-rxfh",
	       .help = "which queue a hash goes to, and the hash's key", .run = show_table);
ETHTOOL_OPTION(option_set_table, .option = "-X", .longer = "--set-rxfh",
	       .more = "equal N | weight W0 W1 ... | hkey HEX:HEX:... | default",
	       .help = "spread flows otherwise: by another table or key; while frames flow",
	       .run = set_table, .complete = complete_table);

/* --- show config --- */

/* what the table was asked for, as the weights that make it */
static void print_table(struct shell *sh, const struct netdev *dev)
{
	bool equal = true;
	unsigned most = 0, weight[NETDEV_MAX_QUEUES] = { 0 };

	for (unsigned k = 0; k < RSS_TABLE; k++) {
		most = MAX(most, dev->rss.table[k]);
		weight[dev->rss.table[k]]++;
	}
	for (unsigned k = 0; k < RSS_TABLE; k++)
		equal &= dev->rss.table[k] == k % (most + 1);
	if (equal) {
		shell_printf(sh, "ethtool -X %s equal %u\n", dev->name, most + 1);
		return;
	}
	shell_printf(sh, "ethtool -X %s weight", dev->name);
	for (unsigned q = 0; q <= most; q++)
		shell_printf(sh, " %u", weight[q]);
	shell_printf(sh, "\n");
}

static void print_config(struct shell *sh)
{
	netdev_for_each(i) {
		const struct netdev *dev = netdevs[i];

		if (dev->max_queues == 1)
			continue;
		if (dev->rss.table_set)
			print_table(sh, dev);
		if (memcmp(dev->rss.key, toeplitz_symmetric_key, TOEPLITZ_KEY)) {
			shell_printf(sh, "ethtool -X %s hkey ", dev->name);
			print_key(sh, dev->rss.key);
		}
	}
}

/* behind the queues */
CONFIG_SOURCE(rss_config, .order = 21, .print = print_config);
