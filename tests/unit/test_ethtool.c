/* SPDX-License-Identifier: MIT */
/* links: drivers/ethtool.c drivers/ethtool_coalesce.c drivers/ethtool_rings.c drivers/ethtool_show.c drivers/netdev.c tests/unit/host.c */
/*
 * test_ethtool.c - the shell's ethtool: what it prints, line by line as ethtool 6.1 does, and what it refuses
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/shell.h"
#include "drivers/ethtool.h"

static unsigned usecs, restarts;

static unsigned get_stats(struct netdev *dev, struct ethtool_stat *s, unsigned max)
{
	(void)dev;
	if (max >= 2) {
		s[0] = (struct ethtool_stat){ "rx_packets", 12 };
		s[1] = (struct ethtool_stat){ "tx_queue_0_bytes", UINT64_C(1) << 40 };
	}
	return 2;
}

static unsigned get_coalesce(struct netdev *dev)
{
	(void)dev;
	return usecs;
}

static int set_coalesce(struct netdev *dev, unsigned us)
{
	(void)dev;
	if (us > 8191)
		return -EINVAL;
	usecs = us;
	return 0;
}

static int nway_reset(struct netdev *dev)
{
	restarts++;
	return dev->up ? 0 : -ENETDOWN;
}

static const struct ethtool_ops ops = {
	.driver = "igb",
	.version = "weir",
	.get_stats = get_stats,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.nway_reset = nway_reset,
};

static struct netdev nic = {
	.ethtool = &ops,
	.bus_info = "0000:01:00.0",
	.nqueues = 2,
	.max_queues = 8,
	.rx_ring_size = 256,
	.tx_ring_size = 256,
};

static int start(void **state)
{
	(void)state;
	host_cores(1);
	nnetdevs = 0;
	usecs = restarts = 0;
	nic.link = nic.up = false;
	return netdev_register(&nic);
}

/* type() - a line as the shell hands it over; returns what the command returned, its output is in host_out */
static int type(const char *line)
{
	static char text[128];
	struct word w[8];
	struct shell sh = { .word = w };
	int n = 0;

	host_text_clear();
	snprintf(text, sizeof(text), "%s", line);
	for (char *s = strtok(text, " "); s && n < 8; s = strtok(NULL, " "))
		w[n++] = (struct word){ .s = s, .col = s - text + 1 };
	sh.nwords = n;
	set_for_each(c, commands)
		if (!strcmp(c->name, w[0].s))
			return c->run(&sh, n, w);
	fail_msg("no command %s", w[0].s);
	return 0;
}

static void prints(const char *line, const char *want)
{
	assert_int_equal(type(line), 0);
	assert_string_equal(host_out, want);
}

static void prints_the_driver(void **state)
{
	(void)state;
	prints("ethtool -i nic0",
	       "driver: igb\nversion: weir\nfirmware-version: \nexpansion-rom-version: \n"
	       "bus-info: 0000:01:00.0\nsupports-statistics: yes\nsupports-test: no\n"
	       "supports-eeprom-access: no\nsupports-register-dump: no\n"
	       "supports-priv-flags: no\n");
}

static void prints_statistics(void **state)
{
	(void)state;
	prints("ethtool -S nic0",
	       "NIC statistics:\n     rx_packets: 12\n     tx_queue_0_bytes: 1099511627776\n");
	prints("ethtool --statistics nic0",
	       "NIC statistics:\n     rx_packets: 12\n     tx_queue_0_bytes: 1099511627776\n");
}

static void prints_channels(void **state)
{
	(void)state;
	prints("ethtool -l nic0",
	       "Channel parameters for nic0:\nPre-set maximums:\nRX:\t\tn/a\nTX:\t\tn/a\n"
	       "Other:\t\t1\nCombined:\t8\nCurrent hardware settings:\nRX:\t\tn/a\n"
	       "TX:\t\tn/a\nOther:\t\t1\nCombined:\t2\n");
}

