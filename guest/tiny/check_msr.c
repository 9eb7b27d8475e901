/* SPDX-License-Identifier: MIT */
/*
 * check_msr.c - MSRs by what they refuse: reserved bits, registers of one direction, modes that
 * cannot follow each other
 */
#include "apic.h"
#include "check.h"
#include "cpu.h"
#include "trap.h"

#define X2(reg)       (MSR_X2APIC + (reg) / 16)
#define APIC_SELF_IPI 0x3f0
#define APIC_IRR      0x200
#define APIC_ESR      0x280
#define APIC_BASE_BSP BIT(8)

struct msr {
	uint32_t index;
	uint64_t value;
};

static const char *refuses_write(uint32_t index, uint64_t value)
{
	unsigned vector = try_wrmsr(index, value);

	if (vector == EXCEPTION_GP && !caught.frame.error)
		return NULL;
	return seen("writing %lx to MSR %x: exception %u", value, index, vector);
}

static const char *refuses_read(uint32_t index)
{
	uint64_t value;
	unsigned vector = try_rdmsr(index, &value);

	if (vector == EXCEPTION_GP && !caught.frame.error)
		return NULL;
	return seen("reading MSR %x: exception %u", index, vector);
}

static const char *all_refused(const struct msr *m, unsigned n)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < n && !wrong; i++)
		wrong = refuses_write(m[i].index, m[i].value);
	return wrong;
}

/* --- EFER --- */

static const char *check_efer(int n, char **word)
{
	uint64_t efer = rdmsr(MSR_EFER);
	const struct msr refused[] = {
		{ MSR_EFER, efer | BIT(1) },    { MSR_EFER, efer | BIT(9) },
		{ MSR_EFER, efer | BIT(63) },   { MSR_EFER, efer & ~EFER_LME },
		{ MSR_EFER, efer | EFER_SVME },
	};
	const char *wrong;

	(void)n;
	(void)word;
	if ((efer & (EFER_LME | EFER_LMA)) != (EFER_LME | EFER_LMA) || efer & EFER_SVME)
		return seen("EFER is %lx", efer);
	wrong = all_refused(refused, ARRAY_SIZE(refused));
	if (wrong)
		return wrong;
	wrmsr(MSR_EFER, efer ^ EFER_SCE);
	if (rdmsr(MSR_EFER) != (efer ^ EFER_SCE))
		return seen("EFER %lx, not %lx", rdmsr(MSR_EFER), efer ^ EFER_SCE);
	wrmsr(MSR_EFER, efer & ~EFER_LMA); /* not to be written, which is no fault */
	if (!(rdmsr(MSR_EFER) & EFER_LMA))
		return seen("LMA could be cleared");
	wrmsr(MSR_EFER, efer);
	return NULL;
}

/* --- PAT --- */

/* 0, 1, 4 to 7 are types, and nothing above them [SDM 3A 12.12.2] */
static const char *check_pat_values(int n, char **word)
{
	uint64_t pat = rdmsr(MSR_PAT);
	const char *wrong = NULL;

	(void)n;
	(void)word;
	for (unsigned entry = 0; entry < 64 && !wrong; entry += 8) {
		uint64_t others = pat & ~(BITS(7, 0) << entry);

		for (uint64_t type = 2; type <= 8 && !wrong; type += type == 3 ? 5 : 1)
			wrong = refuses_write(MSR_PAT, others | type << entry);
	}
	if (!wrong && rdmsr(MSR_PAT) != pat)
		wrong = seen("PAT was %lx, is %lx", pat, rdmsr(MSR_PAT));
	return wrong;
}

/* --- the local APIC's --- */

static const char *check_x2apic_msr(int n, char **word)
{
	static const struct msr refused[] = {
		{ X2(APIC_ID), 1 },
		{ X2(APIC_VERSION), 0 },
		{ X2(APIC_TPR), BIT(8) },
		{ X2(APIC_TPR), BIT(32) },
		{ X2(APIC_PPR), 0 },
		{ X2(APIC_EOI), 1 },
		{ X2(APIC_LDR), 1 },
		{ X2(APIC_SVR), SVR_ENABLE | BIT(31) },
		{ X2(APIC_ISR), 0 },
		{ X2(APIC_IRR), 0 },
		{ X2(APIC_ESR), 1 },
		{ X2(APIC_ICR), BIT(20) | VECTOR_CHECK_LOW },
		{ X2(APIC_ICR_HIGH), 0 },
		{ X2(APIC_LVT_TIMER), BIT(31) },
		{ X2(APIC_TIMER_CURRENT), 0 },
		{ X2(APIC_TIMER_DIVIDE), BIT(2) },
		{ X2(APIC_SELF_IPI), BIT(8) },
		{ MSR_X2APIC + 0x40, 0 },
	};
	static const uint32_t unreadable[] = { X2(APIC_EOI), X2(APIC_ICR_HIGH), X2(APIC_SELF_IPI),
					       MSR_X2APIC + 0x40, MSR_X2APIC + 0xff };
	const char *wrong;

	(void)n;
	(void)word;
	if (!x2apic)
		return lacks("the local APIC is in xAPIC mode");
	wrong = all_refused(refused, ARRAY_SIZE(refused));
	for (unsigned i = 0; i < ARRAY_SIZE(unreadable) && !wrong; i++)
		wrong = refuses_read(unreadable[i]);
	return wrong;
}

static const char *check_apic_base(int n, char **word)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	const struct msr refused[] = {
		{ MSR_APIC_BASE, base | BIT(63) },
		{ MSR_APIC_BASE, base | BIT(0) },
		{ MSR_APIC_BASE, (base & ~APIC_BASE_ENABLE) | APIC_BASE_X2APIC },
		/* back to xAPIC in one step: over "off" only [SDM 3A 11.12.5] */
		{ MSR_APIC_BASE, base & ~APIC_BASE_X2APIC },
	};
	const char *wrong = all_refused(refused, ARRAY_SIZE(refused) - !x2apic);

	(void)n;
	(void)word;
	if (wrong)
		return wrong;
	if (rdmsr(MSR_APIC_BASE) != base || !(base & APIC_BASE_BSP))
		return seen("APIC base %lx, then %lx", base, rdmsr(MSR_APIC_BASE));
	return x2apic ? NULL : refuses_read(MSR_X2APIC + APIC_ID / 16);
}

CHECK(efer_check, .name = "efer", .help = "EFER: reserved bits, LME and LMA while paging is on",
      .run = check_efer);
CHECK(pat_values_check, .name = "pat-values", .help = "memory types that there are not take #GP",
      .run = check_pat_values);
CHECK(x2apic_msr_check, .name = "x2apic-msr", .help = "x2APIC: reserved bits, read- and write-only",
      .run = check_x2apic_msr);
CHECK(apic_base_check, .name = "apic-base", .help = "APIC_BASE: modes and reserved bits",
      .run = check_apic_base);
