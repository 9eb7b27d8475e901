/* SPDX-License-Identifier: MIT */
/*
 * guest_cmd.h - the verbs of `guest`, spread over a file each for making,
 * showing and talking to one
 *
 * Control context. Words 0 and 1 of the line are `guest` and the verb, word 2 the guest's name.
 * They return 0 or a negative errno, having said why.
 */
#pragma once

#include "kernel/cpu.h"
#include "kernel/shell.h"
#include "vm.h"

enum { WHY = 160 }; /* a sentence of vm.h or load.h, why not */

/* what need not be said; beside these, for a port its guest's first core as worker */
enum { GUEST_DEFAULT_MIB = 128, GUEST_DEFAULT_VECTORS = 3 };

/*
 * guest_default_core() - of vCPU @id: one core after the other, core 0, which has the shell, last.
 */
static inline unsigned guest_default_core(unsigned id)
{
	return ncpus - 1 - id % ncpus;
}

/* guest_create.c; @vm is NULL, there is none yet */
int guest_create(struct shell *sh, struct vm *vm);
void guest_create_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			   void *to);

/* guest_show.c */
int guest_list(struct shell *sh, struct vm *vm); /* of all: @vm is NULL */
int guest_info(struct shell *sh, struct vm *vm);
int guest_exits(struct shell *sh, struct vm *vm);

/* features.c; of the machine: @vm is NULL */
int guest_features(struct shell *sh, struct vm *vm);
void guest_features_complete(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to);
void guest_features_config(struct shell *sh); /* its lines of `show config` */

/* guest_console.c */
int guest_console(struct shell *sh, struct vm *vm);
int guest_log(struct shell *sh, struct vm *vm);
int guest_type(struct shell *sh, struct vm *vm);
