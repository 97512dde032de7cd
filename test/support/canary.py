"""Looks for a code (a PIN chosen to be told apart) where it must not be: files, and the memory of processes (as root)."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess


def word(pin):
    """The code as a word of its own, and in the forms that carry it to a card or from a dialog."""
    return re.compile(
        rb"(?<![0-9A-Za-z])" + pin.encode() + rb"(?![0-9A-Za-z])"
        rb"|" + pin.encode() + rb"\xff\xff\xff\xff"
        rb"|\x00\x20\x00.\x08" + pin.encode()
        + rb"|D " + pin.encode(), re.DOTALL)


def _hits(octets, pin):
    """Where the code is: all forms have its digits, which are found faster than the forms."""
    shape, at = word(pin), octets.find(pin.encode())
    while at != -1:
        begin = max(0, at - 16)
        hits = shape.finditer(octets[begin:at + len(pin) + 16])
        if any(begin + hit.start() <= at < begin + hit.end() for hit in hits):
            yield at
        at = octets.find(pin.encode(), at + 1)


def in_file(path, pin):
    return any(True for _ in _hits(pathlib.Path(path).read_bytes(), pin))


def _regions(pid):
    """(first, last, what it is, its VmFlags) of each readable region."""
    region = None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
        if head:
            region = (int(head[1], 16), int(head[2], 16), head[3], head[4] or "anonymous")
        elif line.startswith("VmFlags:") and "r" in region[2] and region[3] not in ("[vvar]", "[vsyscall]"):
            yield region[0], region[1], region[3], set(line.split()[1:])


def is_locked_page(flags):
    """LockedPage: never swapped (lo), in no core dump (dd), empty in a forked child (wf)."""
    return {"lo", "dd", "wf"} <= flags


def in_memory(pid, pin):
    """Where the code lies in the process: [(region, flags, address, the octets around it)]."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last, name, flags in _regions(pid):
            try:
                os.lseek(memory.fileno(), first, os.SEEK_SET)
                octets = b""
                while len(octets) < last - first and (part := memory.read(last - first - len(octets))):
                    octets += part
            except OSError:
                continue  # a device's, or gone in between
            for at in _hits(octets, pin):
                found.append((name, flags, hex(first + at), octets[max(0, at - 24):at + 24]))
    return found


def core_of(pid, folder):
    """The file of a core that gdb takes of the process: what the kernel would write, were it let."""
    core = pathlib.Path(folder) / "core"
    done = subprocess.run(["gcore", "-o", core, str(pid)], capture_output=True, text=True, timeout=120, check=False)
    file = pathlib.Path(f"{core}.{pid}")
    if not file.exists():
        raise RuntimeError(f"gcore: {done.stdout}{done.stderr}")
    return file


@contextlib.contextmanager
def stopped(*pids):
    """Nothing of these processes moves meanwhile, however slow the search is."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # a debugger that let go of it has let it go on
                os.kill(pid, signal.SIGCONT)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return found
