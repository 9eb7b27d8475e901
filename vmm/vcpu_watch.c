/* SPDX-License-Identifier: MIT */
/*
 * vcpu_watch.c - while records are kept: entries, exits and injections are among them
 *
 * The functions here stand in the place of the back end's and the core loop's, whom they call;
 * otherwise nobody pays for them. They run on the vCPU's core; they come and go with the cores
 * parked, as nobody is in a guest then.
 */
#include "vcpu_watch.h"

#include "kernel/guest.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "backend.h"
#include "exit.h"
#include "vm.h"

#include <stdio.h>

/* a record's number of a vCPU: its guest's above this bit, its own below */
enum { VCPU_NUMBER_VM = 8 };

static const struct vmm_backend *own_backend;
static struct vmm_backend recorded_backend;
static const struct guest_ops *own_guests;
static struct guest_ops recorded_guests;

static unsigned number(const struct vcpu *v)
{
	return v->vm->id << VCPU_NUMBER_VM | v->id;
}

void vcpu_name(unsigned nr, char *text, size_t size)
{
	unsigned vm = nr >> VCPU_NUMBER_VM;

	snprintf(text, size, "%s/%u", vm < nvms ? vms[vm]->name : "?",
		 nr & ((1u << VCPU_NUMBER_VM) - 1));
}

const char *vcpu_exit_name(unsigned reason)
{
	return reason < EXIT_N ? exit_text[reason].name : "?";
}

/*
 * SVM takes the interrupt that made it exit before run() returns: the guest's
 * time ends where that began.
 */
static void run_recorded(struct vcpu *v)
{
	uint64_t begin = rdtsc(), end;

	own_backend->run(v);
	end = this_cpu()->irq_began > begin ? this_cpu()->irq_began : rdtsc();
	trace_record_span(TRACE_GUEST, begin, end, number(v), v->exit.reason);
}

static void inject_recorded(struct vcpu *v, const struct vcpu_event *e)
{
	if (e->type == EVENT_IRQ)
		trace_record(TRACE_INJECT, number(v), e->vector);
	own_backend->inject(v, e);
}

static void enter_recorded(struct vcpu *v, uint64_t slice, int keep)
{
	uint64_t begin = rdtsc();

	own_guests->enter(v, slice, keep);
	trace_record_span(TRACE_TURN, begin, rdtsc(), number(v), 0);
}

static void on(void)
{
	if (backend != &recorded_backend) {
		own_backend = backend;
		recorded_backend = *backend;
		recorded_backend.run = run_recorded;
		recorded_backend.inject = inject_recorded;
		backend = &recorded_backend;
	}
	if (guest_attached() && guest_attached() != &recorded_guests) {
		own_guests = guest_attached();
		recorded_guests = *own_guests;
		recorded_guests.enter = enter_recorded;
		guest_attach(&recorded_guests);
	}
}

static void off(void)
{
	if (backend == &recorded_backend)
		backend = own_backend;
	if (guest_attached() == &recorded_guests)
		guest_attach(own_guests);
}

static void vcpu_watch(bool recording)
{
	if (backend && recording)
		on();
	else if (backend)
		off();
}

TRACE_WATCHER(vcpu_watch);

void vcpu_watch_init(void)
{
	vcpu_watch(trace_on & TRACE_RECORD);
}
