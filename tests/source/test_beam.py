"""Monochromatic beams and measured spectra; the half-value layer."""

import numpy as np
import pytest

from contracts import assert_is_spectrum
from scintscope.errors import InputError, RangeError
from scintscope.source import MonochromaticSource, Spectrum, SpectrumFileSource, beam_spectrum
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


def test_edges_of_the_sample_may_fall_inside_bins():
    """Bins cut at the plate's edges alone are good enough for gold: a few 1e-4 of the open beam."""
    from benches import TUBE
    from scintscope.materials import ABSORBERS, SCINTILLATORS, attenuation

    gold, plate = ABSORBERS["Au"], SCINTILLATORS["YAG:Ce"]
    edges, golds = (attenuation.absorption_edges_kev(m, 1.0, 300.0) for m in (plate, gold))
    assert golds.size == 4  # three L edges and the K edge

    def light(bin_kev, cuts):
        spectrum = beam_spectrum(TUBE, 100.0, bin_kev, cuts)
        energy = spectrum.energy_kev
        absorbed = -np.expm1(-200.0 * attenuation.total_per_um(plate, energy))
        weight = spectrum.photons_per_um2_s * energy * absorbed
        passed = np.exp(-attenuation.total_per_um(gold, energy)[:, None] * [1.0, 5.0, 20.0])
        return weight @ passed / weight.sum()

    fine = light(0.05, np.union1d(edges, golds))
    # the width of the bins is good for 2e-4; a jump of 2.5 inside one bin of 120 adds as much
    assert np.abs(light(0.5, edges) - fine).max() < 4e-4
