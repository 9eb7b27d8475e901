/* SPDX-License-Identifier: MIT */
/* links: kernel/control.c kernel/softirq.c tests/unit/host.c */
/* test_control.c - work that others put off to the control context; two threads asking at once */
#include <string.h>

#include "host.h"
#include "kernel/control.h"
#include "kernel/mem.h"
#include "kernel/softirq.h"

enum { WORKS = 8, ROUNDS = 20000 };

/* never called: nothing here switches stacks */
void stack_switch(uint64_t *save, uint64_t to)
{
	(void)save, (void)to;
	fail_msg("nobody runs the control context here");
}

void paging_guard(void *page)
{
	(void)page;
}

static struct {
	struct control_work work;
	_Atomic unsigned asked, done;
} item[WORKS];

static int setup(void **state)
{
	(void)state;
	host_cores(2);
	memset(item, 0, sizeof(item));
	return 0;
}

static unsigned index_of(const struct control_work *w)
{
	return container_of(w, __typeof__(item[0]), work) - item;
}

static void count(struct control_work *w)
{
	item[index_of(w)].done++;
}

static void work_runs_once_however_often_it_was_asked_for(void **state)
{
	(void)state;
	item[0].work.fn = item[1].work.fn = count;
	control_defer(&item[0].work);
	control_defer(&item[1].work);
	control_defer(&item[0].work);
	assert_int_equal(item[0].done, 0);
	control_run_deferred();
	assert_int_equal(item[0].done, 1);
	assert_int_equal(item[1].done, 1);
	control_run_deferred();
	assert_int_equal(item[0].done, 1);
}

static void asking_wakes_the_control_context_from_any_core(void **state)
{
	(void)state;
	item[0].work.fn = count;
	host_play(1);
	control_defer(&item[0].work);
	assert_true(cpus[0]->control_ready);
	assert_int_equal(host_calls.ipi[0], 1);
	host_play(0);
	control_run_deferred();
}

static void ask_again(struct control_work *w)
{
	if (++item[index_of(w)].done == 1)
		control_defer(w);
}

static void work_may_ask_for_itself_again(void **state)
{
	(void)state;
	item[0].work.fn = ask_again;
	control_defer(&item[0].work);
	control_run_deferred();
	assert_int_equal(item[0].done, 1);
	control_run_deferred();
	assert_int_equal(item[0].done, 2);
}

/* take() - all that was asked for before is done with this run. */
static void take(struct control_work *w)
{
	item[index_of(w)].asked = 0;
	item[index_of(w)].done++;
}

static void ask_or_run(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (this_cpu()->id == 0) {
			control_run_deferred();
			continue;
		}
		item[i % WORKS].asked = 1;
		control_defer(&item[i % WORKS].work);
	}
}

static void nothing_asked_for_by_another_core_is_lost(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORKS; i++)
		item[i].work.fn = take;
	host_run_cores(ask_or_run, NULL);
	control_run_deferred();
	for (unsigned i = 0; i < WORKS; i++) {
		assert_int_equal(item[i].asked, 0);
		assert_true(item[i].done > 0);
		assert_false(item[i].work.deferred);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(work_runs_once_however_often_it_was_asked_for, setup),
		cmocka_unit_test_setup(asking_wakes_the_control_context_from_any_core, setup),
		cmocka_unit_test_setup(work_may_ask_for_itself_again, setup),
		cmocka_unit_test_setup(nothing_asked_for_by_another_core_is_lost, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
