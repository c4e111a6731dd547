"""Noise-equivalent quanta before and after filters and restoration."""

import numpy as np
import pytest

from scintscope.errors import DataError
from scintscope.grids import Grid
from scintscope.metrics.edge import slanted_edge
from scintscope.metrics.neq import noise_equivalent_quanta, small_signal
from scintscope.metrics.psd import noise_power_from_frames
from scintscope.restoration.richardson_lucy import richardson_lucy

PIXEL, SIDE, LEVEL = 1.3, 128, 400.0
GRID = Grid(shape=(SIDE, SIDE), pixel_um=PIXEL)
RADIAL = GRID.radial_frequency_cy_per_um()


def blur(f):
    return np.exp(-2.0 * (np.pi * 1.2 * f) ** 2)


def sharpen(f):
    """Return a radial filter without zeros, 1 at f = 0 and 3 at high frequency."""
    return 1.0 + 2.0 * f**2 / (f**2 + 0.15**2)


def filtered(image, transfer):
    return np.fft.irfft2(np.fft.rfft2(image) * transfer(RADIAL), s=image.shape)


def frames(scene, count, rng):
    """Return frames of a scene: X-ray noise through the blur, then Poisson light."""
    for _ in range(count):
        quanta = rng.poisson(np.maximum(scene, 0.0) * 100.0) / 100.0
        yield rng.poisson(np.maximum(filtered(quanta, blur), 0.0) * LEVEL).astype(float)


def edge_scene():
    """Return a slanted edge, 0.3 to 1, mirrored to be periodic; supersampled by area."""
    fine = (np.arange(8 * SIDE) + 0.5) / 8.0
    row = (np.arange(SIDE) + 0.5)[:, None]
    first, second = 32.0 + 0.08 * row, 96.0 + 0.08 * row
    inside = (fine > first) & (fine < second)
    return 0.3 + 0.7 * inside.reshape(SIDE, SIDE, 8).mean(axis=2)


def test_a_filter_without_zeros_keeps_the_dqe():
    """Slanted-edge MTF and NPS measured before and after: DQE agrees within 5 sigma."""
    rng, batches = np.random.default_rng(1), 8
    f = np.linspace(0.03, 0.3, 10)
    ratios = []
    for _ in range(batches):
        flats = np.array(list(frames(np.ones((SIDE, SIDE)), 8, rng)))
        edge = np.mean(list(frames(edge_scene(), 8, rng)), axis=0)
        neq = []
        for process in (lambda x: x, lambda x: filtered(x, sharpen)):
            region = process(edge)[:, 4:60]
            mtf = slanted_edge(region, pixel_um=PIXEL, orientation="vertical").mtf
            done = np.array([process(frame) for frame in flats])
            level = float(done.mean())
            power = noise_power_from_frames(done, pixel_um=PIXEL, window="none")
            nps = np.interp(f, power.frequency_cy_per_um, power.power_um2) * len(flats)
            values = np.interp(f, mtf.frequency_cy_per_um, mtf.value)
            neq.append(noise_equivalent_quanta(values, nps, level))
        ratios.append(neq[1] / neq[0])
    mean, spread = np.mean(ratios, axis=0), np.std(ratios, axis=0, ddof=1) / np.sqrt(batches)
    # 5 sigma of what the batches scatter; 1 % for the window of the edge and means over rings
    assert (np.abs(mean - 1.0) < 5.0 * spread + 0.01).all()
    # and the same frames would tell a filter that the noise alone went through
    assert sharpen(0.3) ** 2 > 5.0


def test_small_signal_gain_of_a_linear_filter_is_its_transfer_function():
    """Gain is exact for a linear filter, NEQ is that of the frames."""
    rng = np.random.default_rng(2)
    flats = np.array(list(frames(np.ones((SIDE, SIDE)), 6, rng)))
    cycles = (4, 16, 40)
    f = np.array(cycles) / (SIDE * PIXEL)
    plain = small_signal(lambda x: x, flats, pixel_um=PIXEL, cycles=cycles, mtf=blur(f))
    found = small_signal(
        lambda x: filtered(x, sharpen), flats, pixel_um=PIXEL, cycles=cycles, mtf=blur(f)
    )
    np.testing.assert_allclose(plain.gain, 1.0, rtol=1e-9)  # rounding
    np.testing.assert_allclose(found.gain, sharpen(f), rtol=1e-9)
    # means over rings of a filtered spectrum, and the Hann window's leak
    np.testing.assert_allclose(found.neq_per_um2, plain.neq_per_um2, rtol=0.03)


def test_richardson_lucy_by_its_small_signal():
    """Restored flats: middle frequencies are lifted, NEQ does not exceed that of the frames much.

    RL is not linear; its gain on noisy flats stays below the inverse of the blur.
    """
    rng = np.random.default_rng(3)
    flats = np.array(list(frames(np.ones((SIDE, SIDE)), 4, rng)))
    cycles = (3, 12, 24)
    f = np.array(cycles) / (SIDE * PIXEL)
    x = (np.arange(21) - 10) * PIXEL
    kernel = np.exp(-0.5 * (x[:, None] ** 2 + x[None, :] ** 2) / 1.2**2)
    kernel /= kernel.sum()

    def restored(image):
        return np.asarray(richardson_lucy(image, kernel, iterations=8).estimate, dtype=np.float64)

    plain = small_signal(lambda x: x, flats, pixel_um=PIXEL, cycles=cycles, mtf=blur(f))
    found = small_signal(restored, flats, pixel_um=PIXEL, cycles=cycles, mtf=blur(f))
    assert (found.gain > 1.0).all()
    assert (found.gain < 1.0 / blur(f) + 5.0 * found.gain_error + 0.02).all()
    assert found.gain[2] > 1.3
    ratio = found.neq_per_um2 / plain.neq_per_um2
    assert (ratio > 0.7).all()
    assert (ratio < 1.3).all()


def test_refusals():
    """Too few frames and impossible frequencies are refused."""
    with pytest.raises(DataError, match="three or more"):
        small_signal(lambda x: x, np.ones((2, 16, 16)), pixel_um=1.0, cycles=(1,), mtf=1.0)
    with pytest.raises(DataError, match="cycles"):
        small_signal(lambda x: x, np.ones((3, 16, 16)), pixel_um=1.0, cycles=(9,), mtf=1.0)
