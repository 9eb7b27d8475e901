/* SPDX-License-Identifier: MIT */
/*
 * gbe_look.c - descriptors of the rings, field by field: struct netdev_look
 *
 * On the core that owns the queue, or in the control context with the cores parked. Owns nothing; a
 * descriptor is read once and then shown as it was.
 */
#include "gbe_look.h"

#include "e1000_regs.h"
#include "igb_regs.h"

#include <stdarg.h>
#include <stdio.h>

/* text that is put together field by field */
struct out {
	char *s;
	size_t size, n;
};

static void __attribute__((format(printf, 2, 3))) add(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->s + o->n, o->size - o->n, fmt, ap);
	va_end(ap);
	o->n = MIN(o->n + n, o->size - 1);
}

struct bit_name {
	uint64_t bit;
	const char *name;
};

/* add_bits() - those that are set, by name; @names up to one without. */
static void add_bits(struct out *o, uint64_t v, const struct bit_name *names)
{
	for (; names->name; names++)
		if (v & names->bit)
			add(o, " %s", names->name);
}

static const struct gbe *gbe_at(const struct netdev *dev)
{
	return dev->priv;
}

/* --- receive --- */

/* status and errors of the advanced and the extended descriptor, and of the legacy one */
static const struct bit_name advanced_bits[] = {
	{ GBE_RXD_DD, "DD" },
	{ GBE_RXD_EOP, "EOP" },
	{ GBE_RXD_VP, "VP" },
	{ GBE_RXD_UDPCS, "UDPCS" },
	{ GBE_RXD_L4CS, "L4CS" },
	{ GBE_RXD_IPCS, "IPCS" },
	{ GBE_RXD_PIF, "PIF" },
	{ GBE_RXD_L4E, "L4E" },
	{ GBE_RXD_IPE, "IPE" },
	{ GBE_RXD_RXE, "RXE" },
	{ 0, NULL },
};
static const struct bit_name legacy_bits[] = {
	{ GBE_RXD_DD, "DD" },     { GBE_RXD_EOP, "EOP" },       { E1000_RXD_IXSM, "IXSM" },
	{ GBE_RXD_VP, "VP" },     { E1000_RXD_TCPCS, "TCPCS" }, { GBE_RXD_IPCS, "IPCS" },
	{ GBE_RXD_PIF, "PIF" },   { E1000_RXD_CE, "CE" },       { E1000_RXD_SE, "SE" },
	{ E1000_RXD_SEQ, "SEQ" }, { E1000_RXD_CXE, "CXE" },     { E1000_RXD_TCPE, "TCPE" },
	{ E1000_RXD_IPE, "IPE" }, { E1000_RXD_RXE, "RXE" },     { 0, NULL },
};

static bool is_legacy(const struct netdev *dev)
{
	return gbe_at(dev)->family->rx_form == GBE_RX_LEGACY;
}

static bool look_rx(const struct netdev *dev, unsigned q, struct netdev_desc *d)
{
	const struct gbe_rx *rx = gbe_at(dev)->rx[q];
	const volatile union gbe_rx_desc *at = &rx->desc[rx->next & rx->mask];

	if (rx->next == rx->fill)
		return false;
	*d = (struct netdev_desc){
		.slot = rx->next & rx->mask,
		.slots = rx->mask + 1,
		/* the second first: the device writes that last */
		.word = { [1] = at->back.word, [0] = at->back.rest },
		.buffer = pkt_buf(rx->slot[rx->next & rx->mask]),
	};
	d->done = (is_legacy(dev) ? d->word[1] >> 32 : d->word[1]) & GBE_RXD_DD;
	return true;
}

/* [82576 7.1.5.1] [82574 7.1.5] [8254x 3.2.3]; the legacy one has no name for what it is before */
static void read_format(const struct netdev *dev, const struct netdev_desc *d, struct out *o)
{
	add(o, "%s: buffer address 0x%lx", is_legacy(dev) ? "posted" : "read format",
	    (unsigned long)d->word[0]);
	if (gbe_at(dev)->family->rx_form == GBE_RX_ADVANCED)
		add(o, ", header buffer address 0x%lx", (unsigned long)d->word[1]);
	else
		add(o, ", status 0");
}

