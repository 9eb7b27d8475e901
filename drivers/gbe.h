/* SPDX-License-Identifier: MIT */
/*
 * gbe.h - Intel's gigabit NICs as one family: the structures that they share, and the verbs
 * that reach their registers
 *
 * What all chips do alike is written once, in gbe*.c and gbe*.h. A chip is a row of the table in
 * gbe.c; where whole steps differ, the row names a struct gbe_family: igb (82576: advanced
 * descriptors), e1000e (82574L: two queues, extended descriptors) or e1000 (82540EM: one queue,
 * legacy descriptors). By what it interrupts is a struct gbe_scheme: a vector a queue, or one
 * interrupt for everything, which all families can fall back to.
 *
 * Files: gbe.c (the table, probe), gbe_up.c (open, stop), gbe_live.c (changes meanwhile),
 * gbe_scheme.c, gbe_vectors.c, gbe_single.c (interrupts), gbe_hw.c (steps of the configuration),
 * gbe_rss.c (which queue), gbe_link.c (PHY, link and error causes, watchdog), gbe_stats.c
 * (statistics, ethtool), gbe_rx and gbe_tx (the rings).
 */
#pragma once

#include "kernel/irq.h"
#include "gbe_regs.h"
#include "intx.h"
#include "msi.h"
#include "netdev.h"
#include "pci.h"

#include <stdatomic.h>

enum {
	/* descriptors a ring: a power of two, gbe_set_rings() */
	GBE_RING_MIN = 64,
	GBE_RING_MAX = 4096,
	GBE_RING_ALIGN = 128, /* of its address; its length is a multiple of it, too */
	/*
	 * buffers are posted when so many are missing, or the least in a ring that has few, and in
	 * multiples of the least, however many with one tail write
	 */
	GBE_RX_GROUP = 32,
	GBE_RX_GROUP_MIN = 16,
	/*
	 * a ring whose share of the pool is less holds so many; a group fits
	 * before a long frame does not
	 */
	GBE_RX_SHARE_MIN = 32,
	/* descriptors between two that report status, at least; in a short ring a quarter of it */
	GBE_TX_REPORT = 32,
	GBE_TX_REPORT_MIN = GBE_RING_MIN / 4,
};

struct gbe;
struct gbe_rx;

/* how a receive descriptor is laid out */
enum gbe_rx_form { GBE_RX_LEGACY, GBE_RX_EXTENDED, GBE_RX_ADVANCED };

/*
 * what a family of chips does in a way of its own; on core 0, all but the netdev's
 * ops on the path of a packet
 */
struct gbe_family {
	const char *name; /* as Linux calls the driver */
	const struct netdev_ops *netdev;
	const char *const *priv_flags; /* NULL: there is but one kind of interrupt */
	uint32_t throttle_ps;  /* what a count of the throttle is, by the datasheet; picoseconds */
	uint32_t throttle_max; /* counts that it holds */
	/* for who shows descriptors: gbe_look.c */
	enum gbe_rx_form rx_form;
	bool tx_advanced;

	/*
	 * at probe, behind the reset. 0 or an errno; whether the address makes sense
	 * is looked at by the caller
	 */
	int (*read_address)(struct gbe *gbe, uint8_t mac[ETH_ALEN]);
	/*
	 * silent, no DMA, what the rings' registers hold of no meaning. 0 or
	 * -ETIMEDOUT, having said why
	 */
	int (*reset)(struct gbe *gbe);
	/* behind the reset: what has to do with neither direction */
	void (*general)(struct gbe *gbe);
	/* what both directions have for all queues; the receiver stays off */
	void (*configure)(struct gbe *gbe);
	/*
	 * where causes go, by which throttle; masked until NAPI unmasks them.
	 * Again when queues come or go
	 */
	void (*interrupts)(struct gbe *gbe);
	/* tell the chip of the longest frame; returns the bits of RCTL that go with it */
	uint32_t (*rx_length)(struct gbe *gbe);
	/* program ring @q, empty, and switch it on; 0 or -ETIMEDOUT */
	int (*rx_on)(struct gbe *gbe, unsigned q);
	void (*rx_off)(struct gbe *gbe, unsigned q); /* no more DMA to it */
	/* is there work that no interrupt will announce? */
	bool (*rx_pending)(const struct gbe_rx *rx);
	int (*tx_on)(struct gbe *gbe, unsigned q);
	void (*tx_off)(struct gbe *gbe, unsigned q);
	void (*throttle)(struct gbe *gbe, uint32_t count); /* program that of the queues */
	void (*throttle_queue)(struct gbe *gbe, unsigned q, uint32_t count); /* and that of one */
};

