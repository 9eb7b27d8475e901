/* SPDX-License-Identifier: MIT */
/* links: vmm/emulate.c vmm/alu.c vmm/operand.c vmm/access.c vmm/decode.c vmm/gva.c vmm/bus.c tests/unit/host.c */
/*
 * test_emulate.c - instructions of a guest against devices: as this host's own CPU
 * would have carried them out
 *
 * The guest has 4 MiB of RAM, a device of plain bytes at DEVICE, a doorbell behind it and holes
 * elsewhere; linear addresses are physical ones below 4 GiB, and pages of its own choosing from
 * PAGES on. Instructions are the assembler's.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/x86.h"
#include "vmm/access.h"
#include "vmm/backend.h"
#include "vmm/decode.h"
#include "vmm/emulate.h"
#include "vmm/vm.h"

enum {
	RAM = 4 << 20,
	PML4 = 0x1000,
	PDPT = 0x2000,
	PD = 0x3000,
	PT = 0x4000,
	CODE = 0x10000,
	DATA = 0x20000,
	SIZE = 0x3000, /* of the device */
	PORT = 0x1f0,
};
#define DEVICE   UINT64_C(0xe0000000)
#define DOORBELL (DEVICE + SIZE)
#define HOLE     UINT64_C(0xd0000000)
#define PAGES    UINT64_C(0x100000000) /* 512 pages of 4 KiB by the entries at PT */

#define P     BIT(0)
#define RW    BIT(1)
#define PF_P  1 /* error code of a page fault */
#define PF_W  2
#define PF_US 4
#define PS    BIT(7)

#define CF     BIT(0)
#define PF     BIT(2)
#define AF     BIT(4)
#define ZF     BIT(6)
#define SF     BIT(7)
#define DF     BIT(10)
#define OF     BIT(11)
#define RF     BIT(16)
#define STATUS (CF | PF | AF | ZF | SF | OF)

static struct vm vm;
static struct vcpu vcpu;
static struct vcpu_sregs sregs;

/* --- the machine --- */

static void get_sregs(struct vcpu *v, struct vcpu_sregs *s)
{
	assert_ptr_equal(v, &vcpu);
	*s = sregs;
}

static uint8_t fetched_bytes[INSN_MAX]; /* by the CPU, which tells */
static unsigned nfetched;

static unsigned fetched(struct vcpu *v, uint8_t *bytes)
{
	assert_ptr_equal(v, &vcpu);
	memcpy(bytes, fetched_bytes, nfetched);
	return nfetched;
}

static unsigned steps;

void vcpu_single_step(struct vcpu *u)
{
	(void)u;
	steps++;
}

static const struct vmm_backend fake_backend = {
	.name = "fake",
	.get_sregs = get_sregs,
	.fetched = fetched,
};
const struct vmm_backend *backend = &fake_backend;

/* the device: bytes, and what was asked of it last */
static uint8_t device[SIZE];
static unsigned reads, writes, last_size;
static uint64_t last_offset;

static void asked(uint64_t offset, unsigned size, bool locked)
{
	assert_int_equal(vm.lock.locked, locked);
	assert_true(size && size <= 8 && offset + size <= SIZE);
	last_offset = offset;
	last_size = size;
}

static uint64_t device_read(void *arg, uint64_t offset, unsigned size)
{
	/* above what was asked for: must not be seen */
	uint64_t value = UINT64_C(0xdeadbeefdeadbeef);

	assert_ptr_equal(arg, &vm);
	asked(offset, size, true);
	reads++;
	memcpy(&value, device + offset, size);
	return value;
}

static void device_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	assert_ptr_equal(arg, &vm);
	asked(offset, size, true);
	writes++;
	assert_true(size == 8 || !(value >> 8 * size));
	memcpy(device + offset, &value, size);
}

static uint64_t device_has(unsigned offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, device + offset, size);
	return value;
}

static unsigned rings, peeks;

static uint64_t doorbell_read(void *arg, uint64_t offset, unsigned size)
{
	(void)arg;
	asked(offset, size, false);
	peeks++;
	return 0;
}

static void doorbell_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	(void)arg;
	(void)value;
	asked(offset, size, false);
	rings++;
}

/* the port: counts up, and keeps what it was told */
static unsigned port_reads, port_said;
static uint8_t port_heard[8192];

static uint64_t port_read(void *arg, uint64_t offset, unsigned size)
{
	(void)arg;
	asked(offset, size, true);
	return 0x04030201 + port_reads++ * 0x04040404u;
}

static void port_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	(void)arg;
	asked(offset, size, true);
	assert_true(port_said + size <= sizeof(port_heard));
	memcpy(port_heard + port_said, &value, size);
	port_said += size;
}

/* the local APIC */
static unsigned lapic_reads, lapic_writes;

uint64_t vlapic_mmio_read(struct vlapic *l, uint64_t offset, unsigned size)
{
	assert_ptr_equal(l, &vcpu.lapic);
	asked(offset, size, false);
	lapic_reads++;
	return 0x12345678;
}

void vlapic_mmio_write(struct vlapic *l, uint64_t offset, unsigned size, uint64_t value)
{
	(void)value;
	assert_ptr_equal(l, &vcpu.lapic);
	asked(offset, size, false);
	lapic_writes++;
}

static void put64(uint64_t at, uint64_t value)
{
	assert_true(gpa_write(&vm.mem, at, &value, sizeof(value)));
}

static void map_page(unsigned n, uint64_t entry)
{
	put64(PT + n * 8, entry);
}

