/* SPDX-License-Identifier: MIT */
/*
 * svm_length.c - how long the instruction was that exited, where the CPU
 * does not tell [APM2 15.7.1]
 *
 * Called by svm_decode() on the vCPU's core, on CPUs without NRIPS (QEMU's TCG). Only
 * prefixes make a difference, and hardly anybody writes any; but who does must not go on in
 * the middle of the instruction.
 *
 * To read the code means a walk through the guest's tables, which is too much for each time that an
 * interrupt ends. So struct svm_vcpu keeps where instructions without prefixes were found: one look
 * there tells whether it is still that instruction. It is memory of the guest's whatever became of
 * the page; a kernel that maps other code at one of these addresses, and has the same byte in the
 * old place still, deceives itself alone. Ring 3, where each process has code of its own at the
 * same addresses, is read each time.
 */
#include "svm.h"

#include "decode.h"
#include "gva.h"
#include "vm.h"

/*
 * An empty slot points at a byte that no instruction is, so that to look there takes no question.
 */
void svm_length_reset(struct svm_vcpu *s)
{
	static const uint8_t none;

	for (unsigned i = 0; i < SVM_PLAIN; i++)
		s->plain[i] = (struct svm_plain){ .code = &none };
}

static void keep(struct vcpu *v, const struct vcpu_sregs *sregs, uint64_t linear)
{
	const uint8_t *code;
	uint64_t gpa;

	if (sregs->cpl || gva_to_gpa(v, sregs, linear, &gpa))
		return;
	code = gpa_ptr(&v->vm->mem, gpa, 1);
	if (code)
		*svm_plain_at(v->hw, linear) = (struct svm_plain){ .linear = linear, .code = code };
}

/*
 * What cannot be read or decoded is left at what it mostly is: it was an
 * instruction when it exited.
 */
unsigned svm_length_read(struct vcpu *v, unsigned len)
{
	struct vcpu_sregs sregs;
	uint8_t bytes[INSN_MAX];
	struct insn insn;
	unsigned n;

	backend->get_sregs(v, &sregs);
	n = gva_fetch(v, &sregs, bytes, sizeof(bytes));
	if (insn_decode(bytes, n, gva_mode(&sregs), &insn))
		return len;
	if (insn.len == len)
		keep(v, &sregs, vmcb_of(v)->cs.base + v->rip);
	return insn.len;
}
