"""The finger on the keys of a virtual reader (ifd_pin_pad.cpp)."""

import contextlib
import queue
import socket
import threading
import time

DEADLINE = 15.0  # seconds for an entry to be asked for


class Keypad:
    """Types what it is told to, one line an entry, as soon as `ready` says so; where it is told
    nothing, it lets the reader wait."""

    def __init__(self, path):
        self.ready = lambda: True
        self._lines = queue.Queue()
        self._asked = queue.Queue()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def type(self, *lines):
        """For the next entries: "1234"; "1234 4321 4321" for a change; "cancel", "timeout"."""
        for line in lines:
            self._lines.put(line)

    def wait(self):
        """Until the reader asks. Returns what: "verify 4 4"."""
        return self._asked.get(timeout=DEADLINE)

    def asked(self):
        """What the reader asked since the last look, without waiting."""
        return [self._asked.get_nowait() for _ in range(self._asked.qsize())]

    def forget(self):
        """What was to be typed, and what was asked, in the test before."""
        while not self._lines.empty():
            self._lines.get_nowait()
        self.asked()

    def _serve(self):
        while True:
            entry, _ = self._socket.accept()
            self._asked.put(entry.makefile().readline().strip())
            threading.Thread(target=self._answer, args=(entry,), daemon=True).start()

    def _answer(self, entry):
        with entry:
            while not self._gone(entry):
                if not self.ready():
                    time.sleep(0.02)
                    continue
                with contextlib.suppress(queue.Empty):
                    entry.sendall(self._lines.get(timeout=0.05).encode() + b"\n")
                    return

    @staticmethod
    def _gone(entry):
        try:
            return entry.recv(1, socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
