"""`cpsctl doctor`: each fault is made for real, is found with its remedy, and is gone once the remedy was applied."""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import rig
from agent_process import BUILD, OPENSC, OWN, ROOT, Agent, cpsctl
from login_manager import LoginManager
import winscard

rig.isolate()

YEAR = 365 * 86400
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
TABLE = (ROOT / "tools/cpsctl/findings.cpp").read_text()


class Person:
    """Who runs cpsctl, with a configuration and, at first, no agent."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.configuration = self.folder / "agent.toml"
        self.configure(f'module = "{OWN}"\npinentry_program = "{ROOT}/test/support/pinentry"\n')
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder), "LANG": "en_GB.UTF-8",
                            "XDG_CONFIG_HOME": str(self.folder / "home"),
                            "XDG_CACHE_HOME": str(self.folder / "cache"),
                            "XDG_STATE_HOME": str(self.folder / "state")}
        for name in ("LC_ALL", "LC_MESSAGES"):
            self.environment.pop(name, None)

    def configure(self, text):
        self.configuration.write_text(text)

    def set_clock(self, offset):
        """The clock that this person's programs see, by seconds from the true one; the dates of files stay."""
        self.environment.update({"LD_PRELOAD": FAKETIME, "FAKETIME": f"{offset:+d}s", "NO_FAKE_STAT": "1",
                                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        if offset == 0:
            for name in ("LD_PRELOAD", "FAKETIME"):
                self.environment.pop(name)

    def doctor(self, *options):
        return cpsctl(self, "doctor", "--config", str(self.configuration), *options)


class StrangeCard(threading.Thread):
    """A card of nobody's: the virtual reader's protocol, and an answer to reset that no CPS card has."""

    ATR = bytes.fromhex("3B8001")  # as short as can be, plus its check octet
    ATR += bytes([ATR[1] ^ ATR[2]])

    def __init__(self, port):
        super().__init__(daemon=True)
        self.link = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.link.settimeout(None)
        self.start()

    def run(self):
        try:
            while head := self.link.recv(2, socket.MSG_WAITALL):
                asked = self.link.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                if asked == b"\4":
                    self.link.sendall(struct.pack(">H", len(self.ATR)) + self.ATR)
                elif len(asked) > 1:
                    self.link.sendall(b"\0\2\x6d\0")
        except OSError:
            pass

    def remove(self):
        self.link.shutdown(socket.SHUT_RDWR)
        self.join(10)
        self.link.close()


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.login_folder = tempfile.mkdtemp(prefix="cps-login-")
        cls.login = LoginManager(cls.login_folder)
        os.environ.update({"CPS_TEST_SYSTEM_BUS": cls.login.address, "XDG_SESSION_ID": "c1"})

    @classmethod
    def tearDownClass(cls):
        cls.login.stop()
        shutil.rmtree(cls.login_folder)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cps-doctor-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.person = Person(self.folder)
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)

    def found(self, *options):
        """The findings by identifier, but that no agent runs."""
        done = self.person.doctor("--json", *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        findings = {one["id"]: one for one in json.loads(done.stdout)["findings"]}
        faults = [one for one in findings.values() if one["severity"] != "hint"]
        self.assertEqual(done.returncode, 1 if faults else 0, findings)
        if faults:
            self.assertEqual(done.stderr.split()[0], faults[0]["id"])
        findings.pop("agent_absent", None)
        return findings

    def cards(self, at):
        """A hierarchy whose certificates begin at `at`."""
        folder = pathlib.Path(self.folder) / f"pki-{at}"
        subprocess.run([BUILD / "tools/pki/cps-pki", "new", folder, "--seed", "7", "--at", str(at)], check=True,
                       capture_output=True, timeout=120)
        return folder / "cards"

    def start(self, card="medecin-cps3"):
        self.machine.start_pcscd()
        return self.machine.start_vcard(card)

    def exchange(self, card, other="pharmacien-cps3"):
        """Another card in the reader (of another serial number, by which the module keeps certificates)."""
        card.stop()
        self.machine.wait_for_card(state=winscard.STATE_EMPTY)
        return self.machine.start_vcard(other)

    def test_a_machine_in_order_has_nothing(self):
        self.start()
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        done = self.person.doctor()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "All is well.\n", ""))
        self.person.environment["LANG"] = "fr_FR.UTF-8"
        self.assertEqual(self.person.doctor().stdout, "Tout va bien.\n")

    def test_the_service_is_absent(self):
        found = self.found()
        self.assertEqual(list(found), ["service_absent"])
        self.assertIn("pcscd.socket", found["service_absent"]["remedy"])
        self.machine.start_pcscd()
        self.assertEqual(list(self.found()), ["no_card"])
        self.machine.start_vcard("medecin-cps3")
        self.assertEqual(self.found(), {})

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_the_service_refuses_the_user(self):
        self.start()
        home = tempfile.mkdtemp(prefix="cps-stranger-")
        self.addCleanup(shutil.rmtree, home)
        os.chmod(home, 0o755)
        program = shutil.copy(BUILD / "tools/cpsctl/cpsctl", home)
        shutil.copy(self.person.configuration, home)

        def stranger_finds():
            done = subprocess.run(
                ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program, "doctor", "--json",
                 "--config", pathlib.Path(home, "agent.toml")],
                text=True, capture_output=True, env=self.person.environment, timeout=60, check=False)
            return {one["id"]: one for one in json.loads(done.stdout)["findings"]}

        door = pathlib.Path("/run/pcscd/pcscd.comm")
        mode = door.stat().st_mode
        door.chmod(0o600)
        found = stranger_finds()
        self.assertIn("service_refused", found)
        self.assertNotIn("service_absent", found)
        self.assertIn("org.debian.pcsc-lite.access_pcsc", found["service_refused"]["remedy"])
        door.chmod(mode)
        self.assertNotIn("service_refused", stranger_finds())

    def test_a_service_that_closes_the_door_at_once_is_told_as_refusing(self):
        # What polkit's refusal looks like from outside; Debian 12 builds pcscd without polkit.
        with socket.socket(socket.AF_UNIX) as door:
            door.bind("/run/pcscd/pcscd.comm")
            door.listen()
            self.addCleanup(os.unlink, "/run/pcscd/pcscd.comm")

            def close_all():
                try:
                    while True:
                        door.accept()[0].close()
                except OSError:
                    pass
            threading.Thread(target=close_all, daemon=True).start()
            self.assertEqual(list(self.found()), ["service_refused"])
            door.shutdown(socket.SHUT_RDWR)

    def test_there_is_no_reader(self):
        self.machine.start_pcscd(ports=())
        rig.wait_until(lambda: list(self.found()) == ["no_reader"], "pcscd without a reader")
        self.machine.stop_pcscd()
        self.machine.start_pcscd()
        self.assertEqual(list(self.found()), ["no_card"])

    def test_another_program_keeps_the_reader(self):
        self.start()
        with self.machine.connect(share=winscard.SHARE_EXCLUSIVE):
            found = self.found()
            self.assertIn("reader_in_use", found)
            self.assertEqual(found["reader_in_use"]["subject"], self.machine.reader())
        self.assertEqual(self.found(), {})

    def test_the_card_is_unknown(self):
        self.machine.start_pcscd()
        card = StrangeCard(rig.FIRST_PORT)
        self.machine.wait_for_card()
        self.assertEqual(list(self.found()), ["card_unknown"])
        card.remove()
        self.machine.wait_for_card(state=winscard.STATE_EMPTY)
        self.machine.start_vcard("medecin-cps3")
        self.assertEqual(self.found(), {})

    def test_the_card_is_mute(self):
        card = self.start()
        card.control("mute")
        self.assertEqual(list(self.found()), ["card_mute"])
        card.remove()
        self.machine.wait_for_card(state=winscard.STATE_EMPTY)
        card.insert()
        self.machine.wait_for_card()
        self.assertEqual(self.found(), {})

    def test_the_certificate_has_expired(self):
        card = self.start("expiree-cps3")
        found = self.found()
        self.assertEqual(list(found), ["certificate_expired"])
        self.exchange(card)
        self.assertEqual(self.found(), {})

    def test_the_certificate_expires_soon(self):
        card = self.start(self.cards(int(time.time()) - 3 * YEAR + 10 * 86400) / "medecin-cps3")
        found = self.found()
        self.assertEqual(list(found), ["certificate_expiring"])
        self.assertEqual(found["certificate_expiring"]["severity"], "warning")
        self.exchange(card)
        self.assertEqual(self.found(), {})

    def test_the_certificate_only_seems_to_have_expired(self):
        self.start()
        self.person.set_clock(4 * YEAR)
        self.assertIn("whether this computer's date is right", self.found()["certificate_expired"]["remedy"])
        self.person.set_clock(0)
        self.assertEqual(self.found(), {})

    def test_the_card_has_no_certificate_that_the_module_reads(self):
        self.person.configure(self.person.configuration.read_text().replace(OWN, OPENSC))
        card = self.start("infirmiere-cps4")  # OpenSC has no driver for it
        found = self.found()
        self.assertEqual(list(found), ["certificate_missing"])
        self.assertEqual(found["certificate_missing"]["subject"], self.machine.reader())
        # "Try the module that comes with the agent", and without it, another card.
        card = self.exchange(card)
        self.assertEqual(self.found(), {})
        self.exchange(card, "infirmiere-cps4")
        self.person.configure(self.person.configuration.read_text().replace(OPENSC, OWN))
        self.assertEqual(self.found(), {})

    def test_the_clock_is_behind_the_card(self):
        self.start(self.cards(int(time.time()) - YEAR) / "medecin-cps3")
        old = time.time() - 3 * YEAR  # else the file tells, too
        os.utime(self.person.configuration, (old, old))
        self.person.set_clock(-2 * YEAR)
        found = self.found()
        self.assertEqual(list(found), ["clock_off"])
        self.assertIn("certificate", found["clock_off"]["subject"])
        self.person.set_clock(0)
        self.assertEqual(self.found(), {})

    def test_the_clock_is_behind_the_machines_own_files(self):
        self.start(self.cards(int(time.time()) - YEAR) / "medecin-cps3")
        self.person.set_clock(-3 * 86400)
        found = self.found()
        self.assertIn(str(self.person.configuration), found["clock_off"]["subject"])
        self.person.set_clock(0)
        self.assertEqual(self.found(), {})

    def test_the_module_does_not_load(self):
        self.start()
        library = "/usr/lib/x86_64-linux-gnu/libz.so.1"  # a library, but no Cryptoki
        good = self.person.configuration.read_text()
        self.person.configure(good.replace(OWN, library))
        found = self.found()
        self.assertEqual(found["module_failed"]["subject"], library)
        self.person.configure(good)
        self.assertEqual(self.found(), {})

    def test_a_line_of_the_configuration_is_bad(self):
        self.start()
        good = self.person.configuration.read_text()
        self.person.configure(good + 'unknown_origins = "perhaps"\n')
        found = self.found()
        self.assertEqual(list(found), ["configuration"])
        self.assertIn(f"{self.person.configuration}:3:", found["configuration"]["subject"])
        self.person.configure(good)
        self.assertEqual(self.found(), {})

    def test_the_agent_is_absent_or_its_port_is_a_strangers(self):
        self.start()
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", 27743))
            stranger.listen()
            told = {one["id"] for one in json.loads(self.person.doctor("--json").stdout)["findings"]}
            self.assertEqual(told, {"agent_absent", "port_taken"})
            self.assertIn(f"(pid {os.getpid()})", self.found()["port_taken"]["subject"])
            agent = Agent(self.folder)
            self.addCleanup(agent.stop)
            self.assertEqual(list(self.found()), ["port_taken"])
        agent.stop()
        (agent.runtime / "port").unlink(missing_ok=True)
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        self.assertEqual(self.found(), {})

    def test_the_agent_is_older_than_what_is_installed(self):
        self.start()
        old = pathlib.Path(self.folder) / "old" / "agent"
        old.mkdir(parents=True)
        for helpers in ("pkcs11_client", "poster", "guard"):
            (old.parent / helpers).symlink_to(BUILD / "src" / helpers)
        program = (BUILD / "src/agent/cps-agent").read_bytes()
        version = subprocess.run([BUILD / "src/agent/cps-agent", "--version"], capture_output=True, check=True).stdout
        older = b"0.0." + b"0" * (len(version.strip()) - 4)
        self.assertIn(version.strip() + b"\0", program)
        (old / "cps-agent").write_bytes(program.replace(version.strip() + b"\0", older + b"\0"))
        (old / "cps-agent").chmod(0o755)
        agent = Agent(self.folder, program=old / "cps-agent")
        self.addCleanup(agent.stop)
        self.assertEqual(list(self.found()), ["agent_outdated"])
        agent.stop()
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        self.assertEqual(self.found(), {})

    def test_the_agent_does_not_hear_the_login_manager(self):
        self.start()
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        self.assertEqual(self.found(), {})
        self.login.remove_session()
        self.assertEqual(self.found()["login_unheard"]["subject"], "no_session")
        self.login.add_session("c1")
        self.login.announce("SessionNew", "c1")
        self.assertEqual(self.found(), {})
        self.login.stop_mock()
        self.assertEqual(self.found()["login_unheard"]["subject"], "no_logind")
        self.login.start_mock()
        self.login.announce("SessionNew", "c1")
        rig.wait_until(lambda: self.found() == {}, "the agent to hear the new login manager")

    def test_the_journal_is_damaged(self):
        self.start()
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        rig.wait_until(lambda: agent.call("GET", "/v1/status").json["card"] == "present", "the card")
        for _ in range(2):
            agent.will_answer("pin 1234")
            self.assertEqual(agent.token().status, 200)
        self.assertEqual(self.found(), {})
        journal = agent.state / "journal.jsonl"
        journal.write_text(journal.read_text().replace("amelipro", "amelipra", 1))
        found = self.found()
        self.assertEqual(list(found), ["journal_broken"])
        self.assertIn(f"{journal}:2:", found["journal_broken"]["subject"])
        agent.will_answer("pin 1234")
        self.assertEqual(agent.token().status, 200)
        self.assertEqual(self.found()["journal_broken"]["subject"], str(agent.state / "journal.broken.jsonl"))
        for file in agent.state.glob("journal.broken*"):
            file.rename(pathlib.Path(self.folder) / file.name)
        self.assertEqual(self.found(), {})

    def test_each_fault_has_its_test_and_its_page(self):
        import re
        faults = set(re.findall(r'FaultRow\{\s*Fault::\w+,\s*"(\w+)"', TABLE))
        tested = set(re.findall(r'"(\w+)"', pathlib.Path(__file__).read_text()))
        documented = set(re.findall(r"^## `(\w+)`", (ROOT / "docs/doctor.md").read_text(), re.MULTILINE))
        self.assertEqual(documented, faults)
        page = (ROOT / "docs/doctor.md").read_text()
        joined = re.sub(r'"\s+"', "", TABLE)
        for row in re.findall(r"FaultRow\{(.*?)\},?\n", joined, re.DOTALL):
            name, _, what, _, remedy = [text.replace('\\"', '"') for text in re.findall(r'"((?:[^"\\]|\\.)*)"', row)]
            section = page.split(f"## `{name}`")[1].split("\n## ")[0]
            self.assertIn(what, section)
            self.assertIn(remedy, section)
        elsewhere = {"broker_missed"}  # broker_test.py
        self.assertEqual(faults - tested - elsewhere, set())


if __name__ == "__main__":
    unittest.main()
