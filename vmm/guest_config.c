/* SPDX-License-Identifier: MIT */
/*
 * guest_config.c - the lines of `show config` that make and start the
 * guests again. Control context.
 */
#include "guest_cmd.h"

#include "drivers/netdev.h"
#include "net/addr.h"
#include "features.h"
#include "guest_injection.h"
#include "virtio_net.h"

#include <string.h>

/*
 * print_word() - @s so that the shell reads it as one word again. A text with both kinds of quotes
 * is put together from quoted pieces.
 */
static void print_word(struct shell *sh, const char *s)
{
	if (*s && !strpbrk(s, " \t'\"#")) {
		shell_printf(sh, "%s", s);
		return;
	}
	do {
		char quote = strchr(s, '\'') ? '"' : '\'';
		int n = strcspn(s, quote == '"' ? "\"" : "'");

		shell_printf(sh, "%c%.*s%c", quote, n, s, quote);
		s += n;
		if (*s) { /* a double quote that stands before some single one */
			n = strcspn(s, "'");
			shell_printf(sh, "'%.*s'", n, s);
			s += n;
		}
	} while (*s);
}

/*
 * Only what differs from the default: a line that could be typed can then be
 * printed, and read again.
 */
static void print_port(struct shell *sh, const struct vm *vm, unsigned i)
{
	const struct virtio_net_options *p = &vm->port[i]->options;
	char mac[MAC_STR];

	shell_printf(sh, " port %s", p->name);
	mac_str(p->mac, mac);
	if (vm->macs_given & BIT(i))
		shell_printf(sh, " mac %s", mac);
	if (p->mtu != ETH_DATA_LEN)
		shell_printf(sh, " mtu %u", p->mtu);
	if (p->vectors != GUEST_DEFAULT_VECTORS)
		shell_printf(sh, " vectors %u", p->vectors);
	if (p->mmio_notify)
		shell_printf(sh, " notify mmio");
	if (p->no_offload)
		shell_printf(sh, " offload off");
	if (p->cpu != vm->vcpu[0]->cpu)
		shell_printf(sh, " worker %u", p->cpu);
}

/* Only where one of them is not where it would be anyway. */
static void print_cores(struct shell *sh, const struct vm *vm)
{
	bool said = false;

	for (unsigned i = 0; i < vm->nvcpus; i++)
		said |= vm->vcpu[i]->cpu != guest_default_core(i);
	for (unsigned i = 0; i < vm->nvcpus && said; i++)
		shell_printf(sh, "%s%u", i ? "," : " cpus ", vm->vcpu[i]->cpu);
}

static void print_guest(struct shell *sh, const struct vm *vm)
{
	shell_printf(sh, "guest create %s", vm->name);
	if (vm->memory_mib != GUEST_DEFAULT_MIB)
		shell_printf(sh, " memory %u", vm->memory_mib);
	if (vm->nvcpus > 1)
		shell_printf(sh, " vcpus %u", vm->nvcpus);
	print_cores(sh, vm);
	shell_printf(sh, " kernel ");
	print_word(sh, vm->kernel);
	if (vm->initrd[0]) {
		shell_printf(sh, " initrd ");
		print_word(sh, vm->initrd);
	}
	if (vm->cmdline[0]) {
		shell_printf(sh, " cmdline ");
		print_word(sh, vm->cmdline);
	}
	for (unsigned i = 0; i < vm->nports; i++)
		print_port(sh, vm, i);
	shell_printf(sh, "\n");
}

static void print_guests(struct shell *sh)
{
	guest_features_config(sh);
	vm_for_each(i) {
		print_guest(sh, vms[i]);
		guest_injection_config(sh, vms[i]);
	}
}

static void print_starts(struct shell *sh)
{
	vm_for_each(i)
		if (vms[i]->state == VM_RUNNING || vms[i]->state == VM_REBOOTING)
			shell_printf(sh, "guest start %s\n", vms[i]->name);
}

/*
 * Guests come before all that names ports, since theirs come into being with them; they
 * start when the ports are up.
 */
CONFIG_SOURCE(config_guests, .order = 25, .print = print_guests);
CONFIG_SOURCE(config_guest_starts, .order = 50, .print = print_starts);
