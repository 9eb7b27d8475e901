/* SPDX-License-Identifier: MIT */
/*
 * igb_regs.h - registers and descriptors of the 82576
 *
 * Intel 82576EB Gigabit Ethernet Controller Datasheet, revision 2.63 (December 2011), cited as [82576 n.n]. Chapter 8
 * has the registers, 7.1 and 7.2 the descriptors, 4.5 the order in which to set them up. Only what Weir uses is here.
 *
 * RO read only, RW read and write, WO write only, RC cleared by reading, W1C cleared by writing ones, SC clears itself.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include <stddef.h>

#include "kernel/bits.h"

/* --- general [82576 8.2, 8.4] --- */

#define IGB_CTRL		0x00000 /* RW: device control */
#define	  IGB_CTRL_FD		BIT(0)	/* full duplex, where it is forced */
#define	  IGB_CTRL_GIO_OFF	BIT(2)	/* GIO master disable: no new DMA */
#define	  IGB_CTRL_SLU		BIT(6)	/* set link up: let the MAC follow the PHY */
#define	  IGB_CTRL_FRCSPD	BIT(11) /* force the speed; off: as negotiated */
#define	  IGB_CTRL_FRCDPX	BIT(12) /* force the duplex; off: as negotiated */
#define	  IGB_CTRL_RST		BIT(26) /* SC: reset everything but the PCI side */
#define	  IGB_CTRL_RFCE		BIT(27) /* obey pause frames */
#define	  IGB_CTRL_TFCE		BIT(28) /* send pause frames */
#define	  IGB_CTRL_VME		BIT(30) /* take VLAN tags out; Weir leaves them in the frame */

#define IGB_STATUS		0x00008 /* RO */
#define	  IGB_STATUS_FD		BIT(0)	/* full duplex */
#define	  IGB_STATUS_LU		BIT(1)	/* link is up */
#define	  IGB_STATUS_SPEED	BITS(7, 6) /* 0: 10, 1: 100, 2 and 3: 1000 Mb/s */
#define	  IGB_STATUS_GIO_ON	BIT(19) /* GIO master enable: DMA is still running or allowed */

#define IGB_EEC			0x00010 /* EEPROM control */
#define	  IGB_EEC_AUTO_RD	BIT(9)	/* RO: the EEPROM was read after reset */

#define IGB_CTRL_EXT		0x00018 /* RW */
#define	  IGB_CTRL_EXT_DRV_LOAD BIT(28) /* tells the firmware that a driver is in charge */

#define IGB_MDIC		0x00020 /* RW: talk to the PHY [82576 8.2.4] */
#define	  IGB_MDIC_DATA		BITS(15, 0)
#define	  IGB_MDIC_REG		BITS(20, 16)
#define	  IGB_MDIC_PHY		BITS(25, 21) /* 1: the one inside */
#define	  IGB_MDIC_OP		BITS(27, 26) /* 1 write, 2 read */
#define	  IGB_MDIC_OP_WRITE	1
#define	  IGB_MDIC_READY	BIT(28) /* done */
#define	  IGB_MDIC_ERROR	BIT(30) /* the PHY did not answer */

/* PHY registers, IEEE 802.3 clause 22 */
#define IGB_PHY_CONTROL		0
#define	  IGB_PHY_SPEED_1000	BIT(6)
#define	  IGB_PHY_FULL_DUPLEX	BIT(8)
#define	  IGB_PHY_AN_RESTART	BIT(9)	/* SC */
#define	  IGB_PHY_AN_ENABLE	BIT(12)

/* flow control, all off: a switch that pauses its neighbours spreads a jam [82576 8.3] */
#define IGB_FCAL		0x00028 /* RW */
#define IGB_FCAH		0x0002c /* RW */
#define IGB_FCT			0x00030 /* RW */
#define IGB_FCTTV		0x00170 /* RW */

/* --- interrupts [82576 8.8]; the first three at the alias offsets of [82576 8.1.3], the only ones that QEMU knows --- */

#define IGB_ICR			0x000c0 /* RC: causes that are no queue's */
#define IGB_IMS			0x000d0 /* RW: writing ones enables causes */
#define IGB_IMC			0x000d8 /* WO: writing ones disables causes */
#define	  IGB_ICR_LSC		BIT(2)	/* link status changed */
#define	  IGB_ICR_RXO		BIT(6)	/* receiver overrun: a frame found no descriptor or no room */
#define	  IGB_ICR_DOUTSYNC	BIT(28) /* DMA TX out of sync */

#define IGB_GPIE		0x01514 /* RW: how vectors work */
#define	  IGB_GPIE_NSICR	BIT(0)	/* reading ICR always clears it */
#define	  IGB_GPIE_MSIX		BIT(4)	/* a vector a cause: multiple MSI-X */
#define	  IGB_GPIE_EIAME	BIT(30) /* EIAM takes effect when a vector is sent */
#define	  IGB_GPIE_PBA		BIT(31) /* keep MSI-X pending bits */
#define IGB_EICS		0x01520 /* WO: raise vectors by hand */
#define IGB_EIMS		0x01524 /* RW: writing ones unmasks vectors */
#define IGB_EIMC		0x01528 /* WO: writing ones masks vectors */
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

