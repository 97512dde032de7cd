"""The Cryptoki module shows its host the functions of the standard's header and nothing else."""

import os
import pathlib
import re
import subprocess
import unittest

MODULE = pathlib.Path(os.environ["CPS_BUILD_ROOT"]) / "pkcs11" / "cps-pkcs11.so"
HEADER = pathlib.Path("/usr/include/pkcs11-helper-1.0/pkcs11.h")


class ExportsTest(unittest.TestCase):
    def test_it_exports_the_entry_points_of_the_header_and_nothing_else(self):
        listing = subprocess.run(["nm", "-D", "--defined-only", MODULE], check=True,
                                 capture_output=True, text=True).stdout
        exported = {line.split()[-1] for line in listing.splitlines()}
        declared = set(re.findall(r"_CK_DECLARE_FUNCTION \((C_\w+)", HEADER.read_text()))

        self.assertEqual(exported, declared)

    def test_it_brings_few_libraries(self):
        listing = subprocess.run(["readelf", "-d", MODULE], check=True, capture_output=True,
                                 text=True).stdout
        needed = set(re.findall(r"NEEDED.*\[(lib[\w+]+)", listing))

        self.assertLessEqual(needed, {"libpcsclite", "libcrypto", "libstdc++", "libgcc_s", "libc",
                                      "libm"})
