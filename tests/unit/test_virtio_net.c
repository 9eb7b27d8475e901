/* SPDX-License-Identifier: MIT */
/* links: vmm/virtio_net.c vmm/virtio_ctrl.c vmm/virtq.c vmm/virtio_pci.c vmm/virtio_common.c vmm/access.c vmm/bus.c vmm/vpci.c vmm/vpci_bar.c vmm/vpci_irq.c tests/unit/fake_guest.c tests/unit/fake_driver.c tests/unit/host.c */
/*
 * test_virtio_net.c - the network device: what it offers, how it drives
 * vhost, and its control queue
 *
 * vhost is a notebook. The control queue is real, in guest memory of 256 KiB,
 * and so are the registers.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/pci_regs.h"
#include "tests/unit/fake_driver.h"
#include "tests/unit/fake_guest.h"
#include "vmm/virtio_ctrl.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_regs.h"

enum {
	SLOT = 1,
	PIN = VPCI_INTX_PIN(SLOT),
	COMMON = 0,
	ISR = 0x400,
	CONFIG = 0x800,
	TABLE = 0x1000
};
enum { RX, TX, CTRL };

#define OFFLOADS                                                                       \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |         \
	 VIRTIO_NET_F_HOST_USO | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 |   \
	 VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_GUEST_USO4 | VIRTIO_NET_F_GUEST_USO6 | \
	 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)
#define ALL                                                                                   \
	(OFFLOADS | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX |        \
	 VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU | \
	 VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA |           \
	 VIRTIO_NET_F_CTRL_MAC_ADDR)

static struct fake_ram ram;
static struct fake_driver ctrl;
static struct virtio_net *net;
static uint64_t command_gpa, ack_gpa;

/* --- vhost --- */

static char notes[512];
static int open_error;
static const char *ring_fault;

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t have = strlen(notes);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(notes + have, sizeof(notes) - have, fmt, ap);
	va_end(ap);
}

static const char *noted(void)
{
	static char copy[sizeof(notes)];

	strcpy(copy, notes);
	notes[0] = 0;
	return copy;
}

int vhost_net_open(struct vhost_net *n, struct vm *vm, const char *name, const uint8_t mac[6],
		   unsigned mtu, unsigned cpu)
{
	n->vm = vm;
	note("open %s %02x:%02x:%02x:%02x:%02x:%02x %u on %u; ", name, mac[0], mac[1], mac[2],
	     mac[3], mac[4], mac[5], mtu, cpu);
	return open_error;
}

void vhost_set_owner(struct vhost_net *n)
{
	(void)n;
	note("owner; ");
}

void vhost_set_features(struct vhost_net *n, uint64_t features)
{
	n->features = features;
	note("features %lx; ", (unsigned long)features);
}

void vhost_set_offloads(struct vhost_net *n, uint64_t features)
{
	(void)n;
	note("offloads %lx; ", (unsigned long)features);
}

int vhost_set_vring(struct vhost_net *n, unsigned index, unsigned size, uint64_t desc,
		    uint64_t avail, uint64_t used)
{
	note("vring %u %u %lx %lx %lx; ", index, size, (unsigned long)desc, (unsigned long)avail,
	     (unsigned long)used);
	n->vring[index].vq.broken = ring_fault;
	return ring_fault ? -EINVAL : 0;
}

void vhost_set_vring_call(struct vhost_net *n, unsigned index,
			  void (*call)(void *arg, unsigned index), void *arg)
{
	n->vring[index].call = call;
	n->vring[index].call_arg = arg;
	note("call %u; ", index);
}

void vhost_net_set_backend(struct vhost_net *n, unsigned index)
{
	(void)n;
	note("backend %u; ", index);
}

void vhost_net_stop_vring(struct vhost_net *n, unsigned index)
{
	(void)n;
	note("stop %u; ", index);
}

void vhost_net_stop(struct vhost_net *n)
{
	(void)n;
	note("stop; ");
}

void vhost_kick(struct vhost_net *n, unsigned index)
{
	(void)n;
	assert_int_equal(guest.lock.locked, 0);
	note("kick %u; ", index);
}

/* --- the driver --- */

static void set(unsigned at, unsigned size, uint64_t value)
{
	store(cfg_bar(SLOT, 1) + COMMON + at, size, value);
}

static uint64_t get(unsigned at, unsigned size)
{
	return load(cfg_bar(SLOT, 1) + COMMON + at, size);
}

static uint8_t status(void)
{
	return get(VIRTIO_DEVICE_STATUS, 1);
}

