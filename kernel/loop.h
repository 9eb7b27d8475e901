/* SPDX-License-Identifier: MIT */
/* loop.h - the core loop, the only scheduler of packets, guests and the control context */
#pragma once

/* core_loop() - every core ends its boot here. */
_Noreturn void core_loop(void);
