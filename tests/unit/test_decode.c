/* SPDX-License-Identifier: MIT */
/* links: net/observe/decode.c net/observe/decode_ip.c net/observe/decode_l4.c net/observe/decode_icmp.c net/observe/decode_tcp.c net/addr.c net/text.c tests/unit/host.c */
/*
 * test_decode.c - frames as text: word for word what the host's tcpdump says of them, and
 * no look behind their end
 *
 * Each frame is written into a capture that tcpdump reads; its lines and ours must be equal, for
 * all options. Then frames are bent at random, in buffers of exactly their length, for the address
 * sanitizer.
 */
#include "tests/unit/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/observe/decode.h"

enum { FRAME = 512, ROUNDS = 60000 };

#define MACS "020000000002 020000000001 "
#define IP4(total, flags, proto, sum) \
	"4500 " total " 1234 " flags " 40" proto " " sum " 0a000001 0a000002 "
#define IP6(length, next)       \
	"60000000 " length next \
	"40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
#define UDP8        "04d2 270f 0010 0000 0001020304050607 "
#define ERROR_ABOUT IP4("0024", "0000", "11", "0000") "04d2 270f 0010 0000 "

/* one connection in its course, then one of everything */
static const char *const frames[] = {
	MACS
	"0800" IP4("003c", "4000", "06", "1474") "9c40 2328 00001000 00000000 a002 faf0 0000 0000 "
						 "020405b4 0402080a 0000000a 00000000 01030307",
	"020000000001 020000000002 0800 4500 003c 0000 4000 4006 0000 0a000002 0a000001"
	"2328 9c40 00800000 00001001 a012 fe88 0000 0000 020405b4 0402080a 00000014 0000000a "
	"01030307",
	MACS "0800" IP4("0034", "4000", "06", "0000") "9c40 2328 00001001 00800001 8010 01f6 0000 "
						      "0000 0101080a 0000000a 00000014",
	MACS
	"0800" IP4("003c", "4000", "06", "0000") "9c40 2328 00001001 00800001 8018 01f6 0000 0000 "
						 "0101080a 0000000b 00000014 6162636465666768",
	"020000000001 020000000002 0800 4500 0040 0000 4000 4006 0000 0a000002 0a000001"
	"2328 9c40 00800001 00001001 b010 01f6 0000 0000 0101 050a 00001002 00001009 0101080a "
	"00000014 0000000b",
	MACS
	"0800" IP4("0028", "4000", "06", "0000") "9c40 2328 00001009 00800001 5011 01f6 0000 0000",
	MACS "0800" IP4("0028", "4000", "06",
			"0000") "9c40 2328 00001009 00000000 5004 0000 0000 0000 000000000000",
	MACS
	"0800" IP4("0028", "4000", "06", "0000") "9c41 2328 00001009 00000000 50c2 0000 0000 0000",
	MACS
	"0800" IP4("0028", "4000", "06", "0000") "9c41 2328 00001009 00000000 5000 0000 0000 0000",
	MACS
	"0800" IP4("0028", "4000", "06", "0000") "9c41 2328 00001009 00000001 5030 0010 0000 0007",
	MACS "0800" IP4("0024", "4000", "11", "0000") UDP8,
	MACS "0800 4502 0024 1234 0000 4011 0000 0a000001 0a000002" UDP8,
	MACS "0800 4503 0024 1234 0000 4011 0000 0a000001 0a000002" UDP8,
	MACS "0800" IP4("0024", "2000", "11", "0000") UDP8,
	MACS "0800" IP4("0024", "0010", "11", "0000") UDP8,
	MACS "0800" IP4("0024", "2010", "06", "0000") UDP8,
	MACS "0800" IP4("0024", "0000", "11", "0000") "04d2 270f 0007 0000 0001020304050607",
	MACS "0800" IP4("001c", "0000", "01", "0000") "0800 f7fd 0001 0001",
	MACS "0800" IP4("001c", "0000", "01", "0000") "0000 1234 0001 0001",
	MACS "0800" IP4("0038", "0000", "01", "0000") "0300 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0301 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0302 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0303 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0304 0000 0000 0578 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0304 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "030a 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "030d 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0b00 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("0038", "0000", "01", "0000") "0b01 0000 0000 0000 " ERROR_ABOUT,
	MACS "0800" IP4("05dc", "0000", "11", "0000") UDP8,
	MACS "0800" IP4("000a", "0000", "11", "0000") UDP8,
	MACS "0800 4400 0024 1234 0000 4011 0000 0a000001 0a000002" UDP8,
	MACS "0800 0500 0024 1234 0000 4011 0000 0a000001 0a000002" UDP8,
	MACS "0800 6500 0024 1234 0000 4011 0000 0a000001 0a000002" UDP8,
	MACS "86dd" IP6("0010", "11") "04d2 270f 0010 0e2d 0001020304050607",
	MACS "86dd 61212345 0010 1140 fd000000000000000000000000000001 "
	     "fd000000000000000000000000000002" UDP8,
	MACS "86dd" IP6("0014", "06") "9c40 2328 00001000 00000000 5002 faf0 0000 0000",
	MACS "86dd" IP6("0008", "3a") "8000 0000 0001 0002",
	MACS "86dd" IP6("0008", "3a") "8100 0000 0001 0002",
	MACS
	"86dd" IP6("0020",
		   "3a") "8700 0000 00000000 fd000000000000000000000000000002 0101 020000000001",
	MACS
	"86dd" IP6("0020",
		   "3a") "8800 0000 60000000 fd000000000000000000000000000002 0201 020000000002",
	MACS "86dd" IP6("0018", "3a") "8800 0000 00000000 fd000000000000000000000000000002",
	MACS "86dd" IP6("0018", "11") "04d2 270f 0010 0000",
	MACS "86dd" IP6("0010", "2c") "1100 0001 00000007 04d2 270f 0010 0000",
	MACS "86dd" IP6("0010", "2c") "1100 0051 00000007 0001020304050607",
	MACS "86dd 50000000 0010 1140 fd000000000000000000000000000001 "
	     "fd000000000000000000000000000002" UDP8,
	MACS "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002",
	MACS "0806 0001 0800 0604 0001 020000000001 0a000001 020000000002 0a000002 0000",
	MACS "0806 0001 0800 0604 0002 020000000001 0a000001 020000000002 0a000002",
	MACS "8100 6005 0800" IP4("0024", "4000", "11", "0000") UDP8,
	MACS "8100 1005 0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002",
	MACS "88a8 0007 8100 0005 86dd" IP6("0008", "3a") "8000 0000 0001 0002",
	MACS "88b5 000102030405060708090a0b0c0d0e0f 101112131415161718 7e7f80",
};

