/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - `selftest` and the kernel's own checks: libc under load, QSBR,
 * timers, parking, guest share
 *
 * Runs in the control context; what must run on other cores goes there by cpu_call()
 * or a softirq of its own.
 */
#include "selftest.h"

#include "console.h"
#include "control.h"
#include "cpu.h"
#include "guest.h"
#include "irq.h"
#include "park.h"
#include "qsbr.h"
#include "smp.h"
#include "softirq.h"
#include "time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- libc: every core hammers malloc, snprintf, strtoul and errno at once --- */

enum { HAMMER_ROUNDS = 3000, HAMMER_BLOCKS = 4 };

static _Atomic unsigned hammer_faults, hammer_left;

static unsigned hammer_once(unsigned me, unsigned i)
{
	char *block[HAMMER_BLOCKS], text[48];
	unsigned faults = 0;

	for (unsigned j = 0; j < HAMMER_BLOCKS; j++) {
		block[j] = malloc(24 + 8 * ((i + j) % 7));
		if (block[j])
			memset(block[j], me * 16 + j, 24);
		faults += !block[j];
	}
	snprintf(text, sizeof(text), "%u:%u", me, i);
	faults += strtoul(strchr(text, ':') + 1, NULL, 10) != i;
	errno = 0;
	strtoul("99999999999999999999", NULL, 10);
	faults += errno != ERANGE;
	for (unsigned j = 0; j < HAMMER_BLOCKS; j++) {
		for (unsigned k = 0; block[j] && k < 24; k++)
			faults += (uint8_t)block[j][k] != (uint8_t)(me * 16 + j);
		free(block[j]);
	}
	return faults;
}

static void hammer_timer(struct timer *t)
{
	unsigned faults = 0;

	(void)t;
	for (unsigned i = 0; i < HAMMER_ROUNDS; i++)
		faults += hammer_once(this_cpu()->id, i);
	atomic_fetch_add(&hammer_faults, faults);
	atomic_fetch_sub(&hammer_left, 1);
}

static void hammer_start(void *arg)
{
	struct timer *t = arg; /* from a timer, so that all cores hammer at the same time */

	t[this_cpu()->id].fn = hammer_timer;
	timer_arm(&t[this_cpu()->id], 1000);
}

static int test_libc(struct shell *sh)
{
	static struct timer timers[MAX_CPUS];

	atomic_store(&hammer_faults, 0);
	atomic_store(&hammer_left, ncpus);
	cpu_for_each(i)
		if (cpu_call(i, hammer_start, timers))
			return -ETIMEDOUT;
	for (unsigned ms = 0; atomic_load(&hammer_left) && ms < 20000; ms += 10)
		msleep(10);
	shell_printf(sh, "  %u cores, %d rounds each, %u faults\n", ncpus, HAMMER_ROUNDS,
		     atomic_load(&hammer_faults));
	return atomic_load(&hammer_left) || atomic_load(&hammer_faults) ? -EIO : 0;
}

SELFTEST(selftest_libc, .name = "libc",
	 .help = "newlib on all cores at once: malloc, snprintf, errno", .run = test_libc);

/* --- QSBR: what was retired is freed, and not before every core has turned --- */

static struct retired {
	struct qsbr_head head;
	volatile bool freed;
} retired;

static void free_retired(struct qsbr_head *h)
{
	container_of(h, struct retired, head)->freed = true;
}

static void retire_it(void *arg)
{
	(void)arg;
	retired.freed = false;
	qsbr_retire(&retired.head, free_retired);
}

/* not_early() - core 0 turns while the others stand still: it must not be freed yet. */
static bool not_early(void)
{
	bool early;

	cores_park();
	retire_it(NULL);
	qsbr_turn();
	early = retired.freed && ncpus > 1;
	cores_resume();
	return !early;
}

static bool freed_in_time(void)
{
	for (unsigned ms = 0; !retired.freed && ms < 2000; ms += 10)
		msleep(10);
	return retired.freed;
}

static int test_qsbr(struct shell *sh)
{
	if (!not_early() || !freed_in_time()) {
		shell_printf(sh,
			     "  retired while the others were parked: freed too early or never\n");
		return -EIO;
	}
	cpu_for_each(i)
		if (cpu_call(i, retire_it, NULL) || !freed_in_time()) {
			shell_printf(sh, "  retired on core %u and not freed in 2 s\n", i);
			return -EIO;
		}
	shell_printf(sh, "  %u cores retire and free; %u pending\n", ncpus, qsbr_pending());
	return qsbr_pending() ? -EIO : 0;
}

SELFTEST(selftest_qsbr, .name = "qsbr", .help = "retired memory comes free on every core",
	 .run = test_qsbr);

/* --- timers: in order, not early --- */

static struct {
	struct timer t;
	uint64_t armed, fired;
} ticks[4];
static volatile unsigned nfired;

static void tick(struct timer *t)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ticks); i++)
		if (t == &ticks[i].t)
			ticks[i].fired = rdtsc();
	nfired++;
}

