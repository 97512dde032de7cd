"""Cryptoki through ctypes, as bare as it is: every call answers its CKR, nothing is hidden."""

import ctypes
from ctypes import POINTER, byref, c_ubyte, c_ulong, c_void_p

OK, FUNCTION_FAILED, ARGUMENTS_BAD, NO_EVENT = 0, 6, 7, 8
FUNCTION_CANCELED, FUNCTION_NOT_SUPPORTED = 0x50, 0x54
DEVICE_ERROR, DEVICE_REMOVED = 0x30, 0x32
KEY_HANDLE_INVALID, KEY_FUNCTION_NOT_PERMITTED, MECHANISM_INVALID = 0x60, 0x68, 0x70
PIN_INCORRECT, PIN_LEN_RANGE, PIN_LOCKED = 0xA0, 0xA2, 0xA4
SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT = 0xB3, 0xE0
USER_NOT_LOGGED_IN, USER_ALREADY_LOGGED_IN = 0x101, 0x100
USER_PIN_NOT_INITIALIZED = 0x102
BUFFER_TOO_SMALL, NOT_INITIALIZED, ALREADY_INITIALIZED = 0x150, 0x190, 0x191

SO, USER = 0, 1
SERIAL, RW = 4, 2
DONT_BLOCK = 1
CANT_CREATE_OS_THREADS, OS_LOCKING_OK = 1, 2
TOKEN_PRESENT = 1
LOGIN_REQUIRED, USER_PIN_INITIALIZED, PROTECTED_AUTHENTICATION_PATH = 0x4, 0x8, 0x100
RW_PUBLIC_SESSION, RW_USER_FUNCTIONS = 2, 3
PIN_COUNT_LOW, PIN_FINAL_TRY, PIN_IS_LOCKED = 0x10000, 0x20000, 0x40000
RSA_PKCS, SHA1_RSA_PKCS, SHA256_RSA_PKCS = 1, 6, 0x40
RSA_PKCS_PSS, SHA256_RSA_PKCS_PSS = 0x0D, 0x43
CLASS, LABEL, VALUE, ID, PRIVATE = 0, 3, 0x11, 0x102, 2
CERTIFICATE, PUBLIC_KEY, PRIVATE_KEY, DATA = 1, 2, 3, 0


