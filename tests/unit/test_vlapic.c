/* SPDX-License-Identifier: MIT */
/* links: vmm/vlapic.c vmm/vlapic_access.c vmm/vlapic_ipi.c vmm/vlapic_timer.c vmm/vioapic.c kernel/timer.c kernel/softirq.c tests/unit/host.c */
/*
 * test_vlapic.c - what a guest sees of its local APIC: priorities, modes, reserved bits, timers,
 * who is meant; and that no vector is lost between cores
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/softirq.h"
#include "kernel/timer.h"
#include "vmm/vlapic_regs.h"
#include "vmm/vm.h"

enum { VCPUS = 3, US = 1000, MS = 1000 * US }; /* a tick of the TSC is a nanosecond */

static struct vm vm;
static struct vcpu vcpu[VCPUS];
static struct vlapic *const l = &vcpu[0].lapic;
static _Atomic unsigned kicks[VCPUS], nmis[VCPUS];
static unsigned inits[VCPUS], startups[VCPUS], page[VCPUS],
	ways[VCPUS]; /* page: of the last STARTUP */

void injection_notify(struct vcpu *v)
{
	kicks[v - vcpu]++;
}

static struct injection_meter meter;
static unsigned stamped, entered; /* the vector waits not yet, or still */

void injection_stamp(struct injection *in, uint8_t vector)
{
	assert_ptr_equal(in, &vcpu[0].injection);
	assert_false(l->irr[vector / 32] & BIT(vector % 32));
	stamped++;
}

void injection_enter(struct injection *in, uint8_t vector)
{
	assert_ptr_equal(in, &vcpu[0].injection);
	assert_true(l->irr[vector / 32] & BIT(vector % 32));
	entered++;
}

void vcpu_signal_nmi(struct vcpu *v)
{
	nmis[v - vcpu]++;
}

void vcpu_signal_init(struct vcpu *v)
{
	inits[v - vcpu]++;
}

void vcpu_signal_startup(struct vcpu *v, uint8_t at)
{
	startups[v - vcpu]++;
	page[v - vcpu] = at;
}

void vcpu_give_way(struct vcpu *v, const struct vcpu *to)
{
	assert_ptr_equal(v, &vcpu[0]);
	ways[to - vcpu]++;
}

/* --- the guest's hands --- */

static uint32_t rd(uint32_t reg)
{
	return vlapic_mmio_read(l, reg, 4);
}

static void wr(uint32_t reg, uint32_t value)
{
	vlapic_mmio_write(l, reg, 4, value);
}

static int rdmsr_of(uint32_t index, uint64_t *value)
{
	assert_true(vlapic_owns_msr(index));
	return vlapic_rdmsr(l, index, value);
}

static int x2_wr(uint32_t reg, uint64_t value)
{
	return vlapic_wrmsr(l, MSR_X2APIC + reg / 16, value);
}

static uint64_t x2_rd(uint32_t reg)
{
	uint64_t value = 0;

	assert_int_equal(rdmsr_of(MSR_X2APIC + reg / 16, &value), 0);
	return value;
}

static int set_mode_of(struct vlapic *a, unsigned mode)
{
	return vlapic_wrmsr(a, MSR_APIC_BASE, VLAPIC_BASE | FIELD_PREP(APIC_BASE_MODE, mode));
}

static int set_mode(unsigned mode)
{
	return set_mode_of(l, mode);
}

/* what the back end does at an entry; returns the vector, or -1 */
static int take(void)
{
	int vector = vlapic_pending(l);

	if (vector >= 0)
		vlapic_accept(l, vector);
	return vector;
}

static void enable(struct vlapic *a)
{
	vlapic_mmio_write(a, APIC_SVR, 4, SVR_ENABLE | 0xff);
}

/* all vCPUs as after RESET */
static int reset(void **state)
{
	(void)state;
	host_cores(2);
	softirq_init();
	timer_init();
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset((void *)kicks, 0, sizeof(kicks));
	memset((void *)nmis, 0, sizeof(nmis));
	stamped = entered = 0;
	memset(inits, 0, sizeof(inits));
	memset(startups, 0, sizeof(startups));
	memset(ways, 0, sizeof(ways));
	vm.nvcpus = VCPUS;
	vioapic_init(&vm.ioapic, &vm);
	for (unsigned i = 0; i < VCPUS; i++) {
		vm.vcpu[i] = &vcpu[i];
		vcpu[i].id = i;
		vcpu[i].vm = &vm;
		vlapic_init(&vcpu[i].lapic, &vcpu[i]);
	}
	host_tsc = 1000 * MS;
	return 0;
}

/* and as a kernel has them: xAPIC mode, switched on */
static int start(void **state)
{
	reset(state);
	for (unsigned i = 0; i < VCPUS; i++)
		enable(&vcpu[i].lapic);
	return 0;
}

static int start_x2(void **state)
{
	start(state);
	for (unsigned i = 0; i < VCPUS; i++)
		assert_int_equal(set_mode_of(&vcpu[i].lapic, APIC_MODE_X2APIC), 0);
	return 0;
}

/* let the hardware fire at its deadlines up to @ns from now; returns how often it did */
static unsigned pass(uint64_t ns)
{
	uint64_t end = host_tsc + ns;
	unsigned fired = 0;

	while (host_calls.timer_hw_arm && host_calls.timer_hw_deadline <= end) {
		assert_true(fired++ < 1000);
		host_tsc = MAX(host_tsc, host_calls.timer_hw_deadline);
		host_calls.timer_hw_arm = 0; /* one shot */
		raise_softirq(SOFTIRQ_TIMER);
		softirq_run(this_cpu());
	}
	host_tsc = end;
	return fired;
}

/* --- priorities --- */

static void the_highest_vector_is_taken_first(void **state)
{
	(void)state;
	vlapic_post(l, 0x31, false);
	vlapic_post(l, 0xf1, false);
	vlapic_post(l, 0x82, false);
	assert_int_equal(take(), 0xf1);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), 0x82);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), 0x31);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), -1);
	assert_int_equal(l->eois, 3);
}

