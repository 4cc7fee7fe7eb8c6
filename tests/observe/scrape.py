#!/usr/bin/env python3
"""Debian's Prometheus scrapes a node, and its promtool has nothing against the page or
the rules. Run by `tools/dev observe`."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/daemon"))
from daemon import Node, free_port  # noqa: E402

RULES = ROOT / "deploy/prometheus-rules.yml"
PATIENCE_S = 60


def promtool(*words, stdin=None):
    done = subprocess.run(["promtool", *words], input=stdin, capture_output=True, timeout=60,
                          check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


class Prometheus(unittest.TestCase):
    def setUp(self):
        self.metrics_port = free_port()
        self.node = Node("--metrics-port", self.metrics_port)
        self.addCleanup(self.node.close)
        self.node.start()

    def test_promtool_has_nothing_against_the_page(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics",
                                    timeout=10) as answer:
            page = answer.read()
        self.assertEqual(promtool("check", "metrics", stdin=page), (0, ""))
        code, words = promtool("check", "metrics", stdin=page.replace(b"_total", b""))
        self.assertNotEqual((code, words), (0, ""), "promtool finds what is wrong")

    def test_the_rules_are_rules(self):
        code, words = promtool("check", "rules", str(RULES))
        self.assertEqual(code, 0, words)

    def prometheus(self):
        work = tempfile.mkdtemp(prefix="hearsay-prometheus-")
        self.addCleanup(shutil.rmtree, work, ignore_errors=True)
        config = pathlib.Path(work, "prometheus.yml")
        config.write_text("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                          f"rule_files: ['{RULES}']\n"
                          "scrape_configs:\n"
                          "  - job_name: hearsay\n"
                          f"    static_configs: [{{targets: ['127.0.0.1:{self.metrics_port}']}}]\n",
                          encoding="utf-8")
        self.port = free_port()
        with open(os.path.join(work, "log"), "wb") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={work}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.terminate)

    def ask(self, what, **query):
        """The data of an answer of its API, None if there is none yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def until(self, what):
        end = time.monotonic() + PATIENCE_S
        while not what():
            self.assertLess(time.monotonic(), end, "not in time")
            time.sleep(0.2)

    def value(self, expr):
        data = self.ask("query", query=expr)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def test_a_node_is_scraped_and_the_rules_are_loaded_and_fire(self):
        self.prometheus()
        self.until(lambda: self.value("up") == 1)
        self.until(lambda: self.value("redis_cluster_state") == 0)
        self.assertGreater(self.value("count({__name__=~'redis_.*|hearsay_.*'})"), 300)
        groups = self.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertEqual(len(rules), RULES.read_text(encoding="utf-8").count("- alert:"))
        self.until(lambda: all(rule["health"] == "ok" for group in self.ask("rules")["groups"]
                               for rule in group["rules"]))
        # A new node has no slots: the alert for that is on its way.
        self.until(lambda: "HearsayClusterDown" in
                   [a["labels"]["alertname"] for a in self.ask("alerts")["alerts"]])
        self.assertEqual(self.node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
        self.until(lambda: self.value("redis_cluster_state") == 1)
        self.until(lambda: not self.ask("alerts")["alerts"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
