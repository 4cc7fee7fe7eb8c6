#!/usr/bin/env python3
"""Claims: nodes come, go, move and change their identity, and every view follows
by the same rules whichever kind the node and its observers are."""
import time

import harness
import process
from harness import Case, Cluster, TIMEOUT_MS, hearsay_only

T = TIMEOUT_MS / 1000


class Forget(Case):
    @harness.redis_is(below=(7, 2), why="the FORGET spreads, to those who MEET it again too")
    def test_a_forgotten_node_does_not_come_back_through_gossip_but_does_through_meet(self):
        """One cluster for each kind of the forgotten node. Only one hearsay node that
        stays: two of them would spread the FORGET, and take the node out again."""
        clusters = [Cluster(self, "hrrr"), Cluster(self, "hrrh")]
        for c in clusters:
            c.form(c.nodes[:3])
        for c in clusters:
            c.wait_formed()
        for c in clusters:
            for n in c.nodes[:2]:  # the third never forgets, so it goes on gossiping
                self.assertEqual(n.call("CLUSTER", "FORGET", c.nodes[3].id), "OK")
        harness.holds(lambda: all(c.nodes[3].id not in n.view()
                                  for c in clusters for n in c.nodes[:2]),
                      2 * T + 2, "a forgotten node stays away", clusters[0].nodes)
        for c in clusters:
            for n in c.nodes[:2]:
                n.call("CLUSTER", "MEET", "127.0.0.1", c.nodes[3].port)
        for c in clusters:
            c.wait_equal(10, "MEET of the forgotten node")

    @hearsay_only("7.0 does not spread a FORGET")
    def test_one_forget_is_enough_for_all_hearsay_nodes(self):
        c = Cluster(self, "hhhh")
        gone = c.nodes.pop()
        c.form()
        c.h[0].call("CLUSTER", "MEET", "127.0.0.1", gone.port)
        c.wait(lambda: all(gone.id in n.view() for n in c.nodes), 10, "all know the fourth")
        c.h[0].call("CLUSTER", "FORGET", gone.id)
        c.wait(lambda: all(gone.id not in n.view() for n in c.nodes), T + 3, "all forgot it")
        harness.holds(lambda: all(gone.id not in n.view() for n in c.nodes), 2 * T,
                      "and it stays away", c.nodes)

    @harness.redis_is(since=(7, 2), why="7.0 does not spread a FORGET")
    def test_a_forget_spreads_between_kinds(self):
        for kinds in ("hrhr", "rhrh"):
            c = Cluster(self, kinds).form().wait_formed()
            gone = c.nodes.pop()
            told = c.nodes[0]
            self.assertEqual(told.call("CLUSTER", "FORGET", gone.id), "OK")
            c.wait(lambda c=c, gone=gone: all(gone.id not in n.view() for n in c.nodes), T + 3,
                   f"all forgot what {told.name} was told to forget")

    @harness.redis_is(below=(7, 2), why="the FORGET spreads to the one that should remember")
    @hearsay_only("7.0 has no cluster-blacklist-ttl")
    def test_after_the_blacklist_time_gossip_brings_a_node_back(self):
        c = Cluster(self, "hrr", conf=None)
        h, keeper, gone = c.nodes
        h.call("CONFIG", "SET", "cluster-blacklist-ttl", 6)
        c.form([h, keeper]).wait_formed()
        h.call("CLUSTER", "FORGET", gone.id)
        harness.holds(lambda: gone.id not in h.view(), 1.5, "it stays away at first", c.nodes)
        c.wait_equal(T + 8, "the blacklist time ended")

    def test_forgetting_oneself_or_nobody_is_refused(self):
        c = Cluster(self, "h")
        n = c.nodes[0]
        self.assertEqual(n.text("CLUSTER", "FORGET", n.id),
                         "-ERR I tried hard but I can't forget myself...")
        self.assertEqual(n.text("CLUSTER", "FORGET", "f" * 40),
                         "-ERR Unknown node " + "f" * 40)


