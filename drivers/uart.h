/* SPDX-License-Identifier: MIT */
/* uart.h - COM1, a 16550, as the console's device */
#pragma once

/* uart_init() - 115200 8N1, output by polling from now on. */
void uart_init(void);
/* uart_start() - both directions by interrupt from now on, on core 0. */
void uart_start(void);
