/* SPDX-License-Identifier: MIT */
/* links: vmm/vioapic.c vmm/vlapic.c vmm/vlapic_access.c vmm/vlapic_ipi.c vmm/vlapic_timer.c kernel/timer.c kernel/softirq.c tests/unit/host.c */
/*
 * test_vioapic.c - lines that rise and fall, and what a guest's local APIC gets of it
 */
#include "tests/unit/host.h"

#include <string.h>

#include "vmm/vlapic_regs.h"
#include "vmm/vm.h"

/* the guest's view [82093AA 3] */
enum { SELECT = 0x00, WINDOW = 0x10, EOI = 0x40, ID = 0, VER = 1, ARB = 2, TABLE = 0x10 };

enum { PIN = 9, VECTOR = 0x41 };
#define LEVEL      BIT(15)
#define MASKED     BIT(16)
#define REMOTE_IRR BIT(14)

static struct vm vm;
static struct vcpu vcpu[2];
static struct vlapic *const l = &vcpu[0].lapic;
static struct vioapic *const io = &vm.ioapic;
static unsigned nmis;

void injection_notify(struct vcpu *v)
{
	(void)v;
}

void injection_stamp(struct injection *in, uint8_t vector)
{
	(void)in, (void)vector;
}

void injection_enter(struct injection *in, uint8_t vector)
{
	(void)in, (void)vector;
}

void vcpu_signal_nmi(struct vcpu *v)
{
	(void)v;
	nmis++;
}

void vcpu_signal_init(struct vcpu *v)
{
	(void)v;
}

void vcpu_signal_startup(struct vcpu *v, uint8_t page)
{
	(void)v, (void)page;
}

void vcpu_give_way(struct vcpu *v, const struct vcpu *to)
{
	(void)v, (void)to;
}

static uint32_t rd(unsigned reg)
{
	vioapic_write(io, SELECT, 4, reg);
	return vioapic_read(io, WINDOW, 4);
}

static void wr(unsigned reg, uint32_t value)
{
	vioapic_write(io, SELECT, 4, reg);
	vioapic_write(io, WINDOW, 4, value);
}

static void set_pin(unsigned pin, uint32_t low)
{
	wr(TABLE + 2 * pin, low);
}

static bool remote_irr(void)
{
	return rd(TABLE + 2 * PIN) & REMOTE_IRR;
}

/* the guest's handler begins; returns its vector, or -1. handler_ends() is its EOI. */
static int handler(void)
{
	int vector = vlapic_pending(l);

	if (vector >= 0)
		vlapic_accept(l, vector);
	return vector;
}

static void handler_ends(void)
{
	vlapic_mmio_write(l, APIC_EOI, 4, 0);
}

static int start(void **state)
{
	(void)state;
	host_cores(1);
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	nmis = 0;
	vm.nvcpus = 2;
	vioapic_init(io, &vm);
	for (unsigned i = 0; i < 2; i++) {
		vm.vcpu[i] = &vcpu[i];
		vcpu[i].id = i;
		vcpu[i].vm = &vm;
		vlapic_init(&vcpu[i].lapic, &vcpu[i]);
		vlapic_mmio_write(&vcpu[i].lapic, APIC_SVR, 4, SVR_ENABLE | 0xff);
	}
	return 0;
}

/* --- registers --- */

static void says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(rd(VER), 0x170020);
	assert_int_equal(rd(ID), 0);
	wr(ID, UINT32_MAX);
	assert_int_equal(rd(ID), 0x0f000000);
	assert_int_equal(rd(ARB), 0x0f000000);
	wr(VER, 0);
	assert_int_equal(rd(VER), 0x170020);
	vioapic_write(io, SELECT, 4, 0xffffff01);
	assert_int_equal(vioapic_read(io, SELECT, 4), 1);
	assert_int_equal(vioapic_read(io, WINDOW, 1), 0x20);
}

