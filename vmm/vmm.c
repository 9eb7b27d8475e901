/* SPDX-License-Identifier: MIT */
/*
 * vmm.c - the room's boot list: which back end there is, and switching it on
 *
 * On core 0: vmm_init() at boot, vmm_enable() in the control context, which may
 * wait for the other cores.
 */
#include "vmm.h"

#include "kernel/console.h"
#include "kernel/park.h"
#include "kernel/smp.h"
#include "backend.h"
#include "features.h"
#include "vhost.h"

#include <errno.h>

const struct vmm_backend *backend;
const char *backend_missing;

static bool enabled; /* on every core */

/*
 * choose() - the back end that this machine can do; else why not, by whoever knows more
 * than that it is not there.
 */
static const struct vmm_backend *choose(const char **why)
{
	static const struct vmm_backend *const all[] = { &vmx_backend, &svm_backend };

	*why = "this CPU has neither VT-x nor SVM";
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		const char *reason;
		int err = all[i]->probe(&reason);

		if (!err)
			return all[i];
		if (err != -ENODEV)
			*why = reason;
	}
	return NULL;
}

/* say_features() - what the CPU has beyond the least. */
static void say_features(void)
{
	char features[FEATURES_TEXT];

	features_text(features, sizeof(features));
	kprintf("vmm: %s, nested paging; has %s\n", backend->name, features);
}

void vmm_init(void)
{
	vhost_init();
	backend = choose(&backend_missing);
	if (backend && backend->init_cpu(&backend_missing))
		backend = NULL;
	if (backend)
		say_features();
	else
		kprintf("vmm: no guests: %s\n", backend_missing);
}

static void init_cpu(void *arg)
{
	if (backend->init_cpu(&backend_missing))
		*(bool *)arg = false;
}

int vmm_enable(void)
{
	bool all = true;

	if (enabled)
		return 0;
	for (unsigned i = 1; i < ncpus; i++)
		cpu_call(i, init_cpu, &all);
	if (!all) {
		backend = NULL;
		return -ENODEV;
	}
	cores_park();
	vcpus_init();
	cores_resume();
	enabled = true;
	return 0;
}
