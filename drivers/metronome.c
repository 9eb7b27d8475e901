/* SPDX-License-Identifier: MIT */
/*
 * metronome.c - QEMU's virtio-net device, legacy interface, its transmit queue alone
 * [virtio 1.2 4.1.4.8, 2.7]
 *
 * Everything after the start happens in the hard interrupt on core 0: a core that drowns in
 * interrupts must not slow down what it drowns in. Owns the ring and a frame for each of its slots.
 */
#include "metronome.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/irq.h"
#include "kernel/mem.h"
#include "kernel/stream.h"
#include "kernel/time.h"
#include "kernel/x86.h"
#include "msi.h"
#include "pci_regs.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* legacy registers, ports behind BAR 0 [virtio 1.2 4.1.4.8] */
#define LEGACY_GUEST_FEATURES 4  /* RW 32 */
#define LEGACY_QUEUE_PFN      8  /* RW 32: the ring's address / 4096 */
#define LEGACY_QUEUE_SIZE     12 /* RO 16 */
#define LEGACY_QUEUE_SELECT   14 /* RW 16 */
#define LEGACY_QUEUE_NOTIFY   16 /* WO 16 */
#define LEGACY_STATUS         18 /* RW 8 */
#define LEGACY_QUEUE_VECTOR   22 /* RW 16: MSI-X table entry */

#define STATUS_ACKNOWLEDGE BIT(0)
#define STATUS_DRIVER      BIT(1)
#define STATUS_DRIVER_OK   BIT(2)

#define F_EVENT_IDX BIT(29)

enum {
	RING = 256, /* what QEMU's device has */
	TX_QUEUE = 1,
	NET_HDR = 10, /* struct virtio_net_hdr, all zero: nothing to be done to the frame */
	SLOT = 2048,
};

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* [virtio 1.2 2.7.2]: the used ring begins on a page */
struct vring {
	struct vring_desc desc[RING];
	struct {
		uint16_t flags, idx, ring[RING], used_event;
	} avail;
	_Alignas(PAGE_SIZE) struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[RING];
		uint16_t avail_event;
	} used;
};

_Static_assert(offsetof(struct vring, used) == 8192, "[virtio 1.2 2.7.2]");

static uint16_t ports; /* the device's, 0: there is none */
static struct msix msix;
static struct irq irq;
static volatile struct vring *ring;
static uint8_t *slots;
static struct stream_hdr *hdr[RING];
static struct metronome_run run;
static uint16_t queued; /* as avail.idx */
static uint64_t filled; /* frames put into the ring in this run */

/* Frame @filled is due one period after the one before. */
static inline void fill_one(void)
{
	struct stream_hdr *h = hdr[queued++ % RING];

	h->seq = __builtin_bswap32(filled++);
	h->stamp = __builtin_bswap64(run.began + filled * run.period);
}

/*
 * number what has been sent anew and hand it over; ask for the next interrupt half a ring
 * on, or at the last frame
 */
static void refill(void)
{
	uint64_t most = MIN(run.sent + RING, run.count);

	while (filled < most)
		fill_one();
	ring->avail.used_event = queued - 1 - (filled < run.count ? RING / 2 : 0);
	/* release: the device sees frames and event before it sees that they are there */
	__atomic_store_n(&ring->avail.idx, queued, __ATOMIC_RELEASE);
}

/*
 * The device looks at the ring by itself as long as it finds something; then it wants to be told.
 */
static void kick(void)
{
	outw(ports + LEGACY_QUEUE_NOTIFY, TX_QUEUE);
}

/*
 * has_stopped() - the device sent all up to @idx and found no more: it says so in avail_event when
 * it wants to be told again [virtio 1.2 2.7.10]. The fence pairs with the device's, between that
 * and its last look at avail.idx.
 */
static bool has_stopped(uint16_t idx)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring->used.idx == idx && ring->used.avail_event == idx;
}

static void handler(void *arg)
{
	uint64_t now = rdtsc();
	uint16_t last = queued;

	(void)arg;
	if (!run.running)
		return;
	run.sent = filled - (uint16_t)(queued - ring->used.idx);
	if (run.sent == run.count) {
		run.stopped = now;
		run.running = false;
		return;
	}
	refill();
	/*
	 * not before: it may have run dry meanwhile. One that has not would be
	 * put out of time by a kick
	 */
	if (has_stopped(last)) {
		run.dry++;
		kick();
	}
}

int metronome_start(const uint8_t *frame, unsigned len, unsigned at, uint64_t count,
		    uint64_t period)
{
	if (!ports)
		return -ENODEV;
	if (run.running)
		return -EBUSY;
	for (unsigned i = 0; i < RING; i++) {
		memcpy(slots + i * SLOT + NET_HDR, frame, len);
		ring->desc[i].len = NET_HDR + len;
		hdr[i] = (struct stream_hdr *)(slots + i * SLOT + NET_HDR + at);
	}
	run = (struct metronome_run){ .count = count, .period = period, .running = true };
	run.began = rdtsc();
	filled = 0;
	refill();
	kick();
	return 0;
}

const struct metronome_run *metronome_last(void)
{
	return ports ? &run : NULL;
}

/* --- set-up [virtio 1.2 3.1.1]: status, features, the queue, DRIVER_OK --- */

static void ring_init(void)
{
	ring = mem_zalloc(sizeof(*ring), PAGE_SIZE, "the metronome's ring");
	slots = mem_zalloc(RING * SLOT, PAGE_SIZE, "the metronome's frames");
	for (unsigned i = 0; i < RING; i++) {
		ring->desc[i].addr = (uintptr_t)slots + i * SLOT;
		ring->avail.ring[i] = i; /* and stays: it sends in order */
	}
	outw(ports + LEGACY_QUEUE_SELECT, TX_QUEUE);
	outl(ports + LEGACY_QUEUE_PFN, (uintptr_t)ring / PAGE_SIZE);
	outw(ports + LEGACY_QUEUE_VECTOR, 0);
}

static int metronome_probe(struct pci_dev *pd)
{
	int err;

	if (ports)
		return -EBUSY; /* one is enough */
	if (!pd->bar[0].io || !pd->bar[0].addr)
		return -EINVAL;
	pci_command(pd, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	err = msix_enable(&msix, pd);
	if (err)
		return err;
	irq = (struct irq){ .handler = handler, .name = "metronome" };
	msix_irq_init(&msix, 0, &irq);
	err = irq_request(&irq, 0);
	if (err)
		return err;
	ports = pd->bar[0].addr;
	outb(ports + LEGACY_STATUS, 0);
	outb(ports + LEGACY_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	outl(ports + LEGACY_GUEST_FEATURES, F_EVENT_IDX);
	outw(ports + LEGACY_QUEUE_SELECT, TX_QUEUE);
	if (inw(ports + LEGACY_QUEUE_SIZE) != RING) {
		kprintf("metronome: the queue of %s has not %u slots\n", pd->name, RING);
		ports = 0;
		return -EINVAL;
	}
	ring_init();
	outb(ports + LEGACY_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	kprintf("metronome: a virtio network device at %s\n", pd->name);
	return 0;
}

static const struct pci_id ids[] = { { 0x1af4, 0x1000 }, { 0, 0 } };

const struct pci_driver metronome_driver = { .name = "metronome",
					     .ids = ids,
					     .probe = metronome_probe };