#define IGB_RCTL		0x00100 /* RW */
#define	  IGB_RCTL_EN		BIT(1)
#define	  IGB_RCTL_UPE		BIT(3)	/* unicast promiscuous */
#define	  IGB_RCTL_MPE		BIT(4)	/* multicast promiscuous */
#define	  IGB_RCTL_LPE		BIT(5)	/* long packets: RLPML decides how long */
#define	  IGB_RCTL_BAM		BIT(15) /* broadcasts accepted */
#define	  IGB_RCTL_SECRC	BIT(26) /* strip the FCS */
#define IGB_RLPML		0x05004 /* RW: longest frame, bytes with FCS */
#define IGB_RXCSUM		0x05000 /* RW */
#define	  IGB_RXCSUM_IPOFL	BIT(8)	/* check the IPv4 header's */
#define	  IGB_RXCSUM_TUOFL	BIT(9)	/* check TCP's and UDP's */
#define	  IGB_RXCSUM_PCSD	BIT(13) /* RSS hash in the descriptor instead of a checksum; RSS needs it */
#define IGB_MTA(n)		(0x05200 + 4 * (n)) /* RW: multicast hash table, 128 words */
#define	  IGB_MTA_WORDS		128
#define IGB_RAL(n)		(0x05400 + 8 * (n)) /* RW: exact address, first four bytes */
#define IGB_RAH(n)		(0x05404 + 8 * (n)) /* RW: last two bytes */
#define	  IGB_RAH_ADDR		BITS(15, 0)
#define	  IGB_RAH_AV		BIT(31) /* address valid */
#define IGB_MRQC		0x05818 /* RW: how queues are chosen */
#define	  IGB_MRQC_RSS		2	/* bits 2:0: by RSS */
#define	  IGB_MRQC_TCP_IPV4	BIT(16)
#define	  IGB_MRQC_IPV4		BIT(17)
#define	  IGB_MRQC_IPV6		BIT(20)
#define	  IGB_MRQC_TCP_IPV6	BIT(21)
#define	  IGB_MRQC_UDP_IPV4	BIT(22)
#define	  IGB_MRQC_UDP_IPV6	BIT(23)
#define	  IGB_MRQC_TCP_IPV6_EX	BIT(18)
#define IGB_RETA(n)		(0x05c00 + 4 * (n)) /* RW: queue by hash, 4 entries a word */
#define	  IGB_RETA_WORDS	32
#define IGB_RSSRK(n)		(0x05c80 + 4 * (n)) /* RW: hash key */
#define	  IGB_RSSRK_WORDS	10

#define IGB_RDBAL(q)		(0x0c000 + 0x40 * (q)) /* RW: ring's address */
#define IGB_RDBAH(q)		(0x0c004 + 0x40 * (q))
#define IGB_RDLEN(q)		(0x0c008 + 0x40 * (q)) /* RW: bytes, a multiple of 128 */
#define IGB_SRRCTL(q)		(0x0c00c + 0x40 * (q)) /* RW */
#define	  IGB_SRRCTL_BSIZEPKT	BITS(6, 0)   /* buffer, in KiB */
#define	  IGB_SRRCTL_DESCTYPE	BITS(27, 25) /* 1: advanced, one buffer */
#define	  IGB_SRRCTL_DROP_EN	BIT(31)	     /* a queue without descriptors drops, and does not hold up the others */
#define IGB_RDH(q)		(0x0c010 + 0x40 * (q)) /* RO: the hardware moves the head */
#define IGB_RDT(q)		(0x0c018 + 0x40 * (q)) /* RW: we move the tail */
#define IGB_RXDCTL(q)		(0x0c028 + 0x40 * (q)) /* RW */
#define	  IGB_RXDCTL_PTHRESH	BITS(4, 0)   /* prefetch when fewer than this are left */
#define	  IGB_RXDCTL_HTHRESH	BITS(12, 8)  /* and at least this many are posted */
#define	  IGB_RXDCTL_WTHRESH	BITS(20, 16) /* write back in groups of this */
#define	  IGB_RXDCTL_ENABLE	BIT(25)
#define IGB_RQDPC(q)		(0x0c030 + 0x40 * (q)) /* RC: frames this queue dropped */

/* --- transmit [82576 8.12] --- */

#define IGB_TCTL		0x00400 /* RW */
#define	  IGB_TCTL_EN		BIT(1)
#define	  IGB_TCTL_PSP		BIT(3)	/* pad short packets */
#define	  IGB_TCTL_CT		BITS(11, 4)  /* collisions before giving up: 15 */
#define	  IGB_TCTL_BST		BITS(21, 12) /* back-off slot time: 0x40 */
#define	  IGB_TCTL_RTLC		BIT(24) /* retransmit after a late collision */
#define IGB_TDBAL(q)		(0x0e000 + 0x40 * (q)) /* RW: ring's address */
#define IGB_TDBAH(q)		(0x0e004 + 0x40 * (q))
#define IGB_TDLEN(q)		(0x0e008 + 0x40 * (q)) /* RW: bytes, a multiple of 128 */
#define IGB_TDH(q)		(0x0e010 + 0x40 * (q)) /* RW while off: the hardware moves the head */
#define IGB_TDT(q)		(0x0e018 + 0x40 * (q)) /* RW: we move the tail */
#define IGB_TXDCTL(q)		(0x0e028 + 0x40 * (q)) /* RW */
#define	  IGB_TXDCTL_PTHRESH	BITS(4, 0)
#define	  IGB_TXDCTL_HTHRESH	BITS(12, 8)
#define	  IGB_TXDCTL_WTHRESH	BITS(20, 16) /* 0: each RS is answered at once */
#define	  IGB_TXDCTL_ENABLE	BIT(25)

