"""The person's status page: who may open it, and what it shows in a real Chromium."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import browser  # noqa: E402
import rig  # noqa: E402
from agent_process import ORIGIN, Agent, challenge, cpsctl  # noqa: E402
from event_stream import EventStream  # noqa: E402

browser.needed()
rig.isolate()

SHOTS = rig.BUILD_ROOT / "artefacts"
CALL = {"CPS-Agent": "1", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}


class TheStatusPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SHOTS.mkdir(exist_ok=True)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-status-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.machine = rig.Rig()
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.start_pcscd()
        cls.card = cls.machine.start_vcard("medecin-cps3")
        cls.agent = Agent(cls.folder)
        cls.addClassCleanup(cls.agent.stop)

    def address(self, agent=None):
        done = cpsctl(agent or self.agent, "ui", "--print")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def ticket(self):
        return self.address().partition("#")[2]

    def call(self, method, path, headers, body=None):
        sent = {"Content-Type": None, "CPS-Agent": None, "Sec-Fetch-Mode": None, **headers}
        return self.agent.call(method, path, body, headers=sent, origin=None)

    def open_page(self):
        answer = self.call("POST", "/page/open", {**CALL, "CPS-Ticket": self.ticket()})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["key"]

    def opened(self, agent=None):
        agent = agent or self.agent
        agent.will_answer("pin 1234")
        given = challenge("infopatient.list", ttl=600)
        answer = agent.call("POST", "/v1/sessions", {"challenge": given})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["session"]

    def feature(self, session, agent=None):
        body = {"feat": "infopatient.list", "htm": "GET", "htu": ORIGIN + "/x", "rid": "A" * 43}
        answer = (agent or self.agent).call("POST", f"/v1/sessions/{session}/tokens", body)
        self.assertEqual(answer.status, 200, answer.body)

    def watch(self, name, *steps, agent=None, **more):
        """Shows the page; each step is (what it says once the page has shown the texts, what is done then)."""
        told = [{"texts": step[0], **(step[2] if len(step) > 2 else {})} for step in steps]
        task = {"url": self.address(agent), "shots": str(SHOTS), "name": f"status-{name}", "steps": told, **more}
        with subprocess.Popen(browser.driver("status.mjs", task), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as node:
            for texts, act, *_ in steps:
                if node.stdout.readline() != "step\n":
                    self.fail(f"the page did not show {texts}: {node.stderr.read()}")
                act()
            return json.loads(node.stdout.readline())

    def show(self, name, **more):
        task = {"url": self.address(), "shots": str(SHOTS), "name": f"status-{name}", **more}
        return browser.told("status.mjs", task)

    def test_a_navigation_gets_the_page_which_no_frame_shows(self):
        answer = self.call("GET", "/", NAVIGATION)
        self.assertEqual(answer.status, 200)
        self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Frame-Options"], "DENY")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(self.call("GET", "/", {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}).status, 403)
        self.assertEqual(self.call("GET", "/", {**NAVIGATION, "Host": "evil.example"}).status, 421)

    def test_its_files_are_no_other_pages(self):
        for name in ("status.js", "status.css", "words.js"):
            self.assertEqual(self.call("GET", f"/page/{name}", {"Sec-Fetch-Site": "same-origin"}).status, 200)
            self.assertEqual(self.call("GET", f"/page/{name}", {"Sec-Fetch-Site": "cross-site"}).status, 403)

    def test_a_ticket_opens_once_and_facts_want_the_pages_key(self):
        ticket = self.ticket()
        first = self.call("POST", "/page/open", {**CALL, "CPS-Ticket": ticket})
        self.assertEqual(first.status, 200)
        self.assertEqual(self.call("POST", "/page/open", {**CALL, "CPS-Ticket": ticket}).status, 403)
        key = first.json["key"]
        for headers, status in (
            ({**CALL, "CPS-Page": key}, 200),
            ({**CALL}, 403),
            ({**CALL, "CPS-Page": ticket}, 403),
            ({**CALL, "CPS-Page": key, "Sec-Fetch-Site": "cross-site"}, 403),
            ({**CALL, "CPS-Page": key, "Sec-Fetch-Site": None}, 403),
            ({**CALL, "CPS-Page": key, "Origin": ORIGIN}, 403),
            ({**CALL, "CPS-Page": key, "CPS-Agent": None}, 403),
        ):
            self.assertEqual(self.call("GET", "/page/state", headers).status, status, headers)

    def test_the_pages_origin_reaches_no_token(self):
        key = self.open_page()
        own = f"http://127.0.0.1:{self.agent.port}"
        for path in ("/v1/hello", "/v1/tokens"):
            answer = self.agent.call("GET", path, headers={"CPS-Page": key}, origin=own)
            self.assertEqual((answer.status, answer.code), (403, "origin_refused"))
        self.assertEqual(self.call("GET", "/page/nothing", {**CALL, "CPS-Page": key}).status, 404)

    def test_the_page_shows_reader_card_and_portals(self):
        told = self.show("fr")
        self.assertEqual(told["language"], "fr")
        self.assertIn("Une carte est dans le lecteur.", told["facts"])
        self.assertIn("https://amelipro.example", told["facts"])
        self.assertNotIn("#", told["address"])  # the used ticket stands nowhere
        self.assertEqual(told["console"], [])
        self.assertEqual(told["unnamed"], 0)

    def test_what_happens_is_shown_without_loading_or_asking_again(self):
        sessions = []

        def end_first():
            done = cpsctl(self.agent, "sessions", "end", sessions[0][:8])
            self.assertEqual(done.returncode, 0, done.stderr)

        told = self.watch(
            "live",
            (["Une carte est dans le lecteur.", "Aucune session n'est ouverte.", "CLAIRE", "présente"],
             lambda: sessions.append(self.opened()), {"shot": True}),
            (["Une session est ouverte.", "200", "fait"], lambda: sessions.append(self.opened())),
            (["2 sessions sont ouvertes."], lambda: self.feature(sessions[0]), {"focus": "#sessions tr:nth-child(2) button"}),
            (["2 sessions sont ouvertes.", "199"], end_first, {"shot": True}),
            (["Une session est ouverte.", "par vous"], self.card.remove),
            (["Aucune carte dans le lecteur.", "Aucune session n'est ouverte."], self.card.insert, {"shot": True}),
            (["Une carte est dans le lecteur.", "CLAIRE"], lambda: None),
        )
        self.assertEqual(told["console"], [])
        self.assertEqual(told["requests"].count("/"), 1)
        self.assertEqual(told["requests"].count("/page/events"), 1)
        self.assertEqual(told["whileIdle"], [])

    def test_an_agent_that_stops_leaves_nothing_shown(self):
        other = Agent(self.folder / "stopped")
        self.addCleanup(other.stop)
        told = self.watch("stopped", (["présente"], other.stop), (["L'agent ne répond plus."], lambda: None), agent=other)
        self.assertIsNone(told["facts"])

    def test_english_and_dark_with_everything_there_is(self):
        other = Agent(self.folder / "english", settings='language = "en"\n')
        self.addCleanup(other.stop)
        told = self.watch("en-dark", (["A card is in the reader.", "present"], lambda: self.opened(other)),
                          (["One session is open.", "Read a list"], lambda: None), agent=other, scheme="dark",
                          locale="en-GB")
        self.assertEqual(told["language"], "en")
        self.assertIn("Certificate valid until", told["facts"])
        self.assertEqual(told["unnamed"], 0)

    def test_the_pages_stream_wants_its_key_and_tells_no_facts(self):
        key = self.open_page()
        own = f"http://127.0.0.1:{self.agent.port}"
        sent = {**CALL, "CPS-Page": key, "Origin": None}
        for headers, status in ((sent, 200), ({**sent, "CPS-Page": None}, 403), ({**sent, "CPS-Page": "x"}, 403),
                                ({**sent, "Sec-Fetch-Site": "cross-site"}, 403), ({**sent, "CPS-Agent": None}, 403),
                                ({**sent, "Origin": ORIGIN}, 403), ({**sent, "Origin": own}, 200)):
            with EventStream(self.agent, path="/page/events", headers=headers) as stream:
                self.assertEqual(stream.status, status, headers)
        with EventStream(self.agent, path="/page/events", headers=sent) as stream:
            self.call("GET", "/page/state", {**CALL, "CPS-Page": key})
            self.opened()
            stream.wait_for("changed")
            self.assertEqual({json.dumps(event.data) for event in stream.events}, {"{}"})
            self.assertEqual(len(stream.events), 1)  # no other until the page has asked
            self.assertEqual(cpsctl(self.agent, "sessions", "end").returncode, 0)
            self.call("GET", "/page/state", {**CALL, "CPS-Page": key})
            self.opened()
            rig.wait_until(lambda: len(stream.events) == 2, "the next change")
        self.assertEqual(cpsctl(self.agent, "sessions", "end").returncode, 0)

    def test_a_second_look_wants_a_second_ticket(self):
        told = self.show("closed", again=True, scheme="dark")
        self.assertIsNone(told["facts"])
        self.assertIn("cpsctl ui", told["notice"])


if __name__ == "__main__":
    unittest.main()
