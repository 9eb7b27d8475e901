/* SPDX-License-Identifier: MIT */
/*
 * balance.h - moving load off a hot core
 *
 * What irqbalance does by hand over minutes, step by step and open to view: look how busy
 * each core was, propose one move from the hottest, carry it out, look again, and take it
 * back if it did not help. What can move is an entry of a queue's rps_flows (rps.h), or a
 * NIC's queue with its interrupt.
 *
 * The decision, balance_propose() and balance_helped(), is apart from the machine
 * so that it can be tested.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu.h"
#include "port.h"

enum { BALANCE_UNITS = 512, BALANCE_QUEUE = UINT16_MAX };

/* what may move */
struct balance_unit {
	struct port *port;
	uint16_t queue;
	uint16_t flow;    /* entry of its rps_flows; BALANCE_QUEUE: the queue itself, by its
			     interrupt */
	unsigned cpu;     /* whose work it is */
	uint32_t allowed; /* cores that it may go to */
	uint64_t packets; /* since the last look */
};

/* a core between two looks */
struct balance_core {
	unsigned busy;    /* thousandths of the time that it was awake */
	uint64_t packets; /* of all units that are its work */
};

struct balance_limits {
	unsigned hot; /* thousandths: below it a core is left alone */
	unsigned gap; /* thousandths between the hottest and where something goes */
};

struct balance_move {
	struct balance_unit unit; /* as it was before */
	unsigned to;
	unsigned share; /* thousandths of a core's time that it is thought to take along */
};

/*
 * balance_propose() - the one move that brings hottest and coolest nearest to each other; a
 * unit is thought to take a part of its core's busy time as its packets are to all there.
 * Returns false if no core is hot, or none is cool enough, or each unit is so large that its
 * new core would be as hot.
 */
bool balance_propose(const struct balance_core core[], const struct balance_unit unit[],
		     unsigned nunits, struct balance_limits limits, struct balance_move *move);

/*
 * balance_helped() - of the two cores of @move the busier one is less busy than the hot one was,
 * or, where both are busy all the time, more packets went through all cores.
 */
bool balance_helped(const struct balance_move *move, const struct balance_core before[],
		    const struct balance_core after[]);

void balance_init(void);
