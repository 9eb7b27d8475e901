/* SPDX-License-Identifier: MIT */
/*
 * vhost.c - work lists, the worker, when kicks are asked for, and the life of a vring
 *
 * The worker is SOFTIRQ_VHOST. A core's work list is filled by any core (a kick on the vCPU's core,
 * tun_net_xmit on the worker's) and emptied by that core alone. Its list of polled vrings and their
 * timer are its own. Set-up runs on the vCPU's core or in the control context and meets the worker
 * only at a vring's mutex.
 */
#include "vhost.h"

#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "tap.h"
#include "virtio_regs.h"
#include "vm.h"

/*
 * sysctl vmm.vhost_poll_us: an adaptive ring of a guest that computes on without an exit is looked
 * at so often. A look ends its run, and what it finds may be worth an interrupt: less often than
 * Linux takes for 32 packets.
 */
static unsigned poll_us = 150;

static struct vhost_cpu {
	/* by any core */
	_Alignas(CACHE_LINE) _Atomic(struct vhost_work *) work; /* a stack: the newest on top */
	/* by this core. Whenever a vring is on the list the timer is armed */
	_Alignas(CACHE_LINE) struct vhost_vring *polling;
	struct timer timer;
} vhost_cpu[MAX_CPUS];

/* --- the work list --- */

void vhost_poll_queue(struct vhost_vring *v)
{
	struct vhost_cpu *c = &vhost_cpu[v->net->cpu];
	struct vhost_work *w = &v->work, *top;

	/*
	 * seq_cst, as in vhost_worker(): either we queue it, or the worker has yet to
	 * look at what we are here for
	 */
	if (atomic_exchange(&w->queued, true))
		return;
	top = atomic_load_explicit(&c->work, memory_order_relaxed);
	do
		w->next = top;
	while (!atomic_compare_exchange_weak_explicit(&c->work, &top, w, memory_order_release,
						      memory_order_relaxed));
	raise_softirq_on(cpus[v->net->cpu], SOFTIRQ_VHOST);
}

/* oldest_first() - the list turned round. */
static struct vhost_work *oldest_first(struct vhost_work *w)
{
	struct vhost_work *done = NULL;

	while (w) {
		struct vhost_work *next = w->next;

		w->next = done;
		done = w;
		w = next;
	}
	return done;
}

/*
 * The softirq: each that was on the list, once. What comes meanwhile, or has
 * work left, raises it again.
 */
static void vhost_worker(void)
{
	struct vhost_cpu *c = &vhost_cpu[this_cpu()->id];
	/* acquire: pairs with the release in vhost_poll_queue() */
	struct vhost_work *w = atomic_exchange_explicit(&c->work, NULL, memory_order_acquire);

	for (w = oldest_first(w); w;) {
		struct vhost_work *next = w->next;

		/*
		 * seq_cst: off the list before the rings are read; who finds it queued
		 * still comes before that read
		 */
		atomic_exchange(&w->queued, false);
		w->fn(w);
		w = next;
	}
}

/* --- when the guest is asked to kick --- */

/*
 * look_later() - look at @v, whose kicks are off, when the guest has run; by the
 * timer if it goes on for long.
 */
static void look_later(struct vhost_cpu *c, struct vhost_vring *v)
{
	if (v->polling)
		return;
	v->polling = true;
	v->poll_next = c->polling;
	c->polling = v;
	if (!c->timer.armed)
		timer_arm(&c->timer, poll_us);
}

bool vhost_wait(struct vhost_vring *v, unsigned took)
{
	if (unlikely(v->vq.broken))
		return false;
	v->empty += v->polled && !took;
	v->polled = false;
	v->answers = took || (v->answers && !v->expected);
	v->expected = false;
	if (!took || !v->shares)
		return vhost_wait_otherwise(v, took);
	look_later(&vhost_cpu[v->net->cpu], v);
	return false;
}

void vhost_expect(struct vhost_vring *v)
{
	if (v->polling || !v->answers || !v->shares)
		return;
	spin_lock(&v->mutex);
	if (v->backend && !v->vq.broken) {
		virtq_notify_off(&v->vq);
		v->expected = true;
		look_later(&vhost_cpu[v->net->cpu], v);
	}
	spin_unlock(&v->mutex);
}

/* look_now() - all that wait for it go on the work list. */
static __attribute__((noinline)) void look_now(struct vhost_cpu *c)
{
	struct vhost_vring *v = c->polling;

	c->polling = NULL;
	while (v) {
		struct vhost_vring *next = v->poll_next;

		v->polling = false;
		v->polls++;
		v->polled = true;
		vhost_poll_queue(v);
		v = next;
	}
}

void vhost_guest_left(unsigned cpu)
{
	if (vhost_cpu[cpu].polling)
		look_now(&vhost_cpu[cpu]);
}

/*
 * Its interrupt alone ends the run of a guest on this core, and vhost_guest_left() comes
 * first; here if none ran.
 */
static void poll_timer(struct timer *t)
{
	look_now(container_of(t, struct vhost_cpu, timer));
}

void vhost_kick(struct vhost_net *n, unsigned index)
{
	struct vhost_vring *v = &n->vring[index];

	v->kicks++;
	vhost_told(v);
	if (v->backend)
		vhost_poll_queue(v);
}

/* --- a round --- */

/*
 * vhost_signal() - straight to the virtual APIC, as irqfd does. A function of
 * its own, for a breakpoint.
 */
