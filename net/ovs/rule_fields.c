/* SPDX-License-Identifier: MIT */
/*
 * rule_fields.c - what ovs-ofctl can match, as tables; rule_fields.h says how
 * they are read. Owns nothing.
 */
#include "rule_fields.h"

#include "net/wire.h"

const struct field fields[FIELDS] = {
#define AT(member) offsetof(struct flow_key, member)
	{ "in_port", FORM_PORT, AT(in_port), NEED_NOTHING },
	{ "dl_vlan", FORM_VLAN, AT(vlan_tci), NEED_NOTHING },
	{ "dl_src", FORM_MAC, AT(dl_src), NEED_NOTHING },
	{ "dl_dst", FORM_MAC, AT(dl_dst), NEED_NOTHING },
	{ "dl_type", FORM_BE16, AT(dl_type), NEED_NOTHING },
	{ "nw_proto", FORM_U8, AT(nw_proto), NEED_IP },
	{ "nw_src", FORM_IP4, AT(ip4.src), NEED_IP4 },
	{ "nw_dst", FORM_IP4, AT(ip4.dst), NEED_IP4 },
	{ "arp_op", FORM_U8, AT(nw_proto), NEED_ARP },
	{ "arp_spa", FORM_IP4, AT(ip4.src), NEED_ARP },
	{ "arp_tpa", FORM_IP4, AT(ip4.dst), NEED_ARP },
	{ "ipv6_src", FORM_IP6, AT(ip6.src), NEED_IP6 },
	{ "ipv6_dst", FORM_IP6, AT(ip6.dst), NEED_IP6 },
	{ "tp_src", FORM_BE16, AT(tp_src), NEED_PORTS },
	{ "tp_dst", FORM_BE16, AT(tp_dst), NEED_PORTS },
	{ "icmp_type", FORM_BE16, AT(tp_src), NEED_ICMP },
	{ "icmp_code", FORM_BE16, AT(tp_dst), NEED_ICMP },
#undef AT
};

const char *const need_text[] = {
	[NEED_IP4] = "ip or arp beside it",
	[NEED_ARP] = "arp beside it",
	[NEED_IP6] = "ipv6 beside it",
	[NEED_IP] = "ip, ipv6 or arp beside it",
	[NEED_PORTS] = "tcp, udp, tcp6 or udp6 beside it",
	[NEED_ICMP] = "icmp or icmp6 beside it",
};

const struct shorthand shorthands[SHORTHANDS] = {
	{ "tcp", ETH_P_IP, PROTO_TCP },    { "udp", ETH_P_IP, PROTO_UDP },
	{ "icmp", ETH_P_IP, PROTO_ICMP },  { "tcp6", ETH_P_IPV6, PROTO_TCP },
	{ "udp6", ETH_P_IPV6, PROTO_UDP }, { "icmp6", ETH_P_IPV6, PROTO_ICMPV6 },
	{ "arp", ETH_P_ARP, 0 },           { "ip", ETH_P_IP, 0 },
	{ "ipv6", ETH_P_IPV6, 0 },
};

const struct plain_action plain_actions[PLAIN_ACTIONS] = {
	{ "NORMAL", RULE_NORMAL },
	{ "FLOOD", RULE_FLOOD },
	{ "ALL", RULE_ALL },
	{ "IN_PORT", RULE_IN_PORT },
};

bool is_met(const struct rule_match *m, enum need need)
{
	unsigned type = m->mask.dl_type ? be16(m->value.dl_type) : 0;
	unsigned proto = m->mask.nw_proto ? m->value.nw_proto : 0;
	bool ip = type == ETH_P_IP, ip6 = type == ETH_P_IPV6, arp = type == ETH_P_ARP;

	switch (need) {
	case NEED_IP4: return ip || arp;
	case NEED_ARP: return arp;
	case NEED_IP6: return ip6;
	case NEED_IP: return ip || ip6 || arp;
	/* as in Open vSwitch, ICMP's type and code may be called ports as well */
	case NEED_PORTS:
		if ((ip || ip6) && (proto == PROTO_TCP || proto == PROTO_UDP))
			return true;
		__attribute__((fallthrough));
	case NEED_ICMP: return (ip && proto == PROTO_ICMP) || (ip6 && proto == PROTO_ICMPV6);
	default: return true;
	}
}
