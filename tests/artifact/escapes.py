# ruff: noqa: PTH101, PTH110, PTH112, PTH115, PTH116, PTH207, PTH208, PTH211, SIM115, BLE001
"""A model that tries to get out: each attempt raises, or returns something true when it succeeded.

Saved as a model from code and run by the scorer; it answers one number an attempt, 1 for an escape.
"""

import ctypes
import fcntl
import glob
import mmap
import os
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel

ROOM = os.environ["TEST_ROOM"]
X86 = os.uname().machine == "x86_64"
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


def linked(make):
    """A link in its own folder to what it may not read."""
    own = Path(os.environ["TMPDIR"], f"link-{make.__name__}")
    make(f"{ROOM}/secret", own)
    return own.read_text()


def device(mode, number):
    own = Path(os.environ["TMPDIR"], f"device-{number}")
    os.mknod(own, mode | 0o600, number)
    return own.open("rb").read(1) is not None


def signal_through_a_pipe():
    read, _ = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETOWN, PARENT)
    return True


def memory_without_a_name():
    """Files in memory, which no limit of a process counts."""
    descriptors = [os.memfd_create("x") for _ in range(40)]
    return [os.posix_fallocate(fd, 0, 1 << 28) for fd in descriptors]


def signal_anybody():
    return [pid for pid in range(1, 5000) if pid != os.getpid() and reached(pid)]


def reached(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def own_disk():
    """More room than a model may fill."""
    found = os.statvfs(os.environ["TMPDIR"])
    return found.f_frsize * found.f_blocks > 1 << 30


ATTEMPTS = {
    "connect over TCP": lambda: socket.create_connection(("127.0.0.1", int(os.environ["TEST_PORT"])), timeout=2),
    "connect over IPv6": lambda: socket.socket(socket.AF_INET6),
    "send by UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "look up a name": lambda: socket.getaddrinfo("localhost.localdomain.test", 80),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "a socket file of another program": lambda: socket.socket(socket.AF_UNIX).connect(f"{ROOM}/socket"),
    "a raw system call for a socket": lambda: syscall(41 if X86 else 198, 2, 1, 0),
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
    "signal by queue": lambda: syscall(129 if X86 else 138, PARENT, 0, ctypes.create_string_buffer(128)),
    "signal by descriptor": lambda: syscall(434, PARENT, 0),
    "trace the parent": lambda: syscall(101 if X86 else 117, 16, PARENT, 0, 0),
    "leave the session": lambda: os.setsid() or True,
    "leave the group": lambda: os.setpgid(0, 0) or True,
    "outlive the parent": lambda: LIBC.prctl(1, 0, 0, 0, 0) == 0,
    "fork": lambda: fork_bomb(),
    "start a program": lambda: subprocess.run(["/bin/true"], check=True) or True,
    "a shell": lambda: os.system("true") == 0,
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "clone without a thread": lambda: syscall(56 if X86 else 220, signal.SIGCHLD, 0, 0, 0, 0),
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
    "a link to a secret": lambda: linked(os.symlink),
    "a hard link to a secret": lambda: linked(os.link),
    "a secret through its own root": lambda: Path(f"/proc/self/root{ROOM}/secret").read_text(),
    "a secret up from its own folder": lambda: Path(os.path.relpath(f"{ROOM}/secret")).read_text(),
    "the parent's environment by another way": lambda: Path(f"/proc/self/../{PARENT}/environ").read_bytes(),
    "the environment of the first process": lambda: Path("/proc/1/environ").read_bytes(),
    "a list of all processes": lambda: os.listdir("/proc"),
    "folders of other models": lambda: os.listdir(Path(os.environ["TMPDIR"]).parent),
    "change the times of a file": lambda: os.utime(f"{ROOM}/secret", (0, 0)) or True,
    "an attribute of a file": lambda: os.setxattr(f"{ROOM}/secret", "user.x", b"x") or True,
    "watch a folder": lambda: syscall(294 if X86 else 26, 0),
    "a disk": lambda: device(stat.S_IFBLK, os.makedev(253, 0)),
    "the machine's memory": lambda: device(stat.S_IFCHR, os.makedev(1, 1)),
    "the kernel's messages": lambda: LIBC.klogctl(3, ctypes.create_string_buffer(64), 64) > 0,
    "a terminal": lambda: Path("/dev/tty").open("rb"),
    "settings of the kernel": lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/bin/true"),
    "control groups": lambda: Path("/sys/fs/cgroup/cgroup.procs").write_text(str(os.getpid())),
    "be ended last": lambda: Path("/proc/self/oom_score_adj").write_text("-1000"),
    "the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()) or True,
    "the name of the machine": lambda: socket.sethostname("escaped") or True,
    "the priority of the parent": lambda: os.setpriority(os.PRIO_PROCESS, PARENT, 19) or True,
    "the processors of the parent": lambda: os.sched_setaffinity(PARENT, {0}) or True,
    "a signal through a pipe": signal_through_a_pipe,
    "a signal to a thread of the parent": lambda: syscall(234 if X86 else 131, PARENT, PARENT, 0),
    "a signal to anybody": signal_anybody,
    "memory without a name": memory_without_a_name,
    "more disk than it should have": own_disk,
    "a program in its place": lambda: os.execv("/bin/true", ["true"]),
    "a program by descriptor": lambda: os.execve(os.open("/bin/true", os.O_RDONLY), ["true"], {}),
    "a fork that is a thread of nobody": lambda: syscall(435, ctypes.create_string_buffer(88), 88),
    "vfork": lambda: syscall(58, 0) if X86 else None,
    "a socket of the kernel": lambda: socket.socket(16, socket.SOCK_RAW),
    "packets": lambda: socket.socket(17, socket.SOCK_RAW),
    "the host of a virtual machine": lambda: socket.socket(40, socket.SOCK_STREAM),
    "programs in the kernel": lambda: syscall(321 if X86 else 280, 0, ctypes.create_string_buffer(128), 128),
    "keys": lambda: syscall(250 if X86 else 219, 0, -3, 0),
    "faults as files": lambda: syscall(323 if X86 else 282, 0),
    "a handle instead of a name": lambda: syscall(304 if X86 else 265, -100, ctypes.create_string_buffer(64), 0),
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
    "a copy of a file": lambda: copied(),
    "files looked for in vain": lambda: not os.path.exists("/home/nobody/.config"),
    "being ended first": lambda: Path("/proc/self/oom_score_adj").read_text().strip() == "1000",
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


def copied():
    import shutil

    return shutil.copyfile(mlflow.__file__, Path(os.environ["TMPDIR"], "copy"))


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
