/* SPDX-License-Identifier: MIT */
/*
 * decode.h - a frame as a line of text, as tcpdump writes it with -n
 *
 * Ethernet with VLAN tags, ARP, IPv4, IPv6 with its extension headers, TCP, UDP, ICMP, ICMPv6: word
 * for word what tcpdump 4.99 prints. What is inside UDP and TCP is not looked at, whatever its
 * port; what is inside other protocols is given by its length, or in hex. A frame may have been
 * cut: no byte behind the captured ones is looked at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/text.h"

enum {
	DECODE_FLOWS = 128,
	DECODE_TEXT = 2048,
	DECODE_HEX_LINE = 16, /* bytes of a line of decode_hex() */
	DECODE_HEX_TEXT = 80, /* and letters, at most */
};

/* one TCP connection: its sequence numbers are printed from where they were seen first */
struct decode_flow {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t base[2]; /* what is taken off numbers of each side */
	bool used;
};

struct decode {
	/* by the caller */
	bool link;        /* -e: the Ethernet header too */
	unsigned verbose; /* -v, -vv */
	bool dumped;      /* the caller gives the bytes in any case */
	bool absolute;    /* -S: sequence numbers as they are */
	/* by decode() */
	struct decode_flow flow[DECODE_FLOWS];
	unsigned next_flow;
	bool quoted; /* it is the beginning of a packet that an ICMP error is about */
};

/*
 * decode() - the frame, of @len bytes, of which @caplen were captured, appended to @t. No newline
 * at the end. Returns how many bytes are the link's: Ethernet's header and tags.
 */
uint32_t decode(struct decode *d, struct text *t, const uint8_t *frame, uint32_t caplen,
		uint32_t len);

enum decode_hex {
	HEX_X,     /* -x: words */
	HEX_ASCII, /* -X: and letters */
	HEX_INSET, /* -vv: words of a part, further to the right */
};

/* decode_hex() - @n bytes as tcpdump dumps them, a line each begun by a newline. */
void decode_hex(struct text *t, const uint8_t *p, uint32_t n, enum decode_hex how);
