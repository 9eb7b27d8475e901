/* SPDX-License-Identifier: MIT */
/*
 * vlapic.h - a vCPU's local APIC [SDM 3A 11]
 *
 * xAPIC by MMIO and x2APIC by MSR over the same registers, with a timer that is one-shot, periodic
 * or TSC-deadline whatever the machine has. An interrupt is posted from any core, by atomic bits
 * and nothing else; everything else is done by the vCPU's core alone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/time.h"
#include "kernel/x86.h"

struct vcpu;
struct vm;

#define VLAPIC_BASE UINT64_C(0xfee00000)
#define VLAPIC_SIZE 0x1000

enum { VLAPIC_WORDS = 8 };       /* 256 vectors */
enum { VLAPIC_X2_MSRS = 0x100 }; /* from MSR_X2APIC on */

struct vlapic {
	/*
	 * By any core that posts; irr bits are taken away by the vCPU's core. These 64 bytes are a
	 * posted-interrupt descriptor as VT-x has it [SDM 3C 29.6]: where the hardware knows such,
	 * it takes from irr by itself.
	 */
	_Alignas(CACHE_LINE) _Atomic uint32_t irr[VLAPIC_WORDS];
	_Atomic uint64_t posted; /* the descriptor's control, the back end's alone */
	uint64_t reserved[3];

	_Atomic uint32_t tmr[VLAPIC_WORDS]; /* level-triggered, as last posted */
	_Atomic uint32_t irr_words;         /* BIT(i): irr[i] may have a bit set */
	_Atomic uint32_t esr_next;          /* errors since ESR was last written */

	/* by the vCPU's core, seldom; whoever posts reads them */
	_Atomic uint32_t svr, ldr, dfr;
	_Atomic uint64_t apic_base; /* MSR_APIC_BASE */
	struct vcpu *vcpu;          /* set once */

	/* the vCPU's core alone */
	_Alignas(CACHE_LINE) uint32_t isr[VLAPIC_WORDS];
	uint32_t isr_words; /* BIT(i): isr[i] has a bit set */
	uint32_t tpr, esr, icr_high, icr_low;
	uint32_t lvt_timer, lvt_thermal, lvt_perf, lvt_lint0, lvt_lint1, lvt_error;
	uint32_t timer_initial, timer_divide;
	uint64_t timer_start;  /* TSC of the core when the count began */
	uint64_t tsc_deadline; /* as the guest wrote it; 0: disarmed */
	struct timer timer;
	uint64_t timer_fired, eois;
};

/*
 * vlapic_init() - once, v->id set. vlapic_reset() - as after RESET; on the vCPU's core, or stopped.
 */
void vlapic_init(struct vlapic *l, struct vcpu *v);
void vlapic_reset(struct vlapic *l);
/* vlapic_clear() - as after INIT: all registers but the base are as after RESET. vCPU's core. */
void vlapic_clear(struct vlapic *l);
/* vlapic_stop() - cancel its timer. vCPU's core. */
void vlapic_stop(struct vlapic *l);

/*
 * vlapic_post() - interrupt @vector waits for it from now on; whoever must know of it is told,
 * unless the vector waited already (injection.h). Any context of any core. An APIC that the guest
 * has not enabled takes none.
 */
void vlapic_post(struct vlapic *l, uint8_t vector, bool level);

/*
 * The rest on the vCPU's core, vm->lock not held: the end of a level-triggered interrupt takes it.
 */

/*
 * vlapic_pending() - the vector to inject now by priority, or -1. vlapic_accept() - it is
 * being injected: IRR to ISR.
 */
int vlapic_pending(const struct vlapic *l);
void vlapic_accept(struct vlapic *l, uint8_t vector);
/* vlapic_waits() - is there a vector that only the task priority holds back? */
bool vlapic_waits(const struct vlapic *l);

/*
 * by MMIO: @offset from the base, @size bytes; registers are 4 bytes at multiples of 16. While the
 * APIC is off or in x2APIC mode nobody is there: reads all ones. (But by VT-x in x2APIC mode under
 * posted injection: vmx_apic.c says why.)
 */
uint64_t vlapic_mmio_read(struct vlapic *l, uint64_t offset, unsigned size);
void vlapic_mmio_write(struct vlapic *l, uint64_t offset, unsigned size, uint64_t value);

/* MSR_APIC_BASE, MSR_TSC_DEADLINE and the 256 from MSR_X2APIC on. 0, or -EINVAL: takes #GP. */
int vlapic_rdmsr(struct vlapic *l, uint32_t index, uint64_t *value);
int vlapic_wrmsr(struct vlapic *l, uint32_t index, uint64_t value);
static inline bool vlapic_owns_msr(uint32_t index)
{
	return index == MSR_APIC_BASE || index == MSR_TSC_DEADLINE ||
	       index - MSR_X2APIC < VLAPIC_X2_MSRS;
}

static inline uint64_t vlapic_base(const struct vlapic *l)
{
	return l->apic_base & UINT64_C(0xffffff000);
}

/*
 * For a back end whose CPU has a local APIC for guests, which works on a page with registers as
 * xAPIC has them (@page, 1,024 words). All on the vCPU's core.
 *
 * vlapic_to_page() - all that can be read, but IRR, ISR and TMR, which the back end carries.
 * vlapic_put_back() - of what it took from irr[w], these the CPU has not delivered.
 * vlapic_written() - the guest has written @value to the register at @offset of that page;
 * what it does is done now.
 * vlapic_ended() - the CPU has taken level-triggered @vector out of service: the IOAPIC
 * learns of it. Takes vm->lock.
 */
void vlapic_to_page(struct vlapic *l, uint32_t *page);
void vlapic_put_back(struct vlapic *l, unsigned w, uint32_t bits);
void vlapic_written(struct vlapic *l, uint32_t offset, uint32_t value);
void vlapic_ended(struct vlapic *l, uint8_t vector);

/*
 * vlapic_deliver() - an MSI or a pin of the IOAPIC: to the vCPUs of @vm that @dest names, 8
 * bits, 0xff all of them. @mode as enum apic_delivery. Any core, with vm->lock or without.
 * Returns how many took it.
 */
unsigned vlapic_deliver(struct vm *vm, uint32_t dest, bool logical, unsigned mode, uint8_t vector,
			bool level);
/* vlapic_msi() - the same as an MSI's address and data [SDM 3A 11.11]. */
unsigned vlapic_msi(struct vm *vm, uint64_t address, uint32_t data);
