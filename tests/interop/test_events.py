#!/usr/bin/env python3
"""Claims: what happens in a cluster with real Redis nodes is told by a hearsay node, in
the order it happened and with old and new values, and explained when asked."""
import bus
import harness
import resp
from harness import Case, Cluster, TIMEOUT_MS, hearsay_only

T = TIMEOUT_MS / 1000
PREFIX = "__hearsay__:"


class Listener:
    """Collects events: (name, {key: value}) in order."""

    def __init__(self, case, node, *patterns, resp3=True):
        self.client = resp.Client(node.port, timeout=0.05)
        case.addCleanup(self.client.close)
        self.resp3 = resp3
        self.events = []
        self.buffer = b""
        if resp3:
            self.command("HELLO", 3)
            assert self.command("HEARSAY", "EVENTS", "ON", *patterns) == "OK"
        else:
            self.command("PSUBSCRIBE", *(PREFIX + p for p in patterns or ("*",)))

    def command(self, *args):
        self.client.sock.settimeout(harness.PATIENCE_S)
        reply = self.client.call(*args)
        return reply

    def read(self):
        """All that has arrived."""
        self.client.sock.settimeout(0.05)
        while True:
            try:
                chunk = self.client.sock.recv(65536)
            except TimeoutError:
                break
            if not chunk:
                break
            self.buffer += chunk
        while True:
            message, rest = parse(self.buffer)
            if message is None:
                return self.events
            self.buffer = rest
            if self.resp3:
                assert message[0] == "hearsay-event", message
                name, text = message[1:]
            else:
                assert message[0] == "pmessage" and message[2].startswith(PREFIX), message
                name, text = message[2].removeprefix(PREFIX), message[3]
            self.events.append((name, dict(p.split("=", 1) for p in text.split(" "))))

    def find(self, name, **pairs):
        """The position of the first such event, or None."""
        for i, (n, values) in enumerate(self.read()):
            if n == name and all(values.get(k) == str(v) for k, v in pairs.items()):
                return i
        return None


def parse(data):
    """(list of strings, rest) of one array or push of bulk strings; (None, data) if more
    has to come."""
    lines = data.split(b"\r\n", 1)
    if len(lines) < 2 or data[:1] not in (b"*", b">"):
        assert data == b"" or data[:1] in (b"*", b">"), data
        return None, data
    n, rest, items = int(lines[0][1:]), lines[1], []
    for _ in range(n):
        head = rest.split(b"\r\n", 1)
        if len(head) < 2:
            return None, data
        size = int(head[0][1:])
        if len(head[1]) < size + 2:
            return None, data
        items.append(head[1][:size].decode())
        rest = head[1][size + 2:]
    return items, rest