static int test_timer(struct shell *sh)
{
	static const uint64_t us[ARRAY_SIZE(ticks)] = { 4000, 1000, 3000, 2000 };

	nfired = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(ticks); i++) {
		ticks[i].t.fn = tick;
		ticks[i].armed = rdtsc();
		timer_arm(&ticks[i].t, us[i]);
	}
	for (unsigned ms = 0; nfired < ARRAY_SIZE(ticks) && ms < 2000; ms++)
		msleep(1);
	for (unsigned i = 0; i < ARRAY_SIZE(ticks); i++)
		if (nfired < ARRAY_SIZE(ticks) ||
		    ticks[i].fired - ticks[i].armed < tsc_from_us(us[i]))
			return -EIO;
	shell_printf(sh, "  %u timers, none early\n", nfired);
	return 0;
}

SELFTEST(selftest_timer, .name = "timer", .help = "timers fire, in their order and not early",
	 .run = test_timer);

/* --- parking: nobody turns while parked, everybody does after --- */

static int test_park(struct shell *sh)
{
	for (unsigned round = 0; round < 100; round++) {
		uint64_t before[MAX_CPUS];

		cores_park();
		cpu_for_each(i)
			before[i] = atomic_load(&cpus[i]->qs);
		udelay(20);
		cpu_for_each(i)
			if (atomic_load(&cpus[i]->qs) != before[i]) {
				cores_resume();
				shell_printf(sh, "  core %u turned while parked\n", i);
				return -EIO;
			}
		cores_resume();
		yield();
	}
	shell_printf(sh, "  100 times, %u cores\n", ncpus);
	return 0;
}

SELFTEST(selftest_park, .name = "park", .help = "all cores stand still, and go on",
	 .run = test_park);

/* --- the share: a guest that never rests and softirqs that never end both make progress --- */

enum { SHARE_MS = 50 };

static uint64_t guest_entries, guest_kept, packets_rounds;
static bool share_running;

struct vcpu {
	int unused;
};

static struct vcpu *spin_next(struct cpu *c)
{
	static struct vcpu spinner;

	return c->id == 0 ? &spinner : NULL;
}

/*
 * spin_enter() - a guest that only burns time: until its slice is over or, unless
 * kept, a softirq is pending.
 */
static void spin_enter(struct vcpu *v, uint64_t slice, int keep)
{
	uint64_t end = rdtsc() + slice;

	(void)v;
	guest_entries++;
	guest_kept += !!keep;
	irq_enable();
	while (rdtsc() < end && (keep || !softirq_pending()))
		cpu_pause();
	irq_disable();
}

static const struct guest_ops spin_ops = { .next = spin_next, .enter = spin_enter };

/* flood() - stands for traffic that never ends: it raises itself whenever it has run. */
static void flood(void)
{
	packets_rounds++;
	if (share_running)
		raise_softirq(SOFTIRQ_SELFTEST);
}

static int test_share(struct shell *sh)
{
	const struct guest_ops *before;

	guest_entries = guest_kept = packets_rounds = 0;
	open_softirq(SOFTIRQ_SELFTEST, flood);
	share_running = true;
	cores_park();
	before = guest_attach(&spin_ops);
	cores_resume();
	raise_softirq(SOFTIRQ_SELFTEST);
	msleep(SHARE_MS);
	share_running = false;
	cores_park();
	guest_attach(before);
	cores_resume();
	shell_printf(
		sh,
		"  in %d ms: %lu rounds of softirqs, %lu guest entries, %lu of them under load\n",
		SHARE_MS, (unsigned long)packets_rounds, (unsigned long)guest_entries,
		(unsigned long)guest_kept);
	return packets_rounds > 10 && guest_kept > 2 ? 0 : -EIO;
}

SELFTEST(selftest_share, .name = "share",
	 .help = "endless softirqs and an endless guest share a core", .run = test_share);

/* --- the command --- */

static int run_one(struct shell *sh, const struct selftest *t)
{
	int err = t->run(sh);

	shell_printf(sh, "selftest %s: %s\n", t->name,
		     err == -ENODEV ? "skipped, this machine lacks what it needs"
		     : err          ? "FAILED"
				    : "ok");
	return err == -ENODEV ? 0 : err;
}

static int run_selftest(struct shell *sh, int n, const struct word *w)
{
	unsigned ran = 0, failed = 0;

	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	set_for_each(t, selftests) {
		if (n == 2 && strcmp(t->name, w[1].s))
			continue;
		ran++;
		failed += !!run_one(sh, t);
	}
	if (!ran)
		return shell_expected(sh, 1, "the name of a self-test (Tab lists them)");
	if (n == 1)
		shell_printf(sh, "selftest: %s, %u of %u failed\n", failed ? "FAIL" : "PASS",
			     failed, ran);
	return failed ? -EIO : 0;
}

static void complete_selftest(int n, const struct word *w, void (*add)(void *to, const char *s),
			      void *to)
{
	(void)w;
	if (n == 1)
		set_for_each(t, selftests)
			add(to, t->name);
}

SHELL_COMMAND(cmd_selftest, .name = "selftest", .usage = "[NAME]",
	      .help = "checks that only the real machine can make", .run = run_selftest,
	      .complete = complete_selftest);
