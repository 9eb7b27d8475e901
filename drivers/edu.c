/* SPDX-License-Identifier: MIT */
/*
 * edu.c - QEMU's teaching device [QEMU docs/specs/edu]
 *
 * Only its self-test uses it, in the control context. Owns the interrupts
 * of the test while it runs.
 */
#include "edu.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/irq.h"
#include "kernel/selftest.h"
#include "kernel/time.h"
#include "intx.h"
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
};

static volatile uint8_t *regs;
static struct pci_dev *edu;
static volatile unsigned arrived;
static struct irq msi_irq;
static struct intx intx;

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

static bool edu_intx_handler(void *arg)
{
	(void)arg;
	return edu_claim();
}

static void edu_ask(void *arg)
{
	(void)arg;
	edu_write(EDU_IRQ_RAISE, BIT(0));
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
	int line = intx_find(edu, edu_ask, edu_intx_handler, NULL), cpu, err;

	if (line < 0)
		return line == -ENODEV ? -ETIMEDOUT : line;
	intx = (struct intx){ .handler = edu_intx_handler, .name = "edu-intx" };
	cpu = intx_request(&intx, line, 0);
	if (cpu < 0)
		return cpu;
	err = edu_raise("INTx");
	pci_command(edu, PCI_COMMAND_INTX_OFF, 0);
	intx_free(&intx);
	return err;
}

/*
 * The device raises interrupts by MSI, then by INTx, and each must arrive. Returns -ENODEV without
 * the device, -ETIMEDOUT if one did not arrive, -EIO if the device answers wrongly (said on the
 * console). Takes at most a second.
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
