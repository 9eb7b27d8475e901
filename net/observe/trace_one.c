/* SPDX-License-Identifier: MIT */
/*
 * trace_one.c - `trace one`: the next frame is caught, and followed through every stage
 *
 * trace_one_arm() has records kept, registers traced and whoever receives frames looked at, in the
 * control context: NICs' queues by trace_one_nic.c, guests' batches here. The frame is caught on
 * the core that receives it: the first that gets there has it, and everybody else goes the usual
 * way from then on. Nothing of this is there while nobody asks.
 */
#include "trace_one.h"

#include "kernel/park.h"
#include "drivers/netdev.h"
#include "path_trace.h"
#include "trace_one_catch.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { RECORDS_BEHIND = TRACE_RING * 3 / 4 }; /* of each core: the rest is what came before */

enum state { IDLE, ARMED, CATCHING, CAUGHT };

static _Atomic enum state state;
static struct trace_one one;
static struct path_row row;
static struct port *wanted; /* NULL: any */
static int wanted_queue;    /* -1: any */

static bool is_wanted(const struct port *port, unsigned queue)
{
	return (!wanted || wanted == port) && (wanted_queue < 0 || (unsigned)wanted_queue == queue);
}

struct trace_one *trace_one_claim(const struct port *port, unsigned queue)
{
	enum state armed = ARMED;

	if (atomic_load_explicit(&state, memory_order_relaxed) != ARMED ||
	    !is_wanted(port, queue) || !atomic_compare_exchange_strong(&state, &armed, CATCHING))
		return NULL;
	return &one;
}

void trace_one_unclaim(void)
{
	atomic_store(&state, ARMED);
}

/*
 * What is recorded from here on shall not wash away what was, however much traffic there is.
 * Release: pairs with the acquire in the control context, which reads what was written down.
 */
void trace_one_have(struct path_row its)
{
	row = its;
	trace_stop_after(RECORDS_BEHIND);
	atomic_store_explicit(&state, CAUGHT, memory_order_release);
}

void trace_one_write(struct port *port, unsigned queue, const struct pkt *p)
{
	one.port = port;
	one.queue = queue;
	one.pkt = p;
	one.len = p->frame_len;
	one.caplen = p->len;
	one.flags = p->flags;
	one.hash = p->hash;
	one.vlan_tci = p->vlan_tci;
	one.nsegs = p->nsegs;
	memcpy(one.frame, p->data, MIN(p->len, (uint16_t)sizeof(one.frame)));
}

/* --- a guest's --- */

static void one_batch(struct port *port, unsigned queue, struct pkt **pkts)
{
	if (!trace_one_claim(port, queue))
		return;
	trace_one_write(port, queue, pkts[0]);
	path_begin(pkts[0], port->id, queue);
	path_mark(pkts[0], PATH_NETIF_RX);
	path_received(pkts[0], port);
	trace_one_have(path_row(pkts[0]));
}

/* --- on and off --- */

/* watch() - or no longer; cores parked */
static void watch(bool on)
{
	trace_one_watch_nics(on);
	path_show_batches(on ? one_batch : NULL);
}

static void registers_off(unsigned n)
{
	while (n-- > 0)
		netdevs[n]->look->regs_off(netdevs[n]);
}

/* registers_on() - of all NICs, or of none. */
static int registers_on(void)
{
	for (unsigned i = 0; i < nnetdevs; i++) {
		int err = netdevs[i]->look->regs_on(netdevs[i]);

		if (err) {
			registers_off(i);
			return err;
		}
	}
	return 0;
}

int trace_one_arm(struct port *port, int queue)
{
	int err = path_start();

	if (!err)
		err = registers_on();
	if (err)
		return err;
	wanted = port;
	wanted_queue = queue;
	one = (struct trace_one){ 0 };
	trace_set(true);
	cores_park();
	watch(true);
	atomic_store(&state, ARMED);
	cores_resume();
	return 0;
}

void trace_one_disarm(bool recorded)
{
	cores_park();
	watch(false);
	atomic_store(&state, IDLE);
	trace_stop_after(0);
	cores_resume();
	trace_set(recorded);
	registers_off(nnetdevs);
}

struct trace_one *trace_one_caught(struct path_row *its)
{
	/* acquire: pairs with caught() */
	if (atomic_load_explicit(&state, memory_order_acquire) != CAUGHT)
		return NULL;
	*its = row;
	return &one;
}
