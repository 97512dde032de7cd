"""The agent with a reader that takes the code on keys of its own: it never enters the computer."""
import contextlib
import http.client
import json
import os
import threading
import time
import unittest

import canary
import rig
import winscard
from agent_process import MODULE, OPENSC, ORIGIN, OWN, Agent, challenge, claims_of, cpsctl
from agent_with_card import WithCard

rig.isolate()

PIN, NEW, WRONG = "7391", "6284", "8264"
WINDOW = "hang"  # the window stays until the agent closes it


class WithKeypad(WithCard):
    @classmethod
    def setUpClass(cls):
        cls.machine = rig.Rig()
        cls.machine.start_pcscd(keypad=True)
        cls.keypad = cls.machine.keypad
        cls.agent = Agent(cls.machine.directory / "agent")

    def setUp(self):
        self.card = self.machine.start_vcard(self.CARD, pin=PIN)
        self.addCleanup(self.take_card_away)
        self.wait_for_status("present")
        self.fresh_agent()
        self.keypad.forget()
        self.keypad.ready = lambda: self.kinds()[-1:] == ["message"]  # who is told to type does so

    def kinds(self):
        return [dialog["kind"] for dialog in self.agent.dialogs()]

    def in_the_background(self, call):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(call()))
        thread.start()
        self.addCleanup(thread.join, 60)

        def answer():
            thread.join(60)
            return answers.pop()
        return answer

    def entries(self):
        return [line for line in self.card.apdus() if line.startswith("> 00 20 00 01 08")]

    def wait_until_free(self):
        """pcscd waits for the reader also when the program that asked has gone, and then resets the card; one that
        is pulled meanwhile is there for ever, and mute (pcscd 1.9.9, tried)."""
        def alone():
            with contextlib.suppress(winscard.PcscError), self.machine.connect(share=winscard.SHARE_EXCLUSIVE) as card:
                return card.transmit(bytes.fromhex("0020000100"))[:1] == b"\x63"

        rig.wait_until(alone, "the reader to be free")

    def tries(self):
        return self.card.status()["pin_tries"]

    def refused(self, code, answer):
        self.assertEqual(answer.code, code, answer.body)
        return answer


