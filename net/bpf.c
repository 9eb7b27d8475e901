/* SPDX-License-Identifier: MIT */
/*
 * bpf.c - classic BPF: checked once, then run on any core for each frame
 *
 * The instruction set is that of McCanne and Jacobson, "The BSD Packet Filter" (USENIX 1993), with
 * Linux's MOD, XOR and ancillary loads (Documentation/networking/filter.rst). bpf_check() runs in
 * the control context, bpf_run() wherever taps and filters do. Owns nothing.
 */
#include "bpf.h"

#include "kernel/bits.h"
#include "wire.h"

#include <stdbool.h>

/*
 * an opcode is its class and, by class, size and mode of a load, operation
 * and source of a computation
 */
enum { BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_RET, BPF_MISC };
enum { BPF_W = 0x00, BPF_H = 0x08, BPF_B = 0x10 };
enum {
	BPF_IMM = 0x00,
	BPF_ABS = 0x20,
	BPF_IND = 0x40,
	BPF_MEM = 0x60,
	BPF_LEN = 0x80,
	BPF_MSH = 0xa0
};
enum { BPF_ADD = 0x00, BPF_SUB = 0x10, BPF_MUL = 0x20, BPF_DIV = 0x30 };
enum { BPF_OR = 0x40, BPF_AND = 0x50, BPF_LSH = 0x60, BPF_RSH = 0x70 };
enum { BPF_NEG = 0x80, BPF_MOD = 0x90, BPF_XOR = 0xa0 };
enum { BPF_JA = 0x00, BPF_JEQ = 0x10, BPF_JGT = 0x20, BPF_JGE = 0x30, BPF_JSET = 0x40 };
enum { BPF_K = 0x00, BPF_X = 0x08, BPF_A = 0x10 };
enum { BPF_TAX = 0x00, BPF_TXA = 0x80 };

#define CODE_CLASS BITS(2, 0)
#define CODE_SRC   BIT(3)
#define CODE_SIZE  BITS(4, 3)
#define CODE_OP    BITS(7, 4)
#define CODE_MODE  BITS(7, 5)
#define IHL_WORDS  BITS(3, 0) /* what MSH takes of its byte */

/* the ancillary loads there are, by offset from BPF_ANCILLARY; the numbers are Linux's */
enum {
	ANC_PROTOCOL = 0,
	ANC_IFINDEX = 8,
	ANC_QUEUE = 24,
	ANC_CPU = 36,
	ANC_VLAN_TAG = 44,
	ANC_VLAN_TAG_PRESENT = 48,
};

enum { TAG_AT = 12, ETHERTYPE_AT = 12 };

/* --- checking --- */

enum operand {
	UNKNOWN, /* no such instruction */
	PLAIN,   /* any k will do */
	FRAME,   /* k is a place in the frame, or what stands for ancillary data */
	SLOT,    /* k is a word of memory */
	SHIFT,   /* k is a number of bits */
	DIVISOR, /* k is what A is divided by */
	JUMP,    /* k instructions are skipped */
	BRANCH,  /* jt or jf instructions are skipped */
};

#define BOTH(class, op, what_k) [class | op | BPF_K] = what_k, [class | op | BPF_X] = PLAIN

static const uint8_t known[256] = {
	[BPF_LD | BPF_W | BPF_ABS] = FRAME,
	[BPF_LD | BPF_H | BPF_ABS] = FRAME,
	[BPF_LD | BPF_B | BPF_ABS] = FRAME,
	[BPF_LD | BPF_W | BPF_IND] = PLAIN,
	[BPF_LD | BPF_H | BPF_IND] = PLAIN,
	[BPF_LD | BPF_B | BPF_IND] = PLAIN,
	[BPF_LD | BPF_W | BPF_IMM] = PLAIN,
	[BPF_LD | BPF_W | BPF_LEN] = PLAIN,
	[BPF_LD | BPF_W | BPF_MEM] = SLOT,
	[BPF_LDX | BPF_W | BPF_IMM] = PLAIN,
	[BPF_LDX | BPF_W | BPF_LEN] = PLAIN,
	[BPF_LDX | BPF_W | BPF_MEM] = SLOT,
	[BPF_LDX | BPF_B | BPF_MSH] = PLAIN,
	[BPF_ST] = SLOT,
	[BPF_STX] = SLOT,
	BOTH(BPF_ALU, BPF_ADD, PLAIN),
	BOTH(BPF_ALU, BPF_SUB, PLAIN),
	BOTH(BPF_ALU, BPF_MUL, PLAIN),
	BOTH(BPF_ALU, BPF_DIV, DIVISOR),
	BOTH(BPF_ALU, BPF_MOD, DIVISOR),
	BOTH(BPF_ALU, BPF_OR, PLAIN),
	BOTH(BPF_ALU, BPF_AND, PLAIN),
	BOTH(BPF_ALU, BPF_XOR, PLAIN),
	BOTH(BPF_ALU, BPF_LSH, SHIFT),
	BOTH(BPF_ALU, BPF_RSH, SHIFT),
	[BPF_ALU | BPF_NEG] = PLAIN,
	[BPF_JMP | BPF_JA] = JUMP,
	[BPF_JMP | BPF_JEQ | BPF_K] = BRANCH,
	[BPF_JMP | BPF_JEQ | BPF_X] = BRANCH,
	[BPF_JMP | BPF_JGT | BPF_K] = BRANCH,
	[BPF_JMP | BPF_JGT | BPF_X] = BRANCH,
	[BPF_JMP | BPF_JGE | BPF_K] = BRANCH,
	[BPF_JMP | BPF_JGE | BPF_X] = BRANCH,
	[BPF_JMP | BPF_JSET | BPF_K] = BRANCH,
	[BPF_JMP | BPF_JSET | BPF_X] = BRANCH,
	[BPF_RET | BPF_K] = PLAIN,
	[BPF_RET | BPF_A] = PLAIN,
	[BPF_MISC | BPF_TAX] = PLAIN,
	[BPF_MISC | BPF_TXA] = PLAIN,
};

