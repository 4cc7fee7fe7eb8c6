#!/usr/bin/env python3
"""Claims: redis-cli --cluster grows, shrinks, reshapes and mends a mixed cluster,
whichever kind the node is that it acts on or is told to begin with."""
import harness
from harness import Case, Cluster, redis_cli


def slot_count(node):
    n = 0
    for words in node.me().slots:
        first, _, last = words.partition("-")
        n += int(last or first) - int(first) + 1
    return n


class Repair(Case):
    def cluster_cli(self, verb, *words):
        status, out = redis_cli("--cluster", verb, *words)
        self.assertEqual(status, 0, out)
        return out

    def checked(self, c):
        c.wait_equal(10, "redis-cli's work")
        c.wait_state("ok", 10)
        for n in c.nodes:
            out = self.cluster_cli("check", address(n))
            self.assertIn("[OK] All 16384 slots covered.", out)

    def test_add_node_joins_either_kind_through_either_kind(self):
        c = Cluster(self, "hhrr")
        old, new = [c.h[0], c.r[0]], [c.h[1], c.r[1]]
        c.spread(old)
        c.h[0].call("CLUSTER", "MEET", "127.0.0.1", c.r[0].port)
        c.wait_equal(10, "MEET", old)
        c.wait_state("ok", 10, old)
        self.cluster_cli("add-node", address(new[0]), address(c.r[0]))
        c.wait_equal(10, "add-node", old + new[:1])
        self.cluster_cli("add-node", address(new[1]), address(c.h[0]))
        self.checked(c)

    def test_add_node_as_replica_of_the_other_kind(self):
        c = Cluster(self, "hrr")
        h, r, late = c.nodes
        c.spread([r, late])
        r.call("CLUSTER", "MEET", "127.0.0.1", late.port)
        c.wait_equal(10, "MEET", [r, late])
        c.wait_state("ok", 10, [r, late])
        self.cluster_cli("add-node", address(h), address(r), "--cluster-slave",
                         "--cluster-master-id", r.id)
        c.wait(lambda: all(n.view()[h.id].master == r.id for n in c.nodes), 10,
               "hearsay is seen as replica")
        self.checked(c)

    def test_reshard_moves_slots_in_both_directions(self):
        c = Cluster(self, "hrr").form().wait_formed()
        for source, target in ((c.h[0], c.r[0]), (c.r[1], c.h[0])):
            had = slot_count(target)
            self.cluster_cli("reshard", address(c.h[0]), "--cluster-from", source.id,
                             "--cluster-to", target.id, "--cluster-slots", 50, "--cluster-yes")
            c.wait_equal(10, "reshard")
            self.assertEqual(slot_count(target), had + 50)
        self.checked(c)

    def test_call_asks_every_node(self):
        c = Cluster(self, "hr").form().wait_formed()
        for n in c.nodes:
            out = self.cluster_cli("call", address(n), "CLUSTER", "MYID")
            self.assertTrue(all(m.id in out for m in c.nodes), out)

    def test_set_timeout_reaches_every_node_and_its_file(self):
        c = Cluster(self, "hr").form().wait_formed()
        out = self.cluster_cli("set-timeout", address(c.h[0]), "4321")
        for n in c.nodes:
            self.assertEqual(n.call("CONFIG", "GET", "cluster-node-timeout")[1], "4321", out)
            self.assertIn("\ncluster-node-timeout 4321\n", (n.dir / "redis.conf").read_text())

    def test_rebalance_gives_an_empty_node_its_share(self):
        c = Cluster(self, "hhr").meet_and_spread("h0", "r0").wait_formed()
        self.cluster_cli("rebalance", address(c.r[0]), "--cluster-use-empty-masters",
                         "--cluster-yes")
        self.checked(c)
        for n in c.nodes:
            self.assertAlmostEqual(slot_count(n), harness.SLOTS / 3, delta=harness.SLOTS * 0.03)

    def test_fix_covers_what_nobody_serves_and_closes_open_slots(self):
        c = Cluster(self, "hr", conf={"cluster-require-full-coverage": "no"})
        h, r = c.nodes
        c.form().wait_formed()
        for n in c.nodes:
            n.call("CLUSTER", "DELSLOTS", 5, 16000)
        h.call("CLUSTER", "SETSLOT", 100, "MIGRATING", r.id)
        r.call("CLUSTER", "SETSLOT", 100, "IMPORTING", h.id)
        status, out = redis_cli("--cluster", "fix", address(h), answers="yes\nyes\n")
        self.assertEqual(status, 0, out)
        self.checked(c)
        for n in c.nodes:
            self.assertNotIn("[", n.call("CLUSTER", "NODES"))

    def test_del_node_takes_either_kind_out(self):
        c = Cluster(self, "hhrr").meet_and_spread("h0", "r0").wait_formed()
        for n, told in ((c.h[1], c.r[0]), (c.r[1], c.h[0])):
            self.cluster_cli("del-node", address(told), n.id)
            c.nodes.remove(n)
            c.wait(lambda n=n: set(n.view()) == {n.id}, 5, f"{n.name} is alone")
        self.checked(c)


def address(node):
    return f"127.0.0.1:{node.port}"


if __name__ == "__main__":
    harness.main()
