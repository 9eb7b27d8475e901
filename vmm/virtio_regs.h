/* SPDX-License-Identifier: MIT */
/*
 * virtio_regs.h - what a virtio-net device shows on PCI
 *
 * Virtual I/O Device (VIRTIO) Version 1.2, cited as [virtio 1.2 n.n]. Chapter 4.1 has PCI, chapter
 * 5.1 the network device. All of it is little-endian. Offsets in bytes.
 *
 * RO read only, RW read and write, RC cleared by reading; for the driver.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include <stdint.h>

#include "kernel/bits.h"

/* --- who it is [virtio 1.2 4.1.2, 5] --- */

#define VIRTIO_PCI_VENDOR	   0x1af4
#define VIRTIO_PCI_DEVICE(type)	   (0x1040 + (type)) /* not transitional */
#define VIRTIO_PCI_REVISION	   1
#define VIRTIO_ID_NET		   1

/* --- capabilities, vendor-specific ones of PCI [virtio 1.2 4.1.4] --- */

struct virtio_pci_cap {
	uint8_t vendor;		   /* PCI_CAP_ID_VENDOR */
	uint8_t next;
	uint8_t len;		   /* bytes of this capability */
	uint8_t type;
#define	  VIRTIO_CAP_COMMON	   1
#define	  VIRTIO_CAP_NOTIFY	   2
#define	  VIRTIO_CAP_ISR	   3
#define	  VIRTIO_CAP_DEVICE	   4
#define	  VIRTIO_CAP_PCI	   5
	uint8_t bar;		   /* RW in VIRTIO_CAP_PCI, offset and length too */
	uint8_t id;		   /* of several with one type */
	uint8_t padding[2];
	uint32_t offset, length;   /* in the BAR */
};

/*
 * VIRTIO_CAP_NOTIFY: queue q is kicked at offset + queue_notify_off *
 * multiplier [virtio 1.2 4.1.4.4]
 */
struct virtio_pci_notify_cap {
	struct virtio_pci_cap cap;
	uint32_t multiplier;
};

/*
 * VIRTIO_CAP_PCI: reading or writing data is an access of @length bytes to the
 * BAR [virtio 1.2 4.1.4.9]
 */
struct virtio_pci_cfg_cap {
	struct virtio_pci_cap cap;
	uint8_t data[4];
};

_Static_assert(sizeof(struct virtio_pci_cap) == 16, "as drivers read it");
_Static_assert(sizeof(struct virtio_pci_notify_cap) == 20, "as drivers read it");
_Static_assert(sizeof(struct virtio_pci_cfg_cap) == 20, "as drivers read it");

/*
 * --- common configuration [virtio 1.2 4.1.4.3]; each is accessed by its width, 64
 * bits also as two halves ---
 */

#define VIRTIO_DEVICE_FEATURE_SELECT 0	/* RW 32: which 32 bits DEVICE_FEATURE shows */
#define VIRTIO_DEVICE_FEATURE	   4	/* RO 32 */
#define VIRTIO_DRIVER_FEATURE_SELECT 8	/* RW 32 */
#define VIRTIO_DRIVER_FEATURE	   12	/* RW 32 */
#define VIRTIO_CONFIG_VECTOR	   16	/* RW 16: MSI-X vector of configuration changes */
#define VIRTIO_NUM_QUEUES	   18	/* RO 16 */
#define VIRTIO_DEVICE_STATUS	   20	/* RW 8: writing 0 resets the device */
#define VIRTIO_CONFIG_GENERATION   21	/* RO 8 */
#define VIRTIO_QUEUE_SELECT	   22	/* RW 16: what follows is this queue's */
#define VIRTIO_QUEUE_SIZE	   24	/* RW 16: 0 if there is no such queue */
#define VIRTIO_QUEUE_VECTOR	   26	/* RW 16 */
#define VIRTIO_QUEUE_ENABLE	   28	/* RW 16 */
#define VIRTIO_QUEUE_NOTIFY_OFF	   30	/* RO 16 */
#define VIRTIO_QUEUE_DESC	   32	/* RW 64 */
#define VIRTIO_QUEUE_DRIVER	   40	/* RW 64: available ring */
#define VIRTIO_QUEUE_DEVICE	   48	/* RW 64: used ring */
#define VIRTIO_COMMON_LEN	   56	/* two more fields belong to features that are not offered */

/* --- ISR status, RC 8 [virtio 1.2 4.1.4.5] --- */

