"""What an epoch with autograd costs, against the plain torch loop on the same rows, in turn in one
process. Run it as ``python benchmarks/epochs.py`` where gdfit is installed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

import gdfit


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


def seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
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
