/* SPDX-License-Identifier: MIT */
/*
 * tcpdump.c - `tcpdump`: what passes a port, as lines, or as a capture on the host
 *
 * Runs in the control context: it empties the rings of its tap (taps.h) whenever the core loop lets
 * it, until so many packets have come or Ctrl-C. What it cannot keep up with the rings drop, and
 * count.
 */
#include "tcpdump.h"

#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/hostlink.h"
#include "kernel/time.h"
#include "net/addr.h"
#include "decode.h"
#include "pcapng.h"
#include "net/taps.h"
#include "net/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAIT_MS = 5,
	FLUSH = 16 * 1024, /* bytes for the host that are worth sending */
	/* one that GRO or a guest made, and that is not cut yet */
	FRAME_MAX = PKT_GSO_SEGS * PKT_BUF_SIZE + VLAN_TAG,
	BUFFER = FLUSH + FRAME_MAX + PORT_MAX * PCAPNG_BLOCK_MAX,
	TEXT = 8 * DECODE_TEXT + FRAME_MAX / DECODE_HEX_LINE * DECODE_HEX_TEXT,
	NS_S = 1000000000,
};

/* one run of the command */
struct dump {
	struct tcpdump_words is;
	struct shell *sh;
	struct packet_tap tap;
	unsigned long captured;
	uint64_t began; /* ns */
	/* for lines */
	struct decode decode;
	char text[TEXT];
	/* for the host */
	int handle;
	int err;                     /* it takes no more */
	uint8_t interface[PORT_MAX]; /* number in the file, by port id */
	uint8_t interfaces;
	struct pcapng out;
	uint8_t bytes[BUFFER];
};

/* --- lines --- */

/* Linux's packet types [packet(7)], as tcpdump writes them for -i any */
static const char *direction(const struct tap_record *r, const struct port *port)
{
	if (r->where & (TAP_OUT | TAP_DROP_OUT))
		return "Out";
	if (r->caplen < 6 || !port)
		return "?";
	if (mac_load(r->frame) == mac_load((const uint8_t[]){ 255, 255, 255, 255, 255, 255 }))
		return "B";
	if (mac_is_group(mac_load(r->frame)))
		return "M";
	return mac_load(r->frame) == mac_load(port->mac) ? "In" : "P";
}

static void say_time(const struct dump *d, struct text *t, uint64_t ns)
{
	unsigned us = ns % NS_S / 1000, s = ns / NS_S;

	if (d->is.bare == 0)
		text_add(t, "%02u:%02u:%02u.%06u ", s / 3600 % 24, s / 60 % 60, s % 60, us);
	else if (d->is.bare == 2)
		text_add(t, "%u.%06u ", s, us);
}

static void say(struct dump *d, const struct tap_record *r)
{
	struct text t = { d->text, sizeof(d->text), 0 };
	const struct port *port = ports[r->port];
	uint32_t link;

	say_time(d, &t, r->ns);
	if (d->is.any)
		text_add(&t, "%-5s %-3s ", port ? port->name : "?", direction(r, port));
	link = decode(&d->decode, &t, r->frame, r->caplen, r->len);
	if (d->is.hex & 2) /* -xx: all of the frame */
		link = 0;
	if (r->where & TAP_DROPS)
		text_add(&t, ", dropped: %s", drop_text[r->drop].name);
	if (d->is.hex)
		decode_hex(&t, r->frame + link, r->caplen - link,
			   d->is.hex & HEX_LETTERS ? HEX_ASCII : HEX_X);
	text_add(&t, "\n");
	d->sh->wrote = true;
	d->sh->write(d->sh, t.buf, t.n);
}

/* --- the host's file --- */

static void flush(struct dump *d)
{
	if (d->out.n && !d->err)
		d->err = hostlink_write(d->handle, d->out.buf, d->out.n);
	d->out.n = 0;
}

static void keep(struct dump *d, const struct tap_record *r)
{
	pcapng_packet(&d->out, r, d->interface[r->port], r->port ? ports[r->port]->mac : NULL);
	if (d->out.n > FLUSH)
		flush(d);
}

/*
 * keep_interface() - the next one of the file is @port; NULL: where things are
 * dropped and no port is known.
 */
static void keep_interface(struct dump *d, const struct port *port)
{
	const char *filter = d->is.expression[0] ? d->is.expression : NULL;

	d->interface[port ? port->id : 0] = d->interfaces++;

	pcapng_interface(&d->out, port ? port->name : "nowhere", port ? port->mac : NULL,
			 d->is.snaplen, filter);
}

static int file_begin(struct dump *d)
{
	d->out = (struct pcapng){ d->bytes, sizeof(d->bytes), 0 };
	d->handle = hostlink_create(d->is.file);
	if (d->handle < 0)
		return d->handle;
	pcapng_section(&d->out);
	if (!d->is.any) {
		keep_interface(d, d->is.port);
	} else {
		port_for_each(i)
			keep_interface(d, ports[i]);
	}
	if (d->is.where & TAP_DROPS)
		keep_interface(d, NULL);
	flush(d);
	if (d->err)
		hostlink_close(d->handle);
	return d->err;
}

