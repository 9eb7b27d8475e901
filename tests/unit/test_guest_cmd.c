/* SPDX-License-Identifier: MIT */
/* links: vmm/guest_cmd.c vmm/guest_injection.c vmm/guest_injection_show.c vmm/injection.c kernel/histogram.c kernel/histogram_bars.c vmm/features.c vmm/guest_create.c vmm/guest_config.c vmm/guest_show.c vmm/guest_console.c vmm/vm.c vmm/vm_create.c vmm/vm_die.c vmm/vcpu_signal.c vmm/entry.c vmm/exit.c vmm/bus.c vmm/vuart.c net/addr.c kernel/shell.c kernel/capture.c kernel/words.c kernel/names.c kernel/config.c tests/unit/host.c */
/*
 * test_guest_cmd.c - the `guest` command and a guest's life behind it, with a back end, a loader
 * and devices that only take notes
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/mem.h"
#include "kernel/shell.h"
#include "net/port.h"
#include "net/ovs/vswitch.h"
#include "vmm/backend.h"
#include "vmm/guest_cpu.h"
#include "vmm/gva.h"
#include "vmm/load.h"
#include "vmm/vacpi.h"
#include "vmm/virtio_net.h"
#include "vmm/vm.h"
#include "vmm/vmm.h"

#define CREATE "guest create g0 memory 8 kernel vmlinuz"

/* --- what stands in for the rest of the room: it writes a diary --- */

static char diary[1024];
static uint64_t mib_free;
static int load_error, ports_that_fit;

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
	size_t n = strlen(diary);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(diary + n, sizeof(diary) - n, fmt, ap);
	va_end(ap);
}

uint64_t mem_free(void)
{
	return mib_free << 20;
}

int vmm_enable(void)
{
	return 0;
}

static int fake_vm_create(struct vm *vm)
{
	/* zeroed, though whoever had it before left something there */
	for (uint64_t i = 0; i < vm->mem.low_end; i += 4095)
		assert_int_equal(vm->mem.ram[i], 0);
	assert_int_equal((uintptr_t)vm->mem.ram % (2 << 20), 0);
	return 0;
}

static int fake_vcpu_create(struct vcpu *v)
{
	assert_int_equal((uintptr_t)v->xsave % 64, 0);
	return 0;
}

static void fake_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *s)
{
	(void)v, (void)s;
	note("reset ");
}

static void fake_get_sregs(struct vcpu *v, struct vcpu_sregs *s)
{
	(void)v;
	*s = (struct vcpu_sregs){ .cr0 = 0x80050033, .cr3 = 0x9000, .efer = 0xd01 };
	s->seg[SEGMENT_CS] = (struct vcpu_segment){ .selector = 0x10, .limit = UINT32_MAX };
}

static struct vmm_feature fake_features[] = {
	{ .name = "nested-paging", .help = "tables", .has = true, .needed = "no guest without" },
	{ .name = "nrip-save", .help = "the next rip", .has = true, .on = true },
	{ .name = "vgif", .help = "a GIF", .has = true, .unused = "guests get no SVM" },
	{ .name = "posted-interrupts", .help = "no exits" },
	{ 0 },
};

static bool fake_notify(struct vcpu *v)
{
	(void)v;
	return true;
}

static const struct vmm_backend fake = {
	.name = "fake",
	.features = fake_features,
	.notify = fake_notify,
	.vm_create = fake_vm_create,
	.vcpu_create = fake_vcpu_create,
	.vcpu_reset = fake_vcpu_reset,
	.get_sregs = fake_get_sregs,
};
const struct vmm_backend *backend = &fake;
const char *backend_missing = "this CPU has no SVM";

unsigned gva_fetch(struct vcpu *v, const struct vcpu_sregs *s, uint8_t *bytes, unsigned max)
{
	(void)v, (void)s, (void)max;
	memcpy(bytes, "\x0f\x0b", 2);
	return 2;
}

int load_exists(const char *name, char *why, size_t size)
{
	if (strcmp(name, "vmlinuz") == 0 || strcmp(name, "rd.gz") == 0)
		return 0;
	snprintf(why, size, "there is no %s in the archive", name);
	return -ENOENT;
}

int load_kernel(struct vm *vm, struct vcpu_entry *entry, char *why, size_t size)
{
	(void)vm;
	snprintf(why, size, "vmlinuz is damaged");
	*entry = (struct vcpu_entry){ .rip = 0x100200 };
	note("load ");
	return load_error;
}

enum vacpi_wish vacpi_wish(uint64_t offset, uint64_t value)
{
	return offset ? VACPI_NOTHING : value;
}

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	unsigned me = host_play(cpu);

	fn(arg);
	host_play(me);
	return 0;
}

/* a guest that takes all that is posted when the control context lets it run, but for one vector */
enum { DEAF_TO = 99 };

void vlapic_post(struct vlapic *l, uint8_t vector, bool level)
{
	(void)level;
	atomic_fetch_or(&l->irr[vector / 32], BIT(vector % 32));
	injection_notify(l->vcpu);
}

void yield(void)
{
	struct vlapic *l = nvms ? &vms[0]->vcpu[0]->lapic : NULL;

	host_calls.yield++;
	host_tsc += tsc_from_us(10);
	for (unsigned w = 0; l && w < VLAPIC_WORDS; w++)
		l->irr[w] &= w == DEAF_TO / 32 ? BIT(DEAF_TO % 32) : 0;
}

void vcpu_start(struct vcpu *v)
{
	v->state = v->id ? VCPU_WAITING : VCPU_RUNNING;
	note("start ");
}

void vcpu_stop(struct vcpu *v)
{
	note("stop ");
	vcpu_off(v);
}

void vcpu_kick(struct vcpu *v)
{
	note("kick%u ", v->id);
}

void vlapic_init(struct vlapic *l, struct vcpu *v)
{
	l->vcpu = v;
}

void vlapic_reset(struct vlapic *l)
{
	(void)l;
	note("lapic ");
}

void vlapic_clear(struct vlapic *l)
{
	(void)l;
}

void vlapic_stop(struct vlapic *l)
{
	(void)l;
	note("timer ");
}

void guest_cpu_reset(struct vcpu *v)
{
	(void)v;
	note("cpu ");
}

void vpci_init(struct vpci *pci, struct vm *vm)
{
	pci->vm = vm;
}

void vpci_reset(struct vpci *pci)
{
	assert_int_equal(pci->vm->lock.locked, 1);
	note("devices ");
}

uint64_t vpci_config_read(void *pci, uint64_t offset, unsigned size)
{
	(void)pci, (void)offset;
	return BITS(8 * size - 1, 0);
}

