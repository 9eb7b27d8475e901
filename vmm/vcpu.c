/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c - whose turn it is on a core, entering and leaving the guest, and
 * what waits to be injected
 *
 * vcpu_next() and vcpu_enter() are called by the core loop (kernel/guest.h). Owns for each
 * core the list of its vCPUs, the current one (whose FPU state is in the registers), and the
 * timer that ends a slice.
 *
 * No interrupt for a guest is lost between the last look and the entry: who posts one sets the
 * bit first and raises a softirq on the vCPU's core afterwards; the last look at the softirqs
 * is taken behind the gate, where the IPI can no longer come in and makes the guest exit at
 * once. The same look finds what must come before an entry: a guest that has ended is not
 * entered once more (vcpu_signal.c).
 */
#include "vcpu.h"

#include "kernel/apic.h"
#include "kernel/guest.h"
#include "kernel/irq.h"
#include "kernel/smp.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "kernel/trap.h"
#include "kernel/x86.h"
#include "backend.h"
#include "cpu_regs.h"
#include "exits.h"
#include "vcpu_watch.h"
#include "vhost.h"
#include "vm.h"

#include <stddef.h>
#include <stdio.h>

enum {
	SLICE_SLACK_US = 10,   /* a slice timer this close to the wanted time is not armed again */
	WAKE_CREDIT_US = 1000, /* one that wakes comes before who runs, for so long */
};

struct vcpu_core {
	struct vcpu *list;    /* vCPUs of this core */
	struct vcpu *current; /* whose FPU state is loaded */
	uint64_t vruntime;    /* of the one that was chosen last */
	struct timer slice;
};

static struct vcpu_core core_of[MAX_CPUS];

void vcpu_kick(struct vcpu *v)
{
	if (v->cpu != this_cpu()->id)
		raise_softirq_on(cpus[v->cpu], SOFTIRQ_KICK);
	/* on its own core it does not run now, and the next entry looks */
}

/* One that waits by spinning for what the other is to do would spin for the rest of its slice. */
void vcpu_give_way(struct vcpu *v, const struct vcpu *to)
{
	v->vruntime = MAX(v->vruntime, to->vruntime + 1);
	raise_softirq(SOFTIRQ_KICK); /* ends the run */
}

void vcpu_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
	v->event = (struct vcpu_event){
		.type = EVENT_EXCEPTION, .vector = vector, .has_error = has_error, .error = error
	};
}

/* [SDM 3B 17.3.1.4] */
void vcpu_single_step(struct vcpu *v)
{
	v->event = (struct vcpu_event){ .type = EVENT_EXCEPTION,
					.vector = EXCEPTION_DB,
					.dr6 = DR6_BS };
	if (v->state == VCPU_HALTED)
		v->state = VCPU_RUNNING;
}

/* vcpu_wakes() - is there what ends its HLT? */
static bool vcpu_wakes(const struct vcpu *v, uint32_t signals)
{
	if ((signals & SIGNAL_NMI) && !v->nmi_blocked)
		return true;
	return (v->rflags & RFLAGS_IF) && vlapic_pending(&v->lapic) >= 0;
}

/* --- injection: at most one event an entry, and a window for the next --- */

/* inject_nmi() - @busy: something else is injected already. Returns whether something is now. */
static bool inject_nmi(struct vcpu *v, bool busy)
{
	static const struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };

	if (v->nmi_blocked) {
		backend->want_nmi_window(v, true);
		return busy;
	}
	if (busy || v->irq_shadow) {
		/* an interrupt of our own: the guest exits as soon as it has gone on */
		apic_ipi(this_cpu()->apic_id, VECTOR_IPI);
		return busy;
	}
	atomic_fetch_and_explicit(&v->signals, ~SIGNAL_NMI, memory_order_relaxed);
	backend->inject(v, &nmi);
	v->nmi_blocked = true;
	backend->want_nmi_window(v, true); /* to learn when the handler is done */
	v->nmis_injected++;
	return true;
}

/*
 * inject_irq() - @busy: something else is injected already, or it can't be just
 * now: ask for the window.
 */
static void inject_irq(struct vcpu *v, bool busy)
{
	int vector = vlapic_pending(&v->lapic);

	if (unlikely(v->irqs_by_cpu))
		return;
	if (vector < 0) {
		if (unlikely(vlapic_waits(&v->lapic)))
			backend->want_cr8(v, true);
		return;
	}
	if (busy || v->irq_shadow || !(v->rflags & RFLAGS_IF)) {
		backend->want_irq_window(v, true);
		return;
	}
	vlapic_accept(&v->lapic, vector);
	backend->inject(v, &(struct vcpu_event){ .type = EVENT_IRQ, .vector = vector });
	v->irqs_injected++;
	if (unlikely(vlapic_pending(&v->lapic) >= 0))
		backend->want_irq_window(v, true);
}

