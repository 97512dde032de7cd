"""cps, OpenSSL and GnuTLS judge the same paths; docs/path-validation.md explains where they differ."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ["CPS_BUILD_ROOT"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
FORGE = BUILD / "test" / "chains" / "chain-forge"
DEADLINE = 60  # seconds for one program
WORDS = {True: "accepts", False: "refuses"}


def good(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=DEADLINE, check=False).returncode == 0


def by_openssl(leaf, anchors):
    return good("openssl", "verify", "-x509_strict", "-partial_chain", "-purpose", "sslclient",
                "-auth_level", "2", "-no-CApath", "-no-CAstore", "-CAfile", anchors, leaf)


def by_certtool(leaf, anchors):
    return good("certtool", "--verify", "--load-ca-certificate", anchors, "--infile", leaf,
                "--verify-purpose", "1.3.6.1.5.5.7.3.2", "--verify-profile", "medium")


def explained():
    """{(change, place, cps, openssl, certtool)} of the table."""
    rows = set()
    for line in (SOURCE / "docs" / "path-validation.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 6 or not cells[0].startswith("`"):
            continue
        for change in re.findall(r"`([^`]+)`", cells[0]):
            for place in cells[1].split(", "):
                rows.add((change, place, *cells[2:5]))
    return rows


class PathValidation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="cps-chains-")
        subprocess.run([FORGE, cls.folder.name, str(int(time.time()))], check=True,
                       timeout=DEADLINE)
        folder = pathlib.Path(cls.folder.name)
        cases = [line.split() for line in (folder / "verdicts").read_text().splitlines()]

        def judged(case):
            name, verdict = case
            leaf, anchors = folder / f"{name}.leaf.pem", folder / f"{name}.anchors.pem"
            return name, (verdict == "good", by_openssl(leaf, anchors), by_certtool(leaf, anchors))

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            cls.verdicts = dict(pool.map(judged, cases))
        cls.codes = dict(cases)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def differences(self):
        """{(change, place, cps, openssl, certtool): a case}"""
        found = {}
        for name, verdicts in self.verdicts.items():
            if len(set(verdicts)) > 1:
                change, rest = name.split("@")
                place = rest.split(".")[0].rstrip("0123456789")
                found.setdefault((change, place, *(WORDS[each] for each in verdicts)), name)
        return found

    def test_there_are_more_than_500_paths_and_both_kinds(self):
        self.assertGreater(len(self.verdicts), 500)
        for which in range(3):
            kinds = [verdicts[which] for verdicts in self.verdicts.values()]
            self.assertGreater(min(kinds.count(True), kinds.count(False)), 100)

    def test_sound_paths_are_accepted_by_all_and_forged_ones_by_none(self):
        for name, verdicts in self.verdicts.items():
            with self.subTest(name):
                if name.startswith("sound@"):
                    self.assertEqual((True, True, True), verdicts)
                if re.match(r"(tampered|signed-by-another-key|expired|md5|self-signed)@leaf", name):
                    self.assertEqual((False, False, False), verdicts)

    def test_every_difference_is_explained_in_the_docs(self):
        rows = explained()
        self.assertEqual({}, {key: case for key, case in self.differences().items()
                              if key not in rows})

    def test_every_explanation_in_the_docs_is_of_a_difference_that_is_there(self):
        self.assertEqual(set(), explained() - set(self.differences()))

    def test_what_cps_alone_accepts_is_nothing(self):
        self.assertEqual([], [name for name, verdicts in self.verdicts.items()
                              if verdicts == (True, False, False)])

    def test_each_kind_of_refusal_is_met(self):
        self.assertEqual({"good", "untrusted", "expired", "not_yet_valid", "usage", "policy",
                          "weak", "unreadable", "anchors_refused"}, set(self.codes.values()))


if __name__ == "__main__":
    unittest.main()
