/* SPDX-License-Identifier: MIT */
/* links: drivers/ethtool.c drivers/ethtool_coalesce.c drivers/ethtool_features.c drivers/ethtool_pause.c drivers/ethtool_nfc.c drivers/ethtool_rings.c drivers/ethtool_rss.c drivers/ethtool_show.c drivers/netdev.c kernel/toeplitz.c kernel/words.c tests/unit/host.c */
/*
 * test_ethtool.c - the shell's ethtool: what it prints, line by line as ethtool 6.1
 * does, and what it refuses
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

static struct ethtool_throttle throttle;

static void get_throttle(struct netdev *dev, struct ethtool_throttle *t)
{
	(void)dev;
	*t = throttle;
}

static struct ethtool_pause pause, agreed;

static void get_pause(struct netdev *dev, struct ethtool_pause *wanted,
		      struct ethtool_pause *in_force)
{
	(void)dev;
	*wanted = pause;
	*in_force = agreed;
}

static int set_pause(struct netdev *dev, const struct ethtool_pause *p)
{
	(void)dev;
	pause = *p;
	return p->tx && p->autoneg ? -EIO : 0;
}

static int nway_reset(struct netdev *dev)
{
	restarts++;
	return dev->up ? 0 : -ENETDOWN;
}

static int set_channels(struct netdev *dev, unsigned combined)
{
	if (combined == 7)
		return -ENOSPC;
	dev->nqueues = combined;
	return 0;
}

static int set_ringparam(struct netdev *dev, unsigned rx, unsigned tx)
{
	if (rx == 4096)
		return -ENOMEM;
	dev->rx_ring_size = rx;
	dev->tx_ring_size = tx;
	return 0;
}

static int set_rss(struct netdev *dev, const struct netdev_rss *want)
{
	dev->rss = *want;
	return 0;
}

static const char *const flag_names[] = { "no-msix", "no-msi", NULL };
static uint32_t flags;

static uint32_t get_priv_flags(struct netdev *dev)
{
	(void)dev;
	return flags;
}

static int set_priv_flags(struct netdev *dev, uint32_t f)
{
	(void)dev;
	flags = f;
	return 0;
}

static const struct ethtool_ops ops = {
	.get_stats = get_stats,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.get_throttle = get_throttle,
	.get_pause = get_pause,
	.set_pause = set_pause,
	.nway_reset = nway_reset,
	.set_channels = set_channels,
	.set_ringparam = set_ringparam,
	.set_rss = set_rss,
	.get_priv_flags = get_priv_flags,
	.set_priv_flags = set_priv_flags,
};

static unsigned told; /* the room above, of features */

static void features_changed(struct netdev *dev)
{
	(void)dev;
	told++;
}

static struct netdev nic = {
	.driver = "igb",
	.priv_flags = flag_names,
	.ethtool = &ops,
	.features_changed = features_changed,
	.hw_features = NETDEV_RX_CSUM | NETDEV_RX_VLAN | NETDEV_RX_HASH | NETDEV_TX_CSUM |
		       NETDEV_TX_VLAN | NETDEV_TSO4 | NETDEV_TSO6 | NETDEV_GRO,
	.default_features = NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6,
	.bus_info = "0000:01:00.0",
	.nqueues = 2,
	.max_queues = 8,
	.rx_ring_size = 256,
	.tx_ring_size = 256,
	.ring_min = 64,
	.ring_max = 4096,
	.rss_udp_ports = true,
};

static int start(void **state)
{
	(void)state;
	host_cores(2);
	nic.nqueues = 2;
	nic.rx_ring_size = nic.tx_ring_size = 256;
	nic.rss = (struct netdev_rss){ .udp4_ports = true, .udp6_ports = true };
	memcpy(nic.rss.key, toeplitz_symmetric_key, sizeof(nic.rss.key));
	for (unsigned i = 0; i < RSS_TABLE; i++)
		nic.rss.table[i] = i % 2;
	flags = 0;
	nnetdevs = 0;
	usecs = restarts = 0;
	nic.link = nic.up = false;
	nic.wanted_features = nic.default_features;
	nic.needed_features = 0;
	nic.features = nic.default_features | NETDEV_GSO;
	told = 0;
	return netdev_register(&nic);
}

