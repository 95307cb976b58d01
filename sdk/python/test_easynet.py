"""Tests of the SDK against a stand-in for the daemon that speaks the raw framing of docs/spec/attach.md.

    python3 -m unittest discover -s sdk/python

Nothing here sleeps to wait for something: every step is awaited by the message or event that proves it.
"""

import ast
import asyncio
import contextlib
import dataclasses
import gc
import io
import json
import logging
import os
import queue
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import typing
import unittest
from unittest import mock

import easynet
from easynet import Client, ComputeNode, EasyNetError, ExecutionContext, Server, current_call, remote

PATIENCE_S = 20
TOKEN = "0123456789abcdef"
logging.getLogger("easynet").setLevel(logging.CRITICAL)  # Functions fail on purpose here.


class Attached:
    """The daemon's side of one program's connection."""

    def __init__(self, sock, reader):
        self.sock, self.reader = sock, reader
        self.lock = threading.Lock()
        self.inbox = queue.Queue()
        self.kept = []
        self.ids = iter(range(1000, 100_000))

    def send(self, message, *blobs):
        if blobs:
            message = {**message, "bin": [len(blob) for blob in blobs]}
        with self.lock:
            self.sock.sendall(json.dumps(message).encode() + b"\n")
            for blob in blobs:
                self.sock.sendall(blob)

    def notify(self, method, *blobs, **params):
        self.send({"method": method, "params": params}, *blobs)

    def invoke(self, fn, *args, kwargs=None, blobs=(), timeout_ms=PATIENCE_S * 1000, input=False):
        """Sends an `invoke`; returns its request id."""
        id = next(self.ids)
        params = {"id": f"call-{id}", "fn": fn, "args": args, "kwargs": kwargs or {}, "input": input,
                  "caller": {"peerId": "12D3KooWtest", "name": "laptop"}, "timeoutMs": timeout_ms}
        self.send({"id": id, "method": "invoke", "params": params}, *blobs)
        return id

    def next(self, wanted):
        """The next message that `wanted` accepts; others are kept for later."""
        for index, message in enumerate(self.kept):
            if wanted(message):
                return self.kept.pop(index)
        while True:
            message = self.inbox.get(timeout=PATIENCE_S)
            if message is None:
                raise EOFError("the program hung up")
            if wanted(message):
                return message
            self.kept.append(message)

    def method(self, name):
        return self.next(lambda message: message.get("method") == name)

    def answer_to(self, id):
        return self.next(lambda message: message.get("id") == id and "method" not in message)

    def chunks_of(self, id, count):
        wanted = lambda message: message.get("method") == "chunk" and message["params"]["call"] == id  # noqa: E731
        return [self.next(wanted)["params"]["value"] for _ in range(count)]

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


class Daemon:
    """Accepts programs, answers `hello`, `register` and `unregister`; tests do the rest by hand."""

    def __init__(self, home, tcp=False, refusal=None):
        self.home, self.refusal = home, refusal
        self.programs = queue.Queue()
        self.attached = []
        self.requests = []
        self.answers = {"hello": {"protocol": 1, "peerId": "12D3KooWtest", "name": "box", "version": "0.1.0"}}
        run = os.path.join(home, "run")
        os.makedirs(run, exist_ok=True)
        path = os.path.join(run, "api.sock")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        if not tcp:
            self.server.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.server.bind(path)
            self.server.listen()
        with open(os.path.join(run, "token"), "w") as file:
            file.write(TOKEN + "\n")
        with open(os.path.join(run, "daemon.json"), "w") as file:
            json.dump({"url": f"http://127.0.0.1:{self.port}", "socket": None if tcp else path, "pid": os.getpid(),
                       "gateway": "127.0.0.1:8099"}, file)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.server.accept()
                threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        with sock, sock.makefile("rb") as reader:
            self.converse(sock, reader)

    def converse(self, sock, reader):
        head = []
        for line in iter(reader.readline, b"\r\n"):
            if not line:  # Only looked whether somebody is here.
                return
            head.append(line.decode().strip())
        self.requests.append(head)
        if f"Authorization: Bearer {TOKEN}" not in head or self.refusal:
            data = self.refusal or {"code": "unauthenticated", "reason": "unauthenticated", "message": "No."}
            body = json.dumps({"error": data}).encode()
            sock.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        if head[0].startswith("GET /v1/peers "):
            body = json.dumps({"peers": [{"peerId": "12D3", "name": "gpu-box"}]}).encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: easynet\r\n\r\n")
        program = Attached(sock, reader)
        self.attached.append(program)
        self.programs.put(program)
        try:
            while True:
                line = reader.readline()
                if not line:
                    break
                message = json.loads(line)
                message["blobs"] = [reader.read(size) for size in message.get("bin", [])]
                self.handle(program, message)
        except OSError:
            pass
        finally:
            program.inbox.put(None)

    def handle(self, program, message):
        method = message.get("method")
        if method in self.answers:
            program.send({"id": message["id"], "result": self.answers[method]})
        elif method == "register":
            names = [{"name": item["name"], "version": "1.0.0"} for item in message["params"]["functions"]]
            program.send({"id": message["id"], "result": {"functions": names}})
        elif method == "unregister":
            program.send({"id": message["id"], "result": {}})
        program.inbox.put(message)

    def program(self):
        return self.programs.get(timeout=PATIENCE_S)

    def close(self):
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for program in self.attached:
            program.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="easynet-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.daemon = self.start_daemon()
        self.stderr = self.enterContextCompat(contextlib.redirect_stderr(io.StringIO()))

    def enterContextCompat(self, manager):  # unittest has enterContext since Python 3.11 only.
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def start_daemon(self, **options):
        daemon = Daemon(self.home, **options)
        self.addCleanup(daemon.close)
        return daemon

    def node(self, *functions, **options):
        """A started node with these functions, and the daemon's side of its connection."""
        node = ComputeNode(home=self.home)
        for function in functions:
            node.register(function, **options)
        node.start()
        self.addCleanup(node.stop, 0)
        return node, self.daemon.program()

    def client(self, **options):
        client = Client(home=self.home, **options)
        self.addCleanup(client.close)
        return client

    def background(self, action):
        """Runs `action` in a thread; the returned function waits for its result."""
        results = queue.Queue()

        def run():
            try:
                results.put((action(), None))
            except BaseException as error:
                results.put((None, error))

        threading.Thread(target=run, daemon=True).start()

        def result():
            value, error = results.get(timeout=PATIENCE_S)
            if error is not None:
                raise error
            return value

        return result

    def assertFails(self, reason, action, *args, **kwargs):
        with self.assertRaises(EasyNetError) as caught:
            action(*args, **kwargs)
        self.assertEqual(caught.exception.reason, reason, caught.exception)
        return caught.exception


