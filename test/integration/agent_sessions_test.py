"""Sessions: virtual card, real pcscd, scripted pinentry, a portal's revoke address on loopback."""
import json
import threading
import time
import unittest

import rig
from agent_process import challenge, cpsctl
from agent_with_sessions import RID, WithPortal
from session_tokens import FEATURE_CLAIMS, card_signature_is_good, cth, es256_is_good, parts, thumbprint

rig.isolate()


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

    def test_the_journal_tells_of_opening_use_renewal_and_end(self):
        session = self.opened()
        for _ in range(5):
            self.assertEqual(self.feature(session["session"]).status, 200)
        self.assertEqual(self.renew(session["session"]).status, 200)
        self.assertEqual(self.call("DELETE", f"/v1/sessions/{session['session']}").status, 204)
        path = self.agent.state / "journal.jsonl"

        def told():
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            mine = [line for line in lines if line["origin"] == self.portal.origin][-4:]
            return [(line["what"], line["outcome"], line["count"]) for line in mine]
        wanted = [("session", "done", 1), ("renew", "done", 1), ("features", "done", 5), ("session_end", "page", 1)]
        rig.wait_until(lambda: told() == wanted, wanted)
        text = path.read_text()
        for secret in (session["session"], *session["token"].split("."), "/api/x"):
            self.assertNotIn(secret, text)
        self.assertEqual(cpsctl(self.agent, "journal", "--verify").returncode, 0)

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

    def test_a_kept_code_is_not_offered_to_a_card_that_was_given_a_wrong_one(self):
        session = self.opened()
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("0020000108" + "39393939FFFFFFFF").hex(), "63c2")
        self.assertEqual(self.renew(session["session"]).code, "session_ended")
        self.assert_ended(session["session"])
        self.assertEqual(len(self.pin_attempts()), 2)  # the opening's, and the other program's
        self.opened()  # with all three tries again

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


    def test_the_status_page_lists_them_and_ends_them(self):
        session = self.opened()["session"]
        page = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": None, "Content-Type": "application/json"}
        ticket = cpsctl(self.agent, "ui", "--print").stdout.strip().partition("#")[2]
        own = f"http://127.0.0.1:{self.agent.port}"

        def call(method, path, body=None, **headers):
            return self.agent.call(method, path, body, {**page, "CPS-Agent": "1", **headers}, origin=own)

        key = {"CPS-Page": call("POST", "/page/open", **{"CPS-Ticket": ticket}).json["key"]}
        listed, = [one for one in call("GET", "/page/state", **key).json["sessions"]
                   if session.startswith(one["id"])]
        self.assertTrue(abs(listed["opened"] - time.time()) < 60)
        self.assertEqual(call("POST", "/page/sessions/end", {"id": listed["id"]}).status, 403)
        self.assertEqual(self.feature(session).status, 200)
        self.assertEqual(call("POST", "/page/sessions/end", {"id": listed["id"]}, **key).status, 200)
        self.assert_ended(session)

    def test_a_silent_renewal_waits_for_an_open_dialog_and_opens_none(self):
        session = self.opened()["session"]
        self.agent.will_answer("hang")
        asking = threading.Thread(target=self.leave_soon)
        asking.start()
        self.agent.wait_for_dialog()
        self.assertEqual(self.open().code, "busy")
        self.assertEqual(self.renew(session).status, 200)
        asking.join(10)
        self.assertEqual(len(self.agent.dialogs()), 1)

    def leave_soon(self):
        """A page that asks for a login and closes after two seconds."""
        with self.assertRaises(TimeoutError):
            self.agent.call("POST", "/v1/tokens", {"challenge": challenge()}, origin=self.portal.origin, timeout=2)


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


if __name__ == "__main__":
    unittest.main()
