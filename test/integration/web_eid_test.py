"""Web eID tokens from the agent with a card, judged by a verifier written from the specification."""
import base64
import json
import pathlib
import secrets
import subprocess
import unittest

import rig
from agent_process import ORIGIN, PORTALS, Agent, challenge
from agent_with_card import WithCard

rig.isolate()

VERIFIER = pathlib.Path(__file__).resolve().parents[1] / "support" / "web_eid_verifier.mjs"


def fresh_nonce(octets=32):
    return base64.b64encode(secrets.token_bytes(octets)).decode()


class WebEid(WithCard):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent.stop()
        portals = {**PORTALS, "amelipro.toml": "web_eid = true\n" + PORTALS["amelipro.toml"]}
        cls.agent = Agent(cls.machine.directory / "web-eid", portals=portals, settings='unknown_origins = "login"\n')

    def ask(self, nonce, origin=ORIGIN, **members):
        return self.agent.call("POST", "/v1/web-eid", {"nonce": nonce, **members}, origin=origin)

    def verdict(self, token, nonce, origin=ORIGIN):
        given = {"token": token, "origin": origin, "nonce": nonce, "trust": str(rig.PKI / "trust.pem")}
        told = subprocess.run(["node", VERIFIER], input=json.dumps(given), text=True, capture_output=True, timeout=60,
                              check=True)
        return told.stdout.strip()

    def test_a_web_eid_token_verifies_for_its_origin_and_nonce_alone(self):
        nonce = fresh_nonce()
        self.agent.will_answer("pin 1234")
        answer = self.ask(nonce)
        self.assertEqual(answer.status, 200, answer.body)
        token = answer.json
        self.assertEqual(self.verdict(token, nonce), "accepted")
        self.assertEqual(self.verdict(token, fresh_nonce()), "signature")
        self.assertEqual(self.verdict(token, nonce, "https://other.example"), "signature")
        self.assertEqual(self.verdict({**token, "signature": base64.b64encode(bytes(256)).decode()}, nonce), "signature")
        self.assertEqual((token["algorithm"], token["format"]), ("RS256", "web-eid:1.0"))
        self.assertEqual(len(self.pin_attempts()), 1)

    def test_each_token_asks_for_consent_in_full_words_and_the_pin(self):
        self.agent.will_answer("pin 1234", "pin 1234")
        for _ in range(2):
            self.assertEqual(self.ask(fresh_nonce(48)).status, 200)
        first, second = self.agent.dialogs()
        self.assertEqual(first["desc"], second["desc"])
        self.assertIn("votre identifiant national", " ".join(first["desc"].split()))
        self.assertNotIn("retenu", first["desc"])
        self.assertEqual(len(self.pin_attempts()), 2)

    def test_a_nonce_is_answered_once(self):
        nonce = fresh_nonce()
        self.agent.will_answer("pin 1234", "pin 1234")
        self.assertEqual(self.ask(nonce).status, 200)
        answer = self.ask(nonce)
        self.assertEqual((answer.status, answer.code), (400, "challenge_stale"))
        self.assertEqual(len(self.agent.dialogs()), 1)

    def test_portals_without_web_eid_and_unknown_origins_are_refused_without_a_dialog(self):
        self.agent.will_answer("pin 1234")
        answer = self.ask(fresh_nonce(), origin="https://other.example")
        self.assertEqual((answer.status, answer.code), (400, "feature_unknown"))
        answer = self.ask(fresh_nonce(), origin="https://unknown.example")
        self.assertEqual((answer.status, answer.code), (403, "origin_refused"))
        self.assertEqual(self.agent.dialogs(), [])

    def test_malformed_nonces_open_no_dialog(self):
        self.agent.will_answer("pin 1234")
        for nonce in ("", "A" * 43, "A" * 129, "A" * 43 + "-", "A" * 43 + "_", "A" * 43 + "\n", "é" * 44, 7, None,
                      ["A" * 44]):
            with self.subTest(nonce=nonce):
                self.assertEqual(self.ask(nonce).code, "challenge_invalid")
        for body in ({}, {"nonce": "A" * 44, "origin": ORIGIN}, {"challenge": challenge()}, [], "x", b"{"):
            with self.subTest(body=body):
                answer = self.agent.call("POST", "/v1/web-eid", body if not isinstance(body, str) else body.encode())
                self.assertEqual((answer.status, answer.code), (400, "bad_request"))
        self.assertEqual(self.agent.call("GET", "/v1/web-eid").status, 405)
        self.assertEqual(self.agent.dialogs(), [])

    def test_z_a_wrong_pin_and_a_refusal_end_as_with_any_token(self):
        self.agent.will_answer("pin 9999", "pin 1234")
        self.assertEqual(self.ask(fresh_nonce()).status, 200)
        self.agent.will_answer("cancel")
        answer = self.ask(fresh_nonce())
        self.assertEqual((answer.status, answer.code), (403, "pin_cancelled"))
        self.assertEqual(self.ask(fresh_nonce()).code, "rate_limited")


if __name__ == "__main__":
    unittest.main()
