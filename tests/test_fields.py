"""What lines, fields and numbers are, and that the fast reader keeps to it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gdfit.data.batch import Asked, Batch, Kind
from gdfit.data.sources.block_readers import read_by_arrow, read_plainly
from gdfit.data.text.blocks import Block, ends_of_rows
from gdfit.data.text.fields import (
    MISSING,
    WHITE_SPACE,
    Grammar,
    RowError,
    content,
    read_number,
    records,
)
from readers import blocks_of, read_block, said_by

COMMA = Grammar(",")
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["number", "word"])


def rows_of(text: bytes, grammar: Grammar = COMMA) -> list[list[bytes]]:
    """What the fields of all rows say."""
    return [[content(field, grammar) for field in row.fields] for row in records(text, grammar)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (b"", []),
        (b"\n \r\n\t\r", []),
        (b"1,2\n3,4", [[b"1", b"2"], [b"3", b"4"]]),
        (b"1\r2\n3\r\n4\n\r5", [[b"1"], [b"2"], [b"3"], [b"4"], [b"5"]]),
        ("a\u2028b\x85c\x0bd\x0ce\x1cf".encode(), [["a\u2028b\x85c\x0bd\x0ce\x1cf".encode()]]),
        (b",\n", [[b"", b""]]),
        (b" 1 ,\t2\t\n", [[b"1", b"2"]]),
        (b'"a,b\r\n""c""",2\n', [[b'a,b\r\n"c"', b"2"]]),
        (b' "a" ,"" \n""\n', [[b"a", b""], [b""]]),
        (b'5",6"\n', [[b'5"', b'6"']]),
        (b'"5" x,6\n', [[b'"5" x,6']]),
        (b'"1"2",3\n', [[b'"1"2",3']]),
        (b'1,"2\n3,4', [[b"1", b'"2'], [b"3", b"4"]]),
    ],
)
def test_rows_and_fields(text: bytes, rows: list[list[bytes]]) -> None:
    assert rows_of(text) == rows


def test_other_grammars() -> None:
    assert rows_of(b' a  "b c"\td \n\n', Grammar(WHITE_SPACE)) == [[b"a", b"b c", b"d"]]
    assert rows_of(b" \t1\t 2 \n", Grammar("\t")) == [[b"", b"1", b"2"]]
    comments = b'# "\n1,2 # 3\n"#4",5#\n #\n'
    assert rows_of(comments, Grammar(",", comment="#")) == [[b"1", b"2"], [b"#4", b"5"]]
    assert rows_of(b"1 2 # 3\n", Grammar(WHITE_SPACE, comment="#")) == [[b"1", b"2"]]


@pytest.mark.parametrize("text", ["1", "-1.5e3", "+.5", "5.", "1E-400", '"7"', ' " 8 " ', "007"])
def test_numbers(text: str) -> None:
    value = read_number(text.encode(), COMMA, missing=False)
    assert value == float(text.strip().strip('"'))
    european = Grammar(";", ",")
    assert read_number(text.replace(".", ",").encode(), european, missing=False) == value


@pytest.mark.parametrize("word", [*sorted(MISSING), "", '""', " NA ", '" NA"'])
def test_missing_words(word: str) -> None:
    assert math.isnan(read_number(word.encode(), COMMA, missing=True))
    with pytest.raises(ValueError, match="`drop_missing` skips such rows"):
        read_number(word.encode(), COMMA, missing=False)