/* how causes become interrupts; Linux calls it so, too */
struct gbe_scheme {
	bool vectors; /* one a queue: there may be several queues */
	const struct napi_ops *queue_ops;
	bool masks_itself; /* the chip masks a queue when it sends the interrupt */
	/*
	 * what these write to mask queue q and to unmask it: queue_cause << q;
	 * mask_reg 0: nothing does
	 */
	uint32_t mask_reg, unmask_reg, queue_cause;
	const struct napi_ops *link_ops; /* masks, unmasks what is no queue's */
	/*
	 * ask for them when it opens, the NAPI instances still disabled; 0 or an
	 * errno, and then it holds none
	 */
	int (*request)(struct gbe *gbe);
	void (*free)(struct gbe *gbe);
	uint32_t (*causes)(struct gbe *gbe); /* bits of ICR since the last call; the link's poll */
	void (*wake)(struct gbe *gbe, uint32_t queues); /* raise their interrupts by hand */
};

extern const struct gbe_scheme gbe_msi, gbe_intx; /* gbe_single.c */

/* what the operator may forbid, so that the next best is taken: gbe->forbidden */
enum gbe_forbidden { GBE_NO_MSIX = BIT(0), GBE_NO_MSI = BIT(1) };

/* receive side scaling as a chip has it */
struct gbe_rss_bits {
	uint32_t on;                     /* of MRQC: by addresses, and TCP's ports */
	uint32_t udp4_ports, udp6_ports; /* and by UDP's; 0: it cannot */
	unsigned table_shift;            /* where in its byte of RETA the queue stands */
};

/* what chips differ in: a row a chip, in gbe.c */
struct gbe_chip {
	struct pci_id id, subsystem; /* subsystem { 0, 0 }: any */
	const char *name;
	const struct gbe_family *family;
	const struct gbe_scheme *vectors; /* NULL: it has no MSI-X */
	const struct gbe_rss_bits *rss;   /* NULL: one queue */
	uint32_t rx_rings, tx_rings;      /* where the blocks of ring registers begin */
	uint32_t features;                /* enum netdev_feature: what it has */
	uint32_t off_at_first;            /* of these, not used until somebody wants them */
	uint16_t ring_block;              /* bytes from one queue's to the next's */
	uint32_t rx_buffer; /* bytes of the packet buffer that are for received ones */
	uint8_t max_queues;
	bool has_msi;
	bool extended;     /* a second set of mask registers, for vectors: EIMS, EIMC */
	bool auto_mask;    /* a vector masks itself when it is sent (EIAM): the handler need not */
	bool eeprom_bit;   /* EEC.AUTO_RD tells when the reset is over */
	bool counts_drops; /* each receive queue counts what it drops, GBE_RING_DROPS */
};

/* where in a frame the next descriptor lies */
enum gbe_rx_state {
	GBE_RX_FRESH,  /* at its first buffer; 0 */
	GBE_RX_INSIDE, /* behind that: its end has not come yet */
	GBE_RX_SKIP,   /* it was dropped: buffers up to its end are freed */
};

/*
 * both rings: indices run freely, the slot is the index & @mask; slots from the lower to the
 * higher index are ours. How many descriptors there are is said by @mask alone, and changes only
 * while the ring is off and empty.
 */
