/* SPDX-License-Identifier: MIT */
/*
 * gen.c - frames into one NIC of a QEMU and out of the other, each looked at when it comes back
 *
 *	gen A.sock B.sock
 *
 * The sockets are of `-netdev stream`: a frame is four bytes of length, big-endian, and the frame without FCS.
 * Commands come on stdin, a line each, and each is answered by a line of NAME=NUMBER on stdout:
 *
 *	run n=N burst=B|window=W [to=0|1] [kind=0|1|2] [size=60] [flows=1] [order=0|1|2] [first=0] [bad=0]
 *	first	frames one by one until one has crossed: has the machine come up?
 *
 * burst=B is lock step: B frames in one write, which QEMU puts into the ring at one go, and the next B when these have
 * come out. window=W keeps W frames under way instead. bad=K makes each K-th frame malformed; these must not come out.
 *
 * A frame is a pure function of the run's arguments and its sequence number, so each one that comes out is compared
 * with what went in, byte for byte.
 */
#include <arpa/inet.h>
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
	FRAME_MAX = 9216,
	PREFIX = 4, /* the length in front of a frame */
	MARK = 8,   /* payload: run and sequence number */
	INBOX = 1 << 20,
	OUTBOX = 4 << 20,
	FRAMES_MAX = 1 << 20, /* a run */
	PATIENCE_MS = 3000,   /* without a frame a run is over */
	CONNECT_MS = 10000,
};

enum kind { IPV4, IPV6, VLAN, KINDS };
enum order { IN_TURN, RANDOM, ALL_NEW };

/* what a run consists of, and what came of it */
struct run {
	uint32_t id;
	uint32_t n;
	uint32_t burst, window;
	unsigned to; /* the side they come out on */
	enum kind kind;
	uint32_t size; /* bytes without FCS */
	uint32_t flows;
	enum order order;
	uint32_t first; /* number of the first flow */
	uint32_t bad;

	uint32_t sent, sent_bad;
	uint32_t delivered;
	uint32_t twice, damaged, strange;
	uint8_t seen[FRAMES_MAX];
};

/* one end of a wire */
struct side {
	int fd;
	uint8_t *inbox;
	size_t held; /* bytes of it in use */
};

static struct side sides[2];
static struct run run;
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

/* a number from a number, as if by chance (splitmix64's finish) */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- good frames: UDP over IPv4 or IPv6 --------------------------------------------------------------------------- */

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return n & 1 ? sum + ((uint32_t)p[n - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint32_t flow_of(const struct run *r, uint32_t seq)
{
	switch (r->order) {
	case IN_TURN: return r->first + seq % r->flows;
	case RANDOM: return r->first + (uint32_t)(mix(seq) % r->flows);
	case ALL_NEW: break;
	}
	return r->first + seq;
}

/* offset of the network header, of UDP's */
static size_t l3_offset(enum kind kind)
{
	return kind == VLAN ? 18 : 14;
}

static size_t l4_offset(enum kind kind)
{
	return l3_offset(kind) + (kind == IPV6 ? 40 : 20);
}

static uint32_t shortest(enum kind kind)
{
	uint32_t least = (uint32_t)l4_offset(kind) + 8 + MARK;

	return least < 60 ? 60 : least;
}

/* UDP at @l4, @len bytes with its payload; addresses of @addr_bytes before it are the end of the IP header */
static void build_udp(uint8_t *l4, size_t len, size_t addr_bytes, uint64_t flow)
{
	uint32_t sum;

	put16(l4, (uint32_t)(flow >> 32));
	put16(l4 + 2, (uint32_t)(flow >> 48));
	put16(l4 + 4, (uint32_t)len);
	put16(l4 + 6, 0);
	sum = sum16(l4 - addr_bytes, len + addr_bytes, (uint32_t)len + IPPROTO_UDP);
	sum = fold(sum);
	put16(l4 + 6, sum ? sum : 0xffff);
}

static void build_ipv4(uint8_t *ip, size_t len, uint64_t flow)
{
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)len);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	put32(ip + 12, 0x0a000000 | (flow & 0x7fffff));
	put32(ip + 16, 0x0a800002);
	put16(ip + 10, fold(sum16(ip, 20, 0)));
	build_udp(ip + 20, len - 20, 8, flow);
}

