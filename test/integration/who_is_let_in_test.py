"""Who is let in: the attacks that the table of docs/http-api.md is there for, each row with what proves it.

`ROWS` names the tests of each row, here and elsewhere; the last test compares it with the page. That each of them
fails without its check is tried by test/support/break_checks.py.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import rig
from agent_process import ORIGIN, ROOT, Agent, Answer, challenge, cpsctl
from agent_with_card import WithCard
from broker_process import loopback
from other_user import ANNE, BERT, acting_as, call_as, local_connection_of

rig.isolate()

# The first words of each row, and its tests.
ROWS = {
    "the TCP peer belongs to the agent's own user": [
        "who_is_let_in: another_user_of_the_machine_is_refused_whatever_he_sends",
        "agent_http: is_refused_on_every_route_alike_and_no_dialog_opens",
        "broker_start: a_connection_of_another_user_is_refused_even_from_the_broker",
    ],
    "`Host` is": [
        "who_is_let_in: a_name_that_was_rebound_to_the_loopback_reaches_nothing",
        "agent_http: a_foreign_host_is_misdirected",
        "hostile_page: a_name_that_was_rebound_to_the_agent_reaches_nothing",
    ],
    "`Origin` present": [
        "who_is_let_in: a_page_without_an_origin_of_its_own_reaches_nothing",
        "who_is_let_in: http_is_for_loopback_pages_and_where_it_is_allowed",
        "agent_http: every_unlisted_origin_gets_the_same_opaque_refusal",
        "hostile_page: a_page_that_is_not_registered_gets_nothing_by_any_way",
    ],
    "`Sec-Fetch-Mode`": [
        "who_is_let_in: what_is_no_cors_fetch_reaches_nothing",
        "agent_http: a_navigation_or_a_no_cors_request_is_refused",
    ],
    "state-changing calls": [
        "who_is_let_in: a_form_cannot_post_to_any_route",
        "who_is_let_in: a_script_that_avoids_the_preflight_cannot_post_to_any_route",
        "agent_http: a_change_without_json_or_the_header_is_refused",
        "hostile_page: a_registered_page_cannot_be_made_to_ask_by_a_form_or_without_a_preflight",
    ],
    "head ≤ 8 KiB": [
        "agent_http: a_head_of_10_kib", "agent_http: a_body_of_70_kib",
        "agent_http: half_a_request_held_open", "agent_http: bare_connections_do_not_keep_a_page_out",
    ],
    "one dialog at a time": [
        "who_is_let_in: a_dialog_is_given_a_minute_at_most",
        "agent_card: one_dialog_at_a_time", "agent_card: giving_up_after_a_wrong_pin_costs_one_try_and_no_more",
    ],
}

EVIL = "https://evil.example"


def changing_routes():
    """`POST /v1/tokens` … of the page's table of routes that are built."""
    text = (ROOT / "docs/http-api.md").read_text()
    return [(method, path.replace("{id}", "A" * 22))
            for method, path in re.findall(r"^\| `(POST|DELETE) (/v1/[^` ]+)", text, re.MULTILINE)]


class Attacks(unittest.TestCase):
    """An agent without a card, whose person would agree to everything."""

    SETTINGS = ""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-agent-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.agent = Agent(self.folder, settings=self.SETTINGS)
        self.addCleanup(self.agent.stop)
        self.agent.will_answer(*["pin 1234"] * 10)

    def refused(self, code, method, path, headers, body=None, why=None, **more):
        answer = self.agent.call(method, path, body, headers, **more)
        self.assertEqual((answer.status, answer.code), code, (method, path, headers, why))
        self.assertEqual(self.agent.dialogs(), [])
        return answer


