/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c kernel/napi_layers.c net/nic.c tests/unit/streams.c inet path */
/*
 * test_nic.c - NICs as ports: what a device is told, and what is done before it changes
 *
 * The device is a fake with a list of frames for a ring. NAPI is played here: who wants to, polls.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/napi_layers.h"
#include "kernel/netif_rx.h"
#include "kernel/shell.h"
#include "drivers/netdev.h"
#include "net/inet/inet.h"
#include "net/inet/maddr.h"
#include "net/gro.h"
#include "net/nic.h"
#include "net/rps.h"
#include "tests/unit/fake_net.h"
#include "tests/unit/streams.h"

static struct netdev nic;
static struct port *port; /* above it */

enum { RING = 64, SIZE = 200 };

static struct pkt *ring[RING]; /* frames that have come, oldest first */
static unsigned nring;

struct netdev *netdevs[NETDEV_MAX];
unsigned nnetdevs;

/* in place of kernel/netif_rx.c: what was taken in interrupts, and not delivered yet */
struct netif_rx {
	unsigned n;
	struct pkt *pkts[RING];
};

static struct netif_rx taken;

uint64_t netif_rx_dropped(const struct netif_rx *rx)
{
	(void)rx;
	return 0;
}

void netif_rx_settle(struct netif_rx *rx)
{
	unsigned n = rx->n;

	rx->n = 0;
	if (n)
		nic.queue[0].policy.deliver(&nic.queue[0].napi, rx->pkts, n);
}

static int opened(struct netdev *dev)
{
	dev->up = true;
	return 0;
}

static void stopped(struct netdev *dev)
{
	dev->up = false;
}

static void set_rx_mode(struct netdev *dev)
{
	(void)dev;
}

/*
 * A flow that the device hashes is core 1's, and one that it does not is core
 * 0's: its key is all zeros.
 */
static unsigned rx_batch(struct netdev_queue *q, unsigned max)
{
	unsigned n = MIN(nring, max);

	q->taken_bytes = 0;
	for (unsigned i = 0; i < n; i++) {
		q->taken[i] = ring[i];
		q->taken_bytes += ring[i]->frame_len;
		if (nic.features & NETDEV_RX_HASH) {
			ring[i]->flags |= PKT_HASH;
			ring[i]->hash = UINT32_MAX;
		}
	}
	nring -= n;
	memmove(ring, ring + n, nring * sizeof(*ring));
	return n;
}

static unsigned tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
			 uint64_t frames)
{
	(void)dev, (void)q, (void)frames;
	for (unsigned i = 0; i < n; i++)
		pkt_free(pkts[i]);
	return n;
}

static const struct netdev_ops ops = {
	.open = opened,
	.stop = stopped,
	.set_rx_mode = set_rx_mode,
	.rx_batch = rx_batch,
	.tx_batch = tx_batch,
};

static int up(void **state)
{
	(void)state;
	net_up(2, 2);
	inet_init();
	nic = (struct netdev){ .name = "nic0", .ops = &ops, .mtu = 1500, .link = true };
	nic.mac[0] = 2;
	nic.mac[5] = 9;
	nic.nqueues = nic.max_queues = 1;
	nic.queue[0].dev = &nic;
	nic.queue[0].policy.rx = &taken;
	taken.n = 0;
	netdevs[0] = &nic;
	nnetdevs = 1;
	nic_init();
	port = nic.upper;
	port_set_up(port, true);
	return 0;
}

static int down(void **state)
{
	(void)state;
	conserved();
	rps_clear(port);
	net_down();
	free(port->rps);
	return 0;
}

/* --- groups --- */

/* the operator's group number @n */
static const uint8_t *group(unsigned n)
{
	static uint8_t mac[ETH_ALEN];

	memcpy(mac, (const uint8_t[]){ 1, 0, 0x5e, 1, n >> 8, n }, ETH_ALEN);
	return mac;
}

/* fd00::1:@n, which is asked for at a group of its own */
static struct inet_addr address(unsigned n)
{
	return (struct inet_addr){ .b = { 0xfd, [13] = 1, [14] = n >> 8, [15] = n } };
}

