/* SPDX-License-Identifier: MIT */
/* links: path kernel/path.c net/observe/path_trace.c kernel/napi_layers.c kernel/trace.c kernel/shell.c kernel/capture.c kernel/words.c net/key.c */
/* links: net/observe/trace_one.c net/observe/trace_one_nic.c net/observe/trace_one_cmd.c net/observe/trace_one_show.c net/observe/trace_one_story.c net/observe/trace_one_flow.c */
/* links: net/observe/trace_export.c net/observe/trace_packets.c net/observe/trace_json.c net/observe/decode.c net/observe/decode_ip.c net/observe/decode_l4.c net/observe/decode_icmp.c */
/* links: net/observe/decode_tcp.c net/addr.c net/text.c */
/*
 * test_trace_one.c - the next frame is caught, once, where it comes in, and told of; and the last
 * moments as a file: what the host gets is played here, byte by byte. Port 1 is a NIC's where there
 * is one: what it takes out of its ring is played
 */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/hostlink.h"
#include "kernel/path.h"
#include "kernel/policy.h"
#include "kernel/trace.h"
#include "drivers/netdev.h"
#include "net/nic.h"
#include "net/observe/path_trace.h"
#include "net/observe/trace_one.h"
#include "fake_net.h"

/* --- the NIC: a ring of one slot --- */

struct netdev *netdevs[NETDEV_MAX];
unsigned nnetdevs;
static struct netdev nic;
static struct pkt *in_ring;
static bool damaged;
static unsigned delivered;
const char *const policy_name[POLICY_N];

unsigned nic_poll_shown(struct napi *napi, unsigned budget, nic_show *show)
{
	(void)budget;
	(void)show;
	fail_msg("a poll of %s", napi->name);
	return 0;
}

unsigned nic_take(struct napi *napi, struct pkt **pkts, unsigned max)
{
	unsigned n = in_ring && !damaged;

	assert_ptr_equal(napi, &nic.queue[0].napi);
	assert_int_equal(max, NAPI_POLL_MAX);
	if (n)
		pkts[0] = in_ring;
	else if (in_ring)
		pkt_free(in_ring);
	in_ring = NULL;
	return n;
}

void nic_deliver(struct napi *napi, struct pkt **pkts, unsigned n)
{
	assert_ptr_equal(napi, &nic.queue[0].napi);
	delivered += n;
	for (unsigned i = 0; i < n; i++)
		put(1, pkts[i]);
}

static bool look_rx(const struct netdev *dev, unsigned q, struct netdev_desc *d)
{
	(void)dev;
	*d = (struct netdev_desc){
		.slot = q, .slots = 1, .done = in_ring, .word = { 7, in_ring ? 8 : 0 }
	};
	return true;
}

static unsigned look_tx(const struct netdev *dev, unsigned q, const struct pkt *p,
			struct netdev_desc *d, unsigned max)
{
	(void)dev, (void)q, (void)p, (void)d, (void)max;
	return 0;
}

static void look_text(const struct netdev *dev, const struct netdev_desc *d, char *text,
		      size_t size)
{
	(void)dev;
	snprintf(text, size, "word %lu", (unsigned long)d->word[1]);
}

static int regs_on(struct netdev *dev)
{
	(void)dev;
	return 0;
}

static void regs_off(struct netdev *dev)
{
	(void)dev;
}

static void regs_each(const struct netdev *dev, uint64_t from, uint64_t to,
		      void (*fn)(void *arg, uint64_t tsc, unsigned cpu, const char *text),
		      void *arg)
{
	(void)dev, (void)from, (void)to, (void)fn, (void)arg;
}

static const struct netdev_look look = { .rx = look_rx,
					 .tx = look_tx,
					 .rx_text = look_text,
					 .regs_on = regs_on,
					 .regs_off = regs_off,
					 .regs_each = regs_each };

