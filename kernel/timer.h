/* SPDX-License-Identifier: MIT */
/* timer.h - between timer.c (lists) and time.c (hardware); the interface for all is in time.h */
#pragma once

#include <stdint.h>

void timer_init(void); /* registers SOFTIRQ_TIMER */

/*
 * timer_hw_arm() - interrupt this core at TSC @deadline and raise SOFTIRQ_TIMER then; early is
 * allowed, never not at all.
 */
void timer_hw_arm(uint64_t deadline);
