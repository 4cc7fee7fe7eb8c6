#!/usr/bin/env python3
"""Claims: who is not in bus-allow, or has no certificate where there is TLS, reads
nothing from a cluster, joins it not, and can neither have a node forgotten nor failed
over. Each bound on strangers is reached and counted.

Runs in a network namespace of its own, where loopback has public addresses too.
"""
import contextlib
import os
import re
import shlex
import socket
import ssl
import struct
import subprocess
import sys
import time

import bus
import harness
import process
from bus import Frame, FAIL, MEET, PING, PUBLISH, UPDATE, AUTH_REQUEST
from harness import hearsay_only
from test_tls import Tls, conf, tls_port

HERE, THERE = "203.0.113.1", "203.0.113.2"  # public: not in any private network
SETTLE_S = 1.5


def attacks(victim, node):
    """What an intruder that knows every id would say, as `victim`, about `node`."""
    me = {"port": 1, "cport": 1, "current_epoch": 1000, "config_epoch": 1000}
    everything = bus.bitmap(range(harness.SLOTS))
    return {
        "join": Frame(MEET, bus.new_id(), **me),
        "a ping as a member": Frame(PING, victim.id, slots=everything, **me),
        "fail a node": Frame(FAIL, victim.id, body=node.id.encode(), **me),
        "have a node forgotten": Frame(
            PING, victim.id, ext_n=1, mflags=bytes((bus.EXT_DATA, 0, 0)),
            body=bus.extension(2, node.id.encode() + struct.pack(">Q", 3600)), **me),
        "take all slots": Frame(
            UPDATE, victim.id, body=struct.pack(">Q40s2048s", 2000, victim.id.encode(),
                                                everything), **me),
        "be elected": Frame(AUTH_REQUEST, victim.id, slots=everything,
                            mflags=bytes((2, 0, 0)), **me),
        "publish": Frame(PUBLISH, victim.id,
                         body=struct.pack(">II", 1, 5) + b"c" + b"hello", **me),
    }


class Intruder(Tls):
    def intrude(self, node, frame, source, context=None):
        """What the node says to it."""
        got = b""
        try:
            with socket.create_connection((HERE, node.cport), 5, (source, 0)) as s:
                if context:
                    s = context.wrap_socket(s)
                s.sendall(frame.build())
                s.settimeout(0.5)
                while more := s.recv(4096):
                    got += more
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass
        return got

    def facts(self, c):
        """All that an intruder could want to change."""
        infos = [n.info() for n in c.nodes]
        return ([n.view() for n in c.nodes],
                [(i["cluster_current_epoch"], i["cluster_state"], i["cluster_known_nodes"])
                 for i in infos])

    def assault(self, c, source, context=None):
        target = c.h[0]
        before = self.facts(c)
        with target.client() as listener:
            listener.call("SUBSCRIBE", "c")
            for what, frame in attacks(c.h[1], c.nodes[2]).items():
                self.assertEqual(self.intrude(target, frame, source, context), b"", what)
            time.sleep(SETTLE_S)
            listener.sock.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                listener.sock.recv(1)
        self.assertEqual(self.facts(c), before)
        return len(attacks(c.h[1], c.nodes[2]))

    def counter(self, node, name):
        return int(node.server_info()[name])


