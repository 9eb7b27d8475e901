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
	*reg(f, IGB_STATUS) = IGB_STATUS_GIO_ON | IGB_STATUS_FD | FIELD_PREP(IGB_STATUS_SPEED, 2);
	*reg(f, IGB_EEC) = f->eeprom_hangs ? 0 : IGB_EEC_AUTO_RD;
	*reg(f, IGB_RAL(0)) = permanent[0] | permanent[1] << 8 | permanent[2] << 16 |
			      (uint32_t)permanent[3] << 24;
	*reg(f, IGB_RAH(0)) = permanent[4] | permanent[5] << 8 | IGB_RAH_AV;
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
	uint32_t before = *reg(f, IGB_ICR) & *reg(f, IGB_IMS);

	*reg(f, IGB_ICR) |= causes;
	if (*reg(f, IGB_ICR) & *reg(f, IGB_IMS) & ~before)
		fake_igb_raise(f,
			       vector_of(FIELD_GET(IGB_IVAR_MISC_OTHER, *reg(f, IGB_IVAR_MISC))));
}

void fake_igb_link(struct fake_igb *f, bool up)
{
	f->link = up;
	fake_igb_cause(f, IGB_ICR_LSC);
}

/* --- transmit [82576 7.2] --- */

static void send_descriptor(struct fake_igb *f, volatile struct igb_tx_desc *d)
{
	uint32_t len = FIELD_GET(IGB_TXD_LEN, d->cmd);
	const uint8_t *from = (const uint8_t *)(uintptr_t)d->addr;

	if (FIELD_GET(IGB_TXD_DTYP, d->cmd) != 3 || !(d->cmd & IGB_TXD_DEXT) ||
	    !(d->cmd & IGB_TXD_IFCS) || len == 0 || f->tx_open + len > FAKE_IGB_FRAME)
		abort();
	memcpy(f->last + f->tx_open, from, len);
	f->tx_open += len;
	if (d->cmd & IGB_TXD_EOP) {
		if (FIELD_GET(IGB_TXD_PAYLEN, d->cmd) != f->tx_open)
			abort(); /* PAYLEN is the whole frame's [82576 7.2.2.3.11] */
		f->sent_len[f->nsent++ % FAKE_IGB_SENT] = f->tx_open;
		f->tx_open = 0;
	}
	if (d->cmd & IGB_TXD_RS) {
		if (!(d->cmd & IGB_TXD_EOP))
			abort(); /* a report belongs to the end of a frame */
		f->nreports++;
		if (!f->tx_silent)
			d->cmd = IGB_TXD_DD;
	}
}

static void transmit(struct fake_igb *f, unsigned q)
{
	volatile struct igb_tx_desc *ring =
		(void *)((uint64_t)*reg(f, IGB_TDBAH(q)) << 32 | *reg(f, IGB_TDBAL(q)));
	uint32_t n = *reg(f, IGB_TDLEN(q)) / sizeof(*ring);

	if (f->tx_stalled || !(*reg(f, IGB_TXDCTL(q)) & IGB_TXDCTL_ENABLE) ||
	    !(*reg(f, IGB_TCTL) & IGB_TCTL_EN))
		return;
	while (*reg(f, IGB_TDH(q)) != *reg(f, IGB_TDT(q))) {
		send_descriptor(f, &ring[*reg(f, IGB_TDH(q))]);
		*reg(f, IGB_TDH(q)) = (*reg(f, IGB_TDH(q)) + 1) % n;
	}
}

/* --- receive [82576 7.1] --- */

static volatile union igb_rx_desc *rx_ring(struct fake_igb *f, unsigned q)
{
	return (void *)((uint64_t)*reg(f, IGB_RDBAH(q)) << 32 | *reg(f, IGB_RDBAL(q)));
}

static uint32_t rx_posted(struct fake_igb *f, unsigned q)
{
	uint32_t n = *reg(f, IGB_RDLEN(q)) / sizeof(union igb_rx_desc);

	return n ? (*reg(f, IGB_RDT(q)) + n - *reg(f, IGB_RDH(q))) % n : 0;
}

