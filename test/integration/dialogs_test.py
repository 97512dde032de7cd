"""The dialogs as a person sees them: the real pinentry programs on a screen and in a terminal, the real agent and card.

Pictures of what was seen are among the run's artefacts (build/artefacts/dialog-*.png, *.txt).
"""
import os
import threading
import time
import unittest

import display
import rig
import terminal
from agent_process import ORIGIN, Agent, challenge, cpsctl
from agent_with_card import WithCard

rig.isolate()
for place in display.PLACES:
    os.environ.pop(place, None)

PHRASE, OTHER_PHRASE = "le chat de Sète", "un vélo à Nîmes"
LONG_HOST = "session-de-consultation-securisee.votre-espace-professionnel-de-sante.exemple-departemental.example"


def portal_of(origin, name, labels, limit=200):
    """A portal's file: a session's features by the names feature.0, feature.1 ..."""
    return f'origin = "{origin}"\nname = {{ fr = "{name}" }}\n' + "".join(
        f'[[feature]]\nid = "feature.{number}"\nlabel = {{ fr = "{label}" }}\nmode = "session"\nlimit = {limit}\n'
        for number, label in enumerate(labels))


PORTALS = {
    "short.toml": portal_of(ORIGIN, "amelipro <b>&amp;", ["Consulter une liste"]),
    # Four features of one line are the most that a terminal of 24 rows shows.
    "four.toml": portal_of("https://four.example", "Un portail", [f"{n} Consulter les résultats d'analyses" for n in range(4)]),
    "long.toml": portal_of(f"https://{LONG_HOST}", "Réseau régional de santé " * 2 + "d_Été",
                           [f"{n} " + "Consulter les résultats d_analyses " * 2 + "du patient" for n in range(9)], 10000),
}
CONSENT, LAST_TRY, CHANGE = "votre accord", "dernier essai", "changer le code porteur"


class InBackground:
    """A call that waits for the person; `result` is what it came to."""

    def __init__(self, call, *arguments, **named):
        self._came = []
        self._thread = threading.Thread(target=lambda: self._came.append(call(*arguments, **named)), daemon=True)
        self._thread.start()

    def result(self):
        self._thread.join(60)
        return self._came[0]


class WithPhrase(WithCard):
    PROGRAM = NAME = ""

    @classmethod
    def start(cls, **places):
        """The agent, and how to have another one that remembers no refusal."""
        def fresh():
            folder = cls.machine.directory / f"agent-{time.monotonic_ns()}"
            cls.agent = Agent(folder, pinentry=cls.PROGRAM, environment=places,
                              portals=PORTALS)

        cls.fresh = fresh
        fresh()

    def fresh_agent(self):
        self.agent.stop()
        type(self).fresh()
        self.wait_for_status("present")

    def setUp(self):
        super().setUp()
        self.choose(PHRASE)

    def choose(self, phrase):
        file = self.agent.state / "phrase"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(phrase + "\n")
        file.chmod(0o600)

    def session(self, origin, *features):
        return self.agent.call("POST", "/v1/sessions", {"challenge": challenge(feat=[*features], ttl=600)}, origin=origin)


class OnScreen:
    """What holds for every graphical pinentry; each is a class below."""

    BUS = False

    @classmethod
    def setUpClass(cls):
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.screen = display.Display(cls.machine.directory)
        places = {"DISPLAY": cls.screen.name}
        cls.bus = display.SessionBus(cls.machine.directory, cls.screen) if cls.BUS else None
        if cls.bus:
            places["DBUS_SESSION_BUS_ADDRESS"] = cls.bus.address
        cls.start(**places)

    @classmethod
    def tearDownClass(cls):
        code = cls.agent.stop()
        if cls.bus:
            cls.bus.stop()
        cls.screen.stop()
        cls.machine.stop()
        assert code == 0, code

    def enter(self, code, title=CONSENT):
        window = self.screen.wait_for(title)
        self.screen.type(code)
        self.screen.press("Return")
        self.screen.wait_until_gone(title, window)

    def refuse(self, title=CONSENT):
        window = self.screen.wait_for(title)
        self.screen.press("Escape")
        self.screen.wait_until_gone(title, window)

    def test_the_code_typed_there_makes_a_token_and_the_phrase_is_seen_above(self):
        def seen(phrase, keep=False):
            self.choose(phrase)
            asked = InBackground(self.agent.token)
            window = self.screen.wait_for(CONSENT)
            if keep:
                self.screen.keep(f"dialog-{self.NAME}-login")
            top = self.screen.top(window)
            self.enter(rig.PIN)
            self.assertEqual(asked.result().status, 200)
            return top

        seen(PHRASE, keep=True)
        self.assertEqual(seen(PHRASE), seen(PHRASE))  # the consent is remembered: fewer words
        self.assertNotEqual(seen(PHRASE), seen(OTHER_PHRASE))

    def test_escape_refuses_and_nothing_is_signed(self):
        asked = InBackground(self.agent.token)
        self.refuse()
        self.assertEqual(asked.result().code, "pin_cancelled")
        self.assertEqual(self.pin_attempts(), [])
        self.fresh_agent()  # the origin has to wait now

    def test_the_longest_words_wrong_codes_and_the_last_try_are_seen_whole(self):
        asked = InBackground(self.session, f"https://{LONG_HOST}", *(f"feature.{n}" for n in range(9)))
        for what in ("longest", "wrong"):
            window = self.screen.wait_for(CONSENT)
            self.screen.keep(f"dialog-{self.NAME}-{what}")
            x, y, width, height = self.screen.geometry(window)
            self.assertTrue(x >= 0 and y >= 0 and x + width <= display.SIZE[0] and y + height <= display.SIZE[1],
                            (x, y, width, height))
            self.enter(rig.WRONG_PIN)
        self.screen.wait_for(LAST_TRY)
        self.screen.keep(f"dialog-{self.NAME}-last-try")
        self.refuse(LAST_TRY)
        self.assertEqual(asked.result().code, "consent_refused")
        self.assertEqual(len(self.pin_attempts()), 2)
        self.fresh_agent()

    def test_the_code_is_changed_in_three_dialogs(self):
        asked = InBackground(cpsctl, self.agent, "pin", "change")
        for number, code in enumerate((rig.PIN, "6284", "6284")):
            self.screen.wait_for(CHANGE)
            self.screen.keep(f"dialog-{self.NAME}-change-{number + 1}")
            self.enter(code, CHANGE)
        self.assertEqual(asked.result().returncode, 0)


