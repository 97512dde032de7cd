#!/usr/bin/env python3
"""What a session costs: a feature token through the agent's HTTP beside a bare ES256 signature of the same
OpenSSL, and a silent renewal, from the page's request to its answer, beside the card's own time and a bare C_Sign.
The card's own time is that of the commands which the renewal sent, in their order, and of the reset, over a PC/SC
connection that exists already, with no program of ours in between; connections, processes, modules and messages are
what a renewal costs over it. The two are measured in turn. sessions.py [--json]; fails when a bound is missed.
With CPS_BENCH_LONG=1 also 100,000 requests, watching the agent's memory, with an event stream open and others that
come and go."""

import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

from bench_agent import PORTAL, open_session  # which says where the next ones lie
import cryptoki
import rig
import winscard
from agent_process import ORIGIN, OWN, Agent, challenge
from event_stream import EventStream

rig.isolate()

TOKENS = 9_000  # of one run; a session makes at most 10,000
PIPELINE = 16  # requests on their way at once, for throughput
RENEWALS = 31
PAUSE = 0.4  # seconds before each measure: renewals come by the minute, and the next worker is ready by then
FEATURE = {"feat": "a.read", "htm": "GET", "htu": ORIGIN + "/api/patients/rights", "rid": "A" * 43}
AUTHENTICATION_ID = bytes.fromhex("E828BD080F8025000001FF001002")
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420") + bytes(32)
LONG_TOKENS = 100_000
STREAMS = 100  # opened and closed again after each SETTLED tokens
SETTLED = 10_000  # tokens after which memory may not grow
MAX_LATENCY, MIN_RATE = 0.5, 3000  # ms, a second
MAX_RENEWAL_OVER = 5  # ms over the card's own time, on a machine that does nothing else (DECISIONS.md, 48)
MAX_COMMANDS = 20  # of one renewal, GET RESPONSE and the reading of one certificate included
MAX_RESIDENT, MAX_GROWTH = 15 * 1024, 256  # KiB


