/* SPDX-License-Identifier: MIT */
/*
 * kvmclock.c - writes KVM's clock into a guest's memory [Linux Documentation/virt/kvm/x86/msr.rst]
 *
 * On the vCPU's core while an exit is handled. Other vCPUs of the guest may read what stands there
 * meanwhile: a version that is odd, or changes, tells them to read again.
 */
#include "kvmclock.h"

#include "kernel/time.h"
#include "cpu_regs.h"
#include "rtc.h"
#include "vm.h"

#include <errno.h>
#include <stdatomic.h>

struct pvclock_time { /* at MSR_KVM_SYSTEM_TIME */
	uint32_t version, pad0;
	uint64_t tsc_timestamp;     /* guest's TSC at ... */
	uint64_t system_time;       /* ... this many nanoseconds */
	uint32_t tsc_to_system_mul; /* ns = (ticks << tsc_shift) * mul / 2^32 */
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad[2];
};

struct pvclock_wall { /* at MSR_KVM_WALL_CLOCK: the date when the system time was 0 */
	uint32_t version, sec, nsec;
};

_Static_assert(sizeof(struct pvclock_time) == 32, "msr.rst, MSR_KVM_SYSTEM_TIME_NEW");
_Static_assert(sizeof(struct pvclock_wall) == 12, "msr.rst, MSR_KVM_WALL_CLOCK_NEW");

#define PVCLOCK_TSC_STABLE BIT(0) /* all vCPUs show the same time */
#define SYSTEM_TIME_ENABLE BIT(0)
#define NS_PER_S           UINT64_C(1000000000)

/*
 * scale() - how ticks of tsc_khz become nanoseconds. The shift brings the rate to between 1 and 2
 * GHz, so that the multiplier has all its 32 bits.
 */
static void scale(struct pvclock_time *t)
{
	uint64_t hz = tsc_khz * 1000;

	t->tsc_shift = 0;
	for (; hz > 2 * NS_PER_S; hz >>= 1)
		t->tsc_shift--;
	for (; hz <= NS_PER_S; hz <<= 1)
		t->tsc_shift++;
	t->tsc_to_system_mul = (NS_PER_S << 32) / hz;
}

/*
 * publish() - copy @len bytes to @to in guest memory, of which the first four are the version. A
 * reader that sees an even version before and after, and the same, has read what belongs together.
 */
static void publish(void *to, const void *from, size_t len, uint32_t *version)
{
	_Atomic uint32_t *v = to;

	atomic_store_explicit(v, *version + 1, memory_order_relaxed);
	/* pairs with the reader's first barrier: who sees new content sees the odd version */
	atomic_thread_fence(memory_order_release);
	memcpy((uint8_t *)to + sizeof(*v), (const uint8_t *)from + sizeof(*v), len - sizeof(*v));
	*version += 2;
	/* pairs with the reader's second barrier: content before the even version */
	atomic_store_explicit(v, *version, memory_order_release);
}

/* Aligned as the protocol says, and RAM. */
static void *place(const struct vcpu *v, uint64_t gpa, size_t len)
{
	return gpa % sizeof(uint32_t) ? NULL : gpa_ptr(&v->vm->mem, gpa, len);
}

void kvmclock_update(struct vcpu *v)
{
	struct cpu_model *m = &v->model;
	struct pvclock_time t = {
		.tsc_timestamp = m->clock_start + v->tsc_offset,
		.flags = PVCLOCK_TSC_STABLE,
	};

	if (!(m->system_time & SYSTEM_TIME_ENABLE))
		return;
	scale(&t);
	publish(place(v, m->system_time & ~SYSTEM_TIME_ENABLE, sizeof(t)), &t, sizeof(t),
		&m->clock_version);
}

static int set_system_time(struct vcpu *v, uint64_t value)
{
	if ((value & SYSTEM_TIME_ENABLE) &&
	    !place(v, value & ~SYSTEM_TIME_ENABLE, sizeof(struct pvclock_time)))
		return -EINVAL;
	v->model.system_time = value;
	kvmclock_update(v);
	return 0;
}

static int set_wall_clock(struct vcpu *v, uint64_t value)
{
	struct cpu_model *m = &v->model;
	struct pvclock_wall w = { .sec = m->clock_unix / NS_PER_S,
				  .nsec = m->clock_unix % NS_PER_S };
	void *to = place(v, value, sizeof(w));

	if (!to)
		return -EINVAL;
	m->wall_clock = value;
	publish(to, &w, sizeof(w), &m->wall_version);
	return 0;
}

/*
 * now_unix() - nanoseconds since 1970. The battery clock is asked once;
 * from then on the TSC counts.
 */
static uint64_t now_unix(void)
{
	static uint64_t at_boot;

	if (!at_boot)
		at_boot = rtc_unix() * NS_PER_S - time_ns();
	return at_boot + time_ns();
}

void kvmclock_reset(struct vcpu *v)
{
	const struct vcpu *first = v->vm->vcpu[0];
	struct cpu_model *m = &v->model;

	m->wall_clock = m->system_time = 0;
	m->clock_version = m->wall_version = 0;
	if (v == first) {
		m->clock_start = rdtsc();
		m->clock_unix = now_unix();
	} else {
		m->clock_start = first->model.clock_start;
		m->clock_unix = first->model.clock_unix;
	}
}

bool kvmclock_owns_msr(uint32_t index)
{
	return index == MSR_KVM_WALL_CLOCK || index == MSR_KVM_SYSTEM_TIME;
}

uint64_t kvmclock_rdmsr(const struct vcpu *v, uint32_t index)
{
	return index == MSR_KVM_WALL_CLOCK ? v->model.wall_clock : v->model.system_time;
}

int kvmclock_wrmsr(struct vcpu *v, uint32_t index, uint64_t value)
{
	return index == MSR_KVM_WALL_CLOCK ? set_wall_clock(v, value) : set_system_time(v, value);
}
