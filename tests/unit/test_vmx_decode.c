/* SPDX-License-Identifier: MIT */
/* links: vmm/vmx_decode.c vmm/vmx_cr.c tests/unit/fake_vmx.c */
/*
 * test_vmx_decode.c - hardware's exits in neutral words, and what becomes of a
 * control register that exits
 *
 * The VMCS is filled in as the manual says that the hardware fills it in [SDM 3C 27.2].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/x86.h"
#include "tests/unit/fake_vmx.h"
#include "vmm/gpa.h"
#include "vmm/vlapic_regs.h"
#include "vmm/vm.h"

enum { RIP = 0x1000, LENGTH = 3, RAM = 1 << 16 };

static uint8_t ram[RAM];
static uint32_t apic_page[PAGE_SIZE / sizeof(uint32_t)];
static struct vmx_vcpu hw = { .apic_page = apic_page };
static struct vm vm;
static struct vcpu v;

/* --- stand-ins --- */

static unsigned flushes;
static uint64_t debug_causes;

void vmx_flush(const struct vcpu *u)
{
	(void)u;
	flushes++;
}

void vmx_note_debug(uint64_t causes)
{
	debug_causes = causes;
}

static int start(void **state)
{
	(void)state;
	fake_vmx_guest_64();
	fake_vmcs[VMCS_VM_EXIT_INSTRUCTION_LENGTH] = LENGTH;
	memset(ram, 0, sizeof(ram));
	gpa_map_init(&vm.mem, ram, sizeof(ram));
	v = (struct vcpu){ .hw = &hw, .vm = &vm, .rip = RIP };
	memset(&v.exit, 1, sizeof(v.exit)); /* of the exit before */
	vmx_cr_init();
	vmx_cr_reset(CR0_PG | CR0_PE | CR0_NE, CR4_PAE);
	flushes = 0;
	debug_causes = 0;
	fake_cr2 = 0;
	return 0;
}

static enum vcpu_exit_reason exit_with(uint64_t reason, uint64_t qualification)
{
	fake_vmcs[VMCS_EXIT_REASON] = reason;
	fake_vmcs[VMCS_EXIT_QUALIFICATION] = qualification;
	vmx_decode(&v);
	return v.exit.reason;
}

/* --- reasons --- */

