/* SPDX-License-Identifier: MIT */
/* links: vmm/svm_decode.c tests/unit/host.c */
/*
 * test_svm_decode.c - hardware's exits in neutral words
 *
 * The VMCB is filled in as the manual says that the hardware fills it in [APM2 15, C].
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/x86.h"
#include "vmm/cpu_regs.h"
#include "vmm/backend.h"
#include "vmm/decode.h"
#include "vmm/gva.h"
#include "vmm/svm.h"

enum { RIP = 0x1000 };

static struct vmcb vmcb;
static struct svm_vcpu hw = { .vmcb = &vmcb };
static struct vcpu v;
struct vmm_feature svm_features[SVM_FEATURES + 1];

/* --- stand-ins for a guest's code: MOV CR8, register --- */

static int decoded;

int insn_decode(const uint8_t *bytes, unsigned n, enum insn_mode mode, struct insn *i)
{
	(void)bytes, (void)n, (void)mode;
	*i = (struct insn){ .op = INSN_OTHER, .len = 4, .reg = 9 };
	return decoded;
}

unsigned gva_fetch(struct vcpu *u, const struct vcpu_sregs *s, uint8_t *bytes, unsigned max)
{
	(void)u, (void)s, (void)bytes;
	return max;
}

static unsigned prefixes;

unsigned svm_length_read(struct vcpu *u, unsigned len)
{
	(void)u;
	return len + prefixes;
}

static void fake_get_sregs(struct vcpu *u, struct vcpu_sregs *s)
{
	(void)u;
	*s = (struct vcpu_sregs){ 0 };
}

static const struct vmm_backend fake_backend = { .get_sregs = fake_get_sregs };
const struct vmm_backend *backend = &fake_backend;

static int start(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	v = (struct vcpu){ .hw = &hw, .rip = RIP };
	hw.stepping_iret = false;
	memset(svm_features, 0, sizeof(svm_features));
	decoded = 0;
	prefixes = 0;
	return 0;
}

static enum vcpu_exit_reason exit_of(uint64_t code)
{
	vmcb.exit_code = code;
	svm_decode(&v, &vmcb);
	return v.exit.reason;
}

