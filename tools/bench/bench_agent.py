"""The agent that the benchmarks measure: with one portal, whose one feature is read in sessions."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
os.environ.setdefault("CPS_BUILD_ROOT", str(BUILD))
os.environ.setdefault("CPS_TEST_PKI", str(BUILD / "test/integration/pki"))
sys.path.insert(0, str(ROOT / "test/support"))

from agent_process import ORIGIN, challenge  # noqa: E402

PORTAL = {"one.toml": f"""\
origin = "{ORIGIN}"
name = {{ fr = "Essai" }}
[[feature]]
id = "a.read"
label = {{ fr = "Lire" }}
mode = "session"
limit = 10000
"""}


def open_session(agent):
    """The session's name."""
    agent.will_answer("pin 1234")
    answer = agent.call("POST", "/v1/sessions", {"challenge": challenge("a.read", ttl=600)})
    if answer.status != 200:
        raise RuntimeError(answer.body.decode())
    return answer.json["session"]
