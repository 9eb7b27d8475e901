/* SPDX-License-Identifier: MIT */
/*
 * vcpu_signal.c - what one vCPU asks of another: NMI, INIT, STARTUP; what a guest's end asks
 * of all; and how one begins
 *
 * Posted on any core, by bits of v->signals and a kick, and seen to on the vCPU's own core,
 * where no exit is being handled: by vcpu_run() before each entry. So a vCPU that is in the
 * guest just now comes out first, and one that sleeps or waits is chosen by its core for
 * this alone. Owns nothing.
 *
 * Of INIT and STARTUP the order matters, and both may wait together: an INIT forgets what came
 * before it, a STARTUP that comes behind one is for whoever waits then. One that finds nobody
 * waiting is lost, as on hardware, where a kernel sends it twice [SDM 3A 9.4.4.1].
 */
#include "kernel/bits.h"
#include "kernel/x86.h"
#include "backend.h"
#include "entry.h"
#include "guest_cpu.h"
#include "vm.h"

#include <string.h>

/* where INIT leaves CS:IP, in a machine of 1 MiB; vacpi.c has put code there */
enum { BIOS_PAGE = 0xf0, BIOS_IP = 0xfff0 };

/* --- posting --- */

/*
 * post() - all of @forget is gone then, and @bits are there. Whoever posted first what waits there
 * still has kicked, or is about to: a guest that sends all the time does not interrupt the core of
 * another one more often than this one looks.
 */
static void post(struct vcpu *v, uint32_t forget, uint32_t bits)
{
	uint32_t old = atomic_load_explicit(&v->signals, memory_order_relaxed);

	/*
	 * release: pairs with the exchange in vcpu_signals_take(); what the sender
	 * did before is seen there
	 */
	while (!atomic_compare_exchange_weak_explicit(&v->signals, &old, (old & ~forget) | bits,
						      memory_order_release, memory_order_relaxed))
		;
	if ((bits & ~old) && !(old & SIGNALS_FIRST))
		vcpu_kick(v);
}

void vcpu_signal_nmi(struct vcpu *v)
{
	post(v, 0, SIGNAL_NMI);
}

void vcpu_signal_init(struct vcpu *v)
{
	post(v, SIGNAL_NMI | SIGNAL_STARTUP | SIGNAL_PAGE, SIGNAL_INIT);
}

void vcpu_signal_startup(struct vcpu *v, uint8_t page)
{
	post(v, SIGNAL_PAGE, SIGNAL_STARTUP | FIELD_PREP(SIGNAL_PAGE, page));
}

void vcpu_signal_stop(struct vcpu *v)
{
	post(v, 0, SIGNAL_STOP);
}

/* --- seeing to it --- */

static void set_registers(struct vcpu *v, const struct vcpu_entry *e)
{
	v->event = (struct vcpu_event){ .type = EVENT_NONE };
	v->nmi_blocked = false;
	v->irq_shadow = false;
	memcpy(v->gpr, e->gpr, sizeof(v->gpr));
	v->rip = e->rip;
	v->rflags = RFLAGS_FIXED;
	backend->vcpu_reset(v, &e->sregs);
}

/* set_real() - real mode at @page:@ip; what CPU it is stands in EDX [SDM 3A table 9-1]. */
static void set_real(struct vcpu *v, uint8_t page, uint16_t ip)
{
	struct vcpu_entry e;

	entry_real(&e, page);
	e.rip = ip;
	e.gpr[GPR_RDX] = v->model.basic[1].eax;
	set_registers(v, &e);
}

/*
 * TSC, MTRRs and KVM's clock outlive an INIT. Hardware keeps FPU and SYSCALL's MSRs as well
 * [SDM 3A table 9-1]; here they are as after RESET, which no kernel that starts a CPU can
 * tell, since it sets them.
 */
static void on_init(struct vcpu *v)
{
	set_real(v, BIOS_PAGE, BIOS_IP);
	vlapic_clear(&v->lapic);
	v->state = v->id ? VCPU_WAITING : VCPU_RUNNING;
}

static void on_startup(struct vcpu *v, uint8_t page)
{
	if (v->state != VCPU_WAITING)
		return;
	set_real(v, page, 0);
	v->state = VCPU_RUNNING;
}

void vcpu_signals_take(struct vcpu *v)
{
	/* acquire: pairs with the release in post() */
	uint32_t signals = atomic_exchange_explicit(&v->signals, 0, memory_order_acquire);

	if (signals & SIGNAL_STOP) {
		vcpu_off(v);
		return;
	}
	if (signals & SIGNAL_INIT)
		on_init(v);
	if ((signals & SIGNAL_NMI) &&
	    v->state != VCPU_WAITING) /* which takes none [SDM 3A 9.4.3] */
		atomic_fetch_or_explicit(&v->signals, SIGNAL_NMI, memory_order_relaxed);
	if (signals & SIGNAL_STARTUP)
		on_startup(v, FIELD_GET(SIGNAL_PAGE, signals));
}

/* --- beginning and end --- */

void vcpu_reset(struct vcpu *v, const struct vcpu_entry *e)
{
	atomic_store_explicit(&v->signals, 0, memory_order_relaxed);
	v->past_n = 0;
	if (v->id)
		set_real(v, BIOS_PAGE, BIOS_IP);
	else
		set_registers(v, e);
	vlapic_reset(&v->lapic);
	guest_cpu_reset(v);
}

void vcpu_off(struct vcpu *v)
{
	if (v->state == VCPU_OFF)
		return;
	v->state = VCPU_OFF;
	vlapic_stop(&v->lapic);
	vm_left(v->vm);
}
