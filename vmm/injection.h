/* SPDX-License-Identifier: MIT */
/*
 * injection.h - how an interrupt that was posted gets into a vCPU that runs on another
 * core, and how long that takes
 *
 *	kick	its core is interrupted: the guest exits, and the entry that follows injects
 *	entry	nobody is interrupted: whatever entry comes next injects, after an exit of the guest's own or its slice
 *	posted	the CPU takes the interrupt without an exit (backend->notify)
 *
 * A vCPU that sleeps is woken in each of them, NMIs and whatever stops a vCPU always kick, and on
 * its own core a vCPU does not run while something is posted, so that the next entry looks anyhow.
 *
 * While it is measured, each vector has the time at which it was posted. Weir itself knows when
 * it injects; when the guest's handler began only the guest can tell, by a write to
 * MSR_WEIR_HANDLER + vector.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/histogram.h"
#include "kernel/path.h"

struct vcpu;

enum { INJECTION_VECTORS = 256 };

/*
 * Weir's own MSRs, one a vector, among the numbers that no hardware has: "WEI" and the vector.
 * Written with the TSC that the guest read first in that vector's handler, they end its
 * measurement; without one they do nothing. Read, they say how many ticks Weir's TSC is ahead of
 * the guest's.
 */
#define MSR_WEIR_HANDLER 0x57454900

enum injection_mode { INJECTION_KICK, INJECTION_ENTRY, INJECTION_POSTED, INJECTION_MODES };

/* how far it is measured */
enum injection_end {
	INJECTION_TO_ENTRY,   /* Weir is about to enter the guest with it */
	INJECTION_TO_HANDLER, /* the guest's handler runs, by the guest's word */
	INJECTION_ENDS
};

/* made when a guest is measured for the first time, and kept */
struct injection_meter {
	/* by whoever posts a vector that does not wait yet; taken by the vCPU's core. 0: none */
	_Atomic uint64_t posted[INJECTION_VECTORS]; /* TSC */
	/* by the vCPU's core: posting times of those injected, until the guest tells */
	uint64_t entered[INJECTION_VECTORS];
	struct histogram latency[INJECTION_MODES][INJECTION_ENDS]; /* ns */
	/* by who posts: the stamped packet that the interrupt is for */
	struct path_row row[INJECTION_VECTORS];
	uint64_t strange; /* times that the guest told and that cannot be */
};

/* of posts by cores other than the vCPU's */
struct injection_counts {
	_Atomic uint64_t posts;
	_Atomic uint64_t kicks;  /* of these, its core was interrupted */
	_Atomic uint64_t spared; /* or was not: it ran, or waited for its turn */
};

struct injection {
	/* by the vCPU's core, seldom; whoever posts reads them */
	_Alignas(CACHE_LINE) _Atomic uint32_t mode; /* enum injection_mode */
	_Atomic(struct injection_meter *) meter;    /* NULL: not measured */
	struct injection_meter *kept;               /* for the next time */
	/* by the vCPU's core */
	_Alignas(CACHE_LINE) uint64_t own_posts[INJECTION_MODES];
	uint64_t exits[INJECTION_MODES]; /* out of the guest because of a kick */
	/* by any core */
	_Alignas(CACHE_LINE) struct injection_counts other[INJECTION_MODES];
};

/*
 * injection_measured() - the two that stamp are called only then: all that
 * measuring costs while it is off.
 */
static inline bool injection_measured(const struct injection *in)
{
	return atomic_load_explicit(&in->meter, memory_order_relaxed);
}

/* --- posting, on any core --- */

/*
 * injection_stamp() - @vector, which does not wait yet, is about to be
 * posted. Before its bit is set.
 */
void injection_stamp(struct injection *in, uint8_t vector);
/* injection_notify() - it is posted, the bit set: see to it that @v takes it. */
void injection_notify(struct vcpu *v);

/* --- on the vCPU's core --- */

/*
 * injection_enter() - @vector, which waits still, is about to be injected.
 * Before its bit is cleared.
 */
void injection_enter(struct injection *in, uint8_t vector);
/* injection_interrupted() - an interrupt for Weir ended an entry of @v. Was it a kick? */
void injection_interrupted(struct vcpu *v);

static inline bool injection_owns_msr(uint32_t index)
{
	return index - MSR_WEIR_HANDLER < INJECTION_VECTORS;
}

/* injection_wrmsr() - the guest tells that @vector's handler began at @guest_tsc. */
void injection_wrmsr(struct vcpu *v, uint32_t index, uint64_t guest_tsc);

/* --- control context, any state of the guest --- */

extern const char *const injection_mode_name[INJECTION_MODES];

/* injection_default() - how a new guest begins: posted where the CPU does that, else kick. */
enum injection_mode injection_default(void);
/* injection_refused() - why this machine has no @mode just now; NULL: it has. */
const char *injection_refused(enum injection_mode mode);

/*
 * Each is done on the vCPU's core, where it does not run meanwhile: nothing that waits gets lost,
 * and no figure is half of one mode. injection_measure() returns 0 or -ENOMEM.
 */
void injection_set_mode(struct vcpu *v, enum injection_mode mode);
int injection_measure(struct vcpu *v, bool on);
void injection_reset(struct vcpu *v); /* counters and histograms from zero */
