/* SPDX-License-Identifier: MIT */
/*
 * backend.h - what VT-x and SVM do each in its own way
 *
 * One const struct, chosen at boot. The two back ends have the same function names in the same order (vmx_*, svm_*),
 * and no code above them asks which one it is. A back end holds hardware's structures, carries out run and inject, and
 * decodes an exit into v->exit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

enum { ENTRY_CS = 0x10, ENTRY_DS = 0x18 }; /* __BOOT_CS and __BOOT_DS of the protocol */

/* what a vCPU looks like when a 64-bit kernel is entered [Linux boot protocol, 64-bit]; the rest is zero */
struct vcpu_entry {
	uint64_t rip, rsi;
	uint64_t cr3;      /* identity map that the loader made in guest memory */
	uint64_t gdt_base; /* with code at ENTRY_CS and data at ENTRY_DS */
	uint32_t gdt_limit;
};

struct vmm_backend {
	const char *name; /* "SVM" */

	/* can this machine? 0, or -ENODEV and a sentence in *why */
	int (*probe)(const char **why);
	/* on each core, once */
	void (*init_cpu)(void);

	/* nested tables for v's guest memory; hardware state. At set-up, control context. 0 or -ENOMEM */
	int (*vm_create)(struct vm *vm);
	int (*vcpu_create)(struct vcpu *v);

	/* as after the loader: ready to run at @entry */
	void (*vcpu_reset)(struct vcpu *v, const struct vcpu_entry *entry);

	/* it becomes, or ceases to be, this core's current vCPU: what is not switched at each entry */
	void (*vcpu_load)(struct vcpu *v);
	void (*vcpu_put)(struct vcpu *v);

	/*
	 * One entry and one exit, decoded into v->exit. Entered with the gate closed (below); returns with it open and
	 * interrupts on. v->event is what the exit interrupted, EVENT_NONE mostly.
	 * CR8 and the task priority of v->lapic are one register: run() carries it both ways.
	 */
	void (*run)(struct vcpu *v);
	/*
	 * close_gate() - nothing interrupts this core from here until the guest runs, where it exits at once: the last
	 * look for work is taken between the two. open_gate() - it was not entered after all.
	 */
	void (*close_gate)(void);
	void (*open_gate)(void);

	/* at the next entry; one at a time */
	void (*inject)(struct vcpu *v, const struct vcpu_event *e);
	/* exit as soon as an interrupt, or an NMI, could be injected */
	void (*want_irq_window)(struct vcpu *v, bool on);
	void (*want_nmi_window)(struct vcpu *v, bool on);
	/* exit when the guest writes CR8: an interrupt waits that its task priority holds back */
	void (*want_cr8)(struct vcpu *v, bool on);

	void (*get_sregs)(struct vcpu *v, struct vcpu_sregs *s);
	/* MSRs that the back end keeps in its own structures (EFER, PAT, STAR ...). 0, or -EINVAL: not one of them, or refused */
	int (*get_msr)(struct vcpu *v, uint32_t index, uint64_t *value);
	int (*set_msr)(struct vcpu *v, uint32_t index, uint64_t value);
};

extern const struct vmm_backend svm_backend;
extern const struct vmm_backend *backend; /* NULL: no guests on this machine */
extern const char *backend_missing;       /* why there is none */