static void each_reason_has_its_name(void **state)
{
	static const struct {
		uint32_t hw;
		enum vcpu_exit_reason reason;
		bool done; /* the instruction: next_rip is behind it */
	} row[] = {
		{ VMX_EXIT_EXTERNAL_INTERRUPT, EXIT_INTERRUPT, false },
		{ VMX_EXIT_TRIPLE_FAULT, EXIT_SHUTDOWN, false },
		{ VMX_EXIT_INTERRUPT_WINDOW, EXIT_IRQ_WINDOW, false },
		{ VMX_EXIT_NMI_WINDOW, EXIT_NMI_WINDOW, false },
		{ VMX_EXIT_CPUID, EXIT_CPUID, true },
		{ VMX_EXIT_GETSEC, EXIT_UNDEFINED, false },
		{ VMX_EXIT_HLT, EXIT_HLT, true },
		{ VMX_EXIT_INVD, EXIT_WBINVD, true },
		{ VMX_EXIT_RDPMC, EXIT_UNDEFINED, false },
		{ VMX_EXIT_VMCALL, EXIT_HYPERCALL, true },
		{ VMX_EXIT_VMCLEAR, EXIT_UNDEFINED, false },
		{ VMX_EXIT_VMCLEAR + 1, EXIT_UNDEFINED, false },
		{ VMX_EXIT_VMXON, EXIT_UNDEFINED, false },
		{ VMX_EXIT_MWAIT, EXIT_UNDEFINED, false },
		{ VMX_EXIT_MONITOR, EXIT_UNDEFINED, false },
		{ VMX_EXIT_TPR_BELOW_THRESHOLD, EXIT_TPR, false },
		{ VMX_EXIT_INVEPT, EXIT_UNDEFINED, false },
		{ VMX_EXIT_INVVPID, EXIT_UNDEFINED, false },
		{ VMX_EXIT_PREEMPTION_TIMER, EXIT_SLICE, false },
		{ VMX_EXIT_WBINVD, EXIT_WBINVD, true },
		{ VMX_EXIT_XSETBV, EXIT_XSETBV, true },
		{ VMX_EXIT_VMFUNC, EXIT_UNDEFINED, false },
		{ VMX_EXIT_INIT, EXIT_UNKNOWN, false },
		{ VMX_EXIT_TASK_SWITCH, EXIT_UNKNOWN, false },
		{ VMX_EXIT_EPT_MISCONFIGURATION, EXIT_UNKNOWN, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		assert_int_equal(exit_with(row[i].hw, 0), row[i].reason);
		if (row[i].done)
			assert_int_equal(v.exit.next_rip, RIP + LENGTH);
		assert_int_equal(v.rip, RIP);
		assert_int_equal(v.event.type, EVENT_NONE);
	}
}

/* Also those that this manual does not have: the report wants what the hardware said. */
static void a_reason_that_nobody_knows_is_reported_as_it_is(void **state)
{
	(void)state;
	for (unsigned hw = VMX_EXIT_VMFUNC + 1; hw < 128; hw++) {
		start(NULL);
		fake_vmcs[VMCS_GUEST_PHYSICAL_ADDRESS] = 0x5000;
		assert_int_equal(exit_with(hw, 0x77), EXIT_UNKNOWN);
		assert_int_equal(v.exit.hw.hw_reason, hw);
		assert_int_equal(v.exit.hw.info[0], 0x77);
		assert_int_equal(v.exit.hw.info[1], 0x5000);
	}
}

static void the_length_is_the_hardwares(void **state)
{
	(void)state;
	fake_vmcs[VMCS_VM_EXIT_INSTRUCTION_LENGTH] = 5; /* CPUID with prefixes */
	exit_with(VMX_EXIT_CPUID, 0);
	assert_int_equal(v.exit.next_rip, RIP + 5);
}

static void a_port_comes_with_size_and_direction(void **state)
{
	(void)state;
	assert_int_equal(exit_with(VMX_EXIT_IO, 0x03f80000 | BIT(3)), EXIT_IO); /* IN AL, 3f8 */
	assert_int_equal(v.exit.io.port, 0x3f8);
	assert_int_equal(v.exit.io.size, 1);
	assert_true(v.exit.io.in);
	assert_false(v.exit.io.string || v.exit.io.rep);
	assert_int_equal(v.exit.next_rip, RIP + LENGTH);
	exit_with(VMX_EXIT_IO, 0xffff0000 | 1); /* OUT FFFFH, AX */
	assert_int_equal(v.exit.io.port, 0xffff);
	assert_int_equal(v.exit.io.size, 2);
	assert_false(v.exit.io.in);
}

static void a_string_comes_with_its_address_size(void **state)
{
	static const uint8_t sizes[] = { 2, 4, 8 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		fake_vmcs[VMCS_VM_EXIT_INSTRUCTION_INFO] = i << 7;
		exit_with(VMX_EXIT_IO, 0x0cfc0000 | BIT(5) | BIT(4) | 3); /* REP OUTSD */
		assert_int_equal(v.exit.io.size, 4);
		assert_int_equal(v.exit.io.addr_size, sizes[i]);
		assert_true(!v.exit.io.in && v.exit.io.string && v.exit.io.rep);
	}
}

static void an_msr_is_named_by_ecx_alone(void **state)
{
	(void)state;
	v.gpr[GPR_RCX] = UINT64_C(0xdeadbeefc0000080);
	assert_int_equal(exit_with(VMX_EXIT_RDMSR, 0), EXIT_RDMSR);
	assert_int_equal(v.exit.msr.index, 0xc0000080);
	assert_int_equal(exit_with(VMX_EXIT_WRMSR, 0), EXIT_WRMSR);
	assert_int_equal(v.exit.msr.index, 0xc0000080);
	assert_int_equal(v.exit.next_rip, RIP + LENGTH);
}

/* --- memory --- */

static void an_ept_violation_has_address_and_direction(void **state)
{
	static const struct {
		uint64_t q;
		bool write, fetch;
	} row[] = {
		{ EPT_READ, false, false },
		{ EPT_WRITE, true, false },
		{ EPT_READ | EPT_WRITE, true, false }, /* of a locked instruction */
		{ EPT_FETCH, false, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		fake_vmcs[VMCS_GUEST_PHYSICAL_ADDRESS] = 0xfec00010;
		/* bits 3 to 8: what the tables allow, and that the linear address is valid */
		assert_int_equal(exit_with(VMX_EXIT_EPT_VIOLATION, row[i].q | BIT(7) | BIT(8)),
				 EXIT_MMIO);
		assert_int_equal(v.exit.mmio.gpa, 0xfec00010);
		assert_int_equal(v.exit.mmio.write, row[i].write);
		assert_int_equal(v.exit.mmio.fetch, row[i].fetch);
		assert_int_equal(v.exit.next_rip, 0);
	}
}

static void an_apic_access_is_one_to_its_page(void **state)
{
	(void)state;
	assert_int_equal(exit_with(VMX_EXIT_APIC_ACCESS, APIC_ICR | 1 << 12), EXIT_MMIO);
	assert_int_equal(v.exit.mmio.gpa, VLAPIC_BASE + APIC_ICR);
	assert_true(v.exit.mmio.write && !v.exit.mmio.fetch);
	assert_int_equal(v.exit.next_rip, 0);
	exit_with(VMX_EXIT_APIC_ACCESS, APIC_ID | 0 << 12);
	assert_int_equal(v.exit.mmio.gpa, VLAPIC_BASE + APIC_ID);
	assert_true(!v.exit.mmio.write && !v.exit.mmio.fetch);
	exit_with(VMX_EXIT_APIC_ACCESS, 2 << 12);
	assert_true(!v.exit.mmio.write && v.exit.mmio.fetch);
}

static void an_apic_write_has_happened(void **state)
{
	(void)state;
	apic_page[APIC_ICR / 4] = 0x000c4500;
	assert_int_equal(exit_with(VMX_EXIT_APIC_WRITE, APIC_ICR), EXIT_APIC_WRITE);
	assert_int_equal(v.exit.apic.offset, APIC_ICR);
	assert_int_equal(v.exit.apic.value, 0x000c4500);
	assert_int_equal(v.exit.next_rip, RIP);
}

static void an_end_of_interrupt_has_its_vector(void **state)
{
	(void)state;
	assert_int_equal(exit_with(VMX_EXIT_VIRTUALIZED_EOI, 0x31), EXIT_EOI);
	assert_int_equal(v.exit.apic.vector, 0x31);
	assert_int_equal(v.exit.next_rip, RIP);
}

/* --- exceptions and NMIs --- */

static enum vcpu_exit_reason exception(unsigned type, unsigned vector, uint64_t more, uint64_t q)
{
	fake_vmcs[VMCS_VM_EXIT_INTERRUPTION_INFO] = INTR_VALID | type << 8 | vector | more;
	return exit_with(VMX_EXIT_EXCEPTION_NMI, q);
}

static void exceptions_and_nmis_share_a_reason(void **state)
{
	(void)state;
	assert_int_equal(exception(INTR_TYPE_NMI, 2, 0, 0), EXIT_NMI);
	assert_int_equal(exception(INTR_TYPE_HARDWARE_EXCEPTION, 17, INTR_ERROR, 0),
			 EXIT_EXCEPTION);
	assert_int_equal(v.exit.exception.vector, 17);
	assert_true(v.exit.exception.has_error);
	assert_int_equal(exception(INTR_TYPE_HARDWARE_EXCEPTION, EXCEPTION_MC, 0, 0),
			 EXIT_EXCEPTION);
	assert_int_equal(v.exit.exception.vector, EXCEPTION_MC);
	assert_false(v.exit.exception.has_error);
	assert_false(v.nmi_blocked);
	assert_int_equal(debug_causes, 0);
}

static void the_causes_of_a_debug_exception_are_kept(void **state)
{
	(void)state;
	exception(INTR_TYPE_HARDWARE_EXCEPTION, EXCEPTION_DB, 0, BIT(14));
	assert_int_equal(v.exit.exception.vector, EXCEPTION_DB);
	assert_int_equal(debug_causes, BIT(14));
}

/* IRET unblocks NMIs even if it faults; if Weir has it run again it must find them blocked. */
static void an_iret_that_runs_again_still_blocks_nmis(void **state)
{
	(void)state;
	exit_with(VMX_EXIT_EPT_VIOLATION, EPT_READ);
	assert_false(v.nmi_blocked);
	exit_with(VMX_EXIT_EPT_VIOLATION, EPT_READ | EPT_UNBLOCKED_NMI);
	assert_true(v.nmi_blocked);
	start(NULL);
	exception(INTR_TYPE_HARDWARE_EXCEPTION, EXCEPTION_DB, INTR_UNBLOCKED_NMI, 0);
	assert_true(v.nmi_blocked);
	start(NULL); /* not so while an event is delivered: the bit means nothing then */
	fake_vmcs[VMCS_IDT_VECTORING_INFO] = INTR_VALID | 0x30;
	exit_with(VMX_EXIT_EPT_VIOLATION, EPT_READ | EPT_UNBLOCKED_NMI);
	assert_false(v.nmi_blocked);
}

/* --- control registers --- */

static enum vcpu_exit_reason cr(unsigned number, unsigned access, uint64_t more)
{
	return exit_with(VMX_EXIT_CR_ACCESS, number | access << 4 | more);
}

static enum vcpu_exit_reason mov_to_cr(unsigned number, uint64_t value)
{
	v.gpr[GPR_R9] = value;
	return cr(number, CR_MOV_TO, GPR_R9 << 8);
}

static void a_guest_reads_back_what_it_wrote(void **state)
{
	const uint64_t value = CR0_PG | CR0_CD | CR0_NW | CR0_WP | CR0_ET | CR0_PE;

	(void)state;
	assert_int_equal(mov_to_cr(0, value), EXIT_CR);
	assert_int_equal(v.exit.next_rip, RIP + LENGTH);
	assert_int_equal(vmx_cr0(), value);
	/* behind the shadow: NE as VMX wants it, caches as Weir does */
	assert_int_equal(fake_vmcs[VMCS_GUEST_CR0], CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE);
	assert_int_equal(flushes, 1);
	assert_int_equal(mov_to_cr(4, CR4_PAE | CR4_OSFXSR), EXIT_CR);
	assert_int_equal(vmx_cr4(), CR4_PAE | CR4_OSFXSR);
	assert_int_equal(fake_vmcs[VMCS_GUEST_CR4], CR4_PAE | CR4_OSFXSR | CR4_VMXE);
	assert_int_equal(flushes, 2);
}

static void what_no_cpu_takes_is_a_fault(void **state)
{
	static const struct {
		unsigned number;
		uint64_t value;
	} row[] = {
		{ 0, BIT(32) | CR0_PG | CR0_PE }, /* reserved */
		{ 0, CR0_PG },                    /* paging without protection */
		{ 0, CR0_PG | CR0_PE | CR0_NW },  /* not write-through, but cached */
		{ 0, CR0_PE },                    /* out of 64-bit code */
		{ 4, CR4_PAE | CR4_VMXE },        /* no VMX for guests */
		{ 4, CR4_PAE | BIT(24) },         /* this CPU has no such bit */
		{ 4, CR4_PAE | BIT(17) },         /* it has PCIDE, but CPUID tells no guest of it */
		{ 4, 0 },                         /* long mode without PAE */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		assert_int_equal(mov_to_cr(row[i].number, row[i].value), EXIT_EXCEPTION);
		assert_int_equal(v.exit.exception.vector, EXCEPTION_GP);
		assert_true(v.exit.exception.has_error);
		assert_int_equal(vmx_cr0(), CR0_PG | CR0_PE | CR0_NE);
		assert_int_equal(vmx_cr4(), CR4_PAE);
		assert_int_equal(flushes, 0);
	}
}

static void only_what_differs_from_the_shadow_exits(void **state)
{
	(void)state;
	assert_int_equal(fake_vmcs[VMCS_CR0_MASK],
			 ~UINT64_C(0xffffffff) | CR0_NE | CR0_NW | CR0_CD);
	/* of what this CPU has not SMXE and PCIDE either */
	assert_int_equal(fake_vmcs[VMCS_CR4_MASK],
			 ~UINT64_C(0x3767ff) | CR4_VMXE | BIT(14) | BIT(17));
	assert_int_equal(fake_vmcs[VMCS_CR4_SHADOW], CR4_PAE);
}

static void outside_64_bit_code_the_upper_half_of_a_register_is_nobodys(void **state)
{
	const uint64_t garbage = UINT64_C(0xdead) << 32;

	(void)state;
	fake_vmx_guest_32();
	vmx_cr_reset(CR0_PE | CR0_NE, 0);
	assert_int_equal(mov_to_cr(0, garbage | CR0_PE | CR0_CD), EXIT_CR);
	assert_int_equal(vmx_cr0(), CR0_PE | CR0_CD | CR0_ET);
	assert_int_equal(mov_to_cr(4, garbage | CR4_PSE), EXIT_CR);
	assert_int_equal(vmx_cr4(), CR4_PSE);
}

/* An unrestricted guest need not be protected nor page, whatever VMX fixes for others. */
static void what_any_cpu_takes_is_done(void **state)
{
	static const struct {
		uint64_t efer, cr0, cr4; /* as they are */
		unsigned number;
		uint64_t value;
	} row[] = {
		{ 0, CR0_ET, 0, 0, CR0_ET | CR0_CD | CR0_NW }, /* real mode stays real mode */
		{ 0, CR0_PE, 0, 0, CR0_ET },                   /* and is gone back to */
		{ 0, CR0_PE, 0, 0, CR0_ET | CR0_PG | CR0_PE }, /* paging without PAE */
		{ EFER_LME, 0, 0, 0, CR0_ET | CR0_PE },        /* not yet long mode */
		{ 0, CR0_PG | CR0_PE, 0, 4, CR4_PSE },         /* nothing to load */
		{ 0, CR0_PE, 0, 4, CR4_PAE },                  /* nor as long as it does not page */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		fake_vmx_guest_32();
		fake_vmcs[VMCS_GUEST_EFER] = row[i].efer;
		fake_vmcs[VMCS_GUEST_CR3] = RAM; /* no memory: whoever looks is refused */
		vmx_cr_reset(row[i].cr0, row[i].cr4);
		assert_int_equal(mov_to_cr(row[i].number, row[i].value), EXIT_CR);
		assert_int_equal(row[i].number ? vmx_cr4() : vmx_cr0(), row[i].value);
	}
}

static void long_mode_comes_and_goes_with_paging(void **state)
{
	(void)state;
	fake_vmx_guest_32();
	vmx_cr_reset(CR0_PE | CR0_NE, CR4_PAE);
	fake_vmcs[VMCS_GUEST_EFER] = EFER_LME;
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_CR);
	assert_int_equal(fake_vmcs[VMCS_GUEST_EFER], EFER_LME | EFER_LMA);
	assert_true(fake_vmcs[VMCS_VM_ENTRY_CONTROLS] & ENTRY_CTL_GUEST_64);
	assert_int_equal(mov_to_cr(0, CR0_PE), EXIT_CR);
	assert_int_equal(fake_vmcs[VMCS_GUEST_EFER], EFER_LME);
	assert_false(fake_vmcs[VMCS_VM_ENTRY_CONTROLS] & ENTRY_CTL_GUEST_64);
	/* without PAE there is no long mode */
	vmx_cr_reset(CR0_PE | CR0_NE, 0);
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_EXCEPTION);
	assert_int_equal(fake_vmcs[VMCS_GUEST_EFER], EFER_LME);
}

