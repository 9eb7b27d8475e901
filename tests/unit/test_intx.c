/* SPDX-License-Identifier: MIT */
/* links: drivers/intx.c drivers/pci.c tests/unit/fake_ioapic.c tests/unit/fake_pci.c tests/unit/host.c */
/*
 * test_intx.c - devices that share an interrupt line, and the search for the line of one
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/acpi.h"
#include "drivers/intx.h"
#include "drivers/pci_regs.h"
#include "fake_ioapic.h"
#include "fake_pci.h"

enum { DEVICES = 3, PIN = 18, ISA_PIN = 11 };

/*
 * a device: asks on its pin until it is silenced; a deaf one never asks, a
 * stubborn one is never silent
 */
static struct device {
	unsigned pin,
		other_pin; /* other_pin: a second one on which the chipset shows it, 0 for none */
	bool asks, deaf, stubborn;
	unsigned calls, claimed; /* of its handler; of these, its own */
	unsigned moved_to;
	struct intx intx;
} device[DEVICES];

static void drive(struct device *d)
{
	fake_ioapic_set(d->pin, d - device, d->asks);
	if (d->other_pin)
		fake_ioapic_set(d->other_pin, d - device, d->asks);
}

static void ask(void *arg)
{
	struct device *d = arg;

	d->asks = !d->deaf;
	drive(d);
}

static bool handler(void *arg)
{
	struct device *d = arg;

	d->calls++;
	if (!d->asks)
		return false;
	d->claimed++;
	d->asks = d->stubborn;
	drive(d);
	return true;
}

static void moved(void *arg, unsigned cpu)
{
	((struct device *)arg)->moved_to = cpu;
}

static struct fake_pci_fn *fn;

static int ready(void **state)
{
	static const char *const names[] = { "nic0", "nic1", "nic2" };

	(void)state;
	host_cores(2);
	host_tsc_step = 1000; /* waits end */
	fake_ioapic_start();
	fake_pci_start();
	fn = fake_pci_add(3 << 3, 0x8086, 0x100e, 0x020000);
	fake_pci_set16(fn, PCI_COMMAND, PCI_COMMAND_INTX_OFF);
	pci_init();
	memset(device, 0, sizeof(device));
	/*
	 * the lines are learnt once, at the first use: firmware of a PC has 9 level
	 * high, 11 level low, 5 an edge
	 */
	acpi.noverrides = 3;
	acpi.override[0].irq = acpi.override[0].gsi = 9;
	acpi.override[0].flags = 0xd;
	acpi.override[1].irq = acpi.override[1].gsi = ISA_PIN;
	acpi.override[1].flags = 0xf;
	acpi.override[2].irq = acpi.override[2].gsi = 5;
	acpi.override[2].flags = 0x5;
	for (unsigned i = 0; i < DEVICES; i++) {
		device[i].pin = PIN;
		device[i].intx = (struct intx){
			.handler = handler, .moved = moved, .arg = &device[i], .name = names[i]
		};
	}
	return 0;
}

static int released(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_IOAPIC_PINS; i++)
		if (!fake_ioapic[i].masked)
			return -1;
	return 0;
}

static void request(unsigned i, unsigned cpu, unsigned want)
{
	assert_int_equal(intx_request(&device[i].intx, PIN, cpu), want);
}

/* --- sharing --- */

static void one_device_has_a_line_for_itself(void **state)
{
	(void)state;
	request(0, 1, 1);
	assert_true(fake_ioapic[PIN].level && fake_ioapic[PIN].active_low);
	assert_string_equal(fake_ioapic[PIN].irq->name, "nic0");
	ask(&device[0]);
	assert_int_equal(device[0].claimed, 1);
	assert_int_equal(fake_ioapic[PIN].interrupts, 1);
	intx_free(&device[0].intx);
	assert_true(fake_ioapic[PIN].masked);
}

