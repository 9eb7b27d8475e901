/* SPDX-License-Identifier: MIT */
/*
 * e1000e.c - the 82574L: which causes its vectors stand for, and what else its family is
 *
 * Set-up runs on core 0, at probe or in the control context with the cores parked; the NAPI ops of
 * a queue on the core that owns it. The vectors themselves are gbe_vectors.c's.
 *
 * All causes live in ICR, those of the queues too. A queue's goes off by itself when its vector is
 * sent (EIAC), so its handler need not read ICR; the link's poll does. With it QEMU takes the cause
 * out of IMS, which the datasheet leaves open: so a queue is masked by hand when it is polled, and
 * unmasked when it is received in its interrupt.
 */
#include "e1000e.h"

#include <errno.h>

#define LINK_CAUSES (GBE_ICR_LSC | GBE_ICR_RXO)
#define ALL_QUEUES  (E1000E_ICR_RXQ(0) | E1000E_ICR_RXQ(1))

static void queue_cause(struct napi *napi, uint32_t reg)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_poke(gbe_of(queue->dev), reg, queue->causes);
}

static void queue_irq_mask(struct napi *napi)
{
	queue_cause(napi, GBE_IMC);
}

static void queue_irq_unmask(struct napi *napi)
{
	queue_cause(napi, GBE_IMS);
}

static bool queue_work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	return e1000e_rx_pending(queue->priv);
}

static const struct napi_ops queue_ops = {
	.irq_mask = queue_irq_mask,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

/*
 * --- the link and error vector: its cause is there while one of its own is, in ICR and in IMS ---
 */

static void link_irq_mask(struct napi *napi)
{
	gbe_write(container_of(napi, struct gbe, link_napi), GBE_IMC,
		  E1000E_ICR_OTHER | LINK_CAUSES);
}

static void link_irq_unmask(struct napi *napi)
{
	gbe_write(container_of(napi, struct gbe, link_napi), GBE_IMS,
		  E1000E_ICR_OTHER | LINK_CAUSES);
}

/*
 * a cause that is not taken by the poll is still there at the unmask, which
 * sends it: nothing to look for
 */
static bool link_work_pending(struct napi *napi)
{
	(void)napi;
	return false;
}

static const struct napi_ops link_ops = {
	.irq_mask = link_irq_mask,
	.irq_unmask = link_irq_unmask,
	.work_pending = link_work_pending,
};

/*
 * Reading ICR clears it or not, depending on what is enabled just then [82574 10.2.4.1]: so the
 * causes that are taken are cleared by writing them, and those of queues, should they be gone,
 * raised again.
 */
static uint32_t causes(struct gbe *gbe)
{
	uint32_t icr = gbe_read(gbe, GBE_ICR);

	gbe_write(gbe, GBE_ICR, icr & LINK_CAUSES);
	if (icr & ALL_QUEUES)
		gbe_write(gbe, GBE_ICS, icr & ALL_QUEUES);
	return icr & LINK_CAUSES;
}

static void wake(struct gbe *gbe, uint32_t queues)
{
	for (unsigned q = 0; q < gbe->dev.nqueues; q++)
		if (queues & BIT(q))
			gbe_write(gbe, GBE_ICS, E1000E_ICR_RXQ(q));
}

const struct gbe_scheme e1000e_vectors = {
	.vectors = true,
	.masks_itself = true,
	.queue_ops = &queue_ops,
	.mask_reg = GBE_IMC,
	.unmask_reg = GBE_IMS,
	.queue_cause = E1000E_ICR_RXQ(0),
	.link_ops = &link_ops,
	.request = gbe_vectors_request,
	.free = gbe_vectors_free,
	.causes = causes,
	.wake = wake,
};

static const struct netdev_ops netdev_ops = {
	.open = gbe_open,
	.stop = gbe_stop,
	.rx_batch = e1000e_rx_batch,
	.rx_depth = e1000e_rx_depth,
	.tx_batch = e1000_tx_batch,
	.set_rx_share = gbe_rx_share,
	.set_rx_mode = gbe_set_rx_mode,
	.takes_group = gbe_takes_group,
	.set_features = gbe_set_features,
	.watchdog = gbe_watchdog,
};

const struct gbe_family e1000e_family = {
	.name = "e1000e",
	.netdev = &netdev_ops,
	.priv_flags = gbe_priv_flags,
	.throttle_ps = E1000_ITR_PS,
	.throttle_max = UINT16_MAX,
	.rx_form = GBE_RX_EXTENDED,
	.read_address = gbe_read_address,
	.reset = gbe_pcie_reset,
	.general = e1000e_general,
	.configure = e1000e_configure,
	.interrupts = e1000e_interrupts,
	.rx_length = e1000_rx_length,
	.rx_on = e1000e_rx_on,
	.rx_off = e1000e_rx_off,
	.rx_pending = e1000e_rx_pending,
	.tx_on = e1000e_tx_on,
	.tx_off = e1000e_tx_off,
	.throttle = e1000e_throttle,
	.throttle_queue = e1000e_throttle_queue,
};

static const struct pci_id e1000e_ids[] = { { 0x8086, 0x10d3 }, { 0, 0 } };

const struct pci_driver e1000e_driver = { .name = "e1000e", .ids = e1000e_ids, .probe = gbe_probe };