static void only_a_higher_class_interrupts_a_handler(void **state)
{
	(void)state;
	vlapic_post(l, 0x51, false);
	assert_int_equal(take(), 0x51);
	vlapic_post(l, 0x5f, false); /* higher, but of the same class */
	assert_int_equal(take(), -1);
	assert_int_equal(rd(APIC_PPR), 0x50);
	vlapic_post(l, 0x60, false);
	assert_int_equal(take(), 0x60);
	assert_int_equal(rd(APIC_PPR), 0x60);
	assert_int_equal(rd(APIC_ISR + 16 * (0x51 / 32)), BIT(0x51 % 32));
	assert_int_equal(rd(APIC_ISR + 16 * (0x60 / 32)), BIT(0x60 % 32));
}

static void an_eoi_ends_the_innermost_handler(void **state)
{
	(void)state;
	vlapic_post(l, 0x51, false);
	take();
	vlapic_post(l, 0x5f, false);
	vlapic_post(l, 0x91, false);
	assert_int_equal(take(), 0x91);
	wr(APIC_EOI, 0);
	assert_int_equal(rd(APIC_PPR), 0x50);
	assert_int_equal(take(), -1);
	wr(APIC_EOI, 0);
	assert_int_equal(rd(APIC_PPR), 0);
	assert_int_equal(take(), 0x5f);
	wr(APIC_EOI, 0);
	wr(APIC_EOI, 0); /* one too many */
	assert_int_equal(l->eois, 3);
}

static void task_priority_holds_back_its_class_and_those_below(void **state)
{
	(void)state;
	wr(APIC_TPR, 0x55);
	vlapic_post(l, 0x5f, false);
	assert_int_equal(vlapic_pending(l), -1);
	assert_true(vlapic_waits(l));
	assert_int_equal(rd(APIC_PPR), 0x55);
	vlapic_post(l, 0x60, false);
	assert_false(vlapic_waits(l));
	assert_int_equal(take(), 0x60);
	/* now the handler holds it back, and a lower task priority would change nothing */
	vlapic_post(l, 0x61, false);
	assert_false(vlapic_waits(l));
	assert_int_equal(rd(APIC_PPR), 0x60);
	/*
	 * both do: the handler still would, so that the guest's write of a
	 * lower one need not be watched
	 */
	wr(APIC_TPR, 0x65);
	assert_false(vlapic_waits(l));
	assert_int_equal(rd(APIC_PPR), 0x65);
	wr(APIC_EOI, 0);
	wr(APIC_EOI, 0);
	wr(APIC_TPR, 0x40);
	assert_int_equal(take(), 0x61);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), 0x5f);
}

static void a_vector_waits_once_however_often_it_is_posted(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, false);
	vlapic_post(l, 0x41, false);
	assert_int_equal(kicks[0], 1);
	assert_int_equal(take(), 0x41);
	vlapic_post(l, 0x41, false); /* and once more while it is served */
	assert_int_equal(kicks[0], 2);
	assert_int_equal(take(), -1);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), 0x41);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), -1);
}

static void measured_each_wait_is_stamped_once_before_it_shows_and_before_it_ends(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, false);
	assert_int_equal(take(), 0x41);
	assert_int_equal(stamped + entered, 0); /* not measured */
	wr(APIC_EOI, 0);
	atomic_store(&vcpu[0].injection.meter, &meter);
	vlapic_post(l, 0x41, false);
	vlapic_post(l, 0x41, false);
	vlapic_post(l, 0x42, false);
	assert_int_equal(stamped, 2);
	assert_int_equal(take(), 0x42);
	assert_int_equal(entered, 1);
}

static void vectors_of_one_word_do_not_hide_each_other(void **state)
{
	(void)state;
	for (unsigned v = 0x20; v < 0x100; v++)
		vlapic_post(l, v, false);
	for (unsigned v = 0xff; v >= 0x20; v--) {
		assert_int_equal(take(), v);
		wr(APIC_EOI, 0);
	}
	assert_int_equal(take(), -1);
	assert_int_equal(l->irr_words, 0);
}

static void vectors_below_16_are_errors(void **state)
{
	(void)state;
	vlapic_post(l, 15, false);
	assert_int_equal(vlapic_pending(l), -1);
	assert_int_equal(rd(APIC_ESR), 0);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_RECEIVE_ILLEGAL);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), 0);
	vlapic_post(l, 16, false);
	assert_int_equal(take(), 16);
}

static void switched_off_it_takes_nothing_but_keeps_what_waits(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, false);
	wr(APIC_LVT_LINT0, DELIVER_EXTINT << 8);
	wr(APIC_SVR, 0xff);
	assert_int_equal(rd(APIC_LVT_LINT0), LVT_MASKED | DELIVER_EXTINT << 8);
	wr(APIC_LVT_LINT0, DELIVER_EXTINT << 8); /* the mask stays */
	assert_int_equal(rd(APIC_LVT_LINT0), LVT_MASKED | DELIVER_EXTINT << 8);
	vlapic_post(l, 0x42, false);
	assert_int_equal(vlapic_deliver(&vm, 0, false, DELIVER_FIXED, 0x43, false), 0);
	assert_int_equal(vlapic_deliver(&vm, 0, false, DELIVER_NMI, 0, false), 1);
	assert_int_equal(nmis[0], 1);
	enable(l);
	assert_int_equal(take(), 0x41);
	wr(APIC_EOI, 0);
	assert_int_equal(take(), -1);
}

static void after_reset_nothing_is_left(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, true);
	take();
	vlapic_post(l, 0x51, true);
	wr(APIC_TPR, 0x20);
	wr(APIC_LVT_TIMER, FIELD_PREP(TIMER_MODE, TIMER_PERIODIC) | 0x30);
	wr(APIC_TIMER_INITIAL, 1000000);
	vlapic_stop(l);
	vlapic_reset(l);
	assert_int_equal(rd(APIC_SVR), 0xff);
	assert_int_equal(rd(APIC_TPR), 0);
	assert_int_equal(rd(APIC_DFR), UINT32_MAX);
	assert_int_equal(rd(APIC_LVT_TIMER), LVT_MASKED);
	assert_int_equal(rd(APIC_TIMER_INITIAL), 0);
	assert_int_equal(pass(10 * MS),
			 1); /* the hardware was set already, and finds nothing due */
	enable(l);
	assert_int_equal(vlapic_pending(l), -1);
	for (unsigned i = 0; i < VLAPIC_WORDS; i++) {
		assert_int_equal(rd(APIC_ISR + 16 * i), 0);
		assert_int_equal(rd(APIC_TMR + 16 * i), 0);
	}
	vlapic_post(l, 0x51, false);
	assert_int_equal(take(), 0x51);
}

