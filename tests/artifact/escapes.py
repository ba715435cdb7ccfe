# ruff: noqa: PTH101, PTH110, PTH112, PTH115, PTH116, PTH207, PTH208, PTH211, SIM115, BLE001
"""A model that tries to get out: each attempt raises, or returns something true when it succeeded.

Saved as a model from code and run by the scorer; it answers one number an attempt, 1 for an escape.
"""

import ctypes
import glob
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel

ROOM = os.environ["TEST_ROOM"]
PARENT = os.getppid()
LIBC = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
    done = LIBC.syscall(number, *args)
    if done < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return done + 1


def fork_bomb():
    children = []
    for _ in range(50):
        child = os.fork()
        if child == 0:
            os._exit(0)
        children.append(child)
    return children


def much_memory():
    kept = [bytearray(1 << 28) for _ in range(16)]
    return len(kept) == 16


def much_shared_memory():
    kept = [mmap.mmap(-1, 1 << 28) for _ in range(64)]
    return len(kept) == 64


def other_files_open():
    """Descriptors that are neither the standard ones, nor the one socket, nor Python's own."""
    mine = {
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if Path(f"/proc/self/fd/{fd}").is_symlink()
    }
    return sum(name.startswith("socket:") for name in mine) > 1


def answer_for_others():
    """A frame of the protocol into every other descriptor that is open."""
    sent = []
    for fd in range(3, 256):
        try:
            if os.fstat(fd) and not os.get_inheritable(fd) and fd != own_socket():
                os.write(fd, struct.pack(">QQ", 2, 0) + b"{}")
                sent.append(fd)
        except OSError:
            continue
    return sent


def own_socket():
    return next(
        fd
        for fd in range(3, 256)
        if os.path.exists(f"/proc/self/fd/{fd}") and "socket" in os.readlink(f"/proc/self/fd/{fd}")
    )


def shared_with_all():
    Path("/dev/shm/mlgates-escaped").write_text("x")
    return os.stat("/dev/shm").st_dev == int(os.environ["TEST_SHM"])


def no_limit_any_more():
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return True


