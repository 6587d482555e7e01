"""``cd tests; python -m fuzz [COUNT] [SEED] [--kind KIND]``: so many cases, from this seed on."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser
from pathlib import Path

from fuzz.kinds import KINDS

MOST_FINDINGS = 20


def main() -> int:
    parser = ArgumentParser(prog="python -m fuzz")
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--kind", choices=KINDS, default="files")
    asked = parser.parse_args()
    begin, found, count = time.monotonic(), 0, asked.count
    with tempfile.TemporaryDirectory(prefix="gdfit-fuzz-") as folder:
        kind = KINDS[asked.kind]
        for seed, error in kind(range(asked.seed, asked.seed + asked.count), Path(folder)):
            found += 1
            print(f"--- seed {seed}", *traceback.format_exception(error), flush=True)
            if found == MOST_FINDINGS:
                count = seed - asked.seed + 1
                break
    seconds = time.monotonic() - begin
    told = f"{found} findings" if found else "without a finding"
    print(f"{count} cases from seed {asked.seed} on, {told}, in {seconds:.0f} s")
    return int(found > 0)


sys.exit(main())
