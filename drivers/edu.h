/* SPDX-License-Identifier: MIT */
/*
 * edu.h - QEMU's teaching device: an interrupt at will, so that MSI and INTx can be tested
 */
#pragma once

#include "pci.h"

extern const struct pci_driver edu_driver;
