/* SPDX-License-Identifier: MIT */
/*
 * vhost_net.c - handle_tx and handle_rx: what the worker does for a guest's two vrings
 *
 * Called by vhost_worker() on the worker's core. The guest's transmit ring becomes batches for the
 * switch; what waits in the tap goes into the guest's receive buffers. Both stop at Linux's
 * weights, so that other work of the core has its turn. The guest chooses how its buffers are cut,
 * so what weighs is the work that they make.
 */
#include "net/receive.h"
#include "net/validate.h"
#include "tap.h"
#include "virtio_net.h"
#include "vm.h"

#include <errno.h>

/* --- from the guest: handle_tx --- */

/*
 * a batch is no longer: a frame that is to be cut may take PKT_GSO_SEGS buffers of
 * the pool that all live on
 */
enum { TX_BATCH_BYTES = 2 * 65536 };

/*
 * headers_of() - about what cutting @p adds to its bytes: a segment costs something, however short
 * [Linux: qdisc_pkt_len_init()]
 */
static inline uint32_t headers_of(const struct pkt *p)
{
	return unlikely(p->flags & PKT_GSO) ? p->frame_len / p->gso_size * ETH_MIN_FRAME : 0;
}

/*
 * tx_batch() - up to PORT_BATCH frames from the guest into the switch. Returns how many, malformed
 * ones included. *@work grows by what they weigh; *@full: it ended because it was long enough.
 */
static unsigned tx_batch(struct vhost_vring *v, uint64_t *work, bool *full)
{
	struct pkt *pkts[PORT_BATCH];
	unsigned taken = 0, n = 0;
	struct virtq_chain c;
	uint64_t bytes = 0, headers = 0;

	while (taken < PORT_BATCH && bytes + headers < TX_BATCH_BYTES &&
	       virtq_pop(&v->vq, &c) > 0) {
		struct pkt *p;

		if (unlikely(c.nwrite)) {
			virtq_break(&v->vq, "a transmit buffer that the device may write");
			break;
		}
		p = tun_get_user(v->net, &c);
		virtq_push(&v->vq, c.head, 0);
		taken++;
		if (unlikely(!p))
			continue;
		bytes += p->frame_len;
		headers += headers_of(p);
		pkts[n++] = p;
	}
	*work += bytes + headers;
	*full = taken == PORT_BATCH || bytes + headers >= TX_BATCH_BYTES;
	if (!taken)
		return 0;
	virtq_publish(&v->vq);
	v->packets += taken;
	v->bytes += bytes;
	if (likely(n)) {
		this_cpu_var(processed) += n;
		netif_receive(v->net->port, 0, pkts, n, bytes);
	}
	return taken;
}

static bool handle_tx(struct vhost_vring *v)
{
	uint64_t work = 0;
	unsigned packets = 0;
	bool full;

	virtq_notify_off(&v->vq);
	do {
		packets += tx_batch(v, &work, &full);
		if (packets >= VHOST_WEIGHT || work >= VHOST_BYTE_WEIGHT)
			return true;
	} while (full || vhost_wait(v, packets));
	return false;
}

void handle_tx_kick(struct vhost_work *w)
{
	vhost_serve(container_of(w, struct vhost_vring, work), handle_tx);
}

/* --- to the guest: handle_rx --- */

/*
 * What a walk through buffers costs that came to nothing: they are too few, or all of them too
 * small. It may have been thousands of pieces, and the next frame finds the same ones again.
 */
enum { VAIN_WALK = VHOST_WEIGHT / 4 };

static inline bool wanted(const struct vhost_net *n, const struct pkt *p)
{
	return !n->wants || n->wants(n->broken_arg, p->data);
}

/*
 * rx_one() - the packet that waits longest. Its cost: done with it; 0: no buffers;
 * negative: the queue broke.
 */
static inline int rx_one(struct vhost_vring *v, struct pkt *p)
{
	struct vhost_net *n = v->net;
	uint32_t len = p->frame_len;
	int put;

	path_mark(p, PATH_WORKER);
	if (unlikely(p->flags && !validate_takes(n->port->features, p))) {
		tap_purge_first(n);
		return 1;
	}
	if (unlikely(!wanted(n, p))) {
		tap_drop(n, DROP_GUEST_FILTERED);
		return 1;
	}
	put = tun_put_user(n, &v->vq, p);
	if (unlikely(put == -EMSGSIZE)) {
		tap_drop(n, DROP_GUEST_TOO_SMALL);
		return VAIN_WALK;
	}
	if (unlikely(put <= 0))
		return put;
	if (unlikely(p->flags & PKT_STAMPED) && v->nrows < VHOST_ROWS)
		v->row[v->nrows++] = path_row(p);
	tap_delivered(n);
	v->packets++;
	v->bytes += len;
	return put;
}

/*
 * expect_answers() - echoes, acknowledgements, or the same frame by another port: where the
 * guest sends from this core.
 */
static void expect_answers(const struct vhost_net *n)
{
	for (unsigned i = 0; i < n->vm->nports; i++) {
		struct vhost_net *port = &n->vm->port[i]->vhost;

		if (port->cpu == n->cpu)
			vhost_expect(&port->vring[VHOST_TX]);
	}
}

static bool handle_rx(struct vhost_vring *v)
{
	struct vhost_net *n = v->net;
	uint64_t before = v->packets, bytes_end = v->bytes + VHOST_BYTE_WEIGHT;
	unsigned weight = 0;
	struct pkt *p;
	bool again = false;

	virtq_notify_off(&v->vq);
	while ((p = tap_peek(n)) && !again) {
		int cost = rx_one(v, p);

		if (unlikely(cost <= 0)) {
			if (cost < 0 || !vhost_wait(v, v->packets - before))
				break;
			cost = VAIN_WALK;
		}
		weight += cost;
		again = weight >= VHOST_WEIGHT || v->bytes >= bytes_end;
	}
	if (likely(v->packets != before)) {
		virtq_publish(&v->vq);
		for (unsigned i = 0; i < v->nrows; i++)
			path_mark_row(v->row[i], PATH_USED);
		expect_answers(n);
	}
	return again && tap_queued(n);
}

void handle_rx_kick(struct vhost_work *w)
{
	struct vhost_vring *v = container_of(w, struct vhost_vring, work);

	if (unlikely(atomic_load_explicit(&v->net->purge, memory_order_relaxed)) &&
	    atomic_exchange(&v->net->purge, false))
		tap_purge(v->net, 0);
	vhost_serve(v, handle_rx);
}
