"""A code chosen to be told apart is looked for in every log and in memory: it is in the agent's locked page while the
card works, and nowhere else, and nowhere afterwards."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import canary
import rig
from agent_process import MODULE, OWN, cpsctl, challenge
from agent_with_card import WithCard

rig.isolate()

PIN = "7391"
WRONG = "8264"
SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
SCRIPTS = ("answers", "dialogs.jsonl")  # what the test itself tells its pinentry


def elsewhere(pid, pin):
    """Where the code is but for locked pages."""
    return [hit for hit in canary.in_memory(pid, pin) if not canary.is_locked_page(hit[1])]


class Finds(unittest.TestCase):
    """The search finds what is there: else the tests below would prove nothing."""

    PLANT = "import sys; kept = bytearray({}); print('ready', flush=True); sys.stdin.readline()"

    def plant(self, octets):
        """A process that holds them, and not as text in its arguments; its number."""
        shape = "[" + "".join(f"{octet + 1} - 1," for octet in octets) + "]"
        process = subprocess.Popen([sys.executable, "-c", self.PLANT.format(shape)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process.pid

    def planted(self, octets):
        return canary.in_memory(self.plant(octets), PIN)

    def test_a_code_that_lies_in_memory_is_found_in_each_form(self):
        for form in (b"7391\xff\xff\xff\xff", b"D 7391\nOK\n", b"\x00\x20\x00\x01\x087391", b"x\x007391\x00"):
            self.assertTrue(self.planted(form), form)

    def test_other_numbers_are_not_taken_for_it(self):
        self.assertEqual(self.planted(b"173910 abc7391def 1790007391"), [])

    @unittest.skipUnless(shutil.which("gcore"), "gdb is not installed (gcore)")
    def test_a_code_that_lies_in_memory_is_found_in_a_dump(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(canary.in_file(canary.core_of(self.plant(b"\x00\x20\x00\x01\x087391\xff\xff\xff\xff"), folder), PIN))
            self.assertFalse(canary.in_file(canary.core_of(self.plant(b"nothing"), folder), PIN))

    def test_a_code_in_a_log_is_found(self):
        with tempfile.NamedTemporaryFile() as log:
            log.write(b"<5>the PIN was 7391\n")
            log.flush()
            self.assertTrue(canary.in_file(log.name, PIN))
            log.seek(0)
            log.truncate()
            log.write(b"<5>port 27391\n")
            log.flush()
            self.assertFalse(canary.in_file(log.name, PIN))


@unittest.skipUnless(os.geteuid() == 0, "only root may read the memory of processes that forbid it")
class Canary(WithCard):
    def setUp(self):
        self.card = self.machine.start_vcard(self.CARD, pin=PIN)
        self.addCleanup(self.take_card_away)
        self.wait_for_status("present")
        self.fresh_agent()

    def log_in(self, *answers):
        self.agent.will_answer(*answers)
        return self.agent.token()

    def test_after_a_token_the_code_is_nowhere_in_the_agent(self):
        self.assertEqual(self.log_in(f"pin {PIN}").status, 200)
        self.assertEqual(canary.in_memory(self.agent.process.pid, PIN), [])
        self.assertEqual(canary.children(self.agent.process.pid), [])  # worker and dialog have ended

    def test_after_a_wrong_code_neither_is_anywhere(self):
        self.assertEqual(self.log_in(f"pin {WRONG}", f"pin {PIN}").status, 200)
        for pin in (WRONG, PIN):
            self.assertEqual(canary.in_memory(self.agent.process.pid, pin), [])

    def test_after_a_code_whose_card_was_pulled_it_is_nowhere(self):
        self.agent.will_answer(f"pin {PIN}")
        self.card.control("delay 150")
        got = []
        asking = threading.Thread(target=lambda: got.append(self.agent.token()))
        asking.start()
        rig.wait_until(self.pin_attempts, "the code on its way to the card", 60)
        self.card.control("remove")
        asking.join(60)
        self.assertNotEqual(got[0].status, 200)
        self.assertEqual(canary.in_memory(self.agent.process.pid, PIN), [])

    @contextlib.contextmanager
    def while_the_card_works(self):
        """Agent, worker and guard, stopped while the card has the code and has not answered; then they go on."""
        self.agent.will_answer(f"after 1 pin {PIN}")
        got = []
        asking = threading.Thread(target=lambda: got.append(self.agent.token(challenge(ttl=120))))
        asking.start()
        self.agent.wait_for_dialog()
        self.card.control("delay 1000")  # not before: modules read the whole card first
        rig.wait_until(self.pin_attempts, "the code on its way to the card", 100)
        agent = self.agent.process.pid
        worker, guard = sorted(canary.children(agent), key=lambda pid: "guard" in rig.processes()[pid][0])
        pids = agent, worker, guard
        with canary.stopped(*pids):
            yield pids
        self.card.control("delay 0")
        asking.join(100)
        self.answer = got[0]
        self.assertFalse(pathlib.Path(f"/proc/{pids[1]}").exists())

    def test_while_the_card_works_it_is_in_locked_pages_alone(self):
        with self.while_the_card_works() as pids:
            for pid in pids:
                held = canary.in_memory(pid, PIN)
                limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
                self.assertEqual(bool(held), pid != pids[2])  # the search sees the locked page, too; the guard has none
                if pid == pids[0] or MODULE == OWN:
                    self.assertEqual(elsewhere(pid, PIN), [])
                core, = (line for line in limits.splitlines() if line.startswith("Max core file size"))
                self.assertEqual(core.split()[4:6], ["0", "0"])  # nor does any leave a core
        self.assertEqual(self.answer.status, 200, self.answer.body)

    def test_while_a_session_lives_it_is_in_locked_pages_alone_and_then_nowhere(self):
        self.agent.will_answer(f"pin {PIN}")
        opened = self.agent.call("POST", "/v1/sessions", {"challenge": challenge("infopatient.list", ttl=600)})
        self.assertEqual(opened.status, 200, opened.body)
        held = canary.in_memory(self.agent.process.pid, PIN)
        self.assertTrue(held, "it is kept for renewals")
        self.assertEqual(elsewhere(self.agent.process.pid, PIN), [])
        session = "/v1/sessions/" + opened.json["session"]
        renewed = self.agent.call("POST", session + "/renew", {"challenge": challenge("infopatient.list", ttl=600)})
        self.assertEqual(renewed.status, 200, renewed.body)
        self.assertEqual(elsewhere(self.agent.process.pid, PIN), [])
        self.assertEqual(self.agent.call("DELETE", session, headers={"CPS-Agent": "1", "Content-Type": "application/json"}).status, 204)
        self.assertEqual(canary.in_memory(self.agent.process.pid, PIN), [])

    @unittest.skipUnless(shutil.which("gcore"), "gdb is not installed (gcore)")
    def test_dumps_of_agent_and_worker_while_the_card_works_lack_it(self):
        with self.while_the_card_works() as pids:
            for pid in pids:
                core = canary.core_of(pid, self.machine.directory)
                if pid == pids[0] or MODULE == OWN:
                    self.assertFalse(canary.in_file(core, PIN), core)
                core.unlink()

    def test_it_is_in_no_argument_environment_or_log(self):
        asked = threading.Event()
        lines = []

        def watch():
            while not asked.is_set():
                for pid in (self.agent.process.pid, *canary.children(self.agent.process.pid)):
                    for name in ("cmdline", "environ"):
                        try:
                            lines.append(pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
                        except OSError:
                            pass
                time.sleep(0.01)
        watching = threading.Thread(target=watch)
        watching.start()
        self.assertEqual(self.log_in(f"pin {WRONG}", f"pin {PIN}").status, 200)
        said = cpsctl(self.agent, "status").stdout + cpsctl(self.agent, "journal").stdout
        asked.set()
        watching.join()
        files = [path for folder in (self.agent.folder, self.machine.directory) for path in folder.rglob("*")
                 if path.is_file() and path.name not in SCRIPTS and path.suffix != ".so"]
        self.assertTrue({"agent.log", "journal.jsonl"} <= {path.name for path in files})
        self.assertTrue(any(path.suffix == ".apdu" for path in files))
        for pin in (PIN, WRONG):
            self.assertEqual([path for path in files if canary.in_file(path, pin)], [])
            self.assertFalse(any(canary.word(pin).search(line) for line in lines))
            self.assertIsNone(canary.word(pin).search(said.encode()))

    if MODULE == OWN:  # other people's modules keep what they like: the agent's worker ends
        def test_our_module_leaves_none_in_a_program_that_loads_it(self):
            hidden = bytes(ord(digit) + 64 for digit in PIN).hex()
            process = subprocess.Popen([sys.executable, SUPPORT / "canary_login.py", OWN, hidden], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SUPPORT)
            self.addCleanup(process.communicate)
            self.assertEqual(process.stdout.readline(), "in 0\n")
            self.assertEqual(elsewhere(process.pid, PIN), [])
            process.stdin.write("\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "out\n")
            self.assertEqual(canary.in_memory(process.pid, PIN), [])


if __name__ == "__main__":
    unittest.main()
