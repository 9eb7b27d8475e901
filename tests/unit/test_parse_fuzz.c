/* SPDX-License-Identifier: MIT */
/* links: net/parse.c net/key.c net/text.c net/addr.c tests/unit/host.c */
/*
 * test_parse_fuzz.c - any bytes as a frame: parse() reads within it, and the shortcuts
 * build the key that it builds
 *
 *	build/unit/test_parse_fuzz [SEED [ROUNDS]]
 *
 * Frames of every kind are bent at random: bytes changed, cut off, repeated. The seed is fixed, so
 * every run is the same one; another seed and more rounds look elsewhere. Each frame lies in a
 * buffer of exactly its length, so that the address sanitizer sees a look behind its end.
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/drop.h"
#include "net/parse.h"

enum {
	FRAME_MAX = 256,
	BENDS_MAX = 4,
	RARE = 1000, /* each verdict comes at least once in so many frames */
};

static const uint64_t in_port = 7;

static unsigned long seed = 1, rounds = 200000;

#define MACS "020000000002 020000000001 "
#define IP4(total, fragment, proto) \
	"45 00 " total " 0000 " fragment " 40 " proto " 0000 0a000001 0a010002 "
#define IP6(total, next)       \
	"60000000 " total next \
	" 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
#define UDP  "03e8 0009 0010 0000 "
#define TCP  "1f90 01bb 00000000 00000000 5002 ffff 0000 0000 "
#define FILL "000102030405060708090a0b0c0d0e0f1011121314151617 "

static const char *const kinds[] = {
	MACS "0800" IP4("0034", "4000", "11") UDP FILL,
	MACS "0800" IP4("0040", "4000", "06") TCP FILL,
	MACS "0800 46 00 0044 0000 4000 40 06 0000 0a000001 0a010002 01010101" TCP FILL,
	MACS "0800" IP4("0034", "2000", "11") UDP FILL,
	MACS "0800" IP4("0034", "4000", "01") "0800 0000 00000000" FILL,
	MACS "8100 a064 0800" IP4("0034", "4000", "11") UDP FILL,
	MACS "88a8 0064 8100 0065 0800" IP4("0034", "4000", "11") UDP FILL,
	MACS "86dd" IP6("0020", "11") UDP FILL,
	MACS "86dd" IP6("002c", "06") TCP FILL,
	MACS "8100 a064 86dd" IP6("0020", "11") UDP FILL,
	MACS
	"86dd" IP6("0038", "00") "3c00 000000000000 2c00 000000000000 1100 0001 00000000" UDP FILL,
	MACS "86dd" IP6("0020", "3a") "8000 0000 00000000" FILL,
	MACS "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002" FILL,
	MACS "0026 424203" FILL FILL,
};

/* values that decide something when they stand in a header */
static const uint8_t telling[] = { 0,    1,    4,    5,    6,    8,    17,   20,   40,   44,
				   0x2b, 0x33, 0x3c, 0x45, 0x46, 0x60, 0x81, 0x86, 0xdd, 0xff };

/* what the run met: how often each verdict of parse(), and frames that a shortcut took */
static unsigned long met[PARSE_OK + 1], plain[4];

/* xorshift64*: the same numbers everywhere */
static unsigned below(unsigned n)
{
	static unsigned long x;

	if (!x)
		x = seed * 2 + 1;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return (x * 0x2545f4914f6cdd1dul >> 33) % n;
}

/* unhex() - text like "02 00 0800", blanks ignored, to bytes. Returns how many. */
static unsigned unhex(const char *s, uint8_t *to)
{
	unsigned n = 0;

	while (*s) {
		if (*s == ' ') {
			s++;
		} else {
			to[n++] = strtoul((char[]){ s[0], s[1], 0 }, NULL, 16);
			s += 2;
		}
	}
	return n;
}

