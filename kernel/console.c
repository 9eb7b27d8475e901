/* SPDX-License-Identifier: MIT */
/*
 * console.c - the rings between Weir and its terminal
 *
 * Written by every core (kprintf) and by the control context (the shell); drained by the device's
 * interrupt. Owns both rings. The output ring has a lock, since it has many writers; the input ring
 * has one writer, the device's interrupt, and one reader, the control context, and so needs none.
 */
#include "console.h"

#include "control.h"
#include "counter.h"
#include "irq.h"
#include "lock.h"
#include "time.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
	OUT_SIZE = 64 * 1024,      /* bytes, a power of two */
	OUT_RESUME = OUT_SIZE / 4, /* a writer that waits goes on when this much is free */
	IN_SIZE = 4096,
	CTRL_C = 3,
	LINE = 512,           /* longest kprintf() */
	CHUNK = 64,           /* bytes drained at a time by polling */
	STALL_MS = 30 * 1000, /* a device that takes nothing for so long is given up */
};

COUNTER(out_lost, "console.out_lost", "bytes of output dropped, ring full");
COUNTER(in_lost, "console.in_lost", "bytes typed and dropped, ring full");

static struct {
	struct spinlock lock; /* guards all below, interrupts off */
	uint32_t head, tail;  /* run freely: next byte to fill, next to drain */
	uint64_t gap;         /* bytes lost since the last that got in: a note will say so */
	bool stalled; /* a writer has given up waiting, and the device has taken nothing since */
	bool polled;  /* console_flush_now() drains it: the device's interrupt gets nothing */
	char byte[OUT_SIZE];
} out;

static struct {
	/* by console_in_put() */
	_Atomic uint32_t head; /* runs freely: next slot to fill */
	bool gap;              /* bytes were lost since the last that got in */
	/* by console_in_get() */
	_Alignas(CACHE_LINE) _Atomic uint32_t tail;
	/* by both, each slot in its turn */
	uint16_t byte[IN_SIZE]; /* with CONSOLE_IN_GAP where some were lost in front of it */
} in;

static const struct console_ops *ops;
static bool panicking; /* every other core is dead or dying: no lock, no ring */

/* out_lock() - a panic takes no lock: who holds it may never let go. */
static uint64_t out_lock(void)
{
	uint64_t flags = irq_save();

	if (!panicking)
		spin_lock(&out.lock);
	return flags;
}

static void out_unlock(uint64_t flags)
{
	if (!panicking)
		spin_unlock(&out.lock);
	irq_restore(flags);
}

static uint32_t out_room(void)
{
	return OUT_SIZE - (out.head - out.tail);
}

/*
 * ring_put() - what fits of @s, newlines as the terminal wants them. Lock held. Returns the bytes
 * of @s taken.
 */
static size_t ring_put(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (out_room() < 2)
			return i;
		if (s[i] == '\n')
			out.byte[out.head++ % OUT_SIZE] = '\r';
		out.byte[out.head++ % OUT_SIZE] = s[i];
	}
	return n;
}

/* gap_note() - say where output is missing, now that there is room to say it. Lock held. */
static void gap_note(void)
{
	char note[64];
	unsigned n = snprintf(note, sizeof(note), "\n[console: %lu bytes lost here]\n",
			      (unsigned long)out.gap);

	if (out_room() < 2 * n)
		return;
	ring_put(note, n);
	out.gap = 0;
}

/* out_put() - append what fits; returns how much. The rest is the caller's. */
static size_t out_put(const char *s, size_t n)
{
	uint64_t flags = out_lock();
	size_t put = 0;

	if (out.gap)
		gap_note();
	if (!out.gap)
		put = ring_put(s, n);
	out_unlock(flags);
	if (ops)
		ops->kick();
	return put;
}

static void out_lose(size_t n)
{
	uint64_t flags;

	if (n == 0)
		return;
	flags = out_lock();
	out.gap += n;
	out_unlock(flags);
	counter_add(&out_lost, n);
}

static void put_now(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			ops->put_now('\r');
		ops->put_now(s[i]);
	}
}

void console_write(const char *s, size_t n)
{
	if (panicking && ops)
		put_now(s, n);
	else
		out_lose(n - out_put(s, n));
}

/* give_up() - nobody waits again until the device takes something. */
static bool give_up(void)
{
	uint64_t flags = out_lock();

	out.stalled = true;
	out_unlock(flags);
	return false;
}

