/* SPDX-License-Identifier: MIT */
/*
 * vmm.c - the room's boot list: which back end there is, and switching it on
 *
 * On core 0: vmm_init() at boot, vmm_enable() in the control context, which may wait for the other cores.
 */
#include "vmm.h"

#include "kernel/console.h"
#include "kernel/park.h"
#include "kernel/smp.h"
#include "backend.h"
#include "load.h"
#include "vhost.h"

const struct vmm_backend *backend;
const char *backend_missing;

static bool enabled; /* on every core */

void vmm_init(const void *archive, size_t len)
{
	load_archive(archive, len);
	vhost_init();
	if (svm_backend.probe(&backend_missing)) {
		kprintf("vmm: no guests: %s\n", backend_missing);
		return;
	}
	backend = &svm_backend;
	backend->init_cpu();
	kprintf("vmm: %s, nested paging\n", backend->name);
}

static void init_cpu(void *arg)
{
	(void)arg;
	backend->init_cpu();
}

void vmm_enable(void)
{
	if (enabled)
		return;
	for (unsigned i = 1; i < ncpus; i++)
		cpu_call(i, init_cpu, NULL);
	cores_park();
	vcpus_init();
	cores_resume();
	enabled = true;
}
