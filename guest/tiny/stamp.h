/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - told `stamps on`, each interrupt's handler says when it began, to a hypervisor that
 * measures (vmm/injection.h)
 */
#pragma once

#include <stdbool.h>

extern bool stamps;

/* stamp_irq() - first thing in the handler of @vector; interrupts off. */
void stamp_irq(unsigned vector);
