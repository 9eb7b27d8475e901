/* SPDX-License-Identifier: MIT */
/* key.c - a flow key in the words of ovs-dpctl. For dumps, in the control context. */
#include "key.h"

#include "addr.h"
#include "text.h"
#include "wire.h"

static const char *frag_str(const struct flow_key *key)
{
	if (key->flags & KEY_FRAG_LATER)
		return "later";
	return key->flags & KEY_FRAG_FIRST ? "first" : "no";
}

static void add_l4(struct text *t, const struct flow_key *key)
{
	bool six = key->flags & KEY_LONG;
	unsigned src = be16(key->tp_src), dst = be16(key->tp_dst);

	if (key->flags & KEY_FRAG_LATER)
		return;
	if (key->nw_proto == PROTO_TCP)
		text_add(t, ",tcp(src=%u,dst=%u)", src, dst);
	else if (key->nw_proto == PROTO_UDP)
		text_add(t, ",udp(src=%u,dst=%u)", src, dst);
	else if (key->nw_proto == (six ? PROTO_ICMPV6 : PROTO_ICMP))
		text_add(t, ",icmp%s(type=%u,code=%u)", six ? "v6" : "", src, dst);
}

static void add_l3(struct text *t, const struct flow_key *key)
{
	char src[IP_STR], dst[IP_STR];

	if (key->flags & KEY_LONG) {
		ip6_str(key->ip6.src, src);
		ip6_str(key->ip6.dst, dst);
		text_add(t, ",ipv6(src=%s,dst=%s,proto=%u,frag=%s)", src, dst, key->nw_proto,
			 frag_str(key));
		add_l4(t, key);
		return;
	}
	ip4_str(key->ip4.src, src);
	ip4_str(key->ip4.dst, dst);
	if (key->dl_type == be16(ETH_P_ARP)) {
		text_add(t, ",arp(sip=%s,tip=%s,op=%u)", src, dst, key->nw_proto);
	} else if (key->dl_type == be16(ETH_P_IP)) {
		text_add(t, ",ipv4(src=%s,dst=%s,proto=%u,frag=%s)", src, dst, key->nw_proto,
			 frag_str(key));
		add_l4(t, key);
	}
}

unsigned key_str(const struct flow_key *key, char *buf, unsigned size)
{
	struct text t = { buf, size, 0 };
	char src[MAC_STR], dst[MAC_STR];
	bool tagged = key->flags & KEY_VLAN;

	mac_str(key->dl_src, src);
	mac_str(key->dl_dst, dst);
	text_add(&t, "recirc_id(0),in_port(%u),eth(src=%s,dst=%s)", key->in_port, src, dst);
	if (tagged)
		text_add(&t, ",eth_type(0x8100),vlan(vid=%u,pcp=%u),encap(",
			 key->vlan_tci & VLAN_VID, key->vlan_tci >> 13);
	text_add(&t, "%seth_type(0x%04x)", tagged ? "" : ",", be16(key->dl_type));
	add_l3(&t, key);
	if (tagged)
		text_add(&t, ")");
	return t.n;
}
