"""make_pki.py CPS-PKI DIRECTORY STAMP: a fresh test hierarchy, once a build."""

import pathlib
import shutil
import subprocess
import sys

tool, directory, stamp = sys.argv[1:]
shutil.rmtree(directory, ignore_errors=True)
subprocess.run([tool, "new", directory, "--seed", "1"], check=True)
pathlib.Path(stamp).touch()
