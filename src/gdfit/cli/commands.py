"""The commands that train nothing: gradcheck, graph and curvature look at DATA; predict, evaluate,
summary and export use the last trained model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import gdfit
from gdfit.cli import options
from gdfit.cli.groups import OF_A_MODEL, Typed, check_settings, for_losses, option, panel
from gdfit.cli.parsers import command_line, parse_number, parse_numbers, parse_several, takes
from gdfit.cli.process import fail, note, write_bytes
from gdfit.cli.reading import check_files, note_columns, note_version, read, read_inputs, reading
from gdfit.data.text.dialect import Selection
from gdfit.descent.settings import Settings
from gdfit.errors import GdfitError, UsageError, listing, printable

if TYPE_CHECKING:
    from gdfit.model.intervals import Further
    from gdfit.model.linear import LinearModel


def gradcheck(
    typed: Typed,
    data: options.DataArgument,
    columns: options.ColumnOptions,
    dialect: options.DialectOptions,
    settings: options.GradcheckOptions,
    init: options.InitOption = "zeros",
    tolerance: options.ToleranceOption = 1e-6,
    output: options.FormatOption = "table",
) -> None:
    """Check the gradient: by hand, by autograd and by central differences.

    Examples
    --------
    gdfit gradcheck lecture.csv
    gdfit gradcheck lecture.csv --loss huber --init 0.5,0.1
    """
    from gdfit.analysis.autograd import check_gradient
    from gdfit.descent.start import parse_init, start_of
    from gdfit.show.tables import analyses

    if not tolerance >= 0:
        raise UsageError(f"`tolerance` takes a number that is not negative, not {tolerance:g}")
    check_settings(typed, settings, validated=False)
    columns = for_losses(columns, typed, settings)
    start = parse_init(init)
    observations = read(data, columns, dialect, keep_rows=settings.needs_rows)
    params = start_of(start, observations, settings).params
    check = check_gradient(observations, params, settings)
    analyses.show_gradients(check, observations.features, output)
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
    """Show autograd's computational graph of the loss.

    Examples
    --------
    gdfit graph lecture.csv
    gdfit graph lecture.csv --format dot > graph.dot
    """
    from gdfit.analysis.autograd import loss_graph, to_dot
    from gdfit.descent.losses import loss_of
    from gdfit.descent.start import parse_init, start_of
    from gdfit.show.tables import analyses

    check_settings(typed, settings, validated=False)
    columns = for_losses(columns, typed, settings)
    start = parse_init(init)
    observations = read(data, columns, dialect, keep_rows=True)
    params = start_of(start, observations, settings).params
    root = loss_graph(observations, params, loss_of(settings))
    if output == "dot":
        print(to_dot(root))
    else:
        analyses.print_graph(root)


@dataclass(frozen=True, eq=False)
class Plane:
    """The picture of learning rates and momenta, and the runs on it."""

    lr: tuple[float, ...] | None = None
    momentum: tuple[float, ...] | None = None
    plot: Path | None = None


SEVERAL: dict[str, Any] = {"metavar": "FLOAT,…", "read": parse_several(parse_number)}
PLANE = panel(
    "Learning rate and momentum",
    lr=option("Runs to show on the plot, on x as it is.", **SEVERAL),
    momentum=option("Their μ, which the limits are at.", show_default="0.9", **SEVERAL),
    plot=option("Draw how fast each γ and μ are to this file.", metavar="FILE.png|.svg|.pdf"),
)


def curvature(
    typed: Typed,
    data: options.DataArgument,
    columns: options.NumberOptions,
    dialect: options.DialectOptions,
    runs: Annotated[Plane, PLANE],
    dask: options.DaskOption = None,
    output: options.FormatOption = "table",
) -> None:
    """Show which learning rates are stable on DATA, and how fast they are.

    Examples
    --------
    gdfit curvature lecture.csv
    gdfit curvature houses.csv --format json
    gdfit curvature lecture.csv --plot plane.png --lr 0.1,0.4 --momentum 0,0.5
    """
    from gdfit.descent.curvature import curvature_of
    from gdfit.descent.scaling import scaled, standardizing
    from gdfit.show.tables import analyses

    rates, momenta = runs.lr or (), runs.momentum or (Settings().momentum,)
    for each in (*(Settings(lr=lr) for lr in rates), *(Settings(momentum=mu) for mu in momenta)):
        each.check(validated=False)
    typed.refuse("lr", "names runs in `plot`", unless=runs.plot is not None)
    check_files(data, None, (), options.Files(no_model=True, plot=runs.plot))
    if len(momenta) > 1 and not runs.plot:
        raise UsageError("`momentum` takes one number here, and several with `plot`")
    with reading(data, columns, dialect, dask=dask) as dataset:
        observations = dataset.observations()
    note_columns(observations)
    given = curvature_of(observations)
    standardized = curvature_of(scaled(observations, standardizing(observations)))
    if not math.isfinite(given.lambda_max):
        raise GdfitError("the numbers are too large for float64: λmax is infinite", file=data[0])
    if runs.plot:
        from gdfit.show.pictures.figure import save_figure
        from gdfit.show.profiles import draw_planes

        shown = [(lr, mu) for lr in rates for mu in momenta]
        save_figure(lambda: draw_planes(given, standardized, shown), runs.plot)
    analyses.show_curvature(given, standardized, output, momenta)


def condense(
    data: options.DataArgument,
    columns: options.NumberOptions,
    dialect: options.DialectOptions,
    output: options.CondensedOption,
    cv: options.CvOption = None,
    rows: options.RowsOption = True,
    seed: options.SeedOption = 0,
    dask: options.DaskOption = None,
) -> None:
    """Condense DATA to the few rows that fit and summarize as all of them do.

    Examples
    --------
    gdfit condense houses.csv --output houses.json
    gdfit condense houses.csv --cv 5 --output houses.json
    """
    from gdfit.data.batch import FEW_BYTES
    from gdfit.descent.cross_validation import check_folds
    from gdfit.system import check_ending, check_outputs

    check_ending(output, "output", ".json")
    check_outputs([output], data)
    if cv is not None:
        check_folds(cv)
    with reading(data, columns, dialect, dask=dask) as dataset:
        dataset = replace(dataset, keep_most=FEW_BYTES)
        whole, folds = (
            dataset.folded(cv, seed, whole="apart") if cv else (dataset.observations(seed), [])
        )
    note_columns(whole)
    gdfit.write_condensed(whole, output, folds, rows=rows)


def trained_model(path: Path) -> LinearModel:
    """The model in the file at `path`, with a note where a newer gdfit wrote it, and where its run
    did not come to an end."""
    model = gdfit.load_model(path)
    note_version(path, model)
    status, epochs = (model.facts.get(name) for name in ("status", "epochs"))
    if how := {"interrupted": "was interrupted", "diverged": "diverged"}.get(str(status)):
        note(f"{path} is the model of a run that {how}, after {epochs} epochs")
    return model


@contextmanager
def trained(path: Path, typed: Typed) -> Iterator[LinearModel]:
    """The `trained_model`. An error about a column that it needs says, too, what it was trained on,
    and what trains on this command's data."""
    from gdfit.data.terms.lookup import MissingColumnError

    model = trained_model(path)
    try:
        yield model
    except MissingColumnError as error:
        if "target" in error.changes:  # which was typed
            raise
        what, files = f"{error}; ", model.facts.get("files")
        if isinstance(files, list) and files:
            what += f"{printable(str(path))} was trained on {listing(tuple(map(str, files)))}; "
        _, *words = typed.changed(dict.fromkeys(OF_A_MODEL, ""))
        raise GdfitError(f"{what}to train on this: {command_line(['train', *words])}") from None