/* --- the oracle --- */

static char capture[48];

static int write_capture(void **state)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1 };
	int fd;

	(void)state;
	snprintf(capture, sizeof(capture), "/tmp/weir-decode-%d.pcap", getpid());
	fd = open(capture, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		uint8_t bytes[FRAME];
		uint32_t n = host_hex(frames[i], bytes), record[4] = { i, 0, n, n };

		assert_int_equal(write(fd, record, sizeof(record)), sizeof(record));
		assert_int_equal(write(fd, bytes, n), n);
	}
	close(fd);
	return 0;
}

static int remove_capture(void **state)
{
	(void)state;
	return unlink(capture);
}

/* theirs() - what tcpdump prints with @options, to be freed. */
static char *theirs(const char *options)
{
	char command[128], *text = calloc(1, HOST_TEXT);
	FILE *pipe;

	snprintf(command, sizeof(command), "tcpdump -t -n %s -r %s 2>/dev/null", options, capture);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_true(fread(text, 1, HOST_TEXT - 1, pipe) > 0);
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static char *ours(const struct decode *how)
{
	struct decode *d = malloc(sizeof(*d));
	struct text t = { malloc(HOST_TEXT), HOST_TEXT, 0 };

	*d = *how;
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		uint8_t bytes[FRAME];
		uint32_t n = host_hex(frames[i], bytes);

		decode(d, &t, bytes, n, n);
		text_add(&t, "\n");
	}
	free(d);
	return t.buf;
}