/* a_nic() - port 1 is one's, whose queue is received in its interrupt */
static struct netdev_queue *a_nic(void)
{
	struct netdev_queue *q = &nic.queue[0];

	nic = (struct netdev){ .look = &look, .up = true, .nqueues = 1, .upper = ports[1] };
	memset(nic.txq_of_cpu, -1, sizeof(nic.txq_of_cpu));
	q->dev = &nic;
	q->policy.now = POLICY_IRQ;
	q->policy.take = nic_take;
	q->policy.deliver = nic_deliver;
	netdevs[0] = &nic;
	nnetdevs = 1;
	damaged = false;
	delivered = 0;
	return q;
}

/*
 * received() - @p comes with an interrupt, if @irq, and is in hand afterwards, not delivered;
 * NULL: dropped in the ring
 */
static struct pkt *received(struct netdev_queue *q, struct pkt *p, bool irq)
{
	struct pkt *pkts[NAPI_POLL_MAX] = { NULL };

	in_ring = p;
	q->napi.irqs += irq;
	if (q->policy.take(&q->napi, pkts, NAPI_POLL_MAX))
		assert_int_equal(q->policy.take(&q->napi, pkts + 1, NAPI_POLL_MAX), 0);
	return pkts[0];
}

/* --- the host --- */

static char file[256 * 1024];
static unsigned written, closed;
static int no_file;

int hostlink_create(const char *name)
{
	assert_string_equal(name, "a.json");
	written = 0;
	return no_file ? no_file : 3;
}

int hostlink_write(int handle, const void *buf, size_t n)
{
	assert_int_equal(handle, 3);
	assert_true(written + n < sizeof(file));
	memcpy(file + written, buf, n);
	written += n;
	file[written] = 0;
	return 0;
}

int hostlink_close(int handle)
{
	assert_int_equal(handle, 3);
	closed++;
	return 0;
}

const char *hostlink_reason(void)
{
	return "nobody is there";
}

/* --- time passes in waits alone, and frames come then --- */

static void (*meanwhile)(void);

void msleep(unsigned ms)
{
	host_tsc += ms * 1000000;
	if (meanwhile)
		meanwhile();
	meanwhile = NULL;
}

static bool interrupted;

bool console_interrupted(void)
{
	return interrupted;
}

static int up(void **state)
{
	(void)state;
	net_up(2, 3);
	net_switch();
	trace_init();
	host_play(0);
	put(1, frame_udp(1, 2, 1, 1));
	put(2, frame_udp(2, 1, 1, 1));
	sent(1);
	sent(2);
	sent(3);
	memset(path_of_cpu, 0, sizeof(path_of_cpu));
	host_tsc = 1000;
	host_tsc_step = 10;
	meanwhile = NULL;
	no_file = 0;
	return 0;
}

static int down(void **state)
{
	(void)state;
	host_tsc_step = 0;
	trace_set(false);
	netdevs[0] = NULL;
	nnetdevs = 0;
	net_down();
	return 0;
}

static void a_few_come(void)
{
	put(3, frame_udp(3, 2, 7, 7));
	put(1, frame_udp(1, 2, 1000, 9));
	put(1, frame_udp(1, 2, 1001, 9));
}

static void the_first_that_is_wanted_is_caught_and_no_other(void **state)
{
	const struct trace_one *one;
	struct path_row row;

	(void)state;
	assert_int_equal(trace_one_arm(ports[1], -1), 0);
	assert_null(trace_one_caught(&row));
	put(3, frame_udp(3, 2, 7, 7));
	assert_null(trace_one_caught(&row));
	a_few_come();
	one = trace_one_caught(&row);
	assert_non_null(one);
	assert_ptr_equal(one->port, ports[1]);
	assert_int_equal(one->len, 60);
	assert_int_equal(one->frame[34] << 8 | one->frame[35], 1000);
	assert_int_equal(path_of_cpu[0]->taken, 1);
	assert_true(row.stamp->tsc[PATH_NETIF_RX] && row.stamp->tsc[PATH_SEND]);
	trace_one_disarm(false);
	assert_int_equal(ports[1]->rx_extra, 0);
	assert_int_equal(trace_on, 0);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(path_of_cpu[0]->taken, 1);
	assert_int_equal(sent(2), 5);
	conserved();
}

