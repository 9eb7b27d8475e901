/* SPDX-License-Identifier: MIT */
/*
 * svm_features.c - what a CPU with SVM may offer beyond the least, and what Weir
 * makes of it [APM3 E.4.9]
 *
 * Probed once at boot; the operator switches later (features.c), any core reads. Each that is
 * used has a path without it.
 */
#include "svm.h"

struct vmm_feature svm_features[SVM_FEATURES + 1] = {
	[SVM_NESTED_PAGING] = { "nested-paging", "guest memory by tables of Weir's",
				.needed = "no guest without" },
	[SVM_NRIP_SAVE] = { "nrip-save", "where the next instruction begins, without its length" },
	[SVM_DECODE_ASSISTS] = { "decode-assists",
				 "bytes of the instruction that faulted, register of CR8's" },
	[SVM_FLUSH_BY_ASID] = { "flush-by-asid",
				"another guest's turn flushes its own TLB entries" },
	[SVM_VGIF] = { "vgif", "a GIF for guests", .unused = "guests get no SVM" },
	[SVM_VNMI] = { "vnmi", "NMIs are masked and injected by the CPU",
		       .unused = "one step behind IRET tells as well" },
	[SVM_AVIC] = { "avic", "interrupts without an exit", .unused = "Weir does not drive it" },
	[SVM_VMCB_CLEAN] = { "vmcb-clean", "unchanged fields are not loaded again",
			     .unused = "which are unchanged is not kept track of" },
	[SVM_TSC_SCALE] = { "tsc-scale", "a TSC of another rate for guests",
			    .unused = "a guest never leaves its machine" },
	[SVM_PAUSE_FILTER] = { "pause-filter", "an exit where a guest spins",
			       .unused = "its slice ends soon enough" },
	[SVM_VMSAVE] = { "vmsave", "VMLOAD and VMSAVE in guests", .unused = "guests get no SVM" },
	[SVM_LBR] = { "lbr", "last branch records for guests", .unused = "guests get none" },
};

void svm_features_probe(uint32_t edx)
{
	static const uint32_t bit[SVM_FEATURES] = {
		[SVM_NESTED_PAGING] = CPUID_SVM_NP,
		[SVM_NRIP_SAVE] = CPUID_SVM_NRIPS,
		[SVM_DECODE_ASSISTS] = CPUID_SVM_DECODE_ASSISTS,
		[SVM_FLUSH_BY_ASID] = CPUID_SVM_FLUSH_BY_ASID,
		[SVM_VGIF] = CPUID_SVM_VGIF,
		[SVM_VNMI] = CPUID_SVM_VNMI,
		[SVM_AVIC] = CPUID_SVM_AVIC,
		[SVM_VMCB_CLEAN] = CPUID_SVM_VMCB_CLEAN,
		[SVM_TSC_SCALE] = CPUID_SVM_TSC_RATE,
		[SVM_PAUSE_FILTER] = CPUID_SVM_PAUSE_FILTER,
		[SVM_VMSAVE] = CPUID_SVM_VMSAVE,
		[SVM_LBR] = CPUID_SVM_LBR,
	};

	for (unsigned i = 0; i < SVM_FEATURES; i++) {
		struct vmm_feature *f = &svm_features[i];

		f->has = edx & bit[i];
		atomic_store(&f->on, f->has && !f->unused);
	}
}
