/* SPDX-License-Identifier: MIT */
/* tcpdump.h - the words of `tcpdump`, as tcpdump_words.c reads them for tcpdump.c */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/shell.h"
#include "net/bpf.h"
#include "net/port.h"

enum { TCPDUMP_EXPRESSION = 512 };

struct tcpdump_words {
	bool any;
	struct port *port;                   /* unless any */
	unsigned long count;                 /* packets, 0: till Ctrl-C */
	uint32_t snaplen, ring;              /* bytes, of a packet and of each core's ring */
	uint8_t where;                       /* enum tap_where */
	bool link, absolute;                 /* -e -S */
	unsigned verbose;                    /* -v, -vv */
	unsigned hex;                        /* -x: 1, -xx: 2; -X: HEX_LETTERS and the same */
	unsigned bare;                       /* -t: how often */
	const char *file;                    /* -w; NULL: to the shell */
	struct bpf_prog *filter;             /* NULL: everything; on the heap */
	char expression[TCPDUMP_EXPRESSION]; /* that it was compiled from, or "" */
};

enum { HEX_LETTERS = 16 };

/*
 * tcpdump_read() - words 1 to @n - 1 of the line that @sh runs. 0 or a
 * negative errno, having said why.
 */
int tcpdump_read(struct shell *sh, int n, const struct word *w, struct tcpdump_words *to);

/*
 * bpf_word() - word @i is a program, or with @file the name of one in the boot
 * archive. NULL, having said why.
 */
struct bpf_prog *bpf_word(struct shell *sh, int i, bool file);
