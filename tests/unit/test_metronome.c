/* SPDX-License-Identifier: MIT */
/* links: drivers/msi.c drivers/pci.c tests/unit/fake_pci.c tests/unit/host.c */
/*
 * test_metronome.c - a frame at each beat, each once, numbered and in time, however late
 * the interrupts are served
 *
 * The driver runs on a model of QEMU's legacy virtio-net device with a transmit timer and bursts of
 * one frame: when it is kicked its timer starts, each time that this runs it sends a frame, and
 * when it finds none it wants to be kicked again. Kicked while the timer runs it sends at once, out
 * of time. The model can beat while the driver refills the ring.
 */
#include <errno.h>
#include <string.h>

#include "host.h"
#include "kernel/x86.h"
#include "fake_pci.h"

static void port_write(uint16_t port, uint32_t value, unsigned size);
static uint16_t port_read(uint16_t port);
static void before_it_sees(void);

#define outb(port, v)               port_write(port, v, 1)
#define outw(port, v)               port_write(port, v, 2)
#define outl(port, v)               port_write(port, v, 4)
#define inw                         port_read
#define __atomic_store_n(p, v, how) (before_it_sees(), *(p) = (v))
#include "drivers/metronome.c"
#undef outb
#undef outw
#undef outl
#undef inw
#undef __atomic_store_n

enum { IO = 0xc040, BAR_IO = 1, MSIX_CAP = 0x70, LEN = 60, HDR = 42, PERIOD = 2000, LOG = 100000 };

static struct device {
	uint16_t size; /* of its queue */
	uint8_t status;
	uint16_t selected, vector;
	uint32_t features, pfn;
	uint16_t seen, used; /* of its queue's rings */
	bool beats;          /* the timer runs */
	bool interrupt;      /* and nobody has served it */
	unsigned interrupts, kicks, early;
	unsigned while_filling; /* beats in the midst of the next refill */
} device;

/* what came out */
static unsigned nsent;
static uint32_t sent_seq[LOG];
static uint64_t sent_stamp[LOG];

static struct pci_dev *pd;

/* --- the device --- */

static volatile struct vring *its_ring(void)
{
	return (struct vring *)((uintptr_t)device.pfn * PAGE_SIZE);
}

static void send_one(volatile struct vring *r)
{
	const volatile struct vring_desc *d = &r->desc[r->avail.ring[device.seen++ % RING]];
	const uint8_t *frame = (const uint8_t *)d->addr + NET_HDR;
	const struct stream_hdr *h = (const struct stream_hdr *)(frame + HDR);

	assert_int_equal(d->len, NET_HDR + LEN);
	assert_int_equal(d->flags, 0);
	for (unsigned i = 0; i < NET_HDR; i++)
		assert_int_equal(((const uint8_t *)d->addr)[i], 0);
	for (unsigned i = 0; i < HDR; i++)
		assert_int_equal(frame[i], i);
	assert_true(nsent < LOG);
	sent_seq[nsent] = __builtin_bswap32(h->seq);
	sent_stamp[nsent++] = __builtin_bswap64(h->stamp);
	r->used.ring[device.used % RING].id = d - r->desc;
	r->used.idx = ++device.used;
	if ((uint16_t)(device.used - 1) == r->avail.used_event) { /* [virtio 1.2 2.7.10] */
		device.interrupt = true;
		device.interrupts++;
	}
}

static void beat(void)
{
	volatile struct vring *r = its_ring();

	host_tsc += PERIOD;
	if (!device.beats)
		return;
	if (device.seen != r->avail.idx) {
		send_one(r);
		return;
	}
	r->used.avail_event = device.seen;
	device.beats = false;
}

static void kicked(void)
{
	device.kicks++;
	if (device.beats) {
		device.early++;
		host_tsc -= PERIOD;
		beat();
	}
	device.beats = true;
}

static void before_it_sees(void)
{
	for (; device.while_filling; device.while_filling--)
		beat();
}

