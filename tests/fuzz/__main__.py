"""``cd tests; python -m fuzz [COUNT] [SEED]``: so many cases, from this seed on."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from fuzz.checks import check


def main() -> None:
    count, first = (int(text) for text in (*sys.argv[1:], "1000", "0")[:2])
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                check(seed, Path(folder))
            except BaseException:
                print(f"seed {seed}:", file=sys.stderr)
                raise
    seconds = time.monotonic() - begin
    print(f"{count} cases from seed {first} on without a finding, in {seconds:.0f} s")


main()
