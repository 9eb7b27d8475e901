/* SPDX-License-Identifier: MIT */
/*
 * drop.c - the names and texts of the drop reasons
 *
 * Read by whoever prints counts: `drops`, the trace, the tests. The reasons themselves stand in
 * drop.h.
 */
#include "drop.h"

const struct drop_text drop_text[DROP_N] = {
#define X(id, name, text) [DROP_##id] = { name, text },
	DROP_REASONS(X)
#undef X
};