static int file_end(struct dump *d)
{
	struct tap_stats stats = taps_stats(&d->tap);
	int err;

	/* of the whole capture: rings are not a port's */
	pcapng_statistics(&d->out, 0, d->began, time_ns(), &stats);
	flush(d);
	err = hostlink_close(d->handle);
	return d->err ? d->err : err;
}

/* --- the run --- */

static bool enough(const struct dump *d)
{
	return d->err || (d->is.count && d->captured == d->is.count);
}

/* take_all() - what the rings hold now. */
static void take_all(struct dump *d)
{
	const struct tap_record *r;

	while (!enough(d) && (r = taps_peek(&d->tap))) {
		d->captured++;
		if (d->is.file)
			keep(d, r);
		else
			say(d, r);
		taps_next(&d->tap, r);
		yield();
	}
}

static void listen(struct dump *d)
{
	while (!enough(d) && !console_interrupted()) {
		take_all(d);
		if (d->is.file)
			flush(d);
		if (!enough(d))
			msleep(WAIT_MS);
	}
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void sum_up(struct dump *d)
{
	struct tap_stats s = taps_stats(&d->tap);

	shell_printf(d->sh, "%lu packet%s captured\n%lu packet%s received by filter\n", d->captured,
		     plural(d->captured), (unsigned long)s.received, plural(s.received));
	shell_printf(d->sh, "%lu packet%s dropped by kernel\n", (unsigned long)s.dropped,
		     plural(s.dropped));
}

static void say_listening(struct dump *d)
{
	shell_printf(d->sh,
		     "listening on %s, link-type EN10MB (Ethernet), snapshot length %u bytes\n",
		     d->is.any ? "any" : d->is.port->name, (unsigned)d->is.snaplen);
}

static int run_tap(struct dump *d)
{
	int err;

	d->tap = (struct packet_tap){
		.port = d->is.any ? NULL : d->is.port,
		.filter = d->is.filter,
		.snaplen = d->is.snaplen,
		.where = d->is.where,
	};
	d->decode.link = d->is.link;
	d->decode.verbose = d->is.verbose;
	d->decode.dumped = d->is.hex;
	d->decode.absolute = d->is.absolute;
	d->began = time_ns();
	if (taps_open(&d->tap, d->is.ring)) {
		if (d->is.file)
			hostlink_close(d->handle);
		return shell_error(d->sh, 0, -ENOMEM, "no memory for a ring of %u bytes a core",
				   (unsigned)d->is.ring);
	}
	say_listening(d);
	listen(d);
	taps_close(&d->tap);
	take_all(d);
	err = d->is.file ? file_end(d) : 0;
	if (err < 0)
		shell_error(d->sh, 0, err, "%s is not whole: %s", d->is.file, hostlink_reason());
	sum_up(d);
	taps_free(&d->tap);
	return err < 0 ? err : 0;
}

static int dump(struct dump *d, int n, const struct word *w)
{
	int err = tcpdump_read(d->sh, n, w, &d->is);

	if (!err && d->is.file && file_begin(d) < 0)
		err = shell_error(d->sh, 0, -EIO, "no file %s: %s", d->is.file, hostlink_reason());
	if (!err)
		err = run_tap(d);
	free(d->is.filter);
	return err;
}

static int run_tcpdump(struct shell *sh, int n, const struct word *w)
{
	struct dump *d;
	int err;

	if (sh->file)
		return shell_error(sh, 0, -EINVAL, "captures end by Ctrl-C: on the terminal only");
	d = calloc(1, sizeof(*d));
	if (!d)
		return shell_error(sh, 0, -ENOMEM, "no memory");
	d->sh = sh;
	err = dump(d, n, w);
	free(d);
	return err;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (word_is(n, w, n - 1, "-i")) {
		add(to, "any");
		port_for_each(i)
			add(to, ports[i]->name);
	} else if (word_is(n, w, n - 1, "-Q")) {
		add(to, "in");
		add(to, "out");
		add(to, "inout");
		add(to, "drop");
	} else if (n == 1) {
		add(to, "-i");
		add(to, "--bytecode");
		add(to, "--bytecode-file");
		add(to, "--drops");
	}
}

SHELL_COMMAND(
	cmd_tcpdump, .name = "tcpdump",
	.usage = "[-i PORT|any] [-c COUNT] [-entvxXS] [-Q in|out|inout|drop] [--drops] "
		 "[-s SNAPLEN] [-B KIB] [-w FILE] [--bytecode PROGRAM | --bytecode-file "
		 "FILE | EXPRESSION...]",
	.help = "what passes a port, till Ctrl-C; the host compiles the expression, and keeps "
		"the file as pcapng",
	.run = run_tcpdump, .complete = complete);
