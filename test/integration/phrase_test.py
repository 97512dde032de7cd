"""`cpsctl phrase`: the words that tell the agent's windows from others, in the dialog and nowhere else."""
import json
import os
import pty
import stat
import subprocess

import rig
from agent_process import BUILD, cpsctl
from agent_with_card import WithCard

rig.isolate()

PHRASE = "le chat de Sète"


class Phrase(WithCard):
    def setUp(self):
        super().setUp()
        self.fresh_agent()
        self.file = self.agent.folder / "state/cps-agent/phrase"

    def choose(self, typed):
        ours, theirs = pty.openpty()
        os.write(ours, typed.encode() + b"\n")
        ended = subprocess.run([BUILD / "tools/cpsctl/cpsctl", "phrase", "choose"], env=self.agent.environment,
                               stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(theirs)
        os.close(ours)
        return ended

    def chosen(self):
        told = cpsctl(self.agent, "phrase", "--json")
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        return json.loads(told.stdout)["chosen"]

    def dialog(self):
        self.agent.will_answer("cancel")
        self.assertEqual(self.agent.token().code, "pin_cancelled")
        return self.agent.dialogs()[0]["desc"]

    def refused(self, code, ended):
        self.assertEqual((ended.returncode, ended.stderr.split()[:1]), (1, [code]), ended.stderr)

    def test_it_is_chosen_shown_by_the_next_dialog_and_forgotten(self):
        self.assertFalse(self.chosen())
        self.assertEqual(self.choose(PHRASE).returncode, 0)
        self.assertTrue(self.chosen())
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertIn(PHRASE, self.dialog().splitlines()[0])
        said = cpsctl(self.agent, "phrase").stdout + cpsctl(self.agent, "journal").stdout
        log = (self.agent.folder / "agent.log").read_text()
        self.assertNotIn(PHRASE, said + log)
        self.assertEqual(cpsctl(self.agent, "phrase", "forget").returncode, 0)
        self.assertFalse(self.file.exists())
        self.refused("not_found", cpsctl(self.agent, "phrase", "forget"))

    def test_without_one_the_dialog_says_so(self):
        self.assertIn("Aucune phrase", self.dialog().splitlines()[0])

    def test_a_file_that_others_may_write_is_not_shown_but_told_of(self):
        self.assertEqual(self.choose(PHRASE).returncode, 0)
        self.file.chmod(0o622)
        self.refused("phrase_refused", cpsctl(self.agent, "phrase"))
        shown = self.dialog()
        self.assertNotIn(PHRASE, shown)
        self.assertIn("illisible", shown.splitlines()[0])

    def test_what_is_too_short_or_comes_from_no_terminal_is_not_taken(self):
        self.refused("phrase_refused", self.choose("1234567"))
        self.refused("no_terminal", cpsctl(self.agent, "phrase", "choose", stdin=PHRASE + "\n"))
        self.assertFalse(self.chosen())


if __name__ == "__main__":
    import unittest

    unittest.main()
