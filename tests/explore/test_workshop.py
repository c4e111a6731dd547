"""Views of states against the package's own response, closed forms and one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explore_scenes import small_scenario, small_workshop
from scintscope.errors import ScintscopeError
from scintscope.explore import words
from scintscope.explore.engine import NotReadyError
from scintscope.explore.state import PLATES, limits, scenario_of, start_state
from scintscope.explore.thumbnail import frame, plane_of, ratio_kernel, star, thumbnails
from scintscope.explore.workshop import Workshop
from scintscope.materials import absorber
from scintscope.noise.plate import signal_noise
from scintscope.noise.sampled import camera_variance
from scintscope.response import depth_response

CURVE = 1e-3
"""The design model's own bound on its curves."""


def moved() -> object:
    state = start_state(small_scenario())
    return replace(
        state, na=0.17, thick=replace(state.thick, thickness_um=33.0, focus_um=9.0, exposure_s=0.3)
    )


@pytest.mark.parametrize("which", PLATES)
@pytest.mark.parametrize("state", [start_state(small_scenario()), moved()], ids=["start", "moved"])
def test_curves_are_those_of_the_response(which: str, state: object) -> None:
    """MTF, NPS, DQE, light and focus agree with `depth_response` of the same scenario."""
    view = small_workshop().view(state)  # type: ignore[arg-type]
    plate = view.plates[which]
    response = depth_response(view.instrument, getattr(view.instrument, which))
    read = camera_variance(view.instrument.camera, response.plate.exposure_s) ** 0.5
    exact = signal_noise(response, plate.frequency_cy_per_um, read, 0.0)
    np.testing.assert_allclose(plate.curves.mtf, exact.mtf, atol=CURVE)
    np.testing.assert_allclose(plate.curves.dqe, exact.dqe, atol=CURVE)
    np.testing.assert_allclose(plate.curves.nps_per_um2, exact.nps_electrons2_per_um2, rtol=CURVE)
    assert plate.focus_um == pytest.approx(response.focus_um, abs=0.05)  # 1/20 of a setting of 1 um


def test_k_and_psf_have_unit_integral() -> None:
    """k(z) over the depth is one; the PSF within its radii holds most of the light, at most all."""
    plate = small_workshop().view(start_state(small_scenario())).plates["thick"]
    assert np.trapezoid(plate.k_per_um, plate.depth_um) == pytest.approx(1.0, abs=0.02)
    r, psf = plate.radius_um, plate.psf_per_um2
    inside = np.trapezoid(2.0 * np.pi * r * psf, r)
    assert 0.8 < inside < 1.01


def test_psf_gives_the_transfer_function_back() -> None:
    """At the centre the PSF is 2 pi INT T f df, integrated here on the table's own frequencies."""
    plate = small_workshop().view(start_state(small_scenario())).plates["thin"]
    f = plate.light_cy_per_um
    expected = 2.0 * np.pi * np.trapezoid(plate.transfer * f, f)
    # second-order rule on 192 nodes: (df)^2 / 12 of the curvature, below 1e-3
    assert plate.psf_per_um2[0] == pytest.approx(expected, rel=1e-3)


def test_exposure_scales_light_and_leaves_the_mtf() -> None:
    """Twice the exposure is twice the electrons and the same MTF."""
    workshop, state = small_workshop(), start_state(small_scenario())
    long = replace(state, thick=replace(state.thick, exposure_s=2.0 * state.thick.exposure_s))
    one, two = (workshop.view(s).plates["thick"] for s in (state, long))
    assert two.electrons_per_um2 == pytest.approx(2.0 * one.electrons_per_um2, rel=1e-9)
    np.testing.assert_allclose(two.curves.mtf, one.curves.mtf, atol=1e-9)


