#!/usr/bin/env python3
"""hearsay-decode on captured frames: as hex, raw, and in captures made here.

usage: decode.py PATH_OF_HEARSAY_DECODE
"""
import glob
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
DECODE = None
SYN, ACK = 2, 16
WHEN = "2023-11-14T22:13:20.000007Z"
A, B = ("127.0.0.1", 4000), ("127.0.0.1", 17000)
WHERE = f"{WHEN} 127.0.0.1:4000 > 127.0.0.1:17000 "
LIGHT = ("type=publish light len=39 channel_len=4 message_len=11 "
         "channel=\"news\" message=\"hello world\"")


def golden(name):
    with open(os.path.join(GOLDEN, name + ".hex"), encoding="ascii") as f:
        return bytes.fromhex("".join(f.read().split()))


def decode(data, *args):
    """Runs the tool with data on its stdin: status, stdout, stderr."""
    r = subprocess.run([DECODE, *args], input=data, capture_output=True, timeout=60, check=False)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def without_place(out, start=""):
    """Lines that start so, without their "@offset" or "time source > destination"."""
    return [" ".join(line.split()[1 if line[0] == "@" else 4:])
            for line in out.splitlines() if line.startswith(start)]


# ---- captures ----

def tcp(src, dst, seq, data, flags=ACK):
    header = struct.pack(">HHIIBBHHH", src[1], dst[1], seq % 2**32, 0, 5 << 4, flags, 512, 0, 0)
    return header + data


def ipv4(src, dst, payload):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, 6, 0,
                       socket.inet_aton(src[0]), socket.inet_aton(dst[0])) + payload


def ipv6(src, dst, payload, options=b""):
    header = struct.pack(">IHBB16s16s", 6 << 28, len(options) + len(payload),
                         0 if options else 6, 64, socket.inet_pton(socket.AF_INET6, src[0]),
                         socket.inet_pton(socket.AF_INET6, dst[0]))
    return header + options + payload


def segment(data, seq, src=A, dst=B, flags=ACK):
    return ipv4(src, dst, tcp(src, dst, seq, data, flags))


def pcap(packets, link=101, order="<", nano=False, prefix=b"", suffix=b""):
    magic = 0xa1b23c4d if nano else 0xa1b2c3d4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for p in packets:
        p = prefix + p + suffix
        out += struct.pack(order + "IIII", 1700000000, 7, len(p), len(p)) + p
    return out


def split(data, size, seq):
    return [(seq + i, data[i:i + size]) for i in range(0, len(data), size)]


class Formats(unittest.TestCase):
    def test_every_captured_frame_is_fine_as_hex_and_as_raw(self):
        names = sorted(glob.glob(os.path.join(GOLDEN, "*.hex")))
        self.assertGreaterEqual(len(names), 140)
        status, from_hex, err = decode(b"", "--gossip", *names)
        self.assertEqual((status, err), (0, ""))
        raw = b"".join(golden(os.path.basename(n)[:-4]) for n in names)
        status, from_raw, err = decode(raw, "--gossip")
        self.assertEqual((status, err), (0, ""))
        frames = [without_place(out, "@") for out in (from_hex, from_raw)]
        self.assertEqual(len(frames[0]), len(names))
        self.assertEqual(frames[0], frames[1])
        self.assertIn("    gossip=0 id=", from_raw)
        self.assertIn("    ext=hostname len=24 value=\"host-3.example.com\"", from_raw)

    def test_a_raw_frame_shows_its_offset(self):
        light = golden("valkey-8.0-PUBLISH-LIGHT")
        self.assertEqual(decode(light + light), (0, f"@0 {LIGHT}\n@39 {LIGHT}\n", ""))

    def test_the_form_is_guessed_and_can_be_given(self):
        light = golden("valkey-8.0-PUBLISH-LIGHT")
        text = light.hex().upper().encode()
        for data in light, text, b" " + text[:7] + b"\n\t" + text[7:] + b"\r\n":
            self.assertEqual(decode(data), (0, f"@0 {LIGHT}\n", ""))
        self.assertEqual(decode(text, "--format", "hex")[0], 0)
        self.assertEqual(decode(light, "--format=raw")[0], 0)
        self.assertEqual(decode(text, "--format=raw")[0], 1)

    def test_hex_longer_than_a_read_keeps_its_digits(self):
        light = golden("valkey-8.0-PUBLISH-LIGHT")
        text = b" " + (light * 2000).hex().encode()
        status, out, _ = decode(text)
        self.assertEqual((status, out.count(LIGHT)), (0, 2000))

    def test_gossip_is_shown_only_when_asked_for(self):
        self.assertEqual(len(decode(golden("redis-7.2-PING-ext"))[1].splitlines()), 1)
        self.assertEqual(len(decode(golden("redis-7.2-PING-ext"), "--gossip")[1].splitlines()), 6)

    def test_nothing_is_fine(self):
        self.assertEqual(decode(b""), (0, "", ""))


