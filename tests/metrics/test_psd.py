"""Power spectral density: normalisation, rings, and the gain of one image over another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.errors import DataError, InputError, RangeError
from scintscope.metrics import (
    noise_power_from_frames,
    noise_power_from_repeats,
    power_spectrum_2d,
    psd_gain,
    radial_mean,
    radial_power_spectrum,
    row_power_spectrum,
)
from scintscope.metrics.psd import ring_numbers, window_1d

ROUNDING = 1e-12  # sums of at most 1e4 float64 terms of one sign
PIXEL_UM = 1.3
SHAPES = [(48, 64), (63, 40), (51, 37), (64, 33)]


def white(shape, sigma, seed):
    return sigma * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window", ["hann", "none"])
def test_integral_is_the_windowed_variance(shape, window):
    """Parseval: the density integrates to the mean square of the windowed image."""
    image = white(shape, 2.0, 1) + 7.0
    weight = window_1d(shape[0], window)[:, None] * window_1d(shape[1], window)
    mean = (image * weight).sum() / weight.sum()
    expected = np.mean((weight * (image - mean)) ** 2) / np.mean(weight**2)
    spectrum = power_spectrum_2d(image, pixel_um=PIXEL_UM, window=window)
    assert spectrum.variance() == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("shape", SHAPES)
def test_whole_plane_equals_the_complex_transform(shape):
    """The mirrored half plane is the density of the full complex transform, element by element."""
    image = white(shape, 1.0, 2)
    spectrum = power_spectrum_2d(image, pixel_um=PIXEL_UM, window="none")
    full = np.abs(np.fft.fftshift(np.fft.fft2(image - image.mean()))) ** 2
    expected = full * PIXEL_UM**2 / image.size
    # float rounding of two transforms, relative to the largest element
    np.testing.assert_allclose(
        spectrum.centred_power_um2(), expected, rtol=0, atol=ROUNDING * expected.max()
    )


@pytest.mark.parametrize(("window", "share"), [("none", 1.0), ("hann", 4.0 / 9.0)])
def test_sinusoid_sits_in_its_bin(window, share):
    """A sinusoid of whole periods has power amplitude^2 / 4 in each of its two bins."""
    shape, amplitude = (48, 60), 3.0
    row, column = np.indices(shape)
    image = 5.0 + amplitude * np.cos(2 * np.pi * (7 * row / 48 + 9 * column / 60))
    power = power_spectrum_2d(image, pixel_um=PIXEL_UM, window=window).power_um2
    area_um2 = image.size * PIXEL_UM**2
    # Hann: peak |sum w|^2 / mean w^2 = (1/2)^4 / (3/8)^2 = 4/9 of the unwindowed peak
    assert power[7, 9] == pytest.approx(share * area_um2 * amplitude**2 / 4, rel=1e-9)
    assert np.unravel_index(np.argmax(power), power.shape) == (7, 9)


def test_sinusoid_along_a_row_is_seen_by_the_row_spectrum_only_along_rows():
    """The 1-D density is taken along rows: a pattern over rows alone leaves it empty."""
    along = np.tile(np.cos(2 * np.pi * 6 * np.arange(60) / 60), (20, 1))
    spectrum = row_power_spectrum(along, pixel_um=PIXEL_UM, window="none")
    assert np.argmax(spectrum.power_um) == 6
    assert spectrum.frequency_cy_per_um[6] == pytest.approx(6 / (60 * PIXEL_UM))
    assert spectrum.power_um[6] == pytest.approx(60 * PIXEL_UM / 4, rel=1e-9)  # amplitude^2 N p / 4
    across = row_power_spectrum(along.T, pixel_um=PIXEL_UM, window="none")
    assert across.power_um.max() < 1e-20  # rounding of a constant row, squared


@pytest.mark.parametrize("window", ["hann", "none"])
def test_white_noise_has_its_closed_level(window):
    """White noise has density sigma^2 p^2 in 2-D and sigma^2 p along rows."""
    sigma, shape = 0.7, (240, 200)
    image = white(shape, sigma, 3)
    ring = radial_power_spectrum(image, pixel_um=PIXEL_UM, window=window)
    row = row_power_spectrum(image, pixel_um=PIXEL_UM, window=window)
    level = np.average(ring.power_um2[3:], weights=ring.count[3:])
    # 5 sigma of a mean of M N / 2 independent exponentials, Hann leaving (35/18)^2 times fewer
    tolerance = 5 * np.sqrt(2 * (35 / 18) ** 2 / image.size)
    assert level == pytest.approx(sigma**2 * PIXEL_UM**2, rel=tolerance)
    assert row.power_um[3:].mean() == pytest.approx(sigma**2 * PIXEL_UM, rel=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_rings_follow_the_documented_rule(shape):
    """No ring is empty, centres are multiples of one over the shorter side, counts mirror."""
    spectrum = power_spectrum_2d(white(shape, 1.0, 4), pixel_um=PIXEL_UM)
    radial = radial_mean(spectrum)
    assert radial.count.min() >= 1
    assert radial.count[0] == 1
    assert radial.frequency_cy_per_um[1] == pytest.approx(1 / (min(shape) * PIXEL_UM))
    assert radial.frequency_cy_per_um[-1] <= 0.5 / PIXEL_UM * (1 + ROUNDING)
    frequency = np.hypot(
        np.fft.fftfreq(shape[0], PIXEL_UM)[:, None], np.fft.fftfreq(shape[1], PIXEL_UM)
    )
    _, rings, width = ring_numbers(spectrum.grid)
    ring = np.floor(frequency / width + 0.5)
    np.testing.assert_array_equal(radial.count, [(ring == k).sum() for k in range(rings)])


@settings(max_examples=25, deadline=None)
@given(
    scale=st.floats(0.01, 100.0),
    pixel_um=st.floats(0.1, 10.0),
    rows=st.integers(8, 21),
    columns=st.integers(8, 21),
)
def test_density_scales_with_grey_value_squared_and_pixel_area(scale, pixel_um, rows, columns):
    """Law: PSD(a x, p) = a^2 p^2 PSD(x, 1), and dividing by the flat level undoes the scale."""
    image = white((rows, columns), 1.0, 5)
    unit = power_spectrum_2d(image, pixel_um=1.0).power_um2
    scaled = power_spectrum_2d(scale * image, pixel_um=pixel_um).power_um2
    flat = power_spectrum_2d(scale * image, pixel_um=1.0, flat_level=scale).power_um2
    atol = 1e-12 * unit.max()  # rounding relative to the largest element
    np.testing.assert_allclose(scaled / (scale * pixel_um) ** 2, unit, rtol=1e-9, atol=atol)
    np.testing.assert_allclose(flat, unit, rtol=1e-9, atol=atol)


def test_noise_of_repeats_and_of_a_mean_of_frames():
    """Half the density of a difference is one frame's noise; the mean of F frames has 1/F."""
    scene = 50.0 * np.add.outer(np.sin(np.arange(96) / 5), np.cos(np.arange(128) / 9))
    frames = scene + np.stack([white(scene.shape, 0.3, 10 + i) for i in range(6)])
    one = noise_power_from_repeats(frames[0], frames[1], pixel_um=PIXEL_UM)
    mean = noise_power_from_frames(frames, pixel_um=PIXEL_UM)
    level = 0.3**2 * PIXEL_UM**2
    tolerance = 5 * np.sqrt(2 * (35 / 18) ** 2 / scene.size)  # as for white noise, one difference
    assert np.average(one.power_um2[2:], weights=one.count[2:]) == pytest.approx(
        level, rel=tolerance
    )
    assert np.average(mean.power_um2[2:], weights=mean.count[2:]) == pytest.approx(
        level / 6, rel=tolerance
    )


