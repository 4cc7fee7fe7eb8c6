#!/usr/bin/env python3
"""Claims: what DEBUG does to a node's links and messages is what its peers see,
and is over when it is taken back. HEARSAY OFFSET is what peers are told."""
import harness
from harness import Case, Cluster

PING, ALL = 0, -2


def debuggable(case, timeout_ms):
    c = Cluster(case, "hhr", timeout_ms, own={"enable-debug-command": "local"})
    return c.form().wait_formed()


def created(seer, peer):
    """When each link between the two began, by direction, as seen by one."""
    links = [dict(zip(x[::2], x[1::2])) for x in seer.call("CLUSTER", "LINKS")]
    return {x["direction"]: x["create-time"] for x in links if x["node"] == peer.id}


@harness.hearsay_only("Redis 7.0 has half of these")
class Debug(Case):
    @classmethod
    def set_up_clusters(cls):
        # Long enough that a busy machine makes nobody reset a link of its own accord.
        cls.cluster = debuggable(cls, 10000)

    def test_log_writes_a_line(self):
        node = self.cluster.h[0]
        self.assertEqual(node.call("DEBUG", "LOG", "here\nwe are"), "OK")
        self.assertIn(" # DEBUG LOG: here?we are\n", (node.dir / "log").read_text())

    def test_killed_links_come_back(self):
        c = self.cluster
        for direction, gone in (("to", {"to"}), ("from", {"from"}), ("all", {"to", "from"})):
            before = created(c.h[0], c.r[0])
            self.assertEqual(set(before), {"to", "from"})
            reply = c.h[0].call("DEBUG", "CLUSTERLINK", "KILL", direction, c.r[0].id)
            self.assertEqual(reply, "OK")
            c.wait(lambda b=before, g=gone: {
                d for d, t in created(c.h[0], c.r[0]).items() if t != b[d]} == g,
                5, f"{direction}: exactly these links are new")
        c.wait_equal(5, "links were killed")

    def test_wrong_uses_are_refused(self):
        h = self.cluster.h[0]
        self.assertEqual(h.text("DEBUG", "CLUSTERLINK", "KILL", "all", "0" * 40),
                         "-ERR Unknown node " + "0" * 40)
        self.assertIn("unknown subcommand or wrong number of arguments",
                      h.text("DEBUG", "CLUSTERLINK", "KILL", "up", h.id))
        self.assertIn("not an integer", h.text("DEBUG", "DROP-CLUSTER-PACKET-FILTER", "ping"))


@harness.hearsay_only("Redis 7.0 has half of these")
class Filters(Case):
    """A cluster of their own: who was deaf makes new links for a while after."""

    @classmethod
    def set_up_clusters(cls):
        cls.cluster = debuggable(cls, 2500)

    def test_a_filter_that_drops_all_makes_deaf_until_it_is_taken_back(self):
        c = self.cluster
        self.assertEqual(c.h[0].call("DEBUG", "DROP-CLUSTER-PACKET-FILTER", ALL), "OK")
        for n in (c.h[1], c.r[0]):
            c.wait_flag(n, "fail?", True, 15, [c.h[0]])
        self.assertEqual(c.h[0].call("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -1), "OK")
        for n in (c.h[1], c.r[0]):
            c.wait_flag(n, "fail?", False, 20, [c.h[0]])
        c.wait_equal(20, "the filter is off")

    def test_what_is_filtered_can_close_its_link(self):
        c = self.cluster
        c.wait(lambda: "from" in created(c.h[1], c.r[0]), 10, "it has that link")
        before = created(c.h[1], c.r[0])
        c.h[1].call("DEBUG", "CLOSE-CLUSTER-LINK-ON-PACKET-DROP", 1)
        c.h[1].call("DEBUG", "DROP-CLUSTER-PACKET-FILTER", PING)
        c.wait(lambda: created(c.h[1], c.r[0]).get("from") != before["from"], 10,
               "the link that PINGs arrive on was closed")
        c.h[1].call("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -1)
        c.h[1].call("DEBUG", "CLOSE-CLUSTER-LINK-ON-PACKET-DROP", 0)
        c.wait_equal(20, "the filter is off")


@harness.hearsay_only("stock servers have data of their own")
class Offset(Case):
    def test_a_reported_offset_reaches_every_peer(self):
        c = Cluster(self, "hhr").form().wait_formed()
        self.assertEqual(c.h[0].call("HEARSAY", "OFFSET", 4711), "OK")

        def offset(seer):
            for shard in seer.call("CLUSTER", "SHARDS"):
                nodes = dict(zip(shard[::2], shard[1::2]))["nodes"]
                for n in (dict(zip(x[::2], x[1::2])) for x in nodes):
                    if n["id"] == c.h[0].id:
                        return n["replication-offset"]
            return None
        for n in c.nodes:
            if n.kind == "redis" and n.version < (7, 0):
                continue  # no CLUSTER SHARDS to ask
            c.wait(lambda n=n: offset(n) == 4711, 5, f"{n.name} knows the offset")
        self.assertEqual(c.h[0].text("HEARSAY", "OFFSET", "-1"),
                         "-ERR a replication offset is not negative")
        self.assertEqual(c.h[0].text("HEARSAY", "NONSENSE"),
                         "-ERR unknown subcommand 'NONSENSE'. Try HEARSAY HELP.")


if __name__ == "__main__":
    harness.main()
