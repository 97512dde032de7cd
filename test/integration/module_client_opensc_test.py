"""The module client with OpenSC, a real pcscd and a virtual CPS3: what reaches the card."""

import itertools
import unittest

import rig

rig.isolate()

import winscard  # noqa: E402: after the program was started anew
from module_probe import Probe, verifies  # noqa: E402

MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
PIN, WRONG_PIN = rig.PIN.encode(), rig.WRONG_PIN.encode()
CKR_MECHANISM_INVALID = 0x70
SLOW_CARD = 10  # milliseconds a command: more than an order takes to reach the card
SIGNING = ("2A", "88")  # PERFORM SECURITY OPERATION, INTERNAL AUTHENTICATE
FAULTS = ("6982", "6F00", "6983")


def gives_pin(command):
    """VERIFY (INS 20) with a body. Without one it asks for the tries left, and T=0 then sends
    P3 = 00."""
    return command[1] == "20" and len(command) > 5


class OpenSc(unittest.TestCase):
    """A fresh card, with three tries, for each test."""

    def setUp(self):
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)
        self.machine.start_pcscd()
        self.card = self.machine.start_vcard("medecin-cps3")
        self.certificate = (self.card.directory / "auth.der").read_bytes()

    def probe(self, certificate=None):
        """A probe that signs with that certificate's key, by default the authentication's."""
        wanted = (certificate or self.certificate).hex().upper()
        with Probe(MODULE) as listing:
            index = [entry["der"] for entry in listing.listing["certificates"]].index(wanted)
        return Probe(MODULE, index)

    def commands_since(self, line=0):
        """The commands that the card got, each a list of hexadecimal octets."""
        return [entry[1:].split() for entry in self.card.apdus()[line:] if entry.startswith(">")]

    def verifies_since(self, line=0):
        """How often a PIN was given to the card."""
        return sum(1 for command in self.commands_since(line) if gives_pin(command))

    def lines(self):
        return len(self.card.apdus())

    def assert_offered_once(self, probe, pin):
        """Signs; the card saw exactly one VERIFY. Returns the answer."""
        before = self.lines()
        answer = probe.sign(pin)
        self.assertEqual(self.verifies_since(before), 1)
        return answer

    def test_both_certificates_are_listed_with_reader_and_tries_and_without_a_pin(self):
        with Probe(MODULE) as probe:
            entries = probe.listing["certificates"]

        expected = {self.certificate, (self.card.directory / "sign.der").read_bytes()}
        self.assertEqual({bytes.fromhex(entry["der"]) for entry in entries}, expected)
        self.assertEqual({entry["reader"] for entry in entries}, {self.machine.reader()})
        self.assertEqual({entry["tries_left"] for entry in entries}, {3})
        self.assertEqual(self.verifies_since(), 0)

    def test_an_empty_reader_lists_nothing(self):
        self.card.remove()

        with Probe(MODULE) as probe:
            self.assertEqual(probe.listing["certificates"], [])

    def test_a_signature_verifies_and_costs_one_verify(self):
        with self.probe() as probe:
            answer = self.assert_offered_once(probe, PIN)

        self.assertTrue(verifies(answer["signature"], self.certificate, self.machine.directory))

    def test_a_wrong_pin_costs_one_verify_and_one_try_and_a_right_one_gives_it_back(self):
        with self.probe() as probe:
            self.assertEqual(self.assert_offered_once(probe, WRONG_PIN)["wrong_pin"], 2)
            self.assertIn("signature", self.assert_offered_once(probe, PIN))
            self.assertEqual(self.assert_offered_once(probe, WRONG_PIN)["wrong_pin"], 2)

    def test_the_third_wrong_pin_blocks_and_then_none_reaches_the_card(self):
        with self.probe() as probe:
            self.assertEqual(self.assert_offered_once(probe, WRONG_PIN)["wrong_pin"], 2)
            self.assertEqual(self.assert_offered_once(probe, WRONG_PIN)["wrong_pin"], 1)
            self.assertEqual(self.assert_offered_once(probe, WRONG_PIN)["error"], "pin_blocked")

            before = self.lines()
            self.assertEqual(probe.sign(PIN)["error"], "pin_blocked")
            self.assertEqual(self.verifies_since(before), 0)

    def test_a_key_that_the_module_cannot_use_tells_so_after_one_verify(self):
        with self.probe((self.card.directory / "sign.der").read_bytes()) as probe:
            answer = self.assert_offered_once(probe, PIN)

        self.assertEqual((answer["error"], answer["native"]),
                         ("module_failed", CKR_MECHANISM_INVALID))

    def test_a_card_pulled_before_the_pin_comes_gets_none(self):
        with self.probe() as probe:
            self.card.remove()
            self.assertEqual(probe.sign(PIN)["error"], "card_removed")

        self.assertEqual(self.verifies_since(), 0)

    def test_a_card_pulled_and_put_back_before_the_pin_comes_signs(self):
        with self.probe() as probe:
            self.card.remove()
            self.card.insert()
            answer = self.assert_offered_once(probe, PIN)

        self.assertTrue(verifies(answer["signature"], self.certificate, self.machine.directory))

    def test_another_persons_card_never_gets_the_pin(self):
        with self.probe() as probe:
            self.card.remove()
            self.card.stop()
            other = self.machine.start_vcard("pharmacien-cps3")
            self.assertEqual(probe.sign(PIN)["error"], "card_removed")
            self.card = other

        self.assertEqual(self.verifies_since(), 0)

    def commands_of_a_signature(self):
        """What the card gets from a worker that has listed already."""
        with self.probe() as probe:
            before = self.lines()
            self.assertIn("signature", probe.sign(PIN))
            return self.commands_since(before)

    def sign_and_then(self, pin, commands, disturb):
        """Signs on a card slow enough to call `disturb` after so many commands. Returns the
        answer and the number of VERIFYs."""
        with self.probe() as probe:
            before = self.lines()
            self.card.control(f"delay {SLOW_CARD}")
            probe.ask(pin)
            rig.wait_until(lambda: len(self.commands_since(before)) >= commands, "a command")
            disturb()
            answer = probe.answer()
            self.card.control("delay 0")
            return answer, self.verifies_since(before)

    def test_a_card_pulled_during_login_or_signature_ends_it_and_the_worker(self):
        undisturbed = self.commands_of_a_signature()
        verify = next(i for i, command in enumerate(undisturbed) if gives_pin(command))
        signature = max(i for i, command in enumerate(undisturbed) if command[1] in SIGNING)
        # One less: the order reaches the card a moment after the command was seen.
        for commands in (1, verify - 1, verify + 1, signature - 1):
            with self.subTest(commands=commands, of=len(undisturbed)):
                answer, verifies = self.sign_and_then(PIN, commands,
                                                      lambda: self.card.control("remove"))
                self.assertIn(answer.get("error"), ("card_removed", "module_failed"), answer)
                self.assertLessEqual(verifies, 1)
                self.machine.wait_for_card(self.card.port, winscard.STATE_EMPTY)
                self.card.insert()

    def test_no_fault_of_the_card_makes_a_wrong_pin_be_offered_twice(self):
        length = len(self.commands_of_a_signature())
        for status, commands in itertools.product(FAULTS, range(1, length, 4)):
            with self.subTest(status=status, commands=commands):
                answer, verifies = self.sign_and_then(
                    WRONG_PIN, commands, lambda: self.card.control(f"fail {status} 2"))
                self.assertLessEqual(verifies, 1, answer)
                self.assertNotIn("signature", answer)
                self.card.control("fail 9000 0")
                with self.probe() as probe:
                    self.assertGreaterEqual(tries_left(probe), 2)
                    self.assertIn("signature", probe.sign(PIN))

    def test_no_fault_of_the_card_costs_a_try_of_a_right_pin(self):
        """OpenSC gives a PIN that the card has just accepted once more when the card then
        says that it wants one; more often it must not be."""
        length = len(self.commands_of_a_signature())
        for status, commands in itertools.product(FAULTS, range(1, length, 4)):
            with self.subTest(status=status, commands=commands):
                answer, verifies = self.sign_and_then(
                    PIN, commands, lambda: self.card.control(f"fail {status} 2"))
                self.assertLessEqual(verifies, 2 if "signature" in answer else 1, answer)
                self.card.control("fail 9000 0")
                with self.probe() as probe:
                    self.assertEqual(tries_left(probe), 3)


def tries_left(probe):
    return probe.listing["certificates"][0]["tries_left"]


if __name__ == "__main__":
    unittest.main()
