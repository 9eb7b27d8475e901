/* SPDX-License-Identifier: MIT */
/*
 * pcapng.h - captures as wireshark and tcpdump read them [draft-ietf-opsawg-pcapng]
 *
 * Blocks are put one behind the other into a buffer; whoever holds it empties it in time. Stamps
 * are nanoseconds since boot, so a capture begins on the first of January 1970.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/taps.h"

struct pcapng {
	uint8_t *buf;
	size_t size, n; /* bytes in all, and used */
};

/* most bytes that a block other than a packet's takes, and a packet's beside its frame */
enum { PCAPNG_BLOCK_MAX = 1024 };

/* pcapng_section() - what a file begins with. */
void pcapng_section(struct pcapng *to);

/*
 * pcapng_interface() - the next interface, numbered from 0; @mac may be NULL, @filter too: the
 * expression that packets were chosen by.
 */
void pcapng_interface(struct pcapng *to, const char *name, const uint8_t *mac, uint32_t snaplen,
		      const char *filter);

/*
 * pcapng_packet() - @r, seen at interface @number, whose address is @mac. There is room for its
 * frame and PCAPNG_BLOCK_MAX.
 */
void pcapng_packet(struct pcapng *to, const struct tap_record *r, uint32_t number,
		   const uint8_t *mac);

/*
 * pcapng_statistics() - of interface @number, at the end: when the capture began and ended, in
 * ns; packets that came in.
 */
void pcapng_statistics(struct pcapng *to, uint32_t number, uint64_t began, uint64_t ended,
		       const struct tap_stats *stats);