class Tokens(WithKeypad):
    def test_the_consent_is_confirmed_and_the_code_typed_on_the_reader_while_a_window_says_so(self):
        given = challenge()
        self.agent.will_answer("ok", WINDOW)
        answer = self.in_the_background(lambda: self.agent.token(given))
        self.assertEqual(self.keypad.wait(), "verify 4 4")
        consent, window = self.agent.dialogs()
        self.assertEqual((consent["kind"], window["kind"]), ("confirm", "message"))
        self.assertIn(ORIGIN, consent["desc"])
        self.assertIn("acceptez, puis tapez votre code sur le lecteur", " ".join(consent["desc"].split()))
        self.assertIn("clavier du lecteur", window["desc"])
        self.assertIn(ORIGIN, window["desc"])
        self.assertIn("Carte : ", window["desc"])
        self.assertEqual(window["ok"], "Annuler")
        self.keypad.type(PIN)
        token = answer()
        self.assertEqual(token.status, 200, token.body)
        self.assertEqual(self.verify(token.json["token"], given).returncode, 0)
        self.assertFalse(canary.children(self.agent.process.pid))  # the window is closed
        self.assertEqual(self.tries(), 3)
        with self.machine.connect() as card:
            self.assertEqual(card.transmit(bytes.fromhex("0020000100")), bytes.fromhex("63C3"))

    def test_who_refuses_the_consent_is_not_asked_to_type(self):
        self.agent.will_answer("cancel")
        self.refused("consent_refused", self.agent.token())
        self.assertEqual((self.kinds(), self.keypad.asked()), (["confirm"], []))

    def test_a_consent_that_was_given_with_the_code_is_remembered(self):
        for _ in range(2):
            self.keypad.type(PIN)
            self.agent.will_answer("ok", WINDOW)
            self.assertEqual(self.agent.token().status, 200)
        self.assertIn("déjà donné cet accord", self.agent.dialogs()[0]["desc"])

    def test_a_consent_without_the_code_is_not_remembered(self):
        self.keypad.type("cancel")
        self.agent.will_answer("ok", WINDOW)
        self.refused("pin_cancelled", self.agent.token())
        self.assertEqual(json.loads(cpsctl(self.agent, "consents", "--json").stdout)["consents"], [])

    def test_what_is_given_up_on_the_reader_costs_no_try(self):
        short = ("123",) if MODULE == OWN else ()  # which OpenSC tells as wrong, with every try left
        for typed in ("cancel", "timeout", *short):
            with self.subTest(typed):
                self.fresh_agent()
                self.keypad.type(typed)
                self.agent.will_answer("ok", WINDOW, "ok", WINDOW)
                self.refused("pin_cancelled", self.agent.token())
                self.assertEqual(self.kinds(), ["confirm", "message"])
        self.assertEqual((self.tries(), len(self.keypad.asked())), (3, 2 + len(short)))

    def test_a_wrong_code_is_told_and_the_person_asked_before_the_next_entry(self):
        self.keypad.type(WRONG)
        self.agent.will_answer("ok", WINDOW, "cancel")
        self.assertEqual(self.refused("pin_cancelled", self.agent.token()).json["tries_left"], 2)
        self.assertIn("Code faux. Essais restants : 2.", self.agent.dialogs()[2]["desc"])
        self.assertEqual((self.kinds(), self.keypad.asked()), (["confirm", "message", "confirm"], ["verify 4 4"]))
        self.fresh_agent()
        self.keypad.type(WRONG, PIN)
        self.agent.will_answer("ok", WINDOW, "ok", "ok", WINDOW)
        self.assertEqual(self.agent.token().status, 200)
        self.assertIn("Un code faux a déjà été saisi. Essais restants : 2.", self.agent.dialogs()[0]["desc"])
        self.assertEqual(self.kinds(), ["confirm", "message", "confirm", "confirm", "message"])
        self.assertIn("Il ne reste qu'un essai", self.agent.dialogs()[2]["desc"])
        self.assertEqual(self.tries(), 3)

    def test_the_last_try_wants_an_explicit_word_and_then_the_card_is_blocked(self):
        self.keypad.type(WRONG, WRONG)
        self.agent.will_answer("ok", WINDOW, "ok", WINDOW, "cancel")
        self.refused("consent_refused", self.agent.token())
        self.assertIn("Il ne reste qu'un essai", self.agent.dialogs()[-1]["desc"])
        self.assertEqual((self.tries(), len(self.keypad.asked())), (1, 2))
        self.fresh_agent()
        self.keypad.type(WRONG)
        self.agent.will_answer("ok", "ok", WINDOW, "ok", WINDOW)
        self.assertEqual(self.refused("pin_blocked", self.agent.token()).json["tries_left"], 0)
        self.assertEqual(len(self.keypad.asked()), 1)
        self.refused("pin_blocked", self.agent.token())
        self.assertEqual(self.keypad.asked(), [])

    def test_a_page_that_leaves_a_window_that_is_closed_and_a_card_that_is_pulled_end_the_wait(self):
        self.agent.will_answer("ok", WINDOW)
        with contextlib.closing(self.agent.send("POST", "/v1/tokens", {"challenge": challenge()})):
            self.keypad.wait()
        rig.wait_until(lambda: self.agent.token(origin="https://unknown.example").code != "busy"
                       and not canary.children(self.agent.process.pid), "the agent to be free", 8)
        self.keypad.type("cancel")  # the reader waits on by itself
        self.wait_until_free()

        self.fresh_agent()
        self.agent.will_answer("ok", "after 1 ok")
        answer = self.in_the_background(self.agent.token)
        self.keypad.wait()
        began = time.monotonic()
        self.refused("consent_refused", answer())
        self.assertLess(time.monotonic() - began, 8)
        self.keypad.type("cancel")
        self.wait_until_free()

        self.fresh_agent()
        self.agent.will_answer("ok", WINDOW)
        answer = self.in_the_background(self.agent.token)
        self.keypad.wait()
        self.card.control("remove")
        self.refused("card_removed", answer())
        self.assertFalse(canary.children(self.agent.process.pid))
        self.card.insert()
        self.wait_for_status("present")
        self.assertEqual(self.tries(), 3)

    def call_in_vain(self):
        with contextlib.suppress(http.client.HTTPException, OSError):
            self.agent.token()

    def test_an_agent_that_stops_does_not_wait_for_the_reader(self):
        self.agent.will_answer("ok", WINDOW)
        thread = threading.Thread(target=self.call_in_vain)
        thread.start()
        self.addCleanup(thread.join, 60)
        self.keypad.wait()
        began = time.monotonic()
        self.assertEqual(self.agent.stop(), 0)
        self.assertLess(time.monotonic() - began, 8)
        self.keypad.type(PIN)  # too late: the card is reset, and serves nobody
        rig.wait_until(self.entries, "the entry")
        type(self).agent = Agent(self.machine.directory / f"agent-{time.monotonic_ns()}")
        self.wait_until_free()

    def test_the_code_is_in_no_memory_of_ours(self):
        if os.geteuid() != 0:
            self.skipTest("only root may read the memory of processes that forbid it")
        self.agent.will_answer("ok", WINDOW)
        answer = self.in_the_background(self.agent.token)
        self.keypad.wait()
        self.card.control("delay 200")
        self.keypad.type(PIN)
        rig.wait_until(self.entries, "the code on its way to the card")
        ours = [self.agent.process.pid, *canary.children(self.agent.process.pid)]
        self.assertGreater(len(ours), 2)  # the worker, which is logged in, and the window
        with canary.stopped(*ours):
            self.assertEqual([hit for pid in ours for hit in canary.in_memory(pid, PIN)], [])
        self.card.control("delay 0")
        self.assertEqual(answer().status, 200)