static bool negotiate(uint64_t features)
{
	set(VIRTIO_DEVICE_STATUS, 1, 0);
	set(VIRTIO_DEVICE_STATUS, 1, 3);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 4, 0);
	set(VIRTIO_DRIVER_FEATURE, 4, (uint32_t)features);
	set(VIRTIO_DRIVER_FEATURE_SELECT, 4, 1);
	set(VIRTIO_DRIVER_FEATURE, 4, features >> 32);
	set(VIRTIO_DEVICE_STATUS, 1, 11);
	return status() & VIRTIO_STATUS_FEATURES_OK;
}

static void enable(unsigned q, unsigned size, uint64_t desc, uint64_t avail, uint64_t used)
{
	set(VIRTIO_QUEUE_SELECT, 2, q);
	set(VIRTIO_QUEUE_SIZE, 2, size);
	set(VIRTIO_QUEUE_DESC, 8, desc);
	set(VIRTIO_QUEUE_DRIVER, 8, avail);
	set(VIRTIO_QUEUE_DEVICE, 8, used);
	set(VIRTIO_QUEUE_ENABLE, 2, 1);
}

static void ring(unsigned q)
{
	out(cfg_bar(SLOT, 0) + 4 * q, 2, q);
}

/* drive() - all three queues, the control queue's rings in guest memory. */
static void drive(uint64_t features)
{
	assert_true(negotiate(features));
	enable(RX, 256, 0x1000, 0x2000, 0x3000);
	enable(TX, 256, 0x4000, 0x5000, 0x6000);
	if (features & VIRTIO_NET_F_CTRL_VQ) {
		driver_up(&ctrl, &ram, 64, features & VIRTIO_F_EVENT_IDX, 0);
		enable(CTRL, 64, ctrl.desc_gpa, ctrl.avail_gpa, ctrl.used_gpa);
	}
	set(VIRTIO_DEVICE_STATUS, 1, 15);
	assert_int_equal(status(), 15);
	noted();
}

/* expose() - a command of @len bytes, in pieces of @piece bytes, with room for the answer. */
static void expose(const void *command, unsigned len, unsigned piece)
{
	unsigned n = 0;

	memcpy(ram_at(&ram, command_gpa, len + 1), command, len);
	*ram_at(&ram, ack_gpa, 1) = 0x77;
	for (unsigned at = 0; at < len; at += piece, n++)
		driver_desc(&ctrl, n, command_gpa + at, MIN(piece, len - at), VIRTQ_DESC_F_NEXT,
			    n + 1);
	driver_desc(&ctrl, n, ack_gpa, 1, VIRTQ_DESC_F_WRITE, 0);
	driver_expose(&ctrl, 0);
}

static uint8_t answer(void)
{
	struct virtq_used_elem e;

	assert_true(driver_used(&ctrl, &e));
	assert_int_equal(e.id, 0);
	assert_int_equal(e.len, 1);
	return *ram_at(&ram, ack_gpa, 1);
}

static uint8_t command_in(const void *command, unsigned len, unsigned piece)
{
	expose(command, len, piece);
	assert_true(driver_kicks(&ctrl));
	ring(CTRL);
	return answer();
}

static uint8_t command(const void *c, unsigned len)
{
	return command_in(c, len, len);
}

static uint8_t mode(uint8_t which, uint8_t on)
{
	const uint8_t c[] = { VIRTIO_NET_CTRL_RX, which, on };

	return command(c, sizeof(c));
}

struct tables {
	uint8_t bytes[2048];
	unsigned len;
};

static void tables_begin(struct tables *t)
{
	t->bytes[0] = VIRTIO_NET_CTRL_MAC;
	t->bytes[1] = VIRTIO_NET_MAC_TABLE_SET;
	t->len = 2;
}

/* @n addresses, the first of them @first and so on by their last byte */
static void tables_add(struct tables *t, const uint8_t first[6], uint32_t n)
{
	memcpy(t->bytes + t->len, &n, sizeof(n));
	t->len += sizeof(n);
	for (unsigned i = 0; i < n; i++, t->len += 6) {
		memcpy(t->bytes + t->len, first, 6);
		t->bytes[t->len + 5] += i;
	}
}

static const uint8_t own[6] = { 0x52, 0x54, 0x00, 0x12, 3, 1 };
static const uint8_t other[6] = { 0x52, 0x54, 0x00, 0xaa, 0, 0x10 };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0, 0, 0x20 };
static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool wants(const uint8_t mac[6])
{
	uint8_t frame[14] = { 0 };

	memcpy(frame, mac, 6);
	return net->vhost.wants(net->vhost.broken_arg, frame);
}

