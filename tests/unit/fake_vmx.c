/* SPDX-License-Identifier: MIT */
/* fake_vmx.c - a VMCS without a CPU: see fake_vmx.h */
#include "fake_vmx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/x86.h"

uint64_t fake_vmcs[0x7000];
uint64_t fake_capability[VMX_CAPABILITIES];
uint64_t fake_cr2;

static void must_be_known(enum vmcs_field field)
{
	switch (field) {
#define X(id, encoding) \
	case encoding: return;
		VMCS_FIELDS(X)
#undef X
	}
	fail_msg("no field has the encoding %04x", field);
}

uint64_t vmread(enum vmcs_field field)
{
	must_be_known(field);
	return fake_vmcs[field];
}

void vmwrite(enum vmcs_field field, uint64_t value)
{
	must_be_known(field);
	fake_vmcs[field] = value;
}

uint64_t rdmsr(uint32_t msr)
{
	assert_in_range(msr, MSR_VMX_BASIC, MSR_VMX_BASIC + VMX_CAPABILITIES - 1);
	return fake_capability[msr - MSR_VMX_BASIC];
}

uint64_t read_cr2(void)
{
	return fake_cr2;
}

void write_cr2(uint64_t v)
{
	fake_cr2 = v;
}

/* --- a CPU --- */

static void capability(uint32_t msr, uint64_t value)
{
	fake_capability[msr - MSR_VMX_BASIC] = value;
}

/* controls() - what must be 1 and may be 1, with and without the TRUE MSR. */
static void controls(uint32_t msr, uint32_t must, uint32_t must_true, uint64_t may)
{
	capability(msr, may << 32 | must);
	capability(msr + MSR_VMX_TRUE, may << 32 | must_true);
}

/* Those that must be 1 are the manual's default ones [SDM 3D A.2 to A.5]. */
static void cpu(void)
{
	capability(MSR_VMX_BASIC, VMX_BASIC_TRUE | 1);
	controls(MSR_VMX_PINBASED, 0x16, 0x16, 0xff);
	controls(MSR_VMX_PROCBASED, 0x0401e172, 0x04006172, 0xfff9fffe);
	controls(MSR_VMX_EXIT, 0x36dff, 0x36dfb, 0x01ffffff);
	controls(MSR_VMX_ENTRY, 0x11ff, 0x11fb, 0x3ffff);
	capability(MSR_VMX_MISC, 4 << 16 | 7 << 6 | 5);
	capability(MSR_VMX_CR0_FIXED0, CR0_PG | CR0_NE | CR0_PE);
	capability(MSR_VMX_CR0_FIXED1, 0xffffffff);
	capability(MSR_VMX_CR4_FIXED0, CR4_VMXE);
	capability(MSR_VMX_CR4_FIXED1, 0x3767ff);
	capability(MSR_VMX_PROCBASED2, UINT64_C(0x1337ff) << 32);
	capability(MSR_VMX_EPT_VPID, EPT_CAP_WALK_4 | EPT_CAP_WRITE_BACK | EPT_CAP_2M |
					     VPID_CAP_INVVPID | VPID_CAP_INVVPID_ONE);
}

/* --- Weir's own part --- */

static void weirs_controls(void)
{
	fake_vmcs[VMCS_PIN_BASED_CONTROLS] = 0x16 | PIN_EXTERNAL_INTERRUPTS | PIN_NMI |
					     PIN_VIRTUAL_NMI;
	fake_vmcs[VMCS_PRIMARY_CONTROLS] = 0x04006172 | PRIMARY_HLT | PRIMARY_TSC_OFFSETTING |
					   PRIMARY_IO_BITMAPS | PRIMARY_MSR_BITMAPS |
					   PRIMARY_TPR_SHADOW | PRIMARY_SECONDARY;
	fake_vmcs[VMCS_SECONDARY_CONTROLS] = SECONDARY_EPT | SECONDARY_UNRESTRICTED |
					     SECONDARY_VPID;
	fake_vmcs[VMCS_VM_EXIT_CONTROLS] = 0x36dfb | EXIT_CTL_SAVE_DEBUG | EXIT_CTL_HOST_64 |
					   EXIT_CTL_SAVE_PAT | EXIT_CTL_LOAD_PAT |
					   EXIT_CTL_SAVE_EFER | EXIT_CTL_LOAD_EFER;
	fake_vmcs[VMCS_VM_ENTRY_CONTROLS] = 0x11fb | ENTRY_CTL_LOAD_DEBUG | ENTRY_CTL_LOAD_PAT |
					    ENTRY_CTL_LOAD_EFER;
	fake_vmcs[VMCS_IO_BITMAP_A] = 0x200000;
	fake_vmcs[VMCS_IO_BITMAP_B] = 0x201000;
	fake_vmcs[VMCS_MSR_BITMAP] = 0x202000;
	fake_vmcs[VMCS_VIRTUAL_APIC_ADDRESS] = 0x203000;
	fake_vmcs[VMCS_EPT_POINTER] = 0x204000 | FIELD_PREP(EPTP_LEVELS, 3) | EPTP_WRITE_BACK;
	fake_vmcs[VMCS_VPID] = 1;
	fake_vmcs[VMCS_VMCS_LINK_POINTER] = ~UINT64_C(0);
}

