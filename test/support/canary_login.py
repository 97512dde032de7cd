"""canary_login.py MODULE HIDDEN: logs in and out with a code that this process itself never holds as a whole but in one
buffer, which it wipes; then waits for its standard input to close. HIDDEN: the code's digits, each plus 64, as hexadecimal."""
import ctypes
import sys

import cryptoki

hidden = bytes.fromhex(sys.argv[2])
pin = (ctypes.c_ubyte * len(hidden))()
with cryptoki.Module(sys.argv[1]) as module:
    session = module.open()
    for i, octet in enumerate(hidden):
        pin[i] = octet - 64
    rv = session.call("C_Login", ctypes.c_ulong(cryptoki.USER), pin, ctypes.c_ulong(len(pin)))
    ctypes.memset(pin, 0, len(pin))
    print(f"in {rv:X}", flush=True)
    sys.stdin.readline()
    session.logout()
    print("out", flush=True)
    sys.stdin.readline()
