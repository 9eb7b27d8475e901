/* SPDX-License-Identifier: MIT */
/*
 * e1000_regs.h - registers and descriptor bits that the 82540EM has beside those of gbe_regs.h
 *
 * PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, 317453, revision
 * 4.0 (March 2009), cited as [8254x n.n]. Chapter 13 has the registers, 3.2 and 3.3 the
 * descriptors, 14 the order in which to set them up. Only what Weir uses is here.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include "gbe_regs.h"

/* --- general [8254x 13.4.1, 13.4.4] --- */

#define	  E1000_CTRL_ASDE	BIT(5)	/* of GBE_CTRL: take the speed from the PHY */
#define	  E1000_CTRL_PHY_RST	BIT(31) /* of GBE_CTRL: holds the PHY in reset */

#define E1000_EERD		0x00014 /* RW: read a word of the EEPROM */
#define	  E1000_EERD_START	BIT(0)	/* SC */
#define	  E1000_EERD_DONE	BIT(4)	/* RO */
#define	  E1000_EERD_ADDR	BITS(15, 8) /* of the word */
#define	  E1000_EERD_DATA	BITS(31, 16) /* RO */

/* --- interrupts [8254x 13.4.17, 13.4.18] --- */


#define E1000_ITR		0x000c4 /* RW: throttle */
#define	  E1000_ITR_INTERVAL	BITS(15, 0) /* between interrupts, in units of 256 ns; 0: none */

/* --- receive [8254x 13.4.22, 13.4.25 to 13.4.31] --- */

#define	  E1000_RCTL_BSIZE	BITS(17, 16) /* of GBE_RCTL: buffers of 2,048 bytes: 0 */
#define E1000_RX_RINGS		0x02800 /* block of ring registers */
#define E1000_RDTR		0x02820 /* RW: how long RXT0 waits for more */
#define E1000_RADV		0x0282c /* RW: and for how long at most */

/* --- transmit [8254x 13.4.34 to 13.4.40] --- */

#define E1000_TIPG		0x00410 /* RW: gap between frames, in clocks of the MAC */
#define	  E1000_TIPG_IPGT	BITS(9, 0)   /* back to back: 10 for copper */
#define	  E1000_TIPG_IPGR1	BITS(19, 10) /* half duplex, first part: 8 */
#define	  E1000_TIPG_IPGR2	BITS(29, 20) /* half duplex, all of it: 6 */
#define E1000_TX_RINGS		0x03800 /* block of ring registers */

/* --- legacy receive descriptor: status and errors as one word [8254x 3.2.3.1, 3.2.3.2] --- */

#define E1000_RXD_IXSM	BIT(2)	/* the checksum bits below say nothing */
#define E1000_RXD_TCPCS	BIT(5)	/* a checksum of TCP or UDP was looked at */
#define E1000_RXD_CE	BIT(8)	/* FCS wrong; this and the others valid in the last descriptor of a frame */
#define E1000_RXD_SE	BIT(9)	/* symbol error */
#define E1000_RXD_SEQ	BIT(10) /* sequence error */
#define E1000_RXD_CXE	BIT(12) /* carrier extension error */
#define E1000_RXD_TCPE	BIT(13) /* TCP or UDP checksum wrong */
#define E1000_RXD_IPE	BIT(14) /* IPv4 header checksum wrong */
#define E1000_RXD_RXE	BIT(15) /* damaged on the wire */
#define E1000_RXD_TAG	BITS(31, 16) /* with GBE_RXD_VP */

/*
 * --- TCP/IP data descriptor, GBE_TXD_DEXT [8254x 3.3.7]; the tag stands there
 * in the legacy one too ---
 */

#define E1000_TXD_DTYP	BITS(23, 20) /* 1: data */
#define E1000_TXD_TSE	BIT(26)	     /* cut it into segments, as the context says */
#define E1000_TXD_IXSM	BIT(40)	     /* put the IPv4 header's checksum in */
#define E1000_TXD_TXSM	BIT(41)	     /* put TCP's or UDP's in */
#define E1000_TXD_TAG	BITS(63, 48) /* with GBE_TXD_VLE */

/*
 * --- TCP/IP context descriptor, as its two words [8254x 3.3.6]: what the frames
 * behind it have in common ---
 */

#define E1000_TXC_IPCSS	 BITS(7, 0)   /* first word: where the IPv4 header's checksum starts */
#define E1000_TXC_IPCSO	 BITS(15, 8)  /* where it goes */
#define E1000_TXC_IPCSE	 BITS(31, 16) /* its last byte */
#define E1000_TXC_TUCSS	 BITS(39, 32) /* where TCP's or UDP's starts; it ends with the frame */
#define E1000_TXC_TUCSO	 BITS(47, 40) /* where it goes */
#define E1000_TXC_PAYLEN BITS(19, 0)  /* second word: bytes behind the headers */
#define E1000_TXC_TCP	 BIT(24)      /* TCP, not UDP */
#define E1000_TXC_IPV4	 BIT(25)      /* IPv4, not IPv6 */
#define E1000_TXC_TSE	 BIT(26)      /* of frames to be cut */
#define E1000_TXC_HDRLEN BITS(47, 40) /* bytes of all headers */
#define E1000_TXC_MSS	 BITS(63, 48) /* bytes of payload a segment */

/* clang-format on */
