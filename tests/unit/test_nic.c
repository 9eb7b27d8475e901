/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c kernel/napi_layers.c net/nic.c inet path */
/*
 * test_nic.c - NICs as ports: what a device is told, and what is done before it changes
 *
 * The device is a fake with a list of frames for a ring. NAPI is played here: who wants to, polls.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/netif_rx.h"
#include "drivers/netdev.h"
#include "net/inet/inet.h"
#include "net/inet/maddr.h"
#include "net/nic.h"
#include "tests/unit/fake_net.h"

static struct netdev nic;
static struct port *port; /* above it */
static unsigned programmed;

struct netdev *netdevs[NETDEV_MAX];
unsigned nnetdevs;

/* in place of kernel/netif_rx.c: no queue is received in its interrupts */
uint64_t netif_rx_dropped(const struct netif_rx *rx)
{
	(void)rx;
	return 0;
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
	programmed++;
}

static const struct netdev_ops ops = {
	.open = opened,
	.stop = stopped,
	.set_rx_mode = set_rx_mode,
};

static int up(void **state)
{
	(void)state;
	net_up(2, 2);
	inet_init();
	nic = (struct netdev){ .name = "nic0", .ops = &ops, .mtu = 1500, .link = true };
	nic.mac[0] = 2;
	nic.mac[5] = 9;
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
	net_down();
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(a_full_table_makes_the_device_take_all_groups_till_there_is_room),
		TEST(the_operator_s_groups_leave_room_for_those_of_all_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
