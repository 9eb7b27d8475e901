/* SPDX-License-Identifier: MIT */
/*
 * svm_setup.c - SVM found, switched on, and a guest's VMCB as it begins [APM2 15.4, 15.5, 15.25]
 *
 * svm_init_cpu() runs on each core once, the rest in the control context. Owns the two permission
 * maps that all guests share: every port and every MSR exits, but for those MSRs that the
 * hardware switches anyhow.
 */
#include "svm.h"

#include "kernel/mem.h"
#include "kernel/x86.h"
#include "cpu_regs.h"
#include "fpu.h"
#include "guest_msrs.h"
#include "nested.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

enum { IOPM_SIZE = 3 * PAGE_SIZE, MSRPM_SIZE = 2 * PAGE_SIZE };

/* nested tables are ordinary long-mode tables, walked as a user access [APM2 15.25.5] */
static const struct nested_bits npt_bits = {
	.table = BIT(0) | BIT(1) | BIT(2) | BIT(5),         /* P, R/W, U/S, A */
	.page = BIT(0) | BIT(1) | BIT(2) | BIT(5) | BIT(6), /* and D */
	.large = BIT(7),
};

struct vmcb *svm_host[MAX_CPUS];

static uint8_t *iopm, *msrpm;
static uint32_t nasids; /* that the TLB tells apart; 0 is the host's */

int svm_probe(const char **why)
{
	struct cpuid svm;

	if (!(cpuid(0x80000001).ecx & CPUID80000001_ECX_SVM)) {
		*why = "this CPU has no SVM";
		return -ENODEV;
	}
	svm = cpuid(CPUID_SVM);
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		*why = "firmware has locked SVM off (VM_CR.SVMDIS)";
	else if (!(svm.edx & CPUID_SVM_NP))
		*why = "this CPU's SVM has no nested paging";
	else if (!fpu_probe())
		*why = "this CPU has no XSAVE or no RDTSCP";
	else {
		svm_features_probe(svm.edx);
		return 0;
	}
	return -EPERM;
}

/*
 * msr_allow() - the guest reads, and with @write also writes, MSR @index
 * without an exit. [APM2 15.11]
 */
static void msr_allow(uint32_t index, bool write)
{
	uint32_t bit = 2 * (index & 0x1fff) + (index >= 0xc0000000 ? 0x800 * 8 : 0);

	msrpm[bit / 8] &= ~(1u << bit % 8);
	if (write)
		msrpm[bit / 8] &= ~(2u << bit % 8);
}

static void make_permission_maps(void)
{
	iopm = mem_alloc(IOPM_SIZE, PAGE_SIZE, "SVM's port map");
	msrpm = mem_alloc(MSRPM_SIZE, PAGE_SIZE, "SVM's MSR map");
	memset(iopm, 0xff, IOPM_SIZE);
	memset(msrpm, 0xff, MSRPM_SIZE);
	for (unsigned i = 0; i < GUEST_MSRS; i++)
		msr_allow(guest_msrs[i], true);
	msr_allow(MSR_TSC_AUX, false);
	nasids = MAX(cpuid(CPUID_SVM).ebx, 2u);
}

int svm_init_cpu(const char **why)
{
	struct vmcb **host = &svm_host[this_cpu()->id];

	if (!iopm)
		make_permission_maps();
	fpu_init_cpu();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, (uint64_t)mem_zalloc(PAGE_SIZE, PAGE_SIZE, "SVM's host save area"));
	*host = mem_zalloc(PAGE_SIZE, PAGE_SIZE, "SVM's host VMCB");
	/* GS, TR and the like of this core: they never change from here on */
	__asm__ volatile("vmsave %0" ::"a"(*host) : "memory");
	(void)why;
	return 0;
}

int svm_vm_create(struct vm *vm)
{
	vm->hw = nested_build(&vm->mem, &npt_bits);
	return vm->hw ? 0 : -ENOMEM;
}

int svm_vcpu_create(struct vcpu *v)
{
	struct svm_vcpu *s = mem_try_alloc(sizeof(*s), CACHE_LINE);

	if (!s)
		return -ENOMEM;
	*s = (struct svm_vcpu){ .vmcb = mem_try_alloc(PAGE_SIZE, PAGE_SIZE) };
	v->hw = s;
	return s->vmcb ? 0 : -ENOMEM;
}

/* reset_control() - what exits, and the maps. */
static void reset_control(struct vmcb *c, const struct vcpu *v)
{
	c->intercept[0] = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_RDPMC | INTERCEPT_CPUID |
			  INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO |
			  INTERCEPT_MSR | INTERCEPT_SHUTDOWN;
	c->intercept[1] = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD |
			  INTERCEPT_VMSAVE | INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT |
			  INTERCEPT_WBINVD | INTERCEPT_MONITOR | INTERCEPT_MWAIT |
			  INTERCEPT_XSETBV | INTERCEPT_RDPRU;
	c->exceptions = INTERCEPT_DB | INTERCEPT_AC | INTERCEPT_MC;
	c->iopm_base = (uint64_t)iopm;
	c->msrpm_base = (uint64_t)msrpm;
	c->asid = 1 + (v->vm->id * VM_VCPUS + v->id) % (nasids - 1);
	c->int_ctl = V_INTR_MASKING;
	c->np_enable = 1;
	c->n_cr3 = (uint64_t)v->vm->hw;
}

void svm_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *sregs)
{
	struct svm_vcpu *s = v->hw;

	memset(s->vmcb, 0, sizeof(*s->vmcb));
	s->stepping_iret = false;
	svm_length_reset(s);
	reset_control(s->vmcb, v);
	svm_set_sregs(v, sregs);
	s->vmcb->dr6 = DR6_RESET;
	s->vmcb->dr7 = DR7_RESET;
	s->vmcb->g_pat = PAT_RESET;
	fpu_reset(v);
}
