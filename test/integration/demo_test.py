"""./tools/demo: what it says, that it gets a token accepted, uses a reader that is there, and leaves nothing behind."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import rig
from agent_process import BUILD, ROOT

rig.isolate()

DEADLINE = 240.0  # seconds until it is ready: the build has been made, but is looked at
PATIENT = "258010000000180"


def processes():
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(entry.parent.name)] = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass
    return found


@unittest.skipUnless(BUILD == ROOT / "build", "tools/demo builds in build/ alone")
class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-demo-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.runtime, self.home = self.folder / "run", self.folder / "home"
        self.runtime.mkdir()
        self.home.mkdir()
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("XDG_", "CPS_TEST_PINENTRY"))}
        self.environment.update({"XDG_RUNTIME_DIR": str(self.runtime), "HOME": str(self.home)})
        self.mounts = pathlib.Path("/proc/self/mountinfo").read_text()

    def start(self, *options):
        with open(self.folder / "said", "w", encoding="utf-8") as said:
            self.demo = subprocess.Popen([ROOT / "tools/demo", *options], env=self.environment, stdin=subprocess.DEVNULL,
                                         stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        self.addCleanup(self.demo.wait)
        self.addCleanup(self.demo.terminate)

    def said(self):
        return (self.folder / "said").read_text()

    def wait_until_it_says(self, words):
        def told():
            if self.demo.poll() is not None and words not in self.said():
                raise RuntimeError(self.said())
            return words in self.said()
        rig.wait_until(told, words, DEADLINE)

    def left(self):
        """Processes of the demo, by its folder or its process group."""
        found = {}
        for pid, words in processes().items():
            try:
                if words and (str(self.runtime) in words or os.getpgid(pid) == self.demo.pid):  # no words: a zombie
                    found[pid] = words
            except OSError:
                pass  # it has ended
        return found

    def assert_nothing_is_left(self):
        self.assertEqual(sorted(path.name for path in self.runtime.iterdir()), [])
        self.assertEqual([str(path) for path in self.home.rglob("*")], [])
        self.assertEqual(self.left(), {})
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), self.mounts)

    def test_once_gets_a_token_accepted_and_leaves_nothing(self):
        self.start("--once", "--port", "8451")
        self.assertEqual(self.demo.wait(DEADLINE), 0, self.said())
        printed = self.said().splitlines()
        self.assertIn("PORTAL=http://127.0.0.1:8451", printed)
        self.assertIn("without the card: card_required", printed)
        self.assertTrue(any(line.startswith("with the card: 200 ") and PATIENT in line for line in printed), printed)
        self.assert_nothing_is_left()

    def test_it_says_what_to_type_and_ctrl_c_leaves_nothing(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            self.start()
            self.wait_until_it_says("Ctrl-C")
            said = self.said()
            inside, = re.findall(r"tools/demo-parts/card (\S+) remove", said)
            for earlier, later in (("Open http://127.0.0.1:8440", "Log in: claire.durand"), ("Log in", PATIENT),
                                   (PATIENT, "1234"), ("1234", "Pull the card")):
                self.assertLess(said.index(earlier), said.index(later), said)
            self.assertTrue(pathlib.Path(inside).exists())
            self.assertTrue(any("pcscd" in words and str(self.runtime) in words for words in processes().values()))
            os.killpg(self.demo.pid, number)  # as a terminal does
            self.assertEqual(self.demo.wait(30), code)
            self.assert_nothing_is_left()

    def test_the_words_that_it_has_one_type_are_right(self):
        self.start()
        self.wait_until_it_says("Ctrl-C")
        card, socket = re.findall(r"(tools/demo-parts/card \S+) remove", self.said())[0], \
            re.findall(r"cpsctl status --socket (\S+)", self.said())[0]

        def status():
            return subprocess.run([BUILD / "tools/cpsctl/cpsctl", "status", "--socket", socket], text=True,
                                  capture_output=True, check=True, timeout=30).stdout

        self.assertRegex(status(), r"card +present")
        for order, state in (("remove", "absent"), ("insert", "present")):
            subprocess.run([*card.split(), order], check=True, cwd=ROOT, capture_output=True, timeout=30)
            rig.wait_until(lambda wanted=state: re.search(rf"card +{wanted}", status()), f"the card {state}")

    def test_a_reader_that_is_there_is_used_with_the_persons_own_dialog(self):
        self.own_dialog()
        with rig.Rig() as machine:
            self.mounts = pathlib.Path("/proc/self/mountinfo").read_text()
            machine.start_pcscd()
            machine.start_vcard("medecin-cps3")
            (self.folder / "answers").write_text("pin 1234\n")
            self.start("--trust", str(rig.PKI / "trust.pem"), "--port", "8452")
            self.wait_until_it_says("Ctrl-C")
            self.assertIn("Log in: you", self.said())
            self.assertNotIn("tools/demo-parts/card", self.said())
            self.assertEqual((self.folder / "answers").read_text(), "")
            os.killpg(self.demo.pid, signal.SIGINT)
            self.assertEqual(self.demo.wait(30), 130)
            self.assert_nothing_is_left()

    def own_dialog(self):
        """The machine's pinentry, for this test: the scripted one."""
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "pinentry").symlink_to(ROOT / "test/support/pinentry")
        self.environment.update({"PATH": f"{programs}:{os.environ['PATH']}", "CPS_TEST_PINENTRY": str(self.folder)})

    def test_no_code_is_made_up_for_a_card_of_somebodys(self):
        with rig.Rig() as machine:
            machine.start_pcscd()
            card = machine.start_vcard("medecin-cps3", pin="4321")
            self.start("--once", "--trust", str(rig.PKI / "trust.pem"), "--port", "8453")
            self.assertEqual(self.demo.wait(DEADLINE), 2)
            time.sleep(0.5)
            self.assertFalse([line for line in card.apdus() if line.startswith("> 00 20 00 01 08")])


if __name__ == "__main__":
    unittest.main()
