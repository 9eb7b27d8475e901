/* SPDX-License-Identifier: MIT */
/*
 * vmx_apic.c - the CPU's own local APIC for guests, and how vlapic.c and it
 * share the work [SDM 3C 29]
 *
 * What the CPU can do comes in steps, each useful without the next:
 *
 *	TPR shadow		the guest moves its task priority without an exit; it exits when that falls below what waits
 *	APIC accesses		the page at FEE00000H exits with the register's offset, instead of as a hole
 *	APIC registers		reads come from a page in memory; writes happen, and exit behind the instruction
 *	virtual interrupts	the CPU chooses and delivers what waits in that page, and ends it: no window, no exit at EOI
 *	posted interrupts	another core sets a bit in a descriptor and sends a notification: no exit at all
 *
 * The last three are on together while the guest's injection is "posted". vlapic.c stays the one
 * truth between an exit and the next entry: before each entry IRR and ISR go into the page,
 * after each exit they come back. Its irr is the descriptor itself, so what is posted meanwhile
 * the CPU takes from there.
 *
 * No posted interrupt is lost. A poster sets the bit, then ON, and sends a notification unless ON
 * was set. In the guest the CPU clears ON and takes the bits; outside, the entry clears ON first
 * and then looks at the bits. A notification that arrives outside wakes the core loop
 * (VECTOR_NOTIFY), which enters.
 */
#include "vmx.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/mem.h"
#include "kernel/trap.h"
#include "kernel/x86.h"
#include "nested.h"
#include "vlapic.h"
#include "vlapic_regs.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

struct vmm_feature vmx_features[VMX_FEATURES + 1] = {
	[VMX_EPT] = { .name = "ept",
		      .help = "guest memory by tables of Weir's",
		      .needed = "no guest without" },
	[VMX_UNRESTRICTED] = { .name = "unrestricted-guest",
			       .help = "real mode, and protected mode without paging",
			       .needed = "further CPUs of a guest begin there" },
	[VMX_TPR_SHADOW] = { .name = "tpr-shadow", .help = "task priority without exits" },
	[VMX_APIC_ACCESSES] = { .name = "apic-accesses",
				.help = "the local APIC's page exits by offset",
				.needed = "the page is mapped in each guest" },
	[VMX_APIC_REGISTERS] = { .name = "apic-registers",
				 .help = "its registers are read without exits" },
	[VMX_VIRTUAL_INTERRUPTS] = { .name = "virtual-interrupts",
				     .help = "the CPU delivers what waits" },
	[VMX_POSTED_INTERRUPTS] = { .name = "posted-interrupts",
				    .help = "what another core posts is taken without an exit" },
	[VMX_PREEMPTION_TIMER] = { .name = "preemption-timer",
				   .help = "ends a slice without a timer of Weir's" },
	[VMX_VPID] = { .name = "vpid", .help = "TLB entries outlive exits" },
};

#define SECONDARY_APIC                                                           \
	(SECONDARY_APIC_ACCESSES | SECONDARY_X2APIC | SECONDARY_APIC_REGISTERS | \
	 SECONDARY_VIRTUAL_INTERRUPTS)

static uint32_t *page_reg(struct vmx_vcpu *x, uint32_t offset)
{
	return &x->apic_page[offset / sizeof(uint32_t)];
}

/* one of eight words of IRR, ISR or TMR, which stand 16 bytes apart */
static uint32_t *page_word(struct vmx_vcpu *x, uint32_t first, unsigned w)
{
	return page_reg(x, first + 16 * w);
}

/*
 * vmx_apic_allow() - what the CPU does about an MSR of x2APIC's needs no exit. It would let
 * those be read that cannot be.
 */
