/* SPDX-License-Identifier: MIT */
/*
 * netdev.h - what a NIC driver offers, and what the rooms above ask of it
 *
 * A driver registers one struct netdev a NIC with its ops (Linux: net_device_ops, ethtool_ops).
 * Packets move up by return value: rx_batch() hands over what the ring holds. A queue is owned by
 * one core, the one its vector goes to: rx_batch, tx_batch, reap and the NAPI ops run there and
 * nowhere else, so they take no lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/cpu.h"
#include "kernel/pkt.h"
#include "kernel/policy.h"
#include "kernel/softirq.h"
#include "kernel/toeplitz.h"

enum {
	NETDEV_MAX = 8,
	NETDEV_MAX_QUEUES = 8,
	NETDEV_NAME = 16,
	ETH_ALEN = 6,
	ETH_HLEN = 14,
	ETH_FCS_LEN = 4,
	ETH_DATA_LEN = 1500, /* default MTU */
	ETH_MIN_FRAME = 60,  /* without FCS; shorter ones are padded on the way out */
	VLAN_HLEN = 4,
	NETDEV_MIN_MTU = 68,
	NETDEV_MAX_MTU = 9216,
	/*
	 * bytes of all headers of a frame of which more is asked than to carry it, at
	 * most; in its first buffer
	 */
	NETDEV_TX_HEADERS = 192,
	NETDEV_GROUPS = 64, /* that it listens to */
	NETDEV_RING = 256,  /* descriptors a ring, unless told otherwise */
	RSS_TABLE = 128,    /* entries, by the low bits of the hash */
};

/*
 * What a NIC can do with a frame beside carrying it, dev->features; `ethtool -k` has Linux's names.
 * Above the line: what rx_batch() tells of a frame, and only while somebody asks for it, since a
 * frame of which nothing is told costs less. Below: what tx_batch() takes; who has a frame that
 * asks for more finishes it in software first (net/gso.h).
 */
enum netdev_feature {
	NETDEV_RX_CSUM = BIT(0), /* PKT_CSUM_OK */
	NETDEV_RX_HASH = BIT(1), /* PKT_HASH, and pkt->rx_queue */
	NETDEV_RX_VLAN = BIT(2), /* PKT_VLAN: the tag is taken out of the bytes */

	/*
	 * PKT_CSUM_PARTIAL, of TCP and UDP behind the frame's first IP header, IPv4 or IPv6,
	 * two tags at most before it
	 */
	NETDEV_TX_CSUM = BIT(8),
	/*
	 * PKT_VLAN: the tag is put into the bytes. It comes and goes with NETDEV_RX_VLAN: one
	 * bit of the chip's for both
	 */
	NETDEV_TX_VLAN = BIT(9),
	/*
	 * PKT_GSO with PKT_CSUM_PARTIAL of this type, lengths and sums as in a frame really so long
	 */
	NETDEV_TSO4 = BIT(10),
	NETDEV_TSO6 = BIT(11),
	NETDEV_UDP_L4 = BIT(12),
	/*
	 * PKT_CSUM_PARTIAL wherever csum_start and csum_offset point; no
	 * chip's, a guest's port has it
	 */
	NETDEV_HW_CSUM = BIT(13),

	/*
	 * not the chip's, but switched with the rest: the room above does it,
	 * told by features_changed()
	 */
	NETDEV_GRO = BIT(16),
	NETDEV_GSO = BIT(17),
	NETDEV_GRO_UDP = BIT(18),
};

struct netdev;
struct netdev_look;
struct netdev_queue;

struct netdev_ops {
	/*
	 * bring queues and vectors up, enable their NAPI instances, start the link; sets
	 * dev->up. 0 or a negative errno, having said why. Control context, cores parked. The
	 * link comes later, by link_changed.
	 */
	int (*open)(struct netdev *dev);
	/*
	 * disable NAPI, stop DMA, free every packet held; clears dev->up and link.
	 * Control context, cores parked.
	 */
	void (*stop)(struct netdev *dev);

	/*
	 * Owning core: take up to @max received frames of @queue into queue->taken[], oldest
	 * first; each is a chain whose first pkt has frame_len, nsegs and data set. Damaged
	 * frames are dropped inside with their reason. Returns how many, and sets
	 * queue->taken_bytes. @max >= 1.
	 */
	unsigned (*rx_batch)(struct netdev_queue *queue, unsigned max);
	/*
	 * Owning core: buffers of queue @q's ring that hold what was received; for who
	 * measures, a walk over them
	 */
	unsigned (*rx_depth)(const struct netdev *dev, unsigned q);
	/*
	 * Owning core: give up to @n chains to queue @q in order; one doorbell for all.
	 * Returns how many were taken; the caller keeps the rest. @n >= 1; @frames: the sum
	 * of their words pkt->frame.
	 */
	unsigned (*tx_batch)(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
			     uint64_t frames);

