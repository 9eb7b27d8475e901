/* SPDX-License-Identifier: MIT */
/*
 * icount.c - a TCG plugin: what a guest executes, counted from outside and readable at any time
 *
 *	-plugin icount.so,socket=PATH[,from=ADDRESS][,lines=on]
 *
 * QEMU's vCPU threads run the callbacks; a thread of our own answers on the unix socket PATH, for
 * one client after another, requests of a word a line:
 *	counts	-> "insns=N rep=N ...", one line
 *	profile	-> a line "ADDRESS EXECUTIONS" an instruction that was executed, then "."
 *	mmio	-> a line "ADDRESS READS WRITES DEVICE" a physical address, then "."
 *	lines	-> a line "ADDRESS VCPU READS WRITES CODE" a cache line that several vCPUs have touched and one has
 *		   written, and each of these; CODE is the instruction that did it last. Then "."
 * Nothing is ever reset: who wants a difference reads twice.
 *
 * Every instruction counts when it starts, by an add of its own, and not with its block: a fault,
 * an interrupt and, under -icount, an access to a device cut blocks short. A halted vCPU executes
 * nothing and costs nothing.
 *
 * A machine that runs guests of its own by SVM: from a VMRUN on, all is a guest's until the VMSAVE
 * that follows it. Of a guest only its instructions are counted; all else is about the machine
 * itself. QEMU translates a block for the machine and for its guests apart, and just before it runs
 * for the first time, so who runs then is whose it is. With several vCPUs this is right only if no
 * more than one of them runs guests.
 *
 * Cache lines are told by virtual address, so they are for what runs on an identity map.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu_plugin.h"

enum { MAX_INSNS = 1 << 20, MAX_MMIO = 1 << 12, INSN_MAX = 15 };
enum { MAX_LINES = 1 << 24, LINE_SHIFT = 6, MAX_VCPUS = 4 };

#define COUNTS(X)                                                                       \
	X(insns) /* a repeated string instruction counts once, as hardware counts it */ \
	X(rep)   /* its further iterations */                                           \
	X(loads) /* accesses, MMIO among them */                                        \
	X(stores)                                                                       \
	X(port_io)                                                                      \
	X(wrmsr)                                                                        \
	X(iret)        /* interrupts and exceptions taken */                            \
	X(vmrun)       /* entries into a guest */                                       \
	X(guest_insns) /* what is executed in there */

/* one a vCPU, written by its thread alone */
struct counts {
#define X(name) uint64_t name;
	COUNTS(X)
#undef X
};

struct mmio {
	const char *device; /* NULL: the slot is free */
	uint64_t paddr;
	uint64_t reads, writes;
};

/* what a vCPU did to a cache line; by its thread alone */
struct line {
	uint64_t number; /* address >> LINE_SHIFT; 0: the slot is free */
	uint64_t reads, writes, code;
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_INTERFACE;

static struct qemu_plugin_scoreboard *counts;
static struct qemu_plugin_scoreboard *executions; /* of profile[i]: the i-th uint64_t */

/* guards profile[] and mmio[], which vCPU threads fill and the server reads */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t profile[MAX_INSNS]; /* addresses of instructions; 0: the slot is free */
static struct mmio mmio[MAX_MMIO];
static struct line *lines[MAX_VCPUS]; /* [MAX_LINES] of each; NULL: nobody asked */
static uint64_t left_out;             /* blocks and addresses that found their table full */

static uint64_t from_vaddr; /* first execution of this starts the count `since`; 0: none */
static bool from_seen;
static uint64_t from_insns;

static bool in_guest; /* between a VMRUN and a VMSAVE; by vCPU threads */

static char *socket_path;

#define ENTRY(member) \
	((qemu_plugin_u64){ .score = counts, .offset = offsetof(struct counts, member) })

static qemu_plugin_u64 executions_of(size_t i)
{
	return (qemu_plugin_u64){ .score = executions, .offset = i * sizeof(uint64_t) };
}

static size_t slot_of(uint64_t key, size_t slots)
{
	return (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % slots;
}

/*
 * --- x86 instructions, as far as it takes to tell some apart [SDM 2 2.1]
 * ------------------------------------------
 */

enum kind { OTHER, REPEATED, PORT_IO, IRET, WRMSR, VMLOAD, VMRUN, VMSAVE };

static bool is_rep(uint8_t byte)
{
	return byte == 0xf2 || byte == 0xf3;
}

/*
 * operand size, address size, segments, lock, and in 64-bit code REX, which
 * elsewhere is INC and DEC
 */
static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || (byte & 0xe7) == 0x26 || byte == 0x64 ||
	       byte == 0x65 || byte == 0xf0 || (byte & 0xf0) == 0x40;
}

static bool is_string(uint8_t op)
{
	return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) ||
	       (op >= 0xaa && op <= 0xaf);
}

