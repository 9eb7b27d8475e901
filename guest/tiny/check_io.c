/* SPDX-License-Identifier: MIT */
/*
 * check_io.c - ports and device memory: what nobody claims, string instructions, all forms of
 * access to the local APIC
 */
#include "apic.h"
#include "check.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

static const char *check_ports(int n, char **word)
{
	(void)n;
	(void)word;
	for (uint16_t port = NOBODYS_PORT; port < NOBODYS_PORT + 4; port++)
		if (inb(port) != 0xff)
			return seen("port %x reads %x", port, inb(port));
	if (inw(NOBODYS_PORT) != 0xffff || inl(NOBODYS_PORT) != 0xffffffff)
		return seen("port %x reads %x, %x", NOBODYS_PORT, inw(NOBODYS_PORT),
			    inl(NOBODYS_PORT));
	outb(NOBODYS_PORT, 0);
	outw(NOBODYS_PORT, 0);
	outl(NOBODYS_PORT, 0);
	if (inl(NOBODYS_PORT) != 0xffffffff)
		return seen("port %x remembers", NOBODYS_PORT);
	return NULL;
}

/* extended() - loads that fill a register larger than what they read */
static bool extended(volatile uint8_t *hole)
{
	uint64_t zb, zw, sb, sl;

	__asm__ volatile("movzbl %1, %k0" : "=r"(zb) : "m"(hole[0]));
	__asm__ volatile("movzwl %1, %k0" : "=r"(zw) : "m"(hole[2]));
	__asm__ volatile("movsbw %1, %w0" : "=r"(sb) : "m"(hole[4]), "0"(UINT64_C(0)));
	__asm__ volatile("movslq %1, %0" : "=r"(sl) : "m"(hole[8]));
	return zb == 0xff && zw == 0xffff && sb == 0xffff && sl == UINT64_MAX;
}

static const char *check_hole(int n, char **word)
{
	volatile uint8_t *hole = ioremap(HOLE, PAGE_SIZE);

	(void)n;
	(void)word;
	for (int i = 0; i < 2; i++) {
		if (readb(hole + 1) != 0xff || readw(hole + 2) != 0xffff ||
		    readl(hole + 4) != 0xffffffff || readq(hole + 8) != UINT64_MAX)
			return seen("%s: reads %x %x %x %lx", i ? "written" : "fresh",
				    readb(hole + 1), readw(hole + 2), readl(hole + 4),
				    readq(hole + 8));
		if (!extended(hole))
			return seen("movzx, movsx: not extended as they say");
		writeb(hole + 1, 0);
		writew(hole + 2, 0);
		writel(hole + 4, 0);
		writeq(hole + 8, 0);
	}
	return NULL;
}

static void outsb(uint16_t port, const void *from, size_t n)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(port) : "memory");
}

static void insb(uint16_t port, void *to, size_t n)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

