/* SPDX-License-Identifier: MIT */
/*
 * gbe_offload.c - from a packet's flags to what the chip is asked for
 *
 * Called for frames that ask for something, by the transmit path of the core that owns the queue.
 * Owns nothing. Offsets may come from a guest: each is held against the bytes of the frame's first
 * buffer before it is used.
 */
#include "gbe_offload.h"

enum {
	TYPE_AT = 12, /* of an Ethernet header */
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TAGS_MAX = 2,

	TCP_CSUM_AT = 16, /* in its header, which has TCP_HLEN bytes at least */
	TCP_HLEN = 20,
	TCP_OFFSET_AT = 12, /* length of the header in words, upper half of this byte */
	UDP_CSUM_AT = 6,
	UDP_HLEN = 8,
	IP_HLEN_MIN = 20,
	IPV4_CSUM_AT = 10,
	HEADERS_MAX = NETDEV_TX_HEADERS,
};

static uint16_t load_be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* where the IP header begins, behind the tags; false if there is none */
static bool find_l3(const struct pkt *p, struct gbe_offload *o)
{
	unsigned at = TYPE_AT, type = load_be16(p->data + at);

	for (unsigned tags = 0; tags < TAGS_MAX && (type == TYPE_VLAN || type == TYPE_QINQ);
	     tags++) {
		at += VLAN_HLEN;
		type = load_be16(p->data + at);
	}
	o->l3 = at + 2;
	o->ipv6 = type == TYPE_IPV6;
	return type == TYPE_IPV4 || type == TYPE_IPV6;
}

/* the header whose checksum is asked for lies behind the IP header and within the first buffer */
static bool find_l4(const struct pkt *p, struct gbe_offload *o)
{
	unsigned len = p->csum_offset == TCP_CSUM_AT ? TCP_HLEN : UDP_HLEN;

	o->tcp = p->csum_offset == TCP_CSUM_AT;
	if (!o->tcp && p->csum_offset != UDP_CSUM_AT)
		return false;
	if (p->csum_start < o->l3 + IP_HLEN_MIN || p->csum_start + len > MIN(p->len, HEADERS_MAX))
		return false;
	o->l4 = p->csum_start;
	o->csum_at = o->l4 + p->csum_offset;
	if (o->tcp)
		len = MAX(len, (p->data[o->l4 + TCP_OFFSET_AT] >> 4) * 4);
	o->header_len = o->l4 + len;
	o->payload = p->frame_len - o->header_len;
	return o->header_len <= MIN(p->len, HEADERS_MAX);
}

/* one's complement: what was added is taken out by adding its complement [RFC 1071] */
void gbe_offload_take_length_out(struct pkt *p, const struct gbe_offload *o)
{
	uint8_t *at = p->data + o->csum_at;
	uint32_t len = p->frame_len - o->l4; /* in the pseudo header it has 32 bits */
	uint32_t sum = load_be16(at) + (uint16_t)~len + (uint16_t) ~(len >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	at[0] = sum >> 8;
	at[1] = sum;
	if (!o->ipv6)
		p->data[o->l3 + IPV4_CSUM_AT] = p->data[o->l3 + IPV4_CSUM_AT + 1] = 0;
}

bool gbe_offload_of(const struct pkt *p, struct gbe_offload *o)
{
	*o = (struct gbe_offload){ .tag = p->flags & PKT_VLAN, .tci = p->vlan_tci };
	if (!(p->flags & (PKT_CSUM_PARTIAL | PKT_GSO)))
		return true;
	o->csum = true;
	o->tso = p->flags & PKT_GSO;
	o->mss = p->gso_size;
	if (p->len < ETH_HLEN + TAGS_MAX * VLAN_HLEN + IP_HLEN_MIN || !find_l3(p, o) ||
	    !find_l4(p, o))
		return false;
	if (!o->tso)
		return true;
	return o->tcp && o->mss && o->payload;
}

void gbe_tx_refuse(struct gbe_tx *tx, struct pkt *p)
{
	tx->lost++;
	pkt_drop(p, DROP_TX_OFFLOAD);
}
