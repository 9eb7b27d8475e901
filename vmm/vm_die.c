/* SPDX-License-Identifier: MIT */
/*
 * vm_die.c - the last words of a guest that did what no guest may do
 *
 * On the core of the vCPU that did it, while its exit is handled; the others are leaving meanwhile,
 * and as this one has yet to, the guest is dead only when all is said. It prints and owns nothing.
 * Every line begins with the guest's name, so that two reports, or a report in the midst of other
 * lines, can be told apart.
 */
#include "vm.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "backend.h"
#include "decode.h"
#include "gva.h"

#include <stdarg.h>
#include <stdio.h>

static void say_gprs(const struct vcpu *v)
{
	/* in the order that people read them */
	static const struct {
		const char *name;
		enum gpr gpr;
	} rows[] = {
		{ "rax", GPR_RAX }, { "rbx", GPR_RBX }, { "rcx", GPR_RCX }, { "rdx", GPR_RDX },
		{ "rsi", GPR_RSI }, { "rdi", GPR_RDI }, { "rbp", GPR_RBP }, { "rsp", GPR_RSP },
		{ " r8", GPR_R8 },  { " r9", GPR_R9 },  { "r10", GPR_R10 }, { "r11", GPR_R11 },
		{ "r12", GPR_R12 }, { "r13", GPR_R13 }, { "r14", GPR_R14 }, { "r15", GPR_R15 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i += 4)
		kprintf("%s:   %s %016lx %s %016lx %s %016lx %s %016lx\n", v->vm->name,
			rows[i].name, (unsigned long)v->gpr[rows[i].gpr], rows[i + 1].name,
			(unsigned long)v->gpr[rows[i + 1].gpr], rows[i + 2].name,
			(unsigned long)v->gpr[rows[i + 2].gpr], rows[i + 3].name,
			(unsigned long)v->gpr[rows[i + 3].gpr]);
}

static void say_segment(const struct vcpu *v, const char *name, const struct vcpu_segment *s)
{
	kprintf("%s:   %s %04x base %016lx limit %08x attr %03x\n", v->vm->name, name, s->selector,
		(unsigned long)s->base, s->limit, s->attr);
}

static void say_sregs(const struct vcpu *v, const struct vcpu_sregs *s)
{
	static const char *const names[SEGMENT_N] = {
		[SEGMENT_ES] = " es", [SEGMENT_CS] = " cs", [SEGMENT_SS] = " ss",
		[SEGMENT_DS] = " ds", [SEGMENT_FS] = " fs", [SEGMENT_GS] = " gs",
	};

	kprintf("%s:   cr0 %08lx cr2 %016lx cr3 %09lx cr4 %06lx efer %04lx cpl %u\n", v->vm->name,
		(unsigned long)s->cr0, (unsigned long)s->cr2, (unsigned long)s->cr3,
		(unsigned long)s->cr4, (unsigned long)s->efer, s->cpl);
	for (unsigned i = 0; i < SEGMENT_N; i++)
		say_segment(v, names[i], &s->seg[i]);
	say_segment(v, "ldt", &s->ldtr);
	say_segment(v, " tr", &s->tr);
	kprintf("%s:   gdt %016lx limit %04x idt %016lx limit %04x\n", v->vm->name,
		(unsigned long)s->gdt.base, s->gdt.limit, (unsigned long)s->idt.base, s->idt.limit);
}

static void say_code(struct vcpu *v, const struct vcpu_sregs *s)
{
	uint8_t bytes[INSN_MAX];
	unsigned n = gva_fetch(v, s, bytes, sizeof(bytes));
	char text[3 * INSN_MAX + 1] = "";

	for (unsigned i = 0; i < n; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	kprintf("%s:   bytes at rip:%s\n", v->vm->name, n ? text : " none can be read");
}

/* say_exit() - the exit that ended it; what the hardware said, where only that is known. */
static void say_exit(const struct vcpu *v)
{
	const struct vcpu_exit *e = &v->exit;

	kprintf("%s:   rip %016lx rflags %08lx exit %s\n", v->vm->name, (unsigned long)v->rip,
		(unsigned long)v->rflags, exit_text[e->reason].name);
	if (e->reason == EXIT_MMIO)
		kprintf("%s:   %s at %09lx\n", v->vm->name,
			e->mmio.fetch   ? "instruction fetch"
			: e->mmio.write ? "write"
					: "read",
			(unsigned long)e->mmio.gpa);
	if (e->reason == EXIT_FAILED || e->reason == EXIT_UNKNOWN)
		kprintf("%s:   hardware's reason %lx info %lx %lx\n", v->vm->name,
			(unsigned long)e->hw.hw_reason, (unsigned long)e->hw.info[0],
			(unsigned long)e->hw.info[1]);
}

static void say_past(const struct vcpu *v)
{
	unsigned n = MIN(v->past_n, (uint64_t)VCPU_LAST_EXITS);

	kprintf("%s:   last exits, the latest first:\n", v->vm->name);
	for (unsigned i = 1; i <= n; i++) {
		const struct vcpu_past *p = &v->past[(v->past_n - i) % VCPU_LAST_EXITS];

		kprintf("%s:     %-10s rip %016lx info %lx\n", v->vm->name,
			exit_text[p->reason].name, (unsigned long)p->rip, (unsigned long)p->info);
	}
}

void vm_die(struct vcpu *v, const char *fmt, ...)
{
	struct vm *vm = v->vm;
	struct vcpu_sregs sregs;
	va_list ap;

	if (!vm_end(vm, VM_DEAD))
		return;
	va_start(ap, fmt);
	vsnprintf(vm->death, sizeof(vm->death), fmt, ap);
	va_end(ap);
	backend->get_sregs(v, &sregs);
	kprintf("%s: died: %s (vCPU %u on core %u)\n", vm->name, vm->death, v->id, v->cpu);
	say_exit(v);
	say_gprs(v);
	say_sregs(v, &sregs);
	say_code(v, &sregs);
	say_past(v);
}