@hearsay_only("events are ours")
class Failover(Case):
    def test_a_killed_master_and_the_replica_in_its_place_are_told_in_order(self):
        c = Cluster(self, "hrrr")
        h0, r0, r1, r2 = c.nodes
        c.form([h0, r0, r1]).wait_formed()
        c.replicate(r2, r0)
        epoch = h0.view()[r0.id].epoch
        pushes = Listener(self, h0)
        channels = Listener(self, h0, resp3=False)
        version = h0.call("HEARSAY", "TOPOLOGY", "SINCE", 0)[1]
        r0.kill()
        c.wait(lambda: pushes.find("+switch-master", old=r0.id, new=r2.id) is not None,
               6 * T + 10, "the failover is told")
        c.wait(lambda: pushes.find("+state", new="ok") is not None, 4 * T + 5, "and its end")

        switch = pushes.events[pushes.find("+switch-master")][1]
        self.assertEqual(int(switch["slots"]), 5461)
        self.assertEqual(switch["old_address"], f"127.0.0.1:{r0.port}@{r0.cport}")
        self.assertEqual(switch["new_address"], f"127.0.0.1:{r2.port}@{r2.cport}")
        self.assertGreater(int(switch["epoch"]), epoch)
        order = [pushes.find("+fail", node=r0.id), pushes.find("+state", old="ok", new="fail"),
                 pushes.find("+role", node=r2.id, old="replica", new="master", old_master=r0.id),
                 pushes.find("+slots", old=r0.id, new=r2.id, slots="5461-10921", n=5461),
                 pushes.find("+switch-master"), pushes.find("+state", old="fail", new="ok")]
        self.assertNotIn(None, order, pushes.events)
        self.assertEqual(order, sorted(order), pushes.events)
        told = pushes.find("+epoch", node=r2.id, new=switch["epoch"])
        self.assertIsNotNone(told, pushes.events)
        fail = pushes.events[order[0]][1]
        self.assertEqual((fail["slots"], fail["quorum"]), ("5461", "2"))
        self.assertIsNotNone(pushes.find("+pfail", node=r0.id), pushes.events)
        # As an operator finds it: one line, one counter.
        log = (h0.dir / "log").read_text()
        self.assertRegex(log, rf"Marking node {r0.id} .* as failing \(quorum reached\)\."
                              rf"|FAIL message received from \S+ .* about {r0.id} ")
        self.assertEqual(counter(h0, "core_fail"), 1)
        c.wait(lambda: len(channels.read()) >= len(pushes.events), 5, "both tell as much")
        self.assertEqual(channels.events[:len(pushes.events)], pushes.events)

        reply = h0.call("HEARSAY", "TOPOLOGY", "SINCE", version)
        reply = dict(zip(reply[::2], reply[1::2]))
        self.assertEqual(reply["full"], 0)
        self.assertEqual([change[2] for change in reply["changes"]][:len(pushes.events)],
                         [name for name, _ in pushes.events])

        r0.start()
        c.wait(lambda: pushes.find("+role", node=r0.id, new="replica", new_master=r2.id)
               is not None, 6 * T + 10, "the old master follows")
        c.wait(lambda: pushes.find("-fail", node=r0.id) is not None, 4 * T + 5, "it is back")
        self.assertEqual(h0.text("HEARSAY", "EVENTS", "OFF"), "OK")

    def test_why_tells_who_accuses_and_what_is_missing(self):
        c = Cluster(self, "hhrr")
        h0, h1, r0, r1 = c.nodes
        c.form().wait_formed()
        self.assertEqual(why(h0, r0)["why"], "nobody doubts it")
        r0.kill()
        c.wait_flag(r0, "fail", True, 4 * T + 5)
        c.wait(lambda: len(why(h0, r0)["accusers"]) == 2, 4 * T + 5, "both others accuse it")
        told = why(h0, r0)
        self.assertEqual({a["node"] for a in told["accusers"]}, {h1.id, r1.id})
        self.assertEqual((told["voters"], told["quorum"], told["accusations"]), (4, 3, 3))
        self.assertEqual((told["state"], told["missing"]), ("fail", 0))
        self.assertIn("FAIL stays", told["why"])
        self.assertIsNone(told["link"]["to-up-ms"])
        # With one more dead of four, two are no quorum.
        r1.kill()
        c.wait(lambda: why(h0, r1)["state"] == "pfail" and why(h0, r1)["accusations"] == 2,
               4 * T + 5, "two suspect the second")
        told = why(h0, r1)
        self.assertEqual((told["state"], told["missing"]), ("pfail", 1))
        self.assertIn("1 more of the 4 masters", told["why"])
        self.assertTrue(h0.text("HEARSAY", "WHY", "0" * 40).startswith("-ERR Unknown node"))

    def test_hashes_are_equal_where_views_are(self):
        c = Cluster(self, "hhr")
        h0, h1, r0 = c.nodes
        c.form().wait_formed()
        c.wait(lambda: h0.call("HEARSAY", "TOPOLOGY", "HASH")
               == h1.call("HEARSAY", "TOPOLOGY", "HASH"), 10, "both have one hash")
        before = h0.call("HEARSAY", "TOPOLOGY", "HASH")
        r0.kill()
        c.wait_flag(r0, "fail", True, 4 * T + 5)
        c.wait(lambda: h0.call("HEARSAY", "TOPOLOGY", "HASH")
               == h1.call("HEARSAY", "TOPOLOGY", "HASH") != before, 10, "one again, another")

    def test_links_tell_when_each_peer_was_heard_in_each_direction(self):
        c = Cluster(self, "hhr")
        h0 = c.h[0]
        c.form().wait_formed()
        c.wait(lambda: all(x["rtt-ms"] is not None and x["heard-to-ms"] is not None
                           and x["heard-from-ms"] is not None for x in links(h0)),
               10, "all peers were measured")
        self.assertEqual({x["node"] for x in links(h0)}, {n.id for n in c.nodes} - {h0.id})
        for x in links(h0):
            self.assertEqual(x["one-way"], "no")
            self.assertLessEqual(x["rtt-min-ms"], x["rtt-smoothed-ms"])