class Attribute(ctypes.Structure):
    _fields_ = [("type", c_ulong), ("value", c_void_p), ("size", c_ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", c_ulong), ("parameter", c_void_p), ("size", c_ulong)]


class InitializeArgs(ctypes.Structure):
    _fields_ = [("functions", c_void_p * 4), ("flags", c_ulong), ("reserved", c_void_p)]


class TokenInfo(ctypes.Structure):
    _fields_ = [("label", c_ubyte * 32), ("manufacturer", c_ubyte * 32), ("model", c_ubyte * 16),
                ("serial", c_ubyte * 16), ("flags", c_ulong), ("numbers", c_ulong * 10),
                ("versions", c_ubyte * 4), ("time", c_ubyte * 16)]


class SlotInfo(ctypes.Structure):
    _fields_ = [("description", c_ubyte * 64), ("manufacturer", c_ubyte * 32),
                ("flags", c_ulong), ("versions", c_ubyte * 4)]


class SessionInfo(ctypes.Structure):
    _fields_ = [("slot", c_ulong), ("state", c_ulong), ("flags", c_ulong), ("error", c_ulong)]


class CkError(Exception):
    def __init__(self, name, rv):
        super().__init__(f"{name}: CKR 0x{rv:X}")
        self.rv = rv


class Module:
    """The module at `path`, initialised until the end of the `with`."""

    def __init__(self, path, flags=2):
        self.library = ctypes.CDLL(str(path))
        self._flags = flags

    def __enter__(self):
        self.initialize()
        return self

    def __exit__(self, *_):
        self.call("C_Finalize", None)

    def initialize(self):
        args = InitializeArgs(flags=self._flags)
        self.must("C_Initialize", byref(args))

    def call(self, name, *arguments):
        function = getattr(self.library, name)
        function.restype = c_ulong
        return function(*arguments)

    def must(self, name, *arguments):
        rv = self.call(name, *arguments)
        if rv != OK:
            raise CkError(name, rv)

    def slots(self, with_token=True):
        count = c_ulong()
        self.must("C_GetSlotList", c_ubyte(with_token), None, byref(count))
        slots = (c_ulong * count.value)()
        self.must("C_GetSlotList", c_ubyte(with_token), slots, byref(count))
        return list(slots[:count.value])

    def token_info(self, slot):
        info = TokenInfo()
        self.must("C_GetTokenInfo", c_ulong(slot), byref(info))
        return info

    def slot_info(self, slot):
        info = SlotInfo()
        self.must("C_GetSlotInfo", c_ulong(slot), byref(info))
        return info

    def open(self, slot=None, flags=SERIAL):
        handle = c_ulong()
        slot = self.slots()[0] if slot is None else slot
        self.must("C_OpenSession", c_ulong(slot), c_ulong(flags), None, None, byref(handle))
        return Session(self, handle.value)


class Session:
    def __init__(self, module, handle):
        self.module, self.handle = module, c_ulong(handle)

    def call(self, name, *arguments):
        return self.module.call(name, self.handle, *arguments)

    def must(self, name, *arguments):
        self.module.must(name, self.handle, *arguments)

    def login(self, pin, user=USER):
        return self.call("C_Login", c_ulong(user), pin.encode(), c_ulong(len(pin)))

    def login_at_keypad(self, user=USER):
        return self.call("C_Login", c_ulong(user), None, c_ulong(0))

    def logout(self):
        return self.call("C_Logout")

    def close(self):
        return self.call("C_CloseSession")

    def state(self):
        info = SessionInfo()
        self.must("C_GetSessionInfo", byref(info))
        return info.state

    def set_pin(self, old, new):
        return self.call("C_SetPIN", old.encode(), c_ulong(len(old)), new.encode(),
                         c_ulong(len(new)))

    def set_pin_at_keypad(self):
        return self.call("C_SetPIN", None, c_ulong(0), None, c_ulong(0))

    def find(self, **wanted):
        """find(CLASS=PRIVATE_KEY, ID=b"…"): the handles."""
        kept = []
        for name, value in wanted.items():
            octets = value.to_bytes(8, "little") if isinstance(value, int) else value
            buffer = ctypes.create_string_buffer(octets, len(octets))
            kept.append((globals()[name], buffer, len(octets)))
        template = (Attribute * max(len(kept), 1))(
            *[Attribute(t, ctypes.cast(b, c_void_p), n) for t, b, n in kept])
        self.must("C_FindObjectsInit", template, c_ulong(len(kept)))
        handles, count = (c_ulong * 100)(), c_ulong()
        self.must("C_FindObjects", handles, c_ulong(100), byref(count))
        self.must("C_FindObjectsFinal")
        return list(handles[:count.value])

    def attribute(self, handle, kind):
        attribute = (Attribute * 1)(Attribute(kind, None, 0))
        self.must("C_GetAttributeValue", c_ulong(handle), attribute, c_ulong(1))
        buffer = ctypes.create_string_buffer(attribute[0].size)
        attribute[0].value = ctypes.cast(buffer, c_void_p)
        self.must("C_GetAttributeValue", c_ulong(handle), attribute, c_ulong(1))
        return buffer.raw[:attribute[0].size]

    def sign_init(self, key, mechanism, parameter=None):
        wanted = Mechanism(mechanism, None, 0)
        if parameter is not None:
            buffer = ctypes.create_string_buffer(parameter, len(parameter))
            wanted = Mechanism(mechanism, ctypes.cast(buffer, c_void_p), len(parameter))
        return self.call("C_SignInit", byref(wanted), c_ulong(key))

    def sign(self, key, mechanism, data, parameter=None):
        """The signature. @raises CkError."""
        rv = self.sign_init(key, mechanism, parameter)
        if rv != OK:
            raise CkError("C_SignInit", rv)
        signature, size = (c_ubyte * 512)(), c_ulong(512)
        self.must("C_Sign", data, c_ulong(len(data)), signature, byref(size))
        return bytes(signature[:size.value])

    def decrypt(self, key, data):
        mechanism = Mechanism(RSA_PKCS, None, 0)
        self.must("C_DecryptInit", byref(mechanism), c_ulong(key))
        clear, size = (c_ubyte * 512)(), c_ulong(512)
        self.must("C_Decrypt", data, c_ulong(len(data)), clear, byref(size))
        return bytes(clear[:size.value])
