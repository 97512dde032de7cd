"""A real cps-agent-broker for tests: its sockets held as systemd holds them, and agents of several users."""
import array
import atexit
import functools
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from agent_process import BUILD, OWN

PORT = 27743
REGISTERED, TAKEN, FULL = 0, 1, 2  # include/cps/broker/protocol.hpp
BROKER = BUILD / "src/broker/cps-agent-broker"
BROKERS_USER = 41000  # as DynamicUser= would give it
UNPRIVILEGED = ("setpriv", f"--reuid={BROKERS_USER}", f"--regid={BROKERS_USER}", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")


@functools.cache
def program():
    """A copy of the broker where any user may run it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-broker-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder)
    return shutil.copy(BROKER, folder)


def loopback(family, port):
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    made.listen(128)
    return made


def waiting_room(path):
    """The Unix socket where agents of every user may register."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    os.chmod(path, 0o666)
    made.listen(128)
    return made


def start_with(sockets, arguments=(), listen_fds=None, stderr=None):
    """Starts the broker as its own user with these sockets as descriptors 3 and on (sd_listen_fds(3))."""
    copies = [os.dup(one.fileno()) for one in sockets]

    def hand_over():
        high = [os.dup(copy) for copy in copies]  # 3 and on may be among them
        high = [fd if fd > 32 else os.dup2(fd, 64 + fd) for fd in high]
        for number, fd in enumerate(high, 3):
            os.dup2(fd, number)

    try:
        return subprocess.Popen(
            ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *UNPRIVILEGED, program(), *arguments],
            env={"PATH": os.environ["PATH"], "LISTEN_FDS": str(len(sockets) if listen_fds is None else listen_fds)},
            stdin=subprocess.DEVNULL, stderr=stderr, preexec_fn=hand_over, pass_fds=range(3, 3 + len(sockets)))
    finally:
        for copy in copies:
            os.close(copy)


def greeting(agent):
    """What the broker says to an agent: version, verdict, port."""
    octets = agent.recv(4)
    return struct.unpack("=BBH", octets) if octets else None


def passed(agent, timeout=0.5):
    """The connection that the broker passes next; None where none comes in time."""
    agent.settimeout(timeout)
    try:
        octet, control, _, _ = agent.recvmsg(1, socket.CMSG_SPACE(4))
    except TimeoutError:
        return None
    if not octet:
        return None
    (_, _, data), = control
    return socket.socket(fileno=array.array("i", data)[0])


def closed(connection):
    """Whether the other side closes without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    finally:
        connection.close()


class Broker:
    """The sockets stay when the program ends, as under systemd; `restart` ends and starts it."""

    def __init__(self, folder, port=PORT):
        self.port = port
        self.path = pathlib.Path(folder) / "agents.sock"
        self.sockets = [loopback(socket.AF_INET, port), waiting_room(self.path)]
        try:
            self.sockets.append(loopback(socket.AF_INET6, port))
        except OSError:
            pass
        self.log = open(pathlib.Path(folder) / "broker.log", "ab")
        self.process = None
        self.start()

    def has_ipv6(self):
        return len(self.sockets) == 3

    def start(self):
        self.process = start_with(self.sockets, stderr=self.log)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(10)

    def stop(self):
        if self.process.poll() is None:
            self.end()
        for one in self.sockets:
            one.close()
        self.path.unlink(missing_ok=True)
        self.log.close()
        return self.process.returncode

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Programs:
    """cps-agent and what it starts, where every user may run it and only root may change it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-broker-"))
        self.folder.chmod(0o755)
        for name in ("src/agent/cps-agent", "src/pkcs11_client/cps-agent-worker", "src/poster/cps-agent-poster",
                     "src/guard/cps-agent-guard", OWN):
            shutil.copy(BUILD / name, self.folder)

    def start_agent(self, user, broker, origin="https://amelipro.example", name="home", wait=True):
        """`broker`: what agent.toml says, None for nothing."""
        home = self.folder / f"{name}-{user}"
        (home / "portals.d").mkdir(parents=True, exist_ok=True)
        (home / "portals.d" / "portal.toml").write_text(f'origin = "{origin}"\nname = {{ fr = "Portail" }}\n')
        (home / "agent.toml").write_text(
            f'module = "{self.folder}/cps-pkcs11.so"\npinentry_program = "/bin/false"\n' +
            ("" if broker is None else f'broker = "{broker}"\n'))
        os.chown(home, user, user)
        return PersonsAgent(self.folder / "cps-agent", user, home, wait)

    def remove(self):
        shutil.rmtree(self.folder)


class PersonsAgent:
    def __init__(self, program, user, home, wait):
        self.user, self.home = user, home
        self.log = home / "agent.log"
        self.port_file = home / "cps-agent" / "port"
        self.port_file.unlink(missing_ok=True)
        (home / "cps-agent" / "control.sock").unlink(missing_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", program,
                 "--config", home / "agent.toml"],
                env=self.environment, stdin=subprocess.DEVNULL, stderr=log)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, deadline=20.0):
        end = time.monotonic() + deadline
        while not self.port_file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the agent did not start: " + self.log.read_text())
            time.sleep(0.02)

    @property
    def port(self):
        return int(self.port_file.read_text())

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)
        return self.process.wait(20)
