/* SPDX-License-Identifier: MIT */
/*
 * dim.h - dynamic interrupt moderation: a throttle that looks for its own length
 *
 * Linux's net_dim [Documentation/networking/net_dim]: a short list of profiles from short throttles
 * to long ones, and a walk along it. After each 64 interrupts it asks whether things got better
 * since the step before: more packets a millisecond, or as many with fewer interrupts. If so it
 * goes on in that direction, else it turns round. It stops on a top, a profile that is better than
 * both of its neighbours, until the traffic changes; or when it has walked to and fro for too long.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DIM_PROFILES = 5 };

enum dim_state { DIM_ON_TOP, DIM_TIRED, DIM_GOING_RIGHT, DIM_GOING_LEFT };

struct dim_rate {
	uint64_t packets, events; /* a millisecond, times 1,024 */
};

struct dim {
	enum dim_state state;
	unsigned profile; /* 0 has the shortest throttle; right is longer */
	unsigned right, left, tired;
	struct dim_rate before;
	/* where the measurement that goes on began; ns 0: none does */
	uint64_t ns, packets, events;
};

/* dim_init() - as Linux begins: on the second profile. */
void dim_init(struct dim *d);

/* dim_usecs() - the throttle of the profile that it is on. */
unsigned dim_usecs(const struct dim *d);

/*
 * dim_sample() - so many packets and interrupts by @ns, counted from wherever; after each poll that
 * went back to interrupts. Returns whether dim_usecs() is another from now on.
 */
bool dim_sample(struct dim *d, uint64_t ns, uint64_t packets, uint64_t events);
