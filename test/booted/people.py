"""People of a booted machine: who log in through PAM, each with a manager of their own, and the programs as a package
would install them."""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import unittest

import rig
from agent_process import BUILD, ROOT, Agent

PROGRAMS = pathlib.Path("/opt/cps-agent")


def run(*command, check=True, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}: {done.stderr}")
    return done


def must_be_booted():
    if run("systemd-detect-virt", "--container", check=False).stdout.strip() != "systemd-nspawn":
        raise unittest.SkipTest("this is the machine itself: use test/booted/run")


def install(*portals):
    """What a package would: programs, units, configuration. `portals`: texts of IT's portals."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    for built in ("src/agent/cps-agent", "src/pkcs11_client/cps-agent-worker", "src/poster/cps-agent-poster",
                  "src/guard/cps-agent-guard", "src/broker/cps-agent-broker", "pkcs11/cps-pkcs11.so", "tools/cpsctl/cpsctl"):
        shutil.copy(BUILD / built, PROGRAMS)
    shutil.copy(ROOT / "test/support/pinentry", PROGRAMS)
    etc = pathlib.Path("/etc/cps-agent")
    shutil.rmtree(etc, ignore_errors=True)
    (etc / "portals.d").mkdir(parents=True)
    (etc / "agent.toml").write_text(f'module = "{PROGRAMS}/cps-pkcs11.so"\npinentry_program = "{PROGRAMS}/pinentry"\n'
                                    "allow_http_loopback = true\n")
    for number, text in enumerate(portals):
        (etc / f"portals.d/{number}.toml").write_text(text)
    # %h: the home of whose manager it is.
    install_unit(BUILD / "packaging/cps-agent.service", "user", f"ExecStart={PROGRAMS}/cps-agent",
                 "Environment=CPS_TEST_PINENTRY=%h")
    install_unit(BUILD / "src/broker/cps-agent-broker.service", "system", f"ExecStart={PROGRAMS}/cps-agent-broker")
    install_unit(ROOT / "packaging/systemd/cps-agent-broker.socket", "system")
    run("systemctl", "daemon-reload")


def install_unit(unit, manager, *start):
    """With the program where it is here, and more lines beside it."""
    folder = pathlib.Path("/etc/systemd") / manager
    folder.mkdir(parents=True, exist_ok=True)
    (folder / unit.name).write_text("".join(
        "".join(f"{more}\n" for more in start) if line.startswith("ExecStart=") else line
        for line in unit.read_text().splitlines(keepends=True)))


class ServedAgent(Agent):
    """One that a person's manager started."""

    def __init__(self, person):  # noqa: the base class starts one itself
        self.folder = person.home
        self.runtime = person.runtime / "cps-agent"
        self.state = person.home / ".local/state/cps-agent"
        self.port = int((self.runtime / "port").read_text())


class Person:
    """A new user of the machine, not logged in."""

    logins = 0

    def __init__(self, name):
        run("useradd", "--create-home", "--shell", "/bin/sh", name)
        entry = pwd.getpwnam(name)
        self.name, self.uid, self.gid, self.home = name, entry.pw_uid, entry.pw_gid, pathlib.Path(entry.pw_dir)
        self.runtime = pathlib.Path(f"/run/user/{self.uid}")
        self.unit = self.session = None

    def sessions(self):
        listed = run("loginctl", "list-sessions", "--no-legend").stdout.splitlines()
        return [line.split()[0] for line in listed if self.name in line.split()]

    def log_in(self):
        """Through PAM, as a login screen does."""
        rig.wait_until(lambda: not self.sessions(), "the last session to go", 30)
        Person.logins += 1
        self.unit = f"login-{Person.logins}"
        run("systemd-run", f"--unit={self.unit}", "--property=PAMName=login", f"--property=User={self.name}",
            "--setenv=XDG_SESSION_TYPE=x11", "--setenv=XDG_SESSION_CLASS=user", "sleep", "infinity")
        rig.wait_until(self.sessions, "the session")
        self.session, = self.sessions()
        rig.wait_until(lambda: self.systemctl("is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                       "the person's manager")

    def log_out(self):
        run("systemctl", "stop", self.unit, check=False)

    def run(self, *command, check=True):
        return run("setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups", *command, check=check,
                   env={"XDG_RUNTIME_DIR": str(self.runtime), "HOME": str(self.home), "PATH": os.environ["PATH"],
                        "LANG": "en_GB.UTF-8"})

    def systemctl(self, *words, check=True):
        done = self.run("systemctl", "--user", *words, check=False)
        if check and done.returncode != 0:
            log = run("journalctl", "--no-pager", "-n", "40", check=False).stdout
            raise AssertionError(f"{words}: {done.stderr}\n{log}")
        return done

    @contextlib.contextmanager
    def acting(self):
        """This process as that person: what it opens and writes is theirs."""
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def status(self):
        return json.loads(self.run(PROGRAMS / "cpsctl", "status", "--json").stdout)

    def findings(self):
        """What cpsctl doctor finds, by identifier."""
        done = self.run(PROGRAMS / "cpsctl", "doctor", "--json", check=False)
        return {one["id"]: one for one in json.loads(done.stdout)["findings"]}
