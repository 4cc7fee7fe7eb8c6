#!/usr/bin/env python3
"""Claims: whatever kind a node is, its death is agreed on by all in time, its
return is accepted by the clearing rules, and a minority knows that it is one."""
import time

import harness
from harness import Case, Cluster, TIMEOUT_MS

T = TIMEOUT_MS / 1000
DETECTED = 2 * T + 2
RETURNED = 2 * T + 4  # FAIL of a master with slots stands for 2T, then one PONG clears it


def slot_count(seer, owners):
    """How many slots these nodes own in the view of one node, as INFO prints it."""
    view, n = seer.view(), 0
    for owner in owners:
        for words in view[owner.id].slots:
            first, _, last = words.partition("-")
            n += int(last or first) - int(first) + 1
    return str(n)


def others_of(cluster, node):
    return [n for n in cluster.nodes if n is not node]


class DeathAndReturn(Case):
    """One cluster per kind of victim; both go through each step at the same time."""

    @classmethod
    def set_up_clusters(cls):
        cls.clusters = [Cluster(cls, "hhhrrr").form() for _ in range(2)]
        cls.pairs = [(cls.clusters[0], cls.clusters[0].h[2]),
                     (cls.clusters[1], cls.clusters[1].r[2])]

    def setUp(self):
        super().setUp()
        for c in self.clusters:
            c.wait_formed()

    def test_a_killed_node_is_fail_in_every_view_and_rejoins_with_all_it_had(self):
        before = [victim.me() for _, victim in self.pairs]
        for _, victim in self.pairs:
            victim.kill()
        killed = time.monotonic()
        for c, victim in self.pairs:
            c.wait_flag(victim, "fail", True, killed + DETECTED - time.monotonic())
        for c, victim in self.pairs:
            survivors = others_of(c, victim)
            c.wait_state("fail", 1, survivors)
            for n in survivors:
                self.assertEqual(n.info()["cluster_slots_fail"], slot_count(n, [victim]))
        for _, victim in self.pairs:
            old = victim.id
            victim.start()
            self.assertEqual(victim.id, old)
        for (c, victim), was in zip(self.pairs, before):
            c.wait_flag(victim, "fail", False, RETURNED)
            c.wait_equal(RETURNED, f"{victim.name} returned")
            c.wait_state("ok", RETURNED)
            self.assertEqual(victim.me(), was)

    def test_a_paused_master_with_slots_is_cleared_after_two_timeouts_and_not_before(self):
        failed = time.monotonic() + T  # not sooner
        for _, victim in self.pairs:
            victim.pause()
        for c, victim in self.pairs:
            c.wait_flag(victim, "fail", True, DETECTED, others_of(c, victim))
        for _, victim in self.pairs:
            victim.resume()
        harness.holds(lambda: all("fail" in n.view()[victim.id].flags
                                  for c, victim in self.pairs for n in others_of(c, victim)),
                      failed + 1.5 * T - time.monotonic(), "FAIL is not cleared early",
                      [n for c in self.clusters for n in c.nodes])
        for c, victim in self.pairs:
            c.wait_flag(victim, "fail", False, RETURNED)
            c.wait_equal(RETURNED, f"{victim.name} was resumed")
            c.wait_state("ok", RETURNED)


class WithoutSlots(Case):
    def test_a_paused_master_without_slots_is_cleared_by_its_first_pong(self):
        c = Cluster(self, "hhhrrr")
        idle = [c.h[2], c.r[2]]
        c.form([n for n in c.nodes if n not in idle]).wait_formed()
        watchers = [n for n in c.nodes if n not in idle]
        for n in idle:
            n.pause()
        for n in idle:
            c.wait_flag(n, "fail", True, DETECTED, watchers)
        self.assertEqual({n.info()["cluster_state"] for n in watchers}, {"ok"})
        for n in idle:
            n.resume()
        for n in idle:
            c.wait_flag(n, "fail", False, T / 2 + 1, watchers)
        c.wait_equal(RETURNED, "both were resumed")


class Minority(Case):
    def test_a_minority_says_fail_only_suspects_and_recovers(self):
        c = Cluster(self, "hhrrr").form().wait_formed()
        few, many = [c.h[0], c.r[0]], [c.h[1], c.r[1], c.r[2]]
        for n in many:
            n.pause()
        paused = time.monotonic()
        c.wait_state("fail", T + 2, few)
        for n in many:
            c.wait_flag(n, "fail?", True, T + 2, few)
        for n in few:
            self.assertEqual(n.info()["cluster_slots_pfail"], slot_count(n, many))
        harness.holds(lambda: all("fail" not in n.view()[m.id].flags for n in few for m in many),
                      max(0, paused + 2 * T - time.monotonic()),
                      "a minority never agrees on FAIL", few)
        for n in many:
            n.resume()
        c.wait_equal(RETURNED + 2 * T, "the majority was resumed")
        c.wait_state("ok", RETURNED)


class Reports(Case):
    def test_failure_reports_are_counted_and_gone_after_recovery(self):
        c = Cluster(self, "hhrr").form().wait_formed()
        victim = c.r[1]
        victim.pause()
        others = others_of(c, victim)
        c.wait(lambda: all(n.call("CLUSTER", "COUNT-FAILURE-REPORTS", victim.id) >= 1
                           for n in others), DETECTED, "every survivor counts reports")
        victim.resume()
        c.wait(lambda: all(n.call("CLUSTER", "COUNT-FAILURE-REPORTS", victim.id) == 0
                           for n in others), 4 * T + 4, "the reports are gone")
        c.wait_equal(RETURNED, "recovery")


if __name__ == "__main__":
    harness.main()
