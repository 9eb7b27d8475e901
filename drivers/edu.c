/* SPDX-License-Identifier: MIT */
/*
 * edu.c - QEMU's teaching device [QEMU docs/specs/edu]
 *
 * Only its self-test uses it, in the control context. Owns the interrupts of the test while it runs. Without an interpreter for
 * ACPI's _PRT nobody can tell to which pin of the IOAPIC the device's INTA leads, so the test listens on all that PCI
 * uses; each handler looks at the device's own status, as handlers of a shared line must.
 */
#include "edu.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/selftest.h"
#include "kernel/time.h"
#include "msi.h"
#include "pci_regs.h"

#include <errno.h>

#define EDU_ID         0x00 /* RO: major version 31:24, minor 23:16, 0xed 7:0 */
#define EDU_LIVENESS   0x04 /* RW: reads as the inverse of what was written */
#define EDU_IRQ_STATUS 0x24 /* RO: what was raised and not acknowledged */
#define EDU_IRQ_RAISE  0x60 /* WO: or-ed into the status */
#define EDU_IRQ_ACK    0x64 /* WO: cleared from the status */

enum {
	EDU_REGS = 0x100,
	EDU_ROUNDS = 5,
	EDU_WAIT_US = 50000,
	INTX_FIRST_PIN = 16,
	INTX_PINS = 8,
	INTX_UNCLAIMED_MAX = 64, /* a line that keeps calling for nobody we know is masked */
};

static volatile uint8_t *regs;
static struct pci_dev *edu;
static volatile unsigned arrived;
static volatile unsigned unclaimed[INTX_PINS];
static struct irq msi_irq, intx_irq[INTX_PINS];

static uint32_t edu_read(unsigned off)
{
	return *(volatile uint32_t *)(regs + off);
}

static void edu_write(unsigned off, uint32_t v)
{
	*(volatile uint32_t *)(regs + off) = v;
}

/* edu_claim() - is it us? Acknowledge and count; returns false if not. Hard interrupt. */
static bool edu_claim(void)
{
	uint32_t status = edu_read(EDU_IRQ_STATUS);

	if (!status)
		return false;
	edu_write(EDU_IRQ_ACK, status);
	arrived++;
	return true;
}

static void edu_msi_handler(void *arg)
{
	(void)arg;
	edu_claim();
}

static void edu_intx_handler(void *arg)
{
	unsigned pin = (struct irq *)arg - intx_irq;

	if (!edu_claim() && ++unclaimed[pin] >= INTX_UNCLAIMED_MAX)
		intx_irq[pin].chip->mask(&intx_irq[pin]);
}

/* edu_raise() - raise one after another; 0, or -ETIMEDOUT if one did not arrive. */
static int edu_raise(const char *how)
{
	arrived = 0;
	for (unsigned i = 1; i <= EDU_ROUNDS; i++) {
		edu_write(EDU_IRQ_RAISE, BIT(i));
		for (unsigned us = 0; arrived < i && us < EDU_WAIT_US; us += 10)
			udelay(10);
		if (arrived < i) {
			edu_write(EDU_IRQ_ACK, UINT32_MAX);
			kprintf("edu: %s %u of %u did not arrive\n", how, i, EDU_ROUNDS);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static int edu_test_msi(void)
{
	int err;

	msi_irq = (struct irq){ .handler = edu_msi_handler, .name = "edu-msi" };
	err = msi_irq_init(edu, &msi_irq);
	if (!err)
		err = irq_request(&msi_irq, 0);
	if (err)
		return err;
	err = edu_raise("MSI");
	irq_free(&msi_irq);
	return err;
}

static int edu_test_intx(void)
{
	bool listening[INTX_PINS] = { false };
	int err;

	for (unsigned i = 0; i < INTX_PINS; i++) {
		intx_irq[i] = (struct irq){ .handler = edu_intx_handler,
					    .arg = &intx_irq[i],
					    .name = "edu-intx" };
		unclaimed[i] = 0;
		listening[i] = ioapic_irq_init(&intx_irq[i], INTX_FIRST_PIN + i, true, true) == 0 &&
			       irq_request(&intx_irq[i], 0) == 0;
	}
	pci_command(edu, 0, PCI_COMMAND_INTX_OFF);
	err = edu_raise("INTx");
	pci_command(edu, PCI_COMMAND_INTX_OFF, 0);
	for (unsigned i = 0; i < INTX_PINS; i++)
		if (listening[i])
			irq_free(&intx_irq[i]);
	return err;
}

/*
 * The device raises interrupts by MSI, then by INTx, and each must arrive. Returns -ENODEV without the device, -ETIMEDOUT
 * if one did not arrive, -EIO if the device answers wrongly (said on the console). Takes at most a second.
 */
static int selftest(struct shell *sh)
{
	int err;

	(void)sh;
	if (!edu)
		return -ENODEV;
	edu_write(EDU_LIVENESS, 0x12345678);
	if (edu_read(EDU_LIVENESS) != ~0x12345678u) {
		kprintf("edu: the device does not answer\n");
		return -EIO;
	}
	err = edu_test_msi();
	return err ? err : edu_test_intx();
}

SELFTEST(selftest_edu, .name = "edu", .help = "interrupts by MSI and by INTx arrive",
	 .run = selftest);

static int edu_probe(struct pci_dev *pd)
{
	if (edu)
		return -EBUSY; /* one is enough */
	regs = pci_map_bar(pd, 0, 0, EDU_REGS);
	if (!regs)
		return -EINVAL;
	pci_command(pd, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF, 0);
	edu = pd;
	return 0;
}

static const struct pci_id edu_ids[] = { { 0x1234, 0x11e8 }, { 0, 0 } };

const struct pci_driver edu_driver = { .name = "edu", .ids = edu_ids, .probe = edu_probe };
