/* SPDX-License-Identifier: MIT */
/*
 * vmx_decode.c - what the hardware says about an exit, in the neutral words of exit.h
 * [SDM 3C 27.2, appendix C]
 *
 * vmx_decode() is called by vmx_run() on the vCPU's core, once an exit, its VMCS current. It
 * changes the guest only where VT-x leaves half of an instruction to be done: NMI unblocking by
 * IRET, DR6, and control registers that are shadowed.
 */
#include "vmx.h"

#include "kernel/x86.h"
#include "vlapic.h"

static void next_rip(struct vcpu *v)
{
	v->exit.next_rip = v->rip + vmread(VMCS_VM_EXIT_INSTRUCTION_LENGTH);
}

static enum vcpu_exit_reason decode_short(struct vcpu *v, enum vcpu_exit_reason r)
{
	next_rip(v);
	return r;
}

static enum vcpu_exit_reason decode_hw(struct vcpu *v, enum vcpu_exit_reason r)
{
	v->exit.hw.hw_reason = vmread(VMCS_EXIT_REASON);
	v->exit.hw.info[0] = vmread(VMCS_EXIT_QUALIFICATION);
	v->exit.hw.info[1] = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	return r;
}

/* An address size is encoded as its width: 0 for 16 bits, 1 for 32, 2 for 64. */
static enum vcpu_exit_reason decode_io(struct vcpu *v, uint64_t q)
{
	uint64_t info = vmread(VMCS_VM_EXIT_INSTRUCTION_INFO);

	v->exit.io.port = FIELD_GET(IO_PORT, q);
	v->exit.io.size = FIELD_GET(IO_SIZE, q) + 1;
	v->exit.io.addr_size = 2 << FIELD_GET(IO_INFO_ADDRESS_SIZE, info);
	v->exit.io.in = q & IO_IN;
	v->exit.io.string = q & IO_STRING;
	v->exit.io.rep = q & IO_REP;
	next_rip(v);
	return EXIT_IO;
}

static enum vcpu_exit_reason decode_msr(struct vcpu *v, enum vcpu_exit_reason r)
{
	v->exit.msr.index = v->gpr[GPR_RCX];
	next_rip(v);
	return r;
}

/*
 * unblocked_by_iret() - the exit hit IRET of the NMI handler, which runs again: NMIs are
 * blocked until then. [27.2.3]
 */
static void unblocked_by_iret(struct vcpu *v, bool said)
{
	if (said && !(vmread(VMCS_IDT_VECTORING_INFO) & INTR_VALID))
		v->nmi_blocked = true;
}

static enum vcpu_exit_reason decode_mmio(struct vcpu *v, uint64_t q)
{
	unblocked_by_iret(v, q & EPT_UNBLOCKED_NMI);
	v->exit.mmio.gpa = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	v->exit.mmio.write = q & EPT_WRITE;
	v->exit.mmio.fetch = q & EPT_FETCH;
	v->exit.next_rip = 0;
	return EXIT_MMIO;
}

/*
 * An access to the page behind which the CPU's own local APIC for guests stands, of a
 * register that it leaves to us.
 */
static enum vcpu_exit_reason decode_apic_access(struct vcpu *v, uint64_t q)
{
	unsigned type = FIELD_GET(APIC_ACCESS_TYPE, q);

	v->exit.mmio.gpa = VLAPIC_BASE + FIELD_GET(APIC_ACCESS_OFFSET, q);
	v->exit.mmio.write = type == APIC_ACCESS_WRITE;
	v->exit.mmio.fetch = type == APIC_ACCESS_FETCH;
	v->exit.next_rip = 0;
	return EXIT_MMIO;
}

static enum vcpu_exit_reason decode_apic_write(struct vcpu *v, uint64_t q)
{
	uint32_t offset = FIELD_GET(APIC_ACCESS_OFFSET, q);

	v->exit.apic.offset = offset;
	v->exit.apic.value = vmx_of(v)->apic_page[offset / sizeof(uint32_t)];
	v->exit.next_rip = v->rip; /* behind it already */
	return EXIT_APIC_WRITE;
}

