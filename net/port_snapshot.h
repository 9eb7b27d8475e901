/* SPDX-License-Identifier: MIT */
/*
 * port_snapshot.h - what all ports counted at one moment
 *
 * Taken while the cores stand still, so it adds up; printing takes longer than they can wait.
 */
#pragma once

#include "port.h"

struct port_snapshot {
	uint64_t tsc;
	uint64_t drop[MAX_CPUS][DROP_N];          /* by core */
	uint64_t behind[PORT_MAX][DROP_N];        /* port_drops_behind() */
	uint64_t device[PORT_MAX][DEVICE_DROP_N]; /* port_snapshot_devices() */
	bool conserved;
	char why[80]; /* the law does not hold there */
	unsigned nports;
	struct port_cpu *cpu; /* within the same memory: port_snapshot_cpu() */
};

/* port_snapshot() - for free(); NULL: no memory. Control context; parks the cores. */
struct port_snapshot *port_snapshot(void);

/*
 * port_snapshot_devices() - and what the devices themselves count as lost; a moment later,
 * registers are read for it.
 */
void port_snapshot_devices(struct port_snapshot *s);

/*
 * port_snapshot_cpu() - what port @id counted on core @cpu; one that was not there counted nothing.
 */
const struct port_cpu *port_snapshot_cpu(const struct port_snapshot *s, unsigned id, unsigned cpu);
