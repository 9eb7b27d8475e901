/* SPDX-License-Identifier: MIT */
/*
 * gbe_names.c - registers of the gigabit NICs and their bits by name
 *
 * Called in the control context. Owns the tables, which are made of the names in gbe_regs.h
 * and its neighbours, so that no number stands twice; tests/proofs/regs holds them against
 * these, that none is missing.
 */
#include "gbe_names.h"

#include "e1000.h"
#include "e1000e.h"
#include "e1000e_regs.h"
#include "igb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* whose it is, by the name's prefix; what is E1000's the 82574 has as well */
enum owner { OF_GBE, OF_IGB, OF_E1000, OF_E1000E };

struct reg_name {
	const char *name;
	const char *fields; /* register whose fields it has */
	uint32_t off, count, stride;
	enum owner owner;
};

struct field_name {
	const char *reg, *name;
	uint32_t mask;
	enum owner owner;
};

#define REG(of, reg)                                  \
	{                                             \
#reg, #reg, of##_##reg, 1, 0, OF_##of \
	}
/* with the bits of another */
#define LIKE(of, reg, other)                            \
	{                                               \
#reg, #other, of##_##reg, 1, 0, OF_##of \
	}
/* REG(0) to REG(n - 1) */
#define REGS(of, reg, n)                                                             \
	{                                                                            \
#reg, #reg, of##_##reg(0), n, of##_##reg(1) - of##_##reg(0), OF_##of \
	}
/* of 64 bits: its upper half */
#define UPPER(of, reg, name)                              \
	{                                                 \
		name, name, of##_##reg + 4, 1, 0, OF_##of \
	}
#define FIELD(of, reg, field)                               \
	{                                                   \
#reg, #field, of##_##reg##_##field, OF_##of \
	}

/* several a line, as they stand together */
/* clang-format off */

static const struct reg_name regs[] = {
	REG(GBE, CTRL), REG(GBE, STATUS), REG(GBE, EEC), REG(E1000, EERD), REG(GBE, CTRL_EXT), REG(GBE, MDIC),
	REG(GBE, FCAL), REG(GBE, FCAH), REG(GBE, FCT), REG(GBE, VET), REG(GBE, FCTTV), REG(GBE, FCRTL), REG(GBE, FCRTH),
	REG(GBE, ICR), LIKE(GBE, ICS, ICR), LIKE(GBE, IMS, ICR), LIKE(GBE, IMC, ICR), REG(E1000, ITR),
	LIKE(E1000E, EIAC, ICR), REG(E1000E, IVAR), { "EITR", "ITR", E1000E_EITR(0), 3, 4, OF_E1000E },
	REG(GBE, RCTL), REG(GBE, TCTL), REG(E1000, TIPG), REG(E1000, RDTR), REG(E1000, RADV),
	REG(IGB, GPIE), REG(IGB, EICS), REG(IGB, EIMS), REG(GBE, EIMC), REG(IGB, EIAC), REG(IGB, EIAM), REG(IGB, EICR),
	REGS(IGB, EITR, 25), REGS(IGB, IVAR, 8), REG(IGB, IVAR_MISC),
	REG(GBE, CRCERRS), REG(GBE, ALGNERRC), REG(GBE, RXERRC), REG(GBE, MPC), REG(GBE, SCC), REG(GBE, ECOL),
	REG(GBE, MCC), REG(GBE, LATECOL), REG(GBE, COLC), REG(GBE, DC), REG(GBE, TNCRS), REG(GBE, RLEC),
	REG(GBE, XONRXC), REG(GBE, XONTXC), REG(GBE, XOFFRXC), REG(GBE, XOFFTXC), REG(GBE, GPRC), REG(GBE, BPRC),
	REG(GBE, MPRC), REG(GBE, GPTC), REG(GBE, GORCL), UPPER(GBE, GORCL, "GORCH"), REG(GBE, GOTCL),
	UPPER(GBE, GOTCL, "GOTCH"), REG(GBE, RNBC), REG(GBE, RUC), REG(GBE, RFC), REG(GBE, ROC), REG(GBE, RJC),
	REG(GBE, MPTC), REG(GBE, BPTC), REG(GBE, TSCTC), REG(GBE, TSCTFC),
	REG(GBE, RXCSUM), REG(IGB, RLPML), REG(E1000E, RFCTL), REGS(GBE, MTA, GBE_MTA_WORDS), REGS(GBE, RAL, 1),
	REGS(GBE, RAH, 1), REG(GBE, MRQC), REGS(GBE, RETA, GBE_RETA_WORDS), REGS(GBE, RSSRK, GBE_RSSRK_WORDS),
	REGS(IGB, SRRCTL, 16), REGS(IGB, RXDCTL, 16), REGS(IGB, TXDCTL, 16),
	REGS(E1000E, RXDCTL, 2), REGS(E1000E, TXDCTL, 2), REGS(E1000E, TARC, 2),
};

