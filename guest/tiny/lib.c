/* SPDX-License-Identifier: MIT */
/* lib.c - memory, strings, numbers: what a libc would bring. Anybody calls it; owns nothing. */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t n)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

/* --- text from numbers --- */

struct text {
	char *buf;
	size_t size, len;
};

static void put(struct text *t, char c)
{
	if (t->len + 1 < t->size)
		t->buf[t->len++] = c;
}

static void put_number(struct text *t, uint64_t v, unsigned base, unsigned width, char pad,
		       bool negative)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative)
		digits[n++] = '-';
	for (; width > n; width--)
		put(t, pad);
	while (n)
		put(t, digits[--n]);
}

static void put_string(struct text *t, const char *s, unsigned width)
{
	unsigned n = 0;

	for (; s[n]; n++)
		put(t, s[n]);
	for (; n < width; n++)
		put(t, ' ');
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct text t = { .buf = buf, .size = size };

	for (; *fmt; fmt++) {
		unsigned width = 0;
		bool wide = false;
		char pad = ' ';
		int64_t v;

		if (*fmt != '%') {
			put(&t, *fmt);
			continue;
		}
		if (*++fmt == '-')
			fmt++; /* strings are laid out to the left in any case */
		if (*fmt == '0')
			pad = *fmt++;
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + (*fmt++ - '0');
		for (; *fmt == 'l'; fmt++)
			wide = true;
		switch (*fmt) {
		case 's': put_string(&t, va_arg(args, const char *), width); break;
		case 'c': put(&t, va_arg(args, int)); break;
		case 'd':
			v = wide ? va_arg(args, int64_t) : va_arg(args, int);
			put_number(&t, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, width, pad, v < 0);
			break;
		case 'u':
		case 'x':
			put_number(&t, wide ? va_arg(args, uint64_t) : va_arg(args, unsigned),
				   *fmt == 'x' ? 16 : 10, width, pad, false);
			break;
		default: put(&t, *fmt);
		}
	}
	buf[t.len] = 0;
	return t.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vformat(buf, size, fmt, args);
	va_end(args);
	return n;
}

/* --- numbers from text --- */

static int digit(char c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : 99;

	return v < (int)base ? v : -1;
}

static const char *parse_digits(const char *s, unsigned base, uint64_t *value)
{
	const char *start = s;

	for (*value = 0; digit(*s, base) >= 0; s++)
		*value = *value * base + digit(*s, base);
	return s > start ? s : NULL;
}

const char *parse_number(const char *s, uint64_t *value)
{
	if (s[0] == '0' && s[1] == 'x')
		return parse_digits(s + 2, 16, value);
	return parse_digits(s, 10, value);
}

const char *parse_ip(const char *s, uint32_t *ip)
{
	uint64_t part;

	*ip = 0;
	for (int i = 0; i < 4; i++) {
		if (i && *s++ != '.')
			return NULL;
		s = parse_digits(s, 10, &part);
		if (!s || part > 255)
			return NULL;
		*ip = *ip << 8 | part;
	}
	return s;
}

const char *parse_mac(const char *s, uint8_t mac[6])
{
	uint64_t part;

	for (int i = 0; i < 6; i++) {
		if (i && *s++ != ':')
			return NULL;
		s = parse_digits(s, 16, &part);
		if (!s || part > 255)
			return NULL;
		mac[i] = part;
	}
	return s;
}
