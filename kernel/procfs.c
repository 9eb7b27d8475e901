/* SPDX-License-Identifier: MIT */
/*
 * procfs.c - cat, echo and ls on the files that rooms have defined
 *
 * In the control context or at boot. There is no file system: a path is looked up in the set of
 * files, and a '*' in a file's path takes any one component.
 */
#include "procfs.h"

#include "names.h"
#include "shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STAR_SIZE = 32 };

static const char a_file[] = "a file under /proc or /sys ('ls' lists them)";

static size_t component(const char *s)
{
	return strcspn(s, "/");
}

/*
 * match_dir() - is @dir, @len bytes, "" or like "/proc/irq", a directory above the file
 * @pattern? Returns what follows in the pattern, or NULL. What stood for a '*' goes to star[], a
 * slash between two of them.
 */
static const char *match_dir(const char *pattern, const char *dir, size_t len, char star[STAR_SIZE])
{
	const char *end = dir + len;
	size_t stars = 0; /* bytes of star[] */

	star[0] = 0;
	while (dir < end) {
		size_t want, have;

		if (*pattern++ != '/' || *dir++ != '/')
			return NULL;
		want = component(pattern);
		have = MIN(component(dir), (size_t)(end - dir));
		if (want == 1 && *pattern == '*') {
			if (have == 0 || stars + 1 + have >= STAR_SIZE)
				return NULL;
			if (stars)
				star[stars++] = '/';
			memcpy(star + stars, dir, have);
			stars += have;
			star[stars] = 0;
		} else if (want != have || memcmp(pattern, dir, want)) {
			return NULL;
		}
		pattern += want;
		dir += have;
	}
	return pattern;
}

static const struct proc_file *file_find(const char *path, char star[STAR_SIZE])
{
	set_for_each(f, procfiles) {
		const char *rest;

		rest = match_dir(f->path, path, strlen(path), star);
		if (rest && !*rest)
			return f;
	}
	return NULL;
}

const struct proc_file *procfs_find(const char *path)
{
	char star[STAR_SIZE];

	return file_find(path, star);
}

/* a name that is looked for among those that a file offers */
struct sought {
	const char *name;
	size_t len;
	bool found;
};

static void compare(void *arg, const char *name)
{
	struct sought *s = arg;

	s->found |= strlen(name) == s->len && memcmp(name, s->name, s->len) == 0;
}

/* star_exists() - is @star, which stands for one '*' or two, something that the file has? */
static bool star_exists(const struct proc_file *f, const char *star)
{
	struct sought s = { star, component(star), !*star || !f->stars };
	char first[STAR_SIZE];

	if (!s.found)
		f->stars(compare, &s);
	if (!s.found || !star[s.len] || !f->second_stars)
		return s.found;
	snprintf(first, sizeof(first), "%.*s", (int)s.len, star);
	s = (struct sought){ star + s.len + 1, strlen(star + s.len + 1), false };
	f->second_stars(first, compare, &s);
	return s.found;
}

/* an entry of a directory on its way to whoever collects them */
struct entry {
	const char *dir;
	size_t len;
	const char *slash; /* "/" if it is a directory itself */
	void (*add)(void *to, const char *s);
	void *to;
};

static void add_entry(void *arg, const char *name)
{
	const struct entry *e = arg;
	char path[NAME_SIZE];
	int n = snprintf(path, sizeof(path), "%.*s/%s%s", (int)e->len, e->dir, name, e->slash);

	if (n < (int)sizeof(path))
		e->add(e->to, path);
}

/* offer_below() - one file's entry in @dir, if it has one. */
static void offer_below(const struct proc_file *f, struct entry *e)
{
	char star[STAR_SIZE], name[NAME_SIZE];
	const char *rest = match_dir(f->path, e->dir, e->len, star);
	size_t n;

	if (!rest || *rest != '/' || !star_exists(f, star))
		return;
	n = component(++rest);
	e->slash = rest[n] ? "/" : "";
	if (n == 1 && *rest == '*' && !*star && f->stars) {
		f->stars(add_entry, e);
	} else if (n == 1 && *rest == '*' && *star && f->second_stars) {
		f->second_stars(star, add_entry, e);
	} else if (n < sizeof(name)) {
		memcpy(name, rest, n);
		name[n] = 0;
		add_entry(e, name);
	}
}

