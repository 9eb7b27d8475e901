/* SPDX-License-Identifier: MIT */
/*
 * virtio_hdr.c - virtio-net's header and a packet's flags, one made of the other
 *
 * Called by tun_get.c and tun_put.c on the worker's core, and by vhost.c when
 * features are set. Owns nothing.
 */
#include "virtio_hdr.h"

#include "drivers/netdev.h"
#include "virtio_regs.h"

enum { TCP_DOFF = 12 }; /* where TCP's header has its length */

/* by enum pkt_gso: the header's gso_type, and the feature that a driver needs to send it */
static const struct {
	uint8_t type;
	uint64_t host;
} kinds[] = {
	[PKT_GSO_TCPV4] = { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_F_HOST_TSO4 },
	[PKT_GSO_TCPV6] = { VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_F_HOST_TSO6 },
	[PKT_GSO_UDP_L4] = { VIRTIO_NET_HDR_GSO_UDP_L4, VIRTIO_NET_F_HOST_USO },
};

/*
 * Without CSUM all is 0 [5.1.6.2.1]. Flags that are not known are to be ignored [5.1.6.2.2]; ECN
 * was not offered, so that is a type that is not known.
 */
bool virtio_hdr_allowed(const struct virtio_net_hdr *hdr, uint64_t features)
{
	if (!(features & VIRTIO_NET_F_CSUM))
		return !hdr->flags && !hdr->gso_type;
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (hdr->gso_type == kinds[i].type)
			return features & kinds[i].host && hdr->gso_size &&
			       hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	return false;
}

bool virtio_hdr_fits(const struct virtio_net_hdr *hdr, const struct gso_headers *h)
{
	return hdr->gso_type == kinds[h->type].type && hdr->csum_start == h->l4 &&
	       hdr->csum_offset == h->csum_field;
}

bool virtio_hdr_to_pkt(const struct virtio_net_hdr *hdr, struct pkt *p)
{
	uint32_t end = hdr->csum_start + hdr->csum_offset + sizeof(uint16_t);

	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	p->flags |= PKT_CSUM_PARTIAL;
	p->csum_start = hdr->csum_start;
	p->csum_offset = hdr->csum_offset;
	return hdr->csum_start >= ETH_HLEN && end <= p->len;
}

static uint16_t headers_of(const struct pkt *p)
{
	if (p->gso_type == PKT_GSO_UDP_L4)
		return p->csum_start + 8;
	return p->csum_start + (p->data[p->csum_start + TCP_DOFF] >> 4) * 4;
}

void virtio_hdr_from_pkt(struct virtio_net_hdr *hdr, const struct pkt *p, uint64_t features)
{
	*hdr = (struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_NONE };
	if (p->flags & PKT_CSUM_PARTIAL) {
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = p->csum_start;
		hdr->csum_offset = p->csum_offset;
	} else if (p->flags & PKT_CSUM_OK && features & VIRTIO_NET_F_GUEST_CSUM) {
		hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (p->flags & PKT_GSO) {
		hdr->gso_type = kinds[p->gso_type].type;
		hdr->gso_size = p->gso_size;
		hdr->hdr_len = headers_of(p);
	}
}

/* A long datagram may be of either IP version: whoever takes one takes both. */
uint32_t virtio_hdr_features(uint64_t features)
{
	const uint64_t uso = VIRTIO_NET_F_GUEST_USO4 | VIRTIO_NET_F_GUEST_USO6;
	uint32_t takes = 0;

	if (features & VIRTIO_NET_F_GUEST_CSUM)
		takes |= NETDEV_TX_CSUM | NETDEV_HW_CSUM;
	if (features & VIRTIO_NET_F_GUEST_TSO4)
		takes |= NETDEV_TSO4;
	if (features & VIRTIO_NET_F_GUEST_TSO6)
		takes |= NETDEV_TSO6;
	if ((features & uso) == uso)
		takes |= NETDEV_UDP_L4;
	return takes;
}
