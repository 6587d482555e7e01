"""The commands that train nothing: gradcheck, graph and curvature look at DATA; predict, evaluate,
summary and export use the last trained model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import gdfit
from gdfit.cli import options
from gdfit.cli.groups import Typed
from gdfit.cli.parsers import parse_numbers, takes
from gdfit.cli.process import fail, note, write_bytes
from gdfit.cli.reading import note_columns, note_version, read, read_inputs, reading
from gdfit.data.text.dialect import Selection
from gdfit.errors import GdfitError, UsageError

if TYPE_CHECKING:
    from gdfit.model.linear import LinearModel


def gradcheck(
    typed: Typed,
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    settings: options.GradcheckOptions,
    init: options.InitOption = "zeros",
    tolerance: options.ToleranceOption = 1e-6,
) -> None:
    """Check the gradient: by hand, by autograd and by central differences."""
    from gdfit.analysis.gradcheck import check_gradient
    from gdfit.descent.start import parse_init, start_of
    from gdfit.show.tables import analyses

    if not tolerance >= 0:
        raise UsageError(f"`tolerance` takes a number that is not negative, not {tolerance:g}")
    options.check_settings(typed, settings, validated=False)
    start = parse_init(init)
    observations = read(data, columns, dialect, keep_rows=settings.needs_rows)
    params = start_of(start, observations, settings).params
    check = check_gradient(observations, params, settings)
    analyses.print_gradients(check, observations.features)
    if check.difference <= tolerance:
        return
    kink = " (|ŷ − y| has none where ŷ = y)" if settings.loss == "mae" else ""
    told = f"the gradients differ by {check.difference:.2g}, more than the tolerance {tolerance:g}"
    fail(told + kink, status=1)


def graph(
    typed: Typed,
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    settings: options.GraphOptions,
    init: options.InitOption = "zeros",
    output: options.GraphFormatOption = "tree",
) -> None:
    """Show autograd's computational graph of the loss."""
    from gdfit.analysis.graph import loss_graph, to_dot
    from gdfit.descent.losses import loss_of
    from gdfit.descent.start import parse_init, start_of
    from gdfit.show.tables import analyses

    options.check_settings(typed, settings, validated=False)
    start = parse_init(init)
    observations = read(data, columns, dialect, keep_rows=True)
    params = start_of(start, observations, settings).params
    root = loss_graph(observations, params, loss_of(settings))
    if output == "dot":
        print(to_dot(root))
    else:
        analyses.print_graph(root)


def curvature(
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    dask: options.DaskOption = None,
    output: options.FormatOption = "table",
) -> None:
    """Show which learning rates are stable on DATA, and how fast they are."""
    from gdfit.descent.curvature import curvature_of
    from gdfit.descent.scaling import scaled, scaling_of
    from gdfit.show.tables import analyses

    with reading(data, columns, dialect, dask=dask) as dataset:
        observations = dataset.observations()
    note_columns(observations)
    given = curvature_of(observations)
    standardized = curvature_of(scaled(observations, scaling_of(observations, "standardize")))
    if not math.isfinite(given.lambda_max):
        raise GdfitError("the numbers are too large for float64: λmax is infinite", file=data[0])
    analyses.show_curvature(given, standardized, output)


def trained_model(path: Path) -> LinearModel:
    """The model in the file at `path`, with a note where a newer gdfit wrote it, and where its run
    did not come to an end."""
    model = gdfit.load_model(path)
    note_version(path, model)
    status, epochs = (model.facts.get(name) for name in ("status", "epochs"))
    if status in ("interrupted", "diverged"):
        how = "was interrupted" if status == "interrupted" else "diverged"
        note(f"{path} is the model of a run that {how}, after {epochs} epochs")
    return model


def predict(
    dialect: options.RowsDialectOptions,
    data: options.RowsArgument = None,
    x: options.XOption = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
) -> None:
    """Predict with the last trained model: at --x, or for each row of DATA."""
    if bool(data) == bool(x):
        raise UsageError("predict takes `x` or DATA" + (", not both" if x else ""))
    if data and not Path(data[0]).exists() and takes(parse_numbers, data[0]):
        raise UsageError(f"there is no file {data[0]}; to predict at a number, type `x` {data[0]}")
    if not data:
        trained = trained_model(model)
        for values in read_inputs(x or (), trained):
            print(trained.at_inputs(values))
        return

    from gdfit.model.prediction import predict_rows

    told = "no prediction for {} with a missing field"
    with reading(data, Selection(), dialect, told, form="csv") as dataset:
        predict_rows(trained_model(model), dataset, write_bytes)


def evaluate(
    data: options.DataArgument,
    dialect: options.DialectOptions,
    target: options.TargetOption = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
    dask: options.DaskOption = None,
    output: options.FormatOption = "table",
) -> None:
    """Measure the errors of the last trained model on DATA."""
    from gdfit.model.evaluation import evaluate_rows

    with reading(data, Selection(target=target), dialect, dask=dask, form=output) as dataset:
        evaluation = evaluate_rows(trained_model(model), dataset)

    from gdfit.show.tables import analyses

    analyses.show_evaluation(evaluation, output)


def summary(
    data: options.DataArgument,
    dialect: options.DialectOptions,
    target: options.TargetOption = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
    dask: options.DaskOption = None,
    level: options.LevelOption = 0.95,
    output: options.SummaryFormatOption = "table",
) -> None:
    """Show least squares on DATA beside the last trained model: standard errors, t, p, R², F."""
    from gdfit.analysis.inference import check_level
    from gdfit.model.evaluation import observe
    from gdfit.show.tables.analyses import remark_on, show_summary

    check_level(level)
    trained = trained_model(model)
    with reading(data, Selection(target=target), dialect, dask=dask, form=output) as dataset:
        observations = observe(trained, dataset)
    remark = remark_on(trained.facts)
    if remark and output != "table":
        note(f"the model is {remark}")
    show_summary(gdfit.summarize(observations, trained, level), output, remark)


def export(
    language: options.LanguageOption,
    model: options.ModelOption = options.DEFAULT_MODEL,
    output: options.OutputOption = None,
) -> None:
    """Write the last trained model as what other programs run."""
    from gdfit.model import export as exports
    from gdfit.system import check_outputs

    if language == "torch" and output is None:
        raise UsageError("`format` torch is no text: name a file with `output`")
    check_outputs([output], inputs=[str(model)])
    trained = trained_model(model)
    text = exports.export(trained, language, output)
    if output is None:
        print(text, end="", flush=True)
    for remark in exports.notes_on(trained, language, text):
        note(remark)
