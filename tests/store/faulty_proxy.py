"""A loopback proxy before an object store that spoils single requests on demand, as networks and servers do."""

import http.client
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Act = Callable[["Exchange"], None]


class Proxy(ThreadingHTTPServer):
    """Passes everything on but the requests that it has acts for: each act takes the next one of its method."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream_port: int) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.upstream_port = upstream_port
        self.port: int = self.server_address[1]
        self.requests: list[str] = []
        self.over = threading.Event()
        self._acts: dict[str, deque[Act]] = {}

    def spoil(self, method: str, *acts: Act) -> None:
        """Let these acts have the next requests of the method, one each."""
        self._acts.setdefault(method, deque()).extend(acts)

    def act_for(self, method: str) -> Act:
        """What happens to a request that came."""
        self.requests.append(method)
        waiting = self._acts.get(method)
        return waiting.popleft() if waiting else pass_on


class Exchange(BaseHTTPRequestHandler):
    """One request and what becomes of it."""

    protocol_version = "HTTP/1.1"
    # Else the content of an answer waits until its head has been acknowledged, which takes its time.
    disable_nagle_algorithm = True
    server: Proxy
    body: bytes

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.act_for(self.command)(self)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def upstream(self) -> http.client.HTTPConnection:
        """The request's head, sent to the store."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream_port, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    def fetch(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """The store's answer."""
        connection = self.upstream()
        connection.send(self.body)
        with connection.getresponse() as response:
            content = response.read()
        connection.close()
        dropped = {"transfer-encoding", "connection", "content-length"}
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in dropped]
        length = response.headers.get("Content-Length") if self.command == "HEAD" else None
        return response.status, [*kept, ("Content-Length", length or str(len(content)))], content

    def reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        """Answer the client."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def hang_up(self) -> None:
        """No word more on this connection."""
        self.close_connection = True


def pass_on(exchange: Exchange) -> None:
    """As if there were no proxy."""
    exchange.reply(*exchange.fetch())


def answer(status: int, code: str = "") -> Act:
    """The store refuses with this status and S3 code, and does nothing."""

    def act(exchange: Exchange) -> None:
        content = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
        exchange.reply(status, [("Content-Length", str(len(content)))], content)

    return act


def drop(exchange: Exchange) -> None:
    """The request never reaches the store and nobody says so."""
    exchange.hang_up()


def lose_answer(exchange: Exchange) -> None:
    """The store does it, and the answer is lost."""
    exchange.fetch()
    exchange.hang_up()


def lose_answer_and_fail(exchange: Exchange) -> None:
    """The store does it, and something in between says that it failed."""
    exchange.fetch()
    answer(500, "InternalError")(exchange)


def cut_answer(exchange: Exchange) -> None:
    """The answer breaks off in its middle."""
    status, headers, content = exchange.fetch()
    exchange.reply(status, headers, content[: len(content) // 2])
    exchange.hang_up()


def never_answer(exchange: Exchange) -> None:
    """The client waits until the test is over."""
    exchange.server.over.wait(60)
    exchange.hang_up()


def pretend_success(exchange: Exchange) -> None:
    """The store says yes, whatever it did."""
    exchange.fetch()
    exchange.reply(200, [("Content-Length", "0"), ("ETag", '"0"')], b"")


def kill_in_the_middle(kill: Callable[[], None]) -> Act:
    """Half of the body reaches the store, then the store is dead."""

    def act(exchange: Exchange) -> None:
        connection = exchange.upstream()
        connection.send(exchange.body[: len(exchange.body) // 2])
        kill()
        connection.close()
        exchange.hang_up()

    return act


def at_first_large(act: Act) -> Act:
    """Passes objects below 1 MiB on; the first larger one gets the act."""

    def choose(exchange: Exchange) -> None:
        if len(exchange.body) >= 1 << 20:
            act(exchange)
            return
        exchange.server.spoil(exchange.command, choose)
        pass_on(exchange)

    return choose


@contextmanager
def proxy_before(upstream_port: int) -> Iterator[Proxy]:
    """A running proxy."""
    proxy = Proxy(upstream_port)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
