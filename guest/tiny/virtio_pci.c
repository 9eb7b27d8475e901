/* SPDX-License-Identifier: MIT */
/*
 * virtio_pci.c - virtio over PCI, revision 1 ("modern") [virtio 1.2 4.1]
 *
 * At set-up, from the driver's probe; the interrupt handlers at the end.
 * Owns the device's registers.
 */
#include "virtio_pci.h"

#include "apic.h"
#include "clock.h"
#include "cpu.h"
#include "trap.h"

enum {
	RESET_MS = 1000,
	INTX_PIN_FIRST = 16, /* PCI's lines come in somewhere here; whose it was, ISR says */
	INTX_PIN_LAST = 23,
	VECTORS_EACH = 4, /* of ours, a device */
	DEVICES = 4,
};

/* who shares the INTx lines */
static struct virtio_device *intx[DEVICES];

/* --- registers --- */

static struct {
	uint8_t type;
	size_t offset;
} const capabilities[] = {
	{ VIRTIO_PCI_CAP_COMMON_CFG, offsetof(struct virtio_device, common) },
	{ VIRTIO_PCI_CAP_NOTIFY_CFG, offsetof(struct virtio_device, notify) },
	{ VIRTIO_PCI_CAP_ISR_CFG, offsetof(struct virtio_device, isr) },
	{ VIRTIO_PCI_CAP_DEVICE_CFG, offsetof(struct virtio_device, device) },
};

/* vp_modern_map_capability() - the first capability of @type that can be used [4.1.4] */
static bool vp_modern_map_capability(struct virtio_device *vdev, uint8_t type, struct region *r)
{
	const struct pci_dev *pci = &vdev->pci;
	unsigned cap = 0;

	while ((cap = pci_next_cap(pci, cap, PCI_CAP_ID_VENDOR))) {
		if (pci_read8(pci, cap + VIRTIO_PCI_CAP_CFG_TYPE) != type)
			continue;
		if (!pci_region(pci, pci_read8(pci, cap + VIRTIO_PCI_CAP_BAR),
				pci_read32(pci, cap + VIRTIO_PCI_CAP_OFFSET),
				pci_read32(pci, cap + VIRTIO_PCI_CAP_LENGTH), r))
			continue;
		if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
			vdev->notify_off_multiplier =
				pci_read32(pci, cap + VIRTIO_PCI_NOTIFY_CAP_MULT);
		return true;
	}
	return false;
}

uint8_t vp_get_status(struct virtio_device *vdev)
{
	return ioread8(&vdev->common, VIRTIO_PCI_COMMON_STATUS);
}

void vp_add_status(struct virtio_device *vdev, uint8_t bits)
{
	iowrite8(&vdev->common, VIRTIO_PCI_COMMON_STATUS, vp_get_status(vdev) | bits);
}

bool vp_reset(struct virtio_device *vdev)
{
	uint64_t end = clock_in_ms(RESET_MS);

	vdev->ready = false;
	iowrite8(&vdev->common, VIRTIO_PCI_COMMON_STATUS, 0);
	while (vp_get_status(vdev)) /* 0 means that it is done [4.1.4.3.2] */
		if (clock_passed(end))
			return false;
	return true;
}

bool vp_modern_probe(struct virtio_device *vdev)
{
	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (!vp_modern_map_capability(
			    vdev, capabilities[i].type,
			    (struct region *)((char *)vdev + capabilities[i].offset)))
			return false;
	msix_init(&vdev->pci);
	pci_write16(&vdev->pci, PCI_COMMAND,
		    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	/* [3.1.1]: 1. reset; 2. we have seen it; 3. we know how to drive it */
	if (!vp_reset(vdev))
		return false;
	vp_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vp_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	return true;
}

/* --- features: steps 4 to 6 of [3.1.1] --- */

static uint64_t vp_get_features(struct virtio_device *vdev)
{
	uint64_t low;

	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_DFSELECT, 0);
	low = ioread32(&vdev->common, VIRTIO_PCI_COMMON_DF);
	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_DFSELECT, 1);
	return low | (uint64_t)ioread32(&vdev->common, VIRTIO_PCI_COMMON_DF) << 32;
}

