/* SPDX-License-Identifier: MIT */
/*
 * bytes.c - the bytes of a packet, whatever buffers they lie in. Any core,
 * any context. Owns nothing.
 */
#include "bytes.h"

void bytes_trim(struct pkt *p, uint32_t len)
{
	struct pkt *last = p, *rest;
	uint32_t left = len;

	p->frame_len = len;
	p->nsegs = 1;
	while (left > last->len) {
		left -= last->len;
		last = last->next;
		p->nsegs++;
	}
	last->len = left;
	rest = last->next;
	last->next = NULL;
	if (rest)
		pkt_free(rest);
	if (!p->next)
		p->flags &= ~PKT_CHAIN;
}

void bytes_pad(struct pkt *p, uint32_t len)
{
	uint32_t n = len - p->frame_len;
	struct pkt *last = p;

	while (last->next)
		last = last->next;
	memset(last->data + last->len, 0, n);
	last->len += n;
	p->frame_len = len;
}

uint32_t bytes_read(const struct pkt *p, uint32_t off, void *to, uint32_t n)
{
	uint32_t done = 0;

	seg_for_each(seg, (struct pkt *)p) {
		uint32_t take;

		if (off >= seg->len) {
			off -= seg->len;
			continue;
		}
		take = MIN(n - done, seg->len - off);
		memcpy((uint8_t *)to + done, seg->data + off, take);
		done += take;
		off = 0;
		if (done == n)
			break;
	}
	return done;
}

struct pkt *bytes_alloc(uint32_t n)
{
	struct pkt *first = NULL, **link = &first;
	uint32_t left = n;
	unsigned nsegs = 0;

	do {
		struct pkt *seg = pkt_alloc();

		if (!seg) {
			if (first)
				pkt_free(first);
			return NULL;
		}
		seg->data = pkt_buf(seg);
		pkt_begin(seg, MIN(left, PKT_BUF_SIZE));
		left -= seg->len;
		nsegs++;
		*link = seg;
		link = &seg->next;
	} while (left);
	first->frame_len = n;
	first->nsegs = nsegs;
	first->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

struct pkt *bytes_copy(const struct pkt *p, uint32_t off, uint32_t n)
{
	struct pkt *to = bytes_alloc(n);

	if (!to)
		return NULL;
	seg_for_each(seg, to) {
		bytes_read(p, off, seg->data, seg->len);
		off += seg->len;
	}
	return to;
}
