#!/usr/bin/env python3
"""Claims: what a node knows survives its death, its file is the stock file, and a
file that is damaged or in use is left alone."""
import signal
import subprocess

import harness
import process
from harness import Case, Cluster, TIMEOUT_MS, hearsay_only

T = TIMEOUT_MS / 1000


class Restart(Case):
    def setUp(self):
        super().setUp()
        self.c = Cluster(self, "hhrr").form().wait_formed()

    def test_a_killed_node_remembers_identity_epochs_slots_and_peers(self):
        for n in (self.c.h[0], self.c.r[0]):
            self.c.wait_equal(10, "nobody is suspected any more")
            self.c.wait(lambda n=n: stored(n) == n.view(), 5, f"{n.name} has saved what it knows")
            before, epoch, old = n.view(), n.info()["cluster_current_epoch"], n.id
            self.assertEqual(n.kill(), -signal.SIGKILL)
            n.start()
            self.assertEqual(n.id, old)
            self.assertEqual(n.view(), before)
            self.assertEqual(n.info()["cluster_current_epoch"], epoch)
        self.c.wait_equal(10, "two nodes were killed and started")
        self.c.wait_state("ok", 2 * T + 6)

    def test_sigterm_and_sigint_stop_with_status_0_and_state_on_disk(self):
        for n in (self.c.h[0], self.c.r[0]):
            self.c.wait_equal(10, "nobody is suspected any more")
            before = n.view()
            self.assertEqual(n.stop(), 0, n.name)
            n.start()
            self.assertEqual(n.view(), before)
            n.proc.send_signal(signal.SIGINT)
            self.assertEqual(n.proc.wait(process.STOP_S), 0, n.name)
            n.proc = None
            n.start()
            self.assertEqual(n.view(), before)

    def test_shutdown_stops_with_status_0(self):
        for n in (self.c.h[0], self.c.r[0]):
            with self.assertRaises(ConnectionError):
                n.call("SHUTDOWN")
            self.assertEqual(n.proc.wait(process.STOP_S), 0, n.name)
            n.proc = None

    def test_each_kind_loads_the_file_of_the_other(self):
        """Stop one kind, start the other on the same directory and ports."""
        n, other_kind = self.c.h[0], process.Redis
        for n, other_kind in ((self.c.h[0], process.Redis), (self.c.r[0], process.Hearsay)):
            if harness.ALL_REDIS:
                other_kind = process.Redis
            self.c.wait_equal(10, "nobody is suspected any more")
            before, old = n.view(), n.id
            n.stop()
            heir = other_kind(n.name + "-heir", n.timeout_ms, directory=n.dir, port=n.port)
            self.owned_nodes.append(heir)
            self.c.nodes[self.c.nodes.index(n)] = heir
            heir.start()
            self.assertEqual(heir.id, old)
            self.assertEqual(heir.view(), before, f"{heir.kind} on the file of {n.kind}")
        self.c.wait_equal(10, "two nodes changed their kind")
        self.c.wait_state("ok", 2 * T + 6)


def stored(node):
    """The view in its file."""
    lines = node.nodes_conf.read_text().splitlines()
    return process.parse_nodes("\n".join(x for x in lines if not x.startswith("vars ")))


class Locked(Case):
    def test_a_second_process_on_the_same_file_is_refused_in_a_sentence(self):
        c = Cluster(self, "hr").form().wait_formed()
        for n in c.nodes:
            if n.kind == "redis" and n.version >= (7, 2):
                continue  # its lock stays with the file that its first save replaced
            before = n.nodes_conf.read_bytes()
            second = type(n)(n.name + "-second", n.timeout_ms, directory=n.dir,
                             conf={"logfile": '""'})
            done = run_once(second)
            self.assertEqual(done.returncode, n.refused_by_lock, done.stdout)
            self.assertIn("nodes.conf", done.stdout)
            self.assertEqual(n.nodes_conf.read_bytes(), before)
            self.assertEqual(n.info()["cluster_state"], "ok")

    def test_a_port_in_use_is_refused_in_a_sentence(self):
        c = Cluster(self, "h")
        n = c.nodes[0]
        second = type(n)("second", n.timeout_ms, port=n.port, conf={"logfile": '""'})
        self.addCleanup(process.discard, second.dir)
        done = run_once(second)
        self.assertEqual(done.returncode, n.refused_by_lock, done.stdout)
        self.assertIn(str(n.port), done.stdout)
        self.assertEqual(n.call("PING"), "PONG")


def run_once(node):
    """Runs a process that is expected to refuse; its output is in stdout."""
    return subprocess.run([node.binary, str(node.write_config())], cwd=node.dir, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=process.READY_S, check=False)


ID = "d3aea4ae11528d8a4c085dd69e2fe308db99ccda"
OTHER = "1d549d63fbaef7a683c0246e03fd46208c6fef24"
LINE = f"{ID} 127.0.0.1:21000@31000 myself,master - 0 0 5 connected 0-5460\n"
PEER = f"{OTHER} 127.0.0.1:21001@31001 master - 0 1795334811580 2 connected 5461-10922\n"
VARS = "vars currentEpoch 5 lastVoteEpoch 3\n"
DAMAGED = {  # what is wrong: (text, number of the line at fault)
    "a node line cut in the middle": (LINE + PEER[:60], 2),
    "a node line cut in its id": (PEER + LINE[:20], 2),
    "no line says myself": (PEER + VARS, None),
    "an id with a capital letter": (LINE.replace("d3ae", "D3AE") + VARS, 1),
    "a slot above 16383": (LINE.replace("5460", "16384") + VARS, 1),
    "binary garbage": ("\x01\x02\x03\x04garbage\x7f\n" + LINE + VARS, 1),
}
CUT_SHORT = {  # stock servers accept or ignore these, and would forget something
    "a file that ends inside the vars line": (LINE + PEER + VARS[:20], 3),
    "a file that ends before the vars line": (LINE + PEER, None),
}


class Damaged(Case):
    def refused(self, kind, what, text, line):
        n = kind("damaged", TIMEOUT_MS, conf={"logfile": '""'})
        self.addCleanup(process.discard, n.dir)
        n.nodes_conf.write_text(text)
        with self.subTest(kind=kind.kind, what=what):
            done = run_once(n)
            self.assertIn(done.returncode, (1, 2), done.stdout)
            self.assertEqual(n.nodes_conf.read_text(), text, "the file was changed")
            if kind is process.Hearsay:
                self.assertIn("nodes.conf", done.stdout)
                if line:
                    self.assertRegex(done.stdout, rf"(nodes\.conf:|line ){line}\b")

    def test_a_damaged_file_is_refused_with_file_and_line_and_left_as_it_is(self):
        kind = process.Redis if harness.ALL_REDIS else process.Hearsay
        for what, (text, line) in DAMAGED.items():
            self.refused(kind, what, text, line)

    @hearsay_only("stock servers load a file without its last lines")
    def test_a_file_cut_short_is_refused(self):
        for what, (text, line) in CUT_SHORT.items():
            self.refused(process.Hearsay, what, text, line)

    def test_an_empty_or_missing_file_is_a_fresh_start(self):
        kind = process.Redis if harness.ALL_REDIS else process.Hearsay
        for text in (None, ""):
            n = kind("fresh", TIMEOUT_MS)
            self.owned_nodes.append(n)
            if text is not None:
                n.nodes_conf.write_text(text)
            n.start()
            self.assertRegex(n.id, r"^[0-9a-f]{40}$")
            self.assertIn(n.id, n.nodes_conf.read_text(), "on disk before it is told")


if __name__ == "__main__":
    harness.main()
