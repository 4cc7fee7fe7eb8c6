#!/usr/bin/env python3
"""The dashboard and the alerts in deploy/ ask for metrics and labels that there are."""
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What stands in an expression besides metrics.
WORDS = set("""abs and avg by clamp_max count histogram_quantile increase irate label_values le
max min or rate sum time unless without up on ignoring""".split())


def known():
    """Series names of docs/metrics.md, and the labels they have beside those of a scrape."""
    series, labels = set(), {"job", "instance"}
    rows = re.findall(r"^\| `([a-z_]+)(?:\{(\w+)=[^`]*\})?` \| (\w+) \|.*\| ([^|]*) \|$",
                      (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    for name, label, kind, source in rows:
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        series |= {name + e for e in endings}
        labels |= {label} if label else set()
        if source.startswith("labels: "):
            labels |= set(source[8:].split(", "))
    return series, labels


def mistakes(expr):
    """Names in the expression that no scrape brings."""
    series, labels = known()
    found = [f"label {w}" for inside in re.findall(r"\{([^}]*)\}", expr)
             for w in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside) if w not in labels]
    for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expr):
        found += [f"label {w}" for w in re.split(r",\s*", group) if w not in labels | {"le"}]
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without)\s*\([^)]*\)|\"[^\"]*\"|\$\w+", " ", expr)
    bare = re.sub(r"label_values\(([^,]*),[^)]*\)", r"\1", bare)
    return found + [w for w in re.findall(r"\b[a-z_][a-z0-9_]*\b", bare)
                    if w not in series and w not in WORDS]


class Observe(unittest.TestCase):
    def test_a_wrong_name_is_found(self):
        self.assertEqual(mistakes("redis_cluster_state == 0"), [])
        self.assertEqual(mistakes("redis_cluster_stat == 0"), ["redis_cluster_stat"])
        self.assertEqual(mistakes("rate(hearsay_pong_seconds[5m])"), ["hearsay_pong_seconds"])
        self.assertEqual(mistakes('hearsay_nodes{stat="pfail"}'), ["label stat"])
        self.assertEqual(mistakes("sum by (tipe) (hearsay_messages_sent_total)"), ["label tipe"])
        self.assertGreater(len(known()[0]), 150)

    def test_the_alerts_ask_for_what_there_is_and_say_what_to_do(self):
        text = (ROOT / "deploy/prometheus-rules.yml").read_text()
        alerts = re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]
        self.assertGreater(len(alerts), 15)
        names = [a.split("\n", 1)[0] for a in alerts]
        self.assertEqual(len(set(names)), len(names))
        for name, alert in zip(names, alerts):
            fields = dict(re.findall(r"^ +(\w+): (.*)$", alert, re.MULTILINE))
            self.assertEqual(mistakes(fields["expr"]), [], name)
            self.assertIn("severity", fields["labels"], name)
            self.assertRegex(fields["runbook"], r'^"[A-Z].{30,}\."$', name)
            self.assertIn("summary", fields, name)

    def test_the_dashboard_asks_for_what_there_is(self):
        board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
        panels = [p for p in board["panels"] if p["type"] != "row"]
        self.assertGreater(len(panels), 15)
        self.assertEqual(len({p["id"] for p in board["panels"]}), len(board["panels"]))
        for p in panels:
            self.assertTrue(p["title"] and p["description"])
            self.assertTrue(p["targets"])
            for t in p["targets"]:
                self.assertEqual(mistakes(t["expr"]), [], p["title"])
            box = p["gridPos"]
            self.assertLessEqual(box["x"] + box["w"], 24)
            for q in panels:
                other = q["gridPos"]
                apart = (box["x"] >= other["x"] + other["w"] or other["x"] >= box["x"] + box["w"] or
                         box["y"] >= other["y"] + other["h"] or other["y"] >= box["y"] + box["h"])
                self.assertTrue(p is q or apart, f"{p['title']} on {q['title']}")
        for variable in board["templating"]["list"]:
            self.assertEqual(mistakes(variable["query"].replace("prometheus", "")), [])


if __name__ == "__main__":
    unittest.main()