static void each_code_has_its_reason(void **state)
{
	static const struct {
		uint64_t code;
		enum vcpu_exit_reason reason;
		unsigned len; /* of the instruction; 0: none was done */
	} row[] = {
		{ SVM_EXIT_INTR, EXIT_INTERRUPT, 0 },    { SVM_EXIT_NMI, EXIT_NMI, 0 },
		{ SVM_EXIT_VINTR, EXIT_IRQ_WINDOW, 0 },  { SVM_EXIT_HLT, EXIT_HLT, 1 },
		{ SVM_EXIT_CPUID, EXIT_CPUID, 2 },       { SVM_EXIT_XSETBV, EXIT_XSETBV, 3 },
		{ SVM_EXIT_VMMCALL, EXIT_HYPERCALL, 3 }, { SVM_EXIT_INVD, EXIT_WBINVD, 2 },
		{ SVM_EXIT_WBINVD, EXIT_WBINVD, 2 },     { SVM_EXIT_VMRUN, EXIT_UNDEFINED, 0 },
		{ SVM_EXIT_CLGI, EXIT_UNDEFINED, 0 },    { SVM_EXIT_MWAIT, EXIT_UNDEFINED, 0 },
		{ SVM_EXIT_RDPMC, EXIT_UNDEFINED, 0 },   { SVM_EXIT_SHUTDOWN, EXIT_SHUTDOWN, 0 },
		{ SVM_EXIT_INVALID, EXIT_FAILED, 0 },    { 0x3ff, EXIT_UNKNOWN, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		assert_int_equal(exit_of(row[i].code), row[i].reason);
		if (row[i].len)
			assert_int_equal(v.exit.next_rip, RIP + row[i].len);
		assert_int_equal(v.rip, RIP);
	}
}

static void the_hardware_knows_the_next_rip_better_where_it_tells(void **state)
{
	(void)state;
	prefixes = 1;
	exit_of(SVM_EXIT_CPUID);
	assert_int_equal(v.exit.next_rip, RIP + 3);
	svm_features[SVM_NRIP_SAVE].on = true;
	vmcb.next_rip = RIP + 5;
	exit_of(SVM_EXIT_CPUID);
	assert_int_equal(v.exit.next_rip, RIP + 5);
}

static void a_port_comes_with_size_direction_and_next_rip(void **state)
{
	(void)state;
	vmcb.exit_info_1 = 0x03f80000 | BIT(4) | BIT(0); /* IN AL, 3f8 */
	vmcb.exit_info_2 = RIP + 2;
	assert_int_equal(exit_of(SVM_EXIT_IOIO), EXIT_IO);
	assert_int_equal(v.exit.io.port, 0x3f8);
	assert_int_equal(v.exit.io.size, 1);
	assert_true(v.exit.io.in);
	assert_false(v.exit.io.string || v.exit.io.rep);
	assert_int_equal(v.exit.next_rip, RIP + 2);
	vmcb.exit_info_1 = 0x0cfc0000 | BIT(9) | BIT(6) | BIT(3) | BIT(2); /* REP OUTSD */
	exit_of(SVM_EXIT_IOIO);
	assert_int_equal(v.exit.io.port, 0xcfc);
	assert_int_equal(v.exit.io.size, 4);
	assert_int_equal(v.exit.io.addr_size, 8);
	assert_true(!v.exit.io.in && v.exit.io.string && v.exit.io.rep);
}

static void an_msr_is_named_by_ecx_alone(void **state)
{
	(void)state;
	v.gpr[GPR_RCX] = UINT64_C(0xdeadbeefc0000080);
	assert_int_equal(exit_of(SVM_EXIT_MSR), EXIT_RDMSR);
	assert_int_equal(v.exit.msr.index, 0xc0000080);
	vmcb.exit_info_1 = 1;
	assert_int_equal(exit_of(SVM_EXIT_MSR), EXIT_WRMSR);
}

static void a_nested_fault_has_address_and_direction(void **state)
{
	(void)state;
	vmcb.exit_info_1 = NPF_WRITE;
	vmcb.exit_info_2 = 0xfec00010;
	assert_int_equal(exit_of(SVM_EXIT_NPF), EXIT_MMIO);
	assert_int_equal(v.exit.mmio.gpa, 0xfec00010);
	assert_true(v.exit.mmio.write && !v.exit.mmio.fetch);
	assert_int_equal(v.exit.next_rip, 0);
}

static void cr8_names_the_register_that_is_written(void **state)
{
	(void)state;
	assert_int_equal(exit_of(SVM_EXIT_CR8_WRITE), EXIT_CR8);
	assert_int_equal(v.exit.cr8.gpr, 9);
	assert_int_equal(v.exit.next_rip, RIP + 4);
	decoded = -EINVAL;
	assert_int_equal(exit_of(SVM_EXIT_CR8_WRITE), EXIT_UNKNOWN);
}

/* --- decode assists --- */

static void cr8_needs_no_decoder_where_the_cpu_names_the_register(void **state)
{
	(void)state;
	svm_features[SVM_DECODE_ASSISTS].on = svm_features[SVM_NRIP_SAVE].on = true;
	decoded = -EINVAL;
	vmcb.exit_info_1 = CR_MOV | 11;
	vmcb.next_rip = RIP + 5;
	assert_int_equal(exit_of(SVM_EXIT_CR8_WRITE), EXIT_CR8);
	assert_int_equal(v.exit.cr8.gpr, 11);
	assert_false(v.exit.cr8.read);
	assert_int_equal(v.exit.next_rip, RIP + 5);
}

static void without_either_assist_or_next_rip_the_instruction_is_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		svm_features[SVM_DECODE_ASSISTS].on = i != 0;
		svm_features[SVM_NRIP_SAVE].on = i != 1;
		vmcb.exit_info_1 = i == 2 ? 11 : CR_MOV | 11; /* it says that it was no MOV */
		vmcb.next_rip = RIP + 5;
		assert_int_equal(exit_of(SVM_EXIT_CR8_WRITE), EXIT_CR8);
		assert_int_equal(v.exit.cr8.gpr, 9);
		assert_int_equal(v.exit.next_rip, RIP + 4);
	}
}

static void the_bytes_of_a_fault_come_with_it(void **state)
{
	uint8_t bytes[INSN_MAX] = { 0 };

	(void)state;
	memcpy(vmcb.fetched, "\x89\x0f\x90", 3);
	vmcb.nfetched = 3;
	assert_int_equal(svm_fetched(&v, bytes), 0); /* switched off, or not there */
	svm_features[SVM_DECODE_ASSISTS].on = true;
	assert_int_equal(svm_fetched(&v, bytes), 3);
	assert_memory_equal(bytes, "\x89\x0f\x90", 3);
	vmcb.nfetched = 0;
	assert_int_equal(svm_fetched(&v, bytes), 0);
	vmcb.nfetched = 0xff;
	assert_int_equal(svm_fetched(&v, bytes), INSN_MAX);
}

/* --- what the exit interrupted is due again --- */

static struct vcpu_event interrupted(uint64_t info)
{
	start(NULL);
	vmcb.exit_int_info = info;
	vmcb.exit_info_2 = 0xfec00000;
	exit_of(SVM_EXIT_NPF);
	return v.event;
}

static void an_interrupted_interrupt_is_due_again(void **state)
{
	struct vcpu_event e = interrupted(EVENT_VALID | 0x50);

	(void)state;
	assert_int_equal(e.type, EVENT_IRQ);
	assert_int_equal(e.vector, 0x50);
	assert_int_equal(v.reinjected, 1);
}

static void an_interrupted_nmi_is_due_again(void **state)
{
	(void)state;
	assert_int_equal(interrupted(EVENT_VALID | 2 << 8 | 2).type, EVENT_NMI);
}

