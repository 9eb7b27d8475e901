/* SPDX-License-Identifier: MIT */
/*
 * gbe_rig.h - a NIC on its bench: what test_igb.c and test_e1000.c both do with the real
 * driver on a register file
 *
 * The rig is the room above the driver, which keeps every packet that a poll gives it, and the
 * hands that feed frames in, send packets and look at what came of it. How a chip is wired to the
 * machine is the tests' own.
 */
#pragma once

#include "tests/unit/host.h"

#include "kernel/drop.h"
#include "kernel/pkt.h"
#include "drivers/netdev.h"
#include "fake_gbe.h"

enum { POOL = 1024, FRAMES = 1024 };

extern struct fake_gbe *chip; /* the one that frames come in by; the test sets it */
extern struct netdev *dev;    /* the first NIC, NULL while there is none */

/* --- the room above --- */

extern struct pkt *taken[FRAMES]; /* what polls gave, in order */
extern unsigned ntaken;
extern unsigned links_told; /* changes of dev's link that it was told of */

void free_taken(void);

/* --- the machine --- */

/*
 * rig_start() - @ncores cores with their pools and softirqs; no function on the
 * bus, no NIC, nothing taken.
 */
void rig_start(unsigned ncores);
/*
 * rig_probe() - offer what is on the bus to @driver; polls and link changes lead here.
 * Returns how many NICs it took.
 */
unsigned rig_probe(const struct pci_driver *driver);
/*
 * rig_probe_again() - the same for the first function alone, from an empty log on; dev stays NULL.
 */
unsigned rig_probe_again(const struct pci_driver *driver);
/* run_softirqs() - those that were raised, on every core. */
void run_softirqs(void);

/* --- receive --- */

/* receive() - @n frames of @len bytes on queue 0, and what the poll made of them */
void receive(unsigned n, uint32_t len);
/* receive_one_by_one() - @n of them, each polled and freed before the next comes. */
void receive_one_by_one(unsigned n, uint32_t len);
/* dropped() - one frame, one drop, one reason, and the frame behind it arrives */
void dropped(enum drop_reason why);

/* --- transmit --- */

/* packet() - one of @len bytes in one buffer, byte i holds (uint8_t)(first + i). */
struct pkt *packet(uint32_t len, uint8_t first);
/* chain_of() - one of @segs buffers with @len bytes each. */
struct pkt *chain_of(unsigned segs, uint32_t len);
/* give() - these to queue 0 of @to, as its tx_batch wants it; returns how many it took. */
unsigned give(struct netdev *to, struct pkt **pkts, unsigned n);
/* transmit() - @n packets of @len bytes as one batch on queue 0; all must be taken. */
void transmit(unsigned n, uint32_t len);

/* stat_of() - of `ethtool -S`; the test fails if there is none of that name. */
uint64_t stat_of(const char *name);

/* --- what both drivers must do to the letter --- */

struct rig_step {
	const char *step;
	uint32_t off, bits; /* a value with all of these was written there */
};

/* opens_in_order() - dev opens, its queue is polled, and the log has these writes in this order. */
void opens_in_order(const struct rig_step *order, unsigned n);
/* receives_in_order() - several times around the ring. */
void receives_in_order(void);
/* receives_long() - a frame of many buffers. */
void receives_long(uint32_t len);
/* finds_a_frame_of() - @at_unmask brings a frame between the last look and the unmask. */
void finds_a_frame_of(void (*at_unmask)(struct fake_gbe *f));
/*
 * refuses_what_is_too_much() - a full ring, whose tail register is @tail, takes
 * no more until it has sent.
 */
void refuses_what_is_too_much(uint32_t tail);