class FromAPage(Attacks):
    def test_a_name_that_was_rebound_to_the_loopback_reaches_nothing(self):
        # evil.example now has the address 127.0.0.1: to the browser, a page's own server. A GET of the same origin
        # carries neither Origin nor Sec-Fetch; a POST carries the page's Origin.
        for host in (f"evil.example:{self.agent.port}", "evil.example", f"127.0.0.1.evil.example:{self.agent.port}",
                     f"[::2]:{self.agent.port}", f"127.0.0.1:{self.agent.port + 1}"):
            for path in ("/v1/hello", "/v1/status", "/v1/events", "/", "/page/status.js", "/page/state", "/page/events", "/nothing"):
                bare = {"Host": host, "Origin": None, "Sec-Fetch-Mode": None}
                self.refused((421, "host_refused"), "GET", path, bare)
            for origin in (f"http://{host}", EVIL, ORIGIN):
                self.refused((421, "host_refused"), "POST", "/v1/tokens", {"Host": host, "Origin": origin},
                             {"challenge": challenge()})
        for own in ("127.0.0.1", "localhost", "[::1]"):
            answer = self.agent.call("GET", "/v1/hello", headers={"Host": f"{own}:{self.agent.port}"})
            self.assertEqual(answer.status, 200, own)

    def test_a_page_without_an_origin_of_its_own_reaches_nothing(self):
        # A sandboxed frame, a data: address, a page from a file: Origin is null. No Origin: no page of the web.
        for origin in ("null", None, "", "file://", EVIL, ORIGIN + "/", ORIGIN + ".evil.example"):
            for method, path in [("GET", "/v1/hello"), ("GET", "/v1/events"), ("OPTIONS", "/v1/tokens"), *changing_routes()]:
                body = {"challenge": challenge()} if method == "POST" else None
                answer = self.refused((403, "origin_refused"), method, path,
                                      {"Origin": origin, "Content-Type": "application/json", "CPS-Agent": "1"}, body)
                self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_what_is_no_cors_fetch_reaches_nothing(self):
        # An image, a frame, a form, a worker's script: the browser says so, whatever the Origin.
        for sent in ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
                     {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
                     {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
                     {"Sec-Fetch-Mode": "same-origin"}, {"Sec-Fetch-Mode": "websocket"},
                     {"Service-Worker": "script"}):
            self.refused((403, "origin_refused"), "GET", "/v1/hello", sent)
            self.refused((403, "origin_refused"), "GET", "/v1/events", sent)
            self.refused((403, "origin_refused"), "POST", "/v1/tokens", sent, {"challenge": challenge()})

    def test_a_form_cannot_post_to_any_route(self):
        # As of a registered portal with a hole in it, in a browser that sends no Sec-Fetch. The text/plain form's
        # name and value make JSON of its body.
        body = b'{"challenge":' + json.dumps(challenge()).encode() + b',"a":"="}'
        self.assertGreaterEqual(len(changing_routes()), 5)
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
            for method, path in changing_routes():
                if method == "POST":
                    self.refused((415, "media_type_refused"), method, path,
                                 {"Content-Type": kind, "Sec-Fetch-Mode": None}, body)
            self.refused((403, "origin_refused"), "POST", "/v1/tokens",
                         {"Content-Type": kind, "Sec-Fetch-Mode": "navigate"}, body)

    def test_a_script_that_avoids_the_preflight_cannot_post_to_any_route(self):
        # fetch(…, {mode: "no-cors"}) and sendBeacon: no header of the page's own, text/plain at most. And a browser
        # that let application/json pass without a preflight still sends no CPS-Agent.
        for method, path in changing_routes():
            body = {"challenge": challenge()} if method == "POST" else None
            self.refused((415, "media_type_refused"), method, path,
                         {"Content-Type": "text/plain;charset=UTF-8", "CPS-Agent": None}, body)
            self.refused((415, "media_type_refused"), method, path, {"Content-Type": None, "CPS-Agent": "1"}, body)
            self.refused((403, "origin_refused"), method, path,
                         {"Content-Type": "application/json", "CPS-Agent": None}, body)
            self.refused((403, "origin_refused"), method, path,
                         {"Content-Type": "application/json", "CPS-Agent": "0"}, body)

    def test_the_persons_page_is_no_other_pages_to_frame_load_or_call(self):
        own = f"http://127.0.0.1:{self.agent.port}"
        same = {"Sec-Fetch-Site": "same-origin", "CPS-Agent": "1", "Origin": None, "Sec-Fetch-Mode": None}
        ticket = cpsctl(self.agent, "ui", "--print").stdout.strip().split("#")[1]
        for path, sent in (
            ("/", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}), ("/", {"Sec-Fetch-Mode": "cors"}),
            ("/", {"Origin": EVIL, "Sec-Fetch-Mode": None}), ("/", {"Service-Worker": "script"}),
            ("/page/status.js", {"Sec-Fetch-Site": "cross-site"}), ("/page/status.js", {"Origin": EVIL}),
            ("/page/open", {**same, "Sec-Fetch-Site": "cross-site"}), ("/page/open", {**same, "Sec-Fetch-Site": None}),
            ("/page/open", {**same, "CPS-Agent": None}), ("/page/open", {**same, "Origin": EVIL}),
            ("/page/open", {**same, "Origin": ORIGIN}), ("/page/open", {**same, "Origin": "null"}),
        ):
            method = "POST" if path == "/page/open" else "GET"
            headers = {"Origin": None, "Sec-Fetch-Mode": None, "CPS-Ticket": ticket, **sent}
            self.refused((403, "origin_refused"), method, path, headers)
        opened = self.agent.call("POST", "/page/open", headers={**same, "Origin": own, "CPS-Ticket": ticket})
        self.assertEqual(opened.status, 200)  # none of the refused calls has used it up
        # The agent's own origin is no portal's.
        self.refused((403, "origin_refused"), "POST", "/v1/tokens", {"Origin": own}, {"challenge": challenge()})


