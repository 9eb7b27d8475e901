/* SPDX-License-Identifier: MIT */
/* links: kernel/napi_layers.c tests/unit/host.c */
/*
 * test_napi_layers.c - who looks on at a queue stays there, whatever becomes of
 * the queue's own functions
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/napi_layers.h"
#include "host.h"

static char seen[64]; /* who was called, a letter each */

static void note(const char *who)
{
	strncat(seen, who, sizeof(seen) - strlen(seen) - 1);
}

/* two drivers' ops and two rooms' polls */
static void mask_a(struct napi *napi)
{
	(void)napi;
	note("a");
}

static void mask_b(struct napi *napi)
{
	(void)napi;
	note("b");
}

static void unmask(struct napi *napi)
{
	(void)napi;
	note("u");
}

static bool pending(struct napi *napi)
{
	(void)napi;
	note("?");
	return false;
}

static const struct napi_ops ops_a = { mask_a, unmask, pending };
static const struct napi_ops ops_b = { mask_b, unmask, pending };

static unsigned poll_x(struct napi *napi, unsigned budget)
{
	(void)napi;
	note("x");
	return budget;
}

static unsigned poll_y(struct napi *napi, unsigned budget)
{
	(void)napi;
	note("y");
	return budget;
}

static unsigned path_poll(struct napi *napi, unsigned budget)
{
	note("P");
	return napi_poll_below(napi, NAPI_PATH, budget);
}

static unsigned measured_poll(struct napi *napi, unsigned budget)
{
	note("M");
	return napi_poll_below(napi, NAPI_MEASURE, budget);
}

static void path_told(struct napi *napi)
{
	(void)napi;
	note("p");
}

static void measured_told(struct napi *napi)
{
	(void)napi;
	note("m");
}

static const struct napi_around path = { path_poll, path_told };
static const struct napi_around measure = { measured_poll, measured_told };

static struct napi napi;

static int begin(void **state)
{
	(void)state;
	host_cores(1);
	napi = (struct napi){ .ops = &ops_a, .poll = poll_x };
	return 0;
}

/* what one interrupt and one poll call */
static void calls(const char *wanted)
{
	seen[0] = 0;
	napi.ops->irq_mask(&napi);
	assert_int_equal(napi.poll(&napi, 7), 7);
	napi.ops->irq_unmask(&napi);
	napi.ops->work_pending(&napi);
	assert_string_equal(seen, wanted);
}

static void nothing_stands_around_a_queue_at_first(void **state)
{
	(void)state;
	calls("axu?");
	assert_ptr_equal(napi.ops, &ops_a);
}

static void layers_stand_in_their_order_whoever_came_first(void **state)
{
	(void)state;
	napi_set_layer(&napi, NAPI_MEASURE, &measure);
	calls("aMxu?");
	napi_set_layer(&napi, NAPI_PATH, &path);
	calls("aMPxu?");
	napi_set_layer(&napi, NAPI_MEASURE, NULL);
	calls("aPxu?");
	napi_set_layer(&napi, NAPI_PATH, NULL);
	calls("axu?");
	assert_ptr_equal(napi.ops, &ops_a);
	assert_ptr_equal(napi.poll, poll_x);
}

static void are_told_of_work_when_they_want_to(void **state)
{
	(void)state;
	napi_set_layer(&napi, NAPI_PATH, &path);
	napi_set_layer(&napi, NAPI_MEASURE, &measure);
	napi_tell(&napi, NAPI_MEASURE, true);
	calls("maMPxu?");
	napi_tell(&napi, NAPI_PATH, true);
	calls("pmaMPxu?");
	napi_tell(&napi, NAPI_MEASURE, false);
	calls("paMPxu?");
	napi_set_layer(&napi, NAPI_PATH, NULL); /* who is gone is not told */
	calls("aMxu?");
	assert_ptr_equal(napi.ops, &ops_a);
}

static void stay_when_the_queue_gets_other_functions(void **state)
{
	(void)state;
	napi_set_layer(&napi, NAPI_PATH, &path);
	napi_set_layer(&napi, NAPI_MEASURE, &measure);
	napi_tell(&napi, NAPI_MEASURE, true);
	napi_set_own(&napi, NULL, poll_y);
	calls("maMPyu?");
	napi_set_own(&napi, &ops_b, NULL);
	calls("mbMPyu?");
	napi_set_layer(&napi, NAPI_MEASURE, NULL);
	napi_set_layer(&napi, NAPI_PATH, NULL);
	calls("byu?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_stands_around_a_queue_at_first, begin),
		cmocka_unit_test_setup(layers_stand_in_their_order_whoever_came_first, begin),
		cmocka_unit_test_setup(are_told_of_work_when_they_want_to, begin),
		cmocka_unit_test_setup(stay_when_the_queue_gets_other_functions, begin),
	};

	return cmocka_run_group_tests_name("test_napi_layers", tests, NULL, NULL);
}
