"""A model as what other programs run: SQL, Python, C, a spreadsheet's formula, torch's weights.

What is added up, and in which order, is said here, once: the order of `LinearModel.at`, so that
wherever the arithmetic is IEEE's the predictions are the same to the last bit. How a part of it is
written is the languages' own: see `gdfit.model.languages`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gdfit.choices import ExportFormat
from gdfit.data.batch import Level
from gdfit.data.terms.terms import Factor, Term
from gdfit.data.text.spellings import dated
from gdfit.dates import EPOCH
from gdfit.errors import GdfitError, UsageError, listing, quoted
from gdfit.model.family import GroupedModel
from gdfit.model.languages import C, Excel, Language, Python, Sql
from gdfit.model.linear import LinearModel, as_model
from gdfit.system import open_beside, written_beside

if TYPE_CHECKING:
    from gdfit.data.observations import Fitted

# What a column of dates must hold, by the format.
DATES_IN = {
    "sql": "dates or timestamps, in UTC; SQLite has unixepoch(…) in place of EXTRACT(EPOCH FROM "
    "CAST(… AS TIMESTAMP))",
    "python": "dates, datetimes or texts in ISO 8601",
    "excel": "dates, and no texts",
    "c": f"days since {EPOCH}",
    "torch": f"days since {EPOCH}",
}
# By the name of the format.
LANGUAGES: dict[str, type[Language]] = {"sql": Sql, "python": Python, "c": C, "excel": Excel}


def export(model: LinearModel | Fitted, form: ExportFormat, path: str | Path | None = None) -> str:
    """The model as text in a language, also written to the file at `path` if there is one.

    Parameters
    ----------
    model : any linear model, or a fit.
    form : ``sql``, an expression; ``python`` or ``c``, a function that needs nothing else;
        ``excel``, a formula; ``torch``, a float64 state_dict of `torch.nn.Linear`, which needs a
        `path`, and the text is the Python that loads it.

    Raises
    ------
    GdfitError : the model's params are not finite, or a formula is too long.
    """
    if form not in get_args(ExportFormat):
        there = ", ".join(get_args(ExportFormat))
        raise UsageError(f"there is no `format` {quoted(form)}; there are {there}")
    model = as_model(model)
    if not all(map(math.isfinite, model.params)):
        raise GdfitError("the model's params are not all finite numbers")
    if form == "torch":
        if model.made_of.by:
            raise UsageError("`format` torch is one layer, and there is a model for each group")
        if path is None:
            raise UsageError("`format` torch is no text: name a file with `output`")
        return save_state_dict(model, Path(path))
    language = LANGUAGES[form](model)
    text = language.whole(summands(model, language))
    if path is not None:
        with open_beside(Path(path)) as file:
            file.write(text)
    return text


def summands(model: LinearModel, language: Language) -> list[str]:
    """ŷ as what is added up: ``-2.0 * x``, ``+ 0.5 * z``, ``- 3.0``.

    A − b·x is A + (−b)·x in IEEE arithmetic. A category is one summand and not one for each of its
    levels, since those that a row does not have add 0. Of models by group, each param is a choice
    among theirs.
    """
    expansion = model.made_of
    place_of = {key: place for place, key in enumerate(expansion.keys)}

    def param(place: int | None, *had: int) -> str:
        """A weight, with −1 b, or 0, as the group of a row has it; those that have not `had` the
        levels that stand there in the expansion's have none."""
        if expansion.by is None or not isinstance(model, GroupedModel):
            return language.number(0.0 if place is None else model.params[place])
        has: list[bool] = [True] * len(model.models)
        if expansion.had is not None:
            has = [bool(row.all()) for row in expansion.had[:, had]]
        if place is None and all(has):
            return language.number(0.0)
        values = (0.0 if place is None else one.params[place] for one in model.models.values())
        told = (
            language.number(value) if known else language.nothing
            for value, known in zip(values, has, strict=True)
        )
        return language.choice(expansion.by, [*zip(model.models, told, strict=True)])

    def weight_for(number: int, *levels: Level) -> str:
        """The weight of the term of that number for the levels that a row has, of which the first
        `levels` are known: 0 where one of them is the first of its category."""
        categories = expansion.terms[number].categories
        if len(levels) == len(categories):
            of_term = [*map(expansion.categories.index, categories)]
            had = (
                expansion.places_had[at] + expansion.levels[at].index(level)
                for at, level in zip(of_term, levels, strict=True)
            )
            return param(place_of.get((number, levels)), *had)
        category = categories[len(levels)]
        there = expansion.levels[expansion.categories.index(category)]
        cases = [(level, weight_for(number, *levels, level)) for level in there]
        return language.choice(category, cases)

    signed = []
    for number, term in enumerate(expansion.terms):
        value = written_product(term, language)
        if term.categories or expansion.by:
            choice = weight_for(number)
            signed.append(("+", choice + (language.times + value if value else "")))
        else:
            weight = model.w[place_of[number, ()]]
            text = f"{language.positive(abs(weight))}{language.times}{value}"
            signed.append((sign(weight), text))
    if expansion.by:
        signed.append(("+", param(-1)))
    else:
        signed.append((sign(model.b), language.positive(abs(model.b))))
    (first_sign, first), *others = signed
    return [first_sign.replace("+", "") + first, *(f"{sign} {text}" for sign, text in others)]


