"""Runs p11client-probe (a module behind the agent's client) and checks its signatures."""

import hashlib
import json
import os
import subprocess

import rig

ANSWER_SECONDS = 75  # above the module client's own deadlines together
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")

MESSAGE = b"what the card shall sign"
DIGEST_INFO = SHA256_DIGEST_INFO + hashlib.sha256(MESSAGE).digest()


class Probe:
    """One run. `listing` is its first answer; `sign` asks for a signature by certificate
    `index`. Answers are the probe's JSON lines: `certificates`, `signature`, `wrong_pin` or
    `error` with `native`."""

    def __init__(self, module, index=0, env=None, digest_info=DIGEST_INFO):
        self._process = subprocess.Popen(
            [rig.program("test/support/p11client-probe"),
             rig.program("src/pkcs11_client/cps-agent-worker"), module, digest_info.hex(),
             str(index)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.listing = self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(ANSWER_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def ask(self, pin):
        """Sends a PIN; the answer is read with `answer`."""
        self._process.stdin.write(pin + b"\n")
        self._process.stdin.flush()

    def answer(self):
        return self._answer()

    def sign(self, pin):
        self.ask(pin)
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("p11client-probe ended without an answer")
        return json.loads(line)


def verifies(signature_hex, certificate_der, directory, message=MESSAGE):
    """True if the signature (PKCS #1 v1.5, SHA-256) over `message` is the certificate's key's."""
    paths = {name: os.path.join(directory, "probe-" + name)
             for name in ("certificate", "key", "signature", "message")}
    for name, octets in (("certificate", certificate_der),
                         ("signature", bytes.fromhex(signature_hex)), ("message", message)):
        with open(paths[name], "wb") as file:
            file.write(octets)
    with open(paths["key"], "wb") as file:
        subprocess.run(["openssl", "x509", "-inform", "DER", "-in", paths["certificate"],
                        "-noout", "-pubkey"], check=True, stdout=file)
    check = subprocess.run(["openssl", "dgst", "-sha256", "-verify", paths["key"], "-signature",
                            paths["signature"], paths["message"]], capture_output=True)
    return check.returncode == 0
