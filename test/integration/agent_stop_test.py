"""How an agent ends, and that there is one of it at a time."""
import signal
import subprocess
import threading
import time
import unittest

import rig
from agent_process import BUILD
from agent_with_sessions import WithPortal
from session_tokens import RevokeReceiver, cth, parts

rig.isolate()

RUNS_ALREADY = 4  # docs/contracts.md


def descendants():
    """Dialogs and workers of agents of this test."""
    names = ("support/pinentry", "cps-agent-worker", "cps-agent-poster", "cps-agent-guard")
    return [pid for pid, words in rig.processes().items() if any(word.endswith(names) for word in words)]


class Ends(WithPortal):
    def setUp(self):
        type(self).start_agent(self.SETTINGS)
        super().setUp()

    def tearDown(self):
        if self.agent.process.poll() is not None:
            type(self).start_agent(self.SETTINGS)
        super().tearDown()  # and the card is left unverified

    def ends(self, number, deadline=6.0):
        began = time.monotonic()
        self.agent.process.send_signal(number)
        self.assertEqual(self.agent.process.wait(deadline), 0)
        self.assertEqual(sorted(path.name for path in self.agent.runtime.iterdir()), ["lock"])
        return time.monotonic() - began

    def test_sessions_end_and_their_portal_is_told(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.portal.told.clear()
                session = self.opened()
                self.ends(number)
                token, = self.portal.tokens()
                self.assertEqual(parts(token)[1]["cth"], cth(session["token"]))
                self.assert_unverified_now()
                type(self).start_agent(self.SETTINGS)
                self.wait_for_status("present")
                self.assert_ended(session["session"])

    def assert_unverified_now(self):
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("0020000100").hex(), "63c3")

    def test_an_open_dialog_closes(self):
        self.agent.will_answer("hang")
        asking = threading.Thread(target=self.asks_in_vain)
        asking.start()
        self.agent.wait_for_dialog()
        self.assertTrue(descendants())
        self.assertLess(self.ends(signal.SIGTERM), 3)
        asking.join(10)
        self.assertEqual(descendants(), [])
        self.assertEqual(self.pin_attempts(), [])

    def asks_in_vain(self):
        try:
            self.assertNotEqual(self.open().status, 200)
        except OSError:
            pass  # the agent went first

    def test_in_the_middle_of_a_signature_the_card_is_left_unverified(self):
        self.card.control("delay 150")
        self.agent.will_answer("pin 1234")
        asking = threading.Thread(target=self.asks_in_vain)
        asking.start()
        rig.wait_until(self.pin_attempts, "the PIN to reach the card")
        self.ends(signal.SIGTERM, 20)
        asking.join(10)
        self.card.control("delay 0")
        self.assertEqual(descendants(), [])
        self.assert_unverified_now()

    def test_a_portal_that_does_not_answer_holds_the_end_up_for_3_s_at_most(self):
        type(self).portal, kept = RevokeReceiver(silent=True), self.portal
        try:
            type(self).start_agent(self.SETTINGS)
            self.wait_for_status("present")
            self.opened()
            self.assertLess(self.ends(signal.SIGTERM), 4)
            self.assertEqual(len(self.portal.told), 1)
        finally:
            self.portal.stop()
            type(self).portal = kept

    def test_a_second_agent_ends_at_once_and_the_first_goes_on(self):
        session = self.opened()["session"]
        second = subprocess.run(
            [BUILD / "src/agent/cps-agent", "--config", self.agent.folder / "agent.toml", "--runtime-dir", self.agent.runtime],
            env=self.agent.environment, capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(second.returncode, RUNS_ALREADY)
        self.assertIn("runs already", second.stderr)
        self.assertTrue((self.agent.runtime / "port").exists())
        self.assertTrue((self.agent.runtime / "control.sock").exists())
        self.assertEqual(self.feature(session).status, 200)

    def test_an_agent_that_was_killed_leaves_nothing_in_the_way_of_the_next(self):
        self.agent.process.kill()
        self.agent.process.wait()
        (self.agent.runtime / "port").unlink()
        again = subprocess.Popen(
            [BUILD / "src/agent/cps-agent", "--config", self.agent.folder / "agent.toml", "--runtime-dir", self.agent.runtime],
            env=self.agent.environment, stderr=subprocess.DEVNULL)
        rig.wait_until((self.agent.runtime / "port").exists, "the next agent")
        again.terminate()
        self.assertEqual(again.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