ATTEMPTS = {
    "connect over TCP": lambda: socket.create_connection(("127.0.0.1", int(os.environ["TEST_PORT"])), timeout=2),
    "connect over IPv6": lambda: socket.socket(socket.AF_INET6),
    "send by UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "look up a name": lambda: socket.getaddrinfo("localhost.localdomain.test", 80),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "a socket file of another program": lambda: socket.socket(socket.AF_UNIX).connect(f"{ROOM}/socket"),
    "a raw system call for a socket": lambda: syscall(41 if os.uname().machine == "x86_64" else 198, 2, 1, 0),
    "io_uring": lambda: syscall(425, 8, ctypes.create_string_buffer(256)),
    "write outside": lambda: Path(ROOM, "new").write_text("x"),
    "write over a file": lambda: Path(ROOM, "secret").write_text("x"),
    "write into the model": lambda: Path(ROOM, "model", "MLmodel").open("a").write("x"),
    "delete": lambda: Path(ROOM, "secret").unlink() or True,
    "rename": lambda: Path(ROOM, "secret").rename(f"{ROOM}/moved"),
    "truncate": lambda: os.truncate(f"{ROOM}/secret", 0) or True,
    "change rights": lambda: os.chmod(f"{ROOM}/secret", 0o777) or True,
    "make a link": lambda: os.symlink("/etc/passwd", f"{ROOM}/link") or True,
    "write into Python": lambda: Path(mlflow.__file__).with_name("evil.py").write_text("x"),
    "write a bytecode file": lambda: Path(os.__file__).with_name("evil.pyc").write_bytes(b"x"),
    "write to /tmp": lambda: Path("/tmp/mlgates-escaped").write_text("x"),
    "write to everybody's /dev/shm": lambda: shared_with_all(),
    "read a secret": lambda: Path(ROOM, "secret").read_text(),
    "read .env beside it": lambda: Path(ROOM, ".env").read_text(),
    "read the home folder": lambda: Path(os.environ["TEST_HOME"], ".ssh", "id_ed25519").read_text(),
    "read the passwords": lambda: Path("/etc/shadow").read_text(),
    "list the folder above": lambda: os.listdir(ROOM),
    "read the parent's environment": lambda: Path(f"/proc/{PARENT}/environ").read_bytes(),
    "read the gate's environment": lambda: Path(f"/proc/{os.environ['TEST_GATE']}/environ").read_bytes(),
    "read the parent's memory": lambda: Path(f"/proc/{PARENT}/mem").open("rb"),
    "list the parent's files": lambda: os.listdir(f"/proc/{PARENT}/fd"),
    "read the command lines of others": lambda: Path(f"/proc/{os.environ['TEST_GATE']}/cmdline").read_bytes(),
    "signal the parent": lambda: os.kill(PARENT, signal.SIGTERM) or True,
    "signal the gate": lambda: os.kill(int(os.environ["TEST_GATE"]), 0) or True,
    "signal everybody": lambda: os.kill(-1, 0) or True,
    "signal the group": lambda: os.killpg(0, 0) or True,
    "signal by queue": lambda: syscall(
        129 if os.uname().machine == "x86_64" else 138, PARENT, 0, ctypes.create_string_buffer(128)
    ),
    "signal by descriptor": lambda: syscall(434, PARENT, 0),
    "trace the parent": lambda: syscall(101 if os.uname().machine == "x86_64" else 117, 16, PARENT, 0, 0),
    "leave the session": lambda: os.setsid() or True,
    "leave the group": lambda: os.setpgid(0, 0) or True,
    "outlive the parent": lambda: LIBC.prctl(1, 0, 0, 0, 0) == 0,
    "fork": lambda: fork_bomb(),
    "start a program": lambda: subprocess.run(["/bin/true"], check=True) or True,
    "a shell": lambda: os.system("true") == 0,
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "clone without a thread": lambda: syscall(
        56 if os.uname().machine == "x86_64" else 220, signal.SIGCHLD, 0, 0, 0, 0
    ),
    "memory": much_memory,
    "shared memory": much_shared_memory,
    "lift the limits": no_limit_any_more,
    "limits of the parent": lambda: resource.prlimit(PARENT, resource.RLIMIT_NOFILE, (1, 1)) or True,
    "new namespaces": lambda: LIBC.unshare(0x10000000) == 0,
    "mount": lambda: LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0,
    "change the root": lambda: os.chroot(ROOM) or True,
    "become another user": lambda: os.setuid(12345) or os.getuid() == 12345,
    "sockets of other models": other_files_open,
    "answers for other models": answer_for_others,
    "secrets in the environment": lambda: "TEST_SECRET" in os.environ,
    "the gate's package": lambda: "pytest_mlgates" in sys.modules,
    "ssh agents": lambda: os.environ.get("SSH_AUTH_SOCK"),
    "other temporary folders": lambda: [name for name in glob.glob("/tmp/*") if os.path.isdir(name)],
}
#: What honest models do, which must go on working: each returns something true when it works.
HONEST = {
    "threads": lambda: run_thread(),
    "its own folder": lambda: Path(os.environ["TMPDIR"], "x").write_text("x"),
    "temporary files": lambda: temporary(),
    "reading packages": lambda: Path(mlflow.__file__).read_text(),
    "late imports": lambda: __import__("wave"),
    "time zones": lambda: __import__("zoneinfo").ZoneInfo("Europe/Paris"),
    "matrices on several threads": lambda: np.linalg.norm(
        np.random.default_rng(0).random((400, 400)) @ np.ones((400, 400))
    ),
    "locks of multiprocessing": lambda: __import__("multiprocessing").Lock(),
    "OpenMP": lambda: openmp(),
    "its own process": lambda: Path("/proc/self/status").read_text(),
}


def run_thread():
    seen = []
    worker = threading.Thread(target=lambda: seen.append(1))
    worker.start()
    worker.join()
    return seen


def temporary():
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        return file.write(b"x")


def openmp():
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = np.random.default_rng(0).random((200, 3))
    fitted = HistGradientBoostingClassifier(max_iter=3).fit(rows, rows[:, 0] > 0.5)
    return len(fitted.predict(rows))


def tried(attempt):
    try:
        return float(bool(attempt()))
    except BaseException:  # a refusal of any kind
        return 0.0


class Escapes(PythonModel):
    def predict(self, context, model_input, params=None):
        return np.array([tried(attempt) for attempt in (*ATTEMPTS.values(), *HONEST.values())])


mlflow.models.set_model(Escapes())