/*
 * type() - a line as the shell hands it over; returns what the command returned,
 * its output is in host_out
 */
static int type(const char *line)
{
	static char text[256];
	struct word w[12];
	struct shell sh = { .word = w };
	int n = 0;

	host_text_clear();
	snprintf(text, sizeof(text), "%s", line);
	for (char *s = strtok(text, " "); s && n < 12; s = strtok(NULL, " "))
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
	       "supports-priv-flags: yes\n");
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
		strstr(host_out, "Coalesce parameters for nic0:\nAdaptive RX: off  TX: n/a\n"));
	assert_non_null(strstr(host_out, "\nrx-usecs:\t250\nrx-frames:\tn/a\n"));
	assert_int_equal(type("ethtool -C nic0 rx-usecs 9000"), -EINVAL); /* the device says no */
	assert_int_equal(type("ethtool -C nic0 rx-usecs many"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 tx-usecs 3"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 rx-usecs"), -EINVAL);
	assert_int_equal(type("ethtool -C nic0 rx-usecs 3 4"), -EINVAL);
	assert_int_equal(usecs, 250);
}

static void shows_what_the_throttle_comes_to(void **state)
{
	struct shell sh = { 0 };

	(void)state;
	usecs = 100;
	throttle = (struct ethtool_throttle){
		.nominal_ps = 1000000, .unit_ps = 4096000, .count = 24, .measured = true
	};
	set_for_each(f, procfiles)
		if (!strcmp(f->path, "/sys/class/net/*/throttle"))
			assert_int_equal(f->show(&sh, "nic0"), 0);
	assert_string_equal(host_out, "asked: 100 us\nregister: 24\n"
				      "unit by the datasheet: 1.000 us\nunit: 4.096 us\n"
				      "shortest: 0.000 us\nreal: 98.304 us\n");
	host_text_clear();
	throttle = (struct ethtool_throttle){
		.nominal_ps = 256000, .unit_ps = 256000, .floor_ns = 128000, .measured = true
	};
	set_for_each(f, procfiles)
		if (!strcmp(f->path, "/sys/class/net/*/throttle"))
			f->show(&sh, "nic0");
	assert_non_null(strstr(host_out, "shortest: 128.000 us\nreal: 128.000 us\n"));
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

static void prints_features(void **state)
{
	(void)state;
	prints("ethtool -k nic0",
	       "Features for nic0:\nrx-checksumming: off\ntx-checksumming: on\n"
	       "\ttx-checksum-ipv4: on\n\ttx-checksum-ip-generic: off [fixed]\n"
	       "\ttx-checksum-ipv6: on\n\ttx-checksum-fcoe-crc: off [fixed]\n"
	       "\ttx-checksum-sctp: off [fixed]\nscatter-gather: on\n"
	       "\ttx-scatter-gather: on [fixed]\n\ttx-scatter-gather-fraglist: on [fixed]\n"
	       "tcp-segmentation-offload: on\n\ttx-tcp-segmentation: on\n"
	       "\ttx-tcp-ecn-segmentation: off [fixed]\n"
	       "\ttx-tcp-mangleid-segmentation: off [fixed]\n\ttx-tcp6-segmentation: on\n"
	       "generic-segmentation-offload: on [fixed]\ngeneric-receive-offload: off\n"
	       "large-receive-offload: off [fixed]\nrx-vlan-offload: off\n"
	       "tx-vlan-offload: off\nntuple-filters: off [fixed]\nreceive-hashing: off\n"
	       "highdma: on [fixed]\nrx-vlan-filter: off [fixed]\n"
	       "vlan-challenged: off [fixed]\ntx-udp-segmentation: off [fixed]\n"
	       "rx-udp-gro-forwarding: off [fixed]\n");
	nic.features |= NETDEV_RX_HASH; /* which the room above needs */
	assert_int_equal(type("ethtool -k nic0"), 0);
	assert_non_null(strstr(host_out, "\nreceive-hashing: on [requested off]\n"));
}

static void switches_features(void **state)
{
	(void)state;
	prints("ethtool -K nic0 rx on gro on", "");
	assert_true(nic.features & NETDEV_RX_CSUM && nic.features & NETDEV_GRO);
	assert_int_equal(told, 1);
	prints("ethtool -K nic0 rx on", "");
	assert_int_equal(told, 1);
	prints("ethtool -K nic0 tx-tcp6-segmentation off", "");
	assert_int_equal(nic.features & (NETDEV_TSO4 | NETDEV_TSO6), NETDEV_TSO4);
	/* one thing brings another along, and Linux's ethtool says so */
	prints("ethtool -K nic0 rxvlan on", "Actual changes:\nrx-vlan-hw-parse: on\n"
					    "tx-vlan-hw-insert: on [not requested]\n");
	prints("ethtool -K nic0 tx off",
	       "Actual changes:\ntx-checksum-ipv4: off\ntx-checksum-ipv6: off\n"
	       "tx-tcp-segmentation: off [not requested]\n");
	prints("ethtool -K nic0 txvlan on rxvlan off", "Actual changes:\nrx-vlan-hw-parse: off\n"
						       "tx-vlan-hw-insert: off [requested on]\n");
	nic.needed_features = NETDEV_RX_HASH;
	prints("ethtool -K nic0 rxhash off", "Actual changes:\nrx-hashing: on [requested off]\n");
}

static void refuses_features_that_are_fixed(void **state)
{
	(void)state;
	assert_int_equal(type("ethtool -K nic0 lro on"), -EOPNOTSUPP);
	assert_non_null(strstr(host_out, "large-receive-offload of nic0 is fixed"));
	assert_int_equal(type("ethtool -K nic0 gso off"), -EOPNOTSUPP);
	prints("ethtool -K nic0 sg on lro off", ""); /* as it is */
	assert_int_equal(type("ethtool -K nic0"), -EINVAL);
	assert_int_equal(type("ethtool -K nic0 rx"), -EINVAL);
	assert_non_null(strstr(host_out, "expected on or off"));
	assert_int_equal(type("ethtool -K nic0 rx on tx maybe"), -EINVAL);
	assert_int_equal(type("ethtool -K nic0 rxx on"), -EINVAL);
	assert_non_null(strstr(host_out, "expected a feature"));
	assert_int_equal(told, 0);
}

static void shows_features_in_the_config(void **state)
{
	struct shell sh = { 0 };

	(void)state;
	usecs = 0;
	assert_int_equal(type("ethtool -K nic0 rx on tso off tx off"), 0);
	host_text_clear();
	set_for_each(c, configs)
		c->print(&sh);
	assert_string_equal(host_out, "ethtool -K nic0 rx on\nethtool -K nic0 tx off\n"
				      "ethtool -K nic0 tx-tcp-segmentation off\n"
				      "ethtool -K nic0 tx-tcp6-segmentation off\n");
}

static void sets_and_prints_rings(void **state)
{
	(void)state;
	prints("ethtool -G nic0 tx 64 rx 1024", "");
	prints("ethtool -g nic0",
	       "Ring parameters for nic0:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\tn/a\n"
	       "RX Jumbo:\tn/a\nTX:\t\t4096\nCurrent hardware settings:\nRX:\t\t1024\n"
	       "RX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t64\nRX Buf Len:\t\t2048\n"
	       "CQE Size:\t\tn/a\nTX Push:\toff\nTCP data split:\tn/a\n");
	assert_int_equal(type("ethtool -G nic0 rx 4096"), -ENOMEM);
	assert_int_equal(type("ethtool -G nic0 rx 32"), -EINVAL);
	assert_int_equal(type("ethtool -G nic0 rx 96"), -EINVAL);
	assert_int_equal(type("ethtool -G nic0 rx 64x"), -EINVAL);
	assert_int_equal(type("ethtool -G nic0 rx"), -EINVAL);
	assert_int_equal(type("ethtool -G nic0 mini 64"), -EINVAL);
	assert_int_equal(nic.rx_ring_size, 1024);
}

static void sets_channels_that_the_table_allows(void **state)
{
	(void)state;
	prints("ethtool -L nic0 combined 4", "");
	assert_int_equal(nic.nqueues, 4);
	assert_int_equal(type("ethtool -L nic0 combined 7"), -ENOSPC);
	assert_non_null(strstr(host_out, "not so many interrupts"));
	assert_int_equal(type("ethtool -L nic0 combined 9"), -EINVAL);
	assert_int_equal(type("ethtool -L nic0 combined 0"), -EINVAL);
	assert_int_equal(type("ethtool -L nic0 rx 2"), -EINVAL);
	prints("ethtool -X nic0 equal 3", "");
	assert_int_equal(type("ethtool -L nic0 combined 2"), -EINVAL);
	assert_non_null(strstr(host_out, "flows to queue 2"));
	prints("ethtool -X nic0 default", "");
	prints("ethtool -L nic0 combined 2", "");
}

static void entries(unsigned q0, unsigned q1, unsigned q2)
{
	unsigned n[NETDEV_MAX_QUEUES] = { 0 };

	for (unsigned i = 0; i < RSS_TABLE; i++)
		n[nic.rss.table[i]]++;
	assert_int_equal(n[0], q0);
	assert_int_equal(n[1], q1);
	assert_int_equal(n[2], q2);
}

static void spreads_as_it_is_told(void **state)
{
	(void)state;
	nic.nqueues = 3;
	prints("ethtool -X nic0 equal 2", "");
	entries(64, 64, 0);
	assert_true(nic.rss.table_set);
	prints("ethtool -X nic0 weight 1 2 5", "");
	entries(16, 32, 80);
	prints("ethtool -X nic0 weight 0 1", "");
	entries(0, 128, 0);
	prints("ethtool -X nic0 weight 1 1 1", "");
	entries(43, 43, 42);
	prints("ethtool -X nic0 default", "");
	entries(43, 43, 42);
	assert_false(nic.rss.table_set);
	assert_int_equal(type("ethtool -X nic0 weight 1 1 1 1"), -EINVAL);
	assert_non_null(strstr(host_out, "nic0 has 3 queues"));
	assert_int_equal(type("ethtool -X nic0 weight 0 0"), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 weight 128 1"), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 weight"), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 equal 4"), -EINVAL);
}

#define KEY_HEAD "01:23:45:67:89:ab:cd:ef:FE:DC:00:00:00:00:00:00:00:00:00:00:"
#define KEY_TAIL "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:7f"

static void takes_a_key_byte_by_byte(void **state)
{
	(void)state;
	prints("ethtool -X nic0 hkey " KEY_HEAD KEY_TAIL, "");
	assert_int_equal(nic.rss.key[0], 0x01);
	assert_int_equal(nic.rss.key[8], 0xfe);
	assert_int_equal(nic.rss.key[39], 0x7f);
	assert_int_equal(type("ethtool -X nic0 hkey " KEY_HEAD KEY_TAIL ":00"), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 hkey " KEY_HEAD), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 hkey 0x:00"), -EINVAL);
	assert_int_equal(type("ethtool -X nic0 hkey"), -EINVAL);
	assert_int_equal(nic.rss.key[39], 0x7f);
	assert_int_equal(type("ethtool -x nic0"), 0);
	assert_non_null(strstr(host_out,
			       "RX flow hash indirection table for nic0 with 2 RX ring(s):\n"
			       "    0:      0     1     0     1     0     1     0     1\n"
			       "    8:      0     1 "));
	assert_non_null(strstr(host_out, "  120:      0     1     0     1     0     1     0     1\n"
					 "RSS hash key:\n01:23:45:67:89:ab:cd:ef:fe:dc:00:"));
	assert_non_null(strstr(host_out, ":7f\nRSS hash function:\n    toeplitz: on\n"
					 "    xor: off\n    crc32: off\n"));
}

