/* SPDX-License-Identifier: MIT */
/* links: drivers/pci.c tests/unit/fake_pci.c tests/unit/host.c */
/*
 * test_pci.c - finding functions behind bridges, what is accepted of a BAR, capability
 * lists that run in a circle
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/acpi.h"
#include "kernel/bits.h"
#include "kernel/selftest.h"
#include "drivers/pci.h"
#include "drivers/pci_regs.h"
#include "fake_pci.h"

#define BDF(bus, dev, fn) ((bus) << 8 | (dev) << 3 | (fn))

static int start(void **state)
{
	(void)state;
	host_cores(1);
	fake_pci_start();
	return 0;
}

static const struct pci_dev *find(uint16_t vendor, uint16_t device)
{
	for (unsigned i = 0; i < pci_ndevs; i++)
		if (pci_devs[i].vendor == vendor && pci_devs[i].device == device)
			return &pci_devs[i];
	return NULL;
}

static struct fake_pci_fn *bridge(uint16_t bdf, uint8_t secondary)
{
	struct fake_pci_fn *fn = fake_pci_add(bdf, 0x1b36, 0x000c, 0x060400);

	fn->cfg[PCI_HEADER_TYPE] = 1;
	fn->cfg[PCI_SECONDARY_BUS] = secondary;
	return fn;
}

static const struct pci_dev *only(struct fake_pci_fn **fn)
{
	*fn = fake_pci_add(BDF(0, 4, 0), 0x8086, 0x10c9, 0x020000);
	pci_init();
	return &pci_devs[0];
}

/* --- scan --- */

static void finds_functions_behind_bridges(void **state)
{
	(void)state;
	fake_pci_add(BDF(0, 0, 0), 0x8086, 0x29c0, 0x060000);
	bridge(BDF(0, 1, 0), 1);
	bridge(BDF(1, 0, 0), 2);
	fake_pci_add(BDF(2, 3, 0), 0x8086, 0x10c9, 0x020000);
	pci_init();
	assert_int_equal(pci_ndevs, 4);
	assert_string_equal(find(0x8086, 0x10c9)->name, "0000:02:03.0");
	assert_int_equal(find(0x8086, 0x10c9)->class, 0x020000);
	assert_null(find(0x8086, 0x1234));
}

static void looks_at_functions_1_to_7_only_where_function_0_says_so(void **state)
{
	struct fake_pci_fn *multi = fake_pci_add(BDF(0, 5, 0), 1, 1, 0);

	(void)state;
	multi->cfg[PCI_HEADER_TYPE] = PCI_HEADER_MULTI;
	fake_pci_add(BDF(0, 5, 7), 1, 2, 0);
	fake_pci_add(BDF(0, 6, 0), 1, 3, 0);
	fake_pci_add(BDF(0, 6, 1), 1, 4, 0); /* an alias of function 0 on real devices */
	pci_init();
	assert_int_equal(pci_ndevs, 3);
	assert_non_null(find(1, 2));
	assert_null(find(1, 4));
}

static void follows_bridges_that_point_in_a_circle_once(void **state)
{
	(void)state;
	bridge(BDF(0, 1, 0), 1);
	bridge(BDF(1, 0, 0), 0);
	bridge(BDF(1, 1, 0), 1);
	pci_init();
	assert_int_equal(pci_ndevs, 3);
}

static void ignores_what_its_list_cannot_hold_and_says_so(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PCI_MAX_DEVICES + 3; i++)
		fake_pci_add(BDF(0, i / 8, i % 8), 1, 1, 0)->cfg[PCI_HEADER_TYPE] =
			PCI_HEADER_MULTI;
	pci_init();
	assert_int_equal(pci_ndevs, PCI_MAX_DEVICES);
	assert_non_null(strstr(host_log, "3 more are ignored"));
}

