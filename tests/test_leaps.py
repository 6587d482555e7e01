"""Gradient descent in closed form: the loop's steps, without the loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import partial
from itertools import count, islice, product, takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conftest import LECTURE, SAMPLES, Gdfit
from gdfit.arrays import FloatArray, triangular
from gdfit.data.dataset import read_observations
from gdfit.data.in_memory import observations_from
from gdfit.data.observations import Observations
from gdfit.descent import closed_form as closed_form
from gdfit.descent.closed_form import DescentPath, Modes, round_epochs
from gdfit.descent.compare import compare
from gdfit.descent.curvature import curvature_of
from gdfit.descent.loop import Step
from gdfit.descent.objective import whole_objective
from gdfit.descent.run import Run, train
from gdfit.descent.scaling import scaled, scaling_of
from gdfit.descent.settings import Scale, Settings
from gdfit.descent.stopping import DivergenceWatch, last_answer, rules_of
from gdfit.errors import UsageError
from gdfit.show.pictures.trace import is_kept, traced_epochs
from gdfit.show.tables import reports as report

SCALES: list[Scale] = ["none", "standardize", "whiten"]


@st.composite
def problems(draw: st.DrawFn, most: float = 1.5) -> dict[str, Any]:
    """Data of any shape, with columns that depend on others or do not vary, with weights or none,
    with an intercept or none, and what to run on it: an update rule, and a learning rate up to
    `most` times its largest stable one."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, features = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    x = random.normal(random.normal(0, 2, features), 1, (rows, features))
    x *= 10 ** random.uniform(-1, 1, features)
    if draw(st.booleans()):
        x[:, -1] = x[:, 0] * 2 if features > 1 and draw(st.booleans()) else 3.0
    y = x @ random.normal(size=features) + random.normal(size=rows)
    weights = random.uniform(0.1, 5, rows) if draw(st.booleans()) else None
    intercept = draw(st.booleans())
    observations = observations_from(x, y, weights=weights, intercept=intercept)
    scale, l2 = draw(st.sampled_from(SCALES)), draw(st.sampled_from([0.0, 0.1]))
    curvature = curvature_of(scaled(observations, scaling_of(observations, scale)), l2)
    optimizer = draw(st.sampled_from(["gd", "momentum", "nesterov"]))
    mu = draw(st.sampled_from([0.0, 0.3, 0.9, 0.999]) | st.floats(0, 0.99))
    return {
        "observations": observations,
        "optimizer": optimizer,
        "momentum": Settings().momentum if optimizer == "gd" else mu,
        "init": random.normal(size=features + intercept).tolist(),
        "scale": scale,
        "l2": l2,
        "lr": draw(st.floats(0.001, most)) * curvature.limit_of(optimizer, mu),
    }


def leaped(problem: dict[str, Any], **options: Any) -> tuple[list[Step], Run]:
    """Every step of a run by leaps, and the run."""
    run = Run(**{**problem, **options}, leap=True, shown=count(1))
    return list(run), run


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(1, 300))
def test_leaps_are_the_loop(problem: dict[str, Any], epochs: int) -> None:
    loop = train(**problem, epochs=epochs)
    steps, run = leaped(problem, epochs=epochs)
    assert len(steps) == len(loop.history)
    size, sharpest = 0.0, curvature_of(run.descended, loop.settings.l2).lambda_max
    rounding = 1e-12 * math.sqrt(run.observations.mean_square)
    for mine, theirs in zip(steps, loop.history, strict=True):
        size = max(size, np.abs(theirs.before).max(), np.abs(theirs.params).max())
        assert (mine.epoch, mine.status) == (theirs.epoch, theirs.status)
        np.testing.assert_allclose(mine.before, theirs.before, rtol=0, atol=1e-9 * size)
        np.testing.assert_allclose(mine.params, theirs.params, rtol=0, atol=1e-9 * size)
        np.testing.assert_allclose(mine.grad, theirs.grad, rtol=0, atol=1e-9 * size * sharpest)
        assert math.sqrt(mine.loss) == pytest.approx(math.sqrt(theirs.loss), rel=1e-9, abs=rounding)
    fit = run.fit()
    assert math.sqrt(fit.loss) == pytest.approx(math.sqrt(loop.loss), rel=1e-9, abs=rounding)
    np.testing.assert_allclose(fit.params, loop.params, rtol=0, atol=1e-9 * size)


