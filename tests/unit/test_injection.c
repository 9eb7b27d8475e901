/* SPDX-License-Identifier: MIT */
/* links: vmm/injection.c kernel/histogram.c vmm/features.c tests/unit/host.c */
/*
 * test_injection.c - who is kicked in which mode, what the stamps time, and
 * the histogram behind them
 *
 * A tick of the TSC is a nanosecond. The vCPU is on core 0; whoever posts plays core 1
 * unless a test says otherwise.
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/smp.h"
#include "kernel/softirq.h"
#include "vmm/backend.h"
#include "vmm/injection.h"
#include "vmm/vcpu.h"

enum { VECTOR = 0x53, OTHER = 0x54 };

static struct vcpu v;
static struct injection *const in = &v.injection;
static unsigned kicks, notified;
static bool in_hardware; /* what notify() answers */

/* --- stand-ins --- */

void vcpu_kick(struct vcpu *u)
{
	assert_ptr_equal(u, &v);
	kicks++;
}

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	unsigned me = host_play(cpu);

	fn(arg);
	host_play(me);
	return 0;
}

static bool fake_notify(struct vcpu *u)
{
	assert_ptr_equal(u, &v);
	notified++;
	return in_hardware;
}

static struct vmm_feature features[] = {
	{ .name = "posted-interrupts", .has = true, .on = true },
	{ 0 },
};
static const struct vmm_backend plain_backend, posting_backend = {
	.features = features,
	.notify = fake_notify,
};
const struct vmm_backend *backend;
const char *backend_missing;

static int start(void **state)
{
	(void)state;
	host_cores(2);
	tsc_khz = 1000000;
	memset(&v, 0, sizeof(v));
	v.state = VCPU_RUNNING;
	backend = &posting_backend;
	kicks = notified = 0;
	in_hardware = true;
	features[0].has = features[0].on = true;
	host_play(1);
	return 0;
}

static struct injection_counts *counts(enum injection_mode mode)
{
	return &in->other[mode];
}

static void post(enum injection_mode mode, enum vcpu_state vcpu_state)
{
	injection_set_mode(&v, mode);
	v.state = vcpu_state;
	injection_notify(&v);
}

/* --- who is kicked --- */

static void kick_interrupts_the_core_whatever_the_vcpu_does(void **state)
{
	(void)state;
	post(INJECTION_KICK, VCPU_RUNNING);
	post(INJECTION_KICK, VCPU_HALTED);
	assert_int_equal(kicks, 2);
	assert_int_equal(notified, 0);
	assert_int_equal(counts(INJECTION_KICK)->posts, 2);
	assert_int_equal(counts(INJECTION_KICK)->kicks, 2);
	assert_int_equal(counts(INJECTION_KICK)->spared, 0);
}

static void entry_interrupts_nobody_but_wakes_who_sleeps(void **state)
{
	(void)state;
	post(INJECTION_ENTRY, VCPU_RUNNING);
	assert_int_equal(kicks, 0);
	assert_int_equal(counts(INJECTION_ENTRY)->spared, 1);
	post(INJECTION_ENTRY, VCPU_HALTED);
	assert_int_equal(kicks, 1);
	assert_int_equal(counts(INJECTION_ENTRY)->kicks, 1);
	assert_int_equal(notified, 0);
}

static void posted_leaves_it_to_the_cpu_where_that_takes_it(void **state)
{
	(void)state;
	post(INJECTION_POSTED, VCPU_RUNNING);
	assert_int_equal(notified, 1);
	assert_int_equal(kicks, 0);
	assert_int_equal(counts(INJECTION_POSTED)->spared, 1);
	in_hardware = false; /* it was switched off, or cannot just now */
	post(INJECTION_POSTED, VCPU_RUNNING);
	assert_int_equal(kicks, 1);
	/* the core may run another one: a notification would not wake this one */
	in_hardware = true;
	post(INJECTION_POSTED, VCPU_HALTED);
	assert_int_equal(kicks, 2);
	assert_int_equal(counts(INJECTION_POSTED)->kicks, 2);
}