static void port_write(uint16_t port, uint32_t value, unsigned size)
{
	switch (port - IO) {
	case LEGACY_GUEST_FEATURES: device.features = value; break;
	case LEGACY_QUEUE_SELECT: device.selected = value; break;
	case LEGACY_STATUS:
		assert_int_equal(size, 1);
		if (value & STATUS_DRIVER_OK)
			assert_true(device.pfn && device.features);
		device.status = value;
		break;
	case LEGACY_QUEUE_PFN:
		assert_int_equal(device.selected, TX_QUEUE);
		assert_int_equal(size, 4);
		device.pfn = value;
		break;
	case LEGACY_QUEUE_VECTOR:
		assert_int_equal(device.selected, TX_QUEUE);
		device.vector = value;
		break;
	case LEGACY_QUEUE_NOTIFY:
		assert_int_equal(value, TX_QUEUE);
		assert_true(device.status & STATUS_DRIVER_OK);
		kicked();
		break;
	default: fail_msg("a write of %#x to register %u", value, port - IO);
	}
}

static uint16_t port_read(uint16_t port)
{
	assert_int_equal(port, IO + LEGACY_QUEUE_SIZE);
	assert_int_equal(device.selected, TX_QUEUE);
	return device.size;
}

/* the ring where 32 bits of page number can name it */
void *mem_zalloc(size_t bytes, size_t align, const char *what)
{
	(void)align;
	(void)what;
	return fake_pci_memory(bytes);
}

/* --- helpers --- */

static struct fake_pci_fn *add_function(uint16_t bdf)
{
	struct fake_pci_fn *fn = fake_pci_add(bdf, 0x1af4, 0x1000, 0x020000);
	void *bar = fake_pci_memory(4096);

	fn->bar_mask[0] = ~UINT32_C(0x1f);
	fake_pci_set32(fn, PCI_BAR(0), IO | BAR_IO);
	fake_pci_bar(fn, 1, bar, 4096, false);
	fake_pci_cap(fn, MSIX_CAP, PCI_CAP_ID_MSIX);
	fake_pci_set16(fn, MSIX_CAP + PCI_MSIX_CONTROL, 2);
	fake_pci_set32(fn, MSIX_CAP + PCI_MSIX_TABLE, 1);
	return fn;
}

/* a machine with the device, and no driver on it */
static int plugged(void **state)
{
	(void)state;
	host_cores(2);
	host_tsc = 1000000;
	ports = 0;
	queued = 0;
	run = (struct metronome_run){ 0 };
	nsent = 0;
	device = (struct device){ .size = RING, .vector = 0xffff };
	fake_pci_start();
	add_function(3 << 3);
	pci_init();
	pd = &pci_devs[0];
	return 0;
}

static int up(void **state)
{
	plugged(state);
	assert_int_equal(metronome_driver.probe(pd), 0);
	return 0;
}

static int start(uint64_t count)
{
	uint8_t frame[LEN];

	for (unsigned i = 0; i < LEN; i++)
		frame[i] = i;
	nsent = 0;
	return metronome_start(frame, LEN, HDR, count, PERIOD);
}

static void serve(void)
{
	if (!device.interrupt)
		return;
	device.interrupt = false;
	irq.handler(irq.arg);
}

/* play() - until it stops; each interrupt is served @late beats after it came. */
static void play(unsigned late)
{
	unsigned waits = 0;

	for (unsigned beats = 0; run.running; beats++) {
		if (beats > LOG)
			fail_msg("it beats no more: %u of %lu", nsent, (unsigned long)run.count);
		beat();
		if (!device.interrupt || waits++ < late)
			continue;
		waits = 0;
		serve();
	}
	assert_int_equal(nsent, run.count);
	assert_int_equal(run.sent, run.count);
	for (unsigned i = 0; i < nsent; i++) {
		assert_int_equal(sent_seq[i], i);
		assert_int_equal(sent_stamp[i], run.began + (i + UINT64_C(1)) * PERIOD);
	}
	assert_int_equal(device.early, 0);
}

/* --- tests --- */

