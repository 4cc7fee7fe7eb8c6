#!/usr/bin/env python3
"""ioredis and node-redis start from hearsay's port and reach the real owners of slots.
Run by `tools/dev clients`; HS_NODE_MODULES is a directory where npm installed both."""

import json
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import harness  # noqa: E402
from harness import Case, Cluster  # noqa: E402

ANSWER_S = 20


class NodeClient:
    """A client in a process of its own; one that does not answer in time is ended."""

    def __init__(self, kind, port):
        self.process = subprocess.Popen(
            ["node", os.path.join(os.environ["HS_NODE_MODULES"], "clients.js"), kind, str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, *command):
        watchdog = threading.Timer(ANSWER_S, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        assert line, f"no answer to {command} within {ANSWER_S} s, or the client ended"
        answer = json.loads(line)
        return f"-{answer['error']}" if "error" in answer else answer.get("ok")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class NodeClients(Case):
    """hearsay owns the lower half of the slots, a Redis the upper one."""

    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hr").form()
        cls.h, cls.r = cls.c.nodes
        cls.c.wait_formed()

    def client(self, kind):
        client = NodeClient(kind, self.h.port)
        self.addCleanup(client.close)
        return client

    def key_of(self, owner, prefix):
        upper = owner is self.r
        return next(k for k in (f"{prefix}:{i}" for i in range(1000)) if upper == (
            self.h.call("CLUSTER", "KEYSLOT", k) >= harness.SLOTS // 2))

    def reaches_owners(self, kind):
        client = self.client(kind)
        self.assertEqual(set(client.call("NODES")), {self.h.port, self.r.port})
        theirs, ours = self.key_of(self.r, kind), self.key_of(self.h, kind)
        self.assertEqual(client.call("SET", theirs, "v"), "OK")
        self.assertEqual(client.call("GET", theirs), "v")
        self.assertEqual(self.r.text("GET", theirs), "v")
        self.assertEqual(client.call("SET", ours, "v"), "-ERR hearsay keeps no data")

    def follows_redirects(self, kind):
        """The slot's new owner is one that the client does not expect."""
        client = self.client(kind)
        key = self.key_of(self.h, kind)
        slot = self.h.call("CLUSTER", "KEYSLOT", key)
        self.assertEqual(client.call("SET", key, "v"), "-ERR hearsay keeps no data")
        for n in self.r, self.h:
            n.call("CLUSTER", "SETSLOT", slot, "NODE", self.r.id)
        self.assertTrue(self.h.text("GET", key).startswith(f"-MOVED {slot} "))
        self.assertEqual(client.call("SET", key, "moved"), "OK")
        self.assertEqual(self.r.text("GET", key), "moved")
        self.assertEqual(client.call("DEL", key), 1)
        for n in self.h, self.r:
            n.call("CLUSTER", "SETSLOT", slot, "NODE", self.h.id)

    def hears(self, kind):
        client = self.client(kind)
        client.call("AWAIT", "news")
        self.c.wait(lambda: any(n.call("PUBSUB", "NUMSUB", "news")[1] for n in self.c.nodes),
                    10, f"{kind} is subscribed")
        self.r.call("PUBLISH", "news", "from redis")
        self.assertEqual(client.call("MESSAGE"), "from redis")

    def test_ioredis_reaches_owners(self):
        self.reaches_owners("ioredis")

    def test_ioredis_follows_redirects(self):
        self.follows_redirects("ioredis")

    def test_ioredis_hears(self):
        self.hears("ioredis")

    def test_node_redis_reaches_owners(self):
        self.reaches_owners("node-redis")

    def test_node_redis_follows_redirects(self):
        self.follows_redirects("node-redis")

    def test_node_redis_hears(self):
        self.hears("node-redis")


if __name__ == "__main__":
    harness.main()
