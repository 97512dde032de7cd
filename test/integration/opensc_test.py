"""The virtual card behind a real pcscd, driven by Debian's OpenSC and by bare APDUs."""

import hashlib
import shutil
import statistics
import subprocess
import time
import unittest

import rig
import winscard

rig.isolate()

MODULE = "opensc-pkcs11.so"
AUTHENTICATION_ID = "E828BD080F8025000001FF001002"
SHA256_PREFIX = bytes.fromhex("3031300D060960864801650304020105000420")
STATUS, VERIFY = "0020000100", "0020000108 31323334FFFFFFFF"


def run(*arguments, data=None):
    """Runs a program to its end. Returns its exit code and all its output."""
    done = subprocess.run([str(a) for a in arguments], input=data, check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def pkcs11(*arguments):
    return run("pkcs11-tool", "--module", MODULE, *arguments)


class CardTest(unittest.TestCase):
    """One pcscd and one card a test."""

    CARD = "medecin-cps3"

    def setUp(self):
        if shutil.which("pkcs11-tool") is None:
            self.skipTest("OpenSC is not installed (opensc)")
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)
        self.machine.start_pcscd()
        self.card = self.machine.start_vcard(self.CARD)
        self.file = self.machine.directory.joinpath

    def public_key(self, card=None, name="auth"):
        """A PEM file with the key of a certificate of the card."""
        path = self.file(f"{name}.pub")
        certificate = (card or self.card).directory / f"{name}.der"
        code, pem = run("openssl", "x509", "-inform", "DER", "-in", certificate, "-pubkey",
                        "-noout")
        self.assertEqual(code, 0, pem)
        path.write_text(pem)
        return path

    def assert_verifies(self, signature, message, *options, card=None, name="auth"):
        self.file("message").write_bytes(message)
        self.file("signature").write_bytes(signature)
        code, output = run("openssl", "dgst", "-sha256", *options, "-verify",
                           self.public_key(card, name), "-signature", self.file("signature"),
                           self.file("message"))
        self.assertEqual(code, 0, output)

    def sign_in(self, pin=rig.PIN):
        """Signs with the authentication key. Returns exit code, output and signature."""
        self.file("input").write_bytes(SHA256_PREFIX + hashlib.sha256(b"message").digest())
        self.file("output").unlink(missing_ok=True)
        code, output = pkcs11("--login", "--pin", pin, "--sign", "--mechanism", "RSA-PKCS",
                              "--id", AUTHENTICATION_ID, "--input-file", self.file("input"),
                              "--output-file", self.file("output"))
        signature = self.file("output").read_bytes() if code == 0 else b""
        return code, output, signature


class OpenScTest(CardTest):
    def test_opensc_reads_the_pkcs15_structure_of_a_cps3(self):
        code, output = run("pkcs15-tool", "-D")

        self.assertEqual(code, 0, output)
        for told in ("CPS3v3-2800100018", "ASIP SANTE", "Code porteur de la carte CPS",
                     "CPS_PRIV_SIG", "CPS_PRIV_AUT", "Certificat de Signature CPS",
                     "Certificat d'Authentification CPS", "CPS_ACTIVITY_01_PS"):
            self.assertIn(told, output)

    def test_opensc_lists_the_objects_and_reads_both_certificates_unchanged(self):
        code, output = pkcs11("-O")
        self.assertEqual(code, 0, output)
        self.assertIn("CPS_DATA", output)

        for number, name in (("01", "sign"), ("02", "auth")):
            with self.subTest(name):
                out = self.file("certificate")
                code, output = pkcs11("--read-object", "--type", "cert", "--id",
                                      AUTHENTICATION_ID[:-2] + number, "--output-file", out)
                self.assertEqual(code, 0, output)
                self.assertEqual(out.read_bytes(),
                                 (self.card.directory / f"{name}.der").read_bytes())

    def test_opensc_signs_with_the_authentication_key(self):
        code, output, signature = self.sign_in()

        self.assertEqual(code, 0, output)
        self.assert_verifies(signature, b"message")

    def test_opensc_deciphers_with_the_authentication_key(self):
        code, output = run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey",
                           self.public_key(), "-out", self.file("cryptogram"),
                           data=b"a session key")
        self.assertEqual(code, 0, output)

        code, output = pkcs11("--login", "--pin", rig.PIN, "--decrypt", "--mechanism",
                              "RSA-PKCS", "--id", AUTHENTICATION_ID, "--input-file",
                              self.file("cryptogram"), "--output-file", self.file("clear"))

        self.assertEqual(code, 0, output)
        self.assertEqual(self.file("clear").read_bytes(), b"a session key")

    def test_opensc_changes_the_pin_and_back(self):
        def change(old, new):
            return pkcs11("--login", "--pin", old, "--change-pin", "--new-pin", new)

        self.assertEqual(change(rig.PIN, "4321")[0], 0)
        self.assertNotEqual(self.sign_in(rig.PIN)[0], 0)
        self.assertEqual(self.sign_in("4321")[0], 0)
        self.assertEqual(change("4321", rig.PIN)[0], 0)
        self.assertEqual(self.sign_in(rig.PIN)[0], 0)

    def test_a_wrong_pin_costs_one_try_and_the_right_one_gives_it_back(self):
        code, output, _ = self.sign_in(rig.WRONG_PIN)

        self.assertNotEqual(code, 0)
        self.assertIn("CKR_PIN_INCORRECT", output)
        self.assertEqual(self.card.status()["pin_tries"], 2)
        self.assertEqual(self.sign_in()[0], 0)
        self.assertEqual(self.card.status()["pin_tries"], 3)

    def test_three_wrong_pins_block_the_card_even_for_the_right_one(self):
        for _ in range(3):
            self.assertNotEqual(self.sign_in(rig.WRONG_PIN)[0], 0)

        code, output, _ = self.sign_in()

        self.assertNotEqual(code, 0)
        self.assertIn("CKR_PIN_LOCKED", output)
        self.assertEqual(self.card.status()["pin_tries"], 0)

    def test_no_pin_reaches_the_apdu_log(self):
        self.assertEqual(self.sign_in()[0], 0)

        verifications = [line for line in self.card.apdus() if line.startswith("> 00 20 00 01 08")]
        self.assertEqual(verifications, ["> 00 20 00 01 08 2A 2A 2A 2A FF FF FF FF"])

    def test_a_pulled_card_is_no_token_until_it_is_put_back(self):
        self.card.remove()
        _, output = pkcs11("-O")
        self.assertIn("No slot with a token was found", output)

        self.card.insert()
        self.assertEqual(self.sign_in()[0], 0)


