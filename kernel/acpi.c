/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - the firmware's tables, read once at boot on core 0 [ACPI 6.4, sections 5.2.5 to 5.2.12]
 *
 * Lengths come from the tables and are not trusted further than their own bounds. There is no AML
 * interpreter: of the DSDT only the \_S5 package is looked for, by its name.
 */
#include "acpi.h"

#include "bits.h"
#include "console.h"
#include "mem.h"

#include <string.h>

struct sdt { /* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

_Static_assert(sizeof(struct sdt) == 36, "table header");

enum { /* entry types of the MADT, 5.2.12 */
       MADT_LAPIC = 0,
       MADT_IOAPIC = 1,
       MADT_OVERRIDE = 2,
       MADT_X2APIC = 9,
};

#define IOAPIC_USUAL UINT64_C(0xfec00000)

enum { BIOS_AREA = 0xe0000, BIOS_AREA_END = 0x100000, TABLE_MAX = 1 << 20 };

struct acpi_info acpi = { .lapic = 0xfee00000 };

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1)) /* not enabled */
		return;
	if (acpi.ncpus < MAX_CPUS)
		acpi.apic_id[acpi.ncpus++] = apic_id;
	else
		acpi.cpus_ignored++;
}

static void add_ioapic(uint64_t base, uint32_t gsi_base)
{
	if (acpi.nioapics == ACPI_MAX_IOAPICS)
		return;
	acpi.ioapic[acpi.nioapics].base = base;
	acpi.ioapic[acpi.nioapics++].gsi_base = gsi_base;
}

static void add_override(uint8_t irq, uint32_t gsi, uint16_t flags)
{
	if (acpi.noverrides == ACPI_MAX_OVERRIDES)
		return;
	acpi.override[acpi.noverrides].irq = irq;
	acpi.override[acpi.noverrides].gsi = gsi;
	acpi.override[acpi.noverrides++].flags = flags;
}

static void read_madt(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t + 44, *end = (const uint8_t *)t + t->length;

	acpi.lapic = get32((const uint8_t *)t + 36);
	for (; p + 2 <= end && p[1] >= 2 && p + p[1] <= end; p += p[1]) {
		switch (p[0]) {
		case MADT_LAPIC: add_cpu(p[3], get32(p + 4)); break;
		case MADT_X2APIC: add_cpu(get32(p + 4), get32(p + 8)); break;
		case MADT_IOAPIC: add_ioapic(get32(p + 4), get32(p + 8)); break;
		case MADT_OVERRIDE: add_override(p[3], get32(p + 4), p[8] | p[9] << 8); break;
		}
	}
}

static void read_mcfg(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t + 44;

	if (t->length < 44 + 16)
		return;
	acpi.ecam = get64(p); /* segment 0 is all that Weir looks at */
	acpi.ecam_bus_start = p[10];
	acpi.ecam_bus_end = p[11];
}

/* read_s5() - find Name(\_S5, Package{SLP_TYPa, ...}) in the bytes of the DSDT. */
static void read_s5(const struct sdt *dsdt)
{
	const uint8_t *p = (const uint8_t *)dsdt, *end = p + dsdt->length - 12;

	for (p += sizeof(*dsdt); p <= end; p++) {
		if (memcmp(p, "_S5_", 4) || p[4] != 0x12) /* 0x12: PackageOp */
			continue;
		p += 5;
		p += 1 + (p[0] >> 6) + 1; /* PkgLength's own bytes, NumElements */
		acpi.s5_slp_typ = p[0] == 0x0a ? p[1]
					       : p[0]; /* BytePrefix, or Zero and One themselves */
		return;
	}
}

static const struct sdt *table_at(uint64_t pa)
{
	const struct sdt *t;

	if (!pa)
		return NULL;
	t = table_map(pa, sizeof(*t));
	if (t->length < sizeof(*t) || t->length > TABLE_MAX)
		return NULL;
	return table_map(pa, t->length);
}

static void read_fadt(const struct sdt *t)
{
	const uint8_t *p = (const uint8_t *)t;
	const struct sdt *dsdt;

	if (t->length < 68)
		return;
	acpi.pm1a_cnt = get32(p + 64);
	dsdt = table_at(get32(p + 40) || t->length < 148 ? get32(p + 40) : get64(p + 140));
	if (dsdt)
		read_s5(dsdt);
}

static void read_table(uint64_t pa)
{
	const struct sdt *t = table_at(pa);

	if (!t)
		return;
	if (!memcmp(t->signature, "APIC", 4))
		read_madt(t);
	else if (!memcmp(t->signature, "MCFG", 4))
		read_mcfg(t);
	else if (!memcmp(t->signature, "FACP", 4))
		read_fadt(t);
}

static uint64_t find_rsdp(void)
{
	const char *bios = table_map(BIOS_AREA, BIOS_AREA_END - BIOS_AREA);

	for (unsigned at = 0; at < BIOS_AREA_END - BIOS_AREA; at += 16)
		if (!memcmp(bios + at, "RSD PTR ", 8))
			return (uint64_t)bios + at;
	return 0;
}

void acpi_init(uint64_t pa)
{
	const struct rsdp *r;
	const struct sdt *root;
	unsigned width;

	if (!pa)
		pa = find_rsdp();
	r = pa ? table_map(pa, sizeof(*r)) : NULL;
	width = r && r->revision >= 2 && r->xsdt ? 8 : 4;
	root = r ? table_at(width == 8 ? r->xsdt : r->rsdt) : NULL;
	if (!root) {
		kprintf("acpi: no tables; one core, PCI by port 0xcf8, the usual IOAPIC\n");
		add_ioapic(IOAPIC_USUAL, 0);
		add_override(0, 2, 0);
		return;
	}
	for (uint32_t at = sizeof(*root); at + width <= root->length; at += width) {
		const uint8_t *e = (const uint8_t *)root + at;

		read_table(width == 8 ? get64(e) : get32(e));
	}
	if (acpi.cpus_ignored)
		kprintf("acpi: %u cores beyond the first %d are left alone\n", acpi.cpus_ignored,
			MAX_CPUS);
}