class Values(unittest.TestCase):
    def through(self, value):
        blobs = []
        encoded = json.loads(json.dumps(easynet._encode(value, blobs)))
        return easynet._decode(encoded, blobs)

    def test_values_survive_the_round_trip(self):
        for value in [None, True, 0, -1.5, 2**53 - 1, "ü", b"", b"\x00\xff", [], [1, [b"x"]], {"a": {"b": b"y"}}]:
            self.assertEqual(self.through(value), value)
        self.assertEqual(self.through((1, bytearray(b"a"), memoryview(b"b"))), [1, b"a", b"b"])

    def test_dicts_that_look_like_markers_survive(self):
        for value in [{"$bin": 0}, {"$bytes": "AA=="}, {"$esc": {}}, {"$esc": {"$bin": 1}}, {"$bin": {"$esc": b"x"}},
                      {"$bin": 0, "other": 1}, {"a": {"$bin": [b"q"]}}]:
            self.assertEqual(self.through(value), value)

    def test_what_cannot_travel_is_refused_with_a_reason(self):
        deep = []
        for _ in range(70):
            deep = [deep]
        endless = []
        endless.append(endless)
        for value in [2**53, -(2**53), float("nan"), float("inf"), {1: 2}, {1, 2}, object(), deep, endless, "\ud800"]:
            with self.assertRaises(EasyNetError) as caught:
                easynet._pack({"params": {"value": value}})
            self.assertEqual(caught.exception.code, "invalid_argument")

    def test_malformed_markers_are_refused(self):
        for node in [{"$bin": 1}, {"$bin": -1}, {"$bin": True}, {"$bin": "0"}, {"$bytes": "AA=="}, {"$esc": 1}]:
            with self.assertRaises(EasyNetError):
                easynet._decode(node, [b"x"])

    def test_what_is_too_large_is_not_written(self):
        for message in [
            {"method": "chunk", "params": {"value": bytes(8 * 1024 * 1024 + 1)}},
            {"method": "call", "params": {"args": [b""] * 1025}},
            {"method": "call", "params": {"args": ["x" * (16 * 1024 * 1024)]}},
        ]:
            with self.assertRaises(EasyNetError) as caught:
                easynet._pack(message)
            self.assertEqual(caught.exception.reason, "too_large")

    def test_what_is_too_large_is_not_read(self):
        lines = [b"x" * (easynet.MAX_LINE_BYTES + 2), b'{"bin":[134217729]}\n', b'{"method":"chunk","bin":[8388609]}\n',
                 json.dumps({"bin": [0] * 1025}).encode() + b"\n"]
        for line in lines:
            with self.assertRaises(EasyNetError) as caught:
                easynet._read_message(io.BytesIO(line))
            self.assertEqual(caught.exception.reason, "too_large")
        for line in [b"[]\n", b"nonsense\n", b'{"bin":[-1]}\n', b'{"bin":4}\n', b"[" * 100_000 + b"\n"]:
            with self.assertRaises(EasyNetError) as caught:
                easynet._read_message(io.BytesIO(line))
            self.assertEqual(caught.exception.reason, "protocol_violation")

    def test_a_dataclass_is_sent_as_an_object(self):
        self.assertEqual(self.through(Point(1, 2)), {"x": 1, "y": 2})


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Movie(typing.TypedDict):
    title: str
    year: int


