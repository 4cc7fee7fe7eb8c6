#!/usr/bin/env python3
"""Large clusters as evidence: runs them, and writes docs/scale.md from what came of it.

    scale.py sim [NODES[:STEADY_SECONDS]...]   in virtual time
    scale.py real KIND [NODES]                 real processes (hearsay or redis) on loopback
    scale.py take FILE                         what tests/interop/scale.py wrote elsewhere
    scale.py page                              the page and its plots again, from what is there

Every run's figures are a line of docs/scale/runs.jsonl; a run replaces the line of an
earlier one of its kind and size. The page and its plots are made from these lines alone.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SIM = pathlib.Path(os.environ.get("HS_SIM", ROOT / "build" / "hearsay-sim"))
OUT = ROOT / "build" / "scale"
DATA = ROOT / "docs" / "scale" / "runs.jsonl"
PAGE = ROOT / "docs" / "scale.md"
PLOTS = ROOT / "docs" / "scale"
SIZES = ("100:3600", "300:3600", "1000:600", "2000:60")
# By then a cluster of that size has come to be, and settled.
FORM_S = ((100, 60), (300, 90), (1000, 120), (2000, 240), (5000, 600))
AFTER_S = 150  # of virtual time after a kill
TIMEOUT_S = 15
FAULTS = ("one", "10 %", "33 %", "50 % less one")


def victims(masters):
    """How many masters each of FAULTS kills. The last leaves the smallest majority."""
    return (1, max(1, round(masters * 0.1)), round(masters * 0.33), masters - masters // 2 - 1)


# ---- runs ----

def keep(run):
    """Puts a run in the place of the one it repeats."""
    runs = [r for r in load() if (r["kind"], r["nodes"]) != (run["kind"], run["nodes"])]
    runs.append(run)
    runs.sort(key=lambda r: (r["kind"], r["nodes"]))
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text("".join(json.dumps(r, sort_keys=True) + "\n" for r in runs))


def load():
    return [json.loads(x) for x in DATA.read_text().splitlines()] if DATA.exists() else []


def rate(samples, key, begin_ms, end_ms, nodes):
    total = sum(s[key] for s in samples if begin_ms < s[0] <= end_ms)
    return total / nodes / (end_ms - begin_ms) * 1000


def since(out, key):
    return None if out[key] < 0 else (out[key] - out["fault_ms"]) / 1000


def fault_of(path, name, killed):
    out = json.loads(path.read_text())
    return {"fault": name, "killed": killed, "first_fail_s": since(out, "first_fail_ms"),
            "all_fail_s": since(out, "all_fail_ms"), "last_won_s": since(out, "last_won_ms"),
            "all_ok_s": since(out, "all_ok_ms"), "elections": out["elections_won"],
            "false_fails": out["false_fails"]}


def thinned(points, n=200):
    """A curve of n points at most, each the mean of its span."""
    step = max(1, math.ceil(len(points) / n))
    cut = [points[i:i + step] for i in range(0, len(points), step)]
    return [[round(sum(p[0] for p in c) / len(c), 1), round(sum(p[1] for p in c) / len(c), 2)]
            for c in cut]


def curve(out, nodes, until_s):
    points, before = [], 0
    for s in out["samples"]:
        if s[0] <= until_s * 1000 and s[0] > before:
            points.append([s[0] / 1000, s[1] / nodes / (s[0] - before) * 1000])
        before = s[0]
    return thinned(points)


def run_sim(nodes, steady_s):
    """One process: it forms the cluster and lets it be, and a copy of it for each fault
    goes on from there."""
    masters = max(3, nodes // 3)
    formed_s = next(s for n, s in FORM_S if nodes <= n)
    end_s = formed_s + steady_s
    path = OUT / f"sim-{nodes}.json"
    command = [str(SIM), "--quiet", "--nodes", str(nodes), "--masters", str(masters), "--for",
               f"{end_s}s", "--json", str(path)]
    for n in victims(masters):
        command += ["--then", f"at {end_s}s kill {n} masters; at {end_s + AFTER_S}s heal network"]
    OUT.mkdir(parents=True, exist_ok=True)
    print(" ".join(command[:9]), flush=True)
    run = subprocess.Popen(command)
    _, status, used = os.wait4(run.pid, 0)  # of this run alone, with its copies
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode != 0:
        raise subprocess.CalledProcessError(run.returncode, command)
    out = json.loads(path.read_text())
    faults = [fault_of(pathlib.Path(f"{path}.{k + 1}"), name, victims(masters)[k])
              for k, name in enumerate(FAULTS)]
    keep(summary(nodes, masters, steady_s, out, faults,
                 {"cpu_s": used.ru_utime, "rss_mb": used.ru_maxrss / 1024}))


def summary(nodes, masters, steady_s, out, faults, cost):
    """What is kept of a run."""
    formed_s = next(s for n, s in FORM_S if nodes <= n)
    end_s = formed_s + steady_s
    return {"kind": "sim", "nodes": nodes, "masters": masters, "hash": out["hash"],
            "joined_s": None if out["joined_ms"] < 0 else out["joined_ms"] / 1000,
            "steady_s": steady_s, "false_fails": out["false_fails"],
            "messages_node_s": rate(out["samples"], 1, formed_s * 1000, end_s * 1000, nodes),
            "bytes_node_s": rate(out["samples"], 2, formed_s * 1000, end_s * 1000, nodes),
            "first_wall_s": out["wall_s"], "virtual_s": end_s, "messages": out["messages"],
            "faults": faults, "curve": curve(out, nodes, min(end_s, 240)),
            "date": time.strftime("%Y-%m-%d"), **cost}


def run_real(kind, nodes):
    path = OUT / f"{kind}-{nodes}.json"
    OUT.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ)
    env.setdefault("HS_PORTS", "12000-14000")  # bus ports stay below the ephemeral ones
    subprocess.run([sys.executable, str(ROOT / "tests" / "interop" / "scale.py"), kind, str(nodes),
                    str(path)], check=True, env=env)
    take_real(path)


def take_real(path):
    run = json.loads(pathlib.Path(path).read_text())
    for fault, name in zip(run["faults"], FAULTS):
        fault["fault"] = name
    keep({**run, "date": time.strftime("%Y-%m-%d")})


# ---- the page ----

def number(value, form="{:.1f}"):
    return "-" if value is None else form.format(value)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def steady_table(runs):
    rows = [[f"{r['nodes']:,}", str(r["masters"]), number(r["joined_s"]), f"{r['steady_s']:,}",
             number(r["messages_node_s"]), number(r["bytes_node_s"] / 1000), str(r["false_fails"]),
             number(r["rss_mb"], "{:,.0f}"),
             number(r["cpu_s"], "{:,.0f}")] for r in runs]
    return table(["nodes", "masters", "equal views after, s", "steady for, s",
                  "messages per node and s", "kB per node and s", "false FAILs", "peak MB",
                  "CPU s, with its faults"], rows)


def fault_rows(r, who):
    return [[who, f"{r['nodes']:,}", f"{f['fault']} ({f['killed']})", number(f["first_fail_s"]),
             number(f["all_fail_s"]), number(f.get("last_won_s")), number(f["all_ok_s"]),
             str(f["false_fails"])] for f in r["faults"]]


FAULT_HEAD = ["", "nodes", "masters killed", "first FAIL", "all hold all for failed",
              "last election won", "all well", "false FAILs"]


def real_table(runs):
    sizes = {r["nodes"] for r in runs if r["kind"] != "sim"}
    rows = [[r["kind"], f"{r['nodes']:,}", number(r["joined_s"]),
             number(r.get("agree_after_replicate_s")), number(r["messages_node_s"]),
             number(r.get("load"), "{:.0f}")] for r in runs if r["nodes"] in sizes]
    faults = []
    for r in runs:
        if r["nodes"] in sizes:
            faults += [[*x, number(f.get("load"), "{:.0f}")]
                       for x, f in zip(fault_rows(r, r["kind"]), r["faults"])
                       if f["fault"] in FAULTS[:2]]
    return (table(["", "nodes", "equal views after, s", "of it after REPLICATE, s",
                   "messages per node and s", "load of the machine"], rows) + "\n\n"
            + table([*FAULT_HEAD, "load of the machine"], faults))


def plot(path, title, unit, series, marks=False):
    """Lines over a common axis, as an SVG that needs nothing else. series: {name: points}."""
    width, height, left, top = 720, 300, 60, 30
    colours = ("#0b62a4", "#c2410c", "#15803d", "#7c3aed", "#a16207")
    xs = [p[0] for points in series.values() for p in points]
    ys = [p[1] for points in series.values() for p in points]
    x_max, y_max = max(xs), max(ys) * 1.1

    def at(p):
        return (left + (width - left - 10) * p[0] / x_max,
                height - 30 - (height - 30 - top) * p[1] / y_max)

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="11">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>',
           f'<text x="{left}" y="16" font-size="13">{title}</text>',
           f'<path d="M{left} {top}V{height - 30}H{width - 10}" fill="none" stroke="#888"/>']
    for k in range(1, 5):
        y, x = at([0, y_max * k / 4])[1], at([x_max * k / 4, 0])[0]
        svg.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">'
                   f'{y_max * k / 4:.3g}</text>')
        svg.append(f'<text x="{x:.0f}" y="{height - 14}" text-anchor="end">'
                   f'{x_max * k / 4:.4g} {unit}</text>')
    for k, (name, points) in enumerate(series.items()):
        colour = colours[k % len(colours)]
        line = " ".join("{:.1f},{:.1f}".format(*at(p)) for p in points)
        svg.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        if marks:
            svg += ['<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'.format(*at(p), colour)
                    for p in points]
        svg.append(f'<text x="{width - 12}" y="{top + 14 * k}" text-anchor="end" '
                   f'fill="{colour}">{name}</text>')
    path.write_text("\n".join(svg) + "\n</svg>\n")


def plots(sims):
    plot(PLOTS / "messages.svg", "messages per node and second while a cluster forms", "s",
         {f"{r['nodes']:,} nodes": r["curve"] for r in sims})
    well = {}
    for name in FAULTS:
        points = [[r["nodes"], f["all_ok_s"]] for r in sims for f in r["faults"]
                  if f["fault"] == name and f["all_ok_s"] is not None]
        if points:
            well[f"{name} dead"] = points
    plot(PLOTS / "well.svg", "seconds until all is well again", "nodes", well, marks=True)


def page():
    runs = load()
    sims = [r for r in runs if r["kind"] == "sim"]
    if not sims:
        sys.exit("scale.py: no simulated run yet; `tools/dev sim --scale` makes them")
    plots(sims)
    text = PAGE.read_text()
    faults = [row for r in sims for row in fault_rows(r, "")]
    for name, body in (("steady", steady_table(sims)),
                       ("faults", table(FAULT_HEAD[1:], [row[1:] for row in faults])),
                       ("real", real_table(runs))):
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        head, rest = text.split(begin)
        text = head + begin + "\n\n" + body + "\n\n" + end + rest.split(end)[1]
    PAGE.write_text(text)
    print(f"{PAGE.relative_to(ROOT)} and its plots are renewed from {len(runs)} runs")


def main():
    args = sys.argv[1:]
    if args[:1] == ["sim"]:
        for size in args[1:] or SIZES:
            nodes, _, steady = size.partition(":")
            run_sim(int(nodes), int(steady or 60))
    elif args[:1] == ["real"] and len(args) in (2, 3) and args[1] in ("hearsay", "redis"):
        run_real(args[1], int(args[2]) if len(args) == 3 else 100)
    elif args[:1] == ["take"] and len(args) == 2:
        take_real(args[1])
    elif args != ["page"]:
        sys.exit(__doc__)
    page()


if __name__ == "__main__":
    main()
