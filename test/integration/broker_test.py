"""cps-agent-broker: several users of one machine, each with his own agent behind the one port."""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import rig
from agent_process import BUILD
from broker_process import (
    FULL, PORT, REGISTERED, TAKEN, Broker, Programs, closed, greeting, loopback, passed, start_with, waiting_room)
from other_user import ANNE, BERT, CARL, acting_as, call_as, connection_of, local_connection_of

rig.isolate()

MAX_AGENTS, MAX_UNANSWERED = 256, 32  # include/cps/broker/protocol.hpp
ANNES, BERTS = "https://anne.example", "https://bert.example"


class Brokered(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs()

    @classmethod
    def tearDownClass(cls):
        cls.programs.remove()

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cps-broker-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.broker = Broker(self.folder)
        self.addCleanup(self.broker.stop)

    def agent(self, user, origin="https://amelipro.example", broker=None, **more):
        agent = self.programs.start_agent(user, broker or self.broker.path, origin, name=self.id().split(".")[-1][:40], **more)
        self.addCleanup(agent.end)
        return agent

    def register(self, user):
        """A program of that user which says it is an agent, and the broker's answer."""
        made = local_connection_of(user, self.broker.path)
        self.addCleanup(made.close)
        return made, greeting(made)

    def wait_for(self, user, status, origin="https://amelipro.example"):
        def answered():
            answer = call_as(user, PORT, origin=origin)
            return (answer and answer.status) == status
        rig.wait_until(answered, f"{status} for {user}")


class EachToHisOwn(Brokered):
    def test_each_users_request_reaches_his_own_agent_and_no_other(self):
        anne, bert = self.agent(ANNE, ANNES), self.agent(BERT, BERTS)
        self.assertEqual((anne.port, bert.port), (PORT, PORT))
        hosts = ["127.0.0.1"] + ["::1"] * self.broker.has_ipv6()
        for host in hosts:
            for _ in range(5):
                self.assertEqual(call_as(ANNE, PORT, origin=ANNES, host=host).status, 200)
                self.assertEqual(call_as(BERT, PORT, origin=BERTS, host=host).status, 200)
                # Each agent knows its own person's portal alone.
                self.assertEqual(call_as(ANNE, PORT, origin=BERTS, host=host).code, "origin_refused")
                self.assertEqual(call_as(BERT, PORT, origin=ANNES, host=host).code, "origin_refused")

    def test_whoever_has_no_agent_is_closed_without_a_word(self):
        self.agent(ANNE)
        self.assertTrue(closed(connection_of(CARL, PORT)))
        self.assertIsNone(call_as(CARL, PORT))
        self.assertEqual(call_as(ANNE, PORT).status, 200)

    def test_a_program_can_register_for_its_own_user_alone(self):
        squatter, said = self.register(CARL)
        self.assertEqual(said, (1, REGISTERED, PORT))
        # Anne has no agent yet: her connections are closed all the same.
        self.assertTrue(closed(connection_of(ANNE, PORT)))
        self.agent(ANNE)
        for _ in range(5):
            self.assertEqual(call_as(ANNE, PORT).status, 200)
        self.assertIsNone(passed(squatter))
        held = connection_of(CARL, PORT)
        self.addCleanup(held.close)
        own = passed(squatter)
        self.assertEqual(own.getpeername(), held.getsockname())
        own.close()

    def test_a_second_agent_of_a_user_is_turned_away_and_the_first_goes_on(self):
        self.agent(ANNE)
        _, said = self.register(ANNE)
        self.assertEqual(said, (1, TAKEN, PORT))
        second = self.programs.start_agent(ANNE, self.broker.path, name="second", wait=False)
        self.assertEqual(second.process.wait(20), 3)
        self.assertIn("another agent of this user", second.log.read_text())
        self.assertEqual(call_as(ANNE, PORT).status, 200)

    def test_the_agent_finds_the_packages_broker_by_itself(self):
        place = pathlib.Path("/run/cps-agent-broker")
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        listening = waiting_room(place / "agents.sock")
        self.addCleanup(listening.close)
        browsers = loopback(socket.AF_INET, 27750)
        self.addCleanup(browsers.close)
        process = start_with([listening, browsers], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.terminate)
        agent = self.programs.start_agent(ANNE, None, name="auto")
        self.addCleanup(agent.end)
        self.assertEqual(agent.port, 27750)
        self.assertEqual(call_as(ANNE, 27750).status, 200)
        off = self.programs.start_agent(BERT, "off", name="off")
        self.addCleanup(off.end)
        self.assertEqual(off.port, 27744)  # 27743 is this test's other broker's


class Doctor(Brokered):
    """What `cpsctl doctor` says of who holds the port."""

    def found(self, agent):
        told = subprocess.run(
            ["setpriv", f"--reuid={agent.user}", f"--regid={agent.user}", "--clear-groups", *self.doctor,
             "--config", agent.home / "agent.toml", "--socket", agent.home / "cps-agent" / "control.sock"],
            env=agent.environment, capture_output=True, text=True, timeout=60, check=False)
        return {one["id"]: one["subject"] for one in json.loads(told.stdout)["findings"]
                if one["id"] in ("agent_absent", "port_taken", "broker_missed")}

    def setUp(self):
        super().setUp()
        self.doctor = [shutil.copy(BUILD / "tools/cpsctl/cpsctl", self.programs.folder), "doctor", "--json"]

    def test_the_broker_is_no_stranger(self):
        agent = self.agent(ANNE)
        self.assertEqual(self.found(agent), {})
        agent.end()
        self.assertEqual(list(self.found(agent)), ["agent_absent"])

    def test_an_agent_that_missed_the_broker_is_told(self):
        agent = self.agent(ANNE, broker="off")
        self.assertEqual(list(self.found(agent)), ["port_taken"])
        settings = agent.home / "agent.toml"
        settings.write_text(settings.read_text().replace('"off"', f'"{self.broker.path}"'))
        self.assertEqual(self.found(agent), {"broker_missed": "port 27744"})

    def test_another_users_program_is_a_stranger_and_told_as_theirs(self):
        agent = self.agent(ANNE)
        self.broker.end()
        for one in self.broker.sockets:
            one.close()
        agent.end()
        with acting_as(BERT):
            squatter = loopback(socket.AF_INET, PORT)
        self.addCleanup(squatter.close)
        self.assertEqual(self.found(agent)["port_taken"], f"user {BERT}")
        # A broker's socket that somebody else could have put there proves nothing.
        squatter.close()
        with loopback(socket.AF_INET, PORT):
            self.assertEqual(list(self.found(agent)), ["agent_absent"])
            self.folder.chmod(0o777)
            self.assertIn("port_taken", self.found(agent))


class ComingAndGoing(Brokered):
    def test_an_agent_that_dies_is_forgotten_and_its_successor_found(self):
        agent = self.agent(ANNE)
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.assertEqual(call_as(ANNE, PORT).status, 200)
            agent.end(how)
            self.assertTrue(closed(connection_of(ANNE, PORT)))
            agent = self.agent(ANNE)
            self.assertEqual(call_as(ANNE, PORT).status, 200)

    def test_a_broker_that_restarts_is_found_again(self):
        self.agent(ANNE), self.agent(BERT)
        for how, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
            self.assertEqual(self.broker.end(how), code)
            waiting = connection_of(ANNE, PORT)  # the port stays held, and the page waits
            self.addCleanup(waiting.close)
            self.broker.start()
            self.wait_for(ANNE, 200)
            self.wait_for(BERT, 200)

    def test_a_stuck_agent_holds_up_nobody_else_and_holds_little(self):
        anne, _ = self.agent(ANNE), self.agent(BERT)
        before = self.broker.descriptors()
        anne.process.send_signal(signal.SIGSTOP)
        held = [connection_of(ANNE, PORT) for _ in range(MAX_UNANSWERED)]
        for one in held:
            self.addCleanup(one.close)
        for _ in range(20):
            self.assertTrue(closed(connection_of(ANNE, PORT)))
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(call_as(BERT, PORT).status, 200)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(self.broker.descriptors(), before)
        anne.process.send_signal(signal.SIGCONT)
        held[0].sendall(f"GET /v1/hello HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n"
                        "Origin: https://amelipro.example\r\nConnection: close\r\n\r\n".encode())
        self.assertTrue(held[0].recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(call_as(ANNE, PORT).status, 200)

    def test_an_agent_that_says_what_it_must_not_is_forgotten(self):
        for wrong in (b"r", b"x", b"r" * 1000):
            made, said = self.register(CARL)
            self.assertEqual(said[1], REGISTERED)
            made.sendall(wrong)
            self.assertTrue(closed(made))
        made, _ = self.register(CARL)
        held = connection_of(CARL, PORT)
        self.addCleanup(held.close)
        passed(made).close()
        made.sendall(b"x")
        self.assertTrue(closed(made))

    def test_agents_beyond_the_limit_are_turned_away_and_nothing_is_left_of_them(self):
        self.register(ANNE)
        before = self.broker.descriptors()
        kept = [self.register(42000 + i)[0] for i in range(MAX_AGENTS - 1)]
        self.assertEqual(self.register(43000)[1][1], FULL)
        for one in kept:
            one.close()
        rig.wait_until(lambda: self.broker.descriptors() == before, "the descriptors' return")
        self.assertEqual(self.register(43000)[1][1], REGISTERED)

    def test_a_thousand_connections_of_one_user_leave_nothing_behind(self):
        self.agent(ANNE)
        before = self.broker.descriptors()
        for _ in range(500):
            connection_of(CARL, PORT).close()
            connection_of(ANNE, PORT).close()
        self.assertEqual(call_as(ANNE, PORT).status, 200)
        self.assertEqual(self.broker.descriptors(), before)


if __name__ == "__main__":
    unittest.main()
