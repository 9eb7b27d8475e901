/* SPDX-License-Identifier: MIT */
/* links: kernel/hostlink.c tests/unit/host.c */
/*
 * test_hostlink.c - the channel to the host: what is asked, asked again,
 * given up, and what is refused
 *
 * The device is two buffers. The host at its other end answers whole frames, and damages or
 * forgets what a test says.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/bits.h"
#include "kernel/hostlink.h"

enum { ROOM = 64 * 1024, HEAD = sizeof(struct hostlink_head) };

static struct {
	uint8_t in[ROOM], out[ROOM]; /* from Weir, to Weir */
	unsigned nin, nout, taken;
	unsigned requests, done; /* frames that came; of these, not the one before once more */
	struct hostlink_head last;
	/* how the next answers fare */
	unsigned forgotten, damaged, no;
	bool deaf, babbles;
	unsigned reads; /* while it babbles */
	const char *answer;
	unsigned answer_len;
	char body[ROOM]; /* of the request that was done last */
	unsigned body_len;
} host;

/* the checksum once more, bit by bit */
static uint32_t crc32(uint32_t v, const void *bytes, unsigned n)
{
	const uint8_t *p = bytes;

	while (n--) {
		v ^= *p++;
		for (unsigned bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
	}
	return v;
}

static uint32_t crc_of(const struct hostlink_head *h, const void *body)
{
	return ~crc32(crc32(~0u, h, offsetof(struct hostlink_head, crc)), body, h->len);
}

static void say(const void *bytes, unsigned n)
{
	assert_true(host.nout + n <= ROOM);
	memcpy(host.out + host.nout, bytes, n);
	host.nout += n;
}

static void reply(const struct hostlink_head *to)
{
	struct hostlink_head h = *to;

	h.status = host.no > 0;
	h.len = host.answer_len;
	h.crc = crc_of(&h, host.answer);
	if (host.damaged) {
		host.damaged--;
		h.crc ^= 1;
	}
	say(&h, sizeof(h));
	say(host.answer, host.answer_len);
}

static void take_request(void)
{
	struct hostlink_head h;

	memcpy(&h, host.in, HEAD);
	assert_int_equal(h.magic, HOSTLINK_MAGIC);
	assert_int_equal(h.crc, crc_of(&h, host.in + HEAD));
	host.requests++;
	if (h.seq != host.last.seq || host.requests == 1) {
		host.done++;
		host.last = h;
		host.body_len = h.len;
		memcpy(host.body, host.in + HEAD, h.len);
	}
	host.nin = 0;
	if (host.forgotten)
		host.forgotten--;
	else
		reply(&h);
}

static unsigned device_write(const uint8_t *buf, unsigned n)
{
	struct hostlink_head h;

	n = n < 16 ? n : 16;
	memcpy(host.in + host.nin, buf, n);
	host.nin += n;
	memcpy(&h, host.in, HEAD);
	if (!host.deaf && host.nin >= HEAD && host.nin == HEAD + h.len)
		take_request();
	if (host.deaf)
		host.nin = 0;
	return n;
}

static unsigned device_read(uint8_t *buf, unsigned n)
{
	unsigned left = host.nout - host.taken;

	if (host.babbles) {
		memset(buf, '?', n);
		assert_true(++host.reads < 1000 * 1000);
		return n;
	}
	n = n < left ? n : left;
	n = n < 3 ? n : 3; /* it comes in pieces */
	memcpy(buf, host.out + host.taken, n);
	host.taken += n;
	return n;
}

static const struct hostlink_ops device = { .write = device_write, .read = device_read };

static int up(void **state)
{
	(void)state;
	host_cores(1);
	host_tsc_step = 10000; /* so that waiting ends */
	memset(&host, 0, sizeof(host));
	host.answer = "";
	hostlink_attach(&device);
	return 0;
}

static void answers(const char *s)
{
	host.answer = s;
	host.answer_len = strlen(s);
}

static void without_a_device_there_is_no_host(void **state)
{
	char buf[8];

	(void)state;
	hostlink_attach(NULL);
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), -ENODEV);
	assert_string_equal(hostlink_reason(), "this machine has no second serial port");
}