class Sessions(WithKeypad):
    def open(self):
        self.keypad.type(PIN)
        self.agent.will_answer("ok", WINDOW)
        opened = self.agent.call("POST", "/v1/sessions", {"challenge": challenge("infopatient.list", ttl=600)})
        self.assertEqual(opened.status, 200, opened.body)
        self.keypad.asked()
        return opened.json["session"]

    def renew(self, session):
        return self.agent.call("POST", f"/v1/sessions/{session}/renew",
                               {"challenge": challenge("infopatient.list", ttl=600)})

    def test_a_renewal_asks_at_the_reader_with_the_window_alone(self):
        session = self.open()
        self.keypad.type(PIN)
        self.agent.will_answer(WINDOW)
        renewed = self.renew(session)
        self.assertEqual(renewed.status, 200, renewed.body)
        self.assertEqual((self.kinds(), self.keypad.asked()), (["message"], ["verify 4 4"]))
        self.assertIn("poursuivre votre session avec amelipro", " ".join(self.agent.dialogs()[0]["desc"].split()))
        claims = claims_of(renewed.json["token"])
        self.assertLessEqual(claims["iat"] - claims["auth_time"], 2)  # a person was there

    def test_a_renewal_with_a_wrong_code_asks_for_consent_before_the_next(self):
        session = self.open()
        self.keypad.type(WRONG, PIN)
        self.agent.will_answer(WINDOW, "ok", WINDOW)
        self.assertEqual(self.renew(session).status, 200)
        self.assertEqual(self.kinds(), ["message", "confirm", "message"])
        self.assertIn("Essais restants : 2", self.agent.dialogs()[1]["desc"])

    def test_a_renewal_that_is_given_up_leaves_the_session_and_is_not_pressed(self):
        session = self.open()
        self.keypad.type("cancel")
        self.agent.will_answer(WINDOW)
        self.refused("pin_cancelled", self.renew(session))
        self.refused("rate_limited", self.renew(session))
        self.assertEqual(self.keypad.asked(), ["verify 4 4"])
        self.assertEqual(len(json.loads(cpsctl(self.agent, "sessions", "--json").stdout)["sessions"]), 1)

    def test_a_renewal_whose_consent_was_revoked_does_not_give_it_again(self):
        session = self.open()
        self.assertEqual(cpsctl(self.agent, "consents", "revoke", "--all").returncode, 0)
        self.keypad.type(PIN)
        self.agent.will_answer(WINDOW)
        self.assertEqual(self.renew(session).status, 200)
        self.assertEqual(json.loads(cpsctl(self.agent, "consents", "--json").stdout)["consents"], [])

    def test_a_page_that_leaves_ends_a_renewal(self):
        session = self.open()
        self.agent.will_answer(WINDOW)
        with contextlib.closing(self.agent.send("POST", f"/v1/sessions/{session}/renew",
                                                {"challenge": challenge("infopatient.list", ttl=600)})):
            self.keypad.wait()
        rig.wait_until(lambda: not canary.children(self.agent.process.pid), "the window to close", 8)
        self.keypad.type("cancel")
        self.wait_until_free()


