/* SPDX-License-Identifier: MIT */
/*
 * vm_create.c - making a guest: memory, vCPUs, the devices at fixed addresses, ports
 *
 * In the control context on core 0. Owns nothing: what it made is the guest's. Boot memory and
 * ports never come back, so everything that can be known is checked before any is taken.
 */
#include "vm.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/mem.h"
#include "net/port.h"
#include "backend.h"
#include "vacpi.h"
#include "virtio_net.h"
#include "vmm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	GUEST_ALIGN = 2 * MIB, /* nested tables map large pages */
	SPARE_MIB = 8, /* stays free beside a guest's memory, for what else it needs and for Weir */
};

static int __attribute__((format(printf, 4, 5)))
refuse(int err, char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return err;
}

/* --- the devices at fixed addresses --- */

static uint64_t ioapic_read(void *io, uint64_t offset, unsigned size)
{
	return vioapic_read(io, offset, size);
}

static void ioapic_write(void *io, uint64_t offset, unsigned size, uint64_t value)
{
	vioapic_write(io, offset, size, value);
}

/* Nothing has woken up, and nothing was asleep. */
static uint64_t zero_read(void *vm, uint64_t offset, unsigned size)
{
	(void)vm, (void)offset, (void)size;
	return 0;
}

static void power_write(void *vm, uint64_t offset, unsigned size, uint64_t value)
{
	(void)size;
	switch (vacpi_wish(offset, value)) {
	case VACPI_POWER_OFF: vm_power_off(vm); break;
	case VACPI_REBOOT: vm_reboot(vm); break;
	case VACPI_NOTHING: break;
	}
}

/*
 * A keyboard controller that is never busy and has no keyboard; but it can pull the
 * reset line, as kernels know.
 */
enum { KEYBOARD_PORT = 0x64, KEYBOARD_RESET = 0xfe };

static void keyboard_write(void *vm, uint64_t offset, unsigned size, uint64_t value)
{
	(void)offset, (void)size;
	if (value == KEYBOARD_RESET)
		vm_reboot(vm);
}

static void buses_init(struct vm *vm)
{
	/* power and keyboard end the guest, which takes the lock by itself */
	const struct bus_range port[] = {
		{ .base = VUART_PORT,
		  .len = VUART_PORTS,
		  .name = "serial",
		  .read = vuart_read,
		  .write = vuart_write,
		  .arg = &vm->uart },
		{ .base = VPCI_CONFIG_ADDRESS,
		  .len = VPCI_CONFIG_PORTS,
		  .name = "pci",
		  .read = vpci_config_read,
		  .write = vpci_config_write,
		  .arg = &vm->pci },
		{ .base = VACPI_PORT,
		  .len = VACPI_PORTS,
		  .name = "power",
		  .read = zero_read,
		  .write = power_write,
		  .arg = vm,
		  .unlocked = true },
		{ .base = KEYBOARD_PORT,
		  .len = 1,
		  .name = "keyboard",
		  .read = zero_read,
		  .write = keyboard_write,
		  .arg = vm,
		  .unlocked = true },
	};
	const struct bus_range ioapic = {
		.base = VIOAPIC_BASE,
		.len = VIOAPIC_SIZE,
		.name = "ioapic",
		.read = ioapic_read,
		.write = ioapic_write,
		.arg = &vm->ioapic,
	};

	vm->ports.name = "port";
	vm->memory.name = "memory";
	for (unsigned i = 0; i < ARRAY_SIZE(port); i++)
		ASSERT(!bus_add(&vm->ports, &port[i]));
	ASSERT(!bus_add(&vm->memory, &ioapic));
}

static void devices_init(struct vm *vm)
{
	vioapic_init(&vm->ioapic, vm);
	vuart_init(&vm->uart, vm);
	buses_init(vm);
	vpci_init(&vm->pci, vm);
}

/* --- creation --- */

/* check() - all that can be known before memory is taken: what is taken never comes back. */
static int check(const struct vm_options *o, char *why, size_t size)
{
	uint64_t have = mem_free() / MIB;

	if (vm_by_name(o->name))
		return refuse(-EEXIST, why, size, "there is a guest %s already", o->name);
	if (nvms == VM_MAX)
		return refuse(-ENOSPC, why, size, "no more than %u guests", VM_MAX);
	if (nports + o->nports >= PORT_MAX)
		return refuse(-ENOSPC, why, size, "no more than %u ports in all", PORT_MAX - 1);
	if (o->memory_mib + SPARE_MIB > have)
		return refuse(-ENOMEM, why, size,
			      "%s wants %u MiB of memory, and %u more must stay free; there are "
			      "%lu MiB",
			      o->name, o->memory_mib, SPARE_MIB, (unsigned long)have);
	return 0;
}

