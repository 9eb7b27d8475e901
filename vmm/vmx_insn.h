/* SPDX-License-Identifier: MIT */
/*
 * vmx_insn.h - instructions of VT-x that C has no words for; false where the CPU says
 * VMfail [SDM 3C 30.2, 30.3]
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline bool vmxon(const void *region)
{
	uint64_t at = (uint64_t)region;
	bool ok;

	__asm__ volatile("vmxon %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static inline bool vmclear(const void *vmcs)
{
	uint64_t at = (uint64_t)vmcs;
	bool ok;

	__asm__ volatile("vmclear %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static inline bool vmptrld(const void *vmcs)
{
	uint64_t at = (uint64_t)vmcs;
	bool ok;

	__asm__ volatile("vmptrld %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static inline uint64_t vmptrst(void)
{
	uint64_t at;

	__asm__ volatile("vmptrst %0" : "=m"(at)::"cc", "memory");
	return at;
}

static inline void invvpid(uint64_t type, uint64_t vpid)
{
	const uint64_t descriptor[2] = { vpid, 0 };

	__asm__ volatile("invvpid %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
}

static inline void invept(uint64_t type, uint64_t eptp)
{
	const uint64_t descriptor[2] = { eptp, 0 };

	__asm__ volatile("invept %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
}
