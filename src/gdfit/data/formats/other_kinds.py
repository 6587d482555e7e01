"""Files that are often taken for tables: told for what they are, with the command that makes a
table of them, where there is one."""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

from gdfit.data.data_file import name_of_file, scheme_of
from gdfit.errors import GdfitError


class OtherKind(NamedTuple):
    """What is no table.

    called : what it is, for messages.
    script : what makes CSV of it, with ``FILE`` for its name.
    program : which takes the script as its last argument; by default a shell.
    """

    called: str
    script: str = ""
    program: str = ""

    def told(self, name: str) -> str:
        """What it is and what to type, where it is the file of this name."""
        if not self.script:
            return self.called
        if self.program:
            command = f"{self.program} {shlex.quote(self.script.replace('FILE', as_literal(name)))}"
        else:
            command = self.script.replace("FILE", shlex.quote(name))
        return f"{self.called}: {command} | gdfit train -"


def as_literal(text: str) -> str:
    """A text in double quotes, as Python and R read it."""
    return json.dumps(text, ensure_ascii=False)


def by_pandas(called: str, read: str) -> OtherKind:
    """What pandas reads by this expression."""
    script = f"import pandas; print(pandas.{read}.to_csv(index=False))"
    return OtherKind(called, script, "python -c")


PICKLE, R = by_pandas("a pickle", "read_pickle(FILE)"), "Rscript -e"
WORKSPACE = OtherKind("an R workspace", "write.csv(get(load(FILE)[1]), row.names = FALSE)", R)
OBJECT_OF_R = OtherKind("an object of R's", "write.csv(readRDS(FILE), row.names = FALSE)", R)
PICTURE = OtherKind("a picture: type its numbers into a spreadsheet, and save that as CSV")
MATLAB = OtherKind("a file of MATLAB's: write a table of it there with writetable")
PAGE = by_pandas("a web page", "read_html(FILE)[0]")
# By what stands in them after so many bytes, in small letters, blanks at the start not counted.
OTHER_KINDS: dict[tuple[int, bytes], OtherKind] = {
    **{(0, b"\x80%c" % protocol): PICKLE for protocol in range(2, 6)},
    (0, b"\x93numpy"): OtherKind(
        "an array of NumPy's",
        "import numpy, sys; numpy.savetxt(sys.stdout, numpy.load(FILE))",
        "python -c",
    ),
    **{
        (0, b"rd%c%d\n%c\n" % (form, version, form)): WORKSPACE
        for form in b"ax"
        for version in (2, 3)
    },
    **{(0, b"x\n\0\0\0%c" % version): OBJECT_OF_R for version in (2, 3)},
    **dict.fromkeys([(0, b"matlab 5.0 mat-"), (0, b"matlab 7.3 mat-")], MATLAB),
    (0, b"sqlite format 3"): OtherKind(
        "a database", "sqlite3 -csv -header FILE 'select * from TABLE'"
    ),
    (0, b"\x89hdf"): by_pandas("HDF5", "read_hdf(FILE)"),
    (257, b"ustar"): OtherKind("a tar archive", "tar -xOf FILE"),
    (0, b"7z\xbc\xaf"): OtherKind("a 7z archive", "7z x -so FILE"),
    (0, b"rar!\x1a"): OtherKind("a rar archive", "unrar p -inul FILE"),
    (0, b"\x04\x22\x4d\x18"): OtherKind("compressed by lz4", "lz4 -dc FILE"),
    (0, b"\x1f\x9d"): OtherKind("compressed by compress", "zcat FILE"),
    (0, b"%pdf-"): OtherKind("a PDF: copy its table to a spreadsheet, and save that as CSV"),
    **dict.fromkeys(
        [(0, b"\x89png"), (0, b"\xff\xd8\xff"), (0, b"gif87a"), (0, b"gif89a")], PICTURE
    ),
    **dict.fromkeys([(0, b"<!doctype html"), (0, b"<html"), (0, b"<table")], PAGE),
    (0, b"<?xml"): by_pandas("XML", "read_xml(FILE)"),
}


def typed_file(name: str) -> str:
    """What a command that takes a file is given for the one of this name."""
    return "FILE" if scheme_of(name) or name == name_of_file("-") else name


def refuse_other_kinds(start: bytes, name: str) -> None:
    """Raise where the first bytes of a file show that it is something else than a table."""
    start = start.lstrip().lower()
    for (place, mark), kind in OTHER_KINDS.items():
        if start.startswith(mark, place):
            told = kind.told(typed_file(name))
            if scheme_of(name) and kind is PAGE:
                told = "a web page: the address of the file itself is behind its Raw or Download"
            raise GdfitError(f"is no table but {told}", file=name)
