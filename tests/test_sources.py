"""Data that is not in a file on this machine: at a URL, or in a store."""

from __future__ import annotations

import bz2
import gzip
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import fsspec
import pytest

from conftest import LECTURE, Gdfit
from gdfit.data.sources.http import open_url, request_of, unreachable
from gdfit.data.sources.source import open_source, open_stored
from gdfit.data.sources.stores import scheme_of
from gdfit.errors import GdfitError
from gdfit.show.progress import ReadingBar
from served import Server, serving

PLAIN = LECTURE.read_bytes()
LARGE = b"x,y\n" + b"".join(b"%d,%d\n" % (x, 3 * x + x % 7) for x in range(150_000))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    files = {
        "data.csv": PLAIN,
        "data.csv.gz": gzip.compress(PLAIN),
        "data.bz2": bz2.compress(PLAIN),
        "large.csv": LARGE,
    }
    with serving(files) as started:
        yield started


def error_of(gdfit: Gdfit, url: str, command: str = "train") -> str:
    """The one line that a command ends with, after the URL."""
    result = gdfit(command, url)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert result.err.startswith(f"gdfit: error: {url}: ")
    return result.err.removeprefix(f"gdfit: error: {url}: ").rstrip("\n")


@pytest.mark.parametrize("how", ["plain", "chunked", "gzip", "elsewhere"])
@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.bz2"])
def test_a_url_gives_the_same_numbers_as_the_file(
    gdfit: Gdfit, server: Server, how: str, name: str
) -> None:
    result = gdfit("train", f"{server.url}/{how}/{name}", "-q")
    assert (result.status, result.err) == (0, "")
    assert result.out == gdfit("train", LECTURE, "-q").out


def test_a_large_file_comes_in_parts(gdfit: Gdfit, server: Server) -> None:
    Path("large.csv").write_bytes(LARGE)
    expected = gdfit("train", "large.csv", "-q").out
    for how in ("plain", "chunked", "gzip"):
        assert gdfit("train", f"{server.url}/{how}/large.csv", "-q").out == expected
    with open_source(f"{server.url}/plain/large.csv") as source:
        assert source.stored.size == len(LARGE)
        assert source.read(1000) == LARGE[:1000]
        position = source.position()
        assert position is not None
        assert position < len(LARGE)