@hearsay_only("events are ours")
class Checker(Case):
    """What should not be, played by peers: named by an event, a counter and one log line,
    and so is its end."""

    def setUp(self):
        super().setUp()
        self.c = Cluster(self, "h")
        self.node = self.c.h[0]
        self.events = Listener(self, self.node)

    def wait_event(self, name, ping=lambda: None, **pairs):
        def told():
            ping()
            return self.events.find(name, **pairs) is not None
        self.c.wait(told, 6 * T + 10, f"{name} {pairs} is told")

    def check_named(self, condition):
        self.assertEqual(counter(self.node, f"watch_{condition.replace('-', '_')}_now"), 1)
        self.assertEqual(self.log().count(f"+{condition} "), 1)

    def check_ended(self, condition):
        self.assertEqual(counter(self.node, f"watch_{condition.replace('-', '_')}_now"), 0)
        self.assertEqual(counter(self.node, f"watch_{condition.replace('-', '_')}"), 1)
        self.assertEqual(self.log().count(f" -{condition} "), 1)

    def log(self):
        return (self.node.dir / "log").read_text()

    def test_a_peer_that_is_heard_but_does_not_answer_is_a_one_way_link(self):
        peer = self.peer()
        link = peer.join(self.node)

        def ping():
            link.send(peer.frame(bus.PING))
        peer.pong = False
        self.wait_event("+one-way", ping, node=peer.id, direction="to")
        self.assertEqual(links(self.node)[0]["one-way"], "to")
        self.check_named("one-way")
        # The ping that was not answered is; as long as the peer talks, no other is sent.
        peer.pong = True
        peer.accepted[-1].send(peer.frame(bus.PONG))
        self.wait_event("-one-way", ping, node=peer.id)
        self.check_ended("one-way")

    def test_a_peer_that_answers_and_never_pings_is_one_way_too(self):
        peer = self.peer()
        peer.join(self.node).close()
        self.wait_event("+one-way", node=peer.id, direction="from")
        self.check_named("one-way")

    def test_who_is_no_member_and_keeps_talking_is_foreign_until_silent(self):
        peer = self.peer()
        link = peer.dial(self.node)
        self.wait_event("+foreign", lambda: link.send(peer.frame(bus.PING)), sender=peer.id,
                        ip="127.0.0.1")
        self.check_named("foreign")
        self.wait_event("-foreign", sender=peer.id)
        self.check_ended("foreign")

    def test_one_who_uses_our_id_is_a_twin(self):
        peer = self.peer()
        peer.id = self.node.id
        link = peer.dial(self.node)
        self.wait_event("+twin", lambda: link.send(peer.frame(bus.PING)), node=self.node.id,
                        why="our-id")
        self.check_named("twin")

    def test_one_id_in_two_places_is_a_twin(self):
        peer, twin = self.peer(), self.peer()
        twin.id = peer.id
        link = peer.join(self.node)
        other = twin.dial(self.node)

        def ping():
            self.wait_address(peer, link)
            self.wait_address(twin, other)
        self.wait_event("+twin", ping, node=peer.id, why="two-addresses")
        self.check_named("twin")

    def wait_address(self, peer, link):
        def seen():
            if link.closed.is_set():
                link.__dict__.update(peer.dial(self.node).__dict__)
            link.send(peer.frame(bus.PING))
            return f":{peer.port}@" in self.node.call("CLUSTER", "NODES")
        self.c.wait(seen, 5, "the address is the one that pinged")

    def test_two_who_claim_a_slot_with_one_epoch_are_split(self):
        fields = {"config_epoch": 7, "current_epoch": 7, "slots": bus.bitmap({5})}
        one, two = self.peer(**fields), self.peer(**fields)
        one.join(self.node)
        link = two.join(self.node)

        def ping():
            link.send(two.frame(bus.PING))
        self.wait_event("+split", ping, slot=5, epoch=7)
        self.check_named("split")
        told = self.events.events[self.events.find("+split")][1]
        self.assertEqual({told["node"], told["other"]}, {one.id, two.id})
        self.wait_event("+equal-epochs", ping, epoch=7)
        self.check_named("equal-epochs")
        one.fields, two.fields = {**fields}, {**fields, "slots": bus.bitmap(())}
        two.fields["config_epoch"] = two.fields["current_epoch"] = 8

        def ping_both():
            ping()
            one.links[0].send(one.frame(bus.PING))
        self.wait_event("-split", ping_both)
        self.wait_event("-equal-epochs", ping_both)
        self.check_ended("split")

    def test_a_replica_of_a_replica_is_told_when_it_stays_so(self):
        master, middle = self.peer(), self.peer()
        last = self.peer()
        for p, above in ((master, None), (middle, master), (last, middle)):
            if above:
                p.fields = {"flags": bus.F_SLAVE, "slaveof": above.id}
            p.join(self.node)
        self.wait_event("+sub-replica", node=last.id, master=middle.id, above=master.id)
        self.check_named("sub-replica")

    def test_names_and_messages_of_peers_cannot_forge_an_event(self):
        peer = self.peer()
        link = peer.join(self.node)
        channels = Listener(self, self.node, "*", resp3=False)
        link.send(peer.frame(bus.PUBLISH, body=publish(PREFIX + "+fail", "node=x")))
        self.c.wait(lambda: counter(self.node, "admin_events_forged") == 1, 5, "it is counted")
        self.assertEqual(channels.find("+fail"), None)
        refused = self.node.text("PUBLISH", PREFIX + "+fail", "x")
        self.assertTrue(refused.startswith("-ERR channels"), refused)


def publish(channel, message):
    return (len(channel).to_bytes(4, "big") + len(message).to_bytes(4, "big")
            + channel.encode() + message.encode())


def as_dict(reply):
    """A map as RESP2 has it, also inside."""
    pairs = dict(zip(reply[::2], reply[1::2]))
    return {k: float(v) if k.startswith("rtt") and v is not None else v for k, v in pairs.items()}


def why(node, about):
    told = as_dict(node.call("HEARSAY", "WHY", about.id))
    told["link"] = as_dict(told["link"])
    told["accusers"] = [as_dict(a) for a in told["accusers"]]
    return told


def links(node):
    return [as_dict(x) for x in node.call("HEARSAY", "LINKS")]


def counter(node, name):
    text = node.call("INFO", "hearsay")
    return int(next(line.split(":")[1] for line in text.splitlines()
                    if line.startswith(name + ":")))


if __name__ == "__main__":
    harness.main()
