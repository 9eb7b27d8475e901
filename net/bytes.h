/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - the bytes of a packet, whatever buffers they lie in
 *
 * For code that makes packets and takes headers off: Weir's own protocols. Offsets count from
 * the packet's first byte.
 */
#pragma once

#include "kernel/pkt.h"
#include "wire.h"

/*
 * bytes_pull() - take @n bytes off the front; they lie in the first buffer.
 * Returns what is first now.
 */
static inline uint8_t *bytes_pull(struct pkt *p, uint32_t n)
{
	p->len -= n;
	p->frame_len -= n;
	return p->data += n;
}

/* bytes_push() - @n bytes more in front, from the headroom. Returns the first of them. */
static inline uint8_t *bytes_push(struct pkt *p, uint32_t n)
{
	p->len += n;
	p->frame_len += n;
	return p->data -= n;
}

/* bytes_trim() - cut it down to @len bytes, which it has; buffers behind them go home. */
void bytes_trim(struct pkt *p, uint32_t len);

/* bytes_pad() - zeros behind it, up to @len bytes, for which the last buffer has room. */
void bytes_pad(struct pkt *p, uint32_t len);

/* bytes_read() - copy up to @n bytes from @off on; returns how many there were. */
uint32_t bytes_read(const struct pkt *p, uint32_t off, void *to, uint32_t n);

/*
 * bytes_alloc() - a packet of @n bytes, not set, in as few buffers as can be, all headroom
 * in front. NULL: too few.
 */
struct pkt *bytes_alloc(uint32_t n);

/*
 * bytes_copy() - the @n bytes from @off on as a packet of its own from this core's pool, in
 * as few buffers as can be, with all headroom in front. NULL if the pool has too few
 * buffers; nothing is taken then.
 */
struct pkt *bytes_copy(const struct pkt *p, uint32_t off, uint32_t n);
