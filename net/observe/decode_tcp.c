/* SPDX-License-Identifier: MIT */
/*
 * decode_tcp.c - TCP [RFC 9293] as text
 *
 * Called by decode_l4.c. As in tcpdump, numbers are counted from the first that was seen of a
 * connection, or from its SYN, where they are printed as they are.
 */
#include "decode_parts.h"

#include "kernel/bits.h"

#include <string.h>

#define TCP_FIN BIT(0)
#define TCP_SYN BIT(1)
#define TCP_RST BIT(2)
#define TCP_ACK BIT(4)
#define TCP_URG BIT(5)

enum {
	OPTION_EOL = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACKOK = 4,
	OPTION_SACK = 5,
	OPTION_TS = 8,
};

/* what is taken off the numbers of one packet */
struct bases {
	uint32_t seq, ack;
};

/* --- connections --- */

static void addr_set(uint8_t to[16], const uint8_t *addr, unsigned size)
{
	memset(to, 0, 16);
	memcpy(to, addr, size);
}

/*
 * flow_find() - the connection between @key's two sides, whichever way; *@back:
 * @key is its second side's.
 */
static struct decode_flow *flow_find(struct decode *d, const struct decode_flow *key, bool *back)
{
	for (unsigned i = 0; i < DECODE_FLOWS; i++) {
		struct decode_flow *f = &d->flow[i];

		for (*back = false; f->used; *back = true) {
			unsigned a = *back;

			if (f->port[a] == key->port[0] && f->port[!a] == key->port[1] &&
			    !memcmp(f->addr[a], key->addr[0], 16) &&
			    !memcmp(f->addr[!a], key->addr[1], 16))
				return f;
			if (*back)
				break;
		}
	}
	return NULL;
}

/* bases_of() - for the packet at @x; the connection is remembered if it was not. */
static struct bases bases_of(const struct part *x, const struct ends *ends, uint32_t seq,
			     uint32_t ack, bool syn)
{
	struct decode_flow key = { .port = { load16(x->p), load16(x->p + 2) }, .used = true };
	struct decode *d = x->d;
	struct decode_flow *f;
	bool back = false;

	addr_set(key.addr[0], ends->src, ends->size);
	addr_set(key.addr[1], ends->dst, ends->size);
	f = flow_find(d, &key, &back);
	if (f && !syn)
		return (struct bases){ f->base[back], f->base[!back] };
	if (!f) {
		f = &d->flow[d->next_flow++ % DECODE_FLOWS];
		back = false;
		*f = key;
	}
	f->base[back] = seq;
	f->base[!back] = ack - 1;
	return (struct bases){ 0, 0 };
}

/* --- options --- */

static void sack(struct text *t, const uint8_t *p, unsigned n, const struct bases *b)
{
	text_add(t, "sack %u ", n / 8);
	for (; n >= 8; n -= 8, p += 8)
		text_add(t, "{%u:%u}", (unsigned)(be32(load32(p)) - b->ack),
			 (unsigned)(be32(load32(p + 4)) - b->ack));
}

/* option() - one of more than a byte, of @size bytes in all. */
static void option(struct text *t, const uint8_t *p, unsigned size, const struct bases *b)
{
	switch (p[0]) {
	case OPTION_MSS: text_add(t, "mss %u", size == 4 ? be16(load16(p + 2)) : 0); break;
	case OPTION_WSCALE: text_add(t, "wscale %u", size == 3 ? p[2] : 0); break;
	case OPTION_SACKOK: text_add(t, "sackOK"); break;
	case OPTION_SACK: sack(t, p + 2, size - 2, b); break;
	case OPTION_TS:
		if (size == 10)
			text_add(t, "TS val %u ecr %u", (unsigned)be32(load32(p + 2)),
				 (unsigned)be32(load32(p + 6)));
		break;
	default:
		text_add(t, "unknown-%u", p[0]);
		if (size > 2)
			text_add(t, " 0x");
		for (unsigned i = 2; i < size; i++)
			text_add(t, "%02x", p[i]);
	}
}

