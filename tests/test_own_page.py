"""The page that takes a file: what it reads, chooses and says is what ``gdfit train`` does.

``python tests/test_own_page.py`` writes it anew to ``docs/gdfit.html``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import SIZES, Browser, Page
from conftest import ROOT, SAMPLES, Gdfit
from gdfit.show.page import save_empty_page

DOCS_PAGE = ROOT / "docs" / "gdfit.html"
RUN = "(({settings, ended, scales}) => ({settings, ended, scales}))(gdfit.run())"
SEVERAL = "a,b,c,y\n" + "".join(f"{i},{i * i % 7},w{i},{2 * i - i % 3}\n" for i in range(20))
TEXTS = {
    "names_as_numbers_above_dates": "5%,1652,-8\n2001-02-02,1653,1.5\n2002-03-03,1655,0.5\n"
    "2003-04-04,1658,4\n",
    "blanks_behind_quotes": 'a,b,y\n"1" ,2,3\n2, "3"\t,4\n"3","4" ,7\n',
    "control_characters_in_names": "k\x0b,w\x01,a\x00,y\n2001-02-02,a,1,2\n2001-02-03,b,1,4\n",
    "a_total_of_two_rows": "a,1,2\nTotal,3,4\n",
    "tabs": SEVERAL.replace(",", "\t"),
    "semicolons": SEVERAL.replace(",", ";"),
    "white_space": SEVERAL.replace(",", "   "),
    "carriage_returns": SEVERAL.replace("\n", "\r\n"),
    "old_macs": SEVERAL.replace("\n", "\r"),
    "a_mark_of_byte_order": "\ufeff" + SEVERAL,
    "no_header": "1 2\n2 3.5\n3 5\n4 6.1\n",
    "quotes": '"a b","said ""so""","y"\n1,"x, and\nmore",3\n"2",z,"4.5"\n3,"",7\n4,u,8\n',
    "row_names": '"x" "y"\n"1" 1.5 2\n"2" 2.5 3\n"3" 4 7\n',
    "an_index": ",a,y\n0,1.5,2\n1,2.5,3\n2,4,7\n",
    "an_end_of_delimiters": "a,y\n1,2,\n2,3,\n4,5,\n",
    "a_target_that_is_not_last": "y,a,b\n1,2,5\n3,4,5\n6,5,4\n2,2,2\n",
    "text_at_the_end": "a,b,name\n1,2,x\n2,4,y\n3,7,z\n",
    "dates": "when,a,y\n2024-01-05,1,2\n2024-02-05,3,3\n2024-03-05,4,7\n",
    "a_total": "name,a,y\nx,1,2\ny,2,3\nz,3,5\nu,5,5\nv,7,2\nTotal,18,17\n",
    "a_sentinel": "a,y\n" + "".join(f"{-999 if i % 4 == 0 else i},{i}\n" for i in range(20)),
    "zeros_and_ones": "a,y\n1,0\n2,0\n3,1\n4,0\n5,1\n",
    "columns_that_depend": "a,b,c,y\n"
    + "".join(f"{i},{i * i},{i + i * i},{i}.5\n" for i in range(9)),
    "a_column_that_does_not_vary": "a,b,y\n1,0.1,2\n2,0.1,3\n4,0.1,6\n",
    "columns_of_one_value": "a,b,c,d,e,y\n"
    + "".join(f"-1.60749e-6,4584779.47,2.5e-20,0,1e30,{row * row}\n" for row in range(5)),
    "money_without_a_name": "a,b,\n1,2,$5\n2,4,$6\n4,5,$8\n",
    "dates_without_a_name": "a,b,\n1,2,2024-01-05\n2,4,2024-02-05\n4,5,2024-03-05\n",
    "decimal_commas_among_words": 'a,y,b\n-0.5,1,"1,5"\n1.5,2,word\n2.5,4,"1,6"\n3,5,more\n',
    "powers": "a,b,c,y\n" + "".join(f"{i},{i**2},{i**3},{(i % 5) * i}\n" for i in range(1, 30)),
    "many_features_alike": ",".join(f"c{place}" for place in range(70))
    + ",y\n"
    + "".join(
        ",".join(str((place + 1) * row + row * row % (place + 5)) for place in range(71)) + "\n"
        for row in range(100)
    ),
    "months": "when,a,y\n05/98,1,2\n06/98,3,3\n07/98,4,7\n",
    "months_of_years": "when,a,y\n1998-05,1,2\n1998-06,3,3\n1998-07,4,7\n",
    "days": "when,a,y\n5/6/98,1,2\n13/6/98,3,3\n7/7/98,4,7\n",
    "no_days": "when,a,y\n13/13/1998,1,2\n14/14/1998,3,3\n17/17/1998,4,7\n",
    "tiny": "x,y\n1e-200,1\n2e-200,2\n3e-200,4\n",
    "huge": "x,y\n1e200,1\n2e200,2\n3e200,4\n",
    "tiny_and_huge": "x,z,y\n1e200,1e-200,1\n2e200,3e-200,2\n3e200,5e-200,4\n4e200,1e-200,4\n",
    "years": "year,y\n" + "".join(f"{1990 + i},{i * i % 11}\n" for i in range(20)),
}
FAULTS = {
    "a_word": "a,b,y\n1,2,3\n2,word,4\n3,4,5\n4,5,6\n5,6,7\n",
    "a_missing_field": "a,b,y\n1,2,3\n2,,4\n3,4,5\n",
    "a_word_for_missing": "a,y\n1,2\n2,NA\n3,4\n",
    "a_mark_for_missing": "a,b,y\n1,2,3\n2,?,4\n3,4,5\n4,5,6\n",
    "too_many_fields": "a,y\n1,2\n1,2,3\n",
    "a_tab_in_a_field": 'a,b,y\n1,2,3\n2,"1\t2",4\n3,4,5\n',
    "a_strange_character": "a,b,y\n1,2,3\n2,\u2003\x1b4,4\n3,4,5\n",
    "words_and_dates": "k,when\n" + "".join(f"w{n},2024-01-{n}\n" for n in range(10, 30)),
    "a_quote_more": 'a,y,z\n1,2,3\n2,3,"4 ""5"""\n2,3,"4 ""5""""\n',
    "per_cent_in_one_row": "q|-106.8\n32|-44.5\n0|21.25\n?|5%\n19|7.5\n",
    "a_comment": "a,y\n1,2\n# no row\n2,3\n",
    "an_open_quote": 'a,y\n1,2\n2,"4\n3,5\n',
    "behind_a_quote": 'a,y,z\n1,2,3\n2,3,"4"5\n',
    "infinity_above": "w,1,inf\na,2,3\nb,3,5\n",
    "infinity": "a,b,y\n1,2,3\n2,inf,4\n3,4,5\n",
    "a_word_in_many_rows": SEVERAL + "1,word,x,2\n",
    "a_word_among_keys": "key,a,y\n"
    + "".join(f"{i},{i % 5},{i}\n" for i in range(20))
    + "20a,1,2\n",
    "too_many_in_many_rows": SEVERAL + "1,2,x,2,5\n1,2,x,3\n",
    "an_end_that_is_none": SEVERAL + "Source\nme\n",
    "beyond_float64": "a,b,y\n1,2,3\n2,1e999,4\n3,4,5\n",
    "decimal_commas": "a;y\n1,5;2\n2,5;4\n",
    "one_column": "a\n1\n2\n",
    "twice": "a,a,y\n1,2,3\n2,3,4\n",
    "nothing": "  \n",
    "nothing_in_quotes": '""\n',
    "words_alone": "once upon,a time\nthere was,a story\nof words,alone\n",
    "a_null_byte": "a,y\n" + "1,2\n" * 20 + "1,2\0\n",
    "a_web_page": "<html><body>no, data, here</body></html>\n",
    "nulls": "\0\0\1\0\2\3" * 50,
}
NOT_PLAIN = {
    "money": "a,y\n$1.50,2\n$2.50,4\n$3.50,5\n",
    "units": "mass,length\nkg,cm\n1,2\n2,3\n3,5\n",
    "a_preamble": "Results\n\na,y\n1,2\n2,3\n4,5\n",
    "single_quotes": "a,b,y\n'1, x',2,3\n'2, y',3,4\n'3',5,6\n",
    "nothing_but_words": "a,y\none,1\ntwo,2\none,3\n",
    "utf_16": "\0".join("a,y\n1,2\n2,3\n"),
    "many_columns": ",".join(f"c{i}" for i in range(150)) + "\n" + ",".join("1" * 150) + "\n",
    "json": '[{"a": 1, "y": 2}, {"a": 2, "y": 3}]',
    "json_lines": '{"a": 1, "y": 2}\n{"a": 2, "y": 3}\n',
    "names_or_numbers": "1990,1991,1992\n1.5,2.5,3\n2.5,3,4\n3.5,1,7\n",
    "years_above_large_numbers": "k,1960,1961,1962\na,54608,55811,56682\nb,57,5441333,12\n",
    "names_or_numbers_beside_words": "1990,1991,w\n1.5,2.5,a\n2.5,3,b\n3.5,1,c\n",
    "a_year_above_an_index": ",2020\n0,1798\n1,1799\n2,1801\n",
    "a_number_above_row_names": "0,q\n1,0.5,2\n2,0.7,3\n3,0.9,5\n",
    "a_row_above_more_columns": "1,2,3\n1,2,3,4\n2,3,4,5\n3,5,5,7\n",
    "a_name_above_more_columns": "0\nA,9.3,1,1442,7\nB,9.1,2,1443,8\n",
    "a_line_below_r_names": "a,b,c\n7\nk,1,2,3\nl,2,3,5\n",
    "a_comma_beside_thousands": "a;y\n1;1,5\n2;5\n3;1.250\n4;3\n",
    "dates_alone": "date,y\n2024-01-01,1\n2024-01-02,3\n",
    "a_target_of_nothing": "a,b,y\n1,2,NA\n2,4,\n4,5,NA\n",
    "a_target_of_dates": "a,b,y\n1,2,2024-01-05\n2,4,2024-02-05\n4,5,2024-03-05\n",
    "comments_above": "# made today\na,y\n1,2\n2,3\n",
}


