#!/usr/bin/env python3
"""What the first signature costs on the card's side: our module, card never seen and card
known, beside Debian's OpenSC, all with the same virtual CPS3 in the same run.

apdu.py [--json]: commands, octets each way, and the time on the line at three speeds (T=0: 12
elementary time units a character, each procedure octet one more; ISO/IEC 7816-3:2006, 7.3).
Also how much C_Sign takes beyond the same commands sent bare. CPS_BUILD_ROOT says where the
programs are; root or sudo for the private machine."""

import hashlib
import json
import os
import pathlib
import shutil
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

import cryptoki  # noqa: E402
import rig  # noqa: E402
from module_case import AUTHENTICATION_ID, MODULE  # noqa: E402

BAUDS = (9600, 38400, 115200)
CHARACTER = 12  # elementary time units: start, eight, parity, guard time of two
ROUNDS, BLOCK = 200, 10
OPENSC = "opensc-pkcs11.so"
INFO = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(b"x").digest()


def first_signature(path):
    """Initialise, read both certificates, find by CKA_ID, log in, sign, end."""
    with cryptoki.Module(path) as module:
        slot = module.slots()[0]
        module.token_info(slot)
        session = module.open(slot)
        for certificate in session.find(CLASS=cryptoki.CERTIFICATE):
            session.attribute(certificate, cryptoki.VALUE)
        if session.login(rig.PIN) != cryptoki.OK:
            raise RuntimeError(f"{path}: login refused")
        key = session.find(CLASS=cryptoki.PRIVATE_KEY, ID=AUTHENTICATION_ID)[0]
        session.sign(key, cryptoki.RSA_PKCS, INFO)
        session.logout()


def measure(card, path):
    before = len(card.apdus())
    first_signature(path)
    lines = card.apdus()[before:]
    sent = [len(line[2:].split()) for line in lines if line.startswith("> ")]
    answered = [len(line[2:].split()) for line in lines if line.startswith("< ")]
    characters = sum(sent) + sum(answered) + len(sent)
    return {"commands": len(sent), "sent": sum(sent), "answered": sum(answered),
            "seconds": {str(b): round(characters * CHARACTER / b, 3) for b in BAUDS}}


SIGN = [bytes.fromhex("002241A406800102840182"),
        bytes.fromhex("00880000") + bytes([len(INFO)]) + INFO, bytes.fromhex("00C0000000")]


def timed(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def bare(machine):
    """Milliseconds of each signature by its commands alone."""
    with machine.connect() as card:
        def send(*commands):
            for command in commands:
                answer = card.transmit(command)
                if answer[-2] not in (0x90, 0x61):
                    raise RuntimeError(f"{command.hex()}: {answer.hex()}")

        send(bytes.fromhex("00A4090C043F000001"), bytes.fromhex("002000010831323334FFFFFFFF"))
        times = [timed(lambda: send(*SIGN)) for _ in range(BLOCK)]
        card.reconnect()
    return times


def through(module):
    """The same by C_SignInit and C_Sign, logged in."""
    session = module.open(module.slots()[0])
    if session.login(rig.PIN) != cryptoki.OK:
        raise RuntimeError("login refused")
    key = session.find(CLASS=cryptoki.PRIVATE_KEY, ID=AUTHENTICATION_ID)[0]
    session.sign(key, cryptoki.RSA_PKCS, INFO)  # reads the certificate
    times = [timed(lambda: session.sign(key, cryptoki.RSA_PKCS, INFO)) for _ in range(BLOCK)]
    session.logout()
    session.close()
    return times


def overhead(machine):
    """Medians, of blocks in turn, so that what else the machine does hits both alike."""
    alone, with_module = [], []
    with cryptoki.Module(MODULE) as module:
        for _ in range(ROUNDS // BLOCK):
            alone += bare(machine)
            with_module += through(module)
    return {"bare_ms": round(statistics.median(alone), 3),
            "module_ms": round(statistics.median(with_module), 3)}


def main():
    rig.isolate()
    with rig.Rig() as machine:
        os.environ["XDG_CACHE_HOME"] = str(machine.directory / "cache")
        os.environ["XDG_CONFIG_HOME"] = str(machine.directory / "config")
        machine.start_pcscd()
        card = machine.start_vcard("medecin-cps3")
        rows = {"cps-pkcs11, cold": measure(card, MODULE),
                "cps-pkcs11, warm": measure(card, MODULE)}
        if shutil.which("pkcs11-tool"):
            rows["OpenSC"] = measure(card, OPENSC)
        times = overhead(machine)
    if "--json" in sys.argv[1:]:
        print(json.dumps({"first_signature": rows, "sign": times}, indent=2))
        return
    head = "".join(f"{f'{b} baud':>14}" for b in BAUDS)
    print(f"{'first signature':<20}{'commands':>9}{'sent':>7}{'answered':>10}{head}")
    for name, row in rows.items():
        spent = "".join(f"{row['seconds'][str(b)]:>12.2f} s" for b in BAUDS)
        print(f"{name:<20}{row['commands']:>9}{row['sent']:>7}{row['answered']:>10}{spent}")
    print(f"C_Sign, median of {ROUNDS}: {times['module_ms']} ms; "
          f"its commands alone: {times['bare_ms']} ms")


if __name__ == "__main__":
    main()
