/* SPDX-License-Identifier: MIT */
/* pktgen_conf.h - a generator's settings as words; pktgen.h says what they are. Control context. */
#pragma once

#include "kernel/shell.h"
#include "pktgen.h"

/*
 * pktgen_conf_read() - the words from @i on change *@c, which is for @port. 0, or a
 * negative errno, having said why.
 */
int pktgen_conf_read(struct shell *sh, int i, const struct port *port, struct pktgen_conf *c);

/* pktgen_conf_words() - the names of all settings, for completion. */
void pktgen_conf_words(void (*add)(void *to, const char *s), void *to);

/* pktgen_conf_print() - the line that makes @g as it is. */
void pktgen_conf_print(struct shell *sh, const struct pktgen *g);
