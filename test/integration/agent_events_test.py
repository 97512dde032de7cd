"""The event stream: who gets one, what it tells to whom, how many there are, and how it ends."""
import json
import signal
import time
import unittest

import rig
from agent_process import cpsctl
from agent_with_card import WithCard
from agent_with_sessions import WithPortal
from event_stream import EventStream

rig.isolate()

OF_ORIGIN = 4  # src/agent/event_streams.hpp


class WithStreams(WithPortal):
    def stream(self, origin=None, **more):
        opened = EventStream(self.agent, origin or self.portal.origin, **more)
        self.addCleanup(opened.close)
        return opened


class TheStream(WithStreams):
    def test_it_begins_with_the_card_and_is_shared_with_its_page_alone(self):
        stream = self.stream()

        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.answer.headers["Content-Type"], "text/event-stream")
        self.assertEqual(stream.answer.headers["Cache-Control"], "no-store")
        self.assertEqual(stream.answer.headers["Access-Control-Allow-Origin"], self.portal.origin)
        self.assertEqual(stream.answer.headers["Vary"], "Origin")
        self.assertNotIn("Access-Control-Allow-Credentials", stream.answer.headers)
        first = stream.wait_for("card")
        self.assertEqual(first.data, {"readers": 2, "cards": 1, "card": "present"})
        self.assertEqual(stream.retry, 5000)

    def test_who_is_not_let_in_gets_none(self):
        for origin, headers, status in (
            ("https://stranger.example", {}, 403), (None, {}, 403), ("null", {}, 403),
            (self.portal.origin, {"Host": "evil.example"}, 421),
            (self.portal.origin, {"Sec-Fetch-Mode": "no-cors"}, 403),
            (self.portal.origin, {"Service-Worker": "script"}, 403),
        ):
            stream = self.stream(origin, headers={"Origin": origin, **headers})
            self.assertEqual(stream.status, status, (origin, headers))
        self.assertEqual(self.call("POST", "/v1/events", {}).code, "method_refused")
        self.assertEqual(self.stream(path="/v1/events?all").status, 404)

    def test_a_card_that_comes_and_goes_is_told_to_every_page(self):
        streams = [self.stream(), self.stream(self.other.origin)]
        self.card.remove()
        for stream in streams:
            stream.wait_for("card", card="absent", cards=0)
        self.card.insert()
        for stream in streams:
            rig.wait_until(lambda s=stream: len(s.found("card", card="present")) == 2, "the card's return")
            self.assertEqual(len(stream.found("session")), 0)
            self.assertNotIn("Reader", json.dumps([event.data for event in stream.events]))

    def test_the_end_of_a_session_is_told_to_the_origin_that_opened_it_alone(self):
        own, others = self.stream(), self.stream(self.other.origin)
        session = self.opened()["session"]
        self.assertEqual(self.feature(session).status, 200)
        second = self.opened()["session"]
        self.assertEqual(own.found("session"), [])  # an open one's name is nobody's but its page's

        self.assertEqual(self.call("DELETE", f"/v1/sessions/{session}").status, 204)
        self.assertEqual(own.wait_for("session").data, {"session": session, "end": "page", "left": 199})
        done = cpsctl(self.agent, "sessions", "end")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(own.wait_for("session", session=second).data["end"], "person")

        self.card.remove()  # what `others` hears next
        others.wait_for("card", card="absent")
        self.assertEqual(others.found("session"), [])
        self.card.insert()

    def test_an_origin_has_few_and_calls_go_on(self):
        streams = [self.stream() for _ in range(OF_ORIGIN)]
        refused = self.stream()
        self.assertEqual((refused.status, json.loads(refused.body)["code"]), (503, "overloaded"))
        self.assertEqual(self.stream(self.other.origin).status, 200)
        self.assertEqual(self.call("GET", "/v1/hello").status, 200)
        streams[0].close()
        rig.wait_until(lambda: self.stream().status == 200, "room for another stream")

    def test_a_page_that_asks_without_end_does_not_starve_the_others(self):
        for _ in range(300):
            EventStream(self.agent, self.portal.origin).close()
        self.assertEqual(self.call("GET", "/v1/hello").status, 200)
        rig.wait_until(lambda: self.stream().status == 200, "a stream after the storm")


class HowItEnds(WithStreams):
    def setUp(self):
        type(self).start_agent()
        super().setUp()

    def test_an_agent_that_stops_says_farewell_and_closes(self):
        stream = self.stream()
        session = self.opened()["session"]
        self.assertEqual(self.agent.stop(), 0)
        self.assertEqual(stream.wait_for("session").data["end"], "agent_stopped")
        self.assertEqual(stream.found("session")[0].data["session"], session)
        self.assertEqual(stream.wait_for_end(), "closed")
        type(self).start_agent()

    def test_a_reload_without_its_portal_ends_it_and_no_other(self):
        own, others = self.stream(), self.stream(self.other.origin)
        session = self.opened()["session"]
        (self.agent.folder / "portals.d/one.toml").unlink()
        self.agent.process.send_signal(signal.SIGHUP)
        self.assertEqual(own.wait_for("session", session=session).data["end"], "portal_removed")
        self.assertEqual(own.wait_for_end(), "closed")
        self.card.remove()
        others.wait_for("card", card="absent")
        self.assertIsNone(others.ended)
        self.assertEqual(self.stream().status, 403)
        self.card.insert()
        type(self).start_agent()


class AtRest(WithCard):
    # libpcsclite asks pcscd anew once a minute in a wait without end (its poll has 60 s): to sleep
    # twice for pcscd's answers and once for the next minute. No test here lasts two of them.
    OF_LIBPCSCLITE = 3

    def switches(self):
        """Of the server's thread, where streams live, and of all the others."""
        by_thread = self.agent.switches_by_thread()
        server = by_thread.pop(self.agent.process.pid)
        return server - self.agent.major_faults(), sum(by_thread.values())

    def woken_since(self, before):
        server, others = (later - sooner for later, sooner in zip(self.switches(), before))
        self.assertLessEqual(others, self.OF_LIBPCSCLITE)
        return server

    def test_an_open_stream_beats_every_20_seconds_and_wakes_the_agent_for_nothing_else(self):
        settled = 2  # s after a beat: whatever it costs is over
        with EventStream(self.agent) as stream:
            stream.wait_for("card", card="present")

            def wait_for_beats(number):
                rig.wait_until(lambda: len(stream.beats) >= number, "a beat", 60)
                time.sleep(settled)

            wait_for_beats(1)
            before = self.switches()
            wait_for_beats(3)
            woken = self.woken_since(before)
            distances = [round(later - sooner, 1) for sooner, later in zip(stream.beats, stream.beats[1:])]
        print(f"# an open stream: beats {distances} s apart, the server's thread slept anew {woken} times for two of them")
        self.assertEqual(len(stream.beats), 3)
        self.assertLessEqual(woken, 2)

    def test_a_stream_that_was_closed_leaves_no_beat_behind(self):
        EventStream(self.agent).close()
        time.sleep(2)
        before = self.switches()
        time.sleep(25)
        self.assertLessEqual(self.woken_since(before), 0)


if __name__ == "__main__":
    unittest.main()
