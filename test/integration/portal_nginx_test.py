"""The demonstration portal behind a real nginx: TLS of the test authority, the secure cookie, whole header lines."""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from portal_process import (  # noqa: E402
    BUILD, DOCTOR, NIR, OTHER_DOCTOR, PASSWORD, ROOT, Portal, accounts_file, make_hierarchy,
)

HOST = "portal.test"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(shutil.which("nginx") and shutil.which("curl"), "nginx and curl are not installed")
class BehindNginx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-nginx-"))
        pki = make_hierarchy(cls.folder / "pki")
        subprocess.run([BUILD / "tools/pki/cps-pki", "server", pki, "--host", HOST, "--out", cls.folder / "tls"],
                       check=True, timeout=60)
        cls.port = free_port()
        cls.origin = f"https://{HOST}:{cls.port}"
        accounts = accounts_file(cls.folder / "accounts.toml", claire=[DOCTOR])
        cls.portal = Portal(pki, accounts, "--origin", cls.origin)
        text = (ROOT / "tools/demo-portal/nginx.conf.in").read_text()
        for name, value in {
            "LISTEN": f"127.0.0.1:{cls.port}", "HOST": HOST, "CERTIFICATE": cls.folder / "tls/server.pem",
            "KEY": cls.folder / "tls/server.key", "PORTAL": f"127.0.0.1:{cls.portal.port}",
        }.items():
            text = text.replace(f"@{name}@", str(value))
        (cls.folder / "nginx.conf").write_text(text)
        with open(cls.folder / "nginx.log", "wb") as log:
            cls.nginx = subprocess.Popen(["nginx", "-p", cls.folder, "-c", cls.folder / "nginx.conf"], stderr=log)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", cls.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError((cls.folder / "nginx.log").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.nginx.terminate()
        cls.nginx.wait(20)
        assert cls.portal.stop() == 0
        shutil.rmtree(cls.folder)

    def curl(self, path, *arguments, authority="pki/tls-ca.pem"):
        """Status and body, through TLS checked against the test authority; cookies live in a jar."""
        jar = self.folder / "jar"
        ended = subprocess.run(
            ["curl", "--silent", "--show-error", "--cacert", self.folder / authority, "--max-time", "20",
             "--resolve", f"{HOST}:{self.port}:127.0.0.1", "--cookie", jar, "--cookie-jar", jar,
             "--dump-header", self.folder / "head", "--write-out", "\n%{http_code}", *arguments, self.origin + path],
            capture_output=True, text=True, timeout=30, check=False,
        )
        if ended.returncode:
            raise RuntimeError(ended.stderr)
        body, _, status = ended.stdout.rpartition("\n")
        return int(status), body

    def log_in(self):
        return self.curl("/api/login", "--header", f"Origin: {self.origin}", "--json",
                         json.dumps({"login": "claire", "password": PASSWORD}))

    def test_1_the_cookie_is_secure_and_of_this_host_alone(self):
        self.assertEqual(self.log_in()[0], 200)
        head = (self.folder / "head").read_text()
        self.assertIn("__Host-portal=", head)
        for attribute in ("; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"):
            self.assertIn(attribute, head)
        self.assertNotIn("Domain", head)
        self.assertIn("Strict-Transport-Security", head)

    def test_2_a_whole_look_up_passes_with_its_token_in_one_header_line(self):
        self.log_in()
        status, body = self.curl(f"/api/patients?nir={NIR}")
        self.assertEqual(status, 401)
        token = self.portal.card("medecin-cps3", DOCTOR).request_token(
            json.loads(body)["challenge"], self.origin, "/api/patients", f"nir={NIR}")
        self.assertGreater(len(token), 4000)
        status, body = self.curl(f"/api/patients?nir={NIR}", "--header", f"CPS-Token: {token}")
        self.assertEqual((status, json.loads(body)["surname"]), (200, "FICTIVE-ROSSIGNOL"))

    def test_3_somebody_elses_card_stays_outside_here_too(self):
        self.log_in()
        _, body = self.curl(f"/api/patients?nir={NIR}")
        token = self.portal.card("medecin2-cps3", OTHER_DOCTOR).request_token(
            json.loads(body)["challenge"], self.origin, "/api/patients", f"nir={NIR}")
        status, body = self.curl(f"/api/patients?nir={NIR}", "--header", f"CPS-Token: {token}")
        self.assertEqual((status, json.loads(body)["code"]), (403, "account_mismatch"))

    def test_4_a_client_that_trusts_the_cards_authority_alone_does_not_connect(self):
        with self.assertRaisesRegex(RuntimeError, "certificate"):
            self.curl("/", authority="pki/root.pem")


if __name__ == "__main__":
    unittest.main()
