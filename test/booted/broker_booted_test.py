"""In a machine that systemd booted: the broker as its units start it, two people with an agent each behind the one port, and
the remedies of `cpsctl doctor` that are commands of systemd. Run by `run`, which see."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
os.environ["CPS_RIG_INSIDE"] = str(os.getpid())  # the whole machine is ours
import rig  # noqa: E402
from other_user import CARL, call_as, connection_of  # noqa: E402
from people import Person, install, must_be_booted, run  # noqa: E402

PORT = 27743
SOCKET, SERVICE = "cps-agent-broker.socket", "cps-agent-broker.service"


def origin_of(person):
    return f"https://{person.name}.example"


def command_in(remedy):
    """What a remedy has one type: root needs no sudo."""
    return re.search(r"(?:sudo )?(systemctl [^;,]*[a-z])", remedy)[1].split()


class TwoPeople(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        must_be_booted()
        cls.people = [Person("claire"), Person("paul")]
        install()
        for person in cls.people:
            folder = person.home / ".config/cps-agent/portals.d"
            with person.acting():
                folder.mkdir(parents=True)
                (folder / "own.toml").write_text(f'origin = "{origin_of(person)}"\nname = {{ fr = "{person.name}" }}\n')
            person.log_in()
            person.systemctl("start", "cps-agent")

    @classmethod
    def tearDownClass(cls):
        for person in cls.people:
            person.log_out()

    def setUp(self):
        self.addCleanup(run, "systemctl", "disable", "--now", SOCKET, SERVICE, check=False)

    def port_of(self, person):
        return person.status()["port"]

    def switch_on(self):
        """As docs/broker.md says."""
        for person in self.people:
            person.systemctl("stop", "cps-agent")
        run("systemctl", "enable", "--now", SOCKET)
        for person in self.people:
            person.systemctl("start", "cps-agent")

    def reaches(self, person):
        answer = call_as(person.uid, PORT, origin=origin_of(person))
        return answer is not None and answer.status == 200

    def each_reaches_his_own(self, host="127.0.0.1"):
        for person in self.people:
            for asked in self.people:
                answer = call_as(person.uid, PORT, origin=origin_of(asked), host=host)
                self.assertEqual(answer.status, 200 if asked is person else 403, (person.name, asked.name, answer.body))

    def test_the_doctor_finds_who_missed_the_broker_and_its_remedy_mends_it(self):
        first, last = self.people
        for person in self.people:  # without a broker the first has the port, the other the next one
            person.systemctl("stop", "cps-agent")
        for person in self.people:
            person.systemctl("start", "cps-agent")
        self.assertNotEqual(run("systemctl", "enable", "--now", SOCKET, check=False).returncode, 0)
        first.systemctl("stop", "cps-agent")
        run("systemctl", "enable", "--now", SOCKET)
        found = last.findings()
        self.assertIn("broker_missed", found)
        last.run(*command_in(found["broker_missed"]["remedy"]))
        self.assertNotIn("broker_missed", last.findings())
        first.run(*command_in(first.findings()["agent_absent"]["remedy"]))
        self.assertFalse({"agent_absent", "broker_missed", "port_taken"} & set(first.findings()))
        self.each_reaches_his_own()

    def test_each_reaches_his_own_agent_through_the_one_port(self):
        self.switch_on()
        self.assertEqual([self.port_of(person) for person in self.people], [PORT, PORT])
        self.each_reaches_his_own()
        self.each_reaches_his_own("::1")
        with connection_of(CARL, PORT) as nobodys:  # who has no agent
            self.assertEqual(nobodys.recv(1), b"")

    def test_the_port_is_nobody_elses_and_stays_held_while_the_broker_restarts(self):
        self.switch_on()
        for act in ("restart", "kill", "stop"):
            run("systemctl", act, SERVICE)
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                with socket.socket(family) as squatter, self.assertRaises(OSError):
                    squatter.bind((host, PORT))
            for person in self.people:
                rig.wait_until(lambda one=person: self.reaches(one), f"{person.name}'s agent after {act}", 40)

    def test_the_broker_runs_as_a_user_of_its_own_in_its_sandbox(self):
        self.switch_on()
        self.each_reaches_his_own()
        pid = run("systemctl", "show", "-P", "MainPID", SERVICE).stdout.strip()
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        uids = {int(uid) for uid in status["Uid"].split()}
        self.assertEqual(len(uids), 1)
        self.assertTrue(61184 <= uids.pop() <= 65519, status["Uid"])  # DynamicUser= (systemd's own range)
        self.assertEqual((status["NoNewPrivs"].strip(), status["Seccomp"].strip()), ("1", "2"))
        for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[kind], 16), 0, kind)


class TheReaderService(unittest.TestCase):
    def setUp(self):
        must_be_booted()
        install()
        self.person = Person("jeanne")
        self.person.log_in()
        self.addCleanup(self.person.log_out)

    def test_the_remedy_for_an_absent_service_starts_it(self):
        run("systemctl", "disable", "--now", "pcscd.socket", "pcscd.service", check=False)
        shutil.rmtree("/run/pcscd", ignore_errors=True)
        found = self.person.findings()["service_absent"]
        run(*command_in(found["remedy"]))
        self.addCleanup(subprocess.run, ["systemctl", "disable", "--now", "pcscd.socket", "pcscd.service"], check=False)
        self.assertNotIn("service_absent", self.person.findings())
        self.assertNotIn("service_refused", self.person.findings())


if __name__ == "__main__":
    unittest.main()
