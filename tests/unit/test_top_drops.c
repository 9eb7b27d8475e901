/* SPDX-License-Identifier: MIT */
/* links: kernel/top.c kernel/usage.c kernel/drop.c kernel/sysctl.c kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c net/observe/top_drops.c net/drops.c net/drop_knob.c net/port_snapshot.c net/sched/tc_qdisc.c net/bytes.c path */
/*
 * test_top_drops.c - `top`: shares of a core; `top drops`: what is dropped while it looks, where,
 * and its knob as it stands
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <string.h>

#include "net/sched/qdisc.h"
#include "net/ovs/vswitch.h"
#include "tests/unit/fake_net.h"

static void (*meanwhile)(void); /* in the second that `top` waits */

const struct guest_ops *guest_attached(void)
{
	return NULL;
}

void msleep(unsigned ms)
{
	host_tsc += ms * UINT64_C(1000000);
	if (meanwhile)
		meanwhile();
}

static int up(void **state)
{
	(void)state;
	net_up(2, 3);
	net_switch();
	meanwhile = NULL;
	return 0;
}

static int down(void **state)
{
	(void)state;
	net_down();
	return 0;
}

static void run(const char *line)
{
	host_text_clear();
	if (host_exec(line))
		fail_msg("%s: %s", line, host_out);
}

/* row() - line number @i behind the heads, from 0; its blanks taken together, as a test reads it */
static const char *row(unsigned i)
{
	static char text[256];
	const char *s = host_out;
	char *to = text;

	for (unsigned line = 0; line < i + 2 && s; line++)
		s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL;
	for (; s && *s && *s != '\n'; s++)
		if (*s != ' ' || s[1] != ' ')
			*to++ = *s;
	*to = '\0';
	return text;
}

static void some_runts(unsigned n, unsigned port)
{
	while (n--)
		put(port, frame_raw("x", 1));
}

static void four_of_two(void)
{
	some_runts(1, 1);
	host_play(1);
	some_runts(3, 2);
	host_play(0);
}

static void the_most_frequent_is_first(void **state)
{
	(void)state;
	some_runts(7, 1); /* before anybody looked */
	meanwhile = four_of_two;
	run("top drops");
	assert_non_null(strstr(host_out, ", 2 cores, 1000 ms, 4 packets dropped\n"));
	assert_string_equal(row(0), "parse_eth p2 1 3 3 75.0 - the sender made it so");
	assert_string_equal(row(1), "parse_eth p1 0 8 1 25.0 - the sender made it so");
	assert_string_equal(row(2), "");
}

static void a_rate_is_of_a_second(void **state)
{
	(void)state;
	meanwhile = four_of_two;
	run("top drops 2 2");
	assert_string_equal(row(0), "parse_eth p2 1 3 2 75.0 - the sender made it so");
	assert_non_null(strstr(host_out, "\n\ntop - up ")); /* the second time */
}

static void what_ended_stays_in_the_table(void **state)
{
	(void)state;
	some_runts(7, 1);
	run("top drops");
	assert_non_null(strstr(host_out, "0 packets dropped\n"));
	assert_string_equal(row(0), "parse_eth p1 - 7 0 0.0 - the sender made it so");
}

static uint64_t behind[DROP_N];

static const uint64_t *drops_behind(struct port *port)
{
	static const uint64_t none[DROP_N];

	return ports[2] == port ? behind : none;
}

static uint64_t missed(struct port *port, const char *name)
{
	return ports[3] == port && !strcmp(name, "rx_missed_errors") ? host_tsc / 1000000000 : 0;
}

static void a_guest_drops(void)
{
	behind[DROP_GUEST_TOO_SMALL] += 2;
	cpus[1]->drop[DROP_GUEST_TOO_SMALL] += 2;
	cpus[0]->drop[DROP_RX_STOPPED]++; /* of no port */
}

static void what_no_mouth_counts_is_there_too(void **state)
{
	struct port_ops ops = *fake[1].port.ops;

	(void)state;
	ops.drops = drops_behind;
	ops.stat = missed;
	ports[2]->ops = ports[3]->ops = &ops;
	ports[2]->mtu = 1400;
	meanwhile = a_guest_drops;
	run("top drops");
	ports[2]->ops = ports[3]->ops = ports[1]->ops;
	memset(behind, 0, sizeof(behind));
	cpus[1]->drop[DROP_GUEST_TOO_SMALL] = cpus[0]->drop[DROP_RX_STOPPED] = 0;
	assert_string_equal(row(0), "guest_too_small p2 1 2 2 66.7 ip link set p2 mtu 1400");
	assert_string_equal(row(1),
			    "rx_stopped - 0 1 1 33.3 - its beginning was lost with the ring");
	assert_memory_equal(row(2), "rx_missed_errors p3 - ", 22);
	assert_non_null(strstr(row(2), " 0.0 ethtool -G p3 rx N")); /* no NIC, so no ring */
}

