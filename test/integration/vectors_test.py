"""The example verifiers in other languages agree with every test vector of class token, state and chain; so do fresh ones."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
KEPT = ROOT / "test/vectors/tokens"
EXAMPLES = ROOT / "docs/examples"


def vectors(folder):
    found = [(path, json.loads(path.read_text())) for path in sorted(pathlib.Path(folder).glob("*.json"))]
    return [(path, one) for path, one in found if one["class"] in ("token", "state", "chain")]


class ExampleVerifiers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fresh = tempfile.mkdtemp(prefix="cps-vectors-")
        cls.addClassCleanup(shutil.rmtree, cls.fresh)
        subprocess.run([BUILD / "tools/cpsctl/cpsctl", "portal", "vectors", cls.fresh], check=True, timeout=60)

    def agree(self, *program):
        for folder in (KEPT, self.fresh):
            wanted = vectors(folder)
            self.assertGreater(len(wanted), 60)
            told = subprocess.run([*program, *(path for path, _ in wanted)], capture_output=True, text=True,
                                  check=True, timeout=120).stdout.splitlines()
            self.assertEqual(told, [f"{one['name']} {one['verdict']}" for _, one in wanted])

    @unittest.skipUnless((EXAMPLES / "js/node_modules/jose").is_dir() and shutil.which("node"), "npm ci was not run")
    def test_javascript_agrees(self):
        self.agree("node", EXAMPLES / "js/run.mjs")

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_php_agrees(self):
        self.agree("php", EXAMPLES / "php/run.php")

    def test_each_example_is_short(self):
        for name in ("js/verifier.mjs", "js/believe.mjs", "php/verifier.php", "php/believe.php"):
            self.assertLess(len((EXAMPLES / name).read_text().splitlines()), 200, name)


if __name__ == "__main__":
    unittest.main()
