/* SPDX-License-Identifier: MIT */
/* fake_igb.c - an 82576 for unit tests; fake_igb.h says what it plays */
#include "fake_igb.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUES = 16, QUEUE_STRIDE = 0x40 };

static const uint8_t permanent[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0, 0x0a };

static uint32_t *reg(struct fake_igb *f, uint32_t off)
{
	if (off >= sizeof(f->reg) || off % 4)
		abort(); /* a driver that reaches beyond BAR 0 */
	return &f->reg[off / 4];
}

static void defaults(struct fake_igb *f)
{
	memset(f->reg, 0, sizeof(f->reg));
	*reg(f, GBE_STATUS) = IGB_STATUS_GIO_ON | GBE_STATUS_FD | FIELD_PREP(GBE_STATUS_SPEED, 2);
	*reg(f, IGB_EEC) = f->eeprom_hangs ? 0 : IGB_EEC_AUTO_RD;
	*reg(f, GBE_RAL(0)) = permanent[0] | permanent[1] << 8 | permanent[2] << 16 |
			      (uint32_t)permanent[3] << 24;
	*reg(f, GBE_RAH(0)) = permanent[4] | permanent[5] << 8 | GBE_RAH_AV;
	f->negotiating = false;
	f->tx_open = 0;
}

void fake_igb_power_on(struct fake_igb *f)
{
	memset(f, 0, sizeof(*f));
	defaults(f);
}

/* --- interrupts [82576 7.3] --- */

static void send_vectors(struct fake_igb *f)
{
	uint32_t send = *reg(f, IGB_EICR) & *reg(f, IGB_EIMS);

	for (unsigned v = 0; v < FAKE_IGB_VECTORS; v++) {
		if (!(send & BIT(v)))
			continue;
		if (*reg(f, IGB_EIAC) & BIT(v))
			*reg(f, IGB_EICR) &= ~BIT(v);
		if (f->auto_mask && *reg(f, IGB_GPIE) & IGB_GPIE_EIAME &&
		    *reg(f, IGB_EIAM) & BIT(v))
			*reg(f, IGB_EIMS) &= ~BIT(v);
		f->interrupts[v]++;
		if (f->interrupt)
			f->interrupt(v);
	}
}

void fake_igb_raise(struct fake_igb *f, uint32_t vectors)
{
	*reg(f, IGB_EICR) |= vectors;
	send_vectors(f);
}

static uint32_t vector_of(uint32_t entry)
{
	return entry & IGB_IVAR_VALID ? BIT(entry & 0x1f) : 0;
}

void fake_igb_cause(struct fake_igb *f, uint32_t causes)
{
	uint32_t before = *reg(f, GBE_ICR) & *reg(f, GBE_IMS);

	*reg(f, GBE_ICR) |= causes;
	if (*reg(f, GBE_ICR) & *reg(f, GBE_IMS) & ~before)
		fake_igb_raise(f,
			       vector_of(FIELD_GET(IGB_IVAR_MISC_OTHER, *reg(f, IGB_IVAR_MISC))));
}

void fake_igb_link(struct fake_igb *f, bool up)
{
	f->link = up;
	fake_igb_cause(f, GBE_ICR_LSC);
}

/* --- transmit [82576 7.2] --- */

static void send_descriptor(struct fake_igb *f, volatile struct gbe_tx_desc *d)
{
	uint32_t len = FIELD_GET(GBE_TXD_LEN, d->cmd);
	const uint8_t *from = (const uint8_t *)(uintptr_t)d->addr;

	if (FIELD_GET(IGB_TXD_DTYP, d->cmd) != 3 || !(d->cmd & GBE_TXD_DEXT) ||
	    !(d->cmd & GBE_TXD_IFCS) || len == 0 || f->tx_open + len > FAKE_IGB_FRAME)
		abort();
	memcpy(f->last + f->tx_open, from, len);
	f->tx_open += len;
	if (d->cmd & GBE_TXD_EOP) {
		if (FIELD_GET(IGB_TXD_PAYLEN, d->cmd) != f->tx_open)
			abort(); /* PAYLEN is the whole frame's [82576 7.2.2.3.11] */
		f->sent_len[f->nsent++ % FAKE_IGB_SENT] = f->tx_open;
		f->tx_open = 0;
	}
	if (d->cmd & GBE_TXD_RS) {
		if (!(d->cmd & GBE_TXD_EOP))
			abort(); /* a report belongs to the end of a frame */
		f->nreports++;
		if (!f->tx_silent)
			d->cmd = GBE_TXD_DD;
	}
}