bool vp_set_features(struct virtio_device *vdev, uint64_t features)
{
	vdev->features = features;
	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_GFSELECT, 0);
	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_GF, features);
	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_GFSELECT, 1);
	iowrite32(&vdev->common, VIRTIO_PCI_COMMON_GF, features >> 32);
	vp_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	return vp_get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK;
}

bool vp_finalize_features(struct virtio_device *vdev, uint64_t wanted)
{
	vdev->offered = vp_get_features(vdev);
	return vdev->offered & VIRTIO_F_VERSION_1 &&
	       vp_set_features(vdev, vdev->offered & (wanted | VIRTIO_F_VERSION_1));
}

/* --- queues --- */

static void write_address(struct virtio_device *vdev, unsigned reg, uint64_t address)
{
	iowrite32(&vdev->common, reg, address);
	iowrite32(&vdev->common, reg + 4, address >> 32);
}

bool vp_setup_vq(struct virtio_device *vdev, unsigned index, unsigned num, uint64_t desc,
		 uint64_t avail, uint64_t used)
{
	iowrite16(&vdev->common, VIRTIO_PCI_COMMON_Q_SELECT, index);
	iowrite16(&vdev->common, VIRTIO_PCI_COMMON_Q_SIZE, num);
	write_address(vdev, VIRTIO_PCI_COMMON_Q_DESC, desc);
	write_address(vdev, VIRTIO_PCI_COMMON_Q_AVAIL, avail);
	write_address(vdev, VIRTIO_PCI_COMMON_Q_USED, used);
	iowrite16(&vdev->common, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	return ioread16(&vdev->common, VIRTIO_PCI_COMMON_Q_ENABLE) == 1;
}

/*
 * set_vector() - of the queue that is selected, or of the configuration; a device that
 * can't says so by NO_VECTOR
 */
static bool set_vector(struct virtio_device *vdev, unsigned reg, uint16_t vector)
{
	iowrite16(&vdev->common, reg, vector);
	return ioread16(&vdev->common, reg) == vector;
}

/* setup_vq() - the queue as the driver has it: rings, vector, doorbell */
static bool setup_vq(struct virtio_device *vdev, unsigned index, const struct vq_info *info,
		     uint16_t vector)
{
	struct virtqueue *vq = vdev->vq[index];
	unsigned num;

	iowrite16(&vdev->common, VIRTIO_PCI_COMMON_Q_SELECT, index);
	num = ioread16(&vdev->common, VIRTIO_PCI_COMMON_Q_SIZE);
	if (!num || ioread16(&vdev->common, VIRTIO_PCI_COMMON_Q_ENABLE))
		return false;
	vq->vdev = vdev;
	vq->index = index;
	vq->name = info->name;
	vq->callback = info->callback;
	vq->event = vdev->features & VIRTIO_F_RING_EVENT_IDX;
	vq->indirect = vdev->features & VIRTIO_F_RING_INDIRECT_DESC;
	vring_new_virtqueue(vq, MIN(num, (unsigned)VRING_MAX));
	if (!info->callback)
		virtqueue_disable_cb(vq);
	if (vdev->nvectors && !set_vector(vdev, VIRTIO_PCI_COMMON_Q_MSIX, vector))
		return false;
	vq->notify = vdev->notify;
	num = ioread16(&vdev->common, VIRTIO_PCI_COMMON_Q_NOFF) * vdev->notify_off_multiplier;
	if (vq->notify.mem)
		vq->notify.mem += num;
	else
		vq->notify.port += num;
	return vp_setup_vq(vdev, index, vq->vring.num, physical(vq->desc), physical(&vq->avail),
			   physical(&vq->used));
}

/* --- interrupts --- */

/* vp_config_changed() - MSI-X, the configuration's vector */
static void vp_config_changed(void *arg)
{
	struct virtio_device *vdev = arg;

	vdev->config_changes++;
}

/* vp_queue_interrupt() - MSI-X, a queue's own vector */
static void vp_queue_interrupt(void *arg)
{
	vring_interrupt(arg);
}

/* vp_vring_interrupt() - one for all queues: who has something? */
static void vp_vring_interrupt(void *arg)
{
	struct virtio_device *vdev = arg;

	for (unsigned i = 0; i < vdev->nvqs; i++)
		vring_interrupt(vdev->vq[i]);
}

/* vp_interrupt() - INTx, maybe another device's; reading ISR lowers the line */
static void vp_interrupt(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < DEVICES; i++) {
		uint8_t isr = intx[i] ? ioread8(&intx[i]->isr, 0) : 0;

		if (isr & VIRTIO_PCI_ISR_CONFIG)
			vp_config_changed(intx[i]);
		if (isr & VIRTIO_PCI_ISR_QUEUE)
			vp_vring_interrupt(intx[i]);
	}
}

