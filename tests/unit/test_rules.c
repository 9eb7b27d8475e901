/* SPDX-License-Identifier: MIT */
/* links: net/ovs/rule_fields.c net/ovs/rule_parse.c net/ovs/rule_str.c net/text.c net/ovs/ofctl.c net/ovs/vsctl.c net/ovs/bridge.c net/ovs/dpctl.c net/port_show.c net/port_snapshot.c net/drops.c net/drop_knob.c net/sched/tc_qdisc.c net/sched/qdisc.c kernel/sysctl.c kernel/drop.c net/key.c kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c inet path */
/*
 * test_rules.c - rules as the operator types them: what they match, what they do, what they count;
 * and the words of the other commands of this room
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/flow.h"
#include "net/ovs/vswitch.h"
#include "net/inet/inet.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"

static int up(void **state)
{
	(void)state;
	net_up(1, 4);
	inet_init();
	return 0;
}

static int down(void **state)
{
	(void)state;
	net_down();
	return 0;
}

/* the line is taken, and says nothing */
static void ok(const char *line)
{
	int err;

	host_text_clear();
	err = host_exec(line);
	if (err || host_out[0])
		fail_msg("%s: %d, %s", line, err, host_out);
}

/* the line is refused, and what it says has @want in it */
static void refused(const char *line, const char *want)
{
	int err;

	host_text_clear();
	err = host_exec(line);
	if (!err || !strstr(host_out, want))
		fail_msg("%s: wanted '%s', got %d, '%s'", line, want, err, host_out);
}

/* the line prints something with @want in it */
static void says(const char *line, const char *want)
{
	int err;

	host_text_clear();
	err = host_exec(line);
	if (err || !strstr(host_out, want))
		fail_msg("%s: wanted '%s', got %d, '%s'", line, want, err, host_out);
}

static void says_not(const char *line, const char *want)
{
	host_text_clear();
	host_exec(line);
	if (strstr(host_out, want))
		fail_msg("%s: did not want '%s' in '%s'", line, want, host_out);
}

static void make_switch(void)
{
	ok("ovs-vsctl add-br sw0");
	ok("ovs-vsctl add-port sw0 p*");
}

static void a_new_switch_has_one_rule(void **state)
{
	(void)state;
	make_switch();
	says("ovs-ofctl dump-flows sw0", "priority=0 actions=NORMAL\n");
	ok("ovs-ofctl del-flows sw0");
	host_text_clear();
	ok("ovs-ofctl dump-flows sw0");
	put(1, frame_udp(1, 2, 1, 1));
	assert_int_equal(dropped(DROP_NO_RULE), 1);
}

static void a_rule_drops_and_counts(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"priority=100,udp,tp_dst=53 actions=drop\"");
	for (unsigned i = 0; i < 5; i++)
		put(1, frame_udp(1, 2, 1000, 53));
	put(1, frame_udp(1, 2, 1000, 54));
	put(1, frame_tcp(1, 2, 1000, 53));
	assert_int_equal(dropped(DROP_RULE), 5);
	assert_int_equal(sent(2), 2);
	says("ovs-ofctl dump-flows sw0",
	     "n_packets=5, n_bytes=300, priority=100,udp,tp_dst=53 actions=drop\n");
	says("ovs-ofctl dump-flows sw0", "n_packets=2, n_bytes=120, priority=0 actions=NORMAL\n");
}

static void counts_outlive_the_flows(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"priority=100,udp actions=output:p3\"");
	for (unsigned i = 0; i < 5; i++)
		put(1, frame_udp(1, 2, i, 9));
	net_second(30);
	assert_int_equal(flow_count(), 0);
	put(1, frame_udp(1, 2, 0, 9));
	says("ovs-ofctl dump-flows sw0",
	     "n_packets=6, n_bytes=360, priority=100,udp actions=output:p3\n");
}

