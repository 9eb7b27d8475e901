/* SPDX-License-Identifier: MIT */
/*
 * trace_one_flow.h - key and actions of a frame that was caught: what the switch makes of
 * it now. Control context.
 */
#pragma once

#include <stddef.h>

struct trace_one;

/*
 * trace_one_key() - its key, or why it has none. trace_one_actions() - where it goes, or why
 * nowhere. Into text[size].
 */
void trace_one_key(const struct trace_one *one, char *text, size_t size);
void trace_one_actions(const struct trace_one *one, char *text, size_t size);
