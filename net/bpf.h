/* SPDX-License-Identifier: MIT */
/*
 * bpf.h - classic BPF: small programs that say of a frame how many of its bytes are wanted
 *
 * Two registers, A and X, 16 words of scratch memory, loads from the frame, jumps forward alone: a
 * program that bpf_check() took ends after at most as many steps as it has instructions. tcpdump's
 * and tc's filters are such programs; libpcap compiles them from "udp port 53".
 *
 * A program sees the frame as a wire would have it: a VLAN tag that a NIC has taken out
 * stands in its place again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/pkt.h"
#include "text.h"

enum {
	BPF_MAXINSNS = 4096,
	BPF_MEMWORDS = 16,
	/*
	 * loads from here on are not from the frame but of what is known
	 * about it: Linux's SKF_AD_OFF
	 */
	BPF_ANCILLARY = -0x1000,
};

struct bpf_insn {
	uint16_t code;
	uint8_t jt, jf; /* instructions to skip, if the condition holds and if not */
	uint32_t k;
};

_Static_assert(sizeof(struct bpf_insn) == 8, "as libpcap and Linux have it");

struct bpf_prog {
	unsigned n;
	struct bpf_insn insn[];
};

/*
 * bpf_check() - may @insn, @n instructions, be run? Returns NULL, or why not; *@where is the
 * instruction then, from 0. Only what has been checked may be given to bpf_run().
 */
const char *bpf_check(const struct bpf_insn *insn, unsigned n, unsigned *where);

/*
 * bpf_run() - 0 if the program does not want @p, else how many of its bytes it wants; a load
 * behind the end of the frame, or a division by zero, means 0. @port: the id of the port that @p
 * comes in by or leaves. Any core.
 */
uint32_t bpf_run(const struct bpf_prog *prog, const struct pkt *p, uint16_t port);

/*
 * bpf_parse() - a program as tc has it: "4,40 0 0 12,21 0 1 2054,6 0 0 4294967295,6 0 0 0", or as
 * `tcpdump -ddd` prints it, a line an instruction. @text is @len bytes. Returns the program,
 * checked, for free(); or NULL with a sentence in @why[@size].
 */
struct bpf_prog *bpf_parse(const char *text, size_t len, char *why, size_t size);

/* bpf_prog_of() - the same from instructions in an array. */
struct bpf_prog *bpf_prog_of(const struct bpf_insn *insn, unsigned n, char *why, size_t size);

/* bpf_text() - @prog as tc shows it. */
void bpf_text(const struct bpf_prog *prog, struct text *t);
