"""Our Cryptoki module and what others do to its card: a reader without contacts, programs that
hold or reset the card, a card that falls silent."""

import ctypes
import shutil
import time

import cryptoki
import rig
import winscard
from module_case import AUTHENTICATION_ID, ModuleCase

rig.isolate()

MESSAGE = b"a message of no importance"
AT_ONCE = 4  # seconds: nothing to wait for, on a machine that is busy
PATIENCE = 7  # seconds that the module waits for another program's transaction
CARD_DEADLINE = 15  # seconds that it gives a card
MARGIN = 4  # seconds for a busy machine


class Case(ModuleCase):
    def assert_answers(self, expected, call, at_most, at_least=0):
        """`call` answers that CKR, or raises it, within its time."""
        before = time.monotonic()
        try:
            answer = call()
        except cryptoki.CkError as e:
            answer = e.rv
        spent = time.monotonic() - before
        self.assertEqual(answer, expected)
        self.assertLess(spent, at_most)
        self.assertGreaterEqual(spent, at_least)

    def assert_signs(self, session):
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        self.assert_verifies(
            session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE), MESSAGE)


class ContactlessTest(Case):
    CARD = None

    def setUp(self):
        super().setUp()
        directory = self.file("contactless")
        shutil.copytree(rig.PKI / "cards" / "medecin-cps3", directory)
        with open(directory / "card.toml", "a", encoding="utf-8") as file:
            file.write('\ninterface = "contactless"\n')
        self.card = self.machine.start_vcard(directory)

    def test_slot_and_token_are_shown_without_a_pin(self):
        module = self.module()

        slots = module.slots()

        self.assertEqual(len(slots), 1)
        info = module.token_info(slots[0])
        self.assertEqual(bytes(info.model).strip(), b"CPS3 contactless")
        self.assertEqual(
            info.flags & (cryptoki.LOGIN_REQUIRED | cryptoki.USER_PIN_INITIALIZED), 0)

    def test_the_certificate_is_as_it_is_on_the_card(self):
        session = self.session(login=False)

        found = session.find(CLASS=cryptoki.CERTIFICATE)

        self.assertEqual([session.attribute(c, cryptoki.VALUE) for c in found],
                         [(self.card.directory / "auth.der").read_bytes()])

    def test_public_data_can_be_read(self):
        session = self.session(login=False)

        data = session.find(CLASS=cryptoki.DATA)

        self.assertEqual([session.attribute(d, cryptoki.LABEL) for d in data], [b"CPS_ID_CARD"])
        self.assertNotEqual(session.attribute(data[0], cryptoki.VALUE), b"")
        self.assertEqual(len(session.find(CLASS=cryptoki.PUBLIC_KEY)), 1)

    def test_nobody_logs_in_and_the_card_is_not_asked(self):
        session = self.session(login=False)
        before = len(self.commands())

        for user, code in ((cryptoki.USER, rig.PIN), (cryptoki.SO, rig.PUK)):
            self.assertEqual(session.login(code, user), cryptoki.USER_PIN_NOT_INITIALIZED)

        self.assertEqual(self.commands()[before:], [])
        self.assertEqual(session.state(), cryptoki.RW_PUBLIC_SESSION)

    def test_no_key_signs(self):
        session = self.session(login=False)

        self.assertEqual(session.find(CLASS=cryptoki.PRIVATE_KEY), [])
        for handle in range(1, 10):  # guessed: that a key is hidden must not be all
            for mechanism in (cryptoki.SHA256_RSA_PKCS, cryptoki.RSA_PKCS):
                self.assertIn(session.sign_init(handle, mechanism),
                              (cryptoki.MECHANISM_INVALID, cryptoki.KEY_HANDLE_INVALID))


class HeldTest(Case):
    def test_a_card_held_exclusively_is_told_at_once_and_used_when_it_is_free(self):
        with self.machine.connect(share=winscard.SHARE_EXCLUSIVE):
            module = self.module()
            slot = module.slots()[0]  # that it is there needs no connection
            for _ in range(2):
                self.assert_answers(cryptoki.FUNCTION_FAILED, lambda: module.open(slot),
                                    AT_ONCE)
                self.assert_answers(cryptoki.FUNCTION_FAILED,
                                    lambda: module.token_info(slot), AT_ONCE)

        self.assert_signs(module.open(slot))

    def test_a_transaction_of_another_program_is_waited_for_in_vain_only_so_long(self):
        session = self.session(login=False)
        with self.machine.connect() as other:
            other.begin()
            self.assert_answers(cryptoki.FUNCTION_FAILED, lambda: session.login(rig.PIN),
                                PATIENCE + MARGIN, at_least=PATIENCE - 1)
            other.end()

        self.assertEqual(self.tries_left(), 3)  # it was no try
        self.assert_signs(session)

    def test_a_last_close_does_not_wait_for_a_transaction_of_another_program(self):
        session = self.session(login=False)
        session.find()
        with self.machine.connect() as other:
            other.begin()
            self.assert_answers(cryptoki.OK, session.close, AT_ONCE)
            other.end()

    def test_a_transaction_that_was_there_first_is_no_fault_of_the_card(self):
        with self.machine.connect() as other:
            other.begin()
            module = self.module()
            self.assert_answers(cryptoki.FUNCTION_FAILED, lambda: module.open(0),
                                CARD_DEADLINE + MARGIN)
            other.end()

        self.assert_signs(module.open(0))


class MuteTest(Case):
    def test_a_card_that_falls_silent_is_a_device_error_and_its_successor_works(self):
        session = self.session()
        module, key = session.module, self.key(session)
        self.card.control("mute")

        self.assert_answers(cryptoki.DEVICE_ERROR,
                            lambda: session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE),
                            CARD_DEADLINE + MARGIN)

        self.card.remove()
        self.card.insert()
        self.assert_signs(module.open(0))  # the next call

    def test_a_card_that_is_silent_from_the_start_likewise(self):
        self.card.control("mute")
        module = self.module()

        self.assert_answers(cryptoki.DEVICE_ERROR, lambda: module.open(0),
                            CARD_DEADLINE + MARGIN)

        self.card.remove()
        self.card.insert()
        self.assert_signs(module.open(0))


class ResetTest(Case):
    def test_a_reset_in_the_middle_of_a_shared_login_ends_it(self):
        self.configure('login = "shared"\n')
        session = self.session()
        key = self.key(session)
        self.assertEqual(session.sign_init(key, cryptoki.SHA256_RSA_PKCS), cryptoki.OK)

        with self.machine.connect() as other:
            other.reconnect(winscard.RESET_CARD)

        size, signature = ctypes.c_ulong(512), (ctypes.c_ubyte * 512)()
        self.assert_answers(
            cryptoki.USER_NOT_LOGGED_IN,
            lambda: session.call("C_Sign", MESSAGE, ctypes.c_ulong(len(MESSAGE)), signature,
                                 ctypes.byref(size)), AT_ONCE)
        self.assertEqual(session.state(), cryptoki.RW_PUBLIC_SESSION)
        self.assertEqual(session.find(CLASS=cryptoki.PRIVATE_KEY, ID=AUTHENTICATION_ID), [])
        self.assert_signs(session)
        self.assertEqual(session.state(), cryptoki.RW_USER_FUNCTIONS)
