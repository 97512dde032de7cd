"""A portal's page in a real Chromium hears of the card and of its session's end, through cps.js."""
import http.server
import json
import pathlib
import queue
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import browser  # noqa: E402
import rig  # noqa: E402
from agent_process import ROOT, Agent, challenge  # noqa: E402
from event_stream import EventStream  # noqa: E402

browser.needed()
rig.isolate()

PAGE = "http://127.0.0.1:8000"
PORTAL = f"""\
origin = "{PAGE}"
name = {{ fr = "Portail" }}
[[feature]]
id = "a.read"
label = {{ fr = "Lire" }}
mode = "session"
limit = 20
"""
PATIENCE = 60  # seconds
OF_ORIGIN = 4  # src/agent/event_streams.hpp


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        script = self.path == "/cps.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write((ROOT / "src/web/cps.js").read_bytes() if script else b"<!doctype html><title>x</title>")

    def log_message(self, *_):
        pass


class Browser:
    """A Chromium whose page follows the agent."""

    def __init__(self, port):
        self.node = subprocess.Popen(
            browser.driver("events.mjs", {"page": PAGE + "/", "port": port}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.heard = queue.Queue()
        self.reading = threading.Thread(target=lambda: [self.heard.put(json.loads(line)) for line in self.node.stdout])
        self.reading.start()

    def next(self):
        return self.heard.get(timeout=PATIENCE)

    def stop_following(self):
        self.node.stdin.write("stop\n")
        self.node.stdin.flush()

    def close(self):
        self.node.stdin.close()
        self.node.wait(PATIENCE)
        self.reading.join()
        self.node.stdout.close()


class APage(unittest.TestCase):
    def setUp(self):
        self.machine = rig.Rig()
        self.addCleanup(self.machine.stop)
        self.machine.start_pcscd()
        self.card = self.machine.start_vcard("medecin-cps3")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Site)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for cleanup in (thread.join, server.server_close, server.shutdown):
            self.addCleanup(cleanup)
        self.start_agent("one")
        self.addCleanup(lambda: self.agent.stop())

    def start_agent(self, name):
        self.agent = Agent(self.machine.directory / name, portals={"one.toml": PORTAL},
                           settings="allow_http_loopback = true\n")

    def opened(self):
        self.agent.will_answer("pin 1234")
        given = challenge("a.read", ttl=600)
        answer = self.agent.call("POST", "/v1/sessions", {"challenge": given}, origin=PAGE)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["session"]

    def connected(self, page, card):
        self.assertEqual(page.next(), ["connection", True])
        heard = page.next()
        self.assertEqual((heard[0], heard[1]["card"]), ("card", card))

    def test_hears_the_card_and_its_sessions_end_also_of_an_agent_that_came_back(self):
        page = Browser(self.agent.port)
        self.addCleanup(page.close)
        self.connected(page, "present")
        session = self.opened()
        self.card.remove()
        self.assertEqual(page.next(), ["session", {"session": session, "end": "card_removed", "left": 20}])
        self.assertEqual(page.next()[1]["card"], "absent")
        self.card.insert()
        self.assertEqual(page.next()[1]["card"], "present")

        session = self.opened()
        self.agent.stop()
        self.assertEqual(page.next(), ["session", {"session": session, "end": "agent_stopped", "left": 20}])
        self.assertEqual(page.next(), ["connection", False])
        self.start_agent("two")
        while (heard := page.next()) == ["connection", False]:
            pass
        self.assertEqual(heard, ["connection", True])
        self.assertEqual(page.next()[0], "card")

        page.stop_following()
        rig.wait_until(lambda: self.room() == OF_ORIGIN, "the page to let its stream go")

    def room(self):
        """How many streams the page's origin may still open."""
        streams = []
        while (stream := EventStream(self.agent, PAGE)).status == 200:
            streams.append(stream)
        for one in streams:
            one.close()
        return len(streams)


if __name__ == "__main__":
    unittest.main()
