/* SPDX-License-Identifier: MIT */
/*
 * main.c - the tiny guest's boot list and its main loop
 *
 * Called by head.S, at -2 GiB, interrupts off, .bss cleared. Never returns.
 */
#include "apic.h"
#include "boot.h"
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "inet.h"
#include "lib.h"
#include "trap.h"
#include "virtio_net.h"

enum { VALUE = 256 };

void main(enum door door, uint64_t information);

/* "10.0.0.2/24" */
static bool set_address(struct net_device *dev, const char *s)
{
	uint64_t bits = 24;
	uint32_t ip;

	s = parse_ip(s, &ip);
	if (!s || (*s == '/' && !parse_number(s + 1, &bits)) || bits > 32)
		return false;
	dev->ip = ip;
	dev->netmask = bits ? UINT32_MAX << (32 - bits) : 0;
	return true;
}

static bool set_mode(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rx_mode_names); i++) {
		if (!strcmp(name, rx_mode_names[i])) {
			rx_mode = i;
			return true;
		}
	}
	return false;
}

/* the network as the command line has it: ip=, ip1= ..., mode=, vectors=, features= */
static void net_init(void)
{
	static const char *const keys[NICS] = { "ip", "ip1", "ip2", "ip3" };
	uint64_t features = VIRTNET_FEATURES_DEFAULT, vectors = 3;
	char value[VALUE];

	if (cmdline_get("features", value, sizeof(value)) && parse_number(value, &features))
		features &= VIRTNET_FEATURES;
	if (cmdline_get("vectors", value, sizeof(value)))
		parse_number(value, &vectors);
	if (cmdline_get("mode", value, sizeof(value)) && !set_mode(value))
		say("tiny: FAIL mode=%s\n", value);
	virtnet_init(features, vectors);
	for (unsigned i = 0; i < nnics; i++)
		if (cmdline_get(keys[i], value, sizeof(value)) && !set_address(&nic[i], value))
			say("tiny: FAIL %s=%s\n", keys[i], value);
}

void main(enum door door, uint64_t information)
{
	static char line[CONSOLE_LINE];
	char value[VALUE];

	console_init();
	boot_init(door, information);
	trap_init();
	cmdline_get("apic", value, sizeof(value));
	apic_init(strcmp(value, "xapic"));
	clock_init();
	irq_enable();
	console_start();
	net_init();
	say("tiny: ready\n");
	if (cmdline_get("run", line, sizeof(line)))
		command_line(line);
	for (;;) {
		while (console_line(line))
			command_line(line);
		idle_until(0, console_typed);
	}
}

static void mode_command(int n, char **word)
{
	if (n > 1 && !set_mode(word[1]))
		answer_fail("mode: stack, forward or echo-l2");
	else
		answer_ok("mode %s", rx_mode_names[rx_mode]);
}

static void ip_command(int n, char **word)
{
	uint64_t i = word_number(n, word, 1, NICS);

	if (n < 3 || i >= nnics || !set_address(&nic[i], word[2]))
		answer_fail("ip NIC ADDRESS/BITS");
	else
		answer_ok("ip %lu %s", i, word[2]);
}

COMMAND(command_mode, .name = "mode", .usage = "[stack|forward|echo-l2]",
	.help = "what happens to frames", .run = mode_command);
COMMAND(command_ip, .name = "ip", .usage = "NIC ADDRESS/BITS", .help = "set an address",
	.run = ip_command);
