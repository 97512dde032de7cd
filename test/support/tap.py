"""Runs a unittest file and tells its results as TAP, so that Meson counts the cases.

    python3 test/support/tap.py test/lint/layers_test.py
"""

import importlib.util
import sys
import traceback
import unittest
from pathlib import Path


def name_of(test):
    """The sentence that the case is called by: its docstring, or its method's name."""
    sentence = test.shortDescription() or test.id().rpartition(".")[2]
    return sentence.replace("test_", "", 1).replace("_", " ").replace("#", ".")


class TapResult(unittest.TestResult):
    """One line a case on standard output; what went wrong on standard error."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.wrong = []

    def startTest(self, test):
        super().startTest(test)
        self.wrong = []

    def note(self, test, error):
        self.wrong.append("".join(traceback.format_exception(*error)))
        if not hasattr(test, "_testMethodName"):  # setUpClass, or the file itself
            self.tell(test, "not ok")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, err)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.wrong.append("passed, though marked as failing\n")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, "ok", f" # SKIP {reason}")
        self.skipped_now = test

    def stopTest(self, test):
        super().stopTest(test)
        if getattr(self, "skipped_now", None) is not test:
            self.tell(test, "not ok" if self.wrong else "ok")

    def tell(self, test, verdict, directive=""):
        self.number += 1
        print(f"{verdict} {self.number} - {name_of(test)}{directive}", flush=True)
        for text in self.wrong:
            print(f"{name_of(test)}\n{text}", file=sys.stderr, flush=True)
        self.wrong = []


def load(path):
    for folder in (Path(__file__).parent, path.parent):
        sys.path.insert(0, str(folder.resolve()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tap.py FILE")
    result = TapResult()
    load(Path(sys.argv[1])).run(result)
    print(f"1..{result.number}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
