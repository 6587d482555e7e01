"""`predict -` on a pipe: a row is answered before the next one comes. However the rows come, they
have the answers that they have in a file."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from conftest import Gdfit
from gdfit.data.sources import source

MODEL = '{"w": [2.0], "b": 1.0, "features": ["x"], "target": "y"}'


def test_a_row_is_answered_before_the_next_one_comes(tmp_path: Path) -> None:
    (tmp_path / "gdfit.json").write_text(MODEL)
    command = [sys.executable, "-m", "gdfit", "predict", "-"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(text: bytes, lines: int = 1) -> bytes:
            """What is answered to a text: so many lines."""
            assert process.stdin
            assert process.stdout
            process.stdin.write(text)
            process.stdin.flush()
            answer = b""
            while answer.count(b"\n") < lines:
                assert select.select([process.stdout], [], [], 60)[0], (text, answer)
                answer += os.read(process.stdout.fileno(), 1000)
            return answer

        try:
            assert ask(b"x,note\n1,a\n", 2) == b"x,note,y_hat\n1,a,3.0\n"
            for x in range(2, 6):
                assert ask(b"%d,b\n" % x) == b"%d,b,%d.0\n" % (x, 2 * x + 1)
            assert ask(b"7,c\n8,") == b"7,c,15.0\n"
            assert ask(b'"d\nd"\n', 2) == b'8,"d\nd",17.0\n'
        finally:
            process.stdin.close()
            process.wait(60)
        assert process.returncode == 0


def in_pieces(text: bytes, draw: random.Random, most: int, pause: Callable[[], float]) -> int:
    """The descriptor of a pipe into which the text is written in pieces."""
    reader, writer = os.pipe()

    def write() -> None:
        start = 0
        with suppress(BrokenPipeError), os.fdopen(writer, "wb", buffering=0) as pipe:
            while start < len(text):
                size = draw.randint(1, most)
                pipe.write(text[start : start + size])
                start += size
                time.sleep(pause())

    Thread(target=write, daemon=True).start()
    return reader


TEXTS = {
    "header": b"x,note\n" + b"".join(b"%d,n\n" % x for x in range(40)),
    "no header": b"".join(b"%d.5\n" % x for x in range(40)),
    "CRLF": b"note;x\r\n" + b"".join(b"n;%d\r\n" % x for x in range(40)),
    "CR": b"x\tnote\r" + b"".join(b"%d\tn\r" % x for x in range(40)),
    "quotes": b"note,x\n" + b"".join(b'"a ""b""\nc, %d",%d\n' % (x, x) for x in range(30)),
    "comments": b"# of a device\n\nx,note\n" + b"".join(b"%d,n\n\n" % x for x in range(30)),
    "R": b"x note\n" + b"".join(b"r%d %d n\n" % (x, x) for x in range(30)),
    "a title": b"Readings\nx,note\n1,n\n2,n\n3,n\n",
    "a fault": b"x,note\n1,n\n2,n\nthree,n\n4,n\n",
    "a ragged row": b"x,note\n1,n\n2,n,n\n4,n\n",
    "a header alone": b"x,note",
    "no line end": b"x,note\n1,n\n2,n",
    "nothing": b"",
    "wrong columns": b"a,note\n1,n\n2,n\n",
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("seed", range(2))
def test_however_rows_come_the_answers_are_those_of_the_file(
    gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    Path("gdfit.json").write_text(MODEL)
    Path("d.csv").write_bytes(TEXTS[kind])
    whole, draw = gdfit("predict", "d.csv"), random.Random(seed)
    monkeypatch.setattr(source, "PAUSE", 0.001)
    reader = in_pieces(TEXTS[kind], draw, (3, 60)[seed], lambda: draw.choice([0, 0, 0.003]))
    come = gdfit("predict", f"/dev/fd/{reader}")
    os.close(reader)
    assert come.status == whole.status
    if whole.status == 0:
        assert come.out == whole.out
    assert come.out.startswith(whole.out)  # what is before a fault is answered
    assert come.err == whole.err.replace("d.csv", f"/dev/fd/{reader}")


def test_much_comes_in_large_units(gdfit: Gdfit, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"x,note\n" + b"".join(b"%d,n\n" % x for x in range(700_000))
    Path("gdfit.json").write_text(MODEL)
    Path("d.csv").write_bytes(text)
    whole = gdfit("predict", "d.csv")
    sizes = []
    read = source.Source.read_live

    def counted(self: source.Source, size: int) -> bytes:
        found = read(self, size)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(source.Source, "read_live", counted)
    reader = in_pieces(text, random.Random(0), 1 << 20, lambda: 0)
    assert gdfit("predict", f"/dev/fd/{reader}").out == whole.out
    os.close(reader)
    assert len(sizes) < 40  # far more than the 64 kB that a pipe holds are taken at a time
