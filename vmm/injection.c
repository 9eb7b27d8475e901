/* SPDX-License-Identifier: MIT */
/*
 * injection.c - who is interrupted when something is posted, and the stamps that time it;
 * injection.h says what for
 *
 * Called by vlapic.c on any core (post) and on the vCPU's (accept), by exits.c and guest_msr.c on
 * the vCPU's core. What follows "control context" below runs there, and sends a function to the
 * vCPU's core for each change.
 *
 * In the modes that do not kick, a vCPU that sleeps must still be woken. No wake-up is lost:
 *
 *	poster                        vCPU's core
 *	1. irr |= vector              1. state = VCPU_HALTED (exits.c)
 *	2. fence                      2. fence (vcpu.c)
 *	3. VCPU_HALTED? kick          3. irr: nothing there? sleep
 *
 * Either the poster's step 3 sees that it sleeps, or the vCPU's step 3 sees the vector.
 */
#include "injection.h"

#include "kernel/mem.h"
#include "kernel/smp.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "backend.h"
#include "features.h"
#include "vcpu.h"

#include <errno.h>
#include <string.h>

const char *const injection_mode_name[INJECTION_MODES] = {
	[INJECTION_KICK] = "kick",
	[INJECTION_ENTRY] = "entry",
	[INJECTION_POSTED] = "posted",
};

/* --- posting --- */

void injection_stamp(struct injection *in, uint8_t vector)
{
	/* acquire: pairs with the release in set_meter(); it is empty when it is found */
	struct injection_meter *m = atomic_load_explicit(&in->meter, memory_order_acquire);

	if (!m)
		return;
	m->row[vector] = path_signalled();
	/* relaxed: the bit that is set after it brings both along */
	atomic_store_explicit(&m->posted[vector], rdtsc(), memory_order_relaxed);
}

static void count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static bool sleeps(const struct vcpu *v)
{
	/* pairs with the fence in vcpu_run(): the file's head says how */
	atomic_thread_fence(memory_order_seq_cst);
	return __atomic_load_n(&v->state, __ATOMIC_RELAXED) == VCPU_HALTED;
}

static bool needs_kick(struct vcpu *v, enum injection_mode mode)
{
	if (mode == INJECTION_KICK || sleeps(v))
		return true;
	return mode == INJECTION_POSTED && !(backend->notify && backend->notify(v));
}

void injection_notify(struct vcpu *v)
{
	struct injection *in = &v->injection;
	enum injection_mode mode = atomic_load_explicit(&in->mode, memory_order_relaxed);

	if (v->cpu == this_cpu()->id) {
		in->own_posts[mode]++;
		return;
	}
	count(&in->other[mode].posts);
	if (needs_kick(v, mode)) {
		count(&in->other[mode].kicks);
		vcpu_kick(v);
	} else {
		count(&in->other[mode].spared);
	}
}

/* --- on the vCPU's core --- */

static uint64_t take_stamp(struct injection_meter *m, uint8_t vector)
{
	return atomic_exchange_explicit(&m->posted[vector], 0, memory_order_relaxed);
}

static void add(struct injection *in, struct injection_meter *m, enum injection_end end,
		uint64_t ticks)
{
	histogram_add(&m->latency[in->mode][end], tsc_to_ns(ticks));
}

void injection_enter(struct injection *in, uint8_t vector)
{
	struct injection_meter *m = atomic_load_explicit(&in->meter, memory_order_relaxed);
	uint64_t posted = m ? take_stamp(m, vector) : 0, now = rdtsc();

	if (!posted) /* it waited already when the measuring began */
		return;
	m->entered[vector] = posted;
	path_mark_row(m->row[vector], PATH_INJECT);
	m->row[vector] = (struct path_row){ NULL, 0 };
	if (now >= posted)
		add(in, m, INJECTION_TO_ENTRY, now - posted);
}

void injection_interrupted(struct vcpu *v)
{
	if (softirq_pending() & BIT(SOFTIRQ_KICK))
		v->injection.exits[v->injection.mode]++;
}

/*
 * when_posted() - that whose handler began at @began; 0: not known. Where the CPU injects by itself
 * the vector still has its stamp, or already that of the post after it, which is left alone.
 */
