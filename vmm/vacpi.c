/* SPDX-License-Identifier: MIT */
/*
 * vacpi.c - the tables that a guest's kernel finds in its memory [ACPI 6.4,
 * sections 5.2.5 to 5.2.12]
 *
 * Built anew at each start of a guest, in the control context, as the guest may have
 * overwritten them. They lie one behind the other from VACPI_TABLES on: RSDP, DSDT, FADT (which
 * names the DSDT), MADT, XSDT (which names the two). In the place of a BIOS there are a few
 * bytes that ask for a reset.
 */
#include "vacpi.h"

#include "kernel/bits.h"
#include "vioapic.h"
#include "vlapic.h"
#include "vm.h"

#include <stddef.h>
#include <string.h>

struct sdt { /* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum; /* of the 20 bytes that revision 0 had */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t whole_checksum, reserved[3];
} __attribute__((packed));

struct gas { /* generic address, 5.2.3.2 */
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

struct fadt { /* 5.2.9; what hardware-reduced ACPI does not use is left zero */
	struct sdt sdt;
	uint32_t facs, dsdt;
	uint8_t unused1[65];
	uint16_t boot_arch;
	uint8_t unused2;
	uint32_t flags;
	struct gas reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct gas unused3[8]; /* PM1a to GPE1 */
	struct gas sleep_control, sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));

struct madt { /* 5.2.12 */
	struct sdt sdt;
	uint32_t lapic, flags;
} __attribute__((packed));

struct madt_lapic { /* 5.2.12.2 */
	uint8_t type, length, uid, id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic { /* 5.2.12.3 */
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));

_Static_assert(sizeof(struct sdt) == 36, "table header");
_Static_assert(sizeof(struct rsdp) == 36, "RSDP");
_Static_assert(offsetof(struct fadt, boot_arch) == 109, "FADT, table 5.9");
_Static_assert(offsetof(struct fadt, reset) == 116, "FADT, table 5.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "FADT, table 5.9");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "FADT, table 5.9");
_Static_assert(sizeof(struct fadt) == 276, "FADT, table 5.9");
_Static_assert(sizeof(struct madt_lapic) == 8 && sizeof(struct madt_ioapic) == 12, "MADT entries");

/* FADT flags, table 5.10 */
#define FADT_WBINVD     BIT(0)
#define FADT_PWR_BUTTON BIT(4) /* 1: there is no fixed one */
#define FADT_SLP_BUTTON BIT(5)
#define FADT_RESET_REG  BIT(10)
#define FADT_HW_REDUCED BIT(20)
/* boot architecture flags, table 5.11: neither LEGACY_DEVICES nor 8042 */
#define FADT_NO_VGA      BIT(2)
#define FADT_NO_ASPM     BIT(4)
#define FADT_NO_CMOS_RTC BIT(5)

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_LAPIC_ENABLED = 1 };
enum { GAS_PORTS = 1, GAS_BYTE = 1 };
enum { TABLES_SIZE = 0x10000, RESET_VALUE = 1 };

/* sleep control register, table 4.21 */
#define SLEEP_TYPE   BITS(4, 2)
#define SLEEP_ENABLE BIT(5)
enum { SLEEP_TYPE_S5 = 5 }; /* as \_S5 says */

extern const uint8_t dsdt_begin[], dsdt_end[]; /* dsdt.S */

/*
 * Where a PC's BIOS is entered, F000:FFF0. Linux does not use the reset register of
 * hardware-reduced ACPI: it asks UEFI, and without one jumps here in real mode.
 */
#define BIOS_ENTRY UINT64_C(0xffff0)
static const uint8_t bios[] = {
	/* clang-format off */
	0xba, (VACPI_PORT + VACPI_RESET) & 0xff, (VACPI_PORT + VACPI_RESET) >> 8, /* mov dx, port */
	0xb0, RESET_VALUE,                                                        /* mov al, value */
	0xee,                                                                     /* out dx, al */
	0xf4,                                                                     /* hlt */
	0xeb, 0xfd,                                                               /* jmp to the hlt */
	/* clang-format on */
};

/* where the next table goes */
struct writer {
	uint8_t *mem; /* VACPI_TABLES as memory of ours */
	uint32_t used;
};

