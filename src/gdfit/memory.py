"""Memory of this process: how it is asked of the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache


@cache
def keep_blocks() -> None:
    """Keep what blocks of rows free for the next ones: giving it back to the system and asking for
    it again takes as long as reading the blocks, and where Dask has set a low limit, five times as
    long."""
    with suppress(OSError, AttributeError):  # where there is no glibc
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_threshold, m_arena_max = -1, -3, -8
        libc.mallopt(m_trim_threshold, 1 << 25)
        libc.mallopt(m_mmap_threshold, 1 << 25)
        libc.mallopt(m_arena_max, 1)  # threads share what is kept
