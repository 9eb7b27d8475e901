/* SPDX-License-Identifier: MIT */
/*
 * drop.h - why a packet goes nowhere
 *
 * A packet that is not passed on is freed with exactly one of these, and each reason is given at
 * exactly one place in the source (tests/proofs/drops checks that). The texts are what `drops`
 * prints, and the last column is the knob that `top drops` names: a line to type, where words in
 * capitals stand for what net/drop_knob.c puts there,
 *	DEV	the port		BR	its switch
 *	N	the value in force	QDISC	its place, kind and options, as `tc` takes them
 * or, where nothing can be turned, "- " and a word why.
 */
#pragma once

/* a line a reason, and no line moves when another one comes */
/* clang-format off */
#define DROP_REASONS(X) \
	X(RX_ERROR, "rx_error", "the NIC marked the frame as damaged", "- the wire: cable, duplex, the other end") \
	X(RX_TOO_LONG, "rx_too_long", "the frame spans more buffers than a chain may have", "- beyond any MTU") \
	X(IRQ_BACKLOG, "irq_backlog", "no place behind a queue that is received in its interrupt", "policy DEV/* napi") \
	X(RX_STOPPED, "rx_stopped", "part of a frame when the queue was stopped", "- its beginning was lost with the ring") \
	X(PARSE_ETH, "parse_eth", "shorter than an Ethernet header", "- the sender made it so") \
	X(PARSE_VLAN, "parse_vlan", "VLAN tag does not fit the frame", "- the sender made it so") \
	X(PARSE_ARP, "parse_arp", "ARP packet does not fit the frame", "- the sender made it so") \
	X(PARSE_IPV4_IHL, "parse_ipv4_ihl", "IPv4 header length below 5 words", "- the sender made it so") \
	X(PARSE_IPV4, "parse_ipv4", "IPv4 header does not fit the frame", "- the sender made it so") \
	X(PARSE_IPV6, "parse_ipv6", "IPv6 header does not fit the frame", "- the sender made it so") \
	X(PARSE_IPV6_EXT, "parse_ipv6_ext", "IPv6 extension chain broken or too long", "- the sender made it so") \
	X(PARSE_TCP, "parse_tcp", "TCP header does not fit the frame", "- the sender made it so") \
	X(PARSE_UDP, "parse_udp", "UDP header does not fit the frame", "- the sender made it so") \
	X(PARSE_ICMP, "parse_icmp", "ICMP header does not fit the frame", "- the sender made it so") \
	X(BACKLOG_FULL, "backlog_full", "the backlog of the core that RPS chose is full", "sysctl net.core.netdev_max_backlog=N") \
	X(FILTER, "filter", "an ingress filter of tc said drop", "tc -s filter show dev DEV ingress") \
	X(NO_SWITCH, "no_switch", "the port belongs to no switch", "ovs-vsctl add-port BR DEV") \
	X(PORT_DOWN, "port_down", "the port it came in by is down", "ip link set DEV up") \
	X(RULE, "rule", "a rule said drop", "ovs-ofctl dump-flows BR") \
	X(NO_RULE, "no_rule", "no rule matched", "ovs-ofctl add-flow BR actions=normal") \
	X(SAME_PORT, "same_port", "it would leave by the port it came in by", "- both stations are behind one port") \
	X(NO_OUTPUT, "no_output", "no other port to send it to", "ovs-vsctl list-ports BR") \
	X(RESERVED_MAC, "reserved_mac", "link-local group address, a switch keeps these", "- IEEE 802.1Q wants it so [8.6.3]") \
	X(NO_COPY, "no_copy", "no buffer for a copy", "- pools are as large as at boot: `pool`") \
	X(TX_DOWN, "tx_down", "the port it should leave by is down or has no link", "ip link set DEV up") \
	X(TX_TOO_LONG, "tx_too_long", "longer than the MTU of the port it should leave by", "ip link set DEV mtu N") \
	X(NO_SEGMENT, "no_segment", "no buffer to cut it into segments", "- pools are as large as at boot: `pool`") \
	X(TX_RING_FULL, "tx_ring_full", "no free descriptor in the transmit ring", "ethtool -G DEV tx N") \
	X(TX_OFFLOAD, "tx_offload", "its headers do not fit what is asked of the NIC", "ethtool -K DEV tx off") \
	X(TX_STOPPED, "tx_stopped", "waited for another core when its port was stopped", "- it ends with the change") \
	X(QDISC_FULL, "qdisc_full", "the queueing discipline holds as many as it may", "tc qdisc change dev DEV QDISC") \
	X(QDISC_PURGED, "qdisc_purged", "waited in a queueing discipline that was taken away", "- it went with the discipline") \
	X(FQ_OVERLIMIT, "fq_overlimit", "of the longest queue, fq_codel holds as many as it may", "tc qdisc change dev DEV QDISC") \
	X(CODEL, "codel", "its queue has kept packets waiting for too long", "tc qdisc change dev DEV QDISC") \
	X(XCORE_FULL, "xcore_full", "the ring to the core that owns the queue is full", "balance on") \
	X(TAP_FULL, "tap_full", "the queue in front of the guest is full", "sysctl kernel.guest_min_slice_us=N") \
	X(TAP_CLOSED, "tap_closed", "no driver in the guest takes frames", "- the guest has to open its device") \
	X(TAP_PURGED, "tap_purged", "waited for the guest when its device changed", "- it ends with the change") \
	X(GUEST_FILTERED, "guest_filtered", "the guest's receive filter does not want it", "- the guest set its filter so") \
	X(GUEST_TOO_SMALL, "guest_too_small", "longer than the buffers of the guest", "ip link set DEV mtu N") \
	X(GUEST_MALFORMED, "guest_malformed", "what the guest sent is no frame", "- the driver in the guest") \
	X(GUEST_NO_BUFFER, "guest_no_buffer", "no buffer for what the guest sent", "- pools are as large as at boot: `pool`") \
	X(LOCAL_FULL, "local_full", "the queue in front of Weir's own protocols is full", "- 1000 packets a core") \
	X(LOCAL_OTHERHOST, "local_otherhost", "flooded to Weir, but for another station", "- as in any station behind a switch") \
	X(LOCAL_TYPE, "local_type", "Weir has no protocol of this Ethernet type", "- ARP, IPv4 and IPv6 it is") \
	X(LOCAL_NO_BUFFER, "local_no_buffer", "no buffer for a packet of Weir's own", "- pools are as large as at boot: `pool`") \
	X(ARP_BAD, "arp_bad", "ARP packet that makes no sense", "- the sender made it so") \
	X(NEIGH_FAILED, "neigh_failed", "nobody answers for the next station's address", "sysctl net.ipv4.neigh.default.mcast_solicit=N") \
	X(NEIGH_QUEUE_FULL, "neigh_queue_full", "too many wait for that station's address", "sysctl net.ipv4.neigh.default.unres_qlen=N") \
	X(NEIGH_TABLE_FULL, "neigh_table_full", "too many neighbours", "sysctl net.ipv4.neigh.default.gc_thresh3=N") \
	X(IPV4_BAD, "ipv4_bad", "IPv4 header with a wrong version or length", "- the sender made it so") \
	X(IPV4_CSUM, "ipv4_csum", "IPv4 header with a wrong checksum", "- the sender made it so") \
	X(IP_MARTIAN, "ip_martian", "from or to an address that no wire may carry", "- the sender made it so") \
	X(IP_NOT_OURS, "ip_not_ours", "not an address of Weir's, and it does not forward", "sysctl net.ipv4.ip_forward=N") \
	X(IP_NO_ROUTE, "ip_no_route", "no way to where it should be forwarded", "ip route show") \
	X(IP_UNROUTED, "ip_unrouted", "no way for a packet of Weir's own", "ip route show") \
	X(IP_TTL, "ip_ttl", "its time to live, or hop limit, is used up", "- routes that lead in a circle, if many") \
	X(IP_TOO_BIG, "ip_too_big", "longer than the next link's MTU, and not to be cut", "- the next link's MTU") \
	X(IP_PROTO, "ip_proto", "Weir has no protocol of this number", "- ICMP and UDP it is") \
	X(ICMP_BAD, "icmp_bad", "ICMP message cut short or with a wrong checksum", "- the sender made it so") \
	X(UDP_BAD, "udp_bad", "UDP datagram with a wrong length or checksum", "- the sender made it so") \
	X(UDP_NO_PORT, "udp_no_port", "nobody listens at that UDP port", "- ports 7 and 9 it is") \
	X(UDP_NO_BUFFER, "udp_no_buffer", "no buffer to cut it into the datagrams that it is", "- pools are as large as at boot: `pool`") \
	X(FRAG_NO_BUFFER, "frag_no_buffer", "no buffers for its fragments", "- pools are as large as at boot: `pool`") \
	X(FRAG_BAD, "frag_bad", "fragment with an impossible offset or length", "- the sender made it so") \
	X(FRAG_OVERLAP, "frag_overlap", "fragments that overlap", "- the sender made it so") \
	X(FRAG_TOO_MANY, "frag_too_many", "too many fragments of one packet", "- the sender made it so") \
	X(FRAG_FULL, "frag_full", "too many fragments wait for others", "sysctl net.ipv4.ipfrag_high_thresh=N") \
	X(FRAG_TIMEOUT, "frag_timeout", "fragments whose others did not come", "sysctl net.ipv4.ipfrag_time=N") \
	X(IPV6_BAD, "ipv6_bad", "IPv6 header with a wrong version or length", "- the sender made it so") \
	X(IPV6_MARTIAN, "ipv6_martian", "from or to an IPv6 address that no wire may carry", "- the sender made it so") \
	X(IPV6_EXT_BAD, "ipv6_ext_bad", "IPv6 extension header that is wrong or not to be accepted", "- the sender made it so") \
	X(ND_BAD, "nd_bad", "neighbour discovery message that must not be believed", "- the sender made it so")

/* what a NIC loses before it is a packet: the device's statistics that say so */
#define DEVICE_DROPS(X) \
	X("rx_missed_errors", "the NIC had no room for the frame", "ethtool -G DEV rx N") \
	X("rx_fifo_errors", "times that the NIC found no free descriptor", "ethtool -G DEV rx N") \
	X("rx_crc_errors", "the NIC threw a damaged frame away", "- the wire: cable, duplex, the other end") \
	X("tx_errors", "thrown away when a stalled transmitter was reset", "- `ip link`: is there somebody at the other end?")
/* clang-format on */

enum drop_reason {
#define X(id, name, text, knob) DROP_##id,
	DROP_REASONS(X)
#undef X
		DROP_N
};

enum {
#define X(name, text, knob) +1
	DEVICE_DROP_N = DEVICE_DROPS(X)
#undef X
};

struct drop_text {
	const char *name; /* as a counter is named */
	const char *text; /* for a person */
	const char *knob;
};

extern const struct drop_text drop_text[DROP_N];
extern const struct drop_text device_drop[DEVICE_DROP_N];
