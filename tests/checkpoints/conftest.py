import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from emonas.checkpoints import fetching


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files`; each GET takes its turn from `server.turns`, after which all go well.

    A turn is a number of bytes after which the connection is cut, a status to answer instead, such
    as "500", or "hang up".
    """

    def do_GET(self):
        server, span = self.server, self.headers.get("Range")
        server.seen.append((self.path, span))
        turn = server.turns.pop(0) if server.turns else None
        body = server.files.get(self.path)
        if turn == "hang up":
            return self.close()
        if body is None or isinstance(turn, str):
            return self.send_error(int(turn or 404))
        status, start = 200, 0
        known = self.headers.get("If-Range") in {None, server.tag}
        if span and server.ranges and known:
            status, start = 206, int(re.fullmatch(r"bytes=(\d+)-", span)[1])
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if server.tells_length:
            self.send_header("Content-Length", str(len(body) - start))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(body[start : None if turn is None else start + turn])
        server.sent += len(body) - start if turn is None else turn
        return self.close()

    def close(self):
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.turns: list[int | str] = []
        self.seen: list[tuple[str, str | None]] = []
        self.sent = 0
        self.tag = '"one"'
        self.ranges = self.tells_length = True

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, *_):
        """A client that was killed is no news."""

    @property
    def spans(self) -> list[str | None]:
        return [span for _, span in self.seen]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield serving
        serving.shutdown()


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch) -> None:
    monkeypatch.setattr(fetching, "WAITS", (0.0, 0.0, 0.0))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "EMONAS_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def weights() -> bytes:
    """Three blocks of a download and a little more."""
    return np.random.default_rng(0).bytes(3 * 2**20 + 17)
