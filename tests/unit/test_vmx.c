/* SPDX-License-Identifier: MIT */
/* links: vmm/vmx.c tests/unit/fake_vmx.c tests/unit/host.c */
/*
 * test_vmx.c - what an entry brings into the VMCS and what an exit takes out of it, and when the
 * TLB is flushed: no emulator shows a flush that is missing
 *
 * VMLAUNCH is played by a function that says what the guest did [SDM 3C 26, 27].
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/trap.h"
#include "kernel/x86.h"
#include "tests/unit/fake_vmx.h"
#include "vmm/fpu.h"
#include "vmm/vm.h"

struct vmm_feature vmx_features[VMX_FEATURES + 1];
unsigned vmx_timer_rate = 5;

static struct vmx_vcpu hw;
static struct vm vm;
static struct vcpu v;
static unsigned flushes, decoded, refused, called, loads, debugged;
static bool launched_before, fails;
static void (*guest)(void);

/* --- stand-ins --- */

int vmx_enter(uint64_t *gpr, bool launched)
{
	assert_ptr_equal(gpr, v.gpr);
	launched_before = launched;
	if (guest)
		guest();
	return fails;
}

void vmx_flush(const struct vcpu *u)
{
	(void)u;
	flushes++;
}

void vmx_decode(struct vcpu *u)
{
	(void)u;
	decoded++;
}

void vmx_decode_failed(struct vcpu *u)
{
	(void)u;
	refused++;
}

void trap_call(uint8_t vector)
{
	assert_false(decoded); /* before anything else can interrupt */
	called = vector;
}

void vmx_current(void *vmcs)
{
	assert_ptr_equal(vmcs, hw.vmcs);
}

void vmx_clear(void *vmcs)
{
	assert_ptr_equal(vmcs, hw.vmcs);
}

void vmx_host_state(void)
{
}

void vmx_msrs_load(struct vcpu *u)
{
	(void)u;
	loads++;
}

void vmx_msrs_put(struct vcpu *u)
{
	(void)u;
}

void fpu_load(struct vcpu *u)
{
	(void)u;
}

void fpu_put(struct vcpu *u)
{
	(void)u;
}

void vmx_apic_enter(struct vcpu *u)
{
	(void)u;
}

void vmx_apic_left(struct vcpu *u)
{
	(void)u;
}

void vmx_note_debug(uint64_t causes)
{
	(void)causes;
	debugged++;
}

/* the other parts' ops, which this one only lists */
int vmx_probe(const char **why)
{
	(void)why;
	return 0;
}

int vmx_init_cpu(const char **why)
{
	(void)why;
	return 0;
}

int vmx_vm_create(struct vm *m)
{
	(void)m;
	return 0;
}

int vmx_vcpu_create(struct vcpu *u)
{
	(void)u;
	return 0;
}

void vmx_vcpu_reset(struct vcpu *u, const struct vcpu_sregs *s)
{
	(void)u, (void)s;
}

bool vmx_apic_notify(struct vcpu *u)
{
	(void)u;
	return false;
}

void vmx_get_sregs(struct vcpu *u, struct vcpu_sregs *s)
{
	(void)u, (void)s;
}

int vmx_get_msr(struct vcpu *u, uint32_t index, uint64_t *value)
{
	(void)u, (void)index, (void)value;
	return -1;
}

int vmx_set_msr(struct vcpu *u, uint32_t index, uint64_t value)
{
	(void)u, (void)index, (void)value;
	return -1;
}

void vmx_explain(struct vcpu *u, char *text, size_t size)
{
	(void)u, (void)text, (void)size;
}

/* --- fixture --- */

static int start(void **state)
{
	(void)state;
	fake_vmx_guest_64();
	fake_vmcs[VMCS_EXIT_REASON] = VMX_EXIT_CPUID;
	fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY] = 0;
	hw = (struct vmx_vcpu){ .vmcs = &hw, .fresh = true, .secondary = SECONDARY_VPID };
	v = (struct vcpu){ .vm = &vm, .hw = &hw, .rflags = RFLAGS_FIXED | RFLAGS_IF };
	for (unsigned i = 0; i < VMX_FEATURES; i++)
		vmx_features[i].has = vmx_features[i].on = true;
	flushes = decoded = refused = called = loads = 0;
	fails = false;
	guest = NULL;
	host_tsc = 0;
	return 0;
}

static void inject(enum event_type type, uint8_t vector, bool has_error, uint32_t error)
{
	vmx_backend.inject(&v, &(struct vcpu_event){ .type = type,
						     .vector = vector,
						     .has_error = has_error,
						     .error = error,
						     .cr2 = 0xcafe });
}

static uint64_t entry_info(void)
{
	return fake_vmcs[VMCS_VM_ENTRY_INTERRUPTION_INFO];
}

