#!/usr/bin/env python3
"""What verifying a token costs: the library beside OpenSSL alone over the same octets, and beside jose, jsonwebtoken and
PHP with the same tokens. verify.py [--json]; fails when a bound is missed.

Processor time of one thread, in rounds in which each takes its turn; a ratio is the median of the rounds' ratios, so that
a loaded machine slows both of its sides. The library does the whole of the profile with a store in memory: nonce, session,
replay, identity. The others check signature, algorithm, audience and times, with the key at hand."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", HERE.parents[1] / "build"))

WARM_UP, ROUNDS = 8, 31
DEADLINE = 60  # seconds for one batch; they take some 20 ms
OURS = ("bare_rs256", "login", "bare_rs256", "request", "bare_es256", "feature", "bare_first_sight", "first_sight")
NODE = ("jose_rs256", "jose_es256", "jsonwebtoken_rs256", "jsonwebtoken_es256")
PHP = ("php_rs256", "php_es256")

# How fast: at least so many times as fast as the other. First sight is bounded by 1.3 times the time.
BOUNDS = {
    ("login", "bare_rs256"): 0.75,
    ("request", "bare_rs256"): 0.75,
    ("feature", "bare_es256"): 0.8,
    ("first_sight", "bare_first_sight"): 1 / 1.3,
    **{("login", f"{peer}_rs256"): 1.0 for peer in ("jose", "jsonwebtoken", "php")},
    **{("feature", f"{peer}_es256"): 1.0 for peer in ("jose", "jsonwebtoken", "php")},
}


class Program:
    """One that answers each name of a batch with its nanoseconds for a token."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{command[0]} did not start")

    def run(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def stop(self):
        self.process.communicate(timeout=DEADLINE)


def measure(programs):
    """Of each batch, its nanoseconds in each round."""
    turns = [(programs[0], OURS), (programs[1], NODE), (programs[2], PHP)]
    rounds = []
    for number in range(WARM_UP + ROUNDS):
        taken = {}
        for program, names in turns:
            for name in names:
                taken.setdefault(name, []).append(program.run(name))
        if number >= WARM_UP:
            rounds.append({name: statistics.fmean(times) for name, times in taken.items()})
    return rounds


def main():
    with tempfile.TemporaryDirectory(prefix="cps-bench-") as folder:
        tokens = pathlib.Path(folder) / "tokens.json"
        programs = [Program(BUILD / "tools/bench/verify/cps-bench-verify", tokens)]
        programs += [Program("node", HERE / "verify/peers.mjs", tokens), Program("php", HERE / "verify/peers.php", tokens)]
        rounds = measure(programs)
        for program in programs:
            program.stop()

    results = {f"{name}_us": round(statistics.median(each[name] for each in rounds) / 1000, 2) for name in rounds[0]}
    missed = []
    for (one, other), bound in BOUNDS.items():
        ratio = statistics.median(each[other] / each[one] for each in rounds)
        results[f"{one}_per_{other}"] = round(ratio, 3)
        if ratio < bound:
            missed.append(f"{one} is {ratio:.3f} times as fast as {other}, the bound is {bound:.3f}")

    if sys.argv[1:] == ["--json"]:
        print(json.dumps(results))
    else:
        for name, value in results.items():
            print(f"{name:40} {value}")
    for line in missed:
        print(line, file=sys.stderr)
    sys.exit(1 if missed else 0)


main()
