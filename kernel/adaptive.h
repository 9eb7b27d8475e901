/* SPDX-License-Identifier: MIT */
/*
 * adaptive.h - POLICY_ADAPTIVE of a NIC's queue: napi, defer or poll, by how many packets come
 *
 * Few packets are worth an interrupt each. Many are not: first the queue is looked at by timer
 * before it interrupts again, then it is polled. The rate is taken over windows of
 * kernel.policy_window_us; a step back is taken only when it has fallen
 * kernel.policy_hysteresis_percent below where the step forward was, so that a rate on the edge
 * stays put.
 */
#pragma once

#include <stdint.h>

#include "policy.h"

/* adaptive_policy() - what @now becomes at @pps packets a second. */
enum policy adaptive_policy(enum policy now, uint64_t pps);

/*
 * adaptive_poll() - a poll took @taken: what the policy @now is from here on. On the queue's core.
 */
enum policy adaptive_poll(struct adaptive *a, enum policy now, unsigned taken);
