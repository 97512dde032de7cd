"""Cards that go, cards of other kinds, and an agent at rest: virtual card, real pcscd, OpenSC's module."""
import json
import pathlib
import threading
import time
import unittest

import rig
from agent_process import challenge
from agent_with_card import WithCard

rig.isolate()


class CardsThatGo(WithCard):
    def setUp(self):
        super().setUp()
        self.fresh_agent()

    def test_no_card_is_told_and_the_next_one_serves(self):
        self.card.remove()
        self.wait_for_status("absent")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (503, "no_card"))
        self.card.insert()
        self.wait_for_status("present")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)

    def test_a_card_pulled_while_the_dialog_is_open_closes_it(self):
        self.agent.will_answer("hang")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.agent.token()))
        asking.start()
        self.agent.wait_for_dialog()
        self.card.remove()
        asking.join(30)
        answer, = answers
        self.assertEqual((answer.status, answer.code), (503, "card_removed"))
        self.assertEqual(self.pin_attempts(), [])
        self.card.insert()
        self.wait_for_status("present")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)

    def test_a_card_pulled_in_the_middle_of_signing_is_told(self):
        self.card.control("delay 150")
        self.agent.will_answer("pin 1234")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.agent.token()))
        asking.start()
        rig.wait_until(self.pin_attempts, "the PIN to reach the card", 60)
        self.card.control("remove")
        asking.join(60)
        self.assertEqual((answers[0].status, answers[0].code), (503, "card_removed"), answers[0].body)
        self.card.control("delay 0")
        self.card.insert()
        self.wait_for_status("present")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_a_stopped_pcscd_is_told_and_its_return_is_noticed(self):
        self.machine.stop_pcscd()
        rig.wait_until(lambda: self.agent.token().code == "no_service", "pcscd's absence to be told")
        self.machine.start_pcscd()
        self.machine.wait_for_card()
        self.wait_for_status("present")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)

    def test_pcscd_restarted_while_a_dialog_is_open_ends_the_request(self):
        self.agent.will_answer("hang")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.agent.token()))
        asking.start()
        self.agent.wait_for_dialog()
        self.machine.restart_pcscd()
        asking.join(60)
        self.assertEqual(answers[0].status, 503)
        self.assertIn(answers[0].code, ("no_service", "card_removed"))
        self.machine.wait_for_card()
        self.wait_for_status("present")

    def test_a_mute_card_is_told(self):
        self.card.control("mute")
        answer = self.agent.token()
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn(answer.code, ("card_mute", "module_failed", "card_removed", "no_card"))


class OtherCards(WithCard):
    def take(self, card):
        self.card.stop()
        self.wait_for_status("absent")
        self.card = self.machine.start_vcard(card)
        self.wait_for_status("present")

    def test_an_out_of_date_card_is_told_before_any_dialog(self):
        self.take("expiree-cps3")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (422, "certificate_expired"))
        self.assertEqual(self.agent.dialogs(), [])

    def test_a_card_that_the_module_does_not_know_is_unsupported(self):
        self.take("infirmiere-cps4")  # OpenSC has no CPS4 driver
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (422, "card_unsupported"))
        self.assertEqual(self.agent.dialogs(), [])

    def test_names_with_accents_reach_dialog_and_token(self):
        self.take("accents-cps3")
        given = challenge()
        self.agent.will_answer("pin 1234")
        answer = self.agent.token(given)
        self.assertEqual(answer.status, 200, answer.body)
        holder = json.loads(self.verify(answer.json["token"], given).stdout)["holder"]
        shown, = self.agent.dialogs()
        self.assertIn(f"{holder['given_names']} {holder['surname']}", shown["desc"])
        self.assertTrue(any(ord(c) > 127 for c in holder["surname"] + holder["given_names"]))


class AtRest(WithCard):
    def test_an_idle_agent_sleeps_and_is_small(self):
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        time.sleep(2)
        before = self.agent.voluntary_switches()
        time.sleep(10)
        woken = self.agent.voluntary_switches() - before
        resident = self.agent.resident_kib()
        worker = self.worker_resident()
        print(f"# idle 10 s with a card: {woken} voluntary context switches; agent {resident} KiB resident, "
              f"worker with OpenSC {worker} KiB while a dialog is open")
        self.assertEqual(woken, 0)
        self.assertLess(resident, 15 * 1024)

    def worker_resident(self):
        self.agent.will_answer("hang")
        asking = threading.Thread(target=self.agent.token)
        asking.start()
        self.agent.wait_for_dialog()
        found = 0
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            if fields["Name"].strip().startswith("cps-agent-worke") and int(fields["PPid"]) == self.agent.process.pid:
                found = int(fields["VmRSS"].split()[0])
        self.card.remove()
        asking.join(30)
        self.card.insert()
        return found


if __name__ == "__main__":
    unittest.main()
