/* SPDX-License-Identifier: MIT */
/* links: vmm/virtio_pci.c vmm/virtio_common.c vmm/access.c vmm/bus.c vmm/vpci.c vmm/vpci_bar.c vmm/vpci_irq.c tests/unit/fake_guest.c tests/unit/host.c */
/*
 * test_virtio_pci.c - a virtio device on PCI as its driver finds it: capabilities, set-up,
 * doorbells, interrupts, resets
 *
 * Behind the transport is a device that writes down what it is told to do.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/pci_regs.h"
#include "tests/unit/fake_guest.h"
#include "vmm/virtio_parts.h"
#include "vmm/virtio_regs.h"

enum { SLOT = 1, PIN = VPCI_INTX_PIN(SLOT), DEVICE_TYPE = 1, QUEUE_MAX = 128, CONFIG_LEN = 10 };
#define OFFERED (VIRTIO_F_VERSION_1 | BIT(5) | BIT(28) | BIT(40))

/* --- the device --- */

static struct virtio_pci dev;
static char notes[256];
static bool features_fine;
static const char *ring_fault;

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t have = strlen(notes);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(notes + have, sizeof(notes) - have, fmt, ap);
	va_end(ap);
}

/* what was noted since the last time */
static const char *noted(void)
{
	static char copy[sizeof(notes)];

	strcpy(copy, notes);
	notes[0] = 0;
	return copy;
}

static bool dev_features_ok(struct virtio_pci *d, uint64_t features)
{
	assert_ptr_equal(d, &dev);
	assert_int_equal(guest.lock.locked, 1);
	note("features %lx; ", (unsigned long)features);
	return features_fine;
}

static int dev_queue_start(struct virtio_pci *d, unsigned q, const char **why)
{
	const struct virtio_queue *queue = &d->queue[q];

	note("start %u of %u at %lx %lx %lx; ", q, queue->size, (unsigned long)queue->desc,
	     (unsigned long)queue->avail, (unsigned long)queue->used);
	*why = ring_fault;
	return ring_fault ? -EINVAL : 0;
}

static void dev_driver_ok(struct virtio_pci *d)
{
	assert_true(d->status & VIRTIO_STATUS_DRIVER_OK);
	note("driver ok; ");
}

static void dev_hold(struct virtio_pci *d)
{
	(void)d;
	assert_int_equal(guest.lock.locked, 1);
	note("hold; ");
}

static void dev_stop(struct virtio_pci *d)
{
	(void)d;
	assert_int_equal(guest.lock.locked, 1);
	note("stop; ");
}

static void dev_kick(struct virtio_pci *d, unsigned q)
{
	assert_ptr_equal(d, &dev);
	assert_int_equal(guest.lock.locked, 0);
	note("kick %u; ", q);
}

static uint8_t dev_config_read(struct virtio_pci *d, unsigned offset)
{
	assert_ptr_equal(d, &dev);
	assert_true(offset < CONFIG_LEN);
	return 0xa0 + offset;
}

static const struct virtio_dev_ops dev_ops = {
	.features_ok = dev_features_ok,
	.queue_start = dev_queue_start,
	.driver_ok = dev_driver_ok,
	.hold = dev_hold,
	.stop = dev_stop,
	.kick = dev_kick,
	.config_read = dev_config_read,
};

static void plug(unsigned vectors, bool mmio_notify)
{
	host_cores(1);
	guest_up();
	notes[0] = 0;
	features_fine = true;
	ring_fault = NULL;
	dev = (struct virtio_pci){
		.pci = { .name = "virtio", .class = 0x02000000 },
		.ops = &dev_ops,
		.offered = OFFERED,
		.nqueues = 3,
		.config_len = CONFIG_LEN,
		.mmio_notify = mmio_notify,
		.queue = { { .max = QUEUE_MAX }, { .max = QUEUE_MAX }, { .max = 64 } },
	};
	assert_int_equal(virtio_pci_add(&dev, &guest, DEVICE_TYPE, vectors), 0);
}

static int up(void **state)
{
	(void)state;
	plug(3, false);
	return 0;
}

static int up_intx(void **state)
{
	(void)state;
	plug(0, false);
	return 0;
}

static int up_mmio(void **state)
{
	(void)state;
	plug(3, true);
	return 0;
}

/* --- the driver --- */

/* where the structure of this type stands in memory or ports; its length too */
static uint64_t find(unsigned type, uint32_t *len, bool *ports)
{
	for (unsigned i = 0, at; (at = cfg_cap(SLOT, PCI_CAP_ID_VENDOR, i)); i++) {
		unsigned bar = cfg(SLOT, at + offsetof(struct virtio_pci_cap, bar), 1);

		if (cfg(SLOT, at + offsetof(struct virtio_pci_cap, type), 1) != type)
			continue;
		if (len)
			*len = cfg(SLOT, at + offsetof(struct virtio_pci_cap, length), 4);
		if (ports)
			*ports = cfg(SLOT, PCI_BAR(bar), 4) & PCI_BAR_IO;
		return cfg_bar(SLOT, bar) +
		       cfg(SLOT, at + offsetof(struct virtio_pci_cap, offset), 4);
	}
	fail_msg("there is no capability of type %u", type);
	return 0;
}