ResidualsOption = Annotated[bool, option("Also residual, leverage, Cook's distance of each row.")]


def predict(
    typed: Typed,
    dialect: options.RowsDialectOptions,
    data: options.RowsArgument = None,
    x: options.XOption = None,
    classes: options.ClassesOption = False,
    threshold: options.ThresholdOption = 0.5,
    interval: options.IntervalOption = None,
    confidence: options.ConfidenceOption = None,
    residuals: ResidualsOption = False,
    model: options.ModelOption = options.DEFAULT_MODEL,
) -> None:
    """Predict with the last trained model: at --x, or for each row of DATA.

    Examples
    --------
    gdfit predict --x 2.8
    gdfit predict lecture.csv --interval 0.95 --residuals > predicted.csv
    tail -f log.csv | gdfit predict -
    """
    if bool(data) == bool(x):
        raise UsageError("predict takes `x` or DATA" + (", not both" if x else ""))
    if data and not Path(data[0]).exists() and takes(parse_numbers, data[0]):
        raise UsageError(f"there is no file {data[0]}; to predict at a number, type `x` {data[0]}")
    typed.refuse("threshold", "is for `classes`", unless=classes)
    wanted = residuals or interval is not None or confidence is not None
    typed.refuse("classes", "does not go with intervals and `residuals`", unless=not wanted)
    typed.refuse("residuals", "is for DATA, which has the observed values", unless=bool(data))

    def further_of(known: LinearModel) -> Further | None:
        check_threshold(known, threshold, wanted=classes)
        if not wanted:
            return None
        from gdfit.model.intervals import Further, was_trained_on

        trained_on = was_trained_on(known, data or ())
        further = Further(known, interval, confidence, residuals, trained_on)
        for remark in further.remarks:
            note(remark)
        return further

    if not data:
        at_once = trained_model(model)
        further = further_of(at_once)
        for values in read_inputs(x or (), at_once):
            predicted = at_once.at_inputs(values)
            if classes and at_once.classes:
                print(at_once.classes.names[predicted >= threshold])
            elif further:
                print(predicted, *further.at_rows(at_once.rows_at_inputs(values))[0].tolist())
            else:
                print(predicted)
        return

    from gdfit.model.prediction import predict_rows

    read_data = reading(data, Selection(), dialect, form="csv")
    with trained(model, typed) as known, read_data as dataset:
        least, further = threshold if classes else None, further_of(known)
        predict_rows(known, dataset, write_bytes, least, further)


