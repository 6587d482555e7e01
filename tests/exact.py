"""Least squares with standard errors in rational numbers, and t and F in 340 digits.

Slow and plain, and by another route than gdfit's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mpmath import mp

Number = int | float | Fraction


@dataclass(frozen=True)
class Reference:
    """What a summary has to say."""

    params: list[float]
    std_errors: list[float]
    residual_std_error: float
    df: int
    r_squared: float
    adjusted_r_squared: float
    f: float | None
    slopes: int


def reference(
    x: Sequence[Sequence[Number]], y: Sequence[Number], *, intercept: bool = True
) -> Reference:
    """Least squares by the normal equations, which lose nothing in rational numbers."""
    ones = [Fraction(1)] if intercept else []
    rows = [[*(Fraction(value) for value in row), *ones] for row in x]
    target = [Fraction(value) for value in y]
    size, slopes = len(rows[0]), len(rows[0]) - intercept
    table = [
        [dot([row[i] for row in rows], [row[j] for row in rows]) for j in range(size)]
        + [dot([row[i] for row in rows], target)]
        + [Fraction(i == j) for j in range(size)]
        for i in range(size)
    ]
    for i in range(size):  # Gauss and Jordan; AᵀA is positive definite, and needs no pivoting
        table[i] = [value / table[i][i] for value in table[i]]
        for j in range(size):
            if j != i:
                factor = table[j][i]
                table[j] = [a - factor * b for a, b in zip(table[j], table[i], strict=True)]
    params = [row[size] for row in table]
    residuals = [dot(row, params) - value for row, value in zip(rows, target, strict=True)]
    mean = sum(target) / len(target) if intercept else Fraction(0)
    total = sum((value - mean) ** 2 for value in target)
    squares, df = dot(residuals, residuals), len(rows) - size
    variance = squares / df
    return Reference(
        params=list(map(float, params)),
        std_errors=[math.sqrt(variance * table[i][size + 1 + i]) for i in range(size)],
        residual_std_error=math.sqrt(variance),
        df=df,
        r_squared=float(1 - squares / total),
        adjusted_r_squared=float(1 - variance / (total / (len(rows) - intercept))),
        f=float((total - squares) / slopes / variance) if squares else None,
        slopes=slopes,
    )


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Σ aᵢbᵢ."""
    return sum((left * right for left, right in zip(a, b, strict=True)), Fraction(0))


def f_tail(f: float, df1: float, df2: float) -> float:
    """P(F > f), by the power series of the incomplete beta function on its shorter side.

    All of its terms are positive, and the digits are enough to take 1e-300 from 1.
    """
    with mp.workdps(340):
        a, b = mp.mpf(df2) / 2, mp.mpf(df1) / 2
        x, y = a / (a + b * mp.mpf(f)), b * mp.mpf(f) / (a + b * mp.mpf(f))
        front = x**a * y**b / mp.beta(a, b)
        if x < y:
            return float(front / a * mp.hyp2f1(a + b, 1, a + 1, x))
        return float(1 - front / b * mp.hyp2f1(a + b, 1, b + 1, y))


def t_tail(t: float, df: float) -> float:
    """P(|T| > |t|)."""
    with mp.workdps(340):
        return f_tail(mp.mpf(t) ** 2, 1, df)