static void a_rule_takes_effect_on_flows_that_are_cached(void **state)
{
	(void)state;
	make_switch();
	put(2, frame_udp(2, 1, 9, 9));
	put(1, frame_udp(1, 2, 9, 9));
	put(1, frame_udp(1, 2, 9, 9));
	sent(2);
	ok("ovs-ofctl add-flow sw0 \"ip,nw_src=10.0.0.1 actions=drop\"");
	put(1, frame_udp(1, 2, 9, 9));
	assert_int_equal(sent(2), 0);
	ok("ovs-ofctl del-flows sw0 ip,nw_src=10.0.0.1");
	put(1, frame_udp(1, 2, 9, 9));
	assert_int_equal(sent(2), 1);
}

static void the_highest_priority_decides_and_among_equals_the_first(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"priority=10,udp actions=output:2\"");
	ok("ovs-ofctl add-flow sw0 \"priority=10,ip actions=output:3\"");
	ok("ovs-ofctl add-flow sw0 \"priority=20,udp,tp_src=7 actions=output:4\"");
	put(1, frame_udp(1, 9, 1, 1));
	assert_int_equal(sent(2), 1);
	put(1, frame_udp(1, 9, 7, 1));
	assert_int_equal(sent(4), 1);
	put(1, frame_tcp(1, 9, 7, 1));
	assert_int_equal(sent(3), 1);
}

static void every_field_matches_what_it_names(void **state)
{
	static const struct {
		const char *match;
		bool udp, tagged, arp,
			udp6; /* which of four frames from host 1 to host 2 it takes */
	} t[] = {
		{ "in_port=1", true, true, true, true },
		{ "in_port=p2", false, false, false, false },
		{ "dl_vlan=100", false, true, false, false },
		{ "dl_vlan=0xffff", true, false, true, true },
		{ "dl_src=02:00:00:00:00:01", true, true, true, true },
		{ "dl_dst=02:00:00:00:00:02", true, true, false, true },
		{ "dl_type=0x0806", false, false, true, false },
		{ "ip", true, true, false, false },
		{ "arp", false, false, true, false },
		{ "ipv6", false, false, false, true },
		{ "udp6", false, false, false, true },
		{ "tcp", false, false, false, false },
		{ "ip,nw_proto=17", true, true, false, false },
		{ "ip,nw_dst=10.0.0.0/24", true, true, false, false },
		{ "ip,nw_dst=10.0.1.0/24", false, false, false, false },
		{ "ip,nw_src=0.0.0.0/0", true, true, false, false },
		{ "arp,arp_spa=10.0.0.1,arp_op=1", false, false, true, false },
		{ "ipv6,ipv6_src=fd00::/64", false, false, false, true },
		{ "ipv6,ipv6_dst=fd00::1", false, false, false, false },
		{ "udp,tp_src=1000", true, true, false, false },
		{ "udp,tp_dst=1000", false, false, false, false },
		{ "udp6,tp_dst=9", false, false, false, true },
	};
	char line[160];

	(void)state;
	make_switch();
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		unsigned got[4];

		snprintf(line, sizeof(line), "ovs-ofctl add-flow sw0 \"%s actions=output:4\"",
			 t[i].match);
		ok(line);
		sent(4);
		ok("ovs-ofctl del-flows sw0"); /* so that only this rule is there */
		ok(line);
		put(1, frame_udp(1, 2, 1000, 9));
		got[0] = sent(4);
		put(1, frame_tag(frame_udp(1, 2, 1000, 9), ETH_P_VLAN, 0x2064));
		got[1] = sent(4);
		put(1, frame_arp(1, 2));
		got[2] = sent(4);
		put(1, frame_udp6(1, 2, 1000, 9));
		got[3] = sent(4);
		if (got[0] != t[i].udp || got[1] != t[i].tagged || got[2] != t[i].arp ||
		    got[3] != t[i].udp6)
			fail_msg("%s took udp %u, tagged %u, arp %u, udp6 %u", t[i].match, got[0],
				 got[1], got[2], got[3]);
		/* what is printed reads back as the same rule: it replaces the one that is there */
		host_text_clear();
		host_exec("ovs-ofctl dump-flows sw0");
		snprintf(line, sizeof(line), "ovs-ofctl add-flow sw0 \"%s",
			 strstr(host_out, "priority="));
		strcpy(strchr(line, '\n'), "\"");
		ok(line);
		host_text_clear();
		host_exec("ovs-ofctl dump-flows sw0");
		assert_null(strchr(strchr(host_out, '\n') + 1, '\n'));
	}
}

