"""The data sheet: its numbers are those of the response, in closed form where there is one."""

import json

import numpy as np
import pytest

from benches import LOCAL, instrument, yag_plate
from scintscope.accuracy import Accuracy
from scintscope.errors import SamplingError
from scintscope.inspection import data_sheet, first_below, inspect, lens_sheet, spectrum_sheet
from scintscope.materials import attenuation, scintillator
from scintscope.response import depth_response
from scintscope.source import Filter, MonochromaticSource, TubeSource, beam_spectrum
from scintscope.source.tube import half_value_layer_mm_al

YAG = scintillator("YAG:Ce")
MU_PER_UM = attenuation.total_per_um(YAG, np.array([20.0]))[0]
T_THIN_UM, T_THICK_UM = 10.0, 50.0


@pytest.fixture(scope="module")
def bench():
    return instrument(
        thin=yag_plate(T_THIN_UM, focus_um=5.0, exposure_s=10.0),
        thick=yag_plate(T_THICK_UM, focus_um=20.0),
    )


@pytest.fixture(scope="module")
def sheet(bench):
    return inspect(bench)


def test_absorption_and_mean_depth(sheet):
    """One energy: 1 - exp(-mu t), and the mean depth of an exponential cut at t."""
    for name, t in (("thin", T_THIN_UM), ("thick", T_THICK_UM)):
        eta = -np.expm1(-MU_PER_UM * t)
        assert sheet[name]["absorbed_photon_fraction"] == pytest.approx(eta, rel=1e-12)
        mean = 1.0 / MU_PER_UM - t * np.exp(-MU_PER_UM * t) / eta
        # Gauss-Legendre with a dozen nodes and more: rounding
        assert sheet[name]["mean_depth_um"] == pytest.approx(mean, rel=1e-10)
        # K photons leave: about 0.54 of the energy stays
        share = sheet[name]["absorbed_energy_fraction"] / eta
        assert 0.5 < share < 0.6


def test_electrons(sheet):
    """Electrons per pixel = photons x absorbed x electrons per X-ray x exposure x area."""
    for name, exposure in (("thin", 10.0), ("thick", 1.0)):
        plate = sheet[name]
        expected = (
            10.0
            * plate["absorbed_photon_fraction"]
            * plate["electrons_per_xray"]
            * exposure
            * 1.3**2
        )
        assert plate["electrons_per_pixel"] == pytest.approx(expected, rel=1e-12)
    # the light sink is near the X-ray sink at NA 0.4: 1-3 electrons per X-ray
    assert 1.0 < sheet["thin"]["electrons_per_xray"] < 3.0


def test_curves(sheet, bench):
    """MTF starts at 1 and passes its MTF50; the DQE starts below the absorbed fraction."""
    for name in ("thin", "thick"):
        plate = sheet[name]
        frequency = np.array(plate["mtf"]["frequency_cy_per_um"])
        mtf, dqe = np.array(plate["mtf"]["value"]), np.array(plate["dqe"]["value"])
        assert frequency.size == bench.accuracy.frequency_samples == mtf.size
        assert frequency[-1] == pytest.approx(2.0 * bench.camera_nyquist_cy_per_um)
        assert mtf[0] == pytest.approx(1.0, abs=1e-10)
        # linear between 256 samples of the same curve
        assert np.interp(plate["mtf50_cy_per_um"], frequency, mtf) == pytest.approx(0.5, abs=1e-9)
        assert 0.0 < dqe[0] < plate["absorbed_photon_fraction"]
    assert sheet["thick"]["mtf50_cy_per_um"] < sheet["thin"]["mtf50_cy_per_um"]


def test_depths_of_field_and_lens(sheet):
    """Inside YAG the depth of field is twice the first zero; the air value is the paper's."""
    lens = sheet["lens"]
    assert lens["cutoff_cy_per_um"] == pytest.approx(0.8 / 0.55)
    assert 5.37 <= lens["first_zero_defocus_um"]["air"] <= 5.39
    depth = sheet["thick"]["depth_of_field_um"]
    assert depth["contrast_zero"] == pytest.approx(
        2.0 * lens["first_zero_defocus_um"]["scintillator"]
    )
    # n = 1.836 instead of 1.82: 10.00 um x 1.009
    assert lens["first_zero_defocus_um"]["scintillator"] == pytest.approx(10.09, abs=0.01)
    assert depth["rayleigh"] < depth["mtf30"] < depth["contrast_zero"]
    # another code's cone with Fresnel at n = 1.836
    assert lens["collection_fraction"] == pytest.approx(0.010964, abs=3e-6)


def test_sheet_is_plain_numbers(sheet):
    """The sheet can be written as JSON, without NaN."""
    text = json.dumps(sheet, allow_nan=False)
    assert json.loads(text) == sheet


def test_spectrum_of_a_tube_is_spekpys(bench):
    """Mean energy, flux and half-value layer of the sheet are those of the tube."""
    tube = TubeSource(filters=(Filter(material="Be", thickness_um=200.0),))
    spectrum = beam_spectrum(tube, 100.0, 0.5)
    found = spectrum_sheet(instrument(source=tube), spectrum)
    assert found["hvl_mm_al"] == half_value_layer_mm_al(tube, 100.0)
    assert found["mean_energy_kev"] == spectrum.mean_energy_kev
    assert found["photons_per_um2_s"] == spectrum.total_photons_per_um2_s
    assert 0.3 < found["fraction_10_30_kev"] < 0.4


def test_half_value_layer_of_one_energy():
    """A monochromatic beam's half-value layer is ln 2 / mu of aluminium."""
    source = MonochromaticSource(energy_kev=20.0)
    found = spectrum_sheet(instrument(source=source), beam_spectrum(source, 100.0, 0.5))
    # NIST: 3.441 cm2/g x 2.699 g/cm3 at 20 keV
    assert found["hvl_mm_al"] == pytest.approx(10.0 * np.log(2.0) / (3.441 * 2.699), rel=0.01)
    assert found["fraction_10_30_kev"] == 1.0


def test_inspection_refuses_a_grid_that_aliases(bench):
    """A grid that would alias is refused before any number is given."""
    coarse = instrument(
        thin=bench.thin,
        thick=bench.thick,
        accuracy=Accuracy(oversampling=1, depth_nodes=16, effects=LOCAL),
    )
    with pytest.raises(SamplingError, match=r"accuracy\.oversampling = 1"):
        inspect(coarse)


def test_sheet_of_given_responses_is_the_same(bench, sheet):
    """Responses at hand give the sheet that inspect computes."""
    thin, thick = (depth_response(bench, plate) for plate in (bench.thin, bench.thick))
    assert data_sheet(bench, thin, thick) == sheet
    assert lens_sheet(bench) == sheet["lens"]


def test_first_below():
    """Linear interpolation to a level; None if never, the first place if at once."""
    f = np.array([0.0, 1.0, 2.0, 3.0])
    assert first_below(f, np.array([1.0, 0.8, 0.2, 0.6]), 0.5) == pytest.approx(1.5)
    assert first_below(f, np.array([1.0, 0.9, 0.8, 0.7]), 0.5) is None
    assert first_below(f, np.array([0.4, 0.9, 0.8, 0.7]), 0.5) == 0.0
