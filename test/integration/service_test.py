"""The agent as a service of the user's systemd: its unit, its autostart entry, and what it tells whoever started it."""
import configparser
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from agent_process import BUILD, Agent

UNIT = BUILD / "packaging/cps-agent.service"
ENTRY = BUILD / "packaging/cps-agent.desktop"
# systemd-analyze's exposure, in tenths: what a user's unit can have without namespaces. Root's options are in that sum.
MOST_EXPOSED = 65


def analyze(*arguments, runtime="/nonexistent"):
    if shutil.which("systemd-analyze") is None:
        raise unittest.SkipTest("systemd-analyze is not installed")
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "XDG_RUNTIME_DIR": str(runtime)})


class TheUnit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-service-"))
        self.addCleanup(shutil.rmtree, self.folder)
        # As installed, but with the program where it was built.
        self.unit = self.folder / "cps-agent.service"
        lines = UNIT.read_text().splitlines(keepends=True)
        self.unit.write_text("".join(
            f"ExecStart={BUILD}/src/agent/cps-agent\n" if line.startswith("ExecStart=") else line for line in lines))

    def test_systemd_finds_no_fault_in_the_unit(self):
        done = analyze("verify", "--user", self.unit, runtime=self.folder)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_systemd_would_find_a_fault(self):
        self.unit.write_text(self.unit.read_text().replace("RestrictRealtime=yes", "RestrictRealtime=perhaps"))
        done = analyze("verify", "--user", self.unit, runtime=self.folder)
        self.assertRegex(done.stdout + done.stderr, r"cps-agent\.service:\d+: Failed to parse")

    def test_the_unit_is_as_closed_as_a_users_unit_can_be(self):
        done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", self.unit)
        self.assertEqual(done.returncode, 0, done.stdout[-400:] + done.stderr)
        bare = self.folder / "bare.service"
        bare.write_text(f"[Service]\nExecStart={BUILD}/src/agent/cps-agent\n")
        self.assertNotEqual(analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", bare).returncode, 0)

    def test_the_guard_of_a_dead_agent_has_time_to_reset_the_card(self):
        self.assertRegex(self.unit.read_text(), r"(?m)^KillMode=control-group$")

    def test_the_autostart_entry_names_the_same_program(self):
        entry = configparser.ConfigParser(interpolation=None)
        entry.optionxform = str
        entry.read(ENTRY, encoding="utf-8")
        started = [line.split("=", 1)[1] for line in UNIT.read_text().splitlines() if line.startswith("ExecStart=")]
        self.assertEqual([entry["Desktop Entry"]["Exec"]], started)
        self.assertEqual(entry["Desktop Entry"]["X-systemd-skip"], "true")
        if shutil.which("desktop-file-validate"):
            subprocess.run(["desktop-file-validate", ENTRY], check=True, timeout=20)


class TheManager(unittest.TestCase):
    """We in systemd's place: the notification socket."""

    def test_the_manager_hears_ready_reloading_and_stopping(self):
        folder = tempfile.mkdtemp(prefix="cps-service-")
        self.addCleanup(shutil.rmtree, folder)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(folder + "/notify")
            manager.settimeout(10)
            agent = Agent(pathlib.Path(folder) / "agent", environment={"NOTIFY_SOCKET": folder + "/notify"})
            self.addCleanup(agent.stop)
            self.assertEqual(manager.recv(4096), b"READY=1")
            agent.process.send_signal(signal.SIGHUP)
            reloading = manager.recv(4096).decode().splitlines()
            self.assertEqual(reloading[0], "RELOADING=1")
            self.assertRegex(reloading[1], r"^MONOTONIC_USEC=\d+$")
            self.assertEqual(manager.recv(4096), b"READY=1")
            agent.process.terminate()
            self.assertEqual(manager.recv(4096), b"STOPPING=1")
            self.assertEqual(agent.process.wait(10), 0)

    def test_the_journal_gets_its_prefixes(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-service-"))
        self.addCleanup(shutil.rmtree, folder)
        (folder / "agent").mkdir()
        (folder / "agent/agent.log").touch()
        log = (folder / "agent/agent.log").stat()
        agent = Agent(folder / "agent", environment={"JOURNAL_STREAM": f"{log.st_dev}:{log.st_ino}"})
        self.assertEqual(agent.stop(), 0)
        lines = (folder / "agent/agent.log").read_text().splitlines()
        self.assertTrue(any(line.startswith("<5>ready on") for line in lines), lines)
        agent = Agent(folder / "agent", environment={"JOURNAL_STREAM": "1:1"})  # inherited, and not ours
        self.assertEqual(agent.stop(), 0)
        self.assertIn("notice: ready on", (folder / "agent/agent.log").read_text())


if __name__ == "__main__":
    unittest.main()
