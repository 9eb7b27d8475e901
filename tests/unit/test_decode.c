/* SPDX-License-Identifier: MIT */
/* links: vmm/decode.c tests/unit/host.c */
/*
 * test_decode.c - instructions as the assembler writes them, read back
 *
 * Each row is an instruction and what the decoder must say of it, as text. The assembler puts the bytes into a table
 * when this test is built, so that bytes and length are its word, not ours.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/bits.h"
#include "vmm/decode.h"
#include "vmm/vcpu.h"

/* clang-format off */
#define KNOWN(X) \
	/* loads and stores, sizes by opcode, 66 and REX.W */ \
	X(64, "mov al, [rdi]", "load 1 rax:1 [rdi]") \
	X(64, "mov ax, [rdi]", "load 2 rax:2 [rdi]") \
	X(64, "mov eax, [rdi]", "load 4 rax:4 [rdi]") \
	X(64, "mov rax, [rdi]", "load 8 rax:8 [rdi]") \
	X(64, "mov [rdi], cl", "store 1 rcx:1 [rdi]") \
	X(64, "mov [rdi], cx", "store 2 rcx:2 [rdi]") \
	X(64, "mov [rdi], ecx", "store 4 rcx:4 [rdi]") \
	X(64, "mov [rdi], rcx", "store 8 rcx:8 [rdi]") \
	X(32, "mov eax, [edi]", "load 4 rax:4 [rdi] addr 4") \
	X(32, "mov ax, [edi]", "load 2 rax:2 [rdi] addr 4") \
	X(16, "mov ax, [di]", "load 2 rax:2 [rdi] addr 2") \
	X(16, "mov eax, [di]", "load 4 rax:4 [rdi] addr 2") \
	X(16, "mov [edi], eax", "store 4 rax:4 [rdi] addr 4") \
	/* byte registers, old and new */ \
	X(64, "mov ah, [rdi]", "load 1 rax+1:1 [rdi]") \
	X(64, "mov [rdi], ch", "store 1 rcx+1:1 [rdi]") \
	X(64, "mov [rdi], dh", "store 1 rdx+1:1 [rdi]") \
	X(64, "mov bh, [rdi]", "load 1 rbx+1:1 [rdi]") \
	X(64, "mov spl, [rdi]", "load 1 rsp:1 [rdi]") \
	X(64, "mov [rdi], sil", "store 1 rsi:1 [rdi]") \
	X(64, "mov [rdi], r9b", "store 1 r9:1 [rdi]") \
	X(32, "mov [edi], dh", "store 1 rdx+1:1 [rdi] addr 4") \
	/* registers from REX */ \
	X(64, "mov r8d, [rdi]", "load 4 r8:4 [rdi]") \
	X(64, "mov [r15], r14", "store 8 r14:8 [r15]") \
	X(64, "mov eax, [r12]", "load 4 rax:4 [r12]") \
	X(64, "mov eax, [r13]", "load 4 rax:4 [r13]") \
	X(64, "mov eax, [r9+r12*8+0x40]", "load 4 rax:4 [r9+r12*8+0x40]") \
	/* addresses */ \
	X(64, "mov eax, [rdi+0x10]", "load 4 rax:4 [rdi+0x10]") \
	X(64, "mov eax, [rdi-0x10]", "load 4 rax:4 [rdi-0x10]") \
	X(64, "mov eax, [rdi+0x12345678]", "load 4 rax:4 [rdi+0x12345678]") \
	X(64, "mov eax, [rbp]", "load 4 rax:4 [rbp]") \
	X(64, "mov eax, [rsp]", "load 4 rax:4 [rsp]") \
	X(64, "mov eax, [rsp+rcx*2]", "load 4 rax:4 [rsp+rcx*2]") \
	X(64, "mov eax, [rdi+rcx*4-1]", "load 4 rax:4 [rdi+rcx*4-0x1]") \
	X(64, "mov eax, [rcx*8+0x100]", "load 4 rax:4 [rcx*8+0x100]") \
	X(64, "mov eax, [0x1234]", "load 4 rax:4 [+0x1234]") \
	X(64, "mov eax, [rip+0x10]", "load 4 rax:4 [rip+0x10]") \
	X(64, "mov dword ptr [rip-0x80], 7", "store 4 0x7 [rip-0x80]") \
	X(64, "mov eax, [edi+ecx]", "load 4 rax:4 [rdi+rcx*1] addr 4") \
	X(32, "mov eax, ds:[0x12345678]", "load 4 rax:4 [+0x12345678] addr 4") \
	X(32, "mov ebx, ds:[0xfee00020]", "load 4 rbx:4 [-0x11fffe0] addr 4") \
	X(32, "mov eax, [esp+8]", "load 4 rax:4 [rsp+0x8] addr 4") \
	X(32, "mov eax, [bx+si]", "load 4 rax:4 [rbx+rsi*1] addr 2") \
	X(16, "mov ax, [bx+si]", "load 2 rax:2 [rbx+rsi*1] addr 2") \
	X(16, "mov ax, [bx+di+1]", "load 2 rax:2 [rbx+rdi*1+0x1] addr 2") \
	X(16, "mov ax, [bp+si]", "load 2 rax:2 [rbp+rsi*1] addr 2") \
	X(16, "mov ax, [bp+di-0x100]", "load 2 rax:2 [rbp+rdi*1-0x100] addr 2") \
	X(16, "mov bx, [si]", "load 2 rbx:2 [rsi] addr 2") \
	X(16, "mov ax, [bp+2]", "load 2 rax:2 [rbp+0x2] addr 2") \
	X(16, "mov ax, [bx]", "load 2 rax:2 [rbx] addr 2") \
	X(16, "mov bx, ds:[0x1234]", "load 2 rbx:2 [+0x1234] addr 2") \
	X(16, "mov bx, es:[0x1234]", "load 2 rbx:2 [+0x1234] addr 2 es") \
	/* the accumulator at an address in the instruction */ \
	X(64, "movabs al, [0x1122334455667788]", "load 1 rax:1 [+0x1122334455667788]") \
	X(64, "movabs rax, [0xfffffffffee00020]", "load 8 rax:8 [-0x11fffe0]") \
	X(64, "movabs [0x1122334455667788], eax", "store 4 rax:4 [+0x1122334455667788]") \
	X(32, "mov eax, ds:[0xfee000b0]", "load 4 rax:4 [+0xfee000b0] addr 4") \
	X(32, "mov ds:[0xfee000b0], al", "store 1 rax:1 [+0xfee000b0] addr 4") \
	X(16, "mov ds:[0x8765], ax", "store 2 rax:2 [+0x8765] addr 2") \
	/* immediates */ \
	X(64, "mov byte ptr [rdi], 0x80", "store 1 -0x80 [rdi]") \
	X(64, "mov word ptr [rdi], 0x1234", "store 2 0x1234 [rdi]") \
	X(64, "mov dword ptr [rdi], 0x80000000", "store 4 -0x80000000 [rdi]") \
	X(64, "mov qword ptr [rdi+0x20], -1", "store 8 -0x1 [rdi+0x20]") \
	X(16, "mov word ptr [bx], 0x1234", "store 2 0x1234 [rbx] addr 2") \
	X(16, "mov dword ptr [bx], 0x12345678", "store 4 0x12345678 [rbx] addr 2") \
	X(64, "mov qword ptr gs:[rdi+r9*8+0x12345678], 0x11223344", \
	  "store 8 0x11223344 [rdi+r9*8+0x12345678] gs") \
	/* loads that extend */ \
	X(64, "movzx eax, byte ptr [rdi]", "load 1 rax:4 [rdi]") \
	X(64, "movzx eax, word ptr [rdi]", "load 2 rax:4 [rdi]") \
	X(64, "movzx r10, byte ptr [rdi]", "load 1 r10:8 [rdi]") \
	X(64, "movzx ax, byte ptr [rdi]", "load 1 rax:2 [rdi]") \
	X(64, "movzx esp, byte ptr [rdi]", "load 1 rsp:4 [rdi]") \
	X(64, "movsx eax, byte ptr [rdi]", "load 1 rax:4 sign [rdi]") \
	X(64, "movsx rax, word ptr [rdi]", "load 2 rax:8 sign [rdi]") \
	X(64, "movsxd rax, dword ptr [rdi]", "load 4 rax:8 sign [rdi]") \
	X(32, "movsx ecx, word ptr [edi]", "load 2 rcx:4 sign [rdi] addr 4") \
	X(16, "movzx cx, byte ptr [di]", "load 1 rcx:2 [rdi] addr 2") \
	/* strings */ \
	X(64, "movsb", "movs 1") \
	X(64, "rep movsb", "movs 1 rep") \
	X(64, "rep movsd", "movs 4 rep") \
	X(64, "rep movsq", "movs 8 rep") \
	X(64, "repne movsw", "movs 2 rep") \
	X(64, "rep movs dword ptr es:[edi], dword ptr fs:[esi]", "movs 4 rep addr 4 fs") \
	X(64, "rep stosd", "stos 4 rep") \
	X(64, "stosb", "stos 1") \
	X(64, "lodsq", "lods 8") \
	X(64, "lodsw", "lods 2") \
	X(32, "rep stosb", "stos 1 rep addr 4") \
	X(16, "rep stosd", "stos 4 rep addr 2") \
	/* read, change, write; the forms that write a register; compare */ \
	X(64, "add [rdi], ecx", "add 4 rcx:4 to [rdi]") \
	X(64, "add ecx, [rdi]", "add 4 rcx:4 [rdi]") \
	X(64, "or byte ptr [rdi], 0x40", "or 1 0x40 to [rdi]") \
	X(64, "and dword ptr [rdi], -2", "and 4 -0x2 to [rdi]") \
	X(64, "and dword ptr [rdi], 0x7fff0000", "and 4 0x7fff0000 to [rdi]") \
	X(64, "and qword ptr [rdi], 0x12345678", "and 8 0x12345678 to [rdi]") \
	X(64, "xor dl, [rdi]", "xor 1 rdx:1 [rdi]") \
	X(64, "xor [rdi], dh", "xor 1 rdx+1:1 to [rdi]") \
	X(64, "sub word ptr [rdi], 0x1234", "sub 2 0x1234 to [rdi]") \
	X(64, "sub r9, [rdi]", "sub 8 r9:8 [rdi]") \
	X(64, "cmp dword ptr [rdi], 0x74726976", "cmp 4 0x74726976 to [rdi]") \
	X(64, "cmp byte ptr [rdi], 0", "cmp 1 0x0 to [rdi]") \
	X(64, "cmp [rdi], rax", "cmp 8 rax:8 to [rdi]") \
	X(64, "cmp rax, [rdi]", "cmp 8 rax:8 [rdi]") \
	X(64, "test [rdi], ecx", "test 4 rcx:4 to [rdi]") \
	X(64, "test byte ptr [rdi], 0x20", "test 1 0x20 to [rdi]") \
	X(64, "test dword ptr [rdi+4], 0x1000", "test 4 0x1000 to [rdi+0x4]") \
	X(64, "test qword ptr [rdi], 0x1000", "test 8 0x1000 to [rdi]") \
	X(64, "bt [rdi], ecx", "bt 4 rcx:4 to [rdi]") \
	X(64, "bt word ptr [rdi], 9", "bt 2 0x9 to [rdi]") \
	X(64, "bt qword ptr [rdi], 63", "bt 8 0x3f to [rdi]") \
	X(64, "xchg [rdi], ecx", "xchg 4 rcx:4 to [rdi]") \
	X(64, "xchg [rdi], ah", "xchg 1 rax+1:1 to [rdi]") \
	X(64, "lock or dword ptr [rdi], 1", "or 4 0x1 to [rdi]") \
	X(64, "lock xchg [rdi], rcx", "xchg 8 rcx:8 to [rdi]") \
	X(64, "lock add gs:[rdi], ecx", "add 4 rcx:4 to [rdi] gs") \
	X(32, "or dword ptr fs:[0x10], 1", "or 4 0x1 to [+0x10] addr 4 fs") \
	X(16, "add word ptr [bx], 5", "add 2 0x5 to [rbx] addr 2") \
	X(16, "cmp eax, ss:[bx]", "cmp 4 rax:4 [rbx] addr 2 ss") \
	/* prefixes in any order; REX counts right before the opcode only; old overrides mean nothing in 64-bit mode */ \
	X(64, ".byte 0x67,0x66,0x65,0x89,0x0f", "store 2 rcx:2 [rdi] addr 4 gs") \
	X(64, ".byte 0x65,0x67,0x66,0x89,0x0f", "store 2 rcx:2 [rdi] addr 4 gs") \
	X(64, ".byte 0x48,0x66,0x89,0x0f", "store 2 rcx:2 [rdi]") \
	X(64, ".byte 0x66,0x48,0x89,0x0f", "store 8 rcx:8 [rdi]") \
	X(64, ".byte 0x44,0x48,0x89,0x0f", "store 8 rcx:8 [rdi]") \
	X(64, ".byte 0x64,0x2e,0x89,0x0f", "store 4 rcx:4 [rdi] fs") \
	X(64, ".byte 0x3e,0x89,0x0f", "store 4 rcx:4 [rdi]") \
	X(32, ".byte 0x64,0x2e,0x89,0x0f", "store 4 rcx:4 [rdi] addr 4 cs") \
	X(64, ".byte 0xf3,0xc7,0x07,1,0,0,0", "store 4 0x1 [rdi]") /* XRELEASE */ \
	X(64, ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x89,0x0f", \
	  "store 2 rcx:2 [rdi]") /* 15 bytes */ \
	/* not of memory */ \
	X(64, "cpuid", "other fa2") \
	X(64, "hlt", "other f4") \
	X(64, "rdmsr", "other f32") \
	X(64, "wrmsr", "other f30") \
	X(64, "xsetbv", "other f01") \
	X(64, "vmmcall", "other f01") \
	X(64, "vmcall", "other f01") \
	X(64, "pause", "other 90") \
	X(64, "invd", "other f08") \
	X(64, "wbinvd", "other f09") \
	X(64, "rdtsc", "other f31") \
	X(64, "rdtscp", "other f01") \
	X(64, "monitor rax, ecx, edx", "other f01") \
	X(64, "mwait eax, ecx", "other f01") \
	X(64, "mov cr8, rax", "other f22 rax") \
	X(64, "mov cr8, rdi", "other f22 rdi") \
	X(64, "mov cr8, r13", "other f22 r13") \
	X(64, "in al, dx", "other ec 1") \
	X(64, "in ax, dx", "other ed 2") \
	X(64, "out dx, eax", "other ef 4") \
	X(64, "out 0x80, al", "other e6 1 0x80") \
	X(64, "in eax, 0x60", "other e5 4 0x60") \
	X(64, "insb", "other 6c 1") \
	X(64, "rep insd", "other 6d 4 rep") \
	X(64, "outsb", "other 6e 1") \
	X(64, "rep outs dx, word ptr gs:[rsi]", "other 6f 2 rep gs") \
	X(32, "rep outsd", "other 6f 4 rep addr 4") \
	X(16, "rep insw", "other 6d 2 rep addr 2") \
	X(16, "hlt", "other f4 addr 2") \
	X(16, "cpuid", "other fa2 addr 2")

#define UNKNOWN(X) \
	X(64, "mov eax, ecx", "") \
	X(64, "movzx eax, cl", "") \
	X(64, "mov eax, 5", "") \
	X(64, "add eax, 5", "") \
	X(64, "test eax, 5", "") \
	X(64, "test ecx, ecx", "") \
	X(64, "adc [rdi], ecx", "") \
	X(64, "sbb dword ptr [rdi], 5", "") \
	X(64, "not dword ptr [rdi]", "") \
	X(64, "inc dword ptr [rdi]", "") \
	X(64, "push [rdi]", "") \
	X(64, "pop [rdi]", "") \
	X(64, "call [rdi]", "") \
	X(64, "bts [rdi], ecx", "") \
	X(64, "bts dword ptr [rdi], 5", "") \
	X(64, "cmpxchg [rdi], ecx", "") \
	X(64, "cmpsb", "") \
	X(64, "scasb", "") \
	X(64, "movups xmm0, [rdi]", "") \
	X(64, "vmovdqu ymm0, [rdi]", "") \
	X(64, "fld qword ptr [rdi]", "") \
	X(64, "movbe eax, [rdi]", "") \
	X(64, "mov ds, [rdi]", "") \
	X(64, "nop", "") \
	X(64, "xchg r8, rax", "") \
	X(64, "mov cr3, rax", "") \
	X(64, "mov rax, cr8", "") \
	X(64, "lgdt [rdi]", "") \
	X(64, "ud2", "") \
	X(64, "xgetbv", "") \
	X(64, ".byte 0x66,0x63,0x07", "") /* MOVSXD of 2 bytes */ \
	X(32, "arpl [edi], ax", "") \
	X(32, "inc eax", "") /* 40, a REX elsewhere */ \
	X(64, ".byte 0xf0,0x89,0x0f", "") /* lock mov */ \
	X(64, ".byte 0xf0,0x03,0x0f", "") /* lock add ecx, [rdi] */ \
	X(64, ".byte 0xf0,0x39,0x0f", "") /* lock cmp */ \
	X(64, ".byte 0xf0,0xf4", "") /* lock hlt */ \
	X(64, ".byte 0xc7,0x0f,1,0,0,0", "") /* C7 /1 */ \
	X(64, ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x89", "")
/* clang-format on */

/* sixteen bytes an instruction: the length as the assembler counts it, and the bytes */
#define ASSEMBLE(bits, insn, text)          \
	".byte 2f - 1f\n\t.code" #bits "\n" \
	"1:\t" insn "\n2:\t.balign 16, 0xcc\n\t"
#define ROW(bits, insn, text) { INSN_##bits, insn, text },

__asm__(".pushsection .rodata\n\t.balign 16\n\t.intel_syntax noprefix\n"
	"known_code:\n\t" KNOWN(ASSEMBLE) "\nunknown_code:\n\t" UNKNOWN(
		ASSEMBLE) ".code64\n\t.att_syntax prefix\n\t.popsection");

struct code {
	uint8_t len, bytes[INSN_MAX];
};
extern const struct code known_code[], unknown_code[];

struct row {
	enum insn_mode mode;
	const char *insn, *text;
};
static const struct row known[] = { KNOWN(ROW) };
static const struct row unknown[] = { UNKNOWN(ROW) };

static const char *const gpr[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const op[] = {
	[INSN_LOAD] = "load", [INSN_STORE] = "store", [INSN_MOVS] = "movs",   [INSN_STOS] = "stos",
	[INSN_LODS] = "lods", [INSN_AND] = "and",     [INSN_OR] = "or",       [INSN_XOR] = "xor",
	[INSN_ADD] = "add",   [INSN_SUB] = "sub",     [INSN_CMP] = "cmp",     [INSN_TEST] = "test",
	[INSN_BT] = "bt",     [INSN_XCHG] = "xchg",   [INSN_OTHER] = "other",
};
static const char *const segment[] = { " es", " cs", " ss", " ds", " fs", " gs" };

/* --- an instruction as text --- */

static char said[128];

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	size_t at = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + at, sizeof(said) - at, fmt, ap);
	va_end(ap);
}

static void say_signed(uint64_t value, const char *plus)
{
	if ((int64_t)value < 0)
		say("-0x%lx", (unsigned long)-value);
	else
		say("%s0x%lx", plus, (unsigned long)value);
}

static void say_address(const struct insn *i)
{
	say(" [%s", i->rip_relative ? "rip" : i->base >= 0 ? gpr[i->base] : "");
	if (i->index >= 0)
		say("%s%s*%d", i->base >= 0 ? "+" : "", gpr[i->index], 1 << i->scale);
	if (i->disp || (i->base < 0 && i->index < 0))
		say_signed(i->disp, "+");
	say("]");
}

static void say_operands(const struct insn *i)
{
	say("%s %u ", op[i->op], i->size);
	if (i->has_imm)
		say_signed(i->imm, "");
	else
		say("%s%s:%u", gpr[i->reg], i->high_byte ? "+1" : "", i->reg_size);
	if (i->sign_extend)
		say(" sign");
	if (i->to_memory && i->op != INSN_STORE)
		say(" to");
	say_address(i);
}

static void say_other(const struct insn *i)
{
	say("other %x", i->opcode);
	if (i->size)
		say(" %u", i->size);
	if (i->has_imm)
		say(" 0x%lx", (unsigned long)i->imm);
	if (i->opcode == 0x0f22)
		say(" %s", gpr[i->reg]);
}

/* text() - all that the decoder said; the address size where it is not 64-bit mode's */
static const char *text(const struct insn *i)
{
	said[0] = 0;
	if (i->op == INSN_OTHER)
		say_other(i);
	else if (i->op == INSN_MOVS || i->op == INSN_STOS || i->op == INSN_LODS)
		say("%s %u", op[i->op], i->size);
	else
		say_operands(i);
	if (i->rep)
		say(" rep");
	if (i->addr_size != 8)
		say(" addr %u", i->addr_size);
	if (i->segment >= 0)
		say("%s", segment[i->segment]);
	return said;
}

/* --- tests --- */

static void decodes_what_the_assembler_wrote(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(known); k++) {
		const struct code *c = &known_code[k];
		struct insn i;

		if (insn_decode(c->bytes, INSN_MAX, known[k].mode, &i))
			fail_msg("%s: refused", known[k].insn);
		if (strcmp(text(&i), known[k].text))
			fail_msg("%s: expected %s, decoded %s", known[k].insn, known[k].text, said);
		if (i.len != c->len)
			fail_msg("%s: %u bytes, decoded %u", known[k].insn, c->len, i.len);
	}
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(unknown); k++) {
		struct insn i;

		if (!insn_decode(unknown_code[k].bytes, INSN_MAX, unknown[k].mode, &i))
			fail_msg("%s: decoded %s", unknown[k].insn, text(&i));
	}
}

static void refuses_an_instruction_that_is_not_whole(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(known); k++) {
		const struct code *c = &known_code[k];
		struct insn i;

		for (unsigned n = 0; n < c->len; n++)
			if (insn_decode(c->bytes, n, known[k].mode, &i) != -EINVAL)
				fail_msg("%s: decoded from %u bytes of %u", known[k].insn, n,
					 c->len);
		assert_int_equal(insn_decode(c->bytes, c->len, known[k].mode, &i), 0);
	}
}

static void refuses_more_than_fifteen_bytes(void **state)
{
	uint8_t bytes[16];
	struct insn i;

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	memcpy(bytes + 14, "\x89\x0f", 2);
	assert_int_equal(insn_decode(bytes, 16, INSN_64, &i), -EINVAL);
	assert_int_equal(insn_decode(bytes + 1, 15, INSN_64, &i), 0);
	assert_int_equal(i.len, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_the_assembler_wrote),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(refuses_an_instruction_that_is_not_whole),
		cmocka_unit_test(refuses_more_than_fifteen_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