static void beside_a_traced_path_both_have_their_packets(void **state)
{
	struct path_row row;

	(void)state;
	assert_int_equal(path_trace_on(2), 0);
	assert_int_equal(trace_one_arm(NULL, -1), 0);
	put(1, frame_udp(1, 2, 1000, 9)); /* the one */
	put(1, frame_udp(1, 2, 1000, 9)); /* and the path's second */
	assert_non_null(trace_one_caught(&row));
	assert_int_equal(row.number, 1);
	assert_int_equal(path_of_cpu[0]->taken, 2);
	trace_one_disarm(false);
	put(1, frame_udp(1, 2, 1000, 9));
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(path_of_cpu[0]->taken, 3);
	path_trace_off();
	assert_int_equal(ports[1]->rx_extra, 0);
	sent(2);
}

static void one_received_in_its_interrupt_is_caught_there(void **state)
{
	struct netdev_queue *q = a_nic();
	const struct trace_one *one;
	struct path_row row;
	struct path_stamp s;
	struct pkt *p;

	(void)state;
	assert_int_equal(trace_one_arm(ports[1], 0), 0);
	p = received(q, frame_udp(1, 2, 1000, 9), true);
	one = trace_one_caught(&row);
	assert_non_null(one);
	assert_int_equal(one->frame[34] << 8 | one->frame[35], 1000);
	assert_int_equal(one->policy, POLICY_IRQ);
	assert_int_equal(one->posted.word[1], 0);
	assert_int_equal(one->back.word[1], 8);
	assert_int_equal(path_of_cpu[0]->taken, 0); /* the softirq was perhaps just taking one */
	assert_true(path_read(row, &s));
	assert_true(s.tsc[PATH_HARD_IRQ] && s.tsc[PATH_HARD_IRQ] < s.tsc[PATH_DESCRIPTOR]);
	assert_true(!s.tsc[PATH_POLL] && !s.tsc[PATH_RECEIVE]);
	q->policy.deliver(&q->napi, &p, 1);
	assert_true(path_read(row, &s));
	assert_true(s.tsc[PATH_DESCRIPTOR] < s.tsc[PATH_RECEIVE] && s.tsc[PATH_SEND]);
	p = received(q, frame_udp(1, 2, 1001, 9), true); /* as usual */
	assert_false(p->flags & PKT_STAMPED);
	q->policy.deliver(&q->napi, &p, 1);
	trace_one_disarm(false);
	assert_ptr_equal(q->policy.take, nic_take);
	assert_ptr_equal(q->policy.deliver, nic_deliver);
	assert_int_equal(delivered, 2);
	assert_int_equal(sent(2), 2);
}

static void what_the_softirq_takes_has_the_interrupt_that_brought_it_if_any(void **state)
{
	struct netdev_queue *q = a_nic();
	struct path_row row;
	struct path_stamp s;

	(void)state;
	assert_int_equal(trace_one_arm(ports[1], -1), 0);
	damaged = true;
	assert_null(received(q, frame_udp(1, 2, 1, 9), true)); /* no frame: another is waited for */
	assert_null(trace_one_caught(&row));
	damaged = false;
	pkt_free(received(q, frame_udp(1, 2, 2, 9), false)); /* the ring was empty meanwhile */
	assert_non_null(trace_one_caught(&row));
	assert_true(path_read(row, &s));
	assert_true(!s.tsc[PATH_HARD_IRQ] && s.tsc[PATH_DESCRIPTOR]);
	trace_one_disarm(false);
}

