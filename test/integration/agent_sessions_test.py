"""Sessions: virtual card, real pcscd, scripted pinentry, a portal's revoke address on loopback."""
import json
import os
import random
import threading
import time
import unittest

import rig
from agent_process import Agent, challenge, cpsctl
from agent_with_card import WithCard
from session_tokens import (FEATURE_CLAIMS, RevokeReceiver, card_signature_is_good, cth, es256_is_good, parts,
                            thumbprint)

rig.isolate()

PULLS = int(os.environ.get("CPS_PULLS", "10"))
NOTICE = 0.05  # seconds from pcscd's word to the end of the session
RID = "A" * 43
PORTAL = """\
origin = "{origin}"
name = {{ fr = "Portail d'essai", en = "Test portal" }}
revoke_uri = "{origin}/cps/revoke"
[[feature]]
id = "rights.read"
label = {{ fr = "Lire des droits" }}
mode = "session"
limit = 200
[[feature]]
id = "list.read"
label = {{ fr = "Lire une liste" }}
mode = "session"
limit = 4
[[feature]]
id = "wide.read"
label = {{ fr = "Lire beaucoup" }}
mode = "session"
limit = 10000
[[feature]]
id = "one.read"
label = {{ fr = "Lire une fois" }}
mode = "card"
"""


class WithPortal(WithCard):
    SETTINGS = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal, cls.other = RevokeReceiver(), RevokeReceiver()
        cls.start_agent(cls.SETTINGS)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.portal.stop()
        cls.other.stop()

    @classmethod
    def start_agent(cls, settings=""):
        cls.agent.stop()
        cls.agent = Agent(
            cls.machine.directory / f"agent-{time.monotonic_ns()}",
            portals={"one.toml": PORTAL.format(origin=cls.portal.origin),
                     "two.toml": PORTAL.format(origin=cls.other.origin)},
            settings="allow_http_loopback = true\n" + settings)

    def setUp(self):
        super().setUp()
        self.portal.told.clear()

    def tearDown(self):
        self.assert_unverified()

    def wait_for_status(self, wanted):
        def seen():
            answer = self.agent.call("GET", "/v1/status", origin=getattr(self, "portal", self).origin)
            return answer.json.get("card") == wanted

        if hasattr(self, "portal"):
            rig.wait_until(seen, f"card {wanted}")

    def assert_unverified(self):
        """A second program finds the PIN not verified: the card asks for it, and tells the tries left."""
        self.wait_for_status("present")
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("0020000100").hex(), "63c3")

    def call(self, method, path, body=None, origin=None):
        headers = {"Content-Type": "application/json", "CPS-Agent": "1"} if method == "DELETE" else None
        return self.agent.call(method, path, body, headers, origin=origin or self.portal.origin)

    def open(self, *features, given=None, origin=None):
        given = given or challenge(feat=list(features or ["rights.read"]), ttl=600)
        return self.call("POST", "/v1/sessions", {"challenge": given}, origin)

    def opened(self, *features, origin=None):
        self.agent.will_answer("pin 1234")
        answer = self.open(*features, origin=origin)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def feature(self, session, feat="rights.read", origin=None, path="/api/x", **more):
        origin = origin or self.portal.origin
        return self.call("POST", f"/v1/sessions/{session}/tokens",
                         {"feat": feat, "htm": "GET", "htu": origin + path, "rid": RID, **more}, origin)

    def renew(self, session, *features, origin=None):
        given = challenge(feat=list(features or ["rights.read"]), ttl=600)
        return self.call("POST", f"/v1/sessions/{session}/renew", {"challenge": given}, origin)

    def assert_ended(self, session):
        answer = self.feature(session)
        self.assertEqual((answer.status, answer.code), (404, "session_ended"), answer.body)

    def assert_soon_ended(self, session):
        """pcscd has told us that the card is gone; the agent has 50 ms from its own notice."""
        rig.wait_until(lambda: self.feature(session).status != 200, "the session to end", NOTICE)
        self.assert_ended(session)

    def revoked(self, count=1):
        rig.wait_until(lambda: len(self.portal.told) >= count, "the portal to be told")
        return self.portal.tokens()


