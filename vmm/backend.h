/* SPDX-License-Identifier: MIT */
/*
 * backend.h - what VT-x and SVM do each in its own way
 *
 * One const struct, chosen at boot. The two back ends have the same function names in the same
 * order (vmx_*, svm_*), and no code above them asks which one it is. A back end holds hardware's
 * structures, carries out run and inject, and decodes an exit into v->exit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vcpu.h"

/* a part of the virtualisation hardware that Weir can do with and without */
struct vmm_feature {
	const char *name; /* "nrip-save" */
	const char *help;
	bool has;        /* this machine, probed at boot */
	_Atomic bool on; /* the operator, live; never where it is not there */
	/* of one that cannot be switched; both NULL: it can */
	const char *needed; /* always on: what for */
	const char *unused; /* never on, though it may be there: why Weir does without */
};

enum { EXPLAIN_SIZE = 96 };

struct vmm_backend {
	const char *name; /* "SVM" */

	/*
	 * can this machine? 0; -ENODEV: its CPU has no such thing; -EPERM: it has, but it cannot be
	 * used. A sentence in *why
	 */
	int (*probe)(const char **why);
	/* on each core, once. 0, or -ENODEV and a sentence in *why */
	int (*init_cpu)(const char **why);

	/*
	 * nested tables for v's guest memory; hardware state. At set-up,
	 * control context. 0 or -ENOMEM
	 */
	int (*vm_create)(struct vm *vm);
	int (*vcpu_create)(struct vcpu *v);

	/*
	 * as after RESET, but for the registers in @s and those in struct vcpu, which
	 * are the caller's; v is off
	 */
	void (*vcpu_reset)(struct vcpu *v, const struct vcpu_sregs *s);

	/*
	 * it becomes, or ceases to be, this core's current vCPU: what is not switched at each entry
	 */
	void (*vcpu_load)(struct vcpu *v);
	void (*vcpu_put)(struct vcpu *v);

	/*
	 * One entry and one exit, decoded into v->exit. Entered with the gate closed
	 * (below); returns with it open and interrupts on. v->event is what the exit
	 * interrupted, EVENT_NONE mostly.
	 * CR8 and the task priority of v->lapic are one register: run() carries it both ways.
	 */
	void (*run)(struct vcpu *v);
	/*
	 * close_gate() - nothing interrupts this core from here until the guest runs, where
	 * it exits at once: the last look for work is taken between the two. open_gate() - it
	 * was not entered after all.
	 */
	void (*close_gate)(void);
	void (*open_gate)(void);

	/*
	 * Something waits in v->lapic for a vCPU that may be in the guest just now: does the
	 * hardware take it from there by itself (posted interrupts)? Then it is told so, and true
	 * returned; else the caller kicks. NULL: never. From any core.
	 */
	bool (*notify)(struct vcpu *v);

	/* at the next entry; one at a time */
	void (*inject)(struct vcpu *v, const struct vcpu_event *e);
	/* exit as soon as an interrupt, or an NMI, could be injected */
	void (*want_irq_window)(struct vcpu *v, bool on);
	void (*want_nmi_window)(struct vcpu *v, bool on);
	/* exit when the guest writes CR8: an interrupt waits that its task priority holds back */
	void (*want_cr8)(struct vcpu *v, bool on);

	/* on the vCPU's core between an exit and the next entry */
	void (*get_sregs)(struct vcpu *v, struct vcpu_sregs *s);
	/*
	 * MSRs that the back end keeps in its own structures (EFER, PAT, STAR ...). 0, or -EINVAL:
	 * not one of them, or refused
	 */
	int (*get_msr)(struct vcpu *v, uint32_t index, uint64_t *value);
	int (*set_msr)(struct vcpu *v, uint32_t index, uint64_t value);

	/*
	 * after EXIT_MMIO: the instruction's bytes as the CPU had fetched them, INSN_MAX of them at
	 * most. Returns how many; 0: it did not say. NULL: it never does
	 */
	unsigned (*fetched)(struct vcpu *v, uint8_t *bytes);

	/*
	 * after EXIT_FAILED: what the hardware found wrong, "guest RFLAGS is 0x0: bit
	 * 1 must be 1". vCPU's core
	 */
	void (*explain)(struct vcpu *v, char *text, size_t size);

	struct vmm_feature *features; /* up to one without a name */
	/*
	 * where that is on, an entry ends at v->slice_end by itself, with EXIT_SLICE; NULL: never
	 */
	const struct vmm_feature *slice_timer;
};

extern const struct vmm_backend svm_backend, vmx_backend;
extern const struct vmm_backend *backend; /* NULL: no guests on this machine */
extern const char *backend_missing;       /* why there is none */
