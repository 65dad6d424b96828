"""A receiver of notifications on this machine, for tests of subscriptions."""

import json
import queue
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Receiver(HTTPServer):
    """Sends back what it is sent to validate it, as long as it is `willing`, and keeps notifications."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/told"
        self.willing = True
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()

    def next(self) -> list[dict[str, Any]]:
        """The notifications that come next."""
        found = self.told.get(timeout=20)["value"]
        assert isinstance(found, list)
        return found


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0]
        if not token:
            receiver.told.put(json.loads(body))
        answer = token.encode() if receiver.willing else b"no"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""
