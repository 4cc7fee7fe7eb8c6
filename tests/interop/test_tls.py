#!/usr/bin/env python3
"""Claims: with TLS on the bus and on the client port a cluster works as without it,
hearsay and Redis mixed; who has no good certificate is refused with the reason; new
certificates are taken while the node runs."""
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

import bus
import certs
import harness
import process
import resp
from harness import Case, Cluster, hearsay_only

EXPIRED = {"since": "20200101000000Z", "until": "20210101000000Z"}


def tls_port(node):
    """Its bus is 10000 above, as Redis 6.2 has it, which knows no cluster-port."""
    if not hasattr(node, "tls_port"):
        node.tls_port = process.free_port()
        node.cport = node.tls_port + 10000
    return node.tls_port


def conf(authority, pair, **more):
    return {"tls-port": tls_port, "tls-cluster": "yes", **certs.directives(authority, pair),
            **more}


class Tls(Case):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="hearsay-certs-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.ca = certs.Authority(cls.dir / "ca")
        cls.pair = cls.ca.sign("node")
        super().setUpClass()

    def log_has(self, node, *words, timeout=10):
        harness.wait_until(lambda: all(w in (node.dir / "log").read_text() for w in words),
                           timeout, f"the log of {node.name} has {words}", [node])

    def refused(self, cport, context=None, source=None):
        """True if the bus answers nothing to a PING over a connection like this."""
        frame = bus.Frame(bus.MEET, bus.new_id(), port=1, cport=1).build()
        try:
            with socket.create_connection(("127.0.0.1", cport), 5,
                                          (source, 0) if source else None) as s:
                if context:
                    s = context.wrap_socket(s)
                s.sendall(frame)
                return s.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True


@harness.redis_tls
class Mixed(Tls):
    """Two of each kind."""

    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hhrr", conf=conf(cls.ca, cls.pair)).form().wait_formed()
        cls.h, cls.r = cls.c.h[0], cls.c.r[0]

    def cli(self, node, *words, with_pair=True):
        more = ["--cert", self.pair[0], "--key", self.pair[1]] if with_pair else []
        return harness.redis_cli("--tls", "--cacert", self.ca.crt, *more, "-p", tls_port(node),
                                 *words)

    def test_clients_are_shown_the_ports_of_their_own_transport(self):
        for n in (self.h, self.r):
            self.assertEqual(self.cli(n, "ping"), (0, "PONG\n"))
        for n in (self.h,):
            status, text = self.cli(n, "cluster", "nodes")
            self.assertEqual(status, 0, text)
            self.assertEqual({v.port for v in process.parse_nodes(text).values()},
                             {tls_port(x) for x in self.c.nodes})
            self.assertEqual({v.port for v in n.view().values()}, {x.port for x in self.c.nodes})
            plain = {x[2][1] for x in n.call("CLUSTER", "SLOTS")}
            self.assertEqual(plain, {x.port for x in self.c.nodes})
            _, slots = self.cli(n, "cluster", "slots")
            for x in self.c.nodes:
                self.assertIn(str(tls_port(x)), slots.split())
                self.assertNotIn(str(x.port), slots.split())

    def test_redirects_lead_to_the_port_of_the_own_transport(self):
        owner = self.c.nodes[-1]  # of slot 16383
        key = next(f"k{i}" for i in range(100000)
                   if self.h.call("CLUSTER", "KEYSLOT", f"k{i}") > 13000)
        _, text = self.cli(self.h, "get", key)
        self.assertIn(f"127.0.0.1:{tls_port(owner)}", text)
        self.assertIn(f"127.0.0.1:{owner.port}", self.h.text("GET", key))

    def test_large_messages_cross_in_both_directions(self):
        for publisher, listener in ((self.h, self.r), (self.r, self.h)):
            with listener.client() as s:
                s.call("SUBSCRIBE", "big")
                for n in (1, 16384, 16385, 700000):
                    publisher.call("PUBLISH", "big", "x" * n)
                    self.assertEqual(s.read(), ["message", "big", "x" * n])

    def test_a_client_takes_large_replies_and_pipelines(self):
        context = self.ca.context(self.pair)
        with socket.create_connection(("127.0.0.1", tls_port(self.h)), 5) as raw:
            with context.wrap_socket(raw) as s:
                n = 3000
                s.sendall(resp.encode("PING", "y" * 100) * n)
                want = (b"$100\r\n" + b"y" * 100 + b"\r\n") * n
                got = b""
                while len(got) < len(want):
                    more = s.recv(65536)
                    self.assertTrue(more, f"closed after {len(got)} bytes")
                    got += more
                self.assertEqual(got, want)

    def test_a_client_without_a_certificate_is_refused_with_the_reason(self):
        status, text = self.cli(self.h, "ping", with_pair=False)
        self.assertNotEqual((status, text), (0, "PONG\n"))
        self.log_has(self.h, "TLS with a client, 127.0.0.1", "peer did not return a certificate")

    @hearsay_only("the words are ours")
    def test_strangers_on_the_bus_are_refused_with_the_reason(self):
        stranger = certs.Authority(self.dir / "other", "somebody else")
        before = self.h.call("CLUSTER", "NODES").count("\n")
        for context, words in (
                (None, "the peer does not speak TLS"),
                (self.ca.context(), "peer did not return a certificate"),
                (self.ca.context(stranger.sign("stranger")), "/CN=stranger is refused: unable"),
                (self.ca.context(self.ca.sign("old", **EXPIRED)),
                 "/CN=old is refused: certificate has expired")):
            # A line a second at most is written, so it may take another try.
            harness.wait_until(
                lambda c=context, w=words: self.refused(self.h.cport, c)
                and w in (self.h.dir / "log").read_text(), 10, words, [self.h])
        self.assertEqual(self.h.call("CLUSTER", "NODES").count("\n"), before)
        self.assertGreaterEqual(int(self.h.server_info()["net_tls_failed"]), 4)

    def test_zz_a_dead_node_fails_and_comes_back(self):
        victim = self.c.h[1]
        victim.kill()
        self.c.wait_flag(victim, "fail", True, 20)
        victim.start()
        self.c.wait_flag(victim, "fail", False, 20)
        self.c.wait_equal(20, "the return of a dead node")