struct gbe_rx {
	/*
	 * [mask + 2]: one that the device does not know: it looks done but odd, so that no
	 * run goes beyond the wrap
	 */
	_Alignas(CACHE_LINE) volatile union gbe_rx_desc *desc;
	struct pkt *
		*slot;  /* [mask + 1]: the packet behind each posted descriptor, next to fill - 1 */
	uint32_t mask;  /* descriptors less one */
	uint32_t next;  /* oldest descriptor that the device has not given back yet */
	uint32_t fill;  /* first descriptor without a buffer */
	uint32_t share; /* at most so many are posted, more if it has just shrunk */
	uint32_t group; /* GBE_RX_GROUP, or the least */
	uint32_t refill_at; /* value of next from which on there is room for a group */
	union {             /* one compare says whether this ring has a batch of the usual */
		struct {
			enum gbe_rx_state state;
			/* enum netdev_feature: what is to be told of each frame; 0: nothing */
			uint32_t tell;
		};
		uint64_t unusual;
	};
	uint32_t tail_reg; /* offset of its tail register */
	struct gbe *gbe;
	struct netdev_queue *queue; /* its counters */
	/*
	 * fewer are posted than the longest frame takes, the pool was
	 * empty: the watchdog sees to it
	 */
	volatile bool starved;
	struct pkt *head, *tail; /* INSIDE: the frame so far */
	uint32_t reserved;       /* descriptors that there is memory for */
	struct pkt *kept;        /* buffers for the ring when it is on again, by ->next */
	uint32_t nkept;
};

struct gbe_tx {
	_Alignas(CACHE_LINE) volatile struct gbe_tx_desc *desc; /* [mask + 1] */
	struct pkt *
		*slot;  /* [mask + 1]: a buffer each, chains are taken apart; clean to fill - 1 */
	uint32_t mask;  /* descriptors less one */
	uint32_t clean; /* oldest descriptor not reaped */
	uint32_t fill;  /* first free descriptor */
	uint32_t quick; /* fill may go so far with nothing to be done but posting */
	uint32_t reported; /* descriptors up to here lie before the newest mark */
	uint32_t report;   /* and so many before the next, at least */
	uint32_t mark_first, mark_end;
	/*
	 * the index behind each descriptor that reports status, oldest at mark_first; gbe_tx_mark()
	 */
	uint32_t *mark;
	struct gbe_tx_desc context; /* the last that was posted, all zero: none since it began */
	bool full;                  /* it refused some the last time */
	uint64_t timeouts;          /* resets since the head stood still */
	uint64_t lost; /* frames thrown away: by them, or since the chip cannot send them */
	struct netdev_queue *queue; /* its counters */
	struct gbe *gbe;
	uint32_t tail_reg;       /* offset of its tail register */
	volatile uint32_t *tail; /* and where it is mapped */
	uint32_t reserved;       /* descriptors that there is memory for */
	bool drained;            /* all that it holds was sent */

	/*
	 * by the watchdog, core 0. The sum of the words pkt->frame of a batch that is simply
	 * posted, at most: UINT32_MAX, as a flag makes it more; 0: the owner resets the ring before
	 * it sends again
	 */
	_Alignas(CACHE_LINE) volatile uint64_t most;
	uint32_t seen_head; /* the head a second ago */
	uint8_t stalled;    /* seconds that it has stood still with work */
};

/* driver's own counters beside the chip's */
struct gbe_events {
	uint64_t rx_overruns; /* ICR.RXO seen: one for many frames */
	uint64_t dma_out_of_sync;
	uint64_t link_changes; /* ICR.LSC seen */
};

enum { GBE_NSTATS = 32 };