void vpci_config_write(void *pci, uint64_t offset, unsigned size, uint64_t value)
{
	(void)pci, (void)offset, (void)size, (void)value;
}

void vioapic_init(struct vioapic *io, struct vm *vm)
{
	io->vm = vm;
}

void vioapic_reset(struct vioapic *io)
{
	(void)io;
}

static bool button_is_heard;

void vioapic_set(struct vioapic *io, unsigned pin, bool up)
{
	if (pin != VACPI_PIN)
		return;
	assert_int_equal(io->vm->lock.locked, 1);
	io->count[pin] += up && button_is_heard;
}

uint64_t vioapic_read(struct vioapic *io, uint64_t offset, unsigned size)
{
	(void)io, (void)offset, (void)size;
	return 0;
}

void vioapic_write(struct vioapic *io, uint64_t offset, unsigned size, uint64_t value)
{
	(void)io, (void)offset, (void)size, (void)value;
}

struct port *ports[PORT_MAX];
unsigned nports;

struct port *port_by_name(const char *name)
{
	port_for_each(i)
		if (!strcmp(ports[i]->name, name))
			return ports[i];
	return NULL;
}

uint64_t port_drops(const uint64_t v[DROP_N])
{
	return v[DROP_RULE];
}

struct vswitch *switch_by_name(const char *name)
{
	static struct vswitch sw0;

	return strcmp(name, "sw0") ? NULL : &sw0;
}

struct virtio_net *virtio_net_create(struct vm *vm, const struct virtio_net_options *o,
				     const char **why)
{
	struct virtio_net *n = mem_zalloc(sizeof(*n), 64, "test");
	struct port *p = mem_zalloc(sizeof(*p), 64, "test");

	assert_non_null(vm->vcpu[0]);
	*why = "the shelf is full";
	if (!ports_that_fit--)
		return NULL;
	strcpy(p->name, o->name);
	memcpy(p->mac, o->mac, 6);
	p->mtu = o->mtu;
	ports[++nports] = p;
	n->options = *o;
	n->options.mac[5] |= 1; /* one is made up if none is given */
	n->vhost.port = p;
	n->vhost.cpu = o->cpu;
	return n;
}

/* --- keys and time --- */

enum { NAPS = 5000 }; /* more than any test needs */

static const char *keys;
static void (*on_sleep)(void);
static unsigned naps;

int console_in_get(void)
{
	return keys && *keys ? (unsigned char)*keys++ : -1;
}

void msleep(unsigned ms)
{
	host_tsc += (uint64_t)ms * HOST_TSC_KHZ;
	if (++naps == NAPS)
		fail_msg("this never ends");
	if (on_sleep)
		on_sleep();
}

static int setup(void **state)
{
	(void)state;
	host_cores(2);
	memset(vms, 0, sizeof(vms));
	memset(ports, 0, sizeof(ports));
	nvms = nports = 0;
	diary[0] = 0;
	mib_free = 1024;
	load_error = 0;
	ports_that_fit = PORT_MAX;
	backend = &fake;
	keys = NULL;
	on_sleep = NULL;
	naps = 0;
	button_is_heard = false;
	fake_features[1].on = true;
	fake_features[3].has = fake_features[3].on = false;
	return 0;
}

/*
 * ok() - the line does what it says, and says nothing. fails() - it is refused,
 * and its answer has @text.
 */
static void ok(const char *line)
{
	host_text_clear();
	if (host_exec(line))
		fail_msg("%s: %s", line, host_out);
	assert_string_equal(host_out, "");
}

static void fails(const char *line, int err, const char *text)
{
	host_text_clear();
	assert_int_equal(host_exec(line), err);
	if (!strstr(host_out, text))
		fail_msg("%s: expected \"%s\", got \"%s\"", line, text, host_out);
}

static void shows(const char *line, const char *text)
{
	host_text_clear();
	assert_int_equal(host_exec(line), 0);
	if (!strstr(host_out, text))
		fail_msg("%s: expected \"%s\", got \"%s\"", line, text, host_out);
}

static void guest_says(const char *s)
{
	while (*s)
		vuart_write(&vms[0]->uart, 0, 1, *s++);
}

/* typed() - what waits for the guest, read as it would. */
static const char *typed(void)
{
	static char text[VUART_IN + 1];
	unsigned n = 0;

	while (vuart_read(&vms[0]->uart, 5, 1) & 1)
		text[n++] = vuart_read(&vms[0]->uart, 0, 1);
	text[n] = 0;
	return text;
}

/* --- create --- */

static void create_needs_only_a_name_and_a_kernel(void **state)
{
	(void)state;
	ok("guest create g0 kernel vmlinuz");
	assert_int_equal(nvms, 1);
	assert_string_equal(vms[0]->name, "g0");
	assert_int_equal(vms[0]->memory_mib, 128);
	assert_int_equal(vms[0]->mem.low_end, 128 << 20);
	assert_int_equal(vms[0]->nvcpus, 1);
	assert_int_equal(vms[0]->vcpu[0]->cpu, 1);
	assert_int_equal(vms[0]->nports, 0);
	assert_int_equal(vms[0]->state, VM_OFF);
}

static void create_takes_every_key(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 1, 2, 3 };
	const struct virtio_net_options *o;

	(void)state;
	ok("guest create g0 memory 16 vcpus 1 cpus 0 kernel vmlinuz initrd rd.gz cmdline "
	   "'console=ttyS0 quiet' port p0 mac 52:54:00:01:02:03 mtu 9000 vectors 2 notify mmio "
	   "worker 1 port p1 vectors 0");
	assert_string_equal(vms[0]->initrd, "rd.gz");
	assert_string_equal(vms[0]->cmdline, "console=ttyS0 quiet");
	assert_int_equal(vms[0]->vcpu[0]->cpu, 0);
	assert_int_equal(vms[0]->nports, 2);
	o = &vms[0]->port[0]->options;
	assert_memory_equal(o->mac, mac, 6);
	assert_int_equal(o->mtu, 9000);
	assert_int_equal(o->vectors, 2);
	assert_true(o->mmio_notify);
	assert_int_equal(o->cpu, 1);
	o = &vms[0]->port[1]->options;
	assert_int_equal(o->mtu, 1500);
	assert_int_equal(o->vectors, 0);
	assert_false(o->mmio_notify);
	assert_int_equal(o->cpu, 0); /* where vCPU 0 is */
}

