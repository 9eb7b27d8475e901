/* SPDX-License-Identifier: MIT */
/*
 * svm_decode.c - what the hardware says about an exit, in the neutral words of exit.h [APM2 C]
 *
 * svm_decode() is called by svm_run() on the vCPU's core, once an exit. It changes the guest only
 * where SVM needs two exits for one event: the return from an NMI handler.
 */
#include "svm.h"

#include "kernel/x86.h"
#include "cpu_regs.h"
#include "decode.h"
#include "gva.h"

#include <string.h>

/* @len bytes, and what prefixes there are */
static void next_rip(struct vcpu *v, const struct vmcb *c, unsigned len)
{
	v->exit.next_rip = svm_uses(SVM_NRIP_SAVE) ? c->next_rip : v->rip + svm_length(v, len);
}

static enum vcpu_exit_reason decode_io(struct vcpu *v, const struct vmcb *c)
{
	uint64_t info = c->exit_info_1;

	v->exit.io.port = FIELD_GET(IOIO_PORT, info);
	v->exit.io.size = FIELD_GET(IOIO_SIZE, info);
	v->exit.io.addr_size = 2 * FIELD_GET(IOIO_ADDR_SIZE, info);
	v->exit.io.in = info & IOIO_IN;
	v->exit.io.string = info & IOIO_STRING;
	v->exit.io.rep = info & IOIO_REP;
	v->exit.next_rip = c->exit_info_2;
	return EXIT_IO;
}

static enum vcpu_exit_reason decode_msr(struct vcpu *v, const struct vmcb *c)
{
	v->exit.msr.index = v->gpr[GPR_RCX];
	next_rip(v, c, 2);
	return c->exit_info_1 ? EXIT_WRMSR : EXIT_RDMSR;
}

static enum vcpu_exit_reason decode_mmio(struct vcpu *v, const struct vmcb *c)
{
	v->exit.mmio.gpa = c->exit_info_2;
	v->exit.mmio.write = c->exit_info_1 & NPF_WRITE;
	v->exit.mmio.fetch = c->exit_info_1 & NPF_FETCH;
	v->exit.next_rip = 0;
	return EXIT_MMIO;
}

static enum vcpu_exit_reason decode_hw(struct vcpu *v, const struct vmcb *c,
				       enum vcpu_exit_reason r)
{
	v->exit.hw.hw_reason = c->exit_code;
	v->exit.hw.info[0] = c->exit_info_1;
	v->exit.hw.info[1] = c->exit_info_2;
	return r;
}

static enum vcpu_exit_reason decode_short(struct vcpu *v, const struct vmcb *c, unsigned len,
					  enum vcpu_exit_reason r)
{
	next_rip(v, c, len);
	return r;
}

/*
 * Which register: without decode assists only the instruction knows. What cannot be read is
 * none that could have exited.
 */
static enum vcpu_exit_reason fetch_cr8(struct vcpu *v, const struct vmcb *c)
{
	struct vcpu_sregs sregs;
	uint8_t bytes[INSN_MAX];
	struct insn insn;

	backend->get_sregs(v, &sregs);
	if (insn_decode(bytes, gva_fetch(v, &sregs, bytes, sizeof(bytes)), INSN_64, &insn))
		return decode_hw(v, c, EXIT_UNKNOWN);
	v->exit.cr8.gpr = insn.reg;
	v->exit.next_rip = v->rip + insn.len;
	return EXIT_CR8;
}

static enum vcpu_exit_reason decode_cr8(struct vcpu *v, const struct vmcb *c)
{
	v->exit.cr8.read = false;
	if (!svm_uses(SVM_DECODE_ASSISTS) || !svm_uses(SVM_NRIP_SAVE) || !(c->exit_info_1 & CR_MOV))
		return fetch_cr8(v, c);
	v->exit.cr8.gpr = FIELD_GET(CR_GPR, c->exit_info_1);
	v->exit.next_rip = c->next_rip;
	return EXIT_CR8;
}

/*
 * An exception that is to be the guest's: it goes on by being injected. #AC pushes
 * an error code, which is 0.
 */
static enum vcpu_exit_reason decode_exception(struct vcpu *v, const struct vmcb *c)
{
	v->exit.exception.vector = c->exit_code - SVM_EXIT_EXCEPTION;
	v->exit.exception.has_error = c->exit_code == SVM_EXIT_AC;
	return EXIT_EXCEPTION;
}

/* The guest is about to return from its NMI handler: one step behind IRET the next NMI may come. */
static enum vcpu_exit_reason step_over_iret(struct vcpu *v, struct vmcb *c)
{
	struct svm_vcpu *s = v->hw;