/* --- the TLB --- */

static void a_vcpu_that_was_reset_is_flushed_once(void **state)
{
	(void)state;
	vmx_backend.vcpu_load(&v);
	assert_int_equal(flushes, 1);
	vmx_backend.vcpu_put(&v);
	vmx_backend.vcpu_load(&v);
	assert_int_equal(flushes, 1);
	hw.fresh = true;
	vmx_backend.vcpu_put(&v);
	vmx_backend.vcpu_load(&v);
	assert_int_equal(flushes, 2);
}

static void a_vpid_is_flushed_when_it_is_used_again(void **state)
{
	(void)state;
	vmx_features[VMX_VPID].on = false;
	vmx_backend.run(&v);
	assert_false(fake_vmcs[VMCS_SECONDARY_CONTROLS] & SECONDARY_VPID);
	assert_int_equal(flushes, 0);
	vmx_features[VMX_VPID].on = true;
	vmx_backend.run(&v);
	assert_true(fake_vmcs[VMCS_SECONDARY_CONTROLS] & SECONDARY_VPID);
	assert_int_equal(flushes, 1);
	vmx_backend.run(&v);
	assert_int_equal(flushes, 1);
}

/* --- in and out --- */

static void guest_moves(void)
{
	assert_int_equal(fake_vmcs[VMCS_GUEST_RIP], 0x1000);
	assert_int_equal(fake_vmcs[VMCS_GUEST_RSP], 0x2000);
	fake_vmcs[VMCS_GUEST_RIP] = 0x3000;
	fake_vmcs[VMCS_GUEST_RSP] = 0x4000;
	fake_vmcs[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED;
	fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI;
}

static void registers_go_in_and_come_out(void **state)
{
	(void)state;
	v.rip = 0x1000;
	v.gpr[GPR_RSP] = 0x2000;
	guest = guest_moves;
	vmx_backend.run(&v);
	assert_int_equal(v.rip, 0x3000);
	assert_int_equal(v.gpr[GPR_RSP], 0x4000);
	assert_int_equal(v.rflags, RFLAGS_FIXED);
	assert_true(v.irq_shadow);
	assert_true(v.nmi_blocked);
	assert_int_equal(decoded, 1);
}

static void it_is_launched_once_and_resumed_from_then_on(void **state)
{
	(void)state;
	vmx_backend.vcpu_load(&v);
	vmx_backend.run(&v);
	assert_false(launched_before);
	vmx_backend.run(&v);
	assert_true(launched_before);
	vmx_backend.vcpu_put(&v); /* VMCLEAR */
	vmx_backend.vcpu_load(&v);
	vmx_backend.run(&v);
	assert_false(launched_before);
}

static void an_instruction_that_fails_takes_nothing_out(void **state)
{
	(void)state;
	v.rip = 0x1000;
	v.gpr[GPR_RSP] = 0x2000;
	guest = guest_moves;
	fails = true;
	vmx_backend.run(&v);
	assert_int_equal(v.rip, 0x1000);
	assert_int_equal(refused, 1);
	assert_int_equal(decoded, 0);
}

static void a_refused_entry_takes_nothing_out(void **state)
{
	(void)state;
	v.rip = 0x1000;
	v.gpr[GPR_RSP] = 0x2000;
	guest = guest_moves;
	fake_vmcs[VMCS_EXIT_REASON] = EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_GUEST_STATE;
	vmx_backend.run(&v);
	assert_int_equal(v.rip, 0x1000);
	assert_int_equal(decoded, 1);
}

static void an_interrupt_that_the_exit_took_is_handled(void **state)
{
	(void)state;
	fake_vmcs[VMCS_EXIT_REASON] = VMX_EXIT_EXTERNAL_INTERRUPT;
	fake_vmcs[VMCS_VM_EXIT_INTERRUPTION_INFO] = INTR_VALID | 0x41;
	vmx_backend.run(&v);
	assert_int_equal(called, 0x41);
}

static void so_is_an_nmi_but_not_an_exception_of_the_guests(void **state)
{
	(void)state;
	fake_vmcs[VMCS_EXIT_REASON] = VMX_EXIT_EXCEPTION_NMI;
	fake_vmcs[VMCS_VM_EXIT_INTERRUPTION_INFO] =
		INTR_VALID | FIELD_PREP(INTR_TYPE, INTR_TYPE_HARDWARE_EXCEPTION) | EXCEPTION_DB;
	vmx_backend.run(&v);
	assert_int_equal(called, 0);
	decoded = 0;
	fake_vmcs[VMCS_VM_EXIT_INTERRUPTION_INFO] =
		INTR_VALID | FIELD_PREP(INTR_TYPE, INTR_TYPE_NMI) | VECTOR_NMI;
	vmx_backend.run(&v);
	assert_int_equal(called, VECTOR_NMI);
}

/* --- the slice --- */

static void the_timer_counts_what_is_left_of_the_slice(void **state)
{
	(void)state;
	host_tsc = 1000;
	v.slice_end = 1000 + (100 << 5);
	vmx_backend.run(&v);
	assert_true(fake_vmcs[VMCS_PIN_BASED_CONTROLS] & PIN_PREEMPTION_TIMER);
	assert_int_equal(fake_vmcs[VMCS_PREEMPTION_TIMER], 100);
	v.slice_end = 500;
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_PREEMPTION_TIMER], 0);
	v.slice_end = UINT64_MAX;
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_PREEMPTION_TIMER], UINT32_MAX);
	vmx_features[VMX_PREEMPTION_TIMER].on = false;
	vmx_backend.run(&v);
	assert_false(fake_vmcs[VMCS_PIN_BASED_CONTROLS] & PIN_PREEMPTION_TIMER);
}

