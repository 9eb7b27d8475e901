/* SPDX-License-Identifier: MIT */
/* fake_igb.c - an 82576 for unit tests; fake_igb.h says what it plays */
#include "fake_igb.h"

#include "tests/unit/host.h"

#include <stdlib.h>

enum { QUEUES = 16, QUEUE_STRIDE = 0x40 };

static const uint8_t permanent[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0, 0x0a };

static void defaults(struct fake_gbe *f)
{
	fake_gbe_defaults(f);
	*fake_gbe_reg(f, GBE_STATUS) |= GBE_STATUS_GIO_ON;
	*fake_gbe_reg(f, GBE_EEC) = f->eeprom_hangs ? 0 : GBE_EEC_AUTO_RD;
	*fake_gbe_reg(f, GBE_RAL(0)) = permanent[0] | permanent[1] << 8 | permanent[2] << 16 |
				       (uint32_t)permanent[3] << 24;
	*fake_gbe_reg(f, GBE_RAH(0)) = permanent[4] | permanent[5] << 8 | GBE_RAH_AV;
}

/* --- interrupts [82576 7.3] --- */

/* the counter is loaded when a vector is sent, and runs down [82576 7.3.4] */
static uint64_t interval_ns(struct fake_gbe *f, unsigned v)
{
	uint64_t count = FIELD_GET(IGB_EITR_INTERVAL, *fake_gbe_reg(f, IGB_EITR(v)));

	return count * f->eitr_ps / 1000;
}

static void send_vectors(struct fake_gbe *f)
{
	uint32_t send = *fake_gbe_reg(f, IGB_EICR) & *fake_gbe_reg(f, IGB_EIMS);

	for (unsigned v = 0; v < FAKE_IGB_VECTORS; v++) {
		if (!(send & BIT(v)) || host_tsc < f->next_at[v])
			continue;
		f->next_at[v] = host_tsc + interval_ns(f, v);
		if (*fake_gbe_reg(f, IGB_EIAC) & BIT(v))
			*fake_gbe_reg(f, IGB_EICR) &= ~BIT(v);
		if (f->auto_mask && *fake_gbe_reg(f, IGB_GPIE) & IGB_GPIE_EIAME &&
		    *fake_gbe_reg(f, IGB_EIAM) & BIT(v))
			*fake_gbe_reg(f, IGB_EIMS) &= ~BIT(v);
		f->interrupts[v]++;
		if (f->interrupt)
			f->interrupt(v);
	}
}

void fake_igb_tick(struct fake_gbe *f)
{
	send_vectors(f);
}

void fake_igb_raise(struct fake_gbe *f, uint32_t vectors)
{
	*fake_gbe_reg(f, IGB_EICR) |= vectors;
	send_vectors(f);
}

static uint32_t vector_of(uint32_t entry)
{
	return entry & IGB_IVAR_VALID ? BIT(entry & 0x1f) : 0;
}

static bool has_vectors(struct fake_gbe *f)
{
	return *fake_gbe_reg(f, IGB_GPIE) & IGB_GPIE_MSIX;
}

void fake_igb_cause(struct fake_gbe *f, uint32_t causes)
{
	uint32_t before = *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS);

	if (!has_vectors(f)) {
		fake_gbe_raise(f, GBE_ICR, causes);
		return;
	}
	*fake_gbe_reg(f, GBE_ICR) |= causes;
	if (*fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS) & ~before)
		fake_igb_raise(f, vector_of(FIELD_GET(IGB_IVAR_MISC_OTHER,
						      *fake_gbe_reg(f, IGB_IVAR_MISC))));
}

void fake_igb_link(struct fake_gbe *f, bool up)
{
	f->link = up;
	fake_igb_cause(f, GBE_ICR_LSC);
}

/* --- transmit [82576 7.2] --- */