/* --- the end of level-triggered interrupts --- */

static void the_ioapic_hears_of_the_end_of_a_level_interrupt_only(void **state)
{
	enum { PIN = 5, WIN = 0x10 };

	(void)state;
	/* level, vector 0x41, to vCPU 0 */
	vioapic_write(&vm.ioapic, 0, 4, 0x10 + 2 * PIN);
	vioapic_write(&vm.ioapic, WIN, 4, BIT(15) | 0x41);
	vioapic_set(&vm.ioapic, PIN, true);
	assert_int_equal(rd(APIC_TMR + 16 * (0x41 / 32)), BIT(0x41 % 32));
	assert_int_equal(take(), 0x41);
	vlapic_post(l, 0x51, false);
	take();
	wr(APIC_EOI, 0); /* of 0x51 */
	assert_true(vioapic_read(&vm.ioapic, WIN, 4) & BIT(14));
	vioapic_set(&vm.ioapic, PIN, false);
	wr(APIC_EOI, 0);
	assert_false(vioapic_read(&vm.ioapic, WIN, 4) & BIT(14));
	assert_int_equal(vm.lock.locked, 0);
	assert_int_equal(take(), -1);
}

static void the_trigger_is_that_of_the_last_post(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, true);
	vlapic_post(l, 0x42, true);
	take();
	wr(APIC_EOI, 0);
	vlapic_post(l, 0x42, false);
	assert_int_equal(rd(APIC_TMR + 16 * (0x41 / 32)), BIT(0x41 % 32));
}

/* --- registers --- */

static void identifies_itself(void **state)
{
	struct vlapic *second = &vcpu[2].lapic;
	uint64_t value;

	(void)state;
	assert_int_equal(vlapic_mmio_read(second, APIC_ID, 4), 2u << 24);
	assert_int_equal(rd(APIC_VERSION), 0x50014);
	assert_int_equal(rdmsr_of(MSR_APIC_BASE, &value), 0);
	assert_int_equal(value, 0xfee00900); /* on, and the one that booted */
	vlapic_rdmsr(second, MSR_APIC_BASE, &value);
	assert_int_equal(value, 0xfee00800);
	assert_int_equal(set_mode_of(second, APIC_MODE_X2APIC), 0);
	vlapic_rdmsr(second, MSR_X2APIC + APIC_ID / 16, &value);
	assert_int_equal(value, 2);
	vlapic_rdmsr(second, MSR_X2APIC + APIC_LDR / 16, &value);
	assert_int_equal(value, BIT(2));
	vcpu[2].id = 0x25;
	vlapic_rdmsr(second, MSR_X2APIC + APIC_LDR / 16, &value);
	assert_int_equal(value, 2 << 16 | BIT(5));
}

static void xapic_keeps_writable_bits_and_ignores_reserved_ones(void **state)
{
	(void)state;
	wr(APIC_TPR, 0xffffff70);
	assert_int_equal(rd(APIC_TPR), 0x70);
	wr(APIC_LDR, 0x02ffffff);
	assert_int_equal(rd(APIC_LDR), 0x02000000);
	wr(APIC_DFR, 0);
	assert_int_equal(rd(APIC_DFR), 0x0fffffff);
	wr(APIC_LVT_LINT1, UINT32_MAX);
	assert_int_equal(rd(APIC_LVT_LINT1), 0x1a7ff); /* without status and remote IRR */
	wr(APIC_TIMER_DIVIDE, UINT32_MAX);
	assert_int_equal(rd(APIC_TIMER_DIVIDE), 0xb);
	wr(APIC_ICR_HIGH, UINT32_MAX);
	assert_int_equal(rd(APIC_ICR_HIGH), 0xff000000);
	wr(APIC_ID, 0x05000000); /* read only */
	assert_int_equal(rd(APIC_ID), 0);
	wr(APIC_ISR + 16, UINT32_MAX);
	assert_int_equal(rd(APIC_ISR + 16), 0);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), 0); /* none of these is an error */
}

static void a_register_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	wr(APIC_LVT_ERROR, 0x44);
	assert_int_equal(rd(0x010), 0);
	assert_int_equal(take(), 0x44);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_REGISTER);
	wr(APIC_EOI, 0);
	wr(0x2f0, 1);                   /* CMCI, which the version does not announce */
	assert_int_equal(rd(0xff0), 0); /* beyond the last */
	wr(APIC_SELF_IPI, 0x55);        /* of the other mode */
	assert_int_equal(take(), 0x44);
	assert_int_equal(take(), -1);
}

static void an_access_across_registers_does_nothing(void **state)
{
	(void)state;
	wr(APIC_TPR, 0x30);
	assert_int_equal(vlapic_mmio_read(l, APIC_TPR, 8), 0);
	assert_int_equal(vlapic_mmio_read(l, APIC_TPR + 2, 4), 0);
	assert_int_equal(vlapic_mmio_read(l, APIC_TPR, 1), 0x30);
	assert_int_equal(vlapic_mmio_read(l, APIC_VERSION + 2, 1), 5);
	vlapic_mmio_write(l, APIC_TPR, 8, 0x40);
	vlapic_mmio_write(l, APIC_TPR, 1, 0x40);
	vlapic_mmio_write(l, APIC_TPR + 4, 4, 0x40);
	assert_int_equal(rd(APIC_TPR), 0x30);
}

/* --- modes --- */

static void modes_follow_each_other_as_the_manual_allows(void **state)
{
	enum { OFF = APIC_MODE_OFF, BAD, X1, X2 };
	static const struct {
		int first[2], to; /* two writes lead to the state, the third is judged */
		bool legal;
	} step[] = {
		{ { X1, OFF }, OFF, true }, { { X1, OFF }, BAD, false }, { { X1, OFF }, X1, true },
		{ { X1, OFF }, X2, false }, { { X1, X1 }, OFF, true },   { { X1, X1 }, BAD, false },
		{ { X1, X1 }, X1, true },   { { X1, X1 }, X2, true },    { { X1, X2 }, OFF, true },
		{ { X1, X2 }, BAD, false }, { { X1, X2 }, X1, false },   { { X1, X2 }, X2, true },
	};
	uint64_t value;

	for (unsigned i = 0; i < ARRAY_SIZE(step); i++) {
		reset(state);
		assert_int_equal(set_mode(step[i].first[0]), 0);
		assert_int_equal(set_mode(step[i].first[1]), 0);
		if (set_mode(step[i].to) != (step[i].legal ? 0 : -EINVAL))
			fail_msg("mode %d to %d", step[i].first[1], step[i].to);
		vlapic_rdmsr(l, MSR_APIC_BASE, &value);
		assert_int_equal(FIELD_GET(APIC_BASE_MODE, value),
				 step[i].legal ? step[i].to : step[i].first[1]);
		assert_true(value & APIC_BASE_BSP); /* read only */
	}
}