struct gbe {
	struct netdev dev;
	struct gbe_rx *rx[NETDEV_MAX_QUEUES]; /* nrings of them */
	struct gbe_tx *tx[NETDEV_MAX_QUEUES];
	uint8_t nrings; /* of each, for the most queues that there may be */
	void *regs;
	struct gbe_trace *tracing; /* where accesses to registers are recorded; NULL: nowhere */
	const struct gbe_chip *chip;
	const struct gbe_family *family; /* chip's */
	struct pci_dev *pd;
	const struct gbe_scheme *scheme; /* gbe_find_scheme()'s choice */
	uint8_t forbidden;               /* enum gbe_forbidden */
	struct napi link_napi;           /* link and errors keep the same contract as a queue */
	struct pkt_holder rx_held, tx_held;
	char rx_held_name[24], tx_held_name[24];
	unsigned rx_usecs;                      /* the queues' throttle */
	struct ethtool_throttle throttle;       /* what is known of it, all zero: nothing */
	const struct gbe_scheme *measured_with; /* by interrupts of this kind */
	struct ethtool_pause pause, pause_in_force;
	volatile bool link_event;    /* LSC was seen, what to make of it is left to core 0 */
	uint32_t mta[GBE_MTA_WORDS]; /* what the table of groups holds */
	struct gbe_events events;
	uint64_t stat[GBE_NSTATS];               /* sums of the chip's registers, gbe_stats.c */
	uint64_t queue_drops[NETDEV_MAX_QUEUES]; /* sums of GBE_RING_DROPS */

	/* MSI-X: a vector a queue, and one for the rest */
	struct msix msix;
	struct irq queue_irq[NETDEV_MAX_QUEUES];
	struct irq link_irq;

	/* or one interrupt for everything, by message or by line */
	struct irq message;
	struct intx intx;
	unsigned line; /* which one */
	/* link and errors that its handler saw, for the link's poll */
	_Atomic uint32_t causes;
};

/* gbe_of() - that of a netdev or queue, without a look into memory */
static inline struct gbe *gbe_of(struct netdev *dev)
{
	return container_of(dev, struct gbe, dev);
}

/* --- registers; on the host a test plays the chip --- */

#if __STDC_HOSTED__
uint32_t fake_gbe_read(void *regs, uint32_t off);
void fake_gbe_write(void *regs, uint32_t off, uint32_t v);

static inline uint32_t gbe_peek(const struct gbe *gbe, uint32_t off)
{
	return fake_gbe_read(gbe->regs, off);
}

static inline void gbe_poke(const struct gbe *gbe, uint32_t off, uint32_t v)
{
	fake_gbe_write(gbe->regs, off, v);
}

static inline void gbe_poke_tail(const struct gbe_tx *tx, uint32_t v)
{
	gbe_poke(tx->gbe, tx->tail_reg, v);
}
#else
static inline uint32_t gbe_peek(const struct gbe *gbe, uint32_t off)
{
	return *(volatile uint32_t *)((uint8_t *)gbe->regs + off);
}

/*
 * gbe_poke() - a write that is not recorded: for the path of a packet, which has a way of its
 * own while that is wanted
 */
static inline void gbe_poke(const struct gbe *gbe, uint32_t off, uint32_t v)
{
	*(volatile uint32_t *)((uint8_t *)gbe->regs + off) = v;
}

/* gbe_poke_tail() - the same, to a transmit ring's tail */
static inline void gbe_poke_tail(const struct gbe_tx *tx, uint32_t v)
{
	*tx->tail = v;
}
#endif

/*
 * gbe_trace_access() - @v was read from register @off, or is about to be written. Any
 * core, hard interrupts too.
 */
void gbe_trace_access(const struct gbe *gbe, uint32_t off, uint32_t v, bool write);

static inline uint32_t gbe_read(const struct gbe *gbe, uint32_t off)
{
	uint32_t v = gbe_peek(gbe, off);

	if (unlikely(gbe->tracing))
		gbe_trace_access(gbe, off, v, false);
	return v;
}

static inline void gbe_write(const struct gbe *gbe, uint32_t off, uint32_t v)
{
	if (unlikely(gbe->tracing))
		gbe_trace_access(gbe, off, v, true);
	gbe_poke(gbe, off, v);
}

static inline void gbe_change(const struct gbe *gbe, uint32_t off, uint32_t set, uint32_t clear)
{
	gbe_write(gbe, off, (gbe_read(gbe, off) & ~clear) | set);
}

