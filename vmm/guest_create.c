/* SPDX-License-Identifier: MIT */
/*
 * guest_create.c - `guest create`: from words to struct vm_options;
 * guest_config.c goes the other way
 *
 * Control context. Owns nothing. Each word is checked where it stands, so that the answer can point
 * at it; what is left for vm_create() to refuse is about the machine.
 */
#include "guest_cmd.h"

#include "kernel/words.h"
#include "drivers/netdev.h"
#include "net/addr.h"
#include "net/port.h"
#include "net/ovs/vswitch.h"
#include "load.h"
#include "virtio_net.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_CPU = MAX_CPUS };

struct creation {
	struct vm_options o;
	struct virtio_net_options port[VM_PORTS];
	int cpus_word;  /* 0: no list of cores was given */
	unsigned ncpus; /* in that list */
};

/* --- one word each; @i is the value behind the key --- */

static int read_file(struct shell *sh, int i, char to[VM_FILE])
{
	char why[WHY];
	int err;

	_Static_assert(VM_FILE == 48, "as the sentence below says");
	if (i >= sh->nwords || !sh->word[i].s[0] || strlen(sh->word[i].s) >= VM_FILE)
		return shell_expected(sh, i, "a file of the archive, a name of at most 47 letters");
	strcpy(to, sh->word[i].s);
	err = load_exists(to, why, sizeof(why));
	return err ? shell_error(sh, i, err, "%s", why) : 0;
}

static int read_number(struct shell *sh, int i, unsigned lo, unsigned hi, unsigned *to)
{
	unsigned long v;

	if (shell_uint(sh, i, lo, hi, &v))
		return -EINVAL;
	*to = v;
	return 0;
}

static int read_memory(struct shell *sh, int i, struct creation *c)
{
	return read_number(sh, i, VM_MIN_MIB, VM_MAX_MIB, &c->o.memory_mib);
}

static int read_vcpus(struct shell *sh, int i, struct creation *c)
{
	return read_number(sh, i, 1, VM_VCPUS, &c->o.nvcpus);
}

/* read_core() - a decimal at *s, which moves behind it; false if there is no such core. */
static bool read_core(const char **s, unsigned long *core)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return false;
	*core = strtoul(*s, &end, 10);
	*s = end;
	return *core < ncpus;
}

/* 1 or 0,2-3: the core of each vCPU */
static int read_cpus(struct shell *sh, int i, struct creation *c)
{
	static const char what[] = "cores that there are, as in 1 or 0,2-3";
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	unsigned long core, last;

	c->cpus_word = i;
	c->ncpus = 0;
	do {
		if (!read_core(&s, &core))
			return shell_expected(sh, i, what);
		last = core;
		if (*s == '-' && (s++, !read_core(&s, &last)))
			return shell_expected(sh, i, what);
		for (; core <= last; core++)
			if (c->ncpus++ < VM_VCPUS)
				c->o.cpu[c->ncpus - 1] = core;
	} while (*s++ == ',');
	return s[-1] ? shell_expected(sh, i, what) : 0;
}

static int read_kernel(struct shell *sh, int i, struct creation *c)
{
	return read_file(sh, i, c->o.kernel);
}

static int read_initrd(struct shell *sh, int i, struct creation *c)
{
	return read_file(sh, i, c->o.initrd);
}

static int read_cmdline(struct shell *sh, int i, struct creation *c)
{
	if (i >= sh->nwords)
		return shell_expected(sh, i, "the kernel's command line, in quotes");
	strcpy(c->o.cmdline, sh->word[i].s); /* no longer than the line it stands in */
	return 0;
}

static int read_port(struct shell *sh, int i, struct creation *c)
{
	struct virtio_net_options *p = &c->port[c->o.nports];
	int err;

	if (c->o.nports == VM_PORTS)
		return shell_error(sh, i - 1, -ENOSPC, "a guest has at most %u ports", VM_PORTS);
	*p = (struct virtio_net_options){ .mtu = ETH_DATA_LEN,
					  .vectors = GUEST_DEFAULT_VECTORS,
					  .cpu = NO_CPU };
	err = shell_name(sh, i, p->name, sizeof(p->name));
	if (err)
		return err;
	for (unsigned k = 0; k < c->o.nports; k++)
		if (!strcmp(c->port[k].name, p->name))
			return shell_error(sh, i, -EEXIST, "%s was named before", p->name);
	if (switch_by_name(p->name)) /* which has a port of that name: say what it is */
		return shell_error(sh, i, -EEXIST, "%s is the name of a switch", p->name);
	if (port_by_name(p->name))
		return shell_error(sh, i, -EEXIST, "there is a port %s already", p->name);
	c->o.nports++;
	return 0;
}

/* --- of the port named last --- */

static int read_mac(struct shell *sh, int i, struct virtio_net_options *p)
{
	static const uint8_t none[6];

	if (i >= sh->nwords || !mac_read(sh->word[i].s, p->mac) || p->mac[0] & 1 ||
	    !memcmp(p->mac, none, sizeof(none)))
		return shell_expected(sh, i, "a MAC address of one station");
	return 0;
}