static void pae_paging_loads_its_top_level(void **state)
{
	static const uint64_t pdpte[] = { 0x1001, 0x2001, 0, 0x4001 };

	(void)state;
	fake_vmx_guest_32();
	vmx_cr_reset(CR0_PE | CR0_NE, CR4_PAE);
	memcpy(ram + 0x3020, pdpte, sizeof(pdpte));
	fake_vmcs[VMCS_GUEST_CR3] = 0x3020 | BIT(3); /* PWT is no part of the address */
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_CR);
	for (unsigned i = 0; i < ARRAY_SIZE(pdpte); i++)
		assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE0 + 2 * i], pdpte[i]);
	/* one with a reserved bit, which the next entry would refuse */
	vmx_cr_reset(CR0_PE | CR0_NE, CR4_PAE);
	ram[0x3020] |= BIT(1);
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_EXCEPTION);
	assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE0], pdpte[0]);
	ram[0x3020] = 0x02; /* not present: nobody looks */
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_CR);
	memcpy(ram + 0x3020, pdpte, sizeof(pdpte));
	/* a top level where there is no memory */
	vmx_cr_reset(CR0_PE | CR0_NE, CR4_PAE);
	fake_vmcs[VMCS_GUEST_CR3] = RAM;
	assert_int_equal(mov_to_cr(0, CR0_PG | CR0_PE), EXIT_EXCEPTION);
	assert_false(vmx_cr0() & CR0_PG);
	/* and when it is CR4 that makes it PAE */
	vmx_cr_reset(CR0_PG | CR0_PE | CR0_NE, 0);
	assert_int_equal(mov_to_cr(4, CR4_PAE), EXIT_EXCEPTION);
	fake_vmcs[VMCS_GUEST_CR3] = 0x3020;
	fake_vmcs[VMCS_GUEST_PDPTE0] = 0;
	assert_int_equal(mov_to_cr(4, CR4_PAE), EXIT_CR);
	assert_int_equal(fake_vmcs[VMCS_GUEST_PDPTE0], pdpte[0]);
}