static struct virtio_net_options options(void)
{
	return (struct virtio_net_options){ .name = "g3p0", .mtu = 1500, .vectors = 3, .cpu = 1 };
}

static void machine_up(void)
{
	host_cores(2);
	guest_up();
	guest.id = 3;
	ram_up(&ram, 256 * 1024);
	ram_take(&ram, 0x10000, 4096); /* what RX and TX name */
	guest.mem = ram.map;
	command_gpa = ram_take(&ram, 4096, 64);
	ack_gpa = ram_take(&ram, 64, 64);
	notes[0] = 0;
	open_error = 0;
	ring_fault = NULL;
}

static int plug(const struct virtio_net_options *o)
{
	const char *why = NULL;

	machine_up();
	net = virtio_net_create(&guest, o, &why);
	assert_non_null(net);
	assert_null(why);
	return 0;
}

static int up(void **state)
{
	const struct virtio_net_options o = options();

	(void)state;
	return plug(&o);
}

static int down(void **state)
{
	(void)state;
	ram_down(&ram);
	return 0;
}

/* --- what it is --- */

static void opens_a_port_with_an_address_made_of_the_guests_number_and_its_own(void **state)
{
	struct virtio_net_options o = options();
	const char *why;

	(void)state;
	assert_string_equal(noted(), "open g3p0 52:54:00:12:03:01 1500 on 1; ");
	guest.nports = 1;
	assert_non_null(virtio_net_create(&guest, &o, &why));
	assert_string_equal(noted(), "open g3p0 52:54:00:12:03:02 1500 on 1; ");
	memcpy(o.mac, other, 6);
	o.mtu = 9000;
	assert_non_null(virtio_net_create(&guest, &o, &why));
	assert_string_equal(noted(), "open g3p0 52:54:00:aa:00:10 9000 on 1; ");
}

static void tells_its_address_link_and_mtu(void **state)
{
	struct virtio_net_config c;
	uint64_t at = cfg_bar(SLOT, 1) + CONFIG;

	(void)state;
	for (unsigned i = 0; i < sizeof(c); i++)
		((uint8_t *)&c)[i] = load(at + i, 1);
	assert_memory_equal(c.mac, own, 6);
	assert_int_equal(c.status, VIRTIO_NET_S_LINK_UP);
	assert_int_equal(c.max_virtqueue_pairs, 1);
	assert_int_equal(c.mtu, 1500);
	assert_int_equal(load(at + 10, 2), 1500);
}

static void offers_what_it_can_do(void **state)
{
	uint64_t features;

	(void)state;
	features = get(VIRTIO_DEVICE_FEATURE, 4);
	set(VIRTIO_DEVICE_FEATURE_SELECT, 4, 1);
	features |= get(VIRTIO_DEVICE_FEATURE, 4) << 32;
	assert_true(features == ALL);
	assert_int_equal(get(VIRTIO_NUM_QUEUES, 2), 3);
	for (unsigned q = RX; q <= CTRL; q++) {
		set(VIRTIO_QUEUE_SELECT, 2, q);
		assert_int_equal(get(VIRTIO_QUEUE_SIZE, 2), q == CTRL ? 64 : 256);
	}
}

static void refuses_what_cannot_be(void **state)
{
	struct {
		struct virtio_net_options o;
		int err;
		const char *why;
	} cases[] = {
		{ options(), 0, "the MTU must be 68 to 9000" },
		{ options(), 0, "the MTU must be 68 to 9000" },
		{ options(), 0, "a port has 3, 2 or 0 interrupt vectors" },
		{ options(), 0, "there is no such core for the worker" },
		{ options(), 0, "a group address is no port's MAC address" },
		{ options(), -EEXIST, "there is a port of that name" },
		{ options(), -ENOSPC, "no more ports" },
		{ options(), -ENOMEM, "no memory for its queue" },
	};

	(void)state;
	cases[0].o.mtu = 67;
	cases[1].o.mtu = 9001;
	cases[2].o.vectors = 1;
	cases[3].o.cpu = 2;
	cases[4].o.mac[0] = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;

		open_error = cases[i].err;
		assert_null(virtio_net_create(&guest, &cases[i].o, &why));
		assert_string_equal(why, cases[i].why);
	}
	assert_int_equal(cfg(SLOT + 1, PCI_VENDOR_ID, 2), 0xffff);
}

static void says_when_memory_or_slots_run_out(void **state)
{
	const struct virtio_net_options o = options();
	const char *why = NULL;

	(void)state;
	host_mem_left = 100;
	assert_null(virtio_net_create(&guest, &o, &why));
	assert_string_equal(why, "no memory");
	host_mem_left = SIZE_MAX;
	for (unsigned i = SLOT + 1; i < VPCI_DEVICES; i++)
		assert_non_null(virtio_net_create(&guest, &o, &why));
	assert_null(virtio_net_create(&guest, &o, &why));
	assert_string_equal(why, "no free slot on the PCI bus");
}

