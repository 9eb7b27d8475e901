/* SPDX-License-Identifier: MIT */
/*
 * wakeup_model.c - explicit-state search: every state reached is kept, each
 * with the move that led there
 *
 * A state is a few bytes. next() lists the moves that a state allows; model_walk() follows all of
 * them, breadth first, so that the first bad state found has the shortest trace. One core, one
 * queue: what crosses cores goes by IPI, which is the same pending bit set from a handler.
 */
#include "wakeup_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT = 2, POSTED_MAX = 3, HASH = 1 << 20, STATES_MAX = HASH / 2 };

enum where { IN_RUN, IN_POLL, IN_COMPLETE, IN_REQUEUE, IN_SLEEP };

struct state {
	/* the device */
	uint8_t to_come;            /* frames not yet arrived */
	uint8_t ring;               /* frames in the ring */
	uint8_t raising;            /* a frame is in the ring, its interrupt is not decided yet */
	uint8_t latch;              /* a cause waits for the mask to open */
	uint8_t open;               /* not masked */
	uint8_t nposted;            /* mask register writes on their way, oldest first */
	uint8_t posted[POSTED_MAX]; /* STEP_MASK or STEP_UNMASK */
	/* the core */
	uint8_t irr; /* an interrupt waits at the local APIC */
	uint8_t irqs_on;
	uint8_t halted;
	uint8_t where, at, back; /* the code that runs, its step; where a poll goes back to */
	uint8_t handler;         /* 0, or 1 + the handler's step; the code above waits meanwhile */
	uint8_t handler_saw;     /* the queue was scheduled when the handler came in */
	uint8_t handler_took;    /* frames */
	/* the software's variables */
	uint8_t scheduled;    /* napi->state */
	uint8_t listed;       /* times on the poll list */
	uint8_t pending, due; /* NET_RX raised; taken over by the run that goes on */
	uint8_t more;         /* the last run left work over */
	uint8_t taken;        /* by the poll that runs */
	/* the policy */
	uint8_t mode;
	uint8_t timer, timer_irr; /* armed; its interrupt waits */
	uint8_t turn;             /* to be polled in the next turn */
	uint8_t later;            /* to be polled when the timer comes */
	uint8_t backlog;          /* MODE_IRQ: frames that the handler took */
	uint8_t left;             /* and it left some in the ring */
	uint8_t begins;           /* still masked, since nobody has polled yet */
};

struct node {
	struct state s;
	uint32_t parent;
	const char *move;
};

struct walk {
	const struct protocol *p;
	const struct device *d;
	struct verdict *v;
	struct node *node;
	uint32_t nnodes;
	uint32_t *slot; /* hash: 1 + node */
	uint32_t from;  /* the node whose moves are being listed */
	bool stop;
};

static const char *const step_name[STEP_N] = {
	[STEP_END] = "end",
	[STEP_IDLE] = "idle",
	[STEP_SCHEDULED] = "scheduled",
	[STEP_MASK] = "mask",
	[STEP_UNMASK] = "unmask",
	[STEP_CHECK] = "check",
	[STEP_CHECK_FIRST] = "check first",
	[STEP_IF_IDLE] = "if idle",
	[STEP_LIST] = "list",
	[STEP_TAKE] = "take",
	[STEP_LEFT] = "left",
	[STEP_CLI] = "cli",
	[STEP_STI] = "sti",
	[STEP_CLEAR] = "clear",
	[STEP_FORGET] = "forget",
	[STEP_RUN] = "run",
	[STEP_LOOK] = "look",
	[STEP_HLT] = "hlt",
	[STEP_STI_HLT] = "sti;hlt",
};

