/* SPDX-License-Identifier: MIT */
/*
 * drop.c - the names, texts and knobs of the drop reasons
 *
 * Read by whoever prints counts: `drops`, the trace, the tests. The reasons themselves stand in
 * drop.h.
 */
#include "drop.h"

const struct drop_text drop_text[DROP_N] = {
#define X(id, name, text, knob) [DROP_##id] = { name, text, knob },
	DROP_REASONS(X)
#undef X
};

const struct drop_text device_drop[DEVICE_DROP_N] = {
#define X(name, text, knob) { name, text, knob },
	DEVICE_DROPS(X)
#undef X
};
