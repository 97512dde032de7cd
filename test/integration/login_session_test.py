"""What the login session does to the card's: lock, another's turn, sleep, log-out; and a bus that is not there."""
import json
import threading
import time
import unittest

import rig
from agent_process import Agent, challenge, cpsctl
from agent_with_login import WithLoginManager
from session_tokens import RevokeReceiver, cth, parts

rig.isolate()


class WithLogin(WithLoginManager):
    def fresh(self):
        """Log-out leaves nothing to go on with."""
        type(self).start_agent()
        self.wait_for_status("present")
        self.wait_for_login("heard")

    def reasons(self):
        """Why sessions ended, the last first, as the journal has it."""
        done = cpsctl(self.agent, "journal", "--json", "--all", "--dir", str(self.agent.state))
        return [entry["outcome"] for entry in reversed(json.loads(done.stdout)["entries"])
                if entry["what"] == "session_end"]

    def assert_ends_sessions(self, cause, reason):
        """With its reason, its portal told, and nothing to be had from it."""
        session = self.opened()
        self.assertEqual(self.feature(session["session"]).status, 200)
        before = len(self.reasons())
        cause()
        rig.wait_until(lambda: cth(session["token"]) in {parts(token)[1]["cth"] for token in self.portal.tokens()},
                       "the portal to be told")
        self.assert_ended(session["session"])
        self.assertEqual(self.renew(session["session"]).code, "session_ended")
        rig.wait_until(lambda: len(self.reasons()) > before, "the journal")
        self.assertEqual(self.reasons()[0], reason)

    def assert_refused(self):
        self.agent.will_answer("pin 1234")
        for answer in (self.open(), self.call("POST", "/v1/tokens", {"challenge": challenge()})):
            self.assertEqual((answer.status, answer.code), (403, "screen_locked"), answer.body)
        self.assertEqual(self.agent.dialogs(), [])

    def assert_closes_dialog(self, cause):
        self.agent.will_answer("hang")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.open()))
        asking.start()
        self.agent.wait_for_dialog()
        began = time.monotonic()
        cause()
        asking.join(20)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual((answers[0].status, answers[0].code), (403, "screen_locked"), answers[0].body)


class TheScreen(WithLogin):
    def test_a_request_to_lock_ends_sessions_and_closes_the_dialog(self):
        self.assert_ends_sessions(self.login.lock, "screen_locked")
        self.assert_closes_dialog(self.login.lock)
        self.opened()  # a desktop that says no more than this has not said that it is locked still

    def test_the_kept_pin_goes_with_the_lock(self):
        self.opened()
        self.login.lock()
        self.revoked()
        self.agent.will_answer()
        self.assertEqual(self.open().code, "pin_cancelled")  # asked, and nobody answered
        self.assertEqual(len(self.agent.dialogs()), 1)
        self.fresh_cool_down()

    def fresh_cool_down(self):
        self.agent.stop()
        self.fresh()

    def test_while_the_screen_is_locked_nobody_is_asked(self):
        self.assert_ends_sessions(lambda: self.login.change(LockedHint=True), "screen_locked")
        self.assert_refused()
        self.login.change(LockedHint=False)
        self.wait_until_taken()

    def wait_until_taken(self):
        def taken():
            self.agent.will_answer("pin 1234")
            return self.open().status == 200

        rig.wait_until(taken, "the agent to take requests again")

    def test_a_locked_screen_closes_the_dialog(self):
        self.assert_closes_dialog(lambda: self.login.change(LockedHint=True))
        self.assert_refused()
        self.login.change(LockedHint=False)
        self.wait_until_taken()

    def test_another_persons_turn_at_the_seat_ends_sessions(self):
        self.assert_ends_sessions(lambda: self.login.change(Active=False), "screen_locked")
        self.assert_refused()
        self.login.change(Active=True)
        self.wait_until_taken()

    def test_other_sessions_are_none_of_our_business(self):
        self.login.add_session("x9", user=12345)
        self.login.announce("SessionNew", "x9")
        session = self.opened()["session"]
        self.login.lock("x9")
        self.login.change("x9", LockedHint=True)
        self.login.change("c1", IdleHint=True)
        self.login.remove_session("x9")
        time.sleep(0.3)
        self.assertEqual(self.feature(session).status, 200)


class Sleep(WithLogin):
    def test_sleep_waits_until_sessions_have_ended_and_no_longer(self):
        self.assertEqual(self.login.inhibitors(), 1)
        self.assert_ends_sessions(lambda: self.login.prepare_for_sleep(True), "suspended")
        rig.wait_until(lambda: self.login.inhibitors() == 0, "the inhibitor to be released", 1)
        self.assert_refused()
        self.login.prepare_for_sleep(False)
        rig.wait_until(lambda: self.login.inhibitors() == 1, "the inhibitor to be taken again")
        self.agent.will_answer("pin 1234")
        self.assertEqual(self.open().status, 200)

    def test_a_portal_that_does_not_answer_does_not_keep_the_machine_awake(self):
        type(self).portal, kept = RevokeReceiver(silent=True), self.portal
        try:
            self.fresh()
            session = self.opened()["session"]
            self.login.prepare_for_sleep(True)
            began = time.monotonic()
            self.assert_ended(session)
            self.revoked()
            self.assertEqual(self.login.inhibitors(), 1)  # the portal is being told
            rig.wait_until(lambda: self.login.inhibitors() == 0, "the inhibitor to be released", 5)
            self.assertTrue(2 < time.monotonic() - began < 4)
        finally:
            self.portal.stop()
            type(self).portal = kept
            self.fresh()


