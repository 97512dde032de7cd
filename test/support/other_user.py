"""Being another user of the machine, as the kernel sees it: for root alone.

A socket belongs to whoever makes it (SO_PEERCRED, sock_diag): what `acting_as` opens is theirs for good.
The codec is imported now: another user may not read this interpreter's files.
"""
import contextlib
import encodings.idna  # pylint: disable=unused-import
import http.client
import os
import socket

from agent_process import Answer

# Users without a name, far from those that people have. Not 65534, who may be anybody.
ANNE, BERT, CARL = 41001, 41002, 41003


@contextlib.contextmanager
def acting_as(user):
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def connection_of(user, port, host="127.0.0.1", timeout=10.0):
    with acting_as(user):
        return socket.create_connection((host, port), timeout=timeout)


def local_connection_of(user, path, timeout=10.0):
    with acting_as(user):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(timeout)
        made.connect(str(path))
        return made


def call_as(user, port, path="/v1/hello", origin="https://amelipro.example", host="127.0.0.1"):
    """What a page of that user is answered; None where the connection is closed without a word."""
    name = f"[{host}]" if ":" in host else host
    client = http.client.HTTPConnection(host, port)
    client.sock = connection_of(user, port, host)
    try:
        client.request("GET", path, headers={"Host": f"{name}:{port}", "Origin": origin, "Sec-Fetch-Mode": "cors"})
        return Answer(client.getresponse())
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        return None
    finally:
        client.close()
