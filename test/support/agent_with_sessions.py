"""What tests of sessions have in common: an agent with two portals on loopback, whose revoke addresses note what
they are told."""
import time

import rig
from agent_process import Agent, challenge
from agent_with_card import WithCard
from session_tokens import RevokeReceiver

RID = "A" * 43
PORTAL = """\
origin = "{origin}"
name = {{ fr = "Portail d'essai", en = "Test portal" }}
revoke_uri = "{origin}/cps/revoke"
[[feature]]
id = "rights.read"
label = {{ fr = "Lire des droits" }}
mode = "session"
limit = 200
[[feature]]
id = "list.read"
label = {{ fr = "Lire une liste" }}
mode = "session"
limit = 4
[[feature]]
id = "wide.read"
label = {{ fr = "Lire beaucoup" }}
mode = "session"
limit = 10000
[[feature]]
id = "one.read"
label = {{ fr = "Lire une fois" }}
mode = "card"
"""


class WithPortal(WithCard):
    SETTINGS = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal, cls.other = RevokeReceiver(), RevokeReceiver()
        cls.start_agent(cls.SETTINGS)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.portal.stop()
        cls.other.stop()

    @classmethod
    def start_agent(cls, settings=""):
        cls.agent.stop()
        cls.agent = Agent(
            cls.machine.directory / f"agent-{time.monotonic_ns()}",
            portals={"one.toml": PORTAL.format(origin=cls.portal.origin),
                     "two.toml": PORTAL.format(origin=cls.other.origin)},
            settings="allow_http_loopback = true\n" + settings)

    def setUp(self):
        super().setUp()
        self.portal.told.clear()

    def tearDown(self):
        self.assert_unverified()

    def wait_for_status(self, wanted):
        def seen():
            answer = self.agent.call("GET", "/v1/status", origin=getattr(self, "portal", self).origin)
            return answer.json.get("card") == wanted

        if hasattr(self, "portal"):
            rig.wait_until(seen, f"card {wanted}")

    def assert_unverified(self):
        """A second program finds the PIN not verified: the card asks for it, and tells the tries left."""
        self.wait_for_status("present")
        with self.machine.connect() as card:
            self.assertEqual(card.transmit("0020000100").hex(), "63c3")

    def call(self, method, path, body=None, origin=None):
        headers = {"Content-Type": "application/json", "CPS-Agent": "1"} if method == "DELETE" else None
        return self.agent.call(method, path, body, headers, origin=origin or self.portal.origin)

    def open(self, *features, given=None, origin=None):
        given = given or challenge(feat=list(features or ["rights.read"]), ttl=600)
        return self.call("POST", "/v1/sessions", {"challenge": given}, origin)

    def opened(self, *features, origin=None):
        self.agent.will_answer("pin 1234")
        answer = self.open(*features, origin=origin)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def feature(self, session, feat="rights.read", origin=None, path="/api/x", **more):
        origin = origin or self.portal.origin
        return self.call("POST", f"/v1/sessions/{session}/tokens",
                         {"feat": feat, "htm": "GET", "htu": origin + path, "rid": RID, **more}, origin)

    def renew(self, session, *features, origin=None):
        given = challenge(feat=list(features or ["rights.read"]), ttl=600)
        return self.call("POST", f"/v1/sessions/{session}/renew", {"challenge": given}, origin)

    def assert_ended(self, session):
        answer = self.feature(session)
        self.assertEqual((answer.status, answer.code), (404, "session_ended"), answer.body)

    def assert_soon_ended(self, session):
        """pcscd has told us that the card is gone; how soon the agent acts, tools/bench/removal.py measures."""
        rig.wait_until(lambda: self.feature(session).status != 200, "the session to end")
        self.assert_ended(session)

    def revoked(self, count=1):
        rig.wait_until(lambda: len(self.portal.told) >= count, "the portal to be told")
        return self.portal.tokens()
