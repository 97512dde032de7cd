"""A login manager of the test's own: a private D-Bus daemon in the place of the system bus, and on it the logind of
python3-dbusmock. Debian's Python runs the mock; busctl speaks to it."""
import os
import pathlib
import shutil
import subprocess
import unittest

import rig

LOGIN = "org.freedesktop.login1"
MANAGER = "/org/freedesktop/login1"
MOCK = "org.freedesktop.DBus.Mock"
SYSTEM_PYTHON = "/usr/bin/python3"
CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class LoginManager:
    """Starts with one active session, `c1`, of this user."""

    def __init__(self, folder):
        for name in ("dbus-daemon", "busctl"):
            if shutil.which(name) is None:
                raise unittest.SkipTest(f"{name} is not installed")
        if subprocess.run([SYSTEM_PYTHON, "-c", "import dbusmock"], capture_output=True, check=False).returncode:
            raise unittest.SkipTest("the mocked login manager is not installed (python3-dbusmock)")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "bus"
        self.address = f"unix:path={self.socket}"
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.bus = self.mock = None
        self.start_bus()
        self.start_mock()

    # Processes.

    def start_bus(self):
        (self.folder / "bus.conf").write_text(CONFIGURATION.format(address=self.address))
        self.bus = rig.Process("dbus-daemon", ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                                               f"--config-file={self.folder}/bus.conf"], self.folder)
        rig.wait_until(lambda: self.bus.must_run() or self.socket.exists(), "the bus")

    def start_mock(self):
        self.mock = rig.Process("logind", [SYSTEM_PYTHON, "-m", "dbusmock", "--template", "logind"], self.folder,
                                self.environment)
        rig.wait_until(lambda: self.mock.must_run() or self.ask(MANAGER, MOCK, "AddSeat", "s", "seat0"), "logind")
        # What the template lacks, or has with a fault in it.
        for name, takes, code in (
                ("GetUser", "u", 'ret = "/org/freedesktop/login1/user/%u" % args[0]'),
                ("GetSessionByPID", "u", 'raise dbus.exceptions.DBusException("no", '
                                         'name="org.freedesktop.login1.NoSessionForPID")')):
            self.call(MANAGER, MOCK, "AddMethod", "sssss", LOGIN + ".Manager", name, takes, "o", code)
        self.add_session("c1")

    def stop_mock(self):
        self.mock.stop()

    def stop_bus(self):
        """The mock ends with its bus."""
        self.bus.stop()
        self.mock.stop()
        self.socket.unlink(missing_ok=True)

    def stop(self):
        self.stop_bus()

    # What it is told.

    def ask(self, path, interface, method, *arguments):
        """What busctl prints; None where the answer is an error."""
        done = subprocess.run(["busctl", f"--address={self.address}", "call", LOGIN, path, interface, method,
                               *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip() or "nothing" if done.returncode == 0 else None

    def call(self, path, interface, method, *arguments):
        answer = self.ask(path, interface, method, *arguments)
        if answer is None:
            raise RuntimeError(f"{method} of {path} failed")
        return answer

    def signal(self, path, interface, name, signature="", *arguments):
        """`arguments` as busctl takes variants: "b", "true", "s", "c1"."""
        self.call(path, MOCK, "EmitSignal", "sssav", interface, name, signature, len(signature), *arguments)

    def add_session(self, name, user=None, active=True):
        self.call(MANAGER, MOCK, "AddSession", "ssusb", name, "seat0", os.geteuid() if user is None else user, "someone",
                  str(active).lower())

    def session(self, name="c1"):
        return f"{MANAGER}/session/{name}"

    def lock(self, name="c1"):
        self.signal(self.session(name), LOGIN + ".Session", "Lock")

    def change(self, name="c1", **flags):
        """Properties of a session: LockedHint=True."""
        changes = [word for flag, value in flags.items() for word in (flag, "b", str(value).lower())]
        self.call(self.session(name), MOCK, "UpdateProperties", "sa{sv}", LOGIN + ".Session", len(flags), *changes)

    def display(self, name):
        """Makes that session the user's display."""
        self.call(f"{MANAGER}/user/{os.geteuid()}", "org.freedesktop.DBus.Properties", "Set", "ssv", LOGIN + ".User",
                  "Display", "(so)", name, self.session(name))

    def prepare_for_sleep(self, begins):
        self.signal(MANAGER, LOGIN + ".Manager", "PrepareForSleep", "b", "b", str(begins).lower())

    def announce(self, member, name):
        """SessionNew, SessionRemoved."""
        self.signal(MANAGER, LOGIN + ".Manager", member, "so", "s", name, "o", self.session(name))

    def remove_session(self, name="c1"):
        self.call(MANAGER, MOCK, "RemoveObject", "s", self.session(name))
        self.announce("SessionRemoved", name)

    def remove_user(self):
        self.signal(MANAGER, LOGIN + ".Manager", "UserRemoved", "uo", "u", os.geteuid(), "o",
                    f"{MANAGER}/user/{os.geteuid()}")

    def inhibitors(self):
        """How many delay sleep."""
        return int(self.call(MANAGER, LOGIN + ".Manager", "ListInhibitors").split()[1])
