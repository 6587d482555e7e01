"""The lecture's functions in submissions, whatever they are written with: how they are called, and
the numbers in what they return."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

MOST_NUMBERS = 1_000_000  # that a function may return
PLACES = 3  # in what a training loop returns, where the params may be

# The lecture's functions, and what they take in its order; and what else they may take, where
# `epochs` may be the number of observations.
LECTURE = {
    "model": "x w b",
    "loss_fn": "y_hat y",
    "dloss_fn": "y_hat y",
    "dmodel_dw": "x w b",
    "dmodel_db": "x w b",
    "grad_fn": "x y y_hat w b",
    "training_loop": "epochs lr params x y",
}
ALSO = {
    "model": "params",
    "loss_fn": "epochs",
    "grad_fn": "params epochs",
    "training_loop": "w b quiet losses",
}
ELEMENTWISE = ("model", "dloss_fn", "dmodel_dw", "dmodel_db")
UNCHANGED = ("x", "y", "y_hat")  # which stay as they are
# What params are called, in small letters and without underscores, by what they stand for.
CALLED = {
    "x": "x xhat xs xi xdata xtrain xvals xvalues input inputs feature features data tu tun",
    "y": "y ys yi ytrue ydata ytrain yobs yreal target targets label labels observed obs truth "
    "actual groundtruth expected t tc",
    "y_hat": "yhat yhats ypred ypreds ypredicted pred preds prediction predictions predicted "
    "output out tp yp ybar ymodel estimate estimated fitted",
    "w": "w weight weights slope m w1 theta1 beta1 coef",
    "b": "b bias intercept c w0 theta0 beta0 b0",
    "params": "params param parameters theta thetas p p0 wb initialparams initparams paramsinit "
    "startparams params0 coefs coefficients",
    "lr": "learningrate lr eta alpha gamma rate step stepsize",
    "epochs": "nepochs epochs numepochs n niter iterations iters niterations numiterations maxiter "
    "nsteps steps maxepochs",
    "quiet": "printparams verbose print show debug log plot",
    "losses": "losses history losshistory",
}
ROLES = {name: role for role, names in CALLED.items() for name in names.split()}


# The lecture's functions as they should be, of arrays, tensors and numbers.


def model(x: Any, w: Any, b: Any) -> Any:
    """ŷ = w·x + b, of one feature."""
    return w * x + b


def loss_fn(y_hat: Any, y: Any) -> Any:
    """The mean of (ŷ − y)²."""
    return ((y_hat - y) ** 2).mean()


def dloss_fn(y_hat: Any, y: Any) -> Any:
    """2(ŷ − y) of each observation."""
    return 2 * (y_hat - y)


class ChangedError(Exception):
    """A function has changed what it was given."""


def signature_of(function: Callable[..., Any], name: str) -> inspect.Signature:
    """What one of the lecture's functions takes; in the lecture's order where it does not say."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(each, kind) for each in LECTURE[name].split()])


def assigned(function: Callable[..., Any], name: str, *, in_order: bool = False) -> dict[str, str]:
    """What each param of one of the lecture's functions stands for: by its name, or what is left,
    in the lecture's order."""
    every = signature_of(function, name).parameters.values()
    params = [each for each in every if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    needed = [each.name for each in params if each.default is each.empty]
    order = LECTURE[name].split()
    if len(needed) < len(order) and "y_hat" in order[2:]:
        order.remove("y_hat")  # it is made of the others
    if in_order or not params:
        return dict(zip(needed or order, order, strict=False))
    known = {*LECTURE[name].split(), *ALSO.get(name, "").split()}
    roles = {each.name: ROLES.get(each.name.lower().replace("_", "")) for each in params}
    found = {
        param: role
        for param, role in roles.items()
        if role in known and (param in needed or role not in ("quiet", "losses"))
    }
    rest = [role for role in order if role not in found.values()]
    others = zip([param for param in needed if param not in found], rest, strict=False)
    return {**found, **dict(others)}


def called(name: str, function: Callable[..., Any], roles: Mapping[str, str], values: Any) -> Any:
    """What one of the lecture's functions returns for `values` of what its params stand for."""
    kinds = signature_of(function, name).parameters
    given = {name: values[role] for name, role in roles.items()}
    if not given.keys() <= kinds.keys():  # it takes *args
        return function(*given.values())
    alone = [name for name in given if kinds[name].kind is inspect.Parameter.POSITIONAL_ONLY]
    first = [given.pop(name) for name in alone]
    return function(*first, **given)


def forms(text: str) -> Iterator[Callable[[Any], Any]]:
    """What makes of lists and numbers what a submission may take: tensors, arrays, lists; columns
    of them; Series of pandas; one number after the other."""
    numpy, torch, pandas = map(sys.modules.get, ("numpy", "torch", "pandas"))

    def array(value: Any) -> Any:
        return numpy.array(value, dtype=float)[()]  # type: ignore[union-attr]

    def column(form: Callable[[Any], Any], value: Any) -> Any:
        return form(value).reshape(-1, 1) if isinstance(value, list) else form(value)

    several: list[Callable[[Any], Any]] = [array]
    if torch and "torch" in text:
        kinds = torch.float64, torch.float32
        several = [*(partial(torch.tensor, dtype=kind) for kind in kinds), array]
    yield from several
    yield lambda value: value
    yield from (partial(column, form) for form in several)
    if pandas:
        yield lambda value: pandas.Series(value) if isinstance(value, list) else value
    yield each_by_itself


def each_by_itself(value: Any) -> Any:
    """The form of what is called with one number after the other."""
    return value


def numbers(value: Any) -> list[float] | None:
    """The numbers in what a function returns, one after the other, those of w before b's; None
    where it returns nothing."""
    for name in ("detach", "to_numpy", "tolist"):
        if hasattr(value, name):
            value = getattr(value, name)()
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value, key=is_of_b)]
    if isinstance(value, list | tuple):
        found = [numbers(each) for each in value]
        flat = [each for part in found for each in part or []]
        if len(flat) > MOST_NUMBERS:
            raise ValueError(f"it returns {len(flat):,} numbers")
        return None if None in found else flat
    if value is None:
        return None
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"it returns {type(value).__name__}, and no numbers")
    return [float(value)]


