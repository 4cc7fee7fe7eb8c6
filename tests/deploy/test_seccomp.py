#!/usr/bin/env python3
"""The seccomp profile is loaded into the kernel, and a node lives its whole life under it."""
import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import seccomp

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("HEARSAYD", str(pathlib.Path(os.environ.get("HS_BUILD", ROOT / "build"))
                                      / "hearsayd"))
sys.path.insert(0, str(ROOT / "tests/daemon"))
from daemon import Node, free_port, run  # noqa: E402  (after the path it is found on)

PROFILE = json.loads((ROOT / "deploy/seccomp.json").read_text())
MEET_S = 20


def under(profile, default, without=()):
    """For preexec_fn: from here on the profile holds, but for the calls in without."""
    rules = seccomp.SyscallFilter(default)
    for entry in profile["syscalls"]:
        for name in entry["names"]:
            if name not in without:
                rules.add_rule(seccomp.ALLOW, name)
    return rules.load


class Profile(unittest.TestCase):
    def setUp(self):
        self.held = tempfile.TemporaryDirectory()
        self.addCleanup(self.held.cleanup)

    def node(self, *args, **how):
        node = Node(*args, preexec_fn=under(PROFILE, seccomp.KILL_PROCESS, **how))
        self.addCleanup(node.close)
        return node

    def test_it_is_a_profile_as_container_runtimes_read_it(self):
        self.assertEqual(PROFILE["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(PROFILE["defaultErrnoRet"], 1)
        self.assertIn("SCMP_ARCH_X86_64", [a["architecture"] for a in PROFILE["archMap"]])
        names = [n for entry in PROFILE["syscalls"] for n in entry["names"]]
        self.assertEqual({e["action"] for e in PROFILE["syscalls"]}, {"SCMP_ACT_ALLOW"})
        self.assertEqual(len(names), len(set(names)), "a call is named twice")
        for name in names:
            self.assertGreaterEqual(seccomp.resolve_syscall(seccomp.Arch(), name), 0, name)

    def test_nothing_else_is_called_in_a_nodes_life(self):
        """What is not in the profile would kill the process here, not just be refused."""
        log = []
        nodes, metrics = [], []
        for i in range(2):
            node = self.node()
            metrics.append(free_port())
            conf = os.path.join(node.dir, "hearsay.conf")
            with open(conf, "w", encoding="utf-8") as f:
                f.write("cluster-blacklist-ttl 61\n")
            node.args = [conf, *node.args, "--pidfile", node.dir + "/pid", "--unixsocket",
                         node.dir + "/sock", "--cpu-pinning", "yes", "--reactors", str(1 + i),
                         "--metrics-port", str(metrics[-1])]
            nodes.append(node.start())
        a, b = nodes
        self.assertEqual(a.call("cluster", "meet", "127.0.0.1", b.port), "OK")
        self.assertEqual(a.call("cluster", "addslotsrange", 0, 16383), "OK")
        end = time.monotonic() + MEET_S
        while any("cluster_state:ok" not in n.call("cluster", "info") for n in nodes):
            self.assertLess(time.monotonic(), end, a.call("cluster", "nodes"))
            time.sleep(0.1)
        for words in (("config", "set", "cluster-node-timeout", "3000"), ("config", "rewrite"),
                      ("cluster", "saveconfig")):
            self.assertEqual(a.call(*words), "OK")
        self.assertIn("used_memory", a.call("info", "everything"))
        self.assertEqual(a.call("publish", "c", "m"), 0)
        for path in ("healthz", "readyz", "metrics"):
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics[0]}/{path}", timeout=10) as r:
                self.assertEqual(r.status, 200)
        a.process.send_signal(signal.SIGHUP)
        self.assertEqual(a.call("ping"), "PONG")
        for node in nodes:
            log.append(node.read_log())
            self.assertEqual(node.stop(), 0, log)
        self.assertNotIn("not permitted", "".join(log))

    def test_probe_and_hand_over_run_under_it_too(self):
        node = Node()
        self.addCleanup(node.close)
        env = dict(os.environ, HEARSAY_PORT=str(node.start().port))
        self.assertEqual(node.call("cluster", "addslots", 1), "OK")
        for words, says in ((["deploy/alive"], ""),
                            (["deploy/kubernetes/hand-over", "3"], "no replica that works")):
            done = subprocess.run([ROOT / words[0], *words[1:]], env=env, timeout=60, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  preexec_fn=under(PROFILE, seccomp.KILL_PROCESS))
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn(says, done.stdout)

    def test_alive_is_false_when_nobody_answers(self):
        node = Node()
        self.addCleanup(node.close)
        done = subprocess.run([ROOT / "deploy/alive"], timeout=60, capture_output=True,
                              env=dict(os.environ, HEARSAY_PORT=str(node.port)), check=False)
        self.assertEqual(done.returncode, 1)

    def test_a_notification_script_runs_under_it_too(self):
        said, script = (pathlib.Path(self.held.name, name) for name in ("said", "script"))
        said.touch()
        script.write_text(f'#!/bin/sh\necho "$1" >>{said}\n')
        script.chmod(0o755)
        nodes = [self.node("--notification-script", script).start() for _ in range(3)]
        for i, node in enumerate(nodes):
            self.assertEqual(node.call("cluster", "meet", "127.0.0.1", nodes[0].port), "OK")
            self.assertEqual(node.call("cluster", "addslots", i), "OK")
        end = time.monotonic() + MEET_S
        while any(n.call("cluster", "info").find("cluster_size:3") < 0 for n in nodes):
            self.assertLess(time.monotonic(), end, nodes[0].call("cluster", "nodes"))
            time.sleep(0.1)
        nodes[2].stop(signal.SIGKILL)
        while "+fail" not in said.read_text():
            self.assertLess(time.monotonic(), end + MEET_S, nodes[0].read_log())
            time.sleep(0.1)
        for node in nodes[:2]:
            self.assertEqual(node.stop(), 0, node.read_log())

    def test_a_profile_without_io_uring_is_named_as_the_cause(self):
        node = Node()
        self.addCleanup(node.close)
        for error in (errno.EPERM, errno.ENOSYS):  # Docker answers with one, Podman the other
            refuse = under(PROFILE, seccomp.ERRNO(error), without=("io_uring_setup",))
            code, _, err = run(*node.args, preexec_fn=refuse)
            self.assertEqual(code, 2, err)
            self.assertIn("io_uring", err)
            self.assertIn("seccomp", err)
            self.assertTrue(err.endswith("outside the container.\n"), "it is cut: " + err)

    def test_the_filter_bites(self):
        """A call that the node needs, taken out of the profile, ends it."""
        with self.assertRaisesRegex(RuntimeError, f"ended with -{signal.SIGSYS:d}"):
            self.node(without=("bind",)).start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
