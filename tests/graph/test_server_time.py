"""Tests of asking a server for the time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tuiback.errors import UsageError
from tuiback.graph.server_time import find_server_time

TIME = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clockwork(BaseHTTPRequestHandler):
    """Refuses everything, and says what time it is."""

    def do_HEAD(self) -> None:
        """Any answer has a Date."""
        self.send_error(401)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """As the header has it."""
        return self.path.removeprefix("/") or TIME.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def log_message(self, *_: object) -> None:
        """Nobody listens."""


@pytest.fixture
def url() -> Iterator[str]:
    """Where such a server answers."""
    server = HTTPServer(("127.0.0.1", 0), Clockwork)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_any_answer_tells_the_time(url: str) -> None:
    """A refusal too; only the address without its path is asked."""
    found = await find_server_time(f"{url}/v1.0")
    assert found is not None
    assert found - TIME == timedelta(0)


async def test_nobody_answers() -> None:
    """Then nothing is known; an address that must not be asked is refused."""
    assert await find_server_time("http://127.0.0.1:9") is None
    with pytest.raises(UsageError):
        await find_server_time("http://192.0.2.1")
