"""What tests of the agent with a card have in common."""
import subprocess
import time
import unittest

import rig
from agent_process import ORIGIN, Agent


class WithCard(unittest.TestCase):
    """One machine and one agent for all; each test starts with a fresh card in the reader."""

    CARD = "medecin-cps3"

    @classmethod
    def setUpClass(cls):
        cls.machine = rig.Rig()
        cls.machine.start_pcscd()
        cls.agent = Agent(cls.machine.directory / "agent")

    @classmethod
    def tearDownClass(cls):
        code = cls.agent.stop()
        cls.machine.stop()
        assert code == 0, code

    def setUp(self):
        self.card = self.machine.start_vcard(self.CARD)
        self.addCleanup(self.take_card_away)
        self.wait_for_status("present")
        self.agent.will_answer()

    def take_card_away(self):
        self.card.stop()
        self.wait_for_status("absent")

    def wait_for_status(self, wanted):
        rig.wait_until(lambda: self.agent.call("GET", "/v1/status").json["card"] == wanted, f"card {wanted}")

    def pin_attempts(self):
        """VERIFY commands that carried a PIN."""
        return [line for line in self.card.apdus() if line.startswith("> 00 20 00 01 08")]

    def verify(self, token, given, *more, trust=None):
        return subprocess.run(
            [rig.BUILD_ROOT / "tools/cpsctl/cpsctl", "verify", "--ca", trust or rig.PKI / "trust.pem",
             "--origin", ORIGIN, "--nonce", given["nonce"], *more],
            input=token, text=True, capture_output=True, check=False)

    def fresh_agent(self):
        """Cool-downs are the agent's memory: a test that is refused starts with a new one."""
        type(self).agent.stop()
        type(self).agent = Agent(self.machine.directory / f"agent-{time.monotonic_ns()}")
        self.wait_for_status("present")