class Strangers(Tls):
    """A node that the others cannot trust stays alone, and both logs say why."""

    def stays_out(self, kind, pair, ca, words):
        c = Cluster(self, "h", conf=conf(self.ca, self.pair))
        odd = kind("odd", harness.TIMEOUT_MS, conf(ca, pair))
        self.owned_nodes.append(odd)
        odd.start()
        c.h[0].call("CLUSTER", "MEET", "127.0.0.1", odd.port, odd.cport)
        odd.call("CLUSTER", "MEET", "127.0.0.1", c.h[0].port, c.h[0].cport)
        self.log_has(c.h[0], words, "+tls-refused node=")
        self.assertIn(c.h[0].server_info()["watch_tls_refused_now"], ("1", "2"))  # one a direction
        for n in (c.h[0], odd):
            harness.holds(lambda n=n: all("handshake" in v.flags or i == n.id
                                          for i, v in n.view().items()), 1, "nobody joins", [n])

    @hearsay_only("the words are ours")
    def test_with_another_authority(self):
        other = certs.Authority(self.dir / "theirs", "theirs")
        self.stays_out(process.Hearsay, other.sign("odd"), other, "failed: ")

    @harness.redis_tls
    @hearsay_only("the words are ours")
    def test_with_an_expired_certificate(self):
        self.stays_out(process.Redis, self.ca.sign("late", **EXPIRED), self.ca,
                       "/CN=late is refused: certificate has expired")


class NodeIds(Tls):
    @hearsay_only("a directive of ours")
    def test_a_certificate_can_be_tied_to_a_node_id(self):
        c = Cluster(self, "hhh", conf=conf(self.ca, self.pair)).form().wait_formed()
        for n in c.nodes[:2]:
            crt, key = self.ca.sign(n.id)
            n.call("CONFIG", "SET", "tls-cert-file", crt, "tls-key-file", key)
        for n in c.nodes[:2]:
            n.call("CONFIG", "SET", "tls-cluster-verify-node-id", "yes")
        odd = c.nodes[2]  # a good certificate, but nobody's in particular
        c.wait_flag(odd, "fail", True, 30, seen_by=c.nodes[:2])
        self.log_has(c.nodes[0], "its certificate does not hold the node id it speaks as",
                     f"+tls-refused node={odd.id} ", "reason=its%20certificate%20does%20not%20hold")
        c.wait(lambda: all(c.nodes[1 - i].id in connected(n) for i, n in enumerate(c.nodes[:2])),
               20, "the two that show their ids are linked")
        self.assertGreater(int(c.nodes[0].server_info()["net_tls_not_sender"]), 0)
        crt, key = self.ca.sign(odd.id)
        odd.call("CONFIG", "SET", "tls-cert-file", crt, "tls-key-file", key)
        c.wait_equal(30, "the third shows its id as well")


def connected(node):
    """Ids of the peers it is linked to."""
    return {x.split()[0] for x in node.call("CLUSTER", "NODES").splitlines()
            if x.split()[7] == "connected"}


