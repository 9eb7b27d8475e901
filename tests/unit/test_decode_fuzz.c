/* SPDX-License-Identifier: MIT */
/* links: vmm/decode.c tests/unit/host.c */
/*
 * test_decode_fuzz.c - any bytes as an instruction: nothing is read behind them,
 * and what comes out is sound
 *
 *	build/unit/test_decode_fuzz [SEED [ROUNDS]]
 *
 * The seed is fixed, so every run is the same one; another seed and more rounds look
 * elsewhere. Bytes lie in a buffer of exactly their number, so that the address sanitizer sees
 * a look behind their end.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/bits.h"
#include "vmm/decode.h"
#include "vmm/vcpu.h"

enum { RARE = 10000 /* each operation comes at least once in so many rounds */ };

static unsigned long seed = 1, rounds = 300000;

/* what the run met, by operation; and what was refused */
static unsigned long met[INSN_OTHER + 1], refused;

/*
 * bytes that decide something: prefixes, REX, opcodes, the ModRM bytes that
 * have SIB or a displacement
 */
static const uint8_t telling[] = {
	0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40, 0x41, 0x42,
	0x44, 0x48, 0x4f, 0x0f, 0x01, 0x03, 0x09, 0x20, 0x22, 0x2b, 0x31, 0x39, 0x63, 0x6c,
	0x6f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1,
	0xa2, 0xa3, 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xb6, 0xb7, 0xbe, 0xbf, 0xba, 0xc6,
	0xc7, 0xf6, 0xf7, 0xf9, 0x04, 0x05, 0x44, 0x45, 0x84, 0x85, 0x25, 0x06, 0x46, 0x86,
};

/* xorshift64*: the same numbers everywhere */
static unsigned below(unsigned n)
{
	static unsigned long x;

	if (!x)
		x = seed * 2 + 1;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return (x * 0x2545f4914f6cdd1dul >> 33) % n;
}

/* decode() - in memory of their own */
static int decode(const uint8_t *bytes, unsigned n, enum insn_mode mode, struct insn *i)
{
	uint8_t *own = malloc(n ? n : 1);
	int err;

	memcpy(own, bytes, n);
	memset(i, 0xa5, sizeof(*i));
	err = insn_decode(own, n, mode, i);
	free(own);
	return err;
}

static bool power_of_two(unsigned size, unsigned max)
{
	return size && size <= max && !(size & (size - 1));
}

/* Whoever carries it out shifts by these numbers and indexes by them. */
static void sound(const struct insn *i, unsigned n)
{
	assert_in_range(i->len, 1, MIN(n, INSN_MAX));
	assert_in_range(i->op, 0, INSN_OTHER);
	assert_true(power_of_two(i->addr_size, 8) && i->addr_size > 1);
	assert_true(i->reg < GPR_N && i->base >= -1 && i->base < GPR_N);
	assert_true(i->index >= -1 && i->index < GPR_N && i->scale <= 3);
	assert_true(i->segment >= -1 && i->segment < SEGMENT_N);
	if (i->op == INSN_OTHER)
		return;
	assert_true(power_of_two(i->size, 8) && power_of_two(i->reg_size, 8));
	assert_true(i->reg_size == i->size || (i->op == INSN_LOAD && i->reg_size > i->size));
	assert_true(!i->high_byte || (i->reg < 4 && i->reg_size == 1));
	assert_true(i->op != INSN_BT || i->size > 1);
}

/* What follows the last byte of an instruction has no say, and none of its bytes may be missing. */
static void ends_where_it_ends(const uint8_t *bytes, enum insn_mode mode, const struct insn *i)
{
	struct insn again;

	assert_int_equal(decode(bytes, i->len, mode, &again), 0);
	assert_int_equal(again.len, i->len);
	assert_int_equal(again.op, i->op);
	assert_int_equal(again.imm, i->imm);
	assert_int_equal(again.disp, i->disp);
	assert_int_equal(decode(bytes, i->len - 1, mode, &again), -EINVAL);
}

static void check(const uint8_t *bytes, unsigned n)
{
	enum insn_mode mode = below(4) ? INSN_64 : below(2);
	struct insn i;

	if (decode(bytes, n, mode, &i)) {
		refused++;
		return;
	}
	met[i.op]++;
	sound(&i, n);
	ends_where_it_ends(bytes, mode, &i);
}

static void noise(void **state)
{
	uint8_t bytes[INSN_MAX + 5];

	(void)state;
	for (unsigned long k = 0; k < rounds; k++) {
		unsigned n = below(sizeof(bytes) + 1);

		for (unsigned j = 0; j < n; j++)
			bytes[j] = below(256);
		check(bytes, n);
	}
}

static void telling_bytes_before_noise(void **state)
{
	uint8_t bytes[INSN_MAX + 5];

	(void)state;
	for (unsigned long k = 0; k < rounds; k++) {
		unsigned n = below(sizeof(bytes) + 1), known = below(6);

		for (unsigned j = 0; j < n; j++)
			bytes[j] = j < known ? telling[below(sizeof(telling))] : below(256);
		check(bytes, n);
	}
}

/* Bytes that are all refused would prove nothing: every operation must have been met, and often. */
static void nothing_was_left_out(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(met); k++)
		if (met[k] * RARE < rounds)
			fail_msg("of %lu rounds only %lu were operation %u", rounds, met[k], k);
	assert_true(refused > rounds / 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise),
		cmocka_unit_test(telling_bytes_before_noise),
		cmocka_unit_test(nothing_was_left_out),
	};

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		rounds = strtoul(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