static bool ancillary_known(uint32_t k)
{
	switch (k - (uint32_t)BPF_ANCILLARY) {
	case ANC_PROTOCOL:
	case ANC_IFINDEX:
	case ANC_QUEUE:
	case ANC_CPU:
	case ANC_VLAN_TAG:
	case ANC_VLAN_TAG_PRESENT: return true;
	default: return false;
	}
}

static const char *check_jump(uint32_t over, unsigned left)
{
	if ((int32_t)over < 0) /* as libpcap compiles "protochain" */
		return "a jump back: loops are not run";
	return over < left ? NULL : "a jump behind the end";
}

/* check_one() - @left instructions stand behind @i. */
static const char *check_one(const struct bpf_insn *i, unsigned left)
{
	switch (i->code < ARRAY_SIZE(known) ? known[i->code] : UNKNOWN) {
	case UNKNOWN: return "no such instruction";
	case FRAME:
		return (int32_t)i->k >= 0 || ancillary_known(i->k)
			       ? NULL
			       : "a load from a place that there is not";
	case SLOT: return i->k < BPF_MEMWORDS ? NULL : "memory has 16 words";
	case SHIFT: return i->k < 32 ? NULL : "a shift by more than 31 bits";
	case DIVISOR: return i->k ? NULL : "a division by zero";
	case JUMP: return check_jump(i->k, left);
	case BRANCH: return check_jump(MAX(i->jt, i->jf), left);
	default: return NULL;
	}
}

const char *bpf_check(const struct bpf_insn *insn, unsigned n, unsigned *where)
{
	*where = 0;
	if (n == 0 || n > BPF_MAXINSNS)
		return "a program has 1 to 4096 instructions";
	for (; *where < n; ++*where) {
		const char *why = check_one(&insn[*where], n - 1 - *where);

		if (why)
			return why;
	}
	*where = n - 1;
	return FIELD_GET(CODE_CLASS, insn[n - 1].code) == BPF_RET
		       ? NULL
		       : "the last instruction is no return";
}

/* --- the frame as programs see it --- */

/* a run of one program */
struct run {
	const struct pkt *p;
	uint16_t port;
	uint32_t len; /* with the tag that does not stand in the bytes */
	uint32_t a, x, mem[BPF_MEMWORDS];
};

static uint8_t byte_of_chain(const struct pkt *p, uint32_t off)
{
	while (off >= p->len) {
		off -= p->len;
		p = p->next;
	}
	return p->data[off];
}

static uint8_t byte_at(const struct run *r, uint32_t off)
{
	if (!(r->p->flags & PKT_VLAN) || off < TAG_AT)
		return byte_of_chain(r->p, off);
	if (off >= TAG_AT + VLAN_TAG)
		return byte_of_chain(r->p, off - VLAN_TAG);
	return ((uint32_t)ETH_P_VLAN << 16 | r->p->vlan_tci) >> (8 * (TAG_AT + VLAN_TAG - 1 - off));
}

/* load() - @size bytes from @off on, big-endian; false if the frame ends before. */
static bool load(const struct run *r, uint32_t off, unsigned size, uint32_t *v)
{
	if (off > r->len || size > r->len - off)
		return false;
	*v = 0;
	while (size--)
		*v = *v << 8 | byte_at(r, off++);
	return true;
}

