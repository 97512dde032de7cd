"""A page's event stream, read on a thread of its own."""
import dataclasses
import http.client
import json
import threading
import time

import rig
from agent_process import ORIGIN

PATIENCE = 30.0  # seconds


@dataclasses.dataclass
class Event:
    at: float  # time.monotonic()
    name: str
    data: dict


class EventStream:
    """Opens `path` as a browser's EventSource would; `with` it, or call `close`."""

    def __init__(self, agent, origin=ORIGIN, path="/v1/events", headers=None):
        self._connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=120)
        sent = {"Host": f"127.0.0.1:{agent.port}", "Origin": origin, "Sec-Fetch-Mode": "cors",
                "Accept": "text/event-stream", "Cache-Control": "no-cache", **(headers or {})}
        self._connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                self._connection.putheader(name, value)
        self._connection.endheaders()
        self._socket = self._connection.sock
        self.answer = self._connection.getresponse()
        self.status = self.answer.status
        self.events, self.beats, self.retry, self.ended = [], [], None, None
        self._reading = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self._reading.start()
        else:
            self.body = self.answer.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self._socket.shutdown(2)
        except OSError:
            pass
        if self._reading.ident:
            self._reading.join(10)
        self.answer.close()
        self._connection.close()

    def _read(self):
        name, data = None, None
        try:
            while line := self.answer.readline():
                at, field, value = time.monotonic(), *line.decode().rstrip("\n").partition(":")[::2]
                if line == b":\n":
                    self.beats.append(at)
                elif field == "event":
                    name = value.strip()
                elif field == "data":
                    data = json.loads(value)
                elif field == "retry":
                    self.retry = int(value)
                elif line == b"\n" and name:
                    self.events.append(Event(at, name, data))
                    name = None
            self.ended = "closed"
        except OSError as error:
            self.ended = repr(error)

    def found(self, name, **data):
        """The events of that name with these members."""
        return [one for one in list(self.events) if one.name == name and data.items() <= one.data.items()]

    def wait_for(self, name, **data):
        """The first such event."""
        return rig.wait_until(lambda: self.found(name, **data), f"the event {name} {data}", PATIENCE)[0]

    def wait_for_end(self):
        return rig.wait_until(lambda: self.ended, "the end of the stream", PATIENCE)