@settings(max_examples=60, deadline=None)
@given(problems(most=1.0), st.sampled_from([1e-2, 1e-4, 1e-6]))
def test_leaps_converge_where_the_loop_does(problem: dict[str, Any], tol: float) -> None:
    loop = train(**problem, epochs=2000, tol=tol)
    fit = train(**problem, epochs=2000, tol=tol, leap=True)
    assert (fit.status, fit.epochs) == (loop.status, loop.epochs)


@settings(max_examples=60, deadline=None)
@given(problems(), st.floats(0.5, 1.1))
def test_leaps_reach_a_loss_where_the_loop_does(problem: dict[str, Any], part: float) -> None:
    # Also where the loss falls and then rises, when the learning rate is too large.
    losses = [step.loss for step in train(**problem, epochs=300).history]
    target = losses[0] - part * (losses[0] - min(losses))
    assume(all(abs(loss - target) > 1e-9 * losses[0] for loss in losses))
    loop = train(**problem, epochs=300, target_loss=target)
    fit = train(**problem, epochs=300, target_loss=target, leap=True)
    assert (fit.status, fit.epochs) == (loop.status, loop.epochs)


@settings(max_examples=60, deadline=None)
@given(problems(), st.floats(-12, 0), st.floats(-3, 3))
def test_the_first_epoch_is_the_first_of_all(
    problem: dict[str, Any], tolerance: float, target: float
) -> None:
    run = Run(**problem, leap=True)
    assert run.curvature
    path = DescentPath(run.descended, run.curvature, run.settings, run.start.params)
    tests: list[Callable[[int, int], bool]] = [
        partial(closed_form.may_converge, path, 10**tolerance),
        partial(closed_form.may_reach, path, 10**target),
        partial(closed_form.may_diverge, path, 1e6 * path.step(1).loss),
    ]
    for may in tests:
        with np.errstate(all="ignore"):
            here = next((epoch for epoch in range(1, 301) if may(epoch, epoch)), None)
            assert closed_form.first_epoch(may, 300) == here


@settings(max_examples=25, deadline=None)
@given(problems(), st.integers(1, 9))
def test_the_last_epoch_is_where_a_rule_answers_first(problem: dict[str, Any], epochs: int) -> None:
    """Whichever epochs they answer at, neighbours and the same one, and just at their limits."""
    run = Run(**problem, leap=True, epochs=epochs)
    assert run.curvature
    path = DescentPath(run.descended, run.curvature, run.settings, run.start.params)
    steps = [path.step(epoch) for epoch in range(1, epochs + 1)]
    moved = [np.abs(step.params - step.before).max() for step in steps]
    parts = [part / np.abs(step.params).max() for part, step in zip(moved, steps, strict=True)]
    assume(min(parts) > 1e-9)
    bounds = [max(steps[0].loss, step.loss) for step in steps]
    for reached, still, bound in product(steps, parts, bounds):
        options = replace(run.settings, target_loss=reached.loss, tol=still * (1 + 1e-6))
        rules = rules_of(options, bound, None)
        answers = ((step.epoch, last_answer(rules, step)) for step in steps)
        assert closed_form.last_epoch(path, options, bound) == next(filter(itemgetter(1), answers))


def decimals(values: FloatArray) -> Any:
    """The same numbers as decimals, of any precision."""
    return np.array([*map(Decimal, values.ravel().tolist())], dtype=object).reshape(values.shape)


