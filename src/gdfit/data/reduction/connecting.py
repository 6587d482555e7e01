"""Connections to Dask: to a scheduler that is there, or to one that is started on this machine."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from gdfit.errors import GdfitError, listing

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
SILENT = logging.CRITICAL + 1


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask from writing to standard error: what is wrong is said in words of our own."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def address_of(address: str) -> str:
    """The scheduler's address, which may be in a scheduler's file."""
    if not address.endswith(".json"):
        return address
    try:
        return str(json.loads(Path(address).read_text())["address"])
    except FileNotFoundError:
        raise GdfitError("no such file (dask scheduler writes it)", file=address) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise GdfitError("is no file of a Dask scheduler", file=address) from None


@contextmanager
def client_of(address: str, timeout: float) -> Iterator[Client]:
    """A client of the scheduler at this address, or in this file, or of a `LOCAL` one, closed in
    the end.

    Raises
    ------
    GdfitError : there is no scheduler within `timeout` seconds, no key to speak to it, or no Dask.
    """
    if find_spec("distributed") is None:
        raise GdfitError("`dask` needs Dask: pip install 'gdfit[dask]'")
    if address == LOCAL:
        with local_client() as client:
            yield client
        return
    address = address_of(address)
    from distributed import Client
    from distributed.security import Security

    # Dask fails by a TypeError, after which its client takes 20 seconds to end.
    if address.startswith("tls://") and not Security().get_connection_args("client")["ssl_context"]:
        raise GdfitError(
            f"{address} needs TLS, and Dask's settings here (distributed.comm.tls) name no key"
        )
    try:
        client = Client(address, timeout=timeout, set_as_default=False, name="gdfit")
    except (OSError, ValueError, ImportError):
        what = f"there is no Dask scheduler at {address}: start one with dask scheduler"
        raise GdfitError(f"{what}, and name its address in `dask`") from None
    try:
        yield client
    finally:
        client.close(timeout=2)


@contextmanager
def local_client(timeout: float = 60) -> Iterator[Client]:
    """A client of workers on this machine, one for each processor, which end with it.

    They are in a session of their own, so that Ctrl-C is not theirs, and are killed in the end,
    whatever they are doing. Should this process be killed, they end by themselves after a while.
    """
    with tempfile.TemporaryDirectory(prefix="gdfit-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "scheduler.json")
        both = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
        number = ["--nworkers", str(os.cpu_count() or 1), "--nthreads", "1"]
        settings = {
            "DASK_TEMPORARY_DIRECTORY": folder,
            "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT": "60s",
        }
        with (
            process("dask_scheduler", [*both, "--port", "0"], settings),
            process("dask_worker", [*both, *number, "--death-timeout", "60"], settings),
            client_of(awaited_address(str(file), timeout), timeout) as client,
        ):
            yield client


def awaited_address(file: str, timeout: float) -> str:
    """The address in a scheduler's file that is still to be written, or that is being written."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            return address_of(file)
        except GdfitError:
            if time.monotonic() > give_up:
                raise GdfitError("Dask's scheduler does not start on this machine") from None
        time.sleep(0.02)


@contextmanager
def process(command: str, arguments: list[str], settings: dict[str, str]) -> Iterator[None]:
    """One of Dask's commands as a process that is killed in the end, with all that it has
    started."""
    import psutil

    started = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{command}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **settings},
    )
    try:
        yield
    finally:
        children = psutil.Process(started.pid).children(recursive=True)
        started.kill()  # first, so that it starts none of them again
        started.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def check_versions(client: Any, version: str) -> None:
    """Raise where workers have another gdfit, or none."""
    found = client.run(resolve_name, "gdfit:__version__", on_error="return")
    without = [name for name, other in found.items() if not isinstance(other, str)]
    if without:
        names = listing(tuple(without), 3)
        raise GdfitError(f"there is no gdfit on {len(without)} of {len(found)} workers: {names}")
    others = [f"{name} has {other}" for name, other in found.items() if other != version]
    if others:
        what = f"this is gdfit {version}, and of {len(found)} workers {listing(tuple(others), 3)}"
        raise GdfitError(f"{what}: install the same everywhere")
