/* SPDX-License-Identifier: MIT */
/* boot.h - what the loader left: the command line */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum door { DOOR_LINUX, DOOR_PVH };

/*
 * boot_init() - copy the command line from the zero page or struct hvm_start_info
 * at physical @information.
 */
void boot_init(enum door door, uint64_t information);
/*
 * cmdline_get() - the value of `key=value`, '...' or "..." around it taken off; false
 * and "" if it is not there.
 */
bool cmdline_get(const char *key, char *value, size_t size);
