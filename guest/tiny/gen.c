/* SPDX-License-Identifier: MIT */
/*
 * gen.c - numbered UDP datagrams: `gen` as fast as they go, `udp` to a host's port and back;
 * `count` says what arrived
 *
 * Commands, in the main loop.
 */
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "inet.h"
#include "lib.h"
#include "socket.h"
#include "virtio_net.h"

enum {
	FRAME_MAX = 9014,
	BURST = 32,
	WINDOW = 64,        /* datagrams under way to an echo */
	PATIENCE_MS = 1000, /* without progress it is over */
	POOL_LOW = 64,      /* buffers that receiving may want meanwhile */
};

/*
 * number_send() - datagram @number in a frame of @size bytes; waits while the device has no
 * room. false: it never had.
 */
static bool number_send(struct net_device *dev, const uint8_t mac[6], uint32_t ip, uint16_t port,
			uint32_t number, unsigned size)
{
	struct skb *skb;

	if (dev->waiting.n || skb_available() < POOL_LOW) {
		virtnet_flush();
		if (!wait_for(!dev->waiting.n && skb_available() >= POOL_LOW, PATIENCE_MS))
			return false;
	}
	skb = skb_alloc_frame(size);
	if (!skb)
		return false;
	number_write(skb, number);
	udp_header(skb, dev, mac, ip, PORT_OURS, port);
	return dev_queue_xmit(dev, skb);
}

/* net_of() - the device in whose network @ip lies, else the first that has an address */
static struct net_device *net_of(uint32_t ip)
{
	for (unsigned i = 0; i < nnics; i++)
		if (nic[i].ip && !((nic[i].ip ^ ip) & nic[i].netmask))
			return &nic[i];
	return nnics && nic[0].ip ? &nic[0] : NULL;
}

static void gen(int n, char **word)
{
	uint64_t count = word_number(n, word, 2, 0), size = word_number(n, word, 3, FRAME_MIN);
	uint64_t burst = word_number(n, word, 4, BURST), i = word_number(n, word, 5, 0), sent = 0;
	struct net_device *dev = &nic[i];
	uint64_t start = rdtsc();
	uint8_t mac[6];
	bool taken;

	if (n < 3 || i >= nnics || !parse_mac(word[1], mac) || size < FRAME_MIN ||
	    size > FRAME_MAX || !burst) {
		answer_fail("gen MAC COUNT [SIZE [BURST [NIC]]]");
		return;
	}
	while (sent < count &&
	       number_send(dev, mac, dev->ip | ~dev->netmask, PORT_DISCARD, sent, size)) {
		if (++sent % burst == 0)
			virtnet_flush();
	}
	virtnet_flush();
	taken = wait_for(virtnet_tx_idle(dev), PATIENCE_MS);
	if (sent == count && taken)
		answer_ok("sent %lu in %lu us", sent, clock_us(rdtsc() - start));
	else
		answer_fail("sent %lu of %lu, the device %s", sent, count,
			    taken ? "took them" : "did not take them all");
}

/*
 * udp_exchange() - @count datagrams; to an echo never more than a window under way.
 * Returns how many were sent
 */
static uint64_t udp_exchange(struct net_device *dev, const uint8_t mac[6], uint32_t ip,
			     uint16_t port, uint64_t count, unsigned size)
{
	const struct sock_stats *replies = &udp_lookup(PORT_OURS)->stats;
	uint64_t sent = 0, before = replies->received;

	while (sent < count) {
		if (!number_send(dev, mac, ip, port, sent, size))
			break;
		if (++sent % BURST && sent < count)
			continue;
		virtnet_flush();
		if (port == PORT_ECHO)
			wait_for(replies->received - before + WINDOW - BURST >= sent, PATIENCE_MS);
	}
	virtnet_flush();
	if (port == PORT_ECHO)
		wait_for(replies->received - before >= sent, PATIENCE_MS);
	else
		wait_for(virtnet_tx_idle(dev), PATIENCE_MS);
	return sent;
}

static void udp(int n, char **word)
{
	uint64_t port = word_number(n, word, 2, PORT_ECHO), count = word_number(n, word, 3, 1);
	uint64_t size = word_number(n, word, 4, FRAME_MIN - HEADERS) + HEADERS, sent;
	struct sock_stats *s = &udp_lookup(PORT_OURS)->stats;
	struct net_device *dev;
	uint8_t mac[6];
	uint32_t ip;

	if (n < 2 || !parse_ip(word[1], &ip) || port > UINT16_MAX || size < FRAME_MIN ||
	    size > FRAME_MAX) {
		answer_fail("udp ADDRESS [PORT [COUNT [SIZE]]]: SIZE %u to %u bytes of payload",
			    FRAME_MIN - HEADERS, FRAME_MAX - HEADERS);
		return;
	}
	dev = net_of(ip);
	if (!dev || !neigh_lookup(dev, ip, mac)) {
		answer_fail("%s does not answer ARP", word[1]);
		return;
	}
	*s = (struct sock_stats){ 0 };
	sent = udp_exchange(dev, mac, ip, port, count, size);
	if (sent < count || s->bad || (port == PORT_ECHO && s->received != sent))
		answer_fail("sent %lu of %lu received %lu reordered %lu bad %lu", sent, count,
			    s->received, s->reordered, s->bad);
	else
		answer_ok("sent %lu received %lu reordered %lu bad %lu", sent, s->received,
			  s->reordered, s->bad);
}

/* count [clear] */
static void count(int n, char **word)
{
	for (unsigned i = 0; i < nnics; i++) {
		const struct net_stats *s = &nic[i].stats;

		say("  nic%u rx %lu tx %lu rx_bytes %lu tx_bytes %lu rx_bad %lu rx_nomem %lu "
		    "tx_dropped "
		    "%lu tx_waited %lu\n",
		    i, s->rx_packets, s->tx_packets, s->rx_bytes, s->tx_bytes, s->rx_bad,
		    s->rx_nomem, s->tx_dropped, s->tx_waited);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(sockets); i++) {
		struct sock_stats *s = &sockets[i].stats;

		say("  port %u received %lu sent %lu lost %lu reordered %lu bad %lu\n",
		    sockets[i].port, s->received, s->sent, s->lost, s->reordered, s->bad);
		if (word_is(n, word, 1, "clear"))
			*s = (struct sock_stats){ 0 };
	}
	say("  arp %lu icmp %lu udp %lu forwarded %lu echoed %lu dropped %lu\n", inet_stats.arp,
	    inet_stats.icmp, inet_stats.udp, inet_stats.forwarded, inet_stats.echoed,
	    inet_stats.dropped);
	answer_ok("count");
}

COMMAND(command_gen, .name = "gen", .usage = "MAC COUNT [SIZE [BURST [NIC]]]",
	.help = "numbered frames to port 9 of MAC, SIZE bytes each", .run = gen);
COMMAND(command_udp, .name = "udp", .usage = "ADDRESS [PORT [COUNT [SIZE]]]",
	.help = "numbered datagrams; from port 7 the replies are awaited", .run = udp);
COMMAND(command_count, .name = "count", .usage = "[clear]",
	.help = "what came and went: by NIC and by port", .run = count);
