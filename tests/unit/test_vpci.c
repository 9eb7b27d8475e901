/* SPDX-License-Identifier: MIT */
/* links: vmm/access.c vmm/bus.c vmm/vpci.c vmm/vpci_bar.c vmm/vpci_irq.c tests/unit/fake_guest.c tests/unit/host.c */
/*
 * test_vpci.c - a guest's PCI bus as its drivers find it: configuration space, BARs, MSI-X, INTx
 *
 * The device has a BAR of every kind, each of which remembers the last access: 0 ports, 1 memory
 * with the MSI-X table, 2 and 3 memory anywhere in 64 bits.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "drivers/pci_regs.h"
#include "tests/unit/fake_guest.h"

enum { IO_SIZE = 32, MEM_SIZE = 0x2000, MEM64_SIZE = 0x4000, TABLE = 0x1000, PBA = 0x1800 };
enum { SLOT = 1, PIN = VPCI_INTX_PIN(SLOT) };
#define HIGH UINT64_C(0x7f00000000)

static struct vpci_dev dev, others[VPCI_DEVICES];
static unsigned resets;

struct touch {
	bool write;
	uint64_t offset, value;
	unsigned size;
} touched[VPCI_BARS];

static uint64_t touch_read(unsigned bar, uint64_t offset, unsigned size)
{
	touched[bar] = (struct touch){ false, offset, 0, size };
	return 0xb0b1b2b3b4b5b6b7 + bar;
}

static void touch_write(unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
	touched[bar] = (struct touch){ true, offset, value, size };
}

static uint64_t io_read(struct vpci_dev *d, uint64_t offset, unsigned size)
{
	assert_ptr_equal(d, &dev);
	return touch_read(0, offset, size);
}

static void io_write(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value)
{
	assert_ptr_equal(d, &dev);
	touch_write(0, offset, size, value);
}

static uint64_t mem_read(struct vpci_dev *d, uint64_t offset, unsigned size)
{
	return offset >= TABLE ? vpci_msix_read(d, offset, size) : touch_read(1, offset, size);
}

static void mem_write(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset >= TABLE)
		vpci_msix_write(d, offset, size, value);
	else
		touch_write(1, offset, size, value);
}

static uint64_t mem64_read(struct vpci_dev *d, uint64_t offset, unsigned size)
{
	(void)d;
	return touch_read(2, offset, size);
}

static void mem64_write(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value)
{
	(void)d;
	touch_write(2, offset, size, value);
}

static void count_reset(struct vpci_dev *d)
{
	(void)d;
	resets++;
}

static struct vpci_dev some_device(void)
{
	return (struct vpci_dev){
		.name = "dev",
		.vm = &guest,
		.vendor = 0x1234,
		.device = 0x5678,
		.subsystem_vendor = 0x9abc,
		.subsystem = 0xdef0,
		.class = 0x02000007,
		.nvectors = 3,
		.msix_bar = 1,
		.msix_table = TABLE,
		.msix_pba = PBA,
		.bar = {
			[0] = { VPCI_BAR_IO, IO_SIZE, .read = io_read, .write = io_write },
			[1] = { VPCI_BAR_MEM32, MEM_SIZE, .read = mem_read, .write = mem_write },
			[2] = { VPCI_BAR_MEM64, MEM64_SIZE, .read = mem64_read, .write = mem64_write },
		},
		.reset = count_reset,
	};
}

static int up(void **state)
{
	(void)state;
	host_cores(2);
	guest_up();
	dev = some_device();
	assert_int_equal(vpci_add(&guest.pci, &dev), 0);
	memset(touched, 0, sizeof(touched));
	resets = 0;
	return 0;
}

static uint64_t table(void)
{
	return cfg_bar(SLOT, 1) + TABLE;
}

/* --- configuration space --- */

