/* SPDX-License-Identifier: MIT */
/*
 * host.c - the machine that unit tests run on; host.h says what for
 *
 * Two parts: the machine itself, and weak stand-ins for kernel functions that a test does not link.
 * A stand-in does the least that is true (it counts, records, or says no); none imitates the logic
 * of what it stands in for.
 */
#include "host.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/apic.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/counter.h"
#include "kernel/irq.h"
#include "kernel/mem.h"
#include "kernel/netif_rx.h"
#include "kernel/park.h"
#include "kernel/path.h"
#include "kernel/pkt.h"
#include "kernel/policy.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "kernel/timer.h"
#include "kernel/trace.h"
#include "net/observe/path_trace.h"
#include "kernel/x86.h"

#define WEAK __attribute__((weak))

/* --- the machine --- */

WEAK struct cpu *cpus[MAX_CPUS];
WEAK unsigned ncpus = 1;
WEAK uint64_t tsc_khz = HOST_TSC_KHZ;
_Thread_local struct cpu *host_this_cpu;

_Atomic uint64_t host_tsc, host_tsc_step;
char host_log[HOST_TEXT], host_out[HOST_TEXT], host_panic_text[256];
struct host_calls host_calls;

static struct boot_memory {
	struct boot_memory *next;
	void *p;
} * boot_memory;
size_t host_mem_left;

_Thread_local bool host_irqs_on = true;
void (*host_irq_hook)(bool on);
void (*host_halt_hook)(void);

static struct irq *irq_table[256];
static unsigned nirqs;

/* the linker sets that a test may be without: empty, so that walking them is no link error */
#define EMPTY_SET(name) __asm__(".section weir_" #name ",\"a\",@progbits\n\t.balign 8\n\t.previous")
EMPTY_SET(counters);
EMPTY_SET(commands);
EMPTY_SET(procfiles);
EMPTY_SET(sysctls);
EMPTY_SET(configs);

static void *zeroed(size_t align, size_t size)
{
	void *p = aligned_alloc(align, ROUND_UP(size, align));

	if (!p)
		abort();
	return memset(p, 0, size);
}

static void forget(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++) {
		free(cpus[i]);
		cpus[i] = NULL;
	}
	for (struct boot_memory *m; (m = boot_memory);) {
		boot_memory = m->next;
		free(m->p);
		free(m);
	}
	memset(&host_calls, 0, sizeof(host_calls));
	memset(irq_table, 0, sizeof(irq_table));
	nirqs = 0;
	host_mem_left = SIZE_MAX;
	host_irqs_on = true;
	host_irq_hook = NULL;
	host_halt_hook = NULL;
	host_tsc = host_tsc_step = 0;
	host_text_clear();
}

void host_cores(unsigned n)
{
	static struct irq *no_vectors[256];

	forget();
	for (unsigned i = 0; i < n; i++) {
		struct cpu *c = zeroed(CACHE_LINE, sizeof(*c));

		c->self = c;
		c->id = c->apic_id = i;
		c->online = 1;
		c->vector = no_vectors;
		cpus[i] = c;
	}
	ncpus = n;
	tsc_khz = HOST_TSC_KHZ;
	host_this_cpu = cpus[0];
}

unsigned host_play(unsigned id)
{
	unsigned was = host_this_cpu ? host_this_cpu->id : 0;

	assert_true(id < ncpus);
	host_this_cpu = cpus[id];
	return was;
}

struct player {
	unsigned id;
	void (*fn)(void *arg);
	void *arg;
};

static void *play(void *p)
{
	struct player *player = p;

	host_this_cpu = cpus[player->id];
	player->fn(player->arg);
	return NULL;
}

void host_run_cores(void (*fn)(void *arg), void *arg)
{
	struct player player[MAX_CPUS];
	pthread_t thread[MAX_CPUS];

	cpu_for_each(i) {
		player[i] = (struct player){ i, fn, arg };
		if (pthread_create(&thread[i], NULL, play, &player[i]))
			abort();
	}
	cpu_for_each(i)
		pthread_join(thread[i], NULL);
}

uint64_t rdtsc(void)
{
	return atomic_fetch_add(&host_tsc, host_tsc_step);
}