/*
 * A tag is never beside the frame, as byte_at() puts it back: a program then looks
 * for it where wires have it.
 */
static uint32_t ancillary(const struct run *r, uint32_t k)
{
	uint32_t type = 0;

	switch (k - (uint32_t)BPF_ANCILLARY) {
	case ANC_PROTOCOL: load(r, ETHERTYPE_AT, 2, &type); return type;
	case ANC_IFINDEX: return r->port;
	case ANC_QUEUE: return r->p->rx_queue;
	case ANC_CPU: return this_cpu()->id;
	default: return 0;
	}
}

/* --- running --- */

static bool load_a(struct run *r, const struct bpf_insn *i)
{
	unsigned size = FIELD_GET(CODE_SIZE, i->code) == FIELD_GET(CODE_SIZE, BPF_W)   ? 4
			: FIELD_GET(CODE_SIZE, i->code) == FIELD_GET(CODE_SIZE, BPF_H) ? 2
										       : 1;

	switch (i->code & CODE_MODE) {
	case BPF_IMM: r->a = i->k; return true;
	case BPF_LEN: r->a = r->len; return true;
	case BPF_MEM: r->a = r->mem[i->k]; return true;
	case BPF_IND:
		/* no sum that wraps comes back into the frame */
		return i->k + (uint64_t)r->x <= r->len && load(r, i->k + r->x, size, &r->a);
	default:
		if ((int32_t)i->k >= 0)
			return load(r, i->k, size, &r->a);
		r->a = ancillary(r, i->k);
		return true;
	}
}

static bool load_x(struct run *r, const struct bpf_insn *i)
{
	uint32_t v;

	switch (i->code & CODE_MODE) {
	case BPF_IMM: r->x = i->k; return true;
	case BPF_LEN: r->x = r->len; return true;
	case BPF_MEM: r->x = r->mem[i->k]; return true;
	default:
		if (!load(r, i->k, 1, &v))
			return false;
		r->x = 4 * FIELD_GET(IHL_WORDS, v);
		return true;
	}
}

static bool compute(struct run *r, const struct bpf_insn *i)
{
	uint32_t v = i->code & CODE_SRC ? r->x : i->k;
	unsigned op = i->code & CODE_OP;

	if ((op == BPF_DIV || op == BPF_MOD) && v == 0)
		return false;
	switch (op) {
	case BPF_ADD: r->a += v; break;
	case BPF_SUB: r->a -= v; break;
	case BPF_MUL: r->a *= v; break;
	case BPF_DIV: r->a /= v; break;
	case BPF_MOD: r->a %= v; break;
	case BPF_OR: r->a |= v; break;
	case BPF_AND: r->a &= v; break;
	case BPF_XOR: r->a ^= v; break;
	case BPF_LSH: r->a = v < 32 ? r->a << v : 0; break;
	case BPF_RSH: r->a = v < 32 ? r->a >> v : 0; break;
	default: r->a = -r->a;
	}
	return true;
}

/* skipped() - how many instructions the jump @i leaves out. */
static uint32_t skipped(const struct run *r, const struct bpf_insn *i)
{
	uint32_t v = i->code & CODE_SRC ? r->x : i->k;

	switch (i->code & CODE_OP) {
	case BPF_JA: return i->k;
	case BPF_JEQ: return r->a == v ? i->jt : i->jf;
	case BPF_JGT: return r->a > v ? i->jt : i->jf;
	case BPF_JGE: return r->a >= v ? i->jt : i->jf;
	default: return r->a & v ? i->jt : i->jf;
	}
}

uint32_t bpf_run(const struct bpf_prog *prog, const struct pkt *p, uint16_t port)
{
	struct run r = {
		.p = p,
		.port = port,
		.len = p->frame_len + (p->flags & PKT_VLAN ? VLAN_TAG : 0),
	};
	bool more = true;

	for (const struct bpf_insn *i = prog->insn; more; i++) {
		switch (FIELD_GET(CODE_CLASS, i->code)) {
		case BPF_LD: more = load_a(&r, i); break;
		case BPF_LDX: more = load_x(&r, i); break;
		case BPF_ST: r.mem[i->k] = r.a; break;
		case BPF_STX: r.mem[i->k] = r.x; break;
		case BPF_ALU: more = compute(&r, i); break;
		case BPF_JMP: i += skipped(&r, i); break;
		case BPF_RET: return i->code & BPF_A ? r.a : i->k;
		case BPF_MISC:
			if (i->code & BPF_TXA)
				r.a = r.x;
			else
				r.x = r.a;
		}
	}
	return 0;
}
