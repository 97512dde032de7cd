import shutil
import subprocess
import unittest

from tree import CODE_SUFFIXES, OTHER_SOURCE_SUFFIXES, files, shown

MAX_LINES = 400  # past that a file holds two ideas
DEADLINE = 120  # seconds for clang-format over the whole tree
# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "manager"}

FORMATTER = shutil.which("clang-format-14")


class Shape(unittest.TestCase):
    def test_no_source_file_has_more_than_400_lines(self):
        long = [f"{shown(path)}: {count} lines"
                for path in files(CODE_SUFFIXES + OTHER_SOURCE_SUFFIXES)
                if (count := path.read_bytes().count(b"\n")) > MAX_LINES]
        self.assertEqual([], long)

    def test_no_file_is_named_after_nothing(self):
        empty = [shown(path) for path in files(CODE_SUFFIXES + OTHER_SOURCE_SUFFIXES)
                 if path.stem in EMPTY_NAMES]
        self.assertEqual([], empty)

    @unittest.skipUnless(FORMATTER, "clang-format-14 is not installed")
    def test_every_cpp_file_is_as_clang_format_14_leaves_it(self):
        run = subprocess.run([FORMATTER, "--dry-run", "--Werror", *map(str, files(CODE_SUFFIXES))],
                             capture_output=True, text=True, timeout=DEADLINE, check=False)
        wrong = sorted({line.split(":")[0] for line in run.stderr.splitlines()
                        if "[-Wclang-format-violations]" in line})
        self.assertEqual((0, []), (run.returncode, wrong))


if __name__ == "__main__":
    unittest.main()
