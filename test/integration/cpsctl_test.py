"""`cpsctl verify` as scripts use it: flags, JSON, exit codes (docs/contracts.md)."""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD_ROOT = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", HERE.parents[1] / "build"))
PKI = pathlib.Path(os.environ.get("CPS_TEST_PKI", BUILD_ROOT / "test" / "integration" / "pki"))

ORIGIN, NONCE, RID = "https://portal.example", "A" * 43, "B" * 42 + "A"
REQUEST = ["--feature", "infopatient.read", "--htm", "GET", "--htu", ORIGIN + "/patient",
           "--rid", RID]
DEADLINE = 30  # seconds for one run of a program


def forge(*options, card="medecin-cps3"):
    return subprocess.run(
        [BUILD_ROOT / "test/support/cps-forge", "--card", PKI / "cards" / card,
         "--origin", ORIGIN, "--nonce", NONCE, *options],
        check=True, capture_output=True, timeout=DEADLINE).stdout


def verify(token, *options, ca=PKI / "trust.pem", origin=ORIGIN, nonce=NONCE):
    return subprocess.run(
        [BUILD_ROOT / "tools/cpsctl/cpsctl", "verify", "--ca", ca, "--origin", origin,
         "--nonce", nonce, *options],
        check=False, input=token, capture_output=True, timeout=DEADLINE)


class CpsctlVerifyTest(unittest.TestCase):
    def test_an_accepted_login_is_told_as_json(self):
        token = forge()
        answer = verify(token)

        self.assertEqual((answer.returncode, answer.stderr), (0, b""))
        told = json.loads(answer.stdout)
        self.assertEqual(set(told), {"claims", "holder", "certificate"})
        payload = token.split(b".")[1]
        self.assertEqual(told["claims"],
                         json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))))
        holder = told["holder"]
        self.assertEqual(set(holder), {"id", "id_kind", "surname", "given_names", "card_type",
                                       "card_number", "profession", "speciality"})
        self.assertEqual(holder["id"], told["claims"]["sub"])
        self.assertEqual(holder["id_kind"], "rpps")
        self.assertEqual(holder["card_type"], "CPS")
        self.assertEqual(holder["profession"], {"code": "10", "label": "Médecin"})
        der = (PKI / "cards/medecin-cps3/auth.der").read_bytes()
        self.assertEqual(told["certificate"]["sha256"], hashlib.sha256(der).hexdigest())
        self.assertGreater(told["certificate"]["not_after"], time.time())

    def test_a_holder_without_speciality_has_none(self):
        holder = json.loads(verify(forge(card="infirmiere-cps4")).stdout)["holder"]

        self.assertNotIn("speciality", holder)
        self.assertEqual(holder["profession"]["code"], "60")

    def test_a_request_is_the_default_where_one_is_described(self):
        token = forge(*REQUEST)

        self.assertEqual(verify(token, *REQUEST).returncode, 0)
        self.assertEqual(verify(token, *REQUEST, "--kind", "request").returncode, 0)
        self.assertEqual(verify(token).stderr, b"typ_refused\n")

    def test_the_refusal_code_is_the_first_word_on_standard_error(self):
        good = forge().strip()
        for token, options, code in (
                (b"", {}, b"malformed"),
                (good + b" ", {}, b"malformed"),
                (b"A" * 20000, {}, b"too_long"),
                (good, {"origin": "https://other.example"}, b"audience_mismatch"),
                (good, {"nonce": "B" * 42 + "A"}, b"nonce_unknown"),
                (good, {"ca": PKI / "tls-ca.pem"}, b"cert_untrusted")):
            with self.subTest(code):
                answer = verify(token, **options)
                self.assertEqual(answer.returncode, 1)
                self.assertEqual(answer.stderr.split()[0], code)
                self.assertEqual(answer.stdout, b"")

    def test_the_end_of_a_line_is_no_part_of_the_token(self):
        good = forge().strip()
        for end in (b"", b"\n", b"\r\n"):
            self.assertEqual(verify(good + end).returncode, 0)
        self.assertEqual(verify(good + b"\n\n").returncode, 1)

    def test_the_clock_can_be_set(self):
        later = str(int(time.time()) + 3600)  # earlier, the test certificates may not be valid yet
        token = forge("--at", later)

        self.assertEqual(verify(token).stderr, b"token_not_yet_valid\n")
        self.assertEqual(verify(token, "--at", later).returncode, 0)

    def test_wrong_usage_is_told_apart_from_a_refusal(self):
        token = forge()
        wrong = [
            (["--kind", "session"], {}),
            (["--kind", "feature"], {}),
            (["--kind", "revoke"], {}),
            (["--session-token", "x"], {}),
            (["--crl", str(PKI / "crl")], {}),
            (["--kind", "request"], {}),
            (["--kind", "login", *REQUEST], {}),
            (REQUEST[:-2], {}),
            (["--at", "-1"], {}),
            (["--at", "soon"], {}),
            (["--unheard-of"], {}),
            ([], {"origin": ORIGIN + "/"}),
            ([], {"nonce": "AAAA"}),
            ([], {"ca": PKI / "absent.pem"}),
            ([], {"ca": PKI / "cards/medecin-cps3/auth.der"}),
        ]
        for options, arguments in wrong:
            with self.subTest(options=options, arguments=arguments):
                answer = verify(token, *options, **arguments)
                self.assertEqual(answer.returncode, 2)
                self.assertEqual(answer.stdout, b"")
                self.assertNotEqual(answer.stderr, b"")


if __name__ == "__main__":
    unittest.main()
