#!/usr/bin/env python3
"""What keeps hearsayd from starting: each with its exit code and a sentence that helps."""

import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from daemon import HEARSAYD, START_S, Node, free_port, limit_files, refuse_io_uring, run

ID = "a" * 40
SHARD = "b" * 40
SELF = (f"{ID} 127.0.0.1:7000@17000,,shard-id={SHARD} myself,master - 0 0 1 connected 0-100\n"
        "vars currentEpoch 1 lastVoteEpoch 0\n")


class Startup(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory(prefix="hearsay-")
        self.dir = self.tmp.name
        self.addCleanup(self.tmp.cleanup)
        self.port = free_port()

    def start(self, *args, **popen):
        return run("--port", self.port, "--bind", "127.0.0.1", "--dir", self.dir, *args, **popen)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def expect(self, got, code, *words):
        self.assertEqual(got[0], code, got)
        for word in words:
            self.assertIn(word, got[2])
        self.assertLessEqual(got[2].count("\n"), 1, got[2])

    def test_version(self):
        code, out, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"hearsayd.*\d+\.\d+\.\d+")

    def test_help_names_directives(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for name in ("port", "cluster-node-timeout", "cluster-nodes-max", "reactors"):
            self.assertIn(name, out)

    def test_a_name_of_bind_that_does_not_resolve_is_refused(self):
        self.expect(run("--port", self.port, "--bind", "no-such-host.invalid", "--dir", self.dir),
                    2, "'no-such-host.invalid' of 'bind' has no IPv4 address")

    def test_a_name_of_bind_is_looked_up_and_one_with_a_minus_may_be_missing(self):
        node = Node("--bind", "localhost", "-no-such-host.invalid", port=self.port)
        self.addCleanup(node.stop)
        self.assertIn("Ready to accept", node.start().read_log())

    def test_explain_prints_a_cost(self):
        code, out, _ = run("--explain", "--nodes", "1000")
        self.assertEqual(code, 0)
        self.assertIn("1000", out)

    def test_check_config_accepts_and_starts_nothing(self):
        path = self.write("r.conf", f"port {self.port}\ncluster-enabled yes\nsave 900 1\n")
        code, out, err = run(path, "--check-config")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"valid[^~]*ignored[^~]*\bsave\b")
        self.assertEqual(os.listdir(self.dir), ["r.conf"])

    def test_a_bad_directive_names_file_line_and_the_nearest(self):
        path = self.write("r.conf", f"port {self.port}\n\ncluster-node-timeot 5000\n")
        self.expect(run(path), 1, "r.conf", "3", "cluster-node-timeot", "cluster-node-timeout")

    def test_a_bad_value_is_a_bad_configuration(self):
        self.expect(self.start("--cluster-node-timeout", "soon"), 1, "cluster-node-timeout")

    def test_a_missing_configuration_file_is_named(self):
        self.expect(run(os.path.join(self.dir, "none.conf")), 1, "none.conf")

    def test_client_port_in_use(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", self.port))
            s.listen()
            self.expect(self.start(), 2, f"client port {self.port}", "in use", "'port'")

    def test_a_port_that_is_free_in_a_moment_is_waited_for(self):
        s = socket.socket()
        s.bind(("127.0.0.1", self.port))
        s.listen()
        threading.Timer(0.3, s.close).start()
        node = Node(port=self.port)
        self.addCleanup(node.close)
        node.start()

    def test_bus_port_in_use(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", self.port + 10000))
            s.listen()
            self.expect(self.start(), 2, f"bus port {self.port + 10000}", "in use",
                        "'cluster-port'")

    def test_nodes_conf_of_a_running_node(self):
        path = self.write("nodes.conf", SELF)
        with open(path, encoding="utf-8") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            self.expect(self.start(), 2, "nodes.conf")

    def test_corrupt_nodes_conf_is_refused_and_kept(self):
        text = SELF.replace("0-100", "0-99999")
        path = self.write("nodes.conf", text)
        self.expect(self.start(), 1, "nodes.conf", "1")
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), text)

    def test_truncated_nodes_conf_is_refused_and_kept(self):
        text = SELF[:100]
        path = self.write("nodes.conf", text)
        self.expect(self.start(), 1, "nodes.conf")
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), text)

    def test_more_nodes_on_file_than_allowed(self):
        other = SELF.replace("myself,master", "master").replace("0-100", "101-200")
        lines = [other.split("\n")[0].replace(ID, f"{i:040x}") for i in range(1, 40)]
        self.write("nodes.conf", "\n".join(
            [SELF.split("\n")[0]] + [line.rsplit(" ", 1)[0] for line in lines] +
            [SELF.split("\n")[1]]) + "\n")
        self.expect(self.start("--cluster-nodes-max", 16), 1, "40 nodes", "cluster-nodes-max")

    def test_a_directory_that_does_not_exist(self):
        got = run("--port", self.port, "--dir", os.path.join(self.dir, "none"))
        self.assertIn(got[0], (1, 2))
        self.assertIn("none", got[2])

    @unittest.skipIf(os.getuid() != 0, "needs root, to become somebody without rights")
    def test_a_directory_that_cannot_be_written(self):
        os.chmod(self.dir, 0o555)
        self.expect(self.start(user=65534, group=65534), 2, "nodes.conf", "ermission")

    def test_io_uring_blocked_by_seccomp(self):
        self.expect(self.start(preexec_fn=refuse_io_uring), 2, "io_uring", "seccomp",
                    "io_uring_disabled")

    def test_too_few_descriptors_for_an_explicit_cluster_size(self):
        self.expect(self.start("--cluster-nodes-max", 2000, preexec_fn=limit_files(512)), 2,
                    "cluster-nodes-max 2000", "ulimit -n")

    def test_few_descriptors_lower_the_clients_with_a_warning(self):
        node = Node("--cluster-nodes-max", "32",
                    preexec_fn=limit_files(512))
        self.addCleanup(node.close)
        node.start()
        self.assertRegex(node.read_log(), r"maxclients lowered from \d+ to \d+")
        self.assertEqual(node.stop(), 0)

    def test_few_descriptors_lower_the_default_cluster_size_with_a_warning(self):
        node = Node(preexec_fn=limit_files(256))
        self.addCleanup(node.close)
        node.start()
        self.assertRegex(node.read_log(), r"cluster-nodes-max lowered from \d+ to \d+")
        self.assertEqual(node.stop(), 0)

    def test_a_log_file_that_cannot_be_opened(self):
        got = self.start("--logfile", "/nonexistent/log")
        self.assertIn(got[0], (1, 2))
        self.assertIn("/nonexistent/log", got[2])

    def test_a_failed_start_as_daemon_is_told_to_the_caller(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", self.port))
            s.listen()
            self.expect(self.start("--daemonize", "yes"), 2, "in use")

    def test_daemonize_returns_when_ready_and_leaves_a_pid_file(self):
        pidfile = os.path.join(self.dir, "pid")
        log = os.path.join(self.dir, "log")
        code, _, err = self.start("--daemonize", "yes", "--pidfile", pidfile, "--logfile", log)
        self.assertEqual((code, err), (0, ""))
        with open(pidfile, encoding="utf-8") as f:
            pid = int(f.read())
        socket.create_connection(("127.0.0.1", self.port), timeout=30).close()
        os.kill(pid, signal.SIGTERM)
        for _ in range(600):
            if not os.path.exists(pidfile):
                break
            time.sleep(0.05)
        self.assertFalse(os.path.exists(pidfile))

    def test_standard_output_that_is_full_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([HEARSAYD, "--help"], stdout=full, check=False, timeout=START_S)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
