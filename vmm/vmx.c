/* SPDX-License-Identifier: MIT */
/*
 * vmx.c - the back end for Intel's VT-x: into the guest and out, and what an entry brings
 * with it [SDM 3C 24 to 27]
 *
 * Called by vcpu.c on the vCPU's core. The gate is IF: with CLI nothing interrupts, and what comes
 * in the meantime makes the guest exit before its first instruction, since external interrupts exit
 * whatever IF says. Such an exit leaves IF clear and has acknowledged the interrupt: its vector
 * stands in the VMCS, and Weir calls the handler by itself.
 */
#include "vmx.h"

#include "kernel/bits.h"
#include "kernel/irq.h"
#include "kernel/time.h"
#include "kernel/trap.h"
#include "kernel/x86.h"
#include "fpu.h"
#include "vm.h"

int vmx_enter(uint64_t *gpr, bool launched); /* vmx_enter.S */

static void vmx_vcpu_load(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);

	vmx_current(x->vmcs);
	vmx_host_state();
	x->launched = false;
	if (x->fresh)
		vmx_flush(v);
	x->fresh = false;
	fpu_load(v);
	vmx_msrs_load(v);
}

static void vmx_vcpu_put(struct vcpu *v)
{
	vmx_msrs_put(v);
	fpu_put(v);
	vmx_clear(vmx_of(v)->vmcs);
}

static inline void vmx_close_gate(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* The gate is IF, and the core loop wants it closed. */
static inline void vmx_open_gate(void)
{
}

/* STI with IF clear again cannot be, so the shadow is then that of MOV SS [26.3.1.5]. */
static uint32_t interruptibility(const struct vcpu *v)
{
	const struct vmx_vcpu *x = vmx_of(v);
	bool brings_nmi = x->entry_info & INTR_VALID &&
			  FIELD_GET(INTR_TYPE, x->entry_info) == INTR_TYPE_NMI;
	uint32_t blocked = 0;

	if (v->irq_shadow)
		blocked = v->rflags & RFLAGS_IF ? BLOCKED_BY_STI : BLOCKED_BY_MOV_SS;
	if (v->nmi_blocked && !brings_nmi)
		blocked |= BLOCKED_BY_NMI;
	return blocked;
}

/*
 * set_timer() - the preemption timer; a slice that is over ends at once, one too long
 * for it comes round again.
 */
static void set_timer(struct vmx_vcpu *x, uint64_t end)
{
	bool on = vmx_has(VMX_PREEMPTION_TIMER);
	uint64_t now, left;

	vmx_set(VMCS_PIN_BASED_CONTROLS, &x->pin, PIN_PREEMPTION_TIMER,
		on ? PIN_PREEMPTION_TIMER : 0);
	if (!on)
		return;
	now = rdtsc();
	left = end > now ? (end - now) >> vmx_timer_rate : 0;
	vmwrite(VMCS_PREEMPTION_TIMER, MIN(left, (uint64_t)UINT32_MAX));
}

static void set_vpid(struct vcpu *v, struct vmx_vcpu *x)
{
	bool on = vmx_has(VMX_VPID);

	if (on && !(x->secondary & SECONDARY_VPID))
		vmx_flush(v); /* without VPIDs each entry and exit flushed; these are of before */
	vmx_set(VMCS_SECONDARY_CONTROLS, &x->secondary, SECONDARY_VPID, on ? SECONDARY_VPID : 0);
}

static void give_registers(struct vcpu *v, struct vmx_vcpu *x)
{
	vmwrite(VMCS_GUEST_RSP, v->gpr[GPR_RSP]);
	vmwrite(VMCS_GUEST_RIP, v->rip);
	vmwrite(VMCS_GUEST_RFLAGS, v->rflags);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, interruptibility(v));
	/*
	 * in a shadow the single step is due behind it; without saying so the
	 * entry is refused [26.3.1.5]
	 */
	if (unlikely(v->rflags & RFLAGS_TF) && v->irq_shadow)
		vmwrite(VMCS_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS);
	if (unlikely(x->tsc_offset != v->tsc_offset)) {
		x->tsc_offset = v->tsc_offset;
		vmwrite(VMCS_TSC_OFFSET, x->tsc_offset);
	}
}

static void take_registers(struct vcpu *v)
{
	uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	v->gpr[GPR_RSP] = vmread(VMCS_GUEST_RSP);
	v->rip = vmread(VMCS_GUEST_RIP);
	v->rflags = vmread(VMCS_GUEST_RFLAGS);
	v->irq_shadow = blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
	v->nmi_blocked = blocked & BLOCKED_BY_NMI;
}