void procfs_offer(const char *path, size_t len, void (*add)(void *to, const char *s), void *to)
{
	struct entry e = { .dir = path, .add = add, .to = to };

	while (len > 0 && path[len - 1] != '/')
		len--;
	e.len = len ? len - 1 : 0;
	set_for_each(f, procfiles)
		offer_below(f, &e);
}

int procfs_show(struct shell *sh, int i)
{
	struct shell as_word_1 = *sh;
	const char *path = sh->word[i].s;
	char star[STAR_SIZE];
	const struct proc_file *f = file_find(path, star);

	if (!f)
		return shell_expected(sh, i, a_file);
	if (!f->show)
		return shell_error(sh, i, -EACCES, "'%s' can only be written", path);
	as_word_1.word += i - 1;
	as_word_1.nwords -= i - 1;
	return f->show(&as_word_1, star);
}

static int run_cat(struct shell *sh, int n, const struct word *w)
{
	int err = 0;

	(void)w;
	if (n == 1)
		return shell_expected(sh, 1, a_file);
	for (int i = 1; i < n && !err; i++)
		err = procfs_show(sh, i);
	return err;
}

/* store() - VALUE is word 1, the path begins at @path inside word @i. */
static int store(struct shell *sh, int i, const char *path)
{
	unsigned col = sh->word[i].col + (path - sh->word[i].s);
	char star[STAR_SIZE];
	const struct proc_file *f = file_find(path, star);

	if (!f)
		return shell_expected_at(sh, col, a_file, path);
	if (!f->store)
		return shell_error(sh, i, -EACCES, "'%s' can only be read", path);
	return f->store(sh, star, &sh->word[1]);
}

/*
 * redirect() - word @i begins with a '>': the value stands in front of it, the path behind it or in
 * the next word.
 */
static int redirect(struct shell *sh, int i, int n, const struct word *w)
{
	int at = w[i].s[1] ? i : i + 1;

	if (i != 2)
		return shell_expected(sh, i, i < 2 ? "a value" : "one value in front of '>'");
	if (n == at)
		return shell_expected(sh, at, a_file);
	if (n > at + 1)
		return shell_expected(sh, at + 1, "the end of the line");
	return store(sh, at, at == i ? w[at].s + 1 : w[at].s);
}

static int run_echo(struct shell *sh, int n, const struct word *w)
{
	for (int i = 1; i < n; i++)
		if (w[i].s[0] == '>')
			return redirect(sh, i, n, w);
	for (int i = 1; i < n; i++)
		shell_printf(sh, i + 1 < n ? "%s " : "%s", w[i].s);
	shell_printf(sh, "\n");
	return 0;
}

static void offer_dir(void *arg, void (*add)(void *to, const char *s), void *to)
{
	const char *dir = arg;

	procfs_offer(dir, strlen(dir), add, to);
}

static int run_ls(struct shell *sh, int n, const struct word *w)
{
	char dir[NAME_SIZE], name[NAME_SIZE] = "", star[STAR_SIZE];
	struct names names = { .offer = offer_dir, .arg = dir };
	const char *path = n > 1 ? w[1].s : "/proc";
	size_t len = strlen(path);
	const struct proc_file *f = file_find(path, star);
	unsigned entries = 0;

	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	if (f && star_exists(f, star)) {
		shell_printf(sh, "%s\n", path);
		return 0;
	}
	if (len > 0 && len + 2 <= sizeof(dir)) {
		snprintf(dir, sizeof(dir), "%s%s", path, path[len - 1] == '/' ? "" : "/");
		for (; names_next(&names, dir, name, name); entries++)
			shell_printf(sh, "%s\n", name + strlen(dir));
	}
	return entries ? 0 : shell_expected(sh, 1, "a directory, like /proc");
}

static void complete_path(int n, const struct word *w, void (*add)(void *to, const char *s),
			  void *to)
{
	(void)n;
	(void)w;
	procfs_offer("/", 1, add, to);
}

SHELL_COMMAND(cmd_cat, .name = "cat", .usage = "PATH...",
	      .help = "print files under /proc and /sys", .run = run_cat,
	      .complete = complete_path);
SHELL_COMMAND(cmd_echo, .name = "echo", .usage = "[WORD]... | VALUE > PATH",
	      .help = "print words, or write a value to a file under /proc and /sys",
	      .run = run_echo);
SHELL_COMMAND(cmd_ls, .name = "ls", .usage = "[PATH]", .help = "list files under /proc and /sys",
	      .run = run_ls, .complete = complete_path);
