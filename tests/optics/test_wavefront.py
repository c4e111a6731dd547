"""The wavefront of a buried emitter: aberration of plates, focus and stage travel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scintscope.optics.wavefront import (
    OpticalPath,
    focus_for_travel_um,
    rms_waves,
    slab_path,
    travel_for_focus_um,
    wavefront_um,
)
from strategies import apertures, indices
from tables import read_table

WAVELENGTH_UM = 0.55
PLATES = read_table("optics/plate_aberration.csv")


def path_of(row, **changes):
    fields = {"na": row["na"], "index": row["index"], "wavelength_um": WAVELENGTH_UM}
    return OpticalPath(**(fields | changes))


@pytest.mark.parametrize("row", PLATES)
@pytest.mark.parametrize("layer", ["crystal", "glass"])
def test_aberration_of_a_plane_layer(row, layer):
    """The least rms over the stage travel, and that travel, are the tabulated exact ones.

    A layer of the crystal and a glass plate the lens was not corrected for act alike.
    """
    thickness = row["thickness_um"]
    if layer == "crystal":
        path, depth = path_of(row), thickness
    else:
        path = path_of(row, index=1.6, excess_um=(0.0, thickness), excess_index=(1.5, row["index"]))
        depth = 0.0
    best = minimize_scalar(
        lambda a: float(rms_waves(depth, a, path)) ** 2, bracket=(0.0, thickness), tol=1e-12
    )
    # five and four printed digits after the point; the parabola's minimum is found to 1e-8
    assert np.sqrt(best.fun) * WAVELENGTH_UM == pytest.approx(row["rms_um"], abs=1e-5)
    assert best.x == pytest.approx(row["best_travel_um"], abs=2e-4)


def test_corrected_depth_is_perfect():
    """At s = s_c, a = 0 and plates as designed the wavefront is flat."""
    path = OpticalPath(na=0.7, index=1.8, wavelength_um=WAVELENGTH_UM, corrected_for_um=25.0)
    p2 = 0.49 * np.linspace(0.0, 1.0, 9)
    np.testing.assert_array_equal(np.asarray(wavefront_um(p2, 25.0, 0.0, path)), 0.0)
    assert float(rms_waves(25.0, 0.0, path)) == 0.0


def test_slab_path_keeps_its_digits():
    """sqrt(n^2 - p^2) - n is right for large p and tends to -p^2 / (2 n) for small p."""
    p2 = np.array([1e-12, 1e-8, 0.81])
    found = np.asarray(slab_path(p2, 1.8))
    # next term of the series, p^2 / (4 n^2) = 1e-9 relative
    np.testing.assert_allclose(found[:2], -p2[:2] / 3.6, rtol=2e-9)
    assert found[2] == pytest.approx(np.sqrt(1.8**2 - 0.81) - 1.8, rel=1e-14)


def test_towards_the_lens_focuses_deeper():
    """A travel a > 0 focuses a deeper s, paraxially s - s_c = n a."""
    path = OpticalPath(na=0.02, index=1.8, wavelength_um=WAVELENGTH_UM, corrected_for_um=10.0)
    # paraxial up to NA^2 = 4e-4
    assert float(focus_for_travel_um(20.0, path)) == pytest.approx(10.0 + 1.8 * 20.0, rel=5e-4)
    assert float(travel_for_focus_um(10.0, path)) == pytest.approx(0.0, abs=1e-12)


def test_thicker_glass_than_designed_asks_for_travel_towards_the_lens():
    """Excess glass d of index m brings the focus d (1 - 1/m) nearer: a = d / m, paraxially."""
    path = OpticalPath(
        na=0.02,
        index=1.8,
        wavelength_um=WAVELENGTH_UM,
        excess_um=(300.0,),
        excess_index=(1.5,),
    )
    # a counts the whole air path: of the plate's d only d / m is left; NA^2 = 4e-4
    assert float(travel_for_focus_um(0.0, path)) == pytest.approx(200.0, rel=5e-4)


layered = st.builds(
    OpticalPath,
    na=apertures,
    index=indices,
    wavelength_um=st.floats(0.4, 0.7),
    corrected_for_um=st.floats(0.0, 100.0),
    excess_um=st.tuples(st.floats(-500.0, 500.0)),
    excess_index=st.tuples(st.floats(1.4, 1.9)),
)


@settings(deadline=None, max_examples=25)
@given(path=layered, focus=st.floats(-50.0, 300.0))
def test_travel_and_focus_are_inverse(path, focus):
    """Focusing a depth and asking which depth is focused returns it."""
    travel = travel_for_focus_um(focus, path)
    # two solutions of a linear equation with terms of up to 1e3 um
    assert float(focus_for_travel_um(travel, path)) == pytest.approx(focus, abs=1e-8)


@settings(deadline=None, max_examples=15)
@given(path=layered, travel=st.floats(-50.0, 150.0))
def test_focus_is_the_depth_of_least_rms(path, travel):
    """No depth has a smaller rms wavefront than the one said to be in focus."""
    focus = float(focus_for_travel_um(travel, path))
    least = float(rms_waves(focus, travel, path))
    found = minimize_scalar(
        lambda s: float(rms_waves(s, travel, path)) ** 2, bracket=(focus - 40.0, focus + 55.0)
    )
    assert least**2 <= found.fun + 1e-14
    # a minimiser sees a parabola's place to the root of rounding, 1e-8 of 1e3 um, times 10
    assert found.x == pytest.approx(focus, abs=1e-3)
