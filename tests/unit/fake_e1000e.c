/* SPDX-License-Identifier: MIT */
/* fake_e1000e.c - an 82574L for unit tests; fake_e1000e.h says what it plays */
#include "fake_e1000e.h"

#include <stdlib.h>

enum { QUEUES = 2, RX_BUFFER = 2048 };

static const uint8_t permanent[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0, 0x0e };

static void defaults(struct fake_gbe *f)
{
	fake_gbe_defaults(f);
	*fake_gbe_reg(f, GBE_STATUS) |= GBE_STATUS_GIO_ON;
	*fake_gbe_reg(f, GBE_EEC) = f->eeprom_hangs ? 0 : GBE_EEC_AUTO_RD;
	*fake_gbe_reg(f, GBE_RAL(0)) = permanent[0] | permanent[1] << 8;
	*fake_gbe_reg(f, GBE_RAH(0)) = permanent[4] | permanent[5] << 8 | GBE_RAH_AV;
	for (unsigned q = 0; q < QUEUES; q++)
		*fake_gbe_reg(f, E1000E_TARC(q)) = E1000E_TARC_ENABLE;
}

/* --- interrupts [82574 7.4] --- */

static bool has_vectors(struct fake_gbe *f)
{
	return *fake_gbe_reg(f, E1000E_IVAR) & FIELD_PREP(E1000E_IVAR_OTHER, E1000E_IVAR_VALID);
}

static void send(struct fake_gbe *f, uint32_t cause, uint32_t entry)
{
	if (!(entry & E1000E_IVAR_VALID))
		return;
	*fake_gbe_reg(f, GBE_ICR) &= ~(cause & *fake_gbe_reg(f, E1000E_EIAC));
	*fake_gbe_reg(f, GBE_IMS) &= ~(cause & *fake_gbe_reg(f, E1000E_EIAC)); /* as QEMU's does */
	f->interrupts[entry & 7]++;
	if (f->interrupt)
		f->interrupt(entry & 7);
}

static void send_vectors(struct fake_gbe *f, uint32_t new)
{
	uint32_t ivar = *fake_gbe_reg(f, E1000E_IVAR);

	for (unsigned q = 0; q < QUEUES; q++)
		if (new &E1000E_ICR_RXQ(q))
			send(f, E1000E_ICR_RXQ(q), FIELD_GET(E1000E_IVAR_RX(q), ivar));
	if (new &E1000E_ICR_OTHER)
		send(f, E1000E_ICR_OTHER, FIELD_GET(E1000E_IVAR_OTHER, ivar));
}

/* what is now both there and enabled, and was not before */
static void raise(struct fake_gbe *f, uint32_t reg, uint32_t bits)
{
	uint32_t before = *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS);

	if (!has_vectors(f)) {
		fake_gbe_raise(f, reg, bits);
		return;
	}
	*fake_gbe_reg(f, reg) |= bits;
	if (*fake_gbe_reg(f, GBE_ICR) & (GBE_ICR_LSC | GBE_ICR_RXO))
		*fake_gbe_reg(f, GBE_ICR) |= E1000E_ICR_OTHER;
	send_vectors(f, *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS) & ~before);
}

void fake_e1000e_cause(struct fake_gbe *f, uint32_t causes)
{
	raise(f, GBE_ICR, causes);
}

void fake_e1000e_link(struct fake_gbe *f, bool up)
{
	f->link = up;
	fake_e1000e_cause(f, GBE_ICR_LSC);
}

/* --- transmit: legacy descriptors --- */

static void send_descriptor(struct fake_gbe *f, volatile struct gbe_tx_desc *d)
{
	if (d->cmd & GBE_TXD_DEXT || !(d->cmd & GBE_TXD_IFCS))
		abort();
	if (fake_gbe_send(f, d))
		d->cmd |= GBE_TXD_DD;
}

