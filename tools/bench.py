#!/usr/bin/env python3
"""Measures hearsayd beside redis-server with hearsay-bench, and writes docs/performance.md.

    bench.py compare [PART...]  every budget: met or not, and by how much (at most 12 minutes)
    bench.py grow [PEERS...]    how cost grows with the number of nodes: a table and plots
    bench.py scaling            what more reactors bring, and where the owner thread saturates

Servers get core 0 and the tool the others, unless a row says otherwise. Rounds go A B A B, each
run with a fresh process; what cannot be run is a row that says so, and the rest goes on.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import scale

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("HS_BUILD", ROOT / "build"))
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
LOG = BUILD / "bench-all.log"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CORES = os.cpu_count() or 1
SECONDS = float(os.environ.get("BENCH_SECONDS", "660"))
SPARE = 0.8  # of that time: from then on a case gets one round
RUN_S = 60   # of one run, or it is given up
OURS, REDIS, ECHO = "hearsayd", "redis-server", "echo"
LARGEST = 9950  # peers whose two links fit under 20,000 descriptors, the usual hard limit
STARTED = time.monotonic()


# ---- one run ----

def command(kind, port, directory, timeout_ms, peers):
    where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", directory,
             "--cluster-node-timeout", str(timeout_ms)]
    if kind == ECHO:
        return [str(BUILD / "hearsay-bench"), "--echo", str(port)]
    if kind == REDIS:
        return ["redis-server", *where, "--cluster-enabled", "yes", "--save", "",
                "--maxclients", "19000"]
    room = ["--cluster-nodes-max", str(peers + 5), "--maxclients", "32"] if peers > 7000 else []
    return [str(BUILD / "hearsayd"), *where, *room]


def answers(port, process):
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    """Below the ports the kernel gives out, with its bus port."""
    while True:
        port = random.randrange(20000, 22000)
        try:
            for p in (port, port + 10000):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue


def pinned(core, argv):
    return argv if core is None else ["taskset", "-c", core, *argv]


def measure(process, port, case, out):
    """The tool against a server that runs; its figures, or why there are none."""
    args = [str(BUILD / "hearsay-bench"), "--target", f"127.0.0.1:{port}", "--target-pid",
            str(process.pid), "--node-timeout", str(case["timeout"]), "--json", str(out),
            "--form-timeout", "40s", *case["args"]]
    tool_core = f"1-{CORES - 1}" if case["pin"] else None
    try:
        done = subprocess.run(pinned(tool_core, args), capture_output=True, text=True,
                              timeout=RUN_S, check=False)
    except subprocess.TimeoutExpired:
        return {"why": f"no end within {RUN_S} s"}
    with LOG.open("a") as log:
        log.write(" ".join(args[1:]) + "\n" + done.stdout + done.stderr + "\n")
    if done.returncode == 2 or not out.exists():
        return {"why": (done.stderr.strip().splitlines() or ["no figures"])[-1]}
    return json.loads(out.read_text())


def run(kind, case, more=(), watch=None):
    """One server, one run of the tool. watch(pid) is called before and after."""
    directory = tempfile.mkdtemp(prefix="hearsay-bench-")
    port = free_port()
    argv = command(kind, port, directory, case["timeout"], case["peers"]) + list(more)
    try:
        with open(f"{directory}/log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(pinned(case["pin"], argv), stdout=log, stderr=log,
                                       cwd=directory)
        try:
            if not answers(port, process):
                return {"why": "it does not start: "
                               + pathlib.Path(f"{directory}/log").read_text()[-200:].strip()}
            before = watch(process.pid) if watch else None
            figures = measure(process, port, case, pathlib.Path(directory) / "json")
            if watch:
                figures["watched"] = (before, watch(process.pid))
            return figures
        finally:
            stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def case_of(mode, peers, *args, timeout=15000, pin="0"):
    return {"mode": mode, "peers": peers, "timeout": timeout,
            "pin": pin,
            "args": ["--mode", mode, "--peers", str(peers), *args]}


def median(values):
    return sorted(values)[len(values) // 2] if values else None


class Runs:
    """The rounds of one case: figures by server, and the medians and ratios of them."""

    def __init__(self, name, case, kinds=(OURS, REDIS), rounds=ROUNDS):
        self.name, self.case, self.by = name, case, {k: [] for k in kinds}
        self.why = {}
        for k in range(rounds):
            used = time.monotonic() - STARTED
            if used > SECONDS or (k > 0 and used > SECONDS * SPARE):
                break
            for kind in kinds:
                if kind not in self.why:
                    self.one(kind)
        failed = "".join(f"; {kind}: {why}" for kind, why in self.why.items())
        print(f"{time.monotonic() - STARTED:5.0f} s  {name}{failed}", flush=True)

    def one(self, kind):
        figures = run(kind, self.case)
        if "why" in figures:
            self.why[kind] = figures["why"]
        else:
            self.by[kind].append(figures)

    def values(self, key, kind=OURS):
        of = KEYS.get(key, lambda f: f.get(key))
        return [v for v in (of(f) for f in self.by.get(kind, [])) if v is not None]

    def seen(self, key, kind=OURS):
        return median(self.values(key, kind))

    def ratios(self, key):
        pairs = zip(self.values(key, OURS), self.values(key, REDIS))
        return sorted(a / b for a, b in pairs if b > 0)


# Figures made of others.
KEYS = {
    "core": lambda f: f["target_cpu_s"] / f["measured_s"] * 100 if f["measured_s"] > 0 else None,
    "peak_mb": lambda f: f["target_peak_kb"] / 1024,
    "rss_mb": lambda f: f["target_rss_kb"] / 1024,
    "p99_ms": lambda f: f["latency_p99_us"] / 1000,
    "p999_ms": lambda f: f["latency_p999_us"] / 1000,
    "gb_per_cpu_s": lambda f: (f["bytes_from_target_per_s"] * f["measured_s"] / 1e9
                               / f["target_cpu_s"] if f["target_cpu_s"] > 0 else None),
    "per_cpu_s": lambda f: 1e6 / f["cpu_us_each"] if f["cpu_us_each"] > 0 else None,
    "both_ways": lambda f: f["rate_per_s"] + f["pings_from_target_per_s"],
}


# ---- the table ----

def short(v):
    if v is None:
        return "-"
    return f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.3g}"


def figure(v):
    return short(v or None)  # nothing was measured where it is nothing


def spread(values, form=short):
    """The median, and how far the rounds were apart."""
    if not values:
        return "-"
    low, high = min(values), max(values)
    return form(median(values)) + (f" ({form(low)} to {form(high)})" if len(values) > 1 else "")


def verdict(seen, limit, most=True):
    if seen is None:
        return "not measured"
    if (seen <= limit) if most else (seen >= limit):
        return "met"
    if limit == 0 or seen == 0:
        return "**not met**"
    off = seen / limit if most else limit / seen
    return f"**not met**, by {(off - 1) * 100:.0f} %" if off < 2 else f"**not met**, {off:.1f} x"


class Table:
    def __init__(self):
        self.budgets, self.cases = [], []

    def case(self, runs):
        figures = []
        for key in ("rate_per_s", "cpu_us_each", "core", "p99_ms", "p999_ms", "peak_mb",
                    "joined_s"):
            pair = [figure(runs.seen(key, kind)) for kind in runs.by]
            figures.append(" / ".join(pair))
        wrong = sum(v for kind in runs.by for v in runs.values("wrong_answers", kind))
        note = "".join(f"; {kind}: {why}" for kind, why in runs.why.items())
        self.cases.append([runs.name + (f" ({wrong:.0f} wrong answers)" if wrong else "") + note,
                           *figures, str(len(runs.by[OURS]))])
        return runs

    def budget(self, what, asked, seen, limit, values, most=True, redis="-"):
        self.budgets.append([what, asked, spread(values), redis, verdict(seen, limit, most)])

    def told(self, *row):
        self.budgets.append(list(row))

    def text(self):
        return (scale.table(["budget", "asked", "ours (rounds)", "redis-server", "verdict"],
                            self.budgets)
                + "\n\nOurs / redis-server, medians of the rounds:\n\n"
                + scale.table(["case", "per second", "CPU us each", "% of a core", "p99 ms",
                               "p99.9 ms", "peak MB", "joined s", "rounds"], self.cases))


def ratio_row(table, runs, what, asked, limit, key="cpu_us_each", most=True):
    ratios = runs.ratios(key)
    table.budget(what, asked, median(ratios), limit, ratios, most,
                 f"{short(runs.seen(key))} / {short(runs.seen(key, REDIS))}")


def flood(table):
    for peers, limit, asked in ((1000, 1 / 6, "0.167"), (100, 1 / 2.5, "0.40"),
                                (5000, 1 / 12, "0.083")):
        args = ["--warmup", "1s", "--duration", "2s"]
        runs = table.case(Runs(f"flood, {peers:,} peers", case_of("flood", peers, *args)))
        echo = Runs(f"echo of it, {peers:,}", case_of("echo", peers, *args), kinds=(ECHO,))
        ratio_row(table, runs, f"flood at {peers:,}: CPU per PING, of redis-server's", asked, limit)
        floor = echo.seen("cpu_us_each", ECHO)
        times = [v / floor for v in runs.values("cpu_us_each")] if floor else []
        if peers == 1000:
            table.budget(f"the same, of an echo's ({short(floor)} us)", "2", median(times), 2,
                         times)
        else:
            table.told(f"the same, of an echo's ({short(floor)} us)", "-", spread(times), "-", "-")
    runs = table.case(Runs("flood, 1,000 peers, any core", case_of(
        "flood", 1000, "--warmup", "1s", "--duration", "2s", pin=None), rounds=min(ROUNDS, 2)))
    times = runs.ratios("rate_per_s")
    if CORES < 4:
        table.told("PINGs/s of redis-server's, 3 cores and one for the tool", "12", spread(times),
                   "-", f"this machine has {CORES} cores")
    else:
        table.budget("PINGs/s of redis-server's", "12", median(times), 12, times, most=False)


def steady(table):
    def one(name, peers, timeout, limit, rounds=ROUNDS, kinds=(OURS,), seconds=8):
        runs = table.case(Runs(name, case_of("steady", peers, "--full-rate", "--duration",
                                             f"{seconds}s", timeout=timeout),
                               kinds=kinds, rounds=rounds))
        core = runs.values("core")
        table.budget(f"{name}: % of a core", str(limit), median(core), limit, core,
                     redis=short(runs.seen("core", REDIS)))
        tail = runs.values("p999_ms")
        table.budget("their p99.9, ms", "5", median(tail), 5, tail,
                     redis=short(runs.seen("p999_ms", REDIS)))
        return runs

    runs = one("heartbeats, 5,000 peers, 15 s", 5000, 15000, 5)
    stock = table.case(Runs("heartbeats, 5,000 peers, redis-server", case_of(
        "steady", 5000, "--full-rate", "--duration", "8s"), kinds=(OURS, REDIS), rounds=1))
    peak = runs.values("peak_mb") + stock.values("peak_mb")
    table.budget("memory at 5,000, at any time, MB", "60", max(peak, default=None), 60, peak,
                 redis=short(stock.seen("peak_mb", REDIS)))
    one(f"heartbeats, {LARGEST:,} peers, 15 s", LARGEST, 15000, 12, rounds=min(ROUNDS, 2))
    runs = one("heartbeats, 2,000 peers, 1 s", 2000, 1000, 15, seconds=5)
    wrong = runs.values("wrong_answers")
    table.budget("of these, false suspicions and other wrong answers", "0",
                 max(wrong, default=None), 0, wrong)


def changes(table):
    runs = table.case(Runs("storm, 1,000 peers, a third dies, 2 s", case_of(
        "storm", 1000, "--warmup", "1s", timeout=2000), kinds=(OURS,)))
    left = [f["killed"] - f["failed"] for f in runs.by[OURS]]
    table.budget("storm: dead peers not marked FAIL", "0", max(left, default=None), 0, left)
    # The peers report from one node timeout after the death to one and a half.
    late = [(s - 3.0) * 1000 for s in runs.values("last_fail_s")]
    table.told("storm: last FAIL told to a peer, ms after the last report (in slices)", "-",
               spread(late), "-", "-")
    tail = runs.values("p99_ms")
    table.budget("storm: p99 of the living, ms", "5", median(tail), 5, tail)
    runs = table.case(Runs("silent storm: nobody else reports", case_of(
        "storm", 1000, "--silent", "--warmup", "1s", timeout=2000), kinds=(OURS,), rounds=1))
    odd = [f["killed"] - f["suspected"] + f["failed"] for f in runs.by[OURS]]
    table.budget("silent storm: dead not suspected, or called FAIL", "0", max(odd, default=None),
                 0, odd)
    tail = runs.values("p99_ms")
    table.budget("silent storm: p99 of the living, ms", "5", median(tail), 5, tail)
    runs = table.case(Runs("join, 2,000 peers", case_of("join", 2000, "--warmup", "500ms"),
                           kinds=(OURS, REDIS)))
    joined = runs.values("joined_s")
    table.budget("join of 2,000, s", "10", median(joined), 10, joined,
                 redis=short(runs.seen("joined_s", REDIS)))
    dials = runs.values("connections_per_100ms_max")
    table.budget("new connections in 100 ms", "256", max(dials, default=None), 256, dials,
                 redis=short(runs.seen("connections_per_100ms_max", REDIS)))


def topology(table):
    for peers in (200, 2000):
        for fragmented in (False, True):
            for word in ("SLOTS", "SHARDS", "NODES"):
                if word == "NODES" and fragmented:
                    continue  # the same text, but for longer lines of slots
                args = ["--command", word, "--warmup", "500ms", "--duration", "1s"]
                name = f"CLUSTER {word}, {peers:,}" + (", fragmented" if fragmented else "")
                runs = table.case(Runs(name, case_of(
                    "topology", peers, *args, *(["--fragmented"] if fragmented else [])),
                    rounds=ROUNDS if peers == 200 and not fragmented else 1))
                ratio_row(table, runs, f"{name}: replies per CPU second, of redis-server's", "20",
                          20, key="per_cpu_s", most=False)
                speed = runs.values("gb_per_cpu_s")
                table.budget("GB of replies per CPU second", "2", median(speed), 2, speed,
                             most=False, redis=short(runs.seen("gb_per_cpu_s", REDIS)))


def publish(table):
    # A node timeout of 2 s, so that its PINGs, and with them light headers, begin soon.
    args = ["--full-rate", "--warmup", "2500ms", "--duration", "2s"]
    full = table.case(Runs("publish, 200 peers, full headers",
                           case_of("publish", 200, *args, timeout=2000)))
    ratio_row(table, full, "publish, full: deliveries per CPU second, of redis-server's", "5", 5,
              key="per_cpu_s", most=False)
    light = table.case(Runs("publish, 200 peers, light headers", case_of(
        "publish", 200, "--light", *args, timeout=2000), kinds=(OURS,)))
    each = light.values("per_cpu_s")
    table.budget("publish, light: deliveries per CPU second", "2,000,000", median(each), 2e6, each,
                 most=False)
    tail = full.values("p999_ms") + light.values("p999_ms")
    table.budget("their PING to PONG p99.9, ms", "5", median(tail), 5, tail,
                 redis=short(full.seen("p999_ms", REDIS)))


PARTS = {"flood": flood, "changes": changes, "steady": steady, "publish": publish,
         "topology": topology}


def machine():
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[2]
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    return (f"{os.uname().sysname} {os.uname().release.split('-')[0]}, {CORES} cores, tcp "
            f"{congestion}, redis-server {version}, {time.strftime('%Y-%m-%d %H:%M')}, "
            f"load before: {load}.")


def between(name, end, body):
    """Replaces what stands between two markers of the page."""
    text = PAGE.read_text()
    head, rest = text.split(f"<!-- {name} -->")
    tail = rest.split(f"<!-- {end} -->", 1)[1]
    PAGE.write_text(f"{head}<!-- {name} -->\n\n{body}\n\n<!-- {end} -->{tail}")


def compare(parts):
    table, where = Table(), machine()
    for part in parts or PARTS:
        try:
            PARTS[part](table)
        except Exception as e:  # one part's mistake must not cost the others' minutes
            table.told(f"{part}", "-", "-", "-", f"could not be measured: {e!r}")
    used = (time.monotonic() - STARTED) / 60
    between("measured", "end", f"{where} At most {ROUNDS} rounds, {used:.1f} minutes in all; the "
            "servers on core 0, the tool on the others.\n\n" + table.text())


# ---- growth ----

SIZES = (100, 1000, 3000, 5000, LARGEST)
GROWTH = (("cpu", "CPU of one PING answered under flood, us", "cpu_us_each", "flood"),
          ("steady", "% of a core for full-rate heartbeats, 15 s", "core", "steady"),
          ("memory", "largest memory, joining included, MB", "peak_mb", "steady"),
          ("join", "seconds from nothing to all peers connected", "joined_s", "steady"))


def grow(sizes):
    where, seen = machine(), {}
    for peers in sizes:
        cases = {"flood": case_of("flood", peers, "--warmup", "1s", "--duration", "2s"),
                 "steady": case_of("steady", peers, "--full-rate", "--duration", "8s")}
        for mode, case in cases.items():
            seen[mode, peers] = Runs(f"{mode}, {peers:,} peers", case, rounds=1)
    rows, plots = [], {name: {OURS: [], REDIS: []} for name, *_ in GROWTH}
    for peers in sizes:
        row = [f"{peers:,}"]
        for name, _, key, mode in GROWTH:
            pair = [seen[mode, peers].seen(key, kind) for kind in (OURS, REDIS)]
            row.append(" / ".join(short(v) for v in pair))
            for kind, v in zip((OURS, REDIS), pair):
                if v is not None:
                    plots[name][kind].append([peers, v])
        failed = {k: w for mode in ("flood", "steady") for k, w in seen[mode, peers].why.items()}
        rows.append([*row, "; ".join(f"{k}: {w}" for k, w in failed.items()) or "-"])
    PLOTS.mkdir(exist_ok=True)
    for name, title, _, _ in GROWTH:
        if any(plots[name].values()):
            scale.plot(PLOTS / f"{name}.svg", title, "peers",
                       {k: p for k, p in plots[name].items() if p}, marks=True)
    pictures = "\n".join(f"![{title}](performance/{name}.svg)" for name, title, *_ in GROWTH)
    between("grow", "end grow", f"{where} One run of each; ours / redis-server.\n\n" + scale.table(
        ["peers", *(title for _, title, *_ in GROWTH), "could not be run"], rows)
        + "\n\n" + pictures)


# ---- threads ----

def thread_cpu(pid):
    """CPU seconds by thread name, and the owner's id."""
    used, owner = {}, None
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        kind = "reactors" if name.startswith("reactor") else name
        used[kind] = used.get(kind, 0) + spent
        owner = int(task.name) if name == "owner" else owner
    return used, owner


