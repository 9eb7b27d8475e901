/* SPDX-License-Identifier: MIT */
/*
 * gbe_filter.c - which frames the chip takes: its own address, broadcast, groups, or everything
 *
 * Called in the control context with the cores parked. Groups are filtered by a table of 4,096
 * bits: a frame to one is taken if the bit is set that 12 bits of its address number, so those of a
 * few groups beside come in as well [82576 7.1.1.2, 8.10.16] [8254x 13.5.1] [82574 10.2.5.11].
 */
#include "gbe.h"

#include <string.h>

/*
 * group_bit() - of the table, for @mac: bits 47 to 36 of the address, first byte
 * lowest, as RCTL.MO is 0.
 */
static unsigned group_bit(const uint8_t *mac)
{
	return mac[5] << 4 | mac[4] >> 4;
}

static bool takes_all_groups(const struct netdev *dev)
{
	return dev->promisc || dev->allmulti;
}

/* write_groups() - the table is written where it differs from what the chip has */
static void write_groups(struct gbe *gbe)
{
	uint32_t mta[GBE_MTA_WORDS] = { 0 };

	for (unsigned i = 0; i < gbe->dev.ngroups; i++) {
		unsigned bit = group_bit(gbe->dev.group[i]);

		mta[bit / 32] |= BIT(bit % 32);
	}
	for (unsigned i = 0; i < GBE_MTA_WORDS; i++)
		if (mta[i] != gbe->mta[i])
			gbe_write(gbe, GBE_MTA(i), mta[i]);
	memcpy(gbe->mta, mta, sizeof(mta));
}

bool gbe_takes_group(const struct netdev *dev, const uint8_t *mac)
{
	bool taken = takes_all_groups(dev);

	for (unsigned i = 0; i < dev->ngroups && !taken; i++)
		taken = group_bit(dev->group[i]) == group_bit(mac);
	return taken;
}

/* address, filters, frame length; leaves RCTL.EN as it is */
void gbe_set_rx_mode(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;
	const uint8_t *m = dev->mac;
	uint32_t set = GBE_RCTL_BAM | GBE_RCTL_SECRC;

	if (!dev->up)
		return; /* open programs it all */
	gbe_write(gbe, GBE_RAL(0), m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24);
	gbe_write(gbe, GBE_RAH(0), FIELD_PREP(GBE_RAH_ADDR, m[4] | m[5] << 8) | GBE_RAH_AV);
	write_groups(gbe);
	set |= dev->promisc ? GBE_RCTL_UPE : 0;
	set |= takes_all_groups(dev) ? GBE_RCTL_MPE : 0;
	set |= gbe->family->rx_length(gbe);
	gbe_change(gbe, GBE_RCTL, set, GBE_RCTL_UPE | GBE_RCTL_MPE | GBE_RCTL_MO | GBE_RCTL_LPE);
}

void gbe_configure_filters(struct gbe *gbe)
{
	for (unsigned i = 0; i < GBE_MTA_WORDS; i++)
		gbe_write(gbe, GBE_MTA(i), 0);
	memset(gbe->mta, 0, sizeof(gbe->mta));
	gbe_set_rx_mode(&gbe->dev);
}