static unsigned width_of(unsigned offset)
{
	return offset < VIRTIO_CONFIG_VECTOR || offset >= VIRTIO_QUEUE_DESC           ? 4
	       : offset == VIRTIO_DEVICE_STATUS || offset == VIRTIO_CONFIG_GENERATION ? 1
										      : 2;
}

static uint32_t get(unsigned offset)
{
	return load(find(VIRTIO_CAP_COMMON, NULL, NULL) + offset, width_of(offset));
}

static void set(unsigned offset, uint32_t value)
{
	store(find(VIRTIO_CAP_COMMON, NULL, NULL) + offset, width_of(offset), value);
}

static uint8_t status(void)
{
	return get(VIRTIO_DEVICE_STATUS);
}

static void add_status(uint8_t bits)
{
	set(VIRTIO_DEVICE_STATUS, status() | bits);
}

static uint64_t offered(void)
{
	uint64_t features;

	set(VIRTIO_DEVICE_FEATURE_SELECT, 0);
	features = get(VIRTIO_DEVICE_FEATURE);
	set(VIRTIO_DEVICE_FEATURE_SELECT, 1);
	return features | (uint64_t)get(VIRTIO_DEVICE_FEATURE) << 32;
}

static void accept_features(uint64_t features)
{
	set(VIRTIO_DRIVER_FEATURE_SELECT, 0);
	set(VIRTIO_DRIVER_FEATURE, features);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 1);
	set(VIRTIO_DRIVER_FEATURE, features >> 32);
	add_status(VIRTIO_STATUS_FEATURES_OK);
}

static void negotiate(void)
{
	set(VIRTIO_DEVICE_STATUS, 0);
	add_status(VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(VIRTIO_STATUS_DRIVER);
	accept_features(OFFERED);
	assert_int_equal(status(), 11);
}

static void enable(unsigned q, uint64_t at)
{
	set(VIRTIO_QUEUE_SELECT, q);
	set(VIRTIO_QUEUE_DESC, at);
	set(VIRTIO_QUEUE_DESC + 4, at >> 32);
	set(VIRTIO_QUEUE_DRIVER, at + 0x1000);
	set(VIRTIO_QUEUE_DRIVER + 4, at >> 32);
	set(VIRTIO_QUEUE_DEVICE, at + 0x2000);
	set(VIRTIO_QUEUE_DEVICE + 4, at >> 32);
	set(VIRTIO_QUEUE_ENABLE, 1);
}

static void drive(void)
{
	negotiate();
	enable(0, 0x10000);
	enable(1, 0x20000);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(status(), 15);
	noted();
}

static void kick(unsigned q, uint32_t value)
{
	bool ports;
	uint64_t at = find(VIRTIO_CAP_NOTIFY, NULL, &ports);

	set(VIRTIO_QUEUE_SELECT, q);
	at += 4 * get(VIRTIO_QUEUE_NOTIFY_OFF);
	if (ports)
		out(at, 2, value);
	else
		store(at, 2, value);
}

static uint8_t isr(void)
{
	return load(find(VIRTIO_CAP_ISR, NULL, NULL), 1);
}

static void three_vectors(void)
{
	for (unsigned v = 0; v < 3; v++)
		msix_program(cfg_bar(SLOT, 1) + 0x1000, v, 0x40 + v);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	set(VIRTIO_CONFIG_VECTOR, 0);
	for (unsigned q = 0; q < 2; q++) {
		set(VIRTIO_QUEUE_SELECT, q);
		set(VIRTIO_QUEUE_VECTOR, q + 1);
	}
}

/* --- what the device behind it reports --- */

static void config_changes(void)
{
	spin_lock(&guest.lock);
	virtio_signal_config(&dev);
	spin_unlock(&guest.lock);
}

static void queue_breaks(unsigned q, const char *why)
{
	virtio_needs_reset(&dev, q, &why);
	assert_int_equal(guest.lock.locked, 0);
}

/* --- who it is --- */

static void is_a_modern_network_device(void **state)
{
	(void)state;
	assert_int_equal(cfg(SLOT, PCI_VENDOR_ID, 4), 0x10411af4);
	assert_int_equal(cfg(SLOT, PCI_CLASS, 4), 0x02000001);
	assert_int_equal(cfg(SLOT, PCI_SUBSYSTEM_VENDOR_ID, 2), 0x1af4);
	assert_true(cfg(SLOT, PCI_SUBSYSTEM_ID, 2) >= 0x40);
}

static void has_all_its_capabilities_and_none_lies_upon_another(void **state)
{
	uint64_t begin[4];
	uint32_t len[4];
	bool ports;

	(void)state;
	for (unsigned type = VIRTIO_CAP_COMMON; type <= VIRTIO_CAP_DEVICE; type++)
		begin[type - 1] = find(type, &len[type - 1], &ports);
	assert_int_equal(len[0], 56);
	assert_int_equal(len[1], 12);
	assert_int_equal(len[2], 1);
	assert_int_equal(len[3], CONFIG_LEN);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 4; k++)
			assert_true(i == k || begin[i] + len[i] <= begin[k] ||
				    begin[k] + len[k] <= begin[i]);
	find(VIRTIO_CAP_PCI, NULL, NULL);
	find(VIRTIO_CAP_NOTIFY, NULL, &ports);
	assert_true(ports);
	assert_int_equal(cfg(SLOT, cfg_cap(SLOT, PCI_CAP_ID_VENDOR, 1) + 16, 4), 4);
	for (unsigned i = 0, at; (at = cfg_cap(SLOT, PCI_CAP_ID_VENDOR, i)); i++)
		assert_int_equal(cfg(SLOT, at + 2, 1), i == 1 || i == 4 ? 20 : 16);
}

