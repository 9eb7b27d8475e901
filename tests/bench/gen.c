/* SPDX-License-Identifier: MIT */
/*
 * gen.c - frames into one NIC of a QEMU and out of the other, each looked at when it comes back
 *
 *	gen A.sock B.sock
 *
 * The sockets are of `-netdev stream`: a frame is four bytes of length, big-endian, and the frame
 * without FCS. Commands come on stdin, a line each, and each is answered by a line of NAME=NUMBER
 * on stdout:
 *
 *	run n=N burst=B|window=W [to=0|1] [echo=1] [kind=0|1|2] [size=60] [flows=1] [order=0|1|2] [first=0] [bad=0]
 *	first [to=0|1] [echo=1]	frames one by one until one has crossed: has the machine come up?
 *
 * burst=B is lock step: B frames in one write, which QEMU puts into the ring at one go, and the
 * next B when these have come out. window=W keeps W frames under way instead. bad=K makes every
 * K-th frame malformed; these must not come out. With echo=1 frames go in where they are to come
 * out, and come back with their two addresses swapped.
 *
 * Numbers of kind and order are those of frames.h. Each frame that comes out is compared with
 * what went in, byte for byte.
 */
#include "frames.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	PREFIX = 4, /* the length in front of a frame */
	INBOX = 1 << 20,
	OUTBOX = 4 << 20,
	FRAMES_MAX = 1 << 20, /* a run */
	FIRST_MAX = 30000,    /* one every 2 ms: a minute */
	PATIENCE_MS = 3000,   /* without a frame a run is over */
	LINGER_MS = 20,       /* after a run: what comes out now was one too many */
	CONNECT_MS = 10000,
};

/* what a run is, and what came of it */
struct run {
	struct traffic traffic;
	uint32_t n;
	uint32_t burst, window; /* one of them is 0 */

	uint32_t sent, sent_bad;
	uint32_t delivered;
	uint32_t twice, damaged, strange;
};

/* one end of a wire */
struct side {
	int fd;
	uint8_t *inbox;
	size_t held; /* bytes of it in use */
};

static struct side sides[2];
static struct run run;
static bool seen[FRAMES_MAX]; /* by sequence number: it has come out */
static uint8_t outbox[OUTBOX];

