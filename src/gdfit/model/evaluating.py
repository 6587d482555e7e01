"""How well a model predicts what a Python program has: a DataFrame, or files."""

from __future__ import annotations

from typing import Any

from gdfit.data.dataset import Dataset
from gdfit.data.dialect import Dialect
from gdfit.data.frame_file import frame_file
from gdfit.data.levels import Levels
from gdfit.data.selection import Selection, several
from gdfit.data.tables import is_frame
from gdfit.errors import NoObservationsError
from gdfit.model import evaluation
from gdfit.model.evaluation import Evaluation, Observed
from gdfit.model.linear import LinearModel


def evaluate(
    model: LinearModel,
    data: Any,
    target: str | None = None,
    *,
    dialect: Dialect | None = None,
    drop_missing: bool = False,
) -> Evaluation:
    """How far a model's predictions are from what is observed.

    Parameters
    ----------
    model : any linear model.
    data : a DataFrame, or the path of a data file, or several; columns are found by name.
    target : the column with the observed values, or a term; by default the model's target.
    dialect : how the files are written.
    drop_missing : skip rows of a DataFrame with a missing value, which are an error otherwise. Of
        files, the dialect says so.

    Raises
    ------
    GdfitError : a column is missing, or can't be used.

    Examples
    --------
    >>> import gdfit, pandas
    >>> model = gdfit.LinearModel((2.0,), 1.0, ("x",), "y")
    >>> gdfit.evaluate(model, pandas.DataFrame({"x": [1, 2, 3], "y": [3, 5, 8]})).mae
    0.3333333333333333
    """
    if not is_frame(data):
        dataset = Dataset(several(data), Selection(target=target), dialect or Dialect())
        return evaluation.evaluate_rows(model, dataset)
    file = frame_file(data, drop_missing=drop_missing)
    blocks = Observed(model, target).blocks(file, Levels(model.made_of))
    try:
        return evaluation.evaluate(model, blocks)
    except NoObservationsError:
        raise NoObservationsError(file=file.name) from None
