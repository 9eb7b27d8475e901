/* SPDX-License-Identifier: MIT */
/*
 * igb.c - the 82576: how a vector is masked, and what else its family is
 *
 * Set-up runs on core 0, at probe or in the control context with the cores parked; the NAPI ops of
 * a queue on the core that owns it. The vectors themselves are gbe_vectors.c's. Their causes live
 * in EICR, which nobody reads: that would clear what came meanwhile.
 */
#include "igb.h"

/* --- the queues' vectors --- */

static void queue_vector(struct napi *napi, uint32_t reg)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_poke(gbe_of(queue->dev), reg, queue->causes);
}

static void queue_irq_mask(struct napi *napi)
{
	queue_vector(napi, GBE_EIMC);
}

/*
 * a chip that masks by itself has done so when its interrupt arrives; one more
 * while polling is only counted
 */
static void queue_irq_masked_itself(struct napi *napi)
{
	(void)napi;
}

static void queue_irq_unmask(struct napi *napi)
{
	queue_vector(napi, IGB_EIMS);
}

static bool queue_work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	return igb_rx_pending(queue->priv);
}

static const struct napi_ops queue_ops = {
	.irq_mask = queue_irq_mask,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

static const struct napi_ops queue_ops_auto_mask = {
	.irq_mask = queue_irq_masked_itself,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

/* --- the link and error vector, behind those of the queues --- */

static void link_vector(struct napi *napi, uint32_t reg)
{
	struct gbe *gbe = container_of(napi, struct gbe, link_napi);

	gbe_write(gbe, reg, BIT(gbe->dev.nqueues));
}

static void link_irq_mask(struct napi *napi)
{
	link_vector(napi, GBE_EIMC);
}

static void link_irq_unmask(struct napi *napi)
{
	link_vector(napi, IGB_EIMS);
}

/*
 * what comes while the vector is masked sets its EICR bit, and the unmask sends it:
 * there is nothing to look for
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

/* ICR has no queue's: those are in EICR */
static uint32_t igb_causes(struct gbe *gbe)
{
	return gbe_read(gbe, GBE_ICR);
}

static void igb_wake(struct gbe *gbe, uint32_t queues)
{
	gbe_write(gbe, IGB_EICS, queues);
}

const struct gbe_scheme igb_vectors = {
	.vectors = true,
	.queue_ops = &queue_ops,
	.mask_reg = GBE_EIMC,
	.unmask_reg = IGB_EIMS,
	.queue_cause = BIT(0),
	.link_ops = &link_ops,
	.request = gbe_vectors_request,
	.free = gbe_vectors_free,
	.causes = igb_causes,
	.wake = igb_wake,
};

const struct gbe_scheme igb_vectors_auto_mask = {
	.vectors = true,
	.masks_itself = true,
	.queue_ops = &queue_ops_auto_mask,
	.unmask_reg = IGB_EIMS,
	.queue_cause = BIT(0),
	.link_ops = &link_ops,
	.request = gbe_vectors_request,
	.free = gbe_vectors_free,
	.causes = igb_causes,
	.wake = igb_wake,
};

static const struct netdev_ops netdev_ops = {
	.open = gbe_open,
	.stop = gbe_stop,
	.rx_batch = igb_rx_batch,
	.rx_depth = igb_rx_depth,
	.tx_batch = igb_tx_batch,
	.set_rx_share = gbe_rx_share,
	.set_rx_mode = gbe_set_rx_mode,
	.takes_group = gbe_takes_group,
	.set_features = gbe_set_features,
	.watchdog = gbe_watchdog,
};

const struct gbe_family igb_family = {
	.name = "igb",
	.netdev = &netdev_ops,
	.priv_flags = gbe_priv_flags,
	.throttle_ps = IGB_EITR_PS,
	.throttle_max = IGB_EITR_MAX,
	.rx_form = GBE_RX_ADVANCED,
	.tx_advanced = true,
	.read_address = gbe_read_address,
	.reset = gbe_pcie_reset,
	.general = igb_general,
	.configure = igb_configure,
	.interrupts = igb_interrupts,
	.rx_length = igb_rx_length,
	.rx_on = igb_rx_start,
	.rx_off = igb_rx_off,
	.rx_pending = igb_rx_pending,
	.tx_on = igb_tx_on,
	.tx_off = igb_tx_off,
	.throttle = igb_throttle,
	.throttle_queue = igb_throttle_queue,
};

static const struct pci_id igb_ids[] = { { 0x8086, 0x10c9 }, { 0, 0 } };

const struct pci_driver igb_driver = { .name = "igb", .ids = igb_ids, .probe = gbe_probe };
