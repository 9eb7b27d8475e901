/* SPDX-License-Identifier: MIT */
/* power.h - end the machine, with a status that a script can read */
#pragma once

enum power_status {
	POWER_OK = 0x10,     /* QEMU's exit code is 33 */
	POWER_FAILED = 0x11, /* 35 */
};

/*
 * power_off() - flush the console, then: QEMU's isa-debug-exit, Bochs's
 * port, ACPI S5, HLT for ever.
 */
_Noreturn void power_off(enum power_status status);
/* power_reset() - by the reset control register, then by a triple fault. */
_Noreturn void power_reset(void);