def filtered(image, transfer):
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in image.shape), indexing="ij"))
    return np.fft.ifft2(np.fft.fft2(image) * transfer(frequency)).real


def test_gain_of_a_scaled_image_is_the_square_everywhere():
    """An image 2.5 times the thick one has gain 6.25 at all frequencies and in the band."""
    thick = white((64, 48), 1.0, 6)
    gain = psd_gain(2.5 * thick, thick, pixel_um=PIXEL_UM)
    np.testing.assert_allclose(gain.gain[1:], 6.25, rtol=1e-9)  # float rounding of small elements
    assert np.isnan(gain.gain[0])
    assert gain.total.high_band == pytest.approx(6.25, rel=1e-9)
    assert gain.floor_source == "corner"
    assert gain.signal is None
    assert gain.noise is None


def test_flat_levels_take_exposure_out_of_the_gain():
    """An image in twice the counts over twice the flat level has gain 1."""
    thick = white((40, 50), 1.0, 7)
    gain = psd_gain(
        2 * thick, thick, pixel_um=1.0, flat_level=100.0, restored_flat_level=200.0
    ).gain
    np.testing.assert_allclose(gain[1:], 1.0, rtol=1e-9)  # float rounding of small elements


def test_signal_and_noise_parts_are_told_apart():
    """A filter H on signal alone gives signal gain H^2 while the noise gain is its own ratio."""
    shape = (256, 192)
    scene = filtered(white(shape, 1.0, 8), lambda f: np.exp(-((f / 0.25) ** 2)))
    sharp = filtered(scene, lambda f: 1 + 6 * f)
    thick_noise = [white(shape, 0.05, 20 + i) for i in range(2)]
    restored_noise = [white(shape, 0.1, 30 + i) for i in range(2)]
    gain = psd_gain(
        sharp + restored_noise[0],
        scene + thick_noise[0],
        pixel_um=1.0,
        thick_noise=noise_power_from_repeats(*thick_noise, pixel_um=1.0),
        restored_noise=noise_power_from_repeats(*restored_noise, pixel_um=1.0),
    )
    assert gain.floor_source == "noise"
    inside = gain.resolved & (gain.frequency_cy_per_um > 0.05) & (gain.frequency_cy_per_um < 0.3)
    expected = (1 + 6 * gain.frequency_cy_per_um[inside]) ** 2
    # rings average H^2 over their width and hold 50+ exponentials; cross terms of signal and
    # noise at SNR > 10 stay below 5 x 2 sqrt(1/10/50)
    np.testing.assert_allclose(gain.signal_gain[inside], expected, rtol=0.25)
    assert np.mean(gain.signal_gain[inside] / expected) == pytest.approx(1.0, abs=0.03)
    # ratio of variances 4; 5 sigma of ring means of some 2e4 exponentials in each
    assert gain.noise.high_band == pytest.approx(4.0, rel=0.1)
    unresolved = ~gain.resolved
    assert np.isnan(gain.signal_gain[unresolved]).all()
    assert unresolved.any()


