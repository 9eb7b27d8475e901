/* SPDX-License-Identifier: MIT */
/*
 * features.c - `guest features`: the back end's rows as a table, and their switches.
 * Control context, or boot.
 */
#include "features.h"

#include "kernel/softirq.h"
#include "backend.h"
#include "guest_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define feature_for_each(f) \
	for (struct vmm_feature *f = backend ? backend->features : NULL; f && f->name; f++)

struct vmm_feature *feature_by_name(const char *name)
{
	feature_for_each(f) if (!strcmp(f->name, name)) return f;
	return NULL;
}

void features_text(char *text, size_t size)
{
	size_t n = 0;

	snprintf(text, size, "nothing that it could do without");
	feature_for_each(f)
	{
		if (!f->has || f->needed || n >= size)
			continue;
		n += snprintf(text + n, size - n, "%s%s", n ? ", " : "", f->name);
	}
}

static const char *state_of(const struct vmm_feature *f)
{
	if (!f->has)
		return "-";
	if (f->needed)
		return "always";
	if (f->unused)
		return "not used";
	return f->on ? "on" : "off";
}

static void show(struct shell *sh)
{
	shell_printf(sh, "%-18s %-4s %-9s %s\n", "FEATURE", "CPU", "USE", "WHAT FOR");
	feature_for_each(f)
	{
		const char *why = f->needed ? f->needed : f->unused;

		shell_printf(sh, "%-18s %-4s %-9s %s%s%s\n", f->name, f->has ? "yes" : "no",
			     state_of(f), f->help, why ? ": " : "", why ? why : "");
	}
}

static int switch_one(struct shell *sh, struct vmm_feature *f, bool on)
{
	if (!f->has && on)
		return shell_error(sh, 2, -ENODEV, "this CPU has no %s", f->name);
	if (f->needed && !on)
		return shell_error(sh, 2, -EPERM, "%s is always on: %s", f->name, f->needed);
	if (f->unused && on)
		return shell_error(sh, 2, -EPERM, "%s is not used: %s", f->name, f->unused);
	atomic_store(&f->on, on);
	/* a run that has begun counts on what was: it ends */
	cpu_for_each(i)
		raise_softirq_on(cpus[i], SOFTIRQ_KICK);
	return 0;
}

int guest_features(struct shell *sh, struct vm *vm)
{
	struct vmm_feature *f;
	bool on = sh->nwords > 3 && !strcmp(sh->word[3].s, "on");

	(void)vm;
	if (!backend)
		return shell_error(sh, 1, -ENODEV, "this machine runs no guests: %s",
				   backend_missing);
	if (sh->nwords == 2) {
		show(sh);
		return 0;
	}
	f = feature_by_name(sh->word[2].s);
	if (!f)
		return shell_expected(sh, 2, "a feature of 'guest features'");
	if (sh->nwords < 4 || (!on && strcmp(sh->word[3].s, "off") != 0))
		return shell_expected(sh, 3, "on or off");
	return switch_one(sh, f, on);
}

void guest_features_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to)
{
	(void)w;
	if (n == 2) {
		feature_for_each(f) add(to, f->name);
	} else if (n == 3) {
		add(to, "on");
		add(to, "off");
	}
}

/* Only what was switched off: what this machine has is on by itself. */
void guest_features_config(struct shell *sh)
{
	feature_for_each(f) if (f->has && !f->needed && !f->unused && !f->on)
		shell_printf(sh, "guest features %s off\n", f->name);
}
