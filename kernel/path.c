/* SPDX-License-Identifier: MIT */
/*
 * path.c - rows of times for stamped packets
 *
 * Marks are written by the core that has the packet, one after another: whoever hands it on also
 * hands on its row. Rows are read while the cores are parked.
 */
#include "path.h"

#include "mem.h"
#include "time.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

const struct path_text path_text[PATH_N] = {
#define X(id, name, text) [PATH_##id] = { name, text },
	PATH_POINTS(X)
#undef X
};

struct path_cpu *path_of_cpu[MAX_CPUS];

static inline void begin(struct path_stamp *s, uint32_t number, struct pkt *p, unsigned port,
			 unsigned queue)
{
	*s = (struct path_stamp){ .owner = p, .number = number, .port = port, .queue = queue };
	s->len = p->frame_len;
	p->stamp = s;
	p->flags |= PKT_STAMPED;
}

void path_begin(struct pkt *p, unsigned port, unsigned queue)
{
	struct path_cpu *c = path_of_cpu[this_cpu()->id];
	struct path_stamp *s = &c->stamp[c->taken++ % PATH_STAMPS];

	begin(s, c->taken, p, port, queue);
}

void path_begin_in(struct path_stamp *s, struct pkt *p, unsigned port, unsigned queue)
{
	begin(s, s->number + 1, p, port, queue);
}

static inline void mark(struct path_stamp *s, enum path_point point, uint64_t tsc)
{
	if (s->tsc[point]) /* tried again, as a worker does that found no buffer */
		return;
	s->tsc[point] = tsc;
	s->cpu[point] = this_cpu()->id;
}

void path_mark_at(const struct pkt *p, enum path_point point, uint64_t tsc)
{
	if (p->stamp->owner == p)
		mark(p->stamp, point, tsc);
	else
		path_of_cpu[this_cpu()->id]->evicted++;
}

void path_mark_now(const struct pkt *p, enum path_point point)
{
	path_mark_at(p, point, rdtsc());
}

struct path_row path_row(const struct pkt *p)
{
	if (!(p->flags & PKT_STAMPED) || p->stamp->owner != p)
		return (struct path_row){ NULL, 0 };
	return (struct path_row){ p->stamp, p->stamp->number };
}

void path_mark_row(struct path_row row, enum path_point point)
{
	if (!row.stamp)
		return;
	if (row.stamp->number == row.number)
		mark(row.stamp, point, rdtsc());
	else
		path_of_cpu[this_cpu()->id]->evicted++;
}

bool path_read(struct path_row row, struct path_stamp *s)
{
	if (!row.stamp)
		return false;
	*s = *row.stamp; /* its core may write it anew meanwhile, the number among the first */
	atomic_thread_fence(memory_order_acquire);
	return s->number == row.number &&
	       *(volatile const uint32_t *)&row.stamp->number == row.number;
}

void path_signal(struct path_row row)
{
	path_of_cpu[this_cpu()->id]->signal = row;
}

struct path_row path_signalled(void)
{
	struct path_cpu *c = path_of_cpu[this_cpu()->id];

	return c ? c->signal : (struct path_row){ NULL, 0 };
}

int path_start(void)
{
	cpu_for_each(i) {
		if (path_of_cpu[i])
			continue;
		path_of_cpu[i] = mem_try_alloc(sizeof(*path_of_cpu[i]), CACHE_LINE);
		if (!path_of_cpu[i])
			return -ENOMEM;
		memset(path_of_cpu[i], 0, sizeof(*path_of_cpu[i]));
	}
	return 0;
}

void path_reset(void)
{
	cpu_for_each(i)
		if (path_of_cpu[i])
			memset(path_of_cpu[i], 0, sizeof(*path_of_cpu[i]));
}
