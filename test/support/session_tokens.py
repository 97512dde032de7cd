"""Session, feature and revoke tokens as docs/token-profile.md has them, judged with openssl alone: a second hand
that knows the profile. And a portal's revoke address that notes what it is told."""
import base64
import hashlib
import http.server
import json
import ssl
import subprocess
import tempfile
import threading
import time

from agent_process import b64url, b64url_decode

P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" "04")
FEATURE_CLAIMS = ["aud", "cth", "iat", "exp", "jti", "seq", "feat", "htm", "htu", "rid"]


def parts(token):
    header, payload, signature = token.split(".")
    return json.loads(b64url_decode(header)), json.loads(b64url_decode(payload)), b64url_decode(signature)


def _verified(public_pem, signed, signature):
    with tempfile.TemporaryDirectory() as folder:
        for name, octets in (("key", public_pem), ("signature", signature)):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(octets)
        return subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", f"{folder}/key", "-signature", f"{folder}/signature"],
            input=signed, capture_output=True, timeout=20, check=False).returncode == 0


def _der_integer(octets):
    octets = octets.lstrip(b"\0") or b"\0"
    if octets[0] & 0x80:
        octets = b"\0" + octets
    return b"\x02" + bytes([len(octets)]) + octets


def _pem(der):
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"


def es256_is_good(token, jwk):
    """Whether the key `jwk` signed `token`."""
    signed, _, signature = token.rpartition(".")
    raw = b64url_decode(signature)
    body = _der_integer(raw[:32]) + _der_integer(raw[32:])
    spki = P256_SPKI + b64url_decode(jwk["x"]) + b64url_decode(jwk["y"])
    return len(raw) == 64 and _verified(_pem(spki), signed.encode(), b"\x30" + bytes([len(body)]) + body)


def card_signature_is_good(token):
    """Whether the card whose certificate is in `x5c` signed `token`."""
    header, _, signature = parts(token)
    key = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-pubkey"],
                         input=base64.b64decode(header["x5c"][0]), capture_output=True, timeout=20, check=True).stdout
    return _verified(key, token.rpartition(".")[0].encode(), signature)


def thumbprint(jwk):
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def cth(token):
    return b64url(hashlib.sha256(token.encode()).digest())


class RevokeReceiver:
    """The revoke address of a portal on loopback. `status`: what it answers; `told`: (when, path, body) of each
    request, `when` of time.monotonic()."""

    def __init__(self, status=204, location=None, silent=False, tls=None):
        receiver = self
        self.told = []
        self.hold = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append((time.monotonic(), self.path, json.loads(body)))
                if silent:
                    receiver.hold.wait(30)
                    return
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        if tls:  # (certificate, key): PEM files, for localhost
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.origin = f"https://localhost:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def tokens(self):
        return [body["token"] for _, _, body in self.told]

    def stop(self):
        self.hold.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