static bool device_takes(const uint8_t mac[ETH_ALEN])
{
	for (unsigned i = 0; i < nic.ngroups; i++)
		if (!memcmp(nic.group[i], mac, ETH_ALEN))
			return true;
	return nic.allmulti;
}

static bool takes_solicited(unsigned n)
{
	return device_takes((const uint8_t[]){ 0x33, 0x33, 0xff, 1, n >> 8, n });
}

static void a_full_table_makes_the_device_take_all_groups_till_there_is_room(void **state)
{
	struct inet_addr a;

	(void)state;
	for (unsigned n = 0; n < NETDEV_GROUPS; n++)
		assert_int_equal(maddr_add(port, group(n)), 0);
	assert_int_equal(nic.ngroups, NETDEV_GROUPS);
	assert_false(nic.allmulti);
	for (unsigned n = 0; n < 3; n++) {
		a = address(n);
		assert_int_equal(inet_add(port, &a, 64), 0);
		for (unsigned i = 0; i <= n; i++)
			assert_true(takes_solicited(i));
		assert_true(device_takes(group(NETDEV_GROUPS - 1)));
	}
	for (unsigned n = 0; n < NETDEV_GROUPS; n++)
		assert_int_equal(maddr_del(port, group(n)), 0);
	assert_false(nic.allmulti);
	assert_false(device_takes(group(0)));
	assert_int_equal(nic.ngroups, port->groups->n);
	for (unsigned n = 0; n < 3; n++)
		assert_true(takes_solicited(n)); /* none was forgotten */
}

static void the_operator_s_groups_leave_room_for_those_of_all_addresses(void **state)
{
	struct inet_addr a;

	(void)state;
	for (unsigned n = 0; n < MADDRS_FIXED; n++)
		assert_int_equal(maddr_add(port, group(n)), 0);
	assert_int_equal(maddr_add(port, group(MADDRS_FIXED)), -ENOSPC);
	assert_int_equal(maddr_add(port, group(7)), -EEXIST);
	for (unsigned n = 0; (a = address(n), inet_add(port, &a, 64) == 0); n++)
		;
	assert_in_range(port->groups->n, MADDRS_FIXED + INET_ADDRS_MAX,
			ARRAY_SIZE(port->groups->entry));
	inet_port_gone(port);
	assert_int_equal(port->groups->n, MADDRS_FIXED);
}

/* --- order --- */

enum { FRAMES = 8 };

static struct napi *backlog[MAX_CPUS];
static unsigned next_frame; /* number of the stream's next */

void napi_enable(struct napi *napi)
{
	backlog[napi->cpu] = napi;
	napi->ops->irq_unmask(napi);
}

void napi_schedule(struct napi *napi)
{
	while (napi->poll(napi, NAPI_POLL_MAX))
		;
	napi->ops->irq_unmask(napi);
}

static void steer_over_both_cores(void)
{
	struct word words[2] = { { "echo", 1 }, { "3", 6 } };
	struct shell sh = { .word = words, .nwords = 2 };

	set_for_each(f, procfiles)
		if (!strcmp(f->path, "/sys/class/net/*/queues/*/rps_cpus"))
			assert_int_equal(f->store(&sh, (char[]){ "nic0/rx-0" }, &words[1]), 0);
}

/*
 * The NIC, in a switch with the others, has a flow for station 2 behind p1, its packets
 * steered over both cores.
 */
static void steered(uint32_t features)
{
	net_switch();
	put(1, frame_udp(2, 1, 1, 1));
	sent(2);
	nic.features = features;
	nic.features_changed(&nic);
	steer_over_both_cores();
	next_frame = 0;
}

/* The next frames of the flow are in the device's ring. */
static void arrive(void)
{
	static const struct stream s = { .port = 1000, .host = 1 };
	static uint8_t payload[STREAM_BYTES];

	for (unsigned i = 0; i < FRAMES; i++, next_frame++)
		ring[nring++] = stream_pkt(&s, payload, next_frame * SIZE, SIZE, next_frame,
					   STREAM_ACK, PKT_BUF_SIZE);
}

