/* SPDX-License-Identifier: MIT */
/*
 * gbe_look.h - struct netdev_look of the gigabit NICs: gbe_look.c has the descriptors,
 * gbe_trace.c the registers
 */
#pragma once

#include "gbe.h"
#include "netdev_look.h"

extern const struct netdev_look gbe_look;

/* gbe_regs_on(), gbe_regs_off(), gbe_regs_each() - the ops of these names. */
int gbe_regs_on(struct netdev *dev);
void gbe_regs_off(struct netdev *dev);
void gbe_regs_each(const struct netdev *dev, uint64_t from, uint64_t to,
		   void (*fn)(void *arg, uint64_t tsc, unsigned cpu, const char *text), void *arg);
