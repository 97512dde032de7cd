"""The few PC/SC calls that tests make themselves, over libpcsclite and ctypes."""

import ctypes
import time

SCOPE_SYSTEM = 2
SHARE_EXCLUSIVE = 1
SHARE_SHARED = 2
PROTOCOL_T0 = 1
PROTOCOL_T1 = 2
LEAVE_CARD = 0
RESET_CARD = 1
UNPOWER_CARD = 2
STATE_UNAWARE = 0x0000
STATE_EMPTY = 0x0010
STATE_PRESENT = 0x0020
STATE_MUTE = 0x0200
TIMEOUT = 0x8010000A
MAX_ATR = 33
MAX_RESPONSE = 258

_long = ctypes.c_ulong
_handle = ctypes.c_long


class _ReaderState(ctypes.Structure):
    _fields_ = [("reader", ctypes.c_char_p), ("user_data", ctypes.c_void_p),
                ("current_state", _long), ("event_state", _long), ("atr_size", _long),
                ("atr", ctypes.c_ubyte * MAX_ATR)]


class _IoRequest(ctypes.Structure):
    _fields_ = [("protocol", _long), ("size", _long)]


class PcscError(Exception):
    def __init__(self, call, code):
        super().__init__(f"{call}: {code & 0xFFFFFFFF:#010x}")
        self.code = code & 0xFFFFFFFF


class Context:
    """One SCARDCONTEXT; `with` it."""

    def __init__(self):
        self._library = ctypes.CDLL("libpcsclite.so.1")
        self._context = _handle()
        self._call("SCardEstablishContext", _long(SCOPE_SYSTEM), None, None,
                   ctypes.byref(self._context))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._library.SCardReleaseContext(self._context)

    def _call(self, name, *arguments):
        code = getattr(self._library, name)(*arguments)
        if code != 0:
            raise PcscError(name, code)

    def readers(self):
        """Names of all readers; none is no error."""
        size = _long(0)
        try:
            self._call("SCardListReaders", self._context, None, None, ctypes.byref(size))
            names = ctypes.create_string_buffer(size.value)
            self._call("SCardListReaders", self._context, None, names, ctypes.byref(size))
        except PcscError as e:
            if e.code == 0x8010002E:  # SCARD_E_NO_READERS_AVAILABLE
                return []
            raise
        return [name.decode() for name in names.raw.split(b"\0") if name]

    def wait(self, reader, wanted, deadline):
        """Until `reader` shows the bit `wanted`; `deadline` of time.monotonic()."""
        state = _ReaderState(reader=reader.encode(), current_state=STATE_UNAWARE)
        while True:
            remaining = int(max(0.0, deadline - time.monotonic()) * 1000)
            self._call("SCardGetStatusChange", self._context, _long(remaining),
                       ctypes.byref(state), _long(1))
            if state.event_state & wanted:
                return bytes(state.atr[:state.atr_size])
            state.current_state = state.event_state

    def connect(self, reader, protocols=PROTOCOL_T0 | PROTOCOL_T1, share=SHARE_SHARED):
        card, protocol = _handle(), _long()
        self._call("SCardConnect", self._context, reader.encode(), _long(share),
                   _long(protocols), ctypes.byref(card), ctypes.byref(protocol))
        return Card(self, card, protocol.value)


class Card:
    """One SCARDHANDLE; `with` it."""

    def __init__(self, context, handle, protocol):
        self._context = context
        self._handle = handle
        self.protocol = protocol

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disconnect()

    def disconnect(self, disposition=LEAVE_CARD):
        self._context._library.SCardDisconnect(self._handle, _long(disposition))

    def reconnect(self, initialization=RESET_CARD):
        protocol = _long()
        self._context._call("SCardReconnect", self._handle, _long(SHARE_SHARED),
                            _long(self.protocol), _long(initialization),
                            ctypes.byref(protocol))

    def begin(self):
        """A transaction: nobody else reaches the card until `end`."""
        self._context._call("SCardBeginTransaction", self._handle)

    def end(self, disposition=LEAVE_CARD):
        self._context._call("SCardEndTransaction", self._handle, _long(disposition))

    def transmit(self, command):
        """Sends hexadecimal digits or bytes. Returns bytes, SW1-SW2 last."""
        if isinstance(command, str):
            command = bytes.fromhex(command)
        request = _IoRequest(self.protocol, ctypes.sizeof(_IoRequest))
        response = ctypes.create_string_buffer(MAX_RESPONSE)
        size = _long(MAX_RESPONSE)
        self._context._call("SCardTransmit", self._handle, ctypes.byref(request), command,
                            _long(len(command)), None, response, ctypes.byref(size))
        return response.raw[:size.value]

    def ask(self, command, get_response="00C00000"):
        """`transmit`, then GET RESPONSE while 61xx. Returns (data, SW as four digits)."""
        answer = self.transmit(command)
        data = answer[:-2]
        for _ in range(16):
            if answer[-2:-1] != b"\x61":
                break
            answer = self.transmit(bytes.fromhex(get_response) + answer[-1:])
            data += answer[:-2]
        return data, answer[-2:].hex().upper()
