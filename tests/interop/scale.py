#!/usr/bin/env python3
"""Measures a cluster of real processes as the simulator measures its own.

    scale.py hearsay|redis NODES OUT.json

Forms NODES servers on loopback the way hearsay-sim does (an epoch for each,
slots for a third of them, MEET to the first, REPLICATE), lets them be, kills one
master and then a tenth of those left, and writes what was seen as one JSON line.
Not a test: nothing is claimed, and a loaded machine gives other figures.
"""
import json
import os
import resource
import sys
import time

import process
import resp

TIMEOUT_S = 15
SLOTS = 16384
STEADY_S = int(os.environ.get("HS_STEADY_S", "60"))
FORM_S = 600
FAULT_S = 180
LOOK_S = 0.25


def everybody(nodes, *args):
    """One command to every node at once, and all replies: a look at the whole
    takes as long as the slowest of them."""
    clients = []
    for n in nodes:
        if n._client is None:
            n._client = n.client()
            n._client.sock.settimeout(60)
        n._client.send(resp.encode(*args))
        clients.append(n._client)
    return [c.read() for c in clients]


def say(*words):
    print(f"{time.strftime('%H:%M:%S')}", *words, file=sys.stderr, flush=True)


def normal(text):
    """A view without what differs by viewpoint and time."""
    lines = []
    for line in text.splitlines():
        f = line.split(" ")
        lines.append(" ".join([f[0], f[1], f[2].replace("myself,", ""), f[3], f[6], *f[8:]]))
    return "\n".join(sorted(lines))


def until(done, seconds, what):
    """Seconds until done() was true; None, with a word, if it never was."""
    begun = time.monotonic()
    while not done():
        if time.monotonic() - begun > seconds:
            say(f"not within {seconds} s: {what}")
            return None
        time.sleep(LOOK_S)
    return time.monotonic() - begun


def agree(nodes):
    return len({normal(v) for v in everybody(nodes, "CLUSTER", "NODES")}) == 1


def all_ok(nodes):
    return all("cluster_state:ok" in v for v in everybody(nodes, "CLUSTER", "INFO"))


def sent(nodes):
    total = 0
    for text in everybody(nodes, "CLUSTER", "INFO"):
        total += int(text.split("cluster_stats_messages_sent:")[1].split()[0])
    return total


def form(nodes, masters):
    begun = time.monotonic()
    for i, n in enumerate(nodes):
        n.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        if i < masters:
            n.add_slots(i * SLOTS // masters, (i + 1) * SLOTS // masters - 1)
    for n in nodes[1:]:
        n.call("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
    known = f"cluster_known_nodes:{len(nodes)}\r\n"
    until(lambda: all(known in v for v in everybody(nodes, "CLUSTER", "INFO")), FORM_S,
          "everybody knows everybody")
    known_s = time.monotonic() - begun
    for i, n in enumerate(nodes[masters:]):
        n.call("CLUSTER", "REPLICATE", nodes[i % masters].id)
    placed = time.monotonic()
    until(lambda: agree(nodes) and all_ok(nodes), FORM_S, "equal views")
    return {"known_s": known_s, "agree_after_replicate_s": time.monotonic() - placed,
            "joined_s": time.monotonic() - begun}


def steady(nodes):
    before, at = sent(nodes), time.monotonic()
    time.sleep(STEADY_S)
    messages, seconds = sent(nodes) - before, time.monotonic() - at
    return {"messages_node_s": messages / seconds / len(nodes)}


def failed_in(view, ids):
    """Which of these ids a view holds for failed."""
    return {line[:40] for line in view.splitlines()
            if line[:40] in ids and "fail" in line.split(" ")[2].split(",")}


def kill(nodes, victims):
    """Kills them; when the first node, and when every node, holds all for failed; when
    the cluster is well again. What was suspected but alive is a false failure."""
    ids = {n.id for n in victims}
    alive = [n for n in nodes if n not in victims]
    found = {"killed": len(victims), "load": os.getloadavg()[0]}
    others = {n.id for n in alive}
    false = set()

    def look():
        views = everybody(alive, "CLUSTER", "NODES")
        seconds = time.monotonic() - begun
        marks = [failed_in(v, ids) for v in views]
        for v in views:
            false.update(failed_in(v, others))
        if any(marks):
            found.setdefault("first_fail_s", seconds)
        if all(m == ids for m in marks):
            found.setdefault("all_fail_s", seconds)
        well = "all_fail_s" in found and len({normal(v) for v in views}) == 1
        return well and all_ok(alive)

    begun = time.monotonic()
    for n in victims:
        n.kill()
    found["all_ok_s"] = until(look, FAULT_S, "all well after a kill")
    found["false_fails"] = len(false)
    return found, alive


def measure(kind, count):
    """Starts, forms, kills; what was seen, as a dictionary."""
    one = {"hearsay": process.Hearsay, "redis": process.Redis}[kind]
    conf = {"maxclients": 4 * count + 200, "loglevel": "notice"}
    masters = count // 3
    nodes = [one(f"{kind[0]}{i}", TIMEOUT_S * 1000, conf) for i in range(count)]
    out = {"kind": kind, "nodes": count, "load": os.getloadavg()[0], "faults": []}
    try:
        for n in nodes:
            n.start(wait=False)
        for n in nodes:
            n.wait_ready()
        say(f"{count} of {kind} are up")
        out.update(form(nodes, masters))
        say("formed", out)
        out.update(steady(nodes))
        say("steady", out)
        left = nodes
        for victims in (left[:1], left[1:1 + max(1, (masters + 5) // 10)]):
            found, left = kill(left, victims)
            say("killed", found)
            out["faults"].append(found)
            time.sleep(2 * TIMEOUT_S)
    finally:
        odd = process.end(nodes)
        if odd:
            say(odd[:2000])
    return out


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("hearsay", "redis"):
        sys.exit(__doc__)
    process.READY_S = 120
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    out = measure(sys.argv[1], int(sys.argv[2]))
    with open(sys.argv[3], "w", encoding="ascii") as f:
        f.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
