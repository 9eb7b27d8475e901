/* SPDX-License-Identifier: MIT */
/*
 * gbe_regs.h - what the registers and descriptors of Intel's gigabit NICs have in common
 *
 * [82576 n.n]: Intel 82576EB Gigabit Ethernet Controller Datasheet, revision 2.63 (December 2011).
 * [8254x n.n]: PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual,
 * 317453, revision 4.0 (March 2009). [82574 n.n]: Intel 82574 GbE Controller Family Datasheet,
 * 317694, revision 3.4 (June 2014). What only one of them has stands in igb_regs.h, e1000e_regs.h
 * and e1000_regs.h. Only what Weir uses is here.
 *
 * RO read only, RW read and write, WO write only, RC cleared by reading, W1C cleared by
 * writing ones, SC clears itself.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include <stddef.h>
#include <stdint.h>

#include "kernel/bits.h"

/* --- general [82576 8.2, 8.4] [8254x 13.4.1, 13.4.2] --- */

#define GBE_CTRL		0x00000 /* RW: device control */
#define	  GBE_CTRL_FD		BIT(0)	/* full duplex, where it is forced */
#define	  GBE_CTRL_GIO_OFF	BIT(2)	/* PCI Express: no new DMA */
#define	  GBE_CTRL_SLU		BIT(6)	/* set link up: let the MAC follow the PHY */
#define	  GBE_CTRL_FRCSPD	BIT(11) /* force the speed; off: as negotiated */
#define	  GBE_CTRL_FRCDPX	BIT(12) /* force the duplex; off: as negotiated */
#define	  GBE_CTRL_RST		BIT(26) /* SC: reset everything but the PCI side */
#define	  GBE_CTRL_RFCE		BIT(27) /* obey pause frames */
#define	  GBE_CTRL_TFCE		BIT(28) /* send pause frames */
#define	  GBE_CTRL_VME		BIT(30) /* take VLAN tags out, and put them in where a descriptor says so */

#define GBE_STATUS		0x00008 /* RO */
#define	  GBE_STATUS_FD		BIT(0)	/* full duplex */
#define	  GBE_STATUS_LU		BIT(1)	/* link is up */
#define	  GBE_STATUS_SPEED	BITS(7, 6) /* 0: 10, 1: 100, 2 and 3: 1000 Mb/s */
#define	  GBE_STATUS_GIO_ON	BIT(19) /* PCI Express: DMA is still running or allowed */

#define GBE_EEC			0x00010 /* EEPROM control */
#define	  GBE_EEC_AUTO_RD	BIT(9)	/* RO, PCI Express: the EEPROM was read after reset */

#define GBE_CTRL_EXT		0x00018 /* RW */
#define	  GBE_CTRL_EXT_DRV_LOAD BIT(28) /* PCI Express: tells the firmware that a driver is in charge */

#define GBE_MDIC		0x00020 /* RW: talk to the PHY [82576 8.2.4] [8254x 13.4.7] */
#define	  GBE_MDIC_DATA		BITS(15, 0)
#define	  GBE_MDIC_REG		BITS(20, 16)
#define	  GBE_MDIC_PHY		BITS(25, 21) /* 1: the one inside */
#define	  GBE_MDIC_OP		BITS(27, 26) /* 1 write, 2 read */
#define	  GBE_MDIC_OP_WRITE	1
#define	  GBE_MDIC_OP_READ	2
#define	  GBE_MDIC_READY	BIT(28) /* done */
#define	  GBE_MDIC_ERROR	BIT(30) /* the PHY did not answer */

/* PHY registers, IEEE 802.3 clause 22 */
#define GBE_PHY_CONTROL		0
#define	  GBE_PHY_SPEED_1000	BIT(6)
#define	  GBE_PHY_FULL_DUPLEX	BIT(8)
#define	  GBE_PHY_AN_RESTART	BIT(9)	/* SC */
#define	  GBE_PHY_AN_ENABLE	BIT(12)
#define GBE_PHY_ADVERTISED	4
#define	  GBE_PHY_ETHERNET	BIT(0)	/* and not token ring */
#define	  GBE_PHY_10_100	BITS(8, 5) /* these speeds, half and full duplex; 1000 is elsewhere */
#define GBE_PHY_PARTNER		5
#define	  GBE_PHY_PAUSE		BIT(10) /* of both: pause frames, both ways */
#define	  GBE_PHY_PAUSE_ASYM	BIT(11) /* of both: or one way */

