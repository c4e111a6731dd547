"""Aberrations of the field: growth over it, and the transfer functions they make."""

import numpy as np
import pytest

from scintscope.errors import RangeError
from scintscope.optics.field import (
    FieldAberrations,
    azimuthal_phase_waves,
    focus_shift_um,
    illumination,
)
from scintscope.optics.field_otf import DepthSum, field_harmonics, transfer_at
from scintscope.optics.otf import otf
from scintscope.optics.wavefront import OpticalPath, travel_for_focus_um, wavefront_um

PATH = OpticalPath(na=0.4, index=1.82, wavelength_um=0.55, corrected_for_um=50.0)
TRAVEL_UM = float(travel_for_focus_um(100.0, PATH))
ROUNDING = 1e-11  # sums of a few thousand products
DEPTHS_UM = np.array([90.0, 120.0])
EACH = DepthSum(depth_below_exit_um=DEPTHS_UM, weight=np.eye(2)[:, :, None])
BLUR = FieldAberrations(coma_waves=0.1, astigmatism_waves=0.07)


def harmonics(field, frequency, shift=(0.0,), radius=(0.0,), angles=3, depths=EACH):
    """Return C_j of a field at a few places."""
    where = (np.array(shift), np.array(radius), angles)
    return field_harmonics(np.asarray(frequency), depths, TRAVEL_UM, PATH, field, *where)


def test_nothing_by_default():
    """A lens without field aberrations is the same everywhere."""
    none = FieldAberrations()
    assert none.is_none
    assert not none.varies_blur
    assert FieldAberrations(corner_um=500.0).is_none
    assert not FieldAberrations(distortion=1e-3).varies_blur
    assert FieldAberrations(tilt_rows_mrad=1.0).shifts_focus
    assert FieldAberrations(lateral_colour_um=1.0).blurs_by_azimuth


def test_focus_shift_is_a_parabola_and_a_plane():
    """Curvature and bow reach their value at the corner, tilts are mrad along rows and columns."""
    field = FieldAberrations(field_curvature_um=3.0, bow_um=1.0, tilt_rows_mrad=5.0)
    assert focus_shift_um(field, 0.0, 0.0, 500.0) == 0.0
    assert focus_shift_um(field, 300.0, 400.0, 500.0) == pytest.approx(4.0 + 1.5)
    assert focus_shift_um(field, -300.0, 400.0, 500.0) == pytest.approx(4.0 - 1.5)
    tilt = FieldAberrations(tilt_columns_mrad=-2.0)
    assert focus_shift_um(tilt, 300.0, 400.0, 500.0) == pytest.approx(-0.8)


def test_illumination_falls_to_its_value_at_the_corner():
    """Vignetting is 1 on the axis, as given at the corner, never negative."""
    field = FieldAberrations(relative_illumination=0.7)
    assert illumination(field, 0.0, 0.0, 500.0) == 1.0
    assert illumination(field, 300.0, 400.0, 500.0) == pytest.approx(0.7)
    assert illumination(field, 3000.0, 4000.0, 500.0) == 0.0


def test_coma_and_astigmatism_have_their_rms():
    """The rms over the pupil is the number given, growing with rho and rho^2."""
    node, weight = np.polynomial.legendre.leggauss(12)
    rho = np.sqrt(0.5 * (1.0 + node))[:, None]
    theta = 2.0 * np.pi * np.arange(16) / 16
    x, y = rho * np.cos(theta), rho * np.sin(theta)
    for share in (1.0, 0.5):
        even, odd = azimuthal_phase_waves(BLUR, x, y, share)
        area = 0.5 * weight[:, None] / 16
        assert np.sqrt((area * odd**2).sum()) == pytest.approx(0.1 * share, rel=ROUNDING)
        assert np.sqrt((area * even**2).sum()) == pytest.approx(0.07 * share**2, rel=ROUNDING)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 5.0])
def test_focus_shift_is_stage_travel(shift):
    """Without other aberrations C_0 is the transfer function at another travel, C_j > 0 is none."""
    frequency = np.linspace(0.0, 1.45, 12)
    found = harmonics(FieldAberrations(), frequency, (-3.0, shift, 5.0))
    wanted = np.asarray(otf(frequency, DEPTHS_UM, TRAVEL_UM + shift, PATH))
    # two Gauss-Legendre rules that have both converged
    np.testing.assert_allclose(found[:, :, 0, 1, 0], wanted, atol=1e-9)
    assert np.abs(found[:, :, 1:]).max() < ROUNDING


def test_light_is_conserved_at_every_place():
    """T(0) = 1 whatever the aberrations; H = 0 from the cut-off on."""
    field = FieldAberrations(coma_waves=0.2, astigmatism_waves=0.2, lateral_colour_um=1.0)
    found = harmonics(field, [0.0, 1.4546], (0.0, 4.0), (0.3, 1.0), angles=4)
    assert found[:, 0, 0] == pytest.approx(np.ones((2, 2, 2)), abs=ROUNDING)
    assert np.abs(found[:, 0, 1:]).max() < ROUNDING
    assert np.all(found[:, 1] == 0.0)


