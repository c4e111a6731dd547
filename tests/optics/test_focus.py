"""The focus merit and its best stage position."""

import numpy as np
import pytest

from scintscope.optics.focus import best_focus_um, focus_merit
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um
from scintscope.quadrature import interval_nodes

NYQUIST = 0.5 / 1.3
PIXEL_UM = 1.3
THICKNESS_UM = 40.0
PATH = OpticalPath(na=0.4, index=1.83, wavelength_um=0.55, corrected_for_um=15.0)


@pytest.fixture(scope="module")
def plate():
    z, weight = interval_nodes(0.0, THICKNESS_UM, 40)
    return THICKNESS_UM - z, weight * np.exp(-0.03 * z)


@pytest.fixture(scope="module")
def best(plate):
    return best_focus_um(*plate, PATH, NYQUIST, PIXEL_UM, THICKNESS_UM)


@pytest.fixture(scope="module")
def merit(plate):
    return focus_merit(*plate, PATH, NYQUIST, PIXEL_UM, (0.0, THICKNESS_UM))


def test_merit_is_the_area_under_the_presampled_mtf(plate, merit):
    """The factored sum equals a direct one over depths and finely spaced frequencies."""
    depth, weight = plate
    f = (np.arange(400) + 0.5) / 400 * NYQUIST
    for travel in (0.0, 7.0):
        transfer = weight / weight.sum() @ np.asarray(otf(f, depth, travel, PATH))
        direct = (transfer * np.sinc(f * PIXEL_UM)).mean()
        # midpoint rule of 400 samples: (1/400)^2 / 24 x curvature of some 10^2
        assert float(merit(travel)) == pytest.approx(direct, abs=1e-5)


def test_best_focus_beats_all_others(merit, best):
    """No focus depth in the plate has a higher merit than the best one."""
    top = float(merit(travel_for_focus_um(best, PATH)))
    others = [
        float(merit(travel_for_focus_um(s, PATH))) for s in np.linspace(0.0, THICKNESS_UM, 201)
    ]
    # xatol 1e-3 um at a maximum: second order
    assert max(others) <= top + 1e-8
    assert float(merit(travel_for_focus_um(best + 1.0, PATH))) < top
    assert float(merit(travel_for_focus_um(best - 1.0, PATH))) < top


def test_best_focus_lies_on_the_brighter_side(best):
    """Light that decays from the entrance face pulls the focus towards it."""
    assert THICKNESS_UM / 2.0 < best < THICKNESS_UM


def test_best_focus_of_symmetric_light_is_the_middle():
    """Uniform light about the corrected depth is best focused in its middle."""
    path = OpticalPath(na=0.3, index=1.8, wavelength_um=0.55, corrected_for_um=10.0)
    z, weight = interval_nodes(0.0, 20.0, 24)
    found = best_focus_um(20.0 - z, weight, path, NYQUIST, PIXEL_UM, 20.0)
    # the search stops at 1e-3 um; a stage moved from 0 brings aberration, even about the middle
    assert found == pytest.approx(10.0, abs=5e-3)