static void actions_do_what_they_say(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"udp,tp_dst=1 actions=output:2,output:p3\"");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_dst=2 actions=flood\"");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_dst=3 actions=in_port\"");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_dst=4 actions=all,in_port\"");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_dst=5 actions=output:1\"");
	put(1, frame_udp(1, 9, 1, 1));
	assert_int_equal(sent(2) * 100 + sent(3) * 10 + sent(4), 110);
	put(1, frame_udp(1, 9, 1, 2));
	assert_int_equal(sent(2) * 100 + sent(3) * 10 + sent(4), 111);
	put(1, frame_udp(1, 9, 1, 3));
	assert_int_equal(sent(1), 1);
	put(1, frame_udp(1, 9, 1, 4));
	assert_int_equal(sent(1) + sent(2) + sent(3) + sent(4), 4);
	put(1, frame_udp(1, 9, 1, 5));
	assert_int_equal(dropped(DROP_SAME_PORT), 1);
	conserved();
}

static void errors_name_the_column(void **state)
{
	(void)state;
	make_switch();
	refused("ovs-ofctl add-flow sw0 \"priority=100,nw_srk=1 actions=drop\"",
		"col 38: expected a field");
	refused("ovs-ofctl add-flow sw0 \"ip,nw_src=10.0.0.300 actions=drop\"",
		"col 35: expected an IPv4 address");
	refused("ovs-ofctl add-flow sw0 \"ip,nw_src=10.0.0.0/33 actions=drop\"",
		"col 44: expected a prefix length, found '33'");
	refused("ovs-ofctl add-flow sw0 \"nw_src=10.0.0.1 actions=drop\"", "ip or arp beside it");
	refused("ovs-ofctl add-flow sw0 \"ip,tp_src=1 actions=drop\"", "tcp, udp");
	refused("ovs-ofctl add-flow sw0 \"ip actions=output:9\"",
		"col 43: expected a port of this switch, found '9'");
	refused("ovs-ofctl add-flow sw0 \"ip actions=jump\"", "output:PORT, drop, normal");
	refused("ovs-ofctl add-flow sw0 \"ip actions=drop,normal\"", "drop alone");
	refused("ovs-ofctl add-flow sw0 \"priority=65536 actions=drop\"", "65535");
	refused("ovs-ofctl add-flow sw0 \"dl_vlan=4096 actions=drop\"", "VLAN");
	refused("ovs-ofctl add-flow sw0 \"dl_src=02:00:00 actions=drop\"", "MAC");
	refused("ovs-ofctl add-flow sw0 \"in_port=nix actions=drop\"", "a port");
	refused("ovs-ofctl add-flow sw0 \"ip\"", "actions=");
	refused("ovs-ofctl add-flow sw0 ip actions=", "output:PORT");
	refused("ovs-ofctl add-flow sw0", "a rule");
	refused("ovs-ofctl add-flow sw1 \"ip actions=drop\"", "a switch");
	refused("ovs-ofctl mod-flows sw0", "add-flow, del-flows or dump-flows");
}

static void del_flows_takes_a_match_and_no_priority(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"priority=10,udp actions=drop\"");
	refused("ovs-ofctl del-flows sw0 priority=10",
		"col 25: expected a field to match, found 'priority=10'");
	refused("ovs-ofctl del-flows sw0 udp,priority=10", "col 29: expected a field to match");
	refused("ovs-ofctl del-flows sw0 udq", "expected a field to match, found");
	says("ovs-ofctl dump-flows sw0", "priority=10,udp actions=drop\n");
	says("ovs-ofctl dump-flows sw0", "priority=0 actions=NORMAL\n");
}

