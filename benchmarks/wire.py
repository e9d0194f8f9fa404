"""A lean HTTP/1.1 client for this machine: one kept connection, one request at a time."""

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""

    def json(self) -> Any:  # noqa: ANN401
        """Return the body as JSON."""
        return json.loads(self.body)


class _Stream(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._head: Answer | None = None
        self._body_start = 0

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(f"closed by the server: {error}"))

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        assert self.transport is not None
        self._received.clear()
        self._head = None
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._head is None:
            end = self._received.find(_END_OF_HEAD)
            if end < 0:
                return
            self._head = _read_head(bytes(self._received[:end]))
            self._body_start = end + len(_END_OF_HEAD)
        body = self._whole_body(self._head)
        if body is not None and self._waiting is not None:
            self._head.body = body
            if self._head.headers.get("connection") == "close" and self.transport is not None:
                self.transport.close()
            self._waiting.set_result(self._head)
            self._waiting = None

    def _whole_body(self, head: Answer) -> bytes | None:
        """Return the body if all of it is here."""
        got = self._received
        if head.headers.get("transfer-encoding") == "chunked":
            return _join_chunks(got, self._body_start) if got.endswith(b"0\r\n\r\n") else None
        length = int(head.headers.get("content-length", "0"))
        end = self._body_start + length
        return bytes(got[self._body_start : end]) if len(got) >= end else None


def _read_head(head: bytes) -> Answer:
    status, *lines = head.decode("latin-1").split("\r\n")
    answer = Answer(int(status[9:12]))
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            answer.cookies.append(value)
        else:
            answer.headers[name.lower()] = value
    return answer


def _join_chunks(received: bytearray, start: int) -> bytes:
    parts: list[bytes] = []
    while True:
        line_end = received.index(b"\r\n", start)
        size = int(received[start:line_end], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(bytes(received[line_end + 2 : line_end + 2 + size]))
        start = line_end + size + 4


class Wire:
    """One connection that is opened when it is needed, and again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: _Stream | None = None
        #: SQL statements of all calls so far, if the server counts them.
        self.statements = 0

    async def call(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send one request and return the answer.

        Raises:
            ConnectionError: the server closed the connection without answering.
        """
        stream = self._stream
        if stream is None or not stream.is_open:
            loop = asyncio.get_running_loop()
            _, stream = await loop.create_connection(_Stream, "127.0.0.1", self._port)
            self._stream = stream
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        answer = await stream.send("\r\n".join(lines).encode() + _END_OF_HEAD + body)
        self.statements += int(answer.headers.get("x-statements", "0"))
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None and self._stream.transport is not None:
            self._stream.transport.close()
