/* SPDX-License-Identifier: MIT */
/* links: kernel/pool.c tests/unit/host.c */
/*
 * test_pool.c - packets and their pools: nothing is lost, doubled or handed out
 * twice, on one core or several
 */
#include "tests/unit/host.h"

#include <sched.h>
#include <string.h>

#include "kernel/pkt.h"
#include "kernel/shell.h"
#include "kernel/spsc.h"

enum { N = 16 };

static int start(void **state)
{
	(void)state;
	host_cores(2);
	host_pools(N);
	return 0;
}

/* a frame of @len bytes over as many buffers as that takes, bytes by position */
static struct pkt *make_frame(unsigned len)
{
	struct pkt *first = NULL, **link = &first;
	unsigned nsegs = 0;

	for (unsigned at = 0; at < len; at += PKT_BUF_SIZE, nsegs++) {
		struct pkt *p = pkt_alloc();

		p->data = pkt_buf(p);
		p->len = (uint16_t)MIN(len - at, PKT_BUF_SIZE);
		for (unsigned i = 0; i < p->len; i++)
			p->data[i] = (uint8_t)((at + i) * 7);
		*link = p;
		link = &p->next;
	}
	first->frame_len = len;
	first->nsegs = (uint8_t)nsegs;
	first->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

static void holds_as_many_as_asked_and_then_counts_refusals(void **state)
{
	struct pkt *got[N];
	struct pool *pool = cpus[0]->pool;

	(void)state;
	assert_int_equal(pool->size, N);
	for (unsigned i = 0; i < N; i++) {
		got[i] = pkt_alloc();
		assert_non_null(got[i]);
		assert_ptr_equal(got[i]->pool, pool);
		for (unsigned j = 0; j < i; j++)
			assert_ptr_not_equal(got[i], got[j]);
		/* all of it is ours to write: headroom, buffer, to the last byte */
		memset(got[i] + 1, 0x5a, PKT_HEADROOM + PKT_BUF_SIZE);
	}
	assert_int_equal(pool_free_count(pool), 0);
	assert_null(pkt_alloc());
	assert_null(pkt_alloc());
	assert_int_equal(pool->empty, 2);
	for (unsigned i = 0; i < N; i++) {
		assert_ptr_equal(got[i]->pool, pool); /* no neighbour's write reached it */
		pkt_free_seg(got[i]);
	}
	assert_true(host_pools_full());
}

static void a_fresh_packet_is_one_segment(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N; i++) { /* from the stack, and from what came back */
		struct pkt *p = pkt_alloc();

		assert_null(p->next);
		assert_int_equal(pkt_buf(p) - (uint8_t *)p, sizeof(*p) + PKT_HEADROOM);
		assert_int_equal((uintptr_t)p % CACHE_LINE, 0);
		host_play(1);
		pkt_free(p);
		host_play(0);
	}
	assert_true(host_pools_full());
}

static void refuses_a_pool_that_memory_has_no_room_for(void **state)
{
	(void)state;
	host_mem_left = N * PKT_STRIDE / 2;
	assert_null(pool_create(1, N));
}

static void hands_out_the_warm_one_first(void **state)
{
	struct pkt *a = pkt_alloc(), *b = pkt_alloc();

	(void)state;
	pkt_free(b);
	pkt_free(a);
	assert_ptr_equal(pkt_alloc(), a);
	assert_ptr_equal(pkt_alloc(), b);
}

static void frees_a_chain_whole(void **state)
{
	(void)state;
	pkt_free(make_frame(PKT_MAX_SEGS * PKT_BUF_SIZE));
	assert_true(host_pools_full());
}

static void a_drop_counts_its_reason_where_it_happens(void **state)
{
	struct pkt *p = make_frame(3 * PKT_BUF_SIZE);

	(void)state;
	host_play(1);
	pkt_drop(p, DROP_NO_RULE);
	assert_int_equal(cpus[1]->drop[DROP_NO_RULE], 1);
	assert_int_equal(cpus[0]->drop[DROP_NO_RULE], 0);
	assert_true(host_pools_full());
}

static void what_another_core_frees_comes_home(void **state)
{
	struct pkt *got[N];

	(void)state;
	for (unsigned i = 0; i < N; i++)
		got[i] = pkt_alloc();
	host_play(1);
	for (unsigned i = 0; i < N; i++)
		pkt_free(got[i]);
	assert_int_equal(cpus[1]->pool->nfree, N);
	assert_true(host_pools_full());
	host_play(0);
	for (unsigned i = 0; i < N; i++)
		assert_non_null(pkt_alloc());
	assert_int_equal(cpus[0]->pool->nfree, 0);
	assert_null(pkt_alloc());
	assert_int_equal(cpus[0]->pool->empty, 1);
}

