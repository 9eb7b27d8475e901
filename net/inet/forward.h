/* SPDX-License-Identifier: MIT */
/* forward.h - packets that are not for Weir, passed on between its own interfaces */
#pragma once

#include "inet.h"

/* ip_forward() - @rx, of either family, is for somebody else. Takes rx->p. */
void ip_forward(struct inet_rx *rx);