/* knob() - what `drops knobs` says of @reason for p1 */
static void knob(const char *reason, const char *want)
{
	char line[256];

	run("drops knobs p1");
	snprintf(line, sizeof(line), "\n%-16s  %s\n", reason, want);
	if (!strstr(host_out, line))
		fail_msg("%s: wanted %s, got %s", reason, want, host_out);
}

static void knobs_have_the_values_in_force(void **state)
{
	const struct qdisc_options o = { .kind = &qdisc_pfifo, .limit = 50, .rate = 1000 };

	(void)state;
	knob("backlog_full", "sysctl net.core.netdev_max_backlog=1000");
	run("sysctl net.core.netdev_max_backlog=17");
	knob("backlog_full", "sysctl net.core.netdev_max_backlog=17");
	run("sysctl net.core.netdev_max_backlog=1000");
	knob("rule", "ovs-ofctl dump-flows sw0");
	knob("qdisc_full", "tc qdisc change dev p1 root pfifo limit 1000p");
	assert_int_equal(qdisc_set(ports[1], &o), 0);
	knob("qdisc_full", "tc qdisc change dev p1 parent 1:1 pfifo limit 50p");
	qdisc_clear(ports[1]);
}

/* a command of two letters at least, or a dash and why there is none */
static void no_reason_is_without(void **state)
{
	(void)state;
	for (unsigned why = 0; why < DROP_N; why++)
		if (strcspn(drop_text[why].knob, " ") < 2 &&
		    (strncmp(drop_text[why].knob, "- ", 2) || !drop_text[why].knob[2]))
			fail_msg("%s: '%s'", drop_text[why].name, drop_text[why].knob);
}

static void wrong_words_are_named(void **state)
{
	(void)state;
	host_text_clear();
	assert_int_not_equal(host_exec("top dropps"), 0);
	assert_int_not_equal(host_exec("top drops 1 1 1"), 0);
	assert_int_not_equal(host_exec("drops nobs"), 0);
	assert_non_null(strstr(host_out, "col 5: expected a number"));
	assert_non_null(strstr(host_out, "col 15: expected the end of the line"));
	assert_non_null(strstr(host_out, "col 7: expected knobs"));
}

/*
 * of a second: idle, control, interrupts, with halves of a thousandth that would each be rounded up
 */
static uint64_t spent[3];

static void spend(void)
{
	struct cpu *c = cpus[0];

	c->idle_tsc += spent[0];
	c->control_tsc += spent[1];
	c->irq_tsc += spent[2];
	c->control_since = host_tsc; /* not in control meanwhile, but for that */
}

static void shares_are(uint64_t idle, uint64_t control, uint64_t irq, const char *want)
{
	spent[0] = idle * 1000;
	spent[1] = control * 1000;
	spent[2] = irq * 1000;
	cpus[0]->control_since = host_tsc;
	run("top 1");
	if (!strstr(host_out, want))
		fail_msg("expected '%s' in '%s'", want, host_out);
}

static void shares_add_up(void **state)
{
	(void)state;
	meanwhile = spend;
	shares_are(999500, 500, 0, " 0.1 busy,   0.1 sy,   0.0 gu,  99.9 id,   0.0 hi,   0.0 si\n");
	shares_are(333350, 333350, 333300,
		   "66.6 busy,  33.3 sy,   0.0 gu,  33.4 id,  33.3 hi,   0.0 si\n");
	shares_are(250000, 250000, 250000,
		   "75.0 busy,  25.0 sy,   0.0 gu,  25.0 id,  25.0 hi,  25.0 si\n");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, up, down)
	const struct CMUnitTest tests[] = {
		TEST(the_most_frequent_is_first),     TEST(a_rate_is_of_a_second),
		TEST(what_ended_stays_in_the_table),  TEST(what_no_mouth_counts_is_there_too),
		TEST(knobs_have_the_values_in_force), TEST(no_reason_is_without),
		TEST(wrong_words_are_named),          TEST(shares_add_up),
	};

	return cmocka_run_group_tests_name("top_drops", tests, NULL, NULL);
}
