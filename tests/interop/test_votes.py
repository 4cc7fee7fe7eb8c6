#!/usr/bin/env python3
"""Claims: hearsay masters vote as stock masters do, so a Redis replica gets its
dead master's slots, and nobody gets two votes."""
import bus
import harness
from harness import Case, Cluster, TIMEOUT_MS

T = TIMEOUT_MS / 1000
FORCEACK = bytes((2, 0, 0))  # mflags: vote although the master is not FAIL


class Failover(Case):
    def setUp(self):
        super().setUp()
        self.c = Cluster(self, "hhhrr").meet_and_spread("h0", "h1", "h2", "r0").wait_formed()
        self.old, self.new = self.c.r
        self.c.replicate(self.new, self.old)
        self.slots = self.old.me().slots

    def promoted(self, timeout):
        alive = [n for n in self.c.nodes if n.alive()]
        self.c.wait(lambda: all(n.view()[self.new.id].slots == self.slots for n in alive),
                    timeout, "the replica has its master's slots in every view")
        self.assertEqual(self.new.me().flags, {"master"})

    def test_hearsay_masters_vote_for_the_replica_of_a_dead_redis_master(self):
        self.old.kill()
        self.promoted(2 * T + 2 + 4)
        self.c.wait_state("ok", 2 * T + 3, [n for n in self.c.nodes if n.alive()])
        self.old.start()
        self.c.wait_equal(10, "the old master returned")
        self.assertEqual(self.old.me().master, self.new.id)

    def test_a_manual_failover_gets_the_votes_of_hearsay_masters(self):
        self.assertEqual(self.new.call("CLUSTER", "FAILOVER"), "OK")
        self.promoted(8)
        self.c.wait_equal(8, "the manual failover")
        self.assertEqual(self.old.me().master, self.new.id)

    def test_a_takeover_without_votes_is_accepted_by_hearsay(self):
        self.assertEqual(self.new.call("CLUSTER", "FAILOVER", "TAKEOVER"), "OK")
        self.promoted(5)
        self.c.wait_equal(8, "the takeover")


class Rules(Case):
    """A Python replica of one node asks the other one for votes."""

    def setUp(self):
        super().setUp()
        # No second vote about a master within two timeouts, and that is longer than it takes.
        self.c = Cluster(self, "hr", 6000).form().wait_formed()
        h, r = self.c.nodes
        self.pairs = [(h, r), (r, h)]  # voter, master of the requester

    def requester(self, voter, master):
        view = master.me()
        first, last = map(int, view.slots[0].split("-"))
        peer = self.peer(flags=bus.F_SLAVE | bus.F_MYSELF, slaveof=master.id,
                         config_epoch=view.epoch, slots=bus.bitmap(range(first, last + 1)))
        link = peer.join(voter)
        self.c.wait(lambda: voter.view()[peer.id].master == master.id, 5,
                    f"{voter.name} knows the peer as replica of {master.name}")
        return peer, link

    def ask(self, peer, link, voter, ahead=1, mflags=bytes(3), wait_s=1.2, **fields):
        """The AUTH_ACK, or None."""
        epoch = int(voter.info()["cluster_current_epoch"]) + ahead
        since = peer.inbox.mark()
        link.send(peer.frame(bus.AUTH_REQUEST, current_epoch=epoch, mflags=mflags, **fields))
        return peer.expect(bus.AUTH_ACK, wait_s, since)

    def test_no_vote_against_a_healthy_master_unless_forced_and_never_twice(self):
        for voter, master in self.pairs:
            peer, link = self.requester(voter, master)
            self.assertIsNone(self.ask(peer, link, voter), f"{voter.name}: healthy master")
            self.assertIsNone(self.ask(peer, link, voter, mflags=FORCEACK, config_epoch=0),
                              f"{voter.name}: stale slots")
            ack = self.ask(peer, link, voter, mflags=FORCEACK, wait_s=bus.PATIENCE_S)
            self.assertIsNotNone(ack, f"{voter.name}: forced")
            self.assertEqual(ack[1].sender, voter.id)
            self.assertEqual(ack[1].totlen, 2256)
            self.assertIn(ack[0], peer.accepted, "a vote travels on the voter's own link")
            self.assertIsNone(self.ask(peer, link, voter, ahead=0, mflags=FORCEACK),
                              f"{voter.name}: same epoch again")
            self.assertIsNone(self.ask(peer, link, voter, mflags=FORCEACK),
                              f"{voter.name}: same master within two timeouts")
            self.assertIsNone(self.ask(peer, link, voter, ahead=-1, mflags=FORCEACK),
                              f"{voter.name}: an old epoch")


if __name__ == "__main__":
    harness.main()