@hearsay_only("no stock server looks at addresses")
class WithoutTls(Intruder):
    def test_an_address_that_is_not_allowed_can_do_nothing(self):
        c = self.cluster("hhr")
        denied = self.counter(c.h[0], "owner_bus_denied")
        n = self.assault(c, THERE)
        c.wait(lambda: self.counter(c.h[0], "owner_bus_denied") - denied == n, 5,
               "each refusal is counted")

    def test_the_log_has_the_command_that_lets_a_member_in(self):
        c = self.cluster("h")
        hello = Frame(MEET, bus.new_id(), port=1, cport=1)
        self.assertEqual(self.intrude(c.h[0], hello, THERE), b"")
        line = harness.wait_until(
            lambda: re.search(rf"Refused a cluster bus connection from {THERE}: .*"
                              r"(CONFIG SET bus-allow \"[^\"]*\")",
                              (c.h[0].dir / "log").read_text()),
            5, "the refusal is in the log", c.nodes)
        c.h[0].call(*shlex.split(line[1]))
        self.assertEqual(c.h[0].call("CONFIG", "GET", "bus-allow")[1], f"private {THERE}/32")
        self.assertEqual(self.intrude(c.h[0], hello, THERE)[:4], b"RCmb", "it is answered now")
        for source, welcome in (("10.9.0.2", True), ("127.0.0.1", True), ("203.0.113.3", False)):
            self.assertEqual(self.intrude(c.h[0], hello, source) != b"", welcome, source)

    def test_many_refusals_are_counted_and_few_are_logged(self):
        c = self.cluster("h")
        for _ in range(300):
            with socket.create_connection((HERE, c.h[0].cport), 5, (THERE, 0)):
                pass
        harness.wait_until(lambda: self.counter(c.h[0], "owner_bus_denied") >= 300, 10,
                           "300 refusals are counted", c.nodes)
        lines = (c.h[0].dir / "log").read_text().count("Refused a cluster bus connection")
        self.assertTrue(1 <= lines <= 150, f"{lines} lines")

    def test_an_address_has_its_share_of_connections_and_loopback_more(self):
        c = Cluster(self, "h", bind="0.0.0.0", maxclients=40, **{"protected-mode": "no"})
        n = c.h[0]
        n.call("CONFIG", "SET", "bus-allow", f"{THERE}/32", "cluster-links-per-address", 5)
        for port, share, name in ((n.port, 20, "net_clients_per_ip"),
                                  (n.cport, 5, "net_links_per_ip")):
            held = [socket.create_connection((HERE, port), 5, (THERE, 0))
                    for _ in range(share + 3)]
            harness.wait_until(lambda x=name: self.counter(n, x) == 3, 5, name, c.nodes)
            for s in held:
                s.close()
        log = (n.dir / "log").read_text()
        for words in (f"Refused a client from {THERE}: this address has 20 already",
                      f"Refused a cluster bus connection from {THERE}: this address has 5 already"):
            self.assertIn(words, log)
        with contextlib.ExitStack() as local:
            for _ in range(30):
                self.assertEqual(local.enter_context(n.client()).call("PING"), "PONG")

    def test_a_member_that_is_allowed_could_do_all_of_it(self):
        """Or else the claims above would hold of anybody."""
        c = self.cluster("hhr")
        c.h[0].call("CONFIG", "SET", "bus-allow", f"{THERE}/32")
        for frame in attacks(c.h[1], c.nodes[2]).values():
            self.intrude(c.h[0], frame, THERE)
        c.wait(lambda: c.h[0].info()["cluster_current_epoch"] != "3", 10, "an epoch is stolen")

    def cluster(self, kinds):
        return Cluster(self, kinds, bind="0.0.0.0")


@hearsay_only("their words and counters")
class WithTls(Intruder):
    @harness.redis_tls
    def test_without_a_certificate_nobody_can_do_anything(self):
        c = Cluster(self, "hhr", bind="0.0.0.0", **conf(self.ca, self.pair))
        failed = self.counter(c.h[0], "net_tls_failed")
        n = self.assault(c, THERE)                                      # no TLS at all
        n += self.assault(c, THERE, self.ca.context())                  # no certificate
        self.assertEqual(self.counter(c.h[0], "owner_bus_denied"), 0)
        self.assertGreaterEqual(self.counter(c.h[0], "net_tls_failed") - failed, n)

    def test_handshakes_are_bounded_in_number_time_and_bytes(self):
        c = Cluster(self, "hh", bind="0.0.0.0", **conf(self.ca, self.pair, reactors=1))
        n = c.h[0]
        crowd = [socket.create_connection((HERE, n.cport), 5, (THERE, 0)) for _ in range(400)]
        try:
            harness.wait_until(lambda: self.counter(n, "net_tls_refused")
                               + self.counter(n, "net_tls_evicted") >= 100, 10,
                               "more than 256 handshakes are refused", c.nodes)
            harness.wait_until(lambda: self.counter(n, "net_tls_slow") >= 100, 15,
                               "silent ones are given up", c.nodes)
        finally:
            for s in crowd:
                s.close()
        with socket.create_connection((HERE, n.cport), 5, (THERE, 0)) as s:
            hello = b"\x01" + (100000).to_bytes(3, "big") + b"\x03\x03" + bytes(99998)
            try:
                for i in range(0, len(hello), 16000):
                    part = hello[i:i + 16000]
                    s.sendall(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part)
                s.settimeout(5)
                s.recv(1)
            except ConnectionError:
                pass
        harness.wait_until(lambda: self.counter(n, "net_tls_long") == 1, 10,
                           "a handshake without end is counted", c.nodes)
        c.wait_equal(20, "a crowd at the door")

    def test_the_client_port_gives_nothing_away_either(self):
        c = Cluster(self, "h", bind="0.0.0.0", **conf(self.ca, self.pair))
        for context in (None, self.ca.context()):
            got = b""
            try:
                with socket.create_connection((HERE, tls_port(c.h[0])), 5) as s:
                    if context:
                        s = context.wrap_socket(s)
                    s.sendall(b"CLUSTER NODES\r\n")
                    got = s.recv(100)
            except (ConnectionError, ssl.SSLError):
                pass
            self.assertNotIn(c.h[0].id.encode(), got)
            self.assertNotIn(b"+", got)