def exact(
    observations: Observations, start: FloatArray, rate: float, epochs: int, mu: float = 0.0
) -> FloatArray:
    """The params after so many epochs with momentum, to the last digit: with 80 digits, the power
    of the matrix that maps (θ, the last change of θ, 1) to the next ones."""
    with localcontext(prec=80):
        design, target = decimals(observations.design), decimals(observations.target)
        size = len(start)
        gamma = 2 * Decimal(rate) / observations.count
        power = decimals(np.eye(2 * size + 1))
        for rows in (slice(size), slice(size, 2 * size)):
            power[rows, size : 2 * size] = Decimal(mu) * decimals(np.eye(size))
            power[rows, :size] -= gamma * design.T.dot(design)
            power[rows, -1] = gamma * design.T.dot(target)
        params = decimals(np.concatenate([start, np.zeros(size), [1.0]]))
        while epochs:
            if epochs % 2:
                params = power.dot(params)
            power, epochs = power.dot(power), epochs // 2
        return np.asarray(params[:size], dtype=np.float64)


def error(params: FloatArray, expected: FloatArray) -> float:
    """How far params are from what they should be, as a part of their size."""
    return float(np.linalg.norm(params - expected) / np.linalg.norm(expected))


def slow(seed: int) -> tuple[Observations, FloatArray]:
    """A long valley with four params, condensed as a file is, and a start."""
    random = np.random.default_rng(seed)
    x = random.normal([3, 0.1, 5], [1, 1e-2, 2e-3], (40, 3))
    observations = observations_from(x, x @ [1, 2, 3] + random.normal(size=40))
    condensed = replace(observations, augmented=triangular(observations.augmented))
    return condensed, random.normal(size=4)


def test_a_million_epochs_by_leaps_have_more_right_digits_than_by_the_loop() -> None:
    observations, start = slow(0)
    rate, epochs = 0.5 * curvature_of(observations).max_stable_lr, 10**6
    expected = exact(observations, start, rate, epochs)
    objective = whole_objective(observations, Settings())
    params = start
    for _ in range(epochs):
        params = params - rate * objective(params)[1]
    by_leaps = error(
        DescentPath(observations, curvature_of(observations), Settings(lr=rate), start).params(
            epochs
        ),
        expected,
    )
    assert by_leaps < error(params, expected)
    assert by_leaps < 1e-13


@pytest.mark.parametrize("mu", [0.0, 0.9])
@pytest.mark.parametrize("part", [1e-3, 0.5, 1 - 1e-9])
@pytest.mark.parametrize("epochs", [10**3, 10**6, 10**9, 10**12])
def test_leaps_are_exact_however_far(epochs: int, part: float, mu: float) -> None:
    for seed in range(5):
        observations, start = slow(seed)
        curvature = curvature_of(observations)
        rate = part * curvature.limit_of("momentum", mu)
        settings = Settings(lr=rate, optimizer="momentum" if mu else "gd", momentum=mu)
        params = DescentPath(observations, curvature, settings, start).params(epochs)
        assert error(params, exact(observations, start, rate, epochs, mu)) < 1e-10


def test_a_direction_without_slope_is_not_left() -> None:
    # Both columns are one: only w₁ + w₂ counts, and w₁ − w₂ stays as it is.
    observations = observations_from(np.array([[1, 1], [2, 2], [4, 4]]), [1.0, 3, 2])
    fit = train(observations, init=[5, 1, 0], lr=0.01, epochs=10**15, leap=True)
    w, v, b = fit.model.params
    assert w - v == pytest.approx(4, abs=1e-12)
    assert [w + v, b] == pytest.approx(np.polyfit([1, 2, 4], [1, 3, 2], 1), rel=1e-12)


def test_a_start_at_the_minimum_stays_there() -> None:
    observations = observations_from(np.array([[1, 7], [2, 7], [4, 7]]), [0.0, 0, 0])
    for scale in SCALES:
        fit = train(observations, lr=0.01, scale=scale, epochs=10**9, leap=True)
        assert (fit.model.params, fit.loss, fit.status) == ((0.0, 0.0, 0.0), 0.0, "completed")
        assert train(observations, lr=0.01, tol=0.0, leap=True).epochs == 1


