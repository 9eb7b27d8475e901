/* SPDX-License-Identifier: MIT */
/* links: vmm/vacpi.c kernel/acpi.c tests/unit/host.c */
/*
 * test_vacpi.c - the tables that a guest finds: sums that agree, what Weir's own reader makes of
 * them, and a DSDT that says the same as the headers
 */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/acpi.h"
#include "kernel/mem.h"
#include "vmm/vacpi.h"
#include "vmm/vm.h"

/* the kernel's own DSDT, as vmm/dsdt.S has it */
__asm__(".section .rodata\n"
	".globl dsdt_begin, dsdt_end\n"
	"dsdt_begin: .incbin \"build/dsdt.aml\"\n"
	"dsdt_end:\n"
	".text\n");
extern const uint8_t dsdt_begin[], dsdt_end[];

enum { RAM = 2 << 20, SDT_LENGTH = 4, SDT_SIZE = 36 };
enum {
	RSDP_XSDT = 24,
	FADT_FLAGS = 112,
	FADT_BOOT_ARCH = 109,
	FADT_RESET = 116,
	FADT_X_DSDT = 140
};
enum { FADT_SLEEP_CONTROL = 244, GAS_ADDRESS = 4 };

static struct vm vm;
static uint8_t *ram;

const void *table_map(uint64_t pa, size_t len)
{
	const void *p = gpa_ptr(&vm.mem, pa, len);

	assert_non_null(p);
	return p;
}

static int start(void **state)
{
	(void)state;
	host_cores(1);
	free(ram);
	ram = malloc(RAM);
	memset(ram, 0xee, RAM);
	memset(&vm, 0, sizeof(vm));
	gpa_map_init(&vm.mem, ram, RAM);
	vm.nvcpus = 3;
	memset(&acpi, 0, sizeof(acpi));
	vacpi_build(&vm);
	return 0;
}

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, table_map(gpa, size), size);
	return v;
}

static void sums_to_zero(uint64_t gpa, size_t len)
{
	const uint8_t *p = table_map(gpa, len);
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += p[i];
	assert_int_equal(sum, 0);
}

/* table() - the table in slot @i of the XSDT, which must carry @signature and a good sum. */
static uint64_t table(unsigned i, const char *signature)
{
	uint64_t xsdt = get(VACPI_TABLES + RSDP_XSDT, 8);
	uint64_t t = get(xsdt + SDT_SIZE + 8 * i, 8);

	assert_true(SDT_SIZE + 8 * i < get(xsdt + SDT_LENGTH, 4));
	assert_memory_equal(table_map(t, 4), signature, 4);
	sums_to_zero(t, get(t + SDT_LENGTH, 4));
	return t;
}

static void every_sum_agrees(void **state)
{
	uint64_t xsdt = get(VACPI_TABLES + RSDP_XSDT, 8), dsdt;

	(void)state;
	assert_memory_equal(table_map(VACPI_TABLES, 8), "RSD PTR ", 8);
	sums_to_zero(VACPI_TABLES, 20);
	sums_to_zero(VACPI_TABLES, 36);
	sums_to_zero(xsdt, get(xsdt + SDT_LENGTH, 4));
	dsdt = get(table(0, "FACP") + FADT_X_DSDT, 8);
	assert_memory_equal(table_map(dsdt, 4), "DSDT", 4);
	assert_int_equal(get(dsdt + SDT_LENGTH, 4), dsdt_end - dsdt_begin);
	sums_to_zero(dsdt, dsdt_end - dsdt_begin);
	table(1, "APIC");
}

static void nothing_is_written_outside_the_tables(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < VACPI_TABLES; at++)
		assert_int_equal(ram[at], 0xee);
	for (uint64_t at = VACPI_TABLES + 0x10000; at < 0xffff0; at++)
		assert_int_equal(ram[at], 0xee);
	for (uint64_t at = 0x100000; at < RAM; at++)
		assert_int_equal(ram[at], 0xee);
}

