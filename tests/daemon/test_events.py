#!/usr/bin/env python3
"""The notification script of a running node: called for what happens, with whatever names
peers have, and refused at the start if it cannot be called. And a full disk is an event."""

import glob
import os
import signal
import socket
import stat
import subprocess
import time
import unittest

from daemon import HEARSAYD, Node, free_port, read_reply, run, with_mounts

MOUNT = 'mount -t tmpfs -o size=64k none "$1"'
WAIT_S = 30


def wait(case, predicate, why):
    end = time.monotonic() + WAIT_S
    while not predicate():
        case.assertLess(time.monotonic(), end, why() if callable(why) else why)
        time.sleep(0.05)


class Script(unittest.TestCase):
    def node(self, *args):
        node = Node(*args)
        self.addCleanup(node.close)
        return node

    def script(self, node, body):
        path = os.path.join(node.dir, "script")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\ncd {node.dir}\n{body}\n")
        os.chmod(path, 0o700)
        return path

    def counter(self, node, name):
        return next(int(line.split(":")[1]) for line in node.call("INFO", "hearsay").splitlines()
                    if line.startswith(name + ":"))

    def lines(self, node):
        try:
            with open(os.path.join(node.dir, "told"), encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def test_it_is_called_with_event_and_line_and_retried_by_its_code(self):
        node = self.node()
        node.start("--notification-script",
                   self.script(node, 'echo "$# $1 $2" >>told; exit 2'))
        self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
        wait(self, lambda: any(" +state " in line for line in self.lines(node)), node.read_log)
        told = next(line for line in self.lines(node) if " +state " in line)
        self.assertTrue(told.startswith("2 +state old=fail new=ok slots_ok=16384 "), told)
        wait(self, lambda: self.counter(node, "watch_script_failures") == 1, node.read_log)
        self.assertIn("not tried again, exit code (2)", node.read_log())
        self.assertEqual(self.counter(node, "watch_script_retries"), 0)
        self.assertEqual(node.stop(), 0)

    def test_a_hostile_name_is_only_a_name(self):
        other = self.node()
        node = self.node()
        # What the directive refuses, a peer's frame may still carry; and what both allow
        # is used to the full.
        other.start("--cluster-announce-human-nodename", "-rf/../..",
                    "--cluster-announce-hostname", "a.b-c")
        node.start("--notification-script",
                   self.script(node, 'printf "%s\\n" "$#:$1:$2" >>told; ls >files'))
        other.call("CLUSTER", "MEET", "127.0.0.1", node.port)
        wait(self, lambda: "-rf/../.." in str(node.call("HEARSAY", "LINKS")), node.read_log)
        other.stop()
        wait(self, lambda: any(":+pfail:" in line for line in self.lines(node)), node.read_log)
        told = next(line for line in self.lines(node) if ":+pfail:" in line)
        self.assertTrue(told.startswith("2:+pfail:node="), told)
        self.assertIn(" name=-rf/../.. address=", told)
        node.stop()

    def test_no_child_is_left_when_it_runs_and_when_the_node_stops(self):
        node = self.node()
        node.start("--notification-script", self.script(node, 'echo $$ >>told; exec sleep 987'))
        node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait(self, lambda: self.lines(node), node.read_log)
        child = int(self.lines(node)[0])
        self.assertTrue(os.path.exists(f"/proc/{child}"))
        self.assertEqual(self.counter(node, "watch_script_running_now"), 1)
        self.assertEqual(node.stop(), 0)
        self.assertFalse(os.path.exists(f"/proc/{child}"))

    def test_what_cannot_be_called_is_refused_at_the_start(self):
        node = self.node()
        plain = os.path.join(node.dir, "plain")
        with open(plain, "w", encoding="utf-8"):
            pass
        os.chmod(plain, stat.S_IRUSR)
        for path, why in ((plain, "is not a program this user may run; chmod \\+x it"),
                          (node.dir, "is not a program"), ("script", "give the whole path"),
                          (node.dir + "/none", "No such file")):
            code, out, err = run(*node.args, "--notification-script", path)
            self.assertEqual(code, 1, out + err)
            self.assertRegex(out + err, "notification-script '.*'.*" + why)


class FirstProcess(unittest.TestCase):
    """In a container the node may be process 1, and every orphan becomes its child."""

    def children(self, pid):
        found = []
        for stat_file in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(stat_file, encoding="utf-8") as f:
                    fields = f.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                found.append(int(stat_file.split("/")[2]))
        return found

    def test_it_leaves_no_zombies(self):
        own = ["unshare", "--pid", "--fork"]
        if subprocess.run([*own, "true"], check=False, capture_output=True).returncode != 0:
            self.skipTest("needs a process namespace")
        for script in (None, "sleep 0.3 & sleep 0.1 & exit 0"):
            node = Node(program=(*own, HEARSAYD))
            self.addCleanup(node.close)
            if script:
                path = os.path.join(node.dir, "script")
                with open(path, "w", encoding="utf-8") as f:
                    f.write(f"#!/bin/sh\n{script}\n")
                os.chmod(path, 0o700)
                node.args += ["--notification-script", path]
            node.start()
            pid = self.children(node.process.pid)[0]
            try:
                if script:
                    node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
                    wait(self, lambda n=node: "watch_script_ok:1" in n.call("INFO", "hearsay"),
                         node.read_log)
                else:
                    subprocess.run(["nsenter", "-t", str(pid), "-p", "sh", "-c",
                                    "sleep 0.3 & sleep 0.1 &"], check=True)
                wait(self, lambda p=pid: not self.children(p), "a zombie is left")
            finally:
                os.kill(pid, signal.SIGTERM)
            self.assertEqual(node.process.wait(WAIT_S), 0)


class FullDisk(unittest.TestCase):
    def test_it_is_told_once_and_so_is_its_end(self):
        node = Node()
        self.addCleanup(node.close)
        node.program = with_mounts(MOUNT, node.dir)
        if node.program is None:
            self.skipTest("needs a mount namespace")
        node.start()
        inside = f"/proc/{node.process.pid}/root{node.dir}"
        with open(os.path.join(inside, "ballast"), "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        listener = socket.create_connection(("127.0.0.1", node.port), timeout=WAIT_S)
        self.addCleanup(listener.close)
        replies = listener.makefile("rb")
        self.addCleanup(replies.close)
        listener.sendall(b"PSUBSCRIBE __hearsay__:?disk\r\n")
        self.assertEqual(read_reply(replies)[0], "psubscribe")
        node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        message = read_reply(replies)
        self.assertEqual(message[2], "__hearsay__:+disk")
        self.assertIn("error=write:%20No%20space%20left%20on%20device", message[3])
        self.assertIn("watch_disk_now:1", node.call("INFO", "hearsay"))
        wait(self, lambda: "Cannot save" in node.read_log(), node.read_log)
        self.assertEqual(node.read_log().count("Cannot save"), 1)
        os.unlink(os.path.join(inside, "ballast"))
        message = read_reply(replies)
        self.assertEqual(message[2], "__hearsay__:-disk")
        self.assertIn("watch_disk_now:0", node.call("INFO", "hearsay"))
        self.assertEqual(node.stop(), 0)


class Certificate(unittest.TestCase):
    CA = "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index\nserial=serial\n" \
         "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"

    def make(self, where, lives_s):
        """A certificate that ends so many seconds from now, signed by itself."""
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=where, check=True, capture_output=True,
                           stdin=subprocess.DEVNULL)
        for name, text in (("ca.conf", self.CA), ("index", ""), ("serial", "01\n")):
            with open(os.path.join(where, name), "w", encoding="utf-8") as f:
                f.write(text)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "key", "-out", "csr", "-subj", "/CN=hearsay")
        os.chmod(os.path.join(where, "key"), 0o600)
        end = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + lives_s))
        openssl("ca", "-batch", "-config", "ca.conf", "-selfsign", "-keyfile", "key", "-in", "csr",
                "-out", "cert", "-notext", "-startdate", "20200101000000Z", "-enddate", end)

    def test_its_end_is_told_before_and_when_it_comes(self):
        node = Node()
        self.addCleanup(node.close)
        self.make(node.dir, 15)  # a node that starts slowly still sees it good
        at = node.dir + "/"
        node.start("--tls-port", free_port(), "--tls-cert-file", at + "cert", "--tls-key-file",
                   at + "key", "--tls-ca-cert-file", at + "cert")
        version = node.call("HEARSAY", "TOPOLOGY", "SINCE", 0)[1]
        wait(self, lambda: "watch_certificate_ends_now:1" in node.call("INFO", "hearsay"),
             node.read_log)
        self.assertIn("watch_certificate_expired:0", node.call("INFO", "hearsay"))
        wait(self, lambda: "watch_certificate_expired_now:1" in node.call("INFO", "hearsay"),
             node.read_log)
        self.assertIn("watch_certificate_ends_now:0", node.call("INFO", "hearsay"))
        self.assertEqual(node.read_log().count("+certificate-expired "), 1)
        told = str(node.call("HEARSAY", "TOPOLOGY", "SINCE", version))
        self.assertEqual(told.count("'+certificate-expired'"), 1)
        self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
