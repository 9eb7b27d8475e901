/* SPDX-License-Identifier: MIT */
/*
 * validate.h - what a device cannot do itself is done before it gets a packet (Linux: validate_xmit_skb())
 *
 * A port says in port->features what its device takes beside plain frames. Tags that stand aside are put into the
 * bytes, long packets are cut, checksums are finished, all in software and out of the way of plain frames.
 */
#pragma once

struct pkt;
struct stage;

/* validate_and_stage() - @p, which is not plain or too long, as frames that the port of @s takes; or it is dropped. */
void validate_and_stage(struct stage *s, struct pkt *p);