def test_plate_left_alone_is_kept_and_right() -> None:
    """Where only the thick plate changes, the thin one's curves are kept, and are its own still."""
    workshop, state = small_workshop(), start_state(small_scenario())
    thicker = replace(state, thick=replace(state.thick, thickness_um=31.0))
    kept, seen = (workshop.view(s).plates["thin"] for s in (state, thicker))
    assert seen is kept
    sharper = workshop.view(replace(thicker, na=0.23)).plates["thin"]
    assert sharper.electrons_per_um2 > kept.electrons_per_um2
    instrument = scenario_of(small_scenario(), thicker).instrument()
    response = depth_response(instrument, instrument.thin)
    exact = signal_noise(response, seen.frequency_cy_per_um, 0.0, 0.0)
    np.testing.assert_allclose(seen.curves.mtf, exact.mtf, atol=CURVE)


def test_other_material_has_tables_of_its_own() -> None:
    """LuAG absorbs 17.5 keV in a shorter way than YAG: its DQE at zero is higher in thin plates."""
    workshop, state = small_workshop(), start_state(small_scenario())
    other = replace(state, thin=replace(state.thin, material="LuAG:Ce"))
    yag, luag = (workshop.view(s) for s in (state, other))
    share = [float(v.light["thin"][1].sum()) for v in (yag, luag)]
    assert share[1] > share[0]
    assert luag.scenario.thin.scintillator.name == "LuAG:Ce"


def test_before_the_tables_it_says_so() -> None:
    """A workshop that has not begun refuses a view with the error for it."""
    base = small_scenario()
    idle = Workshop(base, limits(base))
    with pytest.raises(NotReadyError):
        idle.view(start_state(base))
    assert issubclass(NotReadyError, ScintscopeError)


def test_frame_has_the_mean_and_noise_of_the_curves() -> None:
    """An open-beam frame has mean one and the variance of a pixel that the NPS gives."""
    plate = small_workshop().view(start_state(small_scenario())).plates["thick"]
    plane = plane_of(plate.pixel_um)
    open_beam = np.ones(plane.fine.shape)
    image = frame(open_beam, plate, plane, np.random.default_rng(7))
    deviation = 1.0 / words.snr(plate)
    # neighbours are correlated over a few pixels: a tenth of them count as independent
    independent = 0.1 * image.size
    assert image.mean() == pytest.approx(1.0, abs=5.0 * deviation / independent**0.5)
    assert image.std() == pytest.approx(deviation, rel=5.0 / (2.0 * independent) ** 0.5)


def test_ratio_kernel_blurs_and_the_restoration_undoes() -> None:
    """The kernel has unit sum and no negative weight; restored, the star's contrast grows."""
    view = small_workshop().view(start_state(small_scenario()))
    plane = plane_of(view.instrument.pixel_um_object)
    kernel = ratio_kernel(view.plates["thin"], view.plates["thick"], plane)
    assert kernel.min() >= 0.0
    assert kernel.sum() == pytest.approx(1.0)
    absorbers = {"Au": absorber("Au")}
    images = thumbnails(view, star(plane, "Au", 5.0), absorbers)
    assert images.thin.shape == images.thick.shape == images.restored.shape
    assert images.restored.std() > images.thick.std()


def test_dark_half_of_a_star_is_beer_lambert() -> None:
    """Deep inside a wide absorber the frame's mean is exp(-mu t) of the one energy."""
    view = small_workshop().view(start_state(small_scenario()))
    plane = plane_of(view.instrument.pixel_um_object)
    specimen = star(plane, "Au", 5.0)
    specimen.thickness_um["Au"][:] = 5.0
    from scintscope.explore.thumbnail import behind
    from scintscope.materials import attenuation

    shadow = behind(specimen, {"Au": absorber("Au")}, *view.light["thin"])
    mu = attenuation.total_per_um(absorber("Au"), np.array([17.5]))[0]
    np.testing.assert_allclose(shadow, np.exp(-5.0 * mu), rtol=1e-5)  # float32


def test_view_carries_the_states_scenario() -> None:
    """What can be downloaded is what is shown."""
    base, state = small_scenario(), start_state(small_scenario())
    assert small_workshop().view(state).scenario.hash() == scenario_of(base, state).hash()
