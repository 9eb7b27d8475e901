/* SPDX-License-Identifier: MIT */
/* links: vmm/vcpu.c vmm/vcpu_signal.c vmm/vcpu_watch.c vmm/exit.c vmm/entry.c kernel/softirq.c kernel/timer.c tests/unit/host.c */
/*
 * test_vcpu.c - whose turn it is on a core, when a run ends, what an entry
 * brings, and what signals do
 *
 * The back end, the local APIC and the exits are stand-ins: a run does what the
 * test says, and takes notes.
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <string.h>

#include "kernel/guest.h"
#include "kernel/irq.h"
#include "kernel/smp.h"
#include "kernel/softirq.h"
#include "kernel/timer.h"
#include "kernel/trace.h"
#include "kernel/x86.h"
#include "vmm/backend.h"
#include "vmm/entry.h"
#include "vmm/exits.h"
#include "vmm/guest_cpu.h"
#include "vmm/vhost.h"
#include "vmm/vm.h"

enum { SLICE = 4000 * 1000, MIN_SLICE = 200 * 1000 };

static const struct guest_ops *ops;
static struct vm vm = { .name = "g0" };
static struct vcpu a, b; /* a is its guest's first, b a further one */
static struct vcpu_sregs set;
struct vm *vms[VM_MAX] = { &vm };
unsigned nvms = 1;
static char notes[256];
static void (*in_guest)(struct vcpu *v); /* what happens during a run */

static void note(const char *what)
{
	strncat(notes, what, sizeof(notes) - strlen(notes) - 1);
	strncat(notes, " ", sizeof(notes) - strlen(notes) - 1);
}

/* --- stand-ins --- */

const struct guest_ops *guest_attach(const struct guest_ops *o)
{
	ops = o;
	return NULL;
}

const struct guest_ops *guest_attached(void)
{
	return ops;
}

void trace_record(enum trace_point p, uint64_t nr, uint64_t what)
{
	char text[32];

	snprintf(text, sizeof(text), "[%s:%lu]", p == TRACE_INJECT ? "inject" : "other", what);
	note(nr ? "wrong-vcpu" : text);
}

void trace_record_span(enum trace_point p, uint64_t begin, uint64_t end, uint64_t nr, uint64_t what)
{
	char text[48];

	ops->vcpu_name(nr, text, sizeof(text));
	if (p == TRACE_GUEST)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ":%s:%lu",
			 ops->exit_name(what), end - begin);
	else if (p != TRACE_TURN)
		return;
	note(text);
}

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	unsigned me = host_play(cpu);

	fn(arg);
	host_play(me);
	return 0;
}

int vlapic_pending(const struct vlapic *l)
{
	uint32_t word = atomic_load(&l->irr[1]);

	return l->tpr || !word ? -1 : 32 + 31 - __builtin_clz(word);
}

bool vlapic_waits(const struct vlapic *l)
{
	return l->tpr && atomic_load(&l->irr[1]);
}

void vlapic_accept(struct vlapic *l, uint8_t vector)
{
	l->irr[1] &= ~BIT(vector - 32);
}

void vlapic_stop(struct vlapic *l)
{
	(void)l;
	note("lapic-stop");
}

void vlapic_reset(struct vlapic *l)
{
	(void)l;
	note("lapic-reset");
}

void vlapic_clear(struct vlapic *l)
{
	(void)l;
	note("lapic-clear");
}

void guest_cpu_reset(struct vcpu *v)
{
	v->model.basic[1].eax = 0x663;
	note("cpu-reset");
}

void vm_left(struct vm *v)
{
	assert_ptr_equal(v, &vm);
	note("left");
}

void vhost_guest_left(unsigned cpu)
{
	(void)cpu;
}

void exit_handle(struct vcpu *v)
{
	if (v->exit.reason == EXIT_HLT)
		v->state = VCPU_HALTED;
}

static void fake_reset(struct vcpu *v, const struct vcpu_sregs *s)
{
	set = *s;
	note(v == &a ? "reset-a" : "reset-b");
}

static void fake_load(struct vcpu *v)
{
	note(v == &a ? "load-a" : "load-b");
}

