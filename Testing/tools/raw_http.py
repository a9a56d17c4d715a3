"""HTTP and WebSocket byte by byte: a client that mends and normalises nothing."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgpack
from wslink.chunking import generate_chunks

# For machines that are busy with something else.
_PATIENCE_S = 120.0
BINARY, TEXT, CLOSE, PING = 2, 1, 8, 9


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 if the connection was closed without a word."""

    status: int
    headers: dict[str, str]
    raw: bytes


def connect(port: int) -> socket.socket:
    """Open a connection to this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)


def request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return a request's bytes; nothing is escaped."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def ask(port: int, content: bytes) -> Answer:
    """Send bytes and return the answer up to the end of its body's first part."""
    with connect(port) as connection:
        try:
            connection.sendall(content)
            raw = connection.recv(1 << 16)
            while raw and b"\r\n\r\n" not in raw:
                raw += connection.recv(1 << 16)
        except ConnectionError:
            raw = b""
    return parsed(raw)


def parsed(raw: bytes) -> Answer:
    """Return an answer's parts."""
    first, *lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Answer(int(first.split(" ")[1]) if first else 0, headers, raw)


class WebSocket:
    """A WebSocket connection that is open, or was refused (`answer`)."""

    def __init__(self, port: int, target: str, headers: dict[str, str]) -> None:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        self._connection = connect(port)
        self._connection.sendall(request("GET", target, {**upgrade, **headers}))
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer and self._more():
            pass
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.answer = parsed(head + b"\r\n\r\n")

    def send(self, payload: bytes, opcode: int = BINARY) -> None:
        """Send one whole frame."""
        self.send_raw(header(len(payload), opcode) + payload)

    def send_raw(self, content: bytes) -> None:
        """Send bytes as they are."""
        with suppress(ConnectionError):
            self._connection.sendall(content)

    def call(self, method: str, *arguments: object, number: str = "rpc:1") -> Any:
        """Call a method of the server's and return its answer, None if the connection ended instead."""
        self.say({"wslink": "1.0", "id": number, "method": method, "args": list(arguments)})
        while (answer := self.heard()) is not None:
            if answer.get("id") == number:
                return answer
        return None

    def say(self, message: object) -> None:
        """Send a message as trame's page does."""
        for part in generate_chunks(msgpack.packb(message), 1 << 22):
            self.send(part)

    def heard(self) -> Any:
        """Return the next message, put together; None once the connection has ended."""
        content = b""
        while True:
            opcode, payload = self._frame()
            if opcode is None or opcode == CLOSE:
                return None
            if opcode == BINARY:
                content += payload[12:]
                if len(content) >= int.from_bytes(payload[8:12], "little"):
                    return msgpack.unpackb(content)

    def close(self) -> None:
        """End it without a word."""
        self._connection.close()

    def _frame(self) -> tuple[int | None, bytes]:
        first = self._take(2)
        if len(first) < 2:
            return None, b""
        size = first[1] & 127
        if size > 125:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first[0] & 15, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count and self._more():
            pass
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _more(self) -> bool:
        try:
            received = self._connection.recv(1 << 16)
        except ConnectionError:
            return False
        self._buffer += received
        return bool(received)


def header(size: int, opcode: int = BINARY, flags: int = 0x80, masked: bool = True) -> bytes:
    """Return the head of a frame, with a mask of zeros."""
    mask = 0x80 if masked else 0
    if size < 126:
        length = struct.pack("!B", mask | size)
    elif size < 1 << 16:
        length = struct.pack("!BH", mask | 126, size)
    else:
        length = struct.pack("!BQ", mask | 127, size)
    return bytes([flags | opcode]) + length + (bytes(4) if masked else b"")