static void said(const char *text)
{
	if (!strstr(host_out, text))
		fail_msg("no '%s' in:\n%s", text, host_out);
}

static void its_story_is_told_in_order(void **state)
{
	const char *at;

	(void)state;
	meanwhile = a_few_come;
	host_text_clear();
	assert_int_equal(host_exec("trace one p1"), 0);
	said("waiting for a frame by p1, 10 s at most\n"
	     "p1 queue 0: IP 10.0.0.1.1000 > 10.0.0.2.9: ");
	said("its key: recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)");
	said("no flow was known for it: an upcall decided, and made one\n");
	said("actions: output to p2\n");
	at = host_out;
	for (const char *const *step =
		     (const char *const[]){ "* netif_rx_ni:", "the switch has a batch of 1 from p1",
					    "* ovs_vport_receive:", "upcall:",
					    "* ovs_dp_process_packet:", "* ovs_vport_send:", NULL };
	     *step; step++) {
		at = strstr(at, *step);
		if (!at)
			fail_msg("'%s' is not behind the one before in:\n%s", *step, host_out);
	}
	assert_int_equal(sent(2), 3);
	host_text_clear();
	assert_int_equal(host_exec("trace one p1 --timeout 3"), -ETIMEDOUT);
	said("no frame came in by p1 in 3 s\n");
}

static void one_comes_by_interrupt(void)
{
	uint64_t begun = rdtsc();

	/* no place for it in the backlog */
	pkt_drop(received(&nic.queue[0], frame_udp(1, 2, 1000, 9), true), DROP_IRQ_BACKLOG);
	trace_record_span(TRACE_HARD_IRQ, begun, rdtsc(), 33, 2);
}

static void one_dropped_in_its_interrupt_says_so(void **state)
{
	(void)state;
	a_nic();
	meanwhile = one_comes_by_interrupt;
	host_text_clear();
	assert_int_equal(host_exec("trace one p1/0"), 0);
	said("* hard_irq:");
	said("receive descriptor 0 of 1, before: word 0\n");
	said("receive descriptor 0 of 1, after: word 8\n");
	said("policy irq: its interrupt puts it in a backlog, which a softirq polls\n");
	said("drop: irq_backlog, frame of 60 bytes: ");
}

/* --- trace export --- */

static void span(unsigned cpu, enum trace_point p, uint64_t begin, uint64_t end, uint64_t a,
		 uint64_t b)
{
	host_play(cpu);
	trace_record_span(p, begin, end, a, b);
	host_play(0);
}

static void wrote(const char *text)
{
	if (!strstr(file, text))
		fail_msg("no '%s' in:\n%s", text, file);
}

/* exports() - what was recorded, into a file that is whole */
static void exports(void)
{
	trace_set(false);
	host_tsc = 10000;
	host_text_clear();
	assert_int_equal(host_exec("trace export a.json"), 0);
	assert_string_equal(file + written - 5, "}\n]}\n");
}

