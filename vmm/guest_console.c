/* SPDX-License-Identifier: MIT */
/*
 * guest_console.c - `guest console`, `guest log`, `guest type`: a guest's serial line
 *
 * Control context; whoever is attached holds it, and gives the core back between two looks. Owns
 * nothing: both rings are the guest's UART's.
 */
#include "guest_cmd.h"

#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/time.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	DETACH = 0x1d,     /* Ctrl-], as telnet's and virsh's */
	TAIL = 2048,       /* bytes shown of what was said before */
	CHUNK = 256,       /* bytes shown at a time */
	LOOK_MS = 10,      /* between two looks when nothing happens */
	PATIENCE_MS = 1000 /* for a guest that does not read what is typed */
};

struct session {
	struct shell *sh;
	struct vm *vm;
	uint64_t from; /* byte of the guest's output that comes next */
	bool carriage; /* a carriage return waits: the console makes its own before a newline */
	bool full;     /* the guest reads nothing */
	uint64_t full_since; /* TSC */
	bool detached;
};

/* show() - what the guest said since. Returns whether that was anything. */
static bool show(struct session *s)
{
	char raw[CHUNK], text[CHUNK + 1];
	unsigned n = vuart_said(&s->vm->uart, &s->from, raw, sizeof(raw)), len = 0;

	for (unsigned i = 0; i < n; i++) {
		if (s->carriage && raw[i] != '\n')
			text[len++] = '\r';
		s->carriage = raw[i] == '\r';
		if (!s->carriage)
			text[len++] = raw[i];
	}
	if (len)
		s->sh->write(s->sh, text, len);
	return n;
}

/*
 * guest_listens() - may a key be taken from the terminal? As long as the guest has no room it waits
 * there; but not for ever, or the key that detaches would never be seen.
 */
static bool guest_listens(struct session *s)
{
	if (vuart_room(&s->vm->uart)) {
		s->full = false;
		return true;
	}
	if (!s->full)
		s->full_since = rdtsc();
	s->full = true;
	return rdtsc() - s->full_since > tsc_from_us(PATIENCE_MS * 1000);
}

static bool pass_key(struct session *s)
{
	int c = guest_listens(s) ? console_in_get() : -1;

	if (c < 0)
		return false;
	c &= ~CONSOLE_IN_GAP;
	if (c == DETACH)
		s->detached = true;
	else
		vuart_type(&s->vm->uart, c);
	return true;
}

/* look() - what there is, both ways. Returns whether there was anything. */
static bool look(struct session *s)
{
	bool any = false;

	while (!s->detached && pass_key(s))
		any = true;
	return show(s) || any;
}

int guest_console(struct shell *sh, struct vm *vm)
{
	uint64_t said = vm->uart.out_head;
	struct session s = { .sh = sh, .vm = vm, .from = said > TAIL ? said - TAIL : 0 };

	if (sh->file)
		return shell_error(sh, 1, -EINVAL,
				   "a console wants a person; use guest log and guest type");
	shell_printf(sh, "attached to %s; Ctrl-] detaches\n", vm->name);
	while (!s.detached) {
		enum vm_state state; /* from before the look: its last words are shown */

		control_run_deferred();
		state = vm->state;
		if (look(&s))
			yield();
		else if (state == VM_OFF || state == VM_DEAD)
			break;
		else
			msleep(LOOK_MS);
	}
	if (s.detached)
		shell_printf(sh, "\ndetached from %s\n", vm->name);
	else
		shell_printf(sh, "\n%s is %s\n", vm->name, vm_state_name(vm->state));
	return 0;
}

/* --- log --- */

/*
 * printable() - text for a terminal of what a guest wrote: whatever it was, it moves no cursor.
 * Returns how much is left.
 */
static size_t printable(char *text, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = text[i];

		if (c != '\r' && c != 0)
			text[len++] = isprint(c) || c == '\n' || c == '\t' ? c : '.';
	}
	return len;
}

/* last_lines() - where the last @lines of @n bytes begin; one without an end counts as well. */
static size_t last_lines(const char *text, size_t n, unsigned long lines)
{
	size_t at = n;

	if (at)
		at--; /* the newline that ends the last one begins no other */
	while (at > 0 && !(text[at - 1] == '\n' && --lines == 0))
		at--;
	return at;
}

int guest_log(struct shell *sh, struct vm *vm)
{
	unsigned long lines = VUART_OUT;
	uint64_t from = 0;
	size_t n, at;
	char *text;

	if (sh->nwords > 3 && shell_uint(sh, 3, 1, VUART_OUT, &lines))
		return -EINVAL;
	text = malloc(VUART_OUT);
	if (!text)
		return shell_error(sh, 0, -ENOMEM, "no memory for the text");
	n = printable(text, vuart_said(&vm->uart, &from, text, VUART_OUT));
	at = last_lines(text, n, lines);
	if (n > at)
		shell_printf(sh, "%.*s%s", (int)(n - at), text + at,
			     text[n - 1] == '\n' ? "" : "\n");
	free(text);
	return 0;
}

/* --- type --- */

/* type() - false if the guest has read nothing for too long. */
static bool type(struct vm *vm, char c)
{
	for (unsigned ms = 0; !vuart_room(&vm->uart); ms++) {
		if (ms == PATIENCE_MS)
			return false;
		msleep(1);
	}
	return vuart_type(&vm->uart, c);
}

static bool type_word(struct vm *vm, const char *s)
{
	while (*s)
		if (!type(vm, *s++))
			return false;
	return true;
}

/* The words with a blank in between, and Enter. */
int guest_type(struct shell *sh, struct vm *vm)
{
	bool read = true;

	if (sh->nwords < 4)
		return shell_expected(sh, 3, "text for the guest");
	if (vm->state != VM_RUNNING)
		return shell_error(sh, 2, -ENOTCONN, "%s is %s", vm->name,
				   vm_state_name(vm->state));
	for (int i = 3; i < sh->nwords && read; i++)
		read = type_word(vm, sh->word[i].s) && type(vm, i + 1 < sh->nwords ? ' ' : '\r');
	return read ? 0 : shell_error(sh, 3, -EAGAIN, "%s does not read its console", vm->name);
}