/*
 * wait_for_room() - false if the device has stopped taking anything. Looks without the lock, a hint
 * is enough.
 */
static bool wait_for_room(void)
{
	uint64_t since = rdtsc();
	uint32_t tail = out.tail;

	if (!ops || out.stalled)
		return false;
	if (!this_cpu()->in_control) {
		console_flush_now();
		return true;
	}
	while (out_room() < OUT_RESUME) {
		yield();
		cpu_pause();
		if (out.tail != tail) {
			tail = out.tail;
			since = rdtsc();
		} else if (rdtsc() - since > tsc_khz * STALL_MS) {
			return give_up();
		}
	}
	return true;
}

void console_write_wait(const char *s, size_t n)
{
	for (;;) {
		size_t put = out_put(s, n);

		s += put;
		n -= put;
		if (n == 0)
			return;
		if (!wait_for_room())
			break;
	}
	out_lose(n);
}

void kprintf(const char *fmt, ...)
{
	static const char cut[] = "... (cut)\n";
	char line[LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= LINE) { /* no heap here: kprintf is called from the packet path and from a panic */
		n = LINE - 1;
		memcpy(line + LINE - sizeof(cut), cut, sizeof(cut));
	}
	if (n > 0)
		console_write(line, n);
}

void console_attach(const struct console_ops *device)
{
	ops = device;
	ops->kick();
}

/* ring_take() - up to @max bytes, oldest first. Lock held. */
static size_t ring_take(char *buf, size_t max)
{
	size_t n = 0;

	while (n < max && out.tail != out.head)
		buf[n++] = out.byte[out.tail++ % OUT_SIZE];
	if (n)
		out.stalled = false;
	return n;
}

size_t console_out_get(char *buf, size_t max)
{
	uint64_t flags = out_lock();
	size_t n = out.polled ? 0 : ring_take(buf, max);

	out_unlock(flags);
	return n;
}

/*
 * poll_take() - the same for who polls. The interrupt may be another core's: were it to take bytes
 * while these here are being sent, they would overtake each other. It gets none until all are sent,
 * and then needs none.
 */
static size_t poll_take(char *buf, size_t max)
{
	uint64_t flags = out_lock();
	size_t n = ring_take(buf, max);

	out.polled = n > 0;
	out_unlock(flags);
	return n;
}

void console_flush_now(void)
{
	char buf[CHUNK];

	if (!ops)
		return;
	for (size_t n; (n = poll_take(buf, sizeof(buf)));)
		for (size_t i = 0; i < n; i++)
			ops->put_now(buf[i]);
	if (ops->drain_now)
		ops->drain_now();
}

void console_panic(void)
{
	panicking = true;
	console_flush_now();
}

bool console_in_put(char c)
{
	uint32_t head = atomic_load_explicit(&in.head, memory_order_relaxed);

	/*
	 * acquire: pairs with the release in console_in_get; the byte has been read before we
	 * overwrite it
	 */
	if (head - atomic_load_explicit(&in.tail, memory_order_acquire) == IN_SIZE) {
		in.gap = true;
		counter_inc(&in_lost);
		return false;
	}
	in.byte[head % IN_SIZE] = (unsigned char)c | (in.gap ? CONSOLE_IN_GAP : 0);
	in.gap = false;
	/*
	 * release: pairs with the acquire in console_in_get; the byte is there before the index
	 * says so
	 */
	atomic_store_explicit(&in.head, head + 1, memory_order_release);
	control_wake();
	return true;
}

int console_in_get(void)
{
	uint32_t tail = atomic_load_explicit(&in.tail, memory_order_relaxed);
	int c;

	if (tail == atomic_load_explicit(&in.head, memory_order_acquire))
		return -1;
	c = in.byte[tail % IN_SIZE];
	atomic_store_explicit(&in.tail, tail + 1, memory_order_release);
	return c;
}

bool console_interrupted(void)
{
	uint32_t tail = atomic_load_explicit(&in.tail, memory_order_relaxed);
	/* acquire: pairs with the release in console_in_put() */
	uint32_t head = atomic_load_explicit(&in.head, memory_order_acquire);

	while (tail != head) {
		if ((in.byte[tail++ % IN_SIZE] & ~CONSOLE_IN_GAP) != CTRL_C)
			continue;
		/* release: pairs with the acquire in console_in_put() */
		atomic_store_explicit(&in.tail, tail, memory_order_release);
		return true;
	}
	return false;
}