class ReaderTest(CardTest):
    def test_the_atr_is_the_published_one(self):
        self.assertEqual(self.machine.wait_for_card().hex().upper(),
                         "3BAC00402A001225006480000310009000")

    def test_a_reset_by_the_reader_clears_the_pin(self):
        with self.machine.connect() as card:
            self.assertEqual(card.transmit(STATUS).hex(), "63c3")
            self.assertEqual(card.transmit(VERIFY).hex(), "9000")
            self.assertEqual(card.transmit(STATUS).hex(), "9000")

            card.reconnect(winscard.RESET_CARD)

            self.assertEqual(card.transmit(STATUS).hex(), "63c3")

    def test_the_puk_gives_a_blocked_pin_back(self):
        self.card.control("block")
        with self.machine.connect() as card:
            self.assertEqual(card.transmit(VERIFY).hex(), "6983")
            self.assertEqual(card.transmit("0020000208 3132333435363738").hex(), "9000")
            self.assertEqual(card.transmit("002C020108 34333231FFFFFFFF").hex(), "9000")
            self.assertEqual(card.transmit("0020000108 34333231FFFFFFFF").hex(), "9000")

    def test_the_state_file_outlives_the_card_process(self):
        state = self.file("state")
        self.card.stop()
        first = self.machine.start_vcard(self.CARD, state=state)
        first.control("block")
        self.assertEqual(first.stop(), 0)

        second = self.machine.start_vcard(self.CARD, state=state)

        self.assertEqual(second.status()["pin_tries"], 0)

    def test_the_card_comes_back_when_pcscd_restarts(self):
        self.machine.restart_pcscd()

        self.machine.wait_for_card()
        self.assertEqual(self.sign_in()[0], 0)

    def test_injected_faults_happen_as_often_as_asked_and_are_counted(self):
        with self.machine.connect() as card:
            self.card.control("fail 6F00 2")
            self.assertEqual([card.transmit(STATUS).hex() for _ in range(3)],
                             ["6f00", "6f00", "63c3"])

            self.card.control("truncate 4")
            self.assertEqual(len(card.transmit("00B09C000C")), 4)
            self.assertEqual(len(card.transmit("00B09C000C")), 14)

            self.card.control("delay 300")
            before = time.monotonic()
            card.transmit(STATUS)
            self.assertGreaterEqual(time.monotonic() - before, 0.3)
            self.card.control("delay 0")

        status = self.card.status()
        self.assertEqual((status["failed"], status["truncated"], status["delayed"]), (2, 1, 1))

    def test_a_mute_card_answers_again_after_a_reset(self):
        with self.machine.connect() as card:
            self.card.control("mute")
            code = subprocess.Popen(["opensc-tool", "-n"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            self.addCleanup(code.wait)
            self.addCleanup(code.kill)
            rig.wait_until(lambda: self.card.status()["muted"] == 1, "the unanswered command")
            self.assertIsNone(code.poll())

            self.card.control("reset")

            code.wait(rig.START_DEADLINE)
            self.assertEqual(card.transmit(STATUS).hex(), "63c3")

    def test_an_order_that_makes_no_sense_is_refused(self):
        for order in ("", "explode", "fail", "fail 6F", "delay -1", "truncate 1000", "mute 3"):
            with self.subTest(order), self.assertRaises(ValueError):
                self.card.control(order)

    def test_two_readers_hold_two_cards(self):
        self.machine.stop_pcscd()
        self.machine.start_pcscd((rig.FIRST_PORT, rig.SECOND_PORT))
        self.machine.start_vcard("pharmacien-cps3", rig.SECOND_PORT)
        self.machine.wait_for_card(rig.FIRST_PORT)

        serials = []
        for port in (rig.FIRST_PORT, rig.SECOND_PORT):
            with self.machine.connect(port) as card:
                serials.append(card.transmit("00B09C000C").hex()[14:22])

        self.assertEqual(serials, ["00100018", "00100042"])

    def test_no_exchange_waits_for_a_delayed_acknowledgement(self):
        delayed_acknowledgement = 0.040  # seconds, at least, and at every exchange
        times = []
        with self.machine.connect() as card:
            for _ in range(200):
                before = time.perf_counter()
                card.transmit(STATUS)
                times.append(time.perf_counter() - before)

        print(f"# median SCardTransmit: {statistics.median(times) * 1e6:.0f} us", flush=True)
        # The quickest tenth says it even on a busy machine.
        self.assertLess(statistics.quantiles(times, n=10)[0], delayed_acknowledgement / 2)


class Cps4Test(CardTest):
    CARD = "infirmiere-cps4"
    OPEN = "01A4040C08 8025000001FF0100"

    def connect(self):
        connection = self.machine.connect()
        card = connection.__enter__()
        self.addCleanup(connection.__exit__, None, None, None)
        self.assertEqual(card.transmit(self.OPEN).hex(), "9000")
        return card

    def ask(self, card, command):
        data, sw = card.ask(command, "01C00000")
        self.assertEqual(sw, "9000")
        return data

    def test_a_file_is_selected_by_path_and_read_through_channel_1(self):
        card = self.connect()

        fci = self.ask(card, "01A4080002 D003 00")
        serial = self.ask(card, "01B0000000")

        self.assertEqual(fci[0], 0x6F)
        self.assertEqual(serial.hex().upper(), "5A0A8025000001001000345F")

    def test_both_keys_sign_with_pss(self):
        card = self.connect()
        digest = hashlib.sha256(b"message").digest()
        self.ask(card, "0120000108 31323334FFFFFFFF")

        for key, name in (("81", "sign"), ("A0", "auth")):
            with self.subTest(name):
                self.ask(card, f"012281B604 91022C{key}")
                signature = self.ask(card, "012A9E9A20" + digest.hex())
                self.assert_verifies(signature, b"message", "-sigopt", "rsa_padding_mode:pss",
                                     "-sigopt", "rsa_pss_saltlen:32", name=name)

    def test_the_authentication_key_signs_what_the_host_padded(self):
        card = self.connect()
        info = SHA256_PREFIX + hashlib.sha256(b"message").digest()
        block = b"\x00\x01" + b"\xFF" * (256 - 3 - len(info)) + b"\x00" + info
        self.ask(card, "0120000108 31323334FFFFFFFF")

        self.ask(card, "012241B803 830120")
        self.ask(card, "112A8086FF" + block[:255].hex())
        signature = self.ask(card, "012A808601" + block[255:].hex() + "00")

        self.assert_verifies(signature, b"message")

    def test_the_puk_unblocks_the_pin(self):
        self.card.control("block")
        card = self.connect()
        self.assertEqual(card.transmit("0120000100").hex(), "6983")

        self.ask(card, "0120000208 3132333435363738")
        self.ask(card, "012C0381")
        self.ask(card, "0124010108 34333231FFFFFFFF")

        self.ask(card, "0120000108 34333231FFFFFFFF")

    def test_a_reset_closes_the_channel_and_forgets_the_pin(self):
        card = self.connect()
        self.ask(card, "0120000108 31323334FFFFFFFF")

        card.reconnect(winscard.RESET_CARD)

        self.assertEqual(card.transmit("0120000100").hex(), "6881")
        self.assertEqual(card.transmit(self.OPEN).hex(), "9000")
        self.assertEqual(card.transmit("0120000100").hex(), "63c3")


del CardTest