static void lmsw_writes_four_bits_and_clears_three(void **state)
{
	(void)state;
	assert_int_equal(cr(0, CR_LMSW_OP, UINT64_C(0xfffe) << 16), EXIT_CR);
	assert_int_equal(vmx_cr0(), CR0_PG | CR0_PE | CR0_NE | CR0_ET | CR0_MP | CR0_EM | CR0_TS);
	assert_int_equal(cr(0, CR_LMSW_OP, 0), EXIT_CR);
	assert_int_equal(vmx_cr0(), CR0_PG | CR0_PE | CR0_NE | CR0_ET);
}

static void clts_clears_one(void **state)
{
	(void)state;
	vmx_cr_reset(CR0_PG | CR0_PE | CR0_ET | CR0_TS | CR0_MP, CR4_PAE);
	assert_int_equal(cr(0, CR_CLTS, 0), EXIT_CR);
	assert_int_equal(vmx_cr0(), CR0_PG | CR0_PE | CR0_ET | CR0_MP);
}

static void cr8_names_register_and_direction(void **state)
{
	(void)state;
	assert_int_equal(cr(8, CR_MOV_TO, GPR_R15 << 8), EXIT_CR8);
	assert_int_equal(v.exit.cr8.gpr, GPR_R15);
	assert_false(v.exit.cr8.read);
	assert_int_equal(v.exit.next_rip, RIP + LENGTH);
	assert_int_equal(cr(8, CR_MOV_FROM, GPR_RBX << 8), EXIT_CR8);
	assert_int_equal(v.exit.cr8.gpr, GPR_RBX);
	assert_true(v.exit.cr8.read);
	assert_int_equal(cr(3, CR_MOV_TO, 0), EXIT_UNKNOWN); /* never asked for */
}