class Reset(Case):
    def setUp(self):
        super().setUp()
        self.c = Cluster(self, "hhrr")
        self.idle = [self.c.h[1], self.c.r[1]]
        self.others = [self.c.h[0], self.c.r[0]]
        self.c.form(self.c.nodes).wait_formed()

    def test_soft_keeps_identity_and_epoch_and_the_node_can_be_met_again(self):
        c = self.c
        for n in self.idle:
            was = n.me()
            self.assertEqual(n.call("CLUSTER", "RESET", "SOFT"), "OK")
            self.assertEqual(n.view(), {n.id: was._replace(slots=())})
        # A slot without an owner's claim stays bound where it was (protocol page, 2.7).
        for n in self.others:
            self.assertEqual([len(n.view()[i.id].slots) for i in self.idle], [1, 1])
        for n in self.idle:
            n.call("CLUSTER", "MEET", "127.0.0.1", c.h[0].port)
        c.wait(lambda: all(n.view().keys() == {x.id for x in c.nodes} for n in c.nodes), 10,
               "everybody knows everybody again")

    def test_hard_gives_a_new_identity_and_the_old_one_becomes_noaddr(self):
        c = self.c
        old = [n.id for n in self.idle]
        for n in self.idle:
            self.assertEqual(n.call("CLUSTER", "RESET", "HARD"), "OK")
            n.id = n.call("CLUSTER", "MYID")
            v = n.me()
            self.assertEqual((v.flags, v.epoch, v.slots), ({"master"}, 0, ()))
        self.assertFalse(set(old) & {n.id for n in self.idle})
        c.wait(lambda: all("noaddr" in n.view()[i].flags for n in self.others for i in old),
               T + 3, "a PONG with another id makes the old one noaddr")
        for n in self.others:
            for i in old:
                self.assertEqual(n.view()[i][:3], ("", 0, 0))
                n.call("CLUSTER", "FORGET", i)
        for n in self.idle:
            n.call("CLUSTER", "MEET", "127.0.0.1", c.h[0].port)
        c.wait_equal(10, "the renewed nodes were met")


class AddressChange(Case):
    def test_nodes_restarted_on_other_ports_are_found_there(self):
        c = Cluster(self, "hhrr").form().wait_formed()
        for n in (c.h[1], c.r[1]):
            self.assertEqual(n.stop(), 0)
            n.move(process.free_port())
        moved = [c.h[1].start(), c.r[1].start()]
        c.wait_equal(10, "two nodes moved")
        for n in moved:
            self.assertEqual(c.h[0].view()[n.id][1:3], (n.port, n.cport))
        c.wait_state("ok", 10)

    def test_everything_else_can_move_and_the_one_that_stayed_keeps_them_together(self):
        c = Cluster(self, "hrr").form().wait_formed()
        for n in c.r:
            n.stop()
            n.move(process.free_port())
        for n in c.r:
            n.start()
        c.wait_equal(12, "both Redis nodes moved at once")
        c.wait_state("ok", 10)

    @harness.redis_is(since=(7, 0), why="6.2 shows itself under the port it started with")
    def test_a_live_announcement_is_followed(self):
        c = Cluster(self, "hr").form().wait_formed()
        for n in c.nodes:
            n.call("CONFIG", "SET", "cluster-announce-port", n.port + 3)
        c.wait(lambda: all(a.view()[b.id].port == b.port + 3 for a in c.nodes for b in c.nodes),
               10, "both views show the announced ports")
        for n in c.nodes:
            n.call("CONFIG", "SET", "cluster-announce-port", 0)
        c.wait(lambda: all(a.view()[b.id].port == b.port for a in c.nodes for b in c.nodes),
               10, "both views show the real ports")


class OddMeets(Case):
    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hr").form()

    def setUp(self):
        super().setUp()
        self.c.wait_formed()

    def settled(self):
        ids = {n.id for n in self.c.nodes}
        return all(n.view().keys() == ids for n in self.c.nodes)

    def test_meeting_oneself_leaves_no_trace(self):
        for n in self.c.nodes:
            self.assertEqual(n.call("CLUSTER", "MEET", "127.0.0.1", n.port), "OK")
        self.c.wait(self.settled, 3, "only the real nodes are left")

    def test_meeting_a_known_node_again_changes_nothing(self):
        before = self.c.nodes[0].view()
        for a in self.c.nodes:
            for b in self.c.nodes:
                if a is not b:
                    a.call("CLUSTER", "MEET", "127.0.0.1", b.port)
        time.sleep(0.3)
        self.c.wait(self.settled, 3, "only the real nodes are left")
        self.assertEqual(self.c.nodes[0].view(), before)

    def test_a_handshake_with_nobody_times_out(self):
        dead = process.free_port()
        for n in self.c.nodes:
            self.assertEqual(n.call("CLUSTER", "MEET", "127.0.0.1", dead), "OK")
            found = [v for v in n.view().values() if v.port == dead]
            self.assertEqual([v.flags for v in found], [{"handshake"}], n.name)
        self.c.wait(self.settled, max(T, 1) + 2, "the handshakes timed out")
        self.assertEqual({n.info()["cluster_state"] for n in self.c.nodes}, {"ok"})


if __name__ == "__main__":
    harness.main()
