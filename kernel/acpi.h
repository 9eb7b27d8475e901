/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - what Weir wants of the firmware's tables: cores, interrupt
 * controllers, ECAM, the power switch
 */
#pragma once

#include <stdint.h>

#include "bits.h"
#include "cpu.h"

/* flags of an override [ACPI 6.4, 5.2.12.5]: 3 in either field means active low, level */
#define ACPI_OVERRIDE_POLARITY BITS(1, 0)
#define ACPI_OVERRIDE_TRIGGER  BITS(3, 2)

enum { ACPI_MAX_IOAPICS = 4, ACPI_MAX_OVERRIDES = 16 };

extern struct acpi_info {
	uint32_t apic_id[MAX_CPUS]; /* enabled cores, the order of the MADT */
	unsigned ncpus;
	unsigned cpus_ignored; /* beyond MAX_CPUS */
	uint64_t lapic;        /* physical address of the xAPIC registers */

	struct {
		uint64_t base;
		uint32_t gsi_base;
	} ioapic[ACPI_MAX_IOAPICS];
	unsigned nioapics;

	struct { /* where ISA interrupt @irq really goes */
		uint8_t irq;
		uint32_t gsi;
		uint16_t flags; /* ACPI_OVERRIDE_... */
	} override[ACPI_MAX_OVERRIDES];
	unsigned noverrides;

	uint64_t ecam; /* 0 if there is none */
	uint8_t ecam_bus_start, ecam_bus_end;

	uint16_t pm1a_cnt; /* 0 if unknown */
	uint16_t s5_slp_typ;
} acpi;

/*
 * acpi_init() - read RSDP, RSDT or XSDT, MADT, MCFG, FADT and \_S5. @rsdp 0: search the BIOS
 * area. Without tables Weir runs on the boot core, with PCI by 0xCF8 and one IOAPIC where it
 * usually is, and says so.
 */
void acpi_init(uint64_t rsdp);