static void create_says_which_word_is_wrong(void **state)
{
	static const struct {
		const char *line, *text;
	} wrong[] = {
		{ "guest create", "col 13: expected a name of at most 15 letters" },
		{ "guest create 0g kernel vmlinuz", "col 14: expected a name" },
		{ "guest create g/0 kernel vmlinuz", "col 14: expected a name" },
		{ "guest create abcdefghijklmnop kernel vmlinuz", "col 14: expected a name" },
		{ "guest create g0", "col 16: expected kernel FILE, found the end" },
		{ "guest create g0 kernel", "col 23: expected a file" },
		{ CREATE " memory 7", "a number from 8 to 16384" },
		{ CREATE " memory 16385", "a number from 8 to 16384" },
		{ CREATE " vcpus 5", "a number from 1 to 4" },
		{ CREATE " cpus 2", "expected cores that there are" },
		{ CREATE " cpus 1x", "expected cores that there are" },
		{ CREATE " cpus 0-", "expected cores that there are" },
		{ CREATE " cpus", "expected cores that there are" },
		{ CREATE " cpus 0-1", "expected as many cores as there are vCPUs, found '0-1'" },
		{ CREATE " cpus 1-0", "expected as many cores as there are vCPUs" },
		{ CREATE " cmdline", "expected the kernel's command line" },
		{ CREATE " colour red", "expected memory, vcpus" },
		{ CREATE " port", "expected a name" },
		{ CREATE " port p0 mtu 67", "a number from 68 to 9000" },
		{ CREATE " port p0 mac 01:00:00:00:00:01", "expected a MAC address" },
		{ CREATE " port p0 mac 00:00:00:00:00:00", "expected a MAC address" },
		{ CREATE " port p0 vectors 1", "expected 3 (one a queue)" },
		{ CREATE " port p0 notify maybe", "expected pio or mmio" },
		{ CREATE " port p0 worker 2", "a number from 0 to 1" },
		{ CREATE " port p0 offload no", "on or off" },
		{ CREATE " port p0 colour red", "expected port, mac, mtu" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		fails(wrong[i].line, -EINVAL, wrong[i].text);
	fails(CREATE " mtu 1500", -EINVAL, "mtu belongs to a port: name one first");
	fails("guest create g0 kernel bzImage", -ENOENT, "col 24: there is no bzImage");
	fails(CREATE " initrd none", -ENOENT, "there is no none in the archive");
	assert_int_equal(nvms, 0);
	assert_int_equal(nports, 0);
}

static void create_refuses_names_that_are_taken(void **state)
{
	(void)state;
	ok(CREATE " port p0");
	fails(CREATE, -EEXIST, "there is a guest g0 already");
	fails("guest create g1 kernel vmlinuz port p0", -EEXIST, "there is a port p0 already");
	fails("guest create g1 kernel vmlinuz port sw0", -EEXIST, "sw0 is the name of a switch");
	fails("guest create g1 kernel vmlinuz port a port b port a", -EEXIST, "a was named before");
	assert_int_equal(nvms, 1);
	assert_int_equal(nports, 1);
}

static void create_refuses_what_does_not_fit_before_it_takes_anything(void **state)
{
	struct port nic = { .name = "nic" };
	size_t left = host_mem_left;

	(void)state;
	mib_free = 100;
	fails("guest create g0 kernel vmlinuz", -ENOMEM, "g0 wants 128 MiB of memory");
	fails("guest create g0 kernel vmlinuz", -ENOMEM, "there are 100");
	fails(CREATE " port a port b port c port d port e", -ENOSPC, "at most 4 ports");
	nports = PORT_MAX - 2;
	for (unsigned i = 1; i <= nports; i++)
		ports[i] = &nic;
	fails(CREATE " port a port b", -ENOSPC, "no more than 31 ports");
	assert_int_equal(host_mem_left, left);
	assert_int_equal(nvms, 0);
}

static void create_says_so_when_memory_is_there_but_in_pieces(void **state)
{
	(void)state;
	host_mem_left = 4 << 20;
	fails(CREATE, -ENOMEM, "g0 wants 8 MiB of memory in one piece");
	assert_int_equal(nvms, 0);
}

static void create_tells_which_port_could_not_be_made(void **state)
{
	(void)state;
	ports_that_fit = 1;
	fails(CREATE " port a port b", -ENOSPC, "port b: the shelf is full");
	assert_int_equal(nvms, 0);
}

static void create_refuses_a_ninth_guest(void **state)
{
	char line[64];

	(void)state;
	for (unsigned i = 0; i < VM_MAX; i++) {
		snprintf(line, sizeof(line), "guest create n%u memory 8 kernel vmlinuz", i);
		ok(line);
	}
	fails(CREATE, -ENOSPC, "no more than 8 guests");
}

static void without_a_back_end_create_says_why(void **state)
{
	(void)state;
	backend = NULL;
	fails(CREATE, -ENODEV, "this machine runs no guests: this CPU has no SVM");
	assert_int_equal(nvms, 0);
}

/* --- life --- */

static void start_loads_resets_and_runs_in_this_order(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	assert_string_equal(diary, "load devices reset lapic cpu start ");
	assert_int_equal(vms[0]->state, VM_RUNNING);
	assert_int_equal(vms[0]->vcpu[0]->rip, 0x100200);
	fails("guest start g0", -EBUSY, "g0 is running");
}

static void a_guest_that_cannot_be_loaded_stays_off(void **state)
{
	(void)state;
	ok(CREATE);
	load_error = -EINVAL;
	fails("guest start g0", -EINVAL, "vmlinuz is damaged");
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_string_equal(diary, "load ");
}

static void stop_takes_the_vcpus_off_before_the_devices(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest stop g0", -EALREADY, "g0 is off");
	ok("guest start g0");
	diary[0] = 0;
	ok("guest stop g0");
	assert_string_equal(diary, "kick0 stop timer devices ");
	assert_int_equal(vms[0]->state, VM_OFF);
}

static void reset_is_stop_and_start(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest reset g0", -ENOTCONN, "g0 is off; start it");
	ok("guest start g0");
	vms[0]->vcpu[0]->event.type = EVENT_IRQ;
	vms[0]->vcpu[0]->nmi_blocked = true;
	diary[0] = 0;
	ok("guest reset g0");
	assert_string_equal(diary, "kick0 stop timer devices load devices reset lapic cpu start ");
	assert_int_equal(vms[0]->vcpu[0]->event.type, EVENT_NONE);
	assert_false(vms[0]->vcpu[0]->nmi_blocked);
	assert_int_equal(vms[0]->starts, 2);
}

/* port_write() - the guest's write, as an exit for it is carried out. */
static void port_write(uint16_t port, uint64_t value)
{
	struct bus_range *r = bus_find(&vms[0]->ports, port, 1);

	assert_non_null(r);
	assert_true(r->unlocked);
	r->write(r->arg, port - r->base, 1, value);
}

/* leave() - what vCPU @id's core does before it would enter it again. */
static void leave(unsigned id)
{
	assert_true(vcpu_is_called(vms[0]->vcpu[id]));
	vcpu_signals_take(vms[0]->vcpu[id]);
}

static void a_guest_may_power_itself_off_and_be_started_again(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	diary[0] = 0;
	port_write(VACPI_PORT, VACPI_NOTHING);
	assert_int_equal(vms[0]->state, VM_RUNNING);
	port_write(VACPI_PORT, VACPI_POWER_OFF);
	assert_string_equal(host_log, "g0: powered itself off\n");
	leave(0);
	assert_string_equal(diary, "kick0 timer devices ");
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_int_equal(vms[0]->vcpu[0]->state, VCPU_OFF);
	diary[0] = 0;
	ok("guest start g0"); /* its vCPU is still on its core's list, and must come off first */
	assert_string_equal(diary, "stop load devices reset lapic cpu start ");
}

static void a_guest_that_reboots_is_started_again_in_the_control_context(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	diary[0] = 0;
	port_write(VACPI_PORT, VACPI_REBOOT);
	assert_false(vms[0]->restart.deferred);
	leave(0);
	assert_string_equal(diary, "kick0 timer devices ");
	assert_int_equal(vms[0]->state, VM_REBOOTING);
	assert_true(vms[0]->restart.deferred);
	vms[0]->restart.fn(&vms[0]->restart);
	assert_string_equal(diary, "kick0 timer devices stop load devices reset lapic cpu start ");
	assert_int_equal(vms[0]->state, VM_RUNNING);
	assert_int_equal(vms[0]->starts, 2);
}

static void reboot(void)
{
	port_write(VACPI_PORT, VACPI_REBOOT);
	leave(0);
	vms[0]->restart.fn(&vms[0]->restart);
}

static void a_guest_that_reboots_all_the_time_is_left_off(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	for (unsigned i = 0; i < 3 * VM_REBOOTS; i++) { /* now and then is fine */
		host_tsc += tsc_from_us(VM_REBOOT_SECONDS * 1000000 / (VM_REBOOTS - 1));
		reboot();
	}
	assert_int_equal(vms[0]->state, VM_RUNNING);
	host_tsc += tsc_from_us(VM_REBOOT_SECONDS * 1000001);
	for (unsigned i = 0; i < VM_REBOOTS; i++)
		reboot();
	assert_int_equal(vms[0]->state, VM_RUNNING);
	assert_string_equal(host_log, "");
	diary[0] = 0;
	reboot();
	assert_string_equal(diary, "kick0 timer devices "); /* not loaded again */
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_string_equal(host_log, "g0: it rebooted 6 times in 10 seconds and is left off; "
				      "'guest start g0' starts it\n");
	ok("guest start g0");
	reboot();
	assert_int_equal(vms[0]->state, VM_RUNNING);
}

static void switch_off_meanwhile(void)
{
	if (naps != 3)
		return;
	port_write(VACPI_PORT, VACPI_POWER_OFF);
	leave(0);
}

static void shutdown_presses_the_button_and_waits(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest shutdown g0", -ENOTCONN, "g0 is off");
	ok("guest start g0");
	fails("guest shutdown g0", -EOPNOTSUPP, "g0 does not listen to its power button");
	button_is_heard = true;
	on_sleep = switch_off_meanwhile;
	ok("guest shutdown g0");
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_int_equal(naps, 3);
}

static void shutdown_says_when_the_guest_goes_on(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	button_is_heard = true;
	fails("guest shutdown g0", -ETIMEDOUT,
	      "g0 has not switched itself off in 60 seconds; 'guest stop g0'");
	assert_int_equal(vms[0]->state, VM_RUNNING);
	assert_int_equal(vms[0]->ioapic.count[VACPI_PIN],
			 1 + 60 / 5); /* it may not have had ears */
}

static void the_keyboard_controller_can_reset(void **state)
{
	struct bus_range *r;

	(void)state;
	ok(CREATE);
	ok("guest start g0");
	r = bus_find(&vms[0]->ports, 0x64, 1);
	assert_int_equal(r->read(r->arg, 0, 1), 0);
	port_write(0x64, 0xd1);
	assert_false(vcpu_is_called(vms[0]->vcpu[0]));
	port_write(0x64, 0xfe);
	leave(0);
	assert_int_equal(vms[0]->state, VM_REBOOTING);
}

static void a_reboot_comes_to_nothing_when_the_operator_stops_it_first(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	port_write(VACPI_PORT, VACPI_REBOOT);
	leave(0);
	ok("guest stop g0");
	vms[0]->restart.fn(&vms[0]->restart);
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_int_equal(vms[0]->starts, 1);
}

static void a_reboot_that_fails_is_told(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	port_write(VACPI_PORT, VACPI_REBOOT);
	leave(0);
	load_error = -EINVAL;
	vms[0]->restart.fn(&vms[0]->restart);
	assert_int_equal(vms[0]->state, VM_OFF);
	assert_non_null(
		strstr(host_log, "g0: it rebooted, and does not start: vmlinuz is damaged"));
}

static void a_dying_guest_prints_a_report_with_its_name_on_each_line(void **state)
{
	static const char *const parts[] = {
		"g0: died: triple fault 7 (vCPU 0 on core 1)\n",
		"g0:   rip 0000000000100200",
		" exit shutdown\n",
		"rax 00000000000000aa",
		"cr0 80050033",
		"cr3 000009000",
		"cs 0010",
		"bytes at rip: 0f 0b\n",
		"last exits, the latest first:\ng0:     shutdown",
		"g0:     io         rip 0000000000001000 info 3f8\n",
	};
	struct vcpu *v;

	(void)state;
	ok(CREATE);
	ok("guest start g0");
	host_text_clear();
	v = vms[0]->vcpu[0];
	v->gpr[GPR_RAX] = 0xaa;
	v->past[0] = (struct vcpu_past){ .rip = 0x1000, .info = 0x3f8, .reason = EXIT_IO };
	v->past[1] = (struct vcpu_past){ .rip = 0x100200, .reason = EXIT_SHUTDOWN };
	v->past_n = 2;
	v->exit.reason = EXIT_SHUTDOWN;
	vm_die(v, "triple fault %d", 7);
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(host_log, parts[i]))
			fail_msg("no \"%s\" in the report:\n%s", parts[i], host_log);
	for (const char *line = host_log; *line; line = strchr(line, '\n') + 1)
		assert_memory_equal(line, "g0: ", 4);
	assert_int_equal(vms[0]->state, VM_RUNNING); /* until it has left: all is said then */
	leave(0);
	assert_int_equal(vms[0]->state, VM_DEAD);
	assert_int_equal(v->state, VCPU_OFF);
	shows("guest info g0", "State:        dead: triple fault 7\n");
}

static void the_report_shows_no_more_exits_than_are_kept(void **state)
{
	unsigned lines = 0;
	struct vcpu *v;

	(void)state;
	ok(CREATE);
	ok("guest start g0");
	v = vms[0]->vcpu[0];
	v->past_n = 1000;
	vm_die(v, "enough");
	for (const char *s = host_log; (s = strstr(s, " info ")); s++)
		lines++;
	assert_int_equal(lines, VCPU_LAST_EXITS);
}

static void a_dead_guest_can_be_started_or_put_off(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	vm_die(vms[0]->vcpu[0], "x");
	leave(0);
	ok("guest stop g0");
	assert_int_equal(vms[0]->state, VM_OFF);
	ok("guest start g0");
	vm_die(vms[0]->vcpu[0], "x");
	leave(0);
	ok("guest start g0");
	assert_int_equal(vms[0]->state, VM_RUNNING);
	shows("guest info g0", "State:        running\n");
}

static void nmi_reaches_a_running_guest_only(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest nmi g0", -ENOTCONN, "g0 is off");
	ok("guest start g0");
	ok("guest nmi g0");
	assert_int_equal(vms[0]->vcpu[0]->signals, SIGNAL_NMI);
}

/* --- several vCPUs --- */

static void vcpus_go_to_one_core_after_the_other(void **state)
{
	(void)state;
	ok(CREATE " vcpus 4");
	ok("guest create g1 memory 8 vcpus 3 cpus 0,1,1 kernel vmlinuz");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(vms[0]->vcpu[i]->cpu, i % 2 ? 0 : 1);
	shows("guest list", "g0              off         4 1,0,1,0");
	shows("guest list", "g1              off         3 0,1,1");
	shows("show config", "guest create g0 memory 8 vcpus 4 kernel vmlinuz\n"
			     "guest create g1 memory 8 vcpus 3 cpus 0,1,1 kernel vmlinuz\n");
	fails("guest create g2 memory 8 vcpus 2 cpus 0 kernel vmlinuz", -EINVAL,
	      "expected as many cores as there are vCPUs, found '0'");
}

static void the_first_gets_the_kernels_entry_and_the_others_wait(void **state)
{
	(void)state;
	ok(CREATE " vcpus 3");
	ok("guest start g0");
	assert_string_equal(diary, "load devices reset lapic cpu reset lapic cpu reset lapic cpu "
				   "start start start ");
	assert_int_equal(vms[0]->vcpu[0]->rip, 0x100200);
	assert_int_equal(vms[0]->vcpu[2]->rip, 0xfff0);
	shows("guest info g0", "vCPU 2:       core 1, waiting for STARTUP, ran 0.000 s\n");
}

static void all_leave_before_the_devices_are_quiet_and_the_state_tells(void **state)
{
	(void)state;
	ok(CREATE " vcpus 3");
	ok("guest start g0");
	diary[0] = 0;
	port_write(VACPI_PORT, VACPI_POWER_OFF);
	assert_string_equal(diary, "kick0 kick1 kick2 ");
	diary[0] = 0;
	leave(2);
	leave(0);
	assert_string_equal(diary, "timer timer ");
	assert_int_equal(vms[0]->state, VM_RUNNING);
	fails("guest start g0", -EBUSY, "g0 is running");
	leave(1);
	assert_string_equal(diary, "timer timer timer devices ");
	assert_int_equal(vms[0]->state, VM_OFF);
}

static void a_guest_ends_once(void **state)
{
	(void)state;
	ok(CREATE " vcpus 2");
	ok("guest start g0");
	host_text_clear();
	vm_die(vms[0]->vcpu[1], "the first");
	port_write(VACPI_PORT, VACPI_POWER_OFF);
	port_write(VACPI_PORT, VACPI_REBOOT);
	vm_die(vms[0]->vcpu[0], "the second");
	leave(0);
	leave(1);
	assert_int_equal(vms[0]->state, VM_DEAD);
	assert_false(vms[0]->restart.deferred);
	assert_non_null(strstr(host_log, "g0: died: the first (vCPU 1 on core 0)"));
	assert_null(strstr(host_log, "the second"));
	assert_null(strstr(host_log, "powered"));
	port_write(VACPI_PORT, VACPI_POWER_OFF);
	assert_int_equal(vms[0]->state, VM_DEAD);
}

/*
 * One vCPU has left and the other has yet to see it: the operator's stop
 * takes that one off its core.
 */
static void stop_in_the_midst_of_an_end_completes_it(void **state)
{
	(void)state;
	ok(CREATE " vcpus 2");
	ok("guest start g0");
	port_write(VACPI_PORT, VACPI_REBOOT);
	leave(1);
	diary[0] = 0;
	ok("guest stop g0");
	assert_string_equal(diary, "stop timer devices stop ");
	assert_int_equal(vms[0]->state, VM_OFF);
	vms[0]->restart.fn(&vms[0]->restart);
	assert_int_equal(vms[0]->state, VM_OFF);
}

static void an_nmi_goes_to_all(void **state)
{
	(void)state;
	ok(CREATE " vcpus 2");
	ok("guest start g0");
	ok("guest nmi g0");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(vms[0]->vcpu[i]->signals, SIGNAL_NMI);
}

/* --- show --- */

static void list_has_a_line_for_each_guest(void **state)
{
	(void)state;
	shows("guest list", "NAME ");
	ok(CREATE " port p0 port p1");
	shows("guest list",
	      "g0              off         1 1           8 MiB vmlinuz              p0,p1\n");
}

static void exits_are_listed_with_their_share(void **state)
{
	struct vm *vm;

	(void)state;
	ok(CREATE " port p0");
	shows("guest exits g0", "all                    0\n");
	vm = vms[0];
	vm->vcpu[0]->exits[EXIT_HLT] = 1;
	vm->vcpu[0]->exits[EXIT_IO] = 7;
	vm->vcpu[0]->irqs_injected = 5;
	vm->port[0]->vhost.vring[VHOST_TX].vq.suppressed = 9;
	shows("guest exits g0", "io                     7      87.5  a port was read or written\n");
	shows("guest exits g0", "interrupts injected 5,");
	shows("guest exits g0", "signals suppressed 9\n");
	assert_null(strstr(host_out, "cpuid"));
}

static void holes_are_listed_the_most_touched_first(void **state)
{
	const char *first, *second;

	(void)state;
	ok(CREATE);
	bus_unclaimed(&vms[0]->ports, 0x70, 1, true);
	for (unsigned i = 0; i < 3; i++)
		bus_unclaimed(&vms[0]->ports, 0x64, 1, false);
	vms[0]->memory.holes_lost = 2;
	shows("guest exits g0", "unclaimed memory, elsewhere: 2 accesses\n");
	first = strstr(host_out, "unclaimed port 0x64: 3 reads, 0 writes\n");
	second = strstr(host_out, "unclaimed port 0x70: 0 reads, 1 writes\n");
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
}

static void the_devices_at_fixed_addresses_are_there(void **state)
{
	static const struct {
		uint64_t port;
		const char *name;
	} want[] = {
		{ 0x3f8, "serial" }, { 0xcf8, "pci" }, { 0xcff, "pci" }, { VACPI_PORT, "power" }
	};

	(void)state;
	ok(CREATE);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(bus_find(&vms[0]->ports, want[i].port, 1)->name, want[i].name);
	assert_null(bus_find(&vms[0]->ports, 0x400, 1));
	assert_string_equal(bus_find(&vms[0]->memory, VIOAPIC_BASE, 4)->name, "ioapic");
}

/* --- the serial line --- */

static void type_sends_the_words_and_enter(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest type g0 ls", -ENOTCONN, "g0 is off");
	ok("guest start g0");
	fails("guest type g0", -EINVAL, "expected text for the guest");
	ok("guest type g0 'ls  -l' /");
	assert_string_equal(typed(), "ls  -l /\r");
}

static void drain(void)
{
	typed();
}

static void type_waits_for_a_slow_guest_but_not_for_a_deaf_one(void **state)
{
	char line[400] = "guest type g0 ";

	(void)state;
	memset(line + strlen(line), 'x', 300);
	ok(CREATE);
	ok("guest start g0");
	on_sleep = drain;
	ok(line);
	assert_string_equal(typed() + 300 - VUART_IN, "\r");
	on_sleep = NULL;
	fails(line, -EAGAIN, "g0 does not read its console");
	assert_int_equal(vms[0]->uart.in_lost, 0);
}

static void log_shows_all_or_the_last_lines(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest log g0");
	guest_says("one\r\ntwo\r\n\033[31mthree");
	shows("guest log g0", "one\ntwo\n.[31mthree\n");
	shows("guest log g0 2", "two\n.[31mthree\n");
	assert_null(strstr(host_out, "one"));
	guest_says("\n");
	host_text_clear();
	assert_int_equal(host_exec("guest log g0 1"), 0);
	assert_string_equal(host_out, ".[31mthree\n");
	fails("guest log g0 0", -EINVAL, "a number from 1");
}

static unsigned sleeps;

static void console_day(void)
{
	switch (sleeps++) {
	case 0: guest_says("login: \r\nok\rgo"); break;
	case 1: keys = "hi\r"; break;
	case 2: keys = "\x1d"; break;
	default: fail_msg("still attached after Ctrl-]");
	}
}

static void console_shows_the_past_then_both_ways_until_the_detach_key(void **state)
{
	(void)state;
	ok(CREATE);
	ok("guest start g0");
	guest_says("past\n");
	sleeps = 0;
	on_sleep = console_day;
	shows("guest console g0", "attached to g0; Ctrl-] detaches\npast\nlogin: \nok\rgo\n"
				  "detached from g0\n");
	assert_string_equal(typed(), "hi\r");
}

static void die_meanwhile(void)
{
	guest_says("last words");
	vm_die(vms[0]->vcpu[0], "x");
	leave(0);
	on_sleep = NULL;
}

static void console_ends_with_the_guest_and_shows_its_last_words(void **state)
{
	(void)state;
	ok(CREATE);
	guest_says("long ago");
	shows("guest console g0", "long ago\ng0 is off\n");
	ok("guest start g0");
	on_sleep = die_meanwhile;
	shows("guest console g0", "last words\ng0 is dead\n");
}

static void a_deaf_guest_does_not_hide_the_detach_key(void **state)
{
	static char many[VUART_IN + 20];

	(void)state;
	memset(many, 'x', sizeof(many) - 2);
	many[sizeof(many) - 2] = 0x1d;
	ok(CREATE);
	ok("guest start g0");
	keys = many;
	shows("guest console g0", "detached from g0\n");
	assert_true(host_tsc >= (uint64_t)1000 * HOST_TSC_KHZ); /* it was given time */
	assert_int_equal(vms[0]->uart.in_lost, sizeof(many) - 2 - VUART_IN);
}

static void console_is_not_for_a_config(void **state)
{
	static const char text[] = "guest console g0\n";
	struct shell sh = { .write = NULL };

	(void)state;
	ok(CREATE);
	sh.write = shell_to_console;
	assert_int_equal(config_run(&sh, "weir.conf", text, strlen(text), NULL), 1);
	assert_non_null(strstr(host_log, "weir.conf:1:7: a console wants a person"));
}

/* --- how interrupts get in --- */

static void injection_begins_with_kick_and_is_switched_live(void **state)
{
	(void)state;
	ok(CREATE);
	shows("guest injection g0", "mode kick, measuring off; no mode posted: this CPU has no "
				    "posted interrupts\n");
	ok("guest injection g0 entry");
	shows("guest injection g0", "mode entry, measuring off");
	shows("show config", "guest injection g0 entry\n");
	ok("guest injection g0 kick");
	host_text_clear();
	assert_int_equal(host_exec("show config"), 0);
	assert_null(strstr(host_out, "injection"));
}

static void posted_needs_a_cpu_that_does_it_and_that_it_is_on(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest injection g0 posted", -ENODEV, "this CPU has no posted interrupts");
	fake_features[3].has = true;
	fails("guest injection g0 posted", -ENODEV,
	      "posted-interrupts are switched off: 'guest features posted-interrupts on'");
	ok("guest features posted-interrupts on");
	ok("guest injection g0 posted");
	shows("guest injection g0", "mode posted, measuring off\n");
	/* where it is there a new guest begins with it */
	ok("guest create g1 memory 8 kernel vmlinuz");
	shows("guest injection g1", "mode posted");
}

static void injection_counts_what_the_test_posts(void **state)
{
	(void)state;
	ok(CREATE " cpus 1");
	fails("guest injection g0 test 5 50", -ENOTCONN, "g0 is off");
	ok("guest start g0");
	fails("guest injection g0 test 5 50", -ENOTCONN, "g0 has its local APIC off");
	vms[0]->vcpu[0]->lapic.svr = BIT(8);
	shows("guest injection g0 test 5 50", "g0 took 5\n");
	shows("guest injection g0", "kick                0            5            5            0 "
				    "           0\n");
	ok("guest injection g0 entry");
	shows("guest injection g0 test 7 50", "g0 took 7\n");
	shows("guest injection g0", "entry               0            7            0            7 "
				    "           0\n");
	ok("guest injection g0 reset");
	shows("guest injection g0", "entry               0            0            0            0 "
				    "           0\n");
	fails("guest injection g0 test 5 99", -ETIMEDOUT, "g0 took 0 of 5: vector 99 has waited");
}

static void latencies_are_a_table_and_bars(void **state)
{
	struct injection *in;

	(void)state;
	ok(CREATE);
	fails("guest injection g0 histogram", -ENODATA, "'guest injection g0 measure on'");
	ok("guest injection g0 measure on");
	shows("show config", "guest injection g0 measure on\n");
	in = &vms[0]->vcpu[0]->injection;
	for (unsigned i = 0; i < 100; i++)
		histogram_add(&in->kept->latency[INJECTION_KICK][INJECTION_TO_ENTRY],
			      i < 75 ? 1500 : 5000);
	shows("guest injection g0",
	      "post to entry    kick            100       1535       5000       5000       5000\n");
	shows("guest injection g0 histogram",
	      "post to entry, mode kick, nanoseconds: 100, half of them up to 1535\n"
	      "[1K, 2K)               75 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
	      "[2K, 4K)                0 |                                        |\n"
	      "[4K, 8K)               25 |@@@@@@@@@@@@@                           |\n");
	ok("guest injection g0 reset");
	fails("guest injection g0 histogram", -ENODATA, "nothing of g0 was measured");
	for (unsigned i = 0; i < 5; i++)
		histogram_add(&in->kept->latency[INJECTION_KICK][INJECTION_TO_ENTRY], i / 2);
	shows("guest injection g0 histogram", "[0]                     2 |@@");
	shows("guest injection g0 histogram", "[1]                     2 |@@");
	shows("guest injection g0 histogram", "[2, 4)                  1 |@@");
	ok("guest injection g0 measure off");
}

static void measuring_without_memory_is_refused(void **state)
{
	(void)state;
	ok(CREATE);
	host_mem_left = 0;
	fails("guest injection g0 measure on", -ENOMEM, "no memory for the histograms of g0");
	shows("guest injection g0", "measuring off");
}

static void wrong_words_of_injection_are_told(void **state)
{
	(void)state;
	ok(CREATE);
	fails("guest injection", -EINVAL, "expected a guest's name");
	fails("guest injection g0 dance", -EINVAL, "expected kick, entry, posted, measure");
	fails("guest injection g0 kick now", -EINVAL, "expected the end of the line");
	fails("guest injection g0 measure", -EINVAL, "expected on or off");
	fails("guest injection g0 test", -EINVAL, "expected");
	fails("guest injection g0 test 5 31", -EINVAL, "expected");
	fails("guest injection g0 test 5 50 0", -EINVAL, "expected");
}

/* --- features of the machine --- */

static void features_are_listed_with_their_use(void **state)
{
	(void)state;
	shows("guest features", "nested-paging      yes  always    tables: no guest without\n"
				"nrip-save          yes  on        the next rip\n"
				"vgif               yes  not used  a GIF: guests get no SVM\n"
				"posted-interrupts  no   -         no exits\n");
	ok("guest features nrip-save off");
	shows("guest features", "nrip-save          yes  off ");
	shows("show config", "guest features nrip-save off\n");
	ok("guest features nrip-save on");
	assert_true(fake_features[1].on);
}

static void features_that_cannot_be_switched_say_why(void **state)
{
	(void)state;
	fails("guest features dance", -EINVAL, "expected a feature of 'guest features'");
	fails("guest features nrip-save", -EINVAL, "expected on or off");
	fails("guest features nested-paging off", -EPERM,
	      "nested-paging is always on: no guest without");
	fails("guest features vgif on", -EPERM, "vgif is not used: guests get no SVM");
	fails("guest features posted-interrupts on", -ENODEV, "this CPU has no posted-interrupts");
	assert_false(fake_features[2].on || fake_features[3].on);
	backend = NULL;
	fails("guest features", -ENODEV, "this machine runs no guests: this CPU has no SVM");
}

/* --- show config --- */

static void config_is_what_was_typed_less_the_defaults(void **state)
{
	(void)state;
	ok("guest create g0 memory 8 vcpus 1 cpus 1 kernel vmlinuz port p0 mtu 1500 vectors 3 "
	   "notify pio worker 1");
	ok("guest create g1 kernel vmlinuz initrd rd.gz cpus 0 cmdline 'a b' port p1 worker 1 "
	   "mac 52:54:00:00:00:09 vectors 0 offload off notify mmio mtu 68");
	ok("guest start g1");
	shows("show config",
	      "guest create g0 memory 8 kernel vmlinuz port p0\n"
	      "guest create g1 cpus 0 kernel vmlinuz initrd rd.gz cmdline 'a b' port p1 "
	      "mac 52:54:00:00:00:09 mtu 68 vectors 0 notify mmio offload off worker 1\n"
	      "guest start g1\n");
}

/* a command line with quotes of both kinds comes back as it was */
static void config_quotes_so_that_the_shell_reads_it_again(void **state)
{
	static const struct {
		const char *quoted, *plain;
	} texts[] = {
		{ "quiet", "quiet" },
		{ "\"it's\"", "it's" },
		{ "'say \"hi\"'", "say \"hi\"" },
		{ "\"it's \"'\"so\"'\" isn't\"", "it's \"so\" isn't" },
		{ "'\"'\"'\"", "\"'" },
		{ "'#x'", "#x" },
	};
	char line[256];

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		setup(state);
		snprintf(line, sizeof(line), CREATE " cmdline %s", texts[i].quoted);
		ok(line);
		assert_string_equal(vms[0]->cmdline, texts[i].plain);
		host_text_clear();
		assert_int_equal(host_exec("show config"), 0);
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(host_out, "\n"), host_out);
		setup(state);
		ok(line);
		assert_string_equal(vms[0]->cmdline, texts[i].plain);
	}
}

