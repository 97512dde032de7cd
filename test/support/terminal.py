"""A terminal of a test's own: a real pseudo-terminal, and the screen that a person would see (python3-pyte)."""
import fcntl
import os
import pty
import struct
import sys
import termios
import threading

import rig

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python runs the tests
import pyte  # noqa: E402  # pylint: disable=wrong-import-position


class Terminal:
    """`name` is for GPG_TTY; a thread reads what is written to it."""

    TYPE = "xterm"

    def __init__(self, rows=24, columns=80):
        self._ours, self._theirs = pty.openpty()
        self.name = os.ttyname(self._theirs)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.resize(rows, columns)
        threading.Thread(target=self._read, daemon=True).start()

    def resize(self, rows, columns):
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with self._lock:
            self._screen.resize(rows, columns)

    def _read(self):
        while octets := os.read(self._ours, 65536):
            with self._lock:
                self._stream.feed(octets)

    def rows(self):
        with self._lock:
            return list(self._screen.display)

    def words(self):
        """What is read from top to bottom, without frames and the breaks of lines."""
        return " ".join("".join(c for c in " ".join(self.rows()) if not "\u2500" <= c <= "\u257f").split())

    def wait_for(self, words):
        rig.wait_until(lambda: words in self.words(), f"{words!r} in the terminal", 30)

    def type(self, text):
        os.write(self._ours, text.encode())

    def clear(self):
        with self._lock:
            self._screen.reset()