def check_threshold(model: LinearModel, threshold: float, *, wanted: bool) -> None:
    """Raise where classes are `wanted` of a model that has none, or at no probability."""
    if wanted and not model.classes:
        what = f"the model predicts {printable(model.target)}, a number, and no class"
        raise UsageError(f"{what}; `loss` logistic trains one that does")
    if model.classes:
        from gdfit.data.terms.levels import check_probability

        check_probability(threshold)


def evaluate(
    typed: Typed,
    data: options.DataArgument,
    dialect: options.DialectOptions,
    target: options.TargetOption = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
    threshold: options.ThresholdOption = 0.5,
    dask: options.DaskOption = None,
    output: options.RowsFormatOption = "table",
) -> None:
    """Measure the errors of the last trained model on DATA.

    Examples
    --------
    gdfit evaluate lecture.csv
    gdfit evaluate lecture.csv --model gdfit.json --format json
    """
    from gdfit.model.evaluation import evaluate_rows

    read_data = reading(data, Selection(target=target), dialect, dask=dask, form=output)
    with trained(model, typed) as known, read_data as dataset:
        typed.refuse("threshold", "is for a model of two classes", unless=known.classes is not None)
        check_threshold(known, threshold, wanted=False)
        evaluation = evaluate_rows(known, dataset, threshold)

    from gdfit.show.tables import analyses

    analyses.show_evaluation(evaluation, known, output)


RefineOption = Annotated[bool, option("Least squares to the last digit, however many rows.")]


def summary(
    typed: Typed,
    data: options.DataArgument,
    dialect: options.DialectOptions,
    target: options.TargetOption = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
    dask: options.DaskOption = None,
    level: options.LevelOption = 0.95,
    robust: options.RobustOption = None,
    cluster: options.ClusterOption = None,
    against: options.AgainstOption = None,
    refine: RefineOption = False,
    output: options.RowsFormatOption = "table",
) -> None:
    """Show least squares on DATA beside the last trained model: standard errors, t, p, R², F.

    Examples
    --------
    gdfit summary lecture.csv
    gdfit summary lecture.csv --level 0.99 --format csv
    gdfit summary lecture.csv --robust hc3
    """
    from gdfit.analysis.inference import SummariesOfGroups
    from gdfit.data.batch import FEW_BYTES
    from gdfit.data.observations import GroupedObservations
    from gdfit.model.evaluation import observe
    from gdfit.model.family import GroupedModel
    from gdfit.show.tables.summaries import remark_on, show_summaries, show_summary

    read_data = reading(data, Selection(target=target), dialect, dask=dask, form=output)
    with trained(model, typed) as known, read_data as dataset:
        if robust and cluster:
            raise UsageError("`robust` does not go with `cluster`, which is robust, too")
        if known.classes and (robust or cluster or against):
            what = "`robust`, `cluster` and `against` are of least squares"
            raise UsageError(f"{what}, and the model is of two classes")
        if isinstance(known, GroupedModel) and (robust or cluster or against):
            what = "`robust`, `cluster` and `against` are of one model"
            raise UsageError(f"{what}, and there is one for each group")
        smaller = trained_model(against) if against else None
        few = math.inf if refine else FEW_BYTES
        observations, scatter = observe(known, dataset, keep=0 if dask else few), None
        if robust or cluster:
            from gdfit.analysis.scatter import read_scatter

            scatter = read_scatter(known, dataset, observations, robust or "cluster", cluster)
    remark = remark_on(known.facts)
    if remark and output in ("json", "csv"):
        note(f"the model is {remark}")
    if isinstance(observations, GroupedObservations) and isinstance(known, GroupedModel):
        found = SummariesOfGroups(observations, known, level)
        show_summaries(observations.column, found, output, remark)
        if found.apart:
            note(found.remark)
        return
    summary = gdfit.summarize(
        observations, known, level, robust=scatter, against=smaller, refine=refine
    )
    show_summary(summary, output, remark)


def export(
    language: options.LanguageOption,
    model: options.ModelOption = options.DEFAULT_MODEL,
    output: options.OutputOption = None,
) -> None:
    """Write the last trained model as what other programs run.

    Examples
    --------
    gdfit export --format sql
    gdfit export --format torch --output model.pt
    """
    from gdfit.model import export as exports
    from gdfit.system import check_outputs

    if language == "torch" and output is None:
        raise UsageError("`format` torch is no text: name a file with `output`")
    check_outputs([output], inputs=[str(model)])
    known = trained_model(model)
    text = exports.export(known, language, output)
    if output is None:
        print(text, end="", flush=True)
    for remark in exports.notes_on(known, language, text):
        note(remark)


def page(output: options.PageOption = Path("gdfit.html")) -> None:
    """Write a page that takes a file in any browser and descends on it there, without Python.

    Examples
    --------
    gdfit page
    gdfit page --output own.html
    """
    from gdfit.show.page import save_empty_page

    save_empty_page(output)
