/* SPDX-License-Identifier: MIT */
/*
 * drivers.c - the room's entry: which drivers there are. Called once by the boot list, on core 0.
 */
#include "drivers.h"

#include "kernel/bits.h"
#include "e1000.h"
#include "e1000e.h"
#include "edu.h"
#include "hostlink.h"
#include "igb.h"
#include "metronome.h"
#include "netdev.h"
#include "pci.h"

static const struct pci_driver *const drivers[] = {
	&igb_driver, &e1000e_driver, &e1000_driver, &edu_driver, &metronome_driver,
};

void drivers_init(void)
{
	hostlink_uart_init();
	pci_init();
	pci_probe(drivers, ARRAY_SIZE(drivers));
	netdev_start();
}
