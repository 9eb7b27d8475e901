/* SPDX-License-Identifier: MIT */
/*
 * check_mmio.c - instructions that reach for a device: every form that a decoder has to know,
 * in a page and over its end
 *
 * The device is the IOAPIC's select register, which keeps 8 bits and does nothing: rbx points
 * there, rcx is 4, FS begins there as well. What is wider than a register of it reads the hole,
 * where all bits are ones.
 */
#include "check.h"
#include "apic.h"
#include "code.h"
#include "cpu.h"
#include "lib.h"

#define RFLAGS_CF BIT(0)
#define RFLAGS_ZF BIT(6)
#define UNTOUCHED UINT64_C(0x1122334455667788)
#define ONES      UINT64_C(0xffffffffffffffff)

struct form {
	const char *name;
	uint8_t n, bytes[11];
	uint64_t rax, want;    /* before and after */
	uint8_t before, after; /* of the register */
	uint64_t flags;        /* that must be set of ZF and CF; 0: not looked at */
};

static volatile uint8_t *device;

/* clang-format off */
static const struct form loads[] = {
	{ "mov (rbx), al", 2, { 0x8a, 0x03 }, UNTOUCHED, 0x1122334455667785, 0x85, 0x85, 0 },
	{ "mov (rbx), ax", 3, { 0x66, 0x8b, 0x03 }, UNTOUCHED, 0x1122334455660085, 0x85, 0x85, 0 },
	{ "mov (rbx), eax", 2, { 0x8b, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov (rbx), ah", 2, { 0x8a, 0x23 }, UNTOUCHED, 0x1122334455668588, 0x85, 0x85, 0 },
	{ "mov 4(rbx, rcx), eax", 4, { 0x8b, 0x44, 0x0b, 0xfc }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov -32(rbx, rcx, 8), eax", 4, { 0x8b, 0x44, 0xcb, 0xe0 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov disp32(rbx), eax", 6, { 0x8b, 0x83, 0, 0, 0, 0 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov disp32(rbx, rcx), eax", 7, { 0x8b, 0x84, 0x0b, 0xfc, 0xff, 0xff, 0xff }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov fs:(disp32), eax", 8, { 0x64, 0x8b, 0x04, 0x25, 0, 0, 0, 0 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov fs:(moffs), eax", 10, { 0x64, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "mov (r11), eax", 3, { 0x41, 0x8b, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "cs: rep mov (rbx), eax", 4, { 0x2e, 0xf3, 0x8b, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "movzbl (rbx), eax", 3, { 0x0f, 0xb6, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "movzwl (rbx), eax", 3, { 0x0f, 0xb7, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "movsbl (rbx), eax", 3, { 0x0f, 0xbe, 0x03 }, UNTOUCHED, 0xffffff85, 0x85, 0x85, 0 },
	{ "movsbw (rbx), ax", 4, { 0x66, 0x0f, 0xbe, 0x03 }, UNTOUCHED, 0x112233445566ff85, 0x85, 0x85, 0 },
	{ "movsbq (rbx), rax", 4, { 0x48, 0x0f, 0xbe, 0x03 }, UNTOUCHED, 0xffffffffffffff85, 0x85, 0x85, 0 },
	{ "movswq (rbx), rax", 4, { 0x48, 0x0f, 0xbf, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "movslq (rbx), rax", 3, { 0x48, 0x63, 0x03 }, UNTOUCHED, 0x85, 0x85, 0x85, 0 },
	{ "and (rbx), eax", 2, { 0x23, 0x03 }, 0x0f, 0x05, 0x85, 0x85, 0 },
	{ "or (rbx), eax", 2, { 0x0b, 0x03 }, 0x0f, 0x8f, 0x85, 0x85, 0 },
	{ "xor (rbx), eax", 2, { 0x33, 0x03 }, 0x85, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "add (rbx), al", 2, { 0x02, 0x03 }, 0x7b, 0, 0x85, 0x85, RFLAGS_ZF | RFLAGS_CF },
	{ "sub (rbx), eax", 2, { 0x2b, 0x03 }, 0x84, 0xffffffff, 0x85, 0x85, RFLAGS_CF },
	{ "cmp (rbx), eax", 2, { 0x3b, 0x03 }, 0x85, 0x85, 0x85, 0x85, RFLAGS_ZF },
	{ "cmp al, (rbx)", 2, { 0x38, 0x03 }, 0x85, 0x85, 0x85, 0x85, RFLAGS_ZF },
	{ "cmpb imm, (rbx)", 3, { 0x80, 0x3b, 0x85 }, 0, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "cmpl imm8, (rbx)", 3, { 0x83, 0x3b, 0x05 }, 0, 0, 0x05, 0x05, RFLAGS_ZF },
	{ "cmpl imm32, (rbx)", 6, { 0x81, 0x3b, 0x85, 0, 0, 0 }, 0, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "cmpw imm16, (rbx)", 5, { 0x66, 0x81, 0x3b, 0x85, 0 }, 0, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "testb imm, (rbx)", 3, { 0xf6, 0x03, 0x7a }, 0, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "testl imm, (rbx)", 6, { 0xf7, 0x03, 0x7a, 0, 0, 0 }, 0, 0, 0x85, 0x85, RFLAGS_ZF },
	{ "test eax, (rbx)", 2, { 0x85, 0x03 }, 0x7a, 0x7a, 0x85, 0x85, RFLAGS_ZF },
	{ "bt imm, (rbx)", 4, { 0x0f, 0xba, 0x23, 0x07 }, 0, 0, 0x85, 0x85, RFLAGS_CF },
	{ "bt eax, (rbx)", 3, { 0x0f, 0xa3, 0x03 }, 2, 2, 0x85, 0x85, RFLAGS_CF },
};

static const struct form stores[] = {
	{ "mov al, (rbx)", 2, { 0x88, 0x03 }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "mov ah, (rbx)", 2, { 0x88, 0x23 }, UNTOUCHED, UNTOUCHED, 0x85, 0x77, 0 },
	{ "mov ax, (rbx)", 3, { 0x66, 0x89, 0x03 }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "mov eax, (rbx)", 2, { 0x89, 0x03 }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "mov eax, -4(rbx, rcx)", 4, { 0x89, 0x44, 0x0b, 0xfc }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "mov eax, fs:(moffs)", 10, { 0x64, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0 }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "mov al, fs:(moffs)", 10, { 0x64, 0xa2, 0, 0, 0, 0, 0, 0, 0, 0 }, UNTOUCHED, UNTOUCHED, 0x85, 0x88, 0 },
	{ "movb imm, (rbx)", 3, { 0xc6, 0x03, 0x42 }, 0, 0, 0x85, 0x42, 0 },
	{ "movw imm, (rbx)", 5, { 0x66, 0xc7, 0x03, 0x42, 0 }, 0, 0, 0x85, 0x42, 0 },
	{ "movl imm, (rbx)", 6, { 0xc7, 0x03, 0x42, 0, 0, 0 }, 0, 0, 0x85, 0x42, 0 },
	{ "movl imm, disp32(rbx)", 10, { 0xc7, 0x83, 0, 0, 0, 0, 0x42, 0, 0, 0 }, 0, 0, 0x85, 0x42, 0 },
	{ "orl imm8, (rbx)", 3, { 0x83, 0x0b, 0x0a }, 0, 0, 0x85, 0x8f, 0 },
	{ "lock orl imm8, (rbx)", 4, { 0xf0, 0x83, 0x0b, 0x0a }, 0, 0, 0x85, 0x8f, 0 },
	{ "andl imm32, (rbx)", 6, { 0x81, 0x23, 0x0f, 0, 0, 0 }, 0, 0, 0x85, 0x05, 0 },
	{ "xor eax, (rbx)", 2, { 0x31, 0x03 }, 0x85, 0x85, 0x85, 0, RFLAGS_ZF },
	{ "lock xor eax, (rbx)", 3, { 0xf0, 0x31, 0x03 }, 0x05, 0x05, 0x85, 0x80, 0 },
	{ "addb imm, (rbx)", 3, { 0x80, 0x03, 0x7b }, 0, 0, 0x85, 0, RFLAGS_ZF | RFLAGS_CF },
	{ "sub eax, (rbx)", 2, { 0x29, 0x03 }, 0x05, 0x05, 0x85, 0x80, 0 },
	{ "xchg eax, (rbx)", 2, { 0x87, 0x03 }, 0x42, 0x85, 0x85, 0x42, 0 },
	{ "xchg al, (rbx)", 2, { 0x86, 0x03 }, UNTOUCHED, 0x1122334455667785, 0x85, 0x88, 0 },
};

static const struct form wide[] = { /* of the hole */
	{ "mov (rbx), rax", 3, { 0x48, 0x8b, 0x03 }, UNTOUCHED, ONES, 0, 0, 0 },
	{ "mov rax, (rbx)", 3, { 0x48, 0x89, 0x03 }, UNTOUCHED, UNTOUCHED, 0, 0, 0 },
	{ "movq imm, (rbx)", 7, { 0x48, 0xc7, 0x03, 0x42, 0, 0, 0 }, UNTOUCHED, UNTOUCHED, 0, 0, 0 },
	{ "add (rbx), rax", 3, { 0x48, 0x03, 0x03 }, 1, 0, 0, 0, RFLAGS_ZF | RFLAGS_CF },
	{ "cmpq imm8, (rbx)", 4, { 0x48, 0x83, 0x3b, 0xff }, 0, 0, 0, 0, RFLAGS_ZF },
	{ "xchg rax, (rbx)", 3, { 0x48, 0x87, 0x03 }, UNTOUCHED, ONES, 0, 0, 0 },
	{ "mov fs:(moffs), rax", 11, { 0x64, 0x48, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0 }, UNTOUCHED, ONES, 0, 0, 0 },
	{ "bt rax, (rbx)", 4, { 0x48, 0x0f, 0xa3, 0x03 }, 777, 777, 0, 0, RFLAGS_CF },
};
/* clang-format on */

static const char *holds(const struct form *m, int end, bool is_select)
{
	const struct trap_frame *f = &caught.frame;
	uint64_t flags = f->rflags & (RFLAGS_ZF | RFLAGS_CF);

	if (end != m->n)
		return seen("%s: %u bytes, ended behind %d by exception %lu", m->name, m->n, end,
			    f->vector);
	if (f->rax != m->want)
		return seen("%s: rax %lx, not %lx", m->name, f->rax, m->want);
	if (m->flags && flags != m->flags)
		return seen("%s: flags %lx, not %lx", m->name, flags, m->flags);
	if (is_select && readl(device) != m->after)
		return seen("%s: left %x, not %x", m->name, readl(device), m->after);
	return NULL;
}

static const char *one(const struct form *m, bool is_select, bool across)
{
	struct trap_frame f = code_registers();

	if (is_select)
		writel(device, m->before);
	f.rbx = f.r11 = (uintptr_t)device;
	f.rcx = 4;
	f.rax = m->rax;
	return holds(m, code_run(m->bytes, m->n, across, &f), is_select);
}

static const char *each(uint64_t address, const struct form *m, unsigned forms)
{
	const char *wrong = NULL;

	device = ioremap(address, PAGE_SIZE);
	wrmsr(MSR_FS_BASE, (uintptr_t)device);
	for (unsigned i = 0; i < 2 * forms && !wrong; i++)
		wrong = one(&m[i / 2], address == IOAPIC_BASE, i % 2);
	return wrong;
}

static const char *check_mmio_load(int n, char **word)
{
	(void)n;
	(void)word;
	return each(IOAPIC_BASE, loads, ARRAY_SIZE(loads));
}

static const char *check_mmio_store(int n, char **word)
{
	(void)n;
	(void)word;
	return each(IOAPIC_BASE, stores, ARRAY_SIZE(stores));
}

static const char *check_mmio_wide(int n, char **word)
{
	(void)n;
	(void)word;
	return each(HOLE, wide, ARRAY_SIZE(wide));
}

/* --- strings --- */

/* each a move between RAM on both sides of a page's end and a device that reads all ones */
static const char *check_mmio_string(int n, char **word)
{
	static uint8_t pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	volatile uint8_t *hole = ioremap(HOLE, PAGE_SIZE);
	uint8_t *buf = pages + PAGE_SIZE - 6;
	const volatile uint8_t *from = hole;
	uint64_t count = 3, rax = 0;
	uint8_t *to = buf;

	(void)n;
	(void)word;
	memset(pages, 0, sizeof(pages));
	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
	for (unsigned i = 0; i < 12; i++)
		if (buf[i] != 0xff)
			return seen("rep movsl: byte %u is %x", i, buf[i]);
	if (count || from != hole + 12 || to != buf + 12 || buf[12] || buf[-1])
		return seen("rep movsl: rcx %lx rsi %lx rdi %lx", count, (uint64_t)from,
			    (uint64_t)to);
	count = 5;
	from = hole + 4;
	to = buf + 4;
	memset(pages, 0, sizeof(pages));
	__asm__ volatile("std; rep movsb; cld" : "+S"(from), "+D"(to), "+c"(count)::"memory");
	if (count || to != buf - 1 || buf[0] != 0xff || buf[4] != 0xff || buf[5] || buf[-1])
		return seen("rep movsb downwards: rcx %lx, %x to %x", count, buf[0], buf[4]);
	to = (uint8_t *)hole;
	count = 2000; /* more than Weir does in an exit */
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	if (count || to != hole + 8000)
		return seen("rep stosl: rcx %lx rdi %lx", count, (uint64_t)to);
	from = hole;
	__asm__ volatile("lodsq" : "+S"(from), "+a"(rax)::"memory");
	if (rax != ONES || from != hole + 8)
		return seen("lodsq: rax %lx rsi %lx", rax, (uint64_t)from);
	return NULL;
}

CHECK(mmio_load_check, .name = "mmio-load", .help = "loads from a device, all forms",
      .run = check_mmio_load);
CHECK(mmio_store_check, .name = "mmio-store", .help = "stores and read-modify-writes likewise",
      .run = check_mmio_store);
CHECK(mmio_wide_check, .name = "mmio-wide", .help = "the same of 8 bytes", .run = check_mmio_wide);
CHECK(mmio_string_check, .name = "mmio-string", .help = "movs, stos, lods, across pages",
      .run = check_mmio_string);
