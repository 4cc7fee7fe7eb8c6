#!/usr/bin/env python3
"""Claims: redis clients of any make find at the client port what they know: both
protocols, inline commands, pipelines, and the commands they begin with."""
import harness
import process
import resp
from harness import Case, Cluster


HAS_SHARDS = process.Redis.version >= (7, 0)  # CLUSTER SHARDS and LINKS


class Port(Case):
    """Two masters, one of each kind, and a fresh connection to hearsay."""

    @classmethod
    def set_up_clusters(cls):
        cls.c = Cluster(cls, "hr").form()
        cls.h, cls.r = cls.c.nodes

    def setUp(self):
        super().setUp()
        self.c.wait_formed()
        self.client = resp.Client(self.h.port)
        self.addCleanup(self.client.close)

    def same(self, *args):
        """Both kinds give this reply."""
        replies = [n.text(*args) for n in self.c.nodes]
        self.assertEqual(replies[0], replies[1], args)
        return replies[0]


class Protocol(Port):
    def test_hello_tells_who_we_are_in_both_protocols(self):
        keys = ["server", "version", "proto", "id", "mode", "role", "modules"]
        two = self.client.call("HELLO", "2")
        self.assertEqual(two[0::2], keys)
        three = self.client.call("HELLO", "3")
        self.assertEqual(list(three), keys)
        self.assertEqual((three["proto"], three["mode"], three["role"], three["modules"]),
                         (3, "cluster", "master", []))
        self.assertRegex(three["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(self.client.text("HELLO", "4"), "-NOPROTO unsupported protocol version")
        self.assertEqual(self.client.call("HELLO", "3", "SETNAME", "me")["id"],
                         self.client.call("CLIENT", "ID"))
        self.assertEqual(self.client.call("CLIENT", "GETNAME"), "me")

    def test_resp3_replies_have_their_own_types(self):
        with resp.Client(self.r.port) as other:
            for c in (self.client, other) if HAS_SHARDS else (self.client,):
                c.call("HELLO", "3")
                self.assertIsInstance(c.call("CLUSTER", "NODES"), resp.Verbatim)
                self.assertIsInstance(c.call("CLUSTER", "INFO"), resp.Verbatim)
                self.assertIsInstance(c.call("INFO"), resp.Verbatim)
                self.assertIsInstance(c.call("CLUSTER", "SHARDS")[0], dict)
                self.assertIsInstance(c.call("CLUSTER", "SHARDS")[0]["nodes"][0], dict)
                self.assertIsInstance(c.call("CLUSTER", "LINKS")[0], dict)
                self.assertEqual(c.call("CLUSTER", "SLOTS")[0][2][3], {})
                self.assertIsInstance(c.call("CONFIG", "GET", "port"), dict)
                self.assertIsNone(c.call("CLIENT", "GETNAME"))

    def test_inline_commands(self):
        for raw, reply in ((b"PING\r\n", "PONG"), (b"ping\n", "PONG"),
                           (b'  ECHO "a b\\x41\\n"\r\n', "a bA\n"), (b"ECHO 'it'\r\n", "it"),
                           (b"\r\nPING\r\n", "PONG"), (b"CLUSTER MYID\r\n", self.h.id)):
            self.client.send(raw)
            self.assertEqual(self.client.read(), reply, raw)

    def test_what_is_not_the_protocol_is_told_and_the_connection_closed(self):
        for raw in (b'ECHO "x\r\n', b"*abc\r\n", b"*1\r\n$abc\r\n", b"*1\r\nPING\r\n",
                    b"*1\r\n$-5\r\n", b"*99999999999\r\n"):
            replies = []
            for n in self.c.nodes:
                with n.client() as c:
                    c.send(raw)
                    replies.append(str(c.read()))
                    self.assertTrue(c.at_eof(), raw)
            self.assertEqual(replies[0], replies[1], raw)
            self.assertIn("Protocol error", replies[0])

    def test_a_pipeline_is_answered_in_order_also_across_the_owner(self):
        batch, expected = [], []
        for i in range(500):
            batch += [("ECHO", str(i)), ("CLUSTER", "COUNT-FAILURE-REPORTS", self.r.id),
                      ("CLUSTER", "MYID"), ("NOSUCH",)]
            expected += [str(i), 0, self.h.id, None]
        self.client.send(b"".join(resp.encode(*words) for words in batch))
        for want in expected:
            got = self.client.read()
            if want is None:
                self.assertIsInstance(got, resp.Error)
            else:
                self.assertEqual(got, want)

    def test_a_command_in_one_byte_writes(self):
        for byte in resp.encode("CLUSTER", "KEYSLOT", "foo"):
            self.client.send(bytes((byte,)))
        self.assertEqual(self.client.read(), 12182)

    def test_quit_and_reset(self):
        self.client.call("HELLO", "3")
        self.assertEqual(self.client.call("RESET"), "RESET")
        self.assertIsInstance(self.client.call("CONFIG", "GET", "port"), list)
        self.assertEqual(self.client.call("QUIT"), "OK")
        self.assertTrue(self.client.at_eof())


class Commands(Port):
    @harness.redis_is(since=(7, 0), why="6.2 words many errors otherwise")
    def test_small_commands_answer_as_a_stock_server_without_keys(self):
        for words in (("PING",), ("PING", "hello"), ("ECHO", "x"), ("SELECT", "0"),
                      ("READONLY",), ("READWRITE",), ("DBSIZE",), ("KEYS", "*"),
                      ("SCAN", "0"), ("WAIT", "0", "0"), ("FLUSHALL",), ("FUNCTION", "LIST"),
                      ("GET",), ("PING", "a", "b"), ("NOSUCH", "a", "b"), ("NOSUCH",),
                      ("CLUSTER",), ("CONFIG", "NOSUCH"), ("CLIENT", "NOSUCH"),
                      ("SELECT", "abc"), ("AUTH", "x"), ("AUTH", "x", "y"),
                      ("CLIENT", "SETNAME", "a b"), ("CLIENT", "KILL", "ID", "999999"),
                      ("CLIENT", "NO-EVICT", "ON"), ("CONFIG", "GET", "nosuch"),
                      ("CONFIG", "GET", "CLUSTER-NODE-TIMEOUT"),
                      ("CONFIG", "SET", "nosuch", "1"), ("CONFIG", "RESETSTAT"),
                      ("CONFIG", "SET", "cluster-enabled", "no"),
                      ("CONFIG", "SET", "cluster-node-timeout", "abc"),
                      ("COMMAND", "GETKEYS", "SET", "a", "b"), ("COMMAND", "GETKEYS", "PING", "x"),
                      ("CLUSTER", "COUNTKEYSINSLOT", "0")):
            self.same(*words)

    def test_time_and_role(self):
        seconds, micros = self.client.call("TIME")
        self.assertTrue(int(seconds) > 1_600_000_000 and 0 <= int(micros) < 1_000_000)
        self.assertEqual(self.client.call("ROLE")[0], "master")

    def test_config_get_and_set(self):
        self.assertEqual(self.client.call("CONFIG", "GET", "cluster-node-timeout"),
                         ["cluster-node-timeout", str(harness.TIMEOUT_MS)])
        found = self.client.call("CONFIG", "GET", "cluster-*")[0::2]
        self.assertLessEqual({"cluster-enabled", "cluster-config-file", "cluster-announce-ip",
                              "cluster-require-full-coverage"}, set(found))
        self.assertEqual(self.client.call("CONFIG", "SET", "cluster-node-timeout", "3000"), "OK")
        self.assertEqual(self.client.call("CONFIG", "GET", "cluster-node-timeout")[1], "3000")
        self.client.call("CONFIG", "SET", "cluster-node-timeout", harness.TIMEOUT_MS)
        self.assertEqual(self.client.call("CONFIG", "GET", "port"), ["port", str(self.h.port)])

    def test_info_has_what_tools_look_for(self):
        for n in self.c.nodes:
            info = n.server_info()
            mode = info.get("redis_mode") or info["server_mode"]  # the latter in Valkey
            self.assertEqual((mode, info["cluster_enabled"], info["role"], info["tcp_port"]),
                             ("cluster", "1", "master", str(n.port)))
            self.assertRegex(info["redis_version"], r"^\d+\.\d+\.\d+$")
            self.assertEqual(int(info["process_id"]), n.proc.pid)
            self.assertGreaterEqual(int(info["connected_clients"]), 1)
        only = self.client.call("INFO", "cluster")
        self.assertEqual(only.strip().splitlines(), ["# Cluster", "cluster_enabled:1"])

    def test_client_commands(self):
        me = self.client.call("CLIENT", "ID")
        self.assertEqual(self.client.call("CLIENT", "SETNAME", "tester"), "OK")
        self.assertEqual(self.client.call("CLIENT", "GETNAME"), "tester")
        self.assertRegex(self.client.call("CLIENT", "INFO"), rf"^id={me} addr=127\.0\.0\.1:\d+ ")
        mine = [x for x in self.client.call("CLIENT", "LIST").splitlines() if "name=tester" in x]
        self.assertEqual(len(mine), 1)
        with resp.Client(self.h.port) as other:
            victim = other.call("CLIENT", "ID")
            self.assertEqual(self.client.call("CLIENT", "KILL", "ID", victim), 1)
            self.assertTrue(other.at_eof())

    def test_command_lists_what_clients_route_by(self):
        count = self.client.call("COMMAND", "COUNT")
        self.assertEqual(len(self.client.call("COMMAND")), count)
        get, mset, nosuch = self.client.call("COMMAND", "INFO", "get", "mset", "nosuch")
        self.assertEqual((get[0], get[1], get[3:6]), ("get", 2, [1, 1, 1]))
        self.assertEqual((mset[0], mset[1], mset[3:6]), ("mset", -3, [1, -1, 2]))
        self.assertIsNone(nosuch)
        self.assertIn("readonly", get[2])
        self.assertEqual(self.client.call("COMMAND", "DOCS", "ping")[0], "ping")

    def test_links_name_both_directions_of_every_peer(self):
        both = ((self.h, self.r), (self.r, self.h))
        for n, other in both if HAS_SHARDS else both[:1]:
            links = [dict(zip(x[0::2], x[1::2])) for x in n.call("CLUSTER", "LINKS")]
            self.assertEqual({(x["direction"], x["node"]) for x in links},
                             {("to", other.id), ("from", other.id)})
            self.assertEqual(set(links[0]), {"direction", "node", "create-time", "events",
                                             "send-buffer-allocated", "send-buffer-used"})


class Password(Case):
    def test_nothing_works_before_auth(self):
        for kind in {process.Redis, process.Redis if harness.ALL_REDIS else process.Hearsay}:
            n = kind("secret", harness.TIMEOUT_MS)
            self.owned_nodes.append(n)
            n.start()
            n.call("CONFIG", "SET", "requirepass", "sesame")
            with resp.Client(n.port) as x:
                self.assertEqual(x.text("CLUSTER", "INFO"), "-NOAUTH Authentication required.")
                self.assertEqual(x.text("PING"), "-NOAUTH Authentication required.")
                wrong = "-WRONGPASS invalid username-password pair or user is disabled."
                self.assertEqual(x.text("AUTH", "nonsense"), wrong)
                self.assertEqual(x.text("AUTH", "nobody", "sesame"), wrong)
                self.assertTrue(x.text("HELLO", "3").startswith("-NOAUTH HELLO must be called"))
                self.assertEqual(x.text("AUTH", "default", "sesame"), "OK")
                self.assertEqual(x.text("PING"), "PONG")
            with resp.Client(n.port) as x:
                self.assertEqual(x.call("HELLO", "3", "AUTH", "default", "sesame")["proto"], 3)
                self.assertEqual(x.text("PING"), "PONG")


class PythonRedis(Port):
    def test_a_cluster_client_bootstraps_from_hearsay_and_reaches_redis_owners(self):
        from redis.cluster import RedisCluster
        rc = RedisCluster(host="127.0.0.1", port=self.h.port, socket_timeout=5)
        self.addCleanup(rc.close)
        self.assertEqual({n.port for n in rc.get_nodes()}, {self.h.port, self.r.port})
        keys = [k for k in (f"key:{i}" for i in range(100))
                if self.h.call("CLUSTER", "KEYSLOT", k) >= harness.SLOTS // 2]
        self.assertGreater(len(keys), 20)
        for k in keys:
            self.assertTrue(rc.set(k, "v-" + k))
        for k in keys:
            self.assertEqual(rc.get(k), b"v-" + k.encode())
        self.assertTrue(rc.ping(target_nodes=RedisCluster.ALL_NODES))
        self.assertEqual(rc.keyslot("foo"), 12182)


if __name__ == "__main__":
    harness.main()
