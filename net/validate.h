/* SPDX-License-Identifier: MIT */
/*
 * validate.h - what a device cannot do itself is done before it gets a packet
 * (Linux: validate_xmit_skb())
 *
 * A port says in port->features what its device takes beside plain frames. Tags that stand aside
 * are put into the bytes, long packets are cut, checksums are finished, all in software and out of
 * the way of plain frames.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pkt;
struct stage;

/* validate_takes() - does a device with @features, enum netdev_feature, take @p as it is? */
bool validate_takes(uint32_t features, const struct pkt *p);

/*
 * validate_and_stage() - @p, which is not plain or too long, as frames that the port of @s
 * takes; or it is dropped.
 */
void validate_and_stage(struct stage *s, struct pkt *p);
