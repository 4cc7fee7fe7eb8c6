#!/usr/bin/env python3
"""Claims: what nodes tell of themselves in extensions arrives, in both directions:
host names, names for people, addresses for clients, and which nodes are one shard."""
import harness
from harness import Case, Cluster

SHARDS_ON_BUS = (7, 2)


def hostnames(node):
    """{id: host name} as this node lists them."""
    names = {}
    for line in node.call("CLUSTER", "NODES").splitlines():
        node_id, address = line.split(" ")[:2]
        names[node_id] = address.split(",")[1] if "," in address else ""
    return names


def stored_shards(node):
    """{id: shard id} in the node's file."""
    shards = {}
    for line in node.nodes_conf.read_text().splitlines():
        if "shard-id=" in line:
            shards[line.split(" ")[0]] = line.split("shard-id=")[1].split(" ")[0].split(",")[0]
    return shards


def stored_names(node, ids):
    """{id: name for people} of these nodes in the node's file."""
    node.call("CLUSTER", "SAVECONFIG")
    names = dict.fromkeys(ids, "")
    for line in node.nodes_conf.read_text().splitlines():
        node_id, address = line.split(" ")[:2]
        if node_id in names and "nodename=" in address:
            names[node_id] = address.split("nodename=")[1].split(",")[0]
    return names


def shard_groups(node):
    """The sets of nodes that CLUSTER SHARDS puts together."""
    groups = set()
    for shard in node.call("CLUSTER", "SHARDS"):
        nodes = dict(zip(shard[0::2], shard[1::2]))["nodes"]
        groups.add(frozenset(dict(zip(n[0::2], n[1::2]))["id"] for n in nodes))
    return groups


class Names(Case):
    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hhrr").meet_and_spread("h0", "r0").wait_formed()
        cls.c.replicate(cls.c.node("h1"), cls.c.node("r0"))
        cls.c.replicate(cls.c.node("r1"), cls.c.node("h0"))

    @harness.redis_is(since=(7, 0), why="6.2 has no host names")
    def test_hostnames_are_seen_by_the_other_kind_and_taken_back(self):
        for suffix in (".example", ".other.example", ""):
            wanted = {n.id: n.name + suffix if suffix else "" for n in self.c.nodes}
            for n in self.c.nodes:
                n.call("CONFIG", "SET", "cluster-announce-hostname", wanted[n.id])
            self.c.wait(lambda w=wanted: all(hostnames(n) == w for n in self.c.nodes), 10,
                        f"all see host names that end in '{suffix}'")

    @harness.redis_is(since=(7, 0), why="6.2 knows addresses only")
    def test_clients_are_sent_to_the_preferred_endpoint_by_either_kind(self):
        """h0 and r0 are masters; keys of the other one's slots are redirected."""
        h0, _, r0, _ = self.c.nodes
        for n in self.c.nodes:
            n.call("CONFIG", "SET", "cluster-announce-hostname", f"{n.name}.example")
        self.c.wait(lambda: all(hostnames(n)[x.id] == f"{x.name}.example"
                                for n in (h0, r0) for x in self.c.nodes), 10, "names are known")
        for kind, endpoint in (("ip", "127.0.0.1"), ("hostname", "{}.example"),
                               ("unknown-endpoint", "")):
            for n, owner, key in ((h0, r0, "foo"), (r0, h0, "bar")):
                n.call("CONFIG", "SET", "cluster-preferred-endpoint-type", kind)
                slot = n.call("CLUSTER", "KEYSLOT", key)
                self.assertEqual(n.text("GET", key),
                                 f"-MOVED {slot} {endpoint.format(owner.name)}:{owner.port}")
            wanted = {x.id: None if kind == "unknown-endpoint" else endpoint.format(x.name)
                      for x in (h0, r0)}
            for n in (h0, r0):
                masters = [entry[2] for entry in n.call("CLUSTER", "SLOTS")]
                self.assertEqual({m[2]: m[0] for m in masters}, wanted, f"{n.name}, {kind}")
        for n in self.c.nodes:
            n.call("CONFIG", "SET", "cluster-announce-hostname", "")

    @harness.hearsay_only("7.0 has no names for people")
    def test_names_for_people_reach_the_others_files_and_are_taken_back(self):
        """Of every node that has such names: all of ours, and stock ones since 7.2."""
        named = [n for n in self.c.nodes if n.kind == "hearsay" or n.version >= SHARDS_ON_BUS]
        for suffix in ("-name", ""):
            wanted = {n.id: n.name + suffix if suffix else "" for n in named}
            for n in named:
                n.call("CONFIG", "SET", "cluster-announce-human-nodename", wanted[n.id])
            self.c.wait(lambda w=wanted: all(stored_names(n, w) == w for n in named), 10,
                        f"every nodes.conf says {wanted}")

    def test_addresses_for_clients_are_shown_and_taken_back(self):
        """By all of ours, and by Valkey; the other stock servers have no such thing."""
        h0, h1, r0, r1 = self.c.nodes
        is_valkey = r0.version >= (8, 0)
        announcing = (h0, r0) if is_valkey else (h0,)
        showing = self.c.nodes if is_valkey else (h0, h1)
        for last in (1, 2, None):
            wanted = {n.id: f"10.{i}.0.{last}" if last else "127.0.0.1"
                      for i, n in enumerate(announcing)}
            for n in announcing:
                n.call("CONFIG", "SET", "cluster-announce-client-ipv4",
                       wanted[n.id] if last else "")
            self.c.wait(lambda w=wanted: all(n.view()[i].ip == ip for n in showing
                                             for i, ip in w.items()), 10, f"all show {wanted}")
            slot = r0.call("CLUSTER", "KEYSLOT", "bar")
            for n in set(showing) - {h0, r1}:
                self.assertEqual(n.text("GET", "bar"), f"-MOVED {slot} {wanted[h0.id]}:{h0.port}")
            if not is_valkey:
                self.assertEqual({r0.view()[h0.id].ip}, {"127.0.0.1"})

    @harness.redis_is(since=(7, 0), why="6.2 has no CLUSTER SHARDS")
    def test_shards_are_a_master_and_its_replicas_of_either_kind(self):
        h0, h1, r0, r1 = (n.id for n in self.c.nodes)
        wanted = {frozenset((h0, r1)), frozenset((r0, h1))}
        self.c.wait(lambda: all(shard_groups(n) == wanted for n in self.c.nodes), 10,
                    "all list the same two shards")

    @harness.redis_is(since=SHARDS_ON_BUS, why="7.0 has no shard ids")
    def test_shard_ids_are_stored_as_their_owners_say_them(self):
        h0, h1, r0, r1 = self.c.nodes
        self.c.wait(lambda: h0.call("CLUSTER", "MYSHARDID") == r1.call("CLUSTER", "MYSHARDID")
                    and h1.call("CLUSTER", "MYSHARDID") == r0.call("CLUSTER", "MYSHARDID"), 10,
                    "replicas take the shard ids of their masters")
        wanted = {n.id: n.call("CLUSTER", "MYSHARDID") for n in self.c.nodes}
        for n in self.c.nodes:
            n.call("CLUSTER", "SAVECONFIG")
        self.c.wait(lambda: all(stored_shards(n) == wanted for n in self.c.nodes), 10,
                    f"every nodes.conf says {wanted}")


if __name__ == "__main__":
    harness.main()