class ALife(WithPortal):
    def test_a_session_is_opened_with_the_pin_and_named_by_its_key(self):
        given = challenge(feat=["rights.read", "list.read"], ttl=600)
        self.agent.will_answer("pin 1234")
        answer = self.open(given=given)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(set(answer.json), {"session", "token", "expires_in", "limit"})
        self.assertRegex(answer.json["session"], "^[A-Za-z0-9_-]{22}$")
        self.assertEqual(answer.json["limit"], 4)
        self.assertTrue(590 <= answer.json["expires_in"] <= 600)
        header, claims, _ = parts(answer.json["token"])
        self.assertEqual((header["alg"], header["typ"]), ("RS256", "cps-session+jwt"))
        self.assertEqual(set(claims), {"iss", "sub", "aud", "nonce", "jti", "iat", "exp", "auth_time", "amr", "feat",
                                       "cnf", "lim"})
        self.assertEqual(claims["feat"], ["rights.read", "list.read"])
        self.assertEqual(claims["lim"], 4)
        self.assertEqual(claims["exp"] - claims["iat"], 600)
        self.assertEqual(set(claims["cnf"]["jwk"]), {"crv", "kty", "x", "y"})
        self.assertTrue(card_signature_is_good(answer.json["token"]))
        shown, = self.agent.dialogs()
        self.assertIn("4 consultations", shown["desc"])
        self.assertIn("Lire une liste", shown["desc"])

    def test_feature_tokens_are_signed_by_the_session_key_and_counted(self):
        session = self.opened()
        _, granted, _ = parts(session["token"])
        jwk = granted["cnf"]["jwk"]
        seen = set()
        for number in (1, 2, 3):
            answer = self.feature(session["session"], path=f"/api/{number}")
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json["left"], 200 - number)
            header, claims, _ = parts(answer.json["token"])
            self.assertEqual(header, {"alg": "ES256", "typ": "cps-feature+jwt", "kid": thumbprint(jwk)})
            self.assertEqual(list(claims), FEATURE_CLAIMS)
            self.assertEqual((claims["aud"], claims["cth"]), (self.portal.origin, cth(session["token"])))
            self.assertEqual((claims["seq"], claims["feat"]), (number, "rights.read"))
            self.assertEqual(claims["htu"], f"{self.portal.origin}/api/{number}")
            self.assertEqual(claims["exp"] - claims["iat"], 30)
            self.assertTrue(es256_is_good(answer.json["token"], jwk))
            self.assertLess(len(answer.json["token"]), 1024)
            seen.add(claims["jti"])
        self.assertEqual(len(seen), 3)
        spoilt = answer.json["token"][:-4] + "AAAA"
        self.assertFalse(es256_is_good(spoilt, jwk))
        nonce = challenge()["nonce"]
        with_nonce = self.feature(session["session"], nonce=nonce)
        self.assertEqual(parts(with_nonce.json["token"])[1]["nonce"], nonce)
        self.assertEqual(len(self.pin_attempts()), 1)

    def test_renewals_are_silent_and_everything_runs_on(self):
        session = self.opened()
        self.feature(session["session"])
        _, first, _ = parts(session["token"])
        before = session["token"]
        for number in (1, 2):
            answer = self.renew(session["session"])
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(set(answer.json), {"token", "expires_in", "limit"})
            _, claims, _ = parts(answer.json["token"])
            self.assertEqual(claims["prev"], cth(before))
            for kept in ("sub", "cnf", "aud", "lim", "amr"):
                self.assertEqual(claims[kept], first[kept])
            self.assertTrue(abs(claims["auth_time"] - first["auth_time"]) <= 1)
            self.assertTrue(card_signature_is_good(answer.json["token"]))
            made = self.feature(session["session"])
            self.assertEqual(made.json["left"], 199 - number)
            token = parts(made.json["token"])[1]
            self.assertEqual((token["seq"], token["cth"]), (number + 1, cth(answer.json["token"])))
            before = answer.json["token"]
            self.assert_unverified()
        self.assertEqual(len(self.agent.dialogs()), 1)
        self.assertEqual(len(self.pin_attempts()), 3)

    def test_the_limit_is_kept(self):
        session = self.opened("list.read")["session"]
        for left in (3, 2, 1, 0):
            self.assertEqual(self.feature(session, "list.read").json["left"], left)
        answer = self.feature(session, "list.read")
        self.assertEqual((answer.status, answer.code), (429, "limit_reached"))
        self.assertEqual(self.renew(session, "list.read").code, "limit_reached")

    def test_a_page_ends_its_session_and_the_portal_is_told(self):
        session = self.opened()
        self.assertEqual(self.call("DELETE", f"/v1/sessions/{session['session']}").status, 204)
        self.assert_ended(session["session"])
        self.assertEqual(self.call("DELETE", f"/v1/sessions/{session['session']}").code, "session_ended")
        token, = self.revoked()
        header, claims, _ = parts(token)
        jwk = parts(session["token"])[1]["cnf"]["jwk"]
        self.assertEqual(header, {"alg": "ES256", "typ": "cps-revoke+jwt", "kid": thumbprint(jwk)})
        self.assertEqual(set(claims), {"aud", "cth", "jti"})
        self.assertEqual(claims["cth"], cth(session["token"]))
        self.assertTrue(es256_is_good(token, jwk))
        self.assertEqual(self.portal.told[0][1], "/cps/revoke")

    def test_the_person_sees_the_sessions_and_ends_them(self):
        session = self.opened("rights.read", "list.read")["session"]
        self.feature(session)
        listed = json.loads(cpsctl(self.agent, "sessions", "--json").stdout)["sessions"]
        mine = [one for one in listed if session.startswith(one["id"])]
        self.assertEqual(len(mine), 1)
        self.assertLess(len(mine[0]["id"]), 12)
        self.assertEqual((mine[0]["origin"], mine[0]["left"], mine[0]["limit"]), (self.portal.origin, 3, 4))
        shown = cpsctl(self.agent, "sessions").stdout
        self.assertIn("3 of 4 look-ups left", shown)
        self.assertNotIn(session, shown)
        ended = cpsctl(self.agent, "sessions", "end", mine[0]["id"])
        self.assertEqual((ended.returncode, ended.stdout), (0, "1 ended\n"), ended.stderr)
        self.assert_ended(session)
        again = cpsctl(self.agent, "sessions", "end", mine[0]["id"])
        self.assertEqual((again.returncode, again.stderr.split()[0]), (1, "session_ended"))
        one, two = self.opened()["session"], self.opened()["session"]
        self.assertEqual(cpsctl(self.agent, "sessions", "end").returncode, 0)
        self.assert_ended(one)
        self.assert_ended(two)
        self.assertEqual(cpsctl(self.agent, "sessions").stdout, "no session\n")


