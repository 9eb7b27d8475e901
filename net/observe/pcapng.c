/* SPDX-License-Identifier: MIT */
/*
 * pcapng.c - blocks and options of a capture file
 *
 * Called by tcpdump.c in the control context. Owns nothing. Numbers are in our own byte
 * order: the section says which.
 *
 * A packet says where it went (epb_flags), by which queue it came (epb_queue) and which record it
 * is (epb_packetid). One that was dropped has the reason as its comment, "dropped: no_rule";
 * epb_verdict has no type for a verdict of ours. One that is stamped has another comment: when it
 * came by which point. These are the points it had met when it was put here, some milliseconds
 * after it was seen: mostly all, though it was seen on its way in.
 */
#include "pcapng.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/path.h"
#include "kernel/time.h"
#include "net/text.h"
#include "net/wire.h"

#include <stdio.h>
#include <string.h>

enum {
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
	OUR_BYTE_ORDER = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_OS = 3,
	SHB_APPLICATION = 4,
	IF_NAME = 2,
	IF_MAC = 6,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_PACKETID = 5,
	EPB_QUEUE = 6,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP = 7,
	TSRESOL_NS = 9,
	NS_S = 1000000000,
	FILTER_EXPRESSION = 0, /* in front of an if_filter: what kind it is */
};

#define FLAGS_DIRECTION BITS(1, 0)
#define FLAGS_RECEPTION BITS(4, 2)

enum { INBOUND = 1, OUTBOUND = 2 };
enum { UNICAST = 1, MULTICAST = 2, BROADCAST = 3, PROMISCUOUS = 4 };

/* --- bytes, blocks, options --- */

static void put(struct pcapng *to, const void *bytes, size_t n)
{
	ASSERT(n <= to->size - to->n);
	memcpy(to->buf + to->n, bytes, n);
	to->n += n;
}

static void put32(struct pcapng *to, uint32_t v)
{
	put(to, &v, sizeof(v));
}

static void pad(struct pcapng *to)
{
	while (to->n % 4)
		to->buf[to->n++] = 0;
}

/*
 * block_begin() - returns where it begins, for block_end(), which writes its length at both ends.
 */
static size_t block_begin(struct pcapng *to, uint32_t type)
{
	put32(to, type);
	put32(to, 0);
	return to->n - 8;
}

static void block_end(struct pcapng *to, size_t begin)
{
	uint32_t length = to->n - begin + 4;

	memcpy(to->buf + begin + 4, &length, sizeof(length));
	put32(to, length);
}

static void option(struct pcapng *to, uint16_t code, const void *bytes, uint16_t n)
{
	put(to, &code, sizeof(code));
	put(to, &n, sizeof(n));
	put(to, bytes, n);
	pad(to);
}

static void option_text(struct pcapng *to, uint16_t code, const char *s)
{
	option(to, code, s, strlen(s));
}

/* a time is its upper half, then its lower one */
static void option_time(struct pcapng *to, uint16_t code, uint64_t ns)
{
	uint32_t halves[2] = { ns >> 32, ns };

	option(to, code, halves, sizeof(halves));
}

/* --- what a file is made of --- */

void pcapng_section(struct pcapng *to)
{
	const uint16_t version[2] = { 1, 0 };
	const uint64_t unknown = UINT64_MAX; /* how long it will be */
	size_t begin = block_begin(to, BLOCK_SECTION);

	put32(to, OUR_BYTE_ORDER);
	put(to, version, sizeof(version));
	put(to, &unknown, sizeof(unknown));
	option_text(to, SHB_OS, "Weir");
	option_text(to, SHB_APPLICATION, "tcpdump (Weir)");
	put32(to, OPT_END);
	block_end(to, begin);
}

static void if_filter(struct pcapng *to, const char *expression)
{
	char s[1 + 256] = { FILTER_EXPRESSION };
	size_t n = MIN(strlen(expression), sizeof(s) - 1);

	memcpy(s + 1, expression, n);
	option(to, IF_FILTER, s, 1 + n);
}

void pcapng_interface(struct pcapng *to, const char *name, const uint8_t *mac, uint32_t snaplen,
		      const char *filter)
{
	const uint16_t type[2] = { LINKTYPE_ETHERNET, 0 };
	const uint8_t resolution = TSRESOL_NS;
	size_t begin = block_begin(to, BLOCK_INTERFACE);

	put(to, type, sizeof(type));
	put32(to, snaplen);
	option_text(to, IF_NAME, name);
	if (mac)
		option(to, IF_MAC, mac, 6);
	option(to, IF_TSRESOL, &resolution, sizeof(resolution));
	if (filter)
		if_filter(to, filter);
	put32(to, OPT_END);
	block_end(to, begin);
}

