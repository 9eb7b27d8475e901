/* SPDX-License-Identifier: MIT */
/* dim.c - see dim.h. Pure arithmetic, on the core that owns the queue. */
#include "dim.h"

#include "bits.h"

enum {
	EVENTS = 64,                    /* interrupts a measurement lasts */
	STEPS_TIRED = 2 * DIM_PROFILES, /* steps without a top */
	PROFILE_FIRST = 1,
	PART_APART = 10, /* a tenth is a difference */
	NS_PER_MS = 1000000,
};

/* Linux's, for a timer that begins with the first packet (EQE) */
static const unsigned profile_usecs[DIM_PROFILES] = { 1, 8, 64, 128, 256 };

enum verdict { WORSE, SAME, BETTER };

void dim_init(struct dim *d)
{
	*d = (struct dim){ .state = DIM_ON_TOP, .profile = PROFILE_FIRST };
}

unsigned dim_usecs(const struct dim *d)
{
	return profile_usecs[d->profile];
}

static bool apart(uint64_t a, uint64_t b)
{
	return (MAX(a, b) - MIN(a, b)) * PART_APART > b;
}

/* compare() - packets first; where these are the same fewer interrupts are better. */
static enum verdict compare(const struct dim_rate *now, const struct dim_rate *before)
{
	if (apart(now->packets, before->packets))
		return now->packets > before->packets ? BETTER : WORSE;
	if (apart(now->events, before->events))
		return now->events < before->events ? BETTER : WORSE;
	return SAME;
}

static void park(struct dim *d, enum dim_state state)
{
	d->state = state;
	d->right = d->left = 0;
	if (state == DIM_ON_TOP)
		d->tired = 0;
}

/* step() - the next profile in its direction. Past the last one, or too tired, it stays. */
static void step(struct dim *d)
{
	bool right = d->state == DIM_GOING_RIGHT;

	if (d->tired == STEPS_TIRED) {
		park(d, DIM_TIRED);
	} else if (d->profile == (right ? DIM_PROFILES - 1u : 0u)) {
		park(d, DIM_ON_TOP);
	} else {
		d->tired++;
		if (right) {
			d->profile++;
			d->right++;
		} else {
			d->profile--;
			d->left++;
		}
	}
}

static void turn_round(struct dim *d)
{
	if (d->state == DIM_GOING_RIGHT) {
		d->state = DIM_GOING_LEFT;
		d->left = 0;
	} else {
		d->state = DIM_GOING_RIGHT;
		d->right = 0;
	}
}

static void leave_parking(struct dim *d)
{
	d->state = d->profile ? DIM_GOING_LEFT : DIM_GOING_RIGHT;
	step(d);
}

/*
 * on_top() - it came far one way, took one step back, and that was no better: the top lies between.
 */
static bool on_top(const struct dim *d)
{
	return d->state == DIM_GOING_RIGHT ? d->left > 1 && d->right == 1
					   : d->right > 1 && d->left == 1;
}

static void walk(struct dim *d, enum verdict v)
{
	if (v != BETTER)
		turn_round(d);
	if (on_top(d))
		park(d, DIM_ON_TOP);
	else
		step(d);
}

static void decide(struct dim *d, const struct dim_rate *now)
{
	enum verdict v = compare(now, &d->before);
	bool parked = d->state == DIM_ON_TOP;

	if (d->state == DIM_ON_TOP) {
		if (v != SAME)
			leave_parking(d);
	} else if (d->state == DIM_TIRED) {
		if (--d->tired == 0)
			leave_parking(d);
	} else {
		walk(d, v);
	}
	/*
	 * as long as it stands on a top that is what it compares with, or a slow
	 * change would never be one
	 */
	if (!parked || d->state != DIM_ON_TOP)
		d->before = *now;
}

static void begin(struct dim *d, uint64_t ns, uint64_t packets, uint64_t events)
{
	d->ns = ns;
	d->packets = packets;
	d->events = events;
}

bool dim_sample(struct dim *d, uint64_t ns, uint64_t packets, uint64_t events)
{
	unsigned profile = d->profile;
	struct dim_rate now;

	if (!d->ns) {
		begin(d, ns, packets, events);
		return false;
	}
	if (events - d->events < EVENTS || ns <= d->ns)
		return false;
	now.packets = (packets - d->packets) * 1024 * NS_PER_MS / (ns - d->ns);
	now.events = (events - d->events) * 1024 * NS_PER_MS / (ns - d->ns);
	decide(d, &now);
	begin(d, ns, packets, events);
	return d->profile != profile;
}
