/* SPDX-License-Identifier: MIT */
/*
 * vcpu_watch.h - entries, exits and injections as record points, and the names of what these name
 */
#pragma once

#include <stddef.h>

/*
 * vcpu_watch_init() - the core loop knows guests by now: records may be kept already. Cores parked.
 */
void vcpu_watch_init(void);

/* vcpu_name(), vcpu_exit_name() - the ops of these names (kernel/guest.h). */
void vcpu_name(unsigned nr, char *text, size_t size);
const char *vcpu_exit_name(unsigned reason);
