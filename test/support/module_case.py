"""What tests of our Cryptoki module share: a machine, a card, a cache of its own."""

import os
import shutil
import subprocess
import unittest

import cryptoki
import rig
import winscard

MODULE = rig.BUILD_ROOT / "pkcs11" / "cps-pkcs11.so"
SIGNATURE_ID = bytes.fromhex("E828BD080F8025000001FF001001")
AUTHENTICATION_ID = bytes.fromhex("E828BD080F8025000001FF001002")
DEADLINE = 60  # seconds for one program


def run(*arguments, data=None, environment=None, deadline=DEADLINE):
    """Runs a program to its end. Returns its exit code and all its output."""
    done = subprocess.run([str(a) for a in arguments], input=data, check=False,
                          timeout=deadline, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout.decode(errors="replace")


def pkcs11_tool(*arguments):
    return run("pkcs11-tool", "--module", MODULE, *arguments)


class ModuleCase(unittest.TestCase):
    """One pcscd and one card a test."""

    CARD = "medecin-cps3"
    NEEDS = ()  # programs
    KEYPAD = False  # whether the reader takes PINs itself

    def setUp(self):
        for program in self.NEEDS:
            if shutil.which(program) is None:
                self.skipTest(f"{program} is not installed")
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)
        self.file = self.machine.directory.joinpath
        for name in ("CACHE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = str(self.file(name.lower()))
        self.machine.start_pcscd(keypad=self.KEYPAD)
        self.card = self.machine.start_vcard(self.CARD) if self.CARD else None

    def configure(self, text):
        self.file("config", "cps-agent").mkdir(parents=True)
        self.file("config", "cps-agent", "pkcs11.toml").write_text(text)

    def module(self, flags=2):
        module = cryptoki.Module(MODULE, flags)
        module.initialize()
        self.addCleanup(lambda: module.call("C_Finalize", None))
        return module

    def session(self, flags=cryptoki.SERIAL | cryptoki.RW, login=True):
        session = self.module().open(flags=flags)
        if login:
            self.assertEqual(session.login(rig.PIN), cryptoki.OK)
        return session

    def key(self, session, identifier=AUTHENTICATION_ID):
        return session.find(CLASS=cryptoki.PRIVATE_KEY, ID=identifier)[0]

    def commands(self):
        """The APDUs that the card has seen so far."""
        return [line[2:] for line in self.card.apdus() if line.startswith("> ")]

    def verified(self):
        """Whether the card's PIN is verified at this moment, asked beside the module."""
        with self.machine.connect() as card:
            if self.CARD.endswith("cps4"):
                answer = card.transmit(bytes.fromhex("01200001"))
            else:
                answer = card.transmit(bytes.fromhex("00200001"))
        return answer[-2:] == b"\x90\x00"

    def tries_left(self):
        """What the card itself counts, after a reset."""
        with self.machine.connect() as card:
            card.reconnect(winscard.RESET_CARD)
            answer = card.transmit(bytes.fromhex("00200001"))
        return answer[-1] & 0x0F if answer[-2] == 0x63 else 0

    def public_key(self, name="auth", card=None):
        path = self.file(f"{name}.pub")
        code, pem = run("openssl", "x509", "-inform", "DER", "-noout", "-pubkey", "-in",
                        (card or self.card).directory / f"{name}.der")
        self.assertEqual(code, 0, pem)
        path.write_text(pem)
        return path

    def certificate(self, name="auth"):
        """The card's certificate as a PEM file."""
        path = self.file(f"{name}.pem")
        code, output = run("openssl", "x509", "-inform", "DER", "-out", path, "-in",
                           self.card.directory / f"{name}.der")
        self.assertEqual(code, 0, output)
        return path

    def assert_verifies(self, signature, message, *options, digest="sha256", name="auth",
                        card=None):
        self.file("message").write_bytes(message)
        self.file("signature").write_bytes(signature)
        code, output = run("openssl", "dgst", f"-{digest}", *options, "-verify",
                           self.public_key(name, card), "-signature", self.file("signature"),
                           self.file("message"))
        self.assertEqual(code, 0, output)
