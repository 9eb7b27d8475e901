/* SPDX-License-Identifier: MIT */
/*
 * vpci.h - a guest's PCI bus 0: configuration space by 0xcf8/0xcfc, BARs, MSI-X, INTx
 * [PCI 3.0, PCI Firmware 3.0]
 *
 * A device fills in a struct vpci_dev and adds it; the bus owns configuration space, places its
 * BARs on the VM's buses as the guest programs them, and keeps the MSI-X table. Guarded by
 * vm->lock, but for vpci_signal().
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;
struct vpci_dev;

enum { VPCI_DEVICES = 8, VPCI_BARS = 6, VPCI_VECTORS = 4 };

#define VPCI_CONFIG_ADDRESS 0xcf8
#define VPCI_CONFIG_DATA    0xcfc
#define VPCI_CONFIG_PORTS   8 /* both */

/* windows that the DSDT's _CRS names: keep dsdt.asl in step */
#define VPCI_IO_BASE  UINT64_C(0xc000)
#define VPCI_IO_SIZE  UINT64_C(0x1000)
#define VPCI_MEM_BASE UINT64_C(0xe0000000)
#define VPCI_MEM_SIZE UINT64_C(0x10000000)

/*
 * INTx of device @slot, INTA, comes in at this pin of the IOAPIC, level, active
 * low (_PRT says the same)
 */
#define VPCI_INTX_PIN(slot) (16 + (slot) % 8)

enum vpci_bar_kind { VPCI_BAR_NONE, VPCI_BAR_IO, VPCI_BAR_MEM32, VPCI_BAR_MEM64 };

struct vpci_bar {
	enum vpci_bar_kind kind; /* a MEM64 one takes the next place as well, which stays NONE */
	uint32_t size;           /* a power of two, 4 at least */
	bool unlocked;           /* reads and writes come without vm->lock: a doorbell */
	uint64_t (*read)(struct vpci_dev *d, uint64_t offset, unsigned size);
	void (*write)(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value);
	/* by vpci.c */
	struct vpci_dev *dev;
	uint64_t home; /* where vpci_add() put it */
	uint64_t base; /* where it answers now */
	bool mapped;   /* does it answer? */
};

/* an entry of the MSI-X table [PCI 3.0 6.8.2] */
struct vpci_vector {
	uint64_t address; /* guest-controlled, as all of it */
	uint32_t data;
	uint32_t control; /* bit 0: masked */
};

struct vpci_dev {
	/* by the device, before vpci_add() */
	const char *name;
	struct vm *vm;
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class;    /* class, subclass, interface, revision as dword 2 of the header */
	unsigned nvectors; /* MSI-X; 0: none */
	unsigned msix_bar, msix_table, msix_pba; /* where in which BAR */
	struct vpci_bar bar[VPCI_BARS];
	void (*reset)(struct vpci_dev *d); /* RESET of the machine; may be NULL */
	/*
	 * A capability that does something (virtio's PCI_CFG): called before a read takes its bytes
	 * out of config[], and after a write has put its bytes there. NULL if there is none.
	 */
	void (*config_access)(struct vpci_dev *d, unsigned offset, unsigned size, bool write);

	/* by vpci.c */
	unsigned slot;
	uint8_t config[256], writable[256]; /* bits that the guest may write */
	unsigned cap_end, cap_last, msix_cap;
	struct vpci_vector vector[VPCI_VECTORS];
	bool intx_wanted; /* what the device says; the line also depends on the guest's settings */
	uint64_t intx;    /* how often the line went up */

	/* by vpci.c under vm->lock, read by whoever signals */
	_Atomic bool msix_on;
	_Atomic uint32_t msix_open; /* BIT(vector): may be sent now */
	/* of an open one, in one piece: address 63:32, data 31:0 */
	_Atomic uint64_t message[VPCI_VECTORS];
	/* by whoever signals */
	_Atomic uint32_t msix_pending; /* BIT(vector) */
	_Atomic uint64_t signalled[VPCI_VECTORS];
};

struct vpci {
	struct vm *vm;
	uint32_t address;                   /* 0xcf8 */
	struct vpci_dev *dev[VPCI_DEVICES]; /* by slot; [0] is the host bridge */
	uint32_t intx_up;                   /* BIT(slot) */
	uint64_t io_next, mem_next;         /* free in the windows from here on */
	struct vpci_dev bridge;
};

/* vpci_init() - a bus with the host bridge; its ports are the caller's to put on vm->ports. */
void vpci_init(struct vpci *pci, struct vm *vm);
/* vpci_reset() - RESET: all devices as vpci_add() left them. vm->lock is held. */
void vpci_reset(struct vpci *pci);
/*
 * vpci_add() - @d in the next free slot, BARs at addresses of our choosing inside the
 * windows (the guest may move them), decoding on, as firmware leaves a device that it booted
 * from. Returns 0 or -ENOSPC.
 */
int vpci_add(struct vpci *pci, struct vpci_dev *d);
/*
 * vpci_add_cap() - @len bytes of a capability, the two of its header included, appended; returns
 * its offset. After vpci_add(). All of it is read-only: the device sets d->writable where it is
 * not.
 */
unsigned vpci_add_cap(struct vpci_dev *d, const void *cap, unsigned len);

/* the ports 0xcf8 to 0xcff */
uint64_t vpci_config_read(void *pci, uint64_t offset, unsigned size);
void vpci_config_write(void *pci, uint64_t offset, unsigned size, uint64_t value);

/*
 * vpci_signal() - interrupt the guest by MSI-X @vector: straight to the virtual APIC; masked ones
 * stay pending. Any core, vm->lock not needed. Only while d->msix_on.
 */
void vpci_signal(struct vpci_dev *d, unsigned vector);
/* vpci_intx_locked() - the device wants its line up or down. */
void vpci_intx_locked(struct vpci_dev *d, bool up);

/* the MSI-X table and PBA, for the device's BAR functions: @offset within the BAR */
uint64_t vpci_msix_read(struct vpci_dev *d, uint64_t offset, unsigned size);
void vpci_msix_write(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value);