static void weirs_state(void)
{
	fake_vmcs[VMCS_HOST_CR0] = CR0_PG | CR0_WP | CR0_NE | CR0_PE;
	fake_vmcs[VMCS_HOST_CR3] = 0x1000;
	fake_vmcs[VMCS_HOST_CR4] = CR4_VMXE | CR4_PAE;
	fake_vmcs[VMCS_HOST_CS_SELECTOR] = 0x08;
	fake_vmcs[VMCS_HOST_TR_SELECTOR] = 0x28;
	fake_vmcs[VMCS_HOST_RIP] = 0x210000;
	fake_vmcs[VMCS_HOST_PAT] = UINT64_C(0x0007040600070406);
	fake_vmcs[VMCS_HOST_EFER] = EFER_LMA | EFER_LME | EFER_NXE;
}

/* --- the guest's --- */

static void segment(unsigned i, uint16_t selector, uint32_t limit, uint32_t rights)
{
	fake_vmcs[VMCS_GUEST_ES_SELECTOR + VMCS_SEGMENT_STEP * i] = selector;
	fake_vmcs[VMCS_GUEST_ES_LIMIT + VMCS_SEGMENT_STEP * i] = limit;
	fake_vmcs[VMCS_GUEST_ES_ACCESS_RIGHTS + VMCS_SEGMENT_STEP * i] = rights;
}

static void segments(uint32_t limit, uint32_t code, uint32_t data)
{
	for (unsigned i = 0; i < 6; i++)
		segment(i, i == 1 ? 0x10 : 0x18, limit, i == 1 ? code : data);
	segment(6, 0, 0, RIGHTS_UNUSABLE);
	segment(7, 0x20, 0x67, 0x8b);
}

static void guest(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	memset(fake_vmcs, 0, sizeof(fake_vmcs));
	cpu();
	weirs_controls();
	weirs_state();
	fake_vmcs[VMCS_GUEST_CR0] = cr0 | CR0_NE;
	fake_vmcs[VMCS_GUEST_CR4] = cr4 | CR4_VMXE;
	fake_vmcs[VMCS_GUEST_EFER] = efer;
	fake_vmcs[VMCS_GUEST_PAT] = UINT64_C(0x0007040600070406);
	fake_vmcs[VMCS_GUEST_DR7] = 0x400;
	fake_vmcs[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED;
	fake_vmcs[VMCS_GUEST_RIP] = 0x1000;
	fake_vmcs[VMCS_GUEST_GDTR_LIMIT] = 0x27;
	fake_vmcs[VMCS_GUEST_IDTR_LIMIT] = 0xfff;
}

void fake_vmx_guest_64(void)
{
	guest(CR0_PG | CR0_PE, CR4_PAE, EFER_LMA | EFER_LME);
	segments(0xffffffff, 0xa09b, 0xc093);
	fake_vmcs[VMCS_VM_ENTRY_CONTROLS] |= ENTRY_CTL_GUEST_64;
	fake_vmcs[VMCS_GUEST_RIP] = UINT64_C(0xffffffff81000000);
}

void fake_vmx_guest_32(void)
{
	guest(CR0_PG | CR0_PE, 0, 0);
	segments(0xffffffff, 0xc09b, 0xc093);
}

void fake_vmx_guest_real(void)
{
	guest(0, 0, 0);
	segments(0xffff, 0x93, 0x93);
	for (unsigned i = 0; i < 6; i++)
		fake_vmcs[VMCS_GUEST_ES_BASE + VMCS_SEGMENT_STEP * i] = 0x9000;
}