static uint64_t when_posted(struct injection_meter *m, uint8_t vector, uint64_t began)
{
	uint64_t posted = m->entered[vector];

	m->entered[vector] = 0;
	if (posted)
		return posted;
	posted = atomic_load_explicit(&m->posted[vector], memory_order_relaxed);
	return posted && posted <= began ? take_stamp(m, vector) : 0;
}

/* The time is guest-controlled: it lies between the post and now, or is not believed. */
void injection_wrmsr(struct vcpu *v, uint32_t index, uint64_t guest_tsc)
{
	struct injection *in = &v->injection;
	struct injection_meter *m = atomic_load_explicit(&in->meter, memory_order_relaxed);
	uint64_t began = guest_tsc - v->tsc_offset, posted;

	if (!m)
		return;
	posted = when_posted(m, index - MSR_WEIR_HANDLER, began);
	if (!posted)
		return;
	if (began >= posted && began <= rdtsc())
		add(in, m, INJECTION_TO_HANDLER, began - posted);
	else
		m->strange++;
}

/* --- control context --- */

enum injection_mode injection_default(void)
{
	return injection_refused(INJECTION_POSTED) ? INJECTION_KICK : INJECTION_POSTED;
}

const char *injection_refused(enum injection_mode mode)
{
	const struct vmm_feature *f;

	if (mode != INJECTION_POSTED)
		return NULL;
	f = feature_by_name("posted-interrupts");
	if (!f || !f->has || !backend->notify)
		return "this CPU has no posted interrupts";
	return f->on ? NULL
		     : "posted-interrupts are switched off: 'guest features "
		       "posted-interrupts on'";
}

/* what is to be done on the vCPU's core */
struct change {
	struct vcpu *v;
	enum injection_mode mode;
	struct injection_meter *meter;
};

/* forget_stamps() - of vectors under way; they would be counted where they do not belong. */
static void forget_stamps(struct injection_meter *m)
{
	for (unsigned i = 0; i < INJECTION_VECTORS; i++)
		atomic_store_explicit(&m->posted[i], 0, memory_order_relaxed);
	memset(m->entered, 0, sizeof(m->entered));
}

static void set_mode(void *arg)
{
	struct change *c = arg;
	struct injection *in = &c->v->injection;

	/*
	 * relaxed: who posts by the old mode still does all of it; the vCPU is out of the guest
	 * and looks when it enters
	 */
	atomic_store_explicit(&in->mode, c->mode, memory_order_relaxed);
	if (in->kept)
		forget_stamps(in->kept);
}

void injection_set_mode(struct vcpu *v, enum injection_mode mode)
{
	struct change c = { .v = v, .mode = mode };

	cpu_call(v->cpu, set_mode, &c);
}

static void set_meter(void *arg)
{
	struct change *c = arg;

	if (c->meter)
		forget_stamps(c->meter);
	/* release: pairs with the acquire in injection_stamp() */
	atomic_store_explicit(&c->v->injection.meter, c->meter, memory_order_release);
}

int injection_measure(struct vcpu *v, bool on)
{
	struct injection *in = &v->injection;
	struct change c = { .v = v };

	if (on && !in->kept) {
		in->kept = mem_try_alloc(sizeof(*in->kept), CACHE_LINE);
		if (!in->kept)
			return -ENOMEM;
		memset(in->kept, 0, sizeof(*in->kept));
	}
	c.meter = on ? in->kept : NULL;
	cpu_call(v->cpu, set_meter, &c);
	return 0;
}

static void reset(void *arg)
{
	struct injection *in = &((struct change *)arg)->v->injection;

	memset(in->own_posts, 0, sizeof(in->own_posts));
	memset(in->exits, 0, sizeof(in->exits));
	for (unsigned i = 0; i < INJECTION_MODES; i++) {
		atomic_store(&in->other[i].posts, 0);
		atomic_store(&in->other[i].kicks, 0);
		atomic_store(&in->other[i].spared, 0);
	}
	if (!in->kept)
		return;
	forget_stamps(in->kept);
	memset(in->kept->latency, 0, sizeof(in->kept->latency));
	in->kept->strange = 0;
}

void injection_reset(struct vcpu *v)
{
	cpu_call(v->cpu, reset, &(struct change){ .v = v });
}
