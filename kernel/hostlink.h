/* SPDX-License-Identifier: MIT */
/*
 * hostlink.h - the channel to the host: what Weir asks of the machine that it is an experiment on
 *
 * Requests and answers over a byte device (drivers/hostlink.c has one: COM2), one at a time,
 * each framed and with a checksum. The host's half is scripts/weirhost.py; there is none
 * unless somebody started it. It compiles filters, and it keeps files: in one directory that
 * it chose, by plain names.
 *
 * All of this is for the control context. Every wait is bounded and yields; nothing
 * here is on a packet's way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* a frame, both ways: this head, little-endian, then len bytes */
struct hostlink_head {
	uint32_t magic;
	uint8_t type;   /* enum hostlink_type; the answer has its request's */
	uint8_t status; /* 0; in an answer 1 if it is a sentence about why not */
	uint16_t seq;   /* a request that is sent again has the same, and the host answers it again
			   without doing it again */
	uint32_t len;
	uint32_t crc; /* CRC-32 [IEEE 802.3 3.2.9] of all of the frame but this word */
};

enum { HOSTLINK_MAGIC = 0x6b6e4c57 /* "WLnk" */, HOSTLINK_NAME = 64, HOSTLINK_CHUNK = 4096 };

enum hostlink_type {
	/* an expression; back come instructions of 8 bytes each, as struct bpf_insn */
	HOSTLINK_COMPILE = 1,
	HOSTLINK_CREATE = 2, /* a file's name; back comes a handle of 4 bytes */
	HOSTLINK_WRITE = 3,  /* a handle, then bytes */
	HOSTLINK_CLOSE = 4,  /* a handle */
};

/* what is needed of a device: both return how many bytes they moved, and do not wait */
struct hostlink_ops {
	unsigned (*write)(const uint8_t *buf, unsigned n);
	unsigned (*read)(uint8_t *buf, unsigned n);
};

/* hostlink_attach() - there is a device. At boot. */
void hostlink_attach(const struct hostlink_ops *ops);

/*
 * Below: 0 or more if all is well; -ENODEV without a device, -ETIMEDOUT if nobody answers, -EIO if
 * what comes is damaged, -EPROTO if the host says no, -EMSGSIZE if its answer is too long, -EINVAL
 * for a name that it would not take.
 */

/* hostlink_reason() - a sentence about the last of these that failed. */
const char *hostlink_reason(void);

/*
 * hostlink_compile() - the filter program for @expr, written as for tcpdump, into
 * buf[size]; returns its bytes.
 */
int hostlink_compile(const char *expr, void *buf, size_t size);

/*
 * hostlink_create() - begin file @name on the host, letters, digits, dots, dashes; returns
 * a handle for the others.
 */
int hostlink_create(const char *name);
int hostlink_write(int handle, const void *buf, size_t n);
int hostlink_close(int handle);
