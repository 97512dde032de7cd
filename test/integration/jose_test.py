"""Tokens of ours before a verifier in another language: test/integration/jose, written from
the profile alone with npm `jose` and node:crypto. It must accept what `cpsctl verify` accepts,
refuse what it refuses, and for the same reason."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD_ROOT = pathlib.Path(os.environ.get("CPS_BUILD_ROOT", HERE.parents[1] / "build"))
PKI = pathlib.Path(os.environ.get("CPS_TEST_PKI", BUILD_ROOT / "test" / "integration" / "pki"))

ORIGIN = "https://portal.example"
FEATURE = "infopatient.read"
HTM, HTU = "POST", f"{ORIGIN}/patient"
QUERY, BODY = b"rights=1", b'{"nir":"255081416802538"}'
DEADLINE = 60  # seconds for one run of a program


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


RID = b64url(hashlib.sha256(QUERY + b"\n" + BODY).digest())
NONCE, OTHER_NONCE = b64url(bytes(32)), b64url(bytes([1]) * 32)


def card(name):
    return PKI / "cards" / name


def forge(*options, card_name="medecin-cps3", kind="login", at=None, nonce=NONCE):
    """A token by cps-forge; `options` spoil it."""
    command = [BUILD_ROOT / "test/support/cps-forge", "--card", card(card_name),
               "--origin", ORIGIN, "--nonce", nonce]
    if kind == "request":
        command += ["--feature", FEATURE, "--htm", HTM, "--htu", HTU, "--rid", RID]
    if at is not None:
        command += ["--at", str(at)]
    return subprocess.run([*command, *options], check=True, capture_output=True, text=True,
                          timeout=DEADLINE).stdout.strip()


def changed(**claims):
    return ["--set-claims", json.dumps(claims)]


def changed_header(**keys):
    return ["--set-header", json.dumps(keys)]


def case(token, at, kind="login", **context):
    """One line for run.mjs: what the portal expects, changed by `context`."""
    expected = {"kind": kind, "origin": ORIGIN, "session": "", "trust": str(PKI / "trust.pem")}
    if kind == "request":
        expected.update(feature=FEATURE, htm=HTM, htu=HTU, rid=RID)
    expected.update(context)
    # Handed out as long ago as is allowed: the rule of cpsctl, which has no records.
    record = {"session": "", "feat": [expected.get("feature", "login")], "issued": at - 120}
    expected.setdefault("records", {expected.pop("nonce", NONCE): record})
    return {"token": token, "context": expected, "at": at}


def ask_jose(cases):
    """The verdicts of the JavaScript verifier."""
    answer = subprocess.run(["node", HERE / "jose" / "run.mjs"], check=False, text=True,
                            input="".join(json.dumps(c) + "\n" for c in cases),
                            capture_output=True, timeout=DEADLINE)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr)
    return [json.loads(line)["verdict"] for line in answer.stdout.splitlines()]


def ask_cpsctl(one):
    """The verdict of `cpsctl verify` on the same case."""
    context = one["context"]
    command = [BUILD_ROOT / "tools/cpsctl/cpsctl", "verify", "--ca", context["trust"],
               "--origin", context["origin"], "--nonce", next(iter(context["records"])),
               "--kind", context["kind"], "--at", str(one["at"])]
    for flag in ("feature", "htm", "htu", "rid"):
        if flag in context:
            command += [f"--{flag}", context[flag]]
    answer = subprocess.run(command, check=False, text=True, input=one["token"],
                            capture_output=True, timeout=DEADLINE)
    if answer.returncode not in (0, 1):
        raise RuntimeError(answer.stderr)
    return "accepted" if answer.returncode == 0 else answer.stderr.split()[0]


class JoseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("node") is None:
            raise unittest.SkipTest("node is not installed")
        if not (HERE / "jose" / "node_modules" / "jose").is_dir():
            raise unittest.SkipTest("npm ci has not run in test/integration/jose")
        cls.now = int(time.time())
        cls.login = forge(at=cls.now)
        cls.request = forge(at=cls.now, kind="request")

    def check(self, cases):
        """`cases`: {what: (case, code)}. Both verifiers must give that code."""
        verdicts = ask_jose([one for one, _ in cases.values()])
        self.assertEqual(len(verdicts), len(cases))
        for (what, (one, code)), verdict in zip(cases.items(), verdicts):
            with self.subTest(what):
                self.assertEqual(verdict, code, "jose")
                self.assertEqual(ask_cpsctl(one), code, "cpsctl")

    def spoilt(self, kind, *options, **context):
        return case(forge(*options, kind=kind, at=self.now), self.now, kind, **context)

    def test_good_tokens_of_all_cards_are_accepted(self):
        cases = {}
        for name in ("medecin-cps3", "infirmiere-cps4", "pharmacien-cps3", "cpe-cps3",
                     "accents-cps3"):
            for kind in ("login", "request"):
                for alg in ("RS256", "PS256"):
                    token = forge("--alg", alg, card_name=name, kind=kind, at=self.now)
                    cases[f"{name} {kind} {alg}"] = (case(token, self.now, kind), "accepted")
        self.check(cases)

    def test_an_expired_card_is_refused(self):
        token = forge(card_name="expiree-cps3", at=self.now)
        self.check({"expired": (case(token, self.now), "cert_expired")})

    def test_a_card_of_an_authority_that_is_not_pinned_is_refused(self):
        trust = str(PKI / "tls-ca.pem")
        self.check({"other": (case(self.login, self.now, trust=trust), "cert_untrusted")})

    def test_one_changed_character_anywhere_is_refused(self):
        for kind, token in (("login", self.login), ("request", self.request)):
            cases = []
            for at, old in enumerate(token):
                other = "B" if old == "A" else "A"
                cases.append(case(token[:at] + other + token[at + 1:], self.now, kind))
            verdicts = ask_jose(cases)
            self.assertEqual(len(verdicts), len(token))
            self.assertNotIn("accepted", verdicts)
            # Of our verifier the unit tests try every place; here one in each region.
            for at in range(7, len(token), len(token) // 20):
                self.assertNotEqual(ask_cpsctl(cases[at]), "accepted")

    def test_one_changed_octet_of_the_certificate_is_refused_though_the_token_is_signed(self):
        der = (card("medecin-cps3") / "auth.der").read_bytes()
        cases = []
        for at in range(0, len(der), 40):
            spoilt = der[:at] + bytes([der[at] ^ 1]) + der[at + 1:]
            x5c = [base64.b64encode(spoilt).decode()]
            cases.append(self.spoilt("login", *changed_header(x5c=x5c)))
        for one, verdict in zip(cases, ask_jose(cases)):
            self.assertNotEqual(verdict, "accepted")
            self.assertNotEqual(ask_cpsctl(one), "accepted")

    def test_another_origin_nonce_feature_or_request_is_refused(self):
        def login(**context):
            return case(self.login, self.now, **context)

        def request(**context):
            return case(self.request, self.now, "request", **context)

        rid = b64url(hashlib.sha256(QUERY + b"\n" + BODY + b" ").digest())
        self.check({
            "login": (login(), "accepted"),
            "origin": (login(origin="https://other.example"), "audience_mismatch"),
            "port": (login(origin=f"{ORIGIN}:8443"), "audience_mismatch"),
            "nonce": (login(nonce=OTHER_NONCE), "nonce_unknown"),
            "request": (request(), "accepted"),
            "request's nonce": (request(nonce=OTHER_NONCE), "nonce_unknown"),
            "feature": (request(feature="infopatient.write"), "feature_refused"),
            "method": (request(htm="GET"), "request_mismatch"),
            "address": (request(htu=HTU + "/"), "request_mismatch"),
            "content": (request(rid=rid), "request_mismatch"),
        })

    def test_another_time_is_refused(self):
        self.check({
            "64 s later": (case(self.login, self.now + 64), "accepted"),
            "65 s later": (case(self.login, self.now + 65), "token_expired"),
            "5 s earlier": (case(self.login, self.now - 5), "accepted"),
            "6 s earlier": (case(self.login, self.now - 6), "token_not_yet_valid"),
            "61 s long": (self.spoilt("login", *changed(exp=self.now + 61)),
                          "lifetime_refused"),
            "no time long": (self.spoilt("login", *changed(exp=self.now)), "lifetime_refused"),
            "PIN to come": (self.spoilt("login", *changed(auth_time=self.now + 6)),
                            "claims_refused"),
        })

    def test_a_nonce_is_good_for_its_session_its_feature_and_two_minutes(self):
        def record(session="", feat="login", issued=self.now):
            return {NONCE: {"session": session, "feat": [feat], "issued": issued}}

        cases = {
            "good": (record(), "accepted"),
            "session": (record(session="other"), "nonce_mismatch"),
            "feature": (record(feat=FEATURE), "nonce_mismatch"),
            "two minutes": (record(issued=self.now - 120), "accepted"),
            "later": (record(issued=self.now - 121), "nonce_stale"),
            "after the token": (record(issued=self.now + 6), "nonce_mismatch"),
        }
        verdicts = ask_jose([case(self.login, self.now, records=r) for r, _ in cases.values()])
        self.assertEqual(verdicts, [code for _, code in cases.values()])

    def test_a_token_of_one_kind_is_refused_for_another(self):
        self.check({
            "login for request": (case(self.login, self.now, "request"), "typ_refused"),
            "request for login": (case(self.request, self.now), "typ_refused"),
        })

    def test_a_changed_header_is_refused_though_it_is_signed(self):
        der = (card("medecin-cps3") / "auth.der").read_bytes()
        x5c = base64.b64encode(der).decode()
        changes = {
            "typ": (changed_header(typ="JWT"), "typ_refused"),
            "session's typ": (changed_header(typ="cps-session+jwt"), "typ_refused"),
            "alg": (changed_header(alg="PS256"), "signature_invalid"),
            "none": (changed_header(alg="none"), "alg_refused"),
            "HS256": (changed_header(alg="HS256"), "alg_refused"),
            "jwk": (changed_header(jwk={"kty": "RSA"}), "header_refused"),
            "jku": (changed_header(jku=ORIGIN), "header_refused"),
            "x5u": (changed_header(x5u=ORIGIN), "header_refused"),
            "crit": (changed_header(crit=["exp"]), "header_refused"),
            "kid": (changed_header(kid="1"), "header_refused"),
            "no x5c": (changed_header(x5c=[]), "header_refused"),
            "two x5c": (changed_header(x5c=[x5c, x5c]), "header_refused"),
            "x5c of base64url": (changed_header(x5c=[b64url(der)]), "header_refused"),
            "x5c of nothing": (changed_header(x5c=["AAAA"]), "cert_untrusted"),
            "x5c with more": (changed_header(x5c=[base64.b64encode(der + b"\0").decode()]),
                              "cert_untrusted"),
            "without alg": (["--drop-header", "alg"], "header_refused"),
            "without typ": (["--drop-header", "typ"], "header_refused"),
            "without x5c": (["--drop-header", "x5c"], "header_refused"),
        }
        self.check({what: (self.spoilt("login", *options), code)
                    for what, (options, code) in changes.items()})

    def test_changed_claims_are_refused_though_they_are_signed(self):
        changes = {
            "one more": (changed(acr="eidas3"), "claims_refused"),
            "iss": (changed(iss="899700000000"), "claims_refused"),
            "iss and sub": (changed(iss="899700000000", sub="899700000000"),
                            "identity_mismatch"),
            "aud": (changed(aud="https://other.example"), "audience_mismatch"),
            "list of aud": (changed(aud=[ORIGIN]), "claims_refused"),
            "nonce": (changed(nonce=OTHER_NONCE), "nonce_unknown"),
            "short nonce": (changed(nonce="AAAA"), "claims_refused"),
            "jti": (changed(jti="AAAA"), "claims_refused"),
            "text of iat": (changed(iat=str(self.now)), "claims_refused"),
            "amr": (changed(amr=["sc", "hwk", "mfa"]), "claims_refused"),
            "text of feat": (changed(feat=FEATURE), "claims_refused"),
            "feat": (changed(feat=["infopatient.write"]), "feature_refused"),
            "two of feat": (changed(feat=[FEATURE, "login"]), "claims_refused"),
            "htm": (changed(htm="GET"), "request_mismatch"),
            "htu": (changed(htu=HTU + "/x"), "request_mismatch"),
            "rid": (changed(rid=OTHER_NONCE), "request_mismatch"),
            "number of rid": (changed(rid=1), "claims_refused"),
        }
        cases = {what: (self.spoilt("request", *options), code)
                 for what, (options, code) in changes.items()}
        for name in json.loads(from_b64url(self.request.split(".")[1])):
            cases[f"without {name}"] = (self.spoilt("request", "--drop-claim", name),
                                        "claims_refused")
        cases["login with htm"] = (self.spoilt("login", *changed(htm=HTM)), "claims_refused")
        cases["login for more"] = (self.spoilt("login", *changed(feat=["login", FEATURE])),
                                   "feature_refused")
        self.check(cases)

    def test_a_changed_payload_or_header_under_the_old_signature_is_refused(self):
        header, payload, signature = self.login.split(".")
        claims = json.loads(from_b64url(payload))
        claims["jti"] = b64url(bytes([7]) * 16)
        keys = json.loads(from_b64url(header))
        keys["alg"] = "PS256"

        def encoded(value):
            return b64url(json.dumps(value).encode())

        tokens = {"payload": f"{header}.{encoded(claims)}.{signature}",
                  "header": f"{encoded(keys)}.{payload}.{signature}",
                  "spelling": f"{header}.{encoded(json.loads(from_b64url(payload)))}.{signature}",
                  "no signature": (f"{header}.{payload}.", "malformed"),
                  "another's": f"{header}.{payload}.{self.request.split('.')[2]}"}
        self.check({what: (case(t[0], self.now), t[1]) if isinstance(t, tuple)
                    else (case(t, self.now), "signature_invalid")
                    for what, t in tokens.items()})

    def test_a_member_named_twice_is_refused_though_it_is_signed(self):
        # The last feat would be good.
        header, payload, _ = self.login.split(".")
        twice = b'{"feat":["other"],' + from_b64url(payload)[1:]
        doubled = b'{"alg":"none",' + from_b64url(header)[1:]
        self.check({
            "claim": (case(self.sign(header, b64url(twice)), self.now), "malformed"),
            "key": (case(self.sign(b64url(doubled), payload), self.now), "malformed"),
            "neither": (case(self.sign(header, payload), self.now), "accepted"),
        })

    def sign(self, header, payload):
        """RS256 by OpenSSL's own tool: neither of the two parties made this token."""
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", card("medecin-cps3") / "auth.key"],
            input=f"{header}.{payload}".encode(), check=True, capture_output=True,
            timeout=DEADLINE).stdout
        return f"{header}.{payload}.{b64url(signature)}"


if __name__ == "__main__":
    unittest.main()
