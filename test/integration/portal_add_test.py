"""`cpsctl portal add` and `list`: a real TLS site, a real terminal, the demonstration portal."""
import json
import os
import pathlib
import pty
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from agent_process import OWN, Agent  # noqa: E402
from https_site import Site  # noqa: E402
from portal_process import BUILD, DOCTOR, ROOT, Portal, accounts_file, make_hierarchy  # noqa: E402

WHERE = "/.well-known/cps-portal.json"


class PortalAdd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-portal-add-"))
        cls.pki = make_hierarchy(cls.folder / "pki")
        subprocess.run([BUILD / "tools/pki/cps-pki", "server", cls.pki, "--host", "localhost", "--out",
                        cls.folder / "tls"], check=True, timeout=60)
        cls.site = Site(cls.folder / "tls/server.pem", cls.folder / "tls/server.key")
        cls.origin = f"https://localhost:{cls.site.port}"

    @classmethod
    def tearDownClass(cls):
        cls.site.stop()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.site.answers, self.site.asked = {}, []
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=self.folder))
        self.etc = self.home / "etc"
        (self.etc / "portals.d").mkdir(parents=True)
        self.configure("")
        self.file = self.home / "config/cps-agent/portals.d" / f"localhost-{self.site.port}.toml"

    def configure(self, settings):
        (self.etc / "agent.toml").write_text(
            f'module = "{OWN}"\npinentry_program = "{ROOT}/test/support/pinentry"\n{settings}\n')

    def document(self, **changes):
        made = {"v": 1, "origin": self.origin, "name": {"fr": "Démo « une »", "en": 'The "one" \\ demo'}, "features": [
            {"id": "patient.read", "label": {"fr": "Lire les droits", "en": "Read rights"}, "mode": "session",
             "limit": 200},
            {"id": "patient.sign", "label": {"fr": "Signer"}, "mode": "card"}],
            "redirect_uris": [self.origin + "/return"], "revoke_uri": self.origin + "/revoke", "web_eid": True, **changes}
        return {name: value for name, value in made.items() if value is not None}

    def publish(self, document, status=200, **headers):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.site.answers[WHERE] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def run_tool(self, *arguments, answer=None, environment=None, ca=True):
        """`answer`: what a person types at a terminal; None: there is no terminal."""
        command = [BUILD / "tools/cpsctl/cpsctl", "portal", *arguments, "--config", self.etc / "agent.toml"]
        if ca and arguments[0] == "add":
            command += ["--ca", self.pki / "tls-ca.pem"]
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self.home / "config"),
                       "XDG_RUNTIME_DIR": str(self.home / "none"), "LANG": "fr_FR.UTF-8", **(environment or {})}
        for name in ("LC_ALL", "LC_MESSAGES"):
            environment.pop(name, None)
        if answer is None:
            return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
                                   text=True)
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # the terminal's last user went
        os.close(ours)
        _, told = process.communicate(timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, shown.decode(), told)

    def add(self, answer="o\n", **more):
        return self.run_tool("add", self.origin, answer=answer, **more)

    def refused(self, code, ended):
        self.assertEqual((ended.returncode, ended.stderr.split()[0]), (1, code), ended.stderr)
        self.assertFalse(self.file.exists())
        return ended.stderr

    def test_a_portal_is_shown_asked_about_and_registered_for_that_person(self):
        self.publish(self.document())
        ended = self.add()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for part in ("Démo « une »", self.origin, "Lire les droits", "jusqu'à 200 fois", "Signer",
                     "votre code à chaque fois", "Web eID", "[o/N]", "à son démarrage"):
            self.assertIn(part, ended.stdout)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        written = tomllib.loads(self.file.read_text())
        self.assertEqual(written["origin"], self.origin)
        self.assertEqual(written["name"], {"fr": "Démo « une »", "en": 'The "one" \\ demo'})
        self.assertEqual([(f["id"], f["mode"], f.get("limit")) for f in written["feature"]],
                         [("patient.read", "session", 200), ("patient.sign", "card", None)])
        self.assertTrue(written["web_eid"])
        # The agent reads the same.
        checked = subprocess.run([BUILD / "src/agent/cps-agent", "--config", self.etc / "agent.toml", "--check"],
                                 env={**os.environ, "XDG_CONFIG_HOME": str(self.home / "config")}, capture_output=True,
                                 text=True, timeout=60, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        listed = self.run_tool("list", "--json")
        one, = json.loads(listed.stdout)["portals"]
        self.assertEqual((one["origin"], one["registered_by"], one["web_eid"]), (self.origin, "person", True))
        self.assertEqual([f["limit"] for f in one["features"] if f["mode"] == "session"], [200])
        self.assertIn("enregistré par vous", self.run_tool("list").stdout)

    def test_only_a_yes_at_a_terminal_registers(self):
        self.publish(self.document())
        for answer in ("n\n", "\n", "yess\n", "o" * 40 + "\n", "\x04"):
            with self.subTest(answer=answer):
                self.refused("consent_refused", self.add(answer))
        self.refused("no_terminal", self.add(None))
        self.assertEqual(self.run_tool("add", self.origin, "--yes").returncode, 2)

    def test_a_portal_is_added_again_in_place_of_the_first(self):
        self.publish(self.document())
        self.assertEqual(self.add("y\n").returncode, 0)
        self.publish(self.document(name={"fr": "Autre"}))
        ended = self.add("oui\n")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("remplace", ended.stdout)
        self.assertEqual(tomllib.loads(self.file.read_text())["name"], {"fr": "Autre"})

    def test_what_it_has_decided_stands(self):
        self.publish(self.document())
        self.configure("personal_portals = false")
        self.refused("personal_portals_off", self.add())
        self.configure("")
        (self.etc / "portals.d/it.toml").write_text(f'origin = "{self.origin}"\nname = {{ fr = "IT" }}\n')
        self.refused("portal_registered", self.add())
        self.assertIn("service informatique", self.run_tool("list").stdout)
        (self.etc / "portals.d/it.toml").unlink()
        (self.file.parent).mkdir(parents=True)
        (self.file.parent / "mine.toml").write_text(f'origin = "{self.origin}"\nname = {{ fr = "Moi" }}\n')
        self.refused("portal_registered", self.add())
        self.assertEqual(self.site.asked, [])
        (self.etc / "agent.toml").write_text("module = 1\n")
        self.refused("bad_configuration", self.add())

    def test_a_document_of_another_origin_is_refused(self):
        for origin in ("https://localhost", "https://evil.example", f"https://127.0.0.1:{self.site.port}"):
            self.publish(self.document(origin=origin, redirect_uris=[], revoke_uri=None))
            self.assertIn("another origin", self.refused("portal_invalid", self.add()))

    def test_redirects_are_not_followed(self):
        self.site.answers["/elsewhere"] = (200, {}, json.dumps(self.document()).encode())
        for location in ("/elsewhere", self.origin + "/elsewhere", "https://evil.example/", "file:///etc/passwd"):
            self.publish(b"", 302, Location=location)
            self.assertIn("redirects", self.refused("portal_invalid", self.add()))
        self.assertEqual({path for path, _ in self.site.asked}, {WHERE})

    def test_too_large_wrong_type_and_missing_documents_are_refused(self):
        self.publish(json.dumps(self.document()).encode() + b" " * 65536)
        self.assertIn("64 KiB", self.refused("portal_invalid", self.add()))
        self.publish(self.document(), Content_Type="text/html")
        self.refused("portal_invalid", self.add())
        self.site.answers = {}
        self.assertIn("404", self.refused("portal_invalid", self.add()))

    def test_a_site_that_the_machine_does_not_trust_is_not_read(self):
        self.publish(self.document())
        self.refused("portal_unreachable", self.add(ca=False))
        self.refused("portal_unreachable", self.run_tool("add", f"https://127.0.0.1:{self.site.port}", answer="o\n"))
        self.refused("portal_unreachable", self.run_tool("add", "https://localhost:1", answer="o\n"))
        self.assertEqual(self.site.asked, [])

    def test_a_malformed_document_is_refused(self):
        feature = self.document()["features"][0]
        bad = {
            "not JSON": b"{", "two objects": b"{}{}", "a list": b"[]",
            "a member twice": json.dumps(self.document()).encode().replace(b'{"v": 1,', b'{"v": 1, "v": 1,'),
            "another version": self.document(v=2), "no version": self.document(v=None),
            "an unknown member": self.document(extra=1), "no name": self.document(name=None),
            "a name that is text": self.document(name="x"), "no French name": self.document(name={"en": "x"}),
            "a third language": self.document(name={"fr": "x", "de": "x"}),
            "a control character": self.document(name={"fr": "a\u0007b"}),
            "a new line": self.document(name={"fr": "a\nb"}),
            "a bidirectional override": self.document(name={"fr": "a\u202eb"}),
            "a zero-width space": self.document(name={"fr": "x", "en": "a\u200bb"}),
            "an escape sequence": self.document(name={"fr": "\u001b[2Jx"}),
            "a name too long": self.document(name={"fr": "x" * 121}),
            "no features": self.document(features=None), "features that are text": self.document(features="x"),
            "65 features": self.document(features=[{**feature, "id": f"f{i}"} for i in range(65)]),
            "a feature twice": self.document(features=[feature, feature]),
            "the feature login": self.document(features=[{**feature, "id": "login"}]),
            "an id in capitals": self.document(features=[{**feature, "id": "Read"}]),
            "another mode": self.document(features=[{**feature, "mode": "free"}]),
            "no limit": self.document(features=[{k: v for k, v in feature.items() if k != "limit"}]),
            "a limit of 0": self.document(features=[{**feature, "limit": 0}]),
            "a limit too high": self.document(features=[{**feature, "limit": 10001}]),
            "a limit as text": self.document(features=[{**feature, "limit": "1"}]),
            "a card feature with a limit": self.document(features=[{**feature, "mode": "card"}]),
            "a label with a control character": self.document(features=[{**feature, "label": {"fr": "a\u0000b"}}]),
            "a return elsewhere": self.document(redirect_uris=["https://evil.example/"]),
            "a return with a quote and a line": self.document(redirect_uris=[self.origin + '/"\nx']),
            "17 returns": self.document(redirect_uris=[self.origin + "/"] * 17),
            "a revocation elsewhere": self.document(revoke_uri=self.origin + ".evil.example/"),
            "web_eid as text": self.document(web_eid="true"),
        }
        for what, document in bad.items():
            with self.subTest(what):
                self.publish(document)
                self.refused("portal_invalid", self.add())

    def test_what_is_no_origin_is_wrong_usage(self):
        for url in ("localhost", "https://LOCALHOST", "http://hospital.example", self.origin + "/path", "file:///etc/passwd",
                    "https://user@localhost"):
            with self.subTest(url=url):
                self.assertEqual(self.run_tool("add", url).returncode, 2)
        self.assertEqual(self.run_tool("add", "http://127.0.0.1:1").stderr.split()[0], "origin_refused")

    def test_the_demonstration_portal_can_be_added_over_loopback_http(self):
        self.configure("allow_http_loopback = true")
        portal = Portal(self.pki, accounts_file(self.home / "accounts.toml", claire=[DOCTOR]))
        self.addCleanup(portal.stop)
        ended = self.run_tool("add", portal.origin + "/", answer="o\n", environment={"http_proxy": "http://127.0.0.1:1"})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("Consulter les droits d'un patient", ended.stdout)
        one, = json.loads(self.run_tool("list", "--json").stdout)["portals"]
        self.assertEqual(one["origin"], portal.origin)

    def test_a_running_agent_knows_it_at_once(self):
        self.publish(self.document())
        agent = Agent(self.home / "agent", portals={}, environment={"XDG_CONFIG_HOME": str(self.home / "config")})
        self.addCleanup(agent.stop)
        ended = self.add(environment={"XDG_RUNTIME_DIR": str(agent.folder)})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("le connaît maintenant", ended.stdout)
        self.assertEqual(agent.call("GET", "/v1/hello", origin=self.origin).status, 200)

    def test_an_agent_whose_own_configuration_is_bad_wants_a_restart(self):
        self.publish(self.document())
        agent = Agent(self.home / "agent", portals={}, environment={"XDG_CONFIG_HOME": str(self.home / "config")})
        self.addCleanup(agent.stop)
        (agent.folder / "agent.toml").write_text("module = 1\n")
        ended = self.add(environment={"XDG_RUNTIME_DIR": str(agent.folder)})
        self.assertIn("Redémarrez l'agent", ended.stdout)
        self.assertEqual(agent.call("GET", "/v1/hello", origin=self.origin).status, 403)


if __name__ == "__main__":
    unittest.main()
