"""A machine of the test's own: private mounts and network, a real pcscd, virtual readers and
virtual cards. A test file says `rig.isolate()` on top and `rig.Rig()` in its set-up:

    with rig.Rig() as machine:
        machine.start_pcscd()
        card = machine.start_vcard("medecin-cps3")
        card.control("remove")

CPS_BUILD_ROOT and CPS_TEST_PKI (Meson sets both) say where programs and cards are. What a
rig starts, it ends by its process id, whatever happens; a killed test takes them with it.
"""

import ctypes
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import winscard
from keypad import Keypad

SOURCE_ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_ROOT = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", SOURCE_ROOT / "build"))
PKI = pathlib.Path(os.environ.get("CPS_TEST_PKI", BUILD_ROOT / "test" / "integration" / "pki"))
PIN, WRONG_PIN, PUK = "1234", "9999", "12345678"

VPCD_DRIVER = pathlib.Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
FIRST_PORT, SECOND_PORT = 35963, 35965  # a virtual reader takes its port and the next one
START_DEADLINE = 15.0  # seconds for pcscd, a reader or a card to appear; pcscd polls every 0.4 s
STOP_DEADLINE = 5.0  # seconds between SIGTERM and SIGKILL
_INSIDE = "CPS_RIG_INSIDE"


def isolate():
    """Goes on in mount and network namespaces of our own, by executing the program again.
    Skips the file where that cannot be had."""
    if os.environ.get(_INSIDE) != str(os.getpid()):
        _execute_inside()
    _raise_loopback()
    # The readers' ports lie in the range that the kernel hands out; ours alone, so move that.
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 60999")
    pathlib.Path("/run/pcscd").mkdir(exist_ok=True)
    _mount_tmpfs("/run/pcscd")


def _execute_inside():
    """Executes this program again under `unshare`, which keeps the process id."""
    if os.geteuid() != 0:
        _must_succeed("private namespaces want root or sudo without a password",
                      "sudo", "-n", "true")
        kept = [f"{name}={value}" for name, value in os.environ.items()
                if name.startswith("CPS_") or name in ("PATH", "LANG", "HOME")]
        os.execvp("sudo", ["sudo", "-n", "env", *kept, sys.executable, *sys.argv])
    _must_succeed("private namespaces cannot be had here", "unshare", "-m", "-n", "true")
    os.environ[_INSIDE] = str(os.getpid())
    os.execvp("unshare", ["unshare", "-m", "-n", "--", sys.executable, *sys.argv])


def _must_succeed(why, *command):
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise unittest.SkipTest(why) from None


def _raise_loopback():
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = fcntl.ioctl(s, get_flags, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", request)[1]
        fcntl.ioctl(s, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def _mount_tmpfs(directory):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(directory)], check=True)


def _end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def program(name):
    """The path of a built program: program("tools/vcard/cps-vcard")."""
    path = BUILD_ROOT / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built")
    return path


def where(applies, why):
    """A test, or a class of tests, that is none where it does not apply: `why` says what it would say there.
    A test that is skipped is one that this machine could not run."""
    assert why
    return lambda test: test if applies else None