static void without_the_hardware_posted_kicks(void **state)
{
	(void)state;
	backend = &plain_backend;
	post(INJECTION_POSTED, VCPU_RUNNING);
	assert_int_equal(kicks, 1);
}

static void on_its_own_core_nobody_is_told(void **state)
{
	(void)state;
	host_play(0);
	for (enum injection_mode mode = 0; mode < INJECTION_MODES; mode++) {
		post(mode, VCPU_RUNNING);
		post(mode, VCPU_HALTED);
		assert_int_equal(in->own_posts[mode], 2);
		assert_int_equal(counts(mode)->posts, 0);
	}
	assert_int_equal(kicks + notified, 0);
}

static void an_exit_counts_when_a_kick_is_there(void **state)
{
	(void)state;
	host_play(0);
	injection_interrupted(&v);
	assert_int_equal(in->exits[INJECTION_KICK], 0);
	atomic_fetch_or(&this_cpu()->remote_pending, BIT(SOFTIRQ_KICK));
	injection_interrupted(&v);
	assert_int_equal(in->exits[INJECTION_KICK], 1);
	injection_set_mode(&v, INJECTION_ENTRY);
	injection_interrupted(&v);
	assert_int_equal(in->exits[INJECTION_ENTRY], 1);
}

/* --- what this machine has --- */

static void posted_is_refused_where_it_is_not(void **state)
{
	(void)state;
	assert_null(injection_refused(INJECTION_POSTED));
	assert_int_equal(injection_default(), INJECTION_POSTED);
	features[0].on = false;
	assert_non_null(strstr(injection_refused(INJECTION_POSTED), "switched off"));
	features[0].has = false;
	assert_string_equal(injection_refused(INJECTION_POSTED),
			    "this CPU has no posted interrupts");
	assert_int_equal(injection_default(), INJECTION_KICK);
	backend = &plain_backend;
	assert_string_equal(injection_refused(INJECTION_POSTED),
			    "this CPU has no posted interrupts");
	assert_null(injection_refused(INJECTION_KICK));
	assert_null(injection_refused(INJECTION_ENTRY));
}

/* --- stamps --- */

static struct histogram *to_entry(enum injection_mode mode)
{
	return &in->kept->latency[mode][INJECTION_TO_ENTRY];
}

static struct histogram *to_handler(enum injection_mode mode)
{
	return &in->kept->latency[mode][INJECTION_TO_HANDLER];
}

static void at(uint64_t tsc)
{
	host_tsc = tsc;
}

static void handler_began(uint8_t vector, uint64_t tsc)
{
	injection_wrmsr(&v, MSR_WEIR_HANDLER + vector, tsc + v.tsc_offset);
}

static void off_it_measures_nothing(void **state)
{
	(void)state;
	assert_false(injection_measured(in));
	at(1000);
	injection_stamp(in, VECTOR);
	injection_enter(in, VECTOR);
	handler_began(VECTOR, 1000);
	assert_null(in->kept);
}

static void from_the_post_to_the_entry_and_to_the_handler(void **state)
{
	(void)state;
	v.tsc_offset = -UINT64_C(500);
	assert_int_equal(injection_measure(&v, true), 0);
	assert_true(injection_measured(in));
	at(1000);
	injection_stamp(in, VECTOR);
	at(1005);
	injection_stamp(in, OTHER);
	at(1007);
	injection_enter(in, VECTOR);
	at(1020);
	handler_began(VECTOR, 1012);
	assert_int_equal(to_entry(INJECTION_KICK)->count, 1);
	assert_int_equal(to_entry(INJECTION_KICK)->max, 7);
	assert_int_equal(to_handler(INJECTION_KICK)->count, 1);
	assert_int_equal(to_handler(INJECTION_KICK)->max, 12);
	handler_began(VECTOR, 1013); /* told twice */
	assert_int_equal(to_handler(INJECTION_KICK)->count, 1);
	injection_enter(in, VECTOR); /* it waited when the measuring began */
	assert_int_equal(to_entry(INJECTION_KICK)->count, 1);
}