static void give_back(struct fake_igb *f, unsigned q, uint32_t status, uint16_t len)
{
	uint32_t head = *reg(f, IGB_RDH(q)), n = *reg(f, IGB_RDLEN(q)) / sizeof(union igb_rx_desc);
	volatile union igb_rx_desc *d = &rx_ring(f, q)[head];

	d->done.type_hash = 0;
	d->done.len = len;
	d->done.status = status;
	*reg(f, IGB_RDH(q)) = (head + 1) % n;
}

static bool rx_on(struct fake_igb *f, unsigned q)
{
	return *reg(f, IGB_RCTL) & IGB_RCTL_EN && *reg(f, IGB_RXDCTL(q)) & IGB_RXDCTL_ENABLE;
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
		*reg(f, IGB_RNBC) += 1;
		*reg(f, IGB_RQDPC(q)) += 1;
		fake_igb_cause(f, IGB_ICR_RXO);
		return false;
	}
	for (uint32_t at = 0; at < len;) {
		uint32_t part = MIN(buf, len - at);
		uint8_t *to = (uint8_t *)(uintptr_t)rx_ring(f, q)[*reg(f, IGB_RDH(q))].post.addr;

		for (uint32_t i = 0; i < part; i++)
			to[i] = first + at + i;
		at += part;
		give_back(f, q, IGB_RXD_DD | (at == len ? IGB_RXD_EOP : 0), part);
	}
	*reg(f, IGB_GPRC) += 1;
	*reg(f, IGB_GORCL) += len + ETH_FCS_LEN;
	rx_interrupt(f, q);
	return true;
}

void fake_igb_rx_done(struct fake_igb *f, unsigned q)
{
	uint32_t n = *reg(f, IGB_RDLEN(q)) / sizeof(union igb_rx_desc);
	volatile union igb_rx_desc *d = &rx_ring(f, q)[(*reg(f, IGB_RDH(q)) + n - 1) % n];

	d->done.status |= IGB_RXD_DD;
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
	if (v & IGB_CTRL_RST && !f->reset_hangs) {
		reset(f);
		return;
	}
	*reg(f, IGB_CTRL) = v;
	if (v & IGB_CTRL_GIO_OFF && !f->dma_hangs)
		*reg(f, IGB_STATUS) &= ~IGB_STATUS_GIO_ON;
}

static void write_mdic(struct fake_igb *f, uint32_t v)
{
	*reg(f, IGB_MDIC) = v & ~IGB_MDIC_READY;
	if (f->phy_dead)
		return;
	*reg(f, IGB_MDIC) |= IGB_MDIC_READY | (f->phy_error ? IGB_MDIC_ERROR : 0);
	if (FIELD_GET(IGB_MDIC_PHY, v) == 1 && FIELD_GET(IGB_MDIC_REG, v) == IGB_PHY_CONTROL &&
	    FIELD_GET(IGB_MDIC_OP, v) == IGB_MDIC_OP_WRITE && v & IGB_PHY_AN_ENABLE &&
	    v & IGB_PHY_AN_RESTART)
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

void fake_igb_write(void *regs, uint32_t off, uint32_t v)
{
	struct fake_igb *f = regs;

	if (f->nlog < FAKE_IGB_LOG) {
		f->log[f->nlog].off = off;
		f->log[f->nlog++].v = v;
	}
	switch (off) {
	case IGB_CTRL: write_ctrl(f, v); break;
	case IGB_MDIC: write_mdic(f, v); break;
	case IGB_IMS: *reg(f, IGB_IMS) |= v; break;
	case IGB_IMC: *reg(f, IGB_IMS) &= ~v; break;
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

uint32_t fake_igb_read(void *regs, uint32_t off)
{
	struct fake_igb *f = regs;
	uint32_t v = *reg(f, off);
	bool rqdpc = off >= IGB_RQDPC(0) && off <= IGB_RQDPC(QUEUES - 1) &&
		     (off - IGB_RQDPC(0)) % QUEUE_STRIDE == 0;

	if (off == IGB_STATUS && f->link && f->negotiating)
		v |= IGB_STATUS_LU;
	if (off == IGB_ICR || (off >= 0x4000 && off < 0x4200) || rqdpc)
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
