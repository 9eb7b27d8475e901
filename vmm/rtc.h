/* SPDX-License-Identifier: MIT */
/* rtc.h - the PC's battery clock [MC146818A] */
#pragma once

#include <stdint.h>

/*
 * rtc_unix() - seconds since 1970, 0 if the clock cannot be read. One caller at a time:
 * two ports, index and data.
 */
uint64_t rtc_unix(void);

/* rtc_register() - one of its registers; a unit test plays it. */
uint8_t rtc_register(uint8_t index);
