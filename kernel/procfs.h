/* SPDX-License-Identifier: MIT */
/* procfs.h - files under /proc and /sys, for who completes their names */
#pragma once

#include <stddef.h>

/*
 * procfs_offer() - call add for every path that may stand where @path, @len bytes, has been typed:
 * the entries of its directory, whole paths, directories ending with a slash.
 */
void procfs_offer(const char *path, size_t len, void (*add)(void *to, const char *s), void *to);
