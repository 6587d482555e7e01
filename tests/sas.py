"""A file of SAS, written by ReadStat, the library in C that pyreadstat has inside."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TEXT, DOUBLE, WIDTH = 0, 5, 16  # ReadStat's types, and the bytes of a text


def write_sas(path: str, columns: dict[str, Sequence[float] | Sequence[str]]) -> None:
    """Write the columns as a .sas7bdat file."""
    found = find_spec("pyreadstat._readstat_writer")
    assert found
    assert isinstance(found.loader, ExtensionFileLoader)
    library: Any = ctypes.CDLL(found.loader.path)
    written = bytearray()
    taker = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)

    def take(data: int, size: int, _: object) -> int:
        written.extend(ctypes.string_at(data, size))
        return size

    pointer = ctypes.c_void_p
    library.readstat_writer_init.restype = library.readstat_add_variable.restype = pointer
    writer = pointer(library.readstat_writer_init())
    kept = taker(take)
    library.readstat_set_data_writer(writer, kept)
    variables = []
    for name, values in columns.items():
        kind = TEXT if isinstance(values[0], str) else DOUBLE
        size = ctypes.c_size_t(WIDTH)
        variables.append(pointer(library.readstat_add_variable(writer, name.encode(), kind, size)))
    rows = [*zip(*columns.values(), strict=True)]
    assert library.readstat_begin_writing_sas7bdat(writer, None, ctypes.c_long(len(rows))) == 0
    for row in rows:
        library.readstat_begin_row(writer)
        for variable, value in zip(variables, row, strict=True):
            if isinstance(value, str):
                library.readstat_insert_string_value(writer, variable, value.encode())
            else:
                library.readstat_insert_double_value(writer, variable, ctypes.c_double(value))
        library.readstat_end_row(writer)
    assert library.readstat_end_writing(writer) == 0
    library.readstat_writer_free(writer)
    Path(path).write_bytes(written)