/* --- the interrupt flag --- */

static void irqs_set(bool on)
{
	host_irqs_on = on;
	if (host_irq_hook)
		host_irq_hook(on);
}

void irq_disable(void)
{
	irqs_set(false);
}

void irq_enable(void)
{
	irqs_set(true);
}

uint64_t irq_save(void)
{
	bool was = host_irqs_on;

	irqs_set(false);
	return was;
}

void irq_restore(uint64_t flags)
{
	if (flags)
		irqs_set(true);
}

void cpu_halt(void)
{
	if (!host_halt_hook)
		fail_msg("the code sleeps, and no host_halt_hook wakes it");
	host_halt_hook();
	irqs_set(true);
}

WEAK unsigned idle_mode;

WEAK void idle_otherwise(struct cpu *c)
{
	(void)c;
	fail_msg("the core would not halt: idle.c is not linked");
}

WEAK bool cpu_has_monitor(void)
{
	return false;
}

/* --- boot memory --- */

WEAK void *mem_try_alloc(size_t bytes, size_t align)
{
	struct boot_memory *m;

	if (bytes > host_mem_left)
		return NULL;
	host_mem_left -= bytes;
	m = zeroed(sizeof(void *), sizeof(*m));
	m->p = zeroed(MAX(align, sizeof(void *)), bytes);
	memset(m->p, 0xa5, bytes); /* nobody may count on zeroes */
	m->next = boot_memory;
	boot_memory = m;
	return m->p;
}

WEAK void *mem_alloc(size_t bytes, size_t align, const char *what)
{
	void *p = mem_try_alloc(bytes, align);

	if (!p)
		panic("out of memory: %s", what);
	return p;
}

WEAK void *mem_zalloc(size_t bytes, size_t align, const char *what)
{
	return memset(mem_alloc(bytes, align, what), 0, bytes);
}

WEAK void *mmio_map(uint64_t pa, size_t len)
{
	(void)len;
	return (void *)(uintptr_t)pa;
}

/* --- packets: kernel/pool.c, on memory of ours --- */

extern struct pool *pool_create(unsigned cpu, unsigned n) WEAK;
extern unsigned pool_free_count(struct pool *pool) WEAK;

void host_pools(unsigned n)
{
	if (!pool_create)
		fail_msg("this test needs kernel/pool.c in its links: line");
	cpu_for_each(i)
		cpus[i]->pool = pool_create(i, n);
}

bool host_pools_full(void)
{
	bool full = true;

	cpu_for_each(i) {
		unsigned home = pool_free_count(cpus[i]->pool);

		if (home == cpus[i]->pool->size)
			continue;
		print_error("pool %u: %u of %u at home\n", i, home, cpus[i]->pool->size);
		full = false;
	}
	return full;
}

/* --- text --- */

static void append(char *to, const char *s, size_t n)
{
	size_t have = strlen(to);

	if (n > HOST_TEXT - 1 - have)
		n = HOST_TEXT - 1 - have;
	memcpy(to + have, s, n);
	to[have + n] = 0;
}

static void __attribute__((format(printf, 2, 0))) vappend(char *to, const char *fmt, va_list ap)
{
	char line[4096];

	vsnprintf(line, sizeof(line), fmt, ap);
	append(to, line, strlen(line));
}

void host_text_clear(void)
{
	host_log[0] = host_out[0] = host_panic_text[0] = 0;
}

WEAK void kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vappend(host_log, fmt, ap);
	va_end(ap);
}

WEAK void console_write(const char *s, size_t n)
{
	append(host_log, s, n);
}

WEAK int console_in_get(void)
{
	return -1;
}

WEAK void console_write_wait(const char *s, size_t n)
{
	append(host_log, s, n);
}

WEAK _Noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(host_panic_text, sizeof(host_panic_text), fmt, ap);
	va_end(ap);
	mock_assert(0, host_panic_text, "panic",
		    0); /* back to expect_panic(), or the test fails here */
	abort();
}

/* --- bytes as text --- */

static uint8_t hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

uint32_t host_hex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		out[n++] = hex_digit(hex[0]) << 4 | hex_digit(hex[1]);
		hex++;
	}
	return n;
}