static int read_mtu(struct shell *sh, int i, struct virtio_net_options *p)
{
	return read_number(sh, i, VIRTIO_NET_MTU_MIN, VIRTIO_NET_MTU_MAX, &p->mtu);
}

static int read_vectors(struct shell *sh, int i, struct virtio_net_options *p)
{
	static const char *const choice[] = { [0] = "0", [2] = "2", [3] = "3" };

	for (unsigned k = 0; k < ARRAY_SIZE(choice); k++) {
		if (choice[k] && word_is(sh->nwords, sh->word, i, choice[k])) {
			p->vectors = k;
			return 0;
		}
	}
	return shell_expected(sh, i, "3 (one a queue), 2 (one for both) or 0 (INTx)");
}

static int read_notify(struct shell *sh, int i, struct virtio_net_options *p)
{
	p->mmio_notify = word_is(sh->nwords, sh->word, i, "mmio");
	if (!p->mmio_notify && !word_is(sh->nwords, sh->word, i, "pio"))
		return shell_expected(sh, i, "pio or mmio");
	return 0;
}

static int read_offload(struct shell *sh, int i, struct virtio_net_options *p)
{
	p->no_offload = word_is(sh->nwords, sh->word, i, "off");
	if (!p->no_offload && !word_is(sh->nwords, sh->word, i, "on"))
		return shell_expected(sh, i, "on or off");
	return 0;
}

static int read_worker(struct shell *sh, int i, struct virtio_net_options *p)
{
	return read_number(sh, i, 0, ncpus - 1, &p->cpu);
}

static const struct key {
	const char *name;
	int (*read)(struct shell *sh, int i, struct creation *c);
	int (*read_of_port)(struct shell *sh, int i, struct virtio_net_options *p);
} keys[] = {
	{ "memory", read_memory, NULL },   { "vcpus", read_vcpus, NULL },
	{ "cpus", read_cpus, NULL },       { "kernel", read_kernel, NULL },
	{ "initrd", read_initrd, NULL },   { "cmdline", read_cmdline, NULL },
	{ "port", read_port, NULL },       { "mac", NULL, read_mac },
	{ "mtu", NULL, read_mtu },         { "vectors", NULL, read_vectors },
	{ "notify", NULL, read_notify },   { "worker", NULL, read_worker },
	{ "offload", NULL, read_offload },
};

static int read_key(struct shell *sh, int i, struct creation *c)
{
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++) {
		if (!word_is(sh->nwords, sh->word, i, keys[k].name))
			continue;
		if (keys[k].read)
			return keys[k].read(sh, i + 1, c);
		if (!c->o.nports)
			return shell_error(sh, i, -EINVAL, "%s belongs to a port: name one first",
					   keys[k].name);
		return keys[k].read_of_port(sh, i + 1, &c->port[c->o.nports - 1]);
	}
	return shell_expected(
		sh, i,
		c->o.nports ? "port, mac, mtu, vectors, notify, worker, offload or a key of "
			      "the guest"
			    : "memory, vcpus, cpus, kernel, initrd, cmdline or port");
}

/* --- what was not said --- */

static int fill_in(struct shell *sh, struct creation *c)
{
	if (!c->o.kernel[0])
		return shell_expected(sh, sh->nwords, "kernel FILE");
	if (c->cpus_word && c->ncpus != c->o.nvcpus)
		return shell_expected(sh, c->cpus_word, "as many cores as there are vCPUs");
	for (unsigned i = 0; i < c->o.nvcpus && !c->cpus_word; i++)
		c->o.cpu[i] = guest_default_core(i);
	for (unsigned i = 0; i < c->o.nports; i++)
		if (c->port[i].cpu == NO_CPU)
			c->port[i].cpu = c->o.cpu[0];
	return 0;
}

int guest_create(struct shell *sh, struct vm *vm)
{
	struct creation c = { .o = { .memory_mib = GUEST_DEFAULT_MIB, .nvcpus = 1 } };
	char why[WHY];
	int err;

	(void)vm;
	c.o.port = c.port;
	err = shell_name(sh, 2, c.o.name, sizeof(c.o.name));
	for (int i = 3; i < sh->nwords && !err; i += 2)
		err = read_key(sh, i, &c);
	if (!err)
		err = fill_in(sh, &c);
	if (err)
		return err;
	err = vm_create(&c.o, why, sizeof(why));
	return err ? shell_error(sh, 2, err, "%s", why) : 0;
}

void guest_create_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			   void *to)
{
	static const struct words_next values[] = { { "vectors", "3 2 0" },
						    { "notify", "pio mmio" },
						    { "offload", "on off" } };

	if (n >= 3 && n % 2)
		for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
			add(to, keys[i].name);
	else
		words_offer_next(values, ARRAY_SIZE(values), w[n - 1].s, add, to);
}