/* gbe_flush() - a read pushes the writes before it to the chip. */
static inline void gbe_flush(const struct gbe *gbe)
{
	(void)gbe_read(gbe, GBE_STATUS);
}

/* gbe_rx_reg(), gbe_tx_reg() - offset of register @reg, a GBE_RING_..., of queue @q. */
static inline uint32_t gbe_rx_reg(const struct gbe *gbe, unsigned q, uint32_t reg)
{
	return gbe->chip->rx_rings + gbe->chip->ring_block * q + reg;
}

static inline uint32_t gbe_tx_reg(const struct gbe *gbe, unsigned q, uint32_t reg)
{
	return gbe->chip->tx_rings + gbe->chip->ring_block * q + reg;
}

/* --- gbe.c --- */

/*
 * gbe_probe() - take a function that the table has a row for; 0, or an errno
 * having said why. Boot, core 0.
 */
int gbe_probe(struct pci_dev *pd);

/* --- gbe_up.c: all with the cores parked --- */

/* gbe_open(), gbe_stop() - the netdev's ops. */
int gbe_open(struct netdev *dev);
void gbe_stop(struct netdev *dev);
/* gbe_rings_on() - program queues @from to @to - 1, empty, and switch them on. 0 or -ETIMEDOUT. */
int gbe_rings_on(struct gbe *gbe, unsigned from, unsigned to);
/*
 * gbe_rings_off() - no DMA to their rings any more, every buffer given back.
 * No frame comes for them.
 */
void gbe_rings_off(struct gbe *gbe, unsigned from, unsigned to);
/*
 * gbe_go() - NAPI of queues @from on and of the link on; who may transmit by
 * what, and each ring's share.
 */
void gbe_go(struct gbe *gbe, unsigned from);
/* gbe_halt() - NAPI of queues @from on and of the link off. */
void gbe_halt(struct gbe *gbe, unsigned from);
/*
 * gbe_set_rings() - from now on each receive ring has @rx descriptors, each transmit ring @tx; both
 * are powers of two from GBE_RING_MIN to GBE_RING_MAX. At probe, and while the rings are empty and
 * off. 0, or -ENOMEM, all rings being as they were.
 */
int gbe_set_rings(struct gbe *gbe, unsigned rx, unsigned tx);
/* gbe_queue_moved() - the queue follows its interrupt to core @cpu; cores parked. */
void gbe_queue_moved(struct netdev_queue *queue, unsigned cpu);

/* --- gbe_live.c: the ethtool ops that change it while frames flow --- */

int gbe_set_channels(struct netdev *dev, unsigned combined);
int gbe_set_ringparam(struct netdev *dev, unsigned rx, unsigned tx);
int gbe_set_rss(struct netdev *dev, const struct netdev_rss *want);
extern const char *const gbe_priv_flags[]; /* bits of enum gbe_forbidden */
uint32_t gbe_get_priv_flags(struct netdev *dev);
int gbe_set_priv_flags(struct netdev *dev, uint32_t flags);

/* --- gbe_scheme.c --- */

/*
 * gbe_find_scheme() - choose by what it interrupts, of what is not forbidden; sets scheme,
 * dev.max_queues and nqueues. The chip silent, none of its interrupts requested. 0, or an errno
 * having said why.
 */
int gbe_find_scheme(struct gbe *gbe);

/* --- gbe_vectors.c: request and free of each scheme with vectors --- */

int gbe_vectors_request(struct gbe *gbe);
void gbe_vectors_free(struct gbe *gbe);
/*
 * gbe_vectors_resize() - from now on @n queues have one, sets dev.nqueues; those that stay keep
 * theirs, the link's moves behind the last. The link's NAPI is disabled, and those of queues that
 * go. 0, or -ENOSPC and nothing has changed.
 */
int gbe_vectors_resize(struct gbe *gbe, unsigned n);

/* --- gbe_rss.c --- */