	c->intercept[0] &= ~INTERCEPT_IRET;
	v->rflags |= RFLAGS_TF;
	s->stepping_iret = true;
	return EXIT_NMI_WINDOW;
}

/*
 * That step, or a debug exception of the guest's own. IRET has brought the guest's
 * TF with the other flags.
 */
static enum vcpu_exit_reason decode_debug(struct vcpu *v, struct vmcb *c)
{
	struct svm_vcpu *s = v->hw;

	if (!s->stepping_iret || !(c->dr6 & DR6_BS))
		return decode_exception(v, c);
	c->dr6 &= ~DR6_BS;
	s->stepping_iret = false;
	v->nmi_blocked = false;
	return EXIT_NMI_WINDOW;
}

static enum vcpu_exit_reason reason_of(struct vcpu *v, struct vmcb *c)
{
	switch ((uint32_t)c->exit_code) {
	case SVM_EXIT_INTR: return EXIT_INTERRUPT;
	case SVM_EXIT_NMI: return EXIT_NMI;
	case SVM_EXIT_VINTR: return EXIT_IRQ_WINDOW;
	case SVM_EXIT_IRET: return step_over_iret(v, c);
	case SVM_EXIT_DB: return decode_debug(v, c);
	case SVM_EXIT_AC:
	case SVM_EXIT_MC: return decode_exception(v, c);
	case SVM_EXIT_HLT: return decode_short(v, c, 1, EXIT_HLT);
	case SVM_EXIT_CPUID: return decode_short(v, c, 2, EXIT_CPUID);
	case SVM_EXIT_IOIO: return decode_io(v, c);
	case SVM_EXIT_MSR: return decode_msr(v, c);
	case SVM_EXIT_NPF: return decode_mmio(v, c);
	case SVM_EXIT_CR8_WRITE: return decode_cr8(v, c);
	case SVM_EXIT_XSETBV: return decode_short(v, c, 3, EXIT_XSETBV);
	case SVM_EXIT_VMMCALL: return decode_short(v, c, 3, EXIT_HYPERCALL);
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD: return decode_short(v, c, 2, EXIT_WBINVD);
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT: return EXIT_UNDEFINED;
	case SVM_EXIT_SHUTDOWN: return EXIT_SHUTDOWN;
	case SVM_EXIT_INVALID: return decode_hw(v, c, EXIT_FAILED);
	default: return decode_hw(v, c, EXIT_UNKNOWN);
	}
}

/*
 * The exit came while an event was being delivered: it is due again. Not so INT n, INT3 and INTO:
 * rip is still at the instruction, which runs once more. [APM2 15.7.2]
 */
static void take_interrupted(struct vcpu *v, const struct vmcb *c)
{
	uint64_t info = c->exit_int_info;
	unsigned type = FIELD_GET(EVENT_TYPE, info), vector = FIELD_GET(EVENT_VECTOR, info);

	if (type == EVENT_TYPE_SOFT || (type == EVENT_TYPE_EXC && (vector == 3 || vector == 4)))
		return;
	v->event = (struct vcpu_event){
		.type = type == EVENT_TYPE_NMI   ? EVENT_NMI
			: type == EVENT_TYPE_EXC ? EVENT_EXCEPTION
						 : EVENT_IRQ,
		.vector = vector,
		.has_error = info & EVENT_ERROR_SENT,
		.error = FIELD_GET(EVENT_ERROR, info),
		.cr2 = c->cr2,
	};
	v->reinjected++;
}

/*
 * The exit came before the guest took the interrupt: it is due again. If it came while that was
 * being delivered, TCG calls the interrupt an exception in exit_int_info: not to be believed.
 */
static void take_back(struct vcpu *v, struct vmcb *c)
{
	c->int_ctl &= ~V_IRQ;
	v->event = (struct vcpu_event){
		.type = EVENT_IRQ,
		.vector = FIELD_GET(V_INTR_VECTOR, c->int_ctl),
	};
	v->reinjected++;
}

unsigned svm_fetched(struct vcpu *v, uint8_t *bytes)
{
	const struct vmcb *c = vmcb_of(v);

	if (!svm_uses(SVM_DECODE_ASSISTS))
		return 0;
	memcpy(bytes, c->fetched, sizeof(c->fetched));
	return MIN(c->nfetched, sizeof(c->fetched));
}

void svm_decode(struct vcpu *v, struct vmcb *c)
{
	if (unlikely(svm_injects_irq(c)))
		take_back(v, c);
	else if (unlikely(c->exit_int_info & EVENT_VALID))
		take_interrupted(v, c);
	v->exit.reason = reason_of(v, c);
}
