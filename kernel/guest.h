/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what the core loop asks of the hypervisor, which lives in a higher room
 *
 * The loop knows a guest's core only as something that can be chosen and entered for a while.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct vcpu;
struct cpu;

/* what one vCPU has had since it was made */
struct guest_usage {
	char name[16];
	unsigned vcpu, cpu;
	uint64_t tsc; /* in the guest, exits included */
	uint64_t exits;
};

struct guest_ops {
	/* the vCPU that this core should run next, NULL if none can run. Interrupts off. */
	struct vcpu *(*next)(struct cpu *c);
	/*
	 * run it until @slice TSC ticks have passed or it has nothing to do. With @keep pending
	 * softirqs do not end the run: that is the guest's share under load. Entered with
	 * interrupts off, returns with them off.
	 */
	void (*enter)(struct vcpu *v, uint64_t slice, int keep);
	/* of up to @max vCPUs; returns how many. Cores parked. May be NULL */
	unsigned (*usage)(struct guest_usage *u, unsigned max);
	/*
	 * names for who reads record points: of a vCPU by the number they give
	 * it, of an exit. May be NULL
	 */
	void (*vcpu_name)(unsigned number, char *text, size_t size);
	const char *(*exit_name)(unsigned reason);
};

/*
 * guest_attach() - there are guests now; with NULL no more. Cores parked, or none running
 * yet. Returns what was there.
 */
const struct guest_ops *guest_attach(const struct guest_ops *ops);

/* guest_attached() - NULL: there are none. */
const struct guest_ops *guest_attached(void);
