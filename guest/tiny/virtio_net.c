/* SPDX-License-Identifier: MIT */
/*
 * virtio_net.c - the driver of a virtio network device [virtio 1.2 5.1]
 *
 * Everything runs in the main loop: probe, polls, transmit. Interrupts only put a queue on the poll
 * list. Transmit interrupts are off until the ring is full: buffers are freed when the next frames
 * are sent, or polled for.
 */
#include "virtio_net.h"

#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "inet.h"
#include "lib.h"

enum { CTRL_MS = 1000, CTRL_DATA_MAX = 512 };

struct net_device nic[NICS];
unsigned nnics;

/* --- receive --- */

/* try_fill_recv() - buffers into all free descriptors, then one kick */
static void try_fill_recv(struct net_device *dev)
{
	struct virtqueue *rq = &dev->rq;

	while (rq->num_free) {
		struct skb *skb = skb_alloc();
		struct scatterlist sg;

		if (!skb) {
			dev->stats.rx_nomem++;
			break;
		}
		sg = (struct scatterlist){ physical(skb->buf), SKB_ROOM };
		if (!virtqueue_add(rq, &sg, 0, 1, skb)) {
			skb_free(skb);
			break;
		}
	}
	if (rq->num_added)
		virtqueue_kick(rq);
}

/*
 * receive_mergeable() - the further buffers of a frame that did not fit into one
 * [5.1.6.3.2]; false: one is missing
 */
static bool receive_mergeable(struct net_device *dev, struct skb *first, unsigned buffers)
{
	struct skb **end = &first->frag;

	for (; buffers > 1; buffers--) {
		uint32_t len;
		struct skb *skb = virtqueue_get_buf(&dev->rq, &len);

		if (!skb)
			return false;
		skb->data = skb->buf;
		skb->len = MIN(len, (uint32_t)SKB_ROOM);
		first->frame_len += skb->len;
		*end = skb;
		end = &skb->frag;
	}
	return true;
}

