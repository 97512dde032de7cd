"""Our Cryptoki module with a reader that takes PINs on keys of its own (PC/SC part 10)."""

import signal
import subprocess
import sys
import threading
import time

import cryptoki
import rig
import winscard
from module_case import MODULE, ModuleCase, pkcs11_tool

rig.isolate()

MESSAGE = b"a message of no importance"
NEW_PIN = "4321"


class KeypadTest(ModuleCase):
    KEYPAD = True
    VERIFY = "00 20 00 01 08 2A 2A 2A 2A FF FF FF FF"  # as the card's log shows it

    def setUp(self):
        super().setUp()
        self.keypad = self.machine.keypad

    def verifications(self):
        return self.commands().count(self.VERIFY)

    def after_the_entry(self):
        lines = self.card.apdus()
        return lines[lines.index(f"> {self.VERIFY}"):] if f"> {self.VERIFY}" in lines else []

    def all_tries_are_left(self, session):
        return not session.module.token_info(0).flags & cryptoki.PIN_COUNT_LOW

    def meanwhile(self, action):
        """Does it as soon as the reader asks."""
        def run():
            self.keypad.wait()
            action()
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def test_a_login_without_a_pin_asks_at_the_reader_and_the_key_signs(self):
        session = self.session(login=False)
        self.assertTrue(session.module.token_info(0).flags
                        & cryptoki.PROTECTED_AUTHENTICATION_PATH)
        self.keypad.type(rig.PIN)

        self.assertEqual(session.login_at_keypad(), cryptoki.OK)

        self.assertEqual(self.keypad.asked(), ["verify 4 4"])
        self.assertEqual(self.verifications(), 1)
        signature = session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE)
        self.assert_verifies(signature, MESSAGE)
        session.logout()
        self.assertFalse(self.verified())

    def test_a_pin_that_the_program_has_is_taken_too(self):
        session = self.session(login=False)

        self.assertEqual(session.login(rig.PIN), cryptoki.OK)

        self.assertEqual(self.keypad.asked(), [])

    def test_a_wrong_pin_costs_one_try_and_is_asked_once(self):
        session = self.session(login=False)
        self.keypad.type(rig.WRONG_PIN, rig.WRONG_PIN, rig.WRONG_PIN)
        flags = cryptoki.PIN_COUNT_LOW | cryptoki.PIN_FINAL_TRY | cryptoki.PIN_IS_LOCKED

        for answer, told in (
                (cryptoki.PIN_INCORRECT, cryptoki.PIN_COUNT_LOW),
                (cryptoki.PIN_INCORRECT, cryptoki.PIN_COUNT_LOW | cryptoki.PIN_FINAL_TRY),
                (cryptoki.PIN_LOCKED, cryptoki.PIN_IS_LOCKED)):
            self.assertEqual(session.login_at_keypad(), answer)
            self.assertEqual(session.module.token_info(0).flags & flags, told)
            self.assertEqual(self.keypad.asked(), ["verify 4 4"])

    def test_a_blocked_card_asks_nobody_to_type(self):
        session = self.session(login=False)
        for _ in range(3):
            session.login(rig.WRONG_PIN)

        self.assertEqual(session.login_at_keypad(), cryptoki.PIN_LOCKED)

        self.assertEqual(self.keypad.asked(), [])

    def test_an_entry_that_is_given_up_costs_no_try(self):
        session = self.session(login=False)
        for typed in ("cancel", "timeout", "123", "12345"):
            with self.subTest(typed):
                self.keypad.type(typed)
                self.assertEqual(session.login_at_keypad(), cryptoki.FUNCTION_CANCELED)

        self.assertEqual(self.verifications(), 0)
        self.assertTrue(self.all_tries_are_left(session))
        self.keypad.type(rig.PIN)
        self.assertEqual(session.login_at_keypad(), cryptoki.OK)

    def test_a_card_that_is_pulled_ends_the_entry(self):
        session = self.session(login=False)
        self.meanwhile(lambda: self.card.control("remove"))
        began = time.monotonic()

        self.assertEqual(session.login_at_keypad(), cryptoki.DEVICE_REMOVED)

        self.assertLess(time.monotonic() - began, 5)
        self.card.insert()
        self.keypad.type(rig.PIN)
        self.assertEqual(session.module.open().login_at_keypad(), cryptoki.OK)

    def test_a_reset_by_another_program_does_not_spoil_the_entry(self):
        session = self.session(login=False)
        session.module.token_info(0)
        with self.machine.connect() as card:
            card.disconnect(winscard.RESET_CARD)
        self.keypad.type(rig.PIN)

        self.assertEqual(session.login_at_keypad(), cryptoki.OK)

    def test_what_another_program_selected_does_not_spoil_the_entry(self):
        session = self.session(login=False)
        session.module.token_info(0)
        with self.machine.connect() as card:
            card.transmit("00A4040C088025000001FF0002")
        self.keypad.type(rig.PIN)

        self.assertEqual(session.login_at_keypad(), cryptoki.OK)

    def test_a_second_login_after_a_logout(self):
        session = self.session(login=False)
        self.keypad.type(rig.PIN, rig.PIN)

        self.assertEqual(session.login_at_keypad(), cryptoki.OK)
        session.logout()
        self.assertEqual(session.login_at_keypad(), cryptoki.OK)

    def test_a_program_that_is_killed_meanwhile_leaves_the_card_unverified(self):
        program = ("import sys; sys.path.insert(0, sys.argv[1]); import cryptoki\n"
                   "m = cryptoki.Module(sys.argv[2]); m.initialize(); s = m.open()\n"
                   "s.login_at_keypad()")
        client = subprocess.Popen(
            [sys.executable, "-c", program, rig.SOURCE_ROOT / "test" / "support", MODULE])
        self.keypad.wait()

        client.send_signal(signal.SIGKILL)
        client.wait()
        self.keypad.type(rig.PIN)  # too late, but the reader does not know

        rig.wait_until(lambda: "-- ctrl 2 (reset)" in self.after_the_entry(), "the reset", 5)
        self.assertFalse(self.verified())

    def test_pkcs11_tool_logs_in_at_the_keypad(self):
        self.keypad.type(rig.PIN)

        code, output = pkcs11_tool("--login", "-O")

        self.assertEqual(code, 0, output)
        self.assertIn("Private Key Object", output)
        self.assertEqual(self.keypad.asked(), ["verify 4 4"])

    def test_the_puk_is_typed_at_the_reader_too(self):
        session = self.session(login=False)
        self.keypad.type(rig.PUK)

        self.assertEqual(session.login_at_keypad(cryptoki.SO), cryptoki.OK)

        self.assertEqual(self.keypad.asked(), ["verify 8 8"])

    def test_the_pin_is_changed_at_the_reader(self):
        session = self.session(login=False)
        self.keypad.type(f"{rig.PIN} {NEW_PIN} {NEW_PIN}")

        self.assertEqual(session.set_pin_at_keypad(), cryptoki.OK)

        self.assertEqual(self.keypad.asked(), ["modify 4 4"])
        self.assertFalse(self.verified())
        self.assertEqual(session.login(NEW_PIN), cryptoki.OK)

    def test_pkcs11_tool_changes_the_pin_at_the_reader(self):
        self.keypad.type(f"{rig.PIN} {NEW_PIN} {NEW_PIN}", NEW_PIN)

        code, output = pkcs11_tool("--change-pin")
        self.assertEqual(code, 0, output)

        code, output = pkcs11_tool("--login", "-O")
        self.assertEqual(code, 0, output)
        self.assertIn("modify 4 4", self.keypad.asked())

    def test_a_change_that_fails_at_the_reader_changes_nothing(self):
        session = self.session(login=False)
        for typed, answer in ((f"{rig.PIN} {NEW_PIN} 4312", cryptoki.FUNCTION_CANCELED),
                              (f"{rig.PIN} 432 432", cryptoki.FUNCTION_CANCELED),
                              ("cancel", cryptoki.FUNCTION_CANCELED),
                              ("timeout", cryptoki.FUNCTION_CANCELED),
                              (f"{rig.WRONG_PIN} {NEW_PIN} {NEW_PIN}", cryptoki.PIN_INCORRECT)):
            with self.subTest(typed):
                self.keypad.type(typed)
                self.assertEqual(session.set_pin_at_keypad(), answer)

        self.assertEqual(self.tries_left(), 2)
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)

    def test_a_card_that_is_pulled_ends_a_change(self):
        session = self.session(login=False)
        self.meanwhile(lambda: self.card.control("remove"))

        self.assertEqual(session.set_pin_at_keypad(), cryptoki.DEVICE_REMOVED)


class Cps4KeypadTest(KeypadTest):
    CARD = "infirmiere-cps4"
    VERIFY = "01 20 00 01 08 2A 2A 2A 2A FF FF FF FF"

    def test_the_pin_is_changed_at_the_reader(self):
        session = self.session(login=False)

        self.assertEqual(session.set_pin_at_keypad(), cryptoki.FUNCTION_NOT_SUPPORTED)

        self.assertEqual(self.keypad.asked(), [])

    # Its PIN is changed by VERIFY and another command: no keypad does that.
    test_pkcs11_tool_changes_the_pin_at_the_reader = None
    test_a_change_that_fails_at_the_reader_changes_nothing = None
    test_a_card_that_is_pulled_ends_a_change = None
