/* SPDX-License-Identifier: MIT */
/*
 * e1000e_regs.h - registers and descriptor bits that the 82574 has beside those of
 * gbe_regs.h and e1000_regs.h
 *
 * Intel 82574 GbE Controller Family Datasheet, 317694, revision 3.4 (June 2014), cited as [82574
 * n.n]. Chapter 10 has the registers, 7.1 and 7.2 the descriptors, 7.4 the interrupts, 4.6 the
 * order in which to set them up. Only what Weir uses is here.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include "e1000_regs.h"

/* --- interrupts [82574 7.4, 10.2.4] --- */

#define	  E1000E_CTRL_EXT_PBA	BIT(31) /* of GBE_CTRL_EXT: unmasking a vector's cause clears its pending bit */

/* of GBE_ICR and its like, with MSI-X: the causes that vectors are given to */
#define	  E1000E_ICR_RXQ(q)	BIT(20 + (q)) /* frames came for receive queue q */
#define	  E1000E_ICR_OTHER	BIT(24)	      /* one of those that are no queue's */

#define E1000E_EIAC		0x000dc /* RW: causes that clear themselves when their vector is sent */
#define E1000E_IVAR		0x000e4 /* RW: a vector each, 4 bits */
#define	  E1000E_IVAR_RX(q)	BITS(3 + 4 * (q), 4 * (q)) /* of receive queue q */
#define	  E1000E_IVAR_OTHER	BITS(19, 16) /* of E1000E_ICR_OTHER */
#define	  E1000E_IVAR_VALID	BIT(3)	     /* of each: the entry counts */
#define E1000E_EITR(v)		(0x000e8 + 4 * (v)) /* RW: throttle of vector v, as E1000_ITR is that of the one interrupt */

/* --- receive [82574 10.2.5] --- */

#define E1000E_RXDCTL(q)	(0x02828 + 0x100 * (q)) /* RW */
#define	  E1000E_RXDCTL_WTHRESH BITS(21, 16) /* write back in groups of this */
#define	  E1000E_RXDCTL_GRAN	BIT(24)	     /* thresholds count descriptors, not cache lines */
#define E1000E_RFCTL		0x05008 /* RW */
#define	  E1000E_RFCTL_EXSTEN	BIT(15)	     /* extended descriptors; RSS needs them */
#define	  E1000E_MRQC_RSS	1	     /* of GBE_MRQC, bits 1:0: by RSS */
#define	  E1000E_RETA_SHIFT	7	     /* of each byte of GBE_RETA: the queue is its highest bit */

/* --- transmit [82574 10.2.6] --- */

#define E1000E_TXDCTL(q)	(0x03828 + 0x100 * (q)) /* RW */
#define	  E1000E_TXDCTL_ONE	BIT(22)	     /* reserved, to be written as 1 */
#define	  E1000E_TXDCTL_GRAN	BIT(24)	     /* thresholds count descriptors */
#define E1000E_TARC(q)		(0x03840 + 0x100 * (q)) /* RW: arbitration between the queues */
#define	  E1000E_TARC_ENABLE	BIT(10)	     /* the queue sends */

/*
 * --- extended receive descriptor: what its status has beside the bits in
 * gbe_regs.h [82574 7.1.5] ---
 */

#define E1000E_RXD_CE		BIT(24) /* FCS wrong; all valid in the last descriptor of a frame */
#define E1000E_RXD_SE		BIT(25) /* symbol error */
#define E1000E_RXD_SEQ		BIT(26) /* sequence error */
#define E1000E_RXD_CXE		BIT(28) /* carrier extension error */

/* clang-format on */