static void each_on_a_line_is_asked_and_only_its_own_claimed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DEVICES; i++)
		request(i, 0, 0);
	ask(&device[1]);
	for (unsigned i = 0; i < DEVICES; i++) {
		assert_int_equal(device[i].calls, 1);
		assert_int_equal(device[i].claimed, i == 1);
	}
	assert_string_equal(fake_ioapic[PIN].irq->name, "nic2, nic1, nic0");
	for (unsigned i = 0; i < DEVICES; i++)
		intx_free(&device[i].intx);
}

static void those_that_ask_together_need_one_interrupt(void **state)
{
	(void)state;
	request(0, 0, 0);
	request(1, 0, 0);
	fake_ioapic[PIN].masked = true;
	ask(&device[0]);
	ask(&device[1]);
	fake_ioapic[PIN].irq->chip->unmask(fake_ioapic[PIN].irq);
	assert_int_equal(fake_ioapic[PIN].interrupts, 1);
	assert_int_equal(device[0].claimed + device[1].claimed, 2);
	intx_free(&device[0].intx);
	intx_free(&device[1].intx);
}

static void one_leaves_in_whatever_order_and_the_others_stay(void **state)
{
	static const unsigned orders[][DEVICES] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };

	(void)state;
	for (unsigned o = 0; o < 3; o++) {
		for (unsigned i = 0; i < DEVICES; i++)
			request(i, 0, 0);
		for (unsigned k = 0; k < DEVICES; k++) {
			intx_free(&device[orders[o][k]].intx);
			for (unsigned left = k + 1; left < DEVICES; left++) {
				struct device *d = &device[orders[o][left]];
				unsigned before = d->claimed;

				assert_non_null(strstr(fake_ioapic[PIN].irq->name, d->intx.name));
				ask(d);
				assert_int_equal(d->claimed, before + 1);
			}
		}
		assert_true(fake_ioapic[PIN].masked);
	}
}

static void who_joins_goes_to_the_core_that_has_the_line(void **state)
{
	(void)state;
	request(0, 1, 1);
	request(1, 0, 1);
	fake_ioapic[PIN].irq->cpu = 0; /* moved by hand: all behind it move along */
	fake_ioapic[PIN].irq->moved(fake_ioapic[PIN].irq->arg, 0);
	device[2].moved_to = 7;
	request(2, 1, 0);
	assert_int_equal(device[0].moved_to, 0);
	assert_int_equal(device[2].moved_to, 7);
	fake_ioapic[PIN].irq->moved(fake_ioapic[PIN].irq->arg, 1);
	for (unsigned i = 0; i < DEVICES; i++) {
		assert_int_equal(device[i].moved_to, 1);
		intx_free(&device[i].intx);
	}
}

static void a_line_that_calls_for_nobody_is_masked(void **state)
{
	(void)state;
	request(0, 0, 0);
	fake_ioapic_set(PIN, 9, true); /* a device that nobody drives */
	assert_true(fake_ioapic[PIN].masked);
	assert_int_equal(fake_ioapic[PIN].interrupts, 1000);
	assert_non_null(strstr(host_log, "intx: line 18 keeps calling for nobody, masked; nic0"));
	intx_free(&device[0].intx);
	fake_ioapic_set(PIN, 9, false);
	host_text_clear();
	request(0, 0, 0); /* calls for nobody in between are no storm */
	for (unsigned i = 0; i < 3000; i++) {
		fake_ioapic[PIN].irq->handler(fake_ioapic[PIN].irq->arg);
		if (i % 500 == 0)
			ask(&device[0]);
	}
	assert_false(fake_ioapic[PIN].masked);
	intx_free(&device[0].intx);
}

static void refuses_a_line_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(intx_request(&device[0].intx, 3, 0), -ENODEV);
	assert_int_equal(intx_request(&device[0].intx, 5, 0), -ENODEV); /* an edge */
	assert_int_equal(intx_request(&device[0].intx, 99, 0), -ENODEV);
	assert_int_equal(intx_request(&device[0].intx, PIN, 5), -EINVAL); /* no such core */
	request(0, 0, 0); /* it left nothing behind */
	assert_string_equal(fake_ioapic[PIN].irq->name, "nic0");
	intx_free(&device[0].intx);
}