def test_words_of_ones_own_for_missing_values() -> None:
    grammar = Grammar(",", missing=MISSING | {"-999", "?", "inf"})
    missing = [b"-999", b"-999.0", b"?", b"inf", b'"?"', b"nan"]
    assert all(math.isnan(read_number(word, grammar, missing=True)) for word in missing)
    assert read_number(b"999", grammar, missing=True) == 999


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("abc", "'abc' is not a number"),
        ("True", "'True' is not a number"),
        ("1_0", "'1_0' is not a number"),
        ("1 0", "'1 0' is not a number"),
        ("0x1", "'0x1' is not a number"),
        ("1e", "'1e' is not a number"),
        ("١", "'١' is not a number"),
        ("1\x0b", r"'1\x0b' is not a number"),
        ("\u2028", r"'\u2028' is not a number"),
        ("1\0", r"'1\x00' is not a number"),
        ("1\xa0", r"'1\xa0' is not a number written as the others of its column are"),
        ('"1"2', "'\"1\"2' is not a number"),
        ("1,5", "'1,5' is not a number (decimals with ',' need `decimal` ,)"),
        ("-Inf", "'-Inf' is not a finite number"),
        ("1e999", "'1e999' is larger than the largest float64, 1.8e308"),
    ],
)
def test_what_is_no_number(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is") as error:
        read_number(text.encode(), Grammar(";"), missing=True)
    assert str(error.value) == fault


Outcome = tuple[str, int, int | None] | tuple[list[int], bytes, list[list[str | None]]]


def outcome(read_all: Callable[[], list[Batch]], asked: Sequence[Asked]) -> Outcome:
    """The numbers that a reader gives, to the last bit, and the words; or its complaint."""
    numbers = np.empty((0, sum(kind == "number" for _, kind in asked)))
    try:
        batches = read_all()
    except RowError as error:
        return error.what, error.line, error.place
    rows = np.concatenate([numbers, *(batch.numbers for batch in batches)])
    words = [row for batch in batches for row in said_by(batch)]
    return [*rows.shape], np.where(np.isnan(rows), np.nan, rows).tobytes(), words


def assert_same(
    text: bytes,
    grammar: Grammar,
    width: int,
    asked: Sequence[Asked],
    size: int,
    *,
    missing: bool = True,
) -> None:
    """Both readers give the same numbers and words, or the same complaint."""
    how: Any = {"missing": missing}
    whole = Block(text, np.empty(0, np.int64), 1, text)
    plain = outcome(lambda: [read_plainly(whole, grammar, width, asked, **how)], asked)

    def read_all() -> list[Batch]:
        blocks = blocks_of(text, grammar, size)
        return [read_block(block, grammar, width, asked, **how) for block in blocks]

    assert outcome(read_all, asked) == plain


GRAMMARS = st.builds(
    Grammar,
    st.sampled_from([",", ";", "\t", "|", WHITE_SPACE, "-", "."]),
    st.sampled_from(".,"),
    st.sampled_from([MISSING, MISSING | {"-999", "?", "0", '"', "1,2"}]),
    st.sampled_from([None, None, "#", "%"]),
).filter(lambda grammar: grammar.delimiter != grammar.decimal)

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-1000, 1000).map(str),
    st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
ODDITIES = (
    '? -999 -999.0 inf -Infinity True 1_0 0x1 1e e5 --1 . 1.2.3 1,5 1/2 N é \0 1\x0b \x1a # " +1'
)
WORDS = st.sampled_from([*MISSING, "", "1 2", "a b", "\u2028", *ODDITIES.split(" ")])


@st.composite
def files(draw: st.DrawFn) -> tuple[Grammar, int, bytes]:
    """A grammar, how many columns, and a file that is in it but for a few mishaps."""
    grammar = draw(GRAMMARS)
    width = draw(st.integers(1, 4))
    spaced = grammar.delimiter == WHITE_SPACE
    between = st.sampled_from([" ", "\t", "  "] if spaced else [grammar.delimiter])
    blank = st.sampled_from(["", "", "", " ", "\t", "   "])
    line_end = draw(st.sampled_from([st.just("\n"), st.sampled_from(["\n", "\r\n", "\r"])]))
    plain = NUMBERS.map(lambda number: number.replace(".", grammar.decimal))
    field = st.one_of(plain, plain, WORDS) if draw(st.booleans()) else plain
    if draw(st.booleans()):
        text = st.text('1.,;\t| "\n\r#ax', max_size=5)
        quoted = st.one_of(plain, WORDS, text).map(lambda said: said.replace('"', '""'))
        field = st.one_of(field, quoted.map('"{}"'.format))
    pieces = []
    for _ in range(draw(st.integers(0, 8))):
        for place in range(width):
            pieces += [draw(between)] if place else []
            pieces += [draw(blank), draw(field), draw(blank)]
        pieces += [draw(line_end)]
        if draw(st.integers(0, 9)) == 0:
            pieces += [draw(st.text('1,; "\n\r#x', max_size=4))]
    return grammar, width, "".join(pieces).encode()


@settings(max_examples=300, deadline=None)  # the fuzzer's columns are more
@given(
    file=files(),
    size=st.integers(1, 60),
    used=st.lists(st.tuples(st.integers(0, 3), KINDS), min_size=1, max_size=4),
    missing=st.sampled_from([True, True, False]),
)
def test_the_fast_reader_reads_what_the_plain_one_reads(
    file: tuple[Grammar, int, bytes], size: int, used: list[tuple[int, Kind]], missing: bool
) -> None:
    """Columns in any order, and one more than once, as numbers and as words."""
    grammar, width, text = file
    asked = [Asked(place % width, kind) for place, kind in used]
    assert_same(text, grammar, width, asked, size, missing=missing)


