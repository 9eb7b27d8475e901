/* SPDX-License-Identifier: MIT */
/*
 * fake_driver.h - the guest's half of a virtqueue, honest or not
 *
 * A guest's RAM is one malloc() of exactly its size, so that the address sanitiser sees every step
 * beside it. A ring lies in it as a driver would lay it out; its words may also be written one by
 * one, as no driver would.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/gpa.h"
#include "vmm/virtq.h"

struct fake_ram {
	struct gpa_map map;
	uint64_t size, used; /* bytes; handed out so far */
};

struct fake_driver {
	struct fake_ram *ram;
	unsigned size; /* of the queue */
	uint64_t desc_gpa, avail_gpa, used_gpa;
	struct virtq_desc *desc;
	uint16_t *avail, *used;
	bool event_idx;
	uint16_t next;      /* descriptor to fill next */
	uint16_t told;      /* avail index at the last look whether to kick */
	uint16_t used_seen; /* used elements taken */
};

void ram_up(struct fake_ram *ram, uint64_t size);
void ram_down(struct fake_ram *ram);
/* ram_take() - guest-physical address of @len fresh bytes. */
uint64_t ram_take(struct fake_ram *ram, uint64_t len, uint64_t align);
/* ram_at() - these bytes, by the checked door; the test fails if they are not RAM. */
uint8_t *ram_at(struct fake_ram *ram, uint64_t gpa, uint64_t len);

/* driver_up() - rings for @size descriptors, all zero, indices starting at @base. */
void driver_up(struct fake_driver *d, struct fake_ram *ram, unsigned size, bool event_idx,
	       uint16_t base);

/* driver_desc() - write descriptor @i. */
void driver_desc(struct fake_driver *d, unsigned i, uint64_t addr, uint32_t len, unsigned flags,
		 unsigned next);
/* driver_expose() - make the chain from @head on available. */
void driver_expose(struct fake_driver *d, uint16_t head);
/* driver_add() - one buffer of one piece, in the next descriptor; returns its head. */
uint16_t driver_add(struct fake_driver *d, uint64_t addr, uint32_t len, bool write);
/*
 * driver_kicks() - would a driver ring the doorbell for what it exposed since the last
 * time it was asked? [2.7.10]
 */
bool driver_kicks(struct fake_driver *d);
/* driver_used() - take the next used element; false if there is none. */
bool driver_used(struct fake_driver *d, struct virtq_used_elem *e);
/* driver_want_signal() - ask for an interrupt at the next used buffer, or for none. */
void driver_want_signal(struct fake_driver *d, bool on);
