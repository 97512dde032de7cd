"""The worker that waits for the next silent renewal: what it holds, and what becomes of it."""
import os
import pathlib
import signal
import time
import unittest

import rig
import winscard
from agent_with_sessions import WithPortal

rig.isolate()

IDLE = 10  # seconds in which a worker that waits does nothing


def state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_worker(pid):
    try:
        return b"cps-agent-worker" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() or state(pid) == "Z"
    except OSError:
        return False  # it has just gone


def switches(pid):
    return sum(int(line.split()[1])
               for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status")
               for line in status.read_text().splitlines() if line.startswith("voluntary_ctxt_switches"))


class ReadyWorker(WithPortal):
    def workers(self):
        children = []
        for one in pathlib.Path(f"/proc/{self.agent.process.pid}/task").glob("*/children"):
            children += [int(pid) for pid in one.read_text().split()]
        return [pid for pid in children if is_worker(pid)]

    def commands(self):
        return [line for line in self.card.apdus() if line.startswith("> ")]

    def waiting(self):
        """The worker that waits, once it has loaded the module and sleeps."""
        def asleep():
            found = self.workers()
            if len(found) != 1 or "cps-pkcs11.so" not in pathlib.Path(f"/proc/{found[0]}/maps").read_text():
                return None
            before = switches(found[0])
            time.sleep(0.3)
            return found[0] if state(found[0]) == "S" and switches(found[0]) == before else None
        return rig.wait_until(asleep, "a worker that waits")

    def end(self, session):
        self.assertEqual(self.call("DELETE", f"/v1/sessions/{session}").status, 204)
        rig.wait_until(lambda: not self.workers(), "no worker without a session")

    def test_one_waits_while_a_pin_is_kept_and_each_serves_one_signature(self):
        self.assertEqual(self.workers(), [])
        session = self.opened()["session"]
        first = self.waiting()
        self.assertEqual(self.renew(session).status, 200)
        second = self.waiting()
        self.assertNotEqual(second, first)
        self.assertFalse(pathlib.Path(f"/proc/{first}").exists())
        self.assertEqual(len(self.agent.dialogs()), 1)
        self.end(session)

    def test_serial_certificate_and_pin_status_are_read_from_the_card_before_a_kept_code_is_offered(self):
        session = self.opened()["session"]
        self.waiting()
        before = len(self.card.apdus())
        self.assertEqual(self.renew(session).status, 200)
        log = self.card.apdus()[before:]
        offered = next(i for i, line in enumerate(log) if line.startswith("> 00 20 00 01 08"))
        self.assertEqual(sum(line.startswith("> 00 20 00 01") for line in log[offered:]), 1)
        read = b"".join(bytes.fromhex(line[2:])[:-2] for line in log[:offered] if line.startswith("< "))
        certificate = (rig.PKI / "cards" / "medecin-cps3" / "auth.der").read_bytes()
        self.assertIn(certificate, read)
        self.assertTrue(any(line.startswith("< 63 C3") for line in log[:offered]))
        self.end(session)

    def test_it_sleeps_and_leaves_the_card_to_everybody(self):
        session = self.opened()["session"]
        worker = self.waiting()
        before, commands = switches(worker), self.commands()
        time.sleep(IDLE)
        self.assertEqual(switches(worker), before)
        self.assertEqual(self.commands(), commands)
        with self.machine.connect(share=winscard.SHARE_EXCLUSIVE) as card:
            self.assertEqual(card.transmit("0020000100").hex(), "63c3")
        self.end(session)

    def test_one_that_was_killed_is_reaped_and_the_renewal_works(self):
        session = self.opened()["session"]
        os.kill(self.waiting(), signal.SIGKILL)
        rig.wait_until(lambda: not self.workers(), "the worker to be reaped")
        self.assertEqual(self.renew(session).status, 200)
        self.waiting()
        self.assertEqual((len(self.agent.dialogs()), len(self.pin_attempts())), (1, 2))
        self.end(session)

    def test_one_that_hangs_up_at_the_very_moment_costs_nothing(self):
        session = self.opened()["session"]
        os.kill(self.waiting(), signal.SIGKILL)
        self.assertEqual(self.renew(session).status, 200)
        self.assertEqual(len(self.pin_attempts()), 2)
        self.end(session)

    def test_it_goes_with_the_card_and_the_next_session_renews(self):
        session = self.opened()["session"]
        self.waiting()
        self.card.remove()
        self.assert_soon_ended(session)
        rig.wait_until(lambda: not self.workers(), "no worker without a session")
        self.card.insert()
        self.wait_for_status("present")
        session = self.opened()["session"]
        self.waiting()
        self.assertEqual(self.renew(session).status, 200)
        self.end(session)

    def test_it_goes_with_pcscd_and_the_next_session_renews(self):
        session = self.opened()["session"]
        self.waiting()
        self.machine.restart_pcscd()
        self.machine.wait_for_card()
        self.assert_soon_ended(session)
        rig.wait_until(lambda: not self.workers(), "no worker without a session")
        self.wait_for_status("present")
        session = self.opened()["session"]
        self.waiting()
        self.assertEqual(self.renew(session).status, 200)
        self.end(session)


if __name__ == "__main__":
    unittest.main()
