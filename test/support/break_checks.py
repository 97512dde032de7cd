#!/usr/bin/env python3
"""Breaks one check after the other in a copy of the tree and sees that a test notices.

break_checks.py [WORD…]: only those whose description has one of the words. Exit code 1 if a test still passes with
its check broken. Root; takes about a minute for each four checks.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ["src/agent/cps-agent", "src/broker/cps-agent-broker", "tools/cpsctl/cpsctl", "src/pkcs11_client/cps-agent-worker",
           "src/poster/cps-agent-poster", "src/guard/cps-agent-guard", "pkcs11/cps-pkcs11.so", "test/unit/test-agent", "tools/vcard/cps-vcard",
           "test/support/misbehaving-module.so", "test/integration/pki.stamp"]
DEADLINE = 900  # seconds for one build after a change, or one file of tests
FIRST_BUILD = 7200  # seconds: all of it, on a machine that does other things, too

ADMISSION, SERVER, DESK = "src/agent/admission.cpp", "src/http/server.cpp", "src/agent/desk.cpp"
LIMITS, MAIN, AGENTS = "include/cps/http/server.hpp", "src/agent/main.cpp", "src/broker/agents.cpp"
GUARDS = "src/agent/card_guards.cpp"
INHERITED, LINK = "src/broker/inherited.cpp", "src/agent/broker_link.cpp"

# What is broken, in which file, from what to what; and the file of tests that must notice, with the module if it matters.
CHECKS = [
    ("another user's connection", ADMISSION, "if (*request.peer_user != user_)", "if (false)", "who_is_let_in"),
    ("the user of an adopted connection", SERVER, "{false, user_at(Door::loopback, fd)}", "{false, geteuid()}", "broker_start"),
    ("adopting what is no TCP socket", SERVER, "if (!is_tcp(fd) ||", "if (", "broker_start"),
    ("Host", ADMISSION, "if (!host || !is_our_host(*host))", "if (!host)", "who_is_let_in"),
    ("Host's port", ADMISSION, "host.substr(name.size()) == port", "host.substr(name.size()).starts_with(':')", "who_is_let_in"),
    ("an unlisted Origin", ADMISSION, "config.unknown_origins == UnknownOrigins::deny || ", "", "who_is_let_in"),
    ("Origin null taken for a portal's", ADMISSION, "const auto origin = text ? token::Origin::parse(*text)",
     'const auto origin = text && *text != "null" ? token::Origin::parse(*text) : text ? '
     'token::Origin::parse("https://amelipro.example")', "who_is_let_in"),
    ("http where it is not allowed", ADMISSION, " && !config_->allow_http_loopback)", " && false)", "unit agent"),
    ("Sec-Fetch-Mode", ADMISSION, 'request.count("Sec-Fetch-Mode") != 0 && ', "false && ", "who_is_let_in"),
    ("a worker's script", ADMISSION, 'if (request.count("Service-Worker") != 0)', "if (false)", "who_is_let_in"),
    ("the media type", ADMISSION, "if (!content_type || !is_json(*content_type))", "if (false)", "who_is_let_in"),
    ("CPS-Agent", ADMISSION, 'if (request.field("CPS-Agent") != "1")', "if (false)", "who_is_let_in"),
    ("the page in a frame", ADMISSION, ' && is("Sec-Fetch-Dest", "document")', "", "who_is_let_in"),
    ("the page by fetch", ADMISSION, 'is("Sec-Fetch-Mode", "navigate") && ', "", "who_is_let_in"),
    ("the page with an Origin", ADMISSION, 'admitted && request.count("Origin") == 0 &&', "admitted &&", "who_is_let_in"),
    ("the page's files for another site", ADMISSION, ' && is("Sec-Fetch-Site", "same-origin")', "", "who_is_let_in"),
    ("the page's calls from another site", ADMISSION, 'request.field("Sec-Fetch-Site") == "same-origin" &&', "", "who_is_let_in"),
    ("the page's calls with another Origin", ADMISSION, '''case PagePart::call:
        admitted = admitted && is("Origin", own) &&''', '''case PagePart::call:
        admitted = admitted &&''', "who_is_let_in"),
    ("the page's calls without CPS-Agent", ADMISSION, ' &&\n                   request.field("CPS-Agent") == "1"', "", "who_is_let_in"),
    ("the head's size", LIMITS, "head = 8 * 1024", "head = 80 * 1024", "agent_http"),
    ("the body's size", LIMITS, "body = 64 * 1024", "body = 640 * 1024", "agent_http"),
    ("the header's time", LIMITS, "header_time{5}", "header_time{50}", "agent_http"),
    ("the number of connections", LIMITS, "connections = 64", "connections = 6400", "agent_http"),
    ("room for new connections", "src/http/connections.cpp", "if (longest)\n        longest->close();\n    return longest != nullptr;",
     "return false;", "agent_http"),
    ("one dialog at a time", DESK, ": busy_)", ": false)", "agent_card"),
    ("the pause after a refusal", DESK, "if (!silent && cool_down_.must_wait(request.origin, request.received))",
     "if (false)", "agent_card"),
    ("a dialog's minute", "src/agent/signing.cpp", "dialog_time{60}", "dialog_time{600}", "who_is_let_in"),
    ("the control socket's peer", SERVER, "if (door == Door::own_user && user != geteuid())", "if (false)", "who_is_let_in"),
    ("the control socket's mode", SERVER, "own_user ? 0600 : 0660", "own_user ? 0666 : 0660", "who_is_let_in"),
    ("the runtime folder's owner", "src/agent/runtime_dir.cpp", " ||\n        info.st_uid != ::geteuid())", ")", "who_is_let_in"),
    ("the log of a squatted port", MAIN, "log::error(\"port 27743", "log::debug(\"port 27743", "who_is_let_in"),
    ("the journal of a squatted port", MAIN, "if (!broker && port != first_port)", "if (false)", "who_is_let_in"),
    ("the doctor on a squatted port", "tools/cpsctl/examination.cpp", "if (!holder || !is_broker(*holder, broker_))", "if (false)", "who_is_let_in"),
    ("both addresses or none", SERVER, "if (e.native() == EADDRINUSE)", "if (e.native() == EADDRINUSE && !v4.fd)", "who_is_let_in"),
    ("whose agent gets a connection", AGENTS, "const auto agent = find(user);", "const auto agent = agents_.begin();", "broker"),
    ("one agent a user", AGENTS, "known != agents_.end()         ? Verdict::taken", "false ? Verdict::taken", "broker"),
    ("an agent's death", AGENTS, "if (answered == 0 || answered", "if (answered", "broker"),
    ("what an agent may say", AGENTS, "answered > agent.unanswered ||", "", "broker"),
    ("what an agent leaves unanswered", AGENTS, "if (agent->unanswered == max_unanswered)", "if (false)", "broker"),
    ("how many agents", AGENTS, "agents_.size() == max_agents", "false", "broker"),
    ("an address for other machines", INHERITED, 'must(port != 0, ', 'must(port != 0 || true, ', "broker_start"),
    ("two ports", INHERITED, "taken.port == 0 || taken.port == port", "true", "broker_start"),
    ("sockets for another process", INHERITED, 'number_in("LISTEN_PID") == getpid()', "true", "broker_start"),
    ("whose the broker's socket is", LINK, "if (!user || (*user != 0 && *user != ::geteuid()))", "if (false)", "broker_start"),
    ("the broker's verdict", LINK, 'throw Error{Errc::internal, "another agent of this user is at the broker"};', "return greeting.port;", "broker"),
    ("finding the broker again", LINK, "connect_again();\n    });", "return;\n    });", "broker"),
    ("the doctor's word for the broker", "tools/cpsctl/port_holder.cpp", "holder.user != 0 || ", "", "broker"),
    ("who could have put the broker's socket there", "tools/cpsctl/port_holder.cpp",
     "((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0)", "false", "broker"),
    ("the guard's duty", GUARDS, 'return ::send(guard.fd(), "!", 1, MSG_NOSIGNAL) == 1;', "return guard.fd() >= 0;",
     "card_left_unverified with opensc"),
    ("a guard that only stands by", "src/guard/main.cpp", "if (!put_on_duty())\n        return 0;", "(void)put_on_duty();",
     "card_left_unverified"),
    ("the certificate on the card", "src/pkcs11_client/key_session.cpp", "value{own_module_value_on_card,", "value{CKA_VALUE,",
     "agent_ready_worker"),
    ("a flag on the PIN before a renewal", "src/agent/signing.cpp", "if (kept && chosen.on_token.tries_left != 3)",
     "if (false)", "agent_sessions"),
]


def quiet(*command, deadline=DEADLINE, **more):
    with tempfile.TemporaryFile("w+") as said:  # no pipe: what a broken test leaves behind would hold it open
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=said,
                              stderr=subprocess.DEVNULL, timeout=deadline, check=False, **more)
        said.seek(0)
        done.stdout = said.read()
        return done


def build(tree, deadline=DEADLINE):
    made = quiet("ninja", "-C", tree / "build", *TARGETS, deadline=deadline)
    return "" if made.returncode == 0 else made.stdout[-2000:]


def failures(tree, name):
    """Names of the tests that fail; none where all pass."""
    if name.startswith("unit "):
        run = quiet(tree / "build/test/unit" / name.replace("unit ", "test-"), "--reporters=tap")
        return [line for line in run.stdout.splitlines() if line.startswith("not ok")]
    name, _, module = name.partition(" with ")
    environment = {**os.environ, "CPS_BUILD_ROOT": str(tree / "build"), "CPS_TEST_PKI": str(tree / "build/test/integration/pki")}
    if module:
        environment["CPS_TEST_MODULE"] = module
    run = quiet(sys.executable, tree / "test/support/tap.py", tree / f"test/integration/{name}_test.py", env=environment)
    return [line for line in run.stdout.splitlines() if line.startswith("not ok")]


def main(words):
    chosen = [one for one in CHECKS if not words or any(word in one[0] for word in words)]
    tree = pathlib.Path(tempfile.mkdtemp(prefix="cps-broken-")) / "tree"
    survived = 0
    try:
        tree.parent.chmod(0o755)
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build*", ".git", "node_modules"), symlinks=True)
        quiet("meson", "setup", "-Dwerror=false", tree / "build", tree)
        if why := build(tree, FIRST_BUILD):
            print(why)
            return 2
        for what, file, right, wrong, test in chosen:
            path = tree / file
            text = path.read_text()
            if text.count(right) != 1:
                print(f"stale     {what}: not once in {file}", flush=True)
                survived += 1
                continue
            path.write_text(text.replace(right, wrong))
            if why := build(tree):
                print(f"no build  {what}: {why}", flush=True)
                survived += 1
            elif failed := failures(tree, test):
                print(f"noticed   {what}: {failed[0].split(' - ')[-1]}" + f" (and {len(failed) - 1} more)" * (len(failed) > 1), flush=True)
            else:
                print(f"SURVIVED  {what}: {test} still passes", flush=True)
                survived += 1
            path.write_text(text)
    finally:
        shutil.rmtree(tree.parent)
    print(f"{len(chosen)} checks broken, {survived} without notice")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
