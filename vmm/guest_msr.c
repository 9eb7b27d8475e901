/* SPDX-License-Identifier: MIT */
/*
 * guest_msr.c - the MSRs that a guest may read and write; any other takes #GP and is counted
 *
 * The local APIC, the back end, KVM's clock and the measuring of interrupts have theirs. What is
 * left here moves the TSC, or is kept for kernels that expect it and has no effect, or reads as a
 * constant.
 */
#include "guest_cpu.h"

#include "kernel/x86.h"
#include "backend.h"
#include "cpu_regs.h"
#include "guest_hw.h"
#include "kvmclock.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

/*
 * --- TSC
 * ----------------------------------------------------------------------------------------------------------
 */

/* Both TSC and TSC_ADJUST move by what is written to either [SDM 3B 18.17.3]. */
static void move_tsc(struct vcpu *v, uint64_t by)
{
	v->tsc_offset += by;
	v->model.tsc_adjust += by;
	kvmclock_update(v);
	/* the deadline counts the guest's ticks: arm it anew */
	if (v->lapic.tsc_deadline)
		vlapic_wrmsr(&v->lapic, MSR_TSC_DEADLINE, v->lapic.tsc_deadline);
}

/*
 * --- MTRRs: kept, without effect, as nested paging and PAT say how memory is cached [SDM 3A
 * 12.11] -------------------
 */

static uint64_t *mtrr(struct vcpu *v, uint32_t index)
{
	struct cpu_model *m = &v->model;

	if (index >= MSR_MTRR_BASE0 && index < MSR_MTRR_BASE0 + 2 * MTRR_VARIABLE_N)
		return &m->mtrr_variable[index - MSR_MTRR_BASE0];
	switch (index) {
	case MSR_MTRR_DEF_TYPE: return &m->mtrr_def_type;
	case MSR_MTRR_FIX_64K: return &m->mtrr_fixed[0];
	case MSR_MTRR_FIX_16K ... MSR_MTRR_FIX_16K + 1:
		return &m->mtrr_fixed[1 + index - MSR_MTRR_FIX_16K];
	case MSR_MTRR_FIX_4K ... MSR_MTRR_FIX_4K + 7:
		return &m->mtrr_fixed[3 + index - MSR_MTRR_FIX_4K];
	default: return NULL;
	}
}

/* uncacheable, write-combining, write-through, write-protected, write-back */
static bool is_memory_type(uint8_t type)
{
	return type == 0 || type == 1 || type == 4 || type == 5 || type == MTRR_WRITE_BACK;
}

static bool mtrr_accepts(uint32_t index, uint64_t value)
{
	if (index == MSR_MTRR_DEF_TYPE)
		return is_memory_type(FIELD_GET(MTRR_DEF_TYPE, value)) &&
		       !(value & ~(MTRR_DEF_TYPE | MTRR_DEF_FE | MTRR_DEF_E));
	if (index >= MSR_MTRR_FIX_64K) { /* a type a byte */
		for (unsigned i = 0; i < sizeof(value); i++)
			if (!is_memory_type(value >> 8 * i))
				return false;
		return true;
	}
	return index % 2 || is_memory_type(FIELD_GET(MTRR_BASE_TYPE, value));
}

/*
 * --- what the back end keeps: refused here where hardware takes #GP
 * -------------------------------------------------
 */

#define EFER_OURS (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/*
 * LME stays while paging is on; LMA follows from both and is not the guest's to write [APM2 3.1.7].
 */
static bool efer_accepts(struct vcpu *v, uint64_t *value)
{
	struct vcpu_sregs s;

	backend->get_sregs(v, &s);
	if (*value & ~EFER_OURS || (s.cr0 & CR0_PG && (*value ^ s.efer) & EFER_LME))
		return false;
	*value = (*value & ~EFER_LMA) | (s.efer & EFER_LMA);
	return true;
}

