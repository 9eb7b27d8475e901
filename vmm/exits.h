/* SPDX-License-Identifier: MIT */
/* exits.h - what is done about an exit, by reason */
#pragma once

#include "vcpu.h"

/*
 * exit_handle() - v->exit on its core, interrupts on. Afterwards v->state says whether it runs on:
 * a halted one does not, nor one whose guest died of it.
 */
void exit_handle(struct vcpu *v);
