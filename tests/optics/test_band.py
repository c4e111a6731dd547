"""Sums over the emission band."""

import numpy as np
import pytest

from scintscope.errors import DataError, InputError
from scintscope.optics.band import band_average, band_nodes, fewer_lines
from scintscope.optics.otf import diffraction_limited_mtf, otf
from scintscope.optics.psf_radial import radial_psf
from scintscope.optics.wavefront import OpticalPath

R = np.linspace(0.0, 4.0, 80)


def engine(wavelength, index, shift):
    path = OpticalPath(na=0.4, index=index, wavelength_um=wavelength, corrected_for_um=30.0)
    return radial_psf(R, [30.0, 36.0], shift, path)


def test_one_wavelength_is_the_engine_itself():
    """A band of one line, any weight, is the monochromatic image."""
    found = band_average(engine, [0.55], [7.0], 1.82)
    np.testing.assert_allclose(found, engine(0.55, 1.82, 0.0), rtol=1e-14)


def test_weights_index_and_colour_reach_the_engine():
    """The sum is the one written out, with dispersion and axial colour per wavelength."""
    waves, weights = np.array([0.5, 0.55, 0.62]), np.array([1.0, 2.0, 1.0])
    index = {0.5: 1.842, 0.55: 1.836, 0.62: 1.831}
    colour = [0.4, 0.0, -0.7]
    found = band_average(engine, waves, weights, lambda w: index[w], colour)
    expected = sum(
        part * engine(w, index[w], c)
        for part, w, c in zip((0.25, 0.5, 0.25), waves, colour, strict=True)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    by_function = band_average(
        engine,
        waves,
        weights,
        index.__getitem__,
        lambda w: dict(zip(waves, colour, strict=True))[w],
    )
    np.testing.assert_array_equal(found, by_function)


def test_transfer_stays_one_at_zero_and_in_focus_sums_airy_curves():
    """H(0) = 1; without colour the band's MTF is the mean of the lines' Airy MTFs."""
    f = np.array([0.0, 0.4, 1.0, 1.5])

    def lines(wavelength, index, shift):
        path = OpticalPath(na=0.4, index=index, wavelength_um=wavelength)
        return np.asarray(otf(f, np.array([0.0]), shift, path))[0]

    waves, weights = np.array([0.5, 0.6]), np.array([1.0, 3.0])
    found = band_average(lines, waves, weights, 1.82)
    expected = sum(s * np.asarray(diffraction_limited_mtf(f * w / 0.8)) for s, w in
                   zip((0.25, 0.75), waves, strict=True))  # fmt: skip
    assert found[0] == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(found, expected, atol=1e-9)  # rounding at the cut-off


def test_axial_colour_lowers_contrast():
    """Lines focused apart blur more than the same lines focused together."""
    waves, weights = np.array([0.5, 0.55, 0.6]), np.ones(3)
    together = band_average(engine, waves, weights, 1.82)[0, 0]
    apart = band_average(engine, waves, weights, 1.82, lambda w: 40.0 * (w - 0.55))[0, 0]
    assert apart < 0.95 * together


def test_band_nodes_are_gauss_nodes_of_the_band():
    """Few nodes hold all moments up to 2 count - 1 of a tabulated band."""
    waves = np.linspace(0.48, 0.70, 45)
    density = np.exp(-(((waves - 0.55) / 0.04) ** 2)) + 0.2 * (waves > 0.6)
    fine = np.linspace(0.48, 0.70, 44 * 2000 + 1)
    light = np.interp(fine, waves, density)
    for count in (1, 3, 6):
        nodes, weights = band_nodes(waves, density, count)
        assert weights.sum() == pytest.approx(1.0)
        assert (np.diff(nodes) > 0).all()
        for power in range(2 * count):
            moment = np.trapezoid(light * (fine - 0.55) ** power, fine) / np.trapezoid(light, fine)
            # trapezium of 2000 steps per interval: 1e-7 of the largest term 0.15^power
            assert weights @ (nodes - 0.55) ** power == pytest.approx(
                moment, abs=1e-7 * 0.15**power
            )


def test_few_nodes_converge_to_the_full_band():
    """Four Gauss nodes replace forty lines of a YAG:Ce-like band to 1e-3 of the peak."""
    waves = np.linspace(0.48, 0.70, 41)
    density = np.exp(-(((waves - 0.55) / 0.05) ** 2))
    full = band_average(engine, *band_nodes(waves, density, 24), 1.83)
    errors = []
    for count in (2, 4, 8):
        few = band_average(engine, *band_nodes(waves, density, count), 1.83)
        errors.append(np.abs(few - full).max() / full.max())
    # the PSF is smooth in the wavelength: each doubling gains more than tenfold
    assert errors[1] < 1e-3
    assert errors[1] < 0.1 * errors[0]
    assert errors[2] < 0.1 * errors[1]


def test_fewer_lines_keep_the_moments():
    """Three lines stand for fourteen: moments up to the fifth, and the image to 1e-3."""
    waves = np.linspace(0.5, 0.63, 14)
    light = np.exp(-(((waves - 0.55) / 0.03) ** 2))
    nodes, weights = fewer_lines(waves, 7.0 * light, 3)
    for power in range(6):
        expected = light @ (waves - 0.55) ** power / light.sum()
        # rounding of a Jacobi matrix, over the largest term
        assert weights @ (nodes - 0.55) ** power == pytest.approx(expected, abs=1e-13 * 0.1**power)
    full, few = (band_average(engine, w, x, 1.83) for w, x in ((waves, light), (nodes, weights)))
    assert np.abs(full - few).max() < 1e-3 * full.max()
    same, share = fewer_lines(waves[:2], light[:2], 3)
    np.testing.assert_array_equal(same, waves[:2])
    assert share.sum() == pytest.approx(1.0)
    with pytest.raises(DataError, match="weights match"):
        fewer_lines([0.5, 0.6], [1.0], 2)


def test_refusals():
    """Mismatched, negative or empty bands and nanometres are refused."""
    with pytest.raises(DataError, match="do not match"):
        band_average(engine, [0.5, 0.6], [1.0], 1.8)
    with pytest.raises(DataError, match="not all zero"):
        band_average(engine, [0.5], [0.0], 1.8)
    with pytest.raises(DataError, match="axial_colour_um"):
        band_average(engine, [0.5, 0.6], [1.0, 1.0], 1.8, [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="micrometres"):
        band_average(engine, [550.0], [1.0], 1.8)
    with pytest.raises(DataError, match="ascending"):
        band_nodes([0.6, 0.5], [1.0, 1.0], 2)
    with pytest.raises(DataError, match="not negative"):
        band_nodes([0.5, 0.6], [1.0, -1.0], 2)
    with pytest.raises(InputError, match="count = 0"):
        band_nodes([0.5, 0.6], [1.0, 1.0], 0)