/* --- the shell --- */

extern int shell_exec(struct shell *sh, const char *line) WEAK;

static void to_out(struct shell *sh, const char *s, size_t n)
{
	(void)sh;
	append(host_out, s, n);
}

int host_exec(const char *line)
{
	struct shell sh = { .write = to_out };

	if (!shell_exec)
		fail_msg("this test needs kernel/shell.c in its links: line");
	return shell_exec(&sh, line);
}

WEAK void shell_printf(struct shell *sh, const char *fmt, ...)
{
	va_list ap;

	(void)sh;
	va_start(ap, fmt);
	vappend(host_out, fmt, ap);
	va_end(ap);
}

WEAK int shell_expected(struct shell *sh, int i, const char *what)
{
	bool there = sh && i < sh->nwords;

	shell_printf(sh, "expected %s, found '%s'\n", what, there ? sh->word[i].s : "");
	return -EINVAL;
}

WEAK int shell_error(struct shell *sh, int i, int err, const char *fmt, ...)
{
	va_list ap;

	(void)sh;
	(void)i;
	va_start(ap, fmt);
	vappend(host_out, fmt, ap);
	va_end(ap);
	append(host_out, "\n", 1);
	return err;
}

WEAK int shell_uint(struct shell *sh, int i, unsigned long lo, unsigned long hi, unsigned long *out)
{
	char *end = NULL;
	unsigned long v = 0;

	if (i < sh->nwords)
		v = strtoul(sh->word[i].s, &end, 0);
	if (!end || *end || v < lo || v > hi)
		return shell_expected(sh, i, "a number");
	*out = v;
	return 0;
}

/* --- time --- */

WEAK uint64_t time_ns(void)
{
	return rdtsc() * 1000000 / HOST_TSC_KHZ;
}

WEAK uint64_t tsc_from_us(uint64_t us)
{
	return us * HOST_TSC_KHZ / 1000;
}

WEAK uint64_t tsc_to_ns(uint64_t tsc)
{
	return tsc * 1000000 / HOST_TSC_KHZ;
}

WEAK void udelay(unsigned us)
{
	host_tsc += tsc_from_us(us);
}

WEAK void timer_arm_at(struct timer *t, uint64_t deadline)
{
	t->deadline = deadline;
	t->armed = true;
	host_calls.timer_arm++;
}

WEAK void timer_arm(struct timer *t, uint64_t us)
{
	timer_arm_at(t, rdtsc() + tsc_from_us(us));
}

WEAK void timer_cancel(struct timer *t)
{
	t->armed = false;
}

WEAK void timer_cancel_on(struct cpu *c, struct timer *t)
{
	(void)c;
	t->armed = false;
}

WEAK void timer_hw_arm(uint64_t deadline)
{
	host_calls.timer_hw_arm++;
	host_calls.timer_hw_deadline = deadline;
}

/* --- the core loop's neighbours --- */

WEAK void cores_park(void)
{
	host_calls.park++;
}

WEAK void cores_resume(void)
{
	host_calls.resume++;
}

WEAK bool cores_parked(void)
{
	return host_calls.park > host_calls.resume;
}

WEAK void control_run(void)
{
}

WEAK void yield(void)
{
	host_calls.yield++;
}

WEAK void control_sleep(void)
{
	host_calls.yield++;
}

WEAK void control_defer(struct control_work *w)
{
	w->deferred = true; /* the test looks, and calls w->fn */
}

WEAK void control_run_deferred(void)
{
}

WEAK void control_wake(void)
{
	host_calls.control_wake++;
}

WEAK void msleep(unsigned ms)
{
	host_tsc += (uint64_t)ms * HOST_TSC_KHZ;
	host_calls.yield++;
}

WEAK bool msleep_interruptible(unsigned ms)
{
	msleep(ms);
	return true;
}

WEAK bool console_interrupted(void)
{
	return false;
}

WEAK void open_softirq(enum softirq nr, void (*action)(void))
{
	(void)nr;
	(void)action;
}

WEAK void raise_softirq(enum softirq nr)
{
	this_cpu()->softirq_pending |= BIT(nr);
}

