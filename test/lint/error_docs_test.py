import re
import unittest

import error_docs
from tree import ROOT


class AgentErrors(unittest.TestCase):
    def test_same(self):
        """docs/errors.md says of each agent error what error_table.cpp says"""
        _, part, _ = error_docs.split()
        self.assertEqual(error_docs.agent_part(error_docs.agent_rows()), part,
                         "run python3 test/lint/error_docs.py")

    def test_languages(self):
        """each agent error is explained in French and in English, cause and remedy"""
        for code, status, en, fr in error_docs.agent_rows():
            with self.subTest(code=code):
                self.assertIn(status, range(400, 600))
                self.assertNotEqual(en, fr)
                for text in (en, fr):  # two sentences at least, or a colon between them
                    self.assertGreaterEqual(len(re.findall(r"[.:;](?: |$)", text)), 2, text)

    def test_reading(self):
        """a row that cannot be read is an error, not a gap"""
        with self.assertRaises(ValueError):
            error_docs.agent_rows('Row{Errc::odd, stable_name, 400, "a", "b"}')


class VerifierRefusals(unittest.TestCase):
    def setUp(self):
        _, _, after = error_docs.split()
        self.sections = error_docs.sections(after)

    def test_codes(self):
        """docs/errors.md has each refusal of the verifier once, in the order of the enum"""
        self.assertGreater(len(error_docs.refusal_codes()), 30)
        self.assertEqual(error_docs.refusal_codes(), [code for code, _ in self.sections])

    def test_texts(self):
        """each refusal has its cause and its remedy, in French and in English"""
        for code, body in self.sections:
            with self.subTest(code=code):
                for language in ("fr", "en"):
                    text = re.search(rf"^- \*\*{language}\*\* (.+)$", body, re.MULTILINE)
                    self.assertIsNotNone(text, f"no {language} line")
                    self.assertGreaterEqual(len(re.findall(r"\.(?: |$)", text.group(1))), 2)

    def test_strings(self):
        """the code of a refusal is its enumerator's name"""
        source = ROOT / "src/verify/refusal.cpp"
        if not source.exists():
            self.skipTest("no src/verify/refusal.cpp here")
        pairs = re.findall(r'case Refusal::(\w+):\s*return "(\w+)";', source.read_text())
        self.assertEqual([(code, code) for code in error_docs.refusal_codes()], pairs)


if __name__ == "__main__":
    unittest.main()
