"""Transfer functions of defocused pupils against tables, closed forms and a brute-force sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft

from contracts import assert_is_transfer_function
from scintscope.errors import SamplingError
from scintscope.optics.otf import diffraction_limited_mtf, nodes_for, otf
from scintscope.optics.wavefront import OpticalPath
from strategies import apertures, indices
from tables import read_table

WAVELENGTH_UM = 0.55
CRYSTAL = 1.82
CASES = [
    (na, model)
    for na in (0.4, 0.9)
    for model in ("exact_air", "exact_crystal", "paraxial_air", "paraxial_crystal")
]


def rows_of(na, model):
    table = read_table("optics/otf_pupil.csv")
    return [row for row in table if row["na"] == na and row["model"] == model]


@pytest.mark.parametrize(("na", "model"), CASES)
def test_equals_the_independent_pupil_autocorrelation(na, model):
    """Every tabulated value, exact and paraxial, in air and in a crystal, is met.

    The paraxial limit is reached by scaling: NA and f by s, z by 1/s^2 leave the paraxial OTF as
    it is and take the exact one to it.
    """
    scale = 1e-4 if model.startswith("paraxial") else 1.0
    index = CRYSTAL if model.endswith("crystal") else 1.0
    rows = rows_of(na, model)
    frequency = np.array(sorted({r["frequency_lp_per_mm"] for r in rows})) / 1000.0
    defocus = np.array(sorted({r["defocus_um"] for r in rows}))
    path = OpticalPath(na=na * scale, index=index, wavelength_um=WAVELENGTH_UM)
    transfer = np.asarray(otf(frequency * scale, defocus / scale**2, 0.0, path))
    found = [
        transfer[
            np.flatnonzero(defocus == r["defocus_um"])[0],
            np.flatnonzero(frequency == r["frequency_lp_per_mm"] / 1000.0)[0],
        ]
        for r in rows
    ]
    # seven printed digits and frequencies of 4 decimals (384.6154 for 5000 / 13: 1e-7 of f); the
    # paraxial scaling adds NA^2 s^2 / 4 = 2e-9 of a phase of at most 300 rad
    np.testing.assert_allclose(found, [r["otf"] for r in rows], rtol=0, atol=2e-6)
    assert len(rows) >= 27


@pytest.mark.parametrize("na", [0.1, 0.4, 0.9])
def test_in_focus_equals_the_airy_transfer_function(na):
    """At the depth the lens is corrected for H = (2/pi)(acos v - v sqrt(1 - v^2)), 0 past it."""
    path = OpticalPath(na=na, index=1.8, wavelength_um=WAVELENGTH_UM, corrected_for_um=30.0)
    v = np.concatenate([np.linspace(0.0, 1.0, 24), [1.2]])
    transfer = np.asarray(otf(v * path.cutoff_cy_per_um, np.array([30.0]), 0.0, path))[0]
    clipped = np.minimum(v, 1.0)
    expected = 2.0 / np.pi * (np.arccos(clipped) - clipped * np.sqrt(1.0 - clipped**2))
    # the quadrature is exact to rounding; 1e-8 covers the end v = 1, where sqrt(1 - v^2) of a
    # rounded v is 1e-8
    np.testing.assert_allclose(transfer, expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.asarray(diffraction_limited_mtf(v)), expected, rtol=0, atol=1e-12)


def pupil_autocorrelation(path, depth_um, travel_um, count):
    """Return (f, H) by FFT of a pupil on a grid: slow, independent, complex; f along rows.

    Edge samples are weighted with their covered area (8 x 8 sub-samples).
    """
    half = count // 2
    sub = (np.arange(8) + 0.5) / 8.0 - 0.5
    axis = (np.arange(-half - 1, half + 2)) / half
    fine = (axis[:, None] + sub[None, :] / half).ravel()
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2) <= 1.0
    area = inside.reshape(axis.size, 8, axis.size, 8).mean(axis=(1, 3))
    p2 = np.minimum(path.na**2 * (axis[:, None] ** 2 + axis[None, :] ** 2), 0.999 * path.index**2)
    w = (depth_um - path.corrected_for_um) * np.sqrt(path.index**2 - p2)
    for excess, index in zip(path.excess_um, path.excess_index, strict=True):
        w = w + excess * np.sqrt(index**2 - p2)
    w = w - travel_um * np.sqrt(np.maximum(1.0 - p2, 0.0))
    pupil = area * np.exp(2j * np.pi * w / path.wavelength_um)
    size = fft.next_fast_len(2 * axis.size)
    spread = np.abs(fft.fft2(pupil, (size, size))) ** 2
    transfer = fft.ifft2(spread)[: axis.size, 0]
    frequency = np.arange(axis.size) * path.na / (half * path.wavelength_um)
    return frequency, transfer / area.sum()


@pytest.mark.parametrize(
    ("path", "depth_um", "travel_um"),
    [
        (OpticalPath(na=0.4, index=1.83, wavelength_um=0.55, corrected_for_um=50.0), 12.0, -17.0),
        (
            OpticalPath(
                na=0.3,
                index=1.9,
                wavelength_um=0.535,
                corrected_for_um=5.0,
                excess_um=(400.0, -150.0),
                excess_index=(1.81, 1.52),
            ),
            20.0,
            136.0,
        ),
        (OpticalPath(na=0.8, index=1.84, wavelength_um=0.6, corrected_for_um=8.0), 1.0, -2.0),
    ],
)
def test_equals_a_brute_force_autocorrelation_with_residual_aberration(path, depth_um, travel_um):
    """A lens corrected for other layers, at a shifted stage, has the OTF of its summed pupil."""
    frequency, expected = pupil_autocorrelation(path, depth_um, travel_um, 512)
    chosen = slice(24, None, 24)  # at f = 0 squared edge weights do not sum to the area
    found = np.asarray(otf(frequency[chosen], np.array([depth_um]), travel_um, path))[0]
    # second order in the grid's step or better: measured 5e-5, 1e-5, 2e-6 at 256, 512, 1024
    np.testing.assert_allclose(found, expected[chosen].real, rtol=0, atol=3e-5)
    # an axially symmetric pupil has a real OTF
    assert np.abs(expected.imag).max() < 1e-12
    # and the case is far from the perfect lens
    airy = np.asarray(diffraction_limited_mtf(frequency[chosen] / path.cutoff_cy_per_um))
    assert np.abs(found - airy).max() > 0.1


def test_agrees_with_a_gibson_lanni_code():
    """The transform of another package's PSF gives the same MTF within its window's error."""
    rows = read_table("optics/gibson_lanni.csv")
    for row in rows:
        path = OpticalPath(na=row["na"], index=1.0, wavelength_um=WAVELENGTH_UM)
        frequency = np.array([row["frequency_lp_per_mm"] / 1000.0])
        found = float(otf(frequency, np.array([row["defocus_um"]]), 0.0, path)[0, 0])
        # the other PSF is cut at 30 um, which lifts its normalised MTF by up to 6e-3
        assert abs(found) == pytest.approx(row["mtf"], abs=7e-3)


@settings(deadline=None, max_examples=20)
@given(na=apertures, index=indices, depth=st.floats(0.0, 60.0), travel=st.floats(-20.0, 20.0))
def test_is_a_transfer_function_at_any_depth_and_travel(na, index, depth, travel):
    """H(0) = 1, |H| <= 1, H = 0 from the cut-off on, whatever depth, stage, aperture, index."""
    path = OpticalPath(na=na, index=index, wavelength_um=WAVELENGTH_UM, corrected_for_um=10.0)
    frequency = path.cutoff_cy_per_um * np.array([0.0, 0.05, 0.3, 0.7, 0.97, 1.0, 1.5])
    transfer = np.asarray(otf(frequency, np.array([depth, 0.5 * depth]), travel, path))
    assert_is_transfer_function(transfer)
    # at f = cut-off the overlap's area is that of a rounding error
    assert np.abs(transfer[:, -2:]).max() < 1e-12


def test_small_aperture_removes_defocus():
    """The effect of a fixed defocus falls as NA^4: its phase goes as NA^2 and enters squared."""
    effects = []
    for na in (0.02, 0.01):
        path = OpticalPath(na=na, index=1.8, wavelength_um=WAVELENGTH_UM)
        f = path.cutoff_cy_per_um * np.array([0.2, 0.4, 0.6])
        values = np.asarray(otf(f, np.array([0.0, 50.0]), 0.0, path))
        effects.append(values[0] - values[1])
    # next order in the phase: (2 pi 50 NA^2 / (2 n lambda))^2 / 12 = 1e-4
    np.testing.assert_allclose(effects[0] / effects[1], 16.0, rtol=1e-3)
    assert effects[1].max() < 1e-4


def test_both_sides_of_focus_are_equal():
    """Emitters at equal distances above and below the corrected depth have the same OTF."""
    path = OpticalPath(na=0.6, index=1.8, wavelength_um=WAVELENGTH_UM, corrected_for_um=20.0)
    f = path.cutoff_cy_per_um * np.linspace(0.0, 0.9, 7)
    transfer = np.asarray(otf(f, np.array([14.0, 26.0]), 0.0, path))
    np.testing.assert_allclose(transfer[0], transfer[1], rtol=0, atol=1e-12)


def test_chosen_nodes_are_converged():
    """Twice and more the nodes the phase asks for change nothing."""
    path = OpticalPath(na=0.6, index=1.8, wavelength_um=WAVELENGTH_UM)
    f = path.cutoff_cy_per_um * np.array([0.02, 0.2, 0.5, 0.8])
    depths = np.array([0.0, 40.0, 100.0])
    dense = np.asarray(otf(f, depths, 0.0, path, counts=(256, 128)))
    # the nodes per radian are set for 1e-7
    np.testing.assert_allclose(np.asarray(otf(f, depths, 0.0, path)), dense, rtol=0, atol=1e-7)


def test_refuses_thousands_of_waves():
    """A wavefront that no node table resolves is refused, with the remedy."""
    with pytest.raises(SamplingError, match=r"waves across the pupil.*thinner plate"):
        nodes_for(np.array([1e5]))
    path = OpticalPath(na=0.9, index=1.8, wavelength_um=WAVELENGTH_UM)
    with pytest.raises(SamplingError, match="waves"):
        otf(np.array([1.0]), np.array([1e5]), 0.0, path)
