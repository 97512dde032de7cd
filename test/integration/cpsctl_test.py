"""`cpsctl verify` as scripts use it: flags, JSON, exit codes (docs/contracts.md)."""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
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

    def test_a_revoked_card_is_refused_where_lists_are_given(self):
        revoked, good = forge(card="revoquee-cps3"), forge()

        self.assertEqual(verify(revoked).returncode, 0)
        self.assertEqual(verify(revoked, "--crl", PKI / "crl").stderr, b"cert_revoked\n")
        self.assertEqual(verify(good, "--crl", PKI / "crl").returncode, 0)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(verify(good, "--crl", folder).stderr, b"revocation_unknown\n")
            pathlib.Path(folder, "spoilt.crl").write_bytes(b"nothing")
            said = verify(good, "--crl", folder).stderr.decode().split()
            self.assertEqual(said[0], "revocation_unknown")
            self.assertIn("spoilt.crl:", said[1])

    def test_wrong_usage_is_told_apart_from_a_refusal(self):
        token = forge()
        wrong = [
            (["--kind", "feature"], {}),
            (["--kind", "feature", *REQUEST], {}),
            (["--kind", "revoke"], {}),
            (["--kind", "web-eid"], {}),
            (["--session-token", "x"], {}),
            (["--kind", "revoke", "--session-token", str(PKI / "absent")], {}),
            (["--fresh-nonce"], {}),
            (["--limit", "5"], {}),
            (["--crl", str(PKI / "trust.pem")], {}),
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


class CpsctlVerifySessionTest(unittest.TestCase):
    """Session tokens, and what a session key signs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cps-verify-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.key = self.folder / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        self.key], check=True, capture_output=True, timeout=DEADLINE)

    def opened(self, *options):
        """A file with a session token for NONCE."""
        return self.file(forge("--kind", "session", "--feature", "infopatient.read", "--session-key", self.key,
                               *options))

    def file(self, token):
        path = self.folder / f"token-{len(list(self.folder.iterdir()))}"
        path.write_bytes(token)
        return path

    def by_session(self, kind, session, *options):
        """A feature or revoke token that stands on the session token in file `session`."""
        return subprocess.run(
            [BUILD_ROOT / "test/support/cps-forge", "--kind", kind, "--origin", ORIGIN, "--session-key", self.key,
             "--session-token", session, *options], check=True, capture_output=True, timeout=DEADLINE).stdout

    def judge(self, kind, token, *sessions, **others):
        request = REQUEST if kind == "feature" else []
        stands_on = [word for session in sessions for word in ("--session-token", session)]
        return verify(token, "--kind", kind, *request, *stands_on, *others.pop("options", ()), **others)

    def test_a_session_token_tells_what_it_opens(self):
        session = self.opened()
        told = json.loads(self.judge("session", session.read_bytes()).stdout)

        self.assertEqual(set(told), {"claims", "holder", "certificate", "session"})
        self.assertEqual(set(told["session"]), {"kid", "renewed", "limit", "left", "ends"})
        self.assertEqual((told["session"]["limit"], told["session"]["renewed"]), (200, False))
        told = json.loads(self.judge("session", session.read_bytes(), options=["--limit", "5"]).stdout)
        self.assertEqual(told["session"]["left"], 5)

    def test_a_feature_token_stands_on_its_session_token(self):
        session = self.opened()
        token = self.by_session("feature", session, *REQUEST)
        told = self.judge("feature", token, session)

        self.assertEqual(told.stderr, b"")
        self.assertEqual(json.loads(told.stdout)["session"]["left"], 199)
        self.assertEqual(json.loads(told.stdout)["holder"]["card_type"], "CPS")
        last = self.by_session("feature", session, *REQUEST, "--seq", "3")
        self.assertEqual(self.judge("feature", last, session, options=["--limit", "2"]).stderr, b"limit_reached\n")
        self.assertEqual(self.judge("feature", token, session, nonce="B" * 42 + "A").stderr.split()[0],
                         b"nonce_unknown")
        self.assertEqual(self.judge("feature", token, self.opened("--limit", "7")).stderr, b"cth_mismatch\n")

    def test_a_session_token_may_be_minutes_old(self):
        then = int(time.time()) + 3600  # earlier, the test certificates may not be valid yet
        session = self.opened("--at", str(then))
        token = self.by_session("feature", session, *REQUEST, "--at", str(then + 500))

        self.assertEqual(self.judge("feature", token, session, options=["--at", str(then + 500)]).returncode, 0)
        late = self.by_session("feature", session, *REQUEST, "--at", str(then + 700))
        self.assertEqual(self.judge("feature", late, session, options=["--at", str(then + 700)]).stderr,
                         b"session_ended\n")
        early = self.judge("feature", token, session, options=["--at", str(then - 60)])
        self.assertEqual(early.stderr.split(), [b"token_not_yet_valid", os.fsencode(session)])

    def test_a_nonce_of_its_own_may_be_asked_of_a_feature_token(self):
        session = self.opened()
        other = "C" * 42 + "A"
        token = self.by_session("feature", session, *REQUEST, "--nonce", other)

        fresh = self.judge("feature", token, session, options=["--fresh-nonce"], nonce=other)
        self.assertEqual((fresh.returncode, fresh.stderr), (0, b""))
        wrong = self.judge("feature", token, session, options=["--fresh-nonce"], nonce="D" * 42 + "A")
        self.assertEqual(wrong.stderr, b"nonce_unknown\n")
        self.assertEqual(self.judge("feature", token, session).stderr, b"claims_refused\n")

    def test_a_renewal_comes_after_what_it_renews(self):
        session = self.opened()
        renewed = self.opened("--prev", session, "--set-claims", json.dumps({"nonce": "C" * 42 + "A"}))
        token = self.by_session("feature", renewed, *REQUEST)

        told = self.judge("session", renewed.read_bytes(), session, nonce="C" * 42 + "A")
        self.assertTrue(json.loads(told.stdout)["session"]["renewed"])
        self.assertEqual(self.judge("feature", token, session, renewed, nonce="C" * 42 + "A").returncode, 0)
        self.assertEqual(self.judge("feature", token, renewed, nonce="C" * 42 + "A").stderr.split()[0],
                         b"session_unknown")
        self.assertEqual(self.judge("feature", token, session).stderr, b"cth_mismatch\n")

    def test_a_revoke_token_is_accepted_for_its_session(self):
        session = self.opened()
        token = self.by_session("revoke", session)

        self.assertEqual(self.judge("revoke", token, session).returncode, 0)
        self.assertEqual(self.judge("revoke", session.read_bytes(), session).stderr, b"typ_refused\n")

    def test_a_session_token_that_is_none_is_named(self):
        session = self.opened()
        token = self.by_session("revoke", session)
        spoilt = self.file(session.read_bytes().strip()[:-8] + b"AAAAAAAA")

        self.assertEqual(self.judge("revoke", token, spoilt).stderr.split(),
                         [b"signature_invalid", os.fsencode(spoilt)])
        self.assertEqual(self.judge("revoke", token, self.file(b"x")).stderr.split()[0], b"nonce_unknown")


if __name__ == "__main__":
    unittest.main()