static void reserved_bits_of_the_base_fault_and_the_address_moves(void **state)
{
	(void)state;
	assert_int_equal(vlapic_wrmsr(l, MSR_APIC_BASE, 0xfee00800 | BIT(0)), -EINVAL);
	assert_int_equal(vlapic_wrmsr(l, MSR_APIC_BASE, 0xfee00800 | BIT(9)), -EINVAL);
	assert_int_equal(vlapic_wrmsr(l, MSR_APIC_BASE, 0xfee00800 | BIT(36)), -EINVAL);
	assert_int_equal(vlapic_base(l), VLAPIC_BASE);
	assert_int_equal(vlapic_wrmsr(l, MSR_APIC_BASE, 0xfed00800), 0);
	assert_int_equal(vlapic_base(l), 0xfed00000);
}

static void x2apic_keeps_what_xapic_had(void **state)
{
	(void)state;
	wr(APIC_TPR, 0x20);
	vlapic_post(l, 0x41, false);
	vlapic_post(l, 0x31, false);
	take();
	assert_int_equal(set_mode(APIC_MODE_X2APIC), 0);
	assert_int_equal(x2_rd(APIC_TPR), 0x20);
	assert_int_equal(x2_rd(APIC_SVR), 0x1ff);
	assert_int_equal(x2_rd(APIC_ISR + 16 * (0x41 / 32)), BIT(0x41 % 32));
	assert_int_equal(x2_rd(APIC_IRR + 16 * (0x31 / 32)), BIT(0x31 % 32));
	assert_int_equal(x2_wr(APIC_EOI, 0), 0);
	assert_int_equal(take(), 0x31);
}

static void switched_off_altogether_it_forgets(void **state)
{
	uint64_t value;

	(void)state;
	wr(APIC_TPR, 0x20);
	vlapic_post(l, 0x41, false);
	assert_int_equal(set_mode(APIC_MODE_OFF), 0);
	assert_int_equal(vlapic_pending(l), -1);
	vlapic_post(l, 0x41, false);
	assert_int_equal(vlapic_deliver(&vm, 0, false, DELIVER_NMI, 0, false), 0);
	assert_int_equal(vlapic_pending(l), -1);
	assert_int_equal(rd(APIC_TPR), UINT32_MAX); /* nobody is there */
	assert_int_equal(vlapic_mmio_read(l, APIC_TPR, 1), 0xff);
	assert_int_equal(rdmsr_of(MSR_X2APIC + APIC_TPR / 16, &value), -EINVAL);
	assert_int_equal(set_mode(APIC_MODE_XAPIC), 0);
	assert_int_equal(rd(APIC_TPR), 0);
	assert_int_equal(rd(APIC_SVR), 0xff);
}

static void in_x2apic_mode_memory_is_nobodys(void **state)
{
	(void)state;
	assert_int_equal(rd(APIC_VERSION), UINT32_MAX);
	wr(APIC_TPR, 0x30);
	assert_int_equal(x2_rd(APIC_TPR), 0);
}

static void x2apic_faults_on_reserved_bits(void **state)
{
	static const struct {
		uint32_t reg;
		uint64_t good, bad;
	} row[] = {
		{ APIC_TPR, 0xff, 0x100 },
		{ APIC_EOI, 0, 1 },
		{ APIC_SVR, 0x1ff, 0x400 },
		{ APIC_SVR, 0x3ff, BIT(12) }, /* EOI suppression is not offered */
		{ APIC_ESR, 0, 1 },
		{ APIC_ICR, UINT64_C(0x7000c0040), BIT(12) },
		{ APIC_ICR, 0x40, BIT(20) },
		{ APIC_LVT_TIMER, 0x510ff, BIT(19) },
		{ APIC_LVT_TIMER, 0x30, BIT(8) },
		{ APIC_LVT_THERMAL, 0x107ff, BIT(13) },
		{ APIC_LVT_PERF, 0x400, BIT(15) },
		{ APIC_LVT_LINT0, 0x1ffff & ~BIT(11), BIT(11) },
		{ APIC_LVT_LINT1, 0x400, BIT(17) },
		{ APIC_LVT_ERROR, 0x100fe, BIT(8) },
		{ APIC_TIMER_INITIAL, UINT32_MAX, BIT(32) },
		{ APIC_TIMER_DIVIDE, 0xb, BIT(2) },
		{ APIC_SELF_IPI, 0x40, 0x100 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		if (x2_wr(row[i].reg, row[i].good))
			fail_msg("%x refuses %lx", row[i].reg, row[i].good);
		if (x2_wr(row[i].reg, row[i].bad) != -EINVAL)
			fail_msg("%x takes %lx", row[i].reg, row[i].bad);
		if (row[i].reg != APIC_ICR && x2_wr(row[i].reg, BIT(40)) != -EINVAL)
			fail_msg("%x takes bit 40", row[i].reg);
	}
}

static void x2apic_faults_on_registers_that_it_has_not(void **state)
{
	static const uint32_t unreadable[] = { 0x000,    APIC_APR, APIC_EOI,      APIC_RRD,
					       APIC_DFR, 0x2f0,    APIC_ICR_HIGH, APIC_SELF_IPI,
					       0x400,    0xff0 };
	static const uint32_t unwritable[] = { 0x000,    APIC_ID,         APIC_VERSION,
					       APIC_PPR, APIC_LDR,        APIC_DFR,
					       APIC_ISR, APIC_TMR + 0x70, APIC_IRR,
					       0x2f0,    APIC_ICR_HIGH,   APIC_TIMER_CURRENT,
					       0x400 };
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(unreadable); i++)
		if (rdmsr_of(MSR_X2APIC + unreadable[i] / 16, &value) != -EINVAL)
			fail_msg("%x can be read", unreadable[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(unwritable); i++)
		if (x2_wr(unwritable[i], 0) != -EINVAL)
			fail_msg("%x can be written", unwritable[i]);
}

/* --- who is meant --- */

/* eoi_of() - in whichever mode @a is */
static void eoi_of(struct vlapic *a)
{
	if (vlapic_wrmsr(a, MSR_X2APIC + APIC_EOI / 16, 0))
		vlapic_mmio_write(a, APIC_EOI, 4, 0);
}

/* has_each() - "x-x": vCPUs 0 and 2 have @vector waiting, 1 has not. Takes it away. */
static void has_each(uint8_t vector, const char *want)
{
	char have[VCPUS + 1] = "";

	for (unsigned i = 0; i < VCPUS; i++) {
		struct vlapic *a = &vcpu[i].lapic;

		have[i] = vlapic_pending(a) == vector ? 'x' : '-';
		if (have[i] == '-')
			continue;
		vlapic_accept(a, vector);
		eoi_of(a);
	}
	assert_string_equal(have, want);
}

static unsigned fixed(uint32_t dest, bool logical)
{
	return vlapic_deliver(&vm, dest, logical, DELIVER_FIXED, 0x41, false);
}

static void set_ldr(unsigned id, uint8_t ldr)
{
	vlapic_mmio_write(&vcpu[id].lapic, APIC_LDR, 4, (uint32_t)ldr << 24);
}

static void physical_destinations_are_ids(void **state)
{
	(void)state;
	assert_int_equal(fixed(1, false), 1);
	has_each(0x41, "-x-");
	assert_int_equal(fixed(7, false), 0);
	assert_int_equal(fixed(0xff, false), 3);
	has_each(0x41, "xxx");
	vlapic_mmio_write(&vcpu[1].lapic, APIC_SVR, 4, 0xff);
	assert_int_equal(fixed(0xff, false), 2);
	has_each(0x41, "x-x");
}

static void logical_destinations_are_bits_in_the_flat_model(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VCPUS; i++)
		set_ldr(i, BIT(i));
	assert_int_equal(fixed(5, true), 2);
	has_each(0x41, "x-x");
	assert_int_equal(fixed(0x80, true), 0);
	for (unsigned i = 0; i < VCPUS; i++)
		set_ldr(i, 0);
	assert_int_equal(fixed(0xff, true), 3);
	has_each(0x41, "xxx");
}

