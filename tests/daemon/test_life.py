#!/usr/bin/env python3
"""Start, stop, restart: the id stays, signals do what they should."""

import os
import re
import select
import signal
import socket
import tempfile
import threading
import time
import unittest

from daemon import STOP_S, Node, run, with_mounts


def read(path):
    """What is in a file, which may not be there yet."""
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


class Life(unittest.TestCase):
    def node(self, *args, **popen):
        node = Node(*args, **popen)
        self.addCleanup(node.close)
        return node

    def test_sigterm_ends_cleanly_and_a_restart_has_the_same_id(self):
        node = self.node().start()
        myid = node.call("cluster", "myid")
        self.assertRegex(myid, "^[0-9a-f]{40}$")
        self.assertEqual(node.stop(), 0)
        self.assertIn(myid, node.conf())
        self.assertIn("myself", node.conf())
        node.start()
        self.assertEqual(node.call("cluster", "myid"), myid)
        self.assertEqual(node.stop(signal.SIGINT), 0)

    def test_an_id_is_on_disk_before_a_crash(self):
        node = self.node().start()
        myid = node.call("cluster", "myid")
        node.stop(signal.SIGKILL)
        self.assertIn(myid, node.conf())

    def test_what_a_client_changed_survives_a_stop(self):
        node = self.node().start()
        self.assertEqual(node.call("cluster", "addslotsrange", 0, 16383), "OK")
        self.assertEqual(node.stop(), 0)
        self.assertIn(" 0-16383", node.conf())
        node.start()
        for _ in range(300):
            if "cluster_state:ok" in node.call("cluster", "info"):
                break
            time.sleep(0.1)
        self.assertIn("cluster_slots_assigned:16384", node.call("cluster", "info"))
        self.assertIn("cluster_state:ok", node.call("cluster", "info"))

    def test_a_second_process_in_the_same_directory_is_refused(self):
        node = self.node().start()
        other = self.node()
        code, _, err = run("--port", other.port, "--bind", "127.0.0.1", "--dir", node.dir)
        self.assertEqual(code, 2, err)
        self.assertIn("nodes.conf", err)

    def test_shutdown_ends_with_zero_and_no_reply(self):
        node = self.node().start()
        with self.assertRaises(ConnectionError):
            node.call("shutdown")
        self.assertEqual(node.process.wait(STOP_S), 0)

    def test_sighup_opens_the_log_again(self):
        with tempfile.TemporaryDirectory() as tmp:
            log = os.path.join(tmp, "log")
            node = self.node("--logfile", log)
            read_output, node.read_log = node.read_log, lambda: read(log)
            node.start()
            self.assertEqual(read_output(), "")  # the log goes to the file
            os.rename(log, log + ".1")
            node.process.send_signal(signal.SIGHUP)
            for _ in range(600):
                if os.path.exists(log):
                    break
                time.sleep(0.05)
            self.assertEqual(node.stop(), 0)
            self.assertIn("bye", read(log))

    def test_syslog_has_the_lines_of_the_log_under_our_name(self):
        with tempfile.TemporaryDirectory() as tmp, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslogd:
            path = os.path.join(tmp, "log")
            syslogd.bind(path)
            syslogd.settimeout(30)
            program = with_mounts("mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; "
                                  'ln -s "$1" /dev/log', path)
            if program is None:
                self.skipTest("needs a mount namespace")
            node = self.node("--syslog-enabled", "yes", "--syslog-ident", "bus-7",
                             "--syslog-facility", "local3", program=program)
            lines = []

            def take():  # while it starts: a socket holds a few lines, more are dropped
                while not lines or "Ready to accept connections:" not in lines[-1]:
                    lines.append(syslogd.recv(4096).decode())
            taker = threading.Thread(target=take)
            taker.start()
            node.start()
            taker.join()
            head = rf"^<{(16 + 3) * 8 + 5}>[A-Z][a-z]{{2}} [ \d]\d [\d:]{{8}} bus-7\["
            self.assertRegex(lines[-1],
                             head + rf"{node.process.pid}\]: Ready to accept connections: client")
            self.assertIn("Ready to accept connections:", node.read_log())

    def test_a_syslog_that_is_not_there_is_said_once(self):
        node = self.node("--syslog-enabled", "yes", "--syslog-ident", "x" * 63)
        if os.path.exists("/dev/log"):
            self.skipTest("this host has a syslog daemon")
        node.start()
        self.assertEqual(node.read_log().count("nobody listens at /dev/log"), 1)

    def test_pid_file_and_unix_socket_go_at_the_stop(self):
        node = self.node()
        pid, sock = os.path.join(node.dir, "pid"), os.path.join(node.dir, "sock")
        node.start("--pidfile", pid, "--unixsocket", sock)
        with open(pid, encoding="utf-8") as f:
            self.assertEqual(int(f.read()), node.process.pid)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(sock)
            s.sendall(b"PING\r\n")
            self.assertEqual(s.recv(100), b"+PONG\r\n")
        self.assertEqual(node.stop(), 0)
        self.assertFalse(os.path.exists(pid))
        self.assertFalse(os.path.exists(sock))

    def test_systemd_hears_of_start_and_stop(self):
        with tempfile.TemporaryDirectory() as tmp, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            path = os.path.join(tmp, "notify")
            s.bind(path)
            s.settimeout(30)
            node = self.node("--supervised", "systemd", env=dict(os.environ, NOTIFY_SOCKET=path))
            node.start()
            self.assertIn(b"READY=1", s.recv(1000))
            self.assertEqual(node.stop(), 0)
            self.assertIn(b"STOPPING=1", s.recv(1000))

    def watched(self, tmp, usec=5000000, **env):
        """A node with a watchdog, and its notify socket."""
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(s.close)
        path = os.path.join(tmp, f"notify-{usec}-{len(env)}")
        s.bind(path)
        s.settimeout(30)
        node = self.node("--supervised", "systemd", "--enable-debug-command", "yes",
                         env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC=str(usec), **env))
        return node, s

    def test_the_watchdog_is_fed_only_while_the_owner_ticks_whatever_signals_come(self):
        with tempfile.TemporaryDirectory() as tmp:
            node, s = self.watched(tmp)
            other, others = self.watched(tmp, WATCHDOG_PID="1")  # it is not this process's
            for n, notified in ((node, s), (other, others)):
                n.start()
                self.assertIn(b"READY=1", notified.recv(1000))
            for _ in range(80):
                if select.select([s], [], [], 0.05)[0]:
                    break
                node.process.send_signal(signal.SIGHUP)
            self.assertEqual(s.recv(1000), b"WATCHDOG=1\n")
            sleeper = threading.Thread(target=node.call, args=("debug", "sleep", "6"))
            sleeper.start()
            before = time.monotonic()
            quiet_s = 0.0
            while quiet_s < 3:  # a beat that is due at once may still come
                self.assertEqual(s.recv(1000), b"WATCHDOG=1\n")
                quiet_s, before = time.monotonic() - before, time.monotonic()
            sleeper.join()
            self.assertIn("owner thread stands still", node.read_log())
            self.assertEqual(select.select([others], [], [], 0)[0], [])
            self.assertEqual([n.stop() for n in (node, other)], [0, 0])

    def test_a_watchdog_that_would_kill_a_healthy_node_is_refused(self):
        with tempfile.TemporaryDirectory() as tmp:
            node, _ = self.watched(tmp, usec=4999999)
            with self.assertRaisesRegex(RuntimeError,
                                        "(?s)ended with 2:.*WatchdogSec is 4999 ms.*5 or more"):
                node.start()

    def test_start_lines_name_what_an_operator_looks_for(self):
        node = self.node("--reactors", "2", "--appendonly", "yes").start()
        log = node.read_log()
        for what in (f"pid {node.process.pid}", f"client port {node.port}",
                     f"bus port {node.port + 10000}", "Reactors 2", "appendonly",
                     node.call("cluster", "myid")):
            self.assertIn(what, log)
        for line in log.splitlines():
            self.assertRegex(line, re.compile(r"^\d+:\w "), "not a log line")

    def test_an_abort_ends_with_three(self):
        node = self.node().start()
        self.assertEqual(node.stop(signal.SIGABRT), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
