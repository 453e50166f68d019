"""The demo's mail server: takes every message and keeps it as a file; nothing leaves this machine.

Usage: demo_mail.py PORT FOLDER
"""

import re
import socketserver
import sys
from email import message_from_bytes, policy
from pathlib import Path

MOST_BYTES = 50_000_000


class Talk(socketserver.StreamRequestHandler):
    """One SMTP session."""

    timeout = 120

    def handle(self):
        """Answer until the other side says QUIT or goes away."""
        self._say("220 demo")
        for line in self.rfile:
            verb = line.strip().upper()
            if verb.startswith(b"DATA"):
                self._say("354 go on")
                if not self._take():
                    return
            elif verb.startswith(b"QUIT"):
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def _take(self):
        """Read a message to its end; returns False when it never came. Kept before the sender is told."""
        lines, size = [], 0
        for line in self.rfile:
            if line == b".\r\n":
                self.server.keep(b"".join(lines))
                self._say("250 taken")
                return True
            size += len(line)
            if size > MOST_BYTES:
                return False
            lines.append(line[1:] if line.startswith(b"..") else line)
        return False


class Sink(socketserver.ThreadingTCPServer):
    """A mail server that writes NUMBER.eml into ``folder`` for each message."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        super().__init__(("127.0.0.1", port), Talk)

    def keep(self, content):
        """Write a message under the next free number."""
        number = 1 + max((int(path.stem) for path in self.folder.glob("*.eml")), default=0)
        while True:
            try:
                with (self.folder / f"{number:04}.eml").open("xb") as file:
                    file.write(content)
                return
            except FileExistsError:
                number += 1


def describe(folder):
    """A line for each message: number, recipient, subject, attachments."""
    lines = []
    for path in sorted(folder.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        names = [part.get_filename() for part in message.iter_attachments() if part.get_filename()]
        subject = re.sub(r"\s+", " ", message["subject"] or "")
        lines.append(f"{path}: {message['to']}: {subject} [{', '.join(names)}]")
    return lines


if __name__ == "__main__":
    with Sink(int(sys.argv[1]), Path(sys.argv[2])) as server:
        server.serve_forever()