static void a_packet_is_an_arrow_through_its_slices(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1, 1);

	(void)state;
	host_tsc_step = 0;
	assert_int_equal(path_start(), 0);
	trace_set(true);
	path_begin(p, 1, 0);
	path_mark_at(p, PATH_HARD_IRQ, 1500);
	path_mark_at(p, PATH_POLL, 2600);
	path_mark_at(p, PATH_VPORT, 2700);
	host_play(1);
	path_mark_at(p, PATH_SEND, 4000);
	host_play(0);
	span(0, TRACE_HARD_IRQ, 1400, 1900, 33, 2);
	span(0, TRACE_DROP, 2750, 2750, DROP_NO_RULE, 60);
	span(0, TRACE_POLL, 2500, 2800, 1, 1);
	span(0, TRACE_SOFTIRQ, 2000, 3000, SOFTIRQ_NET_RX, 0);
	/* the core that has it next was busy before it came: its slice begins earlier */
	span(1, TRACE_SOFTIRQ, 1000, 5000, SOFTIRQ_NET_RX, 0);
	exports();
	said("a.json: 5 records, 1 stamped packets, 1 of them as arrows, ");
	assert_int_equal(closed, 1);
	wrote("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"tid\":1,");
	wrote("{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":1.400,\"dur\":0.500,\"name\":\"hard_irq\","
	      "\"args\":{\"vector\":\"33\",\"irq number\":\"2\"}}");
	wrote("{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":2.000,\"dur\":1.000,\"name\":\"NET_RX\",");
	wrote("{\"ph\":\"i\",\"pid\":1,\"tid\":1,\"ts\":2.750,\"name\":\"drop "
	      "no_rule\",\"s\":\"t\",");
	/*
	 * the innermost slice, right behind its beginning; on the other core not before it was here
	 */
	wrote("{\"ph\":\"s\",\"pid\":1,\"tid\":1,\"ts\":1.401,\"id\":1,");
	wrote("{\"ph\":\"t\",\"pid\":1,\"tid\":1,\"ts\":2.501,\"id\":1,");
	wrote("{\"ph\":\"f\",\"pid\":1,\"tid\":2,\"ts\":4.000,\"id\":1,\"cat\":\"packet\","
	      "\"name\":\"packet\",\"bp\":\"e\"}");
	wrote("\"tid\":1048576,\"ts\":2.600,\"dur\":0.100,\"name\":\"ovs_vport_receive\"");
	pkt_free(p);
}

static void ctrl_c_leaves_a_whole_file_of_the_newest(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1, 1);

	(void)state;
	host_tsc_step = 0;
	assert_int_equal(path_start(), 0);
	trace_set(true);
	path_begin(p, 1, 0);
	path_mark_at(p, PATH_POLL, 150);
	path_mark_at(p, PATH_SEND, 2050);
	span(0, TRACE_POLL, 100, 200, 1, 1);
	for (unsigned i = 0; i < 900; i++)
		span(0, TRACE_DROP, 1000 + i, 1000 + i, DROP_NO_RULE, 60);
	span(0, TRACE_POLL, 2000, 2100, 1, 1);
	interrupted = true;
	exports();
	interrupted = false;
	said("a.json: 501 records, stopped before the oldest, 1 stamped packets, 0 of them as "
	     "arrows, ");
	assert_null(strstr(file, "\"ts\":0.100"));
	assert_int_equal(host_exec("trace export a.json"), 0);
	wrote("\"ts\":0.100");
	wrote("\"ph\":\"f\"");
	pkt_free(p);
}

static void a_file_in_pieces_and_a_host_that_is_not_there(void **state)
{
	(void)state;
	assert_true(host_exec("trace export a.json") < 0);
	trace_set(true);
	for (unsigned i = 0; i < 300; i++)
		trace(TRACE_RX, 1, i);
	trace_set(false);
	assert_int_equal(host_exec("trace export a.json 200"), 0);
	wrote("\"packets\":\"100\"}}");
	assert_null(strstr(file, "\"packets\":\"99\"}}"));
	assert_true(written > 3 * 4096);
	no_file = -ENODEV;
	host_text_clear();
	assert_int_equal(host_exec("trace export a.json"), -ENODEV);
	said("no file a.json: nobody is there\n");
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, up, down)
	const struct CMUnitTest tests[] = {
		ONE(the_first_that_is_wanted_is_caught_and_no_other),
		ONE(beside_a_traced_path_both_have_their_packets),
		ONE(one_received_in_its_interrupt_is_caught_there),
		ONE(what_the_softirq_takes_has_the_interrupt_that_brought_it_if_any),
		ONE(its_story_is_told_in_order),
		ONE(one_dropped_in_its_interrupt_says_so),
		ONE(a_packet_is_an_arrow_through_its_slices),
		ONE(ctrl_c_leaves_a_whole_file_of_the_newest),
		ONE(a_file_in_pieces_and_a_host_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