class Quota:
    """The owner thread held to a share of a core, so that it saturates before all else."""

    def __init__(self, share):
        self.share, self.path = share, None

    def __call__(self, pid):
        if self.path is None:
            owner = None
            for _ in range(100):  # it listens before its threads run
                owner = owner or thread_cpu(pid)[1]
                time.sleep(0 if owner else 0.05)
            self.path = pathlib.Path(f"/sys/fs/cgroup/cpu/hearsay-bench-{pid}")
            self.path.mkdir()
            (self.path / "cpu.cfs_period_us").write_text("10000")
            (self.path / "cpu.cfs_quota_us").write_text(str(round(10000 * self.share)))
            (self.path / "tasks").write_text(str(owner))
        return thread_cpu(pid)

    def end(self):
        if self.path is not None and self.path.exists():
            self.path.rmdir()  # its only thread has ended


def owner_cost(figures):
    """us of the owner's and the reactors' CPU for one PING, of all that the run's process used."""
    used = figures["watched"][1][0]
    total = sum(used.values())
    return [figures["cpu_us_each"] * used.get(k, 0) / total for k in ("owner", "reactors")]


def confirm(peers, owner_us, share=0.1):
    """PINGs/s when the owner has so much of a core, and what was computed for it."""
    quota = Quota(share)
    # So much in flight that there is work for every moment the owner is let run.
    case = case_of("flood", peers, "--window", "64", "--warmup", "1s", "--duration", "3s", pin=None)
    try:
        figures = run(OURS, case, ("--reactors", "1"), quota)
    except OSError as e:
        return f"not confirmed here: {e}"
    finally:
        quota.end()
    if "why" in figures:
        return f"not confirmed: {figures['why']}"
    computed = share * 1e6 / owner_us
    seen = figures["rate_per_s"]
    return (f"held to {share * 100:.0f} % of a core: {seen:,.0f} PINGs/s, computed "
            f"{computed:,.0f} ({seen / computed:.2f})")