/* They come, and core @cpu polls; GRO holds them if its @budget is used up. */
static void come(unsigned cpu, unsigned budget)
{
	unsigned was = host_play(cpu);

	arrive();
	nic.queue[0].napi.poll(&nic.queue[0].napi, budget);
	host_play(was);
	conserved();
}

/* All frames that came have left, in the order of their numbers. */
static void left_in_order(void)
{
	nic.owner_changing(&nic); /* no more is held */
	net_settle();
	assert_int_equal(fake[1].nsent, next_frame);
	for (unsigned i = 0; i < next_frame; i++) {
		const uint8_t *ip = fake[1].sent[i]->data + 14;

		assert_int_equal(be16(load16(ip + 4)), i); /* the identification counts frames */
	}
	conserved();
}

static void change(uint32_t features)
{
	nic.features = features;
	nic.features_changed(&nic);
	conserved();
}

static void no_frame_is_overtaken_when_the_device_s_hash_comes_or_goes(void **state)
{
	(void)state;
	steered(NETDEV_RX_HASH);
	come(0, NAPI_POLL_MAX);
	assert_int_equal(sent(1), 0); /* they wait for core 1 */
	change(0);
	come(0, NAPI_POLL_MAX);
	change(NETDEV_RX_HASH);
	come(0, NAPI_POLL_MAX);
	change(0);
	come(0, NAPI_POLL_MAX);
	left_in_order();
}

/*
 * what is held waits in front of what is steered: it has to go first, and
 * to where the old hash says
 */
static void nor_is_one_that_gro_holds(void **state)
{
	(void)state;
	steered(NETDEV_RX_HASH | NETDEV_GRO);
	come(0, FRAMES);
	assert_int_equal(gro_held(port), FRAMES);
	change(NETDEV_GRO);
	assert_int_equal(gro_held(port), 0);
	come(0, NAPI_POLL_MAX);
	change(NETDEV_RX_HASH | NETDEV_GRO);
	come(0, FRAMES);
	change(0);
	come(0, NAPI_POLL_MAX);
	left_in_order();
}

/*
 * One that was taken in the queue's interrupt was told of then; and it came later
 * than what waits already.
 */
static void nor_is_one_that_waits_behind_an_interrupt(void **state)
{
	(void)state;
	steered(NETDEV_RX_HASH | NETDEV_GRO);
	come(0, FRAMES);
	arrive();
	taken.n = nic.queue[0].policy.take(&nic.queue[0].napi, taken.pkts, RING);
	change(0);
	netif_rx_settle(&taken); /* its softirq */
	come(0, NAPI_POLL_MAX);
	left_in_order();
}

static void no_frame_is_overtaken_when_another_core_owns_the_queue(void **state)
{
	(void)state;
	steered(NETDEV_RX_HASH);
	come(0, NAPI_POLL_MAX);
	nic.owner_changing(&nic);
	come(1, NAPI_POLL_MAX); /* its own: it asks no backlog */
	nic.owner_changing(&nic);
	come(0, NAPI_POLL_MAX);
	left_in_order();
}

static void nor_is_one_that_gro_held_for_the_old_owner(void **state)
{
	(void)state;
	steered(NETDEV_RX_HASH | NETDEV_GRO);
	come(0, FRAMES);
	nic.owner_changing(&nic);
	assert_int_equal(gro_held(port), 0);
	change(NETDEV_RX_HASH);
	come(1, NAPI_POLL_MAX);
	left_in_order();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(a_full_table_makes_the_device_take_all_groups_till_there_is_room),
		TEST(the_operator_s_groups_leave_room_for_those_of_all_addresses),
		TEST(no_frame_is_overtaken_when_the_device_s_hash_comes_or_goes),
		TEST(nor_is_one_that_gro_holds),
		TEST(nor_is_one_that_waits_behind_an_interrupt),
		TEST(no_frame_is_overtaken_when_another_core_owns_the_queue),
		TEST(nor_is_one_that_gro_held_for_the_old_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
