#!/usr/bin/env python3
"""Runs files of unittest cases and tells Meson about each test (Test Anything Protocol).

tap.py FILE... : a test's name is its method's name as a sentence; why a test was skipped
stands behind "# SKIP"; what failed is told on standard error. Exit code 1 if anything failed.
"""

import importlib.util
import pathlib
import sys
import unittest


def sentence(test):
    """`test_a_wrong_pin_costs_a_try` of opensc_test.py: "opensc: a wrong pin costs a try"."""
    method = getattr(test, "_testMethodName", str(test))
    module = type(test).__module__.removesuffix("_test")
    text = f"{module}: {method.removeprefix('test_').replace('_', ' ')}"
    return text.replace("#", ".")


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.told = set()

    def tell(self, test, good, directive=""):
        if test in self.told:  # a test fails once, however many of its parts do
            return
        self.told.add(test)
        self.number += 1
        print(f"{'ok' if good else 'not ok'} {self.number} - {sentence(test)}{directive}",
              flush=True)

    def tell_failure(self, test, failure):
        print(f"{sentence(test)}: {self._exc_info_to_string(failure, test)}", file=sys.stderr,
              flush=True)
        self.tell(test, False)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test, True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell_failure(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.tell_failure(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(subtest, file=sys.stderr)
            self.tell_failure(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, True, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.tell(test, False, " # TODO expected to fail")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.tell(test, False)


def load(path):
    """Imports one file under its own name; the modules beside it are found."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main(arguments):
    if not arguments:
        print("usage: tap.py FILE...", file=sys.stderr)
        return 2
    suite = unittest.TestSuite()
    try:
        for argument in arguments:
            suite.addTest(load(pathlib.Path(argument).resolve()))
    except unittest.SkipTest as reason:  # the whole file cannot run here
        print(f"1..0 # SKIP {reason}")
        return 0
    result = TapResult()
    suite.run(result)
    print(f"1..{result.number}", flush=True)
    if result.number == 0:
        print("no test was found", file=sys.stderr)
        return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