static void build_tables(void)
{
	put64(PML4, PDPT | P | RW);
	for (unsigned i = 0; i < 4; i++)
		put64(PDPT + i * 8, i * UINT64_C(0x40000000) | P | RW | PS);
	put64(PDPT + 4 * 8, PD | P | RW);
	put64(PD, PT | P | RW);
}

static void add_ranges(void)
{
	const struct bus_range memory = { DEVICE,       SIZE, "device", device_read,
					  device_write, &vm,  false,    false };
	const struct bus_range doorbell = { DOORBELL,       0x1000, "doorbell", doorbell_read,
					    doorbell_write, &vm,    true,       false };
	const struct bus_range port = { PORT, 8, "port", port_read, port_write, &vm, false, false };

	assert_int_equal(bus_add(&vm.memory, &memory), 0);
	assert_int_equal(bus_add(&vm.memory, &doorbell), 0);
	assert_int_equal(bus_add(&vm.ports, &port), 0);
}

/* In 64-bit mode, before CODE. */
static int up(void **state)
{
	(void)state;
	host_cores(1);
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.state = VCPU_RUNNING;
	nfetched = 0;
	memset(&sregs, 0, sizeof(sregs));
	memset(device, 0, sizeof(device));
	reads = writes = rings = peeks = port_reads = port_said = lapic_reads = lapic_writes = 0;
	gpa_map_init(&vm.mem, aligned_alloc(2 << 20, RAM), RAM);
	memset(vm.mem.ram, 0, RAM);
	add_ranges();
	build_tables();
	vcpu.vm = &vm;
	vcpu.rip = CODE;
	sregs.cr0 = CR0_PE | CR0_PG | CR0_WP;
	sregs.cr3 = PML4;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	sregs.seg[SEGMENT_CS].attr = SEG_L;
	return 0;
}

static int down(void **state)
{
	(void)state;
	assert_int_equal(vm.lock.locked, 0);
	free(vm.mem.ram);
	return 0;
}

static void protected_mode(void)
{
	sregs.cr0 = CR0_PE;
	sregs.cr4 = sregs.efer = 0;
	sregs.seg[SEGMENT_CS].attr = SEG_DB;
}

/* --- instructions --- */

struct code {
	const uint8_t *bytes;
	unsigned len;
};

/* ASM("mov eax, [rdi]") - the assembler's bytes of it */
#define ASM_BITS(bits, text)                                                  \
	({                                                                    \
		const uint8_t *begin_, *end_;                                 \
		__asm__(".pushsection .rodata\n\t.intel_syntax noprefix\n\t"  \
			".code" #bits "\n771:\t" text "\n772:\n\t.code64\n\t" \
			".att_syntax prefix\n\t.popsection\n\t"               \
			"lea 771b(%%rip), %0\n\tlea 772b(%%rip), %1"          \
			: "=r"(begin_), "=r"(end_));                          \
		(struct code){ begin_, end_ - begin_ };                       \
	})
#define ASM(text)    ASM_BITS(64, text)
#define ASM_32(text) ASM_BITS(32, text)

static uint8_t said[INSN_MAX];
static unsigned nsaid;

/* exits() - @code stands at rip, and its access to @gpa exits. Returns what emulate_mmio() does. */
static int exits(struct code code, uint64_t gpa, bool write)
{
	assert_true(gpa_write(&vm.mem, vcpu.rip, code.bytes, code.len));
	vcpu.exit = (struct vcpu_exit){ .reason = EXIT_MMIO };
	vcpu.exit.mmio.gpa = gpa;
	vcpu.exit.mmio.write = write;
	return emulate_mmio(&vcpu, said, &nsaid);
}

static void done(struct code code, uint64_t gpa, bool write)
{
	uint64_t next = vcpu.rip + code.len;

	steps = 0;
	assert_int_equal(exits(code, gpa, write), 0);
	assert_int_equal(vcpu.rip, next);
	assert_int_equal(steps, vcpu.rflags & RFLAGS_TF ? 1 : 0);
}

static void refused(struct code code, uint64_t gpa, bool write)
{
	struct vcpu before = vcpu;

	assert_int_equal(exits(code, gpa, write), -EINVAL);
	assert_int_equal(vcpu.rip, before.rip);
	assert_int_equal(vcpu.rflags, before.rflags);
	assert_memory_equal(vcpu.gpr, before.gpr, sizeof(vcpu.gpr));
	assert_int_equal(reads + writes, 0);
}

/* --- against this host's CPU --- */

/* clang-format off */
#define SIZES(X, op, undefined) \
	X(op " [rdi], cl", undefined) X(op " [rdi], cx", undefined) \
	X(op " [rdi], ecx", undefined) X(op " [rdi], rcx", undefined)
#define BOTH_WAYS(X, op, undefined) \
	SIZES(X, op, undefined) \
	X(op " ah, [rdi]", undefined) X(op " [rdi], bh", undefined) \
	X(op " dl, [rdi]", undefined) X(op " dx, [rdi]", undefined) \
	X(op " edx, [rdi]", undefined) X(op " rdx, [rdi]", undefined)
#define IMMEDIATES(X, op, undefined) \
	X(op " byte ptr [rdi], 0x8f", undefined) X(op " word ptr [rdi], 0x8765", undefined) \
	X(op " dword ptr [rdi], 0x87654321", undefined) X(op " qword ptr [rdi], 0x12345678", undefined) \
	X(op " qword ptr [rdi], -2", undefined)
#define ALU(X, op, undefined) BOTH_WAYS(X, op, undefined) IMMEDIATES(X, op, undefined) \
	X(op " dword ptr [rdi], -3", undefined) X(op " word ptr [rdi], 5", undefined)
