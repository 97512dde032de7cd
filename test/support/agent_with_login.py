"""What tests of the login session have in common: an agent that hears a login manager of the test's own."""
import json
import time

import rig
from agent_process import MODULE, Agent, cpsctl
from agent_with_sessions import PORTAL, WithPortal
from login_manager import LoginManager


class WithLoginManager(WithPortal):
    SESSION = "c1"  # XDG_SESSION_ID
    MODULE = MODULE
    ENVIRONMENT = {}

    @classmethod
    def setUpClass(cls):
        cls.login = None
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if cls.login is not None:
            cls.login.stop()

    @classmethod
    def start_agent(cls, settings=""):
        cls.agent.stop()
        if cls.login is not None:
            cls.login.stop()
        folder = cls.machine.directory / f"agent-{time.monotonic_ns()}"
        cls.login = LoginManager(folder / "login")
        cls.agent = Agent(folder, cls.MODULE, portals={"one.toml": PORTAL.format(origin=cls.portal.origin)},
                          settings="allow_http_loopback = true\n" + settings,
                          environment={"DBUS_SYSTEM_BUS_ADDRESS": cls.login.address, "XDG_SESSION_ID": cls.SESSION,
                                       **cls.ENVIRONMENT})

    def setUp(self):
        super().setUp()
        self.wait_for_login("heard")

    def status(self):
        return json.loads(cpsctl(self.agent, "status", "--json").stdout)

    def wait_for_login(self, wanted):
        rig.wait_until(lambda: self.status()["login"] == wanted, f"login: {wanted}")
