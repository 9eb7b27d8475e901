/* SPDX-License-Identifier: MIT */
/*
 * vlapic.c - a vCPU's local APIC: what waits, what is served, which comes first [SDM 3A 11.8]
 *
 * vlapic_post() runs on any core: devices, workers, other vCPUs. All else runs on the vCPU's core,
 * between an exit and the next entry. A vector goes from IRR (requested) to ISR (in service) when
 * it is injected, and leaves ISR at EOI.
 *
 * irr_words is what makes the look before each entry cheap, and the one place
 * where a vector could be lost:
 *
 *	poster                        vCPU's core
 *	1. irr[w] |= vector           1. irr[w] &= ~vector, and nothing is left in it
 *	2. irr_words |= w             2. irr_words &= ~w
 *	                              3. irr[w] again: something came in between? irr_words |= w
 *
 * Whichever of the two steps 2 is later sees what the other did: the poster's leaves w set, or ours
 * is followed by a look that finds the vector.
 */
#include "vlapic.h"

#include "vlapic_parts.h"
#include "vm.h"

#include <string.h>

static unsigned top_bit(uint32_t bits)
{
	return 31 - __builtin_clz(bits);
}

static unsigned class_of(unsigned priority)
{
	return FIELD_GET(PRIORITY_CLASS, priority);
}

/* --- what waits, what is served --- */

static inline int highest_requested(const struct vlapic *l)
{
	/*
	 * acquire: pairs with the naming in vlapic_post; a word that is named shows the
	 * vector that it is named for
	 */
	uint32_t words = atomic_load_explicit(&l->irr_words, memory_order_acquire);

	while (words) {
		unsigned w = top_bit(words);
		uint32_t bits = atomic_load_explicit(&l->irr[w], memory_order_relaxed);

		if (bits)
			return w * 32 + top_bit(bits);
		words &= ~BIT(w);
	}
	return -1;
}

static int highest_in_service(const struct vlapic *l)
{
	unsigned w;

	if (!l->isr_words)
		return -1;
	w = top_bit(l->isr_words);
	return w * 32 + top_bit(l->isr[w]);
}

/*
 * served_class() - of the highest vector in service; 0 if none is, since no vector has that class.
 */
static unsigned served_class(const struct vlapic *l)
{
	int vector = highest_in_service(l);

	return vector < 0 ? 0 : class_of(vector);
}

uint8_t vlapic_ppr(const struct vlapic *l)
{
	unsigned served = served_class(l);

	return class_of(l->tpr) >= served ? l->tpr : FIELD_PREP(PRIORITY_CLASS, served);
}

int vlapic_pending(const struct vlapic *l)
{
	int vector = highest_requested(l);

	return vector >= 0 && class_of(vector) > class_of(vlapic_ppr(l)) ? vector : -1;
}

bool vlapic_waits(const struct vlapic *l)
{
	int vector = highest_requested(l);

	return vector >= 0 && class_of(vector) > served_class(l) &&
	       class_of(vector) <= class_of(l->tpr);
}

void vlapic_accept(struct vlapic *l, uint8_t vector)
{
	unsigned w = vector / 32;
	uint32_t bit = BIT(vector % 32);

	if (unlikely(injection_measured(&l->vcpu->injection)))
		injection_enter(&l->vcpu->injection, vector);
	/*
	 * acquire: pairs with the release in vlapic_post; the vector's
	 * trigger is there, for its end
	 */
	if (!(atomic_fetch_and_explicit(&l->irr[w], ~bit, memory_order_acquire) & ~bit)) {
		/* acquire: pairs with the naming in vlapic_post, for the look that follows */
		atomic_fetch_and_explicit(&l->irr_words, ~BIT(w), memory_order_acq_rel);
		if (atomic_load_explicit(&l->irr[w], memory_order_relaxed))
			atomic_fetch_or_explicit(&l->irr_words, BIT(w), memory_order_relaxed);
	}
	l->isr[w] |= bit;
	l->isr_words |= BIT(w);
}

void vlapic_put_back(struct vlapic *l, unsigned w, uint32_t bits)
{
	atomic_fetch_or_explicit(&l->irr[w], bits, memory_order_relaxed);
	atomic_fetch_or_explicit(&l->irr_words, BIT(w), memory_order_relaxed);
}

/* tell_ioapic() - of the end of a level-triggered interrupt. */
static inline void tell_ioapic(struct vlapic *l, uint8_t vector)
{
	struct vm *vm = l->vcpu->vm;

	if (!(atomic_load_explicit(&l->tmr[vector / 32], memory_order_relaxed) & BIT(vector % 32)))
		return;
	spin_lock(&vm->lock);
	vioapic_eoi(&vm->ioapic, vector);
	spin_unlock(&vm->lock);
}

void vlapic_ended(struct vlapic *l, uint8_t vector)
{
	tell_ioapic(l, vector);
}

