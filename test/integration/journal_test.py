"""The agent's journal: what it tells, what it never holds, what happens when it cannot be written."""
import json
import pathlib
import re
import subprocess
import time

import rig
from agent_process import ORIGIN, Agent, challenge, cpsctl
from agent_with_card import WithCard

rig.isolate()

READ = {"htm": "GET", "htu": ORIGIN + "/api/patients/258010000000180", "rid": "A" * 43}
ENGLISH = {"LANG": "en_GB.UTF-8"}


class Journal(WithCard):
    def setUp(self):
        super().setUp()
        self.fresh_agent()
        self.agent.will_answer()

    def lines(self):
        path = self.agent.state / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def journal(self, *arguments):
        return cpsctl(self.agent, "journal", *arguments)

    def log_in(self):
        self.agent.will_answer("pin 1234")
        answer = self.agent.token()
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["token"]

    def test_each_token_has_its_line_when_it_is_answered(self):
        self.log_in()
        line = self.lines()[-1]
        self.assertEqual(
            (line["what"], line["origin"], line["features"], line["outcome"]), ("token", ORIGIN, ["login"], "done"))
        self.assertAlmostEqual(line["time"], time.time(), delta=20)

    def test_a_refusal_by_the_person_has_its_line(self):
        self.agent.will_answer("cancel")
        self.assertEqual(self.agent.token().code, "pin_cancelled")
        self.assertEqual(self.lines()[-1]["outcome"], "pin_cancelled")

    def test_it_never_holds_token_nonce_address_or_identifier(self):
        given = challenge("infopatient.read")
        self.agent.will_answer("pin 1234")
        answer = self.agent.token(given, **READ)
        self.assertEqual(answer.status, 200, answer.body)
        text = "".join(path.read_text(errors="replace") for path in self.agent.state.iterdir())
        text += (self.agent.folder / "agent.log").read_text()
        self.assertIn("infopatient.read", text)
        for secret in (given["nonce"], "/api/patients", "258010000000180", READ["rid"], "eyJ", "1234\"",
                       *answer.json["token"].split(".")):
            self.assertNotIn(secret, text)

    def session_post(self, path, **body):
        answer = self.agent.call("POST", "/v1/sessions" + path, body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_while_sessions_run_it_holds_neither_the_holder_nor_code_nor_token(self):
        given = challenge("infopatient.list", ttl=600), challenge("infopatient.list", ttl=600)
        self.agent.will_answer("pin 1234")
        opened = self.session_post("", challenge=given[0])
        read = self.session_post(f"/{opened['session']}/tokens", feat="infopatient.list", **READ)
        renewed = self.session_post(f"/{opened['session']}/renew", challenge=given[1])
        self.assertEqual(type(self).agent.stop(), 0)  # the sums are written, and the session's end
        text = "".join(path.read_text(errors="replace") for path in self.agent.state.iterdir())
        text += (self.agent.folder / "agent.log").read_text()
        for what in ("session", "session_end", "infopatient.list"):
            self.assertIn(what, text)
        tokens = [answer["token"] for answer in (opened, read, renewed)]
        secrets = [*self.holder(), '1234"', READ["rid"], "/api/patients", "258010000000180", opened["session"]]
        for secret in (*secrets, *(one["nonce"] for one in given), *(part for token in tokens for part in token.split("."))):
            self.assertNotIn(secret.lower(), text.lower())
        self.fresh_agent()

    def holder(self):
        """Names and number, as the card's certificate has them."""
        subject = subprocess.run(
            ["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "multiline,utf8,-esc_msb", "-in",
             self.card.directory / "auth.der"], capture_output=True, text=True, check=True).stdout
        found = [value.strip() for value in re.findall(r"(?:surname|givenName|commonName) += ([^+\n]+)", subject)]
        self.assertEqual(len(found), 3)
        return found

    def test_a_page_that_is_refused_again_and_again_writes_one_line(self):
        for _ in range(50):
            self.assertEqual(self.agent.call("GET", "/v1/hello", origin="https://evil.example").status, 403)
        refused = [line for line in self.lines() if line["what"] == "refused"]
        self.assertEqual([(line["origin"], line["outcome"], line["count"]) for line in refused],
                         [("https://evil.example", "origin_refused", 1)])
        self.assertEqual(type(self).agent.stop(), 0)  # at its end the agent writes the sum
        self.assertEqual(sum(line["count"] for line in self.lines() if line["what"] == "refused"), 50)
        self.fresh_agent()

    def test_cpsctl_shows_it_newest_last_in_the_persons_language(self):
        self.log_in()
        self.agent.will_answer("cancel")
        self.agent.token()
        shown = self.journal()
        self.assertEqual(shown.returncode, 0, shown.stderr)
        first, last = shown.stdout.splitlines()[-2:]
        self.assertIn(f"jeton demandé  {ORIGIN} login  fait", first)
        self.assertIn("pin_cancelled", last)
        self.agent.environment.update(ENGLISH)
        self.assertIn("token asked for", self.journal("-n", "1").stdout)
        self.assertEqual(len(self.journal("-n", "1").stdout.splitlines()), 1)
        found = json.loads(self.journal("--json").stdout)
        self.assertTrue(found["verified"])
        self.assertEqual(found["head"]["seq"], found["entries"][-1]["seq"])

    def test_the_status_page_is_told_the_last_events(self):
        self.log_in()
        ticket = cpsctl(self.agent, "ui", "--print").stdout.strip().split("#")[1]
        own = {"Origin": None, "Sec-Fetch-Site": "same-origin", "CPS-Agent": "1"}
        key = self.agent.call("POST", "/page/open", headers={**own, "CPS-Ticket": ticket}).json["key"]
        told = self.agent.call("GET", "/page/state", headers={**own, "CPS-Page": key}).json["journal"]
        self.assertEqual((told[0]["what"], told[0]["origin"], told[0]["outcome"]), ("jeton demandé", ORIGIN, "done"))

    def test_verification_names_the_changed_line_and_exits_with_1(self):
        self.log_in()
        self.agent.will_answer("cancel")
        self.agent.token()
        self.assertEqual(self.journal("--verify").returncode, 0)
        path = self.agent.state / "journal.jsonl"
        path.write_text(path.read_text().replace('"features":["login"]', '"features":["other"]', 1))
        judged = self.journal("--verify")
        self.assertEqual(judged.returncode, 1)
        self.assertEqual(judged.stderr.split()[0], "journal_broken")
        self.assertIn("journal.jsonl:2:", judged.stderr)

    def test_a_cut_tail_is_found(self):
        self.log_in()
        path = self.agent.state / "journal.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-1]))
        judged = self.journal("--verify")
        self.assertEqual((judged.returncode, judged.stderr.split()[0]), (1, "journal_broken"))

    def test_a_line_that_a_crash_tore_is_mended_and_told(self):
        self.log_in()
        self.agent.process.kill()
        self.agent.process.wait()
        folder = self.agent.folder
        (folder / "cps-agent/port").unlink()
        with open(self.agent.state / "journal.jsonl", "a") as file:
            file.write('{"seq":2,"pre')
        type(self).agent = Agent(folder)
        self.wait_for_status("present")
        self.log_in()
        self.assertEqual([line["what"] for line in self.lines()], ["token", "repaired", "token"])
        self.assertEqual(self.journal("--verify").returncode, 0)
        self.assertIn("torn", (folder / "agent.log").read_text())

    def test_on_a_full_disk_nobody_is_asked_and_no_token_leaves(self):
        folder = self.machine.directory / f"full-{time.monotonic_ns()}"
        (folder / "state").mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder / "state"], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder / "state")], check=False)
        type(self).agent.stop()
        type(self).agent = Agent(folder)
        self.wait_for_status("present")
        ballast = pathlib.Path(folder, "state/ballast")
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.agent.token().code, "internal")
        self.assertEqual((self.agent.dialogs(), self.pin_attempts()), ([], []))
        ballast.unlink()
        self.log_in()
        self.assertEqual(self.journal("--verify").returncode, 0)
        self.fresh_agent()


if __name__ == "__main__":
    import unittest
    unittest.main()