COMMANDS = [
    "train URL --validation URL --format json",
    "compare URL --lr 0.1,0.01 --format json",
    "evaluate URL --format json",
    "summary URL --format json",
    "predict URL",
    "curvature URL --format json",
    "gradcheck URL",
    "graph URL",
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
def test_every_command_takes_a_url(gdfit: Gdfit, server: Server, command: str) -> None:
    gdfit("train", LECTURE, "-q")
    url = f"{server.url}/plain/data.csv"
    remote = gdfit(*command.replace("URL", url).split())
    local = gdfit(*command.replace("URL", str(LECTURE)).split())
    assert (remote.status, remote.err) == (0, "")
    assert remote.out.replace(url, str(LECTURE)) == local.out


def test_the_model_names_the_url_without_its_query_and_what_to_type_names_all(
    gdfit: Gdfit, server: Server
) -> None:
    url = f"{server.url}/plain/data.csv?a=1&b=2"
    server.files["data.csv?a=1&b=2"] = PLAIN
    options = ["train", url, "--lr", "0.01", "--epochs", "10"]
    record = gdfit.json(*options)
    assert record["files"] == [f"{server.url}/plain/data.csv?…"]
    assert f"'{server.url}/plain/data.csv?…'" in record["next"]
    assert f"'{url}'" in gdfit(*options).out


FAULTS = {
    "not-found": "the server answers 404 Not Found",
    "forbidden": "the server answers 403 Forbidden",
    "broken": "the server answers 500 Internal Server Error",
    "to-a-file": "is redirected to file:///etc/hostname; only http and https are followed",
    "to-ftp": "is redirected to ftp://127.0.0.1/large.csv; only http and https are followed",
    "round": "is redirected too often",
    "br": "is sent in an encoding that is not known, 'br'",
    "page": "is a web page, not data; take the address of the file itself",
    "cut": f"the connection was cut, after {len(LARGE) // 2:,} of {len(LARGE):,} bytes",
    "no-http": "its server can't be reached (hello)",
}


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_bad_answer_is_one_line(gdfit: Gdfit, server: Server, how: str, command: str) -> None:
    gdfit("train", LECTURE, "-q")
    url = f"{server.url}/{how}/large.csv"
    if (how, command) == ("cut", "predict"):
        result = gdfit(command, url)
        assert (result.status, result.err) == (1, f"gdfit: error: {url}: {FAULTS[how]}\n")
    else:
        assert error_of(gdfit, url, command) == FAULTS[how]


def test_a_chunked_answer_that_is_cut_is_one_line(gdfit: Gdfit, server: Server) -> None:
    said = error_of(gdfit, f"{server.url}/chunked-and-cut/large.csv")
    assert said.startswith("the connection was cut")


def test_a_validation_file_may_be_missing_at_its_url(gdfit: Gdfit, server: Server) -> None:
    url = f"{server.url}/not-found/data.csv"
    result = gdfit("train", LECTURE, "--validation", url)
    assert result.err == f"gdfit: error: {url}: the server answers 404 Not Found\n"


@pytest.mark.parametrize(
    ("how", "name"), [("silent", "data.csv"), ("stalled", "data.csv"), ("stalled", "large.csv")]
)
def test_a_server_that_says_nothing_is_given_up(server: Server, how: str, name: str) -> None:
    url = f"{server.url}/{how}/{name}"
    what = {
        "silent": "no answer within 0.1 s",
        "stalled": r"nothing has come for 0\.1 s, after [\d,]+ of [\d,]+ bytes",
    }[how]

    def read_all() -> None:
        with open_url(url, timeout=0.1).file as file:
            while file.read(1 << 16):
                pass

    with pytest.raises(GdfitError, match=f"^{url}: {what}$"):
        read_all()


def test_nobody_answers(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:  # a port that nothing listens on
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/data.csv"
        assert error_of(gdfit, url) == "its server can't be reached (Connection refused)"
    said = error_of(gdfit, "http://nowhere.invalid/data.csv")
    assert said.startswith("its host can't be found")


@pytest.mark.parametrize("url", ["http://", "https://[::1/x", "http:///data.csv", "http://a:b/"])
def test_what_is_no_url(gdfit: Gdfit, url: str) -> None:
    assert error_of(gdfit, url) == "is not a URL"


def test_a_password_in_a_url_is_refused(gdfit: Gdfit) -> None:
    said = error_of(gdfit, "https://me:secret@example.org/data.csv")
    assert "curl --user NAME" in said


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("größe 1.csv", "/plain/gr%C3%B6%C3%9Fe%201.csv"),
        ("a%20b.csv", "/plain/a%20b.csv"),
        ("100%.csv", "/plain/100%25.csv"),
        ("d.csv?q=a b&r=ü#part", "/plain/d.csv?q=a%20b&r=%C3%BC"),
    ],
)
def test_a_url_is_quoted(gdfit: Gdfit, server: Server, typed: str, asked: str) -> None:
    server.files[asked.rpartition("/")[2]] = PLAIN
    assert gdfit("train", f"{server.url.upper()}/plain/{typed}", "-q").status == 0
    ((path, headers),) = server.asked
    assert path == asked
    assert headers["User-Agent"].startswith("gdfit/")


def test_a_host_beyond_ascii_is_asked_for_as_dns_knows_it() -> None:
    for port in ("", ":8080"):
        asked = request_of(f"http://bücher.example{port}/ä.csv", 0)
        assert asked.full_url == f"http://xn--bcher-kva.example{port}/%C3%A4.csv"


def test_a_file_can_be_read_from_a_byte_on(server: Server) -> None:
    fsspec.filesystem("memory").pipe("/part.csv", PLAIN)
    for path in (f"{server.url}/plain/data.csv", str(LECTURE), "memory://part.csv"):
        stored = open_stored(path, 100)
        with stored.file as file:
            assert (stored.size, file.read()) == (len(PLAIN), PLAIN[100:])
            assert stored.from_anywhere
    with open_source(f"{server.url}/whole/data.csv") as source:
        assert not source.stored.from_anywhere
    with pytest.raises(GdfitError, match="does not send parts"):
        open_stored(f"{server.url}/whole/data.csv", 100)


