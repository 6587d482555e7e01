"""The linear regressions of NIST's Statistical Reference Datasets, with their certified values.

The data and the values are NIST's, and in the public domain (Statistical Reference Datasets, NIST,
1997). The 15 digits of the values were computed there with 500.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "strd"
SAMPLES = Path(__file__).parent.parent / "sample_data"
NOISE = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048]  # and backwards
WAMPLER_STD_ERRORS = [
    (1, 2363.55173469681),
    (1, 779.343524331583),
    (1, 101.475507550350),
    (1, 5.64566512170752),
    (1, 0.112324854679312),
    (1, 2152.32624678170),
]


@dataclass(frozen=True)
class Problem:
    """A data set and what NIST certifies.

    x, y : the data, exactly, shapes (N, p) and (N,).
    params : each param with its standard error: w₁…w_p, then b if there is an intercept.
    digits : how many must be right in the params, and in all else, without refinement.
    is_polynomial : whether the features are the powers of the first.
    """

    x: list[list[Fraction]]
    y: list[Fraction]
    params: list[tuple[float, float]]
    residual_std_error: float
    r_squared: float
    f: float | None
    digits: tuple[float, float]
    intercept: bool = True
    is_polynomial: bool = False


def read(name: str) -> tuple[list[list[Fraction]], list[Fraction]]:
    """The features and the target, the last column, in a file; some are among the sample data."""
    path = FOLDER / f"{name}.csv"
    with (path if path.exists() else SAMPLES / path.name).open() as file:
        rows = [list(map(Fraction, row)) for row in list(csv.reader(file))[1:]]
    return [row[:-1] for row in rows], [row[-1] for row in rows]


def powers(x: list[Fraction], degree: int) -> list[list[Fraction]]:
    """The powers from 1 to `degree`."""
    return [[value**power for power in range(1, degree + 1)] for value in x]


def polynomial(
    name: str,
    degree: int,
    params: list[tuple[float, float]],
    residual_std_error: float,
    r_squared: float,
    f: float,
    digits: tuple[float, float],
) -> Problem:
    """A polynomial in the only feature of a file."""
    x, y = read(name)
    features = powers([value for (value,) in x], degree)
    found = (features, y, params, residual_std_error, r_squared, f, digits)
    return Problem(*found, is_polynomial=True)


def wampler(
    base: Fraction,
    noise: int,
    r_squared: float,
    f: float | None,
    digits: tuple[float, float],
) -> Problem:
    """Σ (base·x)ᵏ for k from 0 to 5 at x from 0 to 20, and `noise` times the noise."""
    x = powers([Fraction(value) for value in range(21)], 5)
    factors = [base**power for power in range(1, 6)]
    added = [noise * value for value in (*NOISE, *NOISE[-2::-1])]
    y = [
        sum(
            (factor * value for factor, value in zip(factors, row, strict=True)),
            Fraction(1 + extra),
        )
        for row, extra in zip(x, added, strict=True)
    ]
    params = [
        (float(factor), noise * error)
        for factor, (_, error) in zip([*factors, Fraction(1)], WAMPLER_STD_ERRORS, strict=True)
    ]
    found = (x, y, params, noise * 2360.14502379268, r_squared, f, digits)
    return Problem(*found, is_polynomial=True)


def line_without_intercept(
    x: range, y: list[int], param: tuple[float, float], s: float, r_squared: float, f: float
) -> Problem:
    """A line through 0."""
    rows = [[Fraction(value)] for value in x]
    target = list(map(Fraction, y))
    return Problem(rows, target, [param], s, r_squared, f, (13, 13), intercept=False)


PROBLEMS = {
    "Norris": polynomial(
        "norris",
        1,
        [(1.00211681802045, 0.429796848199937e-03), (-0.262323073774029, 0.232818234301152)],
        0.884796396144373,
        0.999993745883712,
        5436385.54079785,
        (11.5, 11.5),
    ),
    "Pontius": polynomial(
        "pontius",
        2,
        [
            (0.732059160401003e-06, 0.157817399981659e-09),
            (-0.316081871345029e-14, 0.486652849992036e-16),
            (0.673565789473684e-03, 0.107938612033077e-03),
        ],
        0.205177424076185e-03,
        0.999999900178537,
        185330865.995752,
        (11, 11),
    ),
    "NoInt1": line_without_intercept(
        range(60, 71),
        list(range(130, 141)),
        (2.07438016528926, 0.165289256198347e-01),
        3.56753034006338,
        0.999365492298663,
        15750.25,
    ),
    "NoInt2": line_without_intercept(
        range(4, 7),
        [3, 4, 4],
        (0.727272727272727, 0.420827318078432e-01),
        0.369274472937998,
        0.993348115299335,
        298.666666666667,
    ),
    "Filip": polynomial(
        "filip",
        10,
        [
            (-2772.17959193342, 559.779865474950),
            (-2316.37108160893, 466.477572127796),
            (-1127.97394098372, 227.204274477751),
            (-354.478233703349, 71.6478660875927),
            (-75.1242017393757, 15.2897178747400),
            (-10.8753180355343, 2.23691159816033),
            (-1.06221498588947, 0.221624321934227),
            (-0.670191154593408e-01, 0.142363763154724e-01),
            (-0.246781078275479e-02, 0.535617408889821e-03),
            (-0.402962525080404e-04, 0.896632837373868e-05),
            (-1467.48961422980, 298.084530995537),
        ],
        0.334801051324544e-02,
        0.996727416185620,
        2162.43954511489,
        (6.5, 6.5),
    ),
    "Longley": Problem(
        *read("longley"),
        params=[
            (15.0618722713733, 84.9149257747669),
            (-0.358191792925910e-01, 0.334910077722432e-01),
            (-2.02022980381683, 0.488399681651699),
            (-1.03322686717359, 0.214274163161675),
            (-0.511041056535807e-01, 0.226073200069370),
            (1829.15146461355, 455.478499142212),
            (-3482258.63459582, 890420.383607373),
        ],
        residual_std_error=304.854073561965,
        r_squared=0.995479004577296,
        f=330.285339234588,
        digits=(10, 10.5),
    ),
    "Wampler1": wampler(Fraction(1), 0, 1.0, None, (8, 15)),
    "Wampler2": wampler(Fraction(1, 10), 0, 1.0, None, (12, 15)),
    "Wampler3": wampler(Fraction(1), 1, 0.999995559025820, 675524.458240122, (8, 12)),
    "Wampler4": wampler(Fraction(1), 100, 0.957478440825662, 67.5524458240122, (7, 12)),
    "Wampler5": wampler(Fraction(1), 10_000, 0.224668921574940e-02, 6.75524458240122e-03, (5, 12)),
}