class Reload(Tls):
    @hearsay_only("a stock server does not read them again on SIGHUP")
    def test_new_certificates_are_taken_and_bad_ones_are_not(self):
        files = [self.dir / "live.crt", self.dir / "live.key"]
        self.install(self.ca.sign("first"), files)
        c = Cluster(self, "hh", conf=conf(self.ca, files)).form().wait_formed()
        n = c.h[0]
        self.assertEqual(self.shown(n), "first")
        old = self.ca.context(self.pair).wrap_socket(
            socket.create_connection(("127.0.0.1", tls_port(n)), 5))
        self.addCleanup(old.close)

        self.install(self.ca.sign("second"), files)
        n.proc.send_signal(signal.SIGHUP)
        self.log_has(n, "TLS certificates and keys loaded again")
        self.assertEqual(self.shown(n), "second")

        self.install((files[0], self.ca.sign("third")[1]), files)
        n.proc.send_signal(signal.SIGHUP)
        self.log_has(n, "TLS keeps its old certificates and keys: tls-key-file", "mismatch")
        self.assertIn("key values mismatch", n.text("CONFIG", "SET", "tls-cert-file", files[0]))
        self.assertEqual(self.shown(n), "second")

        fourth = self.ca.sign("fourth")
        self.assertIn("mismatch", n.text("CONFIG", "SET", "tls-cert-file", fourth[0]))
        self.assertEqual(n.call("CONFIG", "GET", "tls-cert-file")[1], str(files[0]))
        self.assertEqual(n.call("CONFIG", "SET", "tls-cert-file", fourth[0], "tls-key-file",
                                fourth[1]), "OK")
        self.assertEqual(self.shown(n), "fourth")
        self.assertIn("has expired", n.text(
            "CONFIG", "SET", *(x for p in zip(("tls-cert-file", "tls-key-file"),
                                              self.ca.sign("past", **EXPIRED)) for x in p)))
        self.assertEqual(n.call("CONFIG", "SET", "tls-auth-clients", "no"), "OK")
        self.assertEqual(self.shown(n, with_pair=False), "fourth")

        old.sendall(resp.encode("PING"))  # from before all of it
        self.assertEqual(old.recv(7), b"+PONG\r\n")
        c.wait_equal(20, "new certificates")

    @staticmethod
    def install(pair, files):
        for source, target in zip(pair, files):
            if source != target:
                shutil.copy(source, f"{target}.new")
                os.rename(f"{target}.new", target)

    def shown(self, node, with_pair=True):
        """The name in the certificate that the client port shows."""
        context = self.ca.context(self.pair if with_pair else None)
        with socket.create_connection(("127.0.0.1", tls_port(node)), 5) as raw:
            with context.wrap_socket(raw) as s:
                s.sendall(resp.encode("PING"))
                self.assertEqual(s.recv(7), b"+PONG\r\n")
                return dict(x[0] for x in s.getpeercert()["subject"])["commonName"]


class Start(Tls):
    @hearsay_only("a stock server may dump core")
    def test_a_process_with_keys_dumps_no_core_and_gains_no_privileges(self):
        c = Cluster(self, "h", conf=conf(self.ca, self.pair))
        for node, secret in ((c.h[0], True), (Cluster(self, "h").h[0], False)):
            proc = pathlib.Path(f"/proc/{node.proc.pid}")
            self.assertIn("NoNewPrivs:\t1", (proc / "status").read_text())
            limit = next(x for x in (proc / "limits").read_text().splitlines() if "core" in x)
            self.assertEqual(limit.split()[4:6] == ["0", "0"], secret, limit)

    @hearsay_only("the words are ours")
    def test_what_is_wrong_is_named_before_the_node_starts(self):
        other = self.ca.sign("other")
        for change, words in (({"tls-cert-file": "/nonexistent"}, "'/nonexistent': No such file"),
                              ({"tls-key-file": other[1]}, "key values mismatch"),
                              ({"tls-ca-cert-file": '""'}, "Either tls-ca-cert-file"),
                              ({"tls-protocols": "SSLv3"}, "Invalid tls-protocols"),
                              (certs.directives(self.ca, self.ca.sign("bygone", **EXPIRED)),
                               "has expired: it was valid until Jan  1 00:00:00 2021")):
            n = process.Hearsay("bad", 1000, {**conf(self.ca, self.pair), **change,
                                              "logfile": '""'})
            self.addCleanup(process.discard, n.dir)
            for more in ((), ("--check-config",)):
                done = subprocess.run([n.binary, str(n.write_config()), *more], text=True,
                                      timeout=20, check=False, capture_output=True)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    harness.main()