/* an instruction, and the flags that it leaves undefined */
#define AS_THE_HOST(X) \
	BOTH_WAYS(X, "mov", 0) IMMEDIATES(X, "mov", 0) \
	ALU(X, "and", AF) ALU(X, "or", AF) ALU(X, "xor", AF) ALU(X, "add", 0) ALU(X, "sub", 0) ALU(X, "cmp", 0) \
	SIZES(X, "test", AF) IMMEDIATES(X, "test", AF) X("test [rdi], ah", AF) \
	SIZES(X, "xchg", 0) X("xchg [rdi], dh", 0) \
	X("movzx eax, byte ptr [rdi]", 0) X("movzx ax, byte ptr [rdi]", 0) X("movzx rcx, word ptr [rdi]", 0) \
	X("movzx ebx, word ptr [rdi]", 0) X("movsx eax, byte ptr [rdi]", 0) X("movsx ax, byte ptr [rdi]", 0) \
	X("movsx rdx, byte ptr [rdi]", 0) X("movsx ebx, word ptr [rdi]", 0) X("movsx rbx, word ptr [rdi]", 0) \
	X("movsxd rcx, dword ptr [rdi]", 0) \
	X("bt word ptr [rdi], 13", OF | SF | AF | PF) X("bt dword ptr [rdi], 31", OF | SF | AF | PF) \
	X("bt qword ptr [rdi], 47", OF | SF | AF | PF) \
	X("lock or dword ptr [rdi], 0x40", AF) X("lock add [rdi], rcx", 0) X("lock xor byte ptr [rdi], 1", AF)
/* clang-format on */

/* executable, with a RET behind; the first byte is the length without it */
#define CALLABLE(text, undefined) ".byte 2f - 1f\n1:\t" text "\n2:\tret\n\t.balign 32, 0xcc\n\t"
#define ROW(text, undefined)      { text, undefined },

__asm__(".pushsection .text\n\t.balign 32\n\t.intel_syntax noprefix\ncallable:\n\t" AS_THE_HOST(
	CALLABLE) ".att_syntax prefix\n\t.popsection");
extern const struct callable {
	uint8_t len, bytes[31];
} callable[];
static const struct row {
	const char *text;
	uint64_t undefined;
} rows[] = { AS_THE_HOST(ROW) };

/* run_here() - the same on this CPU, with @memory at RDI; RAX, RCX, RDX, RBX as in @gpr */
static void run_here(const struct callable *c, uint64_t *gpr, void *memory, uint64_t *flags)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpush %[flags]\n\tpopfq\n\tcall *%[code]\n\t"
			 "pushfq\n\tpop %[flags]\n\tlea 128(%%rsp), %%rsp"
			 : "+a"(gpr[GPR_RAX]), "+c"(gpr[GPR_RCX]), "+d"(gpr[GPR_RDX]),
			   "+b"(gpr[GPR_RBX]), [flags] "+r"(*flags)
			 : "D"(memory), [code] "r"(c->bytes)
			 : "memory", "cc");
}

/* xorshift64*: the same numbers everywhere; every other one an edge */
static uint64_t number(void)
{
	static const uint64_t edges[] = { 0,          1,          0x7f,
					  0x80,       0xff,       0x7fff,
					  0x8000,     0xffff,     0x7fffffff,
					  0x80000000, 0xffffffff, INT64_MAX,
					  BIT(63),    UINT64_MAX, 0x0123456789abcdef };
	static uint64_t x = 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x & BIT(20) ? edges[(x >> 33) % ARRAY_SIZE(edges)] : x * 0x2545f4914f6cdd1dul;
}

/* which exit the access would be: a read of what is then written may exit as either */
static bool try_exit(const struct callable *c, bool write)
{
	return !exits((struct code){ c->bytes, c->len }, DEVICE + 0x108, write);
}

static void compare(const struct row *row, const struct callable *c, bool write)
{
	uint64_t memory[3] = { number(), number(), number() }, gpr[GPR_N], flags, at;

	for (unsigned r = 0; r < GPR_N; r++)
		gpr[r] = vcpu.gpr[r] = number();
	vcpu.gpr[GPR_RDI] = gpr[GPR_RDI] = DEVICE + 0x108;
	flags = vcpu.rflags = (number() & STATUS) | RFLAGS_FIXED | RFLAGS_IF;
	memcpy(device + 0x100, memory, sizeof(memory));
	vcpu.rip = at = CODE;
	if (!try_exit(c, write) && !try_exit(c, !write))
		fail_msg("%s: refused", row->text);
	assert_int_equal(vcpu.rip, at + c->len);
	run_here(c, gpr, &memory[1], &flags);
	for (unsigned r = 0; r < GPR_N; r++)
		if (gpr[r] != vcpu.gpr[r])
			fail_msg("%s: register %u is %#lx here and %#lx emulated", row->text, r,
				 (unsigned long)gpr[r], (unsigned long)vcpu.gpr[r]);
	if (memcmp(memory, device + 0x100, sizeof(memory)))
		fail_msg("%s: memory is %#lx here", row->text, (unsigned long)memory[1]);
	if ((flags ^ vcpu.rflags) & STATUS & ~row->undefined)
		fail_msg("%s: flags are %#lx here and %#lx emulated", row->text,
			 (unsigned long)flags, (unsigned long)vcpu.rflags);
	assert_true(vcpu.rflags & RFLAGS_IF);
}

static void does_what_this_cpu_does(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(rows); k++)
		for (unsigned n = 0; n < 300; n++)
			compare(&rows[k], &callable[k], n & 1);
}

/* --- one access --- */

