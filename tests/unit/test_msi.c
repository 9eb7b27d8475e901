/* SPDX-License-Identifier: MIT */
/* links: drivers/msi.c drivers/pci.c tests/unit/fake_pci.c tests/unit/host.c */
/* test_msi.c - MSI-X and MSI as irq_chips: what is written where, masked when it must be */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/bits.h"
#include "drivers/msi.h"
#include "fake_pci.h"

enum { ENTRIES = 10, TABLE_AT = 0x2000, MSI = 0x50, MSIX = 0x70 };

static struct fake_pci_fn *fn;
static struct pci_dev *pd;
static struct msix_entry *table;

static int start(void **state)
{
	uint8_t *bar = fake_pci_memory(64 << 10);

	(void)state;
	host_cores(2);
	cpus[1]->apic_id = 5;
	fake_pci_start();
	fn = fake_pci_add(4 << 3, 0x8086, 0x10c9, 0x020000);
	fake_pci_bar(fn, 3, bar, 64 << 10, true);
	fake_pci_cap(fn, MSI, PCI_CAP_ID_MSI);
	fake_pci_cap(fn, MSIX, PCI_CAP_ID_MSIX);
	fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, ENTRIES - 1);
	fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, TABLE_AT | 3);
	table = (struct msix_entry *)(bar + TABLE_AT);
	pci_init();
	pd = &pci_devs[0];
	return 0;
}

/* --- MSI-X --- */

static void enables_msix_with_every_entry_masked(void **state)
{
	struct msix m;

	(void)state;
	assert_int_equal(msix_enable(&m, pd), 0);
	assert_int_equal(m.n, ENTRIES);
	assert_ptr_equal(m.table, table);
	assert_int_equal(fake_pci_get16(fn, MSIX + PCI_MSIX_CONTROL),
			 (ENTRIES - 1) | PCI_MSIX_ENABLE);
	for (unsigned i = 0; i < ENTRIES; i++)
		assert_int_equal(table[i].control, MSIX_ENTRY_MASKED);
}

static void writes_core_and_vector_into_the_entry(void **state)
{
	struct irq irq = { .name = "x" };
	struct msix m;

	(void)state;
	msix_enable(&m, pd);
	msix_irq_init(&m, 7, &irq);
	assert_int_equal(irq_request(&irq, 1), 0);
	assert_int_equal(table[7].address_lo,
			 0xfee05000); /* [SDM 3A 11.11.1]: destination in 19:12 */
	assert_int_equal(table[7].address_hi, 0);
	assert_int_equal(table[7].data, irq.vector); /* fixed, edge */
	assert_int_equal(table[7].control & MSIX_ENTRY_MASKED, 0);
	assert_int_equal(table[6].control, MSIX_ENTRY_MASKED);
	irq_free(&irq);
	assert_int_equal(table[7].control, MSIX_ENTRY_MASKED);
}

static void refuses_a_table_that_does_not_fit_its_bar(void **state)
{
	struct msix m;

	(void)state;
	fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, ((64 << 10) - 8) | 3);
	assert_int_equal(msix_enable(&m, pd), -EINVAL);
	fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, TABLE_AT | 7);
	assert_int_equal(msix_enable(&m, pd), -EINVAL);
	assert_int_equal(fake_pci_get16(fn, MSIX + PCI_MSIX_CONTROL) & PCI_MSIX_ENABLE, 0);
}

static void finds_no_msix_where_there_is_none(void **state)
{
	struct msix m;

	(void)state;
	fn->cfg[PCI_CAP_POINTER] = 0;
	assert_int_equal(msix_enable(&m, pd), -ENODEV);
}

static void panics_rather_than_write_an_id_that_does_not_fit(void **state)
{
	struct irq irq = { .name = "x" };
	struct msix m;

	(void)state;
	msix_enable(&m, pd);
	msix_irq_init(&m, 0, &irq);
	expect_panic(irq.chip->route(&irq, 256, 0x40));
	expect_panic(msix_irq_init(&m, ENTRIES, &irq));
}

/* --- MSI --- */

static void routes_msi(uint16_t layout, unsigned data_at)
{
	struct irq irq = { .name = "x" };

	fake_pci_set16(fn, MSI + PCI_MSI_CONTROL, layout | PCI_MSI_MULTI_ENABLE);
	assert_int_equal(msi_irq_init(pd, &irq), 0);
	assert_int_equal(fake_pci_get16(fn, MSI + PCI_MSI_CONTROL), layout);
	assert_int_equal(irq_request(&irq, 1), 0);
	assert_int_equal(fake_pci_get32(fn, MSI + PCI_MSI_ADDRESS), 0xfee05000);
	assert_int_equal(fake_pci_get16(fn, MSI + data_at), irq.vector);
	assert_int_equal(fake_pci_get16(fn, MSI + PCI_MSI_CONTROL), layout | PCI_MSI_ENABLE);
	assert_true(fake_pci_get16(fn, PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
	irq_free(&irq);
}

static void routes_msi_with_a_32_bit_address(void **state)
{
	(void)state;
	routes_msi(0, PCI_MSI_DATA_32);
	assert_int_equal(fake_pci_get16(fn, MSI + PCI_MSI_CONTROL), 0); /* freed: off is its mask */
}

static void routes_msi_with_a_64_bit_address(void **state)
{
	(void)state;
	fake_pci_set32(fn, MSI + PCI_MSI_ADDRESS_HI, 77);
	routes_msi(PCI_MSI_64BIT, PCI_MSI_DATA_64);
	assert_int_equal(fake_pci_get32(fn, MSI + PCI_MSI_ADDRESS_HI), 0);
}

static void masks_msi_by_its_mask_bit_where_there_is_one(void **state)
{
	(void)state;
	routes_msi(PCI_MSI_64BIT | PCI_MSI_MASKING, PCI_MSI_DATA_64);
	assert_int_equal(fake_pci_get32(fn, MSI + PCI_MSI_MASK_64), 1);
	routes_msi(PCI_MSI_MASKING, PCI_MSI_DATA_32);
	assert_int_equal(fake_pci_get32(fn, MSI + PCI_MSI_MASK_32), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(enables_msix_with_every_entry_masked, start),
		cmocka_unit_test_setup(writes_core_and_vector_into_the_entry, start),
		cmocka_unit_test_setup(refuses_a_table_that_does_not_fit_its_bar, start),
		cmocka_unit_test_setup(finds_no_msix_where_there_is_none, start),
		cmocka_unit_test_setup(panics_rather_than_write_an_id_that_does_not_fit, start),
		cmocka_unit_test_setup(routes_msi_with_a_32_bit_address, start),
		cmocka_unit_test_setup(routes_msi_with_a_64_bit_address, start),
		cmocka_unit_test_setup(masks_msi_by_its_mask_bit_where_there_is_one, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