static void says_and_changes_what_is_hashed(void **state)
{
	(void)state;
	prints("ethtool -n nic0", "2 RX rings available\nTotal 0 rules\n\n");
	prints("ethtool -n nic0 rx-flow-hash udp4",
	       "UDP over IPV4 flows use these fields for computing Hash flow key:\nIP SA\nIP DA\n"
	       "L4 bytes 0 & 1 [TCP/UDP src port]\nL4 bytes 2 & 3 [TCP/UDP dst port]\n\n");
	prints("ethtool -N nic0 rx-flow-hash udp4 sd", "");
	prints("ethtool -n nic0 rx-flow-hash udp4", "UDP over IPV4 flows use these fields for "
						    "computing Hash flow key:\nIP SA\nIP DA\n\n");
	assert_false(nic.rss.udp4_ports);
	assert_true(nic.rss.udp6_ports);
	prints("ethtool -N nic0 rx-flow-hash tcp6 sdfn", ""); /* so it is */
	assert_int_equal(type("ethtool -N nic0 rx-flow-hash tcp6 sd"), -EOPNOTSUPP);
	assert_int_equal(type("ethtool -N nic0 rx-flow-hash sctp4 sdfn"), -EOPNOTSUPP);
	nic.rss_udp_ports = false;
	assert_int_equal(type("ethtool -N nic0 rx-flow-hash udp6 sd"), -EOPNOTSUPP);
	nic.rss_udp_ports = true;
	assert_int_equal(type("ethtool -N nic0 rx-flow-hash udp4 m"), -EINVAL);
	assert_int_equal(type("ethtool -N nic0 flow-type udp4"), -EINVAL);
}