static void asks_the_device_once_at_offset_and_size(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RBX] = DEVICE;
	vcpu.gpr[GPR_RCX] = 0x20;
	done(ASM("mov [rbx+rcx*4+0x14], ax"), DEVICE + 0x94, true);
	assert_int_equal(last_offset, 0x94);
	assert_int_equal(last_size, 2);
	assert_int_equal(writes, 1);
	done(ASM("movzx eax, word ptr [rbx+rcx*4+0x14]"), DEVICE + 0x94, false);
	assert_int_equal(reads, 1);
	done(ASM("mov rdx, [rbx+8]"), DEVICE + 8, false);
	assert_int_equal(last_size, 8);
}

static void reads_ones_from_holes_and_counts_them(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RAX] = 0x1111111111111111;
	vcpu.gpr[GPR_RDI] = HOLE;
	done(ASM("mov ax, [rdi]"), HOLE, false);
	assert_int_equal(vcpu.gpr[GPR_RAX], 0x111111111111ffff);
	done(ASM("mov eax, [rdi]"), HOLE, false);
	assert_int_equal(vcpu.gpr[GPR_RAX], 0xffffffff);
	done(ASM("mov [rdi], eax"), HOLE, true);
	assert_int_equal(vm.memory.hole[0].address, HOLE);
	assert_int_equal(vm.memory.hole[0].reads, 2);
	assert_int_equal(vm.memory.hole[0].writes, 1);
}

static void rings_a_doorbell_without_the_lock(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = DOORBELL;
	done(ASM("mov [rdi+4], eax"), DOORBELL + 4, true);
	assert_int_equal(rings, 1);
	assert_int_equal(last_offset, 4);
	done(ASM("mov eax, [rdi]"), DOORBELL, false);
	assert_int_equal(peeks, 1);
}

static void reaches_its_own_lapic_in_xapic_mode_only(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = VLAPIC_BASE;
	vcpu.lapic.apic_base = VLAPIC_BASE | APIC_BASE_ENABLE;
	done(ASM("mov eax, [rdi+0x20]"), VLAPIC_BASE + 0x20, false);
	assert_int_equal(vcpu.gpr[GPR_RAX], 0x12345678);
	done(ASM("mov dword ptr [rdi+0xb0], 0"), VLAPIC_BASE + 0xb0, true);
	assert_int_equal(lapic_reads, 1);
	assert_int_equal(lapic_writes, 1);
	assert_int_equal(last_offset, 0xb0);
	mmio_write(&vcpu, VLAPIC_BASE - 2, 4, 0); /* half outside */
	assert_int_equal(mmio_read(&vcpu, VLAPIC_BASE + 0xffe, 4), 0xffffffff);
	assert_int_equal(lapic_reads + lapic_writes, 2);
	vcpu.lapic.apic_base |= APIC_BASE_X2APIC;
	done(ASM("mov eax, [rdi+0x20]"), VLAPIC_BASE + 0x20, false);
	vcpu.lapic.apic_base = VLAPIC_BASE;
	done(ASM("mov eax, [rdi+0x20]"), VLAPIC_BASE + 0x20, false);
	assert_int_equal(lapic_reads, 1);
	assert_int_equal(vm.memory.hole[2].reads, 2);
	vcpu.lapic.apic_base = HOLE | APIC_BASE_ENABLE; /* the guest moved it */
	vcpu.gpr[GPR_RDI] = HOLE;
	done(ASM("mov eax, [rdi+0x20]"), HOLE + 0x20, false);
	assert_int_equal(lapic_reads, 2);
}

static void adds_bases_of_fs_and_gs_and_no_others_in_64_bit_mode(void **state)
{
	(void)state;
	sregs.seg[SEGMENT_GS].base = DEVICE;
	sregs.seg[SEGMENT_DS].base = sregs.seg[SEGMENT_SS].base = 0x55;
	vcpu.gpr[GPR_RDI] = 0x30;
	done(ASM("mov gs:[rdi], ecx"), DEVICE + 0x30, true);
	vcpu.gpr[GPR_RDI] = vcpu.gpr[GPR_RBP] = DEVICE;
	done(ASM("mov [rdi], ecx"), DEVICE, true);
	done(ASM("mov [rbp+4], ecx"), DEVICE + 4, true);
	assert_int_equal(last_offset, 4);
}

static void computes_addresses_of_32_bit_code(void **state)
{
	(void)state;
	protected_mode();
	sregs.seg[SEGMENT_DS].base = DEVICE;
	sregs.seg[SEGMENT_SS].base = DEVICE + 0x1008;
	vcpu.gpr[GPR_RDI] = 0xfffffff0;
	vcpu.gpr[GPR_RBP] = 0x10;
	done(ASM_32("mov [edi+0x20], ecx"), DEVICE + 0x10, true);
	assert_int_equal(last_offset, 0x10);
	done(ASM_32("mov [ebp], ecx"), DEVICE + 0x1018, true);
	assert_int_equal(last_offset, 0x1018);
	vcpu.gpr[GPR_RBX] = 0x7fff1234;
	done(ASM_32("mov [bx+2], ecx"), DEVICE + 0x1236, true);
	assert_int_equal(last_offset, 0x1236);
}

static void finds_what_lies_relative_to_the_next_instruction(void **state)
{
	(void)state;
	map_page(0, CODE | P);
	map_page(1, DEVICE | P | RW);
	vcpu.rip = PAGES;
	assert_true(gpa_write(&vm.mem, CODE, ASM("mov dword ptr [rip+0x1000], 7").bytes, 10));
	vcpu.exit.mmio.gpa = DEVICE + 10;
	vcpu.exit.mmio.write = true;
	assert_int_equal(emulate_mmio(&vcpu, said, &nsaid), 0);
	assert_int_equal(device[10], 7);
	assert_int_equal(vcpu.rip, PAGES + 10);
}