def test_divergence_is_told_at_the_same_epoch() -> None:
    observations = read_observations(str(LECTURE))
    bound = curvature_of(observations).max_stable_lr
    for part in (1.0001, 1.01, 2, 1e3, 1e150):
        options: dict[str, Any] = {"lr": part * bound, "epochs": 10**5}
        loop, fit = (train(observations, **options, leap=leap) for leap in (False, True))
        assert (fit.status, fit.epochs) == (loop.status, loop.epochs)
        assert fit.status == "diverged"
    assert train(observations, lr=2 * bound, epochs=10**15, leap=True).epochs < 100


def test_a_loss_that_is_infinite_from_the_start_on_has_diverged(gdfit: Gdfit) -> None:
    data = b"x,y\n1,1e200\n2,-2e200\n4,3e200\n5,1e200\n"
    loop, leap = (gdfit("train", "-", *options, stdin=data) for options in ([], ["--leap"]))
    assert (leap.status, leap.err) == (loop.status, loop.err)
    assert leap.status == 3


def test_stalled_is_told_as_in_the_loop() -> None:
    observations = read_observations(str(SAMPLES / "houses.csv"))
    options: dict[str, Any] = {"lr": 1e-5, "tol": 1e-3}
    loop, fit = (train(observations, **options, leap=leap) for leap in (False, True))
    assert (fit.status, fit.epochs) == (loop.status, loop.epochs)
    assert fit.status == "stalled"


def test_a_run_goes_on_by_leaps_where_the_loop_stopped() -> None:
    observations = read_observations(str(LECTURE))
    before = train(observations, lr=0.01, epochs=300)
    after = train(observations, lr=0.01, epochs=700, init=before.model, leap=True)
    assert after.params == pytest.approx(train(observations, lr=0.01, epochs=1000).params)
    state = after.model.facts["state"]
    assert isinstance(state, dict)
    assert state["epochs"] == 1000


