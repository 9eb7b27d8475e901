/* SPDX-License-Identifier: MIT */
/* uart_regs.h - the 16550's registers, offsets of I/O ports [PC16550D datasheet, section 8] */
#pragma once

#include "kernel/bits.h"

#define COM1 0x3f8
#define COM2 0x2f8

#define UART_RBR  0 /* R: receive buffer */
#define UART_THR  0 /* W: transmit holding */
#define UART_DLL  0 /* with DLAB: divisor, low byte */
#define UART_IER  1
#define IER_RX    BIT(0)
#define IER_TX    BIT(1)
#define UART_DLM  1
#define UART_IIR  2 /* R */
#define IIR_NONE  BIT(0)
#define UART_FCR  2    /* W */
#define FCR_SETUP 0xc7 /* FIFOs on and cleared, interrupt at 14 bytes */
#define UART_LCR  3
#define LCR_8N1   0x03
#define LCR_DLAB  0x80
#define UART_MCR  4
#define MCR_SETUP 0x0b /* DTR, RTS, OUT2: interrupt line on */
#define UART_LSR  5
#define LSR_DR    BIT(0)
#define LSR_THRE  BIT(5)
#define LSR_TEMT  BIT(6) /* FIFO and shift register are empty */
#define UART_SCR  7      /* scratch: holds what is written, and nothing else happens */

enum { UART_FIFO = 16 };
