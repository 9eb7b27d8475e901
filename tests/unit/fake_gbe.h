/* SPDX-License-Identifier: MIT */
/*
 * fake_gbe.h - the register file that both gigabit NICs of the unit tests have, and
 * what stands behind it alike
 *
 * fake_igb.h and fake_e1000.h say what each chip plays; a test links one of them. As in
 * drivers/gbe.h one structure serves both, and what a chip does in a way of its own is behind its
 * struct fake_gbe_ops. Rings are named here by the offset of their first register, RDBAL or TDBAL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/gbe.h"

enum {
	FAKE_GBE_LOG = 4096,
	FAKE_GBE_SENT = 1024,
	FAKE_GBE_FRAME = 64 * 1024,
	FAKE_IGB_VECTORS = 10,
};

struct fake_gbe;

struct fake_gbe_ops {
	/* the driver writes any register but MDIC; it is in the log already */
	void (*write)(struct fake_gbe *f, uint32_t off, uint32_t v);
	/* what reading a register does, beside clearing ICR and the statistics */
	void (*was_read)(struct fake_gbe *f, uint32_t off);
	/*
	 * a descriptor to be sent: abort() if it is not as the chip wants it, then fake_gbe_send()
	 */
	void (*send)(struct fake_gbe *f, volatile struct gbe_tx_desc *d);
	/* write a received buffer's descriptor in the chip's format */
	void (*fill_in)(volatile union gbe_rx_desc *d, uint32_t status, uint16_t len);
	/*
	 * a frame comes in, for queue 0 if there are several; as fake_igb_rx() and fake_e1000_rx()
	 */
	bool (*rx)(struct fake_gbe *f, uint32_t len, uint8_t first);
};

struct fake_gbe {
	uint32_t reg[0x20000 / 4];
	const struct fake_gbe_ops *ops;

	/* knobs */
	bool link;            /* what STATUS.LU says once auto-negotiation was started */
	bool reset_hangs;     /* CTRL.RST never clears */
	bool eeprom_hangs;    /* EEC.AUTO_RD or EERD.DONE is never set */
	bool phy_dead;        /* MDIC never gets ready */
	bool phy_error;       /* MDIC reports an error */
	uint16_t phy_partner; /* what the other end advertises */
	bool tx_stalled;      /* TDH stands still */
	bool tx_silent;       /* sends, but does not report */

	/* what was seen */
	struct {
		uint32_t off, v;
	} log[FAKE_GBE_LOG]; /* every write, in order */
	unsigned nlog;
	unsigned resets;
	bool negotiating; /* auto-negotiation was started since the reset */
	uint32_t sent_len[FAKE_GBE_SENT];
	uint8_t last[FAKE_GBE_FRAME]; /* the last frame sent */
	unsigned nsent;
	unsigned nreports;          /* descriptors that said RS */
	uint32_t tx_open;           /* bytes of a frame whose EOP has not come yet */
	unsigned ncontexts;         /* context descriptors */
	struct gbe_tx_desc context; /* the last one */
	uint64_t last_cmd;          /* what the last data descriptor said */

	/*
	 * called when EIMS or IMS is written, before what it unmasks is sent or shows on the line
	 */
	void (*unmasked)(struct fake_gbe *f);

	/* 82576: knobs, what was seen, the machine */
	bool dma_hangs;     /* STATUS.GIO_ON never clears */
	bool queues_hang;   /* RXDCTL, TXDCTL never change ENABLE */
	bool auto_mask;     /* EIAM works */
	bool intr_on_reset; /* a throttled vector fires when the chip is reset */
	uint32_t eitr_ps;   /* what a count of EITR is; 0: vectors are not throttled */
	/* when each may be sent again, by the TSC: nanoseconds */
	uint64_t next_at[FAKE_IGB_VECTORS];
	unsigned eicr_reads;
	unsigned interrupts[FAKE_IGB_VECTORS];
	void (*interrupt)(unsigned vector); /* called when a vector is sent */

	/* 82540EM: the same */
	uint16_t eeprom[64];
	bool reset_idle; /* CTRL.RST clears, and changes no other register: Bochs */
	bool mute;       /* its line stays down */
	void (*line)(struct fake_gbe *f, bool up); /* its interrupt line */
};

/* --- for the tests --- */

/* fake_gbe_writes() - how often @off was written since @from in the log. */
unsigned fake_gbe_writes(const struct fake_gbe *f, uint32_t off, unsigned from);
/*
 * fake_gbe_wrote() - index in the log of the first write of a value with all of
 * @bits to @off; -1: never.
 */
int fake_gbe_wrote(const struct fake_gbe *f, uint32_t off, uint32_t bits, unsigned from);

/* --- for the chips --- */

/* fake_gbe_power_on() - knobs off, log empty, registers all zero. */
void fake_gbe_power_on(struct fake_gbe *f, const struct fake_gbe_ops *ops);
/*
 * fake_gbe_defaults() - what a reset leaves: all zero but STATUS, full duplex at 1000
 * Mb/s; the link starts anew.
 */
void fake_gbe_defaults(struct fake_gbe *f);
/* fake_gbe_reg() - a register; abort() for one that is not in BAR 0. */
uint32_t *fake_gbe_reg(struct fake_gbe *f, uint32_t off);

/*
 * fake_gbe_raise() - where all causes come by one interrupt: set @bits in ICR or IMS. The line is
 * up while there is one that is enabled, and a message, vector 0, is sent for each that was not
 * before.
 */
void fake_gbe_raise(struct fake_gbe *f, uint32_t reg, uint32_t bits);

/*
 * fake_gbe_transmit() - what lies between head and tail is sent, unless the head is to stand still.
 */
void fake_gbe_transmit(struct fake_gbe *f, uint32_t ring);
/* fake_gbe_context() - what the frames behind it have in common. */
void fake_gbe_context(struct fake_gbe *f, const volatile struct gbe_tx_desc *d);
/* fake_gbe_send() - one buffer goes out; true if the chip is to report it. */
bool fake_gbe_send(struct fake_gbe *f, const volatile struct gbe_tx_desc *d);

/* fake_gbe_posted() - receive descriptors that the chip has. */
uint32_t fake_gbe_posted(struct fake_gbe *f, uint32_t ring);
/* fake_gbe_rx_desc() - descriptor @i. */
volatile union gbe_rx_desc *fake_gbe_rx_desc(struct fake_gbe *f, uint32_t ring, uint32_t i);
/* fake_gbe_give_back() - the one at the head, which moves on. */
void fake_gbe_give_back(struct fake_gbe *f, uint32_t ring, uint32_t status, uint16_t len);
/*
 * fake_gbe_receive() - a frame goes into buffers of @size bytes, of which there are enough; byte i
 * holds (uint8_t)(first + i). All descriptors get @status, the last one EOP beside.
 */
void fake_gbe_receive(struct fake_gbe *f, uint32_t ring, uint32_t size, uint32_t status,
		      uint32_t len, uint8_t first);