static bool is_port_io(uint8_t op)
{
	return (op >= 0xe4 && op <= 0xe7) || (op >= 0xec && op <= 0xef) ||
	       (op >= 0x6c && op <= 0x6f);
}

/* of the opcode at @op, which begins with 0f */
static enum kind kind_of_0f(const uint8_t *op)
{
	if (op[1] == 0x30)
		return WRMSR;
	if (op[1] != 0x01)
		return OTHER;
	switch (op[2]) {
	case 0xd8: return VMRUN;
	case 0xda: return VMLOAD;
	case 0xdb: return VMSAVE;
	default: return OTHER;
	}
}

static enum kind kind_of(const struct qemu_plugin_insn *insn)
{
	uint8_t b[INSN_MAX + 2] = { 0 };
	size_t n = qemu_plugin_insn_data(insn, b, INSN_MAX);
	bool rep = false;
	size_t i = 0;

	while (i + 1 < n && (is_prefix(b[i]) || is_rep(b[i])))
		rep |= is_rep(b[i++]);
	if (rep && is_string(b[i]))
		return REPEATED;
	if (is_port_io(b[i]))
		return PORT_IO;
	if (b[i] == 0xcf)
		return IRET;
	return b[i] == 0x0f ? kind_of_0f(&b[i]) : OTHER;
}

/*
 * --- while the guest runs, on its vCPU's thread
 * -------------------------------------------------------------------
 */

static void on_from(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	if (from_seen)
		return;
	from_insns = qemu_plugin_u64_sum(ENTRY(insns));
	from_seen = true;
}

static void on_enter(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	in_guest = true;
}

static void on_leave(unsigned int vcpu, void *udata)
{
	(void)vcpu;
	(void)udata;
	in_guest = false;
}

/* the slot of @paddr, or NULL if the table is full; under the lock */
static struct mmio *mmio_slot(uint64_t paddr)
{
	size_t i = slot_of(paddr, MAX_MMIO);

	for (size_t tried = 0; tried < MAX_MMIO; tried++, i = (i + 1) % MAX_MMIO)
		if (!mmio[i].device || mmio[i].paddr == paddr)
			return &mmio[i];
	return NULL;
}

/*
 * the slot of line @number of @vcpu; if there is none, a free one. The table is never full:
 * it is as large as the RAM
 */
static struct line *line_slot(unsigned vcpu, uint64_t number)
{
	size_t i = slot_of(number, MAX_LINES);

	while (lines[vcpu][i].number && lines[vcpu][i].number != number)
		i = (i + 1) % MAX_LINES;
	return &lines[vcpu][i];
}

static void on_line(unsigned vcpu, uint64_t vaddr, bool store, uint64_t code)
{
	struct line *l = line_slot(vcpu, vaddr >> LINE_SHIFT);

	l->number = vaddr >> LINE_SHIFT;
	l->reads += !store;
	l->writes += store;
	if (store || !l->writes)
		l->code = code;
}

static void on_memory(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *udata)
{
	struct qemu_plugin_hwaddr *addr = qemu_plugin_get_hwaddr(info, vaddr);
	bool store = qemu_plugin_mem_is_store(info);
	struct mmio *m;

	if (vcpu < MAX_VCPUS && lines[vcpu] && addr && !qemu_plugin_hwaddr_is_io(addr))
		on_line(vcpu, vaddr, store, (uint64_t)(uintptr_t)udata);
	if (!addr || !qemu_plugin_hwaddr_is_io(addr))
		return;
	pthread_mutex_lock(&lock);
	m = mmio_slot(qemu_plugin_hwaddr_phys_addr(addr));
	if (m) {
		m->device = qemu_plugin_hwaddr_device_name(addr);
		m->paddr = qemu_plugin_hwaddr_phys_addr(addr);
		m->reads += !store;
		m->writes += store;
	} else {
		left_out++;
	}
	pthread_mutex_unlock(&lock);
}

