"""Files that are often taken for tables: told for what they are, with the command that makes a
table of them, where there is one."""

from __future__ import annotations

import json
import re
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


# By a pattern of the bytes that they start with.
OTHER_KINDS: dict[bytes, OtherKind] = {
    rb"\x80[\2-\5]": by_pandas("a pickle", "read_pickle(FILE)"),
    rb"\x93NUMPY": OtherKind(
        "an array of NumPy's",
        "import numpy, sys; numpy.savetxt(sys.stdout, numpy.load(FILE))",
        "python -c",
    ),
    rb"RD[AX][23]\n": OtherKind(
        "an R workspace", "write.csv(get(load(FILE)[1]), row.names = FALSE)", "Rscript -e"
    ),
    rb"(?:X\n\0\0\0[\2\3]|A\n[23]\n)": OtherKind(
        "an object of R's", "write.csv(readRDS(FILE), row.names = FALSE)", "Rscript -e"
    ),
    rb"MATLAB": OtherKind("a file of MATLAB's: write a table of it there with writetable"),
    rb"SQLite format 3": OtherKind("a database", "sqlite3 -csv -header FILE 'select * from TABLE'"),
    rb"\x89HDF": by_pandas("HDF5", "read_hdf(FILE)"),
    rb"(?s:.{257})ustar": OtherKind("a tar archive", "tar -xOf FILE"),
    rb"7z\xbc\xaf": OtherKind("a 7z archive", "7z x -so FILE"),
    rb"Rar!\x1a": OtherKind("a rar archive", "unrar p -inul FILE"),
    rb"\x04\x22\x4d\x18": OtherKind("compressed by lz4", "lz4 -dc FILE"),
    rb"\x1f\x9d": OtherKind("compressed by compress", "zcat FILE"),
    rb"%PDF-": OtherKind("a PDF: copy its table to a spreadsheet, and save that as CSV"),
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a": OtherKind(
        "a picture: type its numbers into a spreadsheet, and save that as CSV"
    ),
    rb"(?i:\s*<(?:!doctype html|html))": by_pandas("a web page", "read_html(FILE)[0]"),
    rb"\s*<\?xml": by_pandas("XML", "read_xml(FILE)"),
}


def typed_file(name: str) -> str:
    """What a command that takes a file is given for the one of this name."""
    return "FILE" if scheme_of(name) or name == name_of_file("-") else name


def refuse_other_kinds(start: bytes, name: str) -> None:
    """Raise where the first bytes of a file show that it is something else than a table."""
    for pattern, kind in OTHER_KINDS.items():
        if re.match(pattern, start):
            told = kind.told(typed_file(name))
            if scheme_of(name) and kind.called == "a web page":
                told = "a web page: the address of the file itself is behind its Raw or Download"
            raise GdfitError(f"is no table but {told}", file=name)