def saturation(costs, timeout_s=15):
    """How many nodes keep the owner busy at full rate: 4 N / timeout messages, a + b N us each."""
    (n1, c1), (n2, c2) = costs[0], costs[-1]
    b = (c2 - c1) / (n2 - n1)
    a = max(c1 - b * n1, 0)
    rate = 4 / timeout_s
    return (-a + (a * a + 4 * b * 1e6 / rate) ** 0.5) / (2 * b)


def scaling():
    where, rows, costs, owners = machine(), [], [], []
    for peers, reactors in ((1000, 1), (1000, 2), (1000, 3), (100, 1), (5000, 1)):
        case = case_of("flood", peers, "--warmup", "1s", "--duration", "6s", pin=None)
        figures = run(OURS, case, ("--reactors", str(reactors)), thread_cpu)
        print(f"{peers} peers, {reactors} reactors: {figures.get('why', 'done')}", flush=True)
        if "why" in figures:
            rows.append([f"{peers:,}", str(reactors), figures["why"], "-", "-", "-", "-"])
            continue
        owner, reactor = owner_cost(figures)
        if owner == 0:
            rows.append([f"{peers:,}", str(reactors), "nothing was answered", *["-"] * 4])
            continue
        rows.append([f"{peers:,}", str(reactors), short(figures["rate_per_s"]),
                     short(figures["cpu_us_each"]), short(reactor), short(owner),
                     short(1e6 / owner)])
        if reactors == 1:
            costs.append((peers, owner))
    for peers, owner in sorted(costs):
        owners.append([f"{peers:,}", short(1e6 / owner), confirm(peers, owner)])
    nodes = saturation(sorted(costs)) if len(costs) > 1 else None
    between("scaling", "end scaling", f"{where}\n\n" + scale.table(
        ["peers", "reactors", "PINGs/s", "CPU us each", "of it reactors", "of it the owner",
         "the owner alone would do, PINGs/s"], rows) + "\n\n"
        + scale.table(["peers", "the owner saturates at, PINGs/s", "confirmed"], owners)
        + "\n\nAt full-rate heartbeats and a node timeout of 15 s the owner would be busy all the "
          f"time with {short(nodes)} nodes.")


def main():
    args = sys.argv[1:]
    sizes = [int(x) for x in args[1:] if x.isdigit()]
    if not ((args[:1] == ["compare"] and not set(args[1:]) - set(PARTS))
            or (args[:1] == ["grow"] and len(sizes) == len(args) - 1) or args == ["scaling"]):
        sys.exit(__doc__)
    if shutil.which("redis-server") is None:
        sys.exit("bench.py: redis-server is needed for the comparison: tools/dev deps")
    if CORES < 2:
        sys.exit("bench.py: the tool needs a core for itself beside the servers'")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    LOG.write_text("")
    if args[0] == "compare":
        compare(args[1:])
    elif args[0] == "grow":
        grow(sizes or SIZES)
    else:
        scaling()
    print(f"{PAGE.relative_to(ROOT)} is renewed; every run is in {LOG}")


if __name__ == "__main__":
    main()
