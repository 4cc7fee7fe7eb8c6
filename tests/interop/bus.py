"""The bus seen from the other end: frames, links, and a node made of Python.

Frame is the layout of the protocol page, built and read without any help from
the code under test. Link is one connection with everything that arrived on it.
BusPeer is a node: it listens, dials, answers PING and MEET as a stock node
does, and otherwise says only what a test tells it to say.
"""
import os
import re
import socket
import struct
import threading
import time

PING, PONG, MEET, FAIL, PUBLISH, AUTH_REQUEST, AUTH_ACK, UPDATE, MFSTART, MODULE = range(10)
HEADER = struct.Struct(">4sIHHHHQQQ40s2048s40s46sH30sHHHB3s")
GOSSIP = struct.Struct(">40sII46sHHHHH")
F_MASTER, F_SLAVE, F_PFAIL, F_FAIL, F_MYSELF, F_HANDSHAKE, F_NOADDR = 1, 2, 4, 8, 16, 32, 64
EXT_DATA = 4  # in mflags
PATIENCE_S = 30  # for what is sure to come; what must not come is waited for less
ID = re.compile(rb"[0-9a-z]{40}\Z")
assert HEADER.size == 2256 and GOSSIP.size == 104


def new_id():
    return os.urandom(20).hex()


def bitmap(slots):
    bits = bytearray(2048)
    for s in slots:
        bits[s // 8] |= 1 << (s % 8)
    return bytes(bits)


def gossip(node_id, ip, port, cport, flags=F_MASTER, ping_sent=0, pong_received=None):
    pong = int(time.time()) if pong_received is None else pong_received
    raw_id = node_id if isinstance(node_id, bytes) else node_id.encode()
    return GOSSIP.pack(raw_id, ping_sent, pong, ip.encode(), port, cport, flags, 0, 0)


def extension(kind, data):
    data += bytes(-len(data) % 8)
    return struct.pack(">IHH", 8 + len(data), kind, 0) + data


class Frame:
    """One message. Fields are attributes; build() makes bytes, parse() reads them."""

    def __init__(self, kind, sender="", **fields):
        self.sig, self.totlen, self.ver, self.kind = b"RCmb", None, 1, kind
        self.port = self.cport = self.pport = self.count = self.ext_n = 0
        self.current_epoch = self.config_epoch = self.offset = 0
        self.sender, self.slaveof, self.ip = sender, "", ""
        self.slots = bytes(2048)
        self.reserved = bytes(30)
        self.flags, self.state, self.mflags = F_MASTER | F_MYSELF, 0, bytes(3)
        self.body = b""
        for name, value in fields.items():
            if not hasattr(self, name):
                raise TypeError(f"a frame has no field {name}")
            setattr(self, name, value)

    def build(self):
        totlen = HEADER.size + len(self.body) if self.totlen is None else self.totlen
        return HEADER.pack(
            self.sig, totlen, self.ver, self.port, self.kind, self.count, self.current_epoch,
            self.config_epoch, self.offset, self.sender.encode(), self.slots,
            self.slaveof.encode(), self.ip.encode(), self.ext_n, self.reserved, self.pport,
            self.cport, self.flags, self.state, self.mflags) + self.body

    @classmethod
    def parse(cls, raw):
        f = cls(0)
        (f.sig, f.totlen, f.ver, f.port, f.kind, f.count, f.current_epoch, f.config_epoch,
         f.offset, sender, f.slots, slaveof, ip, f.ext_n, f.reserved, f.pport, f.cport, f.flags,
         f.state, f.mflags) = HEADER.unpack_from(raw)
        f.sender, f.slaveof, f.ip = (x.rstrip(b"\0").decode() for x in (sender, slaveof, ip))
        f.body = raw[HEADER.size:]
        return f

    def gossip(self):
        """[(id, ping_sent, pong_received, ip, port, cport, flags, pport, zero)]"""
        return [GOSSIP.unpack_from(self.body, i * GOSSIP.size) for i in range(self.count)]

    def extensions(self):
        """[(type, data)]; raises ValueError where they do not add up."""
        raw, found = self.body[self.count * GOSSIP.size:], []
        while raw:
            size, kind, zero = struct.unpack_from(">IHH", raw)
            if size < 8 or size % 8 or size > len(raw) or zero:
                raise ValueError(f"extension of type {kind} says it is {size} bytes long")
            found.append((kind, raw[8:size]))
            raw = raw[size:]
        return found

    def update(self):
        """(config epoch, node id, bitmap) of an UPDATE."""
        epoch, node_id, slots = struct.unpack(">Q40s2048s", self.body)
        return epoch, node_id.decode(), slots


class Inbox:
    """Frames in the order they came, and a way to wait for one."""

    def __init__(self):
        self.frames, self.changed = [], threading.Condition()

    def put(self, link, frame):
        with self.changed:
            self.frames.append((link, frame))
            self.changed.notify_all()

    def mark(self):
        """A position: expect(since=mark) sees only what came after it."""
        with self.changed:
            return len(self.frames)

    def expect(self, match, timeout=PATIENCE_S, since=0):
        """The first (link, frame) that matches a type or a predicate, or None."""
        wanted = match if callable(match) else lambda f: f.kind == match
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for link, frame in self.frames[since:]:
                    if wanted(frame):
                        return link, frame
                since = max(since, len(self.frames))
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(left)


class Link:
    """One connection to or from a node, read by a thread of its own."""

    def __init__(self, sock, inbox=None, answer=None):
        self.sock, self.inbox = sock, inbox or Inbox()
        self.answer = answer
        self.closed = threading.Event()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    @classmethod
    def dial(cls, cport, source=None, **rest):
        sock = socket.create_connection(("127.0.0.1", cport), PATIENCE_S,
                                        (source, 0) if source else None)
        return cls(sock, **rest)

    def send(self, frame):
        self.sock.sendall(frame.build() if isinstance(frame, Frame) else frame)

    def expect(self, match, timeout=PATIENCE_S, since=0):
        return self.inbox.expect(match, timeout, since)

    def answers(self, ping, timeout=PATIENCE_S):
        """True if this PING gets a PONG: the link lives and the node is well."""
        since = self.inbox.mark()
        try:
            self.send(ping)
        except OSError:
            return False
        return self.expect(PONG, timeout, since) is not None

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _read(self):
        try:
            while True:
                raw = self._exactly(8)
                raw += self._exactly(struct.unpack(">I", raw[4:])[0] - 8)
                frame = Frame.parse(raw)
                self.inbox.put(self, frame)
                if self.answer and frame.kind in (PING, MEET):
                    self.answer(self, frame)
        except OSError:
            pass
        self.closed.set()

    def _exactly(self, n):
        raw = b""
        while len(raw) < n:
            more = self.sock.recv(n - len(raw))
            if not more:
                raise ConnectionError("end of stream")
            raw += more
        return raw


class BusPeer:
    """A node: identity, a listening bus port, links, and one inbox for all of them."""

    def __init__(self, port, ip="127.0.0.1", **fields):
        self.id, self.ip, self.port, self.cport = new_id(), ip, port, port + 10000
        self.fields = fields  # of every frame: epochs, slots, flags, mflags...
        self.inbox, self.links, self.accepted = Inbox(), [], []
        self.pong = True
        self.listener = socket.create_server((ip, self.cport), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def frame(self, kind, **fields):
        return Frame(kind, self.id, **{"port": self.port, "cport": self.cport,
                                       **self.fields, **fields})

    def dial(self, node):
        """A connection to a node's bus port; PINGs arriving on it are answered."""
        link = Link.dial(node.cport, inbox=self.inbox, answer=self._answer)
        self.links.append(link)
        return link

    def join(self, node):
        """The node MEETs us and knows us by id when this returns our link to it."""
        node.call("CLUSTER", "MEET", self.ip, self.port, self.cport)
        link = self.dial(node)
        deadline = time.monotonic() + PATIENCE_S
        while self.id not in node.view():
            if time.monotonic() > deadline:
                raise AssertionError(f"{node.name} did not finish the handshake with a peer")
            time.sleep(0.05)
        if not link.answers(self.frame(PING)):
            raise AssertionError(f"{node.name} did not answer the PING of a peer it knows")
        return link

    def expect(self, match, timeout=PATIENCE_S, since=0):
        return self.inbox.expect(match, timeout, since)

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for link in self.links:
            link.close()

    def _answer(self, link, _frame):
        if self.pong:
            try:
                link.send(self.frame(PONG))
            except OSError:
                pass

    def _accept(self):
        try:
            while True:
                sock, _ = self.listener.accept()
                link = Link(sock, self.inbox, self._answer)
                self.accepted.append(link)
                self.links.append(link)
        except OSError:
            pass