/* --- what the exit interrupted is due again --- */

static struct vcpu_event interrupted(unsigned type, unsigned vector, uint64_t more)
{
	start(NULL);
	fake_cr2 = 0xdead000;
	fake_vmcs[VMCS_IDT_VECTORING_INFO] = INTR_VALID | type << 8 | vector | more;
	fake_vmcs[VMCS_IDT_VECTORING_ERROR] = 7;
	exit_with(VMX_EXIT_EPT_VIOLATION, EPT_WRITE);
	return v.event;
}

static void an_interrupted_interrupt_is_due_again(void **state)
{
	struct vcpu_event e = interrupted(INTR_TYPE_EXTERNAL, 0x50, 0);

	(void)state;
	assert_int_equal(e.type, EVENT_IRQ);
	assert_int_equal(e.vector, 0x50);
	assert_false(e.has_error);
	assert_int_equal(v.reinjected, 1);
	assert_int_equal(v.exit.reason, EXIT_MMIO);
}

static void an_interrupted_nmi_is_due_again(void **state)
{
	(void)state;
	assert_int_equal(interrupted(INTR_TYPE_NMI, 2, 0).type, EVENT_NMI);
	assert_int_equal(v.reinjected, 1);
}

static void an_interrupted_page_fault_keeps_error_code_and_address(void **state)
{
	struct vcpu_event e = interrupted(INTR_TYPE_HARDWARE_EXCEPTION, 14, INTR_ERROR);

	(void)state;
	assert_int_equal(e.type, EVENT_EXCEPTION);
	assert_int_equal(e.vector, 14);
	assert_true(e.has_error);
	assert_int_equal(e.error, 7);
	assert_int_equal(e.cr2, 0xdead000);
}

