"""Monochromatic beams and measured spectra; the half-value layer."""

import numpy as np
import pytest

from benches import TUBE
from contracts import assert_is_spectrum
from scintscope.errors import InputError, RangeError
from scintscope.materials import ABSORBERS, SCINTILLATORS, attenuation
from scintscope.source import (
    Filter,
    MonochromaticSource,
    Spectrum,
    SpectrumFileSource,
    TubeSource,
    beam_spectra,
    beam_spectrum,
)
from scintscope.source.beam import half_value_layer_mm_al, read_spectrum


def write(tmp_path, text):
    path = tmp_path / "spectrum.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_energy_is_one_line():
    """A monochromatic beam is one line with its flux, at any distance and with any edges."""
    source = MonochromaticSource(energy_kev=17.0384, photons_per_um2_s=7.0)
    for distance in (10.0, float("inf")):
        found = beam_spectrum(source, distance, 0.5, np.array([17.0384]))
        assert found.energy_kev.tolist() == [17.0384]
        assert found.photons_per_um2_s.tolist() == [7.0]
        assert found.width_kev.tolist() == [0.0]


def test_measured_spectrum_is_scaled_and_binned(tmp_path):
    """Photons per keV become photons per bin, edges half-way, total as stated."""
    path = write(tmp_path, "# a tube\nenergy_kev,photons_per_kev\n10,1\n12,2\n\n16,1\n")
    found = read_spectrum(SpectrumFileSource(path=path, photons_per_um2_s=30.0))
    assert_is_spectrum(found)
    # bins 9-11, 11-14, 14-18: 2, 6, 4 photons of 12
    np.testing.assert_allclose(found.width_kev, [2.0, 3.0, 4.0])
    np.testing.assert_allclose(found.photons_per_um2_s, [5.0, 15.0, 10.0])
    np.testing.assert_allclose(found.energy_kev, [10.0, 12.5, 16.0])


def test_units_of_the_file_do_not_matter(tmp_path):
    """A file scaled by any factor, with or without a header, is the same beam."""
    one = SpectrumFileSource(path=write(tmp_path, "10,1\n20,3\n"), photons_per_um2_s=2.0)
    first = beam_spectrum(one, 100.0, 0.5, np.array([15.5]))
    other = SpectrumFileSource(path=write(tmp_path, "e,n\n10,7\n20,21\n"), photons_per_um2_s=2.0)
    second = beam_spectrum(other, 100.0, 0.5, np.array([15.5]))
    np.testing.assert_allclose(first.photons_per_um2_s, second.photons_per_um2_s, rtol=1e-14)
    assert first.energy_kev.size == 3
    assert first.total_photons_per_um2_s == pytest.approx(2.0, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table"),
        ("energy,photons\nten,1\n20,2\n", "not a table"),
        ("10\n20\n", "at least two rows|not a table"),
        ("10,1\n", "at least two rows"),
        ("10,1\n10,2\n", "must ascend"),
        ("10,1\n20,-2\n", "photons must be >= 0"),
        ("10,0\n20,0\n", "some > 0"),
        ("10,1\n20,nan\n", "photons must be >= 0"),
    ],
)
def test_refuses_files_that_are_no_spectrum(tmp_path, text, message):
    """Empty, worded, single-row, unordered, negative and NaN tables are refused by name."""
    source = SpectrumFileSource(path=write(tmp_path, text), photons_per_um2_s=1.0)
    with pytest.raises(InputError, match=f"spectrum.csv.*({message})"):
        read_spectrum(source)


def test_refuses_missing_files_and_impossible_beams(tmp_path):
    """A file that is not there and numbers out of range are refused with their key."""
    with pytest.raises(InputError, match=r"source\.path = .*no such file"):
        SpectrumFileSource(path=tmp_path / "none.csv", photons_per_um2_s=1.0)
    with pytest.raises(RangeError, match=r"source\.energy_kev = 1\.0 .*\[3, 200\] keV"):
        MonochromaticSource(energy_kev=1.0)
    with pytest.raises(RangeError, match=r"source\.photons_per_um2_s = 0"):
        MonochromaticSource(photons_per_um2_s=0.0)


