"""However agent and worker end, nobody rides on a verified PIN: a second program that has been connected all the while
finds it not verified. With our module it never sees it verified, with another's no longer than 10 s."""
import contextlib
import os
import signal
import tempfile
import threading
import time
import unittest

import canary
import rig
from agent_process import MODULE, OWN, challenge, cpsctl
from agent_with_login import WithLoginManager
from bystander import THREE_TRIES, VERIFIED, Bystander

rig.isolate()

OURS = MODULE == OWN  # which holds the card from login to logout
AT_MOST = 0.0 if OURS else 10.0  # seconds that the PIN may be seen verified
SLOW = "delay 150"  # milliseconds an APDU: the signature is under way when it is looked for


class WithBystander(WithLoginManager):
    def begin(self):
        """An agent and a bystander of their own for each row."""
        type(self).start_agent()
        self.wait_for_status("present")
        self.wait_for_login("heard")
        self.bystander = Bystander(self.machine)

    def tearDown(self):
        type(self).start_agent()
        super().tearDown()

    # The ways to end.

    def worker(self):
        """None where no PIN is offered and no dialog open."""
        return self.programs("cps-agent-worker")

    @staticmethod
    def programs(*names):
        return [pid for pid, words in rig.processes().items() if words and words[0].endswith(names)]

    @staticmethod
    def dialogs():
        return [pid for pid, words in rig.processes().items() if any(word.endswith("support/pinentry") for word in words)]

    def kill(self, *pids):
        with canary.stopped(*pids):  # at one moment: none may answer the end of another
            for pid in pids:
                os.kill(pid, signal.SIGKILL)

    def kill_agent(self):
        self.kill(self.agent.process.pid)
        self.agent.process.wait()

    def kill_worker(self):
        self.kill(*self.worker())

    def kill_both(self):
        self.kill(self.agent.process.pid, *self.worker())
        self.agent.process.wait()

    def crash_agent(self):
        self.agent.process.send_signal(signal.SIGSEGV)
        self.agent.process.wait()

    def terminate(self):
        self.agent.process.terminate()
        self.assertEqual(self.agent.process.wait(20), 0)

    def terminate_all(self):
        """As systemd does at the end of the unit (KillMode=control-group)."""
        for pid in (*self.programs("cps-agent-worker", "cps-agent-guard"), self.agent.process.pid):
            os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.agent.process.wait(20), 0)

    def lock(self):
        self.login.lock()

    def suspend(self):
        self.login.prepare_for_sleep(True)
        rig.wait_until(lambda: self.login.inhibitors() == 0, "the inhibitor to be released")

    def endings(self):
        return (self.terminate, self.terminate_all, self.kill_agent, self.kill_worker, self.kill_both, self.crash_agent,
                self.lock, self.suspend)

    # The moments.

    def asking(self, *answers):
        """A page asks for a session meanwhile."""
        return self.meanwhile(answers, lambda: self.call(
            "POST", "/v1/sessions", {"challenge": challenge("rights.read", ttl=600)}))

    def changing(self, *answers):
        """The person changes the code meanwhile."""
        return self.meanwhile(answers, lambda: cpsctl(self.agent, "pin", "change"))

    @contextlib.contextmanager
    def meanwhile(self, answers, call):
        """What the call is told does not matter."""
        def ask():
            with contextlib.suppress(OSError, ValueError):
                call()

        self.agent.will_answer(*answers)
        asker = threading.Thread(target=ask)
        asker.start()
        self.agent.wait_for_dialog()
        yield
        asker.join(30)

    def assert_ends_unverified(self, ending):
        ending()
        self.assertLessEqual(self.bystander.seconds_verified(), AT_MOST)
        rig.wait_until(lambda: not self.programs("cps-agent-worker", "cps-agent-guard"), "the children to end", 10)

    @contextlib.contextmanager
    def row(self, ending):
        with self.subTest(ending.__name__):
            self.begin()
            try:
                yield
            finally:
                self.card.control("delay 0")
                self.bystander.stop()
                for pid in self.dialogs():  # a dialog whose agent was killed lasts as long as its own time
                    os.kill(pid, signal.SIGKILL)


