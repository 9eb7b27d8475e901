# SPDX-License-Identifier: MIT
"""Two Linux hosts, each a network namespace behind a NIC: ping and TCP through Weir, as people will try it first"""

import hashlib
import os
import re
import socket
import threading

import pytest

from weir import Weir, expect, expect_match  # puts scripts/ on the path
from traffic import receive_all
from wires import Namespaces, inside, namespaces_refused

SIZE = 8 << 20
REFUSED = namespaces_refused()

pytestmark = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))


@pytest.fixture(scope="module")
def net():
    """Named after this process, so that nobody else's are touched; removed whatever happens."""
    with Namespaces(f"weir-test-{os.getpid()}") as net:
        yield net
    os.unlink(net.lock_path)
    left = [name for name in net.names if os.path.exists("/run/netns/" + name)]
    expect(left, [], "namespaces left behind")


@pytest.fixture(scope="module")
def weir(net):
    with Weir(wires=net, smp=2) as weir:
        weir.wait_links()
        weir.early = weir.drops()  # hosts talk of themselves before both links are up
        yield weir
        weir.poweroff()


def test_ping_both_ways(net, weir):
    for here, there in ((0, 1), (1, 0)):
        done = net.exec(here, "ping", "-q", "-c", "20", "-i", "0.02", "-W", "2", net.addresses[there])
        expect_match(r"^20 packets transmitted, 20 received, 0% packet loss", done.stdout, f"ping said\n{done.stderr}")


def test_ping_of_every_size(net, weir):
    """Up to an MTU in one frame, and far beyond in fragments."""
    for size in (0, 1, 17, 18, 19, 100, 1000, 1471, 1472, 1473, 2952, 2953, 20000):
        done = net.exec(0, "ping", "-q", "-c", "3", "-i", "0.02", "-W", "2", "-s", str(size), net.addresses[1])
        expect_match(r"^3 packets transmitted, 3 received", done.stdout, f"ping of {size} bytes said\n{done.stderr}")


def test_addresses_were_learnt(net, weir):
    """ARP went by flooding, the answers did not; the switch knows who is where."""
    fdb = dict(re.findall(r"^(\S+) dev (\S+) ", weir.sh("bridge fdb show"), re.MULTILINE))
    for i in (0, 1):
        link = net.exec(i, "cat", "/sys/class/net/eth0/address").stdout.strip()
        expect(fdb.get(link), f"nic{i}", f"port behind which {link} is known")
        seen = net.exec(i, "ip", "neigh", "show", net.addresses[1 - i]).stdout
        other = net.exec(1 - i, "cat", "/sys/class/net/eth0/address").stdout.strip()
        expect_match(rf"lladdr {other} ", seen, "the neighbour's address")


@pytest.mark.parametrize("source", [0, 1])
def test_tcp(net, weir, source):
    """8 MiB of noise arrive as they were sent."""
    target, data, result = 1 - source, os.urandom(SIZE), []
    with inside(net.names[target]):
        listener = socket.create_server((net.addresses[target], 5001))
    thread = threading.Thread(target=receive_all, args=(listener, result), daemon=True)
    thread.start()
    with listener:
        with inside(net.names[source]):
            sender = socket.create_connection((net.addresses[target], 5001), 20)
        with sender:
            sender.settimeout(60)
            sender.sendall(data)
        thread.join(60)
    expect(result, [(SIZE, hashlib.sha256(data).hexdigest())], "length and checksum of what arrived")


def test_tcp_both_ways_at_once(net, weir):
    results, threads = [[], []], []
    data = [os.urandom(SIZE // 4), os.urandom(SIZE // 4)]
    senders = []
    for target in (0, 1):
        with inside(net.names[target]):
            listener = socket.create_server((net.addresses[target], 5002))
        listener.settimeout(30)
        threads.append(threading.Thread(target=receive_all, args=(listener, results[target]), daemon=True))
        threads[-1].start()
        with inside(net.names[1 - target]):
            sender = socket.create_connection((net.addresses[target], 5002), 20)
        sender.settimeout(60)
        senders.append(threading.Thread(target=lambda s=sender, d=data[target]: (s.sendall(d), s.close()), daemon=True))
    for thread in senders:
        thread.start()
    for thread in senders + threads:
        thread.join(60)
    for target in (0, 1):
        whole = (len(data[target]), hashlib.sha256(data[target]).hexdigest())
        expect(results[target], [whole], f"length and checksum of what {net.names[target]} received")


def test_nothing_was_lost_on_the_way(weir):
    expect(weir.drops(), weir.early, "packets dropped, beside those dropped before the links were up")
