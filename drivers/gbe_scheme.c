/* SPDX-License-Identifier: MIT */
/*
 * gbe_scheme.c - by what a chip interrupts: MSI-X, else MSI, else INTx
 *
 * On core 0: at probe, and in the control context when the operator forbids one of them. Owns which
 * scheme is chosen, and with it how many queues there may be, and are at first.
 */
#include "gbe.h"

#include "kernel/console.h"
#include "kernel/napi_layers.h"

#include <errno.h>

static bool find_vectors(struct gbe *gbe)
{
	const struct gbe_scheme *vectors = gbe->chip->vectors;

	if (!vectors || gbe->forbidden & GBE_NO_MSIX || msix_enable(&gbe->msix, gbe->pd))
		return false;
	if (gbe->msix.n < 2) { /* a queue's, and the rest's */
		msix_disable(gbe->pd);
		return false;
	}
	gbe->scheme = vectors;
	gbe->dev.max_queues = MIN(MIN(gbe->chip->max_queues, NETDEV_MAX_QUEUES), gbe->msix.n - 1);
	return true;
}

static bool find_message(struct gbe *gbe)
{
	if (!gbe->chip->has_msi || gbe->forbidden & GBE_NO_MSI || !pci_cap(gbe->pd, PCI_CAP_ID_MSI))
		return false;
	gbe->scheme = &gbe_msi;
	gbe->dev.max_queues = 1;
	return true;
}

static void ask_for_interrupt(void *arg)
{
	gbe_write(arg, GBE_IMS, GBE_ICR_LSC);
	gbe_write(arg, GBE_ICS, GBE_ICR_LSC);
}

static bool asked_for_interrupt(void *arg)
{
	if (!(gbe_read(arg, GBE_ICR) & GBE_ICR_LSC))
		return false;
	gbe_write(arg, GBE_IMC, UINT32_MAX);
	return true;
}

static int find_line(struct gbe *gbe)
{
	int line = intx_find(gbe->pd, ask_for_interrupt, asked_for_interrupt, gbe);

	if (line < 0)
		return line;
	gbe->line = line;
	gbe->scheme = &gbe_intx;
	gbe->dev.max_queues = 1;
	kprintf("%s: %s interrupts by line %d\n", gbe->family->name, gbe->dev.bus_info, line);
	return 0;
}

/*
 * as many queues as there are cores, and the flows over all of them, unless
 * the operator's table fits
 */
static void count_queues(struct gbe *gbe)
{
	struct netdev *dev = &gbe->dev;
	bool fits = dev->rss.table_set;

	dev->nqueues = MIN(ncpus, dev->max_queues);
	for (unsigned i = 0; i < RSS_TABLE; i++)
		fits &= dev->rss.table[i] < dev->nqueues;
	if (!fits)
		gbe_spread(&dev->rss, dev->nqueues);
}

int gbe_find_scheme(struct gbe *gbe)
{
	int err;

	/* what is not chosen must be off: a chip with MSI-X on sends nothing else */
	msix_disable(gbe->pd);
	msi_disable(gbe->pd);
	pci_command(gbe->pd, PCI_COMMAND_INTX_OFF, 0);
	err = find_vectors(gbe) || find_message(gbe) ? 0 : find_line(gbe);
	if (err)
		return err;
	for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++) {
		napi_set_own(&gbe->dev.queue[q].napi, gbe_queue_ops(gbe), NULL);
		gbe->dev.queue[q].napi.masks_itself = gbe->scheme->masks_itself;
		gbe->dev.queue[q].causes = gbe->scheme->queue_cause << q;
	}
	count_queues(gbe);
	return 0;
}
