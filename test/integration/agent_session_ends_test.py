"""How sessions end: by the card, the person, time, and a portal that is told or not."""
import os
import random
import subprocess
import threading
import time
import unittest

import rig
from agent_with_sessions import WithPortal
from event_stream import EventStream
from session_tokens import RevokeReceiver, cth, parts

rig.isolate()

SYSTEM_TRUST = "/etc/ssl/certs/ca-certificates.crt"
PULLS = int(os.environ.get("CPS_PULLS", "10"))


class CardsThatGo(WithPortal):
    def tearDown(self):
        self.card.control("delay 0")
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

    def asked_without_end(self, call):
        """Repeats `call` on a thread until it is refused; each answer with the moment it was asked at."""
        answers = []

        def ask():
            while not answers or answers[-1][1].status == 200:
                answers.append((time.monotonic(), call()))

        asking = threading.Thread(target=ask)
        asking.start()
        return asking, answers

    def test_pulled_at_any_moment_the_page_hears_it_and_no_token_is_made_after(self):
        heard_after, in_renewals = [], 0
        for pull in range(PULLS):
            self.wait_for_status("present")
            session = self.opened("wide.read")["session"]
            with EventStream(self.agent, self.portal.origin) as events:
                asking, made = self.asked_without_end(lambda: self.feature(session, "wide.read"))
                # Every other time the card is signing when it goes.
                signing, renewed = (self.asked_without_end(lambda: self.renew(session, "wide.read")) if pull % 2
                                    else (asking, made))
                time.sleep(random.uniform(0, 0.3))
                notice = self.card.pull()
                asking.join(60)
                signing.join(60)
                heard = events.wait_for("session", session=session)
                events.wait_for("card", card="absent")
            self.assertEqual((made[-1][1].status, made[-1][1].code), (404, "session_ended"))
            self.assertIn(heard.data["end"], ("card_removed", "card_refused"))
            late = [answer.body for asked, answer in made + renewed if asked > heard.at and answer.status == 200]
            self.assertEqual(late, [], "a token was made after the page had heard of the end")
            self.assertEqual(heard.data["left"], 10_000 - (len(made) - 1))
            heard_after.append(heard.at - notice)
            in_renewals += pull % 2
            self.assert_ended(session)
            self.card.insert()
        print(f"# {PULLS} pulls, {in_renewals} while the card signed: the page heard of the end "
              f"{max(heard_after) * 1000:.1f} ms after pcscd's notice at the latest "
              f"(median {sorted(heard_after)[PULLS // 2] * 1000:.1f} ms)")

    def test_a_card_pulled_in_a_renewal_ends_everything(self):
        session = self.opened()["session"]
        self.card.control("delay 150")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.renew(session)))
        asking.start()
        time.sleep(0.4)
        self.card.remove()
        self.assert_soon_ended(session)
        asking.join(60)
        # What a module says of a card that just went, before pcscd does: it is mute.
        self.assertIn(answers[0].code, ("card_removed", "session_ended", "card_mute"), answers[0].body)
        self.assertNotIn(b"eyJ", answers[0].body)

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
        with EventStream(self.agent, self.portal.origin) as events:
            before = time.monotonic()
            session = self.opened()
            opened_at = time.monotonic()
            heard = events.wait_for("session", session=session["session"])
        self.assertGreaterEqual(heard.at - before, 2)
        self.assertLess(heard.at - opened_at, 4)
        token, = self.revoked()
        self.assertEqual(parts(token)[1]["cth"], cth(session["token"]))
        self.assert_ended(session["session"])

    def test_a_session_in_use_ends_when_it_is_too_old(self):
        before = time.monotonic()
        session = self.opened()["session"]
        opened_at = served = asked_at = time.monotonic()
        while (answer := self.feature(session)).status == 200 and asked_at - opened_at < 10:
            time.sleep(0.2)
            served, asked_at = asked_at, time.monotonic()
        self.assertEqual(answer.code, "session_ended")
        self.assertLessEqual(served - opened_at, 5.1)  # a timer's grain
        self.assertGreaterEqual(time.monotonic() - before, 5)


class TellingThePortal(WithPortal):
    def told_by(self, receiver, deadline=15):
        """Ends a session of a portal with that revoke address; what `receiver` heard."""
        type(self).portal, kept = receiver, self.portal
        try:
            self.start_agent()
            self.wait_for_status("present")
            session = self.opened()["session"]
            self.assertEqual(self.call("DELETE", f"/v1/sessions/{session}").status, 204)
            rig.wait_until(lambda: receiver.told, "the portal to be told", deadline)
        finally:
            type(self).portal = kept
            self.start_agent()

    def test_a_redirect_is_not_followed(self):
        receiver = RevokeReceiver(status=307, location=self.other.origin + "/elsewhere")
        self.other.told.clear()
        self.told_by(receiver)
        receiver.stop()
        self.assertEqual(self.other.told, [])

    def test_https_wants_a_certificate_that_the_system_trusts(self):
        folder = self.machine.directory
        certificate, key = folder / "tls.pem", folder / "tls.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-days", "2", "-out", certificate, "-keyout", key],
                       check=True, capture_output=True, timeout=60)
        stranger = RevokeReceiver(tls=(certificate, key))
        with self.assertRaises(TimeoutError):
            self.told_by(stranger, deadline=3)
        stranger.stop()
        subprocess.run(["mount", "--bind", certificate, SYSTEM_TRUST], check=True)  # in a namespace of our own
        try:
            trusted = RevokeReceiver(tls=(certificate, key))
            self.told_by(trusted)
            trusted.stop()
        finally:
            subprocess.run(["umount", SYSTEM_TRUST], check=True)

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
