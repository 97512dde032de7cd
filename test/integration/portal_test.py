"""The demonstration portal's API, called directly: the door is closed on the server, not on the page."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from card_token import own_challenge, request_id  # noqa: E402
from portal_process import (  # noqa: E402
    BUILD, DOCTOR, NIR, NURSE, OFFICE, OTHER_DOCTOR, PASSWORD, Portal, accounts_file, make_hierarchy,
)

OTHER_NIR = "187060000000249"


def setUpModule():
    global folder, portal, accounts
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-portal-"))
    accounts = accounts_file(
        folder / "accounts.toml", claire=[DOCTOR], paul=[OTHER_DOCTOR, OFFICE], jeanne=[NURSE],
        rene=["899700000062"],
    )
    portal = Portal(make_hierarchy(folder / "pki"), accounts)


def tearDownModule():
    assert portal.stop() == 0
    shutil.rmtree(folder)


class Entering(unittest.TestCase):
    def test_the_right_password_opens_a_session(self):
        client = portal.client()
        self.assertEqual(client.log_in("claire").status, 200)
        self.assertEqual(client.call("GET", "/api/me").json["login"], "claire")

    def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(self):
        answer = portal.client().log_in("claire")
        name, _, attributes = answer.headers["Set-Cookie"].partition("=")
        self.assertEqual(name, "cps-portal")
        self.assertGreaterEqual(len(attributes.split(";")[0]), 22)
        self.assertIn("HttpOnly", attributes)
        self.assertIn("SameSite=Strict", attributes)

    def test_a_wrong_password_and_an_unknown_account_are_told_alike(self):
        wrong = portal.client().log_in("jeanne", "guess")
        unknown = portal.client().log_in("nobody", "guess")
        self.assertEqual((wrong.status, wrong.code), (401, "login_refused"))
        self.assertEqual(wrong.body, unknown.body)
        self.assertIsNone(wrong.headers["Set-Cookie"])

    def test_the_cookie_changes_at_login_and_the_old_one_ends(self):
        client = portal.client()
        client.log_in("claire")
        before = dict(client.cookies)
        client.log_in("claire")
        self.assertNotEqual(client.cookies, before)
        client.cookies = before
        self.assertEqual(client.call("GET", "/api/me").status, 401)

    def test_a_cookie_chosen_beforehand_is_never_taken_over(self):
        client = portal.client()
        client.cookies = {"cps-portal": "A" * 43}
        client.log_in("claire")
        self.assertNotEqual(client.cookies["cps-portal"], "A" * 43)

    def test_logging_out_ends_the_session_on_the_server(self):
        client = portal.client()
        client.log_in("claire")
        kept = dict(client.cookies)
        self.assertEqual(client.call("POST", "/api/logout", {}).status, 204)
        self.assertEqual(client.cookies, {})
        client.cookies = kept
        self.assertEqual(client.call("GET", "/api/me").status, 401)

    def test_guessing_is_slowed_down_even_for_the_right_password_and_unknown_accounts(self):
        for login in ("rene", "ghost"):
            for _ in range(5):
                self.assertEqual(portal.client().log_in(login, "guess").status, 401)
            answer = portal.client().log_in(login)
            self.assertEqual((answer.status, answer.code), (429, "rate_limited"))
            self.assertLessEqual(int(answer.headers["Retry-After"]), 60)

    def test_a_login_that_is_not_exactly_the_two_members_is_refused(self):
        for body in (b"", b"[]", b'{"login":"claire"}', b'{"login":1,"password":"x"}',
                     b'{"login":"claire","password":"x","admin":true}',
                     b'{"login":"claire","login":"paul","password":"x"}'):
            self.assertEqual(portal.client().call("POST", "/api/login", body).code, "bad_request", body)


class OtherSites(unittest.TestCase):
    def setUp(self):
        self.client = portal.client()
        self.client.log_in("claire")

    def test_a_post_of_another_origin_or_of_none_is_refused(self):
        for origin in (None, "null", "https://evil.example", portal.origin + ".evil.example", portal.origin + "/"):
            answer = self.client.call("POST", "/api/logout", {}, Origin=origin)
            self.assertEqual((answer.status, answer.code), (403, "origin_refused"), origin)
        self.assertEqual(self.client.call("GET", "/api/me").status, 200)

    def test_a_post_that_a_form_could_make_is_refused(self):
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
            answer = self.client.call("POST", "/api/logout", b"{}", Content_Type=kind)
            self.assertEqual((answer.status, answer.code), (415, "media_type_refused"), kind)

    def test_a_get_that_another_site_makes_is_refused(self):
        answer = self.client.call("GET", "/api/me", Sec_Fetch_Site="cross-site")
        self.assertEqual((answer.status, answer.code), (403, "origin_refused"))

    def test_a_rebound_name_is_misdirected(self):
        for host in ("evil.example", f"localhost:{portal.port}", None):
            self.assertEqual(self.client.call("GET", "/", Host=host).status, 421, host)

    def test_every_answer_forbids_frames_foreign_scripts_and_keeping(self):
        for target in ("/", "/api/me", "/nothing", "/portal.js"):
            headers = self.client.call("GET", target).headers
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'self'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertIn("http://127.0.0.1:27743 ", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Cache-Control"], "no-store")


class TheClosedDoor(unittest.TestCase):
    def setUp(self):
        self.client = portal.client()
        self.client.log_in("claire")
        self.card = portal.card("medecin-cps3", DOCTOR)

    def refused(self, token, code, status=403, nir=NIR, client=None):
        answer = (client or self.client).look_up(nir, token)
        self.assertEqual((answer.status, answer.code), (status, code))
        self.assertNotIn(b"ROSSIGNOL", answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        return answer

    def test_the_accounts_own_card_opens_it(self):
        answer = self.client.look_up(token=self.client.proof(self.card))
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["surname"], "FICTIVE-ROSSIGNOL")

    def test_a_delegates_card_opens_it(self):
        client = portal.client()
        client.log_in("paul")
        answer = client.look_up(token=client.proof(portal.card("cpe-cps3", OFFICE)))
        self.assertEqual(answer.status, 200)

    def test_without_a_session_there_is_not_even_a_challenge(self):
        answer = portal.client().look_up()
        self.assertEqual((answer.status, answer.code), (401, "login_required"))
        self.assertNotIn("challenge", answer.json)

    def test_a_password_alone_gets_a_challenge_for_a_step_up(self):
        answer = self.client.look_up()
        self.assertEqual((answer.status, answer.code), (401, "card_required"))
        self.assertIn('error="insufficient_user_authentication"', answer.headers["WWW-Authenticate"])
        challenge = answer.json["challenge"]
        self.assertEqual(set(challenge), {"v", "nonce", "ts", "feat", "ttl"})
        self.assertEqual((challenge["v"], challenge["feat"], challenge["ttl"]), (1, ["infopatient.read"], 60))
        self.assertRegex(challenge["nonce"], re.compile(r"^[A-Za-z0-9_-]{43}$"))

    def test_a_session_that_a_card_has_opened_once_stays_closed_for_the_next_request(self):
        self.assertEqual(self.client.look_up(token=self.client.proof(self.card)).status, 200)
        self.assertEqual(self.client.look_up().code, "card_required")

    def test_the_cookie_changes_when_the_card_has_proved_itself(self):
        before = dict(self.client.cookies)
        self.client.look_up(token=self.client.proof(self.card))
        self.assertNotEqual(self.client.cookies, before)
        after = self.client.cookies
        self.client.cookies = before
        self.assertEqual(self.client.call("GET", "/api/me").status, 401)
        self.client.cookies = after
        self.assertTrue(self.client.call("GET", "/api/me").json["card_seen"])

    def test_garbage_is_refused(self):
        for token in ("x", "a.b.c", "." * 2, "e30.e30.", "A" * 7000):
            self.assertEqual(self.client.look_up(token=token).status, 403, token[:20])

    def test_somebody_elses_valid_card_is_refused(self):
        proof = self.client.proof(portal.card("medecin2-cps3", OTHER_DOCTOR))
        self.refused(proof, "account_mismatch")

    def test_a_token_that_only_claims_to_be_the_accounts_is_refused(self):
        other = portal.card("medecin2-cps3", DOCTOR)
        self.refused(self.client.proof(other), "identity_mismatch")

    def test_an_expired_card_is_refused(self):
        card = portal.card("expiree-cps3", "899700000062")
        self.refused(self.client.proof(card), "cert_expired")

    def test_a_card_of_another_hierarchy_is_refused(self):
        foreign = make_hierarchy(folder / "foreign", seed=8)
        card = portal.card("medecin-cps3", DOCTOR)
        card.folder = foreign / "cards" / "medecin-cps3"
        self.refused(self.client.proof(card), "cert_untrusted")

    def test_a_token_works_once(self):
        proof = self.client.proof(self.card)
        self.assertEqual(self.client.look_up(token=proof).status, 200)
        answer = self.refused(proof, "nonce_unknown", status=401)
        self.assertIn("challenge", answer.json)

    def test_another_sessions_challenge_is_refused(self):
        elsewhere = portal.client()
        elsewhere.log_in("claire")
        self.refused(self.client.proof(self.card, challenge=elsewhere.challenge()), "nonce_mismatch")

    def test_a_challenge_that_the_portal_never_made_is_refused(self):
        self.refused(self.client.proof(self.card, challenge=own_challenge()), "nonce_unknown", status=401)

    def test_a_token_for_one_patient_does_not_show_another(self):
        self.refused(self.client.proof(self.card, nir=OTHER_NIR), "request_mismatch")

    def test_a_token_for_another_method_or_address_is_refused(self):
        self.refused(self.client.proof(self.card, htm="POST"), "request_mismatch")
        self.refused(self.client.proof(self.card, htu=portal.origin + "/api/me"), "request_mismatch")

    def test_a_token_for_another_portal_is_refused(self):
        other = "https://evil.example"
        self.refused(self.client.proof(self.card, aud=other, htu=other + "/api/patients"), "audience_mismatch")

    def test_a_token_for_another_feature_is_refused(self):
        self.refused(self.client.proof(self.card, feat=["other.feature"]), "feature_refused")

    def test_a_login_token_does_not_open_a_feature(self):
        proof = self.client.proof(
            self.card, header={"typ": "cps-login+jwt"}, feat=["login"], htm=None, htu=None, rid=None
        )
        self.refused(proof, "typ_refused")

    def test_a_signature_that_does_not_fit_is_refused(self):
        signed, signature = self.client.proof(self.card).rsplit(".", 1)
        swapped = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
        self.refused(f"{signed}.{swapped}", "signature_invalid")

    def test_two_tokens_are_as_good_as_garbage(self):
        token = self.client.proof(self.card)
        connection_headers = {"CPS_Token": token, "cps_token": token}
        answer = self.client.call("GET", f"/api/patients?nir={NIR}", **connection_headers)
        self.assertEqual((answer.status, answer.code), (403, "malformed"))

    def test_a_query_of_any_other_form_is_refused_before_anything_else(self):
        for query in ("", "nir=", "nir=1", f"nir={NIR}&x=1", f"x=1&nir={NIR}", "nir=25801000000018%30", f"NIR={NIR}"):
            answer = self.client.call("GET", f"/api/patients?{query}")
            self.assertEqual((answer.status, answer.code), (400, "bad_request"), query)

    def test_an_unknown_patient_is_told_to_a_card_alone(self):
        unknown = "299990000000099"
        self.assertEqual(self.client.look_up(unknown).code, "card_required")
        self.refused(self.client.proof(self.card, nir=unknown), "patient_unknown", status=404, nir=unknown)

    def test_more_than_eight_open_challenges_must_wait(self):
        for _ in range(8):
            self.assertEqual(self.client.look_up().status, 401)
        answer = self.client.look_up()
        self.assertEqual((answer.status, answer.code), (429, "limit_reached"))
        self.assertEqual(answer.headers["Retry-After"], "120")


class WhatIsTold(unittest.TestCase):
    def test_the_features_stand_in_the_well_known_file(self):
        told = portal.client().call("GET", "/.well-known/cps-portal.json").json
        self.assertEqual(told["origin"], portal.origin)
        self.assertEqual([(f["id"], f["mode"]) for f in told["features"]], [("infopatient.read", "card")])
        self.assertEqual(set(told["features"][0]["label"]), {"fr", "en"})

    def test_the_audit_has_a_line_an_access_and_never_a_number_or_a_token(self):
        client = portal.client()
        client.log_in("claire")
        token = client.proof(portal.card("medecin-cps3", DOCTOR))
        client.look_up(token=token)
        client.look_up(token=token)
        client.log_in("typed by mistake: my password")
        text = "".join(portal.log)
        self.assertIn("audit route=patients account=claire code=accepted", text)
        self.assertIn("audit route=patients account=claire code=nonce_unknown", text)
        for secret in (NIR, OTHER_NIR, token[:40], PASSWORD, "typed by mistake"):
            self.assertNotIn(secret, text)

    def test_a_refusal_speaks_the_browsers_language(self):
        details = {
            language: portal.client().call("GET", "/api/me", Accept_Language=language).json["detail"]
            for language in ("fr-FR,fr;q=0.9", "en-GB")
        }
        self.assertEqual(details["fr-FR,fr;q=0.9"], "Connectez-vous d'abord.")
        self.assertEqual(details["en-GB"], "Sign in first.")

    def test_an_unknown_method_and_an_unknown_page_are_told_apart(self):
        client = portal.client()
        self.assertEqual(client.call("GET", "/api/login").status, 405)
        self.assertEqual(client.call("POST", "/api/patients", {}).status, 405)
        self.assertEqual(client.call("GET", "/../etc/passwd").status, 404)


class Starting(unittest.TestCase):
    def run_portal(self, *arguments, **options):
        return subprocess.run(
            [BUILD / "tools/demo-portal/cps-demo-portal", *arguments], capture_output=True, text=True, timeout=20,
            **options,
        )

    def test_it_listens_on_loopback_alone(self):
        for address in ("0.0.0.0:8000", "192.0.2.1:8000", "[::]:8000", "8000"):
            ended = self.run_portal("--trust", "x", "--accounts", "y", "--listen", address)
            self.assertEqual(ended.returncode, 2, address)

    def test_an_account_without_a_card_would_take_any_card_and_is_refused(self):
        for ids in ("[]", '[""]', '[7]'):
            file = folder / "bad.toml"
            file.write_text(re.sub(r"card_ids = .*", f"card_ids = {ids}", accounts.read_text()))
            ended = self.run_portal("--trust", folder / "pki/trust.pem", "--accounts", file)
            self.assertEqual(ended.returncode, 1, ids)
            self.assertIn("names no card", ended.stderr)

    def test_a_configuration_file_says_what_the_options_say(self):
        file = folder / "portal.toml"
        file.write_text(
            f'trust = "{folder}/pki/trust.pem"\naccounts = "{accounts}"\norigin = "https://portal.example"\n'
            'agent-ports = "31000-31001"\n'
        )
        process = subprocess.Popen(
            [BUILD / "tools/demo-portal/cps-demo-portal", "--config", file],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        try:
            self.assertEqual(process.stdout.readline(), "PORTAL=https://portal.example\n")
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()

    def test_two_hashes_of_one_password_differ(self):
        hashes = {self.run_portal("--hash-password", input="same\n").stdout for _ in range(2)}
        self.assertEqual(len(hashes), 2)


class TheBinding(unittest.TestCase):
    def test_the_request_id_is_what_the_profile_says(self):
        self.assertEqual(request_id(), "AbpHGcgLb-kRsJGnwFEktk7uzpZOCcBY74-YBdrKVGs")  # SHA-256 of one LF


if __name__ == "__main__":
    unittest.main()