static void fake_put(struct vcpu *v)
{
	note(v == &a ? "put-a" : "put-b");
}

static void fake_run(struct vcpu *v)
{
	note(v == &a ? "A" : "B");
	host_tsc += 1000;
	v->exit.reason = EXIT_INTERRUPT;
	if (in_guest)
		in_guest(v);
}

static bool gate_closed;

static void fake_close(void)
{
	gate_closed = true;
}

static void fake_open(void)
{
	gate_closed = false;
	irq_disable();
}

static void fake_inject(struct vcpu *v, const struct vcpu_event *e)
{
	static const char *const name[] = { "none", "irq", "nmi", "exception" };
	char text[24];

	(void)v;
	snprintf(text, sizeof(text), "%s:%u", name[e->type], e->vector);
	note(text);
}

static void fake_irq_window(struct vcpu *v, bool on)
{
	(void)v;
	note(on ? "irq-window" : "no-irq-window");
}

static void fake_nmi_window(struct vcpu *v, bool on)
{
	(void)v;
	note(on ? "nmi-window" : "no-nmi-window");
}

static void fake_cr8(struct vcpu *v, bool on)
{
	(void)v;
	note(on ? "cr8" : "no-cr8");
}

static const struct vmm_backend fake_backend = {
	.vcpu_reset = fake_reset,
	.vcpu_load = fake_load,
	.vcpu_put = fake_put,
	.run = fake_run,
	.close_gate = fake_close,
	.open_gate = fake_open,
	.inject = fake_inject,
	.want_irq_window = fake_irq_window,
	.want_nmi_window = fake_nmi_window,
	.want_cr8 = fake_cr8,
};
const struct vmm_backend *backend = &fake_backend;

static unsigned self_ipis;

void apic_ipi(uint32_t apic_id, uint8_t vector)
{
	(void)vector;
	if (apic_id == this_cpu()->apic_id)
		self_ipis++;
	else
		host_calls.ipi[apic_id]++;
}

/* --- helpers --- */

static int setup(void **state)
{
	(void)state;
	host_cores(2);
	softirq_init();
	timer_init();
	vcpus_init();
	a = (struct vcpu){ .rflags = RFLAGS_IF, .vm = &vm };
	b = (struct vcpu){ .rflags = RFLAGS_IF, .vm = &vm };
	in_guest = NULL;
	vcpu_start(&a);
	notes[0] = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vcpu_stop(&a);
	vcpu_stop(&b);
	host_tsc += 2 * SLICE; /* the slice timer outlives its guests */
	raise_softirq(SOFTIRQ_TIMER);
	softirq_run(this_cpu());
	return 0;
}

static void one_exit_then_softirq(struct vcpu *v)
{
	(void)v;
	raise_softirq(SOFTIRQ_NET_RX);
}

/* enter() as the loop does it, with what the softirqs do left out */
static void enter(struct vcpu *v, uint64_t slice, bool keep)
{
	irq_disable();
	ops->enter(v, slice, keep);
	assert_false(host_irqs_on);
	this_cpu()->softirq_pending = 0;
	irq_enable();
}

static struct vcpu *next(void)
{
	return ops->next(this_cpu());
}

static void post(struct vcpu *v, unsigned vector)
{
	v->lapic.irr[1] |= BIT(vector - 32);
	v->lapic.irr_words |= BIT(1);
}

/* --- while records are kept --- */

static void watch(bool on)
{
	trace_on = on;
	set_for_each(w, trace_watchers)
		(*w)(on);
}

static void interrupted_at_700(struct vcpu *v)
{
	(void)v;
	this_cpu()->irq_began = host_tsc - 300; /* of the 1000 that fake_run() lasts */
	raise_softirq(SOFTIRQ_NET_RX);
}

