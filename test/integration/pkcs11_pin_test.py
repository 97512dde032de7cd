"""Our Cryptoki module and the PIN: what it costs, and that nothing leaves the card verified."""

import ctypes
import os
import signal
import subprocess
import sys
import time

import cryptoki
import rig
import winscard
from module_case import MODULE, ModuleCase

rig.isolate()

MESSAGE = b"a message of no importance"


class PinTest(ModuleCase):
    def test_the_flags_tell_how_many_tries_are_left(self):
        session = self.session(login=False)
        flags = cryptoki.PIN_COUNT_LOW | cryptoki.PIN_FINAL_TRY | cryptoki.PIN_IS_LOCKED

        for answer, told in (
                (cryptoki.PIN_INCORRECT, cryptoki.PIN_COUNT_LOW),
                (cryptoki.PIN_INCORRECT, cryptoki.PIN_COUNT_LOW | cryptoki.PIN_FINAL_TRY),
                (cryptoki.PIN_LOCKED, cryptoki.PIN_IS_LOCKED),
                (cryptoki.PIN_LOCKED, cryptoki.PIN_IS_LOCKED)):
            self.assertEqual(session.login(rig.WRONG_PIN), answer)
            self.assertEqual(session.module.token_info(0).flags & flags, told)

    def test_a_pin_of_another_form_costs_no_try(self):
        session = self.session(login=False)

        for pin in ("", "123", "12345", "12a4"):
            self.assertEqual(session.login(pin), cryptoki.PIN_INCORRECT)

        self.assertEqual(self.tries_left(), 3)

    def test_the_puk_unblocks_the_pin(self):
        session = self.session(login=False)
        for _ in range(3):
            session.login(rig.WRONG_PIN)

        self.assertEqual(session.login(rig.PUK, cryptoki.SO), cryptoki.OK)
        self.assertEqual(session.call("C_InitPIN", b"4321", ctypes.c_ulong(4)), cryptoki.OK)
        self.assertEqual(session.logout(), cryptoki.OK)
        self.assertEqual(session.login("4321"), cryptoki.OK)

    def test_changing_the_pin_leaves_the_card_unverified(self):
        session = self.session(login=False)

        self.assertEqual(session.set_pin(rig.WRONG_PIN, "4321"), cryptoki.PIN_INCORRECT)
        self.assertEqual(session.set_pin(rig.PIN, "43210"), cryptoki.PIN_LEN_RANGE)
        self.assertEqual(session.set_pin(rig.PIN, "4321"), cryptoki.OK)
        self.assertFalse(self.verified())
        self.assertEqual(session.login("4321"), cryptoki.OK)

    def test_logout_leaves_the_card_unverified(self):
        session = self.session()

        self.assertEqual(session.logout(), cryptoki.OK)

        self.assertFalse(self.verified())
        self.assertEqual(session.logout(), cryptoki.USER_NOT_LOGGED_IN)

    def test_the_last_session_closed_leaves_the_card_unverified(self):
        session = self.session()
        other = session.module.open(0)
        session.close()
        other.must("C_GenerateRandom", (ctypes.c_ubyte * 8)(), ctypes.c_ulong(8))
        self.assertEqual(other.state(), 1)  # still logged in: CKS_RO_USER_FUNCTIONS

        other.close()

        self.assertFalse(self.verified())

    def test_a_card_that_another_client_left_verified_is_reset_by_the_last_close(self):
        module = self.module()
        for name, use in (("nothing else", lambda session: None),
                          ("a search", lambda session: session.find()),
                          ("a look at the token", lambda session: module.token_info(0))):
            with self.subTest(name):
                with self.machine.connect() as card:
                    card.transmit(bytes.fromhex("002000010831323334FFFFFFFF"))
                self.assertTrue(self.verified())
                session, other = module.open(0), module.open(0)
                use(session)
                session.close()
                self.assertTrue(self.verified())  # it was not the last

                other.close()

                self.assertFalse(self.verified())

    def test_an_idle_login_ends_after_five_seconds(self):
        session = self.session()
        key = self.key(session)
        time.sleep(4)
        session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)  # a call starts them anew
        time.sleep(4)
        session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)

        time.sleep(6)

        self.assertFalse(self.verified())
        self.assertEqual(session.sign_init(key, cryptoki.SHA256_RSA_PKCS),
                         cryptoki.USER_NOT_LOGGED_IN)
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)

    def test_an_idle_login_ends_after_a_call_that_failed_too(self):
        session = self.session()
        key = self.key(session)
        self.card.control("fail 6A80 1")
        with self.assertRaises(cryptoki.CkError):
            session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)

        time.sleep(6)

        self.assertFalse(self.verified())  # nor is the card held

    def test_a_shared_login_lasts_and_lets_others_in(self):
        self.configure('login = "shared"\n')
        session = self.session()
        time.sleep(6)

        self.assertTrue(self.verified())  # its price
        session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE)
        session.logout()
        self.assertFalse(self.verified())

    def test_a_host_that_forbids_threads_has_a_shared_login(self):
        module = self.module(flags=cryptoki.OS_LOCKING_OK | cryptoki.CANT_CREATE_OS_THREADS)
        threads = len(os.listdir("/proc/self/task"))
        session = module.open(0)
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        time.sleep(6)

        self.assertTrue(self.verified())  # and the card is not held: this was another program
        session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE)
        self.assertEqual(len(os.listdir("/proc/self/task")), threads)
        session.logout()
        self.assertFalse(self.verified())

    def test_a_reset_by_another_program_ends_a_shared_login(self):
        self.configure('login = "shared"\n')
        session = self.session()
        key = self.key(session)
        with self.machine.connect() as card:
            card.disconnect(winscard.RESET_CARD)

        with self.assertRaises(cryptoki.CkError) as caught:
            session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)

        self.assertEqual(caught.exception.rv, cryptoki.USER_NOT_LOGGED_IN)
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)

    def test_a_killed_client_leaves_the_card_unverified(self):
        program = ("import sys; sys.path.insert(0, sys.argv[1]); import cryptoki, time\n"
                   "m = cryptoki.Module(sys.argv[2]); m.initialize(); s = m.open()\n"
                   "print(s.login('1234'), flush=True); time.sleep(60)")
        client = subprocess.Popen(
            [sys.executable, "-c", program, rig.SOURCE_ROOT / "test" / "support", MODULE],
            stdout=subprocess.PIPE)
        self.assertEqual(client.stdout.readline(), b"0\n")

        client.send_signal(signal.SIGKILL)
        client.wait()
        client.stdout.close()

        rig.wait_until(lambda: "-- ctrl 2 (reset)" in self.card.apdus(), "the reset", 2)
        self.assertFalse(self.verified())

    def test_four_processes_share_one_card(self):
        clients = [subprocess.Popen(
            [sys.executable, rig.SOURCE_ROOT / "test" / "support" / "sign_in_loop.py", MODULE,
             "10"], stdout=subprocess.PIPE, text=True) for _ in range(4)]
        told = [client.communicate(timeout=120)[0].split() for client in clients]

        for client, outcomes in zip(clients, told):
            self.assertEqual(client.returncode, 0)
            signatures = {o for o in outcomes if len(o) == 512}
            self.assertEqual(len(signatures), 1)  # of one message: PKCS #1 v1.5 has no salt
            self.assertLessEqual({o for o in outcomes if len(o) != 512},
                                 {f"{cryptoki.USER_NOT_LOGGED_IN:X}"})
            self.assert_verifies(bytes.fromhex(signatures.pop()), MESSAGE)
        self.assertEqual(self.tries_left(), 3)
