"""A strict reader of the Prometheus text format: what a scraper would not take, it does not."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')


def labels_of(text):
    found, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if m is None:
            raise ValueError(f"bad labels {text!r}")
        if m.group(1) in found:
            raise ValueError(f"label {m.group(1)} twice")
        unescape = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
        found[m.group(1)] = re.sub(r'\\[n"\\]', lambda e: unescape[e.group()], m.group(2))
        at = m.end()
    return found


class Page:
    """types: metric -> type; values: (series name, sorted labels) -> number."""

    def __init__(self, raw):
        self.types, self.help, self.values, self.metric_of = {}, {}, {}, {}
        text = raw.decode("utf-8")
        if not text.endswith("\n"):
            raise ValueError("no newline at the end")
        current = None
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                current, words = line[7:].split(" ", 1)
                if current in self.help or not words:
                    raise ValueError(f"HELP of {current} twice or empty")
                self.help[current] = words
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if name != current or name in self.types:
                    raise ValueError(f"TYPE of {name} in the wrong place")
                if kind not in ("counter", "gauge", "histogram"):
                    raise ValueError(f"type {kind}")
                self.types[name] = kind
            else:
                self.sample(line, current)
        self.check_histograms()

    def sample(self, line, current):
        m = SAMPLE.fullmatch(line)
        if m is None:
            raise ValueError(f"bad line {line!r}")
        name, labels = m.group(1), labels_of(m.group(2) or "")
        endings = ("_bucket", "_sum", "_count") if self.types[current] == "histogram" else ("",)
        if name not in [current + e for e in endings]:
            raise ValueError(f"{name} under {current}")
        key = (name, tuple(sorted(labels.items())))
        if key in self.values:
            raise ValueError(f"{key} twice")
        self.values[key] = float(m.group(3))
        self.metric_of[key] = current

    def check_histograms(self):
        for name in (n for n, t in self.types.items() if t == "histogram"):
            buckets = [(float(dict(k[1])["le"]), v) for k, v in self.values.items()
                       if k[0] == name + "_bucket"]
            if buckets != sorted(buckets) or len(set(le for le, _ in buckets)) != len(buckets):
                raise ValueError(f"buckets of {name} are not in order")
            if [v for _, v in buckets] != sorted(v for _, v in buckets):
                raise ValueError(f"buckets of {name} are not cumulative")
            if buckets[-1] != (float("inf"), self.values[name + "_count", ()]):
                raise ValueError(f"{name}_count is not its last bucket")

    def __getitem__(self, name):
        return self.values[name, ()]

    def of(self, name, **labels):
        return self.values[name, tuple(sorted(labels.items()))]

    def labels(self, name):
        return [dict(k[1]) for k in self.values if k[0] == name]
