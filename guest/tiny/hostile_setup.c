/* SPDX-License-Identifier: MIT */
/*
 * hostile_setup.c - how no driver may set a device up [virtio 1.2 3.1.1, 4.1.4.3]
 *
 * Called by hostile.c with no poll running. Each case begins with a reset.
 */
#include "hostile.h"

#include "cpu.h"

static uint8_t scrap[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* begin() - the device reset and found again, nothing negotiated */
static bool begin(struct net_device *dev)
{
	virtnet_remove(dev);
	return vp_modern_probe(&dev->vdev);
}

/* negotiated() - the same, with features */
static bool negotiated(struct net_device *dev)
{
	return begin(dev) && vp_finalize_features(&dev->vdev, dev->wanted);
}

static const char *kept(bool kept)
{
	return kept ? "FEATURES_OK stayed" : "FEATURES_OK refused";
}

static const char *features(struct net_device *dev, struct virtqueue *vq)
{
	uint64_t without = dev->vdev.features & ~VIRTIO_F_VERSION_1;

	(void)vq;
	return begin(dev) ? kept(vp_set_features(&dev->vdev, without)) : "no device";
}

static const char *not_offered(struct net_device *dev, struct virtqueue *vq)
{
	uint64_t more = dev->vdev.features | BIT(50);

	(void)vq;
	return begin(dev) ? kept(vp_set_features(&dev->vdev, more)) : "no device";
}

/* a feature without the one that it builds on [5.1.3.1] */
static const char *dependent(struct net_device *dev, struct virtqueue *vq)
{
	uint64_t less = dev->vdev.features & ~VIRTIO_NET_F_CTRL_VQ;

	(void)vq;
	return begin(dev) ? kept(vp_set_features(&dev->vdev, less)) : "no device";
}

static const char *status(struct net_device *dev, struct virtqueue *vq)
{
	(void)vq;
	if (!begin(dev))
		return "no device";
	vp_add_status(&dev->vdev, VIRTIO_CONFIG_S_DRIVER_OK);
	return vp_get_status(&dev->vdev) & VIRTIO_CONFIG_S_DRIVER_OK ? "DRIVER_OK stayed"
								     : "DRIVER_OK refused";
}

/* rings with a buffer in them, and the doorbell, but no DRIVER_OK */
static const char *early(struct net_device *dev, struct virtqueue *vq)
{
	struct scatterlist sg = { physical(scrap), 64 };

	if (!negotiated(dev))
		return "no device";
	vring_new_virtqueue(vq, vq->vring.num);
	vp_setup_vq(&dev->vdev, vq->index, vq->vring.num, physical(vq->desc), physical(&vq->avail),
		    physical(&vq->used));
	virtqueue_add(vq, &sg, vq->index == VQ_TX, vq->index == VQ_RX, NULL);
	for (unsigned i = 0; i < 10; i++) {
		virtqueue_notify(vq);
		hostile_nap();
	}
	return vq->vring.used->idx ? "served" : "not served";
}

/* setup_wrongly() - rings like that, then DRIVER_OK and the doorbell */
static const char *setup_wrongly(struct net_device *dev, struct virtqueue *vq, unsigned num,
				 uint64_t desc, uint64_t avail, uint64_t used)
{
	bool enabled = vp_setup_vq(&dev->vdev, vq->index, num, desc, avail, used);

	vp_add_status(&dev->vdev, VIRTIO_CONFIG_S_DRIVER_OK);
	virtqueue_notify(vq);
	return enabled ? "queue enabled" : "queue refused";
}

static const char *rings(struct net_device *dev, struct virtqueue *vq)
{
	if (!negotiated(dev))
		return "no device";
	return setup_wrongly(dev, vq, vq->vring.num, HOLE, HOLE + PAGE_SIZE, HOLE + 2 * PAGE_SIZE);
}

static const char *used_ring(struct net_device *dev, struct virtqueue *vq)
{
	if (!negotiated(dev))
		return "no device";
	return setup_wrongly(dev, vq, vq->vring.num, physical(vq->desc), physical(&vq->avail),
			     UINT64_MAX - 63);
}

static const char *misaligned(struct net_device *dev, struct virtqueue *vq)
{
	if (!negotiated(dev))
		return "no device";
	return setup_wrongly(dev, vq, 64, physical(scrap) + 1, physical(scrap) + PAGE_SIZE + 1,
			     physical(scrap) + PAGE_SIZE + 1025);
}

static const char *size(struct net_device *dev, struct virtqueue *vq, unsigned num)
{
	if (!negotiated(dev))
		return "no device";
	return setup_wrongly(dev, vq, num, physical(vq->desc), physical(&vq->avail),
			     physical(&vq->used));
}

static const char *size_zero(struct net_device *dev, struct virtqueue *vq)
{
	return size(dev, vq, 0);
}

static const char *size_odd(struct net_device *dev, struct virtqueue *vq)
{
	return size(dev, vq, 3);
}

static const char *size_large(struct net_device *dev, struct virtqueue *vq)
{
	return size(dev, vq, 0x8000);
}

const struct abuse hostile_setups[] = {
	{ .name = "early", .help = "a kick before DRIVER_OK", .setup = early },
	{ .name = "rings", .help = "rings where there is no memory", .setup = rings },
	{ .name = "used",
	  .help = "a used ring at the end of the address space",
	  .setup = used_ring },
	{ .name = "misaligned", .help = "rings at odd addresses", .setup = misaligned },
	{ .name = "badsize", .help = "a queue of no descriptors", .setup = size_zero },
	{ .name = "badsize-odd", .help = "a queue of three", .setup = size_odd },
	{ .name = "badsize-large", .help = "a queue of 32,768", .setup = size_large },
	{ .name = "features", .help = "features without VERSION_1", .setup = features },
	{ .name = "not-offered", .help = "a feature that is not offered", .setup = not_offered },
	{ .name = "dependent",
	  .help = "a feature without the one it builds on",
	  .setup = dependent },
	{ .name = "status", .help = "DRIVER_OK without FEATURES_OK", .setup = status },
	{ 0 },
};
