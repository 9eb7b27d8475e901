/* SPDX-License-Identifier: MIT */
/*
 * hostlink.c - requests to the host, one at a time: sent, waited for, sent
 * again if that came to nothing
 *
 * Called by commands, in the control context on core 0. Owns the sequence number and the
 * reason of the last failure.
 */
#include "hostlink.h"

#include "bits.h"
#include "control.h"
#include "cpu.h"
#include "time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	ATTEMPTS = 3,
	PATIENCE_MS = 2000, /* for an answer, and for the device to take more */
	BURST = 64,         /* bytes between two turns of the core loop */
	/*
	 * what is passed over, at most: bytes in front of a head, and answers to earlier requests
	 */
	RUBBISH_MAX = 64 * 1024,
	LATE_MAX = 16,
};

_Static_assert(sizeof(struct hostlink_head) == 16, "the host's half reads it");

/* what goes out behind a head: up to two pieces */
struct piece {
	const void *bytes;
	size_t len;
};

static const struct hostlink_ops *ops;
static uint16_t seq;
static char reason[160];

void hostlink_attach(const struct hostlink_ops *device)
{
	ops = device;
	seq = rdtsc(); /* no run begins as the one before it, if the host is still the same */
}

const char *hostlink_reason(void)
{
	return reason;
}

static int __attribute__((format(printf, 2, 3))) fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err;
}

/*
 * crc() - of @n bytes more, where @v is that of those before; ~0 begins, and the end is
 * inverted. Four bits a step.
 */
static uint32_t crc(uint32_t v, const void *bytes, size_t n)
{
	static const uint32_t quarter[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = bytes;

	while (n--) {
		v = v >> 4 ^ quarter[(v ^ *p) % 16];
		v = v >> 4 ^ quarter[(v ^ *p++ >> 4) % 16];
	}
	return v;
}

static uint32_t crc_of_head(const struct hostlink_head *h)
{
	return crc(~0u, h, offsetof(struct hostlink_head, crc));
}

/* --- bytes --- */

static bool late(uint64_t end)
{
	return rdtsc() > end;
}

static uint64_t soon(void)
{
	return rdtsc() + tsc_from_us(PATIENCE_MS * 1000);
}

static int put(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t end = soon();

	while (n) {
		unsigned took = ops->write(p, MIN(n, (size_t)BURST));

		if (took)
			end = soon();
		else if (late(end))
			return -ETIMEDOUT;
		p += took;
		n -= took;
		yield();
	}
	return 0;
}

/* get() - exactly @n bytes. */
static int get(void *bytes, size_t n)
{
	uint8_t *p = bytes;
	uint64_t end = soon();

	while (n) {
		unsigned got = ops->read(p, MIN(n, (size_t)BURST));

		if (got)
			end = soon();
		else if (late(end))
			return -ETIMEDOUT;
		p += got;
		n -= got;
		if (n)
			yield();
	}
	return 0;
}

/* --- frames --- */

static int send(struct hostlink_head *h, const struct piece piece[2])
{
	uint32_t sum;
	int err;

	h->len = piece[0].len + piece[1].len;
	sum = crc_of_head(h);
	sum = crc(sum, piece[0].bytes, piece[0].len);
	h->crc = ~crc(sum, piece[1].bytes, piece[1].len);
	err = put(h, sizeof(*h));
	for (unsigned i = 0; i < 2 && !err; i++)
		err = put(piece[i].bytes, piece[i].len);
	return err;
}

/*
 * get_head() - the next head; what stands in front of its magic number is the
 * rest of something damaged.
 */
static int get_head(struct hostlink_head *h)
{
	uint8_t *bytes = (uint8_t *)h;
	int err = get(h, sizeof(h->magic));

	for (unsigned passed = 0; !err && h->magic != HOSTLINK_MAGIC; passed++) {
		if (passed == RUBBISH_MAX)
			return -EIO;
		memmove(bytes, bytes + 1, sizeof(h->magic) - 1);
		err = get(bytes + sizeof(h->magic) - 1, 1);
	}
	return err ? err : get(bytes + sizeof(h->magic), sizeof(*h) - sizeof(h->magic));
}

/*
 * get_body() - what is behind @h: into buf[size], or, if the host says no, into
 * reason. Returns how long it is.
 */
static int get_body(const struct hostlink_head *h, void *buf, size_t size)
{
	int err;

	if (h->status) {
		buf = reason;
		size = sizeof(reason) - 1;
	}
	if (h->len > size)
		return fail(-EMSGSIZE, "the host answers with %u bytes", (unsigned)h->len);
	err = get(buf, h->len);
	if (err)
		return err;
	if (~crc(crc_of_head(h), buf, h->len) != h->crc)
		return -EIO;
	if (h->status) {
		reason[h->len] = 0;
		return -EPROTO;
	}
	return h->len;
}

/* receive() - the answer to @sent; late ones to earlier requests are passed over. */
static int receive(const struct hostlink_head *sent, void *buf, size_t size)
{
	struct hostlink_head h;

	for (unsigned late = 0; late < LATE_MAX; late++) {
		int n = get_head(&h);

		if (n >= 0)
			n = get_body(&h, buf, size);
		if ((n < 0 && n != -EPROTO) || (h.seq == sent->seq && h.type == sent->type))
			return n;
	}
	return -EIO;
}

/* request() - do it, or have it done again; returns the answer's length. */
static int request(enum hostlink_type type, struct piece first, struct piece second, void *buf,
		   size_t size)
{
	struct hostlink_head h = { .magic = HOSTLINK_MAGIC, .type = type, .seq = ++seq };
	int err = -ETIMEDOUT;

	if (!ops)
		return fail(-ENODEV, "this machine has no second serial port");
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		err = send(&h, (struct piece[2]){ first, second });
		if (!err)
			err = receive(&h, buf, size);
		if (err != -ETIMEDOUT && err != -EIO)
			return err;
	}
	return fail(err, err == -EIO ? "what the host answers arrives damaged"
				     : "nobody answers at the other end of the second serial port");
}

/* --- what can be asked for --- */

static struct piece text(const char *s)
{
	return (struct piece){ s, strlen(s) };
}

int hostlink_compile(const char *expr, void *buf, size_t size)
{
	return request(HOSTLINK_COMPILE, text(expr), (struct piece){ 0 }, buf, size);
}

static bool name_is_plain(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n < HOSTLINK_NAME && *name != '.' && strspn(name, letters) == n;
}

int hostlink_create(const char *name)
{
	uint32_t handle;
	int n;

	if (!name_is_plain(name))
		return fail(-EINVAL, "a file on the host has a name of at most 63 letters, digits, "
				     "dots and dashes, and no dot in front");
	n = request(HOSTLINK_CREATE, text(name), (struct piece){ 0 }, &handle, sizeof(handle));
	return n < 0 ? n : (int)handle;
}

int hostlink_write(int handle, const void *buf, size_t n)
{
	const uint32_t to = handle;
	const uint8_t *p = buf;
	int err = 0;

	while (n && err >= 0) {
		size_t part = MIN(n, (size_t)HOSTLINK_CHUNK);

		err = request(HOSTLINK_WRITE, (struct piece){ &to, sizeof(to) },
			      (struct piece){ p, part }, NULL, 0);
		p += part;
		n -= part;
	}
	return err;
}

int hostlink_close(int handle)
{
	const uint32_t which = handle;

	return request(HOSTLINK_CLOSE, (struct piece){ &which, sizeof(which) }, (struct piece){ 0 },
		       NULL, 0);
}