class Connection:
    """Keep-alive HTTP with as little of Python in the way as can be."""

    def __init__(self, agent):
        self.socket = socket.create_connection(("127.0.0.1", agent.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def request(self, agent, path, content):
        body = json.dumps(content)
        return (f"POST /v1/sessions/{path} HTTP/1.1\r\nHost: 127.0.0.1:{agent.port}\r\nOrigin: {ORIGIN}\r\n"
                f"Sec-Fetch-Mode: cors\r\nContent-Type: application/json\r\nCPS-Agent: 1\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def answer(self):
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self.rest += self.socket.recv(65536)
        size = int(re.search(rb"[Cc]ontent-[Ll]ength: (\d+)", self.rest[:end]).group(1))
        while len(self.rest) < end + 4 + size:
            self.rest += self.socket.recv(65536)
        whole, self.rest = self.rest[:end + 4 + size], self.rest[end + 4 + size:]
        if not whole.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(whole.decode(errors="replace"))


def latencies(agent, count):
    session, connection = open_session(agent), Connection(agent)
    request, taken = connection.request(agent, f"{session}/tokens", FEATURE), []
    for _ in range(count):
        begun = time.perf_counter()
        connection.socket.sendall(request)
        connection.answer()
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)


def cpu_seconds(agent):
    fields = pathlib.Path(f"/proc/{agent.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(agent, count):
    """Tokens a second, with several requests on their way, each on a connection of its own."""
    session = open_session(agent)
    connections = [Connection(agent) for _ in range(PIPELINE)]
    request = connections[0].request(agent, f"{session}/tokens", FEATURE)
    begun, used = time.perf_counter(), cpu_seconds(agent)
    for _ in range(count // PIPELINE):
        for connection in connections:
            connection.socket.sendall(request)
        for connection in connections:
            connection.answer()
    made = count // PIPELINE * PIPELINE
    return made / (time.perf_counter() - begun), made / max(0.01, cpu_seconds(agent) - used)


def bare_signatures():
    """ES256 signatures a second by `openssl speed`, on this machine, now."""
    shown = subprocess.run(["openssl", "speed", "-seconds", "2", "ecdsap256"], capture_output=True, text=True,
                           check=True, timeout=60).stdout
    return float(re.search(r"nistp256\)\s+\S+\s+\S+\s+([\d.]+)", shown).group(1))


def one_renewal(agent, session, connection):
    """Milliseconds, over a connection that exists, as a page's does."""
    request = connection.request(agent, f"{session}/renew", {"challenge": challenge("a.read", ttl=600)})
    begun = time.perf_counter()
    connection.socket.sendall(request)
    connection.answer()
    return (time.perf_counter() - begun) * 1000


def same_commands(machine, commands):
    """Milliseconds of the same commands and the reset. The PIN, which the log hides, is put back."""
    sent = [bytes.fromhex(one.replace("2A 2A 2A 2A", "31 32 33 34")) for one in commands]
    with machine.connect() as card:
        card.begin()
        begun = time.perf_counter()
        for command in sent:
            card.transmit(command)
        card.end(winscard.RESET_CARD)
        return (time.perf_counter() - begun) * 1000


def renewals(machine, agent, card):
    """Milliseconds of silent renewals and of the card alone, in turn, and the commands of the last renewal."""
    session, connection = open_session(agent), Connection(agent)
    whole, alone = [], []
    for _ in range(RENEWALS):
        time.sleep(PAUSE)
        before = len(card.apdus())
        whole.append(one_renewal(agent, session, connection))
        commands = [line[2:] for line in card.apdus()[before:] if line.startswith("> ")]
        time.sleep(PAUSE)  # a machine that has just worked is faster than one that slept
        alone.append(same_commands(machine, commands))
    return sorted(whole), sorted(alone), commands


def bare_module():
    """Milliseconds of C_Sign, and of C_Login, C_Sign and C_Logout, in a program that does nothing else."""
    signing, whole = [], []
    with cryptoki.Module(OWN) as module:
        session = module.open()
        session.login(rig.PIN)
        key = session.find(CLASS=cryptoki.PRIVATE_KEY, ID=AUTHENTICATION_ID)[0]
        session.logout()
        for _ in range(RENEWALS):
            begun = time.perf_counter()
            session.login(rig.PIN)
            between = time.perf_counter()
            session.sign(key, cryptoki.RSA_PKCS, DIGEST_INFO)
            signing.append((time.perf_counter() - between) * 1000)
            session.logout()
            whole.append((time.perf_counter() - begun) * 1000)
    return statistics.median(signing), statistics.median(whole)


def memory(agent):
    """KiB resident after the first tokens and after all of them."""
    settled = None
    with EventStream(agent) as kept:
        for done in range(0, LONG_TOKENS, SETTLED):
            latencies(agent, SETTLED)
            for _ in range(STREAMS):
                EventStream(agent).close()
            settled = settled or agent.resident_kib()
            print(f"# {done + SETTLED} tokens: {agent.resident_kib()} KiB", file=sys.stderr)
        rig.wait_until(lambda: kept.beats or kept.ended, "a beat of the stream, every 20 s", 30)
        if kept.ended:
            raise RuntimeError(f"the event stream did not last: {kept.ended}")
    return settled, agent.resident_kib()


def main():
    results, missed = {}, []

    def judge(name, value, good, bound):
        results[name] = round(value, 3)
        if not good:
            missed.append(f"{name}: {value:.3f}, the bound is {bound}")

    with rig.Rig() as machine:
        machine.start_pcscd()
        card = machine.start_vcard("medecin-cps3")
        agent = Agent(machine.directory / "agent", portals=PORTAL)
        try:
            rig.wait_until(lambda: agent.call("GET", "/v1/status").json["card"] == "present", "the card")
            bare = bare_signatures()
            results["bare_es256_per_s"] = bare
            results["bare_es256_ms"] = round(1000 / bare, 4)
            taken = latencies(agent, TOKENS)
            median = statistics.median(taken)
            judge("feature_token_ms_median", median, median <= MAX_LATENCY, MAX_LATENCY)
            results["feature_token_ms_p99"] = round(taken[len(taken) * 99 // 100], 3)
            elapsed, by_cpu = rate(agent, TOKENS)
            results["feature_tokens_per_s_elapsed"] = round(elapsed)
            judge("feature_tokens_per_core_second", by_cpu, by_cpu >= MIN_RATE, MIN_RATE)
            whole, alone, commands = renewals(machine, agent, card)
            median, own = statistics.median(whole), statistics.median(alone)
            results["bare_c_sign_ms_median"], results["bare_login_sign_logout_ms_median"] = \
                (round(one, 2) for one in bare_module())
            results["renewal_ms_median"], results["renewal_ms_least"] = round(median, 2), round(whole[0], 2)
            results["card_ms_median"], results["card_ms_least"] = round(own, 2), round(alone[0], 2)
            results["renewal_times_card"] = round(median / own, 2)
            judge("renewal_commands", len(commands), len(commands) <= MAX_COMMANDS, MAX_COMMANDS)
            judge("renewal_over_card_ms", median - own, median - own <= MAX_RENEWAL_OVER, MAX_RENEWAL_OVER)
            results["resident_kib"] = agent.resident_kib()
            if os.environ.get("CPS_BENCH_LONG") == "1":
                settled, at_last = memory(agent)
                judge("resident_kib_after_all", at_last, at_last < MAX_RESIDENT, MAX_RESIDENT)
                judge("resident_kib_growth", at_last - settled, at_last - settled <= MAX_GROWTH, MAX_GROWTH)
        finally:
            agent.stop()

    if sys.argv[1:] == ["--json"]:
        print(json.dumps(results))
    else:
        for name, value in results.items():
            print(f"{name:32} {value}")
    for line in missed:
        print(line, file=sys.stderr)
    sys.exit(1 if missed else 0)


main()
