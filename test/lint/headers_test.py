import os
import shlex
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

from tree import ROOT, files, shown

DEADLINE = 120  # seconds for one header; the heaviest takes about 5
COMPILER = shlex.split(os.environ.get("CXX", "c++"))


def c_complaint(language, standard):
    """What a compiler of this language says of a file that holds nothing but the C header."""
    run = subprocess.run(
        [*COMPILER, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         f"-I{ROOT / 'include'}", "-x", language, "-"],
        input="#include <cps/cps.h>\n#include <cps/cps.h>\n", capture_output=True, text=True,
        timeout=DEADLINE, check=False)
    return "" if run.returncode == 0 else run.stderr


def complaint(header):
    """What the compiler says of a file that holds nothing but this header."""
    run = subprocess.run(
        [*COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         f"-I{ROOT / 'include'}", "-x", "c++", "-"],
        input=f'#include "{header}"\n#include "{header}"\n', capture_output=True, text=True,
        timeout=DEADLINE, check=False)
    return "" if run.returncode == 0 else f"{shown(header)}:\n{run.stderr}"


class Headers(unittest.TestCase):
    def test_every_public_header_compiles_alone_and_twice(self):
        headers = files((".hpp",), ("include",))
        self.assertGreater(len(headers), 20)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self.assertEqual([], [text for text in pool.map(complaint, headers) if text])

    def test_the_c_header_compiles_alone_as_c_and_as_c_plus_plus(self):
        for language, standard in (("c", "c99"), ("c", "c11"), ("c++", "c++11"), ("c++", "c++20")):
            with self.subTest(standard):
                self.assertEqual("", c_complaint(language, standard))

    def test_every_header_starts_with_pragma_once(self):
        bare = [shown(path) for path in files((".hpp",))
                if not path.read_text().startswith("#pragma once\n")]
        self.assertEqual([], bare)


if __name__ == "__main__":
    unittest.main()
