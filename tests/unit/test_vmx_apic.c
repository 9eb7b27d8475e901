/* SPDX-License-Identifier: MIT */
/* links: vmm/vmx_apic.c vmm/vlapic.c vmm/vlapic_access.c vmm/vlapic_ipi.c vmm/vlapic_timer.c vmm/vioapic.c kernel/timer.c kernel/softirq.c tests/unit/fake_vmx.c tests/unit/host.c */
/*
 * test_vmx_apic.c - what the CPU's local APIC for guests and vlapic.c hand to each other round an
 * entry, and who tells the CPU that something was posted
 *
 * The CPU's part, delivery and EOI on the page, is played by the tests [SDM 3C 29.2].
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/softirq.h"
#include "kernel/trap.h"
#include "tests/unit/fake_vmx.h"
#include "vmm/nested.h"
#include "vmm/vlapic_regs.h"
#include "vmm/vm.h"

enum { LOW = 0x31, HIGH = 0xc2, LEVEL = 0x55 };

uint8_t *vmx_msr_bitmap = (uint8_t *)0x1000, *vmx_msr_bitmap_x2apic = (uint8_t *)0x2000;

static uint32_t page[PAGE_SIZE / sizeof(uint32_t)];
static struct vmx_vcpu hw;
static struct vm vm;
static struct vcpu v;
static struct vlapic *const l = &v.lapic;
static unsigned flushes, notifications, kicks;

/* --- stand-ins --- */

void vmx_flush(const struct vcpu *u)
{
	(void)u;
	flushes++;
}

bool nested_map_page(uint64_t *root, uint64_t gpa, uint64_t to, const struct nested_bits *bits)
{
	(void)root, (void)to, (void)bits;
	assert_int_equal(gpa, VLAPIC_BASE);
	return true;
}

void apic_ipi(uint32_t apic_id, uint8_t vector)
{
	(void)apic_id;
	assert_int_equal(vector, VECTOR_NOTIFY);
	notifications++;
}

void injection_notify(struct vcpu *u)
{
	if (!vmx_apic_notify(u))
		kicks++;
}

void injection_stamp(struct injection *in, uint8_t vector)
{
	(void)in, (void)vector;
}

void injection_enter(struct injection *in, uint8_t vector)
{
	(void)in, (void)vector;
}

void vcpu_signal_nmi(struct vcpu *u)
{
	(void)u;
}

void vcpu_signal_init(struct vcpu *u)
{
	(void)u;
}

void vcpu_signal_startup(struct vcpu *u, uint8_t at)
{
	(void)u, (void)at;
}

void vcpu_give_way(struct vcpu *u, const struct vcpu *to)
{
	(void)u, (void)to;
}

/* --- the CPU's hands --- */

static uint32_t *reg(uint32_t offset)
{
	return &page[offset / sizeof(uint32_t)];
}

static uint32_t *word(uint32_t first, uint8_t vector)
{
	return reg(first + 16 * (vector / 32));
}

static void cpu_delivers(uint8_t vector)
{
	assert_true(*word(APIC_IRR, vector) & BIT(vector % 32));
	*word(APIC_IRR, vector) &= ~BIT(vector % 32);
	*word(APIC_ISR, vector) |= BIT(vector % 32);
}

static void cpu_ends(uint8_t vector)
{
	*word(APIC_ISR, vector) &= ~BIT(vector % 32);
}

static unsigned rvi(void)
{
	return FIELD_GET(STATUS_RVI, fake_vmcs[VMCS_GUEST_INTERRUPT_STATUS]);
}

static unsigned svi(void)
{
	return FIELD_GET(STATUS_SVI, fake_vmcs[VMCS_GUEST_INTERRUPT_STATUS]);
}

/* --- fixture: a vCPU of core 1 in xAPIC mode, on a CPU that has everything; this is core 0 --- */

static struct cpu core[2] = { { .id = 0 }, { .id = 1, .apic_id = 7 } };

