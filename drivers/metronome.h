/* SPDX-License-Identifier: MIT */
/*
 * metronome.h - a frame at each beat, by a clock that is no core's
 *
 * Who measures an overloaded core needs a load that costs that core nothing and does not slow
 * down with it. QEMU's virtio-net device with `ioeventfd=off,tx=timer,x-txtimer=NS,x-txburst=1`
 * sends one frame from its ring each NS nanoseconds of virtual time. It is used for that alone:
 * 256 frames stand ready in the ring, and an interrupt for half of them numbers them anew, a
 * dozen instructions a frame.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci.h"

extern const struct pci_driver metronome_driver;

struct metronome_run {
	uint64_t count;          /* frames wanted */
	uint64_t period;         /* ns, as QEMU was told */
	uint64_t sent;           /* so far */
	uint64_t began, stopped; /* TSC; stopped when the last one was sent */
	uint64_t dry; /* times that the device found the ring empty too soon: then the load was
			 less */
	bool running;
};

/*
 * metronome_start() - send the @len bytes at @frame count times, one a @period; at @hdr within
 * stands a struct stream_hdr, which gets its number and the time at which it is due, a tick of
 * the TSC being a nanosecond as with QEMU's -icount. 0, or -ENODEV without such a device,
 * -EBUSY. Control context.
 */
int metronome_start(const uint8_t *frame, unsigned len, unsigned hdr, uint64_t count,
		    uint64_t period);

/* metronome_last() - the run that goes on, or the last one; NULL without the device. */
const struct metronome_run *metronome_last(void);
