/* SPDX-License-Identifier: MIT */
/* links: kernel/histogram.c tests/unit/host.c */
/*
 * test_vlapic_order.c - no vector is lost, in whatever order the steps of posters and
 * vCPU fall between each other
 *
 * The real vlapic.c and injection.c are compiled in here with a step before each atomic operation
 * on IRR and before the look whether the vCPU sleeps, and every order of the steps is run, one
 * after the other. Threads would meet the order that loses a vector once in a million. Orders only:
 * what a weaker machine than x86 makes of relaxed operations is not asked.
 */
#include "tests/unit/host.h"

#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

static void step(const volatile void *p);

#undef atomic_load_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#define atomic_load_explicit(p, order)         (step(p), __atomic_load_n(p, order))
#define atomic_fetch_or_explicit(p, v, order)  (step(p), __atomic_fetch_or(p, v, order))
#define atomic_fetch_and_explicit(p, v, order) (step(p), __atomic_fetch_and(p, v, order))
#undef atomic_thread_fence
#define atomic_thread_fence(order) step(NULL)
#include "vmm/injection.c"
#include "vmm/vlapic.c"

/* --- actors take turns, a step at a time --- */

enum { ACTORS_MAX = 3, STACK = 64 * 1024, STEPS_MAX = 64 };

struct actor {
	void (*act)(struct actor *a);
	uint8_t vector;
	ucontext_t context;
	bool done;
	char stack[STACK];
};

static struct vm vm;
static struct vcpu vcpu;
static struct vlapic *const l = &vcpu.lapic;
static struct actor actor[ACTORS_MAX], *acting;
static unsigned nactors;
static ucontext_t director;
static unsigned taken[256], due[256];
static bool kicked, asleep;

/*
 * which actor's turn it is at each step: the order that runs now, and how many
 * could have been chosen there
 */
static uint8_t choice[STEPS_MAX], choices[STEPS_MAX];

static void step(const volatile void *p)
{
	bool irr = (const volatile char *)p >= (const volatile char *)l->irr &&
		   (const volatile char *)p < (const volatile char *)(l->irr + VLAPIC_WORDS);

	if (acting && (irr || p == &l->irr_words || !p))
		swapcontext(&acting->context, &director);
}

static void begin(void)
{
	acting->act(acting);
	acting->done = true;
	swapcontext(&acting->context, &director);
}

static void ready(struct actor *a)
{
	a->done = false;
	getcontext(&a->context);
	a->context.uc_stack.ss_sp = a->stack;
	a->context.uc_stack.ss_size = STACK;
	makecontext(&a->context, begin, 0);
}

static void let(struct actor *a)
{
	acting = a;
	swapcontext(&director, &a->context);
	acting = NULL;
}

/*
 * run_order() - the order in choice[], and beyond its first @fixed steps always the first who
 * can. Returns its length.
 */
static unsigned run_order(unsigned fixed)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nactors; i++) {
		ready(&actor[i]);
		let(&actor[i]); /* up to its first step */
	}
	for (;;) {
		struct actor *can[ACTORS_MAX];
		unsigned ncan = 0;

		for (unsigned i = 0; i < nactors; i++)
			if (!actor[i].done)
				can[ncan++] = &actor[i];
		if (!ncan)
			return n;
		assert_true(n < STEPS_MAX);
		if (n >= fixed)
			choice[n] = 0;
		choices[n] = ncan;
		let(can[choice[n++]]);
	}
}

/*
 * next_order() - turn the last choice that has another way; returns the steps that are fixed
 * by it, 0 if none is left.
 */
static unsigned next_order(unsigned n)
{
	while (n && choice[n - 1] + 1 == choices[n - 1])
		n--;
	if (n)
		choice[n - 1]++;
	return n;
}

/* --- who acts --- */

void vcpu_kick(struct vcpu *v)
{
	(void)v;
	kicked = true;
}

const struct vmm_backend *backend;

struct vmm_feature *feature_by_name(const char *name)
{
	(void)name;
	return NULL;
}

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	(void)cpu;
	fn(arg);
	return 0;
}

void vlapic_timer_init(struct vlapic *a)
{
	(void)a;
}

void vioapic_eoi(struct vioapic *io, uint8_t vector)
{
	(void)io;
	(void)vector;
}

static bool take(void)
{
	int vector = vlapic_pending(l);

	if (vector < 0)
		return false;
	vlapic_accept(l, vector);
	taken[vector]++;
	vlapic_eoi(l);
	return true;
}

static void posts(struct actor *a)
{
	due[a->vector] = taken[a->vector] + 1; /* once more, at least, from here on */
	vlapic_post(l, a->vector, false);
}

