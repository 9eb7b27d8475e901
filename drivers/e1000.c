/* SPDX-License-Identifier: MIT */
/*
 * e1000.c - the 82540EM: what its family is. One queue, and one interrupt line for
 * everything: gbe_single.c
 */
#include "e1000.h"

static const struct netdev_ops netdev_ops = {
	.open = gbe_open,
	.stop = gbe_stop,
	.rx_batch = e1000_rx_batch,
	.rx_depth = e1000_rx_depth,
	.tx_batch = e1000_tx_batch,
	.set_rx_share = gbe_rx_share,
	.set_rx_mode = gbe_set_rx_mode,
	.takes_group = gbe_takes_group,
	.set_features = gbe_set_features,
	.watchdog = gbe_watchdog,
};

const struct gbe_family e1000_family = {
	.name = "e1000",
	.netdev = &netdev_ops,
	.throttle_ps = E1000_ITR_PS,
	.throttle_max = UINT16_MAX,
	.read_address = e1000_read_address,
	.reset = e1000_reset,
	.general = e1000_general,
	.configure = e1000_configure,
	.interrupts = gbe_throttle,
	.rx_length = e1000_rx_length,
	.rx_on = e1000_rx_on,
	.rx_off = e1000_rx_off,
	.rx_pending = e1000_rx_pending,
	.tx_on = e1000_tx_on,
	.tx_off = e1000_tx_off,
	.throttle = e1000_throttle,
	.throttle_queue = e1000_throttle_queue,
};

static const struct pci_id e1000_ids[] = { { 0x8086, 0x100e }, { 0, 0 } };

const struct pci_driver e1000_driver = { .name = "e1000", .ids = e1000_ids, .probe = gbe_probe };