class Refusals(WithPortal):
    def test_another_origin_can_neither_see_nor_use_nor_end_a_session(self):
        session = self.opened()["session"]
        other = self.other.origin
        answers = [self.feature(session, origin=other), self.renew(session, origin=other),
                   self.call("DELETE", f"/v1/sessions/{session}", origin=other)]
        absent = [self.feature("A" * 22, origin=other), self.renew("A" * 22, origin=other),
                  self.call("DELETE", "/v1/sessions/" + "A" * 22, origin=other)]
        for answer, none in zip(answers, absent):
            self.assertEqual((answer.status, answer.code), (404, "session_ended"))
            self.assertEqual(answer.body, none.body)
        self.assertEqual(self.feature(session).status, 200)

    def test_what_a_session_may_not_have_is_refused_without_a_dialog(self):
        self.agent.will_answer("pin 1234")
        for features in (["one.read"], ["rights.read", "one.read"], ["unknown.read"], ["login"]):
            answer = self.open(*features)
            self.assertEqual((answer.status, answer.code), (400, "feature_unknown"), features)
        bound = {"htm": "GET", "htu": self.portal.origin + "/", "rid": RID}
        answer = self.call("POST", "/v1/sessions", {"challenge": challenge("rights.read"), **bound})
        self.assertEqual((answer.status, answer.code), (400, "bad_request"))
        self.assertEqual(self.agent.dialogs(), [])

    def test_a_feature_token_is_for_what_was_agreed_to_and_for_this_origin(self):
        session = self.opened()["session"]
        self.assertEqual(self.feature(session, "list.read").code, "feature_unknown")
        self.assertEqual(self.renew(session, "rights.read", "list.read").code, "feature_unknown")
        for changes in ({"htu": self.other.origin + "/x"}, {"htu": self.portal.origin}, {"htm": "get"},
                        {"rid": "A"}, {"nonce": "A"}, {"more": 1}, {"feat": ["rights.read"]}):
            body = {"feat": "rights.read", "htm": "GET", "htu": self.portal.origin + "/x", "rid": RID, **changes}
            answer = self.call("POST", f"/v1/sessions/{session}/tokens", body)
            self.assertEqual((answer.status, answer.code), (400, "bad_request"), changes)
        self.assertEqual(self.feature(session).json["left"], 199)

    def test_a_nonce_renews_once(self):
        session = self.opened()["session"]
        given = challenge(feat=["rights.read"], ttl=600)
        path = f"/v1/sessions/{session}/renew"
        self.assertEqual(self.call("POST", path, {"challenge": given}).status, 200)
        self.assertEqual(self.call("POST", path, {"challenge": given}).code, "challenge_stale")
        self.assertEqual(self.renew(session).status, 200)

    def test_a_token_that_is_over_makes_none_until_it_is_renewed(self):
        self.agent.will_answer("pin 1234")
        answer = self.open(given=challenge(feat=["rights.read"], ttl=2))
        session = answer.json["session"]
        self.assertLessEqual(answer.json["expires_in"], 2)
        made = parts(self.feature(session).json["token"])[1]
        self.assertLessEqual(made["exp"], parts(answer.json["token"])[1]["exp"])
        time.sleep(2.2)
        self.assertEqual(self.feature(session).code, "challenge_stale")
        self.assertEqual(self.renew(session).status, 200)
        self.assertEqual(self.feature(session).status, 200)

    def test_a_refused_dialog_opens_nothing(self):
        self.agent.will_answer("cancel")
        self.assertEqual(self.open().code, "pin_cancelled")
        self.assertEqual(json.loads(cpsctl(self.agent, "sessions", "--json").stdout)["sessions"], [])
        self.start_agent()  # it would have to wait otherwise


