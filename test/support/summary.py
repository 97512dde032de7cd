#!/usr/bin/env python3
"""Counts test cases over all suites from Meson's logs, names what failed or was skipped, and prints
`N passed, N failed, N skipped` as its last line. Exit code 1 when anything failed or nothing ran.

    summary.py MESON_LOGS [STATUS OF MESON TEST [MORE PASSED, MORE FAILED]]
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET

GOOD = {"OK", "SKIP", "EXPECTEDFAIL"}


def main():
    logs = pathlib.Path(sys.argv[1])
    status = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    passed, failed, skipped = int(sys.argv[3]) if len(sys.argv) > 3 else 0, [], []
    failed += ["one of the long runs, named above"] * (int(sys.argv[4]) if len(sys.argv) > 4 else 0)
    for case in ET.parse(logs / "testlog.junit.xml").getroot().iter("testcase"):
        name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None:
            skipped.append(f"{name}: {case.find('skipped').get('message') or case.find('skipped').text or ''}")
        else:
            passed += 1
    # A program that died or ran out of time may have left no case behind to blame.
    with open(logs / "testlog.json", encoding="utf-8") as file:
        for line in file:
            test = json.loads(line)
            if test["result"] not in GOOD:
                failed.append(f"{test['name']}: {test['result']}")
    if status and not failed:
        failed.append(f"meson test ended with {status}")
    for name in failed:
        print(f"FAILED  {name}")
    for name in skipped:
        print(f"skipped {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
