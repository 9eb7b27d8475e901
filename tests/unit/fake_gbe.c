/* SPDX-License-Identifier: MIT */
/*
 * fake_gbe.c - the register file of both gigabit NICs for unit tests; fake_gbe.h says what it plays
 */
#include "fake_gbe.h"

#include <stdlib.h>
#include <string.h>

/* a ring's registers, from its first on: [82576 8.10, 8.12], [8254x 13.4.25 on] */
enum { BAL = 0x00, BAH = 0x04, LEN = 0x08, HEAD = 0x10, TAIL = 0x18 };

enum { DESC = 16 }; /* bytes of a descriptor, of either kind */

uint32_t *fake_gbe_reg(struct fake_gbe *f, uint32_t off)
{
	if (off >= sizeof(f->reg) || off % 4)
		abort(); /* a driver that reaches beyond BAR 0 */
	return &f->reg[off / 4];
}

void fake_gbe_defaults(struct fake_gbe *f)
{
	memset(f->reg, 0, sizeof(f->reg));
	*fake_gbe_reg(f, GBE_STATUS) = GBE_STATUS_FD | FIELD_PREP(GBE_STATUS_SPEED, 2);
	f->negotiating = false;
	f->tx_open = 0;
}

void fake_gbe_power_on(struct fake_gbe *f, const struct fake_gbe_ops *ops)
{
	memset(f, 0, sizeof(*f));
	f->ops = ops;
}

/* --- one interrupt for everything --- */

void fake_gbe_raise(struct fake_gbe *f, uint32_t reg, uint32_t bits)
{
	uint32_t before = *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS), now;

	*fake_gbe_reg(f, reg) |= bits;
	now = *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS);
	if (f->line)
		f->line(f, !f->mute && now);
	if (f->interrupt && now & ~before) {
		f->interrupts[0]++;
		f->interrupt(0);
	}
}

/* --- rings --- */

static volatile void *ring_base(struct fake_gbe *f, uint32_t ring)
{
	return (void *)((uint64_t)*fake_gbe_reg(f, ring + BAH) << 32 |
			*fake_gbe_reg(f, ring + BAL));
}

static uint32_t ring_size(struct fake_gbe *f, uint32_t ring)
{
	return *fake_gbe_reg(f, ring + LEN) / DESC;
}

void fake_gbe_context(struct fake_gbe *f, const volatile struct gbe_tx_desc *d)
{
	if (f->tx_open || d->cmd & (GBE_TXD_EOP | GBE_TXD_RS))
		abort(); /* it stands between frames, and nobody asks for its report */
	f->context = *d;
	f->ncontexts++;
}

bool fake_gbe_send(struct fake_gbe *f, const volatile struct gbe_tx_desc *d)
{
	uint32_t len = FIELD_GET(GBE_TXD_LEN, d->cmd);

	if (len == 0 || f->tx_open + len > FAKE_GBE_FRAME)
		abort();
	memcpy(f->last + f->tx_open, (const uint8_t *)(uintptr_t)d->addr, len);
	f->tx_open += len;
	f->last_cmd = d->cmd;
	if (d->cmd & GBE_TXD_EOP) {
		f->sent_len[f->nsent++ % FAKE_GBE_SENT] = f->tx_open;
		f->tx_open = 0;
	}
	if (!(d->cmd & GBE_TXD_RS))
		return false;
	if (!(d->cmd & GBE_TXD_EOP))
		abort(); /* a report belongs to the end of a frame */
	f->nreports++;
	return !f->tx_silent;
}

void fake_gbe_transmit(struct fake_gbe *f, uint32_t ring)
{
	volatile struct gbe_tx_desc *desc = ring_base(f, ring);
	uint32_t *head = fake_gbe_reg(f, ring + HEAD);

	if (f->tx_stalled || !(*fake_gbe_reg(f, GBE_TCTL) & GBE_TCTL_EN))
		return;
	while (*head != *fake_gbe_reg(f, ring + TAIL)) {
		f->ops->send(f, &desc[*head]);
		*head = (*head + 1) % ring_size(f, ring);
	}
}