static enum vcpu_exit_reason decode_eoi(struct vcpu *v, uint64_t q)
{
	v->exit.apic.vector = FIELD_GET(INTR_VECTOR, q);
	v->exit.next_rip = v->rip;
	return EXIT_EOI;
}

/* --- exceptions and NMIs --- */

/*
 * An exception that is to be the guest's: it goes on by being injected. The causes
 * of #DB are not in DR6 yet.
 */
static enum vcpu_exit_reason decode_exception(struct vcpu *v, uint64_t q)
{
	uint64_t info = vmread(VMCS_VM_EXIT_INTERRUPTION_INFO);
	uint8_t vector = FIELD_GET(INTR_VECTOR, info);

	if (FIELD_GET(INTR_TYPE, info) == INTR_TYPE_NMI)
		return EXIT_NMI; /* the machine's; vmx_run() has called its handler */
	unblocked_by_iret(v, info & INTR_UNBLOCKED_NMI);
	if (vector == EXCEPTION_DB)
		vmx_note_debug(q);
	v->exit.exception.vector = vector;
	v->exit.exception.has_error = info & INTR_ERROR;
	return EXIT_EXCEPTION;
}

/* --- control registers --- */

static enum vcpu_exit_reason decode_cr8(struct vcpu *v, uint64_t q)
{
	v->exit.cr8.gpr = FIELD_GET(CR_GPR, q);
	v->exit.cr8.read = FIELD_GET(CR_ACCESS, q) == CR_MOV_FROM;
	next_rip(v);
	return EXIT_CR8;
}

/*
 * moved() - what MOV takes to a control register: outside 64-bit code there are but 32
 * bits, whatever stands above.
 */
static uint64_t moved(const struct vcpu *v, uint64_t q)
{
	uint64_t value = v->gpr[FIELD_GET(CR_GPR, q)];
	bool is_64 = vmread(VMCS_GUEST_EFER) & EFER_LMA &&
		     vmread(VMCS_GUEST_CS_ACCESS_RIGHTS) & RIGHTS_L;

	return is_64 ? value : (uint32_t)value;
}

/* new_cr0() - LMSW writes the low four bits and cannot clear PE, CLTS clears one. */
static uint64_t new_cr0(struct vcpu *v, uint64_t q)
{
	const uint64_t lmsw = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
	uint64_t cr0 = vmx_cr0();

	switch (FIELD_GET(CR_ACCESS, q)) {
	case CR_CLTS: return cr0 & ~CR0_TS;
	case CR_LMSW_OP: return (cr0 & ~(lmsw & ~CR0_PE)) | (FIELD_GET(CR_LMSW, q) & lmsw);
	default: return moved(v, q);
	}
}

/* What is refused takes #GP, as the instruction itself would. */
static enum vcpu_exit_reason decode_cr(struct vcpu *v, uint64_t q)
{
	int err;

	switch (FIELD_GET(CR_NUMBER, q)) {
	case 0: err = vmx_set_cr0(v, new_cr0(v, q)); break;
	case 4: err = vmx_set_cr4(v, moved(v, q)); break;
	case 8: return decode_cr8(v, q);
	default: return decode_hw(v, EXIT_UNKNOWN);
	}
	if (err) {
		v->exit.exception.vector = EXCEPTION_GP;
		v->exit.exception.has_error = true;
		return EXIT_EXCEPTION;
	}
	next_rip(v);
	return EXIT_CR;
}

