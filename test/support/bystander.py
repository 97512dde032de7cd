"""A second PC/SC client, which would ride on a PIN that somebody else left verified."""
import time

import winscard

PIN_STATUS = "0020000100"
VERIFIED, THREE_TRIES = "9000", "63c3"
SHARING_VIOLATION, RESET = 0x8010000B, 0x80100068


class Bystander:
    """Another program of the person, connected to the card before the agent ends: pcscd does not power the card down."""

    def __init__(self, machine):
        self.context = winscard.Context()
        self.card = self.context.connect(machine.reader())

    def stop(self):
        self.card.disconnect()
        self.context.__exit__()

    def ask(self):
        """What the card says of its PIN; None while somebody else holds it."""
        try:
            return self.card.transmit(PIN_STATUS).hex()
        except winscard.PcscError as e:
            if e.code == RESET:
                self.card.reconnect(winscard.LEAVE_CARD)
            elif e.code != SHARING_VIOLATION:
                raise
            return None

    def seconds_verified(self, deadline=15.0):
        """How long it saw the PIN verified, until it was not and stayed so."""
        began = time.monotonic()
        seen, last, quiet = 0.0, "", 0
        while quiet < 10:
            answer = self.ask()
            seen = time.monotonic() - began if answer == VERIFIED else seen
            quiet = quiet + 1 if answer == THREE_TRIES else 0
            last = answer or last
            if time.monotonic() - began > deadline:
                raise TimeoutError(f"the card last said {last!r}")
            time.sleep(0.05)
        return seen
