/* SPDX-License-Identifier: MIT */
/*
 * snmp.h - what Weir's own protocols count, by the names of the MIBs [RFC 4293, RFC 4113]
 *
 * One value a core, summed by who prints: /proc/net/snmp and /proc/net/snmp6 in Linux's columns.
 */
#pragma once

#include <stdint.h>

#include "kernel/cpu.h"

/* one family's; IPv4 and IPv6 count the same things */
/* clang-format off */
#define SNMP_IP_LIST(X)                                                                             \
	X(InReceives) X(InHdrErrors) X(InTooBigErrors) X(InNoRoutes) X(InAddrErrors)                \
	X(InUnknownProtos) X(InDiscards) X(InDelivers) X(OutForwDatagrams) X(OutRequests)           \
	X(OutDiscards) X(OutNoRoutes) X(ReasmTimeout) X(ReasmReqds) X(ReasmOKs) X(ReasmFails)       \
	X(FragOKs) X(FragFails) X(FragCreates)

#define SNMP_ICMP_LIST(X)                                                                           \
	X(InMsgs) X(InErrors) X(InCsumErrors) X(OutMsgs) X(OutErrors) X(OutRateLimitGlobal)         \
	X(OutRateLimitHost)

#define SNMP_UDP_LIST(X)                                                                            \
	X(InDatagrams) X(NoPorts) X(InErrors) X(OutDatagrams) X(InCsumErrors) X(IgnoredMulti)
/* clang-format on */

enum snmp_ip {
#define X(name) IP_##name,
	SNMP_IP_LIST(X)
#undef X
		SNMP_IP_N
};

enum snmp_icmp {
#define X(name) ICMP_##name,
	SNMP_ICMP_LIST(X)
#undef X
		SNMP_ICMP_N
};

enum snmp_udp {
#define X(name) UDP_##name,
	SNMP_UDP_LIST(X)
#undef X
		SNMP_UDP_N
};

struct snmp_mib {
	uint64_t ip[SNMP_IP_N];
	uint64_t icmp[SNMP_ICMP_N];
	uint64_t icmp_in[256], icmp_out[256]; /* by type */
	uint64_t udp[SNMP_UDP_N];
};

extern struct snmp_mib *snmp_of_cpu[MAX_CPUS]; /* [0] IPv4, [1] IPv6 */

static inline struct snmp_mib *snmp(bool v6)
{
	return &snmp_of_cpu[this_cpu()->id][v6];
}

static inline void snmp_ip(bool v6, enum snmp_ip what)
{
	snmp(v6)->ip[what]++;
}

static inline void snmp_icmp(bool v6, enum snmp_icmp what)
{
	snmp(v6)->icmp[what]++;
}

static inline void snmp_udp(bool v6, enum snmp_udp what)
{
	snmp(v6)->udp[what]++;
}

void snmp_init(void);
