/* SPDX-License-Identifier: MIT */
/* vmm.h - the room's entry */
#pragma once

/*
 * vmm_init() - choose a back end and switch it on on every core; without one, say why guests will
 * be refused. At boot, cores online.
 */
void vmm_init(void);

/*
 * vmm_enable() - before the first guest: switch the back end, which there is, on on all
 * cores, once. Control context. 0, or -ENODEV: a core cannot; backend_missing says why, and
 * there is none from now on.
 */
int vmm_enable(void);