static void an_error_code_that_is_not_there_is_not_read(void **state)
{
	struct vcpu_event e = interrupted(INTR_TYPE_HARDWARE_EXCEPTION, 6, 0);

	(void)state;
	assert_false(e.has_error);
	assert_int_equal(e.error, 0);
}

static void software_interrupts_run_again_by_themselves(void **state)
{
	(void)state;
	assert_int_equal(interrupted(INTR_TYPE_SOFTWARE_INTERRUPT, 0x80, 0).type, EVENT_NONE);
	assert_int_equal(interrupted(INTR_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION, 1, 0).type,
			 EVENT_NONE);
	assert_int_equal(interrupted(INTR_TYPE_SOFTWARE_EXCEPTION, 3, 0).type, EVENT_NONE);
	assert_int_equal(v.reinjected, 0);
	assert_int_equal(v.rip, RIP);
}

static void without_an_interrupted_event_nothing_is_due(void **state)
{
	(void)state;
	fake_vmcs[VMCS_IDT_VECTORING_INFO] = 0x50; /* of an exit before: not valid */
	exit_with(VMX_EXIT_EPT_VIOLATION, EPT_READ);
	assert_int_equal(v.event.type, EVENT_NONE);
	assert_int_equal(v.reinjected, 0);
}

/* --- refused entries --- */

