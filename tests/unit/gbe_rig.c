/* SPDX-License-Identifier: MIT */
/* gbe_rig.c - a NIC on its bench; gbe_rig.h says what for */
#include "gbe_rig.h"

#include <string.h>

#include "kernel/bits.h"
#include "kernel/softirq.h"
#include "drivers/pci.h"
#include "fake_pci.h"

struct fake_gbe *chip;
struct netdev *dev;

/* --- the room above: keeps what it is given --- */

struct pkt *taken[FRAMES];
unsigned ntaken, links_told;

static unsigned poll(struct napi *napi, unsigned budget)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	unsigned n;

	assert_true(ntaken + budget <= FRAMES);
	n = q->dev->ops->rx_batch(q, budget);
	q->rx_bytes += n ? q->taken_bytes : 0;
	memcpy(taken + ntaken, q->taken, n * sizeof(*taken));
	ntaken += n;
	return n;
}

static void link_changed(struct netdev *d)
{
	assert_ptr_equal(d, dev);
	links_told++;
}

void free_taken(void)
{
	while (ntaken)
		pkt_free(taken[--ntaken]);
}

/* --- the machine --- */

void rig_start(unsigned ncores)
{
	host_cores(ncores);
	host_pools(POOL);
	softirq_init();
	dev_weight = 64;
	fake_pci_start();
	nnetdevs = 0;
	dev = NULL;
	ntaken = links_told = 0;
}

unsigned rig_probe(const struct pci_driver *driver)
{
	pci_probe(&driver, 1);
	netdev_for_each(i) {
		netdevs[i]->link_changed = link_changed;
		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
			netdevs[i]->queue[q].napi.poll = poll;
	}
	if (nnetdevs)
		dev = netdevs[0];
	return nnetdevs;
}

unsigned rig_probe_again(const struct pci_driver *driver)
{
	nnetdevs = 0;
	dev = NULL;
	host_text_clear();
	pci_devs[0].driver = NULL;
	pci_probe(&driver, 1);
	return nnetdevs;
}

void run_softirqs(void)
{
	unsigned was = host_play(0);

	cpu_for_each(i) {
		host_play(i);
		softirq_run(this_cpu());
	}
	host_play(was);
}

/* --- receive --- */

void receive(unsigned n, uint32_t len)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(chip->ops->rx(chip, len, i));
	run_softirqs();
}

void receive_one_by_one(unsigned n, uint32_t len)
{
	while (n--) {
		receive(1, len);
		free_taken();
	}
}

void dropped(enum drop_reason why)
{
	uint64_t before = cpus[0]->drop[why];

	run_softirqs();
	assert_int_equal(ntaken, 0);
	assert_int_equal(cpus[0]->drop[why], before + 1);
	receive(1, 77);
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->frame_len, 77);
	assert_int_equal(taken[0]->nsegs, 1);
	free_taken();
	assert_int_equal(cpus[0]->drop[why], before + 1);
}

/* --- transmit --- */

struct pkt *packet(uint32_t len, uint8_t first)
{
	struct pkt *p = pkt_alloc();

	assert_non_null(p);
	p->data = pkt_buf(p);
	pkt_begin(p, len);
	for (uint32_t i = 0; i < len; i++)
		p->data[i] = first + i;
	return p;
}

struct pkt *chain_of(unsigned segs, uint32_t len)
{
	struct pkt *first = packet(len, 0), *last = first;

	for (unsigned i = 1; i < segs; i++) {
		last->next = packet(len, i * len);
		last = last->next;
	}
	first->nsegs = segs;
	first->flags = segs > 1 ? PKT_CHAIN : 0;
	first->frame_len = segs * len;
	return first;
}

unsigned give(struct netdev *to, struct pkt **pkts, unsigned n)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < n; i++)
		frames += pkts[i]->frame;
	return to->ops->tx_batch(to, 0, pkts, n, frames);
}

void transmit(unsigned n, uint32_t len)
{
	struct pkt *p[512];

	for (unsigned i = 0; i < n; i++)
		p[i] = packet(len, i);
	assert_int_equal(give(dev, p, n), n);
}

uint64_t stat_of(const char *name)
{
	static struct ethtool_stat s[200];
	unsigned n = dev->ethtool->get_stats(dev, s, ARRAY_SIZE(s));

	assert_true(n <= ARRAY_SIZE(s));
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(s[i].name, name))
			return s[i].value;
	fail_msg("ethtool -S has no %s", name);
	return 0;
}

/* --- what both drivers must do to the letter --- */

void opens_in_order(const struct rig_step *order, unsigned n)
{
	int at = -1;

	chip->nlog = 0;
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	for (unsigned i = 0; i < n; i++) {
		int next = fake_gbe_wrote(chip, order[i].off, order[i].bits, at + 1);

		if (next < 0)
			fail_msg("expected '%s' behind write %d, not seen there", order[i].step,
				 at);
		at = next;
	}
}

void receives_in_order(void)
{
	for (unsigned round = 0; round < 20; round++) { /* several times around the ring */
		receive(40, 60 + round);
		assert_int_equal(ntaken, 40);
		for (unsigned i = 0; i < 40; i++) {
			assert_int_equal(taken[i]->frame_len, 60 + round);
			assert_int_equal(taken[i]->len, 60 + round);
			assert_int_equal(taken[i]->nsegs, 1);
			assert_null(taken[i]->next);
			assert_ptr_equal(taken[i]->data, pkt_buf(taken[i]));
			assert_int_equal(taken[i]->data[59], (uint8_t)(i + 59));
		}
		free_taken();
	}
	assert_int_equal(dev->queue[0].napi.packets, 800);
	assert_int_equal(dev->queue[0].rx_bytes, 40 * (20 * 60 + 190));
}

void receives_long(uint32_t len)
{
	uint32_t sum = 0;

	receive(1, len);
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->frame_len, len);
	assert_int_equal(taken[0]->nsegs, (len + PKT_BUF_SIZE - 1) / PKT_BUF_SIZE);
	seg_for_each(seg, taken[0]) {
		assert_int_equal(seg->data[0], (uint8_t)sum);
		sum += seg->len;
	}
	assert_int_equal(sum, len);
	free_taken();
}

void finds_a_frame_of(void (*at_unmask)(struct fake_gbe *f))
{
	chip->unmasked = at_unmask;
	receive(1, 60);
	assert_null(chip->unmasked);
	assert_int_equal(ntaken, 2);
	assert_int_equal(dev->queue[0].napi.rechecks, 1);
	assert_int_equal(dev->queue[0].napi.state, NAPI_IDLE);
}

void refuses_what_is_too_much(uint32_t tail)
{
	struct pkt *p[300];

	chip->tx_stalled = true;
	for (unsigned i = 0; i < 300; i++)
		p[i] = packet(60, i);
	assert_int_equal(give(dev, p, 300), NETDEV_RING - 1);
	assert_int_equal(give(dev, p + 255, 45), 0);
	assert_int_equal(dev->queue[0].tx_busy, 90);
	assert_int_equal(fake_gbe_writes(chip, tail, 0), 1); /* no doorbell for nothing */
	chip->tx_stalled = false;
	fake_gbe_write(chip, tail, 255);
	assert_int_equal(chip->nsent, 255);
	assert_int_equal(stat_of("tx_queue_0_restart"), 0);
	assert_int_equal(give(dev, p + 255, 45), 45);
	assert_int_equal(chip->nsent, 300);
	assert_int_equal(stat_of("tx_queue_0_restart"), 1);
}
