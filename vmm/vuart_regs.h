/* SPDX-License-Identifier: MIT */
/*
 * vuart_regs.h - the registers of a 16550A [PC16550D, National Semiconductor, June 1995, section 8]
 *
 * A register by its offset from the base port; two sit behind one offset where reading and writing,
 * or the divisor latch bit, tell them apart.
 */
#pragma once

#include "kernel/bits.h"

#define UART_RBR 0 /* R: the oldest byte received */
#define UART_THR 0 /* W: the byte to send */
#define UART_DLL 0 /* RW with DLAB: divisor, low byte */

#define UART_DLM       1          /* RW with DLAB: divisor, high byte */
#define UART_IER       1          /* RW: which interrupts are wanted */
#define UART_IER_RDI   BIT(0)     /* a byte was received */
#define UART_IER_THRI  BIT(1)     /* the transmitter takes another byte */
#define UART_IER_VALID BITS(3, 0) /* the upper half reads 0 */

#define UART_IIR      2          /* R: the interrupt of highest priority that is pending */
#define UART_IIR_NONE BIT(0)     /* none is */
#define UART_IIR_THRI 0x02       /* the transmitter takes another byte; cleared by reading this */
#define UART_IIR_RDI  0x04       /* a byte was received */
#define UART_IIR_FIFO BITS(7, 6) /* the FIFOs are on */

#define UART_FCR          2      /* W */
#define UART_FCR_ENABLE   BIT(0) /* FIFOs on; the other bits count only with it */
#define UART_FCR_CLEAR_RX BIT(1) /* forget what was received */

#define UART_LCR      3      /* RW: format of a character; kept, without effect */
#define UART_LCR_DLAB BIT(7) /* offsets 0 and 1 are the divisor's */

#define UART_MCR       4      /* RW: lines to the modem */
#define UART_MCR_DTR   BIT(0) /* ready */
#define UART_MCR_RTS   BIT(1) /* wants to send */
#define UART_MCR_OUT1  BIT(2) /* not connected */
#define UART_MCR_OUT2  BIT(3) /* gates the interrupt on a PC; here it always comes through */
#define UART_MCR_LOOP  BIT(4) /* the transmitter feeds the receiver, the lines above those of MSR */
#define UART_MCR_VALID BITS(4, 0)

#define UART_LSR      5      /* R: state of the line */
#define UART_LSR_DR   BIT(0) /* a byte waits */
#define UART_LSR_THRE BIT(5) /* the transmitter takes a byte */
#define UART_LSR_TEMT BIT(6) /* all were sent */

#define UART_MSR     6      /* R: lines from the modem */
#define UART_MSR_CTS BIT(4) /* clear to send */
#define UART_MSR_DSR BIT(5) /* ready */
#define UART_MSR_RI  BIT(6) /* rings */
#define UART_MSR_DCD BIT(7) /* carrier */

#define UART_SCR 7 /* RW: a byte to play with */
