#!/usr/bin/env python3
"""Claims: hearsay and Redis form one cluster, whoever says MEET, however roles
are spread, and redis-cli's own tools agree that it is one."""
import re

import harness
from harness import Case, Cluster, redis_cli

T = 2000
WITHIN = 10


class MeetFromEitherSide(Case):
    """All clusters form at the same time; each test looks at one of them."""

    @classmethod
    def set_up_clusters(cls):
        cls.by_h = Cluster(cls, "hhhrrr", T)
        cls.by_r = Cluster(cls, "hhhrrr", T)
        cls.chain = Cluster(cls, "hrhrhr", T)
        cls.own = Cluster(cls, "hhhhhh", T)
        for c in (cls.by_h, cls.by_r, cls.chain, cls.own):
            share = harness.SLOTS // 6
            for i, n in enumerate(c.nodes):  # no epochs: collisions must sort them out
                last = harness.SLOTS - 1 if i == 5 else (i + 1) * share - 1
                n.add_slots(i * share, last)
        cls.by_h.meet(cls.by_h.h[0])
        cls.by_r.meet(cls.by_r.r[0])
        cls.own.meet()
        for a, b in zip(cls.chain.nodes, cls.chain.nodes[1:]):
            a.call("CLUSTER", "MEET", "127.0.0.1", b.port)

    def check(self, cluster):
        cluster.wait_equal(WITHIN, "MEET")
        cluster.wait(lambda: len({v.epoch for v in cluster.nodes[0].view().values()}) == 6,
                     WITHIN, "every master has a config epoch of its own")
        cluster.wait_equal(WITHIN, "collisions were resolved")
        cluster.wait_state("ok", WITHIN)
        for v in cluster.nodes[0].view().values():
            self.assertEqual(v.flags, {"master"})
            self.assertEqual(v.ip, "127.0.0.1")
            self.assertEqual(len(v.slots), 1)

    def test_hearsay_meets_everybody(self):
        self.check(self.by_h)

    def test_redis_meets_everybody(self):
        self.check(self.by_r)

    def test_a_chain_of_meets_with_alternating_kinds(self):
        self.check(self.chain)

    def test_hearsay_alone(self):
        self.check(self.own)


class Roles(Case):
    def test_replicas_of_the_other_kind_are_seen_equally(self):
        c = Cluster(self, "hhrr", T).meet_and_spread("h0", "r0")
        c.wait_formed()
        c.replicate(c.node("h1"), c.node("r0"))
        c.replicate(c.node("r1"), c.node("h0"))
        c.wait_equal(WITHIN, "REPLICATE in both directions")
        view = c.nodes[0].view()
        for replica, master in (("h1", "r0"), ("r1", "h0")):
            v = view[c.node(replica).id]
            self.assertEqual(v.flags, {"slave"})
            self.assertEqual(v.epoch, c.node(master).me().epoch)
            self.assertEqual(v.slots, ())
        role = c.node("h1").call("ROLE")
        self.assertEqual(role[:3], ["slave", "127.0.0.1", c.node("r0").port])

    def test_replicas_lists_the_same_nodes_everywhere(self):
        c = Cluster(self, "hrr", T).meet_and_spread("r0")
        c.wait_formed()
        c.replicate(c.node("h0"), c.node("r0"))
        c.replicate(c.node("r1"), c.node("r0"))
        for n in c.nodes:
            lines = n.call("CLUSTER", "REPLICAS", c.node("r0").id)
            self.assertEqual({x.split()[0] for x in lines}, {c.node("h0").id, c.node("r1").id})


class RedisCliCluster(Case):
    def create(self, order, replicas):
        c = Cluster(self, "hhhrrr", T)
        addresses = [f"127.0.0.1:{c.node(n).port}" for n in order]
        status, out = redis_cli("--cluster", "create", *addresses, "--cluster-replicas",
                                replicas, "--cluster-yes")
        self.assertEqual(status, 0, out)
        self.assertIn("[OK] All 16384 slots covered.", out)
        c.wait_equal(WITHIN, "redis-cli --cluster create")
        c.wait_state("ok", WITHIN)
        self.check_and_info_agree(c)
        return c

    def check_and_info_agree(self, c):
        expected = {n.id[:8] for n in c.nodes if "master" in n.me().flags}
        for n in c.nodes:
            status, out = redis_cli("--cluster", "check", f"127.0.0.1:{n.port}")
            self.assertEqual(status, 0, f"seen from {n.name}: {out}")
            self.assertIn("[OK] All nodes agree about slots configuration.", out)
            self.assertIn("[OK] All 16384 slots covered.", out)
            status, out = redis_cli("--cluster", "info", f"127.0.0.1:{n.port}")
            self.assertEqual(status, 0, f"seen from {n.name}: {out}")
            self.assertEqual(set(re.findall(r"\(([0-9a-z]{8})\.\.\.\)", out)), expected,
                             f"seen from {n.name}: {out}")

    def test_create_makes_six_masters_of_both_kinds(self):
        c = self.create(["h0", "r0", "h1", "r1", "h2", "r2"], 0)
        self.assertEqual(len({n.me().epoch for n in c.nodes}), 6)

    def test_create_makes_hearsay_replicas_of_redis_masters(self):
        c = self.create(["r0", "r1", "r2", "h0", "h1", "h2"], 1)
        self.assertEqual({n.me().flags for n in c.h}, {frozenset({"slave"})})

    def test_create_makes_pairs_of_mixed_kinds(self):
        self.create(["h0", "r0", "h1", "r1", "h2", "r2"], 1)


if __name__ == "__main__":
    harness.main()
