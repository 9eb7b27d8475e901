#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""weirhost - the host's half of the channel to Weir (kernel/hostlink.h): filters by libpcap, files in one directory

  scripts/weirhost.py SOCKET [DIRECTORY]    at a unix socket that QEMU's second serial port listens on:
                                            -chardev socket,id=host,path=SOCKET,server=on,wait=off -serial chardev:host

scripts/launch runs it by itself, with build/host as the directory. Files get the names that Weir asks for, letters,
digits, dots and dashes: nothing outside of the directory can be named. One that is there is replaced, as by tcpdump -w.
"""

import ctypes
import os
import re
import socket
import struct
import sys
import threading
import zlib

MAGIC = 0x6B6E4C57
HEAD = struct.Struct("<IBBHI")  # magic, type, status, seq, length; the checksum follows
COMPILE, CREATE, WRITE, CLOSE = 1, 2, 3, 4
LENGTH_MAX = 1 << 16
FILES_MAX = 8
NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,63}")
SNAPLEN, DLT_EN10MB, NETMASK_UNKNOWN = 262144, 1, 0xFFFFFFFF  # as tcpdump has them


class No(Exception):
    """What Weir is told instead of an answer."""


class Program(ctypes.Structure):
    """libpcap's struct bpf_program."""

    _fields_ = [("length", ctypes.c_uint), ("instructions", ctypes.c_void_p)]


class Libpcap:
    """What of libpcap is needed, loaded when it is needed first."""

    def __init__(self):
        self.library = None

    def load(self):
        if self.library:
            return self.library
        try:
            self.library = ctypes.CDLL("libpcap.so.0.8")
        except OSError:
            raise No("this host has no libpcap; scripts/setup run installs it")
        self.library.pcap_open_dead.restype = ctypes.c_void_p
        self.library.pcap_geterr.restype = ctypes.c_char_p
        return self.library

    def compile(self, expression):
        """The instructions for @expression, 8 bytes each."""
        pcap = self.load()
        handle = ctypes.c_void_p(pcap.pcap_open_dead(DLT_EN10MB, SNAPLEN))
        program = Program()
        try:
            if pcap.pcap_compile(handle, ctypes.byref(program), expression, 1, NETMASK_UNKNOWN):
                raise No(pcap.pcap_geterr(handle).decode("ascii", "replace"))
            instructions = ctypes.string_at(program.instructions, 8 * program.length)
            pcap.pcap_freecode(ctypes.byref(program))
            return instructions
        finally:
            pcap.pcap_close(handle)


def checksum(head, body):
    return struct.pack("<I", zlib.crc32(body, zlib.crc32(head)))


class Host:
    """Answers what comes from Weir over @stream, a socket, till it hangs up; then all files are closed."""

    def __init__(self, stream, directory):
        self.stream, self.directory = stream, directory
        self.pcap = Libpcap()
        self.files = {}
        self.got = b""
        self.last = None  # (request, its answer)
        self.verbs = {COMPILE: self.compile, CREATE: self.create, WRITE: self.write, CLOSE: self.close}

    def start(self):
        """In a thread of its own."""
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def run(self):
        try:
            while True:
                head, body = self.request()
                self.stream.sendall(self.answer(head, body))
        except (EOFError, OSError):
            pass
        finally:
            for file in self.files.values():
                file.close()

    # --- frames ---

    def fill(self, length):
        """self.got is at least so long."""
        while len(self.got) < length:
            more = self.stream.recv(length - len(self.got), socket.MSG_WAITALL)  # bytes come one by one
            if not more:
                raise EOFError
            self.got += more

    def request(self):
        """The next frame that is whole and undamaged: (head, body). Of what is damaged a byte is left out at a time."""
        while True:
            self.fill(HEAD.size + 4)
            magic, _, _, _, length = HEAD.unpack_from(self.got)
            if magic == MAGIC and length <= LENGTH_MAX:
                end = HEAD.size + 4 + length
                self.fill(end)
                head, body = self.got[: HEAD.size], self.got[HEAD.size + 4 : end]
                if checksum(head, body) == self.got[HEAD.size : HEAD.size + 4]:
                    self.got = self.got[end:]
                    return head, body
            self.got = self.got[1:]

    def answer(self, head, body):
        """What was asked for, done once however often it is asked."""
        request = head + checksum(head, body)
        if self.last and self.last[0] == request:
            return self.last[1]
        _, kind, _, seq, _ = HEAD.unpack(head)
        try:
            if kind not in self.verbs:
                raise No(f"this host knows no request {kind}")
            status, said = 0, self.verbs[kind](body)
        except No as no:
            status, said = 1, str(no).encode("ascii", "replace")[:150]
        head = HEAD.pack(MAGIC, kind, status, seq, len(said))
        self.last = (request, head + checksum(head, said) + said)
        return self.last[1]

    # --- requests ---

    def compile(self, body):
        return self.pcap.compile(body)

    def create(self, body):
        name = body.decode("ascii", "replace")
        if not NAME.fullmatch(name):
            raise No(f"'{name}' is no name for a file here")
        if len(self.files) == FILES_MAX:
            raise No(f"{FILES_MAX} files are open already")
        handle = next(n for n in range(FILES_MAX) if n not in self.files)
        path = os.path.join(self.directory, name)
        try:
            os.makedirs(self.directory, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            self.files[handle] = os.fdopen(os.open(path, flags, 0o644), "wb")
        except OSError as e:
            raise No(f"{path}: {e.strerror}")
        return struct.pack("<I", handle)

    def file(self, body):
        handle = struct.unpack_from("<I", body)[0] if len(body) >= 4 else None
        if handle not in self.files:
            raise No(f"there is no open file {handle}")
        return handle

    def write(self, body):
        file = self.files[self.file(body)]
        try:
            file.write(body[4:])
        except OSError as e:
            raise No(f"{file.name}: {e.strerror}")
        return b""

    def close(self, body):
        try:
            self.files.pop(self.file(body)).close()
        except OSError as e:
            raise No(e.strerror)
        return b""


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__.partition("\n\n")[2], end="", file=sys.stderr)
        return 2
    stream = socket.socket(socket.AF_UNIX)
    try:
        stream.connect(arguments[0])
    except OSError as e:
        print(f"weirhost: {arguments[0]}: {e.strerror}", file=sys.stderr)
        return 1
    Host(stream, (arguments + [os.path.join("build", "host")])[1]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
