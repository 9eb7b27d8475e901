/* SPDX-License-Identifier: MIT */
/*
 * fake_e1000.h - an 82540EM for unit tests: a register file and what stands behind it
 *
 * The real driver reaches it through gbe_read() and gbe_write(), which on the host lead here. It does what the manual
 * says, at once, unless one of its knobs has it misbehave. Its interrupt is a level: up while a cause is enabled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/e1000.h"

enum {
	FAKE_E1000_LOG = 4096,
	FAKE_E1000_SENT = 1024,
	FAKE_E1000_FRAME = 16 * 1024,
};

/* the rings' registers, as the manual has them [8254x 13.4.25 on]; the driver counts from where its table says */
enum {
	E1000_RDBAL = 0x2800,
	E1000_RDBAH = 0x2804,
	E1000_RDLEN = 0x2808,
	E1000_RDH = 0x2810,
	E1000_RDT = 0x2818,
	E1000_TDBAL = 0x3800,
	E1000_TDBAH = 0x3804,
	E1000_TDLEN = 0x3808,
	E1000_TDH = 0x3810,
	E1000_TDT = 0x3818,
};

struct fake_e1000 {
	uint32_t reg[0x20000 / 4];
	uint16_t eeprom[64];

	/* knobs */
	bool link;         /* what STATUS.LU says once auto-negotiation was started */
	bool reset_hangs;  /* CTRL.RST never clears */
	bool reset_idle;   /* CTRL.RST clears, and changes no other register: Bochs */
	bool eeprom_hangs; /* EERD.DONE is never set */
	bool phy_dead;     /* MDIC never gets ready */
	bool tx_stalled;   /* TDH stands still */
	bool tx_silent;    /* sends, but does not report */
	bool mute;         /* its line stays down */

	/* what was seen */
	struct {
		uint32_t off, v;
	} log[FAKE_E1000_LOG]; /* every write, in order */
	unsigned nlog;
	unsigned resets;
	bool negotiating; /* auto-negotiation was started since the reset */
	unsigned icr_reads;
	uint32_t sent_len[FAKE_E1000_SENT];
	uint8_t last[FAKE_E1000_FRAME]; /* the last frame sent */
	unsigned nsent;
	unsigned nreports; /* descriptors that said RS */
	uint32_t tx_open;  /* bytes of a frame whose EOP has not come yet */

	/* called when IMS is written, before what it enables shows on the line */
	void (*unmasked)(struct fake_e1000 *f);
	/* of the machine: its interrupt line */
	void (*line)(struct fake_e1000 *f, bool up);
};

/* fake_e1000_power_on() - registers at their defaults, knobs off, log empty; the EEPROM's address ends in @last. */
void fake_e1000_power_on(struct fake_e1000 *f, uint8_t last);

/*
 * fake_e1000_rx() - a frame of @len bytes comes in, byte i holds (uint8_t)(first + i). Returns false if there were
 * too few descriptors, nothing is written and ICR.RXO is raised; or if it is longer than the chip takes.
 */
bool fake_e1000_rx(struct fake_e1000 *f, uint32_t len, uint8_t first);
/* fake_e1000_rx_raw() - hand back one descriptor with this status and errors and length; @silent: without a cause. */
bool fake_e1000_rx_raw(struct fake_e1000 *f, uint32_t status, uint16_t len, bool silent);

/* fake_e1000_cause() - causes of ICR; fake_e1000_link() - the link changes and says so. */
void fake_e1000_cause(struct fake_e1000 *f, uint32_t causes);
void fake_e1000_link(struct fake_e1000 *f, bool up);

/* fake_e1000_writes() - how often @off was written since @from in the log. */
unsigned fake_e1000_writes(const struct fake_e1000 *f, uint32_t off, unsigned from);
/* fake_e1000_wrote() - index in the log of the first write of a value with all of @bits to @off; -1: never. */
int fake_e1000_wrote(const struct fake_e1000 *f, uint32_t off, uint32_t bits, unsigned from);
