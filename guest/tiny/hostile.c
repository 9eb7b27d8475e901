/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - `hostile CASE`: do to the device what no driver may, and see
 * whether it can be brought back
 *
 * A case writes into the rings behind the driver's back, or sets the device up wrongly. Polls rest
 * meanwhile, since the driver would trust what stands there. Then the device is reset and probed as
 * ever, and has to send a frame.
 */
#include "hostile.h"

#include "apic.h"
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "inet.h"
#include "lib.h"

enum { WAIT_MS = 1000, WAIT_RX_MS = 3000, RECOVER_MS = 1000 };

static const struct abuse *const tables[] = { hostile_rings, hostile_setups };

void hostile_nap(void)
{
	irq_disable();
	apic_wake(1000000);
	cpu_halt();
}

/* needs_reset() - does the device say so within @ms? No polls meanwhile */
static bool needs_reset(struct net_device *dev, unsigned ms)
{
	uint64_t until = clock_in_ms(ms);

	while (!(vp_get_status(&dev->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		if (clock_passed(until))
			return false;
		hostile_nap();
	}
	return true;
}

/* again() - reset and probe, as after any failure. NULL, or what went wrong */
static const char *again(struct net_device *dev, uint64_t wanted)
{
	dev->wanted = wanted;
	virtnet_remove(dev);
	return virtnet_probe(dev);
}

/* recover() - again, and a frame has to go out */
static const char *recover(struct net_device *dev, uint64_t wanted)
{
	const char *wrong = again(dev, wanted);

	if (wrong)
		return wrong;
	arp_send(dev, 0);
	virtnet_flush();
	if (!wait_for(virtnet_tx_idle(dev), RECOVER_MS))
		return "the device sends nothing";
	return vp_get_status(&dev->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET ? "it needs a reset again"
								       : NULL;
}

static void commit(const struct abuse *a, struct net_device *dev, bool rx)
{
	uint64_t wanted = dev->wanted, changes;
	struct virtqueue *vq = rx ? &dev->rq : &dev->sq;
	const char *note = NULL, *wrong = NULL;
	bool reset;

	if (a->indirect)
		wrong = again(dev, wanted | VIRTIO_F_RING_INDIRECT_DESC);
	if (wrong) {
		dev->wanted = wanted;
		answer_fail("%s", wrong);
		return;
	}
	changes = dev->vdev.config_changes;
	if (a->setup)
		note = a->setup(dev, vq);
	else
		a->ring(vq);
	reset = needs_reset(dev, rx ? WAIT_RX_MS : WAIT_MS);
	say("  hostile %s: needs_reset %s config_interrupts %lu status %x%s%s\n", a->name,
	    reset ? "yes" : "no", dev->vdev.config_changes - changes, vp_get_status(&dev->vdev),
	    note ? " " : "", note ? note : "");
	wrong = recover(dev, wanted);
	if (wrong)
		answer_fail("%s", wrong);
	else
		answer_ok("recovered");
}

static const struct abuse *find(const char *name)
{
	for (unsigned t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct abuse *a = tables[t]; a->name; a++)
			if (!strcmp(a->name, name))
				return a;
	return NULL;
}

static void list(void)
{
	for (unsigned t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct abuse *a = tables[t]; a->name; a++)
			say("  %s: %s\n", a->name, a->help);
}

/* hostile CASE [tx|rx [NIC]] */
static void hostile(int n, char **word)
{
	const struct abuse *a = n > 1 ? find(word[1]) : NULL;
	uint64_t i = word_number(n, word, 3, 0);

	if (!a) {
		list();
		answer_fail("hostile CASE [tx|rx [NIC]]");
	} else if (i >= nnics) {
		answer_fail("there is no nic%lu", i);
	} else {
		commit(a, &nic[i], word_is(n, word, 2, "rx"));
	}
}

COMMAND(command_hostile, .name = "hostile", .usage = "CASE [tx|rx [NIC]]",
	.help = "abuse the device, then bring it back", .run = hostile);
