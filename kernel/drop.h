/* SPDX-License-Identifier: MIT */
/*
 * drop.h - why a packet goes nowhere
 *
 * A packet that is not passed on is freed with exactly one of these, and each reason is given at exactly one
 * place in the source (tests/proofs/drops checks that). The texts are what `drops` prints.
 */
#pragma once

/* a line a reason, and no line moves when another one comes */
/* clang-format off */
#define DROP_REASONS(X) \
	X(RX_ERROR, "rx_error", "the NIC marked the frame as damaged") \
	X(RX_TOO_LONG, "rx_too_long", "the frame spans more buffers than a chain may have") \
	X(IRQ_BACKLOG, "irq_backlog", "no place behind a queue that is received in its interrupt") \
	X(RX_STOPPED, "rx_stopped", "part of a frame when the queue was stopped") \
	X(PARSE_ETH, "parse_eth", "shorter than an Ethernet header") \
	X(PARSE_VLAN, "parse_vlan", "VLAN tag does not fit the frame") \
	X(PARSE_ARP, "parse_arp", "ARP packet does not fit the frame") \
	X(PARSE_IPV4_IHL, "parse_ipv4_ihl", "IPv4 header length below 5 words") \
	X(PARSE_IPV4, "parse_ipv4", "IPv4 header does not fit the frame") \
	X(PARSE_IPV6, "parse_ipv6", "IPv6 header does not fit the frame") \
	X(PARSE_IPV6_EXT, "parse_ipv6_ext", "IPv6 extension chain broken or too long") \
	X(PARSE_TCP, "parse_tcp", "TCP header does not fit the frame") \
	X(PARSE_UDP, "parse_udp", "UDP header does not fit the frame") \
	X(PARSE_ICMP, "parse_icmp", "ICMP header does not fit the frame") \
	X(BACKLOG_FULL, "backlog_full", "the backlog of the core that RPS chose is full") \
	X(FILTER, "filter", "an ingress filter of tc said drop") \
	X(NO_SWITCH, "no_switch", "the port belongs to no switch") \
	X(PORT_DOWN, "port_down", "the port it came in by is down") \
	X(RULE, "rule", "a rule said drop") \
	X(NO_RULE, "no_rule", "no rule matched") \
	X(SAME_PORT, "same_port", "it would leave by the port it came in by") \
	X(NO_OUTPUT, "no_output", "no other port to send it to") \
	X(RESERVED_MAC, "reserved_mac", "link-local group address, a switch keeps these") \
	X(NO_COPY, "no_copy", "no buffer for a copy") \
	X(TX_DOWN, "tx_down", "the port it should leave by is down or has no link") \
	X(TX_TOO_LONG, "tx_too_long", "longer than the MTU of the port it should leave by") \
	X(NO_SEGMENT, "no_segment", "no buffer to cut it into segments") \
	X(TX_RING_FULL, "tx_ring_full", "no free descriptor in the transmit ring") \
	X(TX_OFFLOAD, "tx_offload", "its headers do not fit what is asked of the NIC") \
	X(TX_STOPPED, "tx_stopped", "waited for another core when its port was stopped") \
	X(QDISC_FULL, "qdisc_full", "the queueing discipline holds as many as it may") \
	X(QDISC_PURGED, "qdisc_purged", "waited in a queueing discipline that was taken away") \
	X(FQ_OVERLIMIT, "fq_overlimit", "of the longest queue, fq_codel holds as many as it may") \
	X(CODEL, "codel", "its queue has kept packets waiting for too long") \
	X(XCORE_FULL, "xcore_full", "the ring to the core that owns the queue is full") \
	X(TAP_FULL, "tap_full", "the queue in front of the guest is full") \
	X(TAP_CLOSED, "tap_closed", "no driver in the guest takes frames") \
	X(TAP_PURGED, "tap_purged", "waited for the guest when its device changed") \
	X(GUEST_FILTERED, "guest_filtered", "the guest's receive filter does not want it") \
	X(GUEST_TOO_SMALL, "guest_too_small", "longer than the buffers of the guest") \
	X(GUEST_MALFORMED, "guest_malformed", "what the guest sent is no frame") \
	X(GUEST_NO_BUFFER, "guest_no_buffer", "no buffer for what the guest sent") \
	X(LOCAL_FULL, "local_full", "the queue in front of Weir's own protocols is full") \
	X(LOCAL_OTHERHOST, "local_otherhost", "flooded to Weir, but for another station") \
	X(LOCAL_TYPE, "local_type", "Weir has no protocol of this Ethernet type") \
	X(LOCAL_NO_BUFFER, "local_no_buffer", "no buffer for a packet of Weir's own") \
	X(ARP_BAD, "arp_bad", "ARP packet that makes no sense") \
	X(NEIGH_FAILED, "neigh_failed", "nobody answers for the next station's address") \
	X(NEIGH_QUEUE_FULL, "neigh_queue_full", "too many wait for that station's address") \
	X(NEIGH_TABLE_FULL, "neigh_table_full", "too many neighbours") \
	X(IPV4_BAD, "ipv4_bad", "IPv4 header with a wrong version or length") \
	X(IPV4_CSUM, "ipv4_csum", "IPv4 header with a wrong checksum") \
	X(IP_MARTIAN, "ip_martian", "from or to an address that no wire may carry") \
	X(IP_NOT_OURS, "ip_not_ours", "not an address of Weir's, and it does not forward") \
	X(IP_NO_ROUTE, "ip_no_route", "no way to where it should be forwarded") \
	X(IP_UNROUTED, "ip_unrouted", "no way for a packet of Weir's own") \
	X(IP_TTL, "ip_ttl", "its time to live, or hop limit, is used up") \
	X(IP_TOO_BIG, "ip_too_big", "longer than the next link's MTU, and not to be cut") \
	X(IP_PROTO, "ip_proto", "Weir has no protocol of this number") \
	X(ICMP_BAD, "icmp_bad", "ICMP message cut short or with a wrong checksum") \
	X(UDP_BAD, "udp_bad", "UDP datagram with a wrong length or checksum") \
	X(UDP_NO_PORT, "udp_no_port", "nobody listens at that UDP port") \
	X(FRAG_NO_BUFFER, "frag_no_buffer", "no buffers for its fragments")  \
	X(FRAG_BAD, "frag_bad", "fragment with an impossible offset or length")  \
	X(FRAG_OVERLAP, "frag_overlap", "fragments that overlap")  \
	X(FRAG_TOO_MANY, "frag_too_many", "too many fragments of one packet")  \
	X(FRAG_FULL, "frag_full", "too many fragments wait for others") \
	X(FRAG_TIMEOUT, "frag_timeout", "fragments whose others did not come") \
	X(IPV6_BAD, "ipv6_bad", "IPv6 header with a wrong version or length") \
	X(IPV6_MARTIAN, "ipv6_martian", "from or to an IPv6 address that no wire may carry") \
	X(IPV6_EXT_BAD, "ipv6_ext_bad", "IPv6 extension header that is wrong or not to be accepted") \
	X(ND_BAD, "nd_bad", "neighbour discovery message that must not be believed")

enum drop_reason {
#define X(id, name, text) DROP_##id,
	DROP_REASONS(X)
#undef X
		DROP_N
};

struct drop_text {
	const char *name; /* as a counter is named */
	const char *text; /* for a person */
};

extern const struct drop_text drop_text[DROP_N];