class Codes(WithKeypad):
    def change(self, *answers):
        self.agent.will_answer(*answers)
        return cpsctl(self.agent, "pin", "change")

    @rig.where(MODULE == OWN, "OpenSC asks at no keypad for a change")
    def test_the_code_is_changed_at_the_reader(self):
        self.keypad.type(f"{PIN} {NEW} {NEW}")
        done = self.change(WINDOW)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.kinds(), self.keypad.asked()), (["message"], ["modify 4 4"]))
        self.keypad.type(NEW)
        self.agent.will_answer("ok", WINDOW)
        self.assertEqual(self.agent.token().status, 200)

    @rig.where(MODULE == OWN, "OpenSC asks at no keypad for a change")
    def test_a_change_that_fails_at_the_reader_is_told_and_not_repeated(self):
        for typed, code in ((f"{PIN} {NEW} {WRONG}", "pin_cancelled"), ("timeout", "pin_cancelled"),
                            (f"{WRONG} {NEW} {NEW}", "pin_wrong")):
            with self.subTest(typed):
                self.keypad.type(typed)
                self.assertEqual(self.change(WINDOW, WINDOW).stderr.split()[0], code)
                self.assertEqual(self.keypad.asked(), ["modify 4 4"])
        self.assertEqual(self.tries(), 2)

    def test_no_keypad_unblocks_a_code(self):
        self.agent.will_answer(WINDOW)
        told = cpsctl(self.agent, "pin", "unblock")
        self.assertEqual(told.stderr.split()[0], "pin_change_unsupported")
        self.assertIn("lecteur sans clavier", told.stderr)
        self.assertEqual((self.agent.dialogs(), self.keypad.asked()), ([], []))

    @rig.where(MODULE == OPENSC, "what OpenSC cannot do")
    def test_opensc_changes_no_code_at_the_reader(self):
        told = self.change(WINDOW)
        self.assertEqual(told.stderr.split()[0], "pin_change_unsupported", told.stderr)
        self.assertEqual((self.tries(), self.keypad.asked()), (3, []))


@rig.where(MODULE == OWN, "OpenSC knows no CPS4")
class Cps4(WithKeypad):
    CARD = "infirmiere-cps4"

    def test_a_token_is_made_and_the_code_not_changed(self):
        for _ in range(2):  # the second after our own reset
            self.keypad.type(PIN)
            self.agent.will_answer("ok", WINDOW)
            answer = self.agent.token()
            self.assertEqual(answer.status, 200, answer.body)
        self.keypad.asked()
        self.agent.will_answer(WINDOW)
        told = cpsctl(self.agent, "pin", "change")
        self.assertEqual(told.stderr.split()[0], "pin_change_unsupported")
        self.assertEqual(self.keypad.asked(), [])


if __name__ == "__main__":
    unittest.main()