def test_maximum_is_sought_where_the_thick_image_is_resolved():
    """Beyond the thick image's noise floor a huge gain is noise and does not count."""
    shape = (128, 128)
    scene = filtered(white(shape, 1.0, 9), lambda f: f < 0.2)
    thick = scene + white(shape, 0.01, 40)
    restored = filtered(thick, lambda f: np.where(f < 0.15, 1.0, np.where(f < 0.25, 2.0, 50.0)))
    gain = psd_gain(restored, thick, pixel_um=1.0)
    assert gain.total.maximum < 10.0
    assert 0.14 < gain.total.maximum_frequency_cy_per_um < 0.25
    assert gain.total.high_band > 1000.0


def test_nothing_resolved_gives_none():
    """White noise alone has no ring three floors above its corner: no maximum."""
    noise = white((128, 96), 1.0, 11)
    assert psd_gain(2 * noise, noise, pixel_um=1.0).total.maximum is None


def test_refusals():
    """NaN, stacks, unknown windows, zero levels, unequal shapes and foreign rings are refused."""
    image = white((32, 32), 1.0, 12)
    bad = image.copy()
    bad[3, 4] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        power_spectrum_2d(bad, pixel_um=1.0)
    with pytest.raises(DataError, match="average a stack first"):
        power_spectrum_2d(np.zeros((2, 32, 32)), pixel_um=1.0)
    with pytest.raises(DataError, match="at least 8"):
        power_spectrum_2d(np.zeros((7, 32)), pixel_um=1.0)
    with pytest.raises(InputError, match="'hann'"):
        power_spectrum_2d(image, pixel_um=1.0, window="han")
    with pytest.raises(RangeError, match="flat_level"):
        power_spectrum_2d(image, pixel_um=1.0, flat_level=0.0)
    with pytest.raises(RangeError, match="pixel_um"):
        row_power_spectrum(image, pixel_um=-1.0)
    with pytest.raises(DataError, match="common region"):
        psd_gain(image, image[:-1], pixel_um=1.0)
    with pytest.raises(DataError, match="same shape and pixel"):
        foreign = radial_power_spectrum(image[:20, :20], pixel_um=1.0)
        psd_gain(image, image, pixel_um=1.0, thick_noise=foreign)
    with pytest.raises(DataError, match="two frames or more"):
        noise_power_from_frames(image[None], pixel_um=1.0)


def test_bands_are_those_stated():
    """The maximum is over 0.1-1.0 Nyquist and the mean over 0.5-1.0, on a gain known per ring."""
    scene = white((120, 100), 1.0, 13)
    restored = filtered(
        scene, lambda f: np.where(f < 0.045, 30.0, np.where(f < 0.245, 4.0, np.sqrt(2.0 + 2.0 * f)))
    )
    gain = psd_gain(
        restored,
        scene,
        pixel_um=1.0,
        thick_noise=noise_power_from_repeats(scene, 1.1 * scene, pixel_um=1.0),
    )
    # 0.1 Nyquist = 0.05 cycles/px, two rings of 0.01 beyond the jump; the window mixes neighbours:
    # the maximum is 16 but for the leak of a Hann window one bin further (quarter amplitude)
    assert gain.resolved[1:].all()
    assert 0.05 <= gain.total.maximum_frequency_cy_per_um < 0.26
    high = gain.frequency_cy_per_um >= 0.25
    assert gain.total.high_band == pytest.approx(float(gain.gain[high].mean()), rel=1e-12)
    # 2 + 2 f over 0.25 ... 0.5, mean 2.75; some 25 rings of 200+ mixed exponentials and one ring
    # beside the jump to 16
    assert gain.total.high_band == pytest.approx(2.75, rel=0.1)