static int start(void **state)
{
	(void)state;
	fake_vmx_guest_64();
	memset(page, 0, sizeof(page));
	v = (struct vcpu){ .vm = &vm, .cpu = 1, .hw = &hw };
	hw = (struct vmx_vcpu){ .apic_page = page, .primary = PRIMARY_TPR_SHADOW };
	vm = (struct vm){ .nvcpus = 1, .vcpu = { &v } };
	for (unsigned i = 0; i < VMX_FEATURES; i++)
		vmx_features[i].has = vmx_features[i].on = true;
	cpus[0] = host_this_cpu = &core[0];
	cpus[1] = &core[1];
	vlapic_init(l, &v);
	vlapic_mmio_write(l, APIC_SVR, 4, SVR_ENABLE | 0xff);
	vmx_apic_reset(&v);
	flushes = notifications = kicks = 0;
	return 0;
}

static void posted_mode(void)
{
	atomic_store(&v.injection.mode, INJECTION_POSTED);
}

/* --- kick: the CPU knows of the task priority alone --- */

static void by_kicks_nothing_is_left_to_the_cpu(void **state)
{
	(void)state;
	vmx_apic_enter(&v);
	assert_false(v.irqs_by_cpu);
	assert_int_equal(hw.secondary, SECONDARY_APIC_ACCESSES);
	assert_int_equal(hw.pin & PIN_POSTED_INTERRUPTS, 0);
	vlapic_post(l, LOW, false);
	assert_int_equal(kicks, 1);
	assert_int_equal(notifications, 0);
	assert_int_equal(vlapic_pending(l), LOW);
}

static void the_task_priority_goes_both_ways(void **state)
{
	(void)state;
	l->tpr = 0x50;
	vmx_apic_enter(&v);
	assert_int_equal(*reg(APIC_TPR), 0x50);
	*reg(APIC_TPR) = 0x20;
	vmx_apic_left(&v);
	assert_int_equal(l->tpr, 0x20);
}

/* The entry is refused where the threshold is above the priority itself [26.2.1.1]. */
static void the_threshold_is_never_above_the_priority(void **state)
{
	(void)state;
	l->tpr = 0x80;
	hw.wants_cr8 = true;
	vmx_apic_enter(&v);
	assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 8);
	l->tpr = 0x30; /* by an exit of its own */
	vmx_apic_enter(&v);
	assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 3);
	hw.wants_cr8 = false;
	vmx_apic_enter(&v);
	assert_int_equal(fake_vmcs[VMCS_TPR_THRESHOLD], 0);
}

static void without_a_shadow_cr8_exits(void **state)
{
	(void)state;
	vmx_features[VMX_TPR_SHADOW].on = false;
	vmx_apic_enter(&v);
	assert_int_equal(hw.primary, PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE);
	*reg(APIC_TPR) = 0x70; /* nobody's */
	vmx_apic_left(&v);
	assert_int_equal(l->tpr, 0);
}

/* --- posted: all of it --- */

static void what_waits_and_what_is_served_goes_and_comes_back(void **state)
{
	(void)state;
	posted_mode();
	vlapic_post(l, LOW, false);
	vlapic_post(l, HIGH, false);
	vmx_apic_enter(&v);
	assert_true(v.irqs_by_cpu);
	assert_int_equal(rvi(), HIGH);
	assert_int_equal(svi(), 0);
	assert_int_equal(vlapic_pending(l), -1);

	cpu_delivers(HIGH);
	vmx_apic_left(&v);
	assert_int_equal(vlapic_pending(l), -1); /* the one that is served is higher */
	vmx_apic_enter(&v);
	assert_int_equal(rvi(), LOW);
	assert_int_equal(svi(), HIGH);

	cpu_ends(HIGH);
	vmx_apic_left(&v);
	assert_int_equal(vlapic_pending(l), LOW);
	vmx_apic_enter(&v);
	cpu_delivers(LOW);
	cpu_ends(LOW);
	vmx_apic_left(&v);
	assert_int_equal(vlapic_pending(l), -1);
	assert_int_equal(l->isr_words, 0);
}

