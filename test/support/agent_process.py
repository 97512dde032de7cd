"""A real cps-agent for integration tests: its configuration, its scripted pinentry, and calls to it."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", ROOT / "build"))
OPENSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
OWN = str(BUILD / "pkcs11/cps-pkcs11.so")
MODULE = OPENSC if os.environ.get("CPS_TEST_MODULE") == "opensc" else OWN

ORIGIN = "https://amelipro.example"
PORTALS = {
    "amelipro.toml": """\
origin = "https://amelipro.example"
name = { fr = "amelipro", en = "amelipro" }
[[feature]]
id = "infopatient.read"
label = { fr = "Consulter les droits d'un patient", en = "Look up a patient's rights" }
mode = "card"
[[feature]]
id = "infopatient.list"
label = { fr = "Consulter une liste", en = "Read a list" }
mode = "session"
limit = 200
""",
    "other.toml": 'origin = "https://other.example"\nname = { fr = "Autre" }\n',
}


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def b64url_decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def challenge(feature="login", **changes):
    made = {"v": 1, "nonce": b64url(secrets.token_bytes(32)), "ts": int(time.time()), "feat": [feature], "ttl": 60}
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def claims_of(token):
    return json.loads(b64url_decode(token.split(".")[1]))


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


class Agent:
    """Starts at once, waits until it listens; `stop` ends it by its process id."""

    def __init__(self, folder, module=MODULE, portals=None, settings="", environment=None, program=None,
                 pinentry=ROOT / "test/support/pinentry"):
        self.folder = pathlib.Path(folder)
        self.runtime = self.folder / "cps-agent"
        self.state = self.folder / "state" / "cps-agent"
        (self.folder / "portals.d").mkdir(parents=True, exist_ok=True)
        for name, text in (PORTALS if portals is None else portals).items():
            (self.folder / "portals.d" / name).write_text(text)
        (self.folder / "agent.toml").write_text(
            f'module = "{module}"\npinentry_program = "{pinentry}"\n{settings}'
            + ("" if "broker" in settings else 'broker = "off"\n')  # this machine may have one
        )
        self.environment = {
            **os.environ,
            "CPS_TEST_PINENTRY": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "home"),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "LANG": "fr_FR.UTF-8",
            # No login manager but a test's own (login_manager.py).
            "DBUS_SYSTEM_BUS_ADDRESS": os.environ.get("CPS_TEST_SYSTEM_BUS", "unix:path=/nonexistent"),
            **(environment or {}),
        }
        for name in ("LC_ALL", "LC_MESSAGES"):
            self.environment.pop(name, None)
        self.log = open(self.folder / "agent.log", "ab")
        self.process = subprocess.Popen(
            [program or BUILD / "src/agent/cps-agent", "--config", self.folder / "agent.toml", "--runtime-dir", self.runtime],
            env=self.environment, stderr=self.log, stdin=subprocess.DEVNULL,
        )
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        for _ in range(200):
            if (self.runtime / "port").exists():
                return int((self.runtime / "port").read_text())
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the agent did not start: " + (self.folder / "agent.log").read_text())

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.log.close()
        return self.process.returncode

    # The person.

    def will_answer(self, *answers):
        """What the dialogs to come are answered with, in order; what was left over is dropped."""
        (self.folder / "answers").write_text("".join(f"{line}\n" for line in answers))
        (self.folder / "dialogs.jsonl").write_text("")

    def dialogs(self):
        path = self.folder / "dialogs.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_dialog(self, number=1, deadline=20.0):
        end = time.monotonic() + deadline
        while len(self.dialogs()) < number:
            if time.monotonic() > end:
                raise TimeoutError("no dialog came")
            time.sleep(0.02)

    # The page.

    def send(self, method, path, body=None, headers=None, origin=ORIGIN, timeout=150):
        """One request as a browser's page would send it; `headers` add to or (None) take away. Its connection:
        who closes it before the answer is a page that leaves."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Origin": origin, "Sec-Fetch-Mode": "cors"}
        if method == "POST":
            sent.update({"Content-Type": "application/json", "CPS-Agent": "1"})
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            if data is not None:
                sent["Content-Length"] = str(len(data))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
        except BaseException:
            connection.close()
            raise
        return connection

    def call(self, *request, **more):
        """`send`, and what came back."""
        with contextlib.closing(self.send(*request, **more)) as connection:
            return Answer(connection.getresponse())

    def token(self, given=None, origin=ORIGIN, **members):
        return self.call("POST", "/v1/tokens", {"challenge": given or challenge(), **members}, origin=origin)

    def raw(self, octets, wait=10.0):
        """Sends octets as they are; what came back until the agent closed or `wait` seconds passed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            try:
                connection.sendall(octets)
            except (BrokenPipeError, ConnectionResetError):
                pass
            received = b""
            try:
                while part := connection.recv(65536):
                    received += part
            except (TimeoutError, ConnectionResetError):
                pass
            return received

    # The process.

    def status_file(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return dict(line.split(":", 1) for line in lines)

    def resident_kib(self):
        return int(self.status_file()["VmRSS"].split()[0])

    def threads(self):
        return int(self.status_file()["Threads"])

    def major_faults(self):
        """Pages that had to be fetched from a disk: each is a wait, too, and the machine's doing."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[9])

    def voluntary_switches(self):
        return sum(self.switches_by_thread().values())

    def switches_by_thread(self):
        """The server's thread has the process's own number."""
        found = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    found[int(task.name)] = int(line.split()[1])
        return found


def cpsctl(agent, *arguments, stdin=None, timeout=150):
    return subprocess.run(
        [BUILD / "tools/cpsctl/cpsctl", *arguments], env=agent.environment, input=stdin, text=True,
        capture_output=True, timeout=timeout, check=False,
    )
