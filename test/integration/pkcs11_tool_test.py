"""OpenSC's pkcs11-tool on our module, with both card generations: what is listed, every mechanism
that is listed, decryption, PIN and PUK. OpenSSL verifies each signature."""

import hashlib
import re

import rig
from module_case import AUTHENTICATION_ID, SIGNATURE_ID, ModuleCase, pkcs11_tool, run

rig.isolate()

MESSAGE = b"a message of no importance"
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
NEW_PIN = "4321"
PIN = ("--login", "--pin", rig.PIN)
PSS = ("--mgf", "MGF1-SHA256", "--salt-len", "32")
PSS_VERIFIED = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
SHA2_ONLY = {"RSA-PKCS", "SHA256-RSA-PKCS"}
RSA = SHA2_ONLY | {"SHA1-RSA-PKCS", "SHA224-RSA-PKCS", "SHA384-RSA-PKCS", "SHA512-RSA-PKCS"}
PSS_BOTH = {"RSA-PKCS-PSS", "SHA256-RSA-PKCS-PSS"}


class Cps3Test(ModuleCase):
    NEEDS = ("pkcs11-tool", "openssl")
    LABEL, MODEL = "CPS3v3-", "CPS3 IAS ECC"
    AUTHENTICATION, SIGNATURE = RSA, SHA2_ONLY

    def tool(self, *arguments):
        code, output = pkcs11_tool(*arguments)
        self.assertEqual(code, 0, output)
        return output

    def refused(self, code_name, *arguments):
        code, output = pkcs11_tool(*arguments)
        self.assertNotEqual(code, 0, output)
        self.assertIn(code_name, output)

    def signing_mechanisms(self):
        return {line.split(",")[0].strip() for line in self.tool("-M").splitlines()
                if re.search(r", sign\b", line)}

    def sign_with(self, mechanism, identifier, name):
        """One signature by pkcs11-tool, verified by OpenSSL."""
        digest = re.match(r"SHA(\d+)", mechanism)
        data, options = MESSAGE, ()
        if not digest:
            data = hashlib.sha256(MESSAGE).digest()
            if mechanism == "RSA-PKCS":
                data = DIGEST_INFO + data
        if mechanism.endswith("PSS"):
            options = PSS if digest else (*PSS, "--hash-algorithm", "SHA256")
        self.file("in").write_bytes(data)
        self.tool(*PIN, "--sign", "--mechanism", mechanism, "--id", identifier.hex(),
                  "--input-file", self.file("in"), "--output-file", self.file("out"), *options)
        self.assert_verifies(self.file("out").read_bytes(), MESSAGE,
                             *(PSS_VERIFIED if options else ()),
                             digest=f"sha{digest[1]}" if digest else "sha256", name=name)

    def test_slot_token_and_objects_are_listed(self):
        slots = self.tool("-L")
        public, everything = self.tool("-O"), self.tool("-O", *PIN)

        for told in (self.LABEL, self.MODEL, "ASIP SANTE", "login required", "rng",
                     "token initialized", "PIN initialized", "readonly"):
            self.assertIn(told, slots)
        self.assertNotIn("Private Key Object", public)
        for kind, count in (("Certificate Object", 2), ("Public Key Object", 2),
                            ("Private Key Object", 2)):
            self.assertEqual(everything.count(kind), count, everything)
        for identifier in (AUTHENTICATION_ID, SIGNATURE_ID):  # of key, certificate, public key
            self.assertEqual(everything.count(identifier.hex()), 3, everything)

    def test_every_mechanism_that_is_listed_signs(self):
        self.assertEqual(self.signing_mechanisms(), self.AUTHENTICATION | self.SIGNATURE)

        for mechanism in sorted(self.AUTHENTICATION):
            with self.subTest(f"authentication, {mechanism}"):
                self.sign_with(mechanism, AUTHENTICATION_ID, "auth")
        for mechanism in sorted(self.SIGNATURE):
            with self.subTest(f"signature, {mechanism}"):
                self.sign_with(mechanism, SIGNATURE_ID, "sign")

    def test_the_signature_key_signs_nothing_else(self):
        self.file("in").write_bytes(MESSAGE)
        for mechanism in sorted(self.AUTHENTICATION - self.SIGNATURE):
            with self.subTest(mechanism):
                self.refused("CKR_KEY_FUNCTION_NOT_PERMITTED", *PIN, "--sign", "--mechanism",
                             mechanism, "--id", SIGNATURE_ID.hex(), "--input-file",
                             self.file("in"), "--output-file", self.file("out"))

    def test_it_decrypts(self):
        self.file("clear").write_bytes(b"forty-two")
        code, output = run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey",
                           self.public_key(), "-in", self.file("clear"), "-out",
                           self.file("cipher"))
        self.assertEqual(code, 0, output)

        self.tool(*PIN, "--decrypt", "--mechanism", "RSA-PKCS", "--id",
                  AUTHENTICATION_ID.hex(), "--input-file", self.file("cipher"),
                  "--output-file", self.file("out"))

        self.assertEqual(self.file("out").read_bytes(), b"forty-two")

    def test_the_pin_is_changed(self):
        self.tool(*PIN, "--change-pin", "--new-pin", NEW_PIN)

        self.refused("CKR_PIN_INCORRECT", "--login", "--pin", rig.PIN, "-O")
        self.assertIn("Private Key Object", self.tool("--login", "--pin", NEW_PIN, "-O"))

    def test_wrong_pins_block_it_and_the_puk_unblocks_it(self):
        wrong = ("--login", "--pin", rig.WRONG_PIN, "-O")
        self.refused("CKR_PIN_INCORRECT", *wrong)
        self.assertIn("user PIN count low", self.tool("-L"))
        self.refused("CKR_PIN_INCORRECT", *wrong)
        self.assertIn("final user PIN try", self.tool("-L"))
        self.refused("CKR_PIN_LOCKED", *wrong)
        self.assertIn("user PIN locked", self.tool("-L"))
        self.refused("CKR_PIN_LOCKED", "--login", "--pin", rig.PIN, "-O")

        self.tool("--login", "--login-type", "so", "--so-pin", rig.PUK, "--init-pin",
                  "--new-pin", NEW_PIN)

        self.assertIn("Private Key Object", self.tool("--login", "--pin", NEW_PIN, "-O"))
        self.assertNotIn("locked", self.tool("-L"))


class Cps4Test(Cps3Test):
    CARD = "infirmiere-cps4"
    LABEL, MODEL = "CPS4v1-", "CPS4 ChipDoc"
    AUTHENTICATION, SIGNATURE = RSA | PSS_BOTH, SHA2_ONLY | PSS_BOTH