class Gtk2(OnScreen, WithPhrase):
    PROGRAM, NAME = "/usr/bin/pinentry-gtk-2", "gtk2"


class Qt(OnScreen, WithPhrase):
    PROGRAM, NAME = "/usr/bin/pinentry-qt", "qt"


class Gnome3(OnScreen, WithPhrase):
    """Its window is the desktop's: gcr's prompter, found on the session bus."""

    PROGRAM, NAME, BUS = "/usr/bin/pinentry-gnome3", "gnome3", True



class Curses(WithPhrase):
    PROGRAM = "/usr/bin/pinentry-curses"

    @classmethod
    def setUpClass(cls):
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.terminal = terminal.Terminal()
        cls.start(GPG_TTY=cls.terminal.name, TERM=terminal.Terminal.TYPE, LC_CTYPE="C.UTF-8",
                  NCURSES_NO_UTF8_ACS="1")  # frames in Unicode

    def setUp(self):
        super().setUp()
        self.terminal.clear()

    def keep(self, name):
        display.SHOTS.mkdir(exist_ok=True)
        (display.SHOTS / f"dialog-curses-{name}.txt").write_text("\n".join(self.terminal.rows()) + "\n")

    def enter(self, code, *seen, keep):
        self.terminal.wait_for("<Accepter>" if "change" not in keep else "<Annuler>")
        self.keep(keep)
        for words in seen:
            self.assertIn(words, self.terminal.words())
        self.terminal.clear()
        self.terminal.type(code + "\r")

    def test_the_code_typed_in_a_terminal_makes_a_token_and_the_phrase_is_seen_above(self):
        asked = InBackground(self.agent.token)
        self.enter(rig.PIN, PHRASE, "amelipro <b>&amp; demande", "vous identifier", f"Site : {ORIGIN}",
                   "Carte : CLAIRE SPECIMEN-DURAND", "retenu 90 jours", keep="login")
        self.assertEqual(asked.result().status, 200)

    def test_a_session_of_four_features_fits_24_rows_also_after_a_wrong_code(self):
        asked = InBackground(self.session, "https://four.example", *(f"feature.{n}" for n in range(4)))
        whole = [PHRASE, *(f"• {n} Consulter les résultats" for n in range(4)), "200 consultations au plus", "identifiant national",
                 "Site : https://four.example", "Carte : CLAIRE SPECIMEN-DURAND", "retenu 90 jours", "toujours demandé."]
        self.enter(rig.WRONG_PIN, *whole, keep="session")
        self.enter(rig.PIN, *whole, "Code faux. Essais restants : 2.", keep="session-wrong")
        self.assertEqual(asked.result().status, 200)

    def test_the_button_refuses_and_nothing_is_signed(self):
        asked = InBackground(self.agent.token)
        self.terminal.wait_for("<Refuser>")
        self.terminal.type("\t\t\r")
        self.assertEqual(asked.result().code, "pin_cancelled")
        self.assertEqual(self.pin_attempts(), [])
        self.fresh_agent()

    def test_the_code_is_changed_in_three_dialogs(self):
        asked = InBackground(cpsctl, self.agent, "pin", "change")
        for number, (code, words) in enumerate(((rig.PIN, "Code actuel"), ("6284", "Choisissez"), ("6284", "une seconde fois"))):
            self.terminal.wait_for(words)
            self.enter(code, PHRASE, keep=f"change-{number + 1}")
        self.assertEqual(asked.result().returncode, 0)

    def test_a_terminal_that_is_too_small_is_told_and_nothing_is_signed(self):
        self.terminal.resize(10, 80)
        self.addCleanup(self.terminal.resize, 24, 80)
        self.assertEqual(self.agent.token().code, "internal")
        self.assertIn("too small", (self.agent.folder / "agent.log").read_text())
        self.assertEqual(self.pin_attempts(), [])


if __name__ == "__main__":
    unittest.main()