static void *try_zalloc(size_t bytes, size_t align)
{
	void *p = mem_try_alloc(bytes, align);

	return p ? memset(p, 0, bytes) : NULL;
}

/*
 * ram_alloc() - zeroed, so that a guest learns nothing of who had it before.
 * Packets go on meanwhile.
 */
static uint8_t *ram_alloc(size_t bytes)
{
	uint8_t *ram = mem_try_alloc(bytes, GUEST_ALIGN);

	for (size_t at = 0; ram && at < bytes; at += MIB) {
		memset(ram + at, 0, MIB);
		yield();
	}
	return ram;
}

static int vcpu_make(struct vm *vm, unsigned id, unsigned cpu)
{
	struct vcpu *v = try_zalloc(sizeof(*v), PAGE_SIZE);

	if (!v)
		return -ENOMEM;
	v->vm = vm;
	v->id = id;
	v->cpu = cpu;
	v->xsave = try_zalloc(XSAVE_SIZE, CACHE_LINE);
	if (!v->xsave)
		return -ENOMEM;
	vlapic_init(&v->lapic, v);
	v->injection.mode = injection_default();
	vm->vcpu[id] = v;
	return backend->vcpu_create(v);
}

static void describe(struct vm *vm, const struct vm_options *o)
{
	strcpy(vm->name, o->name);
	strcpy(vm->kernel, o->kernel);
	strcpy(vm->initrd, o->initrd);
	strcpy(vm->cmdline, o->cmdline);
	vm->memory_mib = o->memory_mib;
	vm->nvcpus = o->nvcpus;
	vm->id = nvms;
}

/* vm_make() - a guest without ports around @ram. NULL when memory runs out. */
static struct vm *vm_make(const struct vm_options *o, uint8_t *ram)
{
	struct vm *vm = try_zalloc(sizeof(*vm), CACHE_LINE);
	int err;

	if (!vm)
		return NULL;
	describe(vm, o);
	gpa_map_init(&vm->mem, ram, (uint64_t)o->memory_mib * MIB);
	devices_init(vm);
	err = backend->vm_create(vm);
	for (unsigned i = 0; i < o->nvcpus && !err; i++)
		err = vcpu_make(vm, i, o->cpu[i]);
	return err ? NULL : vm;
}

/* A port cannot be taken back, so this comes last, when nothing but want of memory can stop it. */
static int ports_make(struct vm *vm, const struct vm_options *o, char *why, size_t size)
{
	static const uint8_t none[6];
	const char *reason = "";

	for (; vm->nports < o->nports; vm->nports++) {
		vm->port[vm->nports] = virtio_net_create(vm, &o->port[vm->nports], &reason);
		if (!vm->port[vm->nports])
			return refuse(-ENOSPC, why, size, "port %s: %s", o->port[vm->nports].name,
				      reason);
		if (memcmp(o->port[vm->nports].mac, none, sizeof(none)))
			vm->macs_given |= BIT(vm->nports);
	}
	return 0;
}

int vm_create(const struct vm_options *o, char *why, size_t size)
{
	struct vm *vm;
	uint8_t *ram;
	int err;

	if (!backend)
		return refuse(-ENODEV, why, size, "this machine runs no guests: %s",
			      backend_missing);
	err = check(o, why, size);
	if (err)
		return err;
	if (vmm_enable())
		return refuse(-ENODEV, why, size, "this machine runs no guests: %s",
			      backend_missing);
	ram = ram_alloc((size_t)o->memory_mib * MIB);
	if (!ram)
		return refuse(-ENOMEM, why, size,
			      "%s wants %u MiB of memory in one piece; %lu MiB are free in "
			      "several",
			      o->name, o->memory_mib, (unsigned long)(mem_free() / MIB));
	vm = vm_make(o, ram);
	if (!vm)
		return refuse(-ENOMEM, why, size, "no memory for what %s needs beside its own",
			      o->name);
	err = ports_make(vm, o, why, size);
	if (!err)
		vms[nvms++] = vm;
	return err;
}
