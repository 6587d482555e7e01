"""gdfit check and gdfit make: coursework, and data for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gdfit.cli import options
from gdfit.cli.groups import Typed, check_settings, option, with_option_name
from gdfit.cli.parsers import parse_numbers, parse_positive, parse_whole
from gdfit.cli.reading import read
from gdfit.data.text.dialect import Selection
from gdfit.descent.settings import Settings
from gdfit.errors import UsageError, printable

Checking = Annotated[Settings, {name: options.DESCENT[name] for name in ("lr", "scale", "epochs")}]
CheckedColumns = Annotated[
    Selection, {name: options.COLUMNS[name] for name in ("features", "target", "exclude")}
]


def check(
    typed: Typed,
    submissions: Annotated[
        list[str],
        typer.Argument(
            metavar="SUBMISSION...",
            help="A .py file with the lecture's functions, or a .csv file of epochs.",
            show_default=False,
        ),
    ],
    columns: CheckedColumns,
    dialect: options.DialectOptions,
    settings: Checking,
    data: Annotated[str, option("The observations.", "--data", metavar="DATA", show_default=False)],
    init: Annotated[
        str | None,
        option("Where the params start.", metavar="zeros|random|W,…,B", show_default=False),
    ] = None,
    tolerance: Annotated[float, option("By which part numbers may differ.")] = 1e-4,
    timeout: Annotated[float, option("Seconds that each submission may take.")] = 10.0,
    output: Annotated[Literal["table", "json"], options.FORMAT] = "table",
) -> None:
    """Check coursework: the lecture's functions, or a file of epochs, against gradient descent.

    Examples
    --------
    gdfit check ana.py --data lecture.csv
    gdfit check epochs.csv --data lecture.csv --lr 0.01 --init 0.39779,0.231765
    """
    from gdfit.analysis.coursework import Marker
    from gdfit.descent.start import parse_init
    from gdfit.show.tables.analyses import show_marks

    check_settings(typed, settings, validated=False)
    for name, value in (("tolerance", tolerance), ("timeout", timeout)):
        if not 0 < value < float("inf"):
            raise UsageError(f"`{name}` takes a positive number, not {value:g}")
    paths = [Path(each) for each in submissions]
    for path in paths:
        if path.suffix.lower() not in (".py", ".csv"):
            what = "is neither a .py file of functions nor a .csv file of epochs"
            raise UsageError(f"{printable(str(path))} {what}")
    observations = read([data], columns, dialect, keep_rows=True)
    marker = Marker(
        observations,
        settings,
        epochs=settings.epochs if "epochs" in typed.given else None,
        init=None if init is None else parse_init(init),
        tolerance=tolerance,
        timeout=timeout,
        files=(data,),
    )
    marks = [*marker.marked(paths)] if output == "json" else marker.marked(paths)
    if not show_marks(marks, output):
        raise typer.Exit(1)


def make(
    seed: options.SeedOption = 0,
    rows: Annotated[int, option("How many.", metavar="N", read=parse_positive)] = 25,
    features: Annotated[int, option("How many.", metavar="N", read=parse_positive)] = 1,
    w: Annotated[
        str | None, option("The slope; of several features, each one's.", metavar="W[,W…]")
    ] = None,
    b: Annotated[float | None, option("The intercept.")] = None,
    noise: Annotated[float | None, option("Its standard deviation.")] = None,
    outliers: Annotated[int, option("How many.", metavar="N", read=parse_whole)] = 0,
    classes: Annotated[bool, option("y is 0 or 1.")] = False,
    solution: Annotated[bool, option("Print what train should give, and not the data.")] = False,
) -> None:
    """Make data as the lecture's, each seed its own: x,y on standard output.

    Examples
    --------
    gdfit make --seed 17 > 17.csv
    gdfit make --seed 17 --solution
    """
    from gdfit.analysis.handouts import Handout
    from gdfit.show.tables.analyses import show_solution

    if noise is not None and not 0 <= noise < float("inf"):
        raise UsageError(f"`noise` takes a finite number that is not negative, not {noise:g}")
    if b is not None and not abs(b) < float("inf"):
        raise UsageError(f"`b` takes a finite number, not {b:g}")
    weights = None if w is None else with_option_name("w", parse_numbers)(w)
    handout = Handout(seed, rows, features, weights, b, noise, outliers, classes)
    if solution:
        show_solution(handout)
    else:
        print(handout.text, end="")
