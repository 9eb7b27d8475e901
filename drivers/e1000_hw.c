/* SPDX-License-Identifier: MIT */
/*
 * e1000_hw.c - the 82540EM: reset and configuration, in the manual's order
 *
 * Called by gbe.c on core 0: at probe, and in the control context with the cores parked. Owns the
 * chip's registers apart from the rings (e1000_rx.c, e1000_tx.c) and what gbe_hw.c does alike for
 * all chips. The sections are those of [8254x 14], which has the order.
 *
 * There are models on which CTRL.RST changes no register, so nothing here relies on defaults.
 */
#include "e1000.h"

#include "kernel/time.h"

enum {
	RESET_US = 20000,
	RESET_REST_US = 1000, /* to be left alone after reset */
	EERD_US = 10000,
	ADDRESS_WORDS = 3, /* words 0 to 2 of the EEPROM [8254x 5.6.1] */
};

static void mask_everything(struct gbe *gbe)
{
	gbe_write(gbe, GBE_IMC, UINT32_MAX);
	gbe_flush(gbe);
}

/*
 * [8254x 14.7]; receiver and transmitter are switched off by hand, and what has
 * been raised is forgotten
 */
int e1000_reset(struct gbe *gbe)
{
	int err;

	mask_everything(gbe);
	gbe_write(gbe, GBE_RCTL, 0);
	gbe_write(gbe, GBE_TCTL, 0);
	gbe_flush(gbe);
	gbe_change(gbe, GBE_CTRL, GBE_CTRL_RST, 0);
	udelay(RESET_REST_US);
	err = gbe_wait(gbe, GBE_CTRL, GBE_CTRL_RST, 0, RESET_US, "reset");
	/* the reset has undone the mask */
	mask_everything(gbe);
	(void)gbe_read(gbe, GBE_ICR);
	return err;
}

/* [8254x 5.3.1]: RAL and RAH have it after a reset too, but not on every model */
int e1000_read_address(struct gbe *gbe, uint8_t mac[ETH_ALEN])
{
	for (unsigned i = 0; i < ADDRESS_WORDS; i++) {
		uint32_t v;
		int err;

		gbe_write(gbe, E1000_EERD, FIELD_PREP(E1000_EERD_ADDR, i) | E1000_EERD_START);
		err = gbe_wait(gbe, E1000_EERD, E1000_EERD_DONE, E1000_EERD_DONE, EERD_US,
			       "EEPROM read");
		if (err)
			return err;
		v = FIELD_GET(E1000_EERD_DATA, gbe_read(gbe, E1000_EERD));
		mac[2 * i] = v;
		mac[2 * i + 1] = v >> 8;
	}
	return 0;
}

/*
 * without LPE a frame has 1,522 bytes at most, FCS and tag included; with it 16 KiB, the
 * chip has no limit of ours
 */
uint32_t e1000_rx_length(struct gbe *gbe)
{
	return gbe->dev.mtu > ETH_DATA_LEN ? GBE_RCTL_LPE : 0;
}

void e1000_throttle(struct gbe *gbe, uint32_t count)
{
	gbe_write(gbe, E1000_ITR, FIELD_PREP(E1000_ITR_INTERVAL, count));
}

/* its one queue has the one interrupt */
void e1000_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count)
{
	(void)q;
	e1000_throttle(gbe, count);
}

/* [8254x 14.4], but for the ring and the receiver */
void e1000_configure(struct gbe *gbe)
{
	/*
	 * receive address, multicast table, RCTL but for its enable bit; buffers of
	 * 2,048 bytes by its defaults
	 */
	gbe_configure_filters(gbe);
	/* interrupt causes: the NAPI instances, when they are enabled. RXT0 comes at once */
	gbe_write(gbe, E1000_RDTR, 0);
	gbe_write(gbe, E1000_RADV, 0);
	/* receive checksums: wrong ones are counted */
	gbe_write(gbe, GBE_RXCSUM, GBE_RXCSUM_IPOFL | GBE_RXCSUM_TUOFL);
	/* VLAN tags, what is told of a frame */
	gbe_configure_features(gbe);
}

/* [8254x 14.3] */
void e1000_general(struct gbe *gbe)
{
	gbe_configure_general(gbe, E1000_CTRL_ASDE, E1000_CTRL_PHY_RST);
}
