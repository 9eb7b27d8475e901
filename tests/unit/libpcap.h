/* SPDX-License-Identifier: MIT */
/*
 * libpcap.h - the host's libpcap as an oracle, found at run time: of its headers the
 * tests need a few lines only
 */
#pragma once

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <cmocka.h>

#include "net/bpf.h"

struct bpf_program {
	unsigned n;
	struct bpf_insn *insn;
};

struct pcap_pkthdr {
	struct timeval ts;
	uint32_t caplen, len;
};

enum { DLT_EN10MB = 1 };

static void *pcap_symbol(const char *name)
{
	static void *library;

	if (!library)
		library = dlopen("libpcap.so.0.8", RTLD_NOW);
	if (!library)
		fail_msg("%s; the package tcpdump brings it", dlerror());
	return dlsym(library, name);
}

/* pcap_compiled() - the program for @expr, which libpcap must take. */
static struct bpf_program pcap_compiled(const char *expr)
{
	void *(*open_dead)(int, int) = pcap_symbol("pcap_open_dead");
	int (*compile)(void *, struct bpf_program *, const char *, int, uint32_t) =
		pcap_symbol("pcap_compile");
	char *(*geterr)(void *) = pcap_symbol("pcap_geterr");
	void (*close)(void *) = pcap_symbol("pcap_close");
	void *p = open_dead(DLT_EN10MB, 262144);
	struct bpf_program prog = { 0 };

	if (compile(p, &prog, expr, 1, UINT32_MAX))
		fail_msg("libpcap does not take '%s': %s", expr, geterr(p));
	close(p);
	return prog;
}

static void pcap_forget(struct bpf_program *prog)
{
	void (*freecode)(struct bpf_program *) = pcap_symbol("pcap_freecode");

	freecode(prog);
}

/* pcap_verdict() - what libpcap's own interpreter says of a frame. */
static uint32_t pcap_verdict(const struct bpf_program *prog, const uint8_t *frame, uint32_t len)
{
	static int (*offline)(const struct bpf_program *, const struct pcap_pkthdr *,
			      const uint8_t *);
	struct pcap_pkthdr h = { .caplen = len, .len = len };

	if (!offline)
		offline = pcap_symbol("pcap_offline_filter");
	return offline(prog, &h, frame);
}