static void logical_destinations_are_cluster_and_bits_in_the_cluster_model(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VCPUS; i++)
		vlapic_mmio_write(&vcpu[i].lapic, APIC_DFR, 4, 0);
	set_ldr(0, 0x01);
	set_ldr(1, 0x02);
	set_ldr(2, 0x11);
	assert_int_equal(fixed(0x03, true), 2);
	has_each(0x41, "xx-");
	assert_int_equal(fixed(0x13, true), 1);
	has_each(0x41, "--x");
}

static void x2apic_logical_destinations_follow_from_the_ids(void **state)
{
	(void)state;
	assert_int_equal(fixed(6, true), 2);
	has_each(0x41, "-xx");
	vcpu[2].id = 0x12; /* member 2 of cluster 1 */
	assert_int_equal(x2_wr(APIC_ICR, UINT64_C(0x10004) << 32 | ICR_LOGICAL | 0x41), 0);
	has_each(0x41, "--x");
	assert_int_equal(x2_wr(APIC_ICR, UINT64_C(0x00007) << 32 | ICR_LOGICAL | 0x41), 0);
	has_each(0x41, "xx-");
}

static void lowest_priority_goes_to_one(void **state)
{
	(void)state;
	assert_int_equal(vlapic_deliver(&vm, 0xff, false, DELIVER_LOWEST, 0x41, false), 1);
	has_each(0x41, "x--");
	vlapic_mmio_write(&vcpu[0].lapic, APIC_SVR, 4, 0xff);
	assert_int_equal(vlapic_deliver(&vm, 0xff, false, DELIVER_LOWEST, 0x41, false), 1);
	has_each(0x41, "-x-");
}

static void messages_name_destination_and_vector(void **state)
{
	(void)state;
	assert_int_equal(vlapic_msi(&vm, 0xfee02000, 0x4041), 1);
	has_each(0x41, "--x");
	assert_int_equal(vlapic_msi(&vm, 0xfee01008, 0x41), 1); /* redirection hint */
	has_each(0x41, "-x-");
	assert_int_equal(vlapic_msi(&vm, 0xfee01000, 0x400), 1);
	assert_int_equal(nmis[1], 1);
	set_ldr(0, 2);
	assert_int_equal(vlapic_msi(&vm, 0xfee02004, 0x141), 1);
	has_each(0x41, "x--");
	assert_int_equal(vlapic_msi(&vm, 0xfee02000, 0x341), 0); /* a mode that is none */
	assert_int_equal(vlapic_msi(&vm, 0xfed02000, 0x41), 0);
	assert_int_equal(vlapic_msi(&vm, UINT64_C(0x1fee02000), 0x41), 0);
	has_each(0x41, "---");
}

static void xapic_sends_by_both_halves_of_icr(void **state)
{
	(void)state;
	wr(APIC_ICR_HIGH, 2u << 24);
	has_each(0x41, "---");
	wr(APIC_ICR, ICR_ASSERT | 0x41);
	has_each(0x41, "--x");
	assert_int_equal(rd(APIC_ICR), ICR_ASSERT | 0x41);
	wr(APIC_ICR, FIELD_PREP(ICR_MODE, DELIVER_NMI) | ICR_ASSERT);
	assert_int_equal(nmis[2], 1);
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_SELF) | 0x42);
	has_each(0x42, "x--");
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_ALL) | 0x43);
	has_each(0x43, "xxx");
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_OTHERS) | 0x44);
	has_each(0x44, "-xx");
	wr(APIC_ICR_HIGH, 0xffu << 24);
	wr(APIC_ICR, 0x45);
	has_each(0x45, "xxx");
	wr(APIC_ICR, 5);
	wr(APIC_ESR, 0);
	assert_int_equal(rd(APIC_ESR), ESR_SEND_ILLEGAL);
}