/* gbe_init_rss() - dev->rss as it is unless told otherwise. */
void gbe_init_rss(struct gbe *gbe);
/* gbe_spread() - the table as it is by default: all queues in turn. */
void gbe_spread(struct netdev_rss *rss, unsigned nqueues);
/* gbe_configure_rss() - program dev->rss; the receiver is off. */
void gbe_configure_rss(struct gbe *gbe);

/* --- gbe_hw.c --- */

/*
 * gbe_wait() - until (register & @mask) == @want, at most @us microseconds.
 * Returns 0, or -ETIMEDOUT having said on the console that @what did not happen.
 */
int gbe_wait(const struct gbe *gbe, uint32_t off, uint32_t mask, uint32_t want, unsigned us,
	     const char *what);
/* gbe_pcie_reset() - family->reset of a chip on PCI Express. */
int gbe_pcie_reset(struct gbe *gbe);
/*
 * gbe_read_address() - family->read_address of a chip that has it in RAL and RAH 0 after a reset.
 */
int gbe_read_address(struct gbe *gbe, uint8_t mac[ETH_ALEN]);
/* gbe_receiver() - RCTL.EN. */
void gbe_receiver(struct gbe *gbe, bool on);
/*
 * gbe_configure_general() - CTRL: the link as the PHY negotiates it, @set and
 * @clear beside; flow control.
 */
void gbe_configure_general(struct gbe *gbe, uint32_t set, uint32_t clear);
/* --- gbe_filter.c --- */

/*
 * gbe_set_rx_mode() - address, groups, promiscuous, frame length from the netdev;
 * nothing while it is down.
 */
void gbe_set_rx_mode(struct netdev *dev);
bool gbe_takes_group(const struct netdev *dev, const uint8_t *mac);
/*
 * gbe_set_features() - the netdev's op; gbe_configure_features() - the same as a step of
 * the configuration, and RSS.
 */
void gbe_set_features(struct netdev *dev);
void gbe_configure_features(struct gbe *gbe);
/* gbe_configure_filters() - the same for the first time: the multicast table is emptied before. */
void gbe_configure_filters(struct gbe *gbe);
/* gbe_transmitter_on() - TCTL; [82576 4.5.10], [8254x 14.5]. */
void gbe_transmitter_on(struct gbe *gbe);

/* --- gbe_link.c --- */

/*
 * gbe_link_restart() - negotiate the link anew; it comes up half a second later. 0,
 * -ETIMEDOUT or -EIO, said.
 */
int gbe_link_restart(struct gbe *gbe);
/* gbe_phy_read() - register @reg of the PHY. 0, -ETIMEDOUT or -EIO, said. */
int gbe_phy_read(struct gbe *gbe, unsigned reg, uint16_t *v);
/* gbe_link_init() - the napi of link and errors, on core @cpu. */
void gbe_link_init(struct gbe *gbe, unsigned cpu);
/* gbe_link_moved() - it follows its interrupt to core @cpu; cores parked. */
void gbe_link_moved(struct gbe *gbe, unsigned cpu);
void gbe_watchdog(struct netdev *dev);

/* --- gbe_pause.c --- */

/*
 * gbe_pause_configure() - flow control as a step of the configuration; gbe_pause_link_up() -
 * as was agreed on. Core 0.
 */
void gbe_pause_configure(struct gbe *gbe);
void gbe_pause_link_up(struct gbe *gbe);
/* gbe_pause_advertised() - what the PHY tells the other end of it. */
uint32_t gbe_pause_advertised(const struct gbe *gbe);
/* the ethtool ops */
void gbe_get_pause(struct netdev *dev, struct ethtool_pause *wanted,
		   struct ethtool_pause *in_force);
int gbe_set_pause(struct netdev *dev, const struct ethtool_pause *p);

/* --- gbe_stats.c --- */

/* gbe_stats_update() - core 0: add the chip's registers, which reading clears, to our sums. */
void gbe_stats_update(struct gbe *gbe);
/* the ethtool ops, all but the driver's name */
unsigned gbe_get_stats(struct netdev *dev, struct ethtool_stat *s, unsigned max);
int gbe_nway_reset(struct netdev *dev);