static void an_interrupted_page_fault_keeps_its_error_code(void **state)
{
	struct vcpu_event e =
		interrupted(UINT64_C(0x700000000) | EVENT_VALID | EVENT_ERROR_SENT | 3 << 8 | 14);

	(void)state;
	assert_int_equal(e.type, EVENT_EXCEPTION);
	assert_int_equal(e.vector, 14);
	assert_true(e.has_error);
	assert_int_equal(e.error, 7);
}

static void int_n_and_int3_run_again_by_themselves(void **state)
{
	(void)state;
	assert_int_equal(interrupted(EVENT_VALID | 4 << 8 | 0x80).type, EVENT_NONE);
	assert_int_equal(interrupted(EVENT_VALID | 3 << 8 | 3).type, EVENT_NONE);
	assert_int_equal(interrupted(EVENT_VALID | 3 << 8 | 4).type, EVENT_NONE);
}

static void without_an_interrupted_event_nothing_is_due(void **state)
{
	(void)state;
	assert_int_equal(interrupted(0x50).type, EVENT_NONE);
	assert_int_equal(v.reinjected, 0);
}

/* --- a virtual interrupt: what is left of it was not taken --- */

static void an_interrupt_that_was_not_taken_is_due_again(void **state)
{
	(void)state;
	vmcb.int_ctl = V_IRQ | FIELD_PREP(V_INTR_VECTOR, 0x24);
	vmcb.exit_int_info = EVENT_VALID | 3 << 8 | 0x24; /* as TCG has it: an exception */
	exit_of(SVM_EXIT_NPF);
	assert_int_equal(v.event.type, EVENT_IRQ);
	assert_int_equal(v.event.vector, 0x24);
	assert_int_equal(v.reinjected, 1);
	assert_false(vmcb.int_ctl & V_IRQ);
}

static void an_open_window_is_no_interrupt(void **state)
{
	(void)state;
	vmcb.int_ctl = V_IRQ;
	vmcb.intercept[0] = INTERCEPT_VINTR;
	exit_of(SVM_EXIT_INTR);
	assert_int_equal(v.event.type, EVENT_NONE);
	assert_true(vmcb.int_ctl & V_IRQ);
}

/* --- the way out of an NMI handler: IRET, then one step --- */

static void an_nmi_is_blocked_until_one_step_behind_iret(void **state)
{
	(void)state;
	v.nmi_blocked = true;
	vmcb.intercept[0] = INTERCEPT_IRET;
	assert_int_equal(exit_of(SVM_EXIT_IRET), EXIT_NMI_WINDOW);
	assert_true(v.nmi_blocked);
	assert_true(v.rflags & RFLAGS_TF);
	assert_false(vmcb.intercept[0] & INTERCEPT_IRET);
	vmcb.dr6 = BIT(0); /* a breakpoint of the guest's own: not the step */
	assert_int_equal(exit_of(SVM_EXIT_DB), EXIT_EXCEPTION);
	assert_true(v.nmi_blocked);
	vmcb.dr6 = DR6_BS;
	assert_int_equal(exit_of(SVM_EXIT_DB), EXIT_NMI_WINDOW);
	assert_false(v.nmi_blocked);
	assert_int_equal(vmcb.dr6, 0);
	vmcb.dr6 = DR6_BS; /* the guest's own step */
	assert_int_equal(exit_of(SVM_EXIT_DB), EXIT_EXCEPTION);
}

static void faults_that_could_loop_in_the_cpu_exit_and_are_the_guests(void **state)
{
	(void)state;
	assert_int_equal(exit_of(SVM_EXIT_DB), EXIT_EXCEPTION);
	assert_int_equal(v.exit.exception.vector, 1);
	assert_false(v.exit.exception.has_error);
	assert_int_equal(exit_of(SVM_EXIT_AC), EXIT_EXCEPTION);
	assert_int_equal(v.exit.exception.vector, 17);
	assert_true(v.exit.exception.has_error);
	assert_int_equal(exit_of(SVM_EXIT_MC), EXIT_EXCEPTION);
	assert_int_equal(v.exit.exception.vector, EXCEPTION_MC);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(each_code_has_its_reason),
		T(the_hardware_knows_the_next_rip_better_where_it_tells),
		T(a_port_comes_with_size_direction_and_next_rip),
		T(an_msr_is_named_by_ecx_alone),
		T(a_nested_fault_has_address_and_direction),
		T(cr8_names_the_register_that_is_written),
		T(cr8_needs_no_decoder_where_the_cpu_names_the_register),
		T(without_either_assist_or_next_rip_the_instruction_is_read),
		T(the_bytes_of_a_fault_come_with_it),
		T(an_interrupted_interrupt_is_due_again),
		T(an_interrupted_nmi_is_due_again),
		T(an_interrupted_page_fault_keeps_its_error_code),
		T(int_n_and_int3_run_again_by_themselves),
		T(without_an_interrupted_event_nothing_is_due),
		T(an_interrupt_that_was_not_taken_is_due_again),
		T(an_open_window_is_no_interrupt),
		T(an_nmi_is_blocked_until_one_step_behind_iret),
		T(faults_that_could_loop_in_the_cpu_exit_and_are_the_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
