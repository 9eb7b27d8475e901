/* SPDX-License-Identifier: MIT */
/*
 * igb_regs.h - registers and descriptor bits that the 82576 has beside those of gbe_regs.h
 *
 * Intel 82576EB Gigabit Ethernet Controller Datasheet, revision 2.63 (December 2011), cited as
 * [82576 n.n]. Chapter 8 has the registers, 7.1 and 7.2 the descriptors, 4.5 the order in which to
 * set them up. Only what Weir uses is here.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include "gbe_regs.h"

/* --- interrupts [82576 8.8] --- */

#define IGB_GPIE		0x01514 /* RW: how vectors work */
#define	  IGB_GPIE_NSICR	BIT(0)	/* reading ICR always clears it */
#define	  IGB_GPIE_MSIX		BIT(4)	/* a vector a cause: multiple MSI-X */
#define	  IGB_GPIE_EIAME	BIT(30) /* EIAM takes effect when a vector is sent */
#define	  IGB_GPIE_PBA		BIT(31) /* keep MSI-X pending bits */
#define IGB_EICS		0x01520 /* WO: raise vectors by hand */
#define IGB_EIMS		0x01524 /* RW: writing ones unmasks vectors */
#define IGB_EIAC		0x0152c /* RW: vectors whose EICR bit clears itself when sent */
#define IGB_EIAM		0x01530 /* RW: vectors that mask themselves when sent (with GPIE.EIAME) */
#define IGB_EICR		0x01580 /* RC: vectors due. Never read: that would clear what came meanwhile */
#define IGB_EITR(v)		(0x01680 + 4 * (v)) /* RW: throttle of vector v */
#define	  IGB_EITR_INTERVAL	BITS(14, 2) /* microseconds between interrupts, 0: none */
#define IGB_IVAR(n)		(0x01700 + 4 * (n)) /* RW: vectors of queues n and n + 8 */
#define	  IGB_IVAR_RX		BITS(7, 0)  /* of RX queue n */
#define	  IGB_IVAR_TX		BITS(15, 8) /* of TX queue n; left invalid, Weir wants no TX interrupts */
#define IGB_IVAR_MISC		0x01740 /* RW */
#define	  IGB_IVAR_MISC_OTHER	BITS(15, 8) /* vector of everything in ICR */
#define	  IGB_IVAR_VALID	BIT(7)	/* of each byte: the entry counts */

/* --- receive [82576 8.10] --- */

#define IGB_RLPML		0x05004 /* RW: with RCTL.LPE, longest frame, bytes with FCS */
#define	  IGB_MRQC_RSS		2	/* of GBE_MRQC, bits 2:0: by RSS */
#define	  IGB_MRQC_TCP_IPV6	BIT(21)
#define	  IGB_MRQC_UDP_IPV4	BIT(22)
#define	  IGB_MRQC_UDP_IPV6	BIT(23)

#define IGB_RX_RINGS		0x0c000 /* blocks of ring registers, see GBE_RING_... */
#define IGB_SRRCTL(q)		(0x0c00c + 0x40 * (q)) /* RW */
#define	  IGB_SRRCTL_BSIZEPKT	BITS(6, 0)   /* buffer, in KiB */
#define	  IGB_SRRCTL_DESCTYPE	BITS(27, 25) /* 1: advanced, one buffer */
#define	  IGB_SRRCTL_DROP_EN	BIT(31)	     /* a queue without descriptors drops, and does not hold up the others */
#define IGB_RXDCTL(q)		(0x0c028 + 0x40 * (q)) /* RW */
#define	  IGB_RXDCTL_PTHRESH	BITS(4, 0)   /* prefetch when fewer than this are left */
#define	  IGB_RXDCTL_HTHRESH	BITS(12, 8)  /* and at least this many are posted */
#define	  IGB_RXDCTL_WTHRESH	BITS(20, 16) /* write back in groups of this */
#define	  IGB_RXDCTL_ENABLE	BIT(25)

/* --- transmit [82576 8.12] --- */

#define IGB_TX_RINGS		0x0e000 /* likewise */
#define IGB_TXDCTL(q)		(0x0e028 + 0x40 * (q)) /* RW */
#define	  IGB_TXDCTL_PTHRESH	BITS(4, 0)
#define	  IGB_TXDCTL_HTHRESH	BITS(12, 8)
#define	  IGB_TXDCTL_WTHRESH	BITS(20, 16) /* 0: each RS is answered at once */
#define	  IGB_TXDCTL_ENABLE	BIT(25)

/* --- advanced transmit descriptor [82576 7.2.2.3] --- */

#define IGB_RXD_TYPE	BITS(16, 4)  /* of a receive descriptor, as written back: which headers it found [82576 7.1.5.2.2] */
#define IGB_TXD_DTYP	BITS(23, 20) /* 3: data */
#define IGB_TXD_TSE	BIT(31)	     /* cut it into segments, as the context says */
#define IGB_TXD_IXSM	BIT(40)	     /* put the IPv4 header's checksum in */
#define IGB_TXD_TXSM	BIT(41)	     /* put TCP's or UDP's in */
#define IGB_TXD_PAYLEN	BITS(63, 46) /* bytes of the whole frame; with TSE: behind the headers */

/* context descriptor [82576 7.2.2.2], as its two words: what the frames behind it have in common */
#define IGB_TXC_IPLEN	BITS(8, 0)   /* first word: bytes of the IP header, extensions included */
#define IGB_TXC_MACLEN	BITS(15, 9)  /* bytes in front of it */
#define IGB_TXC_VLAN	BITS(31, 16) /* the tag */
#define IGB_TXC_IPV4	BIT(10)	     /* second word: IPv4, not IPv6 */
#define IGB_TXC_TCP	BITS(12, 11) /* 1: TCP, 0: UDP */
#define IGB_TXC_DTYP	BITS(23, 20) /* 2: context */
#define IGB_TXC_L4LEN	BITS(47, 40) /* bytes of TCP's header */
#define IGB_TXC_MSS	BITS(63, 48) /* bytes of payload a segment */

/* clang-format on */