static void options(struct text *t, const uint8_t *p, unsigned n, const struct bases *b)
{
	const char *comma = "";

	text_add(t, ", options [");
	while (n) {
		unsigned size = p[0] == OPTION_EOL || p[0] == OPTION_NOP ? 1 : n > 1 ? p[1] : 0;

		text_add(t, "%s", comma);
		comma = ",";
		if (size == 0 || size > n || (size == 1 && p[0] > OPTION_NOP)) {
			text_add(t, "[bad opt]");
			break;
		}
		if (p[0] == OPTION_EOL) {
			text_add(t, "eol");
			break;
		}
		if (p[0] == OPTION_NOP)
			text_add(t, "nop");
		else
			option(t, p, size, b);
		p += size;
		n -= size;
	}
	text_add(t, "]");
}

/* --- the header --- */

static void say_flags(struct text *t, uint8_t flags)
{
	static const char letter[] = "FSRP.UEW";

	text_add(t, "Flags [");
	for (unsigned i = 0; i < 8; i++)
		if (flags & BIT(i))
			text_add(t, "%c", letter[i]);
	text_add(t, flags ? "]" : "none]");
}

static void say_sum(const struct part *x, const struct ends *ends)
{
	uint16_t is = be16(load16(x->p + 16)), wrong;

	if (!decode_sum(x, ends, PROTO_TCP, &wrong))
		return;
	text_add(x->t, ", cksum 0x%04x ", is);
	if (wrong)
		text_add(x->t, "(incorrect -> 0x%04x)", decode_sum_right(is, wrong));
	else
		text_add(x->t, "(correct)");
}

static void say_numbers(const struct part *x, const struct ends *ends, uint32_t payload,
			struct bases *b)
{
	uint32_t seq = be32(load32(x->p + 4)), ack = be32(load32(x->p + 8));
	uint8_t flags = x->p[13];

	*b = (struct bases){ 0, 0 };
	if (flags & TCP_ACK && !x->d->absolute)
		*b = bases_of(x, ends, seq, ack, flags & TCP_SYN);
	if (payload || flags & (TCP_SYN | TCP_FIN | TCP_RST) || x->d->verbose > 1)
		text_add(x->t, ", seq %u", (unsigned)(seq - b->seq));
	if (payload)
		text_add(x->t, ":%u", (unsigned)(seq - b->seq + payload));
	if (flags & TCP_ACK)
		text_add(x->t, ", ack %u", (unsigned)(ack - b->ack));
}

void decode_tcp(struct part x, const struct ends *ends)
{
	uint32_t header, payload;
	struct bases b;

	if (x.cap < TCP_HLEN) {
		decode_ends(x.t, ends, -1, -1);
		text_add(x.t, "[|tcp]");
		return;
	}
	decode_ends(x.t, ends, be16(load16(x.p)), be16(load16(x.p + 2)));
	header = (x.p[12] >> 4) * 4;
	if (header < TCP_HLEN) {
		text_add(x.t, " tcp %u [bad hdr length %u - too short, < %u]",
			 (unsigned)(x.len - header), (unsigned)header, TCP_HLEN);
		return;
	}
	say_flags(x.t, x.p[13]);
	if (header > x.len) {
		text_add(x.t, " [bad hdr length %u - too long, > %u]", (unsigned)header,
			 (unsigned)x.len);
		return;
	}
	payload = x.len - header;
	if (x.d->verbose)
		say_sum(&x, ends);
	say_numbers(&x, ends, payload, &b);
	text_add(x.t, ", win %u", be16(load16(x.p + 14)));
	if (x.p[13] & TCP_URG)
		text_add(x.t, ", urg %u", be16(load16(x.p + 18)));
	if (x.cap < header)
		text_add(x.t, " [|tcp]");
	else if (header > TCP_HLEN)
		options(x.t, x.p + TCP_HLEN, header - TCP_HLEN, &b);
	text_add(x.t, ", length %u", (unsigned)payload);
}
