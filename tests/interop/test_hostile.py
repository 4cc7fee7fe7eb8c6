#!/usr/bin/env python3
"""Claims: nobody who can reach the bus port can harm the cluster with it. Each bad
frame costs its sender at most the link, and shows in a counter."""
import contextlib
import os
import socket
import struct
import threading
import time

import bus
import harness
import process
from bus import Frame, Link, FAIL, MEET, PING, PONG, UPDATE
from harness import Case, Cluster, hearsay_only

T = 2
CALM = 4  # who is beside a crowd may be late for a while
SLACK = 8 if process.SANITIZED else 1
RSS_GROWTH_KB = 32 * 1024 * SLACK
EXT = bytes((bus.EXT_DATA, 0, 0))


def stranger(kind=PING, **fields):
    """A well-formed frame from an id nobody knows."""
    return Frame(kind, bus.new_id(), port=1, cport=1, **fields)


class Crowd(Case):
    """1,000 connections at once to one node of each kind."""

    def test_garbage_silence_and_one_byte_a_second_harm_nobody(self):
        c = Cluster(self, "hhrr", CALM * 1000).form().wait_formed()
        targets = [c.h[0], c.r[0]]
        before = {n: n.rss_kb() for n in targets}
        counted = bad_input(c.h[0])
        frame, socks, stop = stranger().build(), [], threading.Event()
        try:
            for i in range(1000):
                for n in targets:
                    s = socket.create_connection(("127.0.0.1", n.cport), 5)
                    socks.append((i % 3, s))
                    if i % 3 == 0:
                        s.sendall(os.urandom(3000))
            dripper = threading.Thread(target=self.drip, args=(socks, frame, stop))
            dripper.start()
            harness.holds(lambda: self.undisturbed(c), 2 * CALM,
                          "cluster ok and no suspicion beside 1,000 odd connections", c.nodes)
            for n in targets:
                self.assertLess(n.rss_kb() - before[n], RSS_GROWTH_KB, n.name)
            stop.set()
            dripper.join()
        finally:
            stop.set()
            for _, s in socks:
                s.close()
        harness.holds(lambda: self.undisturbed(c), CALM / 2, "the same after they left", c.nodes)
        if not harness.ALL_REDIS:
            self.assertGreater(bad_input(c.h[0]), counted, "INFO does not tell")

    @staticmethod
    def drip(socks, frame, stop):
        at = 0
        while not stop.wait(1):
            for kind, s in socks:
                if kind == 1:
                    with contextlib.suppress(OSError):  # hearsay may close a slow frame's link
                        s.send(frame[at:at + 1])
            at += 1

    @staticmethod
    def undisturbed(c):
        for n in c.nodes:
            info = n.info()
            if info["cluster_state"] != "ok" or info["cluster_slots_pfail"] != "0":
                return False
            if any(v.flags & {"fail", "fail?"} for v in n.view().values()):
                return False
        return True


def bad_input(node):
    """The sum of all counters of INFO that say signature, i.e. not a bus frame."""
    return sum(int(v) for k, v in node.server_info().items()
               if "signature" in k and v.isdigit())


def drop(frame, at, raw):
    """The built frame with some bytes replaced."""
    built = bytearray(frame.build())
    built[at:at + len(raw)] = raw
    return bytes(built)


def entry(**fields):
    return bus.gossip(bus.new_id(), "127.0.0.1", 1, 1, **fields)


KEPT = {  # dropped, the link lives on
    "wrong version": stranger(ver=2),
    "PING longer than its gossip": stranger(body=bytes(104)),
    "PING shorter than its gossip": stranger(count=2, body=entry()),
    "gossip count beyond the frame": stranger(count=65535),
    "FAIL too short": stranger(FAIL, body=bytes(39)),
    "FAIL too long": stranger(FAIL, body=bytes(41)),
    "UPDATE too short": stranger(UPDATE, body=bytes(100)),
    "UPDATE too long": stranger(UPDATE, body=bytes(2096 + 8)),
    "AUTH_REQUEST with a body": stranger(bus.AUTH_REQUEST, body=bytes(8)),
    "AUTH_ACK with a body": stranger(bus.AUTH_ACK, body=bytes(8)),
    "MFSTART with a body": stranger(bus.MFSTART, body=bytes(8)),
    "PUBLISH whose lengths do not add up":
        stranger(bus.PUBLISH, body=struct.pack(">II", 4, 4) + b"chanmess!"),
    "PUBLISH whose lengths overflow":
        stranger(bus.PUBLISH, body=struct.pack(">II", 0xfffffffc, 12) + b"chanmess"),
    "MODULE whose length does not add up":
        stranger(bus.MODULE, body=bytes(8) + struct.pack(">IB", 99, 1) + b"abc"),
    "unknown type": stranger(77, body=bytes(16)),
    "extension length not a multiple of 8":
        stranger(mflags=EXT, ext_n=1, body=struct.pack(">IHH", 12, 0, 0) + bytes(8)),
    "extension longer than the rest":
        stranger(mflags=EXT, ext_n=1, body=struct.pack(">IHH", 64, 0, 0) + bytes(8)),
    "PONG from a stranger": stranger(PONG),
    "UPDATE from a stranger": stranger(UPDATE, body=bytes(8) + b"a" * 40 + bytes(2048)),
    "FAIL from a stranger": stranger(FAIL, body=b"a" * 40),
}
KEPT_BY_US = {  # stock servers read past the end here, or not at all
    "extension of length 0":
        stranger(mflags=EXT, ext_n=1, body=struct.pack(">IHH", 0, 0, 0)),
    "more extensions announced than there are":
        stranger(mflags=EXT, ext_n=9, body=bus.extension(0, b"name\0")),
    "hostname without its NUL":
        stranger(mflags=EXT, ext_n=1, body=bus.extension(0, b"abcdefgh")),
}
CLOSED = {
    "wrong signature": stranger(sig=b"RCmc"),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + bytes(2300),
    "totlen below a header": stranger(totlen=2255),
    "totlen zero": stranger(totlen=0),
    "light frame before any other": b"RCmb" + struct.pack(">IHHHHII", 32, 1, 0, 0x8004, 0, 4, 4)
                                    + b"chanmess",
}
HUGE = {
    "totlen of 1 GiB": stranger(totlen=1 << 30),
    "totlen of 4 GiB less one": stranger(totlen=0xffffffff),
}


