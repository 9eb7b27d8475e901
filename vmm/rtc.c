/* SPDX-License-Identifier: MIT */
/*
 * rtc.c - the date, read once, for the clocks of guests [MC146818A; the register of the century is
 * nobody's standard, so this century it is]
 *
 * Control context, core 0.
 */
#include "rtc.h"

#include "kernel/bits.h"
#include "kernel/x86.h"

#include <stdbool.h>
#include <string.h>

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };
enum {
	RTC_SECOND = 0,
	RTC_MINUTE = 2,
	RTC_HOUR = 4,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 0xa,
	RTC_B = 0xb,
};
#define RTC_A_UIP   BIT(7) /* the time is being moved on */
#define RTC_B_24H   BIT(1)
#define RTC_B_DM    BIT(2) /* binary, not BCD */
#define RTC_HOUR_PM BIT(7)

enum { TRIES = 100000, CENTURY = 2000 };

struct rtc_time {
	uint8_t second, minute, hour, day, month, year;
};

#if !__STDC_HOSTED__
uint8_t rtc_register(uint8_t index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}
#endif

static struct rtc_time read_once(void)
{
	return (struct rtc_time){
		.second = rtc_register(RTC_SECOND),
		.minute = rtc_register(RTC_MINUTE),
		.hour = rtc_register(RTC_HOUR),
		.day = rtc_register(RTC_DAY),
		.month = rtc_register(RTC_MONTH),
		.year = rtc_register(RTC_YEAR),
	};
}

/* read_steady() - twice the same, with no update under way: none came between. */
static bool read_steady(struct rtc_time *t)
{
	for (int i = 0; i < TRIES; i++) {
		struct rtc_time again;

		if (rtc_register(RTC_A) & RTC_A_UIP)
			continue;
		*t = read_once();
		again = read_once();
		if (memcmp(t, &again, sizeof(again)) == 0)
			return true;
	}
	return false;
}

static unsigned from_bcd(uint8_t v)
{
	return (v >> 4) * 10 + (v & 0xf);
}

static unsigned hour_of(uint8_t raw, uint8_t b)
{
	uint8_t digits = raw & ~RTC_HOUR_PM;
	unsigned hour = b & RTC_B_DM ? digits : from_bcd(digits);

	if (b & RTC_B_24H)
		return hour;
	return hour % 12 + (raw & RTC_HOUR_PM ? 12 : 0);
}

/* Days since 1970; years count from March, so that the day of a leap year comes last. */
static uint64_t days(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month > 2 ? year : year - 1;
	unsigned m = month > 2 ? month - 3 : month + 9;
	unsigned since_year_0 = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;

	return since_year_0 - 719468; /* 1 March of year 0 to 1 January 1970 */
}

uint64_t rtc_unix(void)
{
	struct rtc_time t;
	uint8_t b = rtc_register(RTC_B);
	unsigned hour;

	if (!read_steady(&t))
		return 0;
	hour = hour_of(t.hour, b);
	if (!(b & RTC_B_DM))
		t = (struct rtc_time){ from_bcd(t.second), from_bcd(t.minute), 0,
				       from_bcd(t.day),    from_bcd(t.month),  from_bcd(t.year) };
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31)
		return 0;
	return ((days(CENTURY + t.year, t.month, t.day) * 24 + hour) * 60 + t.minute) * 60 +
	       t.second;
}
