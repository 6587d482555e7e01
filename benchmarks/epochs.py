"""What an epoch costs, in turn in one process: by hand against a bare NumPy loop on 11 rows; with
autograd against the plain torch loop on the same rows.

Run it as ``python benchmarks/epochs.py`` where gdfit is installed.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

import gdfit
from gdfit.arrays import FloatArray

LECTURE = str(Path(__file__).parent.parent / "sample_data" / "lecture.csv")


def plain_loop(x: torch.Tensor, y: torch.Tensor, loss: str, epochs: int) -> None:
    """The lecture's loop with autograd, for one feature."""
    params = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    history = []
    for _ in range(epochs):
        if params.grad is not None:
            params.grad.zero_()
        w, b = params
        residuals = w * x + b - y
        value = (residuals**2).mean() if loss == "mse" else residuals.abs().mean()
        value.backward()
        assert params.grad is not None
        with torch.no_grad():
            params -= 1e-3 * params.grad
        history.append(value.item())


def bare_loop(design: FloatArray, target: FloatArray, epochs: int) -> None:
    """The least that NumPy can do, nothing watched and nothing kept."""
    params = np.zeros(design.shape[1])
    for _ in range(epochs):
        residuals = design @ params - target
        (residuals**2).mean()
        params -= 1e-3 * (2 * (residuals @ design) / len(target))


def by_hand(epochs: int = 2000) -> None:
    """The manual loop on p+2 rows, and the bare one on 11."""
    observations = gdfit.read_observations(LECTURE)
    x = np.linspace(0, 1, 11)
    design, target = np.column_stack([x, np.ones(11)]), x**2
    ours, theirs = [], []
    for turn in range(50):
        run = gdfit.Run(observations, lr=1e-3, epochs=epochs)
        mine = seconds(partial(deque, run, 0))
        bare = seconds(partial(bare_loop, design, target, epochs))
        if turn:
            ours.append(mine / epochs * 1e6)
            theirs.append(bare / epochs * 1e6)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    mine, bare = statistics.median(ours), statistics.median(theirs)
    print(f"by hand: {mine:.1f} µs an epoch, the bare NumPy loop on 11 rows {bare:.1f} µs", end="")
    print(f", ratio {ratio:.2f}\n")


def seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
    by_hand()
    random = np.random.default_rng(0)
    print("| rows | loss | gdfit, µs an epoch | plain torch loop, µs an epoch | ratio |")
    print("| ---: | --- | ---: | ---: | ---: |")
    for count, epochs in ((25, 2000), (10_000, 500), (1_000_000, 20)):
        x = random.uniform(0, 1, count)
        y = 0.3 * x + 0.25 + random.normal(0, 0.1, count)
        observations = gdfit.observations_from(x, y)
        inputs, outputs = torch.from_numpy(x), torch.from_numpy(y)
        for loss in ("mse", "mae"):
            settings = gdfit.Settings(backend="autograd", lr=1e-3, epochs=epochs, loss=loss)
            ours, theirs = [], []
            for turn in range(8):
                mine = seconds(partial(gdfit.train, observations, settings=settings))
                plain = seconds(partial(plain_loop, inputs, outputs, loss, epochs))
                if turn:  # the first turn warms up
                    ours.append(mine / epochs * 1e6)
                    theirs.append(plain / epochs * 1e6)
            ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
            mine, plain = statistics.median(ours), statistics.median(theirs)
            print(f"| {count:,} | {loss} | {mine:,.0f} | {plain:,.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