@pytest.mark.parametrize("leaps", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_velocity_is_kept_where_a_run_goes_on(optimizer: Any, leaps: tuple[bool, bool]) -> None:
    observations = read_observations(str(SAMPLES / "greenhouse.csv"))
    options: dict[str, Any] = {"optimizer": optimizer, "momentum": 0.97, "lr": 0.01}
    before = train(observations, **options, epochs=70, leap=leaps[0])
    after = train(observations, **options, epochs=130, init=before.model, leap=leaps[1])
    whole = train(observations, **options, epochs=200)
    assert after.params == pytest.approx(whole.params, rel=1e-11)
    assert after.history[-1].state["velocity"] == pytest.approx(
        whole.history[-1].state["velocity"], abs=1e-11
    )


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_the_best_rate_and_momentum_are_as_fast_as_they_say(optimizer: Any) -> None:
    """There r and q are one number, for the steepest direction or the flattest."""
    observations = slow(3)[0]
    curvature = curvature_of(observations)
    lr, mu, per_digit = curvature.tuned(optimizer)
    options: dict[str, Any] = {"optimizer": optimizer, "epochs": 3000, "init": slow(3)[1]}
    loop = train(observations, lr=lr, momentum=mu, **options)
    fit = train(observations, lr=lr, momentum=mu, **options, leap=True)
    assert fit.params == pytest.approx(loop.params, rel=1e-9)
    path = DescentPath(observations, curvature, fit.settings, fit.start)
    fastest = path.logarithms.real.max()
    assert math.log(10) / -fastest == pytest.approx(per_digit, rel=1e-3)
    for factors in ((1.02, 1), (0.98, 1), (1, 1.0002), (1, 0.9998)):
        other = replace(fit.settings, lr=factors[0] * lr, momentum=factors[1] * mu)
        slower = DescentPath(observations, curvature, other, fit.start).logarithms.real.max()
        assert slower > fastest
    limit = curvature.limit_of(optimizer, mu)
    for part, sign in ((1 - 1e-6, -1), (1 + 1e-6, 1)):
        other = replace(fit.settings, lr=part * limit, momentum=mu)
        path = DescentPath(observations, curvature, other, fit.start)
        assert np.sign(path.logarithms.real.max()) == sign


def test_weights_count_rows_and_b_stays_0_without_an_intercept() -> None:
    x, y = np.array([[1.0, 2], [3, 1], [2, 5], [4, 4]]), np.array([1.0, 2, 2, 5])
    options: dict[str, Any] = {"lr": 0.01, "l2": 0.1, "epochs": 10**9, "leap": True}
    times = [1, 3, 2, 2]
    one = observations_from(x, y, weights=times, intercept=False)
    fit = train(one, **options)
    more = observations_from(np.repeat(x, times, axis=0), np.repeat(y, times), intercept=False)
    assert fit.params == pytest.approx(train(more, **options).params, rel=1e-12)
    hessian = x.T * times @ x / 8 + 0.1 * np.eye(2)
    assert fit.model.w == pytest.approx(np.linalg.solve(hessian, x.T * times @ y / 8), rel=1e-12)
    assert fit.model.b == 0


# What is shown.


def epochs_of(**options: Any) -> list[int]:
    run = Run(read_observations(str(LECTURE)), lr=0.01, leap=True, **options)
    return [step.epoch for step in run]


def test_the_first_epoch_the_shown_ones_and_the_last_are_steps() -> None:
    assert epochs_of(epochs=30) == [1, 2, 3, 5, 10, 20, 30]
    assert epochs_of(epochs=10**9, shown=[7, 7, 100, 10**8]) == [1, 7, 100, 10**8, 10**9]
    assert epochs_of(epochs=10, shown=count(4, 4)) == [1, 4, 8, 10]
    assert epochs_of(epochs=1) == [1]
    assert epochs_of(epochs=20, shown=[]) == [1, 20]


def test_a_run_by_leaps_can_be_stopped() -> None:
    run = Run(read_observations(str(LECTURE)), lr=0.01, leap=True, epochs=10**9)
    for step in run:
        run.stopped = step.epoch == 5
    assert run.last
    assert (run.last.epoch, run.last.status) == (10, "interrupted")
    assert list(run)[-1].epoch == 10**9


@settings(max_examples=60, deadline=None)
@given(
    st.none() | st.integers(1, 50),
    st.none() | st.lists(st.builds(range, st.integers(1, 999), st.integers(1, 1200)), min_size=1),
)
def test_leaps_lead_to_what_is_printed(every: int | None, show: list[range] | None) -> None:
    printed = report.schedule(every, show)
    rising: Iterator[int] = takewhile(lambda epoch: epoch < 1000, report.scheduled(every, show))
    assert sorted(set(rising)) == [epoch for epoch in range(1, 1000) if printed(epoch)]


def test_round_epochs() -> None:
    assert [*islice(round_epochs(), 10)] == [1, 2, 3, 5, 10, 20, 50, 100, 200, 500]


@pytest.mark.parametrize(
    "options",
    [
        ["--lr", "0.01"],
        ["--lr", "0.01", "--validation", "0.3"],
        ["--lr", "0.01", "--l2", "0.1", "--every", "50"],
        ["--lr", "0.01", "--target-loss", "0.001"],
        ["--lr", "0.01", "--tol", "1e-4", "--format", "json"],
        ["--lr", "0.01", "--format", "csv", "--show", "4,8"],
        ["--lr", "0.01", "-q"],
        ["--lr", "0.01", "--no-intercept", "--explain", "4"],
        ["--lr", "0.001", "--weights", "x", "--features", "x", "--target", "y"],
    ],
)
def test_what_is_printed_is_what_the_loop_prints(gdfit: Gdfit, options: list[str]) -> None:
    loop = gdfit("train", LECTURE, "--no-model", *options)
    by_leaps = gdfit("train", LECTURE, "--no-model", "--leap", *options)
    assert by_leaps.status == loop.status
    assert by_leaps.err == loop.err
    told = by_leaps.out.replace(" --leap", "")  # in the command to type next
    assert words(told) == words(loop.out)


def words(text: str) -> list[Any]:
    """The words of `text`, and its numbers to ten digits."""
    for mark in ',"[]{}:':
        text = text.replace(mark, " ")
    return [
        pytest.approx(float(word), rel=1e-10, abs=1e-14) if is_number(word) else word
        for word in text.split()
    ]


def is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def test_pictures_have_the_epochs_that_the_loop_keeps() -> None:
    epochs = takewhile(lambda epoch: epoch < 200_000, traced_epochs())
    assert sorted(set(epochs)) == [epoch for epoch in range(1, 200_000) if is_kept(epoch)]
    rising = [*islice(traced_epochs(), 10_000)]
    assert rising == sorted(rising)


def test_growth_is_noted_once_it_is_known() -> None:
    grows, nothing = DivergenceWatch(overshoots=False), np.zeros(2)
    told = [
        epoch
        for epoch in (1, 2, 3, 5, 10, 20, 50)
        if grows(Step(epoch, abs(epoch - 3.5), nothing, nothing, None, nothing, {}))
    ]
    assert told == [20]  # it has grown since the fifth at the latest


def test_a_picture_of_a_billion_epochs(gdfit: Gdfit) -> None:
    options = ["--lr", "0.01", "--leap", "--epochs", "1e9", "--chart"]
    result = gdfit("train", LECTURE, "--plot", "run.svg", "--page", "run.html", *options)
    assert result.status == 0
    assert "ran all 1,000,000,000 epochs" in result.out
    assert Path("run.svg").stat().st_size > 10_000


# What there is no closed form of.


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "mae"},
        {"optimizer": "adam"},
        {"batch_size": 3},
        {"backend": "autograd"},
        {"patience": 3, "validation": True},
        {"target_loss": 0.1, "validation": True},
    ],
)
def test_what_leaps_do_not_know_is_refused(options: dict[str, Any]) -> None:
    observations = observations_from([1, 2, 3], [1.0, 2, 2])
    if options.get("validation"):
        options = {**options, "validation": observations}
    with pytest.raises(UsageError, match="`leap`"):
        train(observations, leap=True, **options)


