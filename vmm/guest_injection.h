/* SPDX-License-Identifier: MIT */
/*
 * guest_injection.h - `guest injection`: how interrupts get into a guest,
 * live, and how long that takes
 *
 * Control context; guest_cmd.h says how a verb is called.
 */
#pragma once

#include "guest_cmd.h"

#define vcpu_for_each(vm, i) for (unsigned i = 0; i < (vm)->nvcpus; i++)

int guest_injection(struct shell *sh, struct vm *vm);
void guest_injection_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			      void *to);
/* guest_injection_config() - its line of `show config`, if it is not as it began. */
void guest_injection_config(struct shell *sh, const struct vm *vm);

/* the same for all vCPUs of a guest */
enum injection_mode guest_injection_mode(const struct vm *vm);
bool guest_measured(const struct vm *vm);

/*
 * guest_injection_show.c: counters and latencies as a table; histograms as bars. 0, or
 * -ENODATA, having said so.
 */
void guest_injection_show(struct shell *sh, const struct vm *vm);
int guest_injection_bars(struct shell *sh, const struct vm *vm);
