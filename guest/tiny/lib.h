/* SPDX-License-Identifier: MIT */
/* lib.h - the few functions of a libc that the tiny guest needs; their meaning is C's */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* gcc calls these by itself */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/*
 * vformat() - %s %c %u %d %x %lu %ld %lx with width and leading 0; always ends
 * buf, returns its length.
 */
size_t vformat(char *buf, size_t size, const char *fmt, va_list args);
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* parse_number() - decimal, or hex behind 0x. Returns what follows it, or NULL: there is none. */
const char *parse_number(const char *s, uint64_t *value);
/*
 * parse_ip() - "10.0.0.2" in host order. parse_mac() - "52:54:00:12:34:56".
 * The rest of @s, or NULL.
 */
const char *parse_ip(const char *s, uint32_t *ip);
const char *parse_mac(const char *s, uint8_t mac[6]);
