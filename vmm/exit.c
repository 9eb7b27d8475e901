/* SPDX-License-Identifier: MIT */
/* exit.c - the names and texts of the exits, for reports and for `guest exits` */
#include "exit.h"

const struct exit_text exit_text[EXIT_N] = {
#define X(id, name, text) [EXIT_##id] = { name, text },
	VCPU_EXITS(X)
#undef X
};
