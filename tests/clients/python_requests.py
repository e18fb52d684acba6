"""Python's own requests, as an oracle of what it does with connections.

    python3 python_requests.py BASE_URL THREADS ROUNDS POOL_MAXSIZE POOL_BLOCK

THREADS threads share one session. In each of ROUNDS rounds all of them post one chat at the same moment, and the next
round begins when all have their answers. Prints what a pool does not tell a server, as JSON.
"""

import json
import logging
import sys
import threading

import requests
from requests.adapters import HTTPAdapter


class Discards(logging.Handler):
    """urllib3 says when it throws away a connection that came back to a full pool."""

    def __init__(self):
        super().__init__(level=logging.WARNING)
        self.count = 0

    def emit(self, record):
        self.count += "Connection pool is full, discarding connection" in record.getMessage()


def main(base_url, threads, rounds, maxsize, block):
    discards = Discards()
    logging.getLogger("urllib3.connectionpool").addHandler(discards)
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=maxsize, pool_block=block))
    together = threading.Barrier(threads)
    answered = []

    def user():
        for _ in range(rounds):
            together.wait()
            question = {"role": "user", "content": "Answer in about 5 tokens."}
            body = {"model": "gpt-4.1", "messages": [question]}
            answered.append(session.post(f"{base_url}/chat/completions", json=body).status_code)

    users = [threading.Thread(target=user) for _ in range(threads)]
    for one in users:
        one.start()
    for one in users:
        one.join()
    print(json.dumps({"ok": answered.count(200), "discarded": discards.count, "requests": requests.__version__}))
    # The session stays open until the pipe ends, so that the server can be asked what is kept.
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    url, threads, rounds, maxsize, block = sys.argv[1:]
    main(url, int(threads), int(rounds), int(maxsize), block == "True")
