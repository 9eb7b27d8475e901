/* SPDX-License-Identifier: MIT */
/*
 * tap_explain.c - `explain`, behind a guest's port: its queue, its filter, its buffers,
 * its header, its interrupt
 *
 * Control context, cores parked, so neither worker nor guest runs. The ring is walked on a copy of
 * what the worker knows of it: nothing is taken, nothing of the guest's memory is written.
 */
#include "net/observe/explain.h"
#include "tap.h"
#include "vcpu.h"
#include "vm.h"

/* what of the ring a frame would take */
struct fit {
	unsigned buffers;
	uint32_t bytes;  /* of these buffers */
	bool too_small;  /* they are never enough */
	bool none;       /* there are too few just now */
	const char *why; /* the ring broke */
};

/* walk() - as tun_put_user() would. @vq is moved on behind what it takes. */
static struct fit walk(const struct vhost_net *n, struct virtq *vq, uint32_t len)
{
	struct virtq_chain c;
	struct fit fit = { 0 };

	while (!fit.buffers || (n->mergeable && fit.bytes < len)) {
		if (fit.buffers == TAP_BUFFERS_MAX || fit.buffers == vq->size)
			break;
		if (virtq_pop(vq, &c) <= 0) {
			fit.none = true;
			fit.why = vq->broken;
			return fit;
		}
		fit.buffers++;
		fit.bytes += c.write_bytes;
	}
	fit.too_small = fit.bytes < len;
	return fit;
}

/* explain_tap() - the queue in front of the worker. Returns whether it goes on. */
static bool explain_tap(struct shell *sh, const struct vhost_net *n, const struct pkt *p)
{
	explain_stage(sh, "tap");
	if (!n->vring[VHOST_RX].backend)
		explain_drop(sh, DROP_TAP_CLOSED);
	else if (tap_queued(n) >= tap_share())
		explain_drop(sh, DROP_TAP_FULL);
	else if (n->wants && !n->wants(n->broken_arg, p->data))
		explain_drop(sh, DROP_GUEST_FILTERED);
	else {
		shell_printf(sh, "%u of %u buffers wait for the worker on core %u\n", tap_queued(n),
			     tap_share(), n->cpu);
		return true;
	}
	return false;
}

/* explain_ring() - how many buffers it gets just now, 0: none. */
static unsigned explain_ring(struct shell *sh, const struct vhost_vring *v, struct virtq *vq,
			     const struct pkt *p)
{
	struct fit fit = walk(v->net, vq, VIRTIO_NET_HDR + p->frame_len);

	explain_stage(sh, "ring");
	if (fit.too_small) {
		explain_drop(sh, DROP_GUEST_TOO_SMALL);
		return 0;
	}
	if (fit.none) {
		shell_printf(sh, "%s: %s, so it waits\n", v->policy.name,
			     fit.why ? fit.why : "too few buffers");
		return 0;
	}
	shell_printf(sh, "%s: %u of the guest's buffers, %u bytes%s\n", v->policy.name, fit.buffers,
		     (unsigned)fit.bytes, v->net->mergeable ? ", mergeable" : "");
	return fit.buffers;
}

static void explain_header(struct shell *sh, const struct vhost_net *n, const struct pkt *p,
			   unsigned buffers)
{
	struct virtio_net_hdr hdr;

	virtio_hdr_from_pkt(&hdr, p, n->features);
	explain_stage(sh, "header");
	shell_printf(sh, "flags %u, gso_type %u, num_buffers %u\n", hdr.flags, hdr.gso_type,
		     buffers);
}

/* explain_interrupt() - @vq as it is when the frame is in */
static void explain_interrupt(struct shell *sh, const struct vhost_net *n, struct virtq *vq)
{
	const struct vcpu *v = n->vm->vcpu[0];

	explain_stage(sh, "interrupt");
	if (!virtq_should_signal(vq))
		shell_printf(sh, "none, the driver does not want one\n");
	else if (n->same_core)
		shell_printf(sh, "wanted: the next entry injects it, on the worker's own core\n");
	else
		shell_printf(sh, "wanted: a vCPU on another core gets it by %s\n",
			     injection_mode_name[v->injection.mode]);
}

void tap_explain(struct port *port, const struct pkt *p, struct shell *sh)
{
	const struct vhost_net *n = port->priv;
	const struct vhost_vring *v = &n->vring[VHOST_RX];
	struct virtq vq = v->vq;
	unsigned buffers;

	if (!explain_tap(sh, n, p))
		return;
	buffers = explain_ring(sh, v, &vq, p);
	if (!buffers)
		return;
	vq.used_idx += buffers;
	explain_header(sh, n, p, buffers);
	explain_interrupt(sh, n, &vq);
}
