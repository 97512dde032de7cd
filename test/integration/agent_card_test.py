"""The agent with a card: virtual card, real pcscd, OpenSC's module, scripted pinentry."""
import json
import pathlib
import subprocess
import threading
import time
import unittest

import rig
from agent_process import ORIGIN, Agent, challenge, claims_of, cpsctl

rig.isolate()

READ = {"htm": "GET", "htu": ORIGIN + "/api/patients", "rid": "A" * 43}


class WithCard(unittest.TestCase):
    """One machine and one agent for all; each test starts with a fresh card in the reader."""

    CARD = "medecin-cps3"

    @classmethod
    def setUpClass(cls):
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.agent = Agent(cls.machine.directory / "agent")

    @classmethod
    def tearDownClass(cls):
        code = cls.agent.stop()
        cls.machine.stop()
        assert code == 0, code

    def setUp(self):
        self.card = self.machine.start_vcard(self.CARD)
        self.addCleanup(self.take_card_away)
        self.wait_for_status("present")
        # The cool-down of an earlier test's refusal ends with a new origin's clean slate.
        self.agent.will_answer()

    def take_card_away(self):
        self.card.stop()
        self.wait_for_status("absent")

    def wait_for_status(self, wanted):
        rig.wait_until(lambda: self.agent.call("GET", "/v1/status").json["card"] == wanted, f"card {wanted}")

    def pin_attempts(self):
        """VERIFY commands that carried a PIN."""
        return [line for line in self.card.apdus() if line.startswith("> 00 20 00 01 08")]

    def verify(self, token, given, *more, trust=None):
        return subprocess.run(
            [rig.BUILD_ROOT / "tools/cpsctl/cpsctl", "verify", "--ca", trust or rig.PKI / "trust.pem",
             "--origin", ORIGIN, "--nonce", given["nonce"], *more],
            input=token, text=True, capture_output=True, check=False)


