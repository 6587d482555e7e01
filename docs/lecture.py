"""The lecture from top to bottom: a line through 25 observations, by gradient descent.

    python docs/lecture.py

It prints what the lecture prints, once with the gradient by hand and once by autograd. There is
nothing of gdfit in it, and gdfit does the same: tests/test_lecture.py compares the two, epoch by
epoch. Whoever reads gdfit's source begins here; each part says where to go on, under src/gdfit.
"""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from torch import Tensor


def read_observations() -> Tensor:
    """The data: inputs x, and the output y that was observed for each.

    Both are tensors, here arrays of 25 numbers: what is done to them is done to each number.
    In gdfit: data/dataset.py, which reads files of any size.
    """
    path = Path(__file__).parents[1] / "sample_data" / "lecture.csv"
    rows = csv.DictReader(path.read_text().splitlines())
    return torch.tensor([(float(row["x"]), float(row["y"])) for row in rows], dtype=torch.float64).T


def model(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The model: a line. Its weight w and its bias b, the params, are to be found.

    In gdfit: model/linear.py, for any number of features.
    """
    return w * x + b


def loss_fn(y_hat: Tensor, y: Tensor) -> Tensor:
    """The loss: how far the outputs ŷ of the model are from those that were observed.

    The mean of the squares (MSE): one number, and the less it is, the better are the params.
    In gdfit: descent/losses.py, with others to choose from.
    """
    squared_diffs = (y_hat - y) ** 2
    return squared_diffs.mean()


def dloss_fn(y_hat: Tensor, y: Tensor) -> Tensor:
    """The derivative of the loss: where ŷ grows by a little, (ŷ − y)² by 2(ŷ − y) times as much."""
    return 2 * (y_hat - y)


def dmodel_dw(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The derivative of the model: where w grows by a little, w·x + b by x times as much …"""
    return x


def dmodel_db(x: Tensor, w: Tensor, b: Tensor) -> float:
    """… and where b does, by as much."""
    return 1.0


def grad_fn(x: Tensor, y: Tensor, y_hat: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The gradient: the derivatives of the loss with respect to w and to b.

    The params are in the loss only through ŷ, so that the chain rule multiplies two derivatives:
    dL/dw = dL/dŷ · dŷ/dw. That is for one observation. The loss is the mean over all of them, and
    so is its gradient: the sum, divided by their number.
    In gdfit: descent/objective.py.
    """
    dloss_dtp = dloss_fn(y_hat, y)
    dloss_dw = dloss_dtp * dmodel_dw(x, w, b)
    dloss_db = dloss_dtp * dmodel_db(x, w, b)
    return torch.stack([dloss_dw.sum() / y_hat.size(0), dloss_db.sum() / y_hat.size(0)])


def update(params: Tensor, gradient_vector: Tensor, learning_rate: float) -> Tensor:
    """The update: a step against the gradient, which points to where the loss grows fastest.

    The learning rate γ says how far: with a small one it takes long, with a large one it climbs.
    In gdfit: descent/optimizers.py, with other rules; descent/learning_rate.py, which finds γ.
    """
    return params - learning_rate * gradient_vector


def training_loop(
    n_epochs: int,
    learning_rate: float,
    params: Tensor,
    x: Tensor,
    y: Tensor,
    print_params: bool = True,
) -> Tensor:
    """The training loop: one step after the other, each over all observations, an epoch.

    In gdfit: descent/loop.py; descent/stopping.py, which knows when it is enough.
    """
    for epoch in range(1, n_epochs + 1):
        w, b = params
        y_hat = model(x, w, b)  # forward pass
        gradient_vector = grad_fn(x, y, y_hat, w, b)  # backward pass
        params = update(params, gradient_vector, learning_rate)  # optimization
        if print_params:
            show(epoch, loss_fn(y_hat, y), params, gradient_vector)
    return params


def show(epoch: int, loss: Tensor, params: Tensor, grad: Tensor) -> None:
    """Print an epoch: loss and gradient before its update, and the params after it."""
    if epoch in {1, 2, 3, 10, 11, 99, 100, 1000}:
        print(f"Epoch {epoch}, Loss {loss:.6f}")
        for name, value in (("Params", params), ("Grad", grad), ("Loss", loss)):
            print(f"   {name}:", value.float())  # without saying that it has 64 bits


def autograd_loop(
    n_epochs: int,
    learning_rate: float,
    params: Tensor,
    x: Tensor,
    y: Tensor,
    print_params: bool = True,
) -> Tensor:
    """The same loop by autograd: for another model or loss, no derivative is worked out by hand.

    A tensor that requires its gradient takes note of what is computed of it. Each result has `data`
    and a `grad_fn`, the function that made it, which knows those before it: a graph. `backward`
    goes back along it by the chain rule, and leaves dL/dparams in the params' `grad`.
    In gdfit: ``--backend autograd``, in descent/objective.py; analysis/autograd.py shows the graph.
    """
    for epoch in range(1, n_epochs + 1):
        params = params.detach().requires_grad_()  # a new graph begins here
        w, b = params
        loss = loss_fn(model(x, w, b), y)  # forward pass
        loss.backward()  # backward pass
        gradient_vector = params.grad
        assert gradient_vector is not None
        params = update(params.detach(), gradient_vector, learning_rate)  # optimization
        if print_params:
            show(epoch, loss.detach(), params, gradient_vector)
    return params


if __name__ == "__main__":
    x, y = read_observations()
    for loop in (training_loop, autograd_loop):
        params = torch.tensor([0.39779, 0.231765], dtype=torch.float64)
        w, b = params = loop(1000, 0.01, params, x, y)
        print("   Params:", params.float())
        print(f"At the input 2.8 the model predicts {w * 2.8 + b:.3f}.")