static void without_vectors_there_is_no_msix(void **state)
{
	(void)state;
	assert_int_equal(cfg_cap(SLOT, PCI_CAP_ID_MSIX, 0), 0);
	set(VIRTIO_CONFIG_VECTOR, 0);
	assert_int_equal(get(VIRTIO_CONFIG_VECTOR), VIRTIO_NO_VECTOR);
}

static void device_configuration_reads_in_any_width(void **state)
{
	uint64_t at = find(VIRTIO_CAP_DEVICE, NULL, NULL);

	(void)state;
	assert_int_equal(load(at, 1), 0xa0);
	assert_int_equal(load(at + 6, 2), 0xa7a6);
	assert_int_equal(load(at + 1, 4), 0xa4a3a2a1);
	assert_true(load(at, 8) == 0xa7a6a5a4a3a2a1a0);
	assert_int_equal(load(at + 8, 4), 0xa9a8); /* and nothing behind its end */
	assert_int_equal(load(at + 0x100, 4), 0);
	store(at, 4, 0);
	assert_int_equal(load(at, 1), 0xa0);
}

/* --- features --- */

static void features_are_seen_through_two_windows(void **state)
{
	(void)state;
	assert_true(offered() == OFFERED);
	set(VIRTIO_DEVICE_FEATURE_SELECT, 2);
	assert_int_equal(get(VIRTIO_DEVICE_FEATURE), 0);
	assert_int_equal(get(VIRTIO_DEVICE_FEATURE_SELECT), 2);
	set(VIRTIO_DEVICE_FEATURE, 0xffffffff);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 1);
	set(VIRTIO_DRIVER_FEATURE, 0x101);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 7);
	set(VIRTIO_DRIVER_FEATURE, 0xffffffff);
	assert_int_equal(get(VIRTIO_DRIVER_FEATURE), 0);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 0);
	assert_int_equal(get(VIRTIO_DRIVER_FEATURE), 0);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 1);
	assert_int_equal(get(VIRTIO_DRIVER_FEATURE), 0x101);
	assert_true(offered() == OFFERED);
}

static void what_was_not_offered_is_refused_and_may_be_tried_again(void **state)
{
	(void)state;
	set(VIRTIO_DEVICE_STATUS, 3);
	accept_features(OFFERED | BIT(6));
	assert_int_equal(status(), 3);
	accept_features(OFFERED | BIT(63));
	assert_int_equal(status(), 3);
	accept_features(OFFERED & ~VIRTIO_F_VERSION_1);
	assert_int_equal(status(), 3);
	assert_string_equal(noted(), "");
	features_fine = false;
	accept_features(OFFERED);
	assert_int_equal(status(), 3);
	assert_string_equal(noted(), "features 10110000020; ");
	features_fine = true;
	accept_features(VIRTIO_F_VERSION_1);
	assert_int_equal(status(), 11);
	assert_string_equal(noted(), "features 100000000; ");
}

static void features_stand_once_they_are_agreed(void **state)
{
	(void)state;
	negotiate();
	noted();
	set(VIRTIO_DRIVER_FEATURE_SELECT, 0);
	set(VIRTIO_DRIVER_FEATURE, 0);
	set(VIRTIO_DEVICE_STATUS, 11);
	assert_true(dev.features == OFFERED);
	assert_string_equal(noted(), "");
}

static void driver_ok_comes_after_features_ok(void **state)
{
	(void)state;
	set(VIRTIO_DEVICE_STATUS, 7);
	assert_int_equal(status(), 3);
	features_fine = false;
	accept_features(OFFERED);
	add_status(12);
	assert_int_equal(status(), 3);
	noted();
	features_fine = true;
	add_status(12); /* both at once */
	assert_int_equal(status(), 15);
	assert_string_equal(noted(), "features 10110000020; driver ok; ");
}

static void status_bits_are_only_added(void **state)
{
	(void)state;
	drive();
	set(VIRTIO_DEVICE_STATUS, 1);
	assert_int_equal(status(), 15);
	set(VIRTIO_DEVICE_STATUS, 15 | VIRTIO_STATUS_NEEDS_RESET | 16 | 32);
	assert_int_equal(status(), 15);
	add_status(VIRTIO_STATUS_FAILED);
	assert_int_equal(status(), 15 | VIRTIO_STATUS_FAILED);
	assert_string_equal(noted(), "");
}

