#!/usr/bin/env python3
"""Claims: who owns a slot is decided by epochs, told to those who are behind, and
clients are sent to the owner, across kinds."""
import bus
import harness
from harness import Case, Cluster, TIMEOUT_MS, hearsay_only, redis_cli

T = TIMEOUT_MS / 1000
SLOT_FOO, SLOT_BAR = 12182, 5061  # CLUSTER KEYSLOT foo, bar


class Ownership(Case):
    """One healthy cluster; every test moves slots of its own."""

    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hhrr")
        h0, h1, r0, r1 = cls.c.nodes
        cls.c.form([r0, h0, h1, r1])  # config epochs 1, 2, 3, 4

    def setUp(self):
        super().setUp()
        self.c.wait_formed()
        self.h0, self.h1, self.r0, self.r1 = self.c.nodes

    def owned(self, node):
        first, last = node.me().slots[0].split("-")
        return int(first), int(last)

    def is_owner_everywhere(self, node, slot, timeout=6):
        def everywhere():
            return all(owner_of(n, slot) == node.id for n in self.c.nodes)
        self.c.wait(everywhere, timeout, f"every view has slot {slot} at {node.name}")

    @harness.redis_is(since=(7, 0), why="6.2 keeps a slot bound to who gave it up")
    def test_a_slot_given_up_may_be_claimed_with_a_lower_epoch(self):
        for owner, taker in ((self.h1, self.r0), (self.r1, self.h0)):
            owner.call("CLUSTER", "BUMPEPOCH")
            self.c.wait_equal(6, "BUMPEPOCH")
            self.assertLess(taker.me().epoch, owner.me().epoch)
            slot = self.owned(owner)[1]
            owner.call("CLUSTER", "DELSLOTS", slot)
            taker.call("CLUSTER", "DELSLOTS", slot)
            self.c.wait(lambda taker=taker, owner=owner, slot=slot: self.give(taker, slot),
                        6, f"{taker.name} takes slot {slot}")
            self.is_owner_everywhere(taker, slot)
        self.c.wait_equal(6, "slots were given up and taken")

    def give(self, taker, slot):
        if owner_of(taker, slot) is None:
            taker.call("CLUSTER", "ADDSLOTS", slot)
        return owner_of(taker, slot) == taker.id

    def test_an_import_finished_by_setslot_bumps_the_epoch_and_moves_the_slot(self):
        for source, target in ((self.r1, self.h0), (self.h1, self.r0)):
            slot = self.owned(source)[0]
            self.assertEqual(
                target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id), "OK")
            self.assertEqual(
                source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id), "OK")
            self.assertEqual(target.call("CLUSTER", "SETSLOT", slot, "NODE", target.id), "OK")
            self.assertEqual(source.call("CLUSTER", "SETSLOT", slot, "NODE", target.id), "OK")
            epochs = [v.epoch for v in target.view().values()]
            self.assertEqual(target.me().epoch, max(epochs), target.name)
            self.is_owner_everywhere(target, slot)
        self.c.wait_equal(6, "two imports")

    def test_open_slots_are_shown_on_the_own_line_only(self):
        for source, target in ((self.r1, self.h0), (self.h1, self.r0)):
            slot = self.owned(source)[0]
            target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
            source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
            self.assertIn(f"[{slot}-<-{source.id}]", target.call("CLUSTER", "NODES"))
            self.assertIn(f"[{slot}->-{target.id}]", source.call("CLUSTER", "NODES"))
            for n in (source, target):
                self.assertEqual(n.call("CLUSTER", "SETSLOT", slot, "STABLE"), "OK")
                self.assertNotIn("[", n.call("CLUSTER", "NODES"))

    def test_a_bumped_epoch_is_seen_by_all(self):
        for n in (self.h0, self.r0):
            word, epoch = n.call("CLUSTER", "BUMPEPOCH").split()
            self.assertEqual(int(epoch), n.me().epoch)
            self.assertIn(word, ("BUMPED", "STILL"))
            self.c.wait_equal(6, "BUMPEPOCH")

    def test_a_stale_claim_is_answered_with_an_update_and_changes_no_view(self):
        for n in (self.h0, self.r0):
            peer = self.peer()
            link = peer.join(n)
            me = n.me()
            slot = self.owned(n)[0]
            since = peer.inbox.mark()
            link.send(peer.frame(bus.PING, slots=bus.bitmap([slot])))
            told = peer.expect(bus.UPDATE, since=since)
            self.assertIsNotNone(told, f"{n.name} sent no UPDATE")
            epoch, node_id, slots = told[1].update()
            self.assertEqual((epoch, node_id), (me.epoch, n.id))
            self.assertTrue(slots[slot // 8] >> (slot % 8) & 1)
            self.assertIn(told[0], peer.accepted, "UPDATE travels on the sender's own link")
            self.assertEqual(n.me().slots, me.slots)
            peer.close()
            for other in self.c.nodes:  # gossip may have told them about the peer
                other.text("CLUSTER", "FORGET", peer.id)
            self.c.wait(lambda p=peer: self.forgotten(p), 5, "the peer is forgotten")

    def forgotten(self, peer):
        for n in self.c.nodes:
            if peer.id in n.view():
                n.text("CLUSTER", "FORGET", peer.id)
                return False
        return True


def owner_of(node, slot):
    for i, v in node.view().items():
        for words in v.slots:
            first, _, last = words.partition("-")
            if int(first) <= slot <= int(last or first):
                return i
    return None


class Collision(Case):
    def test_masters_with_the_same_epoch_end_with_one_each(self):
        """All claim slots under epoch 7; whoever has the smaller id takes a new one."""
        c = Cluster(self, "hhrr")
        for i, n in enumerate(c.nodes):
            n.call("CLUSTER", "SET-CONFIG-EPOCH", 7)
            n.add_slots(i * harness.SLOTS // 4, (i + 1) * harness.SLOTS // 4 - 1)
        c.meet()
        c.wait(lambda: all(len({v.epoch for v in n.view().values()}) == 4 for n in c.nodes), 10,
               "four nodes have four epochs in every view")
        c.wait_formed(10)
        self.assertEqual(max(c.nodes, key=lambda n: n.id).me().epoch, 7)


class StaleReturn(Case):
    def test_an_old_master_that_returns_is_told_who_has_its_slots_now(self):
        c = Cluster(self, "hhhrrr").form().wait_formed()
        taken = {}
        for owner, taker in ((c.h[2], c.r[0]), (c.r[2], c.h[0])):
            first = int(owner.me().slots[0].split("-")[0])
            taken[owner] = (first, first + 9, taker)
        for owner in taken:
            owner.kill()
        for owner, (first, last, taker) in taken.items():
            taker.del_slots(first, last)
            taker.add_slots(first, last)
            taker.call("CLUSTER", "BUMPEPOCH")
        survivors = [n for n in c.nodes if n not in taken]
        for first, _, taker in taken.values():
            c.wait(lambda first=first, taker=taker: all(
                owner_of(n, first) == taker.id for n in survivors), 6, "survivors agree")
        for owner in taken:
            owner.start()
        c.wait_equal(10, "the old owners returned with stale slots")
        for owner, (first, last, taker) in taken.items():
            self.assertEqual(owner_of(owner, first), taker.id)
            self.assertEqual(owner_of(owner, last), taker.id)
            self.assertEqual(owner_of(owner, last + 1), owner.id)


class Redirects(Case):
    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hr").form()
        cls.h, cls.r = cls.c.nodes  # bar belongs to h, foo to r

    def setUp(self):
        super().setUp()
        self.c.wait_formed()

    def cli(self, node, *words):
        status, out = redis_cli("-c", "-p", node.port, *words)
        self.assertEqual(status, 0, out)
        return out.strip()

    def test_redis_cli_is_led_from_hearsay_to_the_redis_owner(self):
        self.assertEqual(self.cli(self.h, "set", "foo", "v1"), "OK")
        self.assertEqual(self.cli(self.h, "get", "foo"), "v1")
        self.assertEqual(self.h.text("GET", "foo"), f"-MOVED {SLOT_FOO} 127.0.0.1:{self.r.port}")

    def test_redis_sends_clients_to_the_hearsay_owner(self):
        self.assertEqual(self.r.text("GET", "bar"), f"-MOVED {SLOT_BAR} 127.0.0.1:{self.h.port}")

    @hearsay_only("a stock server has data")
    def test_the_owner_without_data_says_so(self):
        for words in (("GET", "bar"), ("SET", "bar", "1"), ("DEL", "bar")):
            self.assertEqual(self.h.text(*words), "-ERR hearsay keeps no data")
        self.assertIn("hearsay keeps no data", self.cli(self.r, "get", "bar"))

    def test_keys_of_different_slots_are_refused_before_anything_else(self):
        for n in self.c.nodes:
            self.assertEqual(n.text("MGET", "foo", "bar"),
                             "-CROSSSLOT Keys in request don't hash to the same slot")
            self.assertEqual(n.text("MSET", "foo", "1", "bar", "2"),
                             "-CROSSSLOT Keys in request don't hash to the same slot")

    def test_hash_tags_keep_keys_together(self):
        self.assertEqual(self.h.text("MGET", "{foo}1", "{foo}2"),
                         f"-MOVED {SLOT_FOO} 127.0.0.1:{self.r.port}")

    def test_a_migrating_slot_asks_and_redis_cli_follows(self):
        self.r.call("CLUSTER", "SETSLOT", SLOT_BAR, "IMPORTING", self.h.id)
        self.h.call("CLUSTER", "SETSLOT", SLOT_BAR, "MIGRATING", self.r.id)
        try:
            self.assertEqual(self.h.text("GET", "bar"),
                             f"-ASK {SLOT_BAR} 127.0.0.1:{self.r.port}")
            self.assertEqual(self.cli(self.h, "set", "bar", "asked"), "OK")
            self.assertEqual(self.cli(self.h, "get", "bar"), "asked")
            self.cli(self.h, "del", "bar")
        finally:
            for n in self.c.nodes:
                n.call("CLUSTER", "SETSLOT", SLOT_BAR, "STABLE")


class Down(Case):
    def test_slots_without_owner_and_a_failed_cluster_are_told_apart(self):
        c = Cluster(self, "hr")
        h, r = c.nodes
        r.call("CLUSTER", "ADDSLOTS", SLOT_FOO)
        h.call("CLUSTER", "ADDSLOTS", 0)
        c.meet()
        c.wait_equal(10, "MEET")
        for n in c.nodes:
            self.assertEqual(n.text("GET", "bar"), "-CLUSTERDOWN Hash slot not served")
            self.assertEqual(n.text("GET", "foo"), "-CLUSTERDOWN The cluster is down")
            n.call("CONFIG", "SET", "cluster-require-full-coverage", "no")
        c.wait_state("ok", 6)
        self.assertEqual(h.text("GET", "foo"), f"-MOVED {SLOT_FOO} 127.0.0.1:{r.port}")
        for n in c.nodes:
            self.assertEqual(n.text("GET", "bar"), "-CLUSTERDOWN Hash slot not served")

    def test_reads_are_allowed_when_down_if_configured(self):
        c = Cluster(self, "hr", conf={"cluster-allow-reads-when-down": "yes"})
        h, r = c.nodes
        r.call("CLUSTER", "ADDSLOTS", SLOT_FOO)
        h.call("CLUSTER", "ADDSLOTS", 0)
        c.meet()
        c.wait_equal(10, "MEET")
        self.assertEqual(h.text("GET", "foo"), f"-MOVED {SLOT_FOO} 127.0.0.1:{r.port}")
        for n in c.nodes:
            self.assertEqual(
                n.text("SET", "foo", "1"),
                "-CLUSTERDOWN The cluster is down and only accepts read commands")


if __name__ == "__main__":
    harness.main()