/* --- flow control [82576 8.3, 3.5.5] [8254x 13.4.8 to 13.4.11, 13.4.47] --- */

#define GBE_FCAL		0x00028 /* RW: address of pause frames, first four bytes */
#define GBE_FCAH		0x0002c /* RW: last two */
#define GBE_FCT			0x00030 /* RW: their type */
#define GBE_VET			0x00038 /* RW: type of a VLAN tag; not on every model the 8100 that it should be after reset */
#define	  GBE_VET_VLAN		0x8100
#define GBE_FCTTV		0x00170 /* RW: how long the other end shall pause, in 512 bit times */
#define GBE_FCRTL		0x02160 /* RW: XON when the packet buffer holds less, bytes */
#define	  GBE_FCRTL_XONE	BIT(31) /* send XON at all */
#define GBE_FCRTH		0x02168 /* RW: XOFF when it holds more, bytes; 82576: multiples of 16 */

/*
 * --- interrupt causes [8254x 13.4.17]; the 82576's at the alias offsets of [82576 8.1.3],
 * which QEMU knows too ---
 */

#define GBE_ICR			0x000c0 /* RC: causes; of the 82576 those that are no queue's */
#define GBE_ICS			0x000c8 /* WO: raise causes by hand */
#define GBE_IMS			0x000d0 /* RW: writing ones enables causes */
#define GBE_IMC			0x000d8 /* WO: writing ones disables causes */
#define GBE_EIMC		0x01528 /* WO, if the chip is extended: writing ones masks vectors */
#define	  GBE_ICR_LSC		BIT(2)	/* link status changed */
#define	  GBE_ICR_RXO		BIT(6)	/* receiver overrun: a frame found no descriptor or no room */
/*
 * where all causes come by one interrupt: frames came [8254x 13.4.17: RXT0, RDTR
 * ago] [82576 8.8.9: RXDW]
 */
#define	  GBE_ICR_RX		BIT(7)
#define	  GBE_ICR_DOUTSYNC	BIT(28) /* DMA TX out of sync, 82576 only */

/* --- receive [82576 8.10] [8254x 13.4.22] --- */

#define GBE_RCTL		0x00100 /* RW */
#define	  GBE_RCTL_EN		BIT(1)
#define	  GBE_RCTL_UPE		BIT(3)	/* unicast promiscuous */
#define	  GBE_RCTL_MPE		BIT(4)	/* multicast promiscuous */
#define	  GBE_RCTL_LPE		BIT(5)	/* long packets, more than 1,522 bytes with FCS */
#define	  GBE_RCTL_MO		BITS(13, 12) /* which bits of a group's address number its bit in MTA; 0: 47 to 36 */
#define	  GBE_RCTL_BAM		BIT(15) /* broadcasts accepted */
#define	  GBE_RCTL_SECRC	BIT(26) /* strip the FCS */
#define GBE_RXCSUM		0x05000 /* RW */
#define	  GBE_RXCSUM_IPOFL	BIT(8)	/* check the IPv4 header's */
#define	  GBE_RXCSUM_TUOFL	BIT(9)	/* check TCP's and UDP's */
#define	  GBE_RXCSUM_PCSD	BIT(13) /* RSS hash in the descriptor, not the packet's checksum; RSS needs it */
#define GBE_MTA(n)		(0x05200 + 4 * (n)) /* RW: multicast hash table, 128 words */
#define	  GBE_MTA_WORDS		128
#define GBE_RAL(n)		(0x05400 + 8 * (n)) /* RW: exact address, first four bytes */
#define GBE_RAH(n)		(0x05404 + 8 * (n)) /* RW: last two bytes */
#define	  GBE_RAH_ADDR		BITS(15, 0)
#define	  GBE_RAH_AV		BIT(31) /* address valid */

