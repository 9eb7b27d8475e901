/* SPDX-License-Identifier: MIT */
/*
 * port_sysfs.c - /sys/class/net/PORT/statistics/NAME: what a port counts, a file each
 *
 * Control context. The names are those of Linux's struct rtnl_link_stats64, the
 * numbers those of /proc/net/dev.
 */
#include "port.h"

#include "kernel/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * what all cores have counted, at an offset; drops of all reasons, at an offset; else the
 * device's own, by a name of its
 */
struct statistic {
	const char *name;
	enum { TOTAL, DROPS, DEVICE } from;
	size_t at;
	const char *device;
};

#define TOTAL_OF(field)   .from = TOTAL, .at = offsetof(struct port_cpu, field)
#define DROPS_OF(field)   .from = DROPS, .at = offsetof(struct port_cpu, field)
#define DEVICE_OF(theirs) .from = DEVICE, .device = theirs

static const struct statistic statistics[] = {
	{ "rx_packets", TOTAL_OF(in) },
	{ "rx_bytes", TOTAL_OF(in_bytes) },
	{ "rx_dropped", DROPS_OF(dropped_in) },
	{ "rx_fifo_errors", DEVICE_OF("rx_fifo_errors") },
	{ "rx_over_errors", DEVICE_OF("rx_over_errors") },
	{ "rx_missed_errors", DEVICE_OF("rx_missed_errors") },
	{ "rx_crc_errors", DEVICE_OF("rx_crc_errors") },
	{ "rx_frame_errors", DEVICE_OF("rx_align_errors") },
	{ "rx_length_errors", DEVICE_OF("rx_length_errors") },
	{ "multicast", DEVICE_OF("rx_multicast") },
	{ "tx_packets", TOTAL_OF(out) },
	{ "tx_bytes", TOTAL_OF(out_bytes) },
	{ "tx_dropped", DROPS_OF(dropped_out) },
	{ "tx_errors", DEVICE_OF("tx_errors") },
	{ "tx_carrier_errors", DEVICE_OF("tx_carrier_errors") },
	{ "collisions", DEVICE_OF("collisions") },
};

static uint64_t value(struct port *port, const struct statistic *s)
{
	struct port_cpu total = port_total(port);
	const uint64_t *counts = (const uint64_t *)((const char *)&total + s->at);

	if (s->from == DEVICE)
		return port_stat(port, s->device);
	return s->from == DROPS ? port_drops(counts) : *counts;
}

/* show_statistic() - @star is PORT/NAME. */
static int show_statistic(struct shell *sh, const char *star)
{
	const char *slash = strchr(star, '/');
	char name[32];
	struct port *port;

	snprintf(name, sizeof(name), "%.*s", (int)(slash - star), star);
	port = port_by_name(name);
	if (!port)
		return shell_error(sh, 1, -ENODEV, "there is no port '%s'", name);
	for (size_t i = 0; i < ARRAY_SIZE(statistics); i++) {
		if (strcmp(statistics[i].name, slash + 1) == 0) {
			shell_printf(sh, "%lu\n", (unsigned long)value(port, &statistics[i]));
			return 0;
		}
	}
	return shell_error(sh, 1, -ENOENT, "no statistic is called '%s'", slash + 1);
}

static void statistic_names(const char *star, void (*add)(void *to, const char *s), void *to)
{
	(void)star;
	for (size_t i = 0; i < ARRAY_SIZE(statistics); i++)
		add(to, statistics[i].name);
}

PROC_FILE(sys_statistics, .path = "/sys/class/net/*/statistics/*",
	  .help = "what a port counts, by its name in Linux", .show = show_statistic,
	  .stars = port_names, .second_stars = statistic_names);
