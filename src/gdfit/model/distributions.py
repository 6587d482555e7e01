"""Student's t and F: probabilities that are right however small, and quantiles.

Both are the regularized incomplete beta function, P(F > f) = I_x(a, b) with a = df₂/2, b = df₁/2
and x = a/(a + b·f), and t² is an F with df₁ = 1. With y = 1 − x, I_x(a, b) = xᵃyᵇ/B(a, b) divided
by a continued fraction (DiDonato and Morris, ACM Trans. Math. Softw. 18, 1992, BFRAC), whose few
terms lose no digits. The logarithms in front of it do: they are as large as a·log a and cancel, so
they are taken in mpmath.
"""

from __future__ import annotations

import math
from itertools import count

MPMATH_DIGITS = 40  # that mpmath works with: 20 are lost for 10¹⁸ degrees of freedom


def f_tail(f: float, df1: float, df2: float) -> float:
    """P(F > f) for F with `df1` and `df2` degrees of freedom."""
    from mpmath import mp

    if f <= 0:
        return 1.0
    with mp.workdps(MPMATH_DIGITS):
        a, b = mp.mpf(df2) / 2, mp.mpf(df1) / 2
        x, y = a / (a + b * f), b * f / (a + b * f)
        log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
        front = mp.exp(a * mp.log(x) + b * mp.log(y) - log_beta)
        excess = float(a * y - b * x)
        if f < 1:  # the fraction is for the smaller side
            return float(1 - front / _fraction(float(b), float(a), float(y), float(x), -excess))
        return float(front / _fraction(float(a), float(b), float(x), float(y), excess))


def t_tail(t: float, df: float) -> float:
    """P(|T| > |t|) for T with `df` degrees of freedom."""
    return f_tail(t * t, 1, df)


def t_quantile(level: float, df: float) -> float:
    """The t that |T| stays below with probability `level`: by bisection, to the last bit."""
    low, high = 0.0, 1.0
    while t_tail(high, df) > 1 - level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if t_tail(middle, df) > 1 - level else (low, middle)
    return high


def _fraction(a: float, b: float, x: float, y: float, excess: float) -> float:
    """xᵃyᵇ/B(a, b) over I_x(a, b) by modified Lentz; `excess`, a·y − b·x, is not negative."""
    value = numerator = a * (excess + 1) / (a + 1)
    denominator = 0.0
    for n in count(1):
        step = (a + n - 1) * (a + b + n - 1) * n * (b - n) * (x / (a + 2 * n - 1)) ** 2
        term = n + n * (b - n) * x / (a + 2 * n - 1)
        term += (a + n) * (excess + 1 + n * (1 + y)) / (a + 2 * n + 1)
        denominator = 1 / (term + step * denominator)
        numerator = term + step / numerator
        value *= numerator * denominator
        if not abs(numerator * denominator - 1) > math.ulp(1.0):
            return value
    raise AssertionError  # count() does not end