/* bytes that PAYLEN leaves out: with TSE all headers [82576 7.2.2.3.11] */
static uint32_t headers(const struct fake_gbe *f, uint64_t cmd)
{
	if (!(cmd & IGB_TXD_TSE))
		return 0;
	return FIELD_GET(IGB_TXC_MACLEN, f->context.addr) +
	       FIELD_GET(IGB_TXC_IPLEN, f->context.addr) + FIELD_GET(IGB_TXC_L4LEN, f->context.cmd);
}

static void send_descriptor(struct fake_gbe *f, volatile struct gbe_tx_desc *d)
{
	if (FIELD_GET(IGB_TXD_DTYP, d->cmd) == 2 && d->cmd & GBE_TXD_DEXT) {
		fake_gbe_context(f, d);
		return;
	}
	if (FIELD_GET(IGB_TXD_DTYP, d->cmd) != 3 || !(d->cmd & GBE_TXD_DEXT) ||
	    !(d->cmd & GBE_TXD_IFCS))
		abort();
	if (d->cmd & GBE_TXD_EOP && FIELD_GET(IGB_TXD_PAYLEN, d->cmd) + headers(f, d->cmd) !=
					    f->tx_open + FIELD_GET(GBE_TXD_LEN, d->cmd))
		abort(); /* PAYLEN is the whole frame's [82576 7.2.2.3.11] */
	if (fake_gbe_send(f, d))
		d->cmd = GBE_TXD_DD;
}

static void transmit(struct fake_gbe *f, unsigned q)
{
	if (*fake_gbe_reg(f, IGB_TXDCTL(q)) & IGB_TXDCTL_ENABLE)
		fake_gbe_transmit(f, IGB_TDBAL(q));
}

/* --- receive [82576 7.1] --- */

static void fill_in(volatile union gbe_rx_desc *d, uint32_t status, uint16_t len)
{
	d->advanced.type_hash = 0;
	d->advanced.len = len;
	d->advanced.status = status;
}

static bool rx_on(struct fake_gbe *f, unsigned q)
{
	return *fake_gbe_reg(f, GBE_RCTL) & GBE_RCTL_EN &&
	       *fake_gbe_reg(f, IGB_RXDCTL(q)) & IGB_RXDCTL_ENABLE;
}

static void rx_interrupt(struct fake_gbe *f, unsigned q)
{
	if (!has_vectors(f)) {
		fake_gbe_raise(f, GBE_ICR, GBE_ICR_RX);
		return;
	}
	fake_igb_raise(f, vector_of(FIELD_GET(IGB_IVAR_RX, *fake_gbe_reg(f, IGB_IVAR(q)))));
}

bool fake_igb_rx_raw(struct fake_gbe *f, unsigned q, uint32_t status, uint16_t len, bool silent)
{
	if (!rx_on(f, q) || !fake_gbe_posted(f, IGB_RDBAL(q)))
		return false;
	fake_gbe_give_back(f, IGB_RDBAL(q), status, len);
	if (!silent)
		rx_interrupt(f, q);
	return true;
}

bool fake_igb_rx(struct fake_gbe *f, unsigned q, uint32_t len, uint8_t first)
{
	uint32_t buf = FIELD_GET(IGB_SRRCTL_BSIZEPKT, *fake_gbe_reg(f, IGB_SRRCTL(q))) * 1024;

	if (!rx_on(f, q))
		return false;
	if (fake_gbe_posted(f, IGB_RDBAL(q)) < (len + buf - 1) / buf) {
		*fake_gbe_reg(f, GBE_RNBC) += 1;
		*fake_gbe_reg(f, IGB_RQDPC(q)) += 1;
		fake_igb_cause(f, GBE_ICR_RXO);
		return false;
	}
	fake_gbe_receive(f, IGB_RDBAL(q), buf, GBE_RXD_DD, len, first);
	rx_interrupt(f, q);
	return true;
}

