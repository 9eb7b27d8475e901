/* SPDX-License-Identifier: MIT */
/*
 * virtio_regs.h - what driver and device have in common, as the driver sees it
 *
 * Virtual I/O Device (VIRTIO) Version 1.2: [2.7] split virtqueues, [4.1.4] PCI capabilities and
 * registers, [5.1] network.
 */
#pragma once

#include <stdint.h>

#include "kernel/bits.h"

/* --- features [6, 5.1.3] --- */

#define VIRTIO_NET_F_MTU            BIT(3)
#define VIRTIO_NET_F_MAC            BIT(5)
#define VIRTIO_NET_F_MRG_RXBUF      BIT(15)
#define VIRTIO_NET_F_STATUS         BIT(16)
#define VIRTIO_NET_F_CTRL_VQ        BIT(17)
#define VIRTIO_NET_F_CTRL_RX        BIT(18)
#define VIRTIO_NET_F_CTRL_RX_EXTRA  BIT(20)
#define VIRTIO_NET_F_CTRL_MAC_ADDR  BIT(23)
#define VIRTIO_F_RING_INDIRECT_DESC BIT(28)
#define VIRTIO_F_RING_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1          BIT(32)

/* --- device status [2.1] --- */

#define VIRTIO_CONFIG_S_ACKNOWLEDGE 1
#define VIRTIO_CONFIG_S_DRIVER      2
#define VIRTIO_CONFIG_S_DRIVER_OK   4
#define VIRTIO_CONFIG_S_FEATURES_OK 8
#define VIRTIO_CONFIG_S_NEEDS_RESET 64
#define VIRTIO_CONFIG_S_FAILED      128

/* --- a vendor capability [4.1.4] --- */

#define VIRTIO_PCI_CAP_CFG_TYPE    3
#define VIRTIO_PCI_CAP_BAR         4
#define VIRTIO_PCI_CAP_OFFSET      8
#define VIRTIO_PCI_CAP_LENGTH      12
#define VIRTIO_PCI_NOTIFY_CAP_MULT 16
#define VIRTIO_PCI_CAP_COMMON_CFG  1
#define VIRTIO_PCI_CAP_NOTIFY_CFG  2
#define VIRTIO_PCI_CAP_ISR_CFG     3
#define VIRTIO_PCI_CAP_DEVICE_CFG  4

/* --- common configuration [4.1.4.3]: offset, bytes --- */

#define VIRTIO_PCI_COMMON_DFSELECT      0  /* 4 RW: which half of the device's features */
#define VIRTIO_PCI_COMMON_DF            4  /* 4 RO */
#define VIRTIO_PCI_COMMON_GFSELECT      8  /* 4 RW: which half of the driver's features */
#define VIRTIO_PCI_COMMON_GF            12 /* 4 RW */
#define VIRTIO_PCI_COMMON_MSIX          16 /* 2 RW: vector of a changed configuration */
#define VIRTIO_PCI_COMMON_NUMQ          18 /* 2 RO */
#define VIRTIO_PCI_COMMON_STATUS        20 /* 1 RW: 0 resets */
#define VIRTIO_PCI_COMMON_CFGGENERATION 21 /* 1 RO */
#define VIRTIO_PCI_COMMON_Q_SELECT      22 /* 2 RW: which queue the rest is of */
#define VIRTIO_PCI_COMMON_Q_SIZE        24 /* 2 RW */
#define VIRTIO_PCI_COMMON_Q_MSIX        26 /* 2 RW */
#define VIRTIO_PCI_COMMON_Q_ENABLE      28 /* 2 RW: 1 starts it */
#define VIRTIO_PCI_COMMON_Q_NOFF        30 /* 2 RO: which doorbell */
#define VIRTIO_PCI_COMMON_Q_DESC        32 /* 8 RW, as two times 4 */
#define VIRTIO_PCI_COMMON_Q_AVAIL       40
#define VIRTIO_PCI_COMMON_Q_USED        48

#define VIRTIO_MSI_NO_VECTOR 0xffff

#define VIRTIO_PCI_ISR_QUEUE  BIT(0)
#define VIRTIO_PCI_ISR_CONFIG BIT(1)

/* --- split virtqueue [2.7] --- */

#define VRING_DESC_F_NEXT          1
#define VRING_DESC_F_WRITE         2
#define VRING_DESC_F_INDIRECT      4
#define VRING_AVAIL_F_NO_INTERRUPT 1
#define VRING_USED_F_NO_NOTIFY     1

enum { VRING_MAX = 256 };

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/*
 * used_event and avail_event stand behind the ring's last entry, wherever
 * that is: vring_used_event()
 */
struct vring_avail {
	uint16_t flags, idx;
	uint16_t ring[VRING_MAX + 1];
};

struct vring_used_elem {
	uint32_t id, len;
};

struct vring_used {
	uint16_t flags, idx;
	struct vring_used_elem ring[VRING_MAX];
	uint16_t room; /* of avail_event in the largest ring */
};

_Static_assert(sizeof(struct vring_desc) == 16, "as the device has it");

/*
 * --- network device: configuration [5.1.4], header of each frame [5.1.6],
 * control queue [5.1.6.5] ---
 */

#define VIRTIO_NET_CONFIG_MAC    0
#define VIRTIO_NET_CONFIG_STATUS 6
#define VIRTIO_NET_S_LINK_UP     1
#define VIRTIO_NET_CONFIG_MTU    10

struct virtio_net_hdr_mrg_rxbuf {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers;
};

_Static_assert(sizeof(struct virtio_net_hdr_mrg_rxbuf) == 12, "as the device has it");

struct virtio_net_ctrl_hdr {
	uint8_t class, cmd;
};

#define VIRTIO_NET_OK 0