static void all_pins_are_masked_at_first(void **state)
{
	(void)state;
	for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
		assert_int_equal(rd(TABLE + 2 * pin), MASKED);
		assert_int_equal(rd(TABLE + 2 * pin + 1), 0);
		vioapic_set(io, pin, true);
	}
	assert_int_equal(handler(), -1);
}

static void an_entry_keeps_its_writable_bits(void **state)
{
	(void)state;
	wr(TABLE + 2 * 23, UINT32_MAX);
	wr(TABLE + 2 * 23 + 1, UINT32_MAX);
	assert_int_equal(rd(TABLE + 2 * 23), 0x1afff);
	assert_int_equal(rd(TABLE + 2 * 23 + 1), 0xff000000);
}

static void registers_beyond_the_table_are_nothing(void **state)
{
	static const unsigned reg[] = { 3, 0xf, TABLE + 2 * VIOAPIC_PINS, 0xff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(reg); i++) {
		wr(reg[i], UINT32_MAX);
		assert_int_equal(rd(reg[i]), 0);
	}
	vioapic_write(io, 0x20, 4, UINT32_MAX);
	assert_int_equal(vioapic_read(io, 0x20, 4), 0);
	vioapic_write(io, SELECT, 4, TABLE);
	vioapic_write(io, WINDOW, 1, 0x41); /* 32 bits or nothing */
	assert_int_equal(rd(TABLE), MASKED);
}

/* --- edges --- */

static void an_edge_is_sent_when_the_line_rises(void **state)
{
	(void)state;
	set_pin(PIN, VECTOR);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), VECTOR);
	handler_ends();
	vioapic_set(io, PIN, true); /* it is up */
	assert_int_equal(handler(), -1);
	vioapic_set(io, PIN, false);
	assert_int_equal(handler(), -1);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), VECTOR);
	assert_false(remote_irr());
	assert_int_equal(io->count[PIN], 2);
}

static void an_edge_on_a_masked_pin_is_lost(void **state)
{
	(void)state;
	set_pin(PIN, MASKED | VECTOR);
	vioapic_set(io, PIN, true);
	set_pin(PIN, VECTOR);
	assert_int_equal(handler(), -1);
	assert_int_equal(io->count[PIN], 0);
}

/* --- levels --- */

static void a_level_comes_again_at_eoi_as_long_as_it_is_up(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	vioapic_set(io, PIN, true);
	assert_true(remote_irr());
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(handler(), VECTOR);
		assert_int_equal(handler(), -1);
		assert_true(remote_irr());
		handler_ends();
	}
	assert_int_equal(io->count[PIN], 4);
	assert_int_equal(handler(), VECTOR);
	vioapic_set(io, PIN, false);
	assert_true(remote_irr());
	handler_ends();
	assert_false(remote_irr());
	assert_int_equal(handler(), -1);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), VECTOR);
}

static void a_level_that_moves_while_it_is_served_is_one_interrupt(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), VECTOR);
	vioapic_set(io, PIN, false);
	vioapic_set(io, PIN, true);
	assert_int_equal(io->count[PIN], 1);
	handler_ends();
	assert_int_equal(handler(), VECTOR);
	vioapic_set(io, PIN, false);
	handler_ends();
	assert_int_equal(handler(), -1);
}

static void a_masked_level_comes_when_it_is_unmasked(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | MASKED | VECTOR);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), -1);
	set_pin(PIN, LEVEL | VECTOR);
	assert_int_equal(handler(), VECTOR);
	set_pin(PIN, LEVEL | MASKED | VECTOR);
	handler_ends(); /* masked: not again */
	assert_int_equal(handler(), -1);
	assert_false(remote_irr());
	set_pin(PIN, LEVEL | VECTOR);
	assert_int_equal(handler(), VECTOR);
}

