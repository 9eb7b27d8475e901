/* SPDX-License-Identifier: MIT */
/*
 * edu.h - QEMU's teaching device: an interrupt at will, so that MSI and INTx can be tested
 */
#pragma once

#include "pci.h"

extern const struct pci_driver edu_driver;

/*
 * edu_selftest() - have the device raise interrupts by MSI, then by INTx, and count that each arrives.
 * Returns 0; -ENODEV without the device; -ETIMEDOUT if one did not arrive, -EIO if the device answers wrongly (said on
 * the console). Control context or boot, interrupts on; takes at most a second.
 */
int edu_selftest(void);
