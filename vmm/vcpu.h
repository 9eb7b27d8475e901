/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - a virtual CPU: its registers, what waits to be injected, and whose turn it is
 *
 * A vCPU is pinned to a core and touched by that core alone, but for what others may write: bits of
 * its local APIC's IRR, signals, and the kick. The core loop chooses and enters it through
 * kernel/guest.h. Between two exits the neutral half (exits.c, vlapic.c, devices) works on struct
 * vcpu; what is in hardware's form belongs to the back end.
 *
 *	OFF ─guest starts─► RUNNING ◄─HLT, an interrupt─► HALTED	the first of a guest
 *	OFF ─guest starts─► WAITING ─STARTUP─► RUNNING ─INIT─► WAITING	the others
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu.h"
#include "cpu_model.h"
#include "exit.h"
#include "injection.h"
#include "vlapic.h"

struct vm;

/* as instructions number them [SDM 2A table 2-2] */
enum gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R9,
	GPR_R10,
	GPR_R11,
	GPR_R12,
	GPR_R13,
	GPR_R14,
	GPR_R15,
	GPR_N,
};

/* attributes of a segment as a descriptor has them, bits 40-47 and 52-55 side by side */
#define SEG_TYPE BITS(3, 0)
#define SEG_S    BIT(4) /* code or data */
#define SEG_DPL  BITS(6, 5)
#define SEG_P    BIT(7)
#define SEG_AVL  BIT(8)
#define SEG_L    BIT(9)  /* 64-bit code */
#define SEG_DB   BIT(10) /* 32-bit */
#define SEG_G    BIT(11) /* limit counts pages */

struct vcpu_segment {
	uint16_t selector, attr;
	uint32_t limit; /* bytes - 1 */
	uint64_t base;
};

enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS, SEGMENT_N };

/* what decoding, start-up and reports need to know beyond the general registers */
struct vcpu_sregs {
	struct vcpu_segment seg[SEGMENT_N], ldtr, tr;
	struct {
		uint64_t base;
		uint32_t limit;
	} gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint8_t cpl;
};

enum vcpu_state {
	VCPU_OFF,     /* does not run: not started, stopped, dead */
	VCPU_RUNNING, /* wants to run */
	VCPU_HALTED,  /* until an interrupt that it can take */
	VCPU_WAITING, /* for STARTUP [SDM 3A 9.4.3] */
};

/*
 * what others ask of it, in v->signals. All but the NMI come before its next entry: it may
 * not be entered after them
 */
#define SIGNAL_NMI     BIT(0)
#define SIGNAL_STOP    BIT(1) /* its guest has ended */
#define SIGNAL_INIT    BIT(2)
#define SIGNAL_STARTUP BIT(3) /* at the 4 KiB page of SIGNAL_PAGE */
#define SIGNAL_PAGE    BITS(15, 8)
#define SIGNALS_FIRST  (SIGNAL_STOP | SIGNAL_INIT | SIGNAL_STARTUP)

enum event_type { EVENT_NONE, EVENT_IRQ, EVENT_NMI, EVENT_EXCEPTION };

struct vcpu_event {
	enum event_type type;
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t cr2; /* of a page fault */
	uint64_t dr6; /* of a #DB: causes that are not in DR6 yet */
};

enum { VCPU_LAST_EXITS = 16, XSAVE_SIZE = 4096 };

/* one line of the report of a guest that died */
struct vcpu_past {
	uint64_t rip;
	uint64_t info; /* port, MSR or address */
	enum vcpu_exit_reason reason;
};

struct vcpu {
	/*
	 * first, on a page of its own: Bochs takes no posted-interrupt descriptor but there,
	 * where 64 bytes should do
	 */
	struct vlapic lapic;

	/* by the core that it is pinned to */
	uint64_t gpr[GPR_N]; /* valid between an exit and the next entry, rip and rflags as well */
	uint64_t rip, rflags;
	bool irqs_by_cpu; /* the CPU delivers from the local APIC by itself: Weir injects none */
	bool irq_shadow;  /* behind STI or MOV SS: no interrupt before the next instruction */
	struct vcpu_exit exit;
	/* injected at the next entry: an exception, or what an exit interrupted */
	struct vcpu_event event;
	enum vcpu_state state;
	bool nmi_blocked;  /* in its NMI handler */
	uint64_t vruntime; /* TSC ticks run; the least runs next */
	struct vcpu *next_on_core;

