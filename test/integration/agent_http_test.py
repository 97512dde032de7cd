"""Who is let in by the agent, and what a client may cost: the table of docs/http-api.md, from outside."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from agent_process import ORIGIN, Agent, challenge
import rig

rig.isolate()


class WhoIsLetIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cps-agent-")
        cls.agent = Agent(cls.folder)

    @classmethod
    def tearDownClass(cls):
        assert cls.agent.stop() == 0
        shutil.rmtree(cls.folder)

    def head(self, *fields, method="GET", path="/v1/hello"):
        return (f"{method} {path} HTTP/1.1\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n").encode()

    def host(self):
        return f"Host: 127.0.0.1:{self.agent.port}"

    def test_a_registered_origin_is_greeted_with_the_versions(self):
        answer = self.agent.call("GET", "/v1/hello")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["agent"], "cps-agent")
        self.assertEqual((answer.json["api"], answer.json["profile"]), (1, 1))
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertEqual(answer.headers["Vary"], "Origin")
        self.assertNotIn("Access-Control-Allow-Credentials", answer.headers)

    def test_the_status_names_neither_reader_nor_holder(self):
        answer = self.agent.call("GET", "/v1/status")
        self.assertEqual(set(answer.json), {"readers", "cards", "card"})

    def test_a_foreign_host_is_misdirected(self):
        for host in ("evil.example", f"evil.example:{self.agent.port}", "127.0.0.1", "localhost:80"):
            answer = self.agent.call("GET", "/v1/hello", headers={"Host": host})
            self.assertEqual((answer.status, answer.code), (421, "host_refused"), host)

    def test_every_unlisted_origin_gets_the_same_opaque_refusal(self):
        bodies = set()
        for origin in (None, "null", "https://evil.example", "http://amelipro.example", "https://amelipro.example:444"):
            answer = self.agent.call("GET", "/v1/hello", origin=origin)
            self.assertEqual((answer.status, answer.code), (403, "origin_refused"), origin)
            self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
            bodies.add(answer.body)
        for path in ("/v1/tokens", "/nothing", "/v1/status?x=1"):
            bodies.add(self.agent.call("GET", path, origin="https://evil.example").body)
        self.assertEqual(len(bodies), 1)

    def test_two_hosts_or_two_origins_are_refused(self):
        twice = self.agent.raw(self.head(self.host(), self.host(), f"Origin: {ORIGIN}"), wait=2)
        self.assertRegex(twice, rb"^HTTP/1.1 4\d\d ")
        twice = self.agent.raw(self.head(self.host(), f"Origin: {ORIGIN}", "Origin: https://evil.example"), wait=2)
        self.assertTrue(twice.startswith(b"HTTP/1.1 403 "), twice[:80])

    def test_a_navigation_or_a_no_cors_request_is_refused(self):
        for mode in ("navigate", "no-cors", "websocket"):
            answer = self.agent.call("GET", "/v1/hello", headers={"Sec-Fetch-Mode": mode})
            self.assertEqual(answer.status, 403, mode)
        self.assertEqual(self.agent.call("GET", "/v1/hello", headers={"Service-Worker": "script"}).status, 403)

    def test_a_preflight_of_a_registered_origin_is_answered_and_no_other(self):
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,cps-agent"}
        answer = self.agent.call("OPTIONS", "/v1/tokens", headers=wanted)
        self.assertEqual(answer.status, 204)
        self.assertIn("POST", answer.headers["Access-Control-Allow-Methods"])
        self.assertIn("CPS-Agent", answer.headers["Access-Control-Allow-Headers"])
        self.assertEqual(self.agent.call("OPTIONS", "/v1/tokens", headers=wanted, origin="https://evil.example").status, 403)

    def test_a_change_without_json_or_the_header_is_refused(self):
        body = {"challenge": challenge()}
        for kind in ("text/plain", "application/x-www-form-urlencoded", None):
            answer = self.agent.call("POST", "/v1/tokens", body, headers={"Content-Type": kind})
            self.assertEqual((answer.status, answer.code), (415, "media_type_refused"), kind)
        self.assertEqual(self.agent.call("POST", "/v1/tokens", body, headers={"CPS-Agent": None}).status, 403)

    def test_other_paths_and_methods_are_told(self):
        self.assertEqual(self.agent.call("GET", "/v1/nothing").code, "not_found")
        answer = self.agent.call("DELETE", "/v1/tokens")
        self.assertEqual((answer.status, answer.code), (405, "method_refused"))
        self.assertEqual(answer.headers["Allow"], "POST, OPTIONS")

    def test_words_come_in_the_language_of_the_page(self):
        for language, word in (("fr-FR,fr;q=0.9", "adresse"), ("en-GB", "address")):
            answer = self.agent.call("GET", "/v1/nothing", headers={"Accept-Language": language})
            self.assertIn(word, answer.json["detail"])

    def test_malformed_calls_are_refused_before_any_dialog(self):
        self.agent.will_answer("pin 1234")
        good = challenge()
        for body, code in (
            (b"{", "bad_request"),
            (b"[]", "bad_request"),
            ({}, "challenge_invalid"),
            ({"challenge": good, "sign": "AAAA"}, "bad_request"),
            ({"challenge": {**good, "v": 2}}, "challenge_invalid"),
            ({"challenge": {**good, "aud": ORIGIN}}, "challenge_invalid"),
            ({"challenge": {**good, "nonce": good["nonce"][:-1]}}, "challenge_invalid"),
            ({"challenge": {**good, "feat": []}}, "challenge_invalid"),
            ({"challenge": {**good, "ts": "1"}}, "challenge_invalid"),
            ({"challenge": good, "htm": "GET"}, "bad_request"),
            ({"challenge": challenge("infopatient.read"), "htm": "GET", "rid": "A" * 43,
              "htu": "https://other.example/x"}, "bad_request"),
            ({"challenge": challenge("infopatient.write"), "htm": "GET", "rid": "A" * 43,
              "htu": ORIGIN + "/x"}, "feature_unknown"),
            ({"challenge": challenge("infopatient.read")}, "feature_unknown"),
            ({"challenge": challenge("login"), "htm": "GET", "rid": "A" * 43, "htu": ORIGIN + "/x"}, "feature_unknown"),
            (b'{"challenge":{"v":1,"v":1,"nonce":"%s","ts":1,"feat":["login"],"ttl":60}}' % good["nonce"].encode(),
             "bad_request"),
        ):
            answer = self.agent.call("POST", "/v1/tokens", body)
            self.assertEqual((answer.status, answer.code), (400, code), body)
        self.assertEqual(self.agent.dialogs(), [])


# Becomes the user that it is told, sends each request of its standard input on a connection of its own, and tells the
# answers as JSON. It changes itself: that user may not be allowed to execute this interpreter.
STRANGER = """
import json, os, socket, sys
user = int(sys.argv[1])
socket.getaddrinfo("127.0.0.1", 1)  # loads all that connections want while the interpreter's files can be read
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
answers = []
for host, port, octets in json.load(sys.stdin):
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(octets.encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    answers.append(received.decode())
json.dump(answers, sys.stdout)
"""


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class AnotherUser(unittest.TestCase):
    """What a page sends that the agent would answer, from a process of another user of the machine."""

    STRANGERS = (65534, 1)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cps-agent-")
        self.agent = Agent(self.folder)
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.agent.stop)

    def request(self, method, path, host="127.0.0.1", body="", origin=ORIGIN, name=None):
        change = "Content-Type: application/json\r\nCPS-Agent: 1\r\n" if method == "POST" else ""
        return (host, self.agent.port,
                f"{method} {path} HTTP/1.1\r\nHost: {name or f'127.0.0.1:{self.agent.port}'}\r\nOrigin: {origin}\r\n"
                f"Sec-Fetch-Mode: cors\r\n{change}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")

    def listens_on_ipv6(self):
        try:
            with socket.create_connection(("::1", self.agent.port), timeout=10):
                return True
        except OSError:
            return False

    def answers(self, user, requests):
        done = subprocess.run([sys.executable, "-I", "-c", STRANGER, str(user)],
                              input=json.dumps(requests), capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def test_is_refused_on_every_route_alike_and_no_dialog_opens(self):
        self.agent.will_answer("pin 1234")
        wanted = json.dumps({"challenge": challenge()})
        requests = [
            self.request("GET", "/v1/hello"), self.request("GET", "/v1/status"),
            self.request("POST", "/v1/tokens", body=wanted), self.request("OPTIONS", "/v1/tokens"),
            self.request("GET", "/v1/nothing"), self.request("DELETE", "/v1/tokens"),
            self.request("GET", "/v1/hello", origin="https://evil.example"),
            self.request("GET", "/v1/hello", name="evil.example"),
            self.request("POST", "/v1/tokens", body="{"),
        ]
        if self.listens_on_ipv6():
            requests.append(self.request("POST", "/v1/tokens", host="::1", body=wanted))
        bodies = set()
        for user in self.STRANGERS:
            for asked, answer in zip(requests, self.answers(user, requests), strict=True):
                head, body = answer.split("\r\n\r\n", 1)
                self.assertTrue(head.startswith("HTTP/1.1 403 "), (user, asked, head))
                self.assertNotIn("access-control-", head.lower())
                self.assertEqual(json.loads(body)["code"], "wrong_user", (user, asked))
                bodies.add(body)
        self.assertEqual(len(bodies), 1)
        self.assertEqual(self.agent.dialogs(), [])

    def test_does_not_keep_the_agents_own_user_out(self):
        self.answers(65534, [self.request("GET", "/v1/hello")] * 50)
        self.assertEqual(self.agent.call("GET", "/v1/hello").status, 200)
        own, = self.answers(os.geteuid(), [self.request("GET", "/v1/hello")])
        self.assertTrue(own.startswith("HTTP/1.1 200 "), own[:80])


class WhatAClientMayCost(unittest.TestCase):
    """Each kind of bad request a thousand times: the refusal of the table, and nothing grows."""

    TIMES = 1000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cps-agent-")
        self.agent = Agent(self.folder)
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.agent.stop)

    def grows_not(self, once):
        for _ in range(100):
            once()
        memory, threads = self.agent.resident_kib(), self.agent.threads()
        for _ in range(self.TIMES):
            once()
        print(f"# {self.id().split('.')[-1]}: {memory} -> {self.agent.resident_kib()} KiB resident")
        self.assertLessEqual(self.agent.resident_kib(), memory + 512)
        self.assertEqual(self.agent.threads(), threads)

    def expect(self, octets, status):
        answer = self.agent.raw(octets)
        self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:80])

    def request(self, *fields, body=b""):
        return ("POST /v1/tokens HTTP/1.1\r\n" + "".join(f"{f}\r\n" for f in fields) + "Connection: close\r\n\r\n").encode() + body

    def host(self):
        return f"Host: 127.0.0.1:{self.agent.port}"

    def test_a_foreign_host(self):
        self.grows_not(lambda: self.expect(self.request("Host: evil.example", f"Origin: {ORIGIN}"), 421))

    def test_no_origin(self):
        self.grows_not(lambda: self.expect(self.request(self.host()), 403))

    def test_a_null_origin(self):
        self.grows_not(lambda: self.expect(self.request(self.host(), "Origin: null"), 403))

    def test_an_unlisted_origin(self):
        self.grows_not(lambda: self.expect(self.request(self.host(), "Origin: https://evil.example"), 403))

    def test_a_head_of_10_kib(self):
        self.grows_not(lambda: self.expect(self.request(self.host(), "X: " + "a" * 10240), 431))

    def test_a_body_of_70_kib(self):
        body = b" " * 71680
        head = (self.host(), f"Origin: {ORIGIN}", f"Content-Length: {len(body)}")
        self.grows_not(lambda: self.expect(self.request(*head, body=body), 413))

    def test_half_a_request_held_open(self):
        half = f"POST /v1/tokens HTTP/1.1\r\n{self.host()}\r\n".encode()
        def hold(count):
            held = []
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", self.agent.port))
                connection.sendall(half)
                held.append(connection)
            answers = []
            for connection in held:
                connection.settimeout(15)
                try:
                    answers.append(connection.recv(4096)[:12])
                except ConnectionResetError:
                    answers.append(b"reset")
                connection.close()
            return answers

        hold(60)
        memory, threads = self.agent.resident_kib(), self.agent.threads()
        answers = hold(64)
        self.assertEqual(set(answers), {b"HTTP/1.1 408"})
        # Beyond 64, some are told so, and some are let go as silent before their first octet was read.
        for _ in range(9):
            answers += hold(104)
        self.assertLessEqual(set(answers), {b"HTTP/1.1 408", b"HTTP/1.1 503", b"reset", b""})
        self.assertIn(b"HTTP/1.1 503", answers)
        self.assertEqual(len(answers), 1000)
        print(f"# half a request: {memory} -> {self.agent.resident_kib()} KiB resident")
        self.assertLessEqual(self.agent.resident_kib(), memory + 512)
        self.assertEqual(self.agent.threads(), threads)
        self.assertEqual(self.agent.call("GET", "/v1/hello").status, 200)

    def test_bare_connections_do_not_keep_a_page_out(self):
        held = [socket.create_connection(("127.0.0.1", self.agent.port)) for _ in range(200)]
        self.assertEqual(self.agent.call("GET", "/v1/hello").status, 200)
        for connection in held:
            connection.close()


if __name__ == "__main__":
    unittest.main()