/* --- the search --- */

static int find(unsigned i)
{
	return intx_find(&pci_devs[0], ask, handler, &device[i]);
}

static void finds_the_line_of_a_device(void **state)
{
	(void)state;
	for (unsigned pin = 16; pin < 24; pin++) {
		device[0].pin = pin;
		assert_int_equal(find(0), pin);
		assert_false(device[0].asks);
		assert_int_equal(released(state), 0);
	}
	assert_false(fake_pci_get16(fn, PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
}

static void finds_it_among_the_isa_interrupts_with_their_polarity(void **state)
{
	(void)state;
	device[0].pin = ISA_PIN;
	assert_int_equal(find(0), ISA_PIN);
	assert_true(fake_ioapic[ISA_PIN].active_low);
	device[0].pin = 9;
	assert_int_equal(find(0), 9);
	assert_false(fake_ioapic[9].active_low);
}

static void takes_the_line_of_pci_where_it_is_shown_on_both(void **state)
{
	(void)state;
	device[0].pin = ISA_PIN;
	device[0].other_pin = 22;
	assert_int_equal(find(0), 22);
}

static void finds_it_on_a_line_in_use(void **state)
{
	(void)state;
	request(1, 1, 1);
	ask(&device[1]);
	assert_int_equal(find(0), PIN);
	ask(&device[1]);
	assert_int_equal(device[1].claimed, 2);
	assert_string_equal(fake_ioapic[PIN].irq->name, "nic1");
	intx_free(&device[1].intx);
}

/*
 * a neighbour calls on another line while ours asks: the listener there finds
 * our device asking as well
 */
static void neighbour_calls(void *arg)
{
	struct device *d = arg;

	if (device[1].calls++ == 0) { /* once */
		d->asks = true;
		fake_ioapic_set(16, 1, true);
		fake_ioapic_set(16, 1, false);
		return;
	}
	ask(d);
}

static bool neighbour_or_us(void *arg)
{
	fake_ioapic_set(16, 1, false);
	return handler(arg);
}

static void is_not_misled_by_a_call_on_another_line(void **state)
{
	(void)state;
	assert_int_equal(intx_find(&pci_devs[0], neighbour_calls, neighbour_or_us, &device[0]),
			 PIN);
}

static void says_when_a_device_is_heard_nowhere(void **state)
{
	(void)state;
	device[0].deaf = true;
	assert_int_equal(find(0), -ENODEV);
	assert_non_null(strstr(host_log, "intx: 0000:00:03.0 is heard on none of 10 lines"));
	assert_true(fake_pci_get16(fn, PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
}

static void lives_beside_a_line_that_calls_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(intx_request(&device[1].intx, 20, 0), 0); /* one was driven once */
	intx_free(&device[1].intx);
	fake_ioapic_set(20, 9, true);
	assert_int_equal(find(0), PIN);
	assert_non_null(strstr(host_log, "line 20 keeps calling for nobody, masked"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ready, released)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_device_has_a_line_for_itself),
		TEST(each_on_a_line_is_asked_and_only_its_own_claimed),
		TEST(those_that_ask_together_need_one_interrupt),
		TEST(one_leaves_in_whatever_order_and_the_others_stay),
		TEST(who_joins_goes_to_the_core_that_has_the_line),
		TEST(a_line_that_calls_for_nobody_is_masked),
		TEST(refuses_a_line_that_is_none),
		TEST(finds_the_line_of_a_device),
		TEST(finds_it_among_the_isa_interrupts_with_their_polarity),
		TEST(takes_the_line_of_pci_where_it_is_shown_on_both),
		TEST(finds_it_on_a_line_in_use),
		TEST(is_not_misled_by_a_call_on_another_line),
		TEST(says_when_a_device_is_heard_nowhere),
		TEST(lives_beside_a_line_that_calls_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