static void prints_and_sets_private_flags(void **state)
{
	(void)state;
	prints("ethtool --set-priv-flags nic0 no-msi on no-msix on", "");
	prints("ethtool --show-priv-flags nic0",
	       "Private flags for nic0:\nno-msix: on\nno-msi : on\n");
	prints("ethtool --set-priv-flags nic0 no-msix off", "");
	assert_int_equal(flags, 2);
	assert_int_equal(type("ethtool --set-priv-flags nic0 msi on"), -EINVAL);
	assert_int_equal(type("ethtool --set-priv-flags nic0 no-msi"), -EINVAL);
}

/* each line of what it says, typed again, leaves all as it is */
static void config_rebuilds_rings_queues_and_spreading(void **state)
{
	static const char *const lines[] = {
		"ethtool --set-priv-flags nic0 no-msi on",
		"ethtool -L nic0 combined 4",
		"ethtool -G nic0 rx 512 tx 128",
		"ethtool -X nic0 weight 16 32 80",
		"ethtool -X nic0 hkey "
		"01:23:45:67:89:ab:cd:ef:fe:dc:00:00:00:00:00:00:00:00:00:00:" KEY_TAIL,
		"ethtool -N nic0 rx-flow-hash udp6 sd",
	};
	struct shell sh = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(type(lines[i]), 0);
	host_text_clear();
	set_for_each(c, configs)
		c->print(&sh);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strstr(host_out, lines[i]))
			fail_msg("expected '%s' in '%s'", lines[i], host_out);
}