/* a memory type a byte; uncached minus is PAT's alone [SDM 3A 12.12.2] */
static bool pat_accepts(uint64_t value)
{
	for (unsigned i = 0; i < sizeof(value); i++) {
		uint8_t type = value >> 8 * i;

		if (type != PAT_UC_MINUS && !is_memory_type(type))
			return false;
	}
	return true;
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool backend_accepts(struct vcpu *v, uint32_t index, uint64_t *value)
{
	switch (index) {
	case MSR_EFER: return efer_accepts(v, value);
	case MSR_PAT: return pat_accepts(*value);
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS:
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP: return is_canonical(*value);
	default: return true;
	}
}

/*
 * --- reading and writing
 * ------------------------------------------------------------------------------------------
 */

static int read_own(struct vcpu *v, uint32_t index, uint64_t *value)
{
	const uint64_t *kept = mtrr(v, index);

	if (kept) {
		*value = *kept;
		return 0;
	}
	switch (index) {
	case MSR_TSC: *value = rdtsc() + v->tsc_offset; return 0;
	case MSR_TSC_ADJUST: *value = v->model.tsc_adjust; return 0;
	case MSR_TSC_AUX: *value = v->tsc_aux; return 0;
	case MSR_MTRR_CAP:
		*value = FIELD_PREP(MTRR_CAP_VCNT, MTRR_VARIABLE_N) | MTRR_CAP_FIX | MTRR_CAP_WC;
		return 0;
	case MSR_MISC_ENABLE: *value = v->model.misc_enable; return 0;
	case MSR_AMD_HWCR: *value = v->model.hwcr; return 0;
	case MSR_AMD_DE_CFG: *value = DE_CFG_LFENCE_SERIALIZE; return 0;
	case MSR_MCG_CAP: /* no banks: nothing to report */
	case MSR_MCG_STATUS:
	case MSR_PLATFORM_ID:
	case MSR_UCODE_REV: /* no microcode to speak of */
	case MSR_AMD_SYSCFG:
	case MSR_AMD_INT_PENDING: /* no C1E, in which the timer would stop */ *value = 0; return 0;
	default: return -EINVAL;
	}
}

static int write_own(struct vcpu *v, uint32_t index, uint64_t value)
{
	uint64_t *kept = mtrr(v, index);

	if (kept) {
		if (!mtrr_accepts(index, value))
			return -EINVAL;
		*kept = value;
		return 0;
	}
	switch (index) {
	case MSR_TSC: move_tsc(v, value - (rdtsc() + v->tsc_offset)); return 0;
	case MSR_TSC_ADJUST: move_tsc(v, value - v->model.tsc_adjust); return 0;
	case MSR_TSC_AUX:
		if (value > UINT32_MAX)
			return -EINVAL;
		v->tsc_aux = value;
		hw_set_tsc_aux(value); /* it is loaded while its vCPU is the core's current one */
		return 0;
	case MSR_MISC_ENABLE: v->model.misc_enable = value; return 0;
	case MSR_AMD_HWCR: v->model.hwcr = value; return 0;
	case MSR_UCODE_REV: /* Intel's way to have it read anew: 0 is written first */
	case MSR_MCG_STATUS: return value ? -EINVAL : 0;
	case MSR_AMD_DE_CFG: /* LFENCE cannot be made to wait less */ return 0;
	default: return -EINVAL;
	}
}

static int count_unknown(struct vcpu *v, uint32_t index)
{
	spin_lock(&v->vm->lock);
	v->vm->msr_unknown++;
	v->vm->msr_last = index;
	spin_unlock(&v->vm->lock);
	return -EINVAL;
}

int guest_rdmsr(struct vcpu *v, uint32_t index, uint64_t *value)
{
	int err;

	if (vlapic_owns_msr(index)) {
		err = vlapic_rdmsr(&v->lapic, index, value);
	} else if (kvmclock_owns_msr(index)) {
		*value = kvmclock_rdmsr(v, index);
		err = 0;
	} else if (injection_owns_msr(index)) {
		*value = -v->tsc_offset; /* so that a guest can stamp by Weir's clock */
		err = 0;
	} else {
		err = read_own(v, index, value);
		if (err)
			err = backend->get_msr(v, index, value);
	}
	return err ? count_unknown(v, index) : 0;
}

int guest_wrmsr(struct vcpu *v, uint32_t index, uint64_t value)
{
	int err;

	if (vlapic_owns_msr(index)) {
		err = vlapic_wrmsr(&v->lapic, index, value);
	} else if (kvmclock_owns_msr(index)) {
		err = kvmclock_wrmsr(v, index, value);
	} else if (injection_owns_msr(index)) {
		injection_wrmsr(v, index, value);
		err = 0;
	} else {
		err = write_own(v, index, value);
		if (err && backend_accepts(v, index, &value))
			err = backend->set_msr(v, index, value);
	}
	return err ? count_unknown(v, index) : 0;
}

void guest_msr_reset(struct vcpu *v)
{
	struct cpu_model *m = &v->model;

	memset(m->mtrr_fixed, 0, sizeof(m->mtrr_fixed));
	memset(m->mtrr_variable, 0, sizeof(m->mtrr_variable));
	/* as firmware leaves it: without MTRRs switched on Linux would not use PAT */
	m->mtrr_def_type = MTRR_DEF_E | MTRR_WRITE_BACK;
	m->misc_enable = MISC_ENABLE_FAST_STRING;
	m->hwcr = 0;
	kvmclock_reset(v);
	m->tsc_adjust = 0;
	v->tsc_offset = -m->clock_start;
}