static void entries_and_exits_are_recorded_while_that_is_wanted(void **state)
{
	(void)state;
	watch(true);
	watch(true); /* twice is once */
	in_guest = one_exit_then_softirq;
	enter(&a, SLICE, false);
	notes[0] = 0;
	post(&a, 40);
	enter(&a, SLICE, false);
	assert_string_equal(notes, "[inject:40] irq:40 A g0/0:interrupt:1000 g0/0 ");
	notes[0] = 0;
	in_guest = interrupted_at_700;
	enter(&a, SLICE, false);
	assert_string_equal(notes, "A g0/0:interrupt:700 g0/0 ");
	watch(false);
	notes[0] = 0;
	in_guest = one_exit_then_softirq;
	enter(&a, SLICE, false);
	assert_string_equal(notes, "A ");
	assert_ptr_equal(backend, &fake_backend);
}

/* --- whose turn --- */

static void one_that_has_run_less_comes_first(void **state)
{
	(void)state;
	vcpu_start(&b);
	a.vruntime = 2000;
	b.vruntime = 1000;
	assert_ptr_equal(next(), &b);
	b.vruntime = 3000;
	assert_ptr_equal(next(), &a);
}

static void two_that_spin_get_the_same(void **state)
{
	(void)state;
	vcpu_start(&b);
	in_guest = one_exit_then_softirq;
	for (int i = 0; i < 100; i++)
		enter(next(), SLICE, false);
	assert_int_equal(a.tsc_run, b.tsc_run);
	assert_int_equal(a.entries + b.entries, 100);
}

static void a_halted_one_is_chosen_only_when_an_interrupt_waits(void **state)
{
	(void)state;
	a.state = VCPU_HALTED;
	assert_null(next());
	post(&a, 40);
	assert_ptr_equal(next(), &a);
	assert_int_equal(a.state, VCPU_RUNNING);
}

static void a_halted_one_with_interrupts_off_wakes_for_an_nmi_alone(void **state)
{
	(void)state;
	a.state = VCPU_HALTED;
	a.rflags = 0;
	post(&a, 40);
	assert_null(next());
	vcpu_signal_nmi(&a);
	assert_ptr_equal(next(), &a);
}

static void sleep_saves_up_little(void **state)
{
	(void)state;
	vcpu_start(&b);
	a.state = VCPU_HALTED;
	b.vruntime = 100 * SLICE;
	assert_ptr_equal(next(), &b);
	post(&a, 40);
	assert_ptr_equal(next(), &a);
	assert_true(a.vruntime >= 99 * (uint64_t)SLICE);
}

static void a_stopped_one_is_never_chosen(void **state)
{
	(void)state;
	vcpu_stop(&a);
	post(&a, 40);
	assert_null(next());
	vcpu_start(&a);
	assert_ptr_equal(next(), &a);
}

static void registers_are_switched_only_when_another_runs(void **state)
{
	(void)state;
	vcpu_start(&b);
	in_guest = one_exit_then_softirq;
	enter(&a, SLICE, false);
	enter(&a, SLICE, false);
	enter(&b, SLICE, false);
	assert_string_equal(notes, "load-a A A put-a load-b B ");
	vcpu_stop(&b);
	assert_non_null(strstr(notes, "put-b"));
}

/* --- when a run ends --- */

static void a_pending_softirq_ends_the_run(void **state)
{
	(void)state;
	in_guest = one_exit_then_softirq;
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 1);
}

static void one_that_is_pending_already_lets_nobody_in(void **state)
{
	(void)state;
	raise_softirq(SOFTIRQ_NET_RX);
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 0);
	assert_false(gate_closed);
}

static void what_another_core_raises_behind_the_gate_is_seen_at_the_next_look(void **state)
{
	(void)state;
	host_play(1);
	vcpu_kick(&a); /* its core is 0 */
	host_play(0);
	assert_int_equal(host_calls.ipi[0], 1);
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 0);
	this_cpu()->remote_pending = 0;
}

static void under_load_the_share_is_kept_and_ends(void **state)
{
	(void)state;
	raise_softirq(SOFTIRQ_NET_RX);
	enter(&a, MIN_SLICE, true);
	assert_in_range(a.entries, MIN_SLICE / 1000 - 1, MIN_SLICE / 1000 + 1);
}

/*
 * The guest's own timer comes first and uses the hardware's up: its softirq alone arms the
 * one that bounds the run.
 */
static void raise_timer(struct vcpu *v)
{
	(void)v;
	raise_softirq(SOFTIRQ_TIMER);
}