static void tests_bits_far_from_the_operand(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE + 0x100;
	device[0x10c] = 0x40;
	device[0xff] = 0x80;
	vcpu.gpr[GPR_RCX] = 12 * 8 + 6;
	done(ASM("bt [rdi], ecx"), DEVICE + 0x10c, false);
	assert_true(vcpu.rflags & CF);
	vcpu.gpr[GPR_RCX] = 12 * 8 + 5;
	done(ASM("bt [rdi], ecx"), DEVICE + 0x10c, false);
	assert_false(vcpu.rflags & CF);
	vcpu.gpr[GPR_RCX] = 0xffff; /* -1 of 16 bits */
	done(ASM("bt [rdi], cx"), DEVICE + 0xfe, false);
	assert_true(vcpu.rflags & CF);
}

static void leaves_no_shadow_and_no_resume_flag(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	vcpu.irq_shadow = true;
	vcpu.rflags = RF | DF | RFLAGS_FIXED;
	done(ASM("mov [rdi], ecx"), DEVICE, true);
	assert_false(vcpu.irq_shadow);
	assert_int_equal(vcpu.rflags, DF | RFLAGS_FIXED);
}

static void wraps_rip_of_32_bit_code(void **state)
{
	struct code store = ASM_32("mov [edi], ecx");

	(void)state;
	protected_mode();
	sregs.seg[SEGMENT_CS].base = CODE + 2;
	vcpu.rip = 0xfffffffe;
	vcpu.gpr[GPR_RDI] = DEVICE;
	assert_true(gpa_write(&vm.mem, CODE, store.bytes, store.len));
	vcpu.exit.mmio.gpa = DEVICE;
	vcpu.exit.mmio.write = true;
	assert_int_equal(emulate_mmio(&vcpu, said, &nsaid), 0);
	assert_int_equal(vcpu.rip, 0);
}

/* --- what does not fit --- */

static void refuses_what_it_cannot_decode_and_shows_the_bytes(void **state)
{
	struct code code = ASM("movups [rdi], xmm0");

	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	refused(code, DEVICE, true);
	assert_int_equal(nsaid, INSN_MAX);
	assert_memory_equal(said, code.bytes, code.len);
	refused(ASM("hlt"), DEVICE, true);
}

static void refuses_an_instruction_that_does_not_fit_the_exit(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	refused(ASM("mov [rdi], eax"), DEVICE, false);
	refused(ASM("mov eax, [rdi]"), DEVICE, true);
	refused(ASM("cmp [rdi], eax"), DEVICE, true);
	refused(ASM("add eax, [rdi]"), DEVICE, true);
	refused(ASM("mov [rdi], eax"), DEVICE + 4, true); /* another offset */
	refused(ASM("mov [rdi], eax"), DATA, true);       /* RAM does not exit */
	vcpu.gpr[GPR_RDI] = DEVICE + 0xffe;
	refused(ASM("mov [rdi], eax"), DEVICE + 0xffe, true); /* across a page's end */
}

static void refuses_code_that_lies_in_no_ram(void **state)
{
	(void)state;
	vcpu.rip = vcpu.gpr[GPR_RDI] = HOLE;
	vcpu.exit.mmio.gpa = HOLE;
	vcpu.exit.mmio.fetch = true;
	assert_int_equal(emulate_mmio(&vcpu, said, &nsaid), -EINVAL);
	assert_int_equal(nsaid, 0);
	/* it was a jump there, whatever stands at rip by now */
	vcpu.rip = CODE;
	assert_true(gpa_write(&vm.mem, CODE, ASM("mov eax, [rdi]").bytes, 2));
	assert_int_equal(emulate_mmio(&vcpu, said, &nsaid), -EINVAL);
}

/* --- bytes that the CPU hands over --- */

static void cpu_hands_over(struct code code)
{
	memcpy(fetched_bytes, code.bytes, code.len);
	nfetched = code.len;
}

static void what_the_cpu_has_fetched_is_carried_out_not_what_stands_there_now(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	vcpu.gpr[GPR_RCX] = 0x11223344;
	cpu_hands_over(ASM("mov [rdi], ecx"));
	done(ASM("mov [rdi], cl"), DEVICE, true);
	assert_int_equal(last_size, 4);
	assert_int_equal(device_has(0, 4), 0x11223344);
}

static void bytes_that_are_no_whole_instruction_are_fetched_again(void **state)
{
	struct code code = ASM("mov dword ptr [rdi], 7");

	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	cpu_hands_over(code);
	nfetched = 2; /* the rest lies on the next page */
	done(code, DEVICE, true);
	assert_int_equal(device_has(0, 4), 7);
}

/* --- strings --- */

static void count_up(void *to, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		((uint8_t *)to)[k] = k * 7 + k / 256;
}

static void moves_one_element_either_way(void **state)
{
	(void)state;
	put64(DATA, 0x8877665544332211);
	vcpu.gpr[GPR_RSI] = DATA;
	vcpu.gpr[GPR_RDI] = DEVICE + 8;
	done(ASM("movsd"), DEVICE + 8, true);
	assert_int_equal(device_has(8, 4), 0x44332211);
	assert_int_equal(vcpu.gpr[GPR_RSI], DATA + 4);
	assert_int_equal(vcpu.gpr[GPR_RDI], DEVICE + 12);
	vcpu.gpr[GPR_RSI] = DEVICE + 8;
	vcpu.gpr[GPR_RDI] = DATA + 0x100;
	vcpu.rflags |= DF;
	done(ASM("movsb"), DEVICE + 8, false);
	assert_int_equal(vm.mem.ram[DATA + 0x100], 0x11);
	assert_int_equal(vcpu.gpr[GPR_RSI], DEVICE + 7);
	assert_int_equal(vcpu.gpr[GPR_RDI], DATA + 0xff);
}