/* --- receive side scaling, where there are several queues [82576 8.10.22 on] [82574 10.2.5] --- */

#define GBE_MRQC		0x05818 /* RW: how queues are chosen; the low bits that switch RSS on differ */
#define	  GBE_MRQC_TCP_IPV4	BIT(16)
#define	  GBE_MRQC_IPV4		BIT(17)
#define	  GBE_MRQC_TCP_IPV6_EX	BIT(18)
#define	  GBE_MRQC_IPV6		BIT(20)
#define GBE_RETA(n)		(0x05c00 + 4 * (n)) /* RW: queue by hash, 4 entries a word */
#define	  GBE_RETA_WORDS	32
#define GBE_RSSRK(n)		(0x05c80 + 4 * (n)) /* RW: hash key, its first byte lowest in the first */
#define	  GBE_RSSRK_WORDS	10

/*
 * --- a ring's block of registers; the chip's row in gbe.c says where it begins [82576 8.10, 8.12]
 * [8254x 13.4.25] [82574 10.2.5] ---
 */

#define GBE_RING_ADDR_LO	0x00 /* RW: ring's address */
#define GBE_RING_ADDR_HI	0x04
#define GBE_RING_LEN		0x08 /* RW: bytes, a multiple of 128 */
#define GBE_RING_HEAD		0x10 /* the hardware moves the head; RW while the ring is off */
#define GBE_RING_TAIL		0x18 /* RW: we move the tail */
#define GBE_RING_DROPS		0x30 /* RC, receive, if the chip counts_drops: frames dropped */

/* --- transmit [82576 8.12] [8254x 13.4.33] --- */

#define GBE_TCTL		0x00400 /* RW */
#define	  GBE_TCTL_EN		BIT(1)
#define	  GBE_TCTL_PSP		BIT(3)	/* pad short packets */
#define	  GBE_TCTL_CT		BITS(11, 4)  /* collisions before giving up: 15 */
#define	  GBE_TCTL_BST		BITS(21, 12) /* collision distance, back-off slot time: 0x40 */
#define	  GBE_TCTL_RTLC		BIT(24) /* retransmit after a late collision */

/*
 * --- statistics, all RC, 32 bits, those named ...L with an upper half behind
 * [82576 8.18] [8254x 13.7] ---
 */

#define GBE_CRCERRS		0x04000 /* FCS wrong */
#define GBE_ALGNERRC		0x04004 /* alignment errors */
#define GBE_RXERRC		0x0400c /* errors from the PHY */
#define GBE_MPC			0x04010 /* missed: no room in the packet buffer */
#define GBE_SCC			0x04014 /* sent after one collision */
#define GBE_ECOL		0x04018 /* given up after too many */
#define GBE_MCC			0x0401c /* sent after several */
#define GBE_LATECOL		0x04020
#define GBE_COLC		0x04028 /* collisions */
#define GBE_DC			0x04030 /* deferred */
#define GBE_TNCRS		0x04034 /* sent without carrier */
#define GBE_RLEC		0x04040 /* length errors */
#define GBE_XONRXC		0x04048
#define GBE_XONTXC		0x0404c
#define GBE_XOFFRXC		0x04050
#define GBE_XOFFTXC		0x04054
#define GBE_GPRC		0x04074 /* good packets received */
#define GBE_BPRC		0x04078 /* of these, broadcasts */
#define GBE_MPRC		0x0407c /* of these, multicasts */
#define GBE_GPTC		0x04080 /* good packets transmitted */
#define GBE_GORCL		0x04088 /* good octets received, 64 bits; the upper half clears both */
#define GBE_GOTCL		0x04090 /* good octets transmitted, 64 bits */
#define GBE_RNBC		0x040a0 /* no descriptor when it came */
#define GBE_RUC			0x040a4 /* undersize */
#define GBE_RFC			0x040a8 /* fragments */
#define GBE_ROC			0x040ac /* oversize */
#define GBE_RJC			0x040b0 /* jabber */
#define GBE_MPTC		0x040f0 /* multicasts transmitted */
#define GBE_BPTC		0x040f4 /* broadcasts transmitted */
#define GBE_TSCTC		0x040f8 /* frames that were cut into segments */
#define GBE_TSCTFC		0x040fc /* and that could not be */