/* bend() - spoil @frame of @len bytes somewhere. Returns its new length. */
static unsigned bend(uint8_t *frame, unsigned len)
{
	unsigned at = len ? below(len) : 0;

	switch (below(8)) {
	case 0: /* cut off */ return at;
	case 1: /* repeat the rest of it */
		if (2 * len - at > FRAME_MAX)
			return len;
		memcpy(frame + len, frame + at, len - at);
		return 2 * len - at;
	case 2: /* leave some bytes out */
		memmove(frame + at, frame + at + (len - at) / 2, len - at - (len - at) / 2);
		return len - (len - at) / 2;
	case 3: frame[at] ^= 1 << below(8); return len;
	case 4: frame[at] = below(256); return len;
	default: frame[at] = telling[below(sizeof(telling))]; return len;
	}
}

/* One frame, in memory of its own. */
static void check(const uint8_t *frame, unsigned len)
{
	struct pkt p = { .len = len, .frame_len = len, .nsegs = 1 };
	struct flow_key whole = { 0 };
	enum drop_reason why;

	p.data = malloc(len ? len : 1);
	memcpy(p.data, frame, len);
	why = parse(&p, 7, &whole);
	met[why]++;
	for (unsigned kind = 0; kind < 4; kind++) {
		uint64_t w[KEY_WORDS] = { 0 };
		unsigned tag = kind % 2 ? VLAN_TAG : 0;

		if (kind < 2 ? !plain_ipv4(p.data, len, &in_port, tag, w)
			     : !plain_ipv6(p.data, len, &in_port, tag, w))
			continue;
		if (((struct flow_key *)w)->dl_type != be16(kind < 2 ? ETH_P_IP : ETH_P_IPV6)) {
			assert_memory_not_equal(w, whole.w, sizeof(w)); /* nobody's */
			continue;
		}
		plain[kind]++;
		assert_int_equal(why, PARSE_OK);
		assert_memory_equal(w, whole.w, sizeof(w));
	}
	free(p.data);
}

static void bent_frames(void **state)
{
	uint8_t frame[FRAME_MAX];

	(void)state;
	for (unsigned long i = 0; i < rounds; i++) {
		unsigned len = unhex(kinds[below(ARRAY_SIZE(kinds))], frame);

		for (unsigned bends = below(BENDS_MAX + 1); bends; bends--)
			len = bend(frame, len);
		check(frame, len);
	}
}

static void noise(void **state)
{
	uint8_t frame[FRAME_MAX];

	(void)state;
	for (unsigned long i = 0; i < rounds / 10; i++) {
		unsigned len = below(FRAME_MAX + 1);

		for (unsigned j = 0; j < len; j++)
			frame[j] = below(256);
		check(frame, len);
	}
}

/*
 * Frames that all end at the first check would prove nothing: every verdict must
 * have been met, and often.
 */
static void nothing_was_left_out(void **state)
{
	static const enum drop_reason all[] = {
		DROP_PARSE_ETH,
		DROP_PARSE_VLAN,
		DROP_PARSE_ARP,
		DROP_PARSE_IPV4,
		DROP_PARSE_IPV4_IHL,
		DROP_PARSE_IPV6,
		DROP_PARSE_IPV6_EXT,
		DROP_PARSE_TCP,
		DROP_PARSE_UDP,
		DROP_PARSE_ICMP,
		PARSE_OK,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		if (met[all[i]] * RARE < rounds)
			fail_msg("of %lu frames only %lu were %s", rounds, met[all[i]],
				 all[i] == PARSE_OK ? "right" : drop_text[all[i]].name);
	}
	for (unsigned kind = 0; kind < 4; kind++)
		assert_true(plain[kind] > rounds / 50);
}

static int up(void **state)
{
	(void)state;
	host_cores(1);
	return 0;
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup(fn, up)
	const struct CMUnitTest tests[] = {
		TEST(bent_frames),
		TEST(noise),
		TEST(nothing_was_left_out),
	};

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		rounds = strtoul(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
