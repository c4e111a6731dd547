"""The report of `scintscope restore`: its region of interest and its table."""

from __future__ import annotations

import numpy as np
import pytest

from scintscope.report.measured_report import zoom_region


@pytest.mark.parametrize("shape", [(200, 301), (333, 180), (64, 65)])
def test_zoom_shows_the_detail(shape: tuple[int, int]) -> None:
    """The enlarged square lies inside the frame and holds the only detail there is."""
    image = np.zeros(shape)
    row, column = int(0.6 * shape[0]), int(0.4 * shape[1])
    image[row : row + 3, column : column + 5] = 1.0
    rows, columns = zoom_region(image)
    assert rows.stop - rows.start == columns.stop - columns.start
    assert 0 <= rows.start <= row and row + 3 <= rows.stop <= shape[0]
    assert 0 <= columns.start <= column and column + 5 <= columns.stop <= shape[1]


@pytest.mark.parametrize("shape", [(8, 9), (20, 40)])
def test_zoom_of_a_small_image_stays_inside(shape: tuple[int, int]) -> None:
    """An image smaller than the enlarged square is shown as far as it goes."""
    rows, columns = zoom_region(np.random.default_rng(1).random(shape))
    assert rows.stop <= shape[0] and columns.stop <= shape[1]
    assert rows.stop - rows.start == min(shape)
