"""The reader monitor over a real pcscd that comes, goes and comes back."""

import pathlib
import subprocess
import threading
import time
import unittest

import rig

rig.isolate()

PROBE = "test/integration/monitor-probe"
QUIET = 3.0  # seconds


class MonitorTest(unittest.TestCase):
    def setUp(self):
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)
        self.lines = []
        self.probe = subprocess.Popen([rig.program(PROBE)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.probe.stdout:
            self.lines.append(line.strip())

    def end(self):
        self.probe.stdin.close()
        self.assertEqual(self.probe.wait(5), 0)
        self.reader.join()
        self.probe.stdout.close()

    def until(self, wanted):
        rig.wait_until(lambda: self.lines and wanted(self.lines[-1]), "a snapshot", 10)

    def switches(self):
        """Context switches of all threads of the probe."""
        return sum(int(line.split()[1])
                   for status in pathlib.Path(f"/proc/{self.probe.pid}/task").glob("*/status")
                   for line in status.read_text().splitlines() if "ctxt_switches" in line)

    def test_it_follows_service_card_and_restart(self):
        self.until(lambda line: line == "no service")
        self.machine.start_pcscd()
        self.until(lambda line: line.startswith("service") and " 1 " not in line)
        card = self.machine.start_vcard("medecin-cps3")
        self.until(lambda line: " 1 3BAC" in line)
        card.remove()
        self.until(lambda line: line.startswith("service") and "3BAC" not in line)
        card.insert()
        self.until(lambda line: " 1 3BAC" in line)
        self.machine.restart_pcscd()
        self.until(lambda line: " 1 3BAC" in line)

        self.assertIn("no service", self.lines[1:])

    def test_it_does_not_wake_while_nothing_happens(self):
        for state in ("no service", "service"):
            if state == "service":
                self.machine.start_pcscd()
            self.until(lambda line, s=state: line.startswith(s))
            time.sleep(2)  # it looks a few times more after a change
            before = self.switches()

            time.sleep(QUIET)

            self.assertEqual(self.switches() - before, 0, state)

    def test_a_reset_ends_the_security_status(self):
        self.machine.start_pcscd()
        card = self.machine.start_vcard("medecin-cps3")
        with self.machine.connect() as connection:
            connection.transmit(bytes.fromhex("002000010831323334FFFFFFFF"))

        self.probe.stdin.write(f"reset {self.machine.reader()}\n")
        self.probe.stdin.flush()

        self.until(lambda line: line == "done")
        self.assertIn("-- ctrl 2 (reset)", card.apdus())
