"""libcps.so from a C11 program, and what it shows to the world."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
PKI = pathlib.Path(os.environ.get("CPS_TEST_PKI", BUILD / "test/integration/pki"))
LIBRARY = BUILD / "src/verify/libcps.so.0.1.0"
ORIGIN = "https://portal.example"
RID = "AbpHGcgLb-kRsJGnwFEktk7uzpZOCcBY74-YBdrKVGs"  # of an empty query and an empty body


class Probe:
    def __init__(self, *crl):
        self.process = subprocess.Popen([BUILD / "test/c/libcps-probe", PKI / "trust.pem", *crl], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def challenge(self, feature="login"):
        return json.loads(self.ask(f"challenge {feature}"))

    def verdict(self, kind, token, caller="verify"):
        return self.ask(f"{caller} {kind} {token}").split(" ")

    def stop(self):
        self.process.communicate(timeout=20)
        return self.process.returncode


class FromC(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cps-libcps-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def probe(self, *crl):
        probe = Probe(*crl)
        self.addCleanup(lambda: self.assertEqual(probe.stop(), 0))
        return probe

    def forge(self, *options, card="medecin-cps3"):
        return subprocess.run(
            [BUILD / "test/support/cps-forge", "--origin", ORIGIN, "--card", PKI / "cards" / card, *options],
            check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def login(self, probe, card="medecin-cps3"):
        return self.forge("--nonce", probe.challenge()["nonce"], card=card)

    def test_a_login_is_accepted_once(self):
        probe = self.probe()
        challenge = probe.challenge()
        self.assertEqual(set(challenge), {"v", "nonce", "ts", "feat", "ttl"})
        token = self.forge("--nonce", challenge["nonce"])
        accepted, code, holder, _ = probe.verdict("login", token)
        self.assertEqual((accepted, code), ("1", "accepted"))
        self.assertRegex(holder, r"^8\d{11}$")
        self.assertEqual(probe.verdict("login", token), ["0", "nonce_unknown", "", "0"])
        self.assertEqual(probe.verdict("nothing", token)[1], "bad_argument")
        self.assertEqual(probe.verdict("login", "x")[1], "malformed")

    def test_a_caller_of_an_older_header_is_understood_and_of_a_newer_one_refused(self):
        probe = self.probe()
        token = self.login(probe)
        self.assertEqual(probe.verdict("login", token, "newer")[:2], ["0", "bad_argument"])
        self.assertEqual(probe.verdict("login", token, "torn")[:2], ["0", "bad_argument"])
        self.assertEqual(probe.verdict("login", token, "older")[:2], ["1", "accepted"])

    def test_a_session_serves_feature_tokens_until_it_is_revoked(self):
        probe = self.probe()
        key, session = self.folder / "key.pem", self.folder / "session"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                       check=True, capture_output=True, timeout=30)
        opening = self.forge("--kind", "session", "--feature", "infopatient.read", "--session-key", key,
                             "--nonce", probe.challenge("infopatient.read")["nonce"])
        session.write_text(opening)
        self.assertEqual(probe.verdict("session", opening)[::3], ["1", "2"])

        def feature(seq):
            return self.forge("--kind", "feature", "--feature", "infopatient.read", "--session-key", key,
                              "--session-token", session, "--seq", str(seq), "--htm", "GET",
                              "--htu", f"{ORIGIN}/patient", "--rid", RID)
        first = feature(1)
        self.assertEqual(probe.verdict("feature", first)[::3], ["1", "1"])
        self.assertEqual(probe.verdict("feature", first)[1], "replayed")
        self.assertEqual(probe.verdict("feature", feature(3))[1], "limit_reached")
        revoke = self.forge("--kind", "revoke", "--session-key", key, "--session-token", session)
        self.assertEqual(probe.verdict("revoke", revoke)[1], "accepted")
        self.assertEqual(probe.verdict("feature", feature(2))[1], "session_unknown")

    def test_a_revoked_card_is_refused_where_lists_are_looked_at(self):
        without, with_lists = self.probe(), self.probe(PKI / "crl")
        self.assertEqual(without.verdict("login", self.login(without, "revoquee-cps3"))[1], "accepted")
        self.assertEqual(with_lists.verdict("login", self.login(with_lists, "revoquee-cps3"))[1], "cert_revoked")
        self.assertEqual(with_lists.verdict("login", self.login(with_lists))[1], "accepted")

    def test_its_symbols_are_versioned_and_no_others_show(self):
        listing = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True,
                                 text=True).stdout
        names = [line.split()[-1] for line in listing.splitlines()]
        header = re.sub(r"/\*.*?\*/", "", (ROOT / "include/cps/cps.h").read_text(), flags=re.S)
        declared = set(re.findall(r"\b(cps_\w+)\(", header))
        self.assertIn("cps_verify", declared)
        plain = {name.split("@")[0] for name in names if name.startswith("cps_")}
        self.assertEqual(plain, declared)
        others = [name for name in names if not name.startswith(("cps_", "_ZN", "_ZT", "_ZNK", "_ZS", "CPS_0"))]
        self.assertEqual(others, [])
        self.assertTrue(all("@@CPS_0" in name or name == "CPS_0" for name in names))
        dynamic = subprocess.run(["readelf", "-d", LIBRARY], check=True, capture_output=True, text=True).stdout
        self.assertIn("[libcps.so.0]", dynamic)
        self.assertNotIn("libpcsclite", dynamic)


if __name__ == "__main__":
    unittest.main()