/* --- queues --- */

static void a_driver_sets_its_queues_up_and_starts(void **state)
{
	(void)state;
	assert_int_equal(get(VIRTIO_NUM_QUEUES), 3);
	negotiate();
	set(VIRTIO_QUEUE_SELECT, 1);
	set(VIRTIO_QUEUE_SIZE, 32);
	enable(0, 0x1234560000);
	enable(1, 0x20000);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_string_equal(noted(), "stop; features 10110000020; "
				     "start 0 of 128 at 1234560000 1234561000 1234562000; "
				     "start 1 of 32 at 20000 21000 22000; driver ok; ");
	assert_true(dev.queue[0].enabled && dev.queue[1].enabled && !dev.queue[2].enabled);
}

static void a_queue_size_is_a_power_of_two_and_no_larger_than_offered(void **state)
{
	static const uint16_t refused[] = { 0, 3, 65, 96, 127, 256, 0x8000, 0xffff };

	(void)state;
	set(VIRTIO_QUEUE_SELECT, 2);
	assert_int_equal(get(VIRTIO_QUEUE_SIZE), 64);
	set(VIRTIO_QUEUE_SELECT, 0);
	assert_int_equal(get(VIRTIO_QUEUE_SIZE), QUEUE_MAX);
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		set(VIRTIO_QUEUE_SIZE, refused[i]);
		assert_int_equal(get(VIRTIO_QUEUE_SIZE), QUEUE_MAX);
	}
	for (unsigned size = QUEUE_MAX; size; size /= 2) {
		set(VIRTIO_QUEUE_SIZE, size);
		assert_int_equal(get(VIRTIO_QUEUE_SIZE), size);
	}
	set(VIRTIO_QUEUE_SIZE, QUEUE_MAX);
	assert_int_equal(get(VIRTIO_QUEUE_SIZE), QUEUE_MAX);
}

