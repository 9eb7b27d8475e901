/* SPDX-License-Identifier: MIT */
/*
 * vm.c - the list of guests, starting and stopping one; vm_create.c makes them
 *
 * In the control context on core 0, but for the end of a guest, which vCPUs bring about on their
 * cores. Owns the list of guests.
 *
 * vCPUs run on other cores meanwhile. vcpu_stop() returns when the vCPU's core has left it
 * for good, so behind it nobody handles an exit of this guest: one that ends by itself just
 * then has done so before.
 */
#include "vm.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "kernel/x86.h"
#include "load.h"
#include "vacpi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY = 160 };

struct vm *vms[VM_MAX];
unsigned nvms;

struct vm *vm_by_name(const char *name)
{
	vm_for_each(i)
		if (!strcmp(vms[i]->name, name))
			return vms[i];
	return NULL;
}

const char *vm_state_name(enum vm_state state)
{
	static const char *const names[] = {
		[VM_OFF] = "off",
		[VM_RUNNING] = "running",
		[VM_DEAD] = "dead",
		[VM_REBOOTING] = "rebooting",
	};

	return names[state];
}

/* devices_reset() - as after RESET; when it returns no worker touches the guest's memory. */
static void devices_reset(struct vm *vm)
{
	spin_lock(&vm->lock);
	vpci_reset(&vm->pci);
	vioapic_reset(&vm->ioapic);
	vuart_reset(&vm->uart);
	spin_unlock(&vm->lock);
}

/* leave_cores() - when it returns no core runs a vCPU of @vm. */
static void leave_cores(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nvcpus && vm->on_cores; i++)
		vcpu_stop(vm->vcpu[i]);
	vm->on_cores = false;
}

int vm_start(struct vm *vm, char *why, size_t size)
{
	struct vcpu_entry entry;
	int err;

	if (vm->state == VM_RUNNING) {
		snprintf(why, size, "%s is running", vm->name);
		return -EBUSY;
	}
	leave_cores(vm);
	err = load_kernel(vm, &entry, why, size);
	if (err)
		return err;
	devices_reset(vm);
	for (unsigned i = 0; i < vm->nvcpus; i++)
		vcpu_reset(vm->vcpu[i], &entry);
	vm->death[0] = 0;
	vm->starts++;
	vm->left = vm->nvcpus;
	vm->ending = false;
	vm->state = VM_RUNNING;
	vm->on_cores = true;
	for (unsigned i = 0; i < vm->nvcpus; i++)
		vcpu_start(vm->vcpu[i]);
	return 0;
}

void vm_stop(struct vm *vm)
{
	vm_end(vm, VM_OFF);
	leave_cores(vm);
	vm->state = VM_OFF; /* of one as well that was dead, or about to start again */
}

int vm_reset(struct vm *vm, char *why, size_t size)
{
	vm_stop(vm);
	return vm_start(vm, why, size);
}

/* Who listens has unmasked the pin: then the edge is sent, and counted. */
bool vm_press_power(struct vm *vm)
{
	uint64_t before;
	bool heard;

	spin_lock(&vm->lock);
	before = vm->ioapic.count[VACPI_PIN];
	vioapic_set(&vm->ioapic, VACPI_PIN, true);
	vioapic_set(&vm->ioapic, VACPI_PIN, false);
	heard = vm->ioapic.count[VACPI_PIN] != before;
	spin_unlock(&vm->lock);
	return heard;
}

/* --- an end of its own; on its vCPUs' cores --- */

bool vm_end(struct vm *vm, enum vm_state state)
{
	if (vm->state != VM_RUNNING || atomic_exchange(&vm->ending, true))
		return false;
	vm->ends_as = state;
	for (unsigned i = 0; i < vm->nvcpus; i++)
		vcpu_signal_stop(vm->vcpu[i]);
	return true;
}

/*
 * Whoever has claimed the end has not left yet: what he prints stands there before the state tells.
 */
void vm_power_off(struct vm *vm)
{
	if (vm_end(vm, VM_OFF))
		kprintf("%s: powered itself off\n", vm->name);
}

/* reboots_too_often() - counts one more. */
static bool reboots_too_often(struct vm *vm)
{
	uint64_t now = rdtsc();

	if (now - vm->reboots_since > tsc_from_us(VM_REBOOT_SECONDS * UINT64_C(1000000))) {
		vm->reboots_since = now;
		vm->reboots = 0;
	}
	return ++vm->reboots > VM_REBOOTS;
}

/* restart() - in the control context, unless the operator has stopped it meanwhile. */
static void restart(struct control_work *w)
{
	struct vm *vm = container_of(w, struct vm, restart);
	char why[WHY];

	if (vm->state != VM_REBOOTING)
		return;
	if (reboots_too_often(vm)) {
		vm->reboots = 0; /* whoever starts it gives it as many again */
		vm->state = VM_OFF;
		kprintf("%s: it rebooted %u times in %u seconds and is left off; 'guest start %s' "
			"starts it\n",
			vm->name, VM_REBOOTS + 1, VM_REBOOT_SECONDS, vm->name);
	} else if (vm_reset(vm, why, sizeof(why))) {
		kprintf("%s: it rebooted, and does not start: %s\n", vm->name, why);
	}
}

void vm_reboot(struct vm *vm)
{
	vm_end(vm, VM_REBOOTING);
}

void vm_left(struct vm *vm)
{
	/* seq_cst: what the others did in their last exits has happened, to the devices too */
	if (atomic_fetch_sub(&vm->left, 1) > 1)
		return;
	devices_reset(vm);
	vm->state = vm->ends_as;
	if (vm->state != VM_REBOOTING)
		return;
	/* loading a kernel takes too long for a core that packets wait for */
	vm->restart.fn = restart;
	control_defer(&vm->restart);
}