/* as Linux starts a CPU: the level goes up and down again, then twice where to begin */
static void init_and_startup_go_to_who_is_meant(void **state)
{
	uint32_t init = FIELD_PREP(ICR_MODE, DELIVER_INIT) | ICR_LEVEL;
	uint32_t startup = FIELD_PREP(ICR_MODE, DELIVER_STARTUP);

	(void)state;
	wr(APIC_ICR_HIGH, 2u << 24);
	wr(APIC_ICR, init | ICR_ASSERT);
	assert_int_equal(inits[2], 1);
	wr(APIC_ICR, init); /* INIT level de-assert: for no APIC of today */
	assert_int_equal(inits[2], 1);
	wr(APIC_ICR, startup | 0x9a);
	assert_int_equal(page[2], 0x9a);
	wr(APIC_ICR, startup | 3); /* a page, no vector: none is too low */
	assert_int_equal(page[2], 3);
	assert_int_equal(startups[2], 2);
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_OTHERS) | init | ICR_ASSERT);
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_OTHERS) | startup | 4);
	assert_int_equal(inits[0], 0);
	assert_int_equal(inits[1], 1);
	assert_int_equal(inits[2], 2);
	assert_int_equal(startups[0], 0);
	assert_int_equal(page[1], 4);
	has_each(0x9a, "---");
}

static void by_x2apic_they_are_one_write(void **state)
{
	uint64_t to_1 = UINT64_C(1) << 32;

	(void)state;
	assert_int_equal(x2_wr(APIC_ICR, to_1 | FIELD_PREP(ICR_MODE, DELIVER_INIT) | ICR_ASSERT),
			 0);
	assert_int_equal(x2_wr(APIC_ICR, to_1 | FIELD_PREP(ICR_MODE, DELIVER_STARTUP) | 8), 0);
	assert_int_equal(inits[1], 1);
	assert_int_equal(page[1], 8);
	assert_int_equal(inits[0] + inits[2], 0);
}

/* An INIT may come by a pin; a STARTUP is a CPU's alone to send. */
static void a_device_can_reset_a_cpu_and_not_start_it(void **state)
{
	(void)state;
	assert_int_equal(vlapic_deliver(&vm, 1, false, DELIVER_INIT, 0, false), 1);
	assert_int_equal(inits[1], 1);
	assert_int_equal(vlapic_deliver(&vm, 1, false, DELIVER_STARTUP, 8, false), 0);
	assert_int_equal(startups[1], 0);
}

static void who_sends_gives_way_to_those_of_his_core(void **state)
{
	(void)state;
	vcpu[2].cpu = 1;
	assert_int_equal(vlapic_deliver(&vm, 0xff, false, DELIVER_FIXED, 0x41, false), 3);
	assert_int_equal(ways[0] + ways[1] + ways[2], 0); /* a device runs beside all */
	wr(APIC_ICR, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_ALL) | 0x42);
	assert_int_equal(ways[0], 0);
	assert_int_equal(ways[1], 1);
	assert_int_equal(ways[2], 0);
	wr(APIC_ICR_HIGH, 7u << 24); /* nobody */
	wr(APIC_ICR, 0x43);
	assert_int_equal(ways[1], 1);
}

static void after_init_all_but_mode_and_id_are_as_after_reset(void **state)
{
	(void)state;
	vlapic_post(l, 0x41, false);
	assert_int_equal(x2_wr(APIC_TPR, 0x20), 0);
	assert_int_equal(x2_wr(APIC_LVT_TIMER, 0x50), 0);
	assert_int_equal(x2_wr(APIC_TIMER_INITIAL, 1000), 0);
	vlapic_clear(l);
	assert_int_equal(FIELD_GET(APIC_BASE_MODE, l->apic_base), APIC_MODE_X2APIC);
	assert_true(l->apic_base & APIC_BASE_BSP);
	assert_int_equal(x2_rd(APIC_TPR), 0);
	assert_int_equal(x2_rd(APIC_LVT_TIMER), LVT_MASKED);
	assert_int_equal(x2_rd(APIC_SVR), 0xff);
	assert_int_equal(vlapic_pending(l), -1);
	pass(10 * MS);
	assert_int_equal(l->timer_fired, 0);
	assert_int_equal(vlapic_pending(l), -1);
}

static void x2apic_sends_by_one_write(void **state)
{
	(void)state;
	assert_int_equal(x2_wr(APIC_ICR, UINT64_C(1) << 32 | 0x41), 0);
	has_each(0x41, "-x-");
	assert_int_equal(x2_rd(APIC_ICR), UINT64_C(1) << 32 | 0x41);
	assert_int_equal(x2_wr(APIC_ICR, UINT64_C(0xffffffff) << 32 | 0x41), 0);
	has_each(0x41, "xxx");
	assert_int_equal(x2_wr(APIC_ICR, UINT64_C(0xff) << 32 | 0x41),
			 0); /* one that there is not */
	has_each(0x41, "---");
	assert_int_equal(x2_wr(APIC_SELF_IPI, 0x47), 0);
	has_each(0x47, "x--");
}

/* --- the timer --- */

enum { TIMER_VECTOR = 0xec, BY_1 = 0xb, BY_2 = 0, BY_16 = 3 };

static void set_timer(unsigned mode, unsigned divide)
{
	wr(APIC_LVT_TIMER, FIELD_PREP(TIMER_MODE, mode) | TIMER_VECTOR);
	wr(APIC_TIMER_DIVIDE, divide);
}

static void assert_ticked(bool want)
{
	assert_int_equal(take(), want ? TIMER_VECTOR : -1);
	if (want)
		wr(APIC_EOI, 0);
}

static void one_shot_counts_nanoseconds_down_and_fires_once(void **state)
{
	(void)state;
	set_timer(TIMER_ONE_SHOT, BY_1);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 0);
	wr(APIC_TIMER_INITIAL, 5 * MS);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 5 * MS);
	pass(2 * MS + 17);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 3 * MS - 17);
	pass(3 * MS - 18);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 1);
	assert_ticked(false);
	pass(1);
	assert_ticked(true);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 0);
	assert_int_equal(rd(APIC_TIMER_INITIAL), 5 * MS);
	pass(100 * MS);
	assert_ticked(false);
	assert_int_equal(l->timer_fired, 1);
}