static void insw(uint16_t port, void *to, size_t n)
{
	__asm__ volatile("rep insw" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

static void insl(uint16_t port, void *to, size_t n)
{
	__asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}

/* a buffer that crosses a page, so that a string does */
static const char *check_string(int n, char **word)
{
	static uint8_t pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	uint8_t *buf = pages + PAGE_SIZE - 7;
	uint8_t *last = buf + 2;

	(void)n;
	(void)word;
	memcpy(buf, "weir and ", 9);
	outsb(UART_SCRATCH, buf, 9);
	if (inb(UART_SCRATCH) != ' ')
		return seen("outsb left %x", inb(UART_SCRATCH));
	outb(UART_SCRATCH, 0x5a);
	memset(pages, 0, sizeof(pages));
	insb(UART_SCRATCH, buf, 20);
	for (unsigned i = 0; i < 22; i++)
		if (buf[(int)i - 1] != (i && i < 21 ? 0x5a : 0))
			return seen("insb: byte %d is %x", (int)i - 1, buf[(int)i - 1]);
	insw(NOBODYS_PORT, buf, 2);
	insl(NOBODYS_PORT, buf + 4, 2);
	for (unsigned i = 0; i < 13; i++)
		if (buf[i] != (i < 12 ? 0xff : 0x5a))
			return seen("insw, insl: byte %u is %x", i, buf[i]);
	/* downwards */
	memcpy(buf, "abc", 3);
	__asm__ volatile("std; outsb; outsb; outsb; cld" : "+S"(last) : "d"(UART_SCRATCH));
	if (inb(UART_SCRATCH) != 'a' || last != buf - 1)
		return seen("outsb downwards left %x", inb(UART_SCRATCH));
	return NULL;
}

/* --- the local APIC's registers by every form of move --- */

/* with the task priority, which keeps 8 bits and, small as it is here, holds nothing back */
static const char *tpr_by_all_forms(void)
{
	volatile uint8_t *tpr = xapic + APIC_TPR;
	uint32_t got, source[2] = { 0x05, 0x06 }, sink[2] = { 0, 0 };
	bool bit;

	writel(tpr, 0x01);
	if (readl(tpr) != 0x01)
		return seen("mov r32: %x", readl(tpr));
	__asm__ volatile("movl $2, %0" : "=m"(*(volatile uint32_t *)tpr));
	if (readl(tpr) != 0x02)
		return seen("mov imm32: %x", readl(tpr));
	__asm__ volatile("orl $1, %0" : "+m"(*(volatile uint32_t *)tpr)::"cc");
	if (readl(tpr) != 0x03)
		return seen("or: %x", readl(tpr));
	__asm__ volatile("andl %1, %0" : "+m"(*(volatile uint32_t *)tpr) : "r"(0x06) : "cc");
	if (readl(tpr) != 0x02)
		return seen("and: %x", readl(tpr));
	__asm__ volatile("addl $2, %0" : "+m"(*(volatile uint32_t *)tpr)::"cc");
	if (readl(tpr) != 0x04)
		return seen("add: %x", readl(tpr));
	got = 0x07;
	__asm__ volatile("xchgl %0, %1" : "+r"(got), "+m"(*(volatile uint32_t *)tpr));
	if (got != 0x04 || readl(tpr) != 0x07)
		return seen("xchg: %x, %x", got, readl(tpr));
	__asm__ volatile("cmpl $7, %1" : "=@cce"(bit) : "m"(*(volatile uint32_t *)tpr) : "cc");
	if (!bit)
		return seen("cmp");
	__asm__ volatile("testl $8, %1" : "=@ccnz"(bit) : "m"(*(volatile uint32_t *)tpr) : "cc");
	if (bit)
		return seen("test");
	__asm__ volatile("btl $2, %1" : "=@ccc"(bit) : "m"(*(volatile uint32_t *)tpr) : "cc");
	if (!bit)
		return seen("bt");
	__asm__ volatile("movsl" ::"S"(source), "D"(tpr) : "memory");
	__asm__ volatile("movsl" ::"S"(tpr), "D"(sink) : "memory");
	if (sink[0] != 0x05)
		return seen("movs: %x", sink[0]);
	__asm__ volatile("stosl" ::"a"(0x06), "D"(tpr) : "memory");
	__asm__ volatile("lodsl" : "=a"(got) : "S"(tpr) : "memory");
	if (got != 0x06)
		return seen("stos, lods: %x", got);
	writel(tpr, 0);
	return NULL;
}

static const char *check_xapic(int n, char **word)
{
	bool was = x2apic;
	const char *wrong;

	(void)n;
	(void)word;
	irq_disable();
	if (was) { /* from x2APIC the way back leads over "off" [SDM 3A 11.12.5] */
		uint64_t base = rdmsr(MSR_APIC_BASE) & ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE);

		wrmsr(MSR_APIC_BASE, base);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
		x2apic = false;
		apic_setup();
	}
	if ((readl(xapic + APIC_VERSION) & 0xff) < 0x10)
		wrong = seen("version %x", readl(xapic + APIC_VERSION));
	else
		wrong = tpr_by_all_forms();
	if (was) {
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
		x2apic = true;
		apic_setup();
	}
	irq_enable();
	return wrong;
}

CHECK(ports_check, .name = "ports", .help = "a port that nobody claims reads all ones",
      .run = check_ports);
CHECK(hole_check, .name = "hole", .help = "an address that nobody claims reads all ones",
      .run = check_hole);
CHECK(string_check, .name = "string", .help = "ins and outs, across a page and downwards",
      .run = check_string);
CHECK(xapic_check, .name = "xapic", .help = "the local APIC by MMIO, by all forms of access",
      .run = check_xapic);
