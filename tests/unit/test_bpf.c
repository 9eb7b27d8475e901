/* SPDX-License-Identifier: MIT */
/* links: net/bpf.c net/bpf_text.c net/text.c tests/unit/host.c */
/*
 * test_bpf.c - classic BPF: what is refused, what is computed, and the same verdicts as
 * the host's libpcap gives
 *
 * Expressions that libpcap compiles, and programs of random instructions, are run on thousands of
 * frames, in one buffer and in several, here and by libpcap. Frames lie in buffers of exactly their
 * length: the address sanitizer sees a look behind their end.
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/bpf.h"
#include "tests/unit/libpcap.h"

enum { FRAME = 200, SEGS = 4, FRAMES = 4000, PROGRAMS = 20000 };

/* a frame as a chain of @segs buffers of malloc */
struct frame {
	struct pkt pkt[SEGS];
	uint8_t bytes[FRAME];
	uint32_t len;
};

static void frame_make(struct frame *f, const uint8_t *bytes, uint32_t len, unsigned segs)
{
	uint32_t at = 0;

	memset(f->pkt, 0, sizeof(f->pkt));
	memcpy(f->bytes, bytes, len);
	f->len = len;
	for (unsigned i = 0; i < segs; i++) {
		uint32_t part = i + 1 < segs ? (len - at) / 2 : len - at;

		f->pkt[i] = (struct pkt){ .data = malloc(part), .len = part };
		memcpy(f->pkt[i].data, bytes + at, part);
		if (i)
			f->pkt[i - 1].next = &f->pkt[i];
		at += part;
	}
	f->pkt->frame_len = len;
	f->pkt->flags = segs > 1 ? PKT_CHAIN : 0;
	f->pkt->nsegs = segs;
}

static void frame_free(struct frame *f)
{
	seg_for_each(seg, f->pkt)
		free(seg->data);
}

#define MACS                 "020000000002 020000000001 "
#define IP4(fragment, proto) "4500 0034 0000 " fragment " 40" proto " 0000 0a000001 0a010002 "
#define IP6(next)             \
	"60000000 0014 " next \
	"40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
#define PORTS "0035 1f90 00100000 00000000 5012ffff 00000000 "

static const char *const kinds[] = {
	MACS "0800" IP4("4000", "11") PORTS,
	MACS "0800" IP4("4000", "06") PORTS,
	MACS "0800" IP4("2000", "11") PORTS,
	MACS "0800" IP4("0010", "06") PORTS,
	MACS "0800" IP4("0000", "01") "0800 0000 0001 0002",
	MACS "86dd" IP6("11") PORTS,
	MACS "86dd" IP6("06") PORTS,
	MACS "86dd" IP6("3a") "8000 0000 0001 0002",
	MACS "86dd" IP6("00") "1100 0104 00000000" PORTS,
	MACS "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a010002",
	MACS "8100 6005 0800" IP4("4000", "11") PORTS,
	MACS "88a8 0007 8100 0005 86dd" IP6("06") PORTS,
	"ffffffffffff 020000000001 88b5 00",
	"0180c2000000 020000000001 0026 4242 03",
};

static const char *const expressions[] = {
	"udp port 53",
	"tcp port 8080",
	"arp or icmp or icmp6",
	"vlan 5",
	"vlan and udp",
	"vlan 7 and vlan 5 and tcp",
	"ip6",
	"host 10.0.0.1",
	"net 10.1.0.0/16 and not port 53",
	"ether src 02:00:00:00:00:01",
	"ether multicast",
	"ip[6:2] & 0x1fff != 0",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)",
	"less 64",
	"greater 70",
	"len = 60 or len % 7 == 3",
	"(ip[2:2] - ((ip[0] & 0xf) << 2)) != 0",
	"ether[0] ^ ether[1] = 2",
	"ether[12:2] << 4 > 0x8000",
	"ether[len - 1] != 0",
	"icmp[0] = 8",
	"ip proto 17 and ip[8] / 2 < 40",
	"ip6 host fd00::1 and port 8080",
	"udp portrange 50-60",
	"stp",
};

/* bend() - some bytes of @frame changed, some cut off or put on. Returns its length. */
static uint32_t bend(uint8_t *frame, uint32_t len)
{
	for (unsigned n = rand() % 3; n; n--)
		frame[rand() % len] = rand();
	if (rand() % 4 == 0)
		len = rand() % len;
	else if (rand() % 4 == 0)
		while (len < FRAME && rand() % 20)
			frame[len++] = rand();
	return len;
}

static void random_frame(struct frame *f)
{
	uint8_t bytes[FRAME];
	uint32_t len = bend(bytes, host_hex(kinds[rand() % ARRAY_SIZE(kinds)], bytes));

	frame_make(f, bytes, len, 1 + rand() % SEGS);
}