/* --- its life --- */

static void refuses_features_that_need_a_control_queue_without_one(void **state)
{
	static const uint64_t needy[] = { VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_RX_EXTRA,
					  VIRTIO_NET_F_CTRL_MAC_ADDR };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(needy); i++) {
		noted();
		assert_false(negotiate(VIRTIO_F_VERSION_1 | needy[i]));
		assert_string_equal(noted(), "stop; ");
		assert_true(negotiate(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CTRL_VQ | needy[i]));
	}
	assert_false(negotiate(ALL & ~VIRTIO_F_VERSION_1));
	assert_false(negotiate(ALL | BIT(9))); /* ECN in long frames: not offered */
	assert_true(negotiate(VIRTIO_F_VERSION_1));
}

static void refuses_segmentation_without_checksums(void **state)
{
	static const struct {
		uint64_t needed, by;
	} pair[] = { { VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO4 },
		     { VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO6 },
		     { VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_USO },
		     { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4 },
		     { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO6 },
		     { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_USO4 },
		     { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_USO6 } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(pair); i++) {
		assert_false(negotiate(VIRTIO_F_VERSION_1 | pair[i].by));
		assert_true(negotiate(VIRTIO_F_VERSION_1 | pair[i].needed | pair[i].by));
		assert_true(negotiate(VIRTIO_F_VERSION_1 | pair[i].needed));
	}
}

static void a_port_without_offloads_offers_none(void **state)
{
	struct virtio_net_options o = options();

	(void)state;
	o.no_offload = true;
	assert_int_equal(plug(&o), 0);
	assert_int_equal(net->pci.offered, ALL & ~OFFLOADS);
	assert_false(negotiate(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CSUM));
}