/*
 * --- while a block is translated
 * ----------------------------------------------------------------------------------
 */

static void add_one(struct qemu_plugin_insn *insn, qemu_plugin_u64 entry)
{
	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64, entry,
							    1);
}

/* index of @vaddr in profile[], where it is put if it is new; -1 if that is full */
static long profile_index(uint64_t vaddr)
{
	size_t i = slot_of(vaddr, MAX_INSNS);
	long found = -1;

	pthread_mutex_lock(&lock);
	for (size_t tried = 0; tried < MAX_INSNS && found < 0; tried++, i = (i + 1) % MAX_INSNS) {
		if (!profile[i])
			profile[i] = vaddr;
		if (profile[i] == vaddr)
			found = (long)i;
	}
	left_out += found < 0;
	pthread_mutex_unlock(&lock);
	return found;
}

static void count_execution(struct qemu_plugin_insn *insn)
{
	long i = profile_index(qemu_plugin_insn_vaddr(insn));

	add_one(insn, ENTRY(insns));
	if (i >= 0)
		add_one(insn, executions_of((size_t)i));
}

static void count_entry(struct qemu_plugin_insn *insn)
{
	add_one(insn, ENTRY(vmrun));
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_enter, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void count_accesses(struct qemu_plugin_insn *insn)
{
	qemu_plugin_register_vcpu_mem_inline_per_vcpu(insn, QEMU_PLUGIN_MEM_R,
						      QEMU_PLUGIN_INLINE_ADD_U64, ENTRY(loads), 1);
	qemu_plugin_register_vcpu_mem_inline_per_vcpu(insn, QEMU_PLUGIN_MEM_W,
						      QEMU_PLUGIN_INLINE_ADD_U64, ENTRY(stores), 1);
	qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW,
					 (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn));
}

/*
 * QEMU leaves the block before each further iteration of a repeated string instruction and comes
 * back to a block that starts with it (under -icount always, else now and then). Those go to `rep`.
 */
static void count_insn(struct qemu_plugin_insn *insn, enum kind kind, bool first_of_block)
{
	if (from_vaddr && qemu_plugin_insn_vaddr(insn) == from_vaddr)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_from, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (kind == REPEATED && first_of_block)
		add_one(insn, ENTRY(rep));
	else
		count_execution(insn);
	if (kind == PORT_IO)
		add_one(insn, ENTRY(port_io));
	else if (kind == IRET)
		add_one(insn, ENTRY(iret));
	else if (kind == WRMSR)
		add_one(insn, ENTRY(wrmsr));
	else if (kind == VMRUN)
		count_entry(insn);
	if (kind < VMLOAD) /* what VMLOAD, VMRUN and VMSAVE switch is no access of ours */
		count_accesses(insn);
}

/* where an exit from a guest ends */
static void count_return(struct qemu_plugin_insn *insn)
{
	in_guest = false;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_leave, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum kind kind = kind_of(insn);

		if (kind == VMSAVE && i == 0)
			count_return(insn);
		if (!in_guest)
			count_insn(insn, kind, i == 0);
		else if (kind != REPEATED || i > 0)
			add_one(insn, ENTRY(guest_insns));
	}
}

/*
 * --- the server, on a thread of its own
 * ---------------------------------------------------------------------------
 */

static void mmio_totals(uint64_t *reads, uint64_t *writes)
{
	*reads = *writes = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < MAX_MMIO; i++) {
		*reads += mmio[i].reads;
		*writes += mmio[i].writes;
	}
	pthread_mutex_unlock(&lock);
}

static void answer_counts(FILE *out)
{
	uint64_t insns = qemu_plugin_u64_sum(ENTRY(insns));
	uint64_t reads, writes;

#define X(name) fprintf(out, #name "=%lu ", qemu_plugin_u64_sum(ENTRY(name)));
	COUNTS(X)
#undef X
	mmio_totals(&reads, &writes);
	fprintf(out, "mmio_reads=%lu mmio_writes=%lu ", reads, writes);
	fprintf(out, "since=%lu left_out=%lu\n", from_seen ? insns - from_insns : 0, left_out);
}

