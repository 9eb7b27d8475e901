/* SPDX-License-Identifier: MIT */
/*
 * csum.h - the Internet's checksum [RFC 1071]
 *
 * Sums are of 16-bit words in the order of the wire, so that nothing is ever turned round: a
 * folded sum is stored as it is. A sum is 64 bits wide and not folded until it is wanted;
 * sums of parts are added.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"

/* csum_add() - @sum and the @n bytes at @bytes, which begin at an even one of what is summed. */
uint64_t csum_add(uint64_t sum, const void *bytes, uint32_t n);

/*
 * csum_fold() - 16 bits of a sum. A field holds ~csum_fold() of all but itself; all of it, the
 * field included, then folds to 0xffff.
 */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * csum_pseudo4(), csum_pseudo6() - the header that TCP and UDP imagine in front of theirs [RFC
 * 9293 3.1, RFC 8200 8.1].
 */
uint64_t csum_pseudo4(const uint8_t addresses[8], uint8_t proto, uint32_t len);
uint64_t csum_pseudo6(const uint8_t addresses[32], uint8_t proto, uint32_t len);

/* csum_ipv4() - put the right checksum into the IPv4 header of @hlen bytes at @ip. */
void csum_ipv4(uint8_t *ip, uint32_t hlen);

/* csum_pkt() - @sum and all bytes of @p from @off on, folded; buffers of odd lengths included. */
uint16_t csum_pkt(const struct pkt *p, uint32_t off, uint64_t sum);

/*
 * csum_complete() - finish what PKT_CSUM_PARTIAL leaves to a device (Linux: skb_checksum_help()):
 * the field holds the sum of the pseudo header, the rest from csum_start on is added to it.
 */
void csum_complete(struct pkt *p);
