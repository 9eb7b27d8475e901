/* SPDX-License-Identifier: MIT */
/*
 * gva.c - a walk through a guest's page tables, as its own CPU does it [SDM 3A 4]
 *
 * Called by emulate.c and the back end for what an exit's instruction needs, on the vCPU's core.
 * Owns nothing. The tables are guest-controlled: an entry is read once, and each address in it goes
 * through gpa.h. Entries that a CPU keeps in its TLB may say something else by now; a guest that
 * changes them under a running access loses that race against itself alone.
 *
 * Five-level paging is never offered to a guest, and neither are protection keys.
 */
#include "gva.h"

#include "kernel/x86.h"
#include "vm.h"

#include <errno.h>
#include <stdatomic.h>

#define CR3_TABLE     BITS(51, 12)
#define CR3_TABLE_PAE BITS(31, 5)
#define CR3_TABLE_32  BITS(31, 12)
#define RFLAGS_AC     BIT(18)

/* error code of a page fault [SDM 3A 4.7] */
#define PF_P    BIT(0) /* the page is there */
#define PF_W    BIT(1)
#define PF_US   BIT(2)
#define PF_RSVD BIT(3)

/* an entry, whatever its level [SDM 3A tables 4-5 to 4-20] */
#define PTE_P        BIT(0)
#define PTE_RW       BIT(1)
#define PTE_US       BIT(2)
#define PTE_A        BIT(5)
#define PTE_D        BIT(6)
#define PTE_PS       BIT(7) /* a page, where the next table would be */
#define PTE_ADDR     BITS(51, 12)
#define PDE_32_ADDR  BITS(31, 22) /* of a page of 4 MiB */
#define PDE_32_UPPER BITS(20, 13) /* bits 39 to 32 of its address */

enum { PT = 12, PD = 21, PDPT = 30, PML4 = 39, PD_32 = 22 }; /* bit where the index begins */

/* a paging mode */
struct paging {
	unsigned top;        /* where the index into the first table begins */
	unsigned index_bits; /* in each table; what is above the first index was checked before */
	unsigned entry;      /* bytes */
	uint64_t large;      /* BIT(level): an entry may be a page */
};

static const struct paging four_level = { PML4, 9, 8, BIT(PDPT) | BIT(PD) };
static const struct paging pae = { PDPT, 9, 8, BIT(PD) };
static const struct paging two_level_pse = { PD_32, 10, 4, BIT(PD_32) };
static const struct paging two_level = { PD_32, 10, 4, 0 };

struct walk {
	const struct paging *paging;
	uint64_t table; /* physical; of the first level */
	uint64_t linear;
	uint64_t rights; /* PTE_RW and PTE_US as all levels allow */
	uint64_t entry;  /* the last one: the page's */
	void *entry_at;  /* in our memory */
	uint64_t gpa;
};

/* The last entry names a page. */
static uint64_t page_address(const struct paging *p, uint64_t entry, unsigned level)
{
	if (level == PD_32)
		return (entry & PDE_32_ADDR) | FIELD_GET(PDE_32_UPPER, entry) << 32;
	return entry & PTE_ADDR & ~(BIT(level) - 1) & (p->entry == 4 ? UINT32_MAX : UINT64_MAX);
}

/*
 * read_entry() - once; -ENOENT: absent, -EIO: in no memory. PAE's first entries have
 * no rights [SDM 3A 4.4.1]
 */
static int read_entry(struct vcpu *v, struct walk *w, uint64_t at, unsigned level)
{
	bool narrow = w->paging->entry == sizeof(uint32_t);

	w->entry_at = gpa_ptr(&v->vm->mem, at, w->paging->entry);
	if (!w->entry_at)
		return -EIO;
	/* volatile: what was checked is what is used */
	w->entry = narrow ? *(volatile uint32_t *)w->entry_at : *(volatile uint64_t *)w->entry_at;
	if (w->paging != &pae || level != PDPT)
		w->rights &= w->entry;
	return w->entry & PTE_P ? 0 : -ENOENT;
}

/* walk() - 0; as read_entry() says; or -EINVAL: a reserved bit is set. */
static int walk(struct vcpu *v, struct walk *w)
{
	const struct paging *p = w->paging;
	uint64_t table = w->table;
	int err;

	for (unsigned level = p->top;; level -= p->index_bits) {
		uint64_t index = w->linear >> level & (BIT(p->index_bits) - 1);

		err = read_entry(v, w, table + index * p->entry, level);
		if (err)
			return err;
		if (level == PT || ((w->entry & PTE_PS) && (p->large & BIT(level)))) {
			w->gpa = page_address(p, w->entry, level) | (w->linear & (BIT(level) - 1));
			return 0;
		}
		if ((w->entry & PTE_PS) && p->entry == 8) /* reserved there */
			return -EINVAL;
		table = w->entry & PTE_ADDR & (p->entry == 4 ? UINT32_MAX : UINT64_MAX);
	}
}

