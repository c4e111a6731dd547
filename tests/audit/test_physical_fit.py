"""The physical fit: derivatives are right, and numbers put in come out."""

import numpy as np
import pytest

from audit_scenes import small_scenario
from scintscope.audit.physical_fit import PARAMETERS, _Search, fit_physical, physical_model
from scintscope.restoration.psf_radial import RingSpectra

TRUE = {
    "thick_focus_um": 22.0,
    "thin_focus_um": 9.0,
    "attenuation_per_um": 0.012,
    "halo_share": 0.12,
    "halo_length_um": 60.0,
    "gain": 0.8,
    "noise": 0.5,
}


@pytest.fixture(scope="module")
def model():
    return physical_model(small_scenario().instrument())


def rings_of(model, values):
    """Return ring spectra that obey the model exactly, with a thin noise of known level."""
    x = np.array([values[name] for name in PARAMETERS])
    f = np.linspace(0.01, 0.499, 90)
    signal = 1e4 * f**-1.5
    weakest = signal.min() / (1.0 - values["noise"])
    search = _Search(model, ())
    h = np.asarray(model.transfer(x, search.depths(x), x[:2]))
    transfer = values["gain"] * np.interp(f / model.pixel_um, model.frequency_cy_per_um, h)
    return RingSpectra(
        frequency_cy_per_px=f,
        cross=transfer * signal,
        thin=signal + values["noise"] * weakest,
        thick=transfer**2 * signal,
        count=np.ones_like(f),
    )


def test_numbers_put_in_come_out(model):
    """From data that obey the model the foci, decay and halo are found."""
    found = fit_physical(model, rings_of(model, TRUE))
    assert found.residual < 1e-2
    # a fifth of the depth of field; focus of the thin plate mirrors about its middle (no decay
    # over 20 um to speak of), so only its distance from there is known
    assert found.values["thick_focus_um"] == pytest.approx(TRUE["thick_focus_um"], abs=2.0)
    assert abs(found.values["thin_focus_um"] - 10.0) == pytest.approx(1.0, abs=2.0)
    assert found.values["halo_share"] == pytest.approx(TRUE["halo_share"], abs=0.03)
    assert found.values["noise"] == pytest.approx(TRUE["noise"], abs=0.05)
    assert found.kernel().sum() == pytest.approx(1.0)


def test_slopes_equal_central_differences(model):
    """Derivatives of the misfit with respect to all seven numbers are what differences give."""
    rings = rings_of(model, TRUE)
    ones = np.ones_like(rings.count)
    data = (rings.frequency_cy_per_px / model.pixel_um, rings.cross, rings.thin, ones, rings.cross)
    search = _Search(model, data)
    x = np.array([TRUE[name] for name in PARAMETERS]) * 1.05
    slopes = search.slope(x)
    for i, step in enumerate(1e-4 * np.abs(x)):
        ahead, behind = (search.misfit(x + sign * step * np.eye(7)[i]) for sign in (1.0, -1.0))
        expected = (ahead - behind) / (2.0 * step)
        # second-order differences, relative step 1e-4: curvature terms of about 1e-5
        np.testing.assert_allclose(
            slopes[:, i], expected, rtol=0, atol=1e-3 * np.abs(expected).max() + 1e-12
        )
