"""Our Cryptoki module over a real pcscd: objects, mechanisms, PINs, and what leaves the card
verified (nothing)."""

import ctypes
import hashlib
import os
import shutil
import struct
import threading
import time

import cryptoki
import module_case
import rig
import winscard
from module_case import (AUTHENTICATION_ID, MODULE, SIGNATURE_ID, ModuleCase, pkcs11_tool, run)

rig.isolate()

SHA1_PREFIX = bytes.fromhex("3021300906052B0E03021A05000414")
SHA256_PREFIX = bytes.fromhex("3031300D060960864801650304020105000420")
PSS_SHA256 = struct.pack("@LLL", 0x250, 2, 32)
MESSAGE = b"a message of no importance"
NOBODY = 65534  # another owner
COLD_BUDGET, WARM_BUDGET = 45, 10  # commands, GET RESPONSE included


def info_of(message):
    return SHA256_PREFIX + hashlib.sha256(message).digest()


class Cps3Test(ModuleCase):
    NEEDS = ("pkcs11-tool",)

    def test_the_card_is_spoken_to_by_t_0(self):
        self.session(login=False)

        with self.machine.connect() as card:
            self.assertEqual(card.protocol, winscard.PROTOCOL_T0)

    def test_pkcs11_tool_finds_no_error(self):
        code, output = pkcs11_tool("--login", "--pin", rig.PIN, "--test")

        self.assertEqual(code, 0, output)
        self.assertIn("No errors", output)

    def test_both_certificates_come_as_they_are_on_the_card(self):
        session = self.session(login=False)

        for name, identifier in (("auth", AUTHENTICATION_ID), ("sign", SIGNATURE_ID)):
            found = session.find(CLASS=cryptoki.CERTIFICATE, ID=identifier)
            self.assertEqual(len(found), 1)
            self.assertEqual(session.attribute(found[0], cryptoki.VALUE),
                             (self.card.directory / f"{name}.der").read_bytes())

    def test_private_objects_are_not_seen_before_login(self):
        session = self.session(login=False)

        self.assertEqual(session.find(CLASS=cryptoki.PRIVATE_KEY), [])
        self.assertEqual(session.find(LABEL=b"CPS_ACTIVITY_01_PS"), [])
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        self.assertEqual(len(session.find(CLASS=cryptoki.PRIVATE_KEY)), 2)
        activity = session.find(LABEL=b"CPS_ACTIVITY_01_PS")[0]
        self.assertIn(b"CPS_ACTIVITY_01_PS", session.attribute(activity, cryptoki.VALUE))

    def test_every_mechanism_of_the_authentication_key_signs(self):
        session = self.session()
        key = self.key(session)

        for digest, mechanism in (("sha1", 0x06), ("sha224", 0x46), ("sha256", 0x40),
                                  ("sha384", 0x41), ("sha512", 0x42)):
            with self.subTest(digest):
                self.assert_verifies(session.sign(key, mechanism, MESSAGE), MESSAGE,
                                     digest=digest)
        self.assert_verifies(session.sign(key, cryptoki.RSA_PKCS, info_of(MESSAGE)), MESSAGE)

    def test_the_signature_key_signs_sha256_and_a_digest_of_its_callers(self):
        session = self.session()
        key = self.key(session, SIGNATURE_ID)

        self.assert_verifies(session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE), MESSAGE,
                             name="sign")
        self.assert_verifies(session.sign(key, cryptoki.RSA_PKCS, info_of(MESSAGE)), MESSAGE,
                             name="sign")
        self.assertEqual(session.sign_init(key, cryptoki.SHA1_RSA_PKCS),
                         cryptoki.KEY_FUNCTION_NOT_PERMITTED)
        with self.assertRaises(cryptoki.CkError) as caught:
            session.sign(key, cryptoki.RSA_PKCS, b"no DigestInfo")
        self.assertEqual(caught.exception.rv, 0x20)  # CKR_DATA_INVALID

    def test_a_cps3_offers_no_pss(self):
        session = self.session()

        self.assertEqual(
            session.sign_init(self.key(session), cryptoki.RSA_PKCS_PSS, PSS_SHA256),
            cryptoki.MECHANISM_INVALID)

    def test_it_deciphers_what_the_public_key_enciphered(self):
        session = self.session()
        self.file("clear").write_bytes(b"forty-two")
        code, output = run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey",
                           self.public_key(), "-in", self.file("clear"), "-out",
                           self.file("cipher"))
        self.assertEqual(code, 0, output)

        clear = session.decrypt(self.key(session), self.file("cipher").read_bytes())

        self.assertEqual(clear, b"forty-two")

    def test_signing_in_parts_equals_signing_at_once(self):
        session = self.session()
        key = self.key(session)
        session.sign_init(key, cryptoki.SHA256_RSA_PKCS)
        for part in (MESSAGE[:7], MESSAGE[7:]):
            session.must("C_SignUpdate", part, ctypes.c_ulong(len(part)))
        size = ctypes.c_ulong(512)
        signature = (ctypes.c_ubyte * 512)()
        session.must("C_SignFinal", signature, ctypes.byref(size))

        self.assertEqual(bytes(signature[:size.value]),
                         session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE))

    def test_a_short_buffer_keeps_the_operation_alive(self):
        session = self.session()
        session.sign_init(self.key(session), cryptoki.SHA256_RSA_PKCS)
        size, signature = ctypes.c_ulong(10), (ctypes.c_ubyte * 512)()
        sign = ("C_Sign", MESSAGE, ctypes.c_ulong(len(MESSAGE)))

        self.assertEqual(session.call(*sign, None, ctypes.byref(size)), cryptoki.OK)
        self.assertEqual(size.value, 256)
        size.value = 255
        self.assertEqual(session.call(*sign, signature, ctypes.byref(size)),
                         cryptoki.BUFFER_TOO_SMALL)
        self.assertEqual(size.value, 256)
        self.assertEqual(session.call(*sign, signature, ctypes.byref(size)), cryptoki.OK)

    def test_a_pulled_card_ends_its_sessions_and_comes_back(self):
        session = self.session()
        key = self.key(session)
        self.card.remove()

        with self.assertRaises(cryptoki.CkError) as caught:
            session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE)
        self.assertIn(caught.exception.rv,
                      (cryptoki.DEVICE_REMOVED, cryptoki.SESSION_HANDLE_INVALID))
        self.assertEqual(session.module.slot_info(0).flags & cryptoki.TOKEN_PRESENT, 0)
        self.card.insert()
        again = session.module.open(0)
        self.assertEqual(again.login(rig.PIN), cryptoki.OK)
        again.sign(self.key(again), cryptoki.SHA256_RSA_PKCS, MESSAGE)

    def test_a_mute_card_is_told_within_a_deadline_and_recovers(self):
        session = self.session(login=False)
        self.card.control("mute")
        before = time.monotonic()

        self.assertNotEqual(session.login(rig.PIN), cryptoki.OK)

        self.assertLess(time.monotonic() - before, 20)

    def test_pcscd_may_restart(self):
        session = self.session()
        self.machine.restart_pcscd()
        self.machine.wait_for_card()

        def signs_again():
            try:
                again = session.module.open(session.module.slots()[0])
                again.login(rig.PIN)
                return again.sign(self.key(again), cryptoki.SHA256_RSA_PKCS, MESSAGE)
            except (cryptoki.CkError, IndexError):
                return None

        self.assert_verifies(rig.wait_until(signs_again, "a signature", 10), MESSAGE)

    def test_a_blocked_wait_for_an_event_wakes_on_a_pull_and_on_finalize(self):
        module = self.module()
        answers = []

        def wait():
            slot = ctypes.c_ulong(99)
            rv = module.call("C_WaitForSlotEvent", ctypes.c_ulong(0), ctypes.byref(slot), None)
            answers.append((rv, slot.value))

        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.3)
        self.card.remove()
        waiter.join(5)
        self.assertEqual(answers, [(cryptoki.OK, 0)])
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.3)
        module.call("C_Finalize", None)
        waiter.join(5)
        self.assertEqual(answers[-1][0], cryptoki.NOT_INITIALIZED)

    def test_a_forked_child_starts_anew(self):
        module = self.module()
        module.open()
        code, output = pkcs11_tool("--test-fork")
        self.assertEqual(code, 0, output)

        child = os.fork()
        if child == 0:
            refused = module.call("C_GetInfo", (ctypes.c_ubyte * 128)())
            os._exit(0 if refused == cryptoki.NOT_INITIALIZED else 1)

        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertEqual(module.slots(), [0])

    def test_the_first_signature_keeps_its_budget_of_commands(self):
        def first_signature():
            before = len(self.commands())
            with cryptoki.Module(MODULE) as module:
                session = module.open()
                certificates = session.find(CLASS=cryptoki.CERTIFICATE)
                values = [session.attribute(c, cryptoki.VALUE) for c in certificates]
                self.assertEqual(len(values), 2)
                module.token_info(0)
                session.login(rig.PIN)
                session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE)
                return len(self.commands()) - before

        cold, warm = first_signature(), first_signature()

        self.assertLessEqual(cold, COLD_BUDGET)
        self.assertLessEqual(warm, WARM_BUDGET)

    def test_a_cache_that_lies_is_found_out(self):
        with cryptoki.Module(MODULE) as module:
            session = module.open()
            for certificate in session.find(CLASS=cryptoki.CERTIFICATE):
                session.attribute(certificate, cryptoki.VALUE)
        cache = next(self.file("cache", "cps-agent", "cards").glob("*.card"))
        kept = cache.read_bytes()[:-32]
        auth = (self.card.directory / "auth.der").read_bytes()
        other = (rig.PKI / "cards" / "pharmacien-cps3" / "auth.der").read_bytes()
        self.assertIn(auth, kept)
        lie = kept.replace(len(auth).to_bytes(3, "big") + auth,
                           len(other).to_bytes(3, "big") + other)
        cache.write_bytes(lie + hashlib.sha256(lie).digest())

        session = self.session()

        self.assert_verifies(
            session.sign(self.key(session), cryptoki.SHA256_RSA_PKCS, MESSAGE), MESSAGE)
        self.assertIn(auth, cache.read_bytes())

    def test_a_cache_of_another_owner_or_mode_is_not_read(self):
        with cryptoki.Module(MODULE) as module:
            session = module.open()
            session.attribute(session.find(CLASS=cryptoki.CERTIFICATE)[0], cryptoki.VALUE)
        folder = self.file("cache", "cps-agent", "cards")
        cache = next(folder.glob("*.card"))
        kept = cache.read_bytes()
        self.assertEqual(cache.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(folder.stat().st_mode & 0o7777, 0o700)

        def reads():
            """Commands for the directory files and a certificate."""
            before = len(self.commands())
            with cryptoki.Module(MODULE) as module:
                session = module.open()
                session.attribute(session.find(CLASS=cryptoki.CERTIFICATE)[0], cryptoki.VALUE)
            return len(self.commands()) - before

        def put_back():
            shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
            cache.write_bytes(kept)
            cache.chmod(0o600)

        put_back()
        from_cache = reads()
        for name, spoil in (
                ("the file's mode", lambda: cache.chmod(0o660)),
                ("the file's owner", lambda: os.chown(cache, NOBODY, NOBODY)),
                ("a link", lambda: (cache.rename(self.file("aside")),
                                    cache.symlink_to(self.file("aside")))),
                ("the folder's mode", lambda: folder.chmod(0o755)),
                ("the folder's owner", lambda: os.chown(folder, NOBODY, NOBODY)),
                ("a torn file", lambda: cache.write_bytes(kept[:-1]))):
            with self.subTest(name):
                put_back()
                spoil()
                self.assertGreater(reads(), from_cache + 10)  # from the card again


class Cps4Test(ModuleCase):
    CARD = "infirmiere-cps4"
    NEEDS = ("pkcs11-tool",)

    def test_the_card_is_spoken_to_by_t_1(self):
        self.session(login=False)  # the module was first to choose, and this card offers both

        with self.machine.connect() as card:
            self.assertEqual(card.protocol, winscard.PROTOCOL_T1)

    def test_pkcs11_tool_finds_no_error(self):
        code, output = pkcs11_tool("--login", "--pin", rig.PIN, "--test")

        self.assertEqual(code, 0, output)
        self.assertIn("No errors", output)

    def test_both_keys_sign_with_pss(self):
        session = self.session()
        options = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")

        for name, identifier in (("auth", AUTHENTICATION_ID), ("sign", SIGNATURE_ID)):
            key = self.key(session, identifier)
            digest = hashlib.sha256(MESSAGE).digest()
            for mechanism, data in ((cryptoki.RSA_PKCS_PSS, digest),
                                    (cryptoki.SHA256_RSA_PKCS_PSS, MESSAGE)):
                with self.subTest(f"{name} 0x{mechanism:X}"):
                    self.assert_verifies(session.sign(key, mechanism, data, PSS_SHA256),
                                         MESSAGE, *options, name=name)

    def test_both_keys_sign_with_pkcs1(self):
        session = self.session()

        for name, identifier in (("auth", AUTHENTICATION_ID), ("sign", SIGNATURE_ID)):
            key = self.key(session, identifier)
            self.assert_verifies(session.sign(key, cryptoki.SHA256_RSA_PKCS, MESSAGE), MESSAGE,
                                 name=name)
            self.assert_verifies(session.sign(key, cryptoki.RSA_PKCS, info_of(MESSAGE)),
                                 MESSAGE, name=name)

    def test_wrong_pin_puk_and_change(self):
        session = self.session(login=False)
        for answer in (cryptoki.PIN_INCORRECT, cryptoki.PIN_INCORRECT, cryptoki.PIN_LOCKED):
            self.assertEqual(session.login(rig.WRONG_PIN), answer)

        self.assertEqual(session.login(rig.PUK, cryptoki.SO), cryptoki.OK)
        self.assertEqual(session.call("C_InitPIN", b"4321", ctypes.c_ulong(4)), cryptoki.OK)
        self.assertEqual(session.logout(), cryptoki.OK)
        self.assertEqual(session.set_pin("4321", rig.PIN), cryptoki.OK)
        self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        session.logout()
        self.assertFalse(self.verified())


class TwoReadersTest(ModuleCase):
    CARD = None

    def test_two_cards_of_a_kind_are_told_apart_and_the_list_never_shrinks(self):
        ports = (rig.FIRST_PORT, rig.SECOND_PORT)
        self.machine.stop_pcscd()
        self.machine.start_pcscd(ports)
        cards = [self.machine.start_vcard(name, port) for name, port in
                 zip(("medecin-cps3", "medecin2-cps3"), ports)]
        module = self.module()

        slots = module.slots()
        everything = module.slots(with_token=False)

        self.assertEqual(len(slots), 2)
        self.assertEqual(len({bytes(module.token_info(s).serial) for s in slots}), 2)
        for slot in slots:
            session = module.open(slot, cryptoki.SERIAL)
            value = session.attribute(
                session.find(CLASS=cryptoki.CERTIFICATE, ID=AUTHENTICATION_ID)[0],
                cryptoki.VALUE)
            reader = bytes(module.slot_info(slot).description).decode()
            card = next(c for c in cards if str(c.port) in reader)
            self.assertEqual(value, (card.directory / "auth.der").read_bytes())
        self.machine.stop_pcscd()
        self.assertEqual(module.slots(with_token=False), everything)


class NoServiceTest(ModuleCase):
    CARD = None

    def test_without_pcscd_there_is_no_slot_and_no_error(self):
        self.machine.stop_pcscd()
        module = self.module()

        self.assertEqual(module.slots(with_token=False), [])
