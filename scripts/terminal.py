# SPDX-License-Identifier: MIT
"""terminal.py - this terminal as Weir's console, from the moment that the launcher has nothing more to say

First whole lines are shown as they come, so that the launcher's own stand between them and not in them. attach() then
gives Weir every key, Ctrl-C too. Ctrl-A x ends the machine, as in QEMU, for a Weir that does not listen any more.
"""

import contextlib
import os
import select
import sys
import termios
import threading
import tty

LEAVE = 0x01  # Ctrl-A


class Terminal:
    def __init__(self, weir):
        self.weir = weir
        self.shown = 0
        self.attached = False
        self.leaving = False  # Ctrl-A was typed
        self.printer = threading.Thread(target=self.show, daemon=True)
        self.printer.start()

    def due(self):
        """What has been said and not shown; of an unfinished line nothing before attach()."""
        end = len(self.weir.console) if self.attached or self.weir.hung_up else self.weir.console.rfind(b"\n") + 1
        return bytes(self.weir.console[self.shown : end])

    def show(self):
        """In a thread of its own, to the end of the machine."""
        while True:
            with self.weir.news:
                self.weir.news.wait_for(lambda: self.due() or self.weir.hung_up)
                piece = self.due()
            if not piece:
                return
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            self.shown += len(piece)

    def attach(self):
        """Keys to Weir until the machine ends. The terminal is afterwards as it was."""
        keyboard = sys.stdin.fileno()
        settings = termios.tcgetattr(keyboard)
        try:
            tty.setraw(keyboard)
            with self.weir.news:
                self.attached = True
                self.weir.news.notify_all()
            self.pass_keys(keyboard)
            self.printer.join(5)
        finally:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, settings)
            print(flush=True)

    def pass_keys(self, keyboard):
        while not self.weir.hung_up:
            if not select.select([keyboard], [], [], 0.1)[0]:
                continue
            keys = self.meant_for_weir(os.read(keyboard, 1024))
            if keys is None:
                self.weir.process.kill()
                return
            with contextlib.suppress(OSError):  # it may have ended just now
                self.weir.serial.sendall(keys)

    def meant_for_weir(self, keys):
        """@keys without Ctrl-A, which waits for the next key; twice it is one for Weir. None: the person leaves."""
        passed = b"" if keys else None  # no key at all: the terminal is gone
        for key in keys:
            if self.leaving:
                if key == ord("x"):
                    return None
                passed += bytes([LEAVE]) if key == LEAVE else bytes([LEAVE, key])
            elif key != LEAVE:
                passed += bytes([key])
            self.leaving = key == LEAVE and not self.leaving
        return passed
