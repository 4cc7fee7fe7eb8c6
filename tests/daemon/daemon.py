"""What the tests of the program share: a hearsayd in a directory of its own."""

import ctypes
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ports import free_port  # noqa: E402  (after the path it is found on)

HEARSAYD = os.environ.get("HEARSAYD", "build/hearsayd")
# Generous: the machine may be busy, or wait for a name server that is not there.
START_S = 60
STOP_S = 30
ANSWER_S = 30

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


def run(*args, timeout=START_S, **popen):
    """Runs to the end. (exit code, standard output, standard error)"""
    done = subprocess.run([HEARSAYD, *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, text=True, check=False, **popen)
    return done.returncode, done.stdout, done.stderr


def refuse_io_uring():
    """For preexec_fn: io_uring_setup answers EPERM from here on."""
    class Prog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    code = b"".join(struct.pack("HBBI", *ins) for ins in (
        (0x20, 0, 0, 0),           # A = number of the system call
        (0x15, 0, 1, 425),         # io_uring_setup?
        (0x06, 0, 0, 0x00050001),  # EPERM
        (0x06, 0, 0, 0x7fff0000),  # allowed
    ))
    memory = ctypes.create_string_buffer(code)
    prog = Prog(4, ctypes.cast(memory, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(prog), 0, 0) != 0:
        os._exit(99)


def with_limit(what, n):
    """For preexec_fn: a resource limit that also root cannot raise again."""
    def limit():
        ctypes.CDLL(None).prctl(24, 24, 0, 0, 0)  # never CAP_SYS_RESOURCE again
        resource.setrlimit(what, (n, n))
    return limit


def limit_files(n):
    """For preexec_fn: n open files."""
    return with_limit(resource.RLIMIT_NOFILE, n)


def with_mounts(script, *words):
    """For program=: hearsayd in a mount namespace of its own that script (with words as
    $1...) has prepared. None where this user may not have one."""
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                      stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        return None
    return ("unshare", "-m", "sh", "-ec", f'{script}\nshift {len(words)}\nexec "$@"', "sh",
            *words, HEARSAYD)


class Node:
    """One hearsayd. Its directory outlives a restart, and goes with close()."""

    def __init__(self, *args, port=None, program=(HEARSAYD,), address="127.0.0.1", **popen):
        self.dir = tempfile.mkdtemp(prefix="hearsay-")
        self.address = address
        self.port = port or free_port()
        self.args = ["--port", self.port, "--bind", address, "--dir", self.dir,
                     "--cluster-node-timeout", "2000", *args]
        self.program = program
        self.popen = popen
        self.process = None
        self.output = ""

    def start(self, *more):
        """Starts, and waits until the ports are served."""
        log = open(os.path.join(self.dir, "out"), "w", encoding="utf-8")
        with log:
            self.process = subprocess.Popen([*self.program, *map(str, self.args), *map(str, more)],
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, **self.popen)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.read_log()}")
            if "Ready to accept connections:" in self.read_log():
                return self
            time.sleep(0.02)
        raise RuntimeError("not ready in time: " + self.read_log())

    def read_log(self):
        with open(os.path.join(self.dir, "out"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGTERM):
        """Returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.process = None
        return code

    def close(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def conf(self, name="nodes.conf"):
        with open(os.path.join(self.dir, name), encoding="utf-8") as f:
            return f.read()

    def call(self, *words):
        """One command; the reply as a string, list, int, None or Error."""
        with socket.create_connection((self.address, self.port), timeout=ANSWER_S) as s:
            parts = [b"*%d\r\n" % len(words)]
            for word in words:
                raw = str(word).encode()
                parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
            s.sendall(b"".join(parts))
            with s.makefile("rb") as f:
                return read_reply(f)


def ptrace(request, tid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, tid, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


class StoppedThread:
    """One thread of a child, held as a debugger holds it; the others run on."""

    def __init__(self, node, name):
        self.tid = thread(node, name)

    def __enter__(self):
        ptrace(PTRACE_SEIZE, self.tid)
        ptrace(PTRACE_INTERRUPT, self.tid)
        os.waitpid(self.tid, WALL)

    def __exit__(self, *_):
        ptrace(PTRACE_DETACH, self.tid)


def thread(node, name):
    """The youngest of that name: the kernel lists them by age. A thread of the thread
    sanitizer's own begins just before the program's first one, and inherits its name."""
    tasks, found = f"/proc/{node.process.pid}/task", []
    for tid in os.listdir(tasks):
        with open(f"{tasks}/{tid}/comm", encoding="utf-8") as f:
            if f.read().strip() == name:
                found.append(int(tid))
    return found[-1]


class Error(str):
    """A -ERR reply."""


def read_reply(f):
    line = f.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("closed before a whole reply")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        return Error(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        n = int(rest)
        return None if n < 0 else f.read(n + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return [read_reply(f) for _ in range(int(rest))]
    raise ValueError(f"unexpected reply {line!r}")
