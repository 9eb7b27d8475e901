/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.c - the network device that a guest sees: features, configuration, and
 * wires to the vhost worker
 *
 * virtio_net_create() in the control context; what virtio_pci.c calls on the vCPU's core,
 * vm->lock held but for kicks; what vhost calls on the worker's core. The steps are those of
 * Linux's vhost-net: features and owner when the driver has chosen, rings as it enables them, the
 * back end with DRIVER_OK.
 */
#include "virtio_net.h"

#include "kernel/bits.h"
#include "kernel/mem.h"
#include "virtio_ctrl.h"
#include "virtio_regs.h"
#include "vm.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define OFFERED                                                                               \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |                   \
	 VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU | \
	 VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA |           \
	 VIRTIO_NET_F_CTRL_MAC_ADDR)

/* and unless the port's `offload` is off */
#define OFFERED_OFFLOADS                                                               \
	(VIRTIO_NET_F_CSUM | NEEDS_CSUM | VIRTIO_NET_F_GUEST_CSUM | NEEDS_GUEST_CSUM | \
	 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)

/* what only makes sense with another one [virtio 1.2 5.1.3.1] */
#define NEEDS_CTRL_VQ                                                                     \
	(VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_CTRL_MAC_ADDR | \
	 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)
#define NEEDS_CSUM (VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_HOST_USO)
#define NEEDS_GUEST_CSUM                                                               \
	(VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_GUEST_USO4 | \
	 VIRTIO_NET_F_GUEST_USO6)

#define CLASS_ETHERNET 0x02000000

static struct virtio_net *of_virtio(struct virtio_pci *d)
{
	return container_of(d, struct virtio_net, pci);
}

/* --- what the transport asks; the driver's life in its order --- */

static bool lacks(uint64_t features, uint64_t needed, uint64_t by)
{
	return features & by && !(features & needed);
}

static bool features_ok(struct virtio_pci *d, uint64_t features)
{
	struct virtio_net *n = of_virtio(d);

	if (lacks(features, VIRTIO_NET_F_CTRL_VQ, NEEDS_CTRL_VQ) ||
	    lacks(features, VIRTIO_NET_F_CSUM, NEEDS_CSUM) ||
	    lacks(features, VIRTIO_NET_F_GUEST_CSUM, NEEDS_GUEST_CSUM))
		return false;
	vhost_set_owner(&n->vhost);
	vhost_set_features(&n->vhost, features);
	return true;
}

/* vring_call() - on the worker's core. */
static void vring_call(void *arg, unsigned index)
{
	struct virtio_net *n = arg;

	virtio_signal_queue(&n->pci, index);
}

static int queue_start(struct virtio_pci *d, unsigned q, const char **why)
{
	struct virtio_net *n = of_virtio(d);
	const struct virtio_queue *queue = &d->queue[q];

	if (q == VIRTIO_CTRL_QUEUE)
		return virtio_ctrl_start(n, queue, why);
	if (vhost_set_vring(&n->vhost, q, queue->size, queue->desc, queue->avail, queue->used)) {
		*why = n->vhost.vring[q].vq.broken;
		return -EINVAL;
	}
	vhost_set_vring_call(&n->vhost, q, vring_call, n);
	return 0;
}

static void driver_ok(struct virtio_pci *d)
{
	for (unsigned q = 0; q < VHOST_VRINGS; q++)
		if (d->queue[q].enabled)
			vhost_net_set_backend(&of_virtio(d)->vhost, q);
	virtio_ctrl_hold(of_virtio(d), false);
}

static void hold(struct virtio_pci *d)
{
	for (unsigned q = 0; q < VHOST_VRINGS; q++)
		vhost_net_stop_vring(&of_virtio(d)->vhost, q);
	virtio_ctrl_hold(of_virtio(d), true);
}

static void stop(struct virtio_pci *d)
{
	vhost_net_stop(&of_virtio(d)->vhost);
	virtio_ctrl_stop(of_virtio(d));
}

static void kick(struct virtio_pci *d, unsigned q)
{
	if (likely(q != VIRTIO_CTRL_QUEUE))
		vhost_kick(&of_virtio(d)->vhost, q);
	else
		virtio_ctrl_kick(of_virtio(d));
}

