"""Functions for test/e2e/python.test.ts; runs as it is, under `easynet serve` or by itself."""
import asyncio
import os
import time

import easynet
from easynet import ComputeNode

node = ComputeNode()


@node.register
def word_count(text: str) -> int:
    """Counts words."""
    return len(text.split())


@node.register(name="py.reverse", idempotent=True, timeout=30, max_concurrent=2)
def reverse(data: bytes) -> bytes:
    return bytes(reversed(data))


@node.register
async def py_async(name: str, greeting: str = "hello") -> str:
    await asyncio.sleep(0)
    return f"{greeting} {name}"


@node.register
def py_count(to: int):
    for n in range(to):
        yield n


@node.register(client_stream=True)
def py_sum() -> int:
    return sum(easynet.current_call().input)


@node.register
def py_fail() -> None:
    raise ValueError("no luck")


@node.register
def py_pid() -> int:
    return os.getpid()


@node.register
def py_trace() -> str:
    return easynet.current_call().traceparent


@node.register
def py_stubborn() -> None:
    """Ignores its cancel and its deadline."""
    while True:
        time.sleep(0.05)


@node.register
def py_notices() -> str:
    call = easynet.current_call()
    while not call.cancelled:
        time.sleep(0.02)
    return "stopped"


node.serve()
