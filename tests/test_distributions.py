"""Student's t and F, against series in 340 digits and where there is a closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import exact
from gdfit.model.intervals import f_tail, t_quantile, t_tail


@pytest.mark.parametrize("df", [1, 2, 7, 23, 1000, 10**6, 10**9])
@pytest.mark.parametrize("t", [0.0, 1e-8, 0.3, 0.999, 1.0, 2.5, 8.0, 30.0, 37.0])
def test_t(t: float, df: int) -> None:
    assert t_tail(t, df) == pytest.approx(exact.t_tail(t, df), rel=2e-13, abs=0)
    assert t_tail(-t, df) == t_tail(t, df)


@pytest.mark.parametrize("df1", [1, 2, 5, 40, 500])
@pytest.mark.parametrize("df2", [1, 2, 30, 5000, 10**8])
@pytest.mark.parametrize("f", [0.0, 1e-9, 0.5, 0.99, 1.0, 1.2, 2.5, 5.0])
def test_f(f: float, df1: int, df2: int) -> None:
    assert f_tail(f, df1, df2) == pytest.approx(exact.f_tail(f, df1, df2), rel=2e-13, abs=0)


@given(df=st.integers(1, 10**10), f=st.floats(1e-9, 690))
def test_an_f_with_two_slopes_has_a_closed_form(df: int, f: float) -> None:
    closed = math.exp(-df / 2 * math.log1p(2 * f / df))
    assert f_tail(f, 2, df) == pytest.approx(closed, rel=1e-12, abs=0)


def test_a_probability_is_0_only_below_float64() -> None:
    df = 10**8
    tails = [t_tail(t, df) for t in (37, 38, 38.4, 38.6, 40, 1e3, 1e9)]
    assert tails[2] == pytest.approx(exact.t_tail(38.4, df), rel=1e-3)  # 1e-322, with few bits left
    assert 0 < tails[2] < tails[1] < 1e-300 < tails[0]
    assert tails[3:] == [0.0] * 4


@pytest.mark.parametrize("level", [1e-12, 0.1, 0.5, 0.95, 0.999999, 1 - 2**-53])
def test_quantiles(level: float) -> None:
    rest = 1 - level
    cauchy = math.tan(math.pi / 2 * level) if level < 0.5 else 1 / math.tan(math.pi / 2 * rest)
    assert t_quantile(level, 1) == pytest.approx(cauchy, rel=4e-15)
    assert t_quantile(level, 2) == pytest.approx(
        level * math.sqrt(2 / (rest * (1 + level))), rel=4e-15
    )
    for df in (3, 17, 10**4, 10**9):
        assert exact.t_tail(t_quantile(level, df), df) == pytest.approx(rest, rel=2e-14)
