/* SPDX-License-Identifier: MIT */
/* fake_e1000.c - an 82540EM for unit tests; fake_e1000.h says what it plays */
#include "fake_e1000.h"

#include <stdlib.h>
#include <string.h>

enum {
	RX_BUFFER = 2048, /* by RCTL.BSIZE 0 */
	FCS = 4,
	LONG = 1522, /* longest frame with FCS without RCTL.LPE */
};

static uint32_t *reg(struct fake_e1000 *f, uint32_t off)
{
	if (off >= sizeof(f->reg) || off % 4)
		abort(); /* a driver that reaches beyond BAR 0 */
	return &f->reg[off / 4];
}

static void defaults(struct fake_e1000 *f)
{
	memset(f->reg, 0, sizeof(f->reg));
	*reg(f, GBE_STATUS) = GBE_STATUS_FD | FIELD_PREP(GBE_STATUS_SPEED, 2);
	f->negotiating = false;
	f->tx_open = 0;
}

void fake_e1000_power_on(struct fake_e1000 *f, uint8_t last)
{
	memset(f, 0, sizeof(*f));
	f->eeprom[0] = 0x5452;
	f->eeprom[2] = last << 8;
	defaults(f);
}

/* --- interrupts [8254x 13.4.17 to 13.4.21] --- */

static void drive_line(struct fake_e1000 *f)
{
	if (f->line)
		f->line(f, !f->mute && *reg(f, GBE_ICR) & *reg(f, GBE_IMS));
}

void fake_e1000_cause(struct fake_e1000 *f, uint32_t causes)
{
	*reg(f, GBE_ICR) |= causes;
	drive_line(f);
}

void fake_e1000_link(struct fake_e1000 *f, bool up)
{
	f->link = up;
	fake_e1000_cause(f, GBE_ICR_LSC);
}

/* --- transmit [8254x 3.3.3] --- */

static void send_descriptor(struct fake_e1000 *f, volatile struct gbe_tx_desc *d)
{
	const uint64_t known = GBE_TXD_LEN | GBE_TXD_EOP | GBE_TXD_IFCS | GBE_TXD_RS;
	uint32_t len = FIELD_GET(GBE_TXD_LEN, d->cmd);

	if (d->cmd & ~known || !(d->cmd & GBE_TXD_IFCS) || len == 0 ||
	    f->tx_open + len > FAKE_E1000_FRAME)
		abort();
	memcpy(f->last + f->tx_open, (const uint8_t *)(uintptr_t)d->addr, len);
	f->tx_open += len;
	if (d->cmd & GBE_TXD_EOP) {
		f->sent_len[f->nsent++ % FAKE_E1000_SENT] = f->tx_open;
		f->tx_open = 0;
	}
	if (d->cmd & GBE_TXD_RS) {
		if (!(d->cmd & GBE_TXD_EOP))
			abort(); /* a report belongs to the end of a frame */
		f->nreports++;
		if (!f->tx_silent)
			d->cmd |= GBE_TXD_DD;
	}
	*reg(f, GBE_ICR) |= BIT(0); /* TXDW, which nobody has enabled */
}

static void transmit(struct fake_e1000 *f)
{
	volatile struct gbe_tx_desc *ring =
		(void *)((uint64_t)*reg(f, E1000_TDBAH) << 32 | *reg(f, E1000_TDBAL));
	uint32_t n = *reg(f, E1000_TDLEN) / sizeof(*ring);

	if (f->tx_stalled || !(*reg(f, GBE_TCTL) & GBE_TCTL_EN))
		return;
	while (*reg(f, E1000_TDH) != *reg(f, E1000_TDT)) {
		send_descriptor(f, &ring[*reg(f, E1000_TDH)]);
		*reg(f, E1000_TDH) = (*reg(f, E1000_TDH) + 1) % n;
	}
}

/* --- receive [8254x 3.2] --- */

static volatile union gbe_rx_desc *rx_ring(struct fake_e1000 *f)
{
	return (void *)((uint64_t)*reg(f, E1000_RDBAH) << 32 | *reg(f, E1000_RDBAL));
}

static uint32_t rx_posted(struct fake_e1000 *f)
{
	uint32_t n = *reg(f, E1000_RDLEN) / sizeof(union gbe_rx_desc);

	return n ? (*reg(f, E1000_RDT) + n - *reg(f, E1000_RDH)) % n : 0;
}

static void give_back(struct fake_e1000 *f, uint32_t status, uint16_t len)
{
	uint32_t head = *reg(f, E1000_RDH), n = *reg(f, E1000_RDLEN) / sizeof(union gbe_rx_desc);
	volatile union gbe_rx_desc *d = &rx_ring(f)[head];

	d->legacy.len = len;
	d->legacy.csum = 0xabcd;
	d->legacy.status = status;
	*reg(f, E1000_RDH) = (head + 1) % n;
}

bool fake_e1000_rx_raw(struct fake_e1000 *f, uint32_t status, uint16_t len, bool silent)
{
	if (!(*reg(f, GBE_RCTL) & GBE_RCTL_EN) || !rx_posted(f))
		return false;
	give_back(f, status, len);
	if (!silent)
		fake_e1000_cause(f, E1000_ICR_RXT0);
	return true;
}

