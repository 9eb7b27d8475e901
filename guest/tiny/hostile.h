/* SPDX-License-Identifier: MIT */
/*
 * hostile.h - what no driver may do: cases in the rings, cases of set-up, and
 * the command that tries them
 */
#pragma once

#include <stdbool.h>

#include "virtio_net.h"

/* one of both functions */
struct abuse {
	const char *name, *help;
	/* write into @vq behind the driver's back; the device is up */
	void (*ring)(struct virtqueue *vq);
	bool indirect; /* INDIRECT_DESC is to be negotiated first */
	/* set @dev up wrongly, from a reset on; what was seen at once */
	const char *(*setup)(struct net_device *dev, struct virtqueue *vq);
};

/* tables; the last one has no name */
extern const struct abuse hostile_rings[], hostile_setups[];

/* hostile_nap() - a millisecond without polls. */
void hostile_nap(void);