/* --- gbe_trace.c --- */

/* gbe_queue_ops() - the scheme's; while registers are traced the same, recorded. */
const struct napi_ops *gbe_queue_ops(const struct gbe *gbe);

/* --- gbe_throttle.c --- */

/*
 * gbe_throttle_measure() - unless it is known: how long do interrupts of this kind really wait?
 * Some milliseconds. NAPI is still disabled, the chip set up, the cores parked; nothing if
 * queue 0 is another core's.
 */
void gbe_throttle_measure(struct gbe *gbe);
/*
 * gbe_throttle_count() - what the register has to hold for @usecs.
 * gbe_throttle() - program rx_usecs.
 */
uint32_t gbe_throttle_count(const struct gbe *gbe, unsigned usecs);
void gbe_throttle(struct gbe *gbe);
/* the ethtool ops */
unsigned gbe_get_coalesce(struct netdev *dev);
int gbe_set_coalesce(struct netdev *dev, unsigned usecs);
void gbe_set_adaptive(struct netdev *dev, bool on);
void gbe_get_throttle(struct netdev *dev, struct ethtool_throttle *t);

/* --- gbe_rx.c; the path of a packet is in gbe_rx.h --- */

/*
 * gbe_rx_reserve() - memory for @n descriptors, if it has not got that; the
 * ring is off. 0 or -ENOMEM.
 */
int gbe_rx_reserve(struct gbe_rx *rx, unsigned n);
/*
 * gbe_rx_program() - ring @q with what gbe_rx_keep() left, else empty, and the chip told where it
 * is; its owner fills it up in its first poll.
 */
void gbe_rx_program(struct gbe *gbe, unsigned q);
/* gbe_rx_stop() - queue off, every buffer freed. The chip must do no more DMA to it afterwards. */
void gbe_rx_stop(struct gbe *gbe, unsigned q);
/*
 * gbe_rx_keep() - the same, but the buffers go into it again when it is programmed
 * next, in this very park.
 */
void gbe_rx_keep(struct gbe *gbe, unsigned q);
/*
 * gbe_rx_freeze() - it is not filled up until it is told its share again, so no tail
 * is written. Cores parked.
 */
void gbe_rx_freeze(struct gbe *gbe, unsigned q);
/*
 * gbe_rx_share() - from now on ring @q is filled with @n buffers at most; within what the ring can.
 */
void gbe_rx_share(struct netdev *dev, unsigned q, unsigned n);
/*
 * gbe_rx_refill() - post fresh buffers, as many as there is room for; owning core. Returns
 * @n, for whoever jumps here.
 */
unsigned gbe_rx_refill(struct gbe_rx *rx, unsigned n);
void gbe_rx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t);

/* --- gbe_tx.c; the path of a packet is in gbe_tx.h --- */

/*
 * gbe_tx_reserve() - memory for @n descriptors, if it has not got that; the
 * ring is off. 0 or -ENOMEM.
 */
int gbe_tx_reserve(struct gbe_tx *tx, unsigned n);
/* gbe_tx_program() - ring @q empty, head and tail at its beginning, the chip told where it is. */
void gbe_tx_program(struct gbe *gbe, unsigned q);
/*
 * gbe_tx_drain() - the wire gets what the rings from @from on hold, or a while
 * passes. Nobody sends any more.
 */
void gbe_tx_drain(struct gbe *gbe, unsigned from);
/*
 * gbe_tx_stop() - queue off, every buffer freed; returns how many frames are not
 * known to have been sent.
 */
unsigned gbe_tx_stop(struct gbe *gbe, unsigned q);
/*
 * gbe_tx_reset() - the head stood still: off, all that is not reported as sent thrown
 * away, on again. Owning core.
 */
void gbe_tx_reset(struct gbe_tx *tx);
/*
 * gbe_tx_check() - watchdog, core 0: has the head stood still for two seconds with
 * work? Then ask for a reset.
 */
void gbe_tx_check(struct gbe *gbe, unsigned q);
void gbe_tx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t);
