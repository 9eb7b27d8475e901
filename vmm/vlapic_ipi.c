/* SPDX-License-Identifier: MIT */
/*
 * vlapic_ipi.c - who is meant by an interrupt that names its destination: IPI, MSI, pin of
 * the IOAPIC [SDM 3A 11.6]
 *
 * Called on any core. It reads of other vCPUs only mode, enable bit and logical ID, which are
 * atomic; a guest that changes them while it is sent to gets the interrupt by the old ones or by
 * the new.
 */
#include "vlapic_parts.h"

#include "vm.h"

enum { DEST_BITS_XAPIC = 8 };
#define DEST_ALL_XAPIC BITS(DEST_BITS_XAPIC - 1, 0)
#define DEST_ALL       UINT32_MAX

/* the halves of an 8-bit logical destination in the cluster model [11.6.2.2] */
#define DEST_CLUSTER BITS(7, 4)
#define DEST_MEMBERS BITS(3, 0)

struct message {
	uint32_t dest; /* DEST_ALL: all of them */
	bool logical, level;
	enum apic_delivery mode;
	uint8_t vector;
	const struct vlapic *from; /* the vCPU that sends it; NULL: a device */
	bool others;               /* but not to that */
};

static uint32_t widen(uint32_t dest)
{
	return dest == DEST_ALL_XAPIC ? DEST_ALL : dest;
}

static bool logical_x2(const struct vlapic *l, uint32_t dest)
{
	uint32_t ldr = vlapic_x2_ldr(l->vcpu->id);

	return FIELD_GET(LDR_X2_CLUSTER, ldr) == FIELD_GET(LDR_X2_CLUSTER, dest) &&
	       (FIELD_GET(LDR_X2_MEMBERS, ldr) & dest);
}

static bool logical_xapic(const struct vlapic *l, uint32_t dest)
{
	uint32_t ldr = FIELD_GET(LDR_XAPIC, atomic_load_explicit(&l->ldr, memory_order_relaxed));
	uint32_t dfr = atomic_load_explicit(&l->dfr, memory_order_relaxed);

	if (FIELD_GET(DFR_MODEL, dfr) == DFR_FLAT)
		return ldr & dest;
	return dest <= DEST_ALL_XAPIC &&
	       FIELD_GET(DEST_CLUSTER, ldr) == FIELD_GET(DEST_CLUSTER, dest) &&
	       (FIELD_GET(DEST_MEMBERS, ldr) & dest);
}

static bool is_meant(const struct vlapic *l, const struct message *m)
{
	unsigned mode = vlapic_mode(l);

	if (mode == APIC_MODE_OFF || (m->others && l == m->from))
		return false;
	if (m->dest == DEST_ALL)
		return true;
	if (!m->logical)
		return m->dest == l->vcpu->id;
	return mode == APIC_MODE_X2APIC ? logical_x2(l, m->dest) : logical_xapic(l, m->dest);
}

/* receive() - true: it took the message. */
static bool receive(struct vlapic *l, const struct message *m)
{
	switch (m->mode) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		if (!vlapic_enabled(l))
			return false;
		vlapic_post(l, m->vector, m->level);
		return true;
	case DELIVER_NMI: vcpu_signal_nmi(l->vcpu); return true;
	case DELIVER_INIT: vcpu_signal_init(l->vcpu); return true;
	case DELIVER_STARTUP:
		if (!m->from) /* no device's to send [SDM 3A 11.11.2] */
			break;
		vcpu_signal_startup(l->vcpu, m->vector);
		return true;
	/* there is no SMM, and no 8259 to ask for a vector */
	case DELIVER_SMI:
	case DELIVER_EXTINT: break;
	}
	return false;
}

/*
 * make_room() - of one whose turn can come only when the sender's is over:
 * that may be waiting for it.
 */
static void make_room(const struct vlapic *l, const struct message *m)
{
	if (m->from && m->from != l && m->from->vcpu->cpu == l->vcpu->cpu)
		vcpu_give_way(m->from->vcpu, l->vcpu);
}

/*
 * send() - lowest priority is whoever comes first: a guest's vCPUs have no
 * priorities that Weir would know.
 */
static unsigned send(struct vm *vm, const struct message *m)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < vm->nvcpus; i++) {
		struct vlapic *l = &vm->vcpu[i]->lapic;

		if (is_meant(l, m) && receive(l, m)) {
			sent++;
			make_room(l, m);
		}
		if (sent && m->mode == DELIVER_LOWEST)
			break;
	}
	return sent;
}

unsigned vlapic_deliver(struct vm *vm, uint32_t dest, bool logical, unsigned mode, uint8_t vector,
			bool level)
{
	struct message m = {
		.dest = widen(dest),
		.logical = logical,
		.level = level,
		.mode = mode,
		.vector = vector,
	};

	return send(vm, &m);
}

/* address and data are guest-controlled; who sends has copied them */
unsigned vlapic_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	/* elsewhere it would be a write to memory, which no device of ours does by its interrupt */
	if ((address & MSI_ADDRESS_FIXED) != MSI_ADDRESS)
		return 0;
	return vlapic_deliver(vm, FIELD_GET(MSI_DEST, address), address & MSI_LOGICAL,
			      FIELD_GET(MSI_MODE, data), FIELD_GET(MSI_VECTOR, data),
			      data & MSI_LEVEL);
}

void vlapic_ipi(struct vlapic *l, uint32_t dest, uint32_t icr)
{
	struct message m = {
		.dest = vlapic_mode(l) == APIC_MODE_XAPIC ? widen(dest) : dest,
		.logical = icr & ICR_LOGICAL,
		.mode = FIELD_GET(ICR_MODE, icr),
		.vector = FIELD_GET(ICR_VECTOR, icr),
		.from = l,
	};

	/*
	 * "INIT level de-assert" did something to the first local APICs, and is
	 * still sent [SDM 3A 11.6.1]
	 */
	if (m.mode == DELIVER_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
		return;
	if ((m.mode == DELIVER_FIXED || m.mode == DELIVER_LOWEST) && m.vector < APIC_FIRST_VECTOR) {
		vlapic_error(l, ESR_SEND_ILLEGAL);
		return;
	}
	switch (FIELD_GET(ICR_SHORTHAND, icr)) {
	case SHORTHAND_SELF: receive(l, &m); return;
	case SHORTHAND_OTHERS: m.others = true; /* fall through */
	case SHORTHAND_ALL: m.dest = DEST_ALL; break;
	}
	send(l->vcpu->vm, &m);
}