static void transmit(struct fake_gbe *f, unsigned q)
{
	if (*fake_gbe_reg(f, E1000E_TARC(q)) & E1000E_TARC_ENABLE)
		fake_gbe_transmit(f, E1000E_TDBAL(q));
}

/* --- receive [82574 7.1] --- */

static void fill_in(volatile union gbe_rx_desc *d, uint32_t status, uint16_t len)
{
	d->advanced.type_hash = 0;
	d->advanced.len = len;
	d->advanced.vlan = 0;
	d->advanced.status = status;
}

static bool receives(struct fake_gbe *f)
{
	return *fake_gbe_reg(f, GBE_RCTL) & GBE_RCTL_EN &&
	       *fake_gbe_reg(f, E1000E_RFCTL) & E1000E_RFCTL_EXSTEN;
}

static uint32_t cause_of(struct fake_gbe *f, unsigned q)
{
	return has_vectors(f) ? E1000E_ICR_RXQ(q) : GBE_ICR_RX;
}

bool fake_e1000e_rx_raw(struct fake_gbe *f, unsigned q, uint32_t status, uint16_t len)
{
	if (!receives(f) || !fake_gbe_posted(f, E1000E_RDBAL(q)))
		return false;
	fake_gbe_give_back(f, E1000E_RDBAL(q), status, len);
	fake_e1000e_cause(f, cause_of(f, q));
	return true;
}

bool fake_e1000e_rx(struct fake_gbe *f, unsigned q, uint32_t len, uint8_t first)
{
	if (!receives(f))
		return false;
	if (fake_gbe_posted(f, E1000E_RDBAL(q)) < (len + RX_BUFFER - 1) / RX_BUFFER) {
		fake_e1000e_cause(f, GBE_ICR_RXO);
		return false;
	}
	fake_gbe_receive(f, E1000E_RDBAL(q), RX_BUFFER, GBE_RXD_DD, len, first);
	fake_e1000e_cause(f, cause_of(f, q));
	return true;
}

static bool rx_queue_0(struct fake_gbe *f, uint32_t len, uint8_t first)
{
	return fake_e1000e_rx(f, 0, len, first);
}

/* --- registers --- */

static void write_ctrl(struct fake_gbe *f, uint32_t v)
{
	if (v & GBE_CTRL_RST && !f->reset_hangs) {
		f->resets++;
		defaults(f);
		return;
	}
	*fake_gbe_reg(f, GBE_CTRL) = v;
	if (v & GBE_CTRL_GIO_OFF && !f->dma_hangs)
		*fake_gbe_reg(f, GBE_STATUS) &= ~GBE_STATUS_GIO_ON;
}

static void write_reg(struct fake_gbe *f, uint32_t off, uint32_t v)
{
	switch (off) {
	case GBE_CTRL: write_ctrl(f, v); break;
	case GBE_ICR: *fake_gbe_reg(f, GBE_ICR) &= ~v; break;
	case GBE_ICS: fake_e1000e_cause(f, v); break;
	case GBE_IMC:
		*fake_gbe_reg(f, GBE_IMS) &= ~v;
		fake_gbe_raise(f, GBE_IMS, 0);
		break;
	case GBE_IMS:
		if (f->unmasked)
			f->unmasked(f);
		raise(f, GBE_IMS, v);
		break;
	default:
		*fake_gbe_reg(f, off) = v;
		for (unsigned q = 0; q < QUEUES; q++)
			if (off == E1000E_TDT(q) || off == E1000E_TARC(q) || off == GBE_TCTL)
				transmit(f, q);
	}
}

static void was_read(struct fake_gbe *f, uint32_t off)
{
	if (off == GBE_ICR)
		fake_gbe_raise(f, GBE_IMS, 0);
}

static const struct fake_gbe_ops ops = {
	.write = write_reg,
	.was_read = was_read,
	.send = send_descriptor,
	.fill_in = fill_in,
	.rx = rx_queue_0,
};

void fake_e1000e_power_on(struct fake_gbe *f)
{
	fake_gbe_power_on(f, &ops);
	defaults(f);
}
