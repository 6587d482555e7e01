"""What a model's file says to others, and what is made of files that other versions wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import LECTURE, Gdfit
from gdfit.model.linear import newer_version, without_secrets
from gdfit.package import __version__
from served import serving

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"https://me:{SECRET}@host/a.csv", "https://host/a.csv"),
        (f"https://{SECRET}@host:8080/a/b.csv#x", "https://host:8080/a/b.csv?…"),
        (f"s3://bucket/a.csv?X-Amz-Signature={SECRET}", "s3://bucket/a.csv?…"),
        (
            f"gdfit train 'https://h/a.csv?t={SECRET}&b=1' --x 1",
            "gdfit train 'https://h/a.csv?…' --x 1",
        ),
        ([f"https://h/{{a,b}}?{SECRET}", "b.csv"], ["https://h/{a,b}?…", "b.csv"]),
        ("what?.csv", "what?.csv"),
        ("me@here/a.csv", "me@here/a.csv"),
        (1.5, 1.5),
    ],
)
def test_keys_in_urls_are_left_out(said: object, told: object) -> None:
    assert without_secrets(said) == told


def test_no_file_has_a_key_of_a_url(gdfit: Gdfit) -> None:
    asked = f"lecture.csv?token={SECRET}"
    with serving({asked: LECTURE.read_bytes()}) as server:
        url = f"{server.url}/whole/{asked}"
        outputs = ["--history", "h.csv", "--page", "p.html", "--plot", "p.svg"]
        result = gdfit("train", url, "--lr", "0.01", *outputs, "--format", "json")
        table = gdfit("train", url, "--lr", "0.001", "--no-model")
    assert (result.status, table.status) == (0, 0)
    record = json.loads(result.out)
    assert record["files"] == [f"{server.url}/whole/lecture.csv?…"]
    assert SECRET not in result.out + result.err
    for file in ("gdfit.json", "h.csv", "p.html", "p.svg"):
        assert SECRET not in Path(file).read_text()
    assert f"gdfit train '{url}'" in table.out  # what to type is for who typed it


def later(record: dict[str, object], **more: object) -> Path:
    """The file of a model that a later version wrote."""
    path = Path("later.json")
    path.write_text(json.dumps({**record, "version": "99.0.1", **more}))
    return path


def test_a_model_of_a_newer_version_gets_a_note(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "-q")
    record = json.loads(Path("gdfit.json").read_text())
    path = later(record)
    note = (
        f"gdfit: note: later.json: gdfit 99.0.1 wrote this model, and this is gdfit {__version__}"
    )
    for words in (
        ["predict", "--x", "1", "--model", path],
        ["predict", LECTURE, "--model", path],
        ["evaluate", LECTURE, "--model", path],
        ["summary", LECTURE, "--model", path],
        ["export", "--format", "c", "--model", path],
        ["train", LECTURE, "--init", path, "-q"],
    ):
        result = gdfit(*words)
        assert result.status == 0
        assert note in result.err, words
    damaged = gdfit("predict", "--x", "1", "--model", later(record, terms=["spline(x)"]))
    assert damaged.status == 1
    assert f"; gdfit 99.0.1 wrote it, and this is {__version__}" in damaged.err
    for version in (__version__, "0.0.1", None, "", "newest"):
        assert not newer_version({"version": version})


def test_a_version_is_told_in_few_letters() -> None:
    assert len(newer_version({"version": "99" * 500 + "\n"})) <= 42


def test_a_link_that_is_not_known_is_refused_before_anything_is_written(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "-q")
    record = json.loads(Path("gdfit.json").read_text())
    for link in ("probit", None, [3]):
        path = later(record, link=link)
        for words in (["predict", LECTURE], ["predict", "--x", "1"], ["evaluate", LECTURE]):
            result = gdfit(*words, "--model", path)
            assert (result.status, result.out) == (1, ""), link
            told = result.err.removeprefix(
                "gdfit: error: later.json: is not a model file (its link"
            )
            assert told.startswith(f", {str(link)!r}, ")
            assert "gdfit 99.0.1 wrote it" in told


def test_a_whole_number_beyond_float64_is_infinite(gdfit: Gdfit) -> None:
    gdfit("train", LECTURE, "-q")
    text = Path("gdfit.json").read_text()
    Path("large.json").write_text(text.replace('"l2": 0.0', f'"l2": 1{"0" * 400}'))
    result = gdfit("summary", LECTURE, "--model", "large.json")
    assert result.status == 0
    assert "fitted to MSE + inf·‖w‖²" in result.out
    Path("large.json").write_text(text.replace('"b": ', f'"b": 1{"0" * 9999}'))
    refused = gdfit("predict", "--x", "1", "--model", "large.json")
    assert (refused.status, refused.out) == (1, "")
    assert "(its params are not all finite numbers)" in refused.err