def test_half_value_layer_of_one_energy_is_ln2_over_mu():
    """For a line the layer is ln 2 / mu, however thick; for two lines it halves their kerma."""
    line = beam_spectrum(MonochromaticSource(), 100.0, 0.5)
    for mu in (9.0, 0.01):
        found = half_value_layer_mm_al(line, np.array([mu]), np.array([1.0]))
        # bisection to rounding
        assert found == pytest.approx(np.log(2.0) / mu, rel=1e-12)
    two = Spectrum(
        energy_kev=np.array([10.0, 30.0]),
        photons_per_um2_s=np.array([1.0, 1.0]),
        width_kev=np.zeros(2),
    )
    mu, air = np.array([7.0, 0.3]), np.array([4.0, 0.1])
    t = half_value_layer_mm_al(two, mu, air)
    kerma = np.array([1.0, 1.0]) * np.array([10.0, 30.0]) * air
    assert (kerma * np.exp(-mu * t)).sum() == pytest.approx(0.5 * kerma.sum(), rel=1e-12)


def test_spectra_at_several_distances_share_their_energies():
    """A longer way through air hardens the beam and leaves its grid of energies as it is."""
    near, far = beam_spectra(TUBE, (10.0, 500.0), 0.5, np.array([11.919]))
    np.testing.assert_array_equal(near.energy_kev, far.energy_kev)
    np.testing.assert_array_equal(near.width_kev, far.width_kev)
    assert far.mean_energy_kev > near.mean_energy_kev
    one, other = beam_spectra(MonochromaticSource(), (10.0, 500.0), 0.5)
    assert one == other


FILMS_UM = np.array([0.0, 1.0, 2.0, 5.0, 10.0, 20.0])
BENCHES = {
    "gold": (TUBE, "Au"),
    "gold behind copper": (
        TubeSource(filters=(*TUBE.filters, Filter(material="Cu", thickness_um=30.0))),
        "Au",
    ),
}


def film_image(source, film, bin_kev, cuts):
    """Return the light of 200 um of YAG:Ce behind films of several thicknesses."""
    spectrum = beam_spectrum(source, 100.0, bin_kev, np.array(cuts))
    energy = spectrum.energy_kev
    absorbed = -np.expm1(-200.0 * attenuation.total_per_um(SCINTILLATORS["YAG:Ce"], energy))
    passed = np.exp(-attenuation.total_per_um(ABSORBERS[film], energy)[:, None] * FILMS_UM)
    light = (spectrum.photons_per_um2_s * energy * absorbed) @ passed
    return light / light[0]


# Measured at 0.5, 1, 2 keV: 2.8e-5, 1.4e-4, 5.8e-4 for gold, 2.0e-5, 1.1e-4, 5.0e-4 behind copper;
# before, with bins cut at the plate's edges alone, 5.5e-4, 2.2e-3, 3.8e-3 and 9e-5, 6e-4, 3.1e-2.
SECOND_ORDER = 2e-4  # times (bin / keV)^2

# What cutting at gold's edges gains: it takes away a term that follows the place of an edge in its
# bin, anything up to first order of the width; measured 37, 14 and 4.
WITHOUT_LEAST = {0.5: 5.0, 1.0: 5.0, 2.0: 3.0}


@pytest.mark.parametrize("name", BENCHES)
@pytest.mark.parametrize("bin_kev", [0.5, 1.0, 2.0])
def test_bins_end_at_every_edge_in_the_beam(name, bin_kev):
    """Cut at every edge, bins give the image of converged ones to second order of their width."""
    source, film = BENCHES[name]
    in_the_beam = [ABSORBERS[sheet.material] for sheet in source.filters]
    in_the_beam += [ABSORBERS[film], ABSORBERS["air"], SCINTILLATORS["YAG:Ce"]]
    every = attenuation.edges_of(in_the_beam)
    exact = film_image(source, film, 0.05, every)
    error = np.std(film_image(source, film, bin_kev, every) - exact) / exact.std()
    assert error < SECOND_ORDER * bin_kev**2


@pytest.mark.parametrize("bin_kev", [0.5, 1.0, 2.0])
def test_edges_of_the_sample_count(bin_kev):
    """Left inside bins, gold's edges cost several times the error of bins that end at them."""
    plate = attenuation.edges_of([SCINTILLATORS["YAG:Ce"]])
    every = attenuation.edges_of([SCINTILLATORS["YAG:Ce"], ABSORBERS["Au"]])
    exact = film_image(TUBE, "Au", 0.05, every)
    errors = [
        np.std(film_image(TUBE, "Au", bin_kev, cuts) - exact) / exact.std()
        for cuts in (plate, every)
    ]
    assert errors[0] > WITHOUT_LEAST[bin_kev] * errors[1]
