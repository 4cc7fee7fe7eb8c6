"""Ports for tests, below what the kernel gives to connections: one that was free stays
so until its node listens. Test files that run beside each other are given ranges that
do not meet (CMakeLists.txt). Bus ports are 10000 higher."""
import os
import random
import socket

PORTS = range(*map(int, os.environ.get("HS_PORTS", "11500-12000").split("-")))
_given = set()


def free_port():
    """A client port nobody listens on, whose bus port is free as well; no port twice."""
    start = random.randrange(len(PORTS))
    for i in range(len(PORTS)):
        port = PORTS[(start + i) % len(PORTS)]
        if port not in _given and _bindable(port) and _bindable(port + 10000):
            _given.add(port)
            return port
    raise AssertionError(f"no free port in {PORTS}")


def _bindable(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
