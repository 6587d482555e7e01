"""The gradient by each backend and by the limit definition, side by side; and autograd's
computational graph of the loss: the nodes that torch really made.

Each node is a function that the loss was computed with; ``backward`` walks them from the loss to
the leaves, w and b, multiplying the derivatives as the chain rule does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfit.arrays import FloatArray
from gdfit.data.observations import Observations
from gdfit.descent.losses import Loss, loss_of
from gdfit.descent.objective import BACKENDS, Objective, whole_objective
from gdfit.descent.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


LOSS_ROUNDING = 1e-4  # differences of a loss L can't tell a gradient from 0 below some 1e-11 L,
TERMS_ROUNDING = 1e-9  # and nothing can below some 1e-16 of the terms that it is the sum of


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """Gradients at θ, one for each way to find it, each of shape (p+1,).

    loss : L(θ).
    gradients : by ``manual``, ``autograd`` and ``differences``; not by ``manual`` where a loss of
        one's own has no derivative beside it.
    difference : the largest difference between two of them, relative to the largest component; near
        a minimum, where the differences are rounding, to what they are rounding of.
    """

    params: FloatArray
    loss: float
    gradients: dict[str, FloatArray]
    difference: float


def check_gradient(
    observations: Observations, params: FloatArray, settings: Settings
) -> GradientCheck:
    """The gradient of the loss that `settings` name at `params`, by every way there is."""
    objectives = {
        name: whole_objective(observations, replace(settings, backend=name))
        for name in BACKENDS
        if name != "manual" or not settings.is_by_autograd_alone
    }
    objective = next(iter(objectives.values()))
    gradients = {str(name): each(params)[1] for name, each in objectives.items()}
    gradients["differences"] = central_differences(objective, params)
    loss, _ = objective(params)
    together = np.array(list(gradients.values()))
    columns = np.linalg.norm(observations.design, axis=0)
    terms = columns.max() * (columns @ np.abs(params) + np.linalg.norm(observations.target))
    size = TERMS_ROUNDING * float(terms) / observations.total_weight
    largest = loss_of(settings).largest_slope
    if math.isfinite(largest):  # and it can jump
        jump = LOSS_ROUNDING * largest * columns.max() / np.sqrt(observations.total_weight)
        size = max(size, jump)
    scale = max(float(np.abs(together).max()), LOSS_ROUNDING * loss, size)
    spread = float(np.ptp(together, axis=0).max())
    return GradientCheck(params, loss, gradients, spread / scale if scale else spread)


def central_differences(objective: Objective, params: FloatArray) -> FloatArray:
    """The gradient by the limit definition: ∂L/∂θᵢ ≈ (L(θ + h eᵢ) − L(θ − h eᵢ))/2h.

    `h` is the cube root of float64's precision times the size of θᵢ, which balances the error of
    the difference, O(h²), against rounding, O(ε/h) (Press et al., Numerical Recipes, §5.7).
    """
    gradient = np.empty_like(params)
    for place, param in enumerate(params):
        step = np.zeros_like(params)
        step[place] = np.cbrt(np.finfo(float).eps) * max(abs(param), 1.0)
        difference = objective(params + step)[0] - objective(params - step)[0]
        gradient[place] = difference / (2 * step[place])
    return gradient


@dataclass
class GraphNode:
    """A tensor of the graph and, unless it is a leaf, the function that made it.

    name : the tensor's, where it has one: loss, y_hat or where there is a link z, w, b.
    grad_fn : the function, as torch calls it; None for a leaf.
    shape : the tensor's.
    data, grad : the tensor's values and its gradient: of the loss and of the leaves.
    inputs : the nodes that it was made of.
    """

    name: str
    grad_fn: str | None
    shape: tuple[int, ...]
    data: list[float] | float | None = None
    grad: list[float] | float | None = None
    inputs: list[GraphNode] = field(default_factory=list)


def loss_graph(observations: Observations, params: FloatArray, loss: Loss) -> GraphNode:
    """The graph of the mean `loss` of the observations at `params`, walked backward once.

    Built as the lecture writes it: w·x + b for one feature, Xw + b for several, which is ŷ, or z
    where the loss has a link; without b where there is no intercept, and the weighted mean where
    there are weights.
    """
    import torch

    rows = observations.rows
    assert rows is not None
    data = torch.from_numpy(np.concatenate([*rows.blocks()]))
    size = len(observations.features)
    x, y = data[:, :size], data[:, size + 1]
    single = size == 1
    w = torch.tensor(params[0] if single else params[:-1], requires_grad=True)
    b = torch.tensor(params[-1], requires_grad=True)
    z = w * x[:, 0] if single else x @ w
    if observations.intercept:
        z = z + b
    values: Tensor = loss.value(z, y)
    if observations.weight is None:
        value = values.mean()
    else:
        value = (data[:, -1] * values).sum() / observations.weight
    names = {id(w): "w", id(b): "b"}
    called = "y_hat" if loss.link == "identity" else "z"
    leaves: list[tuple[GraphNode, Any]] = []

    def node(function: Any) -> GraphNode:
        leaf = getattr(function, "variable", None)
        if leaf is not None:
            leaves.append((GraphNode(names[id(leaf)], None, tuple(leaf.shape)), leaf))
            return leaves[-1][0]
        inputs = [node(earlier) for earlier, _ in function.next_functions if earlier is not None]
        name = called if function is z.grad_fn else ""
        made = GraphNode(name, function.name(), (), inputs=inputs)

        def keep_shape(grads: Any) -> None:
            """What comes back along the graph has the shape of what went forth."""
            made.shape = tuple(grads[0].shape)

        function.register_prehook(keep_shape)
        return made

    root = node(value.grad_fn)
    backward: Any = value.backward
    backward()
    root.name, root.data = "loss", value.item()
    for made, leaf in leaves:
        made.data, made.grad = leaf.data.tolist(), leaf.grad.tolist()
    return root


def to_dot(root: GraphNode) -> str:
    """The graph for Graphviz: ``gdfit graph DATA --format dot | dot -Tsvg > graph.svg``."""
    lines = ["digraph loss {", "  rankdir=BT;", "  node [shape=box, fontname=monospace];"]
    leaves: dict[str, str] = {}
    numbers = count()

    def add(node: GraphNode) -> str:
        if node.grad_fn is None and node.name in leaves:
            return leaves[node.name]
        key = f"n{next(numbers)}"
        label = "\\n".join(describe(node))
        style = ", style=filled, fillcolor=lightblue" if node.grad_fn is None else ""
        lines.append(f'  {key} [label="{label}"{style}];')
        if node.grad_fn is None:
            leaves[node.name] = key
        for earlier in node.inputs:
            lines.append(f"  {add(earlier)} -> {key};")
        return key

    add(root)
    return "\n".join([*lines, "}"])


def describe(node: GraphNode) -> list[str]:
    """Lines about a node: its name, and the three attributes of its tensor."""
    shape = f"a tensor of shape {node.shape}" if node.shape else "a tensor of one number"
    text = [f"{node.name}: {shape}" if node.name else shape]
    for name, value in (("data", node.data), ("grad", node.grad)):
        if value is not None:
            text.append(f"{name} = {graph_values(value)}")
    text.append(f"grad_fn = {f'<{node.grad_fn}>' if node.grad_fn else 'None (a leaf)'}")
    return text


def graph_values(value: list[float] | float) -> str:
    """One number or a list of them, in six digits."""
    if isinstance(value, list):
        return "[" + ", ".join(f"{item:.6g}" for item in value) + "]"
    return f"{value:.6g}"