/* reception() - whose it is, by its destination; the port has address @mac. */
static unsigned reception(const struct tap_record *r, const uint8_t *mac)
{
	static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (r->caplen < 6 || !mac)
		return 0;
	if (!memcmp(r->frame, everybody, 6))
		return BROADCAST;
	if (mac_is_group(mac_load(r->frame)))
		return MULTICAST;
	return memcmp(r->frame, mac, 6) ? PROMISCUOUS : UNICAST;
}

static uint32_t flags(const struct tap_record *r, const uint8_t *mac)
{
	if (r->where & (TAP_OUT | TAP_DROP_OUT))
		return FIELD_PREP(FLAGS_DIRECTION, OUTBOUND);
	return FIELD_PREP(FLAGS_DIRECTION, INBOUND) |
	       FIELD_PREP(FLAGS_RECEPTION, reception(r, mac));
}

/*
 * when(), at core @cpu if that is another one than before: "poll +12.345 us",
 * "handle_rx +150.001 us on core 1"
 */
static void add_point(struct text *t, const struct path_stamp *s, unsigned point, uint64_t first,
		      unsigned cpu_before)
{
	unsigned long ns = tsc_to_ns(s->tsc[point] - first);

	text_add(t, ", %s +%lu.%03lu us", path_text[point].name, ns / 1000, ns % 1000);
	if (s->cpu[point] != cpu_before)
		text_add(t, " on core %u", s->cpu[point]);
}

/*
 * when it was where, as a sentence: "stamped 7: hard_irq at 12.345678901 s on core
 * 1, poll +21.300 us, ..."
 */
static void comment_stamps(struct pcapng *to, const struct path_stamp *s)
{
	char sentence[768];
	struct text t = { sentence, sizeof(sentence), 0 };
	unsigned i = 0, cpu;
	uint64_t first, ns;

	while (i < PATH_N && !s->tsc[i])
		i++;
	if (i == PATH_N)
		return;
	first = s->tsc[i];
	cpu = s->cpu[i];
	ns = time_ns() - tsc_to_ns(rdtsc() - first);
	text_add(&t, "stamped %u: %s at %lu.%09lu s on core %u", (unsigned)s->number,
		 path_text[i].name, (unsigned long)(ns / NS_S), (unsigned long)(ns % NS_S), cpu);
	for (i++; i < PATH_N; i++) {
		if (!s->tsc[i])
			continue;
		add_point(&t, s, i, first, cpu);
		cpu = s->cpu[i];
	}
	option_text(to, OPT_COMMENT, sentence);
}

void pcapng_packet(struct pcapng *to, const struct tap_record *r, uint32_t number,
		   const uint8_t *mac)
{
	uint32_t word = flags(r, mac), queue = r->queue;
	size_t begin = block_begin(to, BLOCK_PACKET);
	struct path_stamp stamp;
	char comment[64];

	put32(to, number);
	put32(to, r->ns >> 32);
	put32(to, r->ns);
	put32(to, r->caplen);
	put32(to, r->len);
	put(to, r->frame, r->caplen);
	pad(to);
	option(to, EPB_FLAGS, &word, sizeof(word));
	option(to, EPB_PACKETID, &r->id, sizeof(r->id));
	if (r->where & (TAP_IN | TAP_DROP_IN))
		option(to, EPB_QUEUE, &queue, sizeof(queue));
	if (r->where & TAP_DROPS) {
		snprintf(comment, sizeof(comment), "dropped: %s", drop_text[r->drop].name);
		option_text(to, OPT_COMMENT, comment);
	}
	if (path_read(r->row, &stamp))
		comment_stamps(to, &stamp);
	put32(to, OPT_END);
	block_end(to, begin);
}

void pcapng_statistics(struct pcapng *to, uint32_t number, uint64_t began, uint64_t ended,
		       const struct tap_stats *stats)
{
	size_t begin = block_begin(to, BLOCK_STATISTICS);

	put32(to, number);
	put32(to, ended >> 32);
	put32(to, ended);
	option_time(to, ISB_STARTTIME, began);
	option_time(to, ISB_ENDTIME, ended);
	option(to, ISB_FILTERACCEPT, &stats->received, sizeof(stats->received));
	option(to, ISB_OSDROP, &stats->dropped, sizeof(stats->dropped));
	put32(to, OPT_END);
	block_end(to, begin);
}