/*
 * --- receive descriptor, one buffer: posted alike, given back in one of two ways [82576
 * 7.1.5] [8254x 3.2.3] ---
 */

union gbe_rx_desc {
	struct { /* as we post it */
		uint64_t addr;
		uint64_t zero; /* advanced: no header buffer; either: DD off */
	} post;
	struct { /* as it comes back, of either kind */
		uint64_t rest;
		uint64_t word; /* status and length, at one go */
	} back;
	struct { /* advanced, extended: as the device gives it back; the status bits are below */
		uint64_t type_hash; /* packet type, RSS hash */
		uint32_t status;
		uint16_t len;	    /* bytes in this buffer */
		uint16_t vlan;	    /* of a tag that was taken out */
	} advanced;
	struct { /* legacy, as the device gives it back; the status bits that differ are in e1000_regs.h */
		uint64_t addr;
		uint16_t len;
		uint16_t csum;	    /* of the bytes behind the Ethernet header; Weir does not look */
		uint32_t status;    /* status 7:0, errors 15:8, VLAN tag 31:16 */
	} legacy;
};

/* status, of both */
#define GBE_RXD_DD	BIT(0) /* descriptor done; the device writes it last */
#define GBE_RXD_EOP	BIT(1) /* end of packet */
#define GBE_RXD_VP	BIT(3) /* a tag was taken out */
#define GBE_RXD_IPCS	BIT(6) /* IPv4's header checksum was looked at */
#define GBE_RXD_PIF	BIT(7) /* by no exact match of its address */

/*
 * and of the advanced [82576 7.1.5.2] and the extended one [82574 7.1.5]; valid in the
 * last descriptor of a frame
 */
#define GBE_RXD_RSS	BITS(3, 0) /* of type_hash: which headers were hashed, 0: none; the hash is the upper half */
#define GBE_RXD_UDPCS	BIT(4)	/* UDP's checksum was looked at */
#define GBE_RXD_L4CS	BIT(5)	/* TCP's was */
#define GBE_RXD_L4E	BIT(29) /* TCP or UDP checksum wrong */
#define GBE_RXD_IPE	BIT(30) /* IPv4 header checksum wrong */
#define GBE_RXD_RXE	BIT(31) /* damaged on the wire */

_Static_assert(sizeof(union gbe_rx_desc) == 16, "[82576 7.1.5.1] [8254x 3.2.3]");
_Static_assert(offsetof(union gbe_rx_desc, advanced.status) == 8, "[82576 7.1.5.2]");
_Static_assert(offsetof(union gbe_rx_desc, advanced.len) == 12, "[82576 7.1.5.2]");
_Static_assert(offsetof(union gbe_rx_desc, legacy.len) == 8, "[8254x 3.2.3]");
_Static_assert(offsetof(union gbe_rx_desc, legacy.status) == 12, "[8254x 3.2.3]");

/*
 * --- transmit descriptor: address, and a command that begins alike in both kinds [82576
 * 7.2.2.3] [8254x 3.3.3] ---
 */

struct gbe_tx_desc {
	uint64_t addr; /* of the buffer */
	uint64_t cmd;  /* see below */
};

#define GBE_TXD_LEN	BITS(15, 0)  /* bytes in this buffer */
#define GBE_TXD_EOP	BIT(24)	     /* end of packet */
#define GBE_TXD_IFCS	BIT(25)	     /* append the FCS */
#define GBE_TXD_RS	BIT(27)	     /* report status: set DD when done */
#define GBE_TXD_DEXT	BIT(29)	     /* 1: advanced, or the older chips' extended; 0: legacy */
#define GBE_TXD_VLE	BIT(30)	     /* put a tag in */
#define GBE_TXD_DD	BIT(32)	     /* written back: done */

_Static_assert(sizeof(struct gbe_tx_desc) == 16, "[82576 7.2.2.3] [8254x 3.3.3]");
_Static_assert(offsetof(struct gbe_tx_desc, cmd) == 8, "[82576 7.2.2.3] [8254x 3.3.3]");

/* clang-format on */