static void offloads_change_at_run_time_within_what_was_negotiated(void **state)
{
	struct {
		uint8_t class, command;
		uint64_t on;
	} __attribute__((packed)) c = { VIRTIO_NET_CTRL_GUEST_OFFLOADS,
					VIRTIO_NET_GUEST_OFFLOADS_SET, VIRTIO_NET_F_GUEST_CSUM };

	(void)state;
	drive(ALL & ~VIRTIO_NET_F_GUEST_TSO6);
	assert_int_equal(command(&c, sizeof(c)), VIRTIO_NET_OK);
	assert_string_equal(noted(), "offloads 2; ");
	c.on |= VIRTIO_NET_F_GUEST_TSO6;
	assert_int_equal(command(&c, sizeof(c)), VIRTIO_NET_ERR);
	assert_int_equal(command(&c, sizeof(c) - 1), VIRTIO_NET_ERR);
	c.on = 0;
	c.command = 1;
	assert_int_equal(command(&c, sizeof(c)), VIRTIO_NET_ERR);
	assert_string_equal(noted(), "");
	c.command = VIRTIO_NET_GUEST_OFFLOADS_SET;
	drive(ALL & ~VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	assert_int_equal(command(&c, sizeof(c)), VIRTIO_NET_ERR);
	assert_string_equal(noted(), "");
}

static void drives_vhost_in_the_steps_of_its_life(void **state)
{
	(void)state;
	noted();
	negotiate(ALL);
	enable(RX, 128, 0x1000, 0x2000, 0x3000);
	enable(TX, 256, 0x4000, 0x5000, 0x6000);
	assert_string_equal(noted(), "stop; owner; features 1c00001309799af; "
				     "vring 0 128 1000 2000 3000; call 0; "
				     "vring 1 256 4000 5000 6000; call 1; ");
	ring(RX);
	assert_string_equal(noted(), "");
	assert_int_equal(net->pci.early_kicks, 1);
	set(VIRTIO_DEVICE_STATUS, 1, 15);
	assert_string_equal(noted(), "backend 0; backend 1; ");
	ring(RX);
	ring(TX);
	assert_string_equal(noted(), "kick 0; kick 1; ");
	set(VIRTIO_DEVICE_STATUS, 1, 0);
	assert_string_equal(noted(), "stop; ");
	drive(VIRTIO_F_VERSION_1);
	assert_true(net->vhost.features == VIRTIO_F_VERSION_1);
}

static void a_queue_that_was_not_enabled_is_not_served(void **state)
{
	(void)state;
	negotiate(ALL);
	enable(TX, 256, 0x4000, 0x5000, 0x6000);
	noted();
	set(VIRTIO_DEVICE_STATUS, 1, 15);
	assert_string_equal(noted(), "backend 1; ");
}

static void vhosts_calls_become_the_queues_vectors(void **state)
{
	(void)state;
	drive(ALL);
	for (unsigned v = 0; v < 3; v++)
		msix_program(cfg_bar(SLOT, 1) + TABLE, v, 0x50 + v);
	msix_control(SLOT, PCI_MSIX_ENABLE, 0);
	set(VIRTIO_CONFIG_VECTOR, 2, 0);
	for (unsigned q = RX; q <= TX; q++) {
		set(VIRTIO_QUEUE_SELECT, 2, q);
		set(VIRTIO_QUEUE_VECTOR, 2, q + 1);
	}
	for (unsigned q = RX; q <= TX; q++)
		net->vhost.vring[q].call(net->vhost.vring[q].call_arg, q);
	net->vhost.vring[TX].call(net->vhost.vring[TX].call_arg, TX);
	assert_int_equal(guest_msi[0x51], 1);
	assert_int_equal(guest_msi[0x52], 2);
	net->vhost.broken(net->vhost.broken_arg, TX,
			  "a chain that loops"); /* but not since it was set up */
	assert_int_equal(status(), 15);
	net->vhost.vring[TX].vq.broken = "a chain that loops";
	net->vhost.broken(net->vhost.broken_arg, TX, net->vhost.vring[TX].vq.broken);
	assert_int_equal(guest_msi[0x50], 1);
	assert_int_equal(status(), 15 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(net->pci.broken, "a chain that loops");
	drive(ALL);
}

static void rings_outside_memory_need_a_reset(void **state)
{
	(void)state;
	negotiate(ALL);
	ring_fault = "rings that are misaligned or not in memory";
	enable(RX, 256, 0xfffff000, 0x2000, 0x3000);
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(net->pci.broken, ring_fault);
	ring_fault = NULL;
	negotiate(ALL);
	enable(CTRL, 64, 0x1000, 0x2000, 256 * 1024); /* the real queue says so itself */
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(net->pci.broken, "rings that are misaligned or not in memory");
	negotiate(ALL & ~(OFFLOADS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |
			  VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_CTRL_MAC_ADDR));
	enable(CTRL, 64, 0x1000, 0x2000, 0x3000);
	assert_int_equal(status(), 11 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(net->pci.broken, "a control queue, which was not negotiated");
	drive(ALL);
}

/* --- the filter, and the commands that set it --- */

static void a_driver_that_says_nothing_gets_everything(void **state)
{
	(void)state;
	drive(VIRTIO_F_VERSION_1);
	assert_true(wants(own) && wants(other) && wants(group) && wants(all));
	drive(ALL);
	assert_true(wants(own) && wants(other) && wants(group) && wants(all));
}

static void out_of_promiscuous_mode_its_own_address_and_broadcast_are_left(void **state)
{
	(void)state;
	drive(ALL);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_OK);
	assert_true(wants(own) && wants(all));
	assert_false(wants(other) || wants(group));
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 1), VIRTIO_NET_OK);
	assert_true(wants(other) && wants(group));
}

static void each_mode_does_what_it_says(void **state)
{
	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	assert_int_equal(mode(VIRTIO_NET_RX_ALLMULTI, 1), VIRTIO_NET_OK);
	assert_true(wants(group) && !wants(other));
	assert_int_equal(mode(VIRTIO_NET_RX_NOMULTI, 1), VIRTIO_NET_OK);
	assert_true(!wants(group) && wants(own) && wants(all));
	assert_int_equal(mode(VIRTIO_NET_RX_ALLUNI, 1), VIRTIO_NET_OK);
	assert_true(wants(other) && !wants(group));
	assert_int_equal(mode(VIRTIO_NET_RX_NOUNI, 1), VIRTIO_NET_OK);
	assert_true(!wants(other) && !wants(own) && wants(all));
	assert_int_equal(mode(VIRTIO_NET_RX_NOBCAST, 1), VIRTIO_NET_OK);
	assert_false(wants(all));
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 1), VIRTIO_NET_OK); /* above all of them */
	assert_true(wants(own) && wants(other) && wants(group) && wants(all));
	mode(VIRTIO_NET_RX_PROMISC, 0);
	for (unsigned m = VIRTIO_NET_RX_ALLUNI; m <= VIRTIO_NET_RX_NOBCAST; m++)
		assert_int_equal(mode(m, 0), VIRTIO_NET_OK);
	assert_true(wants(own) && wants(all) && wants(group) && !wants(other));
	assert_int_equal(net->control_commands, 12);
	assert_int_equal(net->control_refused, 0);
}

