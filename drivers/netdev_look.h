/* SPDX-License-Identifier: MIT */
/*
 * netdev_look.h - what a NIC's rings hold and which registers are written, for who shows a frame's
 * way (net/observe/trace_one.c)
 *
 * Nothing here is on a packet's way, and nothing is done with what is looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netdev;
struct pkt;

/* a descriptor as it stands in memory */
struct netdev_desc {
	uint32_t slot, slots; /* which of how many the ring has */
	uint64_t word[2];
	const void *buffer; /* of the packet behind it */
	bool done;          /* the device has written it back */
	bool reports;       /* of a transmit one: it asks for that */
};

enum { NETDEV_LOOK_TEXT = 256 };

struct netdev_look {
	/*
	 * Owning core: the receive descriptor of queue @q that the device fills next, or filled
	 * first. False: none is posted
	 */
	bool (*rx)(const struct netdev *dev, unsigned q, struct netdev_desc *d);
	/*
	 * Owning core, or with the cores parked: the descriptors by which @p is in queue @q's
	 * transmit ring, up to @max, and a context in front of them. Returns how many
	 */
	unsigned (*tx)(const struct netdev *dev, unsigned q, const struct pkt *p,
		       struct netdev_desc *d, unsigned max);
	unsigned tx_report; /* so many descriptors lie at least between two that report */
	/* their fields by name, and which format that is, into text[size] */
	void (*rx_text)(const struct netdev *dev, const struct netdev_desc *d, char *text,
			size_t size);
	void (*tx_text)(const struct netdev *dev, const struct netdev_desc *d, char *text,
			size_t size);
	/*
	 * regs_on() - accesses to registers are recorded from now on: 0 or -ENOMEM. regs_off() - no
	 * longer; what there is stays. regs_each() - those from TSC @from to @to. Control context
	 */
	int (*regs_on)(struct netdev *dev);
	void (*regs_off)(struct netdev *dev);
	void (*regs_each)(const struct netdev *dev, uint64_t from, uint64_t to,
			  void (*fn)(void *arg, uint64_t tsc, unsigned cpu, const char *text),
			  void *arg);
};
