/* SPDX-License-Identifier: MIT */
/*
 * virtio_ctrl.h - the control queue of a virtio-net device, and the receive filter that it
 * programs [virtio 1.2 5.1.6.5]
 */
#pragma once

#include "virtio_net.h"

enum { VIRTIO_CTRL_QUEUE = 2, VIRTIO_CTRL_SIZE = 64 };

/*
 * virtio_ctrl_start() - the queue as the driver set it up; kicks are served from now
 * on. 0, or -EINVAL and *why.
 */
int virtio_ctrl_start(struct virtio_net *n, const struct virtio_queue *q, const char **why);
/*
 * virtio_ctrl_stop() - when it returns nobody touches the guest's memory; the
 * filter is as after RESET.
 */
void virtio_ctrl_stop(struct virtio_net *n);
/*
 * virtio_ctrl_hold() - while @held nobody touches it either, and kicks come to nothing;
 * the rest stays as it is.
 */
void virtio_ctrl_hold(struct virtio_net *n, bool held);
/* virtio_ctrl_kick() - carry out the commands that are there. vCPU's core, vm->lock not held. */
void virtio_ctrl_kick(struct virtio_net *n);

/* virtio_ctrl_wants() - does the driver of @n want this frame? Any core. */
bool virtio_ctrl_wants(void *n, const uint8_t *frame);
