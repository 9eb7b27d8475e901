/* SPDX-License-Identifier: MIT */
/* links: path net/observe/tcpdump.c net/observe/tcpdump_words.c net/bpf_text.c net/observe/pcapng.c kernel/path.c net/observe/decode.c net/observe/decode_ip.c */
/* links: net/observe/decode_l4.c net/observe/decode_icmp.c net/observe/decode_tcp.c net/addr.c net/text.c kernel/words.c kernel/names.c kernel/shell.c kernel/capture.c */
/*
 * test_tcpdump.c - the command as a whole: packets of any length as lines and as a file on the host
 *
 * The host at the other end is played here, and so is the wire: while tcpdump sleeps, packets pass.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/archive.h"
#include "kernel/hostlink.h"
#include "net/taps.h"
#include "tests/unit/fake_net.h"

enum { FILE_MAX = 1 << 20 };

/* --- the host --- */

static struct {
	uint8_t bytes[FILE_MAX];
	size_t n;
	unsigned open;
	bool full; /* its disk */
} host;

int hostlink_create(const char *name)
{
	(void)name;
	host.open++;
	host.n = 0;
	return 5;
}

int hostlink_write(int handle, const void *buf, size_t n)
{
	assert_int_equal(handle, 5);
	if (host.full)
		return -EPROTO;
	assert_true(host.n + n <= FILE_MAX);
	memcpy(host.bytes + host.n, buf, n);
	host.n += n;
	return 0;
}

int hostlink_close(int handle)
{
	assert_int_equal(handle, 5);
	host.open--;
	return 0;
}

int hostlink_compile(const char *expr, void *buf, size_t size)
{
	(void)expr, (void)buf, (void)size;
	return -ENODEV;
}

const char *hostlink_reason(void)
{
	return "its disk is full";
}

int archive_file(const char *name, const void **data, size_t *len)
{
	(void)name, (void)data, (void)len;
	return -ENOENT;
}

const char *archive_reason(void)
{
	return "no archive";
}

/* --- the wire --- */

static struct pkt *passing[2]; /* one behind the other; NULL: none */
static unsigned times;

bool console_interrupted(void)
{
	return false;
}

void msleep(unsigned ms)
{
	(void)ms;
	if (!times)
		fail_msg("tcpdump waits for more packets than pass");
	times--;
	for (unsigned i = 0; i < ARRAY_SIZE(passing) && passing[i]; i++)
		taps_rx(ports[1], &passing[i], 1);
}

/* packet() - a chain of @nsegs whole buffers, all bytes of the last 0x77. */
static struct pkt *packet(unsigned nsegs)
{
	static uint8_t bytes[PKT_BUF_SIZE];
	struct pkt *first = NULL, **link = &first;

	memset(bytes, 0x77, sizeof(bytes));
	for (unsigned i = 0; i < nsegs; i++) {
		*link = frame_raw(bytes, sizeof(bytes));
		link = &(*link)->next;
	}
	first->frame_len = nsegs * sizeof(bytes);
	first->nsegs = nsegs;
	first->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

static int up(void **state)
{
	(void)state;
	net_up(1, 2);
	memset(&host, 0, sizeof(host));
	host_tsc_step = 1;
	host_text_clear();
	return 0;
}

static int down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(passing); i++)
		if (passing[i])
			pkt_free(passing[i]);
	net_down();
	return 0;
}

/* what tcpdump makes of @n times a packet of @first buffers and one of @second, if that is not 0 */
static int run(const char *line, unsigned first, unsigned second, unsigned n)
{
	passing[0] = packet(first);
	passing[1] = second ? packet(second) : NULL;
	times = n;
	return host_exec(line);
}

static void the_longest_packets_go_into_the_file_whole(void **state)
{
	(void)state;
	/* seven buffers are not worth sending yet, so the longest comes behind them */
	assert_int_equal(run("tcpdump -i p1 -c 6 -w x", 7, PKT_GSO_SEGS, 3), 0);
	assert_int_equal(host.open, 0);
	assert_true(host.n > 3 * (7 + PKT_GSO_SEGS) * PKT_BUF_SIZE);
	assert_non_null(strstr(host_out, "\n6 packets captured\n"));
}

static void the_longest_packets_are_dumped_to_their_end(void **state)
{
	(void)state;
	/*
	 * 0x7777 is no Ethernet type that is known; 6 buffers without their
	 * Ethernet header are 0x2ff2 bytes
	 */
	assert_int_equal(run("tcpdump -i p1 -c 1 -X", 6, 0, 1), 0);
	assert_non_null(strstr(host_out, "\n\t0x2ff0:  7777 "));
	assert_non_null(strstr(host_out, " ww\n1 packet captured\n"));
}

static void a_file_that_cannot_be_begun_is_closed_again(void **state)
{
	(void)state;
	host.full = true;
	assert_true(run("tcpdump -i p1 -c 1 -w x", 1, 0, 1) < 0);
	assert_non_null(strstr(host_out, "no file x: its disk is full"));
	assert_int_equal(host.open, 0);
	assert_false(ports[1]->rx_extra & PORT_TAPS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_packets_go_into_the_file_whole),
		TEST(the_longest_packets_are_dumped_to_their_end),
		TEST(a_file_that_cannot_be_begun_is_closed_again),
	};

	return cmocka_run_group_tests_name("tcpdump", tests, NULL, NULL);
}
