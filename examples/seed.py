"""EasyRemote's twelve lines, with only the import changed. Three parts, each in a terminal of its own:

    export PYTHONPATH=sdk/python
    python3 examples/seed.py gateway
    python3 examples/seed.py node
    python3 examples/seed.py client

`bin/easynet down` ends the gateway, Ctrl-C the node. SEED_PORT is another port than 8080.
"""

import os
import random
import sys
from pathlib import Path

PORT = int(os.environ.get("SEED_PORT", "8080"))


class LocalModel:
    """Stands for your model: continues a text with the words that follow each other in the letter."""

    def __init__(self, text: str) -> None:
        words = text.split()
        self.following = {}
        for word, after in zip(words, words[1:]):
            self.following.setdefault(word, []).append(after)

    def generate(self, prompt: str, length: int = 12) -> str:
        chance = random.Random(prompt)
        words = prompt.split()
        for _ in range(length):
            words.append(chance.choice(self.following.get(words[-1]) or list(self.following)))
        return " ".join(words)


your_local_model = LocalModel((Path(__file__).parent / "data" / "letter.txt").read_text(encoding="utf-8"))


def gateway():
    from easynet import Server
    Server(port=PORT).start()


def node():
    from easynet import ComputeNode
    node = ComputeNode(f"localhost:{PORT}")

    @node.register
    def ai_inference(prompt):
        return your_local_model.generate(prompt)

    node.serve()


def client():
    from easynet import Client
    result = Client(f"localhost:{PORT}").execute("ai_inference", "Hello AI")
    print(result)


if __name__ == "__main__":
    {"gateway": gateway, "node": node, "client": client}[sys.argv[1]]()