static void another_core_notifies_once_until_the_entry(void **state)
{
	(void)state;
	posted_mode();
	vmx_apic_enter(&v);
	vlapic_post(l, LOW, false);
	vlapic_post(l, HIGH, false);
	assert_int_equal(notifications, 1);
	assert_int_equal(kicks, 0);
	assert_true(l->posted & POSTED_ON);

	vmx_apic_left(&v);
	vmx_apic_enter(&v); /* ON goes first, then the bits are looked at */
	assert_false(l->posted & POSTED_ON);
	assert_int_equal(rvi(), HIGH);
	vlapic_post(l, LEVEL, false);
	assert_int_equal(notifications, 2);
}

static void its_own_core_notifies_nobody(void **state)
{
	(void)state;
	posted_mode();
	vmx_apic_enter(&v);
	host_this_cpu = &core[1];
	vlapic_post(l, LOW, false);
	assert_int_equal(notifications + kicks, 0);
	vmx_apic_left(&v);
	vmx_apic_enter(&v);
	assert_int_equal(rvi(), LOW);
}

static void the_descriptor_is_where_vlapic_keeps_what_waits(void **state)
{
	(void)state;
	assert_int_equal(fake_vmcs[VMCS_POSTED_INTERRUPT_DESCRIPTOR], (uint64_t)l->irr);
	assert_int_equal(fake_vmcs[VMCS_POSTED_INTERRUPT_VECTOR], VECTOR_NOTIFY);
	assert_int_equal((uint64_t)l->irr % 64, 0);
	assert_int_equal((uint64_t)&l->posted - (uint64_t)l->irr, 32);
	assert_int_equal(FIELD_GET(POSTED_DEST, l->posted), 7);
	assert_int_equal(FIELD_GET(POSTED_VECTOR, l->posted), VECTOR_NOTIFY);
}

static void the_end_of_a_level_triggered_one_exits(void **state)
{
	(void)state;
	posted_mode();
	vlapic_post(l, LEVEL, true);
	vlapic_post(l, LOW, false);
	vmx_apic_enter(&v);
	assert_int_equal(fake_vmcs[VMCS_EOI_EXIT_BITMAP_0], 0);
	assert_int_equal(fake_vmcs[VMCS_EOI_EXIT_BITMAP_1], BIT(LEVEL - 64));
}

/* The CPU knows of its level as from the next entry; taken before, its end would be nobody's. */
static void one_that_becomes_level_triggered_kicks_once(void **state)
{
	(void)state;
	posted_mode();
	vmx_apic_enter(&v);
	vlapic_post(l, LEVEL, true);
	assert_int_equal(kicks, 1);
	assert_int_equal(notifications, 0);
	vlapic_post(l, LOW, false); /* nor may another one's notification bring it */
	assert_int_equal(kicks, 2);
	vmx_apic_left(&v);
	vmx_apic_enter(&v);
	cpu_delivers(LEVEL);
	cpu_ends(LEVEL);
	vlapic_post(l, LEVEL, true);
	assert_int_equal(kicks, 2);
	assert_int_equal(notifications, 1);
}

static void the_destination_is_written_without_an_exit(void **state)
{
	(void)state;
	posted_mode();
	vmx_apic_enter(&v);
	*reg(APIC_ICR_HIGH) = FIELD_PREP(ICR_HIGH_DEST, 3);
	vmx_apic_left(&v);
	assert_int_equal(vlapic_mmio_read(l, APIC_ICR_HIGH, 4), FIELD_PREP(ICR_HIGH_DEST, 3));
	vlapic_mmio_write(l, APIC_ICR_HIGH, 4, FIELD_PREP(ICR_HIGH_DEST, 2));
	v.exit.reason = EXIT_MMIO;
	vmx_apic_enter(&v);
	vmx_apic_left(&v);
	assert_int_equal(vlapic_mmio_read(l, APIC_ICR_HIGH, 4), FIELD_PREP(ICR_HIGH_DEST, 2));
}

static void without_posting_the_cpu_delivers_and_a_kick_tells_it(void **state)
{
	(void)state;
	posted_mode();
	vmx_features[VMX_POSTED_INTERRUPTS].on = false;
	vmx_apic_enter(&v);
	assert_true(v.irqs_by_cpu);
	assert_int_equal(hw.pin & PIN_POSTED_INTERRUPTS, 0);
	vlapic_post(l, LOW, false);
	assert_int_equal(kicks, 1);
	assert_int_equal(notifications, 0);
}