def test_the_bar_knows_how_long_a_download_is(
    gdfit: Gdfit, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[float | None] = []
    monkeypatch.setattr(ReadingBar, "update", lambda bar, _: totals.append(bar.total))
    for how, total in (("plain", len(LARGE)), ("chunked", None)):
        gdfit("train", f"{server.url}/{how}/large.csv", "-q")
        assert totals
        assert set(totals) == {total}
        totals.clear()


def test_only_a_url_imports_what_downloads(tmp_path: Path) -> None:
    code = (
        "import sys; from gdfit.cli import run; "
        f"run(['train', {str(LECTURE)!r}, '-q', '--no-model']); "
        "print(sorted({'urllib.request', 'http.client', 'ssl', 'fsspec', 'pyarrow'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("data.csv", None),
        ("-", None),
        ("C:\\data.csv", None),
        ("a::b.csv", None),
        ("HTTPS://example.org/", "https"),
        ("s3://bucket/data.csv", "s3"),
        ("simplecache::s3://bucket/data.csv", "simplecache"),
    ],
)
def test_the_scheme_of_a_path(path: str, scheme: str | None) -> None:
    assert scheme_of(path) == scheme


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz"])
def test_a_store_gives_the_same_numbers_as_the_file(gdfit: Gdfit, name: str) -> None:
    body = gzip.compress(PLAIN) if name.endswith("gz") else PLAIN
    fsspec.filesystem("memory").pipe(f"/bucket/{name}", body)
    result = gdfit("train", f"memory://bucket/{name}", "-q")
    assert (result.status, result.err) == (0, "")
    assert result.out == gdfit("train", LECTURE, "-q").out
    assert error_of(gdfit, "memory://bucket/none.csv") == "no such file"
    assert gdfit("train", f"memory://bucket/d*{name[-3:]}", "-q").out == result.out
    assert error_of(gdfit, "memory://bucket/*.txt") == "no such file, and none matches"


def test_a_folder_in_a_store_is_no_file(gdfit: Gdfit, tmp_path: Path) -> None:
    assert error_of(gdfit, f"local://{tmp_path}") == "is a folder; name a file"


def test_missing_packages_are_named_with_what_installs_them(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme, package in (("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")):
        monkeypatch.setitem(sys.modules, package, None)
        said = error_of(gdfit, f"{scheme}://bucket/data.csv")
        assert said == f"{scheme}:// needs {package}: pip install {package}"
    assert error_of(gdfit, "nope://data.csv") == "can't be read: Protocol not known: nope"
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    said = error_of(gdfit, "s3://bucket/data.csv")
    assert said == "s3:// needs fsspec: pip install 'gdfit[remote]'"


class StoreError(Exception):
    """An error of a store's own."""


@pytest.mark.parametrize("method", ["open", "read"])
def test_an_error_of_a_store_is_one_line(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/data.csv", PLAIN)

    def refuse(*arguments: object, **how: object) -> int:
        raise StoreError("access\ndenied")

    where = {
        "open": "fsspec.implementations.memory.MemoryFileSystem.open",
        "read": "fsspec.implementations.memory.MemoryFile.readinto",
    }
    monkeypatch.setattr(where[method], refuse)
    assert error_of(gdfit, "memory://data.csv") == "can't be read: access denied"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (URLError(TimeoutError()), "no answer within 7 s"),
        (TimeoutError(), "no answer within 7 s"),
        (
            URLError(socket.gaierror(-2, "Name not known")),
            "its host can't be found (Name not known)",
        ),
        (URLError("no route"), "its server can't be reached (no route)"),
        (ConnectionResetError(), "its server can't be reached (ConnectionResetError)"),
        (OSError("two\nlines"), "its server can't be reached (two lines)"),
    ],
)
def test_why_no_server_answers(error: Exception, told: str) -> None:
    assert unreachable(error, 7.0) == told


def test_a_certificate_that_is_not_trusted() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"
    told = "its server's certificate is not trusted (self-signed certificate)"
    assert unreachable(URLError(error), 7.0) == told
