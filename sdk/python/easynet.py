"""EasyNet for Python: offer functions to the mesh and call the functions of others.

    from easynet import Client, ComputeNode            from easynet import Client

    node = ComputeNode()                               print(Client().execute("greet", "Ada"))

    @node.register
    def greet(name: str) -> str:
        return f"Hello {name}"

    node.serve()

One file, standard library only, Python 3.9 or newer. It talks to the daemon of this device (`easynetd`)
over one socket, as docs/spec/attach.md describes; the daemon does everything else. Read it from top to
bottom: errors, values, messages, finding the daemon, waiting, the connection, calling (`Client`,
`remote`), offering (`ComputeNode`, `current_call`), and the gateway (`Server`).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import copy
import dataclasses
import decimal
import functools
import http.client
import inspect
import itertools
import json
import logging
import math
import os
import queue
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import types
import typing
import urllib.parse
import weakref
from collections import abc, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent import futures
from typing import Any, BinaryIO, Callable, NamedTuple, TypeVar

__version__ = "0.1.0"
__all__ = ["Client", "ComputeNode", "Server", "remote", "current_call", "CallContext", "Caller", "EasyNetError",
           "ExecutionContext", "Stream"]

Function = TypeVar("Function", bound=Callable[..., Any])
_log = logging.getLogger("easynet")

# Numbers of docs/spec/attach.md.
PROTOCOL = 1
MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_BLOB_BYTES = 128 * 1024 * 1024
MAX_ITEM_BLOB_BYTES = 8 * 1024 * 1024
MAX_BLOBS = 1024
MAX_DEPTH = 64
WINDOW_ITEMS = 16
ACK_EVERY = 8
HEARTBEAT_S = 15.0
SILENCE_S = 60.0

MAX_SCHEMA_BYTES = 8 * 1024
DEADLINE_GRACE_S = 5.0  # The daemon keeps the deadline; this is how long we wait for it to say so.
REQUEST_TIMEOUT_S = 30.0
OPEN_TIMEOUT_S = 10.0
RECONNECT_DELAYS_S = (0.1, 0.2, 0.5, 1.0)


# ---- Errors ----------------------------------------------------------------------------------------------

_CODE_OF_REASON = {
    "invalid_request": "invalid_argument", "invalid_value": "invalid_argument", "too_large": "resource_exhausted",
    "daemon_unreachable": "unavailable", "function_error": "unknown", "deadline_exceeded": "deadline_exceeded",
    "cancelled": "cancelled", "interrupted": "aborted", "protocol_violation": "data_loss",
    "not_implemented": "unimplemented", "already_running": "failed_precondition",
    "unsupported_runtime": "failed_precondition",
}


class EasyNetError(Exception):
    """The one error class of EasyNet.

    `code` is one of the 16 gRPC codes in snake_case, `reason` the precise cause (docs/errors.md), `hint`
    what to do about it, `retryable` whether the same request may be sent again, `details` facts as data.
    """

    def __init__(self, reason: str, message: str, *, code: str | None = None, hint: str | None = None,
                 retryable: bool | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.code = code or _CODE_OF_REASON.get(reason, "internal")
        self.hint = hint
        self.retryable = reason == "daemon_unreachable" if retryable is None else retryable
        self.details = details or {}

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} Hint: {self.hint}"

    def to_data(self) -> dict[str, Any]:
        """The error as it travels. Causes and stacks stay on this device."""
        data = {"code": self.code, "reason": self.reason, "message": self.message, "hint": self.hint,
                "retryable": self.retryable, "details": self.details}
        return {key: value for key, value in data.items() if value not in (None, {})}

    @classmethod
    def from_data(cls, data: Any) -> EasyNetError:
        """Rebuilds an error that the daemon sent."""
        data = data if isinstance(data, dict) else {}
        details = data.get("details")
        return cls(str(data.get("reason", "internal")), str(data.get("message", "The daemon gave no reason.")),
                   code=data.get("code"), hint=data.get("hint"), retryable=bool(data.get("retryable")),
                   details=details if isinstance(details, dict) else None)

    @classmethod
    def _of_function(cls, error: BaseException) -> EasyNetError:
        """What the caller learns of an exception in a function: its name and its text, never its stack."""
        own = error if isinstance(error, EasyNetError) else None
        details = {**(own.details if own else {}), "name": type(error).__name__}
        message = own.message if own else str(error) or type(error).__name__
        return cls("function_error", message, hint=own.hint if own else None, details=details)


class _Refused(EasyNetError):
    """A call that was turned away before the function ran."""


# ---- Values ----------------------------------------------------------------------------------------------
# JSON, with bytes taken out: {"$bin": 2} stands for the third byte string beside the message. A dict of the
# user that looks like such a marker is wrapped in {"$esc": …}, so that every value survives.

#: The members of params and results that hold values; all else is plain JSON of the protocol.
_VALUE_MEMBERS = ("args", "kwargs", "value", "result")
_MARKERS = ("$bin", "$bytes", "$esc")
_MAX_INT = 2**53 - 1


def _encode(value: Any, blobs: list[bytes], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise EasyNetError("invalid_value", f"The value is nested deeper than {MAX_DEPTH} levels.")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INT:
            raise EasyNetError("invalid_value", f"The integer {value} does not survive JSON.",
                               hint="Integers have at most 53 bits; send a larger one as a string.")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EasyNetError("invalid_value", f"The number {value} cannot be sent.", hint="Send None or a string.")
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        blobs.append(bytes(value))  # Copies only what its owner could still change.
        return {"$bin": len(blobs) - 1}
    if isinstance(value, (list, tuple)):
        return [_encode(item, blobs, depth + 1) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise EasyNetError("invalid_value", "A dict with keys that are not strings cannot be sent.")
        encoded = {key: _encode(item, blobs, depth + 1) for key, item in value.items()}
        return {"$esc": encoded} if _is_marker(encoded) else encoded
    raise EasyNetError("invalid_value", f"A value of type {type(value).__name__} cannot be sent.",
                       hint="Send None, bool, int, float, str, bytes, list, tuple and dict.")


def _decode(node: Any, blobs: list[bytes]) -> Any:
    if isinstance(node, list):
        return [_decode(item, blobs) for item in node]
    if not isinstance(node, dict):
        return node
    if _is_marker(node):
        ((marker, inner),) = node.items()
        if marker == "$bin" and type(inner) is int and 0 <= inner < len(blobs):
            return blobs[inner]
        if marker != "$esc" or not isinstance(inner, dict):
            raise EasyNetError("protocol_violation", f"The daemon sent a malformed {marker}.")
        node = inner
    return {key: _decode(item, blobs) for key, item in node.items()}


def _decode_values(part: dict[str, Any], blobs: list[bytes]) -> dict[str, Any]:
    return {key: _decode(item, blobs) if key in _VALUE_MEMBERS else item for key, item in part.items()}


def _is_marker(node: dict[str, Any]) -> bool:
    return len(node) == 1 and next(iter(node)) in _MARKERS


# ---- Messages --------------------------------------------------------------------------------------------
# One JSON object on one line. If it has "bin": [length, …], that many raw bytes follow, blob after blob.


def _pack(message: dict[str, Any]) -> list[bytes]:
    """A message as the parts to write: its line, then its blobs."""
    blobs: list[bytes] = []
    body = {**message}
    for part in ("params", "result"):
        if part in body:
            body[part] = {key: _encode(item, blobs) if key in _VALUE_MEMBERS else item
                          for key, item in body[part].items()}
    sizes = [len(blob) for blob in blobs]
    _check_sizes(message, sizes)
    if blobs:
        body["bin"] = sizes
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = text.encode() + b"\n"
    except (TypeError, ValueError) as error:  # Half a surrogate pair; options or details that are not JSON.
        raise EasyNetError("invalid_value", f"This cannot be sent: {error}.") from None
    if len(line) > MAX_LINE_BYTES:
        raise _too_large(f"{len(line)} bytes of JSON", MAX_LINE_BYTES)
    return [line, *blobs]


def _read_message(reader: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """The next message and its blobs, sizes checked before anything is allocated. Blobs are read in place."""
    line = reader.readline(MAX_LINE_BYTES + 1)
    if not line.endswith(b"\n"):
        if len(line) > MAX_LINE_BYTES:
            raise _too_large("A line", MAX_LINE_BYTES)
        raise EOFError
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise EasyNetError("protocol_violation", "The daemon sent a line that is not JSON.") from None
    if not isinstance(message, dict):
        raise EasyNetError("protocol_violation", "The daemon sent a line that is not an object.")
    sizes = message.get("bin", [])
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise EasyNetError("protocol_violation", 'The daemon sent a malformed "bin".')
    _check_sizes(message, sizes)
    blobs = []
    for size in sizes:
        blob = reader.read(size)
        if len(blob) < size:
            raise EOFError
        blobs.append(blob)
    return message, blobs


def _check_sizes(message: dict[str, Any], sizes: list[int]) -> None:
    limit = MAX_ITEM_BLOB_BYTES if message.get("method") in ("chunk", "input") else MAX_BLOB_BYTES
    if len(sizes) > MAX_BLOBS:
        raise _too_large(f"{len(sizes)} byte strings in one message", MAX_BLOBS)
    if sum(sizes) > limit:
        raise _too_large(f"{sum(sizes)} bytes in one message", limit)


def _too_large(what: str, limit: int) -> EasyNetError:
    return EasyNetError("too_large", f"{what}: the limit is {limit}.", hint="Send it in parts, as a stream.")


# ---- Finding the daemon ----------------------------------------------------------------------------------


class _Home(NamedTuple):
    """Where one daemon keeps its files (src/util/home.ts has the same rules)."""

    run_dir: str
    log_file: str

    @classmethod
    def locate(cls, home: str | os.PathLike[str] | None) -> _Home:
        root = os.fspath(home) if home is not None else os.environ.get("EASYNET_HOME", "")
        if root:
            root = os.path.abspath(root)
            return cls(os.path.join(root, "run"), os.path.join(root, "state", "easynetd.log"))
        user_state = os.environ.get("XDG_STATE_HOME", os.path.join(os.path.expanduser("~"), ".local", "state"))
        state = os.path.join(user_state, "easynet")
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        run_dir = os.path.join(state, "run") if runtime is None else os.path.join(runtime, "easynet")
        return cls(run_dir, os.path.join(state, "easynetd.log"))


class _Endpoint(NamedTuple):
    """A daemon that said it runs: where it listens and the token it wants."""

    url: str
    socket_path: str | None
    gateway: str | None
    token: str

    @classmethod
    def find(cls, gateway: str | None, home: str | os.PathLike[str] | None) -> _Endpoint:
        """The daemon of this device; with `gateway` ("host:port") it must be the one with that port."""
        port = None
        if gateway is not None:
            parts = _split_address(gateway)
            port = parts.port
            if parts.hostname not in ("localhost", "127.0.0.1", "::1"):
                raise EasyNetError("unsupported_runtime", f"{gateway} is another machine: programs attach to the "
                                   "daemon of their own device only.", hint="easynet join LINK, then ComputeNode()")
        files = _Home.locate(home)
        daemon_file = os.path.join(files.run_dir, "daemon.json")
        try:
            with open(daemon_file, encoding="utf-8") as file:
                daemon = json.load(file)
            with open(os.path.join(files.run_dir, "token"), encoding="utf-8") as file:
                token = file.read().strip()
            endpoint = cls(daemon["url"], daemon.get("socket"), daemon.get("gateway"), token)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EasyNetError("daemon_unreachable", f"No daemon runs here: {daemon_file} cannot be read "
                               f"({type(error).__name__}).", hint="easynet up") from error
        if port is not None and port not in endpoint.ports():
            raise EasyNetError("daemon_unreachable", f"The daemon of this device does not listen on port {port}.",
                               hint=f"easynetd --gateway 127.0.0.1:{port}")
        return endpoint

    def ports(self) -> list[int | None]:
        return [_split_address(address).port for address in (self.url, self.gateway) if address]

    def connect(self) -> socket.socket:
        """A connected socket: the Unix socket where there is one, else TCP."""
        problem: OSError | None = None
        if self.socket_path and hasattr(socket, "AF_UNIX"):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(OPEN_TIMEOUT_S)
            try:
                sock.connect(self.socket_path)
                return sock
            except OSError as error:
                problem = error
                sock.close()
        try:
            address = _split_address(self.url)
            sock = socket.create_connection((address.hostname or "", address.port or 0), OPEN_TIMEOUT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            raise EasyNetError("daemon_unreachable", f"The daemon does not answer at {self.url}: "
                               f"{problem or error}.", hint="easynet up") from error

    def headers(self) -> dict[str, str]:
        return {"Host": _split_address(self.url).netloc, "Authorization": f"Bearer {self.token}"}

    def attach(self) -> tuple[socket.socket, BinaryIO]:
        """Opens the app connection: one HTTP/1.1 upgrade. Returns the socket and a buffered reader of it."""
        sock = self.connect()
        try:
            headers = {**self.headers(), "Connection": "Upgrade", "Upgrade": "easynet"}
            lines = ["GET /v1/attach HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
            sock.sendall("\r\n".join(lines).encode("latin-1"))
            reader = typing.cast(BinaryIO, sock.makefile("rb", 64 * 1024))
            status = reader.readline(4096).split(b" ")
            answer = http.client.parse_headers(reader)
            if status[1:2] != [b"101"]:
                raise _refusal(status, reader.read(min(int(answer.get("Content-Length", 0)), 64 * 1024)))
            sock.settimeout(SILENCE_S)
            return sock, reader
        except BaseException as error:
            sock.close()
            if isinstance(error, (OSError, ValueError, http.client.HTTPException)):
                raise EasyNetError("daemon_unreachable", f"The daemon at {self.url} did not accept the connection: "
                                   f"{error}.", hint="easynet doctor") from error
            raise

    def get(self, path: str) -> Any:
        """One GET of the control API, for what the app connection does not offer."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self.connect()
        try:
            connection.request("GET", path, headers=self.headers())
            response = connection.getresponse()
            body = response.read(MAX_LINE_BYTES)
            if response.status != 200:
                raise _refusal([b"", str(response.status).encode()], body)
            return json.loads(body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise EasyNetError("daemon_unreachable", f"The daemon did not answer GET {path}: {error}.") from error
        finally:
            connection.close()


def _refusal(status: list[bytes], body: bytes) -> EasyNetError:
    try:
        return EasyNetError.from_data(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        code = b" ".join(status[1:]).decode("latin-1").strip() or "no status"
        return EasyNetError("daemon_unreachable", f"The daemon refused the connection (HTTP {code}).")


def _split_address(text: str) -> urllib.parse.SplitResult:
    parts = urllib.parse.urlsplit(text if "://" in text else f"//{text}")
    try:
        if parts.port is not None:
            return parts
    except ValueError:
        pass
    raise EasyNetError("invalid_request", f'"{text}" is not an address of the form host:port.')


# ---- Waiting ---------------------------------------------------------------------------------------------
# What the reader thread hands over is awaited by threads and by coroutines alike; a future serves both.


def _new_future() -> futures.Future[None]:
    future: futures.Future[None] = futures.Future()
    future.set_running_or_notify_cancel()  # A coroutine that stops waiting must not cancel it.
    return future


def _wait(future: futures.Future[None], seconds: float | None = None) -> bool:
    """Waits in short steps, so that Ctrl-C is noticed on every platform. False when the time is over."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    while not future.done():
        left = end - time.monotonic()
        if left <= 0:
            return False
        with contextlib.suppress(futures.TimeoutError):
            future.result(min(left, 1.0))
    return True


async def _wait_async(future: futures.Future[None], seconds: float | None = None) -> bool:
    if future.done():
        return True
    limit = None if seconds is None or math.isinf(seconds) else max(seconds, 0)
    done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=limit)
    return bool(done)


class _Inbox:
    """A queue with one consumer, a thread or a coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: deque[tuple[str, Any]] = deque()
        self._waiting: futures.Future[None] | None = None

    def put(self, kind: str, value: Any = None) -> None:
        with self._lock:
            self._items.append((kind, value))
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(None)

    def ready(self) -> futures.Future[None]:
        """Done as soon as `pop` has something to return."""
        with self._lock:
            future = self._waiting or _new_future()
            if self._items:
                future.set_result(None)
            else:
                self._waiting = future
        return future

    def pop(self) -> tuple[str, Any]:
        return self._items.popleft()


class _Window:
    """Back-pressure of one sender: at most 16 items that the other side has not acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # A stream may be collected, and closed, at any point.
        self._sent = self._acknowledged = 0
        self._waiting: futures.Future[None] | None = None
        self._closed = False

    def take(self) -> futures.Future[None]:
        """Done when the next item may be sent."""
        with self._lock:
            future = _new_future()
            self._sent += 1
            if self._closed or self._sent - self._acknowledged <= WINDOW_ITEMS:
                future.set_result(None)
            else:
                self._waiting = future
        return future

    def acknowledge(self, consumed: int) -> None:
        self._open(min(consumed, self._sent), self._closed)

    def close(self) -> None:
        """Lets a sender that waits go on, to find out that nobody listens any more."""
        self._open(self._acknowledged, True)

    def _open(self, acknowledged: int, closed: bool) -> None:
        with self._lock:
            self._acknowledged, self._closed = max(self._acknowledged, acknowledged), closed
            waiting = None
            if closed or self._sent - self._acknowledged <= WINDOW_ITEMS:
                waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(None)


# ---- The connection --------------------------------------------------------------------------------------


class _Exchange:
    """A request of ours and all that comes back for it: `accepted`, `chunk`…, then `done` or `failed`."""

    def __init__(self, connection: _Connection, id: int, verbose: bool) -> None:
        self.connection, self.id, self.verbose = connection, id, verbose
        self.events = _Inbox()
        self.window = _Window()
        self.settled = False

    def settle(self, kind: str, value: Any) -> None:
        self.settled = True
        self.window.close()
        self.events.put(kind, value)


class _Connection:
    """JSON-RPC 2.0 both ways over one socket: one thread reads, one writes, no other touches the socket."""

    def __init__(self, endpoint: _Endpoint, on_invoke: Callable[[CallContext], None] | None = None) -> None:
        self._sock, self._reader = endpoint.attach()
        self._on_invoke = on_invoke
        self._lock = threading.Lock()
        self._outbox: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._ids = itertools.count(1)
        self._exchanges: dict[int, _Exchange] = {}
        self._error: EasyNetError | None = None
        self._farewell = EasyNetError("daemon_unreachable", "The daemon closed the connection.", hint="easynet status")
        self.invocations: dict[Any, CallContext] = {}
        self.closed = threading.Event()
        self.pid = os.getpid()
        self._writer = threading.Thread(target=self._write_all, name="easynet-writer", daemon=True)
        self._writer.start()
        threading.Thread(target=self._read_all, name="easynet-reader", daemon=True).start()
        _connections.add(self)
        group = os.environ.get("EASYNET_GROUP") if on_invoke else None
        hello = {"client": f"easynet-python/{__version__}", **({"group": group} if group else {})}
        try:
            self.daemon = self.request("hello", hello)
            if self.daemon.get("protocol") != PROTOCOL:
                raise EasyNetError("unsupported_runtime", f"The daemon speaks protocol {self.daemon.get('protocol')}, "
                                   f"this SDK {PROTOCOL}.", hint="pip install --upgrade easynet-sdk")
        except BaseException:
            self.close()
            raise

    @property
    def usable(self) -> bool:
        """False when it is gone, or belongs to the process that this one was forked from."""
        return self._error is None and self.pid == os.getpid()

    def send(self, message: dict[str, Any]) -> None:
        """Hands a message to the writer; never blocks. What cannot be sent raises here, in its author's thread."""
        parts = _pack(message)
        if self._error is not None:
            raise self._error
        self._outbox.put(parts)

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def open(self, method: str, params: dict[str, Any], verbose: bool = False) -> _Exchange:
        """Starts a request. With `verbose` its progress and logs are wanted too."""
        exchange = _Exchange(self, next(self._ids), verbose)
        parts = _pack({"id": exchange.id, "method": method, "params": params})
        with self._lock:
            if self._error is not None:
                raise self._error
            self._exchanges[exchange.id] = exchange
            self._outbox.put(parts)
        return exchange

    def request(self, method: str, params: dict[str, Any]) -> Any:
        """A request with one answer."""
        exchange = self.open(method, params)
        if not _wait(exchange.events.ready(), REQUEST_TIMEOUT_S):
            raise EasyNetError("daemon_unreachable", f"The daemon did not answer {method} in {REQUEST_TIMEOUT_S} s.")
        kind, value = exchange.events.pop()
        if kind == "failed":
            raise value
        return value

    def close(self, wait: bool = True) -> None:
        """Ends the connection after what is queued was written."""
        self._outbox.put(None)
        if wait:
            self._writer.join(1.0)
            self._end(EasyNetError("cancelled", "The connection to the daemon was closed by this program."))

    def _write_all(self) -> None:
        try:
            while True:
                try:
                    parts = self._outbox.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    parts = _pack({"method": "heartbeat", "params": {}})
                if parts is None:
                    break
                if sum(map(len, parts)) <= 64 * 1024:
                    parts = [b"".join(parts)]
                for part in parts:
                    view = memoryview(part)
                    for start in range(0, len(view), 1024 * 1024):  # The socket's timeout is for each piece.
                        self._sock.sendall(view[start:start + 1024 * 1024])
        except OSError:
            pass  # The reader finds out too, and tells everybody.
        finally:
            self._hang_up()
            self._sock.close()

    def _read_all(self) -> None:
        why = self._farewell
        try:
            while True:
                self._dispatch(*_read_message(self._reader))
        except EOFError:
            pass
        except OSError as error:
            silent = isinstance(error, socket.timeout)
            why.message = f"The daemon was silent for {SILENCE_S} s." if silent else f"The connection broke: {error}."
        except EasyNetError as error:
            why = error
        except Exception as error:  # A message without the members that its method needs.
            why = EasyNetError("protocol_violation", f"The daemon sent a malformed message ({error!r}).")
        if why is not self._farewell:
            self._outbox.put(_pack({"method": "error", "params": why.to_data()}))
        self._outbox.put(None)
        self._writer.join(1.0)
        self._end(why)
        self._reader.close()

    def _dispatch(self, message: dict[str, Any], blobs: list[bytes]) -> None:
        method, id = message.get("method"), message.get("id")
        params = _decode_values(message.get("params", {}), blobs)
        if method is None:
            self._settle(message, blobs)
        elif method in ("accepted", "chunk", "progress", "log"):
            exchange = self._exchanges.get(params["call"])
            if exchange is not None and (exchange.verbose or method in ("accepted", "chunk")):
                exchange.events.put(method, params)
        elif method == "ack":
            ours: dict[Any, Any] = self._exchanges if params["of"] == "input" else self.invocations
            if params["call"] in ours:
                ours[params["call"]].window.acknowledge(params["n"])
        elif method in ("cancel", "input", "inputEnd"):
            call = self.invocations.get(params["call"])
            if call is not None and method == "cancel":
                call._cancel(params.get("reason", "cancelled"))
            elif call is not None:
                call.input._inbox.put(method, params)
        elif method == "invoke" and self._on_invoke is not None:
            self.invocations[id] = call = CallContext(self, id, params)
            self._on_invoke(call)
        elif method == "error":
            self._farewell.message = f"The daemon closed the connection: {EasyNetError.from_data(params).message}"
        elif id is not None:
            error = EasyNetError("not_implemented", f'This program does not know "{method}".')
            self.send({"id": id, "error": {"code": -32601, "message": error.message, "data": error.to_data()}})

    def _settle(self, message: dict[str, Any], blobs: list[bytes]) -> None:
        exchange = self._exchanges.pop(message["id"], None)
        if exchange is None:
            return
        if "error" in message:
            error = message["error"]
            data = error.get("data") or {"reason": "internal", "message": error.get("message", "")}
            exchange.settle("failed", EasyNetError.from_data(data))
        else:
            exchange.settle("done", _decode_values(message["result"], blobs))

    def forget(self, exchange: _Exchange) -> None:
        """Its answer, should it still come, interests nobody."""
        self._exchanges.pop(exchange.id, None)
        exchange.window.close()

    def _end(self, why: EasyNetError) -> None:
        with self._lock:
            if self._error is not None:
                return
            self._error = why
            exchanges, self._exchanges = list(self._exchanges.values()), {}
        self._hang_up()
        for exchange in exchanges:  # It may have run: unlike `why`, this must not invite to send it again.
            exchange.settle("failed", EasyNetError(why.reason, why.message, hint=why.hint, retryable=False))
        for call in list(self.invocations.values()):
            call._cancel("interrupted")
        self.closed.set()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


_connections: weakref.WeakSet[_Connection] = weakref.WeakSet()


@atexit.register
def _close_connections() -> None:
    for connection in list(_connections):
        if connection.usable:
            connection.close()


class _Link:
    """The connection of one `Client` or `ComputeNode`: opened when first needed, and again after it was lost."""

    def __init__(self, gateway: str | None, home: str | os.PathLike[str] | None,
                 on_invoke: Callable[[CallContext], None] | None = None) -> None:
        self._gateway, self._home, self._on_invoke = gateway, home, on_invoke
        self._lock = threading.Lock()
        self._connection: _Connection | None = None

    def endpoint(self) -> _Endpoint:
        return _Endpoint.find(self._gateway, self._home)

    def connection(self) -> _Connection:
        with self._lock:
            if self._connection is None or not self._connection.usable:
                self._connection = _Connection(self.endpoint(), self._on_invoke)
            return self._connection

    def close(self, wait: bool = True) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.usable:
            connection.close(wait)

    def __del__(self) -> None:
        self.close(wait=False)


# ---- Calling ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Options:
    """How a call is made; see `Client.with_options`."""

    timeout: float | None = 60.0
    peer: str | None = None
    key: str | None = None
    max_cost: float | None = None
    traceparent: str | None = None
    input: Any = None
    on_progress: Callable[[Any], None] | None = None
    on_log: Callable[[str, str], None] | None = None


@dataclasses.dataclass(frozen=True)
class ExecutionContext:
    """A function together with how to call it, for `Client.execute_with_context`."""

    function_name: str
    peer: str | None = None
    timeout: float | None = None
    key: str | None = None
    max_cost: float | None = None


class Stream:
    """A running call: iterate over it, with `for` or `async for`, to get its chunks as they come.

    Closing it, or dropping it, before its end cancels the call. Afterwards `result` is what the function
    returned and `info` what the daemon tells of the call: provider, path, attempts, durationMs, cost.
    """

    def __init__(self, link: _Link, options: _Options, request: dict[str, Any],
                 loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._link = link  # Keeps the connection open while this lives.
        self._options = options
        self._ends = math.inf if options.timeout is None else time.monotonic() + options.timeout + DEADLINE_GRACE_S
        self._consumed = 0
        #: The id of the call, for `Client.outcome`; known once the daemon has accepted it.
        self.id: str | None = None
        self.result: Any = None
        self.info: dict[str, Any] = {}
        verbose = options.on_progress is not None or options.on_log is not None
        self._exchange: _Exchange | None = link.connection().open("call", request, verbose)
        if options.input is not None:
            items = _drive(options.input, loop) if loop and hasattr(options.input, "__aiter__") else options.input
            threading.Thread(target=_send_input, args=(self._exchange, items), daemon=True).start()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        try:
            while self._exchange is not None:
                found = self._take(_wait(self._exchange.events.ready(), self._ends - time.monotonic()))
                if found:
                    return found[0]
        except BaseException:
            self.close()
            raise
        raise StopIteration(self.result)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:
        try:
            while self._exchange is not None:
                found = self._take(await _wait_async(self._exchange.events.ready(), self._ends - time.monotonic()))
                if found:
                    return found[0]
        except BaseException:
            self.close()
            raise
        raise StopAsyncIteration

    def _take(self, in_time: bool) -> tuple[Any] | None:
        """Handles one event; returns the chunk if it was one."""
        exchange = typing.cast(_Exchange, self._exchange)
        if not in_time:
            raise EasyNetError("deadline_exceeded", f"The call did not end within {self._options.timeout} s.")
        kind, value = exchange.events.pop()
        if kind == "chunk":
            self._consumed += 1
            if self._consumed % ACK_EVERY == 0:
                exchange.connection.notify("ack", call=exchange.id, of="chunk", n=self._consumed)
            return (value["value"],)
        if kind == "accepted":
            self.id = value["id"]
        elif kind == "progress" and self._options.on_progress:
            self._options.on_progress(value["value"])
        elif kind == "log" and self._options.on_log:
            self._options.on_log(value["level"], value["message"])
        elif kind == "done":
            self._exchange = None
            self.info = {**value}
            self.id, self.result = value.get("id", self.id), self.info.pop("result", None)
        elif kind == "failed":
            self._exchange = None
            if self.id is not None:
                value.details.setdefault("callId", self.id)
            raise value
        return None

    def close(self) -> None:
        """Cancels the call if it still runs."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None and not exchange.settled:
            exchange.connection.forget(exchange)
            with contextlib.suppress(EasyNetError):  # Gone already.
                exchange.connection.notify("cancel", call=exchange.id)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_exchange", None) is not None:
            self.close()


def _send_input(exchange: _Exchange, items: Iterable[Any]) -> None:
    """Sends the input stream of a call, at the pace of the function that reads it."""
    connection, end = exchange.connection, {}
    try:
        try:
            for item in items:
                _wait(exchange.window.take())
                if exchange.window._closed:
                    return
                connection.notify("input", call=exchange.id, value=item)
        except Exception as error:
            end = {"error": EasyNetError._of_function(error).to_data()}
        connection.notify("inputEnd", call=exchange.id, **end)
    except EasyNetError:
        pass  # The connection is gone; whoever waits for the call learns it.


def _drive(items: Any, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """An async iterable as an iterator for another thread than that of its loop."""
    iterator = items.__aiter__()

    async def step() -> tuple[Any, ...]:
        async for item in iterator:
            return (item,)
        return ()

    while True:
        found = asyncio.run_coroutine_threadsafe(step(), loop).result()
        if not found:
            return
        yield found[0]


class Client:
    """Calls functions of the mesh through the daemon of this device. Threads may share one.

    `timeout` is in seconds. All options of a call are in `with_options`, so that they never clash with the
    arguments of the function:

        Client().with_options(timeout=5, peer="gpu-box").execute("caption", image, style="haiku")
    """

    def __init__(self, gateway: str | None = None, *, home: str | os.PathLike[str] | None = None,
                 timeout: float | None = 60.0) -> None:
        self._link = _Link(gateway, home)
        self._options = _Options(timeout=timeout)

    def with_options(self, *, timeout: float | None = None, peer: str | None = None, key: str | None = None,
                     max_cost: float | None = None, traceparent: str | None = None,
                     input: Iterable[Any] | abc.AsyncIterable[Any] | None = None,
                     on_progress: Callable[[Any], None] | None = None,
                     on_log: Callable[[str, str], None] | None = None) -> Client:
        """The same client, sharing its connection, with other options for its calls.

        `timeout` seconds; `peer` id or name of the only device to run on; `key` an idempotency key: the same
        key runs the function at most once; `max_cost` most credits to pay; `traceparent` the W3C
        trace context that the function gets; `input` items for a function that
        reads a stream; `on_progress(value)` and `on_log(level, message)` run in the thread that waits.
        """
        changes = {name: value for name, value in locals().items() if name != "self" and value is not None}
        view = copy.copy(self)
        view._options = dataclasses.replace(self._options, **changes)
        return view

    def execute(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function (`name`, `peer/name` or `name@^2`) and waits for its result. Ctrl-C cancels it."""
        with self._open(name, args, kwargs, stream=False) as call:
            for _ in call:
                pass
            return call.result

    def execute_on_node(self, peer: str, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Like `execute`, on one device and nowhere else."""
        return self.with_options(peer=peer).execute(name, *args, **kwargs)

    def execute_with_context(self, context: ExecutionContext, /, *args: Any, **kwargs: Any) -> Any:
        """Like `execute`, function and options taken from `context`."""
        options = dataclasses.asdict(context)
        name = options.pop("function_name")
        return self.with_options(**options).execute(name, *args, **kwargs)

    def stream(self, name: str, /, *args: Any, **kwargs: Any) -> Stream:
        """Calls a function that streams; iterate over what this returns."""
        return self._open(name, args, kwargs, stream=True)

    async def aexecute(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """`execute` for coroutines. Cancelling the task cancels the call."""
        with await self._open_async(name, args, kwargs, stream=False) as call:
            async for _ in call:
                pass
            return call.result

    async def astream(self, name: str, /, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """`stream` for coroutines: `async for chunk in client.astream("chat", "hi")`."""
        with await self._open_async(name, args, kwargs, stream=True) as call:
            async for chunk in call:
                yield chunk

    def list_nodes(self) -> list[dict[str, Any]]:
        """The devices that this one knows: peerId, name, addresses, connected, path, rttMs, functions, …"""
        nodes: list[dict[str, Any]] = self._link.endpoint().get("/v1/peers")["peers"]
        return nodes

    def functions(self, query: str | None = None, *, scope: str = "mesh") -> list[dict[str, Any]]:
        """What can be called; `scope="local"`: only what this device offers."""
        params = {"scope": scope, **({"q": query} if query else {})}
        found: list[dict[str, Any]] = self._link.connection().request("functions", params)["functions"]
        return found

    def status(self) -> dict[str, Any]:
        """How the daemon of this device is."""
        status: dict[str, Any] = self._link.connection().request("status", {})
        return status

    def outcome(self, call_id: str) -> dict[str, Any]:
        """What became of a call, also of one whose answer was lost: `state`, and `result` or `error`."""
        record: dict[str, Any] = self._link.connection().request("outcome", {"id": call_id})
        return record

    def close(self) -> None:
        """Ends the connection. Another call opens it again."""
        self._link.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _request(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], stream: bool) -> dict[str, Any]:
        options = self._options
        optional = {"peer": options.peer, "key": options.key, "maxCost": options.max_cost and float(options.max_cost),
                    "timeoutMs": None if options.timeout is None else _milliseconds(options.timeout),
                    "traceparent": options.traceparent,
                    "input": options.input is not None or None}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"fn": name, "args": args, "kwargs": kwargs, "stream": stream, **given}

    def _open(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], stream: bool) -> Stream:
        return Stream(self._link, self._options, self._request(name, args, kwargs, stream))

    async def _open_async(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], stream: bool) -> Stream:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._link.connection)  # Connecting may take a while.
        return Stream(self._link, self._options, self._request(name, args, kwargs, stream), loop)


def remote(function: Function | None = None, /, *, name: str | None = None, peer: str | None = None,
           timeout: float | None = None, home: str | os.PathLike[str] | None = None) -> Any:
    """Makes calling a stub function a call to the mesh.

        @remote(timeout=5)
        def caption(image: bytes, style: str = "plain") -> str: ...

    An `async def` stub is awaited; a generator stub (one with a `yield`) streams.
    """
    def decorate(stub: Function) -> Any:
        client = Client(home=home).with_options(peer=peer, timeout=timeout)
        if inspect.isasyncgenfunction(stub):
            method: Callable[..., Any] = client.astream
        elif inspect.iscoroutinefunction(stub):
            method = client.aexecute
        else:
            method = client.stream if inspect.isgeneratorfunction(stub) else client.execute

        @functools.wraps(stub)
        def call(*args: Any, **kwargs: Any) -> Any:
            return method(name or stub.__name__, *args, **kwargs)
        return call

    return decorate if function is None else decorate(function)


# ---- Offering: schemas from type hints -------------------------------------------------------------------

_SCHEMAS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"}, type(None): {"type": "null"}, None: {"type": "null"},
}
_ARRAYS = (list, tuple, abc.Sequence, abc.Iterable)
_STREAMS = (abc.Iterator, abc.Generator, abc.AsyncIterator, abc.AsyncGenerator, abc.Iterable, abc.AsyncIterable)


def _schema(hint: Any, depth: int = 0) -> dict[str, Any]:
    """The JSON Schema of a type hint; `{}`, which allows everything, for what it does not know."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if depth > 8:  # A type that contains itself.
        return {}
    if isinstance(hint, abc.Hashable) and hint in _SCHEMAS:
        return dict(_SCHEMAS[hint])
    if origin is typing.Literal:
        return {"enum": list(inner)} if all(isinstance(choice, (str, int)) for choice in inner) else {}
    if origin is typing.Union or origin is getattr(types, "UnionType", typing.Union):
        return {"anyOf": [_schema(choice, depth + 1) for choice in inner]}
    if hint in _ARRAYS or origin in _ARRAYS:
        item = {} if origin is tuple and inner[1:] != (...,) else _schema(inner[0], depth + 1) if inner else {}
        return {"type": "array", **({"items": item} if item else {})}
    if typing.is_typeddict(hint) if hasattr(typing, "is_typeddict") else hasattr(hint, "__required_keys__"):
        return _object_schema(typing.get_type_hints(hint), hint.__required_keys__, depth)
    if dataclasses.is_dataclass(hint):
        required = [field.name for field in dataclasses.fields(hint)
                    if field.default is field.default_factory is dataclasses.MISSING]
        return _object_schema(typing.get_type_hints(hint), required, depth)
    if hint is dict or origin in (dict, abc.Mapping):
        values = _schema(inner[1], depth + 1) if inner else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    return {}


def _object_schema(hints: dict[str, Any], required: Iterable[str], depth: int) -> dict[str, Any]:
    properties = {name: _schema(hint, depth + 1) for name, hint in hints.items()}
    return {"type": "object", "properties": properties, "required": sorted(required, key=list(hints).index)}


def _input_schema(signature: inspect.Signature, hints: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments as an object, its properties in the order of the positions. None when there is no end to them."""
    properties: dict[str, Any] = {}
    required, open_ended = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return None
        if parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
            continue
        properties[parameter.name] = schema = _schema(hints.get(parameter.name, Any))
        default = parameter.default
        if default is parameter.empty:
            required.append(parameter.name)
        elif isinstance(default, str) or (isinstance(default, (int, float)) and abs(default) <= _MAX_INT):
            schema["default"] = default
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": open_ended}


class _Function:
    """A registered function and what the daemon is told of it."""

    def __init__(self, target: Callable[..., Any], options: dict[str, Any]) -> None:
        self.target = target
        self.is_async = inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)
        self.signature = inspect.signature(target)
        try:
            self.hints = typing.get_type_hints(target)
        except Exception:  # A hint that this Python cannot evaluate: the function works without.
            self.hints = {}
        streams = inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)
        result = self.hints.get("return", inspect.Parameter.empty)
        if streams and typing.get_origin(result) in _STREAMS:
            result = typing.get_args(result)[0]
        derived = {
            "name": getattr(target, "__name__", ""),
            "description": (inspect.getdoc(target) or "").split("\n\n")[0].replace("\n", " ")[:1024],
            "stream": streams,
            "input": _small(_input_schema(self.signature, self.hints)),
            "output": None if result is inspect.Parameter.empty else _small(_schema(result)),
        }
        given = {key: value for key, value in options.items() if value is not None}
        self.declaration = {key: value for key, value in {**derived, **given}.items() if value is not None}
        self.name: str = self.declaration["name"]

    def bind(self, call: CallContext) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call, checked against the signature; dicts become the dataclasses it names."""
        try:
            bound = self.signature.bind(*call._args, **call._kwargs)
            for name, value in bound.arguments.items():
                hint = self.hints.get(name)
                if isinstance(value, dict) and isinstance(hint, type) and dataclasses.is_dataclass(hint):
                    bound.arguments[name] = hint(**value)
        except TypeError as error:
            raise _Refused("invalid_request", f'"{self.name}" cannot be called with these arguments: {error}.',
                           hint=f"easynet fn show {self.name}") from None
        return bound.args, bound.kwargs


def _small(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    return schema if schema and len(json.dumps(schema)) <= MAX_SCHEMA_BYTES else None


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


# ---- Offering: the running call --------------------------------------------------------------------------


class Caller(NamedTuple):
    """The device that called: its name is its own choice, its id is proven."""

    peer_id: str
    name: str


class CallContext:
    """The call that the current function serves; see `current_call`."""

    def __init__(self, connection: _Connection | None = None, request_id: Any = None,
                 params: dict[str, Any] | None = None) -> None:
        params = params or {}
        caller = params.get("caller") or {}
        #: Unique per caller; the same id is never run twice.
        self.id: str = params.get("id", "")
        self.function: str = params.get("fn", "")
        #: W3C trace context: pass it on with `with_options(traceparent=…)`, so that one trace shows all of it.
        self.traceparent: str = params.get("traceparent", "")
        self.caller = Caller(caller.get("peerId", ""), caller.get("name", ""))
        #: When the caller stops waiting, on the clock of `time.monotonic()`.
        self.deadline: float = time.monotonic() + params["timeoutMs"] / 1000 if "timeoutMs" in params else math.inf
        #: The client's stream: iterate over it with `for`, or `async for` in an async function.
        self.input = InputStream(self, ended=not params.get("input"))
        self.window = _Window()
        self._args, self._kwargs = params.get("args", []), params.get("kwargs", {})
        self._connection, self._request_id = connection, request_id
        self._reason: str | None = None
        self._interrupt: Callable[[], Any] = lambda: None

    def remaining(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """True once the caller is gone, has cancelled, or the deadline is over: stop working."""
        return self._reason is not None or self.remaining() <= 0

    def check(self) -> None:
        """Raises `EasyNetError` (`cancelled`, `deadline_exceeded`, `interrupted`) once the call is cancelled."""
        if self.cancelled:
            reason = self._reason or "deadline_exceeded"
            raise EasyNetError(reason, f'The call of "{self.function}" ended early: {reason}.')

    def progress(self, value: Any) -> None:
        """Tells the caller how far it is: any value, for example a share from 0 to 1."""
        self._notify("progress", value=value)

    def log(self, message: str, level: str = "info") -> None:
        """Sends the caller a line; `level` is debug, info, warn or error."""
        self._notify("log", level=level, message=str(message))

    def _notify(self, method: str, **params: Any) -> None:
        if self._connection is not None and self._connection.usable:
            self._connection.notify(method, call=self._request_id, **params)

    def _cancel(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason
            self.window.close()
            self.input._inbox.put("cancel")
            self._interrupt()

    def _answer(self, outcome: Callable[[], Any]) -> None:
        """Answers with what `outcome` returns or raises."""
        try:
            result = outcome()
        except _Refused as error:
            self._fail(error)
        except BaseException as error:
            if not self.cancelled and not isinstance(error, EasyNetError):
                _log.error('"%s" failed', self.function, exc_info=error)
            self._fail(EasyNetError._of_function(error))
        else:
            try:
                self._respond({"result": {"value": result}})
            except EasyNetError as error:  # A result that cannot travel.
                self._fail(error)

    def _fail(self, error: EasyNetError) -> None:
        if self.cancelled:
            reason = self._reason or "deadline_exceeded"
            error = EasyNetError(reason, f'"{self.function}" was stopped: {reason}.')
        data = error.to_data()
        try:
            self._respond({"error": {"code": -32000, "message": error.message, "data": data}})
        except EasyNetError:  # Details that cannot travel.
            data.pop("details", None)
            self._respond({"error": {"code": -32000, "message": error.message, "data": data}})

    def _respond(self, answer: dict[str, Any]) -> None:
        if self._connection is not None and self._connection.usable:
            self._connection.send({"id": self._request_id, **answer})


class InputStream:
    """The items that the caller streams to a function, acknowledged as they are taken."""

    def __init__(self, call: CallContext, ended: bool) -> None:
        self._call, self._ended = call, ended
        self._inbox = _Inbox()
        self._consumed = 0

    def __iter__(self) -> InputStream:
        return self

    def __next__(self) -> Any:
        if not self._ended:
            _wait(self._inbox.ready(), self._call.remaining())
            for item in self._take():
                return item
        raise StopIteration

    def __aiter__(self) -> InputStream:
        return self

    async def __anext__(self) -> Any:
        if not self._ended:
            await _wait_async(self._inbox.ready(), self._call.remaining())
            for item in self._take():
                return item
        raise StopAsyncIteration

    def _take(self) -> list[Any]:
        self._call.check()
        kind, params = self._inbox.pop()
        if kind == "inputEnd":
            self._ended = True
            if "error" in params:
                raise EasyNetError.from_data(params["error"])
            return []
        self._consumed += 1
        if self._consumed % ACK_EVERY == 0:
            self._call._notify("ack", of="input", n=self._consumed)
        return [params["value"]]


_current: contextvars.ContextVar[CallContext] = contextvars.ContextVar("easynet_call")


def current_call() -> CallContext:
    """The call that runs here: who called, the deadline, whether it was cancelled, progress, logs, input.

    In a function that was called directly, without the mesh, it is a call without caller and deadline, so
    that the function works there too.
    """
    return _current.get(None) or CallContext()


def _run_sync(call: CallContext, function: _Function | None) -> Any:
    """Runs a plain function or a generator in the thread of a worker."""
    if function is None:
        raise _Refused("invalid_request", f'This program does not offer "{call.function}".')
    _current.set(call)
    call.check()
    args, kwargs = function.bind(call)
    result = function.target(*args, **kwargs)
    if not (inspect.isgenerator(result) or (function.declaration["stream"] and isinstance(result, abc.Iterator))):
        return result
    try:
        while True:
            item = next(result)
            _wait(call.window.take(), call.remaining())
            call.check()
            call._notify("chunk", value=item)
    except StopIteration as end:
        return end.value
    finally:
        if inspect.isgenerator(result):
            result.close()


async def _run_async(call: CallContext, function: _Function) -> Any:
    """Runs an async function or an async generator on the loop of the node."""
    _current.set(call)
    args, kwargs = function.bind(call)
    result = function.target(*args, **kwargs)
    if not inspect.isasyncgen(result):
        return await result
    try:
        async for item in result:
            await _wait_async(call.window.take())
            call.check()
            call._notify("chunk", value=item)
    finally:
        await result.aclose()


class _Workers:
    """Threads that run one job each, are used again, and never keep the process from ending.

    There is no limit here: the daemon keeps to `max_concurrent` and to 1,024 calls per program.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)

    def submit(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, name="easynet-worker", daemon=True).start()

    def _work(self) -> None:
        while True:
            contextvars.copy_context().run(self._jobs.get())
            self._idle.release()


_workers = _Workers()


@functools.cache
def _background_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs the async functions of this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="easynet-loop", daemon=True).start()
    return loop


# ---- Offering: the node ----------------------------------------------------------------------------------


class ComputeNode:
    """Offers functions of this program to the mesh, through the daemon of this device.

        node = ComputeNode()

        @node.register(timeout=60, max_concurrent=1)
        def caption(image: bytes, style: str = "plain") -> str:
            "Describes a picture."
            ...

        node.serve()
    """

    def __init__(self, gateway: str | None = None, *, home: str | os.PathLike[str] | None = None) -> None:
        self._link = _Link(gateway, home, self._invoke)
        self._functions: dict[str, _Function] = {}
        self._lock = threading.RLock()
        self._idle = threading.Condition()
        self._stopped: threading.Event | None = None  # Set by `stop`; None while not started.
        self._wake: queue.SimpleQueue[object] = queue.SimpleQueue()

    def register(self, function: Function | None = None, /, *, name: str | None = None, version: str | None = None,
                 description: str | None = None, timeout: float | None = None, max_concurrent: int | None = None,
                 max_queue: int | None = None, idempotent: bool | None = None,
                 cost: float | str | decimal.Decimal | None = None, quality: float | None = None,
                 access: str | None = None, tags: Iterable[str] | None = None, stream: bool | None = None,
                 client_stream: bool | None = None, input_schema: dict[str, Any] | None = None,
                 output_schema: dict[str, Any] | None = None) -> Any:
        """Offers a function: `@node.register`, `@node.register(…)` or `node.register(function, …)`.

        What is not given comes from the function: its name, its docstring, schemas from its type hints,
        `stream` for generators. `timeout` is in seconds; `cost` in credits per call; `quality` is 0 to 1;
        `access` is "private", "members" or "public"; `idempotent`: running it twice does no harm;
        `client_stream`: it reads `current_call().input`. The function itself stays as it is.
        """
        options = {
            "name": name, "version": version, "description": description,
            "timeoutMs": None if timeout is None else _milliseconds(timeout), "maxConcurrent": max_concurrent,
            "maxQueue": max_queue, "idempotent": idempotent, "quality": quality, "access": access,
            "price": None if cost is None else format(decimal.Decimal(str(cost)), "f"),
            "tags": None if tags is None else list(tags), "stream": stream, "clientStream": client_stream,
            "input": input_schema, "output": output_schema,
        }

        def add(target: Function) -> Function:
            added = _Function(target, options)
            with self._lock:
                if self._stopped is not None:
                    self._link.connection().request("register", {"functions": [added.declaration]})
                self._functions[added.name] = added
            return target

        return add if function is None else add(function)

    def start(self) -> ComputeNode:
        """Connects and offers the functions, without blocking. Afterwards it reconnects by itself."""
        with self._lock:
            if self._stopped is None:
                connection = self._connect()
                self._stopped = threading.Event()
                threading.Thread(target=self._keep_connected, args=(connection, self._stopped),
                                 name="easynet-keeper", daemon=True).start()
        return self

    def stop(self, timeout: float = 10.0) -> None:
        """Withdraws the functions, lets running calls end for `timeout` seconds, cancels the rest."""
        with self._lock:
            stopped, self._stopped = self._stopped, None
            if stopped is None:
                return
            stopped.set()
        connection = self._link._connection
        if connection is not None and connection.usable:
            with contextlib.suppress(EasyNetError):  # Closing withdraws them too.
                connection.request("unregister", {"names": list(self._functions)})
            with self._idle:
                if not self._idle.wait_for(lambda: not connection.invocations, timeout):
                    for call in list(connection.invocations.values()):
                        call._cancel("interrupted")
                    self._idle.wait_for(lambda: not connection.invocations, 1.0)
        self._link.close()
        self._wake.put(None)

    def serve(self) -> None:
        """Offers the functions until SIGINT or SIGTERM (or `stop` in another thread), then stops cleanly."""
        self._wake = queue.SimpleQueue()
        in_main = threading.current_thread() is threading.main_thread()
        caught = (signal.SIGINT, signal.SIGTERM) if in_main else ()
        before = {number: signal.signal(number, lambda *_: self._wake.put(None)) for number in caught}
        try:
            self.start()
            daemon = self._link.connection().daemon
            self._say(f"serving {', '.join(self._functions) or 'nothing yet'} on {daemon.get('name')}")
            if os.environ.get("EASYNET_GROUP"):
                threading.Thread(target=self._watch_supervisor, name="easynet-supervisor", daemon=True).start()
            while True:
                try:
                    self._wake.get(timeout=1.0)  # In steps, so that signals are noticed on every platform.
                    break
                except queue.Empty:
                    pass
        finally:
            for number, handler in before.items():  # From here on a second signal ends the process at once.
                signal.signal(number, handler)
            self.stop()

    def _watch_supervisor(self) -> None:
        """`easynet serve` holds our stdin open; when it ends, nobody supervises this process any more."""
        try:
            if not stat.S_ISFIFO(os.fstat(0).st_mode) and not stat.S_ISSOCK(os.fstat(0).st_mode):
                return
            while os.read(0, 4096):
                pass
        except OSError:
            return
        self._wake.put(None)

    def __enter__(self) -> ComputeNode:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _connect(self) -> _Connection:
        connection = self._link.connection()
        declarations = [function.declaration for function in self._functions.values()]
        if declarations:
            connection.request("register", {"functions": declarations})
        return connection

    def _keep_connected(self, connection: _Connection, stopped: threading.Event) -> None:
        while True:
            connection.closed.wait()
            if stopped.is_set():
                return
            self._say(f"{connection._farewell.message} Trying to reach the daemon again.")
            for delay in itertools.chain(RECONNECT_DELAYS_S, itertools.repeat(RECONNECT_DELAYS_S[-1])):
                if stopped.wait(delay):
                    return
                try:
                    with self._lock:
                        if stopped.is_set():
                            return
                        connection = self._connect()
                    break
                except EasyNetError as error:
                    self._link.close()  # A refused registration is tried again on a new connection.
                    _log.info("The daemon is not back yet: %s", error)
            self._say(f"connected again; {len(self._functions)} functions are offered.")

    def _say(self, text: str) -> None:
        if not os.environ.get("EASYNET_GROUP"):  # `easynet serve` tells it itself.
            print(f"easynet: {text}", file=sys.stderr, flush=True)

    def _invoke(self, call: CallContext) -> None:
        """Starts a call; runs in the reader thread and therefore never blocks."""
        function = self._functions.get(call.function)
        if function is not None and function.is_async:
            self._start_task(call, function)
        else:
            _workers.submit(lambda: self._finish(call, lambda: _run_sync(call, function)))

    def _start_task(self, call: CallContext, function: _Function) -> None:
        loop = _background_loop()
        tasks: list[asyncio.Task[Any]] = []

        def begin() -> None:
            task = loop.create_task(_run_async(call, function))
            timer = loop.call_later(call.remaining(), call._cancel, "deadline_exceeded")
            task.add_done_callback(lambda _: timer.cancel())
            task.add_done_callback(lambda _: self._finish(call, task.result))
            tasks.append(task)

        loop.call_soon_threadsafe(begin)
        call._interrupt = lambda: loop.call_soon_threadsafe(lambda: tasks[0].cancel())

    def _finish(self, call: CallContext, outcome: Callable[[], Any]) -> None:
        try:
            with contextlib.suppress(EasyNetError):  # Gone: the daemon has told the caller.
                call._answer(outcome)
        finally:
            with self._idle:
                call._connection.invocations.pop(call._request_id, None)  # type: ignore[union-attr]
                self._idle.notify_all()


# ---- The gateway -----------------------------------------------------------------------------------------


class Server:
    """The gateway of a network: an `easynetd` in the background that also listens on `port`.

        Server(port=8080).start()

    Does nothing when a daemon of this device already listens there.
    """

    def __init__(self, port: int = 8080, *, host: str = "127.0.0.1",
                 home: str | os.PathLike[str] | None = None) -> None:
        self.port, self.host, self.home = port, host, home
        self._process: subprocess.Popen[str] | None = None

    def start(self, timeout: float = 120.0) -> Server:
        """Starts the daemon and waits until it is ready. It outlives this program unless `stop` is called."""
        if self._runs_already():
            return self
        command = [_find_easynetd(), "--gateway", f"{self.host}:{self.port}"]
        if self.home is not None:
            command += ["--home", os.fspath(self.home)]
        log_file = _Home.locate(self.home).log_file
        os.makedirs(os.path.dirname(log_file), mode=0o700, exist_ok=True)
        with open(os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       text=True, start_new_session=True)
        assert process.stdout is not None
        too_late = threading.Timer(timeout, process.kill)
        too_late.start()
        ready = process.stdout.readline()  # {"ready":true,"url":…,"peerId":…}, or nothing when it ended.
        too_late.cancel()
        process.stdout.close()
        if not ready:
            raise EasyNetError("daemon_unreachable", f"easynetd did not start (exit code {process.wait()}).",
                               hint=f"tail {log_file}")
        self._process = process
        return self

    def stop(self, timeout: float = 35.0) -> None:
        """Ends the daemon that `start` started, after its running calls."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _runs_already(self) -> bool:
        try:
            endpoint = _Endpoint.find(None, self.home)
            endpoint.connect().close()
        except EasyNetError:
            return False
        if self.port in endpoint.ports():
            return True
        raise EasyNetError("already_running", f"The daemon of this device runs at {endpoint.url}, without a gateway "
                           f"on port {self.port}.", hint=f"easynet down, then easynetd --gateway :{self.port}")


def _find_easynetd() -> str:
    here = os.path.dirname(os.path.abspath(__file__))
    checkout = os.path.join(here, "..", "..", "bin", "easynetd")
    found = os.environ.get("EASYNETD") or (os.path.normpath(checkout) if os.path.exists(checkout) else None)
    found = found or shutil.which("easynetd")
    if found is None:
        raise EasyNetError("daemon_unreachable", "easynetd was not found.", hint="npm install -g easynet")
    return found
