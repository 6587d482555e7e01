"""A saved model on data files: their rows as they stand, with the prediction as one field more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.batch import Batch
from gdfit.data.dataset import Dataset
from gdfit.data.reduction.tree import in_order
from gdfit.data.sources.csv_file import CsvFile
from gdfit.data.sources.source import in_encoding
from gdfit.data.terms.expansion import enclosed
from gdfit.data.terms.lookup import find_features, remarks_on
from gdfit.data.terms.row_maker import RowMaker, values_missing
from gdfit.data.text.blocks import Block, Positions, Unit, ends_of_rows, every_other
from gdfit.data.text.fields import WHITE_SPACE, Grammar
from gdfit.data.text.header import Layout
from gdfit.errors import GdfitError, listing, quoted
from gdfit.model.evaluation import Observed, as_trained
from gdfit.model.family import GroupedModel
from gdfit.model.intervals import Further
from gdfit.model.linear import LinearModel


def predict_rows(
    model: LinearModel,
    dataset: Dataset,
    write: Callable[[bytes], object],
    threshold: float | None = None,
    further: Further | None = None,
) -> None:
    """Write the files back byte for byte, with one field more in each row, ``TARGET_hat``: ŷ, empty
    in rows that it can't predict, which are counted by why: a field that it needs is missing or
    can't be read, a level is new, a term has no value. Only the first file's header is written.
    What there is to tell `further` is in more fields: the ends of intervals, or residuals and
    influence, empty where the observed value is missing.

    With a `threshold`, the field is the class: the positive one where its probability is at least
    so large.

    Memory stays bounded: rows are read and written block by block; those of a pipe as they come.

    Raises
    ------
    GdfitError : a file can't be read, lacks a feature of the model, or is not like the first one.
    """

    def suits(layout: Layout) -> bool:
        with suppress(GdfitError):
            return bool(find_features(layout, dataset.name, model.inputs))
        return False

    dataset = as_trained(model, dataset)
    first: CsvFile | None = None
    unpredicted, text = Unpredicted(), b"\n"
    for file in dataset.open_texts(suits):
        file = replace(file, skip_broken=True)
        maker, observing = model.maker(file), None
        if further and further.residuals:
            observing = Observed(model, weights=model.weights_name).maker(file)
        for remark in remarks_on(file.layout, model.inputs, model.made_of.texts):
            dataset.tell(remark)
        if not text.endswith((b"\n", b"\r")):  # the last line of the file before has no end
            write(b"\n")
        if first is None:
            endings = ["_hat", *(further.endings if further else ())]
            names = [f"{model.target}{ending}" for ending in endings]
            write(in_encoding(top(file, names), file.encoding, file.name))
        else:
            check_same_columns(first, file)
        makers = (maker, observing)
        for text in predicted_blocks(model, makers, file, unpredicted, threshold, further):
            write(in_encoding(text, file.encoding, file.name))
        write(in_encoding(file.end, file.encoding, file.name))
        first = first or file
    if remark := unpredicted.remark(model):
        dataset.tell(remark)
    if further and further.residuals and further.of_training:
        models = model.models.values() if isinstance(model, GroupedModel) else [model]
        counts = (one.facts.get("observations") for one in models)
        trained = sum(count for count in counts if isinstance(count, int))
        if (observed := unpredicted.counts["observed"]) != trained:
            what = f"there are {observed:,} observations, and {trained:,} in training"
            dataset.tell(f"{what}: the data are others now, and Cook's distances not of them")


def top(file: CsvFile, names: Sequence[str]) -> bytes:
    """What stands before the rows of `file`, with more columns in the header if there is one."""
    layout, text = file.layout, file.head[: file.layout.start]
    if not layout.named:
        return text
    for name in {*names} & {*layout.names}:
        raise GdfitError(f"there is a column {quoted(name)} already", file=file.name)
    grammar = layout.grammar
    ends = [layout.header_end, *layout.units]
    between = separator(grammar)
    added = between * (1 + layout.short)
    added += between.join(quoted_field(name, grammar) for name in names)
    empty = (between + nothing(grammar)) * len(names)
    parts = [text[start:end] for start, end in zip([0, *ends], [*ends, None], strict=True)]
    return parts[0] + added.encode() + empty.encode().join(parts[1:])


def check_same_columns(first: CsvFile, file: CsvFile) -> None:
    """Raise where the rows of `file` can't stand below those of the `first` one."""
    if first.layout.names != file.layout.names:
        what = f"its columns stand in another order than in {first.name}"
    elif first.encoding != file.encoding:
        what = f"its encoding is not that of {first.name}"
    elif replace(first.layout.grammar, spellings=()) != replace(file.layout.grammar, spellings=()):
        what = f"its delimiter is not that of {first.name}"
    else:
        return
    raise GdfitError(f"{what}; predict them one by one", file=file.name)