static void an_absent_function_reads_all_ones(void **state)
{
	static const uint32_t absent[] = {
		PCI_CF8_ENABLE | 5 << 11,              /* no such slot on this bus */
		PCI_CF8_ENABLE | 31 << 11,             /* nor can there be */
		PCI_CF8_ENABLE | SLOT << 11 | 1 << 8,  /* function 1 */
		PCI_CF8_ENABLE | 1 << 16 | SLOT << 11, /* bus 1 */
		SLOT << 11,                            /* not enabled */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		out(PCI_CF8, 4, absent[i]);
		assert_int_equal(in(PCI_CFC, 4), 0xffffffff);
		assert_int_equal(in(PCI_CFC + 2, 2), 0xffff);
		assert_int_equal(in(PCI_CFC + 3, 1), 0xff);
		out(PCI_CFC, 4, 0);
	}
	assert_int_equal(cfg(SLOT, PCI_COMMAND, 2), 7);
}

static void the_first_function_is_a_host_bridge(void **state)
{
	(void)state;
	assert_int_equal(cfg(0, PCI_VENDOR_ID, 2), 0x8086);
	assert_int_equal(cfg(0, PCI_CLASS, 4) >> 16, 0x0600);
	assert_int_equal(cfg(0, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(cfg(0, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(cfg_cap(0, PCI_CAP_ID_MSIX, 0), 0);
}

static void a_header_says_who_the_device_is_and_no_write_changes_it(void **state)
{
	(void)state;
	for (unsigned at = 0; at < PCI_COMMAND; at++)
		cfg_set(SLOT, at, 1, 0);
	cfg_set(SLOT, PCI_CLASS, 4, 0);
	cfg_set(SLOT, PCI_SUBSYSTEM_VENDOR_ID, 4, 0);
	assert_int_equal(cfg(SLOT, PCI_VENDOR_ID, 4), 0x56781234);
	assert_int_equal(cfg(SLOT, PCI_CLASS, 4), 0x02000007);
	assert_int_equal(cfg(SLOT, PCI_SUBSYSTEM_VENDOR_ID, 4), 0xdef09abc);
	assert_int_equal(cfg(SLOT, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(cfg(SLOT, PCI_INTERRUPT_PIN, 1), 1);
	assert_int_equal(cfg(SLOT, PCI_INTERRUPT_LINE, 1), PIN);
}

static void bytes_and_words_are_slices_of_the_dword(void **state)
{
	(void)state;
	assert_int_equal(cfg(SLOT, PCI_VENDOR_ID, 1), 0x34);
	assert_int_equal(cfg(SLOT, PCI_VENDOR_ID + 1, 1), 0x12);
	assert_int_equal(cfg(SLOT, PCI_DEVICE_ID, 2), 0x5678);
	assert_int_equal(cfg(SLOT, PCI_DEVICE_ID + 1, 1), 0x56);
	assert_int_equal(cfg(SLOT, PCI_VENDOR_ID + 1, 2), 0x7812);
	cfg_set(SLOT, PCI_COMMAND + 1, 1, PCI_COMMAND_INTX_OFF >> 8);
	cfg_set(SLOT, PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
	assert_int_equal(cfg(SLOT, PCI_COMMAND, 2), PCI_COMMAND_INTX_OFF | PCI_COMMAND_MEMORY);
	cfg_set(SLOT, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(cfg(SLOT, PCI_COMMAND, 2), 0x0407);
}

static void the_last_byte_of_a_configuration_space_can_be_reached(void **state)
{
	(void)state;
	assert_int_equal(cfg(SLOT, 0xff, 1), 0);
	cfg_set(SLOT, 0xff, 1, 0xff);
	cfg_set(SLOT, 0xfc, 4, 0xffffffff);
	assert_int_equal(cfg(SLOT, 0xfc, 4), 0);
}

static void the_address_is_written_and_read_as_a_dword_only(void **state)
{
	(void)state;
	out(PCI_CF8, 4, 0xffffffff);
	assert_int_equal(in(PCI_CF8, 4), 0x80fffffc);
	out(PCI_CF8, 4, PCI_CF8_ENABLE | SLOT << 11);
	out(PCI_CF8, 1, 0x40);
	out(PCI_CF8 + 1, 1, 0); /* 0xcf9 resets other machines */
	out(PCI_CF8, 2, 0);
	assert_int_equal(in(PCI_CF8, 4), PCI_CF8_ENABLE | SLOT << 11);
	assert_int_equal(in(PCI_CF8, 1), 0xff);
	assert_int_equal(in(PCI_CF8 + 1, 1), 0xff);
	assert_int_equal(in(PCI_CF8 + 2, 2), 0xffff);
	assert_int_equal(in(PCI_CF8 + 2, 4), 0xffffffff); /* half address, half data */
}

static void capabilities_are_chained_in_the_order_they_came(void **state)
{
	const uint8_t cap[] = { 0x09, 0xee, 6, 1, 2, 3 };
	unsigned msix = cfg_cap(SLOT, PCI_CAP_ID_MSIX, 0), first, second;

	(void)state;
	assert_int_equal(msix, 0x40);
	assert_int_equal(cfg(SLOT, msix + PCI_MSIX_CONTROL, 2), 2);
	assert_int_equal(cfg(SLOT, msix + PCI_MSIX_TABLE, 4), TABLE | 1);
	assert_int_equal(cfg(SLOT, msix + PCI_MSIX_PBA, 4), PBA | 1);
	first = vpci_add_cap(&dev, cap, sizeof(cap));
	second = vpci_add_cap(&dev, cap, sizeof(cap));
	assert_int_equal(cfg_cap(SLOT, 0x09, 0), first);
	assert_int_equal(cfg_cap(SLOT, 0x09, 1), second);
	assert_int_equal(cfg_cap(SLOT, 0x09, 2), 0);
	assert_int_equal(cfg(SLOT, first + 4, 2), 0x0302);
	cfg_set(SLOT, first, 4, 0);
	assert_int_equal(cfg(SLOT, first, 1), 0x09);
	for (unsigned i = 0; i < 20; i++)
		vpci_add_cap(&dev, cap, sizeof(cap));
	expect_panic(vpci_add_cap(&dev, cap, sizeof(cap)));
}

/* --- BARs --- */

static void a_bar_tells_its_size(void **state)
{
	(void)state;
	cfg_set(SLOT, PCI_COMMAND, 2, 0);
	for (unsigned i = 0; i < VPCI_BARS; i++)
		cfg_set(SLOT, PCI_BAR(i), 4, 0xffffffff);
	assert_int_equal(cfg(SLOT, PCI_BAR(0), 4), (uint32_t) ~(IO_SIZE - 1) | 1);
	assert_int_equal(cfg(SLOT, PCI_BAR(1), 4), (uint32_t) ~(MEM_SIZE - 1));
	assert_int_equal(cfg(SLOT, PCI_BAR(2), 4), (uint32_t) ~(MEM64_SIZE - 1) | 4);
	assert_int_equal(cfg(SLOT, PCI_BAR(3), 4), 0xffffffff);
	assert_int_equal(cfg(SLOT, PCI_BAR(4), 4), 0);
	assert_int_equal(cfg(SLOT, PCI_BAR(5), 4), 0);
}

static void bars_have_a_place_of_their_own_from_the_start(void **state)
{
	uint64_t end = 0, io_end = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		others[i] = some_device();
		assert_int_equal(vpci_add(&guest.pci, &others[i]), 0);
	}
	for (unsigned slot = 1; slot < 5; slot++) {
		uint64_t io = cfg_bar(slot, 0), mem = cfg_bar(slot, 1), mem64 = cfg_bar(slot, 2);

		assert_true(io >= VPCI_IO_BASE && io + IO_SIZE <= VPCI_IO_BASE + VPCI_IO_SIZE);
		assert_true(mem >= VPCI_MEM_BASE && mem64 < VPCI_MEM_BASE + VPCI_MEM_SIZE);
		assert_true(io >= io_end && mem >= end && mem64 >= mem + MEM_SIZE);
		assert_int_equal(io % IO_SIZE, 0);
		assert_int_equal(mem % MEM_SIZE, 0);
		assert_int_equal(mem64 % MEM64_SIZE, 0);
		io_end = io + IO_SIZE;
		end = mem64 + MEM64_SIZE;
	}
}

static void a_bar_answers_with_the_offset_within_it(void **state)
{
	(void)state;
	assert_int_equal(in(cfg_bar(SLOT, 0) + 6, 2), 0xb6b7);
	assert_int_equal(touched[0].offset, 6);
	assert_int_equal(touched[0].size, 2);
	out(cfg_bar(SLOT, 0) + IO_SIZE - 1, 1, 0x5a);
	assert_true(touched[0].write);
	assert_int_equal(touched[0].offset, IO_SIZE - 1);
	assert_int_equal(touched[0].value, 0x5a);
	store(cfg_bar(SLOT, 1) + 0xff8, 8, 0x1122334455667788);
	assert_int_equal(touched[1].offset, 0xff8);
	assert_int_equal(touched[1].value, 0x1122334455667788);
	assert_int_equal(load(cfg_bar(SLOT, 2) + MEM64_SIZE - 4, 4), 0xb4b5b6b9);
	assert_int_equal(touched[2].offset, MEM64_SIZE - 4);
	assert_int_equal(holes(&guest.ports) + holes(&guest.memory), 0);
}

static void a_bar_moves_to_where_it_is_programmed(void **state)
{
	uint64_t io = cfg_bar(SLOT, 0), mem64 = cfg_bar(SLOT, 2);

	(void)state;
	cfg_set(SLOT, PCI_BAR(0), 4, 0xd000);
	assert_int_equal(in(io, 4), 0xffffffff);
	assert_int_equal(in(0xd004, 2), 0xb6b7);
	assert_int_equal(touched[0].offset, 4);
	/* byte by byte, as nobody does */
	cfg_set(SLOT, PCI_BAR(0) + 1, 1, 0xe1);
	assert_int_equal(in(0xd004, 2), 0xffff);
	assert_int_equal(in(0xe104, 2), 0xb6b7);

	cfg_set(SLOT, PCI_BAR(3), 4, HIGH >> 32);
	cfg_set(SLOT, PCI_BAR(2), 4, (uint32_t)HIGH);
	assert_int_equal(load(mem64, 4), 0xffffffff);
	assert_int_equal(load(HIGH + 0x10, 2), 0xb6b9);
	assert_int_equal(touched[2].offset, 0x10);
	assert_int_equal(dev.bar[2].base, HIGH);
}

static void two_bars_may_swap_their_places(void **state)
{
	uint64_t a = cfg_bar(SLOT, 1), b;

	(void)state;
	others[0] = some_device();
	vpci_add(&guest.pci, &others[0]);
	b = cfg_bar(SLOT + 1, 1);
	cfg_set(SLOT, PCI_BAR(1), 4, b);
	cfg_set(SLOT + 1, PCI_BAR(1), 4, a);
	store(b + TABLE + 8, 4, 1);
	store(a + TABLE + 8, 4, 2);
	assert_int_equal(dev.vector[0].data, 1);
	assert_int_equal(others[0].vector[0].data, 2);
}

static void decoding_is_the_command_registers(void **state)
{
	uint64_t io = cfg_bar(SLOT, 0), mem = cfg_bar(SLOT, 1), mem64 = cfg_bar(SLOT, 2);

	(void)state;
	cfg_set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(in(io, 1), 0xff);
	assert_int_equal(load(mem, 1), 0xb8);
	cfg_set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(in(io, 1), 0xb7);
	assert_int_equal(load(mem, 1), 0xff);
	assert_int_equal(load(mem64, 1), 0xff);
	cfg_set(SLOT, PCI_COMMAND, 2, 0);
	assert_int_equal(in(io, 1), 0xff);
	cfg_set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(in(io, 1), 0xb7);
	assert_int_equal(load(mem64, 1), 0xb9);
}

static void a_bar_that_is_being_measured_answers_nowhere(void **state)
{
	unsigned ranges = guest.ports.nranges + guest.memory.nranges;

	(void)state;
	for (unsigned i = 0; i < VPCI_BARS; i++)
		if (i != 1)
			cfg_set(SLOT, PCI_BAR(i), 4, 0xffffffff);
	assert_false(dev.bar[0].mapped);
	assert_false(dev.bar[2].mapped);
	assert_int_equal(guest.ports.nranges + guest.memory.nranges, ranges - 2);
	cfg_set(SLOT, PCI_BAR(0), 4, 0);
	assert_false(dev.bar[0].mapped);
	cfg_set(SLOT, PCI_BAR(0), 4, 0x10000); /* there are 64 Ki ports */
	assert_false(dev.bar[0].mapped);
	cfg_set(SLOT, PCI_BAR(0), 4, 0xffe0);
	assert_int_equal(in(0xffff, 1), 0xb7);
}

/* --- MSI-X --- */

static void vectors_go_where_the_guest_wrote(void **state)
{
	(void)state;
	assert_false(dev.msix_on);
	msix_program(table(), 0, 0x40);
	msix_program(table(), 2, 0x42);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	assert_true(dev.msix_on);
	vpci_signal(&dev, 2);
	assert_int_equal(guest_msi[0x42], 1);
	assert_int_equal(guest_msi_address, 0xfee01000);
	vpci_signal(&dev, 0);
	vpci_signal(&dev, 0);
	vpci_signal(&dev, 3); /* there is none */
	assert_int_equal(guest_msi[0x40], 2);
	assert_int_equal(dev.signalled[0], 2);
	assert_int_equal(dev.signalled[2], 1);
}

static void a_masked_vector_stays_pending_and_comes_once(void **state)
{
	(void)state;
	msix_program(table(), 1, 0x41);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	store(table() + 16 + 12, 4, MSIX_ENTRY_MASKED);
	vpci_signal(&dev, 1);
	vpci_signal(&dev, 1);
	assert_int_equal(guest_msi[0x41], 0);
	assert_int_equal(load(cfg_bar(SLOT, 1) + PBA, 8), BIT(1));
	store(table() + 16 + 8, 4, 0x51);
	assert_int_equal(guest_msi[0x51], 0);
	store(table() + 16 + 12, 4, 0);
	assert_int_equal(guest_msi[0x41], 0);
	assert_int_equal(guest_msi[0x51], 1);
	assert_int_equal(load(cfg_bar(SLOT, 1) + PBA, 8), 0);
	store(table() + 16 + 12, 4, 0);
	assert_int_equal(guest_msi[0x51], 1);
}

static void the_function_mask_holds_all_vectors_back(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 3; v++)
		msix_program(table(), v, 0x40 + v);
	msix_control(SLOT, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL, 0);
	vpci_signal(&dev, 0);
	vpci_signal(&dev, 2);
	assert_int_equal(guest_msi[0x40] + guest_msi[0x42], 0);
	msix_control(SLOT, 0, PCI_MSIX_MASK_ALL);
	assert_int_equal(guest_msi[0x40], 1);
	assert_int_equal(guest_msi[0x41], 0);
	assert_int_equal(guest_msi[0x42], 1);
}

static void a_device_that_may_not_write_memory_sends_no_message(void **state)
{
	(void)state;
	msix_program(table(), 0, 0x40);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	cfg_set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	vpci_signal(&dev, 0);
	assert_int_equal(guest_msi[0x40], 0);
	cfg_set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(guest_msi[0x40], 1);
}

static void what_was_pending_is_forgotten_when_msix_goes_off(void **state)
{
	(void)state;
	msix_program(table(), 0, 0x40);
	msix_control(SLOT, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL, 0);
	vpci_signal(&dev, 0);
	msix_control(SLOT, 0, PCI_MSIX_ENABLE);
	msix_control(SLOT, PCI_MSIX_ENABLE, PCI_MSIX_MASK_ALL);
	assert_int_equal(guest_msi[0x40], 0);
}

static void a_message_behind_4_gib_goes_nowhere(void **state)
{
	(void)state;
	msix_program(table(), 0, 0x40);
	store(table() + 4, 4, 1);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	vpci_signal(&dev, 0);
	assert_int_equal(guest_msi[0x40], 0);
}

static void the_table_takes_dwords_and_qwords(void **state)
{
	uint64_t t = table();

	(void)state;
	store(t + 16, 8, 0x00000002fee03000);
	store(t + 24, 8, 0xffffffff00000077);
	assert_int_equal(load(t + 16, 4), 0xfee03000);
	assert_int_equal(load(t + 20, 4), 2);
	assert_int_equal(load(t + 24, 8),
			 BIT(32) | 0x77); /* of control only the mask bit is there */
	store(t + 24, 2, 0x11);           /* no such access [PCI 6.8.2] */
	store(t + 24, 1, 0x11);
	assert_int_equal(load(t + 24, 4), 0x77);
	assert_int_equal(load(t + 24, 2), 0);
	store(t + 3 * 16, 4, 0xffffffff); /* behind the last entry */
	assert_int_equal(load(t + 3 * 16, 4), 0);
	assert_int_equal(dev.msix_pending, 0);
	store(cfg_bar(SLOT, 1) + PBA, 4, 0xffffffff);
	assert_int_equal(dev.msix_pending, 0);
	for (unsigned v = 0; v < 3; v++)
		assert_int_equal(load(t + 16 * v + 12, 4), 1);
	/* just in front of it, should a device's BAR pass that on */
	vpci_msix_write(&dev, TABLE - 4, 4, 0xffffffff);
	assert_int_equal(vpci_msix_read(&dev, TABLE - 4, 4), 0);
}

/* core 0 unmasks once while core 1 signals once: whoever comes first, the other one sees it */
enum { ROUNDS = 5000, SPINS = 2000, SWEEP = 256 };
static _Atomic unsigned arrived;
static unsigned lost;

static void meet(unsigned nth)
{
	arrived++;
	for (unsigned spins = 0; arrived < 2 * nth; spins++)
		if (spins > SPINS)
			sched_yield();
}

static void unmask_and_signal(void *control)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (this_cpu()->id == 0)
			store(*(uint64_t *)control, 4, MSIX_ENTRY_MASKED);
		meet(3 * i + 1);
		if (this_cpu()->id == 0) {
			store(*(uint64_t *)control, 4, 0);
		} else {
			/* a little later each time, past the moment when the other one opens it */
			for (volatile unsigned wait = i % SWEEP; wait; wait--)
				;
			vpci_signal(&dev, 0);
		}
		meet(3 * i + 2);
		if (this_cpu()->id == 0)
			lost += guest_msi[0x40] != i + 1 - lost;
		meet(3 * i + 3);
	}
}

static void no_signal_is_lost_that_meets_an_unmask(void **state)
{
	uint64_t control = table() + 12;

	(void)state;
	arrived = lost = 0;
	msix_program(table(), 0, 0x40);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	host_run_cores(unmask_and_signal, &control);
	assert_int_equal(lost, 0);
	assert_int_equal(guest_msi[0x40], ROUNDS);
}

/* --- INTx --- */

static void want_line(bool on)
{
	spin_lock(&guest.lock);
	vpci_intx_locked(&dev, on);
	spin_unlock(&guest.lock);
}

static void the_line_follows_the_device(void **state)
{
	(void)state;
	want_line(true);
	assert_true(guest_line[PIN]);
	assert_int_equal(cfg(SLOT, PCI_STATUS, 2), PCI_STATUS_CAP_LIST | PCI_STATUS_INTX);
	want_line(true);
	assert_int_equal(dev.intx, 1);
	want_line(false);
	assert_false(guest_line[PIN]);
	assert_int_equal(cfg(SLOT, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
}

static void the_guest_may_silence_the_line(void **state)
{
	(void)state;
	want_line(true);
	cfg_set(SLOT, PCI_COMMAND, 2, 7 | PCI_COMMAND_INTX_OFF);
	assert_false(guest_line[PIN]);
	assert_true(cfg(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTX);
	cfg_set(SLOT, PCI_COMMAND, 2, 7);
	assert_true(guest_line[PIN]);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	assert_false(guest_line[PIN]);
	assert_false(cfg(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTX);
}

/* --- reset, and too many devices --- */

static void reset_makes_everything_as_it_was_added(void **state)
{
	uint8_t fresh[256];
	uint64_t io = cfg_bar(SLOT, 0);

	(void)state;
	memcpy(fresh, dev.config, sizeof(fresh));
	for (unsigned at = 0; at < 256; at += 4)
		cfg_set(SLOT, at, 4, 0xffffffff);
	cfg_set(SLOT, PCI_COMMAND, 2, 7);
	cfg_set(SLOT, PCI_BAR(1), 4, dev.bar[1].home);
	msix_program(table(), 0, 0x40);
	msix_control(SLOT, PCI_MSIX_ENABLE, PCI_MSIX_MASK_ALL);
	msix_control(SLOT, 0, PCI_MSIX_ENABLE);
	want_line(true);
	assert_true(guest_line[PIN]);
	spin_lock(&guest.lock);
	vpci_reset(&guest.pci);
	spin_unlock(&guest.lock);
	assert_int_equal(resets, 1);
	assert_memory_equal(dev.config, fresh, sizeof(fresh));
	assert_false(guest_line[PIN]);
	assert_int_equal(in(PCI_CF8, 4), 0);
	assert_int_equal(in(io, 1), 0xb7);
	assert_int_equal(load(table() + 12, 4), 1);
	assert_int_equal(load(table() + 8, 4), 0);
}

static void a_bus_has_so_many_slots(void **state)
{
	(void)state;
	for (unsigned i = SLOT + 1; i < VPCI_DEVICES; i++) {
		others[i] = some_device();
		assert_int_equal(vpci_add(&guest.pci, &others[i]), 0);
		assert_int_equal(others[i].slot, i);
	}
	others[0] = some_device();
	assert_int_equal(vpci_add(&guest.pci, &others[0]), -ENOSPC);
}

static void a_bar_that_fits_no_window_is_refused(void **state)
{
	(void)state;
	others[0] = some_device();
	others[0].bar[1].size = 0x10000000;
	assert_int_equal(vpci_add(&guest.pci, &others[0]), -ENOSPC);
	assert_int_equal(cfg(SLOT + 1, PCI_VENDOR_ID, 2), 0xffff);
	others[0].bar[1].size = MEM_SIZE;
	assert_int_equal(vpci_add(&guest.pci, &others[0]), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, up)
	const struct CMUnitTest tests[] = {
		TEST(an_absent_function_reads_all_ones),
		TEST(the_first_function_is_a_host_bridge),
		TEST(a_header_says_who_the_device_is_and_no_write_changes_it),
		TEST(bytes_and_words_are_slices_of_the_dword),
		TEST(the_last_byte_of_a_configuration_space_can_be_reached),
		TEST(the_address_is_written_and_read_as_a_dword_only),
		TEST(capabilities_are_chained_in_the_order_they_came),
		TEST(a_bar_tells_its_size),
		TEST(bars_have_a_place_of_their_own_from_the_start),
		TEST(a_bar_answers_with_the_offset_within_it),
		TEST(a_bar_moves_to_where_it_is_programmed),
		TEST(two_bars_may_swap_their_places),
		TEST(decoding_is_the_command_registers),
		TEST(a_bar_that_is_being_measured_answers_nowhere),
		TEST(vectors_go_where_the_guest_wrote),
		TEST(a_masked_vector_stays_pending_and_comes_once),
		TEST(the_function_mask_holds_all_vectors_back),
		TEST(a_device_that_may_not_write_memory_sends_no_message),
		TEST(what_was_pending_is_forgotten_when_msix_goes_off),
		TEST(a_message_behind_4_gib_goes_nowhere),
		TEST(the_table_takes_dwords_and_qwords),
		TEST(no_signal_is_lost_that_meets_an_unmask),
		TEST(the_line_follows_the_device),
		TEST(the_guest_may_silence_the_line),
		TEST(reset_makes_everything_as_it_was_added),
		TEST(a_bus_has_so_many_slots),
		TEST(a_bar_that_fits_no_window_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
