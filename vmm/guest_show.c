/* SPDX-License-Identifier: MIT */
/*
 * guest_show.c - `guest list`, `guest info`, `guest exits`
 *
 * Control context. Counters are read while other cores write them: each is a value that once
 * was, the sum need not be.
 */
#include "guest_cmd.h"

#include "kernel/bits.h"
#include "kernel/time.h"
#include "net/addr.h"
#include "net/port.h"
#include "exit.h"
#include "virtio_net.h"

#include <stdio.h>
#include <string.h>

enum { CPUS_TEXT = 4 * VM_VCPUS, PORTS_TEXT = (PORT_NAME + 1) * VM_PORTS };

/* append() - to the list in @to, with a comma in between. */
static void append(char *to, size_t size, const char *s)
{
	size_t n = strlen(to);

	snprintf(to + n, size - n, "%s%s", n ? "," : "", s);
}

static void cpus_of(const struct vm *vm, char text[CPUS_TEXT])
{
	char core[12];

	text[0] = 0;
	for (unsigned i = 0; i < vm->nvcpus; i++) {
		snprintf(core, sizeof(core), "%u", vm->vcpu[i]->cpu);
		append(text, CPUS_TEXT, core);
	}
}

static void ports_of(const struct vm *vm, char text[PORTS_TEXT])
{
	text[0] = 0;
	for (unsigned i = 0; i < vm->nports; i++)
		append(text, PORTS_TEXT, vm->port[i]->options.name);
}

int guest_list(struct shell *sh, struct vm *vm)
{
	char cpus[CPUS_TEXT], ports[PORTS_TEXT];

	(void)vm;
	shell_printf(sh, "%-15s %-7s %5s %-7s %9s %-20s %s\n", "NAME", "STATE", "VCPUS", "CPUS",
		     "MEMORY", "KERNEL", "PORTS");
	vm_for_each(i) {
		vm = vms[i];
		cpus_of(vm, cpus);
		ports_of(vm, ports);
		shell_printf(sh, "%-15s %-7s %5u %-7s %5u MiB %-20s %s\n", vm->name,
			     vm_state_name(vm->state), vm->nvcpus, cpus, vm->memory_mib, vm->kernel,
			     ports);
	}
	return 0;
}

/* --- info --- */

static void show_vcpu(struct shell *sh, const struct vcpu *v)
{
	static const char *const state[] = {
		[VCPU_OFF] = "off",
		[VCPU_RUNNING] = "running",
		[VCPU_HALTED] = "halted",
		[VCPU_WAITING] = "waiting for STARTUP",
	};
	uint64_t ms = tsc_to_ns(v->tsc_run) / 1000000;

	shell_printf(sh, "vCPU %u:       core %u, %s, ran %lu.%03lu s\n", v->id, v->cpu,
		     state[v->state], (unsigned long)(ms / 1000), (unsigned long)(ms % 1000));
	shell_printf(sh, "  apic: timer fired %lu times, %lu ends of interrupt\n",
		     (unsigned long)v->lapic.timer_fired, (unsigned long)v->lapic.eois);
}

static void show_ioapic(struct shell *sh, const struct vioapic *io)
{
	shell_printf(sh, "IOAPIC:      ");
	for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
		if (io->count[pin])
			shell_printf(sh, " pin %u: %lu", pin, (unsigned long)io->count[pin]);
	shell_printf(sh, "\n");
}

static void show_interrupts(struct shell *sh, const struct vpci_dev *d)
{
	shell_printf(sh, "  interrupts: INTx %lu, MSI-X", (unsigned long)d->intx);
	for (unsigned i = 0; i < d->nvectors; i++)
		shell_printf(sh, " %lu", (unsigned long)atomic_load(&d->signalled[i]));
	shell_printf(sh, "\n");
}

static void show_vring(struct shell *sh, const char *name, const struct vhost_vring *r)
{
	shell_printf(sh,
		     "  %s: %lu packets, %lu bytes, %lu kicks, %lu polls, %lu signals, %lu "
		     "suppressed, %lu reweighs%s%s\n",
		     name, (unsigned long)r->packets, (unsigned long)r->bytes,
		     (unsigned long)r->kicks, (unsigned long)r->polls, (unsigned long)r->signals,
		     (unsigned long)r->vq.suppressed, (unsigned long)r->reweighs,
		     r->vq.broken ? ", broken: " : "", r->vq.broken ? r->vq.broken : "");
}

static void show_port(struct shell *sh, const struct virtio_net *n)
{
	const struct vhost_net *v = &n->vhost;
	char mac[MAC_STR];

	mac_str(v->port->mac, mac);
	shell_printf(sh, "Port %s: %s mtu %u, vectors %u, notify %s, worker on core %u\n",
		     n->options.name, mac, v->port->mtu, n->options.vectors,
		     n->options.mmio_notify ? "mmio" : "pio", v->cpu);
	shell_printf(sh,
		     "  device: status %#x, features %#lx, %lu resets, %lu needed, %lu control "
		     "commands (%lu refused), %lu early kicks\n",
		     n->pci.status, (unsigned long)n->pci.features, (unsigned long)n->pci.resets,
		     (unsigned long)n->pci.needs_resets, (unsigned long)n->control_commands,
		     (unsigned long)n->control_refused,
		     (unsigned long)atomic_load(&n->pci.early_kicks));
	show_interrupts(sh, &n->pci.pci);
	if (n->pci.broken[0])
		shell_printf(sh, "  needed a reset: %s\n", n->pci.broken);
	shell_printf(sh, "  tap: %lu taken, %lu delivered, %lu dropped\n", (unsigned long)v->taken,
		     (unsigned long)v->delivered, (unsigned long)port_drops(v->dropped));
	show_vring(sh, "rx", &v->vring[VHOST_RX]);
	show_vring(sh, "tx", &v->vring[VHOST_TX]);
}

