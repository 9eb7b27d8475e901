/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.h - the virtio-net device that a guest sees [virtio 1.2 5.1]
 *
 * Features, configuration, control queue; the transport is virtio_pci.c's, the data path vhost's.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/lock.h"
#include "vhost.h"
#include "virtio_pci.h"

enum {
	VIRTIO_NET_MTU_MIN = 68,   /* [virtio 1.2 5.1.4.1] */
	VIRTIO_NET_MTU_MAX = 9000, /* a jumbo frame */
	VIRTIO_NET_MACS = 32,      /* of the filter table, unicast and multicast together */
};

struct virtio_net_options {
	char name[16];    /* of the port */
	uint8_t mac[6];   /* zero: made from the VM's and the port's number */
	unsigned mtu;     /* 68 to 9000; 1500 */
	unsigned vectors; /* MSI-X vectors: 3 (n + 1), 2, or 0 for INTx only */
	bool mmio_notify; /* doorbell by memory instead of a port, to compare */
	bool no_offload;  /* each frame as a wire has it, to compare */
	unsigned cpu;     /* the worker's core */
};

struct virtio_net {
	struct virtio_pci pci;
	struct vhost_net vhost;
	struct virtio_net_options options;

	/* control queue: by a vCPU that kicks it, and by reset */
	struct spinlock control_lock;  /* guards all below, but that the worker reads the filter */
	bool control_on, control_held; /* held: the function may not be bus master */
	struct virtq control;
	uint64_t control_commands, control_refused;

	/* RX mode and filter; odd while it changes, one up when it has */
	_Atomic uint32_t filter_seq;
	volatile bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
	bool overflow; /* the driver's table is longer than ours: accept all */
	unsigned nmacs;
	uint8_t mac[VIRTIO_NET_MACS][6];
	uint8_t own_mac[6];
};

/*
 * virtio_net_create() - a device of @vm and its port, number vm->nports; the caller puts it into
 * vm->port[]. Control context, VM off. NULL and *why if it can't be.
 */
struct virtio_net *virtio_net_create(struct vm *vm, const struct virtio_net_options *o,
				     const char **why);