class LogOut(WithLogin):
    def test_log_out_ends_sessions_and_nobody_is_asked_until_the_next_login(self):
        self.assert_ends_sessions(self.login.remove_session, "logged_out")
        self.assert_refused()
        self.wait_for_login("no_session")
        self.login.add_session("c1")
        self.login.announce("SessionNew", "c1")
        self.wait_for_login("heard")
        self.assert_ends_sessions(self.login.lock, "screen_locked")

    def test_the_users_end_is_a_log_out(self):
        self.login.call("/org/freedesktop/login1", "org.freedesktop.DBus.Mock", "RemoveObject", "s",
                        self.login.session())
        self.assert_ends_sessions(self.login.remove_user, "logged_out")
        self.fresh()


class TheDisplay(WithLogin):
    SESSION = "stale"

    @classmethod
    def start_agent(cls, settings=""):
        super().start_agent(settings)
        cls.login.add_session("c7")
        cls.login.display("c7")
        cls.login.announce("SessionNew", "c7")

    def test_where_the_environment_names_no_session_the_users_display_is_heard(self):
        self.assert_ends_sessions(lambda: self.login.lock("c7"), "screen_locked")


class TheProcess(WithLogin):
    SESSION = ""

    @classmethod
    def start_agent(cls, settings=""):
        super().start_agent(settings)
        cls.login.call("/org/freedesktop/login1", "org.freedesktop.DBus.Mock", "AddMethod", "sssss",
                       "org.freedesktop.login1.Manager", "GetSessionByPID", "u", "o",
                       f'ret = "{cls.login.session()}" if args[0] == {cls.agent.process.pid} else None')
        cls.login.announce("SessionNew", "c1")

    def test_else_the_session_of_the_agents_own_process(self):
        self.assert_ends_sessions(self.login.lock, "screen_locked")


class BadBuses(WithLogin):
    def finding(self):
        done = cpsctl(self.agent, "doctor", "--json", "--config", str(self.agent.folder / "agent.toml"))
        return {one["id"]: one for one in json.loads(done.stdout)["findings"]}.get("login_unheard")

    def told(self, words):
        return (self.agent.folder / "agent.log").read_text().count(words)

    def test_the_agent_finds_a_bus_that_was_restarted(self):
        self.assertIsNone(self.finding())
        session = self.opened()["session"]
        self.login.stop_bus()
        self.wait_for_login("no_bus")
        self.assertEqual(self.feature(session).status, 200)
        self.assertEqual(self.finding()["subject"], "no_bus")
        self.assertIn("logind", self.finding()["remedy"])
        self.login.start_bus()
        self.login.start_mock()
        self.wait_for_login("heard")
        self.assertIsNone(self.finding())
        self.assert_ends_sessions(self.login.lock, "screen_locked")

    def test_a_screen_that_was_locked_while_nobody_listened_is_noticed(self):
        session = self.opened()["session"]
        self.login.stop_bus()
        self.wait_for_login("no_bus")
        self.login.start_bus()
        self.login.start_mock()
        self.login.change(LockedHint=True)
        self.wait_for_login("heard")
        self.assert_ended(session)
        self.login.change(LockedHint=False)

    def test_a_login_manager_that_was_restarted_is_asked_anew(self):
        self.login.stop_mock()
        self.wait_for_login("no_logind")
        self.assertEqual(self.finding()["subject"], "no_logind")
        self.login.start_mock()
        self.login.announce("SessionNew", "c1")  # the mock's name is there before its session
        self.wait_for_login("heard")
        rig.wait_until(lambda: self.login.inhibitors() >= 1, "the inhibitor")
        self.assert_ends_sessions(self.login.lock, "screen_locked")

    def test_without_a_bus_the_agent_says_so_once_and_runs(self):
        self.login.stop_bus()
        self.agent.stop()
        type(self).agent = Agent(self.agent.folder, portals={},
                                 settings="allow_http_loopback = true\n",
                                 environment={"DBUS_SYSTEM_BUS_ADDRESS": self.login.address})
        try:
            self.wait_for_status("present")
            before = self.told("no system bus")
            self.assertEqual(self.finding()["subject"], "no_bus")
            session = self.opened()["session"]
            self.assertEqual(self.feature(session).status, 200)
            time.sleep(2)  # a session's first sums are written
            switches = self.agent.voluntary_switches()
            time.sleep(3)
            self.assertEqual(self.agent.voluntary_switches(), switches)
            self.assertEqual(self.told("no system bus"), before)
        finally:
            self.fresh()

    def test_the_way_back_to_a_bus_is_not_paved_with_wake_ups(self):
        self.login.stop_bus()
        self.wait_for_login("no_bus")
        before = self.agent.voluntary_switches()
        time.sleep(4)
        self.assertLessEqual(self.agent.voluntary_switches() - before, 20)  # tries after 1 s and 3 s
        self.fresh()


class AtRest(WithLogin):
    def test_an_idle_agent_that_listens_sleeps(self):
        self.opened()
        time.sleep(2)
        before = self.agent.voluntary_switches()
        time.sleep(10)
        self.assertEqual(self.agent.voluntary_switches() - before, 0)


if __name__ == "__main__":
    unittest.main()
