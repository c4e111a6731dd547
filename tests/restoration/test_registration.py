"""Registration: known sub-pixel motions, defects as landmarks, failures that say so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from restoration_scenes import moved, plate, target
from scintscope.errors import DataError
from scintscope.restoration import (
    RegistrationStatus,
    Transform,
    register_background,
    register_pair,
    warp,
)
from scintscope.restoration.features import fit_similarity
from scintscope.restoration.transform import sample_grid

# What the PSF estimate can stand: a tenth of a pixel.
REGISTERED_PX = 0.1


def worst_corner(first: Transform, second: Transform, shape: tuple[int, int]) -> float:
    """Return the largest distance between two motions over the image's corners, pixels."""
    m, n = shape[0] - 1, shape[1] - 1
    corners = np.array([[0, 0], [0, n], [m, 0], [m, n]], dtype=float)
    gap = first.map(corners, shape) - second.map(corners, shape)
    return float(np.linalg.norm(gap, axis=1).max())


@pytest.mark.parametrize(
    "truth",
    [
        Transform(shift_row_px=0.37, shift_column_px=-0.62),
        Transform(shift_row_px=5.3, shift_column_px=3.25),
        Transform(shift_row_px=-12.7, shift_column_px=8.25, scale=1.002, angle_rad=0.003),
    ],
)
def test_pair_known_motion(truth: Transform):
    """A sharp and a blurred, noisy view of a target are registered to 0.1 px at every corner."""
    rng = np.random.default_rng(1)
    wide = target((400, 420))
    inner = (slice(40, -40), slice(40, -40))
    shape = wide[inner].shape
    thick = sample_grid(ndimage.gaussian_filter(wide, 3.0), truth)[inner]
    thin = wide[inner] + rng.normal(0, 0.03, shape)
    report = register_pair(0.8 * thick + rng.normal(0, 0.01, shape) + 0.1, thin)
    assert report.status.trusted
    assert worst_corner(report.transform, truth, shape) < REGISTERED_PX


def test_pair_ignores_independent_defects():
    """Defects that differ between the plates do not pull the motion off the target."""
    rng = np.random.default_rng(2)
    sharp = target((360, 380))
    thin = moved(sharp, 0.6, -0.4) * plate(sharp.shape, rng, 30, 0.7)
    thick = ndimage.gaussian_filter(sharp, 2.5) * plate(sharp.shape, rng, 30, 2.5)
    shift = register_pair(thick, thin, model="translation").transform.shift_px
    np.testing.assert_allclose(shift, [0.6, -0.4], atol=REGISTERED_PX)


@pytest.mark.parametrize("shift", [(0.4, -0.3), (3.3, -7.6)])
def test_background_follows_defects_not_target(shift: tuple[float, float]):
    """Plate defects move, the strong target does not: the defects' motion is found."""
    rng = np.random.default_rng(3)
    base = plate((400, 380), rng, 40, 0.8)
    sample = rng.poisson(2000 * base * target(base.shape)) / 2000
    background = rng.poisson(2000 * moved(base, *shift)) / 2000
    report = register_background(sample, background)
    assert report.status.trusted and report.defects >= 10
    np.testing.assert_allclose(report.transform.shift_px, shift, atol=REGISTERED_PX)


def test_background_without_defects_stays():
    """With nothing but noise on the plate no motion is made up, and the status says why."""
    rng = np.random.default_rng(4)
    sample = rng.poisson(1000 * target((200, 220))).astype(float)
    report = register_background(sample, rng.poisson(1000 * np.ones((200, 220))).astype(float))
    assert report.status is RegistrationStatus.NO_DEFECTS
    assert report.transform == Transform()
    assert "no plate defects" in report.sentence


def test_unrelated_images_fail_openly():
    """Two images of pure noise end as FAILED with no motion, never as a guess."""
    rng = np.random.default_rng(5)
    report = register_pair(rng.normal(size=(200, 210)), rng.normal(size=(200, 210)))
    assert not report.status.trusted
    assert report.transform == Transform()


def test_warp_brings_moving_onto_fixed():
    """A content moved by (+2.5, -1.25) comes back with that transform; the mask marks the rest."""
    image = ndimage.gaussian_filter(target((150, 171)), 1.5)
    warped, valid = warp(
        moved(image, 2.5, -1.25), Transform(shift_row_px=2.5, shift_column_px=-1.25)
    )
    assert valid.shape == image.shape
    assert not valid[-2:].any() and valid[:-3, 2:].all() and not valid[:, :1].any()
    # two cubic-spline interpolations of content smoothed by 1.5 px
    np.testing.assert_allclose(warped[10:-10, 10:-10], image[10:-10, 10:-10], atol=5e-3)


def test_warp_by_nothing_is_exact():
    """The identity returns the same numbers, not an interpolation of them."""
    image = np.random.default_rng(6).random((9, 12))
    warped, valid = warp(image, Transform())
    np.testing.assert_array_equal(warped, image)
    assert valid.all()


def test_transform_orientation_and_inverse():
    """A quarter turn takes the row axis to the column axis; then(inverse) is the identity."""
    turn = Transform(angle_rad=math.pi / 2)
    np.testing.assert_allclose(turn.map(np.array([3.0, 1.0]), (3, 3)), [1.0, 3.0], atol=1e-12)
    t = Transform(shift_row_px=3.0, shift_column_px=-2.0, scale=1.1, angle_rad=0.2)
    assert worst_corner(t.then(t.inverse()), Transform(), (50, 70)) < 1e-10  # float rounding


def test_fit_similarity_closed_form():
    """Points moved by a known similarity give it back."""
    truth = Transform(shift_row_px=1.5, shift_column_px=-4.0, scale=0.97, angle_rad=-0.1)
    points = np.random.default_rng(7).normal(0, 50, (20, 2))
    found = fit_similarity(points, points @ truth.matrix.T + truth.shift_px)
    assert worst_corner(found, truth, (100, 100)) < 1e-9  # float rounding


def test_refuses_unequal_shapes():
    """Two shapes cannot be registered."""
    with pytest.raises(DataError, match="one shape"):
        register_pair(np.ones((30, 30)), np.ones((30, 31)))
