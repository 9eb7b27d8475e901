/* SPDX-License-Identifier: MIT */
/*
 * path_show.c - `trace path`: how long the stages of stamped packets' ways took
 *
 * Control context. All is reckoned from the rows that are still there, the last PATH_STAMPS of each
 * core, so percentiles are those of just these packets, to the tick.
 */
#include "kernel/park.h"
#include "kernel/path.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "path_trace.h"

#include <errno.h>
#include <stdlib.h>

/* a time that a row has: from one point of its packet's way to another */
typedef bool span(const struct path_stamp *s, unsigned point, uint64_t *ticks);

/* came_by() - it met @point; of no length. */
static bool came_by(const struct path_stamp *s, unsigned point, uint64_t *ticks)
{
	*ticks = 0;
	return s->tsc[point];
}

/* since_before() - from the point before @point to it. */
static bool since_before(const struct path_stamp *s, unsigned point, uint64_t *ticks)
{
	for (unsigned i = point; s->tsc[point] && i-- > 0;)
		if (s->tsc[i]) {
			*ticks = s->tsc[point] - s->tsc[i];
			return true;
		}
	return false;
}

/* since_first() - from the first one to @point. */
static bool since_first(const struct path_stamp *s, unsigned point, uint64_t *ticks)
{
	unsigned first = 0;

	while (!s->tsc[first] && first < point)
		first++;
	*ticks = s->tsc[point] - s->tsc[first];
	return s->tsc[point];
}

/*
 * collect() - the nanoseconds of all rows that have it, into ns[]; returns how many. The
 * cores stand still meanwhile.
 */
static unsigned collect(uint64_t *ns, span *of, unsigned point)
{
	unsigned n = 0;

	cores_park();
	cpu_for_each(c)
		for (unsigned i = 0;
		     path_of_cpu[c] && i < MIN(path_of_cpu[c]->taken, (uint32_t)PATH_STAMPS); i++)
			n += of(&path_of_cpu[c]->stamp[i], point, &ns[n]);
	cores_resume();
	for (unsigned i = 0; i < n; i++)
		ns[i] = tsc_to_ns(ns[i]);
	return n;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* print() - a line, if there is a time: the smallest that so many thousandths do not exceed */
static void print(struct shell *sh, const char *name, uint64_t *ns, unsigned n)
{
	static const unsigned permille[] = { 500, 900, 990, 999 };

	if (!n)
		return;
	qsort(ns, n, sizeof(*ns), by_size);
	shell_printf(sh, "%-24s %8u", name, n);
	for (unsigned i = 0; i < ARRAY_SIZE(permille); i++)
		shell_printf(sh, " %9lu", (unsigned long)ns[(n * permille[i] + 999) / 1000 - 1]);
	shell_printf(sh, " %9lu\n", (unsigned long)ns[n - 1]);
}

/* print_point() - where ways only begin it has no time before it, but a count. */
static void print_point(struct shell *sh, uint64_t *ns, unsigned point)
{
	const char *name = path_text[point].name;
	unsigned n = collect(ns, since_before, point);

	print(sh, name, ns, n);
	if (n)
		return;
	n = collect(ns, came_by, point);
	if (n)
		shell_printf(sh, "%-24s %8u %9s %9s %9s %9s %9s\n", name, n, "-", "-", "-", "-",
			     "-");
}

static void print_state(struct shell *sh)
{
	unsigned long stamped = 0, evicted = 0;

	cpu_for_each(i) {
		stamped += path_of_cpu[i] ? path_of_cpu[i]->taken : 0;
		evicted += path_of_cpu[i] ? path_of_cpu[i]->evicted : 0;
	}
	if (path_traced())
		shell_printf(sh, "paths are traced, a packet of one poll in %u; ", path_traced());
	else
		shell_printf(sh, "paths are not traced; ");
	shell_printf(sh, "%lu stamped, the last %u of each core are kept; %lu marks too late\n",
		     stamped, PATH_STAMPS, evicted);
}

static int show(struct shell *sh)
{
	uint64_t *ns = malloc(ncpus * PATH_STAMPS * sizeof(*ns));

	if (!ns)
		return shell_error(sh, 1, -ENOMEM, "no memory to sort them");
	print_state(sh);
	shell_printf(sh, "%-24s %8s %9s %9s %9s %9s %9s   ns since the point before\n", "point",
		     "count", "p50", "p90", "p99", "p99.9", "max");
	for (unsigned i = 0; i < PATH_N; i++)
		print_point(sh, ns, i);
	print(sh, "first point to wire", ns, collect(ns, since_first, PATH_XMIT));
	print(sh, "first point to guest", ns, collect(ns, since_first, PATH_USED));
	free(ns);
	return 0;
}

static void reset(void)
{
	cores_park();
	path_reset();
	cores_resume();
}

static bool takes(int n, const struct word *w)
{
	return word_is(n, w, 1, "path");
}

static int run(struct shell *sh, int n, const struct word *w)
{
	bool on = word_is(n, w, 2, "on");
	unsigned long every = PATH_EVERY;

	if (n > 3 + on)
		return shell_expected(sh, 3 + on, "the end of the line");
	if (on && n == 4 && shell_uint(sh, 3, 1, PATH_EVERY_MAX, &every))
		return -EINVAL;
	if (on && path_trace_on(every))
		return shell_error(sh, 2, -ENOMEM, "no memory for the rows");
	if (on)
		return 0;
	if (n == 2 || word_is(n, w, 2, "show"))
		return show(sh);
	if (word_is(n, w, 2, "off"))
		path_trace_off();
	else if (word_is(n, w, 2, "reset"))
		reset();
	else
		return shell_expected(sh, 2, "on, off, show or reset");
	return 0;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const char *const verbs[] = { "on", "off", "show", "reset" };

	if (n == 1)
		add(to, "path");
	for (unsigned i = 0; n == 2 && takes(n, w) && i < ARRAY_SIZE(verbs); i++)
		add(to, verbs[i]);
}

TRACE_COMMAND(trace_path, .what = "path", .takes = takes, .run = run, .complete = complete);
