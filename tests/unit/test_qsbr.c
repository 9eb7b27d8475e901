/* SPDX-License-Identifier: MIT */
/* links: kernel/qsbr.c tests/unit/host.c */
/*
 * test_qsbr.c - what is retired is freed when no core can hold it any more, and not before
 */
#include "tests/unit/host.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/qsbr.h"

static unsigned freed[8], nfreed;
static struct qsbr_head thing[8];

static void free_thing(struct qsbr_head *h)
{
	freed[nfreed++] = (unsigned)(h - thing);
}

static void turn(unsigned core)
{
	unsigned was = host_play(core);

	qsbr_turn();
	host_play(was);
}

/* all cores awake, nothing left over from the test before */
static int start(void **state)
{
	(void)state;
	host_cores(3);
	nfreed = 0;
	return 0;
}

static int all_freed(void **state)
{
	(void)state;
	cpu_for_each(i)
		cpus[i]->qs &= ~UINT64_C(1);
	for (unsigned i = 0; i < 2 * ncpus; i++)
		turn(i % ncpus);
	return qsbr_pending() ? -1 : 0;
}

static void frees_after_every_core_has_turned(void **state)
{
	(void)state;
	qsbr_retire(&thing[0], free_thing);
	assert_int_equal(qsbr_pending(), 1);
	turn(0);
	assert_int_equal(nfreed, 0);
	turn(1);
	turn(0);
	assert_int_equal(nfreed, 0);
	turn(2);
	assert_int_equal(nfreed, 0); /* by the core that retired it, and no other */
	turn(0);
	assert_int_equal(nfreed, 1);
	assert_int_equal(qsbr_pending(), 0);
	turn(0);
	assert_int_equal(nfreed, 1);
}

static void one_core_alone_needs_one_turn(void **state)
{
	(void)state;
	host_cores(1);
	qsbr_retire(&thing[0], free_thing);
	assert_int_equal(nfreed, 0);
	turn(0);
	assert_int_equal(nfreed, 1);
}

static void frees_in_the_order_retired(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		qsbr_retire(&thing[i], free_thing);
	turn(1);
	turn(2);
	qsbr_retire(&thing[3], free_thing); /* these two cores have not turned since */
	turn(0);
	assert_int_equal(nfreed, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(freed[i], i);
	turn(1);
	turn(2);
	turn(0);
	assert_int_equal(nfreed, 4);
}

static void does_not_wait_for_a_core_that_sleeps(void **state)
{
	(void)state;
	host_play(1);
	qsbr_sleep(this_cpu());
	host_play(0);
	qsbr_retire(&thing[0], free_thing);
	turn(2);
	turn(0);
	assert_int_equal(nfreed, 1);
}

static void a_core_that_went_to_sleep_since_holds_nothing(void **state)
{
	(void)state;
	qsbr_retire(&thing[0], free_thing);
	host_play(1);
	qsbr_sleep(this_cpu());
	host_play(0);
	turn(2);
	turn(0);
	assert_int_equal(nfreed, 1);
}

static void a_core_that_woke_before_the_retiring_is_waited_for(void **state)
{
	(void)state;
	host_play(1);
	qsbr_sleep(this_cpu());
	qsbr_wake(this_cpu());
	host_play(0);
	qsbr_retire(&thing[0], free_thing);
	turn(2);
	turn(0);
	turn(0);
	assert_int_equal(nfreed, 0);
	turn(1);
	turn(0);
	assert_int_equal(nfreed, 1);
}

static void asks_for_a_turn_while_it_waits_for_others(void **state)
{
	(void)state;
	turn(0);
	assert_int_equal(host_calls.timer_arm, 0);
	qsbr_retire(&thing[0], free_thing);
	turn(0);
	assert_true(host_calls.timer_arm > 0);
}

/* --- for real: readers on two cores, a writer that poisons what it frees --- */

enum { VERSIONS = 20000 };

struct version {
	struct qsbr_head head;
	_Atomic unsigned alive;
};

static _Atomic(struct version *) current;
static _Atomic bool stop, saw_the_dead;
static _Atomic unsigned reads;

static void kill_version(struct qsbr_head *h)
{
	struct version *v = container_of(h, struct version, head);

	v->alive = 0;
	free(v);
}

static struct version *new_version(void)
{
	struct version *v = calloc(1, sizeof(*v));

	v->alive = 1;
	return v;
}

static void read_or_replace(void *arg)
{
	(void)arg;
	if (this_cpu()->id == 0) {
		for (unsigned i = 0; i < VERSIONS || reads < 1000; i++) {
			struct version *old = atomic_exchange(&current, new_version());

			qsbr_retire(&old->head, kill_version);
			qsbr_turn();
			if (qsbr_pending() > 100)
				sched_yield();
		}
		stop = true;
		return;
	}
	for (unsigned i = 0; !stop; i++) {
		struct version *v = current;

		for (unsigned look = 0; look < 20; look++)
			saw_the_dead |= !v->alive;
		reads++;
		qsbr_turn();
		if (i % 64 == 0) {
			qsbr_sleep(this_cpu());
			sched_yield();
			qsbr_wake(this_cpu());
		}
	}
	qsbr_sleep(this_cpu());
}

static void readers_never_see_what_is_freed(void **state)
{
	(void)state;
	stop = saw_the_dead = false;
	reads = 0;
	current = new_version();
	host_run_cores(read_or_replace, NULL); /* the sanitizer watches as well */
	assert_false(saw_the_dead);
	turn(0);
	assert_int_equal(qsbr_pending(), 0);
	free(current);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, all_freed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_for_a_turn_while_it_waits_for_others), /* first: its timer stays armed */
		TEST(frees_after_every_core_has_turned),
		TEST(one_core_alone_needs_one_turn),
		TEST(frees_in_the_order_retired),
		TEST(does_not_wait_for_a_core_that_sleeps),
		TEST(a_core_that_went_to_sleep_since_holds_nothing),
		TEST(a_core_that_woke_before_the_retiring_is_waited_for),
		TEST(readers_never_see_what_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
