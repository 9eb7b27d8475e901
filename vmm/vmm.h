/* SPDX-License-Identifier: MIT */
/* vmm.h - the room's entry */
#pragma once

#include <stddef.h>

/*
 * vmm_init() - choose a back end and switch it on on every core; without one, say why guests will be refused. Guest kernels
 * and initrds are files of @archive, NULL if none was handed over. At boot, cores online.
 */
void vmm_init(const void *archive, size_t len);

/*
 * vmm_enable() - before the first guest: switch the back end, which there is, on on all cores, once. Control context.
 * 0, or -ENODEV: a core cannot; backend_missing says why, and there is none from now on.
 */
int vmm_enable(void);
