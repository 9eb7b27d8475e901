/* SPDX-License-Identifier: MIT */
/*
 * check_smp.h - checks of several CPUs: each starts the others anew and leaves
 * them waiting for a STARTUP
 */
#pragma once

#include "check.h"
#include "smp.h"

/* check_with_all() - @check, told how many CPUs there are, with all of them up; not for one CPU. */
const char *check_with_all(const char *(*check)(unsigned cpus));

#define SMP_CHECK(id, text, about, fn) CALL_CHECK(id, text, about, check_with_all(fn))
