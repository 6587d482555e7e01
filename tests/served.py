"""A web server on this machine, for tests: good answers, and every way in which one can be bad."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

CHUNK = 1000


class Handler(BaseHTTPRequestHandler):
    """Answers with what `ANSWERS` has for the first part of the path, and the file behind it."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        _, how, *_ = self.path.split("/")
        ANSWERS[how](self)

    @property
    def body(self) -> bytes:
        """The file that is asked for."""
        return self.server.files[self.path.rpartition("/")[2]]

    def send(self, body: bytes, status: int = 200, length: int | None = None, **more: str) -> None:
        """An answer that says how long it is, be it true or not."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what: object) -> None:
        """Nothing is logged."""


class Server(ThreadingHTTPServer):
    """Serves `files`, and keeps what it has been `asked`."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = Event()

    def handle_error(self, *connection: object) -> None:
        """A client that hangs up is no fault of the server's."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


def plain(handler: Handler) -> None:
    """The file, or the part of it from a byte on."""
    start = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    handler.send(handler.body[start:], 206 if start else 200, Accept_Ranges="bytes")


def chunked(handler: Handler) -> None:
    """The file in pieces, its length not said."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    body = handler.body
    for start in range(0, len(body), CHUNK):
        chunk = body[start : start + CHUNK]
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    handler.wfile.write(b"0\r\n\r\n")


def chunked_and_cut(handler: Handler) -> None:
    """The first piece of the file."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%b\r\n" % (CHUNK, handler.body[:CHUNK]))
    handler.close_connection = True


def cut(handler: Handler) -> None:
    """Half of the file."""
    body = handler.body
    handler.send(body[: len(body) // 2], length=len(body))
    handler.close_connection = True


def stalled(handler: Handler) -> None:
    """Half of the file, and then nothing, until the test is over."""
    body = handler.body
    handler.send(body[: len(body) // 2], length=len(body))
    handler.server.over.wait(60)


def silent(handler: Handler) -> None:
    """No answer, until the test is over."""
    handler.server.over.wait(60)
    handler.close_connection = True


def no_http(handler: Handler) -> None:
    """Some other protocol."""
    handler.wfile.write(b"hello\r\n")
    handler.close_connection = True


def redirected(where: str) -> Callable[[Handler], None]:
    """An answer that sends elsewhere: `where`, with the file's name in it."""
    return lambda handler: handler.send(
        b"", 302, Location=where.format(handler.path.rpartition("/")[2])
    )


def encoded(encoding: str) -> Callable[[Handler], None]:
    """The file compressed on its way, or said to be."""
    return lambda handler: handler.send(gzip.compress(handler.body), Content_Encoding=encoding)


ANSWERS: dict[str, Callable[[Handler], None]] = {
    "plain": plain,
    "whole": lambda handler: handler.send(handler.body),
    "chunked": chunked,
    "chunked-and-cut": chunked_and_cut,
    "cut": cut,
    "stalled": stalled,
    "silent": silent,
    "gzip": encoded("gzip"),
    "br": encoded("br"),
    "not-found": lambda handler: handler.send(b"gone", 404),
    "forbidden": lambda handler: handler.send(b"", 403),
    "broken": lambda handler: handler.send(b"", 500),
    "elsewhere": redirected("/plain/{}"),
    "to-a-file": redirected("file:///etc/hostname"),
    "to-ftp": redirected("ftp://127.0.0.1/{}"),
    "round": redirected("/round/{}"),
    "no-http": no_http,
    "page": lambda handler: handler.send(b"<!DOCTYPE html>\n<html><body>x,y</body></html>"),
}


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """A server of `files`, by name, until the end."""
    with Server(files) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