class ClientPort(Intruder):
    """Word for word as the stock server."""

    def said(self, node, source, *commands):
        with socket.create_connection((HERE, node.port), 5, (source, 0)) as s:
            s.settimeout(5)
            try:
                for command in commands:
                    s.sendall(command + b"\r\n")
                s.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: s.recv(4096), b""))
            except ConnectionError:
                return b"reset"

    @harness.redis_is(since=(7, 0), valkey=False, why="6.2 protects no node with a bind line, "
                      "and Valkey has its own name in the sentence")
    def test_protected_mode_and_passwords(self):
        c = Cluster(self, "h", bind="0.0.0.0"), Cluster(self, "r", bind="0.0.0.0")
        nodes = [x.nodes[0] for x in c]
        told = {self.said(n, THERE).replace(b"Setup a an", b"Set up an") for n in nodes}  # < 7.2
        self.assertEqual(len(told), 1, told)
        self.assertTrue(told.pop().startswith(b"-DENIED Redis is running in protected mode"))
        for n in nodes:
            n.call("CONFIG", "SET", "requirepass", "sesame")
        for commands in ((b"CLUSTER NODES",), (b"AUTH wrong",), (b"AUTH default wrong",),
                         (b"AUTH nobody sesame",), (b"HELLO 3",), (b"HELLO 3 AUTH default wrong",),
                         (b"PING", b"RESET", b"PING"), (b"AUTH",), (b"AUTH a b c",),
                         (b"AUTH sesame", b"PING", b"CONFIG GET requirepass", b"RESET", b"PING"),
                         (b"AUTH default sesame", b"PING"), (b"NOSUCH",), (b"QUIT",),
                         (b"SUBSCRIBE c",), (b"CLUSTER",), (b"*100\r\n$",)):
            ours, theirs = (self.said(n, THERE, *commands).replace(b"HELLO <proto>", b"HELLO")
                            for n in nodes)  # as it was before 7.2
            self.assertEqual(ours, theirs, commands)
        for n in nodes:
            n.call("CONFIG", "SET", "requirepass", "")
            n.call("CONFIG", "SET", "protected-mode", "no")
            self.assertEqual(self.said(n, THERE, b"PING"), b"+PONG\r\n")


class Cluster(harness.Cluster):
    """Formed, with its addresses on loopback, and reachable from outside."""

    def __init__(self, case, kinds, **directives):
        super().__init__(case, kinds, conf=directives)
        if len(kinds) > 1:
            self.form().wait_formed()


def addresses():
    for words in ("link set lo up", f"addr add {HERE}/24 dev lo", f"addr add {THERE}/24 dev lo",
                  "addr add 203.0.113.3/24 dev lo", "addr add 10.9.0.2/8 dev lo"):
        subprocess.run(["ip", *words.split()], check=True)


if __name__ == "__main__":
    if os.environ.get("HS_OWN_NETWORK") != "1":
        as_user = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.environ["HS_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", *as_user, sys.executable, *sys.argv])
    addresses()
    harness.main()
