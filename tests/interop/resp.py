"""A client for the RESP port, small enough to trust.

The tests judge replies byte by byte, so nothing here retries, converts or
hides: an error is the exception Error with the server's text, a map is a dict,
and whatever is not RESP is a ProtocolError.
"""
import socket


class Error(Exception):
    """An error reply; str() is the text after the leading '-'."""


class ProtocolError(Exception):
    """The server wrote something that is not RESP."""


class Verbatim(str):
    """A RESP3 verbatim string without its three-letter format."""


class Push(list):
    """A RESP3 push message."""


def encode(*args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)


class Client:
    """One connection. call() raises Error, text() returns it as '-TEXT'."""

    def __init__(self, port, host="127.0.0.1", timeout=30.0):
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, *args):
        self.send(encode(*args))
        reply = self.read()
        if isinstance(reply, Error):
            raise reply
        return reply

    def text(self, *args):
        try:
            return self.call(*args)
        except Error as e:
            return "-" + str(e)

    def send(self, raw):
        self.sock.sendall(raw)

    def at_eof(self, timeout=30.0):
        """True if the server closes the connection without another byte."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def read(self):
        """The next reply; an error reply is returned, not raised."""
        line = self._line()
        kind, rest = line[:1], line[1:]
        reader = self._READERS.get(kind)
        if reader is None:
            raise ProtocolError(f"reply begins with {line[:60]!r}")
        return reader(self, rest.decode())

    def _line(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        if not line.endswith(b"\r\n"):
            raise ProtocolError(f"line without CRLF: {line[:60]!r}")
        return line[:-2]

    def _blob(self, rest):
        size = int(rest)
        if size < 0:
            return None
        raw = self.file.read(size + 2)
        if len(raw) != size + 2:
            raise ConnectionError("the server closed the connection inside a string")
        if raw[-2:] != b"\r\n":
            raise ProtocolError(f"string of {size} bytes does not end where it says")
        return raw[:-2].decode("utf-8", "surrogateescape")

    def _array(self, rest):
        return None if int(rest) < 0 else [self.read() for _ in range(int(rest))]

    def _map(self, rest):
        pairs = [(self.read(), self.read()) for _ in range(int(rest))]
        return dict(pairs)

    def _boolean(self, rest):
        if rest not in ("t", "f"):
            raise ProtocolError(f"boolean {rest!r}")
        return rest == "t"

    _READERS = {
        b"+": lambda self, rest: rest,
        b"-": lambda self, rest: Error(rest),
        b":": lambda self, rest: int(rest),
        b"$": _blob,
        b"*": _array,
        b"%": _map,
        b"~": lambda self, rest: {self.read() for _ in range(int(rest))},
        b">": lambda self, rest: Push(self._array(rest)),
        b"=": lambda self, rest: Verbatim(self._blob(rest)[4:]),
        b"_": lambda self, rest: None,
        b"#": _boolean,
        b",": lambda self, rest: float(rest),
        b"(": lambda self, rest: int(rest),
        b"!": lambda self, rest: Error(self._blob(rest)),
    }
