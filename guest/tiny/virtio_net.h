/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.h - the network device and its driver; names are Linux's
 *
 *	in	vring_interrupt ► skb_recv_done ► (main loop) net_rx_action ► virtnet_poll ► receive_buf ► netif_receive_skb
 *	out	dev_queue_xmit ► start_xmit ► virtqueue_add ► (end of the poll) virtnet_flush ► virtqueue_kick
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "napi.h"
#include "skb.h"
#include "virtio_pci.h"

enum {
	NICS = 4,
	TX_QUEUE_LEN = 500, /* frames that wait while the ring is full */
	VQ_RX = 0,
	VQ_TX = 1,
	VQ_CTRL = 2
};

struct net_device {
	struct virtio_device vdev;
	uint8_t mac[6];
	unsigned mtu;
	bool mergeable;
	uint64_t wanted; /* features to ask for */
	unsigned max_vectors;

	struct virtqueue rq, sq, cvq;
	struct napi rx_napi, tx_napi;
	struct skb_queue waiting; /* for room in the transmit ring */

	uint32_t ip, netmask; /* host order; 0: none */

	struct net_stats {
		uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, polls;
		uint64_t rx_bad;   /* shorter than a header, or pieces missing */
		uint64_t rx_nomem; /* the pool was empty when the ring wanted refilling */
		uint64_t tx_dropped, tx_waited;
		uint64_t resets;
	} stats;
};

extern struct net_device nic[NICS];
extern unsigned nnics;

/*
 * what it knows, and what it asks for unless told otherwise: no INDIRECT,
 * since chains are short here
 */
#define VIRTNET_FEATURES (VIRTNET_FEATURES_DEFAULT | VIRTIO_F_RING_INDIRECT_DESC)
#define VIRTNET_FEATURES_DEFAULT                                                              \
	(VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS | \
	 VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA |           \
	 VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_F_RING_EVENT_IDX | VIRTIO_F_VERSION_1)

/*
 * virtnet_init() - probe all network devices: @wanted features, at most @vectors MSI-X
 * vectors. Says what it found.
 */
void virtnet_init(uint64_t wanted, unsigned vectors);
/*
 * virtnet_probe() - bring @dev up from whatever state the device is in. NULL, or what went wrong.
 */
const char *virtnet_probe(struct net_device *dev);
/* virtnet_remove() - reset it and take all buffers back. */
void virtnet_remove(struct net_device *dev);

/*
 * dev_queue_xmit() - send @skb, which is gone then; the doorbell waits for
 * virtnet_flush(). false: dropped.
 */
bool dev_queue_xmit(struct net_device *dev, struct skb *skb);
/* virtnet_flush() - ring for all that was sent since the last time, all devices. */
void virtnet_flush(void);
/*
 * virtnet_tx_idle() - has the device taken everything that was sent? If not, its
 * interrupt is on: look again then.
 */
bool virtnet_tx_idle(struct net_device *dev);

/*
 * virtnet_send_command() - over the control queue: the device's answer (VIRTIO_NET_OK
 * is 0), or -1: none came.
 */
int virtnet_send_command(struct net_device *dev, uint8_t class, uint8_t cmd, const void *data,
			 unsigned len);
