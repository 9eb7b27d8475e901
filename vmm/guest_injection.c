/* SPDX-License-Identifier: MIT */
/*
 * guest_injection.c - `guest injection`: modes and measuring switched live,
 * interrupts posted as a test
 *
 * Control context. A change is made on the vCPU's core (injection.c), so it takes
 * effect between two entries.
 */
#include "guest_injection.h"

#include "kernel/bits.h"
#include "kernel/control.h"
#include "kernel/time.h"
#include "vlapic_regs.h"

#include <errno.h>

enum {
	TEST_MAX = 100000, /* interrupts of one test */
	TEST_GAP_US = 100, /* between two of them */
	TEST_GAP_MAX_US = 100000,
	TEST_PATIENCE_MS = 5000, /* for one to be taken */
};

enum injection_mode guest_injection_mode(const struct vm *vm)
{
	return vm->vcpu[0]->injection.mode;
}

bool guest_measured(const struct vm *vm)
{
	return injection_measured(&vm->vcpu[0]->injection);
}

/* --- interrupts of our own, at a gap that lets the guest do something in between --- */

struct test {
	struct vlapic *lapic;
	uint8_t vector;
	uint64_t gap; /* TSC ticks */
};

static bool waits(const struct test *t)
{
	return atomic_load_explicit(&t->lapic->irr[t->vector / 32], memory_order_relaxed) &
	       BIT(t->vector % 32);
}

/* post_one() - true: it was taken. */
static bool post_one(const struct test *t)
{
	uint64_t begin = rdtsc(), patience = tsc_from_us(TEST_PATIENCE_MS * UINT64_C(1000));

	vlapic_post(t->lapic, t->vector, false);
	while (waits(t) && rdtsc() - begin < patience)
		yield();
	while (rdtsc() - begin < t->gap)
		yield();
	return !waits(t);
}

static int run_test(struct shell *sh, struct vm *vm)
{
	struct test t = { .lapic = &vm->vcpu[0]->lapic };
	unsigned long count, vector, gap_us = TEST_GAP_US, taken = 0;
	int err = shell_uint(sh, 4, 1, TEST_MAX, &count);

	if (!err)
		err = shell_uint(sh, 5, 32, 255, &vector);
	if (!err && sh->nwords > 6)
		err = shell_uint(sh, 6, 1, TEST_GAP_MAX_US, &gap_us);
	if (err)
		return err;
	if (vm->state != VM_RUNNING)
		return shell_error(sh, 2, -ENOTCONN, "%s is %s", vm->name,
				   vm_state_name(vm->state));
	if (!(t.lapic->svr & SVR_ENABLE))
		return shell_error(sh, 2, -ENOTCONN, "%s has its local APIC off", vm->name);
	t.vector = vector;
	t.gap = tsc_from_us(gap_us);
	while (taken < count && post_one(&t))
		taken++;
	if (taken < count)
		return shell_error(sh, 5, -ETIMEDOUT,
				   "%s took %lu of %lu: vector %lu has waited for %u ms", vm->name,
				   taken, count, vector, TEST_PATIENCE_MS);
	shell_printf(sh, "%s took %lu\n", vm->name, taken);
	return 0;
}

/* --- the verb --- */

static int set_mode(struct shell *sh, struct vm *vm, enum injection_mode mode)
{
	const char *refused = injection_refused(mode);

	if (refused)
		return shell_error(sh, 3, -ENODEV, "%s", refused);
	vcpu_for_each(vm, i) injection_set_mode(vm->vcpu[i], mode);
	return 0;
}

static int measure(struct shell *sh, struct vm *vm)
{
	bool on = word_is(sh->nwords, sh->word, 4, "on");
	int err = 0;

	if (!on && !word_is(sh->nwords, sh->word, 4, "off"))
		return shell_expected(sh, 4, "on or off");
	vcpu_for_each(vm, i) if (!err) err = injection_measure(vm->vcpu[i], on);
	return err ? shell_error(sh, 4, err, "no memory for the histograms of %s", vm->name) : 0;
}

static int reset(struct vm *vm)
{
	vcpu_for_each(vm, i) injection_reset(vm->vcpu[i]);
	return 0;
}

/*
 * words behind the guest's name, the modes in the order of enum injection_mode; how many
 * words there may be in all
 */
static const struct {
	const char *name;
	int most;
} words[] = {
	{ "kick", 4 },      { "entry", 4 }, { "posted", 4 }, { "measure", 5 },
	{ "histogram", 4 }, { "reset", 4 }, { "test", 7 },
};
enum { WORD_MEASURE = INJECTION_MODES, WORD_HISTOGRAM, WORD_RESET, WORD_TEST };

int guest_injection(struct shell *sh, struct vm *vm)
{
	unsigned i = 0;

	if (sh->nwords == 3) {
		guest_injection_show(sh, vm);
		return 0;
	}
	while (i < ARRAY_SIZE(words) && !word_is(sh->nwords, sh->word, 3, words[i].name))
		i++;
	if (i == ARRAY_SIZE(words))
		return shell_expected(sh, 3,
				      "kick, entry, posted, measure, histogram, reset or test");
	if (sh->nwords > words[i].most)
		return shell_expected(sh, words[i].most, "the end of the line");
	switch (i) {
	case WORD_MEASURE: return measure(sh, vm);
	case WORD_HISTOGRAM: return guest_injection_bars(sh, vm);
	case WORD_RESET: return reset(vm);
	case WORD_TEST: return run_test(sh, vm);
	default: return set_mode(sh, vm, i);
	}
}

void guest_injection_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			      void *to)
{
	if (n == 3) {
		for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
			add(to, words[i].name);
	} else if (n == 4 && word_is(n, w, 3, "measure")) {
		add(to, "on");
		add(to, "off");
	}
}

void guest_injection_config(struct shell *sh, const struct vm *vm)
{
	if (guest_injection_mode(vm) != injection_default())
		shell_printf(sh, "guest injection %s %s\n", vm->name,
			     injection_mode_name[guest_injection_mode(vm)]);
	if (guest_measured(vm))
		shell_printf(sh, "guest injection %s measure on\n", vm->name);
}
