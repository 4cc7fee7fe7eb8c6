"""Real nodes on loopback, and the words the tests describe them with.

A test says what kinds of nodes it wants ("hhrr": two hearsay, two Redis), does
something to them, and waits for a claim to become true. Every wait is bounded
and explains itself when it fails: what was waited for, what every node's view
is, and the last lines of every log. Every process ends with its test.

Environment: HS_HEARSAYD (default build/hearsayd), HS_REDIS_SERVER, HS_REDIS_CLI,
HS_NODE_TIMEOUT (ms), HS_ALL_REDIS=1 (Redis plays hearsay too: a claim that fails
then is a wrong claim), HS_PORTS=FIRST-END, HS_KEEP=1 (keep the nodes' directories).
HS_REDIS_SERVER may be a Redis or Valkey of another version than Debian's; claims that
versions differ in say which ones they are about.
"""
import faulthandler
import os
import resource
import subprocess
import sys
import time
import unittest

import bus
import process
import resp

ALL_REDIS = os.environ.get("HS_ALL_REDIS") == "1"
TIMEOUT_MS = int(os.environ.get("HS_NODE_TIMEOUT", "1500"))
WATCHDOG_S = int(os.environ.get("HS_WATCHDOG", "290"))
PATIENCE_S = 30  # no wait is given up sooner on a busy machine: how soon is the simulator's to say
SLOTS = 16384
OTHER_VERSION = "another version: "


def wait_until(predicate, timeout, what, nodes=()):
    """Polls until predicate() is true, and returns its value. Connections that
    fail, replies that are errors and nodes not yet known only mean "not yet"."""
    timeout = max(timeout, PATIENCE_S)
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = predicate()
            if value:
                return value
            last = None
        except (OSError, resp.Error, KeyError) as e:
            last = e
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout:.1f} s: {what}"
                         + (f" (last: {last!r})" if last else "") + "\n" + report(nodes))


def holds(predicate, seconds, what, nodes=()):
    """The opposite of waiting: predicate() must stay true all that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not predicate():
            raise AssertionError(f"did not stay true for {seconds:.1f} s: {what}\n"
                                 + report(nodes))
        time.sleep(0.1)


def report(nodes):
    """All views and the tails of all logs."""
    parts = []
    for n in nodes:
        parts.append(f"--- {n.name}: {n.state()}, its view:\n{n.peek('CLUSTER', 'NODES')}")
        info = str(n.peek("CLUSTER", "INFO"))
        parts.append("    " + " ".join(info.split()[:9]))
    for n in nodes:
        parts.append(f"--- {n.name}: end of its log\n{n.log_tail()}")
    return "\n".join(parts)


class Cluster:
    """Nodes that belong together. kinds: one letter each, h(earsay) or r(edis);
    conf is for all of them, own for those of hearsay."""

    def __init__(self, case, kinds, timeout_ms=TIMEOUT_MS, conf=None, own=None):
        self.case, self.timeout_ms = case, timeout_ms
        self.nodes, self.first = [], None
        for letter in kinds:
            kind = process.Hearsay if letter == "h" and not ALL_REDIS else process.Redis
            name = f"{letter}{sum(n.name[0] == letter for n in self.nodes)}"
            more = own if own and kind is process.Hearsay else {}
            node = kind(name, timeout_ms, {**(conf or {}), **more})
            case.owned_nodes.append(node)
            self.nodes.append(node)
        for n in self.nodes:
            n.start(wait=False)
        for n in self.nodes:
            n.wait_ready()
        self.h = [n for n in self.nodes if n.name[0] == "h"]
        self.r = [n for n in self.nodes if n.name[0] == "r"]

    def node(self, name):
        return next(n for n in self.nodes if n.name == name)

    def spread(self, owners):
        """Splits all slots over these nodes, each with a config epoch of its own."""
        for i, n in enumerate(owners):
            n.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            n.add_slots(i * SLOTS // len(owners), (i + 1) * SLOTS // len(owners) - 1)

    def meet(self, first=None):
        first = self.first = first or self.nodes[0]
        for n in self.nodes:
            if n is not first:
                first.call("CLUSTER", "MEET", "127.0.0.1", n.port, n.cport)

    def form(self, owners=None, first=None):
        """Slots and MEETs are given out; wait_formed() waits for the result."""
        self.spread(owners or self.nodes)
        self.meet(first)
        return self

    def meet_and_spread(self, *owners):
        """form(), with the owners of slots by name."""
        return self.form([self.node(name) for name in owners])

    def wait_formed(self, timeout=20):
        again = [time.monotonic() + timeout / 2]

        def formed():
            # Where one was stopped for longer than a handshake lasts, the other has given
            # up, and is known without knowing: MEET is said again, as an operator would.
            if time.monotonic() > again[0]:
                again[0] += timeout / 2
                self.meet(self.first)
            return self.equal(self.nodes)
        self.wait_views(formed, timeout, f"{len(self.nodes)} nodes know each other", self.nodes)
        self.wait_state("ok", timeout)
        return self

    def replicate(self, replica, master, timeout=10):
        """Also waits for the data of a stock replica: without it, it stands in no election."""
        replica.call("CLUSTER", "REPLICATE", master.id)
        self.wait(lambda: all(n.view()[replica.id].master == master.id for n in self.nodes),
                  timeout, f"every node sees {replica.name} as replica of {master.name}")
        if replica.kind == master.kind == "redis":
            self.wait(lambda: replica.server_info()["master_link_status"] == "up", timeout + 15,
                      f"{replica.name} is in sync")

    def wait(self, predicate, timeout, what):
        return wait_until(predicate, timeout, what, self.nodes)

    def wait_equal(self, timeout, why, nodes=None):
        """The view of each of these nodes holds exactly these, and all are equal."""
        nodes = nodes or self.nodes
        self.wait_views(lambda: self.equal(nodes), timeout, f"all views are equal after {why}",
                        nodes)

    @staticmethod
    def equal(nodes):
        views = [n.view() for n in nodes]
        return views[0].keys() == {n.id for n in nodes} and all(
            v == views[0] for v in views) and all(n.connected() for n in nodes)

    def wait_views(self, predicate, timeout, what, nodes):
        try:
            self.wait(predicate, timeout, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n--- differences\n{differences(nodes)}") from None

    def wait_state(self, state, timeout, nodes=None):
        for n in nodes or self.nodes:
            self.wait(lambda n=n: n.info()["cluster_state"] == state, timeout,
                      f"{n.name} says cluster_state:{state}")

    def wait_flag(self, node, flag, present, timeout, seen_by=None):
        """A flag is (or is not) beside `node` in the view of all others."""
        others = seen_by or [n for n in self.nodes if n is not node and n.alive()]
        self.wait(lambda: all((flag in n.view()[node.id].flags) == present for n in others),
                  timeout, f"{node.name} is {'' if present else 'not '}{flag} in every view")


def differences(nodes):
    """Where views differ from the first one's, a line each."""
    lines = []
    try:
        first = nodes[0].view()
        for n in nodes[1:]:
            view = n.view()
            for i in sorted(first.keys() | view.keys()):
                if first.get(i) != view.get(i):
                    lines.append(f"{i}: {nodes[0].name} says {first.get(i)}, "
                                 f"{n.name} says {view.get(i)}")
    except (OSError, resp.Error) as e:
        lines.append(f"(no more: {e!r})")
    return "\n".join(lines) or "(none now)"