/* --- the command itself --- */

static void wrong_verbs_and_names_are_told(void **state)
{
	(void)state;
	fails("guest", -EINVAL, "expected create, start, shutdown, stop");
	fails("guest dance g0", -EINVAL, "found 'dance'");
	fails("guest start", -EINVAL, "expected a guest's name, found the end");
	fails("guest start g9", -EINVAL, "expected a guest's name, found 'g9'");
	ok(CREATE);
	fails("guest stop g0 now", -EINVAL, "expected the end of the line, found 'now'");
	fails("guest list g0", -EINVAL, "expected the end of the line");
}

static void collect(void *to, const char *s)
{
	strcat(to, s);
	strcat(to, " ");
}

static const char *completions(const char *a, const char *b, const char *c)
{
	static char text[512];
	struct word w[] = { { .s = "guest" }, { .s = a }, { .s = b }, { .s = c } };
	int n = 1 + !!a + !!b + !!c;

	text[0] = 0;
	command_find("guest")->complete(n, w, collect, text);
	return text;
}

static void verbs_names_and_keys_are_completed(void **state)
{
	(void)state;
	ok(CREATE);
	assert_non_null(strstr(completions(NULL, NULL, NULL), "console "));
	assert_string_equal(completions("injection", "g0", NULL),
			    "kick entry posted measure histogram reset test ");
	assert_string_equal(completions("features", "vgif", NULL), "on off ");
	assert_non_null(strstr(completions("features", NULL, NULL), "nrip-save "));
	assert_string_equal(completions("start", NULL, NULL), "g0 ");
	assert_string_equal(completions("list", NULL, NULL), "");
	assert_string_equal(completions("create", NULL, NULL), "");
	assert_non_null(strstr(completions("create", "g1", NULL), "kernel "));
	assert_string_equal(completions("create", "g1", "kernel"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(create_needs_only_a_name_and_a_kernel, setup),
		cmocka_unit_test_setup(create_takes_every_key, setup),
		cmocka_unit_test_setup(create_says_which_word_is_wrong, setup),
		cmocka_unit_test_setup(create_refuses_names_that_are_taken, setup),
		cmocka_unit_test_setup(create_refuses_what_does_not_fit_before_it_takes_anything,
				       setup),
		cmocka_unit_test_setup(create_says_so_when_memory_is_there_but_in_pieces, setup),
		cmocka_unit_test_setup(create_tells_which_port_could_not_be_made, setup),
		cmocka_unit_test_setup(create_refuses_a_ninth_guest, setup),
		cmocka_unit_test_setup(without_a_back_end_create_says_why, setup),
		cmocka_unit_test_setup(start_loads_resets_and_runs_in_this_order, setup),
		cmocka_unit_test_setup(a_guest_that_cannot_be_loaded_stays_off, setup),
		cmocka_unit_test_setup(stop_takes_the_vcpus_off_before_the_devices, setup),
		cmocka_unit_test_setup(reset_is_stop_and_start, setup),
		cmocka_unit_test_setup(a_guest_may_power_itself_off_and_be_started_again, setup),
		cmocka_unit_test_setup(a_guest_that_reboots_is_started_again_in_the_control_context,
				       setup),
		cmocka_unit_test_setup(a_guest_that_reboots_all_the_time_is_left_off, setup),
		cmocka_unit_test_setup(shutdown_presses_the_button_and_waits, setup),
		cmocka_unit_test_setup(shutdown_says_when_the_guest_goes_on, setup),
		cmocka_unit_test_setup(the_keyboard_controller_can_reset, setup),
		cmocka_unit_test_setup(a_reboot_comes_to_nothing_when_the_operator_stops_it_first,
				       setup),
		cmocka_unit_test_setup(a_reboot_that_fails_is_told, setup),
		cmocka_unit_test_setup(a_dying_guest_prints_a_report_with_its_name_on_each_line,
				       setup),
		cmocka_unit_test_setup(the_report_shows_no_more_exits_than_are_kept, setup),
		cmocka_unit_test_setup(a_dead_guest_can_be_started_or_put_off, setup),
		cmocka_unit_test_setup(nmi_reaches_a_running_guest_only, setup),
		cmocka_unit_test_setup(vcpus_go_to_one_core_after_the_other, setup),
		cmocka_unit_test_setup(the_first_gets_the_kernels_entry_and_the_others_wait, setup),
		cmocka_unit_test_setup(all_leave_before_the_devices_are_quiet_and_the_state_tells,
				       setup),
		cmocka_unit_test_setup(a_guest_ends_once, setup),
		cmocka_unit_test_setup(stop_in_the_midst_of_an_end_completes_it, setup),
		cmocka_unit_test_setup(an_nmi_goes_to_all, setup),
		cmocka_unit_test_setup(list_has_a_line_for_each_guest, setup),
		cmocka_unit_test_setup(exits_are_listed_with_their_share, setup),
		cmocka_unit_test_setup(holes_are_listed_the_most_touched_first, setup),
		cmocka_unit_test_setup(the_devices_at_fixed_addresses_are_there, setup),
		cmocka_unit_test_setup(type_sends_the_words_and_enter, setup),
		cmocka_unit_test_setup(type_waits_for_a_slow_guest_but_not_for_a_deaf_one, setup),
		cmocka_unit_test_setup(log_shows_all_or_the_last_lines, setup),
		cmocka_unit_test_setup(console_shows_the_past_then_both_ways_until_the_detach_key,
				       setup),
		cmocka_unit_test_setup(console_ends_with_the_guest_and_shows_its_last_words, setup),
		cmocka_unit_test_setup(a_deaf_guest_does_not_hide_the_detach_key, setup),
		cmocka_unit_test_setup(console_is_not_for_a_config, setup),
		cmocka_unit_test_setup(injection_begins_with_kick_and_is_switched_live, setup),
		cmocka_unit_test_setup(posted_needs_a_cpu_that_does_it_and_that_it_is_on, setup),
		cmocka_unit_test_setup(injection_counts_what_the_test_posts, setup),
		cmocka_unit_test_setup(latencies_are_a_table_and_bars, setup),
		cmocka_unit_test_setup(measuring_without_memory_is_refused, setup),
		cmocka_unit_test_setup(wrong_words_of_injection_are_told, setup),
		cmocka_unit_test_setup(features_are_listed_with_their_use, setup),
		cmocka_unit_test_setup(features_that_cannot_be_switched_say_why, setup),
		cmocka_unit_test_setup(config_is_what_was_typed_less_the_defaults, setup),
		cmocka_unit_test_setup(config_quotes_so_that_the_shell_reads_it_again, setup),
		cmocka_unit_test_setup(wrong_verbs_and_names_are_told, setup),
		cmocka_unit_test_setup(verbs_names_and_keys_are_completed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
