"""The commands that look at DATA without fitting: gradcheck, graph, curvature."""

from __future__ import annotations

import math

from gdfit.cli import options
from gdfit.cli.groups import Typed
from gdfit.cli.process import fail
from gdfit.cli.reading import read
from gdfit.errors import GdfitError, UsageError


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
    if not check.difference <= tolerance:
        kink = " (|ŷ − y| has none where ŷ = y)" if settings.loss == "mae" else ""
        fail(
            f"the gradients differ by {check.difference:.2g}, more than the tolerance "
            f"{tolerance:g}{kink}",
            status=1,
        )


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
    from gdfit.model.linear import to_json
    from gdfit.show.tables import analyses

    observations = read(data, columns, dialect, dask=dask)
    given = curvature_of(observations)
    standardized = curvature_of(scaled(observations, scaling_of(observations, "standardize")))
    if not math.isfinite(given.lambda_max):
        raise GdfitError("the numbers are too large for float64: λmax is infinite", file=data[0])
    if output == "json":
        print(to_json(analyses.curvature_record(given, standardized)))
    else:
        analyses.print_curvature(given, standardized)