static void what_the_cpu_injects_the_guest_alone_can_tell(void **state)
{
	(void)state;
	injection_measure(&v, true);
	injection_set_mode(&v, INJECTION_POSTED);
	at(1000);
	injection_stamp(in, VECTOR);
	at(1010);
	handler_began(VECTOR, 1003);
	assert_int_equal(to_handler(INJECTION_POSTED)->max, 3);
	assert_int_equal(to_entry(INJECTION_POSTED)->count, 0);
	/*
	 * posted once more between the handler's first instruction and what it tells: that
	 * stamp stays for the next
	 */
	at(1020);
	injection_stamp(in, VECTOR);
	at(1030);
	handler_began(VECTOR, 1015);
	assert_int_equal(to_handler(INJECTION_POSTED)->count, 1);
	handler_began(VECTOR, 1029);
	assert_int_equal(to_handler(INJECTION_POSTED)->count, 2);
	assert_int_equal(to_handler(INJECTION_POSTED)->max, 9);
	assert_int_equal(in->kept->strange, 0);
}

static void a_post_behind_the_entry_keeps_its_own_stamp(void **state)
{
	(void)state;
	injection_measure(&v, true);
	at(1000);
	injection_stamp(in, VECTOR);
	injection_enter(in, VECTOR);
	at(1001);
	injection_stamp(in, VECTOR); /* again, while the first is on its way to the handler */
	at(1050);
	handler_began(VECTOR, 1004);
	assert_int_equal(to_handler(INJECTION_KICK)->max, 4);
	injection_enter(in, VECTOR);
	assert_int_equal(to_entry(INJECTION_KICK)->max, 49);
}

static void a_guest_that_lies_is_not_believed(void **state)
{
	static const uint64_t lies[] = { 0, 999, 1101, UINT64_MAX };

	(void)state;
	injection_measure(&v, true);
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		at(1000);
		injection_stamp(in, VECTOR);
		injection_enter(in, VECTOR);
		at(1100);
		handler_began(VECTOR, lies[i]);
		assert_int_equal(in->kept->strange, i + 1);
	}
	assert_int_equal(to_handler(INJECTION_KICK)->count, 0);
}

static void each_mode_has_its_own_histogram_and_no_stamp_goes_over(void **state)
{
	(void)state;
	injection_measure(&v, true);
	at(1000);
	injection_stamp(in, VECTOR);
	injection_enter(in, VECTOR);
	injection_stamp(in, OTHER);
	injection_set_mode(&v, INJECTION_ENTRY);
	at(2000);
	injection_enter(in, OTHER);
	handler_began(VECTOR, 1500);
	assert_int_equal(to_entry(INJECTION_KICK)->count, 1);
	assert_int_equal(to_entry(INJECTION_ENTRY)->count, 0);
	assert_int_equal(to_handler(INJECTION_ENTRY)->count, 0);
	injection_stamp(in, VECTOR);
	injection_enter(in, VECTOR);
	assert_int_equal(to_entry(INJECTION_ENTRY)->count, 1);
}

static void off_and_on_again_keeps_figures_and_reset_forgets_them(void **state)
{
	struct injection_meter *m;

	(void)state;
	injection_measure(&v, true);
	m = in->kept;
	at(1000);
	injection_stamp(in, VECTOR);
	injection_enter(in, VECTOR);
	injection_stamp(in, VECTOR);
	injection_measure(&v, false);
	assert_false(injection_measured(in));
	injection_measure(&v, true);
	assert_ptr_equal(in->kept, m);
	assert_int_equal(to_entry(INJECTION_KICK)->count, 1);
	injection_enter(in, VECTOR); /* its stamp is of before */
	assert_int_equal(to_entry(INJECTION_KICK)->count, 1);
	injection_notify(&v);
	injection_reset(&v);
	assert_int_equal(to_entry(INJECTION_KICK)->count, 0);
	assert_int_equal(counts(INJECTION_KICK)->posts, 0);
	assert_true(injection_measured(in));
}

