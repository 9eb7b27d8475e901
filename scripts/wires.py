# SPDX-License-Identifier: MIT
"""wires.py - what Weir's NICs are plugged into: network namespaces (root), unix sockets, a hub or QEMU's user network (anyone)

Each kind gives a Machine its `netdevs` and `fds`, is used with `with`, and leaves nothing behind. Bundle joins several.
"""

import contextlib
import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import subprocess

from machine import Trouble

FRAME_MAX = 1 << 16


# --- namespaces -------------------------------------------------------------------------------------------------------


def run(*command):
    """Run a command of iproute2; its complaint becomes ours."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except FileNotFoundError:
        raise Trouble(f"{command[0]} is not installed; scripts/setup run installs it")
    if done.returncode:
        raise Trouble(f"{' '.join(command)}: {done.stderr.strip() or 'failed'}")
    return done.stdout


@contextlib.contextmanager
def inside(namespace):
    """This thread inside a network namespace; sockets and taps made there stay there."""
    CLONE_NEWNET = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open("/run/netns/" + namespace) as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise Trouble(f"cannot enter the namespace {namespace}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def open_tap(name):
    """A new tap device in this thread's namespace, as a file descriptor; it lives as long as that is open.

    No virtio header: the host then puts finished frames on the wire, checksums included, as a cable carries them.
    """
    TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
    tap = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    except OSError:
        os.close(tap)
        raise
    return tap


def namespaces_refused():
    """None if this process may make namespaces and taps, else why not."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    trial = Namespaces(f"weir-try-{os.getpid()}", 1)
    try:
        with trial:
            return None
    except (Trouble, OSError) as e:
        return f"this machine refuses network namespaces, though we are root: {e}"
    finally:
        with contextlib.suppress(OSError):
            os.unlink(trial.lock_path)


class Namespaces:
    """@count namespaces PREFIX-a, PREFIX-b … with an eth0 (@first/24 and those behind it), each a wire to a NIC."""

    def __init__(self, prefix="weir", count=2, ipv6=True, first="10.9.0.1"):
        self.names = [f"{prefix}-{chr(ord('a') + i)}" for i in range(count)]
        self.addresses = [str(ipaddress.IPv4Address(first) + i) for i in range(count)]
        self.ipv6 = ipv6
        self.fds = []
        self.netdevs = []
        self.lock_path = f"/run/{prefix}.lock"

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.take_lock()
            for name, address in zip(self.names, self.addresses):
                self.add(name, address)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def take_lock(self):
        """Who holds the lock owns the names; namespaces found under it were left by a launcher that was killed."""
        lock = self.stack.enter_context(open(self.lock_path, "w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"another Weir uses the namespaces {' and '.join(self.names)}; power it off first")
        for name in self.names:
            if os.path.exists("/run/netns/" + name):
                run("ip", "netns", "del", name)

    def add(self, name, address):
        run("ip", "netns", "add", name)
        self.stack.callback(run, "ip", "netns", "del", name)
        ip = ("ip", "-n", name)
        with inside(name):
            tap = open_tap("eth0")
            self.stack.callback(os.close, tap)
            if not self.ipv6:
                with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as knob:
                    knob.write("1")
        run(*ip, "link", "set", "lo", "up")
        run(*ip, "addr", "add", address + "/24", "dev", "eth0")
        run(*ip, "link", "set", "eth0", "up")
        self.fds.append(tap)
        self.netdevs.append(f"tap,fd={tap}")

    def exec(self, i, *command, seconds=60):
        """Run a command in namespace number @i; returns its CompletedProcess."""
        command = ("ip", "netns", "exec", self.names[i]) + command
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)


# --- unix sockets -----------------------------------------------------------------------------------------------------


class Sockets:
    """@count NICs on datagram unix sockets in @directory, one frame a datagram: no root, and every frame in hand.

    Unix socket paths are short (107 bytes); a relative @directory helps. @first is the number of the first NIC.
    """

    fds = ()

    def __init__(self, directory, count=2, first=0):
        self.near = [os.path.join(directory, f"nic{first + i}.host") for i in range(count)]
        self.far = [os.path.join(directory, f"nic{first + i}.weir") for i in range(count)]
        self.netdevs = [
            f"dgram,local.type=unix,local.path={far},remote.type=unix,remote.path={near}"
            for near, far in zip(self.near, self.far)
        ]
        self.ends = []

    def __enter__(self):
        for path in self.far:  # QEMU makes these anew
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        return self

    def __exit__(self, *_):
        self.unplug()
        for path in self.far:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def plug_in(self):
        """Bind our ends: from here on what Weir sends is kept for receive(). Needs no QEMU yet."""
        for path in self.near:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            end.bind(path)
            self.ends.append(end)
        return self

    def unplug(self):
        """The opposite: what Weir sends from here on is lost, as on a cable with nobody at its end."""
        for end, path in zip(self.ends, self.near):
            end.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.ends = []

    def send(self, i, frame, seconds=5):
        """Put one frame on the wire of NIC @i."""
        self.ends[i].settimeout(seconds)
        try:
            self.ends[i].sendto(frame, self.far[i])
        except OSError as e:
            raise Trouble(f"NIC {i} takes no frame: {e}")

    def receive(self, i, seconds=5):
        """The next frame that Weir sends on NIC @i, or None if none comes."""
        self.ends[i].settimeout(seconds)
        try:
            return self.ends[i].recv(FRAME_MAX)
        except (TimeoutError, BlockingIOError):
            return None


# --- a hub ------------------------------------------------------------------------------------------------------------


class Hub:
    """@count NICs joined by a hub inside QEMU: each hears what any other sends, and nobody else is there."""

    fds = ()

    def __init__(self, count=2):
        self.netdevs = ["hubport,hubid=0"] * count


# --- QEMU's user network ----------------------------------------------------------------------------------------------


def free_port(first, count=100):
    """The first port of this host's loopback, from @first on, where nobody listens."""
    for port in range(first, min(first + count, 1 << 16)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as QEMU does
            with contextlib.suppress(OSError):
                trial.bind(("127.0.0.1", port))
                trial.listen()
                return port
    raise Trouble(f"no port of 127.0.0.1 is free from {first} to {first + count - 1}")


class UserNetwork:
    """One NIC on a network inside QEMU, 10.0.2.0/24: @port of this host's loopback leads to port 80 of GUEST.

    No root, and no way out: of the hosts there only the gateway answers, and that is QEMU itself.
    """

    GUEST, GATEWAY = "10.0.2.15", "10.0.2.2"
    fds = ()

    def __init__(self, port):
        self.port = port
        self.netdevs = [f"user,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{self.GUEST}:80"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Bundle:
    """Several kinds of wires at one machine, its NICs in this order."""

    def __init__(self, *wires):
        self.wires = wires
        self.netdevs = [netdev for one in wires for netdev in one.netdevs]
        self.fds = [fd for one in wires for fd in one.fds]