class Tokens(WithCard):
    def tearDown(self):
        self.assertLessEqual(len(self.pin_attempts()), 1)

    def test_a_login_token_is_made_by_the_card_and_judged_good(self):
        given = challenge()
        self.agent.will_answer("pin 1234")
        answer = self.agent.token(given)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(set(answer.json), {"token"})
        token = answer.json["token"]
        self.assertTrue(token.startswith("eyJ"))
        claims = claims_of(token)
        self.assertEqual(claims["aud"], ORIGIN)
        self.assertEqual(claims["feat"], ["login"])
        self.assertLessEqual(claims["exp"] - claims["iat"], 60)
        judged = self.verify(token, given)
        self.assertEqual(judged.returncode, 0, judged.stderr)
        holder = json.loads(judged.stdout)["holder"]
        self.assertEqual(holder["id"], claims["sub"])
        self.assertEqual(holder["profession"]["label"], "Médecin")
        self.assertEqual(len(self.pin_attempts()), 1)

    def test_a_request_token_is_bound_to_its_request(self):
        given = challenge("infopatient.read")
        self.agent.will_answer("pin 1234")
        answer = self.agent.token(given, **READ)
        self.assertEqual(answer.status, 200, answer.body)
        bound = ("--feature", "infopatient.read", "--htm", READ["htm"], "--htu", READ["htu"], "--rid", READ["rid"])
        self.assertEqual(self.verify(answer.json["token"], given, *bound).returncode, 0)
        other = [*bound[:-1], "B" * 42 + "A"]
        self.assertEqual(self.verify(answer.json["token"], given, *other).stderr.split()[0], "request_mismatch")
        self.assertEqual(self.verify(answer.json["token"], given).stderr.split()[0], "typ_refused")

    def test_the_dialog_says_who_asks_for_what_and_whose_card(self):
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(challenge("infopatient.read"), **READ).status, 200)
        shown, = self.agent.dialogs()
        self.assertIn("amelipro", shown["desc"])
        self.assertIn(ORIGIN, shown["desc"])
        self.assertIn("Consulter les droits d'un patient", shown["desc"])
        self.assertNotIn("error", shown)

    def test_time_is_the_portals_and_not_this_machines(self):
        given = challenge(ts=1893456000)  # 2030-01-01: the card's certificate is out of date then
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(given).code, "certificate_expired")
        given = challenge(ts=int(time.time()) + 86400)
        self.agent.will_answer("pin 1234")
        claims = claims_of(self.agent.token(given).json["token"])
        self.assertAlmostEqual(claims["iat"], given["ts"], delta=15)

    def test_a_nonce_is_signed_once(self):
        given = challenge()
        self.agent.will_answer("pin 1234", "pin 1234")
        self.assertEqual(self.agent.token(given).status, 200)
        answer = self.agent.token(given)
        self.assertEqual((answer.status, answer.code), (400, "challenge_stale"))
        self.assertEqual(len(self.agent.dialogs()), 1)

    def test_the_card_is_left_unverified(self):
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        with self.machine.connect() as card:
            self.assertEqual(card.transmit(bytes.fromhex("0020000100")), bytes.fromhex("63C3"))

    def test_one_dialog_at_a_time(self):
        self.agent.will_answer("hang")
        first = threading.Thread(target=self.agent.token)
        first.start()
        self.agent.wait_for_dialog()
        answer = self.agent.token(origin="https://other.example")
        self.assertEqual((answer.status, answer.code), (409, "busy"))
        self.card.remove()
        first.join()

    def test_the_command_line_gets_the_same_token_with_the_same_consent(self):
        given = challenge()
        self.agent.will_answer("pin 1234")
        made = cpsctl(self.agent, "token", "--origin", ORIGIN, "--nonce", given["nonce"])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.verify(made.stdout, given).returncode, 0)
        self.assertEqual(len(self.agent.dialogs()), 1)

    def test_the_command_line_tells_the_status(self):
        told = cpsctl(self.agent, "status", "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual(json.loads(told.stdout)["card"], "present")
        self.assertIn("present", cpsctl(self.agent, "status").stdout)

    def test_the_command_line_is_refused_like_a_page(self):
        made = cpsctl(self.agent, "token", "--origin", "https://evil.example", "--nonce", challenge()["nonce"])
        self.assertEqual((made.returncode, made.stderr.split()[0]), (1, "origin_refused"))
        self.assertEqual(cpsctl(self.agent, "token", "--origin", ORIGIN).returncode, 2)
        self.assertEqual(cpsctl(self.agent, "token", "--origin", ORIGIN, "--nonce", "short").returncode, 2)
        self.assertEqual(cpsctl(self.agent, "status", "--socket", "/nonexistent").returncode, 3)


class WrongPins(WithCard):
    def setUp(self):
        super().setUp()
        # Cool-downs are per origin: each test's own portal, restarted agent.
        type(self).agent.stop()
        type(self).agent = Agent(self.machine.directory / f"agent-{time.monotonic_ns()}")
        self.wait_for_status("present")

    def test_a_wrong_pin_brings_the_dialog_back_with_the_tries_left(self):
        self.agent.will_answer("pin 9999", "pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        first, second = self.agent.dialogs()
        self.assertNotIn("error", first)
        self.assertIn("Essais restants : 2", second["error"])
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_giving_up_after_a_wrong_pin_costs_one_try_and_no_more(self):
        self.agent.will_answer("pin 9999", "cancel")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code, answer.json["tries_left"]), (403, "pin_cancelled", 2))
        self.assertEqual(len(self.pin_attempts()), 1)
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (429, "rate_limited"))
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(origin="https://other.example").status, 200)

    def test_the_last_try_wants_an_explicit_word(self):
        self.agent.will_answer("pin 9999", "pin 8888", "cancel")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (403, "consent_refused"))
        self.assertEqual([shown["kind"] for shown in self.agent.dialogs()], ["getpin", "getpin", "confirm"])
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_three_wrong_pins_block_and_are_told(self):
        self.agent.will_answer("pin 9999", "pin 8888", "ok", "pin 7777", "pin 1234")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code, answer.json["tries_left"]), (422, "pin_blocked", 0))
        self.assertEqual(len(self.pin_attempts()), 3)
        self.agent.will_answer("pin 1234")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (422, "pin_blocked"))
        self.assertEqual(self.agent.dialogs(), [])
        self.assertEqual(len(self.pin_attempts()), 3)

    def test_what_is_not_a_pin_never_reaches_the_card(self):
        self.agent.will_answer("pin 123", "pin 12345", "pin 12a4", "pin ", "pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        self.assertEqual(len(self.pin_attempts()), 1)
        self.assertIn("4 chiffres", self.agent.dialogs()[1]["error"])

    def test_a_cancelled_dialog_and_one_in_vain_are_told_apart(self):
        self.agent.will_answer("cancel")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (403, "pin_cancelled"))
        self.agent.will_answer("timeout")
        answer = self.agent.token(origin="https://other.example")
        self.assertEqual((answer.status, answer.code), (408, "pin_timeout"))
        self.assertEqual(self.pin_attempts(), [])

    def test_a_pinentry_that_dies_is_our_fault_and_costs_nothing(self):
        self.agent.will_answer("crash")
        self.assertEqual(self.agent.token().code, "internal")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().status, 200)

    def test_no_pin_is_in_the_agents_log(self):
        self.agent.will_answer("pin 7391", "pin 1234")
        self.assertEqual(self.agent.token().status, 200)
        log = (self.agent.folder / "agent.log").read_text()
        self.assertNotIn("7391", log)
        self.assertNotIn("1234", log)


class CardsThatGo(WithCard):
    def setUp(self):
        super().setUp()
        type(self).agent.stop()
        type(self).agent = Agent(self.machine.directory / f"agent-{time.monotonic_ns()}")
        self.wait_for_status("present")

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