def is_of_b(key: object) -> bool:
    """Whether an entry of this name is of b."""
    name = str(key).lower()
    return name.endswith(("b", "b0", "c")) or "bias" in name or "intercept" in name


def params_in(value: Any) -> list[list[float] | None]:
    """What the params may be in what a training loop returns, at the same places whatever the
    number of epochs: all of it; its first two; its last; the first, the second, the third."""
    if isinstance(value, dict):
        named = [value[key] for key in value if ROLES.get(str(key).lower()) == "params"]
        value = named or [value[key] for role in "wb" for key in value if ROLES.get(key) == role]
    parts = [*value[:PLACES], value[-1]] if isinstance(value, tuple | list) and value else []
    found = [None if isinstance(each, str) else numbers(each) for each in parts]
    sizes = [len(each or []) for each in found]
    pair = numbers(value[:2]) if sizes[:2] == [1, 1] else None
    last = found.pop() if found and isinstance(value, list) else None
    every = [each if each and len(each) == 2 else None for each in (pair, last, *found[:PLACES])]
    whole = None if isinstance(value, tuple) and str in map(type, value) else numbers(value)
    return [whole, *every, *[None] * (PLACES + 2 - len(every))]


def returned(name: str, function: Any, roles: Mapping[str, str], case: Any, form: Any) -> Any:
    """The numbers that a function returns; a training loop for each number of epochs, at each place
    where they may stand."""
    x, w, b = case["x"], case["w"], case["b"]
    count = len(x)
    columns = {"x": x, "y": case["y"], "y_hat": [w * each + b for each in x]}

    def arguments(epochs: int, columns: Mapping[str, Any] = columns) -> dict[str, Any]:
        made = {role: form(value) for role, value in {**columns, "w": w, "b": b}.items()}
        params = form([w, b])
        made["params"] = params.reshape(-1) if hasattr(params, "reshape") else params
        return {**made, "lr": case["lr"], "epochs": epochs, "quiet": False, "losses": []}

    def result(epochs: int, columns: Mapping[str, Any] = columns) -> Any:
        given = arguments(epochs, columns)
        before = {role: numbers(given[role]) for role in UNCHANGED}
        made = called(name, function, roles, given)
        for role in UNCHANGED:
            if numbers(given[role]) != before[role]:
                what = f"{role} = {role} - … makes a new one, {role} -= … does not"
                raise ChangedError(f"it changes {role}, which it is given: {what}")
        return made

    if name == "training_loop":
        return [params_in(result(each)) for each in case["epochs"]]
    if form is each_by_itself and name in ELEMENTWISE:
        rows = [{role: columns[role][row] for role in columns} for row in range(count)]
        return numbers([result(1, row) for row in rows])
    return numbers(result(count))


def put_right(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A right function in the place of one of the lecture's, which takes what that takes, and gives
    the same kind of value."""
    import numpy

    signature, roles = signature_of(original, name), assigned(original, name)

    def right(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        given = {roles[each]: value for each, value in bound.arguments.items() if each in roles}
        is_list = any(isinstance(value, list) for value in given.values())
        if is_list:
            given = {role: numpy.array(given[role]) for role in given}
        if "params" in given:
            given["w"], given["b"] = given["params"]
        if name == "dmodel_db":
            return 1.0
        if name in ("model", "dmodel_dw"):
            made = given["x"] if name == "dmodel_dw" else model(given["x"], given["w"], given["b"])
            return made.tolist() if is_list else made
        y_hat = given["y_hat"] if "y_hat" in given else model(given["x"], given["w"], given["b"])
        slopes = dloss_fn(y_hat, given["y"])
        if name == "loss_fn":
            return loss_fn(y_hat, given["y"])
        if name == "dloss_fn":
            return slopes.tolist() if is_list else slopes
        parts = (slopes * given["x"]).mean(), slopes.mean()
        like = original(*arguments, **named)
        if isinstance(like, dict):
            return dict(zip(sorted(like, key=is_of_b), parts, strict=True))
        if isinstance(like, list | tuple):
            return type(like)(parts)
        if hasattr(like, "new_tensor"):
            return like.new_tensor(parts).reshape(like.shape)
        return numpy.array(parts).reshape(like.shape)

    return right
