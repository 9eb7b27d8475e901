/* SPDX-License-Identifier: MIT */
/* procfs.h - files under /proc and /sys, for who completes their names or reads them */
#pragma once

#include <stddef.h>

#include "shell.h"

/*
 * procfs_show() - print the file that word @i of the line names. 0 or a
 * negative errno, having said why.
 */
int procfs_show(struct shell *sh, int i);

/*
 * procfs_find() - the file that @path names, whether what stands for its '*' is there or
 * not; NULL if there is none.
 */
const struct proc_file *procfs_find(const char *path);

/*
 * procfs_offer() - call add for every path that may stand where @path, @len bytes, has been typed:
 * the entries of its directory, whole paths, directories ending with a slash.
 */
void procfs_offer(const char *path, size_t len, void (*add)(void *to, const char *s), void *to);
