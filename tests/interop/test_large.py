#!/usr/bin/env python3
"""Claim: a node in a 1,000-node table forms its links and then stays quiet. 999 Python
peers, each with an address of its own on 127.1.0.0/16, listen, dial, answer every PING
and send their own with a tenth of the table as gossip."""
import asyncio
import collections
import random
import struct
import threading
import time

import bus
import harness
import process
from bus import MEET, PING, PONG, Frame
from harness import Case

PEERS = 999
T = 15  # seconds; the default of stock servers
GOSSIPED = (PEERS + 1) // 10
SLOTS_EACH = 16
FORMED_S = 10
QUIET_S = 30


class Swarm:
    """All peers on one event loop in one thread."""

    def __init__(self, port, target_cport):
        self.port, self.target = port, target_cport
        self.peers = [Peer(self, i) for i in range(PEERS)]
        self.accepted = collections.Counter()
        self.lost, self.pongs, self.pings = 0, 0, 0
        self.gossip_made = 0.0
        self.gossip = b""
        self.loop = asyncio.new_event_loop()
        self.stopping = False
        self.listening = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.listen())
        self.listening.set()
        self.loop.run_forever()

    async def listen(self):
        for p in self.peers:
            await self.loop.create_server(lambda p=p: Wire(p, True), p.ip, self.port + 10000)

    def dial(self):
        for p in self.peers:
            asyncio.run_coroutine_threadsafe(p.live(), self.loop)

    def close(self):
        self.stopping = True
        asyncio.run_coroutine_threadsafe(self.cancel(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    async def cancel(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def gossip_for(self, i):
        """GOSSIPED entries that do not name peer i; the table is remade each second."""
        now = time.time()
        if now - self.gossip_made > 1:
            self.gossip_made = now
            self.gossip = b"".join(p.entry(int(now) - 1) for p in self.peers) * 2
        at = i + 1 + random.randrange(PEERS - 1 - GOSSIPED)
        return self.gossip[at * 104:(at + GOSSIPED) * 104]


class Peer:
    def __init__(self, swarm, i):
        self.swarm, self.i, self.id = swarm, i, bus.new_id()
        self.ip = f"127.1.{i // 250}.{i % 250 + 1}"
        self.slots = range(i * SLOTS_EACH, (i + 1) * SLOTS_EACH)
        self.header = {kind: Frame(
            kind, self.id, ip=self.ip, port=swarm.port, cport=swarm.port + 10000,
            slots=bus.bitmap(self.slots), config_epoch=i + 1, current_epoch=PEERS + 1,
            count=GOSSIPED, totlen=2256 + 104 * GOSSIPED).build() for kind in (PING, PONG)}

    def entry(self, pong_received):
        return bus.gossip(self.id, self.ip, self.swarm.port, self.swarm.port + 10000,
                          pong_received=pong_received)

    def line(self):
        return (f"{self.id} {self.ip}:{self.swarm.port}@{self.swarm.port + 10000} master - 0 0 "
                f"{self.i + 1} connected {self.slots[0]}-{self.slots[-1]}\n")

    def message(self, kind):
        return self.header[kind] + self.swarm.gossip_for(self.i)

    async def live(self):
        loop = self.swarm.loop
        await asyncio.sleep(random.random())
        transport, _ = await loop.create_connection(
            lambda: Wire(self, False), "127.0.0.1", self.swarm.target, local_addr=(self.ip, 0))
        while not transport.is_closing():
            transport.write(self.message(PING))
            self.swarm.pings += 1
            await asyncio.sleep(T / 2 * (0.8 + 0.2 * random.random()))


class Wire(asyncio.Protocol):
    """One connection, either direction: answer PING and MEET, count the rest."""

    def __init__(self, peer, inbound):
        self.peer, self.inbound, self.data, self.transport = peer, inbound, b"", None

    def connection_made(self, transport):
        self.transport = transport
        if self.inbound:
            self.peer.swarm.accepted[self.peer.i] += 1

    def connection_lost(self, exc):
        if not self.peer.swarm.stopping:
            self.peer.swarm.lost += 1

    def data_received(self, data):
        self.data += data
        while len(self.data) >= 16:
            totlen, kind = struct.unpack_from(">I4xH", self.data, 4)
            if len(self.data) < totlen:
                return
            self.data = self.data[totlen:]
            if kind in (PING, MEET):
                self.transport.write(self.peer.message(PONG))
            elif kind == PONG:
                self.peer.swarm.pongs += 1


class Large(Case):
    def setUp(self):
        super().setUp()
        kind = process.Redis if harness.ALL_REDIS else process.Hearsay
        self.node = kind("node", T * 1000)
        self.owned_nodes.append(self.node)
        self.swarm = Swarm(process.free_port(), self.node.cport)
        self.addCleanup(self.swarm.close)
        self.swarm.thread.start()
        self.assertTrue(self.swarm.listening.wait(20))

    def test_links_form_in_time_and_stay_and_nobody_is_suspected(self):
        node, swarm = self.node, self.swarm
        node.nodes_conf.write_text(
            f"{bus.new_id()} 127.0.0.1:{node.port}@{node.cport} myself,master - 0 0 "
            f"{PEERS + 1} connected {PEERS * SLOTS_EACH}-16383\n"
            + "".join(p.line() for p in swarm.peers)
            + f"vars currentEpoch {PEERS + 1} lastVoteEpoch 0\n")
        node.start()
        swarm.dial()
        self.formed("a table from nodes.conf")
        harness.wait_until(lambda: node.info()["cluster_state"] == "ok", FORMED_S, "state ok")
        end = time.monotonic() + QUIET_S
        while time.monotonic() < end:
            info = node.info()
            self.assertEqual((info["cluster_state"], info["cluster_slots_pfail"],
                              info["cluster_known_nodes"]), ("ok", "0", str(PEERS + 1)))
            self.assertNotIn("fail", node.call("CLUSTER", "NODES"))
            time.sleep(1)
        print(f"  {swarm.pongs} PONGs for {swarm.pings} PINGs, {node.rss_kb()} kB resident")
        self.assertEqual(swarm.lost, 0, "links were lost")
        self.assertEqual(max(swarm.accepted.values()), 1, "a peer was dialled twice")
        self.assertGreater(swarm.pongs, PEERS * 3)
        self.assertLess(swarm.pings - swarm.pongs, PEERS // 2, "PINGs without PONG")

    def test_one_meet_is_enough_to_learn_them_all_by_gossip(self):
        self.node.start()
        first = self.swarm.peers[0]
        self.node.call("CLUSTER", "MEET", first.ip, self.swarm.port)
        harness.wait_until(lambda: first.id in self.node.view(), 3, "the handshake")
        self.swarm.dial()
        self.formed("one MEET")
        view = self.node.view()
        for p in self.swarm.peers:
            v = view[p.id]
            self.assertEqual((v.ip, v.port, v.flags), (p.ip, self.swarm.port, {"master"}))

    def formed(self, origin):
        node, swarm = self.node, self.swarm
        started = time.monotonic()
        harness.wait_until(
            lambda: (len(swarm.accepted) == PEERS and swarm.pongs >= PEERS and node.connected()
                     and node.info()["cluster_known_nodes"] == str(PEERS + 1)),
            FORMED_S, f"{PEERS} links in each direction")
        print(f"\n  {origin}: formed in {time.monotonic() - started:.1f} s,"
              f" {node.rss_kb()} kB resident", flush=True)


if __name__ == "__main__":
    harness.main()
