#!/usr/bin/env python3
"""Claims about the tests' own tools: they read and write what real servers wrote,
and they see the faults they are there to see."""
import unittest
from unittest import mock

import bus
import harness
import process
import resp
from test_frames import complaints

GOLDEN = process.ROOT / "tests" / "golden"


def captured(pattern):
    for path in sorted(GOLDEN.glob(pattern)):
        yield path.stem, bytes.fromhex(path.read_text())


class Bus(unittest.TestCase):
    def test_every_captured_frame_is_read_and_written_back_to_the_same_bytes(self):
        n = 0
        for name, raw in captured("*.hex"):
            if len(raw) >= 2256:  # light frames have no header
                self.assertEqual(bus.Frame.parse(raw).build(), raw, name)
                n += 1
        self.assertGreater(n, 80)

    def test_captured_pings_give_no_cause_for_complaint(self):
        for name, raw in captured("*-P[IO]NG*.hex"):
            self.assertEqual(complaints(bus.Frame.parse(raw)), [], name)

    def test_each_fault_gives_cause_for_complaint(self):
        good = bus.new_id().encode()
        faults = {
            "version": {"ver": 2}, "length": {"totlen": 2257}, "reserved": {"reserved": b"x" * 30},
            "sender": {"sender": "A" * 40}, "flags": {"flags": 1},
            "extension": {"ext_n": 1, "body": b"\0\0\0\x0c\0\0\0\0" + bytes(8)},
            "gossip id": {"count": 1, "body": bus.gossip(b"Z" * 40, "127.0.0.1", 1, 1)},
            "gossip flags": {"count": 1, "body": bus.gossip(good, "127.0.0.1", 1, 1, 17)},
            "gossip ip": {"count": 1, "body": bus.gossip(good, "nowhere", 1, 1)},
            "gossip port": {"count": 1, "body": bus.gossip(good, "127.0.0.1", 0, 1)},
            "twice": {"count": 2, "body": bus.gossip(good, "127.0.0.1", 1, 1) * 2},
        }
        for what, fields in faults.items():
            frame = bus.Frame(bus.PING, **{"sender": bus.new_id(), **fields})
            self.assertNotEqual(complaints(bus.Frame.parse(frame.build())), [], what)


class Views(unittest.TestCase):
    def test_a_view_holds_what_must_be_equal_and_nothing_else(self):
        line = "{} 127.0.0.1:7000@17000,h {} - {} 7 connected 0-5 9 [3->-{}]\n"
        a, b = "a" * 40, "b" * 40
        one = process.parse_nodes(line.format(a, "myself,master", "0 0", b))
        two = process.parse_nodes(line.format(a, "master", "5 9", b))
        self.assertEqual(one, two)
        self.assertEqual(one[a], ("127.0.0.1", 7000, 17000, {"master"}, "-", 7, ("0-5", "9")))
        self.assertNotEqual(one, process.parse_nodes(line.format(a, "master,fail?", "0 0", b)))

    def test_a_wait_that_fails_says_for_what(self):
        with mock.patch.object(harness, "PATIENCE_S", 0), \
                self.assertRaisesRegex(AssertionError, "not within 0.1 s: pigs fly"):
            harness.wait_until(lambda: False, 0.1, "pigs fly")


class Ports(unittest.TestCase):
    def test_a_port_is_given_once(self):
        given = [process.free_port() for _ in range(50)]
        self.assertEqual(len(set(given)), 50)


class Processes(harness.Case):
    def test_a_server_that_ended_by_itself_is_noticed(self):
        n = process.Redis("short-lived", harness.TIMEOUT_MS).start()
        with self.assertRaises(ConnectionError):
            n.call("SHUTDOWN", "NOSAVE")
        n.proc.wait(process.STOP_S)
        self.assertIn("short-lived: ended by itself with status 0", process.end([n]))
        self.assertFalse(n.dir.exists())

    def test_a_paused_server_is_ended_too(self):
        n = process.Redis("paused", harness.TIMEOUT_MS).start()
        n.pause()
        self.assertEqual(process.end([n]), "")

    def test_errors_of_the_server_are_told_from_broken_bytes(self):
        n = process.Redis("plain", harness.TIMEOUT_MS)
        self.owned_nodes.append(n)
        n.start()
        with resp.Client(n.port) as c:
            self.assertEqual(c.text("NOSUCH")[:20], "-ERR unknown command")
        with resp.Client(n.cport) as c:
            c.send(b"PING\r\n" * 20)
            with self.assertRaises((ConnectionError, resp.ProtocolError)):
                c.read()


if __name__ == "__main__":
    harness.main()