static void a_request_is_answered(void **state)
{
	char buf[16];

	(void)state;
	answers("12345678");
	assert_int_equal(hostlink_compile("udp port 53", buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "12345678", 8);
	assert_int_equal(host.last.type, HOSTLINK_COMPILE);
	assert_int_equal(host.body_len, 11);
	assert_memory_equal(host.body, "udp port 53", 11);
}

static void the_hosts_no_is_its_sentence(void **state)
{
	char buf[16];

	(void)state;
	answers("syntax error");
	host.no = 1;
	assert_int_equal(hostlink_compile("udp udp", buf, sizeof(buf)), -EPROTO);
	assert_string_equal(hostlink_reason(), "syntax error");
	assert_int_equal(host.requests, 1); /* a no is an answer */
}

static void nobody_at_the_other_end_is_given_up(void **state)
{
	char buf[8];

	(void)state;
	host.deaf = true;
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), -ETIMEDOUT);
	assert_string_equal(hostlink_reason(),
			    "nobody answers at the other end of the second serial port");
	assert_true(host_tsc < UINT64_C(10) * 1000 * HOST_TSC_KHZ);
}

static void what_is_lost_is_asked_again_but_not_done_again(void **state)
{
	char buf[8];

	(void)state;
	answers("abc");
	host.forgotten = 2;
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), 3);
	assert_int_equal(host.requests, 3);
	assert_int_equal(host.done, 1);
	host.forgotten = 3;
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), -ETIMEDOUT);
}

static void what_arrives_damaged_is_asked_again(void **state)
{
	char buf[8];

	(void)state;
	answers("abc");
	host.damaged = 1;
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), 3);
	assert_int_equal(host.requests, 2);
	host.damaged = 3;
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), -EIO);
	assert_string_equal(hostlink_reason(), "what the host answers arrives damaged");
}

static void rubbish_and_late_answers_are_passed_over(void **state)
{
	struct hostlink_head late = { .magic = HOSTLINK_MAGIC, .type = HOSTLINK_COMPILE, .len = 2 };
	char buf[8];

	(void)state;
	answers("abc");
	hostlink_compile("arp", buf, sizeof(buf));
	late.seq = host.last.seq;
	late.crc = crc_of(&late, "xy");
	say("WLWLnrubbish", 12);
	say(&late, sizeof(late));
	say("xy", 2);
	assert_int_equal(hostlink_compile("ip", buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "abc", 3);
}

/* such a host is not waited for till the end of its days */
static void a_host_that_never_stops_is_given_up(void **state)
{
	(void)state;
	host.deaf = host.babbles = true;
	assert_int_equal(hostlink_create("a"), -EIO);
	assert_non_null(strstr(hostlink_reason(), "damaged"));
}

static void an_answer_is_never_longer_than_there_is_room(void **state)
{
	char buf[4];

	(void)state;
	answers("abcde");
	assert_int_equal(hostlink_compile("arp", buf, sizeof(buf)), -EMSGSIZE);
}

static void a_file_is_written_in_pieces(void **state)
{
	static uint8_t bytes[2 * HOSTLINK_CHUNK + 100];
	uint32_t handle = 7;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	host.answer = (const char *)&handle;
	host.answer_len = sizeof(handle);
	assert_int_equal(hostlink_create("cap.pcapng"), 7);
	assert_memory_equal(host.body, "cap.pcapng", 10);
	answers("");
	assert_int_equal(hostlink_write(7, bytes, sizeof(bytes)), 0);
	assert_int_equal(host.done, 4);
	assert_int_equal(host.body_len, 4 + 100);
	assert_memory_equal(host.body, &handle, 4);
	assert_int_equal(hostlink_close(7), 0);
	assert_int_equal(host.last.type, HOSTLINK_CLOSE);
}

static void names_that_could_lead_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = { "",   ".",   "..",   ".x",      "a/b",
					   "/a", "a b", "a\\b", "\xc3\xa4" };
	char longest[HOSTLINK_NAME + 1];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(hostlink_create(bad[i]), -EINVAL);
	memset(longest, 'a', HOSTLINK_NAME);
	longest[HOSTLINK_NAME] = 0;
	assert_int_equal(hostlink_create(longest), -EINVAL);
	assert_int_equal(host.requests, 0);
	longest[HOSTLINK_NAME - 1] = 0;
	answers("1234");
	assert_true(hostlink_create(longest) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, up)
	const struct CMUnitTest tests[] = {
		TEST(without_a_device_there_is_no_host),
		TEST(a_request_is_answered),
		TEST(the_hosts_no_is_its_sentence),
		TEST(nobody_at_the_other_end_is_given_up),
		TEST(what_is_lost_is_asked_again_but_not_done_again),
		TEST(what_arrives_damaged_is_asked_again),
		TEST(rubbish_and_late_answers_are_passed_over),
		TEST(a_host_that_never_stops_is_given_up),
		TEST(an_answer_is_never_longer_than_there_is_room),
		TEST(a_file_is_written_in_pieces),
		TEST(names_that_could_lead_elsewhere_are_refused),
	};

	return cmocka_run_group_tests_name("hostlink", tests, NULL, NULL);
}