static const char *const move_name[2][STEP_N] = {
	{
		[STEP_IDLE] = "core: state = IDLE",
		[STEP_SCHEDULED] = "core: state = SCHEDULED",
		[STEP_MASK] = "core: writes the mask",
		[STEP_UNMASK] = "core: writes the unmask",
		[STEP_CHECK] = "core: looks at the ring again",
		[STEP_CHECK_FIRST] = "core: looks at the ring again",
		[STEP_IF_IDLE] = "core: is the queue still idle?",
		[STEP_LIST] = "core: queue on the poll list, NET_RX raised",
		[STEP_CLI] = "core: interrupts off",
		[STEP_STI] = "core: interrupts on",
		[STEP_CLEAR] = "core: takes over its pending bits",
		[STEP_FORGET] = "core: clears its pending bits",
		[STEP_RUN] = "core: takes the poll list",
		[STEP_LOOK] = "core: looks for pending softirqs",
		[STEP_HLT] = "core: hlt",
		[STEP_STI_HLT] = "core: sti;hlt",
	},
	{
		[STEP_IDLE] = "  irq: state = IDLE",
		[STEP_SCHEDULED] = "  irq: state = SCHEDULED",
		[STEP_MASK] = "  irq: writes the mask",
		[STEP_UNMASK] = "  irq: writes the unmask",
		[STEP_IF_IDLE] = "  irq: is the queue idle?",
		[STEP_LIST] = "  irq: queue on the poll list, NET_RX raised",
		[STEP_TAKE] = "  irq: takes no more",
		[STEP_LEFT] = "  irq: are frames left in the ring?",
	},
};

/* --- what has been reached --- */

static uint32_t hash(const struct state *s)
{
	const uint8_t *b = (const uint8_t *)s;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ b[i]) * 16777619u;
	return h ^ h >> 15;
}

static void tell(struct walk *w, uint32_t node)
{
	struct verdict *v = w->v;
	const struct node *way[256];
	unsigned n = 0;
	size_t at = 0;

	for (; node && n < 256; node = w->node[node].parent)
		way[n++] = &w->node[node];
	for (unsigned i = 1; n && at < sizeof(v->trace) - 1; i++) {
		const struct node *step = way[--n];
		int len = snprintf(v->trace + at, sizeof(v->trace) - at,
				   "%3u %-46s ring=%u open=%u latch=%u irr=%u %s%s%s\n", i,
				   step->move, step->s.ring, step->s.open, step->s.latch,
				   step->s.irr, step->s.scheduled ? "SCHEDULED" : "IDLE",
				   step->s.pending ? " pending" : "",
				   step->s.halted ? " ASLEEP" : "");

		at += (size_t)len;
	}
}

/*
 * what must never be: first of all, asleep with nothing under way that wakes us and
 * a frame that nobody takes
 */
static const char *wrong(const struct state *s)
{
	if (s->listed > 1)
		return "the queue is twice on the poll list";
	if (s->halted && !(s->irr && s->irqs_on) && !s->raising && !s->nposted && !s->timer &&
	    !s->timer_irr && s->ring + s->backlog)
		return "a frame waits and everyone sleeps";
	return NULL;
}

static void reach(struct walk *w, const struct state *s, const char *move)
{
	uint32_t i = hash(s) & (HASH - 1);

	if (w->stop)
		return;
	for (; w->slot[i]; i = (i + 1) & (HASH - 1))
		if (memcmp(&w->node[w->slot[i] - 1].s, s, sizeof(*s)) == 0)
			return;
	if (w->nnodes == STATES_MAX) {
		w->v->wrong = "more states than the search has room for";
		w->stop = true;
		return;
	}
	w->node[w->nnodes] = (struct node){ *s, w->from, move };
	w->slot[i] = ++w->nnodes;
	w->v->asleep += s->halted && !s->to_come && !s->ring && !s->backlog;
	w->v->wrong = wrong(s);
	if (w->v->wrong) {
		tell(w, w->nnodes - 1);
		w->stop = true;
	}
}

/* --- the device --- */

static void open_mask(const struct device *d, struct state *s, bool open)
{
	s->open = open;
	if (open && s->latch) {
		s->latch = 0;
		s->irr = 1;
		s->open = !d->masks_itself;
	}
}