#define VIRTIO_ISR_QUEUE	   BIT(0)
#define VIRTIO_ISR_CONFIG	   BIT(1)

/* --- features [virtio 1.2 5.1.3, 6] --- */

#define VIRTIO_NET_F_CSUM	   BIT(0)  /* the device finishes checksums */
#define VIRTIO_NET_F_GUEST_CSUM	   BIT(1)  /* and so does the driver */
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS BIT(2) /* the driver's offloads change at run time */
#define VIRTIO_NET_F_MTU	   BIT(3)  /* configuration has mtu */
#define VIRTIO_NET_F_MAC	   BIT(5)  /* configuration has mac */
#define VIRTIO_NET_F_GUEST_TSO4	   BIT(7)  /* the driver takes TCP frames that are not cut yet */
#define VIRTIO_NET_F_GUEST_TSO6	   BIT(8)
#define VIRTIO_NET_F_HOST_TSO4	   BIT(11) /* the device cuts them */
#define VIRTIO_NET_F_HOST_TSO6	   BIT(12)
#define VIRTIO_NET_F_MRG_RXBUF	   BIT(15) /* a frame may fill several buffers */
#define VIRTIO_NET_F_STATUS	   BIT(16) /* configuration has status */
#define VIRTIO_NET_F_CTRL_VQ	   BIT(17) /* there is a control queue */
#define VIRTIO_NET_F_CTRL_RX	   BIT(18) /* RX modes and the MAC table */
#define VIRTIO_NET_F_CTRL_RX_EXTRA BIT(20) /* more RX modes */
#define VIRTIO_NET_F_CTRL_MAC_ADDR BIT(23) /* set the MAC by the control queue */
#define VIRTIO_F_INDIRECT_DESC	   BIT(28)
#define VIRTIO_F_EVENT_IDX	   BIT(29)
#define VIRTIO_F_VERSION_1	   BIT(32)
#define VIRTIO_NET_F_GUEST_USO4	   BIT(54) /* the same for UDP: datagrams of equal size */
#define VIRTIO_NET_F_GUEST_USO6	   BIT(55)
#define VIRTIO_NET_F_HOST_USO	   BIT(56)

/* --- in front of each frame [virtio 1.2 5.1.6]: flags, gso_type --- */

#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1	/* the checksum is to be finished */
#define VIRTIO_NET_HDR_F_DATA_VALID 2	/* to the driver: it was found right */
#define VIRTIO_NET_HDR_GSO_NONE	   0
#define VIRTIO_NET_HDR_GSO_TCPV4   1
#define VIRTIO_NET_HDR_GSO_TCPV6   4
#define VIRTIO_NET_HDR_GSO_UDP_L4  5

/* --- device configuration of a network device, RO [virtio 1.2 5.1.4] --- */

struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status;
#define	  VIRTIO_NET_S_LINK_UP	   BIT(0)
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
} __attribute__((packed));

_Static_assert(sizeof(struct virtio_net_config) == 12, "as drivers read it");

/*
 * --- control queue: class, command, data; the device answers with a byte [virtio 1.2 5.1.6.5] ---
 */

struct virtio_net_ctrl {
	uint8_t class, command;
};

#define VIRTIO_NET_OK		   0
#define VIRTIO_NET_ERR		   1

#define VIRTIO_NET_CTRL_RX	   0 /* data: a byte, 0 off, 1 on */
#define	  VIRTIO_NET_RX_PROMISC	   0
#define	  VIRTIO_NET_RX_ALLMULTI   1
#define	  VIRTIO_NET_RX_ALLUNI	   2 /* from here on with CTRL_RX_EXTRA */
#define	  VIRTIO_NET_RX_NOMULTI	   3
#define	  VIRTIO_NET_RX_NOUNI	   4
#define	  VIRTIO_NET_RX_NOBCAST	   5

#define VIRTIO_NET_CTRL_MAC	   1
#define	  VIRTIO_NET_MAC_TABLE_SET 0 /* data: two tables, unicast and multicast: 32-bit count, addresses */
#define	  VIRTIO_NET_MAC_ADDR_SET  1 /* data: an address */

#define VIRTIO_NET_CTRL_GUEST_OFFLOADS 5
#define	  VIRTIO_NET_GUEST_OFFLOADS_SET 0 /* data: 64 bits, those GUEST_ features that are on from now */

/* clang-format on */
