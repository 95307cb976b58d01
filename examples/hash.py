"""Hash functions: `easynet serve examples/hash.py`, then `easynet call hash.sha256 data@=README.md`."""

import hashlib
import itertools
import time

from easynet import ComputeNode, current_call

node = ComputeNode()
searches = {"running": 0, "stopped": 0, "tried": 0}


@node.register(name="hash.sha256", idempotent=True)
def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


@node.register(name="hash.blocks")
def blocks(data: bytes, size: int = 1024):
    """Streams the SHA-256 of each block of `size` bytes; returns that of the whole."""
    for start in range(0, len(data), size):
        yield hashlib.sha256(data[start:start + size]).hexdigest()
    return hashlib.sha256(data).hexdigest()


@node.register(name="hash.verify")
def verify(data: bytes, expected: str) -> bool:
    """True when the bytes have this SHA-256; raises ValueError for anything that is not one."""
    if len(expected) != 64 or expected.strip("0123456789abcdef"):
        raise ValueError(f"a SHA-256 has 64 hex digits, this has {len(expected)} characters: {expected[:20]}")
    return hashlib.sha256(data).hexdigest() == expected


@node.register(name="hash.search", timeout=600, max_concurrent=1)
def search(text: str, zeros: int = 4) -> dict:
    """Looks for a number that, put behind `text`, gives a SHA-256 with so many zeros in front."""
    searches["running"] += 1
    told = time.monotonic()
    try:
        for number in itertools.count():
            digest = hashlib.sha256(f"{text}{number}".encode()).hexdigest()
            searches["tried"] += 1
            if digest.startswith("0" * zeros):
                return {"number": number, "digest": digest}
            if number % 1000 == 0:
                current_call().check()  # raises once the caller has cancelled, or the deadline is over
                if time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    current_call().progress({"tried": number + 1})
    except BaseException:
        searches["stopped"] += 1
        raise
    finally:
        searches["running"] -= 1


@node.register(name="hash.searches")
def state() -> dict:
    """How many searches run, how many were stopped, and how many numbers have been tried since the start."""
    return searches


if __name__ == "__main__":
    node.serve()