/*
 * inject_rare() - what an exit interrupted first, then an NMI. Returns whether
 * something is injected now.
 */
static __attribute__((noinline)) bool inject_rare(struct vcpu *v, uint32_t signals)
{
	bool busy = v->event.type != EVENT_NONE;

	if (busy) {
		backend->inject(v, &v->event);
		v->event.type = EVENT_NONE;
	}
	return signals & SIGNAL_NMI ? inject_nmi(v, busy) : busy;
}

/*
 * vcpu_inject_events() - those, then the local APIC's say. False, and nothing is
 * done: it may not be entered.
 */
static inline bool vcpu_inject_events(struct vcpu *v)
{
	/*
	 * relaxed: who sets a bit kicks behind it, and what the bit is about is
	 * read by vcpu_signals_take()
	 */
	uint32_t signals = atomic_load_explicit(&v->signals, memory_order_relaxed);
	bool busy = false;

	if (unlikely(signals | v->event.type)) {
		if (signals & SIGNALS_FIRST)
			return false;
		busy = inject_rare(v, signals);
	}
	inject_irq(v, busy);
	return true;
}

/* --- whose turn --- */

/* A vCPU that slept has not saved up time: it comes next, but not for long. */
static void give_credit(const struct vcpu_core *core, struct vcpu *v)
{
	uint64_t credit = tsc_from_us(WAKE_CREDIT_US);
	uint64_t least = core->vruntime > credit ? core->vruntime - credit : 0;

	v->vruntime = MAX(v->vruntime, least);
}

/*
 * wakes_up() - something has come for one that sleeps, or a signal that its core must see
 * to: that, vcpu_run() does.
 */
static __attribute__((noinline)) bool wakes_up(const struct vcpu_core *core, struct vcpu *v)
{
	uint32_t signals = atomic_load_explicit(&v->signals, memory_order_relaxed);

	if (v->state == VCPU_HALTED && vcpu_wakes(v, signals))
		v->state = VCPU_RUNNING;
	else if (!(signals & SIGNALS_FIRST))
		return false;
	give_credit(core, v);
	return true;
}

/* wants_core() - does it want to run? Of one that sleeps two words tell that nothing has come. */
static inline bool wants_core(const struct vcpu_core *core, struct vcpu *v)
{
	if (v->state == VCPU_RUNNING)
		return true;
	if (v->state == VCPU_OFF)
		return false;
	/* relaxed: who writes one of them kicks behind it */
	if (likely(!(atomic_load_explicit(&v->signals, memory_order_relaxed) |
		     atomic_load_explicit(&v->lapic.irr_words, memory_order_relaxed))))
		return false;
	return wakes_up(core, v);
}

/* vcpu_next() - of those that want to run the one that has run least. Interrupts off. */
static struct vcpu *vcpu_next(struct cpu *c)
{
	struct vcpu_core *core = &core_of[c->id];
	struct vcpu *best = NULL;

	for (struct vcpu *v = core->list; v; v = v->next_on_core)
		if ((v->state == VCPU_RUNNING || wants_core(core, v)) &&
		    (!best || v->vruntime < best->vruntime))
			best = v;
	if (best)
		core->vruntime = best->vruntime;
	return best;
}

static void make_current(struct vcpu_core *core, struct vcpu *v)
{
	if (core->current)
		backend->vcpu_put(core->current);
	core->current = v;
	if (v)
		backend->vcpu_load(v);
}

/*
 * slices_by_cpu() - the CPU ends an entry when the slice is over: no timer
 * of ours, and no interrupt.
 */
static inline bool slices_by_cpu(void)
{
	return unlikely(backend->slice_timer) &&
	       atomic_load_explicit(&backend->slice_timer->on, memory_order_relaxed);
}

/*
 * The timer need do nothing: its interrupt ends the run, the softirq sees to it
 * that the core loop turns.
 */
static void slice_over(struct timer *t)
{
	(void)t;
}

/*
 * It stays armed over short runs, so a guest that is entered often does not pay for it each time.
 */
static void bound_slice(struct vcpu_core *core, uint64_t now, uint64_t slice)
{
	struct timer *t = &core->slice;

	if (!t->armed || t->deadline > now + slice + tsc_from_us(SLICE_SLACK_US))
		timer_arm_at(t, now + slice);
}

/*
 * work_waits() - is there what ends a run? A kept one goes on beside packets, and looks at each
 * entry what it was kicked for; clocks, calls and parking end it as any other. The clock must: the
 * one that bounds the run may stand behind another timer, which that softirq runs first.
 */
