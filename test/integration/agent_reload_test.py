"""The configuration read anew while the agent runs: by SIGHUP and by the person's own tools."""
import http.client
import json
import signal
import socket
import threading
import time
import unittest

import rig
from agent_process import Agent, cpsctl
from agent_with_sessions import PORTAL, WithPortal

rig.isolate()


class Control(http.client.HTTPConnection):
    """The control socket, as cpsctl reaches it."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reload(WithPortal):
    def setUp(self):
        type(self).start_agent(self.SETTINGS)
        super().setUp()
        self.folder = self.agent.folder
        self.good = (self.folder / "agent.toml").read_text()

    def portal_file(self, name="one.toml"):
        return self.folder / "portals.d" / name

    def configure(self, more):
        (self.folder / "agent.toml").write_text(self.good + more)

    def control(self, method="POST"):
        connection = Control(self.agent.runtime / "control.sock")
        try:
            connection.request(method, "/control/reload", body=b"{}" if method == "POST" else None,
                               headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def reload(self):
        status, answer = self.control()
        self.assertEqual(status, 200, answer)
        return answer

    def log(self):
        return (self.folder / "agent.log").read_text()

    def hang_up(self):
        """SIGHUP; returns what it made the agent say."""
        before = len(self.log())
        self.agent.process.send_signal(signal.SIGHUP)
        rig.wait_until(lambda: "the configuration" in self.log()[before:], "the agent to read its files")
        return self.log()[before:]

    def knows(self, origin):
        return self.agent.call("GET", "/v1/hello", origin=origin).status == 200

    def test_a_new_portal_is_let_in_and_one_that_went_is_not(self):
        added = "https://added.example"
        self.assertFalse(self.knows(added))
        self.portal_file("added.toml").write_text(f'origin = "{added}"\nname = {{ fr = "Ajout" }}\n')
        answer = self.reload()
        self.assertEqual((answer["reloaded"], answer["portals"], answer["problems"], answer["restart"]),
                         (True, 3, [], []))
        self.assertTrue(self.knows(added))
        self.portal_file("added.toml").unlink()
        self.hang_up()
        self.assertFalse(self.knows(added))

    def test_sessions_of_a_portal_that_went_end(self):
        stays = self.opened(origin=self.other.origin)["session"]
        ends = self.opened()["session"]
        self.portal_file("one.toml").rename(self.folder / "one.toml")
        self.reload()
        self.revoked()
        self.assertEqual(self.feature(ends).code, "origin_refused")
        self.assertEqual(self.feature(stays, origin=self.other.origin).status, 200)
        (self.folder / "one.toml").rename(self.portal_file("one.toml"))
        self.reload()
        self.assert_ended(ends)

    def test_a_bad_portal_file_is_named_with_its_line_and_what_it_said_stays(self):
        session = self.opened()["session"]
        file = self.portal_file()
        file.write_text(file.read_text() + "colour = 1\n")
        line = file.read_text().count("\n")
        told = f"{file}:{line}: "
        answer = self.reload()
        self.assertTrue(answer["reloaded"])
        self.assertTrue(any(problem.startswith(told) for problem in answer["problems"]), answer)
        self.assertIn(told, self.hang_up())
        self.assertEqual(self.feature(session).status, 200)
        self.assertTrue(self.knows(self.portal.origin))
        file.write_text(PORTAL.format(origin=self.portal.origin))
        self.assertEqual(self.reload()["problems"], [])

    def test_a_bad_agent_toml_is_named_with_its_line_and_everything_stays(self):
        self.portal_file().unlink()
        self.configure('unknown_origins = "login\n')
        line = self.good.count("\n") + 1
        answer = self.reload()
        self.assertFalse(answer["reloaded"])
        self.assertTrue(answer["problems"][0].startswith(f"{self.folder}/agent.toml:{line}: "), answer)
        self.assertIn(f"agent.toml:{line}: ", self.hang_up())
        self.assertTrue(self.knows(self.portal.origin))
        status = json.loads(cpsctl(self.agent, "status", "--json").stdout)
        self.assertEqual(status["problems"], answer["problems"])

    def test_settings_that_want_a_restart_are_named_and_the_others_are_taken(self):
        stranger = "https://stranger.example"
        self.assertEqual(self.agent.token(origin=stranger).code, "origin_refused")
        self.configure('unknown_origins = "login"\nsession_idle = "5m"\nlanguage = "en"\nlog_level = "debug"\n')
        self.assertEqual(self.reload()["restart"], ["session_idle", "language"])
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token(origin=stranger).status, 200)

    def test_loopback_http_can_be_taken_away(self):
        self.opened()
        (self.folder / "agent.toml").write_text(self.good.replace("allow_http_loopback = true\n", ""))
        self.reload()
        self.assertFalse(self.knows(self.portal.origin))
        (self.folder / "agent.toml").write_text(self.good)
        self.reload()

    def test_a_dialog_that_is_open_meanwhile_goes_on_with_what_it_shows(self):
        self.agent.will_answer("after 2 pin 1234")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.open()))
        asking.start()
        self.agent.wait_for_dialog()
        file = self.portal_file()
        file.write_text(file.read_text().replace("Portail d'essai", "Autre nom"))
        for _ in range(16):
            self.reload()
        status, answer = self.control()  # so many times, and no more
        self.assertEqual((status, answer["code"]), (409, "busy"))
        asking.join(30)
        self.assertEqual(answers[0].status, 200, answers[0].body)
        self.assertEqual(self.feature(answers[0].json["session"]).status, 200)
        self.reload()

    def test_only_a_post_reads_anew(self):
        self.assertEqual(self.control("GET")[0], 405)


class LogLevels(WithPortal):
    def lines(self, environment=None, settings=""):
        folder = self.machine.directory / f"levels-{time.monotonic_ns()}"
        agent = Agent(folder, settings=settings, environment=environment)
        agent.call("GET", "/v1/hello", origin="https://stranger.example")
        self.assertEqual(agent.stop(), 0)
        return (folder / "agent.log").read_text().splitlines()

    def test_a_level_says_how_much_is_told(self):
        self.assertTrue(any("origin_refused" in line for line in self.lines(settings='log_level = "info"\n')))
        lines = self.lines()
        self.assertFalse(any("origin_refused" in line for line in lines))
        self.assertTrue(any("ready on" in line for line in lines))
        # The class's own agent has the port, which is an error to the next.
        told = self.lines(settings='log_level = "error"\n')
        self.assertEqual([line for line in told if not line.startswith("error: port 27743 is held")], [])

    def test_a_level_that_is_none_is_told_with_its_line(self):
        self.assertTrue(any("agent.toml:3: log_level" in line for line in self.lines(settings='log_level = "loud"\n')))

    def test_journald_gets_its_prefixes_and_a_file_gets_words(self):
        self.assertTrue(any(line.startswith("notice: ready on") for line in self.lines()))
        self.assertFalse(any(line.startswith("<") for line in self.lines()))


if __name__ == "__main__":
    unittest.main()
