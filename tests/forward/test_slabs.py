"""Slabs of rows cover an image once, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest

from scintscope.forward.slabs import over_rows


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (1000, 1000), (3, 300_000), (0, 5)])
def test_slabs_cover_every_row_once(shape: tuple[int, int]) -> None:
    """Each row is given to the task exactly once, also where one row is larger than a slab."""
    count = np.zeros(shape[0], dtype=int)

    def task(rows: slice) -> None:
        count[rows] += 1

    over_rows(task, shape)
    assert (count == 1).all()
