#!/usr/bin/env python3
"""How soon a page hears that its session ended with the card: from pcscd's own notice, as a second PC/SC client of
this process gets it, to the event on an open stream; and the first refusal of a feature token.
removal.py [--json]; fails when the bound is missed."""

import json
import os
import statistics
import sys
import threading
import time

from bench_agent import PORTAL, open_session  # which says where the next ones lie
import rig
from agent_process import ORIGIN, Agent
from event_stream import EventStream

rig.isolate()

PULLS = int(os.environ.get("CPS_BENCH_PULLS", "20"))
MAX_NOTICE = 50  # ms from pcscd's notice to the event


def refused_at(agent, session, done):
    """Asks for feature tokens until one is refused; adds the moment."""
    body = {"feat": "a.read", "htm": "GET", "htu": ORIGIN + "/x", "rid": "A" * 43}
    while agent.call("POST", f"/v1/sessions/{session}/tokens", body).status == 200:
        pass
    done.append(time.monotonic())


def pull(agent, card):
    """Milliseconds from pcscd's notice to the event, and to a refusal."""
    rig.wait_until(lambda: agent.call("GET", "/v1/status").json["card"] == "present", "the card")
    session, refused = open_session(agent), []
    with EventStream(agent) as events:
        events.wait_for("card", card="present")
        asking = threading.Thread(target=refused_at, args=(agent, session, refused))
        asking.start()
        time.sleep(0.1)
        noticed = card.pull()
        heard = events.wait_for("session", session=session).at
        asking.join(60)
    card.insert()
    return (heard - noticed) * 1000, (refused[0] - noticed) * 1000


def main():
    with rig.Rig() as machine:
        machine.start_pcscd()
        card = machine.start_vcard("medecin-cps3")
        agent = Agent(machine.directory / "agent", portals=PORTAL)
        try:
            heard, refused = zip(*[pull(agent, card) for _ in range(PULLS)])
        finally:
            agent.stop()
    results = {
        "pulls": PULLS,
        "event_after_notice_ms_median": round(statistics.median(heard), 2),  # below 0: before we heard of it ourselves
        "event_after_notice_ms_max": round(max(heard), 2),
        "refusal_after_notice_ms_median": round(statistics.median(refused), 2),
        "refusal_after_notice_ms_max": round(max(refused), 2),
    }
    if sys.argv[1:] == ["--json"]:
        print(json.dumps(results))
    else:
        for name, value in results.items():
            print(f"{name:32} {value}")
    if max(heard) > MAX_NOTICE:
        sys.exit(f"event_after_notice_ms_max: {max(heard):.1f}, the bound is {MAX_NOTICE}")


main()
