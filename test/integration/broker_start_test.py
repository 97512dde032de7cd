"""cps-agent-broker: what it is started with, and what an agent makes of a broker."""
import array
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

import rig
from agent_process import BUILD
from broker_process import (
    BROKER, BROKERS_USER, FULL, PORT, REGISTERED, Broker, Programs, closed, greeting, loopback, passed, start_with,
    waiting_room)
from other_user import ANNE, BERT, acting_as, connection_of, local_connection_of

rig.isolate()


class TheAgentsOwnChecks(unittest.TestCase):
    """An agent believes no broker: here one that the test plays."""

    def setUp(self):
        self.programs = Programs()
        self.addCleanup(self.programs.remove)
        place = self.programs.folder / "place"
        place.mkdir()
        place.chmod(0o777)
        self.path = place / "agents.sock"
        self.browsers = loopback(socket.AF_INET, PORT)
        self.addCleanup(self.browsers.close)

    def play_broker(self, user=0):
        with acting_as(user):
            listening = waiting_room(self.path)
        listening.settimeout(20)
        self.addCleanup(listening.close)
        agent = self.programs.start_agent(ANNE, self.path, wait=False)
        self.addCleanup(agent.end)
        return listening, agent

    def registered(self):
        listening, agent = self.play_broker()
        link, _ = listening.accept()
        self.addCleanup(link.close)
        link.settimeout(10)
        link.sendall(struct.pack("=BBH", 1, REGISTERED, PORT))
        agent.wait_until_ready()
        return listening, agent, link

    def hand(self, link, given):
        link.sendmsg([b"c"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [given.fileno()]))])
        self.assertEqual(link.recv(1), b"r")

    def ask(self, link, user):
        client = connection_of(user, PORT)
        self.addCleanup(client.close)
        accepted, _ = self.browsers.accept()
        self.hand(link, accepted)
        accepted.close()
        client.sendall(f"GET /v1/hello HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n"
                       "Origin: https://amelipro.example\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := client.recv(4096):
            answer += part
        return answer

    def test_a_connection_of_another_user_is_refused_even_from_the_broker(self):
        _, _, link = self.registered()
        self.assertTrue(self.ask(link, ANNE).startswith(b"HTTP/1.1 200 "))
        for stranger in (BERT, 0):
            refused = self.ask(link, stranger)
            self.assertTrue(refused.startswith(b"HTTP/1.1 403 "), refused[:80])
            self.assertIn(b"wrong_user", refused)

    def test_what_is_no_tcp_connection_is_dropped(self):
        _, agent, link = self.registered()
        ours, theirs = socket.socketpair()
        with ours, theirs, open(os.devnull, "rb") as file:
            self.hand(link, theirs)
            self.hand(link, file)
            theirs.close()
            ours.settimeout(10)
            self.assertTrue(closed(ours))
        link.sendall(b"c")  # nothing with it
        self.assertEqual(link.recv(1), b"r")
        self.assertTrue(self.ask(link, ANNE).startswith(b"HTTP/1.1 200 "))
        self.assertIsNone(agent.process.poll())

    def test_a_brokers_socket_of_another_user_is_not_spoken_to(self):
        _, agent = self.play_broker(BERT)
        self.assertEqual(agent.process.wait(20), 3)
        self.assertIn("another user's", agent.log.read_text())

    def test_a_broker_that_turns_it_down_ends_it_and_one_that_says_nonsense_too(self):
        for said in (struct.pack("=BBH", 1, FULL, PORT), struct.pack("=BBH", 9, REGISTERED, PORT),
                     struct.pack("=BBH", 1, REGISTERED, 0), struct.pack("=BBH", 1, 77, PORT), b"", b"abc"):
            listening, agent = self.play_broker()
            link, _ = listening.accept()
            link.sendall(said)
            link.close()
            self.assertEqual(agent.process.wait(20), 3, said)
            listening.close()
            self.path.unlink()

    def test_without_the_broker_that_it_is_told_of_it_binds_no_port(self):
        self.browsers.close()
        agent = self.programs.start_agent(ANNE, self.path, wait=False)
        self.assertEqual(agent.process.wait(20), 3)
        self.assertFalse(agent.port_file.exists())


class Starting(unittest.TestCase):
    """What systemd hands over is looked at before anything is accepted."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-broker-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.agents = waiting_room(self.folder / "agents.sock")
        self.addCleanup(self.agents.close)

    def refusal(self, sockets, **more):
        process = start_with(sockets, stderr=subprocess.PIPE, **more)
        try:
            _, said = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail("the broker started")
        self.assertEqual(process.returncode, 2, said)
        return said.decode()

    def test_it_wants_its_sockets_and_no_option(self):
        browsers = loopback(socket.AF_INET, PORT)
        self.addCleanup(browsers.close)
        self.assertIn("two or three", self.refusal([]))
        self.assertIn("two or three", self.refusal([self.agents]))
        self.assertIn("two or three", self.refusal([self.agents, browsers], listen_fds=0))
        self.assertIn("usage", self.refusal([self.agents, browsers], arguments=["--port", "1"]))
        bare = subprocess.run([BROKER], capture_output=True, timeout=10, check=False)
        self.assertEqual(bare.returncode, 2)
        self.assertIn(b"systemd does that", bare.stderr)

    def test_a_socket_that_other_machines_could_reach_is_refused(self):
        for address in ("0.0.0.0", "127.0.0.2"):
            with socket.create_server((address, PORT)) as wide:
                self.assertIn("other machines", self.refusal([self.agents, wide]))

    def test_sockets_of_other_kinds_are_refused(self):
        one, two = loopback(socket.AF_INET, PORT), loopback(socket.AF_INET, PORT + 1)
        self.addCleanup(one.close)
        self.addCleanup(two.close)
        second = waiting_room(self.folder / "second.sock")
        self.addCleanup(second.close)
        self.assertIn("two ports", self.refusal([self.agents, one, two]))
        self.assertIn("two sockets for agents", self.refusal([self.agents, second, one]))
        self.assertIn("missing", self.refusal([one, one]))
        with socket.socket() as deaf, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            for wrong in (deaf, datagrams):
                self.assertIn("no listening stream socket", self.refusal([self.agents, wrong]))

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd-socket-activate is not installed")
    def test_systemds_own_program_hands_the_sockets_over(self):
        path = self.folder / "activated.sock"
        self.folder.chmod(0o755)
        process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{PORT}", "-l", str(path), BROKER],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.terminate)
        rig.wait_until(path.exists, "the socket")
        path.chmod(0o666)
        with local_connection_of(ANNE, path) as agent:  # the first connection starts the broker
            self.assertEqual(greeting(agent), (1, REGISTERED, PORT))
            with connection_of(ANNE, PORT) as browser:
                with passed(agent, timeout=5) as given:
                    self.assertEqual(given.getpeername(), browser.getsockname())


class Sandbox(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-broker-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def test_it_runs_without_any_right(self):
        broker = Broker(self.folder)
        self.addCleanup(broker.stop)
        with local_connection_of(ANNE, broker.path) as agent:
            self.assertEqual(greeting(agent), (1, REGISTERED, PORT))
        status = pathlib.Path(f"/proc/{broker.process.pid}/status")
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        self.assertEqual(set(lines["Uid"].split()), {str(BROKERS_USER)})
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(lines[kind], 16), 0, kind)
        self.assertEqual(lines["NoNewPrivs"].strip(), "1")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_understands_the_units_and_finds_little_exposed(self):
        units = self.folder / "units"
        units.mkdir()
        service = (BUILD / "src/broker/cps-agent-broker.service").read_text()
        start, = [line for line in service.splitlines() if line.startswith("ExecStart=")]
        (units / "cps-agent-broker.service").write_text(service.replace(start, f"ExecStart={BROKER}"))
        shutil.copy(rig.SOURCE_ROOT / "packaging/systemd/cps-agent-broker.socket", units)
        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", units / "cps-agent-broker.socket", units / "cps-agent-broker.service"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual([line for line in verified.stderr.splitlines() if "cps-agent-broker" in line], [])
        judged = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=15", units / "cps-agent-broker.service"],
            capture_output=True, text=True, timeout=60, check=False)
        print("# " + judged.stdout.splitlines()[-1])
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)


if __name__ == "__main__":
    unittest.main()
