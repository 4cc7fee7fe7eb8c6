"""A server process: its directory, its ports, its log, and how it ends.

Both kinds start from the same redis.conf, which is a claim in itself. Nodes are
ended by their pid; should the test process die first, the kernel ends them
(setpriv --pdeathsig).
"""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import resp

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from ports import free_port  # noqa: E402  (after the path it is found on)

READY_S = 60
STOP_S = 30
SANITIZED = os.environ.get("HS_SANITIZED") == "1"  # memory and speed are not the program's own

NodeView = collections.namedtuple("NodeView", "ip port cport flags master epoch slots")


def parse_nodes(text):
    """CLUSTER NODES as {id: NodeView}; `myself`, times and link state left out."""
    view = {}
    for line in text.splitlines():
        f = line.split(" ")
        m = re.fullmatch(r"(.*):(\d+)@(\d+)(,.*)?", f[1])
        flags = frozenset(f[2].split(",")) - {"myself"}
        slots = tuple(s for s in f[8:] if not s.startswith("["))
        view[f[0]] = NodeView(m[1], int(m[2]), int(m[3]), flags, f[3], int(f[6]), slots)
    return view


def scratch():
    return pathlib.Path(tempfile.mkdtemp(prefix="hearsay-interop-"))


def discard(directory):
    if os.environ.get("HS_KEEP") != "1":
        shutil.rmtree(directory, ignore_errors=True)


class Node:
    """Base of both kinds. A node keeps its directory over stop and start."""

    kind = binary = None
    refused_by_lock = None  # exit status when another process holds nodes.conf

    def __init__(self, name, timeout_ms, conf=None, directory=None, port=None):
        self.name, self.timeout_ms = name, timeout_ms
        self.dir = directory or scratch()
        self.move(port or free_port())
        self.conf = dict(conf or {})
        self.proc = self.id = self._client = None
        self.paused = False

    def move(self, port):
        """From the next start on."""
        self.port, self.cport = port, port + 10000

    @property
    def nodes_conf(self):
        return self.dir / "nodes.conf"

    # ---- life ----

    def write_config(self):
        lines = {"port": self.port, "bind": "127.0.0.1", "dir": self.dir,
                 "logfile": self.dir / "log", "loglevel": "verbose", "daemonize": "no",
                 "save": '""', "appendonly": "no", "repl-diskless-sync-delay": 0,
                 "cluster-enabled": "yes", "cluster-config-file": "nodes.conf",
                 "cluster-node-timeout": self.timeout_ms, **self.conf}
        path = self.dir / "redis.conf"
        path.write_text("".join(f"{k} {v(self) if callable(v) else v}\n"
                                for k, v in lines.items()))
        return path

    def spawn(self):
        """A process of this node's binary on its config; nobody waits for it."""
        with open(self.dir / "stderr", "ab") as err:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.binary, str(self.write_config())],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err, cwd=self.dir)

    def start(self, wait=True):
        if self.alive():
            raise AssertionError(f"{self.name} is running already")
        self.proc, self.paused = self.spawn(), False
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self.id = self.call("CLUSTER", "MYID")
                return
            except (OSError, resp.Error) as e:
                last = e
            if not self.alive() or time.monotonic() > deadline:
                state = self.state()
                if not self.alive():
                    self.proc = None  # said here, and not a second time when all are ended
                raise AssertionError(f"{self.name} did not start: {state}, {last!r}\n"
                                     f"{self.log_tail()}")
            time.sleep(0.02)

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def stop(self):
        """SIGTERM; returns the exit status."""
        self._forget_connection()
        self.proc.terminate()
        return self._reap()

    def kill(self):
        self._forget_connection()
        self.proc.kill()
        return self._reap()

    def _reap(self):
        status = self.proc.wait(STOP_S)
        self.proc = None
        return status

    def pause(self):
        self.paused = True
        self.proc.send_signal(signal.SIGSTOP)

    def resume(self):
        self.paused = False
        self.proc.send_signal(signal.SIGCONT)

    # ---- questions ----

    def client(self):
        return resp.Client(self.port)

    def call(self, *args):
        if self.paused:
            raise ConnectionError(f"{self.name} is paused")
        if self._client is None:
            self._client = self.client()
        try:
            return self._client.call(*args)
        except (OSError, resp.ProtocolError):
            self._forget_connection()
            raise

    def text(self, *args):
        try:
            return self.call(*args)
        except resp.Error as e:
            return "-" + str(e)

    def _forget_connection(self):
        if self._client:
            self._client.close()
        self._client = None

    def view(self):
        return parse_nodes(self.call("CLUSTER", "NODES"))

    def me(self):
        return self.view()[self.id]

    def connected(self):
        """True if every node line says connected."""
        return all(line.split(" ")[7] == "connected"
                   for line in self.call("CLUSTER", "NODES").splitlines())

    def info(self):
        return dict(line.split(":", 1) for line in self.call("CLUSTER", "INFO").split())

    def server_info(self):
        return dict(line.split(":", 1) for line in self.call("INFO", "everything").splitlines()
                    if ":" in line)

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.proc.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def add_slots(self, first, last):
        """ADDSLOTSRANGE, for servers of any age."""
        self.call("CLUSTER", "ADDSLOTS", *range(first, last + 1))

    def del_slots(self, first, last):
        self.call("CLUSTER", "DELSLOTS", *range(first, last + 1))

    # ---- for reports ----

    def state(self):
        if self.proc is None:
            return "stopped"
        status = self.proc.poll()
        return "running" if status is None else f"ended by itself with status {status}"

    def peek(self, *args):
        try:
            return self.call(*args)
        except (OSError, resp.Error, resp.ProtocolError) as e:
            return f"({e!r})"

    def log_tail(self, lines=15):
        parts = []
        for name in ("log", "stderr"):
            path = self.dir / name
            if path.exists():
                text = path.read_text(errors="replace").splitlines()
                parts += [x for x in text if "WARNING Memory overcommit" not in x][-lines:]
        return "\n".join(parts) or "(no log)"