static void sets_the_device_up_with_its_transmit_queue_alone(void **state)
{
	(void)state;
	assert_int_equal(metronome_driver.probe(pd), 0);
	assert_int_equal(device.status, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	assert_int_equal(device.features, F_EVENT_IDX);
	assert_int_equal(device.vector, 0);
	assert_ptr_equal(its_ring(), ring);
	assert_int_equal(irq.cpu, 0);
	assert_non_null(metronome_last());
	assert_false(metronome_last()->running);
	assert_int_equal(device.kicks, 0);
}

static void refuses_what_it_cannot_use(void **state)
{
	(void)state;
	assert_int_equal(start(1), -ENODEV);
	assert_null(metronome_last());
	device.size = RING / 2;
	assert_int_equal(metronome_driver.probe(pd), -EINVAL);
	assert_non_null(strstr(host_log, "has not 256 slots"));
	assert_int_equal(device.status & STATUS_DRIVER_OK, 0);
	assert_int_equal(start(1), -ENODEV);
	pd->bar[0].io = false;
	assert_int_equal(metronome_driver.probe(pd), -EINVAL);
}

static void one_is_enough(void **state)
{
	struct pci_dev other = *pd;

	(void)state;
	assert_int_equal(metronome_driver.probe(&other), -EBUSY);
	assert_int_equal(start(5), 0);
	assert_int_equal(start(5), -EBUSY);
	play(0);
}

static void each_frame_goes_once_numbered_and_stamped_when_it_is_due(void **state)
{
	static const unsigned counts[] = { 1,    2,        RING / 2,     RING - 1,
					   RING, RING + 1, 3 * RING / 2, 3 * RING,
					   1000, 70000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		unsigned before = device.interrupts;

		assert_int_equal(start(counts[i]), 0);
		play(0);
		assert_int_equal(metronome_last()->dry, 0);
		assert_int_equal(metronome_last()->stopped - metronome_last()->began,
				 counts[i] * (uint64_t)PERIOD);
		assert_true(device.interrupts - before <= counts[i] / (RING / 2) + 1);
		beat(); /* finds nothing */
		assert_int_equal(nsent, counts[i]);
		assert_false(device.beats);
	}
}

static void interrupts_half_a_ring_late_cost_no_beat(void **state)
{
	(void)state;
	assert_int_equal(start(5000), 0);
	play(RING / 2 - 1);
	assert_int_equal(metronome_last()->dry, 0);
	assert_int_equal(metronome_last()->stopped - metronome_last()->began,
			 (5000 + RING / 2 - 1) * (uint64_t)PERIOD);
}

static void one_that_ran_dry_goes_on_and_says_so(void **state)
{
	(void)state;
	assert_int_equal(start(5000), 0);
	play(RING);
	assert_true(metronome_last()->dry > 10);
	assert_true(metronome_last()->stopped - metronome_last()->began > 5000 * (uint64_t)PERIOD);
}

/* whatever it sends, and however it stops, between the handler's look and its frames */
static void one_that_runs_dry_while_the_ring_is_refilled_goes_on(void **state)
{
	(void)state;
	for (unsigned late = 0; late <= RING; late++) {
		assert_int_equal(start(RING + 10), 0);
		while (!device.interrupt)
			beat();
		for (unsigned i = 0; i < late; i++)
			beat();
		device.while_filling = 3;
		serve();
		play(0);
		beat();
		assert_false(device.beats);
	}
}

static void an_interrupt_after_the_end_changes_nothing(void **state)
{
	struct metronome_run was;

	(void)state;
	assert_int_equal(start(10), 0);
	play(0);
	was = *metronome_last();
	beat();
	irq.handler(irq.arg);
	assert_memory_equal(metronome_last(), &was, sizeof(was));
	assert_int_equal(device.kicks, 1);
}

int main(void)
{
#define TEST(fn)    cmocka_unit_test_setup(fn, up)
#define PLUGGED(fn) cmocka_unit_test_setup(fn, plugged)
	const struct CMUnitTest tests[] = {
		PLUGGED(sets_the_device_up_with_its_transmit_queue_alone),
		PLUGGED(refuses_what_it_cannot_use),
		TEST(one_is_enough),
		TEST(each_frame_goes_once_numbered_and_stamped_when_it_is_due),
		TEST(interrupts_half_a_ring_late_cost_no_beat),
		TEST(one_that_ran_dry_goes_on_and_says_so),
		TEST(one_that_runs_dry_while_the_ring_is_refilled_goes_on),
		TEST(an_interrupt_after_the_end_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
