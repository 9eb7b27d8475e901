/* SPDX-License-Identifier: MIT */
/* port_snapshot.c - see port_snapshot.h. Control context. */
#include "port_snapshot.h"

#include "kernel/park.h"
#include "kernel/time.h"

#include <stdlib.h>
#include <string.h>

static void take(struct port_snapshot *s)
{
	s->tsc = rdtsc();
	port_for_each(i) {
		memcpy(&s->cpu[i * ncpus], ports[i]->cpu, ncpus * sizeof(*s->cpu));
		for (unsigned why = 0; why < DROP_N; why++)
			s->behind[i][why] = port_drops_behind(ports[i], why);
	}
	cpu_for_each(c)
		memcpy(s->drop[c], cpus[c]->drop, sizeof(s->drop[c]));
	s->conserved = port_conserved(s->why, sizeof(s->why));
}

struct port_snapshot *port_snapshot(void)
{
	size_t head = ROUND_UP(sizeof(struct port_snapshot), CACHE_LINE);
	size_t table = (nports + 1) * ncpus * sizeof(struct port_cpu);
	struct port_snapshot *s = malloc(head + table + CACHE_LINE); /* whose end is on a line */

	if (!s)
		return NULL;
	memset(s, 0, head + table + CACHE_LINE);
	s->nports = nports;
	s->cpu = (struct port_cpu *)ROUND_UP((uintptr_t)s + head, CACHE_LINE);
	cores_park();
	take(s);
	cores_resume();
	return s;
}

void port_snapshot_devices(struct port_snapshot *s)
{
	port_for_each(i)
		for (unsigned k = 0; k < DEVICE_DROP_N; k++)
			s->device[i][k] = port_stat(ports[i], device_drop[k].name);
}

const struct port_cpu *port_snapshot_cpu(const struct port_snapshot *s, unsigned id, unsigned cpu)
{
	static const struct port_cpu none;

	return id <= s->nports ? &s->cpu[id * ncpus + cpu] : &none;
}
