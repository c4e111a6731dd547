"""Thickness tolerance: contrast after an exchange of plates, and the range it allows."""

import numpy as np
import pytest

from scintscope.errors import InputError, RangeError
from scintscope.optics.defocus import first_crossing_um
from scintscope.optics.otf import otf
from scintscope.optics.tolerance import (
    REFOCUS,
    contrast_after_exchange,
    least_rms_travel_um,
    tolerance_range,
)
from scintscope.optics.wavefront import OpticalPath, rms_waves

F_5X, F_10X = 0.5 / 1.3, 0.5 / 0.65
LENS_5X = OpticalPath(
    na=0.4, index=1.82, wavelength_um=0.55, corrected_for_um=50.0, magnification=5
)
LENS_10X = OpticalPath(
    na=0.9, index=1.82, wavelength_um=0.55, corrected_for_um=50.0, magnification=10
)


@pytest.mark.parametrize("refocus", REFOCUS)
def test_the_thickness_corrected_for_is_perfect(refocus):
    """Nothing is left to refocus at the design thickness, whatever moves."""
    perfect = float(otf(np.array([F_10X]), np.array([50.0]), 0.0, LENS_10X)[0, 0])
    found = contrast_after_exchange(50.0, F_10X, LENS_10X, refocus)
    # quadrature exact to rounding; a search stops 1e-5 um or 1e-4 of a depth of field away
    assert found == pytest.approx(perfect, abs=1e-6)


def test_contrast_agrees_with_the_transfer_function():
    """The contrast at the paraxial focus is that of the general engine at the same travel."""
    for thickness in (0.0, 130.0, 268.0):
        travel = (thickness - 50.0) / 1.82
        wanted = float(otf(np.array([F_5X]), np.array([thickness]), travel, LENS_5X)[0, 0])
        found = contrast_after_exchange(thickness, F_5X, LENS_5X, "paraxial")
        # both quadratures have converged to rounding
        assert found == pytest.approx(wanted, abs=1e-10)


def test_the_more_moves_the_more_contrast():
    """Paraxial <= greatest over the stage, camera <= greatest over stage and camera."""
    stage = contrast_after_exchange(90.0, F_10X, LENS_10X, "stage")
    camera = contrast_after_exchange(90.0, F_10X, LENS_10X, "camera")
    both = contrast_after_exchange(90.0, F_10X, LENS_10X, "both")
    assert contrast_after_exchange(90.0, F_10X, LENS_10X, "none") < stage
    assert contrast_after_exchange(90.0, F_10X, LENS_10X, "paraxial") < stage
    # the camera's parabola leaves 1/n^3 of spherical aberration, the stage 1/n - 1/n^3
    assert stage < camera < both


def test_greatest_contrast_is_the_greatest():
    """No stage position on a fine grid beats the one found."""
    found = contrast_after_exchange(70.0, F_10X, LENS_10X, "stage")
    travel = 20.0 / 1.82 + np.linspace(-6.0, 3.0, 600)
    scanned = [
        float(otf(np.array([F_10X]), np.array([70.0]), a, LENS_10X, counts=(64, 32))[0, 0])
        for a in travel[::6]
    ]
    # a scan in steps of 0.09 um may fall short of the top, never exceed it (rounding 1e-9)
    assert max(scanned) <= found + 1e-9
    assert max(scanned) > found - 2e-2


def test_least_rms_travel_is_a_minimum():
    """The rms wavefront grows to both sides of the optimum refocus."""
    best = least_rms_travel_um(120.0, LENS_10X)
    at = float(rms_waves(120.0, best, LENS_10X))
    assert at < float(rms_waves(120.0, best + 0.05, LENS_10X))
    assert at < float(rms_waves(120.0, best - 0.05, LENS_10X))


def test_without_refocus_the_tolerance_is_the_depth_of_field():
    """If nothing moves, the range is the defocus in the plate at which contrast falls to 30 %."""
    found = tolerance_range(LENS_5X, F_5X, refocus="none")
    depth = first_crossing_um(0.3, F_5X, 0.4, 0.55, 1.82)
    # roots found to 1e-4 um
    assert found.more_um == pytest.approx(depth, abs=3e-4)
    assert 50.0 - found.low_um == pytest.approx(depth, abs=3e-4)


@pytest.mark.parametrize(
    ("path", "frequency", "refocus", "more_um", "tolerance"),
    [
        (LENS_5X, F_5X, "paraxial", 218.0, 0.01),
        (LENS_10X, F_10X, "paraxial", 5.7, 0.02),
        (LENS_10X, F_5X, "stage", 48.3, 0.01),
    ],
)
def test_departures_that_another_code_found(path, frequency, refocus, more_um, tolerance):
    """The thickness tolerance agrees with independent numbers to their printed digits."""
    assert tolerance_range(path, frequency, refocus=refocus).more_um == pytest.approx(
        more_um, rel=tolerance
    )


def test_thin_plates_end_at_nothing():
    """Where contrast never falls towards thinner plates the range begins at zero."""
    found = tolerance_range(LENS_5X, F_5X, refocus="paraxial")
    assert found.low_um == 0.0
    assert found.level == 0.3


def test_pixel_and_relative_level():
    """A relative level does not notice the pixel; an absolute one does, up to an empty range."""
    plain = tolerance_range(LENS_5X, F_5X, level=0.75, relative=True)
    behind = tolerance_range(LENS_5X, F_5X, level=0.75, relative=True, pixel_um=1.3)
    assert plain.high_um == pytest.approx(behind.high_um, abs=2e-4)  # roots to 1e-4 um
    assert behind.contrast == pytest.approx(plain.contrast * np.sinc(0.5))
    empty = tolerance_range(LENS_5X, F_10X, level=0.3, pixel_um=1.3)
    assert (empty.low_um, empty.high_um) == (50.0, 50.0)


def test_refusals():
    """Unknown movements and impossible levels are refused by name."""
    with pytest.raises(InputError, match="refocus"):
        contrast_after_exchange(50.0, F_5X, LENS_5X, "mirror")
    with pytest.raises(RangeError, match="level"):
        tolerance_range(LENS_5X, F_5X, level=1.5)