class CardsThatGo(WithPortal):
    def tearDown(self):
        self.card.insert()
        super().tearDown()

    def test_a_session_ends_with_its_card_and_does_not_come_back(self):
        session = self.opened()
        self.card.remove()
        self.assert_soon_ended(session["session"])
        token, = self.revoked()
        self.assertEqual(parts(token)[1]["cth"], cth(session["token"]))
        self.card.insert()
        self.wait_for_status("present")
        self.assert_ended(session["session"])
        self.assertEqual(self.renew(session["session"]).code, "session_ended")
        self.assertEqual(len(self.pin_attempts()), 1)

    def test_after_a_renewal_both_of_its_tokens_are_revoked(self):
        session = self.opened()
        renewed = self.renew(session["session"]).json["token"]
        self.card.remove()
        told = {parts(token)[1]["cth"] for token in self.revoked(2)}
        self.assertEqual(told, {cth(session["token"]), cth(renewed)})

    def test_pulled_at_any_moment_no_token_is_made_after(self):
        slowest = 0.0
        for _ in range(PULLS):
            self.wait_for_status("present")
            session = self.opened("wide.read")["session"]
            made, stop = [], threading.Event()

            def ask():
                while not stop.is_set():
                    answer = self.feature(session, "wide.read")
                    made.append((time.monotonic(), answer.status))
                    if answer.status != 200:
                        return

            asking = threading.Thread(target=ask)
            asking.start()
            time.sleep(random.uniform(0, 0.3))
            self.card.remove()  # returns when pcscd has told another client
            noticed = time.monotonic()
            asking.join(10)
            stop.set()
            ended = made[-1]
            self.assertEqual(ended[1], 404, "the session lives on without its card")
            slowest = max(slowest, ended[0] - noticed)
            self.assert_ended(session)
            self.card.insert()
        print(f"# {PULLS} pulls: the session was seen ended {slowest * 1000:.1f} ms after pcscd's notice at the latest")
        self.assertLessEqual(slowest, NOTICE)

    def test_a_card_pulled_in_a_renewal_ends_everything(self):
        session = self.opened()["session"]
        self.card.control("delay 150")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.renew(session)))
        asking.start()
        time.sleep(0.4)
        self.card.control("remove")
        asking.join(60)
        self.assertIn(answers[0].code, ("card_removed", "session_ended"), answers[0].body)
        self.card.control("delay 0")
        self.assert_ended(session)

    def test_a_wrong_pin_from_elsewhere_ends_every_session_before_the_kept_one_is_used(self):
        session = self.opened()["session"]
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("00200001083939393900000000").hex()[:3], "63c")
        before = len(self.pin_attempts())
        answer = self.renew(session)
        self.assertEqual((answer.status, answer.code), (404, "session_ended"), answer.body)
        self.assertEqual(len(self.pin_attempts()), before)
        self.assert_ended(session)
        self.agent.will_answer("pin 1234")  # a good PIN sets the count right again
        self.assertEqual(self.open().status, 200)