static void device_moves(struct walk *w, const struct state *s)
{
	const struct device *d = w->d;
	struct state n = *s;

	if (s->timer) {
		n.timer = 0, n.timer_irr = 1;
		reach(w, &n, "time: the timer is due");
	}
	n = *s;

	if (s->to_come && !s->raising) {
		n.to_come--, n.ring++, n.raising = 1;
		reach(w, &n, "dev: a frame is in the ring");
	}
	n = *s;
	if (s->raising) {
		n.raising = 0;
		if (s->open) {
			n.irr = 1;
			n.open = !d->masks_itself;
		} else if (d->latches) {
			n.latch = 1;
		}
		reach(w, &n,
		      s->open      ? "dev: sends its interrupt"
		      : d->latches ? "dev: is masked, keeps the cause"
				   : "dev: is masked, forgets it");
	}
	n = *s;
	if (s->latch && d->eicr_read) {
		n.latch = 0;
		reach(w, &n, "dev: its cause register is read");
	}
	n = *s;
	if (d->stray && !s->irr) {
		n.irr = 1;
		reach(w, &n, "dev: interrupt without a cause");
	}
	n = *s;
	if (s->nposted) {
		memmove(n.posted, s->posted + 1, POSTED_MAX - 1);
		n.posted[POSTED_MAX - 1] = 0;
		n.nposted--;
		open_mask(d, &n, s->posted[0] == STEP_UNMASK);
		reach(w, &n,
		      s->posted[0] == STEP_UNMASK ? "dev: the unmask arrives"
						  : "dev: the mask arrives");
	}
}

/* --- the core --- */

/* a write to the mask register; false: must wait until earlier ones have arrived */
static bool write_mask(const struct device *d, struct state *s, enum step what)
{
	if (d->masks_itself && what == STEP_MASK)
		return true; /* left to the device: igb.c's queue_irq_masked_itself() */
	if (!d->posted) {
		open_mask(d, s, what == STEP_UNMASK);
		return true;
	}
	if (s->nposted == POSTED_MAX)
		return false;
	s->posted[s->nposted++] = (uint8_t)what;
	return true;
}

/* what runs is the poll of a backlog, or behind it: it has no mask */
static bool is_backlog(const struct state *s)
{
	return s->mode == MODE_IRQ && !s->handler;
}

/*
 * one step of a queue or a core. Returns false if it cannot be taken now; *rest = false
 * skips the steps behind it
 */
static bool take_step(const struct device *d, struct state *s, enum step step, bool *rest)
{
	switch (step) {
	case STEP_IDLE: s->scheduled = 0; return true;
	case STEP_SCHEDULED: s->scheduled = 1; return true;
	case STEP_MASK:
	case STEP_UNMASK: return is_backlog(s) || write_mask(d, s, step);
	case STEP_CHECK: *rest = is_backlog(s) ? s->backlog || s->left : s->ring > 0; return true;
	case STEP_CHECK_FIRST: *rest = s->ring == 0; return true;
	case STEP_IF_IDLE: *rest = !s->scheduled; return true;
	case STEP_LIST:
		s->listed++;
		s->pending = 1;
		return true;
	case STEP_TAKE: return true;
	case STEP_LEFT:
		s->left = s->ring && (s->handler_took == WEIGHT || d->masks_itself);
		return true;
	case STEP_CLI: s->irqs_on = 0; return true;
	case STEP_STI: s->irqs_on = 1; return true;
	case STEP_CLEAR:
		s->due = s->pending;
		s->pending = 0;
		return true;
	case STEP_FORGET: s->pending = 0; return true;
	case STEP_LOOK:
		*rest = !s->pending && !s->more;
		if (*rest && s->turn) { /* the loop goes round instead */
			s->turn = 0;
			s->listed++;
			s->pending = 1;
			*rest = false;
		}
		return true;
	case STEP_STI_HLT: s->irqs_on = 1; /* fall through */
	case STEP_HLT: s->halted = 1; return true;
	case STEP_RUN:
	case STEP_END:
	case STEP_N: break;
	}
	abort();
}

static const enum step *code(const struct protocol *p, const struct state *s)
{
	static const steps requeue = { STEP_LIST };

	switch ((enum where)s->where) {
	case IN_RUN: return p->run;
	case IN_COMPLETE: return p->complete;
	case IN_REQUEUE: return requeue;
	case IN_SLEEP: return p->sleep;
	case IN_POLL: break;
	}
	return NULL;
}

static void go(struct state *s, enum where where, unsigned at)
{
	s->where = (uint8_t)where;
	s->at = (uint8_t)at;
}

/* where the core stands once the steps it was in are through */
static void leave(struct state *s)
{
	switch ((enum where)s->where) {
	case IN_RUN:
		s->more = s->pending;
		go(s, IN_SLEEP, 0);
		return;
	case IN_SLEEP:
		s->irqs_on = 1;
		go(s, IN_RUN, 0);
		return;
	case IN_POLL:
	case IN_COMPLETE:
	case IN_REQUEUE:
		s->taken = 0;
		go(s, IN_RUN, s->back);
		return;
	}
}