static void compare(const char *options, struct decode how)
{
	char *expected = theirs(options), *seen = ours(&how), *at, *line, *e = expected;

	for (line = strtok_r(seen, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		size_t n = strcspn(e, "\n");

		if (strncmp(line, e, n) || line[n])
			fail_msg("with %s: expected\n%.*s\nsaw\n%s", options, (int)n, e, line);
		e += n + 1;
	}
	assert_int_equal(*e, 0);
	free(expected);
	free(seen);
}

static void says_what_tcpdump_says(void **state)
{
	(void)state;
	compare("", (struct decode){ 0 });
	compare("-e", (struct decode){ .link = true });
	compare("-S", (struct decode){ .absolute = true });
}

static void says_more_with_v_as_tcpdump_does(void **state)
{
	(void)state;
	compare("-v", (struct decode){ .verbose = 1 });
	compare("-vv", (struct decode){ .verbose = 2 });
	compare("-ev", (struct decode){ .link = true, .verbose = 1 });
}

/* --- any bytes --- */

static void looks_at_no_byte_that_is_not_there(void **state)
{
	struct decode *d = calloc(1, sizeof(*d));
	char *text = malloc(DECODE_TEXT);
	unsigned longest = 0;

	(void)state;
	srand(1);
	for (unsigned n = 0; n < ROUNDS; n++) {
		struct text t = { text, DECODE_TEXT, 0 };
		uint8_t bytes[FRAME], *exact;
		uint32_t len = host_hex(frames[rand() % ARRAY_SIZE(frames)], bytes);
		uint32_t caplen = rand() % 2 ? len : (uint32_t)rand() % (len + 1);

		for (unsigned b = rand() % 4; b; b--)
			bytes[rand() % len] = rand();
		exact = malloc(caplen);
		memcpy(exact, bytes, caplen);
		d->link = n & 1;
		d->verbose = n / 2 % 3;
		decode(d, &t, exact, caplen, len);
		free(exact);
		longest = t.n > longest ? t.n : longest;
	}
	assert_true(longest > 200 && longest < DECODE_TEXT);
	free(text);
	free(d);
}

/*
 * each would be one more deep in the stack, and nobody but an attacker
 * sends an error about an error
 */
static void an_error_about_errors_about_errors_is_not_followed(void **state)
{
	enum { ERRORS = 300, EACH = 28 };
	static uint8_t frame[14 + ERRORS * EACH];
	static struct decode d = { .verbose = 1 };
	static char text[1 << 16];
	struct text t = { text, sizeof(text), 0 };
	unsigned quotes = 0;

	(void)state;
	host_hex(MACS "0800", frame);
	for (unsigned i = 0; i < ERRORS; i++) {
		unsigned left = (ERRORS - i) * EACH;

		host_hex(IP4("0000", "0000", "01", "0000") "0300 0000 0000 0000",
			 frame + 14 + i * EACH);
		frame[14 + i * EACH + 2] = left >> 8;
		frame[14 + i * EACH + 3] = left & 255;
	}
	decode(&d, &t, frame, sizeof(frame), sizeof(frame));
	for (const char *s = text; (s = strstr(s, "net 10.0.0.2 unreachable")); s++)
		quotes++;
	assert_int_equal(quotes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_tcpdump_says, write_capture,
						remove_capture),
		cmocka_unit_test_setup_teardown(says_more_with_v_as_tcpdump_does, write_capture,
						remove_capture),
		cmocka_unit_test(an_error_about_errors_about_errors_is_not_followed),
		cmocka_unit_test(looks_at_no_byte_that_is_not_there),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
