"""Card tokens as docs/token-profile.md has them, signed with a test card's key through openssl: a second hand
that knows the profile, so that the portal is not judged by the agent's own code."""
import base64
import hashlib
import json
import secrets
import subprocess
import time


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def request_id(query="", body=""):
    return b64url(hashlib.sha256(query.encode() + b"\n" + body.encode()).digest())


class Card:
    """A card's authentication pair from a folder that cps-pki made."""

    def __init__(self, folder, holder):
        self.folder = folder
        self.holder = holder  # the certificate's CN

    def sign(self, octets):
        return subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.folder / "auth.key"],
            input=octets, capture_output=True, check=True, timeout=20,
        ).stdout

    def token(self, header, claims):
        signed = b64url(json.dumps(header).encode()) + "." + b64url(json.dumps(claims).encode())
        return signed + "." + b64url(self.sign(signed.encode()))

    def request_token(self, challenge, origin, path, query, method="GET", header=None, **changes):
        """A request token for that challenge and request; `changes` alter claims, None takes one away."""
        issued = challenge["ts"]
        claims = {
            "iss": self.holder, "sub": self.holder, "aud": origin, "nonce": challenge["nonce"],
            "jti": b64url(secrets.token_bytes(16)), "iat": issued, "exp": issued + 60, "auth_time": issued,
            "amr": ["sc", "pin", "hwk", "mfa"], "feat": challenge["feat"],
            "htm": method, "htu": origin + path, "rid": request_id(query), **changes,
        }
        certificate = base64.b64encode((self.folder / "auth.der").read_bytes()).decode()
        header = {"alg": "RS256", "typ": "cps-request+jwt", "x5c": [certificate], **(header or {})}
        return self.token(header, {name: value for name, value in claims.items() if value is not None})


def own_challenge(feature="infopatient.read"):
    """A challenge that no portal has made."""
    return {"v": 1, "nonce": b64url(secrets.token_bytes(32)), "ts": int(time.time()), "feat": [feature], "ttl": 60}