/* --- refusals --- */

static void refused(const char *text, const char *because)
{
	char why[128] = "";
	struct bpf_prog *prog = bpf_parse(text, strlen(text), why, sizeof(why));

	if (prog || !strstr(why, because))
		fail_msg("'%s': expected a refusal with '%s', saw '%s'", text, because,
			 prog ? "none" : why);
}

static void refuses_what_is_no_list_of_instructions(void **state)
{
	(void)state;
	refused("", "number of instructions");
	refused("udp", "number of instructions");
	refused("4097,6 0 0 0", "number of instructions, 1 to 4096");
	refused("2,6 0 0 0", "instruction 1 of 2: four numbers");
	refused("1,6 0 0", "instruction 0 of 1: four numbers");
	refused("1,6 0 0 4294967296", "instruction 0 of 1: four numbers");
	refused("1,6 256 0 0", "instruction 0 of 1: four numbers");
	refused("1,6 0 0 0,6 0 0 0", "more than the 1 instructions");
	refused("1,6 0 0 0 x", "more than the 1 instructions");
}

static void refuses_what_could_run_astray(void **state)
{
	(void)state;
	refused("0", "1 to 4096 instructions");
	refused("1,0 0 0 0", "the last instruction is no return");
	refused("2,6 0 0 0,21 0 0 1", "instruction 1: a jump behind the end");
	refused("2,5 0 0 1,6 0 0 0", "instruction 0: a jump behind the end");
	refused("2,5 0 0 4294967295,6 0 0 0", "instruction 0: a jump back: loops are not run");
	refused("2,5 0 0 2147483647,6 0 0 0", "instruction 0: a jump behind the end");
	refused("2,21 1 0 0,6 0 0 0", "a jump behind the end");
	refused("2,21 0 1 0,6 0 0 0", "a jump behind the end");
	refused("2,96 0 0 16,6 0 0 0", "memory has 16 words");
	refused("2,2 0 0 16,6 0 0 0", "memory has 16 words");
	refused("2,52 0 0 0,6 0 0 0", "a division by zero");
	refused("2,148 0 0 0,6 0 0 0", "a division by zero");
	refused("2,100 0 0 32,6 0 0 0", "a shift by more than 31 bits");
	refused("2,255 0 0 0,6 0 0 0", "no such instruction");
	refused("2,256 0 0 0,6 0 0 0", "no such instruction");
	refused("2,65535 0 0 0,6 0 0 0", "no such instruction");
	refused("2,40 0 0 4294963201,6 0 0 0", "a load from a place that there is not");
}

static void takes_a_program_as_tcpdump_prints_it_and_says_it_as_tc_does(void **state)
{
	const char *text = "4\n40 0 0 12\n21 0 1 2054\n6 0 0 4294967295\n6 0 0 0\n";
	char why[128], buf[128];
	struct text t = { buf, sizeof(buf), 0 };
	struct bpf_prog *prog = bpf_parse(text, strlen(text), why, sizeof(why));

	(void)state;
	assert_non_null(prog);
	assert_int_equal(prog->n, 4);
	bpf_text(prog, &t);
	assert_string_equal(buf, "4,40 0 0 12,21 0 1 2054,6 0 0 4294967295,6 0 0 0");
	free(prog);
}

/* --- verdicts --- */

static void agree(const struct bpf_program *theirs, const struct bpf_prog *ours, struct frame *f,
		  const char *what)
{
	uint32_t expected = pcap_verdict(theirs, f->bytes, f->len), seen = bpf_run(ours, f->pkt, 1);

	if (seen != expected)
		fail_msg("%s, frame of %u bytes in %u buffers: libpcap says %u, we say %u", what,
			 (unsigned)f->len, (unsigned)f->pkt->nsegs, (unsigned)expected,
			 (unsigned)seen);
}

static void judges_frames_as_libpcap_does(void **state)
{
	unsigned taken = 0, left = 0;

	(void)state;
	srand(1);
	for (unsigned e = 0; e < ARRAY_SIZE(expressions); e++) {
		struct bpf_program theirs = pcap_compiled(expressions[e]);
		char why[128] = "";
		struct bpf_prog *ours = bpf_prog_of(theirs.insn, theirs.n, why, sizeof(why));
		unsigned before = taken;

		if (!ours)
			fail_msg("'%s' as libpcap compiles it: %s", expressions[e], why);
		for (unsigned n = 0; n < FRAMES; n++) {
			struct frame f;

			random_frame(&f);
			agree(&theirs, ours, &f, expressions[e]);
			if (bpf_run(ours, f.pkt, 1))
				taken++;
			else
				left++;
			frame_free(&f);
		}
		if (taken == before)
			fail_msg("'%s' took no frame at all", expressions[e]);
		free(ours);
		pcap_forget(&theirs);
	}
	assert_true(taken > FRAMES && left > FRAMES);
}