static void prints_and_switches_pause_frames(void **state)
{
	struct shell sh = { 0 };

	(void)state;
	pause = agreed = (struct ethtool_pause){ 0 };
	prints("ethtool -a nic0", "Pause parameters for "
				  "nic0:\nAutonegotiate:\toff\nRX:\t\toff\nTX:\t\toff\n\n");
	prints("ethtool -A nic0 rx on autoneg on", "");
	agreed.tx = true;
	prints("ethtool -a nic0",
	       "Pause parameters for nic0:\nAutonegotiate:\ton\nRX:\t\ton\nTX:\t\toff\n"
	       "RX negotiated: off\nTX negotiated: on\n\n");
	assert_int_equal(type("ethtool nic0"), 0);
	assert_non_null(strstr(host_out, "\tAdvertised pause frame use: Symmetric Receive-only\n"));
	usecs = 0;
	host_text_clear();
	set_for_each(c, configs)
		c->print(&sh);
	assert_string_equal(host_out, "ethtool -A nic0 autoneg on rx on tx off\n");
	assert_int_equal(type("ethtool -A nic0 tx on"), -EIO);
	assert_int_equal(type("ethtool -A nic0"), -EINVAL);
	assert_int_equal(type("ethtool -A nic0 rx"), -EINVAL);
	assert_int_equal(type("ethtool -A nic0 rxx on"), -EINVAL);
	pause = agreed = (struct ethtool_pause){ 0 };
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
	assert_int_equal(type("ethtool -y nic0"), -EINVAL);
	assert_non_null(strstr(host_out, "found '-y'"));
	assert_int_equal(type("ethtool -S nic0 more"), -EINVAL);
	assert_non_null(strstr(host_out, "found 'more'"));
}