static unsigned our_vector(struct virtio_device *vdev, unsigned n)
{
	return VECTOR_VIRTIO + vdev->id * VECTORS_EACH + n;
}

/* one of the device's MSI-X vectors to a handler of ours */
static void request_vector(struct virtio_device *vdev, unsigned n, void (*handler)(void *),
			   void *arg)
{
	irq_handler_set(our_vector(vdev, n), handler, arg);
	msix_set(&vdev->pci, n, our_vector(vdev, n));
}

/*
 * vp_find_vqs_msix() - vector 0 for the configuration; then one a queue that
 * calls back, or one for all
 */
static bool vp_find_vqs_msix(struct virtio_device *vdev, const struct vq_info *info,
			     unsigned nvectors, bool per_vq)
{
	unsigned vector = 1;

	if (vdev->pci.msix_size < nvectors || !vdev->pci.msix)
		return false;
	vdev->nvectors = nvectors;
	msix_enable(&vdev->pci, true);
	request_vector(vdev, 0, vp_config_changed, vdev);
	if (!set_vector(vdev, VIRTIO_PCI_COMMON_MSIX, 0))
		return false;
	if (!per_vq)
		request_vector(vdev, 1, vp_vring_interrupt, vdev);
	for (unsigned i = 0; i < vdev->nvqs; i++) {
		uint16_t v = info[i].callback ? vector : VIRTIO_MSI_NO_VECTOR;

		if (per_vq && info[i].callback)
			request_vector(vdev, vector++, vp_queue_interrupt, vdev->vq[i]);
		if (!setup_vq(vdev, i, &info[i], v))
			return false;
	}
	return true;
}

static bool vp_find_vqs_intx(struct virtio_device *vdev, const struct vq_info *info)
{
	vdev->nvectors = 0;
	msix_enable(&vdev->pci, false);
	intx[vdev->id] = vdev;
	irq_handler_set(VECTOR_INTX, vp_interrupt, NULL);
	for (unsigned pin = INTX_PIN_FIRST; pin <= INTX_PIN_LAST; pin++)
		ioapic_route(pin, VECTOR_INTX, true);
	for (unsigned i = 0; i < vdev->nvqs; i++)
		if (!setup_vq(vdev, i, &info[i], VIRTIO_MSI_NO_VECTOR))
			return false;
	return true;
}

/* what a try that failed has set up already: the device can't take a queue twice without a reset */
static bool vp_del_vqs(struct virtio_device *vdev)
{
	uint64_t features = vdev->features;

	msix_enable(&vdev->pci, false);
	if (!vp_reset(vdev))
		return false;
	vp_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vp_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	return vp_set_features(vdev, features);
}

bool vp_find_vqs(struct virtio_device *vdev, const struct vq_info *info, unsigned nvqs,
		 unsigned max_vectors)
{
	unsigned wanted = 1; /* the configuration's */

	vdev->nvqs = nvqs;
	intx[vdev->id] = NULL;
	for (unsigned i = 0; i < nvqs; i++)
		wanted += info[i].callback != NULL;
	/* first choice: n + 1 vectors */
	if (wanted <= max_vectors) {
		if (vp_find_vqs_msix(vdev, info, wanted, true))
			return true;
		if (!vp_del_vqs(vdev))
			return false;
	}
	/* then two, one of them for all queues */
	if (max_vectors >= 2) {
		if (vp_find_vqs_msix(vdev, info, 2, false))
			return true;
		if (!vp_del_vqs(vdev))
			return false;
	}
	return vp_find_vqs_intx(vdev, info);
}

void virtio_device_ready(struct virtio_device *vdev)
{
	vp_add_status(vdev, VIRTIO_CONFIG_S_DRIVER_OK);
	vdev->ready = true;
}