/* random_insn() - one that is likely to be taken, with @left behind it. */
static struct bpf_insn random_insn(unsigned left)
{
	static const uint8_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x80, 0x60, 0x01,
					 0x81, 0x61, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24,
					 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74,
					 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25,
					 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87 };
	struct bpf_insn i = { .code = codes[rand() % sizeof(codes)] };

	i.jt = rand() % (left + 1);
	i.jf = rand() % (left + 1);
	i.k = rand() % 16;
	if (rand() % 8 == 0)
		i.k = rand() % FRAME;
	if (rand() % 32 == 0)
		i.k = (uint32_t)rand() * 2;
	return i;
}

static void runs_random_programs_as_libpcap_does(void **state)
{
	struct bpf_insn insn[BPF_MEMWORDS + 32];
	unsigned ran = 0, where;

	(void)state;
	srand(2); /* each begins by clearing its memory: libpcap's is not */
	for (unsigned n = 0; n < PROGRAMS; n++) {
		struct bpf_program theirs = { .n = BPF_MEMWORDS + 2 + rand() % 30, .insn = insn };
		char why[128], what[32];
		struct bpf_prog *ours;
		struct frame f;

		for (unsigned i = 0; i < theirs.n; i++)
			insn[i] = i < BPF_MEMWORDS ? (struct bpf_insn){ 0x02, 0, 0, i }
						   : random_insn(theirs.n - 1 - i);
		insn[theirs.n - 1].code = rand() % 2 ? 0x16 : 0x06;
		if (bpf_check(insn, theirs.n, &where)) {
			insn[0].code = 0x06;
			theirs.n = 1;
		} else {
			ran++;
		}
		ours = bpf_prog_of(insn, theirs.n, why, sizeof(why));
		assert_non_null(ours);
		snprintf(what, sizeof(what), "random program %u", n);
		random_frame(&f);
		agree(&theirs, ours, &f, what);
		frame_free(&f);
		free(ours);
	}
	assert_true(ran > PROGRAMS / 10);
}

/* --- what only Weir and Linux have --- */

static uint32_t verdict_of(const char *text, const struct pkt *p)
{
	char why[128];
	struct bpf_prog *prog = bpf_parse(text, strlen(text), why, sizeof(why));
	uint32_t v;

	assert_non_null(prog);
	v = bpf_run(prog, p, 7);
	free(prog);
	return v;
}

static void sees_a_tag_that_the_nic_took_out_where_the_wire_had_it(void **state)
{
	uint8_t bytes[FRAME];
	struct frame tagged, bare;
	uint32_t len = host_hex(kinds[10], bytes);

	(void)state;
	frame_make(&tagged, bytes, len, 1);
	memmove(bytes + 12, bytes + 16, len - 16);
	frame_make(&bare, bytes, len - 4, 2);
	bare.pkt->flags |= PKT_VLAN;
	bare.pkt->vlan_tci = 0x6005;
	for (unsigned at = 0; at <= len; at++) {
		char text[64];

		snprintf(text, sizeof(text), "2,48 0 0 %u,22 0 0 0", at);
		assert_int_equal(verdict_of(text, bare.pkt), verdict_of(text, tagged.pkt));
	}
	assert_int_equal(verdict_of("2,128 0 0 0,22 0 0 0", bare.pkt), len);
	frame_free(&tagged);
	frame_free(&bare);
}

static void loads_what_is_known_beside_the_frame(void **state)
{
	uint8_t bytes[FRAME];
	struct frame f;

	(void)state;
	host_cores(3);
	host_play(2);
	frame_make(&f, bytes, host_hex(kinds[0], bytes), 1);
	f.pkt->rx_queue = 5;
	assert_int_equal(verdict_of("2,40 0 0 4294963200,22 0 0 0", f.pkt), 0x800);
	assert_int_equal(verdict_of("2,32 0 0 4294963208,22 0 0 0", f.pkt), 7);
	assert_int_equal(verdict_of("2,32 0 0 4294963224,22 0 0 0", f.pkt), 5);
	assert_int_equal(verdict_of("2,32 0 0 4294963236,22 0 0 0", f.pkt), 2);
	frame_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_list_of_instructions),
		cmocka_unit_test(refuses_what_could_run_astray),
		cmocka_unit_test(takes_a_program_as_tcpdump_prints_it_and_says_it_as_tc_does),
		cmocka_unit_test(judges_frames_as_libpcap_does),
		cmocka_unit_test(runs_random_programs_as_libpcap_does),
		cmocka_unit_test(sees_a_tag_that_the_nic_took_out_where_the_wire_had_it),
		cmocka_unit_test(loads_what_is_known_beside_the_frame),
	};

	return cmocka_run_group_tests_name("bpf", tests, NULL, NULL);
}