static void transmit(struct fake_igb *f, unsigned q)
{
	volatile struct gbe_tx_desc *ring =
		(void *)((uint64_t)*reg(f, IGB_TDBAH(q)) << 32 | *reg(f, IGB_TDBAL(q)));
	uint32_t n = *reg(f, IGB_TDLEN(q)) / sizeof(*ring);

	if (f->tx_stalled || !(*reg(f, IGB_TXDCTL(q)) & IGB_TXDCTL_ENABLE) ||
	    !(*reg(f, GBE_TCTL) & GBE_TCTL_EN))
		return;
	while (*reg(f, IGB_TDH(q)) != *reg(f, IGB_TDT(q))) {
		send_descriptor(f, &ring[*reg(f, IGB_TDH(q))]);
		*reg(f, IGB_TDH(q)) = (*reg(f, IGB_TDH(q)) + 1) % n;
	}
}

/* --- receive [82576 7.1] --- */

static volatile union gbe_rx_desc *rx_ring(struct fake_igb *f, unsigned q)
{
	return (void *)((uint64_t)*reg(f, IGB_RDBAH(q)) << 32 | *reg(f, IGB_RDBAL(q)));
}

static uint32_t rx_posted(struct fake_igb *f, unsigned q)
{
	uint32_t n = *reg(f, IGB_RDLEN(q)) / sizeof(union gbe_rx_desc);

	return n ? (*reg(f, IGB_RDT(q)) + n - *reg(f, IGB_RDH(q))) % n : 0;
}

static void give_back(struct fake_igb *f, unsigned q, uint32_t status, uint16_t len)
{
	uint32_t head = *reg(f, IGB_RDH(q)), n = *reg(f, IGB_RDLEN(q)) / sizeof(union gbe_rx_desc);
	volatile union gbe_rx_desc *d = &rx_ring(f, q)[head];

	d->advanced.type_hash = 0;
	d->advanced.len = len;
	d->advanced.status = status;
	*reg(f, IGB_RDH(q)) = (head + 1) % n;
}

static bool rx_on(struct fake_igb *f, unsigned q)
{
	return *reg(f, GBE_RCTL) & GBE_RCTL_EN && *reg(f, IGB_RXDCTL(q)) & IGB_RXDCTL_ENABLE;
}

static void rx_interrupt(struct fake_igb *f, unsigned q)
{
	fake_igb_raise(f, vector_of(FIELD_GET(IGB_IVAR_RX, *reg(f, IGB_IVAR(q)))));
}

bool fake_igb_rx_raw(struct fake_igb *f, unsigned q, uint32_t status, uint16_t len, bool silent)
{
	if (!rx_on(f, q) || !rx_posted(f, q))
		return false;
	give_back(f, q, status, len);
	if (!silent)
		rx_interrupt(f, q);
	return true;
}

bool fake_igb_rx(struct fake_igb *f, unsigned q, uint32_t len, uint8_t first)
{
	uint32_t buf = FIELD_GET(IGB_SRRCTL_BSIZEPKT, *reg(f, IGB_SRRCTL(q))) * 1024;

	if (!rx_on(f, q))
		return false;
	if (rx_posted(f, q) < (len + buf - 1) / buf) {
		*reg(f, GBE_RNBC) += 1;
		*reg(f, IGB_RQDPC(q)) += 1;
		fake_igb_cause(f, GBE_ICR_RXO);
		return false;
	}
	for (uint32_t at = 0; at < len;) {
		uint32_t part = MIN(buf, len - at);
		uint8_t *to = (uint8_t *)(uintptr_t)rx_ring(f, q)[*reg(f, IGB_RDH(q))].post.addr;

		for (uint32_t i = 0; i < part; i++)
			to[i] = first + at + i;
		at += part;
		give_back(f, q, GBE_RXD_DD | (at == len ? GBE_RXD_EOP : 0), part);
	}
	*reg(f, GBE_GPRC) += 1;
	*reg(f, GBE_GORCL) += len + ETH_FCS_LEN;
	rx_interrupt(f, q);
	return true;
}

