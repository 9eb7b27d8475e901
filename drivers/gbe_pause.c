/* SPDX-License-Identifier: MIT */
/*
 * gbe_pause.c - flow control by pause frames [IEEE 802.3 annex 31B] [82576 3.5.5] [8254x 13.4.8]
 *
 * Called in the control context with the cores parked, and on core 0 when the link has come up.
 * Owns gbe->pause and the registers of flow control. Off at first: a switch that pauses its
 * neighbours spreads a jam.
 *
 * Each way is on because the operator says so, or, with autoneg, because both ends said that
 * they can. Some models switch both ways on in CTRL when the link comes up, whoever said what,
 * so CTRL is written behind that.
 */
#include "gbe.h"

#include <errno.h>

enum {
	/* where pause frames go, and their type [IEEE 802.3 31B.1] */
	PAUSE_ADDRESS_LOW = 0x00c28001,
	PAUSE_ADDRESS_HIGH = 0x0100,
	PAUSE_TYPE = 0x8808,
	PAUSE_TIME = 0xffff,   /* until XON, or 33 ms at 1 Gb/s */
	LONG_FRAMES_BELOW = 2, /* room above the upper mark for what is on its way */
	XON_BELOW_XOFF = 1504, /* bytes between the marks */
};

/* what is advertised: the bits of [IEEE 802.3 table 28B-2] */
uint32_t gbe_pause_advertised(const struct gbe *gbe)
{
	const struct ethtool_pause *p = &gbe->pause;

	if (!p->autoneg)
		return 0;
	return (p->rx ? GBE_PHY_PAUSE : 0) | (p->rx != p->tx ? GBE_PHY_PAUSE_ASYM : 0);
}

/* [IEEE 802.3 table 28B-3] */
static struct ethtool_pause resolved(uint32_t mine, uint32_t partner)
{
	const uint32_t both = GBE_PHY_PAUSE | GBE_PHY_PAUSE_ASYM;
	struct ethtool_pause p = { .autoneg = true };

	if (mine & partner & GBE_PHY_PAUSE)
		p.rx = p.tx = true;
	else if ((mine & both) == GBE_PHY_PAUSE_ASYM && (partner & both) == both)
		p.tx = true;
	else if ((mine & both) == both && (partner & both) == GBE_PHY_PAUSE_ASYM)
		p.rx = true;
	return p;
}

static void apply(struct gbe *gbe, struct ethtool_pause p)
{
	uint32_t set = (p.rx ? GBE_CTRL_RFCE : 0) | (p.tx ? GBE_CTRL_TFCE : 0);

	gbe->pause_in_force = p;
	gbe_change(gbe, GBE_CTRL, set, (GBE_CTRL_RFCE | GBE_CTRL_TFCE) & ~set);
}

void gbe_pause_configure(struct gbe *gbe)
{
	uint32_t size = gbe->chip->rx_buffer, high = 0, low = 0;

	gbe_write(gbe, GBE_FCAL, PAUSE_ADDRESS_LOW);
	gbe_write(gbe, GBE_FCAH, PAUSE_ADDRESS_HIGH);
	gbe_write(gbe, GBE_FCT, PAUSE_TYPE);
	gbe_write(gbe, GBE_FCTTV, PAUSE_TIME);
	if (gbe->pause.tx) {
		high = MIN(size / 10 * 9, size - LONG_FRAMES_BELOW * netdev_frame_max(&gbe->dev));
		high = ROUND_DOWN(high, 16U);
		low = (high - XON_BELOW_XOFF) | GBE_FCRTL_XONE;
	}
	gbe_write(gbe, GBE_FCRTL, low);
	gbe_write(gbe, GBE_FCRTH, high);
	apply(gbe, gbe->pause.autoneg ? (struct ethtool_pause){ .autoneg = true } : gbe->pause);
}

void gbe_pause_link_up(struct gbe *gbe)
{
	uint16_t partner = 0;

	if (gbe->pause.autoneg && gbe_phy_read(gbe, GBE_PHY_PARTNER, &partner))
		partner = 0;
	apply(gbe, gbe->pause.autoneg ? resolved(gbe_pause_advertised(gbe), partner) : gbe->pause);
}

void gbe_get_pause(struct netdev *dev, struct ethtool_pause *wanted, struct ethtool_pause *in_force)
{
	const struct gbe *gbe = dev->priv;

	*wanted = gbe->pause;
	*in_force = gbe->pause_in_force;
}

int gbe_set_pause(struct netdev *dev, const struct ethtool_pause *p)
{
	struct gbe *gbe = dev->priv;

	gbe->pause = *p;
	if (!dev->up)
		return 0;
	gbe_pause_configure(gbe);
	return p->autoneg ? gbe_link_restart(gbe) : 0;
}
