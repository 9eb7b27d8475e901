/* SPDX-License-Identifier: MIT */
/*
 * virtio_ctrl.c - the control queue: a driver says which frames it wants
 *
 * Commands are carried out where they are kicked, on the vCPU's core: they are few, and the driver
 * spins till each is answered. The filter that they set is read by the vhost worker on its core,
 * frame by frame. Owns the second half of struct virtio_net, under its control_lock.
 *
 * A command is guest-controlled: each byte is copied once, then looked at.
 */
#include "virtio_ctrl.h"

#include "kernel/bits.h"
#include "virtio_regs.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

enum { MAC_LEN = 6 };

/* commands for one kick: whoever adds more while we work waits for the next */
enum { KICK_COMMANDS = VIRTQ_SIZE_MAX };

/* --- the filter, as the worker asks it --- */

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

static bool is_broadcast(const uint8_t *mac)
{
	static const uint8_t all[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(mac, all, MAC_LEN);
}

static bool in_table(const struct virtio_net *n, const uint8_t *mac)
{
	for (unsigned i = 0; i < n->nmacs; i++)
		if (!memcmp(n->mac[i], mac, MAC_LEN))
			return true;
	return false;
}

/*
 * by_mode() - what the modes and the addresses say about a frame to @mac [virtio
 * 1.2 5.1.6.5.1, 5.1.6.5.2].
 */
static bool by_mode(const struct virtio_net *n, const uint8_t *mac)
{
	if (is_broadcast(mac))
		return !n->nobcast;
	if (is_group(mac))
		return !n->nomulti && (n->allmulti || n->overflow || in_table(n, mac));
	return !n->nouni &&
	       (n->alluni || n->overflow || !memcmp(n->own_mac, mac, MAC_LEN) || in_table(n, mac));
}

/*
 * While the filter changes, everything is wanted: a frame too many is allowed, one too few is not
 * [virtio 1.2 5.1.6.5.1]. So the worker waits for nobody.
 */
bool virtio_ctrl_wants(void *arg, const uint8_t *frame)
{
	struct virtio_net *n = arg;
	/* acquire: pairs with filter_end(); an even number says that the change is whole */
	uint32_t seq = atomic_load_explicit(&n->filter_seq, memory_order_acquire);
	bool wanted = n->promisc || seq % 2 || by_mode(n, frame);

	/*
	 * acquire: what was read above was read before the number is looked at again;
	 * pairs with filter_begin()
	 */
	atomic_thread_fence(memory_order_acquire);
	return wanted || atomic_load_explicit(&n->filter_seq, memory_order_relaxed) != seq;
}

static void filter_begin(struct virtio_net *n)
{
	atomic_fetch_add(&n->filter_seq,
			 1); /* a full barrier: odd before the first change is seen */
}

static void filter_end(struct virtio_net *n)
{
	atomic_fetch_add(&n->filter_seq, 1); /* and even after the last one */
}

/* A driver that never says what it wants gets everything. */
static void filter_reset(struct virtio_net *n)
{
	filter_begin(n);
	n->promisc = true;
	n->allmulti = n->alluni = n->nomulti = n->nouni = n->nobcast = false;
	n->overflow = false;
	n->nmacs = 0;
	memcpy(n->own_mac, n->options.mac, MAC_LEN);
	filter_end(n);
}

/* --- bytes of a command, which may lie in any number of pieces --- */

struct reader {
	const struct virtq_seg *seg;
	uint32_t at;   /* in *seg */
	uint32_t left; /* bytes in all */
};

/*
 * reader_get() - the next @len bytes; @to may be NULL to pass over them.
 * False if they are not there.
 */
static bool reader_get(struct reader *r, void *to, uint32_t len)
{
	uint8_t *p = to;

	if (len > r->left)
		return false;
	r->left -= len;
	while (len) {
		uint32_t part = MIN(len, r->seg->len - r->at);

		if (p) {
			memcpy(p, r->seg->p + r->at, part);
			p += part;
		}
		r->at += part;
		len -= part;
		if (r->at == r->seg->len) {
			r->seg++;
			r->at = 0;
		}
	}
	return true;
}

/* --- the commands; true: carried out --- */

static bool set_mode(struct virtio_net *n, uint8_t command, struct reader *r)
{
	static const uint64_t needs[] = {
		[VIRTIO_NET_RX_PROMISC] = VIRTIO_NET_F_CTRL_RX,
		[VIRTIO_NET_RX_ALLMULTI] = VIRTIO_NET_F_CTRL_RX,
		[VIRTIO_NET_RX_ALLUNI] = VIRTIO_NET_F_CTRL_RX_EXTRA,
		[VIRTIO_NET_RX_NOMULTI] = VIRTIO_NET_F_CTRL_RX_EXTRA,
		[VIRTIO_NET_RX_NOUNI] = VIRTIO_NET_F_CTRL_RX_EXTRA,
		[VIRTIO_NET_RX_NOBCAST] = VIRTIO_NET_F_CTRL_RX_EXTRA,
	};
	volatile bool *const mode[] = {
		[VIRTIO_NET_RX_PROMISC] = &n->promisc, [VIRTIO_NET_RX_ALLMULTI] = &n->allmulti,
		[VIRTIO_NET_RX_ALLUNI] = &n->alluni,   [VIRTIO_NET_RX_NOMULTI] = &n->nomulti,
		[VIRTIO_NET_RX_NOUNI] = &n->nouni,     [VIRTIO_NET_RX_NOBCAST] = &n->nobcast,
	};
	uint8_t on;

	if (command >= ARRAY_SIZE(mode) || !(n->pci.features & needs[command]))
		return false;
	if (!reader_get(r, &on, sizeof(on)) || r->left || on > 1)
		return false;
	filter_begin(n);
	*mode[command] = on;
	filter_end(n);
	return true;
}

struct mac_table {
	unsigned n;
	bool overflow;
	uint8_t mac[VIRTIO_NET_MACS][MAC_LEN];
};

/*
 * read_table() - a count and as many addresses, appended to @t; what @t has no room
 * for is read all the same.
 */
static bool read_table(struct reader *r, struct mac_table *t)
{
	uint32_t count;

	if (!reader_get(r, &count, sizeof(count)) || count > r->left / MAC_LEN)
		return false;
	if (count > VIRTIO_NET_MACS - t->n) {
		t->overflow = true;
		return reader_get(r, NULL, count * MAC_LEN);
	}
	reader_get(r, t->mac[t->n], count * MAC_LEN);
	t->n += count;
	return true;
}

/*
 * Unicast addresses, then multicast ones: whoever is in either is wanted, so one table holds both.
 */
static bool set_table(struct virtio_net *n, struct reader *r)
{
	struct mac_table t;

	t.n = 0;
	t.overflow = false;
	if (!(n->pci.features & VIRTIO_NET_F_CTRL_RX))
		return false;
	if (!read_table(r, &t) || !read_table(r, &t) || r->left)
		return false;
	filter_begin(n);
	n->overflow = t.overflow;
	n->nmacs = t.n;
	memcpy(n->mac, t.mac, t.n * MAC_LEN);
	filter_end(n);
	return true;
}

static bool set_address(struct virtio_net *n, struct reader *r)
{
	uint8_t mac[MAC_LEN];

	if (!(n->pci.features & VIRTIO_NET_F_CTRL_MAC_ADDR))
		return false;
	if (!reader_get(r, mac, sizeof(mac)) || r->left || is_group(mac))
		return false;
	filter_begin(n);
	memcpy(n->own_mac, mac, MAC_LEN);
	filter_end(n);
	n->pci.generation++; /* configuration shows it */
	return true;
}

/* What was negotiated may be switched off, and on again [virtio 1.2 5.1.6.5.6]. */
static bool set_offloads(struct virtio_net *n, struct reader *r)
{
	uint64_t on;

	if (!(n->pci.features & VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		return false;
	if (!reader_get(r, &on, sizeof(on)) || r->left || on & ~n->pci.features)
		return false;
	vhost_set_offloads(&n->vhost, on);
	return true;
}

static bool carry_out(struct virtio_net *n, struct reader *r)
{
	struct virtio_net_ctrl c;

	if (!reader_get(r, &c, sizeof(c)))
		return false;
	if (c.class == VIRTIO_NET_CTRL_RX)
		return set_mode(n, c.command, r);
	if (c.class == VIRTIO_NET_CTRL_MAC && c.command == VIRTIO_NET_MAC_TABLE_SET)
		return set_table(n, r);
	if (c.class == VIRTIO_NET_CTRL_MAC && c.command == VIRTIO_NET_MAC_ADDR_SET)
		return set_address(n, r);
	if (c.class == VIRTIO_NET_CTRL_GUEST_OFFLOADS && c.command == VIRTIO_NET_GUEST_OFFLOADS_SET)
		return set_offloads(n, r);
	return false;
}

/* --- the queue --- */

/* A command without room for an answer is not carried out: the driver could not know. */
static void answer(struct virtio_net *n, const struct virtq_chain *c)
{
	struct reader r = { .seg = c->seg, .left = c->read_bytes };
	bool ok = c->nwrite && carry_out(n, &r);

	n->control_commands++;
	n->control_refused += !ok;
	if (c->nwrite)
		*c->seg[c->nread].p = ok ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	virtq_push(&n->control, c->head, c->nwrite ? 1 : 0);
}

/* serve() - all there is, up to a bound. Returns whether the driver wants an interrupt. */
static bool serve(struct virtio_net *n)
{
	struct virtq *vq = &n->control;
	struct virtq_chain c;
	unsigned done = 0;

	do {
		for (; done < KICK_COMMANDS && virtq_pop(vq, &c) == 1; done++)
			answer(n, &c);
	} while (!vq->broken && virtq_notify_on(vq) && done < KICK_COMMANDS);
	virtq_publish(vq);
	return virtq_should_signal(vq);
}

void virtio_ctrl_kick(struct virtio_net *n)
{
	bool signal = false, broken = false;

	spin_lock(&n->control_lock);
	if (n->control_on && !n->control_held) {
		signal = serve(n);
		broken = n->control.broken;
		n->control_on = !broken;
	}
	spin_unlock(&n->control_lock);
	/* these may take vm->lock, under which a reset waits for ours */
	if (signal)
		virtio_signal_queue(&n->pci, VIRTIO_CTRL_QUEUE);
	if (broken)
		virtio_needs_reset(&n->pci, VIRTIO_CTRL_QUEUE, &n->control.broken);
}

int virtio_ctrl_start(struct virtio_net *n, const struct virtio_queue *q, const char **why)
{
	int err;

	if (!(n->pci.features & VIRTIO_NET_F_CTRL_VQ)) {
		*why = "a control queue, which was not negotiated";
		return -EINVAL;
	}
	spin_lock(&n->control_lock);
	n->control.indirect = n->pci.features & VIRTIO_F_INDIRECT_DESC;
	n->control.event_idx = n->pci.features & VIRTIO_F_EVENT_IDX;
	err = virtq_start(&n->control, &n->pci.pci.vm->mem, q->size, q->desc, q->avail, q->used, 0);
	n->control_on = !err;
	*why = n->control.broken;
	spin_unlock(&n->control_lock);
	return err;
}

void virtio_ctrl_hold(struct virtio_net *n, bool held)
{
	spin_lock(&n->control_lock);
	n->control_held = held;
	spin_unlock(&n->control_lock);
}

void virtio_ctrl_stop(struct virtio_net *n)
{
	spin_lock(&n->control_lock);
	n->control_on = false;
	filter_reset(n);
	spin_unlock(&n->control_lock);
}
