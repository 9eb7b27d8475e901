/* SPDX-License-Identifier: MIT */
/* links: net/observe/pcapng.c net/text.c kernel/path.c kernel/drop.c tests/unit/host.c */
/*
 * test_pcapng.c - captures byte by byte [draft-ietf-opsawg-pcapng 3 and 4], and within
 * the room that is promised
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/observe/pcapng.h"

static uint8_t bytes[4096];
static struct pcapng to;

static int up(void **state)
{
	(void)state;
	memset(bytes, 0xee, sizeof(bytes));
	to = (struct pcapng){ bytes, sizeof(bytes), 0 };
	return 0;
}

static uint32_t word(unsigned at)
{
	uint32_t v;

	memcpy(&v, bytes + at, sizeof(v));
	return v;
}

/* a block of @type that is all there is; its length stands at both ends */
static void one_block(uint32_t type)
{
	assert_int_equal(word(0), type);
	assert_int_equal(to.n % 4, 0);
	assert_int_equal(word(4), to.n);
	assert_int_equal(word(to.n - 4), to.n);
	assert_int_equal(bytes[to.n], 0xee);
	assert_true(to.n <= PCAPNG_BLOCK_MAX);
}

/*
 * option() - the value of option @code among those from byte @at on; NULL if there
 * is none. *@n: its length.
 */
static const uint8_t *option(unsigned at, unsigned code, unsigned *n)
{
	for (;;) {
		unsigned is = word(at) & 0xffff, len = word(at) >> 16;

		assert_true(at + 4 + len <= to.n);
		if (is == 0)
			return NULL;
		if (is == code) {
			*n = len;
			return bytes + at + 4;
		}
		at += 4 + (len + 3) / 4 * 4;
	}
}

static void option_is(unsigned at, unsigned code, const void *value, unsigned len)
{
	unsigned n = 0;
	const uint8_t *v = option(at, code, &n);

	assert_non_null(v);
	assert_int_equal(n, len);
	assert_memory_equal(v, value, len);
}

static struct tap_record *record(unsigned caplen)
{
	struct tap_record *r = calloc(1, sizeof(*r) + caplen);

	*r = (struct tap_record){ .caplen = caplen,
				  .len = 1500,
				  .port = 1,
				  .where = TAP_IN,
				  .queue = 3,
				  .ns = UINT64_C(0x123456789abcdef0),
				  .id = 42 };
	for (unsigned i = 0; i < caplen; i++)
		r->frame[i] = i;
	return r;
}

static const uint8_t mac[6] = { 0, 1, 2, 3, 4, 5 };

static void a_section_says_our_byte_order(void **state)
{
	(void)state;
	pcapng_section(&to);
	one_block(0x0a0d0d0a);
	assert_int_equal(word(8), 0x1a2b3c4d);
	assert_int_equal(word(12), 1); /* version 1.0 */
	assert_int_equal(word(16), UINT32_MAX);
	assert_int_equal(word(20), UINT32_MAX);
	option_is(24, 3, "Weir", 4);
}

static void an_interface_has_name_address_nanoseconds_and_filter(void **state)
{
	unsigned n;

	(void)state;
	pcapng_interface(&to, "nic0", mac, 96, "udp port 53");
	one_block(1);
	assert_int_equal(word(8), 1); /* Ethernet */
	assert_int_equal(word(12), 96);
	option_is(16, 2, "nic0", 4);
	option_is(16, 6, mac, 6);
	option_is(16, 9, "\x09", 1);
	option_is(16, 11, "\0udp port 53", 12);
	up(NULL);
	pcapng_interface(&to, "nowhere", NULL, 96, NULL);
	one_block(1);
	assert_null(option(16, 6, &n));
	assert_null(option(16, 11, &n));
}

static void the_longest_filter_fits(void **state)
{
	char *filter = malloc(600);

	(void)state;
	memset(filter, 'x', 599);
	filter[599] = 0;
	pcapng_interface(&to, "a-name-of-15-ch", mac, 96, filter);
	one_block(1);
	free(filter);
}

static void a_stamped_one_says_when_it_came_by_where(void **state)
{
	static struct path_stamp s;
	struct tap_record *r = record(8);
	const char *all = "stamped 7: hard_irq at 0.000001000 s on core 1, poll +1.500 us, "
			  "handle_rx +1003.000 us on core 3";
	unsigned n;

	(void)state;
	host_cores(1);
	host_tsc = 5000000;
	s = (struct path_stamp){ .number = 7, .tsc = { [PATH_HARD_IRQ] = 1000 }, .cpu = { 1, 1 } };
	s.tsc[PATH_POLL] = 2500;
	s.tsc[PATH_WORKER] = 1004000;
	s.cpu[PATH_WORKER] = 3;
	r->row = (struct path_row){ &s, 7 };
	pcapng_packet(&to, r, 0, mac);
	one_block(6);
	option_is(36, 1, all, strlen(all));
	s.number = 8; /* another packet has the row by now */
	up(NULL);
	pcapng_packet(&to, r, 0, mac);
	one_block(6);
	assert_null(option(36, 1, &n));
	free(r);
}

