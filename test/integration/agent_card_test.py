"""Tokens from the agent with a card: virtual card, real pcscd, OpenSC's module, scripted pinentry."""
import json
import pathlib
import subprocess
import threading
import time
import unittest

import rig
from agent_process import ORIGIN, challenge, claims_of, cpsctl
from agent_with_card import WithCard

rig.isolate()

HERE = pathlib.Path(__file__).resolve().parent
READ = {"htm": "GET", "htu": ORIGIN + "/api/patients", "rid": "A" * 43}


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

    def test_a_page_that_leaves_takes_its_dialog_along(self):
        self.agent.will_answer("hang", "pin 1234")
        with self.assertRaises(TimeoutError):
            self.agent.call("POST", "/v1/tokens", {"challenge": challenge()}, timeout=3)
        self.assertEqual(len(self.agent.dialogs()), 1)
        answer = rig.wait_until(lambda: (a := self.agent.token()).code != "busy" and a, "the desk to be free")
        self.assertEqual(answer.status, 200, answer.body)

    def test_the_command_line_gets_the_same_token_with_the_same_consent(self):
        given = challenge()
        self.agent.will_answer("pin 1234")
        made = cpsctl(self.agent, "token", "--origin", ORIGIN, "--nonce", given["nonce"])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.verify(made.stdout, given).returncode, 0)
        self.assertEqual(len(self.agent.dialogs()), 1)

    def judged_by_jose(self, token, given, **expected):
        """The verdict of the verifier in JavaScript (npm jose, node:crypto), at the portal's time."""
        context = {"kind": "login", "origin": ORIGIN, "session": "", "trust": str(rig.PKI / "trust.pem"), "records": {
            given["nonce"]: {"session": "", "feat": given["feat"], "issued": given["ts"]}}, **expected}
        line = json.dumps({"token": token, "context": context, "at": given["ts"] + 5}) + "\n"
        told = subprocess.run(["node", HERE / "jose" / "run.mjs"], input=line, text=True, capture_output=True,
                              timeout=60, check=True)
        return json.loads(told.stdout)["verdict"]

    @unittest.skipUnless((HERE / "jose" / "node_modules").exists(), "npm ci was not run in test/integration/jose")
    def test_tokens_from_the_card_check_out_in_another_language(self):
        given = challenge()
        self.agent.will_answer("pin 1234")
        made = cpsctl(self.agent, "token", "--origin", ORIGIN, "--nonce", given["nonce"])
        self.assertEqual(self.judged_by_jose(made.stdout.strip(), given), "accepted")
        self.assertEqual(self.judged_by_jose(made.stdout.strip(), given, origin="https://other.example"),
                         "audience_mismatch")
        self.assertEqual(self.judged_by_jose(made.stdout.strip(), challenge()), "nonce_unknown")

    @unittest.skipUnless((HERE / "jose" / "node_modules").exists(), "npm ci was not run in test/integration/jose")
    def test_request_tokens_from_the_card_check_out_in_another_language(self):
        given = challenge("infopatient.read")
        self.agent.will_answer("pin 1234")
        made = cpsctl(self.agent, "token", "--origin", ORIGIN, "--nonce", given["nonce"], "--feature",
                      "infopatient.read", "--htm", "GET", "--htu", READ["htu"], "--rid", READ["rid"]).stdout.strip()
        expected = {"kind": "request", "feature": "infopatient.read", **READ}
        self.assertEqual(self.judged_by_jose(made, given, **expected), "accepted")
        self.assertEqual(self.judged_by_jose(made, given, **{**expected, "htm": "POST"}), "request_mismatch")
        self.assertEqual(self.judged_by_jose(made, given), "typ_refused")

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
        self.fresh_agent()

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


if __name__ == "__main__":
    unittest.main()
