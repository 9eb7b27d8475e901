/* SPDX-License-Identifier: MIT */
/*
 * guest_injection_show.c - what each mode of injection came to: a table of counters and
 * latencies, histograms as bars
 *
 * Control context. Counters are read while other cores write them: each is a value that once was.
 */
#include "guest_injection.h"

#include "kernel/bits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const end_name[INJECTION_ENDS] = {
	[INJECTION_TO_ENTRY] = "post to entry",
	[INJECTION_TO_HANDLER] = "post to handler",
};

/* latency() - of all its vCPUs together. */
static const struct histogram *latency(const struct vm *vm, enum injection_mode mode,
				       enum injection_end end)
{
	static struct histogram sum; /* too large for the stack; until the next call */

	memset(&sum, 0, sizeof(sum));
	vcpu_for_each(vm, i) if (vm->vcpu[i]->injection.kept)
		histogram_merge(&sum, &vm->vcpu[i]->injection.kept->latency[mode][end]);
	return &sum;
}

static void show_counts(struct shell *sh, const struct vm *vm)
{
	shell_printf(sh, "%-8s %12s %12s %12s %12s %12s\n", "MODE", "POSTED HERE", "FROM OTHERS",
		     "KICKS SENT", "KICKS SAVED", "EXITS CAUSED");
	for (unsigned mode = 0; mode < INJECTION_MODES; mode++) {
		uint64_t here = 0, others = 0, kicks = 0, spared = 0, exits = 0;

		vcpu_for_each(vm, i)
		{
			const struct injection *in = &vm->vcpu[i]->injection;

			here += in->own_posts[mode];
			exits += in->exits[mode];
			others += in->other[mode].posts;
			kicks += in->other[mode].kicks;
			spared += in->other[mode].spared;
		}
		shell_printf(sh, "%-8s %12lu %12lu %12lu %12lu %12lu\n", injection_mode_name[mode],
			     (unsigned long)here, (unsigned long)others, (unsigned long)kicks,
			     (unsigned long)spared, (unsigned long)exits);
	}
}

/*
 * next_measured() - of all ends and modes, counted by *@i, the next one of which there is
 * something; NULL behind the last.
 */
static const struct histogram *next_measured(const struct vm *vm, unsigned *i,
					     enum injection_end *end, enum injection_mode *mode)
{
	for (; *i < INJECTION_ENDS * INJECTION_MODES; ++*i) {
		const struct histogram *h;

		*end = *i / INJECTION_MODES;
		*mode = *i % INJECTION_MODES;
		h = latency(vm, *mode, *end);
		if (h->count)
			return h;
	}
	return NULL;
}

static void show_latency(struct shell *sh, enum injection_end end, enum injection_mode mode,
			 const struct histogram *h)
{
	shell_printf(sh, "%-16s %-8s %10lu %10lu %10lu %10lu %10lu\n", end_name[end],
		     injection_mode_name[mode], (unsigned long)h->count,
		     (unsigned long)histogram_percentile(h, 50),
		     (unsigned long)histogram_percentile(h, 90),
		     (unsigned long)histogram_percentile(h, 99), (unsigned long)h->max);
}

static void show_latencies(struct shell *sh, const struct vm *vm)
{
	const struct histogram *h;
	enum injection_end end;
	enum injection_mode mode;
	bool any = false;

	for (unsigned i = 0; (h = next_measured(vm, &i, &end, &mode)); i++) {
		if (!any)
			shell_printf(sh, "%-16s %-8s %10s %10s %10s %10s %10s\n", "NANOSECONDS",
				     "MODE", "COUNT", "P50", "P90", "P99", "MAX");
		show_latency(sh, end, mode, h);
		any = true;
	}
}

void guest_injection_show(struct shell *sh, const struct vm *vm)
{
	const char *refused = injection_refused(INJECTION_POSTED);
	uint64_t strange = 0;

	shell_printf(sh, "mode %s, measuring %s%s%s\n",
		     injection_mode_name[guest_injection_mode(vm)],
		     guest_measured(vm) ? "on" : "off", refused ? "; no mode posted: " : "",
		     refused ? refused : "");
	show_counts(sh, vm);
	show_latencies(sh, vm);
	vcpu_for_each(vm, i) if (vm->vcpu[i]->injection.kept)
		strange += vm->vcpu[i]->injection.kept->strange;
	if (strange)
		shell_printf(sh, "times from the guest that cannot be: %lu\n",
			     (unsigned long)strange);
}

int guest_injection_bars(struct shell *sh, const struct vm *vm)
{
	const struct histogram *h;
	enum injection_end end;
	enum injection_mode mode;
	bool any = false;

	for (unsigned i = 0; (h = next_measured(vm, &i, &end, &mode)); i++) {
		shell_printf(sh, "%s%s, mode %s, nanoseconds: %lu, half of them up to %lu\n",
			     any ? "\n" : "", end_name[end], injection_mode_name[mode],
			     (unsigned long)h->count, (unsigned long)histogram_percentile(h, 50));
		histogram_bars(sh, h);
		any = true;
	}
	return any ? 0
		   : shell_error(sh, 2, -ENODATA,
				 "nothing of %s was measured: 'guest injection %s measure on'",
				 vm->name, vm->name);
}