/* the rest of the steps is not for now: interrupts are on again */
static void skip(struct state *s, enum step step)
{
	s->irqs_on = 1;
	if (step == STEP_CHECK_FIRST)
		go(s, IN_REQUEUE, 0);
	else
		leave(s);
}

static void settle(const struct protocol *p, struct state *s)
{
	while (s->where != IN_POLL && code(p, s)[s->at] == STEP_END)
		leave(s);
}

/*
 * the poll found no more, and the policy says that interrupts do not come back yet,
 * but a turn does or a timer
 */
static void stay_masked(struct walk *w, struct state n, bool turn)
{
	n.turn = turn && !w->p->no_turn;
	n.later = !turn;
	if (!turn || n.mode == MODE_SUSPEND)
		n.timer = !w->p->no_timer;
	go(&n, IN_REQUEUE, 1);
	settle(w->p, &n);
	reach(w, &n,
	      turn ? "core: poll finds no more, the queue stays masked till the next turn"
		   : "core: poll finds no more, the queue stays masked till its timer");
}

/*
 * MODE_IRQ: what the handler left, or all when it begins, by its hand; interrupts are off meanwhile
 */
static void receive_here(struct walk *w, struct state n)
{
	uint8_t took = n.ring < WEIGHT ? n.ring : WEIGHT;

	if ((n.begins || w->d->masks_itself) && !write_mask(w->d, &n, STEP_UNMASK))
		return;
	n.ring -= took;
	n.backlog += took;
	n.left = n.ring > 0;
	n.begins = 0;
	reach(w, &n, "core: poll takes what the handler left");
}

/* where the poll takes its frames from */
static uint8_t *source(struct state *s)
{
	return s->mode == MODE_IRQ ? &s->backlog : &s->ring;
}

static void poll_move(struct walk *w, struct state n)
{
	bool turns = n.mode == MODE_POLL || (n.mode == MODE_SUSPEND && n.taken);

	if (n.mode == MODE_IRQ && (n.left || n.begins)) {
		receive_here(w, n);
		return;
	}
	if (*source(&n) && n.taken < WEIGHT) {
		--*source(&n);
		n.taken++;
		reach(w, &n, "core: poll takes a frame");
		return;
	}
	if (n.taken == WEIGHT) {
		go(&n, IN_REQUEUE, 0);
		settle(w->p, &n);
		reach(w, &n, "core: poll has used its weight");
		return;
	}
	if (turns)
		stay_masked(w, n, true);
	if (n.mode == MODE_DEFER || n.mode == MODE_SUSPEND)
		stay_masked(w, n, false);
	if (n.mode != MODE_POLL) {
		go(&n, IN_COMPLETE, 0);
		settle(w->p, &n);
		reach(w, &n, "core: poll finds no more");
	}
}

/* STEP_RUN: the poll list is taken with interrupts off, in one step for everybody else */
static void run_move(struct walk *w, struct state n)
{
	bool due = n.due || n.pending;

	n.due = 0;
	n.at++;
	if (due && n.listed) {
		n.listed--;
		n.back = n.at;
		go(&n, IN_POLL, 0);
	}
	settle(w->p, &n);
	reach(w, &n, move_name[0][STEP_RUN]);
}

static void code_move(struct walk *w, struct state n)
{
	enum step step = code(w->p, &n)[n.at];
	bool rest = true;

	if (step == STEP_RUN) {
		run_move(w, n);
		return;
	}
	if (!take_step(w->d, &n, step, &rest))
		return;
	n.at++;
	if (!rest)
		skip(&n, step);
	settle(w->p, &n);
	reach(w, &n, move_name[0][step]);
}

static const enum step *handler_code(const struct protocol *p, const struct state *s)
{
	if (s->mode == MODE_IRQ)
		return p->irq_direct;
	return s->handler_saw ? p->irq_scheduled : p->irq_idle;
}