def sign(value: float) -> str:
    """The sign of a number."""
    return "-" if math.copysign(1.0, value) < 0 else "+"


def written_product(term: Term, language: Language) -> str:
    """The numbers in a term, multiplied; nothing where there are none."""
    if term.is_column:
        return language.term(term.numbers[0].column)
    texts = [text for factor in term.numbers for text in written(factor, language)]
    return f"({language.times.join(texts)})" if len(texts) > 1 else "".join(texts)


def written(factor: Factor, language: Language) -> list[str]:
    """The factors of a number, a function or a power of it. A square is a product, which is the
    same to the last bit; higher powers are the language's own."""
    text = language.factor(factor.column)
    if factor.function:
        text = language.function(factor)
    if factor.power <= 2:
        return [text] * factor.power
    return [language.power.format(text, factor.power)]


def save_state_dict(model: LinearModel, path: Path) -> str:
    """Write the params to `path` as the state_dict of a `torch.nn.Linear`; the Python that loads
    it."""
    import io

    import torch

    state = {
        "weight": torch.tensor([model.w], dtype=torch.float64),
        "bias": torch.tensor([model.b], dtype=torch.float64),
    }
    archive = io.BytesIO()  # torch's own writing names no fault of the disk
    torch.save(state, archive)
    with written_beside(path) as beside:
        beside.write_bytes(archive.getvalue())
    layer = f"layer = torch.nn.Linear({len(model.w)}, 1, dtype=torch.float64)"
    written = model.link.written("z", {"exp": "torch.exp", "abs": "torch.abs"})
    more = "" if written == "z" else f"; z = layer(x); y_hat = {written}"
    return f"{layer}; layer.load_state_dict(torch.load({str(path)!r})){more}\n"


def notes_on(model: LinearModel, form: ExportFormat, text: str) -> Iterator[str]:
    """Remarks on how to use a `text`, where it does not say so itself; and where what runs it may
    find other values than gdfit."""
    counts = Counter(map(str.lower, model.inputs))
    alike = tuple(name for name in model.inputs if counts[name.lower()] > 1)
    if form == "sql" and alike:
        what = f"{listing(alike)} differ in case only, and many databases take them for one column"
        yield f"{what}: call them something else where you train"
    padded = [name for name in model.inputs if name != name.strip()]
    if form in ("sql", "python") and padded:
        yield (
            f"{quoted(padded[0])} has blanks at an end, which gdfit leaves out of a header of CSV: "
            "the column must be called so where this runs"
        )
    factors = [factor for term in model.made_of.terms for factor in term.factors]
    functions = [str(each) for each in factors if each.function and not each.is_category]
    if form in ("sql", "python") and functions:
        function = functions[0]
        yield f"where there is no {function}, this is an error, and predict leaves the field empty"
    if form in ("sql", "c") and model.made_of.texts:
        names = listing(model.made_of.texts)
        yield f"texts are compared as they are, and gdfit reads {names} without blanks around them"
    there, dates = dated(model.spellings), model.dates
    if dates and form in DATES_IN:
        names = listing(dates)
        yield f"where this runs, {names} must hold {DATES_IN[form]}"
    if as_texts := tuple(name for name in there if name in model.made_of.texts):
        yield f"where this runs, {listing(as_texts)} must hold texts, written as in the data"
    marked = (column for column, _ in model.spellings if column not in there)
    if spelled := tuple(column for column in marked if column in model.inputs):
        what = f"{listing(spelled)} must hold plain numbers where this runs, as 1250 for $1,250"
        yield what + (
            ", and 45 for 45%, which a spreadsheet has as 0.45" if form == "excel" else ""
        )
    if form == "excel":
        first, last = (Excel(model).column(model.inputs[place]) for place in (0, -1))
        where = first if first == last else f"{first} to {last}"
        yield f"the formula is for row {Excel.ROW}, with {listing(model.inputs)} in {where}"
    if form == "torch":
        yield (
            f"x is float64, with {listing(model.features)} in this order; a Linear without dtype "
            f"would round the params to float32: {text.strip()}"
        )