def test_a_comparison_goes_through_all_epochs() -> None:
    with pytest.raises(UsageError, match="`leap` leaves out most epochs"):
        compare(observations_from([1, 2, 3], [1.0, 2, 2]), lr=[0.1, 0.2], leap=True)


@pytest.mark.parametrize("momentum", ["0.98", "0.5"])
def test_a_leap_tells_of_a_loss_that_goes_up_and_down(gdfit: Gdfit, momentum: str) -> None:
    command = ["train", LECTURE, "--lr", "0.3", "--optimizer", "momentum", "--momentum", momentum]
    told = [gdfit(*command, "--epochs", "100", *more).err for more in ([], ["--leap"])]
    what = "the loss goes up and down by 200 % in the end"
    assert "--leap" not in told[1]
    assert [what in notes for notes in told] == [momentum == "0.98"] * 2


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(("optimizer", "mu"), [("gd", 0.0), ("momentum", 0.6), ("nesterov", 0.4)])
def test_bounds_between_epochs_hold_for_each(optimizer: str, mu: float, moved: bool) -> None:
    random = np.random.default_rng(8)
    modes = Modes(optimizer, mu, np.array([1e-4, 0.02, 0.5, 1.0, 1.7]))
    for size in (1e-3, 1.0, 1e3):
        begin, following = size * random.normal(size=(2, 5))
        of = begin, following - modes.powers(1) * begin
        for first, last in ((0, 2), (1, 7), (4, 40)):
            low, high = modes.between(first, last, of, moved=moved)
            for epochs in range(first, last + 1, 2):
                there = modes.at(epochs, of, moved=moved)
                assert (low - 1e-12 * size <= there).all()
                assert (there <= high + 1e-12 * size).all()