static void a_clock_ends_even_a_kept_run(void **state)
{
	(void)state;
	raise_softirq(SOFTIRQ_NET_RX);
	in_guest = raise_timer;
	enter(&a, MIN_SLICE, true);
	assert_int_equal(a.entries, 1);
}

static void a_busy_control_context_leaves_the_guest_its_share(void **state)
{
	(void)state;
	this_cpu()->control_ready = true;
	enter(&a, MIN_SLICE, false);
	assert_in_range(a.entries, MIN_SLICE / 1000 - 1, MIN_SLICE / 1000 + 1);
	this_cpu()->control_ready = false;
}

static void wake_control(struct vcpu *v)
{
	(void)v;
	this_cpu()->control_ready = true;
}

static void a_control_context_that_wakes_ends_the_run(void **state)
{
	(void)state;
	in_guest = wake_control;
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 1);
	this_cpu()->control_ready = false;
}

static void halt(struct vcpu *v)
{
	v->exit.reason = EXIT_HLT;
}

static void a_halt_ends_the_run(void **state)
{
	(void)state;
	in_guest = halt;
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 1);
	assert_int_equal(a.state, VCPU_HALTED);
}

static void the_slice_timer_is_armed_once_for_many_short_runs(void **state)
{
	(void)state;
	in_guest = one_exit_then_softirq;
	for (int i = 0; i < 50; i++)
		enter(&a, SLICE, false);
	assert_int_equal(host_calls.timer_hw_arm, 1);
	enter(&a, MIN_SLICE, true); /* ends earlier than what is armed */
	assert_int_equal(host_calls.timer_hw_arm, 2);
}

/* --- what an entry brings --- */

static void enter_once(struct vcpu *v)
{
	in_guest = one_exit_then_softirq;
	enter(v, SLICE, false);
}

static void an_interrupt_is_injected_when_it_can_be_taken(void **state)
{
	(void)state;
	post(&a, 40);
	enter_once(&a);
	assert_string_equal(notes, "load-a irq:40 A ");
	assert_int_equal(a.irqs_injected, 1);
	assert_int_equal(a.lapic.irr[1], 0);
}

static void with_interrupts_off_it_asks_for_the_window(void **state)
{
	(void)state;
	post(&a, 40);
	a.rflags = 0;
	enter_once(&a);
	assert_string_equal(notes, "load-a irq-window A ");
	assert_int_equal(a.irqs_injected, 0);
}

static void behind_sti_it_asks_for_the_window(void **state)
{
	(void)state;
	post(&a, 40);
	a.irq_shadow = true;
	enter_once(&a);
	assert_string_equal(notes, "load-a irq-window A ");
}

static void of_two_the_second_waits_for_the_window(void **state)
{
	(void)state;
	post(&a, 40);
	post(&a, 41);
	enter_once(&a);
	assert_string_equal(notes, "load-a irq:41 irq-window A ");
}

static void what_an_exit_interrupted_comes_first(void **state)
{
	(void)state;
	a.event = (struct vcpu_event){ .type = EVENT_EXCEPTION, .vector = 14 };
	post(&a, 40);
	enter_once(&a);
	assert_string_equal(notes, "load-a exception:14 irq-window A ");
	assert_int_equal(a.event.type, EVENT_NONE);
}

static void an_nmi_comes_before_an_interrupt_and_blocks_the_next(void **state)
{
	(void)state;
	vcpu_signal_nmi(&a);
	post(&a, 40);
	enter_once(&a);
	assert_string_equal(notes, "load-a nmi:2 nmi-window irq-window A ");
	assert_true(a.nmi_blocked);
	vcpu_signal_nmi(&a);
	notes[0] = 0;
	a.lapic.irr[1] = 0;
	enter_once(&a);
	assert_string_equal(notes, "nmi-window A ");
	assert_int_equal(a.nmis_injected, 1);
}