class LeftUnverified(WithBystander):
    def test_in_the_middle_of_a_signature(self):
        for ending in self.endings():
            with self.row(ending), self.asking("after 1 pin 1234"):
                self.card.control(SLOW)
                rig.wait_until(lambda: self.card.status()["verified"], "the card to take the PIN", 60)
                self.assert_ends_unverified(ending)
                self.card.control("delay 0")

    def test_in_the_middle_of_a_change_of_the_code(self):
        for ending in (self.terminate, self.kill_agent, self.kill_worker, self.kill_both):
            with self.row(ending), self.changing("after 1 pin 1234", "pin 1234", "pin 1234"):
                self.card.control(SLOW)
                before = self.changes()
                rig.wait_until(lambda: self.changes() > before, "the new code to reach the card", 60)
                self.assert_ends_unverified(ending)
                self.card.control("delay 0")

    def changes(self):
        return sum(line.startswith("> 00 24 00 01") for line in self.card.apdus())

    @rig.where(not OURS, "our module resets the card by itself")
    def test_an_agent_that_stands_still_is_as_good_as_a_dead_one(self):
        self.begin()
        self.addCleanup(self.bystander.stop)
        with self.asking("after 1 pin 1234"):
            self.card.control(SLOW)
            rig.wait_until(lambda: self.card.status()["verified"], "the card to take the PIN", 60)
            self.agent.process.send_signal(signal.SIGSTOP)
            try:
                self.assertLess(self.bystander.seconds_verified(deadline=120), 110)
            finally:
                self.agent.process.send_signal(signal.SIGCONT)

    def test_with_a_dialog_open(self):
        for ending in self.endings():
            with self.row(ending), self.asking("hang"):
                self.assert_ends_unverified(ending)
                self.assertEqual(self.pin_attempts(), [])

    def test_with_a_session_open(self):
        for ending in self.endings():
            with self.row(ending):
                self.opened()
                self.assertEqual(rig.wait_until(self.bystander.ask, "the card's answer"), THREE_TRIES)
                self.assert_ends_unverified(ending)

    @rig.where(OURS, "with other people's modules none waits")
    def test_a_guard_that_only_stands_by_takes_the_card_from_nobody(self):
        with self.row(self.kill_agent):
            self.opened()
            rig.wait_until(lambda: self.programs("cps-agent-guard"), "a guard that stands by")
            with self.machine.connect() as card:
                self.assert_ends_unverified(self.kill_agent)
                self.assertEqual(card.transmit("0020000100").hex(), "63c3")  # after a reset pcscd would refuse this

    def test_after_a_login_token(self):
        for ending in self.endings():
            with self.row(ending):
                self.agent.will_answer("pin 1234")
                self.assertEqual(self.call("POST", "/v1/tokens", {"challenge": challenge()}).status, 200)
                self.assertEqual(rig.wait_until(self.bystander.ask, "the card's answer"), THREE_TRIES)
                self.assert_ends_unverified(ending)


class LeftVerifiedByItsModule(WithBystander):
    """The worst moment: logged in, and between two calls, where other people's modules hold no transaction."""

    MODULE = rig.BUILD_ROOT / "test/support/misbehaving-module.so"

    @classmethod
    def setUpClass(cls):
        misdeed = tempfile.NamedTemporaryFile("w", suffix=".misdeed")
        cls.addClassCleanup(misdeed.close)
        misdeed.write("hang C_Sign")
        misdeed.flush()
        cls.ENVIRONMENT = {"CPS_REAL_MODULE": MODULE, "CPS_MISDEED": misdeed.name}
        super().setUpClass()

    def test_between_login_and_signature(self):
        for ending in self.endings():
            with self.row(ending), self.asking("pin 1234"):
                rig.wait_until(lambda: self.card.status()["verified"], "the card to take the PIN", 60)
                time.sleep(0.3)  # what is under way ends
                self.assertTrue(self.card.status()["verified"])
                self.assert_ends_unverified(ending)

    @rig.where(not OURS, "our module holds the card meanwhile")
    def test_a_bystander_sees_it_verified_until_then(self):
        """Else the rows above would prove nothing."""
        with self.row(self.kill_agent), self.asking("pin 1234"):
            rig.wait_until(lambda: self.bystander.ask() == VERIFIED, "the PIN to be verified", 60)
            self.assert_ends_unverified(self.kill_agent)


if __name__ == "__main__":
    unittest.main()
