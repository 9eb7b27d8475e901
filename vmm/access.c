/* SPDX-License-Identifier: MIT */
/*
 * access.c - from an address to the device that answers
 *
 * Called by the exits for ports and memory, and for each part of an emulated instruction; on the
 * vCPU's core. Owns nothing; vm->lock guards the buses and the devices behind them.
 */
#include "access.h"

#include "kernel/lock.h"
#include "kernel/x86.h"
#include "bus.h"
#include "vm.h"

/*
 * in_lapic() - is all of it in the vCPU's own local APIC? Its page is there in xAPIC mode only [SDM
 * 3A 11.4.4], the guest may move it, and each vCPU sees its own at the same address.
 */
static bool in_lapic(const struct vlapic *l, uint64_t gpa, unsigned size)
{
	uint64_t offset = gpa - vlapic_base(l); /* huge below the base */

	return (l->apic_base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) == APIC_BASE_ENABLE &&
	       offset <= VLAPIC_SIZE - size;
}

/*
 * find_unlocked() - called with vm->lock; true: @found wants no lock, so it is given back. It is
 * copied because ranges move as another vCPU programs its BARs; the device itself never goes away.
 */
static bool find_unlocked(struct vm *vm, const struct bus_range *r, struct bus_range *found)
{
	if (!r || !r->unlocked)
		return false;
	*found = *r;
	spin_unlock(&vm->lock);
	return true;
}

/* Of a device that answers with more than was asked for, only that counts. */
static uint64_t cut(uint64_t value, unsigned size)
{
	return value & BITS(8 * size - 1, 0);
}

static uint64_t bus_read(struct vm *vm, struct bus *b, uint64_t address, unsigned size)
{
	struct bus_range *r, unlocked;
	uint64_t value;

	spin_lock(&vm->lock);
	r = bus_find(b, address, size);
	if (find_unlocked(vm, r, &unlocked))
		return cut(unlocked.read(unlocked.arg, address - unlocked.base, size), size);
	value = r ? r->read(r->arg, address - r->base, size)
		  : bus_unclaimed(b, address, size, false);
	spin_unlock(&vm->lock);
	return cut(value, size);
}

static void bus_write(struct vm *vm, struct bus *b, uint64_t address, unsigned size, uint64_t value)
{
	struct bus_range *r, unlocked;

	spin_lock(&vm->lock);
	r = bus_find(b, address, size);
	if (find_unlocked(vm, r, &unlocked)) {
		unlocked.write(unlocked.arg, address - unlocked.base, size, value);
		return;
	}
	if (r)
		r->write(r->arg, address - r->base, size, value);
	else
		bus_unclaimed(b, address, size, true);
	spin_unlock(&vm->lock);
}

uint64_t mmio_read(struct vcpu *v, uint64_t gpa, unsigned size)
{
	if (in_lapic(&v->lapic, gpa, size))
		return cut(vlapic_mmio_read(&v->lapic, gpa - vlapic_base(&v->lapic), size), size);
	return bus_read(v->vm, &v->vm->memory, gpa, size);
}

void mmio_write(struct vcpu *v, uint64_t gpa, unsigned size, uint64_t value)
{
	if (in_lapic(&v->lapic, gpa, size))
		vlapic_mmio_write(&v->lapic, gpa - vlapic_base(&v->lapic), size, value);
	else
		bus_write(v->vm, &v->vm->memory, gpa, size, value);
}

uint32_t pio_read(struct vcpu *v, uint16_t port, unsigned size)
{
	return bus_read(v->vm, &v->vm->ports, port, size);
}

void pio_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
	bus_write(v->vm, &v->vm->ports, port, size, value);
}