static void there_is_a_limit_and_it_says_so(void **state)
{
	char line[96];

	(void)state;
	make_switch();
	for (unsigned i = 1; i < RULES_MAX; i++) {
		snprintf(line, sizeof(line),
			 "ovs-ofctl add-flow sw0 \"udp,tp_src=%u actions=drop\"", i);
		ok(line);
	}
	refused("ovs-ofctl add-flow sw0 \"udp,tp_src=9999 actions=drop\"",
		"no more than 256 rules");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_src=7 actions=normal\""); /* replaces */
	ok("ovs-ofctl del-flows sw0 udp");
	ok("ovs-ofctl add-flow sw0 \"udp,tp_src=9999 actions=drop\"");
}

static void switches_are_made_and_unmade(void **state)
{
	(void)state;
	ok("ovs-vsctl add-br sw0");
	refused("ovs-vsctl add-br sw0", "already");
	refused("ovs-vsctl add-br p1", "port");
	refused("ovs-vsctl add-br", "a name");
	ok("ovs-vsctl add-br sw1");
	ok("ovs-vsctl add-port sw0 p1 p2");
	ok("ovs-vsctl add-port sw0 p1"); /* there already */
	refused("ovs-vsctl add-port sw1 p2", "in switch sw0");
	refused("ovs-vsctl add-port sw1 nix*", "expected a port");
	refused("ovs-vsctl del-port sw1 p2", "not in switch");
	says("ovs-vsctl list-ports sw0", "p1\np2\n");
	says("ovs-vsctl show", "Bridge sw0");
	put(1, frame_udp(1, 2, 1, 1));
	assert_int_equal(sent(2), 1);
	ok("ovs-vsctl del-port sw0 p2");
	put(1, frame_udp(1, 2, 1, 1));
	assert_int_equal(dropped(DROP_NO_OUTPUT), 1);
	ok("ovs-vsctl del-br sw0");
	put(1, frame_udp(1, 2, 1, 1));
	assert_int_equal(dropped(DROP_NO_SWITCH), 1);
	says("ovs-vsctl list-br", "sw1\n");
	says_not("ovs-vsctl list-br", "sw0");
}

static void a_port_that_a_rule_sends_to_stays_in_its_switch(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"udp actions=output:p3,output:p4\"");
	refused("ovs-vsctl del-port sw0 p4", "a rule of sw0 sends to p4");
	refused("ovs-vsctl del-port sw0 p*", "a rule of sw0 sends to p3");
	says("ovs-vsctl list-ports sw0", "p1\np2\np3\np4\n"); /* all or none */
	ok("ovs-vsctl del-port sw0 p1");
	ok("ovs-ofctl del-flows sw0 udp");
	ok("ovs-vsctl del-port sw0 p4");
	says("ovs-vsctl list-ports sw0", "p2\np3\n");
}

static void two_switches_do_not_mix(void **state)
{
	(void)state;
	ok("ovs-vsctl add-br sw0");
	ok("ovs-vsctl add-br sw1");
	ok("ovs-vsctl add-port sw0 p1 p2");
	ok("ovs-vsctl add-port sw1 p3 p4");
	put(1, frame_arp(1, 2));
	put(3, frame_arp(1, 2)); /* the same address on both */
	assert_int_equal(sent(2), 1);
	assert_int_equal(sent(4), 1);
	put(2, frame_udp(2, 1, 1, 1));
	put(4, frame_udp(2, 1, 1, 1));
	assert_int_equal(sent(1), 1);
	assert_int_equal(sent(3), 1);
	says("bridge fdb show br sw1", "02:00:00:00:00:01 dev p3 used 0 master sw1\n");
	says_not("bridge fdb show br sw1", "p1");
	ok("bridge fdb flush br sw1");
	says("bridge fdb", "dev p1");
	says_not("bridge fdb", "dev p3");
}