void vmx_apic_allow(uint8_t *bitmap, void (*allow)(uint8_t *bitmap, uint32_t msr, bool write))
{
	static const uint32_t reads[] = { APIC_ID,  APIC_VERSION, APIC_TPR, APIC_PPR,
					  APIC_LDR, APIC_SVR,     APIC_ESR };
	static const uint32_t writes[] = { APIC_TPR, APIC_EOI, APIC_SELF_IPI };

	for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
		allow(bitmap, MSR_X2APIC + reads[i] / 16, false);
	for (unsigned reg = APIC_ISR; reg < APIC_ESR; reg += 16)
		allow(bitmap, MSR_X2APIC + reg / 16, false);
	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
		allow(bitmap, MSR_X2APIC + writes[i] / 16, true);
}

/*
 * vmx_apic_vm_create() - the page that stands at VLAPIC_BASE: never read or written,
 * its address is what counts.
 */
int vmx_apic_vm_create(uint64_t *ept, const struct nested_bits *bits, void **page)
{
	if (!vmx_features[VMX_APIC_ACCESSES].has)
		return 0;
	*page = mem_try_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!*page)
		return -ENOMEM;
	memset(*page, 0, PAGE_SIZE);
	return nested_map_page(ept, VLAPIC_BASE, (uint64_t)*page, bits) ? 0 : -ENOMEM;
}

/* --- which of it is on --- */

static bool wants_live(const struct vcpu *v)
{
	/* relaxed: its core alone sets it */
	return atomic_load_explicit(&v->injection.mode, memory_order_relaxed) == INJECTION_POSTED &&
	       vmx_has(VMX_APIC_REGISTERS) && vmx_has(VMX_VIRTUAL_INTERRUPTS) &&
	       (v->lapic.apic_base & APIC_BASE_ENABLE);
}

/*
 * controls() - for the mode that the guest's APIC is in. An access to its page exits in every mode,
 * and vlapic.c knows whether anybody is there; but live and by MSRs the two exclude each other, and
 * the page is plain memory then [26.2.1.1].
 */
static uint32_t controls(const struct vcpu *v, bool live)
{
	uint32_t bits = live ? SECONDARY_APIC_REGISTERS | SECONDARY_VIRTUAL_INTERRUPTS : 0;

	if (live && (v->lapic.apic_base & APIC_BASE_X2APIC))
		return bits | SECONDARY_X2APIC;
	return bits | (vmx_features[VMX_APIC_ACCESSES].has ? SECONDARY_APIC_ACCESSES : 0);
}

static void set_mode(struct vcpu *v, struct vmx_vcpu *x)
{
	bool live = wants_live(v);
	bool posted = live && vmx_has(VMX_POSTED_INTERRUPTS);
	bool shadow = live || vmx_has(VMX_TPR_SHADOW);
	uint32_t secondary = controls(v, live);

	vmx_set(VMCS_PRIMARY_CONTROLS, &x->primary,
		PRIMARY_TPR_SHADOW | PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE,
		shadow ? PRIMARY_TPR_SHADOW : PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE);
	vmx_set(VMCS_PIN_BASED_CONTROLS, &x->pin, PIN_POSTED_INTERRUPTS,
		posted ? PIN_POSTED_INTERRUPTS : 0);
	if (likely((x->secondary & SECONDARY_APIC) == secondary && v->irqs_by_cpu == live &&
		   x->posted == posted))
		return;
	vmx_set(VMCS_SECONDARY_CONTROLS, &x->secondary, SECONDARY_APIC, secondary);
	vmwrite(VMCS_MSR_BITMAP,
		(uint64_t)(secondary & SECONDARY_X2APIC ? vmx_msr_bitmap_x2apic : vmx_msr_bitmap));
	/*
	 * live, the CPU opens its own; ceasing to be, what still waits is looked at
	 * as soon as it can be taken
	 */
	if (live != v->irqs_by_cpu)
		vmx_set(VMCS_PRIMARY_CONTROLS, &x->primary, PRIMARY_INTERRUPT_WINDOW,
			live ? 0 : PRIMARY_INTERRUPT_WINDOW);
	v->irqs_by_cpu = live;
	x->stale = true;
	/* release: who posts from now on may leave it to the CPU */
	atomic_store_explicit(&x->posted, posted, memory_order_release);
	vmx_flush(v); /* what stands at VLAPIC_BASE may have changed */
}

