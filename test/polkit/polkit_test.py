"""A pcscd that asks polkit, a real polkitd on a bus of the test's own, and a user whom it refuses: `cpsctl doctor` finds it,
and the rule that docs/doctor.md gives mends it. Run by `run`, which builds that pcscd."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))
import rig  # noqa: E402
from agent_process import BUILD, OWN  # noqa: E402
from login_manager import CONFIGURATION  # noqa: E402

rig.isolate()

PCSCD = pathlib.Path(os.environ["CPS_POLKIT_PCSCD"])
POLKITD = "/usr/lib/polkit-1/polkitd"
ACTIONS, RULES = pathlib.Path("/usr/share/polkit-1/actions"), pathlib.Path("/etc/polkit-1/rules.d")
SOMEBODY = 65534
ONLY_THE_SERVICE = """\
polkit.addRule(function (action, subject) {
    if (action.id == "org.debian.pcsc-lite.access_pcsc")
        return polkit.Result.YES;
});
"""


def rule_of_the_page():
    section = (ROOT / "docs/doctor.md").read_text().split("## `service_refused`")[1].split("\n## ")[0]
    return re.search(r"```js\n(.*?)```", section, re.DOTALL)[1]


def mount(kind, source, target):
    subprocess.run(["mount", *kind, source, target], check=True)


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-polkit-"))
        cls.folder.chmod(0o755)
        cls.furnish()
        cls.bus = cls.start_bus()
        cls.polkit = rig.Process("polkitd", [POLKITD, "--no-debug"], cls.folder)
        rig.wait_until(lambda: cls.polkit.must_run() or cls.is_on_the_bus(), "polkit")
        os.environ["PATH"] = f"{PCSCD / 'src'}:{os.environ['PATH']}"
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.machine.start_vcard("medecin-cps3")

    @classmethod
    def tearDownClass(cls):
        cls.machine.stop()
        cls.polkit.stop()
        cls.bus.stop()
        shutil.rmtree(cls.folder)

    @classmethod
    def furnish(cls):
        """What a package of such a pcscd brings, the person's group, and no rule: in this mount namespace alone."""
        actions = cls.folder / "actions"
        shutil.copytree(ACTIONS, actions)
        shutil.copy(PCSCD / "doc/org.debian.pcsc-lite.policy", actions)
        mount(["--bind"], actions, ACTIONS)
        mount(["-t", "tmpfs"], "tmpfs", RULES)
        name = subprocess.run(["id", "-nu", str(SOMEBODY)], capture_output=True, text=True, check=True).stdout.strip()
        groups = cls.folder / "group"
        groups.write_text(pathlib.Path("/etc/group").read_text() + f"smartcard:x:60000:{name}\n")
        mount(["--bind"], groups, "/etc/group")
        cls.home = cls.folder / "home"
        cls.home.mkdir()
        shutil.copy(BUILD / "tools/cpsctl/cpsctl", cls.home)
        (cls.home / "agent.toml").write_text(f'module = "{OWN}"\n')

    @classmethod
    def start_bus(cls):
        address = f"unix:path={cls.folder}/bus"
        (cls.folder / "bus.conf").write_text(CONFIGURATION.format(address=address))
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
        bus = rig.Process("dbus-daemon", ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                                          f"--config-file={cls.folder}/bus.conf"], cls.folder)
        rig.wait_until(lambda: bus.must_run() or (cls.folder / "bus").exists(), "the bus")
        return bus

    @staticmethod
    def is_on_the_bus():
        return subprocess.run(["busctl", f"--address={os.environ['DBUS_SYSTEM_BUS_ADDRESS']}", "status",
                               "org.freedesktop.PolicyKit1"], capture_output=True, check=False).returncode == 0

    def setUp(self):
        self.addCleanup(lambda: [rule.unlink() for rule in RULES.iterdir()])

    def found(self):
        """What another user finds, by identifier."""
        done = subprocess.run(
            ["setpriv", "--reuid", str(SOMEBODY), "--regid", str(SOMEBODY), "--clear-groups", self.home / "cpsctl", "doctor",
             "--json", "--config", self.home / "agent.toml"], text=True, capture_output=True, timeout=60, check=False,
            env={**os.environ, "LANG": "en_GB.UTF-8", "XDG_RUNTIME_DIR": str(self.home), "XDG_STATE_HOME": str(self.home)})
        return {one["id"]: one for one in json.loads(done.stdout)["findings"]}

    def refusals(self):
        """polkit's own, as pcscd notes them."""
        return self.machine._pcscd.output().count("is NOT authorized for action")

    def test_without_a_rule_the_service_refuses_and_the_rule_of_the_page_mends_it(self):
        before = self.refusals()
        finding = self.found()["service_refused"]
        self.assertGreater(self.refusals(), before)
        self.assertIn("org.debian.pcsc-lite.access_pcsc and access_card", finding["remedy"])
        self.assertEqual(finding["subject"], "")
        (RULES / "50-smart-card.rules").write_text(rule_of_the_page())
        rig.wait_until(lambda: "service_refused" not in self.found(), "polkit to read the rule")

    def test_a_user_who_may_ask_the_service_but_not_use_the_card_is_told_the_reader(self):
        (RULES / "50-half.rules").write_text(ONLY_THE_SERVICE)
        reader = self.machine.reader()
        rig.wait_until(lambda: self.found().get("service_refused", {}).get("subject") == reader, "polkit to read the rule")
        self.assertIn("access_card", self.machine._pcscd.output())
        (RULES / "50-half.rules").unlink()
        (RULES / "50-smart-card.rules").write_text(rule_of_the_page())
        rig.wait_until(lambda: "service_refused" not in self.found(), "polkit to read the rule")


if __name__ == "__main__":
    unittest.main()
