/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - what the tiny guest asks of its one CPU beyond kernel/x86.h: interrupts, barriers,
 * device memory, addresses
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/x86.h"

#define KERNEL_BASE UINT64_C(0xffffffff80000000) /* physical 0 is seen here, the first GiB of it */

/* physical() - what a device calls @p; everything of ours lies in the first GiB. */
static inline uint64_t physical(const volatile void *p)
{
	return (uintptr_t)p - KERNEL_BASE;
}

static inline void *virtual(uint64_t address)
{
	return (void *)(KERNEL_BASE + address);
}

#define barrier() __asm__ volatile("" ::: "memory")
/*
 * Linux's names, and what they take on x86 for memory shared with another CPU:
 * stores and loads stay in order
 */
#define wmb() barrier()
#define rmb() barrier()
/* but for a store and a load behind it */
#define mb() atomic_thread_fence(memory_order_seq_cst)

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	__asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void write_cr8(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr8" ::"r"(v) : "memory");
}

/* plain moves, so that whoever decodes them for a device has the easiest of instructions */
static inline uint8_t readb(const volatile void *p)
{
	uint8_t v;

	__asm__ volatile("movb %1, %0" : "=q"(v) : "m"(*(const volatile uint8_t *)p) : "memory");
	return v;
}

static inline uint16_t readw(const volatile void *p)
{
	uint16_t v;

	__asm__ volatile("movw %1, %0" : "=r"(v) : "m"(*(const volatile uint16_t *)p) : "memory");
	return v;
}

static inline uint32_t readl(const volatile void *p)
{
	uint32_t v;

	__asm__ volatile("movl %1, %0" : "=r"(v) : "m"(*(const volatile uint32_t *)p) : "memory");
	return v;
}

static inline uint64_t readq(const volatile void *p)
{
	uint64_t v;

	__asm__ volatile("movq %1, %0" : "=r"(v) : "m"(*(const volatile uint64_t *)p) : "memory");
	return v;
}

static inline void writeb(volatile void *p, uint8_t v)
{
	__asm__ volatile("movb %1, %0" : "=m"(*(volatile uint8_t *)p) : "qi"(v) : "memory");
}

static inline void writew(volatile void *p, uint16_t v)
{
	__asm__ volatile("movw %1, %0" : "=m"(*(volatile uint16_t *)p) : "ri"(v) : "memory");
}

static inline void writel(volatile void *p, uint32_t v)
{
	__asm__ volatile("movl %1, %0" : "=m"(*(volatile uint32_t *)p) : "ri"(v) : "memory");
}

static inline void writeq(volatile void *p, uint64_t v)
{
	__asm__ volatile("movq %1, %0" : "=m"(*(volatile uint64_t *)p) : "r"(v) : "memory");
}

#define HOLE         UINT64_C(0xd0000000) /* a physical address where neither RAM nor a device is */
#define NOBODYS_PORT 0x5150               /* and such a port */
#define UART_SCRATCH 0x3ff                /* of COM1: keeps a byte, does nothing */

/*
 * ioremap() - device memory [physical, physical + len), uncached; NULL: no room
 * is left for it. (paging.c)
 */
volatile uint8_t *ioremap(uint64_t address, uint64_t len);
