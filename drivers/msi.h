/* SPDX-License-Identifier: MIT */
/*
 * msi.h - interrupts that a PCI function sends as memory writes: MSI-X and MSI, as irq_chips
 *
 * The write's address names the core, its data the vector [SDM 3A 11.11]. irq_request()
 * (kernel/irq.h) chooses both and calls route(). Context: the control context or boot; mask and
 * unmask also with the cores parked.
 */
#pragma once

#include "kernel/irq.h"
#include "pci.h"
#include "pci_regs.h"

struct msix {
	const struct pci_dev *pd;
	volatile struct msix_entry *table;
	unsigned n; /* entries */
};

/*
 * msix_enable() - map the table, mask every entry, turn MSI-X on.
 * Returns 0; -ENODEV if the function has no MSI-X, -EINVAL if its table lies where it cannot
 * be (said on the console).
 */
int msix_enable(struct msix *m, const struct pci_dev *pd);
/* msix_disable() - off, if the function has it. */
void msix_disable(const struct pci_dev *pd);
/* msix_irq_init() - make @irq stand for entry @i of the table; irq_request() comes next. */
void msix_irq_init(const struct msix *m, unsigned i, struct irq *irq);

/*
 * msi_irq_init() - make @irq stand for the function's MSI, one vector; irq_request() comes next.
 * Returns 0, or -ENODEV if it has no MSI. The irq keeps @pd.
 */
int msi_irq_init(struct pci_dev *pd, struct irq *irq);
/* msi_disable() - off, if the function has it. */
void msi_disable(const struct pci_dev *pd);

extern const struct irq_chip msix_chip, msi_chip;