/* in the order of their letters; those that have none stand behind, with one name */
static void lists_every_option_with_its_words(void **state)
{
	const char *last = NULL;

	(void)state;
	assert_int_equal(type("ethtool -h"), 0);
	set_for_each(o, ethtool_options) {
		bool letter = o->option[1] != '-';
		char line[128];

		snprintf(line, sizeof(line), "        ethtool %s%s%s DEV%s%s\n",
			 letter ? o->option : "", letter ? "|" : "", o->longer, o->more ? " " : "",
			 o->more ? o->more : "");
		if (!strstr(host_out, line))
			fail_msg("expected '%s' in '%s'", line, host_out);
	}
	for (const char *const *o =
		     (const char *[]){ " -a|", " -A|", " -c|", " -i|", " -K|", " -r|", " -X|",
				       " --set-priv", " --show-priv", NULL };
	     *o; o++) {
		assert_non_null(strstr(host_out, *o));
		assert_true(strstr(host_out, *o) > last);
		last = strstr(host_out, *o);
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
		cmocka_unit_test_setup(shows_what_the_throttle_comes_to, start),
		cmocka_unit_test_setup(shows_the_throttle_in_the_config, start),
		cmocka_unit_test_setup(prints_features, start),
		cmocka_unit_test_setup(switches_features, start),
		cmocka_unit_test_setup(refuses_features_that_are_fixed, start),
		cmocka_unit_test_setup(shows_features_in_the_config, start),
		cmocka_unit_test_setup(sets_and_prints_rings, start),
		cmocka_unit_test_setup(sets_channels_that_the_table_allows, start),
		cmocka_unit_test_setup(spreads_as_it_is_told, start),
		cmocka_unit_test_setup(takes_a_key_byte_by_byte, start),
		cmocka_unit_test_setup(says_and_changes_what_is_hashed, start),
		cmocka_unit_test_setup(prints_and_sets_private_flags, start),
		cmocka_unit_test_setup(config_rebuilds_rings_queues_and_spreading, start),

		cmocka_unit_test_setup(prints_and_switches_pause_frames, start),
		cmocka_unit_test_setup(restarts_negotiation_of_a_nic_that_is_up, start),
		cmocka_unit_test_setup(says_what_it_expected, start),
		cmocka_unit_test_setup(lists_every_option_with_its_words, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
