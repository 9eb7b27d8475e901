/* SPDX-License-Identifier: MIT */
/*
 * socket.h - UDP ports and who reads them; numbered datagrams, and how to see that none is missing
 */
#pragma once

#include <stdint.h>

#include "inet.h"

enum { PORT_ECHO = 7, PORT_DISCARD = 9, PORT_OURS = 40000 };

struct sock {
	uint16_t port;
	const char *name;
	/* a datagram for it; takes the skb */
	void (*sk_data_ready)(struct sock *sk, struct skb *skb, struct iphdr *ip,
			      struct udphdr *udp);
	struct sock_stats {
		uint64_t received, sent, bytes;
		uint64_t next; /* number expected */
		uint64_t lost, reordered;
		uint64_t bad; /* not what the number says it should be */
	} stats;
};

/* what a numbered datagram begins with; byte i of the rest is its number + i */
struct numbered {
	uint32_t magic, number; /* big-endian */
};

#define NUMBERED_MAGIC 0x74696e79 /* "tiny" */

extern struct sock sockets[3];

/* udp_lookup() - the socket at @port, NULL: none. */
struct sock *udp_lookup(uint16_t port);
/* number_write() - datagram @number as the payload of @skb, of which frame_len is set. */
void number_write(struct skb *skb, uint32_t number);