/*
 * the vCPU's core: a kick ends its sleep, and it looks; when it finds nothing
 * it sleeps until the next
 */
static void takes_twice(struct actor *a)
{
	(void)a;
	kicked = false;
	take();
	kicked = false;
	asleep = !take();
}

/*
 * it takes what it finds as it enters, then halts: vcpu_run() up to its fence,
 * the softirqs, the last look
 */
static void takes_and_halts(struct actor *a)
{
	(void)a;
	take();
	step(NULL);
	vcpu.state = VCPU_HALTED;
	step(NULL);
	kicked = false;
	asleep = !take();
}

static void (*vcpu_acts)(struct actor *a);

/*
 * in_every_order() - @n posters of vectors[] and the vCPU, in whose IRR @before waits.
 * Returns the number of orders.
 */
static unsigned in_every_order(uint8_t before, unsigned n, const uint8_t *vectors)
{
	unsigned orders = 0, fixed = 0;

	nactors = n + 1;
	actor[n].act = vcpu_acts;
	for (unsigned i = 0; i < n; i++) {
		actor[i].act = posts;
		actor[i].vector = vectors[i];
	}
	do {
		vlapic_init(l, &vcpu);
		l->svr = SVR_ENABLE | SVR_VECTOR;
		vcpu.state = VCPU_RUNNING;
		memset(taken, 0, sizeof(taken));
		memset(due, 0, sizeof(due));
		vlapic_post(l, before, false);
		due[before] = 1;
		fixed = next_order(run_order(fixed));
		orders++;
		if (asleep && !kicked && vlapic_pending(l) >= 0)
			fail_msg("order %u: asleep on %02x", orders, vlapic_pending(l));
		while (take())
			;
		for (unsigned v = 0; v < 256; v++)
			if (taken[v] < due[v])
				fail_msg("order %u: %02x was taken %u times, not %u", orders, v,
					 taken[v], due[v]);
		assert_int_equal(l->irr[before / 32], 0);
	} while (fixed);
	return orders;
}

static void a_vector_posted_as_its_word_empties_is_not_lost(void **state)
{
	(void)state;
	assert_true(in_every_order(0x41, 1, (const uint8_t[]){ 0x42 }) > 20);
	assert_true(in_every_order(0x42, 1, (const uint8_t[]){ 0x41 }) > 20);
}

static void the_kick_comes_when_the_vector_can_be_seen(void **state)
{
	(void)state;
	/* of another word than the one whose emptying would show it by chance */
	assert_true(in_every_order(0x41, 1, (const uint8_t[]){ 0x62 }) > 20);
}

static void a_vector_posted_again_as_it_is_taken_comes_again(void **state)
{
	(void)state;
	/* it may find itself waiting still, which is as good */
	assert_true(in_every_order(0x41, 2, (const uint8_t[]){ 0x41, 0x42 }) > 1000);
}

static void two_posters_of_one_word_lose_neither(void **state)
{
	(void)state;
	assert_true(in_every_order(0x41, 2, (const uint8_t[]){ 0x42, 0x43 }) > 1000);
	assert_true(in_every_order(0x41, 2, (const uint8_t[]){ 0x42, 0x42 }) > 1000);
	assert_true(in_every_order(0x41, 2, (const uint8_t[]){ 0x42, 0x62 }) > 1000);
}

static void without_a_kick_who_falls_asleep_finds_it_or_is_woken(void **state)
{
	(void)state;
	vcpu_acts = takes_and_halts;
	for (unsigned mode = INJECTION_KICK; mode <= INJECTION_ENTRY; mode++) {
		vcpu.injection.mode = mode;
		assert_true(in_every_order(0x41, 1, (const uint8_t[]){ 0x42 }) > 20);
		assert_true(in_every_order(0x41, 1, (const uint8_t[]){ 0x62 }) > 20);
		assert_true(in_every_order(0x41, 2, (const uint8_t[]){ 0x42, 0x62 }) > 1000);
	}
}

/* posters are on another core than the vCPU's */
static int start(void **state)
{
	(void)state;
	host_cores(2);
	host_play(1);
	vcpu.vm = &vm;
	vcpu.injection.mode = INJECTION_KICK;
	vcpu_acts = takes_twice;
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vector_posted_as_its_word_empties_is_not_lost),
		TEST(the_kick_comes_when_the_vector_can_be_seen),
		TEST(a_vector_posted_again_as_it_is_taken_comes_again),
		TEST(two_posters_of_one_word_lose_neither),
		TEST(without_a_kick_who_falls_asleep_finds_it_or_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
