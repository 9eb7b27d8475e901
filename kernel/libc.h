/* SPDX-License-Identifier: MIT */
/*
 * libc.h - what newlib needs of a kernel: memory, locks, one reentrancy structure a core
 *
 * newlib serves set-up, shell and tables: string functions, snprintf, strtoul, malloc, qsort. Its
 * stdio streams are not used; text goes by kprintf and shell_printf. The data path calls none of
 * it but memcpy and memcmp.
 */
#pragma once

void libc_init(void);     /* core 0, once, after mem_init(): the arena of the heap */
void libc_init_cpu(void); /* each core: its struct _reent */
