/* SPDX-License-Identifier: MIT */
/*
 * vm.h - a guest: memory, vCPUs, devices, and its life
 *
 *	create ─► OFF ─start─► RUNNING ─stop, or it powers itself off─► OFF	reset = stop, start
 *			         ├─(triple fault ...)─► DEAD ─start─► RUNNING
 *			         └─it asks for a reset─► REBOOTING ─(control context)─► RUNNING, or OFF if it goes on so
 *
 * The control context creates, starts and stops. A guest that does what no guest may do ends alone:
 * vm_die() on the vCPU's core. Memory of a guest is never given back, it waits for the next start.
 *
 * A guest ends once, whatever several of its vCPUs do at that moment: the first one claims the end
 * (vm_end) and calls all of them, each leaves by itself on its core, and the last one to leave
 * makes the devices quiet and says what the guest is now (vm_left). Nobody waits for anybody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/control.h"
#include "kernel/lock.h"
#include "bus.h"
#include "gpa.h"
#include "vcpu.h"
#include "vioapic.h"
#include "vpci.h"
#include "vuart.h"

enum { VM_MAX = 8, VM_NAME = 16, VM_VCPUS = 4, VM_PORTS = 4, VM_FILE = 48, VM_CMDLINE = 512 };

enum { MIB = 1 << 20 };

enum { VM_MIN_MIB = 8, VM_MAX_MIB = 16384 };

/*
 * whoever reboots more often is left off: each time costs the control context a
 * copy of kernel and initrd
 */
enum { VM_REBOOTS = 5, VM_REBOOT_SECONDS = 10 };

enum vm_state { VM_OFF, VM_RUNNING, VM_DEAD, VM_REBOOTING };

struct virtio_net;
struct virtio_net_options;

/* what the operator wants */
struct vm_options {
	char name[VM_NAME];
	unsigned memory_mib;                                        /* VM_MIN_MIB to VM_MAX_MIB */
	unsigned nvcpus;                                            /* 1 to VM_VCPUS */
	unsigned cpu[VM_VCPUS];                                     /* core of each vCPU */
	char kernel[VM_FILE], initrd[VM_FILE], cmdline[VM_CMDLINE]; /* initrd may be "" */
	unsigned nports;
	const struct virtio_net_options *port; /* [nports] */
};

struct vm {
	/* control context; state also by the vCPU's core, when the guest ends by itself */
	char name[VM_NAME];
	unsigned id; /* from 0 */
	volatile enum vm_state state;
	bool on_cores; /* its vCPUs are on their cores' lists, which they still are when it ended by itself */
	char death[160];                                            /* why it is DEAD */
	char kernel[VM_FILE], initrd[VM_FILE], cmdline[VM_CMDLINE]; /* names in the archive */
	unsigned memory_mib;
	unsigned nvcpus, nports;
	unsigned macs_given; /* BIT(port): its MAC was chosen by the operator */
	uint64_t starts;
	struct control_work restart;
	uint64_t reboots_since; /* rdtsc() of the first of */
	unsigned reboots;       /* those in VM_REBOOT_SECONDS from then on */

	/* any core */
	_Atomic bool ending;   /* its end is claimed; ends_as is whoever did's */
	_Atomic unsigned left; /* vCPUs that have not left yet */
	enum vm_state ends_as;

	/* set at creation */
	struct gpa_map mem;
	void *hw; /* of the back end: nested tables */
	struct vcpu *vcpu[VM_VCPUS];
	struct virtio_net *port[VM_PORTS];

	/*
	 * lock guards what follows: the devices, from exits on any core and
	 * from the control context
	 */
	struct spinlock lock;
	struct bus ports, memory;
	struct vioapic ioapic;
	struct vuart uart;
	struct vpci pci;
	uint64_t msr_unknown; /* accesses that took #GP */
	uint32_t msr_last;
};

extern struct vm *vms[VM_MAX]; /* by id; NULL from nvms on */
extern unsigned nvms;

#define vm_for_each(i) for (unsigned i = 0; i < nvms; i++)

struct vm *vm_by_name(const char *name);
const char *vm_state_name(enum vm_state state);

/*
 * The guest's life, in the control context. Those that can fail return 0 or a negative
 * errno and a sentence in @why.
 *
 * vm_create() - memory, vCPUs, devices and ports as @o says; OFF, the last of vms[]. What fails
 * leaves no guest: -EEXIST, -ENOSPC: as many guests or ports as there can be; -ENOMEM; -ENODEV:
 * this machine runs no guests.
 * vm_start() - load the kernel, reset everything, run. The guest is OFF or DEAD, and stays so if
 * its files cannot be loaded. vm_stop() - returns when no core runs it and no worker touches its
 * memory. vm_reset() - both.
 */
int vm_create(const struct vm_options *o, char *why, size_t size);
int vm_start(struct vm *vm, char *why, size_t size);
void vm_stop(struct vm *vm);
int vm_reset(struct vm *vm, char *why, size_t size);

/*
 * vm_end() - the guest ends: none of its vCPUs is entered again, and when all have left its
 * devices are quiet and it is @state. False: it ends already, or does not run. Any core; a vCPU's
 * own while an exit is handled.
 * vm_left() - one of its vCPUs is off now. On that one's core, in no exit, vm->lock not held.
 */
bool vm_end(struct vm *vm, enum vm_state state);
void vm_left(struct vm *vm);
/*
 * vm_power_off(), vm_reboot() - the guest asked for it: OFF and a line on the console, or
 * REBOOTING until the control context starts it again, unless it does so all the time. On a vCPU's
 * core while an exit is handled.
 */
void vm_power_off(struct vm *vm);
void vm_reboot(struct vm *vm);
/*
 * vm_press_power() - its power button: a guest that has a mind to switches itself off. False: it
 * does not listen. Control context.
 */
bool vm_press_power(struct vm *vm);
/*
 * vm_die() - @v did what ends a guest: print the report (why, registers, the last exits), stop its
 * vCPUs. On v's core, while an exit is handled; the vCPU is not entered again. Its ports go quiet,
 * nobody else notices. Of several that die at once the first one reports.
 */
void vm_die(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
