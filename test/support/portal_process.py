"""A real cps-demo-portal with a hierarchy of its own, and a client that keeps cookies as a browser does."""
import http.client
import json
import os
import pathlib
import subprocess
import threading

from card_token import Card

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
PASSWORD = "correct horse battery staple"
NIR = "258010000000180"
DOCTOR, OTHER_DOCTOR, NURSE, OFFICE = "899700000013", "899700000021", "899700000039", "500000000029751/CPAT0001"


def make_hierarchy(folder, seed=7):
    subprocess.run([BUILD / "tools/pki/cps-pki", "new", folder, "--seed", str(seed)], check=True, timeout=60)
    return pathlib.Path(folder)


def hash_of(password):
    return subprocess.run(
        [BUILD / "tools/demo-portal/cps-demo-portal", "--hash-password"],
        input=password + "\n", capture_output=True, text=True, check=True, timeout=20,
    ).stdout.strip()


def accounts_file(path, **card_ids):
    """One account a keyword: its login and the identifiers of its cards; PASSWORD opens each."""
    hashed = hash_of(PASSWORD)
    path.write_text("".join(
        f'[[account]]\nlogin = "{login}"\nname = "{login}"\npassword = "{hashed}"\ncard_ids = {json.dumps(ids)}\n'
        for login, ids in card_ids.items()
    ))
    return path


class Portal:
    """Starts at once, waits until it listens; `stop` ends it by its process id."""

    def __init__(self, pki, accounts, *arguments):
        self.pki = pathlib.Path(pki)
        self.process = subprocess.Popen(
            [BUILD / "tools/demo-portal/cps-demo-portal", "--trust", self.pki / "trust.pem", "--accounts", accounts,
             *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        )
        self.log = []
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        lines = [self.process.stdout.readline().strip() for _ in range(2)]
        if "" in lines:
            self.stop()
            raise RuntimeError("the portal did not start: " + "".join(self.log))
        said = dict(line.split("=", 1) for line in lines)
        self.origin = said["PORTAL"]
        self.host, port = said["LISTENING"].rsplit(":", 1)
        self.port = int(port)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode

    def card(self, name, holder):
        return Card(self.pki / "cards" / name, holder)

    def client(self):
        return Client(self)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")


class Client:
    """One browser: its cookies. It calls the API directly, as whoever wants to get past the page would."""

    def __init__(self, portal):
        self.portal = portal
        self.cookies = {}

    def call(self, method, target, body=None, **headers):
        """`headers` with underscores for hyphens add to what a browser sends, or (None) take away."""
        sent = {"Host": self.portal.origin.split("//")[1], "Cookie": self._cookie_line()}
        if method == "POST":
            sent.update({"Origin": self.portal.origin, "Content-Type": "application/json"})
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection("127.0.0.1", self.portal.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            data = json.dumps(body).encode() if isinstance(body, dict) else body
            if data is not None:
                sent["Content-Length"] = str(len(data))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer

    def _cookie_line(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items()) or None

    def log_in(self, login, password=PASSWORD):
        return self.call("POST", "/api/login", {"login": login, "password": password})

    def look_up(self, nir=NIR, token=None):
        return self.call("GET", f"/api/patients?nir={nir}", **({"CPS_Token": token} if token else {}))

    def challenge(self):
        return self.look_up().json["challenge"]

    def proof(self, card, nir=NIR, challenge=None, **changes):
        """The token that this card would make for that look-up."""
        return card.request_token(
            challenge or self.challenge(), self.portal.origin, "/api/patients", f"nir={nir}", **changes
        )