/* --- the state, into the page and back --- */

/* give_irr() - what waits goes from vlapic's words into the page. Returns the highest of all. */
static unsigned give_irr(struct vlapic *l, struct vmx_vcpu *x)
{
	unsigned highest = 0;

	for (unsigned w = 0; w < VLAPIC_WORDS; w++) {
		uint32_t bits = atomic_load_explicit(&l->irr[w], memory_order_relaxed);

		/*
		 * acquire: pairs with the release in vlapic_post; the trigger
		 * was set before the vector
		 */
		if (bits)
			bits = atomic_exchange_explicit(&l->irr[w], 0, memory_order_acquire);
		*page_word(x, APIC_IRR, w) = bits;
		if (bits)
			highest = 32 * w + 31 - __builtin_clz(bits);
	}
	return highest;
}

static unsigned give_isr(const struct vlapic *l, struct vmx_vcpu *x)
{
	unsigned highest = 0;

	for (unsigned w = 0; w < VLAPIC_WORDS; w++) {
		*page_word(x, APIC_ISR, w) = l->isr[w];
		if (l->isr[w])
			highest = 32 * w + 31 - __builtin_clz(l->isr[w]);
	}
	return highest;
}

/* give_tmr() - the ends of level-triggered interrupts exit: the IOAPIC wants to know. */
static void give_tmr(struct vlapic *l, struct vmx_vcpu *x)
{
	for (unsigned i = 0; i < ARRAY_SIZE(x->eoi_exits); i++) {
		uint64_t low = atomic_load_explicit(&l->tmr[2 * i], memory_order_relaxed);
		uint64_t high = atomic_load_explicit(&l->tmr[2 * i + 1], memory_order_relaxed);

		*page_word(x, APIC_TMR, 2 * i) = low;
		*page_word(x, APIC_TMR, 2 * i + 1) = high;
		if (atomic_load_explicit(&x->eoi_exits[i], memory_order_relaxed) ==
		    (high << 32 | low))
			continue;
		vmwrite(VMCS_EOI_EXIT_BITMAP_0 + 2 * i, high << 32 | low);
		atomic_store_explicit(&x->eoi_exits[i], high << 32 | low, memory_order_relaxed);
	}
}

/* may_have_written() - a register of the local APIC, so that the page no longer shows it. */
static bool may_have_written(const struct vcpu_exit *e)
{
	return e->reason == EXIT_WRMSR || e->reason == EXIT_MMIO || e->reason == EXIT_APIC_WRITE;
}

static void give_all(struct vcpu *v, struct vmx_vcpu *x)
{
	struct vlapic *l = &v->lapic;
	unsigned waits, served;

	/* before the bits are looked at: seq_cst, for whoever sets a bit and then looks at ON */
	if (atomic_load_explicit(&l->posted, memory_order_relaxed) & POSTED_ON)
		atomic_fetch_and(&l->posted, ~POSTED_ON);
	waits = give_irr(l, x);
	served = give_isr(l, x);
	give_tmr(l, x);
	vmwrite(VMCS_GUEST_INTERRUPT_STATUS,
		FIELD_PREP(STATUS_RVI, waits) | FIELD_PREP(STATUS_SVI, served));
	if (x->stale || may_have_written(&v->exit))
		vlapic_to_page(l, x->apic_page);
	x->stale = false;
}

void vmx_apic_enter(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);
	uint32_t threshold = x->wants_cr8 ? v->lapic.tpr >> 4 : 0;

	set_mode(v, x);
	*page_reg(x, APIC_TPR) = v->lapic.tpr;
	if (unlikely(v->irqs_by_cpu)) {
		give_all(v, x);
	} else if (unlikely(x->tpr_threshold != threshold)) {
		x->tpr_threshold = threshold;
		vmwrite(VMCS_TPR_THRESHOLD, threshold);
	}
}

