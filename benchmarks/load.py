"""Sends requests over eight kept connections from a process of its own and prints what came back:
``python -m benchmarks.load PORT PATH REQUESTS [COOKIE]``."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

CONNECTIONS = 8


def fire(port: int, path: str, requests: int, cookie: str) -> dict[str, float]:
    """Requests per second and the number of answers other than 200."""
    headers = {"Cookie": cookie} if cookie else {}
    wrong = [0] * CONNECTIONS

    def work(n: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(requests // CONNECTIONS):
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                wrong[n] += answer.status != http.client.OK
            except (http.client.HTTPException, OSError):
                # A kept connection may be closed by the server between two requests.
                connection.close()
                wrong[n] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CONNECTIONS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - started
    return {"rate": requests // CONNECTIONS * CONNECTIONS / passed, "wrong": sum(wrong)}


if __name__ == "__main__":
    port, path, requests, cookie = [*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else ""]
    print(json.dumps(fire(int(port), path, int(requests), cookie)))
