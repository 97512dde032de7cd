"""From the click to the patient shown: the page in a real Chromium, the real agent, a virtual card in a real pcscd."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import agent_process  # noqa: E402
import browser  # noqa: E402
import rig  # noqa: E402
from portal_process import DOCTOR, NIR, OTHER_DOCTOR, PASSWORD, Portal, accounts_file  # noqa: E402

browser.needed()
rig.isolate()

SHOTS = rig.BUILD_ROOT / "artefacts"
MODULE = agent_process.MODULE
FEATURE = """
[[feature]]
id = "infopatient.read"
label = { fr = "Consulter les droits d'un patient", en = "Look up a patient's rights" }
mode = "card"
"""


class ThePage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SHOTS.mkdir(exist_ok=True)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-page-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.machine = rig.Rig()
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.start_pcscd()
        accounts = accounts_file(cls.folder / "accounts.toml", claire=[DOCTOR], paul=[OTHER_DOCTOR])
        cls.portal = Portal(rig.PKI, accounts)
        cls.addClassCleanup(cls.portal.stop)
        cls.card = cls.machine.start_vcard("medecin-cps3")

    def setUp(self):
        self.card.must_run()
        folder = self.folder / self.id().rpartition(".")[2]  # an agent each: a refusal has its cool-down
        name = '{ fr = "Portail de démonstration", en = "Demo portal" }'
        self.agent = agent_process.Agent(
            folder, module=MODULE, settings="allow_http_loopback = true\n",
            portals={"demo.toml": f'origin = "{self.portal.origin}"\nname = {name}\n{FEATURE}'},
        )
        self.addCleanup(self.agent.stop)
        self.agent.will_answer("pin " + rig.PIN)

    def open(self, name, login="claire", password=PASSWORD, **more):
        task = {"origin": self.portal.origin, "login": login, "password": password, "nir": NIR,
                "shots": str(SHOTS), "name": name, **more}
        return browser.told("page.mjs", task)

    def test_from_the_click_to_the_patient(self):
        told = self.open("patient")
        self.assertEqual(told["patient"], "JEANNE FICTIVE-ROSSIGNOL", told)
        self.assertIn("2 58 01 00 000 001 80", told["facts"])
        self.assertEqual(told["focus"], "patient")  # a screen reader goes on there
        dialogs = self.agent.dialogs()
        self.assertEqual(len(dialogs), 1, dialogs)
        self.assertIn(self.portal.origin, json.dumps(dialogs))
        self.assertIn("Consulter les droits d'un patient", json.dumps(dialogs, ensure_ascii=False))

    def test_keys_alone_are_enough_in_english_and_in_the_dark(self):
        told = self.open("keyboard", act="keyboard", locale="en-GB", scheme="dark")
        self.assertEqual(told["language"], "en")
        self.assertEqual(told["patient"], "JEANNE FICTIVE-ROSSIGNOL", told)
        self.assertIn("Long-term illness", told["facts"])

    def test_without_a_card_the_door_stays_closed(self):
        self.card.remove()
        self.addCleanup(self.card.insert)
        told = self.open("no-card")
        self.assertEqual((told["patient"], told["refusal"]), (None, "no_card"), told)
        self.assertEqual(told["focus"], "nir")  # ready for another try
        self.assertEqual(self.agent.dialogs(), [])

    def test_with_somebody_elses_card_the_door_stays_closed(self):
        told = self.open("other-card", login="paul")
        self.assertEqual((told["patient"], told["refusal"]), (None, "account_mismatch"), told)
        self.assertIn("n'est pas celle du titulaire", told["refusalText"])

    def test_who_says_no_in_the_dialog_sees_no_patient(self):
        self.agent.will_answer("cancel")
        told = self.open("declined")
        self.assertIsNone(told["patient"], told)
        self.assertIn(told["refusal"], ("pin_cancelled", "consent_refused"), told)

    def test_the_page_can_give_up_while_the_card_is_awaited(self):
        self.agent.will_answer("hang")
        told = self.open("given-up", act="cancel")
        self.assertEqual((told["patient"], told["refusal"]), (None, "cancelled"), told)
        self.agent.will_answer("pin " + rig.PIN)  # the agent has closed its dialog: nobody waits for it
        self.assertEqual(self.open("after-giving-up")["patient"], "JEANNE FICTIVE-ROSSIGNOL")

    def test_a_wrong_password_is_told_and_shows_nothing(self):
        told = self.open("password", password="guess")
        self.assertEqual(told["message"], "Identifiant ou mot de passe incorrect.")
        self.assertNotIn(f"GET {self.portal.origin}/api/patients", told["requests"])

    def test_the_page_breaks_no_rule_of_its_own_policy(self):
        told = self.open("policy", act="nothing")
        self.assertEqual([line for line in told["console"] if "Content Security Policy" in line], [])

    def test_without_an_agent_the_page_says_so(self):
        portal = Portal(rig.PKI, self.folder / "accounts.toml", "--agent-ports", "31000-31002")
        try:
            told = self.open("no-agent", origin=portal.origin)
        finally:
            portal.stop()
        self.assertEqual((told["patient"], told["refusal"]), (None, "agent_not_found"), told)
        self.assertIn("GET http://127.0.0.1:31002/v1/hello", told["requests"])


if __name__ == "__main__":
    unittest.main()