	/*
	 * queue @q's receive ring is to hold at most @n buffers, or as few as it can; cores
	 * parked: netdev_share_pools()
	 */
	void (*set_rx_share)(struct netdev *dev, unsigned q, unsigned n);
	/* program address, groups, promiscuous and MTU from dev->; control context, cores parked */
	void (*set_rx_mode)(struct netdev *dev);
	/* would it receive a frame to group @mac? It may take more than those that it is told of */
	bool (*takes_group)(const struct netdev *dev, const uint8_t *mac);
	/* program dev->features, the device being up; control context, cores parked */
	void (*set_features)(struct netdev *dev);

	/* once a second on core 0: link state, statistics registers, a stalled transmitter */
	void (*watchdog)(struct netdev *dev);
};

enum { ETHTOOL_STAT_NAME = 32 };

struct ethtool_stat {
	char name[ETHTOOL_STAT_NAME];
	uint64_t value;
};

/* what a count of the throttle's register is: by the datasheet, and as measured */
struct ethtool_throttle {
	uint32_t nominal_ps, unit_ps;
	uint32_t floor_ns; /* no throttle is shorter; 0: none */
	uint32_t count;    /* that the register holds */
	bool measured;     /* else unit_ps is nominal_ps */
	bool ignored;      /* interrupts do not wait, whatever the register holds */
};

struct netdev_rss;

/* flow control by pause frames: obeyed, sent; with autoneg what is offered to the other end */
struct ethtool_pause {
	bool autoneg, rx, tx;
};

struct ethtool_ops {
	/* ethtool -S: fills up to @max, returns how many there are */
	unsigned (*get_stats)(struct netdev *dev, struct ethtool_stat *s, unsigned max);
	/* ethtool -c / -C: rx-usecs, 0 for no throttle; set returns 0 or -EINVAL */
	unsigned (*get_coalesce)(struct netdev *dev);
	int (*set_coalesce)(struct netdev *dev, unsigned usecs);
	/*
	 * adaptive-rx: each queue looks for its throttle by itself
	 * (kernel/dim.h); sets dev->adaptive_rx
	 */
	void (*set_adaptive)(struct netdev *dev, bool on);
	/* /sys/class/net/NIC/throttle: how long interrupts really wait */
	void (*get_throttle)(struct netdev *dev, struct ethtool_throttle *t);
	/* ethtool -a: as asked for, and as it is. -A: 0 or -EIO, -ETIMEDOUT; cores parked */
	void (*get_pause)(struct netdev *dev, struct ethtool_pause *wanted,
			  struct ethtool_pause *in_force);
	int (*set_pause)(struct netdev *dev, const struct ethtool_pause *p);
	/* ethtool -r: restart auto-negotiation */
	int (*nway_reset)(struct netdev *dev);

	/*
	 * While frames flow: nothing is lost that is not counted, none overtakes another of its
	 * flow, the link stays. Control context, the cores not parked. 0; -ENOSPC without enough
	 * interrupts, -ENOMEM, -ETIMEDOUT: a queue did not come on
	 */
	/* -L: 1 to dev->max_queues pairs */
	int (*set_channels)(struct netdev *dev, unsigned combined);
	/* -G: powers of two from dev->ring_min to ring_max */
	int (*set_ringparam)(struct netdev *dev, unsigned rx, unsigned tx);
	/* -X, -N: dev->rss from now on; of devices with several queues */
	int (*set_rss)(struct netdev *dev, const struct netdev_rss *want);

	/* --set-priv-flags: a bit for each of dev->priv_flags. The link goes and comes */
	uint32_t (*get_priv_flags)(struct netdev *dev);
	int (*set_priv_flags)(struct netdev *dev, uint32_t flags);
};

/*
 * receive side scaling: which queue a frame goes to, by Toeplitz's hash of its addresses and ports
 */
struct netdev_rss {
	uint8_t key[TOEPLITZ_KEY];
	uint8_t table[RSS_TABLE]; /* queue */
	bool table_set; /* by the operator; else all queues in turn, however many there are */
	/*
	 * UDP: ports as well as addresses. Fragments have no ports, so those of a long
	 * datagram may go elsewhere
	 */
	bool udp4_ports, udp6_ports;
};

struct netdev_queue {
	_Alignas(CACHE_LINE) struct napi napi; /* napi.poll is set by the room above */
	struct napi_policy policy;
	struct netdev *dev;
	uint16_t index;
	uint16_t cpu;    /* owning core; follows the vector */
	uint32_t causes; /* driver's own: what it writes to mask and unmask its interrupt */
	void *priv;      /* driver's own */
	char name[24];   /* "nic0-TxRx-0" */

