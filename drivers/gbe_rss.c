/* SPDX-License-Identifier: MIT */
/*
 * gbe_rss.c - receive side scaling: which queue a frame goes to
 *
 * Control context, core 0, while no frame comes in. Owns MRQC, RETA and the key's registers; what
 * they hold is dev->rss. The hash is Toeplitz's, over addresses and ports [82576 7.1.1.7] [82574
 * 7.1.8].
 *
 * One queue is hashed for too: whether to hash can be changed only while the receiver is off, and
 * whether a hash is told (`ethtool -K nic0 rxhash`) is then the driver's alone, from one frame on.
 */
#include "gbe.h"

#include <string.h>

static uint32_t word_of(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void gbe_spread(struct netdev_rss *rss, unsigned nqueues)
{
	for (unsigned i = 0; i < RSS_TABLE; i++)
		rss->table[i] = i % nqueues;
	rss->table_set = false;
}

/* the key repeats two bytes, so both directions of a flow hash alike and meet on one core */
void gbe_init_rss(struct gbe *gbe)
{
	const struct gbe_rss_bits *bits = gbe->chip->rss;
	struct netdev_rss *rss = &gbe->dev.rss;

	memcpy(rss->key, toeplitz_symmetric_key, sizeof(rss->key));
	rss->udp4_ports = gbe->dev.rss_udp_ports = bits && bits->udp4_ports;
	rss->udp6_ports = bits && bits->udp6_ports;
}

void gbe_configure_rss(struct gbe *gbe)
{
	const struct netdev_rss *rss = &gbe->dev.rss;
	const struct gbe_rss_bits *bits = gbe->chip->rss;

	for (unsigned i = 0; i < GBE_RSSRK_WORDS; i++)
		gbe_write(gbe, GBE_RSSRK(i), word_of(&rss->key[4 * i]));
	for (unsigned i = 0; i < GBE_RETA_WORDS; i++)
		gbe_write(gbe, GBE_RETA(i), word_of(&rss->table[4 * i]) << bits->table_shift);
	gbe_write(gbe, GBE_MRQC,
		  bits->on | (rss->udp4_ports ? bits->udp4_ports : 0) |
			  (rss->udp6_ports ? bits->udp6_ports : 0));
}
