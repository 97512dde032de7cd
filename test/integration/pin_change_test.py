"""`cpsctl pin change` and `cpsctl pin unblock`: the codes of a card, typed in the agent's dialogs, offered to it once."""
import json
import os
import subprocess
import threading
import unittest

import canary
import rig
from agent_process import MODULE, OPENSC, OWN, challenge, cpsctl
from agent_with_card import WithCard

rig.isolate()

PIN, NEW, WRONG, PUK, WRONG_PUK = "7391", "6284", "8264", "93827465", "93827466"
SCRIPTS = ("answers", "dialogs.jsonl")  # what the test itself tells its pinentry


class PinCase(WithCard):
    CARD = os.environ.get("CPS_TEST_CARD", "medecin-cps3")

    def setUp(self):
        self.card = self.machine.start_vcard(self.CARD, pin=PIN, puk=PUK)
        self.addCleanup(self.take_card_away)
        self.wait_for_status("present")
        self.fresh_agent()

    def ask(self, what, *answers):
        self.agent.will_answer(*answers)
        return cpsctl(self.agent, "pin", what)

    def change(self, *answers):
        return self.ask("change", *answers)

    def must(self, ended):
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def refused(self, code, ended):
        self.assertEqual((ended.returncode, ended.stderr.split()[:1]), (1, [code]), ended.stderr)
        return ended.stderr

    def tries(self):
        told = self.card.status()
        return told["pin_tries"], told["puk_tries"]

    def codes_sent(self):
        """Commands that carried a code: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER with data."""
        return [line for line in self.card.apdus() if line.startswith(("> 00 2", "> 01 2"))
                and line.split()[2] in ("20", "24", "2C") and int((line.split() + ["0"] * 6)[5], 16) != 0]

    def login(self, pin):
        self.agent.will_answer(f"pin {pin}")
        return self.agent.token()

    def verified(self):
        """What a second client of PC/SC sees."""
        with self.machine.connect() as card:
            answer = card.transmit(bytes.fromhex("0020000100" if "cps3" in self.CARD else "01200001"))
        return answer[-2:] == b"\x90\x00"

    def block(self):
        for _ in range(3):
            self.refused("pin_blocked" if self.tries()[0] == 1 else "pin_wrong",
                         self.change(*["ok"] * (self.tries()[0] == 1), f"pin {WRONG}", f"pin {NEW}", f"pin {NEW}"))
        self.assertEqual(self.tries()[0], 0)

    def journal(self):
        told = cpsctl(self.agent, "journal", "--all", "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        return [(entry["what"], entry["outcome"]) for entry in json.loads(told.stdout)["entries"]]


class Change(PinCase):
    def test_the_code_is_changed_the_card_left_unverified_and_it_is_journalled(self):
        self.must(self.change(f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"))
        shown = self.agent.dialogs()
        self.assertEqual([dialog["prompt"] for dialog in shown], ["Code actuel :", "Nouveau code :", "Nouveau code :"])
        self.assertTrue(all("Carte : " in dialog["desc"] for dialog in shown))
        self.assertFalse(self.verified())
        self.assertEqual(self.login(NEW).status, 200)
        self.assertEqual(self.login(PIN).status, 403)  # pin_cancelled: wrong, then given up
        self.assertEqual(self.journal()[:2], [("pin_change", "done"), ("token", "done")])

    def test_a_wrong_old_code_costs_one_try_and_is_told(self):
        said = self.refused("pin_wrong", self.change(f"pin {WRONG}", f"pin {NEW}", f"pin {NEW}", f"pin {PIN}"))
        self.assertIn("Essais restants : 2", said)
        self.assertEqual(self.tries()[0], 2)
        self.assertEqual(len(self.agent.dialogs()), 3)  # it does not come back by itself
        self.assertFalse(self.verified())
        self.change("cancel")
        self.assertEqual(self.agent.dialogs()[0]["error"], "Un code faux a déjà été saisi. Essais restants : 2.")
        self.assertEqual(self.login(PIN).status, 200)
        self.assertEqual(self.journal()[:2], [("pin_change", "pin_wrong"), ("pin_change", "pin_cancelled")])

    def test_the_last_try_wants_an_explicit_word(self):
        for _ in range(2):
            self.refused("pin_wrong", self.change(f"pin {WRONG}", f"pin {NEW}", f"pin {NEW}"))
        sent = len(self.codes_sent())
        self.refused("consent_refused", self.change("cancel", f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"))
        self.assertIn("Il ne reste qu'un essai", self.agent.dialogs()[0]["desc"])
        self.assertEqual((len(self.codes_sent()), self.tries()[0]), (sent, 1))
        self.must(self.change("ok", f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"))
        self.assertEqual(self.tries()[0], 3)

    def test_two_new_codes_that_differ_never_reach_the_card(self):
        self.refused("pin_cancelled", self.change(f"pin {PIN}", f"pin {NEW}", f"pin {WRONG}", "cancel"))
        self.assertEqual(" ".join(self.agent.dialogs()[3]["error"].split()),
                         "Les deux nouveaux codes sont différents. Rien n'a été envoyé à la carte.")
        self.assertEqual((self.codes_sent(), self.tries()[0]), ([], 3))
        self.must(self.change(f"pin {PIN}", f"pin {NEW}", f"pin {WRONG}", f"pin {NEW}", f"pin {NEW}"))
        self.assertEqual(self.login(NEW).status, 200)

    def test_what_has_not_four_digits_is_asked_again_and_costs_no_try(self):
        self.must(self.change("pin 739", f"pin {PIN}", "pin 62841", f"pin {NEW}", f"pin {NEW}"))
        errors = [dialog.get("error", "") for dialog in self.agent.dialogs()]
        self.assertEqual([bool(error) for error in errors], [False, True, False, True, False])
        self.assertEqual(self.tries()[0], 3)

    def test_each_dialog_can_be_cancelled_or_left_to_time_out(self):
        right = [f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"]
        for answer, code in (("cancel", "pin_cancelled"), ("timeout", "pin_timeout")):
            for given in range(3):
                with self.subTest(answer=answer, given=given):
                    self.refused(code, self.change(*right[:given], answer))
                    self.assertEqual(len(self.agent.dialogs()), given + 1)
        self.assertEqual((self.codes_sent(), self.tries()[0]), ([], 3))

    def test_nothing_is_asked_while_a_dialog_is_open(self):
        self.agent.will_answer("after 3 cancel")
        asking = threading.Thread(target=self.agent.token)
        asking.start()
        self.agent.wait_for_dialog()
        self.refused("busy", cpsctl(self.agent, "pin", "change"))
        asking.join(30)
        self.assertEqual(len(self.agent.dialogs()), 1)

    def test_a_card_that_is_pulled_ends_it_in_a_dialog_and_at_work(self):
        self.agent.will_answer(f"pin {PIN}", "hang")
        ended = []
        asking = threading.Thread(target=lambda: ended.append(cpsctl(self.agent, "pin", "change")))
        asking.start()
        self.agent.wait_for_dialog(2)
        self.card.control("remove")
        asking.join(30)
        self.refused("card_removed", ended.pop())
        self.assertEqual(self.codes_sent(), [])
        self.card.insert()
        self.wait_for_status("present")

        self.agent.will_answer(f"pin {PIN}", f"pin {NEW}", f"after 1 pin {NEW}")
        asking = threading.Thread(target=lambda: ended.append(cpsctl(self.agent, "pin", "change")))
        asking.start()
        self.agent.wait_for_dialog(3)
        self.card.control("delay 200")  # not before: modules read the whole card first
        rig.wait_until(self.codes_sent, "a code on its way to the card", 60)
        self.card.control("remove")
        asking.join(60)
        self.refused("card_removed", ended.pop())
        for pin in (PIN, NEW):
            self.assertEqual(canary.in_memory(self.agent.process.pid, pin), [])
        self.assertIn(("pin_change", "card_removed"), self.journal())

    def test_sessions_end_and_their_kept_code_goes(self):
        self.agent.will_answer(f"pin {PIN}")
        opened = self.agent.call("POST", "/v1/sessions", {"challenge": challenge("infopatient.list", ttl=600)})
        self.assertEqual(opened.status, 200, opened.body)
        self.refused("pin_cancelled", self.change("cancel"))
        self.assertEqual(len(json.loads(cpsctl(self.agent, "sessions", "--json").stdout)["sessions"]), 1)
        self.must(self.change(f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"))
        self.assertEqual(json.loads(cpsctl(self.agent, "sessions", "--json").stdout)["sessions"], [])
        self.assertEqual(canary.in_memory(self.agent.process.pid, PIN), [])
        rig.wait_until(lambda: ("session_end", "pin_changed") in self.journal(), "its line in the journal", 5)

    def test_no_page_can_ask_for_it(self):
        for path in ("/control/pin/change", "/v1/pin/change"):
            self.assertEqual(self.agent.call("POST", path, {}).status, 404)
        self.assertEqual(self.agent.dialogs(), [])


@rig.where(MODULE == OWN, "only our own module unblocks")
class Unblock(PinCase):
    def unblock(self, *answers):
        return self.ask("unblock", *answers)

    def test_a_blocked_code_is_unblocked_by_the_puk(self):
        self.block()
        self.refused("pin_blocked", self.change())
        self.assertEqual(self.agent.dialogs(), [])  # no code is typed in vain
        self.must(self.unblock(f"pin {PUK}", f"pin {NEW}", f"pin {NEW}"))
        self.assertIn("code de déblocage (PUK)", " ".join(self.agent.dialogs()[0]["desc"].split()))
        self.assertEqual(self.tries()[0], 3)
        self.assertFalse(self.verified())
        self.assertEqual(self.login(NEW).status, 200)
        self.assertIn(("pin_unblock", "done"), self.journal())

    def test_a_wrong_puk_costs_one_of_its_tries_and_none_of_the_codes(self):
        before = self.tries()
        self.refused("puk_wrong", self.unblock(f"pin {WRONG_PUK}", f"pin {NEW}", f"pin {NEW}", f"pin {PUK}"))
        self.assertEqual(self.tries(), (before[0], before[1] - 1))
        self.assertEqual(len(self.agent.dialogs()), 3)
        self.assertEqual(self.journal()[0], ("pin_unblock", "puk_wrong"))
        self.assertEqual(self.login(PIN).status, 200)

    def test_the_last_try_of_the_puk_wants_an_explicit_word_and_then_it_is_blocked(self):
        while self.tries()[1] > 2:
            self.refused("puk_wrong", self.unblock(f"pin {WRONG_PUK}", f"pin {NEW}", f"pin {NEW}"))
        said = self.refused("puk_wrong", self.unblock(f"pin {WRONG_PUK}", f"pin {NEW}", f"pin {NEW}"))
        self.assertIn("Essais restants : 1", said)
        self.refused("consent_refused", self.unblock("no", f"pin {PUK}", f"pin {NEW}", f"pin {NEW}"))
        self.assertIn("bloquée définitivement", " ".join(self.agent.dialogs()[0]["desc"].split()))
        self.assertEqual(self.tries()[1], 1)
        self.refused("puk_blocked", self.unblock("ok", f"pin {WRONG_PUK}", f"pin {NEW}", f"pin {NEW}"))
        self.refused("puk_blocked", self.unblock())
        self.assertEqual(self.agent.dialogs(), [])

    def test_a_puk_that_has_not_eight_digits_and_new_codes_that_differ_never_reach_the_card(self):
        self.refused("pin_cancelled", self.unblock("pin 1234", f"pin {PUK}", f"pin {NEW}", f"pin {WRONG}", "cancel"))
        errors = [dialog.get("error", "") for dialog in self.agent.dialogs()]
        self.assertEqual([bool(error) for error in errors], [False, True, False, False, True])
        self.assertEqual(self.codes_sent(), [])


@rig.where(MODULE == OPENSC, "what OpenSC cannot do")
class UnblockWithOpenSC(PinCase):
    def test_it_is_refused_before_anything_is_typed(self):
        said = self.refused("pin_change_unsupported", self.ask("unblock", f"pin {PUK}", f"pin {NEW}", f"pin {NEW}"))
        self.assertIn("cps-pkcs11.so", said)
        self.assertEqual((self.agent.dialogs(), self.codes_sent()), ([], []))


@unittest.skipUnless(os.geteuid() == 0, "only root may read the memory of processes that forbid it")
class Canary(PinCase):
    def test_no_code_is_left_in_memory_in_a_log_or_in_the_journal(self):
        self.refused("pin_wrong", self.change(f"pin {WRONG}", f"pin {NEW}", f"pin {NEW}"))
        self.must(self.change(f"pin {PIN}", f"pin {NEW}", f"pin {NEW}"))
        codes = [PIN, NEW, WRONG]
        if MODULE == OWN:
            self.refused("puk_wrong", self.ask("unblock", f"pin {WRONG_PUK}", f"pin {PIN}", f"pin {PIN}"))
            self.must(self.ask("unblock", f"pin {PUK}", f"pin {PIN}", f"pin {PIN}"))
            codes += [PUK, WRONG_PUK]
        said = cpsctl(self.agent, "status").stdout + cpsctl(self.agent, "journal").stdout
        files = [path for folder in (self.agent.folder, self.machine.directory) for path in folder.rglob("*")
                 if path.is_file() and path.name not in SCRIPTS and path.suffix != ".so"]
        self.assertTrue({"agent.log", "journal.jsonl"} <= {path.name for path in files})
        self.assertEqual(canary.children(self.agent.process.pid), [])
        for code in codes:
            self.assertEqual(canary.in_memory(self.agent.process.pid, code), [])
            self.assertEqual([path for path in files if canary.in_file(path, code)], [])
            self.assertIsNone(canary.word(code).search(said.encode()))

    def test_while_the_next_dialog_is_open_it_is_in_locked_pages_alone(self):
        self.agent.will_answer(f"pin {PIN}", f"pin {NEW}", "hang")
        asking = threading.Thread(target=lambda: cpsctl(self.agent, "pin", "change"))
        asking.start()
        self.agent.wait_for_dialog(3)
        for code in (PIN, NEW):
            held = canary.in_memory(self.agent.process.pid, code)
            self.assertTrue(held, "the search sees the locked page, too")
            self.assertEqual([hit for hit in held if not canary.is_locked_page(hit[1])], [])
        self.card.control("remove")
        asking.join(30)


class HelpTest(unittest.TestCase):
    def test_help_says_where_the_codes_are_typed(self):
        tool = rig.BUILD_ROOT / "tools/cpsctl/cpsctl"
        told = subprocess.run([tool, "pin", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertIn("never here", told)
        wrong = subprocess.run([tool, "pin"], capture_output=True, check=False)
        self.assertEqual(wrong.returncode, 2)


if __name__ == "__main__":
    unittest.main()
