/* SPDX-License-Identifier: MIT */
/* drivers.h - the room's entry for the boot list */
#pragma once

/*
 * drivers_init() - find PCI functions, probe all drivers, start the devices' watchdog.
 * Boot, core 0, cores online.
 */
void drivers_init(void);