static void build_ipv6(uint8_t *ip, size_t len, uint64_t flow)
{
	ip[0] = 0x60;
	put16(ip + 4, (uint32_t)len - 40);
	ip[6] = IPPROTO_UDP;
	ip[7] = 64;
	put32(ip + 8, 0xfd000000);
	put32(ip + 20, (uint32_t)flow);
	put32(ip + 24, 0xfd000000);
	put32(ip + 36, 2);
	build_udp(ip + 40, len - 40, 32, flow);
}

static void build_ethernet(uint8_t *f, const struct run *r)
{
	const uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 0x0a };

	memcpy(f, mac, 6);
	memcpy(f + 6, mac, 6);
	f[5] += r->to;
	f[11] += !r->to;
	if (r->kind == VLAN) {
		put16(f + 12, 0x8100);
		put16(f + 14, 100);
	}
	put16(f + l3_offset(r->kind) - 2, r->kind == IPV6 ? 0x86dd : 0x0800);
}

static size_t build_good(uint8_t *f, const struct run *r, uint32_t seq)
{
	size_t l3 = l3_offset(r->kind), mark = l4_offset(r->kind) + 8;
	uint64_t flow = mix(flow_of(r, seq));

	memset(f, 0, mark);
	build_ethernet(f, r);
	put32(f + mark, r->id);
	put32(f + mark + 4, seq);
	for (size_t i = mark + MARK; i < r->size; i++)
		f[i] = (uint8_t)(i + seq);
	if (r->kind == IPV6)
		build_ipv6(f + l3, r->size - l3, flow);
	else
		build_ipv4(f + l3, r->size - l3, flow);
	return r->size;
}

/* --- malformed frames: 60 bytes each, whose headers do not fit ---------------------------------------------------- */

static void bad_ihl(uint8_t *f)
{
	f[14] = 0x44;
}

static void bad_ipv4(uint8_t *f)
{
	f[14] = 0x4f; /* 60 bytes of header, 46 are there */
}

static void bad_udp(uint8_t *f)
{
	f[14] = 0x4a; /* 40 bytes of header, and 6 of UDP's 8 */
}

static void bad_icmp(uint8_t *f)
{
	f[14] = 0x4a;
	f[23] = IPPROTO_ICMP;
}

static void bad_tcp(uint8_t *f)
{
	f[23] = IPPROTO_TCP;
	f[46] = 0xf0; /* 60 bytes of header, 26 are there */
}

static void bad_arp(uint8_t *f)
{
	put16(f + 12, 0x0806);
	f[18] = f[19] = 255; /* bytes of an address */
}

static void bad_ipv6(uint8_t *f)
{
	put16(f + 12, 0x88a8); /* behind two tags 38 of its 40 bytes are left */
	put16(f + 16, 0x8100);
	put16(f + 20, 0x86dd);
}

static void bad_ipv6_ext(uint8_t *f)
{
	memset(f + 14, 0, 46);
	put16(f + 12, 0x86dd);
	f[14] = 0x60;
	put16(f + 18, 6);
	f[55] = 255; /* the hop-by-hop header's length, of 2 KiB */
}

/* by the reason that they are to be dropped for */
static const struct malformed {
	const char *reason;
	void (*make)(uint8_t *frame);
} malformed[] = {
	{ "parse_ipv4_ihl", bad_ihl }, { "parse_ipv4", bad_ipv4 },         { "parse_udp", bad_udp },
	{ "parse_icmp", bad_icmp },    { "parse_tcp", bad_tcp },           { "parse_arp", bad_arp },
	{ "parse_ipv6", bad_ipv6 },    { "parse_ipv6_ext", bad_ipv6_ext },
};

enum { MALFORMED = sizeof(malformed) / sizeof(malformed[0]) };