def processes():
    """The programs that run in the namespaces of this test: {process id: [argv[0], ...]}.
    Files of tests run side by side, so the machine's process table has those of others too."""
    ours, found = os.readlink("/proc/self/ns/net"), {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/net") == ours:
                found[int(folder.name)] = (folder / "cmdline").read_text(errors="replace").split("\0")[:-1]
        except OSError:
            pass  # it went
    return found


def wait_until(condition, what, deadline=START_DEADLINE):
    """Asks `condition` again and again until it is true; returns what it returned."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline} s for {what}")
        time.sleep(0.02)


class Process:
    """A program of the rig. Its output goes to `log`."""

    def __init__(self, name, arguments, directory, environment=None):
        self.name = name
        self.log = directory / f"{name}.out"
        with open(self.log, "ab") as out:
            self._child = subprocess.Popen(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment, preexec_fn=_end_with_parent)

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def must_run(self):
        if not self.running():
            raise RuntimeError(f"{self.name} ended with {self._child.returncode}:\n"
                               f"{self.output()[-2000:]}")

    def stop(self):
        """SIGTERM, then SIGKILL after STOP_DEADLINE. Returns the exit code."""
        if self.running():
            self._child.terminate()
            try:
                self._child.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                self._child.kill()
        return self._child.wait()


class VirtualCard(Process):
    """A running cps-vcard."""

    def __init__(self, rig, name, card, port, flags):
        self._rig = rig
        self.port = port
        self.directory = PKI / "cards" / card if isinstance(card, str) else pathlib.Path(card)
        self.control_socket = rig.directory / f"{name}.sock"
        self.apdu_log = rig.directory / f"{name}.apdu"
        self.apdu_log.touch()
        arguments = [program("tools/vcard/cps-vcard"), "--card", self.directory,
                     "--vpcd", f"127.0.0.1:{port}", "--apdu-log", self.apdu_log,
                     "--control", self.control_socket]
        for flag, value in flags.items():
            arguments += [f"--{flag.replace('_', '-')}", value]
        super().__init__(name, arguments, rig.directory)

    def control(self, line):
        """Sends one order; returns what follows "ok". Raises ValueError for "error …"."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(STOP_DEADLINE)
            s.connect(str(self.control_socket))
            s.sendall(line.encode() + b"\n")
            answer = s.makefile().readline().strip()
        if answer.split(" ")[0] != "ok":
            raise ValueError(answer)
        return answer[2:].strip()

    def status(self):
        """The numbers of the order `status`, by name."""
        return {name: int(value) for name, value in
                (pair.split("=") for pair in self.control("status").split())}

    def apdus(self):
        """The lines of the APDU log: "> …", "< …", "-- ctrl …"."""
        return self.apdu_log.read_text().splitlines()

    def remove(self):
        """Pulls the card and waits until PC/SC has seen it."""
        self.control("remove")
        self._rig.wait_for_card(self.port, winscard.STATE_EMPTY)

    def pull(self):
        """Pulls the card; when PC/SC told it to a client that was waiting for it, by time.monotonic(). (Who asks hears
        it earlier where a command failed: pcscd wakes those who wait at its next look, up to 0.4 s later.)"""
        told = []

        def wait():
            self._rig.wait_for_card(self.port, winscard.STATE_EMPTY)
            told.append(time.monotonic())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.05)  # until it waits
        self.control("remove")
        waiting.join()
        return told[0]

    def insert(self):
        """Puts the card in and waits until PC/SC has seen it."""
        if not self.status()["inserted"]:
            self._rig.wait_until_seen_to_leave(self.port)
        self.control("insert")
        self._rig.wait_for_card(self.port)