static bool canonical(uint64_t linear)
{
	return (int64_t)(linear << 16) >> 16 == (int64_t)linear;
}

/* choose() - the paging mode that is switched on, and where it starts [SDM 3A 4.1.1] */
static int choose(const struct vcpu_sregs *s, struct walk *w)
{
	if (s->efer & EFER_LMA) {
		w->paging = &four_level;
		w->table = s->cr3 & CR3_TABLE;
		return canonical(w->linear) ? 0 : -ERANGE;
	}
	w->linear = (uint32_t)w->linear;
	if (s->cr4 & CR4_PAE) {
		w->paging = &pae;
		w->table = s->cr3 & CR3_TABLE_PAE;
	} else {
		w->paging = s->cr4 & CR4_PSE ? &two_level_pse : &two_level;
		w->table = s->cr3 & CR3_TABLE_32;
	}
	return 0;
}

static int translate(struct vcpu *v, const struct vcpu_sregs *s, struct walk *w)
{
	int err = choose(s, w);

	return err ? err : walk(v, w);
}

/* allowed() - may the guest itself touch this page so [SDM 3A 4.6.1]? */
static bool allowed(const struct vcpu *v, const struct vcpu_sregs *s, const struct walk *w,
		    bool write)
{
	bool user = s->cpl == 3;

	if (user && !(w->rights & PTE_US))
		return false;
	if (!user && (w->rights & PTE_US) && (s->cr4 & CR4_SMAP) && !(v->rflags & RFLAGS_AC))
		return false;
	return !write || (w->rights & PTE_RW) || (!user && !(s->cr0 & CR0_WP));
}

/*
 * The guest may be changing the entry on another core: OR, as a CPU does; 32 bits hold
 * A and D of every format.
 */
static void mark_dirty(const struct walk *w)
{
	if ((w->entry & (PTE_A | PTE_D)) != (PTE_A | PTE_D))
		__atomic_fetch_or((uint32_t *)w->entry_at, PTE_A | PTE_D, __ATOMIC_RELAXED);
}

int gva_to_gpa(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, uint64_t *gpa)
{
	struct walk w = { .linear = linear, .rights = PTE_RW | PTE_US };
	int err;

	if (!(s->cr0 & CR0_PG)) {
		*gpa = (uint32_t)linear;
		return 0;
	}
	err = translate(v, s, &w);
	*gpa = w.gpa;
	return err ? -EFAULT : 0;
}

int gva_data(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, bool write, uint64_t *gpa)
{
	struct walk w = { .linear = linear, .rights = PTE_RW | PTE_US };

	if (!(s->cr0 & CR0_PG))
		return gva_to_gpa(v, s, linear, gpa);
	if (translate(v, s, &w) || !allowed(v, s, &w, write))
		return -EFAULT;
	if (write)
		mark_dirty(&w);
	*gpa = w.gpa;
	return 0;
}

int gva_fault(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, bool write,
	      uint32_t *error)
{
	struct walk w = { .linear = linear, .rights = PTE_RW | PTE_US };
	int err = s->cr0 & CR0_PG ? translate(v, s, &w) : 0;

	*error = (write ? PF_W : 0) | (s->cpl == 3 ? PF_US : 0);
	switch (err) {
	case 0:
		*error |= PF_P;
		if (!(s->cr0 & CR0_PG))
			return -EFAULT;
		return allowed(v, s, &w, write) ? -EAGAIN : 0;
	case -ENOENT: return 0;
	case -EINVAL: *error |= PF_P | PF_RSVD; return 0;
	case -ERANGE: return err;
	default: return -EFAULT;
	}
}

enum insn_mode gva_mode(const struct vcpu_sregs *s)
{
	uint16_t attr = s->seg[SEGMENT_CS].attr;

	if ((s->efer & EFER_LMA) && (attr & SEG_L))
		return INSN_64;
	return attr & SEG_DB ? INSN_32 : INSN_16;
}

unsigned gva_fetch(struct vcpu *v, const struct vcpu_sregs *s, uint8_t *bytes, unsigned max)
{
	bool wide = gva_mode(s) == INSN_64; /* where CS has no base */
	uint64_t at = wide ? v->rip : (uint32_t)(v->rip + s->seg[SEGMENT_CS].base);
	unsigned n = 0, piece;

	for (uint64_t gpa; n < max; n += piece) {
		uint64_t linear = wide ? at + n : (uint32_t)(at + n);

		piece = MIN(max - n, PAGE_SIZE - linear % PAGE_SIZE);
		if (gva_to_gpa(v, s, linear, &gpa) || !gpa_read(&v->vm->mem, gpa, bytes + n, piece))
			break;
	}
	return n;
}
