"""Files at http and https URLs, read as they come in, by the standard library alone."""

from __future__ import annotations

import re
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, cast
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from gdfit.data.sources.stores import BUFFER_BYTES, Stored
from gdfit.errors import GdfitError, printable, quoted
from gdfit.package import __version__

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SCHEMES = ("http", "https")
TIMEOUT = 30.0  # seconds without a byte
RESERVED = "!#$%&'()*+,/:;=?@[]~"  # what stays as it is in a path or a query
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
WEB_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


class Redirects(request.HTTPRedirectHandler):
    """Follows redirects to http and https alone, and not for ever."""

    max_redirections = 10

    def redirect_request(
        self, req: request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        """The request to go on with; the standard library would go on to ftp, too."""
        if urlsplit(newurl).scheme not in SCHEMES:
            return None  # the answer is then an error
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Download(RawIOBase):
    """What a server sends, from top to bottom."""

    def __init__(self, url: str, answer: HTTPResponse, start: int, timeout: float) -> None:
        self._url, self._answer, self._timeout = url, answer, timeout
        self._position = start

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Raises GdfitError where the connection stalls or is cut."""
        try:
            count = self._answer.readinto(buffer)
        except TimeoutError:
            raise self._fault(f"nothing has come for {self._timeout:g} s") from None
        except (OSError, HTTPException) as error:
            raise self._fault(f"the connection was cut ({said(error)})") from None
        if not count and self._answer.length:
            raise self._fault("the connection was cut") from None
        self._position += count
        return count

    def _fault(self, what: str) -> GdfitError:
        missing = self._answer.length
        total = f" of {self._position + missing:,}" if missing else ""
        return GdfitError(f"{what}, after {self._position:,}{total} bytes", file=self._url)

    def close(self) -> None:
        self._answer.close()
        super().close()


def open_url(url: str, start: int = 0, *, timeout: float = TIMEOUT) -> Stored:
    """The file at `url`, from the byte `start` on.

    Raises
    ------
    GdfitError : there is none, or its server can't be reached, or does not answer within so many
        seconds.
    """
    try:
        answer = request.build_opener(Redirects).open(request_of(url, start), timeout=timeout)
    except HTTPError as error:
        with error:
            raise GdfitError(refusal(error), file=url) from None
    except (HTTPException, OSError) as error:
        raise GdfitError(unreachable(error, timeout), file=url) from None
    except ValueError:
        raise GdfitError("is not a URL", file=url) from None
    return stored(url, cast(HTTPResponse, answer), start, timeout)


def request_of(url: str, start: int) -> request.Request:
    """The request for a URL, as it is typed or copied: blanks and letters beyond ASCII are quoted.

    Raises
    ------
    ValueError : it is none.
    """
    parts = urlsplit(url)
    host = parts.netloc
    if parts.username is not None:
        what = "has a password in it, which would stand in the model's file, too; curl asks for it"
        raise GdfitError(f"{what}: curl --user NAME URL | gdfit … -", file=url)
    port = f":{parts.port}" if parts.port else ""
    if not parts.hostname:
        raise ValueError
    if not host.isascii():
        host = parts.hostname.encode("idna").decode() + port
    path, query = (
        quote(LONE_PERCENT.sub("%25", text), safe=RESERVED, errors="surrogateescape")
        for text in (parts.path or "/", parts.query)
    )
    whole = urlunsplit((parts.scheme.lower(), host, path, query, ""))
    headers = {"User-Agent": f"gdfit/{__version__}", "Accept": "*/*"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return request.Request(whole, headers=headers)


def stored(url: str, answer: HTTPResponse, start: int, timeout: float) -> Stored:
    """What the server sends."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    size = None if answer.length is None else start + answer.length
    from_anywhere = answer.headers.get("Accept-Ranges", "none").lower() == "bytes"
    file = BufferedReader(Download(url, answer, start, timeout), BUFFER_BYTES)
    try:
        if start and answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise GdfitError("its server does not send parts of it", file=url)
        if encoding not in ("identity", "", "gzip", "x-gzip"):
            what = f"is sent in an encoding that is not known, {quoted(encoding)}"
            raise GdfitError(what, file=url)
        if WEB_PAGE.match(file.peek(64)):
            what = "is a web page, not data; take the address of the file itself"
            raise GdfitError(what, file=url)
    except GdfitError:
        file.close()
        raise
    return Stored(file, size, from_anywhere, encoded="gzip" in encoding)


def refusal(error: HTTPError) -> str:
    """What a server answers where it does not send the file."""
    where = error.headers.get("Location")
    if where and 300 <= error.code < 400:
        if urlsplit(urljoin(error.url, where)).scheme not in SCHEMES:
            return f"is redirected to {printable(where)}; only http and https are followed"
        return "is redirected too often"
    phrase = next((status.phrase for status in HTTPStatus if status == error.code), "")
    return f"the server answers {f'{error.code} {phrase}'.strip()}"


def unreachable(error: Exception, timeout: float) -> str:
    """Why no server answers."""
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else OSError(error.reason)
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, socket.gaierror):
        return f"its host can't be found ({said(error)})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its server's certificate is not trusted ({error.verify_message})"
    return f"its server can't be reached ({said(error)})"


def said(error: Exception) -> str:
    """What an error says, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
