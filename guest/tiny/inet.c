/* SPDX-License-Identifier: MIT */
/*
 * inet.c - a host's protocols, as far as a test needs them [RFC 826, 791, 792, 768]
 *
 * In the main loop, from the drivers' polls. A reply goes out in the buffer
 * that the question came in.
 */
#include "inet.h"

#include "clock.h"
#include "cpu.h"
#include "lib.h"
#include "socket.h"
#include "virtio_net.h"

enum {
	ETH_P_IP = 0x0800,
	ETH_P_ARP = 0x0806,
	IPPROTO_ICMP = 1,
	IPPROTO_UDP = 17,
	IP_FRAGMENT = 0x3fff, /* more fragments, or not the first */
	IP_DF = 0x4000,
	ICMP_ECHOREPLY = 0,
	ICMP_ECHO = 8,
	ARPOP_REQUEST = 1,
	ARPOP_REPLY = 2,
	TTL = 64,
	NEIGHBOURS = 16,
	NEIGH_MS = 1000,
};

struct arphdr {
	uint16_t hrd, pro;
	uint8_t hln, pln;
	uint16_t op;
	uint8_t sha[6];
	uint32_t sip;
	uint8_t tha[6];
	uint32_t tip;
} __attribute__((packed));

struct icmphdr {
	uint8_t type, code;
	uint16_t check;
} __attribute__((packed));

struct neighbour {
	uint32_t ip;
	uint8_t mac[6];
};

enum rx_mode rx_mode;
const char *const rx_mode_names[3] = { "stack", "forward", "echo-l2" };
struct inet_stats inet_stats;

static struct neighbour neighbours[NEIGHBOURS];
static unsigned nneighbours; /* ever learnt; the oldest makes room */

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void drop(struct skb *skb)
{
	inet_stats.dropped++;
	skb_free(skb);
}

/* eth_turn() - back to where it came from, from us */
static void eth_turn(struct skb *skb)
{
	struct ethhdr *eth = (struct ethhdr *)skb->data;

	memcpy(eth->dest, eth->source, 6);
	memcpy(eth->source, skb->dev->mac, 6);
}

/* --- ARP --- */

static struct neighbour *neigh_find(uint32_t ip)
{
	for (unsigned i = 0; i < MIN(nneighbours, (unsigned)NEIGHBOURS); i++)
		if (neighbours[i].ip == ip)
			return &neighbours[i];
	return NULL;
}

static void neigh_update(uint32_t ip, const uint8_t mac[6])
{
	struct neighbour *n = neigh_find(ip);

	if (!n)
		n = &neighbours[nneighbours++ % NEIGHBOURS];
	n->ip = ip;
	memcpy(n->mac, mac, 6);
}

bool arp_send(struct net_device *dev, uint32_t ip)
{
	struct skb *skb = skb_alloc_frame(FRAME_MIN);
	struct ethhdr *eth;
	struct arphdr *arp;

	if (!skb)
		return false;
	memset(skb->data, 0, FRAME_MIN);
	eth = (struct ethhdr *)skb->data;
	arp = (struct arphdr *)(eth + 1);
	memcpy(eth->dest, broadcast, 6);
	memcpy(eth->source, dev->mac, 6);
	eth->proto = be16(ETH_P_ARP);
	arp->hrd = be16(1);
	arp->pro = be16(ETH_P_IP);
	arp->hln = 6;
	arp->pln = 4;
	arp->op = be16(ARPOP_REQUEST);
	memcpy(arp->sha, dev->mac, 6);
	arp->sip = be32(dev->ip);
	arp->tip = be32(ip ? ip : dev->ip);
	return dev_queue_xmit(dev, skb);
}

bool neigh_lookup(struct net_device *dev, uint32_t ip, uint8_t mac[6])
{
	if (!neigh_find(ip)) {
		arp_send(dev, ip);
		virtnet_flush();
		if (!wait_for(neigh_find(ip), NEIGH_MS))
			return false;
	}
	memcpy(mac, neigh_find(ip)->mac, 6);
	return true;
}

static void arp_rcv(struct skb *skb)
{
	struct arphdr *arp = (struct arphdr *)(skb->data + sizeof(struct ethhdr));
	struct net_device *dev = skb->dev;

	if (skb->len < sizeof(struct ethhdr) + sizeof(*arp) || arp->pro != be16(ETH_P_IP) ||
	    !dev->ip || arp->tip != be32(dev->ip)) {
		drop(skb);
		return;
	}
	inet_stats.arp++;
	neigh_update(be32(arp->sip), arp->sha);
	if (arp->op != be16(ARPOP_REQUEST)) {
		skb_free(skb);
		return;
	}
	arp->op = be16(ARPOP_REPLY);
	memcpy(arp->tha, arp->sha, 6);
	arp->tip = arp->sip;
	memcpy(arp->sha, dev->mac, 6);
	arp->sip = be32(dev->ip);
	eth_turn(skb);
	dev_queue_xmit(dev, skb);
}

/* --- IP --- */

/* sum() - of 16-bit words, an odd byte at the end filled up with 0 [RFC 1071] */
static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (; n > 1; n -= 2, p += 2)
		s += p[0] << 8 | p[1];
	return n ? s + (p[0] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return ~(s + (s >> 16));
}