static enum vcpu_exit_reason reason_of(struct vcpu *v, uint32_t reason)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);

	if (unlikely(reason & EXIT_REASON_ENTRY_FAILED))
		return decode_hw(v, EXIT_FAILED);
	switch (FIELD_GET(EXIT_REASON_BASIC, reason)) {
	case VMX_EXIT_EXCEPTION_NMI: return decode_exception(v, q);
	case VMX_EXIT_EXTERNAL_INTERRUPT: return EXIT_INTERRUPT;
	case VMX_EXIT_TRIPLE_FAULT: return EXIT_SHUTDOWN;
	case VMX_EXIT_INTERRUPT_WINDOW: return EXIT_IRQ_WINDOW;
	case VMX_EXIT_NMI_WINDOW: return EXIT_NMI_WINDOW;
	case VMX_EXIT_CPUID: return decode_short(v, EXIT_CPUID);
	case VMX_EXIT_HLT: return decode_short(v, EXIT_HLT);
	case VMX_EXIT_INVD:
	case VMX_EXIT_WBINVD: return decode_short(v, EXIT_WBINVD);
	case VMX_EXIT_VMCALL: return decode_short(v, EXIT_HYPERCALL);
	case VMX_EXIT_CR_ACCESS: return decode_cr(v, q);
	case VMX_EXIT_IO: return decode_io(v, q);
	case VMX_EXIT_RDMSR: return decode_msr(v, EXIT_RDMSR);
	case VMX_EXIT_WRMSR: return decode_msr(v, EXIT_WRMSR);
	case VMX_EXIT_TPR_BELOW_THRESHOLD: return EXIT_TPR;
	case VMX_EXIT_APIC_ACCESS: return decode_apic_access(v, q);
	case VMX_EXIT_VIRTUALIZED_EOI: return decode_eoi(v, q);
	case VMX_EXIT_EPT_VIOLATION: return decode_mmio(v, q);
	case VMX_EXIT_PREEMPTION_TIMER: return EXIT_SLICE;
	case VMX_EXIT_XSETBV: return decode_short(v, EXIT_XSETBV);
	case VMX_EXIT_APIC_WRITE: return decode_apic_write(v, q);
	case VMX_EXIT_GETSEC:
	case VMX_EXIT_RDPMC:
	case VMX_EXIT_VMCLEAR ... VMX_EXIT_VMXON:
	case VMX_EXIT_MWAIT:
	case VMX_EXIT_MONITOR:
	case VMX_EXIT_INVEPT:
	case VMX_EXIT_INVVPID:
	case VMX_EXIT_VMFUNC: return EXIT_UNDEFINED;
	default: return decode_hw(v, EXIT_UNKNOWN);
	}
}

/*
 * The exit came while an event was being delivered: it is due again. Not so INT n, INT3 and INTO:
 * rip is still at the instruction, which runs once more. [27.2.4]
 */
static void take_interrupted(struct vcpu *v, uint64_t info)
{
	unsigned type = FIELD_GET(INTR_TYPE, info);

	if (type >= INTR_TYPE_SOFTWARE_INTERRUPT)
		return;
	v->event = (struct vcpu_event){
		.type = type == INTR_TYPE_NMI                  ? EVENT_NMI
			: type == INTR_TYPE_HARDWARE_EXCEPTION ? EVENT_EXCEPTION
							       : EVENT_IRQ,
		.vector = FIELD_GET(INTR_VECTOR, info),
		.has_error = info & INTR_ERROR,
		.error = info & INTR_ERROR ? vmread(VMCS_IDT_VECTORING_ERROR) : 0,
		.cr2 = read_cr2(),
	};
	v->reinjected++;
}

void vmx_decode(struct vcpu *v)
{
	uint32_t reason = vmread(VMCS_EXIT_REASON);
	uint64_t interrupted = vmread(VMCS_IDT_VECTORING_INFO);

	if (unlikely(interrupted & INTR_VALID) && !(reason & EXIT_REASON_ENTRY_FAILED))
		take_interrupted(v, interrupted);
	v->exit.reason = reason_of(v, reason);
}

void vmx_decode_failed(struct vcpu *v)
{
	v->exit.hw.hw_reason = 0;
	v->exit.hw.info[0] = vmread(VMCS_VM_INSTRUCTION_ERROR);
	v->exit.hw.info[1] = 0;
	v->exit.reason = EXIT_FAILED;
}