static bool holds(const char *text)
{
	for (unsigned i = 0; i + strlen(text) <= to.n; i++)
		if (!memcmp(bytes + i, text, strlen(text)))
			return true;
	return false;
}

static void the_longest_comment_fits(void **state)
{
	static struct path_stamp s;
	struct tap_record *r = record(8);
	unsigned n;

	(void)state;
	host_cores(1);
	host_tsc = UINT64_C(1) << 60;
	s.number = UINT32_MAX;
	for (unsigned i = 0; i < PATH_N; i++) {
		s.tsc[i] = 1 + i * (UINT64_C(1) << 40);
		s.cpu[i] = 10 + i;
	}
	r->where = TAP_DROP_IN;
	r->row = (struct path_row){ &s, UINT32_MAX };
	pcapng_packet(&to, r, 0, mac);
	one_block(6);
	assert_non_null(option(36, 1, &n));   /* why it was dropped */
	assert_true(holds(" us on core 22")); /* the last of the other comment */
	free(r);
}

static void a_packet_has_its_stamp_lengths_bytes_and_whereabouts(void **state)
{
	uint32_t in_unicast = 1 | 1 << 2, queue = 3;
	uint64_t id = 42;
	unsigned n;

	(void)state;
	for (unsigned caplen = 6; caplen <= 9; caplen++) {
		struct tap_record *r = record(caplen);
		unsigned options = 28 + (caplen + 3) / 4 * 4;

		up(NULL);
		pcapng_packet(&to, r, 5, mac);
		one_block(6);
		assert_int_equal(word(8), 5);
		assert_int_equal(word(12), 0x12345678);
		assert_int_equal(word(16), 0x9abcdef0);
		assert_int_equal(word(20), caplen);
		assert_int_equal(word(24), 1500);
		assert_memory_equal(bytes + 28, r->frame, caplen);
		option_is(options, 2, &in_unicast, 4);
		option_is(options, 5, &id, 8);
		option_is(options, 6, &queue, 4);
		assert_null(option(options, 1, &n));
		free(r);
	}
}

static uint32_t flags_of(struct tap_record *r)
{
	unsigned n = 0;
	uint32_t flags;

	up(NULL);
	pcapng_packet(&to, r, 0, mac);
	memcpy(&flags, option(28 + (r->caplen + 3) / 4 * 4, 2, &n), 4);
	return flags;
}

static void flags_say_direction_and_for_whom(void **state)
{
	struct tap_record *r = record(8);

	(void)state;
	r->frame[5] = 99; /* another station's */
	assert_int_equal(flags_of(r), 1 | 4 << 2);
	r->frame[0] = 1;
	assert_int_equal(flags_of(r), 1 | 2 << 2);
	memset(r->frame, 0xff, 6);
	assert_int_equal(flags_of(r), 1 | 3 << 2);
	r->where = TAP_OUT;
	assert_int_equal(flags_of(r), 2);
	r->caplen = 4;
	r->where = TAP_IN;
	assert_int_equal(flags_of(r), 1);
	free(r);
}

static void what_was_dropped_says_why(void **state)
{
	struct tap_record *r = record(8);

	(void)state;
	r->where = TAP_DROP_IN;
	r->drop = DROP_NO_RULE;
	pcapng_packet(&to, r, 0, mac);
	option_is(36, 1, "dropped: no_rule", 16);
	free(r);
}

static void the_end_has_its_sums(void **state)
{
	const struct tap_stats stats = { .received = 100, .dropped = 7 };
	const uint32_t began[2] = { 1, 2 };

	(void)state;
	pcapng_statistics(&to, 0, UINT64_C(1) << 32 | 2, UINT64_C(3) << 32 | 4, &stats);
	one_block(5);
	assert_int_equal(word(12), 3);
	assert_int_equal(word(16), 4);
	option_is(20, 2, began, 8);
	option_is(20, 6, &stats.received, 8);
	option_is(20, 7, &stats.dropped, 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, up)
	const struct CMUnitTest tests[] = {
		TEST(a_section_says_our_byte_order),
		TEST(an_interface_has_name_address_nanoseconds_and_filter),
		TEST(the_longest_filter_fits),
		TEST(a_stamped_one_says_when_it_came_by_where),
		TEST(the_longest_comment_fits),
		TEST(a_packet_has_its_stamp_lengths_bytes_and_whereabouts),
		TEST(flags_say_direction_and_for_whom),
		TEST(what_was_dropped_says_why),
		TEST(the_end_has_its_sums),
	};

	return cmocka_run_group_tests_name("pcapng", tests, NULL, NULL);
}