static void a_reader_finds_a_cpu_for_each_vcpu_and_the_ioapic(void **state)
{
	(void)state;
	acpi_init(VACPI_TABLES);
	assert_int_equal(acpi.ncpus, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(acpi.apic_id[i], i);
	assert_int_equal(acpi.lapic, VLAPIC_BASE);
	assert_int_equal(acpi.nioapics, 1);
	assert_int_equal(acpi.ioapic[0].base, VIOAPIC_BASE);
	assert_int_equal(acpi.ioapic[0].gsi_base, 0);
	assert_int_equal(acpi.noverrides, 0);
}

static void no_legacy_hardware_is_promised(void **state)
{
	uint64_t fadt, madt;

	(void)state;
	fadt = table(0, "FACP");
	madt = table(1, "APIC");
	assert_true(get(fadt + FADT_FLAGS, 4) & BIT(20));                /* HW_REDUCED_ACPI */
	assert_false(get(fadt + FADT_BOOT_ARCH, 2) & (BIT(0) | BIT(1))); /* LEGACY, 8042 */
	assert_true(get(fadt + FADT_BOOT_ARCH, 2) & BIT(2));             /* VGA not present */
	assert_true(get(fadt + FADT_BOOT_ARCH, 2) & BIT(5));             /* CMOS RTC not present */
	assert_int_equal(get(madt + 40, 4) & BIT(0), 0);                 /* PCAT_COMPAT: an 8259 */
}

static void power_off_and_reset_are_what_the_tables_say(void **state)
{
	uint64_t fadt, sleep, reset;

	(void)state;
	fadt = table(0, "FACP");
	sleep = get(fadt + FADT_SLEEP_CONTROL + GAS_ADDRESS, 8) - VACPI_PORT;
	reset = get(fadt + FADT_RESET + GAS_ADDRESS, 8) - VACPI_PORT;
	acpi_init(VACPI_TABLES);
	assert_int_equal(vacpi_wish(sleep, acpi.s5_slp_typ << 2 | BIT(5)), VACPI_POWER_OFF);
	assert_int_equal(vacpi_wish(sleep, acpi.s5_slp_typ << 2), VACPI_NOTHING);
	assert_int_equal(vacpi_wish(sleep, 1 << 2 | BIT(5)), VACPI_NOTHING);
	assert_int_equal(vacpi_wish(reset, get(fadt + FADT_RESET + 12, 1)), VACPI_REBOOT);
	assert_int_equal(vacpi_wish(reset, 0), VACPI_NOTHING);
	assert_int_equal(vacpi_wish(VACPI_SLEEP_STATUS, 0x80), VACPI_NOTHING);
}

static void who_enters_the_bios_asks_for_a_reset(void **state)
{
	const uint8_t *code = table_map(0xffff0, 16);

	(void)state;
	assert_int_equal(code[0], 0xba); /* mov dx, imm16 */
	assert_int_equal(code[3], 0xb0); /* mov al, imm8 */
	assert_int_equal(code[5], 0xee); /* out dx, al */
	assert_int_equal(vacpi_wish((code[1] | code[2] << 8) - VACPI_PORT, code[4]), VACPI_REBOOT);
}

/* --- the DSDT's numbers, as resource descriptors have them [ACPI 6.4, 6.4.2, 6.4.3] --- */

static bool dsdt_has(const void *bytes, size_t n)
{
	return memmem(dsdt_begin, dsdt_end - dsdt_begin, bytes, n);
}

static void put(uint8_t *p, uint64_t v, unsigned size)
{
	memcpy(p, &v, size);
}

static bool dsdt_has_ports(uint16_t base, uint8_t len)
{
	uint8_t d[8] = { 0x47, 1, [6] = 1, [7] = len }; /* IO, 6.4.2.5 */

	put(d + 2, base, 2);
	put(d + 4, base, 2);
	return dsdt_has(d, sizeof(d));
}

/*
 * min, max, translation, length, of @size bytes each: what the address space
 * descriptors share, 6.4.3.5
 */
static bool dsdt_has_window(uint64_t base, uint64_t len, unsigned size)
{
	uint8_t d[16] = { 0 };

	put(d, base, size);
	put(d + size, base + len - 1, size);
	put(d + 3 * size, len, size);
	return dsdt_has(d, 4 * size);
}

static void the_dsdt_agrees_with_the_headers(void **state)
{
	uint8_t irq[9] = { 0x89, 6, 0, 3, 1 }; /* extended interrupt: consumer, edge, high, one */

	(void)state;
	assert_true(
		dsdt_has_ports(VPCI_CONFIG_ADDRESS, VPCI_CONFIG_DATA + 4 - VPCI_CONFIG_ADDRESS));
	assert_true(dsdt_has_window(VPCI_IO_BASE, VPCI_IO_SIZE, 2));
	assert_true(dsdt_has_window(VPCI_MEM_BASE, VPCI_MEM_SIZE, 4));
	assert_true(dsdt_has_ports(VUART_PORT, VUART_PORTS));
	put(irq + 5, VUART_PIN, 4);
	assert_true(dsdt_has(irq, sizeof(irq)));
	put(irq + 5, VACPI_PIN, 4);
	assert_true(dsdt_has(irq, sizeof(irq)));
}

static void every_slot_has_its_interrupt_line(void **state)
{
	(void)state;
	for (unsigned slot = 1; slot < VPCI_DEVICES; slot++) {
		/* DWord address (slot, any function), INTA, no link device, Byte pin */
		uint8_t entry[] = { 0x0c, 0xff, 0xff, slot, 0, 0, 0, 0x0a, VPCI_INTX_PIN(slot) };

		assert_true(dsdt_has(entry, sizeof(entry)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_sum_agrees, start),
		cmocka_unit_test_setup(nothing_is_written_outside_the_tables, start),
		cmocka_unit_test_setup(a_reader_finds_a_cpu_for_each_vcpu_and_the_ioapic, start),
		cmocka_unit_test_setup(no_legacy_hardware_is_promised, start),
		cmocka_unit_test_setup(power_off_and_reset_are_what_the_tables_say, start),
		cmocka_unit_test_setup(who_enters_the_bios_asks_for_a_reset, start),
		cmocka_unit_test_setup(the_dsdt_agrees_with_the_headers, start),
		cmocka_unit_test_setup(every_slot_has_its_interrupt_line, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
