/* SPDX-License-Identifier: MIT */
/*
 * addr.c - addresses to text and back. For commands and dumps, in the
 * control context. Owns nothing.
 */
#include "addr.h"

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mac_str(const uint8_t mac[6], char buf[MAC_STR])
{
	return snprintf(buf, MAC_STR, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
}

int ip4_str(uint32_t be, char buf[IP_STR])
{
	uint32_t ip = be32(be);

	return snprintf(buf, IP_STR, "%u.%u.%u.%u", (unsigned)(ip >> 24),
			(unsigned)(ip >> 16 & 255), (unsigned)(ip >> 8 & 255),
			(unsigned)(ip & 255));
}

/*
 * the longest run of at least two zero groups, the first of equal ones, is
 * written :: [RFC 5952 4.2]
 */
static unsigned longest_zeros(const uint8_t ip[16], unsigned *len)
{
	unsigned at = 8;

	*len = 1;
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && !load16(ip + 2 * (i + n)))
			n++;
		if (n > *len) {
			at = i;
			*len = n;
		}
	}
	return at;
}

int ip6_str(const uint8_t ip[16], char buf[IP_STR])
{
	int n = 0;
	unsigned len, at = longest_zeros(ip, &len);

	for (unsigned i = 0; i < 8; i++) {
		if (i == at) {
			n += snprintf(buf + n, IP_STR - n, "::");
			i += len - 1;
			continue;
		}
		n += snprintf(buf + n, IP_STR - n, "%s%x", i && i != at + len ? ":" : "",
			      be16(load16(ip + 2 * i)));
	}
	return n;
}

bool mac_read(const char *s, uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++) {
		char *end;
		unsigned long v = strtoul(s, &end, 16);

		if (end == s || end - s > 2 || *s == '+' || *s == '-' || *end != (i < 5 ? ':' : 0))
			return false;
		mac[i] = v;
		s = end + 1;
	}
	return true;
}

bool ip4_read(const char *s, uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		char *end;
		unsigned long v = strtoul(s, &end, 10);

		if (*s < '0' || *s > '9' || v > 255 || *end != (i < 3 ? '.' : 0))
			return false;
		ip[i] = v;
		s = end + 1;
	}
	return true;
}

/* Groups of hex digits by colons, one :: for as many zeros as are missing [RFC 4291 2.2]. */
bool ip6_read(const char *s, uint8_t ip[16])
{
	uint16_t group[8];
	int n = 0, gap = -1;

	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (*s) {
		char *end;
		unsigned long v = strtoul(s, &end, 16);

		if (n == 8 || end == s || end - s > 4 || *s == '+' || *s == '-')
			return false;
		group[n++] = v;
		s = end;
		if (s[0] == ':' && s[1] == ':' && gap < 0) {
			gap = n;
			s += 2;
		} else if (s[0] == ':' && s[1]) {
			s++;
		} else if (*s) {
			return false;
		}
	}
	if (gap < 0 ? n != 8 : n > 7)
		return false;
	memset(ip, 0, 16);
	for (int i = 0; i < n; i++) {
		int at = gap >= 0 && i >= gap ? 8 - n + i : i;

		ip[2 * at] = group[i] >> 8;
		ip[2 * at + 1] = group[i];
	}
	return true;
}
