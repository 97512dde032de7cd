"""A module that goes wrong costs its own process and one request: the agent answers `module_failed` in time, spends no
PIN twice, leaves no process behind, and serves the next request by a fresh worker."""
import os
import time
import unittest

import canary
import rig
from agent_process import OWN, Agent, cpsctl
from agent_with_card import WithCard

rig.isolate()

MODULE = rig.BUILD_ROOT / "test/support/misbehaving-module.so"
DEADLINE = 30.0  # seconds: Deadlines of include/cps/pkcs11_client/module.hpp
MARGIN = 5.0  # seconds: the worker's end, the removal that is waited for, the reset
MOST_GROWTH = 2048  # KiB, of the agent, over all that its modules do

BEFORE_THE_DIALOG = [f"{misdeed} {function}"
                     for function in ("load", "C_Initialize", "C_GetSlotList")
                     for misdeed in ("crash", "abort", "exit", "throw", "close_descriptors", "leak_memory")
                     ] + ["fail C_Initialize", "fail C_GetSlotList", "lie C_GetSlotList"]
WITH_THE_PIN = [f"{misdeed} {function}"
                for function in ("C_Login", "C_Sign")
                for misdeed in ("crash", "abort", "exit", "throw", "fail", "close_descriptors", "leak_memory")
                ] + ["lie C_Sign", "forge C_Sign"]


class Misbehaving(WithCard):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent.stop()
        folder = cls.machine.directory / "misbehaving"
        cls.misdeed = folder / "misdeed"
        cls.agent = Agent(folder, module=MODULE, environment={"CPS_REAL_MODULE": OWN, "CPS_MISDEED": str(cls.misdeed)})

    def setUp(self):
        super().setUp()
        self.behave()

    def behave(self):
        self.misdeed.write_text("")

    def log_in(self):
        self.agent.will_answer("pin 1234")
        return self.agent.token()

    def assert_goes_on(self):
        """As if nothing had been: nothing is left over, the card not verified, all tries there, and the next one is served."""
        rig.wait_until(lambda: not canary.children(self.agent.process.pid), "the last guard to be reaped")
        rig.wait_until(lambda: self.descriptors() <= self.usual, "the descriptors to be closed")
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("0020000100").hex(), "63c3")
        self.behave()
        self.assertEqual(self.log_in().status, 200)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.agent.process.pid}/fd"))

    def assert_costs_one_request(self, misdeed, pins, deadline=20.0):
        before = len(self.pin_attempts())
        self.misdeed.write_text(misdeed)
        began = time.monotonic()
        answer = self.log_in()
        self.assertLess(time.monotonic() - began, deadline)
        self.assertEqual((answer.status, answer.code), (503, "module_failed"), answer.body)
        self.assertEqual(len(self.pin_attempts()) - before, pins)
        self.assertEqual(len(self.agent.dialogs()), int(misdeed.split()[1] in ("C_Login", "C_Sign")))
        self.assert_goes_on()

    def each(self, misdeeds, pins):
        self.assertEqual(self.log_in().status, 200)
        self.usual, resident = self.descriptors(), self.agent.resident_kib()
        for misdeed in misdeeds:
            with self.subTest(misdeed):
                self.assert_costs_one_request(misdeed, pins(misdeed))
        self.assertLess(self.agent.resident_kib() - resident, MOST_GROWTH)

    def test_before_the_dialog_nobody_is_asked(self):
        self.each(BEFORE_THE_DIALOG, lambda misdeed: 0)

    def test_with_the_pin_it_is_offered_once(self):
        self.each(WITH_THE_PIN, lambda misdeed: int(misdeed.endswith("C_Sign")))

    def hangs(self, misdeed, pins):
        """And is ended at its deadline, not sooner: a slow card is no fault."""
        self.assertEqual(self.log_in().status, 200)
        self.usual = self.descriptors()
        began = time.monotonic()
        self.assert_costs_one_request(misdeed, pins, DEADLINE + MARGIN)
        self.assertGreater(time.monotonic() - began, DEADLINE)

    def test_a_module_that_hangs_in_initialize_is_ended(self):
        self.hangs("hang C_Initialize", 0)

    def test_a_module_that_hangs_in_get_slot_list_is_ended(self):
        self.hangs("spin C_GetSlotList", 0)

    def test_a_module_that_hangs_in_login_is_ended(self):
        self.hangs("hang C_Login", 0)

    def test_a_module_that_hangs_in_sign_is_ended(self):
        self.hangs("hang C_Sign", 1)

    def test_what_it_prints_and_leaks_meets_nobody(self):
        self.assertEqual(self.log_in().status, 200)
        self.usual = self.descriptors()
        for misdeed in ("print load", "print C_Initialize", "print C_Sign", "leak_descriptors C_Sign"):
            with self.subTest(misdeed):
                self.misdeed.write_text(misdeed)
                self.assertEqual(self.log_in().status, 200)
                self.assert_goes_on()


if __name__ == "__main__":
    unittest.main()
