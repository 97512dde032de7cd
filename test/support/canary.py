"""Looks for a code (a PIN chosen to be told apart) where it must not be: files, and the memory of processes (as root)."""
import os
import pathlib
import re


def word(pin):
    """The code as a word of its own, and in the forms that carry it to a card or from a dialog."""
    return re.compile(
        rb"(?<![0-9A-Za-z])" + pin.encode() + rb"(?![0-9A-Za-z])"
        rb"|" + pin.encode() + rb"\xff\xff\xff\xff"
        rb"|\x00\x20\x00.\x08" + pin.encode()
        + rb"|D " + pin.encode(), re.DOTALL)


def in_file(path, pin):
    return word(pin).search(pathlib.Path(path).read_bytes()) is not None


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
            for hit in word(pin).finditer(octets):
                around = octets[max(0, hit.start() - 24):hit.end() + 24]
                found.append((name, flags, hex(first + hit.start()), around))
    return found


def children(pid):
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]