@dataclass
class Unpredicted:
    """Rows without a prediction.

    counts : how many there are, by why: ``missing``, ``unreadable``, ``new``, ``without_value``;
        and of how many rows y was asked for, and ``observed``.
    unseen : the levels that training has not seen, the first ones.
    broken : the first row that can't be read: its line, and why.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unseen: dict[str, None] = field(default_factory=dict)
    broken: str = ""

    def add(self, other: Unpredicted) -> None:
        """Those of the rows that follow."""
        self.counts.update(other.counts)
        self.unseen |= other.unseen
        self.broken = self.broken or other.broken

    def remark(self, model: LinearModel) -> str:
        """What to say of them, if there are any."""
        levels = listing(tuple(map(quoted, self.unseen)), 3)
        grouped = model.made_of.by is not None
        new = "of a group without a model" if grouped else "with a level that training has not seen"
        more = ", or a level that the group has not had" if grouped else ""
        reasons = {
            "missing": "with a missing field",
            "unreadable": f"that can't be read ({self.broken})",
            "new": f"{new} ({levels})",
            "without_value": f"where a term has no value{more}",
        }
        counts = {why: self.counts[name] for name, why in reasons.items()}
        told = [f"{count} row{'s' * (count > 1)} {why}" for why, count in counts.items() if count]
        return f"no prediction for {', '.join(told)}" if told else ""


def predicted_blocks(
    model: LinearModel,
    makers: tuple[RowMaker, RowMaker | None],
    file: CsvFile,
    unpredicted: Unpredicted,
    threshold: float | None,
    further: Further | None,
) -> Iterator[bytes]:
    """The rows of `file` with their predictions, block by block; those without one are counted.

    makers : of features, and of the observed values if these are asked for.
    """
    grammar, (maker, observing) = file.layout.grammar, makers
    asked = (observing or maker).asked

    def predict(unit: Unit) -> tuple[Unpredicted, bytes]:
        (batch,) = file.batches(unit, asked, may_miss=True)
        block: Block = unit.content
        ends = ends_of_rows(block, grammar)
        end = "\n"  # of what is added to a row
        values = np.full((len(ends), 1 + len(further.endings if further else ())), np.nan)
        observed = observed_in(observing, file, unit, batch) if observing else None
        values[batch.rows], found = rows_predicted(model, maker, batch, further, observed)
        if batch.broken:
            line, what, place = batch.broken[0]
            column = "" if place is None else f", column {quoted(file.layout.names[place])}"
            kind, number = file.layout.place(block.line + line - 1)
            where = f"{file.name}, {kind} {number}{column}"
            found.counts["unreadable"], found.broken = len(batch.broken), f"{where}: {what}"
        if threshold is not None and model.classes:
            negative, positive = (quoted_field(name, grammar) for name in model.classes.names)
            end = next(mark for mark in "\n\r\0\v" if mark not in negative + positive)
            said = np.where(values[:, 0] >= threshold, positive, negative).tolist()
            for row in np.flatnonzero(np.isnan(values[:, 0])).tolist():
                said[row] = nothing(grammar)
        else:
            columns = [as_fields(column, np.isnan(column), grammar) for column in values.T]
            said = columns[0]
            if further:
                said = [*map(separator(grammar).join, zip(*columns, strict=True))]
        return found, with_fields(block.raw, ends, joined_fields(said, grammar, end), end)

    for burst in file.bursts():
        for found, text in in_order(predict, burst):
            unpredicted.add(found)
            yield text


def observed_in(maker: RowMaker, file: CsvFile, unit: Unit, batch: Batch) -> FloatArray:
    """The weight and y of each row of a batch, shape (rows, 2); NaN where a field is missing."""
    maker, found = replace(maker), np.full((len(batch.rows), 2), np.nan)
    whole, _ = maker.seen(batch, batch.is_whole)
    rows = maker.rows(file, unit, batch.where(whole), checked=False)
    found[whole, 0] = 1 if maker.weights is None else rows[:, -2]
    found[whole, 1] = rows[:, -1]
    return found


def rows_predicted(
    model: LinearModel,
    maker: RowMaker,
    batch: Batch,
    further: Further | None,
    observed: FloatArray | None,
) -> tuple[FloatArray, Unpredicted]:
    """ŷ of each row of a batch and what is told `further`, shape (rows, ·), NaN where there is
    none; and how many have none.

    observed : the rows' weights and y, shape (rows, 2); the columns for them stand behind others.
    """
    numbers, words = len(maker.numbers), len(maker.asked) - len(maker.numbers)
    batch = batch._replace(numbers=batch.numbers[:, :numbers], words=batch.words[:words])
    whole = batch.is_whole
    seen, unseen = maker.seen(batch, whole)
    chosen = batch.where(seen)
    rows = maker.made(chosen, checked=False)
    values = np.full((len(whole), 1 + len(further.endings if further else ())), np.nan)
    valid = ~values_missing(maker.expansion, rows).any(axis=1)
    valid &= ~maker.expansion.not_had(rows).any(axis=1)
    with_ones = np.column_stack([rows, np.ones((len(rows), 2))])
    chosen_rows, into = with_ones[valid], np.flatnonzero(seen)[valid]
    values[into, 0] = model.at_rows(chosen_rows)
    if further:
        observed = None if observed is None else observed[into]
        values[into, 1:] = further.at_rows(chosen_rows, observed)
    there = {"missing": ~whole, "new": whole & ~seen, "without_value": ~valid}
    if observed is not None:
        there["observed"] = observed[:, 0] > 0
    counts = Counter({why: int(np.count_nonzero(rows)) for why, rows in there.items()})
    return values, Unpredicted(counts, unseen)


def as_fields(values: FloatArray, absent: NDArray[np.bool_], grammar: Grammar) -> list[str]:
    """The numbers as fields, with nothing where they are `absent`."""
    text = repr(values.tolist())[1:-1].replace(".", grammar.decimal)  # faster than one by one
    said = text.split(", ")
    for row in np.flatnonzero(absent).tolist():
        said[row] = nothing(grammar)
    return [f'"{field}"' for field in said] if grammar.delimiter in "+-.e" else said


def joined_fields(said: list[str], grammar: Grammar, end: str) -> str:
    """The fields, each with the delimiter before it and an `end` after it."""
    before = separator(grammar)
    return before + f"{end}{before}".join(said) + end


def with_fields(text: bytes, ends: Positions, fields: str, end: str) -> bytes:
    """`text` with the `fields` in it, one at each of the `ends`; each ends with `end`."""
    if not len(ends):
        return text
    added = np.frombuffer(fields.encode(), np.uint8)
    lengths = np.empty(2 * len(ends) + 1, np.int64)
    lengths[::2] = np.diff(ends, prepend=0, append=len(text))
    lengths[1::2] = np.diff(np.flatnonzero(added == ord(end)), prepend=-1) - 1
    is_new = every_other(lengths)
    whole = np.empty(len(is_new), np.uint8)
    whole[is_new] = added[added != ord(end)]
    whole[~is_new] = np.frombuffer(text, np.uint8)
    return whole.tobytes()


def nothing(grammar: Grammar) -> str:
    """What a field says where there is no prediction."""
    return "NA" if grammar.delimiter == WHITE_SPACE else ""


def separator(grammar: Grammar) -> str:
    """What stands between two fields."""
    return " " if grammar.delimiter == WHITE_SPACE else grammar.delimiter


def quoted_field(said: str, grammar: Grammar) -> str:
    """A field that says this, in quotes if it needs them."""
    special = f'"\r\n{grammar.delimiters.decode()}{grammar.comment or ""}'
    if said == said.strip(grammar.blanks.decode()) and not set(said) & set(special):
        return said
    return enclosed(said)