/* [8254x 3.2.3]: the address stays */
static void legacy_back(const struct netdev_desc *d, struct out *o)
{
	uint32_t status = d->word[1] >> 32;

	add(o, "given back: length %u, checksum 0x%04x, status and errors 0x%04x",
	    (unsigned)(d->word[1] & BITS(15, 0)), (unsigned)(d->word[1] >> 16 & BITS(15, 0)),
	    (unsigned)(status & BITS(15, 0)));
	add_bits(o, status, legacy_bits);
	add(o, ", special 0x%04x, buffer address 0x%lx", (unsigned)(status >> 16),
	    (unsigned long)d->word[0]);
}

/* [82576 7.1.5.2] [82574 7.1.5]: written over the addresses */
static void write_back(const struct netdev *dev, const struct netdev_desc *d, struct out *o)
{
	uint32_t status = d->word[1], type = d->word[0];

	add(o, "write-back format: RSS type %u", (unsigned)FIELD_GET(GBE_RXD_RSS, type));
	if (gbe_at(dev)->family->rx_form == GBE_RX_ADVANCED)
		add(o, ", packet type 0x%x", (unsigned)FIELD_GET(IGB_RXD_TYPE, type));
	add(o, ", %s 0x%08x, status and errors 0x%08x",
	    FIELD_GET(GBE_RXD_RSS, type) ? "RSS hash" : "checksum and IP id",
	    (unsigned)(d->word[0] >> 32), status);
	add_bits(o, status, advanced_bits);
	add(o, ", length %u, VLAN tag 0x%04x", (unsigned)(d->word[1] >> 32 & BITS(15, 0)),
	    (unsigned)(d->word[1] >> 48));
}

static void rx_text(const struct netdev *dev, const struct netdev_desc *d, char *text, size_t size)
{
	struct out o = { text, size, 0 };

	if (!d->done)
		read_format(dev, d, &o);
	else if (is_legacy(dev))
		legacy_back(d, &o);
	else
		write_back(dev, d, &o);
}

/* --- transmit --- */

static void copy_tx(const struct gbe_tx *tx, uint32_t index, struct netdev_desc *d)
{
	const volatile struct gbe_tx_desc *at = &tx->desc[index & tx->mask];
	struct pkt *p = tx->slot[index & tx->mask];

	*d = (struct netdev_desc){
		.slot = index & tx->mask,
		.slots = tx->mask + 1,
		.word = { at->addr, at->cmd },
		.buffer = p->data,
	};
	d->done = d->word[1] & GBE_TXD_DD;
	d->reports = d->word[1] & GBE_TXD_RS;
}

/*
 * is_context() - of the advanced ones by its type [82576 7.2.2.2], of the others too [8254x 3.3.6].
 */
static bool is_context(const struct netdev *dev, const struct netdev_desc *d)
{
	if (!(d->word[1] & GBE_TXD_DEXT))
		return false;
	if (gbe_at(dev)->family->tx_advanced)
		return FIELD_GET(IGB_TXD_DTYP, d->word[1]) == 2;
	return !FIELD_GET(E1000_TXD_DTYP, d->word[1]);
}

static unsigned look_tx(const struct netdev *dev, unsigned q, const struct pkt *p,
			struct netdev_desc *d, unsigned max)
{
	const struct gbe_tx *tx = gbe_at(dev)->tx[q];
	uint32_t i = tx->clean;
	unsigned n = 0;

	while (i != tx->fill && tx->slot[i & tx->mask] != p)
		i++;
	if (i != tx->fill && i != tx->clean) {
		copy_tx(tx, i - 1, &d[0]);
		n = is_context(dev, &d[0]);
	}
	for (; i != tx->fill && n < max; i++) {
		copy_tx(tx, i, &d[n++]);
		if (d[n - 1].word[1] & GBE_TXD_EOP)
			break;
	}
	return n;
}

