/* SPDX-License-Identifier: MIT */
/*
 * wakeup_model.h - device, hard interrupt, poll and core loop as one small
 * machine, walked in every order
 *
 * The question: can a frame lie in the ring while the core sleeps and nothing is on its way to wake
 * it? The steps of the software are data, so that the order which the real code takes can be fed
 * in, and orders known to be wrong as well. Between any two steps the device may move, and while
 * interrupts are on a pending one may come in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step {
	STEP_END,
	/* a queue's steps */
	STEP_IDLE,      /* napi->state = NAPI_IDLE */
	STEP_SCHEDULED, /* napi->state = NAPI_SCHEDULED */
	STEP_MASK,      /* write the device's mask register */
	STEP_UNMASK,
	STEP_CHECK,       /* look at the ring; empty: the rest of these steps is skipped */
	STEP_CHECK_FIRST, /* look at the ring; not empty: back to the poll list, no more of these */
	STEP_IF_IDLE,     /* the queue is scheduled by now: no more of these */
	STEP_LIST,        /* put the queue on the poll list and raise NET_RX */
	STEP_TAKE, /* MODE_IRQ: frames into the backlog, until the ring is empty or it is enough for
		      one interrupt */
	STEP_LEFT, /* note whether some are left in the ring */
	/* a core's steps */
	STEP_CLI,
	STEP_STI,
	STEP_CLEAR,   /* take over the pending bits, to run them */
	STEP_FORGET,  /* clear the pending bits, whatever they are by now */
	STEP_RUN,     /* take the poll list and poll */
	STEP_LOOK,    /* NET_RX pending or work left: the rest of these steps is skipped, interrupts
			 on */
	STEP_HLT,     /* sleep until an interrupt */
	STEP_STI_HLT, /* the same, with interrupts on from the moment it sleeps */
	STEP_N
};

enum { STEPS_MAX = 12 };

typedef enum step steps[STEPS_MAX]; /* up to the first STEP_END */

/*
 * policies that the model knows, kernel/policy.h; what each does when a poll
 * took less than its weight
 */
enum mode {
	MODE_NAPI,  /* completes */
	MODE_DEFER, /* waits, masked, for its timer; or completes, if it has done so often enough */
	MODE_POLL,  /* waits, masked, for the next turn of the core loop */
	/*
	 * if there was work: waits, masked, for the next turn, or for its timer if that is
	 * late; else as MODE_DEFER
	 */
	MODE_SUSPEND,
	MODE_IRQ, /* the handler takes the frames into a backlog, which is what is scheduled and
		     polled; nothing masks */
	MODES
};

/* what the software does, in its order */
struct protocol {
	steps complete;      /* a poll took less than its weight */
	steps irq_idle;      /* hard interrupt, the queue is idle */
	steps irq_scheduled; /* hard interrupt, the queue is scheduled already */
	steps irq_direct;    /* hard interrupt in MODE_IRQ; what is scheduled is the backlog */
	steps run;           /* softirq_run(); STEP_RUN somewhere inside */
	steps sleep;         /* the core loop from there to sleep */
	unsigned modes; /* BIT(enum mode), between which the operator may switch at any time; 0:
			   MODE_NAPI alone */
	/* mistakes to be found */
	bool no_timer;      /* it defers and arms none */
	bool no_turn;       /* it polls, and the loop does not look for that before it sleeps */
	bool silent_switch; /* a switch does not have the queue polled */
	bool keeps_turn;    /* a timer that comes before the turn does not take its place */
};

/* what the device does */
struct device {
	unsigned frames;   /* that arrive, in all */
	bool latches;      /* a cause that came while masked is sent when the mask opens */
	bool eicr_read;    /* somebody reads the cause register now and then, which clears that
			      latch */
	bool masks_itself; /* when it sends its interrupt; STEP_MASK does nothing */
	bool stray;  /* interrupts come without a cause, masked or not, as from a throttle timer */
	bool posted; /* mask register writes arrive some time after the core has gone on, in
			order */
};

struct verdict {
	const char *wrong; /* what went wrong; NULL if nothing can */
	unsigned states;   /* walked */
	unsigned asleep;   /* of these, asleep with all frames taken: what should be reached */
	char trace[8192];  /* the shortest way there, a step a line */
};

/* model_walk() - walk every interleaving of @p with @d, breadth first. */
void model_walk(const struct protocol *p, const struct device *d, struct verdict *v);

/* steps_text() - "idle, unmask, check" */
const char *steps_text(const enum step *s, char *buf, size_t size);