/* an echo request becomes the reply: the checksum loses what the type loses [RFC 1624] */
static void icmp_rcv(struct skb *skb, struct iphdr *ip)
{
	struct icmphdr *icmp = (struct icmphdr *)(ip + 1);
	uint32_t check = be16(icmp->check) + (ICMP_ECHO << 8);
	uint32_t from = ip->saddr;

	if (be16(ip->tot_len) < IP_HLEN + sizeof(*icmp) || icmp->type != ICMP_ECHO) {
		drop(skb);
		return;
	}
	inet_stats.icmp++;
	icmp->type = ICMP_ECHOREPLY;
	icmp->check = be16((check & 0xffff) + (check >> 16));
	ip->saddr = ip->daddr;
	ip->daddr = from;
	eth_turn(skb);
	dev_queue_xmit(skb->dev, skb);
}

static void udp_rcv(struct skb *skb, struct iphdr *ip)
{
	struct udphdr *udp = (struct udphdr *)(ip + 1);
	unsigned len = be16(udp->len);
	struct sock *sk = udp_lookup(be16(udp->dest));

	if (!sk || len < UDP_HLEN || len + IP_HLEN > be16(ip->tot_len)) {
		drop(skb);
		return;
	}
	inet_stats.udp++;
	sk->sk_data_ready(sk, skb, ip, udp);
}

static void ip_rcv(struct skb *skb)
{
	struct iphdr *ip = (struct iphdr *)(skb->data + sizeof(struct ethhdr));
	const struct net_device *dev = skb->dev;
	uint32_t to = be32(ip->daddr);
	bool ours = to == dev->ip || to == (dev->ip | ~dev->netmask) || to == UINT32_MAX;

	/* our own headers fit into the first buffer; options and fragments are not for us */
	if (skb->len < HEADERS || ip->version_ihl != 0x45 || ip->frag_off & be16(IP_FRAGMENT) ||
	    be16(ip->tot_len) < IP_HLEN || be16(ip->tot_len) > skb->frame_len - ETH_HLEN ||
	    !dev->ip || !ours || fold(sum((uint8_t *)ip, IP_HLEN, 0)))
		drop(skb);
	else if (ip->protocol == IPPROTO_UDP)
		udp_rcv(skb, ip);
	else if (ip->protocol == IPPROTO_ICMP && to == dev->ip)
		icmp_rcv(skb, ip);
	else
		drop(skb);
}

/*
 * udp_check() - over pseudo header, header and payload, which may lie in
 * several buffers of even length
 */
static uint16_t udp_check(const struct skb *skb, const struct iphdr *ip, const struct udphdr *udp)
{
	uint32_t s = sum((const uint8_t *)&ip->saddr, 8, IPPROTO_UDP + be16(udp->len));
	unsigned front = ETH_HLEN + IP_HLEN, left = be16(udp->len);

	for (; skb; skb = skb->frag, front = 0) {
		unsigned n = MIN(left, skb->len - front);

		s = sum(skb->data + front, n, s);
		left -= n;
	}
	s = fold(s);
	return s ? s : 0xffff;
}

void udp_header(struct skb *skb, struct net_device *dev, const uint8_t mac[6], uint32_t to,
		uint16_t source, uint16_t dest)
{
	struct ethhdr *eth = (struct ethhdr *)skb->data;
	struct iphdr *ip = (struct iphdr *)(eth + 1);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	memcpy(eth->dest, mac, 6);
	memcpy(eth->source, dev->mac, 6);
	eth->proto = be16(ETH_P_IP);
	*ip = (struct iphdr){
		.version_ihl = 0x45,
		.tot_len = be16(skb->frame_len - ETH_HLEN),
		.frag_off = be16(IP_DF),
		.ttl = TTL,
		.protocol = IPPROTO_UDP,
		.saddr = be32(dev->ip),
		.daddr = be32(to),
	};
	ip->check = be16(fold(sum((const uint8_t *)ip, IP_HLEN, 0)));
	*udp = (struct udphdr){
		.source = be16(source),
		.dest = be16(dest),
		.len = be16(skb->frame_len - ETH_HLEN - IP_HLEN),
	};
	udp->check = be16(udp_check(skb, ip, udp));
}

/* --- the door --- */

static void forward(struct skb *skb)
{
	unsigned out = skb->dev == &nic[0] ? 1 : 0;

	if (out >= nnics) {
		drop(skb);
		return;
	}
	inet_stats.forwarded++;
	dev_queue_xmit(&nic[out], skb);
}

static void echo_l2(struct skb *skb)
{
	struct ethhdr *eth = (struct ethhdr *)skb->data;
	uint8_t from[6];

	memcpy(from, eth->source, 6);
	memcpy(eth->source, eth->dest, 6);
	memcpy(eth->dest, from, 6);
	inet_stats.echoed++;
	dev_queue_xmit(skb->dev, skb);
}

static void netif_receive_stack(struct skb *skb)
{
	switch (be16(((struct ethhdr *)skb->data)->proto)) {
	case ETH_P_ARP: arp_rcv(skb); break;
	case ETH_P_IP: ip_rcv(skb); break;
	default: drop(skb);
	}
}

void netif_receive_skb(struct skb *skb)
{
	switch (rx_mode) {
	case MODE_STACK: netif_receive_stack(skb); break;
	case MODE_FORWARD: forward(skb); break;
	case MODE_ECHO_L2: echo_l2(skb); break;
	}
}
