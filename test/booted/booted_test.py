"""In a machine that systemd booted: the agent as a service of a person's own manager, under its sandbox, and what the
real login manager tells it. Run by `run`, which see; never on the machine itself."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
os.environ["CPS_RIG_INSIDE"] = str(os.getpid())  # the whole machine is ours
import rig  # noqa: E402
from agent_process import BUILD, OPENSC, challenge  # noqa: E402
from bystander import VERIFIED, Bystander  # noqa: E402
from people import PROGRAMS, Person, ServedAgent, install, must_be_booted, run  # noqa: E402
from session_tokens import RevokeReceiver  # noqa: E402

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


def let_it_sleep():
    """logind's own way to sleep, but for its last step: a container cannot put the machine to sleep."""
    run("mount", "-o", "remount,rw", "/sys")
    power = pathlib.Path("/sys/power")
    power.mkdir(exist_ok=True)
    (power / "state").write_text("freeze mem disk\n")
    unit = pathlib.Path("/run/systemd/system/systemd-suspend.service")
    unit.write_text("[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep 1\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "systemd-logind")  # it sees /sys as it was when it started


class Booted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        must_be_booted()
        let_it_sleep()
        cls.person = Person("praticien")
        pathlib.Path("/run/pcscd").mkdir(exist_ok=True)
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.card = cls.machine.start_vcard("medecin-cps3")
        cls.portal = RevokeReceiver()
        install(PORTAL.format(origin=cls.portal.origin))

    @classmethod
    def tearDownClass(cls):
        cls.portal.stop()
        cls.machine.stop()

    def setUp(self):
        self.portal.told.clear()
        self.person.log_in()
        self.addCleanup(self.person.log_out)
        self.person.systemctl("start", "cps-agent")
        self.agent = ServedAgent(self.person)
        rig.wait_until(lambda: self.call("GET", "/v1/status").json["card"] == "present", "the card")
        rig.wait_until(lambda: self.person.status()["login"] == "heard", "the login session to be heard", 5)

    # The page.

    def call(self, method, path, body=None):
        with self.person.acting():
            return self.agent.call(method, path, body, origin=self.portal.origin)

    def open(self):
        with self.person.acting():
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
        lines = (self.agent.state / "journal.jsonl").read_text().splitlines()
        return [line["outcome"] for line in map(json.loads, lines) if line["what"] == "session_end"]

    # What happens.

    def test_the_unit_runs_in_its_sandbox_and_is_reloaded(self):
        pid = self.person.systemctl("show", "-P", "MainPID", "cps-agent").stdout.strip()
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        self.assertEqual((status["NoNewPrivs"].strip(), status["Seccomp"].strip()), ("1", "2"))
        self.person.systemctl("reload", "cps-agent")
        self.assertEqual(self.person.systemctl("is-active", "cps-agent").stdout.strip(), "active")
        self.assertEqual(self.feature(self.opened()).status, 200)
        self.person.systemctl("stop", "cps-agent")
        rig.wait_until(lambda: self.portal.told, "the portal to be told", 10)
        self.assertEqual(self.person.systemctl("show", "-P", "Result", "cps-agent").stdout.strip(), "success")

    def test_sleep_is_delayed_by_the_agent(self):
        listed = run("systemd-inhibit", "--list", "--no-pager", "--no-legend").stdout
        self.assertRegex(listed, r"cps-agent .*sleep .*delay")

    def test_suspend_ends_the_cards_session(self):
        session = self.opened()
        run("systemctl", "suspend")
        self.assert_ends(session)
        self.assertEqual(self.reasons()[-1], "suspended")
        rig.wait_until(lambda: self.open().status == 200, "the agent to take requests again", 20)

    def test_loginctl_lock_session_ends_the_cards_session(self):
        session = self.opened()
        run("loginctl", "lock-session", self.person.session)
        self.assert_ends(session)
        self.assertEqual(self.reasons()[-1], "screen_locked")

    def test_the_locked_hint_ends_the_cards_session_and_holds_others_back(self):
        session = self.opened()
        path = "/org/freedesktop/login1/session/" + run(
            "busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
            "GetSession", "s", self.person.session).stdout.strip().strip('"').rsplit("/", 1)[1]

        def hint(value):
            run("busctl", "call", "org.freedesktop.login1", path, "org.freedesktop.login1.Session", "SetLockedHint", "b", value)

        hint("true")
        self.assert_ends(session)
        self.assertEqual(self.open().code, "screen_locked")
        hint("false")
        rig.wait_until(lambda: self.open().status == 200, "the agent to take requests again", 10)

    def test_systemd_lets_the_guard_of_a_killed_agent_reset_the_card(self):
        self.use_module_that_hangs_once_the_pin_is_verified()
        bystander = Bystander(self.machine)
        self.addCleanup(bystander.stop)
        page = self.page_that_opens_a_session()
        self.addCleanup(page.wait)
        rig.wait_until(lambda: bystander.ask() == VERIFIED, "the PIN to be verified", 30)
        os.kill(int(self.person.systemctl("show", "-P", "MainPID", "cps-agent").stdout), signal.SIGKILL)
        self.assertLess(bystander.seconds_verified(), 10)
        rig.wait_until(lambda: "cps-agent-guard" not in run("ps", "-A", "-o", "args").stdout, "the guard to end", 10)
        rig.wait_until(lambda: self.person.systemctl("is-active", "cps-agent", check=False).stdout.strip() == "active",
                       "the agent to be started again", 15)

    def use_module_that_hangs_once_the_pin_is_verified(self):
        """OpenSC's, which holds no transaction meanwhile."""
        module, misdeed = PROGRAMS / "misbehaving-module.so", PROGRAMS / "misdeed"
        shutil.copy(BUILD / "test/support/misbehaving-module.so", module)
        misdeed.write_text("hang C_Sign")
        settings = pathlib.Path("/etc/cps-agent/agent.toml")
        usual = settings.read_text()

        def undo():
            settings.write_text(usual)
            self.person.systemctl("unset-environment", "CPS_REAL_MODULE", "CPS_MISDEED")
            self.person.systemctl("stop", "cps-agent")

        self.addCleanup(undo)
        settings.write_text(re.sub(r'module = ".*"', f'module = "{module}"', usual))
        self.person.systemctl("set-environment", f"CPS_REAL_MODULE={OPENSC}", f"CPS_MISDEED={misdeed}")
        self.person.systemctl("restart", "cps-agent")
        self.agent = ServedAgent(self.person)
        rig.wait_until(lambda: self.call("GET", "/v1/status").json["card"] == "present", "the card")

    def page_that_opens_a_session(self):
        """In a process of its own: it is not answered."""
        with self.person.acting():
            self.agent.will_answer("pin 1234")
        fields = (f"Origin: {self.portal.origin}", "Sec-Fetch-Mode: cors", "Content-Type: application/json", "CPS-Agent: 1")
        asked = json.dumps({"challenge": challenge(feat=["rights.read"], ttl=600)})
        return subprocess.Popen(
            ["setpriv", f"--reuid={self.person.uid}", f"--regid={self.person.gid}", "--init-groups", "curl", "-s", "-m", "60",
             *(word for field in fields for word in ("-H", field)), "-d", asked,
             f"http://127.0.0.1:{self.agent.port}/v1/sessions"], stdout=subprocess.DEVNULL)

    def test_log_out_ends_the_cards_session(self):
        self.opened()
        run("loginctl", "terminate-session", self.person.session)
        rig.wait_until(lambda: self.portal.told, "the portal to be told", 15)
        rig.wait_until(lambda: self.reasons()[-1:] == ["logged_out"], "the journal", 5)
        time.sleep(0.5)


if __name__ == "__main__":
    unittest.main()