static void the_table_adds_addresses_and_replaces_the_one_before(void **state)
{
	struct tables t;
	uint8_t second[6];

	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	tables_begin(&t);
	tables_add(&t, other, 2);
	tables_add(&t, group, 3);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
	memcpy(second, other, 6);
	second[5]++;
	assert_true(wants(other) && wants(second) && wants(group) && wants(own));
	second[5]++;
	assert_false(wants(second));
	tables_begin(&t);
	tables_add(&t, other, 0);
	tables_add(&t, group, 1);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
	assert_true(wants(group) && wants(own) && !wants(other));
	assert_int_equal(net->nmacs, 1);
}

static void a_table_longer_than_ours_lets_everything_in(void **state)
{
	struct tables t;
	static const uint8_t stranger[6] = { 2, 2, 2, 2, 2, 2 };

	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	tables_begin(&t);
	tables_add(&t, other, 30);
	tables_add(&t, group, 2);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
	assert_int_equal(net->nmacs, VIRTIO_NET_MACS);
	assert_false(wants(stranger));
	for (unsigned extra = 0; extra < 2; extra++) {
		tables_begin(&t);
		tables_add(&t, other, extra ? 200 : 30);
		tables_add(&t, group, extra ? 0 : 3);
		assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
		assert_true(wants(stranger));
		assert_true(net->nmacs <= VIRTIO_NET_MACS);
	}
	tables_begin(&t);
	tables_add(&t, other, 0);
	tables_add(&t, group, 0);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
	assert_false(wants(stranger));
}

static void a_new_address_shows_in_the_configuration(void **state)
{
	uint8_t c[8] = { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_MAC_ADDR_SET };
	uint8_t generation;

	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	generation = get(VIRTIO_CONFIG_GENERATION, 1);
	memcpy(c + 2, other, 6);
	assert_int_equal(command(c, sizeof(c)), VIRTIO_NET_OK);
	assert_true(wants(other) && !wants(own));
	assert_int_equal(load(cfg_bar(SLOT, 1) + CONFIG + 5, 1), other[5]);
	assert_int_not_equal(get(VIRTIO_CONFIG_GENERATION, 1), generation);
	memcpy(c + 2, group, 6);
	assert_int_equal(command(c, sizeof(c)), VIRTIO_NET_ERR);
	assert_true(wants(other) && !wants(group));
	set(VIRTIO_DEVICE_STATUS, 1, 0);
	assert_int_equal(load(cfg_bar(SLOT, 1) + CONFIG + 5, 1), own[5]);
}

static void a_reset_forgets_the_filter(void **state)
{
	struct tables t;

	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	mode(VIRTIO_NET_RX_NOBCAST, 1);
	tables_begin(&t);
	tables_add(&t, other, 2);
	tables_add(&t, group, 3);
	command(t.bytes, t.len);
	drive(ALL);
	assert_true(wants(own) && wants(other) && wants(group) && wants(all));
	mode(VIRTIO_NET_RX_PROMISC, 0);
	assert_true(wants(own) && wants(all) && !wants(other) && !wants(group));
}

static void a_filter_that_is_changing_lets_everything_in(void **state)
{
	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	net->filter_seq++;
	assert_true(wants(other) && wants(group));
	net->filter_seq++;
	assert_false(wants(other) || wants(group));
}

static void malformed_commands_are_answered_with_an_error_and_change_nothing(void **state)
{
	static const struct {
		unsigned len;
		uint8_t bytes[20];
	} bad[] = {
		{ 1, { 0 } },          /* no command */
		{ 2, { 0, 0 } },       /* no data */
		{ 3, { 0, 0, 2 } },    /* neither off nor on */
		{ 4, { 0, 0, 0, 0 } }, /* more than a byte */
		{ 3, { 0, 6, 0 } },    /* no such mode */
		{ 3, { 0, 255, 0 } },
		{ 3, { 2, 0, 0 } }, /* no such class: VLANs were not offered */
		{ 3, { 255, 0, 0 } },
		{ 3, { 1, 2, 0 } },
		{ 2, { 1, 0 } },                             /* no tables */
		{ 5, { 1, 0, 0, 0, 0 } },                    /* less than a count */
		{ 6, { 1, 0, 0, 0, 0, 0 } },                 /* one table only */
		{ 11, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 } }, /* and a byte behind them */
		{ 10, { 1, 0, 1, 0, 0, 0, 0, 0, 0, 0 } },    /* fewer addresses than counted */
		{ 10, { 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 } },
		{ 12, { 1, 0, 0xab, 0xaa, 0xaa, 0x2a, 2, 2, 0, 0, 0, 0 } }, /* 6 times that is 2 */
		{ 7, { 1, 1, 2, 2, 2, 2, 2 } },       /* less than an address */
		{ 9, { 1, 1, 2, 2, 2, 2, 2, 2, 2 } }, /* more */
	};

	(void)state;
	drive(ALL);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(command(bad[i].bytes, bad[i].len), VIRTIO_NET_ERR);
	assert_int_equal(net->control_refused, ARRAY_SIZE(bad));
	assert_true(net->promisc);
	assert_int_equal(net->nmacs, 0);
	assert_memory_equal(net->own_mac, own, 6);
	assert_int_equal(status(), 15);
}