class WithoutACache(WithPortal):
    SETTINGS = 'pin_cache = "off"\n'

    def test_renewals_ask_the_person(self):
        session = self.opened()["session"]
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.renew(session).status, 200)
        self.assertEqual(len(self.agent.dialogs()), 1)
        self.agent.will_answer("cancel")
        self.assertEqual(self.renew(session).code, "pin_cancelled")
        self.assertEqual(self.feature(session).status, 200)


class ShortLives(WithPortal):
    SETTINGS = 'session_idle = "2s"\nsession_max = "5s"\n'

    def test_an_idle_session_ends_by_itself(self):
        session = self.opened()
        opened_at = time.monotonic()
        token, = self.revoked()
        self.assertEqual(parts(token)[1]["cth"], cth(session["token"]))
        self.assertTrue(1.5 <= time.monotonic() - opened_at <= 4)
        self.assert_ended(session["session"])

    def test_a_session_in_use_ends_when_it_is_too_old(self):
        session = self.opened()["session"]
        opened_at = time.monotonic()
        while (answer := self.feature(session)).status == 200 and time.monotonic() - opened_at < 10:
            time.sleep(0.2)
        self.assertEqual(answer.code, "session_ended")
        self.assertTrue(4 <= time.monotonic() - opened_at <= 6)


class TellingThePortal(WithPortal):
    def told_by(self, receiver):
        """Ends a session of a portal with that revoke address; what `receiver` heard."""
        type(self).portal, kept = receiver, self.portal
        try:
            self.start_agent()
            self.wait_for_status("present")
            session = self.opened()["session"]
            self.assertEqual(self.call("DELETE", f"/v1/sessions/{session}").status, 204)
            rig.wait_until(lambda: receiver.told, "the portal to be told")
        finally:
            type(self).portal = kept
            self.start_agent()

    def test_a_redirect_is_not_followed(self):
        receiver = RevokeReceiver(status=307, location=self.other.origin + "/elsewhere")
        self.other.told.clear()
        self.told_by(receiver)
        receiver.stop()
        self.assertEqual(self.other.told, [])

    def test_a_portal_that_never_answers_holds_nobody_up(self):
        receiver = RevokeReceiver(silent=True)
        before = time.monotonic()
        self.told_by(receiver)
        self.assertLess(time.monotonic() - before, 15)
        receiver.stop()

    def test_the_agent_says_farewell_when_it_ends(self):
        session = self.opened()
        self.agent.stop()
        token, = self.revoked()
        self.assertEqual(parts(token)[1]["cth"], cth(session["token"]))
        self.start_agent()


if __name__ == "__main__":
    unittest.main()