static const struct field_name fields[] = {
	FIELD(GBE, CTRL, FD), FIELD(GBE, CTRL, GIO_OFF), FIELD(E1000, CTRL, ASDE), FIELD(GBE, CTRL, SLU),
	FIELD(GBE, CTRL, FRCSPD), FIELD(GBE, CTRL, FRCDPX), FIELD(GBE, CTRL, RST), FIELD(GBE, CTRL, RFCE),
	FIELD(GBE, CTRL, TFCE), FIELD(GBE, CTRL, VME), FIELD(E1000, CTRL, PHY_RST),
	FIELD(GBE, STATUS, FD), FIELD(GBE, STATUS, LU), FIELD(GBE, STATUS, SPEED), FIELD(GBE, STATUS, GIO_ON),
	FIELD(GBE, EEC, AUTO_RD), FIELD(GBE, CTRL_EXT, DRV_LOAD), FIELD(E1000E, CTRL_EXT, PBA),
	FIELD(E1000, EERD, START), FIELD(E1000, EERD, DONE), FIELD(E1000, EERD, ADDR), FIELD(E1000, EERD, DATA),
	FIELD(GBE, MDIC, DATA), FIELD(GBE, MDIC, REG), FIELD(GBE, MDIC, PHY), FIELD(GBE, MDIC, OP),
	FIELD(GBE, MDIC, READY), FIELD(GBE, MDIC, ERROR), FIELD(GBE, FCRTL, XONE),
	FIELD(GBE, ICR, LSC), FIELD(GBE, ICR, RXO), FIELD(GBE, ICR, RX), FIELD(GBE, ICR, DOUTSYNC),
	{ "ICR", "RXQ0", E1000E_ICR_RXQ(0), OF_E1000E }, { "ICR", "RXQ1", E1000E_ICR_RXQ(1), OF_E1000E },
	FIELD(E1000E, ICR, OTHER),
	{ "IVAR", "RX0", E1000E_IVAR_RX(0), OF_E1000E }, { "IVAR", "RX1", E1000E_IVAR_RX(1), OF_E1000E },
	FIELD(E1000E, IVAR, OTHER), FIELD(E1000, ITR, INTERVAL),
	FIELD(IGB, GPIE, NSICR), FIELD(IGB, GPIE, MSIX), FIELD(IGB, GPIE, EIAME), FIELD(IGB, GPIE, PBA),
	FIELD(IGB, EITR, INTERVAL), FIELD(IGB, IVAR, RX), FIELD(IGB, IVAR, TX), FIELD(IGB, IVAR_MISC, OTHER),
	FIELD(GBE, RCTL, EN), FIELD(GBE, RCTL, UPE), FIELD(GBE, RCTL, MPE), FIELD(GBE, RCTL, LPE),
	FIELD(GBE, RCTL, MO), FIELD(GBE, RCTL, BAM), FIELD(E1000, RCTL, BSIZE), FIELD(GBE, RCTL, SECRC),
	FIELD(GBE, RXCSUM, IPOFL), FIELD(GBE, RXCSUM, TUOFL), FIELD(GBE, RXCSUM, PCSD),
	FIELD(E1000E, RFCTL, EXSTEN), FIELD(GBE, RAH, ADDR), FIELD(GBE, RAH, AV),
	{ "MRQC", "RSS", BITS(2, 0), OF_GBE }, FIELD(GBE, MRQC, TCP_IPV4), FIELD(GBE, MRQC, IPV4),
	FIELD(GBE, MRQC, TCP_IPV6_EX), FIELD(GBE, MRQC, IPV6), FIELD(IGB, MRQC, TCP_IPV6), FIELD(IGB, MRQC, UDP_IPV4),
	FIELD(IGB, MRQC, UDP_IPV6),
	FIELD(IGB, SRRCTL, BSIZEPKT), FIELD(IGB, SRRCTL, DESCTYPE), FIELD(IGB, SRRCTL, DROP_EN),
	FIELD(IGB, RXDCTL, PTHRESH), FIELD(IGB, RXDCTL, HTHRESH), FIELD(IGB, RXDCTL, WTHRESH), FIELD(IGB, RXDCTL, ENABLE),
	FIELD(IGB, TXDCTL, PTHRESH), FIELD(IGB, TXDCTL, HTHRESH), FIELD(IGB, TXDCTL, WTHRESH), FIELD(IGB, TXDCTL, ENABLE),
	FIELD(E1000E, RXDCTL, WTHRESH), FIELD(E1000E, RXDCTL, GRAN), FIELD(E1000E, TXDCTL, ONE),
	FIELD(E1000E, TXDCTL, GRAN), FIELD(E1000E, TARC, ENABLE),
	FIELD(GBE, TCTL, EN), FIELD(GBE, TCTL, PSP), FIELD(GBE, TCTL, CT), FIELD(GBE, TCTL, BST), FIELD(GBE, TCTL, RTLC),
	FIELD(E1000, TIPG, IPGT), FIELD(E1000, TIPG, IPGR1), FIELD(E1000, TIPG, IPGR2),
};