/* --- statistics, all RC, 32 bits, those named ...L with an upper half behind [82576 8.18] --- */

#define IGB_CRCERRS		0x04000 /* FCS wrong */
#define IGB_ALGNERRC		0x04004 /* alignment errors */
#define IGB_RXERRC		0x0400c /* errors from the PHY */
#define IGB_MPC			0x04010 /* missed: no room in the packet buffer */
#define IGB_SCC			0x04014 /* sent after one collision */
#define IGB_ECOL		0x04018 /* given up after too many */
#define IGB_MCC			0x0401c /* sent after several */
#define IGB_LATECOL		0x04020
#define IGB_COLC		0x04028 /* collisions */
#define IGB_DC			0x04030 /* deferred */
#define IGB_TNCRS		0x04034 /* sent without carrier */
#define IGB_RLEC		0x04040 /* length errors */
#define IGB_XONRXC		0x04048
#define IGB_XONTXC		0x0404c
#define IGB_XOFFRXC		0x04050
#define IGB_XOFFTXC		0x04054
#define IGB_GPRC		0x04074 /* good packets received */
#define IGB_BPRC		0x04078 /* of these, broadcasts */
#define IGB_MPRC		0x0407c /* of these, multicasts */
#define IGB_GPTC		0x04080 /* good packets transmitted */
#define IGB_GORCL		0x04088 /* good octets received, 64 bits; the upper half clears both */
#define IGB_GOTCL		0x04090 /* good octets transmitted, 64 bits */
#define IGB_RNBC		0x040a0 /* no descriptor when it came */
#define IGB_RUC			0x040a4 /* undersize */
#define IGB_RFC			0x040a8 /* fragments */
#define IGB_ROC			0x040ac /* oversize */
#define IGB_RJC			0x040b0 /* jabber */
#define IGB_MPTC		0x040f0 /* multicasts transmitted */
#define IGB_BPTC		0x040f4 /* broadcasts transmitted */

/* --- advanced receive descriptor, one buffer [82576 7.1.5] --- */

union igb_rx_desc {
	struct { /* as we post it */
		uint64_t addr;
		uint64_t zero; /* header buffer: none, and DD off */
	} post;
	struct { /* as the device gives it back */
		uint64_t type_hash; /* packet type, RSS hash */
		uint32_t status;
#define	  IGB_RXD_DD  BIT(0)  /* descriptor done; the device writes it last */
#define	  IGB_RXD_EOP BIT(1)  /* end of packet */
#define	  IGB_RXD_L4E BIT(29) /* TCP or UDP checksum wrong; valid in the last descriptor of a frame */
#define	  IGB_RXD_IPE BIT(30) /* IPv4 header checksum wrong; likewise */
#define	  IGB_RXD_RXE BIT(31) /* damaged on the wire; valid in the last descriptor of a frame */
		uint16_t len;	    /* bytes in this buffer */
		uint16_t vlan;	    /* of a tag that was taken out; Weir leaves tags in */
	} done;
};

_Static_assert(sizeof(union igb_rx_desc) == 16, "[82576 7.1.5.1]");
_Static_assert(offsetof(union igb_rx_desc, done.status) == 8, "[82576 7.1.5.2]");
_Static_assert(offsetof(union igb_rx_desc, done.len) == 12, "[82576 7.1.5.2]");

/* --- advanced transmit data descriptor [82576 7.2.2.3] --- */

struct igb_tx_desc {
	uint64_t addr; /* of the buffer */
	uint64_t cmd;  /* see below */
};

#define IGB_TXD_LEN	BITS(15, 0)  /* bytes in this buffer */
#define IGB_TXD_DTYP	BITS(23, 20) /* 3: data */
#define IGB_TXD_EOP	BIT(24)	     /* end of packet */
#define IGB_TXD_IFCS	BIT(25)	     /* append the FCS */
#define IGB_TXD_RS	BIT(27)	     /* report status: set DD when done */
#define IGB_TXD_DEXT	BIT(29)	     /* advanced format */
#define IGB_TXD_DD	BIT(32)	     /* written back: done */
#define IGB_TXD_PAYLEN	BITS(63, 46) /* bytes of the whole frame */

_Static_assert(sizeof(struct igb_tx_desc) == 16, "[82576 7.2.2.3]");
_Static_assert(offsetof(struct igb_tx_desc, cmd) == 8, "[82576 7.2.2.3]");

/* clang-format on */