static __attribute__((noinline)) void vhost_signal(void (*call)(void *arg, unsigned index),
						   void *arg, unsigned index)
{
	call(arg, index);
}

/*
 * signal_stamped() - the same where some packets of the round are stamped: the first of them
 * waits for the interrupt.
 */
static __attribute__((noinline)) void signal_stamped(struct vhost_vring *v,
						     void (*call)(void *arg, unsigned index),
						     void *arg, unsigned index)
{
	path_signal(v->row[0]);
	call(arg, index);
	path_signal((struct path_row){ NULL, 0 });
}

/*
 * call() and broken() take locks that set-up holds while it waits for the mutex, so they come
 * after it. The vring may have been stopped by then: the guest gets an interrupt without a
 * cause, which it must bear.
 */
void vhost_serve(struct vhost_vring *v, bool (*handle)(struct vhost_vring *v))
{
	unsigned index = v - v->net->vring;
	bool again = false;
	void (*call)(void *arg, unsigned index) = NULL;
	const char *broken = NULL;
	void *arg = NULL;

	spin_lock(&v->mutex);
	if (likely(v->backend && !v->vq.broken)) {
		again = handle(v);
		if (virtq_should_signal(&v->vq)) {
			call = v->call;
			arg = v->call_arg;
		}
		broken = v->vq.broken;
	}
	spin_unlock(&v->mutex);
	if (call) {
		v->signals++;
		if (unlikely(v->nrows))
			signal_stamped(v, call, arg, index);
		else
			vhost_signal(call, arg, index);
	}
	v->nrows = 0;
	if (unlikely(broken))
		v->net->broken(v->net->broken_arg, index, broken);
	if (again && !broken) {
		v->reweighs++;
		vhost_poll_queue(v);
	}
}

/* --- set-up --- */

int vhost_net_open(struct vhost_net *n, struct vm *vm, const char *name, const uint8_t mac[6],
		   unsigned mtu, unsigned cpu)
{
	int err;

	n->vm = vm;
	n->cpu = cpu;
	for (unsigned i = 0; i < VHOST_VRINGS; i++)
		n->vring[i].net = n;
	n->vring[VHOST_TX].work.fn = handle_tx_kick;
	n->vring[VHOST_RX].work.fn = handle_rx_kick;
	err = tap_open(n, name, mac, mtu);
	for (unsigned i = 0; i < VHOST_VRINGS && !err; i++)
		vhost_policy_init(&n->vring[i]);
	return err;
}

void vhost_set_owner(struct vhost_net *n)
{
	n->same_core = true;
	for (unsigned i = 0; i < n->vm->nvcpus; i++)
		n->same_core &= n->vm->vcpu[i]->cpu == n->cpu;
	for (unsigned i = 0; i < VHOST_VRINGS; i++)
		vhost_policy_shares(&n->vring[i]);
}

void vhost_set_features(struct vhost_net *n, uint64_t features)
{
	n->features = features;
	n->mergeable = features & VIRTIO_NET_F_MRG_RXBUF;
	vhost_set_offloads(n, features);
}

/*
 * Senders look at it whenever they have a packet for the guest; what waits already is
 * looked at again: handle_rx.
 */
void vhost_set_offloads(struct vhost_net *n, uint64_t features)
{
	n->port->features = virtio_hdr_features(features);
}

int vhost_set_vring(struct vhost_net *n, unsigned index, unsigned size, uint64_t desc,
		    uint64_t avail, uint64_t used)
{
	struct vhost_vring *v = &n->vring[index];
	int err;

	spin_lock(&v->mutex);
	v->vq.indirect = n->features & VIRTIO_F_INDIRECT_DESC;
	v->vq.event_idx = n->features & VIRTIO_F_EVENT_IDX;
	err = virtq_start(&v->vq, &n->vm->mem, size, desc, avail, used, 0);
	spin_unlock(&v->mutex);
	return err;
}

void vhost_set_vring_call(struct vhost_net *n, unsigned index,
			  void (*call)(void *arg, unsigned index), void *arg)
{
	struct vhost_vring *v = &n->vring[index];

	spin_lock(&v->mutex);
	v->call = call;
	v->call_arg = arg;
	spin_unlock(&v->mutex);
}

static void set_backend(struct vhost_vring *v, bool on)
{
	spin_lock(&v->mutex);
	v->backend = on;
	spin_unlock(&v->mutex);
}

void vhost_net_set_backend(struct vhost_net *n, unsigned index)
{
	set_backend(&n->vring[index], true);
	vhost_poll_queue(&n->vring[index]);
}

void vhost_net_stop_vring(struct vhost_net *n, unsigned index)
{
	set_backend(&n->vring[index], false);
}

void vhost_net_stop(struct vhost_net *n)
{
	for (unsigned i = 0; i < VHOST_VRINGS; i++)
		vhost_net_stop_vring(n, i);
	atomic_store(&n->purge, true);
	vhost_poll_queue(&n->vring[VHOST_RX]);
}

void vhost_init(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		vhost_cpu[i].timer.fn = poll_timer;
	open_softirq(SOFTIRQ_VHOST, vhost_worker);
}

SYSCTL(sysctl_vhost_poll, "vmm.vhost_poll_us", &poll_us, 1, 10000,
       "microseconds until a guest that sends without a kick by an adaptive ring is looked at");