WEAK void raise_softirq_on(struct cpu *c, enum softirq nr)
{
	atomic_fetch_or(&c->remote_pending, BIT(nr));
	apic_ipi(c->apic_id, 0);
}

/* a queue that nobody polls: who needs more links kernel/softirq.c or plays it */
WEAK void napi_enable(struct napi *napi)
{
	napi->state = NAPI_IDLE;
}

WEAK void napi_schedule(struct napi *napi)
{
	fail_msg("%s has work, and nobody plays NAPI", napi->name);
}

/* nothing is stamped where kernel/path.c is not linked */
WEAK void path_mark_now(const struct pkt *p, enum path_point point)
{
	(void)p;
	fail_msg("a mark at %d, and nobody keeps it", point);
}

WEAK void path_mark_row(struct path_row row, enum path_point point)
{
	(void)row;
	(void)point;
}

WEAK struct path_row path_row(const struct pkt *p)
{
	(void)p;
	return (struct path_row){ NULL, 0 };
}

WEAK void path_signal(struct path_row row)
{
	(void)row;
}

WEAK struct path_row path_signalled(void)
{
	return (struct path_row){ NULL, 0 };
}

WEAK void path_sample(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	(void)queue;
	(void)pkts;
	fail_msg("%u packets of %s to sample", n, port->name);
}

WEAK void apic_ipi(uint32_t apic_id, uint8_t vector)
{
	(void)vector;
	host_calls.ipi[apic_id]++;
}

WEAK void policy_add(struct policy_queue *q)
{
	q->policy = q->first;
}

WEAK void napi_policy_moderate(struct napi_policy *p, bool on)
{
	p->moderated = on;
}

WEAK unsigned dim_usecs(const struct dim *d)
{
	return d->profile;
}

WEAK void softnet_backlog(unsigned (*len)(unsigned cpu), uint64_t (*dropped)(unsigned cpu))
{
	(void)len;
	(void)dropped;
}

WEAK void storm_start(void)
{
}

WEAK void netif_rx_enable(struct netif_rx *rx)
{
	(void)rx;
}

WEAK void netif_rx_irq(struct netif_rx *rx)
{
	(void)rx;
}

WEAK void napi_policy_init(struct napi_policy *p)
{
	p->napi->policy = p;
}

WEAK void napi_policy_tune(struct napi_policy *p, const struct napi_knobs *k)
{
	p->knobs = *k;
}

/* --- interrupts: numbers and vectors, nothing behind them --- */

WEAK int irq_request(struct irq *irq, unsigned cpu)
{
	if (cpu >= ncpus)
		return -EINVAL;
	if (nirqs == ARRAY_SIZE(irq_table))
		return -ENOSPC;
	irq->number = nirqs;
	irq->cpu = cpu;
	irq->vector = 0x40 + nirqs % 0x80;
	irq_table[nirqs++] = irq;
	if (irq->chip) {
		irq->chip->route(irq, cpus[cpu]->apic_id, irq->vector);
		irq->chip->unmask(irq);
	}
	return 0;
}

WEAK void irq_free(struct irq *irq)
{
	if (irq->chip)
		irq->chip->mask(irq);
	irq->vector = 0;
	irq_table[irq->number] = NULL;
}

/* --- names and switches --- */

WEAK unsigned trace_on;

WEAK void trace_record(enum trace_point p, uint64_t a, uint64_t b)
{
	(void)p;
	(void)a;
	(void)b;
}

WEAK void trace_record_span(enum trace_point p, uint64_t begin, uint64_t end, uint64_t a,
			    uint64_t b)
{
	(void)p;
	(void)begin;
	(void)end;
	(void)a;
	(void)b;
}

/* a set of watchers has one at least, or the linker makes none */
static void nobody(bool on)
{
	(void)on;
}

TRACE_WATCHER(nobody);

WEAK const struct guest_ops *guest_attached(void)
{
	return NULL;
}

WEAK const char *const softirq_name[SOFTIRQ_N] = { [SOFTIRQ_NET_RX] = "NET_RX" };

WEAK const struct drop_text drop_text[DROP_N] = {
#define X(id, name, text, knob) [DROP_##id] = { name, text, knob },
	DROP_REASONS(X)
#undef X
};