static void pins_that_share_a_vector_both_end_with_it(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	set_pin(PIN + 1, LEVEL | VECTOR);
	set_pin(PIN + 2, LEVEL | (VECTOR + 1));
	vioapic_set(io, PIN, true);
	vioapic_set(io, PIN + 1, true);
	vioapic_set(io, PIN + 2, true);
	assert_int_equal(handler(), VECTOR + 1);
	handler_ends();
	vioapic_set(io, PIN, false);
	assert_int_equal(handler(), VECTOR + 1);
	vioapic_set(io, PIN + 2, false);
	handler_ends();
	assert_int_equal(handler(), VECTOR);
	handler_ends();
	assert_false(remote_irr());
	assert_true(rd(TABLE + 2 * (PIN + 1)) & REMOTE_IRR); /* still up: sent again */
	assert_int_equal(handler(), VECTOR);
}

static void the_eoi_register_ends_a_level_too(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	vioapic_set(io, PIN, true);
	vioapic_set(io, PIN, false);
	vioapic_write(io, EOI, 4, VECTOR + 1);
	assert_true(remote_irr());
	vioapic_write(io, EOI, 4, VECTOR);
	assert_false(remote_irr());
}

static void becoming_an_edge_forgets_remote_irr(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	vioapic_set(io, PIN, true);
	vioapic_set(io, PIN, false);
	set_pin(PIN, LEVEL | MASKED | VECTOR);
	assert_true(remote_irr());
	set_pin(PIN, MASKED | VECTOR);
	set_pin(PIN, LEVEL | MASKED | VECTOR);
	assert_false(remote_irr());
}

static void a_level_that_nobody_took_is_not_under_way(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	wr(TABLE + 2 * PIN + 1, 7u << 24); /* there is no such vCPU */
	vioapic_set(io, PIN, true);
	assert_false(remote_irr());
	assert_int_equal(io->count[PIN], 0);
	wr(TABLE + 2 * PIN + 1, 0);
	assert_int_equal(handler(), VECTOR);
	assert_true(remote_irr());
}

/* --- where to --- */

static void the_entry_names_the_destination(void **state)
{
	(void)state;
	set_pin(PIN, VECTOR);
	wr(TABLE + 2 * PIN + 1, 1u << 24);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), -1);
	assert_int_equal(vlapic_pending(&vcpu[1].lapic), VECTOR);
	vioapic_set(io, PIN, false);
	/* logical: bit 0 is vCPU 0 by its LDR */
	vlapic_mmio_write(l, APIC_LDR, 4, 1u << 24);
	set_pin(PIN, BIT(11) | VECTOR);
	vioapic_set(io, PIN, true);
	assert_int_equal(handler(), VECTOR);
}

static void an_nmi_is_an_edge_whatever_its_trigger(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | DELIVER_NMI << 8);
	vioapic_set(io, PIN, true);
	assert_int_equal(nmis, 1);
	assert_false(remote_irr());
}

static void after_reset_all_is_masked_and_down(void **state)
{
	(void)state;
	set_pin(PIN, LEVEL | VECTOR);
	vioapic_set(io, PIN, true);
	vioapic_reset(io);
	assert_int_equal(rd(TABLE + 2 * PIN), MASKED);
	set_pin(PIN, LEVEL | (VECTOR + 1));
	assert_int_equal(handler(),
			 VECTOR); /* from before: the local APIC has a reset of its own */
	assert_int_equal(handler(), -1);
	assert_ptr_equal(io->vm, &vm);
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_it_is),
		TEST(all_pins_are_masked_at_first),
		TEST(an_entry_keeps_its_writable_bits),
		TEST(registers_beyond_the_table_are_nothing),
		TEST(an_edge_is_sent_when_the_line_rises),
		TEST(an_edge_on_a_masked_pin_is_lost),
		TEST(a_level_comes_again_at_eoi_as_long_as_it_is_up),
		TEST(a_level_that_moves_while_it_is_served_is_one_interrupt),
		TEST(a_masked_level_comes_when_it_is_unmasked),
		TEST(pins_that_share_a_vector_both_end_with_it),
		TEST(the_eoi_register_ends_a_level_too),
		TEST(becoming_an_edge_forgets_remote_irr),
		TEST(a_level_that_nobody_took_is_not_under_way),
		TEST(the_entry_names_the_destination),
		TEST(an_nmi_is_an_edge_whatever_its_trigger),
		TEST(after_reset_all_is_masked_and_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
