"""The module client with SoftHSM: a PKCS #11 module that is not ours and has real keys."""

import os
import subprocess
import tempfile
import unittest

from module_probe import MESSAGE, Probe, verifies

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = b"1234"


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   **more)


class SoftHsm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._directory = tempfile.TemporaryDirectory(prefix="cps-softhsm-")
        cls.directory = cls._directory.name
        tokens = os.path.join(cls.directory, "tokens")
        os.mkdir(tokens)
        configuration = os.path.join(cls.directory, "softhsm2.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
        cls.environment = {"SOFTHSM2_CONF": configuration}
        run("softhsm2-util", "--init-token", "--free", "--label", "a token", "--pin",
            PIN.decode(), "--so-pin", "12345678", env={**os.environ, **cls.environment})
        cls.certificates = {}
        for identifier, name in (("01", "first"), ("02", "second")):
            cls._make_key(identifier, name)

    @classmethod
    def tearDownClass(cls):
        cls._directory.cleanup()

    @classmethod
    def _make_key(cls, identifier, name):
        def path(suffix):
            return os.path.join(cls.directory, name + suffix)

        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path(".key"),
            "-out", path(".pem"), "-subj", f"/CN={name}", "-days", "2")
        run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path(".key"), "-out", path(".p8"))
        run("openssl", "x509", "-in", path(".pem"), "-outform", "DER", "-out", path(".der"))
        environment = {**os.environ, **cls.environment}
        run("softhsm2-util", "--import", path(".p8"), "--token", "a token", "--label", name,
            "--id", identifier, "--pin", PIN.decode(), env=environment)
        run("pkcs11-tool", "--module", MODULE, "--login", "--pin", PIN.decode(),
            "--write-object", path(".der"), "--type", "cert", "--id", identifier, "--label", name,
            env=environment)
        with open(path(".der"), "rb") as file:
            cls.certificates[name] = file.read()

    def probe(self, index=0):
        return Probe(MODULE, index, self.environment)

    def test_every_certificate_of_the_token_is_listed(self):
        with self.probe() as probe:
            entries = probe.listing["certificates"]

        self.assertEqual({bytes.fromhex(entry["der"]) for entry in entries},
                         set(self.certificates.values()))
        self.assertEqual({entry["label"] for entry in entries}, {"a token"})
        self.assertEqual([entry["index"] for entry in entries], [0, 1])
        self.assertFalse(any(entry["pin_pad"] for entry in entries))

    def test_each_signature_verifies_with_the_certificate_of_its_index(self):
        for index in (0, 1):
            with self.probe(index) as probe:
                der = bytes.fromhex(probe.listing["certificates"][index]["der"])
                signature = probe.sign(PIN)["signature"]

            self.assertTrue(verifies(signature, der, self.directory))
            self.assertFalse(verifies(signature, der, self.directory, MESSAGE + b"!"))

    def test_two_signatures_in_a_row_take_the_pin_each(self):
        with self.probe() as probe:
            self.assertIn("signature", probe.sign(PIN))
            self.assertNotIn("signature", probe.sign(b"9999"))
            self.assertIn("signature", probe.sign(PIN))

    def test_a_wrong_pin_is_data_and_lowers_the_tries_until_a_right_one(self):
        with self.probe() as probe:
            self.assertEqual(probe.sign(b"9999")["wrong_pin"], 2)
        with self.probe() as probe:
            self.assertEqual(probe.listing["certificates"][0]["tries_left"], 2)
            self.assertIn("signature", probe.sign(PIN))
        with self.probe() as probe:
            self.assertEqual(probe.listing["certificates"][0]["tries_left"], 3)


if __name__ == "__main__":
    unittest.main()
