/* SPDX-License-Identifier: MIT */
/*
 * fuzz_parse.c - any bytes as a frame: parse() reads within it, and the shortcuts build the key that it builds
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -o fuzz_parse tests/fuzz/fuzz_parse.c net/parse.c
 *	./fuzz_parse -max_len=200 -max_total_time=60
 */
#include "net/parse.h"

#include <stdlib.h>
#include <string.h>

/* one core, for the counters */
static struct cpu core;
struct cpu *cpus[MAX_CPUS] = { &core };
unsigned ncpus = 1;
_Thread_local struct cpu *host_this_cpu = &core;

static void check(const struct pkt *p)
{
	struct flow_key whole, shortcut;
	enum drop_reason why = parse(p, 7, &whole);
	uint64_t w[KEY_WORDS_SHORT];

	if (parse_plain(p->data, p->frame_len, 7, w) &&
	    (why != PARSE_OK || memcmp(w, whole.w, sizeof(w))))
		abort();
	if (parse_usual(p->data, p->frame_len, 7, &shortcut) &&
	    (why != PARSE_OK || memcmp(&shortcut, &whole, sizeof(whole))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pkt p = { .nsegs = 1 };

	if (size > PKT_BUF_SIZE)
		return 0;
	p.len = p.frame_len = size;
	p.data = malloc(size ? size
			     : 1); /* exactly as long: the sanitizer sees a look behind its end */
	memcpy(p.data, data, size);
	check(&p);
	free(p.data);
	return 0;
}
