/* SPDX-License-Identifier: MIT */
/*
 * gro_merge.h - one flow of frames that become one: between gro.c, which keeps them, and
 * gro_merge.c, which knows how
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gso.h"

/* what gro_look() found in a frame */
struct gro_frame {
	struct pkt *p;
	struct gso_headers h;
	uint32_t hash;
	uint32_t payload; /* bytes */
	bool sound;       /* lengths and checksums are right, nothing behind the packet: it may be
			     merged */
	bool holds;       /* and others may be hung on to it */
	bool ends;        /* gro_continues(): nothing may come behind it */
};

/* a packet that is held, with what hangs on to it */
struct gro_flow {
	struct pkt *p, *last; /* first and last buffer */
	struct gso_headers h;
	uint32_t hash;
	uint32_t payload; /* bytes in all */
	uint16_t size;    /* of payload in each frame; the last may have less */
	uint16_t count;   /* frames */
	uint32_t since;   /* its queue's polls when it began */
	bool fixed_id;    /* all have the first one's IPv4 identification, else each one more */
};

/*
 * gro_look() - false: no TCP, no UDP if @udp, or nothing that any flow could be about: pass it on.
 */
bool gro_look(struct gro_frame *frame, struct pkt *p, bool udp);

bool gro_same_flow(const struct gro_flow *f, const struct gro_frame *frame);

/* gro_begin() - @frame is held from the poll number @polls on. */
void gro_begin(struct gro_flow *f, const struct gro_frame *frame, uint32_t polls);

/* gro_continues() - does @frame continue @f? Sets frame->ends, and nothing else. */
bool gro_continues(const struct gro_flow *f, struct gro_frame *frame);

/* gro_merge() - hang @frame on to @f; false if it does not continue it. Sets frame->ends. */
bool gro_merge(struct gro_flow *f, struct gro_frame *frame);

/* gro_complete() - make the headers of @f, two frames or more, speak of all of it: PKT_GSO. */
void gro_complete(struct gro_flow *f);
