"""Exact pixel coverage of simple shapes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.grids import Grid
from scintscope.sample.coverage import (
    Box,
    comb_coverage,
    disc_coverage,
    half_plane_coverage,
    interval_coverage,
    window,
)

# Closed forms in float64: differences of terms of order one, a few hundred roundings summed.
ROUNDING = 1e-11


@settings(max_examples=40, deadline=None)
@given(
    low=st.floats(-9.0, 5.0),
    length=st.floats(0.0, 4.0),
    pixel=st.floats(0.1, 3.0),
)
def test_interval_length_is_conserved(low: float, length: float, pixel: float) -> None:
    """The covered length summed over pixels is the interval's length."""
    grid = Grid(shape=(1, 2 * math.ceil(10.0 / pixel) + 1), pixel_um=pixel)
    cover = interval_coverage(grid.column_um, pixel, low, low + length)
    assert cover.sum() * pixel == pytest.approx(length, abs=ROUNDING)


def test_interval_partial_pixels_are_exact() -> None:
    """A bar from 0.25 to 1.5 covers the pixels around 0, 1 and 2 by 1/4, 1 and 0."""
    cover = interval_coverage(np.array([0.0, 1.0, 2.0]), 1.0, 0.25, 1.5)
    assert cover == pytest.approx([0.25, 1.0, 0.0], abs=1e-15)  # one rounding


def test_comb_has_bars_and_gaps_of_one_width() -> None:
    """Five bars of width w cover 5 w and start every 2 w."""
    x = (np.arange(400) + 0.5) * 0.1
    cover = comb_coverage(x, 0.1, 3.03, 1.37, 5)
    assert cover.sum() * 0.1 == pytest.approx(5 * 1.37, abs=ROUNDING)
    assert cover[x < 2.9].max() == 0.0
    gap = (x > 3.03 + 1.37 + 0.1) & (x < 3.03 + 2 * 1.37 - 0.1)
    assert cover[gap].max() == 0.0


@settings(max_examples=40, deadline=None)
@given(radius=st.floats(0.05, 6.0), row=st.floats(-0.5, 0.5), column=st.floats(-0.5, 0.5))
def test_disc_area_is_exact(radius: float, row: float, column: float) -> None:
    """The covered area of a disc of any size and position is pi r^2."""
    steps = np.arange(-8.0, 9.0)
    cover = disc_coverage(steps - row, steps - column, 1.0, radius)
    assert cover.sum() == pytest.approx(math.pi * radius**2, abs=ROUNDING)


def test_disc_agrees_with_fine_sampling() -> None:
    """Each pixel's exact coverage is that of a 200 x 200 sub-sampling, at an odd offset."""
    rows, columns = np.arange(-3.0, 4.0) + 0.3, np.arange(-4.0, 4.0) - 0.1
    fine = (np.arange(200) + 0.5) / 200 - 0.5
    r = (rows[:, None] + fine).reshape(-1)
    c = (columns[:, None] + fine).reshape(-1)
    inside = (r[:, None] ** 2 + c[None, :] ** 2 < 2.4**2).reshape(7, 200, 8, 200)
    # Sub-sampling a smooth border errs by at most about one row of sub-samples: 1/200.
    np.testing.assert_allclose(
        disc_coverage(rows, columns, 1.0, 2.4), inside.mean(axis=(1, 3)), atol=5e-3
    )


@settings(max_examples=40, deadline=None)
@given(angle=st.floats(0.0, 2 * math.pi), distance=st.floats(-0.9, 0.9))
def test_half_plane_agrees_with_fine_sampling(angle: float, distance: float) -> None:
    """A half-plane at any angle covers what a sub-sampled pixel says."""
    fine = (np.arange(400) + 0.5) / 400 - 0.5
    row, column = math.sin(angle), math.cos(angle)
    inside = distance + row * fine[:, None] + column * fine[None, :] > 0
    cover = half_plane_coverage(np.array(distance), row, column, 1.0)
    # One row of 400 sub-samples may lie on either side of an axis-parallel edge.
    assert float(cover) == pytest.approx(inside.mean(), abs=1.5 / 400)


def test_half_plane_axis_parallel_is_exact() -> None:
    """An edge along the columns covers the pixel linearly in its distance."""
    cover = half_plane_coverage(np.array([-0.6, -0.25, 0.0, 0.25, 0.6]), 0.0, 1.0, 1.0)
    # The formula's smallest tilt, 1e-7, bounds the error.
    assert cover == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0], abs=1e-7)


@pytest.mark.parametrize("shape", [(7, 10), (8, 5)])
def test_window_holds_the_grid_coordinates(shape: tuple[int, int]) -> None:
    """The coordinates of a window are those of the grid at its slices, on odd and even sizes."""
    grid = Grid(shape=shape, pixel_um=0.7)
    box = Box(row_low_um=-1.1, row_high_um=1.9, column_low_um=0.2, column_high_um=99.0)
    part = window(grid, box)
    np.testing.assert_allclose(part.row_um, grid.row_um[part.rows], atol=1e-14)
    np.testing.assert_allclose(part.column_um, grid.column_um[part.columns], atol=1e-14)
    assert part.row_um[0] - 0.35 <= -1.1 < part.row_um[0] + 0.35
    assert part.columns.stop == shape[1]


def test_window_outside_is_empty() -> None:
    """A box beside the grid gives an empty window."""
    box = Box(row_low_um=50.0, row_high_um=60.0, column_low_um=0.0, column_high_um=1.0)
    assert window(Grid(shape=(9, 9), pixel_um=1.0), box).empty