static void the_divisor_slows_it_down(void **state)
{
	static const struct {
		uint32_t dcr;
		unsigned divisor;
	} row[] = { { 0, 2 },  { 1, 4 },  { 2, 8 },    { 3, 16 },
		    { 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		set_timer(TIMER_ONE_SHOT, row[i].dcr);
		wr(APIC_TIMER_INITIAL, 1000);
		pass(600 * row[i].divisor);
		assert_int_equal(rd(APIC_TIMER_CURRENT), 400);
		pass(400 * row[i].divisor - 1);
		assert_ticked(false);
		pass(1);
		assert_ticked(true);
	}
}

static void the_longest_count_is_exact(void **state)
{
	uint64_t all = (uint64_t)UINT32_MAX * 128;

	(void)state;
	set_timer(TIMER_ONE_SHOT, 10);
	wr(APIC_TIMER_INITIAL, UINT32_MAX);
	pass(all - 1);
	assert_ticked(false);
	pass(1);
	assert_ticked(true);
}

static void a_divisor_that_changes_keeps_what_is_left(void **state)
{
	(void)state;
	set_timer(TIMER_ONE_SHOT, BY_1);
	wr(APIC_TIMER_INITIAL, 1000);
	pass(400);
	wr(APIC_TIMER_DIVIDE, BY_16);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 600);
	pass(600 * 16 - 1);
	assert_ticked(false);
	pass(1);
	assert_ticked(true);
}

static void periodic_comes_again_on_its_grid(void **state)
{
	(void)state;
	set_timer(TIMER_PERIODIC, BY_2);
	wr(APIC_TIMER_INITIAL, MS / 2);
	for (unsigned i = 0; i < 5; i++) {
		pass(MS - 1);
		assert_ticked(false);
		assert_int_equal(rd(APIC_TIMER_CURRENT), 1);
		pass(1);
		assert_ticked(true);
		assert_int_equal(rd(APIC_TIMER_CURRENT), MS / 2);
	}
	wr(APIC_TIMER_INITIAL, 0);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 0);
	pass(10 * MS);
	assert_ticked(false);
}

static void periods_that_nobody_noticed_are_one_and_shift_nothing(void **state)
{
	(void)state;
	set_timer(TIMER_PERIODIC, BY_1);
	wr(APIC_TIMER_INITIAL, MS);
	host_tsc += 3 * MS + 400 * US; /* this core was busy */
	assert_int_equal(pass(0), 1);
	assert_ticked(true);
	assert_ticked(false);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 600 * US);
	pass(600 * US - 1);
	assert_ticked(false);
	pass(1);
	assert_ticked(true);
}

static void a_period_too_short_comes_as_often_as_we_allow(void **state)
{
	unsigned fired;

	(void)state;
	set_timer(TIMER_PERIODIC, BY_1);
	wr(APIC_TIMER_INITIAL, 1);
	fired = pass(10 * MS);
	assert_in_range(fired, 90, 100);
	wr(APIC_TIMER_INITIAL, 30 * US); /* each fourth */
	fired = pass(12 * MS);
	assert_in_range(fired, 99, 101);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 30 * US);
	pass(10 * US);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 20 * US);
}

static void a_masked_timer_counts_in_silence(void **state)
{
	(void)state;
	set_timer(TIMER_ONE_SHOT, BY_1);
	wr(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
	wr(APIC_TIMER_INITIAL, MS);
	pass(MS / 2);
	assert_int_equal(rd(APIC_TIMER_CURRENT), MS / 2);
	pass(MS);
	wr(APIC_LVT_TIMER, TIMER_VECTOR);
	assert_ticked(false);
	wr(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
	wr(APIC_TIMER_INITIAL, MS);
	wr(APIC_LVT_TIMER, TIMER_VECTOR);
	pass(MS);
	assert_ticked(true);
}

static void a_change_of_mode_disarms(void **state)
{
	static const unsigned modes[] = { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };
	uint64_t deadline;

	(void)state;
	for (unsigned from = 0; from < ARRAY_SIZE(modes); from++)
		for (unsigned to = 0; to < ARRAY_SIZE(modes); to++) {
			set_timer(modes[from], BY_1);
			wr(APIC_TIMER_INITIAL, MS);
			vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + MS);
			set_timer(modes[to], BY_1);
			pass(MS);
			assert_ticked(from == to);
			vlapic_rdmsr(l, MSR_TSC_DEADLINE, &deadline);
			assert_int_equal(deadline, 0);
			set_timer(modes[(to + 1) % 3], BY_1);
		}
}

static void tsc_deadline_fires_at_the_guests_tsc(void **state)
{
	uint64_t deadline, at;

	(void)state;
	vcpu[0].tsc_offset = -UINT64_C(900) * MS; /* the guest started late */
	set_timer(TIMER_TSC_DEADLINE, BY_1);
	at = host_tsc + vcpu[0].tsc_offset + 7 * MS;
	assert_int_equal(vlapic_wrmsr(l, MSR_TSC_DEADLINE, at), 0);
	vlapic_rdmsr(l, MSR_TSC_DEADLINE, &deadline);
	assert_int_equal(deadline, at);
	assert_int_equal(rd(APIC_TIMER_CURRENT), 0);
	pass(7 * MS - 1);
	assert_ticked(false);
	pass(1);
	assert_ticked(true);
	vlapic_rdmsr(l, MSR_TSC_DEADLINE, &deadline);
	assert_int_equal(deadline, 0);
	pass(100 * MS);
	assert_ticked(false);
}

static void a_tsc_deadline_moves_and_zero_disarms(void **state)
{
	(void)state;
	set_timer(TIMER_TSC_DEADLINE, BY_1);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + 5 * MS);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + 2 * MS);
	pass(2 * MS);
	assert_ticked(true);
	pass(10 * MS);
	assert_ticked(false);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + 5 * MS);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, 0);
	pass(10 * MS);
	assert_ticked(false);
}

static void a_tsc_deadline_that_is_past_fires_at_once(void **state)
{
	(void)state;
	vcpu[0].tsc_offset = -UINT64_C(900) * MS;
	set_timer(TIMER_TSC_DEADLINE, BY_1);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + vcpu[0].tsc_offset + MS);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + vcpu[0].tsc_offset);
	assert_ticked(true);
	pass(10 * MS);
	assert_ticked(false); /* the one before does not fire as well */
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, 1);
	assert_ticked(true);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, UINT64_MAX); /* never */
	pass(1000 * MS);
	assert_ticked(false);
	assert_true(l->timer.armed);
}