def pupil_psf(azimuth, count=512, span=7.0):
    """Return the PSF on a grid by Fourier transform of the pupil, W as an optical path."""
    axis = (np.arange(count) - count // 2) * 2.0 * span / count
    x, y = axis[None, :], axis[:, None]
    inside = x**2 + y**2 <= 1.0
    along, across = (
        x * np.cos(azimuth) + y * np.sin(azimuth),
        y * np.cos(azimuth) - x * np.sin(azimuth),
    )
    even, odd = azimuthal_phase_waves(BLUR, along, across, 1.0)
    p2 = 0.16 * np.minimum(x**2 + y**2, 1.2)
    waves = wavefront_um(p2, 90.0, TRAVEL_UM, PATH) / 0.55 + even + odd
    pupil = np.where(inside, np.exp(2j * np.pi * waves), 0.0)
    # PSF(x) = |int exp(i k (W + p x)) dp|^2
    field = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(pupil)))
    psf = np.abs(field) ** 2
    return psf / psf.sum(), 2.0 * span / count * 0.4 / 0.55


def test_transfer_function_of_coma_and_astigmatism_against_a_pupil_transform():
    """T = int PSF exp(-2 pi i f x) dx of the aberrated pupil, signs and orientation included."""
    azimuth = 0.7
    psf, step = pupil_psf(azimuth)
    transfer = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(psf)))
    centre = psf.shape[0] // 2
    shears = np.array([7, 16, 26, 38])
    found = harmonics(BLUR, step * shears, (0.0,), (1.0,), angles=7)[0, :, :, 0, 0]
    for i, shear in enumerate(shears):
        along_columns = transfer_at(found[i], 0.0 - azimuth)
        along_rows = transfer_at(found[i], 0.5 * np.pi - azimuth)
        # pupil sampled 37 times over its radius: its area is known to (1 / 37)^1.5 = 4e-3
        assert abs(transfer[centre, centre + shear] - along_columns) < 4e-3
        assert abs(transfer[centre + shear, centre] - along_rows) < 4e-3


def test_positive_coma_throws_the_tail_outwards():
    """The centroid of the PSF moves away from the axis, along the field's azimuth."""
    psf, _ = pupil_psf(0.7)
    rows, columns = np.mgrid[: psf.shape[0], : psf.shape[1]] - psf.shape[0] // 2
    row, column = float((psf * rows).sum()), float((psf * columns).sum())
    assert row > 0.0
    assert np.arctan2(row, column) == pytest.approx(0.7, abs=0.02)  # pupil of 37 samples
    slope = harmonics(BLUR, [1e-3], (0.0,), (1.0,), angles=5)[0, 0, 1, 0, 0]
    # T = 1 - 2 pi i f x: an outward centroid has a negative imaginary part at alpha = 0
    assert slope < 0.0


def test_harmonics_fall_quickly():
    """0.1 waves rms of each need a dozen harmonics for 1e-4."""
    found = harmonics(FieldAberrations(coma_waves=0.1, astigmatism_waves=0.1),
                      np.linspace(0.1, 1.3, 5), (0.0,), (1.0,), angles=8)  # fmt: skip
    size = np.abs(found).max(axis=(0, 1, 3, 4))
    assert size[0] > 0.5
    assert size[12:].max() < 1e-3
    assert np.all(size[14:] < size[10])


def test_lateral_colour_blurs_along_the_azimuth():
    """An even spread of light is a sinc along the azimuth and nothing across it."""
    field = FieldAberrations(lateral_colour_um=1.2)
    frequency = np.array([0.3])
    with_colour = harmonics(field, frequency, (0.0,), (0.5,), angles=6)[0, 0, :, 0, 0]
    plain = harmonics(FieldAberrations(), frequency)[0, 0, 0, 0, 0]
    # cosine series of the sinc to the eleventh order
    assert transfer_at(with_colour, 0.0) == pytest.approx(plain * np.sinc(0.3 * 0.6), abs=1e-6)
    assert transfer_at(with_colour, 0.5 * np.pi) == pytest.approx(plain, abs=1e-6)


def test_depths_are_summed_with_their_weights():
    """A weighted sum of depths is the weighted sum of their harmonics."""
    frequency = np.linspace(0.05, 1.2, 6)
    weight = np.array([0.3, 0.7])
    summed = DepthSum(depth_below_exit_um=DEPTHS_UM, weight=weight[None, :, None])
    each = harmonics(BLUR, frequency, (0.0, 2.0), (0.5,))
    both = harmonics(BLUR, frequency, (0.0, 2.0), (0.5,), depths=summed)
    np.testing.assert_allclose(both[0], np.tensordot(weight, each, axes=1), atol=1e-9)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("coma_waves", 5.0),
        ("tilt_rows_mrad", float("nan")),
        ("relative_illumination", 0.0),
        ("corner_um", -1.0),
        ("lateral_colour_um", -0.1),
    ],
)
def test_refuses_values_out_of_range(key, value):
    """Values beyond reason are refused under their key."""
    with pytest.raises(RangeError, match=f"lens.field.{key}"):
        FieldAberrations(**{key: value})
