import re
import unittest

import error_docs
from tree import ROOT


class AgentErrors(unittest.TestCase):
    def test_the_document_says_of_each_agent_error_what_the_code_says(self):
        _, part, _ = error_docs.split()
        self.assertEqual(error_docs.agent_part(error_docs.agent_rows()), part,
                         "run python3 test/lint/error_docs.py")

    def test_each_agent_error_is_explained_in_french_and_english(self):
        for code, status, en, fr in error_docs.agent_rows():
            with self.subTest(code=code):
                self.assertIn(status, range(400, 600))
                self.assertNotEqual(en, fr)
                for text in (en, fr):  # two sentences at least, or a colon between them
                    self.assertGreaterEqual(len(re.findall(r"[.:;](?: |$)", text)), 2, text)

    def test_a_row_that_cannot_be_read_is_an_error_and_not_a_gap(self):
        with self.assertRaises(ValueError):
            error_docs.agent_rows('Row{Errc::odd, stable_name, 400, "a", "b"}')


class VerifierRefusals(unittest.TestCase):
    def setUp(self):
        _, _, after = error_docs.split()
        self.sections = error_docs.sections(after)

    def test_the_document_has_each_refusal_once_in_the_order_of_the_enum(self):
        self.assertGreater(len(error_docs.refusal_codes()), 30)
        self.assertEqual(error_docs.refusal_codes(), [code for code, _ in self.sections])

    def test_each_refusal_has_cause_and_remedy_in_french_and_english(self):
        for code, body in self.sections:
            with self.subTest(code=code):
                for language in ("fr", "en"):
                    text = re.search(rf"^- \*\*{language}\*\* (.+)$", body, re.MULTILINE)
                    self.assertIsNotNone(text, f"no {language} line")
                    self.assertGreaterEqual(len(re.findall(r"\.(?: |$)", text.group(1))), 2)

    def test_the_code_of_a_refusal_is_its_enumerators_name(self):
        source = ROOT / "src/verify/refusal.cpp"
        if not source.exists():
            self.skipTest("no src/verify/refusal.cpp here")
        pairs = re.findall(r'case Refusal::(\w+):\s*return "(\w+)";', source.read_text())
        self.assertEqual([(code, code) for code in error_docs.refusal_codes()], pairs)


if __name__ == "__main__":
    unittest.main()
