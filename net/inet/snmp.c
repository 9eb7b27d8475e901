/* SPDX-License-Identifier: MIT */
/*
 * snmp.c - what Weir's own protocols count: /proc/net/snmp and /proc/net/snmp6
 *
 * Counted on any core, printed in the control context. Owns the counters. Columns that Linux has
 * and Weir has no use for (TCP's, ICMP messages that nobody sends any more) are there and 0, for
 * who reads by their place.
 */
#include "snmp.h"

#include "kernel/mem.h"
#include "kernel/shell.h"
#include "icmp.h"
#include "ipv4.h"

#include <stddef.h>
#include <stdio.h>

typedef unsigned long ul;

struct snmp_mib *snmp_of_cpu[MAX_CPUS];

/* the sum over all cores of one counter, told by its place */
static uint64_t sum(bool v6, size_t offset)
{
	uint64_t n = 0;

	cpu_for_each(c)
		n += *(uint64_t *)((char *)&snmp_of_cpu[c][v6] + offset);
	return n;
}

#define SUM(v6, member) ((ul)sum(v6, offsetof(struct snmp_mib, member)))

static void print_ip(struct shell *sh)
{
	static const enum snmp_ip column[] = {
		IP_InReceives,      IP_InHdrErrors, IP_InAddrErrors, IP_OutForwDatagrams,
		IP_InUnknownProtos, IP_InDiscards,  IP_InDelivers,   IP_OutRequests,
		IP_OutDiscards,     IP_OutNoRoutes, IP_ReasmTimeout, IP_ReasmReqds,
		IP_ReasmOKs,        IP_ReasmFails,  IP_FragOKs,      IP_FragFails,
		IP_FragCreates,
	};

	shell_printf(sh, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors "
			 "ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests "
			 "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails "
			 "FragOKs FragFails FragCreates\n");
	shell_printf(sh, "Ip: %u %u", ip_forward_on ? 1 : 2, ip_default_ttl);
	for (unsigned i = 0; i < ARRAY_SIZE(column); i++)
		shell_printf(sh, " %lu",
			     (ul)sum(false,
				     offsetof(struct snmp_mib, ip) + column[i] * sizeof(uint64_t)));
	shell_printf(sh, "\n");
}

/* the types that have a column; a 0xff is one that Weir never sees as what it once meant */
static const uint8_t icmp_columns[] = { 3, 11, 12, 4, 5, 8, 0, 13, 14, 17, 18 };

static void print_icmp(struct shell *sh)
{
	shell_printf(sh, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds "
			 "InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps "
			 "InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors "
			 "OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds "
			 "OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps "
			 "OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\n");
	shell_printf(sh, "Icmp: %lu %lu %lu", SUM(false, icmp[ICMP_InMsgs]),
		     SUM(false, icmp[ICMP_InErrors]), SUM(false, icmp[ICMP_InCsumErrors]));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		shell_printf(sh, " %lu",
			     (ul)sum(false, offsetof(struct snmp_mib, icmp_in) +
						    icmp_columns[i] * sizeof(uint64_t)));
	shell_printf(sh, " %lu %lu %lu %lu", SUM(false, icmp[ICMP_OutMsgs]),
		     SUM(false, icmp[ICMP_OutErrors]), SUM(false, icmp[ICMP_OutRateLimitGlobal]),
		     SUM(false, icmp[ICMP_OutRateLimitHost]));
	for (unsigned i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		shell_printf(sh, " %lu",
			     (ul)sum(false, offsetof(struct snmp_mib, icmp_out) +
						    icmp_columns[i] * sizeof(uint64_t)));
	shell_printf(sh, "\n");
}

static void print_udp(struct shell *sh)
{
	shell_printf(sh, "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
			 "InCsumErrors IgnoredMulti MemErrors\n");
	shell_printf(sh, "Udp: %lu %lu %lu %lu 0 0 %lu %lu 0\n", SUM(false, udp[UDP_InDatagrams]),
		     SUM(false, udp[UDP_NoPorts]), SUM(false, udp[UDP_InErrors]),
		     SUM(false, udp[UDP_OutDatagrams]), SUM(false, udp[UDP_InCsumErrors]),
		     SUM(false, udp[UDP_IgnoredMulti]));
}

static int show_snmp(struct shell *sh, const char *star)
{
	(void)star;
	print_ip(sh);
	print_icmp(sh);
	print_udp(sh);
	return 0;
}

PROC_FILE(proc_snmp, .path = "/proc/net/snmp", .help = "what IPv4, ICMP and UDP counted",
	  .show = show_snmp);

static void row6(struct shell *sh, const char *mib, const char *name, size_t offset)
{
	char label[40];

	snprintf(label, sizeof(label), "%s%s", mib, name);
	shell_printf(sh, "%-32s\t%lu\n", label, (ul)sum(true, offset));
}

static const char *const ip_names[] = {
#define X(name) #name,
	SNMP_IP_LIST(X)
};
static const char *const icmp_names[] = { SNMP_ICMP_LIST(X) };
static const char *const udp_names[] = { SNMP_UDP_LIST(X) };
#undef X

static void types6(struct shell *sh, const char *way, size_t offset)
{
	char name[24];

	for (unsigned type = 0; type < 256; type++) {
		size_t at = offset + type * sizeof(uint64_t);

		snprintf(name, sizeof(name), "%sType%u", way, type);
		if (sum(true, at))
			row6(sh, "Icmp6", name, at);
	}
}

static int show_snmp6(struct shell *sh, const char *star)
{
	(void)star;
	for (unsigned i = 0; i < SNMP_IP_N; i++)
		row6(sh, "Ip6", ip_names[i], offsetof(struct snmp_mib, ip) + i * sizeof(uint64_t));
	for (unsigned i = 0; i < SNMP_ICMP_N; i++)
		row6(sh, "Icmp6", icmp_names[i],
		     offsetof(struct snmp_mib, icmp) + i * sizeof(uint64_t));
	types6(sh, "In", offsetof(struct snmp_mib, icmp_in));
	types6(sh, "Out", offsetof(struct snmp_mib, icmp_out));
	for (unsigned i = 0; i < SNMP_UDP_N; i++)
		row6(sh, "Udp6", udp_names[i],
		     offsetof(struct snmp_mib, udp) + i * sizeof(uint64_t));
	return 0;
}

PROC_FILE(proc_snmp6, .path = "/proc/net/snmp6", .help = "what IPv6, ICMPv6 and UDP counted",
	  .show = show_snmp6);

void snmp_init(void)
{
	cpu_for_each(i)
		snmp_of_cpu[i] = mem_zalloc(2 * sizeof(struct snmp_mib), CACHE_LINE, "snmp");
}