static void answer_profile(FILE *out)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < MAX_INSNS; i++)
		if (profile[i])
			fprintf(out, "%lx %lu\n", profile[i],
				qemu_plugin_u64_sum(executions_of(i)));
	pthread_mutex_unlock(&lock);
	fprintf(out, ".\n");
}

static void answer_mmio(FILE *out)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < MAX_MMIO; i++)
		if (mmio[i].device)
			fprintf(out, "%lx %lu %lu %s\n", mmio[i].paddr, mmio[i].reads,
				mmio[i].writes, mmio[i].device);
	pthread_mutex_unlock(&lock);
	fprintf(out, ".\n");
}

/* has another vCPU touched line @number too, and has one of all written it? */
static bool is_shared(uint64_t number)
{
	unsigned touched = 0, written = 0;

	for (unsigned v = 0; v < MAX_VCPUS; v++) {
		const struct line *l = line_slot(v, number);

		touched += l->reads || l->writes;
		written += !!l->writes;
	}
	return touched > 1 && written;
}

static void answer_lines(FILE *out)
{
	for (unsigned v = 0; v < MAX_VCPUS && lines[v]; v++)
		for (size_t i = 0; i < MAX_LINES; i++) {
			const struct line *l = &lines[v][i];

			if (l->number && is_shared(l->number))
				fprintf(out, "%lx %u %lu %lu %lx\n", l->number << LINE_SHIFT, v,
					l->reads, l->writes, l->code);
		}
	fprintf(out, ".\n");
}

static void answer(const char *request, FILE *out)
{
	if (!strcmp(request, "counts\n"))
		answer_counts(out);
	else if (!strcmp(request, "profile\n"))
		answer_profile(out);
	else if (!strcmp(request, "mmio\n"))
		answer_mmio(out);
	else if (!strcmp(request, "lines\n"))
		answer_lines(out);
	else
		fprintf(out, "what? counts, profile, mmio or lines\n");
	fflush(out);
}

static void serve(int client)
{
	FILE *in = fdopen(client, "r");
	FILE *out = fdopen(dup(client), "w");
	char request[64];

	while (in && out && fgets(request, sizeof(request), in))
		answer(request, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
}

static void *server(void *listener)
{
	for (;;) {
		int client = accept((int)(intptr_t)listener, NULL, NULL);

		if (client >= 0)
			serve(client);
		else if (errno != EINTR)
			return NULL;
	}
}

/* a listening socket at socket_path, or -1 with the reason said */
static int start_listening(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(socket_path) >= sizeof(at.sun_path)) {
		fprintf(stderr, "icount: the path %s is too long for a socket\n", socket_path);
		return -1;
	}
	strcpy(at.sun_path, socket_path);
	unlink(socket_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1)) {
		fprintf(stderr, "icount: %s: %s\n", socket_path, strerror(errno));
		return -1;
	}
	return fd;
}

/*
 * --- start
 * --------------------------------------------------------------------------------------------------------
 */

static bool take_argument(const char *arg)
{
	if (!strncmp(arg, "socket=", 7))
		socket_path = strdup(arg + 7);
	else if (!strncmp(arg, "from=", 5))
		from_vaddr = strtoull(arg + 5, NULL, 0);
	else if (!strcmp(arg, "lines=on"))
		for (unsigned v = 0; v < MAX_VCPUS; v++)
			lines[v] = calloc(MAX_LINES, sizeof(*lines[v]));
	else
		return false;
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	pthread_t thread;
	int listener;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!take_argument(argv[i])) {
			fprintf(stderr, "icount: unknown argument '%s'\n", argv[i]);
			return -1;
		}
	}
	if (!socket_path) {
		fprintf(stderr, "icount: socket=PATH is missing\n");
		return -1;
	}
	counts = qemu_plugin_scoreboard_new(sizeof(struct counts));
	executions = qemu_plugin_scoreboard_new(MAX_INSNS * sizeof(uint64_t));
	listener = start_listening();
	if (listener < 0 || pthread_create(&thread, NULL, server, (void *)(intptr_t)listener))
		return -1;
	pthread_detach(thread);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
