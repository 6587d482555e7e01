"""A fitted linear model: ŷ = w₁x₁ + … + w_px_p + b, and its JSON file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from gdfit.errors import GdfitError, UsageError, a_kind, printable
from gdfit.package import Displayed, __version__
from gdfit.system import open_beside

if TYPE_CHECKING:
    from gdfit.arrays import FloatArray
    from gdfit.data.batch import DataFile
    from gdfit.data.observations import Fitted
    from gdfit.data.sources.frames import FrameFile
    from gdfit.data.terms.expansion import Expansion
    from gdfit.data.terms.levels import Classes
    from gdfit.data.terms.row_maker import RowMaker
    from gdfit.data.text.dialect import Dialect
    from gdfit.data.text.spellings import Spelling
    from gdfit.model.links import Link

MOST_OF_VERSION = 40  # letters of what should be one
MOST_BYTES = 1 << 29  # of a file of models, which is read as a whole

Number = TypeVar("Number", float, Any)  # a float, or an array of them


@dataclass(frozen=True)
class LinearModel(Displayed):
    """A linear model.

    w : a weight for each feature.
    b : the bias.
    features, target : their names.
    expansion : what makes the features of columns, where they are not columns as they stand.
    facts : what else its file says: how it was trained, and what came out.
    """

    w: tuple[float, ...]
    b: float
    features: tuple[str, ...]
    target: str
    expansion: Expansion | None = field(default=None, repr=False)
    facts: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that it predicts from."""
        return self.expansion.inputs if self.expansion else self.features

    @overload
    def predict(self, x: Sequence[float]) -> float: ...
    @overload
    def predict(self, x: Any) -> Any: ...
    def predict(self, x: Any) -> Any:
        """ŷ for each of the rows `x`, shape (n, p) for p `inputs`: an array of shape (n,). For one
        row, p values, it is a float. Dates are dates, their texts as in training, or days. In a
        DataFrame the inputs are found by name.

        Raises
        ------
        GdfitError : an input is missing, or can't be used.
        """
        from gdfit.data.sources.frames import as_rows, is_frame

        if is_frame(x):
            return self.in_file(self.rows_of(x))
        dates = self.dates
        rows = as_rows(x, self.inputs, levels=bool(self.made_of.categories or dates))
        if self.expansion is None and not dates:
            return self.at(rows.tolist() if rows.ndim == 1 else list(rows.T))
        values = self.in_file(self.rows_of(rows))
        return float(values[0]) if rows.ndim == 1 else values

    def predict_interval(
        self, x: Any, level: float = 0.95, *, mean: bool = False
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """ŷ for each of the rows `x`, and the ends of the interval in which a new observation falls
        or in which the `mean` of y lies: see `gdfit.predict_interval`."""
        import gdfit

        return gdfit.predict_interval(self, x, level, mean=mean)

    def rows_of(self, x: Any, *more: tuple[str, Any]) -> FrameFile:
        """The rows `x` as a table with the `inputs`, and `more` columns."""
        import numpy as np

        from gdfit.data.sources.frames import as_rows, columns_of, frame_file, is_frame

        if is_frame(x):
            own = [each for each in columns_of(x) if each[0] not in dict(more)]
            return frame_file(x, [*own, *more], dialect=self.dialect)
        levels = bool(self.made_of.categories or self.dates)
        rows = np.atleast_2d(as_rows(x, self.inputs, levels=levels))
        columns = [*zip(self.inputs, rows.T, strict=True), *more]
        return frame_file(rows, columns, "the array", self.dialect)

    def in_file(
        self, file: FrameFile, at: Callable[[FloatArray], FloatArray] | None = None
    ) -> FloatArray:
        """What `at` makes of each row, by default ŷ; NaN where a value is missing."""
        import numpy as np

        maker = self.maker(file)
        (batch,) = file.batches(file.whole, maker.asked, may_miss=True)
        whole = batch.is_whole
        rows = maker.rows(file, file.whole, batch.where(whole))
        values = (at or self.at_rows)(np.column_stack([rows, np.ones((len(rows), 2))]))
        result = np.full((len(whole), *values.shape[1:]), np.nan)
        result[whole] = values
        return result

    def maker(self, file: DataFile) -> RowMaker:
        """The maker of features of the columns of `file`."""
        from gdfit.data.terms.lookup import find_features
        from gdfit.data.terms.row_maker import RowMaker
        from gdfit.data.text.spellings import dated

        place_of = find_features(file.layout, file.name, self.inputs)
        for column in set(dated(self.spellings)) & place_of.keys() if file.layout.is_text else ():
            held = file.layout.held[place_of[column]]
            if held.numbers and not held.is_dated:
                what = "holds numbers, and held dates in training: a date is what is predicted from"
                raise GdfitError(what, file=file.name, column=column)
        return RowMaker(self.made_of, place_of)

    def rows_at_inputs(self, x: Sequence[float | str]) -> FloatArray:
        """The row of a value for each of the `inputs`, as an `Expansion` has it."""
        from gdfit.data.terms.row_maker import rows_at

        return rows_at(self.made_of, x)

    def at_inputs(self, x: Sequence[float | str]) -> float:
        """ŷ at `x`, a value for each of the `inputs`, a number or a level: the same to the last bit
        as that of the same row among others.

        Raises
        ------
        GdfitError : a term has no value there, or it is a level that training has not seen.
        """
        if self.expansion is None:
            return float(self.at(cast("Sequence[float]", x)))
        return float(self.at_rows(self.rows_at_inputs(x))[0])

    def at_rows(self, rows: FloatArray) -> FloatArray:
        """ŷ of rows of numbers and levels' codes, as an `Expansion` has them."""
        return cast("FloatArray", self.mean(self.predictor_at_rows(rows)))

    def predictor_at_rows(self, rows: FloatArray) -> FloatArray:
        """z of such rows."""
        return cast("FloatArray", self.predictor(list(self.features_at_rows(rows).T)))

    def features_at_rows(self, rows: FloatArray) -> FloatArray:
        """The features of such rows, shape (n, p)."""
        return self.expansion.expand(rows)[:, :-2] if self.expansion else rows[:, : len(self.w)]

    @property
    def intercept(self) -> bool:
        """True where there is a b."""
        return self.facts.get("intercept") is not False

    @property
    def weights_name(self) -> str | None:
        """The column of the weights that it was trained with, if a column held them."""
        name = self.facts.get("weights")
        return name if isinstance(name, str) else None

    @property
    def classes(self) -> Classes | None:
        """Which values of the target are y = 0 and y = 1, where it has classes."""
        if "classes" not in self.facts:
            return None
        from gdfit.data.terms.levels import classes_of

        return classes_of(self.facts["classes"])

    @property
    def answer(self) -> str:
        """What ŷ is: the target, or the probability of a class."""
        from gdfit.data.terms.levels import answer

        return answer(self.target, self.classes)

    @property
    def spellings(self) -> tuple[tuple[str, Spelling], ...]:
        """How the columns were written in training whose numbers have a spelling of their own."""
        from gdfit.data.text.spellings import spelling_of

        found = self.facts.get("spellings")
        records = found.items() if isinstance(found, Mapping) else ()
        known = ((str(column), spelling_of(record)) for column, record in records)
        return tuple((column, spelling) for column, spelling in known if spelling)

    @property
    def dates(self) -> tuple[str, ...]:
        """The inputs that are dates; those that say a group are texts, as they are written."""
        from gdfit.data.text.spellings import dated

        texts = self.made_of.texts
        found = dated(self.spellings)
        return tuple(name for name in found if name in self.inputs and name not in texts)

    @property
    def dialect(self) -> Dialect:
        """How the data of training were written, as far as that holds for others."""
        from gdfit.data.text.dialect import DATES, Dialect

        orders = (spelling.record.get("dates") for _, spelling in self.spellings)
        dates = next((order for order in orders if order in DATES), None)
        kept = Dialect().with_kept(self.facts.get("dialect"))
        return replace(kept, known=self.spellings, dates=kept.dates or dates)

    @property
    def made_of(self) -> Expansion:
        """The expansion of columns to its features, if only by taking them as they stand."""
        from gdfit.data.terms.expansion import identity_expansion

        return self.expansion or identity_expansion(self.features)

    def at(self, x: Sequence[Number]) -> Number:
        """ŷ where the features have the values `x`, floats or arrays."""
        return cast(Number, self.mean(self.predictor(x)))

    def predictor(self, x: Sequence[Number]) -> Number:
        """The linear predictor z = w·x + b there, which ŷ is where there is no link."""
        total: Any = 0.0
        for weight, value in zip(self.w, x, strict=True):
            total = total + weight * value
        return cast(Number, total + self.b)

    def classify(self, x: Any, threshold: float = 0.5) -> Any:
        """The class of each of the rows `x`, by its name: the positive one where its probability is
        at least the `threshold`. For one row, it is a text.

        Raises
        ------
        GdfitError : the model has no classes, or see `predict`.
        """
        classes = self.classes
        if classes is None:
            raise GdfitError("the model has no classes: it was not trained with the logistic loss")
        from gdfit.data.terms.levels import check_probability

        check_probability(threshold)
        predicted = self.predict(x)
        if isinstance(predicted, float):
            return classes.names[int(predicted >= threshold)]
        return [classes.names[value >= threshold] for value in predicted.tolist()]

    @cached_property
    def mean(self) -> Callable[[Any], Any]:
        """From the linear predictor z = w·x + b to ŷ."""
        if "link" not in self.facts:  # as of most, which need no NumPy
            return unchanged
        return self.link.mean

    @property
    def link(self) -> Link:
        """What z stands for."""
        from gdfit.model.links import LINKS

        return LINKS[str(self.facts.get("link", "identity"))]

    @property
    def params(self) -> tuple[float, ...]:
        """θ = (w₁…w_p, b)."""
        return (*self.w, self.b)

    @property
    def record(self) -> dict[str, object]:
        """The contents of its file, key by key."""
        own = {"w": [*self.w], "b": self.b, "features": [*self.features], "target": self.target}
        facts = {name: without_secrets(fact) for name, fact in self.facts.items()}
        return {**own, **(self.expansion.record if self.expansion else {}), **facts}

    def save(self, path: str | Path, *, diverged: bool = False, **more: object) -> None:
        """Write the model, and `more` facts, to the JSON file at `path`: whole or not at all.

        diverged : whether to write one whose run has diverged all the same.

        Raises
        ------
        GdfitError : its run has diverged, or the file can't be written.
        """
        if self.facts.get("status") == "diverged" and not diverged:
            what = "is not written: the run has diverged, and the model predicts nothing"
            raise GdfitError(f"{what}; `diverged` True writes it all the same", file=str(path))
        with open_beside(Path(path)) as file:
            file.write(to_json({**self.record, **more}) + "\n")


def as_model(given: LinearModel | Fitted) -> LinearModel:
    """The model that is `given`, or that of a fit.

    Raises
    ------
    UsageError : it is neither.
    """
    model = getattr(given, "model", given)
    if not isinstance(model, LinearModel):
        raise UsageError(f"a model or a fit is wanted here, not {a_kind(given)}")
    return model


def unchanged(z: Any) -> Any:
    """z, where there is no link."""
    return z


def newer_version(facts: Mapping[str, object]) -> str:
    """The version of gdfit that wrote a model's `facts`, if it is newer than this one."""

    def numbers(version: str) -> list[int]:
        return [*map(int, re.findall(r"\d{1,9}", version))]

    version = str(facts.get("version", ""))[:MOST_OF_VERSION]
    return printable(version) if numbers(version) > numbers(__version__) else ""


# A URL's scheme, who asks, where, and what is asked of it.
URL = r"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#'\"]*@)?([^\s?#'\"]*)([?#][^\s'\"]*)?"


def without_secrets(fact: object) -> object:
    """A fact as others may read it: texts, and lists of them, with their URLs without names,
    passwords and queries, which can be keys."""
    if isinstance(fact, list):
        return [without_secrets(item) for item in fact]
    if not isinstance(fact, str) or "://" not in fact:
        return fact
    return re.sub(URL, lambda url: url[1] + url[2] + ("?…" if url[3] else ""), fact)


def to_json(record: Mapping[str, object]) -> str:
    """`record` as a JSON object, a line for each key: numbers in full, null where not finite."""
    lines = [f"  {json.dumps(key)}: {json_of(record[key])}" for key in record]
    return "{\n" + ",\n".join(lines) + "\n}"


def json_of(value: Any) -> str:
    """`value` as JSON on one line, null for every number in it that is not finite."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:  # few have such a number, and to look for it takes as long as to write
        return json.dumps(finite(value))


def finite(value: Any) -> Any:
    """`value` with None for every number in it that is not finite, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
