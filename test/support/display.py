"""A screen of a test's own (Xvfb), and a person before it who looks, types and presses buttons (xdotool)."""
import os
import re
import subprocess
import typing

import rig

SHOTS = rig.BUILD_ROOT / "artefacts"
SIZE = (1024, 768)  # pixels: a small laptop's
DEADLINE = 30  # seconds for a program to be seen or to go, and for one look
# MALLOC_PERTURB_ is Meson's, and gcr's prompter does not live with it.
PLACES = ("MALLOC_PERTURB_", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "GPG_TTY",
          "TERM")


def environment(**places):
    """This process's, with no screen, terminal or session bus but those of `places`."""
    kept = {name: value for name, value in os.environ.items() if name not in PLACES}
    return {**kept, **places}


class Window(typing.NamedTuple):
    """The number alone may be the next program's window's, too."""

    number: str
    pid: str


class Display:
    """Ends with `stop`, or with the test's process."""

    def __init__(self, directory):
        # -noreset: a server that begins anew when its last client goes turns the next one away.
        self._server = rig.Process(
            "xvfb", ["Xvfb", "-noreset", "-displayfd", "1", "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"],
            directory, environment())
        number = rig.wait_until(lambda: re.search(r"^(\d+)$", self._server.output(), re.MULTILINE), "a screen")
        self.name = ":" + number[1]

    def stop(self):
        self._server.stop()

    def _run(self, *command):
        """What a command says: nothing of a window that has gone."""
        return subprocess.run(command, env=environment(DISPLAY=self.name), capture_output=True, check=False,
                              timeout=DEADLINE).stdout

    def windows(self, title):
        """Those that can be seen and are called so."""
        numbers = self._run("xdotool", "search", "--onlyvisible", "--name", title).decode().split()
        known = [Window(number, self._run("xdotool", "getwindowpid", number).decode().strip()) for number in numbers]
        return [window for window in known if window.pid]

    def wait_for(self, title):
        """The window, with the keyboard: there is no window manager to give it."""
        window = rig.wait_until(lambda: self.windows(title), f"a window {title!r}", DEADLINE)[-1]
        self.wait_until_painted(window)
        self._run("xdotool", "windowfocus", "--sync", window.number)
        return window

    def wait_until_gone(self, title, window):
        rig.wait_until(lambda: window not in self.windows(title), f"the end of the window {title!r}", DEADLINE)

    def wait_until_painted(self, window):
        """A window is there before its words are: until two looks at it are alike, and of more than a few colours."""
        seen = [b""]

        def settled():
            seen.append(self.pixels(window))
            octets = seen[-1]
            return octets == seen[-2] and len(set(zip(octets[::3], octets[1::3], octets[2::3]))) > 8

        rig.wait_until(settled, "a painted window", DEADLINE)

    def geometry(self, window):
        """(x, y, width, height) on the screen."""
        told = self._run("xdotool", "getwindowgeometry", "--shell", window.number).decode().split()
        values = dict(line.split("=") for line in told)
        return tuple(int(values[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def pixels(self, window, rows=None):
        """What is seen where the window is, as octets. Of the screen: asked for a window that has gone,
        import takes the whole server for itself and waits for a click on another."""
        x, y, width, height = self.geometry(window)
        return self._run("import", "-silent", "-window", "root", "-crop", f"{width}x{rows or height}+{x}+{y}",
                         "-depth", "8", "rgb:-")

    def top(self, window):
        """The phrase and the first words below it: above the field, whose cursor blinks."""
        return self.pixels(window, rows=100)

    def keep(self, name):
        """A picture of the whole screen among the run's artefacts."""
        SHOTS.mkdir(exist_ok=True)
        self._run("import", "-silent", "-window", "root", str(SHOTS / f"{name}.png"))

    def type(self, text):
        self._run("xdotool", "type", "--delay", "30", text)

    def press(self, *keys):
        self._run("xdotool", "key", "--delay", "60", *keys)


class SessionBus:
    """A private session bus, on which programs are started as they are asked for (gcr's prompter)."""

    def __init__(self, directory, display):
        self.address = f"unix:path={directory}/session-bus"
        self._daemon = rig.Process(
            "session-bus", ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self.address}"],
            directory, environment(DISPLAY=display.name))
        rig.wait_until((directory / "session-bus").exists, "a session bus")

    def stop(self):
        self._daemon.stop()