class Malformed(unittest.TestCase):
    def setUp(self):
        self.light = golden("valkey-8.0-PUBLISH-LIGHT")

    def test_a_malformed_frame_shows_its_verdict_and_the_next_is_read(self):
        ping = bytearray(golden("redis-6.2-PING"))
        ping[14:16] = b"\xff\xff"
        self.assertEqual(decode(self.light + bytes(ping) + self.light), (
            1, f"@0 {LIGHT}\n@39 malformed verdict=count offset=39 len={len(ping)}\n"
               f"@{39 + len(ping)} {LIGHT}\n", ""))

    def test_after_junk_the_next_signature_is_found(self):
        self.assertEqual(decode(self.light + b"junk RCmRRCm" + self.light), (
            1, f"@0 {LIGHT}\n@39 malformed verdict=signature offset=39\n"
               f"@51 skipped 12 bytes before this frame\n@51 {LIGHT}\n", ""))

    def test_an_unfinished_frame_is_reported(self):
        self.assertEqual(decode(self.light + self.light[:-1]), (
            1, f"@0 {LIGHT}\n@39 truncated offset=39 len=38\n", ""))

    def test_a_bad_gossip_id_is_reported(self):
        ping = bytearray(golden("redis-6.2-PING"))
        ping[2256] = ord("X")
        status, out, _ = decode(bytes(ping))
        self.assertEqual(status, 1)
        self.assertTrue(out.endswith(" bad-gossip\n"))

    def test_hex_must_be_hex(self):
        for text in b"52436d6g", b"52436":
            status, _, err = decode(text, "--format=hex")
            self.assertEqual(status, 1)
            self.assertIn("line 1", err)


