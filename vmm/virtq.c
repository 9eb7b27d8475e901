/* SPDX-License-Identifier: MIT */
/*
 * virtq.c - split virtqueues: taking buffers, giving them back, and who wants to
 * be told [virtio 1.2 2.7]
 *
 * Called by who serves the queue: the vhost worker on its core, under the vring's mutex; the
 * control queue's device on the vCPU's core. Owns struct virtq; the rings themselves are shared
 * with a driver that may do anything at any moment.
 *
 * What the driver can write is read once, by a volatile load of the whole word, into a local; only
 * the local is checked and used. An address becomes a pointer in gpa_ptr() alone, and what it
 * returns stays good: a guest's RAM never moves.
 */
#include "virtq.h"

#include <errno.h>

/* alignment [2.7, table] */
enum { DESC_ALIGN = 16, AVAIL_ALIGN = 2, USED_ALIGN = 4 };

/* a notification this far ahead is not asked for: half of all indices, since 16 bits wrap */
enum { EVENT_FAR = 0x8000 };

_Static_assert(sizeof(struct virtq_desc) == DESC_ALIGN, "[2.7.5]");
_Static_assert(offsetof(struct virtq_desc, flags) == 12, "[2.7.5]");
_Static_assert(sizeof(struct virtq_used_elem) == 8, "[2.7.8]");

int virtq_break(struct virtq *vq, const char *why)
{
	vq->broken = why;
	return -EINVAL;
}

/* ring_ptr() - a ring of @len bytes at @gpa; NULL unless aligned and all in RAM. */
static void *ring_ptr(const struct gpa_map *mem, uint64_t gpa, uint64_t len, uint64_t align)
{
	return gpa % align ? NULL : gpa_ptr(mem, gpa, len);
}

int virtq_start(struct virtq *vq, const struct gpa_map *mem, unsigned size, uint64_t desc,
		uint64_t avail, uint64_t used, uint16_t base)
{
	uint64_t avail_len = sizeof(uint16_t) * (VIRTQ_RING + (uint64_t)size + 1);
	uint64_t used_len = sizeof(uint16_t) * (VIRTQ_RING + 1) +
			    sizeof(struct virtq_used_elem) * (uint64_t)size;

	if (!size || size & (size - 1) || size > VIRTQ_SIZE_MAX)
		return virtq_break(vq, "a queue size that is no power of two up to 256");
	vq->desc = ring_ptr(mem, desc, sizeof(*vq->desc) * (uint64_t)size, DESC_ALIGN);
	vq->avail = ring_ptr(mem, avail, avail_len, AVAIL_ALIGN);
	vq->used = ring_ptr(mem, used, used_len, USED_ALIGN);
	if (!vq->desc || !vq->avail || !vq->used)
		return virtq_break(vq, "rings that are misaligned or not in memory");
	vq->mem = mem;
	vq->size = size;
	vq->last_avail = vq->avail_seen = vq->used_idx = vq->signalled = base;
	vq->broken = NULL;
	virtq_notify_on(vq);
	return 0;
}

/* see_avail() - read the driver's index; false if it cannot be. */
static bool see_avail(struct virtq *vq)
{
	/*
	 * acquire: pairs with the driver's barrier before it moves the index; ring and
	 * descriptors are read after it
	 */
	uint16_t idx = __atomic_load_n(&vq->avail[VIRTQ_IDX], __ATOMIC_ACQUIRE);

	if (unlikely((uint16_t)(idx - vq->last_avail) > vq->size)) {
		virtq_break(vq, "an available index that jumps");
		return false;
	}
	vq->avail_seen = idx;
	return true;
}

bool virtq_more(struct virtq *vq)
{
	if (unlikely(vq->broken))
		return false;
	if (likely(vq->last_avail != vq->avail_seen))
		return true;
	return see_avail(vq) && vq->last_avail != vq->avail_seen;
}

/* read_desc() - a copy of *d, each word of it read once. */
static inline struct virtq_desc read_desc(const volatile struct virtq_desc *d)
{
	return (struct virtq_desc){ d->addr, d->len, d->flags, d->next };
}

/* --- chains of more than one piece --- */

/* where a walk stands: a table of descriptors, the queue's own or an indirect one */
struct walk {
	const volatile struct virtq_desc *table; /* guest-controlled */
	unsigned size;
	bool indirect;
};

/*
 * does the chain from @i on end at all? Asked when it is too long, to say in which way; it
 * may have changed meanwhile.
 */
static bool chain_ends(const struct walk *w, unsigned i)
{
	for (unsigned n = 0; n < w->size && i < w->size; n++) {
		struct virtq_desc d = read_desc(&w->table[i]);

		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			return true;
		i = d.next;
	}
	return false;
}

/* enter_table() - go on in the indirect table that @d names [2.7.5.3]. */
static int enter_table(struct virtq *vq, struct walk *w, const struct virtq_desc *d)
{
	if (!vq->indirect)
		return virtq_break(vq, "an indirect descriptor, which was not negotiated");
	if (w->indirect)
		return virtq_break(vq, "an indirect table within an indirect table");
	if (d->flags & VIRTQ_DESC_F_NEXT)
		return virtq_break(vq, "an indirect descriptor that goes on");
	if (!d->len || d->len % sizeof(*d))
		return virtq_break(vq,
				   "an indirect table whose length is no number of descriptors");
	if (d->len / sizeof(*d) > vq->size)
		return virtq_break(vq, "an indirect table longer than the queue");
	w->table = gpa_ptr(vq->mem, d->addr, d->len);
	if (!w->table)
		return virtq_break(vq, "an indirect table that is not in memory");
	w->size = d->len / sizeof(*d);
	w->indirect = true;
	return 0;
}