static void an_nmi_that_must_wait_for_one_instruction_gets_an_exit_behind_it(void **state)
{
	(void)state;
	self_ipis = 0;
	a.irq_shadow = true;
	vcpu_signal_nmi(&a);
	enter_once(&a);
	assert_string_equal(notes, "load-a A ");
	assert_int_equal(self_ipis, 1);
	a.irq_shadow = false;
	a.event = (struct vcpu_event){ .type = EVENT_EXCEPTION, .vector = 14 };
	enter_once(&a);
	assert_int_equal(self_ipis, 2);
	enter_once(&a);
	assert_non_null(strstr(notes, "nmi:2"));
}

static void what_the_priority_holds_back_asks_for_cr8(void **state)
{
	(void)state;
	post(&a, 40);
	a.lapic.tpr = 0xf0;
	enter_once(&a);
	assert_string_equal(notes, "load-a cr8 A ");
}

/* --- signals --- */

/* wait_for_startup() - b is a further vCPU of its guest, on its core's list. */
static void wait_for_startup(void)
{
	b.id = 1;
	vcpu_start(&b);
	a.state = VCPU_HALTED;
	notes[0] = 0;
}

/* enter_all() - turns of the loop until nobody wants the core. */
static void enter_all(void)
{
	struct vcpu *v;

	in_guest = one_exit_then_softirq;
	for (int i = 0; i < 10 && (v = next()) && v->state != VCPU_RUNNING; i++)
		enter(v, SLICE, false);
}

static void the_first_runs_and_the_others_wait_when_a_guest_starts(void **state)
{
	(void)state;
	wait_for_startup();
	assert_int_equal(b.state, VCPU_WAITING);
	post(&b, 40);
	assert_null(next());
	vcpu_signal_nmi(&b);
	assert_null(next());
}

static void reset_gives_the_first_its_entry_and_forgets_signals(void **state)
{
	static const struct vcpu_entry entry = { .rip = 0x1000200, .gpr = { [GPR_RSI] = 0x7000 } };

	(void)state;
	vcpu_signal_startup(&a, 3);
	vcpu_reset(&a, &entry);
	assert_int_equal(a.signals, 0);
	assert_int_equal(a.rip, 0x1000200);
	assert_int_equal(a.gpr[GPR_RSI], 0x7000);
	assert_string_equal(notes, "reset-a lapic-reset cpu-reset ");
}

static void startup_begins_at_its_page_in_real_mode(void **state)
{
	(void)state;
	wait_for_startup();
	vcpu_reset(&b, NULL);
	vcpu_signal_startup(&b, 0x9a);
	assert_ptr_equal(next(), &b);
	notes[0] = 0;
	enter_all();
	assert_int_equal(b.state, VCPU_RUNNING);
	assert_int_equal(b.entries, 0); /* at its next turn */
	assert_string_equal(notes, "load-b put-b reset-b ");
	assert_int_equal(set.seg[SEGMENT_CS].selector, 0x9a00);
	assert_int_equal(set.seg[SEGMENT_CS].base, 0x9a000);
	assert_int_equal(b.rip, 0);
	assert_int_equal(b.rflags, RFLAGS_FIXED);
	assert_int_equal(b.gpr[GPR_RDX], 0x663);
	assert_false(set.cr0 & CR0_PE);
}

static void startup_to_one_that_does_not_wait_is_lost(void **state)
{
	(void)state;
	b.id = 1;
	vcpu_start(&b);
	b.state = VCPU_RUNNING;
	b.rip = 0x1234;
	notes[0] = 0;
	vcpu_signal_startup(&b, 7);
	enter(&b, SLICE, false);
	assert_int_equal(b.rip, 0x1234);
	assert_null(strstr(notes, "reset"));
	assert_int_equal(b.signals, 0);
	b.state = VCPU_HALTED; /* nor does it wake */
	vcpu_signal_startup(&b, 7);
	enter(&b, SLICE, false);
	assert_int_equal(b.state, VCPU_HALTED);
	assert_int_equal(b.entries, 0);
}