static void back_to_kicks_loses_nothing(void **state)
{
	(void)state;
	posted_mode();
	vlapic_post(l, LOW, false);
	vlapic_post(l, HIGH, false);
	vmx_apic_enter(&v);
	cpu_delivers(HIGH);
	vmx_apic_left(&v);
	atomic_store(&v.injection.mode, INJECTION_KICK);
	vmx_apic_enter(&v);
	assert_false(v.irqs_by_cpu);
	assert_int_equal(hw.secondary, SECONDARY_APIC_ACCESSES);
	/* nothing was injected for this entry yet */
	assert_true(hw.primary & PRIMARY_INTERRUPT_WINDOW);
	vlapic_mmio_write(l, APIC_EOI, 4, 0);
	assert_int_equal(vlapic_pending(l), LOW);
}

static void in_x2apic_mode_msrs_take_the_place_of_the_page(void **state)
{
	(void)state;
	assert_int_equal(
		vlapic_wrmsr(l, MSR_APIC_BASE, VLAPIC_BASE | APIC_BASE_ENABLE | APIC_BASE_X2APIC),
		0);
	vmx_apic_enter(&v);
	assert_int_equal(hw.secondary,
			 SECONDARY_APIC_ACCESSES); /* nobody is there: it reads all ones */
	posted_mode();
	vmx_apic_enter(&v);
	assert_int_equal(hw.secondary, SECONDARY_X2APIC | SECONDARY_APIC_REGISTERS |
					       SECONDARY_VIRTUAL_INTERRUPTS);
	assert_int_equal(fake_vmcs[VMCS_MSR_BITMAP], (uint64_t)vmx_msr_bitmap_x2apic);
	atomic_store(&v.injection.mode, INJECTION_KICK);
	vmx_apic_enter(&v);
	assert_int_equal(fake_vmcs[VMCS_MSR_BITMAP], (uint64_t)vmx_msr_bitmap);
}

static void registers_that_the_guest_reads_are_in_the_page(void **state)
{
	uint32_t id = 0;

	(void)state;
	posted_mode();
	vlapic_mmio_write(l, APIC_LVT_LINT0, 4, LVT_MASKED | LOW);
	vmx_apic_enter(&v);
	assert_int_equal(*reg(APIC_LVT_LINT0), LVT_MASKED | LOW);
	assert_int_equal(*reg(APIC_SVR), SVR_ENABLE | 0xff);
	assert_int_equal(FIELD_GET(XAPIC_ID, *reg(APIC_ID)), id);
	assert_int_equal(*reg(APIC_VERSION), vlapic_mmio_read(l, APIC_VERSION, 4));
}

static void a_register_written_in_an_exit_is_in_the_page_at_the_next_entry(void **state)
{
	(void)state;
	posted_mode();
	vmx_apic_enter(&v);
	vmx_apic_left(&v);
	v.exit.reason = EXIT_APIC_WRITE;
	vlapic_written(l, APIC_LVT_LINT1, LVT_MASKED | HIGH);
	vmx_apic_enter(&v);
	assert_int_equal(*reg(APIC_LVT_LINT1), LVT_MASKED | HIGH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(by_kicks_nothing_is_left_to_the_cpu),
		T(the_task_priority_goes_both_ways),
		T(the_threshold_is_never_above_the_priority),
		T(without_a_shadow_cr8_exits),
		T(what_waits_and_what_is_served_goes_and_comes_back),
		T(another_core_notifies_once_until_the_entry),
		T(its_own_core_notifies_nobody),
		T(the_descriptor_is_where_vlapic_keeps_what_waits),
		T(the_end_of_a_level_triggered_one_exits),
		T(one_that_becomes_level_triggered_kicks_once),
		T(the_destination_is_written_without_an_exit),
		T(without_posting_the_cpu_delivers_and_a_kick_tells_it),
		T(back_to_kicks_loses_nothing),
		T(in_x2apic_mode_msrs_take_the_place_of_the_page),
		T(registers_that_the_guest_reads_are_in_the_page),
		T(a_register_written_in_an_exit_is_in_the_page_at_the_next_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
