/* SPDX-License-Identifier: MIT */
/* fpu.h - the state that the compiler is kept away from: x87, SSE, AVX [SDM 1 13] */
#pragma once

#include <stdint.h>

#include "kernel/bits.h"

#define XCR0_X87 BIT(0)
#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)

/*
 * fpu_enable() - switch on what the CPU has; returns XCR0, or X87 and SSE where there is no XSAVE.
 */
uint64_t fpu_enable(void);