/* --- what an entry brings --- */

static void an_interrupt_is_brought(void **state)
{
	(void)state;
	inject(EVENT_IRQ, 0x51, false, 0);
	assert_int_equal(entry_info(), INTR_VALID | 0x51);
}

static void an_exception_brings_its_error_code(void **state)
{
	(void)state;
	inject(EVENT_EXCEPTION, EXCEPTION_PF, true, 6);
	assert_int_equal(entry_info(), INTR_VALID | INTR_ERROR |
					       FIELD_PREP(INTR_TYPE, INTR_TYPE_HARDWARE_EXCEPTION) |
					       EXCEPTION_PF);
	assert_int_equal(fake_vmcs[VMCS_VM_ENTRY_EXCEPTION_ERROR], 6);
	assert_int_equal(fake_cr2, 0xcafe);
}

/* Causes may stand in DR6 already: what delivery does to DR7 is still to be done. */
static void each_debug_exception_is_noted(void **state)
{
	(void)state;
	debugged = 0;
	inject(EVENT_EXCEPTION, EXCEPTION_DB, false, 0);
	assert_int_equal(debugged, 1);
	inject(EVENT_EXCEPTION, EXCEPTION_GP, true, 0);
	inject(EVENT_IRQ, EXCEPTION_DB, false, 0);
	assert_int_equal(debugged, 1);
}

static void in_real_mode_there_are_no_error_codes(void **state)
{
	(void)state;
	fake_vmx_guest_real();
	inject(EVENT_EXCEPTION, EXCEPTION_GP, true, 0);
	assert_false(entry_info() & INTR_ERROR);
}

static void an_nmi_is_brought_with_nmis_unblocked(void **state)
{
	(void)state;
	inject(EVENT_NMI, VECTOR_NMI, false, 0);
	v.nmi_blocked = true; /* by its handler, from then on */
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY], 0);
	v.nmi_blocked = true;
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_NMI);
}

static void a_shadow_is_that_of_sti_only_with_interrupts_on(void **state)
{
	(void)state;
	v.irq_shadow = true;
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_STI);
	v.irq_shadow = true;
	v.rflags = RFLAGS_FIXED;
	vmx_backend.run(&v);
	assert_int_equal(fake_vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_MOV_SS);
}

static void windows_are_asked_for_and_closed(void **state)
{
	(void)state;
	vmx_backend.want_irq_window(&v, true);
	vmx_backend.want_nmi_window(&v, true);
	assert_int_equal(fake_vmcs[VMCS_PRIMARY_CONTROLS],
			 PRIMARY_INTERRUPT_WINDOW | PRIMARY_NMI_WINDOW);
	vmx_backend.want_irq_window(&v, false);
	assert_int_equal(fake_vmcs[VMCS_PRIMARY_CONTROLS], PRIMARY_NMI_WINDOW);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(a_vcpu_that_was_reset_is_flushed_once),
		T(a_vpid_is_flushed_when_it_is_used_again),
		T(registers_go_in_and_come_out),
		T(it_is_launched_once_and_resumed_from_then_on),
		T(an_instruction_that_fails_takes_nothing_out),
		T(a_refused_entry_takes_nothing_out),
		T(an_interrupt_that_the_exit_took_is_handled),
		T(so_is_an_nmi_but_not_an_exception_of_the_guests),
		T(the_timer_counts_what_is_left_of_the_slice),
		T(an_interrupt_is_brought),
		T(an_exception_brings_its_error_code),
		T(each_debug_exception_is_noted),
		T(in_real_mode_there_are_no_error_codes),
		T(an_nmi_is_brought_with_nmis_unblocked),
		T(a_shadow_is_that_of_sti_only_with_interrupts_on),
		T(windows_are_asked_for_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