class Rig:
    """pcscd, readers and cards; `with` it, or call `stop` at the end."""

    def __init__(self):
        if shutil.which("pcscd") is None:
            raise unittest.SkipTest("PC/SC is not installed (pcscd)")
        if not VPCD_DRIVER.exists():
            raise unittest.SkipTest("the virtual reader is not installed (vsmartcard-vpcd)")
        if os.environ.get(_INSIDE) != str(os.getpid()):
            raise RuntimeError("rig.isolate() comes first")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cps-rig-"))
        _mount_tmpfs(self.directory)  # what is left in it goes with the namespace
        self._pcscd, self._starts = None, 0
        self._ports = ()
        self.keypad = None
        self._processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends everything, in the reverse order of starting."""
        for process in reversed(self._processes):
            process.stop()
        self.stop_pcscd()
        subprocess.run(["umount", "-l", str(self.directory)], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- pcscd

    def start_pcscd(self, ports=(FIRST_PORT,), keypad=False):
        """Starts pcscd with a virtual reader a port and waits until it lists them. With
        `keypad` the first reader takes PINs itself: what self.keypad types."""
        self._ports = tuple(ports)
        if keypad and self.keypad is None:
            self.keypad = Keypad(self.directory / f"libifdpinpad-{ports[0]}.keys")
        configuration = self.directory / "reader.conf.d"
        configuration.mkdir(exist_ok=True)
        (configuration / "vpcd").write_text("".join(
            f'FRIENDLYNAME "CPS Reader {port}"\nDEVICENAME /dev/null:{port}\n'
            f"LIBPATH {self._driver(port)}\nCHANNELID {port:#x}\n\n" for port in self._ports))
        self._starts += 1
        self._pcscd = Process(f"pcscd-{self._starts}", ["pcscd", "-f", "--info", "-c", configuration], self.directory)
        for port in self._ports:
            wait_until(lambda p=port: self._find_reader(p), f"the reader on port {port}")

    def _driver(self, port):
        """A copy of the driver, whose slots are static: loaded once, two readers are one."""
        copy = self.directory / f"libifdvpcd-{port}.so"
        shutil.copy(VPCD_DRIVER, copy)
        if self.keypad is None or port != self._ports[0]:
            return copy
        return shutil.copy(program("test/support/libifdpinpad.so"),
                           self.directory / f"libifdpinpad-{port}.so")

    def stop_pcscd(self):
        if self._pcscd is not None:
            self._pcscd.stop()
            self._pcscd = None
            for left in ("pcscd.comm", "pcscd.pid"):
                pathlib.Path("/run/pcscd", left).unlink(missing_ok=True)

    def restart_pcscd(self):
        self.stop_pcscd()
        self.start_pcscd(self._ports)

    def reader(self, port=FIRST_PORT):
        """The name of the first slot of the reader on `port`."""
        return wait_until(lambda: self._find_reader(port), f"the reader on port {port}")

    def _find_reader(self, port):
        self._pcscd.must_run()
        try:
            with winscard.Context() as context:
                names = context.readers()
        except winscard.PcscError:  # pcscd does not listen yet
            return None
        return next((n for n in names
                     if n.startswith(f"CPS Reader {port} ") and n.endswith(" 00")), None)

    def wait_for_card(self, port=FIRST_PORT, state=winscard.STATE_PRESENT):
        """Until PC/SC sees a card (or none) in that reader. Returns its ATR."""
        reader = self.reader(port)
        with winscard.Context() as context:
            return context.wait(reader, state, time.monotonic() + START_DEADLINE)

    # --- cards

    def start_vcard(self, card, port=FIRST_PORT, wait=True, **flags):
        """Starts cps-vcard with a card of the test hierarchy (its name) or of a directory
        (a Path). `flags` are its options: timing="cps3", state=PATH. Waits until PC/SC sees
        the card, unless told not to."""
        self.wait_until_seen_to_leave(port)
        name = f"vcard-{port}-{len(self._processes)}"
        process = VirtualCard(self, name, card, port, flags)
        self._processes.append(process)
        wait_until(lambda: process.must_run() or process.control_socket.exists(),
                   "the card's control socket")
        if wait:
            self.wait_for_card(port)
        return process

    def wait_until_seen_to_leave(self, port):
        """Until pcscd's watching thread knows that the last card has left. Where a command failed, pcscd says so
        at once; but the thread looks every 0.4 s, and does not see a card that is back by then (1.9.9, tried)."""
        moves = re.compile(rf"Card (inserted into|Removed From) CPS Reader {port} 00 00$", re.MULTILINE)
        wait_until(lambda: moves.findall(self._pcscd.output())[-1:] != ["inserted into"], "pcscd to see the card leave")

    def start(self, name, arguments, environment=None):
        """Starts another program; the rig ends it."""
        process = Process(f"{name}-{len(self._processes)}", arguments, self.directory,
                          environment)
        self._processes.append(process)
        return process

    def connect(self, port=FIRST_PORT, share=winscard.SHARE_SHARED):
        """A context and a card to talk to directly: `with machine.connect() as card`."""
        return _Connection(self.reader(port), share)


class _Connection:
    def __init__(self, reader, share):
        self._reader, self._share = reader, share

    def __enter__(self):
        self._context = winscard.Context()
        try:
            self._card = self._context.connect(self._reader, share=self._share)
        except winscard.PcscError:
            self._context.__exit__()
            raise
        return self._card

    def __exit__(self, *_):
        self._card.disconnect()
        self._context.__exit__()
