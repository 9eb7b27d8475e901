/* SPDX-License-Identifier: MIT */
/*
 * exits.c - what is done about an exit: one function a reason, in a dense table
 *
 * Called by vcpu.c on the vCPU's core after each exit, interrupts on. Knows neither VT-x nor
 * SVM. A guest's mistake is answered as hardware would answer it; only what no hardware could
 * go on from ends the guest.
 */
#include "exits.h"

#include "kernel/console.h"
#include "kernel/x86.h"
#include "access.h"
#include "backend.h"
#include "cpu_regs.h"
#include "emulate.h"
#include "guest_cpu.h"
#include "vm.h"

#include <stdio.h>

#define KVM_ENOSYS 1000 /* what KVM's guests expect of a hypercall that is not there */

/* The interrupt or NMI was taken when the gate opened. */
static void on_interrupt(struct vcpu *v)
{
	injection_interrupted(v);
}

static void on_nmi(struct vcpu *v)
{
	(void)v;
}

static void on_irq_window(struct vcpu *v)
{
	backend->want_irq_window(v, false);
}

static void on_nmi_window(struct vcpu *v)
{
	backend->want_nmi_window(v, false);
}

static void on_hlt(struct vcpu *v)
{
	v->state = VCPU_HALTED;
	vcpu_step(v);
}

/*
 * It takes what is its own. A machine check is not: it happened to Weir, who
 * does not go on after one.
 */
static void on_exception(struct vcpu *v)
{
	if (v->exit.exception.vector == EXCEPTION_MC)
		panic("machine check while %s ran", v->vm->name);
	vcpu_exception(v, v->exit.exception.vector, v->exit.exception.has_error, 0);
}

static void on_cpuid(struct vcpu *v)
{
	guest_cpuid(v);
	vcpu_step(v);
}

/*
 * The value of an IN goes into the low bytes of RAX; one of 4 bytes clears the upper
 * half, as any write of EAX.
 */
static uint64_t merge_rax(uint64_t rax, uint32_t value, unsigned size)
{
	uint64_t mask = size == 4 ? ~UINT64_C(0) : BITS(8 * size - 1, 0);

	return (rax & ~mask) | value;
}

static void on_io(struct vcpu *v)
{
	uint64_t *rax = &v->gpr[GPR_RAX];
	uint16_t port = v->exit.io.port;
	unsigned size = v->exit.io.size;

	if (unlikely(v->exit.io.string)) {
		if (emulate_string_io(v))
			vm_die(v, "string I/O at port %#x cannot be decoded", port);
		return;
	}
	if (v->exit.io.in)
		*rax = merge_rax(*rax, pio_read(v, port, size), size);
	else
		pio_write(v, port, size, *rax & BITS(8 * size - 1, 0));
	vcpu_step(v);
}

static void on_rdmsr(struct vcpu *v)
{
	uint64_t value;

	if (guest_rdmsr(v, v->exit.msr.index, &value)) {
		vcpu_exception(v, EXCEPTION_GP, true, 0);
		return;
	}
	v->gpr[GPR_RAX] = (uint32_t)value;
	v->gpr[GPR_RDX] = value >> 32;
	vcpu_step(v);
}

static void on_wrmsr(struct vcpu *v)
{
	uint64_t value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX];

	if (guest_wrmsr(v, v->exit.msr.index, value))
		vcpu_exception(v, EXCEPTION_GP, true, 0);
	else
		vcpu_step(v);
}

/* Bytes as a person reads them in a report. */
static void hex_bytes(char *text, size_t size, const uint8_t *bytes, unsigned n)
{
	text[0] = 0;
	for (unsigned i = 0, at = 0; i < n && at + 4 < size; i++)
		at += snprintf(text + at, size - at, " %02x", bytes[i]);
}

static void on_mmio(struct vcpu *v)
{
	uint8_t bytes[INSN_MAX];
	char text[3 * INSN_MAX + 1];
	unsigned n = 0;

	if (!emulate_mmio(v, bytes, &n))
		return;
	hex_bytes(text, sizeof(text), bytes, n);
	vm_die(v, "access to %#lx cannot be decoded:%s", (unsigned long)v->exit.mmio.gpa,
	       n ? text : " no code can be read there");
}

/* Its priority may let a waiting interrupt through now: the next entry looks. */
static void on_cr8(struct vcpu *v)
{
	uint64_t *gpr = &v->gpr[v->exit.cr8.gpr];

	if (v->exit.cr8.read) {
		*gpr = v->lapic.tpr >> 4;
	} else {
		v->lapic.tpr = (*gpr & 0xf) << 4;
		backend->want_cr8(v, false);
	}
	vcpu_step(v);
}

