/* SPDX-License-Identifier: MIT */
/*
 * features.h - parts of the virtualisation hardware that Weir can do with and without: what
 * this machine has, what is on
 *
 * The rows are the back end's (backend.h), which looks at them where it matters; the operator
 * switches them live, by `guest features`. Without a back end there are none.
 */
#pragma once

#include <stddef.h>

struct vmm_feature;

/*
 * feature_by_name() - whether this machine has it or not; NULL if the back end knows no such one.
 */
struct vmm_feature *feature_by_name(const char *name);

enum { FEATURES_TEXT = 256 };

/* features_text() - "nrip-save, vgif": those that this machine has, or that there is none. */
void features_text(char *text, size_t size);
