"""A QMP connection: commands to one QEMU, and the events that it sends on its own.

Assumes that QEMU was told to connect to the listening socket, so that there is no moment at which
it runs and nobody listens. machine.py builds on it.
"""

import json
import select
import socket


class QmpError(Exception):
    """QEMU refused a command."""


class QmpClosed(Exception):
    """QEMU is gone."""


class Qmp:
    def __init__(self, path):
        self.events = []
        self._buffer = b""
        self._connection = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(1)

    def accept(self, timeout_s):
        """Wait for QEMU and end the greeting; False if it did not come in time."""
        if not select.select([self._listener], [], [], timeout_s)[0]:
            return False
        self._connection, _ = self._listener.accept()
        while not self._messages(None):
            pass
        self.command("qmp_capabilities")
        return True

    def close(self):
        for end in (self._connection, self._listener):
            if end is not None:
                end.close()

    def command(self, name, **arguments):
        """Run one command and give what it returns."""
        request = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        try:
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpClosed(str(error)) from error
        while True:
            for message in self._messages(None):
                if "error" in message:
                    raise QmpError(f"{name}: {message['error']['desc']}")
                if "return" in message:
                    return message["return"]

    def poll(self, timeout_s):
        """Take in what QEMU says within the time; returns sooner when it says something."""
        self._messages(timeout_s)

    def _messages(self, timeout_s):
        """The next messages, with the events put aside; waits for ever if timeout_s is None."""
        if not select.select([self._connection], [], [], timeout_s)[0]:
            return []
        try:
            received = self._connection.recv(65536)
        except OSError as error:
            raise QmpClosed(str(error)) from error
        if not received:
            raise QmpClosed("end of file")
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        messages = [json.loads(line) for line in lines if line.strip()]
        self.events += [message for message in messages if "event" in message]
        return [message for message in messages if "event" not in message]