	/* by the owning core */
	struct pkt *taken[NAPI_POLL_MAX]; /* what rx_batch() returned last */
	uint64_t taken_bytes;
	uint64_t rx_bytes;             /* of the packets that napi counts; by the room above */
	uint64_t tx_packets, tx_bytes; /* given to the ring */
	uint64_t tx_busy;              /* packets refused, ring full */
	uint64_t tx_restarts;          /* times that it took some again */
	uint64_t rx_dropped;           /* dropped inside rx_batch, with their reasons */
	uint64_t rx_csum_errors;       /* taken although a checksum is wrong */
	uint64_t rx_alloc_failed;      /* refills cut short by an empty pool */
	uint64_t doorbells;            /* tail register writes */
};

struct netdev {
	char name[NETDEV_NAME];        /* "nic0" */
	const char *driver;            /* "igb" */
	const char *const *priv_flags; /* names, NULL behind the last; NULL: none */
	const struct netdev_ops *ops;
	const struct ethtool_ops *ethtool;
	const struct netdev_look *look; /* netdev_look.h */
	void *priv;                     /* driver's own */
	char bus_info[16];              /* "0000:01:00.0" */
	uint8_t mac[ETH_ALEN];
	uint8_t perm_mac[ETH_ALEN];
	uint16_t mtu; /* bytes behind the Ethernet header; one VLAN tag rides on top */
	bool promisc;
	bool allmulti; /* all groups; else those of group[] */
	uint8_t ngroups;
	uint8_t group[NETDEV_GROUPS][ETH_ALEN];
	bool up; /* open() has been called */
	bool adaptive_rx;
	volatile bool link;
	bool full_duplex; /* with link */
	uint16_t speed;   /* Mb/s */
	uint8_t nqueues;  /* RX/TX pairs in use, set before open() */
	uint8_t max_queues;
	uint16_t rx_ring_size, tx_ring_size; /* descriptors a ring */
	/* enum netdev_feature */
	uint32_t features;        /* in force now; changes while the cores are parked */
	uint32_t hw_features;     /* can be switched */
	uint32_t wanted_features; /* as the operator has them, and had them at first */
	uint32_t default_features;
	uint32_t needed_features; /* by the room above, whatever the operator says */
	uint16_t ring_min, ring_max;
	struct netdev_rss rss; /* of meaning with more than one queue */
	bool rss_udp_ports;    /* the chip can hash them */
	struct netdev_queue queue[NETDEV_MAX_QUEUES];
	/*
	 * by the driver while cores are parked: the pair that a core may transmit
	 * on, -1 for none of its own
	 */
	int8_t txq_of_cpu[MAX_CPUS];

	/*
	 * set by the room above: told of link changes. Core 0, from the
	 * watchdog or the control context
	 */
	void (*link_changed)(struct netdev *dev);
	/* and when the key of dev->rss is another one. Control context */
	void (*rss_key_changed)(struct netdev *dev);
	/* dev->features have changed; may be NULL. Control context, cores parked */
	void (*features_changed)(struct netdev *dev);
	/*
	 * and before another core comes to own a queue, or queues end, txq_of_cpu still as it was;
	 * may be NULL. Cores parked
	 */
	void (*owner_changing)(struct netdev *dev);
	void *upper; /* the port above */
};

extern struct netdev *netdevs[NETDEV_MAX];
extern unsigned nnetdevs;

#define netdev_for_each(i) for (unsigned i = 0; i < nnetdevs; i++)

/* netdev_register() - name it nicN and its queues nicN-TxRx-Q, and list it; 0 or -ENOSPC. */
int netdev_register(struct netdev *dev);
/*
 * netdev_start() - from now on the watchdog of every device that is up runs once a second.
 * Core 0, after all probes.
 */
void netdev_start(void);
/*
 * netdev_share_pools() - queues have come, gone or moved: tell each its share. Half of a core's
 * pool is for the rings that it fills, in equal parts, so that none of them takes what another
 * needs; the other half is for packets on their way. Drivers call it with the cores parked,
 * dev->up being what it will be.
 */
void netdev_share_pools(void);
/*
 * netdev_update_features() - wanted_features or needed_features have changed: what follows is in
 * force from now on, and the driver and the room above know. Control context; parks the cores.
 */
void netdev_update_features(struct netdev *dev);
/* netdev_by_name() - NULL if there is none. */
struct netdev *netdev_by_name(const char *name);
/* netdev_frame_max() - longest frame (without FCS) that the MTU allows, one VLAN tag included. */
static inline uint32_t netdev_frame_max(const struct netdev *dev)
{
	return ETH_HLEN + VLAN_HLEN + dev->mtu;
}