int guest_info(struct shell *sh, struct vm *vm)
{
	bool dead = vm->state == VM_DEAD;

	shell_printf(sh, "Name:         %s\n", vm->name);
	shell_printf(sh, "State:        %s%s%s\n", vm_state_name(vm->state), dead ? ": " : "",
		     dead ? vm->death : "");
	shell_printf(sh, "Starts:       %lu\n", (unsigned long)vm->starts);
	shell_printf(sh, "Memory:       %u MiB at %p\n", vm->memory_mib, (void *)vm->mem.ram);
	shell_printf(sh, "Kernel:       %s\n", vm->kernel);
	shell_printf(sh, "Initrd:       %s\n", vm->initrd[0] ? vm->initrd : "none");
	shell_printf(sh, "Command line: %s\n", vm->cmdline);
	shell_printf(sh, "Console:      %lu bytes written, %lu typed and lost\n",
		     (unsigned long)vm->uart.out_head, (unsigned long)vm->uart.in_lost);
	for (unsigned i = 0; i < vm->nvcpus; i++)
		show_vcpu(sh, vm->vcpu[i]);
	show_ioapic(sh, &vm->ioapic);
	for (unsigned i = 0; i < vm->nports; i++)
		show_port(sh, vm->port[i]);
	return 0;
}

/* --- exits --- */

static uint64_t exits_of(const struct vm *vm, unsigned reason)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < vm->nvcpus; i++)
		n += vm->vcpu[i]->exits[reason];
	return n;
}

static void show_exits(struct shell *sh, const struct vm *vm)
{
	uint64_t n, all = 0;

	for (unsigned r = 0; r < EXIT_N; r++)
		all += exits_of(vm, r);
	shell_printf(sh, "%-11s %12s  %8s  %s\n", "EXIT", "COUNT", "PER CENT", "WHY");
	for (unsigned r = 0; r < EXIT_N; r++) {
		n = exits_of(vm, r);
		if (n)
			shell_printf(sh, "%-11s %12lu  %6lu.%lu  %s\n", exit_text[r].name,
				     (unsigned long)n, (unsigned long)(n * 100 / all),
				     (unsigned long)(n * 1000 / all % 10), exit_text[r].text);
	}
	shell_printf(sh, "%-11s %12lu\n", "all", (unsigned long)all);
}

static void show_injections(struct shell *sh, const struct vm *vm)
{
	uint64_t entries = 0, irqs = 0, nmis = 0, again = 0;

	for (unsigned i = 0; i < vm->nvcpus; i++) {
		entries += vm->vcpu[i]->entries;
		irqs += vm->vcpu[i]->irqs_injected;
		nmis += vm->vcpu[i]->nmis_injected;
		again += vm->vcpu[i]->reinjected;
	}
	shell_printf(sh,
		     "entries %lu, interrupts injected %lu, NMIs %lu, events injected again %lu\n",
		     (unsigned long)entries, (unsigned long)irqs, (unsigned long)nmis,
		     (unsigned long)again);
}

static void show_signals(struct shell *sh, const struct vm *vm)
{
	uint64_t kicks = 0, signals = 0, suppressed = 0;

	for (unsigned i = 0; i < vm->nports * VHOST_VRINGS; i++) {
		const struct vhost_net *n = &vm->port[i / VHOST_VRINGS]->vhost;
		const struct vhost_vring *r = &n->vring[i % VHOST_VRINGS];

		kicks += r->kicks;
		signals += r->signals;
		suppressed += r->vq.suppressed;
	}
	shell_printf(sh, "kicks %lu, signals %lu, signals suppressed %lu\n", (unsigned long)kicks,
		     (unsigned long)signals, (unsigned long)suppressed);
}

static uint64_t touched(const struct bus_hole *h)
{
	return h->reads + h->writes;
}

/* next_hole() - the one touched most often, of those not shown yet. */
static const struct bus_hole *next_hole(const struct bus *b, uint64_t shown)
{
	const struct bus_hole *most = NULL;

	for (unsigned i = 0; i < b->nholes; i++)
		if (!(shown & BIT(i)) && (!most || touched(&b->hole[i]) > touched(most)))
			most = &b->hole[i];
	return most;
}

static void show_holes(struct shell *sh, const struct bus *b)
{
	const struct bus_hole *h;
	uint64_t shown = 0;

	_Static_assert(BUS_UNCLAIMED <= 64, "a bit for each in shown");
	while ((h = next_hole(b, shown))) {
		shell_printf(sh, "unclaimed %s %#lx: %lu reads, %lu writes\n", b->name,
			     (unsigned long)h->address, (unsigned long)h->reads,
			     (unsigned long)h->writes);
		shown |= BIT(h - b->hole);
	}
	if (b->holes_lost)
		shell_printf(sh, "unclaimed %s, elsewhere: %lu accesses\n", b->name,
			     (unsigned long)b->holes_lost);
}

int guest_exits(struct shell *sh, struct vm *vm)
{
	show_exits(sh, vm);
	show_injections(sh, vm);
	show_signals(sh, vm);
	show_holes(sh, &vm->ports);
	show_holes(sh, &vm->memory);
	if (vm->msr_unknown)
		shell_printf(sh, "unknown MSRs: %lu accesses took #GP, the last to %#x\n",
			     (unsigned long)vm->msr_unknown, vm->msr_last);
	return 0;
}
