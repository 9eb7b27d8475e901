/* SPDX-License-Identifier: MIT */
/*
 * cmd_net.c - commands about the driver: its queues' figures, a reset, the control queue
 */
#include "command.h"
#include "console.h"
#include "lib.h"
#include "virtio_net.h"

enum { CTRL_BYTES = 256 };

/* reset [NIC [FEATURES [VECTORS]]] */
static void reset(int n, char **word)
{
	uint64_t i = word_number(n, word, 1, 0);
	struct net_device *dev = &nic[i];
	const char *wrong;

	if (i >= nnics) {
		answer_fail("there is no nic%lu", i);
		return;
	}
	dev->wanted = word_number(n, word, 2, dev->wanted) & VIRTNET_FEATURES;
	dev->max_vectors = word_number(n, word, 3, dev->max_vectors);
	virtnet_remove(dev);
	wrong = virtnet_probe(dev);
	if (wrong)
		answer_fail("%s", wrong);
	else
		answer_ok("nic%lu features %lx vectors %u", i, dev->vdev.features,
			  dev->vdev.nvectors);
}

static void queue_line(unsigned i, const struct virtqueue *vq)
{
	say("  nic%u %s buffers %lu kicks %lu suppressed %lu interrupts %lu free %u of %u\n", i,
	    vq->name, vq->buffers, vq->kicks, vq->suppressed, vq->interrupts, vq->num_free,
	    vq->vring.num);
}

static void queues(int n, char **word)
{
	(void)n;
	(void)word;
	for (unsigned i = 0; i < nnics; i++) {
		struct net_device *dev = &nic[i];

		for (unsigned q = 0; q < dev->vdev.nvqs; q++)
			queue_line(i, dev->vdev.vq[q]);
		say("  nic%u status %x polls %lu resets %lu config_changes %lu features %lx "
		    "vectors %u\n",
		    i, vp_get_status(&dev->vdev), dev->stats.polls, dev->stats.resets,
		    dev->vdev.config_changes, dev->vdev.features, dev->vdev.nvectors);
	}
	answer_ok("skbs free %u of %u", skb_available(), SKBS);
}

/* hex digits in pairs; returns how many bytes, or -1 */
static int parse_hex(const char *s, uint8_t *bytes, unsigned max)
{
	unsigned n = 0;

	for (; s[0]; s += 2) {
		char pair[5] = { '0', 'x', s[0], s[1] };
		uint64_t v;
		const char *end = parse_number(pair, &v);

		if (n == max || !end || *end || !s[1])
			return -1;
		bytes[n++] = v;
	}
	return n;
}

/* ctrl NIC CLASS COMMAND [HEX] */
static void ctrl(int n, char **word)
{
	uint64_t i = word_number(n, word, 1, NICS);
	uint8_t data[CTRL_BYTES];
	int len = n > 4 ? parse_hex(word[4], data, sizeof(data)) : 0, ack;

	if (n < 4 || i >= nnics || len < 0) {
		answer_fail("ctrl NIC CLASS COMMAND [HEX]");
		return;
	}
	ack = virtnet_send_command(&nic[i], word_number(n, word, 2, 0), word_number(n, word, 3, 0),
				   data, len);
	if (ack < 0)
		answer_fail("no answer");
	else
		answer_ok("ack %d", ack);
}

COMMAND(command_reset, .name = "reset", .usage = "[NIC [FEATURES [VECTORS]]]",
	.help = "reset the device and probe it again", .run = reset);
COMMAND(command_queues, .name = "queues", .usage = "",
	.help = "kicks, interrupts, free descriptors, device status", .run = queues);
COMMAND(command_ctrl, .name = "ctrl", .usage = "NIC CLASS COMMAND [HEX]",
	.help = "a command over the control queue; answers with the device's ack", .run = ctrl);