/* The fields of an exit are then as the exit before left them [SDM 3C 26.8]. */
static void a_refused_entry_interrupted_nothing(void **state)
{
	(void)state;
	fake_vmcs[VMCS_IDT_VECTORING_INFO] = INTR_VALID | 0x50;
	assert_int_equal(exit_with(EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_GUEST_STATE, 4),
			 EXIT_FAILED);
	assert_int_equal(v.exit.hw.hw_reason,
			 EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_GUEST_STATE);
	assert_int_equal(v.event.type, EVENT_NONE);
	assert_int_equal(v.reinjected, 0);
}

static void an_instruction_that_refused_has_its_own_number(void **state)
{
	(void)state;
	fake_vmcs[VMCS_VM_INSTRUCTION_ERROR] = 7;
	fake_vmcs[VMCS_EXIT_REASON] = VMX_EXIT_HLT; /* of the exit before */
	vmx_decode_failed(&v);
	assert_int_equal(v.exit.reason, EXIT_FAILED);
	assert_int_equal(v.exit.hw.hw_reason, 0);
	assert_int_equal(v.exit.hw.info[0], 7);
	assert_int_equal(v.exit.hw.info[1], 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(each_reason_has_its_name),
		T(a_reason_that_nobody_knows_is_reported_as_it_is),
		T(the_length_is_the_hardwares),
		T(a_port_comes_with_size_and_direction),
		T(a_string_comes_with_its_address_size),
		T(an_msr_is_named_by_ecx_alone),
		T(an_ept_violation_has_address_and_direction),
		T(an_apic_access_is_one_to_its_page),
		T(an_apic_write_has_happened),
		T(an_end_of_interrupt_has_its_vector),
		T(exceptions_and_nmis_share_a_reason),
		T(the_causes_of_a_debug_exception_are_kept),
		T(an_iret_that_runs_again_still_blocks_nmis),
		T(a_guest_reads_back_what_it_wrote),
		T(what_no_cpu_takes_is_a_fault),
		T(only_what_differs_from_the_shadow_exits),
		T(outside_64_bit_code_the_upper_half_of_a_register_is_nobodys),
		T(what_any_cpu_takes_is_done),
		T(long_mode_comes_and_goes_with_paging),
		T(pae_paging_loads_its_top_level),
		T(lmsw_writes_four_bits_and_clears_three),
		T(clts_clears_one),
		T(cr8_names_register_and_direction),
		T(an_interrupted_interrupt_is_due_again),
		T(an_interrupted_nmi_is_due_again),
		T(an_interrupted_page_fault_keeps_error_code_and_address),
		T(an_error_code_that_is_not_there_is_not_read),
		T(software_interrupts_run_again_by_themselves),
		T(without_an_interrupted_event_nothing_is_due),
		T(a_refused_entry_interrupted_nothing),
		T(an_instruction_that_refused_has_its_own_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