def redis_cli(*args, timeout=60, answers=""):
    """(exit status, output) of redis-cli, given these lines of input."""
    cli = os.environ.get("HS_REDIS_CLI", "redis-cli")
    done = subprocess.run([cli, *map(str, args)], input=answers, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    return done.returncode, done.stdout


def hearsay_only(reason):
    """For claims no stock server makes; the reason is printed where it applies."""
    return unittest.skipIf(ALL_REDIS, f"hearsay only: {reason}")


def redis_is(since=(0,), below=(99,), why="", valkey=True):
    """For claims about some versions of the other server only. Valkey counts on from the
    Redis 7.2 it came from; valkey=False leaves it out."""
    return unittest.skipUnless(since <= process.Redis.version < below
                               and (valkey or process.Redis.maker == "redis"),
                               OTHER_VERSION + why)


def redis_tls(test):
    """For claims about TLS between kinds; Debian's server has it."""
    return unittest.skipUnless(process.Redis.tls,
                               OTHER_VERSION + "this server was built without TLS")(test)


class Case(unittest.TestCase):
    """Nodes made in setUpClass or in a test; none of them outlives its maker."""

    class_nodes = ()

    @classmethod
    def setUpClass(cls):
        cls.owned_nodes = cls.class_nodes = []
        try:
            cls.set_up_clusters()
        except BaseException:
            process.end(cls.class_nodes)
            raise

    @classmethod
    def set_up_clusters(cls):
        """Overridden where tests of a class share nodes."""

    @classmethod
    def tearDownClass(cls):
        odd = process.end(cls.class_nodes)
        if odd:
            raise AssertionError(odd)

    def setUp(self):
        self.owned_nodes = []
        self.peers = []
        self.addCleanup(self._end)

    def _end(self):
        for p in self.peers:
            p.close()
        odd = process.end(self.owned_nodes)
        if odd:
            self.fail(odd)

    def peer(self, **fields):
        p = bus.BusPeer(process.free_port(), **fields)
        self.peers.append(p)
        return p


class Result(unittest.TextTestResult):
    """Prints what the nodes say while they still run, if a test failed for any
    reason but a wait, which has said it already."""

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._report(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._report(test, err)

    def _report(self, test, err):
        if isinstance(test, Case) and "end of its log" not in str(err[1]):
            self.stream.writeln(report(list(test.class_nodes) + test.owned_nodes))


def main():
    """Runs the file. A skipped test is a failed run, except where Redis plays all, or
    for claims about other versions of it."""
    faulthandler.dump_traceback_later(WATCHDOG_S, exit=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    outcome = unittest.main(
        module="__main__", exit=False,
        testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Result)).result
    skipped = [why for _, why in outcome.skipped if not why.startswith(OTHER_VERSION)]
    if skipped and not ALL_REDIS:
        print(f"FAILED: {len(skipped)} tests were skipped")
    sys.exit(not outcome.wasSuccessful() or bool(skipped and not ALL_REDIS))
