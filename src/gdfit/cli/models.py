"""The commands that use the last trained model: predict, evaluate, summary, export."""

from __future__ import annotations

from pathlib import Path

import gdfit
from gdfit.cli import options
from gdfit.cli.parsers import parse_numbers, takes
from gdfit.cli.process import note, write_bytes
from gdfit.cli.reading import read_inputs, reading
from gdfit.data.text.dialect import Selection
from gdfit.errors import UsageError


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
        trained = gdfit.load_model(model)
        for values in read_inputs(x or (), trained):
            print(trained.at_inputs(values))
        return

    from gdfit.model.prediction import predict_rows

    told = "no prediction for {} with a missing field"
    with reading(data, Selection(), dialect, told) as dataset:
        predict_rows(gdfit.load_model(model), dataset, write_bytes)


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
    from gdfit.model.linear import to_json

    with reading(data, Selection(target=target), dialect, dask=dask) as dataset:
        evaluation = evaluate_rows(gdfit.load_model(model), dataset)

    from gdfit.show.tables import analyses

    if output == "json":
        print(to_json(vars(evaluation)))
    else:
        analyses.print_evaluation(evaluation)


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
    trained = gdfit.load_model(model)
    with reading(data, Selection(target=target), dialect, dask=dask) as dataset:
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
    trained = gdfit.load_model(model)
    text = exports.export(trained, language, output)
    if output is None:
        print(text, end="", flush=True)
    remark = exports.remark(trained, language, text)
    if remark:
        note(remark)