class Frames(Case):
    """One cluster for all of them: it must be as it was after every test."""

    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hr").form()

    def setUp(self):
        super().setUp()
        self.c.wait_formed()
        self.before = self.c.nodes[0].view()

    def tearDown(self):
        self.c.wait(lambda: all(n.view() == self.before for n in self.c.nodes), T + 3,
                    "no view has changed")
        self.assertEqual({n.info()["cluster_state"] for n in self.c.nodes}, {"ok"})

    def kept(self, cases, nodes):
        for n in nodes:
            for what, frame in cases.items():
                with self.subTest(what, node=n.name):
                    link = Link.dial(n.cport)
                    since = link.inbox.mark()
                    link.send(frame)
                    self.assertTrue(link.answers(stranger()), "the link was not kept")
                    pongs = [f for _, f in link.inbox.frames[since:]]
                    self.assertEqual([f.kind for f in pongs], [PONG], "more than one answer")
                    link.close()

    def closed(self, cases, nodes):
        for n in nodes:
            for what, frame in cases.items():
                with self.subTest(what, node=n.name):
                    link = Link.dial(n.cport)
                    link.send(frame)
                    self.assertTrue(link.closed.wait(bus.PATIENCE_S), "the link was not closed")
                    self.assertEqual(link.inbox.frames, [])
                    link.close()

    def test_malformed_frames_are_dropped_and_the_link_is_kept(self):
        self.kept(KEPT, self.c.nodes)

    @hearsay_only("stock servers do not check these")
    def test_what_would_read_past_the_end_is_dropped_and_the_link_is_kept(self):
        self.kept(KEPT_BY_US, self.c.h)

    def test_what_is_not_a_frame_closes_the_link(self):
        self.closed(CLOSED, self.c.nodes)

    @hearsay_only("stock servers have no bound")
    def test_a_huge_length_is_refused_before_memory_is_taken(self):
        before = self.c.h[0].rss_kb()
        self.closed(HUGE, self.c.h)
        self.assertLess(self.c.h[0].rss_kb() - before, 4096 * SLACK)

    def test_an_unknown_extension_is_skipped(self):
        frame = stranger(mflags=EXT, ext_n=2,
                         body=bus.extension(99, b"future") + bus.extension(0, b"name\0"))
        for n in self.c.nodes:
            if n.kind == "redis" and n.version < (7, 0):
                continue  # it has no extensions: the frame is too long for it
            self.assertTrue(Link.dial(n.cport).answers(frame), n.name)

    def test_a_strangers_ping_gets_a_pong_and_nothing_else(self):
        for n in self.c.nodes:
            peer = self.peer(slots=bus.bitmap(range(16384)), config_epoch=99, current_epoch=99)
            link = peer.dial(n)
            epoch = n.info()["cluster_current_epoch"]
            self.assertTrue(link.answers(peer.frame(PING, count=1, body=entry())))
            time.sleep(0.5)
            self.assertEqual(n.view(), self.before)
            self.assertEqual(n.info()["cluster_current_epoch"], epoch)
            self.assertEqual(peer.accepted, [], "it was connected to")

    def test_a_frame_in_one_byte_writes_and_two_frames_in_one_write_are_read(self):
        for n in self.c.nodes:
            link, raw = Link.dial(n.cport), stranger().build()
            for i in range(len(raw)):
                link.send(raw[i:i + 1])
            self.assertIsNotNone(link.expect(PONG), n.name)
            link.send(raw + raw + raw[:100])
            self.assertTrue(link.answers(raw[100:]), n.name)
            deadline = time.monotonic() + bus.PATIENCE_S
            while len(link.inbox.frames) < 4 and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual([f.kind for _, f in link.inbox.frames], [PONG] * 4, n.name)

    def test_a_peer_that_vanishes_inside_a_frame_is_nothing(self):
        for n in self.c.nodes:
            for size in (1, 8, 15, 100, 2255):
                link = Link.dial(n.cport)
                link.send(stranger().build()[:size])
                link.close()