static void prints_link_and_speed(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool nic0"), 0);
	assert_non_null(strstr(host_out, "Settings for nic0:\n\tSupported ports: [ TP ]\n"));
	assert_non_null(strstr(host_out, "\tSpeed: Unknown!\n"));
	assert_non_null(strstr(host_out, "\tLink detected: no\n"));
	nic.link = nic.full_duplex = true;
	nic.speed = 1000;
	assert_int_equal(type("ethtool nic0"), 0);
	assert_non_null(strstr(host_out, "\tSpeed: 1000Mb/s\n\tDuplex: Full\n"));
	assert_non_null(strstr(host_out, "\tLink detected: yes\n"));
	nic.full_duplex = false;
	nic.speed = 100;
	assert_int_equal(type("ethtool nic0"), 0);
	assert_non_null(strstr(host_out, "\tSpeed: 100Mb/s\n\tDuplex: Half\n"));
}

static void sets_and_prints_the_throttle(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool -C nic0 rx-usecs 250"), 0);
	assert_int_equal(usecs, 250);
	assert_int_equal(type("ethtool -c nic0"), 0);
	assert_non_null(
		strstr(host_out, "Coalesce parameters for nic0:\nAdaptive RX: n/a  TX: n/a\n"));
	assert_non_null(strstr(host_out, "\nrx-usecs:\t250\nrx-frames:\tn/a\n"));
	assert_int_equal(type("ethtool -C nic0 rx-usecs 9000"), -EINVAL); /* the device says no */
	assert_int_equal(type("ethtool -C nic0 rx-usecs many"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 tx-usecs 3"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 rx-usecs"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 rx-usecs 3 4"), -EINVAL);
	assert_int_equal(usecs, 250);
}

static void shows_the_throttle_in_the_config(void **state)
{
	struct shell sh = { 0 };

	(void)state;
	set_for_each(c, configs)
		c->print(&sh);
	assert_string_equal(host_out, "");
	usecs = 99;
	set_for_each(c, configs)
		c->print(&sh);
	assert_string_equal(host_out, "ethtool -C nic0 rx-usecs 99\n");
}

static void restarts_negotiation_of_a_nic_that_is_up(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool -r nic0"), -ENETDOWN);
	assert_non_null(strstr(host_out, "nic0 is down"));
	nic.up = true;
	prints("ethtool -r nic0", "");
	assert_int_equal(restarts, 2);
}

static void says_what_it_expected(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool"), -EINVAL);
	assert_non_null(strstr(host_out, "expected a NIC's name"));
	assert_int_equal(type("ethtool nic1"), -EINVAL);
	assert_non_null(strstr(host_out, "found 'nic1'"));
	assert_int_equal(type("ethtool -x nic0"), -EINVAL);
	assert_non_null(strstr(host_out, "found '-x'"));
	assert_int_equal(type("ethtool -S nic0 more"), -EINVAL);
	assert_non_null(strstr(host_out, "found 'more'"));
}

static void lists_every_option_with_its_words(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool -h"), 0);
	set_for_each(o, ethtool_options) {
		char line[128];

		snprintf(line, sizeof(line), "        ethtool %s|%s DEV%s%s\n", o->option,
			 o->longer, o->more ? " " : "", o->more ? o->more : "");
		if (!strstr(host_out, line))
			fail_msg("expected '%s' in '%s'", line, host_out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prints_the_driver, start),
		cmocka_unit_test_setup(prints_statistics, start),
		cmocka_unit_test_setup(prints_channels, start),
		cmocka_unit_test_setup(prints_link_and_speed, start),
		cmocka_unit_test_setup(sets_and_prints_the_throttle, start),
		cmocka_unit_test_setup(shows_the_throttle_in_the_config, start),
		cmocka_unit_test_setup(restarts_negotiation_of_a_nic_that_is_up, start),
		cmocka_unit_test_setup(says_what_it_expected, start),
		cmocka_unit_test_setup(lists_every_option_with_its_words, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
