/* SPDX-License-Identifier: MIT */
/* procfs.h - files under /proc and /sys, for who completes their names or reads them */
#pragma once

#include <stddef.h>

#include "shell.h"

/* procfs_show() - print the file that word @i of the line names. 0 or a negative errno, having said why. */
int procfs_show(struct shell *sh, int i);

/*
 * procfs_offer() - call add for every path that may stand where @path, @len bytes, has been typed:
 * the entries of its directory, whole paths, directories ending with a slash.
 */
void procfs_offer(const char *path, size_t len, void (*add)(void *to, const char *s), void *to);