static void commands_that_were_not_negotiated_are_refused(void **state)
{
	const uint64_t least = VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CTRL_VQ;
	uint8_t address[8] = { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_MAC_ADDR_SET, 2 };
	struct tables t;

	(void)state;
	tables_begin(&t);
	tables_add(&t, other, 1);
	tables_add(&t, group, 1);
	drive(least);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_ERR);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_ERR);
	assert_int_equal(command(address, sizeof(address)), VIRTIO_NET_ERR);
	drive(least | VIRTIO_NET_F_CTRL_RX);
	assert_int_equal(mode(VIRTIO_NET_RX_ALLMULTI, 1), VIRTIO_NET_OK);
	assert_int_equal(mode(VIRTIO_NET_RX_ALLUNI, 1), VIRTIO_NET_ERR);
	assert_int_equal(command(t.bytes, t.len), VIRTIO_NET_OK);
	assert_int_equal(command(address, sizeof(address)), VIRTIO_NET_ERR);
	drive(least | VIRTIO_NET_F_CTRL_MAC_ADDR);
	assert_int_equal(command(address, sizeof(address)), VIRTIO_NET_OK);
}

static void a_command_may_lie_in_any_number_of_pieces(void **state)
{
	struct tables t;

	(void)state;
	drive(ALL);
	mode(VIRTIO_NET_RX_PROMISC, 0);
	tables_begin(&t);
	tables_add(&t, other, 2);
	tables_add(&t, group, 2);
	for (unsigned piece = 1; piece <= t.len; piece++) {
		assert_int_equal(command_in(t.bytes, t.len, piece), VIRTIO_NET_OK);
		assert_true(wants(other) && wants(group));
		assert_int_equal(net->nmacs, 4);
		net->nmacs = 0;
	}
}

static void several_commands_are_carried_out_for_one_kick(void **state)
{
	const uint8_t off[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_RX_PROMISC, 0 };

	(void)state;
	drive(ALL);
	for (unsigned i = 0; i < 5; i++)
		expose(off, sizeof(off), sizeof(off));
	ring(CTRL);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(answer(), VIRTIO_NET_OK);
	assert_int_equal(net->control_commands, 5);
}

static void a_command_without_room_for_the_answer_is_not_carried_out(void **state)
{
	const uint8_t off[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_RX_PROMISC, 0 };
	struct virtq_used_elem e;

	(void)state;
	drive(ALL);
	memcpy(ram_at(&ram, command_gpa, sizeof(off)), off, sizeof(off));
	driver_desc(&ctrl, 0, command_gpa, sizeof(off), 0, 0);
	driver_expose(&ctrl, 0);
	ring(CTRL);
	assert_true(driver_used(&ctrl, &e));
	assert_int_equal(e.len, 0);
	assert_true(net->promisc);
	assert_int_equal(net->control_refused, 1);
	/* and the other way round: an answer to nothing */
	driver_desc(&ctrl, 0, ack_gpa, 1, VIRTQ_DESC_F_WRITE, 0);
	driver_expose(&ctrl, 0);
	ring(CTRL);
	assert_int_equal(answer(), VIRTIO_NET_ERR);
}

static void an_answer_interrupts_who_wants_that(void **state)
{
	(void)state;
	drive(ALL & ~VIRTIO_F_EVENT_IDX);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_OK);
	assert_true(guest_line[PIN]);
	assert_int_equal(load(cfg_bar(SLOT, 1) + ISR, 1), VIRTIO_ISR_QUEUE);
	assert_false(guest_line[PIN]);
	driver_want_signal(&ctrl, false);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 1), VIRTIO_NET_OK);
	assert_false(guest_line[PIN]);
}