static void the_registers_of_the_other_timer_do_nothing(void **state)
{
	uint64_t deadline;

	(void)state;
	set_timer(TIMER_ONE_SHOT, BY_1);
	vlapic_wrmsr(l, MSR_TSC_DEADLINE, host_tsc + MS);
	vlapic_rdmsr(l, MSR_TSC_DEADLINE, &deadline);
	assert_int_equal(deadline, 0);
	pass(2 * MS);
	assert_ticked(false);
	set_timer(TIMER_TSC_DEADLINE, BY_1);
	wr(APIC_TIMER_INITIAL, MS);
	assert_int_equal(rd(APIC_TIMER_INITIAL), 0);
	pass(2 * MS);
	assert_ticked(false);
}

/* --- between cores --- */

enum { ROUNDS = 20000, POSTERS = 2, SPIN_MAX = 50000000 };

static _Atomic unsigned taken[256];
static _Atomic bool lost;

struct poster {
	uint8_t vector[2];
};

/*
 * post a vector, wait until the vCPU has taken it, then the other one. test_vlapic_order.c walks
 * all orders; this one shows that real cores do what it takes for granted.
 */
static void *post(void *arg)
{
	const struct poster *p = arg;

	for (unsigned i = 1; i <= ROUNDS && !lost; i++) {
		uint8_t vector = p->vector[i % 2];
		unsigned before = taken[vector], spins = 0;

		vlapic_post(l, vector, vector % 2);
		while (taken[vector] == before && !lost) {
			if (++spins == SPIN_MAX)
				lost = true;
			if (spins % 64 == 0)
				sched_yield();
		}
	}
	return NULL;
}

static void no_vector_is_lost_between_two_posters_and_the_vcpu(void **state)
{
	/* all of one word, so that one poster's vector comes while the other's leaves it empty */
	struct poster poster[POSTERS] = { { { 0x41, 0x42 } }, { { 0x43, 0x44 } } };
	pthread_t thread[POSTERS];
	unsigned got = 0;

	(void)state;
	lost = false;
	memset((void *)taken, 0, sizeof(taken));
	for (unsigned i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, post, &poster[i]), 0);
	for (unsigned idle = 0; got < POSTERS * ROUNDS && !lost;) {
		int vector = take();

		if (vector < 0) {
			if (++idle % 64 == 0)
				sched_yield();
			continue;
		}
		if ((rd(APIC_TMR + 16 * (vector / 32)) >> vector % 32 & 1) != vector % 2u)
			lost = true;
		wr(APIC_EOI, 0);
		got++;
		taken[vector]++;
	}
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(thread[i], NULL);
	assert_false(lost);
	assert_int_equal(got, POSTERS * ROUNDS);
	assert_int_equal(kicks[0], POSTERS * ROUNDS);
	assert_int_equal(take(), -1);
}

#define TEST(f)    cmocka_unit_test_setup(f, start)
#define TEST_X2(f) cmocka_unit_test_setup(f, start_x2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_highest_vector_is_taken_first),
		TEST(only_a_higher_class_interrupts_a_handler),
		TEST(an_eoi_ends_the_innermost_handler),
		TEST(task_priority_holds_back_its_class_and_those_below),
		TEST(a_vector_waits_once_however_often_it_is_posted),
		TEST(measured_each_wait_is_stamped_once_before_it_shows_and_before_it_ends),
		TEST(vectors_of_one_word_do_not_hide_each_other),
		TEST(vectors_below_16_are_errors),
		TEST(switched_off_it_takes_nothing_but_keeps_what_waits),
		TEST(after_reset_nothing_is_left),
		TEST(the_ioapic_hears_of_the_end_of_a_level_interrupt_only),
		TEST(the_trigger_is_that_of_the_last_post),
		TEST(identifies_itself),
		TEST(xapic_keeps_writable_bits_and_ignores_reserved_ones),
		TEST(a_register_that_is_not_there_is_an_error),
		TEST(an_access_across_registers_does_nothing),
		TEST(modes_follow_each_other_as_the_manual_allows),
		TEST(reserved_bits_of_the_base_fault_and_the_address_moves),
		TEST(x2apic_keeps_what_xapic_had),
		TEST(switched_off_altogether_it_forgets),
		TEST_X2(in_x2apic_mode_memory_is_nobodys),
		TEST_X2(x2apic_faults_on_reserved_bits),
		TEST_X2(x2apic_faults_on_registers_that_it_has_not),
		TEST(physical_destinations_are_ids),
		TEST(logical_destinations_are_bits_in_the_flat_model),
		TEST(logical_destinations_are_cluster_and_bits_in_the_cluster_model),
		TEST_X2(x2apic_logical_destinations_follow_from_the_ids),
		TEST(lowest_priority_goes_to_one),
		TEST(messages_name_destination_and_vector),
		TEST(xapic_sends_by_both_halves_of_icr),
		TEST(init_and_startup_go_to_who_is_meant),
		TEST_X2(by_x2apic_they_are_one_write),
		TEST(a_device_can_reset_a_cpu_and_not_start_it),
		TEST(who_sends_gives_way_to_those_of_his_core),
		TEST_X2(after_init_all_but_mode_and_id_are_as_after_reset),
		TEST_X2(x2apic_sends_by_one_write),
		TEST(one_shot_counts_nanoseconds_down_and_fires_once),
		TEST(the_divisor_slows_it_down),
		TEST(the_longest_count_is_exact),
		TEST(a_divisor_that_changes_keeps_what_is_left),
		TEST(periodic_comes_again_on_its_grid),
		TEST(periods_that_nobody_noticed_are_one_and_shift_nothing),
		TEST(a_period_too_short_comes_as_often_as_we_allow),
		TEST(a_masked_timer_counts_in_silence),
		TEST(a_change_of_mode_disarms),
		TEST(tsc_deadline_fires_at_the_guests_tsc),
		TEST(a_tsc_deadline_moves_and_zero_disarms),
		TEST(a_tsc_deadline_that_is_past_fires_at_once),
		TEST(the_registers_of_the_other_timer_do_nothing),
		TEST(no_vector_is_lost_between_two_posters_and_the_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
