"""In a machine that systemd booted: the agent as a service of a person's own manager, under its sandbox, and what the
real login manager tells it. Run by `run`, which see; never on the machine itself."""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))
os.environ["CPS_RIG_INSIDE"] = str(os.getpid())  # the whole machine is ours
import rig  # noqa: E402
from agent_process import BUILD, Agent, challenge  # noqa: E402
from session_tokens import RevokeReceiver  # noqa: E402

PERSON = "praticien"
PORTAL = """\
origin = "{origin}"
name = {{ fr = "Portail d'essai" }}
revoke_uri = "{origin}/cps/revoke"
[[feature]]
id = "rights.read"
label = {{ fr = "Lire des droits" }}
mode = "session"
limit = 200
"""


def run(*command, check=True, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=check, **more)


class ServedAgent(Agent):
    """One that the person's manager started."""

    def __init__(self, folder, uid):  # noqa: the base class starts one itself
        self.folder, self.uid = folder, uid
        self.runtime = pathlib.Path(f"/run/user/{uid}/cps-agent")
        self.port = int((self.runtime / "port").read_text())


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if run("systemd-detect-virt", "--container", check=False).stdout.strip() != "systemd-nspawn":
            raise unittest.SkipTest("this is the machine itself: use test/booted/run")
        run("useradd", "--create-home", "--shell", "/bin/sh", PERSON)
        person = pwd.getpwnam(PERSON)
        cls.uid, cls.gid, cls.home = person.pw_uid, person.pw_gid, pathlib.Path(person.pw_dir)
        pathlib.Path("/run/pcscd").mkdir(exist_ok=True)
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.card = cls.machine.start_vcard("medecin-cps3")
        cls.portal = RevokeReceiver()
        cls.install()

    @classmethod
    def tearDownClass(cls):
        cls.portal.stop()
        cls.machine.stop()

    @classmethod
    def install(cls):
        """What a package would: programs, unit, configuration."""
        programs = pathlib.Path("/opt/cps-agent")
        programs.mkdir(parents=True)
        for built in ("src/agent/cps-agent", "src/pkcs11_client/cps-agent-worker", "src/poster/cps-agent-poster",
                      "pkcs11/cps-pkcs11.so"):
            shutil.copy(BUILD / built, programs)
        shutil.copy(ROOT / "test/support/pinentry", programs)
        etc = pathlib.Path("/etc/cps-agent")
        (etc / "portals.d").mkdir(parents=True)
        (etc / "agent.toml").write_text(f'module = "{programs}/cps-pkcs11.so"\npinentry_program = "{programs}/pinentry"\n'
                                        "allow_http_loopback = true\n")
        (etc / "portals.d/one.toml").write_text(PORTAL.format(origin=cls.portal.origin))
        unit = (BUILD / "packaging/cps-agent.service").read_text()
        unit = "".join(f"ExecStart={programs}/cps-agent\nEnvironment=CPS_TEST_PINENTRY={cls.home}\n"
                       if line.startswith("ExecStart=") else line for line in unit.splitlines(keepends=True))
        units = pathlib.Path("/etc/systemd/user")
        units.mkdir(parents=True, exist_ok=True)
        (units / "cps-agent.service").write_text(unit)

    def setUp(self):
        self.portal.told.clear()
        self.log_in()
        self.addCleanup(self.log_out)
        self.systemctl("start", "cps-agent")
        self.agent = ServedAgent(self.home, self.uid)
        rig.wait_until(lambda: self.call("GET", "/v1/status").json["card"] == "present", "the card")
        rig.wait_until(lambda: self.status()["login"] == "heard", "the login session to be heard", 5)

    # The person.

    def sessions(self):
        listed = run("loginctl", "list-sessions", "--no-legend").stdout.splitlines()
        return [line.split()[0] for line in listed if PERSON in line.split()]

    def log_in(self):
        """Through PAM, as a login screen does."""
        rig.wait_until(lambda: not self.sessions(), "the last session to go", 30)
        self.number = getattr(type(self), "number", 0) + 1
        type(self).number = self.number
        run("systemd-run", f"--unit=login-{self.number}", "--property=PAMName=login", f"--property=User={PERSON}",
            "--setenv=XDG_SESSION_TYPE=x11", "--setenv=XDG_SESSION_CLASS=user", "sleep", "infinity")
        rig.wait_until(self.sessions, "the session")
        self.session, = self.sessions()
        rig.wait_until(lambda: self.systemctl("is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                       "the person's manager")

    def log_out(self):
        run("systemctl", "stop", f"login-{self.number}", check=False)

    def systemctl(self, *words, check=True):
        done = run("setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups", "systemctl", "--user", *words,
                   check=False, env={"XDG_RUNTIME_DIR": f"/run/user/{self.uid}", "PATH": os.environ["PATH"]})
        if check and done.returncode != 0:
            log = run("journalctl", "--no-pager", "-n", "40", check=False).stdout
            raise AssertionError(f"{words}: {done.stderr}\n{log}")
        return done

    @contextlib.contextmanager
    def as_person(self):
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def status(self):
        done = run("setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups", BUILD / "tools/cpsctl/cpsctl",
                   "status", "--json", env={"XDG_RUNTIME_DIR": f"/run/user/{self.uid}"})
        return json.loads(done.stdout)

    # The page.

    def call(self, method, path, body=None):
        with self.as_person():
            return self.agent.call(method, path, body, origin=self.portal.origin)

    def open(self):
        with self.as_person():
            self.agent.will_answer("pin 1234")
        return self.call("POST", "/v1/sessions", {"challenge": challenge(feat=["rights.read"], ttl=600)})

    def opened(self):
        answer = self.open()
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["session"]

    def feature(self, session):
        return self.call("POST", f"/v1/sessions/{session}/tokens", {
            "feat": "rights.read", "htm": "GET", "htu": self.portal.origin + "/api/x", "rid": "A" * 43})

    def assert_ends(self, session):
        rig.wait_until(lambda: self.feature(session).code == "session_ended", "the session to end", 5)
        rig.wait_until(lambda: self.portal.told, "the portal to be told", 10)

    def reasons(self):
        lines = (self.home / ".local/state/cps-agent/journal.jsonl").read_text().splitlines()
        return [line["outcome"] for line in map(json.loads, lines) if line["what"] == "session_end"]

    # What happens.

    def test_the_unit_runs_in_its_sandbox_and_is_reloaded(self):
        pid = self.systemctl("show", "-P", "MainPID", "cps-agent").stdout.strip()
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        self.assertEqual((status["NoNewPrivs"].strip(), status["Seccomp"].strip()), ("1", "2"))
        self.systemctl("reload", "cps-agent")
        self.assertEqual(self.systemctl("is-active", "cps-agent").stdout.strip(), "active")
        self.assertEqual(self.feature(self.opened()).status, 200)
        self.systemctl("stop", "cps-agent")
        rig.wait_until(lambda: self.portal.told, "the portal to be told", 10)
        self.assertEqual(self.systemctl("show", "-P", "Result", "cps-agent").stdout.strip(), "success")

    def test_sleep_is_delayed_by_the_agent(self):
        listed = run("systemd-inhibit", "--list", "--no-pager", "--no-legend").stdout
        self.assertRegex(listed, r"cps-agent .*sleep .*delay")

    def test_loginctl_lock_session_ends_the_cards_session(self):
        session = self.opened()
        run("loginctl", "lock-session", self.session)
        self.assert_ends(session)
        self.assertEqual(self.reasons()[-1], "screen_locked")

    def test_the_locked_hint_ends_the_cards_session_and_holds_others_back(self):
        session = self.opened()
        path = "/org/freedesktop/login1/session/" + run(
            "busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
            "GetSession", "s", self.session).stdout.strip().strip('"').rsplit("/", 1)[1]

        def hint(value):
            run("busctl", "call", "org.freedesktop.login1", path, "org.freedesktop.login1.Session", "SetLockedHint", "b", value)

        hint("true")
        self.assert_ends(session)
        self.assertEqual(self.open().code, "screen_locked")
        hint("false")
        rig.wait_until(lambda: self.open().status == 200, "the agent to take requests again", 10)

    def test_log_out_ends_the_cards_session(self):
        self.opened()
        run("loginctl", "terminate-session", self.session)
        rig.wait_until(lambda: self.portal.told, "the portal to be told", 15)
        rig.wait_until(lambda: self.reasons()[-1:] == ["logged_out"], "the journal", 5)
        time.sleep(0.5)


if __name__ == "__main__":
    unittest.main()
