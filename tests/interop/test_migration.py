#!/usr/bin/env python3
"""Claims: replicas go where one is missing, and none stays the replica of a replica,
whatever kinds they and their masters are."""
import harness
from harness import Case, Cluster, TIMEOUT_MS

T = TIMEOUT_MS / 1000


class Migration(Case):
    def test_a_spare_hearsay_replica_goes_to_the_redis_master_that_lost_its_own(self):
        c = Cluster(self, "hhrrr").meet_and_spread("r0", "r1").wait_formed()
        for replica, master in ((c.h[0], c.r[0]), (c.h[1], c.r[0]), (c.r[2], c.r[1])):
            c.replicate(replica, master)
        c.r[2].kill()
        mover = min(c.h, key=lambda n: n.id)
        seers = [n for n in c.nodes if n.alive()]
        c.wait(lambda: all(n.view()[mover.id].master == c.r[1].id for n in seers), 2 * T + 2 + 8,
               f"{mover.name}, with the smallest id, follows r1")
        stays = next(n for n in c.h if n is not mover)
        self.assertEqual(stays.me().master, c.r[0].id)

    @harness.redis_is(since=(7, 0), why="6.2 follows neither its last slot nor a grandmaster")
    def test_no_replica_stays_the_replica_of_a_replica(self):
        """A master that gives its last slot away follows the slot, and its replica
        comes along, whichever of them is of which kind."""
        for kinds, slave in (("rhr", "h0"), ("hhr", "r0"), ("hrr", "r1")):
            c = Cluster(self, kinds)
            replica = c.node(slave)
            giver, taker = (n for n in c.nodes if n is not replica)
            giver.call("CLUSTER", "SET-CONFIG-EPOCH", 1)
            taker.call("CLUSTER", "SET-CONFIG-EPOCH", 2)
            giver.add_slots(0, 0)
            taker.add_slots(1, harness.SLOTS - 1)
            c.meet()
            c.wait_formed()
            c.replicate(replica, giver)
            for n in (taker, giver):
                n.call("CLUSTER", "SETSLOT", 0, "NODE", taker.id)
            c.wait(lambda c=c, g=giver, s=replica, t=taker: all(
                n.view()[x.id].master == t.id for n in c.nodes for x in (g, s)), 10,
                f"{giver.name} and {replica.name} follow {taker.name}")


if __name__ == "__main__":
    harness.main()
