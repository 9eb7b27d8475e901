/* SPDX-License-Identifier: MIT */
/*
 * napi_knobs.c - /sys/class/net/NIC/napi_defer_hard_irqs, gro_flush_timeout, irq_suspend_timeout
 *
 * Control context. A value goes to all queues of the device; `policy` turns those of one. Linux has
 * the third for a queue alone (netlink), here all three are in both places.
 */
#include "netdev.h"

#include "kernel/shell.h"

#include <errno.h>

enum { TIMES_MAX = 1000, NS_MAX = 1000000000 };

static struct netdev *find(struct shell *sh, const char *star)
{
	struct netdev *dev = netdev_by_name(star);

	if (!dev)
		shell_error(sh, sh->nwords - 1, -ENOENT, "no NIC %s", star);
	return dev;
}

static void names(void (*add)(void *to, const char *s), void *to)
{
	netdev_for_each(i)
		add(to, netdevs[i]->name);
}

/* one of the knobs, by where it stands in struct napi_knobs */
static unsigned *knob_at(struct napi_knobs *k, size_t offset)
{
	return (unsigned *)((char *)k + offset);
}

static int show(struct shell *sh, const char *star, size_t offset)
{
	struct netdev *dev = find(sh, star);

	if (!dev)
		return -ENOENT;
	shell_printf(sh, "%u\n", *knob_at(&dev->queue[0].policy.knobs, offset));
	return 0;
}

static int store(struct shell *sh, const char *star, size_t offset, unsigned long max)
{
	struct netdev *dev = find(sh, star);
	unsigned long v;

	if (!dev)
		return -ENOENT;
	if (shell_uint(sh, 1, 0, max, &v))
		return -EINVAL;
	for (unsigned q = 0; q < dev->max_queues; q++) {
		struct napi_knobs k = dev->queue[q].policy.knobs;

		*knob_at(&k, offset) = v;
		napi_policy_tune(&dev->queue[q].policy, &k);
	}
	return 0;
}

#define KNOB(field, max, hlp)                                                                  \
	static int show_##field(struct shell *sh, const char *star)                            \
	{                                                                                      \
		return show(sh, star, offsetof(struct napi_knobs, field));                     \
	}                                                                                      \
	static int store_##field(struct shell *sh, const char *star, const struct word *value) \
	{                                                                                      \
		(void)value;                                                                   \
		return store(sh, star, offsetof(struct napi_knobs, field), max);               \
	}                                                                                      \
	PROC_FILE(sys_##field, .path = "/sys/class/net/*/" FILE_##field, .help = hlp,          \
		  .show = show_##field, .store = store_##field, .stars = names)

#define FILE_defer_hard_irqs     "napi_defer_hard_irqs"
#define FILE_gro_flush_timeout   "gro_flush_timeout"
#define FILE_irq_suspend_timeout "irq_suspend_timeout"

KNOB(defer_hard_irqs, TIMES_MAX, "times an empty queue is looked at again before it is unmasked");
KNOB(gro_flush_timeout, NS_MAX, "nanoseconds from one such look to the next");
KNOB(irq_suspend_timeout, NS_MAX, "nanoseconds the core may stay away from a suspended queue");
