"""What the pages of docs/ show compiles and runs, against the library as it is installed."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
PKI = pathlib.Path(os.environ["CPS_TEST_PKI"])

# What an example takes from the portal around it, and what it is made into.
C = """
#include <stdio.h>
#include <string.h>
{includes}
static void log_refusal(const char* code) {{ puts(code); }}
int main(int argc, char** argv)
{{
    const char* pem = argv[1];
    const char* const portal_session = "one";
    const char* const ids_of_the_account[] = {{"899700000013"}};
    const char* const token = "no token";
    const size_t token_size = strlen(token);
    if (argc != 2) return 2;
{body}
    cps_verifier_free(verifier);
    return why == NULL ? 0 : 1;
}}
"""
CPP = """
#include <cstdio>
#include <string>
{includes}
static void refuse(std::string_view code) {{ std::puts(std::string{{code}}.c_str()); }}
static void greet(const std::string& name) {{ std::puts(name.c_str()); }}
static void example(const std::string& pem, const std::string& token)
{{
    const std::string portal_session = "one", national_id = "899700000013";
{body}
}}
int main(int, char** argv) {{ example(argv[1], "no token"); }}
"""


def examples(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.S | re.M)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-doc-examples-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        subprocess.run(["meson", "install", "-C", BUILD, "--destdir", cls.folder, "--no-rebuild", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL, timeout=120)
        found, = cls.folder.rglob("cps.pc")
        cls.library = next(cls.folder.rglob("libcps.so")).parent
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": str(found.parent), "PKG_CONFIG_SYSROOT_DIR": str(cls.folder)}

    def pkg_config(self, package, *options):
        return subprocess.run(["pkg-config", *options, package], env=self.environment, check=True, capture_output=True,
                              text=True).stdout.split()

    def said_by(self, compiler, package, source, template, example):
        includes = "\n".join(line for line in example.splitlines() if line.startswith("#"))
        body = "\n".join(line for line in example.splitlines() if not line.startswith("#"))
        (self.folder / source).write_text(template.format(includes=includes, body=body))
        program = self.folder / "program"
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", source, "-o", program,
                        *self.pkg_config(package, "--cflags", "--libs")], cwd=self.folder, check=True, timeout=120)
        return subprocess.run([program, (PKI / "trust.pem").read_text()], capture_output=True, text=True, check=True,
                              env={**self.environment, "LD_LIBRARY_PATH": str(self.library)}, timeout=20).stdout

    def test_c(self):
        example, = examples("verify-library.md", "c")
        self.assertEqual(self.said_by(["cc", "-std=c11"], "cps", "example.c", C, example), "malformed\n")

    def test_cpp(self):
        example, = examples("verify-library.md", "cpp")
        self.assertEqual(self.said_by(["c++", "-std=c++20"], "cps++", "example.cpp", CPP, example), "malformed\n")

    def test_pkg_config_says_the_version_and_nothing_of_what_is_inside(self):
        self.assertEqual(self.pkg_config("cps", "--modversion"), ["0.1.0"])
        self.assertEqual([word for word in self.pkg_config("cps", "--libs") if word.startswith("-l")], ["-lcps"])

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_javascript_is_well_formed(self):
        shown = [(page.name, text) for page in sorted((ROOT / "docs").glob("*.md"))
                 for text in examples(page.name, "js")]
        self.assertTrue(shown)
        for page, text in shown:
            with self.subTest(page):
                (self.folder / "example.mjs").write_text(text)
                subprocess.run(["node", "--check", "example.mjs"], cwd=self.folder, check=True, timeout=20)


if __name__ == "__main__":
    unittest.main()
