/* SPDX-License-Identifier: MIT */
/*
 * pci_regs.h - PCI configuration space and the capabilities that Weir uses
 *
 * PCI Local Bus Specification, revision 3.0: [PCI 6.1] header, [PCI 6.7] capabilities, [PCI 6.8]
 * MSI and MSI-X. PCI-to-PCI Bridge Architecture Specification, revision 1.2: [P2P 3.2].
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include "kernel/bits.h"

/* --- header, every type [PCI 6.1]; offsets in bytes --- */

#define PCI_VENDOR_ID		   0x00 /* RO 16: 0xffff where there is no device */
#define PCI_DEVICE_ID		   0x02 /* RO 16 */
#define PCI_COMMAND		   0x04 /* RW 16 */
#define	  PCI_COMMAND_IO	   BIT(0) /* answers in I/O space */
#define	  PCI_COMMAND_MEMORY	   BIT(1) /* answers in memory space */
#define	  PCI_COMMAND_MASTER	   BIT(2) /* may write and read memory: DMA, MSI */
#define	  PCI_COMMAND_INTX_OFF	   BIT(10) /* INTx stays silent */
#define PCI_STATUS		   0x06 /* 16, W1C bits */
#define	  PCI_STATUS_INTX	   BIT(3) /* RO: the device asks for INTx, silenced or not */
#define	  PCI_STATUS_CAP_LIST	   BIT(4) /* RO: the pointer at 0x34 is valid */
#define PCI_REVISION		   0x08 /* RO 8 */
#define PCI_CLASS		   0x08 /* RO 32: class 31:24, subclass 23:16, interface 15:8, revision 7:0 */
#define PCI_HEADER_TYPE		   0x0e /* RO 8 */
#define	  PCI_HEADER_LAYOUT	   BITS(6, 0) /* 0 device, 1 bridge */
#define	  PCI_HEADER_MULTI	   BIT(7) /* has functions beside 0 */
#define PCI_CAP_POINTER		   0x34 /* RO 8 */
#define PCI_INTERRUPT_LINE	   0x3c /* RW 8: firmware's note to the system */
#define PCI_INTERRUPT_PIN	   0x3d /* RO 8: 1 INTA ... 4 INTD, 0 none */

/* --- type 0, a device [PCI 6.2.5] --- */

#define PCI_BAR(n)		   (0x10 + 4 * (n)) /* RW 32, n 0 to 5 */
#define	  PCI_BAR_IO		   BIT(0) /* RO: I/O space */
#define	  PCI_BAR_TYPE		   BITS(2, 1) /* RO, memory: 0 32-bit, 2 64-bit */
#define	  PCI_BAR_TYPE_64	   2
#define	  PCI_BAR_PREFETCH	   BIT(3) /* RO, memory */
#define	  PCI_BAR_MEM_MASK	   BITS(31, 4)
#define	  PCI_BAR_IO_MASK	   BITS(31, 2)
#define PCI_SUBSYSTEM_VENDOR_ID	   0x2c /* RO 16 */
#define PCI_SUBSYSTEM_ID	   0x2e /* RO 16 */

/* --- type 1, a bridge [P2P 3.2] --- */

#define PCI_SECONDARY_BUS	   0x19 /* RW 8: the bus behind it, 0 if the firmware left it alone */

/* --- capabilities: id, pointer to the next [PCI 6.7] --- */

#define PCI_CAP_ID		   0x00 /* RO 8, from the capability's start */
#define PCI_CAP_NEXT		   0x01 /* RO 8; 0 ends the list, bits 1:0 are reserved */
#define	  PCI_CAP_ID_PM		   0x01
#define	  PCI_CAP_ID_MSI	   0x05
#define	  PCI_CAP_ID_VENDOR	   0x09
#define	  PCI_CAP_ID_PCIE	   0x10
#define	  PCI_CAP_ID_MSIX	   0x11

enum { PCI_CAPS_MAX = 48 }; /* (256 - 64) / 4: a longer list runs in a circle */

/* MSI [PCI 6.8.1]; the layout depends on two bits of the control word */
#define PCI_MSI_CONTROL		   0x02 /* 16 */
#define	  PCI_MSI_ENABLE	   BIT(0) /* RW */
#define	  PCI_MSI_MULTI_ENABLE	   BITS(6, 4) /* RW: log2 of vectors in use */
#define	  PCI_MSI_64BIT		   BIT(7) /* RO: address has an upper half */
#define	  PCI_MSI_MASKING	   BIT(8) /* RO: a mask bit for each vector */
#define PCI_MSI_ADDRESS		   0x04 /* RW 32 */
#define PCI_MSI_ADDRESS_HI	   0x08 /* RW 32, with 64BIT */
#define PCI_MSI_DATA_32		   0x08 /* RW 16, without 64BIT */
#define PCI_MSI_DATA_64		   0x0c /* RW 16, with 64BIT */
#define PCI_MSI_MASK_32		   0x0c /* RW 32, with MASKING and without 64BIT */
#define PCI_MSI_MASK_64		   0x10 /* RW 32, with both */

/* MSI-X [PCI 6.8.2] */
#define PCI_MSIX_CONTROL	   0x02 /* 16 */
#define	  PCI_MSIX_TABLE_SIZE	   BITS(10, 0) /* RO: entries - 1 */
#define	  PCI_MSIX_MASK_ALL	   BIT(14) /* RW: all vectors masked */
#define	  PCI_MSIX_ENABLE	   BIT(15) /* RW */
#define PCI_MSIX_TABLE		   0x04 /* RO 32 */
#define	  PCI_MSIX_TABLE_BAR	   BITS(2, 0)
#define	  PCI_MSIX_TABLE_OFFSET	   BITS(31, 3)
#define PCI_MSIX_PBA		   0x08 /* RO 32: pending bits, BAR and offset likewise */

/* one entry of the MSI-X table, in memory space [PCI 6.8.2.6] */
struct msix_entry {
	uint32_t address_lo;
	uint32_t address_hi;
	uint32_t data;
	uint32_t control;
#define	  MSIX_ENTRY_MASKED	   BIT(0) /* RW, set at reset */
};

_Static_assert(sizeof(struct msix_entry) == 16, "as the device has it");

/* --- how configuration space is reached without ECAM [PCI 3.2.2.3.2] --- */

#define PCI_CF8			   0xcf8 /* port, WO 32: which register */
#define	  PCI_CF8_ENABLE	   BIT(31)
#define	  PCI_CF8_BUS		   BITS(23, 16)
#define	  PCI_CF8_DEVICE	   BITS(15, 11)
#define	  PCI_CF8_FUNCTION	   BITS(10, 8)
#define	  PCI_CF8_REGISTER	   BITS(7, 2) /* of a dword, as its byte offset */
#define PCI_CFC			   0xcfc /* port, RW: its bytes, at +0 to +3 */

/* clang-format on */