	/* of the guest, not switched at each entry: loaded while it is the core's current vCPU */
	uint8_t *xsave; /* XSAVE_SIZE, 64-byte aligned */
	uint64_t xcr0, tsc_aux, dr[4];
	uint64_t tsc_offset;    /* guest's TSC = the core's + this */
	uint64_t slice_end;     /* TSC of the core */
	struct cpu_model model; /* CPUID and MSRs that no hardware keeps */

	/* statistics */
	uint64_t exits[EXIT_N];
	uint64_t entries, irqs_injected, nmis_injected, reinjected;
	uint64_t tsc_run; /* TSC ticks in the guest, exits included */
	uint64_t past_n;
	struct vcpu_past past[VCPU_LAST_EXITS];

	/* set once */
	struct vm *vm;
	unsigned id;  /* in its guest, from 0; also its APIC ID */
	unsigned cpu; /* core */
	void *hw;     /* of the back end */

	/* by any core */
	_Alignas(CACHE_LINE) _Atomic uint32_t signals;
	struct injection injection;
};

/*
 * vcpu_kick() - it has something new to take: ends its run or its sleep. From
 * any context of any core.
 */
void vcpu_kick(struct vcpu *v);
/*
 * vcpu_give_way() - @v has woken @to, of the same core, whose turn comes next. While
 * an exit of @v is handled.
 */
void vcpu_give_way(struct vcpu *v, const struct vcpu *to);

/*
 * Signals, from any context of any core; the vCPU's own core sees to them before the
 * next entry (vcpu_signal.c).
 *
 * vcpu_signal_nmi() - an NMI for it. vcpu_signal_init() - an INIT: what waited before is forgotten;
 * the first vCPU of a guest goes to where a BIOS begins, the others wait. vcpu_signal_startup() -
 * it begins at 4 KiB page @page, if it waits for that then. vcpu_signal_stop() - its guest has
 * ended: it is off from now on, and vm_left() is told.
 */
void vcpu_signal_nmi(struct vcpu *v);
void vcpu_signal_init(struct vcpu *v);
void vcpu_signal_startup(struct vcpu *v, uint8_t page);
void vcpu_signal_stop(struct vcpu *v);
/* vcpu_signals_take() - see to what has come. On its core, no exit handled, v not current. */
void vcpu_signals_take(struct vcpu *v);
/* vcpu_is_called() - is there what must be seen to before it goes on? */
static inline bool vcpu_is_called(const struct vcpu *v)
{
	/* relaxed: pairs with nothing, the look before the next entry is the one that counts */
	return atomic_load_explicit(&v->signals, memory_order_relaxed) & SIGNALS_FIRST;
}

/*
 * vcpu_reset() - as after RESET; the first vCPU of a guest with the registers of @e, the others
 * wait for STARTUP. In the control context with the vCPU off; the first before the others.
 */
struct vcpu_entry;
void vcpu_reset(struct vcpu *v, const struct vcpu_entry *e);
/*
 * vcpu_off() - it ceases to run, and vm_left() is told unless it had. On its core, v not current.
 */
void vcpu_off(struct vcpu *v);

/*
 * vcpu_exception() - inject a fault at the next entry instead of going on; vCPU's core,
 * while an exit is handled.
 */
void vcpu_exception(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error);
enum {
	EXCEPTION_DB = 1,
	EXCEPTION_UD = 6,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_AC = 17,
	EXCEPTION_MC = 18,
};

/*
 * vcpu_single_step() - what was carried out for a guest that debugs is one step of it:
 * #DB, which ends a halt, too.
 */
void vcpu_single_step(struct vcpu *v);

/*
 * vcpu_step(), vcpu_step_to() - the instruction that caused the exit is done: go
 * on behind it, or at @rip.
 */
static inline void vcpu_step_to(struct vcpu *v, uint64_t rip)
{
	v->rip = rip;
	v->irq_shadow = false;
	if (unlikely(v->rflags & RFLAGS_TF))
		vcpu_single_step(v);
}

static inline void vcpu_step(struct vcpu *v)
{
	vcpu_step_to(v, v->exit.next_rip);
}

/*
 * vcpu_start(), vcpu_stop() - put it on its core's list or take it off, with its timers. Control
 * context; waits for the core.
 */
void vcpu_start(struct vcpu *v);
void vcpu_stop(struct vcpu *v);

/* vcpus_init() - the core loop learns of guests. Once, with the first of them, cores parked. */
void vcpus_init(void);
