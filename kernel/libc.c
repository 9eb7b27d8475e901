/* SPDX-License-Identifier: MIT */
/*
 * libc.c - newlib's lower edge
 *
 * The stubs are called by newlib on any core. Locks are recursive by core, not by context: the
 * control context and the softirqs of core 0 are never inside newlib at the same time, since
 * neither yields there, and hard interrupts never call it.
 */
#include "libc.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "mem.h"
#include "shell.h"

#include <errno.h>
#include <reent.h>
#include <stdlib.h>
#include <sys/lock.h>
#include <sys/stat.h>

/* at most 16 MiB, at most an eighth of what is free */
enum { HEAP_MAX = 16 << 20, HEAP_SHARE = 8 };

static char *heap;
static size_t heap_size, heap_used;
static struct _reent boot_reent;

void libc_init(void)
{
	heap_size = ROUND_DOWN(MIN((size_t)HEAP_MAX, mem_free() / HEAP_SHARE), (size_t)PAGE_SIZE);
	heap = mem_alloc(heap_size, PAGE_SIZE, "the heap");
}

void libc_init_cpu(void)
{
	struct _reent *r = mem_alloc(sizeof(*r), CACHE_LINE, "newlib's state of a core");

	_REENT_INIT_PTR(r);
	this_cpu()->reent = r;
}

struct _reent *__getreent(void)
{
	struct _reent *r = this_cpu()->reent;

	return r ? r : &boot_reent; /* the first lines of the boot */
}

/* --- system calls that newlib makes; malloc's lock is held around sbrk --- */

void *sbrk(ptrdiff_t n)
{
	if (n > 0 && (size_t)n > heap_size - heap_used) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap_used += n;
	return heap + heap_used - n;
}

int write(int fd, const void *buf, size_t n)
{
	(void)fd;
	console_write(buf, n);
	return n;
}

int read(int fd, void *buf, size_t n)
{
	(void)fd, (void)buf, (void)n;
	return 0;
}

int close(int fd)
{
	(void)fd;
	return -1;
}

int fstat(int fd, struct stat *st)
{
	(void)fd;
	st->st_mode = S_IFCHR;
	return 0;
}

int isatty(int fd)
{
	(void)fd;
	return 1;
}

off_t lseek(int fd, off_t to, int whence)
{
	(void)fd, (void)to, (void)whence;
	return 0;
}

int kill(int pid, int sig)
{
	(void)pid;
	panic("newlib raised signal %d", sig);
}

int getpid(void)
{
	return 1;
}

void _exit(int status)
{
	panic("newlib called exit(%d)", status);
}

/* --- locks: newlib names nine and makes more for its streams --- */

struct __lock {
	_Atomic uint32_t owner; /* 1 + id of the core that holds it; 0: free */
	uint32_t depth;         /* by the owner */
};

struct __lock __lock___sinit_recursive_mutex, __lock___sfp_recursive_mutex,
	__lock___atexit_recursive_mutex, __lock___at_quick_exit_mutex,
	__lock___malloc_recursive_mutex, __lock___env_recursive_mutex, __lock___tz_mutex,
	__lock___dd_hash_mutex, __lock___arc4random_mutex;

static int lock_try(_LOCK_T l)
{
	uint32_t me = this_cpu()->id + 1, none = 0;

	if (atomic_load_explicit(&l->owner, memory_order_relaxed) != me) {
		/* acquire: pairs with the release in lock_release */
		if (!atomic_compare_exchange_strong_explicit(
			    &l->owner, &none, me, memory_order_acquire, memory_order_relaxed))
			return 0;
	}
	l->depth++;
	return 1;
}

static void lock_acquire(_LOCK_T l)
{
	while (!lock_try(l))
		cpu_pause();
}

static void lock_release(_LOCK_T l)
{
	if (--l->depth == 0)
		atomic_store_explicit(&l->owner, 0, memory_order_release);
}

static void lock_init(_LOCK_T *l)
{
	*l = calloc(1, sizeof(**l));
	if (!*l)
		panic("out of memory: the heap has no room for a lock");
}

void __retarget_lock_init(_LOCK_T *l)
{
	lock_init(l);
}

void __retarget_lock_init_recursive(_LOCK_T *l)
{
	lock_init(l);
}

void __retarget_lock_close(_LOCK_T l)
{
	free(l);
}

void __retarget_lock_close_recursive(_LOCK_T l)
{
	free(l);
}

void __retarget_lock_acquire(_LOCK_T l)
{
	lock_acquire(l);
}

void __retarget_lock_acquire_recursive(_LOCK_T l)
{
	lock_acquire(l);
}

int __retarget_lock_try_acquire(_LOCK_T l)
{
	return lock_try(l);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T l)
{
	return lock_try(l);
}

void __retarget_lock_release(_LOCK_T l)
{
	lock_release(l);
}

void __retarget_lock_release_recursive(_LOCK_T l)
{
	lock_release(l);
}

/* --- free: where memory went, as procps prints it --- */

static void show_row(struct shell *sh, const char *name, uint64_t total, uint64_t used)
{
	shell_printf(sh, "%-6s %12lu %12lu %12lu\n", name, (unsigned long)total >> 10,
		     (unsigned long)used >> 10, (unsigned long)(total - used) >> 10);
}

static int run_free(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	shell_printf(sh, "%-6s %12s %12s %12s\n", "KiB", "total", "used", "free");
	show_row(sh, "Mem:", mem_total(), mem_total() - mem_free());
	show_row(sh, "Heap:", heap_size, heap_used);
	return 0;
}

SHELL_COMMAND(cmd_free, .name = "free", .usage = "",
	      .help = "memory handed out at boot, and newlib's heap in it", .run = run_free);