static void reads_ecam_as_memory_and_only_its_buses(void **state)
{
	uint8_t *ecam = fake_pci_memory(2 << 20);
	const uint16_t ids[2] = { 0x8086, 0x10c9 };

	(void)state;
	memset(ecam, 0xff, 2 << 20);
	memset(ecam + (3 << 15), 0, 256);
	memcpy(ecam + (3 << 15), ids, sizeof(ids));
	memset(ecam + (4 << 15), 0, 256); /* a bridge to bus 9, which ECAM does not reach */
	ecam[4 << 15] = 1;
	ecam[(4 << 15) + PCI_HEADER_TYPE] = 1;
	ecam[(4 << 15) + PCI_SECONDARY_BUS] = 9;
	acpi = (struct acpi_info){ .ecam = (uintptr_t)ecam, .ecam_bus_end = 1 };
	pci_access = NULL;
	pci_init();
	assert_ptr_equal(pci_access, &pci_ecam);
	assert_int_equal(pci_ndevs, 2);
	assert_int_equal(pci_devs[0].device, 0x10c9);
	pci_write16(&pci_devs[0], PCI_COMMAND, PCI_COMMAND_MASTER);
	assert_int_equal(ecam[(3 << 15) + PCI_COMMAND], PCI_COMMAND_MASTER);
	acpi = (struct acpi_info){ 0 };
}

static void has_nothing_to_compare_without_ecam(void **state)
{
	(void)state;
	set_for_each(t, selftests)
		assert_int_equal(t->run(NULL), -ENODEV);
}

/* --- drivers --- */

static unsigned probed;

static int probe_yes(struct pci_dev *pd)
{
	(void)pd;
	probed++;
	return 0;
}

static int probe_no(struct pci_dev *pd)
{
	(void)pd;
	return -EINVAL;
}

static void offers_a_function_to_the_next_driver_when_one_refuses(void **state)
{
	static const struct pci_id ids[] = { { 1, 9 }, { 1, 2 }, { 0, 0 } };
	static const struct pci_driver no = { "no", ids, probe_no },
				       yes = { "yes", ids, probe_yes };
	const struct pci_driver *const drivers[] = { &no, &yes };

	(void)state;
	fake_pci_add(BDF(0, 1, 0), 1, 2, 0);
	fake_pci_add(BDF(0, 2, 0), 1, 3, 0);
	pci_init();
	probed = 0;
	pci_probe(drivers, 2);
	pci_probe(drivers, 2); /* a driver keeps what it has */
	assert_int_equal(probed, 1);
	assert_ptr_equal(find(1, 2)->driver, &yes);
	assert_null(find(1, 3)->driver);
}

/* --- capabilities --- */

static void walks_capabilities(void **state)
{
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);

	(void)state;
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_MSI), 0);
	fake_pci_cap(fn, 0x50, PCI_CAP_ID_MSI);
	fake_pci_cap(fn, 0x70, PCI_CAP_ID_MSIX);
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_MSI), 0x50);
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_MSIX), 0x70);
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_PCIE), 0);
}

static void leaves_a_capability_list_that_runs_in_a_circle(void **state)
{
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);

	(void)state;
	fake_pci_cap(fn, 0x50, PCI_CAP_ID_MSI);
	fn->cfg[0x50 + PCI_CAP_NEXT] = 0x50;
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_MSIX), 0);
	fn->cfg[0x50 + PCI_CAP_NEXT] = 0x04; /* into the header */
	assert_int_equal(pci_cap(pd, PCI_CAP_ID_MSIX), 0);
}

/* --- BARs --- */