/*
 * take_all() - what still waits, and what is served: vlapic.c's again. And the destination of an
 * IPI in xAPIC mode, the one register that the guest writes without an exit and the CPU does
 * nothing about [29.4.3.2].
 */
static void take_all(struct vlapic *l, struct vmx_vcpu *x)
{
	l->icr_high = *page_reg(x, APIC_ICR_HIGH);
	for (unsigned w = 0; w < VLAPIC_WORDS; w++) {
		uint32_t waits = *page_word(x, APIC_IRR, w), served = *page_word(x, APIC_ISR, w);

		if (waits)
			vlapic_put_back(l, w, waits);
		l->isr[w] = served;
		l->isr_words = served ? l->isr_words | BIT(w) : l->isr_words & ~BIT(w);
	}
}

void vmx_apic_left(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);

	if (likely(x->primary & PRIMARY_TPR_SHADOW))
		v->lapic.tpr = *page_reg(x, APIC_TPR);
	if (unlikely(v->irqs_by_cpu))
		take_all(&v->lapic, x);
}

void vmx_apic_reset(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);
	struct vlapic *l = &v->lapic;

	memset(x->apic_page, 0, PAGE_SIZE);
	x->tpr_threshold = 0;
	v->irqs_by_cpu = false;
	atomic_store_explicit(&x->posted, false, memory_order_relaxed);
	atomic_store_explicit(&l->posted,
			      FIELD_PREP(POSTED_VECTOR, VECTOR_NOTIFY) |
				      FIELD_PREP(POSTED_DEST, cpus[v->cpu]->apic_id),
			      memory_order_relaxed);
	vmwrite(VMCS_VIRTUAL_APIC_ADDRESS, (uint64_t)x->apic_page);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	vmwrite(VMCS_POSTED_INTERRUPT_VECTOR, VECTOR_NOTIFY);
	vmwrite(VMCS_POSTED_INTERRUPT_DESCRIPTOR, (uint64_t)l->irr);
	for (unsigned i = 0; i < ARRAY_SIZE(x->eoi_exits); i++) {
		atomic_store_explicit(&x->eoi_exits[i], 0, memory_order_relaxed);
		vmwrite(VMCS_EOI_EXIT_BITMAP_0 + 2 * i, 0);
	}
}

/*
 * misses_end() - is there a level-triggered vector of whose end the CPU would not tell? It became
 * one since the last entry: taken without an exit, it would be ended without one as well, and the
 * IOAPIC would wait for that for ever.
 */
static bool misses_end(const struct vlapic *l, const struct vmx_vcpu *x)
{
	/*
	 * relaxed: the trigger was set by this core, or before the vector that another one
	 * posted and tells of itself
	 */
	for (unsigned w = 0; w < VLAPIC_WORDS; w++) {
		uint32_t level = atomic_load_explicit(&l->tmr[w], memory_order_relaxed);
		uint64_t exits = atomic_load_explicit(&x->eoi_exits[w / 2], memory_order_relaxed);

		if (level & ~(uint32_t)(exits >> 32 * (w % 2)))
			return true;
	}
	return false;
}

/* On its own core it does not run now, and the next entry looks. */
bool vmx_apic_notify(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);

	/* acquire: pairs with the release in set_mode() */
	if (!atomic_load_explicit(&x->posted, memory_order_acquire))
		return false;
	if (v->cpu == this_cpu()->id)
		return true;
	if (unlikely(misses_end(&v->lapic, x)))
		return false;
	if (!(atomic_fetch_or(&v->lapic.posted, POSTED_ON) & POSTED_ON))
		apic_ipi(cpus[v->cpu]->apic_id, VECTOR_NOTIFY);
	return true;
}
