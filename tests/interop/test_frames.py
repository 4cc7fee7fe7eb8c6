#!/usr/bin/env python3
"""Claims about what a node says: every frame it sends is one a stock peer of any
age can bear, and it says it when it should. A Python node listens."""
import ipaddress
import re
import time

import bus
import harness
from bus import EXT_DATA, MEET, PING, PONG
from harness import Case, Cluster, hearsay_only
from test_failover import ELECTED, master_of

T = 2
HEARD = bytes((EXT_DATA, 0, 0))


def complaints(frame, slots_of_sender=None):
    """What is wrong with a PING, PONG or MEET, in words."""
    bad = []
    if (frame.sig, frame.ver) != (b"RCmb", 1):
        bad.append(f"signature {frame.sig} version {frame.ver}")
    if frame.totlen != 2256 + len(frame.body):
        bad.append(f"totlen {frame.totlen}")
    if any(frame.reserved):
        bad.append("reserved bytes are not zero")
    if not bus.ID.match(frame.sender.encode()):
        bad.append(f"sender {frame.sender}")
    if not frame.flags & bus.F_MYSELF:
        bad.append(f"flags {frame.flags} without MYSELF")
    if slots_of_sender is not None and frame.slots != slots_of_sender:
        bad.append("slots are not the sender's")
    try:
        if len(frame.extensions()) != frame.ext_n:
            bad.append(f"{frame.ext_n} extensions announced")
    except ValueError as e:
        bad.append(str(e))
    ids = [g[0] for g in frame.gossip()]
    if len(set(ids)) != len(ids):
        bad.append("a node is gossiped twice")
    return bad + [x for g in frame.gossip() for x in gossip_complaints(g)]


def gossip_complaints(g):
    node_id, _, _, ip, port, cport, flags, _, zero = g
    bad = []
    if not bus.ID.match(node_id):
        bad.append(f"gossip: id {node_id}")
    if flags & (bus.F_MYSELF | bus.F_HANDSHAKE | bus.F_NOADDR):
        bad.append(f"gossip: flags {flags}")
    if not port or not cport or zero:
        bad.append(f"gossip: ports {port} {cport}, last field {zero}")
    try:
        ipaddress.ip_address(ip.rstrip(b"\0").decode())
    except ValueError:
        bad.append(f"gossip: ip {ip}")
    return bad