static void handler_move(struct walk *w, struct state n)
{
	enum step step = handler_code(w->p, &n)[n.handler - 1];
	bool rest = true;

	if (step == STEP_TAKE && n.ring && n.handler_took < WEIGHT) {
		n.ring--, n.backlog++, n.handler_took++;
		reach(w, &n, "  irq: takes a frame");
		return;
	}
	if (step == STEP_END) {
		n.handler = n.handler_saw = n.handler_took = 0;
		n.irqs_on = 1;
		reach(w, &n, "  irq: returns");
		return;
	}
	if (!take_step(w->d, &n, step, &rest))
		return;
	if (!rest)
		n.handler = STEPS_MAX; /* the last step is always STEP_END */
	else
		n.handler++;
	reach(w, &n, move_name[1][step]);
}

/* From MODE_IRQ the operator switches when its backlog has been seen to. */
static bool is_drained(const struct state *s)
{
	return s->mode != MODE_IRQ || (!s->backlog && !s->scheduled);
}

/*
 * The operator's, the core parked between two softirqs, asleep or not: the queue is disabled, off
 * each list, and enabled: masked, scheduled and to be polled once.
 */
static void switch_moves(struct walk *w, const struct state *s)
{
	for (unsigned mode = 0; mode < MODES; mode++) {
		struct state n = *s;

		if (!(w->p->modes >> mode & 1) || mode == s->mode || !is_drained(s) ||
		    !write_mask(w->d, &n, STEP_MASK))
			continue;
		n.mode = (uint8_t)mode;
		n.begins = mode == MODE_IRQ;
		n.timer = n.timer_irr = n.turn = n.later = n.left = n.halted = 0;
		n.scheduled = 1;
		n.listed = n.pending = !w->p->silent_switch;
		reach(w, &n, "control: another policy");
	}
}

/*
 * for a queue that went another way meanwhile there is nothing to do; for one whose turn
 * is due yet it comes again
 */
static void timer_moves(struct walk *w, const struct state *s)
{
	struct state n = *s;

	n.timer_irr = n.halted = 0;
	if (!s->turn && !s->later) {
		reach(w, &n, "core: the timer's interrupt, nobody waits for it");
		return;
	}
	if (s->turn) {
		n.timer = 1;
		reach(w, &n, "core: the timer's interrupt, early, and armed again");
	}
	n.timer = n.later = 0;
	n.turn = s->turn && w->p->keeps_turn;
	n.listed++;
	n.pending = 1;
	reach(w, &n, "core: the timer's interrupt, the queue on the poll list");
}

static void core_moves(struct walk *w, const struct state *s)
{
	struct state n = *s;

	if (!s->handler && s->irqs_on && s->where == IN_RUN && s->at == 0 && !s->due)
		switch_moves(w, s);
	if (s->timer_irr && s->irqs_on && !s->handler)
		timer_moves(w, s);
	n = *s;

	if (s->handler) {
		handler_move(w, *s);
		return;
	}
	if (s->irr && s->irqs_on) {
		n.irr = n.irqs_on = n.halted = 0;
		n.handler = 1;
		n.handler_saw = s->scheduled;
		reach(w, &n, s->halted ? "core: wakes, interrupt" : "core: interrupt");
	}
	if (s->halted)
		return;
	if (s->where == IN_POLL)
		poll_move(w, *s);
	else
		code_move(w, *s);
}

/* --- the search --- */

void model_walk(const struct protocol *p, const struct device *d, struct verdict *v)
{
	struct walk w = { .p = p, .d = d, .v = v };
	struct state start = { .to_come = (uint8_t)d->frames, .open = 1, .irqs_on = 1 };

	memset(v, 0, sizeof(*v));
	w.node = malloc(STATES_MAX * sizeof(*w.node));
	w.slot = calloc(HASH, sizeof(*w.slot));
	if (!w.node || !w.slot)
		abort();
	reach(&w, &start, "start: idle, unmasked, the ring is empty");
	for (uint32_t i = 0; i < w.nnodes && !w.stop; i++) {
		struct state s = w.node[i].s;

		w.from = i;
		device_moves(&w, &s);
		core_moves(&w, &s);
	}
	v->states = w.nnodes;
	free(w.node);
	free(w.slot);
}

const char *steps_text(const enum step *s, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = 0;
	for (unsigned i = 0; i < STEPS_MAX && s[i] != STEP_END && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", step_name[s[i]]);
	return buf;
}