class Meets(Case):
    def test_two_meets_on_one_link_make_one_node(self):
        c = Cluster(self, "hr").form().wait_formed()
        for n in c.nodes:
            if n.kind == "redis" and n.maker == "valkey":
                continue  # 8.0 aborts on the second one
            peer = self.peer()
            link = peer.dial(n)
            since = peer.inbox.mark()
            link.send(peer.frame(MEET).build() * 2)
            c.wait(lambda n=n, p=peer: p.id in n.view(), 5, f"{n.name} knows who said MEET")
            c.wait(lambda n=n, p=peer: [v.port for v in n.view().values()].count(p.port) == 1,
                   T + 3, f"{n.name} has one node for two MEETs")
            pongs = [f for x, f in peer.inbox.frames[since:] if x is link and f.kind == PONG]
            self.assertEqual(len(pongs), 2, n.name)
            for x in c.nodes:
                x.text("CLUSTER", "FORGET", peer.id)
            peer.close()

    def test_meets_from_nowhere_time_out_and_leave_nothing(self):
        c = Cluster(self, "hr").form().wait_formed()
        ids = {n.id for n in c.nodes}
        for n in c.nodes:
            for _ in range(20):
                link = Link.dial(n.cport)
                link.send(stranger(MEET))
                self.assertIsNotNone(link.expect(PONG), n.name)
        c.wait(lambda: all(n.view().keys() == ids for n in c.nodes), T + 4,
               "the handshakes timed out")
        self.assertEqual({n.info()["cluster_state"] for n in c.nodes}, {"ok"})


@hearsay_only("7.0 aborts on this (protocol page, 12.18)")
class TrustedLiar(Case):
    """A known node that gossips what no sane node says."""

    def setUp(self):
        super().setUp()
        self.c = Cluster(self, "h").form()
        self.n = self.c.nodes[0]
        self.p = self.peer()
        self.link = self.p.join(self.n)

    def tell(self, *entries, **fields):
        ok = self.link.answers(self.p.frame(PING, count=len(entries), body=b"".join(entries),
                                            **fields))
        self.assertTrue(ok, "no PONG")

    def test_invalid_ids_addresses_and_flags_in_gossip_are_not_believed(self):
        known = {self.n.id, self.p.id}
        for bad in (b"A" * 40, b"\0" * 40, b"a" * 39 + b"\n", b"a" * 39 + b" "):
            self.tell(bus.gossip(bad, "127.0.0.1", 21000, 31000))
            self.assertEqual(self.n.view().keys(), known, bad)
        for ip, port, cport in (("not-an-ip", 9, 9), ("", 9, 9), ("127.0.0.1", 9, 0)):
            self.tell(bus.gossip(bus.new_id(), ip, port, cport))
            self.assertEqual(self.n.view().keys(), known, (ip, port, cport))
        self.tell(bus.gossip(bus.new_id(), "127.0.0.1", 9, 9, bus.F_MASTER | bus.F_NOADDR))
        self.assertEqual(self.n.view().keys(), known, "noaddr")
        alien = bus.new_id()
        self.tell(bus.gossip(alien, "127.0.0.1", 9, 9, 0xffff & ~bus.F_NOADDR))
        if alien in self.n.view():
            self.assertFalse(self.n.view()[alien].flags & {"handshake", "noaddr"})
            self.assertEqual(self.n.call("CLUSTER", "NODES").count("myself"), 1)

    def test_gossip_about_the_receiver_changes_nothing(self):
        before = self.n.me()
        self.tell(bus.gossip(self.n.id, "127.0.0.9", 9, 9, bus.F_SLAVE | bus.F_FAIL))
        self.assertEqual(self.n.me(), before)

    def test_an_update_about_the_receiver_is_dropped(self):
        before = self.n.me()
        body = struct.pack(">Q40s2048s", 1000, self.n.id.encode(), bytes(2048))
        self.link.send(self.p.frame(UPDATE, body=body))
        self.tell()
        self.assertEqual(self.n.me(), before)

    def test_a_forgotten_node_extension_that_names_its_sender_is_dropped(self):
        ext = bus.extension(2, self.p.id.encode() + struct.pack(">Q", 60))
        self.link.send(self.p.frame(PING, mflags=EXT, ext_n=1, body=ext))
        self.tell()
        self.assertIn(self.p.id, self.n.view())

    def test_another_identity_on_a_bound_link_is_not_believed(self):
        other = bus.new_id()
        self.link.send(Frame(PING, other, port=9, cport=9, config_epoch=77))
        self.tell()
        self.assertNotIn(other, self.n.view())


if __name__ == "__main__":
    harness.main()