static uint8_t checksum(const void *table, size_t len)
{
	const uint8_t *p = table;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

/*
 * place() - a copy of @table, @len bytes, behind the last one; returns its guest-physical address.
 */
static uint64_t place(struct writer *w, const void *table, uint32_t len)
{
	uint32_t at = ROUND_UP(w->used, 16);

	memcpy(w->mem + at, table, len);
	w->used = at + len;
	return VACPI_TABLES + at;
}

/* place_sdt() - the same with the header filled in: @sdt begins a table of @len bytes. */
static uint64_t place_sdt(struct writer *w, struct sdt *sdt, const char *signature,
			  unsigned revision, uint32_t len)
{
	memcpy(sdt->signature, signature, sizeof(sdt->signature));
	sdt->length = len;
	sdt->revision = revision;
	memcpy(sdt->oem, "WEIR  ", sizeof(sdt->oem));
	memcpy(sdt->oem_table, "WEIR    ", sizeof(sdt->oem_table));
	sdt->oem_revision = 1;
	memcpy(sdt->creator, "WEIR", sizeof(sdt->creator));
	sdt->creator_revision = 1;
	sdt->checksum = 0;
	sdt->checksum = checksum(sdt, len);
	return place(w, sdt, len);
}

static struct gas port(unsigned offset)
{
	return (struct gas){
		.space = GAS_PORTS,
		.width = 8,
		.access = GAS_BYTE,
		.address = VACPI_PORT + offset,
	};
}

static uint64_t place_fadt(struct writer *w, uint64_t dsdt)
{
	struct fadt fadt = {
		.boot_arch = FADT_NO_VGA | FADT_NO_ASPM | FADT_NO_CMOS_RTC,
		.flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_RESET_REG |
			 FADT_HW_REDUCED,
		.reset = port(VACPI_RESET),
		.reset_value = RESET_VALUE,
		.minor = 4,
		.x_dsdt = dsdt,
		.sleep_control = port(VACPI_SLEEP_CONTROL),
		.sleep_status = port(VACPI_SLEEP_STATUS),
	};

	return place_sdt(w, &fadt.sdt, "FACP", 6, sizeof(fadt));
}

/*
 * No 8259 (flag PCAT_COMPAT), and ISA's lines are the IOAPIC's pins of the
 * same numbers: no overrides.
 */
static uint64_t place_madt(struct writer *w, unsigned nvcpus)
{
	struct {
		struct madt madt;
		struct madt_ioapic ioapic;
		struct madt_lapic lapic[VM_VCPUS];
	} __attribute__((packed)) t = {
		.madt = { .lapic = VLAPIC_BASE },
		.ioapic = { MADT_IOAPIC, sizeof(t.ioapic), .address = VIOAPIC_BASE },
	};

	for (unsigned i = 0; i < nvcpus; i++)
		t.lapic[i] = (struct madt_lapic){ MADT_LAPIC, sizeof(t.lapic[i]), i, i,
						  MADT_LAPIC_ENABLED };
	return place_sdt(w, &t.madt.sdt, "APIC", 5,
			 offsetof(__typeof__(t), lapic) + nvcpus * sizeof(t.lapic[0]));
}

static uint64_t place_xsdt(struct writer *w, uint64_t fadt, uint64_t madt)
{
	struct {
		struct sdt sdt;
		uint64_t table[2];
	} __attribute__((packed)) t = { .table = { fadt, madt } };

	return place_sdt(w, &t.sdt, "XSDT", 1, sizeof(t));
}

void vacpi_build(struct vm *vm)
{
	struct writer w = { .mem = gpa_ptr(&vm->mem, VACPI_TABLES, TABLES_SIZE) };
	struct rsdp rsdp = { .revision = 2, .length = sizeof(rsdp) };
	uint64_t dsdt, fadt, madt;

	place(&w, &rsdp, sizeof(rsdp)); /* keeps its place, first */
	dsdt = place(&w, dsdt_begin, dsdt_end - dsdt_begin);
	fadt = place_fadt(&w, dsdt);
	madt = place_madt(&w, vm->nvcpus);

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem, "WEIR  ", sizeof(rsdp.oem));
	rsdp.xsdt = place_xsdt(&w, fadt, madt);
	rsdp.checksum = checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.whole_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(w.mem, &rsdp, sizeof(rsdp));

	gpa_write(&vm->mem, BIOS_ENTRY, bios, sizeof(bios));
}

enum vacpi_wish vacpi_wish(uint64_t offset, uint64_t value)
{
	if (offset == VACPI_RESET && value == RESET_VALUE)
		return VACPI_REBOOT;
	if (offset == VACPI_SLEEP_CONTROL && (value & SLEEP_ENABLE) &&
	    FIELD_GET(SLEEP_TYPE, value) == SLEEP_TYPE_S5)
		return VACPI_POWER_OFF;
	return VACPI_NOTHING;
}