static void repeats_from_device_to_ram(void **state)
{
	(void)state;
	count_up(device, 600);
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RDI] = DATA + 1;
	vcpu.gpr[GPR_RCX] = 600;
	done(ASM("rep movsb"), DEVICE, false);
	assert_memory_equal(vm.mem.ram + DATA + 1, device, 600);
	assert_int_equal(vm.mem.ram[DATA + 601], 0);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0);
	assert_int_equal(vcpu.gpr[GPR_RSI], DEVICE + 600);
	assert_int_equal(reads, 600);
}

static void repeats_across_pages_that_lie_apart(void **state)
{
	(void)state;
	map_page(0, 0x30000 | P | RW);
	map_page(1, 0x50000 | P | RW);
	map_page(2, DEVICE | P | RW);
	map_page(3, (DEVICE + 0x2000) | P | RW);
	count_up(vm.mem.ram + 0x30000, 0x1000);
	count_up(vm.mem.ram + 0x50000, 0x1000);
	vcpu.gpr[GPR_RSI] = PAGES + 0xf02; /* an element lies on both sides of the page's end */
	vcpu.gpr[GPR_RDI] = PAGES + 0x2f00;
	vcpu.gpr[GPR_RCX] = 0x80;
	done(ASM("rep movsd"), DEVICE + 0xf00, true);
	assert_memory_equal(device + 0xf00, vm.mem.ram + 0x30f02, 0xfe);
	assert_memory_equal(device + 0xffe, vm.mem.ram + 0x50000, 2);
	assert_memory_equal(device + 0x2000, vm.mem.ram + 0x50002, 0x100);
	/* and back, to the odd address */
	memset(vm.mem.ram + 0x30000, 0, 0x1000);
	vcpu.gpr[GPR_RSI] = PAGES + 0x2f00;
	vcpu.gpr[GPR_RDI] = PAGES + 0xf02;
	vcpu.gpr[GPR_RCX] = 0x40;
	done(ASM("rep movsd"), DEVICE + 0xf00, false);
	assert_memory_equal(vm.mem.ram + 0x30f02, device + 0xf00, 0xfe);
	assert_memory_equal(vm.mem.ram + 0x50000, device + 0xffe, 2);
}

static void stops_at_a_bound_and_goes_on_at_the_next_exit(void **state)
{
	struct code code = ASM("rep stosb");

	(void)state;
	vcpu.gpr[GPR_RDI] = DEVICE;
	vcpu.gpr[GPR_RCX] = 5000;
	vcpu.gpr[GPR_RAX] = 0x5a;
	vcpu.irq_shadow = true;
	assert_int_equal(exits(code, DEVICE, true), 0);
	assert_int_equal(vcpu.rip, CODE);
	assert_int_equal(vcpu.gpr[GPR_RCX], 5000 - 4096);
	assert_int_equal(vcpu.gpr[GPR_RDI], DEVICE + 4096);
	done(code, DEVICE + 4096, true);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0);
	assert_int_equal(writes, 5000);
	assert_int_equal(device[4999], 0x5a);
	assert_int_equal(device[5000], 0);
}

static void loads_and_stores_strings_by_the_accumulator(void **state)
{
	(void)state;
	count_up(device, 64);
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RAX] = UINT64_MAX;
	done(ASM("lodsw"), DEVICE, false);
	assert_int_equal(vcpu.gpr[GPR_RAX], 0xffffffffffff0700);
	vcpu.gpr[GPR_RCX] = 3;
	done(ASM("rep lodsd"), DEVICE + 2, false);
	assert_int_equal(vcpu.gpr[GPR_RAX], device_has(10, 4));
	vcpu.gpr[GPR_RAX] = 0x1122334455667788;
	vcpu.gpr[GPR_RDI] = DEVICE + 24;
	vcpu.gpr[GPR_RCX] = 2;
	vcpu.rflags |= DF;
	done(ASM("rep stosq"), DEVICE + 24, true);
	assert_int_equal(device_has(16, 8), 0x1122334455667788);
	assert_int_equal(vcpu.gpr[GPR_RDI], DEVICE + 8);
}

static void counts_in_the_address_size(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RCX] = 0x700000002;
	vcpu.gpr[GPR_RDI] = 0x900000000 | (DEVICE + 0xffc);
	done(ASM("rep stos dword ptr es:[edi]"), DEVICE + 0xffc, true);
	assert_int_equal(writes, 2);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0);
	assert_int_equal(vcpu.gpr[GPR_RDI], DEVICE + 0x1004);
	protected_mode();
	sregs.seg[SEGMENT_ES].base = DEVICE;
	vcpu.gpr[GPR_RCX] = 0x50002;
	vcpu.gpr[GPR_RDI] = 0x60ffe;
	done(ASM_32("rep stos word ptr es:[di]"), DEVICE + 0xffe, true);
	assert_int_equal(writes, 4);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0x50000);
	assert_int_equal(vcpu.gpr[GPR_RDI], 0x61002);
}

