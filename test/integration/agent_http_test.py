"""Who is let in by the agent, and what a client may cost: the table of docs/http-api.md, from outside."""
import pathlib
import shutil
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
        import socket

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
        import socket

        held = [socket.create_connection(("127.0.0.1", self.agent.port)) for _ in range(200)]
        self.assertEqual(self.agent.call("GET", "/v1/hello").status, 200)
        for connection in held:
            connection.close()


if __name__ == "__main__":
    unittest.main()