static void init_ends_even_a_halt_with_interrupts_off(void **state)
{
	(void)state;
	wait_for_startup();
	b.state = VCPU_HALTED;
	b.rflags = 0;
	b.event = (struct vcpu_event){ .type = EVENT_EXCEPTION, .vector = 14 };
	vcpu_signal_init(&b);
	assert_ptr_equal(next(), &b);
	enter_all();
	assert_int_equal(b.state, VCPU_WAITING);
	assert_non_null(strstr(notes, "reset-b lapic-clear"));
	assert_int_equal(b.event.type, EVENT_NONE);
	assert_int_equal(b.entries, 0);
}

static void init_of_the_first_goes_to_the_bios(void **state)
{
	(void)state;
	vcpu_signal_init(&a);
	enter(&a, SLICE, false);
	assert_int_equal(a.state, VCPU_RUNNING);
	assert_int_equal(set.seg[SEGMENT_CS].base + a.rip, 0xffff0);
	assert_int_equal(a.entries, 0);
	enter_once(&a);
	assert_int_equal(a.entries, 1);
}

static void init_forgets_what_came_before_and_a_startup_behind_it_counts(void **state)
{
	(void)state;
	wait_for_startup();
	b.state = VCPU_RUNNING;
	vcpu_signal_nmi(&b);
	vcpu_signal_startup(&b, 7);
	vcpu_signal_init(&b);
	enter(&b, SLICE, false);
	assert_int_equal(b.state, VCPU_WAITING);
	assert_int_equal(b.signals, 0);
	b.state = VCPU_RUNNING;
	vcpu_signal_init(&b);
	vcpu_signal_startup(&b, 7);
	vcpu_signal_startup(&b, 8); /* the last one says where */
	enter(&b, SLICE, false);
	assert_int_equal(b.state, VCPU_RUNNING);
	assert_int_equal(set.seg[SEGMENT_CS].base, 0x8000);
}

static void an_nmi_outlives_a_startup_that_is_lost(void **state)
{
	(void)state;
	vcpu_signal_nmi(&a);
	vcpu_signal_startup(&a, 7);
	enter(&a, SLICE, false);
	enter_once(&a);
	assert_non_null(strstr(notes, "nmi:2"));
}

static void one_that_waits_takes_no_nmi(void **state)
{
	(void)state;
	wait_for_startup();
	vcpu_signal_nmi(&b);
	vcpu_signal_startup(&b, 7);
	enter(&b, SLICE, false);
	enter_once(&b);
	assert_int_equal(b.entries, 1);
	assert_int_equal(b.nmis_injected, 0);
}

/* A guest that sends all the time must not keep another's core busy with interrupts. */
static void what_waits_already_interrupts_nobody_again(void **state)
{
	struct cpu *its = this_cpu();
	unsigned me = host_play(1);

	(void)state;
	for (int i = 0; i < 3; i++) {
		vcpu_signal_nmi(&a);
		assert_int_equal(its->remote_pending, i ? 0 : BIT(SOFTIRQ_KICK));
		its->remote_pending = 0; /* it turns, but this vCPU's turn has not come */
	}
	for (int i = 0; i < 3; i++) {
		vcpu_signal_init(&a); /* of another kind: it must come out for this */
		assert_int_equal(its->remote_pending, i ? 0 : BIT(SOFTIRQ_KICK));
		its->remote_pending = 0;
		vcpu_signal_startup(&a, i);
		assert_int_equal(its->remote_pending, 0);
	}
	host_play(me);
}

/*
 * What comes while it is in the guest, from another core: it comes out, and is not entered again.
 */
static void stop_from_afar(struct vcpu *v)
{
	unsigned me = host_play(1);

	vcpu_signal_stop(v);
	host_play(me);
}

static void a_stopped_guest_is_not_entered_once_more(void **state)
{
	(void)state;
	in_guest = stop_from_afar;
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 1);
	this_cpu()->remote_pending = 0; /* its core was kicked, and turns */
	enter(&a, SLICE, false);
	assert_int_equal(a.entries, 1);
	assert_int_equal(a.state, VCPU_OFF);
	assert_string_equal(notes, "load-a A put-a lapic-stop left ");
	assert_null(next());
}

