#!/usr/bin/env python3
"""Claims: replicas of either kind take their master's place by votes of either
kind, when it fails and when they are told to; and in all of it a hearsay node
sends every type of message that a stock node would."""
import harness
from harness import Case, Cluster, TIMEOUT_MS

T = TIMEOUT_MS / 1000
ELECTED = 4 * T + 8


def master_of(cluster, node, seers):
    """Whether these see it as a master with slots."""
    return all("master" in n.view()[node.id].flags and n.view()[node.id].slots for n in seers)


def sent(node, name):
    return int(node.info().get(f"cluster_stats_messages_{name}_sent", 0))


def received(node, name):
    return int(node.info().get(f"cluster_stats_messages_{name}_received", 0))


class Elections(Case):
    def elect(self, kinds, masters, replica, of):
        """The master `of` dies; its replica is elected by the other masters."""
        c = Cluster(self, kinds)
        c.form([c.node(n) for n in masters]).wait_formed()
        replica, old = c.node(replica), c.node(of)
        c.replicate(replica, old)
        old.kill()
        alive = [n for n in c.nodes if n is not old]
        c.wait(lambda: master_of(c, replica, alive), ELECTED, f"{replica.name} was elected")
        c.wait_state("ok", 2 * T + 4, alive)
        old.start()
        c.wait(lambda: all(n.view()[old.id].master == replica.id for n in c.nodes), ELECTED,
               f"{old.name} follows the one that took its place")
        c.wait_equal(2 * T + 4, "the old master returned")
        return c, replica

    def test_hearsay_voters_elect_a_redis_replica(self):
        c, replica = self.elect("hhrr", ["h0", "h1", "r0"], "r1", "r0")
        for voter in c.h:
            self.assertEqual(sent(voter, "auth-ack"), 1)
            self.assertGreaterEqual(received(voter, "auth-req"), 1)
        self.assertEqual(received(replica, "auth-ack"), 2)

    def test_redis_voters_elect_a_hearsay_replica(self):
        c, replica = self.elect("hrrr", ["r0", "r1", "r2"], "h0", "r0")
        self.assertGreaterEqual(sent(replica, "auth-req"), 2)
        self.assertGreaterEqual(received(replica, "auth-ack"), 1)

    def test_hearsay_alone_elects_as_well(self):
        self.elect("hhhh", ["h0", "h1", "h2"], "h3", "h0")


class Manual(Case):
    def take_over(self, kinds, masters, replica, of, *how):
        c = Cluster(self, kinds)
        c.form([c.node(n) for n in masters]).wait_formed()
        replica, old = c.node(replica), c.node(of)
        c.replicate(replica, old)
        if replica.kind == "redis" and old.kind == "hearsay":
            self.fail("a redis replica has nothing to replicate from hearsay")
        self.assertEqual(replica.text("CLUSTER", "FAILOVER", *how), "OK")
        c.wait(lambda: master_of(c, replica, c.nodes), 10,
               f"{replica.name} is master for {' '.join(how) or 'default'}")
        c.wait(lambda: all(n.view()[old.id].master == replica.id for n in c.nodes), 10,
               f"{old.name} follows it")
        c.wait_equal(10, "the failover")
        return c, replica, old

    def test_a_hearsay_replica_takes_over_from_redis_in_agreement(self):
        _, replica, old = self.take_over("hrrr", ["r0", "r1", "r2"], "h0", "r0")
        self.assertEqual(sent(replica, "mfstart"), 1)
        self.assertEqual(received(old, "mfstart"), 1)

    def test_a_hearsay_replica_takes_over_by_force(self):
        _, replica, _ = self.take_over("hrrr", ["r0", "r1", "r2"], "h0", "r0", "FORCE")
        self.assertGreaterEqual(sent(replica, "auth-req"), 2)

    def test_a_hearsay_replica_takes_over_without_asking(self):
        _, replica, _ = self.take_over("hrrr", ["r0", "r1", "r2"], "h0", "r0", "TAKEOVER")
        self.assertEqual(sent(replica, "auth-req"), 0)

    def test_a_redis_replica_takes_over_with_votes_of_hearsay(self):
        c, _, _ = self.take_over("hhrr", ["h0", "h1", "r0"], "r1", "r0")
        self.assertEqual([sent(voter, "auth-ack") for voter in c.h], [1, 1])

    def test_between_hearsay_nodes_the_master_agrees_too(self):
        _, replica, old = self.take_over("hhrr", ["h0", "r0", "r1"], "h1", "h0")
        self.assertEqual(received(old, "mfstart"), 1)
        self.assertEqual(sent(replica, "mfstart"), 1)

    def test_a_redis_replica_of_a_dead_master_takes_over_by_force_with_votes_of_hearsay(self):
        c = Cluster(self, "hhrr", 2000 * harness.PATIENCE_S)  # so that nobody has failed yet
        c.meet_and_spread("h0", "h1", "r0").wait_formed()
        replica, old = c.r[1], c.r[0]
        c.replicate(replica, old)
        old.kill()
        self.assertEqual(replica.call("CLUSTER", "FAILOVER", "FORCE"), "OK")
        c.wait(lambda: master_of(c, replica, [*c.h, replica]), 5, "it is master before the "
               "timeout of its old one")
        self.assertEqual([sent(voter, "auth-ack") for voter in c.h], [1, 1])

    def test_it_is_given_up_after_five_seconds_and_nothing_has_changed(self):
        """A hearsay replica's, whose master stands still, and a Redis replica's, whose
        voters do. Nobody fails meanwhile."""
        one = Cluster(self, "hrr", 20000).meet_and_spread("r0", "r1")
        two = Cluster(self, "hhrr", 20000).meet_and_spread("h0", "h1", "r0")
        cases = ((one, one.h[0], [one.r[0]]), (two, two.r[1], two.h))
        for c, replica, _ in cases:
            c.wait_formed()
            c.replicate(replica, c.r[0])
        for _, replica, stopped in cases:
            for n in stopped:
                n.pause()
            self.assertEqual(replica.call("CLUSTER", "FAILOVER"), "OK")
        harness.holds(lambda: all("slave" in replica.me().flags for _, replica, _ in cases),
                      5.5, "without an answer they stay replicas", one.nodes + two.nodes)
        for _, _, stopped in cases:
            for n in stopped:
                n.resume()
        for c, replica, _ in cases:
            harness.holds(lambda r=replica: "slave" in r.me().flags, 0.5, "it is over", c.nodes)
            c.wait_equal(10, "a failover was given up")
        self.assertEqual(two.r[0].call("SET", "foo", "1"), "OK")  # its clients wait no more
        self.assertEqual(one.h[0].call("CLUSTER", "FAILOVER"), "OK")
        one.wait(lambda: master_of(one, one.h[0], one.nodes), 10, "the second time it works")

    def test_on_a_master_it_is_refused(self):
        c = Cluster(self, "hr").form().wait_formed()
        self.assertEqual({n.text("CLUSTER", "FAILOVER") for n in c.nodes},
                         {"-ERR You should send CLUSTER FAILOVER to a replica"})


if __name__ == "__main__":
    harness.main()
