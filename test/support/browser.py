"""A real Chromium, driven by the scripts of test/browser."""
import json
import pathlib
import shutil
import subprocess
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "browser"


def needed():
    """Skips the file where no browser can be driven."""
    if not (SCRIPTS / "node_modules/playwright-core").is_dir():
        raise unittest.SkipTest("npm ci has not been run in test/browser")
    if not shutil.which("chromium") or not shutil.which("node"):
        raise unittest.SkipTest("chromium or node is not installed")


def driver(script, task):
    """The command that has a script do a task in a browser: its last lines of output are JSON."""
    return ["node", str(SCRIPTS / script), json.dumps(task)]


def told(script, task, deadline=150):
    """What a script says of its task."""
    ended = subprocess.run(driver(script, task), capture_output=True, text=True, timeout=deadline, check=False)
    if ended.returncode != 0:
        raise AssertionError(ended.stderr)
    return json.loads(ended.stdout)