static void on_tpr(struct vcpu *v)
{
	backend->want_cr8(v, false);
}

/* The back end has done what the instruction wanted. */
static void on_cr(struct vcpu *v)
{
	vcpu_step(v);
}

/* The CPU went on behind the instruction; what the register does is still to be done. */
static void on_apic_write(struct vcpu *v)
{
	vlapic_written(&v->lapic, v->exit.apic.offset, v->exit.apic.value);
}

static void on_eoi(struct vcpu *v)
{
	vlapic_ended(&v->lapic, v->exit.apic.vector);
}

static void on_slice(struct vcpu *v)
{
	(void)v;
}

static void on_xsetbv(struct vcpu *v)
{
	uint64_t value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX];
	struct vcpu_sregs sregs;

	backend->get_sregs(v, &sregs); /* the intercept may come before the check of privilege */
	if (sregs.cpl || guest_xsetbv(v, v->gpr[GPR_RCX], value))
		vcpu_exception(v, EXCEPTION_GP, true, 0);
	else
		vcpu_step(v);
}

static void on_hypercall(struct vcpu *v)
{
	v->gpr[GPR_RAX] = -(uint64_t)KVM_ENOSYS;
	vcpu_step(v);
}

/* Caches are coherent with everything a guest can reach. */
static void on_wbinvd(struct vcpu *v)
{
	vcpu_step(v);
}

static void on_undefined(struct vcpu *v)
{
	vcpu_exception(v, EXCEPTION_UD, false, 0);
}

static void on_shutdown(struct vcpu *v)
{
	vm_die(v, "triple fault");
}

static void on_failed(struct vcpu *v)
{
	char why[EXPLAIN_SIZE];

	backend->explain(v, why, sizeof(why));
	vm_die(v, "the hardware refused to enter it: %s", why);
}

static void on_unknown(struct vcpu *v)
{
	vm_die(v, "exit %#lx (%#lx, %#lx) is not known", (unsigned long)v->exit.hw.hw_reason,
	       (unsigned long)v->exit.hw.info[0], (unsigned long)v->exit.hw.info[1]);
}

static void (*const handler[EXIT_N])(struct vcpu *v) = {
	[EXIT_INTERRUPT] = on_interrupt,
	[EXIT_NMI] = on_nmi,
	[EXIT_IRQ_WINDOW] = on_irq_window,
	[EXIT_NMI_WINDOW] = on_nmi_window,
	[EXIT_HLT] = on_hlt,
	[EXIT_EXCEPTION] = on_exception,
	[EXIT_CPUID] = on_cpuid,
	[EXIT_IO] = on_io,
	[EXIT_RDMSR] = on_rdmsr,
	[EXIT_WRMSR] = on_wrmsr,
	[EXIT_MMIO] = on_mmio,
	[EXIT_CR8] = on_cr8,
	[EXIT_TPR] = on_tpr,
	[EXIT_CR] = on_cr,
	[EXIT_APIC_WRITE] = on_apic_write,
	[EXIT_EOI] = on_eoi,
	[EXIT_SLICE] = on_slice,
	[EXIT_XSETBV] = on_xsetbv,
	[EXIT_HYPERCALL] = on_hypercall,
	[EXIT_WBINVD] = on_wbinvd,
	[EXIT_UNDEFINED] = on_undefined,
	[EXIT_SHUTDOWN] = on_shutdown,
	[EXIT_FAILED] = on_failed,
	[EXIT_UNKNOWN] = on_unknown,
};

/* What of the exit the report of a death should show beside its name. */
static uint64_t info_of(const struct vcpu_exit *e)
{
	switch (e->reason) {
	case EXIT_IO: return e->io.port;
	case EXIT_RDMSR:
	case EXIT_WRMSR: return e->msr.index;
	case EXIT_MMIO: return e->mmio.gpa;
	case EXIT_EXCEPTION: return e->exception.vector;
	case EXIT_FAILED:
	case EXIT_UNKNOWN: return e->hw.hw_reason;
	default: return 0;
	}
}

void exit_handle(struct vcpu *v)
{
	enum vcpu_exit_reason r = v->exit.reason;

	v->exits[r]++;
	v->past[v->past_n++ % VCPU_LAST_EXITS] = (struct vcpu_past){
		.rip = v->rip,
		.info = info_of(&v->exit),
		.reason = r,
	};
	handler[r](v);
}