static int string_exits(struct code code, bool in, unsigned size)
{
	assert_true(gpa_write(&vm.mem, vcpu.rip, code.bytes, code.len));
	vcpu.exit = (struct vcpu_exit){ .reason = EXIT_IO };
	vcpu.exit.io.port = PORT;
	vcpu.exit.io.size = size;
	vcpu.exit.io.in = in;
	vcpu.exit.io.string = true;
	return emulate_string_io(&vcpu);
}

/* page_faults() - that is what waits to be injected; it is taken back */
static void page_faults(uint64_t cr2, uint32_t error)
{
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.event.vector, EXCEPTION_PF);
	assert_true(vcpu.event.has_error);
	assert_int_equal(vcpu.event.error, error);
	assert_int_equal(vcpu.event.cr2, cr2);
	vcpu.event.type = EVENT_NONE;
}

static void faults_at_the_second_page_of_an_element(void **state)
{
	(void)state;
	map_page(0, 0x30000 | P | RW);
	map_page(1, 0x31000 | P);
	sregs.cr0 |= CR0_WP;
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RDI] = PAGES + 0xffe;
	assert_int_equal(exits(ASM("movsd"), DEVICE, false), 0);
	page_faults(PAGES + 0x1000, PF_P | PF_W);
	assert_int_equal(vcpu.gpr[GPR_RDI], PAGES + 0xffe);
	assert_int_equal(reads, 0);
}

static void a_string_beyond_the_canonical_addresses_is_a_gp(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = BIT(47);
	assert_int_equal(string_exits(ASM("insb"), true, 1), 0);
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.event.vector, EXCEPTION_GP);
	assert_int_equal(vcpu.event.error, 0);
	assert_int_equal(vcpu.rip, CODE);
	assert_int_equal(port_reads, 0);
}

static void loses_no_byte_of_a_device_to_a_missing_page(void **state)
{
	struct code code = ASM("rep movsb");

	(void)state;
	map_page(0, 0x30000 | P | RW);
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RDI] = PAGES + 0xff0;
	vcpu.gpr[GPR_RCX] = 0x20;
	assert_int_equal(exits(code, DEVICE, false), 0);
	assert_int_equal(vcpu.rip, CODE); /* what could be done is done, the rest is due */
	assert_int_equal(reads, 0x10);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0x10);
	assert_int_equal(vcpu.gpr[GPR_RDI], PAGES + 0x1000);
	assert_int_equal(exits(code, DEVICE + 0x10, false), 0);
	assert_int_equal(vcpu.rip, CODE);
	page_faults(PAGES + 0x1000, PF_W);
	assert_int_equal(reads, 0x10);
	map_page(1, 0x31000 | P | RW);
	done(code, DEVICE + 0x10, false);
	assert_int_equal(reads, 0x20);
}

static void splits_no_access_between_ram_and_a_device(void **state)
{
	(void)state;
	map_page(0, 0x30000 | P | RW);
	map_page(1, DEVICE | P | RW);
	map_page(2, 0x31000 | P | RW);
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RDI] = PAGES + 0xffe;
	refused(ASM("movsd"), DEVICE, false);
	vcpu.gpr[GPR_RDI] = PAGES + 0x1ffe;
	refused(ASM("movsd"), DEVICE, false);
}

static void writes_no_page_that_the_guest_may_not_write(void **state)
{
	(void)state;
	map_page(0, 0x30000 | P);
	vcpu.gpr[GPR_RSI] = DEVICE;
	vcpu.gpr[GPR_RDI] = PAGES;
	assert_int_equal(exits(ASM("movsb"), DEVICE, false), 0);
	page_faults(PAGES, PF_P | PF_W);
	sregs.cpl = 3; /* nothing here is a user's */
	map_page(0, 0x30000 | P | RW);
	assert_int_equal(exits(ASM("movsb"), DEVICE, false), 0);
	page_faults(PAGES, PF_P | PF_W | PF_US);
	assert_int_equal(vcpu.rip, CODE);
	assert_int_equal(reads, 0);
}

/* --- string I/O --- */

static void fills_ram_from_a_port(void **state)
{
	struct code code = ASM("rep insw");

	(void)state;
	vcpu.gpr[GPR_RDI] = DATA;
	vcpu.gpr[GPR_RCX] = 3;
	assert_int_equal(string_exits(code, true, 2), 0);
	assert_memory_equal(vm.mem.ram + DATA, "\x01\x02\x05\x06\x09\x0a\x00", 7);
	assert_int_equal(vcpu.gpr[GPR_RDI], DATA + 6);
	assert_int_equal(vcpu.gpr[GPR_RCX], 0);
	assert_int_equal(vcpu.rip, CODE + code.len);
}

static void sends_ram_to_a_port_by_the_segment_it_names(void **state)
{
	struct code code = ASM("rep outs dx, byte ptr gs:[rsi]");

	(void)state;
	memcpy(vm.mem.ram + DATA + 0x10, "hello", 5);
	sregs.seg[SEGMENT_GS].base = DATA;
	vcpu.gpr[GPR_RSI] = 0x10;
	vcpu.gpr[GPR_RCX] = 5;
	assert_int_equal(string_exits(code, false, 1), 0);
	assert_int_equal(port_said, 5);
	assert_memory_equal(port_heard, "hello", 5);
	assert_int_equal(vcpu.gpr[GPR_RSI], 0x15);
	assert_int_equal(vcpu.rip, CODE + code.len);
}