static void a_queue_of_a_size_that_was_refused_needs_a_reset(void **state)
{
	(void)state;
	negotiate();
	set(VIRTIO_QUEUE_SELECT, 1);
	set(VIRTIO_QUEUE_SIZE, 96);
	set(VIRTIO_QUEUE_SIZE, 64); /* thought better of it */
	enable(1, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 1);
	noted();
	set(VIRTIO_QUEUE_SELECT, 0);
	set(VIRTIO_QUEUE_SIZE, 96);
	enable(0, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(noted(), "");
	drive();
}

static void a_queue_that_is_not_there_has_no_size(void **state)
{
	(void)state;
	negotiate();
	noted();
	for (unsigned q = 3; q < 0x10000; q += 0x1111) {
		enable(q, 0x10000);
		set(VIRTIO_QUEUE_VECTOR, 1);
		assert_int_equal(get(VIRTIO_QUEUE_SELECT), q);
		assert_int_equal(get(VIRTIO_QUEUE_SIZE), 0);
		assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
		assert_int_equal(get(VIRTIO_QUEUE_DESC), 0);
	}
	assert_string_equal(noted(), "");
}

static void addresses_are_64_bits_in_halves_or_whole(void **state)
{
	uint64_t common = find(VIRTIO_CAP_COMMON, NULL, NULL);

	(void)state;
	set(VIRTIO_QUEUE_SELECT, 1);
	set(VIRTIO_QUEUE_DESC + 4, 0x11223344);
	set(VIRTIO_QUEUE_DESC, 0x55667788);
	assert_true(dev.queue[1].desc == 0x1122334455667788);
	assert_int_equal(get(VIRTIO_QUEUE_DESC), 0x55667788);
	assert_int_equal(get(VIRTIO_QUEUE_DESC + 4), 0x11223344);
	store(common + VIRTIO_QUEUE_DRIVER, 8, 0x99aabbccddeeff00);
	assert_true(dev.queue[1].avail == 0x99aabbccddeeff00);
	assert_true(load(common + VIRTIO_QUEUE_DRIVER, 8) == 0x99aabbccddeeff00);
	assert_true(dev.queue[1].used == 0 && dev.queue[0].desc == 0);
}

static void an_access_of_the_wrong_width_does_nothing(void **state)
{
	uint64_t common = find(VIRTIO_CAP_COMMON, NULL, NULL);

	(void)state;
	negotiate();
	for (unsigned at = 0; at < 0x400; at++)
		for (unsigned size = 1; size <= 4; size *= 2) {
			if (at < VIRTIO_COMMON_LEN && at % size == 0 && size == width_of(at))
				continue;
			store(common + at, size, 0xffffffff);
			assert_int_equal(load(common + at, size), 0);
		}
	assert_int_equal(status(), 11);
	assert_int_equal(get(VIRTIO_QUEUE_SIZE), QUEUE_MAX);
}

static void a_queue_is_enabled_between_features_ok_and_driver_ok(void **state)
{
	(void)state;
	set(VIRTIO_DEVICE_STATUS, 3);
	enable(0, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	negotiate();
	noted();
	set(VIRTIO_QUEUE_ENABLE, 2);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_string_equal(noted(), "driver ok; ");
	enable(0, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	assert_string_equal(noted(), "");
}

static void an_enabled_queue_stays_as_it_is(void **state)
{
	(void)state;
	negotiate();
	enable(0, 0x10000);
	noted();
	set(VIRTIO_QUEUE_DESC, 0x66000);
	set(VIRTIO_QUEUE_DEVICE + 4, 0x66);
	set(VIRTIO_QUEUE_SIZE, 2);
	set(VIRTIO_QUEUE_ENABLE, 0);
	set(VIRTIO_QUEUE_ENABLE, 1);
	assert_int_equal(get(VIRTIO_QUEUE_DESC), 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_DEVICE + 4), 0);
	assert_int_equal(get(VIRTIO_QUEUE_SIZE), QUEUE_MAX);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 1);
	assert_string_equal(noted(), "");
	set(VIRTIO_QUEUE_VECTOR, 2);
	assert_int_equal(get(VIRTIO_QUEUE_VECTOR), 2);
}

static void rings_that_cannot_be_need_a_reset(void **state)
{
	(void)state;
	negotiate();
	ring_fault = "rings that are not in memory";
	enable(0, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(dev.broken, "rings that are not in memory");
	ring_fault = NULL;
	enable(1, 0x10000);
	assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	drive();
}

/* --- doorbells --- */

static void each_queue_has_a_doorbell_of_its_own_whatever_is_written(void **state)
{
	(void)state;
	drive();
	kick(0, 2);
	kick(1, 0xffff);
	kick(2, 0);
	assert_string_equal(noted(), "kick 0; kick 1; kick 2; ");
	out(cfg_bar(SLOT, 0) + 12, 2, 0); /* a queue that is not there */
	assert_int_equal(in(cfg_bar(SLOT, 0), 2), 0);
	assert_string_equal(noted(), "");
	assert_int_equal(dev.early_kicks, 0);
}

static void a_doorbell_may_stand_in_memory(void **state)
{
	bool ports;

	(void)state;
	assert_int_equal(find(VIRTIO_CAP_NOTIFY, NULL, &ports) % 4096, 0);
	assert_false(ports);
	assert_int_equal(cfg(SLOT, PCI_BAR(0), 4), 0);
	drive();
	kick(1, 0);
	kick(0, 1);
	store(find(VIRTIO_CAP_NOTIFY, NULL, NULL) + 4092, 4, 0);
	assert_string_equal(noted(), "kick 1; kick 0; ");
}

static void a_kick_before_driver_ok_does_nothing_and_is_counted(void **state)
{
	(void)state;
	kick(0, 0);
	negotiate();
	enable(0, 0x10000);
	noted();
	kick(0, 0);
	assert_int_equal(dev.early_kicks, 2);
	assert_string_equal(noted(), "");
}

/* --- interrupts --- */

static void a_vector_that_is_not_in_the_table_reads_back_as_none(void **state)
{
	(void)state;
	assert_int_equal(get(VIRTIO_CONFIG_VECTOR), VIRTIO_NO_VECTOR);
	assert_int_equal(get(VIRTIO_QUEUE_VECTOR), VIRTIO_NO_VECTOR);
	set(VIRTIO_CONFIG_VECTOR, 2);
	assert_int_equal(get(VIRTIO_CONFIG_VECTOR), 2);
	set(VIRTIO_CONFIG_VECTOR, 3);
	assert_int_equal(get(VIRTIO_CONFIG_VECTOR), VIRTIO_NO_VECTOR);
	set(VIRTIO_QUEUE_VECTOR, 1);
	assert_int_equal(get(VIRTIO_QUEUE_VECTOR), 1);
	set(VIRTIO_QUEUE_VECTOR, 0x8001);
	assert_int_equal(get(VIRTIO_QUEUE_VECTOR), VIRTIO_NO_VECTOR);
}

static void each_queue_signals_by_its_vector(void **state)
{
	(void)state;
	drive();
	three_vectors();
	virtio_signal_queue(&dev, 0);
	virtio_signal_queue(&dev, 1);
	virtio_signal_queue(&dev, 1);
	virtio_signal_queue(&dev, 2); /* has none */
	assert_int_equal(guest_msi[0x40], 0);
	assert_int_equal(guest_msi[0x41], 1);
	assert_int_equal(guest_msi[0x42], 2);
	config_changes();
	assert_int_equal(guest_msi[0x40], 1);
	assert_false(guest_line[PIN]);
	assert_int_equal(isr(), VIRTIO_ISR_CONFIG); /* even so [virtio 1.2 4.1.4.5.1] */
}

static void queues_may_share_a_vector(void **state)
{
	(void)state;
	plug(2, false);
	drive();
	for (unsigned v = 0; v < 2; v++)
		msix_program(cfg_bar(SLOT, 1) + 0x1000, v, 0x40 + v);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	for (unsigned q = 0; q < 3; q++) {
		set(VIRTIO_QUEUE_SELECT, q);
		set(VIRTIO_QUEUE_VECTOR, 2);
		assert_int_equal(get(VIRTIO_QUEUE_VECTOR), VIRTIO_NO_VECTOR);
		set(VIRTIO_QUEUE_VECTOR, 1);
	}
	virtio_signal_queue(&dev, 0);
	virtio_signal_queue(&dev, 2);
	assert_int_equal(guest_msi[0x41], 2);
}

static void without_msix_a_line_goes_up_until_isr_is_read(void **state)
{
	(void)state;
	drive();
	virtio_signal_queue(&dev, 1);
	virtio_signal_queue(&dev, 0);
	assert_true(guest_line[PIN]);
	assert_int_equal(isr(), VIRTIO_ISR_QUEUE);
	assert_false(guest_line[PIN]);
	assert_int_equal(isr(), 0);
	config_changes();
	virtio_signal_queue(&dev, 0);
	assert_true(guest_line[PIN]);
	assert_true(cfg(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTX);
	assert_int_equal(load(find(VIRTIO_CAP_ISR, NULL, NULL), 4), 3);
	assert_false(guest_line[PIN]);
	assert_int_equal(dev.pci.intx, 2);
}

static void a_device_that_is_not_driven_signals_nobody(void **state)
{
	(void)state;
	negotiate();
	virtio_signal_queue(&dev, 0);
	assert_false(guest_line[PIN]);
	assert_int_equal(isr(), 0);
}

/* --- trouble and resets --- */

static void a_device_in_need_of_a_reset_says_so_and_gets_it(void **state)
{
	(void)state;
	drive();
	three_vectors();
	queue_breaks(0, "a chain that loops");
	assert_int_equal(status(), 15 | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(guest_msi[0x40], 1);
	assert_string_equal(dev.broken, "a chain that loops");
	queue_breaks(1, "once more");
	assert_int_equal(guest_msi[0x40], 1);
	assert_int_equal(dev.needs_resets, 1);
	kick(0, 0);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_string_equal(noted(), "");
	set(VIRTIO_DEVICE_STATUS, 0);
	assert_int_equal(status(), 0);
	assert_string_equal(noted(), "stop; ");
	drive();
	kick(0, 0);
	assert_string_equal(noted(), "kick 0; ");
}

static void a_complaint_from_before_a_reset_comes_too_late(void **state)
{
	(void)state;
	drive();
	set(VIRTIO_DEVICE_STATUS, 0);
	queue_breaks(0, "too late");
	assert_int_equal(status(), 0);
	negotiate();
	queue_breaks(0, "too late");
	assert_int_equal(status(), 11);
	assert_int_equal(dev.needs_resets, 0);
}

static void so_does_one_about_a_queue_that_the_next_driver_leaves_off_or_started_anew(void **state)
{
	(void)state;
	drive();
	set(VIRTIO_DEVICE_STATUS, 0);
	negotiate();
	enable(1, 0x4000);
	add_status(VIRTIO_STATUS_DRIVER_OK);
	queue_breaks(0, "too late");
	queue_breaks(1, NULL); /* as its set-up leaves it */
	assert_int_equal(status(), 15);
	queue_breaks(1, "in time");
	assert_int_equal(status(), 15 | VIRTIO_STATUS_NEEDS_RESET);
}

/* As a reset leaves it that comes between the worker's look at status and its signal. */
static void a_signal_from_before_a_reset_raises_nothing(void **state)
{
	(void)state;
	drive();
	set(VIRTIO_DEVICE_STATUS, 0);
	virtio_signal_queue(&dev, 0);
	config_changes();
	assert_int_equal(dev.isr, 0);
	assert_false(guest_line[PIN]);
	three_vectors();
	config_changes();
	virtio_signal_queue(&dev, 1);
	assert_int_equal(dev.isr, 0);
	assert_int_equal(guest_msi[0x40] + guest_msi[0x41] + guest_msi[0x42], 0);
}

enum { RESETS = 20000, STALE_SPINS = 20 };

static _Atomic unsigned resetting, stale;

/* core 0 resets the device and drives it again, core 1 signals all the while */
static void reset_core(void *arg)
{
	(void)arg;
	while (this_cpu()->id == 1 && resetting)
		virtio_signal_queue(&dev, 0);
	for (; this_cpu()->id == 0 && resetting; resetting--) {
		dev.status = 15;
		for (unsigned i = 0; i < resetting % STALE_SPINS; i++)
			cpu_pause();
		spin_lock(&guest.lock);
		virtio_reset(&dev);
		spin_unlock(&guest.lock);
		for (unsigned i = 0; i < STALE_SPINS; i++)
			stale += dev.isr != 0;
	}
}

static void no_signal_of_another_core_outlives_a_reset(void **state)
{
	(void)state;
	host_cores(2);
	drive();
	stale = 0;
	resetting = RESETS;
	host_run_cores(reset_core, NULL);
	assert_int_equal(stale, 0);
	assert_int_equal(dev.isr, 0);
	assert_false(guest_line[PIN]);
}

static void without_bus_mastering_the_device_is_held(void **state)
{
	uint32_t command = cfg(SLOT, PCI_COMMAND, 2);

	(void)state;
	cfg_set(SLOT, PCI_COMMAND, 2, command & ~PCI_COMMAND_MASTER);
	assert_string_equal(noted(), ""); /* nothing to hold yet */
	negotiate();
	noted();
	add_status(VIRTIO_STATUS_DRIVER_OK);
	assert_string_equal(noted(), "hold; ");
	cfg_set(SLOT, PCI_COMMAND, 2, command);
	assert_string_equal(noted(), "driver ok; ");
	cfg_set(SLOT, PCI_COMMAND + 1, 1, 0);
	cfg_set(SLOT, PCI_INTERRUPT_LINE, 1, 5);
	assert_string_equal(noted(), "");
	cfg_set(SLOT, PCI_COMMAND, 1, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	assert_string_equal(noted(), "hold; ");
}

static void a_reset_leaves_nothing_of_the_driver_before(void **state)
{
	(void)state;
	drive();
	three_vectors();
	set(VIRTIO_QUEUE_SELECT, 2);
	set(VIRTIO_QUEUE_SIZE, 8);
	set(VIRTIO_QUEUE_DESC, 0x1000);
	config_changes();
	set(VIRTIO_DEVICE_STATUS, 0);
	assert_string_equal(noted(), "stop; ");
	assert_int_equal(status(), 0);
	assert_int_equal(isr(), 0);
	assert_int_equal(get(VIRTIO_CONFIG_VECTOR), VIRTIO_NO_VECTOR);
	assert_int_equal(get(VIRTIO_QUEUE_SELECT), 0);
	assert_int_equal(get(VIRTIO_DRIVER_FEATURE), 0);
	assert_true(dev.features == 0);
	for (unsigned q = 0; q < 3; q++) {
		set(VIRTIO_QUEUE_SELECT, q);
		assert_int_equal(get(VIRTIO_QUEUE_SIZE), q == 2 ? 64 : QUEUE_MAX);
		assert_int_equal(get(VIRTIO_QUEUE_VECTOR), VIRTIO_NO_VECTOR);
		assert_int_equal(get(VIRTIO_QUEUE_ENABLE), 0);
		assert_int_equal(get(VIRTIO_QUEUE_DESC), 0);
	}
	assert_true(dev.pci.msix_on); /* that is PCI's */
	assert_int_equal(dev.resets, 1);
}

static void a_reset_takes_the_line_down(void **state)
{
	(void)state;
	drive();
	virtio_signal_queue(&dev, 0);
	assert_true(guest_line[PIN]);
	set(VIRTIO_DEVICE_STATUS, 0);
	assert_false(guest_line[PIN]);
}

static void the_machines_reset_is_the_devices_too(void **state)
{
	(void)state;
	drive();
	three_vectors();
	spin_lock(&guest.lock);
	vpci_reset(&guest.pci);
	spin_unlock(&guest.lock);
	assert_string_equal(noted(), "stop; ");
	assert_int_equal(status(), 0);
	assert_false(dev.pci.msix_on);
	drive();
}

static void another_driver_may_choose_otherwise(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		drive();
		set(VIRTIO_DEVICE_STATUS, 0);
		set(VIRTIO_DEVICE_STATUS, 3);
		accept_features(VIRTIO_F_VERSION_1);
		assert_int_equal(status(), 11);
		assert_true(dev.features == VIRTIO_F_VERSION_1);
	}
	assert_int_equal(dev.resets, 5);
}

static void a_changed_configuration_has_another_generation(void **state)
{
	uint8_t was = get(VIRTIO_CONFIG_GENERATION);

	(void)state;
	dev.generation++;
	assert_int_equal(get(VIRTIO_CONFIG_GENERATION), (uint8_t)(was + 1));
	set(VIRTIO_CONFIG_GENERATION, 77);
	assert_int_equal(get(VIRTIO_CONFIG_GENERATION), (uint8_t)(was + 1));
}

/* --- the window in configuration space --- */

static unsigned window(void)
{
	unsigned at = cfg_cap(SLOT, PCI_CAP_ID_VENDOR, 4);

	assert_int_equal(cfg(SLOT, at + offsetof(struct virtio_pci_cap, type), 1), VIRTIO_CAP_PCI);
	return at;
}

static void aim(unsigned bar, uint32_t offset, uint32_t len)
{
	cfg_set(SLOT, window() + offsetof(struct virtio_pci_cap, bar), 1, bar);
	cfg_set(SLOT, window() + offsetof(struct virtio_pci_cap, offset), 4, offset);
	cfg_set(SLOT, window() + offsetof(struct virtio_pci_cap, length), 4, len);
}

static unsigned window_data(void)
{
	return window() + offsetof(struct virtio_pci_cfg_cap, data);
}

static void everything_can_be_reached_through_the_window(void **state)
{
	(void)state;
	drive();
	aim(1, VIRTIO_DEVICE_STATUS, 1);
	assert_int_equal(cfg(SLOT, window_data(), 1), 15);
	aim(1, VIRTIO_QUEUE_SELECT, 2);
	cfg_set(SLOT, window_data(), 2, 1);
	assert_int_equal(get(VIRTIO_QUEUE_SELECT), 1);
	aim(1, VIRTIO_QUEUE_DESC, 4);
	assert_int_equal(cfg(SLOT, window_data(), 4), 0x20000);
	aim(0, 4, 2);
	cfg_set(SLOT, window_data(), 2, 0);
	assert_string_equal(noted(), "kick 1; ");
	aim(1, 0x400, 1);
	config_changes();
	assert_int_equal(cfg(SLOT, window_data(), 1), 2);
	assert_int_equal(cfg(SLOT, window_data(), 1), 0);
	cfg_set(SLOT, PCI_COMMAND, 2, 0); /* that is what it is for: no BAR needs to answer */
	assert_string_equal(noted(), "hold; ");
	aim(1, VIRTIO_DEVICE_STATUS, 1);
	cfg_set(SLOT, window_data(), 1, 0);
	assert_string_equal(noted(), "stop; ");
	assert_int_equal(cfg(SLOT, window_data(), 1), 0);
}

static void a_window_onto_nothing_does_nothing(void **state)
{
	static const struct {
		unsigned bar, offset, len;
	} aims[] = {
		{ 0, 0, 3 },          { 0, 0, 0 },      { 0, 0, 8 },
		{ 0, 0, 0xffffffff }, { 0, 16, 2 },     { 0, 0xfffffffe, 2 },
		{ 0, 0xfffffffc, 4 }, { 1, 0x2000, 4 }, { 1, 0x80000000, 4 },
		{ 1, 0x15, 2 },       { 2, 0, 2 },      { 5, 0, 2 },
		{ 6, 0, 2 },          { 255, 0, 2 },
	};

	(void)state;
	drive();
	for (unsigned i = 0; i < ARRAY_SIZE(aims); i++) {
		aim(aims[i].bar, aims[i].offset, aims[i].len);
		cfg_set(SLOT, window_data(), 4, 0x5a5a5a5a);
		assert_int_equal(cfg(SLOT, window_data(), 4), 0x5a5a5a5a);
	}
	assert_int_equal(status(), 15);
	assert_string_equal(noted(), "");
}

int main(void)
{
#define TEST(f)      cmocka_unit_test_setup(f, up)
#define TEST_INTX(f) cmocka_unit_test_setup(f, up_intx)
	const struct CMUnitTest tests[] = {
		TEST(is_a_modern_network_device),
		TEST(has_all_its_capabilities_and_none_lies_upon_another),
		TEST_INTX(without_vectors_there_is_no_msix),
		TEST(device_configuration_reads_in_any_width),
		TEST(features_are_seen_through_two_windows),
		TEST(what_was_not_offered_is_refused_and_may_be_tried_again),
		TEST(features_stand_once_they_are_agreed),
		TEST(driver_ok_comes_after_features_ok),
		TEST(status_bits_are_only_added),
		TEST(a_driver_sets_its_queues_up_and_starts),
		TEST(a_queue_size_is_a_power_of_two_and_no_larger_than_offered),
		TEST(a_queue_of_a_size_that_was_refused_needs_a_reset),
		TEST(a_queue_that_is_not_there_has_no_size),
		TEST(addresses_are_64_bits_in_halves_or_whole),
		TEST(an_access_of_the_wrong_width_does_nothing),
		TEST(a_queue_is_enabled_between_features_ok_and_driver_ok),
		TEST(an_enabled_queue_stays_as_it_is),
		TEST(rings_that_cannot_be_need_a_reset),
		TEST(each_queue_has_a_doorbell_of_its_own_whatever_is_written),
		cmocka_unit_test_setup(a_doorbell_may_stand_in_memory, up_mmio),
		TEST(a_kick_before_driver_ok_does_nothing_and_is_counted),
		TEST(a_vector_that_is_not_in_the_table_reads_back_as_none),
		TEST(each_queue_signals_by_its_vector),
		TEST(queues_may_share_a_vector),
		TEST(without_msix_a_line_goes_up_until_isr_is_read),
		TEST_INTX(without_msix_a_line_goes_up_until_isr_is_read),
		TEST(a_device_that_is_not_driven_signals_nobody),
		TEST(a_device_in_need_of_a_reset_says_so_and_gets_it),
		TEST(a_complaint_from_before_a_reset_comes_too_late),
		TEST(so_does_one_about_a_queue_that_the_next_driver_leaves_off_or_started_anew),
		TEST(a_signal_from_before_a_reset_raises_nothing),
		TEST_INTX(no_signal_of_another_core_outlives_a_reset),
		TEST(without_bus_mastering_the_device_is_held),
		TEST(a_reset_leaves_nothing_of_the_driver_before),
		TEST(a_reset_takes_the_line_down),
		TEST(the_machines_reset_is_the_devices_too),
		TEST(another_driver_may_choose_otherwise),
		TEST(a_changed_configuration_has_another_generation),
		TEST(everything_can_be_reached_through_the_window),
		TEST(a_window_onto_nothing_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
