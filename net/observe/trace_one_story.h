/* SPDX-License-Identifier: MIT */
/*
 * trace_one_story.h - lines about a frame's way, to be put in order of time: of its points,
 * and of what was recorded
 */
#pragma once

#include <stdio.h>

#include "trace_one.h"

enum { STORY_LINES = 400, STORY_TEXT = 512 };

struct story_line {
	uint64_t tsc;
	uint32_t nr; /* of two at the same time the one added first comes first */
	uint8_t cpu;
	bool part; /* belongs to the line before: no time of its own */
	char text[STORY_TEXT];
};

struct story {
	const struct trace_one *one;
	struct story_line *line;
	unsigned n, lost;
	uint64_t from[MAX_CPUS], to[MAX_CPUS]; /* when each core had it; from > to: never */
};

/* story_line() - one more, of core @cpu at TSC @tsc; what finds no room is counted. */
struct story_line *story_line(struct story *s, uint64_t tsc, unsigned cpu, bool part);

#define say(s, tsc, cpu, part, ...) \
	snprintf(story_line(s, tsc, cpu, part)->text, STORY_TEXT, __VA_ARGS__)

/*
 * story_first() - the first record of @point since TSC @tsc on core @cpu, with
 * MAX_CPUS on any. NULL: none.
 */
const struct trace_event *story_first(const struct trace_one *one, enum trace_point point,
				      unsigned cpu, uint64_t tsc);

/* story_records() - what the cores did while they had the frame: records, and registers. */
void story_records(struct story *s);