static void ip_link_shows_and_sets(void **state)
{
	(void)state;
	make_switch();
	says("ip link",
	     "1: p1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master sw0 state UP "
	     "mode DEFAULT "
	     "group default qlen 1000\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n");
	ok("ip link set p2 down");
	says("ip link show p2",
	     "<BROADCAST,MULTICAST> mtu 1500 qdisc noqueue master sw0 state DOWN");
	ok("ip link set dev p2 mtu 9000 promisc on address 02:aa:00:00:00:01 up");
	says("ip link show dev p2", "PROMISC,UP,LOWER_UP> mtu 9000");
	says("ip link show dev p2", "02:aa:00:00:00:01");
	fake[2].link = false;
	port_link_changed(&fake[2].port);
	says("ip link show p2", "<NO-CARRIER,BROADCAST,MULTICAST,PROMISC,UP>");
	put(1, frame_arp(1, 2));
	says("ip -s link show p1", "    RX:  bytes packets errors dropped  missed   mcast\n"
				   "            60       1      0       0       0       0\n");
	refused("ip link set p2 mtu 10", "number");
	refused("ip link set p2 address 03:00:00:00:00:01", "MAC");
	refused("ip link set p2 sideways", "up, down, mtu");
	refused("ip link set p2", "up, down, mtu");
	refused("ip link set p9 up", "a port");
	refused("ip frob", "link");
}

static void be_quiet(struct shell *sh, const char *s, size_t n)
{
	(void)sh;
	(void)s;
	(void)n;
}

static void a_port_that_a_failed_line_names_stays_down(void **state)
{
	static const char conf[] = "ovs-vsctl add-br sw0\n"
				   "ovs-vsctl add-port sw0 p1 p2 p3\n"
				   "ip link set p2 mtu banana\n"
				   "ip link set p* up\n";
	struct shell sh = { .write = be_quiet };

	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		port_set_up(&fake[i].port, false);
	assert_int_equal(config_run(&sh, "weir.conf", conf, sizeof(conf) - 1, port_hold), 1);
	assert_false(fake[2].port.up);
	assert_true(fake[1].port.up && fake[3].port.up && fake[4].port.up);
	ok("ip link set p2 up"); /* by hand it may */
	assert_true(fake[2].port.up);
}

static void hold(const char *word)
{
	port_hold(word);
	switch_hold(word);
}

static unsigned configure(const char *conf)
{
	struct shell sh = { .write = be_quiet };

	for (unsigned i = 1; i <= 4; i++) {
		port_set_up(&fake[i].port, false);
		fake[i].port.held = false;
	}
	return config_run(&sh, "weir.conf", conf, strlen(conf), hold);
}

/* which ports are up, as decimal digits from the first on */
static unsigned up_now(void)
{
	unsigned set = 0;

	for (unsigned i = 1; i <= 4; i++)
		set = 10 * set + fake[i].port.up;
	return set;
}

static void the_ports_of_a_switch_that_a_failed_line_names_stay_down(void **state)
{
	(void)state;
	assert_int_equal(configure("ovs-vsctl add-br sw1\n"
				   "ovs-vsctl add-port sw1 p1 p2\n"
				   "ip link set p1 up\n"
				   "ovs-ofctl add-flow sw1 \"nw_src=10.0.0.1 actions=drop\"\n"
				   "ovs-vsctl add-port sw1 p3\n"
				   "ip link set p* up\n"),
			 1);
	assert_int_equal(up_now(), 1);
	ok("ip link set p* up"); /* by hand they may */
	assert_int_equal(up_now(), 1111);
	ok("ovs-vsctl del-port sw1 p3");
	ok("ovs-vsctl add-port sw1 p3");
	assert_int_equal(up_now(), 1111);
}

static void also_those_of_a_switch_that_a_later_line_makes(void **state)
{
	(void)state;
	assert_int_equal(configure("ovs-ofctl add-flow sw2 \"udp actions=drop\"\n"
				   "ovs-vsctl add-br sw2\n"
				   "ovs-vsctl add-br sw3\n"
				   "ovs-vsctl add-port sw2 p1\n"
				   "ovs-vsctl add-port sw3 p2\n"
				   "ip link set p* up\n"),
			 1);
	assert_int_equal(up_now(), 111);
}