/* add_seg() - one more piece, checked. */
static int add_seg(struct virtq *vq, struct virtq_chain *c, const struct virtq_desc *d)
{
	uint8_t *p = gpa_ptr(vq->mem, d->addr, d->len);
	unsigned n = c->nread + c->nwrite;

	if (unlikely(!p))
		return virtq_break(vq, d->len ? "a descriptor that is not in memory"
					      : "a descriptor of no length");
	c->seg[n] = (struct virtq_seg){ p, d->len };
	if (d->flags & VIRTQ_DESC_F_WRITE) {
		c->nwrite++;
		c->write_bytes += d->len;
		if (c->write_bytes >= d->len)
			return 0;
	} else if (likely(!c->nwrite)) {
		c->nread++;
		c->read_bytes += d->len;
		if (c->read_bytes >= d->len)
			return 0;
	} else {
		return virtq_break(vq, "a buffer to read behind one to write");
	}
	return virtq_break(vq, "a chain of more than 4 GiB");
}

/*
 * follow() - the whole chain from descriptor @i on. Ends: each turn adds a piece,
 * or enters the one table.
 */
static __attribute__((noinline)) int follow(struct virtq *vq, struct virtq_chain *c, unsigned i)
{
	struct walk w = { .table = vq->desc, .size = vq->size };

	c->nread = c->nwrite = 0;
	c->read_bytes = c->write_bytes = 0;
	for (;;) {
		struct virtq_desc d;

		if (i >= w.size)
			return virtq_break(vq, "a next descriptor beyond the table");
		d = read_desc(&w.table[i]);
		if (d.flags & VIRTQ_DESC_F_INDIRECT) {
			if (enter_table(vq, &w, &d))
				return -EINVAL;
			i = 0;
			continue;
		}
		if (c->nread + c->nwrite == VIRTQ_SEGS_MAX)
			return virtq_break(vq, chain_ends(&w, i) ? "a chain of more than 64 pieces"
								 : "a chain that loops");
		if (add_seg(vq, c, &d))
			return -EINVAL;
		if (!(d.flags & VIRTQ_DESC_F_NEXT))
			return 1;
		i = d.next;
	}
}

/* --- and the common one: a single piece. All calls are the last, so it saves no registers --- */

static __attribute__((noinline)) int look_and_pop(struct virtq *vq, struct virtq_chain *c)
{
	if (virtq_more(vq))
		return virtq_pop(vq, c);
	return vq->broken ? -EINVAL : 0;
}

int virtq_pop(struct virtq *vq, struct virtq_chain *c)
{
	struct virtq_desc d;
	uint16_t head;
	uint8_t *p;

	if (unlikely(vq->broken))
		return -EINVAL;
	if (unlikely(vq->last_avail == vq->avail_seen))
		return look_and_pop(vq, c);
	head = vq->avail[VIRTQ_RING + (vq->last_avail & (vq->size - 1))];
	if (unlikely(head >= vq->size))
		return virtq_break(vq, "an available descriptor beyond the table");
	vq->last_avail++;
	c->head = head;
	d = read_desc(&vq->desc[head]);
	if (unlikely(d.flags & (VIRTQ_DESC_F_NEXT | VIRTQ_DESC_F_INDIRECT)))
		return follow(vq, c, head); /* reads it again, and goes by what it reads then */
	p = gpa_ptr(vq->mem, d.addr, d.len);
	if (unlikely(!p))
		return follow(vq, c, head); /* which says what is wrong */
	c->seg[0] = (struct virtq_seg){ p, d.len };
	c->nwrite = (d.flags & VIRTQ_DESC_F_WRITE) != 0;
	c->nread = !c->nwrite;
	c->read_bytes = c->nread ? d.len : 0;
	c->write_bytes = c->nread ? 0 : d.len;
	return 1;
}

/* --- who wants to be told --- */

/* crosses() - is @event among the indices from @from on that end before @to? [2.7.10] */
static bool crosses(uint16_t event, uint16_t from, uint16_t to)
{
	return (uint16_t)(to - event - 1) < (uint16_t)(to - from);
}

bool virtq_should_signal(struct virtq *vq)
{
	uint16_t from = vq->signalled, to = vq->used_idx;
	bool wanted;

	if (from == to)
		return false;
	vq->signalled = to;
	/*
	 * seq_cst: the used index is visible before the driver's wish is read. Pairs with the
	 * driver's barrier between its wish and its last look at the index: one of us sees the
	 * other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->event_idx)
		wanted = crosses(vq->avail[VIRTQ_RING + vq->size], from, to);
	else
		wanted = !(vq->avail[VIRTQ_FLAGS] & VIRTQ_AVAIL_F_NO_INTERRUPT);
	if (!wanted)
		vq->suppressed++;
	return wanted;
}

/* avail_event stands behind the used ring */
static void set_avail_event(struct virtq *vq, uint16_t event)
{
	vq->used[VIRTQ_RING + 4 * vq->size] = event;
}

bool virtq_notify_on(struct virtq *vq)
{
	uint16_t seen = vq->avail_seen;

	vq->notify_on = true;
	if (vq->event_idx)
		set_avail_event(vq, seen);
	else
		vq->used[VIRTQ_FLAGS] = 0;
	/*
	 * seq_cst: our wish is visible before the index is read. Pairs with the driver's barrier
	 * between the index and its look at our wish: either it kicks, or we see the buffer here.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return see_avail(vq) && vq->avail_seen != seen;
}

void virtq_notify_off(struct virtq *vq)
{
	if (!vq->notify_on)
		return;
	vq->notify_on = false;
	if (vq->event_idx)
		set_avail_event(vq, vq->avail_seen + EVENT_FAR);
	else
		vq->used[VIRTQ_FLAGS] = VIRTQ_USED_F_NO_NOTIFY;
}
