"""sign_in_loop.py MODULE ROUNDS: login, sign, logout, again and again, as one of several
processes. Prints each signature in hexadecimal, or the CKR that stood in its way."""

import sys

import cryptoki

MESSAGE = b"a message of no importance"

with cryptoki.Module(sys.argv[1]) as module:
    for _ in range(int(sys.argv[2])):
        session = module.open(0)
        try:
            rv = session.login("1234")
            if rv != cryptoki.OK:
                raise cryptoki.CkError("C_Login", rv)
            keys = session.find(CLASS=cryptoki.PRIVATE_KEY)
            if not keys:
                raise cryptoki.CkError("C_FindObjects", cryptoki.USER_NOT_LOGGED_IN)
            print(session.sign(keys[0], cryptoki.SHA256_RSA_PKCS, MESSAGE).hex())
        except cryptoki.CkError as refused:
            print(f"{refused.rv:X}")
        session.logout()
        session.close()