uint32_t fake_gbe_posted(struct fake_gbe *f, uint32_t ring)
{
	uint32_t n = ring_size(f, ring);

	return n ? (*fake_gbe_reg(f, ring + TAIL) + n - *fake_gbe_reg(f, ring + HEAD)) % n : 0;
}

volatile union gbe_rx_desc *fake_gbe_rx_desc(struct fake_gbe *f, uint32_t ring, uint32_t i)
{
	return (volatile union gbe_rx_desc *)ring_base(f, ring) + i;
}

void fake_gbe_give_back(struct fake_gbe *f, uint32_t ring, uint32_t status, uint16_t len)
{
	uint32_t *head = fake_gbe_reg(f, ring + HEAD);

	f->ops->fill_in(fake_gbe_rx_desc(f, ring, *head), status, len);
	*head = (*head + 1) % ring_size(f, ring);
}

void fake_gbe_receive(struct fake_gbe *f, uint32_t ring, uint32_t size, uint32_t status,
		      uint32_t len, uint8_t first)
{
	const uint32_t *head = fake_gbe_reg(f, ring + HEAD);

	for (uint32_t at = 0; at < len;) {
		uint32_t part = MIN(size, len - at);
		uint8_t *to = (uint8_t *)(uintptr_t)fake_gbe_rx_desc(f, ring, *head)->post.addr;

		for (uint32_t i = 0; i < part; i++)
			to[i] = first + at + i;
		at += part;
		fake_gbe_give_back(f, ring, status | (at == len ? GBE_RXD_EOP : 0), part);
	}
	*fake_gbe_reg(f, GBE_GPRC) += 1;
	*fake_gbe_reg(f, GBE_GORCL) += len + ETH_FCS_LEN;
}

/* --- registers --- */

static void write_mdic(struct fake_gbe *f, uint32_t v)
{
	*fake_gbe_reg(f, GBE_MDIC) = v & ~GBE_MDIC_READY;
	if (f->phy_dead)
		return;
	*fake_gbe_reg(f, GBE_MDIC) |= GBE_MDIC_READY | (f->phy_error ? GBE_MDIC_ERROR : 0);
	if (FIELD_GET(GBE_MDIC_OP, v) == GBE_MDIC_OP_READ &&
	    FIELD_GET(GBE_MDIC_REG, v) == GBE_PHY_PARTNER)
		*fake_gbe_reg(f, GBE_MDIC) |= f->phy_partner;
	if (FIELD_GET(GBE_MDIC_PHY, v) == 1 && FIELD_GET(GBE_MDIC_REG, v) == GBE_PHY_CONTROL &&
	    FIELD_GET(GBE_MDIC_OP, v) == GBE_MDIC_OP_WRITE && v & GBE_PHY_AN_ENABLE &&
	    v & GBE_PHY_AN_RESTART)
		f->negotiating = true;
}

void fake_gbe_write(void *regs, uint32_t off, uint32_t v)
{
	struct fake_gbe *f = regs;

	if (f->nlog < FAKE_GBE_LOG) {
		f->log[f->nlog].off = off;
		f->log[f->nlog++].v = v;
	}
	if (off == GBE_MDIC)
		write_mdic(f, v);
	else
		f->ops->write(f, off, v);
}

uint32_t fake_gbe_read(void *regs, uint32_t off)
{
	struct fake_gbe *f = regs;
	uint32_t v = *fake_gbe_reg(f, off);

	if (off == GBE_STATUS && f->link && f->negotiating)
		v |= GBE_STATUS_LU;
	if (off == GBE_ICR || (off >= 0x4000 && off < 0x4200))
		*fake_gbe_reg(f, off) = 0; /* cleared by reading */
	f->ops->was_read(f, off);
	return v;
}

/* --- the log --- */

unsigned fake_gbe_writes(const struct fake_gbe *f, uint32_t off, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < f->nlog; i++)
		n += f->log[i].off == off;
	return n;
}

int fake_gbe_wrote(const struct fake_gbe *f, uint32_t off, uint32_t bits, unsigned from)
{
	for (unsigned i = from; i < f->nlog; i++)
		if (f->log[i].off == off && (f->log[i].v & bits) == bits)
			return i;
	return -1;
}
