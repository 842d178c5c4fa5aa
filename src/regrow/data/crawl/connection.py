"""A connection on which every byte of an answer has to arrive before one deadline.

The timeout of a socket starts anew with each byte, so a server that sends one byte now and then
holds a reader of lines for ever. Here each wait is as long as what is left of the whole answer.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time

_PIECE = 1 << 16


class Connection:
    """One TCP connection, with TLS where `secure`, opened when first used."""

    def __init__(self, host: str, port: int, secure: bool) -> None:
        self._address = (host, port)
        self._secure = secure
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._deadline = 0.0

    def begin(self, deadline: float) -> bool:
        """Be ready for a request whose answer ends before `deadline` (time.monotonic).

        True if a connection that was already used serves again. One on which something arrived
        after the last answer is closed: bytes that nobody asked for would be taken for an answer.

        Raises:
            OSError: no connection (TimeoutError: not before the deadline).
            ValueError: a name that no resolver takes.
        """
        self._deadline = deadline
        if self._socket is not None:
            if self._is_silent(self._socket):
                return True
            self.close()
        found = self._connected()
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            try:
                found.settimeout(self._left())
                context = ssl.create_default_context()
                found = context.wrap_socket(found, server_hostname=self._address[0])
            except BaseException:
                found.close()
                raise
        self._socket = found
        return False

    def send(self, data: bytes) -> None:
        """Send a request. Raises OSError."""
        assert self._socket is not None
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def line(self, limit: int) -> bytes | None:
        """The next line without its end (LF, or CRLF); None where the server closed before one.

        Raises:
            OSError: broken (TimeoutError: the deadline is over).
            ValueError: more than `limit` bytes without an end.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise ValueError(f"a line longer than {limit} bytes")
            if not self._receive():
                return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if len(line) > limit:
            raise ValueError(f"a line longer than {limit} bytes")
        return line.removesuffix(b"\r")

    def piece(self, most: int) -> bytes:
        """What has arrived, at most `most` bytes; waits for at least one; b"" at the end.

        Raises:
            OSError: broken (TimeoutError: the deadline is over).
        """
        if not self._buffer and not self._receive():
            return b""
        self._left()
        part = bytes(self._buffer[:most])
        del self._buffer[:most]
        return part

    def close(self) -> None:
        """Close; the next `begin` opens it again."""
        self._buffer.clear()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        """As socket.create_connection, whose timeout is for each address of a host anew."""
        error: OSError = OSError("the name has no address")
        addresses = socket.getaddrinfo(*self._address, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in addresses:
            found = socket.socket(family, kind, protocol)
            try:
                found.settimeout(self._left())
                found.connect(address)
                return found
            except OSError as failure:
                found.close()
                error = failure
        raise error

    def _is_silent(self, used: socket.socket) -> bool:
        """Nothing was sent, not even the end of the connection, since the last answer."""
        if self._buffer or (isinstance(used, ssl.SSLSocket) and used.pending()):
            return False
        return not select.select([used], [], [], 0)[0]

    def _receive(self) -> bool:
        assert self._socket is not None
        self._socket.settimeout(self._left())
        part = self._socket.recv(_PIECE)
        self._buffer += part
        return bool(part)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