void vlapic_eoi(struct vlapic *l)
{
	int vector = highest_in_service(l);
	unsigned w = vector / 32;

	if (vector < 0)
		return;
	l->isr[w] &= ~BIT(vector % 32);
	if (!l->isr[w])
		l->isr_words &= ~BIT(w);
	l->eois++;
	tell_ioapic(l, vector);
}

/* --- posting --- */

/*
 * set_trigger() - most vectors keep theirs for ever: look first, a write would take the
 * cache line from other cores.
 */
static void set_trigger(struct vlapic *l, unsigned w, uint32_t bit, bool level)
{
	bool was = atomic_load_explicit(&l->tmr[w], memory_order_relaxed) & bit;

	if (level && !was)
		atomic_fetch_or_explicit(&l->tmr[w], bit, memory_order_relaxed);
	else if (!level && was)
		atomic_fetch_and_explicit(&l->tmr[w], ~bit, memory_order_relaxed);
}

/* stamp() - when it was posted; one that waits already keeps its time. */
static __attribute__((noinline)) void stamp(struct vlapic *l, unsigned w, uint32_t bit,
					    uint8_t vector)
{
	if (!(atomic_load_explicit(&l->irr[w], memory_order_relaxed) & bit))
		injection_stamp(&l->vcpu->injection, vector);
}

void vlapic_post(struct vlapic *l, uint8_t vector, bool level)
{
	unsigned w = vector / 32;
	uint32_t bit = BIT(vector % 32);

	if (vector < APIC_FIRST_VECTOR) {
		atomic_fetch_or_explicit(&l->esr_next, ESR_RECEIVE_ILLEGAL, memory_order_relaxed);
		return;
	}
	if (!vlapic_enabled(l))
		return;
	set_trigger(l, w, bit, level);
	if (unlikely(injection_measured(&l->vcpu->injection)))
		stamp(l, w, bit, vector);
	/*
	 * release: pairs with the acquire in vlapic_accept; the trigger is there before the vector.
	 * It waited already: whoever posted it then names the word and kicks, or has done so.
	 */
	if (atomic_fetch_or_explicit(&l->irr[w], bit, memory_order_release) & bit)
		return;
	/*
	 * The word is named. Releases: pairs with the acquires in highest_requested and
	 * vlapic_accept; the vector is there before. And before the kick: who takes the softirq
	 * that it raises finds the vector.
	 */
	atomic_fetch_or_explicit(&l->irr_words, BIT(w), memory_order_seq_cst);
	injection_notify(l->vcpu);
}

void vlapic_local(struct vlapic *l, uint32_t lvt)
{
	if (!(lvt & LVT_MASKED))
		vlapic_post(l, FIELD_GET(LVT_VECTOR, lvt), false);
}

void vlapic_error(struct vlapic *l, uint32_t esr_bit)
{
	atomic_fetch_or_explicit(&l->esr_next, esr_bit, memory_order_relaxed);
	vlapic_local(l, l->lvt_error);
}

/* --- life --- */

void vlapic_stop(struct vlapic *l)
{
	timer_cancel(&l->timer);
}

/*
 * clear_waiting() - words first: a vector that is being posted may get lost, but never stands
 * in irr unnamed for good.
 */
static void clear_waiting(struct vlapic *l)
{
	atomic_store(&l->irr_words, 0);
	for (unsigned w = 0; w < VLAPIC_WORDS; w++) {
		atomic_store(&l->irr[w], 0);
		atomic_store(&l->tmr[w], 0);
	}
	memset(l->isr, 0, sizeof(l->isr));
	l->isr_words = 0;
}

void vlapic_clear(struct vlapic *l)
{
	vlapic_stop(l);
	/* off before it is emptied: nothing more is posted, but by who has looked already */
	atomic_store(&l->svr, SVR_VECTOR);
	clear_waiting(l);
	atomic_store(&l->ldr, 0);
	atomic_store(&l->dfr, UINT32_MAX);
	atomic_store(&l->esr_next, 0);
	l->tpr = l->esr = l->icr_high = l->icr_low = 0;
	l->lvt_timer = l->lvt_thermal = l->lvt_perf = LVT_MASKED;
	l->lvt_lint0 = l->lvt_lint1 = l->lvt_error = LVT_MASKED;
	l->timer_initial = l->timer_divide = 0;
	l->timer_start = l->tsc_deadline = 0;
}

void vlapic_reset(struct vlapic *l)
{
	vlapic_clear(l);
	atomic_store(&l->apic_base, VLAPIC_BASE | FIELD_PREP(APIC_BASE_MODE, APIC_MODE_XAPIC) |
					    (l->vcpu->id ? 0 : APIC_BASE_BSP));
}

void vlapic_init(struct vlapic *l, struct vcpu *v)
{
	*l = (struct vlapic){ .vcpu = v };
	vlapic_timer_init(l);
	vlapic_reset(l);
}