def version_of(binary):
    """What `binary --version` says it is: ("redis", (7, 0, 15)) or ("valkey", (8, 0, 1))."""
    said = subprocess.run([binary, "--version"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    number = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    return ("valkey" if "alkey" in said else "redis"), tuple(map(int, number.groups()))


def has_tls(binary):
    """Whether it was built with TLS: it is linked with the library then."""
    linked = subprocess.run(["ldd", shutil.which(binary) or binary], check=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return "libssl" in linked


class Redis(Node):
    """The other server: Redis or Valkey, of any version that has the commands asked for."""

    kind, binary = "redis", os.environ.get("HS_REDIS_SERVER", "redis-server")
    maker, version = version_of(binary)
    tls = has_tls(binary)
    refused_by_lock = 1


class Hearsay(Node):
    kind, binary = "hearsay", os.environ.get("HS_HEARSAYD", str(ROOT / "build" / "hearsayd"))
    refused_by_lock = 2


def end(nodes):
    """Stops them all. Returns what was not as it should be, or an empty string:
    a node that ended by itself, or a hearsayd that did not stop with status 0."""
    odd, running = [], []
    for n in nodes:
        if n.proc is not None and not n.alive():
            odd.append(f"{n.name}: {n.state()}\n{n.log_tail(40)}")
        elif n.proc is not None:
            n.resume()
            n.proc.terminate()
            running.append(n)
    for n in running:
        try:
            status = n.proc.wait(STOP_S)
        except subprocess.TimeoutExpired:
            n.proc.kill()
            n.proc.wait()
            status = f"none: SIGTERM did not end it within {STOP_S} s"
        if isinstance(n, Hearsay) and status != 0:
            odd.append(f"{n.name}: SIGTERM, exit status {status}\n{n.log_tail(40)}")
    for n in nodes:
        n._forget_connection()
        n.proc = None
        discard(n.dir)
    return "\n".join(odd)
