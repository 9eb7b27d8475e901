/* SPDX-License-Identifier: MIT */
/* console.h - the serial line: what the tiny guest says, and the lines that it is told */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONSOLE_LINE = 512 };

/*
 * console_init() - the 16550 at COM1, output from now on. console_start() - its interrupt as
 * well; traps and APIC are up.
 */
void console_init(void);
void console_start(void);

/*
 * console_line_up() - for a check: the UART's line to pin CONSOLE_PIN of the IOAPIC goes up
 * and stays, or goes down.
 */
enum { CONSOLE_PIN = 4 };
void console_line_up(bool up);

/* say() - to the console, by polling. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * console_typed() - has anything come since the last look? console_line() - take a line,
 * if a whole one is there.
 */
bool console_typed(void);
bool console_line(char line[CONSOLE_LINE]);