class WhereLoopbackPagesMayAsk(Attacks):
    SETTINGS = "allow_http_loopback = true\n"

    def test_http_is_for_loopback_pages_and_where_it_is_allowed(self):
        self.agent.stop()
        portals = {"local.toml": 'origin = "http://127.0.0.1:8000"\nname = { fr = "Local" }\n'}
        for folder, settings, status in (("on", self.SETTINGS, 200), ("off", "", 403)):
            (self.folder / folder).mkdir()
            agent = Agent(self.folder / folder, portals=portals, settings=settings)
            self.addCleanup(agent.stop)
            self.assertEqual(agent.call("GET", "/v1/hello", origin="http://127.0.0.1:8000").status, status)
            for origin in ("http://amelipro.example", "http://127.0.0.1:8001", "http://10.0.0.1:8000"):
                self.assertEqual(agent.call("GET", "/v1/hello", origin=origin).code, "origin_refused")


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class FromAnotherUser(Attacks):
    def test_another_user_of_the_machine_is_refused_whatever_he_sends(self):
        for user in (ANNE, BERT, 1):
            for path in ("/v1/hello", "/v1/status", "/v1/events", "/v1/tokens", "/", "/page/state", "/nothing"):
                answer = call_as(user, self.agent.port, path)
                self.assertEqual((answer.status, answer.code), (403, "wrong_user"), path)
        self.assertEqual(call_as(0, self.agent.port).status, 200)

    def test_another_user_cannot_come_near_the_control_socket(self):
        control = self.agent.runtime / "control.sock"
        self.assertEqual((self.agent.runtime.stat().st_mode & 0o777, control.stat().st_mode & 0o777), (0o700, 0o600))
        for folder in (self.folder, self.agent.runtime.parent):
            folder.chmod(0o755)
        with self.assertRaises(PermissionError):
            local_connection_of(ANNE, control)
        self.agent.runtime.chmod(0o755)
        with self.assertRaises(PermissionError):
            local_connection_of(ANNE, control)
        # And with every file's mode out of the way, the kernel still says whose he is.
        control.chmod(0o666)
        for path in ("/control/status", "/control/tokens", "/control/tickets"):
            with local_connection_of(ANNE, control) as stranger:
                try:
                    stranger.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    self.assertEqual(stranger.recv(100), b"", path)
                except (ConnectionResetError, BrokenPipeError):
                    pass
        with local_connection_of(0, control) as own:
            client = http.client.HTTPConnection("localhost")
            client.sock = own
            client.request("GET", "/control/status")
            self.assertEqual(Answer(client.getresponse()).status, 200)

    def test_a_runtime_folder_that_another_user_made_is_not_used(self):
        self.agent.stop()
        self.folder.chmod(0o777)
        shutil.rmtree(self.agent.runtime)
        with acting_as(ANNE):
            self.agent.runtime.mkdir()
        with self.assertRaises(RuntimeError):
            self.addCleanup(Agent(self.folder).stop)
        self.assertIn("the runtime folder is not ours", (self.folder / "agent.log").read_text())


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class Squatters(unittest.TestCase):
    """Another user's program has the port before the agent: told in the log, the journal and by the doctor."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-agent-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def squat(self, port, family=socket.AF_INET):
        with acting_as(ANNE):
            made = loopback(family, port)
        self.addCleanup(made.close)

    def agent(self):
        agent = Agent(self.folder)
        self.addCleanup(agent.stop)
        return agent

    def told(self):
        log = (self.folder / "agent.log").read_text()
        journal = [json.loads(line) for line in (self.folder / "state/cps-agent/journal.jsonl").read_text().splitlines()]
        return ("error: port 27743 is held by another program" in log,
                [line["outcome"] for line in journal if line["what"] == "port_taken"])

    def test_a_squatted_port_is_told_loudly_everywhere(self):
        self.squat(27743)
        agent = self.agent()
        self.assertEqual(agent.port, 27744)
        self.assertEqual(self.told(), (True, ["27744"]))
        found = json.loads(cpsctl(agent, "doctor", "--json", "--config", self.folder / "agent.toml").stdout)["findings"]
        subject, = [one["subject"] for one in found if one["id"] == "port_taken"]
        self.assertIn(f"user {ANNE}", subject)
        self.assertEqual(agent.call("GET", "/v1/hello").status, 200)

    def test_half_a_port_is_none(self):
        try:
            self.squat(27743, socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 here")
        self.assertEqual(self.agent().port, 27744)
        self.assertEqual(self.told(), (True, ["27744"]))
        with acting_as(ANNE), socket.socket() as free:
            free.bind(("127.0.0.1", 27743))  # the agent keeps neither half

    def test_twenty_squatted_ports_end_the_agent_and_are_told(self):
        for port in range(27743, 27763):
            self.squat(port)
        with self.assertRaises(RuntimeError):
            self.agent()
        log = (self.folder / "agent.log").read_text()
        self.assertIn("no port is free on the loopback", log)
        self.assertEqual(self.told()[1], ["none"])

    def test_nobody_takes_a_port_that_the_agent_has(self):
        agent = self.agent()
        self.assertEqual(agent.port, 27743)
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"),
                                (socket.AF_INET6, "::")):
            for user in (ANNE, 0):
                with acting_as(user):
                    thief = socket.socket(family)
                with thief:
                    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                        thief.setsockopt(socket.SOL_SOCKET, option, 1)
                    with self.assertRaises(OSError, msg=(address, user)):
                        thief.bind((address, agent.port))
                        thief.listen()


class WithAPerson(WithCard):
    def test_a_dialog_is_given_a_minute_at_most(self):
        self.agent.will_answer("timeout")
        answer = self.agent.token()
        self.assertEqual((answer.status, answer.code), (408, "pin_timeout"))
        shown, = self.agent.dialogs()
        self.assertLessEqual(int(shown["timeout"]), 60)
        self.assertGreater(int(shown["timeout"]), 50)


class TheTable(unittest.TestCase):
    def test_every_row_has_its_tests(self):
        page = (ROOT / "docs/http-api.md").read_text()
        section = page.split("## Who is let in")[1].split("\n## ")[0]
        rows = [line[2:] for line in section.splitlines() if line.startswith("| ")][1:]
        self.assertGreaterEqual(len(rows), len(ROWS))
        for row in rows:
            self.assertEqual(len([words for words in ROWS if row.startswith(words)]), 1, row)
        for words, tests in ROWS.items():
            self.assertTrue(any(row.startswith(words) for row in rows), words)
            for name in tests:
                file, _, test = name.partition(": ")
                path, = (ROOT / "test").glob(f"*/{file}_test.py")
                self.assertIn(f"def test_{test}(self)", path.read_text())


if __name__ == "__main__":
    unittest.main()
