"""Fixed pattern, noise, saturation and digitisation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scintscope.camera.parts import Camera
from scintscope.camera.sensor import (
    ZINGER_HIGH_KEV,
    ZINGER_LOW_KEV,
    FixedPattern,
    dark_frame,
    expose,
    flat_frame,
    make_fixed_pattern,
    saturated_fraction,
    saturation_level_adu,
)
from scintscope.errors import DataError, RangeError

SIGMAS = 5.0
SHAPE = (203, 310)
N = SHAPE[0] * SHAPE[1]
QUIET = Camera(
    shape=SHAPE,
    gain_electrons_per_adu=0.5,
    read_noise_electrons=0.0,
    dark_electrons_per_s=0.0,
    offset_adu=100.0,
)
ROUNDING_VARIANCE = 1.0 / 12.0  # of a number rounded to whole counts, ADU^2


def even(camera: Camera, electrons: float) -> np.ndarray:
    """Return even light."""
    return np.full(camera.shape, electrons, dtype=np.float32)


def shoot(camera: Camera, light: np.ndarray, seed: int = 1, exposure_s: float = 1.0, **options):
    """Return one frame of a camera whose pattern comes from the seed too."""
    rng = np.random.default_rng(seed)
    return expose(light, exposure_s, camera, make_fixed_pattern(camera, rng), rng, **options)


def test_noise_free_frame_is_the_rounded_expectation() -> None:
    """Without noise ADU = round((s L + d t + o)/g + b), pixel by pixel, in its place."""
    camera = replace(
        QUIET, prnu=0.05, dsnu_electrons=3.0, dark_electrons_per_s=2.0, zingers_per_frame=50.0
    )
    pattern = make_fixed_pattern(camera, np.random.default_rng(0))
    rows, columns = np.indices(SHAPE)
    light = 100.0 + 3.0 * rows + 0.5 * columns  # asymmetric: a transposed or flipped map shows
    frame = expose(light, 4.0, camera, pattern, np.random.default_rng(1), noise=False)
    electrons = light * pattern.sensitivity + 4.0 * 2.0 + pattern.offset_electrons
    assert frame.dtype == np.uint16
    # half a count of rounding; 1e-3 for float32 arithmetic at 2000 counts (6e-8 * 2000 * steps)
    assert np.abs(frame - (electrons / 0.5 + 100.0)).max() <= 0.5 + 1e-3


def test_photon_transfer_slope_is_one_over_gain() -> None:
    """Variance against mean signal is a line of slope 1/gain through the read noise."""
    camera = replace(QUIET, read_noise_electrons=1.6, gain_electrons_per_adu=0.46)
    for level in (20.0, 200.0, 2000.0, 15000.0):
        pair = [shoot(camera, even(camera, level), seed).astype(float) for seed in (1, 2)]
        variance = (pair[0] - pair[1]).var() / 2.0
        signal = (pair[0] + pair[1]).mean() / 2.0 - camera.offset_adu
        expected = signal / 0.46 + (1.6 / 0.46) ** 2 + ROUNDING_VARIANCE
        # relative standard error of a variance from N differences is sqrt(2/N)
        assert abs(variance / expected - 1.0) < SIGMAS * np.sqrt(2.0 / N)
        assert abs(signal - level / 0.46) < SIGMAS * np.sqrt(expected / (2 * N))


@pytest.mark.parametrize("read_noise", [0.8, 1.6, 10.0])
def test_read_noise_in_the_dark(read_noise: float) -> None:
    """A dark frame of no exposure has the read noise in counts around the pedestal."""
    camera = replace(QUIET, read_noise_electrons=read_noise)
    rng = np.random.default_rng(1)
    frame = dark_frame(0.0, camera, make_fixed_pattern(camera, rng), rng).astype(float)
    variance = (read_noise / 0.5) ** 2 + ROUNDING_VARIANCE
    assert abs(frame.mean() - 100.0) < SIGMAS * np.sqrt(variance / N)
    assert abs(frame.var() / variance - 1.0) < SIGMAS * np.sqrt(2.0 / N)


def test_dark_charge_grows_with_exposure_and_is_poisson() -> None:
    """Dark charge has mean and variance d t."""
    camera = replace(QUIET, dark_electrons_per_s=5.0)
    rng = np.random.default_rng(1)
    pattern = make_fixed_pattern(camera, rng)
    for exposure_s in (1.0, 10.0):
        electrons = (dark_frame(exposure_s, camera, pattern, rng) - 100.0) * 0.5
        mean = 5.0 * exposure_s
        assert abs(electrons.mean() - mean) < SIGMAS * np.sqrt(mean / N)
        # 4th moment of Poisson: variance of the variance (2 m^2 + m)/N
        assert abs(electrons.var() - mean) < SIGMAS * np.sqrt((2 * mean**2 + mean) / N)


def test_fixed_pattern_statistics() -> None:
    """PRNU and DSNU have the stated rms, sensitivity averages 1, hot pixels their share."""
    camera = replace(
        QUIET,
        prnu=0.02,
        dsnu_electrons=4.0,
        dark_electrons_per_s=0.1,
        hot_pixel_fraction=0.01,
        hot_pixel_electrons_per_s=80.0,
    )
    pattern = make_fixed_pattern(camera, np.random.default_rng(2))
    assert pattern.shape == SHAPE
    assert abs(pattern.sensitivity.mean() - 1.0) < SIGMAS * 0.02 / np.sqrt(N)
    assert abs(pattern.sensitivity.std() / 0.02 - 1.0) < SIGMAS / np.sqrt(2 * N)
    assert abs(pattern.offset_electrons.mean()) < SIGMAS * 4.0 / np.sqrt(N)
    assert abs(pattern.offset_electrons.std() / 4.0 - 1.0) < SIGMAS / np.sqrt(2 * N)
    hot = pattern.dark_electrons_per_s > np.float32(0.1)
    assert abs(hot.mean() - 0.01) < SIGMAS * np.sqrt(0.01 * 0.99 / N)  # binomial
    extra = pattern.dark_electrons_per_s[hot] - 0.1
    assert abs(extra.mean() - 80.0) < SIGMAS * 80.0 / np.sqrt(extra.size)  # exponential: rms = mean


@pytest.mark.parametrize("prnu", [0.1, 0.3])
def test_coarse_sensitivity_still_averages_one(prnu: float) -> None:
    """The skew of a large PRNU costs no light on average."""
    pattern = make_fixed_pattern(replace(QUIET, prnu=prnu), np.random.default_rng(5))
    assert abs(pattern.sensitivity.mean() - 1.0) < SIGMAS * prnu / np.sqrt(N)


def test_an_ideal_camera_has_no_pattern() -> None:
    """Without PRNU, DSNU and hot pixels the maps are exactly even."""
    pattern = make_fixed_pattern(
        replace(QUIET, dark_electrons_per_s=0.25), np.random.default_rng(0)
    )
    assert (pattern.sensitivity == 1.0).all()
    assert (pattern.offset_electrons == 0.0).all()
    assert (pattern.dark_electrons_per_s == 0.25).all()


def test_pattern_effects_have_their_own_streams() -> None:
    """Switching PRNU on leaves offsets and hot pixels where they were."""
    camera = replace(QUIET, dsnu_electrons=1.0, hot_pixel_fraction=0.05)
    plain = make_fixed_pattern(camera, np.random.default_rng(1))
    grainy = make_fixed_pattern(replace(camera, prnu=0.1), np.random.default_rng(1))
    np.testing.assert_array_equal(plain.offset_electrons, grainy.offset_electrons)
    np.testing.assert_array_equal(plain.dark_electrons_per_s, grainy.dark_electrons_per_s)
    assert (grainy.sensitivity > 0).all()


def test_pattern_survives_averaging() -> None:
    """The mean of flats shows the sensitivity map itself, pixel by pixel."""
    camera = replace(QUIET, prnu=0.1)
    rng = np.random.default_rng(3)
    pattern = make_fixed_pattern(camera, rng)
    frames = [flat_frame(20000.0, 0.1, camera, pattern, rng) for _ in range(4)]
    seen = (np.mean(frames, axis=0) - 100.0) * 0.5 / 20000.0
    error = np.sqrt(1.4 / (4 * 20000.0))  # Poisson of 4 flats where sensitivity is at most 1.4
    capped = np.minimum(pattern.sensitivity, 1.4)
    assert pattern.sensitivity.max() < 1.65  # exp(0.1 * 5): 33 000 e at the very most
    below = capped < 1.4
    # 6 sigma: the largest of 63 000 Gaussian deviations stays below it (4e-9 each)
    assert np.abs(seen - capped)[below].max() < 6.0 * error


def test_full_well_stops_the_charge() -> None:
    """Too much light gives the full well in counts, no more, and is reported."""
    camera = replace(QUIET, full_well_electrons=10000.0)
    light = even(camera, 500.0)
    light[:100] = 50000.0
    frame = shoot(camera, light)
    assert (frame[:100] == 20100).all()
    assert saturated_fraction(frame, camera) == 100 / SHAPE[0]
    noisy = replace(camera, read_noise_electrons=5.0, dsnu_electrons=2.0)
    fraction = saturated_fraction(shoot(noisy, light), noisy)
    # a full pixel reads below the level with 3e-7, so 31000 pixels lose 0.01 on average
    assert fraction == pytest.approx(100 / SHAPE[0], abs=1.5 / N)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_converter_stops_the_counts(bits: int) -> None:
    """Counts stop at 2^bits - 1 and never wrap; at the low end they stop at 0."""
    camera = replace(QUIET, bits=bits, full_well_electrons=1e6)
    frame = shoot(camera, even(camera, 9e5))
    assert (frame == 2**bits - 1).all()
    assert saturated_fraction(frame, camera) == 1.0
    assert saturation_level_adu(camera) == 2**bits - 1
    low = replace(camera, offset_adu=0.0, read_noise_electrons=5.0)
    dark = shoot(low, even(low, 0.0))
    assert dark.max() < 60  # 6 sigma of 10 counts: nothing wrapped
    # half a Gaussian is below the pedestal, and another 0.5/10 * phi(0) rounds down to it
    assert abs(np.mean(dark == 0) - (0.5 + 0.02)) < SIGMAS * 0.5 / np.sqrt(N) + 1e-3


def test_zinger_charge() -> None:
    """Direct hits come in the stated number with the charge of X-rays in silicon."""
    camera = replace(
        QUIET, zingers_per_frame=1000.0, gain_electrons_per_adu=4.0, full_well_electrons=2e5
    )
    rng = np.random.default_rng(4)
    pattern = make_fixed_pattern(camera, rng)
    charge = sum(float((dark_frame(1.0, camera, pattern, rng) - 100.0).sum()) for _ in range(25))
    low, high = (kev * 1000.0 / 3.65 for kev in (ZINGER_LOW_KEV, ZINGER_HIGH_KEV))
    mean, square = (low + high) / 2.0, (low**2 + low * high + high**2) / 3.0
    # compound Poisson: variance = hits * E[q^2]; 0.5 % allows for charge lost over the edge
    # (an eighth of a pixel all round, 2 * (203 + 310) * 0.125 px of 62930 px = 0.2 %)
    tolerance = SIGMAS * np.sqrt(25_000 * square) + 0.005 * 25_000 * mean
    assert abs(charge * 4.0 - 25_000 * mean) < tolerance


def test_zingers_touch_few_adjacent_pixels() -> None:
    """A single hit lights at most a 2x2 square, and rarely just one pixel."""
    camera = replace(QUIET, zingers_per_frame=1.0)
    rng = np.random.default_rng(4)
    pattern = make_fixed_pattern(camera, rng)
    sizes = []
    for _ in range(60):
        rows, columns = np.nonzero(dark_frame(1.0, camera, pattern, rng) > 100)
        if 0 < rows.size <= 4:  # more pixels: two or more hits in this frame
            assert np.ptp(rows) <= 1
            assert np.ptp(columns) <= 1
            sizes.append(rows.size)
    assert len(sizes) > 5  # P(exactly one hit) = 0.37: 22 expected, 5 is beyond 4 sigma
    assert np.mean(sizes) > 2.0


def test_no_zingers_without_noise() -> None:
    """Zingers are noise: the noise-free frame has none."""
    camera = replace(QUIET, zingers_per_frame=500.0)
    assert (shoot(camera, even(camera, 0.0), noise=False) == 100).all()
    assert (shoot(camera, even(camera, 0.0)) > 100).any()


@pytest.mark.parametrize("shape", [(16, 16), (17, 40), (131, 1100)])
def test_threads_do_not_change_a_frame(shape: tuple[int, int]) -> None:
    """1, 2 and 3 threads give the same bits with every effect on."""
    camera = Camera(
        shape=shape,
        prnu=0.01,
        dsnu_electrons=1.0,
        hot_pixel_fraction=0.01,
        zingers_per_frame=5.0,
    )
    light = np.random.default_rng(0).uniform(0, 300, shape).astype(np.float32)
    frames = [shoot(camera, light, threads=threads) for threads in (1, 2, 3)]
    np.testing.assert_array_equal(frames[0], frames[1])
    np.testing.assert_array_equal(frames[0], frames[2])
    assert (shoot(camera, light, seed=2) != frames[0]).any()


def test_noise_of_a_row_does_not_know_the_rows_above() -> None:
    """Each eighth of the rows has its own stream: light elsewhere leaves its bits alone."""
    camera = Camera(shape=(64, 20))
    light = even(camera, 50.0)
    before = shoot(camera, light)
    for eighth in range(8):
        changed = light.copy()
        changed[8 * eighth : 8 * eighth + 8] = 500.0
        same = (shoot(camera, changed) == before).all(axis=1)
        assert same.sum() == 56
        assert not same[8 * eighth : 8 * eighth + 8].any()


def test_successive_frames_differ() -> None:
    """One generator gives a new frame at each call, and leaves the light as it was."""
    rng = np.random.default_rng(0)
    pattern, light = make_fixed_pattern(QUIET, rng), even(QUIET, 100.0)
    first, second = (expose(light, 1.0, QUIET, pattern, rng) for _ in range(2))
    correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert abs(correlation) < SIGMAS / np.sqrt(N)  # standard error of a zero correlation
    assert (light == 100.0).all()


@settings(max_examples=25, deadline=None)
@given(
    electrons=st.floats(0.0, 40000.0),
    gain=st.floats(0.1, 5.0),
    offset=st.floats(0.0, 500.0),
)
def test_noise_free_counts_rise_with_light(electrons: float, gain: float, offset: float) -> None:
    """More light never gives fewer counts, whatever the camera."""
    camera = replace(QUIET, shape=(16, 17), gain_electrons_per_adu=gain, offset_adu=offset)
    less = shoot(camera, even(camera, electrons), noise=False)
    more = shoot(camera, even(camera, electrons + 10.0), noise=False)
    assert (more >= less).all()


def test_unusable_light_is_refused() -> None:
    """NaN, negative light and wrong shapes are refused by name."""
    rng = np.random.default_rng(0)
    pattern = make_fixed_pattern(QUIET, rng)
    light = even(QUIET, 1.0)
    light[3, 4] = np.nan
    with pytest.raises(DataError, match="photo_electrons holds 1 NaN"):
        expose(light, 1.0, QUIET, pattern, rng)
    light[3, 4] = -2.0
    with pytest.raises(DataError, match="down to -2 electrons"):
        expose(light, 1.0, QUIET, pattern, rng, noise=False)
    with pytest.raises(DataError, match=r"shape \(310, 203\), the fixed pattern \(203, 310\)"):
        expose(even(QUIET, 1.0).T, 1.0, QUIET, pattern, rng)
    with pytest.raises(RangeError, match="exposure_s = -1"):
        expose(even(QUIET, 1.0), -1.0, QUIET, pattern, rng)


def test_unusable_flats_and_patterns_are_refused() -> None:
    """A flat that fills the well, maps that do not match and an empty frame are refused."""
    rng = np.random.default_rng(0)
    pattern = make_fixed_pattern(QUIET, rng)
    with pytest.raises(RangeError, match=r"flat_electrons = 30000\.0 .*must not saturate"):
        flat_frame(30000.0, 1.0, QUIET, pattern, rng)
    ones = np.ones((4, 5), np.float32)
    with pytest.raises(DataError, match="three maps of one"):
        FixedPattern(sensitivity=ones, offset_electrons=ones.T, dark_electrons_per_s=ones)
    with pytest.raises(DataError, match="no pixel"):
        saturated_fraction(np.zeros((0, 3)), QUIET)