class Captures(unittest.TestCase):
    def setUp(self):
        self.light = golden("valkey-8.0-PUBLISH-LIGHT")
        names = ["MEET", "PING-ext", "UPDATE", "PUBLISH"] * 3
        self.stream = b"".join(golden("redis-7.2-" + n) for n in names)
        self.lines = without_place(decode(self.stream)[1])
        self.assertEqual(len(self.lines), len(names))

    def same(self, packets, status=0):
        got, out, err = decode(pcap(packets))
        self.assertEqual((got, err), (status, ""))
        self.assertEqual(without_place(out), self.lines)

    def test_a_frame_shows_when_and_between_whom(self):
        self.assertEqual(decode(pcap([segment(self.light, 1)])), (0, f"{WHERE}{LIGHT}\n", ""))

    def test_all_byte_orders_and_units_of_time(self):
        for order in "<>":
            for nano in False, True:
                status, out, _ = decode(pcap([segment(self.light, 1)], order=order, nano=nano))
                when = WHEN.replace(".000007", ".000000007") if nano else WHEN
                self.assertEqual((status, out), (0, f"{WHERE}{LIGHT}\n".replace(WHEN, when)))

    def test_all_link_types(self):
        mac = bytes(12)
        links = [(101, b""), (12, b""), (0, struct.pack("<I", 2)), (0, struct.pack(">I", 2)),
                 (108, struct.pack(">I", 2)), (1, mac + b"\x08\x00"),
                 (1, mac + b"\x81\x00\x00\x05\x08\x00"),
                 (1, mac + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00"),
                 (113, bytes(14) + b"\x08\x00"), (276, b"\x08\x00" + bytes(18))]
        for link, prefix in links:
            data = pcap([segment(self.light, 1)], link=link, prefix=prefix, suffix=b"\0\0")
            self.assertEqual(decode(data), (0, f"{WHERE}{LIGHT}\n", ""), (link, prefix))

    def test_ipv6_with_and_without_options(self):
        src, dst = ("2001:db8::1", 4000), ("::1", 17000)
        one, two = b"\x06\x00" + bytes(6), b"\x3c\x00" + bytes(6) + b"\x06\x01" + bytes(14)
        for options in b"", one, two:
            p = ipv6(src, dst, tcp(src, dst, 1, self.light), options)
            self.assertEqual(decode(pcap([p])),
                             (0, f"{WHEN} [2001:db8::1]:4000 > [::1]:17000 {LIGHT}\n", ""))

    def test_segments_of_any_size(self):
        for size in 1, 7, 100, 1448, 65000:
            self.same([segment(d, s) for s, d in split(self.stream, size, 1000)])

    def test_both_directions_are_streams_of_their_own(self):
        packets = []
        for s, d in split(self.light, 5, 50):
            packets += [segment(d, s), segment(d, s + 9999, src=B, dst=A)]
        status, out, _ = decode(pcap(packets))
        self.assertEqual(status, 0)
        self.assertEqual(out.count("4000 > 127.0.0.1:17000 type=publish"), 1)
        self.assertEqual(out.count("17000 > 127.0.0.1:4000 type=publish"), 1)

    def test_order_repeats_and_overlaps_do_not_matter(self):
        rng = random.Random(7)
        for start in 1000, 2**32 - 5000:  # the second wraps
            pieces = split(self.stream, 700, start)
            first, rest = segment(b"", start - 1, flags=SYN), []
            for s, d in pieces:
                rest.append(segment(d, s))
                off = s - start
                if rng.random() < 0.5:  # a repeat that begins earlier and ends later
                    low = max(0, off - rng.randrange(900))
                    rest.append(segment(self.stream[low:off + rng.randrange(1500)], start + low))
            rng.shuffle(rest)
            self.same([first, first] + rest)

    def test_a_gap_is_reported_and_the_next_frame_found(self):
        pieces = split(self.stream, 500, 1)
        status, out, _ = decode(pcap([segment(d, s) for i, (s, d) in enumerate(pieces) if i != 7]))
        self.assertEqual(status, 1)
        self.assertIn("gap of 500 bytes offset=3500", out)
        frames = [line for line in without_place(out) if line.startswith("type=")]
        self.assertEqual(frames, self.lines[:1] + self.lines[2:])

    def test_what_waits_for_a_gap_is_bounded(self):
        many = self.light * 20000
        pieces = split(many, 100, 1)
        status, out, _ = decode(pcap([segment(d, s) for i, (s, d) in enumerate(pieces) if i != 1]))
        self.assertEqual(status, 1)
        self.assertEqual(out.count("gap of 100 bytes"), 1)
        self.assertGreaterEqual(out.count(LIGHT), 20000 - 5)

    def test_a_capture_may_begin_in_the_middle_and_end_anywhere(self):
        status, out, _ = decode(pcap([segment((self.light * 3)[10:-4], 1)]))
        self.assertEqual((status, out), (
            0, f"{WHERE}skipped 29 bytes before this frame\n{WHERE}{LIGHT}\n"
               f"{WHERE}truncated offset=68 len=35\n"))

    def test_other_connections_are_passed_over(self):
        web, udp = ("127.0.0.1", 80), bytearray(segment(self.light, 1))
        udp[9] = 17
        packets = [segment(b"GET / HTTP/1.1\r\n\r\n", 1, src=web), bytes(udp), b"\x45", b"",
                   b"junk", segment(b"RCmb", 5, src=web)]
        self.assertEqual(decode(pcap(packets)), (0, "", ""))

    def test_a_new_connection_on_the_same_ports_starts_afresh(self):
        half = self.light[:20]
        packets = [segment(b"", 99, flags=SYN), segment(self.light + half, 100),
                   segment(b"", 5000, flags=SYN), segment(self.light, 5001)]
        self.assertEqual(decode(pcap(packets)), (
            0, f"{WHERE}{LIGHT}\n{WHERE}truncated offset=39 len=20\n{WHERE}{LIGHT}\n", ""))

    def test_a_malformed_frame_in_a_capture(self):
        bad = bytearray(self.light)
        bad[9] = 2
        self.assertEqual(decode(pcap([segment(bytes(bad) + self.light, 1)])), (
            1, f"{WHERE}malformed verdict=version offset=0 len=39\n{WHERE}{LIGHT}\n", ""))

    def test_damaged_files_are_refused(self):
        data = pcap([segment(self.light, 1)])
        for cut in range(4, len(data)):
            if cut == 24:  # a capture of nothing
                self.assertEqual(decode(data[:cut], "--format=pcap")[0], 0)
            else:
                self.assertEqual(decode(data[:cut], "--format=pcap")[0], 2, cut)
        self.assertEqual(decode(pcap([], link=147))[0], 2)
        self.assertEqual(decode(b"\x0a\x0d\x0d\x0a" + bytes(40))[0], 2)
        huge = pcap([]) + struct.pack("<IIII", 0, 0, 2**31, 2**31)
        self.assertEqual(decode(huge)[0], 2)

    def test_no_damage_to_a_packet_ends_the_tool_badly(self):
        rng = random.Random(11)
        packets = [segment(d, s) for s, d in split(self.light * 3, 30, 1)]
        v6 = (("::1", 1), ("::2", 2))
        packets += [ipv6(*v6, tcp(*v6, 1, self.light), b"\x06\x00" + bytes(6))]
        for _ in range(150):
            hurt = []
            for p in packets:
                p = bytearray(p[:rng.randrange(len(p) + 1)])
                for _ in range(rng.randrange(4)):
                    if p:
                        p[rng.randrange(len(p))] = rng.randrange(256)
                hurt.append(bytes(p))
            self.assertIn(decode(pcap(hurt))[0], (0, 1))


class Usage(unittest.TestCase):
    def test_help_and_version(self):
        self.assertIn("usage: hearsay-decode", decode(b"", "--help")[1])
        status, out, _ = decode(b"", "--version")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^hearsay-decode \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_two(self):
        self.assertEqual(decode(b"", "--wrong")[0], 2)
        self.assertEqual(decode(b"", "--format", "gif")[0], 2)
        self.assertEqual(decode(b"", "/nonexistent/file")[0], 2)

    def test_a_directory_cannot_be_read(self):
        with tempfile.TemporaryDirectory() as d:
            self.assertEqual(decode(b"", d)[0], 2)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    DECODE = sys.argv.pop(1)
    unittest.main()