static void die(const char *what)
{
	fprintf(stderr, "gen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/*
 * --- what comes out
 * -----------------------------------------------------------------------------------------------
 */

static void judge(struct run *r, const uint8_t *frame, size_t len)
{
	uint8_t expected[FRAME_MAX];
	size_t expected_len;
	uint32_t seq;

	if (!frame_sequence(frame, len, &r->traffic, &seq) || seq >= r->sent ||
	    frame_is_bad(&r->traffic, seq)) {
		r->strange++;
		return;
	}
	expected_len = frame_build(expected, &r->traffic, seq);
	if (r->traffic.echo)
		frame_turn(expected);
	if (seen[seq])
		r->twice++;
	else if (expected_len != len || memcmp(expected, frame, len))
		r->damaged++;
	else
		r->delivered++;
	seen[seq] = true;
}

/*
 * take what side @s has for us; frames out of the side that they should not come out of are strange
 */
static void receive(unsigned s)
{
	struct side *side = &sides[s];
	ssize_t got = recv(side->fd, side->inbox + side->held, INBOX - side->held, MSG_DONTWAIT);
	size_t at = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		die("QEMU hung up");
	side->held += (size_t)got;
	while (side->held - at >= PREFIX) {
		size_t len = frame_get32(side->inbox + at);

		if (len > FRAME_MAX)
			die("a frame longer than any");
		if (side->held - at < PREFIX + len)
			break;
		if (s == run.traffic.to)
			judge(&run, side->inbox + at + PREFIX, len);
		else
			run.strange++;
		at += PREFIX + len;
	}
	memmove(side->inbox, side->inbox + at, side->held - at);
	side->held -= at;
}

/* wait for either side, or with @command for stdin too; returns whether that has something */
static bool wait_for(int ms, bool command)
{
	struct pollfd p[3] = {
		{ .fd = sides[0].fd, .events = POLLIN },
		{ .fd = sides[1].fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};

	if (poll(p, command ? 3 : 2, ms) <= 0)
		return false;
	for (unsigned s = 0; s < 2; s++)
		if (p[s].revents)
			receive(s);
	return p[2].revents != 0;
}

/*
 * --- what goes in
 * -------------------------------------------------------------------------------------------------
 */

static void send_all(int fd, const uint8_t *bytes, size_t n)
{
	while (n) {
		ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die("QEMU takes no frames");
		bytes += done;
		n -= (size_t)done;
	}
}

/* the next @n frames, in as few writes as possible */
static void send_frames(struct run *r, uint32_t n)
{
	int fd = sides[r->traffic.echo ? r->traffic.to : !r->traffic.to].fd;
	size_t used = 0;

	for (; n; n--, r->sent++) {
		size_t len;

		if (used + PREFIX + FRAME_MAX > OUTBOX) {
			send_all(fd, outbox, used);
			used = 0;
		}
		len = frame_build(outbox + used + PREFIX, &r->traffic, r->sent);
		frame_put32(outbox + used, (uint32_t)len);
		used += PREFIX + len;
		r->sent_bad += frame_is_bad(&r->traffic, r->sent);
	}
	send_all(fd, outbox, used);
}

/* frames that are to come out and have not */
static uint32_t under_way(const struct run *r)
{
	return r->sent - r->sent_bad - r->delivered - r->damaged;
}

/* how many frames may be sent now */
static uint32_t may_send(const struct run *r)
{
	uint32_t left = r->n - r->sent;
	uint32_t n;

	if (r->burst)
		n = under_way(r) ? 0 : r->burst;
	else
		n = r->window > under_way(r) ? r->window - under_way(r) : 0;
	return n < left ? n : left;
}

static void traffic(struct run *r)
{
	uint64_t last = now_ms();

	while (r->sent < r->n || under_way(r)) {
		uint32_t before = under_way(r), n = may_send(r);

		send_frames(r, n);
		/* a burst of malformed frames brings nothing back: give it time to pass */
		wait_for(under_way(r) ? 20 : 1, false);
		if (n || under_way(r) != before)
			last = now_ms();
		else if (now_ms() - last > PATIENCE_MS)
			return;
	}
}

static void linger(void)
{
	uint64_t began = now_ms();

	while (now_ms() - began < LINGER_MS)
		wait_for(1, false);
}

/*
 * --- commands
 * -----------------------------------------------------------------------------------------------------
 */

static uint32_t argument(const char *line, const char *name, uint32_t otherwise)
{
	char word[32];
	const char *at;

	snprintf(word, sizeof(word), " %s=", name);
	at = strstr(line, word);
	return at ? (uint32_t)strtoul(at + strlen(word), NULL, 10) : otherwise;
}

static void run_prepare(struct run *r, const char *line)
{
	static uint32_t last_id = 0x57454952;

	memset(seen, 0, sizeof(seen));
	*r = (struct run){
		.n = argument(line, "n", 0),
		.burst = argument(line, "burst", 0),
		.window = argument(line, "window", 0),
		.traffic = {
			.id = ++last_id,
			.to = argument(line, "to", 1) & 1,
			.echo = argument(line, "echo", 0),
			.kind = argument(line, "kind", IPV4) % KINDS,
			.size = argument(line, "size", ETHERNET_MIN),
			.flows = argument(line, "flows", 1),
			.order = argument(line, "order", IN_TURN),
			.first = argument(line, "first", 0),
			.bad = argument(line, "bad", 0),
		},
	};
	if (r->traffic.size < frame_shortest(r->traffic.kind))
		r->traffic.size = frame_shortest(r->traffic.kind);
}

static bool run_makes_sense(const struct run *r)
{
	return r->n <= FRAMES_MAX && r->traffic.size <= FRAME_MAX && r->traffic.flows &&
	       (r->burst || r->window);
}

static void report(const struct run *r, uint64_t began)
{
	const struct traffic *t = &r->traffic;
	uint32_t bad[FRAME_MALFORMED] = { 0 };

	for (uint32_t seq = 0; seq < r->sent; seq++)
		if (frame_is_bad(t, seq))
			bad[frame_malformation(t, seq)]++;
	printf("sent=%u bad=%u delivered=%u lost=%u twice=%u damaged=%u strange=%u size=%u ms=%lu",
	       r->sent, r->sent_bad, r->delivered, under_way(r), r->twice, r->damaged, r->strange,
	       t->size, now_ms() - began);
	for (unsigned i = 0; t->bad && i < FRAME_MALFORMED; i++)
		printf(" %s=%u", frame_reason(i), bad[i]);
	printf("\n");
}

static void command_run(const char *line)
{
	uint64_t began = now_ms();

	run_prepare(&run, line);
	if (!run_makes_sense(&run)) {
		printf("what? %s\n", line);
		return;
	}
	traffic(&run);
	linger();
	report(&run, began);
}

/* a machine that boots takes no frames yet, or loses them */
static void command_first(const char *line)
{
	uint64_t began = now_ms();

	run_prepare(&run, line);
	run.n = FIRST_MAX;
	run.burst = 1;
	while (!run.delivered && run.sent < run.n) {
		send_frames(&run, 1);
		wait_for(2, false);
	}
	report(&run, began);
}

static void command(const char *line)
{
	if (!strncmp(line, "run ", 4))
		command_run(line);
	else if (!strncmp(line, "first", 5))
		command_first(line);
	else
		printf("what? run or first\n");
	fflush(stdout);
}

static int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	uint64_t began = now_ms();
	int size = OUTBOX;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(at.sun_path, path);
	while (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		if (now_ms() - began > CONNECT_MS)
			die(path);
		usleep(5000);
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
		   sizeof(size)); /* as large as the host allows */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

int main(int argc, char **argv)
{
	char line[256];

	if (argc != 3) {
		fprintf(stderr, "usage: gen A.sock B.sock\n");
		return 2;
	}
	for (unsigned s = 0; s < 2; s++) {
		sides[s].fd = connect_to(argv[1 + s]);
		sides[s].inbox = malloc(INBOX);
		if (!sides[s].inbox)
			die("memory");
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() sees no buffered line */
	printf("ready=1\n");
	fflush(stdout);
	for (;;) {
		if (!wait_for(-1, true))
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		line[strcspn(line, "\n")] = 0;
		command(line);
	}
}