bool fake_e1000_rx(struct fake_e1000 *f, uint32_t len, uint8_t first)
{
	if (!(*reg(f, GBE_RCTL) & GBE_RCTL_EN) ||
	    (len + FCS > LONG && !(*reg(f, GBE_RCTL) & GBE_RCTL_LPE)))
		return false;
	if (rx_posted(f) < (len + RX_BUFFER - 1) / RX_BUFFER) {
		*reg(f, GBE_RNBC) += 1;
		fake_e1000_cause(f, GBE_ICR_RXO);
		return false;
	}
	for (uint32_t at = 0; at < len;) {
		uint32_t part = MIN(RX_BUFFER, len - at);
		uint8_t *to = (uint8_t *)(uintptr_t)rx_ring(f)[*reg(f, E1000_RDH)].post.addr;

		for (uint32_t i = 0; i < part; i++)
			to[i] = first + at + i;
		at += part;
		give_back(f, GBE_RXD_DD | E1000_RXD_IXSM | (at == len ? GBE_RXD_EOP : 0), part);
	}
	*reg(f, GBE_GPRC) += 1;
	*reg(f, GBE_GORCL) += len + FCS;
	fake_e1000_cause(f, E1000_ICR_RXT0);
	return true;
}

/* --- registers --- */

static void write_ctrl(struct fake_e1000 *f, uint32_t v)
{
	if (!(v & GBE_CTRL_RST) || f->reset_hangs) {
		*reg(f, GBE_CTRL) = v;
		return;
	}
	f->resets++;
	if (f->reset_idle)
		*reg(f, GBE_CTRL) = v & ~GBE_CTRL_RST;
	else
		defaults(f);
	drive_line(f);
}

static void write_mdic(struct fake_e1000 *f, uint32_t v)
{
	*reg(f, GBE_MDIC) = v & ~GBE_MDIC_READY;
	if (f->phy_dead)
		return;
	*reg(f, GBE_MDIC) |= GBE_MDIC_READY;
	if (FIELD_GET(GBE_MDIC_PHY, v) == 1 && FIELD_GET(GBE_MDIC_REG, v) == GBE_PHY_CONTROL &&
	    FIELD_GET(GBE_MDIC_OP, v) == GBE_MDIC_OP_WRITE && v & GBE_PHY_AN_ENABLE &&
	    v & GBE_PHY_AN_RESTART)
		f->negotiating = true;
}

static void write_eerd(struct fake_e1000 *f, uint32_t v)
{
	uint32_t at = FIELD_GET(E1000_EERD_ADDR, v);

	*reg(f, E1000_EERD) = v & E1000_EERD_ADDR;
	if (v & E1000_EERD_START && !f->eeprom_hangs && at < ARRAY_SIZE(f->eeprom))
		*reg(f, E1000_EERD) |= E1000_EERD_DONE | FIELD_PREP(E1000_EERD_DATA, f->eeprom[at]);
}

void fake_gbe_write(void *regs, uint32_t off, uint32_t v)
{
	struct fake_e1000 *f = regs;

	if (f->nlog < FAKE_E1000_LOG) {
		f->log[f->nlog].off = off;
		f->log[f->nlog++].v = v;
	}
	switch (off) {
	case GBE_CTRL: write_ctrl(f, v); break;
	case GBE_MDIC: write_mdic(f, v); break;
	case E1000_EERD: write_eerd(f, v); break;
	case GBE_ICS: fake_e1000_cause(f, v); break;
	case GBE_IMC:
		*reg(f, GBE_IMS) &= ~v;
		drive_line(f);
		break;
	case GBE_IMS:
		*reg(f, GBE_IMS) |= v;
		if (f->unmasked)
			f->unmasked(f);
		drive_line(f);
		break;
	case E1000_TDT:
	case GBE_TCTL:
		*reg(f, off) = v;
		transmit(f);
		break;
	default: *reg(f, off) = v;
	}
}

uint32_t fake_gbe_read(void *regs, uint32_t off)
{
	struct fake_e1000 *f = regs;
	uint32_t v = *reg(f, off);

	if (off == GBE_STATUS && f->link && f->negotiating)
		v |= GBE_STATUS_LU;
	if (off == GBE_ICR || (off >= 0x4000 && off < 0x4200))
		*reg(f, off) = 0; /* cleared by reading */
	if (off == GBE_ICR) {
		f->icr_reads++;
		drive_line(f);
	}
	return v;
}

unsigned fake_e1000_writes(const struct fake_e1000 *f, uint32_t off, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < f->nlog; i++)
		n += f->log[i].off == off;
	return n;
}

int fake_e1000_wrote(const struct fake_e1000 *f, uint32_t off, uint32_t bits, unsigned from)
{
	for (unsigned i = from; i < f->nlog; i++)
		if (f->log[i].off == off && (f->log[i].v & bits) == bits)
			return i;
	return -1;
}