/* receive_buf() - one frame out of the ring, upwards */
static void receive_buf(struct net_device *dev, struct skb *skb, uint32_t len)
{
	const struct virtio_net_hdr_mrg_rxbuf *hdr = (const void *)skb->buf;
	bool whole = len >= SKB_HEADER + ETH_HLEN && len <= SKB_ROOM;

	skb->dev = dev;
	skb->data = skb->buf + SKB_HEADER;
	skb->len = skb->frame_len = whole ? len - SKB_HEADER : 0;
	if (whole && dev->mergeable && hdr->num_buffers != 1)
		whole = hdr->num_buffers && receive_mergeable(dev, skb, hdr->num_buffers);
	if (!whole) {
		dev->stats.rx_bad++;
		skb_free(skb);
		return;
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->frame_len;
	netif_receive_skb(skb);
}

static unsigned virtnet_receive(struct net_device *dev, unsigned budget)
{
	unsigned received = 0;
	struct skb *skb;
	uint32_t len;

	while (received < budget && (skb = virtqueue_get_buf(&dev->rq, &len))) {
		receive_buf(dev, skb, len);
		received++;
	}
	if (dev->rq.num_free > MIN(budget, dev->rq.vring.num / 2))
		try_fill_recv(dev);
	return received;
}

static void virtqueue_napi_schedule(struct napi *napi, struct virtqueue *vq)
{
	if (napi_schedule_prep(napi)) {
		virtqueue_disable_cb(vq);
		__napi_schedule(napi);
	}
}

/* virtqueue_napi_complete() - interrupts on again, and a look whether something came in between */
static void virtqueue_napi_complete(struct napi *napi, struct virtqueue *vq)
{
	napi_complete(napi);
	if (!virtqueue_enable_cb(vq))
		virtqueue_napi_schedule(napi, vq);
}

/* --- transmit --- */

static void free_old_xmit(struct net_device *dev)
{
	struct skb *skb;

	while ((skb = virtqueue_get_buf(&dev->sq, NULL)))
		skb_free(skb);
}

/* start_xmit() - into the ring; false: no room, and an interrupt is asked for when there is */
static bool start_xmit(struct net_device *dev, struct skb *skb)
{
	struct scatterlist sg[VIRTQUEUE_SG_MAX];
	unsigned n = 0;

	for (struct skb *s = skb; s && n < VIRTQUEUE_SG_MAX; s = s->frag)
		sg[n++] = (struct scatterlist){ physical(s->data), s->len };
	/*
	 * the header, all zero: no checksum, no segmentation; the same piece as the
	 * start of the frame [2.7.4]
	 */
	memset(skb->data - SKB_HEADER, 0, SKB_HEADER);
	sg[0].addr -= SKB_HEADER;
	sg[0].len += SKB_HEADER;
	if (dev->sq.num_free < n)
		free_old_xmit(dev);
	if (!virtqueue_add(&dev->sq, sg, n, 0, skb)) {
		if (!virtqueue_enable_cb_delayed(&dev->sq))
			virtqueue_napi_schedule(&dev->tx_napi, &dev->sq);
		return false;
	}
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->frame_len;
	return true;
}

bool dev_queue_xmit(struct net_device *dev, struct skb *skb)
{
	if (dev->vdev.ready && !dev->waiting.n && start_xmit(dev, skb))
		return true;
	if (!dev->vdev.ready || dev->waiting.n >= TX_QUEUE_LEN) {
		dev->stats.tx_dropped++;
		skb_free(skb);
		return false;
	}
	dev->stats.tx_waited++;
	skb_queue_tail(&dev->waiting, skb);
	return true;
}

void virtnet_flush(void)
{
	for (unsigned i = 0; i < nnics; i++)
		if (nic[i].vdev.ready && nic[i].sq.num_added)
			virtqueue_kick(&nic[i].sq);
}

bool virtnet_tx_idle(struct net_device *dev)
{
	bool idle;

	do {
		free_old_xmit(dev);
		idle = dev->sq.num_free == dev->sq.vring.num;
	} while (!idle && !virtqueue_enable_cb(&dev->sq));
	return idle && !dev->waiting.n;
}

/* --- polls and their interrupts --- */

/* virtnet_clean_tx() - free what was sent; then there may be room for what waited */
static void virtnet_clean_tx(struct net_device *dev)
{
	free_old_xmit(dev);
	while (dev->waiting.n && start_xmit(dev, dev->waiting.head))
		skb_dequeue(&dev->waiting);
}

static unsigned virtnet_poll(struct napi *napi, unsigned budget)
{
	struct net_device *dev = container_of(napi, struct net_device, rx_napi);
	unsigned received;

	dev->stats.polls++;
	virtnet_clean_tx(dev);
	received = virtnet_receive(dev, budget);
	virtnet_flush(); /* one kick for all that this round sent */
	if (received < budget)
		virtqueue_napi_complete(napi, &dev->rq);
	return received;
}

/* virtnet_poll_tx() - the ring was full and is not any more */
static unsigned virtnet_poll_tx(struct napi *napi, unsigned budget)
{
	struct net_device *dev = container_of(napi, struct net_device, tx_napi);

	(void)budget;
	napi_complete(napi);
	virtnet_clean_tx(dev);
	virtnet_flush();
	return 0;
}

static void skb_recv_done(struct virtqueue *rq)
{
	virtqueue_napi_schedule(&container_of(rq, struct net_device, rq)->rx_napi, rq);
}

static void skb_xmit_done(struct virtqueue *sq)
{
	virtqueue_napi_schedule(&container_of(sq, struct net_device, sq)->tx_napi, sq);
}

/* --- control queue [5.1.6.5] --- */

int virtnet_send_command(struct net_device *dev, uint8_t class, uint8_t cmd, const void *data,
			 unsigned len)
{
	static struct {
		struct virtio_net_ctrl_hdr hdr;
		uint8_t data[CTRL_DATA_MAX];
		volatile uint8_t ack;
	} c;
	struct scatterlist sg[3] = { { physical(&c.hdr), sizeof(c.hdr) },
				     { physical(c.data), len } };
	unsigned out = len ? 2 : 1;

	if (dev->vdev.nvqs <= VQ_CTRL || len > sizeof(c.data))
		return -1;
	c.hdr = (struct virtio_net_ctrl_hdr){ class, cmd };
	memcpy(c.data, data, len);
	c.ack = 0xff;
	sg[out] = (struct scatterlist){ physical(&c.ack), 1 };
	if (!virtqueue_add(&dev->cvq, sg, out, 1, &c))
		return -1;
	virtqueue_kick(&dev->cvq);
	return wait_for(virtqueue_get_buf(&dev->cvq, NULL), CTRL_MS) ? c.ack : -1;
}

/* --- life --- */

static bool init_vqs(struct net_device *dev)
{
	static const struct vq_info info[VP_QUEUES] = {
		[VQ_RX] = { "input.0", skb_recv_done },
		[VQ_TX] = { "output.0", skb_xmit_done },
		[VQ_CTRL] = { "control", NULL },
	};
	bool control = dev->vdev.features & VIRTIO_NET_F_CTRL_VQ;

	dev->vdev.vq[VQ_RX] = &dev->rq;
	dev->vdev.vq[VQ_TX] = &dev->sq;
	dev->vdev.vq[VQ_CTRL] = &dev->cvq;
	if (!vp_find_vqs(&dev->vdev, info, control ? 3 : 2, dev->max_vectors))
		return false;
	virtqueue_disable_cb(&dev->sq);
	return true;
}

static void read_config(struct net_device *dev)
{
	const struct region *config = &dev->vdev.device;

	/*
	 * without the feature the driver chooses one: locally administered, by the device's number
	 */
	memcpy(dev->mac, (uint8_t[6]){ 2, 0, 0, 0, 1, dev->vdev.id }, 6);
	if (dev->vdev.features & VIRTIO_NET_F_MAC)
		for (unsigned i = 0; i < 6; i++)
			dev->mac[i] = ioread8(config, VIRTIO_NET_CONFIG_MAC + i);
	dev->mtu = dev->vdev.features & VIRTIO_NET_F_MTU ? ioread16(config, VIRTIO_NET_CONFIG_MTU)
							 : 1500;
	dev->mergeable = dev->vdev.features & VIRTIO_NET_F_MRG_RXBUF;
}

static void virtnet_open(struct net_device *dev)
{
	dev->rx_napi.poll = virtnet_poll;
	dev->tx_napi.poll = virtnet_poll_tx;
	skb_queue_init(&dev->waiting);
	try_fill_recv(dev);
	/*
	 * a poll by itself: it looks at what came before, and enables the
	 * interrupts when it completes
	 */
	virtqueue_napi_schedule(&dev->rx_napi, &dev->rq);
}

const char *virtnet_probe(struct net_device *dev)
{
	if (!vp_modern_probe(&dev->vdev))
		return "not a virtio device of revision 1, or it does not reset";
	if (!vp_finalize_features(&dev->vdev, dev->wanted))
		return "features refused";
	read_config(dev);
	if (!init_vqs(dev))
		return "queues refused";
	virtio_device_ready(&dev->vdev);
	virtnet_open(dev);
	return NULL;
}

void virtnet_remove(struct net_device *dev)
{
	struct skb *skb;

	vp_reset(&dev->vdev); /* from here on it touches no buffer */
	napi_disable(&dev->rx_napi);
	napi_disable(&dev->tx_napi);
	while ((skb = virtqueue_detach_unused_buf(&dev->rq)))
		skb_free(skb);
	while ((skb = virtqueue_detach_unused_buf(&dev->sq)))
		skb_free(skb);
	while ((skb = skb_dequeue(&dev->waiting)))
		skb_free(skb);
	dev->stats.resets++;
}

static void introduce(const struct net_device *dev)
{
	const uint8_t *m = dev->mac;

	say("tiny: nic%u %02x:%02x:%02x:%02x:%02x:%02x mtu %u features %lx vectors %u notify %s\n",
	    dev->vdev.id, m[0], m[1], m[2], m[3], m[4], m[5], dev->mtu, dev->vdev.features,
	    dev->vdev.nvectors, dev->rq.notify.mem ? "mmio" : "pio");
}

void virtnet_init(uint64_t wanted, unsigned vectors)
{
	uint8_t slot = 0;

	while (nnics < NICS) {
		struct net_device *dev = &nic[nnics];
		const char *wrong;

		if (!pci_find(&dev->vdev.pci, &slot, PCI_VENDOR_ID_VIRTIO, PCI_DEVICE_ID_NET))
			break;
		dev->vdev.id = nnics;
		dev->wanted = wanted;
		dev->max_vectors = vectors;
		wrong = virtnet_probe(dev);
		if (wrong) {
			say("tiny: FAIL virtio-net in slot %u: %s\n", slot, wrong);
			continue;
		}
		nnics++;
		introduce(dev);
	}
}
