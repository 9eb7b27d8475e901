/* SPDX-License-Identifier: MIT */
/*
 * socket.c - three UDP sockets: 7 sends back what comes, 9 counts it, and 40000 is where we
 * send from and count replies
 *
 * In the main loop, from udp_rcv().
 */
#include "socket.h"

#include "command.h"
#include "lib.h"
#include "virtio_net.h"

static void echo(struct sock *sk, struct skb *skb, struct iphdr *ip, struct udphdr *udp);
static void count(struct sock *sk, struct skb *skb, struct iphdr *ip, struct udphdr *udp);

struct sock sockets[3] = {
	{ .port = PORT_ECHO, .name = "echo", .sk_data_ready = echo },
	{ .port = PORT_DISCARD, .name = "discard", .sk_data_ready = count },
	{ .port = PORT_OURS, .name = "replies", .sk_data_ready = count },
};

struct sock *udp_lookup(uint16_t port)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sockets); i++)
		if (sockets[i].port == port)
			return &sockets[i];
	return NULL;
}

static uint64_t work; /* turns of a loop for each datagram that is echoed: an application's part */

static void do_work(void)
{
	for (uint64_t i = 0; i < work; i++)
		__asm__ volatile("" ::: "memory");
}

/* echo() - addresses and ports change places, which leaves both checksums right */
static void echo(struct sock *sk, struct skb *skb, struct iphdr *ip, struct udphdr *udp)
{
	struct ethhdr *eth = (struct ethhdr *)skb->data;
	uint32_t from = ip->saddr;
	uint16_t port = udp->source;

	sk->stats.received++;
	sk->stats.bytes += skb->frame_len;
	if (eth->dest[0] & 1) { /* to everybody: who answers that answers for many */
		skb_free(skb);
		return;
	}
	do_work();
	memcpy(eth->dest, eth->source, 6);
	memcpy(eth->source, skb->dev->mac, 6);
	ip->saddr = ip->daddr;
	ip->daddr = from;
	udp->source = udp->dest;
	udp->dest = port;
	sk->stats.sent += dev_queue_xmit(skb->dev, skb);
}

/*
 * rest_is() - do the bytes behind the number follow from it? @front bytes of the first buffer
 * are others', @len in all
 */
static bool rest_is(const struct skb *skb, unsigned front, unsigned len, uint32_t number)
{
	uint8_t want = number;

	for (; skb && len; skb = skb->frag, front = 0)
		for (unsigned i = front; i < skb->len && len; i++, len--)
			if (skb->data[i] != want++)
				return false;
	return !len;
}

/*
 * in_order() - a number that is too high: those between are lost; one that is too low:
 * it was not lost after all
 */
static void in_order(struct sock_stats *s, uint32_t number)
{
	if (number == 0) /* a new run */
		s->next = 0;
	if (number >= s->next) {
		s->lost += number - s->next;
		s->next = number + 1;
	} else {
		s->reordered++;
		s->lost -= s->lost > 0;
	}
}

static void count(struct sock *sk, struct skb *skb, struct iphdr *ip, struct udphdr *udp)
{
	const struct numbered *n = (const void *)(udp + 1);
	unsigned len = be16(udp->len) - UDP_HLEN;

	(void)ip;
	sk->stats.received++;
	sk->stats.bytes += skb->frame_len;
	if (len >= sizeof(*n) && skb->len >= HEADERS + sizeof(*n) &&
	    n->magic == be32(NUMBERED_MAGIC)) {
		uint32_t number = be32(n->number);

		in_order(&sk->stats, number);
		sk->stats.bad += !rest_is(skb, HEADERS + sizeof(*n), len - sizeof(*n), number);
	}
	skb_free(skb);
}

void number_write(struct skb *skb, uint32_t number)
{
	struct numbered *n = (struct numbered *)(skb->data + HEADERS);
	unsigned front = HEADERS + sizeof(*n);
	uint8_t byte = number;

	*n = (struct numbered){ be32(NUMBERED_MAGIC), be32(number) };
	for (; skb; skb = skb->frag, front = 0)
		for (unsigned i = front; i < skb->len; i++)
			skb->data[i] = byte++;
}

static void work_command(int n, char **word)
{
	work = word_number(n, word, 1, work);
	answer_ok("work %lu", work);
}

COMMAND(command_work, .name = "work", .usage = "[TURNS]",
	.help = "turns of a loop for each datagram that port 7 echoes", .run = work_command);
