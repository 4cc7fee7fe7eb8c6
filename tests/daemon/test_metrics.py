#!/usr/bin/env python3
"""/metrics, /healthz and /readyz as a scraper and a supervisor see them."""

import http.client
import os
import re
import socket
import time
import unittest

from daemon import Node, StoppedThread, free_port, run
from exposition import Page

DOCS = os.path.join(os.path.dirname(__file__), "../../docs/metrics.md")


def pages_names():
    with open(DOCS, encoding="utf-8") as f:
        return re.findall(r"^\| `([a-z_]+)(?:\{[^`]*\})?` \| (\w+) \|.*\| ([^|]*) \|$", f.read(),
                          re.MULTILINE)


class Metrics(unittest.TestCase):
    def node(self, *args):
        self.port = free_port()
        node = Node("--metrics-port", self.port, "--enable-debug-command", "yes", *args)
        self.addCleanup(node.close)
        return node.start()

    def get(self, path, method="GET", body=None):
        http_port = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            http_port.request(method, path, body=body)
            answer = http_port.getresponse()
            return answer.status, answer.read(), answer
        finally:
            http_port.close()  # held ones count against the bound

    def scrape(self):
        status, body, answer = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(answer.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        return Page(body)

    def until(self, what, seconds=30):
        """Polls until it is true."""
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, "not in time")
            time.sleep(0.05)

    def ready(self):
        status, body, _ = self.get("/readyz")
        return status, body.decode()

    def test_the_page_parses_and_is_the_table_of_the_documentation(self):
        self.node()
        page = self.scrape()
        self.assertEqual(dict((name, kind) for name, kind, _ in pages_names()), page.types)
        self.assertEqual(set(page.metric_of.values()), set(page.types))
        for name, kind in page.types.items():
            self.assertEqual(name.endswith("_total"), kind == "counter", name)

    def test_counters_only_grow_and_follow_what_happens(self):
        node = self.node()
        before = self.scrape()
        for _ in range(5):
            self.assertEqual(node.call("PING"), "PONG")
        node.call("NO-SUCH-COMMAND")
        self.until(lambda: self.scrape()["redis_connections_received_total"] -
                   before["redis_connections_received_total"] >= 6)
        after = self.scrape()
        for key, value in before.values.items():
            if before.types[before.metric_of[key]] != "gauge":
                self.assertGreaterEqual(after.values[key], value, key)
        grown = [after[name] - before[name] for name in
                 ("redis_commands_processed_total", "redis_connections_received_total")]
        self.assertGreaterEqual(grown[0], 5)
        self.assertEqual(grown[1], 6)
        self.assertEqual(after.of("hearsay_error_replies_total", code="ERR") -
                         before.of("hearsay_error_replies_total", code="ERR"), 1)

    def test_metrics_and_info_tell_the_same(self):
        started = time.monotonic()
        node = self.node()
        self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
        self.until(lambda: self.scrape()["redis_cluster_state"] == 1)
        names = pages_names()
        info = dict(line.split(":", 1) for line in
                    (node.call("CLUSTER", "INFO") + node.call("INFO", "everything")).split("\r\n")
                    if ":" in line)
        page = self.scrape()
        shown = {source.strip("`"): name for name, _, source in names if source.startswith("`")}
        for field in ("cluster_slots_ok", "cluster_known_nodes", "cluster_current_epoch",
                      "cluster_connections", "maxclients", "pubsub_channels",
                      "core_nodes_added", "net_links_stalled", "owner_no_memory"):
            self.assertEqual(page[shown[field]], float(info[field]), field)
        self.assertGreaterEqual(page["redis_uptime_in_seconds"], int(info["uptime_in_seconds"]))
        self.assertLess(page["redis_uptime_in_seconds"], time.monotonic() - started + 1)
        counted = [f for f in info if f.startswith(("net_", "owner_", "core_", "admin_", "watch_"))]
        self.assertGreater(len(counted), 80)
        listed = {source.strip("`") for _, _, source in names}
        self.assertEqual([f for f in counted if f not in listed], [],
                         "counters without a row in src/metrics/table.c")

    def test_a_name_that_is_no_utf8_does_not_spoil_the_page(self):
        raw = b"b\xff\xc3\xbcro"
        self.node("--cluster-announce-human-nodename", os.fsdecode(raw))
        self.assertEqual(self.scrape().labels("hearsay_node_info")[0]["nodename"],
                         "b\N{REPLACEMENT CHARACTER}\N{LATIN SMALL LETTER U WITH DIAERESIS}ro")

    def test_ready_once_the_cluster_serves(self):
        node = self.node()
        status, why = self.ready()
        self.assertEqual(status, 503)
        self.assertIn("knows no other", why)
        self.assertIn("16384 of 16384 slots", why)
        self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16382), "OK")
        self.until(lambda: "1 of 16384 slots" in self.ready()[1])
        self.assertEqual(node.call("CLUSTER", "ADDSLOTS", 16383), "OK")
        self.until(lambda: self.ready() == (200, "ok, 1 nodes known\n"))

    def test_an_owner_that_stands_still_is_unhealthy_and_a_silent_connection_is_closed(self):
        node = self.node()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as silent:
            self.until(lambda: self.get("/healthz")[:2] == (200, b"ok\n"))
            with StoppedThread(node, "owner"):
                self.until(lambda: self.get("/healthz")[0] == 503)
                self.assertRegex(self.get("/healthz")[1].decode(),
                                 r"^the owner thread has published nothing for \d+ ms\n$")
                self.assertEqual(self.get("/readyz")[0], 503)
                self.assertGreater(self.scrape()["hearsay_view_age_seconds"], 5)
            self.until(lambda: self.get("/healthz")[0] == 200)
            self.assertEqual(silent.recv(1), b"")

    def test_only_what_there_is_is_answered(self):
        self.node()
        self.assertEqual(self.get("/")[0], 404)
        self.assertEqual(self.get("/metrics/")[0], 404)
        for method in ("POST", "PUT", "DELETE"):
            status, _, answer = self.get("/metrics", method, b"x" * 100)
            self.assertEqual(status, 405)
            self.assertEqual(answer.headers["Allow"], "GET, HEAD")
        status, body, answer = self.get("/metrics", "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(answer.headers["Content-Length"]), 10000)
        self.assertEqual(self.get("/healthz", "GET", b"x" * 100000)[0], 200)

    def test_a_request_without_end_is_refused(self):
        self.node()
        for request in (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000 + b"\r\n",
                        b"\x00\xff" * 5000):
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
                try:
                    s.sendall(request)
                    answer = s.recv(100)
                except ConnectionError:
                    continue
                self.assertRegex(answer, rb"^($|HTTP/1.. 4)")
        self.assertEqual(self.get("/healthz")[0], 200)

    def test_connections_of_one_address_are_bounded(self):
        self.node()
        held = [socket.create_connection(("127.0.0.1", self.port), timeout=30) for _ in range(16)]
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as one_more:
                self.assertEqual(one_more.recv(1), b"")
            held[0].sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertTrue(held[0].recv(100).startswith(b"HTTP/1"))
        finally:
            for s in held:
                s.close()
        self.until(lambda: self.answers())

    def answers(self):
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def test_a_connection_stays_and_a_rendering_is_shared(self):
        self.node()
        keep = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(keep.close)
        equal = []

        def pair():
            bodies = []
            for _ in range(2):
                keep.request("GET", "/metrics")
                bodies.append(keep.getresponse().read())
            equal.append(bodies[0] == bodies[1])
            return equal[-1]

        keep.connect()
        first = keep.sock
        self.until(pair)
        self.assertIs(keep.sock, first)
        before = self.get("/metrics")[1]
        self.until(lambda: self.get("/metrics")[1] != before)

    def test_a_port_in_use_is_named(self):
        port = free_port()
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))
            s.listen()
            code, _, err = run("--port", free_port(), "--bind", "127.0.0.1", "--dir",
                               self.empty_dir(), "--metrics-port", port)
        self.assertEqual(code, 2)
        self.assertIn(f"metrics port {port} is in use on 127.0.0.1", err)
        self.assertIn("'metrics-port'", err)
        self.assertEqual(err.count("\n"), 1)

    def test_an_address_of_another_host_is_refused(self):
        code, _, err = run("--port", free_port(), "--bind", "127.0.0.1", "--dir",
                           self.empty_dir(), "--metrics-port", free_port(),
                           "--metrics-bind", "192.0.2.1")
        self.assertEqual(code, 2)
        self.assertIn("192.0.2.1", err)
        self.assertIn("'metrics-bind'", err)

    def empty_dir(self):
        node = Node()
        self.addCleanup(node.close)
        return node.dir

    def test_a_port_of_its_own_is_required(self):
        port = free_port()
        for other in (port, port + 10000):
            code, _, err = run("--port", port, "--metrics-port", other, "--check-config")
            self.assertEqual(code, 1)
            self.assertIn(f"metrics-port {other}", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