static bool is_bad(const struct run *r, uint32_t seq)
{
	return r->bad && seq % r->bad == r->bad - 1;
}

static uint32_t bad_kind(const struct run *r, uint32_t seq)
{
	return seq / r->bad % MALFORMED;
}

/* the frame with sequence number @seq into f[FRAME_MAX]; returns its length */
static size_t build(uint8_t *f, const struct run *r, uint32_t seq)
{
	struct run plain = { .id = r->id, .to = r->to, .size = 60, .flows = 1 };

	if (!is_bad(r, seq))
		return build_good(f, r, seq);
	build_good(f, &plain, seq);
	malformed[bad_kind(r, seq)].make(f);
	return plain.size;
}

/* --- what comes out ----------------------------------------------------------------------------------------------- */

static void judge(struct run *r, const uint8_t *frame, size_t len)
{
	size_t mark = l4_offset(r->kind) + 8;
	uint8_t expected[FRAME_MAX];
	uint32_t seq;

	if (len < mark + MARK || get32(frame + mark) != r->id) {
		r->strange++;
		return;
	}
	seq = get32(frame + mark + 4);
	if (seq >= r->sent || is_bad(r, seq))
		r->strange++;
	else if (r->seen[seq])
		r->twice++;
	else if (build(expected, r, seq) != len || memcmp(expected, frame, len) != 0)
		r->damaged++;
	else
		r->delivered++;
	if (seq < r->sent)
		r->seen[seq] = 1;
}

/* take what side @s has for us; frames out of the side that they should not come out of are strange */
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
		size_t len = get32(side->inbox + at);

		if (len > FRAME_MAX)
			die("a frame longer than any");
		if (side->held - at < PREFIX + len)
			break;
		if (s == run.to)
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

/* --- what goes in ------------------------------------------------------------------------------------------------- */

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
	int fd = sides[!r->to].fd;
	size_t used = 0;

	for (; n; n--, r->sent++) {
		size_t len;

		if (used + PREFIX + FRAME_MAX > OUTBOX) {
			send_all(fd, outbox, used);
			used = 0;
		}
		len = build(outbox + used + PREFIX, r, r->sent);
		put32(outbox + used, (uint32_t)len);
		used += PREFIX + len;
		r->sent_bad += is_bad(r, r->sent);
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

/* --- commands ----------------------------------------------------------------------------------------------------- */

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

	*r = (struct run){
		.id = ++last_id,
		.n = argument(line, "n", 0),
		.burst = argument(line, "burst", 0),
		.window = argument(line, "window", 0),
		.to = argument(line, "to", 1) & 1,
		.kind = argument(line, "kind", IPV4) % KINDS,
		.size = argument(line, "size", 60),
		.flows = argument(line, "flows", 1),
		.order = argument(line, "order", IN_TURN),
		.first = argument(line, "first", 0),
		.bad = argument(line, "bad", 0),
	};
	if (r->size < shortest(r->kind))
		r->size = shortest(r->kind);
}

static bool run_makes_sense(const struct run *r)
{
	return r->n <= FRAMES_MAX && r->size <= FRAME_MAX && r->flows && (r->burst || r->window);
}

static void report(const struct run *r, uint64_t began)
{
	uint32_t bad[MALFORMED] = { 0 };

	for (uint32_t seq = 0; r->bad && seq < r->sent; seq++)
		bad[bad_kind(r, seq)] += is_bad(r, seq);
	printf("sent=%u bad=%u delivered=%u lost=%u twice=%u damaged=%u strange=%u size=%u ms=%lu",
	       r->sent, r->sent_bad, r->delivered, under_way(r), r->twice, r->damaged, r->strange,
	       r->size, now_ms() - began);
	for (size_t i = 0; r->bad && i < MALFORMED; i++)
		printf(" %s=%u", malformed[i].reason, bad[i]);
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
	report(&run, began);
}

/* a machine that boots takes no frames yet, or loses them */
static void command_first(void)
{
	uint64_t began = now_ms();

	run_prepare(&run, " n=30000 burst=1");
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
	else if (!strcmp(line, "first"))
		command_first();
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