static void sizes_a_bar_with_decoding_off_and_leaves_it_as_it_was(void **state)
{
	void *p = fake_pci_memory(128 << 10);
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);
	struct pci_bar bar;

	(void)state;
	fake_pci_bar(fn, 0, p, 64 << 10, false);
	fake_pci_bar(fn, 3, p, 64 << 10, true);
	pci_command(pd, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	pci_init();
	bar = pd->bar[0];
	assert_int_equal(bar.addr, (uintptr_t)p);
	assert_int_equal(bar.size, 64 << 10);
	assert_false(bar.wide);
	bar = pd->bar[3];
	assert_int_equal(bar.addr, (uintptr_t)p);
	assert_int_equal(bar.size, 64 << 10);
	assert_true(bar.wide);
	assert_int_equal(fake_pci_sized_while_on, 0);
	assert_int_equal(fake_pci_get32(fn, PCI_BAR(0)), (uintptr_t)p);
	assert_int_equal(fake_pci_get16(fn, PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void reads_a_64_bit_bar_above_4_gib(void **state)
{
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);

	(void)state;
	fake_pci_bar(fn, 3, (void *)UINT64_C(0x3800000000), 16 << 10, true);
	pci_init();
	assert_int_equal(pd->bar[3].addr, UINT64_C(0x3800000000));
	assert_int_equal(pd->bar[3].size, 16 << 10);
	assert_int_equal(pd->bar[4].size, 0); /* its upper half is no BAR */
}

static void maps_a_part_of_a_bar(void **state)
{
	uint8_t *p = fake_pci_memory(64 << 10);
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);

	(void)state;
	fake_pci_bar(fn, 0, p, 64 << 10, false);
	pci_init();
	assert_ptr_equal(pci_map_bar(pd, 0, 0x1000, 0x100), p + 0x1000);
	assert_ptr_equal(pci_map_bar(pd, 0, 0, 64 << 10), p);
}

static void refused(const struct pci_dev *pd, unsigned n, uint64_t off, const char *why)
{
	pci_init();
	host_text_clear();
	assert_null(pci_map_bar(pd, n, off, 0x100));
	if (!strstr(host_log, why))
		fail_msg("expected '%s', seen '%s'", why, host_log);
}

static void refuses_bars_that_cannot_be_with_a_reason(void **state)
{
	struct fake_pci_fn *fn;
	const struct pci_dev *pd = only(&fn);

	(void)state;
	refused(pd, 0, 0, "is no memory");
	refused(pd, 7, 0, "is no memory");
	fake_pci_bar(fn, 0, NULL, 64 << 10, false);
	refused(pd, 0, 0, "was not assigned by the firmware");
	fake_pci_bar(fn, 0, (void *)0xfe000000, 64 << 10, false);
	refused(pd, 0, (64 << 10) - 0xff, "is smaller than");
	refused(pd, 0, UINT64_MAX - 1, "is smaller than");
	fake_pci_bar(fn, 2, (void *)UINT64_C(0x7fffffff00000000), 64 << 10, true);
	refused(pd, 2, 0, "lies beyond");
	fake_pci_set32(fn, PCI_BAR(4), 0xc001);
	fn->bar_mask[4] = 0xffe0;
	refused(pd, 4, 0, "is no memory");
	assert_int_equal(pd->bar[4].size, 32);
	assert_int_equal(pd->bar[4].addr, 0xc000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_functions_behind_bridges, start),
		cmocka_unit_test_setup(looks_at_functions_1_to_7_only_where_function_0_says_so,
				       start),
		cmocka_unit_test_setup(follows_bridges_that_point_in_a_circle_once, start),
		cmocka_unit_test_setup(ignores_what_its_list_cannot_hold_and_says_so, start),
		cmocka_unit_test_setup(reads_ecam_as_memory_and_only_its_buses, start),
		cmocka_unit_test_setup(has_nothing_to_compare_without_ecam, start),
		cmocka_unit_test_setup(offers_a_function_to_the_next_driver_when_one_refuses,
				       start),
		cmocka_unit_test_setup(walks_capabilities, start),
		cmocka_unit_test_setup(leaves_a_capability_list_that_runs_in_a_circle, start),
		cmocka_unit_test_setup(sizes_a_bar_with_decoding_off_and_leaves_it_as_it_was,
				       start),
		cmocka_unit_test_setup(reads_a_64_bit_bar_above_4_gib, start),
		cmocka_unit_test_setup(maps_a_part_of_a_bar, start),
		cmocka_unit_test_setup(refuses_bars_that_cannot_be_with_a_reason, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