static bool rx_queue_0(struct fake_gbe *f, uint32_t len, uint8_t first)
{
	return fake_igb_rx(f, 0, len, first);
}

void fake_igb_rx_done(struct fake_gbe *f, unsigned q)
{
	uint32_t n = *fake_gbe_reg(f, IGB_RDLEN(q)) / sizeof(union gbe_rx_desc);
	uint32_t before = (*fake_gbe_reg(f, IGB_RDH(q)) + n - 1) % n;

	fake_gbe_rx_desc(f, IGB_RDBAL(q), before)->advanced.status |= GBE_RXD_DD;
}

/* --- registers --- */

static void reset(struct fake_gbe *f)
{
	f->resets++;
	defaults(f);
	if (f->intr_on_reset && f->interrupt)
		f->interrupt(0);
}

static void write_ctrl(struct fake_gbe *f, uint32_t v)
{
	if (v & GBE_CTRL_RST && !f->reset_hangs) {
		reset(f);
		return;
	}
	*fake_gbe_reg(f, GBE_CTRL) = v;
	if (v & GBE_CTRL_GIO_OFF && !f->dma_hangs)
		*fake_gbe_reg(f, GBE_STATUS) &= ~GBE_STATUS_GIO_ON;
}

/* write_queue() - a register of one queue; false if it is none that does something */
static bool write_queue(struct fake_gbe *f, uint32_t off, uint32_t v)
{
	for (unsigned q = 0; q < QUEUES; q++) {
		bool on_off = off == IGB_RXDCTL(q) || off == IGB_TXDCTL(q);

		if (on_off && f->queues_hang)
			return true;
		if (off == IGB_TDT(q) || off == IGB_TXDCTL(q)) {
			*fake_gbe_reg(f, off) = v;
			transmit(f, q);
			return true;
		}
	}
	return false;
}

static void write_reg(struct fake_gbe *f, uint32_t off, uint32_t v)
{
	switch (off) {
	case GBE_CTRL: write_ctrl(f, v); break;
	case GBE_ICS: fake_igb_cause(f, v); break;
	case GBE_IMS:
		if (has_vectors(f))
			*fake_gbe_reg(f, GBE_IMS) |= v;
		else
			fake_gbe_raise(f, GBE_IMS, v);
		break;
	case GBE_IMC:
		*fake_gbe_reg(f, GBE_IMS) &= ~v;
		if (f->line)
			f->line(f, *fake_gbe_reg(f, GBE_ICR) & *fake_gbe_reg(f, GBE_IMS));
		break;
	case GBE_EIMC: *fake_gbe_reg(f, IGB_EIMS) &= ~v; break;
	case IGB_EICS: fake_igb_raise(f, v); break;
	case IGB_EIMS:
		*fake_gbe_reg(f, IGB_EIMS) |= v;
		if (f->unmasked)
			f->unmasked(f);
		send_vectors(f);
		break;
	default:
		if (!write_queue(f, off, v))
			*fake_gbe_reg(f, off) = v;
	}
}

static void was_read(struct fake_gbe *f, uint32_t off)
{
	bool rqdpc = off >= IGB_RQDPC(0) && off <= IGB_RQDPC(QUEUES - 1) &&
		     (off - IGB_RQDPC(0)) % QUEUE_STRIDE == 0;

	if (off == GBE_ICR && !has_vectors(f))
		fake_gbe_raise(f, GBE_IMS, 0);
	if (off == IGB_EICR)
		f->eicr_reads++;
	if (off == IGB_EICR || rqdpc)
		*fake_gbe_reg(f, off) = 0; /* cleared by reading */
}

static const struct fake_gbe_ops ops = {
	.write = write_reg,
	.was_read = was_read,
	.send = send_descriptor,
	.fill_in = fill_in,
	.rx = rx_queue_0,
};

void fake_igb_power_on(struct fake_gbe *f)
{
	fake_gbe_power_on(f, &ops);
	defaults(f);
}
