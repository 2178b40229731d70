"""Asking over HTTP: bounded in time and in tries, with a key from the environment alone."""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet, finalize

from beholder._optional import require
from beholder.errors import ModelError, UsageError

KEY: Final = "BEHOLDER_API_KEY"
"""Environment variable with the key of the server, sent as a bearer token."""
AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that may pass."""
REFUSED: Final = (401, 403)
LONGEST_ANSWER: Final = 16 * 2**20
"""Bytes; a longer answer is not one to our question."""
LONGEST_PAUSE: Final = 30.0
"""Seconds; a server that asks for a longer pause is asked earlier all the same."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
OPENED: Final = ("connection.connect_tcp.complete", "connection.start_tls.complete")
"""What httpx says of a connection that it has opened."""


class NoAnswerError(Exception):
    """One request came to nothing: `str` says why. The server may be fine for others."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """How long and how often a server is asked."""

    seconds: float = 120.0
    """For one try, from the first byte sent to the last byte read."""
    tries: int = 5
    pause: float = 0.5
    """Seconds before the second try; doubled before each further one."""


class Brake:
    """Breaks off what other threads ask, until it is released. Thread-safe."""

    def __init__(self) -> None:
        self.pulled = threading.Event()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()

    def watch(self, event: str, about: Mapping[str, Any]) -> None:
        """Note a connection that httpx opens."""
        if event in OPENED:
            opened = about["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.add(opened)
            if self.pulled.is_set():
                _shut(opened)

    def pull(self) -> None:
        """End every pause and every reading."""
        self.pulled.set()
        with self._lock:
            opened = list(self._sockets)
        for each in opened:
            _shut(each)

    def release(self) -> None:
        """Let questions be asked again."""
        self.pulled.clear()


@dataclass(frozen=True)
class Client:
    """One server. Thread-safe."""

    root: str
    """Address without `/v1`."""
    limits: Limits
    _http: Any = field(repr=False)
    _key: str = field(repr=False, default="")
    brake: Brake = field(repr=False, default_factory=Brake)

    def get(self, path: str) -> Any:
        """Return the JSON at a path.

        Raises:
            NoAnswerError: when there is none.
            ModelError: when the key is refused.
        """
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON that answers a request.

        Raises:
            NoAnswerError: when there is none.
            ModelError: when the key is refused.
        """
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        pause, tries = self.limits.pause, self.limits.tries
        for number in range(1, tries + 1):
            if self.brake.pulled.is_set():
                raise NoAnswerError("the run was stopped")
            try:
                return self._once(method, path, body)
            except _PassingError as error:
                if number == tries:
                    times = "once" if tries == 1 else f"{tries} times"
                    raise NoAnswerError(f"{error}, {times}", error.status) from error
                self.brake.pulled.wait(min(max(pause, error.pause), LONGEST_PAUSE))
                pause *= 2
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        httpx = require("httpx", extra="remote")
        until = time.monotonic() + self.limits.seconds
        try:
            with self._http.stream(
                method, self.root + path, json=body, extensions={"trace": self.brake.watch}
            ) as response:
                text = _read(response, until)
                status, headers = response.status_code, response.headers
        except httpx.TimeoutException as error:
            raise _PassingError(f"no answer within {self.limits.seconds:g} s") from error
        except httpx.HTTPError as error:
            raise _PassingError(f"the connection failed ({type(error).__name__})") from error
        if status in REFUSED:
            raise ModelError(
                f"{self.root} refuses the key (HTTP {status}): put a valid one into {KEY}"
            )
        if status in AGAIN:
            raise _PassingError(
                f"HTTP {status}{self._told(text)}", status, _seconds(headers.get("retry-after"))
            )
        if not 200 <= status < 300:
            raise NoAnswerError(f"HTTP {status}{self._told(text)}", status)
        try:
            return json.loads(text)
        except ValueError as error:
            raise NoAnswerError("the answer is no JSON") from error

    def _told(self, text: bytes) -> str:
        """Return what the server says of an error, short and without the key."""
        try:
            found = json.loads(text)
            told = found.get("error", found) if isinstance(found, dict) else found
            told = told.get("message", told) if isinstance(told, dict) else told
        except ValueError:
            told = text[:200].decode("utf-8", errors="replace")
        line = " ".join(str(told).split())[:200]
        if self._key:
            line = line.replace(self._key, "…")
        return f" ({line})" if line else ""


class _PassingError(NoAnswerError):
    """What may go better next time."""

    def __init__(self, why: str, status: int = 0, pause: float = 0.0) -> None:
        super().__init__(why, status)
        self.pause = pause


def _shut(opened: socket.socket) -> None:
    """End a connection, so that a thread that reads from it wakes; closing alone would not."""
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _read(response: Any, until: float) -> bytes:
    """Read an answer, however slowly it drips, until its time is over."""
    httpx = require("httpx", extra="remote")
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer takes too long")
        if size > LONGEST_ANSWER:
            raise NoAnswerError(f"the answer is longer than {LONGEST_ANSWER} bytes")
    return b"".join(parts)


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def root_of(url: str) -> str:
    """Return the address of a server without `/v1`.

    Raises:
        UsageError: when it is no plain address; keys belong into the environment.

    >>> root_of("http://127.0.0.1:8000/v1/")
    'http://127.0.0.1:8000'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no address of a server such as http://127.0.0.1:8000")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"the address of {parts.hostname} holds more than a place: put the key into {KEY}"
        )
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def connect(url: str, limits: Limits, at_once: int) -> Client:
    """Make the client of a server; nothing is sent yet.

    Raises:
        UsageError: when the address is none.
        MissingExtraError: when httpx is not installed.
    """
    root = root_of(url)
    httpx = require("httpx", extra="remote")
    key = os.environ.get(KEY, "")
    http = httpx.Client(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=limits.seconds,
        limits=httpx.Limits(max_connections=at_once),
        trust_env=urlsplit(root).hostname not in LOOPBACK,
    )
    client = Client(root, limits, http, key)
    finalize(client, http.close)
    return client
