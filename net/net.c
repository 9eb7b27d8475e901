/* SPDX-License-Identifier: MIT */
/*
 * net.c - the room's boot list, and its clock
 *
 * The clock ticks once a second in SOFTIRQ_TIMER on core 0: idle flows and silent
 * addresses are forgotten.
 */
#include "net.h"

#include "kernel/time.h"
#include "balance.h"
#include "net/ovs/fdb.h"
#include "flow.h"
#include "net/inet/inet.h"
#include "nic.h"
#include "port.h"
#include "net/sched/qdisc.h"
#include "rps.h"
#include "net/ovs/vswitch.h"
#include "switch.h"
#include "xmit.h"

enum { TICK_US = 1000000 };

static struct timer ticker;

static void tick(struct timer *t)
{
	atomic_fetch_add_explicit(&fdb_tick, 1, memory_order_relaxed);
	flow_age(); /* first, as it tells which addresses are alive */
	fdb_age();
	inet_tick();
	timer_arm(t, TICK_US);
}

void net_config_failed(const char *word)
{
	port_hold(word);
	switch_hold(word);
}

bool net_links_up(void)
{
	port_for_each(i)
		if (ports[i]->up && !ports[i]->ready)
			return false;
	return true;
}

void net_init(void)
{
	key_init();
	switch_init();
	fdb_init();
	flow_init();
	xmit_init();
	rps_init();
	qdisc_init();
	nic_init();
	balance_init();
	inet_init();
	ticker.fn = tick;
	timer_arm(&ticker, TICK_US);
}