@settings(max_examples=1000, deadline=None)
@given(
    text=st.text('01.,;\t "\n\r#exNA-', max_size=40).map(str.encode) | st.binary(max_size=40),
    grammar=GRAMMARS,
    kinds=st.lists(KINDS, min_size=1, max_size=3),
    size=st.integers(1, 60),
)
def test_and_so_it_does_with_any_bytes(
    text: bytes, grammar: Grammar, kinds: list[Kind], size: int
) -> None:
    assert_same(text, grammar, len(kinds), [*map(Asked, range(len(kinds)), kinds)], size)


@settings(max_examples=300, deadline=None)
@given(file=files(), more=st.sampled_from(["", "1", '"', "1\n2", " "]))
@example(file=(COMMA, 2, b"1,2\n"), more='3,"4')
def test_rows_end_where_the_definition_says(file: tuple[Grammar, int, bytes], more: str) -> None:
    grammar, _, text = file
    for block in blocks_of(text + more.encode(), grammar):
        expected = [row.end for row in records(block.text, grammar)]
        assert ends_of_rows(block, grammar).tolist() == expected


def test_doubled_quotes_beside_mere_ones_wherever_blocks_are_cut() -> None:
    text = b'5" x,"a""\nb",2\n' * 9
    asked = [Asked(1, "word"), Asked(2)]
    (block,) = blocks_of(text, COMMA)
    batch = read_block(block, COMMA, 3, asked)
    assert (batch.numbers.tolist(), said_by(batch)) == ([[2.0]] * 9, [['a"\nb']] * 9)
    for size in range(1, 40):
        assert_same(text, COMMA, 3, asked, size)


@pytest.mark.parametrize("delimiter", [",", "\t", WHITE_SPACE])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_both_readers_count_the_fields_of_each_line(delimiter: str, width: int) -> None:
    """Up to four lines of up to four numbers, also such as have the right number in all."""
    between = " " if delimiter == WHITE_SPACE else delimiter
    for count in range(1, 5):
        for lengths in itertools.product(range(5), repeat=count):
            lines = [between.join("1234"[:length]) for length in lengths]
            text = "\n".join(lines).encode()
            assert_same(text, Grammar(delimiter), width, [*map(Asked, range(width))], 1000)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    "characters", ["07+-eE.", "07+-eE,", "iInNaA", "NnulLUo", "01xbBd", "1%/#<'"]
)
def test_what_pandas_takes_for_a_number_is_one(decimal: str, characters: str) -> None:
    """Every text of up to four of these characters."""
    grammar = Grammar(";", decimal)
    for length in range(1, 5):
        for letters in itertools.product(characters, repeat=length):
            text = "".join(letters).encode()
            block = Block(text + b";1\n", np.empty(0, np.int64), 1, b"")
            batch = read_by_arrow(block, grammar, 2, [Asked(0)], missing=True)
            if batch is not None:
                number = read_number(text, grammar, missing=True)
                value = batch.numbers[0, 0]
                assert value == number or (math.isnan(value) and math.isnan(number))
            else:
                number = (
                    grammar.value(text) if grammar.spelling.number.fullmatch(text) else math.inf
                )
                assert math.isinf(number), text


SHAPES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map("{:.6f}".format),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map("{:f}".format),
    st.integers(-(2**64), 2**64).map(str),
    st.integers(2**53 - 9, 2**53 + 9).map(lambda whole: str(whole * 2 + 1)),  # between two
    st.from_regex(r"-?[0-9]{0,22}[.,]?[0-9]{0,22}", fullmatch=True),
    st.text("0123456789.,-+e/: \x80", max_size=26),
)


@pytest.mark.parametrize(
    "word",
    ["True", "FALSE", "false", "t", "1_0", "0x1", "inf", "-Infinity", "1e5", "1\x7f", "¹", "N"],
)
@pytest.mark.parametrize("beside", ["", "1e5\n"])
def test_a_column_of_one_word_says_what_one_field_does(word: str, beside: str) -> None:
    """Though pandas takes a column of truth values for one of zeros and ones."""
    text = f"{word}\n{beside}" * 300
    assert_same(text.encode(), COMMA, 1, [Asked(0)], 1 << 16)
    assert_same(text.encode(), COMMA, 1, [Asked(0, "word")], 1 << 16)
