/* SPDX-License-Identifier: MIT */
/*
 * vmx_check_parts.h - between vmx_check.c (what failed, and how it is said),
 * vmx_check_controls.c, vmx_check_host.c, vmx_check_guest.c and vmx_check_segments.c; the
 * interface for all is in vmx_check.h
 *
 * Each part goes through its rules and returns true with the first broken one told.
 */
#pragma once

#include <stdbool.h>

#include "kernel/x86.h"
#include "vmx_check.h"

struct vmx_check {
	const struct vmx_view *view;
	char *text;
	size_t size;

	/* what many rules depend on */
	uint32_t pin, primary, secondary, exit, entry;
	uint32_t event; /* VM_ENTRY_INTERRUPTION_INFO; 0 if there is nothing to inject */
	bool unrestricted;
};

struct vmx_rule {
	bool broken;
	enum vmcs_field field;
	const char *rule; /* as it should be */
};

static inline uint64_t vmx_field(const struct vmx_check *c, enum vmcs_field field)
{
	return c->view->field(field);
}

/* vmx_check_say() - @field is at fault. Always true. */
bool vmx_check_say(const struct vmx_check *c, enum vmcs_field field, const char *rule);
/* vmx_check_rules() - the first broken one of @n. */
bool vmx_check_rules(const struct vmx_check *c, const struct vmx_rule *rules, unsigned n);
/* vmx_check_bits() - all of @must are 1, and none but @may. */
bool vmx_check_bits(const struct vmx_check *c, enum vmcs_field field, uint64_t must, uint64_t may);

/*
 * addresses: beyond what the CPU has; not canonical; the same of a field, where
 * those below @align count too
 */
bool vmx_beyond(const struct vmx_check *c, uint64_t physical);
bool vmx_noncanonical(const struct vmx_check *c, enum vmcs_field field);
bool vmx_misplaced(const struct vmx_check *c, enum vmcs_field field, uint64_t align);
/* vmx_bad_pat() - a byte of it is no memory type [SDM 3A 12.12.2]. */
bool vmx_bad_pat(uint64_t pat);
/* vmx_injects() - an event of this type is to be injected. */
bool vmx_injects(const struct vmx_check *c, unsigned type);

bool vmx_check_controls(const struct vmx_check *c);
bool vmx_check_host(const struct vmx_check *c);
bool vmx_check_guest(const struct vmx_check *c);
bool vmx_check_segments(const struct vmx_check *c);

#define EFER_KNOWN  (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define RFLAGS_VM   BIT(17) /* virtual-8086 mode */
#define RIGHTS_TYPE BITS(3, 0)
#define RIGHTS_S    BIT(4)
#define RIGHTS_DPL  BITS(6, 5)
#define RIGHTS_P    BIT(7)
#define RIGHTS_DB   BIT(14)
#define RIGHTS_G    BIT(15)
