/* SPDX-License-Identifier: MIT */
/* links: net/balance.c tests/unit/host.c */
/* test_balance.c - which move the balancer proposes, and when it says that one helped */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/balance.h"
#include "host.h"

enum { CORES = 4, ALL = 0xf, MOST = 24 };

static const struct balance_limits limits = { .hot = 800, .gap = 200 };

static struct balance_core core[MAX_CPUS], after[MAX_CPUS];
static struct balance_unit unit[MOST];
static unsigned nunits;
static struct balance_move move;

static int setup(void **state)
{
	(void)state;
	host_cores(CORES);
	memset(core, 0, sizeof(core));
	nunits = 0;
	return 0;
}

static void busy(unsigned a, unsigned b, unsigned c, unsigned d)
{
	core[0].busy = a;
	core[1].busy = b;
	core[2].busy = c;
	core[3].busy = d;
}

static void work(unsigned cpu, unsigned packets, uint32_t allowed)
{
	unit[nunits] = (struct balance_unit){ .flow = nunits, .cpu = cpu, .packets = packets };
	unit[nunits++].allowed = allowed;
	core[cpu].packets += packets;
}

static bool propose(void)
{
	return balance_propose(core, unit, nunits, limits, &move);
}

static void leaves_cores_alone_that_are_not_hot(void **state)
{
	(void)state;
	busy(790, 0, 0, 0);
	work(0, 100, ALL);
	work(0, 100, ALL);
	assert_false(propose());
}

static void leaves_cores_alone_that_are_all_hot(void **state)
{
	(void)state;
	busy(1000, 900, 850, 801);
	work(0, 100, ALL);
	work(0, 100, ALL);
	assert_false(propose());
}

static void moves_what_makes_hottest_and_coolest_equal(void **state)
{
	(void)state;
	busy(900, 300, 100, 200);
	work(0, 100, ALL); /* a share of 100, 200, 400, 200 thousandths: half of the gap is 400 */
	work(0, 200, ALL);
	work(0, 400, ALL);
	work(0, 200, ALL);
	assert_true(propose());
	assert_int_equal(move.unit.flow, 2);
	assert_int_equal(move.to, 2);
	assert_int_equal(move.share, 400);
}

static void does_not_only_move_the_heat(void **state)
{
	(void)state;
	busy(900, 50, 50, 50);
	work(0, 1000, ALL); /* all there is */
	assert_false(propose());
	work(0, 20, ALL);
	assert_true(propose());
	assert_int_equal(move.unit.flow, 1);
}

static void goes_only_where_it_may(void **state)
{
	(void)state;
	busy(900, 600, 100, 400);
	work(0, 400, BIT(0) | BIT(1) | BIT(3));
	work(0, 500, BIT(0));
	assert_true(propose());
	assert_int_equal(move.unit.flow, 0);
	assert_int_equal(move.to, 3);
}

static void does_not_move_what_did_nothing(void **state)
{
	(void)state;
	busy(900, 0, 0, 0);
	work(0, 0, ALL);
	work(1, 100, ALL);
	assert_false(propose());
}

/*
 * each move it proposes, on any machine, leaves the hotter of the two cooler than the hot one
 * was, if it takes its share
 */
static void each_move_would_help(void **state)
{
	unsigned proposed = 0;

	(void)state;
	srand(7);
	for (unsigned round = 0; round < 5000; round++) {
		unsigned hot;

		setup(NULL);
		busy(rand() % 1001, rand() % 1001, rand() % 1001, rand() % 1001);
		for (unsigned i = 0; i < MOST; i++)
			work(rand() % CORES, rand() % 1000, rand() % 16);
		if (!propose())
			continue;
		proposed++;
		hot = core[move.unit.cpu].busy;
		assert_true(hot >= limits.hot && move.to != move.unit.cpu);
		assert_true(move.unit.allowed & BIT(move.to));
		assert_true(core[move.to].busy + limits.gap <= hot);
		assert_true(core[move.to].busy + move.share < hot);
		cpu_for_each(i)
			assert_true(core[i].busy <= hot);
	}
	assert_in_range(proposed, 500, 4500);
}

static void helped_when_the_busier_of_the_two_is_less_busy(void **state)
{
	(void)state;
	busy(900, 100, 0, 0);
	work(0, 100, ALL);
	move = (struct balance_move){ .unit = unit[0], .to = 1 };
	memcpy(after, core, sizeof(after));
	after[0].busy = 600;
	after[1].busy = 400;
	assert_true(balance_helped(&move, core, after));
	after[1].busy = 890;
	assert_false(balance_helped(&move, core, after));
}

static void helped_when_more_goes_through_though_all_are_busy(void **state)
{
	(void)state;
	busy(1000, 100, 0, 0);
	work(0, 1000, ALL);
	move = (struct balance_move){ .unit = unit[0], .to = 1 };
	memcpy(after, core, sizeof(after));
	after[0].busy = after[1].busy = 1000;
	after[1].packets = 40;
	assert_false(balance_helped(&move, core, after));
	after[1].packets = 400;
	assert_true(balance_helped(&move, core, after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(leaves_cores_alone_that_are_not_hot, setup),
		cmocka_unit_test_setup(leaves_cores_alone_that_are_all_hot, setup),
		cmocka_unit_test_setup(moves_what_makes_hottest_and_coolest_equal, setup),
		cmocka_unit_test_setup(does_not_only_move_the_heat, setup),
		cmocka_unit_test_setup(goes_only_where_it_may, setup),
		cmocka_unit_test_setup(does_not_move_what_did_nothing, setup),
		cmocka_unit_test_setup(each_move_would_help, setup),
		cmocka_unit_test_setup(helped_when_the_busier_of_the_two_is_less_busy, setup),
		cmocka_unit_test_setup(helped_when_more_goes_through_though_all_are_busy, setup),
	};

	return cmocka_run_group_tests_name("test_balance", tests, NULL, NULL);
}