static inline bool work_waits(const struct cpu *c, bool keep)
{
	const uint32_t load = BIT(SOFTIRQ_NET_TX) | BIT(SOFTIRQ_NET_RX) | BIT(SOFTIRQ_VHOST) |
			      BIT(SOFTIRQ_KICK);

	return softirq_pending_on(c) & (keep ? ~load : ~0u);
}

/*
 * see_to_signals() - it was not entered. What is reset is in no registers of the core
 * meanwhile. Interrupts off.
 */
static void see_to_signals(struct vcpu *v)
{
	irq_enable();
	make_current(&core_of[v->cpu], NULL);
	vcpu_signals_take(v);
	irq_disable();
}

/*
 * vcpu_run() - enter and handle exits until there is a reason to stop. The last look for work is
 * taken behind the gate. Returns with interrupts off.
 */
static void vcpu_run(struct vcpu *v, struct cpu *c, uint64_t end, bool keep)
{
	/* waited already: what the guest gets now is its share beside it */
	bool control = c->control_ready;
	bool timed = keep || control || slices_by_cpu();

	for (;;) {
		backend->close_gate();
		if (work_waits(c, keep) || (c->control_ready && !control && !keep))
			break;
		if (unlikely(timed && rdtsc() >= end))
			break;
		if (unlikely(!vcpu_inject_events(v))) {
			backend->open_gate();
			see_to_signals(v);
			return;
		}
		v->entries++;
		backend->run(v);
		exit_handle(v);
		if (v->state != VCPU_RUNNING) {
			/*
			 * pairs with the fence in sleeps(): who posts now sees
			 * that it sleeps (injection.c)
			 */
			atomic_thread_fence(memory_order_seq_cst);
			irq_disable();
			return;
		}
	}
	backend->open_gate();
}

/* vcpu_enter() - the core loop gives it @slice TSC ticks. Entered and left with interrupts off. */
static void vcpu_enter(struct vcpu *v, uint64_t slice, int keep)
{
	struct cpu *c = this_cpu();
	struct vcpu_core *core = &core_of[c->id];
	uint64_t begin = rdtsc(), ran;

	if (unlikely(core->current != v))
		make_current(core, v);
	v->slice_end = begin + slice;
	if (!slices_by_cpu())
		bound_slice(core, begin, slice);
	vcpu_run(v, c, begin + slice, keep);
	ran = rdtsc() - begin;
	v->tsc_run += ran;
	v->vruntime += ran;
	vhost_guest_left(c->id);
}

static unsigned vcpu_usage(struct guest_usage *u, unsigned max)
{
	unsigned n = 0;

	cpu_for_each(i)
		for (struct vcpu *v = core_of[i].list; v && n < max; v = v->next_on_core, n++) {
			u[n] = (struct guest_usage){ .vcpu = v->id,
						     .cpu = v->cpu,
						     .tsc = v->tsc_run };
			snprintf(u[n].name, sizeof(u[n].name), "%s", v->vm->name);
			for (unsigned reason = 0; reason < EXIT_N; reason++)
				u[n].exits += v->exits[reason];
		}
	return n;
}

static const struct guest_ops vcpu_guest_ops = {
	.next = vcpu_next,
	.enter = vcpu_enter,
	.usage = vcpu_usage,
	.vcpu_name = vcpu_name,
	.exit_name = vcpu_exit_name,
};

/* --- starting and stopping: on the vCPU's core, in a softirq, where no vCPU runs --- */

static void start_here(void *arg)
{
	struct vcpu *v = arg;
	struct vcpu_core *core = &core_of[v->cpu];

	core->slice.fn = slice_over;
	v->vruntime = core->vruntime;
	v->state = v->id ? VCPU_WAITING : VCPU_RUNNING;
	v->next_on_core = core->list;
	core->list = v;
}

static void stop_here(void *arg)
{
	struct vcpu *v = arg;
	struct vcpu_core *core = &core_of[v->cpu];

	for (struct vcpu **p = &core->list; *p; p = &(*p)->next_on_core) {
		if (*p != v)
			continue;
		*p = v->next_on_core;
		break;
	}
	if (core->current == v)
		make_current(core, NULL);
	vcpu_off(v);
}

void vcpu_start(struct vcpu *v)
{
	cpu_call(v->cpu, start_here, v);
}

void vcpu_stop(struct vcpu *v)
{
	cpu_call(v->cpu, stop_here, v);
}

/* KICK has nothing to do: that it is raised ends a run or a sleep. */
static void kick_action(void)
{
}

void vcpus_init(void)
{
	open_softirq(SOFTIRQ_KICK, kick_action);
	guest_attach(&vcpu_guest_ops);
	vcpu_watch_init();
}
