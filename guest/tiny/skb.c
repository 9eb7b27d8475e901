/* SPDX-License-Identifier: MIT */
/* skb.c - the pool of buffers, and queues of frames. Main loop only; interrupts hold none. */
#include "skb.h"

#include "cpu.h"
#include "lib.h"

/* not cleared at boot: a buffer is handed out for the first time by counting up */
static uint8_t pool[SKBS][SKB_SIZE] __attribute__((section(".bss.uncleared"), aligned(SKB_SIZE)));
static unsigned fresh; /* never handed out: pool[fresh] and up */
static struct skb *free_list;
static unsigned nfree;

unsigned skb_available(void)
{
	return nfree + SKBS - fresh;
}

struct skb *skb_alloc(void)
{
	struct skb *skb = free_list;

	if (skb) {
		free_list = skb->next;
		nfree--;
	} else if (fresh < SKBS) {
		skb = (struct skb *)pool[fresh++];
	} else {
		return NULL;
	}
	skb->next = skb->frag = NULL;
	skb->data = skb->buf + SKB_HEADER;
	skb->len = skb->frame_len = 0;
	skb->dev = NULL;
	return skb;
}

void skb_free(struct skb *skb)
{
	while (skb) {
		struct skb *frag = skb->frag;

		skb->next = free_list;
		free_list = skb;
		nfree++;
		skb = frag;
	}
}

struct skb *skb_alloc_frame(uint32_t len)
{
	struct skb *first = skb_alloc(), *s = first;

	if (!s)
		return NULL;
	first->frame_len = len;
	s->len = MIN(len, (uint32_t)SKB_FRAME);
	for (len -= s->len; len; len -= s->len) {
		s->frag = skb_alloc();
		s = s->frag;
		if (!s) {
			skb_free(first);
			return NULL;
		}
		s->data = s->buf;
		s->len = MIN(len, (uint32_t)SKB_ROOM);
	}
	return first;
}

void skb_queue_init(struct skb_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
	q->n = 0;
}

void skb_queue_tail(struct skb_queue *q, struct skb *skb)
{
	skb->next = NULL;
	*q->tail = skb;
	q->tail = &skb->next;
	q->n++;
}

struct skb *skb_dequeue(struct skb_queue *q)
{
	struct skb *skb = q->head;

	if (skb) {
		q->head = skb->next;
		if (!q->head)
			q->tail = &q->head;
		q->n--;
	}
	return skb;
}