/* of both rings' blocks: RDBAL, TDBAL */
static const struct {
	const char *name;
	uint32_t reg;
} ring_regs[] = {
	{ "BAL", GBE_RING_ADDR_LO }, { "BAH", GBE_RING_ADDR_HI }, { "LEN", GBE_RING_LEN }, { "H", GBE_RING_HEAD },
	{ "T", GBE_RING_TAIL }, { "QDPC", GBE_RING_DROPS },
};

/* clang-format on */

static bool has(const struct gbe *gbe, enum owner owner)
{
	switch (owner) {
	case OF_GBE: return true;
	case OF_IGB: return gbe->family == &igb_family;
	case OF_E1000: return gbe->family != &igb_family;
	case OF_E1000E: return gbe->family == &e1000e_family;
	}
	return false;
}

static const struct reg_name *reg_at(const struct gbe *gbe, uint32_t off)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct reg_name *r = &regs[i];
		uint32_t at = off - r->off;

		if (has(gbe, r->owner) &&
		    (r->count == 1 ? !at : at < r->count * r->stride && at % r->stride == 0))
			return r;
	}
	return NULL;
}

static bool ring_name(const struct gbe *gbe, char direction, uint32_t off, char *buf, size_t size)
{
	/* a chip with one ring has one block */
	uint32_t block = gbe->chip->ring_block ? gbe->chip->ring_block : GBE_RING_DROPS + 4;
	uint32_t q = off / block;

	for (size_t i = 0; q < gbe->chip->max_queues && i < ARRAY_SIZE(ring_regs); i++) {
		if (off % block != ring_regs[i].reg)
			continue;
		snprintf(buf, size, "%c%s%s(%u)", direction,
			 ring_regs[i].reg == GBE_RING_DROPS ? "" : "D", ring_regs[i].name, q);
		return true;
	}
	return false;
}

bool gbe_reg_follows(const struct gbe *gbe, uint32_t off, uint32_t next)
{
	const struct reg_name *r = reg_at(gbe, off);

	return r && r->count > 1 && next == off + r->stride && reg_at(gbe, next) == r;
}

void gbe_reg_name(const struct gbe *gbe, uint32_t off, char *buf, size_t size)
{
	const struct reg_name *r = reg_at(gbe, off);

	if (r && r->count > 1)
		snprintf(buf, size, "%s(%u)", r->name, (off - r->off) / r->stride);
	else if (r)
		snprintf(buf, size, "%s", r->name);
	else if (!ring_name(gbe, 'R', off - gbe->chip->rx_rings, buf, size) &&
		 !ring_name(gbe, 'T', off - gbe->chip->tx_rings, buf, size))
		snprintf(buf, size, "%05x", off);
}

/* append() - to the text in buf[size], as far as there is room. */
static __attribute__((format(printf, 3, 4))) void append(char *buf, size_t size, const char *fmt,
							 ...)
{
	size_t at = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + at, size - at, fmt, ap);
	va_end(ap);
}

void gbe_reg_bits(const struct gbe *gbe, uint32_t off, uint32_t v, char *buf, size_t size)
{
	const struct reg_name *r = reg_at(gbe, off);
	uint32_t named = 0;

	*buf = '\0';
	for (size_t i = 0; r && i < ARRAY_SIZE(fields); i++) {
		const struct field_name *f = &fields[i];

		if (strcmp(f->reg, r->fields) || !has(gbe, f->owner))
			continue;
		named |= f->mask;
		if (!(v & f->mask))
			continue;
		if (f->mask & (f->mask - 1))
			append(buf, size, " %s=%lu", f->name,
			       (unsigned long)FIELD_GET((uint64_t)f->mask, v));
		else
			append(buf, size, " %s", f->name);
	}
	if (named && v & ~named)
		append(buf, size, " and 0x%x", v & ~named);
}
