/* SPDX-License-Identifier: MIT */
/* hostlink.h - COM2, a 16550, as the device of the channel to the host */
#pragma once

/*
 * hostlink_uart_init() - if there is a COM2: 115200 8N1, polled, and
 * kernel/hostlink.h's from now on. Boot.
 */
void hostlink_uart_init(void);