static void more_failed_words_than_are_kept_hold_every_switch(void **state)
{
	char conf[2000];
	int n = 0;

	(void)state;
	for (unsigned i = 0; i < 70; i++)
		n += snprintf(conf + n, sizeof(conf) - n, "wrong%u\n", i);
	snprintf(conf + n, sizeof(conf) - n,
		 "ovs-vsctl add-br sw4\novs-vsctl add-port sw4 p2\nip link set p* up\n");
	assert_int_equal(configure(conf), 70);
	assert_int_equal(up_now(), 1011);
}

static uint64_t collisions_only(struct port *port, const char *name)
{
	(void)port;
	return strcmp(name, "collisions") ? 0 : 7;
}

static void collisions_are_shown(void **state)
{
	struct port_ops ops = *fake[1].port.ops;

	(void)state;
	ops.stat = collisions_only;
	fake[1].port.ops = &ops;
	says("ip -s link show p1", "    TX:  bytes packets errors dropped carrier collsns\n"
				   "             0       0      0       0       0       7\n");
	fake[1].port.ops = fake[2].port.ops;
}

static void ports_and_drops_add_up(void **state)
{
	(void)state;
	make_switch();
	put(1, frame_arp(1, 2));
	put(1, frame_raw("x", 1));
	says("ports", "conservation: ok\n");
	says("drops", "parse_eth                 1  shorter than an Ethernet header [p1 1]\n");
	says("drops", "total                     1\n");
	fake[1].port.cpu[0].in++;
	host_text_clear();
	assert_int_not_equal(host_exec("ports"), 0);
	assert_non_null(strstr(host_out, "conservation: VIOLATED at ingress of p1 on core 0\n"));
	fake[1].port.cpu[0].in--;
}

static void dpctl_shows_flows_as_ovs_does(void **state)
{
	(void)state;
	make_switch();
	put(2, frame_udp(2, 1, 9, 1000));
	put(1, frame_udp(1, 2, 1000, 9));
	put(1, frame_udp(1, 2, 1000, 9));
	net_second(2);
	says("ovs-dpctl dump-flows",
	     "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
	     "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,frag=no),"
	     "udp(src=1000,dst=9), packets:2, bytes:120, used:2.000s, actions:2\n");
	says("ovs-dpctl show", "lookups: hit:1 missed:2 lost:0\n  flows: 1\n");
}

static void show_config_would_rebuild_it(void **state)
{
	(void)state;
	make_switch();
	ok("ovs-ofctl add-flow sw0 \"priority=7,udp,nw_src=10.0.0.0/8,tp_dst=53 "
	   "actions=output:p3,output:p4\"");
	ok("ip link set p2 mtu 9000");
	ok("ip link set p3 down");
	says("show config", "ip link set p2 mtu 9000\n"
			    "ovs-vsctl add-br sw0\n"
			    "ovs-vsctl add-port sw0 p1\n"
			    "ovs-vsctl add-port sw0 p2\n"
			    "ovs-vsctl add-port sw0 p3\n"
			    "ovs-vsctl add-port sw0 p4\n"
			    "ovs-ofctl del-flows sw0\n"
			    "ovs-ofctl add-flow sw0 \"priority=7,udp,nw_src=10.0.0.0/8,tp_dst=53 "
			    "actions=output:p3,output:p4\"\n"
			    "ovs-ofctl add-flow sw0 \"priority=0 actions=NORMAL\"\n"
			    "ip link set p1 up\n"
			    "ip link set p2 up\n"
			    "ip link set p4 up\n");
}