static void weirs_msrs_are_256_of_its_own(void **state)
{
	(void)state;
	assert_true(injection_owns_msr(0x57454900));
	assert_true(injection_owns_msr(0x574549ff));
	assert_false(injection_owns_msr(0x574548ff));
	assert_false(injection_owns_msr(0x57454a00));
	assert_false(injection_owns_msr(0x4b564d00)); /* KVM's clock */
}

/* --- the histogram --- */

static void buckets_follow_each_other_without_gap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t floor = histogram_floor(i), end = histogram_floor(i + 1);

		assert_true(floor < end);
		assert_int_equal(histogram_bucket(floor), i);
		assert_int_equal(histogram_bucket(end - 1), i);
		/* an eighth of its values wide at most */
		assert_true(end - floor == 1 || (end - floor) * 8 <= floor);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void percentiles_are_of_the_bucket_and_never_above_the_maximum(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_percentile(&h, 50), 0);
	histogram_add(&h, 1000);
	assert_int_equal(histogram_percentile(&h, 1), 1000);
	assert_int_equal(histogram_percentile(&h, 100), 1000);
	for (unsigned i = 0; i < 99; i++)
		histogram_add(&h, i < 89 ? 5 : 100000);
	/* 89 times 5, once 1,000, 10 times 100,000 */
	assert_int_equal(histogram_percentile(&h, 50), 5);
	assert_int_equal(histogram_percentile(&h, 89), 5);
	assert_int_equal(histogram_percentile(&h, 90), 1023);
	assert_int_equal(histogram_percentile(&h, 91), 100000);
	assert_int_equal(histogram_permille(&h, 900), 1023);
	assert_int_equal(histogram_permille(&h, 901), 100000);
	assert_int_equal(h.max, 100000);
	histogram_add(&h, UINT64_MAX);
	assert_true(histogram_percentile(&h, 100) == UINT64_MAX);
}

static void rows_of_powers_of_two_lose_none_and_merging_adds(void **state)
{
	struct histogram a = { 0 }, b = { 0 };
	uint64_t sum = histogram_between(&a, 0, 2);

	(void)state;
	for (unsigned i = 0; i < 3000; i += 7)
		histogram_add(i % 2 ? &a : &b, i);
	histogram_merge(&a, &b);
	assert_int_equal(a.count, (3000 + 6) / 7);
	assert_int_equal(a.max, 2996);
	sum += histogram_between(&a, 0, 2);
	for (unsigned bit = 1; bit <= 11; bit++) {
		uint64_t n = histogram_between(&a, BIT(bit), BIT(bit + 1)), expected = 0;

		for (unsigned i = 0; i < 3000; i += 7)
			expected += i >= BIT(bit) && i < BIT(bit + 1);
		assert_int_equal(n, expected);
		sum += n;
	}
	assert_int_equal(sum, a.count);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(kick_interrupts_the_core_whatever_the_vcpu_does),
		T(entry_interrupts_nobody_but_wakes_who_sleeps),
		T(posted_leaves_it_to_the_cpu_where_that_takes_it),
		T(without_the_hardware_posted_kicks),
		T(on_its_own_core_nobody_is_told),
		T(an_exit_counts_when_a_kick_is_there),
		T(posted_is_refused_where_it_is_not),
		T(off_it_measures_nothing),
		T(from_the_post_to_the_entry_and_to_the_handler),
		T(what_the_cpu_injects_the_guest_alone_can_tell),
		T(a_post_behind_the_entry_keeps_its_own_stamp),
		T(a_guest_that_lies_is_not_believed),
		T(each_mode_has_its_own_histogram_and_no_stamp_goes_over),
		T(off_and_on_again_keeps_figures_and_reset_forgets_them),
		T(weirs_msrs_are_256_of_its_own),
		T(buckets_follow_each_other_without_gap),
		T(percentiles_are_of_the_bucket_and_never_above_the_maximum),
		T(rows_of_powers_of_two_lose_none_and_merging_adds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