@pytest.fixture
def own(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page that takes a file. In the end, no script has failed and nothing was asked for."""
    path = tmp_path / "own.html"
    save_empty_page(path)
    with browser.page(path) as page:
        yield page
        assert len(page.events("Network.requestWillBeSent")) <= 2  # the page and its empty icon
        assert page.events("Runtime.exceptionThrown") == []
        assert page.events("Log.entryAdded") == []


def load(page: Page, text: str, name: str = "data.csv") -> dict[str, Any]:
    found: dict[str, Any] = page.run(f"gdfit.load({json.dumps(text)}, {json.dumps(name)})")
    return found


def assert_as_trained(gdfit: Gdfit, page: Page, text: str) -> None:
    """The page's columns, notes, scale, rate, params and steps are those of the command line."""
    Path("data.csv").write_bytes(text.encode())
    result = gdfit("train", "data.csv", "--format", "json", "--every", "1", "--no-model")
    told = json.loads(result.out)
    found = load(page, text)
    assert found == {
        "features": told["features"],
        "target": told["target"],
        "observations": told["observations"],
        "notes": found["notes"],
    }
    of_run = ("the run has", "the model explains", "R² is")
    notes = [line.removeprefix("gdfit: note: ") for line in result.err.splitlines()]
    assert sorted(found["notes"]) == sorted(note for note in notes if not note.startswith(of_run))
    run = page.run(RUN)
    assert run["settings"]["scale"] == told["scale"]
    assert run["settings"]["lr"] == pytest.approx(told["lr"], rel=2e-3)  # but for ties, the same
    params, own = [*told["w"], told["b"]], [*run["ended"]["w"], run["ended"]["b"]]
    np.testing.assert_allclose(own, params, rtol=1e-9, atol=1e-9 * np.abs(params).max())
    losses = [step["loss"] for step in page.run("gdfit.descend()")]
    np.testing.assert_allclose(losses[0], told["history"][0]["loss"], rtol=1e-9)
    np.testing.assert_allclose(losses[-1], told["loss"], rtol=1e-9, atol=1e-18 * losses[0])


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_sample_data_are_read_as_by_the_command(gdfit: Gdfit, own: Page, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.stem in ("feder", "o_rings"):  # decimal commas, and words to predict from
        error = load(own, text, path.name)["error"]
        assert "--decimal ," in error or "type gdfit train o_rings.csv" in error
        return
    assert_as_trained(gdfit, own, text)


@pytest.mark.parametrize("name", TEXTS)
def test_plain_tables_are_read_as_by_the_command(gdfit: Gdfit, own: Page, name: str) -> None:
    assert_as_trained(gdfit, own, TEXTS[name])


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_as_by_the_command(gdfit: Gdfit, own: Page, name: str) -> None:
    Path("data.csv").write_text(FAULTS[name], encoding="utf-8")
    told = gdfit("train", "data.csv").err.splitlines()[-1].removeprefix("gdfit: error: ")
    error = load(own, FAULTS[name])["error"]
    assert told.startswith(error)
    assert own.run("document.body.className") == "empty"


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_for_all_else_it_says_what_to_type(own: Page, name: str) -> None:
    error = load(own, NOT_PLAIN[name], "my data.csv")["error"]
    assert error.endswith("type gdfit train 'my data.csv' --page page.html")


def test_what_may_be_thousands_is_asked_as_by_the_command(gdfit: Gdfit, own: Page) -> None:
    text = 'a,y\n"1,000",2\n"2,000",4\n"3,000",5\n'
    Path("data.csv").write_text(text, encoding="utf-8")
    told = gdfit("train", "data.csv").err.removeprefix("gdfit: error: ")
    error, _, command = load(own, text)["error"].partition("; this page reads")
    assert told.startswith(error)
    typed = command.partition("type gdfit ")[2].split()
    assert typed == ["train", "data.csv", "--page", "page.html", "--thousands", ","]
    assert gdfit(*typed).status == 0
    own.click(".fault button")
    assert own.text("h1") == "y = w · a + b"


def test_y_whose_squares_are_infinite_is_refused(own: Page) -> None:
    error = load(own, "x,y\n1,1e200\n2,2e200\n3,4e200\n")["error"]
    assert "the squares of y are too large for float64; divide that column by a" in error


def test_options_that_are_spoken_of_have_a_command(own: Page) -> None:
    load(own, FAULTS["one_column"], "my data.csv")
    hint = "options as these are typed behind gdfit train 'my data.csv' --page page.html"
    assert own.text("#said li:last-child") == hint
    load(own, TEXTS["a_total"], "pasted")
    assert own.text("#said li:last-child") == hint.replace("'my data.csv'", "FILE")


def test_nothing_is_left_of_a_file_before_one_that_fails(own: Page) -> None:
    load(own, SEVERAL, "good.csv")
    own.run("location.hash = '#lr=0.5'")
    own.rest()
    own.until("location.hash === '#lr=0.5'")
    own.run("new Promise((resolve) => setTimeout(resolve, 400))")
    load(own, FAULTS["one_column"], "bad.csv")
    own.rest()
    assert own.text("#asked") == "bad.csv"
    assert own.text("h1") == "Gradient descent on a file of your own"
    assert own.run("document.title") == "Your own file by gradient descent"
    assert own.run("gdfit.run()") is None
    assert own.run("document.querySelectorAll('.plot svg').length") == 0
    assert own.run("document.querySelector('#targets').hidden")
    assert own.run("location.hash") == ""
    load(own, SEVERAL, "good.csv")
    assert own.text("h1") == "y from 2 features"


def test_bytes_that_are_no_text_are_told_of(own: Page) -> None:
    def drop(first: bytes) -> str:
        own.run(
            "(() => { document.querySelector('#said').replaceChildren();"
            "const dataTransfer = new DataTransfer(); dataTransfer.items.add("
            f"new File([new Uint8Array({[*first]})], 'some.bin'));"
            "const how = {dataTransfer, bubbles: true};"
            "document.body.dispatchEvent(new DragEvent('drop', how)); })()"
        )
        own.until("document.querySelector('.fault') !== null")
        return own.text(".fault")

    assert drop(bytes(range(256))).strip() == "some.bin: is not a text file (it has null bytes)"
    for begun in (b"PK\3\4\0\0\xff\xfe", b"PAR1\0\0\xff\0\0", "a,y\n".encode("utf-16")):
        assert "is not UTF-8 text; " in drop(begun)


def test_the_ways_out_of_a_fault_are_buttons(own: Page) -> None:
    text = "a;b;y\n1,5;2;2,5\n2,5;;4,1\n3,5;4;4,0\n5;6;7\n"
    load(own, text)
    for button in ("decimal ,", "skip such rows"):
        assert own.text(".fault button") == button
        own.click(".fault button")
    assert own.text("#about") == "mean squared error of 3 observations"
    assert own.text("#said") == "skipped 1 row with a missing field"
    load(own, FAULTS["a_word"])
    own.click(".fault button")
    assert own.text("h1") == "y = w · a + b"


def test_one_picks_columns(own: Page) -> None:
    load(own, SEVERAL)
    assert own.text("#columns summary") == "features: 2 of 2"
    own.run(
        "(() => { const target = document.querySelector('#target');"
        "target.value = 'b'; target.dispatchEvent(new Event('change')); })()"
    )
    own.rest()
    assert own.text("h1") == "b from 2 features"
    own.click("#columns summary")
    own.click("#columns input")
    assert own.text("h1") == "b = w · y + b"
    own.click("#columns input")
    assert own.text("h1") == "b from 2 features"


def test_what_is_chosen_for_a_file_is_not_for_the_next_one(own: Page) -> None:
    load(own, SEVERAL)
    chosen = own.run("document.querySelector('#lr-field').value")
    own.run(
        "(() => { const field = document.querySelector('#lr-field');"
        "field.value = 0.5; field.dispatchEvent(new Event('change')); })()"
    )
    own.until("location.hash === '#lr=0.5'")
    load(own, SEVERAL)
    own.rest()
    assert own.run("document.querySelector('#lr-field').value") == chosen
    own.until("location.hash === ''")


def test_a_link_is_for_the_first_file(own: Page) -> None:
    own.run("location.hash = '#optimizer=momentum&epoch=2'")
    load(own, SEVERAL)
    own.rest()
    assert own.run("document.querySelector('[value=momentum]').checked")
    assert own.text("#epoch").startswith("epoch 2 of")


def test_it_takes_a_file_by_picker_drop_and_paste(own: Page, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("u,v\n1,2\n2,4\n3,7\n", encoding="utf-8")
    node = own.send("Runtime.evaluate", expression="document.querySelector('#opener')")
    chosen = node["result"]["objectId"]
    own.send("DOM.setFileInputFiles", files=[str(path)], objectId=chosen)
    own.until("document.querySelector('h1').textContent === 'v = w · u + b'")
    assert own.text("#asked") == "rows.csv"
    for kind, name in (("DragEvent", "drop"), ("ClipboardEvent", "paste")):
        data = "dataTransfer" if name == "drop" else "clipboardData"
        own.run(
            f"(() => {{ const {data} = new DataTransfer();"
            f"{data}.setData('text/plain', '{name},y\\n1,2\\n2,4\\n3,7\\n');"
            f"document.body.dispatchEvent(new {kind}('{name}', {{{data}, bubbles: true}})); }})()"
        )
        assert own.text("h1") == f"y = w · {name} + b"
    own.run(
        "(() => { const dataTransfer = new DataTransfer();"
        "dataTransfer.items.add(new File([new Uint8Array([97, 0xe9, 10])], 'latin.csv'));"
        "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true})); })()"
    )
    own.until("document.querySelector('.fault') !== null")
    assert own.text(".fault").startswith("latin.csv: is not UTF-8 text;")


def test_many_rows_are_condensed_at_once(own: Page) -> None:
    own.run(
        "(() => { let seed = 1; const next = () => (seed = (seed * 16807) % 2147483647) / 2 ** 31;"
        "const rows = Array.from({length: 1e6}, () => [next(), 3 * next(), next()]);"
        "window.many = 'a,b,y\\n' + rows.map(([a, b, c]) =>"
        "`${a.toFixed(5)},${b.toFixed(4)},${(2 * a - b + c).toFixed(5)}`).join('\\n'); })()"
    )
    assert own.run("gdfit.load(many).observations") == 1_000_000
    w = own.run("gdfit.run().ended.w")
    np.testing.assert_allclose(w, [2, -1], atol=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_the_screen(browser: Browser, size: str) -> None:
    with browser.page(DOCS_PAGE, *SIZES[size], touch=size == "phone") as page:
        for text in ("", SEVERAL, FAULTS["a_word"]):
            load(page, text)
            page.rest()
            assert page.run("document.documentElement.scrollWidth") <= SIZES[size][0]
            if size != "phone":
                assert page.run("document.documentElement.scrollHeight") <= SIZES[size][1]


def test_the_page_in_the_docs_is_this_one(gdfit: Gdfit) -> None:
    assert gdfit("page", "--output", "own.html").status == 0
    text = Path("own.html").read_bytes()
    assert text == DOCS_PAGE.read_bytes(), "python tests/test_own_page.py writes it anew"
    assert gdfit("page").status == 0
    assert Path("gdfit.html").read_bytes() == text
    assert len(text) < 500_000
    addresses = set(re.findall(rb"\b(?:https?|ftp|wss?)://[^\s\"'<>)]*", text))
    assert addresses == {b"http://www.w3.org/2000/svg"}  # SVG's name, which nobody looks up
    assert gdfit("page", "--output", "own.pdf").status == 2


if __name__ == "__main__":
    save_empty_page(DOCS_PAGE)
