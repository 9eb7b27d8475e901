/* SPDX-License-Identifier: MIT */
/*
 * frag_out.c - fragments
 *
 * Called by ip_output.c on the core that has the packet. Owns the counters of IPv6
 * identifications, one a core. Each fragment is a copy in buffers of its own.
 */
#include "frag_out.h"

#include "drivers/netdev.h"
#include "net/bytes.h"
#include "net/csum.h"
#include "ipv4.h"
#include "local.h"
#include "neigh.h"
#include "snmp.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_COPIED = 0x80, /* this option goes into all fragments */
	FRAG_UNIT = 8,     /* bytes that offsets count in */
	FRAG_HLEN = 8,     /* IPv6's fragment header */
};

static uint32_t ident_of_cpu[MAX_CPUS];

/*
 * Each core has every ncpus-th, so that no two of them give the same to one destination at a time.
 */
static uint32_t next_ident(void)
{
	unsigned cpu = this_cpu()->id;

	return ident_of_cpu[cpu]++ * ncpus + cpu;
}

/* What only the first fragment shall say is no option in the others. */
static void blank_options(uint8_t *ip, unsigned hlen)
{
	for (unsigned i = IPV4_HLEN; i < hlen && ip[i] != OPT_END;) {
		unsigned n = ip[i] == OPT_NOP ? 1 : i + 1 < hlen ? ip[i + 1] : 0;

		if (!n || i + n > hlen)
			return; /* who made it so gets it so */
		if (!(ip[i] & OPT_COPIED))
			memset(ip + i, OPT_NOP, n);
		i += n;
	}
}

/* A packet that still wants its checksum gets it now: no part of it has all the bytes. */
static void complete_csum(struct pkt *p)
{
	if (!(p->flags & PKT_CSUM_PARTIAL))
		return;
	bytes_push(p, ETH_HLEN); /* the flag's offsets count from the frame's first byte */
	csum_complete(p);
	bytes_pull(p, ETH_HLEN);
}

/*
 * The @n bytes from @off on behind the header of @p, with a header of their own; NULL: no buffers.
 */
static struct pkt *cut4(const struct pkt *p, unsigned hlen, uint32_t off, uint32_t n)
{
	struct pkt *f = bytes_copy(p, hlen + off, n);
	uint32_t field = be16(load16(p->data + 6)) + off / FRAG_UNIT;
	uint8_t *ip;

	if (!f)
		return NULL;
	ip = bytes_push(f, hlen);
	memcpy(ip, p->data, hlen);
	if (off)
		blank_options(ip, hlen);
	if (hlen + off + n < p->frame_len)
		field |= IPV4_MF;
	store16(ip + 2, be16(hlen + n));
	store16(ip + 6, be16(field));
	csum_ipv4(ip, hlen);
	return f;
}

/*
 * The same for IPv6: the fragment header stands behind the first, which is the
 * only one that Weir makes.
 */
static struct pkt *cut6(const struct pkt *p, uint32_t id, uint32_t off, uint32_t n)
{
	struct pkt *f = bytes_copy(p, IPV6_HLEN + off, n);
	bool more = IPV6_HLEN + off + n < p->frame_len;
	uint8_t *ip;

	if (!f)
		return NULL;
	ip = bytes_push(f, IPV6_HLEN + FRAG_HLEN);
	memcpy(ip, p->data, IPV6_HLEN);
	store16(ip + 4, be16(FRAG_HLEN + n));
	ip[IPV6_HLEN] = ip[6];
	ip[IPV6_HLEN + 1] = 0;
	store16(ip + IPV6_HLEN + 2, be16(off | more));
	store32(ip + IPV6_HLEN + 4, be32(id));
	ip[6] = PROTO_FRAGMENT;
	return f;
}

void ip_fragment(struct pkt *p, struct port *port, const struct inet_addr *next)
{
	bool v6 = p->data[0] >> 4 == 6;
	unsigned hlen = v6 ? IPV6_HLEN : (p->data[0] & 0xf) * 4;
	uint32_t most = ROUND_DOWN(port->mtu - hlen - (v6 ? FRAG_HLEN : 0), FRAG_UNIT);
	uint32_t left = p->frame_len - hlen, id = v6 ? next_ident() : 0;

	complete_csum(p);
	for (uint32_t off = 0; left; off += most) {
		uint32_t n = MIN(left, most);
		struct pkt *f = v6 ? cut6(p, id, off, n) : cut4(p, hlen, off, n);

		if (!f) {
			snmp_ip(v6, IP_FragFails);
			local_send_drop(port, p, DROP_FRAG_NO_BUFFER);
			return;
		}
		snmp_ip(v6, IP_FragCreates);
		neigh_output(port, next, f);
		left -= n;
	}
	snmp_ip(v6, IP_FragOKs);
	pkt_free(p);
}