static void a_control_queue_that_breaks_needs_a_reset(void **state)
{
	(void)state;
	drive(ALL);
	driver_desc(&ctrl, 0, command_gpa, 1, VIRTQ_DESC_F_NEXT, 0); /* itself again */
	driver_expose(&ctrl, 0);
	ring(CTRL);
	assert_int_equal(status(), 15 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(net->pci.broken, "a chain that loops");
	assert_int_equal(net->control_commands, 0);
	ring(CTRL);
	assert_int_equal(net->pci.early_kicks, 1);
	drive(ALL);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_OK);
}

static void after_a_reset_nobody_reads_the_old_queue(void **state)
{
	const uint8_t off[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_RX_PROMISC, 0 };

	(void)state;
	drive(ALL);
	expose(off, sizeof(off), sizeof(off));
	set(VIRTIO_DEVICE_STATUS, 1, 0);
	ring(CTRL);
	virtio_ctrl_kick(net); /* one that was under way on another core */
	assert_int_equal(net->control_commands, 0);
	assert_true(net->promisc);
}

static void without_bus_mastering_nothing_is_served(void **state)
{
	uint32_t command = cfg(SLOT, PCI_COMMAND, 2);
	const uint8_t off[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_RX_PROMISC, 0 };

	(void)state;
	drive(ALL);
	cfg_set(SLOT, PCI_COMMAND, 2, command & ~PCI_COMMAND_MASTER);
	assert_string_equal(noted(), "stop 0; stop 1; ");
	expose(off, sizeof(off), sizeof(off));
	ring(CTRL);
	assert_int_equal(net->control_commands, 0);
	cfg_set(SLOT, PCI_COMMAND, 2, command);
	assert_string_equal(noted(), "backend 0; backend 1; ");
	ring(CTRL);
	assert_int_equal(answer(), VIRTIO_NET_OK);
	/* a reset ends that as well */
	cfg_set(SLOT, PCI_COMMAND, 2, command & ~PCI_COMMAND_MASTER);
	set(VIRTIO_DEVICE_STATUS, 1, 0);
	cfg_set(SLOT, PCI_COMMAND, 2, command);
	drive(ALL);
	assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_OK);
}

/* --- vectors --- */

static void vectors_are_as_asked_for(void **state)
{
	static const unsigned want[] = { 3, 2, 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		struct virtio_net_options o = options();
		unsigned cap;

		ram_down(&ram);
		o.vectors = want[i];
		plug(&o);
		cap = cfg_cap(SLOT, PCI_CAP_ID_MSIX, 0);
		assert_int_equal(!!cap, !!want[i]);
		if (cap)
			assert_int_equal(cfg(SLOT, cap + PCI_MSIX_CONTROL, 2), want[i] - 1);
		drive(ALL);
		assert_int_equal(mode(VIRTIO_NET_RX_PROMISC, 0), VIRTIO_NET_OK);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		TEST(opens_a_port_with_an_address_made_of_the_guests_number_and_its_own),
		TEST(tells_its_address_link_and_mtu),
		TEST(offers_what_it_can_do),
		TEST(refuses_what_cannot_be),
		TEST(says_when_memory_or_slots_run_out),
		TEST(refuses_features_that_need_a_control_queue_without_one),
		TEST(refuses_segmentation_without_checksums),
		cmocka_unit_test_teardown(a_port_without_offloads_offers_none, down),
		TEST(offloads_change_at_run_time_within_what_was_negotiated),
		TEST(drives_vhost_in_the_steps_of_its_life),
		TEST(a_queue_that_was_not_enabled_is_not_served),
		TEST(vhosts_calls_become_the_queues_vectors),
		TEST(rings_outside_memory_need_a_reset),
		TEST(a_driver_that_says_nothing_gets_everything),
		TEST(out_of_promiscuous_mode_its_own_address_and_broadcast_are_left),
		TEST(each_mode_does_what_it_says),
		TEST(the_table_adds_addresses_and_replaces_the_one_before),
		TEST(a_table_longer_than_ours_lets_everything_in),
		TEST(a_new_address_shows_in_the_configuration),
		TEST(a_reset_forgets_the_filter),
		TEST(a_filter_that_is_changing_lets_everything_in),
		TEST(malformed_commands_are_answered_with_an_error_and_change_nothing),
		TEST(commands_that_were_not_negotiated_are_refused),
		TEST(a_command_may_lie_in_any_number_of_pieces),
		TEST(several_commands_are_carried_out_for_one_kick),
		TEST(a_command_without_room_for_the_answer_is_not_carried_out),
		TEST(an_answer_interrupts_who_wants_that),
		TEST(a_control_queue_that_breaks_needs_a_reset),
		TEST(after_a_reset_nobody_reads_the_old_queue),
		TEST(without_bus_mastering_nothing_is_served),
		TEST(vectors_are_as_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
