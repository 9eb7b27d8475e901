/* SPDX-License-Identifier: MIT */
/*
 * vacpi.h - the tables that tell a guest's kernel which machine it is on, and that
 * machine's power switch [ACPI 6.4]
 *
 * Hardware-reduced ACPI: no 8259, 8254, CMOS clock, VGA, keyboard controller or power-management
 * timer is promised. The interrupt controllers stand in the MADT, PCI, the serial line and the
 * power button in the DSDT (dsdt.asl); sleep and reset are three ports of our own.
 */
#pragma once

#include <stdint.h>

struct vm;

/* where they stand, RSDP first: a kernel looks there [5.2.5.1] */
#define VACPI_TABLES UINT64_C(0xe0000)

enum {
	VACPI_PORT = 0x600, /* on the VM's port bus */
	VACPI_SLEEP_CONTROL = 0,
	VACPI_SLEEP_STATUS = 1,
	VACPI_RESET = 2,
	VACPI_PORTS = 4,
	VACPI_PIN = 9, /* of the IOAPIC: the power button was pressed; an edge */
};

enum vacpi_wish { VACPI_NOTHING, VACPI_POWER_OFF, VACPI_REBOOT };

/*
 * vacpi_build() - RSDP, DSDT, FADT, MADT, XSDT at VACPI_TABLES of @vm's memory, which must have
 * that much; and a BIOS of nine bytes where one is entered, which asks for a reset.
 */
void vacpi_build(struct vm *vm);
/*
 * vacpi_wish() - what a guest that writes @value to port VACPI_PORT + @offset asks for. It is read
 * as zero there: nothing has woken up.
 */
enum vacpi_wish vacpi_wish(uint64_t offset, uint64_t value);
