/* SPDX-License-Identifier: MIT */
/*
 * fake_igb.h - an 82576 for unit tests: a register file and what stands behind it
 *
 * The real driver reaches it through gbe_read() and gbe_write(), which on the host lead here. It does what the
 * datasheet says, at once, unless one of its knobs has it misbehave: what QEMU's model cannot play (overruns that are
 * counted, a head that stands still, a done bit that comes late, a length that cannot be) it plays on request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/igb.h"

/* the rings' registers, as the datasheet has them [82576 8.10, 8.12]; the driver counts from where its table says */
#define IGB_RDBAL(q) (0x0c000 + 0x40 * (q))
#define IGB_RDBAH(q) (0x0c004 + 0x40 * (q))
#define IGB_RDLEN(q) (0x0c008 + 0x40 * (q))
#define IGB_RDH(q)   (0x0c010 + 0x40 * (q))
#define IGB_RDT(q)   (0x0c018 + 0x40 * (q))
#define IGB_RQDPC(q) (0x0c030 + 0x40 * (q))
#define IGB_TDBAL(q) (0x0e000 + 0x40 * (q))
#define IGB_TDBAH(q) (0x0e004 + 0x40 * (q))
#define IGB_TDLEN(q) (0x0e008 + 0x40 * (q))
#define IGB_TDH(q)   (0x0e010 + 0x40 * (q))
#define IGB_TDT(q)   (0x0e018 + 0x40 * (q))

enum {
	FAKE_IGB_VECTORS = 10,
	FAKE_IGB_LOG = 4096,
	FAKE_IGB_SENT = 1024,
	FAKE_IGB_FRAME = 16 * 1024,
};

struct fake_igb {
	uint32_t reg[0x20000 / 4];

	/* knobs */
	bool link;          /* what STATUS.LU says once auto-negotiation was started */
	bool reset_hangs;   /* CTRL.RST never clears */
	bool eeprom_hangs;  /* EEC.AUTO_RD is never set */
	bool dma_hangs;     /* STATUS.GIO_ON never clears */
	bool phy_dead;      /* MDIC never gets ready */
	bool phy_error;     /* MDIC reports an error */
	bool queues_hang;   /* RXDCTL, TXDCTL never change ENABLE */
	bool tx_stalled;    /* TDH stands still */
	bool tx_silent;     /* sends, but does not report */
	bool auto_mask;     /* EIAM works */
	bool intr_on_reset; /* a throttled vector fires when the chip is reset */

	/* what was seen */
	struct {
		uint32_t off, v;
	} log[FAKE_IGB_LOG]; /* every write, in order */
	unsigned nlog;
	unsigned resets;
	bool negotiating; /* auto-negotiation was started since the reset */
	unsigned eicr_reads;
	uint32_t sent_len[FAKE_IGB_SENT];
	uint8_t last[FAKE_IGB_FRAME]; /* the last frame sent */
	unsigned nsent;
	unsigned nreports; /* descriptors that said RS */
	uint32_t tx_open;  /* bytes of a frame whose EOP has not come yet */
	unsigned interrupts[FAKE_IGB_VECTORS];

	/* called when EIMS is written, before what it unmasks is sent */
	void (*unmasked)(struct fake_igb *f);
	/* of the machine: called when a vector is sent */
	void (*interrupt)(unsigned vector);
};

/* fake_igb_power_on() - registers at their defaults, knobs off, log empty. */
void fake_igb_power_on(struct fake_igb *f);

/*
 * fake_igb_rx() - a frame of @len bytes comes in for queue @q, byte i holds (uint8_t)(first + i). Returns false if
 * there were too few descriptors: nothing is written, ICR.RXO is raised.
 */
bool fake_igb_rx(struct fake_igb *f, unsigned q, uint32_t len, uint8_t first);
/* fake_igb_rx_raw() - hand back one descriptor with this status and length; @silent: without an interrupt. */
bool fake_igb_rx_raw(struct fake_igb *f, unsigned q, uint32_t status, uint16_t len, bool silent);
/* fake_igb_rx_done() - the DD bit of the descriptor before the head comes at last. */
void fake_igb_rx_done(struct fake_igb *f, unsigned q);

/* fake_igb_cause() - causes of ICR, a link change among them; fake_igb_link() - the link changes and says so. */
void fake_igb_cause(struct fake_igb *f, uint32_t causes);
void fake_igb_link(struct fake_igb *f, bool up);
/* fake_igb_raise() - bits of EICR; what is unmasked is sent. */
void fake_igb_raise(struct fake_igb *f, uint32_t vectors);

/* fake_igb_writes() - how often @off was written since @from in the log. */
unsigned fake_igb_writes(const struct fake_igb *f, uint32_t off, unsigned from);
/* fake_igb_wrote() - index in the log of the first write of a value with all of @bits to @off; -1: never. */
int fake_igb_wrote(const struct fake_igb *f, uint32_t off, uint32_t bits, unsigned from);