/*
 * The MAC may change between two bytes; the generation tells the driver to read
 * again [virtio 1.2 2.5.1].
 */
static uint8_t config_read(struct virtio_pci *d, unsigned offset)
{
	const struct virtio_net *n = of_virtio(d);
	struct virtio_net_config c = {
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = 1,
		.mtu = n->options.mtu,
	};

	memcpy(c.mac, n->own_mac, sizeof(c.mac));
	return ((const uint8_t *)&c)[offset];
}

static const struct virtio_dev_ops net_ops = {
	.features_ok = features_ok,
	.queue_start = queue_start,
	.driver_ok = driver_ok,
	.hold = hold,
	.stop = stop,
	.kick = kick,
	.config_read = config_read,
};

/* vring_broken() - on the worker's core. */
static void vring_broken(void *arg, unsigned index, const char *why)
{
	struct virtio_net *n = arg;

	(void)why; /* as it was when the ring broke */
	virtio_needs_reset(&n->pci, index, &n->vhost.vring[index].vq.broken);
}

/* --- creation --- */

static const char *wrong_with(const struct virtio_net_options *o)
{
	if (o->mtu < VIRTIO_NET_MTU_MIN || o->mtu > VIRTIO_NET_MTU_MAX)
		return "the MTU must be 68 to 9000";
	if (o->vectors != 0 && o->vectors != 2 && o->vectors != 3)
		return "a port has 3, 2 or 0 interrupt vectors";
	if (o->cpu >= ncpus)
		return "there is no such core for the worker";
	if (o->mac[0] & 1)
		return "a group address is no port's MAC address";
	return NULL;
}

static void choose_mac(struct virtio_net *n, const struct vm *vm)
{
	static const uint8_t none[6];
	const uint8_t made[6] = { 0x52, 0x54, 0x00, 0x12, vm->id, vm->nports + 1 };

	if (!memcmp(n->options.mac, none, sizeof(none)))
		memcpy(n->options.mac, made, sizeof(made));
}

static void describe(struct virtio_net *n)
{
	struct virtio_pci *d = &n->pci;

	d->pci.name = n->options.name;
	d->pci.class = CLASS_ETHERNET;
	d->ops = &net_ops;
	d->offered = OFFERED | (n->options.no_offload ? 0 : OFFERED_OFFLOADS);
	d->mmio_notify = n->options.mmio_notify;
	d->config_len = sizeof(struct virtio_net_config);
	d->nqueues = VIRTIO_QUEUES;
	d->queue[VHOST_RX].max = d->queue[VHOST_TX].max = VIRTQ_SIZE_MAX;
	d->queue[VIRTIO_CTRL_QUEUE].max = VIRTIO_CTRL_SIZE;
	n->vhost.broken = vring_broken;
	n->vhost.wants = virtio_ctrl_wants;
	n->vhost.broken_arg = n;
}

static const char *open_failed(int err)
{
	switch (err) {
	case -EEXIST: return "there is a port of that name";
	case -ENOSPC: return "no more ports";
	case -ENOMEM: return "no memory for its queue";
	default: return "its port cannot be made";
	}
}

struct virtio_net *virtio_net_create(struct vm *vm, const struct virtio_net_options *o,
				     const char **why)
{
	struct virtio_net *n;
	int err;

	*why = wrong_with(o);
	if (*why)
		return NULL;
	n = mem_try_alloc(sizeof(*n), CACHE_LINE);
	if (!n) {
		*why = "no memory";
		return NULL;
	}
	memset(n, 0, sizeof(*n));
	n->options = *o;
	choose_mac(n, vm);
	describe(n);
	virtio_ctrl_stop(n); /* the filter as after RESET */
	err = vhost_net_open(&n->vhost, vm, n->options.name, n->options.mac, o->mtu, o->cpu);
	if (err) {
		*why = open_failed(err);
		return NULL;
	}
	if (virtio_pci_add(&n->pci, vm, VIRTIO_ID_NET, o->vectors)) {
		*why = "no free slot on the PCI bus";
		return NULL;
	}
	return n;
}