static void assert_same_bytes(const struct pkt *a, const struct pkt *b)
{
	for (; a && b; a = a->next, b = b->next) {
		assert_int_equal(a->len, b->len);
		assert_memory_equal(a->data, b->data, a->len);
		assert_int_equal(a->data - (const uint8_t *)a, b->data - (const uint8_t *)b);
	}
	assert_ptr_equal(a, b); /* both ended */
}

static void a_copy_has_the_same_bytes_in_buffers_of_its_own(void **state)
{
	struct pkt *p = make_frame(2 * PKT_BUF_SIZE + 100), *copy;

	(void)state;
	p->out_port = 3;
	p->data += 14; /* and the first does not start at its buffer */
	p->len -= 14;
	host_play(1);
	copy = pkt_copy(p);
	assert_int_equal(copy->frame_len, p->frame_len);
	assert_int_equal(copy->nsegs, 3);
	assert_int_equal(copy->out_port, 3);
	assert_same_bytes(copy, p);
	seg_for_each(seg, copy)
		assert_ptr_equal(seg->pool, cpus[1]->pool);
	copy->data[0] ^= 0xff;
	assert_int_not_equal(copy->data[0], p->data[0]);
	pkt_free(p);
	pkt_free(copy);
	assert_true(host_pools_full());
}

static void a_copy_that_does_not_fit_takes_nothing(void **state)
{
	struct pkt *p = make_frame(3 * PKT_BUF_SIZE), *rest[N];
	unsigned n = 0;

	(void)state;
	while (cpus[0]->pool->nfree > 2)
		rest[n++] = pkt_alloc();
	assert_null(pkt_copy(p));
	assert_int_equal(pool_free_count(cpus[0]->pool), 2);
	assert_int_equal(p->nsegs, 3);
	pkt_free(p);
	while (n)
		pkt_free_seg(rest[--n]);
	assert_true(host_pools_full());
}

/* --- two cores --- */

enum { ROUNDS = 100000, RING = 8 };

static struct spsc there;
static void *slots[RING];
static _Atomic bool broken;

/*
 * core 0 sends packets over, core 1 frees them: each comes back by the returned stack,
 * while that is being emptied
 */
static void send_or_free(void *arg)
{
	void *p;

	(void)arg;
	for (unsigned done = 0; done < ROUNDS;) {
		if (this_cpu()->id) {
			if (!spsc_pop(&there, &p, 1)) {
				sched_yield();
				continue;
			}
			broken |= ((struct pkt *)p)->frame_len != done;
			pkt_free(p);
		} else {
			p = pkt_alloc();
			if (!p) {
				sched_yield();
				continue;
			}
			((struct pkt *)p)->frame_len = done;
			while (!spsc_push(&there, p))
				sched_yield();
		}
		done++;
	}
}

static void loses_nothing_between_two_cores(void **state)
{
	(void)state;
	broken = false;
	assert_int_equal(spsc_init(&there, slots, RING), 0);
	host_run_cores(send_or_free, NULL);
	assert_false(broken); /* no packet was handed out while core 1 still had it */
	assert_true(host_pools_full());
}

/* --- the audit --- */

static struct pkt *held;

static void walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	if (held)
		tally(t, held);
}

static void audit(void)
{
	static const struct word words[] = { { "pool", 1 } };
	struct shell sh = { 0 };

	host_text_clear();
	set_for_each(c, commands)
		if (strcmp(c->name, "pool") == 0)
			assert_int_equal(c->run(&sh, 1, words), 0);
	assert_int_equal(host_calls.park, host_calls.resume);
	assert_true(host_calls.park > 0);
}

static void the_audit_adds_up_what_is_free_and_held(void **state)
{
	static struct pkt_holder holder = { .name = "a ring", .walk = walk };

	(void)state;
	pkt_holder_add(&holder);
	held = NULL;
	audit();
	assert_non_null(strstr(host_out, "pools: ok"));
	held = make_frame(2 * PKT_BUF_SIZE);
	audit();
	assert_non_null(strstr(host_out, "pools: ok"));
	assert_non_null(strstr(host_out, "2 held by a ring"));
	struct pkt *lost = pkt_alloc();
	audit();
	assert_null(strstr(host_out, "pools: ok"));
	assert_non_null(strstr(host_out, "VIOLATED"));
	pkt_free_seg(lost);
	pkt_free(held);
	held = NULL;
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_as_many_as_asked_and_then_counts_refusals),
		TEST(a_fresh_packet_is_one_segment),
		TEST(refuses_a_pool_that_memory_has_no_room_for),
		TEST(hands_out_the_warm_one_first),
		TEST(frees_a_chain_whole),
		TEST(a_drop_counts_its_reason_where_it_happens),
		TEST(what_another_core_frees_comes_home),
		TEST(a_copy_has_the_same_bytes_in_buffers_of_its_own),
		TEST(a_copy_that_does_not_fit_takes_nothing),
		TEST(loses_nothing_between_two_cores),
		TEST(the_audit_adds_up_what_is_free_and_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