void fake_igb_rx_done(struct fake_igb *f, unsigned q)
{
	uint32_t n = *reg(f, IGB_RDLEN(q)) / sizeof(union gbe_rx_desc);
	volatile union gbe_rx_desc *d = &rx_ring(f, q)[(*reg(f, IGB_RDH(q)) + n - 1) % n];

	d->advanced.status |= GBE_RXD_DD;
}

/* --- registers --- */

static void reset(struct fake_igb *f)
{
	f->resets++;
	defaults(f);
	if (f->intr_on_reset && f->interrupt)
		f->interrupt(0);
}

static void write_ctrl(struct fake_igb *f, uint32_t v)
{
	if (v & GBE_CTRL_RST && !f->reset_hangs) {
		reset(f);
		return;
	}
	*reg(f, GBE_CTRL) = v;
	if (v & IGB_CTRL_GIO_OFF && !f->dma_hangs)
		*reg(f, GBE_STATUS) &= ~IGB_STATUS_GIO_ON;
}

static void write_mdic(struct fake_igb *f, uint32_t v)
{
	*reg(f, GBE_MDIC) = v & ~GBE_MDIC_READY;
	if (f->phy_dead)
		return;
	*reg(f, GBE_MDIC) |= GBE_MDIC_READY | (f->phy_error ? GBE_MDIC_ERROR : 0);
	if (FIELD_GET(GBE_MDIC_PHY, v) == 1 && FIELD_GET(GBE_MDIC_REG, v) == GBE_PHY_CONTROL &&
	    FIELD_GET(GBE_MDIC_OP, v) == GBE_MDIC_OP_WRITE && v & GBE_PHY_AN_ENABLE &&
	    v & GBE_PHY_AN_RESTART)
		f->negotiating = true;
}

/* write_queue() - a register of one queue; false if it is none that does something */
static bool write_queue(struct fake_igb *f, uint32_t off, uint32_t v)
{
	for (unsigned q = 0; q < QUEUES; q++) {
		bool on_off = off == IGB_RXDCTL(q) || off == IGB_TXDCTL(q);

		if (on_off && f->queues_hang)
			return true;
		if (off == IGB_TDT(q) || off == IGB_TXDCTL(q)) {
			*reg(f, off) = v;
			transmit(f, q);
			return true;
		}
	}
	return false;
}

void fake_gbe_write(void *regs, uint32_t off, uint32_t v)
{
	struct fake_igb *f = regs;

	if (f->nlog < FAKE_IGB_LOG) {
		f->log[f->nlog].off = off;
		f->log[f->nlog++].v = v;
	}
	switch (off) {
	case GBE_CTRL: write_ctrl(f, v); break;
	case GBE_MDIC: write_mdic(f, v); break;
	case GBE_IMS: *reg(f, GBE_IMS) |= v; break;
	case GBE_IMC: *reg(f, GBE_IMS) &= ~v; break;
	case IGB_EIMC: *reg(f, IGB_EIMS) &= ~v; break;
	case IGB_EICS: fake_igb_raise(f, v); break;
	case IGB_EIMS:
		*reg(f, IGB_EIMS) |= v;
		if (f->unmasked)
			f->unmasked(f);
		send_vectors(f);
		break;
	default:
		if (!write_queue(f, off, v))
			*reg(f, off) = v;
	}
}

uint32_t fake_gbe_read(void *regs, uint32_t off)
{
	struct fake_igb *f = regs;
	uint32_t v = *reg(f, off);
	bool rqdpc = off >= IGB_RQDPC(0) && off <= IGB_RQDPC(QUEUES - 1) &&
		     (off - IGB_RQDPC(0)) % QUEUE_STRIDE == 0;

	if (off == GBE_STATUS && f->link && f->negotiating)
		v |= GBE_STATUS_LU;
	if (off == GBE_ICR || (off >= 0x4000 && off < 0x4200) || rqdpc)
		*reg(f, off) = 0; /* cleared by reading */
	if (off == IGB_EICR) {
		f->eicr_reads++;
		*reg(f, off) = 0;
	}
	return v;
}

unsigned fake_igb_writes(const struct fake_igb *f, uint32_t off, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < f->nlog; i++)
		n += f->log[i].off == off;
	return n;
}

int fake_igb_wrote(const struct fake_igb *f, uint32_t off, uint32_t bits, unsigned from)
{
	for (unsigned i = from; i < f->nlog; i++)
		if (f->log[i].off == off && (f->log[i].v & bits) == bits)
			return i;
	return -1;
}