class Listening(Case):
    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hhrr", T * 1000)
        cls.c.h[0].call("CONFIG", "SET", "cluster-announce-hostname", "host.example")
        cls.c.form()

    def setUp(self):
        super().setUp()
        self.c.wait_formed()
        self.speakers = [self.c.h[0]] if not harness.ALL_REDIS else [self.c.h[0], self.c.r[0]]

    def tearDown(self):
        for p in self.peers:
            self.c.wait(lambda p=p: not any(n.text("CLUSTER", "FORGET", p.id) and p.id in n.view()
                                            for n in self.c.nodes), 5, "the peer is forgotten")

    @staticmethod
    def links_from(peer, node):
        """The links this node dialled; others dial a peer they hear of by gossip."""
        return [x for x in peer.accepted
                if any(y is x and f.sender == node.id for y, f in list(peer.inbox.frames))]

    def heard(self, speaker, seconds, **fields):
        """Frames a peer gets from one node after it has joined."""
        peer = self.peer(**fields)
        link = peer.join(speaker)
        since = peer.inbox.mark()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.assertTrue(link.answers(peer.frame(PING)))
            time.sleep(0.3)
        return peer, [f for _, f in peer.inbox.frames[since:] if f.sender == speaker.id]

    def test_every_frame_is_well_formed_and_says_the_truth(self):
        for n in self.speakers:
            first, last = map(int, n.me().slots[0].split("-"))
            _, frames = self.heard(n, 4)
            self.assertEqual({f.kind for f in frames}, {PING, PONG})
            for f in frames:
                self.assertEqual(complaints(f, bus.bitmap(range(first, last + 1))), [], n.name)
                self.assertEqual((f.sender, f.port, f.cport), (n.id, n.port, n.cport))
                self.assertEqual((f.config_epoch, f.state), (n.me().epoch, 0))
                self.assertEqual(f.slaveof, "")
            told = {g[0].decode() for f in frames for g in f.gossip()}
            self.assertLessEqual({x.id for x in self.c.nodes if x is not n}, told)
            self.assertLessEqual(told, {x.id for x in self.c.nodes + self.peers})

    @hearsay_only("7.0 sends a hostname to everybody")
    def test_a_peer_that_never_showed_extensions_gets_none(self):
        _, frames = self.heard(self.c.h[0], 3)
        self.assertEqual({f.ext_n for f in frames}, {0})
        self.assertEqual({f.totlen - 104 * f.count for f in frames}, {2256})

    @hearsay_only("7.0 has no shard id")
    def test_a_peer_that_showed_extensions_gets_hostname_and_shard_id(self):
        h = self.c.h[0]
        _, frames = self.heard(h, 3, mflags=HEARD)
        found = dict(frames[-1].extensions())
        self.assertTrue(frames[-1].mflags[0] & EXT_DATA)
        self.assertEqual(found[0].rstrip(b"\0"), b"host.example")
        self.assertEqual(found[3].decode(), h.call("CLUSTER", "MYSHARDID"))

    def test_the_first_word_on_a_new_link_is_meet_and_then_ping(self):
        for n in self.speakers:
            peer = self.peer()
            peer.join(n)
            self.assertIsNotNone(peer.expect(lambda f, n=n: (f.kind, f.sender) == (PING, n.id)))
            dialled = self.links_from(peer, n)
            self.assertEqual(len(dialled), 1, "one outbound link is enough")
            kinds = [f.kind for x, f in peer.inbox.frames if x is dialled[0]]
            self.assertEqual(kinds[0], MEET, n.name)
            self.assertEqual(set(kinds[1:]), {PING}, n.name)

    def test_a_quiet_peer_is_pinged_every_half_timeout_and_not_flooded(self):
        for n in self.speakers:
            peer = self.peer()
            peer.join(n)
            since = peer.inbox.mark()
            time.sleep(3 * T)
            pings = [f for _, f in peer.inbox.frames[since:] if (f.kind, f.sender) == (PING, n.id)]
            self.assertGreaterEqual(len(pings), 3, n.name)  # gossip can put one off
            self.assertLessEqual(len(pings), 3 * 3 * T, n.name)

    def test_a_peer_that_stops_answering_gets_a_fresh_link_and_then_suspicion(self):
        for n in self.speakers:
            peer = self.peer()
            peer.join(n)
            time.sleep(T + 0.5)  # a link younger than T is not reset
            peer.pong = False
            self.c.wait(lambda n=n, p=peer: len(self.links_from(p, n)) >= 2, 2 * T + 1,
                        f"{n.name} dials again after half a timeout without PONG")
            self.c.wait(lambda n=n, p=peer: n.view()[p.id].flags & {"fail?", "fail"},
                        2 * T + 1, f"{n.name} suspects the peer")
            peer.pong = True
            self.c.wait(lambda n=n, p=peer: n.view()[p.id].flags == {"master"}, T + 2,
                        f"{n.name} clears the peer at its first PONG")


def types_sent(cluster):
    """The names of all types of messages that these nodes count as sent."""
    found = set()
    for n in cluster.nodes:
        if n.alive():
            found |= set(re.findall(r"cluster_stats_messages_([a-z-]+)_sent", str(n.info())))
    return found


@hearsay_only("it is about what we say")
class EveryType(Case):
    def test_whatever_type_of_message_a_stock_node_sends_ours_send_too(self):
        c = Cluster(self, "hhhh").meet_and_spread("h0", "h1", "h2").wait_formed()
        replica, old = c.node("h3"), c.node("h2")
        c.replicate(replica, old)
        replica.call("PUBLISH", "foo", "to all")
        replica.call("SPUBLISH", "foo", "to its master, who owns the slot of foo")
        old.kill()
        c.wait(lambda: master_of(c, replica, [n for n in c.nodes if n is not old]), ELECTED,
               "an election")
        said = types_sent(c)
        old.start()
        c.wait(lambda: all(n.view()[old.id].master == replica.id for n in c.nodes), ELECTED,
               "the old master was told")
        c.wait_equal(ELECTED, "it is back")  # and connected: votes travel on voters' own links
        self.assertEqual(old.text("CLUSTER", "FAILOVER"), "OK")
        c.wait(lambda: master_of(c, old, c.nodes), 10, "it is master again")
        peer = self.peer()  # claims a slot of h0 with an old epoch
        peer.join(c.h[0]).send(peer.frame(bus.PING, slots=bus.bitmap([0])))
        self.assertIsNotNone(peer.expect(bus.UPDATE))
        c.wait(lambda: said | types_sent(c) == {
            "ping", "pong", "meet", "fail", "publish", "publishshard", "auth-req", "auth-ack",
            "update", "mfstart"}, 5, "every type is counted as sent")


if __name__ == "__main__":
    harness.main()