static void sends_a_long_string_in_rounds(void **state)
{
	struct code code = ASM("rep outsd");

	(void)state;
	count_up(vm.mem.ram + DATA, 6000);
	vcpu.gpr[GPR_RSI] = DATA;
	vcpu.gpr[GPR_RCX] = 1500;
	assert_int_equal(string_exits(code, false, 4), 0);
	assert_int_equal(vcpu.rip, CODE);
	assert_int_equal(port_said, 4096);
	assert_int_equal(string_exits(code, false, 4), 0);
	assert_int_equal(vcpu.rip, CODE + code.len);
	assert_int_equal(port_said, 6000);
	assert_memory_equal(port_heard, vm.mem.ram + DATA, 6000);
}

static void refuses_string_io_that_does_not_fit_the_exit(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RSI] = vcpu.gpr[GPR_RDI] = DATA;
	assert_int_equal(string_exits(ASM("outsb"), true, 1), -EINVAL);
	assert_int_equal(string_exits(ASM("insb"), false, 1), -EINVAL);
	assert_int_equal(string_exits(ASM("insb"), true, 2), -EINVAL);
	assert_int_equal(string_exits(ASM("movsb"), true, 1), -EINVAL);
	assert_int_equal(string_exits(ASM("in al, dx"), true, 1), -EINVAL);
	vcpu.gpr[GPR_RDI] = PAGES; /* not mapped */
	assert_int_equal(string_exits(ASM("insb"), true, 1), 0);
	page_faults(PAGES, PF_W);
	assert_int_equal(port_reads + port_said, 0);
	assert_int_equal(vcpu.rip, CODE);
}

static void reads_and_writes_ports(void **state)
{
	(void)state;
	assert_int_equal(pio_read(&vcpu, PORT, 1), 1);
	assert_int_equal(last_size, 1);
	assert_int_equal(pio_read(&vcpu, PORT, 4), 0x08070605);
	pio_write(&vcpu, PORT + 2, 2, 0x6968);
	assert_int_equal(last_offset, 2);
	assert_memory_equal(port_heard, "hi", 2);
	assert_int_equal(pio_read(&vcpu, 0x80, 1), 0xff);
	assert_int_equal(pio_read(&vcpu, PORT + 6, 4), 0xffffffff); /* half outside */
	pio_write(&vcpu, 0x80, 1, 1);
	assert_int_equal(vm.ports.hole[0].writes, 1);
}

/* --- anything --- */

/*
 * Whatever a guest lets stand there, and whatever its registers and tables say: it gets an answer.
 */
static void survives_noise(void **state)
{
	static const uint8_t starts[] = { 0x88, 0x89, 0x8a, 0x8b, 0xa4, 0xa5, 0xaa, 0xab, 0xac,
					  0xad, 0xf3, 0x66, 0x0f, 0xa3, 0x81, 0x83, 0x87, 0x6d };
	unsigned went = 0;

	(void)state;
	for (unsigned n = 0; n < 40000; n++) {
		uint8_t bytes[INSN_MAX];

		for (unsigned k = 0; k < sizeof(bytes); k++)
			bytes[k] = number();
		bytes[0] = starts[n % sizeof(starts)];
		for (unsigned r = 0; r < GPR_N; r++)
			vcpu.gpr[r] = n & 1 ? DEVICE + number() % SIZE : number();
		map_page(number() % 512, number());
		vcpu.rip = CODE;
		vcpu.rflags = number();
		sregs.cpl = number() & 3;
		port_said = 0;
		vcpu.gpr[GPR_RCX] %= 2000;
		went += !exits((struct code){ bytes, sizeof(bytes) },
			       DEVICE + vcpu.gpr[GPR_RDI] % PAGE_SIZE, number() & 1);
		build_tables(); /* some were written over */
	}
	assert_true(went > 100);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest tests[] = {
		TEST(does_what_this_cpu_does),
		TEST(asks_the_device_once_at_offset_and_size),
		TEST(reads_ones_from_holes_and_counts_them),
		TEST(rings_a_doorbell_without_the_lock),
		TEST(reaches_its_own_lapic_in_xapic_mode_only),
		TEST(adds_bases_of_fs_and_gs_and_no_others_in_64_bit_mode),
		TEST(computes_addresses_of_32_bit_code),
		TEST(finds_what_lies_relative_to_the_next_instruction),
		TEST(tests_bits_far_from_the_operand),
		TEST(leaves_no_shadow_and_no_resume_flag),
		TEST(wraps_rip_of_32_bit_code),
		TEST(refuses_what_it_cannot_decode_and_shows_the_bytes),
		TEST(refuses_an_instruction_that_does_not_fit_the_exit),
		TEST(refuses_code_that_lies_in_no_ram),
		TEST(what_the_cpu_has_fetched_is_carried_out_not_what_stands_there_now),
		TEST(bytes_that_are_no_whole_instruction_are_fetched_again),
		TEST(moves_one_element_either_way),
		TEST(repeats_from_device_to_ram),
		TEST(repeats_across_pages_that_lie_apart),
		TEST(stops_at_a_bound_and_goes_on_at_the_next_exit),
		TEST(loads_and_stores_strings_by_the_accumulator),
		TEST(counts_in_the_address_size),
		TEST(faults_at_the_second_page_of_an_element),
		TEST(a_string_beyond_the_canonical_addresses_is_a_gp),
		TEST(loses_no_byte_of_a_device_to_a_missing_page),
		TEST(splits_no_access_between_ram_and_a_device),
		TEST(writes_no_page_that_the_guest_may_not_write),
		TEST(fills_ram_from_a_port),
		TEST(sends_ram_to_a_port_by_the_segment_it_names),
		TEST(sends_a_long_string_in_rounds),
		TEST(refuses_string_io_that_does_not_fit_the_exit),
		TEST(reads_and_writes_ports),
		TEST(survives_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
