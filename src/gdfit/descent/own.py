"""Functions of one's own as settings: a loss or an update rule that a file or a program defines.

A file is run as Python runs it, with all that it may do: whoever types ``FILE.py:NAME`` trusts it.
No model ever makes gdfit run one. Whatever goes wrong in such a function is an error of one line,
with its file and line.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gdfit.errors import GdfitError, UsageError, printable, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdfit.arrays import FloatArray

OWN_METAVAR = "FILE.py:NAME"
DERIVATIVE_BESIDE = "a function dNAME(y_hat, y) beside the loss NAME"
PROBED = 50  # observations of which a loss that is a mean is looked at one by one
KINK = 1e-3  # by how much the slope changes within a difference where there is a kink
DIFFER = 1e-5  # by which part derivatives may differ, and losses of some rows from those of all


@dataclass(frozen=True)
class Own:
    """A function of one's own. As text it is ``FILE.py:NAME``, or of a program ``MODULE:NAME``.

    typed : the file and the name as they are typed, of one that a file defines.
    """

    function: Callable[..., Any]
    typed: tuple[str, str] | None = None

    def __str__(self) -> str:
        file = self.typed[0] if self.typed else getattr(self.function, "__module__", "")
        return f"{file}:{self.name}"

    @property
    def name(self) -> str:
        """The function's name."""
        known = getattr(self.function, "__name__", type(self.function).__name__)
        return self.typed[1] if self.typed else str(known)

    @property
    def beside(self) -> Own | None:
        """The function ``dNAME`` that is defined beside it: its derivative, if there is one."""
        file, name = self.typed[0] if self.typed else "", f"d{self.name}"
        names = vars(sys.modules[file]) if file else getattr(self.function, "__globals__", {})
        found = names.get(name)
        return Own(found, (file, name) if file else None) if callable(found) else None

    @property
    def code(self) -> tuple[str, int | None]:
        """The file that defines the function, and the line."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if code and (self.typed is None or code.co_filename == self.typed[0]):
            return code.co_filename, code.co_firstlineno
        return self.typed[0] if self.typed else str(self), None

    def check_takes(self, what: str, *names: str) -> None:
        """Raise where the function, which is `what`, can't be called with so many arguments."""
        try:
            inspect.signature(self.function).bind(*names)
        except ValueError:  # it does not say what it takes
            return
        except TypeError as error:
            taken = f"{what} takes ({', '.join(names)})"
            raise self.fault(f"can't be called: {error}; {taken}") from None

    def fault(self, message: str) -> GdfitError:
        """An error about what the function returns."""
        file, line = self.code
        return GdfitError(f"{self.name} {message}", file=file, line=line)

    def run(self, *arguments: Any) -> Any:
        """What the function returns."""
        with naming_faults(self.code[0]):
            return self.function(*arguments)

    def on_arrays(self, *arrays: FloatArray) -> FloatArray:
        """What it gives for arrays, as an array: called with copies of them, or where it is written
        for torch alone, with tensors."""
        import numpy as np

        with naming_faults(self.code[0]):
            try:
                found = self.function(*(array.copy() for array in arrays))
            except (TypeError, AttributeError):
                import torch

                found = self.function(*(torch.from_numpy(array.copy()) for array in arrays))
        detached = found.detach() if hasattr(found, "detach") else found
        try:
            numbers = np.asarray(detached)
            return numbers.astype(np.float64, casting="same_kind", copy=False)
        except (TypeError, ValueError, RuntimeError):
            raise self.no_numbers(found) from None

    def no_numbers(self, found: Any) -> GdfitError:
        """An error about what it returns in place of real numbers."""
        if found is None:
            return self.fault("returns nothing: it has no return")
        return self.fault(f"returns no real numbers, but {type(found).__name__}: {found!r:.40}")

    def on_tensors(self, z: Any, y: Any) -> Any:
        """What it gives for tensors, as a tensor of which z is in the graph, also where it is
        written for NumPy alone."""
        import torch

        with naming_faults(self.code[0]):
            try:
                found = self.function(z, y.clone())
            except (TypeError, RuntimeError):  # which functions of NumPy raise
                kind = numpy_tensor()
                found = self.function(*(each.as_subclass(kind) for each in (z, y.clone())))
        if isinstance(found, list) and all(isinstance(each, torch.Tensor) for each in found):
            found = torch.stack(found)
        is_tensor = isinstance(found, torch.Tensor)
        if (is_tensor and found.is_complex()) or not (is_tensor or hasattr(found, "__float__")):
            raise self.no_numbers(found)
        if is_tensor and (found.requires_grad or not z.requires_grad):
            return found.as_subclass(torch.Tensor)
        cut = ".item(), float(), .detach() and .numpy() cut the graph"
        raise self.fault(f"returns what autograd can't follow back to its first argument: {cut}")

    def each(self, found: Any, count: int) -> Any:
        """The losses, or their derivatives, of `count` observations: where they are one number,
        that is the mean, and stands for each."""
        if found.shape == (count,):
            return found
        if found.shape in ((), (1,)):
            return found.expand(count) if hasattr(found, "expand") else found.repeat(count)
        shape = tuple(found.shape)
        what = f"one for each of the {count:,} observations, or their mean"
        raise self.fault(f"returns numbers of shape {shape}, and not {what}")

    def losses(self, z: Any, y: Any) -> Any:
        """The loss of each observation, of arrays or tensors of shape (n,)."""
        found = self.on_tensors(z, y) if hasattr(z, "requires_grad") else self.on_arrays(z, y)
        return self.each(found, len(y))

    def mixing(self, y: FloatArray) -> str | None:
        """What is told of a loss that is not of each observation alone, or no mean of such: at
        predictions about y, halves of the observations have others than all of them."""
        import numpy as np

        z = y + (1 + y.std()) * np.random.default_rng(0).standard_normal(len(y))
        whole, half = self.on_arrays(z, y), len(z) // 2
        if not half:
            return None
        with suppress(GdfitError):  # where it is written for so many observations
            parts = [self.losses(z[by], y[by]) for by in (slice(half), slice(half, None))]
            if whole.shape != z.shape and np.allclose(
                whole, sum(each[0] for each in parts), DIFFER
            ):
                return "returns the sum over the observations, which grows with them: take the mean"
            each = np.concatenate(parts)
            alone = each if whole.shape == z.shape else each.mean()
            if np.allclose(whole, alone, DIFFER, equal_nan=True):
                return None
        return "is no loss of each observation, or their mean: it depends on which others there are"

    def slopes(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """The derivative of each observation's loss by autograd, of arrays of shape (n,)."""
        import torch

        inputs = torch.from_numpy(z.copy()).requires_grad_()
        self.losses(inputs, torch.from_numpy(y)).sum().backward()
        assert inputs.grad is not None
        slopes: FloatArray = inputs.grad.numpy()
        return slopes


@cache
def numpy_tensor() -> type:
    """A kind of tensor that NumPy's functions take, by torch's of the same name."""
    import torch

    class NumpyTensor(torch.Tensor):
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
            return self.__array_function__(ufunc, (), inputs, options)

        def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
            as_tensors = (
                torch.as_tensor(each, dtype=self.dtype) if isinstance(each, float | int) else each
                for each in inputs
            )
            return getattr(torch, function.__name__)(*as_tensors, **options)

    return NumpyTensor


def check_derivative(
    own: Own, beside: Own, predictions: Iterable[FloatArray], y: FloatArray, first: int
) -> None:
    """Raise where the derivative `beside` a loss differs from central differences, or autograd's,
    at some `predictions` of y, whose first row is so numbered; but not at kinks."""
    import numpy as np

    for z in predictions:
        found, (other, kinks) = beside.losses(z, y), differences(own, z, y)
        others = {"differences": other}
        with suppress(GdfitError):  # where it is written so that autograd can't follow
            others["autograd"] = own.slopes(z, y)
        for name, other in others.items():
            size = 1e-3 * np.abs(z - y).mean() + np.abs(found) + np.abs(other)
            wrong = np.flatnonzero((np.abs(found - other) > DIFFER * size) & ~kinks)
            if len(wrong):
                row = int(wrong[0])
                where = f"in row {first + row}, where y_hat is {z[row]:.6g} and y {y[row]:.6g}"
                values = f"it is {found[row]:.6g}, and by {name} {other[row]:.6g}"
                raise beside.fault(f"is not the derivative of {own.name}: {where}, {values}")


def differences(own: Own, z: FloatArray, y: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The derivative of each observation's loss by central differences, and where there are kinks;
    of a loss that is a mean, it is NaN but for some observations."""
    import numpy as np

    step = np.cbrt(np.finfo(float).eps) * np.maximum(np.abs(z), 1.0)
    if own.on_arrays(z, y).shape == z.shape:
        below, here, above = (own.losses(each, y) for each in (z - step, z, z + step))
    else:
        below, here, above = np.full((3, len(z)), np.nan)
        for row in range(min(PROBED, len(z))):
            moved = step * (np.arange(len(z)) == row)
            near = (z - moved, z, z + moved)
            below[row], here[row], above[row] = (len(z) * own.losses(each, y)[0] for each in near)
    slope, bend = (above - below) / (2 * step), (above - 2 * here + below) / step
    return slope, np.abs(bend) > KINK * (1 + np.abs(slope))


@contextmanager
def naming_faults(file: str) -> Iterator[None]:
    """Whatever is raised meanwhile, but for Ctrl-C, as one line that says where in the `file`; and
    whatever is printed, on standard error."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (GdfitError, KeyboardInterrupt):
        raise
    except BaseException as error:
        what, line = located(error, file)
        raise GdfitError(what.removesuffix(":"), file=file, line=line) from error


def located(error: BaseException, file: str) -> tuple[str, int | None]:
    """What an error says that the code of a file has raised, on one line; and the line there."""
    what, line = f"{type(error).__name__}: {error}", None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == file:
            line = frame.lineno
    if isinstance(error, SyntaxError) and error.filename == file:
        what, line = f"{type(error).__name__}: {error.msg}", error.lineno
    return " ".join(what.split()), line


def read_own(text: str) -> Own:
    """The function that ``FILE.py:NAME`` names; the file is run.

    Raises
    ------
    UsageError : it is not written so, or there is no such file or function.
    GdfitError : the file can't be run.
    """
    file, _, name = text.rpartition(":")
    if not (file.endswith(".py") and name.isidentifier()):
        raise UsageError(f"takes a function of your own as {OWN_METAVAR}, not {quoted(text)}")
    if not Path(file).is_file():
        raise UsageError(f"finds no file {printable(file)}")
    found = getattr(run_file(file), name, None)
    if not callable(found):
        raise UsageError(f"finds no function {name} in {printable(file)}")
    return Own(found, (file, name))


def run_file(file: str) -> ModuleType:
    """The module that a file makes, run once as long as it stays the same: its functions say that
    they are of this file."""
    source, known = Path(file).read_bytes(), sys.modules.get(file)
    if known and vars(known).get("__source__") == source:
        return known
    module = ModuleType(file)
    vars(module).update(__file__=file, __source__=source)
    folder = str(Path(file).resolve().parent)
    if folder not in sys.path:  # of modules that it imports
        sys.path.insert(0, folder)
    sys.modules[file] = module
    with naming_faults(file):
        exec(compile(source, file, "exec"), vars(module))
    return module
