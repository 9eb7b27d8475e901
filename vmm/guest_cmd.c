/* SPDX-License-Identifier: MIT */
/* guest_cmd.c - `guest VERB`: the operator's words for a guest's life. Control context. */
#include "guest_cmd.h"

#include "kernel/control.h"
#include "guest_injection.h"
#include "vcpu.h"

#include <errno.h>
#include <string.h>

/* a guest that is asked to switch itself off: given so long, asked again and looked at so often */
enum { SHUTDOWN_SECONDS = 60, AGAIN_MS = 5000, LOOK_MS = 20 };

static int guest_start(struct shell *sh, struct vm *vm)
{
	char why[WHY];
	int err = vm_start(vm, why, sizeof(why));

	return err ? shell_error(sh, 2, err, "%s", why) : 0;
}

/* A dead one is off afterwards. */
static int guest_stop(struct shell *sh, struct vm *vm)
{
	if (vm->state == VM_OFF)
		return shell_error(sh, 2, -EALREADY, "%s is off", vm->name);
	vm_stop(vm);
	return 0;
}

/*
 * The guest's own doing: a kernel without a driver for the button, or a user space that ignores it,
 * goes on. One that boots hears it long before anybody acts on it, so it is pressed again.
 */
static int guest_shutdown(struct shell *sh, struct vm *vm)
{
	if (vm->state != VM_RUNNING)
		return shell_error(sh, 2, -ENOTCONN, "%s is %s", vm->name,
				   vm_state_name(vm->state));
	if (!vm_press_power(vm))
		return shell_error(sh, 2, -EOPNOTSUPP,
				   "%s does not listen to its power button; 'guest stop %s' takes "
				   "the power away",
				   vm->name, vm->name);
	for (unsigned ms = LOOK_MS; ms <= SHUTDOWN_SECONDS * 1000; ms += LOOK_MS) {
		if (!msleep_interruptible(LOOK_MS))
			return -EINTR; /* the guest goes on with what it does */
		if (vm->state != VM_RUNNING)
			return 0;
		if (ms % AGAIN_MS == 0)
			vm_press_power(vm);
	}
	return shell_error(sh, 2, -ETIMEDOUT,
			   "%s has not switched itself off in %u seconds; 'guest stop %s' takes "
			   "the power away",
			   vm->name, SHUTDOWN_SECONDS, vm->name);
}

static int guest_reset(struct shell *sh, struct vm *vm)
{
	char why[WHY];
	int err;

	if (vm->state == VM_OFF)
		return shell_error(sh, 2, -ENOTCONN, "%s is off; start it", vm->name);
	err = vm_reset(vm, why, sizeof(why));
	return err ? shell_error(sh, 2, err, "%s", why) : 0;
}

static int guest_nmi(struct shell *sh, struct vm *vm)
{
	if (vm->state != VM_RUNNING)
		return shell_error(sh, 2, -ENOTCONN, "%s is %s", vm->name,
				   vm_state_name(vm->state));
	for (unsigned i = 0; i < vm->nvcpus; i++)
		vcpu_signal_nmi(vm->vcpu[i]);
	return 0;
}

static const struct verb {
	const char *name;
	int (*run)(struct shell *sh, struct vm *vm);
	bool named; /* word 2 is a guest */
	int most;   /* words, the command's own two included; 0: any number */
} verbs[] = {
	{ "create", guest_create, false, 0 },      { "start", guest_start, true, 3 },
	{ "shutdown", guest_shutdown, true, 3 },   { "stop", guest_stop, true, 3 },
	{ "reset", guest_reset, true, 3 },         { "list", guest_list, false, 2 },
	{ "info", guest_info, true, 3 },           { "exits", guest_exits, true, 3 },
	{ "console", guest_console, true, 3 },     { "log", guest_log, true, 4 },
	{ "type", guest_type, true, 0 },           { "nmi", guest_nmi, true, 3 },
	{ "injection", guest_injection, true, 0 }, { "features", guest_features, false, 4 },
};

static const struct verb *verb_at(int n, const struct word *w)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (word_is(n, w, 1, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static int guest(struct shell *sh, int n, const struct word *w)
{
	const struct verb *verb = verb_at(n, w);
	struct vm *vm = n > 2 ? vm_by_name(w[2].s) : NULL;

	if (!verb)
		return shell_expected(
			sh, 1,
			"create, start, shutdown, stop, reset, list, info, exits, console, "
			"log, type, nmi, injection or features");
	if (verb->named && !vm)
		return shell_expected(sh, 2, "a guest's name");
	if (verb->most && n > verb->most)
		return shell_expected(sh, verb->most, "the end of the line");
	return verb->run(sh, vm);
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	const struct verb *verb = verb_at(n, w);

	if (n == 1) {
		for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
			add(to, verbs[i].name);
	} else if (verb && verb->named && n == 2) {
		vm_for_each(i)
			add(to, vms[i]->name);
	} else if (verb && verb->run == guest_create) {
		guest_create_complete(n, w, add, to);
	} else if (verb && verb->run == guest_injection) {
		guest_injection_complete(n, w, add, to);
	} else if (verb && verb->run == guest_features) {
		guest_features_complete(n, w, add, to);
	}
}

SHELL_COMMAND(
	cmd_guest, .name = "guest",
	.usage = "create NAME [memory MIB] [vcpus N] [cpus LIST] kernel FILE [initrd FILE] "
		 "[cmdline TEXT] [port NAME [mac MAC] [mtu N] [vectors 3|2|0] "
		 "[notify pio|mmio] [worker CPU] [offload on|off]]... | start NAME | shutdown NAME "
		 "| stop NAME | "
		 "reset NAME | list | info NAME | exits NAME | console NAME | log NAME [LINES] | "
		 "type NAME TEXT | nmi NAME | injection NAME [kick|entry|posted|measure on|off|"
		 "histogram|reset|test COUNT VECTOR [MICROSECONDS]] | "
		 "features [FEATURE on|off]",
	.help = "virtual machines: make, run, watch and talk to them", .run = guest,
	.complete = complete);