static const struct bit_name tx_bits[] = {
	{ GBE_TXD_EOP, "EOP" },   { GBE_TXD_IFCS, "IFCS" }, { GBE_TXD_RS, "RS" },
	{ GBE_TXD_DEXT, "DEXT" }, { GBE_TXD_VLE, "VLE" },   { 0, NULL },
};
static const struct bit_name advanced_tx_bits[] = {
	{ IGB_TXD_TSE, "TSE" },
	{ IGB_TXD_IXSM, "IXSM" },
	{ IGB_TXD_TXSM, "TXSM" },
	{ 0, NULL },
};
static const struct bit_name extended_tx_bits[] = {
	{ E1000_TXD_TSE, "TSE" },
	{ E1000_TXD_IXSM, "IXSM" },
	{ E1000_TXD_TXSM, "TXSM" },
	{ 0, NULL },
};

/* of either kind: what lies before the frames that need it, and has no frame itself */
static void context_text(const struct netdev *dev, const struct netdev_desc *d, struct out *o)
{
	uint64_t a = d->word[0], c = d->word[1];

	if (gbe_at(dev)->family->tx_advanced)
		add(o, "context: VLAN 0x%04x, MACLEN %u, IPLEN %u, L4LEN %u, MSS %u",
		    (unsigned)FIELD_GET(IGB_TXC_VLAN, a), (unsigned)FIELD_GET(IGB_TXC_MACLEN, a),
		    (unsigned)FIELD_GET(IGB_TXC_IPLEN, a), (unsigned)FIELD_GET(IGB_TXC_L4LEN, c),
		    (unsigned)FIELD_GET(IGB_TXC_MSS, c));
	else
		add(o,
		    "context: IPCSS %u, IPCSO %u, IPCSE %u, TUCSS %u, TUCSO %u, HDRLEN %u, MSS %u",
		    (unsigned)FIELD_GET(E1000_TXC_IPCSS, a),
		    (unsigned)FIELD_GET(E1000_TXC_IPCSO, a),
		    (unsigned)FIELD_GET(E1000_TXC_IPCSE, a),
		    (unsigned)FIELD_GET(E1000_TXC_TUCSS, a),
		    (unsigned)FIELD_GET(E1000_TXC_TUCSO, a),
		    (unsigned)FIELD_GET(E1000_TXC_HDRLEN, c),
		    (unsigned)FIELD_GET(E1000_TXC_MSS, c));
}

static void tx_text(const struct netdev *dev, const struct netdev_desc *d, char *text, size_t size)
{
	bool advanced = gbe_at(dev)->family->tx_advanced;
	uint64_t c = d->word[1];
	struct out o = { text, size, 0 };

	if (is_context(dev, d)) {
		context_text(dev, d, &o);
		return;
	}
	add(&o, "%s data: buffer address 0x%lx, length %u, command",
	    advanced           ? "advanced"
	    : c & GBE_TXD_DEXT ? "extended"
			       : "legacy",
	    (unsigned long)d->word[0], (unsigned)FIELD_GET(GBE_TXD_LEN, c));
	add_bits(&o, c, tx_bits);
	if (advanced) {
		add_bits(&o, c, advanced_tx_bits);
		add(&o, ", DTYP %u, PAYLEN %u", (unsigned)FIELD_GET(IGB_TXD_DTYP, c),
		    (unsigned)FIELD_GET(IGB_TXD_PAYLEN, c));
	} else if (c & GBE_TXD_DEXT) {
		add_bits(&o, c, extended_tx_bits);
	}
	add(&o, ", status%s", d->done ? " DD" : " 0");
}

const struct netdev_look gbe_look = {
	.rx = look_rx,
	.tx = look_tx,
	.tx_report = GBE_TX_REPORT,
	.rx_text = rx_text,
	.tx_text = tx_text,
	.regs_on = gbe_regs_on,
	.regs_off = gbe_regs_off,
	.regs_each = gbe_regs_each,
};