/* every field that goes together, as wide as it prints, and as many actions as there may be */
static void the_longest_rule_is_shown_whole(void **state)
{
	char line[SHELL_LINE_MAX], shown[HOST_TEXT];
	int n;

	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		memcpy(fake[i].port.name, (char[]){ 'n', 'i', 'c', '0' + i, 0 }, 5);
	ok("ovs-vsctl add-br fifteen-letters");
	ok("ovs-vsctl add-port fifteen-letters nic*");
	n = snprintf(line, sizeof(line),
		     "ovs-ofctl add-flow fifteen-letters \"priority=65535,in_port=1,dl_vlan=0xffff,"
		     "dl_src=02:11:22:33:44:55,dl_dst=02:11:22:33:44:66,tcp6,"
		     "ipv6_src=fd11:1111:1111:1111:1111:1111:1111:1112/127,"
		     "ipv6_dst=fd11:1111:1111:1111:1111:1111:1111:1114/127,"
		     "tp_src=65535,tp_dst=65534 actions=output:2");
	for (unsigned i = 1; i < RULE_ACTIONS_MAX; i++)
		n += snprintf(line + n, sizeof(line) - n, ",output:%u", 3 + i % 2);
	snprintf(line + n, sizeof(line) - n, "\"");
	ok(line);
	says("ovs-ofctl dump-flows fifteen-letters", "output:nic3,output:nic4\n");
	says("show config", "ovs-ofctl add-flow fifteen-letters \"priority=65535,tcp6,");
	strcpy(shown, host_out);
	ok("ovs-vsctl del-br fifteen-letters");
	assert_int_equal(configure(shown), 0); /* all of it is a config again */
	says("show config", shown);
}

/*
 * whatever stands there, the parser says yes or says what it expected, and
 * reads nothing behind its end
 */
static void random_rules_are_taken_or_refused(void **state)
{
	static const char *const piece[] = {
		"ip",        "udp",       ",",        " ",        "nw_src=", "10.0.0.1", "/",
		"33",        "tp_dst=",   "=",        "actions=", "output:", "2",        "drop",
		"normal",    "ipv6_src=", "::",       "fd00",     "dl_src=", "02:00",    ":",
		"priority=", "0x",        "in_port=", "p1",       "dl_vlan="
	};
	char line[400];

	(void)state;
	make_switch();
	srand(5);
	for (unsigned i = 0; i < 20000; i++) {
		int n = snprintf(line, sizeof(line), "ovs-ofctl add-flow sw0 \"");

		for (unsigned k = rand() % 12; k; k--)
			n += snprintf(line + n, sizeof(line) - n, "%s",
				      piece[rand() % ARRAY_SIZE(piece)]);
		snprintf(line + n, sizeof(line) - n, "\"");
		host_text_clear();
		if (host_exec(line) && !host_out[0])
			fail_msg("refused without a word: %s", line);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_switch_has_one_rule),
		TEST(a_rule_drops_and_counts),
		TEST(counts_outlive_the_flows),
		TEST(a_rule_takes_effect_on_flows_that_are_cached),
		TEST(the_highest_priority_decides_and_among_equals_the_first),
		TEST(every_field_matches_what_it_names),
		TEST(actions_do_what_they_say),
		TEST(errors_name_the_column),
		TEST(del_flows_takes_a_match_and_no_priority),
		TEST(there_is_a_limit_and_it_says_so),
		TEST(switches_are_made_and_unmade),
		TEST(a_port_that_a_rule_sends_to_stays_in_its_switch),
		TEST(two_switches_do_not_mix),
		TEST(ip_link_shows_and_sets),
		TEST(a_port_that_a_failed_line_names_stays_down),
		TEST(the_ports_of_a_switch_that_a_failed_line_names_stay_down),
		TEST(also_those_of_a_switch_that_a_later_line_makes),
		TEST(collisions_are_shown),
		TEST(ports_and_drops_add_up),
		TEST(dpctl_shows_flows_as_ovs_does),
		TEST(show_config_would_rebuild_it),
		TEST(the_longest_rule_is_shown_whole),
		TEST(more_failed_words_than_are_kept_hold_every_switch), /* from then on: the
									    last */
		TEST(random_rules_are_taken_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
