/* SPDX-License-Identifier: MIT */
/* fake_e1000.c - an 82540EM for unit tests; fake_e1000.h says what it plays */
#include "fake_e1000.h"

#include <stdlib.h>

enum {
	RX_BUFFER = 2048, /* by RCTL.BSIZE 0 */
	LONG = 1522,      /* longest frame with FCS without RCTL.LPE */
};

/* --- interrupts [8254x 13.4.17 to 13.4.21] --- */

static void drive_line(struct fake_gbe *f)
{
	if (f->line)
		f->line(f, !f->mute && *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS));
}

void fake_e1000_cause(struct fake_gbe *f, uint32_t causes)
{
	*fake_gbe_reg(f, GBE_ICR) |= causes;
	drive_line(f);
}

void fake_e1000_link(struct fake_gbe *f, bool up)
{
	f->link = up;
	fake_e1000_cause(f, GBE_ICR_LSC);
}

/* --- transmit [8254x 3.3.3] --- */

static void send_descriptor(struct fake_gbe *f, volatile struct gbe_tx_desc *d)
{
	const uint64_t extended = E1000_TXD_DTYP | E1000_TXD_TSE | E1000_TXD_IXSM | E1000_TXD_TXSM;
	uint64_t known = GBE_TXD_LEN | GBE_TXD_EOP | GBE_TXD_IFCS | GBE_TXD_RS | GBE_TXD_DEXT |
			 GBE_TXD_VLE | E1000_TXD_TAG;

	if (d->cmd & GBE_TXD_DEXT && FIELD_GET(E1000_TXD_DTYP, d->cmd) == 0) {
		fake_gbe_context(f, d);
		return;
	}
	if (d->cmd & GBE_TXD_DEXT)
		known |= extended;
	if (d->cmd & ~known || !(d->cmd & GBE_TXD_IFCS))
		abort();
	if (fake_gbe_send(f, d))
		d->cmd |= GBE_TXD_DD;
	*fake_gbe_reg(f, GBE_ICR) |= BIT(0); /* TXDW, which nobody has enabled */
}

/* --- receive [8254x 3.2] --- */

static void fill_in(volatile union gbe_rx_desc *d, uint32_t status, uint16_t len)
{
	d->legacy.len = len;
	d->legacy.csum = 0xabcd;
	d->legacy.status = status;
}

bool fake_e1000_rx_raw(struct fake_gbe *f, uint32_t status, uint16_t len, bool silent)
{
	if (!(*fake_gbe_reg(f, GBE_RCTL) & GBE_RCTL_EN) || !fake_gbe_posted(f, E1000_RDBAL))
		return false;
	fake_gbe_give_back(f, E1000_RDBAL, status, len);
	if (!silent)
		fake_e1000_cause(f, GBE_ICR_RX);
	return true;
}

bool fake_e1000_rx(struct fake_gbe *f, uint32_t len, uint8_t first)
{
	if (!(*fake_gbe_reg(f, GBE_RCTL) & GBE_RCTL_EN) ||
	    (len + ETH_FCS_LEN > LONG && !(*fake_gbe_reg(f, GBE_RCTL) & GBE_RCTL_LPE)))
		return false;
	if (fake_gbe_posted(f, E1000_RDBAL) < (len + RX_BUFFER - 1) / RX_BUFFER) {
		*fake_gbe_reg(f, GBE_RNBC) += 1;
		fake_e1000_cause(f, GBE_ICR_RXO);
		return false;
	}
	fake_gbe_receive(f, E1000_RDBAL, RX_BUFFER, GBE_RXD_DD | E1000_RXD_IXSM, len, first);
	fake_e1000_cause(f, GBE_ICR_RX);
	return true;
}

/* --- registers --- */

static void write_ctrl(struct fake_gbe *f, uint32_t v)
{
	if (!(v & GBE_CTRL_RST) || f->reset_hangs) {
		*fake_gbe_reg(f, GBE_CTRL) = v;
		return;
	}
	f->resets++;
	if (f->reset_idle)
		*fake_gbe_reg(f, GBE_CTRL) = v & ~GBE_CTRL_RST;
	else
		fake_gbe_defaults(f);
	drive_line(f);
}

static void write_eerd(struct fake_gbe *f, uint32_t v)
{
	uint32_t at = FIELD_GET(E1000_EERD_ADDR, v);

	*fake_gbe_reg(f, E1000_EERD) = v & E1000_EERD_ADDR;
	if (v & E1000_EERD_START && !f->eeprom_hangs && at < ARRAY_SIZE(f->eeprom))
		*fake_gbe_reg(f, E1000_EERD) |= E1000_EERD_DONE |
						FIELD_PREP(E1000_EERD_DATA, f->eeprom[at]);
}

static void write_reg(struct fake_gbe *f, uint32_t off, uint32_t v)
{
	switch (off) {
	case GBE_CTRL: write_ctrl(f, v); break;
	case E1000_EERD: write_eerd(f, v); break;
	case GBE_ICS: fake_e1000_cause(f, v); break;
	case GBE_IMC:
		*fake_gbe_reg(f, GBE_IMS) &= ~v;
		drive_line(f);
		break;
	case GBE_IMS:
		*fake_gbe_reg(f, GBE_IMS) |= v;
		if (f->unmasked)
			f->unmasked(f);
		drive_line(f);
		break;
	case E1000_TDT:
	case GBE_TCTL:
		*fake_gbe_reg(f, off) = v;
		fake_gbe_transmit(f, E1000_TDBAL);
		break;
	default: *fake_gbe_reg(f, off) = v;
	}
}

static void was_read(struct fake_gbe *f, uint32_t off)
{
	if (off == GBE_ICR)
		drive_line(f);
}

static const struct fake_gbe_ops ops = {
	.write = write_reg,
	.was_read = was_read,
	.send = send_descriptor,
	.fill_in = fill_in,
	.rx = fake_e1000_rx,
};

void fake_e1000_power_on(struct fake_gbe *f, uint8_t last)
{
	fake_gbe_power_on(f, &ops);
	f->eeprom[0] = 0x5452;
	f->eeprom[2] = last << 8;
	fake_gbe_defaults(f);
}