/*
 * take_interrupt() - the exit has acknowledged it, so that nobody else will call its
 * handler [33.2]. IF is clear.
 */
static void take_interrupt(uint32_t reason)
{
	uint64_t info;

	if (reason != VMX_EXIT_EXTERNAL_INTERRUPT && reason != VMX_EXIT_EXCEPTION_NMI)
		return;
	info = vmread(VMCS_VM_EXIT_INTERRUPTION_INFO);
	if (FIELD_GET(INTR_TYPE, info) == INTR_TYPE_EXTERNAL ||
	    FIELD_GET(INTR_TYPE, info) == INTR_TYPE_NMI)
		trap_call(FIELD_GET(INTR_VECTOR, info));
}

static void vmx_run(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);
	uint32_t reason;
	int failed;

	give_registers(v, x);
	set_timer(x, v->slice_end);
	set_vpid(v, x);
	vmx_apic_enter(v);
	failed = vmx_enter(v->gpr, x->launched);
	x->entry_info = 0; /* the CPU has cleared its valid bit */
	if (unlikely(failed)) {
		irq_enable();
		vmx_decode_failed(v);
		return;
	}
	x->launched = true;
	reason = vmread(VMCS_EXIT_REASON);
	if (likely(!(reason & EXIT_REASON_ENTRY_FAILED)))
		take_registers(v);
	vmx_apic_left(v);
	take_interrupt(reason);
	irq_enable();
	vmx_decode(v);
}

/* --- what the next entry brings --- */

static unsigned type_of(const struct vcpu_event *e)
{
	switch (e->type) {
	case EVENT_NMI: return INTR_TYPE_NMI;
	case EVENT_EXCEPTION: return INTR_TYPE_HARDWARE_EXCEPTION;
	default: return INTR_TYPE_EXTERNAL;
	}
}

/* In real mode no exception pushes an error code, and an entry that tries is refused [26.2.1.3]. */
static void vmx_inject(struct vcpu *v, const struct vcpu_event *e)
{
	struct vmx_vcpu *x = vmx_of(v);
	bool error = e->has_error && (vmread(VMCS_GUEST_CR0) & CR0_PE);

	if (e->type == EVENT_EXCEPTION && e->vector == EXCEPTION_PF)
		write_cr2(e->cr2);
	if (e->type == EVENT_EXCEPTION && e->vector == EXCEPTION_DB)
		vmx_note_debug(e->dr6);
	x->entry_info = INTR_VALID | FIELD_PREP(INTR_TYPE, type_of(e)) |
			FIELD_PREP(INTR_VECTOR, e->vector) | (error ? INTR_ERROR : 0);
	vmwrite(VMCS_VM_ENTRY_INTERRUPTION_INFO, x->entry_info);
	if (error)
		vmwrite(VMCS_VM_ENTRY_EXCEPTION_ERROR, e->error);
}

static void vmx_want_irq_window(struct vcpu *v, bool on)
{
	vmx_set(VMCS_PRIMARY_CONTROLS, &vmx_of(v)->primary, PRIMARY_INTERRUPT_WINDOW,
		on ? PRIMARY_INTERRUPT_WINDOW : 0);
}

static void vmx_want_nmi_window(struct vcpu *v, bool on)
{
	vmx_set(VMCS_PRIMARY_CONTROLS, &vmx_of(v)->primary, PRIMARY_NMI_WINDOW,
		on ? PRIMARY_NMI_WINDOW : 0);
}

/*
 * vmx_apic.c makes a threshold of it; where there is no shadow of the TPR each
 * write of CR8 exits anyway.
 */
static void vmx_want_cr8(struct vcpu *v, bool on)
{
	vmx_of(v)->wants_cr8 = on;
}

const struct vmm_backend vmx_backend = {
	.name = "VT-x",
	.probe = vmx_probe,
	.init_cpu = vmx_init_cpu,
	.vm_create = vmx_vm_create,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_put = vmx_vcpu_put,
	.run = vmx_run,
	.close_gate = vmx_close_gate,
	.open_gate = vmx_open_gate,
	.notify = vmx_apic_notify,
	.inject = vmx_inject,
	.want_irq_window = vmx_want_irq_window,
	.want_nmi_window = vmx_want_nmi_window,
	.want_cr8 = vmx_want_cr8,
	.get_sregs = vmx_get_sregs,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.explain = vmx_explain,
	.features = vmx_features,
	.slice_timer = &vmx_features[VMX_PREEMPTION_TIMER],
};
