"""What a page of a real Chromium can try against the agent: CSRF, a frame, DNS rebinding, an origin of null."""
import http.server
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import agent_process  # noqa: E402
import browser  # noqa: E402
import rig  # noqa: E402

browser.needed()
rig.isolate()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/sandboxed":
            self.send_header("Content-Security-Policy", "sandbox allow-scripts")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>x</title><body>")

    def log_message(self, *_):
        pass


class HostilePage(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-hostile-"))
        self.addCleanup(shutil.rmtree, self.folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Page)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        # One registered page, at the address of the very server that evil.example has, too.
        self.agent = agent_process.Agent(
            self.folder, settings="allow_http_loopback = true\n",
            portals={"demo.toml": 'origin = "http://127.0.0.1:8000"\nname = { fr = "Portail" }\n'})
        self.addCleanup(self.agent.stop)

    def tried(self, site, host="127.0.0.1"):
        """{try: (what the page saw, what the agent answered)}"""
        body = json.dumps({"challenge": agent_process.challenge(), "a": "="})
        task = {"site": site, "agent": f"http://{host}:{self.agent.port}", "body": body}
        said = browser.told("hostile.mjs", task, 200)
        return {name: (one["seen"], one["answers"]) for name, one in said.items()}

    def test_a_page_that_is_not_registered_gets_nothing_by_any_way(self):
        tried = self.tried("http://evil.example:8000")
        print("# " + json.dumps(tried))
        for name, (seen, answers) in tried.items():
            self.assertEqual([answer for answer in answers if not answer.endswith(" 403")], [], name)
            self.assertIn(seen, ("failed", "opaque", True, None), name)
        for name in ("fetch", "noCors", "form", "frame", "image", "script", "sandboxed"):
            self.assertNotEqual(tried[name][1], [], f"{name} did not reach the agent: it proves nothing")
        self.assertEqual(tried["fetchPost"][1], ["OPTIONS 403"])

    def test_a_registered_page_cannot_be_made_to_ask_by_a_form_or_without_a_preflight(self):
        tried = self.tried("http://127.0.0.1:8000")
        print("# " + json.dumps(tried))
        self.assertEqual(tried["fetch"], (200, ["GET 200"]))  # so the page is let in
        self.assertEqual(tried["fetchPost"][1][0], "OPTIONS 204")
        self.assertEqual(tried["fetchPost"][1][1], "POST 400")  # past every check: its body has a member too many
        self.assertEqual(tried["fetchText"], (415, ["POST 415"]))
        for name in ("noCors", "form", "frame", "image", "script", "sandboxed"):
            self.assertEqual({answer[-4:] for answer in tried[name][1]}, {" 403"}, name)
        self.assertLessEqual({answer[-4:] for answer in tried["beacon"][1]}, {" 403", " 415"})

    def test_a_name_that_was_rebound_to_the_agent_reaches_nothing(self):
        # The page's own origin is now the agent's address: nothing is cross-origin for the browser.
        tried = self.tried(f"http://evil.example:{self.agent.port}", host="evil.example")
        print("# " + json.dumps(tried))
        for name, (_, answers) in tried.items():
            self.assertEqual([answer for answer in answers if not answer.endswith(" 421")], [], name)
        self.assertEqual(tried["fetch"][0], 421)


if __name__ == "__main__":
    unittest.main()
