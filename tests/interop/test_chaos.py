#!/usr/bin/env python3
"""Claim: whatever is killed, paused, restarted or failed over, and in whatever order,
a mixed cluster that is left alone again has one owner for every slot, an epoch of
its own for every master, and one view.

usage: test_chaos.py [--rounds N] [--seed S] [--nodes LETTERS]
"""
import argparse
import faulthandler
import random
import sys
import time

import harness
import resp
from harness import Case, Cluster

TIMEOUT_MS = 1000
CALM_S = 60  # two missed elections and the time a FAIL stands
STEADY_S = 0.5  # what was started before the end of the round is over then
OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("--rounds", type=int, default=3)
OPTIONS.add_argument("--seed", type=int, default=1)
OPTIONS.add_argument("--nodes", default="hhhrrr")


class Round:
    """Some troubles, drawn from one seed. What a trouble does depends on the roles
    of the moment, so a seed repeats the draws and not the outcome."""

    def __init__(self, cluster, seed):
        self.c, self.rng, self.story = cluster, random.Random(seed), []

    def run(self):
        for _ in range(self.rng.randint(1, 4)):
            trouble = self.rng.choice((self.kill, self.pause, self.restart,
                                       self.failover, self.failover, self.heal))
            trouble(self.rng.choice(self.c.nodes))
            time.sleep(self.rng.choice((0, 0.1, 0.5, 1.2, 3.5)))  # the last: an election fits in
        self.heal()

    def tell(self, what, node):
        self.story.append(f"{what} {node.name}")

    def kill(self, node):
        if node.alive():
            self.tell("kill", node)
            node.kill()
            node.paused = False

    def pause(self, node):
        if node.alive() and not node.paused:
            self.tell("pause", node)
            node.pause()

    def restart(self, node):
        if node.alive() and not node.paused:
            self.tell("restart", node)
            node.stop()
            node.start(wait=False)

    def failover(self, _):
        """Of a replica: half of the nodes are one."""
        up = [n for n in self.c.nodes if n.alive() and not n.paused]
        self.rng.shuffle(up)
        how = self.rng.choice(((), (), ("FORCE",), ("TAKEOVER",)))
        for n in up:
            try:
                if n.call("ROLE")[0] == "slave":
                    said = n.text("CLUSTER", "FAILOVER", *how)
                    self.tell(" ".join(("failover", *how, f"({said})")), n)
                    return
            except (OSError, resp.Error):
                continue  # it is starting

    def heal(self, _=None):
        for n in self.c.nodes:
            if n.paused:
                self.tell("resume", n)
                n.resume()
            if not n.alive():
                self.tell("start", n)
                n.proc = None
                n.start(wait=False)


def calm(nodes):
    """What is not yet as it must be in the end, in words, or an empty string."""
    views = [n.view() for n in nodes]
    if any(v != views[0] for v in views):
        return "views differ"
    if views[0].keys() != {n.id for n in nodes}:
        return "somebody is unknown"
    if any(n.info()["cluster_state"] != "ok" for n in nodes):
        return "a state is not ok"
    if not all(n.connected() for n in nodes):
        return "a link is down"
    masters = [v for v in views[0].values() if v.flags == {"master"}]
    if len({v.epoch for v in masters}) != len(masters):
        return "two masters share an epoch"
    if any(v.flags not in ({"master"}, {"slave"}) for v in views[0].values()):
        return "somebody is suspected"
    owned = [s for v in masters for s in slots_of(v)]
    if len(owned) != harness.SLOTS or len(set(owned)) != harness.SLOTS:
        return f"{len(owned)} slots have an owner, {len(set(owned))} of them one"
    return ""


def slots_of(view):
    for words in view.slots:
        first, _, last = words.partition("-")
        yield from range(int(first), int(last or first) + 1)


class Chaos(Case):
    def setUp(self):
        super().setUp()
        self.c = Cluster(self, WANTED.nodes, TIMEOUT_MS, {"cluster-replica-validity-factor": 0})
        letters = self.c.nodes
        half = len(letters) // 2
        by_kind = sorted(letters, key=lambda n: (n.name[1], n.name[0]))  # h0 r0 h1 r1 h2 r2
        masters, replicas = by_kind[0::2][:half], by_kind[1::2][:half]
        masters[1], replicas[1] = replicas[1], masters[1]
        self.c.form(masters).wait_formed()
        for master, replica in zip(masters, replicas):
            self.c.replicate(replica, master)
        self.c.wait_equal(10, "roles were given")

    def test_every_round_of_trouble_ends_in_one_view(self):
        took, epochs, promoted = [], dict.fromkeys(self.c.nodes, 0), 0
        masters = self.masters()
        for i in range(WANTED.rounds):
            faulthandler.dump_traceback_later(harness.WATCHDOG_S, exit=True)
            trouble = Round(self.c, f"{WANTED.seed}:{i}")
            trouble.run()
            healed = time.monotonic()
            for n in self.c.nodes:
                n.wait_ready()
            self.settle(i, trouble)
            took.append(time.monotonic() - healed)
            print(f"\n  round {i}, calm after {took[-1]:.1f} s: {', '.join(trouble.story)}",
                  end="", flush=True)
            for n in self.c.nodes:
                epoch = int(n.info()["cluster_current_epoch"])
                self.assertGreaterEqual(epoch, epochs[n], f"{n.name} forgot an epoch")
                epochs[n] = epoch
            now = self.masters()
            promoted, masters = promoted + len(now - masters), now
        middle = sorted(took)[len(took) // 2]
        print(f"\n  seed {WANTED.seed}: {len(took)} rounds, {promoted} replicas became masters,"
              f" epoch {max(epochs.values())}; calm after {middle:.1f} s (median),"
              f" {max(took):.1f} s (worst)")

    def masters(self):
        return {i for i, v in self.c.nodes[0].view().items() if "master" in v.flags}

    def settle(self, i, trouble):
        last, since = ["nothing seen"], [time.monotonic()]

        def reached():
            last[0] = calm(self.c.nodes)
            if last[0]:
                since[0] = time.monotonic()
            return time.monotonic() - since[0] > STEADY_S
        try:
            self.c.wait(reached, CALM_S, "the cluster is calm")
        except AssertionError as e:
            raise AssertionError(
                f"seed {WANTED.seed} round {i} ({', '.join(trouble.story)}): {last[0]}\n{e}\n"
                f"--- differences\n{harness.differences(self.c.nodes)}") from None


if __name__ == "__main__":
    WANTED, rest = OPTIONS.parse_known_args()
    sys.argv[1:] = rest
    harness.main()