/* A kept run looks at each entry, as kicks do not end it. */
static void not_even_in_its_share_beside_packets(void **state)
{
	(void)state;
	raise_softirq(SOFTIRQ_NET_RX);
	in_guest = stop_from_afar;
	enter(&a, MIN_SLICE, true);
	assert_int_equal(a.entries, 1);
	assert_int_equal(a.state, VCPU_OFF);
	this_cpu()->remote_pending = 0;
}

static void stop_reaches_who_sleeps_and_who_waits_and_comes_before_init(void **state)
{
	(void)state;
	wait_for_startup();
	vcpu_signal_stop(&a);
	vcpu_signal_stop(&b);
	vcpu_signal_init(&b);
	enter_all();
	assert_int_equal(a.state, VCPU_OFF);
	assert_int_equal(b.state, VCPU_OFF);
	assert_null(strstr(notes, "reset"));
	assert_null(next());
}

static void each_leaves_its_guest_once(void **state)
{
	(void)state;
	vcpu_signal_stop(&a);
	enter(&a, SLICE, false);
	notes[0] = 0;
	vcpu_stop(&a);
	assert_null(strstr(notes, "left"));
	vcpu_start(&a);
	vcpu_stop(&a);
	assert_non_null(strstr(notes, "left"));
}

static void who_gives_way_comes_behind_the_other(void **state)
{
	(void)state;
	b.id = 1;
	vcpu_start(&b);
	b.state = VCPU_RUNNING;
	b.vruntime = 5000;
	a.vruntime = 1000;
	assert_ptr_equal(next(), &a);
	vcpu_give_way(&a, &b);
	assert_true(softirq_pending_on(this_cpu()));
	assert_ptr_equal(next(), &b);
	b.vruntime = 9000; /* it has run */
	assert_ptr_equal(next(), &a);
	this_cpu()->softirq_pending = 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(entries_and_exits_are_recorded_while_that_is_wanted),
		T(one_that_has_run_less_comes_first),
		T(two_that_spin_get_the_same),
		T(a_halted_one_is_chosen_only_when_an_interrupt_waits),
		T(a_halted_one_with_interrupts_off_wakes_for_an_nmi_alone),
		T(sleep_saves_up_little),
		T(a_stopped_one_is_never_chosen),
		T(registers_are_switched_only_when_another_runs),
		T(a_pending_softirq_ends_the_run),
		T(one_that_is_pending_already_lets_nobody_in),
		T(what_another_core_raises_behind_the_gate_is_seen_at_the_next_look),
		T(under_load_the_share_is_kept_and_ends),
		T(a_clock_ends_even_a_kept_run),
		T(a_busy_control_context_leaves_the_guest_its_share),
		T(a_control_context_that_wakes_ends_the_run),
		T(a_halt_ends_the_run),
		T(the_slice_timer_is_armed_once_for_many_short_runs),
		T(an_interrupt_is_injected_when_it_can_be_taken),
		T(with_interrupts_off_it_asks_for_the_window),
		T(behind_sti_it_asks_for_the_window),
		T(of_two_the_second_waits_for_the_window),
		T(what_an_exit_interrupted_comes_first),
		T(an_nmi_comes_before_an_interrupt_and_blocks_the_next),
		T(an_nmi_that_must_wait_for_one_instruction_gets_an_exit_behind_it),
		T(what_the_priority_holds_back_asks_for_cr8),
		T(the_first_runs_and_the_others_wait_when_a_guest_starts),
		T(reset_gives_the_first_its_entry_and_forgets_signals),
		T(startup_begins_at_its_page_in_real_mode),
		T(startup_to_one_that_does_not_wait_is_lost),
		T(init_ends_even_a_halt_with_interrupts_off),
		T(init_of_the_first_goes_to_the_bios),
		T(init_forgets_what_came_before_and_a_startup_behind_it_counts),
		T(an_nmi_outlives_a_startup_that_is_lost),
		T(one_that_waits_takes_no_nmi),
		T(what_waits_already_interrupts_nobody_again),
		T(a_stopped_guest_is_not_entered_once_more),
		T(not_even_in_its_share_beside_packets),
		T(stop_reaches_who_sleeps_and_who_waits_and_comes_before_init),
		T(each_leaves_its_guest_once),
		T(who_gives_way_comes_behind_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