class Schemas(unittest.TestCase):
    def declared(self, function, **options):
        return easynet._Function(function, options).declaration

    def test_types_become_json_schema(self):
        cases = [
            (str, {"type": "string"}),
            (bytes, {"type": "string", "contentEncoding": "base64"}),
            (None, {"type": "null"}),
            (list[int], {"type": "array", "items": {"type": "integer"}}),
            (list, {"type": "array"}),
            (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
            (dict, {"type": "object"}),
            (typing.Optional[bool], {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
            (typing.Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            (typing.Literal["a", "b"], {"enum": ["a", "b"]}),
            (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
            (tuple[int, str], {"type": "array"}),
            (Movie, {"type": "object", "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
                     "required": ["title", "year"]}),
            (Point, {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                     "required": ["x"]}),
            (typing.Any, {}),
            (threading.Thread, {}),
        ]
        for hint, schema in cases:
            self.assertEqual(easynet._schema(hint), schema, hint)

    @unittest.skipIf(sys.version_info < (3, 10), "needs Python 3.10")
    def test_unions_with_a_bar(self):
        self.assertEqual(easynet._schema(int | None), {"anyOf": [{"type": "integer"}, {"type": "null"}]})

    def test_a_function_describes_itself(self):
        def caption(image: bytes, style: str = "plain", *, words: int = 5) -> str:
            """Describes a picture
            in words.

            More."""

        declared = self.declared(caption)
        self.assertEqual(declared["name"], "caption")
        self.assertEqual(declared["description"], "Describes a picture in words.")
        self.assertEqual(list(declared["input"]["properties"]), ["image", "style", "words"])
        self.assertEqual(declared["input"]["required"], ["image"])
        self.assertEqual(declared["input"]["properties"]["style"], {"type": "string", "default": "plain"})
        self.assertEqual(declared["output"], {"type": "string"})
        self.assertFalse(declared["stream"])

    def test_generators_describe_their_chunks(self):
        def words() -> typing.Iterator[str]:
            yield ""

        async def numbers() -> typing.AsyncIterator[int]:
            yield 1

        self.assertEqual((self.declared(words)["stream"], self.declared(words)["output"]), (True, {"type": "string"}))
        self.assertEqual(self.declared(numbers)["output"], {"type": "integer"})

    def test_without_hints_anything_goes(self):
        self.assertEqual(self.declared(lambda a, *rest: 0).get("input"), None)
        self.assertEqual(self.declared(lambda a, **rest: 0)["input"]["additionalProperties"], True)
        def broken(a: "NoSuchType"): ...  # noqa: F821
        self.assertEqual(self.declared(broken)["input"]["properties"], {"a": {}})

    def test_options_are_sent_in_the_words_of_the_protocol(self):
        node = ComputeNode()

        @node.register(name="x.y", timeout=1.5, max_concurrent=2, max_queue=0, idempotent=True, cost=0.02,
                       quality=0.9, access="public", tags=("a",), stream=True, version="2.0.0", description="d",
                       input_schema={"type": "object"}, output_schema={"type": "null"})
        def function():
            return 7

        self.assertEqual(function(), 7)
        self.assertEqual(node._functions["x.y"].declaration, {
            "name": "x.y", "timeoutMs": 1500, "maxConcurrent": 2, "maxQueue": 0, "idempotent": True, "price": "0.02",
            "quality": 0.9, "access": "public", "tags": ["a"], "stream": True, "version": "2.0.0", "description": "d",
            "input": {"type": "object"}, "output": {"type": "null"}})


class Finding(Case):
    def test_the_opening_request_is_that_of_the_protocol(self):
        self.node()
        head = self.daemon.requests[0]
        self.assertEqual(head[0], "GET /v1/attach HTTP/1.1")
        self.assertIn(f"Host: 127.0.0.1:{self.daemon.port}", head)
        self.assertIn("Upgrade: easynet", head)

    def test_without_a_unix_socket_tcp_is_used(self):
        self.daemon.close()
        self.daemon = self.start_daemon(tcp=True)
        self.daemon.answers["status"] = {"schema": "status/1"}
        self.assertEqual(self.client().status(), {"schema": "status/1"})

    def test_a_gateway_is_a_port_of_this_devices_daemon(self):
        for gateway in [f"127.0.0.1:{self.daemon.port}", "localhost:8099"]:
            self.assertEqual(easynet._Endpoint.find(gateway, self.home).token, TOKEN)
        self.assertFails("daemon_unreachable", easynet._Endpoint.find, "127.0.0.1:1", self.home)
        error = self.assertFails("unsupported_runtime", easynet._Endpoint.find, "example.org:8080", self.home)
        self.assertEqual(error.code, "failed_precondition")
        self.assertFails("invalid_request", easynet._Endpoint.find, "nonsense", self.home)

    def test_homes_are_found_as_the_daemon_finds_them(self):
        locate = easynet._Home.locate
        with mock.patch.dict(os.environ, {"EASYNET_HOME": "/x"}):
            self.assertEqual(locate(None).run_dir, os.path.join(os.path.abspath("/x"), "run"))
            self.assertEqual(locate("/y").run_dir, os.path.join(os.path.abspath("/y"), "run"))
        with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s"}):
            os.environ.pop("EASYNET_HOME", None)
            self.assertEqual(locate(None).run_dir, os.path.join("/r", "easynet"))
            del os.environ["XDG_RUNTIME_DIR"]
            self.assertEqual(locate(None).run_dir, os.path.join("/s", "easynet", "run"))

    def test_no_daemon_and_a_dead_daemon_are_told_plainly(self):
        self.assertIn("easynet up", str(self.assertFails("daemon_unreachable", Client(home="/nowhere").status)))
        self.daemon.close()
        self.assertFails("daemon_unreachable", self.client().status)

    def test_a_refusal_keeps_its_reason(self):
        self.daemon.refusal = {"code": "resource_exhausted", "reason": "too_many_calls", "message": "64 programs."}
        error = self.assertFails("too_many_calls", self.client().status)
        self.assertEqual((error.code, error.message), ("resource_exhausted", "64 programs."))

    def test_another_protocol_is_refused(self):
        self.daemon.answers["hello"] = {"protocol": 2}
        self.assertFails("unsupported_runtime", self.client().status)

    def test_a_managed_process_says_its_group(self):
        with mock.patch.dict(os.environ, {"EASYNET_GROUP": "g1"}):
            _, program = self.node()
        hello = program.method("hello")["params"]
        self.assertEqual(hello["group"], "g1")
        self.assertTrue(hello["client"].startswith("easynet-python/"))


class Serving(Case):
    def test_functions_of_every_kind_answer(self):
        def add(a, b=1):
            return a + b

        async def twice(text: str) -> str:
            await asyncio.sleep(0)
            return text * 2

        def count(upto):
            yield from range(upto)
            return "done"

        async def letters(text):
            for letter in text:
                yield letter

        _, program = self.node(add, twice, count, letters)
        registered = program.method("register")["params"]["functions"]
        self.assertEqual([item["name"] for item in registered], ["add", "twice", "count", "letters"])
        self.assertEqual([item["stream"] for item in registered], [False, False, True, True])

        self.assertEqual(program.answer_to(program.invoke("add", 2, kwargs={"b": 3}))["result"], {"value": 5})
        self.assertEqual(program.answer_to(program.invoke("twice", "ab"))["result"], {"value": "abab"})
        id = program.invoke("count", 3)
        self.assertEqual(program.chunks_of(id, 3), [0, 1, 2])
        self.assertEqual(program.answer_to(id)["result"], {"value": "done"})
        id = program.invoke("letters", "xy")
        self.assertEqual(program.chunks_of(id, 2), ["x", "y"])
        self.assertEqual(program.answer_to(id)["result"], {"value": None})

    def test_bytes_arrive_whole_however_they_are_split(self):
        def join(parts):
            return b"-".join(parts)

        _, program = self.node(join)
        params = {"id": "c", "fn": "join", "args": [[{"$bin": 0}, {"$bin": 1}, {"$bin": 2}]], "kwargs": {},
                  "timeoutMs": 9000, "caller": {}, "input": False}
        message = {"id": 5, "method": "invoke", "params": params, "bin": [3, 0, 2]}
        wire = json.dumps(message).encode() + b"\n" + b"a\nb" + b"" + b"}\n" + b'{"method":"heartbeat"}\n'
        for byte in wire:
            program.sock.sendall(bytes([byte]))
        answer = program.answer_to(5)
        self.assertEqual((answer["result"], answer["blobs"]), ({"value": {"$bin": 0}}, [b"a\nb--}\n"]))

    def test_the_function_knows_its_call(self):
        def who():
            call = current_call()
            call.progress(0.5)
            call.log("half way", "warn")
            return [call.id, call.caller.name, call.caller.peer_id, 0 < call.remaining() <= 5, call.cancelled]

        _, program = self.node(who)
        id = program.invoke("who", timeout_ms=5000)
        self.assertEqual(program.method("progress")["params"], {"call": id, "value": 0.5})
        self.assertEqual(program.method("log")["params"], {"call": id, "level": "warn", "message": "half way"})
        value = program.answer_to(id)["result"]["value"]
        self.assertEqual(value, [f"call-{id}", "laptop", "12D3KooWtest", True, False])
        self.assertEqual(who()[:2], ["", ""])  # Called directly it works as well.

    def test_exceptions_travel_without_a_stack(self):
        def fail(kind):
            if kind == "value":
                raise ValueError("too dark")
            if kind == "own":
                raise EasyNetError("no_provider", "Not today.", details={"day": 1}, hint="wait")
            if kind == "unsendable":
                raise EasyNetError("x", "Odd.", details={"thing": object()})
            if kind == "exit":
                raise SystemExit(3)
            return {1, 2}

        async def fail_async():
            raise KeyError("k")

        _, program = self.node(fail, fail_async)

        def error(*args, **kwargs):
            answer = program.answer_to(program.invoke(*args, **kwargs))
            self.assertNotIn("Traceback", json.dumps(answer["error"]))
            return answer["error"]["data"]

        self.assertEqual(error("fail", "value"), {"code": "unknown", "reason": "function_error", "message": "too dark",
                                                  "retryable": False, "details": {"name": "ValueError"}})
        own = error("fail", "own")
        self.assertEqual((own["reason"], own["message"], own["hint"]), ("function_error", "Not today.", "wait"))
        self.assertEqual(own["details"], {"day": 1, "name": "EasyNetError"})
        self.assertEqual(error("fail", "unsendable")["message"], "Odd.")
        self.assertEqual(error("fail", "exit")["details"], {"name": "SystemExit"})
        self.assertEqual(error("fail", "set")["reason"], "invalid_value")
        self.assertEqual(error("fail_async")["details"], {"name": "KeyError"})
        self.assertEqual(error("fail")["reason"], "invalid_request")
        self.assertEqual(error("fail_async", 1)["reason"], "invalid_request")
        self.assertEqual(error("missing")["reason"], "invalid_request")

    def test_an_unknown_request_is_answered(self):
        _, program = self.node()
        program.send({"id": 77, "method": "dance", "params": {}})
        self.assertEqual(program.answer_to(77)["error"]["code"], -32601)

    def test_a_sync_function_sees_the_cancel(self):
        seen = threading.Event()

        def wait():
            call = current_call()
            seen.set()
            while not call.cancelled:
                pass
            call.check()

        _, program = self.node(wait)
        id = program.invoke("wait")
        self.assertTrue(seen.wait(PATIENCE_S))
        program.notify("cancel", call=id, reason="cancelled")
        self.assertEqual(program.answer_to(id)["error"]["data"]["reason"], "cancelled")

    def test_an_async_function_is_cancelled(self):
        state = queue.Queue()

        async def wait():
            try:
                state.put("started")
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                state.put("cancelled")
                raise

        _, program = self.node(wait)
        id = program.invoke("wait")
        self.assertEqual(state.get(timeout=PATIENCE_S), "started")
        program.notify("cancel", call=id, reason="interrupted")
        self.assertEqual(state.get(timeout=PATIENCE_S), "cancelled")
        self.assertEqual(program.answer_to(id)["error"]["data"]["reason"], "interrupted")
        at_once = program.invoke("wait")
        program.notify("cancel", call=at_once, reason="cancelled")  # Maybe before it has started.
        self.assertEqual(program.answer_to(at_once)["error"]["data"]["reason"], "cancelled")

    def test_the_deadline_ends_async_functions_and_generators(self):
        async def wait():
            await asyncio.Event().wait()

        def endless():
            while True:
                yield 1

        _, program = self.node(wait, endless)
        for id in [program.invoke("wait", timeout_ms=50), program.invoke("endless", timeout_ms=50)]:
            self.assertEqual(program.answer_to(id)["error"]["data"]["reason"], "deadline_exceeded")

    def test_a_generator_waits_for_acknowledgements_and_is_closed_by_a_cancel(self):
        made = queue.Queue()
        closed = threading.Event()

        def endless():
            try:
                for number in range(1000):
                    made.put(number)
                    yield number
            finally:
                closed.set()

        async def endless_async():
            try:
                for number in range(1000):
                    made.put(number)
                    yield number
            finally:
                closed.set()

        _, program = self.node(endless, endless_async)
        for name in ["endless", "endless_async"]:
            closed.clear()
            id = program.invoke(name)
            self.assertEqual(program.chunks_of(id, 16), list(range(16)))
            for number in range(17):  # One more was made, and waits to be sent.
                self.assertEqual(made.get(timeout=PATIENCE_S), number)
            self.assertTrue(made.empty())
            program.notify("ack", call=id, of="chunk", n=8)
            self.assertEqual(program.chunks_of(id, 8), list(range(16, 24)))
            for number in range(17, 25):
                self.assertEqual(made.get(timeout=PATIENCE_S), number)
            self.assertTrue(made.empty())
            program.notify("ack", call=id, of="chunk", n=10_000)  # Nonsense cannot open the window wider.
            self.assertEqual(program.chunks_of(id, 16), list(range(24, 40)))
            program.notify("cancel", call=id, reason="cancelled")
            self.assertEqual(program.answer_to(id)["error"]["data"]["reason"], "cancelled")
            self.assertTrue(closed.wait(PATIENCE_S))
            while not made.empty():
                made.get()

    def test_the_clients_stream_is_read_and_acknowledged(self):
        def total():
            return sum(current_call().input)

        async def total_async():
            return sum([item async for item in current_call().input])

        _, program = self.node(total, total_async, client_stream=True)
        self.assertTrue(program.method("register")["params"]["functions"][0]["clientStream"])
        for name in ["total", "total_async"]:
            id = program.invoke(name, input=True)
            for number in range(10):
                program.notify("input", call=id, value=number)
            self.assertEqual(program.method("ack")["params"], {"call": id, "of": "input", "n": 8})
            program.notify("inputEnd", call=id)
            self.assertEqual(program.answer_to(id)["result"], {"value": 45})
            id = program.invoke(name, input=True)
            program.notify("inputEnd", call=id, error={"code": "unknown", "reason": "function_error", "message": "x"})
            self.assertEqual(program.answer_to(id)["error"]["data"]["message"], "x")
            id = program.invoke(name, input=True)
            program.notify("cancel", call=id, reason="cancelled")
            self.assertEqual(program.answer_to(id)["error"]["data"]["reason"], "cancelled")

    def test_many_calls_run_at_the_same_time(self):
        barrier = threading.Barrier(40)

        def meet(number):
            barrier.wait(PATIENCE_S)
            return number

        _, program = self.node(meet)
        ids = [program.invoke("meet", number) for number in range(40)]
        for number, id in enumerate(ids):
            self.assertEqual(program.answer_to(id)["result"]["value"], number)

    def test_a_dict_becomes_the_dataclass_of_the_hint(self):
        def shift(point: Point) -> Point:
            return Point(point.x + 1, point.y)

        _, program = self.node(shift)
        self.assertEqual(program.answer_to(program.invoke("shift", {"x": 1}))["result"]["value"], {"x": 2, "y": 0.0})
        error = program.answer_to(program.invoke("shift", {"z": 1}))["error"]["data"]
        self.assertEqual(error["reason"], "invalid_request")

    def test_a_function_registered_later_is_offered_at_once(self):
        node, program = self.node()
        self.assertTrue(node.register(lambda: 1, name="late"))
        self.assertEqual(program.method("register")["params"]["functions"][0]["name"], "late")

    def test_stop_withdraws_lets_calls_end_and_closes(self):
        release = threading.Event()
        started = threading.Event()

        def work():
            started.set()
            release.wait(PATIENCE_S)
            return "done"

        node, program = self.node(work)
        id = program.invoke("work")
        self.assertTrue(started.wait(PATIENCE_S))
        stopped = self.background(node.stop)
        self.assertEqual(program.method("unregister")["params"], {"names": ["work"]})
        release.set()
        self.assertEqual(program.answer_to(id)["result"], {"value": "done"})
        stopped()
        self.assertRaises(EOFError, program.method, "anything")

    def test_after_a_restart_of_the_daemon_the_functions_are_back(self):
        started, cancelled = threading.Event(), threading.Event()

        async def wait():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        _, program = self.node(wait)
        program.invoke("wait")
        self.assertTrue(started.wait(PATIENCE_S))
        self.daemon.close()
        self.assertTrue(cancelled.wait(PATIENCE_S))
        self.daemon = self.start_daemon()
        again = self.daemon.program()
        self.assertEqual(again.method("register")["params"]["functions"][0]["name"], "wait")
        lines = self.stderr.getvalue().splitlines()
        self.assertTrue(lines[0].startswith("easynet: The daemon closed the connection"), lines)

    def test_a_message_that_breaks_the_protocol_ends_the_connection(self):
        for line in [b"nonsense\n", b'{"method":"chunk"}\n', b'{"method":"x","bin":[999999999]}\n']:
            client = self.client()
            result = self.background(client.status)
            program = self.daemon.program()
            program.method("status")
            program.sock.sendall(line)
            self.assertIn(program.method("error")["params"]["reason"], ("protocol_violation", "too_large"))
            with self.assertRaises(EasyNetError):
                result()
            self.assertRaises(EOFError, program.method, "anything")

    def test_silence_is_filled_with_heartbeats_and_ends_the_connection(self):
        with mock.patch.object(easynet, "HEARTBEAT_S", 0.05):
            _, program = self.node()
            program.method("heartbeat")
            program.method("heartbeat")
        with mock.patch.object(easynet, "SILENCE_S", 0.05):
            result = self.background(self.client().status)
            self.daemon.program().method("status")
            self.assertIn("silent", self.assertFails("daemon_unreachable", result).message)


class Calling(Case):
    def started(self, action):
        """Starts `action`, a call; returns the daemon's side, the `call` request and the waiting function."""
        result = self.background(action)
        program = self.daemon.program()
        request = program.method("call")
        program.notify("accepted", call=request["id"], id="c-1")
        return program, request, result

    def done(self, program, request, value, *blobs):
        result = {"id": "c-1", "result": value, "provider": {"peerId": "p", "name": "box"}, "path": "direct",
                  "attempts": 1, "failed": [], "durationMs": 3, "cost": "0"}
        program.send({"id": request["id"], "result": result}, *blobs)

    def test_a_call_carries_its_arguments_and_options(self):
        client = self.client().with_options(timeout=2, peer="box", key="k", max_cost=0.5)
        program, request, result = self.started(lambda: client.execute("f", 1, b"x", name="n", timeout=9))
        self.assertEqual(request["params"], {
            "fn": "f", "args": [1, {"$bin": 0}], "kwargs": {"name": "n", "timeout": 9}, "stream": False,
            "timeoutMs": 2000, "peer": "box", "key": "k", "maxCost": 0.5})
        self.assertEqual(request["blobs"], [b"x"])
        self.done(program, request, {"a": {"$bin": 0}}, b"yy")
        self.assertEqual(result(), {"a": b"yy"})

    def test_other_ways_to_say_where_to_run(self):
        client = self.client()
        program, request, result = self.started(lambda: client.execute_on_node("box", "f", peer="not this one"))
        self.assertEqual((request["params"]["peer"], request["params"]["kwargs"]), ("box", {"peer": "not this one"}))
        self.done(program, request, 1)
        self.assertEqual(result(), 1)
        result = self.background(lambda: client.execute_with_context(ExecutionContext("g", timeout=3), 4))
        request = program.method("call")
        self.assertEqual((request["params"]["fn"], request["params"]["timeoutMs"]), ("g", 3000))
        self.done(program, request, 2)
        self.assertEqual(result(), 2)

    def test_an_error_of_the_daemon_is_raised_with_everything(self):
        program, request, result = self.started(lambda: self.client().execute("f"))
        data = {"code": "not_found", "reason": "no_provider", "message": "Nobody.", "hint": "easynet fn ls",
                "retryable": True, "details": {"n": 1}}
        program.send({"id": request["id"], "error": {"code": -32000, "message": "Nobody.", "data": data}})
        error = self.assertFails("no_provider", result)
        self.assertEqual((error.code, error.hint, error.retryable), ("not_found", "easynet fn ls", True))
        self.assertEqual(error.details, {"n": 1, "callId": "c-1"})

    def test_progress_and_logs_reach_the_waiting_thread(self):
        seen = []
        client = self.client().with_options(on_progress=seen.append, on_log=lambda *line: seen.append(line))
        program, request, result = self.started(lambda: client.execute("f"))
        program.notify("progress", call=request["id"], value=0.5)
        program.notify("log", call=request["id"], level="info", message="m")
        self.done(program, request, None)
        result()
        self.assertEqual(seen, [0.5, ("info", "m")])

    def test_a_stream_is_acknowledged_as_it_is_consumed(self):
        stream = self.client().stream("count")
        program = self.daemon.program()
        request = program.method("call")
        self.assertTrue(request["params"]["stream"])
        for number in range(16):
            program.notify("chunk", call=request["id"], value=number)
        self.assertEqual([next(stream) for _ in range(8)], list(range(8)))
        self.assertEqual(program.method("ack")["params"], {"call": request["id"], "of": "chunk", "n": 8})
        self.assertNotIn("ack", [message["method"] for message in program.kept])
        self.done(program, request, "end")
        self.assertEqual(list(stream), list(range(8, 16)))
        self.assertEqual((stream.result, stream.id, stream.info["path"]), ("end", "c-1", "direct"))

    def test_closing_or_dropping_a_stream_cancels_the_call(self):
        client = self.client()
        stream = client.stream("count")
        program = self.daemon.program()
        request = program.method("call")
        stream.close()
        self.assertEqual(program.method("cancel")["params"], {"call": request["id"]})
        dropped = client.stream("count")
        request = program.method("call")
        del dropped
        gc.collect()
        self.assertEqual(program.method("cancel")["params"], {"call": request["id"]})

    def test_a_call_without_an_answer_ends_after_its_timeout(self):
        with mock.patch.object(easynet, "DEADLINE_GRACE_S", 0.01):
            client = self.client(timeout=0.02)
            program, request, result = self.started(lambda: client.execute("f"))
            self.assertFails("deadline_exceeded", result)
            self.assertEqual(program.method("cancel")["params"], {"call": request["id"]})

    def test_ctrl_c_cancels_the_call(self):
        code = "import easynet,sys; print('go', flush=True); easynet.Client(home=sys.argv[1]).execute('f')"
        process = subprocess.Popen([sys.executable, "-c", code, self.home], cwd=os.path.dirname(easynet.__file__),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        program = self.daemon.program()
        request = program.method("call")
        process.send_signal(signal.SIGINT)
        self.assertEqual(program.method("cancel")["params"], {"call": request["id"]})
        _, stderr = process.communicate(timeout=PATIENCE_S)
        self.assertIn(b"KeyboardInterrupt", stderr)

    def test_input_is_sent_at_the_pace_of_the_reader(self):
        client = self.client().with_options(input=iter(range(20)))
        program, request, result = self.started(lambda: client.execute("sum"))
        self.assertTrue(request["params"]["input"])
        values = [program.method("input")["params"]["value"] for _ in range(16)]
        self.assertTrue(program.inbox.empty())
        program.notify("ack", call=request["id"], of="input", n=8)
        values += [program.method("input")["params"]["value"] for _ in range(4)]
        self.assertEqual(values, list(range(20)))
        self.assertEqual(program.method("inputEnd")["params"], {"call": request["id"]})
        self.done(program, request, 190)
        self.assertEqual(result(), 190)

    def test_input_that_fails_is_told_to_the_function(self):
        def items():
            yield 1
            raise ValueError("no more")

        program, request, result = self.started(lambda: self.client().with_options(input=items()).execute("sum"))
        self.assertEqual(program.method("inputEnd")["params"]["error"]["details"], {"name": "ValueError"})
        self.done(program, request, 0)
        result()

    def test_coroutines_call_stream_and_cancel(self):
        client = self.client()

        async def numbers():
            for number in range(3):
                yield number

        async def main():
            streaming = client.with_options(input=numbers()).astream("echo")
            seen = [chunk async for chunk in streaming]
            result = await client.aexecute("f", 1)
            waiting = asyncio.ensure_future(client.aexecute("wait"))
            await asyncio.get_running_loop().run_in_executor(None, called.wait, PATIENCE_S)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
            return seen, result, waiting.cancelled()

        called = threading.Event()
        outcome = self.background(lambda: asyncio.run(main()))
        program = self.daemon.program()
        request = program.method("call")
        for _ in range(3):
            value = program.method("input")["params"]["value"]
            program.notify("chunk", call=request["id"], value=value * 2)
        program.method("inputEnd")
        self.done(program, request, None)
        self.done(program, program.method("call"), "x")
        request = program.method("call")
        called.set()
        self.assertEqual(program.method("cancel")["params"], {"call": request["id"]})
        self.assertEqual(outcome(), ([0, 2, 4], "x", True))

    def test_questions_about_the_mesh(self):
        record = {"id": "c-1", "state": "done", "result": {"$esc": {"$bin": 1}}}
        listed = [{"name": "f", "input": {"properties": {"$bytes": {}}}}]  # Not a value: taken as it is.
        self.daemon.answers.update(functions={"functions": listed}, status={"name": "box"}, outcome=record)
        client = self.client()
        self.assertEqual(client.list_nodes()[0]["name"], "gpu-box")
        self.assertEqual(client.functions("f"), listed)
        self.assertEqual(client.status(), {"name": "box"})
        self.assertEqual(client.outcome("c-1")["result"], {"$bin": 1})
        program = self.daemon.program()
        self.assertEqual(program.method("functions")["params"], {"scope": "mesh", "q": "f"})

    def test_64_mib_make_the_round_trip_in_one_copy_each_way(self):
        payload = os.urandom(1024 * 1024) * 64
        client = self.client()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        program, request, result = self.started(lambda: client.execute("echo", payload))
        sent = request.pop("blobs")
        self.assertTrue(sent[0] == payload)
        del request["params"]
        tracemalloc.reset_peak()
        self.done(program, request, {"$bin": 0}, sent.pop())
        self.assertTrue(result() == payload)
        peak = tracemalloc.get_traced_memory()[1]
        # One copy in the stand-in's hands (what it received), one in the client's (what it received).
        self.assertLess(peak, 140 * 1024 * 1024, peak)

    def test_threads_share_a_client(self):
        client = self.client()
        waits = [self.background(lambda number=number: client.execute("echo", number)) for number in range(50)]
        program = self.daemon.program()
        requests = [program.method("call") for _ in waits]
        for request in reversed(requests):
            self.done(program, request, request["params"]["args"][0])
        self.assertEqual([wait() for wait in waits], list(range(50)))
        self.assertEqual(len(self.daemon.attached), 1)

    def test_when_the_daemon_goes_calls_fail_and_later_ones_reconnect(self):
        client = self.client()
        program, request, result = self.started(lambda: client.execute("f"))
        self.daemon.close()
        error = self.assertFails("daemon_unreachable", result)
        self.assertFalse(error.retryable)  # It may have run.
        self.assertEqual(error.details, {"callId": "c-1"})
        self.assertTrue(self.assertFails("daemon_unreachable", client.status).retryable)
        self.daemon = self.start_daemon()
        self.daemon.answers["status"] = {"name": "again"}
        self.assertEqual(client.status(), {"name": "again"})

    def test_a_dropped_client_closes_its_connection(self):
        client = Client(home=self.home)
        self.daemon.answers["status"] = {}
        client.status()
        program = self.daemon.program()
        del client
        gc.collect()
        self.assertRaises(EOFError, program.method, "anything")

    def test_remote_makes_a_stub_a_call(self):
        @remote(home=self.home, timeout=3, peer="box")
        def caption(image: bytes, style: str = "plain") -> str: ...

        @remote(home=self.home, name="chat")
        def talk(prompt):
            yield

        @remote(home=self.home)
        async def later(): ...

        program, request, result = self.started(lambda: caption(b"i", style="haiku"))
        params = request["params"]
        self.assertEqual((params["fn"], params["peer"], params["timeoutMs"]), ("caption", "box", 3000))
        self.done(program, request, "a cat")
        self.assertEqual(result(), "a cat")

        program, request, result = self.started(lambda: list(talk("hi")))
        program.notify("chunk", call=request["id"], value="a")
        self.done(program, request, None)
        self.assertEqual((request["params"]["fn"], result()), ("chat", ["a"]))

        program, request, result = self.started(lambda: asyncio.run(later()))
        self.done(program, request, 5)
        self.assertEqual(result(), 5)


class Processes(Case):
    def test_serve_ends_with_code_0_on_sigterm(self):
        code = ("import easynet,sys\nnode = easynet.ComputeNode(home=sys.argv[1])\n"
                "@node.register\ndef f(): return 1\nnode.serve()\n")
        process = subprocess.Popen([sys.executable, "-c", code, self.home], cwd=os.path.dirname(easynet.__file__),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, "EASYNET_GROUP": "g"})
        program = self.daemon.program()
        self.assertEqual(program.answer_to(program.invoke("f"))["result"], {"value": 1})
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((process.returncode, stdout, stderr), (0, b"", b""))

    def test_server_starts_a_daemon_and_stops_it(self):
        script = os.path.join(self.home, "easynetd")
        with open(script, "w") as file:
            file.write('#!/bin/sh\necho "$@" >&2\n[ "$2" = 127.0.0.1:1 ] && exit 3\n'
                       'echo \'{"ready":true}\'\nexec sleep 600\n')
        os.chmod(script, stat.S_IRWXU)
        home = os.path.join(self.home, "other")
        with mock.patch.dict(os.environ, {"EASYNETD": script}):
            server = Server(port=8080, home=home).start()
            process = server._process
            server.stop()
            self.assertEqual(process.returncode, -signal.SIGTERM)
            with open(os.path.join(home, "state", "easynetd.log")) as file:
                self.assertEqual(file.read(), f"--gateway 127.0.0.1:8080 --home {home}\n")
            self.assertIn("exit code 3", self.assertFails("daemon_unreachable", Server(1, home=home).start).message)

    def test_server_leaves_a_running_daemon_alone(self):
        server = Server(port=8099, home=self.home).start()
        self.assertIsNone(server._process)
        self.assertFails("already_running", Server(port=8100, home=self.home).start)


class Style(unittest.TestCase):
    def test_the_module_is_python_3_9(self):
        with open(easynet.__file__, encoding="utf-8") as file:
            tree = ast.parse(file.read(), feature_version=(3, 9))
        names = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
                 for alias in node.names}
        self.assertNotIn("pickle", names)
        if hasattr(sys, "stdlib_module_names"):
            self.assertLessEqual(names, set(sys.stdlib_module_names))

    def test_public_names_are_documented(self):
        for name in easynet.__all__:
            self.assertTrue(getattr(easynet, name).__doc__, name)


if __name__ == "__main__":
    unittest.main()
