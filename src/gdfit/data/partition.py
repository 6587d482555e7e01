"""Observations that a category parts into groups, each to be fitted by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray, Near
from gdfit.data.batch import SAMPLE_ROWS, Codes, Level
from gdfit.data.observations import Observations, Rows
from gdfit.data.terms.expansion import Expansion, identity_expansion


@dataclass(frozen=True, repr=False, kw_only=True)
class GroupedObservations(Observations):
    """Observations and their groups, in the order of the category's levels.

    counts, weights, log_weights : of each group N, Σv and Σ log v, shape (groups,).
    triangles : of each group R, shape (groups, p+2, p+2), with an origin taken away.
    origin : that, shape (p,).
    read_sample : the sample as it was read, with the codes of groups.
    read_rows : all rows so, if they have been kept.
    """

    counts: NDArray[np.int64]
    weights: FloatArray
    log_weights: FloatArray
    triangles: FloatArray
    origin: FloatArray
    read_sample: FloatArray
    read_rows: Rows | None

    @property
    def made_of(self) -> Expansion:
        """What makes the rows' features, and says their groups."""
        return self.expansion or identity_expansion(self.features)

    @property
    def groups(self) -> tuple[Level, ...]:
        """What the groups are called."""
        return self.made_of.levels[-1]

    @property
    def column(self) -> str:
        """The column that says the group, or the part of its dates."""
        by = self.made_of.by
        assert by is not None
        return str(by) if by.function else by.column

    @property
    def by_size(self) -> list[int]:
        """The places of the groups that have rows, the largest first."""
        order: list[int] = np.argsort(-self.counts, kind="stable").tolist()
        return order[: int(np.count_nonzero(self.counts))]

    @cached_property
    def within(self) -> Expansion | None:
        """What makes the features within a group, where they are not columns as they stand."""
        alone = replace(self.made_of, by=None, levels=self.made_of.levels[:-1])
        return None if alone.is_plain else alone

    def group(self, place: int) -> Observations:
        """Those of the group at a place. Their last row is not known."""
        near, rows = Near(self.triangles[place], self.origin), None
        read = self.read_sample[self._groups_of(self.read_sample) == place]
        if self.read_rows:
            end = int(self.counts[: place + 1].sum())
            read = self._in_order[end - int(self.counts[place]) : end]
            rows = Rows(self.read_rows.columns)
            rows.add(read)
            rows = rows.changed(self.made_of.expand)
            read = read[:: -(-len(read) // SAMPLE_ROWS)]
        size, shown = len(self.features), self.made_of.expand(read)
        is_weighed = self.weight is not None
        shared: dict[str, Any] = {
            each.name: getattr(self, each.name) for each in fields(Observations)
        }
        own: dict[str, Any] = {
            "augmented": near.whole,
            "near": near if self.origin.any() else None,
            "count": int(self.counts[place]),
            "weight": float(self.weights[place]) if is_weighed else None,
            "log_weight": float(self.log_weights[place]),
            "first": shown[:0, : size + 1],
            "last": np.full(size + 1, math.nan),
            "sample": np.delete(shown[:, : size + 2], size, axis=1),
            "rows": rows,
            "first_weights": None,
            "sample_weights": shown[:, -1] if is_weighed else None,
            "sample_inputs": read[:, : len(self.made_of.numbers)],
            "expansion": self.within,
        }
        return Observations(**{**shared, **own})

    def _groups_of(self, rows: FloatArray) -> Codes:
        return self.made_of.codes(rows)[:, -1]

    @cached_property
    def _in_order(self) -> FloatArray:
        """All rows, group by group."""
        assert self.read_rows is not None
        rows = np.concatenate([*self.read_rows.blocks()])
        return rows[np.argsort(self._groups_of(rows), kind="stable")]
