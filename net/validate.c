/* SPDX-License-Identifier: MIT */
/*
 * validate.c - packets that are not plain, on their way into a stage
 *
 * validate_and_stage() is called by xmit_stage() on the core that switched
 * the packet. Owns nothing.
 */
#include "validate.h"

#include "kernel/counter.h"
#include "kernel/path.h"
#include "csum.h"
#include "gso.h"
#include "wire.h"
#include "xmit.h"

enum { TCP_FLAGS = 13, TCP_FIN = BIT(0) };

COUNTER(gso_packets, "net.gso_packets", "long packets that were cut in software");
COUNTER(gso_segments, "net.gso_segments", "segments that they became");
COUNTER(csum_completed, "net.csum_completed", "checksums that were finished in software");

/*
 * push_tag() - the tag that stands aside goes where a frame has it, behind the
 * addresses [IEEE 802.1Q 9.3].
 */
static void push_tag(struct pkt *p)
{
	uint8_t addresses[2 * ETH_ALEN];

	memcpy(addresses, p->data, sizeof(addresses));
	p->data -= VLAN_TAG;
	p->len += VLAN_TAG;
	p->frame_len += VLAN_TAG;
	p->csum_start += VLAN_TAG;
	p->flags &= ~PKT_VLAN;
	memcpy(p->data, addresses, sizeof(addresses));
	store16(p->data + sizeof(addresses), be16(ETH_P_VLAN));
	store16(p->data + sizeof(addresses) + 2, be16(p->vlan_tci));
}

static bool is_fin(const struct pkt *p)
{
	return p->gso_type != PKT_GSO_UDP_L4 && p->data[p->csum_start + TCP_FLAGS] & TCP_FIN;
}

static bool takes_gso(uint32_t features, const struct pkt *p)
{
	static const uint32_t needs[] = {
		[PKT_GSO_TCPV4] = NETDEV_TSO4,
		[PKT_GSO_TCPV6] = NETDEV_TSO6,
		[PKT_GSO_UDP_L4] = NETDEV_UDP_L4,
	};

	if (!(p->flags & PKT_GSO))
		return true;
	/*
	 * a guest does not cut; chips count the identification up, and QEMU's take FIN from
	 * the last segment as well
	 */
	if (!(features & NETDEV_HW_CSUM) && (p->flags & PKT_GSO_FIXEDID || is_fin(p)))
		return false;
	return features & needs[p->gso_type];
}

/*
 * ends_with_ip() - nothing stands behind the IP packet: QEMU's chips sum padding's
 * length into the pseudo header.
 */
static bool ends_with_ip(const struct pkt *p, const struct gso_headers *h)
{
	const uint8_t *ip = p->data + h->l3;
	uint32_t len = ip[0] >> 4 == 4 ? be16(load16(ip + 2)) : IPV6_HLEN + be16(load16(ip + 4));

	return h->l3 + len == p->frame_len;
}

/* takes_csum() - chips know TCP and UDP behind one IP header, and no other sum than theirs. */
static bool takes_csum(uint32_t features, const struct pkt *p)
{
	struct gso_headers h;

	if (!(p->flags & PKT_CSUM_PARTIAL) || features & NETDEV_HW_CSUM)
		return true;
	return features & NETDEV_TX_CSUM && gso_headers(p->data, p->len, &h) &&
	       h.l4 == p->csum_start && h.csum_field == p->csum_offset &&
	       (p->flags & PKT_GSO || ends_with_ip(p, &h));
}

static bool takes_tag(uint32_t features, const struct pkt *p)
{
	return !(p->flags & PKT_VLAN) || features & NETDEV_TX_VLAN;
}

bool validate_takes(uint32_t features, const struct pkt *p)
{
	return takes_tag(features, p) && takes_gso(features, p) && takes_csum(features, p);
}

/*
 * longest_part() - bytes of the longest frame that @p is cut into. What cannot be cut
 * though it should is too long.
 */
static uint32_t longest_part(const struct pkt *p, struct gso_headers *h)
{
	if (!(p->flags & PKT_GSO))
		return p->frame_len;
	return gso_headers(p->data, p->len, h) ? h->len + (uint32_t)p->gso_size : UINT32_MAX;
}

static void finish_csum(const struct stage *s, struct pkt *p)
{
	if (takes_csum(s->port->features, p))
		return;
	counter_inc(&csum_completed);
	csum_complete(p);
}

/*
 * Segments are many: what was staged before goes first, then they go by themselves, so that the
 * rest of the batch finds the stage as empty as it may count on. The one that came is offered once,
 * however often its parts are.
 */
static void stage_segments(struct stage *s, struct pkt *p, const struct gso_headers *h)
{
	struct gso g;
	unsigned n = 0;

	xmit_flush_stage(s, trace_recording());
	gso_begin(&g, p, h);
	while ((p = gso_next(&g))) {
		finish_csum(s, p);
		xmit_append(s, p, p->frame);
		n++;
		if (s->n == PORT_BATCH)
			xmit_flush_stage(s, trace_recording());
	}
	xmit_flush_stage(s, trace_recording());
	if (g.rest) {
		s->count->offered++;
		n++;
		port_drop_out(s->port, g.rest, DROP_NO_SEGMENT);
	}
	counter_inc(&gso_packets);
	counter_add(&gso_segments, g.done);
	s->count->offered -= n - 1;
	s->count->segments += n - 1;
}

void validate_and_stage(struct stage *s, struct pkt *p)
{
	uint32_t features = s->port->features;
	struct gso_headers h;

	path_mark(p, PATH_SEND);
	if (!takes_tag(features, p))
		push_tag(p);
	if (longest_part(p, &h) > s->longest) {
		xmit_too_long(s, p);
		return;
	}
	if (!takes_gso(features, p)) {
		stage_segments(s, p, &h);
		return;
	}
	finish_csum(s, p);
	xmit_append(s, p, p->frame);
}
